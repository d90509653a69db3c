"""A zero cotangent gives a zero gradient, whatever the derivative; and torch's nan on request."""

from __future__ import annotations

import math
import threading

import numpy as np
import pytest

import minigrad
from minigrad.autograd import grad, set_nan_policy
from minigrad.nn import functional as F

INF = math.inf
# Functions with an infinite value or derivative at the second of three points, where they do not count.
GUARDED = {
    "log": ([2.0, 0.0, 3.0], lambda x, m: m.where(x > 0, m.log(x), 0.0)),
    "log1p": ([2.0, -1.0, 3.0], lambda x, m: m.where(x > -1, m.log1p(x), 0.0)),
    "log2": ([2.0, 0.0, 3.0], lambda x, m: m.where(x > 0, m.log2(x), 0.0)),
    "log10": ([2.0, 0.0, 3.0], lambda x, m: m.where(x > 0, m.log10(x), 0.0)),
    "sqrt": ([2.0, 0.0, 3.0], lambda x, m: m.where(x > 0, m.sqrt(x), 0.0)),
    "rsqrt": ([2.0, 0.0, 3.0], lambda x, m: m.where(x > 0, m.rsqrt(x), 0.0)),
    "reciprocal": ([2.0, 0.0, 3.0], lambda x, m: m.where(x > 0, m.reciprocal(x), 0.0)),
    "quotient": ([2.0, 0.0, 3.0], lambda x, m: m.where(x > 0, 1 / x, 0.0)),
    "quotient of itself": ([2.0, 0.0, 3.0], lambda x, m: m.where(x > 0, x / x * x, 0.0)),
    "power": ([2.0, 0.0, 3.0], lambda x, m: m.where(x > 0, x**-1.5, 0.0)),
    "exponent": ([2.0, 800.0, 3.0], lambda x, m: m.where(x < 700, m.exp(x), 0.0)),
    "product": ([2.0, INF, 3.0], lambda x, m: m.where(x < 9, x * x, 0.0)),
    "square": ([2.0, INF, 3.0], lambda x, m: m.where(x < 9, m.square(x), 0.0)),
    "xlogy": ([2.0, 0.0, 3.0], lambda x, m: m.where(x > 0, m.xlogy(x * 0 + 1, x), 0.0)),
    "mask": (
        [2.0, 0.0, 3.0],
        lambda x, m: m.log(x) * (x > 0).to(x.dtype) + 0.0 if m is None else m.log(x)[x > 0],
    ),
    "masked_fill": ([2.0, 0.0, 3.0], lambda x, m: m.log(x).masked_fill(x <= 0, 0.0)),
    "broadcast": ([2.0, 0.0, 3.0], lambda x, m: m.where(x > 0, m.ones(2, 3, dtype=x.dtype) / x, 0.0)),
    "chain": ([2.0, 0.0, 3.0], lambda x, m: m.where(x > 0, m.exp(m.sqrt(m.log(1 + x))), 0.0)),
}
every_guarded = pytest.mark.parametrize(("point", "function"), GUARDED.values(), ids=GUARDED)


def _first(point, function):
    x = minigrad.tensor(point, dtype=minigrad.float64, requires_grad=True)
    (first,) = grad(function(x, minigrad).sum(), x, create_graph=True)
    return x, first


@every_guarded
def test_what_does_not_count_has_no_gradient(point, function) -> None:
    x = minigrad.tensor(point, dtype=minigrad.float64, requires_grad=True)
    function(x, minigrad).sum().backward()
    assert x.grad[1] == 0
    counted = minigrad.tensor([point[0], point[2]], dtype=minigrad.float64, requires_grad=True)
    if function is not GUARDED["broadcast"][1]:  # it wants three elements
        function(counted, minigrad).sum().backward()
        np.testing.assert_allclose(x.grad[[0, 2]].numpy(), counted.grad.numpy(), rtol=1e-14)


@every_guarded
def test_nor_a_second_derivative(point, function) -> None:
    x, first = _first(point, function)
    assert first[1] == 0
    (second,) = grad((first * first).sum() + first.sum(), x)
    assert second[1] == 0
    assert np.isfinite(second.numpy()).all()


