"""The networks that are trained, the same for every library."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray

SETTINGS: dict[str, dict[str, float]] = {
    "SGD": {"lr": 1e-3, "momentum": 0.9},
    "Adam": {"lr": 1e-3},
    "AdamW": {"lr": 1e-3, "weight_decay": 1e-2},
}


@dataclass(frozen=True)
class Network:
    """Linear layers with ReLU between them; one output means binary cross entropy, more cross entropy."""

    layers: list[tuple[ndarray, ndarray]]  # weight (out, in) and bias of each
    optimizer: str
    settings: dict[str, float]

    @property
    def binary(self) -> bool:
        """Whether the loss is the binary cross entropy of one logit."""
        return len(self.layers[-1][1]) == 1

    @classmethod
    def make(cls, sizes: Sequence[int], optimizer: str, **settings: float) -> Network:
        """With weights drawn as torch's Linear draws them."""
        rng = np.random.default_rng(0)
        layers = []
        for inputs, outputs in itertools.pairwise(sizes):
            bound = inputs**-0.5
            weight = rng.uniform(-bound, bound, (outputs, inputs)).astype(np.float32)
            layers.append((weight, rng.uniform(-bound, bound, outputs).astype(np.float32)))
        return cls(layers, optimizer, SETTINGS[optimizer] | settings)


@dataclass(frozen=True)
class Trainer:
    """How a library trains a network."""

    convert: Callable[[ndarray], Any]  # a batch of inputs or targets, to what the step takes
    step: Callable[[Any, Any], Any]  # zero_grad, forward, loss, backward, optimiser; the loss
    wait: Callable[[Any], Any] = lambda loss: loss  # until the step that gave this loss is done
    value: Callable[[Any], float] = float


def batch(network: Network, size: int) -> tuple[ndarray, ndarray]:
    """Inputs and targets."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((size, network.layers[0][0].shape[1]), np.float32)
    if network.binary:
        return x, rng.integers(0, 2, size).astype(np.float32)
    return x, rng.integers(0, len(network.layers[-1][1]), size)
