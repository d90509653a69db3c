"""Interleaved timing: A B A B rounds, each side in a process of its own, the median of the ratios.

A busy machine slows both sides of a round alike, so ratios hold where absolute times do not. Each side has a
process of its own since idle threads of one library (OpenBLAS's and OpenMP's spin for a while) would take the
cores from the other. Every cell checks that both sides compute the same thing before it times them.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

SETTLE = 0.1  # seconds until the threads of the side just timed have fallen asleep
TURN = 150_000  # microseconds of work in a turn


@dataclass
class Cell:
    """One line of the table: a workload on minigrad and on its peer."""

    name: str
    minigrad_us: float
    peer_us: float
    ratio: float
    ratio_min: float
    ratio_max: float


class Side:
    """A process that runs the workloads of one library on request."""

    def __init__(self, backend: str, threads: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", backend, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
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

    def prepare(self, kind: str, arguments: list[Any]) -> list[float]:
        """Build a workload and run it; some of the numbers it computes."""
        return self._ask(do="prepare", kind=kind, arguments=arguments)

    def microseconds(self, repeats: int) -> float:
        """The time of one run, over `repeats` runs."""
        return self._ask(do="time", repeats=repeats)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def compare(name: str, sides: tuple[Side, Side], kind: str, arguments: list[Any], rounds: int = 11) -> Cell:
    """Time a workload on both sides in alternating order."""
    ours, theirs = (side.prepare(kind, arguments) for side in sides)
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-6, err_msg=name)
    repeats = [max(1, int(TURN / max(side.microseconds(5), 1.0))) for side in sides]
    times: list[tuple[float, float]] = []
    for number in range(rounds):
        found = [0.0, 0.0]
        for place in (0, 1) if number % 2 == 0 else (1, 0):
            time.sleep(SETTLE)
            found[place] = sides[place].microseconds(repeats[place])
        times.append((found[0], found[1]))
    ratios = [peer / mine for mine, peer in times]
    return Cell(
        name=name,
        minigrad_us=statistics.median(mine for mine, _ in times),
        peer_us=statistics.median(peer for _, peer in times),
        ratio=statistics.median(ratios),
        ratio_min=min(ratios),
        ratio_max=max(ratios),
    )


def table(cells: list[Cell]) -> str:
    """The cells as a Markdown table."""
    lines = [
        "| workload | minigrad | torch eager | times faster (min to max of the rounds) |",
        "|---|---:|---:|---:|",
    ]
    lines += [
        f"| {c.name} | {c.minigrad_us:,.0f} µs | {c.peer_us:,.0f} µs | "
        f"**{c.ratio:.1f}** ({c.ratio_min:.1f} to {c.ratio_max:.1f}) |"
        for c in cells
    ]
    return "\n".join(lines)


def as_json(cells: list[Cell]) -> list[dict]:
    """The cells as plain data."""
    return [asdict(c) for c in cells]
