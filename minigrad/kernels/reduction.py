"""Reductions over any axes: sum, mean and var compiled, the others NumPy's own fast loops.

An array is seen as (outer, n, inner), ``n`` being what is reduced; for a contiguous array and
adjacent axes that is a reshape, not a copy.  Blocks of a fixed size are added in float64, so that
a mean over 1e8 float32 values keeps its digits and no result depends on the number of threads.

``axes`` is None for all, an int or a tuple; every function returns an array, 0-d ones too.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple
from numpy.typing import NDArray

from .extremes import extreme_of_all
from .jit import flat, is_compiled_type
from .sums import (
    NO_CENTERS,
    centred_columns,
    centred_rows,
    sum_columns,
    sum_rows,
    variance_columns,
    variance_rows,
)

Array = NDArray[Any]
Axes = int | tuple[int, ...] | None


# An array whose flat elements are (outer, n, inner); n; inner; the shape of the result.
Fold = tuple[Array, int, int, tuple[int, ...]]


def fold(x: Array, axes: Axes, keepdims: bool = False) -> Fold:
    """See ``x`` as (outer, n, inner), where n runs over ``axes``.

    A 0-d array has an axis 0, as in torch.  Axes that are not adjacent are moved to the end.
    Raises AxisError (an IndexError and a ValueError) for an axis that is not there.
    """
    shape = x.shape
    ndim = len(shape)
    if axes is None:
        return x, x.size, 1, (1,) * ndim if keepdims else ()
    if type(axes) is tuple and len(axes) == 1:
        axes = axes[0]
    if ndim and (axes == ndim - 1 or axes == -1):  # the usual case, in half the time of what follows
        return x, shape[-1], 1, (*shape[:-1], 1) if keepdims else shape[:-1]
    if isinstance(axes, int) and -ndim <= axes < ndim:
        first = axes % ndim
        end = first + 1
    else:
        where = sorted(normalize_axis_tuple(axes, ndim or 1))
        if not (where and ndim):
            return x, 1, 1, shape
        first, end = where[0], where[-1] + 1
        if len(where) != end - first:
            return _fold_apart(x, where, keepdims)
    middle = (1,) * (end - first) if keepdims else ()
    n, inner = math.prod(shape[first:end]), math.prod(shape[end:])
    return x, n, inner, shape[:first] + middle + shape[end:]


def _fold_apart(x: Array, where: list[int], keepdims: bool) -> Fold:
    kept = [axis for axis in range(x.ndim) if axis not in where]
    n = math.prod(x.shape[axis] for axis in where)
    if keepdims:
        shape = [1 if axis in where else length for axis, length in enumerate(x.shape)]
    else:
        shape = [x.shape[axis] for axis in kept]
    return x.transpose(kept + where), n, 1, tuple(shape)


def keeping_dims(shape: tuple[int, ...], axes: Axes) -> tuple[int, ...]:
    """The shape of a reduction over ``axes`` that keeps them with size 1."""
    if axes is None:
        return (1,) * len(shape)
    where = {axis % len(shape) for axis in ((axes,) if isinstance(axes, int) else axes)}
    return tuple(1 if axis in where else length for axis, length in enumerate(shape))


def _sum(folded: Fold, divisor: float, dtype: Any) -> Array:
    x, n, inner, shape = folded
    y = np.empty(shape, dtype)
    if inner == 1:
        sum_rows.run(x.size, flat(x), y.ravel(), n, divisor)
    elif y.size:
        sum_columns.run(x.size, flat(x), y.ravel(), NO_CENTERS, n, inner, divisor)
    return y


def sum(x: Array, axes: Axes = None, keepdims: bool = False) -> Array:
    """The sum; integers and booleans are added in int64."""
    if is_compiled_type(x.dtype):
        return _sum(fold(x, axes, keepdims), 1.0, x.dtype)
    if x.dtype.kind in "biu":
        return _reduce(np.add, x, axes, keepdims, np.int64)
    return _in_float64(sum, x, axes, keepdims=keepdims)


def mean(x: Array, axes: Axes = None, keepdims: bool = False) -> Array:
    """The mean; nan over no element.  Integers give float64."""
    if not is_compiled_type(x.dtype):
        return _in_float64(mean, x, axes, keepdims=keepdims)
    folded = fold(x, axes, keepdims)
    return _sum(folded, float(folded[1]), x.dtype)


def var(x: Array, axes: Axes = None, correction: float = 1, keepdims: bool = False) -> Array:
    """sum((x - mean)**2) / max(0, n - correction).  Integers give float64."""
    if not is_compiled_type(x.dtype):
        return _in_float64(var, x, axes, correction=correction, keepdims=keepdims)
    return var_and_means(x, axes, correction, keepdims)[0]


def var_and_means(
    x: Array, axes: Axes = None, correction: float = 1, keepdims: bool = False
) -> tuple[Array, Array]:
    """`var` of float32 or float64, and the means, flat and in float64, that `centred` takes."""
    folded = fold(x, axes, keepdims)
    source, n, inner, shape = folded
    y = np.empty(shape, x.dtype)
    divisor = float(n - correction) if n > correction else 0.0
    if inner == 1:
        means = np.empty(y.size)
        if x.size:
            variance_rows.run(x.size, flat(source), y.ravel(), means, n, divisor)
        else:
            y.fill(np.nan)
        return y, means
    means = _sum(folded, float(n), np.float64).ravel()
    if y.size:
        variance_columns.run(x.size, flat(source), y.ravel(), means, n, inner, divisor)
    return y, means


def centred(x: Array, means: Array, scales: Array, axes: Axes = None) -> Array:
    """(x - mean) * scale, with a mean and a scale for each of the numbers that ``axes`` reduce to.

    Where a scale is 0 the result is, whatever x is.
    """
    source, n, inner, _ = fold(x, axes)
    out = np.empty(source.shape, x.dtype)
    values, result = flat(source), out.reshape(-1)
    if inner == 1 and x.size:
        centred_rows.run(x.size, values, means, flat(scales), result, n)
    elif x.size:
        centred_columns.run(x.size, values, means, flat(scales), result, n, inner)
    if source is x:
        return out
    reduced = normalize_axis_tuple(() if axes is None else axes, x.ndim)
    order = sorted(range(x.ndim), key=lambda axis: axis in reduced)  # as `fold` has moved them
    return np.ascontiguousarray(out.transpose(np.argsort(order)))


def _in_float64(function: Callable[..., Array], x: Array, axes: Axes, **options: Any) -> Array:
    y = function(x.astype(np.float64), axes, **options)
    return y.astype(x.dtype) if x.dtype.kind == "f" else y


def _reduce(ufunc: Any, x: Array, axes: Axes, keepdims: bool, dtype: Any = None) -> Array:
    return np.asarray(ufunc.reduce(x, axis=axes, dtype=dtype, keepdims=keepdims))


def max(x: Array, axes: Axes = None, keepdims: bool = False) -> Array:
    """The largest element; nan if there is one.  ValueError if there is no element."""
    if axes is None and not keepdims and x.size and is_compiled_type(x.dtype):
        return extreme_of_all(x)
    return _reduce(np.maximum, x, axes, keepdims)


def min(x: Array, axes: Axes = None, keepdims: bool = False) -> Array:
    """The smallest element; nan if there is one.  ValueError if there is no element."""
    if axes is None and not keepdims and x.size and is_compiled_type(x.dtype):
        return extreme_of_all(x, smallest=True)
    return _reduce(np.minimum, x, axes, keepdims)


def argmax(x: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    """The index (int64) of the first largest element; of the first nan if there is one."""
    return np.asarray(np.argmax(x, axis, keepdims=keepdims), np.int64)


def argmin(x: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    """The index (int64) of the first smallest element; of the first nan if there is one."""
    return np.asarray(np.argmin(x, axis, keepdims=keepdims), np.int64)


def prod(x: Array, axes: Axes = None, keepdims: bool = False) -> Array:
    """The product; integers and booleans are multiplied in int64."""
    dtype = np.int64 if x.dtype.kind in "biu" else x.dtype
    return _reduce(np.multiply, x, axes, keepdims, dtype)


def any(x: Array, axes: Axes = None, keepdims: bool = False) -> Array:
    """Whether some element is not zero."""
    return _reduce(np.logical_or, x, axes, keepdims)


def all(x: Array, axes: Axes = None, keepdims: bool = False) -> Array:
    """Whether no element is zero."""
    return _reduce(np.logical_and, x, axes, keepdims)
