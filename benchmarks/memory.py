"""What linear cross entropy and training steps need: the growth of the process, each in a new process."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.libraries import LIBRARIES, OURS, environment, load
from benchmarks.network import Network, batch
from benchmarks.workloads import training

STEPS = 5
SAMPLES, FEATURES, CLASSES = 4096, 512, 32_000
GRADIENTS = 4 * FEATURES * (SAMPLES + CLASSES)  # bytes of the gradients that backward has to return
MIB = 2**20
STATUS = Path("/proc/self/status")


def _bytes(field: str) -> int:
    """A field of this process's status on Linux, elsewhere the greatest size it had."""
    if not STATUS.exists():
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field + ":"))
    return int(line.split()[1]) * 1024


def _reset_peak() -> None:
    """Start the greatest size anew; where the system does not allow it, the inputs' making set no peak."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _way(backend: str, name: str) -> Callable[..., Any]:
    """One of the ways to compute the loss of features, weight and target."""
    functional = importlib.import_module(f"{backend}.nn.functional")
    fused = getattr(functional, "linear_cross_entropy", None)
    if name == "chunked":
        options = importlib.import_module(f"{backend}.nn").LinearCrossEntropyOptions()
        return lambda x, w, target: fused(x, w, target, options=options)
    if name == "fused":
        return fused
    return lambda x, w, target: functional.cross_entropy(functional.linear(x, w), target)


def _step(torch: Any, way: Callable[..., Any], samples: int, classes: int) -> Callable[[], None]:
    """Forward and backward, with the inputs made."""
    rng = np.random.default_rng(0)
    weight = rng.standard_normal((classes, FEATURES), np.float32)
    weight /= np.float32(FEATURES**0.5)
    w = torch.from_numpy(weight).requires_grad_()
    x = torch.from_numpy(rng.standard_normal((samples, FEATURES), np.float32)).requires_grad_()
    target = torch.from_numpy(rng.integers(0, classes, samples))

    def step() -> None:
        way(x, w, target).backward()
        assert x.grad is not None
        assert w.grad is not None

    return step


def _linear(backend: str, name: str) -> tuple[Callable[[], Any], Callable[[], Callable[[], None]]]:
    """What to warm up with, and what makes the step that is measured."""
    torch = importlib.import_module(backend)
    way = _way(backend, name)
    return _step(torch, way, 256, 4000), lambda: _step(torch, way, SAMPLES, CLASSES)


def _training(backend: str, number: int) -> tuple[Callable[[], Any], Callable[[], Callable[[], None]]]:
    """The same for a training step; the model and what the optimiser keeps count as what the step needs."""
    library = load(backend)
    sizes, samples, optimizer = training.CELLS[number]
    network = Network.make(sizes, optimizer)
    arrays = batch(network, samples)

    def steps(network: Network, arrays: tuple[Any, Any]) -> None:
        trainer = library.trainer(network)
        x, target = map(trainer.convert, arrays)
        for _ in range(STEPS):
            trainer.wait(trainer.step(x, target))

    small = Network.make([min(size, 16) for size in sizes], optimizer)
    return lambda: steps(small, batch(small, 16)), lambda: lambda: steps(network, arrays)


def main() -> None:
    """Print by how many bytes this process grew at most."""
    backend, name, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    load(backend).set_threads(threads)
    warm, make = _training(backend, int(name)) if name.isdigit() else _linear(backend, name)
    warm()  # loads libraries and kernels
    step = make()
    if backend == OURS:
        importlib.import_module(OURS).empty_cache()  # what it keeps for the next arrays would hide its growth
    _reset_peak()
    before = _bytes("VmRSS")
    step()
    print(json.dumps(_bytes("VmHWM") - before))


def growth(backend: str, name: str, threads: int) -> float:
    """MiB by which a process grows."""
    command = [sys.executable, "-m", "benchmarks.memory", backend, name, str(threads)]
    for _ in range(2 if backend == OURS else 1):  # the first may have to compile the kernels
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment(threads))
        if done.returncode:
            raise RuntimeError(f"{backend}, {name}:\n{done.stderr}")
    return json.loads(done.stdout) / MIB


def measure(threads: int) -> dict[str, Any]:
    """MiB that linear cross entropy needs beyond its inputs, each way; that training steps need in all."""
    ways = {"minigrad, linear_cross_entropy": (OURS, "fused")}
    backends = [OURS]
    if find_spec("torch"):
        ways["torch, cross_entropy(linear)"] = ("torch", "pair")
        ways["torch, linear_cross_entropy"] = ("torch", "fused")
        ways["torch, linear_cross_entropy, chunked by its options"] = ("torch", "chunked")
        backends.append("torch")
    steps = {
        listed.name: {backend: growth(backend, str(number), threads) for backend in backends}
        for number, listed in enumerate(training.listed())
    }
    return {"linear": {name: growth(*way, threads) for name, way in ways.items()}, "training": steps}


def table(found: dict[str, Any]) -> str:
    """The measurements as Markdown."""
    gradients = GRADIENTS / MIB
    lines = [
        f"| linear cross entropy, {SAMPLES:,} × {FEATURES} × {CLASSES:,} | peak, MiB "
        f"| without the gradients' {gradients:.0f} |",
        "|---|---:|---:|",
    ]
    lines += [f"| {name} | {size:,.0f} | {size - gradients:,.0f} |" for name, size in found["linear"].items()]
    backends = list(next(iter(found["training"].values())))
    titles = " | ".join(LIBRARIES[backend].title for backend in backends)
    lines += ["", f"| {STEPS} training steps, growth in MiB | {titles} |", "|---|" + "---:|" * len(backends)]
    for name, sizes in found["training"].items():
        lines.append(f"| {name} | " + " | ".join(f"{sizes[backend]:.1f}" for backend in backends) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
