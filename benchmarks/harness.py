"""Interleaved timing: A B A B rounds in one process, the median of the per-round ratios.

A busy machine slows both sides of a round alike, so ratios hold where absolute times do not. Every cell
checks that both sides compute the same thing before it times them.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np


@dataclass
class Cell:
    """One line of the table: a workload on minigrad and on its peer."""

    name: str
    minigrad_us: float
    peer_us: float
    ratio: float
    ratio_min: float
    ratio_max: float


def _microseconds(run: Callable[[], object], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        run()
    return (time.perf_counter() - start) / repeats * 1e6


def _settle() -> None:
    """Let idle worker threads of the side just timed fall asleep: OpenMP's spin for milliseconds."""
    time.sleep(0.02)


def check_equal(name: str, ours: object, theirs: object, rtol: float = 1e-4) -> None:
    """AssertionError unless both sides agree: a benchmark of different computations means nothing."""
    np.testing.assert_allclose(
        np.asarray(ours), np.asarray(theirs), rtol=rtol, atol=1e-6, err_msg=name
    )


def compare(
    name: str, ours: Callable[[], object], theirs: Callable[[], object], rounds: int = 21
) -> Cell:
    """Time two workloads, about 20 ms a turn, in alternating order."""
    for run in (ours, theirs, ours, theirs):
        run()
    repeats = [max(1, int(20_000 / max(_microseconds(run, 3), 1.0))) for run in (ours, theirs)]
    times: list[tuple[float, float]] = []
    for number in range(rounds):
        turns = [(0, ours), (1, theirs)]
        found = [0.0, 0.0]
        for side, run in turns if number % 2 == 0 else reversed(turns):
            _settle()
            found[side] = _microseconds(run, repeats[side])
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
