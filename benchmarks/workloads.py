"""What is timed: each workload is built twice from the same seed, on minigrad and on torch."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from benchmarks.harness import Cell, check_equal, compare

BACKENDS = ("minigrad", "torch")


def _module(backend: str, part: str = "") -> Any:
    return importlib.import_module(f"{backend}{part}")


def training_step(
    backend: str, sizes: tuple[int, ...], batch: int, optimizer: str
) -> Callable[[], float]:
    """A whole step of a ReLU network: zero_grad, forward, loss, backward, optimiser. Returns the loss."""
    torch, nn, optim = _module(backend), _module(backend, ".nn"), _module(backend, ".optim")
    torch.manual_seed(0)
    layers: list[Any] = []
    for inputs, outputs in zip(sizes[:-1], sizes[1:], strict=True):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    step_size = {"lr": 1e-3} | ({"momentum": 0.9} if optimizer == "SGD" else {})
    updater = getattr(optim, optimizer)(model.parameters(), **step_size)
    x = torch.randn(batch, sizes[0])
    if sizes[-1] == 1:
        target, criterion = (torch.rand(batch) > 0.5).float(), nn.BCEWithLogitsLoss()
    else:
        target, criterion = torch.randint(0, sizes[-1], (batch,)), nn.CrossEntropyLoss()

    def step() -> Any:
        updater.zero_grad()
        output = model(x)
        loss = criterion(output.squeeze(1) if sizes[-1] == 1 else output, target)
        loss.backward()
        updater.step()
        return loss

    return step


def loss_call(backend: str, name: str, shape: tuple[int, ...]) -> Callable[[], Any]:
    """Forward and backward of a loss to a leaf. Returns the gradient."""
    torch, functional = _module(backend), _module(backend, ".nn.functional")
    torch.manual_seed(0)
    x = torch.randn(*shape)
    if name == "cross_entropy":
        target = torch.randint(0, shape[1], (shape[0],))
    else:
        target = torch.rand(*shape)
    if name == "kl_div":
        x, target = functional.log_softmax(x, 1), functional.softmax(torch.randn(*shape), 1)
    if name == "binary_cross_entropy":
        x = torch.sigmoid(x)
    x.requires_grad_()
    function = getattr(functional, name)
    options = {"reduction": "batchmean"} if name == "kl_div" else {}

    def run() -> Any:
        x.grad = None
        function(x, target, **options).backward()
        return x.grad

    return run


def training_cells() -> list[Cell]:
    """Whole training steps of small networks."""
    cells = []
    for sizes, batch, optimizer in (
        ((2, 16, 16, 1), 64, "Adam"),
        ((64, 128, 10), 128, "Adam"),
        ((784, 128, 10), 64, "SGD"),
    ):
        ours, theirs = (training_step(b, sizes, batch, optimizer) for b in BACKENDS)
        name = f"training step {'-'.join(map(str, sizes))}, batch {batch}, {optimizer}"
        for _ in range(20):
            check_equal(name, ours().item(), theirs().item())
        cells.append(compare(name, ours, theirs))
    return cells


def loss_cells() -> list[Cell]:
    """Losses, forward and backward."""
    cells = []
    for name, shape in (
        ("cross_entropy", (4096, 1000)),
        ("cross_entropy", (128, 10)),
        ("binary_cross_entropy_with_logits", (64, 1)),
        ("binary_cross_entropy_with_logits", (1024, 1024)),
        ("binary_cross_entropy", (1024, 1024)),
        ("mse_loss", (64, 1)),
        ("mse_loss", (1024, 1024)),
        ("smooth_l1_loss", (1024, 1024)),
        ("kl_div", (1024, 1000)),
    ):
        ours, theirs = (loss_call(b, name, shape) for b in BACKENDS)
        label = f"{name} {'×'.join(map(str, shape))}, forward + backward"
        check_equal(label, ours().numpy(), theirs().numpy(), rtol=1e-3)
        cells.append(compare(label, ours, theirs))
    return cells
