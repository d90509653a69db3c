"""The loops behind sum, mean and var: sums of a term of each element, by rows or by columns.

An array is flat and seen as (rows, n) or (outer, n, inner).  It is cut into parts of a fixed size,
the same for any number of threads; every part and then the parts of a result are added in float64.
Along rows sums of `_SHORT` elements in their own type come first, in two thirds of the time.

``max(start, 0)`` changes no number: it shows LLVM that an index cannot be negative, which in
Python counts from the end, and only then does a loop that does not start at 0 vectorise.
"""

# The types of a kernel's arguments are inferred when it is compiled.
# mypy: allow-untyped-defs, no-check-untyped-defs

import numpy as np

from .jit import kernel, prange

# Elements from which two threads are faster, if the second is awake (measured: the sum of 1,000,000 elements
# 45 us alone, 28 with two, 58 if one has to be woken).
_THRESHOLD = 600_000
# A row is cut into parts of this length; columns into parts of this height and width, which stay in
# cache, and which are short because a column is added up one by one.
_LENGTH, _HEIGHT, _WIDTH = 16384, 256, 512
# So many elements are added in the array's own type, in the 16 or more lanes of vector registers, so that a
# lane adds 8 at most: the error is below 12 roundings of the sum of sizes.
_SHORT = 128
# A second pass over as many elements finds them in the first cache.
_BLOCK = 4096

# Sums may be reordered, so that they vectorise.
_SUM = {"contract", "reassoc", "nsz"}


@kernel
def _term(value, centers, i):
    """What is summed."""
    return value


@kernel
def _squared_deviation(value, centers, i):
    """What is summed for a variance; ``i`` is the index in the result."""
    return (value - centers[i]) * (value - centers[i])


@kernel(fastmath=_SUM)
def _short_sum(x, start, count):
    start, total = max(start, 0), type(x[0])(0)
    for k in range(count):
        total += x[start + k]
    return np.float64(total)


@kernel(fastmath=_SUM)
def _wide_sum(x, start, stop):
    start, total = max(start, 0), np.float64(0)
    for k in range(stop - start):
        total += np.float64(x[start + k])
    return total


@kernel
def _part(x, start, stop):
    """The sum of x[start:stop], of which each `_SHORT` elements are added in x's own type."""
    total = np.float64(0)
    for first in range(start, stop, _SHORT):
        total += _short_sum(x, first, min(_SHORT, stop - first))
    # A short sum may overflow where the whole does not.
    return total if np.isfinite(total) else _wide_sum(x, start, stop)


@kernel(fastmath=_SUM)
def _squares(x, center, start, stop):
    start, total = max(start, 0), np.float64(0)
    for k in range(stop - start):
        deviation = np.float64(x[start + k]) - center
        total += deviation * deviation
    return total


@kernel
def joined(count, mean, squares, more, more_mean, more_squares):
    """Mean and sum of squared deviations of two samples together (Chan, Golub and LeVeque 1979)."""
    share = more / (count + more)
    apart = more_mean - mean
    return mean + apart * share, squares + more_squares + apart * apart * (count * share)


@kernel
def moments(x, start, stop):
    """Mean and sum of squared deviations of x[start:stop], which memory is read for only once."""
    last = min(start + _BLOCK, stop)
    mean = _wide_sum(x, start, last) / (last - start)
    squares = _squares(x, mean, start, last)
    for first in range(last, stop, _BLOCK):
        last = min(first + _BLOCK, stop)
        own = _wide_sum(x, first, last) / (last - first)
        own_squares = _squares(x, own, first, last)
        mean, squares = joined(
            np.float64(first - start), mean, squares, np.float64(last - first), own, own_squares
        )
    return mean, squares


