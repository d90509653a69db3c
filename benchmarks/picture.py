"""The measurements as a picture: how many times as fast minigrad is as each peer in every cell."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.document import TITLES
from benchmarks.harness import Cell
from benchmarks.libraries import LIBRARIES, PEERS

COLORS = dict(zip(PEERS, ("#d1495b", "#edae49", "#00798c", "#6a4c93", "#8d99ae", "#3a7d44"), strict=True))
MARKERS = dict(zip(PEERS, "os^Dv*", strict=True))
ROW, GAP, COLUMN, LABELS = 0.15, 0.75, 3.6, 3.0  # inches: a cell, between blocks, a panel, its names
TALLEST = 80  # rows of a column

Block = tuple[str, list[Cell]]


def blocks(results: dict[str, Any]) -> list[Block]:
    """The parts, in pieces that fit into a column."""
    found = []
    for part, title in TITLES.items():
        cells = report.cells_of(results, part)
        pieces = -(-len(cells) // TALLEST)
        for piece in range(pieces):
            size = -(-len(cells) // pieces)
            found.append((title, cells[piece * size : (piece + 1) * size]))
    return found


def columns_of(found: Sequence[Block]) -> list[list[Block]]:
    """The blocks, each under the last while the column has room."""
    columns: list[list[Block]] = []
    gap, used = GAP / ROW, 0.0
    for block in found:
        height = len(block[1]) + gap
        if not columns or used + height > TALLEST + gap:
            columns.append([])
            used = 0.0
        columns[-1].append(block)
        used += height
    return columns


def draw(results: dict[str, Any], path: Path) -> None:
    """Write the picture; its format is that of the file's name.

    Raises:
        ValueError: nothing was timed.
    """
    from matplotlib.figure import Figure

    columns = columns_of(blocks(results))
    if not columns:
        raise ValueError("the measurements hold no timed cell to draw")
    cells = [cell for column in columns for _, block in column for cell in block]
    ratios = [ratio.median for cell in cells for ratio in cell.ratios.values()] or [1.0]
    bounds = min(0.5, min(ratios) / 1.3), max(2.0, max(ratios) * 1.3)
    heights = [sum(len(block) * ROW + GAP for _, block in column) for column in columns]
    width, height = len(columns) * (LABELS + COLUMN), max(heights) + 0.6
    figure = Figure((width, height), dpi=110)
    for number, column in enumerate(columns):
        top = height - 0.6
        for title, block in column:
            size = len(block) * ROW
            top -= 0.35
            left = number * (LABELS + COLUMN) + LABELS
            box = (left / width, (top - size) / height, (COLUMN - 0.2) / width, size / height)
            _panel(figure.add_axes(box), title, block, bounds)
            top -= size + GAP - 0.35
    _legend(figure, report.peers_of(cells))
    figure.savefig(path)


def _panel(axes: Any, title: str, cells: Sequence[Cell], bounds: tuple[float, float]) -> None:
    from matplotlib.ticker import FuncFormatter, NullLocator

    axes.set_title(title, fontsize=9, fontweight="bold", loc="left", pad=4)
    axes.set_xscale("log")
    axes.set_xlim(bounds)
    axes.axvspan(bounds[0], 1, color="#d1495b", alpha=0.08, lw=0)
    axes.axvline(1, color="#444444", lw=0.8)
    for place, cell in enumerate(cells):
        for peer, ratio in cell.ratios.items():
            axes.plot([ratio.min, ratio.max], [place, place], color=COLORS[peer], lw=0.7, alpha=0.5)
            axes.plot(ratio.median, place, MARKERS[peer], color=COLORS[peer], ms=4.5, mew=0)
    axes.set_yticks(range(len(cells)), [cell.name for cell in cells], fontsize=6)
    axes.set_ylim(len(cells) - 0.5, -0.5)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.tick_params(axis="x", labelsize=7)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="both", color="#dddddd", lw=0.4)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _legend(figure: Any, peers: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], marker=MARKERS[p], color=COLORS[p], lw=0, ms=7, mew=0, label=LIBRARIES[p].title)
        for p in peers
    ]
    title = "times as fast as (log scale; median, least and greatest of the rounds; red: the peer is faster)"
    figure.legend(handles=handles, loc="upper center", ncols=len(peers), frameon=False, title=title)
