"""EmbeddingBag: sums, means or maxima of the rows of a table, as function and module."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy import ndarray

from minigrad.autograd.fused import fused
from minigrad.nn.embedding import Embedding
from minigrad.ops.elementwise import where
from minigrad.ops.embedding import add_rows, check_dense, checked_index, padding_row, shorten, take_rows
from minigrad.ops.reduction import max
from minigrad.tensor import Tensor


def _starts(input: Tensor, offsets: Tensor | None, include_last_offset: bool) -> ndarray:
    """Where in the flat input each bag begins, and the end of the last."""
    shape = input.shape
    if len(shape) == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed "
                f"length sequences. However, found offsets of type {type(offsets)}"
            )
        return np.arange(shape[0] + 1) * shape[1]
    if len(shape) != 1:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {len(shape)}")
    if offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    if offsets.ndim != 1:
        raise ValueError("offsets has to be a 1D Tensor")
    starts, length = offsets._array, shape[0]
    if starts.dtype.kind not in "iu":
        raise RuntimeError(f"offsets has to be a tensor of integers, but got {offsets.dtype}; use .long().")
    if include_last_offset and not starts.size:
        raise RuntimeError("include_last_offset: number of offsets should be at least 1")
    if starts.size and starts[0] != 0:
        raise RuntimeError(
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position "
            f"0. However, got {starts[0]}"
        )
    if starts.size and starts[-1] > length:
        raise RuntimeError(
            f"offsets[-1] can not be greater than input's length {length} but got offsets[-1] of {starts[-1]}"
        )
    if (np.diff(starts) < 0).any():
        raise RuntimeError(f"offsets must not decrease, but got {starts.tolist()}")
    if include_last_offset:
        return starts
    return np.append(starts, length)


def _check(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None,
    max_norm: float | None,
    norm_type: float,
    scale_grad_by_freq: bool,
    mode: str,
    sparse: bool,
    per_sample_weights: Tensor | None,
    include_last_offset: bool,
    padding_idx: int | None,
) -> tuple[Any, ...]:
    """The arguments in normal form; for the offsets where the bags begin, and the end of the last."""
    check_dense(sparse)
    if per_sample_weights is not None and input.shape != per_sample_weights.shape:
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, then it must "
            f"have the same shape as the input ({input.shape})"
        )
    if weight.ndim != 2:
        raise ValueError(f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.ndim}")
    starts = _starts(input, offsets, include_last_offset)
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for "
            f"mode='sum' (got mode='{mode}')."
        )
    index = checked_index(input, weight)
    if max_norm is not None:
        shorten(weight, index._array, max_norm, norm_type)
    padding = None if padding_idx is None else padding_row(padding_idx, weight.shape[0])
    options = (None, norm_type, scale_grad_by_freq, mode, False, per_sample_weights, include_last_offset)
    return index, weight, starts, *options, padding


@fused(check=_check)
def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Any = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """The sum, mean or maximum of the rows of `weight` (V, D) of each bag of indices, (B, D).

    Args:
        input: indices in [0, V): (B, N), a bag in each row; or (N,), bags one after the other.
        weight: the table.
        offsets: for (N,) where each bag begins, (B,).
        max_norm, norm_type, scale_grad_by_freq, sparse: as for `embedding`. The gradient is divided by how
            often its own row is looked up; torch 2.13 takes another row's count here.
        mode: "sum", "mean" or "max"; 0 for an empty bag.
        per_sample_weights: with "sum", factors for the rows, of the shape of `input`.
        include_last_offset: `offsets` has the end of the last bag as well, (B + 1,).
        padding_idx: indices that count as not there.

    Raises:
        ValueError: shapes or options do not fit.
        RuntimeError: the offsets do not begin with 0, decrease, or are beyond the input.
        IndexError: an index is outside.
        NotImplementedError: weights for another mode than "sum", or `sparse` is True.

    Example:
        >>> import minigrad
        >>> weight = minigrad.tensor([[1.0], [2.0], [4.0]])
        >>> minigrad.nn.functional.embedding_bag(minigrad.tensor([[0, 1], [2, 2]]), weight, mode="sum")
        tensor([[3.],
                [8.]])
    """
    places, starts = input._array.reshape(-1), offsets
    lengths = np.diff(starts)
    bags = np.repeat(np.arange(lengths.size), lengths)
    factors = None if per_sample_weights is None else per_sample_weights.reshape(-1)
    places = places[: bags.size]
    if padding_idx is not None:
        kept = places != padding_idx
        places, bags = places[kept], bags[kept]
        lengths = np.bincount(bags, minlength=lengths.size)
        factors = None if factors is None else factors[Tensor._wrap(kept)]
    if mode == "max":
        return _largest(weight, places, lengths)
    rows = take_rows(weight, Tensor._wrap(places), by_frequency=scale_grad_by_freq)
    if factors is not None:
        rows = rows * factors.unsqueeze(1)
    total = add_rows(rows, Tensor._wrap(bags), count=lengths.size, skip=-1)
    if mode == "sum":
        return total
    return total / np.maximum(lengths, 1).astype(total._array.dtype)[:, None]


def _largest(weight: Tensor, places: ndarray, lengths: ndarray) -> Tensor:
    """The maximum of each bag, of bags brought to one length; ties give the gradient to the first."""
    there = np.arange(int(lengths.max(initial=0)) or 1) < lengths[:, None]
    filled = np.zeros(there.shape, np.int64)
    filled[there] = places
    rows = where(Tensor._wrap(there[..., None]), take_rows(weight, Tensor._wrap(filled)), -np.inf)
    return where(Tensor._wrap(lengths[:, None] > 0), max(rows, 1).values, 0.0)


class EmbeddingBag(Embedding):
    """Sums, means or maxima of the vectors of a table at bags of indices. See `functional.embedding_bag`.

    Shapes: input (B, N), or (N,) with `offsets` (B,); result (B, embedding_dim); `weight`
    (num_embeddings, embedding_dim), which starts as an `Embedding`'s does.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> layer = nn.EmbeddingBag.from_pretrained(minigrad.tensor([[1.0], [2.0], [4.0]]), mode="max")
        >>> layer
        EmbeddingBag(3, 1, mode='max')
        >>> layer(minigrad.tensor([0, 1, 2]), minigrad.tensor([0, 2]))
        tensor([[2.],
                [4.]])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Tensor | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            *(num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse),
            *(_weight, False, device, dtype),
        )
        self.mode = mode
        self.include_last_offset = include_last_offset

    @classmethod
    def from_pretrained(  # type: ignore[override]  # torch has another order here
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> Self:
        """A layer with this table, which shares its memory; with `freeze` it is not trained."""
        if embeddings.ndim != 2:
            raise AssertionError("Embeddings parameter is expected to be 2-dimensional")
        entries, width = embeddings.shape
        options = norm_type, scale_grad_by_freq, mode, sparse
        layer = cls(entries, width, max_norm, *options, embeddings, include_last_offset, padding_idx)
        layer.weight.requires_grad_(not freeze)
        return layer

    def forward(
        self, input: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None
    ) -> Tensor:
        return embedding_bag(
            *(input, self.weight, offsets, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.mode),
            *(self.sparse, per_sample_weights, self.include_last_offset, self.padding_idx),
        )

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq:
            text += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        text += f", mode={self.mode!r}"
        return text if self.padding_idx is None else f"{text}, padding_idx={self.padding_idx}"
