"""Reading elements by their places: index_select, take, masked_select, nonzero."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import dtypes
from minigrad.autograd.op import Primitive, broadcast_to, primitive
from minigrad.ops.dims import ndim_of, normalize_dim
from minigrad.ops.indexing import gather, read_at, write_zeros
from minigrad.ops.shape import broadcast_shapes, reshape


def _read(x: ndarray, *, index: tuple[Any, ...], label: str) -> ndarray:
    return read_at(x, index=index)


_select: Primitive = primitive(_read, name="select", grad_name=lambda node: node.options["label"]).vjp(
    lambda g, x_shape, index: write_zeros(g, index=index, shape=x_shape)
)


def index_select(input: Any, dim: int, index: Any) -> Any:
    """The places that a vector of integers lists along `dim`, as a copy.

    Raises:
        IndexError: `index` is no vector, or points outside.
        RuntimeError: `index` is not of integers.

    Example:
        >>> import minigrad
        >>> minigrad.index_select(minigrad.tensor([5, 6, 7]), 0, minigrad.tensor([2, 0]))
        tensor([7, 5])
    """
    axis, places, shape = normalize_dim(dim, ndim_of(input)), index._array, input._array.shape
    if places.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if places.dtype.kind not in "iu":
        raise RuntimeError("index_select(): Expected dtype int32 or int64 for index\nUse index.long().")
    size = shape[axis] if shape else 1
    if places.size and (places.min() < 0 or places.max() >= size):
        raise IndexError(
            f"index out of range in self\nDimension {dim} has size {size}, index goes from {places.min()} to "
            f"{places.max()}."
        )
    if not shape:
        return _select(input, index=(), label="IndexSelectBackward0")
    at = (*(slice(None),) * axis, places.reshape(-1))
    return _select(input, index=at, label="IndexSelectBackward0")


def masked_select(input: Any, mask: Any) -> Any:
    """The elements where `mask` holds, as a vector; both broadcast.

    Raises:
        RuntimeError: `mask` is not bool.

    Example:
        >>> import minigrad
        >>> x = minigrad.tensor([1.0, -2.0, 3.0])
        >>> minigrad.masked_select(x, x > 0)
        tensor([1., 3.])
    """
    if mask._array.dtype != bool:
        raise RuntimeError("masked_select: expected BoolTensor for mask\nWrite a comparison, e.g. mask != 0.")
    shape = common_shape(mask._array.shape, input._array.shape)
    if input._array.shape != shape:
        input = broadcast_to(input, shape=shape)
    return _select(input, index=(np.broadcast_to(mask._array, shape),), label="MaskedSelectBackward0")


def common_shape(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that two shapes broadcast to, with torch's error where they do not."""
    try:
        return np.broadcast_shapes(a, b)
    except ValueError:
        back = next(
            i for i in range(1, min(len(a), len(b)) + 1) if a[-i] != b[-i] and 1 not in (a[-i], b[-i])
        )
        raise RuntimeError(
            f"The size of tensor a ({a[-back]}) must match the size of tensor b ({b[-back]}) at "
            f"non-singleton dimension {max(len(a), len(b)) - back}\nGot shapes {list(a)} and {list(b)}."
        ) from None


def take(input: Any, index: Any) -> Any:
    """The elements at the places `index` lists, counted as if `input` were flat; of the shape of `index`.

    Raises:
        IndexError: a place is outside.
        RuntimeError: `index` is not int64.

    Example:
        >>> import minigrad
        >>> minigrad.take(minigrad.tensor([[4, 3], [2, 1]]), minigrad.tensor([0, 3]))
        tensor([4, 1])
    """
    places, size = index._array, input._array.size
    if places.dtype != np.int64:
        raise RuntimeError(
            f"take(): Expected a long tensor for index, but got {dtypes.of(places).scalar_type}"
        )
    outside = places[(places < -size) | (places >= size)]
    if outside.size:
        raise IndexError(
            f"out of range: tried to access index {int(outside.flat[0])} on a tensor of {size} elements."
        )
    return _select(reshape(input, size), index=(places,), label="TakeBackward0")


def take_along_dim(input: Any, indices: Any, dim: int | None = None) -> Any:
    """`gather` whose tensors broadcast, or `take` of the flat tensors without `dim`; goes with argsort.

    Raises:
        RuntimeError: the numbers of dimensions differ, or `indices` is not int64.

    Example:
        >>> import minigrad
        >>> x = minigrad.tensor([[3.0, 1.0], [2.0, 4.0]])
        >>> minigrad.take_along_dim(x, minigrad.tensor([[1], [0]]), dim=1)
        tensor([[1.],
                [2.]])
    """
    if dim is None:
        return gather(reshape(input, input._array.size), 0, reshape(indices, indices._array.size))
    shape, wanted = input._array.shape, indices._array.shape
    if len(shape) != len(wanted):
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, but got "
            f"{len(shape)} dimensions for input, and {len(wanted)} dimensions for indices"
        )
    if indices._array.dtype != np.int64:
        kind = dtypes.of(indices._array).scalar_type
        raise RuntimeError(f"torch.take_along_dim(): dtype of indices should be Long but got {kind}")
    axis = normalize_dim(dim, len(shape))
    common = broadcast_shapes(
        (*shape[:axis], 1, *shape[axis + 1 :]), (*wanted[:axis], 1, *wanted[axis + 1 :])
    )
    wide = (*common[:axis], shape[axis], *common[axis + 1 :])
    places = (*common[:axis], wanted[axis], *common[axis + 1 :])
    return gather(
        input if wide == shape else broadcast_to(input, shape=wide),
        axis,
        indices if places == wanted else broadcast_to(indices, shape=places),
    )


def nonzero(input: Any, *, as_tuple: bool = False) -> Any:
    """The places of the elements that are not zero: one row each, or with `as_tuple` one tensor a dimension.

    Example:
        >>> import minigrad
        >>> minigrad.nonzero(minigrad.tensor([0, 3, 4]))
        tensor([[1],
                [2]])
    """
    wrap = type(input)._result._wrap
    if as_tuple:
        return tuple(wrap(places) for places in np.nonzero(np.atleast_1d(input._array)))
    return wrap(np.argwhere(input._array))


def argwhere(input: Any) -> Any:
    """The places of the elements that are not zero, one row each.

    Example:
        >>> import minigrad
        >>> minigrad.argwhere(minigrad.tensor([[0, 3], [4, 0]]))
        tensor([[0, 1],
                [1, 0]])
    """
    return nonzero(input)
