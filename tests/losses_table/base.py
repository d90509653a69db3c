"""What a row of the losses table is, the inputs rows are tried with, and how a row is run."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

REDUCTIONS = ("mean", "sum", "none")
SHAPES = (("matrix", (5, 4)), ("vector", (7,)), ("scalar", ()))


@dataclass(frozen=True)
class Row:
    """A loss call: arrays by position, options by name (array options become tensors).

    What torch has is compared with torch. For a loss or an option it lacks `reference` computes the value: a
    plain NumPy function of the arrays and the options, written independently of the definition.
    """

    function: str
    module: str | None  # the class whose options these are; None for options only the function has
    inputs: Callable[[np.random.Generator], tuple[np.ndarray, ...]]
    label: str = ""
    options: tuple[tuple[str, Any], ...] = ()
    wrt: tuple[int, ...] = (0,)  # the inputs that require a gradient
    kernel: bool = True  # whether the kernel is expected to apply
    reference: Callable[..., Any] | None = None
    through: Callable[[Any, Any], Any] | None = None  # (functional, first input) -> what the loss is given

    def __str__(self) -> str:
        text = ",".join(f"{k}={_short(v)}" for k, v in self.options)
        return f"{self.function}-{self.label}-{text}-wrt{''.join(map(str, self.wrt))}"


@dataclass(frozen=True)
class Made:
    """An option that each library makes of its own: its nn.<name> with these arguments."""

    name: str
    arguments: tuple[tuple[str, Any], ...]

    def __str__(self) -> str:
        return ",".join(f"{k}={v}" for k, v in self.arguments)


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"array{value.shape}"
    return getattr(value, "__name__", str(value))


def normal(*shapes: tuple[int, ...], scale: float = 2.0) -> Callable[..., tuple[np.ndarray, ...]]:
    return lambda rng: tuple(rng.standard_normal(shape) * scale for shape in shapes)


def away_from_kinks(shape: tuple[int, ...], *kinks: float) -> Callable[..., tuple[np.ndarray, ...]]:
    """Predictions and targets whose difference keeps 0.05 away from the given kinks of |x - y|."""

    def make(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        y = rng.standard_normal(shape)
        d = rng.standard_normal(shape) * 2
        for kink in (0.0, *kinks):
            close = np.abs(np.abs(d) - kink) < 0.05
            d = np.where(close, d + 0.2 * np.where(d < 0, -1, 1), d)
        return y + d, y

    return make


def unit(*shapes: tuple[int, ...]) -> Callable[..., tuple[np.ndarray, ...]]:
    return lambda rng: tuple(rng.uniform(0.05, 0.95, shape) for shape in shapes)


def logits_and_unit(shape: tuple[int, ...]) -> Callable[..., tuple[np.ndarray, ...]]:
    return lambda rng: (rng.standard_normal(shape) * 3, rng.uniform(0, 1, shape))


def log_softmax(x: np.ndarray) -> np.ndarray:
    dim = 1 if x.ndim > 1 else 0
    return x - np.log(np.exp(x).sum(dim, keepdims=True))


def log_probabilities(
    shape: tuple[int, ...], log_target: bool = False, zero: bool = False
) -> Callable[..., tuple[np.ndarray, ...]]:
    def make(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        x, t = (log_softmax(rng.standard_normal(shape)) for _ in range(2))
        t = t if log_target else np.exp(t)
        if zero:
            t.flat[0] = 0.0
        return x, t

    return make


def classes(
    shape: tuple[int, ...], target: tuple[int, ...], log: bool = False
) -> Callable[..., tuple[np.ndarray, ...]]:
    count = shape[1] if len(shape) > 1 else shape[0]

    def make(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        x = rng.standard_normal(shape) * 3
        return (log_softmax(x) if log else x), rng.integers(0, count, target)

    return make


def class_probabilities(shape: tuple[int, ...]) -> Callable[..., tuple[np.ndarray, ...]]:
    return lambda rng: (rng.standard_normal(shape) * 3, np.exp(log_softmax(rng.standard_normal(shape))))


def signs(shape: tuple[int, ...]) -> Callable[..., tuple[np.ndarray, ...]]:
    return lambda rng: (rng.uniform(0, 3, shape), rng.choice([-1.0, 1.0], shape))


def grid(**choices: tuple[Any, ...]) -> Iterator[tuple[tuple[str, Any], ...]]:
    """Every combination of the options; None leaves an option out."""
    for values in itertools.product(*choices.values()):
        yield tuple(
            (k, v) for k, v in zip(choices, values, strict=True) if not (v is None and k != "reduction")
        )


def arrays_of(row: Row, dtype: Any = np.float64) -> tuple[np.ndarray, ...]:
    """The row's inputs, the same in every run and on every machine."""
    rng = np.random.default_rng(sum(map(ord, f"{row.function}-{row.label}")))
    made = (np.asarray(a) for a in row.inputs(rng))
    return tuple(a.astype(dtype) if a.dtype.kind == "f" else a for a in made)


def function_of(functional: Any, extra: Any, row: Row) -> Any:
    """The row's loss function: torch's own in `functional`, those torch lacks in `extra`."""
    return getattr(functional if hasattr(functional, row.function) else extra, row.function)


def leaves_of(namespace: Any, row: Row, dtype: Any = np.float64) -> list:
    """The row's inputs as tensors of minigrad or torch, with those of `wrt` requiring a gradient."""
    tensors = [namespace.tensor(a) for a in arrays_of(row, dtype)]
    for place in row.wrt:
        tensors[place].requires_grad_()
    return tensors


def loss_of(namespace: Any, row: Row, leaves: Sequence[Any], dtype: Any = np.float64) -> Any:
    """The row's loss of the given tensors, by minigrad or torch."""
    functional = namespace.nn.functional
    function = function_of(functional, getattr(namespace.nn, "extra", None), row)
    return function(*inputs_of(functional, row, leaves), **options_of(namespace, row, dtype))


def inputs_of(functional: Any, row: Row, leaves: Sequence[Any]) -> list:
    """What the loss is given: the leaves, the first one after `through`."""
    first = leaves[0] if row.through is None else row.through(functional, leaves[0])
    return [first, *leaves[1:]]


def options_of(namespace: Any, row: Row, dtype: Any = np.float64) -> dict[str, Any]:
    """The row's options with arrays as tensors."""

    def made(value: Any) -> Any:
        if isinstance(value, Made):
            return getattr(namespace.nn, value.name)(**dict(value.arguments))
        if not isinstance(value, np.ndarray):
            return value
        return namespace.tensor(value.astype(dtype) if value.dtype.kind == "f" else value)

    return {name: made(value) for name, value in row.options}


def cotangent_of(shape: tuple[int, ...]) -> np.ndarray:
    """A random cotangent: one of ones would hide mistakes."""
    return np.asarray(np.random.default_rng(99).uniform(-1.5, 1.5, shape))
