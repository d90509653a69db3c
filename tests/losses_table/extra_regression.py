"""Rows and errors of the losses of real-valued predictions that torch lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import minigrad
from losses_table.base import REDUCTIONS, SHAPES, Row, away_from_kinks, grid
from minigrad.nn import extra


def reduced(losses: np.ndarray, reduction: str, count: float | None = None) -> np.ndarray:
    """The losses' sum, or mean over `count` of them."""
    if reduction == "none":
        return losses
    return losses.sum() / (1 if reduction == "sum" else losses.size if count is None else count)


def log_cosh(x, y, reduction):
    return reduced(np.log(np.cosh(x - y)), reduction)


def quantile(x, y, reduction, quantile=0.5):
    return reduced(np.maximum(quantile * (y - x), (quantile - 1) * (y - x)), reduction)


def mape(x, y, reduction, eps=1e-7):
    return reduced(np.abs(x - y) / np.maximum(np.abs(y), eps), reduction)


def msle(x, y, reduction):
    return reduced((np.log1p(x) - np.log1p(y)) ** 2, reduction)


def amounts(shape: tuple[int, ...]) -> Callable[..., tuple[np.ndarray, ...]]:
    return lambda rng: (rng.uniform(-0.8, 5, shape), rng.uniform(-0.8, 5, shape))


def rows() -> Iterator[Row]:
    """The calls that are compared."""
    for label, shape in SHAPES:
        pair = away_from_kinks(shape)
        for options in grid(reduction=REDUCTIONS):
            yield Row("log_cosh_loss", "LogCoshLoss", pair, label, options, reference=log_cosh)
            yield Row("msle_loss", "MSLELoss", amounts(shape), label, options, reference=msle)
        for options in grid(reduction=REDUCTIONS, quantile=(None, 0.9)):
            yield Row("quantile_loss", "QuantileLoss", pair, label, options, reference=quantile)
        for options in grid(reduction=REDUCTIONS, eps=(None, 0.7)):
            yield Row("mape_loss", "MAPELoss", pair, label, options, reference=mape)
    for options in grid(reduction=("mean", "none")):
        both: dict[str, Any] = {"wrt": (0, 1), "kernel": False}
        pair = away_from_kinks((5, 4))
        yield Row("log_cosh_loss", "LogCoshLoss", pair, "target", options, reference=log_cosh, **both)
        yield Row("msle_loss", "MSLELoss", amounts((5, 4)), "target", options, reference=msle, **both)
        yield Row("quantile_loss", "QuantileLoss", pair, "target", options, reference=quantile, **both)
        yield Row("mape_loss", "MAPELoss", pair, "target", options, reference=mape, **both)


_X, _Y = minigrad.zeros(3), minigrad.tensor([0, 1, 2])
# function, arguments, options, exception, its first line
ERRORS: list[tuple[Any, tuple, dict, type[Exception], str]] = [
    (extra.log_cosh_loss, (_Y, _Y), {}, NotImplementedError, "\"log_cosh_loss_cpu\" not implemented for 'Long'"),
    (extra.log_cosh_loss, ([0.0], _X), {}, TypeError, "argument 'input' must be Tensor, not list"),
    (extra.log_cosh_loss, (_X, _X), {"reduction": "foo"}, ValueError, "foo is not a valid value for reduction"),
    (extra.LogCoshLoss, (), {"reduction": "foo"}, ValueError, "foo is not a valid value for reduction"),
    (extra.quantile_loss, (_X, _X), {"quantile": 1.5}, ValueError, "quantile must be between 0 and 1, got 1.5"),
    (extra.QuantileLoss, (), {"quantile": -0.1}, ValueError, "quantile must be between 0 and 1, got -0.1"),
    (extra.quantile_loss, (_Y, _X), {}, NotImplementedError, "\"quantile_loss_cpu\" not implemented for 'Long'"),
    (extra.mape_loss, (_X, _X), {"eps": 0.0}, ValueError, "eps must be > 0, got 0.0"),
    (extra.MAPELoss, (), {"eps": -1.0}, ValueError, "eps must be > 0, got -1.0"),
    (extra.mape_loss, (_Y, _X), {}, NotImplementedError, "\"mape_loss_cpu\" not implemented for 'Long'"),
    (extra.msle_loss, (_X - 1, _X), {}, ValueError, "all elements of input should be greater than -1"),
    (extra.msle_loss, (_X, minigrad.tensor([0.0, 0.0, -7.0])), {}, ValueError, "all elements of target should be greater than -1"),
    (extra.msle_loss, (_Y, _X), {}, NotImplementedError, "\"msle_loss_cpu\" not implemented for 'Long'"),
]  # fmt: skip
