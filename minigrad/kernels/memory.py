"""How much freed memory the process keeps at hand for the next arrays.

glibc gives freed memory back to the system when it was large or lies at the end of the heap.  A loss that
makes two gradients of 2 MB then pays for each page of them anew at every call, which takes five times as
long as computing them.  With a higher limit the memory stays in the process and its pages stay mapped.
"""

import ctypes
import os
from typing import Any

# As for glibc's mallopt: the threshold from which freed memory at the end of the heap is given back, and
# that from which an allocation is mapped by itself (and unmapped when freed).
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST_MMAP_THRESHOLD = 32 << 20
KEPT = 64 << 20


def _glibc() -> Any:
    """The C library if it is glibc, else None."""
    try:
        library = ctypes.CDLL(None)
        return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
    except (OSError, TypeError):  # no such library can be opened, as on Windows
        return None


def keep_freed_memory(limit: int = KEPT) -> bool:
    """Keep up to `limit` bytes of freed memory in the process; whether that could be arranged.

    Nothing is changed where the user has set glibc's own variables (`MALLOC_TRIM_THRESHOLD_` and others), or
    `MINIGRAD_KEEP_MEMORY=0`.
    """
    library = _glibc()
    chosen = os.environ.get("MINIGRAD_KEEP_MEMORY") == "0" or any(
        name.startswith("MALLOC_") for name in os.environ
    )
    if library is None or chosen:
        return False
    threshold = min(limit, _LARGEST_MMAP_THRESHOLD)
    return bool(library.mallopt(_M_TRIM_THRESHOLD, limit) and library.mallopt(_M_MMAP_THRESHOLD, threshold))


def release_freed_memory() -> bool:
    """Give what is kept back to the system; whether there was anything."""
    library = _glibc()
    return library is not None and bool(library.malloc_trim(0))
