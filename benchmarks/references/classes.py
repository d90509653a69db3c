"""Losses of one class among many."""

from __future__ import annotations

import numpy as np
from mpmath import mpf
from numpy import ndarray

from benchmarks.exact import Exact
from benchmarks.references.pointwise import relu


def log_softmax(x: ndarray) -> ndarray:
    """x - log sum exp(x) over the classes."""
    return x - np.log(np.exp(x).sum(1, keepdims=True))


def pick(rows: ndarray, target: ndarray) -> ndarray:
    """Each row's element of the target class."""
    return rows[np.arange(len(rows)), target]


def others(rows: ndarray, target: ndarray) -> ndarray:
    """Each row without its target class."""
    keep = np.arange(rows.shape[1]) != target[:, None]
    return rows[keep].reshape(len(rows), -1)


def nll_loss(input: ndarray, target: ndarray) -> ndarray:
    """-log p of the target class."""
    return -pick(input, target)


def own_log_probability(input: ndarray, target: ndarray) -> ndarray:
    """log p of the target class: -log(1 + the sum over the others of exp(x - x_y))."""
    return -np.log1p(np.exp(others(input, target) - pick(input, target)[:, None]).sum(1))


def cross_entropy(
    input: ndarray, target: ndarray, weight: ndarray | None = None, label_smoothing: float = 0.0
) -> ndarray:
    """-w log p of the target class, or the mean of -w log p under a distribution of targets."""
    soft = target.dtype == object
    if not soft and not label_smoothing:
        losses = -own_log_probability(input, target)
        return losses if weight is None else weight[target] * losses
    if not soft:
        target = np.eye(input.shape[1], dtype=int)[target]
    smooth = target * (1 - mpf(label_smoothing)) + mpf(label_smoothing) / input.shape[1]
    return -(smooth * log_softmax(input)).sum(1)


def linear_cross_entropy(input: ndarray, linear_weight: ndarray, target: ndarray) -> ndarray:
    """Cross entropy of the logits x W^T."""
    return cross_entropy(input @ linear_weight.T, target)


def adaptive(input: ndarray, target: ndarray, head: ndarray, down: ndarray, up: ndarray) -> ndarray:
    """Cross entropy over the frequent classes and the cluster, and within the cluster."""
    frequent = len(head) - 1
    first = cross_entropy(input @ head.T, np.minimum(target, frequent))
    rare = target >= frequent
    within = cross_entropy(input[rare] @ down.T @ up.T, target[rare] - frequent)
    first[rare] = first[rare] + within
    return first


def multi_margin_loss(input: ndarray, target: ndarray, p: int = 1, margin: float = 1.0) -> ndarray:
    """Sum over the other classes of max(0, margin - x_y + x_j)^p, over their number and one."""
    gaps = relu(margin - pick(input, target)[:, None] + others(input, target))
    return (gaps**p).sum(1) / input.shape[1]


def multilabel_margin_loss(input: ndarray, target: ndarray) -> ndarray:
    """Sum over labels and other classes of max(0, 1 - x_label + x_other), over the number of classes."""
    losses = np.array([Exact(0)] * len(input))
    for row, (scores, labels) in enumerate(zip(input, target, strict=True)):
        labels = labels[labels >= 0]
        rest = np.delete(scores, labels)
        losses[row] = relu(1 - scores[labels][:, None] + rest).sum() / len(scores)
    return losses


REFERENCES = {
    "nll_loss": nll_loss,
    "cross_entropy": cross_entropy,
    "linear_cross_entropy": linear_cross_entropy,
    "AdaptiveLogSoftmaxWithLoss": adaptive,
    "multi_margin_loss": multi_margin_loss,
    "multilabel_margin_loss": multilabel_margin_loss,
}
