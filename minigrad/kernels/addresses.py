"""Many arrays handed to one kernel: by their addresses, which the kernel reads from the array objects itself.

Numba takes 0.1 microseconds for each array it is given, and compiles anew for each number of them; NumPy
takes 1 microsecond to tell an address. Reading it where CPython and NumPy keep it (their public headers say
where, unchanged since NumPy 1.0) takes nothing. `plan` checks at its first use that it is there.
"""

import ctypes
import functools
import sys
from typing import Any

import numpy as np
from numpy import ndarray

from .jit import Native, is_compiled_type, kernel

# Elements of a slice for one thread.
BLOCK = 4096
# The columns of a plan after the addresses of a row's arrays: their elements, and the blocks before the row.
SIZE, BLOCKS = -2, -1

# An object starts with a head; a list goes on with its length and the address of its items; an array with the
# words below. Sizes and strides are at addresses of their own.
_HEAD = object.__basicsize__
_DATA, _NDIM, _SHAPE, _DTYPE, _FLAGS, _WORDS = 0, 1, 2, 5, 6, 7
_LOW_HALF = 0xFFFFFFFF
# The flags that an array must have, by NumPy's numbers: contiguous, aligned and writable.
_FIT = 0x0001 | 0x0100 | 0x0400
_INT64 = np.empty(0, np.int64)


def _make_vector(numba: Any) -> Any:
    @numba.extending.intrinsic
    def pointer(context: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.inttoptr(args[0], context.get_value_type(numba.types.voidptr))

        return numba.types.voidptr(numba.types.int64), generate

    def stub(address: Any, size: Any, like: Any) -> Any:
        raise NotImplementedError("only compiled code calls this")

    @numba.extending.overload(stub, strict=False, jit_options={"forceinline": True})
    def make(address: Any, size: Any, like: Any) -> Any:
        return lambda address, size, like: numba.carray(pointer(address), size, like.dtype)

    return stub


# vector(address, size, like): the elements at an address, as a vector of the dtype of the array `like`.
vector = Native(_make_vector)


@kernel
def _words(array):
    return vector(array + _HEAD, _WORDS, _INT64)


@kernel
def _is_like(array, first, dtype):
    """Whether the kernels can take an array as it is, and it has the shape of the first."""
    if array[_DTYPE] != dtype or array[_FLAGS] & _FIT != _FIT:
        return False
    ndim = array[_NDIM] & _LOW_HALF
    if ndim != first[_NDIM] & _LOW_HALF:
        return False
    sizes, wanted = vector(array[_SHAPE], ndim, _INT64), vector(first[_SHAPE], ndim, _INT64)
    differing = 0
    for axis in range(ndim):
        differing += sizes[axis] != wanted[axis]
    return differing == 0


@kernel
def _read(arrays, dtype, count, count_dtype, table):
    """Fill the table from a list of arrays; the number of their elements, or -1 where one does not fit."""
    rows, width = table.shape[0], table.shape[1] - 2
    items = vector(vector(arrays + _HEAD, 2, _INT64)[1], rows * width, _INT64)
    total = blocks = 0
    for row in range(rows):
        first = _words(items[row * width])
        size = 1
        for length in vector(first[_SHAPE], first[_NDIM] & _LOW_HALF, _INT64):
            size *= length
        for place in range(width):
            array = _words(items[row * width + place])
            if place == count:
                fits = array[_DTYPE] == count_dtype and array[_NDIM] & _LOW_HALF == 0
            else:
                fits = _is_like(array, first, dtype)
            if not fits:
                return -1
            table[row, place] = array[_DATA]
        table[row, SIZE], table[row, BLOCKS] = size, blocks
        blocks += (size + BLOCK - 1) // BLOCK
        total += size
    return total


@kernel
def row_of(table, block):
    """The row that a block lies in."""
    low, high = 0, table.shape[0] - 1
    while low < high:
        middle = (low + high + 1) // 2
        if table[middle, BLOCKS] <= block:
            low = middle
        else:
            high = middle - 1
    return low


@kernel
def block_count(table):
    last = table[-1]
    return last[BLOCKS] + (last[SIZE] + BLOCK - 1) // BLOCK


def plan(arrays: list[ndarray], width: int, count: int = -1) -> tuple[ndarray, int]:
    """A table of rows of `width` arrays each, for a kernel to work on, and the number of their elements.

    The arrays of a row have one shape, all have the dtype of the first; but those in the place `count` of
    each row are float32 scalars. Where one is not so, or is not contiguous or writable, the number is -1.
    """
    table = np.empty((len(arrays) // width, width + 2), np.int64)
    dtype = arrays[0].dtype
    if not is_compiled_type(dtype) or not _layout_is_known():
        return table, -1
    return table, _read(id(arrays), id(dtype), count, _COUNT_ID, table)


_COUNT_ID = id(np.dtype(np.float32))


def plan_row(arrays: list[ndarray]) -> ndarray:
    """The table for one row of arrays that are known to fit, from the addresses that NumPy tells."""
    return np.array([[*(array.ctypes.data for array in arrays), arrays[0].size, 0]], np.int64)


@functools.cache
def _layout_is_known() -> bool:
    """Whether lists and arrays are laid out in memory as this module thinks."""
    if sys.implementation.name != "cpython" or ctypes.sizeof(ctypes.c_void_p) != 8:
        return False
    array = np.zeros((2, 3), np.float32)
    arrays = [array, array]
    length, items = (ctypes.c_int64 * 2).from_address(id(arrays) + _HEAD)
    words = (ctypes.c_int64 * _WORDS).from_address(id(array) + _HEAD)
    return (
        length == 2
        and list((ctypes.c_int64 * 2).from_address(items)) == [id(array)] * 2
        and words[_DATA] == array.ctypes.data
        and words[_NDIM] & _LOW_HALF == 2
        and list((ctypes.c_int64 * 2).from_address(words[_SHAPE])) == [2, 3]
        and words[_DTYPE] == id(array.dtype)
        and words[_FLAGS] & _LOW_HALF == array.flags.num
    )
