"""How long it takes to get going: imports, first use of a kernel, loading it from the cache."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec

from benchmarks import tasks
from benchmarks.libraries import OURS

PEERS = ("torch", "jax")  # whose imports are timed too
_IMPORT = "import time; t = time.perf_counter(); import {0}; print(time.perf_counter() - t)"
_KERNEL = """
import json, time
import numpy as np
import minigrad
from minigrad.nn import functional as F
x = minigrad.from_numpy(np.linspace(-3, 3, 400, dtype=np.float32).reshape(40, 10))
y = minigrad.zeros(40).long()
times = {}
start = time.perf_counter()
import numba
times["import numba"] = time.perf_counter() - start
for name, run in (
    ("sigmoid (first kernel of the process)", lambda: minigrad.sigmoid(x)),
    ("softmax", lambda: minigrad.softmax(x, 1)),
    ("logsumexp", lambda: minigrad.logsumexp(x, 1)),
    ("sum", lambda: x.sum()),
    ("max", lambda: x.max()),
    ("cross entropy", lambda: F.cross_entropy(x, y)),
    ("bce with logits", lambda: F.binary_cross_entropy_with_logits(x, minigrad.zeros_like(x))),
):
    start = time.perf_counter()
    run()
    times[name] = time.perf_counter() - start
print(json.dumps(times))
"""


def _run(*arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=True, env=os.environ | environment
    )
    return done.stdout


def import_seconds(modules: Sequence[str], rounds: int = 15) -> dict[str, float]:
    """The median time of importing each of `modules` in a new process, in turns.

    All bytecode is in a cache, as that of installed packages is: without it, and where
    `PYTHONDONTWRITEBYTECODE` is set, a checkout is compiled anew by every process.
    """
    with tempfile.TemporaryDirectory() as folder:
        bytecode = {"PYTHONPYCACHEPREFIX": folder, "PYTHONDONTWRITEBYTECODE": ""}
        times = [
            {module: float(_run("-c", _IMPORT.format(module), **bytecode)) for module in modules}
            for _ in range(rounds + 1)
        ]
    return {module: statistics.median(turn[module] for turn in times[1:]) for module in modules}


def measure(threads: int) -> dict[str, dict[str, float]]:
    """Imports, kernels and a task with an empty and with a filled cache, all in seconds."""
    peers = [peer for peer in PEERS if find_spec(peer)]
    imports = import_seconds(["numpy", "numpy, numba", "minigrad", *peers], 7)
    with tempfile.TemporaryDirectory() as folder:
        first = json.loads(_run("-c", _KERNEL, MINIGRAD_CACHE_DIR=folder))
        later = json.loads(_run("-c", _KERNEL, MINIGRAD_CACHE_DIR=folder))
    with tempfile.TemporaryDirectory() as folder:
        task = [tasks.seconds(OURS, threads, MINIGRAD_CACHE_DIR=folder)[0] for _ in range(4)]
    runs = {"empty cache": task[0], "filled cache": statistics.median(task[1:])}
    return {"import": imports, "first use": first, "from the cache": later, tasks.NAME: runs}


def table(found: dict[str, dict[str, float]]) -> str:
    """The measurements as Markdown."""
    lines = ["| import | ms |", "|---|---:|"]
    lines += [f"| {name} | {1e3 * s:.0f} |" for name, s in found["import"].items()]
    lines += ["", "| kernel | first use ever, ms | first use in a later process, ms |", "|---|---:|---:|"]
    lines += [
        f"| {name} | {1e3 * s:.0f} | {1e3 * found['from the cache'][name]:.1f} |"
        for name, s in found["first use"].items()
    ]
    lines += ["", f"| task {tasks.NAME}, minigrad | s |", "|---|---:|"]
    lines += [f"| {name} | {s:.2f} |" for name, s in found[tasks.NAME].items()]
    return "\n".join(lines)
