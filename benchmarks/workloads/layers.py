"""Layers in training: forward, and backward to the input and the parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.random import Generator

from benchmarks.built import Built
from benchmarks.catalogue import Arrays, normal
from benchmarks.libraries import Library
from benchmarks.workloads.listed import Listed, sized

SHAPES: dict[str, tuple[list[int], ...]] = {
    "Linear": ([64, 64, 64], [1024, 64, 256], [1024, 512, 512]),  # batch, in, out
    "Linear + ReLU": ([64, 64, 64], [1024, 64, 256], [1024, 512, 512]),
    "Linear + GELU": ([64, 64, 64], [1024, 512, 512]),
    "Dropout": ([64, 64], [1024, 1024]),
    "LayerNorm": ([64, 64], [1024, 1024]),
    "BatchNorm1d": ([64, 64], [1024, 1024]),
    "Embedding": ([64, 1000, 64], [1024, 10_000, 128]),  # batch, entries, features
    "Conv2d": ([16, 3, 16, 32], [16, 16, 32, 16]),  # batch, in, out, side; kernels of 3 x 3
    "LSTM": ([20, 16, 32, 64], [50, 64, 64, 128]),  # steps, batch, in, out
    "GRU": ([20, 16, 32, 64], [50, 64, 64, 128]),
}


def listed(big: bool = False) -> list[Listed]:
    """Every layer in its sizes."""
    return [
        Listed(f"{name} {sized(shape)}", [name, shape]) for name, shapes in SHAPES.items() for shape in shapes
    ]


def _linear(rng: Generator, shape: Sequence[int]) -> Arrays:
    batch, inputs, outputs = shape
    weight = normal(rng, (outputs, inputs), inputs**-0.5)
    return {"input": normal(rng, (batch, inputs), 1), "weight": weight, "bias": normal(rng, (outputs,), 1)}


def _norm(rng: Generator, shape: Sequence[int]) -> Arrays:
    weight = rng.uniform(0.5, 2, shape[1]).astype(np.float32)
    return {"input": normal(rng, shape, 1), "weight": weight, "bias": normal(rng, shape[1:], 1)}


def _embedding(rng: Generator, shape: Sequence[int]) -> Arrays:
    batch, entries, size = shape
    return {"input": rng.integers(0, entries, batch), "weight": normal(rng, (entries, size), 1)}


def _conv2d(rng: Generator, shape: Sequence[int]) -> Arrays:
    batch, inputs, outputs, side = shape
    weight = normal(rng, (outputs, inputs, 3, 3), (9 * inputs) ** -0.5)
    x = normal(rng, (batch, inputs, side, side), 1)
    return {"input": x, "weight": weight, "bias": normal(rng, (outputs,), 1)}


def _recurrent(gates: int) -> Callable[[Generator, Sequence[int]], Arrays]:
    def arrays(rng: Generator, shape: Sequence[int]) -> Arrays:
        steps, batch, inputs, units = shape
        rows, spread = gates * units, units**-0.5
        return {
            "input": normal(rng, (steps, batch, inputs), 1),
            "weight_ih_l0": normal(rng, (rows, inputs), spread),
            "weight_hh_l0": normal(rng, (rows, units), spread),
            "bias_ih_l0": normal(rng, (rows,), spread),
            "bias_hh_l0": normal(rng, (rows,), spread),
        }

    return arrays


GATES = {"LSTM": 4, "GRU": 3}

ARRAYS: dict[str, Callable[[Generator, Sequence[int]], Arrays]] = {
    "Linear": _linear,
    "Linear + ReLU": _linear,
    "Linear + GELU": _linear,
    "Dropout": lambda rng, shape: {"input": normal(rng, shape, 1)},
    "LayerNorm": _norm,
    "BatchNorm1d": _norm,
    "Embedding": _embedding,
    "Conv2d": _conv2d,
    **{name: _recurrent(gates) for name, gates in GATES.items()},
}


def _output_shape(name: str, shape: Sequence[int]) -> tuple[int, ...]:
    if name == "Conv2d":
        return (shape[0], shape[2], shape[3], shape[3])
    if name in GATES:
        return (shape[0], shape[1], shape[3])
    return (shape[0], shape[-1])


def _flops(name: str, shape: Sequence[int]) -> int:
    """Of the product forward and the two backward."""
    if name.startswith("Linear"):
        return 6 * int(np.prod(shape))
    if name == "Conv2d":
        return 6 * 9 * int(np.prod(shape)) * shape[3]
    if name in GATES:
        steps, batch, inputs, units = shape
        return 6 * GATES[name] * steps * batch * units * (inputs + units)
    return 0


def build(library: Library, name: str, shape: Sequence[int]) -> Built:
    """The layer with the parameters given; what dropout drops is each library's own, so no more than its rule
    is compared."""
    rng = np.random.default_rng(0)
    arrays = ARRAYS[name](rng, shape)
    output = _output_shape(name, shape)
    cotangent = rng.uniform(0.5, 2, output).astype(np.float32)
    built = library.layer(name, arrays, cotangent)
    floats = sum(array.nbytes for array in arrays.values() if array.dtype == np.float32)
    least = 2 * floats + 2 * cotangent.nbytes
    if name == "Embedding":
        least = 4 * cotangent.nbytes + arrays["weight"].nbytes
    if name == "Dropout":
        x, found = arrays["input"], built.arrays
        built = replace(built, arrays=lambda: [dropped(x, cotangent, *map(np.asarray, found()))])
    return replace(built, bytes=least, flops=_flops(name, shape))


def dropped(x: np.ndarray, cotangent: np.ndarray, y: np.ndarray, gradient: np.ndarray) -> bool:
    """Whether about half is dropped and the rest doubled, forward and backward alike."""
    kept = y != 0
    right = np.array_equal(y, 2 * x * kept) and np.array_equal(gradient, 2 * cotangent * kept)
    return right and abs(kept.mean() - 0.5) < 0.1
