"""Reductions: sum, mean, products, extremes, norms, over one, several or all dimensions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.autograd.op import Primitive, broadcast_to, cast, primitive
from minigrad.autograd.tape import Variable, current_node, mode
from minigrad.kernels import extremes
from minigrad.kernels import reduction as kernels
from minigrad.kernels.jit import is_compiled_type
from minigrad.ops import return_types
from minigrad.ops.comparison import isnan
from minigrad.ops.dims import axes_of, ndim_of, normalize_dim, numpy_names
from minigrad.ops.elementwise import abs, as_float, maximum, minimum, pow, sign, where
from minigrad.ops.indexing import put_along
from minigrad.ops.shape import permute_to, reshape_to

Axes = tuple[int, ...] | None
_SMALL = 16384


def restore_dims(g: Any, shape: tuple[int, ...], axes: Axes, keepdims: bool) -> Any:
    """Repeat a reduced array along the dimensions that were reduced: the adjoint of summing them."""
    if isinstance(g, (np.ndarray, np.generic)) and math.prod(shape) < _SMALL:
        return _repeated(g, shape, axes)
    if not keepdims and g.shape != ():
        g = reshape_to(g, shape=kernels.keeping_dims(shape, axes))
    return broadcast_to(g, shape=shape)


def _repeated(g: Any, shape: tuple[int, ...], axes: Axes) -> np.ndarray:
    """`restore_dims` of a small array as a copy: 0.8 us for 4,096 elements, where a view takes 3."""
    repeated = np.empty(shape, g.dtype)
    repeated[...] = g.reshape(kernels.keeping_dims(shape, axes)) if g.ndim else g
    return repeated


def sum_keeping(x: Any, axis: int) -> Any:
    """The sum along one axis, which stays with size 1."""
    return _sum(x, axes=(axis,), keepdims=True)


def sum_of(x: Any, axes: Axes, keepdims: bool) -> Any:
    """The sum over some axes."""
    return _sum(x, axes=axes, keepdims=keepdims)


def mean_of(x: Any, axes: Axes, keepdims: bool) -> Any:
    """The mean over some axes."""
    return _mean(x, axes=axes, keepdims=keepdims)


def count(shape: tuple[int, ...], axes: Axes) -> int:
    return math.prod(shape if axes is None else [shape[i] for i in axes])


def _numbered(name: str) -> Any:
    """torch numbers the overloads: Backward0 over all dimensions, Backward1 over some."""
    return lambda node: f"{name}Backward{0 if node.options['axes'] is None else 1}"


_sum: Primitive = primitive(kernels.sum, operands=("x",), grad_name=_numbered("Sum")).vjp(
    lambda g, x_shape, axes, keepdims: restore_dims(g, x_shape, axes, keepdims)
)
_mean: Primitive = primitive(kernels.mean, operands=("x",), grad_name=_numbered("Mean")).vjp(
    lambda g, x_shape, axes, keepdims: restore_dims(g / (count(x_shape, axes) or 1), x_shape, axes, keepdims)
)


def _share(g: Any, x: Any, y: Any, axes: Axes, keepdims: bool) -> Any:
    """g where x = y, shared by the elements that tie for the extreme y."""
    ties = as_float(x == restore_dims(y, x.shape, axes, keepdims), like=g)
    number = _sum(ties, axes=axes, keepdims=keepdims)
    return ties * restore_dims(g / number, x.shape, axes, keepdims)


_amax: Primitive = primitive(kernels.max, name="amax", operands=("x",)).vjp(
    lambda g, x, y, axes, keepdims: _share(g, x, y, axes, keepdims)
)
_amin: Primitive = primitive(kernels.min, name="amin", operands=("x",)).vjp(
    lambda g, x, y, axes, keepdims: _share(g, x, y, axes, keepdims)
)


def _part_of_all(g: Any, x: Any, y: Any) -> Any:
    """The cotangent of `share_all`'s first operand: its ties' mean."""
    ties = as_float((x == y) | (isnan(x) & isnan(y)), like=g)
    return _sum(ties * g, axes=None, keepdims=False) / _sum(ties, axes=None, keepdims=False)


# Where the extreme is nan, all nans share its gradient.
share_all: Primitive = primitive(extremes.share_all, operands=("u", "v", "s")).vjp(
    lambda g, v, s: _part_of_all(g, v, s), None, None
)
_max_of_all: Primitive = primitive(kernels.max, name="max", operands=("x",), grad_name="MaxBackward1").vjp(
    lambda g, x, y: share_all(g, x, y)
)
_min_of_all: Primitive = primitive(kernels.min, name="min", operands=("x",), grad_name="MinBackward1").vjp(
    lambda g, x, y: share_all(g, x, y)
)


def _product_of_others(x: Any, y: Any, axes: Axes, keepdims: bool) -> Any:
    """d prod / dx_i: the product over the others; by division unless there is a zero."""
    array = x._array if isinstance(x, Variable) else x
    if array.all():
        return restore_dims(y, x.shape, axes, keepdims) / x
    places = range(len(x.shape)) if axes is None else axes
    kept = [i for i in range(len(x.shape)) if i not in places]
    rest, number = tuple(x.shape[i] for i in kept), count(x.shape, axes)
    order = (*kept, *places)
    rows = reshape_to(permute_to(x, axes=order), shape=(*rest, 1, number))
    others = _prod(where(np.eye(number, dtype=bool), 1.0, rows), axes=(len(rest) + 1,), keepdims=False)
    others = reshape_to(others, shape=(*rest, *(x.shape[i] for i in places)))
    return permute_to(others, axes=tuple(int(i) for i in np.argsort(order)))


_prod: Primitive = primitive(kernels.prod, operands=("x",), grad_name=_numbered("Prod")).vjp(
    lambda g, x, y, x_shape, axes, keepdims: (
        restore_dims(g, x_shape, axes, keepdims) * _product_of_others(x, y, axes, keepdims)
    )
)


_argmax: Primitive = primitive(kernels.argmax, operands=("x",))
_argmin: Primitive = primitive(kernels.argmin, operands=("x",))
_any: Primitive = primitive(kernels.any, operands=("x",))
_all: Primitive = primitive(kernels.all, operands=("x",))


def as_dtype(input: Any, dtype: Any) -> Any:
    """`input` in the dtype that was asked for, if one was."""
    if dtype is None or dtypes.to_numpy(dtype) == input._array.dtype:
        return input
    return cast(input, dtype=dtypes.to_numpy(dtype), source=input._array.dtype)


def _floating(name: str, input: Any, dtype: Any) -> Any:
    input = as_dtype(input, dtype)
    if input._array.dtype.kind != "f":
        raise RuntimeError(
            f"{name}(): could not infer output dtype. Input dtype must be either a floating point or "
            f"complex dtype. Got: {dtypes.of(input._array).scalar_type}\n"
            f"Convert first: x.float().{name}(), or {name}(x, dtype=float32)."
        )
    return input


def _nonempty(name: str, input: Any, axes: Axes) -> None:
    if input._array.size:
        return
    if count(input._array.shape, axes) == 0:
        if axes is not None:
            raise IndexError(f"{name}(): Expected reduction dim {axes[0]} to have non-zero size.")
        text = f"{name}(): Expected reduction dim to be specified for input.numel() == 0."
        if name.startswith("arg"):
            raise IndexError(text)
        raise RuntimeError(text + " Specify the reduction dim with the 'dim' argument.")


# Names of built-ins, as torch has them; nothing in this module uses the built-in ones below this line.
@numpy_names
def sum(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The sum over `dim` (all by default). Integers and bools are summed as int64.

    Adds short blocks in float32 and their sums in float64, so that 1e8 values keep their digits.

    Example:
        >>> import minigrad
        >>> minigrad.sum(minigrad.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
        tensor([4., 6.])
    """
    input = as_dtype(input, dtype)
    return as_dtype(_sum(input, axes=axes_of(input, dim), keepdims=keepdim), dtype)


