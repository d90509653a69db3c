"""The largest element, or the mean, of windows of images.

The largest are looked up at their places (`max_places`, `adaptive_max_places`), the first of equal ones. Sums
of windows and what spreads a cotangent over them are each other's adjoint: all derivatives follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.autograd.fused import fused
from minigrad.autograd.op import Primitive, primitive

Pair = tuple[int, int]
Bounds = tuple[tuple[int, int], ...]  # first and last + 1 of each window along a dimension


# ------------------------------------------------------------------------------------ the largest
@fused(grad_name="MaxPool2DWithIndicesBackward0")
def max_pool(input: Any, places: ndarray) -> Any:
    """The elements at `places`, (..., H', W') of numbers within a plane."""
    return _looked_up(input, places=places)


@fused(grad_name="AdaptiveMaxPool2DBackward0")
def adaptive_max_pool(input: Any, places: ndarray) -> Any:
    """The same for windows that tile the image."""
    return _looked_up(input, places=places)


def _pick(x: ndarray, *, places: ndarray) -> ndarray:
    return x.reshape(-1)[_numbers(places, x.shape)]


def _put(x: ndarray, *, places: ndarray, shape: tuple[int, ...]) -> ndarray:
    size = int(np.prod(shape))
    sums = np.bincount(_numbers(places, shape).reshape(-1), x.reshape(-1), size)
    return sums.astype(x.dtype, copy=False).reshape(shape)


def _numbers(places: ndarray, shape: tuple[int, ...]) -> ndarray:
    """Places in their planes as places in all the memory."""
    starts = np.arange(int(np.prod(shape[:-2]))).reshape(*shape[:-2], 1, 1)
    return places + starts * (shape[-2] * shape[-1])


_looked_up: Primitive = primitive(_pick, name="gather").vjp(
    lambda g, x_shape, places: _put_back(g, places=places, shape=x_shape)
)
_put_back: Primitive = primitive(_put, name="scatter_add").vjp(lambda g, places: _looked_up(g, places=places))


def max_places(x: ndarray, kernel: Pair, stride: Pair, pads: Pair, dilation: Pair, sizes: Pair) -> ndarray:
    """Where the largest element of each window is, in its plane; the last nan where there is one."""
    low = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    missing = [
        max(0, (size - 1) * step + gap * (length - 1) + 1 - extent - pad)
        for size, step, gap, length, extent, pad in zip(
            sizes, stride, dilation, kernel, x.shape[2:], pads, strict=True
        )
    ]
    around = ((0, 0), (0, 0), (pads[0], missing[0]), (pads[1], missing[1]))
    padded = np.pad(x, around, constant_values=low) if any(pads) or any(missing) else x
    rows, columns = (
        step * np.arange(size) - pad for step, size, pad in zip(stride, sizes, pads, strict=True)
    )
    first = [
        -(np.minimum(at, 0) // gap) * gap + at for at, gap in zip((rows, columns), dilation, strict=True)
    ]
    width = x.shape[3]
    best = np.full((*x.shape[:2], *sizes), low, x.dtype)
    places = np.empty(best.shape, np.int64)
    places[...] = first[0][:, None] * width + first[1]
    for i, j in np.ndindex(kernel):
        down, right = i * dilation[0], j * dilation[1]
        part = padded[
            :,
            :,
            down : down + stride[0] * (sizes[0] - 1) + 1 : stride[0],
            right : right + stride[1] * (sizes[1] - 1) + 1 : stride[1],
        ]
        better = (part > best) | (part != part)
        best = np.where(better, part, best)
        places = np.where(better, (rows + down)[:, None] * width + (columns + right), places)
    return places


def adaptive_bounds(extent: int, size: int) -> Bounds:
    """Windows that tile `extent` places, `size` of them; where they do not fit they overlap."""
    return tuple((i * extent // size, -((-(i + 1) * extent) // size)) for i in range(size))


def adaptive_max_places(x: ndarray, sizes: Pair) -> ndarray:
    """Where the largest element of each of the windows that tile an image is."""
    count, channels, height, width = x.shape
    places = np.empty((count, channels, *sizes), np.int64)
    for i, (top, bottom) in enumerate(adaptive_bounds(height, sizes[0])):
        for j, (left, right) in enumerate(adaptive_bounds(width, sizes[1])):
            window = x[:, :, top:bottom, left:right].reshape(count, channels, -1)
            down, along = np.divmod(window.argmax(-1), right - left)
            places[:, :, i, j] = (top + down) * width + left + along
    return places


# --------------------------------------------------------------------------------------- the mean
def _sums(x: ndarray, *, bounds: Bounds, axis: int) -> ndarray:
    shape = list(x.shape)
    shape[axis] = len(bounds)
    y = np.empty(shape, x.dtype)
    source, target = np.moveaxis(x, axis, 0), np.moveaxis(y, axis, 0)
    regular = _step(bounds)
    if regular is None:
        for place, (start, stop) in enumerate(bounds):
            target[place] = source[start:stop].sum(0)
        return y
    first, length, step = regular
    last = first + step * (len(bounds) - 1) + 1
    target[...] = source[first:last:step]
    for place in range(1, length):
        target += source[first + place : last + place : step]
    return y


def _spread(x: ndarray, *, bounds: Bounds, axis: int, extent: int) -> ndarray:
    shape = list(x.shape)
    shape[axis] = extent
    y = np.zeros(shape, x.dtype)
    source, target = np.moveaxis(x, axis, 0), np.moveaxis(y, axis, 0)
    regular = _step(bounds)
    if regular is None:
        for place, (start, stop) in enumerate(bounds):
            target[start:stop] += source[place]
        return y
    first, length, step = regular
    last = first + step * (len(bounds) - 1) + 1
    for place in range(length):
        target[first + place : last + place : step] += source
    return y


def _step(bounds: Bounds) -> tuple[int, int, int] | None:
    """First place, length and distance of windows that are alike; None where they are not."""
    first, stop = bounds[0]
    step = bounds[1][0] - first if len(bounds) > 1 else 1
    alike = all(bound == (first + i * step, stop + i * step) for i, bound in enumerate(bounds))
    return (first, stop - first, step) if alike and step > 0 else None


_window_sums: Primitive = primitive(_sums, name="window_sums").vjp(
    lambda g, x_shape, bounds, axis: _spread_sums(g, bounds=bounds, axis=axis, extent=x_shape[axis])
)
_spread_sums: Primitive = primitive(_spread, name="spread_sums").vjp(
    lambda g, bounds, axis: _window_sums(g, bounds=bounds, axis=axis)
)


def _mean_of_windows(input: Any, rows: Bounds, columns: Bounds, divisors: ndarray) -> Any:
    sums = _window_sums(_window_sums(input, bounds=rows, axis=-2), bounds=columns, axis=-1)
    return sums / divisors.astype(input._array.dtype)


@fused(grad_name="AvgPool2DBackward0")
def average_pool(input: Any, rows: Bounds, columns: Bounds, divisors: ndarray) -> Any:
    """The sums of windows, each divided by a number of its own."""
    return _mean_of_windows(input, rows, columns, divisors)


@fused(grad_name="AdaptiveAvgPool2DBackward0")
def adaptive_average_pool(input: Any, sizes: Sequence[int]) -> Any:
    """The means of windows that tile an image."""
    rows, columns = (adaptive_bounds(n, size) for n, size in zip(input.shape[-2:], sizes, strict=True))
    return _mean_of_windows(input, rows, columns, lengths(rows)[:, None] * lengths(columns))


def lengths(bounds: Bounds) -> ndarray:
    """How many places each window has."""
    return np.array([stop - start for start, stop in bounds])


def window_bounds(extent: int, length: int, step: int, pad: int, count: int) -> tuple[Bounds, Bounds]:
    """The bounds of windows inside the image, and with the padding."""
    starts = [i * step - pad for i in range(count)]
    inner = tuple((max(start, 0), min(start + length, extent)) for start in starts)
    outer = tuple((start, min(start + length, extent + pad)) for start in starts)
    return inner, outer
