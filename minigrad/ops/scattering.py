"""Writing values to places: scatter and its kin, and the two statements that all such operations are made of.

At an index as NumPy takes it, elements are overwritten (`set_at`) or added to (`add_at`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import dtypes
from minigrad.autograd.fused import fused
from minigrad.autograd.op import Primitive, primitive
from minigrad.autograd.tape import Variable
from minigrad.ops.dims import ndim_of, normalize_dim
from minigrad.ops.elementwise import as_float, div
from minigrad.ops.indexing import read_at, read_index, write_zeros, zeros_of
from minigrad.ops.rounding import floor_divide
from minigrad.ops.shape import reshape

Index = tuple[Any, ...]


def _label(node: Any) -> str:
    return node.options["label"]


# ------------------------------------------------------------------------------------ the two statements
def _overwrite(x: ndarray, src: ndarray, *, index: Index, label: str) -> ndarray:
    whole = np.array(x, order="C")
    whole[index] = src
    return whole


def _add(x: ndarray, src: ndarray, *, index: Index, label: str) -> ndarray:
    whole = np.array(x, order="C")
    np.add.at(whole, index, src)
    return whole


def _read(x: ndarray, *, index: Index) -> ndarray:
    return np.array(read_at(x, index=index))


_read_copy: Primitive = primitive(_read, grad_name="IndexBackward0").vjp(
    lambda g, x_shape, index: write_zeros(g, index=index, shape=x_shape)
)
set_at: Primitive = primitive(_overwrite, grad_name=_label).vjp(
    lambda g, src_shape, index, label: set_at(g, zeros_of(src_shape, g), index=index, label=label),
    lambda g, index: _read_copy(g, index=index),
)
add_at: Primitive = primitive(_add, grad_name=_label).vjp(
    lambda g: g,
    lambda g, index: _read_copy(g, index=index),
)


# ----------------------------------------------------------------------------------------------- scatter
def _along(name: str, input: Any, axis: int, index: Any, src: Any = None) -> Index:
    """The places that `index` names along an axis, after torch's checks."""
    places, shape = index._array, input._array.shape
    if places.dtype.kind not in "iu":
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index\nUse index.long().")
    if places.size == 0:
        return (places.reshape(-1)[:0],) if shape else ()
    given = None if src is None else src._array.shape
    for what, other in (("self", shape), ("src", given)):
        if other is not None and max(len(other), 1) != max(places.ndim, 1):
            raise RuntimeError(
                f"Index tensor must have the same number of dimensions as {what} tensor\n"
                f"Got index of shape {list(places.shape)} for {list(other)}."
            )
    sizes = places.shape if places.ndim else (1,)
    for i, n in enumerate(sizes):
        beyond = i != axis and n > shape[i]
        if beyond or (given and n > given[i]):
            tail = "" if given is None else f" and to be no larger size than src {list(given)}"
            raise RuntimeError(
                f"Expected index {list(places.shape)} to be no larger than self {list(shape)} apart from "
                f"dimension {axis}{tail}"
            )
    size = shape[axis] if shape else 1
    outside = places[(places < 0) | (places >= size)]
    if outside.size:
        raise RuntimeError(
            f"index {int(outside.flat[0])} is out of bounds for dimension {axis} with size {size}"
        )
    if not shape:
        return ()
    found = list(np.ogrid[tuple(slice(n) for n in sizes)])
    found[axis] = places.reshape(sizes)
    return tuple(found)


def _window(src: Any, index: Any) -> Any:
    """The part of `src` that has the shape of `index`."""
    shape = index._array.shape
    if src._array.ndim != len(shape):  # one of them is 0-d
        return reshape(src, shape)
    if src._array.shape == shape:
        return src
    return read_index(src, index=tuple(slice(n) for n in shape))


def _value_or_source(input: Any, src: Any, value: Any) -> Any:
    if value is not None:
        src = value
    if isinstance(src, Variable):
        return src
    if src is None:
        raise TypeError("scatter() missing 1 required positional arguments: 'src' or 'value'")
    return np.asarray(src).astype(input._array.dtype)


def _same_type(name: str, input: Any, src: Any) -> None:
    if src._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"{name}(): Expected self.dtype to be equal to src.dtype\n"
            f"Got {dtypes.of(input._array)} and {dtypes.of(src._array)}."
        )


def scatter(
    input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None
) -> Any:
    """A copy of `input` with out[index[i][j]][j] = src[i][j] for dim 0, and so on; the opposite of gather.

    `src` is a tensor or a number; `reduce` "add" or "multiply" combines it with what is there.

    Raises:
        RuntimeError: `index` has another number of dimensions, is larger than `input` or `src`, or points
            outside; the dtypes differ.

    Example:
        >>> import minigrad
        >>> minigrad.scatter(minigrad.zeros(3), 0, minigrad.tensor([2, 0]), minigrad.tensor([5.0, 6.0]))
        tensor([6., 0., 5.])
    """
    axis = normalize_dim(dim, ndim_of(input))
    src = _value_or_source(input, src, value)
    is_tensor = isinstance(src, Variable)
    if is_tensor:
        _same_type("scatter", input, src)
    at = _along("scatter", input, axis, index, src if is_tensor else None)
    if reduce not in (None, "add", "multiply"):
        raise RuntimeError("reduce argument must be either add or multiply.")
    if index._array.size == 0:
        src = zeros_of((), input)
    elif is_tensor:
        src = _window(src, index)
    else:
        src = np.broadcast_to(src, index._array.shape)
    if reduce == "multiply":
        return _multiply_at(input, src, index=at)
    op = add_at if reduce == "add" else set_at
    return op(input, src, index=at, label=f"ScatterBackward{0 if is_tensor else 1}")