@numpy_names
def mean(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The mean over `dim` (all by default); nan of no elements.

    Raises:
        RuntimeError: `input` is not floating point.

    Example:
        >>> import minigrad
        >>> minigrad.mean(minigrad.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=1)
        tensor([1.5000, 3.5000])
    """
    input = _floating("mean", input, dtype)
    return _mean(input, axes=axes_of(input, dim), keepdims=keepdim)


@numpy_names
def prod(input: Any, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The product over `dim` (all by default); its gradient is right also where elements are zero.

    Example:
        >>> import minigrad
        >>> minigrad.prod(minigrad.tensor([1.0, 2.0, 3.0]))
        tensor(6.)
    """
    input = as_dtype(input, dtype)
    return as_dtype(_prod(input, axes=axes_of(input, dim), keepdims=keepdim), dtype)


def _take_extreme_forward(
    x: Any, index: Any, *, axis: int, keepdims: bool, name: str, found: Any = None
) -> Any:
    """The elements at `index`, unless they are `found` already."""
    if found is not None:
        return found
    if x.ndim == 0:
        return x.copy()
    found = np.take_along_axis(x, index if keepdims else np.expand_dims(index, axis), axis)
    return found if keepdims else np.squeeze(found, axis)


def _take_extreme_rule(g: Any, x_shape: Any, index: Any, axis: int, keepdims: bool) -> Any:
    """g at index; 0 elsewhere."""
    if x_shape == ():
        return g
    if type(g) is np.ndarray and axis == len(x_shape) - 1 and is_compiled_type(g.dtype):
        return extremes.put_rows(g, index, x_shape)
    if not keepdims:
        kept = (*g.shape[:axis], 1, *g.shape[axis:])
        g, index = reshape_to(g, shape=kept), reshape_to(index, shape=kept)
    return put_along(g, index, axis=axis, shape=x_shape)


_take_extreme: Primitive = primitive(
    _take_extreme_forward, grad_name=lambda node: f"{node.options['name']}Backward0"
).vjp(_take_extreme_rule, None)


def _extreme_of_rows(name: str, input: Any, axis: int, keepdim: bool) -> tuple[Any, Any]:
    """Values and places along the last dimension, found in one pass."""
    values, places = extremes.extreme_of_rows(input._array, smallest=name == "min")
    if keepdim:
        values, places = values[..., None], places[..., None]
    index = input._result._wrap(places)
    if not mode.enabled or current_node(input) is None:  # nothing to record: 2 us less
        return input._result._wrap(values), index
    options = {"axis": axis, "keepdims": keepdim, "name": name.capitalize()}
    return _take_extreme(input, index, found=values, **options), index


def _extreme(name: str, op: Any, place: Any, kind: Any, input: Any, dim: Any, keepdim: bool) -> Any:
    if dim is None:
        _nonempty(name, input, None)
        return op(input, axes=None, keepdims=False)
    ndim = ndim_of(input)
    axis = normalize_dim(dim, ndim)
    if ndim:
        _nonempty(name, input, (axis,))
        if axis == ndim - 1 and is_compiled_type(input._array.dtype):
            return kind(*_extreme_of_rows(name, input, axis, keepdim))
    index = place(input, axis=axis if ndim else None, keepdims=keepdim)
    values = _take_extreme(input, index, axis=axis, keepdims=keepdim, name=name.capitalize())
    return kind(values, index)


@numpy_names
def max(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The largest element; or, with `dim`, the pair (values, indices); or the maximum of two tensors.

    Over all elements ties share the gradient; along `dim` it goes to the first. nan is the largest.

    Raises:
        RuntimeError: there is nothing to reduce.

    Example:
        >>> import minigrad
        >>> x = minigrad.tensor([[1.0, 3.0], [2.0, 0.0]])
        >>> x.max()
        tensor(3.)
        >>> x.max(dim=1)
        torch.return_types.max(
        values=tensor([3., 2.]),
        indices=tensor([1, 0]))
    """
    if isinstance(dim, Variable) or other is not None:
        return maximum(input, dim if other is None else other)
    return _extreme("max", _max_of_all, _argmax, return_types.max, input, dim, keepdim)


@numpy_names
def min(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The smallest element; or, with `dim`, the pair (values, indices). As `max` otherwise.

    Example:
        >>> import minigrad
        >>> minigrad.tensor([[1.0, 3.0], [2.0, 0.0]]).min(dim=0).indices
        tensor([0, 1])
    """
    if isinstance(dim, Variable) or other is not None:
        return minimum(input, dim if other is None else other)
    return _extreme("min", _min_of_all, _argmin, return_types.min, input, dim, keepdim)


@numpy_names
def amax(input: Any, dim: Any = (), keepdim: bool = False) -> Any:
    """The largest element over `dim`, one or several; ties share the gradient.

    Example:
        >>> import minigrad
        >>> minigrad.amax(minigrad.tensor([[1.0, 3.0], [2.0, 0.0]]), dim=1)
        tensor([3., 2.])
    """
    axes = axes_of(input, dim)
    _nonempty("amax", input, axes)
    return _amax(input, axes=axes, keepdims=keepdim)


@numpy_names
def amin(input: Any, dim: Any = (), keepdim: bool = False) -> Any:
    """The smallest element over `dim`, one or several; ties share the gradient.

    Example:
        >>> import minigrad
        >>> minigrad.amin(minigrad.tensor([[1.0, 3.0], [2.0, 0.0]]), dim=1)
        tensor([1., 0.])
    """
    axes = axes_of(input, dim)
    _nonempty("amin", input, axes)
    return _amin(input, axes=axes, keepdims=keepdim)


def _argument(name: str, op: Any, input: Any, dim: int | None, keepdim: bool) -> Any:
    axis = None if dim is None else normalize_dim(dim, ndim_of(input))
    _nonempty(name, input, None if axis is None or not ndim_of(input) else (axis,))
    return op(input, axis=axis if ndim_of(input) else None, keepdims=keepdim)


@numpy_names
def argmax(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The place of the largest element, the first if several; in the flattened tensor without `dim`.

    Example:
        >>> import minigrad
        >>> minigrad.argmax(minigrad.tensor([[1.0, 3.0], [2.0, 0.0]]), dim=1)
        tensor([1, 0])
    """
    return _argument("argmax", _argmax, input, dim, keepdim)


@numpy_names
def argmin(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The place of the smallest element, the first if several; in the flattened tensor without `dim`.

    Example:
        >>> import minigrad
        >>> minigrad.argmin(minigrad.tensor([[1.0, 3.0], [2.0, 0.0]]), dim=1)
        tensor([0, 1])
    """
    return _argument("argmin", _argmin, input, dim, keepdim)


@numpy_names
def any(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether any element over `dim` is nonzero.

    Example:
        >>> import minigrad
        >>> minigrad.any(minigrad.tensor([[True, False], [False, False]]), dim=1)
        tensor([ True, False])
    """
    found = _any(input, axes=axes_of(input, dim), keepdims=keepdim)
    return _truth_like(input, found)


def _truth_like(input: Any, found: Any) -> Any:
    """torch answers `any` and `all` of uint8 in uint8, its bool of old."""
    if input._array.dtype != np.uint8:
        return found
    return cast(found, dtype=np.dtype(np.uint8), source=np.dtype(bool))


@numpy_names
def all(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether all elements over `dim` are nonzero.

    Example:
        >>> import minigrad
        >>> minigrad.all(minigrad.tensor([[True, False], [True, True]]), dim=1)
        tensor([False,  True])
    """
    found = _all(input, axes=axes_of(input, dim), keepdims=keepdim)
    return _truth_like(input, found)


def _norm_forward(x: Any, *, p: float, axes: Axes, keepdims: bool) -> Any:
    if math.isinf(p):
        extreme = kernels.max if p > 0 else kernels.min
        return extreme(np.abs(x), axes=axes, keepdims=keepdims)
    if p == 0:
        return kernels.sum((x != 0).astype(x.dtype), axes=axes, keepdims=keepdims)
    if p == 1:
        return kernels.sum(np.abs(x), axes=axes, keepdims=keepdims)
    if p == 2:
        return np.sqrt(kernels.sum(x * x, axes=axes, keepdims=keepdims))
    return kernels.sum(np.abs(x) ** p, axes=axes, keepdims=keepdims) ** (1 / p)


def _norm_rule(g: Any, x: Any, y: Any, p: float, axes: Axes, keepdims: bool) -> Any:
    """g sign(x) (|x| / y)**(p - 1), and 0 where the norm is 0; at infinite p the extremes share it."""
    if math.isinf(p):
        return sign(x) * _share(g, abs(x), y, axes, keepdims)
    if p == 0:
        return x * 0
    if p == 1:
        return sign(x) * restore_dims(g, x.shape, axes, keepdims)
    zero = y == 0
    if p == 2:
        return x * restore_dims(where(zero, 0.0, g / where(zero, 1.0, y)), x.shape, axes, keepdims)
    scale = restore_dims(where(zero, 0.0, g / pow(where(zero, 1.0, y), p - 1)), x.shape, axes, keepdims)
    flat = x == 0
    return where(flat, 0.0, sign(x) * pow(abs(where(flat, 1.0, x)), p - 1)) * scale


_norm: Primitive = primitive(
    _norm_forward, name="norm", promote="float", grad_name="LinalgVectorNormBackward0"
).vjp(_norm_rule)


@numpy_names
def norm(input: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """The p-norm (sum |x|**p)**(1/p) over `dim`, 2 by default; its gradient at 0 is 0.

    p = inf and -inf give the largest and the smallest |x|, p = 0 the number of elements that are not 0.

    Raises:
        RuntimeError: `p` is no number and not "fro", or there is nothing to take an extreme of.

    Example:
        >>> import minigrad
        >>> minigrad.norm(minigrad.tensor([3.0, 4.0]))
        tensor(5.)
    """
    order = 2 if p in ("fro", None) else p
    if isinstance(order, str):
        raise RuntimeError(f"linalg.matrix_norm: Order {p} not supported.")
    if input._array.dtype.kind != "f":
        raise RuntimeError(
            "linalg.vector_norm: Expected a floating point or complex tensor as input. Got "
            f"{dtypes.of(input._array).scalar_type}\nConvert first, e.g. x.float().norm()."
        )
    axes = axes_of(input, dim)
    if order < 0 or math.isinf(order):
        _check_norm(input._array.shape, order, axes)
    return _norm(as_dtype(input, dtype), p=float(order), axes=axes, keepdims=keepdim)


def _check_norm(shape: tuple[int, ...], order: float, axes: Axes) -> None:
    """The extreme of nothing is no number."""
    if count(shape, None) or (axes is not None and count(shape, axes)):
        return
    what = "an empty tensor " if axes is None else f"the dimension {axes[0]}"  # as torch spaces it
    empty = "" if axes is None else "this dimension is empty and "
    raise RuntimeError(
        f"linalg.vector_norm cannot compute the {order:g} norm on {what}because {empty}the operation does "
        "not have an identity"
    )
