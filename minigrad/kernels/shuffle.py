"""The exchanges of a random permutation."""

from typing import Any

from .jit import kernel


@kernel
def exchange(items: Any, partners: Any) -> None:
    """Swap ``items[i]`` with ``items[partners[i]]``, for one ``i`` after the other."""
    for i in range(len(partners)):
        j = partners[i]
        items[i], items[j] = items[j], items[i]
