"""README's speed table, written anew from measurements."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.harness import Cell
from benchmarks.libraries import LIBRARIES, OURS

BEGIN, END = "<!-- speed table -->", "<!-- end of speed table -->"
PEERS = ("torch", "compile", "jax", "numpy")
# part: what a row says before the workload's name, and the workloads shown
ROWS: dict[str, tuple[str, Sequence[str]]] = {
    "losses": (
        "",
        (
            "mse_loss 64",
            "mse_loss 10,000,000",
            "binary_cross_entropy_with_logits 262,144",
            "kl_div 10,000×1,000",
            "cross_entropy 32×10",
            "cross_entropy 1,024×1,000",
            "cross_entropy 1,024×32,000",
            "ctc_loss 150×16×30",
            "linear_cross_entropy 512×128×4,000",
        ),
    ),
    "primitives": (
        "",
        (
            "softmax 1,024×1,024, forward + backward",
            "gelu 1,024×1,024, forward + backward",
            "layer_norm 1,024×1,024, forward + backward",
            "sum 64×100,000, forward",
        ),
    ),
    "layers": ("", ("Linear + ReLU 64×64×64", "Dropout 1,024×1,024")),
    "optimizers": ("step of ", ("AdamW, 10 small parameters", "AdamW, one of 10,000,000")),
    "training": (
        "training step ",
        (
            "2-16-16-1, batch 64, Adam",
            "64-128-10, batch 128, Adam",
            "784-128-10, batch 64, SGD",
            "784-512-512-10, batch 256, Adam",
            "64-256-256-10, batch 1024, AdamW",
        ),
    ),
    "tasks": ("whole process, ", ("moons, 2,000 steps",)),
}


class NoMarkers(ValueError):
    """The file has no place for the table."""


def _row(before: str, cell: Cell, peers: Sequence[str]) -> str:
    columns = [f"{before}{cell.name}", report.duration(cell.microseconds[OURS])]
    for peer in peers:
        measured = peer in cell.ratios
        columns.append(
            f"{report.duration(cell.microseconds[peer])} **{report.factor(cell.ratios[peer].median)}**"
            if measured
            else ""
        )
    return "| " + " | ".join(columns) + " |"


def _sentence(title: str, cells: Sequence[Cell], peers: Sequence[str]) -> str:
    """Geometric means, and how often minigrad is the fastest."""
    means = [
        f"{LIBRARIES[peer].title} {report.mean(ratios.values()):.1f}"
        for peer in peers
        if (ratios := report.medians(cells, peer))
    ]
    count = report.fastest(cells)
    fastest = f"the fastest of all in {count} of {len(cells)}"
    return f"- {title}: times as fast (geometric means) as {', '.join(means)}; {fastest}."


def section(results: dict[str, Any]) -> str:
    """The table, and a line for each part."""
    from benchmarks.document import TITLES

    parts = {part: report.cells_of(results, part) for part in ROWS}
    parts = {part: cells for part, cells in parts.items() if cells}
    every = [cell for cells in parts.values() for cell in cells]
    peers = [peer for peer in PEERS if any(peer in cell.ratios for cell in every)]
    titles = ["workload", "minigrad", *(f"{LIBRARIES[peer].title}, times as long" for peer in peers)]
    lines = ["| " + " | ".join(titles) + " |", "|---|" + "---:|" * (len(titles) - 1)]
    for part, cells in parts.items():
        before, names = ROWS[part]
        named = {cell.name: cell for cell in cells}
        lines += [_row(before, named[name], peers) for name in names if name in named]
    lines.append("")
    lines += [_sentence(TITLES[part], cells, report.peers_of(cells)) for part, cells in parts.items()]
    return "\n".join(lines)


def rewrite(text: str, results: dict[str, Any]) -> str:
    """The text with what stands between the markers replaced.

    Raises:
        NoMarkers: it does not have each of them once, in this order.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise NoMarkers(f"expected {BEGIN} and after it {END}, once each")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n{section(results)}\n{END}{after}"


def update(path: Path, results: dict[str, Any]) -> None:
    """Rewrite a file's table."""
    path.write_text(rewrite(path.read_text(encoding="utf-8"), results), encoding="utf-8")
