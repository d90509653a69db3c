"""More activations, those made of pieces: as functions that take `inplace`, and as modules."""

from __future__ import annotations

from typing import Any

from minigrad import dtypes
from minigrad.creation import empty
from minigrad.nn import init
from minigrad.nn.activations import Inplace, applied, elu, hardtanh, leaky_relu, relu
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.ops import limits
from minigrad.ops import piecewise as ops
from minigrad.tensor import Tensor


# ------------------------------------------------------------------------------------- as functions
def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where x > threshold, else value.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.threshold(minigrad.tensor([-1.0, 0.5, 2.0]), 1.0, 9.0)
        tensor([9., 9., 2.])
    """
    return applied(limits.threshold, input, inplace, threshold, value)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x + 3, 0), 6) / 6, a sigmoid of straight pieces; its derivative at -3 and 3 is 0.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.hardsigmoid(minigrad.tensor([-4.0, 0.0, 1.5]))
        tensor([0.0000, 0.5000, 0.7500])
    """
    return applied(ops.hardsigmoid, input, inplace)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x hardsigmoid(x); its derivative at -3 is 0, at 3 it is 1.

    Source: A. Howard et al., "Searching for MobileNetV3", ICCV 2019.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.hardswish(minigrad.tensor([-1.0, 1.0, 4.0]))
        tensor([-0.3333,  0.6667,  4.0000])
    """
    return applied(ops.hardswish, input, inplace)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """1.0507 elu(x, 1.6733): activations keep mean 0 and variance 1 from layer to layer.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.selu(minigrad.tensor([-1.0, 0.0, 1.0]))
        tensor([-1.1113,  0.0000,  1.0507])
    """
    return applied(ops.selu, input, inplace)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha (exp(x / alpha) - 1): the elu with a continuous derivative.

    Raises:
        RuntimeError: `alpha` is 0.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.celu(minigrad.tensor([-1.0, 2.0]), 0.5)
        tensor([-0.4323,  2.0000])
    """
    return applied(ops.celu, input, inplace, alpha)


def rrelu(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    """x where x > 0, else a x; in training each a is drawn from [lower, upper], else it is their middle.

    Raises:
        RuntimeError: `lower` is above `upper`.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.rrelu(minigrad.tensor([-1.0, 2.0]), 0.2, 0.4)
        tensor([-0.3000,  2.0000])
    """
    return applied(ops.rrelu, input, inplace, lower, upper, training)


def relu_(input: Tensor) -> Tensor:
    """`relu` in place."""
    return relu(input, inplace=True)


def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """`leaky_relu` in place."""
    return leaky_relu(input, negative_slope, inplace=True)


def elu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """`elu` in place."""
    return elu(input, alpha, inplace=True)


def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """`hardtanh` in place."""
    return hardtanh(input, min_val, max_val, inplace=True)


def threshold_(input: Tensor, threshold: float, value: float) -> Tensor:
    """`threshold` in place."""
    return applied(limits.threshold, input, True, threshold, value)


def selu_(input: Tensor) -> Tensor:
    """`selu` in place."""
    return selu(input, inplace=True)


def celu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """`celu` in place."""
    return celu(input, alpha, inplace=True)


def rrelu_(input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False) -> Tensor:
    """`rrelu` in place."""
    return rrelu(input, lower, upper, training, inplace=True)


# --------------------------------------------------------------------------------------- as modules
class Threshold(Inplace):
    """x where x > threshold, else value.

    Example:
        >>> from minigrad import nn
        >>> nn.Threshold(0.1, 20)
        Threshold(threshold=0.1, value=20)
    """

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold = threshold
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return threshold(input, self.threshold, self.value, self.inplace)

    def _options(self) -> str:
        return f"threshold={self.threshold}, value={self.value}"


class Hardsigmoid(Inplace):
    """min(max(x + 3, 0), 6) / 6."""

    def forward(self, input: Tensor) -> Tensor:
        return hardsigmoid(input, self.inplace)

    def extra_repr(self) -> str:
        return ""


class Hardswish(Hardsigmoid):
    """x min(max(x + 3, 0), 6) / 6."""

    def forward(self, input: Tensor) -> Tensor:
        return hardswish(input, self.inplace)


class SELU(Inplace):
    """1.0507 elu(x, 1.6733)."""

    def forward(self, input: Tensor) -> Tensor:
        return selu(input, self.inplace)


class CELU(Inplace):
    """x where x > 0, else alpha (exp(x / alpha) - 1).

    Example:
        >>> from minigrad import nn
        >>> nn.CELU(0.5)
        CELU(alpha=0.5)
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        return celu(input, self.alpha, self.inplace)

    def _options(self) -> str:
        return f"alpha={self.alpha}"


class RReLU(Inplace):
    """x where x > 0, else a x; in training each a is drawn from [lower, upper], else it is their middle.

    Example:
        >>> from minigrad import nn
        >>> nn.RReLU(0.1, 0.3)
        RReLU(lower=0.1, upper=0.3)
    """

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.lower = lower
        self.upper = upper

    def forward(self, input: Tensor) -> Tensor:
        return rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def _options(self) -> str:
        return f"lower={self.lower}, upper={self.upper}"


class _Shrink(Module):
    """An activation that is 0 within [-lambd, lambd]."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def extra_repr(self) -> str:
        return str(self.lambd)


class Hardshrink(_Shrink):
    """x where |x| > lambd, else 0.

    Example:
        >>> from minigrad import nn
        >>> nn.Hardshrink()
        Hardshrink(0.5)
    """

    def forward(self, input: Tensor) -> Tensor:
        return ops.hardshrink(input, self.lambd)


class Softshrink(_Shrink):
    """x moved by lambd towards 0, and 0 within [-lambd, lambd]."""

    def forward(self, input: Tensor) -> Tensor:
        return ops.softshrink(input, self.lambd)


class PReLU(Module):
    """x where x > 0, else weight x; `weight`, which is learned, has one number or one for each channel.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> nn.PReLU()(minigrad.tensor([-1.0, 2.0])).tolist()
        [-0.25, 2.0]
    """

    weight: Parameter

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        dtypes.check_device(device)
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(empty(num_parameters, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set every weight to `init` again."""
        init.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        return ops.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class GLU(Module):
    """a sigmoid(b), where a and b are the two halves of the input along `dim`.

    Example:
        >>> from minigrad import nn
        >>> nn.GLU()
        GLU(dim=-1)
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return ops.glu(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"
