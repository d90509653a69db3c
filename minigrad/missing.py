"""What is said of a name that minigrad does not have."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import Any, NoReturn


def nearest(name: str, names: Iterable[str]) -> str:
    """The words that point to the name that is spelled most like `name`, or to none."""
    if name.startswith("_"):  # what a protocol asks for, and expects no answer to
        return ""
    public = {other.lower(): other for other in names if not other.startswith("_")}
    found = difflib.get_close_matches(name.lower(), public, n=1)
    return f"; the nearest name is {public[found[0]]!r}" if found else ""


def attribute_of(module: str, names: dict[str, Any]) -> Callable[[str], NoReturn]:
    """The `__getattr__` of a module with these names."""

    def __getattr__(name: str) -> NoReturn:
        raise AttributeError(
            f"module {module!r} has no attribute {name!r}: minigrad has no such function"
            f"{nearest(name, names)}",
            name=name,
        )

    return __getattr__
