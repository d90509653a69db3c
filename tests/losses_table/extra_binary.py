"""Rows and errors of the losses of yes or no that torch lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import minigrad
from losses_table.base import REDUCTIONS, SHAPES, Row, grid, logits_and_unit
from losses_table.extra_regression import reduced
from minigrad.nn import extra


def focal(x, y, reduction, alpha=0.25, gamma=2.0):
    """torchvision's formula."""
    p = 1 / (1 + np.exp(-x))
    p_t = p * y + (1 - p) * (1 - y)
    losses = -(y * np.log(p) + (1 - y) * np.log(1 - p)) * (1 - p_t) ** gamma
    if alpha is not None and alpha >= 0:
        losses = losses * (alpha * y + (1 - alpha) * (1 - y))
    return reduced(losses, reduction)


def smooth(
    x, y, reduction, weight=None, pos_weight=None, label_smoothing=0.0, ignore_index: float | None = -100
):
    weight = np.broadcast_to(1.0 if weight is None else weight, x.shape)
    pos_weight = np.broadcast_to(1.0 if pos_weight is None else pos_weight, x.shape)
    losses, kept = np.zeros(x.shape), 0
    for i in np.ndindex(x.shape):
        if y[i] != ignore_index:
            p, t = 1 / (1 + np.exp(-x[i])), y[i] + label_smoothing * (0.5 - y[i])
            losses[i] = -weight[i] * (pos_weight[i] * t * np.log(p) + (1 - t) * np.log(1 - p))
            kept += 1
    return reduced(losses, reduction, kept)


def with_ignored(shape: tuple[int, ...], value: float) -> Callable[..., tuple[np.ndarray, ...]]:
    def make(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        x, y = rng.standard_normal(shape) * 3, rng.uniform(0, 1, shape)
        y.flat[1::3] = value
        return x, y

    return make


def hard(shape: tuple[int, ...]) -> Callable[..., tuple[np.ndarray, ...]]:
    return lambda rng: (rng.standard_normal(shape) * 3, rng.integers(0, 2, shape).astype(float))


def rows() -> Iterator[Row]:
    """The calls that are compared."""
    name = "smooth_binary_cross_entropy_with_logits"
    focal_row: dict[str, Any] = {"reference": focal}
    smooth_row: dict[str, Any] = {"reference": smooth}
    both: dict[str, Any] = {"wrt": (0, 1), "kernel": False}
    for label, shape in SHAPES:
        for options in grid(reduction=REDUCTIONS):
            yield Row("sigmoid_focal_loss", "SigmoidFocalLoss", hard(shape), label, options, **focal_row)
            yield Row(name, "SmoothBCEWithLogitsLoss", logits_and_unit(shape), label, options, **smooth_row)
    pair = logits_and_unit((5, 4))
    alphas: tuple[Any, ...] = (0.4, -1)
    for options in grid(reduction=("mean", "none"), alpha=alphas, gamma=(0.0, 0.5, 2.0, 3.0)):
        yield Row("sigmoid_focal_loss", "SigmoidFocalLoss", pair, "soft", options, **focal_row)
    for options in grid(reduction=("mean", "none"), gamma=(None, 1.5)):
        yield Row("sigmoid_focal_loss", "SigmoidFocalLoss", pair, "target", options, **focal_row, **both)
    without = (("reduction", "mean"), ("alpha", None))
    yield Row("sigmoid_focal_loss", "SigmoidFocalLoss", pair, "unweighted", without, **focal_row)
    weights = (None, np.linspace(0.5, 2, 20).reshape(5, 4), np.array([1.0, 2.0, 3.0, 0.5]))
    for options in grid(
        reduction=("mean", "none"), weight=weights, pos_weight=(None, weights[2]), label_smoothing=(None, 0.2)
    ):
        ignoring = with_ignored((5, 4), -100)
        yield Row(name, "SmoothBCEWithLogitsLoss", ignoring, "weighted", options, **smooth_row)
    for value in (255, 1, 0.0):
        for options in grid(reduction=REDUCTIONS, ignore_index=(value,)):
            ignoring = with_ignored((5, 4), value)
            yield Row(name, "SmoothBCEWithLogitsLoss", ignoring, "ignoring", options, **smooth_row)
    for options in grid(reduction=REDUCTIONS, label_smoothing=(1.0,)):
        options = (*options, ("ignore_index", None))
        yield Row(name, "SmoothBCEWithLogitsLoss", pair, "smooth", options, **smooth_row)
    for options in grid(reduction=("mean", "none"), label_smoothing=(0.1,)):
        yield Row(name, "SmoothBCEWithLogitsLoss", pair, "target", options, **smooth_row, **both)


_X = minigrad.zeros(3)
_UNFIT = minigrad.tensor([0.0, 1.5, 1.0])
_SMOOTH = extra.smooth_binary_cross_entropy_with_logits
# function, arguments, options, exception, its first line
ERRORS: list[tuple[Any, tuple, dict, type[Exception], str]] = [
    (extra.sigmoid_focal_loss, (_X, _UNFIT), {}, ValueError, "all elements of target should be between 0 and 1"),
    (extra.sigmoid_focal_loss, (minigrad.zeros(3, 1), _X), {}, ValueError, "Target size (torch.Size([3])) must be the same as input size (torch.Size([3, 1]))"),
    (extra.sigmoid_focal_loss, (_X.long(), _X), {}, NotImplementedError, "\"sigmoid_focal_loss_cpu\" not implemented for 'Long'"),
    (extra.sigmoid_focal_loss, (_X, _X), {"alpha": 1.5}, ValueError, "alpha must be between 0 and 1, or None for no weighting, got 1.5"),
    (extra.SigmoidFocalLoss, (), {"gamma": -0.5}, ValueError, "gamma must be >= 0, got -0.5"),
    (extra.SigmoidFocalLoss, (), {"reduction": "foo"}, ValueError, "foo is not a valid value for reduction"),
    (_SMOOTH, (_X, _UNFIT), {}, ValueError, "all elements of target should be between 0 and 1"),
    (_SMOOTH, (_X, minigrad.tensor([0.0, -100.0, 1.0])), {"ignore_index": None}, ValueError, "all elements of target should be between 0 and 1"),
    (_SMOOTH, (minigrad.zeros(3, 1), _X), {}, ValueError, "Target size (torch.Size([3])) must be the same as input size (torch.Size([3, 1]))"),
    (_SMOOTH, (_X.long(), _X), {}, NotImplementedError, "\"smooth_binary_cross_entropy_with_logits_cpu\" not implemented for 'Long'"),
    (_SMOOTH, (_X, _X), {"label_smoothing": -0.1}, ValueError, "label_smoothing must be between 0.0 and 1.0. Got: -0.1"),
    (_SMOOTH, (_X, _X), {"pos_weight": minigrad.ones(4)}, RuntimeError, "The size of tensor a (4) must match the size of tensor b (3) at non-singleton dimension 0"),
    (_SMOOTH, (_X, _X), {"weight": minigrad.ones(2)}, RuntimeError, "The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 0"),
    (extra.SmoothBCEWithLogitsLoss, (), {"label_smoothing": 1.5}, ValueError, "label_smoothing must be between 0.0 and 1.0. Got: 1.5"),
    (extra.SmoothBCEWithLogitsLoss, (), {"pos_weight": 2.0}, TypeError, "cannot assign 'float' object to buffer 'pos_weight' (torch Tensor or None required)"),
]  # fmt: skip
