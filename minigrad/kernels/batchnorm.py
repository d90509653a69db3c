"""Batch normalisation: each channel with mean 0 and variance 1 over the batch, and its gradients.

An array is flat and seen as (n, channels, inner): as rows of `inner` elements of one channel, or, where
inner is 1, as n rows of all channels, whose loops run over the channels side by side.  Sums are float64 and
taken in parts of a fixed size, the same for any number of threads.  Forward reads memory twice, backward
twice in one kernel.
"""

# The types of a kernel's arguments are inferred when it is compiled.
# mypy: allow-untyped-defs, no-check-untyped-defs

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .jit import flat, kernel, prange

Array = NDArray[Any]

# Elements from which two threads are faster, also if the second has to be woken (measured: the gradients of
# 130,000 elements 59 us alone, 40 with two; of 260,000 119 and 88; waking one takes 30).
_THRESHOLD = 150_000
# Where inner is 1 a part has so many rows at most and so many columns.
_HEIGHT, _WIDTH = 128, 128
# Sums may be reordered, so that they vectorise.
_SUM = {"contract", "reassoc", "nsz"}


# ------------------------------------------------------------------------------------------- statistics
# Sums of distances from the channel's first element, and of their squares: one pass, and as that element is
# one of the sample, at most log10(n) of float64's 16 digits are lost, however far from 0 the channel is.
@kernel(fastmath=_SUM)
def _row_moments(x, first, start, inner):
    start, total, squares = max(start, 0), np.float64(0), np.float64(0)
    for j in range(inner):
        distance = np.float64(x[start + j]) - first
        total += distance
        squares += distance * distance
    return total, squares


@kernel(parallel=True, threshold=_THRESHOLD)
def _moments_of_rows(x, channels, inner, totals, squares):
    for row in prange(totals.size):
        first = np.float64(x[row % channels * inner])
        totals[row], squares[row] = _row_moments(x, first, row * inner, inner)


@kernel
def _add_moments(x, start, other, column, at, width, totals, squares):
    """Of two rows at once, as the sums are read and written again for each time."""
    start, other, column, at = max(start, 0), max(other, 0), max(column, 0), max(at, 0)
    for j in range(width):
        first = np.float64(x[column + j])
        one, two = np.float64(x[start + j]) - first, np.float64(x[other + j]) - first
        totals[at + j] += one + two
        squares[at + j] += one * one + two * two


