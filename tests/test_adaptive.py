"""AdaptiveLogSoftmaxWithLoss is torch's, and so are the parameters of LinearCrossEntropyLoss."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from linear_modules import CASES, features_of, module_of, results

import minigrad
from minigrad import nn
from minigrad.autograd import gradcheck, gradgradcheck

RECORDED = dict(np.load(Path(__file__).parent / "data" / "linear_modules.npz"))
every_case = pytest.mark.parametrize("name", CASES)
ADAPTIVE = [name for name in CASES if name.startswith("adaptive")]


@every_case
def test_parameters_values_and_gradients_are_torchs(name) -> None:
    found = results(minigrad, name)
    assert {f"{name}/{key}" for key in found} == {key for key in RECORDED if key.split("/")[0] == name}
    for key, value in found.items():
        expected = RECORDED[f"{name}/{key}"]
        assert value.shape == expected.shape, key
        tight = key.startswith("parameter") or key == "predict"
        np.testing.assert_allclose(value, expected, rtol=0 if tight else 1e-10, atol=0 if tight else 1e-13)


@every_case
def test_live_torch_agrees_in_float32(name, torch) -> None:
    for (key, value), expected in zip(
        results(minigrad, name, "float32").items(), results(torch, name, "float32").values(), strict=True
    ):
        np.testing.assert_allclose(value, expected, rtol=2e-5, atol=2e-6, err_msg=key)
    ours, theirs = module_of(minigrad, name), module_of(torch, name)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())


@pytest.mark.parametrize("name", ADAPTIVE)
def test_output_prints_as_torchs(name, torch) -> None:
    printed = []
    for namespace in (minigrad, torch):
        target = namespace.tensor(CASES[name][4])
        found = module_of(namespace, name)(features_of(namespace, name), target)
        printed.append((repr(found), found._fields))
    assert printed[0] == printed[1]


@every_case
def test_derivatives_are_the_numeric_ones_to_second_order(name) -> None:
    module, target = module_of(minigrad, name), minigrad.tensor(CASES[name][4])
    adaptive = name.startswith("adaptive")

    def function(x, *parameters):
        found = module(x, target)
        return (found.output, found.loss) if adaptive else found

    inputs = (features_of(minigrad, name), *module.parameters())
    assert gradcheck(function, inputs)
    assert gradgradcheck(function, inputs)


def test_log_probabilities_sum_to_one_and_hold_the_outputs() -> None:
    module, x = module_of(minigrad, "adaptive"), features_of(minigrad, "adaptive")
    log_prob = module.log_prob(x).detach().numpy()
    np.testing.assert_allclose(np.exp(log_prob).sum(1), 1, rtol=1e-14)
    target = CASES["adaptive"][4]
    output, loss = module(x, minigrad.tensor(target))
    np.testing.assert_allclose(output.detach().numpy(), log_prob[np.arange(6), target], rtol=1e-13)
    assert loss.item() == pytest.approx(-log_prob[np.arange(6), target].mean(), rel=1e-13)


@pytest.mark.parametrize("factor", [1.0, 30.0])
def test_predict_is_the_most_probable_class(factor) -> None:
    module = module_of(minigrad, "adaptive")
    x = minigrad.randn(200, 16, dtype=minigrad.float64) * factor
    predicted = module.predict(x)
    np.testing.assert_array_equal(predicted.numpy(), module.log_prob(x).argmax(1).numpy())
    in_tail = predicted.numpy() >= 5
    assert in_tail.any()
    assert not in_tail.all()
    for only in (minigrad.tensor(np.nonzero(in_tail)[0]), minigrad.tensor(np.nonzero(~in_tail)[0])):
        np.testing.assert_array_equal(module.predict(x[only]).numpy(), predicted[only].numpy())


def test_clusters_without_a_target_get_no_gradient() -> None:
    module, x = module_of(minigrad, "adaptive"), features_of(minigrad, "adaptive")
    module(x, minigrad.tensor([0, 1, 5, 6, 0, 0])).loss.backward()
    used = [all(p.grad is not None for p in projection.parameters()) for projection in module.tail]
    assert used == [True, False, False]


def test_targets_of_other_types() -> None:
    module, x = module_of(minigrad, "adaptive"), features_of(minigrad, "adaptive")
    target = CASES["adaptive"][4]
    expected = module(x, minigrad.tensor(target)).loss.item()
    for given in (target, np.array(target, np.uint8), minigrad.tensor(target, dtype=minigrad.int32)):
        assert module(x, given).loss.item() == expected
    with pytest.raises(RuntimeError, match="integer type"):
        module(x, minigrad.tensor(target).double())


def test_reset_parameters_draws_as_the_constructor_does() -> None:
    module = nn.AdaptiveLogSoftmaxWithLoss(16, 20, [5, 10], div_value=2.0, head_bias=True)
    minigrad.manual_seed(5)
    module.reset_parameters()
    minigrad.manual_seed(5)
    again = nn.AdaptiveLogSoftmaxWithLoss(16, 20, [5, 10], div_value=2.0, head_bias=True)
    for a, b in zip(module.parameters(), again.parameters(), strict=True):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


def test_an_empty_batch_is_nan() -> None:
    output, loss = module_of(minigrad, "adaptive")(minigrad.zeros(0, 16).double(), minigrad.zeros(0).long())
    assert output.shape == (0,)
    assert np.isnan(loss.item())
