"""The measured cells as tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks import machine
from benchmarks.harness import Cell, Ratio
from benchmarks.libraries import LIBRARIES, OURS


def cells_of(results: dict[str, Any], part: str) -> list[Cell]:
    """The cells of a part, from JSON."""
    found = []
    for stored in results["parts"].get(part, {}).get("cells", []):
        ratios = {peer: Ratio(**ratio) for peer, ratio in stored["ratios"].items()}
        found.append(Cell(**stored | {"ratios": ratios}))
    return found


def duration(microseconds: float) -> str:
    """In the unit that suits it."""
    if microseconds >= 1e6:
        return f"{microseconds / 1e6:,.2f} s"
    return f"{microseconds:,.0f} µs" if microseconds >= 10 else f"{microseconds:.1f} µs"


def share(cell: Cell, found: dict[str, Any] | None) -> str:
    """How much of what the machine can do minigrad reaches; nothing where that is not known."""
    if not found or not (cell.bytes or cell.flops):
        return ""
    return f"{machine.limit(found, cell.bytes, cell.flops) / cell.microseconds[OURS]:.0%}"


def factor(ratio: float) -> str:
    """Times as fast."""
    return f"{ratio:.1f}" if ratio >= 0.95 else f"{ratio:.2f}"


def _peer(cell: Cell, peer: str) -> str:
    if peer in cell.ratios:
        ratio = cell.ratios[peer]
        spread = f"({factor(ratio.min)} to {factor(ratio.max)})"
        return f"{duration(cell.microseconds[peer])} **{factor(ratio.median)}** {spread}"
    if peer in cell.wrong:
        return "differs"
    return "failed" if peer in cell.failed else ""


def peers_of(cells: Iterable[Cell]) -> list[str]:
    """The peers that any of the cells has something to say of, in the usual order."""
    named = {peer for cell in cells for peer in (*cell.ratios, *cell.wrong, *cell.failed)}
    return [peer for peer in LIBRARIES if peer in named]


def table(cells: Sequence[Cell], found: dict[str, Any] | None = None) -> str:
    """The cells as a Markdown table: minigrad's time and its share of the machine's limit; of each peer the
    time, how many times as fast minigrad is, and between which ratios the rounds were."""
    peers = peers_of(cells)
    titles = ["workload", "minigrad", "of the limit", *(LIBRARIES[peer].title for peer in peers)]
    lines = ["| " + " | ".join(titles) + " |", "|---|" + "---:|" * (len(titles) - 1)]
    for cell in cells:
        columns = [duration(cell.microseconds[OURS]), share(cell, found)]
        columns += [_peer(cell, peer) for peer in peers]
        lines.append(f"| {cell.name} | {' | '.join(columns)} |")
    return "\n".join(lines)


def mean(ratios: Iterable[float]) -> float:
    """The geometric mean."""
    logs = [math.log(ratio) for ratio in ratios]
    return math.exp(sum(logs) / len(logs))


def fastest(cells: Sequence[Cell]) -> int:
    """In how many cells no peer is faster than minigrad."""
    return sum(all(ratio.median >= 1 for ratio in cell.ratios.values()) for cell in cells)


def medians(cells: Sequence[Cell], peer: str) -> dict[str, float]:
    """The ratios of a peer by cell; `best` is the fastest of all peers in each."""
    if peer == "best":
        return {cell.name: min(r.median for r in cell.ratios.values()) for cell in cells if cell.ratios}
    return {cell.name: cell.ratios[peer].median for cell in cells if peer in cell.ratios}


def summary(cells: Sequence[Cell]) -> str:
    """Geometric means, the worst cells, and how often minigrad is the fastest."""
    lines = []
    for peer in (*peers_of(cells), "best"):
        ratios = medians(cells, peer)
        if not ratios:
            continue
        worst = min(ratios, key=ratios.__getitem__)
        title = "the fastest peer of each cell" if peer == "best" else LIBRARIES[peer].title
        lines.append(
            f"- Against {title}: {mean(ratios.values()):.2f} times as fast "
            f"(geometric mean of {_count(ratios)}); worst {ratios[worst]:.2f} ({worst}); "
            f"slower in {sum(r < 1 for r in ratios.values())}."
        )
    busy = [cell.busy for cell in cells]
    count = fastest(cells)
    lines.append(f"- minigrad is the fastest in {count} of {_count(cells)} ({count / len(cells):.0%}).")
    lines.append(f"- Of the processors others used {min(busy):.0%} to {max(busy):.0%} before the turns.")
    for cell in cells:
        lines += [
            f"- {cell.name}, {LIBRARIES[p].title} differs: {_line(why)}" for p, why in cell.wrong.items()
        ]
        lines += [
            f"- {cell.name}, {LIBRARIES[p].title} failed: {_line(why)}" for p, why in cell.failed.items()
        ]
    return "\n".join(lines)


def _count(cells: Any) -> str:
    return f"{len(cells)} cell{'' if len(cells) == 1 else 's'}"


def _line(text: str) -> str:
    return " ".join(text.split())
