"""The losses' accuracy in float32: `python -m benchmarks accuracy` or `python -m benchmarks.accuracy`.

Every element of every loss and of every gradient is held against a reference of a hundred digits, computed
from the same float32 inputs. The table gives the largest relative error. The status is 1 where one of
minigrad's is above its bound, 1e-6 unless EXCEPTIONS states another and why.
"""

from __future__ import annotations

import argparse
import json
import sys
import zlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from benchmarks.built import Missing
from benchmarks.calls import prepare
from benchmarks.catalogue import CATALOGUE, Arrays, Loss
from benchmarks.exact import constants, gradient, relative_errors, variables
from benchmarks.references import REFERENCES

BOUND = 1e-6
SCALES = (3.0, 30.0)
SHAPE = (64, 10)
SPEED_ONLY = ("cross_entropy, images",)
SHAPES = {
    "linear_cross_entropy": (24, 8, 10),
    "AdaptiveLogSoftmaxWithLoss": (24, 8, 10),
    "triplet_margin_with_distance_loss": (64, 8),
    "ctc_loss": (15, 6, 5),
}

# name: (bound, what keeps it from BOUND)
MEETS = "a probability rounded to float32 comes close to the target it is subtracted from"
PRODUCTS = "logits and gradients are sums of float32 products that cancel"
EXCEPTIONS: dict[str, tuple[float, str]] = {
    "jensen_shannon_loss": (
        0.2,
        "two log-probabilities 3e-15 apart give 9e-31, float64's rounding of its terms",
    ),
    "cross_entropy, label_smoothing": (5e-5, MEETS),
    "cross_entropy, soft targets": (1e-5, MEETS),
    "smooth_binary_cross_entropy_with_logits": (1e-4, MEETS),
    "linear_cross_entropy": (1e-5, PRODUCTS),
    "AdaptiveLogSoftmaxWithLoss": (1e-3, PRODUCTS),
}

INTRODUCTION = """\
The largest relative error of an element, float32, against 100-digit arithmetic; logits, or whatever the loss
takes, with standard deviations 3 and 30.
"""

Errors = dict[str, float]  # the largest relative errors of the "loss" and of its "gradient"
Row = dict[str, dict[str, Errors | None]]  # scale: library: errors


def exact_losses(loss: Loss, arrays: Arrays) -> np.ndarray:
    """The reference, with its derivatives."""
    exact = {}
    for name, array in arrays.items():
        if array.dtype.kind == "f":
            exact[name] = variables(name, array) if name in loss.wrt else constants(array)
        else:
            exact[name] = array
    options = {name: value for name, value in loss.options.items() if name != "reduction"}
    return REFERENCES[loss.function](**exact, **options).ravel()


def errors_of(backend: str, loss: Loss, arrays: Arrays, exact: np.ndarray) -> Errors | None:
    """What a library makes of the same inputs; None where it lacks the loss."""
    try:
        run, leaves = prepare(backend, loss, arrays, reduction="none")
    except Missing:
        return None
    losses = run()
    losses.sum().backward()
    truths = [(losses.detach().numpy(), [e.value for e in exact])]
    truths += [(leaf.grad.numpy(), gradient(exact, name, leaf.numel())) for name, leaf in leaves.items()]
    worst = [max(relative_errors(found, truth)) for found, truth in truths]
    return {"loss": worst[0], "gradient": max(worst[1:])}


def measure(name: str, backends: Sequence[str], shape: Sequence[int] = SHAPE) -> Row:
    """The errors of one loss, for both scales of its inputs; `shape` where the loss has none of its own."""
    loss, row = CATALOGUE[name], {}
    for scale in SCALES:
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        arrays = loss.inputs(rng, SHAPES.get(loss.function, shape), scale)
        exact = exact_losses(loss, arrays)
        row[f"{scale:g}"] = {backend: errors_of(backend, loss, arrays, exact) for backend in backends}
    return row


def failures(rows: dict[str, Row]) -> list[str]:
    """Where minigrad is above its bound."""
    found = []
    for name, row in rows.items():
        bound, _ = EXCEPTIONS.get(name, (BOUND, ""))
        for scale, errors in row.items():
            ours = errors["minigrad"]
            if ours is None:
                found.append(f"{name}: minigrad lacks it")
                break
            found += [
                f"{name}, sd {scale}, {part}: {error:.1e} above {bound:.0e}"
                for part, error in ours.items()
                if not error <= bound
            ]
    return found


def _cell(errors: Errors | None, part: str, mark: str = "") -> str:
    return "" if errors is None else f"{mark}{errors[part]:.1e}{mark}"


def table(rows: dict[str, Row]) -> str:
    """The errors as Markdown: minigrad / torch."""
    columns = [(f"{scale:g}", part) for scale in SCALES for part in ("loss", "gradient")]
    lines = [
        "| loss | " + " | ".join(f"sd {scale} {part}: minigrad / torch" for scale, part in columns) + " |",
        "|---|" + "---:|" * len(columns),
    ]
    for name, row in rows.items():
        cells = [
            f"{_cell(row[scale]['minigrad'], part, '**')} / {_cell(row[scale].get('torch'), part)}"
            for scale, part in columns
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def notes(rows: dict[str, Row]) -> str:
    """What the table leaves open."""
    lines = [
        f"{name}: bound {bound:.0e}, {why}." for name, (bound, why) in EXCEPTIONS.items() if name in rows
    ]
    extra = ", ".join(name for name in rows if CATALOGUE[name].extra)
    if extra:
        lines.append(f"torch lacks {extra}: its figures are those of torch's operations composed.")
    return "\n".join(lines)


def measure_all(names: Sequence[str] = ()) -> dict[str, Row]:
    """The errors of all losses, or of those whose names begin with one of `names`."""
    backends = ["minigrad"] + (["torch"] if find_spec("torch") else [])
    return {
        name: measure(name, backends)
        for name in CATALOGUE
        if name not in SPEED_ONLY and (not names or name.startswith(tuple(names)))
    }


def text(rows: dict[str, Row]) -> str:
    """The table, what it leaves open, and what is above its bound."""
    wrong = failures(rows) or [f"All of minigrad's are within {BOUND:.0e}, exceptions within theirs."]
    return "\n".join([table(rows), "", notes(rows), "", *wrong])


def show(rows: dict[str, Row]) -> int:
    """Print that; the exit status."""
    print(text(rows))
    return 1 if failures(rows) else 0


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description="Errors of the losses against a reference of 100 digits")
    parser.add_argument("names", nargs="*", help="only losses whose names begin so")
    parser.add_argument("--json", type=Path, help="write the measurements to this file")
    arguments = parser.parse_args()
    rows = measure_all(arguments.names)
    if arguments.json:
        arguments.json.write_text(json.dumps({"errors": rows, "above": failures(rows)}, indent=1))
    return show(rows)


if __name__ == "__main__":
    sys.exit(main())
