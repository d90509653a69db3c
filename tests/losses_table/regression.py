"""Rows and errors of the losses of real-valued predictions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import minigrad
from losses_table.base import REDUCTIONS, SHAPES, Row, away_from_kinks, grid, normal
from minigrad import nn
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
        for options in grid(reduction=REDUCTIONS, delta=(0.5, 2)):
            delta = dict(options)["delta"]
            yield Row("huber_loss", "HuberLoss", away_from_kinks(shape, delta), label, options)
    far = away_from_kinks((5, 4), 1.0)
    for options in grid(reduction=REDUCTIONS):
        weighted = (*options, ("weight", np.linspace(0.5, 2, 20).reshape(5, 4)))
        both = {"wrt": (0, 1), "kernel": False}
        yield Row("mse_loss", None, normal((5, 4), (5, 4)), "weighted", weighted)
        yield Row("l1_loss", None, away_from_kinks((5, 4)), "weighted", weighted)
        yield Row("huber_loss", None, far, "weighted", (*weighted, ("delta", 1.0)))
        yield Row("mse_loss", "MSELoss", normal((5, 4), (5, 4)), "target", options, **both)
        yield Row("l1_loss", "L1Loss", away_from_kinks((5, 4)), "target", options, **both)
        yield Row("smooth_l1_loss", "SmoothL1Loss", far, "target", options, **both)
        yield Row("huber_loss", "HuberLoss", far, "target", options, **both)


_X, _Y, _W = minigrad.zeros(3, 5), minigrad.tensor([0, 1, 2]), minigrad.ones(3)
_NO_BETA = "smooth_l1_loss does not support negative values for beta."
_NO_DELTA = "huber_loss does not support non-positive values for delta."
_MEAN = "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: Long"
_SIZES = "Weights and input must have the same size."
# function, arguments, options, exception, its first line
ERRORS: list[tuple[Any, tuple, dict, type[Exception], str]] = [
    (F.mse_loss, (_Y, _Y), {}, NotImplementedError, "\"mse_cpu\" not implemented for 'Long'"),
    (F.smooth_l1_loss, (_Y, _Y), {}, NotImplementedError, "\"smooth_l1_cpu\" not implemented for 'Long'"),
    (F.huber_loss, (_Y, _Y), {}, NotImplementedError, "\"huber_cpu\" not implemented for 'Long'"),
    (F.l1_loss, (_Y, _Y), {}, RuntimeError, _MEAN),
    (F.mse_loss, (minigrad.zeros(2), minigrad.zeros(2)), {"weight": _W}, ValueError, _SIZES),
    (F.l1_loss, (minigrad.zeros(2), minigrad.zeros(2)), {"weight": _W}, ValueError, _SIZES),
    (F.huber_loss, (minigrad.zeros(2), minigrad.zeros(2)), {"weight": _W}, ValueError, _SIZES),
    (F.mse_loss, (_X, _X), {"nothing": 1}, TypeError, "mse_loss() got an unexpected keyword argument 'nothing'"),
    (F.mse_loss, ([1.0], _W), {}, TypeError, "argument 'input' must be Tensor, not list"),
    (F.smooth_l1_loss, (_X, _X), {"beta": -1.0}, RuntimeError, _NO_BETA),
    (F.smooth_l1_loss, (_X, _X), {"beta": float("nan")}, RuntimeError, _NO_BETA),
    (F.smooth_l1_loss, (_X, _X), {"beta": None}, TypeError, "smooth_l1_loss(): argument 'beta' (position 4) must be float, not NoneType"),
    (nn.SmoothL1Loss, (), {"beta": -1}, RuntimeError, _NO_BETA),
    (F.huber_loss, (_X, _X), {"delta": 0}, RuntimeError, _NO_DELTA),
    (F.huber_loss, (_X, _X), {"delta": float("nan")}, RuntimeError, _NO_DELTA),
    (F.huber_loss, (_X, _X), {"delta": None}, TypeError, "huber_loss(): argument 'delta' (position 4) must be float, not NoneType"),
    (F.huber_loss, (_X, _X), {"reduction": "foo"}, ValueError, "foo is not a valid value for reduction"),
    (nn.HuberLoss, (), {"delta": -1.0}, RuntimeError, _NO_DELTA),
    (nn.HuberLoss, (), {"delta": "a"}, TypeError, "huber_loss(): argument 'delta' (position 4) must be float, not str"),
    (nn.HuberLoss, (), {"size_average": True}, TypeError, "HuberLoss.__init__() got an unexpected keyword argument 'size_average'"),
    (nn.HuberLoss, (), {"weight": _W}, TypeError, "HuberLoss.__init__() got an unexpected keyword argument 'weight'"),
]  # fmt: skip
