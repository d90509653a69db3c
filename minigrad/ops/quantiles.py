"""Quantiles: order statistics, and values between them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.autograd.fused import fused
from minigrad.autograd.tape import Variable
from minigrad.ops.dims import ndim_of, normalize_dim, on_tensor
from minigrad.ops.elementwise import where
from minigrad.ops.indexing import masked_fill
from minigrad.ops.picking import pick
from minigrad.ops.shape import permute_to, reshape_to
from minigrad.ops.sorting import sort

_ROUNDED: dict[str, np.ufunc | Callable[..., ndarray]] = {
    "lower": np.floor,
    "higher": np.ceil,
    "nearest": np.round,
}


def _probabilities(input: Any, q: Any) -> Any:
    """q as a tensor of the dtype of `input`, checked."""
    kind = input._array.dtype
    if kind.kind != "f":
        raise RuntimeError("quantile() input tensor must be either float or double dtype")
    if not isinstance(q, Variable):
        if not isinstance(q, (int, float, np.number)):
            raise TypeError(
                "quantile() received an invalid combination of arguments - got (Tensor, "
                f"{type(q).__name__}), but expected one of:\na number or a tensor for q"
            )
        if not 0 <= q <= 1:
            raise RuntimeError(f"quantile() q must be in the range [0, 1] but got {q:g}")
        return input._result._wrap(np.asarray(q, kind))
    if q._array.ndim > 1:
        raise RuntimeError("quantile() q must be a scalar or 1D tensor")
    if q._array.dtype != kind:
        raise RuntimeError("quantile() q tensor must be same dtype as the input tensor")
    if not ((q._array >= 0) & (q._array <= 1)).all():
        raise RuntimeError("quantile() q values must be in the range [0, 1]")
    return q


def _rows(input: Any, axis: int | None) -> Any:
    """The elements to sort along the last dimension."""
    if axis is None or not ndim_of(input):
        return reshape_to(input, shape=(input._array.size,))
    others = [i for i in range(ndim_of(input)) if i != axis]
    return permute_to(input, axes=(*others, axis))


def _ranks(q: Any, ordered: ndarray, ignore_nan: bool) -> Any:
    """The places q (n - 1) among the n sorted elements of each row; the last one if that is nan."""
    missing = np.isnan(ordered).sum(-1, keepdims=True)
    last = ordered.shape[-1] - 1
    if ignore_nan:
        return q * np.maximum(last - missing, 0).astype(ordered.dtype)
    ranks = q * np.full(missing.shape, last, ordered.dtype)
    return masked_fill(ranks, q._result._wrap(np.broadcast_to(missing > 0, ranks.shape)), last)


def _interpolated(rows: Any, ranks: Any, interpolation: str) -> Any:
    """The values of the sorted rows at ranks, which may lie between two places."""
    if interpolation in _ROUNDED:
        return _at(rows, _ROUNDED[interpolation](ranks._array))
    below = np.floor(ranks._array)
    low, high = _at(rows, below), _at(rows, np.ceil(ranks._array))
    weight = np.full_like(below, 0.5) if interpolation == "midpoint" else ranks - below
    between = high - low
    return where(weight < 0.5, low + between * weight, high - between * (1 - weight))  # as torch's lerp


def _at(rows: Any, places: ndarray) -> Any:
    index = np.broadcast_to(places, (*rows.shape[:-1], places.shape[-1])).astype(np.int64)
    return pick(rows, index, len(rows.shape) - 1, "GatherBackward0", repeated=True)[0]


@fused(grad_name="SqueezeBackward4")
def _quantiles(
    input: Any, q: Any, axis: int | None, keepdim: bool, interpolation: str, ignore_nan: bool
) -> Any:
    rows = sort(_rows(input, axis)).values
    number = q._array.size
    ranks = _ranks(reshape_to(q, shape=(number,)), rows._array, ignore_nan)
    found = _interpolated(rows, ranks, interpolation)
    last = len(found.shape) - 1
    found = permute_to(found, axes=(last, *range(last)))
    shape = list(input.shape)
    if axis is None or not shape:
        shape = [1] * len(shape) if keepdim else []
    elif keepdim:
        shape[axis] = 1
    else:
        del shape[axis]
    return reshape_to(found, shape=(*q._array.shape, *shape))


def _quantile(
    input: Any, q: Any, dim: int | None, keepdim: bool, interpolation: str, ignore_nan: bool
) -> Any:
    if not input._array.size:
        raise RuntimeError("quantile() input tensor must be non-empty")
    q = _probabilities(input, q)
    if interpolation not in ("linear", "midpoint", *_ROUNDED):
        raise RuntimeError(
            "quantile() interpolation must be one of linear, lower, higher, midpoint or nearest, but got "
            f"{interpolation}"
        )
    axis = None if dim is None else normalize_dim(dim, ndim_of(input))
    return _quantiles(input, q, axis, keepdim, interpolation, ignore_nan)


@on_tensor
def quantile(
    input: Any, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Any:
    """The `q`-quantiles, `q` in [0, 1], over `dim`: the value at place q (n - 1) among the n sorted ones.

    Between two places the values are interpolated: "linear", "lower", "higher", "midpoint" or "nearest". A
    vector of several `q` gives the result a first dimension. nan if there is one.

    Raises:
        RuntimeError: `q` is out of range or of another dtype, or `input` is empty.

    Example:
        >>> import minigrad
        >>> minigrad.quantile(minigrad.tensor([1.0, 2.0, 3.0, 4.0]), 0.5)
        tensor(2.5000)
    """
    return _quantile(input, q, dim, keepdim, interpolation, ignore_nan=False)


@on_tensor
def nanquantile(
    input: Any, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Any:
    """The `q`-quantiles of what is not nan; as `quantile` otherwise.

    Example:
        >>> import minigrad
        >>> minigrad.nanquantile(minigrad.tensor([1.0, float("nan"), 3.0]), 0.5)
        tensor(2.)
    """
    return _quantile(input, q, dim, keepdim, interpolation, ignore_nan=True)
