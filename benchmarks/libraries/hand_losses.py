"""Losses in NumPy: the mean, and its gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from benchmarks.catalogue import Arrays, Loss

Found = tuple[Any, ...]  # the loss and the gradients


def l1_loss(input: ndarray, target: ndarray) -> Found:
    gap = input - target
    loss = np.abs(gap).mean()
    gradient = np.sign(gap, out=gap)
    gradient /= gap.size
    return loss, gradient


def mse_loss(input: ndarray, target: ndarray) -> Found:
    gap = input - target
    loss = np.vdot(gap, gap) / gap.size
    gap *= 2 / gap.size
    return loss, gap


def huber_loss(input: ndarray, target: ndarray, delta: float = 1.0) -> Found:
    gap = input - target
    near = np.clip(gap, -delta, delta)
    gap -= 0.5 * near
    loss = np.vdot(near, gap) / gap.size
    near /= near.size
    return loss, near


def binary_cross_entropy(input: ndarray, target: ndarray) -> Found:
    other = 1 - input
    own, rest = np.maximum(np.log(input), -100), np.maximum(np.log1p(-input), -100)
    loss = -np.mean(target * (own - rest) + rest)
    gradient = input - target
    other *= input
    np.maximum(other, 1e-12, out=other)
    gradient /= other
    gradient /= input.size
    return loss, gradient


def binary_cross_entropy_with_logits(input: ndarray, target: ndarray) -> Found:
    powers = np.exp(-np.abs(input))
    losses = np.log1p(powers)
    losses += np.maximum(input, 0)
    losses -= input * target
    sigmoid = np.where(input >= 0, 1, powers)
    powers += 1
    sigmoid /= powers
    sigmoid -= target
    sigmoid /= input.size
    return losses.mean(), sigmoid


def poisson_nll_loss(input: ndarray, target: ndarray) -> Found:
    gradient = np.exp(input)
    loss = np.mean(gradient - target * input)
    gradient -= target
    gradient /= input.size
    return loss, gradient


def kl_div(input: ndarray, target: ndarray, reduction: str) -> Found:
    assert reduction == "batchmean"
    logs = np.log(target, out=np.zeros_like(target), where=target > 0)
    logs -= input
    return np.vdot(target, logs) / len(input), target / -len(input)


def hinge_embedding_loss(input: ndarray, target: ndarray) -> Found:
    near = target == 1
    losses = np.where(near, input, np.maximum(0, 1 - input))
    gradient = np.where(near, 1, -(input < 1).astype(np.float32))
    gradient /= input.size
    return losses.mean(), gradient


def margin_ranking_loss(input1: ndarray, input2: ndarray, target: ndarray) -> Found:
    gap = input2 - input1
    gap *= target
    wrong = gap > 0
    np.maximum(gap, 0, out=gap)
    gradient = wrong * target
    gradient /= gap.size
    return gap.mean(), -gradient, gradient


def soft_margin_loss(input: ndarray, target: ndarray) -> Found:
    margin = input * target
    powers = np.exp(-np.abs(margin))
    losses = np.log1p(powers)
    losses -= np.minimum(margin, 0)
    gradient = np.where(margin >= 0, powers, 1)
    powers += 1
    gradient /= powers
    gradient *= target
    gradient /= -input.size
    return losses.mean(), gradient


def cross_entropy(input: ndarray, target: ndarray) -> Found:
    rows = np.arange(len(input))
    shifted = input - input.max(1, keepdims=True)
    own = shifted[rows, target]
    np.exp(shifted, out=shifted)
    sums = shifted.sum(1, keepdims=True)
    loss = np.mean(np.log(sums[:, 0]) - own)
    shifted /= sums * len(input)
    shifted[rows, target] -= 1 / len(input)
    return loss, shifted


def nll_loss(input: ndarray, target: ndarray) -> Found:
    rows = np.arange(len(input))
    gradient = np.zeros_like(input)
    gradient[rows, target] = -1 / len(input)
    return -input[rows, target].mean(), gradient


def multi_margin_loss(input: ndarray, target: ndarray) -> Found:
    rows = np.arange(len(input))
    gaps = input - (input[rows, target] - 1)[:, None]
    gaps[rows, target] = 0
    gradient = (gaps > 0).astype(np.float32)
    np.maximum(gaps, 0, out=gaps)
    gradient[rows, target] = -gradient.sum(1)
    gradient /= input.size
    return gaps.mean(), gradient


LOSSES: dict[str, Callable[..., Found]] = {
    "l1_loss": l1_loss,
    "mse_loss": mse_loss,
    "smooth_l1_loss": huber_loss,
    "huber_loss": huber_loss,
    "binary_cross_entropy": binary_cross_entropy,
    "binary_cross_entropy_with_logits": binary_cross_entropy_with_logits,
    "multilabel_soft_margin_loss": binary_cross_entropy_with_logits,
    "poisson_nll_loss": poisson_nll_loss,
    "kl_div": kl_div,
    "hinge_embedding_loss": hinge_embedding_loss,
    "margin_ranking_loss": margin_ranking_loss,
    "soft_margin_loss": soft_margin_loss,
    "cross_entropy": cross_entropy,
    "nll_loss": nll_loss,
    "multi_margin_loss": multi_margin_loss,
}


def fits(loss: Loss, arrays: Arrays) -> bool:
    """Whether the arrays are such as the functions above take: classes as indices, one a row."""
    if loss.function != "cross_entropy":
        return True
    return arrays["input"].ndim == 2 and arrays["target"].ndim == 1
