"""Where in the user's code something was called: the innermost frame outside of minigrad."""

from __future__ import annotations

import linecache
import sys
from pathlib import Path
from typing import Any, NamedTuple

_PACKAGE = str(Path(__file__).parents[1])


class Site(NamedTuple):
    """A line of the user's code."""

    file: str
    line: int

    @property
    def text(self) -> str:
        """The line itself, empty where it cannot be read."""
        return linecache.getline(self.file, self.line).strip()

    def __str__(self) -> str:
        if not self.line:
            return "a line that is not known"
        return f"{self.file}:{self.line}" + (f", {self.text}" if self.text else "")


UNKNOWN = Site("", 0)


def user_frame() -> Any:
    """The innermost frame outside of minigrad, None if there is none."""
    frame: Any = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return frame


def user_site() -> Site:
    """The line that called into minigrad."""
    frame = user_frame()
    return UNKNOWN if frame is None else Site(frame.f_code.co_filename, frame.f_lineno)
