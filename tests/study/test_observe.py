"""Operations are reported as they run, once each, with the user's line; while nobody watches, nothing is."""

from __future__ import annotations

import threading

import pytest

import minigrad
from minigrad import nn
from minigrad.autograd import observe
from minigrad.autograd.fused import Fused
from minigrad.autograd.observe import observing
from minigrad.autograd.op import Primitive
from minigrad.nn import functional as F


def _names(function) -> list[str]:
    calls: list = []
    with observing(calls.append):
        function()
    return [getattr(call.op, "__name__", type(call.op).__name__) for call in calls]


X = minigrad.tensor([[1.0, 2.0], [3.0, 4.0]])
LINEAR, LAYERS = nn.Linear(2, 3), nn.Sequential(nn.Linear(2, 3), nn.ReLU())
CASES = [
    ("operator", lambda: X * 2, ["mul"]),
    ("reflected operator", lambda: 2 - X, ["sub"]),
    ("method", lambda: X.exp(), ["exp"]),
    ("function", lambda: minigrad.tanh(X), ["tanh"]),
    ("integers that are promoted", lambda: minigrad.tensor([1, 2]) / 2, ["div"]),
    ("loss", lambda: F.mse_loss(X, X), ["mse_loss"]),
    ("loss module, as planned", lambda: [nn.MSELoss()(X, X) for _ in range(3)], ["mse_loss"] * 3),
    ("loss whose definition runs", lambda: F.mse_loss(X, X, weight=X), ["mse_loss"]),
    ("linear layer", lambda: LINEAR(X), ["linear"]),
    ("layers in one", lambda: LAYERS(X), ["Perceptron"]),
    ("indexing", lambda: X[0], ["read_at"]),
]


@pytest.mark.parametrize(("function", "names"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_each_operation_is_reported_once(function, names) -> None:
    assert [name.strip("_") for name in _names(function)] == names


def test_a_report_holds_operands_options_result_and_line() -> None:
    calls: list = []
    with observing(calls.append):
        result = minigrad.softmax(X, dim=1)
    (call,) = calls
    assert call.operands == (X,)
    assert call.options == {"axis": 1}
    assert call.result is result
    assert call.site.file == __file__
    assert call.site.text == "result = minigrad.softmax(X, dim=1)"


def test_nothing_is_left_behind() -> None:
    before = Primitive.__call__, Fused._call, minigrad.autograd.Function.__dict__["apply"]

    def fail() -> None:
        with observing(lambda call: None), observing(lambda call: None):
            assert Primitive.__call__ is not before[0]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (Primitive.__call__, Fused._call, minigrad.autograd.Function.__dict__["apply"]) == before
    assert not observe._entries


def test_results_are_those_without_an_observer() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    plain = F.mse_loss(model(X), X[:, :1])
    with observing(lambda call: None):
        watched = F.mse_loss(model(X), X[:, :1])
    assert watched.item() == plain.item()
    assert str(watched.grad_fn) == str(plain.grad_fn)


def test_what_an_observer_does_is_not_reported() -> None:
    seen: list = []
    with observing(lambda call: seen.append(call.result + 1)):
        _ = X * 2
    assert len(seen) == 1


def test_another_thread_is_not_reported() -> None:
    calls: list = []
    with observing(calls.append):
        thread = threading.Thread(target=lambda: X * 2)
        thread.start()
        thread.join()
        _ = X + 1
    assert [call.op.__name__ for call in calls] == ["add"]


def test_a_user_defined_function_is_one_operation() -> None:
    class Square(minigrad.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            return 2 * g * ctx.saved_tensors[0]

    calls: list = []
    with observing(calls.append):
        y = Square.apply(X)
    assert [call.op for call in calls] == [Square]
    assert minigrad.equal(y, X * X)
