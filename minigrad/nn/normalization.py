"""Layer, root-mean-square and group normalisation, as functions and modules."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import dtypes
from minigrad.autograd.fused import fused
from minigrad.creation import empty
from minigrad.kernels import norm as kernels
from minigrad.nn import init
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.ops.elementwise import rsqrt
from minigrad.ops.reduction import mean
from minigrad.tensor import Tensor


def _check(
    input: Tensor, normalized_shape: Any, weight: Tensor | None, bias: Tensor | None, eps: float
) -> tuple[Any, ...]:
    if _fits(input, normalized_shape, weight, bias):
        return input, normalized_shape, weight, bias, eps
    sizes = _checked_sizes("layer_norm", input, normalized_shape, weight, bias)
    return input, sizes, weight, bias, eps


def _checked_sizes(
    name: str, input: Tensor, normalized_shape: Any, weight: Tensor | None, bias: Tensor | None
) -> tuple[int, ...]:
    """`normalized_shape` as a tuple; raises where something does not fit it, or each other."""
    sizes = _sizes(name, normalized_shape)
    shape = input.shape
    if not sizes:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, "
            "but got normalized_shape = []"
        )
    for which, values in (("weight", weight), ("bias", bias)):
        if values is not None and values.shape != sizes:
            raise RuntimeError(
                f"Expected {which} to be of same shape as normalized_shape, but got {which} of shape "
                f"{list(values.shape)} and normalized_shape = {list(sizes)}"
            )
    if shape[-len(sizes) :] != sizes:
        any_size = "*, " if name == "layer_norm" else "*"  # as torch has it
        raise RuntimeError(
            f"Given normalized_shape={list(sizes)}, expected input with shape "
            f"[{any_size}{', '.join(map(str, sizes))}], but got input of size{list(shape)}"
        )
    if input._array.dtype.kind != "f":
        kernel = "LayerNormKernelImpl" if name == "layer_norm" else name
        raise NotImplementedError(
            f'"{kernel}" not implemented for {dtypes.of(input._array).scalar_type!r}\n'
            "Only floating point numbers can be normalised; use .float() first."
        )
    _check_dtypes(name, input, weight, bias)
    return sizes


def _fits(input: Tensor, normalized_shape: Any, weight: Tensor | None, bias: Tensor | None) -> bool:
    """Whether this is the usual call: all sizes and dtypes right, `normalized_shape` a tuple.

    It takes a quarter of the time of the checks one by one, which find out what is wrong.
    """
    array = input._array
    dtype = array.dtype
    return bool(
        type(normalized_shape) is tuple
        and normalized_shape
        and array.shape[-len(normalized_shape) :] == normalized_shape
        and dtype.kind == "f"
        and (weight is None or (weight._array.shape == normalized_shape and weight._array.dtype == dtype))
        and (bias is None or (bias._array.shape == normalized_shape and bias._array.dtype == dtype))
    )


def _sizes(name: str, normalized_shape: Any) -> tuple[int, ...]:
    if not isinstance(normalized_shape, Sequence) or isinstance(normalized_shape, str):
        raise TypeError(
            f"{name}(): argument 'normalized_shape' (position 2) must be tuple of ints, not "
            f"{type(normalized_shape).__name__}"
        )
    for place, size in enumerate(normalized_shape):
        if not isinstance(size, numbers.Integral):
            raise TypeError(
                f"{name}(): argument 'normalized_shape' (position 2) must be tuple of ints, but found "
                f"element of type {type(size).__name__} at pos {place}"
            )
    return tuple(normalized_shape)


def _check_dtypes(name: str, input: Tensor, weight: Tensor | None, bias: Tensor | None) -> None:
    for which, values in (("weight", weight), ("bias", bias)):
        if values is not None and values._array.dtype != input._array.dtype:
            raise RuntimeError(
                f"expected scalar type {dtypes.of(input._array).scalar_type} but found "
                f"{dtypes.of(values._array).scalar_type}\n{name}() needs input and {which} of one dtype; "
                f"convert one of them with .to()."
            )


def _kernel(
    input: ndarray,
    normalized_shape: tuple[int, ...],
    weight: ndarray | None,
    bias: ndarray | None,
    eps: float,
    *,
    grad: bool,
    wanted: tuple[bool, ...],
) -> Any:
    if not input.size:
        return NotImplemented
    return run_kernel(kernels.LayerNorm(input, weight, bias, normalized_shape, eps), grad, wanted)


def run_kernel(norm: kernels.LayerNorm, grad: bool, wanted: tuple[bool, ...]) -> Any:
    """The value, and what makes the gradients of the operands that want one."""
    y = norm.value()
    if not grad:
        return y, None
    if any(wanted[1:]):
        return y, lambda g, keep: norm.gradients(g)[: len(wanted)]
    return y, lambda g, keep: (norm.input_gradient(g), *([None] * (len(wanted) - 1)))


def standardised(x: Any, dims: tuple[int, ...], eps: float) -> Any:
    """(x - mean) / sqrt(variance + eps) over some dimensions, the variance with correction 0."""
    centred = x - mean(x, dims, keepdim=True)
    return centred * rsqrt(mean(centred * centred, dims, keepdim=True) + eps)


@fused(forward=_kernel, wrt=("input", "weight", "bias"), check=_check, grad_name="NativeLayerNormBackward0")
def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(variance + eps) · weight + bias, over the last dimensions.

    Mean and variance (with correction 0) are those of each sample over the dimensions that
    `normalized_shape` counts; `weight` and `bias` have that shape.

    Raises:
        RuntimeError: shapes or dtypes do not fit.
        TypeError: `normalized_shape` is not a sequence of ints.
        NotImplementedError: `input` is not floating point.

    Source: J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer normalization", arXiv:1607.06450 (2016).

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.layer_norm(minigrad.tensor([[1.0, 2.0, 3.0]]), (3,))
        tensor([[-1.2247,  0.0000,  1.2247]])
    """
    y = standardised(input, tuple(range(-len(normalized_shape), 0)), eps)
    if weight is not None:
        y = y * weight
    return y if bias is None else y + bias


