"""Counting: what is not zero, distinct values, integers, histograms, and places in sorted boundaries."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import dtypes
from minigrad.autograd.tape import Variable
from minigrad.ops import return_types
from minigrad.ops.dims import axes_of, normalize_dim, on_tensor
from minigrad.ops.picking import without_derivative


@on_tensor
def count_nonzero(input: Any, dim: Any = None) -> Any:
    """How many elements over `dim`, one or several, are not zero.

    Example:
        >>> import minigrad
        >>> minigrad.count_nonzero(minigrad.tensor([0.0, 1.0, 2.0]))
        tensor(2)
    """
    found = np.count_nonzero(input._array, axes_of(input, dim))
    return input._result._wrap(np.asarray(found, np.int64))


# ---------------------------------------------------------------------------------------- distinct values
def _starts(rows: ndarray) -> ndarray:
    """Where a row differs from the one before it; nan differs from all."""
    starts = np.ones(len(rows), bool)
    starts[1:] = (rows[1:] != rows[:-1]).any(1)
    return starts


def _distinct(input: Any, dim: int | None, ordered: bool) -> tuple[ndarray, ndarray, ndarray]:
    """The distinct elements, or slices along `dim`; to which of them each belongs; and their counts.

    `ordered`: they are brought into order first, else only neighbours are compared.
    """
    x = input._array
    axis = 0 if dim is None else dim
    moved = x.reshape(-1, 1) if dim is None else np.moveaxis(x, axis, 0)
    rows = moved.reshape(len(moved), moved.size // max(len(moved), 1))
    order = np.lexsort(rows.T[::-1]) if ordered and rows.size else np.arange(len(rows))
    starts = _starts(rows[order])
    group = np.empty(len(rows), np.int64)
    group[order] = np.cumsum(starts) - 1
    values = moved[order][starts]
    counts = np.bincount(group, minlength=len(values)).astype(np.int64)
    if dim is None:
        return values.reshape(-1), group.reshape(x.shape), counts
    return np.moveaxis(values, 0, axis), group, counts


def _distinct_result(
    input: Any, dim: int | None, ordered: bool, inverse: bool, counted: bool, op: str, label: str
) -> Any:
    if dim is not None:
        if input._array.ndim == 0:
            raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
        dim = normalize_dim(dim, input._array.ndim)
        if input._array.size == 0 and input._array.shape[dim]:
            raise RuntimeError(
                "There are 0 sized dimensions, and they aren't selected, so unique cannot be applied"
            )
    values, group, counts = (input._result._wrap(a) for a in _distinct(input, dim, ordered))
    error = NotImplementedError(f"the derivative for '{op}' is not implemented.")
    values = without_derivative(values, input, error, label)
    if not inverse and not counted:
        return values
    return (values, *([group] if inverse else []), *([counts] if counted else []))


@on_tensor
def unique(
    input: Any,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The distinct elements, or slices along `dim`, in ascending order, whether `sorted` or not.

    With `return_inverse` also to which of them each element belongs, with `return_counts` how often each
    occurs: a tuple then. No gradient.

    Example:
        >>> import minigrad
        >>> minigrad.unique(minigrad.tensor([3, 1, 3]), return_counts=True)
        (tensor([1, 3]), tensor([1, 2]))
    """
    op, label = ("_unique2", "Unique2") if dim is None else ("unique_dim", "UniqueDim")
    return _distinct_result(input, dim, True, return_inverse, return_counts, op, f"{label}Backward0")


