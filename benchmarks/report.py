"""The measured cells as tables."""

from __future__ import annotations

import math
from collections.abc import Sequence

from benchmarks.harness import OURS, Cell

TITLES = {"minigrad": "minigrad", "torch": "torch eager", "jax": "jax.jit"}


def _time(cell: Cell, library: str) -> str:
    return f"{cell.microseconds[library]:,.0f} µs" if library in cell.microseconds else ""


def _ratio(cell: Cell, peer: str) -> str:
    if peer not in cell.ratios:
        return ""
    ratio = cell.ratios[peer]
    return f"**{ratio.median:.1f}** ({ratio.min:.1f} to {ratio.max:.1f})"


def table(cells: Sequence[Cell], peers: Sequence[str]) -> str:
    """The cells as a Markdown table: times, and how many times faster than each peer minigrad is."""
    titles = ["workload", *(TITLES[library] for library in (OURS, *peers))]
    titles += [f"× {TITLES[peer]} (min to max)" for peer in peers]
    lines = ["| " + " | ".join(titles) + " |", "|---|" + "---:|" * (len(titles) - 1)]
    for cell in cells:
        columns = [_time(cell, library) for library in (OURS, *peers)]
        columns += [_ratio(cell, peer) for peer in peers]
        lines.append(f"| {cell.name} | {' | '.join(columns)} |")
    return "\n".join(lines)


def summary(cells: Sequence[Cell], peers: Sequence[str]) -> str:
    """Geometric means, the worst cells, and how often minigrad is the fastest."""
    lines = []
    for peer in peers:
        ratios = {cell.name: cell.ratios[peer].median for cell in cells if peer in cell.ratios}
        if not ratios:
            continue
        mean = math.exp(sum(map(math.log, ratios.values())) / len(ratios))
        worst = min(ratios, key=ratios.__getitem__)
        lines.append(
            f"Against {TITLES[peer]}: {mean:.2f} times as fast (geometric mean of {len(ratios)} cells); "
            f"worst {ratios[worst]:.2f} ({worst}); slower in {sum(r < 1 for r in ratios.values())}."
        )
    fastest = sum(all(ratio.median >= 1 for ratio in cell.ratios.values()) for cell in cells)
    busy = [cell.busy for cell in cells]
    lines.append(f"minigrad is the fastest in {fastest} of {len(cells)} cells.")
    lines.append(f"Of the processors others used {min(busy):.0%} to {max(busy):.0%} before the turns.")
    return "\n".join(lines)
