"""python -m benchmarks [training] [losses] [startup] [memory] [accuracy] [--json FILE]"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks import memory, report, startup
from benchmarks.harness import FULL, OURS, QUICK, Cell, Pace, Side, compare
from benchmarks.workloads import losses, training

TIMED = ("training", "losses")
PARTS = (*TIMED, "startup", "memory", "accuracy")
PEERS = {"training": ("torch",), "losses": ("torch", "jax")}
NEEDS = {"torch": ("torch",), "jax": ("jax", "optax")}


def installed(peers: Sequence[str]) -> list[str]:
    """Those of the peers that are here; says which are not."""
    found = [peer for peer in peers if all(find_spec(package) for package in NEEDS[peer])]
    for peer in peers:
        if peer not in found:
            print(f"{peer} is left out: pip install {' '.join(NEEDS[peer])}", file=sys.stderr)
    return found


def time_part(part: str, threads: int, pace: Pace, big: bool, only: str) -> tuple[list[Cell], list[str]]:
    """Time a part against the peers that are installed; the cells, and what minigrad lacks."""
    peers = installed(PEERS[part])
    workloads = training.cells() if part == "training" else losses.cells(big)
    workloads = [workload for workload in workloads if only in workload[0]]
    sides = [Side(backend, threads) for backend in (OURS, *peers)]
    cells, missing = [], []
    for name, kind, arguments in workloads:
        print(f"\r\033[K{name}", end="", file=sys.stderr, flush=True)
        cell = compare(name, sides, kind, arguments, pace)
        if cell is None:
            missing.append(name)
        else:
            cells.append(cell)
    print("\r\033[K", end="", file=sys.stderr)
    for side in sides:
        side.close()
    if cells:
        print(report.table(cells, peers), "", report.summary(cells, peers), "", sep="\n")
    if missing:
        print(f"minigrad lacks {', '.join(missing)}\n")
    return cells, missing


def versions() -> dict[str, str]:
    """What was compared, and on what."""
    packages = ("numpy", "numba", "torch", "jax", "optax")
    found = {package: version(package) for package in packages if find_spec(package)}
    return found | {"python": platform.python_version(), "machine": platform.machine()}


def main() -> int:
    """Run the chosen parts, print their tables, write what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; default all")
    parser.add_argument("--json", type=Path, help="write the measurements to this file")
    parser.add_argument("--threads", type=int, default=2, help="for all sides (default 2)")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--big", action="store_true", help="with the loss that takes torch seconds")
    parser.add_argument("--only", default="", metavar="TEXT", help="only workloads with this in their names")
    args = parser.parse_args()
    unknown = set(args.parts) - set(PARTS)
    if unknown:
        parser.error(f"unknown part {', '.join(sorted(unknown))}; choose from {', '.join(PARTS)}")
    chosen = args.parts or PARTS
    results: dict[str, Any] = {"versions": versions(), "threads": args.threads}
    status = 0
    for part in TIMED:
        if part in chosen:
            pace = QUICK if args.quick else FULL
            cells, missing = time_part(part, args.threads, pace, args.big, args.only)
            results[part] = [asdict(cell) for cell in cells]
            status |= bool(missing)
    if "startup" in chosen:
        results["startup"] = startup.measure()
        print(startup.table(results["startup"]), "\n")
    if "memory" in chosen:
        results["memory"] = memory.measure(args.threads)
        print(memory.table(results["memory"]), "\n")
    if "accuracy" in chosen:
        from benchmarks import accuracy  # needs mpmath

        results["accuracy"] = accuracy.measure_all()
        status |= accuracy.show(results["accuracy"])
    if args.json:
        args.json.write_text(json.dumps(results, indent=1))
    return status


if __name__ == "__main__":
    sys.exit(main())
