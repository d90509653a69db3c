"""Records torch's text of tensors in data/formatting.json: python tests/record_formatting.py.

A case is an array (its dtype, its shape and its values, a list or the terms of an arange), the
print options and the autograd state it is shown with, and the text that torch gives it.
"""

import itertools
import json
from pathlib import Path

import numpy as np
import torch

DATA = Path(__file__).with_name("data") / "formatting.json"
INF, NAN = float("inf"), float("nan")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8")
DTYPES = ("float32", "float64", *INTEGERS, "bool")

MAGNITUDES = [
    [1.0],
    [0.0],
    [-0.0],
    [0.5],
    [NAN],
    [INF],
    [-INF],
    [1.0, 2.0, 3.0],
    [1.0, -2.0, 0.0],
    [0.0, -0.0, 0.0],
    [0.0, 0.5, -0.25],
    [1.5, NAN, INF],
    [1.0, NAN, -INF],
    [NAN, INF, -INF],
    [0.0, NAN],
    [1000.0, 1.0],
    [1001.0, 1.0],
    [1000.5, 1.0],
    [999.0, 0.5],
    [1e8, 1e6],
    [1.1e8, 1e8],
    [1e-4, 1e-3],
    [9.9e-5, 1e-4],
    [1e-4, 0.2],
    [0.99995, 0.99994],
    [2.5, 3.5, 0.125],
    [0.00005, 0.00015],
    [1e-40, 1e-40],
    [1e30, -1e30],
    [1e38, 1e-38],
    [123456.789, -98765.4321],
    [1e10, 2e10],
    [16777216.0, 16777215.0],
    [0.1, 0.2, 0.3],
    [1 / 3, 2 / 3, 22 / 7],
    [1e5, NAN, 0.1, -INF, 0.0],
]
SHAPES = [(), (1,), (3,), (10,), (30,), (2, 3), (1, 1), (5, 12), (2, 2, 2), (1, 2, 1, 3)]
SHAPES += [(1000,), (1001,), (7, 150), (150, 7), (3, 20, 20), (11, 10, 10), (2, 2, 30, 9)]
EMPTY = [(0,), (0, 3), (3, 0), (2, 0, 4)]
OPTIONS = [
    {"precision": 2},
    {"precision": 0},
    {"precision": 8},
    {"sci_mode": True},
    {"sci_mode": False},
    {"linewidth": 40},
    {"linewidth": 10},
    {"linewidth": 160, "threshold": 5},
    {"threshold": 5, "edgeitems": 1},
    {"threshold": 5, "edgeitems": 0},
    {"threshold": 20},
    {"profile": "short"},
    {"profile": "full"},
    {"profile": "short", "precision": 6},
]


def specs():
    for values, dtype in itertools.product(MAGNITUDES, ("float32", "float64")):
        yield {"dtype": dtype, "shape": [len(values)], "values": values}
    for values in MAGNITUDES[3::4]:
        yield {"dtype": "float32", "shape": [], "values": values[:1]}
    for dtype, shape in itertools.product(DTYPES, SHAPES + EMPTY):
        size = int(np.prod(shape))
        term = {"int8": -50, "uint8": 3, "float32": -1.25, "bool": 0}.get(dtype, -1000)
        if size > 60 and dtype not in ("float32", "int64", "bool"):
            continue
        yield {"dtype": dtype, "shape": list(shape), "values": {"start": term, "step": 0.5}}
    awkward = [
        {"dtype": "float32", "shape": [40], "values": {"start": -3.7, "step": 0.31}},
        {"dtype": "float32", "shape": [40], "values": {"start": 0, "step": 0}},
        {"dtype": "float64", "shape": [6, 5], "values": {"start": 1e-7, "step": 2.5}},
        {"dtype": "int64", "shape": [4, 40], "values": {"start": -70, "step": 1}},
        {"dtype": "bool", "shape": [30], "values": {"start": 0, "step": 0.25}},
        {"dtype": "float32", "shape": [3, 0], "values": []},
    ]
    for spec, options in itertools.product(awkward, OPTIONS):
        yield {**spec, "options": options}
    # The state of the graph moves to a line of its own depending on the length of the last one.
    for count, grad in itertools.product(range(1, 14), ("leaf", "MulBackward0")):
        for dtype in ("float32", "float64"):
            values = {"start": 0.25, "step": 1}
            yield {"dtype": dtype, "shape": [count], "values": values, "grad": grad}
    for shape, grad in itertools.product(
        [(), (0,), (0, 2), (2, 8), (2, 3, 4), (1200,)], ("leaf", "MulBackward0", "CloneBackward0")
    ):
        values = {"start": 1.5, "step": 1}
        yield {"dtype": "float32", "shape": list(shape), "values": values, "grad": grad}


def build(spec):
    values = spec["values"]
    if isinstance(values, dict):
        size = int(np.prod(spec["shape"]))
        values = values["start"] + values["step"] * np.arange(size)
    with np.errstate(invalid="ignore", over="ignore"):
        cast = np.array(values).astype("int64") if spec["dtype"] in INTEGERS else np.array(values)
        return cast.astype(spec["dtype"]).reshape(spec["shape"])


def text(spec):
    tensor = torch.from_numpy(build(spec).copy())
    grad = spec.get("grad")
    if grad:
        tensor.requires_grad_()
    if grad == "MulBackward0":
        tensor = tensor * 1
    elif grad == "CloneBackward0":
        tensor = tensor.clone()
    torch.set_printoptions(profile="default")
    torch.set_printoptions(**spec.get("options", {}))
    try:
        return repr(tensor)
    finally:
        torch.set_printoptions(profile="default")


if __name__ == "__main__":
    cases = [json.dumps({**spec, "text": text(spec)}) for spec in specs()]
    body = ",\n".join(cases)
    DATA.write_text(f'{{"torch": "{torch.__version__}",\n"cases": [\n{body}\n]}}\n')
    print(len(cases), "cases")
