"""Rows and errors of the losses of two classes, and of several independent labels."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

import minigrad
from losses_table.base import REDUCTIONS, SHAPES, Row, grid, logits_and_unit, unit
from minigrad import nn
from minigrad.nn import functional as F


def rows() -> Iterator[Row]:
    """The calls that are compared."""
    logits = "binary_cross_entropy_with_logits"
    for label, shape in SHAPES:
        for options in grid(reduction=REDUCTIONS):
            yield Row("binary_cross_entropy", "BCELoss", unit(shape, shape), label, options)
            yield Row(logits, "BCEWithLogitsLoss", logits_and_unit(shape), label, options)
    for options in grid(reduction=REDUCTIONS):
        both = {"wrt": (0, 1), "kernel": False}
        yield Row("binary_cross_entropy", "BCELoss", unit((5, 4), (5, 4)), "target", options, **both)
        yield Row(logits, "BCEWithLogitsLoss", logits_and_unit((5, 4)), "target", options, **both)
    weights = (np.linspace(0.5, 2, 20).reshape(5, 4), np.array([1.0, 2.0, 3.0, 0.5]))
    for options in grid(reduction=REDUCTIONS, weight=weights):
        yield Row("binary_cross_entropy", "BCELoss", unit((5, 4), (5, 4)), "weighted", options)
        yield Row("binary_cross_entropy", "BCELoss", unit((5, 4), (5, 4)), "weighted-target", options, **both)
    for options in grid(reduction=REDUCTIONS, weight=(None, *weights), pos_weight=(None, weights[1])):
        yield Row(logits, "BCEWithLogitsLoss", logits_and_unit((5, 4)), "weighted", options)


_X, _Y = minigrad.zeros(2, 3), minigrad.tensor([0, 1, 2])
# function, arguments, options, exception, its first line
ERRORS: list[tuple[Any, tuple, dict, type[Exception], str]] = [
    (F.binary_cross_entropy, (minigrad.rand(3, 1), minigrad.rand(3)), {}, ValueError, "Using a target size (torch.Size([3])) that is different to the input size (torch.Size([3, 1])) is deprecated. Please ensure they have the same size."),
    (F.binary_cross_entropy, (minigrad.tensor([1.2]), minigrad.ones(1)), {}, RuntimeError, "all elements of input should be between 0 and 1"),
    (F.binary_cross_entropy, (minigrad.tensor([math.nan]), minigrad.ones(1)), {}, RuntimeError, "all elements of input should be between 0 and 1"),
    (F.binary_cross_entropy, (minigrad.rand(1), minigrad.tensor([-1.0])), {}, RuntimeError, "all elements of target should be between 0 and 1"),
    (F.binary_cross_entropy, (minigrad.rand(2), minigrad.rand(2).double()), {}, RuntimeError, "Found dtype Double but expected Float"),
    (F.binary_cross_entropy, (minigrad.rand(3, 4), minigrad.rand(3, 4)), {"weight": minigrad.ones(2)}, RuntimeError, "Attempting to broadcast a dimension of length 2 at -1! Mismatching argument at index 1 had torch.Size([2]); but expected shape should be broadcastable to [3, 4]"),
    (F.binary_cross_entropy, (minigrad.rand(3, 4), minigrad.rand(3, 4)), {"weight": minigrad.ones(2, 3, 4)}, RuntimeError, "output with shape [3, 4] doesn't match the broadcast shape [2, 3, 4]"),
    (F.binary_cross_entropy, (_Y, _Y), {}, NotImplementedError, "\"binary_cross_entropy\" not implemented for 'Long'"),
    (F.binary_cross_entropy_with_logits, (minigrad.zeros(4, 1), minigrad.zeros(4)), {}, ValueError, "Target size (torch.Size([4])) must be the same as input size (torch.Size([4, 1]))"),
    (F.binary_cross_entropy, (minigrad.rand(2, 3), minigrad.rand(2, 3)), {"weight": minigrad.ones(3, 1)}, RuntimeError, "Attempting to broadcast a dimension of length 3 at -2! Mismatching argument at index 1 had torch.Size([3, 1]); but expected shape should be broadcastable to [2, 3]"),
    (F.binary_cross_entropy, (minigrad.rand(2), minigrad.rand(2)), {"reduction": "foo"}, ValueError, "foo is not a valid value for reduction"),
    (nn.BCELoss, (), {"weight": [1.0]}, TypeError, "cannot assign 'list' object to buffer 'weight' (torch Tensor or None required)"),
    (nn.BCELoss, (), {"reduction": "foo"}, ValueError, "foo is not a valid value for reduction"),
    (F.binary_cross_entropy_with_logits, (_Y, _Y), {}, NotImplementedError, "\"log_sigmoid_cpu\" not implemented for 'Long'"),
    (F.binary_cross_entropy_with_logits, (_X, _X), {"pos_weight": minigrad.ones(4)}, RuntimeError, "The size of tensor a (4) must match the size of tensor b (3) at non-singleton dimension 1"),
    (F.binary_cross_entropy_with_logits, (_X, _X), {"pos_weight": minigrad.ones(3, 1)}, RuntimeError, "The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 0"),
    (F.binary_cross_entropy_with_logits, (_X, _X), {"pos_weight": minigrad.ones(1, 2, 3)}, RuntimeError, "output with shape [2, 3] doesn't match the broadcast shape [1, 2, 3]"),
    (F.binary_cross_entropy_with_logits, (_X, _X), {"weight": minigrad.ones(4)}, RuntimeError, "The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 1"),
    (F.binary_cross_entropy_with_logits, (_X, _X), {"weight": minigrad.ones(3, 1)}, RuntimeError, "The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 0"),
    (F.binary_cross_entropy_with_logits, (_X, _X), {"weight": minigrad.ones(1, 2, 3)}, RuntimeError, "output with shape [2, 3] doesn't match the broadcast shape [1, 2, 3]"),
    (F.binary_cross_entropy_with_logits, (_X, _X), {"weight": 2.0}, TypeError, "argument 'weight' must be Tensor, not float"),
    (F.binary_cross_entropy_with_logits, (_X, _X), {"reduction": "foo"}, ValueError, "foo is not a valid value for reduction"),
    (nn.BCEWithLogitsLoss, (), {"pos_weight": 2.0}, TypeError, "cannot assign 'float' object to buffer 'pos_weight' (torch Tensor or None required)"),
]  # fmt: skip
