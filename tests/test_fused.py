"""Calls of losses like an earlier one: they skip what depends on no value, and nothing else."""

import threading

import numpy as np
import pytest

import minigrad
from minigrad import nn
from minigrad.autograd import fused
from minigrad.nn import functional as F


def _leaf(*shape, seed=0, dtype=minigrad.float32):
    return minigrad.from_numpy(np.random.default_rng(seed).random(shape)).to(dtype).requires_grad_()


@pytest.fixture
def forgetful(monkeypatch):
    """Makes `mse_loss` and its relatives forget their earlier calls for the test."""
    for function in (F.mse_loss, F.binary_cross_entropy, F.kl_div, F.cross_entropy, F.gaussian_nll_loss):
        monkeypatch.setattr(function, "_plain_plans", plain := {})
        monkeypatch.setattr(function, "_plans", {function._plain: plain})


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_later_calls_compute_what_the_first_one_does(reduction):
    first, second, target = _leaf(4, 3), _leaf(4, 3, seed=1), _leaf(4, 3, seed=2).detach()
    definition = F.mse_loss.definition
    for x in (first, second, first):
        loss = F.mse_loss(x, target, reduction=reduction)
        wanted = definition(x, target, None, None, reduction)
        assert loss.grad_fn.name() == "MseLossBackward0"
        cotangent = _leaf(*loss.shape, seed=3).detach()
        (got,) = minigrad.autograd.grad(loss, x, cotangent)
        (expected,) = minigrad.autograd.grad(wanted, x, cotangent)
        np.testing.assert_allclose(loss.detach().numpy(), wanted.detach().numpy(), rtol=1e-6)
        np.testing.assert_allclose(got.numpy(), expected.numpy(), rtol=1e-6)


@pytest.mark.usefixtures("forgetful")
def test_a_call_is_planned_once_for_its_options_dtypes_and_shapes():
    x, y = _leaf(4), _leaf(4, seed=1).detach()
    F.mse_loss(x, y)
    F.mse_loss(x, y)
    nn.MSELoss()(x, y)
    assert [len(plans) for plans in F.mse_loss._plans.values()] == [1]
    F.mse_loss(x.reshape(2, 2), y.reshape(2, 2))
    F.mse_loss(x.double(), y.double())
    assert [len(plans) for plans in F.mse_loss._plans.values()] == [3]
    F.mse_loss(x, y, reduction="sum")
    assert [len(plans) for plans in F.mse_loss._plans.values()] == [3, 1]


@pytest.mark.usefixtures("forgetful")
def test_calls_that_need_conversion_are_not_planned():
    x = _leaf(4)
    F.mse_loss(x, [1, 2, 3, 4])
    F.mse_loss(x, minigrad.tensor([1, 2, 3, 4]))
    F.mse_loss(x, x.detach(), weight=minigrad.ones(4))
    assert not any(F.mse_loss._plans.values())


@pytest.mark.usefixtures("forgetful")
def test_plans_are_bounded(monkeypatch):
    monkeypatch.setattr(fused, "_MOST_PLANS", 4)
    for size in range(1, 20):
        F.mse_loss(_leaf(size), minigrad.zeros(size))
        assert len(F.mse_loss._plain_plans) <= 4


@pytest.mark.usefixtures("forgetful")
def test_values_are_checked_at_every_call():
    good, bad = _leaf(4), _leaf(4) + 1
    F.binary_cross_entropy(good, good.detach())
    assert F.binary_cross_entropy._plain_plans
    with pytest.raises(RuntimeError, match="all elements of input should be between 0 and 1"):
        F.binary_cross_entropy(bad, good.detach())
    with pytest.raises(RuntimeError, match="all elements of target should be between 0 and 1"):
        F.binary_cross_entropy(good, bad.detach())


