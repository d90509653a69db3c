"""Rows and errors of the hinge losses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import minigrad
from losses_table.base import REDUCTIONS, SHAPES, Row, classes, grid
from losses_table.extra_regression import reduced
from minigrad.nn import extra


def hinge(x, y, reduction):
    return reduced(np.maximum(0, 1 - y * x), reduction)


def squared_hinge(x, y, reduction):
    return reduced(np.maximum(0, 1 - y * x) ** 2, reduction)


def multi_class_hinge(x, y, reduction, margin=1.0, ignore_index=-100):
    scores = np.moveaxis(x, 0 if x.ndim == 1 else 1, -1)
    losses, kept = np.zeros(y.shape), 0
    for place in np.ndindex(y.shape):
        if y[place] != ignore_index:
            others = [s for c, s in enumerate(scores[place]) if c != y[place]]
            losses[place] = max(0, margin + max(others) - scores[place][y[place]])
            kept += 1
    return reduced(losses, reduction, kept)


def scores_and_signs(shape: tuple[int, ...]) -> Callable[..., tuple[np.ndarray, ...]]:
    def make(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        x, y = rng.standard_normal(shape) * 2, rng.choice([-1.0, 1.0], shape)
        return np.where(np.abs(1 - y * x) < 0.05, x + 0.2, x), y  # away from the kink

    return make


def rows() -> Iterator[Row]:
    """The calls that are compared."""
    for label, shape in SHAPES:
        pair = scores_and_signs(shape)
        for options in grid(reduction=REDUCTIONS):
            yield Row("hinge_loss", "HingeLoss", pair, label, options, reference=hinge)
            yield Row("squared_hinge_loss", "SquaredHingeLoss", pair, label, options, reference=squared_hinge)
    shapes = (("rows", (5, 4), (5,)), ("sample", (4,), ()), ("kdim", (5, 4, 3), (5, 3)))
    for label, shape, target in shapes:
        ignored = (None, 1) if target else (None,)
        for options in grid(reduction=REDUCTIONS, margin=(None, 0.3), ignore_index=ignored):
            yield Row(
                "multi_class_hinge_loss",
                "MultiClassHingeLoss",
                classes(shape, target),
                label,
                options,
                kernel=False,
                reference=multi_class_hinge,
            )


_X, _Y = minigrad.zeros(3, 5), minigrad.tensor([0, 1, 2])
_ZERO_ONE = minigrad.tensor([0, 1, 1])
# function, arguments, options, exception, its first line
ERRORS: list[tuple[Any, tuple, dict, type[Exception], str]] = [
    (extra.hinge_loss, (minigrad.zeros(3), _ZERO_ONE), {}, ValueError, "all elements of target should be 1 or -1"),
    (extra.hinge_loss, (minigrad.zeros(1), minigrad.tensor([float("nan")])), {}, ValueError, "all elements of target should be 1 or -1"),
    (extra.hinge_loss, (minigrad.zeros(3, 1), minigrad.ones(3)), {}, ValueError, "Target size (torch.Size([3])) must be the same as input size (torch.Size([3, 1]))"),
    (extra.hinge_loss, (_Y, minigrad.ones(3)), {}, NotImplementedError, "\"hinge_loss_cpu\" not implemented for 'Long'"),
    (extra.HingeLoss, (), {"reduction": "foo"}, ValueError, "foo is not a valid value for reduction"),
    (extra.squared_hinge_loss, (minigrad.zeros(3), _ZERO_ONE), {}, ValueError, "all elements of target should be 1 or -1"),
    (extra.squared_hinge_loss, (minigrad.zeros(3, 1), minigrad.ones(3)), {}, ValueError, "Target size (torch.Size([3])) must be the same as input size (torch.Size([3, 1]))"),
    (extra.squared_hinge_loss, (_Y, minigrad.ones(3)), {}, NotImplementedError, "\"squared_hinge_loss_cpu\" not implemented for 'Long'"),
    (extra.multi_class_hinge_loss, (_X, minigrad.tensor([0, 5, 1])), {}, IndexError, "Target 5 is out of bounds."),
    (extra.multi_class_hinge_loss, (_X, minigrad.tensor([0, -1, 1])), {}, IndexError, "Target -1 is out of bounds."),
    (extra.multi_class_hinge_loss, (_X, _Y[:2]), {}, ValueError, "Expected input batch_size (3) to match target batch_size (2)."),
    (extra.multi_class_hinge_loss, (_X, minigrad.zeros(3)), {}, RuntimeError, "expected target dtype to be Long or Byte, but got Float"),
    (extra.multi_class_hinge_loss, (_X.long(), _Y), {}, NotImplementedError, "\"multi_class_hinge_loss_cpu\" not implemented for 'Long'"),
    (extra.multi_class_hinge_loss, (_X, _Y), {"margin": -1.0}, ValueError, "margin must be >= 0, got -1.0"),
    (extra.MultiClassHingeLoss, (), {"margin": float("nan")}, ValueError, "margin must be >= 0, got nan"),
]  # fmt: skip
