"""A workload by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


class Listed(NamedTuple):
    """What the tables call a workload, and what its part's `build` takes after the library."""

    name: str
    arguments: list[Any]


def sized(shape: Sequence[int]) -> str:
    """4,096×1,000."""
    return "×".join(f"{size:,}" for size in shape)
