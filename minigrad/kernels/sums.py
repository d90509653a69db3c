"""The loops behind sum, mean and var: sums of a term of each element, by rows or by columns.

An array is flat and seen as (rows, n) or (outer, n, inner).  It is cut into parts of a fixed size,
the same for any number of threads; every part and then the parts of a result are added in float64.

``max(start, 0)`` changes no number: it shows LLVM that an index cannot be negative, which in
Python counts from the end, and only then does a loop that does not start at 0 vectorise.
"""

# The types of a kernel's arguments are inferred when it is compiled.
# mypy: allow-untyped-defs, no-check-untyped-defs

import numpy as np

from .jit import kernel, prange

# Elements that take about 0.2 ms: to wake the threads takes 0.06 ms (measured).
_THRESHOLD = 2_000_000
# A row is cut into parts of this length; columns into parts of this height and width, which stay in
# cache, and which are short because a column is added up one by one.
_LENGTH, _HEIGHT, _WIDTH = 16384, 256, 512


@kernel
def _term(value, centers, i):
    """What is summed."""
    return value


@kernel
def _squared_deviation(value, centers, i):
    """What is summed for a variance; ``i`` is the index in the result."""
    return (value - centers[i]) * (value - centers[i])


@kernel(fastmath={"contract", "reassoc", "nsz"})
def _part(x, centers, i, start, stop):
    start, total = max(start, 0), np.float64(0)
    for k in range(stop - start):
        total += _term(np.float64(x[start + k]), centers, i)
    return total


@kernel(parallel=True, threshold=_THRESHOLD)
def sum_rows(x, y, centers, n, divisor):
    blocks = -(-n // _LENGTH)
    parts = np.empty(y.size * blocks)
    for k in prange(parts.size):
        row, block = k // blocks, k % blocks
        start = row * n + block * _LENGTH
        parts[k] = _part(x, centers, row, start, min(start + _LENGTH, (row + 1) * n))
    for row in range(y.size):
        total = 0.0
        for k in range(row * blocks, (row + 1) * blocks):
            total += parts[k]
        y[row] = total / divisor


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


variance_rows = sum_rows.specialise("variance_rows", _term=_squared_deviation)
variance_columns = sum_columns.specialise("variance_columns", _term=_squared_deviation)
NO_CENTERS = np.zeros(1)
