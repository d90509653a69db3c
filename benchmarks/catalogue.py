"""The losses that are measured, each stated once: its function, its inputs, its options.

The inputs are NumPy arrays made from a seed, the same for every library; `scale` is the standard deviation of
logits and predictions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy import ndarray
from numpy.random import Generator

Arrays = dict[str, Any]
Inputs = Callable[[Generator, Sequence[int], float], Arrays]
REAL = np.float32


@dataclass(frozen=True)
class Loss:
    """A loss as it is called: `function(**inputs, **options)`."""

    function: str
    inputs: Inputs
    options: dict[str, Any] = field(default_factory=dict)
    wrt: tuple[str, ...] = ("input",)
    extra: bool = False  # torch lacks it


def normal(rng: Generator, shape: Sequence[int], scale: float) -> ndarray:
    """Float32 normal variates."""
    return rng.standard_normal(tuple(shape), REAL) * REAL(scale)


def log_softmax(x: ndarray, axis: int = -1) -> ndarray:
    """Log-probabilities, rounded to float32."""
    x = x.astype(np.float64) if x.size < 1e6 else x
    x = x - x.max(axis, keepdims=True)
    return (x - np.log(np.exp(x).sum(axis, keepdims=True))).astype(REAL)


def signs(rng: Generator, shape: Sequence[int]) -> ndarray:
    """-1 or 1."""
    return rng.integers(0, 2, tuple(shape)).astype(REAL) * REAL(2) - REAL(1)


# -------------------------------------------------------------------------------------------- pointwise
def predictions(rng: Generator, shape: Sequence[int], scale: float) -> Arrays:
    """Regression: predictions and targets alike."""
    return {"input": normal(rng, shape, scale), "target": normal(rng, shape, scale)}


def positive(rng: Generator, shape: Sequence[int], scale: float) -> Arrays:
    """Predictions and targets above zero."""
    return {name: abs(array) + REAL(0.1) for name, array in predictions(rng, shape, scale).items()}


def binary_logits(rng: Generator, shape: Sequence[int], scale: float) -> Arrays:
    """Logits against 0 and 1."""
    return {"input": normal(rng, shape, scale), "target": rng.integers(0, 2, tuple(shape)).astype(REAL)}


def weighted_logits(rng: Generator, shape: Sequence[int], scale: float) -> Arrays:
    """Binary logits with a weight for the positives of each class."""
    return binary_logits(rng, shape, scale) | {"pos_weight": rng.uniform(0.5, 2, shape[-1]).astype(REAL)}


def probabilities(rng: Generator, shape: Sequence[int], scale: float) -> Arrays:
    """Probabilities against 0 and 1."""
    arrays = binary_logits(rng, shape, scale)
    with np.errstate(over="ignore"):
        return arrays | {"input": 1 / (1 + np.exp(-arrays["input"]))}


def signed_scores(rng: Generator, shape: Sequence[int], scale: float) -> Arrays:
    """Scores against -1 and 1."""
    return {"input": normal(rng, shape, scale), "target": signs(rng, shape)}


def counts(rng: Generator, shape: Sequence[int], scale: float) -> Arrays:
    """Log-rates against counts."""
    return {"input": normal(rng, shape, scale), "target": rng.poisson(2.0, tuple(shape)).astype(REAL)}


def rates(rng: Generator, shape: Sequence[int], scale: float) -> Arrays:
    """Rates against counts."""
    return {"input": positive(rng, shape, scale)["input"], "target": counts(rng, shape, 1)["target"]}


def variances(rng: Generator, shape: Sequence[int], scale: float) -> Arrays:
    """Predictions with a variance each."""
    return predictions(rng, shape, scale) | {"var": rng.uniform(0.5, 2, tuple(shape)).astype(REAL)}


def ranked(rng: Generator, shape: Sequence[int], scale: float) -> Arrays:
    """Two scores and which is to be the larger."""
    first, second = normal(rng, shape, scale), normal(rng, shape, scale)
    return {"input1": first, "input2": second, "target": signs(rng, shape)}


def distributions(rng: Generator, shape: Sequence[int], scale: float) -> Arrays:
    """Log-probabilities against probabilities."""
    target = np.exp(log_softmax(normal(rng, shape, scale)))
    return {"input": log_softmax(normal(rng, shape, scale)), "target": target}


def log_distributions(rng: Generator, shape: Sequence[int], scale: float) -> Arrays:
    """Log-probabilities on both sides."""
    return {"input": log_softmax(normal(rng, shape, scale)), "target": log_softmax(normal(rng, shape, scale))}


def latent(rng: Generator, shape: Sequence[int], scale: float) -> Arrays:
    """Means and log-variances of a Gaussian."""
    return {"mean": normal(rng, shape, scale), "logvar": normal(rng, shape, scale)}


# ---------------------------------------------------------------------------------------------- classes
def classes(rng: Generator, shape: Sequence[int], scale: float) -> Arrays:
    """Logits (N, C, d...) against class indices (N, d...)."""
    target = rng.integers(0, shape[1], (shape[0], *shape[2:]))
    return {"input": normal(rng, shape, scale), "target": target}


def weighted_classes(rng: Generator, shape: Sequence[int], scale: float) -> Arrays:
    """Logits and class indices, with a weight for each class."""
    return classes(rng, shape, scale) | {"weight": rng.uniform(0.5, 2, shape[1]).astype(REAL)}


def soft_classes(rng: Generator, shape: Sequence[int], scale: float) -> Arrays:
    """Logits against class probabilities."""
    return {"input": normal(rng, shape, scale), "target": np.exp(log_softmax(normal(rng, shape, 1), 1))}


def log_classes(rng: Generator, shape: Sequence[int], scale: float) -> Arrays:
    """Log-probabilities against class indices."""
    arrays = classes(rng, shape, scale)
    return arrays | {"input": log_softmax(arrays["input"], 1)}


def label_lists(rng: Generator, shape: Sequence[int], scale: float) -> Arrays:
    """Scores against one to five labels each; -1 ends the list."""
    most = min(5, shape[1])
    labels = np.argsort(rng.random(tuple(shape)), 1)[:, :most]
    count = rng.integers(1, most + 1, (shape[0], 1))
    target = np.full(tuple(shape), -1)
    target[:, :most] = np.where(np.arange(most) < count, labels, -1)
    return {"input": normal(rng, shape, scale), "target": target}


def features(rng: Generator, shape: Sequence[int], scale: float) -> Arrays:
    """Features (N, F) and the weight (C, F) of the layer that makes logits of them."""
    samples, size, classes = shape
    return {
        "input": normal(rng, (samples, size), 1),
        "linear_weight": normal(rng, (classes, size), scale / size**0.5),
        "target": rng.integers(0, classes, samples),
    }


def clusters(rng: Generator, shape: Sequence[int], scale: float) -> Arrays:
    """Features (N, F) and the layers of an adaptive softmax: C / 5 frequent classes, one cluster."""
    samples, size, classes = shape
    frequent, inner = classes // 5, size // 4
    layers = {
        "head": (frequent + 1, size),
        "down": (inner, size),
        "up": (classes - frequent, inner),
    }
    spread = {"head": scale, "down": 1.0, "up": scale}
    arrays = {name: normal(rng, layer, spread[name] / layer[1] ** 0.5) for name, layer in layers.items()}
    return arrays | {"input": normal(rng, (samples, size), 1), "target": rng.integers(0, classes, samples)}


# ------------------------------------------------------------------------------------ pairs, sequences
def pairs(rng: Generator, shape: Sequence[int], scale: float) -> Arrays:
    """Two vectors and whether they belong together."""
    first, second = normal(rng, shape, scale), normal(rng, shape, scale)
    return {"input1": first, "input2": second, "target": signs(rng, shape[:1])}


def triplets(rng: Generator, shape: Sequence[int], scale: float) -> Arrays:
    """An anchor, one like it and one unlike it."""
    return {name: normal(rng, shape, scale) for name in ("anchor", "positive", "negative")}


def sequences(rng: Generator, shape: Sequence[int], scale: float) -> Arrays:
    """Log-probabilities (T, N, C) and labels (N, S) with S = T / 5."""
    steps, samples, symbols = shape
    length = steps // 5
    return {
        "log_probs": log_softmax(normal(rng, shape, scale)),
        "targets": rng.integers(1, symbols, (samples, length)),
        "input_lengths": np.full(samples, steps),
        "target_lengths": np.full(samples, length),
    }


def similar(rng: Generator, shape: Sequence[int], scale: float) -> Arrays:
    """Two vectors and 1 where they are alike, else 0."""
    arrays = pairs(rng, shape, scale)
    return arrays | {"target": (arrays["target"] + 1) / REAL(2)}


TRIPLET = ("anchor", "positive", "negative")
PAIR = ("input1", "input2")
LAYERS = ("input", "head", "down", "up")

CATALOGUE: dict[str, Loss] = {
    "l1_loss": Loss("l1_loss", predictions),
    "mse_loss": Loss("mse_loss", predictions),
    "smooth_l1_loss": Loss("smooth_l1_loss", predictions),
    "huber_loss": Loss("huber_loss", predictions, {"delta": 1.5}),
    "binary_cross_entropy": Loss("binary_cross_entropy", probabilities),
    "binary_cross_entropy_with_logits": Loss("binary_cross_entropy_with_logits", binary_logits),
    "binary_cross_entropy_with_logits, pos_weight": Loss("binary_cross_entropy_with_logits", weighted_logits),
    "poisson_nll_loss": Loss("poisson_nll_loss", counts),
    "poisson_nll_loss, log_input=False": Loss("poisson_nll_loss", rates, {"log_input": False}),
    "gaussian_nll_loss": Loss("gaussian_nll_loss", variances, wrt=("input", "var")),
    "kl_div": Loss("kl_div", distributions, {"reduction": "batchmean"}),
    "kl_div, log_target": Loss("kl_div", log_distributions, {"reduction": "batchmean", "log_target": True}),
    "hinge_embedding_loss": Loss("hinge_embedding_loss", signed_scores),
    "margin_ranking_loss": Loss("margin_ranking_loss", ranked, wrt=PAIR),
    "soft_margin_loss": Loss("soft_margin_loss", signed_scores),
    "nll_loss": Loss("nll_loss", log_classes),
    "cross_entropy": Loss("cross_entropy", classes),
    "cross_entropy, images": Loss("cross_entropy", classes),
    "cross_entropy, label_smoothing": Loss("cross_entropy", classes, {"label_smoothing": 0.1}),
    "cross_entropy, weight": Loss("cross_entropy", weighted_classes),
    "cross_entropy, soft targets": Loss("cross_entropy", soft_classes),
    "linear_cross_entropy": Loss("linear_cross_entropy", features, wrt=("input", "linear_weight")),
    "AdaptiveLogSoftmaxWithLoss": Loss("AdaptiveLogSoftmaxWithLoss", clusters, wrt=LAYERS),
    "multi_margin_loss": Loss("multi_margin_loss", classes),
    "multi_margin_loss, p=2": Loss("multi_margin_loss", classes, {"p": 2}),
    "multilabel_margin_loss": Loss("multilabel_margin_loss", label_lists),
    "multilabel_soft_margin_loss": Loss("multilabel_soft_margin_loss", binary_logits),
    "cosine_embedding_loss": Loss("cosine_embedding_loss", pairs, wrt=PAIR),
    "triplet_margin_loss": Loss("triplet_margin_loss", triplets, wrt=TRIPLET),
    "triplet_margin_loss, swap": Loss("triplet_margin_loss", triplets, {"swap": True}, TRIPLET),
    "triplet_margin_with_distance_loss": Loss("triplet_margin_with_distance_loss", triplets, wrt=TRIPLET),
    "ctc_loss": Loss("ctc_loss", sequences, wrt=("log_probs",)),
    # ------------------------------------------------------------------------------- torch lacks these
    "sigmoid_focal_loss": Loss("sigmoid_focal_loss", binary_logits, extra=True),
    "smooth_binary_cross_entropy_with_logits": Loss(
        "smooth_binary_cross_entropy_with_logits", binary_logits, {"label_smoothing": 0.1}, extra=True
    ),
    "softmax_focal_loss": Loss("softmax_focal_loss", classes, extra=True),
    "poly_loss": Loss("poly_loss", classes, extra=True),
    "generalized_cross_entropy": Loss("generalized_cross_entropy", classes, extra=True),
    "sparsemax_loss": Loss("sparsemax_loss", classes, extra=True),
    "hinge_loss": Loss("hinge_loss", signed_scores, extra=True),
    "squared_hinge_loss": Loss("squared_hinge_loss", signed_scores, extra=True),
    "multi_class_hinge_loss": Loss("multi_class_hinge_loss", classes, extra=True),
    "log_cosh_loss": Loss("log_cosh_loss", predictions, extra=True),
    "quantile_loss": Loss("quantile_loss", predictions, {"quantile": 0.8}, extra=True),
    "mape_loss": Loss("mape_loss", positive, extra=True),
    "msle_loss": Loss("msle_loss", positive, extra=True),
    "jensen_shannon_loss": Loss("jensen_shannon_loss", log_distributions, {"log_target": True}, extra=True),
    "contrastive_loss": Loss("contrastive_loss", similar, {"margin": 20.0}, wrt=PAIR, extra=True),
    "gaussian_kl_loss": Loss("gaussian_kl_loss", latent, wrt=("mean", "logvar"), extra=True),
}
