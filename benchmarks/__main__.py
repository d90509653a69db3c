"""Times minigrad against its peers in interleaved rounds.

python -m benchmarks [PART ...] [--peers torch,jax] [--json FILE] [--markdown FILE] [--picture FILE]
python -m benchmarks render FILE.json [--markdown FILE] [--picture FILE]
python -m benchmarks readme FILE.json [--readme README.md]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks import document, machine, memory, picture, readme, report, startup, study, tasks
from benchmarks.harness import FULL, QUICK, Cell, Pace, Side, compare, working
from benchmarks.libraries import OURS, PEERS, installed
from benchmarks.workloads import TIMED
from benchmarks.workloads.listed import Listed

PARTS = (*TIMED, "tasks", "memory", "startup", "study", "accuracy")
PACKAGES = ("numpy", "numba", "torch", "jax", "optax", "tinygrad", "autograd")


def time_part(part: str, workloads: Sequence[Listed], sides: Sequence[Side], pace: Pace) -> dict[str, Any]:
    """Time workloads of a part on all sides; the cells, and what minigrad lacks."""
    cells: list[Cell] = []
    missing = []
    for name, arguments in workloads:
        print(f"\r\033[K{part}: {name}", end="", file=sys.stderr, flush=True)
        cell = compare(name, sides, part, arguments, pace)
        if cell is None:
            missing.append(name)
        else:
            cells.append(cell)
    print("\r\033[K", end="", file=sys.stderr)
    return {"cells": [asdict(cell) for cell in cells], "missing": missing}


def setting(threads: int) -> dict[str, Any]:
    """What is compared, and on what."""
    found = {package: version(package) for package in PACKAGES if find_spec(package)}
    return {
        "versions": found | {"Python": platform.python_version()},
        "processor": platform.machine(),
        "processors": os.cpu_count(),
        "threads": threads,
    }


def run(options: argparse.Namespace, workloads: dict[str, list[Listed]]) -> dict[str, Any]:
    """Measure the chosen parts, printing each as soon as it is there."""
    pace = QUICK if options.quick else FULL
    results: dict[str, Any] = setting(options.threads) | {"parts": {}}
    peers, left_out = installed(options.peers)
    if set(options.parts) & {*TIMED, "tasks"}:
        sides, broken = working([Side(library, options.threads) for library in (OURS, *peers)])
        results["left out"] = left_out | broken
        print(document.head(results) + document.left_out(results))
        results["limits"] = machine.measure(options.threads)
        print(machine.table(results["limits"]), "\n")
        for part, chosen in workloads.items():
            results["parts"][part] = time_part(part, chosen, sides, pace)
            _show(results, part)
        for side in sides:
            side.close()
        if "tasks" in options.parts:
            peers = [side.backend for side in sides if side.backend != OURS]
            cells = tasks.measure(peers, options.threads, pace.rounds, pace.patience)
            results["parts"]["tasks"] = {"cells": [asdict(cell) for cell in cells]}
            _show(results, "tasks")
    if "memory" in options.parts:
        results["memory"] = memory.measure(options.threads)
        print(memory.table(results["memory"]), "\n")
    if "startup" in options.parts:
        results["startup"] = startup.measure(options.threads)
        print(startup.table(results["startup"]), "\n")
    if "study" in options.parts:
        results["study"] = study.measure()
        print(study.table(results["study"]), "\n")
    if "accuracy" in options.parts:
        from benchmarks import accuracy  # needs mpmath

        results["accuracy"] = accuracy.measure_all()
        accuracy.show(results["accuracy"])
    return results


def _show(results: dict[str, Any], part: str) -> None:
    print(f"## {document.TITLES[part]}\n\n{document.part_text(results, part)}")


def status(results: dict[str, Any]) -> int:
    """1 where a library computes something else, or an error of minigrad's is above its bound."""
    wrong = any(cell.wrong for part in results["parts"] for cell in report.cells_of(results, part))
    if "accuracy" in results:
        from benchmarks import accuracy

        wrong = wrong or bool(accuracy.failures(results["accuracy"]))
    return int(wrong)


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The new measurements, and of the old those that were not made again."""
    return old | new | {"parts": old.get("parts", {}) | new["parts"]}


def write(results: dict[str, Any], markdown: Path | None, drawing: Path | None) -> None:
    """The document and the picture."""
    if markdown:
        markdown.write_text(document.document(results), encoding="utf-8")
    if drawing:
        picture.draw(results, drawing)


# ------------------------------------------------------------------------------------- command line
def _peers(text: str) -> list[str]:
    chosen = [peer for peer in text.split(",") if peer]
    unknown = [peer for peer in chosen if peer not in PEERS]
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown peer {unknown[0]!r}; choose from {', '.join(PEERS)}")
    return [peer for peer in PEERS if peer in chosen]


def _parser(program: str) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        prog=program,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def _measure(arguments: Sequence[str], program: str) -> int:
    parser = _parser(program)
    add = parser.add_argument
    add("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; default all")
    add("--peers", type=_peers, default=list(PEERS), help=f"of {','.join(PEERS)}; default those installed")
    add("--json", type=Path, metavar="FILE", help="write the measurements to this file")
    add("--update", action="store_true", help="keep what the JSON file holds of other parts")
    add("--markdown", type=Path, metavar="FILE", help="write all tables to this file")
    add("--picture", type=Path, metavar="FILE", help="draw the speed-ups into this file")
    add("--threads", type=int, default=2, metavar="N", help="for all sides (default 2)")
    add("--quick", action="store_true", help="fewer and shorter rounds, without the loss that takes seconds")
    add("--only", default="", metavar="TEXT", help="only workloads with this in their names")
    options = parser.parse_args(arguments)
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"unknown part {', '.join(sorted(unknown))}; choose from {', '.join(PARTS)}")
    if options.update and not options.json:
        parser.error("--update needs --json FILE, the file to update")
    options.parts = options.parts or list(PARTS)
    workloads = {
        part: [listed for listed in TIMED[part].listed(not options.quick) if options.only in listed.name]
        for part in TIMED
        if part in options.parts
    }
    workloads = {part: found for part, found in workloads.items() if found}
    if options.only and not workloads:
        parser.error(f"no workload of {', '.join(options.parts)} has {options.only!r} in its name")
    results = run(options, workloads)
    code = status(results)
    if options.update and options.json.exists():
        results = merged(_read(options.json, parser), results)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1), encoding="utf-8")
    write(results, options.markdown, options.picture)
    return code


def _render(arguments: Sequence[str], program: str) -> int:
    parser = _parser(f"{program} render")
    parser.add_argument("file", type=Path, help="JSON that a run wrote")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="default: standard output")
    parser.add_argument("--picture", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    results = _read(options.file, parser)
    write(results, options.markdown, options.picture)
    if not options.markdown and not options.picture:
        print(document.document(results), end="")
    return 0


def _readme(arguments: Sequence[str], program: str) -> int:
    parser = _parser(f"{program} readme")
    parser.add_argument("file", type=Path, help="JSON that a run wrote")
    default = Path(__file__).parents[1] / "README.md"
    parser.add_argument(
        "--readme", type=Path, default=default, metavar="FILE", help="default: the repository's"
    )
    options = parser.parse_args(arguments)
    try:
        readme.update(options.readme, _read(options.file, parser))
    except (OSError, readme.NoMarkers) as error:
        parser.error(f"{options.readme}: {error}")
    return 0


def _read(path: Path, parser: argparse.ArgumentParser) -> dict[str, Any]:
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
        return {**results, "parts": results["parts"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        parser.error(f"{path} is not what a run with --json wrote: {type(error).__name__}: {error}")


def main(arguments: Sequence[str] | None = None, program: str = "python -m benchmarks") -> int:
    """Measure, or show what was measured."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["render"]:
        return _render(given[1:], program)
    if given[:1] == ["readme"]:
        return _readme(given[1:], program)
    return _measure(given, program)


if __name__ == "__main__":
    sys.exit(main())
