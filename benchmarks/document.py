"""All that was measured as one Markdown document."""

from __future__ import annotations

from typing import Any

from benchmarks import machine, memory, report, startup, study
from benchmarks.libraries import LIBRARIES
from benchmarks.workloads import TIMED

TITLES = {part: timed.title for part, timed in TIMED.items()} | {
    "tasks": "Tasks, from the start of the process to its end"
}

HEAD = """\
# Measured

`python -m benchmarks --markdown FILE` on {processor} with {processors} processors: float32,
{threads} threads each; {versions}.
Each library has a process of its own; they take turns, and a ratio is the median over the rounds, with the
least and the greatest of them. Ratios of 1 or more mean that minigrad is at least as fast.
"""

LIMIT = """\
The column "of the limit" says how much of what the machine can do minigrad reaches: the bytes that a workload
has to move at least, at the rate of a copy that moves as many, or the operations of its products, at the rate
of a large one, whichever takes longer.
"""


def head(results: dict[str, Any]) -> str:
    """What was compared, on what."""
    versions = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    return HEAD.format(**results | {"versions": versions})


def left_out(results: dict[str, Any]) -> str:
    """The peers that are not in the tables, and why."""
    reasons = results.get("left out", {}).items()
    return "".join(
        f"\n{LIBRARIES[peer].title} is left out: {' '.join(why.split())}.\n" for peer, why in reasons
    )


def part_text(results: dict[str, Any], part: str) -> str:
    """Table and summary of a part."""
    cells = report.cells_of(results, part)
    pieces = []
    if cells:
        pieces += [report.table(cells, results.get("limits")), report.summary(cells)]
    missing = results["parts"][part].get("missing", [])
    if missing:
        pieces.append(f"minigrad lacks {'; '.join(missing)}.")
    return "\n\n".join(pieces) + "\n"


def document(results: dict[str, Any]) -> str:
    """The whole document; what was not measured is not in it."""
    pieces = [head(results) + left_out(results)]
    if "limits" in results:
        pieces += [LIMIT, machine.table(results["limits"]) + "\n"]
    for part, title in TITLES.items():
        if part in results["parts"]:
            pieces.append(f"## {title}\n\n{part_text(results, part)}")
    if "memory" in results:
        pieces.append(f"## Memory\n\n{memory.table(results['memory'])}\n")
    if "startup" in results:
        pieces.append(f"## Start-up\n\n{startup.table(results['startup'])}\n")
    if "study" in results:
        pieces.append(f"## Study\n\n{study.table(results['study'])}\n")
    if "accuracy" in results:
        from benchmarks import accuracy  # needs mpmath

        pieces.append(f"## Accuracy\n\n{accuracy.INTRODUCTION}\n{accuracy.text(results['accuracy'])}\n")
    return "\n".join(pieces)
