"""One side of a comparison: runs workloads on one library, one JSON request and answer a line."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.built import Built, Missing, digest
from benchmarks.libraries import Library, load
from benchmarks.workloads import build


def least(run: Callable[[], Any], turn: float, batch: float = 0.002) -> float:
    """Seconds per run in the fastest of the batches that fill a turn, as timeit recommends.

    A batch is as short as the clock allows, so that some find the cores free even on a busy machine.
    """
    start = time.perf_counter()
    run()
    first = time.perf_counter() - start
    runs = max(1, int(batch / first))
    found = [first] if first > turn else []
    while time.perf_counter() - start < turn or not found:
        begin = time.perf_counter()
        for _ in range(runs):
            run()
        found.append((time.perf_counter() - begin) / runs)
    return min(found)


class Worker:
    """Answers requests; an error is an answer too."""

    def __init__(self, backend: str, threads: int) -> None:
        self.backend, self.threads = backend, threads
        self.library: Library | None = None
        self.built: Built | None = None

    def prepare(self, part: str, arguments: list[Any]) -> dict[str, Any]:
        """Build a workload and run it."""
        self.built = None  # lets go of the last workload's memory
        try:
            if self.library is None:
                self.library = load(self.backend)
                self.library.set_threads(self.threads)
            built = self.built = build(part, self.library, arguments)
            return {"numbers": digest(built.arrays()), "bytes": built.bytes, "flops": built.flops}
        except Missing:
            return {"missing": True}
        except Exception as error:
            return {"failed": f"{type(error).__name__}: {error}"}

    def time(self, turn: float) -> float:
        """Microseconds of a run, found in about as many as `turn`."""
        assert self.built is not None
        return least(self.built.run, turn / 1e6) * 1e6


def main() -> None:
    """Serve requests until standard input ends; what libraries print goes to standard error."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    worker = Worker(sys.argv[1], int(sys.argv[2]))
    for line in sys.stdin:
        request = json.loads(line)
        answer = getattr(worker, request.pop("do"))(**request)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