@pytest.mark.usefixtures("forgetful")
def test_class_indices_are_checked_at_every_call():
    logits = _leaf(2, 3)
    F.cross_entropy(logits, minigrad.tensor([0, 2]))
    assert F.cross_entropy._plain_plans
    with pytest.raises(IndexError, match="Target 3 is out of bounds"):
        F.cross_entropy(logits, minigrad.tensor([0, 3]))


@pytest.mark.usefixtures("forgetful")
def test_warnings_are_given_at_every_call():
    x, y = _leaf(2, 3), _leaf(2, 3, seed=1).detach()
    for _ in range(3):
        with pytest.warns(UserWarning, match="divides the total loss by both the batch size"):
            F.kl_div(x, y)


@pytest.mark.usefixtures("forgetful")
def test_a_gradient_for_the_target_takes_the_definition():
    x, y = _leaf(4), _leaf(4, seed=1)
    F.mse_loss(x, y.detach())
    F.mse_loss(x, y).backward()
    np.testing.assert_allclose(y.grad.numpy(), -x.grad.numpy(), rtol=1e-6)
    assert y.grad.abs().sum() > 0


@pytest.mark.usefixtures("forgetful")
def test_three_inputs_of_which_any_may_have_a_gradient():
    x, y, var = _leaf(4), _leaf(4, seed=1).detach(), _leaf(4, seed=2)
    F.gaussian_nll_loss(x, y, var)
    for inputs in ((x, y, var), (x.detach(), y, var), (x, y, var.detach())):
        leaves = [i for i in inputs if i.requires_grad]
        got = minigrad.autograd.grad(F.gaussian_nll_loss(*inputs), leaves)
        wanted = minigrad.autograd.grad(F.gaussian_nll_loss.definition(*inputs), leaves)
        for a, b in zip(got, wanted, strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5)


@pytest.mark.usefixtures("forgetful")
def test_no_gradient_is_recorded_where_none_is_wanted():
    x, y = _leaf(4), _leaf(4, seed=1).detach()
    F.mse_loss(x, y)
    with minigrad.no_grad():
        assert not F.mse_loss(x, y).requires_grad
    assert not F.mse_loss(x.detach(), y).requires_grad
    assert F.mse_loss(x, y).requires_grad


@pytest.mark.usefixtures("forgetful")
def test_second_derivatives_and_changed_inputs():
    x, y = _leaf(4), _leaf(4, seed=1).detach()
    for _ in range(2):
        (first,) = minigrad.autograd.grad(F.mse_loss(x, y), x, create_graph=True)
        (second,) = minigrad.autograd.grad(first.sum(), x)
        np.testing.assert_allclose(second.numpy(), np.full(4, 0.5), rtol=1e-6)
    loss = F.mse_loss(x, y)
    y.add_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.usefixtures("forgetful")
def test_options_of_a_module_may_change():
    x, y = _leaf(4), _leaf(4, seed=1).detach()
    criterion = nn.MSELoss()
    mean = [criterion(x, y).item() for _ in range(2)]
    criterion.reduction = "sum"
    total = [criterion(x, y).item() for _ in range(2)]
    np.testing.assert_allclose(total, np.multiply(mean, 4), rtol=1e-6)
    criterion.reduction = "median"
    with pytest.raises(ValueError, match="median is not a valid value for reduction"):
        criterion(x, y)


