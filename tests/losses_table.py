"""One table of losses: every row is a function, inputs for it, and the options it is tried with.

`test_losses.py` holds kernel = definition = torch = numeric difference for every row, values, gradients and
second derivatives. `record_losses.py` stores torch's values, so that the suite needs no torch.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

REDUCTIONS = ("mean", "sum", "none")


@dataclass(frozen=True)
class Row:
    """A loss call: arrays by position, options by name (array options become tensors)."""

    function: str
    module: str | None  # the class whose options these are; None for options only the function has
    inputs: Callable[[np.random.Generator], tuple[np.ndarray, ...]]
    label: str = ""
    options: tuple[tuple[str, Any], ...] = ()
    wrt: tuple[int, ...] = (0,)  # the inputs that require a gradient
    second_order: bool = True
    kernel: bool = True  # whether the kernel is expected to apply

    def __str__(self) -> str:
        text = ",".join(f"{k}={_short(v)}" for k, v in self.options)
        return f"{self.function}-{self.label}-{text}-wrt{''.join(map(str, self.wrt))}"


def _short(value: Any) -> str:
    return f"array{value.shape}" if isinstance(value, np.ndarray) else str(value)


def _normal(*shapes: tuple[int, ...], scale: float = 2.0) -> Callable[..., tuple[np.ndarray, ...]]:
    return lambda rng: tuple(rng.standard_normal(shape) * scale for shape in shapes)


def _away_from_kinks(shape: tuple[int, ...], *kinks: float) -> Callable[..., tuple[np.ndarray, ...]]:
    """Predictions and targets whose difference keeps 0.05 away from the given kinks of |x - y|."""

    def make(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        y = rng.standard_normal(shape)
        d = rng.standard_normal(shape) * 2
        for kink in (0.0, *kinks):
            close = np.abs(np.abs(d) - kink) < 0.05
            d = np.where(close, d + 0.2 * np.where(d < 0, -1, 1), d)
        return y + d, y

    return make


def _unit(*shapes: tuple[int, ...]) -> Callable[..., tuple[np.ndarray, ...]]:
    return lambda rng: tuple(rng.uniform(0.05, 0.95, shape) for shape in shapes)


def _logits_and_unit(shape: tuple[int, ...]) -> Callable[..., tuple[np.ndarray, ...]]:
    return lambda rng: (rng.standard_normal(shape) * 3, rng.uniform(0, 1, shape))


def _log_softmax(x: np.ndarray) -> np.ndarray:
    dim = 1 if x.ndim > 1 else 0
    return x - np.log(np.exp(x).sum(dim, keepdims=True))


def _log_probabilities(
    shape: tuple[int, ...], log_target: bool = False, zero: bool = False
) -> Callable[..., tuple[np.ndarray, ...]]:
    def make(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        x, t = (_log_softmax(rng.standard_normal(shape)) for _ in range(2))
        t = t if log_target else np.exp(t)
        if zero:
            t.flat[0] = 0.0
        return x, t

    return make


def _classes(
    shape: tuple[int, ...], target: tuple[int, ...], log: bool = False
) -> Callable[..., tuple[np.ndarray, ...]]:
    count = shape[1] if len(shape) > 1 else shape[0]

    def make(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        x = rng.standard_normal(shape) * 3
        return (_log_softmax(x) if log else x), rng.integers(0, count, target)

    return make


def _class_probabilities(shape: tuple[int, ...]) -> Callable[..., tuple[np.ndarray, ...]]:
    return lambda rng: (rng.standard_normal(shape) * 3, np.exp(_log_softmax(rng.standard_normal(shape))))


def _signs(shape: tuple[int, ...]) -> Callable[..., tuple[np.ndarray, ...]]:
    return lambda rng: (rng.uniform(0, 3, shape), rng.choice([-1.0, 1.0], shape))


def _grid(**choices: tuple[Any, ...]) -> Iterator[tuple[tuple[str, Any], ...]]:
    """Every combination of the options; None leaves an option out."""
    for values in itertools.product(*choices.values()):
        yield tuple(
            (k, v) for k, v in zip(choices, values, strict=True) if not (v is None and k != "reduction")
        )


def _rows() -> Iterator[Row]:
    shapes = (("matrix", (5, 4)), ("vector", (7,)), ("scalar", ()))
    for label, shape in shapes:
        for options in _grid(reduction=REDUCTIONS):
            yield Row("mse_loss", "MSELoss", _normal(shape, shape), label, options)
            yield Row("l1_loss", "L1Loss", _away_from_kinks(shape), label, options)
        for options in _grid(reduction=REDUCTIONS, beta=(0.5, 1.0, 0.0)):
            beta = dict(options)["beta"]
            yield Row("smooth_l1_loss", "SmoothL1Loss", _away_from_kinks(shape, beta), label, options)
        for options in _grid(reduction=REDUCTIONS):
            yield Row("binary_cross_entropy", "BCELoss", _unit(shape, shape), label, options)
            name = "binary_cross_entropy_with_logits"
            yield Row(name, "BCEWithLogitsLoss", _logits_and_unit(shape), label, options)
            yield Row("hinge_embedding_loss", "HingeEmbeddingLoss", _signs(shape), label, options)
    for options in _grid(reduction=REDUCTIONS):
        weighted = (*options, ("weight", np.linspace(0.5, 2, 20).reshape(5, 4)))
        both = {"wrt": (0, 1), "kernel": False}
        yield Row("mse_loss", None, _normal((5, 4), (5, 4)), "weighted", weighted, kernel=False)
        yield Row("l1_loss", None, _away_from_kinks((5, 4)), "weighted", weighted, kernel=False)
        yield Row("mse_loss", "MSELoss", _normal((5, 4), (5, 4)), "target", options, **both)
        yield Row("l1_loss", "L1Loss", _away_from_kinks((5, 4)), "target", options, **both)
        yield Row("binary_cross_entropy", "BCELoss", _unit((5, 4), (5, 4)), "target", options, **both)
        name = "binary_cross_entropy_with_logits"
        yield Row(name, "BCEWithLogitsLoss", _logits_and_unit((5, 4)), "target", options, **both)
    for options in _grid(reduction=REDUCTIONS, margin=(0.5, 1.5)):
        yield Row("hinge_embedding_loss", "HingeEmbeddingLoss", _signs((5, 4)), "margin", options)

    weights = (np.linspace(0.5, 2, 20).reshape(5, 4), np.array([1.0, 2.0, 3.0, 0.5]))
    for options in _grid(reduction=REDUCTIONS, weight=weights):
        yield Row("binary_cross_entropy", "BCELoss", _unit((5, 4), (5, 4)), "weighted", options)
    for options in _grid(reduction=REDUCTIONS, weight=(None, *weights), pos_weight=(None, weights[1])):
        name = "binary_cross_entropy_with_logits"
        yield Row(name, "BCEWithLogitsLoss", _logits_and_unit((5, 4)), "weighted", options)

    for options in _grid(reduction=(*REDUCTIONS, "batchmean"), log_target=(False, True)):
        log_target = dict(options)["log_target"]
        pair = _log_probabilities((5, 4), log_target)
        yield Row("kl_div", "KLDivLoss", pair, "matrix", options)
        yield Row("kl_div", "KLDivLoss", pair, "target", options, wrt=(0, 1), kernel=False)
        if not log_target:
            yield Row("kl_div", "KLDivLoss", _log_probabilities((5, 4), zero=True), "zero", options)

    class_weights = (None, np.array([1.0, 2.0, 3.0, 0.5]))
    class_shapes = (
        ("rows", (5, 4), (5,)),
        ("sample", (4,), ()),
        ("kdim", (5, 4, 3), (5, 3)),
        ("image", (2, 4, 3, 2), (2, 3, 2)),
    )
    for label, shape, target in class_shapes:
        ignored = (None, 1) if target else (None,)
        for options in _grid(reduction=REDUCTIONS, weight=class_weights, ignore_index=ignored):
            yield Row("nll_loss", "NLLLoss", _classes(shape, target, log=True), label, options)
        for options in _grid(
            reduction=REDUCTIONS,
            weight=class_weights,
            ignore_index=ignored,
            label_smoothing=(0.0, 0.1, 1.0),
        ):
            yield Row("cross_entropy", "CrossEntropyLoss", _classes(shape, target), label, options)
        for options in _grid(reduction=REDUCTIONS, weight=class_weights, label_smoothing=(0.0, 0.1)):
            soft = _class_probabilities(shape)
            yield Row("cross_entropy", "CrossEntropyLoss", soft, f"soft-{label}", options)
            yield Row(
                "cross_entropy",
                "CrossEntropyLoss",
                soft,
                f"soft-{label}-target",
                options,
                wrt=(0, 1),
                kernel=False,
            )

    for options in _grid(reduction=REDUCTIONS, margin=(0.0, 0.3)):
        rows = lambda rng: (  # noqa: E731
            rng.standard_normal((6, 3)),
            rng.standard_normal((6, 3)),
            np.array([1.0, -1.0, 1.0, -1.0, -1.0, 1.0]),
        )
        pair = lambda rng: (rng.standard_normal(3), rng.standard_normal(3), np.array(1.0))  # noqa: E731
        for label, inputs in (("rows", rows), ("pair", pair)):
            yield Row("cosine_embedding_loss", "CosineEmbeddingLoss", inputs, label, options, wrt=(0, 1))


ROWS = list(_rows())


def arrays_of(row: Row, dtype: Any = np.float64) -> tuple[np.ndarray, ...]:
    """The row's inputs, the same in every run and on every machine."""
    rng = np.random.default_rng(sum(map(ord, f"{row.function}-{row.label}")))
    made = (np.asarray(a) for a in row.inputs(rng))
    return tuple(a.astype(dtype) if a.dtype.kind == "f" else a for a in made)


def call(namespace: Any, functional: Any, row: Row, dtype: Any = np.float64) -> tuple[list, Any]:
    """The row run on minigrad or torch: the leaf tensors and the loss."""
    tensors = [namespace.tensor(a) for a in arrays_of(row, dtype)]
    for place in row.wrt:
        tensors[place].requires_grad_()
    return tensors, getattr(functional, row.function)(*tensors, **options_of(namespace, row, dtype))


def options_of(namespace: Any, row: Row, dtype: Any = np.float64) -> dict[str, Any]:
    """The row's options with arrays as tensors."""
    return {k: namespace.tensor(v.astype(dtype)) if isinstance(v, np.ndarray) else v for k, v in row.options}


def cotangent_of(shape: tuple[int, ...]) -> np.ndarray:
    """A random cotangent: one of ones would hide mistakes."""
    return np.asarray(np.random.default_rng(99).uniform(-1.5, 1.5, shape))
