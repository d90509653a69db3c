"""The optimisers against torch's: recorded results (record_optim_data.py), and live ones."""

import copy
import inspect
import json
import pickle

import numpy as np
import pytest
import record_optim_data as recorded

import minigrad as mg
from minigrad import optim
from minigrad.autograd import no_grad
from minigrad.optim.optimizer import required

RESULTS = json.loads(recorded.DATA.read_text())
TOLERANCE = {"float32": 1e-6, "float64": 1e-13}
IDS = [f"{name}-{'-'.join(map(str, options.values()))}" for name, options in recorded.CASES]
METHODS = [
    (optim.SGD, {"lr": 0.1}),
    (optim.SGD, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1}),
    (optim.Adam, {"lr": 0.1}),
    (optim.AdamW, {"lr": 0.1, "amsgrad": True}),
]


def assert_close(got, expected, dtype):
    assert got.dtype == dtype
    scale = np.abs(expected).max()
    np.testing.assert_allclose(got, expected, rtol=0, atol=TOLERANCE[dtype] * scale)


def parameter(values=(1.0, 2.0)):
    return mg.tensor(values, requires_grad=True)


def descend(optimizer, *params, steps=1):
    """Steps on the sum of squares; the values after each."""
    values = []
    for _ in range(steps):
        optimizer.zero_grad()
        sum((param * param).sum() for param in params).backward()
        optimizer.step()
        values.append([param.detach().numpy().copy() for param in params])
    return values


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "options"), recorded.CASES, ids=IDS)
def test_fifty_steps_give_the_recorded_parameters(name, options, dtype):
    expected = np.array(RESULTS[recorded.key([name, options])][dtype])
    assert_close(recorded.train(mg, optim, name, options, dtype), expected, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "options"), recorded.CASES, ids=IDS)
def test_fifty_steps_give_the_parameters_of_torch(name, options, dtype):
    torch = pytest.importorskip("torch", reason="compares with torch live")
    expected = recorded.train(torch, torch.optim, name, options, dtype)
    assert_close(recorded.train(mg, optim, name, options, dtype), expected, dtype)


# ------------------------------------------------------------------------------ the step
@pytest.mark.parametrize(("method", "options"), METHODS)
def test_a_step_is_seen_by_a_graph_that_saved_the_parameter(method, options):
    w = parameter()
    optimizer = method([w], **options)
    y = (w * w).sum()
    y.backward(retain_graph=True)
    version = w._version
    optimizer.step()
    assert w._version == version + 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


@pytest.mark.parametrize(("method", "options"), METHODS)
def test_parameters_without_a_gradient_are_left_alone(method, options):
    w, other = parameter(), parameter()
    optimizer = method([other, w], **options)
    (w * w).sum().backward()
    optimizer.step()
    assert other.tolist() == [1.0, 2.0]
    assert other not in optimizer.state
    assert w.tolist() != [1.0, 2.0]


@pytest.mark.parametrize(("method", "options"), METHODS)
def test_the_gradient_is_not_changed(method, options):
    w = parameter()
    w.grad = mg.tensor([3.0, -4.0])
    optimizer = method([w], maximize=True, **options)
    for _ in range(3):
        optimizer.step()
    assert w.grad.tolist() == [3.0, -4.0]


@pytest.mark.parametrize(("method", "options"), METHODS)
@pytest.mark.parametrize(
    "layout",
    [
        lambda a: a.T,
        lambda a: a[::-1],
        lambda a: np.ascontiguousarray(a.T).T,
        lambda a: np.repeat(a, 2, axis=1)[:, ::2],
    ],
    ids=["transposed", "reversed", "fortran", "strided"],
)
def test_any_memory_layout_of_parameter_and_gradient(method, options, layout):
    array = np.arange(12, dtype=np.float32).reshape(3, 4) + 1
    gradients = [array % 5, array[::-1] - 6]
    expected = mg.from_numpy(layout(array).copy()).requires_grad_()
    got = mg.from_numpy(layout(array.copy())).requires_grad_()
    straight, twisted = method([expected], **options), method([got], **options)
    memory = got.detach().numpy()
    for gradient in gradients:
        expected.grad = mg.from_numpy(layout(gradient).copy())
        got.grad = mg.from_numpy(layout(gradient))
        straight.step()
        twisted.step()
    np.testing.assert_allclose(got.detach().numpy(), expected.detach().numpy(), rtol=1e-6)
    assert np.shares_memory(memory, got.detach().numpy())
    assert not np.array_equal(memory, layout(array))


