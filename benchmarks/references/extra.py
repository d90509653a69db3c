"""Losses that torch lacks."""

from __future__ import annotations

import numpy as np
from mpmath import mpf
from numpy import ndarray

from benchmarks.references.classes import others, own_log_probability, pick
from benchmarks.references.pointwise import binary_cross_entropy_with_logits, relu


def sigmoid_focal_loss(input: ndarray, target: ndarray, alpha: float = 0.25, gamma: float = 2) -> ndarray:
    """alpha (1 - p)^gamma times the binary cross entropy, p being the probability of the truth."""
    mistaken = 1 / (1 + np.exp(input * (2 * target - 1)))
    share = alpha * target + (1 - mpf(alpha)) * (1 - target)
    return share * mistaken**gamma * binary_cross_entropy_with_logits(input, target)


def smooth_binary_cross_entropy_with_logits(
    input: ndarray, target: ndarray, label_smoothing: float = 0.0
) -> ndarray:
    """Of targets drawn towards 1/2."""
    smooth = mpf(label_smoothing)
    return binary_cross_entropy_with_logits(input, target * (1 - smooth) + smooth / 2)


def _mistaken(input: ndarray, target: ndarray) -> ndarray:
    """1 - p of the target class, without cancellation."""
    odds = np.exp(others(input, target) - pick(input, target)[:, None]).sum(1)
    return odds / (1 + odds)


def softmax_focal_loss(input: ndarray, target: ndarray, gamma: float = 2) -> ndarray:
    """(1 - p)^gamma times the cross entropy."""
    return -(_mistaken(input, target) ** gamma) * own_log_probability(input, target)


def poly_loss(input: ndarray, target: ndarray, epsilon: float = 1.0) -> ndarray:
    """Cross entropy and epsilon times 1 - p."""
    return _mistaken(input, target) * epsilon - own_log_probability(input, target)


def generalized_cross_entropy(input: ndarray, target: ndarray, q: float = 0.7) -> ndarray:
    """(1 - p^q) / q."""
    return (1 - np.exp(own_log_probability(input, target) * q)) / q


def sparsemax_loss(input: ndarray, target: ndarray) -> ndarray:
    """max over distributions p of p·x - |p|²/2, minus the same of the truth."""
    losses = []
    for scores, label in zip(input, target, strict=True):
        ordered = np.sort(scores)[::-1]
        sizes = [k for k in range(1, len(scores) + 1) if ordered[k - 1] * k > ordered[:k].sum() - 1]
        support = ordered[: max(sizes)]
        p = support - (support.sum() - 1) / len(support)
        losses.append((p * support).sum() - (p * p).sum() / 2 - scores[label] + mpf(1) / 2)
    return np.array(losses)


def hinge_loss(input: ndarray, target: ndarray) -> ndarray:
    """max(0, 1 - xy)."""
    return relu(1 - input * target)


def squared_hinge_loss(input: ndarray, target: ndarray) -> ndarray:
    """max(0, 1 - xy)²."""
    return relu(1 - input * target) ** 2


def multi_class_hinge_loss(input: ndarray, target: ndarray) -> ndarray:
    """max(0, 1 + the largest other score - the target's)."""
    return relu(1 + others(input, target).max(1) - pick(input, target))


def log_cosh_loss(input: ndarray, target: ndarray) -> ndarray:
    """The logarithm of the error's hyperbolic cosine."""
    return np.log(np.cosh(input - target))


def quantile_loss(input: ndarray, target: ndarray, quantile: float = 0.5) -> ndarray:
    """The pinball loss: q max(0, y - x) + (1 - q) max(0, x - y)."""
    return relu(target - input) * quantile + relu(input - target) * (1 - mpf(quantile))


def mape_loss(input: ndarray, target: ndarray) -> ndarray:
    """The error relative to the target."""
    return abs(input - target) / abs(target)


def msle_loss(input: ndarray, target: ndarray) -> ndarray:
    """The squared difference of log(1 + x)."""
    return (np.log1p(input) - np.log1p(target)) ** 2


def jensen_shannon_loss(input: ndarray, target: ndarray, log_target: bool) -> ndarray:
    """Half the divergences of both distributions from their mean, both given as log-probabilities."""
    assert log_target
    p, q = np.exp(target), np.exp(input)
    middle = np.log((p + q) / 2)
    return (p * (target - middle) + q * (input - middle)) / 2


def gaussian_kl_loss(mean: ndarray, logvar: ndarray) -> ndarray:
    """Half of mean² + exp(logvar) - 1 - logvar."""
    return (mean**2 + np.exp(logvar) - 1 - logvar) / 2


def contrastive_loss(input1: ndarray, input2: ndarray, target: ndarray, margin: float = 1.0) -> ndarray:
    """Half the squared distance where y is 1, else half the square of what it lacks to the margin."""
    square = ((input1 - input2) ** 2).sum(1)
    return np.where(target > 0, square, relu(margin - np.sqrt(square)) ** 2) / 2


REFERENCES = {
    f.__name__: f
    for f in (
        sigmoid_focal_loss,
        smooth_binary_cross_entropy_with_logits,
        softmax_focal_loss,
        poly_loss,
        generalized_cross_entropy,
        sparsemax_loss,
        hinge_loss,
        squared_hinge_loss,
        multi_class_hinge_loss,
        log_cosh_loss,
        quantile_loss,
        mape_loss,
        msle_loss,
        jensen_shannon_loss,
        gaussian_kl_loss,
        contrastive_loss,
    )
}
