"""What a linear layer needs beside its matrix products: the bias added to each row, and summed over them.

Small layers spend their time in the calls, so these are the leanest: a NumPy ufunc that broadcasts costs
three times as much as the kernel.
"""

import numpy as np
from numpy import ndarray

from . import reduction
from .jit import flat, is_compiled_type, kernel

# Up to this many elements one thread adds up the columns at once; above it, the reductions' blocks.
_SMALL = 1 << 15


@kernel
def _add_rows(y, bias):
    n = bias.size
    for row in range(y.size // n):
        start = max(row * n, 0)
        for i in range(n):
            y[start + i] += bias[i]


@kernel
def _column_sums(x, sums):
    n = sums.size
    totals = np.zeros(n)
    for row in range(x.size // n):
        start = max(row * n, 0)
        for i in range(n):
            totals[i] += x[start + i]
    for i in range(n):
        sums[i] = totals[i]


def add_bias(y: ndarray, bias: ndarray) -> ndarray:
    """Add `bias` to every row of `y`, in place; `y` is new contiguous memory of the bias's dtype."""
    if y.size and is_compiled_type(y.dtype):
        _add_rows(y.ravel(), flat(bias))
    else:
        y += bias
    return y


def column_sums(x: ndarray) -> ndarray:
    """The sums over the rows of a matrix, added in float64."""
    if x.size > _SMALL or not x.size or not is_compiled_type(x.dtype):
        return reduction.sum(x, 0)
    sums = np.empty(x.shape[1], x.dtype)
    _column_sums(flat(x), sums)
    return sums
