"""Rows and errors of the losses of sequences."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import minigrad
from losses_table.base import REDUCTIONS, Row, grid
from minigrad import nn
from minigrad.nn import functional as F


def enumerated(
    log_probs: np.ndarray,
    targets: np.ndarray,
    input_lengths: np.ndarray,
    target_lengths: np.ndarray,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
    exact: bool = True,
) -> Any:
    """The loss by its meaning: every way to name the frames is tried, and its probability counted or not."""
    losses = []
    for n, (frames, length) in enumerate(zip(input_lengths, target_lengths, strict=True)):
        wanted, total = targets[n, :length].tolist(), 0.0
        for path in itertools.product(range(log_probs.shape[2]), repeat=int(frames)):
            merged = [symbol for symbol, _ in itertools.groupby(path)]
            if [symbol for symbol in merged if symbol != blank] == wanted:
                total += np.exp(sum(log_probs[t, n, symbol] for t, symbol in enumerate(path)))
        losses.append(-np.log(total) if total else 0.0 if zero_infinity else np.inf)
    if reduction == "mean":
        return np.mean(np.array(losses) / np.maximum(target_lengths, 1))
    return np.sum(losses) if reduction == "sum" else np.array(losses)


def sequences(
    form: str = "padded", blank: int = 0, frames: tuple[int, ...] = (4, 5, 3)
) -> Callable[..., tuple]:
    """Logits (5, 3, 4) with two labels, the same one twice, and none; no alignment for two labels of 2 frames."""

    def make(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        logits = rng.standard_normal((5, 3, 4))
        first, second, _ = (c for c in range(4) if c != blank)
        targets = np.array([[first, second], [second, second], [blank, 9]])
        lengths = np.array([2, 2, 0])
        if form == "sample":
            return logits[:, 0], targets[0], np.array(frames[0]), np.array(2)
        if form == "concatenated":
            targets = targets[:2].ravel()
        return logits, targets, np.array(frames), lengths

    return make


def _log_softmax(functional: Any, logits: Any) -> Any:
    return functional.log_softmax(logits, -1)


def rows() -> Iterator[Row]:
    """The calls that are compared, on logits through log_softmax: only so the gradient is the derivative."""

    def row(label: str, inputs: Callable[..., tuple], options: tuple) -> Row:
        return Row("ctc_loss", "CTCLoss", inputs, label, options, through=_log_softmax)

    for options in grid(reduction=REDUCTIONS, blank=(None, 2)):
        yield row("padded", sequences(blank=dict(options).get("blank", 0)), options)
    for options in grid(reduction=REDUCTIONS):
        yield row("sample", sequences("sample"), options)
        yield Row(
            "ctc_loss",
            "CTCLoss",
            sequences(),
            "derivative",
            (*options, ("exact", True)),
            reference=enumerated,
        )
    for options in grid(reduction=REDUCTIONS, zero_infinity=(True,)):
        yield row("impossible", sequences(frames=(4, 2, 3)), options)
    yield row("concatenated", sequences("concatenated"), (("reduction", "none"),))
    yield row("frameless", sequences(frames=(5, 3, 0)), (("reduction", "none"),))
    yield row(
        "impossible-sample",
        sequences("sample", frames=(1,)),
        (("reduction", "none"), ("zero_infinity", True)),
    )


_LP = minigrad.zeros(6, 3, 5)
_TARGETS = minigrad.tensor([[1, 2, 3, 4], [1, 2, 1, 1], [2, 1, 4, 1]])
_IN, _OUT = minigrad.tensor([6, 6, 6]), minigrad.tensor([4, 2, 3])
_LIST = minigrad.tensor
_WHILE = "(while checking arguments for ctc_loss_allocate_outputs)"
_MISMATCH = (
    "ctc_loss() received an invalid combination of arguments - got ({}, int, bool), but expected one of:"
)


def _sizes(need: str, dim: int, got: int) -> str:
    return f"Expected tensor to have size {need} at dimension {dim}, but got size {got} for argument #2 'targets' {_WHILE}"


def _dimensions(wanted: str, got: int, place: int, name: str) -> str:
    return f"Expected {wanted}, but got {got}-dimensional tensor for argument #{place} '{name}' {_WHILE}"


# arguments, options, exception, its first line; what torch has no error for is in test_losses_ctc.py
_CASES: list[tuple[tuple, dict, type[Exception], str]] = [
    ((_LP, _TARGETS, _IN.float(), _OUT), {}, RuntimeError, "input_lengths must be integral"),
    ((_LP, _TARGETS, _IN.bool(), _OUT), {}, RuntimeError, "input_lengths must be integral"),
    ((_LP, _TARGETS, _IN, _OUT.float()), {}, RuntimeError, "target_lengths must be integral"),
    ((_LP, _TARGETS, _IN[:2], _OUT), {}, RuntimeError, "input_lengths must be of size batch_size"),
    ((_LP, _TARGETS, _IN, _OUT[:2]), {}, RuntimeError, "target_lengths must be of size batch_size"),
    ((_LP, _TARGETS, [6, 6], [4, 2, 3]), {}, RuntimeError, "input_lengths must be of size batch_size"),
    ((_LP[:, 0], _TARGETS[0], _IN, _OUT), {}, RuntimeError, "input_lengths must be of size batch_size"),
    ((_LP, _TARGETS, _LIST([6, 7, 6]), _OUT), {}, RuntimeError, f"Expected input_lengths to have value at most 6, but got value 7 {_WHILE}"),
    ((_LP, _TARGETS, _LIST([6, -1, 6]), _OUT), {}, RuntimeError, f"Expected input_lengths to have value at least 0, but got value -1 {_WHILE}"),
    ((_LP, _TARGETS, _IN, _LIST([4, -1, 3])), {}, RuntimeError, f"Expected target_lengths to have value at least 0, but got value -1 {_WHILE}"),
    ((_LP, _TARGETS, _IN, _LIST([5, 1, 3])), {}, RuntimeError, _sizes("at least 5", 1, 4)),
    ((_LP, _TARGETS[:2], _IN, _OUT), {}, RuntimeError, _sizes("3", 0, 2)),
    ((_LP, _TARGETS[0], _IN, _OUT), {}, RuntimeError, _sizes("9", 0, 4)),
    ((_LP, _TARGETS.flatten(), _IN, _OUT), {}, RuntimeError, _sizes("9", 0, 12)),
    ((_LP[:, 0], _TARGETS[0], _LIST(6), _LIST(2)), {}, RuntimeError, _sizes("2", 0, 4)),
    ((_LP, _TARGETS[None], _IN, _OUT), {}, RuntimeError, _dimensions("1 to 2 dimensions", 3, 2, "targets")),
    ((_LP, _TARGETS[0, 0], _IN, _OUT), {}, RuntimeError, _dimensions("1 to 2 dimensions", 0, 2, "targets")),
    ((_LP[None], _TARGETS, _IN, _OUT), {}, RuntimeError, _dimensions("3-dimensional tensor", 5, 1, "log_probs")),
    ((_LP[0, 0], _TARGETS[0], _LIST(6), _LIST(4)), {}, RuntimeError, _dimensions("3-dimensional tensor", 2, 1, "log_probs")),
    ((_LP[0, 0, 0], _TARGETS[0], _LIST(6), _LIST(4)), {}, IndexError, "Dimension out of range (expected to be in range of [-1, 0], but got 1)"),
    ((_LP, _TARGETS, _IN, _OUT), {"blank": 5}, RuntimeError, "blank must be in label range"),
    ((_LP, _TARGETS, _IN, _OUT), {"blank": -1}, RuntimeError, "blank must be in label range"),
    ((_LP, _TARGETS, _IN, _OUT), {"blank": 1.0}, TypeError, _MISMATCH.format("Tensor, Tensor, Tensor, Tensor, float")),
    ((_LP.tolist(), _TARGETS, _IN, _OUT), {}, TypeError, _MISMATCH.format("list, Tensor, Tensor, Tensor, int")),
    ((_LP[:0], _TARGETS, _IN, _OUT), {}, RuntimeError, "log_probs tensor must not be empty"),
    ((_LP[:, :0], _TARGETS[:0], _IN[:0], _OUT[:0]), {}, RuntimeError, "log_probs tensor must not be empty"),
    ((_LP[:, :, :0], _TARGETS, _IN, _OUT), {}, RuntimeError, "log_probs tensor must not be empty"),
    ((_LP.long(), _TARGETS, _IN, _OUT), {}, NotImplementedError, "\"ctc_loss_cpu\" not implemented for 'Long'"),
    ((_LP, _TARGETS, _IN, _OUT), {"reduction": "foo"}, ValueError, "foo is not a valid value for reduction"),
]  # fmt: skip
ERRORS: list[tuple[Any, tuple, dict, type[Exception], str]] = [
    *[(F.ctc_loss, *case) for case in _CASES],
    (F.ctc_loss, (_LP, _TARGETS, _IN), {}, TypeError, "ctc_loss() missing a required argument: 'target_lengths'"),
    (nn.CTCLoss, (0, "foo"), {}, ValueError, "foo is not a valid value for reduction"),
    (nn.CTCLoss(), (_LP, _TARGETS, _IN), {}, TypeError, "CTCLoss.forward() missing a required argument: 'target_lengths'"),
]  # fmt: skip
