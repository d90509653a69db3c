"""Rows and errors of the losses between distributions that torch lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import minigrad
from losses_table.base import (
    REDUCTIONS,
    SHAPES,
    Row,
    class_probabilities,
    classes,
    grid,
    log_probabilities,
    normal,
)
from losses_table.extra_regression import reduced
from minigrad.nn import extra


def by_batch(losses, reduction):
    if reduction == "batchmean":
        return losses.sum() / (len(losses) if losses.ndim else 1)
    return reduced(losses, reduction)


def jensen_shannon(x, t, reduction, beta=0.5, log_target=False):
    q, p = np.exp(x), np.exp(t) if log_target else t
    losses = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        m = beta * p[i] + (1 - beta) * q[i]
        losses[i] = (1 - beta) * q[i] * np.log(q[i] / m)
        if p[i] > 0:
            losses[i] += beta * p[i] * np.log(p[i] / m)
    return by_batch(losses, reduction)


def simplex_projection(scores: np.ndarray) -> np.ndarray:
    """By bisection of the threshold."""
    low, high = scores.min() - 1, scores.max()
    for _ in range(200):
        middle = (low + high) / 2
        if np.maximum(0, scores - middle).sum() > 1:
            low = middle
        else:
            high = middle
    return np.maximum(0, scores - low)


def fenchel_young(x, t, reduction, regularizer="sparsemax"):
    """The conjugate minus the bilinear term, as the definition has it."""
    axis = 0 if x.ndim == 1 else 1
    scores = np.moveaxis(x, axis, -1)
    soft = t.dtype.kind == "f"
    targets = np.moveaxis(t, axis, -1) if soft else np.eye(x.shape[axis])[t]
    losses = np.zeros(scores.shape[:-1])
    for i in np.ndindex(losses.shape):
        s, y = scores[i], targets[i]
        if regularizer == "softmax":
            conjugate, own = np.log(np.exp(s).sum()), sum(v * np.log(v) for v in y if v > 0)
        elif regularizer == "sparsemax":
            p = simplex_projection(s)
            conjugate, own = s @ p - (p @ p - 1) / 2, (y @ y - 1) / 2
        else:
            conjugate, own = s @ s / 2, y @ y / 2
        losses[i] = conjugate + own - s @ y
    return reduced(losses, reduction)


def sparsemax(x, t, reduction):
    return fenchel_young(x, t, reduction)


def gaussian_kl(mean, logvar, reduction, prior_mean=0.0, prior_logvar=0.0):
    spread, prior = np.exp(logvar), np.exp(prior_logvar)
    losses = np.log(prior / spread) / 2 + (spread + (mean - prior_mean) ** 2) / (2 * prior) - 0.5
    return by_batch(losses, reduction)


def one_of_two(log_target: bool) -> Callable[..., tuple[np.ndarray, ...]]:
    """A single probability for each."""

    def make(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        q, p = rng.uniform(0.1, 0.9, 2)
        return np.log(q), np.log(p) if log_target else p

    return make


def rows() -> Iterator[Row]:
    """The calls that are compared."""
    reductions = (*REDUCTIONS, "batchmean")
    divergence: dict[str, Any] = {"reference": jensen_shannon}
    for log_target in (False, True):
        for label, shape in SHAPES:
            for options in grid(reduction=reductions, log_target=(log_target,)):
                pair = one_of_two(log_target) if label == "scalar" else log_probabilities(shape, log_target)
                yield Row("jensen_shannon_loss", "JensenShannonLoss", pair, f"{label}-{log_target}", options, **divergence)  # fmt: skip
        for options in grid(reduction=("none", "batchmean"), beta=(0.2,), log_target=(log_target,)):
            pair = log_probabilities((5, 4), log_target)
            yield Row("jensen_shannon_loss", "JensenShannonLoss", pair, f"beta-{log_target}", options, **divergence)  # fmt: skip
            yield Row("jensen_shannon_loss", "JensenShannonLoss", pair, f"target-{log_target}", options, wrt=(0, 1), kernel=False, **divergence)  # fmt: skip
    for options in grid(reduction=reductions):
        pair = log_probabilities((5, 4), zero=True)
        yield Row("jensen_shannon_loss", "JensenShannonLoss", pair, "zero", options, **divergence)
    composed: dict[str, Any] = {"kernel": False}
    shapes = (("rows", (5, 4), (5,)), ("sample", (4,), ()), ("kdim", (5, 4, 3), (5, 3)))
    for label, shape, target in shapes:
        for name, pair in (("hard", classes(shape, target)), ("soft", class_probabilities(shape))):
            for options in grid(reduction=REDUCTIONS):
                yield Row("sparsemax_loss", "SparsemaxLoss", pair, f"{label}-{name}", options, reference=sparsemax, **composed)  # fmt: skip
            for options in grid(reduction=("mean", "none"), regularizer=("softmax", "sparsemax", "squared")):
                yield Row("fenchel_young_loss", "FenchelYoungLoss", pair, f"{label}-{name}", options, reference=fenchel_young, **composed)  # fmt: skip
    soft = class_probabilities((5, 4))
    for options in grid(reduction=("mean",), regularizer=("softmax", "sparsemax", "squared")):
        yield Row("fenchel_young_loss", "FenchelYoungLoss", soft, "target", options, wrt=(0, 1), reference=fenchel_young, **composed)  # fmt: skip
    spread: dict[str, Any] = {"wrt": (0, 1), "reference": gaussian_kl}
    for label, shape in SHAPES:
        for options in grid(reduction=reductions):
            pair = normal(shape, shape)
            yield Row("gaussian_kl_loss", "GaussianKLLoss", pair, label, options, **spread)
    priors = (None, np.linspace(-1, 1, 4)), (None, np.linspace(-1, 1, 20).reshape(5, 4))
    for options in grid(reduction=("none", "batchmean"), prior_mean=priors[0], prior_logvar=priors[1]):
        if len(options) > 1:
            pair = normal((5, 4), (5, 4))
            yield Row("gaussian_kl_loss", "GaussianKLLoss", pair, "prior", options, **spread)


_X, _Y = minigrad.zeros(3, 5), minigrad.tensor([0, 1, 2])
_UNEVEN = minigrad.ones(3, 5)
# function, arguments, options, exception, its first line
ERRORS: list[tuple[Any, tuple, dict, type[Exception], str]] = [
    (extra.jensen_shannon_loss, (_X, _X), {"beta": 1.0}, ValueError, "beta must be between 0 and 1, both excluded, got 1.0"),
    (extra.JensenShannonLoss, (), {"beta": 0.0}, ValueError, "beta must be between 0 and 1, both excluded, got 0.0"),
    (extra.JensenShannonLoss, (), {"reduction": "foo"}, ValueError, "foo is not a valid value for reduction"),
    (extra.jensen_shannon_loss, (_Y, _Y), {}, NotImplementedError, "\"jensen_shannon_loss_cpu\" not implemented for 'Long'"),
    (extra.fenchel_young_loss, (_X, _Y), {"regularizer": "foo"}, ValueError, "foo is not a valid value for regularizer"),
    (extra.FenchelYoungLoss, (), {"regularizer": "foo"}, ValueError, "foo is not a valid value for regularizer"),
    (extra.fenchel_young_loss, (_X, _UNEVEN), {}, ValueError, "target probabilities should be >= 0 and sum to 1"),
    (extra.fenchel_young_loss, (_X, minigrad.zeros(3)), {}, RuntimeError, "expected target dtype to be Long or Byte, but got Float"),
    (extra.fenchel_young_loss, (_X, minigrad.zeros(3, 4)), {"regularizer": "squared"}, RuntimeError, "0D or 1D target tensor expected, multi-target not supported"),
    (extra.fenchel_young_loss, (_X.long(), _Y), {}, NotImplementedError, "\"fenchel_young_loss_cpu\" not implemented for 'Long'"),
    (extra.fenchel_young_loss, (_X, minigrad.tensor([0, 5, 1])), {"regularizer": "softmax"}, IndexError, "Target 5 is out of bounds."),
    (extra.sparsemax_loss, (_X, minigrad.tensor([0, -1, 1])), {}, IndexError, "Target -1 is out of bounds."),
    (extra.sparsemax_loss, (_X, -_UNEVEN), {}, ValueError, "target probabilities should be >= 0 and sum to 1"),
    (extra.sparsemax_loss, (_X, _Y[:2]), {}, ValueError, "Expected input batch_size (3) to match target batch_size (2)."),
    (extra.sparsemax_loss, (_X.long(), _Y), {}, NotImplementedError, "\"sparsemax_loss_cpu\" not implemented for 'Long'"),
    (extra.gaussian_kl_loss, (_X, _X[:2]), {}, ValueError, "Expected logvar to have the shape of mean, torch.Size([3, 5]), but got torch.Size([2, 5])"),
    (extra.gaussian_kl_loss, (_X, _X), {"prior_mean": minigrad.zeros(3)}, ValueError, "Expected prior_mean to have the shape of mean, torch.Size([3, 5]), but got torch.Size([3])"),
    (extra.gaussian_kl_loss, (_X, _X.long()), {}, NotImplementedError, "argument 'logvar' must be floating point; use .float()"),
    (extra.gaussian_kl_loss, (_X, 0.0), {}, TypeError, "argument 'logvar' must be Tensor, not float"),
    (extra.GaussianKLLoss, (), {"prior_logvar": 1.0}, TypeError, "cannot assign 'float' object to buffer 'prior_logvar' (torch Tensor or None required)"),
]  # fmt: skip
