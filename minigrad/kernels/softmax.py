"""Softmax, log_softmax and logsumexp along an axis, with the cotangent rules of the first two.

Arrays are seen as (outer, n, inner): with inner = 1 the kernels go row by row, otherwise they take
strips of neighbouring columns, so that they vectorise along the memory either way.  The maximum is
subtracted before exp, and sums run in float64, along rows over float32 sums of `_SHORT` elements.
"""

# The types of a kernel's arguments are inferred when it is compiled.
# mypy: allow-untyped-defs, no-check-untyped-defs

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .jit import Kernel, flat, is_compiled_type, kernel, prange
from .math import exp_and_rest, from_order, log, log1p, order
from .math import exp_nonpositive as exp
from .reduction import Axes, fold, keeping_dims

Array = NDArray[Any]

# Elements that take about 0.2 ms: to wake the threads takes 0.06 ms (measured).
_THRESHOLD = 300_000
_STRIP = 256
_SHORT = 128


# Sums may be reordered, so that they vectorise; exp has flags of its own.
_SUM = {"contract", "reassoc", "nsz"}


@kernel
def _largest(x, row):
    """The maximum of a row; any number or nan if it holds a nan: every sum will be nan then."""
    largest = order(x[row, 0])
    for i in range(x.shape[1]):
        value = order(x[row, i])
        largest = value if value > largest else largest
    return from_order(largest)


@kernel
def _not_above_zero(x):
    """Only numbers beside an infinite maximum are above it; nan stays."""
    return type(x)(0) if x > type(x)(0) else x


# The sums of `_SHORT` elements run in the elements' own type: beside float64 LLVM would compute half as many
# exponentials at a time.


@kernel(fastmath=_SUM)
def _short_sum_exp(x, row, shift, start, count):
    start, total = max(start, 0), type(shift)(0)
    for i in range(count):
        total += exp(_not_above_zero(x[row, start + i] - shift))
    return np.float64(total)


@kernel(fastmath=_SUM)
def _short_sum_below(x, row, top, start, count):
    start, one = max(start, 0), type(top)(1)
    total, ties = type(top)(0), type(top)(0)
    for i in range(count):
        e = exp(x[row, start + i] - top)
        total += e if e != one else type(top)(0)
        ties += one if e == one else type(top)(0)
    return np.float64(total), np.float64(ties)


@kernel(fastmath=_SUM)
def _short_store_exp(x, row, shift, y, start, count):
    start, total = max(start, 0), type(shift)(0)
    for i in range(count):
        e = exp(x[row, start + i] - shift)
        y[row, start + i] = e
        total += e
    return np.float64(total)


@kernel
def _sum_exp(x, row, shift):
    total = np.float64(0)
    for start in range(0, x.shape[1], _SHORT):
        total += _short_sum_exp(x, row, shift, start, min(_SHORT, x.shape[1] - start))
    return total


@kernel
def _sum_below(x, row, top):
    """The sum of exp(x - top) less the 1 of the largest itself, which would hide what is small."""
    total, ties = np.float64(0), np.float64(-1)
    for start in range(0, x.shape[1], _SHORT):
        below, equal = _short_sum_below(x, row, top, start, min(_SHORT, x.shape[1] - start))
        total += below
        ties += equal
    return total + ties


@kernel
def _store_exp(x, row, shift, y):
    total = np.float64(0)
    for start in range(0, x.shape[1], _SHORT):
        total += _short_store_exp(x, row, shift, y, start, min(_SHORT, x.shape[1] - start))
    return total


@kernel(fastmath=_SUM)
def _sum(x, row):
    total = np.float64(0)
    for i in range(x.shape[1]):
        total += np.float64(x[row, i])
    return total


@kernel(fastmath=_SUM)
def _dot(g, y, row):
    total = np.float64(0)
    for i in range(y.shape[1]):
        total += np.float64(g[row, i]) * np.float64(y[row, i])
    return total


