"""Initialisers: fill a tensor in place, unrecorded, with torch's numbers for the same seed."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from minigrad.autograd.tape import no_grad
from minigrad.ops.inplace import assign
from minigrad.stream import Generator, default_generator
from minigrad.tensor import Tensor

_LINEAR = {"linear", "sigmoid"} | {f"conv{t}{d}d" for t in ("", "_transpose") for d in (1, 2, 3)}


def calculate_gain(nonlinearity: str, param: Any = None) -> float:
    """The factor on the standard deviation of weights that goes with an activation function.

    1 for linear, convolutions and sigmoid, 5/3 for tanh, sqrt(2) for relu, 3/4 for selu and
    sqrt(2 / (1 + slope²)) for leaky_relu, whose slope is `param` (0.01).

    Raises:
        ValueError: the function is unknown or the slope is not a number.

    Example:
        >>> from minigrad import nn
        >>> nn.init.calculate_gain("leaky_relu", 1.0)
        1.0
    """
    if nonlinearity in _LINEAR:
        return 1
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "selu":
        return 3.0 / 4
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    raise ValueError(
        f"Unsupported nonlinearity {nonlinearity}\n"
        "Use 'linear', 'sigmoid', 'tanh', 'relu', 'leaky_relu' or 'selu'."
    )


def _fill(tensor: Tensor, values: Any) -> Tensor:
    with no_grad():
        assign(tensor, values)
    return tensor


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one number.

    Example:
        >>> import minigrad
        >>> minigrad.nn.init.constant_(minigrad.zeros(2), 0.5)
        tensor([0.5000, 0.5000])
    """
    return _fill(tensor, val)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones."""
    return _fill(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros."""
    return _fill(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """Make a matrix the identity, as far as it reaches.

    Raises:
        ValueError: the tensor is not a matrix.
    """
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    return _fill(tensor, np.eye(*tensor._array.shape))


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with uniform numbers in [a, b).

    Example:
        >>> import minigrad
        >>> _ = minigrad.manual_seed(0)
        >>> minigrad.nn.init.uniform_(minigrad.zeros(2), -1.0, 1.0)
        tensor([-0.0075,  0.5364])
    """
    array = tensor._array
    return _fill(tensor, (generator or default_generator).uniform(array.shape, a, b, array.dtype))


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Fill with normal numbers."""
    array = tensor._array
    source = generator or default_generator
    return _fill(tensor, source.normal(array.shape, mean, std, array.dtype))


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Fill with normal numbers, drawn again where they fall outside [a, b].

    Warns if [a, b] is further than two standard deviations from the mean.
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of "
            "values may be incorrect.",
            UserWarning,
            stacklevel=2,
        )
    source, shape, kind = generator or default_generator, tensor._array.shape, tensor._array.dtype
    if _normal_cdf((b - mean) / std) - _normal_cdf((a - mean) / std) > 0.3:
        low, high = kind.type(a), kind.type(b)
        values = source.normal(shape, mean, std, kind)
        while (outside := (values < low) | (values > high)).any():
            values = np.where(outside, source.normal(shape, mean, std, kind), values)
        return _fill(tensor, values)

    # Few normals would fall inside: keep uniform numbers with a probability like the density there.
    peak = kind.type(-0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2)
    values, pending = np.zeros(shape, kind), np.ones(shape, bool)
    while pending.any():
        candidates = source.uniform(shape, a, b, kind)
        values = np.where(pending, candidates, values)
        deviations = (candidates - kind.type(mean)) / kind.type(std)
        log_density = deviations**2 * kind.type(-0.5) - peak
        with np.errstate(divide="ignore"):
            pending &= np.log(source.uniform(shape, 0.0, 1.0, kind)) > log_density
    return _fill(tensor, values)


def _normal_cdf(x: float) -> float:
    return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0


