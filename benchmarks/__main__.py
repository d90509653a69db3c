"""python -m benchmarks [training] [losses] [startup] [--json FILE]"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import startup, workloads
from benchmarks.harness import Side, as_json, table

PARTS = ("training", "losses", "startup")


def main() -> int:
    """Run the chosen parts, print their tables, write what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; default all")
    parser.add_argument("--json", type=Path, help="write the measurements to this file")
    parser.add_argument("--threads", type=int, default=2, help="for both sides (default 2)")
    args = parser.parse_args()
    unknown = set(args.parts) - set(PARTS)
    if unknown:
        parser.error(f"unknown part {', '.join(sorted(unknown))}; choose from {', '.join(PARTS)}")
    chosen = args.parts or PARTS
    if importlib.util.find_spec("torch") is None:
        print("The comparison needs torch: pip install 'minigrad[torch]'", file=sys.stderr)
        return 2
    results: dict[str, Any] = {"torch": version("torch"), "threads": args.threads}
    sides = Side("minigrad", args.threads), Side("torch", args.threads)
    for name, cells in (("training", workloads.training_cells), ("losses", workloads.loss_cells)):
        if name in chosen:
            found = cells(sides)
            results[name] = as_json(found)
            print(table(found), "\n")
    for side in sides:
        side.close()
    if "startup" in chosen:
        results["startup"] = startup.measure()
        print(startup.table(results["startup"]))
    if args.json:
        args.json.write_text(json.dumps(results, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
