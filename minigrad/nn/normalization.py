"""Layer normalisation, as function and module."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

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
    sizes = _sizes(normalized_shape)
    shape = input.shape
    if not sizes:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, "
            "but got normalized_shape = []"
        )
    for name, values in (("weight", weight), ("bias", bias)):
        if values is not None and values.shape != sizes:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
                f"{list(values.shape)} and normalized_shape = {list(sizes)}"
            )
    if shape[-len(sizes) :] != sizes:
        raise RuntimeError(
            f"Given normalized_shape={list(sizes)}, expected input with shape "
            f"[*, {', '.join(map(str, sizes))}], but got input of size{list(shape)}"
        )
    if input._array.dtype.kind != "f":
        raise NotImplementedError(
            f'"LayerNormKernelImpl" not implemented for {dtypes.of(input._array).scalar_type!r}\n'
            "Only floating point numbers can be normalised; use .float() first."
        )
    _check_dtypes(input, weight, bias)
    return input, sizes, weight, bias, eps


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


def _sizes(normalized_shape: Any) -> tuple[int, ...]:
    if not isinstance(normalized_shape, Sequence) or isinstance(normalized_shape, str):
        raise TypeError(
            "layer_norm(): argument 'normalized_shape' (position 2) must be tuple of ints, not "
            f"{type(normalized_shape).__name__}"
        )
    for place, size in enumerate(normalized_shape):
        if not isinstance(size, numbers.Integral):
            raise TypeError(
                "layer_norm(): argument 'normalized_shape' (position 2) must be tuple of ints, but found "
                f"element of type {type(size).__name__} at pos {place}"
            )
    return tuple(normalized_shape)


def _check_dtypes(input: Tensor, weight: Tensor | None, bias: Tensor | None) -> None:
    for name, values in (("weight", weight), ("bias", bias)):
        if values is not None and values._array.dtype != input._array.dtype:
            raise RuntimeError(
                f"expected scalar type {dtypes.of(input._array).scalar_type} but found "
                f"{dtypes.of(values._array).scalar_type}\nlayer_norm() needs input and {name} of one dtype; "
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
    norm = kernels.LayerNorm(input, weight, bias, normalized_shape, eps)
    y = norm.value()
    if not grad:
        return y, None
    if wanted[1] or wanted[2]:
        return y, lambda g, keep: norm.gradients(g)
    return y, lambda g, keep: (norm.input_gradient(g), None, None)


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
    dims = tuple(range(-len(normalized_shape), 0))
    centred = input - mean(input, dims, keepdim=True)
    y = centred * rsqrt(mean(centred * centred, dims, keepdim=True) + eps)
    if weight is not None:
        y = y * weight
    return y if bias is None else y + bias


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
        if isinstance(normalized_shape, numbers.Integral):
            normalized_shape = (int(normalized_shape),)
        self.normalized_shape: tuple[int, ...] = tuple(normalized_shape)  # type: ignore[arg-type]
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        for name, there in (("weight", elementwise_affine), ("bias", elementwise_affine and bias)):
            values = Parameter(empty(*self.normalized_shape, dtype=dtype)) if there else None
            self.register_parameter(name, values)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start again from ones and zeros."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )
