"""Joining tensors and cutting them into parts; the parts are views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.autograd.op import Primitive, common_operands, primitive
from minigrad.autograd.tape import Variable
from minigrad.ops.dims import ndim_of, normalize_dim


def _label(node: Any) -> str:
    return f"{node.options['label']}Backward0"


# ------------------------------------------------------------------------------------------------ joining
def _cat(*xs: ndarray, axis: int) -> ndarray:
    return np.concatenate(xs, axis)


def _cat_rule(g: Any, i: int, shapes: list[tuple[int, ...]], axis: int) -> Any:
    start = sum(s[axis] for s in shapes[:i])
    return slice_along(g, axis=axis, start=start, stop=start + shapes[i][axis], label="Slice")


_cat_along: Primitive = primitive(_cat, grad_name="CatBackward0").vjp(_cat_rule)


def cat(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Join tensors along an existing dimension.

    Raises:
        RuntimeError: there are none, or they differ in another dimension.

    Example:
        >>> import minigrad
        >>> minigrad.cat([minigrad.zeros(2, 1), minigrad.ones(2, 2)], dim=1)
        tensor([[0., 1., 1.],
                [0., 1., 1.]])
    """
    tensors = _tensor_list("cat", tensors)
    if not tensors:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    first = next((t._array for t in tensors if t._array.shape != (0,)), tensors[0]._array)
    tensors = [t for t in tensors if t._array.shape != (0,)] or tensors[:1]  # torch's legacy empties
    if first.ndim == 0:
        raise RuntimeError("zero-dimensional tensor (at position 0) cannot be concatenated")
    axis = normalize_dim(dim, first.ndim)
    for number, other in enumerate(tensors):
        shape = other._array.shape
        if len(shape) != first.ndim:
            raise RuntimeError(
                f"Tensors must have same number of dimensions: got {first.ndim} and {len(shape)}"
            )
        for i, (n, m) in enumerate(zip(first.shape, shape, strict=True)):
            if i != axis and n != m:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {axis}. Expected size {n} but got "
                    f"size {m} for tensor number {number} in the list."
                )
    return _cat_along(*_same_dtype(_cat_along, tensors), axis=axis)


def _tensor_list(name: str, tensors: Any) -> list[Any]:
    if isinstance(tensors, Variable):
        raise TypeError(f"{name}(): argument 'tensors' must be tuple of Tensors, not Tensor")
    tensors = list(tensors)
    for place, item in enumerate(tensors):
        if not isinstance(item, Variable):
            raise TypeError(
                f"expected Tensor as element {place} in argument 0, but got {type(item).__name__}"
            )
    return tensors


def _same_dtype(op: Any, tensors: list[Any]) -> list[Any]:
    if all(t._array.dtype == tensors[0]._array.dtype for t in tensors):
        return tensors
    return common_operands(op, tensors)


def _stack(*xs: ndarray, axis: int) -> ndarray:
    return np.stack(xs, axis)


_stack_along: Primitive = primitive(_stack, grad_name="StackBackward0").vjp(
    lambda g, i, axis: select_along(g, axis=axis, place=i, label="Select")
)


