"""Reductions over any axes: sum, mean and var compiled, the others NumPy's own fast loops.

An array is seen as (outer, n, inner), ``n`` being what is reduced; for a contiguous array and
adjacent axes that is a reshape, not a copy.  Sums run in float64 over blocks of a fixed size, so
that a mean over 1e8 float32 values keeps its digits and no result depends on the number of threads.

``axes`` is None for all, an int or a tuple; every function returns an array, 0-d ones too.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple
from numpy.typing import NDArray

from .jit import flat, is_compiled_type
from .sums import NO_CENTERS, sum_columns, sum_rows, variance_columns, variance_rows

Array = NDArray[Any]
Axes = int | tuple[int, ...] | None


class Fold(NamedTuple):
    """An array as (outer, n, inner), flat, and the shape of what is left of it."""

    vector: Array
    n: int
    inner: int
    shape: tuple[int, ...]


def fold(x: Array, axes: Axes, keepdims: bool = False) -> Fold:
    """See ``x`` as (outer, n, inner), where n runs over ``axes``.

    A 0-d array has an axis 0, as in torch.  Axes that are not adjacent are moved to the end.
    Raises AxisError (an IndexError and a ValueError) for an axis that is not there.
    """
    ndim, shape = x.ndim, x.shape
    if axes is None:
        return Fold(flat(x), x.size, 1, (1,) * ndim if keepdims else ())
    if isinstance(axes, int) and -ndim <= axes < ndim:
        first = last = axes % ndim
    else:
        where = sorted(normalize_axis_tuple(axes, ndim or 1))
        if not (where and ndim):
            return Fold(flat(x), 1, 1, shape)
        first, last = where[0], where[-1]
        if len(where) != last - first + 1:
            return _fold_apart(x, where, keepdims)
    middle = (1,) * (last - first + 1) if keepdims else ()
    return Fold(
        flat(x),
        math.prod(shape[first : last + 1]),
        math.prod(shape[last + 1 :]),
        shape[:first] + middle + shape[last + 1 :],
    )


def _fold_apart(x: Array, where: list[int], keepdims: bool) -> Fold:
    kept = [axis for axis in range(x.ndim) if axis not in where]
    shape = [1 if axis in where else length for axis, length in enumerate(x.shape)]
    return Fold(
        flat(x.transpose(kept + where)),
        math.prod(x.shape[axis] for axis in where),
        1,
        tuple(shape if keepdims else (x.shape[axis] for axis in kept)),
    )


def _sum(folded: Fold, divisor: float, dtype: Any) -> Array:
    x, n, inner, shape = folded
    y = np.empty(shape, dtype)
    if inner == 1:
        sum_rows.run(x.size, x, y.ravel(), NO_CENTERS, n, divisor)
    elif y.size:
        sum_columns.run(x.size, x, y.ravel(), NO_CENTERS, n, inner, divisor)
    return y


def sum(x: Array, axes: Axes = None, keepdims: bool = False) -> Array:
    """The sum; integers and booleans are added in int64."""
    if is_compiled_type(x.dtype):
        return _sum(fold(x, axes, keepdims), 1.0, x.dtype)
    if x.dtype.kind in "biu":
        return np.asarray(np.add.reduce(x, axis=axes, dtype=np.int64, keepdims=keepdims))
    total = np.add.reduce(x, axis=axes, dtype=_wide(x), keepdims=keepdims)
    return np.asarray(total, x.dtype)


def mean(x: Array, axes: Axes = None, keepdims: bool = False) -> Array:
    """The mean; nan over no element.  Integers give float64."""
    dtype = x.dtype if x.dtype.kind in "fc" else np.dtype(np.float64)
    if not is_compiled_type(x.dtype):
        x = x.astype(_wide(x))
    if not is_compiled_type(x.dtype):
        return np.asarray(np.mean(x, axis=axes, keepdims=keepdims), dtype)
    folded = fold(x, axes, keepdims)
    return _sum(folded, float(folded.n), dtype)


def var(x: Array, axes: Axes = None, correction: float = 1, keepdims: bool = False) -> Array:
    """sum((x - mean)**2) / max(0, n - correction), in two passes.  Integers give float64."""
    dtype = x.dtype if x.dtype.kind in "fc" else np.dtype(np.float64)
    if not is_compiled_type(x.dtype):
        x = x.astype(np.float64)
    folded = fold(x, axes, keepdims)
    vector, n, inner, shape = folded
    centers = _sum(folded, float(n), np.float64).ravel()
    y = np.empty(shape, dtype)
    divisor = float(n - correction) if n > correction else 0.0
    if inner == 1:
        variance_rows.run(x.size, vector, y.ravel(), centers, n, divisor)
    elif y.size:
        variance_columns.run(x.size, vector, y.ravel(), centers, n, inner, divisor)
    return y


def _wide(x: Array) -> Any:
    """The type in which NumPy adds what is not compiled."""
    return x.dtype if x.dtype.itemsize > 8 or x.dtype.kind == "c" else np.dtype(np.float64)


def max(x: Array, axes: Axes = None, keepdims: bool = False) -> Array:
    """The largest element; nan if there is one.  ValueError if there is no element."""
    return np.asarray(np.maximum.reduce(x, axis=axes, keepdims=keepdims))


def min(x: Array, axes: Axes = None, keepdims: bool = False) -> Array:
    """The smallest element; nan if there is one.  ValueError if there is no element."""
    return np.asarray(np.minimum.reduce(x, axis=axes, keepdims=keepdims))


def argmax(x: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    """The index (int64) of the first largest element; of the first nan if there is one."""
    return np.asarray(x.argmax(axis, keepdims=keepdims), np.int64)


def argmin(x: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    """The index (int64) of the first smallest element; of the first nan if there is one."""
    return np.asarray(x.argmin(axis, keepdims=keepdims), np.int64)


def prod(x: Array, axes: Axes = None, keepdims: bool = False) -> Array:
    """The product; integers and booleans are multiplied in int64."""
    dtype = np.int64 if x.dtype.kind in "biu" else x.dtype
    return np.asarray(np.multiply.reduce(x, axis=axes, dtype=dtype, keepdims=keepdims))


def any(x: Array, axes: Axes = None, keepdims: bool = False) -> Array:
    """Whether some element is not zero."""
    return np.asarray(np.logical_or.reduce(x, axis=axes, keepdims=keepdims))


def all(x: Array, axes: Axes = None, keepdims: bool = False) -> Array:
    """Whether no element is zero."""
    return np.asarray(np.logical_and.reduce(x, axis=axes, keepdims=keepdims))
