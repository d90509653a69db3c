"""Rows and errors of the losses of distances and similarities."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import minigrad
from losses_table.base import REDUCTIONS, Row, grid
from minigrad.nn import functional as F


def rows() -> Iterator[Row]:
    """The calls that are compared."""
    for options in grid(reduction=REDUCTIONS, margin=(0.0, 0.3)):
        rows = lambda rng: (  # noqa: E731
            rng.standard_normal((6, 3)),
            rng.standard_normal((6, 3)),
            np.array([1.0, -1.0, 1.0, -1.0, -1.0, 1.0]),
        )
        pair = lambda rng: (rng.standard_normal(3), rng.standard_normal(3), np.array(1.0))  # noqa: E731
        for label, inputs in (("rows", rows), ("pair", pair)):
            yield Row("cosine_embedding_loss", "CosineEmbeddingLoss", inputs, label, options, wrt=(0, 1))


_X, _Y = minigrad.zeros(3, 5), minigrad.tensor([0, 1, 2])
# function, arguments, options, exception, its first line
ERRORS: list[tuple[Any, tuple, dict, type[Exception], str]] = [
    (F.cosine_embedding_loss, (_X, _X, minigrad.zeros(3, 1)), {}, RuntimeError, "0D or 1D target tensor expected, multi-target not supported"),
    (F.cosine_embedding_loss, (_X[0], _X[0], minigrad.zeros(3)), {}, RuntimeError, "1D target tensor expects 2D input tensors, but found inputs with sizes [5] and [5]."),
    (F.cosine_embedding_loss, (_X[:, :4], _X, minigrad.zeros(3)), {}, RuntimeError, "The size of tensor a (4) must match the size of tensor b (5) at non-singleton dimension 1"),
]  # fmt: skip
