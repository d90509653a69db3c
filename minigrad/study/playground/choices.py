"""What the playground offers: data sets in the plane, losses that fit them, and what each wants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import nn


# ---------------------------------------------------------------------------------------------- data
@dataclass(frozen=True)
class DataSet:
    """Points of the plane, about within [-1, 1]², and their targets: class numbers or values."""

    label: str
    task: str  # "classes" or "regression"
    make: Callable[[int, float, np.random.Generator], tuple[ndarray, ndarray]]
    classes: int = 0


def _moons(n: int, noise: float, rng: np.random.Generator) -> tuple[ndarray, ndarray]:
    y = np.arange(n) % 2
    angle = rng.uniform(0, np.pi, n)
    x = (
        np.where(y == 0, np.cos(angle), 1 - np.cos(angle)),
        np.where(y == 0, np.sin(angle), 0.5 - np.sin(angle)),
    )
    points = np.stack(x, 1) - (0.5, 0.25)
    return 0.66 * points + noise * rng.standard_normal((n, 2)), y


def _circles(n: int, noise: float, rng: np.random.Generator) -> tuple[ndarray, ndarray]:
    y = np.arange(n) % 2
    radius = np.where(y == 0, 0.35, 0.85)
    angle = rng.uniform(0, 2 * np.pi, n)
    points = radius[:, None] * np.stack((np.cos(angle), np.sin(angle)), 1)
    return points + noise * rng.standard_normal((n, 2)), y


def _xor(n: int, noise: float, rng: np.random.Generator) -> tuple[ndarray, ndarray]:
    points = rng.uniform(-0.95, 0.95, (n, 2))
    y = (points[:, 0] * points[:, 1] > 0).astype(np.int64)
    return points + noise * rng.standard_normal((n, 2)), y


def _spirals(arms: int) -> Callable[..., tuple[ndarray, ndarray]]:
    def make(n: int, noise: float, rng: np.random.Generator) -> tuple[ndarray, ndarray]:
        y = np.arange(n) % arms
        t = rng.uniform(0.08, 1, n)
        angle = 2 * np.pi * (1.1 * t + y / arms)
        points = 0.95 * t[:, None] * np.stack((np.cos(angle), np.sin(angle)), 1)
        return points + noise * rng.standard_normal((n, 2)), y

    return make


def _blobs(count: int) -> Callable[..., tuple[ndarray, ndarray]]:
    def make(n: int, noise: float, rng: np.random.Generator) -> tuple[ndarray, ndarray]:
        y = np.arange(n) % count
        angle = 2 * np.pi * (y + 0.25) / count
        centres = 0.6 * np.stack((np.cos(angle), np.sin(angle)), 1)
        return centres + (0.1 + noise) * rng.standard_normal((n, 2)), y

    return make


def _surface(function: Callable[[ndarray, ndarray], ndarray]) -> Callable[..., tuple[ndarray, ndarray]]:
    def make(n: int, noise: float, rng: np.random.Generator) -> tuple[ndarray, ndarray]:
        points = rng.uniform(-1, 1, (n, 2))
        y = function(points[:, 0], points[:, 1]) + noise * rng.standard_normal(n)
        outliers = rng.random(n) < noise / 4
        return points, np.where(outliers, y + rng.choice([-3, 3], n), y)

    return make


DATA: dict[str, DataSet] = {
    "moons": DataSet("Two moons", "classes", _moons, 2),
    "circles": DataSet("Circles", "classes", _circles, 2),
    "xor": DataSet("Exclusive or", "classes", _xor, 2),
    "spirals": DataSet("Two spirals", "classes", _spirals(2), 2),
    "spirals3": DataSet("Three spirals", "classes", _spirals(3), 3),
    "blobs3": DataSet("Three blobs", "classes", _blobs(3), 3),
    "blobs4": DataSet("Four blobs", "classes", _blobs(4), 4),
    "plane": DataSet("Plane", "regression", _surface(lambda a, b: 0.7 * a - 0.5 * b)),
    "waves": DataSet("Waves", "regression", _surface(lambda a, b: np.sin(3 * a) * np.cos(2 * b))),
    "hill": DataSet("Hill", "regression", _surface(lambda a, b: 2 * np.exp(-3 * (a * a + b * b)) - 0.5)),
}


# -------------------------------------------------------------------------------------------- losses
@dataclass(frozen=True)
class Option:
    """An option of a loss, as a slider."""

    name: str
    least: float
    most: float
    step: float
    start: float


@dataclass(frozen=True)
class LossChoice:
    """A loss: for which targets, and what the output becomes before it."""

    name: str  # its class in minigrad.nn or minigrad.nn.extra
    task: str  # "binary" (one output), "classes" (one for each class) or "regression"
    target: str = "01"  # "01", "±1", "index" or "value"
    before: str = ""  # "sigmoid" or "log_softmax": what the loss wants done to the output
    option: Option | None = None

    @property
    def module(self) -> str:
        """Where the class is."""
        return "nn" if hasattr(nn, self.name) else "nn.extra"

    def make(self, value: float | None, reduction: str = "mean") -> Any:
        """The loss with a value of its option."""
        kind = getattr(nn if self.module == "nn" else nn.extra, self.name)
        chosen = {} if self.option is None or value is None else {self.option.name: value}
        return kind(reduction=reduction, **chosen)

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


_SMOOTHING = Option("label_smoothing", 0.0, 0.5, 0.01, 0.1)
_MARGIN = Option("margin", 0.1, 3.0, 0.1, 1.0)
LOSSES: dict[str, LossChoice] = {
    choice.name: choice
    for choice in (
        LossChoice("BCEWithLogitsLoss", "binary"),
        LossChoice("BCELoss", "binary", before="sigmoid"),
        LossChoice("SmoothBCEWithLogitsLoss", "binary", option=_SMOOTHING),
        LossChoice("SigmoidFocalLoss", "binary", option=Option("gamma", 0.0, 5.0, 0.1, 2.0)),
        LossChoice("SoftMarginLoss", "binary", "±1"),
        LossChoice("HingeLoss", "binary", "±1"),
        LossChoice("SquaredHingeLoss", "binary", "±1"),
        LossChoice(
            "CrossEntropyLoss", "classes", "index", option=Option("label_smoothing", 0.0, 0.5, 0.01, 0.0)
        ),
        LossChoice("NLLLoss", "classes", "index", "log_softmax"),
        LossChoice("MultiMarginLoss", "classes", "index", option=_MARGIN),
        LossChoice("MultiClassHingeLoss", "classes", "index", option=_MARGIN),
        LossChoice("SoftmaxFocalLoss", "classes", "index", option=Option("gamma", 0.0, 5.0, 0.1, 2.0)),
        LossChoice("PolyLoss", "classes", "index", option=Option("epsilon", -1.0, 5.0, 0.1, 1.0)),
        LossChoice(
            "GeneralizedCrossEntropyLoss", "classes", "index", option=Option("q", 0.05, 1.0, 0.05, 0.7)
        ),
        LossChoice("SparsemaxLoss", "classes", "index"),
        LossChoice("FenchelYoungLoss", "classes", "index"),
        LossChoice("MSELoss", "regression", "value"),
        LossChoice("L1Loss", "regression", "value"),
        LossChoice("SmoothL1Loss", "regression", "value", option=Option("beta", 0.05, 3.0, 0.05, 1.0)),
        LossChoice("HuberLoss", "regression", "value", option=Option("delta", 0.05, 3.0, 0.05, 0.5)),
        LossChoice("LogCoshLoss", "regression", "value"),
        LossChoice("QuantileLoss", "regression", "value", option=Option("quantile", 0.05, 0.95, 0.05, 0.5)),
    )
}


def fitting(data: DataSet) -> list[str]:
    """The losses that fit a data set: with two classes those of one output and those of two."""
    if data.task == "regression":
        return [name for name, choice in LOSSES.items() if choice.task == "regression"]
    tasks = ("binary", "classes") if data.classes == 2 else ("classes",)
    return [name for name, choice in LOSSES.items() if choice.task in tasks]
