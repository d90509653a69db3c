"""Losses of one prediction and one target each."""

from __future__ import annotations

import numpy as np
from mpmath import mp, mpf
from numpy import ndarray

from benchmarks.exact import Exact


def relu(x: ndarray) -> ndarray:
    """max(0, x)."""
    return np.where(x > 0, x, Exact(0))


def l1_loss(input: ndarray, target: ndarray) -> ndarray:
    """|x - y|."""
    return abs(input - target)


def mse_loss(input: ndarray, target: ndarray) -> ndarray:
    """(x - y)²."""
    return (input - target) ** 2


def huber_loss(input: ndarray, target: ndarray, delta: float = 1.0) -> ndarray:
    """Squares of small errors, delta times the size of large ones."""
    error = abs(input - target)
    return np.where(error < delta, error**2 / 2, (error - mpf(delta) / 2) * delta)


def smooth_l1_loss(input: ndarray, target: ndarray, beta: float = 1.0) -> ndarray:
    """Huber's, divided by beta."""
    return huber_loss(input, target, beta) / beta


def binary_cross_entropy(input: ndarray, target: ndarray) -> ndarray:
    """-y log p - (1 - y) log(1 - p), with torch's rules: a logarithm is at least -100, p (1 - p) 1e-12."""
    losses = np.empty_like(input)
    for place, (p, y) in enumerate(zip(input.flat, target.flat, strict=True)):
        chance = p.value if y.value else 1 - p.value
        value = -mp.log(chance) if chance else mpf(100)
        slope = (p.value - y.value) / max(p.value * (1 - p.value), mpf("1e-12"))
        losses.flat[place] = p._chain(min(value, mpf(100)), slope)
    return losses


def binary_cross_entropy_with_logits(
    input: ndarray, target: ndarray, pos_weight: ndarray | float = 1.0
) -> ndarray:
    """The loss of the probability 1 / (1 + exp(-x))."""
    return pos_weight * target * np.log1p(np.exp(-input)) + (1 - target) * np.log1p(np.exp(input))


def multilabel_soft_margin_loss(input: ndarray, target: ndarray) -> ndarray:
    """The mean over the classes of the binary cross entropy."""
    return binary_cross_entropy_with_logits(input, target).sum(1) / input.shape[1]


def poisson_nll_loss(input: ndarray, target: ndarray, log_input: bool = True, eps: float = 1e-8) -> ndarray:
    """exp(x) - x y, or x - y log x."""
    return np.exp(input) - target * input if log_input else input - target * np.log(input + eps)


def gaussian_nll_loss(input: ndarray, target: ndarray, var: ndarray) -> ndarray:
    """Half of log var + (x - y)² / var."""
    return (np.log(var) + (input - target) ** 2 / var) / 2


def kl_div(input: ndarray, target: ndarray, log_target: bool = False) -> ndarray:
    """p (log p - x)."""
    if log_target:
        return np.exp(target) * (target - input)
    return np.array(
        [
            p * (mp.log(p.value) - x) if p.value else p * 0
            for x, p in zip(input.flat, target.flat, strict=True)
        ]
    )


def hinge_embedding_loss(input: ndarray, target: ndarray, margin: float = 1.0) -> ndarray:
    """x where y is 1, max(0, margin - x) where it is -1."""
    return np.where(target > 0, input, relu(margin - input))


def margin_ranking_loss(input1: ndarray, input2: ndarray, target: ndarray) -> ndarray:
    """max(0, -y (x1 - x2))."""
    return relu(-target * (input1 - input2))


def soft_margin_loss(input: ndarray, target: ndarray) -> ndarray:
    """log(1 + exp(-x y))."""
    return np.log1p(np.exp(-input * target))


REFERENCES = {
    f.__name__: f
    for f in (
        l1_loss,
        mse_loss,
        huber_loss,
        smooth_l1_loss,
        binary_cross_entropy,
        binary_cross_entropy_with_logits,
        multilabel_soft_margin_loss,
        poisson_nll_loss,
        gaussian_nll_loss,
        kl_div,
        hinge_embedding_loss,
        margin_ranking_loss,
        soft_margin_loss,
    )
}
