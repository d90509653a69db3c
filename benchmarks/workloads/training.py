"""Whole training steps of small networks: zero_grad, forward, loss, backward, optimiser."""

from __future__ import annotations

import itertools
from typing import Any

from benchmarks.built import Built
from benchmarks.libraries import Library
from benchmarks.network import Network, batch
from benchmarks.workloads.listed import Listed

CELLS = (
    ([2, 16, 16, 1], 64, "Adam"),
    ([4, 32, 3], 32, "SGD"),
    ([64, 128, 10], 128, "Adam"),
    ([784, 128, 10], 64, "SGD"),
    ([784, 512, 512, 10], 256, "Adam"),
    ([64, 256, 256, 10], 1024, "AdamW"),
)
COMPARED = 20  # steps whose losses are compared


def listed(big: bool = False) -> list[Listed]:
    """The networks, each with its batch size and optimiser."""
    return [Listed(f"{'-'.join(map(str, cell[0]))}, batch {cell[1]}, {cell[2]}", [*cell]) for cell in CELLS]


def build(library: Library, sizes: list[int], size: int, optimizer: str) -> Built:
    """A step on the same batch again and again."""
    network = Network.make(sizes, optimizer)
    trainer = library.trainer(network)
    x, target = map(trainer.convert, batch(network, size))

    def run() -> Any:
        loss = trainer.step(x, target)
        trainer.wait(loss)
        return loss

    pairs = itertools.pairwise(sizes)
    products = sum((4 if layer == 0 else 6) * size * a * b for layer, (a, b) in enumerate(pairs))
    return Built(run, lambda: [[trainer.value(run()) for _ in range(COMPARED)]], flops=products)
