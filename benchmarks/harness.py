"""Interleaved timing: rounds of A B C, each library in its own process, the median of the rounds' ratios.

A busy machine slows all sides of a round alike, so ratios hold where absolute times do not. Each side has a
process of its own since idle threads of one library (OpenBLAS's and OpenMP's spin for a while) would take the
cores from the others. Every cell checks that all sides compute the same thing before it times them.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

SETTLE = 0.1  # seconds until the threads of the side just timed have fallen asleep
QUIET = 0.25  # share of the processors that others may use before a turn, if patience lasts
CALM = 3  # rounds without a turn more disturbed than that, from which on the other rounds are left out
OURS = "minigrad"
STATISTICS = Path("/proc/stat")


@dataclass
class Ratio:
    """How many times as long as minigrad a peer took: the median, least and greatest of the rounds."""

    median: float
    min: float
    max: float


@dataclass
class Cell:
    """One line of the table: a workload on minigrad and on its peers."""

    name: str
    microseconds: dict[str, float]
    ratios: dict[str, Ratio]
    busy: float  # share of the processors that others used just before the turns, on average


@dataclass(frozen=True)
class Pace:
    """How thoroughly a cell is timed."""

    rounds: int
    turn: int  # microseconds of work of one side in a round
    patience: float  # seconds a cell may wait for others to leave the processors alone


FULL, QUICK = Pace(7, 100_000, 2.0), Pace(3, 40_000, 0.0)


def threads_allowed(threads: int) -> dict[str, str]:
    """The environment in which NumPy's products and jax use that many threads."""
    count, eigen = str(threads), str(threads > 1).lower()
    return {
        "OPENBLAS_NUM_THREADS": count,
        "NPROC": count,
        "XLA_FLAGS": f"--xla_cpu_multi_thread_eigen={eigen} intra_op_parallelism_threads={count}",
        "JAX_PLATFORMS": "cpu",
    }


class Side:
    """A process that runs the workloads of one library on request."""

    def __init__(self, backend: str, threads: int) -> None:
        self.backend = backend
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", backend, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | threads_allowed(threads),
        )

    def _ask(self, **request: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the worker ended (exit code {self._process.wait()})")
        return json.loads(answer)

    def prepare(self, kind: str, arguments: list[Any]) -> list[list[float]] | None:
        """Build a workload and run it; some of the numbers it computes, None where the library lacks it."""
        return self._ask(do="prepare", kind=kind, arguments=arguments)

    def microseconds(self, turn: int) -> float:
        """The time of one run, found in about `turn` microseconds."""
        return self._ask(do="time", turn=turn)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


class Settling:
    """Sleeps before a turn, when none of the sides works, and longer while others use the processors."""

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self.busy: list[float] = []

    def __call__(self) -> None:
        """Sleep; remember how busy the machine was at the end."""
        busy = self._sleep()
        while busy > QUIET and self.patience > 0:
            self.patience -= SETTLE
            busy = self._sleep()
        self.busy.append(busy)

    @staticmethod
    def _sleep() -> float:
        start, used = time.perf_counter(), _used()
        time.sleep(SETTLE)
        return (_used() - used) / (time.perf_counter() - start) / (os.cpu_count() or 1)


def _used() -> float:
    """Seconds of work of all processors since the machine started; 0 where Linux does not tell."""
    if not STATISTICS.exists():
        return 0.0
    user, nice, system, _, _, irq, softirq, steal = map(int, STATISTICS.read_text().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _agree(name: str, ours: list[list[float]], theirs: list[list[float]]) -> None:
    """AssertionError where a group of numbers differs by more than float32's rounding explains."""
    for mine, other in zip(ours, theirs, strict=True):
        size = max(map(abs, other), default=0.0)
        np.testing.assert_allclose(mine, other, rtol=1e-3, atol=1e-5 * size, err_msg=name)


def compare(name: str, sides: Sequence[Side], kind: str, arguments: list[Any], pace: Pace) -> Cell | None:
    """Time a workload on all sides that have it, in alternating order; None where minigrad lacks it."""
    numbers = {side.backend: side.prepare(kind, arguments) for side in sides}
    sides = [side for side in sides if numbers[side.backend] is not None]
    ours = numbers[OURS]
    if ours is None:
        return None
    for side in sides:
        _agree(f"{name}, minigrad and {side.backend}", ours, numbers[side.backend] or [])
    for side in sides:
        side.microseconds(pace.turn)  # a turn to settle
    rounds, calm = [], []
    wait = Settling(pace.patience)
    for number in range(pace.rounds):
        found, before = {}, len(wait.busy)
        for side in sides[:: 1 if number % 2 == 0 else -1]:
            wait()
            found[side.backend] = side.microseconds(pace.turn)
        rounds.append(found)
        if max(wait.busy[before:]) <= QUIET:
            calm.append(found)
    if len(calm) >= CALM:
        rounds = calm
    return Cell(
        name=name,
        microseconds={s.backend: statistics.median(r[s.backend] for r in rounds) for s in sides},
        ratios={s.backend: _ratio(rounds, s.backend) for s in sides if s.backend != OURS},
        busy=statistics.mean(wait.busy),
    )


def _ratio(rounds: list[dict[str, float]], peer: str) -> Ratio:
    ratios = [found[peer] / found[OURS] for found in rounds]
    return Ratio(statistics.median(ratios), min(ratios), max(ratios))