@every_guarded
def test_nor_a_third(point, function) -> None:
    x, first = _first(point, function)
    (second,) = grad(first.sum(), x, create_graph=True, allow_unused=True, materialize_grads=True)
    if second.requires_grad:
        (third,) = grad(second.sum(), x, allow_unused=True, materialize_grads=True)
        assert third[1] == 0
        assert np.isfinite(third.numpy()).all()


@every_guarded
def test_the_policy_of_torch_gives_torchs_gradient(point, function, torch) -> None:
    x = minigrad.tensor(point, dtype=minigrad.float64, requires_grad=True)
    theirs = torch.tensor(point, dtype=torch.float64, requires_grad=True)
    function(theirs, torch).sum().backward()
    with set_nan_policy("torch"):
        function(x, minigrad).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), theirs.grad.numpy(), rtol=1e-12)


def test_what_counts_keeps_its_nan_and_inf() -> None:
    x = minigrad.tensor([0.0, -1.0, math.nan, INF], requires_grad=True)
    minigrad.log(x).sum().backward()
    assert x.grad.tolist()[:2] == [INF, -1.0]
    assert math.isnan(x.grad[2])
    y = minigrad.tensor([0.0], requires_grad=True)
    minigrad.sqrt(y * 0).backward(minigrad.tensor([math.nan]))
    assert math.isnan(y.grad[0])


def test_a_product_with_a_constant_infinity() -> None:
    """y = x * inf depends on x; with a zero cotangent it does not matter that it does."""
    x = minigrad.tensor([1.0, 2.0], requires_grad=True)
    (x * minigrad.tensor([INF, 3.0])).backward(minigrad.tensor([0.0, 1.0]))
    assert x.grad.tolist() == [0.0, 3.0]


def test_the_slope_of_a_loss_that_does_not_count() -> None:
    """The loss of a certain and wrong prediction has an infinite slope in its own kernel."""
    log_probabilities = minigrad.tensor([-INF, -1.0], requires_grad=True)
    losses = F.kl_div(log_probabilities, minigrad.tensor([INF, 1.0]), reduction="none")
    losses.backward(minigrad.tensor([0.0, 1.0]))
    assert log_probabilities.grad.tolist() == [0.0, -1.0]


@pytest.mark.parametrize(
    "function",
    [F.relu, F.silu, F.gelu, F.softplus, F.mish, F.elu, F.leaky_relu, F.sigmoid, F.tanh, F.logsigmoid,
     F.softsign, F.tanhshrink, F.hardtanh, F.relu6, minigrad.sin, minigrad.abs, minigrad.square],
    ids=lambda f: f.__name__,
)  # fmt: skip
@pytest.mark.parametrize("value", [INF, -INF, math.nan, 1e38, 0.0])
def test_activations_far_out(function, value) -> None:
    x = minigrad.tensor([value, 0.5], requires_grad=True)
    function(x).backward(minigrad.tensor([0.0, 1.0]))
    assert x.grad[0] == 0
    assert x.grad[1] != 0


def test_a_zero_cotangent_of_a_whole_loss() -> None:
    x = minigrad.tensor([0.0, 1.0], requires_grad=True)
    (F.kl_div(x, minigrad.tensor([INF, 1.0]), reduction="sum") * 0).backward()
    assert x.grad.tolist() == [0.0, 0.0]


def test_the_policy_is_restored_and_the_threads_own() -> None:
    def gradient() -> float:
        x = minigrad.tensor([0.0], requires_grad=True)
        minigrad.where(x > 0, minigrad.log(x), 0.0).sum().backward()
        return x.grad.item()

    other: list[float] = []
    with set_nan_policy("torch"):
        assert math.isnan(gradient())
        thread = threading.Thread(target=lambda: other.append(gradient()))
        thread.start()
        thread.join()
        with set_nan_policy("safe"):
            assert gradient() == 0
        assert math.isnan(gradient())
    assert other == [0.0]
    assert gradient() == 0


def test_an_unknown_policy_is_refused_and_changes_nothing() -> None:
    with pytest.raises(ValueError, match="'safe' or 'torch', but got 'numpy'"):
        set_nan_policy("numpy")
    x = minigrad.tensor([0.0], requires_grad=True)
    minigrad.where(x > 0, minigrad.log(x), 0.0).sum().backward()
    assert x.grad.item() == 0
