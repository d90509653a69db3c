"""Arrays as the page holds them: small ones whole, large ones as first rows, blocks and extremes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

WHOLE_SIZE, WHOLE_COLUMNS = 200, 16  # the largest array whose numbers all fit on the screen
FIRST_ROWS, FIRST_COLUMNS = 5, 6
_DIGITS = 7  # float32 has no more


def number(x: Any, digits: int = _DIGITS) -> Any:
    """A number for JSON, which knows neither nan nor inf: they become text.

    Example:
        >>> from minigrad.study.report.tensors import number
        >>> number(1 / 3), number(2.0), number(float("-inf"))
        (0.3333333, 2, '-inf')
    """
    if isinstance(x, (bool, np.bool_)):
        return int(x)
    if isinstance(x, (int, np.integer)):
        return int(x)
    x = float(x)
    if not np.isfinite(x):
        return str(x)
    short = float(f"{x:.{digits}g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


def pack(array: ndarray | None, cells: int = 24) -> dict[str, Any] | None:
    """An array for the page.

    Args:
        array: what to show; None gives None.
        cells: the most rows, and columns, of the heat map of a large array; each cell is the mean of a block.

    Example:
        >>> import numpy as np
        >>> from minigrad.study.report.tensors import pack
        >>> pack(np.array([[1.0, 0.5]]))
        {'shape': [1, 2], 'dtype': 'float64', 'all': [1, 0.5]}
        >>> pack(np.ones((1000, 50)), cells=2)["blocks"]
        {'rows': 2, 'columns': 2, 'of': [500, 25], 'mean': [1, 1, 1, 1]}
    """
    if array is None:
        return None
    array = np.asarray(array)
    packed: dict[str, Any] = {"shape": list(array.shape), "dtype": array.dtype.name}
    columns = array.shape[-1] if array.ndim else 1
    if array.size <= WHOLE_SIZE and (columns <= WHOLE_COLUMNS or array.size <= 2 * WHOLE_COLUMNS):
        packed["all"] = [number(x) for x in array.ravel().tolist()]
        return packed
    rows = array.reshape(-1, columns)
    packed |= _extremes(array)
    packed["first"] = [[number(x) for x in row[:FIRST_COLUMNS].tolist()] for row in rows[:FIRST_ROWS]]
    packed["blocks"] = _blocks(rows, cells)
    return packed


def _extremes(array: ndarray) -> dict[str, Any]:
    """Smallest, mean and largest of the finite elements, and how many are not finite."""
    finite = array
    if array.dtype.kind == "f":
        mask = np.isfinite(array)
        if not mask.all():
            finite = array[mask]
    found: dict[str, Any] = {"nonfinite": int(array.size - finite.size)}
    if finite.size:
        mean = finite.mean(dtype=np.float64)
        found |= {"min": number(finite.min()), "mean": number(mean), "max": number(finite.max())}
    return found


def _blocks(rows: ndarray, cells: int) -> dict[str, Any]:
    """The means of blocks, at most `cells` in each direction; all blocks but the last ones are equal."""
    if rows.shape[1] > 1 and rows.shape[0] == 1:  # a vector: fold it, one row of it would say little
        width = max(1, int(np.ceil(np.sqrt(rows.shape[1]))))
        padded = np.full(-(-rows.shape[1] // width) * width, np.nan)
        padded[: rows.shape[1]] = rows[0]
        rows = padded.reshape(-1, width)
    height, width = (max(1, -(-n // cells)) for n in rows.shape)
    sums = np.add.reduceat(
        np.add.reduceat(np.nan_to_num(rows, posinf=0.0, neginf=0.0), _starts(rows.shape[0], height), axis=0),
        _starts(rows.shape[1], width),
        axis=1,
        dtype=np.float64,
    )
    counts = np.add.reduceat(
        np.add.reduceat(np.isfinite(rows).astype(np.float64), _starts(rows.shape[0], height), axis=0),
        _starts(rows.shape[1], width),
        axis=1,
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        means = sums / counts
    mean = [None if np.isnan(x) else number(x, 3) for x in means.ravel().tolist()]
    return {"rows": means.shape[0], "columns": means.shape[1], "of": [height, width], "mean": mean}


def _starts(size: int, step: int) -> ndarray:
    return np.arange(0, size, step)
