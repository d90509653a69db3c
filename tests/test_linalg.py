"""Linear algebra: what the table of operations cannot show."""

import numpy as np
import pytest

import minigrad
from minigrad.autograd import gradcheck


def test_the_gradient_of_a_singular_determinant_is_the_cofactors():
    for dtype in (minigrad.float32, minigrad.float64):
        x = minigrad.tensor([[1.0, 2.0], [2.0, 4.0]], dtype=dtype, requires_grad=True)
        minigrad.det(x).backward()
        np.testing.assert_allclose(x.grad.numpy(), [[4, -2], [-2, 1]], rtol=1e-5)
    assert gradcheck(minigrad.det, x)


def test_singular_matrices_raise_an_error_of_their_own_that_is_a_runtime_error():
    assert issubclass(minigrad.linalg.LinAlgError, RuntimeError)
    for call in (minigrad.linalg.inv, lambda x: minigrad.linalg.solve(x, minigrad.ones(2))):
        with pytest.raises(minigrad.linalg.LinAlgError, match="singular"):
            call(minigrad.ones(2, 2))


def test_einsum_of_a_diagonal_is_a_view_that_writes_through():
    x = minigrad.zeros(3, 3)
    minigrad.einsum("ii->i", x).fill_(1.0)
    assert x.tolist() == minigrad.eye(3).tolist()


def test_multi_dot_takes_the_cheapest_order():
    xs = [minigrad.ones(*shape) for shape in ((100, 2), (2, 100), (100, 2), (2, 100))]
    np.testing.assert_allclose(minigrad.linalg.multi_dot(xs).numpy(), 2 * 100 * 2.0)


def test_addmm_of_integers_takes_integer_factors_only():
    x = minigrad.ones(2, 2, dtype=minigrad.int64)
    with pytest.raises(RuntimeError, match="must not be floating point numbers"):
        minigrad.addmm(x, x, x, alpha=0.5)
