"""What is timed.

Each module lists its workloads, and builds one of them for a library.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.built import Built
from benchmarks.libraries import Library
from benchmarks.workloads import layers, losses, optimizers, primitives, training
from benchmarks.workloads.listed import Listed as Listed


@dataclass(frozen=True)
class Timed:
    """A part of the suite whose workloads are timed side by side."""

    title: str
    listed: Callable[[bool], list[Listed]]  # with the big ones or without
    build: Callable[..., Built]  # from a library and the workload's arguments


TIMED = {
    "losses": Timed("Losses, forward and backward", losses.listed, losses.build),
    "primitives": Timed("Primitives", primitives.listed, primitives.build),
    "layers": Timed("Layers, forward and backward", layers.listed, layers.build),
    "optimizers": Timed("Optimiser steps", optimizers.listed, optimizers.build),
    "training": Timed("Training steps", training.listed, training.build),
}


def build(part: str, library: Library, arguments: list[Any]) -> Built:
    """A workload of a library, ready to run."""
    return TIMED[part].build(library, *arguments)
