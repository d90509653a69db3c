"""Linear layers on matrices take a path of their own; it computes what the stated rules compute."""

import itertools

import numpy as np
import pytest

import minigrad
from minigrad.nn import functional as F
from minigrad.ops import linear as ops


def _operands(tracked=(True, True, True), dtype=minigrad.float64):
    rng = np.random.default_rng(0)
    shapes = (5, 3), (4, 3), (4,)
    return [
        minigrad.from_numpy(rng.standard_normal(shape)).to(dtype).requires_grad_(wanted)
        for shape, wanted in zip(shapes, tracked, strict=True)
    ]


def _gradients(function, operands):
    cotangent = minigrad.from_numpy(np.random.default_rng(1).standard_normal((5, 4)))
    leaves = [operand for operand in operands if operand.requires_grad]
    return minigrad.autograd.grad(function(*operands), leaves, cotangent)


@pytest.mark.parametrize("tracked", [t for t in itertools.product((True, False), repeat=3) if any(t)])
def test_gradients_are_those_of_the_rules(tracked):
    operands = _operands(tracked)
    found, wanted = _gradients(F.linear, operands), _gradients(ops._affine, operands)
    assert F.linear(*operands).grad_fn.name() == ops._affine(*operands).grad_fn.name()
    assert type(F.linear(*operands).grad_fn) is ops._LinearNode
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)


def test_derivatives_are_the_numeric_ones_to_second_order():
    assert minigrad.autograd.gradcheck(F.linear, _operands())
    assert minigrad.autograd.gradgradcheck(F.linear, _operands())


def test_views_strides_and_a_weight_used_twice():
    x, w, b = _operands()
    transposed = w.detach().t().contiguous().requires_grad_()
    y = F.linear(x.t().contiguous().t(), transposed.t(), b) + F.linear(x, transposed.t(), b)
    y.sum().backward()
    expected = 2 * np.broadcast_to(x.detach().numpy().sum(0)[:, None], (3, 4))
    np.testing.assert_allclose(transposed.grad.numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(b.grad.numpy(), np.full(4, 10.0))


def test_what_was_saved_may_not_change_but_the_bias_may():
    x, w, b = _operands()
    y = F.linear(x, w, b)
    with minigrad.no_grad():
        b += 1.0
    y.sum().backward(retain_graph=True)  # the bias is not needed backward
    with minigrad.no_grad():
        w += 1.0
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_a_freed_graph_says_so():
    y = F.linear(*_operands())
    total = y.sum()
    total.backward()
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        y.sum().backward()


@pytest.mark.parametrize(
    ("shapes", "text"),
    [
        (((5, 2), (4, 3), (4,)), "mat1 and mat2 shapes cannot be multiplied"),
        (((5, 3), (4, 3), (3,)), "must match the existing size"),
    ],
)
def test_what_does_not_fit_is_told_as_before(shapes, text):
    with pytest.raises(RuntimeError, match=text):
        F.linear(*(minigrad.ones(*shape) for shape in shapes))


def test_no_rows_no_columns_and_other_ranks():
    _, w, b = _operands()
    assert F.linear(minigrad.ones(0, 3, dtype=minigrad.float64), w, b).shape == (0, 4)
    assert F.linear(minigrad.ones(3, dtype=minigrad.float64), w, b).shape == (4,)
    assert F.linear(minigrad.ones(2, 5, 3, dtype=minigrad.float64), w, b).shape == (2, 5, 4)


def test_a_lazy_layer_becomes_linear_as_torchs_does(torch):
    texts = []
    for library in (minigrad, torch):
        library.manual_seed(0)
        layer = library.nn.LazyLinear(3)
        text = [repr(layer), repr(layer.weight), list(layer.state_dict())]
        optimizer = library.optim.SGD(layer.parameters(), lr=0.1)
        layer(library.ones(2, 4)).sum().backward()
        optimizer.step()
        text += [
            repr(layer),
            repr(layer.weight),
            repr(layer.bias),
            type(layer).__name__,
            layer.weight.grad.shape,
        ]
        texts.append(text)
    assert texts[0] == texts[1]
