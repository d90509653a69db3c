"""The losses as one writes them for jax: optax's where it has them, jax.numpy elsewhere; the mean."""

from __future__ import annotations

from typing import Any

import jax
import optax
from jax import numpy as jnp

Array = Any


def _own(rows: Array, target: Array) -> Array:
    """Each row's element of the target class."""
    return jnp.take_along_axis(rows, target[:, None], axis=1).squeeze(1)


# -------------------------------------------------------------------------------------------- pointwise
def l1_loss(input: Array, target: Array) -> Array:
    return jnp.mean(jnp.abs(input - target))


def mse_loss(input: Array, target: Array) -> Array:
    return jnp.mean(optax.squared_error(input, target))


def huber_loss(input: Array, target: Array, delta: float = 1.0) -> Array:
    return jnp.mean(optax.huber_loss(input, target, delta=delta))


def binary_cross_entropy(input: Array, target: Array) -> Array:
    own = jnp.maximum(jnp.log(input), -100.0)
    other = jnp.maximum(jnp.log1p(-input), -100.0)
    return -jnp.mean(target * own + (1 - target) * other)


def binary_cross_entropy_with_logits(input: Array, target: Array) -> Array:
    return jnp.mean(optax.sigmoid_binary_cross_entropy(input, target))


def poisson_nll_loss(input: Array, target: Array) -> Array:
    return jnp.mean(jnp.exp(input) - target * input)


def gaussian_nll_loss(input: Array, target: Array, var: Array) -> Array:
    var = var + jax.lax.stop_gradient(jnp.maximum(var, 1e-6) - var)
    return jnp.mean(0.5 * (jnp.log(var) + (input - target) ** 2 / var))


def kl_div(input: Array, target: Array, reduction: str) -> Array:
    assert reduction == "batchmean"
    return jnp.mean(optax.kl_divergence(input, target))


def hinge_embedding_loss(input: Array, target: Array) -> Array:
    return jnp.mean(jnp.where(target == 1, input, jnp.maximum(0, 1 - input)))


def margin_ranking_loss(input1: Array, input2: Array, target: Array) -> Array:
    return jnp.mean(jnp.maximum(0, -target * (input1 - input2)))


def soft_margin_loss(input: Array, target: Array) -> Array:
    return jnp.mean(jax.nn.softplus(-target * input))


# ---------------------------------------------------------------------------------------------- classes
def cross_entropy(
    input: Array, target: Array, weight: Array | None = None, label_smoothing: float = 0.0
) -> Array:
    if input.ndim > 2:
        input = jnp.moveaxis(input, 1, -1)
    if target.dtype == input.dtype:
        return jnp.mean(optax.softmax_cross_entropy(input, target))
    if label_smoothing:
        target = optax.smooth_labels(jax.nn.one_hot(target, input.shape[-1]), label_smoothing)
        return jnp.mean(optax.softmax_cross_entropy(input, target))
    losses = optax.softmax_cross_entropy_with_integer_labels(input, target)
    if weight is None:
        return jnp.mean(losses)
    return jnp.sum(losses * weight[target]) / jnp.sum(weight[target])


def nll_loss(input: Array, target: Array) -> Array:
    return -jnp.mean(_own(input, target))


def linear_cross_entropy(input: Array, linear_weight: Array, target: Array) -> Array:
    return cross_entropy(input @ linear_weight.T, target)


def adaptive(input: Array, target: Array, head: Array, down: Array, up: Array) -> Array:
    frequent = head.shape[0] - 1
    rare = target >= frequent
    first = optax.softmax_cross_entropy_with_integer_labels(input @ head.T, jnp.minimum(target, frequent))
    within = optax.softmax_cross_entropy_with_integer_labels(
        input @ down.T @ up.T, jnp.where(rare, target - frequent, 0)
    )
    return jnp.mean(first + jnp.where(rare, within, 0))


def multi_margin_loss(input: Array, target: Array) -> Array:
    gaps = jnp.maximum(0, 1 - _own(input, target)[:, None] + input)
    gaps = jnp.where(jnp.arange(input.shape[1]) == target[:, None], 0, gaps)
    return jnp.mean(gaps)


