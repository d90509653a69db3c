"""Sorting along a dimension, and what order decides: the largest few, the k-th, medians, the commonest."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.autograd.op import Primitive, primitive
from minigrad.kernels import partial_order
from minigrad.ops import return_types
from minigrad.ops.dims import ndim_of, normalize_dim, on_tensor
from minigrad.ops.picking import pick
from minigrad.ops.reduction import share_all


def _order(x: ndarray, axis: int, descending: bool = False) -> ndarray:
    """The places of the elements in order; equal elements stay in theirs, nan is the largest."""
    if x.ndim == 0:
        return np.zeros((), np.int64)
    if not descending:
        return np.argsort(x, axis, kind="stable")
    backwards = np.argsort(np.flip(x, axis), axis, kind="stable")
    return x.shape[axis] - 1 - np.flip(backwards, axis)


def _at(places: ndarray, axis: int, start: int, stop: int) -> ndarray:
    """A part of the places along the axis."""
    return places[(slice(None),) * axis + (slice(start, stop),)] if places.ndim else places


def _ties(x: ndarray, order: ndarray, axis: int) -> ndarray:
    """Which of the ordered elements equal the next; the axis goes last."""
    values = np.moveaxis(np.take_along_axis(x, order, axis), axis, -1)
    missing = values != values
    return (values[..., 1:] == values[..., :-1]) | (missing[..., 1:] & missing[..., :-1])


def _decided(
    x: ndarray, order: ndarray, axis: int, places: ndarray, matters: Callable, choose: Callable
) -> ndarray:
    """`places` as torch's algorithms leave them: chosen by rank in the rows in which ties matter.

    `matters` takes the `_ties`.
    """
    if x.ndim == 0 or order.size == 0 or places.size == 0:
        return places
    same = _ties(x, order, axis)
    rows = matters(same)
    if not rows.any():
        return places
    tied_orders = np.moveaxis(order, axis, -1)[rows]
    rank = np.zeros(tied_orders.shape, np.int64)
    np.put_along_axis(rank, tied_orders[:, 1:], np.cumsum(~same[rows], -1), -1)
    decided = places.copy()
    np.moveaxis(decided, axis, -1)[rows] = choose(rank)
    return decided


def _unstable_order(x: ndarray, axis: int, descending: bool = False) -> ndarray:
    """`_order`, with equal elements where torch's sort leaves them, which keeps short rows' order alone."""
    order = _order(x, axis, descending)
    if x.ndim == 0 or x.shape[axis] <= 16:
        return order
    return _decided(x, order, axis, order, lambda same: same.any(-1), partial_order.sorted_places)


@on_tensor
def sort(input: Any, dim: int = -1, descending: bool = False, stable: bool | None = None) -> Any:
    """The elements in ascending order along `dim` and their places: the pair (values, indices).

    Equal elements keep their order if `stable`, else they are where torch leaves them. nan is the largest.

    Raises:
        IndexError: `dim` is out of range.

    Example:
        >>> import minigrad
        >>> minigrad.sort(minigrad.tensor([3.0, 1.0, 2.0]))
        torch.return_types.sort(
        values=tensor([1., 2., 3.]),
        indices=tensor([1, 2, 0]))
    """
    axis = normalize_dim(dim, ndim_of(input))
    name = "SortBackward0" if stable is None else "SortBackward1"
    order = (_order if stable else _unstable_order)(input._array, axis, descending)
    return return_types.sort(*pick(input, order, axis, name))


@on_tensor
def argsort(input: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """The places of the elements in ascending order along `dim`.

    Example:
        >>> import minigrad
        >>> minigrad.argsort(minigrad.tensor([3.0, 1.0, 2.0]))
        tensor([1, 2, 0])
    """
    axis = normalize_dim(dim, ndim_of(input))
    order = _order if stable else _unstable_order
    return input._result._wrap(order(input._array, axis, descending))


@on_tensor
def msort(input: Any) -> Any:
    """The elements in ascending order along the first dimension.

    Example:
        >>> import minigrad
        >>> minigrad.msort(minigrad.tensor([3.0, 1.0, 2.0]))
        tensor([1., 2., 3.])
    """
    return sort(input, 0).values


@on_tensor
def topk(input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """The `k` largest (or smallest) elements along `dim` and their places: the pair (values, indices).

    Which of equal elements are taken is torch's choice; without `sorted` so is their order.

    Raises:
        RuntimeError: there are less than `k` elements.

    Example:
        >>> import minigrad
        >>> minigrad.topk(minigrad.tensor([1.0, 4.0, 2.0]), 2)
        torch.return_types.topk(
        values=tensor([4., 2.]),
        indices=tensor([1, 2]))
    """
    x = input._array
    k, axis = _whole("topk", k), normalize_dim(dim, x.ndim)
    if not 0 <= k <= (x.shape[axis] if x.ndim else 1):
        raise RuntimeError("selected index k out of range")
    if x.dtype == bool:
        raise RuntimeError("topk does not support bool dtypes on CPU")
    places = _first_few(x, axis, k, largest) if sorted else None
    if places is None:
        order = _order(x, axis, largest)
        places = _decided(
            *(x, order, axis, _at(order, axis, 0, k)),
            lambda same: same[..., :k].any(-1) | (not sorted),
            lambda rank: partial_order.first_places(rank, k, sorted),
        )
    return return_types.topk(*pick(input, places, axis, "TopkBackward0"))


def _first_few(x: ndarray, axis: int, k: int, descending: bool) -> ndarray | None:
    """The first `k` places in order, of a long row without sorting it all; None where ties must decide."""
    n, wanted = x.shape[axis] if x.ndim else 1, k + 1
    if k < 1 or n < 4 * wanted:
        return None
    part = np.argpartition(x, n - wanted if descending else wanted - 1, axis)
    some = _at(part, axis, n - wanted, n) if descending else _at(part, axis, 0, wanted)
    order = np.take_along_axis(some, _order(np.take_along_axis(x, some, axis), axis, descending), axis)
    return None if _ties(x, order, axis).any() else _at(order, axis, 0, k)


def _selected(kind: Any, input: Any, places: ndarray, axis: int, keepdim: bool, number: int = 0) -> Any:
    """The elements at one place of each row, with or without the dimension."""
    name = f"{kind.__name__.capitalize()}Backward{number}"
    return kind(*pick(input, places, axis, name, drop=not keepdim))


def _filled_rows(name: str, input: Any, dim: int) -> int:
    """The axis, which must have elements."""
    axis = normalize_dim(dim, ndim_of(input))
    if ndim_of(input) and input._array.shape[axis] == 0:
        raise IndexError(f"{name}(): Expected reduction dim {axis} to have non-zero size.")
    return axis


def _whole(name: str, k: Any) -> int:
    try:
        return operator.index(k)
    except TypeError:
        raise TypeError(f"{name}(): argument 'k' (position 2) must be int, not {type(k).__name__}") from None


def _numbers(kernel: str, input: Any) -> None:
    if input._array.dtype == bool:
        raise NotImplementedError(f"\"{kernel}\" not implemented for 'Bool'")


@on_tensor
def kthvalue(input: Any, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """The `k`-th smallest element along `dim`, from 1, and its place: the pair (values, indices).

    Raises:
        RuntimeError: there is no `k`-th element.

    Example:
        >>> import minigrad
        >>> minigrad.kthvalue(minigrad.tensor([3.0, 1.0, 2.0]), 2)
        torch.return_types.kthvalue(
        values=tensor(2.),
        indices=tensor(2))
    """
    k, axis = _whole("kthvalue", k), _filled_rows("kthvalue", input, dim)
    x = input._array
    if not 1 <= k <= (x.shape[axis] if x.ndim else 1):
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {axis}")
    _numbers("kthvalue_cpu", input)
    order = _order(x, axis)
    places = _decided(
        *(x, order, axis, _at(order, axis, k - 1, k)),
        lambda same: same[..., max(k - 2, 0) : k].any(-1),
        lambda rank: partial_order.kth_place(rank, k - 1),
    )
    return _selected(return_types.kthvalue, input, places, axis, keepdim)


def _middle(x: ndarray, axis: int, ignore_nan: bool) -> ndarray:
    """The place of the lower median of each row; that of the first nan, unless they are ignored."""
    if x.ndim == 0:
        return np.zeros((), np.int64)
    order = _order(x, axis)
    missing = np.sum(x != x, axis, keepdims=True)
    valid = x.shape[axis] - missing
    place = np.maximum(valid - 1, 0) // 2 if ignore_nan else np.where(missing, valid, (valid - 1) // 2)
    return np.take_along_axis(order, place, axis)


def _whole_median(x: ndarray, ignore_nan: bool) -> ndarray:
    if x.size == 0:
        return np.asarray(np.nan if x.dtype.kind == "f" else np.iinfo(x.dtype).min, x.dtype)
    flat = x.reshape(-1)
    return flat[_middle(flat, 0, ignore_nan)[0]]


def _median(x: ndarray) -> ndarray:
    return _whole_median(x, ignore_nan=False)


def _nanmedian(x: ndarray) -> ndarray:
    return _whole_median(x, ignore_nan=True)


_median_of_all: Primitive = primitive(_median).vjp(lambda g, x, y: share_all(g, x, y))
_nanmedian_of_all: Primitive = primitive(_nanmedian).vjp(lambda g, x, y: share_all(g, x, y))


def _median_along(kind: Any, whole: Primitive, input: Any, dim: Any, keepdim: bool) -> Any:
    _numbers("median_cpu" if dim is None else "median_out", input)
    if dim is None:
        return whole(input)
    axis = _filled_rows("median", input, dim)
    places = _middle(input._array, axis, kind is return_types.nanmedian)
    return _selected(kind, input, places, axis, keepdim, number=1)


@on_tensor
def median(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The median, the lower of two; or, with `dim`, the pair (values, indices). nan if there is one.

    Example:
        >>> import minigrad
        >>> minigrad.median(minigrad.tensor([4.0, 1.0, 3.0, 2.0]))
        tensor(2.)
    """
    return _median_along(return_types.median, _median_of_all, input, dim, keepdim)


