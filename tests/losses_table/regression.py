"""Rows and errors of the losses of real-valued predictions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import minigrad
from losses_table.base import REDUCTIONS, SHAPES, Row, away_from_kinks, grid, normal
from minigrad.nn import functional as F


def rows() -> Iterator[Row]:
    """The calls that are compared."""
    for label, shape in SHAPES:
        for options in grid(reduction=REDUCTIONS):
            yield Row("mse_loss", "MSELoss", normal(shape, shape), label, options)
            yield Row("l1_loss", "L1Loss", away_from_kinks(shape), label, options)
        for options in grid(reduction=REDUCTIONS, beta=(0.5, 1.0, 0.0)):
            beta = dict(options)["beta"]
            yield Row("smooth_l1_loss", "SmoothL1Loss", away_from_kinks(shape, beta), label, options)
    for options in grid(reduction=REDUCTIONS):
        weighted = (*options, ("weight", np.linspace(0.5, 2, 20).reshape(5, 4)))
        both = {"wrt": (0, 1), "kernel": False}
        yield Row("mse_loss", None, normal((5, 4), (5, 4)), "weighted", weighted, kernel=False)
        yield Row("l1_loss", None, away_from_kinks((5, 4)), "weighted", weighted, kernel=False)
        yield Row("mse_loss", "MSELoss", normal((5, 4), (5, 4)), "target", options, **both)
        yield Row("l1_loss", "L1Loss", away_from_kinks((5, 4)), "target", options, **both)


_X, _Y = minigrad.zeros(3, 5), minigrad.tensor([0, 1, 2])
# function, arguments, options, exception, its first line
ERRORS: list[tuple[Any, tuple, dict, type[Exception], str]] = [
    (F.mse_loss, (_Y, _Y), {}, NotImplementedError, "\"mse_cpu\" not implemented for 'Long'"),
    (F.mse_loss, (minigrad.zeros(2), minigrad.zeros(2)), {"weight": minigrad.ones(3)}, ValueError, "Weights and input must have the same size."),
    (F.smooth_l1_loss, (minigrad.zeros(2), minigrad.zeros(2)), {"beta": -1.0}, RuntimeError, "smooth_l1_loss does not support negative values for beta."),
    (F.mse_loss, (_X, _X), {"nothing": 1}, TypeError, "mse_loss() got an unexpected keyword argument 'nothing'"),
]  # fmt: skip
