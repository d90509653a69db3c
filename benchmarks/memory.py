"""What linear cross entropy needs: the growth of the process, forward and backward, each in a new process."""

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


def main() -> None:
    """Print by how many bytes this process grew at most."""
    backend, name, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    torch = importlib.import_module(backend)
    torch.set_num_threads(threads)
    way = _way(backend, name)
    _step(torch, way, 256, 4000)()  # loads libraries and kernels
    step = _step(torch, way, SAMPLES, CLASSES)
    _reset_peak()
    before = _bytes("VmRSS")
    step()
    print(json.dumps(_bytes("VmHWM") - before))


def measure(threads: int) -> dict[str, float]:
    """MiB that each way of computing it needs beyond the inputs, gradients included."""
    ways = {"minigrad, linear_cross_entropy": ("minigrad", "fused")}
    if find_spec("torch"):
        ways["torch, cross_entropy(linear)"] = ("torch", "pair")
        ways["torch, linear_cross_entropy"] = ("torch", "fused")
        ways["torch, linear_cross_entropy, chunked by its options"] = ("torch", "chunked")
    found = {}
    for name, way in ways.items():
        command = [sys.executable, "-m", "benchmarks.memory", *way, str(threads)]
        for _ in range(2 if way[0] == "minigrad" else 1):  # the first may have to compile the kernels
            done = subprocess.run(command, capture_output=True, text=True, env=os.environ)
            if done.returncode:
                raise RuntimeError(f"{name}:\n{done.stderr}")
        found[name] = json.loads(done.stdout) / MIB
    return found


def table(found: dict[str, float]) -> str:
    """The measurements as Markdown."""
    gradients = GRADIENTS / MIB
    lines = [
        f"| linear cross entropy, {SAMPLES:,} × {FEATURES} × {CLASSES:,} | peak, MiB "
        f"| without the gradients' {gradients:.0f} |",
        "|---|---:|---:|",
    ]
    lines += [f"| {name} | {size:,.0f} | {size - gradients:,.0f} |" for name, size in found.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
