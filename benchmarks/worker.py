"""One side of a comparison: runs workloads on one library, one JSON request and answer a line."""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.calls import Missing
from benchmarks.workloads import BUILDERS


def least(run: Callable[[], Any], turn: float, batch: float = 0.002) -> float:
    """Seconds per run in the fastest of the batches that fill a turn, as timeit recommends.

    A batch is as short as the clock allows, so that some find the cores free even on a busy machine.
    """
    start = time.perf_counter()
    run()
    runs = max(1, int(batch / (time.perf_counter() - start)))
    found = []
    while time.perf_counter() - start < turn or not found:
        begin = time.perf_counter()
        for _ in range(runs):
            run()
        found.append((time.perf_counter() - begin) / runs)
    return min(found)


def main() -> None:
    """Serve requests until standard input ends."""
    backend, threads = sys.argv[1], int(sys.argv[2])
    if backend != "jax":
        importlib.import_module(backend).set_num_threads(threads)
    run: Callable[[], Any] = lambda: None  # noqa: E731
    numbers: Callable[[], Any]
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "prepare":
            run = numbers = lambda: None  # lets go of the last workload's memory
            try:
                run, numbers = BUILDERS[request["kind"]](backend, *request["arguments"])
                answer: Any = numbers()
            except Missing:
                answer = None
        else:
            answer = least(run, request["turn"] / 1e6) * 1e6
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