def _fans(tensor: Tensor) -> tuple[int, int]:
    """How many inputs and outputs a weight connects: columns and rows, times a kernel's size."""
    shape = tensor._array.shape
    if len(shape) < 2:
        raise ValueError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions\n"
            f"The tensor has shape {tensor.shape}."
        )
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with uniform numbers within ± gain sqrt(6 / (fan_in + fan_out)).

    Raises:
        ValueError: the tensor has fewer than 2 dimensions.

    Source: X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward
    neural networks", AISTATS 2010.
    """
    bound = math.sqrt(3.0) * (gain * math.sqrt(2.0 / float(sum(_fans(tensor)))))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with normal numbers of standard deviation gain sqrt(2 / (fan_in + fan_out)).

    Raises:
        ValueError: the tensor has fewer than 2 dimensions.
    """
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / float(sum(_fans(tensor)))), generator)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float | None:
    """The standard deviation gain / sqrt(fan); None, with a warning, if nothing is to fill."""
    if 0 in tensor._array.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", UserWarning, stacklevel=3)
        return None
    mode = mode.lower()
    modes = ["fan_in", "fan_out"]
    if mode not in modes:
        raise ValueError(f"Mode {mode} not supported, please use one of {modes}")
    return calculate_gain(nonlinearity, a) / math.sqrt(_fans(tensor)[modes.index(mode)])


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Fill with uniform numbers within ± gain sqrt(3 / fan).

    Args:
        tensor: a weight (out_features, in_features, ...).
        a: the negative slope of the leaky_relu that follows.
        mode: "fan_in" keeps the variance in the forward pass, "fan_out" in the backward pass.
        nonlinearity: the activation that follows, which gives the gain.
        generator: the random stream to draw from.

    Raises:
        ValueError: the tensor has fewer than 2 dimensions, or `mode` or `nonlinearity` is unknown.

    Source: K. He et al., "Delving deep into rectifiers", ICCV 2015.
    """
    std = _kaiming_std(tensor, a, mode, nonlinearity)
    if std is None:
        return tensor
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Fill with normal numbers of standard deviation gain / sqrt(fan); see `kaiming_uniform_`."""
    std = _kaiming_std(tensor, a, mode, nonlinearity)
    return tensor if std is None else normal_(tensor, 0.0, std, generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """Fill with a matrix whose rows, or columns if these are fewer, are orthogonal and of length `gain`.

    It is Q of the QR decomposition of normal numbers, with the signs that make R's diagonal positive.

    Raises:
        ValueError: the tensor has fewer than 2 dimensions.

    Source: A. Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear neural
        networks", ICLR 2014.

    Example:
        >>> import minigrad
        >>> w = minigrad.nn.init.orthogonal_(minigrad.empty(2, 4))
        >>> minigrad.allclose(w @ w.T, minigrad.eye(2), atol=1e-6)
        True
    """
    if tensor.ndim < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if not tensor.numel():
        return tensor
    shape = (tensor.shape[0], tensor.numel() // tensor.shape[0])
    drawn = (generator or default_generator).normal(shape, 0.0, 1.0, tensor._array.dtype)
    wide = shape[0] < shape[1]
    q, r = np.linalg.qr(drawn.T if wide else drawn)
    q = q * np.sign(np.diag(r))
    return _fill(tensor, gain * (q.T if wide else q).reshape(tensor.shape))


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """Fill with normal numbers, and zeros at a share of `sparsity` of each column.

    Raises:
        ValueError: the tensor has not 2 dimensions.

    Example:
        >>> import minigrad
        >>> (minigrad.nn.init.sparse_(minigrad.empty(4, 3), 0.5) == 0).sum(0)
        tensor([2, 2, 2])
    """
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, columns = tensor.shape
    values = (generator or default_generator).normal((rows, columns), 0.0, std, tensor._array.dtype)
    for column in range(columns):
        values[default_generator.randperm(rows)[: math.ceil(sparsity * rows)], column] = 0
    return _fill(tensor, values)


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill the weight of a convolution so that it keeps its input: ones in the middle of as many channels.

    Raises:
        ValueError: the tensor has not 3, 4 or 5 dimensions, or the first is not divisible by `groups`.

    Example:
        >>> import minigrad
        >>> minigrad.nn.init.dirac_(minigrad.empty(1, 1, 3))
        tensor([[[0., 1., 0.]]])
    """
    if tensor.ndim not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    if tensor.shape[0] % groups:
        raise ValueError("dim 0 must be divisible by groups")
    each = tensor.shape[0] // groups
    values = np.zeros(tensor.shape, tensor._array.dtype)
    middle = tuple(size // 2 for size in tensor.shape[2:])
    for group in range(groups):
        for channel in range(min(each, tensor.shape[1])):
            values[(group * each + channel, channel, *middle)] = 1
    return _fill(tensor, values)
