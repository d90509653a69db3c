"""Maxima and minima of rows: values, places, and how the gradient is shared.

An array is flat and seen as (rows, n).  Numbers are compared as integers (`_rank`), which vectorises and
puts nan above everything; ties go to the first.
"""

# The types of a kernel's arguments are inferred when it is compiled.
# mypy: allow-untyped-defs, no-check-untyped-defs

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .jit import flat, kernel, prange
from .math import order

Array = NDArray[Any]

# Elements that take about 0.1 ms.
_THRESHOLD = 800_000
# A row is cut into parts of this length, for the threads and so that a second pass finds them in cache.
_LENGTH = 8192
# Within a part the place is looked for one by one, but only in the block that holds the extreme.
_BLOCK = 128


@kernel
def _signed(x):
    """Turned round where the smallest is wanted.  Adding 0 makes one zero of two."""
    return x + type(x)(0)


@kernel
def _negated(x):
    return type(x)(0) - x


@kernel
def _rank(x):
    """An integer that is largest for the extreme; that of a nan is the largest of all."""
    return order(_signed(x) if x == x else type(x)(np.nan))


@kernel
def _highest(x, start, stop):
    start = max(start, 0)
    highest = _rank(x[start])
    for i in range(stop - start):
        rank = _rank(x[start + i])
        highest = rank if rank > highest else highest
    return highest


@kernel
def _first_highest(x, start, stop):
    """The highest rank in x[start:stop] and the first place of it."""
    highest, at = _highest(x, start, min(start + _BLOCK, stop)), start
    for first in range(start + _BLOCK, stop, _BLOCK):
        rank = _highest(x, first, min(first + _BLOCK, stop))
        if rank > highest:
            highest, at = rank, first
    while _rank(x[at]) != highest:
        at += 1
    return highest, at


@kernel(parallel=True, threshold=_THRESHOLD)
def _max_rows(x, values, places, n):
    blocks = -(-n // _LENGTH)
    found = np.empty(values.size * blocks, np.int64)
    for k in prange(found.size):
        row, block = k // blocks, k % blocks
        start = row * n + block * _LENGTH
        found[k] = _first_highest(x, start, min(start + _LENGTH, (row + 1) * n))[1]
    for row in range(values.size):
        best = found[row * blocks]
        for k in range(row * blocks + 1, (row + 1) * blocks):
            if _rank(x[found[k]]) > _rank(x[best]):
                best = found[k]
        values[row], places[row] = x[best], best - row * n


@kernel
def _ties(x, value):
    return (x == value) | ((x != x) & (value != value))


@kernel
def _count(x, value, start, stop):
    start, count = max(start, 0), 0
    for i in range(stop - start):
        count += 1 if _ties(x[start + i], value) else 0
    return count


@kernel(parallel=True, threshold=_THRESHOLD)
def _share_all(g, x, extreme, out):
    """g / (number of ties) where x is the extreme, nan counting as equal to nan; else 0."""
    value = extreme[0]
    counts = np.empty(-(-x.size // _LENGTH), np.int64)
    for k in prange(counts.size):
        counts[k] = _count(x, value, k * _LENGTH, min((k + 1) * _LENGTH, x.size))
    total = 0
    for k in range(counts.size):
        total += counts[k]
    share = g[0] / type(value)(total)
    for k in prange(counts.size):
        start = max(k * _LENGTH, 0)
        size, zero = min(_LENGTH, x.size - start), type(value)(0)
        if counts[k]:
            for i in range(size):
                out[start + i] = share if _ties(x[start + i], value) else zero
        else:  # most parts, which are not read again
            for i in range(size):
                out[start + i] = zero


@kernel(parallel=True, threshold=_THRESHOLD)
def _put_rows(g, places, out, n):
    """g of each row in its place, and zeros."""
    blocks = -(-n // _LENGTH)
    for k in prange(g.size * blocks):
        row, first = k // blocks, k % blocks * _LENGTH
        start = max(row * n + first, 0)
        count, place = min(_LENGTH, n - first), places[row] - first
        for i in range(count):
            out[start + i] = 0
        if 0 <= place < count:
            out[start + place] = g[row]


_min_rows = _max_rows.specialise("_min_rows", _signed=_negated)


def extreme_of_rows(x: Array, smallest: bool = False) -> tuple[Array, Array]:
    """The largest element (or the smallest) along the last axis and the first place of it; a nan wins.

    Wants float32 or float64, with at least one element in a row.
    """
    values, places = np.empty(x.shape[:-1], x.dtype), np.empty(x.shape[:-1], np.int64)
    loop = _min_rows if smallest else _max_rows
    loop.run(x.size, flat(x), values.ravel(), places.ravel(), x.shape[-1])
    return values, places


def extreme_of_all(x: Array, smallest: bool = False) -> Array:
    """The largest element (or the smallest); a nan wins.  Wants float32 or float64, and some element."""
    value, place = np.empty((), x.dtype), np.empty(1, np.int64)
    loop = _min_rows if smallest else _max_rows
    loop.run(x.size, flat(x), value.ravel(), place, x.size)
    return value


def share_all(g: Array, x: Array, y: Array) -> Array:
    """The cotangent g of an extreme y of x, in equal parts to the elements that tie for it."""
    out = np.empty(x.shape, x.dtype)
    _share_all.run(x.size, flat(g), flat(x), flat(y), out.ravel())
    return out


def put_rows(g: Array, places: Array, shape: tuple[int, ...]) -> Array:
    """Zeros of that shape with each cotangent in its place along the last axis."""
    out = np.empty(shape, g.dtype)
    _put_rows.run(out.size, flat(g), flat(places), out.ravel(), shape[-1])
    return out
