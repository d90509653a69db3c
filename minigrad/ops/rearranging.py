"""The elements in other places: rolled, flipped, turned, repeated, in windows, in all combinations."""

from __future__ import annotations

import itertools
import operator
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.autograd.op import Primitive, broadcast_to, primitive, sum_to
from minigrad.autograd.tape import Variable
from minigrad.ops.dims import ndim_of, normalize_dim, sizes_from
from minigrad.ops.joining import stack, tensor_list
from minigrad.ops.selecting import index_select
from minigrad.ops.shape import clone, expand, flatten, reshape, reshape_to, unsqueeze

Ints = int | Sequence[int]


def _ints(given: Ints) -> tuple[int, ...]:
    return tuple(given) if isinstance(given, (tuple, list)) else (operator.index(given),)  # type: ignore[arg-type]


def _distinct(dims: Ints, ndim: int) -> tuple[int, ...]:
    axes = tuple(normalize_dim(d, ndim) for d in _ints(dims))
    for axis in axes:
        if axes.count(axis) > 1:
            raise RuntimeError(f"dim {axis} appears multiple times in the list of dims")
    return axes


# ------------------------------------------------------------------------------------- flipping, rolling
def _flip(x: ndarray, *, axes: tuple[int, ...]) -> ndarray:
    return np.array(np.flip(x, axes), order="C")


_flip_along: Primitive = primitive(_flip, grad_name="FlipBackward0").vjp(
    lambda g, axes: _flip_along(g, axes=axes)
)


def flip(input: Any, *dims: Any) -> Any:
    """The elements in reverse order along `dims`, as a copy.

    Raises:
        RuntimeError: a dimension is given twice.

    Example:
        >>> import minigrad
        >>> minigrad.flip(minigrad.arange(4).reshape(2, 2), (0, 1))
        tensor([[3, 2],
                [1, 0]])
    """
    ndim = ndim_of(input)
    axes = _distinct(sizes_from(dims), ndim)
    return _flip_along(input, axes=axes if ndim else ())


def fliplr(input: Any) -> Any:
    """The columns in reverse order.

    Example:
        >>> import minigrad
        >>> minigrad.fliplr(minigrad.arange(4).reshape(2, 2))
        tensor([[1, 0],
                [3, 2]])
    """
    if ndim_of(input) < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return flip(input, 1)


def flipud(input: Any) -> Any:
    """The rows in reverse order.

    Example:
        >>> import minigrad
        >>> minigrad.flipud(minigrad.arange(4).reshape(2, 2))
        tensor([[2, 3],
                [0, 1]])
    """
    if ndim_of(input) < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return flip(input, 0)


def _roll(x: ndarray, *, shifts: tuple[int, ...], axes: tuple[int, ...]) -> ndarray:
    return np.roll(x, shifts, axes) if axes else np.roll(x, shifts[0])


_roll_along: Primitive = primitive(_roll, grad_name="RollBackward0").vjp(
    lambda g, shifts, axes: _roll_along(g, shifts=tuple(-s for s in shifts), axes=axes)
)


def roll(input: Any, shifts: Ints, dims: Ints | None = None) -> Any:
    """The elements moved by `shifts` along `dims`; what leaves at one end enters at the other.

    Without `dims` the tensor is rolled as if it were flat.

    Raises:
        RuntimeError: there are not as many shifts as dimensions.

    Example:
        >>> import minigrad
        >>> minigrad.roll(minigrad.arange(4), 1)
        tensor([3, 0, 1, 2])
    """
    steps, given = _ints(shifts), () if dims is None else _ints(dims)
    if not steps:
        raise RuntimeError("`shifts` required")
    if len(given) != len(steps) and (given or len(steps) > 1):
        raise RuntimeError(
            f"shifts and dimensions must align. shifts: {len(steps)}, dims:{len(given)}\n"
            "Give one shift for each dimension."
        )
    ndim = ndim_of(input)
    axes = tuple(normalize_dim(d, ndim) for d in given)
    return _roll_along(input, shifts=steps[:1] if not ndim else steps, axes=axes if ndim else ())


