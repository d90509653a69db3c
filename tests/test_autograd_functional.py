"""Jacobians and Hessians: what they are, and the text torch prints of the same calls."""

import importlib

import numpy as np
import pytest

import minigrad
from minigrad.autograd import functional


def _curved(a, b):
    return minigrad.exp(a) * b, (a * a * b).sum()


def _cubic(a, b):
    return (a * a * b * minigrad.exp(b)).sum()


def _inputs():
    rng = np.random.default_rng(0)
    return tuple(minigrad.from_numpy(rng.standard_normal((2, 3))) for _ in range(2))


def _numeric(function, xs, place, step=1e-6):
    """Central differences of all elements of one input: the input's dimensions first."""
    x = xs[place].numpy()
    rows = []
    for index in np.ndindex(x.shape):
        ends = []
        for sign in (1, -1):
            moved = x.copy()
            moved[index] += sign * step
            given = [minigrad.from_numpy(moved) if i == place else other for i, other in enumerate(xs)]
            ends.append(function(*given).numpy())
        rows.append((ends[0] - ends[1]) / (2 * step))
    return np.stack(rows).reshape(x.shape + rows[0].shape)


def test_jacobians_are_the_numeric_ones():
    xs = _inputs()
    found = functional.jacobian(_curved, xs)
    for which, row in enumerate(found):
        for place, jacobian in enumerate(row):
            wanted = _numeric(lambda *given, which=which: _curved(*given)[which], xs, place)
            wanted = np.moveaxis(wanted, (0, 1), (-2, -1))
            np.testing.assert_allclose(jacobian.numpy(), wanted, rtol=1e-7, atol=1e-8)


def test_hessians_are_jacobians_of_gradients_and_symmetric():
    xs = _inputs()
    found = functional.hessian(_cubic, xs)
    gradient = lambda place: lambda *given: functional.vjp(_cubic, given)[1][place]  # noqa: E731
    for i in range(2):
        for j in range(2):
            wanted = np.moveaxis(_numeric(gradient(i), xs, j), (0, 1), (-2, -1))
            np.testing.assert_allclose(found[i][j].numpy(), wanted, rtol=1e-6, atol=1e-7)
            turned = np.moveaxis(found[j][i].numpy(), (0, 1), (-2, -1))
            np.testing.assert_allclose(found[i][j].numpy(), turned, rtol=1e-12)


def test_products_are_those_with_the_matrices():
    xs, vs = _inputs(), tuple(x * x - 0.5 for x in _inputs())
    (jacobian,) = functional.jacobian(lambda a: (minigrad.exp(a) * 2,), xs[0])
    _, left = functional.vjp(lambda a: minigrad.exp(a) * 2, xs[0], vs[0])
    _, right = functional.jvp(lambda a: minigrad.exp(a) * 2, xs[0], vs[0])
    np.testing.assert_allclose(
        left.numpy(), np.einsum("ij,ijkl", vs[0].numpy(), jacobian.numpy()), rtol=1e-12
    )
    np.testing.assert_allclose(
        right.numpy(), np.einsum("ijkl,kl", jacobian.numpy(), vs[0].numpy()), rtol=1e-12
    )
    hessian = functional.hessian(_cubic, xs)
    for product in (functional.vhp, functional.hvp):
        value, found = product(_cubic, xs, vs)
        assert value.item() == pytest.approx(_cubic(*xs).item())
        for i in range(2):
            wanted = sum(np.einsum("ijkl,kl", hessian[i][j].numpy(), vs[j].numpy()) for j in range(2))
            np.testing.assert_allclose(found[i].numpy(), wanted, rtol=1e-10)


def test_results_can_be_differentiated_where_that_is_wanted():
    x = minigrad.tensor([1.0, 2.0], requires_grad=True)
    jacobian = functional.jacobian(lambda a: a**3, x, create_graph=True)
    jacobian.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [6, 12])
    assert not functional.jacobian(lambda a: a**3, x).requires_grad
    assert functional.jacobian(lambda a: a[:0], x).shape == (0, 2)


# Calls of torch.autograd.functional, F, with x = tensor([1., 2.]).
CALLS = """
F.jacobian(lambda a, b: (a * b, a.sum()), (x, x))
F.jacobian(lambda a: a[:, None] * a, x)
F.jacobian(lambda a: a.sum(), x)
F.jacobian(lambda a: a * a, x, create_graph=True).requires_grad
F.jacobian(lambda a: torch.ones(2), x)
F.jacobian(lambda a: torch.ones(2), x, strict=True)
F.jacobian(lambda a, b: a * 2, (x, x))
F.jacobian(lambda a, b: a * 2, (x, x), strict=True)
F.jacobian(lambda a: 3.0, x)
F.jacobian(lambda a: a, 3.0)
F.hessian(lambda a: (a ** 3).sum(), x)
F.hessian(lambda a, b: (a * b).sum(), (x, x))
F.hessian(lambda a: a.sum(), x)
F.hessian(lambda a: a.sum(), x, strict=True)
F.hessian(lambda a: a, x)
F.vjp(lambda a: a * 2, x)
F.vjp(lambda a: a.sum(), x)
F.vjp(lambda a: a * a, x, x)
F.vjp(lambda a: a * a, x, x, create_graph=True)
F.vjp(lambda a: a * 2, x, torch.ones(3))
F.vjp(lambda a: (a, a), x, (torch.ones(2),))
F.vjp(lambda a: a, x, 3.0)
F.vjp(lambda a: a, [x], torch.ones(2))
F.vjp(lambda a: a.sum(), x, torch.ones(2))
F.jvp(lambda a: (a * a, a.sum()), x, torch.ones(2))
F.jvp(lambda a: a * 2, x)
F.jvp(lambda a: a, torch.tensor(1.0))
F.hvp(lambda a: (a ** 2).sum(), x, torch.ones(2))
F.hvp(lambda a, b: (a * b * b).sum(), (x, x), (x, x))
F.hvp(lambda a: a.sum(), x, x)
F.vhp(lambda a, b: (a * b * b).sum(), (x, x), (x, x))
"""


def _said(library, call):
    torch = importlib.import_module(library)
    names = {"torch": torch, "F": importlib.import_module(f"{library}.autograd.functional")}
    try:
        return repr(eval(call, names | {"x": torch.tensor([1.0, 2.0])}))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("call", CALLS.strip().splitlines())
def test_the_text_is_torchs(call):
    pytest.importorskip("torch")
    assert _said("minigrad", call) == _said("torch", call)