@on_tensor
def unique_consecutive(
    input: Any, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The elements, or slices along `dim`, without those that equal the one before. As `unique` otherwise.

    Example:
        >>> import minigrad
        >>> minigrad.unique_consecutive(minigrad.tensor([1, 1, 2, 2, 1]))
        tensor([1, 2, 1])
    """
    label = "UniqueConsecutiveBackward0"
    return _distinct_result(input, dim, False, return_inverse, return_counts, "unique_consecutive", label)


# ------------------------------------------------------------------------------------------- histograms
@on_tensor
def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each of the integers 0, 1, ... occurs in a vector; or the sum of its `weights`.

    Raises:
        RuntimeError: `input` is no vector of integers from 0 on, or `weights` has another length.

    Example:
        >>> import minigrad
        >>> minigrad.bincount(minigrad.tensor([1, 3, 1]))
        tensor([0, 2, 0, 1])
    """
    x = input._array
    if x.dtype.kind not in "iu":
        raise NotImplementedError(f'"bincount_cpu" not implemented for {dtypes.of(x).scalar_type!r}')
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    if x.ndim != 1 or (x.size and x.min() < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is not None and weights._array.shape != x.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    if weights is None or not x.size:
        return input._result._wrap(np.bincount(x, minlength=minlength).astype(np.int64))
    kind = weights._array.dtype if weights._array.dtype.kind == "f" else np.dtype(np.float64)
    totals = np.zeros(max(int(x.max()) + 1, minlength), kind)
    np.add.at(totals, x, weights._array.astype(kind))
    error = RuntimeError("derivative for aten::bincount is not implemented")
    return without_derivative(input._result._wrap(totals), weights, error, "torch::autograd::NotImplemented")


def _check_bins(name: str, input: Any, bins: int) -> None:
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    if input._array.dtype.kind != "f":
        raise NotImplementedError(f'"{name}" not implemented for {dtypes.of(input._array).scalar_type!r}')


def _widened(low: float, high: float, margin: float) -> tuple[Any, Any]:
    """The range to divide, which must not be empty."""
    return (low - margin, high + margin) if low == high else (low, high)


@on_tensor
def histc(input: Any, bins: int = 100, min: float = 0, max: float = 0) -> Any:
    """How many elements fall into each of `bins` equal parts of [min, max], by default the data's range.

    Elements outside are not counted. No gradient.

    Raises:
        RuntimeError: there is no bin, or the range is not finite.

    Example:
        >>> import minigrad
        >>> minigrad.histc(minigrad.tensor([1.0, 2.0, 1.0]), bins=4, min=0, max=3)
        tensor([0., 2., 1., 0.])
    """
    _check_bins("histogram_cpu", input, bins)
    x = input._array.reshape(-1)
    kind = x.dtype.type
    low, high = (x.min(), x.max()) if min == max and x.size else (min, max)
    low, high = _widened(low, high, 1)
    if not (np.isfinite(low) and np.isfinite(high)):
        raise RuntimeError(f"torch.histc: range of [{low:g}, {high:g}] is not finite")
    if low > high:
        raise RuntimeError("torch.histc: max must be larger than min")
    low, high = kind(low), kind(high)
    inside = x[(x >= low) & (x <= high)]
    places = ((inside - low) * kind(bins) / (high - low)).astype(np.int64)
    found = np.bincount(np.minimum(places, bins - 1), minlength=bins)
    return input._result._wrap(found.astype(x.dtype))


def evenly_spaced(first: Any, last: Any, steps: int, kind: np.dtype) -> ndarray:
    """`steps` values from `first` to `last`, computed from both ends as torch does: the last is `last`."""
    first, last = kind.type(first), kind.type(last)
    step = (last - first) / kind.type(steps - 1) if steps > 1 else kind.type(0)
    places = np.arange(steps).astype(kind)
    rising, falling = first + step * places, last - step * places[::-1]
    made = np.where(np.arange(steps) < steps // 2, rising, falling) if steps > 1 else rising
    return made.astype(kind)


def _edges(input: Any, bins: int, range: Any) -> ndarray:
    _check_bins("histogramdd", input, bins)
    x = input._array
    if range is None:
        range = (x.min(), x.max()) if x.size else (0, 1)
    low, high = range
    if not (np.isfinite(low) and np.isfinite(high)):
        raise RuntimeError(f"torch.histogramdd: dimension 0's range [{low:g}, {high:g}] is not finite")
    if low > high:
        raise RuntimeError(
            f"torch.histogramdd: min should not exceed max, but got min {low:g} max {high:g} for dimension 0"
        )
    low, high = _widened(low, high, 0.5)
    return evenly_spaced(low, high, bins + 1, x.dtype)


def _given_edges(input: Any, bins: Any) -> ndarray:
    edges: ndarray = bins._array
    if edges.ndim != 1:
        raise RuntimeError(
            f"torch.histogramdd: bins tensor should have one dimension, but got {edges.ndim} dimensions in "
            "the bins tensor for dimension 0"
        )
    if edges.dtype != input._array.dtype:
        given, wanted = (_c_name(a) for a in (input._array, edges))
        raise RuntimeError(
            "torch.histogramdd: input tensor and bins tensors should have the same dtype, but got input with "
            f"dtype {given} and bins for dimension 0 with dtype {wanted}"
        )
    return edges


def _c_name(array: ndarray) -> str:
    return {"float32": "float", "float64": "double", "int64": "long int"}.get(
        str(array.dtype), str(array.dtype)
    )


@on_tensor
def histogram(input: Any, bins: Any, *, range: Any = None, weight: Any = None, density: bool = False) -> Any:
    """The pair (hist, bin_edges): how many elements fall into each bin, or the sum of their `weight`.

    `bins` is a number of equal parts of `range` (the data's by default), or a tensor of edges. With
    `density` the histogram integrates to one.

    Raises:
        RuntimeError: there is no bin, or a range or shape that does not fit.

    Example:
        >>> import minigrad
        >>> minigrad.histogram(minigrad.tensor([1.0, 2.0, 1.0]), bins=2, range=(0.0, 3.0))
        torch.return_types.histogram(
        hist=tensor([2., 1.]),
        bin_edges=tensor([0.0000, 1.5000, 3.0000]))
    """
    x = input._array
    edges = _given_edges(input, bins) if isinstance(bins, Variable) else _edges(input, bins, range)
    if weight is not None and weight._array.shape != x.shape:
        raise RuntimeError(
            "torch.histogramdd: if weight tensor is provided it should have the same shape as the input "
            f"tensor excluding its innermost dimension, but got input with shape {[x.size, 1]} and weight "
            f"with shape {list(weight._array.shape)}"
        )
    inside = (x >= edges[0]) & (x <= edges[-1])
    places = np.minimum(np.searchsorted(edges, x[inside], "right") - 1, len(edges) - 2)
    totals = np.zeros(len(edges) - 1, x.dtype)
    np.add.at(totals, places, 1 if weight is None else weight._array[inside].astype(x.dtype))
    if density:
        totals = totals / totals.sum() / np.diff(edges)
    return return_types.histogram(input._result._wrap(totals), input._result._wrap(edges))


# ------------------------------------------------------------------------------- places in sorted boundaries
def _right_side(right: bool, side: str | None) -> Any:
    if side not in (None, "left", "right"):
        raise RuntimeError(f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}")
    if side == "left" and right:
        raise RuntimeError(
            "torch.searchsorted(): side and right can't be set to opposites, got side of left while right "
            "was True"
        )
    return side or ("right" if right else "left")


@on_tensor
def searchsorted(
    sorted_sequence: Any,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Any = None,
) -> Any:
    """The places at which `input` would go into an ascending sequence: before its equals, or after (`right`).

    A sequence of several dimensions has one row for each row of `input`. `sorter` holds the places that
    bring it into order.

    Raises:
        RuntimeError: the rows do not match, or `side` and `right` contradict each other.

    Example:
        >>> import minigrad
        >>> minigrad.searchsorted(minigrad.tensor([1, 3, 5]), minigrad.tensor([0, 3, 9]))
        tensor([0, 1, 3])
    """
    chosen = _right_side(right, side)
    rows = sorted_sequence._array
    values = input._array if isinstance(input, Variable) else np.asarray(input)
    if rows.ndim == 0:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should have positive dimension, but got 0 dimension"
        )
    if rows.ndim > 1:
        _check_rows(rows, values)
    if sorter is not None:
        rows = np.take_along_axis(rows, sorter._array, -1)
    places = np.empty(values.shape, np.int32 if out_int32 else np.int64)
    if rows.ndim == 1:
        places[...] = np.searchsorted(rows, values, chosen)
    else:
        for place in np.ndindex(rows.shape[:-1]):
            places[place] = np.searchsorted(rows[place], values[place], chosen)
    return sorted_sequence._result._wrap(places)


def _check_rows(rows: ndarray, values: ndarray) -> None:
    if values.ndim == 0:
        raise RuntimeError(
            "torch.searchsorted(): input value can be a scalar only when boundaries tensor dimension is 1, "
            f"but we got boundaries tensor dim({rows.ndim}) and input value's dim(0) numel(1)"
        )
    if rows.shape[:-1] != values.shape[:-1]:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of "
            "boundaries tensor and input value tensor must match, but we got boundaries tensor "
            f"{list(rows.shape)} and input value tensor {list(values.shape)}"
        )


def bucketize(input: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False) -> Any:
    """The bucket of each element: how many `boundaries`, ascending, are below it, or not above it (`right`).

    Example:
        >>> import minigrad
        >>> minigrad.bucketize(minigrad.tensor([0, 3, 9]), minigrad.tensor([1, 3, 5]))
        tensor([0, 1, 3])
    """
    if boundaries._array.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries._array.ndim})")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)
