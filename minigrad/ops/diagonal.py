"""Diagonals and triangles of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.autograd.fused import fused
from minigrad.autograd.op import Primitive, primitive
from minigrad.ops.dims import ndim_of, normalize_dim
from minigrad.ops.joining import same_dtype, slice_along, tensor_list
from minigrad.ops.reduction import sum
from minigrad.ops.shape import reshape


# --------------------------------------------------------------------------------------------- diagonals
def _diagonal(x: ndarray, *, offset: int, axes: tuple[int, int], label: str) -> ndarray:
    found = np.diagonal(x, offset, *axes)
    found.flags.writeable = x.flags.writeable
    return found


def _onto_diagonal(
    x: ndarray, *, offset: int, axes: tuple[int, int], shape: tuple[int, ...], label: str
) -> ndarray:
    """Zeros of `shape` with x on a diagonal: the adjoint of reading it."""
    whole = np.zeros(shape, x.dtype)
    _diagonal(whole, offset=offset, axes=axes, label="")[...] = x
    return whole


def _label(node: Any) -> str:
    return node.options["label"]


_diagonal_of: Primitive = primitive(_diagonal, view=True, grad_name=_label).vjp(
    lambda g, x_shape, offset, axes: _embed(
        g, offset=offset, axes=axes, shape=x_shape, label="DiagonalBackward0"
    )
)
_embed: Primitive = primitive(_onto_diagonal, grad_name=_label).vjp(
    lambda g, offset, axes: _diagonal_of(g, offset=offset, axes=axes, label="DiagonalBackward0")
)


def _plane(dim1: int, dim2: int, ndim: int) -> tuple[int, int]:
    first, second = normalize_dim(dim1, ndim), normalize_dim(dim2, ndim)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return first, second


def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The diagonal of the matrices in two dimensions, in a new last dimension, as a view.

    `offset` counts diagonals above the main one, negative ones below.

    Raises:
        IndexError: a dimension does not exist.
        RuntimeError: the two dimensions are the same.

    Example:
        >>> import minigrad
        >>> minigrad.diagonal(minigrad.arange(9).reshape(3, 3), 1)
        tensor([1, 5])
    """
    axes = _plane(dim1, dim2, ndim_of(input))
    return _diagonal_of(input, offset=offset, axes=axes, label="DiagonalBackward0")


