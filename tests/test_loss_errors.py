"""What the losses say of unfit arguments: torch's exception class and its first line, then what to do."""

from __future__ import annotations

import math

import pytest

import minigrad
from minigrad import nn
from minigrad.nn import functional as F

_X, _Y = minigrad.zeros(3, 5), minigrad.tensor([0, 1, 2])
ERRORS = [
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
    (F.binary_cross_entropy, (minigrad.rand(3, 1), minigrad.rand(3)), {}, ValueError, "Using a target size (torch.Size([3])) that is different to the input size (torch.Size([3, 1])) is deprecated. Please ensure they have the same size."),
    (F.binary_cross_entropy, (minigrad.tensor([1.2]), minigrad.ones(1)), {}, RuntimeError, "all elements of input should be between 0 and 1"),
    (F.binary_cross_entropy, (minigrad.tensor([math.nan]), minigrad.ones(1)), {}, RuntimeError, "all elements of input should be between 0 and 1"),
    (F.binary_cross_entropy, (minigrad.rand(1), minigrad.tensor([-1.0])), {}, RuntimeError, "all elements of target should be between 0 and 1"),
    (F.binary_cross_entropy, (minigrad.rand(2), minigrad.rand(2).double()), {}, RuntimeError, "Found dtype Double but expected Float"),
    (F.binary_cross_entropy, (minigrad.rand(3, 4), minigrad.rand(3, 4)), {"weight": minigrad.ones(2)}, RuntimeError, "Attempting to broadcast a dimension of length 2 at -1! Mismatching argument at index 1 had torch.Size([2]); but expected shape should be broadcastable to [3, 4]"),
    (F.binary_cross_entropy, (minigrad.rand(3, 4), minigrad.rand(3, 4)), {"weight": minigrad.ones(2, 3, 4)}, RuntimeError, "output with shape [3, 4] doesn't match the broadcast shape [2, 3, 4]"),
    (F.binary_cross_entropy, (_Y, _Y), {}, NotImplementedError, "\"binary_cross_entropy\" not implemented for 'Long'"),
    (F.binary_cross_entropy_with_logits, (minigrad.zeros(4, 1), minigrad.zeros(4)), {}, ValueError, "Target size (torch.Size([4])) must be the same as input size (torch.Size([4, 1]))"),
    (F.binary_cross_entropy_with_logits, (minigrad.zeros(2, 3), minigrad.zeros(2, 3)), {"pos_weight": minigrad.ones(4)}, RuntimeError, "The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 1"),
    (F.mse_loss, (_Y, _Y), {}, NotImplementedError, "\"mse_cpu\" not implemented for 'Long'"),
    (F.mse_loss, (minigrad.zeros(2), minigrad.zeros(2)), {"weight": minigrad.ones(3)}, ValueError, "Weights and input must have the same size."),
    (F.smooth_l1_loss, (minigrad.zeros(2), minigrad.zeros(2)), {"beta": -1.0}, RuntimeError, "smooth_l1_loss does not support negative values for beta."),
    (F.kl_div, (_Y, _Y), {"reduction": "sum"}, RuntimeError, "kl_div: Integral inputs not supported."),
    (F.cosine_embedding_loss, (_X, _X, minigrad.zeros(3, 1)), {}, RuntimeError, "0D or 1D target tensor expected, multi-target not supported"),
    (F.cosine_embedding_loss, (_X[0], _X[0], minigrad.zeros(3)), {}, RuntimeError, "1D target tensor expects 2D input tensors, but found inputs with sizes [5] and [5]."),
    (F.cosine_embedding_loss, (_X[:, :4], _X, minigrad.zeros(3)), {}, RuntimeError, "The size of tensor a (4) must match the size of tensor b (5) at non-singleton dimension 1"),
    (F.cross_entropy, (_X,), {}, TypeError, "cross_entropy() missing a required argument: 'target'"),
    (F.mse_loss, (_X, _X), {"nothing": 1}, TypeError, "mse_loss() got an unexpected keyword argument 'nothing'"),
    (nn.CrossEntropyLoss, (), {"weight": [1.0]}, TypeError, "cannot assign 'list' object to buffer 'weight' (torch Tensor or None required)"),
    (nn.BCEWithLogitsLoss, (), {"pos_weight": 2.0}, TypeError, "cannot assign 'float' object to buffer 'pos_weight' (torch Tensor or None required)"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("function", "args", "options", "error", "text"),
    ERRORS,
    ids=[f"{i}-{getattr(e[0], '__name__', '')}" for i, e in enumerate(ERRORS)],
)
def test_errors_are_torchs_class_and_first_line(function, args, options, error, text) -> None:
    with pytest.raises(error) as caught:
        function(*args, **options)
    assert type(caught.value) is error
    assert str(caught.value).splitlines()[0] == text


def test_out_of_range_targets_are_named_with_their_place() -> None:
    with pytest.raises(IndexError, match=r"Target 7 is out of bounds(.|\n)*1"):
        F.cross_entropy(_X, minigrad.tensor([0, 7, 1]))
    with pytest.raises(RuntimeError, match=r"1 of 3 are not; the first is 1.5 at \[2\]"):
        F.binary_cross_entropy(minigrad.tensor([0.1, 0.2, 1.5]), minigrad.zeros(3))
