"""What a library makes of a workload, ready to run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

SAMPLED = 50  # elements that the libraries are compared by, beside the sum of all sizes

STEPS = 5  # of an optimiser, after which its parameters are compared

Numbers = list[list[float]]


class Missing(Exception):
    """The library lacks what a workload needs."""


@dataclass
class Built:
    """A function that runs a workload once, one that runs it and returns the arrays it computes (they must be
    the same on every library), and what any way of computing it has to move and to multiply."""

    run: Callable[[], Any]
    arrays: Callable[[], Iterable[Any]]
    bytes: int = 0  # read and written at least once
    flops: int = 0  # of matrix products


def digest(arrays: Iterable[Any]) -> Numbers:
    """Numbers by which arrays are compared: of each the sum of sizes, and elements evenly spread."""
    numbers: Numbers = []
    for array in map(np.asarray, arrays):
        sampled = array.ravel()[:: max(1, array.size // SAMPLED)]
        numbers += [[float(abs(array).sum(dtype=np.float64))], sampled.astype(float).tolist()]
    return numbers


def after(step: Callable[[], Any], arrays: Callable[[], Iterable[Any]]) -> Callable[[], Iterable[Any]]:
    """The arrays once some steps are done."""

    def found() -> Iterable[Any]:
        for _ in range(STEPS):
            step()
        return arrays()

    return found
