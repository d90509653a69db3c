"""Looking for the first nan of a backward: which rule gave it, and which line recorded that."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.autograd.site import user_site
from minigrad.autograd.tape import Node, Variable, mode


class _Numbered:
    """The attribute `Node.sequence` while anomalies are looked for: it is set as a node is recorded, so
    what sets it may as well note by which line. Without it recording has no more to do than ever."""

    def __init__(self, plain: Any) -> None:
        self.plain = plain
        self.lines: weakref.WeakKeyDictionary[Node, str] = weakref.WeakKeyDictionary()

    def __get__(self, node: Any, owner: Any = None) -> Any:
        return self if node is None else self.plain.__get__(node, owner)

    def __set__(self, node: Node, value: int) -> None:
        self.plain.__set__(node, value)
        self.lines[node] = str(user_site())


_numbered = _Numbered(Node.__dict__["sequence"])


class _Check:
    """Looks at what each rule of a walk gives, and remembers the first inf."""

    def __init__(self) -> None:
        self.infinite = ""

    def __call__(self, node: Node, gradients: Sequence[Any]) -> None:
        for place, gradient in enumerate(gradients):
            array = gradient._array if isinstance(gradient, Variable) else gradient
            if not isinstance(array, np.ndarray) or np.isfinite(array).all():
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
    line = _numbered.lines.get(node)
    if line is None:
        return " It was recorded outside of detect_anomaly, so its line is not known."
    return f" The forward line that recorded it is\n    {line}"


def _switch(enabled: bool, check_nan: bool) -> tuple[bool, bool]:
    """Turn the mode on or off; what it was before."""
    before = is_anomaly_enabled(), mode.anomaly is not None
    setattr(Node, "sequence", _numbered if enabled else _numbered.plain)  # noqa: B010
    mode.anomaly = _Check if enabled and check_nan else None
    return before


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
        _switch(*self._before)


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
        _switch(*self._before)