@kernel
def _finite(x):
    """0 for infinities: x - inf would be nan where logsumexp is infinite."""
    return x if abs(x) < np.inf else type(x)(0)


@kernel(parallel=True, threshold=_THRESHOLD)
def _softmax_rows(x, y):
    for row in prange(x.shape[0]):
        total = _store_exp(x, row, _largest(x, row), y)
        scale = type(x[row, 0])(1 / total)
        for i in range(x.shape[1]):
            y[row, i] *= scale


@kernel(parallel=True, threshold=_THRESHOLD)
def _log_softmax_rows(x, y):
    for row in prange(x.shape[0]):
        largest = _largest(x, row)
        log_total = type(largest)(log1p(_sum_below(x, row, largest)))
        for i in range(x.shape[1]):
            y[row, i] = (x[row, i] - largest) - log_total


@kernel(parallel=True, threshold=_THRESHOLD)
def _logsumexp_rows(x, y):
    for row in prange(x.shape[0]):
        largest = _largest(x, row)
        y[row] = np.float64(largest) + log(_sum_exp(x, row, _finite(largest)))


@kernel(parallel=True, threshold=_THRESHOLD)
def _softmax_vjp_rows(g, y, out):
    for row in prange(y.shape[0]):
        dot = type(y[row, 0])(_dot(g, y, row))
        for i in range(y.shape[1]):
            out[row, i] = y[row, i] * (g[row, i] - dot)


@kernel(parallel=True, threshold=_THRESHOLD)
def _log_softmax_vjp_rows(g, y, out):
    for row in prange(y.shape[0]):
        total = type(g[row, 0])(_sum(g, row))
        for i in range(y.shape[1]):
            p, rest = exp_and_rest(y[row, i])
            out[row, i] = g[row, i] * rest - p * (total - g[row, i])


@kernel(parallel=True, threshold=_THRESHOLD)
def _logsumexp_vjp_rows(g, x, y, out):
    for row in prange(x.shape[0]):
        own, shift = g[row], y[row]
        if own == 0:  # whatever the row is
            for i in range(x.shape[1]):
                out[row, i] = 0
        else:
            for i in range(x.shape[1]):
                out[row, i] = own * exp(x[row, i] - shift)


# The same by columns: x[o, :, first : first + shift.size], one strip of columns at a time.


