"""What a linear layer needs beside its matrix products: the bias added to each row, and summed over them,
with the ReLU that follows the layer if there is one.

Small layers spend their time in the calls, so these are the leanest: a NumPy ufunc that broadcasts costs
three times as much as the kernel.
"""

import numpy as np
from numpy import ndarray

from . import reduction
from .jit import flat, is_compiled_type, kernel
from .sigmoid import relu_point, relu_vjp, relu_vjp_point

# Up to this many elements one thread adds up the columns at once; above it, the reductions' blocks.
_SMALL = 1 << 15


@kernel
def _add_rows(y, bias, relu):
    n = bias.size
    for row in range(y.size // n):
        start = max(row * n, 0)
        if relu:
            for i in range(n):
                y[start + i] = relu_point(y[start + i] + bias[i])
        else:
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


@kernel
def _relu_columns(g, y, masked, sums):
    n = sums.size
    totals = np.zeros(n)
    for row in range(y.size // n):
        start = max(row * n, 0)
        for i in range(n):
            masked[start + i] = relu_vjp_point(g[start + i], y[start + i])
        for i in range(n):
            totals[i] += masked[start + i]
    for i in range(n):
        sums[i] = totals[i]


def add_bias(y: ndarray, bias: ndarray, relu: bool = False) -> ndarray:
    """Add `bias` to the rows of `y` in place, then apply a ReLU; `y` is contiguous memory of its dtype."""
    if y.size and is_compiled_type(y.dtype):
        _add_rows.serial(y.ravel(), flat(bias), relu)
        return y
    y += bias
    return np.maximum(y, 0, out=y) if relu else y


def column_sums(x: ndarray) -> ndarray:
    """The sums over the rows of a matrix, added in float64."""
    if x.size > _SMALL or not x.size or not is_compiled_type(x.dtype):
        return reduction.sum(x, 0)
    sums = np.empty(x.shape[1], x.dtype)
    _column_sums.serial(flat(x), sums)
    return sums


def relu_columns(g: ndarray, y: ndarray) -> tuple[ndarray, ndarray]:
    """A ReLU's cotangent `g` where its result `y` is positive, else 0; and the sums over the rows of that."""
    if y.size > _SMALL:
        masked = relu_vjp(g, y)
        return masked, column_sums(masked)
    masked, sums = np.empty(y.shape, y.dtype), np.empty(y.shape[1], y.dtype)
    _relu_columns.serial(flat(g), y.ravel(), masked.ravel(), sums)
    return masked, sums