def multilabel_margin_loss(input: Array, target: Array, most: int = 5) -> Array:
    labels = target[:, :most]  # the lists are no longer than that
    valid = jnp.cumprod(labels >= 0, axis=1).astype(bool)
    safe = jnp.where(valid, labels, input.shape[1])
    rows = jnp.arange(input.shape[0])[:, None]
    is_label = jnp.zeros(input.shape, bool).at[rows, safe].set(True, mode="drop")
    own = jnp.take_along_axis(input, jnp.where(valid, labels, 0), axis=1)
    gaps = jnp.maximum(0, 1 - own[:, :, None] + input[:, None, :])
    gaps = jnp.where(valid[:, :, None] & ~is_label[:, None, :], gaps, 0)
    return jnp.sum(gaps) / input.size


# -------------------------------------------------------------------------------- vectors and sequences
def cosine_embedding_loss(input1: Array, input2: Array, target: Array) -> Array:
    lengths = jnp.sqrt((jnp.sum(input1**2, 1) + 1e-12) * (jnp.sum(input2**2, 1) + 1e-12))
    cosine = jnp.sum(input1 * input2, 1) / lengths
    return jnp.mean(jnp.where(target == 1, 1 - cosine, jnp.maximum(0, cosine)))


def triplet_margin_loss(anchor: Array, positive: Array, negative: Array) -> Array:
    near = jnp.linalg.norm(anchor - positive + 1e-6, axis=1)
    far = jnp.linalg.norm(anchor - negative + 1e-6, axis=1)
    return jnp.mean(jnp.maximum(0, near - far + 1))


def ctc_loss(log_probs: Array, targets: Array, input_lengths: Array, target_lengths: Array) -> Array:
    steps, labels = jnp.arange(log_probs.shape[0]), jnp.arange(targets.shape[1])
    losses = optax.ctc_loss(
        log_probs.transpose(1, 0, 2),
        (steps >= input_lengths[:, None]).astype(jnp.float32),
        targets,
        (labels >= target_lengths[:, None]).astype(jnp.float32),
    )
    return jnp.mean(losses / target_lengths)


# ------------------------------------------------------------------------------------------ torch lacks
def softmax_focal_loss(input: Array, target: Array, gamma: float = 2.0) -> Array:
    own = _own(jax.nn.log_softmax(input, 1), target)
    return jnp.mean(-((1 - jnp.exp(own)) ** gamma) * own)


def sigmoid_focal_loss(input: Array, target: Array, alpha: float = 0.25, gamma: float = 2.0) -> Array:
    return jnp.mean(optax.sigmoid_focal_loss(input, target, alpha=alpha, gamma=gamma))


def log_cosh_loss(input: Array, target: Array) -> Array:
    return jnp.mean(optax.log_cosh(input, target))


def squared_hinge_loss(input: Array, target: Array) -> Array:
    return jnp.mean(optax.hinge_loss(input, target) ** 2)


def gaussian_kl_loss(mean: Array, logvar: Array) -> Array:
    return -0.5 * jnp.mean(1 + logvar - mean**2 - jnp.exp(logvar))


FORMULAS = {
    "l1_loss": l1_loss,
    "mse_loss": mse_loss,
    "smooth_l1_loss": huber_loss,
    "huber_loss": huber_loss,
    "binary_cross_entropy": binary_cross_entropy,
    "binary_cross_entropy_with_logits": binary_cross_entropy_with_logits,
    "multilabel_soft_margin_loss": binary_cross_entropy_with_logits,
    "poisson_nll_loss": poisson_nll_loss,
    "gaussian_nll_loss": gaussian_nll_loss,
    "kl_div": kl_div,
    "hinge_embedding_loss": hinge_embedding_loss,
    "margin_ranking_loss": margin_ranking_loss,
    "soft_margin_loss": soft_margin_loss,
    "cross_entropy": cross_entropy,
    "nll_loss": nll_loss,
    "linear_cross_entropy": linear_cross_entropy,
    "AdaptiveLogSoftmaxWithLoss": adaptive,
    "multi_margin_loss": multi_margin_loss,
    "multilabel_margin_loss": multilabel_margin_loss,
    "cosine_embedding_loss": cosine_embedding_loss,
    "triplet_margin_loss": triplet_margin_loss,
    "triplet_margin_with_distance_loss": triplet_margin_loss,
    "ctc_loss": ctc_loss,
    "softmax_focal_loss": softmax_focal_loss,
    "sigmoid_focal_loss": sigmoid_focal_loss,
    "log_cosh_loss": log_cosh_loss,
    "squared_hinge_loss": squared_hinge_loss,
    "gaussian_kl_loss": gaussian_kl_loss,
}
