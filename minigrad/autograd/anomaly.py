"""Looking for the first nan of a backward: which rule gave it, and which line recorded that.

What looks is a check of a walk: a function of a node, the cotangent it was given and the gradients its rule
made of that. `looking` puts one in place; `detect_anomaly` has one that raises torch's error.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.autograd.op import total_of
from minigrad.autograd.site import UNKNOWN, Site, user_site
from minigrad.autograd.tape import Node, Variable, mode


class _Numbered:
    """The attribute `Node.sequence` while anomalies are looked for: it is set as a node is recorded, so
    what sets it may as well note by which line. Without it recording has no more to do than ever."""

    def __init__(self, plain: Any) -> None:
        self.plain = plain
        self.lines: weakref.WeakKeyDictionary[Node, Site] = weakref.WeakKeyDictionary()

    def __get__(self, node: Any, owner: Any = None) -> Any:
        return self if node is None else self.plain.__get__(node, owner)

    def __set__(self, node: Node, value: int) -> None:
        self.plain.__set__(node, value)
        self.lines[node] = user_site()


_numbered = _Numbered(Node.__dict__["sequence"])


def site_of(node: Node) -> Site:
    """The line that recorded a node, if that ran while anomalies were looked for."""
    return _numbered.lines.get(node, UNKNOWN)


def array_of(gradient: Any) -> np.ndarray | None:
    """The array of what a walk hands on: of a variable, or of the number that NumPy makes of a 0-d array."""
    array = gradient._array if isinstance(gradient, Variable) else gradient
    return np.asarray(array) if isinstance(array, (np.ndarray, np.generic)) else None


def is_finite(array: np.ndarray) -> bool:
    """Whether all elements are finite; what is, is seen in one pass without a temporary."""
    total = mode.quietly(total_of, array)
    return math.isfinite(total) or bool(np.isfinite(array).all())


class _Check:
    """Looks at what each rule of a walk gives, and remembers the first inf."""

    def __init__(self) -> None:
        self.infinite = ""

    def __call__(self, node: Node, g: Any, gradients: Sequence[Any]) -> None:
        for place, gradient in enumerate(gradients):
            array = array_of(gradient)
            if array is None or is_finite(array):
                continue
            bad = np.isnan(array)
            if bad.any():
                raise RuntimeError(self._found(node, place, bad))
            self.infinite = self.infinite or (
                f"\nAn inf came first: {node.name()} gave one at element {_first(np.isinf(array))} of its "
                f"output {place}.{_recorded(node)}"
            )

    def _found(self, node: Node, place: int, bad: np.ndarray) -> str:
        return (
            f"Function '{node.name()}' returned nan values in its {place}th output.\n"
            f"The first of {int(bad.sum())} is element {_first(bad)}, of shape {list(bad.shape)}."
            f"{_recorded(node)}{self.infinite}"
        )


def _first(bad: np.ndarray) -> list[int]:
    return [int(i) for i in np.argwhere(bad)[0]]


def _recorded(node: Node) -> str:
    line = site_of(node)
    if line is UNKNOWN:
        return " It was recorded outside of detect_anomaly, so its line is not known."
    return f" The forward line that recorded it is\n    {line}"


Check = Callable[[Node, Any, Sequence[Any]], None]
State = tuple[bool, Callable[[], Check] | None]


def looking(lines: bool, check: Callable[[], Check] | None) -> State:
    """Note the lines that record, or not; and have what `check` makes look at each walk. What was before."""
    before = is_anomaly_enabled(), mode.anomaly
    setattr(Node, "sequence", _numbered if lines else _numbered.plain)  # noqa: B010
    mode.anomaly = check
    return before


def _switch(enabled: bool, check_nan: bool) -> State:
    """Turn the mode on or off; what it was before."""
    return looking(enabled, _Check if enabled and check_nan else None)


def is_anomaly_enabled() -> bool:
    """Whether `detect_anomaly` is on.

    Example:
        >>> import minigrad
        >>> minigrad.is_anomaly_enabled()
        False
    """
    return Node.__dict__["sequence"] is _numbered


class set_detect_anomaly:
    """Turn the search for nan in backward on or off: at once, or as a context manager.

    Example:
        >>> import minigrad
        >>> with minigrad.autograd.set_detect_anomaly(True):
        ...     minigrad.is_anomaly_enabled()
        True
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = _switch(mode, check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        looking(*self._before)


class detect_anomaly:
    """A context in which a backward stops at the first rule that gives nan.

    The error names the operation, the first element that is nan, the line that recorded the operation, if
    that ran inside the context too, and where an inf came before the nan. With `check_nan=False` nothing
    is looked for.

    Raises:
        RuntimeError: (the backward inside) a gradient is nan.

    Example:
        >>> import minigrad
        >>> x = minigrad.tensor([-1.0, 4.0], requires_grad=True)
        >>> with minigrad.autograd.detect_anomaly():  # doctest: +ELLIPSIS
        ...     x.sqrt().sum().backward()
        Traceback (most recent call last):
        ...
        RuntimeError: Function 'SqrtBackward0' returned nan values in its 0th output.
        The first of 1 is element [0], of shape [2]. The forward line that recorded it is
            ...:2, x.sqrt().sum().backward()
    """

    def __init__(self, check_nan: bool = True) -> None:
        self._check_nan = check_nan

    def __enter__(self) -> None:
        self._before = _switch(True, self._check_nan)

    def __exit__(self, *_: object) -> None:
        looking(*self._before)
