"""minigrad.func: the text torch prints of the same calls, and what stays untouched."""

import importlib
import warnings

import numpy as np
import pytest

import minigrad
from minigrad import func

# Calls of torch.func, F, with x = tensor([1., 2.]), r the same with a gradient, and m = Linear(2, 1).
CALLS = """
F.grad(lambda a: (a ** 3).sum())(x)
F.grad(lambda a: a)(x)
F.grad(lambda a: (a.sum(), a))(x)
F.grad(lambda a: 3.0)(x)
F.grad(lambda a: ((a ** 2).sum(), a * 2), has_aux=True)(x)
F.grad(lambda a: a.sum(), has_aux=True)(x)
F.grad(lambda a: a.sum(), argnums=1)(x)
F.grad(lambda a, b: (a * b).sum(), argnums=-1)(x, x + 5)
F.grad(lambda a: (a * 1.0).sum())(torch.tensor([1, 2]))
F.grad(lambda a: torch.tensor(1.0))(x)
F.grad(lambda p: (p["w"] * x).sum() + p["b"])({"w": x, "b": torch.tensor(1.0)})
F.grad(F.grad(lambda a: a ** 3))(torch.tensor(2.0))
F.grad(F.grad(F.grad(lambda a: a ** 4)))(torch.tensor(2.0))
F.grad(lambda a: F.grad(lambda b: (a * b) ** 2)(a) * a)(torch.tensor(2.0))
F.grad(lambda a: (a * r).sum())(x)
F.grad_and_value(lambda a, b: (a * b).sum(), argnums=(0, 1))(x, x + 1)
F.grad_and_value(lambda a: ((a * a).sum(), {"a": a}), has_aux=True)(x)
F.vjp(lambda a: a * a, x)[0]
F.vjp(lambda a: a * a, x)[1](torch.ones(2))
F.vjp(lambda a, b: a * b, x, x)[1](torch.ones(2))
F.vjp(lambda a: (a * a, a + 1), x, has_aux=True)[2]
F.vjp(lambda a: (a * a, a.sum()), x)[1]((torch.ones(2), torch.tensor(3.0)))
F.jacrev(lambda a: a * a)(x)
F.jacrev(lambda a, b: (a * b, a.sum()), argnums=(0, 1))(x, x)
F.jacrev(lambda a, b: a * b, argnums=1)(x, x + 1)
F.jacrev(lambda p: p["w"] * x)({"w": x})
F.jacrev(lambda a: (a * a, a + 1), has_aux=True)(x)
F.hessian(lambda a: (a ** 3).sum())(x)
F.hessian(lambda a, b: (a * a * b).sum(), argnums=(0, 1))(x, x + 1)
F.functional_call(m, {"weight": torch.ones(1, 2), "bias": torch.zeros(1)}, (x,))
F.functional_call(m, ({"weight": torch.ones(1, 2)}, {"bias": torch.zeros(1)}), x)
F.functional_call(m, {"weight": torch.ones(1, 2)}, x)
F.functional_call(m, {"weigh": torch.ones(1, 2)}, x)
F.functional_call(m, {"weigh": torch.ones(1, 2)}, x, strict=True)
F.functional_call(m, {"weight": torch.ones(1, 2)}, x, strict=True)
F.grad(lambda p: F.functional_call(m, p, x).sum())({k: v.detach() for k, v in m.named_parameters()})
""".strip().split("\n")


def _said(library, call):
    torch = importlib.import_module(library)
    torch.manual_seed(0)
    x = torch.tensor([1.0, 2.0])
    names = {"torch": torch, "F": importlib.import_module(f"{library}.func")}
    names |= {"x": x, "r": x.clone().requires_grad_(), "m": torch.nn.Linear(2, 1)}
    try:
        with warnings.catch_warnings():  # torch's own, on importing its compiler
            warnings.simplefilter("ignore")
            return repr(eval(call, names))
    except (RuntimeError, TypeError, ValueError) as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("call", CALLS)
def test_the_text_is_torchs(call):
    pytest.importorskip("torch")
    assert _said("minigrad", call) == _said("torch", call)


def test_results_can_be_differentiated_by_what_the_function_uses():
    w = minigrad.tensor(3.0, requires_grad=True)
    slope = func.grad(lambda x: w * x**2)(minigrad.tensor(2.0))
    slope.backward()
    assert slope.item() == 12
    assert w.grad.item() == 4


def test_functional_call_leaves_the_module_as_it_was_also_after_an_error():
    layer = minigrad.nn.Linear(2, 1)
    before = [p.detach().clone() for p in layer.parameters()]
    with pytest.raises(RuntimeError):
        func.functional_call(layer, {"weight": minigrad.ones(1, 3)}, minigrad.ones(2))
    for held, parameter in zip(before, layer.parameters(), strict=True):
        assert isinstance(parameter, minigrad.nn.Parameter)
        np.testing.assert_array_equal(held.numpy(), parameter.detach().numpy())


def test_the_gradient_of_a_functional_call_is_that_of_backward():
    layer, x = minigrad.nn.Linear(2, 1), minigrad.ones(3, 2)
    parameters = {name: p.detach() for name, p in layer.named_parameters()}
    found = func.grad(lambda p: (func.functional_call(layer, p, x) ** 2).mean())(parameters)
    (layer(x) ** 2).mean().backward()
    for name, p in layer.named_parameters():
        np.testing.assert_allclose(found[name].numpy(), p.grad.numpy(), rtol=1e-6)
