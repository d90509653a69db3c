"""Small heat maps of arrays, as fragments of SVG.

The colours are classes, so that one picture serves light and dark screens; `STYLE` says what they are. Each
colour has few levels: the cells of a level are one path, which keeps large pictures small.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy import ndarray

LEVELS = 8
KINDS = ("signed", "probability", "count")

# Of zero, and of the largest: above zero, below zero, probabilities, whole numbers; then nan and inf.
_LIGHT = ("#efede8", {"p": "#d9681d", "n": "#2b7fc4", "q": "#7a4fc0", "c": "#6b7079"}, "#ffd43b")
_DARK = ("#2a2e36", {"p": "#f0873f", "n": "#4fa3e6", "q": "#a98bf0", "c": "#a2a8b3"}, "#ffd43b")


@dataclass(frozen=True)
class Heatmap:
    """A heat map: the SVG, the extremes of what is finite, the number of nan and inf, what a cell is."""

    svg: str
    low: float
    high: float
    nonfinite: int
    block: tuple[int, int]


def kind_of(array: ndarray, op: str = "", name: str = "") -> str:
    """Which colours suit an array: those of probabilities, of whole numbers, or of numbers with signs.

    Example:
        >>> from minigrad.study.heatmap import kind_of
        >>> import numpy as np
        >>> kind_of(np.array([0.2, 0.8]), op="softmax"), kind_of(np.array([True])), kind_of(np.array([0.5]))
        ('probability', 'count', 'signed')
    """
    if array.dtype.kind in "iub":
        return "count"
    named = op in ("softmax", "sigmoid") or name.startswith("prob")
    if named and array.size and bool(((array >= 0) & (array <= 1)).all()):
        return "probability"
    return "signed"


def heatmap(
    array: ndarray,
    x: float = 0.0,
    y: float = 0.0,
    width: float = 80.0,
    height: float = 36.0,
    *,
    kind: str | None = None,
    rows: int = 8,
    columns: int = 16,
) -> Heatmap:
    """Draw an array into a rectangle.

    Args:
        array: what to draw; the last dimension runs to the right, all others run down.
        x, y, width, height: the rectangle.
        kind: "signed" (diverges at 0), "probability" (0 to 1) or "count"; by default `kind_of(array)`.
        rows, columns: the most cells; of a larger array a cell is the mean of a block, and marked if the
            block has nan or inf in it.

    Raises:
        ValueError: an unknown kind.

    Example:
        >>> import numpy as np
        >>> from minigrad.study.heatmap import heatmap
        >>> made = heatmap(np.array([[-1.0, 0.0], [np.nan, 2.0]]))
        >>> made.low, made.high, made.nonfinite, 'class="bad"' in made.svg
        (-1.0, 2.0, 1, True)
    """
    kind = kind_of(array) if kind is None else kind
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(map(repr, KINDS))}, but got {kind!r}")
    values = np.asarray(array, np.float64)
    finite = values[np.isfinite(values)]
    if not values.size:
        return Heatmap("", math.nan, math.nan, 0, (1, 1))
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (math.nan, math.nan)
    cells, held, block = _blocks(*_as_matrix(values, columns), rows, columns)
    largest = 1.0 if kind == "probability" else max(abs(low), abs(high))
    svg = _cells(cells, held, _Place(x, y, width, height), kind, largest)
    return Heatmap(svg, low, high, values.size - finite.size, block)


def _as_matrix(values: ndarray, columns: int) -> tuple[ndarray, ndarray]:
    """Rows and columns, and which places are filled: a long vector, or column, goes on in the next row."""
    if values.ndim > 1 and values.shape[-1] > 1:
        matrix = values.reshape(-1, values.shape[-1])
        return matrix, np.ones(matrix.shape, bool)
    width = values.size if values.size <= columns else math.ceil(math.sqrt(values.size * 2))
    matrix = np.zeros((-(-values.size // width), width))
    filled = np.arange(matrix.size).reshape(matrix.shape) < values.size
    matrix[filled] = values.reshape(-1)
    return matrix, filled


def _blocks(
    matrix: ndarray, filled: ndarray, rows: int, columns: int
) -> tuple[ndarray, ndarray, tuple[int, int]]:
    """The means of blocks, nan where one is not finite; which hold anything; and their size."""
    down, across = (
        max(1, math.ceil(n / most)) for n, most in zip(matrix.shape, (rows, columns), strict=True)
    )

    def summed(part: ndarray) -> ndarray:
        found: ndarray = np.add.reduceat(part, np.arange(0, matrix.shape[0], down), axis=0)
        return np.add.reduceat(found, np.arange(0, matrix.shape[1], across), axis=1)

    finite = np.isfinite(matrix)
    held = summed(filled.astype(np.int64))
    means = summed(np.where(finite, matrix, 0.0)) / np.maximum(held, 1)
    means[summed((~finite).astype(np.int64)) > 0] = np.nan
    return means, held > 0, (down, across)


@dataclass(frozen=True)
class _Place:
    x: float
    y: float
    width: float
    height: float


def _cells(cells: ndarray, held: ndarray, place: _Place, kind: str, largest: float) -> str:
    """The cells, middled in their place, none more than twice as wide as high, or as high as wide."""
    rows, columns = cells.shape
    high = min(place.height / rows, 13.0)
    wide = min(place.width / columns, high * 2.0)
    high = min(high, wide * 2.0)
    left = place.x + (place.width - wide * columns) / 2
    top = place.y + (place.height - high * rows) / 2
    gap = 1.0 if high > 4 else 0.3
    shape = f"h{wide - gap:.4g}v{high - gap:.4g}h{gap - wide:.4g}z"
    found: dict[str, list[str]] = {}
    for i, row in enumerate(cells.tolist()):
        for j, value in enumerate(row):
            if held[i, j]:
                corner = f"M{left + j * wide:.5g} {top + i * high:.5g}"
                found.setdefault(_level(value, kind, largest), []).append(corner + shape)
    return "".join(f'<path class="{key}" d="{"".join(paths)}"/>' for key, paths in sorted(found.items()))


def _level(value: float, kind: str, largest: float) -> str:
    """The class of a value: its colour, and how far it is from zero."""
    if math.isnan(value):
        return "bad"
    share = min(1.0, abs(value) / largest) if largest > 0 else 0.0
    level = round(share**0.65 * LEVELS)
    sign = {"signed": "n" if value < 0 else "p", "probability": "q", "count": "c"}[kind]
    return f"{sign}{level}" if level else "z"


def _mixed(zero: str, full: str, share: float) -> str:
    parts = [(int(zero[i : i + 2], 16), int(full[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in parts)


def _rules(colours: tuple[str, dict[str, str], str], within: str) -> str:
    zero, signs, bad = colours
    rules = f"{within} .z{{fill:{zero}}}{within} .bad{{fill:{bad};stroke:#b8860b;stroke-width:.6}}"
    for sign, full in signs.items():
        for level in range(1, LEVELS + 1):
            rules += f"{within} .{sign}{level}{{fill:{_mixed(zero, full, level / LEVELS)}}}"
    return rules


def style(within: str = ".minigrad") -> str:
    """The style sheet of heat maps, for elements inside those that a selector names: light, and dark."""
    return _rules(_LIGHT, within) + f"@media (prefers-color-scheme:dark){{{_rules(_DARK, within)}}}"
