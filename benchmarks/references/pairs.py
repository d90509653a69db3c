"""Losses of vectors that belong together or not, and of sequences."""

from __future__ import annotations

import numpy as np
from mpmath import mpf
from numpy import ndarray

from benchmarks.exact import Exact
from benchmarks.references.pointwise import relu


def cosine_embedding_loss(input1: ndarray, input2: ndarray, target: ndarray) -> ndarray:
    """1 - cos where y is 1, max(0, cos) where it is -1; torch adds 1e-12 to the squared lengths."""
    squares = [(x * x).sum(1) + mpf(1e-12) for x in (input1, input2)]
    cosine = (input1 * input2).sum(1) / np.sqrt(squares[0] * squares[1])
    return np.where(target > 0, 1 - cosine, relu(cosine))


def distance(a: ndarray, b: ndarray) -> ndarray:
    """The length of a - b, after torch has added 1e-6 to each difference."""
    return np.sqrt(((a - b + mpf(1e-6)) ** 2).sum(1))


def triplet_margin_loss(
    anchor: ndarray, positive: ndarray, negative: ndarray, margin: float = 1.0, swap: bool = False
) -> ndarray:
    """max(0, margin + the distance to the positive - that to the negative)."""
    far = distance(anchor, negative)
    if swap:
        far = np.minimum(far, distance(positive, negative))
    return relu(distance(anchor, positive) - far + margin)


def ctc_loss(
    log_probs: ndarray, targets: ndarray, input_lengths: ndarray, target_lengths: ndarray
) -> ndarray:
    """-log of the sum over all alignments of their probability, blank 0.

    The gradient is torch's, of logits whose log-softmax the log-probabilities are: exp(x) minus the share of
    the alignments that pass through each symbol.
    """
    losses = []
    for sample, labels in enumerate(targets):
        p = np.exp(log_probs[:, sample])
        states = np.zeros(2 * len(labels) + 1, int)
        states[1::2] = labels
        reached = np.array([Exact(0)] * len(states))
        reached[:2] = p[0, states[:2]]
        for step in p[1:]:
            before = reached.copy()
            reached[1:] = reached[1:] + before[:-1]
            skips = np.flatnonzero((states[2:] != 0) & (states[2:] != states[:-2])) + 2
            reached[skips] = reached[skips] + before[skips - 2]
            reached = reached * step[states]
        folded = [Exact(0, e.slopes) for e in p.flat]
        losses.append(-np.log(reached[-1] + reached[-2]) + sum(folded[1:], folded[0]))
    return np.array(losses)


REFERENCES = {
    "cosine_embedding_loss": cosine_embedding_loss,
    "triplet_margin_loss": triplet_margin_loss,
    "triplet_margin_with_distance_loss": triplet_margin_loss,
    "ctc_loss": ctc_loss,
}
