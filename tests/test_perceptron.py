"""Layers of a Sequential that are computed as one operation give what they give one after the other."""

import itertools

import numpy as np
import pytest

import minigrad
from minigrad import nn
from minigrad.ops.perceptron import RELU, SIGMOID, TANH, _PerceptronNode, perceptron

ACTIVATIONS = {None: None, nn.ReLU: RELU, nn.Tanh: TANH, nn.Sigmoid: SIGMOID}


def _model(*kinds, dtype=minigrad.float64):
    """Layers 3-4-5-..., each followed by an activation or by none."""
    minigrad.manual_seed(0)
    modules = []
    for place, kind in enumerate(kinds):
        modules.append(nn.Linear(3 + place, 4 + place, dtype=dtype))
        modules += [] if kind is None else [kind()]
    return nn.Sequential(*modules)


def _input(rows=6, dtype=minigrad.float64, requires_grad=False):
    minigrad.manual_seed(1)
    return minigrad.randn(rows, 3, dtype=dtype).requires_grad_(requires_grad)


def _one_by_one(model, x):
    for module in model:
        x = module(x)
    return x


def _gradients(y, leaves):
    cotangent = minigrad.from_numpy(np.random.default_rng(2).standard_normal(y.shape)).to(y.dtype)
    return minigrad.autograd.grad(y, leaves, cotangent)


def _names(node):
    """The names of a graph's nodes, from the result to the leaves."""
    return node.name(), [_names(following) for following, _ in node.next_functions if following is not None]


@pytest.mark.parametrize("dtype", [minigrad.float32, minigrad.float64])
@pytest.mark.parametrize("kinds", [*itertools.product(ACTIVATIONS, repeat=2)])
def test_values_and_gradients_are_those_of_the_layers(kinds, dtype):
    model, x = _model(*kinds, dtype=dtype), _input(dtype=dtype, requires_grad=True)
    leaves = [x, *model.parameters()]
    found, wanted = model(x), _one_by_one(model, x)
    assert type(found.grad_fn) is _PerceptronNode
    tolerance = 1e-5 if dtype is minigrad.float32 else 1e-12
    np.testing.assert_allclose(found.detach().numpy(), wanted.detach().numpy(), tolerance, tolerance)
    for a, b in zip(_gradients(found, leaves), _gradients(wanted, leaves), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), tolerance, tolerance)


@pytest.mark.parametrize("tracked", [t for t in itertools.product((True, False), repeat=5) if any(t)])
def test_gradients_of_some_operands_alone(tracked):
    model, x = _model(nn.ReLU, None), _input()
    operands = [x, *model.parameters()]
    for operand, wanted in zip(operands, tracked, strict=True):
        operand.requires_grad_(wanted)
    leaves = [operand for operand in operands if operand.requires_grad]
    found, wanted = _gradients(model(x), leaves), _gradients(_one_by_one(model, x), leaves)
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)


@pytest.mark.parametrize("kinds", [(nn.Tanh, None), (nn.Sigmoid, nn.Tanh), (nn.ReLU, nn.Sigmoid)])
def test_derivatives_are_the_numeric_ones_to_second_order(kinds):
    model, x = _model(*kinds), _input(requires_grad=True)
    op = perceptron(tuple(ACTIVATIONS[kind] for kind in kinds))
    operands = [x, *(p.detach().requires_grad_() for p in model.parameters())]
    assert type(op(*operands).grad_fn) is _PerceptronNode
    assert minigrad.autograd.gradcheck(op, operands)
    assert minigrad.autograd.gradgradcheck(op, operands)


@pytest.mark.parametrize("kinds", [(nn.ReLU, None), (nn.Tanh, nn.Sigmoid, nn.ReLU)])
def test_the_graph_that_is_shown_is_that_of_the_layers(kinds):
    model, x = _model(*kinds), _input(requires_grad=True)
    found, wanted = model(x), _one_by_one(model, x)
    assert _names(found.grad_fn) == _names(wanted.grad_fn)
    assert repr(found) == repr(wanted)
    found.sum().backward()
    assert len(found.grad_fn.next_functions) == 1 + 2 * len(kinds)  # freed: those of the one node