@pytest.mark.usefixtures("forgetful")
def test_a_loss_that_runs_from_several_threads():
    x, y = _leaf(64), _leaf(64, seed=1).detach()
    wanted = F.mse_loss(x, y).item()
    found = []
    threads = [threading.Thread(target=lambda: found.append(F.mse_loss(x, y).item())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [wanted] * 8


@pytest.mark.usefixtures("forgetful")
def test_a_kernel_that_has_no_gradients_here_leaves_them_to_the_definition():
    """The value alone was computed by the kernel before; a variance for each row has a summed gradient."""
    x, y, var = _leaf(4, 3), _leaf(4, 3, seed=1).detach(), _leaf(4, 1, seed=2)
    with minigrad.no_grad():
        value = F.gaussian_nll_loss(x, y, var, reduction="none")
    assert any(F.gaussian_nll_loss._plans.values())
    losses = F.gaussian_nll_loss(x, y, var, reduction="none")
    np.testing.assert_allclose(losses.detach().numpy(), value.numpy(), rtol=1e-6)
    (slope,) = minigrad.autograd.grad(losses.sum(), var)
    assert slope.shape == var.shape


@pytest.mark.usefixtures("forgetful")
def test_options_that_change_at_every_call_are_forgotten_again(monkeypatch):
    monkeypatch.setattr(fused, "_MOST_PLANS", 4)
    x, y = _leaf(4), _leaf(4, seed=1).detach()
    monkeypatch.setattr(F.huber_loss, "_plans", {F.huber_loss._plain: F.huber_loss._plain_plans})
    for step in range(1, 20):
        F.huber_loss(x, y, delta=step / 10)
        assert len(F.huber_loss._plans) <= 4
    assert F.huber_loss._plans[F.huber_loss._plain] is F.huber_loss._plain_plans


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(
    ("function", "names", "wrt"),
    [
        (F.gaussian_nll_loss, ("input", "target", "var"), (0, 2)),
        (F.margin_ranking_loss, ("input1", "input2", "target"), (0, 1)),
        (F.cosine_embedding_loss, ("input1", "input2", "target"), (0, 1)),
        (F.triplet_margin_loss, ("anchor", "positive", "negative"), (0, 1, 2)),
        (nn.extra.gaussian_kl_loss, ("mean", "logvar"), (0, 1)),
    ],
)
def test_later_calls_of_losses_with_several_gradients(monkeypatch, function, names, wrt, reduction):
    monkeypatch.setattr(function, "_plans", {function._plain: function._plain_plans})
    monkeypatch.setattr(function, "_plain_plans", {})
    for seed in range(3):  # the later ones as planned
        inputs = [_leaf(4, 3, seed=10 * seed + i) for i in range(len(names))]
        if function is F.cosine_embedding_loss:
            inputs[2] = minigrad.tensor([1.0, -1.0, 1.0, -1.0])
        inputs = [x if place in wrt else x.detach() for place, x in enumerate(inputs)]
        leaves = [inputs[place] for place in wrt]
        loss = function(**dict(zip(names, inputs, strict=True)), reduction=reduction)
        assert function._plans
        wanted = function.definition(*function._bind(inputs, {"reduction": reduction}))
        cotangent = _leaf(*loss.shape, seed=seed).detach()
        got, expected = (minigrad.autograd.grad(y, leaves, cotangent) for y in (loss, wanted))
        np.testing.assert_allclose(loss.detach().numpy(), wanted.detach().numpy(), rtol=1e-5, atol=1e-6)
        for a, b in zip(got, expected, strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-4, atol=1e-6)


def test_arguments_by_place_and_by_name_are_the_same_call():
    x, y = _leaf(4), _leaf(4, seed=1).detach()
    wanted = F.huber_loss(x, y, "sum", 0.5).item()
    for _ in range(2):
        assert F.huber_loss(x, target=y, reduction="sum", delta=0.5).item() == wanted
        assert F.huber_loss(delta=0.5, target=y, reduction="sum", input=x).item() == wanted
        assert F.huber_loss(x, y, delta=0.5, reduction="sum").item() == wanted
        assert F.huber_loss(target=y, input=x).item() == F.huber_loss(x, y).item()


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (0, ("target",)),
        (1, ()),
        (1, ("input",)),
        (2, ("target",)),
        (2, ("nonsense",)),
        (7, ()),
        (7, ("delta",)),
    ],
)
def test_arguments_that_do_not_fit_are_refused_at_every_call(given, names):
    x = _leaf(4)
    for _ in range(2):
        with pytest.raises(TypeError, match=r"huber_loss\(\) "):
            F.huber_loss(*[x] * given, **dict.fromkeys(names, x))
