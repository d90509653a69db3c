"""Rows and errors of the losses that include a linear layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import minigrad
from losses_table.base import REDUCTIONS, Made, Row, grid
from minigrad import nn
from minigrad.nn import functional as F

CLASSES, FEATURES = 6, 3


def _features(
    samples: tuple[int, ...], dims: tuple[int, ...] = (), soft: bool = False
) -> Callable[..., tuple[np.ndarray, ...]]:
    """Features, the weight of a layer with an output for each class and place, and a target."""

    def make(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        x, w = rng.standard_normal((*samples, FEATURES)), rng.standard_normal((CLASSES, *dims, FEATURES)) * 2
        if soft:
            return x, w, rng.dirichlet(np.ones(CLASSES), samples)
        return x, w, rng.integers(0, CLASSES, (*samples, *dims))

    return make


def rows() -> Iterator[Row]:
    """The calls that are compared."""

    def row(label: str, inputs: Any, options: Any, wrt: Any = (0, 1), kernel: bool = True) -> Row:
        return Row("linear_cross_entropy", None, inputs, label, options, wrt=wrt, kernel=kernel)

    weight, bias = np.array([1.0, 2.0, 3.0, 0.5, 0.0, 1.5]), np.linspace(-1, 1, CLASSES)
    for options in grid(reduction=REDUCTIONS, weight=(None, weight), label_smoothing=(None, 0.1)):
        yield row("rows", _features((5,)), options)
    for options in grid(reduction=REDUCTIONS, linear_bias=(None, bias), ignore_index=(None, 1)):
        yield row("bias", _features((5,)), options)
    chunks = tuple(
        Made("LinearCrossEntropyOptions", arguments)
        for arguments in ((("batch_chunk_size", 2),), (("chunking_method", "aspect_ratio"),))
    )
    for options in grid(reduction=REDUCTIONS, options=chunks):
        yield row("chunked", _features((5,)), options)
    for options in grid(reduction=REDUCTIONS, label_smoothing=(0.0, 0.1)):
        yield row("sample", _features(()), options)
        yield row("soft", _features((5,), soft=True), options)
    for options in grid(reduction=REDUCTIONS, linear_bias=(np.ones((CLASSES, 2)),)):
        yield row("kdim", _features((5,), (2,)), options, kernel=False)
    for wrt in ((0,), (1,)):
        yield row("rows", _features((5,)), (("reduction", "sum"),), wrt)
    yield row("soft-target", _features((5,), soft=True), (("reduction", "mean"),), (0, 1, 2), kernel=False)


_X, _W, _Y = minigrad.zeros(5, 3), minigrad.zeros(4, 3), minigrad.tensor([0, 1, 2, 3, 0])
_OPTIONS, _ADAPTIVE = nn.LinearCrossEntropyOptions, nn.AdaptiveLogSoftmaxWithLoss
_MODULE = _ADAPTIVE(4, 20, [5, 10], div_value=2.0)
_CUTOFFS = "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each value is between 1 and n_classes-1"
# function, arguments, options, exception, its first line
ERRORS: list[tuple[Any, tuple, dict, type[Exception], str]] = [
    (F.linear_cross_entropy, (minigrad.zeros(2, 3, 3), _W, _Y), {}, RuntimeError, "expected input with dimensionality 1 or 2, got 3"),
    (F.linear_cross_entropy, (minigrad.tensor(1.0), _W, _Y), {}, RuntimeError, "expected input with dimensionality 1 or 2, got 0"),
    (F.linear_cross_entropy, (_X, _W[0], _Y), {}, RuntimeError, "expected linear_weight with dimensionality at least 2, got 1"),
    (F.linear_cross_entropy, (_X, minigrad.zeros(4, 4), _Y), {}, RuntimeError, "expected equal input and linear_weight last dimensions (in_features), got 3 and 4, respectively"),
    (F.linear_cross_entropy, (_X, _W, _Y), {"linear_bias": minigrad.zeros(3)}, RuntimeError, "expected linear_bias shape (4,), got (3,)"),
    (F.linear_cross_entropy, (_X, minigrad.zeros(4, 2, 3), _Y), {"linear_bias": minigrad.zeros(4)}, RuntimeError, "expected linear_bias shape (4, 2), got (4,)"),
    (F.linear_cross_entropy, (_X[0], minigrad.zeros(4, 2, 3), _Y), {}, RuntimeError, "K-dimensional loss defined by linear_weight shape (4, 2, 3) requires batched input, (N, 3), got unbatched input with shape (3,)"),
    (F.linear_cross_entropy, (_X, _W, minigrad.rand(5, 4)), {"ignore_index": -100}, RuntimeError, "ignore_index cannot be specified when target contains probabilities"),
    (F.linear_cross_entropy, (_X, _W, _Y), {"reduction": "foo"}, ValueError, "foo is not a valid value for reduction"),
    (F.linear_cross_entropy, (_X, _W, _Y), {"label_smoothing": 1.5}, RuntimeError, "label_smoothing must be between 0.0 and 1.0. Got: 1.5"),
    (F.linear_cross_entropy, (_X, _W, _Y), {"label_smoothing": -0.1}, RuntimeError, "label_smoothing must be between 0.0 and 1.0. Got: -0.1"),
    (F.linear_cross_entropy, (_X, _W, minigrad.tensor([0, 1, 2, 3, 4])), {}, IndexError, "Target 4 is out of bounds."),
    (F.linear_cross_entropy, (_X, _W, minigrad.tensor([0, 1, -1, 3, 3])), {"reduction": "none", "options": _OPTIONS(batch_chunk_size=2)}, IndexError, "Target -1 is out of bounds."),
    (F.linear_cross_entropy, (_X, _W, _Y[:3]), {}, ValueError, "Expected input batch_size (5) to match target batch_size (3)."),
    (F.linear_cross_entropy, (_X, _W, _Y.double()), {}, RuntimeError, "expected target dtype to be Long or Byte, but got Double"),
    (F.linear_cross_entropy, (_X, _W, _Y.reshape(5, 1)), {}, RuntimeError, "0D or 1D target tensor expected, multi-target not supported"),
    (F.linear_cross_entropy, (_X, _W.double(), _Y), {"linear_bias": minigrad.zeros(4).double()}, RuntimeError, "mat1 and mat2 must have the same dtype, but got Float and Double"),
    (F.linear_cross_entropy, (_X.long(), _W.long(), _Y), {}, NotImplementedError, "\"log_softmax_lastdim_kernel_impl\" not implemented for 'Long'"),
    (F.linear_cross_entropy, (_X, _W, _Y), {"weight": minigrad.ones(3)}, RuntimeError, "weight tensor should be defined either for all 4 classes or no classes but got weight tensor of shape: [3]"),
    (F.linear_cross_entropy, (_X, _W, _Y), {"weight": minigrad.ones(4).double()}, RuntimeError, "expected scalar type Float but found Double"),
    (F.linear_cross_entropy, ([1.0], _W, _Y), {}, TypeError, "linear_cross_entropy(): argument 'input' must be Tensor, not list"),
    (F.linear_cross_entropy, (_X, _W, _Y), {"linear_bias": [1.0]}, TypeError, "linear_cross_entropy(): argument 'linear_bias' must be Tensor, not list"),
    (F.linear_cross_entropy, (_X, _W, _Y), {"options": 3}, TypeError, "options must be LinearCrossEntropyOptions or None, not int"),
    (F.linear_cross_entropy, (_X, _W, _Y), {"options": _OPTIONS(acc_dtype=minigrad.float64)}, RuntimeError, "linear_cross_entropy supports float32 acc_dtype with float16/bfloat16 inputs, but got torch.float64 acc_dtype and torch.float32 inputs."),
    (F.linear_cross_entropy, (_X, _W, _Y), {"options": _OPTIONS(batch_chunk_size=3, chunking_method="aspect_ratio")}, ValueError, "batch_chunk_size (=3) and chunking_method ('aspect_ratio') give different chunk sizes (3 vs 4); pass only one."),
    (_OPTIONS, (), {"acc_policy": "x"}, ValueError, "invalid acc_policy: 'x'"),
    (_OPTIONS, (), {"chunking_method": "y"}, ValueError, "invalid chunking_method: 'y'"),
    (_OPTIONS, (), {"chunking_method": "aspect_ratio:0"}, ValueError, "invalid chunking_method: 'aspect_ratio:0'"),
    (_OPTIONS, (), {"batch_chunk_size": 0}, ValueError, "batch_chunk_size must be positive int or None, got 0"),
    (_OPTIONS, (), {"batch_chunk_size": 2.0}, ValueError, "batch_chunk_size must be positive int or None, got 2.0"),
    (_OPTIONS, (), {"acc_dtype": minigrad.int64}, ValueError, "acc_dtype must be one of {None, torch.float16, torch.bfloat16, torch.float32, torch.float64}, got torch.int64. Pass acc_dtype=None to let the op pick automatically."),
    (nn.LinearCrossEntropyLoss, (3, 4), {"weight": minigrad.ones(5)}, RuntimeError, "expected weight shape to be (4,), got (5,)"),
    (nn.LinearCrossEntropyLoss, (3, 4), {"weight": [1.0]}, TypeError, "cannot assign 'list' object to buffer 'weight' (torch Tensor or None required)"),
    (nn.LinearCrossEntropyLoss, (3, 4), {"label_smoothing": -0.1}, RuntimeError, "expected label_smoothing to be in range [0, 1], got -0.1"),
    (nn.LinearCrossEntropyLoss, (3, 4), {"reduction": "foo"}, ValueError, "foo is not a valid value for reduction"),
    (_ADAPTIVE, (4, 20, []), {}, ValueError, "cutoffs should be a sequence of length larger than 0"),
    (_ADAPTIVE, (4, 20, [10, 5]), {}, ValueError, _CUTOFFS),
    (_ADAPTIVE, (4, 20, [5, 5]), {}, ValueError, _CUTOFFS),
    (_ADAPTIVE, (4, 20, [0, 5]), {}, ValueError, _CUTOFFS),
    (_ADAPTIVE, (4, 20, [5, 20]), {}, ValueError, _CUTOFFS),
    (_ADAPTIVE, (4, 20, [5.5]), {}, ValueError, _CUTOFFS),
    (_MODULE, (minigrad.zeros(2, 4), minigrad.tensor([1, 20])), {}, RuntimeError, "Target values should be in [0, 19], but values in range [1, 20] were found. "),
    (_MODULE, (minigrad.zeros(2, 4), minigrad.tensor([-1, 3])), {}, RuntimeError, "Target values should be in [0, 19], but values in range [-1, 3] were found. "),
    (_MODULE, (minigrad.zeros(2, 4), minigrad.tensor([1, 2, 3])), {}, RuntimeError, "Input and target should have the same size in the batch dimension."),
    (_MODULE, (minigrad.zeros(2), minigrad.tensor([1, 2])), {}, RuntimeError, "1D target tensor expects 2D input tensors, but found inputs with size torch.Size([2])"),
    (_MODULE, (minigrad.zeros(2, 4), minigrad.tensor(1)), {}, RuntimeError, "0D target tensor expects 1D input tensors, but found inputs with size torch.Size([2, 4])"),
    (_MODULE, (minigrad.zeros(2, 4), minigrad.tensor([[1], [2]])), {}, RuntimeError, "0D or 1D target tensor expected, multi-target not supported"),
]  # fmt: skip