@kernel(parallel=True, threshold=_THRESHOLD)
def sum_rows(x, y, n, divisor):
    blocks = -(-n // _LENGTH)
    parts = np.empty(y.size * blocks)
    for k in prange(parts.size):
        row, block = k // blocks, k % blocks
        start = row * n + block * _LENGTH
        parts[k] = _part(x, start, min(start + _LENGTH, (row + 1) * n))
    for row in range(y.size):
        total = 0.0
        for k in range(row * blocks, (row + 1) * blocks):
            total += parts[k]
        y[row] = total / divisor


@kernel(parallel=True, threshold=_THRESHOLD)
def variance_rows(x, y, means, n, divisor):
    """Also writes the means."""
    blocks = -(-n // _LENGTH)
    parts, squares = np.empty(y.size * blocks), np.empty(y.size * blocks)
    for k in prange(parts.size):
        row, block = k // blocks, k % blocks
        start = row * n + block * _LENGTH
        parts[k], squares[k] = moments(x, start, min(start + _LENGTH, (row + 1) * n))
    for row in range(y.size):
        first = row * blocks
        mean, total = parts[first], squares[first]
        for block in range(1, blocks):
            count = min(_LENGTH, n - block * _LENGTH)
            k = first + block
            mean, total = joined(
                np.float64(block * _LENGTH), mean, total, np.float64(count), parts[k], squares[k]
            )
        means[row], y[row] = mean, total / divisor


@kernel
def _part_of_columns(x, centers, first, start, rows, inner, parts, at, width):
    """Add ``rows`` rows of ``width`` columns, from x[start] on, into ``parts`` from ``at`` on."""
    first, at = max(first, 0), max(at, 0)
    for j in range(width):
        parts[at + j] = 0
    for row in range(rows):
        left = max(start + row * inner, 0)
        for j in range(width):
            parts[at + j] += _term(np.float64(x[left + j]), centers, first + j)


@kernel(parallel=True, threshold=_THRESHOLD)
def sum_columns(x, y, centers, n, inner, divisor):
    blocks, strips, outer = -(-n // _HEIGHT), -(-inner // _WIDTH), y.size // inner
    parts = np.empty(outer * blocks * inner)
    for k in prange(outer * blocks * strips):
        block, column = k // strips, k % strips * _WIDTH
        i, top = block // blocks, block % blocks * _HEIGHT
        start = (i * n + top) * inner + column
        rows, width = min(_HEIGHT, n - top), min(_WIDTH, inner - column)
        at = block * inner + column
        _part_of_columns(x, centers, i * inner + column, start, rows, inner, parts, at, width)
    for k in range(y.size):
        i, j = k // inner, k % inner
        total = 0.0
        for block in range(i * blocks, (i + 1) * blocks):
            total += parts[block * inner + j]
        y[k] = total / divisor


variance_columns = sum_columns.specialise("variance_columns", _term=_squared_deviation)
NO_CENTERS = np.zeros(1)


@kernel(parallel=True, threshold=_THRESHOLD)
def centred_rows(x, means, scales, out, n):
    """(x - mean) * scale of its row; 0 where the scale is 0, whatever x is."""
    blocks = -(-n // _LENGTH)
    for k in prange(means.size * blocks):
        row, block = k // blocks, k % blocks
        start = max(row * n + block * _LENGTH, 0)
        count, mean, scale = min(_LENGTH, n - block * _LENGTH), means[row], scales[row]
        if scale == 0:
            for j in range(count):
                out[start + j] = 0
            continue
        high = type(x[0])(mean)  # and the rest: the mean with the digits of both
        low = type(x[0])(mean - np.float64(high))
        for j in range(count):
            out[start + j] = ((x[start + j] - high) - low) * scale


@kernel(parallel=True, threshold=_THRESHOLD)
def centred_columns(x, means, scales, out, n, inner):
    """As `centred_rows`, for means over the middle of (outer, n, inner)."""
    for row in prange(x.size // inner):
        at, start = max(row // n * inner, 0), max(row * inner, 0)
        for j in range(inner):
            deviation = type(x[0])(np.float64(x[start + j]) - means[at + j])
            scale = scales[at + j]
            out[start + j] = deviation * scale if scale != 0 else type(x[0])(0)
