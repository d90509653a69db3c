"""Activations made of pieces: shrinkage, hard limits, and the relatives of relu that have parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import dtypes
from minigrad.autograd.fused import fused
from minigrad.autograd.op import Primitive, primitive
from minigrad.autograd.tape import Variable
from minigrad.ops.activation import sigmoid, softplus, tanh
from minigrad.ops.dims import ndim_of, normalize_dim
from minigrad.ops.elementwise import exp, minimum, where
from minigrad.ops.fill import source_of
from minigrad.ops.joining import chunk
from minigrad.ops.shape import reshape_to

_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946
_SIXTH = float(np.float32(1 / 6))  # torch takes this one in single precision


def _floating(name: str, input: Any) -> Any:
    """The input, if it is floating point."""
    array = input._array if isinstance(input, Variable) else np.asarray(input)
    if array.dtype.kind != "f":
        kind = dtypes.of(array).scalar_type
        raise NotImplementedError(f'"{name}" not implemented for {kind!r}\nConvert first: x.float().')
    return input


# --------------------------------------------------------------------------------------- limits
def _clip(x: ndarray, *, low: float, high: float) -> ndarray:
    kind = x.dtype.type
    return np.minimum(np.maximum(x, kind(low)), kind(high))


_hardtanh: Primitive = primitive(_clip, name="hardtanh").vjp(
    lambda g, x, low, high: where((x <= low) | (x >= high), 0.0, g)
)


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """x limited to [min_val, max_val]; its derivative at both edges is 0."""
    if dtypes.of(getattr(input, "_array", input)) is dtypes.bool:
        raise RuntimeError("Bool inputs not supported for hardtanh")
    return _hardtanh(input, low=min_val, high=max_val)


def _hardsigmoid(x: ndarray) -> ndarray:
    return np.minimum(np.maximum(x + 3, 0), 6) / 6


_hardsigmoid_of: Primitive = primitive(_hardsigmoid, name="hardsigmoid").vjp(
    lambda g, x: where((x > -3) & (x < 3), g * _SIXTH, 0.0)
)


def hardsigmoid(input: Any) -> Any:
    """min(max(x + 3, 0), 6) / 6, a sigmoid of straight pieces; its derivative at -3 and 3 is 0."""
    return _hardsigmoid_of(_floating("hardsigmoid_cpu", input))


def _hardswish(x: ndarray) -> ndarray:
    return x * np.minimum(np.maximum(x + 3, 0), 6) / 6


_hardswish_of: Primitive = primitive(_hardswish, name="hardswish").vjp(
    lambda g, x: where(x <= -3, 0.0, where(x < 3, g * (x / 3 + 0.5), g))
)


def hardswish(input: Any) -> Any:
    """x hardsigmoid(x); its derivative at -3 is 0, at 3 it is 1."""
    return _hardswish_of(_floating("hardswish_cpu", input))


# --------------------------------------------------------------------------------------- shrinkage
def _keep_far(x: ndarray, *, bound: float) -> ndarray:
    return np.where((x >= -bound) & (x <= bound), x.dtype.type(0), x)


_hardshrink: Primitive = primitive(_keep_far, name="hardshrink").vjp(
    lambda g, x, bound: where((x >= -bound) & (x <= bound), 0.0, g)
)


def hardshrink(input: Any, lambd: float = 0.5) -> Any:
    """x where |x| > lambd, else 0; its derivative at ±lambd is 0.

    Example:
        >>> import minigrad
        >>> minigrad.hardshrink(minigrad.tensor([-1.0, 0.5, 2.0]))
        tensor([-1.,  0.,  2.])
    """
    return _hardshrink(_floating("hardshrink_cpu", input), bound=lambd)


def _move_in(x: ndarray, *, bound: float) -> ndarray:
    return np.where(x > bound, x - bound, np.where(x < -bound, x + bound, x * 0))


_softshrink: Primitive = primitive(_move_in, name="softshrink").vjp(
    lambda g, x, bound: where((x >= -bound) & (x <= bound), 0.0, g)
)


def softshrink(input: Any, lambd: float = 0.5) -> Any:
    """x moved by lambd towards 0, and 0 within [-lambd, lambd]; its derivative at ±lambd is 0.

    Raises:
        RuntimeError: `lambd` is negative.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.softshrink(minigrad.tensor([-1.0, 0.5, 2.0]))
        tensor([-0.5000,  0.0000,  1.5000])
    """
    kind = _floating("softshrink_check", input)._array.dtype
    if lambd < 0:
        raise RuntimeError(
            f"lambda must be in range [0, {np.finfo(kind).max:g}] for input dtype "
            f"{dtypes.from_numpy(kind).scalar_type}, but found {lambd:g}"
        )
    return _softshrink(input, bound=lambd)


# --------------------------------------------------------------------------------------- exponentials
def _exponential_below(x: ndarray, *, alpha: float, scale: float, stretch: float) -> ndarray:
    return np.where(x > 0, x * scale, np.expm1(np.minimum(x, 0) * stretch) * (alpha * scale))


def _elu_rule(g: Any, x: Any, alpha: float, scale: float, stretch: float) -> Any:
    return where(x <= 0, g * (alpha * scale * stretch) * exp(minimum(x, 0) * stretch), g * scale)


_scaled_elu: Primitive = primitive(_exponential_below, grad_name="EluBackward0", elementwise=True).vjp(
    _elu_rule
)
_celu: Primitive = primitive(_exponential_below, grad_name="CeluBackward0", elementwise=True).vjp(_elu_rule)


def selu(input: Any) -> Any:
    """1.0507 elu(x, 1.6733): activations keep mean 0 and variance 1 from layer to layer.

    Source: G. Klambauer et al., "Self-normalizing neural networks", NeurIPS 2017.

    Example:
        >>> import minigrad
        >>> minigrad.selu(minigrad.tensor([-1.0, 0.0, 1.0]))
        tensor([-1.1113,  0.0000,  1.0507])
    """
    return _scaled_elu(_floating("elu_cpu", input), alpha=_SELU_ALPHA, scale=_SELU_SCALE, stretch=1.0)


def celu(input: Any, alpha: float = 1.0) -> Any:
    """x where x > 0, else alpha (exp(x / alpha) - 1): the elu with a continuous derivative.

    Raises:
        RuntimeError: `alpha` is 0.

    Example:
        >>> import minigrad
        >>> minigrad.celu(minigrad.tensor([-1.0, 2.0]), 0.5)
        tensor([-0.4323,  2.0000])
    """
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return _celu(_floating("elu_cpu", input), alpha=alpha, scale=1.0, stretch=1 / alpha)


@fused(grad_name="MishBackward0")
def mish(input: Any) -> Any:
    """x tanh(softplus(x))."""
    return input * tanh(softplus(input))


# --------------------------------------------------------------------------------------- slopes
def _sloped(x: ndarray, slope: ndarray) -> ndarray:
    return np.where(x > 0, x, slope * x)


_prelu: Primitive = primitive(_sloped, grad_name="PreluKernelBackward0").vjp(
    lambda g, x, slope: where(x > 0, g, g * slope),
    lambda g, x: where(x > 0, 0.0, g * x),
)


def prelu(input: Any, weight: Any) -> Any:
    """x where x > 0, else weight x; `weight` is one number, or one for each channel (dimension 1).

    Raises:
        RuntimeError: there are neither one nor as many weights as channels, or the dtypes differ.

    Example:
        >>> import minigrad
        >>> minigrad.prelu(minigrad.tensor([-1.0, 2.0]), minigrad.tensor([0.25]))
        tensor([-0.2500,  2.0000])
    """
    count, ndim = weight._array.size, ndim_of(input)
    if input._array.dtype != weight._array.dtype:
        raise RuntimeError("prelu: Type promoting not supported. Got " + _kinds(input, weight))
    if count != 1:
        if ndim == 0:
            raise RuntimeError("Not allow zero-dim input tensor.")
        channels = input._array.shape[1] if ndim > 1 else 1
        if channels != count:
            raise RuntimeError(
                f"Mismatch of parameter numbers and input channel size. Found parameter numbers = {count} "
                f"and channel size = {channels}."
            )
    if weight._array.ndim > 1:
        raise RuntimeError(
            f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight._array.ndim}"
        )
    shape = () if ndim == 0 else tuple(count if axis == min(1, ndim - 1) else 1 for axis in range(ndim))
    return _prelu(input, reshape_to(weight, shape=shape))


def _kinds(*tensors: Any) -> str:
    names = [dtypes.of(tensor._array).scalar_type.lower() for tensor in tensors]
    return f"{names[0]} and {names[1]}"


_scaled_by: Primitive = primitive(
    lambda x, noise: x * noise, name="rrelu", grad_name="RreluWithNoiseBackward0"
).vjp(lambda g, noise: g * noise, None)


def rrelu(
    input: Any, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, generator: Any = None
) -> Any:
    """x where x > 0, else a x; in training each a is drawn from [lower, upper], else it is their middle.

    Raises:
        RuntimeError: `lower` is above `upper`.

    Example:
        >>> import minigrad
        >>> minigrad.rrelu(minigrad.tensor([-1.0, 2.0]), 0.2, 0.4)
        tensor([-0.3000,  2.0000])
    """
    if lower > upper:
        raise RuntimeError(
            f"Lower bound should be less than or equal to the upper bound\nGot {lower} and {upper}."
        )
    array = _floating("rrelu_with_noise_out", input)._array
    noise = np.ones(array.shape, array.dtype)
    below = array <= 0
    if training:
        count = int(np.count_nonzero(below))
        noise[below] = source_of(generator).uniform((count,), lower, upper, np.float64)
    else:
        noise[below] = (lower + upper) / 2
    return _scaled_by(input, noise)


@fused(grad_name="GluBackward0")
def _gated(input: Any, dim: int) -> Any:
    value, gate = chunk(input, 2, dim)
    return value * sigmoid(gate)


def glu(input: Any, dim: int = -1) -> Any:
    """a sigmoid(b), where a and b are the two halves of the input along `dim`.

    Raises:
        RuntimeError: the size along `dim` is odd, or the input has no dimension.

    Source: Y. Dauphin et al., "Language modeling with gated convolutional networks", ICML 2017.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.glu(minigrad.tensor([1.0, 2.0, 0.0, 0.0]))
        tensor([0.5000, 1.0000])
    """
    ndim = ndim_of(input)
    if ndim == 0:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    axis = normalize_dim(dim, ndim)
    if input._array.shape[axis] % 2:
        raise RuntimeError(
            f"Halving dimension must be even, but dimension {axis} is size {input._array.shape[axis]}"
        )
    return _gated(_floating("glu_cpu", input), axis)
