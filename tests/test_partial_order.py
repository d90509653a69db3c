"""Where torch's selection and sorting leave equal elements, against torch and against sorting itself."""

import numpy as np
import pytest

from minigrad.kernels import partial_order

SIZES = (1, 2, 3, 5, 16, 17, 40, 300)


def rows(n):
    """Ranks with few and many ties, in random, ascending and alternating order."""
    rng = np.random.RandomState(n)
    for values in (2, 5, n):
        drawn = rng.randint(0, values, n)
        yield from (drawn, np.sort(drawn), np.sort(drawn)[::-1], np.arange(n) % values)


def hardest(n):
    """Ranks of which each parting at the median of three takes off two: in the end a heap takes over."""
    ranks = np.arange(n % 2 + 1)
    while len(ranks) < n:
        grown = np.concatenate(([0, 0], ranks + 2))
        middle = len(grown) // 2
        grown[0], grown[middle] = grown[middle] if middle > 1 else 2, 1
        ranks = grown
    return ranks[:n]


@pytest.mark.parametrize("n", SIZES)
def test_places_are_in_order_and_each_comes_once(n):
    ranks = np.stack([*rows(n), hardest(n)])
    ordered = np.sort(ranks)
    found = partial_order.sorted_places(ranks)
    np.testing.assert_array_equal(np.sort(found), np.tile(np.arange(n), (len(ranks), 1)))
    np.testing.assert_array_equal(np.take_along_axis(ranks, found, 1), ordered)
    for k in {1, max(n // 2, 1), n}:
        first = partial_order.first_places(ranks, k, True)
        assert (np.diff(np.sort(first)) > 0).all()
        np.testing.assert_array_equal(np.take_along_axis(ranks, first, 1), ordered[:, :k])
        one = partial_order.kth_place(ranks, k - 1)
        np.testing.assert_array_equal(np.take_along_axis(ranks, one, 1), ordered[:, k - 1 : k])


@pytest.mark.parametrize("n", SIZES)
def test_ties_are_left_where_torch_leaves_them(n, torch):
    ranks = np.stack([*rows(n), hardest(n)])
    x = torch.from_numpy(ranks)
    np.testing.assert_array_equal(partial_order.sorted_places(ranks), torch.sort(x).indices)
    for k in {1, max(n // 2, 1), n}:
        for ordered in (True, False):
            expected = torch.topk(x, k, largest=False, sorted=ordered).indices
            np.testing.assert_array_equal(partial_order.first_places(ranks, k, ordered), expected)
        np.testing.assert_array_equal(
            partial_order.kth_place(ranks, k - 1), torch.kthvalue(x, k, keepdim=True).indices
        )


def test_a_heap_takes_over_where_parting_goes_badly(torch):
    n = 4000
    row = hardest(n)[None]
    x = torch.from_numpy(row)
    assert parting_depth(row[0]) > 2 * np.log2(n)
    np.testing.assert_array_equal(partial_order.sorted_places(row), torch.sort(x).indices)
    found = partial_order.first_places(row, n - 9, False)
    np.testing.assert_array_equal(found, torch.topk(x, n - 9, largest=False, sorted=False).indices)


def parting_depth(row):
    """How often the upper part of the row can be parted before it is short."""
    a, first, depth = np.arange(len(row)), 0, 0
    while len(row) - first > 16:
        first = partial_order._partition(a, row, first, len(row))
        depth += 1
    return depth
