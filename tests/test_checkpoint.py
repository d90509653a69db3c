"""utils.checkpoint: the gradients are those without it, random numbers are drawn again, memory is let go."""

import gc
import importlib
import warnings
import weakref

import numpy as np
import pytest

import minigrad
from minigrad import nn
from minigrad.utils.checkpoint import checkpoint, checkpoint_sequential

both = pytest.mark.parametrize("reentrant", [False, True])


def _run(call):
    layer = nn.Linear(3, 3)
    minigrad.manual_seed(1)
    x = minigrad.randn(2, 3, requires_grad=True)
    h = x * 2
    y = call(lambda a: nn.functional.dropout(layer(a).tanh() * h + a, 0.5), h)
    drawn = minigrad.rand(1)
    y.pow(2).sum().backward()
    found = [y.detach().numpy(), x.grad.numpy(), layer.weight.grad.numpy(), drawn.numpy()]
    return [*found, minigrad.rand(1).numpy()]


@both
def test_values_gradients_and_the_random_stream_are_those_without(reentrant):
    minigrad.manual_seed(0)
    expected = _run(lambda f, a: f(a))
    minigrad.manual_seed(0)
    found = _run(lambda f, a: checkpoint(f, a, use_reentrant=reentrant))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


@both
def test_several_outputs_second_order_and_a_kept_graph(reentrant):
    x = minigrad.tensor([1.0, 2.0], requires_grad=True)
    y, z, text = checkpoint(lambda a: (a**3, a * 2, "text"), x, use_reentrant=reentrant)
    assert text == "text"
    (g,) = minigrad.autograd.grad((y + z).sum(), x, create_graph=True)
    assert g.tolist() == [5.0, 14.0]
    (h,) = minigrad.autograd.grad(g.sum(), x, retain_graph=True)
    assert h.tolist() == [6.0, 12.0]
    (again,) = minigrad.autograd.grad(y.sum(), x, retain_graph=True)
    assert again.tolist() == [3.0, 12.0]


@both
def test_a_freed_graph_is_an_error(reentrant):
    x = minigrad.ones(2, requires_grad=True)
    y = checkpoint(lambda a: a.exp(), x, use_reentrant=reentrant).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


def test_what_lies_between_is_let_go():
    held = []

    def function(a):
        inner = a.exp()
        held.append(weakref.ref(inner))
        return (inner * inner).exp()

    y = checkpoint(function, minigrad.ones(2, requires_grad=True), use_reentrant=False)
    gc.collect()
    assert held[0]() is None
    assert [node.name() for node, _ in y.grad_fn.next_functions] == ["torch::autograd::AccumulateGrad"]


def test_an_output_that_is_the_input():
    x = minigrad.ones(2, requires_grad=True)
    a, b = checkpoint(lambda v: (v, v * 3), x * 2, use_reentrant=False)
    (a + b).sum().backward()
    assert x.grad.tolist() == [8.0, 8.0]


@both
def test_sequential(reentrant):
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1))
    x = minigrad.randn(2, 3, requires_grad=True)
    expected = minigrad.autograd.grad(model(x).sum(), [x, *model.parameters()])
    for segments in (1, 2, 3, 5):
        model.zero_grad()
        x.grad = None
        checkpoint_sequential(model, segments, x, use_reentrant=reentrant).sum().backward()
        for a, b in zip([x, *model.parameters()], expected, strict=True):
            np.testing.assert_allclose(a.grad.numpy(), b.numpy(), rtol=1e-5, atol=1e-6)


CALLS = """
C.checkpoint(lambda a: a * a, r, use_reentrant=False)
C.checkpoint(lambda a: a * a, r, use_reentrant=True)
C.checkpoint(lambda a: a * a, x, use_reentrant=True)
C.checkpoint(lambda a: a * a, x, use_reentrant=False)
C.checkpoint(lambda a, b: a * b, r, use_reentrant=False, b=2)
C.checkpoint(lambda a, b: a * b, r, use_reentrant=True, b=2)
C.checkpoint(lambda a: a * a, r)
C.checkpoint_sequential([torch.exp, torch.neg], 2, r, use_reentrant=False)
C.checkpoint_sequential([torch.exp, torch.log], 5, r, use_reentrant=False)
""".strip().split("\n")


def _said(library, call):
    torch = importlib.import_module(library)
    x = torch.tensor([1.0, 2.0])
    names = {"torch": torch, "C": importlib.import_module(f"{library}.utils.checkpoint")}
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            return repr(eval(call, names | {"x": x, "r": x.clone().requires_grad_()})), [
                str(w.message) for w in said
            ]
    except (RuntimeError, TypeError, ValueError) as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("call", CALLS)
def test_the_text_is_torchs(call):
    pytest.importorskip("torch")
    assert _said("minigrad", call) == _said("torch", call)
