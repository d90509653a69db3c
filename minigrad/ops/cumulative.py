"""Running sums, products and extremes along a dimension, differences, and the trapezoidal rule."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import dtypes
from minigrad.autograd.fused import fused
from minigrad.autograd.op import Primitive, primitive
from minigrad.autograd.tape import Variable
from minigrad.ops import return_types
from minigrad.ops.comparison import logical_xor
from minigrad.ops.dims import ndim_of, normalize_dim, on_tensor
from minigrad.ops.elementwise import where
from minigrad.ops.joining import cat, slice_along
from minigrad.ops.picking import pick
from minigrad.ops.reduction import as_dtype, sum_of
from minigrad.ops.shape import clone, reshape_to


def _accumulated(ufunc: np.ufunc, x: ndarray, axis: int, reverse: bool = False) -> ndarray:
    """Running values of a ufunc, from the end with `reverse`; floats run in float64, as torch's do."""
    if x.ndim == 0:
        return x.astype(np.int64) if x.dtype.kind in "biu" else x.copy()
    if reverse:
        return np.flip(_accumulated(ufunc, np.flip(x, axis), axis), axis)
    whole = x.dtype.kind in "biu"
    running = ufunc.accumulate(x, axis, np.int64 if whole else np.float64)
    return running if whole else running.astype(x.dtype, copy=False)


def _running_sum(x: ndarray, *, axis: int, reverse: bool = False) -> ndarray:
    return _accumulated(np.add, x, axis, reverse)


_cumsum: Primitive = primitive(_running_sum, name="cumsum").vjp(
    lambda g, axis, reverse: _cumsum(g, axis=axis, reverse=not reverse)
)


def _running_product(x: ndarray, *, axis: int) -> ndarray:
    return _accumulated(np.multiply, x, axis)


def _cumprod_rule(g: Any, x: Any, y: Any, axis: int) -> Any:
    """sum over j >= i of g_j y_j / x_i; where there are zeros, by the products over the others."""
    array = x._array if isinstance(x, Variable) else x
    if array.ndim == 0:
        return g
    if array.all():
        return _cumsum(g * y, axis=axis, reverse=True) / x
    if isinstance(x, Variable):
        return _cumprod_rule_of_others(g, x, axis)
    first = (x == 0) & (np.cumsum(x == 0, axis) == 1)
    others = _running_product(np.where(first, 1, x).astype(x.dtype), axis=axis)
    before = _running_sum(g * y, axis=axis, reverse=True) / np.where(x == 0, 1, x)
    at_first = _running_sum(g * others * (np.cumsum(first, axis) > 0), axis=axis, reverse=True)
    return np.where(first, at_first, np.where(np.cumsum(x == 0, axis) == 0, before, 0)).astype(x.dtype)


def _cumprod_rule_of_others(g: Any, x: Any, axis: int) -> Any:
    """The same without division, n**2 numbers a row: what further derivatives are made of at zeros."""
    n, ndim = x.shape[axis], len(x.shape)
    replaced = np.eye(n, dtype=bool).reshape(n, *(n if i == axis else 1 for i in range(ndim)))
    products = _cumprod(where(replaced, 1.0, reshape_to(x, shape=(1, *x.shape))), axis=axis + 1)
    later = np.tri(n, dtype=x._array.dtype).T.reshape(replaced.shape)
    parts = sum_of(products * later * g, (axis + 1,), False)  # rows in front
    return parts.permute(*range(1, axis + 1), 0, *range(axis + 1, ndim))


_cumprod: Primitive = primitive(_running_product, name="cumprod").vjp(_cumprod_rule)


def _running_logsumexp(x: ndarray, *, axis: int) -> ndarray:
    return _accumulated(np.logaddexp, x, axis)


def _signed(u: ndarray, total: Any) -> ndarray:
    """`total` of the logarithms of positive and of negative numbers, one less the other."""
    with np.errstate(all="ignore"):
        return total(np.log(np.maximum(u, 0))) - total(np.log(np.maximum(-u, 0)))


def _weighted(u: ndarray, v: ndarray, s: ndarray, *, axis: int, forward: bool) -> ndarray:
    """Sum over i <= j of u_i exp(v_i - s_j), or its adjoint, over j >= i of u_j exp(v_i - s_j)."""

    def total(logs: ndarray) -> ndarray:
        if forward:
            return np.exp(_accumulated(np.logaddexp, logs + v, axis) - s)
        return np.exp(_accumulated(np.logaddexp, logs - s, axis, reverse=True) + v)

    return total(np.log(np.maximum(u, 0))) - total(np.log(np.maximum(-u, 0)))


