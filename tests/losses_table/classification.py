"""Rows and errors of the losses of one class among many."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import minigrad
from losses_table.base import REDUCTIONS, Row, class_probabilities, classes, grid
from minigrad import nn
from minigrad.nn import functional as F


def rows() -> Iterator[Row]:
    """The calls that are compared."""
    class_weights = (None, np.array([1.0, 2.0, 3.0, 0.5]))
    class_shapes = (
        ("rows", (5, 4), (5,)),
        ("sample", (4,), ()),
        ("kdim", (5, 4, 3), (5, 3)),
        ("image", (2, 4, 3, 2), (2, 3, 2)),
    )
    for label, shape, target in class_shapes:
        ignored = (None, 1) if target else (None,)
        for options in grid(reduction=REDUCTIONS, weight=class_weights, ignore_index=ignored):
            yield Row("nll_loss", "NLLLoss", classes(shape, target, log=True), label, options)
        for options in grid(
            reduction=REDUCTIONS,
            weight=class_weights,
            ignore_index=ignored,
            label_smoothing=(0.0, 0.1, 1.0),
        ):
            yield Row("cross_entropy", "CrossEntropyLoss", classes(shape, target), label, options)
        for options in grid(reduction=REDUCTIONS, weight=class_weights, label_smoothing=(0.0, 0.1)):
            soft = class_probabilities(shape)
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
    shapes = {label: (shape, target) for label, shape, target in class_shapes}
    for label, reduction, options in (
        ("rows", "mean", {"z_loss": 0.01}),
        ("rows", "none", {"z_loss": 0.3, "weight": class_weights[1], "ignore_index": 1}),
        ("rows", "mean", {"softcap": 4.0}),
        ("sample", "sum", {"z_loss": 0.1, "softcap": 2.0}),
        (
            "image",
            "mean",
            {"z_loss": 0.1, "softcap": 5.0, "label_smoothing": 0.2, "weight": class_weights[1]},
        ),
        ("wide", "mean", {"z_loss": 0.1, "softcap": 5.0, "label_smoothing": 0.2}),
        ("strip", "none", {"z_loss": 0.1, "softcap": 5.0, "ignore_index": 1}),
    ):
        shape, target = {**shapes, "wide": ((2, 70), (2,)), "strip": ((1, 3, 20), (1, 20))}[label]
        every = (("reduction", reduction), *options.items())
        for form, inputs in (("", classes(shape, target)), ("soft-", class_probabilities(shape))):
            these = tuple((k, v) for k, v in every if not (form and k == "ignore_index"))
            yield Row(
                "cross_entropy",
                "CrossEntropyLoss",
                inputs,
                f"{form}{label}-more",
                these,
                reference=_cross_entropy,
            )


def _cross_entropy(
    x: np.ndarray,
    target: np.ndarray,
    reduction: str = "mean",
    weight: np.ndarray | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    z_loss: float = 0.0,
    softcap: float | None = None,
) -> np.ndarray:
    """Sample by sample."""
    soft = target.shape == x.shape
    rows = np.atleast_2d(np.moveaxis(x, 1, -1) if x.ndim > 1 else x)
    shape, count = rows.shape[:-1] if x.ndim > 1 else (), rows.shape[-1]
    marks = np.moveaxis(target, 1, -1) if soft and x.ndim > 1 else target
    w = np.ones(count) if weight is None else weight
    losses, weights = [], []
    for row, mark in zip(rows.reshape(-1, count), marks.reshape((-1, count) if soft else -1), strict=True):
        z = row if softcap is None else softcap * np.tanh(row / softcap)
        lse = np.log(np.exp(z).sum())
        share = mark if soft else np.eye(count)[mark]
        q = (1 - label_smoothing) * share + label_smoothing / count
        counts = 1.0 if soft else float(mark != ignore_index)
        of_sample = 1.0 if soft else w[mark]
        # The smoothed part has each class's weight, the rest the target's.
        losses.append(counts * ((w * q * (lse - z)).sum() + of_sample * z_loss * lse**2))
        weights.append(counts * of_sample)
    if reduction == "mean":
        return np.sum(losses) / np.sum(weights)
    return np.sum(losses) if reduction == "sum" else np.reshape(losses, shape)


_X, _Y = minigrad.zeros(3, 5), minigrad.tensor([0, 1, 2])
# function, arguments, options, exception, its first line
ERRORS: list[tuple[Any, tuple, dict, type[Exception], str]] = [
    (F.cross_entropy, (_X, minigrad.zeros(3)), {}, RuntimeError, "expected target dtype to be Long or Byte, but got Float"),
    (F.cross_entropy, (_X, minigrad.zeros(3, 1).long()), {}, RuntimeError, "0D or 1D target tensor expected, multi-target not supported"),
    (F.cross_entropy, (_X, minigrad.zeros(3, 4)), {}, RuntimeError, "0D or 1D target tensor expected, multi-target not supported"),
    (F.cross_entropy, (_X, minigrad.zeros(3, 5).long()), {}, RuntimeError, "Expected floating point type for target with class probabilities, got Long"),
    (F.cross_entropy, (_X, minigrad.tensor([0, 5, 1])), {}, IndexError, "Target 5 is out of bounds."),
    (F.cross_entropy, (_X, minigrad.tensor([0, -1, 1])), {}, IndexError, "Target -1 is out of bounds."),
    (F.cross_entropy, (_X, _Y[:2]), {}, ValueError, "Expected input batch_size (3) to match target batch_size (2)."),
    (F.cross_entropy, (_X, _Y), {"weight": minigrad.ones(4)}, RuntimeError, "weight tensor should be defined either for all 5 classes or no classes but got weight tensor of shape: [4]"),
    (F.cross_entropy, (_X, _Y), {"weight": minigrad.ones(5).double()}, RuntimeError, "expected scalar type Float but found Double"),
    (F.cross_entropy, (_X, _Y), {"reduction": "foo"}, ValueError, "foo is not a valid value for reduction"),
    (F.cross_entropy, (_X, _Y), {"label_smoothing": 1.5}, RuntimeError, "label_smoothing must be between 0.0 and 1.0. Got: 1.5"),
    (F.cross_entropy, (_X, minigrad.zeros(3, 5)), {"ignore_index": 1}, RuntimeError, "ignore_index is not supported for floating point target"),
    (F.cross_entropy, (minigrad.zeros(2, 3, 4, 4), minigrad.zeros(2, 1, 4, 4).long()), {}, RuntimeError, "only batches of spatial targets supported (3D tensors) but got targets of dimension: 4"),
    (F.cross_entropy, (minigrad.zeros(2, 7, 5), minigrad.zeros(2, 7).long()), {}, RuntimeError, "Expected target size [2, 5], got [2, 7]"),
    (F.cross_entropy, (_Y, _Y[0]), {}, NotImplementedError, "\"log_softmax_lastdim_kernel_impl\" not implemented for 'Long'"),
    (F.nll_loss, (_X, minigrad.zeros(3)), {}, RuntimeError, "expected target dtype to be Long or Byte, but got Float"),
    (F.nll_loss, (minigrad.zeros(2, 3, 4, 4), minigrad.zeros(2, 4, 5).long()), {}, RuntimeError, "size mismatch (got input: [2, 3, 4, 4] , target: [2, 4, 5]"),
    (F.nll_loss, (minigrad.zeros(()), minigrad.zeros(()).long()), {}, ValueError, "Expected 1 or more dimensions (got 0)"),
    (F.nll_loss, (_X, minigrad.tensor([0, 9, 1])), {}, IndexError, "Target 9 is out of bounds."),
    (F.cross_entropy, (_X, _Y), {"label_smoothing": -0.1}, RuntimeError, "label_smoothing must be between 0.0 and 1.0. Got: -0.1"),
    (F.cross_entropy, (_X, _Y), {"z_loss": -1.0}, ValueError, "z_loss must be non-negative, but got -1.0"),
    (F.cross_entropy, (_X, _Y), {"softcap": 0.0}, ValueError, "softcap must be positive, but got 0.0"),
    (nn.CrossEntropyLoss, (), {"label_smoothing": -0.1}, RuntimeError, "label_smoothing must be between 0.0 and 1.0. Got: -0.1"),
    (nn.CrossEntropyLoss, (), {"label_smoothing": 1.5}, RuntimeError, "label_smoothing must be between 0.0 and 1.0. Got: 1.5"),
    (nn.CrossEntropyLoss, (), {"z_loss": -1.0}, ValueError, "z_loss must be non-negative, but got -1.0"),
    (nn.CrossEntropyLoss, (), {"softcap": -1.0}, ValueError, "softcap must be positive, but got -1.0"),
    (F.cross_entropy, (_X, _Y == 0), {}, RuntimeError, "expected target dtype to be Long or Byte, but got Bool"),
    (F.cross_entropy, (_X[0], _Y[:2]), {}, ValueError, "For 1D input, 1D target must have size 1, but got target size: 2"),
    (F.cross_entropy, (minigrad.zeros(3, 0), _Y), {}, IndexError, "Target 0 is out of bounds."),
    (F.cross_entropy, (_X, _Y), {"weight": minigrad.ones(2, 2)}, RuntimeError, "weight tensor should be defined either for all 5 classes or no classes but got weight tensor of shape: [2, 2]"),
    (F.cross_entropy, (_X, minigrad.zeros(3, 5)), {"weight": minigrad.ones(3)}, RuntimeError, "cross_entropy: weight tensor should be defined either for all 5 classes or no classes but got weight tensor of shape: [3]"),
    (F.cross_entropy, ([[0.0]], _Y), {}, TypeError, "cross_entropy_loss(): argument 'input' (position 1) must be Tensor, not list"),
    (F.nll_loss, (_X, minigrad.zeros(3, 5)), {}, RuntimeError, "0D or 1D target tensor expected, multi-target not supported"),
    (F.nll_loss, (minigrad.zeros(2, 3, 4), minigrad.zeros(2, 5).long()), {}, RuntimeError, "Expected target size [2, 4], got [2, 5]"),
    (F.nll_loss, (_X, _Y), {"weight": minigrad.ones(4)}, RuntimeError, "weight tensor should be defined either for all 5 classes or no classes but got weight tensor of shape: [4]"),
    (F.nll_loss, (_Y, _Y[0]), {}, NotImplementedError, "\"nll_loss_out_frame\" not implemented for 'Long'"),
    (F.cross_entropy, (_X,), {}, TypeError, "cross_entropy() missing a required argument: 'target'"),
    (nn.CrossEntropyLoss, (), {"weight": [1.0]}, TypeError, "cannot assign 'list' object to buffer 'weight' (torch Tensor or None required)"),
]  # fmt: skip
