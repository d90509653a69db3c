"""Indexing: reading and writing with `x[...]`, gather, one_hot, masks; gradients follow."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import dtypes
from minigrad.autograd.op import Primitive, broadcast_to, cast, primitive, sum_to
from minigrad.autograd.tape import Variable
from minigrad.kernels.jit import is_compiled_type
from minigrad.kernels.rows import add_rows
from minigrad.ops.dims import ndim_of, normalize_dim


# ------------------------------------------------------------------------------------- reading x[index]
def normalize_index(index: Any, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """An index as NumPy takes it, checked as torch checks it.

    Raises:
        IndexError: too many indices, an index out of range, a mask of another shape, or a float index.
        ValueError: a slice with a step that is not positive.
    """
    items = index if isinstance(index, tuple) else (index,)
    found: list[Any] = [_index_item(item) for item in items]
    used = sum(i.ndim if _is_mask(i) else 1 for i in found if i is not None and i is not Ellipsis)
    if used > len(shape):
        if not shape:
            raise IndexError(
                "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ "
                "to convert a 0-dim tensor to a number"
            )
        raise IndexError(f"too many indices for tensor of dimension {len(shape)}")
    place = 0
    for item in found:
        if item is Ellipsis:
            place += len(shape) - used
        elif isinstance(item, int):
            size = shape[place]
            if not -size <= item < size:
                raise IndexError(f"index {item} is out of bounds for dimension {place} with size {size}")
            place += 1
        elif _is_mask(item):
            if item.shape != shape[place : place + item.ndim]:
                raise IndexError(
                    f"The shape of the mask {list(item.shape)} at index 0 does not match the shape of the "
                    f"indexed tensor {list(shape)} at index {place}"
                )
            place += item.ndim
        elif isinstance(item, ndarray):
            size = shape[place]
            outside = item[(item >= size) | (item < -size)]
            if outside.size:
                raise IndexError(
                    f"index {int(outside.flat[0])} is out of bounds for dimension {place} with size {size}"
                )
            place += 1
        elif item is not None:
            place += 1
    return tuple(found)


def _is_mask(item: Any) -> bool:
    return isinstance(item, ndarray) and item.dtype == bool


def _index_item(item: Any) -> Any:
    if item is None or item is Ellipsis:
        return item
    if isinstance(item, slice):
        if item.step is not None and operator.index(item.step) <= 0:
            raise ValueError("step must be greater than zero")
        return slice(*(None if p is None else operator.index(p) for p in (item.start, item.stop, item.step)))
    if isinstance(item, bool):
        return np.asarray(item)
    if isinstance(item, Variable):
        item = item._array
    if isinstance(item, (list, tuple, range)):
        item = np.asarray([i._array if isinstance(i, Variable) else i for i in item])
        if item.size == 0:
            item = item.astype(np.int64)
    if isinstance(item, ndarray):
        if item.dtype.kind not in "iub":
            raise IndexError(
                "tensors used as indices must be long, int, byte or bool tensors\n"
                f"Got {item.dtype}; use .long() for places or a comparison for a mask."
            )
        return int(item) if item.ndim == 0 and item.dtype.kind != "b" else item
    try:
        return operator.index(item)
    except TypeError:
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid "
            f"indices (got {type(item).__name__})"
        ) from None


def _is_advanced(index: tuple[Any, ...]) -> bool:
    return any(isinstance(item, ndarray) for item in index)


def _index_name(node: Any) -> str:
    """torch names an index by the last thing it does."""
    index = node.options["index"]
    if _is_advanced(index):
        return "IndexBackward0"
    if index == (slice(None),):
        return "SliceBackward0"
    for item in reversed(index):
        if isinstance(item, int):
            return "SelectBackward0"
        if item is None:
            return "UnsqueezeBackward0"
        if isinstance(item, slice) and item != slice(None):
            return "SliceBackward0"
    return "AliasBackward0"


def read_at(x: ndarray, *, index: tuple[Any, ...]) -> ndarray:
    found = x[index]
    if isinstance(found, ndarray):
        return found
    return x[(*index, ...)]  # a 0-d view, where NumPy would give a scalar


def _is_of_rows(index: tuple[Any, ...], shape: tuple[int, ...]) -> bool:
    """Whether an index is one array of the rows of a matrix."""
    return len(shape) == 2 and len(index) == 1 and getattr(index[0], "dtype", None) == np.int64


def _scatter_index(x: ndarray, *, index: tuple[Any, ...], shape: tuple[int, ...]) -> ndarray:
    """Zeros with x added at the index: the adjoint of reading there."""
    if _is_of_rows(index, shape) and is_compiled_type(x.dtype):  # 400 rows of 128: 35 us, not 490
        return add_rows(x, index[0] % max(shape[0], 1), shape[0])
    whole = np.zeros(shape, x.dtype)
    if not _is_advanced(index):
        whole[index] = x
    else:
        np.add.at(whole, index, x)
    return whole


read_index: Primitive = primitive(read_at, view=True, grad_name=_index_name).vjp(
    lambda g, x_shape, index: write_zeros(g, index=index, shape=x_shape)
)
write_zeros: Primitive = primitive(_scatter_index, grad_name="IndexPutBackward0").vjp(
    lambda g, index: read_index(g, index=index)
)


def getitem(input: Any, index: Any) -> Any:
    """`input[index]`: integers, slices, None and ... give views; integer and bool tensors give copies."""
    first, rest = basic_first(normalize_index(index, input._array.shape))
    selected = read_index(input, index=first)
    return selected if rest is None else read_index(selected, index=rest)


def basic_first(index: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...] | None]:
    """An index in two steps where it mixes integers and arrays, else as it is.

    torch selects by the integers first, NumPy broadcasts them with the arrays: that would move the arrays'
    dimensions to the front in `x[:, array, :, 0]`.
    """
    if not _is_advanced(index) or not any(isinstance(item, int) for item in index):
        return index, None
    first: list[Any] = []
    rest: list[Any] = []
    for item in index:
        if isinstance(item, ndarray):
            first.extend([slice(None)] * (item.ndim if _is_mask(item) else 1))
            rest.append(item)
        else:
            first.append(item)
            if not isinstance(item, int):
                rest.append(Ellipsis if item is Ellipsis else slice(None))
    return tuple(first), tuple(rest)


# --------------------------------------------------------------------------- writing, in and out of place
def _replay(x: Any, steps: tuple) -> Any:
    for op, options in steps:
        x = op(x, **options)
    return x


def _write(base: ndarray, value: ndarray, *, steps: tuple, index: tuple[Any, ...]) -> ndarray:
    """A copy of `base` in which the region that `steps` and `index` lead to holds `value`."""
    whole = np.array(base, order="C")
    _replay(whole, steps)[index] = value
    return whole


write_region: Primitive = primitive(_write, grad_name="torch::autograd::CopySlices").vjp(
    lambda g, value_shape, steps, index: write_region(g, zeros_of(value_shape, g), steps=steps, index=index),
    lambda g, steps, index: read_index(_replay(g, steps), index=index),
)


def zeros_of(shape: tuple[int, ...], like: Any) -> Any:
    """Constant zeros of the dtype of `like`, an array or a variable."""
    array = like._array if isinstance(like, Variable) else like
    return np.zeros(shape, array.dtype)


def _gather(x: ndarray, index: ndarray, *, axis: int) -> ndarray:
    if x.ndim == 0:
        return np.broadcast_to(x, index.shape).copy()
    window = tuple(slice(None) if i == axis else slice(n) for i, n in enumerate(index.shape))
    return np.take_along_axis(x[window], index, axis)


def _put_along(x: ndarray, index: ndarray, *, axis: int, shape: tuple[int, ...]) -> ndarray:
    """Zeros of `shape` with x added at `index` along `axis`: the adjoint of gather."""
    whole = np.zeros(shape, x.dtype)
    if x.ndim == 0:
        return whole + x
    places = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    places[axis] = index
    np.add.at(whole, tuple(places), x)
    return whole


put_along: Primitive = primitive(_put_along, grad_name="ScatterAddBackward0").vjp(
    lambda g, index, axis: _gather_along(g, index, axis=axis), None
)
_gather_along: Primitive = primitive(_gather, grad_name="GatherBackward0").vjp(
    lambda g, x_shape, index, axis: put_along(g, index, axis=axis, shape=x_shape), None
)


def gather(input: Any, dim: int, index: Any) -> Any:
    """out[i][j] = input[index[i][j]][j] for dim 0, input[i][index[i][j]] for dim 1, and so on.

    Raises:
        RuntimeError: `index` is not int64, has another number of dimensions, is larger than `input` in
            another dimension, or points outside.

    Example:
        >>> import minigrad
        >>> x = minigrad.tensor([[1.0, 2.0], [3.0, 4.0]])
        >>> minigrad.gather(x, 1, minigrad.tensor([[0], [1]]))
        tensor([[1.],
                [4.]])
    """
    axis = normalize_dim(dim, ndim_of(input))
    array, places = input._array, index._array
    if places.dtype.kind not in "iu":
        raise RuntimeError("gather(): Expected dtype int32/int64 for index\nUse index.long().")
    if places.ndim != array.ndim:
        raise RuntimeError(
            "Index tensor must have the same number of dimensions as input tensor\n"
            f"Got index of shape {list(places.shape)} for input of shape {list(array.shape)}."
        )
    for i, (n, m) in enumerate(zip(array.shape, places.shape, strict=True)):
        if i != axis and m > n:
            raise RuntimeError(
                f"Size does not match at dimension {i} expected index {list(places.shape)} to be no larger "
                f"than self {list(array.shape)} apart from dimension {axis}"
            )
    size = array.shape[axis] if array.ndim else 1
    outside = places[(places < 0) | (places >= size)]
    if outside.size:
        raise RuntimeError(
            f"index {int(outside.flat[0])} is out of bounds for dimension {axis} with size {size}"
        )
    return _gather_along(input, index, axis=axis)


def one_hot(tensor: Any, num_classes: int = -1) -> Any:
    """A row of zeros with a one at each class index: (...) to (..., num_classes), int64.

    Raises:
        RuntimeError: an index is negative or not below `num_classes`, or the dtype is not int64.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.one_hot(minigrad.tensor([0, 2]))
        tensor([[1, 0, 0],
                [0, 0, 1]])
    """
    places = tensor._array
    if places.dtype != np.int64:
        raise RuntimeError(
            "one_hot is only applicable to index tensor of type LongTensor.\n"
            f"Got {dtypes.of(places).scalar_type}; use .long()."
        )
    if places.size == 0 and num_classes <= 0:
        raise RuntimeError("Can not infer total number of classes from empty tensor.")
    if places.size and places.min() < 0:
        raise RuntimeError("Class values must be non-negative.")
    count = int(places.max()) + 1 if num_classes == -1 else num_classes
    if places.size and places.max() >= count:
        raise RuntimeError(
            "Class values must be smaller than num_classes.\n"
            f"Got {int(places.max())} with num_classes={count}."
        )
    rows = places[..., None] == np.arange(count)
    return type(tensor)._result._wrap(rows.astype(np.int64))


def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """`input` with `value` where `mask` holds; no gradient flows to what was filled.

    Example:
        >>> import minigrad
        >>> x = minigrad.tensor([1.0, 2.0])
        >>> x.masked_fill(x > 1, 0.0)
        tensor([1., 0.])
    """
    if mask._array.dtype != bool:
        raise RuntimeError(
            f"masked_fill_ only supports boolean masks, but got mask with dtype {dtypes.of(mask._array)}"
        )
    if not isinstance(value, Variable):
        return _fill(input, mask, value=value)
    kind = input._array.dtype
    if value._array.ndim:
        raise RuntimeError(
            "masked_fill only supports a 0-dimensional value tensor, but got tensor with "
            f"{value._array.ndim} dimension(s).\nUse where(mask, value, input) for values of a shape."
        )
    if value._array.dtype != kind:
        value = cast(value, dtype=kind, source=value._array.dtype)
    return _fill_with(input, mask, value)


def _masked_fill(x: ndarray, mask: ndarray, *, value: Any) -> ndarray:
    return np.where(mask, np.asarray(value, x.dtype), x)


_fill: Primitive = primitive(_masked_fill).vjp(lambda g, mask: _fill(g, mask, value=0), None)


def _masked_fill_with(x: ndarray, mask: ndarray, value: ndarray) -> ndarray:
    return np.where(mask, value, x)


_fill_with: Primitive = primitive(_masked_fill_with, grad_name="MaskedFillBackward1").vjp(
    lambda g, mask: _fill(g, mask, value=0), None, lambda g, mask: _fill(g, ~mask, value=0)
)

__all__ = [
    "broadcast_to",
    "gather",
    "getitem",
    "masked_fill",
    "normalize_index",
    "one_hot",
    "put_along",
    "read_index",
    "sum_to",
    "write_region",
]