def stack(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Join tensors of one shape along a new dimension.

    Raises:
        RuntimeError: there are none, or their shapes differ.

    Example:
        >>> import minigrad
        >>> minigrad.stack([minigrad.zeros(2), minigrad.ones(2)])
        tensor([[0., 0.],
                [1., 1.]])
    """
    tensors = _tensor_list("stack", tensors)
    if not tensors:
        raise RuntimeError("stack expects a non-empty TensorList")
    shape = tensors[0]._array.shape
    for number, other in enumerate(tensors):
        if other._array.shape != shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(shape)} at entry 0 and "
                f"{list(other._array.shape)} at entry {number}"
            )
    axis = normalize_dim(dim, len(shape) + 1)
    return _stack_along(*_same_dtype(_stack_along, tensors), axis=axis)


# --------------------------------------------------------------------------------------------- splitting
def _slice(x: ndarray, *, axis: int, start: int, stop: int, label: str) -> ndarray:
    return x[(slice(None),) * axis + (slice(start, stop),)]


def _pad_slice(x: ndarray, *, axis: int, start: int, size: int) -> ndarray:
    """Zeros of `size` along the axis with x from `start` on: the adjoint of taking that slice."""
    whole = np.zeros((*x.shape[:axis], size, *x.shape[axis + 1 :]), x.dtype)
    whole[(slice(None),) * axis + (slice(start, start + x.shape[axis]),)] = x
    return whole


_pad_along: Primitive = primitive(_pad_slice, grad_name="SliceBackward0").vjp(
    lambda g, x_shape, axis, start: slice_along(
        g, axis=axis, start=start, stop=start + x_shape[axis], label="Slice"
    )
)
slice_along: Primitive = primitive(_slice, view=True, grad_name=_label).vjp(
    lambda g, x_shape, axis, start: _pad_along(g, axis=axis, start=start, size=x_shape[axis])
)


def _select(x: ndarray, *, axis: int, place: int, label: str) -> ndarray:
    return x[(slice(None),) * axis + (slice(place, place + 1),)].squeeze(axis)


def _embed(x: ndarray, *, axis: int, place: int, size: int) -> ndarray:
    return _pad_slice(np.expand_dims(x, axis), axis=axis, start=place, size=size)


_embed_along: Primitive = primitive(_embed, grad_name="SelectBackward0").vjp(
    lambda g, axis, place: select_along(g, axis=axis, place=place, label="Select")
)
select_along: Primitive = primitive(_select, view=True, grad_name=_label).vjp(
    lambda g, x_shape, axis, place: _embed_along(g, axis=axis, place=place, size=x_shape[axis])
)


def narrow(input: Any, dim: int, start: int, length: int) -> Any:
    """The part of `length` from `start` on along `dim`, as a view.

    Example:
        >>> import minigrad
        >>> minigrad.narrow(minigrad.arange(5), 0, 1, 3)
        tensor([1, 2, 3])
    """
    axis = normalize_dim(dim, ndim_of(input))
    size = input._array.shape[axis]
    start = start + size if start < 0 else start
    if not 0 <= start <= size - length:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({size}).")
    return slice_along(input, axis=axis, start=start, stop=start + length, label="Slice")


def split(tensor: Any, split_size_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Cut into pieces of one size (the last may be smaller), or of the listed sizes, as views.

    Raises:
        RuntimeError: the listed sizes do not add up to the dimension.

    Example:
        >>> import minigrad
        >>> minigrad.arange(5).split(2)
        (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """
    axis = normalize_dim(dim, ndim_of(tensor))
    size = tensor._array.shape[axis]
    label = "Split" if isinstance(split_size_or_sections, int) else "SplitWithSizes"
    if isinstance(split_size_or_sections, int):
        step = split_size_or_sections
        if step <= 0 and not (step == 0 and size == 0):
            raise RuntimeError(f"split expects split_size be non-negative, but got split_size={step}")
        sizes = [min(step, size - start) for start in range(0, size, step)] if size else [0]
    else:
        sizes = list(split_size_or_sections)
        if sum(sizes) != size:
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {size} (input tensor's size at "
                f"dimension {dim}), but got split_sizes={sizes}"
            )
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return tuple(
        slice_along(tensor, axis=axis, start=start, stop=start + n, label=label)
        for start, n in zip(starts, sizes, strict=True)
    )


def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """Cut into at most `chunks` pieces of equal size, the last possibly smaller, as views.

    Example:
        >>> import minigrad
        >>> minigrad.arange(5).chunk(2)
        (tensor([0, 1, 2]), tensor([3, 4]))
    """
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    size = input._array.shape[normalize_dim(dim, ndim_of(input))]
    return split(input, max(-(-size // chunks), 1), dim)


def unbind(input: Any, dim: int = 0) -> tuple[Any, ...]:
    """All slices along `dim`, without that dimension, as views.

    Example:
        >>> import minigrad
        >>> minigrad.eye(2).unbind()
        (tensor([1., 0.]), tensor([0., 1.]))
    """
    axis = normalize_dim(dim, ndim_of(input))
    return tuple(
        select_along(input, axis=axis, place=place, label="Unbind")
        for place in range(input._array.shape[axis])
    )