@kernel
def _strip_of(x, k):
    """The outer index and the columns of strip ``k``."""
    strips = -(-x.shape[2] // _STRIP)
    first = k % strips * _STRIP
    # The maximum tells LLVM that no index is negative; else the loops would not vectorise.
    return k // strips, max(first, 0), min(_STRIP, x.shape[2] - first)


@kernel
def _zeros(width):
    zeros = np.empty(width)  # np.zeros takes Numba 0.1 s to compile
    for j in range(width):
        zeros[j] = 0
    return zeros


@kernel
def _largest_columns(x, o, first, width):
    first, largest = max(first, 0), np.empty(width, x.dtype)
    for j in range(width):
        largest[j] = x[o, 0, first + j]
    for i in range(1, x.shape[1]):
        for j in range(width):
            value = x[o, i, first + j]
            # A nan stays out, or takes the place; either way the sum will be nan.
            largest[j] = value if value > largest[j] else largest[j]
    return largest


@kernel
def _sum_exp_columns(x, o, first, shift):
    first, total = max(first, 0), _zeros(shift.size)
    for i in range(x.shape[1]):
        for j in range(shift.size):
            total[j] += np.float64(exp(_not_above_zero(x[o, i, first + j] - shift[j])))
    return total


@kernel
def _sum_below_columns(x, o, first, top):
    """As `_sum_below`."""
    first, total, ties = max(first, 0), _zeros(top.size), _zeros(top.size)
    for i in range(x.shape[1]):
        for j in range(top.size):
            e = np.float64(exp(x[o, i, first + j] - top[j]))
            total[j] += e if e != 1 else np.float64(0)
            ties[j] += np.float64(1) if e == 1 else np.float64(0)
    for j in range(top.size):
        total[j] += ties[j] - np.float64(1)
    return total


@kernel(parallel=True, threshold=_THRESHOLD)
def _softmax_columns(x, y):
    for k in prange(x.shape[0] * -(-x.shape[2] // _STRIP)):
        o, first, width = _strip_of(x, k)
        shift, total = _largest_columns(x, o, first, width), _zeros(width)
        for i in range(x.shape[1]):
            for j in range(width):
                value = exp(x[o, i, first + j] - shift[j])
                y[o, i, first + j] = value
                total[j] += np.float64(value)
        for j in range(width):
            shift[j] = 1 / total[j]
        for i in range(x.shape[1]):
            for j in range(width):
                y[o, i, first + j] *= shift[j]


@kernel(parallel=True, threshold=_THRESHOLD)
def _log_softmax_columns(x, y):
    for k in prange(x.shape[0] * -(-x.shape[2] // _STRIP)):
        o, first, width = _strip_of(x, k)
        shift, log_total = _largest_columns(x, o, first, width), np.empty(width, x.dtype)
        rest = _sum_below_columns(x, o, first, shift)
        for j in range(width):
            log_total[j] = log1p(rest[j])
        for i in range(x.shape[1]):
            for j in range(width):
                y[o, i, first + j] = (x[o, i, first + j] - shift[j]) - log_total[j]


@kernel(parallel=True, threshold=_THRESHOLD)
def _logsumexp_columns(x, y):
    for k in prange(x.shape[0] * -(-x.shape[2] // _STRIP)):
        o, first, width = _strip_of(x, k)
        largest, shift = _largest_columns(x, o, first, width), np.empty(width, x.dtype)
        for j in range(width):
            shift[j] = _finite(largest[j])
        total = _sum_exp_columns(x, o, first, shift)
        for j in range(width):
            y[o, first + j] = np.float64(largest[j]) + log(total[j])


@kernel(parallel=True, threshold=_THRESHOLD)
def _softmax_vjp_columns(g, y, out):
    for k in prange(y.shape[0] * -(-y.shape[2] // _STRIP)):
        o, first, width = _strip_of(y, k)
        total, dot = _zeros(width), np.empty(width, y.dtype)
        for i in range(y.shape[1]):
            for j in range(width):
                total[j] += np.float64(g[o, i, first + j]) * np.float64(y[o, i, first + j])
        for j in range(width):
            dot[j] = total[j]
        for i in range(y.shape[1]):
            for j in range(width):
                out[o, i, first + j] = y[o, i, first + j] * (g[o, i, first + j] - dot[j])


@kernel(parallel=True, threshold=_THRESHOLD)
def _log_softmax_vjp_columns(g, y, out):
    for k in prange(y.shape[0] * -(-y.shape[2] // _STRIP)):
        o, first, width = _strip_of(y, k)
        total, slope = _zeros(width), np.empty(width, y.dtype)
        for i in range(y.shape[1]):
            for j in range(width):
                total[j] += np.float64(g[o, i, first + j])
        for j in range(width):
            slope[j] = total[j]
        for i in range(y.shape[1]):
            for j in range(width):
                own, log_p = g[o, i, first + j], y[o, i, first + j]
                p, rest = exp_and_rest(log_p)
                out[o, i, first + j] = own * rest - p * (slope[j] - own)


@kernel(parallel=True, threshold=_THRESHOLD)
def _logsumexp_vjp_columns(g, x, y, out):
    for k in prange(x.shape[0] * -(-x.shape[2] // _STRIP)):
        o, first, width = _strip_of(x, k)
        for i in range(x.shape[1]):
            for j in range(width):
                own = g[o, first + j]
                share = own * exp(x[o, i, first + j] - y[o, first + j])
                out[o, i, first + j] = share if own != 0 else own


def _run(rows: Kernel, columns: Kernel, axis: int, *arrays: Array) -> Array:
    """Run one of the kernels on arrays of one shape, the last of which gives the type."""
    x = arrays[-1]
    dtype = x.dtype
    if not is_compiled_type(dtype):
        result = _run(rows, columns, axis, *(a.astype(np.float64) for a in arrays))
        return result.astype(dtype if dtype.kind == "f" else np.float32)
    _, n, inner, _ = fold(x, axis)
    out = np.empty(x.shape, dtype)
    if x.size:
        shape = (x.size // n, n) if inner == 1 else (x.size // (n * inner), n, inner)
        views = [_seen_as(shape, a if a.dtype is dtype else a.astype(dtype)) for a in arrays]
        (rows if inner == 1 else columns).run(x.size, *views, _seen_as(shape, out))
    return out


def _seen_as(shape: tuple[int, ...], x: Array) -> Array:
    """A contiguous array in another shape; usually it is one and has that shape already."""
    return x if x.shape == shape and x.flags.carray else flat(x).reshape(shape)


def softmax(x: Array, axis: int) -> Array:
    """exp(x) / sum(exp(x)) along ``axis``; nan where the whole row is -inf, or holds +inf."""
    return _run(_softmax_rows, _softmax_columns, axis, x)


def softmax_vjp(g: Array, y: Array, axis: int) -> Array:
    """y (g - sum(g y)), y being the softmax."""
    return _run(_softmax_vjp_rows, _softmax_vjp_columns, axis, g, y)


def log_softmax(x: Array, axis: int) -> Array:
    """x - log(sum(exp(x))) along ``axis``; nan where the whole row is -inf, or holds +inf."""
    return _run(_log_softmax_rows, _log_softmax_columns, axis, x)


def log_softmax_vjp(g: Array, y: Array, axis: int) -> Array:
    """g - exp(y) sum(g), y being the log_softmax.

    As g (1 - exp(y)) - exp(y) (sum(g) - g), which keeps the digits of a class that is nearly certain.
    """
    return _run(_log_softmax_vjp_rows, _log_softmax_vjp_columns, axis, g, y)


def logsumexp(x: Array, axes: Axes, keepdims: bool = False) -> Array:
    """log(sum(exp(x))) over ``axes``; -inf where there are only -inf or no element at all."""
    dtype = x.dtype
    if not is_compiled_type(dtype):
        y = logsumexp(x.astype(np.float64), axes, keepdims)
        return y.astype(dtype if dtype.kind == "f" else np.float32)
    x, n, inner, shape = fold(x, axes, keepdims)
    y = np.empty(shape, dtype)
    if not x.size:
        y.fill(-np.inf)
    elif inner == 1:
        _logsumexp_rows.run(x.size, flat(x).reshape(-1, n), y.ravel())
    else:
        _logsumexp_columns.run(x.size, flat(x).reshape(-1, n, inner), y.reshape(-1, inner))
    return y


def logsumexp_vjp(g: Array, x: Array, y: Array, axes: Axes, keepdims: bool = False) -> Array:
    """g exp(x - y), y being the logsumexp; 0 where g is."""
    dtype = x.dtype
    source, n, inner, _ = fold(x, axes)
    if source is not x or not is_compiled_type(dtype):
        kept = keeping_dims(x.shape, axes)
        g, y = g.reshape(kept), y.reshape(kept)
        return np.where(g != 0, g * np.exp(x - y), 0).astype(dtype)
    out = np.empty(x.shape, dtype)
    if not x.size:
        return out
    shape = (-1, n) if inner == 1 else (-1, n, inner)
    small = (-1,) if inner == 1 else (-1, inner)
    loop = _logsumexp_vjp_rows if inner == 1 else _logsumexp_vjp_columns
    loop.run(
        x.size,
        *(flat(g).reshape(small), flat(x).reshape(shape), flat(y).reshape(small), out.reshape(shape)),
    )
    return out