_shares: Primitive = primitive(_weighted, name="shares").vjp(
    lambda g, v, s, axis, forward: _shares(g, v, s, axis=axis, forward=not forward),
    lambda g, y, u, v, s, axis, forward: u * _shares(g, v, s, axis=axis, forward=False) if forward else g * y,
    lambda g, y, u, v, s, axis, forward: (
        -g * y if forward else -u * _shares(g, v, s, axis=axis, forward=True)
    ),
)
_logcumsumexp: Primitive = primitive(_running_logsumexp, name="logcumsumexp").vjp(
    lambda g, x, y, axis: _shares(g, x, y, axis=axis, forward=False)
)


@on_tensor
def cumsum(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """The running sum along `dim`: y_i = x_0 + ... + x_i. Integers and bools are summed as int64.

    Raises:
        IndexError: `dim` is out of range.

    Example:
        >>> import minigrad
        >>> minigrad.cumsum(minigrad.tensor([1.0, 2.0, 3.0]), dim=0)
        tensor([1., 3., 6.])
    """
    _check_dim("cumsum", dim)
    axis = normalize_dim(dim, ndim_of(input))
    return as_dtype(_cumsum(as_dtype(input, dtype), axis=axis, reverse=False), dtype)


@on_tensor
def cumprod(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """The running product along `dim`: y_i = x_0 ... x_i; its gradient is right also at zeros.

    Raises:
        IndexError: `dim` is out of range.

    Example:
        >>> import minigrad
        >>> minigrad.cumprod(minigrad.tensor([1.0, 2.0, 3.0]), dim=0)
        tensor([1., 2., 6.])
    """
    _check_dim("cumprod", dim)
    axis = normalize_dim(dim, ndim_of(input))
    return as_dtype(_cumprod(as_dtype(input, dtype), axis=axis), dtype)


def _check_dim(name: str, dim: Any) -> None:
    if dim is None:
        raise TypeError(f"{name}(): argument 'dim' must be int, not NoneType")


@on_tensor
def logcumsumexp(input: Any, dim: int) -> Any:
    """The running log(sum(exp(x))) along `dim`, without overflow.

    Raises:
        NotImplementedError: `input` is not floating point.

    Example:
        >>> import minigrad
        >>> minigrad.logcumsumexp(minigrad.tensor([1000.0, 1000.0]), dim=0)
        tensor([1000.0000, 1000.6932])
    """
    axis = normalize_dim(dim, ndim_of(input))
    if input._array.dtype.kind != "f":
        raise NotImplementedError(
            f'"logcumsumexp_out_cpu" not implemented for {dtypes.of(input._array).scalar_type!r}'
        )
    return _logcumsumexp(input, axis=axis)


def _running_extreme(input: Any, dim: int, ufunc: np.ufunc, kind: Any) -> Any:
    """Values and places of a running extreme; the last of those that tie, as torch chooses."""
    x = input._array
    if x.ndim == 0 and dim not in (0, -1):
        raise IndexError(f"{kind.__name__}(): Expected reduction dim -1 or 0 for scalar but got {dim}")
    axis = normalize_dim(dim, x.ndim)
    if x.ndim == 0 or x.size == 0:
        return kind(*pick(input, np.zeros(x.shape, np.int64), axis, _backward_of(kind), repeated=True))
    running = ufunc.accumulate(x, axis)
    counted = np.arange(x.shape[axis]).reshape([-1 if i == axis else 1 for i in range(x.ndim)])
    places = np.maximum.accumulate(np.where((x == running) | (x != x), counted, 0), axis)
    return kind(*pick(input, places, axis, _backward_of(kind), repeated=True))


def _backward_of(kind: Any) -> str:
    return f"{kind.__name__.capitalize()}Backward0"


@on_tensor
def cummax(input: Any, dim: int) -> Any:
    """The largest element so far along `dim`, and its place: the pair (values, indices).

    Example:
        >>> import minigrad
        >>> minigrad.cummax(minigrad.tensor([1.0, 3.0, 2.0]), dim=0)
        torch.return_types.cummax(
        values=tensor([1., 3., 3.]),
        indices=tensor([0, 1, 1]))
    """
    return _running_extreme(input, dim, np.maximum, return_types.cummax)


@on_tensor
def cummin(input: Any, dim: int) -> Any:
    """The smallest element so far along `dim`, and its place: the pair (values, indices).

    Example:
        >>> import minigrad
        >>> minigrad.cummin(minigrad.tensor([2.0, 3.0, 1.0]), dim=0).values
        tensor([2., 2., 1.])
    """
    return _running_extreme(input, dim, np.minimum, return_types.cummin)


# ------------------------------------------------------------------------------ differences and integrals
def _part(x: Any, axis: int, start: int, stop: int) -> Any:
    return slice_along(x, axis=axis, start=start, stop=stop, label="Slice")


def _neighbours(x: Any, axis: int) -> tuple[Any, Any]:
    """The elements without the first, and without the last."""
    n = x.shape[axis]
    return _part(x, axis, 1, n), _part(x, axis, 0, n - 1 if n else 0)


@on_tensor
def diff(input: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Differences of neighbours along `dim`, x_{i+1} - x_i, taken `n` times; of bools, whether they differ.

    Raises:
        RuntimeError: `n` is negative, `input` has no dimension, or `prepend` or `append` does not fit.

    Example:
        >>> import minigrad
        >>> minigrad.diff(minigrad.tensor([1, 4, 9, 16]))
        tensor([3, 5, 7])
    """
    if not ndim_of(input):
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    axis = normalize_dim(dim, ndim_of(input))
    ends = [end for end in (prepend, append) if end is not None]
    for end in ends:
        _check_end(input, end, axis)
    if ends:
        input = cat([part for part in (prepend, input, append) if part is not None], axis)
    if n == 0:
        return clone(input)
    subtract = logical_xor if input._array.dtype == bool else lambda a, b: a - b
    for _ in range(min(n, input.shape[axis])):
        input = subtract(*_neighbours(input, axis))
    return input


def _check_end(input: Any, end: Any, axis: int) -> None:
    if ndim_of(end) != ndim_of(input):
        raise RuntimeError("diff expects prepend or append to be the same dimension as input")
    for i, (size, other) in enumerate(zip(input._array.shape, end._array.shape, strict=True)):
        if i != axis and size != other:
            raise RuntimeError(
                "diff expects the shape of tensor to prepend or append to match that of input except along "
                f"the differencing dimension; input.size({i}) = {size}, but got tensor.size({i}) = {other}"
            )


def _widths(name: str, y: Any, x: Any, axis: int) -> Any:
    """The distances between sample points, in the shape of y."""
    if ndim_of(x) == 1 and ndim_of(y) != 1:
        if x._array.shape[0] != y._array.shape[axis]:
            raise RuntimeError(f"{name}: There must be one `x` value for each sample point")
        x = reshape_to(x, shape=tuple(-1 if i == axis else 1 for i in range(ndim_of(y))))
    right, left = _neighbours(x, axis - ndim_of(y) + ndim_of(x))
    return right - left


def _panels(name: str, y: Any, axis: int) -> Any:
    if y._array.dtype == bool:
        raise RuntimeError(f"{name}: received a bool input for `y`, but bool is not supported")
    right, left = _neighbours(y, axis)
    return left + right


@fused(grad_name="MulBackward1")
def _scaled(input: Any, factor: float) -> Any:
    return input * factor


@fused(grad_name="DivBackward1")
def _halved(input: Any) -> Any:
    return input / 2.0


@on_tensor
def trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """The integral along `dim` by the trapezoidal rule: sum of (y_i + y_{i+1}) / 2 times the distance.

    The sample points are `x`, or `dx` (1 by default) apart.

    Raises:
        RuntimeError: `x` has not one value for each sample point.

    Example:
        >>> import minigrad
        >>> minigrad.trapezoid(minigrad.tensor([1.0, 5.0, 10.0]))
        tensor(10.5000)
    """
    axis = _axis_of_samples(y, dim, "Dimension specified as -1 but tensor has no dimensions")
    if y._array.shape[axis] == 0:
        return y._result._wrap(np.sum(y._array, axis, y._array.dtype))
    panels = _panels("trapezoid", y, axis)
    if x is None:
        return _scaled(sum_of(panels, (axis,), False), (1 if dx is None else dx) / 2)
    return _halved(sum_of(panels * _widths("trapezoid", y, x, axis), (axis,), False))


@on_tensor
def cumulative_trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """The running integral along `dim` by the trapezoidal rule, one value less than there are samples.

    Example:
        >>> import minigrad
        >>> minigrad.cumulative_trapezoid(minigrad.tensor([1.0, 5.0, 10.0]))
        tensor([ 3.0000, 10.5000])
    """
    axis = _axis_of_samples(y, dim, "slice() cannot be applied to a 0-dim tensor.")
    panels = _panels("cumulative_trapezoid", y, axis)
    if x is None:
        return cumsum(panels * ((1 if dx is None else dx) / 2), axis)
    return _halved(cumsum(panels * _widths("cumulative_trapezoid", y, x, axis), axis))


def _axis_of_samples(y: Any, dim: int, otherwise: str) -> int:
    if not ndim_of(y):
        raise IndexError(otherwise)
    return normalize_dim(dim, ndim_of(y))