def _shape_of(sizes: int | Sequence[int]) -> tuple[int, ...]:
    return (int(sizes),) if isinstance(sizes, numbers.Integral) else tuple(sizes)  # type: ignore[arg-type]


def register_affine(module: Module, shape: tuple[int, ...], dtype: Any, **there: bool) -> None:
    """Give a module the parameters that are there, uninitialised, and None for the others."""
    for name, wanted in there.items():
        module.register_parameter(name, Parameter(empty(*shape, dtype=dtype)) if wanted else None)


def reset_affine(weight: Tensor | None, bias: Tensor | None) -> None:
    """Ones and zeros."""
    if weight is not None:
        init.ones_(weight)
    if bias is not None:
        init.zeros_(bias)


class LayerNorm(Module):
    """Normalises the last dimensions of each sample: mean 0, variance 1, then · weight + bias.

    Shapes: input (*, *normalized_shape), result the same; `weight` and `bias` normalized_shape, or None.
    They start as ones and zeros.

    Raises:
        RuntimeError: the input's last sizes or its dtype do not fit.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> layer = nn.LayerNorm(3)
        >>> layer
        LayerNorm((3,), eps=1e-05, elementwise_affine=True, bias=True)
        >>> layer(minigrad.tensor([[1.0, 2.0, 3.0]])).detach()
        tensor([[-1.2247,  0.0000,  1.2247]])
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        dtypes.check_device(device)
        self.normalized_shape = _shape_of(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        affine = {"weight": elementwise_affine, "bias": elementwise_affine and bias}
        register_affine(self, self.normalized_shape, dtype, **affine)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start again from ones and zeros."""
        reset_affine(self.weight, self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


def _check_rms(input: Tensor, normalized_shape: Any, weight: Tensor | None, eps: float | None) -> tuple:
    """As `_check`; `eps` is by default the distance of 1 to the next number."""
    if eps is None:
        eps = float(np.finfo(input._array.dtype).eps) if input._array.dtype.kind == "f" else 0.0
    if not _fits(input, normalized_shape, weight, None):
        normalized_shape = _checked_sizes("rms_norm", input, normalized_shape, weight, None)
    return input, normalized_shape, weight, eps


def _rms_kernel(
    input: ndarray,
    normalized_shape: tuple[int, ...],
    weight: ndarray | None,
    eps: float,
    *,
    grad: bool,
    wanted: tuple[bool, ...],
) -> Any:
    if not input.size:
        return NotImplemented
    return run_kernel(kernels.RMSNorm(input, weight, None, normalized_shape, eps), grad, wanted)


@fused(forward=_rms_kernel, wrt=("input", "weight"), check=_check_rms, grad_name="MulBackward0")
def rms_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """x / sqrt(mean(x²) + eps) · weight, over the last dimensions.

    The mean is that of each sample over the dimensions that `normalized_shape` counts; `weight` has that
    shape. `eps` is by default that of the dtype, 1.2e-7 for float32.

    Raises:
        RuntimeError: shapes or dtypes do not fit.
        TypeError: `normalized_shape` is not a sequence of ints.
        NotImplementedError: `input` is not floating point.

    Source: B. Zhang, R. Sennrich, "Root mean square layer normalization", NeurIPS 2019.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.rms_norm(minigrad.tensor([[1.0, 7.0]]), (2,))
        tensor([[0.2000, 1.4000]])
    """
    dims = tuple(range(-len(normalized_shape), 0))
    y = input * rsqrt(mean(input * input, dims, keepdim=True) + eps)
    return y if weight is None else y * weight


class RMSNorm(Module):
    """Divides the last dimensions of each sample by the root of their mean square, then · weight.

    Shapes: input (*, *normalized_shape), result the same; `weight` normalized_shape, or None. It starts as
    ones.

    Raises:
        RuntimeError: the input's last sizes or its dtype do not fit.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> layer = nn.RMSNorm(2)
        >>> layer
        RMSNorm((2,), eps=None, elementwise_affine=True)
        >>> layer(minigrad.tensor([[1.0, 7.0]])).detach()
        tensor([[0.2000, 1.4000]])
    """

    weight: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        dtypes.check_device(device)
        self.normalized_shape = _shape_of(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        register_affine(self, self.normalized_shape, dtype, weight=elementwise_affine)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start again from ones."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        return rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