@on_tensor
def nanmedian(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The median of what is not nan; as `median` otherwise.

    Example:
        >>> import minigrad
        >>> minigrad.nanmedian(minigrad.tensor([4.0, float("nan"), 3.0]))
        tensor(3.)
    """
    return _median_along(return_types.nanmedian, _nanmedian_of_all, input, dim, keepdim)


def _commonest(x: ndarray, axis: int) -> ndarray:
    """The last place of the commonest value of each row, the smallest such value."""
    if x.ndim == 0:
        return np.zeros((), np.int64)
    order = _unstable_order(x, axis)
    values = np.take_along_axis(x, order, axis)
    counted = np.arange(x.shape[axis]).reshape([-1 if i == axis else 1 for i in range(x.ndim)])
    starts = np.ones(x.shape, bool)
    rest, others = (_slices(x.ndim, axis, s) for s in (slice(1, None), slice(None, -1)))
    starts[rest] = values[rest] != values[others]
    lengths = counted - np.maximum.accumulate(np.where(starts, counted, 0), axis)
    return np.take_along_axis(order, np.argmax(lengths, axis, keepdims=True), axis)


def _slices(ndim: int, axis: int, part: slice) -> tuple[slice, ...]:
    return tuple(part if i == axis else slice(None) for i in range(ndim))


@on_tensor
def mode(input: Any, dim: int = -1, keepdim: bool = False) -> Any:
    """The commonest element along `dim`, the smallest such, and its last place: (values, indices).

    Example:
        >>> import minigrad
        >>> minigrad.mode(minigrad.tensor([1, 2, 2, 3]))
        torch.return_types.mode(
        values=tensor(2),
        indices=tensor(2))
    """
    axis = _filled_rows("mode", input, dim)
    places = _commonest(input._array, axis)
    return _selected(return_types.mode, input, places, axis, keepdim)
