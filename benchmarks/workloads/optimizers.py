"""Steps of an optimiser, the gradients given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks.built import Built
from benchmarks.catalogue import normal
from benchmarks.libraries import Library
from benchmarks.network import SETTINGS, Network
from benchmarks.workloads.listed import Listed

SMALL = [64, 128, 128, 64, 32, 10]  # the widths of a network with ten parameters
TINY = [4] * 6  # of another one
LARGE = 10_000_000
PASSES = {"SGD": 5, "Adam": 7, "AdamW": 7}  # reads and writes of parameter, gradient and state


def listed(big: bool = False) -> list[Listed]:
    """Each optimiser on many small parameters and on one that no cache holds."""
    return [
        Listed(f"{name}{' with momentum' if name == 'SGD' else ''}, {title}", [name, sizes])
        for name in SETTINGS
        for title, sizes in (
            ("10 parameters of up to 16", TINY),
            ("10 small parameters", SMALL),
            (f"one of {LARGE:,}", [LARGE]),
        )
    ]


def build(library: Library, name: str, sizes: Sequence[int]) -> Built:
    """A step for the parameters of a network of these widths, or for one vector."""
    rng = np.random.default_rng(0)
    if len(sizes) == 1:
        parameters = [normal(rng, sizes, 1)]
    else:
        parameters = [array for layer in Network.make(sizes, name).layers for array in layer]
    gradients = [normal(rng, parameter.shape, 1) for parameter in parameters]
    least = PASSES[name] * sum(parameter.nbytes for parameter in parameters)
    return replace(library.optimizer(name, parameters, gradients), bytes=least)
