"""Sequences of several lengths in one tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy import ndarray

from minigrad.autograd.fused import fused
from minigrad.creation import as_tensor, from_numpy, full
from minigrad.dtypes import int64
from minigrad.ops.joining import cat, stack
from minigrad.tensor import Tensor


def pad_sequence(
    sequences: Sequence[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Sequences (L, *) of several lengths, padded to the longest and stacked: (L, N, *), or (N, L, *).

    Args:
        sequences: tensors alike but in their first size; not empty.
        batch_first: whether the batch comes first in the result.
        padding_value: what is filled in.
        padding_side: "right" to fill in after a sequence, "left" before it.

    Raises:
        RuntimeError: there is no sequence, or `padding_side` is neither, or the other sizes differ.

    Example:
        >>> import minigrad
        >>> from minigrad.nn.utils.rnn import pad_sequence
        >>> pad_sequence([minigrad.tensor([1, 2, 3]), minigrad.tensor([4])], batch_first=True)
        tensor([[1, 2, 3],
                [4, 0, 0]])
    """
    if padding_side not in ("left", "right"):
        raise RuntimeError(
            f"padding_side should be one of 'right' or 'left'. But got padding_side={padding_side!r}."
        )
    listed = list(sequences)
    if not listed:
        raise RuntimeError("received an empty list of sequences")
    longest = max(len(sequence) for sequence in listed)
    padded = []
    for sequence in listed:
        rest = (longest - len(sequence), *sequence.shape[1:])
        parts = [sequence, full(rest, padding_value, dtype=sequence.dtype)]
        padded.append(cat(parts if padding_side == "right" else parts[::-1]))
    return stack(padded, 0 if batch_first else 1)


def unpad_sequence(padded_sequences: Tensor, lengths: Any, batch_first: bool = False) -> list[Tensor]:
    """The sequences that `pad_sequence` padded on the right, of these lengths.

    Example:
        >>> import minigrad
        >>> from minigrad.nn.utils.rnn import unpad_sequence
        >>> unpad_sequence(minigrad.tensor([[1, 4], [2, 0], [3, 0]]), minigrad.tensor([3, 1]))
        [tensor([1, 2, 3]), tensor([4])]
    """
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [row[: int(length)] for row, length in zip(rows, lengths, strict=True)]


