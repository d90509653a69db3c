"""Rows and errors of the losses of distances and similarities."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

import minigrad
from losses_table.base import REDUCTIONS, Row, grid, normal
from minigrad import nn
from minigrad.nn import functional as F


def manhattan(x1: Any, x2: Any) -> Any:
    """A distance that both minigrad's and torch's tensors have."""
    return (x1 - x2).abs().sum(-1)


def rows() -> Iterator[Row]:
    """The calls that are compared."""
    yield from _cosine()
    yield from _triplets()


def _cosine() -> Iterator[Row]:
    for options in grid(reduction=REDUCTIONS, margin=(0.0, 0.3)):
        rows = lambda rng: (  # noqa: E731
            rng.standard_normal((6, 3)),
            rng.standard_normal((6, 3)),
            np.array([1.0, -1.0, 1.0, -1.0, -1.0, 1.0]),
        )
        one = lambda rng: (rng.standard_normal((6, 3)), rng.standard_normal((1, 3)), np.array([-1.0]))  # noqa: E731
        pair = lambda rng: (rng.standard_normal(3), rng.standard_normal(3), np.array(1.0))  # noqa: E731
        for label, inputs, kernel in (("rows", rows, True), ("one", one, False), ("pair", pair, True)):
            yield Row(
                "cosine_embedding_loss",
                "CosineEmbeddingLoss",
                inputs,
                label,
                options,
                wrt=(0, 1),
                kernel=kernel,
            )


def _triplets() -> Iterator[Row]:
    three = {"wrt": (0, 1, 2)}
    triplet = ("triplet_margin_loss", "TripletMarginLoss")
    anywhere = "triplet_margin_with_distance_loss"
    for label, shape in (("rows", (6, 3)), ("one", (3,)), ("deep", (2, 3, 4))):
        for options in grid(reduction=REDUCTIONS):
            yield Row(*triplet, normal(shape, shape, shape), label, options, **three)
            yield Row(anywhere, None, normal(shape, shape, shape), label, options, **three)
    shapes = (6, 3), (6, 3), (6, 3)
    for options in grid(reduction=REDUCTIONS, p=(1.0, 2.0, 3.0, 0.5), swap=(True,), margin=(2.5,)):
        yield Row(*triplet, normal(*shapes), "swapped", options, **three)
    for options in grid(reduction=("mean", "none"), p=(math.inf, -math.inf, -1.5), swap=(False, True)):
        yield Row(*triplet, normal(*shapes), "order", options, **three, kernel=False)
    for options in grid(reduction=("mean", "none"), eps=(0.0, 0.1), p=(2.0, 3.0)):
        yield Row(*triplet, normal(*shapes), "eps", options, **three)
    for options in grid(reduction=REDUCTIONS):
        broadcast = normal((6, 3), (1, 3), (6, 1))
        yield Row(*triplet, broadcast, "broadcast", options, **three, kernel=False)
        yield Row(*triplet, normal(*shapes), "anchor", options, wrt=(0,))
    for options in grid(reduction=REDUCTIONS, margin=(0.5, 2.5), swap=(False, True)):
        yield Row(anywhere, None, normal(*shapes), "plain", options, **three)
        given = (("distance_function", manhattan), *options)
        module = "TripletMarginWithDistanceLoss"
        yield Row(anywhere, module, normal(*shapes), "given", given, **three, kernel=False)


_X = minigrad.zeros(3, 5)
_TRIPLET = (_X, _X, _X)
_DIMENSIONS = "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: anchor 2D, positive 2D, and negative 1D inputs"
# function, arguments, options, exception, its first line
ERRORS: list[tuple[Any, tuple, dict, type[Exception], str]] = [
    (F.cosine_embedding_loss, (_X, _X, minigrad.zeros(3, 1)), {}, RuntimeError, "0D or 1D target tensor expected, multi-target not supported"),
    (F.cosine_embedding_loss, (_X[0], _X[0], minigrad.zeros(3)), {}, RuntimeError, "1D target tensor expects 2D input tensors, but found inputs with sizes [5] and [5]."),
    (F.cosine_embedding_loss, (_X, _X, minigrad.ones(())), {}, RuntimeError, "0D target tensor expects 1D input tensors, but found inputs with sizes [3, 5] and [3, 5]."),
    (F.cosine_embedding_loss, (_X[:, :4], _X, minigrad.zeros(3)), {}, RuntimeError, "The size of tensor a (4) must match the size of tensor b (5) at non-singleton dimension 1"),
    (F.cosine_embedding_loss, (_X, _X, minigrad.ones(4)), {}, RuntimeError, "The size of tensor a (4) must match the size of tensor b (3) at non-singleton dimension 0"),
    (F.cosine_embedding_loss, (_X, _X, minigrad.ones(3)), {"reduction": "foo"}, ValueError, "foo is not a valid value for reduction"),
    (F.cosine_embedding_loss, (_X, [1.0], minigrad.ones(3)), {}, TypeError, "argument 'input2' must be Tensor, not list"),
    (F.triplet_margin_loss, _TRIPLET, {"margin": -1}, ValueError, "margin must be greater than 0, got -1"),
    (F.triplet_margin_loss, _TRIPLET, {"margin": 0.0}, ValueError, "margin must be greater than 0, got 0.0"),
    (nn.TripletMarginLoss, (-1,), {}, ValueError, "TripletMarginLoss: expected margin to be greater than 0, got -1 instead"),
    (F.triplet_margin_loss, (_X, _X, _X[0]), {}, RuntimeError, _DIMENSIONS),
    (F.triplet_margin_loss, (_X, _X[:, :4], _X), {}, RuntimeError, "The size of tensor a (5) must match the size of tensor b (4) at non-singleton dimension 1"),
    (F.triplet_margin_loss, (_X, _X, _X[:2]), {}, RuntimeError, "The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 0"),
    (F.triplet_margin_loss, _TRIPLET, {"reduction": "foo"}, ValueError, "foo is not a valid value for reduction"),
    (F.triplet_margin_loss, ([1.0], _X, _X), {}, TypeError, "argument 'anchor' must be Tensor, not list"),
    (F.triplet_margin_with_distance_loss, _TRIPLET, {"margin": 0}, ValueError, "margin must be greater than 0, got 0"),
    (nn.TripletMarginWithDistanceLoss, (), {"margin": -1.0}, ValueError, "TripletMarginWithDistanceLoss: expected margin to be greater than 0, got -1.0 instead"),
    (F.triplet_margin_with_distance_loss, (_X, _X, _X[0]), {}, RuntimeError, _DIMENSIONS),
    (F.triplet_margin_with_distance_loss, _TRIPLET, {"reduction": "elementwise_mean"}, ValueError, "elementwise_mean is not a valid value for reduction"),
    (F.triplet_margin_with_distance_loss, _TRIPLET, {"distance_function": 3}, TypeError, "'int' object is not callable"),
    (nn.TripletMarginWithDistanceLoss, (), {"distance_function": 3}, TypeError, "'int' object is not callable"),
    (F.triplet_margin_with_distance_loss, (*_TRIPLET, None), {}, TypeError, "triplet_margin_with_distance_loss() too many positional arguments"),
    (F.pairwise_distance, (_X, _X[:, :4]), {}, RuntimeError, "The size of tensor a (5) must match the size of tensor b (4) at non-singleton dimension 1"),
    (F.cosine_similarity, (_X, _X[:, :4]), {}, RuntimeError, "The size of tensor a (5) must match the size of tensor b (4) at non-singleton dimension 1"),
    (F.cosine_similarity, (_X.long(), _X.long()), {}, RuntimeError, "expected common dtype to be floating point, yet common dtype is Long"),
    (F.cosine_similarity, (_X[0], _X[0]), {}, IndexError, "Dimension out of range (expected to be in range of [-1, 0], but got 1)"),
]  # fmt: skip
