"""Rows and errors of the losses of one class among many that torch lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import minigrad
from losses_table.base import REDUCTIONS, Row, classes, grid
from minigrad import nn
from minigrad.nn import extra


def _reference(of_p: Callable[..., float], factor: str, option: str, default: float) -> Callable[..., Any]:
    """Sample by sample, from the probability of the right class."""

    def value(
        x: np.ndarray, target: np.ndarray, reduction: str = "mean", ignore_index: int = -100, **options: Any
    ) -> np.ndarray:
        rows = np.moveaxis(x, 1, -1).reshape(-1, x.shape[1]) if x.ndim > 1 else x[None]
        weight = options.get(factor, np.ones(rows.shape[1]))
        losses, weights = np.zeros(target.size), np.zeros(target.size)
        for i, (row, y) in enumerate(zip(rows, target.reshape(-1), strict=True)):
            if y != ignore_index:
                p = np.exp(row[y]) / np.exp(row).sum()
                weights[i] = weight[y]
                losses[i] = weight[y] * of_p(p, options.get(option, default))
        if reduction == "mean":
            return losses.sum() / weights.sum()
        return losses.sum() if reduction == "sum" else losses.reshape(target.shape)

    return value


LOSSES = (
    ("softmax_focal_loss", "SoftmaxFocalLoss", "alpha", "gamma", (None, 0.0, 0.5, 3.0),
     _reference(lambda p, gamma: -((1 - p) ** gamma) * np.log(p), "alpha", "gamma", 2.0)),
    ("poly_loss", "PolyLoss", "weight", "epsilon", (None, -1.0, 0.0, 2.5),
     _reference(lambda p, epsilon: epsilon * (1 - p) - np.log(p), "weight", "epsilon", 1.0)),
    ("generalized_cross_entropy", "GeneralizedCrossEntropyLoss", "weight", "q", (None, 0.1, 1.0),
     _reference(lambda p, q: (1 - p**q) / q, "weight", "q", 0.7)),
)  # fmt: skip
SHAPES = (
    ("rows", (5, 4), (5,)),
    ("wide", (3, 70), (3,)),
    ("sample", (4,), ()),
    ("image", (2, 4, 2, 3), (2, 2, 3)),
    ("strip", (1, 4, 20), (1, 20)),
)


def rows() -> Iterator[Row]:
    """The calls that are compared."""
    for function, module, factor, option, values, reference in LOSSES:
        for label, shape, target in SHAPES:
            every = grid(**{"reduction": REDUCTIONS if label == "rows" else ("mean",), option: values})
            inputs = classes(shape, target)
            for options in every if label == "rows" else [(("reduction", "mean"),)]:
                yield Row(function, module, inputs, label, options, reference=reference)
            if label in ("rows", "image"):
                factors = np.array([1.0, 2.0, 3.0, 0.5])
                for reduction in REDUCTIONS:
                    options = (("reduction", reduction), (factor, factors), ("ignore_index", 1))
                    yield Row(function, module, inputs, label, options, reference=reference)


_X, _Y = minigrad.zeros(3, 5), minigrad.tensor([0, 1, 2])
# function, arguments, options, exception, its first line
ERRORS: list[tuple[Any, tuple, dict, type[Exception], str]] = [
    (nn.extra.SoftmaxFocalLoss, (), {"gamma": -1.0}, ValueError, "gamma must be non-negative, but got -1.0"),
    (extra.softmax_focal_loss, (_X, _Y), {"gamma": -1.0}, ValueError, "gamma must be non-negative, but got -1.0"),
    (extra.softmax_focal_loss, (_X, _Y), {"alpha": 0.25}, TypeError, "argument 'alpha' must be Tensor, not float"),
    (nn.extra.PolyLoss, (), {"epsilon": -2.0}, ValueError, "epsilon must be at least -1, but got -2.0"),
    (nn.extra.GeneralizedCrossEntropyLoss, (), {"q": 0.0}, ValueError, "q must be in (0, 1], but got 0.0"),
    (nn.extra.GeneralizedCrossEntropyLoss, (), {"q": 1.5}, ValueError, "q must be in (0, 1], but got 1.5"),
    *[
        error
        for function in (extra.softmax_focal_loss, extra.poly_loss, extra.generalized_cross_entropy)
        for error in (
            (function, (_X, minigrad.tensor([0, 5, 1])), {}, IndexError, "Target 5 is out of bounds."),
            (function, (_X, minigrad.zeros(3)), {}, RuntimeError, "expected target dtype to be Long or Byte, but got Float"),
            (function, (_X, _Y[:2]), {}, ValueError, "Expected input batch_size (3) to match target batch_size (2)."),
            (function, (_X, _Y), {"reduction": "foo"}, ValueError, "foo is not a valid value for reduction"),
            (function, (_Y, _Y[0]), {}, NotImplementedError, "\"log_softmax_lastdim_kernel_impl\" not implemented for 'Long'"),
        )
    ],
]  # fmt: skip
