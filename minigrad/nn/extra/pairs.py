"""Losses of all pairs in a batch, each weighted by how hard it is: circle loss, multi-similarity loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.nn.extra.checks import check_number
from minigrad.nn.extra.similarity import (
    check_labeled,
    cosines,
    in_float64,
    label_pairs,
    log_one_plus_exp,
    log_sum_exp_over,
    reduce_counted,
)
from minigrad.nn.losses.base import Loss, loss, reduce_loss
from minigrad.ops.elementwise import clamp, where


# ---------------------------------------------------------------------------------------- circle loss
def _validate_circle(m: float, gamma: float) -> None:
    check_number("m", m, least=0)
    check_number("gamma", gamma, above=0)


def _check_circle(
    input: Any, target: Any, reduction: str, m: float, gamma: float, detach_weights: bool
) -> Sequence[Any]:
    return *check_labeled("circle_loss", input, target), reduction, m, gamma, detach_weights


@loss(check=_check_circle, validate=_validate_circle)
@in_float64
def circle_loss(
    input: Any,
    target: Any,
    reduction: str = "mean",
    m: float = 0.25,
    gamma: float = 80.0,
    detach_weights: bool = True,
) -> Any:
    """log(1 + Σₙ exp(γ αₙ (sₙ - m)) Σₚ exp(-γ αₚ (sₚ - 1 + m))), each cosine s weighted by its distance α
    from where it should be: αₙ = max(0, sₙ + m), αₚ = max(0, 1 + m - sₚ).

    Wants: embeddings of any length, only their directions count, and labels.

    Args:
        input: embeddings, (N, D).
        target: labels, (N), of any integer type; they are only compared for equality. For sample i, p runs
            over the others of its label and n over those of other labels.
        reduction: "mean" divides by the number of samples that have both a p and an n; "sum"; "none".
        m: the relaxation, >= 0: cosines above 1 - m and below m are good enough.
        gamma: the scale, > 0; the paper takes 256 for faces, 80 for fine-grained retrieval.
        detach_weights: the α count as constants in backward, as the paper has it. Otherwise the gradient is
            that of the formula.

    Gradient: with detached weights a pair's share of the softmax times γ α, so that it vanishes as the pair
    comes right; 0 for samples without a p or an n; if there is no other sample the mean is 0.

    Use it to learn an embedding from classes, where triplets would all weigh the same. The common mistake is
    a gamma fit for another m: the exponents reach γ (1 + m)².

    Raises:
        RuntimeError: the labels are floating point.
        ValueError: shapes or options do not fit.

    Source: Y. Sun et al., "Circle Loss: A Unified Perspective of Pair Similarity Optimization", CVPR 2020.

    Example:
        >>> import minigrad
        >>> from minigrad.nn import extra
        >>> x = minigrad.tensor([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8]])
        >>> extra.circle_loss(x, minigrad.tensor([0, 0, 1]), gamma=1.0, reduction="none")
        tensor([0.8401, 1.1965, 0.0000])
    """
    same, different = label_pairs(target)
    s = cosines(input, input)
    weighed = s.detach() if detach_weights else s
    away = gamma * clamp(weighed + m, min=0) * (s - m)
    close = -gamma * clamp(1 + m - weighed, min=0) * (s - (1 - m))
    losses = log_one_plus_exp(log_sum_exp_over(away, different) + log_sum_exp_over(close, same))
    counted = np.logical_and(same.any(1), different.any(1))
    return reduce_counted(losses, counted, reduction)


class CircleLoss(Loss, fn=circle_loss):
    """log(1 + Σ exp(γ αₙ (sₙ - m)) Σ exp(-γ αₚ (sₚ - 1 + m))) over the cosines to other and to own labels;
    the mean by default. Wants embeddings and labels. See `minigrad.nn.extra.circle_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.extra.CircleLoss(gamma=1.0)
        >>> x = minigrad.tensor([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8]])
        >>> criterion(x, minigrad.tensor([0, 0, 1]))
        tensor(1.0183)
    """


# ----------------------------------------------------------------------------------- multi-similarity
def _validate_multi_similarity(alpha: float, beta: float, epsilon: float | None) -> None:
    check_number("alpha", alpha, above=0)
    check_number("beta", beta, above=0)
    if epsilon is not None:
        check_number("epsilon", epsilon, least=0)


def _check_multi_similarity(input: Any, target: Any, *options: Any) -> Sequence[Any]:
    return *check_labeled("multi_similarity_loss", input, target), *options


def _mined(s: ndarray, same: ndarray, different: ndarray, epsilon: float) -> tuple[ndarray, ndarray]:
    """The positives less similar than the hardest negative, and the negatives more similar than the hardest
    positive, within `epsilon`; none where there is no such other."""
    hardest_negative = np.where(different, s, -np.inf).max(1, keepdims=True, initial=-np.inf)
    hardest_positive = np.where(same, s, np.inf).min(1, keepdims=True, initial=np.inf)
    return same & (s < hardest_negative + epsilon), different & (s > hardest_positive - epsilon)


@loss(check=_check_multi_similarity, validate=_validate_multi_similarity)
@in_float64
def multi_similarity_loss(
    input: Any,
    target: Any,
    reduction: str = "mean",
    alpha: float = 2.0,
    beta: float = 50.0,
    base: float = 0.5,
    epsilon: float | None = None,
) -> Any:
    """log(1 + Σₚ exp(-α (sₚ - λ))) / α + log(1 + Σₙ exp(β (sₙ - λ))) / β of the cosines s, λ being `base`.

    Wants: embeddings of any length, only their directions count, and labels.

    Args:
        input: embeddings, (N, D).
        target: labels, (N), of any integer type; they are only compared for equality. For sample i, p runs
            over the others of its label and n over those of other labels.
        reduction: "mean" divides by N; "sum"; "none".
        alpha, beta: how much harder pairs outweigh easier ones, > 0, among p and among n.
        base: the cosine λ that parts p from n.
        epsilon: mines pairs as the paper does, with 0.1: it leaves out the p that are more than this above
            the hardest n, and the n more than this below the hardest p. None keeps all.

    Gradient: a pair's share of 1 + Σ; 0 for a vector of zeros. Which pairs are mined has no gradient: the
    loss jumps where that changes.

    Use it to learn an embedding from classes with many negatives. The common mistake is to expect it to
    reach 0: without mining, positives at cosine 1 still count log(1 + Σ exp(-α (1 - λ))) / α.

    Raises:
        RuntimeError: the labels are floating point.
        ValueError: shapes or options do not fit.

    Source: X. Wang et al., "Multi-Similarity Loss with General Pair Weighting for Deep Metric Learning",
    CVPR 2019.

    Example:
        >>> import minigrad
        >>> from minigrad.nn import extra
        >>> x = minigrad.tensor([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8]])
        >>> extra.multi_similarity_loss(x, minigrad.tensor([0, 0, 1]), reduction="none")
        tensor([0.3189, 0.6787, 0.4600])
    """
    same, different = label_pairs(target)
    s = cosines(input, input)
    if epsilon is not None:
        same, different = _mined(s._array, same, different, epsilon)
    close = log_one_plus_exp(log_sum_exp_over(-alpha * (s - base), same)) / alpha
    away = log_one_plus_exp(log_sum_exp_over(beta * (s - base), different)) / beta
    losses = where(same.any(1), close, 0.0) + where(different.any(1), away, 0.0)
    return reduce_loss(losses, reduction)


class MultiSimilarityLoss(Loss, fn=multi_similarity_loss):
    """log(1 + Σ exp(-α (sₚ - λ))) / α + log(1 + Σ exp(β (sₙ - λ))) / β of the cosines to own and to other
    labels; the mean by default. Wants embeddings and labels. See `minigrad.nn.extra.multi_similarity_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.extra.MultiSimilarityLoss(epsilon=0.1)
        >>> x = minigrad.tensor([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8]])
        >>> criterion(x, minigrad.tensor([0, 0, 1]))
        tensor(0.2262)
    """
