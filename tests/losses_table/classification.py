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
    (F.cross_entropy, (_X,), {}, TypeError, "cross_entropy() missing a required argument: 'target'"),
    (nn.CrossEntropyLoss, (), {"weight": [1.0]}, TypeError, "cannot assign 'list' object to buffer 'weight' (torch Tensor or None required)"),
]  # fmt: skip