def test_a_layer_used_twice():
    layer = nn.Linear(3, 3, dtype=minigrad.float64)
    model, x = nn.Sequential(layer, nn.ReLU(), layer), _input()
    leaves = list(model.parameters())
    for a, b in zip(_gradients(model(x), leaves), _gradients(_one_by_one(model, x), leaves), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)


def test_who_looks_at_a_layer_sees_what_it_gives():
    model, x = _model(nn.ReLU, nn.ReLU, None), _input()
    wanted, seen = model(x), []
    handle = model[2].register_forward_hook(lambda module, args, y: seen.append((args[0], y)))
    found = model(x)
    ((given, y),) = seen
    np.testing.assert_array_equal(given.detach().numpy(), _one_by_one(model[:2], x).detach().numpy())
    assert y.grad_fn.name() == "AddmmBackward0"
    np.testing.assert_allclose(found.detach().numpy(), wanted.detach().numpy(), rtol=1e-12)
    handle.remove()
    model(x)
    assert len(seen) == 1


def test_who_computes_a_layer_in_another_way_is_asked():
    class Doubled(nn.Linear):
        def forward(self, input):
            return 2 * super().forward(input)

    class Negative(nn.ReLU):
        def forward(self, input):
            return -super().forward(input)

    x = _input()
    doubled = nn.Sequential(Doubled(3, 4, dtype=minigrad.float64), Negative(), nn.Linear(4, 1).double())
    assert repr(doubled(x)) == repr(_one_by_one(doubled, x))
    model = _model(nn.ReLU, None)
    model[0].forward = lambda input: minigrad.zeros(len(input), 4, dtype=minigrad.float64)
    np.testing.assert_array_equal(model(x).detach().numpy(), np.tile(model[2].bias.detach().numpy(), (6, 1)))


def test_what_was_saved_may_not_change_but_the_biases_may():
    model, x = _model(nn.ReLU, nn.ReLU), _input()
    y = model(x)
    with minigrad.no_grad():
        model[2].bias += 1.0
    y.sum().backward(retain_graph=True)
    for changed in (model[0].weight, x, y):
        y = model(x)
        total = y.sum()
        with minigrad.no_grad():
            (y if changed.grad_fn is not None else changed).add_(1.0)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            total.backward()


def test_walking_twice_and_a_freed_graph():
    model, x = _model(nn.Tanh, None), _input()
    total = model(x).sum()
    total.backward(retain_graph=True)
    once = [p.grad.clone() for p in model.parameters()]
    total.backward()
    for p, gradient in zip(model.parameters(), once, strict=True):
        np.testing.assert_allclose(p.grad.numpy(), 2 * gradient.numpy(), rtol=1e-12)
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        total.backward()


@pytest.mark.parametrize("shape", [(3,), (2, 5, 3), (0, 3)])
def test_other_ranks_and_no_rows(shape):
    model, x = _model(nn.ReLU, None), minigrad.ones(*shape, dtype=minigrad.float64)
    assert repr(model(x)) == repr(_one_by_one(model, x))


@pytest.mark.parametrize("x", [minigrad.ones(2, 4, dtype=minigrad.float64), minigrad.ones(2, 3)])
def test_what_does_not_fit_is_told_as_by_the_layer(x):
    model = _model(nn.ReLU, None)
    with pytest.raises(RuntimeError) as wanted:
        _one_by_one(model, x)
    with pytest.raises(RuntimeError) as found:
        model(x)
    assert str(found.value) == str(wanted.value)


def test_nothing_is_recorded_where_nothing_shall_be():
    model, x = _model(nn.ReLU, None), _input()
    with minigrad.no_grad():
        assert model(x).grad_fn is None
    assert model.requires_grad_(False)(x).grad_fn is None
