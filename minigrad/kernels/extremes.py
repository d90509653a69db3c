"""Maxima and minima of rows: values, places, and how the gradient is shared.

An array is flat and seen as (rows, n).  Numbers are compared as integers (`_ranks`), which vectorises; the
place is looked for when the extreme is known.  A nan is the extreme of all; ties go to the first.
"""

# The types of a kernel's arguments are inferred when it is compiled.
# mypy: allow-untyped-defs, no-check-untyped-defs

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .jit import flat, kernel, prange
from .math import from_order, order

Array = NDArray[Any]

# Elements that take about 0.1 ms.
_THRESHOLD = 800_000
# A row is cut into parts of this length, for the threads and so that a second pass finds them in cache.
_LENGTH = 8192
# Within a part the place is looked for only in the block that holds the extreme.
_BLOCK = 1024


@kernel
def _ranks(x, start, count):
    """The least and the greatest of the integers that compare as the numbers do."""
    start = max(start, 0)
    least = greatest = order(x[start])
    for i in range(count):
        rank = order(x[start + i])
        least = rank if rank < least else least
        greatest = rank if rank > greatest else greatest
    return least, greatest


@kernel
def _extreme(x, start, count, smallest):
    """The smallest or largest number; nan if there is one, which ranks beyond the infinities."""
    least, greatest = _ranks(x, start, count)
    infinity = type(x[0])(np.inf)
    if least < order(-infinity) or greatest > order(infinity):
        return type(x[0])(np.nan)
    return from_order(least if smallest else greatest)


@kernel
def _beats(value, best, smallest):
    """Whether a number is the extreme of the two; a nan beats all but a nan."""
    if best != best or value != value:
        return best == best
    return value < best if smallest else value > best


@kernel
def _ties(x, value):
    return (x == value) | ((x != x) & (value != value))


@kernel
def _place(x, extreme, start, count):
    """The first place of the extreme of x[start:start+count]."""
    start, size, place = max(start, 0), np.int32(count), np.int32(0)
    if extreme != extreme:
        while x[start + place] == x[start + place]:
            place += np.int32(1)
        return place
    place = size
    for i in range(size):
        here = np.int32(i) if x[start + i] == extreme else size
        place = here if here < place else place
    return place


@kernel
def _extreme_and_place(x, start, count, smallest):
    """As `_extreme`, with the place, which is looked for in one block."""
    extreme, at = _extreme(x, start, min(_BLOCK, count), smallest), 0
    for first in range(_BLOCK, count, _BLOCK):
        own = _extreme(x, start + first, min(_BLOCK, count - first), smallest)
        if _beats(own, extreme, smallest):
            extreme, at = own, first
    return extreme, at + _place(x, extreme, start + at, min(_BLOCK, count - at))


@kernel(parallel=True, threshold=_THRESHOLD)
def _extreme_rows(x, values, places, n, smallest):
    blocks = -(-n // _LENGTH)
    found, at = np.empty(values.size * blocks, values.dtype), np.empty(values.size * blocks, np.int64)
    for k in prange(found.size):
        row, first = k // blocks, k % blocks * _LENGTH
        start, count = row * n + first, min(_LENGTH, n - first)
        found[k], place = _extreme_and_place(x, start, count, smallest)
        at[k] = first + place
    for row in range(values.size):
        best = row * blocks
        for k in range(best + 1, (row + 1) * blocks):
            best = k if _beats(found[k], found[best], smallest) else best
        values[row], places[row] = found[best], at[best]


@kernel(parallel=True, threshold=_THRESHOLD)
def _extreme_of_all(x, value, smallest):
    found = np.empty(-(-x.size // _LENGTH), value.dtype)
    for k in prange(found.size):
        found[k] = _extreme(x, k * _LENGTH, min(_LENGTH, x.size - k * _LENGTH), smallest)
    best = found[0]
    for k in range(1, found.size):
        best = found[k] if _beats(found[k], best, smallest) else best
    value[0] = best


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


def extreme_of_rows(x: Array, smallest: bool = False) -> tuple[Array, Array]:
    """The largest element (or the smallest) along the last axis and the first place of it; a nan wins.

    Wants float32 or float64, with at least one element in a row.
    """
    values, places = np.empty(x.shape[:-1], x.dtype), np.empty(x.shape[:-1], np.int64)
    _extreme_rows.run(x.size, flat(x), values.ravel(), places.ravel(), x.shape[-1], smallest)
    return values, places


def extreme_of_all(x: Array, smallest: bool = False) -> Array:
    """The largest element (or the smallest); a nan wins.  Wants float32 or float64, and some element."""
    value = np.empty((), x.dtype)
    _extreme_of_all.run(x.size, flat(x), value.ravel(), smallest)
    return value


def share_all(g: Array, x: Array, y: Array) -> Array:
    """g where x = y, in equal parts to the elements that tie for the extreme y."""
    out = np.empty(x.shape, x.dtype)
    _share_all.run(x.size, flat(g), flat(x), flat(y), out.ravel())
    return out


def put_rows(g: Array, places: Array, shape: tuple[int, ...]) -> Array:
    """Zeros of that shape with each cotangent in its place along the last axis."""
    out = np.empty(shape, g.dtype)
    _put_rows.run(out.size, flat(g), flat(places), out.ravel(), shape[-1])
    return out
