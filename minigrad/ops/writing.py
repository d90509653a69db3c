"""Writing slices, masks and listed places: index_add, index_put, masked_scatter and their kin."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import dtypes
from minigrad.autograd.op import broadcast_to, cast
from minigrad.autograd.tape import Variable
from minigrad.ops.dims import ndim_of, normalize_dim
from minigrad.ops.elementwise import mul
from minigrad.ops.indexing import normalize_index, read_at, read_index
from minigrad.ops.scattering import Index, add_at, set_at
from minigrad.ops.selecting import common_shape
from minigrad.ops.shape import reshape


# ------------------------------------------------------------------------------------------ index_... ops
def _rows(input: Any, dim: int, places: ndarray) -> Index:
    """The index of whole slices along `dim`; of the one element of a 0-d tensor."""
    if not input._array.ndim:
        return ()
    return (*(slice(None),) * normalize_dim(dim, ndim_of(input)), places.reshape(-1))


def _outside(places: ndarray, low: int, size: int) -> int | None:
    beyond = places[(places < low) | (places >= size)]
    return int(beyond.flat[0]) if beyond.size else None


def _length(input: Any, axis: int) -> int:
    shape = input._array.shape
    return shape[axis] if shape else 1


def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Any:
    """A copy of `input` with `alpha` times each slice of `source` added to the slice that `index` names.

    Raises:
        RuntimeError: the shapes or dtypes do not fit, or `index` points outside.

    Example:
        >>> import minigrad
        >>> minigrad.index_add(minigrad.zeros(3), 0, minigrad.tensor([0, 2]), minigrad.ones(2), alpha=5)
        tensor([5., 0., 5.])
    """
    axis, places = normalize_dim(dim, ndim_of(input)), index._array
    shape, given = list(input._array.shape), list(source._array.shape)
    if places.ndim > 1:
        kind = dtypes.of(places).scalar_type
        raise IndexError(
            f"index_add_(): Index is supposed to be a vector, but got dim: {places.ndim} with type: {kind} "
            f"and size: {list(places.shape)}"
        )
    if places.dtype.kind not in "iu":
        kind = dtypes.of(places).scalar_type
        raise RuntimeError(f"index_add_(): Expected dtype int32/int64 for index but got: {kind}")
    if source._array.dtype != input._array.dtype:
        own, other = (dtypes.of(x._array).scalar_type for x in (input, source))
        raise RuntimeError(f"index_add_(): self ({own}) and source ({other}) must have the same scalar type")
    count = given[axis] if given else 1
    if places.size != count:
        raise RuntimeError(
            f"index_add_(): Number of indices ({places.size}) should be equal to source.size(dim): "
            f"({count}), for dim: {dim}"
        )
    if shape[:axis] + shape[axis + 1 :] != given[:axis] + given[axis + 1 :]:
        raise RuntimeError(
            "source tensor shape must match self tensor shape, excluding the specified dimension. Got "
            f"self.shape = {shape} source.shape = {given}"
        )
    size = _length(input, axis)
    beyond = _outside(places, 0, size)
    if beyond is not None:
        raise RuntimeError(f"index {beyond} is out of bounds for dimension {axis} with size {size}")
    if alpha != 1:
        source = mul(source, alpha)
    return add_at(input, _fitting(input, source), index=_rows(input, dim, places), label="IndexAddBackward0")


def _fitting(input: Any, source: Any) -> Any:
    """A source of one element in the shape of a 0-d input."""
    return source if input._array.ndim else reshape(source, ())


def index_copy(input: Any, dim: int, index: Any, source: Any) -> Any:
    """A copy of `input` with each slice of `source` in the place that `index` names along `dim`.

    Raises:
        IndexError: `index` has another length, or points outside.
        RuntimeError: the shapes or dtypes do not fit.

    Example:
        >>> import minigrad
        >>> minigrad.index_copy(minigrad.zeros(3), 0, minigrad.tensor([2, 0]), minigrad.tensor([5.0, 6.0]))
        tensor([6., 0., 5.])
    """
    axis, places = normalize_dim(dim, ndim_of(input)), index._array
    shape, given = input._array.shape, source._array.shape
    if places.ndim > 1:
        raise IndexError(f"index_copy_(): Index should have dimension 1 or 0 (got {places.ndim})")
    if not given and places.size != 1:
        raise IndexError(
            f"index_copy_(): When source is scalar, index should have one element (got {places.size})"
        )
    if places.dtype != np.int64:
        raise RuntimeError(
            f"index_copy_(): Expected a long tensor for index, but got {dtypes.of(places).scalar_type}"
        )
    if source._array.dtype != input._array.dtype:
        own, other = (dtypes.of(x._array).scalar_type for x in (input, source))
        raise RuntimeError(
            f"index_copy_(): self and source expected to have the same dtype, but got (self) {own} and "
            f"(source) {other}"
        )
    slices = [" ".join(map(str, s[:axis] + s[axis + 1 :])) for s in (shape, given)]
    if given and slices[0] != slices[1]:
        raise RuntimeError(
            "index_copy_(): Source/destination tensor must have same slice shapes. Destination slice shape: "
            f"{slices[0]} at dimension {axis} and source slice shape: {slices[1]} at dimension 0."
        )
    if given and places.size != given[axis]:
        raise IndexError(
            f"index_copy_(): Number of indices ({places.size}) should be equal to source.size(dim) "
            f"({given[axis]})"
        )
    size = _length(input, axis)
    beyond = _outside(places, 0, size)
    if beyond is not None:
        raise IndexError(
            f"index_copy_(): index {beyond} is out of bounds for dimension {axis} with size {size}"
        )
    at = _rows(input, dim, places)
    return set_at(input, _fitting(input, source), index=at, label="IndexCopyBackward0")


def index_fill(input: Any, dim: int, index: Any, value: Any) -> Any:
    """A copy of `input` with a number, or that of a 0-d tensor, in the slices that `index` names.

    Raises:
        IndexError: `index` is not int64, or points outside.

    Example:
        >>> import minigrad
        >>> minigrad.index_fill(minigrad.zeros(3), 0, minigrad.tensor([0, 2]), 7)
        tensor([7., 0., 7.])
    """
    axis, places = normalize_dim(dim, ndim_of(input)), index._array
    if places.dtype != np.int64:
        raise IndexError("index_fill_(): Expected dtype int64 for index.")
    if places.ndim > 1:
        raise RuntimeError("Index has to be a vector/scalar")
    if isinstance(value, Variable) and value._array.ndim:
        raise RuntimeError(
            "index_fill_ only supports a 0-dimensional value tensor, but got tensor with "
            f"{value._array.ndim} dimension(s)."
        )
    size = _length(input, axis)
    beyond = _outside(places, -size, size)
    if beyond is not None:
        raise IndexError(f"index {beyond} is out of bounds for dimension {axis} with size {size}")
    kind, label = input._array.dtype, "IndexFillBackward0"
    if not isinstance(value, Variable):
        value = np.asarray(value).astype(kind)
    else:
        label = "IndexFillBackward1"
        if value._array.dtype != kind:
            value = cast(value, dtype=kind, source=value._array.dtype)
    return set_at(input, value, index=_rows(input, dim, places), label=label)


def index_put(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """A copy of `input` with `values` at `input[indices]`, or added there (as often as named).

    Raises:
        IndexError: an index points outside.
        RuntimeError: `values` does not broadcast to the region, or has another dtype.

    Example:
        >>> import minigrad
        >>> at = (minigrad.tensor([0, 0, 2]),)
        >>> minigrad.index_put(minigrad.zeros(3), at, minigrad.tensor(1.0), accumulate=True)
        tensor([2., 0., 1.])
    """
    if isinstance(indices, Variable):
        raise TypeError("index_put(): argument 'indices' (position 1) must be tuple of Tensors, not Tensor")
    if values._array.dtype != input._array.dtype:
        own, other = (dtypes.of(x._array).scalar_type for x in (input, values))
        raise RuntimeError(
            f"Index put requires the source and destination dtypes match, got {own} for the destination and "
            f"{other} for the source."
        )
    items = tuple(slice(None) if item is None else item for item in indices)
    at = normalize_index(items, input._array.shape)
    region, given = read_at(input._array, index=at).shape, values._array.shape
    try:
        fits = np.broadcast_shapes(given, region) == region
    except ValueError:
        fits = False
    if not fits:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(given)} cannot be broadcast to indexing result of "
            f"shape {list(region)}"
        )
    op = add_at if accumulate else set_at
    return op(input, values, index=at, label="IndexPutBackward0")


# --------------------------------------------------------------------------------------- masks and slices
def masked_scatter(input: Any, mask: Any, source: Any) -> Any:
    """A copy of `input` with the elements of `source`, in their order, where `mask` holds.

    Raises:
        RuntimeError: `source` has too few elements or another dtype, or `mask` is not bool.

    Example:
        >>> import minigrad
        >>> mask = minigrad.tensor([True, False, True])
        >>> minigrad.masked_scatter(minigrad.zeros(3), mask, minigrad.tensor([5.0, 6.0]))
        tensor([5., 0., 6.])
    """
    if source._array.dtype != input._array.dtype:
        own, other = (dtypes.of(x._array).scalar_type for x in (input, source))
        raise RuntimeError(
            f"masked_scatter: expected self and source to have same dtypes but got{own} and {other}"
        )
    shape = common_shape(mask._array.shape, input._array.shape)
    if mask._array.dtype != bool:
        raise RuntimeError(
            "masked_scatter_ only supports boolean masks, but got mask with dtype "
            f"{dtypes.of(mask._array).scalar_type}"
        )
    if input._array.shape != shape:
        input = broadcast_to(input, shape=shape)
    places = np.broadcast_to(mask._array, shape)
    count = int(np.count_nonzero(places))
    if source._array.size < count:
        raise RuntimeError("Number of elements of source < number of ones in mask")
    part = reshape(source, source._array.size)
    if source._array.size > count:
        part = read_index(part, index=(slice(count),))
    return set_at(input, part, index=(places,), label="MaskedScatterBackward0")


def _onto_slice(input: Any, src: Any, at: Index, label: str) -> Any:
    room = input._array[at].shape
    if src._array.shape != room:
        raise RuntimeError(
            "expected src to have a size equal to the slice of self. "
            f"src size = {list(src._array.shape)}, slice size = {list(room)}"
        )
    return set_at(input, src, index=at, label=label)


def select_scatter(input: Any, src: Any, dim: int, index: int) -> Any:
    """A copy of `input` with `src` in place of `input.select(dim, index)`.

    Raises:
        RuntimeError: `src` has not the shape of that slice.

    Example:
        >>> import minigrad
        >>> minigrad.select_scatter(minigrad.zeros(2, 2), minigrad.ones(2), 0, 1)
        tensor([[0., 0.],
                [1., 1.]])
    """
    axis = normalize_dim(dim, ndim_of(input))
    at = normalize_index((*(slice(None),) * axis, index), input._array.shape)
    return _onto_slice(input, src, at, "SelectScatterBackward0")


def slice_scatter(
    input: Any, src: Any, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Any:
    """A copy of `input` with `src` in place of the slice start:end:step along `dim`.

    Raises:
        RuntimeError: `src` has not the shape of that slice.

    Example:
        >>> import minigrad
        >>> minigrad.slice_scatter(minigrad.zeros(3), minigrad.ones(2), start=1)
        tensor([0., 1., 1.])
    """
    axis = normalize_dim(dim, ndim_of(input))
    at = normalize_index((*(slice(None),) * axis, slice(start, end, step)), input._array.shape)
    return _onto_slice(input, src, at, "SliceScatterBackward0")
