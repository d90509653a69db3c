"""How much freed memory the process keeps at hand for the next arrays.

glibc gives freed memory back to the system when it was large or lies at the end of the heap.  A loss that
makes two gradients of 2 MB then pays for each page of them anew at every call, which takes five times as
long as computing them; a mean squared error of 10 million elements takes half as long again.  Where all
arrays come from the heap, and little of it is given back, the pages stay mapped.
"""

import ctypes
import gc
import os
from typing import Any

# As for glibc's mallopt: the threshold from which freed memory at the end of the heap is given back, and
# how many allocations may be mapped by themselves (and unmapped when freed).
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
# What is kept by default, in MiB: enough for the gradient of 1,024 x 32,000 logits.
KEPT = 256


class _Mallinfo2(ctypes.Structure):
    _fields_ = [("others", ctypes.c_size_t * 8), ("fordblks", ctypes.c_size_t), ("keepcost", ctypes.c_size_t)]


def _glibc() -> Any:
    """The C library if it is glibc, else None."""
    try:
        library = ctypes.CDLL(None)
        return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
    except (OSError, TypeError):  # no such library can be opened, as on Windows
        return None


def keep_freed_memory(limit: int | None = None) -> bool:
    """Keep up to `limit` MiB of freed memory in the process; whether that could be arranged.

    The limit is by default that of `MINIGRAD_KEEP_MEMORY`, or 256; with 0 nothing is changed, nor where
    the user has set glibc's own variables (`MALLOC_TRIM_THRESHOLD_` and others).
    """
    if limit is None:
        chosen = os.environ.get("MINIGRAD_KEEP_MEMORY", "")
        limit = int(chosen) if chosen.isdecimal() else KEPT
    library = _glibc()
    if library is None or not limit or any(name.startswith("MALLOC_") for name in os.environ):
        return False
    if not library.mallopt(_M_TRIM_THRESHOLD, min(limit << 20, 2**31 - 1)):
        return False
    if hasattr(library, "mallinfo2"):
        _bound_gaps(library, limit << 20)
    return bool(library.mallopt(_M_MMAP_MAX, 0))


def _bound_gaps(library: Any, limit: int) -> None:
    """Give back all free memory when there is more than `limit`, looking at it when Python looks for cycles.

    glibc's own limit counts the end of the heap alone, not the gaps between arrays.
    """
    library.mallinfo2.restype = _Mallinfo2

    def give_back(phase: str, info: dict[str, int]) -> None:
        if phase == "stop" and info["generation"] == 2 and library.mallinfo2().fordblks > limit:
            library.malloc_trim(0)

    gc.callbacks.append(give_back)


def release_freed_memory() -> bool:
    """Give what is kept back to the system; whether there was anything."""
    library = _glibc()
    return library is not None and bool(library.malloc_trim(0))


def empty_cache() -> None:
    """Give the memory of freed arrays, which is kept for the next ones, back to the system.

    Up to `MINIGRAD_KEEP_MEMORY` MiB are kept (an environment variable, 256 by default; 0 keeps nothing), and
    for a while also what lies between arrays that are in use. Named after `torch.cuda.empty_cache`.

    Example:
        >>> import minigrad
        >>> minigrad.empty_cache()
    """
    release_freed_memory()