def _rot90(x: ndarray, *, k: int, axes: tuple[int, int]) -> ndarray:
    return np.array(np.rot90(x, k, axes), order="C")


_rotate: Primitive = primitive(_rot90, grad_name="Rot90Backward0").vjp(
    lambda g, k, axes: _rotate(g, k=-k, axes=axes)
)


def rot90(input: Any, k: int = 1, dims: Sequence[int] = (0, 1)) -> Any:
    """Turned by `k` times 90 degrees in the plane of `dims`, from the first towards the second.

    Raises:
        RuntimeError: `dims` are not two different dimensions.

    Example:
        >>> import minigrad
        >>> minigrad.rot90(minigrad.arange(4).reshape(2, 2))
        tensor([[1, 3],
                [0, 2]])
    """
    ndim = ndim_of(input)
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {ndim}")
    first, second = (normalize_dim(d, ndim) for d in dims)
    if first == second:
        raise RuntimeError(
            f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}"
        )
    return _rotate(input, k=k, axes=(first, second))


# ---------------------------------------------------------------------------------------------- repeating
def _tile(x: ndarray, *, repeats: tuple[int, ...]) -> ndarray:
    return np.tile(x, repeats)


def _untile(g: Any, x_shape: tuple[int, ...], repeats: tuple[int, ...]) -> Any:
    """g summed over the copies; the adjoint of repeating."""
    sizes = (1,) * (len(repeats) - len(x_shape)) + x_shape
    apart = tuple(n for pair in zip(repeats, sizes, strict=True) for n in pair)
    once = tuple(n for size in sizes for n in (1, size))
    return reshape_to(sum_to(reshape_to(g, shape=apart), shape=once), shape=x_shape)


_repeat: Primitive = primitive(_tile, name="repeat").vjp(_untile)


def repeat(input: Any, *repeats: Any) -> Any:
    """Copies of the tensor side by side: `repeats` times along each dimension, new ones in front.

    Raises:
        RuntimeError: there are fewer repeats than dimensions, or a negative one.

    Example:
        >>> import minigrad
        >>> minigrad.tensor([1, 2]).repeat(2, 2)
        tensor([[1, 2, 1, 2],
                [1, 2, 1, 2]])
    """
    counts, shape = sizes_from(repeats), input._array.shape
    if len(counts) < len(shape):
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor"
        )
    if any(n < 0 for n in counts):
        sizes = [n * m for n, m in zip(counts, (1,) * (len(counts) - len(shape)) + shape, strict=True)]
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(sizes)}: {sizes}")
    return _repeat(input, repeats=counts)


def tile(input: Any, *dims: Any) -> Any:
    """`repeat`, with ones for the leading dimensions that `dims` does not name.

    Example:
        >>> import minigrad
        >>> minigrad.tile(minigrad.tensor([[1, 2]]), (2,))
        tensor([[1, 2, 1, 2]])
    """
    counts = sizes_from(dims)
    return repeat(input, (1,) * (ndim_of(input) - len(counts)) + counts)


