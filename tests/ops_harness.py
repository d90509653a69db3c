"""Runs rows of the table of operations under minigrad or torch, and compares what comes out."""

import json
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from ops_table import Row

DATA = Path(__file__).with_name("data") / "ops"
# Values of order one: a few roundings of the dtype. Nothing is compared more loosely than this.
TOLERANCE = {"float32": 2e-6, "float64": 1e-13}


@dataclass
class Found:
    """What a row gave: outputs, the gradient of each floating input, node names, or the error."""

    outputs: list[np.ndarray] = field(default_factory=list)
    grads: list[np.ndarray | None] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    error: str | None = None
    message: str = ""


def tensors(m: Any, arrays: list[np.ndarray], grad: bool = True) -> list[Any]:
    """The arrays as leaves of module `m`."""
    made = [m.from_numpy(a) for a in arrays]
    return [t.requires_grad_() if grad and t.is_floating_point() else t for t in made]


def outputs_of(result: Any) -> list[Any]:
    """The tensors of a result, which may be one or a nested sequence of them."""
    if isinstance(result, (tuple, list)):
        return [t for part in result for t in outputs_of(part)]
    return [result]


def recorded(outputs: list[Any]) -> list[tuple[int, Any]]:
    """The outputs that have a gradient, with their places."""
    return [(i, o) for i, o in enumerate(outputs) if o.requires_grad]


def differentiate(m: Any, row: Row, outputs: list[Any], inputs: list[Any], **options: Any) -> list[Any]:
    """The gradients of the row's random projection of its outputs; None for inputs without one."""
    wanted = [t for t in inputs if t.requires_grad]
    targets = recorded(outputs)
    if not targets or not wanted:
        return [None] * len(inputs)
    cotangents = [
        m.from_numpy(row.cotangent(i, tuple(o.shape), str(o.dtype).removeprefix("torch.")))
        for i, o in targets
    ]
    found = iter(m.autograd.grad([o for _, o in targets], wanted, cotangents, allow_unused=True, **options))
    return [next(found) if t.requires_grad else None for t in inputs]


def evaluate(m: Any, row: Row, arrays: list[np.ndarray]) -> Found:
    """Run the row forward and backward in module `m`."""
    inputs = tensors(m, [a.copy() for a in arrays], row.grad)
    try:
        outputs = outputs_of(row.call(m, *inputs))
    except (RuntimeError, ValueError, IndexError, TypeError, NotImplementedError) as error:
        return Found(error=type(error).__name__, message=str(error).split("\n")[0])
    grads = differentiate(m, row, outputs, inputs)
    return Found(
        [o.detach().numpy() for o in outputs],
        [None if g is None else g.detach().numpy() for g in grads],
        [None if o.grad_fn is None else o.grad_fn.name() for o in outputs],
    )


def fingerprint(arrays: list[np.ndarray]) -> int:
    """A number that changes with the inputs."""
    found = 0
    for array in arrays:
        found = zlib.crc32(np.ascontiguousarray(array).tobytes(), found)
    return found


def load() -> dict[str, Any]:
    """torch's recorded results of all families."""
    return {name: found for path in sorted(DATA.glob("*.npz")) for name, found in load_family(path).items()}


def load_family(path: Path) -> dict[str, Any]:
    """torch's recorded results: 'row | dtype' to a Found (and the fingerprint of its inputs)."""
    archive = np.load(path)
    numbers, index = archive["numbers"], json.loads(archive["index"].tobytes())
    place = 0

    def unpacked(entry: Any) -> np.ndarray | None:
        nonlocal place
        if entry is None:
            return None
        dtype, shape = entry
        n = int(np.prod(shape))
        place += n
        return numbers[place - n : place].astype(dtype).reshape(shape)

    found = {}
    for name, entry in index.items():
        if "raises" in entry:
            found[name] = (entry["inputs"], Found(error=entry["raises"][0], message=entry["raises"][1]))
        else:
            outputs = [unpacked(e) for e in entry["outputs"]]
            grads = [unpacked(e) for e in entry["grads"]]
            found[name] = (entry["inputs"], Found(outputs, grads, entry["names"]))
    return found


def close(found: np.ndarray, expected: np.ndarray, scale: float = 1.0) -> np.ndarray:
    """Where two arrays agree to rounding; nan agrees with nan, and infinities with themselves."""
    if expected.dtype.kind != "f":
        return np.asarray(found == expected)
    tolerance = TOLERANCE[str(expected.dtype)] * scale
    return np.isclose(found, expected, rtol=tolerance, atol=tolerance, equal_nan=True)


def differences(row: Row, found: Found, expected: Found) -> list[str]:
    """What is wrong with `found`, in words that name output or input, element and both numbers."""
    if row.beyond and expected.error is not None and found.error is None:
        return []
    if expected.error is not None or found.error is not None:
        same = found.error == expected.error and found.message == expected.message
        return (
            []
            if same
            else [f"gave {found.error}: {found.message!r}, torch {expected.error}: {expected.message!r}"]
        )
    wrong = []
    if len(found.outputs) != len(expected.outputs):
        return [f"{len(found.outputs)} outputs, torch {len(expected.outputs)}"]
    pairs = [
        (f"output {i}", a, b) for i, (a, b) in enumerate(zip(found.outputs, expected.outputs, strict=True))
    ]
    pairs += [
        (f"gradient {i}", a, b) for i, (a, b) in enumerate(zip(found.grads, expected.grads, strict=True))
    ]
    for what, a, b in pairs:
        if a is None or b is None:
            if a is not b:
                wrong.append(f"{what} is {a}, torch {b}")
        elif a.dtype != b.dtype or a.shape != b.shape:
            wrong.append(f"{what} is {a.dtype}{list(a.shape)}, torch {b.dtype}{list(b.shape)}")
        else:
            for element in np.argwhere(~close(a, b, row.digits))[:2]:
                place = tuple(element)
                wrong.append(f"{what} at element {list(map(int, place))} is {a[place]!r}, torch {b[place]!r}")
    if found.names != expected.names and not row.renamed:
        wrong.append(f"grad_fn is {found.names}, torch {expected.names}")
    return wrong