def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    """A copy of `input` with src[i][j] added to out[index[i][j]][j] for dim 0, and so on.

    Raises:
        RuntimeError: as `scatter`.

    Example:
        >>> import minigrad
        >>> minigrad.scatter_add(minigrad.zeros(2), 0, minigrad.tensor([1, 1, 0]), minigrad.ones(3))
        tensor([1., 2.])
    """
    if not isinstance(src, Variable):
        raise TypeError(
            f"scatter_add(): argument 'src' (position 3) must be Tensor, not {type(src).__name__}"
        )
    axis = normalize_dim(dim, ndim_of(input))
    _same_type("scatter", input, src)
    at = _along("scatter_add", input, axis, index, src)
    part = _window(src, index) if index._array.size else zeros_of((), input)
    return add_at(input, part, index=at, label="ScatterAddBackward0")


# --------------------------------------------------------------------------------- products and extremes
def _multiply(x: ndarray, src: ndarray, *, index: Index) -> ndarray:
    whole = np.array(x, order="C")
    np.multiply.at(whole, index, src)
    return whole


def _other_factors(g: Any, x: Any, src: Any, index: Index) -> Any:
    """The product of what meets each element of `src`: exact where zeros are among them."""
    zero = _plain(src) == 0
    together = write_zeros(zero.astype(np.int64), index=index, shape=_plain(x).shape)
    alone = (read_at(together, index=index) - zero) == 0
    safe = src + zero.astype(_plain(src).dtype)
    factors = _read_copy(_multiply_at(x, safe, index=index), index=index) / safe
    return _read_copy(g, index=index) * factors * alone.astype(_plain(src).dtype)


def _plain(x: Any) -> ndarray:
    return x._array if isinstance(x, Variable) else x


_multiply_at: Primitive = primitive(_multiply, grad_name="ScatterReduceBackward0").vjp(
    lambda g, src, x_shape, index: g * _multiply_at(zeros_of(x_shape, g) + 1, src, index=index),
    lambda g, x, src, index: _other_factors(g, x, src, index),
)


def _extreme(x: ndarray, src: ndarray, *, index: Index, largest: bool) -> ndarray:
    whole = np.array(x, order="C")
    (np.maximum if largest else np.minimum).at(whole, index, src)
    return whole


def _shared(g: Any, x: Any, src: Any, y: Any, index: Index) -> tuple[Any, ndarray, ndarray]:
    """The cotangent shared by all that equal the result, and where those are in both operands."""
    own = _plain(x) == _plain(y)
    theirs = _plain(src) == read_at(_plain(y), index=index)
    count = own.astype(_plain(y).dtype)
    np.add.at(count, index, theirs.astype(count.dtype))
    return g / np.maximum(count, 1), own, theirs


def _to_self(g: Any, x: Any, src: Any, y: Any, index: Index) -> Any:
    share, own, _ = _shared(g, x, src, y, index)
    return share * as_float(own, like=g)


def _to_source(g: Any, x: Any, src: Any, y: Any, index: Index) -> Any:
    share, _, theirs = _shared(g, x, src, y, index)
    return _read_copy(share, index=index) * as_float(theirs, like=g)


_extreme_at: Primitive = primitive(_extreme, grad_name="ScatterReduceBackward0").vjp(_to_self, _to_source)


_REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")


def _identity(reduce: str, kind: np.dtype) -> Any:
    """What changes nothing: the start where `input` does not take part."""
    if reduce in ("sum", "mean", "prod"):
        return int(reduce == "prod")
    if kind.kind == "f":
        return -np.inf if reduce == "amax" else np.inf
    if kind.kind == "b":
        return reduce == "amin"
    return np.iinfo(kind).min if reduce == "amax" else np.iinfo(kind).max


@fused(grad_name="ScatterReduceBackward0")
def scatter_reduce(
    input: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True
) -> Any:
    """A copy of `input` in which all src[i][j] that go to out[index[i][j]][j] are reduced with what is there.

    `reduce` is "sum", "prod", "mean", "amax" or "amin"; without `include_self` what is there does not count.

    Raises:
        RuntimeError: as `scatter`, or another `reduce`.

    Example:
        >>> import minigrad
        >>> index, src = minigrad.tensor([0, 0, 1]), minigrad.tensor([1.0, 3.0, 5.0])
        >>> minigrad.scatter_reduce(minigrad.zeros(2), 0, index, src, "mean", include_self=False)
        tensor([2., 5.])
    """
    if reduce not in _REDUCTIONS:
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    axis = normalize_dim(dim, ndim_of(input))
    _same_type("scatter", input, src)
    at = _along("scatter_reduce", input, axis, index, src)
    kind = input._array.dtype
    part = _window(src, index) if index._array.size else zeros_of((), input)
    if not include_self:
        start = np.asarray(_identity(reduce, kind), kind)
        input = set_at(input, start, index=at, label="ScatterBackward1")
    if reduce == "prod":
        return _multiply_at(input, part, index=at)
    if reduce in ("amax", "amin"):
        return _extreme_at(input, part, index=at, largest=reduce == "amax")
    total = add_at(input, part, index=at, label="ScatterAddBackward0")
    if reduce == "sum":
        return total
    count = np.ones(input._array.shape, np.int64)
    if not include_self:
        count[at] = 0
    np.add.at(count, at, 1)
    shares = np.maximum(count, 1).astype(kind)
    return div(total, shares) if kind.kind == "f" else floor_divide(total, shares)