def repeat_interleave(
    input: Any, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Any:
    """Each element `repeats` times, one after the other, along `dim` (of the flat tensor by default).

    `repeats` is a number, or a tensor of one number for each place along `dim`. `repeat_interleave(repeats)`
    gives the places that such a tensor repeats.

    Raises:
        RuntimeError: a count is negative, or there is not one for each place.

    Example:
        >>> import minigrad
        >>> minigrad.repeat_interleave(minigrad.tensor([1, 2]), 2)
        tensor([1, 1, 2, 2])
        >>> minigrad.repeat_interleave(minigrad.tensor([5, 6]), minigrad.tensor([1, 3]))
        tensor([5, 6, 6, 6])
    """
    if repeats is None:
        return type(input)._result._wrap(_places(input._array))
    if dim is None:
        input, dim = flatten(input), 0
    axis = normalize_dim(dim, ndim_of(input))
    if isinstance(repeats, Variable):
        return index_select(input, axis, _interleaved(input, repeats._array, axis))
    if repeats < 0:
        raise RuntimeError("Repeats must be non-negative")
    if ndim_of(input) == 0:
        return clone(expand(input, repeats))
    shape = input._array.shape
    wide = expand(unsqueeze(input, axis + 1), (*shape[: axis + 1], repeats, *shape[axis + 1 :]))
    return flatten(clone(wide), axis, axis + 1)


def _interleaved(input: Any, repeats: ndarray, axis: int) -> Any:
    size = input._array.shape[axis]
    if repeats.ndim > 1:
        raise RuntimeError("repeats must be 0-dim or 1-dim tensor")
    if repeats.size != size and repeats.size != 1:
        raise RuntimeError(
            "repeats must have the same size as input along dim, but got "
            f"repeats.size(0) = {repeats.size} and input.size({axis}) = {size}"
        )
    return type(input)._result._wrap(_places(np.broadcast_to(repeats.reshape(-1), (size,))))


def _places(repeats: ndarray) -> ndarray:
    """0 repeats[0] times, 1 repeats[1] times, ..."""
    if repeats.dtype.kind not in "iu":
        raise RuntimeError("repeats has to be Long or Int tensor")
    if repeats.ndim != 1:
        raise RuntimeError("repeat_interleave only accept 1D vector as repeat")
    if (repeats < 0).any():
        raise RuntimeError("repeats can not be negative")
    return np.repeat(np.arange(repeats.size), repeats)


# ------------------------------------------------------------------------------------------------ windows
def _unfold(x: ndarray, *, axis: int, size: int, step: int) -> ndarray:
    if x.ndim == 0:
        return x.reshape(1)[:size]
    windows = np.lib.stride_tricks.sliding_window_view(x, size, axis)
    found: ndarray = windows[(slice(None),) * axis + (slice(None, None, step),)]
    return found


def _fold(x: ndarray, *, axis: int, step: int, shape: tuple[int, ...]) -> ndarray:
    """Zeros of `shape` with all windows added in their places: the adjoint of unfold."""
    whole = np.zeros(shape, x.dtype)
    if not shape:
        return whole + x.sum(dtype=x.dtype)
    count = x.shape[axis]
    for place in range(x.shape[-1]):
        stop = place + step * (count - 1) + 1
        whole[(slice(None),) * axis + (slice(place, stop, step),)] += x[..., place]
    return whole


_windows: Primitive = primitive(_unfold, grad_name="UnfoldBackward0").vjp(
    lambda g, x_shape, axis, step: _fold_back(g, axis=axis, step=step, shape=x_shape)
)
_fold_back: Primitive = primitive(_fold, grad_name="UnfoldBackwardBackward0").vjp(
    lambda g, x_shape, axis, step: _windows(g, axis=axis, size=x_shape[-1], step=step)
)


def unfold(input: Any, dimension: int, size: int, step: int) -> Any:
    """All windows of `size` along a dimension, `step` apart, in a new last dimension; shares the memory.

    Raises:
        RuntimeError: `size` is larger than the dimension, or `step` is not positive.

    Example:
        >>> import minigrad
        >>> minigrad.arange(5).unfold(0, 3, 1)
        tensor([[0, 1, 2],
                [1, 2, 3],
                [2, 3, 4]])
    """
    axis = normalize_dim(dimension, ndim_of(input))
    length = input._array.shape[axis] if input._array.ndim else 1
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if size > length:
        raise RuntimeError(f"maximum size for tensor at dimension {axis} is {length} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    result = _windows(input, axis=axis, size=size, step=step)
    result._counter = input._counter  # NumPy hides whose memory it is; the windows are read-only
    return result


# ------------------------------------------------------------------------------------- all combinations
def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Any, ...]:
    """The coordinates of the grid that vectors span, one tensor for each: `indexing` "ij" or "xy".

    "xy" swaps the first two dimensions, as in pictures: rows are y.

    Raises:
        RuntimeError: the tensors are not of 0 or 1 dimensions or of several dtypes.

    Example:
        >>> import minigrad
        >>> x, y = minigrad.meshgrid(minigrad.tensor([1, 2]), minigrad.tensor([3, 4]), indexing="ij")
        >>> x
        tensor([[1, 1],
                [2, 2]])
    """
    vectors = _vectors(tensors)
    if indexing is None:
        warnings.warn(
            "torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument.",
            UserWarning,
            stacklevel=2,
        )
    elif indexing not in ("ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    swapped = indexing == "xy" and len(vectors) > 1
    if swapped:
        vectors[:2] = vectors[1::-1]
    shape = tuple(v._array.size for v in vectors)
    grids = [
        broadcast_to(reshape(v, (1,) * i + (shape[i],) + (1,) * (len(shape) - 1 - i)), shape=shape)
        for i, v in enumerate(vectors)
    ]
    if swapped:
        grids[:2] = grids[1::-1]
    return tuple(grids)


def _vectors(tensors: Sequence[Any]) -> list[Any]:
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tensors[0]
    vectors = tensor_list("meshgrid", tensors)
    if not vectors:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    for v in vectors:
        if v._array.ndim > 1:
            raise RuntimeError(
                "torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: one of shape "
                f"{list(v._array.shape)}"
            )
        if v._array.dtype != vectors[0]._array.dtype:
            raise RuntimeError("meshgrid expects all tensors to have the same dtype")
    return vectors


def _check_vector(x: Any) -> None:
    if x._array.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(x._array.shape)}")


def cartesian_prod(*tensors: Any) -> Any:
    """All tuples with one element of each vector, as rows; a single vector as it is.

    Example:
        >>> import minigrad
        >>> minigrad.cartesian_prod(minigrad.tensor([1, 2]), minigrad.tensor([3, 4]))
        tensor([[1, 3],
                [1, 4],
                [2, 3],
                [2, 4]])
    """
    for x in tensors:
        _check_vector(x)
    if len(tensors) == 1:
        return tensors[0]
    return stack([flatten(grid) for grid in meshgrid(*tensors, indexing="ij")], dim=1)


def combinations(input: Any, r: int = 2, with_replacement: bool = False) -> Any:
    """All choices of `r` elements of a vector, in its order, as rows.

    Example:
        >>> import minigrad
        >>> minigrad.combinations(minigrad.tensor([1, 2, 3]))
        tensor([[1, 2],
                [1, 3],
                [2, 3]])
    """
    _check_vector(input)
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    wrap = type(input)._result._wrap
    if r == 0:
        return wrap(np.zeros(0, input._array.dtype))
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = np.array(list(choose(range(input._array.size), r)), np.int64).reshape(-1, r)
    return stack([index_select(input, 0, wrap(column)) for column in rows.T.copy()], dim=1)


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """The powers of a vector's elements as columns, from x^(N-1) down to 1, or up with `increasing`.

    Raises:
        RuntimeError: `x` is no vector, or `N` is negative.

    Example:
        >>> import minigrad
        >>> minigrad.vander(minigrad.tensor([1, 2, 3]))
        tensor([[1, 1, 1],
                [4, 2, 1],
                [9, 3, 1]])
    """
    if x._array.ndim != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    count = x._array.size if N is None else N
    if count < 0:
        raise RuntimeError("N must be non-negative.")
    kind = x._array.dtype if x._array.dtype.kind == "f" else np.dtype(np.int64)
    wrap = type(x)._result._wrap
    if count == 0:
        return wrap(np.zeros((x._array.size, 0), kind))
    columns = [wrap(np.ones(x._array.size, kind))]
    for _ in range(count - 1):
        columns.append(columns[-1] * x)
    powers = stack(columns, dim=1)
    return powers if increasing else flip(powers, 1)
