"""Rows and errors of the losses that ask for a margin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import minigrad
from losses_table.base import REDUCTIONS, SHAPES, Row, classes, grid, logits_and_unit, signs
from minigrad import nn
from minigrad.nn import functional as F

# A sample's labels end with the first -1; the third lists one twice, the last none.
LABELS = np.array([[0, 2, -1, 1], [3, -1, -1, -1], [1, 1, -1, 0], [2, 0, 3, 1], [-1, 0, 1, 2]])


def _scores_and_signs(shape: tuple[int, ...], count: int = 1) -> Callable[..., tuple[np.ndarray, ...]]:
    """Some arrays of scores, then one of signs."""
    return lambda rng: (
        *(rng.standard_normal(shape) * 2 for _ in range(count)),
        rng.choice([-1.0, 1.0], shape),
    )


def _broadcasting(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    return rng.standard_normal((5, 1)), rng.standard_normal((1, 4)), rng.choice([-1.0, 1.0], (5, 4))


def rows() -> Iterator[Row]:
    """The calls that are compared."""
    yield from _elementwise()
    yield from _between_classes()
    yield from _several_labels()


def _elementwise() -> Iterator[Row]:
    for label, shape in SHAPES:
        for options in grid(reduction=REDUCTIONS):
            pairs = _scores_and_signs(shape, 2)
            yield Row("hinge_embedding_loss", "HingeEmbeddingLoss", signs(shape), label, options)
            yield Row("soft_margin_loss", "SoftMarginLoss", _scores_and_signs(shape), label, options)
            yield Row("margin_ranking_loss", "MarginRankingLoss", pairs, label, options, wrt=(0, 1))
    for options in grid(reduction=REDUCTIONS):
        scores = _scores_and_signs((5, 4))
        both = {"wrt": (0, 1), "kernel": False}
        yield Row("hinge_embedding_loss", "HingeEmbeddingLoss", scores, "any score", options)
        yield Row("soft_margin_loss", "SoftMarginLoss", logits_and_unit((5, 4)), "fractions", options)
        yield Row("margin_ranking_loss", "MarginRankingLoss", _broadcasting, "broadcast", options, **both)
    for options in grid(reduction=REDUCTIONS, margin=(0.5, 1.5)):
        pairs = _scores_and_signs((5, 4), 2)
        every = {"wrt": (0, 1, 2), "kernel": False}
        yield Row("hinge_embedding_loss", "HingeEmbeddingLoss", signs((5, 4)), "margin", options)
        yield Row("margin_ranking_loss", "MarginRankingLoss", pairs, "margin", options, wrt=(0, 1))
        yield Row("margin_ranking_loss", "MarginRankingLoss", pairs, "target", options, **every)


def _between_classes() -> Iterator[Row]:
    weight = np.array([1.0, 2.0, 3.0, 0.5])
    for label, shape, target in (("rows", (5, 4), (5,)), ("sample", (4,), ()), ("one", (4,), (1,))):
        for options in grid(reduction=REDUCTIONS, p=(1, 2)):
            yield Row("multi_margin_loss", "MultiMarginLoss", classes(shape, target), label, options)
    for options in grid(reduction=REDUCTIONS, p=(1, 2), margin=(0.3, -1.0), weight=(weight,)):
        yield Row("multi_margin_loss", "MultiMarginLoss", classes((5, 4), (5,)), "weighted", options)


def _several_labels() -> Iterator[Row]:
    soft = ("multilabel_soft_margin_loss", "MultiLabelSoftMarginLoss")
    for options in grid(reduction=REDUCTIONS):
        for label, places in (("rows", slice(None)), ("sample", 0)):
            listed = lambda rng, places=places: (  # noqa: E731
                rng.standard_normal((5, 4))[places] * 2,
                LABELS[places],
            )
            yield Row("multilabel_margin_loss", "MultiLabelMarginLoss", listed, label, options)
        for label, shape in (("rows", (5, 4)), ("sample", (4,)), ("deep", (2, 3, 4))):
            yield Row(*soft, logits_and_unit(shape), label, options)
        yield Row(*soft, logits_and_unit((5, 4)), "target", options, wrt=(0, 1), kernel=False)
    weights = (np.array([1.0, 2.0, 3.0, 0.5]), np.linspace(0.5, 2, 20).reshape(5, 4))
    for options in grid(reduction=REDUCTIONS, weight=weights):
        yield Row(*soft, logits_and_unit((5, 4)), "weighted", options)


_X, _Y, _L = minigrad.zeros(3, 5), minigrad.tensor([0, 1, 2]), minigrad.tensor([[3, 0, -1, 1]])
_OUT_OF_RANGE = "argument #2 'target' is out of range"
_NO_ROWS = "Expected non-empty vector or matrix with optional 0-dim batch size, but got: "
_SAMPLES = "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch size). Expected target size "
# function, arguments, options, exception, its first line
ERRORS: list[tuple[Any, tuple, dict, type[Exception], str]] = [
    (F.hinge_embedding_loss, (_X[0], _X[0, :4]), {}, RuntimeError, "The size of tensor a (4) must match the size of tensor b (5) at non-singleton dimension 0"),
    (F.hinge_embedding_loss, (_X, _X), {"reduction": "foo"}, ValueError, "foo is not a valid value for reduction"),
    (F.hinge_embedding_loss, ([1.0], [1]), {}, TypeError, "argument 'input' must be Tensor, not list"),
    (F.soft_margin_loss, (minigrad.zeros(3, 1), minigrad.zeros(3)), {}, RuntimeError, "output with shape [3, 1] doesn't match the broadcast shape [3, 3]"),
    (F.soft_margin_loss, (_X, minigrad.zeros(4)), {}, RuntimeError, "The size of tensor a (5) must match the size of tensor b (4) at non-singleton dimension 1"),
    (F.soft_margin_loss, (_Y, minigrad.zeros(3)), {}, RuntimeError, "result type Float can't be cast to the desired output type Long"),
    (F.soft_margin_loss, (_X, _X), {"reduction": "foo"}, ValueError, "foo is not a valid value for reduction"),
    (F.margin_ranking_loss, (minigrad.zeros(3, 1), minigrad.zeros(3), minigrad.zeros(3)), {}, RuntimeError, "margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: torch.Size([3, 1]), input2: torch.Size([3]), target: torch.Size([3]) "),
    (F.margin_ranking_loss, (_X[0], _X[0, :4], _X[0]), {}, RuntimeError, "The size of tensor a (5) must match the size of tensor b (4) at non-singleton dimension 0"),
    (F.margin_ranking_loss, (_X[0], _X[0], _X[0, :4]), {}, RuntimeError, "The size of tensor a (4) must match the size of tensor b (5) at non-singleton dimension 0"),
    (F.margin_ranking_loss, (_X, _X, _X > 0), {}, RuntimeError, "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead."),
    (F.margin_ranking_loss, (_X, _X, _X), {"reduction": "foo"}, ValueError, "foo is not a valid value for reduction"),
    (F.margin_ranking_loss, (_X, 1.0, _X), {}, TypeError, "argument 'input2' must be Tensor, not float"),
    (F.multi_margin_loss, (_X, _Y.float()), {}, RuntimeError, "expected scalar type Long but found Float"),
    (F.multi_margin_loss, (_X, _Y), {"p": 3}, ValueError, "only p == 1 and p == 2 supported"),
    (nn.MultiMarginLoss, (3,), {}, ValueError, "only p == 1 and p == 2 supported"),
    (F.multi_margin_loss, (_X, _Y), {"weight": minigrad.ones(2, 5)}, ValueError, "weight must be one-dimensional"),
    (nn.MultiMarginLoss, (), {"weight": minigrad.ones(2, 5)}, ValueError, "MultiMarginLoss: expected weight to be None or 1D tensor, got 2D instead"),
    (nn.MultiMarginLoss, (), {"weight": [1.0]}, TypeError, "cannot assign 'list' object to buffer 'weight' (torch Tensor or None required)"),
    (F.multi_margin_loss, (_X, _Y), {"weight": minigrad.ones(4)}, RuntimeError, "inconsistent weight size, expected 5 but got [4]"),
    (F.multi_margin_loss, (_X, _Y), {"weight": minigrad.ones(5).double()}, RuntimeError, "expected scalar type Float but found Double"),
    (F.multi_margin_loss, (_X, minigrad.tensor([0, 5, 1])), {}, RuntimeError, "target out of range"),
    (F.multi_margin_loss, (_X, minigrad.tensor([0, -100, 1])), {}, RuntimeError, "target out of range"),
    (F.multi_margin_loss, (_X, _Y[:2]), {}, RuntimeError, _SAMPLES + "[3], but got [2]. Input has shape [3, 5]."),
    (F.multi_margin_loss, (_X, _Y[:, None]), {}, RuntimeError, _SAMPLES + "[3], but got [3, 1]. Input has shape [3, 5]."),
    (F.multi_margin_loss, (_X, _Y[0]), {}, RuntimeError, _SAMPLES + "[3], but got []. Input has shape [3, 5]."),
    (F.multi_margin_loss, (_X[0], _Y), {}, RuntimeError, _SAMPLES + "[1], but got [3]. Input has shape [5]."),
    (F.multi_margin_loss, (minigrad.zeros(2, 3, 4), _Y[:2]), {}, RuntimeError, _NO_ROWS + "[2, 3, 4]"),
    (F.multi_margin_loss, (minigrad.zeros(3, 0), _Y), {}, RuntimeError, _NO_ROWS + "[3, 0]"),
    (F.multi_margin_loss, (_X.long(), _Y), {}, NotImplementedError, "\"multi_margin_loss_cpu_kernel\" not implemented for 'Long'"),
    (F.multi_margin_loss, (_X, _Y), {"reduction": "foo"}, ValueError, "foo is not a valid value for reduction"),
    (F.multilabel_margin_loss, (_X[:1, :4], _L.float()), {}, RuntimeError, "expected scalar type Long but found Float"),
    (F.multilabel_margin_loss, (_X[:1, :4], minigrad.tensor([[3, 0, -1, 4]])), {}, RuntimeError, _OUT_OF_RANGE),
    (F.multilabel_margin_loss, (_X[:1, :4], minigrad.tensor([[-2, 0, -1, 3]])), {}, RuntimeError, _OUT_OF_RANGE),
    (F.multilabel_margin_loss, (_X[:1, :4], _L[:, :3]), {}, RuntimeError, "inconsistent target size: [1, 3] for input of size: [1, 4]"),
    (F.multilabel_margin_loss, (_X[0, :4], _L), {}, RuntimeError, "inconsistent target size: [1, 4] for input of size: [4]"),
    (F.multilabel_margin_loss, (minigrad.zeros(1, 2, 3), _L), {}, RuntimeError, _NO_ROWS + "[1, 2, 3]"),
    (F.multilabel_margin_loss, (_L, _X[:1, :4]), {}, NotImplementedError, "\"multilabel_margin_loss_forward_out_frame\" not implemented for 'Long'"),
    (F.multilabel_margin_loss, (_X[:1, :4], _L), {"reduction": "foo"}, ValueError, "foo is not a valid value for reduction"),
    (F.multilabel_soft_margin_loss, (_X, _X), {"reduction": "foo"}, ValueError, "foo is not valid"),
    (nn.MultiLabelSoftMarginLoss, (), {"reduction": "foo"}, ValueError, "foo is not valid"),
    (F.multilabel_soft_margin_loss, (_X[0, 0], _X[0, 0]), {}, IndexError, "Dimension specified as -1 but tensor has no dimensions"),
    (F.multilabel_soft_margin_loss, (_X, _X[:, :4]), {}, RuntimeError, "The size of tensor a (4) must match the size of tensor b (5) at non-singleton dimension 1"),
    (F.multilabel_soft_margin_loss, (_X, _X), {"weight": minigrad.ones(4)}, RuntimeError, "The size of tensor a (5) must match the size of tensor b (4) at non-singleton dimension 1"),
    (F.multilabel_soft_margin_loss, (_X, _X), {"weight": [1.0]}, TypeError, "argument 'weight' must be Tensor, not list"),
    (F.multilabel_soft_margin_loss, (_X.long(), _X), {}, NotImplementedError, "\"log_sigmoid_cpu\" not implemented for 'Long'"),
]  # fmt: skip
