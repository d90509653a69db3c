"""Interleaved timing: rounds of A B C, each library in its own process, the median of the rounds' ratios.

A busy machine slows all sides of a round alike, so ratios hold where absolute times do not. Each side has a
process of its own since idle threads of one library (OpenBLAS's and OpenMP's spin for a while) would take the
cores from the others. Every cell checks that all sides compute the same thing before it times them.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.built import Numbers
from benchmarks.libraries import LIBRARIES, OURS, environment

SETTLE = 0.1  # seconds until the threads of the side just timed have fallen asleep
QUIET = 0.25  # share of the processors that others may use before a turn, if patience lasts
CALM = 3  # rounds without a turn more disturbed than that, from which on the other rounds are left out
ENOUGH = 300  # characters of an error that are kept
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
    bytes: int = 0  # to move, whatever the way of computing it
    flops: int = 0  # of its matrix products
    wrong: dict[str, str] = field(default_factory=dict)  # peers that compute something else
    failed: dict[str, str] = field(default_factory=dict)  # peers that could not run it


@dataclass(frozen=True)
class Pace:
    """How thoroughly a cell is timed."""

    rounds: int
    turn: int  # microseconds of work of one side in a round
    patience: float  # seconds a cell may wait for others to leave the processors alone


FULL, QUICK = Pace(7, 100_000, 2.0), Pace(3, 40_000, 0.0)


class Side:
    """A process that runs the workloads of one library on request."""

    def __init__(self, backend: str, threads: int) -> None:
        self.backend = backend
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", backend, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if backend == OURS else subprocess.DEVNULL,
            text=True,
            env=os.environ | environment(threads),
        )

    def _ask(self, **request: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the worker of {self.backend} ended (exit code {self._process.wait()})")
        return json.loads(answer)

    def prepare(self, part: str, arguments: list[Any]) -> dict[str, Any]:
        """Build a workload and run it: its numbers and what it has to move, or "missing" or "failed"."""
        return self._ask(do="prepare", part=part, arguments=arguments)

    def microseconds(self, turn: int) -> float:
        """The time of one run, found in about `turn` microseconds."""
        return self._ask(do="time", turn=turn)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended already
            self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def working(sides: Sequence[Side]) -> tuple[list[Side], dict[str, str]]:
    """Those that can compute a loss of 64 elements, and why the others cannot: a compiler may be missing."""
    here, failed = [], {}
    for side in sides:
        try:
            answer = side.prepare("losses", ["mse_loss", [64]])
        except RuntimeError as error:
            answer = {"failed": str(error)}
        if "numbers" in answer:
            here.append(side)
        elif side.backend == OURS:
            raise RuntimeError(answer.get("failed", "minigrad has no mse_loss"))
        else:
            needs = LIBRARIES[side.backend].compiler
            hint = f" (it needs {needs})" if needs else ""
            failed[side.backend] = answer.get("failed", "")[:ENOUGH] + hint
            side.close()
    return here, failed


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


def _agree(name: str, ours: Numbers, theirs: Numbers) -> None:
    """AssertionError where a group of numbers differs by more than float32's rounding explains."""
    for mine, other in zip(ours, theirs, strict=True):
        size = max(map(abs, other), default=0.0)
        np.testing.assert_allclose(mine, other, rtol=1e-3, atol=1e-5 * size, err_msg=name)


def compare(name: str, sides: Sequence[Side], part: str, arguments: list[Any], pace: Pace) -> Cell | None:
    """Time a workload on all sides that have it, in alternating order; None where minigrad lacks it."""
    answers = {}
    for side in sides:
        answers[side.backend] = side.prepare(part, arguments)
        if side.backend == OURS and "missing" in answers[OURS]:
            return None
    ours = answers[OURS]
    if "failed" in ours:
        raise RuntimeError(f"{name}: {ours['failed']}")
    cell = Cell(name, {}, {}, 0.0, ours["bytes"], ours["flops"])
    timed = []
    for side in sides:
        answer = answers[side.backend]
        if "failed" in answer:
            cell.failed[side.backend] = answer["failed"][:ENOUGH]
        elif "numbers" in answer:
            try:
                _agree(f"{name}, minigrad and {side.backend}", ours["numbers"], answer["numbers"])
                timed.append(side)
            except (AssertionError, ValueError) as error:
                cell.wrong[side.backend] = str(error).strip()[:ENOUGH]
    rounds, cell.busy = _rounds(timed, pace)
    cell.microseconds = {s.backend: statistics.median(r[s.backend] for r in rounds) for s in timed}
    cell.ratios = {s.backend: ratio(rounds, s.backend) for s in timed if s.backend != OURS}
    return cell


def _rounds(sides: Sequence[Side], pace: Pace) -> tuple[list[dict[str, float]], float]:
    """Microseconds of every side in every round, and how busy the machine was with something else."""
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
    return calm if len(calm) >= CALM else rounds, statistics.mean(wait.busy)


def ratio(rounds: Sequence[dict[str, float]], peer: str) -> Ratio:
    """How many times as long as minigrad a peer took."""
    ratios = [found[peer] / found[OURS] for found in rounds]
    return Ratio(statistics.median(ratios), min(ratios), max(ratios))
