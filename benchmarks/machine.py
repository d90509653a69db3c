"""What the machine can do at most: bytes copied and products multiplied a second, measured.

A workload that has to move B bytes takes no less than a copy that moves as many; one with matrix products no
less than the fastest product of large matrices would.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks.libraries import environment
from benchmarks.worker import least

COPIED = [2**power for power in range(14, 29, 2)]  # bytes read and written, 16 KiB to 256 MiB
MATRIX = 2048
TURN = 0.2  # seconds for each of the figures


def limit(found: dict[str, Any], bytes: int, flops: int) -> float:
    """Microseconds that a workload takes at least."""
    sizes, rates = zip(*found["copy"], strict=True)
    rate = float(np.interp(math.log(max(bytes, 1)), np.log(sizes), rates))  # bytes a second
    return 1e6 * max(bytes / rate, flops / found["products"])


def _copies(threads: int, sizes: Sequence[int]) -> list[tuple[int, float]]:
    """Bytes moved, and bytes a second: NumPy's copy or that of all threads, whichever is faster."""
    import numba

    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))

    @numba.njit(parallel=True)
    def copy(source: Any, target: Any) -> None:
        for place in numba.prange(source.size):
            target[place] = source[place]

    found = []
    for size in sizes:
        source, target = np.ones(size // 8, np.float32), np.zeros(size // 8, np.float32)
        ways = (lambda: np.copyto(target, source), lambda: copy(source, target))  # noqa: B023
        for way in ways:
            way()  # compiles it
        found.append((size, size / min(least(way, TURN) for way in ways)))
    return found


def _products(threads: int, size: int) -> float:
    """Operations a second of the fastest library's float32 matrix product."""
    a = np.ones((size, size), np.float32)
    seconds = least(lambda: a @ a, TURN)
    if find_spec("torch"):
        import torch

        torch.set_num_threads(threads)
        b = torch.from_numpy(a)
        seconds = min(seconds, least(lambda: b @ b, TURN))
    return 2 * size**3 / seconds


def measure(threads: int) -> dict[str, Any]:
    """The figures, found in a process of their own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.machine", str(threads)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env=os.environ | environment(threads),
    )
    return json.loads(done.stdout)


def table(found: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = ["| copy of, KiB read and written | GB/s |", "|---:|---:|"]
    lines += [f"| {size // 1024:,} | {rate / 1e9:.1f} |" for size, rate in found["copy"]]
    product = f"A float32 product of {MATRIX:,} × {MATRIX:,}: {found['products'] / 1e9:,.0f} GFLOP/s."
    return "\n".join([*lines, "", product])


def main() -> None:
    """Measure, print as JSON."""
    threads = int(sys.argv[1])
    print(json.dumps({"copy": _copies(threads, COPIED), "products": _products(threads, MATRIX)}))


if __name__ == "__main__":
    main()
