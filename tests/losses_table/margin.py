"""Rows and errors of the losses that ask for a margin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from losses_table.base import REDUCTIONS, SHAPES, Row, grid, signs


def rows() -> Iterator[Row]:
    """The calls that are compared."""
    for label, shape in SHAPES:
        for options in grid(reduction=REDUCTIONS):
            yield Row("hinge_embedding_loss", "HingeEmbeddingLoss", signs(shape), label, options)
    for options in grid(reduction=REDUCTIONS, margin=(0.5, 1.5)):
        yield Row("hinge_embedding_loss", "HingeEmbeddingLoss", signs((5, 4)), "margin", options)


# function, arguments, options, exception, its first line
ERRORS: list[tuple[Any, tuple, dict, type[Exception], str]] = [
]  # fmt: skip
