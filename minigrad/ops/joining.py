"""Joining tensors and cutting them into parts; the parts are views."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.autograd.op import Primitive, common_operands, primitive
from minigrad.autograd.tape import Variable
from minigrad.ops.dims import ndim_of, normalize_dim
from minigrad.ops.shape import reshape, unsqueeze


def _label(node: Any) -> str:
    return f"{node.options['label']}Backward0"


# ------------------------------------------------------------------------------------------------ joining
def _cat(*xs: ndarray, axis: int) -> ndarray:
    return np.concatenate(xs, axis)


def _cat_rule(g: Any, i: int, shapes: list[tuple[int, ...]], axis: int) -> Any:
    """g from its own part. The parts stand one after the other along the axis."""
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
    tensors = tensor_list("cat", tensors)
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
    return _cat_along(*same_dtype(_cat_along, tensors), axis=axis)


def tensor_list(name: str, tensors: Any) -> list[Any]:
    if isinstance(tensors, Variable):
        raise TypeError(f"{name}(): argument 'tensors' must be tuple of Tensors, not Tensor")
    tensors = list(tensors)
    for place, item in enumerate(tensors):
        if not isinstance(item, Variable):
            raise TypeError(
                f"expected Tensor as element {place} in argument 0, but got {type(item).__name__}"
            )
    return tensors


def same_dtype(op: Any, tensors: list[Any]) -> list[Any]:
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
    tensors = tensor_list("stack", tensors)
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
    return _stack_along(*same_dtype(_stack_along, tensors), axis=axis)


def _listed(name: str, tensors: Any) -> list[Any]:
    tensors = tensor_list(name, tensors)
    if not tensors:
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    return tensors


def _each(function: Any, tensors: tuple[Any, ...]) -> Any:
    if len(tensors) == 1:
        (first,) = tensors
        if not isinstance(first, (tuple, list)):
            return function(first)
        tensors = tuple(first)
    return tuple(function(x) for x in tensors)


def atleast_1d(*tensors: Any) -> Any:
    """A 0-d tensor as one of one element; others as they are. Several give a tuple.

    Example:
        >>> import minigrad
        >>> minigrad.atleast_1d(minigrad.tensor(2.0))
        tensor([2.])
    """
    return _each(lambda x: x if ndim_of(x) else reshape(x, 1), tensors)


def atleast_2d(*tensors: Any) -> Any:
    """A vector as a row, a 0-d tensor as a matrix; others as they are. Several give a tuple.

    Example:
        >>> import minigrad
        >>> minigrad.atleast_2d(minigrad.tensor([1.0, 2.0]))
        tensor([[1., 2.]])
    """
    return _each(_as_matrix, tensors)


def _as_matrix(x: Any) -> Any:
    if ndim_of(x) == 0:
        return reshape(x, 1, 1)
    return unsqueeze(x, 0) if ndim_of(x) == 1 else x


def atleast_3d(*tensors: Any) -> Any:
    """A vector as (1, n, 1), a matrix as (m, n, 1); others as they are. Several give a tuple.

    Example:
        >>> import minigrad
        >>> minigrad.atleast_3d(minigrad.zeros(2, 3)).shape
        torch.Size([2, 3, 1])
    """
    return _each(_as_cube, tensors)


def _as_cube(x: Any) -> Any:
    if ndim_of(x) == 0:
        return reshape(x, 1, 1, 1)
    if ndim_of(x) == 1:
        x = unsqueeze(x, 0)
    return unsqueeze(x, -1) if ndim_of(x) == 2 else x


def hstack(tensors: Sequence[Any]) -> Any:
    """Join side by side: along the second dimension, or the first of vectors.

    Example:
        >>> import minigrad
        >>> minigrad.hstack([minigrad.zeros(2), minigrad.ones(2)])
        tensor([0., 0., 1., 1.])
    """
    parts = [atleast_1d(x) for x in _listed("hstack", tensors)]
    return cat(parts, 0 if ndim_of(parts[0]) == 1 else 1)


def vstack(tensors: Sequence[Any]) -> Any:
    """Join one below the other: along the first dimension, vectors as rows.

    Example:
        >>> import minigrad
        >>> minigrad.vstack([minigrad.zeros(2), minigrad.ones(2)])
        tensor([[0., 0.],
                [1., 1.]])
    """
    return cat([atleast_2d(x) for x in _listed("vstack", tensors)], 0)


def dstack(tensors: Sequence[Any]) -> Any:
    """Join one behind the other: along the third dimension.

    Example:
        >>> import minigrad
        >>> minigrad.dstack([minigrad.zeros(2), minigrad.ones(2)])
        tensor([[[0., 1.],
                 [0., 1.]]])
    """
    return cat([atleast_3d(x) for x in _listed("dstack", tensors)], 2)


def column_stack(tensors: Sequence[Any]) -> Any:
    """Join side by side, vectors as columns.

    Example:
        >>> import minigrad
        >>> minigrad.column_stack([minigrad.zeros(2), minigrad.ones(2)])
        tensor([[0., 1.],
                [0., 1.]])
    """
    columns = [
        x if ndim_of(x) > 1 else reshape(x, (x._array.size, 1)) for x in _listed("column_stack", tensors)
    ]
    return cat(columns, 1)


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
    if not ndim_of(input):
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    axis = normalize_dim(dim, ndim_of(input))
    size, start = input._array.shape[axis], operator.index(start)
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    if not -size <= start <= size:
        raise IndexError(
            f"start out of range (expected to be in range of [{-size}, {size}], but got {start})"
        )
    start = start + size if start < 0 else start
    if start > size - length:
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
    if not ndim_of(tensor):
        raise RuntimeError("split expects at least a 1-dimensional tensor")
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
    if not ndim_of(input):
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
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


def select(input: Any, dim: int, index: int) -> Any:
    """The slice at `index` along `dim`, without that dimension, as a view.

    Raises:
        IndexError: `index` is outside.

    Example:
        >>> import minigrad
        >>> minigrad.select(minigrad.eye(2), 0, 1)
        tensor([0., 1.])
    """
    shape = input._array.shape
    if not shape:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    axis, place = normalize_dim(dim, len(shape)), operator.index(index)
    if not -shape[axis] <= place < shape[axis]:
        raise IndexError(
            f"select(): index {place} out of range for tensor of size {list(shape)} at dimension {dim}"
        )
    return select_along(input, axis=axis, place=place % shape[axis], label="Select")


def tensor_split(input: Any, indices_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Cut into so many pieces of nearly equal size, or before the listed places, as views.

    Raises:
        RuntimeError: the number of pieces is not positive.

    Example:
        >>> import minigrad
        >>> minigrad.tensor_split(minigrad.arange(5), 2)
        (tensor([0, 1, 2]), tensor([3, 4]))
    """
    if not ndim_of(input):
        raise RuntimeError(
            "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims"
        )
    axis = normalize_dim(dim, ndim_of(input))
    size = input._array.shape[axis]
    if isinstance(indices_or_sections, Variable):
        indices_or_sections = indices_or_sections._array.tolist()
    if isinstance(indices_or_sections, int):
        count = indices_or_sections
        if count <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {count}")
        cuts = [i * (size // count) + min(i, size % count) for i in range(1, count)]
    else:
        cuts = [slice(None, i).indices(size)[1] for i in indices_or_sections]
    return tuple(
        slice_along(input, axis=axis, start=start, stop=max(start, stop), label="Slice")
        for start, stop in zip([0, *cuts], [*cuts, size], strict=True)
    )


def _split_along(name: str, input: Any, sections: Any, axis: int, least: int) -> tuple[Any, ...]:
    ndim = ndim_of(input)
    if ndim < least:
        raise RuntimeError(
            f"torch.{name} requires a tensor with at least {least} dimension, but got a tensor with {ndim} "
            "dimensions!"
        )
    size = input._array.shape[axis]
    if isinstance(sections, int) and (sections <= 0 or size % sections):
        raise RuntimeError(
            f"torch.{name} attempted to split along dimension {axis}, but the size of the dimension {size} "
            f"is not divisible by the split_size {sections}!"
        )
    return tensor_split(input, sections, axis)


def hsplit(input: Any, indices_or_sections: Any) -> tuple[Any, ...]:
    """Cut along the second dimension (the first of a vector) into equal pieces, or before the listed places.

    Raises:
        RuntimeError: the pieces would not be equal.

    Example:
        >>> import minigrad
        >>> minigrad.hsplit(minigrad.arange(4), 2)
        (tensor([0, 1]), tensor([2, 3]))
    """
    return _split_along("hsplit", input, indices_or_sections, 0 if ndim_of(input) < 2 else 1, 1)


def vsplit(input: Any, indices_or_sections: Any) -> tuple[Any, ...]:
    """Cut along the first dimension into equal pieces, or before the listed places.

    Raises:
        RuntimeError: the pieces would not be equal.

    Example:
        >>> import minigrad
        >>> minigrad.vsplit(minigrad.eye(2), 2)
        (tensor([[1., 0.]]), tensor([[0., 1.]]))
    """
    return _split_along("vsplit", input, indices_or_sections, 0, 2)


def dsplit(input: Any, indices_or_sections: Any) -> tuple[Any, ...]:
    """Cut along the third dimension into equal pieces, or before the listed places.

    Raises:
        RuntimeError: the pieces would not be equal.

    Example:
        >>> import minigrad
        >>> [part.shape for part in minigrad.dsplit(minigrad.zeros(1, 2, 4), 2)]
        [torch.Size([1, 2, 2]), torch.Size([1, 2, 2])]
    """
    return _split_along("dsplit", input, indices_or_sections, 2, 3)
