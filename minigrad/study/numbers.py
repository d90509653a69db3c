"""Arrays and numbers in words: small ones whole, large ones by what they hold."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
from numpy import ndarray

WHOLE = 24  # arrays of as many elements are shown whole


def short(value: Any) -> str:
    """A number with four digits that tell, a list of them, or a text as it is."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (int, np.integer, str)):
        return str(value)
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return "[" + " ".join(short(v) for v in value) + "]"
    number = float(value)
    if number == 0 or 1e-3 <= abs(number) < 1e5:
        text = f"{number:.4f}" if abs(number) < 100 else f"{number:.2f}"
        return "0" if number == 0 else text
    return f"{number:.3g}"


def summary(array: ndarray) -> str:
    """What a large array holds: shape, range, mean, and how many elements are nan or infinite.

    Example:
        >>> from minigrad.study.numbers import summary
        >>> import numpy as np
        >>> summary(np.arange(100.0))
        '100 numbers from 0 to 99.0000, mean 49.5000'
    """
    if not array.size:
        return "empty"
    values = array.astype(np.float64)
    finite = values[np.isfinite(values)]
    text = f"{array.size:,} numbers"
    if finite.size:
        text += f" from {short(finite.min())} to {short(finite.max())}, mean {short(finite.mean())}"
    bad = array.size - finite.size
    return text + (f", {bad} nan or inf" if bad else "")


def lines(array: ndarray, width: int) -> list[str]:
    """An array as lines of text: whole if it is small, else its first rows and a summary."""
    if array.size <= WHOLE or array.ndim == 0:
        return _rows(array, width)
    rows = array.reshape(-1, array.shape[-1]) if array.ndim > 1 else array.reshape(1, -1)
    shown = [_clipped([short(v) for v in row], width) for row in rows[:2]]
    return [*shown, *textwrap.wrap("… " + summary(array), max(width, 20))]


def _rows(array: ndarray, width: int) -> list[str]:
    if array.ndim == 0:
        return [short(array.item())]
    if not array.size:
        return ["empty"]
    cells = np.array([short(v) for v in array.reshape(-1).tolist()], object).reshape(array.shape)
    size = max(len(cell) for cell in cells.reshape(-1))
    rows = cells.reshape(-1, array.shape[-1])
    return [_clipped([cell.rjust(size) for cell in row], width) for row in rows]


def _clipped(cells: list[str], width: int) -> str:
    """As many cells as fit into a line."""
    line = ""
    for place, cell in enumerate(cells):
        if len(line) + len(cell) + 2 > width - 2 and place:
            return line + " …"
        line += ("  " if place else "") + cell
    return line
