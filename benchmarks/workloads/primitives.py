"""Primitives: forward, and forward with backward for a cotangent that is not all ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks.built import Built
from benchmarks.libraries import Library
from benchmarks.workloads.listed import Listed, sized

NAMES = (
    *("softmax", "log_softmax", "logsumexp", "sigmoid", "tanh", "gelu", "relu", "layer_norm"),
    *("sum", "mean", "max", "var", "sum of rows", "mean of rows", "max of rows", "var of rows"),
)
WHOLE = ("sum", "mean", "max", "var")
SHAPES = ([64, 64], [1024, 1024], [64, 100_000])


def listed(big: bool = False) -> list[Listed]:
    """Every primitive in its shapes, without and with the backward pass."""
    return [
        Listed(
            f"{name} {sized(shape)}, {'forward + backward' if backward else 'forward'}",
            [name, shape, backward],
        )
        for name in NAMES
        for shape in SHAPES
        for backward in (False, True)
    ]


def output_shape(name: str, shape: Sequence[int]) -> tuple[int, ...]:
    """Of the primitive's value."""
    if name in WHOLE:
        return ()
    rows_only = name == "logsumexp" or name.endswith("of rows")
    return tuple(shape[:-1]) if rows_only else tuple(shape)


def build(library: Library, name: str, shape: Sequence[int], backward: bool) -> Built:
    """The primitive of one array; least bytes: input and cotangent read, value and gradient written."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal(tuple(shape), np.float32)
    x += np.float32(0.5)  # a mean that is not zero has digits to compare
    output = output_shape(name, shape)
    cotangent = np.asarray(rng.uniform(0.5, 2, output), np.float32) if backward else None
    size = x.nbytes + 4 * int(np.prod(output))
    return replace(library.primitive(name, x, cotangent), bytes=2 * size if backward else size)
