"""The margin losses in float32 against references in extended precision, without any cancellation."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad
from minigrad.autograd import grad
from minigrad.nn import functional as F

WIDE = np.longdouble
assert np.finfo(WIDE).eps < 1e-18, "the references below need more digits than float64 has"


def relative(found, exact) -> float:
    exact = np.asarray(exact, WIDE)
    gap = np.abs(np.asarray(found, WIDE) - exact)
    assert not np.isnan(gap).any()
    return float(np.max(np.where(gap == 0, 0, gap / np.maximum(np.abs(exact), WIDE(1e-37)))))


def in_float32(function, *arrays, wrt=(0,), **options) -> list[np.ndarray]:
    """Each sample's loss, and the gradients of their sum."""
    tensors = [minigrad.tensor(a) for a in arrays]
    for place in wrt:
        tensors[place].requires_grad_()
    losses = function(*tensors, reduction="none", **options)
    assert losses.dtype is minigrad.float32
    return [losses.detach().numpy(), *(g.numpy() for g in grad(losses.sum(), [tensors[i] for i in wrt]))]


def exact_soft_margin(rng, spread):
    x, y = rng.normal(0, spread, 20000).astype(np.float32), rng.choice([-1, 1], 20000).astype(np.float32)
    z = -(y.astype(WIDE) * x)
    exact = np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))), -y / (1 + np.exp(-z))
    return in_float32(F.soft_margin_loss, x, y), exact


def exact_margin_ranking(rng, spread):
    a, b = rng.normal(0, spread, (2, 20000)).astype(np.float32)
    y = rng.choice([-1, 1], 20000).astype(np.float32)
    gap = WIDE(0.5) - y * (a.astype(WIDE) - b)
    slope = np.where(gap > 0, -y, 0)
    found = in_float32(F.margin_ranking_loss, a, b, y, wrt=(0, 1), margin=0.5)
    return found, (np.maximum(gap, 0), slope, -slope)


def exact_multi_margin(rng, spread):
    x, y = rng.normal(0, spread, (3000, 10)).astype(np.float32), rng.integers(0, 10, 3000)
    rows = np.arange(3000)
    gap = 1 - x[rows, y][:, None].astype(WIDE) + x
    gap[rows, y] = 0
    gap = np.maximum(gap, 0)
    slope = 2 * gap / 10
    slope[rows, y] = -slope.sum(1)
    return in_float32(F.multi_margin_loss, x, y, p=2), ((gap**2).sum(1) / 10, slope)


def exact_multilabel_margin(rng, spread):
    x, y = rng.normal(0, spread, (3000, 10)).astype(np.float32), np.full((3000, 10), -1)
    y[:, 0] = rng.integers(0, 10, 3000)
    rows = np.arange(3000)
    gap = 1 - x[rows, y[:, 0]][:, None].astype(WIDE) + x
    gap[rows, y[:, 0]] = 0
    slope = (gap > 0) / WIDE(10)
    slope[rows, y[:, 0]] = -slope.sum(1)
    return in_float32(F.multilabel_margin_loss, x, y), (np.maximum(gap, 0).sum(1) / 10, slope)


def exact_multilabel_soft_margin(rng, spread):
    x = rng.normal(0, spread, (3000, 10)).astype(np.float32)
    y = rng.integers(0, 2, (3000, 10)).astype(np.float32)
    z = np.where(y == 1, -x, x).astype(WIDE)
    losses = np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))
    slope = np.where(y == 1, -1, 1) / (1 + np.exp(-z)) / 10
    return in_float32(F.multilabel_soft_margin_loss, x, y), (losses.mean(1), slope)


def exact_triplet_margin(rng, spread):
    a, b, c = rng.normal(0, spread, (3, 1000, 16)).astype(np.float32)
    near, far = a.astype(WIDE) - b + WIDE(1e-6), a.astype(WIDE) - c + WIDE(1e-6)
    to_near, to_far = (np.sqrt((d**2).sum(1, keepdims=True)) for d in (near, far))
    gap = 1 + to_near - to_far
    on_near, on_far = ((gap > 0) * (d / size) for d, size in ((near, to_near), (far, to_far)))
    exact = np.maximum(gap, 0)[:, 0], on_near - on_far, -on_near, on_far
    return in_float32(F.triplet_margin_loss, a, b, c, wrt=(0, 1, 2)), exact


def exact_cosine_embedding(rng, spread):
    """Vectors that are parallel to `spread` times 1e-5."""
    a = rng.normal(size=(1000, 16)).astype(np.float32)
    b = (2 * a * (1 + spread * 1e-5 * rng.normal(size=a.shape))).astype(np.float32)
    e = WIDE(np.float32(1e-12))
    square_a, square_b = ((v.astype(WIDE) ** 2).sum(1, keepdims=True) + e for v in (a, b))
    unit_a, unit_b = a / np.sqrt(square_a), b / np.sqrt(square_b)
    loss = (((unit_a - unit_b) ** 2).sum(1, keepdims=True) + e / square_a + e / square_b) / 2
    on_a = ((1 - loss) * unit_a - unit_b) / np.sqrt(square_a)
    on_b = ((1 - loss) * unit_b - unit_a) / np.sqrt(square_b)
    found = in_float32(F.cosine_embedding_loss, a, b, np.ones(1000, np.float32), wrt=(0, 1))
    return found, (loss[:, 0], on_a, on_b)


@pytest.mark.parametrize("spread", [3, 30])
@pytest.mark.parametrize(
    "case",
    [
        exact_soft_margin,
        exact_margin_ranking,
        exact_multi_margin,
        exact_multilabel_margin,
        exact_multilabel_soft_margin,
        exact_triplet_margin,
        exact_cosine_embedding,
    ],
)
def test_float32_keeps_six_digits_of_every_loss_and_gradient(case, spread) -> None:
    found, exact = case(np.random.default_rng(7), spread)
    for got, wanted in zip(found, exact, strict=True):
        assert relative(got, wanted) < 1e-6


def test_equal_vectors_never_have_a_negative_cosine_loss() -> None:
    a = minigrad.tensor(np.random.default_rng(0).normal(size=(500, 7)).astype(np.float32))
    losses = F.cosine_embedding_loss(a, a, minigrad.ones(500), reduction="none")
    assert losses.min().item() >= 0
    assert losses.max().item() < 1e-11
