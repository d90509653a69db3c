"""Whole training steps of small networks."""

from __future__ import annotations

import importlib
import itertools
from typing import Any

from benchmarks.workloads.built import Built

CELLS = (
    ([2, 16, 16, 1], 64, "Adam"),
    ([64, 128, 10], 128, "Adam"),
    ([784, 128, 10], 64, "SGD"),
)


def training_step(backend: str, sizes: list[int], batch: int, optimizer: str) -> Built:
    """A whole step of a ReLU network: zero_grad, forward, loss, backward, optimiser."""
    torch, nn, optim = (importlib.import_module(backend + part) for part in ("", ".nn", ".optim"))
    torch.manual_seed(0)
    layers: list[Any] = []
    for inputs, outputs in itertools.pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    settings = {"lr": 1e-3} | ({"momentum": 0.9} if optimizer == "SGD" else {})
    updater = getattr(optim, optimizer)(model.parameters(), **settings)
    binary = sizes[-1] == 1
    x = torch.randn(batch, sizes[0])
    target = (torch.rand(batch) > 0.5).float() if binary else torch.randint(0, sizes[-1], (batch,))
    criterion = nn.BCEWithLogitsLoss() if binary else nn.CrossEntropyLoss()

    def step() -> Any:
        updater.zero_grad()
        output = model(x)
        loss = criterion(output.squeeze(1) if binary else output, target)
        loss.backward()
        updater.step()
        return loss

    return step, lambda: [[step().item() for _ in range(20)]]


def cells() -> list[tuple[str, str, list[Any]]]:
    """Name, builder and arguments of each workload."""
    return [
        (f"training step {'-'.join(map(str, sizes))}, batch {batch}, {optimizer}", "training", [*rest])
        for sizes, batch, optimizer in CELLS
        for rest in [(sizes, batch, optimizer)]
    ]