class _Packed(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Packed):
    """Sequences of several lengths without padding; `pack_padded_sequence` and `pack_sequence` make them.

    `data` has the first elements of all sequences, the longest first, then the second ones, and so on;
    `batch_sizes[t]` is how many have an element t. `sorted_indices` puts the sequences in the order of their
    lengths, `unsorted_indices` back; both are None if they were in order.
    """

    __slots__ = ()

    def __new__(
        cls,
        data: Tensor,
        batch_sizes: Tensor,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> Self:
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """The same with `data.to(...)`."""
        return type(self)(self.data.to(*args, **kwargs), *self[1:])

    def double(self) -> Self:
        """The same in float64."""
        return type(self)(self.data.double(), *self[1:])

    def float(self) -> Self:
        """The same in float32."""
        return type(self)(self.data.float(), *self[1:])


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes this one; None of None.

    Example:
        >>> import minigrad
        >>> minigrad.nn.utils.rnn.invert_permutation(minigrad.tensor([2, 0, 1]))
        tensor([1, 2, 0])
    """
    return None if permutation is None else from_numpy(np.argsort(permutation.numpy()))


def _sizes_of(lengths: ndarray) -> ndarray:
    """How many sequences have an element t."""
    return (lengths[:, None] > np.arange(lengths.max())).sum(0)


def _places(lengths: ndarray) -> tuple[ndarray, ndarray]:
    """Step and sequence of each row of packed data."""
    steps, sequences = np.nonzero((lengths[:, None] > np.arange(lengths.max())).T)
    return steps, sequences


@fused(grad_name="PackPaddedSequenceBackward0")
def _pack(input: Tensor, lengths: ndarray, batch_first: bool) -> Tensor:
    steps, rows = (from_numpy(places) for places in _places(lengths))
    return input[(rows, steps) if batch_first else (steps, rows)]


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """The sequences of a padded batch, (T, N, *) or with `batch_first` (N, T, *), without their padding.

    Args:
        input: sequences padded on the right.
        lengths: their lengths, positive.
        batch_first: whether the batch is the first dimension.
        enforce_sorted: whether the lengths must decrease; otherwise they are sorted.

    Raises:
        RuntimeError: the lengths do not fit the batch, or are not in order.

    Example:
        >>> import minigrad
        >>> from minigrad.nn.utils.rnn import pack_padded_sequence
        >>> padded = minigrad.tensor([[1, 2, 3], [4, 0, 0]])
        >>> pack_padded_sequence(padded, [3, 1], batch_first=True).data
        tensor([1, 4, 2, 3])
    """
    given = as_tensor(lengths, dtype=int64).numpy()
    batch_dim = 0 if batch_first else 1
    if given.ndim != 1:
        raise RuntimeError(
            f"'lengths' argument should be a 1D CPU int64 tensor, but got {given.ndim}D cpu Long tensor"
        )
    order = None
    if not enforce_sorted:
        order = from_numpy(np.argsort(-given, kind="stable"))
        given = given[order.numpy()]
        input = input[order] if batch_first else input[:, order]
    if not input.numel():
        raise RuntimeError("Cannot pack empty tensors.")
    batch = input.shape[batch_dim]
    if len(given) != batch:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(given)} (batch_size={batch})"
        )
    if given[-1] <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"
        )
    if (np.diff(given) > 0).any():
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
            "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this "
            "requirement if you do not need ONNX exportability."
        )
    longest = input.shape[1 - batch_dim]
    if given[0] > longest:
        raise RuntimeError(
            f"Expected lengths of at most {longest}, the number of steps of the input, but got {given[0]}"
        )
    return PackedSequence(_pack(input, given, batch_first), from_numpy(_sizes_of(given)), order)


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """The padded batch that was packed, and the lengths.

    Raises:
        ValueError: `total_length` is less than the longest sequence.

    Example:
        >>> import minigrad
        >>> from minigrad.nn.utils.rnn import pack_sequence, pad_packed_sequence
        >>> packed = pack_sequence([minigrad.tensor([1, 2, 3]), minigrad.tensor([4])])
        >>> pad_packed_sequence(packed, batch_first=True, padding_value=-1)
        (tensor([[ 1,  2,  3],
                [ 4, -1, -1]]), tensor([3, 1]))
    """
    sizes, data = sequence.batch_sizes.numpy(), sequence.data
    longest = len(sizes)
    if total_length is not None:
        if total_length < longest:
            raise ValueError(
                "Expected total_length to be at least the length of the longest sequence in input, but got "
                f"total_length={total_length} and max sequence length being {longest}"
            )
        longest = total_length
    lengths = _sizes_of(sizes)
    place = np.full((longest, len(lengths)), len(data))  # what is none is looked up in a row of padding
    place[_places(lengths)] = np.arange(len(data))
    if sequence.unsorted_indices is not None:
        back = sequence.unsorted_indices.numpy()
        place, lengths = place[:, back], lengths[back]
    row = full((1, *data.shape[1:]), padding_value, dtype=data.dtype)
    return cat([data, row])[from_numpy(place.T if batch_first else place)], from_numpy(lengths)


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Sequences (L, *) of several lengths, packed. See `pack_padded_sequence`.

    Example:
        >>> import minigrad
        >>> from minigrad.nn.utils.rnn import pack_sequence
        >>> packed = pack_sequence([minigrad.tensor([1, 2, 3]), minigrad.tensor([4])])
        >>> packed.data, packed.batch_sizes
        (tensor([1, 4, 2, 3]), tensor([2, 1, 1]))
    """
    lengths = [len(sequence) for sequence in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences that were packed.

    Example:
        >>> import minigrad
        >>> from minigrad.nn.utils.rnn import pack_sequence, unpack_sequence
        >>> unpack_sequence(pack_sequence([minigrad.tensor([1, 2, 3]), minigrad.tensor([4])]))
        [tensor([1, 2, 3]), tensor([4])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
