"""Activation functions: those that take `inplace` as functions, and all of them as modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.nn.module import Module
from minigrad.ops import activation as ops
from minigrad.ops import piecewise as pieces
from minigrad.ops import softmax as softmaxes
from minigrad.ops.elementwise import abs as absolute
from minigrad.ops.inplace import update
from minigrad.stream import default_generator
from minigrad.tensor import Tensor


def applied(op: Callable[..., Any], input: Tensor, inplace: bool, *options: Any) -> Tensor:
    return update(input, op, *options) if inplace else op(input, *options)


# ------------------------------------------------------------------------------------- as functions
def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0); its derivative at 0 is 0.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.relu(minigrad.tensor([-1.0, 0.0, 2.0]))
        tensor([0., 0., 2.])
    """
    return applied(ops.relu, input, inplace)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where x > 0, else negative_slope x; its derivative at 0 is negative_slope.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.leaky_relu(minigrad.tensor([-1.0, 2.0]), 0.1)
        tensor([-0.1000,  2.0000])
    """
    return applied(ops.leaky_relu, input, inplace, negative_slope)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha (exp(x) - 1); its derivative at 0 is alpha.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.elu(minigrad.tensor([-1.0, 2.0]))
        tensor([-0.6321,  2.0000])
    """
    return applied(ops.elu, input, inplace, alpha)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x sigmoid(x), also called swish.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.silu(minigrad.tensor([-1.0, 0.0, 1.0]))
        tensor([-0.2689,  0.0000,  0.7311])
    """
    return applied(ops.silu, input, inplace)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x tanh(softplus(x)).

    Source: D. Misra, "Mish: a self regularized non-monotonic activation function", BMVC 2020.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.mish(minigrad.tensor([-1.0, 0.0, 1.0]))
        tensor([-0.3034,  0.0000,  0.8651])
    """
    return applied(pieces.mish, input, inplace)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """x limited to [min_val, max_val]; its derivative at both edges is 0.

    Raises:
        ValueError: `min_val` is above `max_val`.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.hardtanh(minigrad.tensor([-2.0, 0.5, 2.0]))
        tensor([-1.0000,  0.5000,  1.0000])
    """
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    return applied(pieces.hardtanh, input, inplace, min_val, max_val)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x, 0), 6); its derivative at 0 and at 6 is 0.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.relu6(minigrad.tensor([-1.0, 3.0, 8.0]))
        tensor([0., 3., 6.])
    """
    return applied(pieces.hardtanh, input, inplace, 0.0, 6.0)


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|).

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.softsign(minigrad.tensor([-1.0, 0.0, 3.0]))
        tensor([-0.5000,  0.0000,  0.7500])
    """
    return input / (absolute(input) + 1)


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x).

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.tanhshrink(minigrad.tensor([-1.0, 0.0, 1.0]))
        tensor([-0.2384,  0.0000,  0.2384])
    """
    return input - ops.tanh(input)


def gumbel_softmax(
    logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    """softmax((logits + G) / tau) for Gumbel noise G: a differentiable draw from the logits' classes.

    With `hard` the result is one-hot, and its gradient that of the soft one. `eps` has no effect.

    Source: E. Jang et al., "Categorical reparameterization with Gumbel-softmax", ICLR 2017.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.gumbel_softmax(minigrad.zeros(2, 3), hard=True).sum().item()
        2.0
    """
    array = logits._array
    uniform = default_generator.uniform(array.shape, 0.0, 1.0, np.float64)
    noise = -np.log((-np.log1p(-uniform)).astype(array.dtype))
    soft: Tensor = softmaxes.softmax((logits + Tensor._wrap(noise)) / tau, dim)
    if not hard:
        return soft
    one_hot = np.zeros_like(array)
    np.put_along_axis(one_hot, np.expand_dims(soft._array.argmax(dim), dim), 1, dim)
    return Tensor._wrap(one_hot) - soft.detach() + soft


# --------------------------------------------------------------------------------------- as modules
class Inplace(Module):
    """An activation that can overwrite its input, and whose text says so."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        options = self._options()
        return options + (", " * bool(options) + "inplace=True") * self.inplace

    def _options(self) -> str:
        return ""


