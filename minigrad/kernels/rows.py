"""Rows of a table by their index, and rows added to those of a table: an embedding and its gradient."""

# The types of a kernel's arguments are inferred when it is compiled.
# mypy: allow-untyped-defs, no-check-untyped-defs

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .jit import flat, is_compiled_type, kernel, prange

Array = NDArray[Any]

# Elements, read or filled with zeros, from which two threads are faster (measured: of 320,000 19 us alone, 22
# with two; of 1,280,000 78 and 67).
_THRESHOLD = 400_000
# Threads share the features, in strips of this width: each element is added up by one thread, in the order of
# the index, however often a row is wanted.  Rows are filled with zeros in blocks of this many.
_WIDTH, _BLOCK = 64, 256


@kernel(parallel=True, threshold=_THRESHOLD)
def _take(table, index, out, width):
    for i in prange(index.size):
        start, source = max(i * width, 0), max(index[i] * width, 0)
        for j in range(width):
            out[start + j] = table[source + j]


@kernel
def _add_row(g, start, out, at, width):
    start, at = max(start, 0), max(at, 0)
    for j in range(width):
        out[at + j] += g[start + j]


@kernel(parallel=True, threshold=_THRESHOLD)
def _add(g, index, out, width, skip):
    block = _BLOCK * width
    for k in prange(-(-out.size // block)):
        first = max(k * block, 0)
        for i in range(min(block, out.size - first)):
            out[first + i] = 0
    for strip in prange(-(-width // _WIDTH)):
        column = strip * _WIDTH
        count = min(_WIDTH, width - column)
        for i in range(index.size):
            if index[i] != skip:
                _add_row(g, i * width + column, out, index[i] * width + column, count)


def take_rows(table: Array, index: Array) -> Array:
    """table[index], for an index within bounds; of any shape, (*) to (*, width)."""
    if not is_compiled_type(table.dtype) or not index.size:
        return table[index]
    width = table.shape[1]
    out = np.empty((*index.shape, width), table.dtype)
    _take.run(out.size, flat(table), flat(index), out.reshape(-1), width)
    return out


def add_rows(g: Array, index: Array, count: int, skip: int = -1) -> Array:
    """Zeros (count, width) with each row of ``g`` (*, width) added at its index, but at ``skip``."""
    width = g.shape[-1]
    if not index.size:
        return np.zeros((count, width), g.dtype)
    out = np.empty((count, width), g.dtype)
    _add.run(max(out.size, g.size), flat(g), flat(index), out.reshape(-1), width, skip)
    return out
