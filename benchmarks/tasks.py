"""Whole tasks, from the start of the process to its end: two half-moons, 2,000 training steps."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

import numpy as np
from numpy import ndarray

from benchmarks.harness import Cell, Settling, ratio
from benchmarks.libraries import LIBRARIES, OURS, environment, load
from benchmarks.network import Network

SIZES, BATCH, STEPS, POINTS = [2, 16, 16, 1], 64, 2000, 1000
LEARNT = 0.05  # the loss is below that at the end, or the task was not solved
NAME = f"moons, {STEPS:,} steps"


def moons() -> tuple[ndarray, ndarray]:
    """Points of two interleaved half-circles, noise 0.1, and which half each belongs to."""
    rng = np.random.default_rng(0)
    angle, upper = rng.uniform(0, np.pi, POINTS), rng.integers(0, 2, POINTS)
    x = np.where(upper, np.cos(angle), 1 - np.cos(angle))
    y = np.where(upper, np.sin(angle), 0.5 - np.sin(angle))
    points = np.stack([x, y], 1) + 0.1 * rng.standard_normal((POINTS, 2))
    return points.astype(np.float32), upper.astype(np.float32)


def train(library: str, threads: int, steps: int = STEPS) -> float:
    """The mean loss of the last fifty batches."""
    home = load(library)
    home.set_threads(threads)
    trainer = home.trainer(Network.make(SIZES, "Adam", lr=0.01))
    points, upper = moons()
    rng = np.random.default_rng(1)
    losses = []
    for _ in range(steps):
        chosen = rng.integers(0, POINTS, BATCH)
        losses.append(trainer.step(trainer.convert(points[chosen]), trainer.convert(upper[chosen])))
        del losses[:-50]
    return statistics.mean(trainer.value(loss) for loss in losses)


def seconds(library: str, threads: int, steps: int = STEPS, **extra: str) -> tuple[float, float]:
    """How long a process took, and the loss at its end.

    Raises:
        RuntimeError: the process failed.
    """
    command = [sys.executable, "-m", "benchmarks.tasks", library, str(threads), str(steps)]
    surroundings = os.environ | environment(threads) | extra
    surroundings.pop("PYTHONDONTWRITEBYTECODE", None)  # the peers' bytecode came with their installation
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=surroundings)
    took = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(done.stderr.strip().rpartition("\n")[2])
    return took, json.loads(done.stdout.strip().rpartition("\n")[2])


def measure(
    peers: Sequence[str], threads: int, rounds: int, patience: float, steps: int = STEPS
) -> list[Cell]:
    """The task on every library in turn; the first round, which fills caches, does not count."""
    cell = Cell(NAME, {}, {}, 0.0)
    libraries = [OURS]
    for library in (OURS, *peers):
        try:
            _, loss = seconds(library, threads, steps)
        except RuntimeError as error:
            if library == OURS:
                raise
            cell.failed[library] = str(error)
            continue
        if steps >= STEPS and not loss < LEARNT:
            cell.wrong[library] = f"the loss is {loss:.3f} at the end, expected less than {LEARNT}"
        elif library != OURS:
            libraries.append(library)
    wait, found = Settling(patience), []
    for number in range(rounds):
        times = {}
        for library in libraries[:: 1 if number % 2 == 0 else -1]:
            wait()
            times[library] = 1e6 * seconds(library, threads, steps)[0]
        found.append(times)
    cell.busy = statistics.mean(wait.busy)
    cell.microseconds = {name: statistics.median(times[name] for times in found) for name in libraries}
    cell.ratios = {name: ratio(found, name) for name in libraries[1:]}
    return [cell]


def main() -> None:
    """Train with one library, print the loss at the end."""
    library, threads, steps = sys.argv[1:]
    assert library in LIBRARIES
    print(json.dumps(train(library, int(threads), int(steps))))


if __name__ == "__main__":
    main()
