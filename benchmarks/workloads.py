"""What is timed: workloads written once and built on minigrad or on torch from the same seed.

A builder returns the workload and a function that runs it and gives some of its numbers, which must be
the same on both sides.
"""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Callable
from typing import Any

from benchmarks.harness import Cell, Side, compare

Built = tuple[Callable[[], Any], Callable[[], list[float]]]


def _module(backend: str, part: str = "") -> Any:
    return importlib.import_module(f"{backend}{part}")


def training_step(backend: str, sizes: list[int], batch: int, optimizer: str) -> Built:
    """A whole step of a ReLU network: zero_grad, forward, loss, backward, optimiser."""
    torch, nn, optim = _module(backend), _module(backend, ".nn"), _module(backend, ".optim")
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

    return step, lambda: [step().item() for _ in range(20)]


def loss_call(backend: str, name: str, shape: list[int]) -> Built:
    """Forward and backward of a loss to a leaf."""
    torch, functional = _module(backend), _module(backend, ".nn.functional")
    torch.manual_seed(0)
    x = torch.randn(*shape)
    target = torch.rand(*shape)
    if name == "cross_entropy":
        target = torch.randint(0, shape[1], (shape[0],))
    elif name == "kl_div":
        x, target = functional.log_softmax(x, 1), functional.softmax(torch.randn(*shape), 1)
    elif name == "binary_cross_entropy":
        x = torch.sigmoid(x)
    x.requires_grad_()
    function = getattr(functional, name)
    options = {"reduction": "batchmean"} if name == "kl_div" else {}

    def run() -> Any:
        x.grad = None
        loss = function(x, target, **options)
        loss.backward()
        return loss

    def numbers() -> list[float]:
        return [run().item(), *x.grad.flatten()[:50].tolist()]

    return run, numbers


BUILDERS: dict[str, Callable[..., Built]] = {"training": training_step, "losses": loss_call}

TRAINING = (
    ([2, 16, 16, 1], 64, "Adam"),
    ([64, 128, 10], 128, "Adam"),
    ([784, 128, 10], 64, "SGD"),
)
LOSSES = (
    ("cross_entropy", [4096, 1000]),
    ("cross_entropy", [128, 10]),
    ("binary_cross_entropy_with_logits", [64, 1]),
    ("binary_cross_entropy_with_logits", [1024, 1024]),
    ("binary_cross_entropy", [1024, 1024]),
    ("mse_loss", [64, 1]),
    ("mse_loss", [1024, 1024]),
    ("smooth_l1_loss", [1024, 1024]),
    ("kl_div", [1024, 1000]),
)


def training_cells(sides: tuple[Side, Side]) -> list[Cell]:
    """Whole training steps of small networks."""
    return [
        compare(
            f"training step {'-'.join(map(str, sizes))}, batch {batch}, {optimizer}",
            sides,
            "training",
            [sizes, batch, optimizer],
        )
        for sizes, batch, optimizer in TRAINING
    ]


def loss_cells(sides: tuple[Side, Side]) -> list[Cell]:
    """Losses, forward and backward."""
    return [
        compare(f"{name} {'×'.join(map(str, shape))}, forward + backward", sides, "losses", [name, shape])
        for name, shape in LOSSES
    ]
