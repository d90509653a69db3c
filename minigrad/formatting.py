"""The text of tensors: what `print` shows, as torch prints it.

An array becomes nested brackets whose numbers are equally wide and share one notation, chosen from
all that are shown: `1.` when all are whole, `1.0000`, or `1.0000e+00` when they span a factor above
1000 or are very large or small. Of large arrays only the edges are shown.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from . import dtypes

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class PrintOptions:
    """How tensors are printed; see `set_printoptions`."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_PROFILES = {
    "default": PrintOptions(),
    "short": PrintOptions(precision=2, edgeitems=2),
    "full": PrintOptions(threshold=math.inf),
}
_options = PrintOptions()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors are printed; what is not given stays, but `sci_mode` returns to automatic.

    Args:
        precision: digits after the point (4).
        threshold: tensors of more elements are summarised (1000).
        edgeitems: elements shown at each end of a summarised dimension (3).
        linewidth: characters a line (80).
        profile: "default", "short" (2 digits, 2 edge items) or "full" (never summarise), taken
            before the other arguments.
        sci_mode: True for scientific notation, False for none, None to choose by the values.

    Raises:
        ValueError: if `profile` is unknown.

    Example:
        >>> import numpy as np
        >>> from minigrad.formatting import format_tensor, set_printoptions
        >>> set_printoptions(precision=2)
        >>> print(format_tensor(np.array([0.5, 1.25], np.float32)))
        tensor([0.50, 1.25])
        >>> set_printoptions(profile="default")
    """
    global _options
    if profile is not None and profile not in _PROFILES:
        raise ValueError(f"expected profile to be one of {list(_PROFILES)}, but got {profile!r}")
    given = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    _options = replace(_PROFILES.get(profile or "", _options), **changes, sci_mode=sci_mode)


def get_printoptions() -> dict[str, Any]:
    """The options in force, as keyword arguments for `set_printoptions`."""
    return asdict(_options)


@contextlib.contextmanager
def printoptions(**options: Any) -> Iterator[None]:
    """Print with other options inside a `with` block; takes what `set_printoptions` takes."""
    global _options
    before = _options
    set_printoptions(**options)
    try:
        yield
    finally:
        _options = before


def format_tensor(
    array: Array,
    *,
    grad_fn: str | None = None,
    requires_grad: bool = False,
    dtype_name: str | None = None,
    indent: int = 0,
    prefix: str = "tensor(",
) -> str:
    """The text of a tensor with the values of `array`, as torch's `repr`.

    Args:
        array: the values.
        grad_fn: the name of the operation it came from, shown as `grad_fn=<name>`.
        requires_grad: show `requires_grad=True` where there is no `grad_fn`.
        dtype_name: shown instead of the array's dtype.
        indent: spaces before every line but the first, besides those under the prefix.
        prefix: what opens the text; a closing bracket is added.

    Example:
        >>> import numpy as np
        >>> from minigrad.formatting import format_tensor
        >>> print(format_tensor(np.array([[1.0, 0.5], [2.0, np.inf]]), grad_fn="AddBackward0"))
        tensor([[1.0000, 0.5000],
                [2.0000,    inf]], dtype=torch.float64, grad_fn=<AddBackward0>)
    """
    margin = indent + len(prefix)
    suffixes = []
    if (array.size == 0 and array.ndim != 1) or (array.size and not _options.edgeitems):
        suffixes.append(f"size={tuple(array.shape)}")
    unmarked = {dtypes.default_float()} | ({np.dtype("i8"), np.dtype("?")} if array.size else set())
    if array.dtype not in unmarked or dtype_name:
        suffixes.append(f"dtype={dtype_name or 'torch.' + array.dtype.name}")
    if grad_fn is not None:
        suffixes.append(f"grad_fn=<{grad_fn}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    return _with_suffixes(prefix + _brackets(array, margin), suffixes, margin)


def _with_suffixes(text: str, suffixes: list[str], margin: int) -> str:
    # torch measures the last line two characters too long, and the line breaks depend on it.
    column = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if column + len(suffix) + 2 > _options.linewidth:
            text += ",\n" + " " * margin + suffix
            column = margin + len(suffix)
        else:
            text += ", " + suffix
            column += len(suffix) + 2
    return text + ")"


def _brackets(array: Array, margin: int) -> str:
    if array.size == 0:
        return "[]"
    edge = _options.edgeitems
    cut = [array.size > _options.threshold and size > 2 * edge for size in array.shape]
    for axis, is_cut in enumerate(cut):
        if is_cut:
            array = np.delete(array, slice(edge, array.shape[axis] - edge), axis)
    texts, width = _texts(array.ravel())
    return _nest(iter(texts), width, array.shape, cut, margin)


def _nest(texts: Iterator[str], width: int, shape: tuple[int, ...], cut: list[bool], margin: int) -> str:
    """Brackets around the next elements of `texts`; `cut` dimensions get an ellipsis."""
    if not shape:
        return next(texts)
    edge, size = _options.edgeitems, shape[0]
    if len(shape) == 1:
        items = list(islice(texts, size))
        if cut[0]:
            items.insert(edge, " ..." if edge else "...")
        per_line = max(1, (_options.linewidth - margin) // (width + 2))
        rows = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
    else:
        rows = [_nest(texts, width, shape[1:], cut[1:], margin + 1) for _ in range(size)]
        if cut[0]:
            rows.insert(edge, "...")
    line_breaks = "\n" * max(1, len(shape) - 1)
    return "[" + f",{line_breaks}{' ' * (margin + 1)}".join(rows) + "]"


def _texts(values: Array) -> tuple[list[str], int]:
    """The text of each element, right-aligned, and the width they are laid out for."""
    if values.dtype.kind != "f":
        texts = [str(value) for value in values.tolist()]
        width = max(map(len, texts), default=1)
    else:
        # Zeros and what is not finite count for neither notation nor width, as in torch.
        counted = (values != 0) & np.isfinite(values)
        spec, point = _notation(values[counted].astype(np.float64))
        texts = [format(value, spec) for value in values.tolist()]
        if point:
            texts = [t + "." if t[-1].isdigit() else t for t in texts]
        width = max((len(texts[i]) for i in np.flatnonzero(counted)), default=1)
    return [text.rjust(width) for text in texts], width


def _notation(values: Array) -> tuple[str, bool]:
    """The format of floats among which these nonzero, finite ones are; whether it lacks a point."""
    if not values.size:
        return ".0f", True
    scientific = _options.sci_mode
    if scientific is None:
        sizes = np.abs(values)
        largest, smallest = float(sizes.max()), float(sizes.min())
        scientific = largest / smallest > 1000 or largest > 1e8 or smallest < 1e-4
    if scientific:
        return f".{_options.precision}e", False
    if (values == np.ceil(values)).all():
        return ".0f", True
    return f".{_options.precision}f", False
