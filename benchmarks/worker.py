"""One side of a comparison: runs workloads on one library, one JSON request and answer a line."""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.workloads import BUILDERS


def main() -> None:
    """Serve requests until standard input ends."""
    backend, threads = sys.argv[1], int(sys.argv[2])
    importlib.import_module(backend).set_num_threads(threads)
    run: Callable[[], Any] = lambda: None  # noqa: E731
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "prepare":
            run, numbers = BUILDERS[request["kind"]](backend, *request["arguments"])
            answer: Any = numbers()
        else:
            start = time.perf_counter()
            for _ in range(request["repeats"]):
                run()
            answer = (time.perf_counter() - start) / request["repeats"] * 1e6
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