@kernel(parallel=True, threshold=_THRESHOLD)
def _moments_of_columns(x, channels, height, totals, squares):
    rows, strips = x.size // channels, -(-channels // _WIDTH)
    for k in prange(totals.size // channels * strips):
        part, column = k // strips, k % strips * _WIDTH
        width, at = min(_WIDTH, channels - column), part * channels + column
        for j in range(width):
            totals[at + j] = 0
            squares[at + j] = 0
        top, stop = part * height, min((part + 1) * height, rows)
        for row in range(top, stop - 1, 2):
            start = row * channels + column
            _add_moments(x, start, start + channels, column, at, width, totals, squares)
        if (stop - top) % 2:  # the first row of all adds nothing
            _add_moments(x, (stop - 1) * channels + column, column, column, at, width, totals, squares)


# ------------------------------------------------------------------------------------------- the result
@kernel(parallel=True, threshold=_THRESHOLD)
def _normalise_rows(x, means, rests, factors, bias, y, channels, inner):
    for row in prange(x.size // inner):
        start, channel = max(row * inner, 0), row % channels
        mean, rest, factor, shift = means[channel], rests[channel], factors[channel], bias[channel]
        for j in range(inner):
            y[start + j] = ((x[start + j] - mean) - rest) * factor + shift


@kernel(parallel=True, threshold=_THRESHOLD)
def _normalise_columns(x, means, rests, factors, bias, y, channels):
    for row in prange(x.size // channels):
        start = max(row * channels, 0)
        for j in range(channels):
            y[start + j] = ((x[start + j] - means[j]) - rests[j]) * factors[j] + bias[j]


# ----------------------------------------------------------------------------------------- the gradients
@kernel(fastmath=_SUM)
def _row_sums(g, x, mean, start, inner):
    """The sums of a row of the cotangent, and of that times x - mean."""
    start, total, along = max(start, 0), np.float64(0), np.float64(0)
    for j in range(inner):
        own = np.float64(g[start + j])
        total += own
        along += own * (np.float64(x[start + j]) - mean)
    return total, along


@kernel
def _slopes(totals, alongs, scales, weight, count, of_batch, factors, slopes, shifts, to_weight, to_bias):
    """Join the parts; a channel's gradient is factor · g + slope · (x - mean) + shift."""
    channels = scales.size
    for c in range(channels):
        total, along = np.float64(0), np.float64(0)
        for k in range(c, totals.size, channels):
            total += totals[k]
            along += alongs[k]
        scale = scales[c]
        to_bias[c], to_weight[c] = total, along * scale
        factor = scale * np.float64(weight[c])
        factors[c] = factor
        slopes[c] = -factor * scale * scale * along / count if of_batch else 0.0
        shifts[c] = -factor * total / count if of_batch else 0.0


@kernel(parallel=True, threshold=_THRESHOLD)
def _gradients_of_rows(
    g, x, means, highs, rests, scales, weight, of_batch, totals, alongs, factors, slopes, shifts, out,
    to_weight, to_bias,
):  # fmt: skip
    channels = means.size
    inner = x.size // totals.size
    for row in prange(totals.size):
        totals[row], alongs[row] = _row_sums(g, x, means[row % channels], row * inner, inner)
    count = totals.size // channels * inner
    _slopes(totals, alongs, scales, weight, count, of_batch, factors, slopes, shifts, to_weight, to_bias)
    for row in prange(totals.size):
        start, channel = max(row * inner, 0), row % channels
        high, rest = highs[channel], rests[channel]
        factor, slope, shift = factors[channel], slopes[channel], shifts[channel]
        for j in range(inner):
            centred = (x[start + j] - high) - rest
            out[start + j] = g[start + j] * factor + (centred * slope + shift)


@kernel
def _add_sums(g, x, means, start, column, at, width, totals, alongs):
    start, column, at = max(start, 0), max(column, 0), max(at, 0)
    for j in range(width):
        own = np.float64(g[start + j])
        totals[at + j] += own
        alongs[at + j] += own * (np.float64(x[start + j]) - means[column + j])


@kernel
def _add_sums_of_two(g, x, means, start, other, column, at, width, totals, alongs):
    start, other, column, at = max(start, 0), max(other, 0), max(column, 0), max(at, 0)
    for j in range(width):
        mean, one, two = means[column + j], np.float64(g[start + j]), np.float64(g[other + j])
        totals[at + j] += one + two
        alongs[at + j] += one * (np.float64(x[start + j]) - mean) + two * (np.float64(x[other + j]) - mean)


@kernel(parallel=True, threshold=_THRESHOLD)
def _gradients_of_columns(
    g, x, means, highs, rests, scales, weight, of_batch, totals, alongs, factors, slopes, shifts, out,
    to_weight, to_bias,
):  # fmt: skip
    channels = means.size
    rows, strips, parts = x.size // channels, -(-channels // _WIDTH), totals.size // channels
    height = -(-rows // parts)
    for k in prange(parts * strips):
        part, column = k // strips, k % strips * _WIDTH
        width, at = min(_WIDTH, channels - column), part * channels + column
        for j in range(width):
            totals[at + j] = 0
            alongs[at + j] = 0
        top, stop = part * height, min((part + 1) * height, rows)
        for row in range(top, stop - 1, 2):
            start = row * channels + column
            _add_sums_of_two(g, x, means, start, start + channels, column, at, width, totals, alongs)
        if (stop - top) % 2:
            _add_sums(g, x, means, (stop - 1) * channels + column, column, at, width, totals, alongs)
    _slopes(totals, alongs, scales, weight, rows, of_batch, factors, slopes, shifts, to_weight, to_bias)
    for row in prange(rows):
        start = max(row * channels, 0)
        for j in range(channels):
            centred = (x[start + j] - highs[j]) - rests[j]
            out[start + j] = g[start + j] * factors[j] + (centred * slopes[j] + shifts[j])


# ------------------------------------------------------------------------------------------ for callers
def _parts(n: int, inner: int) -> int:
    """How many parts a channel's sums are taken in."""
    return n if inner > 1 else -(-n // _HEIGHT)


def moments(x: Array) -> tuple[Array, Array]:
    """Mean and variance (of correction 0) of each channel of (n, channels, ...), in float64."""
    n, channels = x.shape[:2]
    inner = x.size // (n * channels)
    values, parts = flat(x), _parts(n, inner)
    totals, squares = np.empty((parts, channels)), np.empty((parts, channels))
    if inner > 1:
        _moments_of_rows.run(x.size, values, channels, inner, totals.ravel(), squares.ravel())
    else:
        _moments_of_columns.run(x.size, values, channels, -(-n // parts), totals.ravel(), squares.ravel())
    first = values.reshape(n, channels, inner)[0, :, 0].astype(np.float64)
    apart = totals.sum(0) / (n * inner)
    return first + apart, np.maximum(squares.sum(0) / (n * inner) - apart * apart, 0)


class BatchNorm:
    """One call's saved numbers: the input, and each channel's mean, scale and weight."""

    def __init__(self, x: Array, mean: Array, var: Array, weight: Array | None, eps: float, of_batch: bool):
        """``of_batch``: mean and variance are those of ``x``, and have a part in its gradient."""
        self.shape, self.channels = x.shape, x.shape[1]
        self.inner = x.size // (x.shape[0] * self.channels)
        self.x, self.of_batch = flat(x), of_batch
        self.mean, self.scale = flat(mean), 1 / np.sqrt(var + eps)
        self.high = self.mean.astype(x.dtype)  # and the rest: the mean with the digits of both
        self.rest = (self.mean - self.high).astype(x.dtype)
        self.weight = np.ones(self.channels, x.dtype) if weight is None else flat(weight)

    def value(self, bias: Array | None) -> Array:
        """(x - mean) / sqrt(variance + eps) * weight + bias."""
        kind, x = self.x.dtype, self.x
        y, factor = np.empty(self.shape, kind), (self.scale * self.weight).astype(kind)
        shift = np.zeros(self.channels, kind) if bias is None else flat(bias)
        if self.inner > 1:
            sizes: tuple[int, ...] = (self.channels, self.inner)
            _normalise_rows.run(x.size, x, self.high, self.rest, factor, shift, y.ravel(), *sizes)
        else:
            _normalise_columns.run(x.size, x, self.high, self.rest, factor, shift, y.ravel(), self.channels)
        return y

    def gradients(self, g: Array) -> tuple[Array, Array, Array]:
        """The cotangents of input, weight and bias."""
        kind, channels = self.x.dtype, self.channels
        out, sums = np.empty(self.shape, kind), (_parts(self.shape[0], self.inner) * channels,)
        to_weight, to_bias = np.empty(channels, kind), np.empty(channels, kind)
        loop = _gradients_of_rows if self.inner > 1 else _gradients_of_columns
        loop.run(
            self.x.size,
            *(flat(g), self.x, self.mean, self.high, self.rest, self.scale, self.weight, self.of_batch),
            *(np.empty(sums), np.empty(sums), *(np.empty(channels, kind) for _ in range(3))),
            *(out.ravel(), to_weight, to_bias),
        )
        return out, to_weight, to_bias
