"""Named results, and results without a derivative: what the table of operations cannot show."""

import copy
import pickle

import pytest

import minigrad
from minigrad import return_types

KINDS = [name for name, value in vars(return_types).items() if hasattr(value, "_fields")]
CALLS = {
    "max": lambda m, x: m.max(x, 1),
    "min": lambda m, x: m.min(x, 1),
    "cummax": lambda m, x: m.cummax(x, 1),
    "cummin": lambda m, x: m.cummin(x, 1),
    "sort": lambda m, x: m.sort(x),
    "topk": lambda m, x: m.topk(x, 2),
    "kthvalue": lambda m, x: m.kthvalue(x, 2),
    "median": lambda m, x: m.median(x, 1),
    "nanmedian": lambda m, x: m.nanmedian(x, 1),
    "mode": lambda m, x: m.mode(x),
    "aminmax": lambda m, x: m.aminmax(x),
    "histogram": lambda m, x: m.histogram(x, 3),
}
VALUES = [[3.0, 1.0, 2.0], [0.5, 4.0, -1.0]]


def test_every_kind_is_called_here():
    assert sorted(KINDS) == sorted(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_a_named_result_has_fields_and_survives_pickling(name):
    found = CALLS[name](minigrad, minigrad.tensor(VALUES))
    assert type(found) is getattr(return_types, name)
    again = pickle.loads(pickle.dumps(found))
    assert type(again) is type(found)
    assert repr(again) == repr(found) == repr(copy.deepcopy(found))
    for field, value in zip(found._fields, found, strict=True):
        assert getattr(found, field) is value


@pytest.mark.parametrize("name", CALLS)
def test_a_named_result_prints_as_torchs(name, torch):
    assert repr(CALLS[name](minigrad, minigrad.tensor(VALUES))) == repr(
        CALLS[name](torch, torch.tensor(VALUES))
    )


WITHOUT_DERIVATIVE = {
    "_unique2": lambda m, x: m.unique(x),
    "unique_dim": lambda m, x: m.unique(x, dim=0),
    "unique_consecutive": lambda m, x: m.unique_consecutive(x),
    "bincount": lambda m, x: m.bincount(m.tensor([0, 2]), x[:, 0]),
}


def failing(name, m):
    x = m.tensor(VALUES, requires_grad=True)
    result = WITHOUT_DERIVATIVE[name](m, x)
    with pytest.raises((NotImplementedError, RuntimeError)) as caught:
        (result.sum() + x.sum()).backward()
    return result.grad_fn.name(), type(caught.value), str(caught.value)


@pytest.mark.parametrize("name", WITHOUT_DERIVATIVE)
def test_backward_says_that_there_is_no_derivative(name):
    label, _, message = failing(name, minigrad)
    assert label.startswith(("Unique", "torch::autograd::NotImplemented"))
    assert "derivative for" in message
    assert name in message
    with minigrad.no_grad():
        x = minigrad.tensor(VALUES, requires_grad=True)
        assert WITHOUT_DERIVATIVE[name](minigrad, x).grad_fn is None


@pytest.mark.parametrize("name", WITHOUT_DERIVATIVE)
def test_backward_without_derivative_fails_as_in_torch(name, torch):
    assert failing(name, minigrad) == failing(name, torch)
