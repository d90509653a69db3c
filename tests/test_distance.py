"""Distances and similarities of vectors, as functions and as modules."""

from __future__ import annotations

import math

import numpy as np
import pytest

import minigrad
from minigrad import nn
from minigrad.autograd import grad, gradcheck, gradgradcheck
from minigrad.nn import functional as F

INF = math.inf


@pytest.mark.parametrize("p", [2.0, 1.0, 3.0, 0.5, 0, INF, -INF, -1.5])
@pytest.mark.parametrize("keepdim", [False, True])
def test_pairwise_distance_is_torchs(torch, p, keepdim) -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(4, 3)), rng.normal(size=(1, 3))
    a[1, 1], a[2] = b[0, 1], b[0]  # a component and a vector that do not differ
    ours, theirs = (m.tensor(a, requires_grad=True) for m in (minigrad, torch))
    for eps in (0.0, 1e-6):
        d = F.pairwise_distance(ours, minigrad.tensor(b), p, eps, keepdim)
        expected = torch.nn.functional.pairwise_distance(theirs, torch.tensor(b), p, eps, keepdim)
        np.testing.assert_allclose(d.detach().numpy(), expected.detach().numpy(), rtol=1e-12, atol=1e-15)
        assert d.grad_fn.name() == expected.grad_fn.name()
        module = nn.PairwiseDistance(p, eps, keepdim)
        np.testing.assert_array_equal(module(ours, minigrad.tensor(b)).tolist(), d.tolist())
        if p == 0:
            assert not grad(d.sum(), ours)[0].numpy().any()
            continue
        (slope,), (wanted,) = grad(d.sum(), ours), torch.autograd.grad(expected.sum(), theirs)
        np.testing.assert_allclose(slope.numpy(), wanted.numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_cosine_similarity_is_torchs(torch, dim) -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(4, 3)), rng.normal(size=3)
    a[1], a[2] = 0, 1e-10  # shorter than eps
    (x, y), (u, v) = ([m.tensor(t, requires_grad=True) for t in (a, b)] for m in (minigrad, torch))
    ours = F.cosine_similarity(x, y, dim, 1e-8)
    theirs = torch.nn.functional.cosine_similarity(u, v, dim, 1e-8)
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-12)
    for found, wanted in zip(
        grad(ours.sum(), [x, y]), torch.autograd.grad(theirs.sum(), [u, v]), strict=True
    ):
        np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(nn.CosineSimilarity(dim, 1e-8)(x, y).tolist(), ours.tolist())


@pytest.mark.parametrize(
    "function",
    [
        F.pairwise_distance,
        lambda a, b: F.pairwise_distance(a, b, 3.0, keepdim=True),
        lambda a, b: F.pairwise_distance(a, b, -1.5),
        F.cosine_similarity,
        lambda a, b: F.cosine_similarity(a, b, dim=0),
    ],
)
def test_derivatives_are_the_numeric_ones_to_second_order(function) -> None:
    rng = np.random.default_rng(1)
    a, b = (minigrad.tensor(rng.normal(size=shape), requires_grad=True) for shape in ((4, 3), (1, 3)))
    assert gradcheck(function, [a, b])
    assert gradgradcheck(function, [a, b])


def test_equal_vectors() -> None:
    x = minigrad.ones(1, 4, requires_grad=True)
    distance = F.pairwise_distance(x, x.detach(), eps=0.0)
    distance.backward(minigrad.ones(1))
    assert distance.item() == 0.0
    assert x.grad.tolist() == [[0.0] * 4]
    assert F.pairwise_distance(x, x).item() == pytest.approx(2e-6)  # eps is added to each component
    assert F.cosine_similarity(x, 3 * x).item() == 1.0


def test_dtypes_and_shapes() -> None:
    x, double = minigrad.ones(2, 3), minigrad.zeros(2, 3, dtype=minigrad.float64)
    assert F.pairwise_distance(x.long(), x.long()).dtype is minigrad.float32
    assert F.pairwise_distance(x, double).dtype is minigrad.float64
    assert F.cosine_similarity(x, double).dtype is minigrad.float64
    assert F.cosine_similarity(minigrad.ones(4, 2, 3), x, dim=0).shape == (2, 3)
    assert F.pairwise_distance(x[0], x[0]).shape == ()


def test_texts_of_the_modules() -> None:
    assert repr(nn.PairwiseDistance(p=1)) == "PairwiseDistance()"
    assert repr(nn.CosineSimilarity()) == "CosineSimilarity()"
