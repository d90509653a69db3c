"""Rows of a table by index: what an embedding looks up, and the gradient that is added to the rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import dtypes
from minigrad.autograd.op import Primitive, primitive
from minigrad.autograd.tape import Variable, no_grad
from minigrad.kernels import rows as kernels
from minigrad.ops.inplace import assign


def _take(weight: ndarray, index: ndarray, *, skip: int = -1, by_frequency: bool = False) -> ndarray:
    return kernels.take_rows(weight, index)


def _add(g: ndarray, index: ndarray, *, count: int, skip: int) -> ndarray:
    return kernels.add_rows(g, index, count, skip)


take_rows: Primitive = primitive(_take, grad_name="EmbeddingBackward0").vjp(
    lambda g, weight_shape, index, skip, by_frequency: add_rows(
        g * _shares(index, g) if by_frequency else g, index, count=weight_shape[0], skip=skip
    ),
    None,
)
add_rows: Primitive = primitive(_add, grad_name="EmbeddingDenseBackwardBackward0").vjp(
    lambda g, index, skip: take_rows(g if skip < 0 else g * _all_but(skip, g), index), None
)


def _all_but(row: int, g: Any) -> ndarray:
    """A column of ones with a zero at the row."""
    kept = np.ones((g.shape[0], 1), _array(g).dtype)
    kept[row] = 0
    return kept


def _shares(index: Any, g: Any) -> ndarray:
    """1 / how often the row of each place is looked up, (*, 1)."""
    places = _array(index)
    counts = np.bincount(places.ravel(), minlength=1)
    return (1 / counts[places]).astype(_array(g).dtype)[..., None]


def _array(x: Any) -> ndarray:
    return x._array if isinstance(x, Variable) else x


def embedding(
    input: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """The rows of `weight` (V, D) at the indices `input` (*), as (*, D).

    Args:
        input: int64 or int32 indices in [0, V).
        weight: the table.
        padding_idx: a row that gets no gradient; counted from the end if negative.
        max_norm: rows that are looked up and longer than this are first shortened to it, in place.
        norm_type: the order of the norm for `max_norm`.
        scale_grad_by_freq: divide a row's gradient by how often it is looked up.
        sparse: only False, as there are no sparse tensors.

    Gradient: the cotangents of all places that look a row up, added.

    Raises:
        IndexError: an index is negative or not below V.
        AssertionError: `padding_idx` is outside [-V, V).
        RuntimeError: `weight` is no matrix, or `input` no tensor of indices.
        NotImplementedError: `sparse` is True.

    Example:
        >>> import minigrad
        >>> weight = minigrad.tensor([[0.0, 0.5], [1.0, 1.5], [2.0, 2.5]])
        >>> minigrad.nn.functional.embedding(minigrad.tensor([2, 0]), weight)
        tensor([[2.0000, 2.5000],
                [0.0000, 0.5000]])
    """
    check_dense(sparse)
    index = checked_index(input, weight)
    skip = -1 if padding_idx is None else padding_row(padding_idx, weight.shape[0])
    if max_norm is not None:
        shorten(weight, index._array, max_norm, norm_type)
    return take_rows(weight, index, skip=skip, by_frequency=bool(scale_grad_by_freq))


def check_dense(sparse: bool) -> None:
    """Raise where sparse gradients are asked for."""
    if sparse:
        raise NotImplementedError(
            "minigrad has no sparse tensors, so no sparse gradients: use sparse=False, with the same numbers."
        )


def padding_row(padding_idx: int, entries: int) -> int:
    """The row, counted from the start."""
    if not -entries <= padding_idx < max(entries, 1):
        raise AssertionError(
            f"Padding_idx must be within num_embeddings\nGot {padding_idx} for {entries} rows."
        )
    return padding_idx % entries if entries else padding_idx


def checked_index(input: Any, weight: Any) -> Any:
    """`input` as int64, each element a row of `weight`."""
    for name, place, value in (("indices", 2, input), ("weight", 1, weight)):
        if not isinstance(value, Variable):
            raise TypeError(
                f"embedding(): argument '{name}' (position {place}) must be Tensor, not "
                f"{type(value).__name__}"
            )
    places, table = input._array, weight._array
    if table.ndim != 2:
        raise RuntimeError(f"'weight' must be 2-D\nGot shape {list(table.shape)}; rows are looked up.")
    if places.dtype not in (np.int64, np.int32):
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; "
            f"but got torch.{dtypes.of(places).tensor_type} instead (while checking arguments for embedding)"
            "\nUse input.long()."
        )
    if places.dtype != np.int64:
        places = places.astype(np.int64)
        input = input._result._wrap(places)
    # As unsigned numbers, negative ones are the largest.
    if places.size and places.view(np.uint64).max() >= table.shape[0]:
        outside = places[(places < 0) | (places >= table.shape[0])]
        raise IndexError(
            f"index out of range in self\nGot {outside.flat[0]}; there are {table.shape[0]} rows."
        )
    return input


def shorten(weight: Any, index: ndarray, max_norm: float, norm_type: float) -> None:
    """Bring the rows that are looked up to a norm of at most `max_norm`, in place and unrecorded."""
    used = np.unique(index)
    table = weight._array.copy()
    rows = table[used].astype(np.float64)
    norms = np.linalg.norm(rows, norm_type, axis=1, keepdims=True)
    table[used] = np.where(norms > max_norm, rows * (max_norm / (norms + 1e-7)), rows)
    with no_grad():
        assign(weight, table)
