"""Draws by weight: torch's for the same seed, from functions and from the sampler."""

import numpy as np
import pytest

import minigrad
from minigrad.utils.data import WeightedRandomSampler

# The seed, rows and places of weights, draws, whether places come back.
CASES = [
    (0, None, 5, 9, True),
    (1, 3, 7, 4, False),
    (2, 2, 4, 1, True),
    (3, None, 6, 1, False),
    (4, 3, 2, 5, True),
]
RECORDED = [  # by torch 2.13, from the weights of `_weights`
    ([3, 2, 1, 3, 1, 2, 0, 1, 1], 0.16102945804595947),
    ([[0, 5, 1, 2], [1, 6, 4, 2], [0, 1, 3, 2]], 0.8749623894691467),
    ([[1], [2]], 0.7115973830223083),
    ([0], 0.14984089136123657),
    ([[1, 1, 0, 1, 1], [0, 0, 0, 0, 0], [0, 1, 0, 0, 1]], 0.9174893498420715),
]


def _weights(rows, places):
    rng = np.random.default_rng(places)
    return rng.uniform(0, 2, (places,) if rows is None else (rows, places)).astype(np.float32)


def draws(library, case):
    """What a library draws, and the next number of its stream."""
    seed, rows, places, count, replacement = case
    library.manual_seed(seed)
    weights = library.from_numpy(_weights(rows, places))
    return library.multinomial(weights, count, replacement).tolist(), library.rand(1).item()


@pytest.mark.parametrize(("case", "recorded"), list(zip(CASES, RECORDED, strict=True)))
def test_the_recorded_draws(case, recorded):
    assert draws(minigrad, case) == recorded


@pytest.mark.parametrize("case", CASES)
def test_live_torch_draws_the_same(case, torch):
    assert draws(minigrad, case) == draws(torch, case)


def test_every_place_is_drawn_as_often_as_its_weight_says():
    minigrad.manual_seed(0)
    weights = minigrad.tensor([0.1, 0.0, 0.6, 0.3], dtype=minigrad.float64)
    drawn = minigrad.multinomial(weights, 20_000, replacement=True).numpy()
    np.testing.assert_allclose(np.bincount(drawn, minlength=4) / 20_000, weights.numpy(), atol=0.01)
    rows = minigrad.multinomial(minigrad.ones(50, 6), 6).numpy()
    assert (np.sort(rows, axis=1) == np.arange(6)).all()


@pytest.mark.parametrize(
    ("weights", "count", "words"),
    [
        (np.ones((2, 2, 2)), 1, "prob_dist must be 1 or 2 dim"),
        (np.array([1, 2]), 1, "only supports floating-point dtypes for input, got: Long"),
        (np.ones(3), 0, "cannot sample n_sample <= 0 samples"),
        (np.ones(3), 4, "cannot sample n_sample > prob_dist.size"),
        (np.array([1.0, -1.0]), 1, "contains either `inf`, `nan` or element < 0"),
        (np.array([1.0, np.nan]), 1, "contains either `inf`, `nan` or element < 0"),
        (np.zeros((2, 2)), 1, "sum of probabilities <= 0"),
    ],
)
def test_what_is_refused(weights, count, words):
    with pytest.raises(RuntimeError, match=words):
        minigrad.multinomial(minigrad.from_numpy(weights), count)


def test_the_sampler(torch):
    for weights, count, replacement in (([0.1, 0.9, 0.4], 8, True), ([0.9, 0.4, 0.05, 0.2], 4, False)):
        found = []
        for library in (minigrad, torch):
            library.manual_seed(5)
            sampler = library.utils.data.WeightedRandomSampler(weights, count, replacement)
            assert len(sampler) == count
            found.append((list(sampler), list(sampler)))
        assert found[0] == found[1]


def test_what_the_sampler_refuses():
    for arguments in (([0.5], 0), ([0.5], True), ([0.5], 1, 1), ([[0.5]], 1)):
        with pytest.raises(ValueError, match="should be a"):
            WeightedRandomSampler(*arguments)
