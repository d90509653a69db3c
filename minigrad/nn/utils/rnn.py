"""Sequences of several lengths in one tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.creation import full
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