def diag_embed(input: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """Matrices, in two new dimensions, with the last dimension of `input` on a diagonal.

    Raises:
        RuntimeError: the two dimensions are the same.

    Example:
        >>> import minigrad
        >>> minigrad.diag_embed(minigrad.tensor([1, 2]))
        tensor([[1, 0],
                [0, 2]])
    """
    shape = input._array.shape
    first, second = _plane(dim1, dim2, len(shape) + 1)
    size = shape[-1] + abs(offset)
    sizes = list(shape[:-1])
    for axis in sorted((first, second)):
        sizes.insert(axis, size)
    return _embed(input, offset=offset, axes=(first, second), shape=tuple(sizes), label="DiagEmbedBackward0")


def diag(input: Any, diagonal: int = 0) -> Any:
    """The diagonal of a matrix, or the matrix with a vector on its diagonal, as a copy.

    Raises:
        RuntimeError: neither a vector nor a matrix.

    Example:
        >>> import minigrad
        >>> minigrad.diag(minigrad.tensor([1, 2]))
        tensor([[1, 0],
                [0, 2]])
        >>> minigrad.diag(minigrad.tensor([[1, 2], [3, 4]]))
        tensor([1, 4])
    """
    ndim = ndim_of(input)
    if ndim == 1:
        return diag_embed(input, diagonal)
    if ndim != 2:
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {ndim}D")
    return _diagonal_copy(input, offset=diagonal)


def _diagonal_copied(x: ndarray, *, offset: int) -> ndarray:
    return np.array(np.diagonal(x, offset))


_diagonal_copy: Primitive = primitive(_diagonal_copied, grad_name="DiagonalBackward0_copy").vjp(
    lambda g, x_shape, offset: _embed(g, offset=offset, axes=(0, 1), shape=x_shape, label="DiagonalBackward0")
)


def diagflat(input: Any, offset: int = 0) -> Any:
    """A matrix with all elements of `input` on its diagonal.

    Example:
        >>> import minigrad
        >>> minigrad.diagflat(minigrad.tensor([[1], [2]]))
        tensor([[1, 0],
                [0, 2]])
    """
    return diag_embed(reshape(input, input._array.size), offset)


@fused(grad_name="TraceBackward0")
def trace(input: Any) -> Any:
    """The sum of the diagonal of a matrix.

    Raises:
        RuntimeError: not a matrix.

    Example:
        >>> import minigrad
        >>> minigrad.trace(minigrad.tensor([[1.0, 2.0], [3.0, 4.0]]))
        tensor(5.)
    """
    if ndim_of(input) != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {ndim_of(input)}")
    return sum(diagonal(input))


def fill_diagonal_(self: Any, fill_value: Any, wrap: bool = False) -> Any:
    """Write a number onto the main diagonal, in place; `wrap` starts anew below a tall matrix.

    Raises:
        RuntimeError: fewer than two dimensions, or more than two of different sizes.

    Example:
        >>> import minigrad
        >>> minigrad.zeros(2, 2).fill_diagonal_(5)
        tensor([[5., 0.],
                [0., 5.]])
    """
    shape = self._array.shape
    if len(shape) < 2:
        raise RuntimeError("dimensions must larger than 1")
    if len(shape) > 2 and len(set(shape)) > 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    places: list[Any] = [np.arange(min(shape))] * len(shape)
    if wrap and len(shape) == 2 and shape[0] > shape[1]:
        rows = np.arange(shape[0])
        keep = rows % (shape[1] + 1) != shape[1]
        places = [rows[keep], (rows % (shape[1] + 1))[keep]]
    self[tuple(places)] = fill_value
    return self


def diagonal_scatter(input: Any, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """A copy of `input` with `src` on a diagonal.

    Raises:
        RuntimeError: `src` has not the shape of that diagonal.

    Example:
        >>> import minigrad
        >>> minigrad.diagonal_scatter(minigrad.zeros(2, 2), minigrad.ones(2))
        tensor([[1., 0.],
                [0., 1.]])
    """
    axes = _plane(dim1, dim2, ndim_of(input))
    room = np.diagonal(input._array, offset, *axes).shape
    if src._array.shape != room:
        raise RuntimeError(
            "expected src to have a size equal to the slice of self. "
            f"src size = {list(src._array.shape)}, slice size = {list(room)}"
        )
    return _with_diagonal(input, src, offset=offset, axes=axes)


def _overwrite(x: ndarray, src: ndarray, *, offset: int, axes: tuple[int, int]) -> ndarray:
    whole = np.array(x, order="C")
    _diagonal(whole, offset=offset, axes=axes, label="")[...] = src
    return whole


_with_diagonal: Primitive = primitive(_overwrite, grad_name="DiagonalScatterBackward0").vjp(
    lambda g, src_shape, offset, axes: _with_diagonal(g, np.zeros(src_shape), offset=offset, axes=axes),
    lambda g, offset, axes: _diagonal_of(g, offset=offset, axes=axes, label="DiagonalBackward0"),
)


# --------------------------------------------------------------------------------------------- triangles
def _tril(x: ndarray, *, diagonal: int) -> ndarray:
    return np.tril(x, diagonal)


def _triu(x: ndarray, *, diagonal: int) -> ndarray:
    return np.triu(x, diagonal)


_lower: Primitive = primitive(_tril, grad_name="TrilBackward0").vjp(
    lambda g, diagonal: _lower(g, diagonal=diagonal)
)
_upper: Primitive = primitive(_triu, grad_name="TriuBackward0").vjp(
    lambda g, diagonal: _upper(g, diagonal=diagonal)
)


def _check_matrix(name: str, input: Any) -> None:
    if ndim_of(input) < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")


def tril(input: Any, diagonal: int = 0) -> Any:
    """The lower triangle of matrices, zero above the given diagonal.

    Raises:
        RuntimeError: fewer than two dimensions.

    Example:
        >>> import minigrad
        >>> minigrad.tril(minigrad.ones(2, 2))
        tensor([[1., 0.],
                [1., 1.]])
    """
    _check_matrix("tril", input)
    return _lower(input, diagonal=diagonal)


def triu(input: Any, diagonal: int = 0) -> Any:
    """The upper triangle of matrices, zero below the given diagonal.

    Raises:
        RuntimeError: fewer than two dimensions.

    Example:
        >>> import minigrad
        >>> minigrad.triu(minigrad.ones(2, 2))
        tensor([[1., 1.],
                [0., 1.]])
    """
    _check_matrix("triu", input)
    return _upper(input, diagonal=diagonal)


# ------------------------------------------------------------------------------------------------ blocks
def _blocks(*xs: ndarray) -> ndarray:
    rows, columns = (int(np.sum([x.shape[i] for x in xs])) for i in (0, 1))
    whole = np.zeros((rows, columns), xs[0].dtype)
    row = column = 0
    for x in xs:
        whole[row : row + x.shape[0], column : column + x.shape[1]] = x
        row, column = row + x.shape[0], column + x.shape[1]
    return whole


def _block_of(g: Any, i: int, shapes: list[tuple[int, ...]]) -> Any:
    for axis in (0, 1):
        start = int(np.sum([s[axis] for s in shapes[:i]], dtype=int))
        g = slice_along(g, axis=axis, start=start, stop=start + shapes[i][axis], label="Slice")
    return g


_block_diagonal: Primitive = primitive(_blocks, grad_name="BlockDiagBackward0").vjp(_block_of)


def block_diag(*tensors: Any) -> Any:
    """The matrix with the given ones along its diagonal; vectors are rows.

    Raises:
        RuntimeError: a tensor has more than two dimensions.

    Example:
        >>> import minigrad
        >>> minigrad.block_diag(minigrad.ones(1, 2), minigrad.tensor([[3.0]]))
        tensor([[1., 1., 0.],
                [0., 0., 3.]])
    """
    blocks = []
    for place, x in enumerate(tensor_list("block_diag", tensors)):
        ndim = ndim_of(x)
        if ndim > 2:
            raise RuntimeError(
                "torch.block_diag: Input tensors must have 2 or fewer dimensions. "
                f"Input {place} has {ndim} dimensions"
            )
        blocks.append(x if ndim == 2 else reshape(x, (1, x._array.size)))
    return _block_diagonal(*same_dtype(_block_diagonal, blocks))
