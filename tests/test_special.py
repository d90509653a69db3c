"""Special functions against known values, each other, and numeric derivatives where torch's are rougher."""

import math

import numpy as np
import pytest

import minigrad
from minigrad.kernels import special


def close(found, expected):
    """To the last digits of float64."""
    np.testing.assert_allclose(np.asarray(found), expected, rtol=4e-15, atol=4e-16)


def test_known_values():
    close(special.digamma(np.array([1.0, 0.5])), [-np.euler_gamma, -np.euler_gamma - 2 * math.log(2)])
    close(
        special.polygamma(np.array([1.0, 0.5, -0.5]), 1),
        np.pi**2 * np.array([1 / 6, 1 / 2, 1 / 2]) + [0, 0, 4],
    )
    close(special.polygamma(np.array([1.0]), 3), [math.pi**4 / 15])
    close(special.lgamma(np.array([5.0, 0.5])), [math.log(24), math.log(math.pi) / 2])


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_the_polygamma_functions_follow_their_recurrence(order):
    x = np.linspace(0.3, 18, 57)
    step = (-1) ** order * math.factorial(order) / x ** (order + 1)
    low, high = special.polygamma(x, order), special.polygamma(x + 1, order)
    np.testing.assert_allclose(high - low, step, rtol=1e-13, atol=1e-13)


def test_trigamma_tends_to_zero_and_has_poles():
    found = special.polygamma(np.array([np.inf, 0.0, -3.0]), 1)
    np.testing.assert_array_equal(found, [0, np.inf, np.inf])
    assert np.isnan(special.polygamma(np.array([np.nan]), 1)).all()


def test_erfinv_undoes_erf_up_to_the_edges():
    tail = 1 - 2.0 ** -np.arange(1, 53)
    x = special.erfinv(np.concatenate([tail, -tail]))
    rest = special.erfc(np.abs(x))
    np.testing.assert_allclose(rest, np.tile(2.0 ** -np.arange(1, 53), 2), rtol=2e-14)


def test_both_series_of_the_bessel_functions_agree_where_they_meet():
    x = np.array([30 - 1e-12, 30.0])
    for function in (special.i0, special.i1):
        below, above = function(x)
        assert below == pytest.approx(above, rel=1e-11)
    close(special.i0(np.linspace(-40, 40, 33)) / np.i0(np.linspace(-40, 40, 33)), np.ones(33))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("digamma", [0.3, 1.5, 4.0, 12.0, -0.4, -1.7]),
        ("lgamma", [0.3, 1.5, 4.0, -0.4, -1.7]),
        ("erfc", [-2.0, 0.1, 3.0]),
        ("erfinv", [-0.97, 0.4, 0.8]),
        ("i0", [-3.0, -1.0, 0.5, 5.0]),
    ],
)
def test_derivatives_to_second_order(name, values):
    function = getattr(minigrad, name)
    x = minigrad.tensor(values, dtype=minigrad.float64, requires_grad=True)
    assert minigrad.autograd.gradcheck(function, x, rtol=1e-4)
    assert minigrad.autograd.gradgradcheck(function, x, rtol=1e-4)


def test_a_long_vector_runs_in_parallel_with_the_same_result():
    x = np.linspace(-4, 4, 50_001)
    np.testing.assert_array_equal(special.erf(x), [math.erf(v) for v in x])
    np.testing.assert_array_equal(special.erf(x[::-1]), special.erf(x)[::-1])


def test_an_empty_array_and_other_types():
    assert special.erf(np.zeros((0, 3))).shape == (0, 3)
    assert special.lgamma(np.array([3, 4])).dtype == np.float32
    assert special.i1(np.array(2.0, np.float32)).shape == ()