@pytest.mark.parametrize(("method", "options"), METHODS)
def test_an_empty_parameter(method, options):
    w = mg.zeros(0, 3, requires_grad=True)
    w.grad = mg.zeros(0, 3)
    method([w], **options).step()
    assert w.shape == (0, 3)


@pytest.mark.parametrize(("method", "options"), METHODS)
def test_new_data_of_a_parameter_is_what_the_next_step_updates(method, options):
    w = parameter()
    optimizer = method([w], **options)
    w.grad = mg.ones(2)
    optimizer.step()
    old = w.detach()
    before = old.tolist()
    w.data = mg.tensor([5.0, 6.0])
    optimizer.step()
    assert old.tolist() == before
    assert (w < mg.tensor([5.0, 6.0])).all()


@pytest.mark.parametrize(("method", "options"), METHODS)
def test_state_of_another_size_is_refused(method, options):
    w = parameter()
    optimizer = method([w], **options)
    w.grad = mg.ones(2)
    optimizer.step()
    w.data = mg.ones(5)
    with pytest.raises((RuntimeError, ValueError)):
        optimizer.step()


def test_a_closure_runs_with_gradients_and_its_loss_comes_back():
    w = parameter()
    optimizer = optim.SGD([w], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    with no_grad():
        loss = optimizer.step(closure)
    assert loss.item() == 5.0
    assert w.tolist() == [0.5, 1.0]
    assert optimizer.step() is None


def test_changed_options_count_from_the_next_step_on():
    w = parameter([0.0])
    optimizer = optim.SGD([w], lr=1.0)
    w.grad = mg.ones(1)
    seen = []
    for lr in (1.0, 0.5, mg.tensor(0.25)):
        optimizer.param_groups[0]["lr"] = lr
        optimizer.step()
        seen.append(w.item())
    assert seen == [-1.0, -1.5, -1.75]


def test_a_learning_rate_may_be_a_tensor():
    w = parameter([1.0])
    w.grad = mg.ones(1)
    optim.SGD([w], lr=mg.tensor(0.5)).step()
    assert w.item() == 0.5


def test_zero_grad():
    w, other = parameter(), parameter()
    optimizer = optim.SGD([w, other], lr=0.1)
    (w * w).sum().backward()
    grad = w.grad
    optimizer.zero_grad(set_to_none=False)
    assert w.grad is grad
    assert grad.tolist() == [0.0, 0.0]
    assert other.grad is None
    optimizer.zero_grad()
    assert w.grad is None


def test_zero_grad_cuts_off_the_graph_of_a_recorded_gradient():
    w = parameter()
    (w * w * w).sum().backward(create_graph=True)
    assert w.grad.requires_grad
    optim.SGD([w]).zero_grad(set_to_none=False)
    assert not w.grad.requires_grad


def test_the_state_has_the_keys_of_torch():
    w = parameter()
    w.grad = mg.ones(2)
    adam, sgd = optim.Adam([w], amsgrad=True), optim.SGD([w], momentum=0.9)
    plain = optim.SGD([w])
    for optimizer in (adam, sgd, plain):
        optimizer.step()
    assert list(adam.state[w]) == ["step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"]
    assert repr(adam.state[w]["step"]) == "tensor(1.)"
    assert list(sgd.state[w]) == ["momentum_buffer"]
    assert sgd.state[w]["momentum_buffer"].tolist() == [1.0, 1.0]
    assert not plain.state


# ------------------------------------------------------------------------------ groups
def test_groups_fill_in_the_defaults_and_update_by_their_own():
    w, b = parameter([1.0]), parameter([1.0])
    optimizer = optim.SGD([{"params": w}, {"params": [b], "lr": 0.5}], lr=0.1)
    w.grad, b.grad = mg.ones(1), mg.ones(1)
    optimizer.step()
    assert w.tolist() == pytest.approx([0.9])
    assert b.tolist() == [0.5]
    assert optimizer.param_groups[1]["momentum"] == 0
    c = parameter([1.0])
    optimizer.add_param_group({"params": c, "lr": 0.25})
    c.grad = mg.ones(1)
    optimizer.step()
    assert c.tolist() == [0.75]


def test_named_parameters():
    w, b = parameter(), parameter()
    optimizer = optim.SGD([("w", w), ("b", b)], lr=0.1)
    assert optimizer.param_groups[0]["params"] == [w, b]
    assert optimizer.param_groups[0]["param_names"] == ["w", "b"]
    assert "    param_names: ['w', 'b']\n" in repr(optimizer)
    saved = optimizer.state_dict()
    assert saved["param_groups"][0]["param_names"] == ["w", "b"]
    unnamed = optim.SGD([parameter(), parameter()], lr=0.3)
    optimizer.load_state_dict(unnamed.state_dict())
    assert optimizer.param_groups[0]["param_names"] == ["w", "b"]
    assert optimizer.param_groups[0]["lr"] == 0.3


def test_a_generator_of_parameters():
    params = [parameter(), parameter()]
    assert optim.Adam(p for p in params).param_groups[0]["params"] == params


def test_repr():
    assert repr(optim.SGD([{"params": [parameter()]}, {"params": parameter()}], momentum=0.9)) == (
        "SGD (\n"
        + "".join(
            f"Parameter Group {number}\n"
            "    dampening: 0\n    differentiable: False\n    foreach: None\n    fused: None\n"
            "    lr: 0.001\n    maximize: False\n    momentum: 0.9\n    nesterov: False\n"
            "    weight_decay: 0\n"
            for number in (0, 1)
        )
        + ")"
    )
    assert repr(optim.AdamW([parameter()])) == (
        "AdamW (\nParameter Group 0\n    amsgrad: False\n    betas: (0.9, 0.999)\n"
        "    capturable: False\n    decoupled_weight_decay: True\n    differentiable: False\n"
        "    eps: 1e-08\n    foreach: None\n    fused: None\n    lr: 0.001\n    maximize: False\n"
        "    weight_decay: 0.01\n)"
    )


def test_an_optimiser_of_ones_own():
    class SignDescent(optim.Optimizer):
        def __init__(self, params, lr=required):
            super().__init__(params, {"lr": lr})

        @no_grad()
        def step(self, closure=None):
            for group in self.param_groups:
                for param in group["params"]:
                    param -= group["lr"] * param.grad.sign()

    w = parameter()
    w.grad = mg.tensor([3.0, -0.1])
    SignDescent([{"params": w, "lr": 0.5}]).step()
    assert w.tolist() == [0.5, 2.5]
    with pytest.raises(ValueError, match="didn't specify a value of required optimization param"):
        SignDescent([w])
    assert repr(required) == "<required parameter>"
    with pytest.raises(NotImplementedError):
        optim.Optimizer([w], {}).step()


# ------------------------------------------------------------------------------ saving and loading
@pytest.mark.parametrize(("method", "options"), METHODS)
@pytest.mark.parametrize("through", [lambda d: d, lambda d: pickle.loads(pickle.dumps(d))])
def test_a_loaded_optimiser_continues(method, options, through):
    w, b = parameter(), parameter([3.0])
    optimizer = method([{"params": w}, {"params": b, "weight_decay": 0.2}], **options)
    descend(optimizer, w, b, steps=3)
    v, c = (mg.tensor(p.tolist(), requires_grad=True) for p in (w, b))
    other = method([{"params": v}, {"params": c}], lr=9.0)
    other.load_state_dict(through(optimizer.state_dict()))
    assert other.param_groups[1]["weight_decay"] == 0.2
    first, second = descend(optimizer, w, b, steps=3), descend(other, v, c, steps=3)
    for one, two in zip(first[-1], second[-1], strict=True):
        np.testing.assert_array_equal(one, two)


def test_the_structure_of_a_state_dict():
    w, b, c = parameter([1.0]), parameter([2.0]), parameter([3.0])
    optimizer = optim.Adam([{"params": [w, b]}, {"params": c, "lr": 0.5}])
    b.grad = mg.ones(1)
    optimizer.step()
    saved = optimizer.state_dict()
    assert list(saved) == ["state", "param_groups"]
    assert list(saved["state"]) == [1]
    assert saved["state"][1]["exp_avg"] is optimizer.state[b]["exp_avg"]
    assert [group["params"] for group in saved["param_groups"]] == [[0, 1], [2]]
    assert [group["lr"] for group in saved["param_groups"]] == [0.001, 0.5]
    assert optimizer.param_groups[0]["params"] == [w, b]


def test_loading_takes_a_copy_in_the_dtype_of_the_parameter():
    w, v = parameter(), mg.tensor([1.0, 2.0], dtype=mg.float64, requires_grad=True)
    optimizer, other = optim.Adam([w]), optim.Adam([v])
    descend(optimizer, w)
    saved = optimizer.state_dict()
    other.load_state_dict(saved)
    assert other.state[v]["exp_avg"].dtype == mg.float64
    assert other.state[v]["step"].dtype == mg.float32
    descend(other, v, steps=2)
    assert optimizer.state[w]["step"].item() == 1.0
    assert other.state[v]["step"].item() == 3.0
    saved["param_groups"][0]["lr"] = 5.0
    assert optimizer.param_groups[0]["lr"] == other.param_groups[0]["lr"] == 0.001


def test_loading_fills_what_an_old_file_lacks():
    w = parameter()
    optimizer = optim.AdamW([w])
    descend(optimizer, w)
    saved = copy.deepcopy(optimizer.state_dict())
    del saved["param_groups"][0]["maximize"]
    saved["param_groups"][0]["decoupled_weight_decay"] = False
    saved["state"][0]["step"] = 7
    saved["state"]["note"] = "kept"
    optimizer.load_state_dict(saved)
    assert optimizer.param_groups[0]["maximize"] is False
    assert optimizer.param_groups[0]["decoupled_weight_decay"] is True
    assert optimizer.state[w]["step"].item() == 7.0
    assert optimizer.state["note"] == "kept"
    descend(optimizer, w)
    assert optimizer.state[w]["step"].item() == 8.0


def test_loading_refuses_other_groups():
    one = optim.SGD([parameter(), parameter()]).state_dict()
    with pytest.raises(ValueError, match="has a different number of parameter groups"):
        optim.SGD([{"params": parameter()}, {"params": parameter()}]).load_state_dict(one)
    with pytest.raises(ValueError, match="doesn't match the size of optimizer's group"):
        optim.SGD([parameter()]).load_state_dict(one)


@pytest.mark.parametrize(("method", "options"), METHODS)
@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_copies_go_their_own_way(method, options, duplicate):
    w = parameter()
    optimizer = method([w], **options)
    descend(optimizer, w, steps=2)
    twin = duplicate(optimizer)
    assert type(twin) is method
    (v,) = twin.param_groups[0]["params"]
    assert v is not w
    kept = w.tolist()
    descend(twin, v)
    assert w.tolist() == kept
    descend(optimizer, w)
    assert v.tolist() == w.tolist()


# ------------------------------------------------------------------------------ bad arguments
BAD = [
    (lambda o, p, q: o.SGD([]), ValueError, "optimizer got an empty parameter list"),
    (
        lambda o, p, q: o.SGD(p),
        TypeError,
        "iterable of Tensors or dicts, but got torch.FloatTensor",
    ),
    (lambda o, p, q: o.SGD(5), TypeError, "'int' object is not iterable"),
    (lambda o, p, q: o.SGD([5]), TypeError, "one of the params is int"),
    (lambda o, p, q: o.SGD([np.ones(2)]), TypeError, "one of the params is numpy.ndarray"),
    (lambda o, p, q: o.SGD({"a": p}), TypeError, "one of the params is str"),
    (lambda o, p, q: o.SGD([p * 2]), ValueError, "can't optimize a non-leaf Tensor"),
    (lambda o, p, q: o.SGD([{"params": {p}}]), TypeError, "organized in ordered collections"),
    (lambda o, p, q: o.SGD([{"lr": 1}]), KeyError, "params"),
    (lambda o, p, q: o.SGD([p]).add_param_group([q]), TypeError, "param_group must be a dict, but"),
    (
        lambda o, p, q: o.SGD([{"params": p}, {"params": [q, p]}]),
        ValueError,
        "some parameters appear in more than one parameter group",
    ),
    (lambda o, p, q: o.SGD([p, p]), UserWarning, "parameter group with duplicate parameters"),
    (lambda o, p, q: o.SGD([("a", p), q]), ValueError, "Some param names are missing"),
    (
        lambda o, p, q: o.SGD([{"params": [("a", p)]}, {"params": [q]}]),
        ValueError,
        "cannot add param group without names to the optimizer",
    ),
    (
        lambda o, p, q: o.SGD([{"params": [p]}, {"params": [("a", q)]}]),
        ValueError,
        "cannot add param group with names to the optimizer",
    ),
    (lambda o, p, q: o.SGD([p], lr=-0.1), ValueError, "Invalid learning rate: -0.1"),
    (lambda o, p, q: o.SGD([p], lr="a"), TypeError, "'<' not supported"),
    (lambda o, p, q: o.SGD([p], momentum=-1), ValueError, "Invalid momentum value: -1"),
    (lambda o, p, q: o.SGD([p], weight_decay=-1), ValueError, "Invalid weight_decay value: -1"),
    (
        lambda o, p, q: o.SGD([p], nesterov=True),
        ValueError,
        "Nesterov momentum requires a momentum and zero dampening",
    ),
    (
        lambda o, p, q: o.SGD([p], momentum=0.9, dampening=0.1, nesterov=True),
        ValueError,
        "Nesterov momentum requires a momentum and zero dampening",
    ),
    (
        lambda o, p, q: o.SGD([p], fused=True, foreach=True),
        RuntimeError,
        "`fused` and `foreach` cannot be `True` together.",
    ),
    (
        lambda o, p, q: o.Adam([p], fused=True, differentiable=True),
        RuntimeError,
        "`fused` does not support `differentiable`",
    ),
    (lambda o, p, q: o.Adam([p], lr=-1), ValueError, "Invalid learning rate: -1"),
    (lambda o, p, q: o.Adam([p], lr=float("nan")), ValueError, "Invalid learning rate: nan"),
    (lambda o, p, q: o.Adam([p], eps=-1), ValueError, "Invalid epsilon value: -1"),
    (
        lambda o, p, q: o.Adam([p], betas=(1.0, 0.9)),
        ValueError,
        "Invalid beta parameter at index 0: 1.0",
    ),
    (
        lambda o, p, q: o.AdamW([p], betas=(0.9, -0.1)),
        ValueError,
        "Invalid beta parameter at index 1: -0.1",
    ),
    (
        lambda o, p, q: o.Adam([p], betas=(0, 0.9)),
        ValueError,
        "betas must be either both floats or both Tensors",
    ),
    (lambda o, p, q: o.AdamW([p], weight_decay=-1), ValueError, "Invalid weight_decay value: -1"),
]


def outcome(action, library, optimisers):
    p, q = (library.ones(2, requires_grad=True) for _ in range(2))
    with pytest.raises((Exception, Warning)) as raised:
        action(optimisers, p, q)
    return raised.type, str(raised.value)


@pytest.mark.parametrize(("action", "kind", "message"), BAD, ids=[text for _, _, text in BAD])
def test_bad_arguments(action, kind, message):
    got, text = outcome(action, mg, optim)
    assert got is kind
    assert message in text


@pytest.mark.parametrize(("action", "kind", "message"), BAD, ids=[text for _, _, text in BAD])
def test_bad_arguments_are_refused_as_torch_refuses_them(action, kind, message):
    torch = pytest.importorskip("torch", reason="compares with torch live")
    got, text = outcome(action, torch, torch.optim)
    assert got is kind
    assert message in text
    assert outcome(action, mg, optim)[1].split("\n")[0] == text


def test_a_tensor_learning_rate_of_several_elements():
    with pytest.raises(ValueError, match="Tensor lr must be 1-element"):
        optim.SGD([parameter()], lr=mg.ones(2))
    with pytest.raises(ValueError, match=r"Tensor betas\[0\] must be 1-element"):
        optim.Adam([parameter()], betas=(mg.zeros(2), mg.zeros(2)))
    betas = mg.tensor(0.5), mg.tensor(0.25)
    assert optim.Adam([parameter()], betas=betas).defaults["betas"] == (0.5, 0.25)


@pytest.mark.parametrize("method", [optim.SGD, optim.Adam, optim.AdamW])
def test_a_differentiable_step_is_refused(method):
    with pytest.raises(NotImplementedError, match="differentiable=True"):
        method([parameter()], differentiable=True)


def test_signatures_are_those_of_torch():
    torch = pytest.importorskip("torch", reason="compares with torch live")
    for name in ("SGD", "Adam", "AdamW"):
        ours = inspect.signature(getattr(optim, name).__init__).parameters.values()
        theirs = inspect.signature(getattr(torch.optim, name).__init__).parameters.values()
        assert [(p.name, p.kind, p.default) for p in ours] == [(p.name, p.kind, p.default) for p in theirs]