class ReLU(Inplace):
    """max(x, 0); its derivative at 0 is 0.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> nn.ReLU()(minigrad.tensor([-1.0, 0.0, 2.0]))
        tensor([0., 0., 2.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return relu(input, True) if self.inplace else ops.relu(input)


class LeakyReLU(Inplace):
    """x where x > 0, else negative_slope x.

    Example:
        >>> from minigrad import nn
        >>> nn.LeakyReLU(0.2)
        LeakyReLU(negative_slope=0.2)
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, input: Tensor) -> Tensor:
        return leaky_relu(input, self.negative_slope, self.inplace)

    def _options(self) -> str:
        return f"negative_slope={self.negative_slope}"


class ELU(Inplace):
    """x where x > 0, else alpha (exp(x) - 1).

    Example:
        >>> from minigrad import nn
        >>> nn.ELU()
        ELU(alpha=1.0)
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        return elu(input, self.alpha, self.inplace)

    def _options(self) -> str:
        return f"alpha={self.alpha}"


class SiLU(Inplace):
    """x sigmoid(x), also called swish."""

    def forward(self, input: Tensor) -> Tensor:
        return silu(input, self.inplace)


class Mish(Inplace):
    """x tanh(softplus(x))."""

    def forward(self, input: Tensor) -> Tensor:
        return mish(input, self.inplace)


class Hardtanh(Inplace):
    """x limited to [min_val, max_val].

    Raises:
        AssertionError: `min_val` is not below `max_val`.

    Example:
        >>> from minigrad import nn
        >>> nn.Hardtanh(-2.0, 2.0)
        Hardtanh(min_val=-2.0, max_val=2.0)
    """

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        if not max_val > min_val:
            raise AssertionError(f"max_val ({max_val}) must be greater than min_val ({min_val})")
        self.min_val = min_val
        self.max_val = max_val

    def forward(self, input: Tensor) -> Tensor:
        return hardtanh(input, self.min_val, self.max_val, self.inplace)

    def _options(self) -> str:
        return f"min_val={self.min_val}, max_val={self.max_val}"


class ReLU6(Hardtanh):
    """min(max(x, 0), 6)."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def _options(self) -> str:
        return ""


class GELU(Module):
    """x Phi(x), Phi the normal distribution function; or its `approximate="tanh"` form.

    Example:
        >>> from minigrad import nn
        >>> nn.GELU()
        GELU(approximate='none')
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return ops.gelu(input, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class Sigmoid(Module):
    """1 / (1 + exp(-x)), the probability of a logit."""

    def forward(self, input: Tensor) -> Tensor:
        return ops.sigmoid(input)


class LogSigmoid(Module):
    """log(sigmoid(x)), stable at any x."""

    def forward(self, input: Tensor) -> Tensor:
        return ops.logsigmoid(input)


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, input: Tensor) -> Tensor:
        return ops.tanh(input)


class Tanhshrink(Module):
    """x - tanh(x)."""

    def forward(self, input: Tensor) -> Tensor:
        return tanhshrink(input)


class Softsign(Module):
    """x / (1 + |x|)."""

    def forward(self, input: Tensor) -> Tensor:
        return softsign(input)


class Softplus(Module):
    """log(1 + exp(beta x)) / beta, and x itself where beta x > threshold.

    Example:
        >>> from minigrad import nn
        >>> nn.Softplus()
        Softplus(beta=1.0, threshold=20.0)
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        return ops.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class _AlongDim(Module):
    """An activation along one dimension."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim


class Softmax(_AlongDim):
    """exp(x_i) / sum_j exp(x_j) along `dim`: logits to probabilities.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> nn.Softmax(dim=1)(minigrad.tensor([[1.0, 2.0, 3.0]]))
        tensor([[0.0900, 0.2447, 0.6652]])
        >>> nn.Softmax(dim=1)
        Softmax(dim=1)
    """

    def forward(self, input: Tensor) -> Tensor:
        return softmaxes.softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax2d(Module):
    """softmax over the channels of images, (N, C, H, W) or (C, H, W).

    Raises:
        ValueError: the input has neither 3 nor 4 dimensions.

    Example:
        >>> import minigrad
        >>> minigrad.nn.Softmax2d()(minigrad.zeros(2, 1, 2))
        tensor([[[0.5000, 0.5000]],
        <BLANKLINE>
                [[0.5000, 0.5000]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.ndim}D instead")
        return softmaxes.softmax(input, -3)


class LogSoftmax(_AlongDim):
    """log(softmax(x)) along `dim`: logits to log-probabilities."""

    def forward(self, input: Tensor) -> Tensor:
        return softmaxes.log_softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmin(_AlongDim):
    """softmax(-x) along `dim`."""

    def forward(self, input: Tensor) -> Tensor:
        return softmaxes.softmin(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"
