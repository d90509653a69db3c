"""detect_anomaly: torch's words for the first nan, and beyond them where it came from."""

import importlib
import re
import warnings

import pytest

import minigrad
from minigrad.autograd import detect_anomaly, set_detect_anomaly
from minigrad.autograd.tape import Node


def _root_of_negative(library):
    torch = importlib.import_module(library)
    x = torch.tensor([4.0, -1.0], requires_grad=True)
    with pytest.raises(RuntimeError) as caught, torch.autograd.detect_anomaly():
        torch.sqrt(x).sum().backward()
    return str(caught.value)


def test_the_first_line_is_torchs():
    pytest.importorskip("torch")
    with warnings.catch_warnings():  # torch's words about the mode, and its traceback
        warnings.simplefilter("ignore")
        expected = _root_of_negative("torch")
    assert _root_of_negative("minigrad").split("\n")[0] == expected


def test_the_forward_line_and_the_first_element_are_named():
    said = _root_of_negative("minigrad").split("\n")
    assert said[1].startswith("The first of 1 is element [1], of shape [2].")
    assert re.fullmatch(r" +.*test_anomaly\.py:\d+, torch\.sqrt\(x\)\.sum\(\)\.backward\(\)", said[2])


def test_an_inf_that_came_first_is_named_too():
    x = minigrad.tensor([0.0, 1.0], requires_grad=True)
    with (
        pytest.raises(
            RuntimeError, match=r"'MulBackward0' returned nan(.|\n)*LogBackward0 gave one at el.*\[0\]"
        ),
        detect_anomaly(),
    ):
        minigrad.log(x * 0.0 * minigrad.tensor([1.0, 1.0])).sum().backward()


def test_without_a_line_it_says_so_and_create_graph_is_checked():
    x = minigrad.tensor([-1.0], requires_grad=True)
    y = minigrad.sqrt(x)
    with pytest.raises(RuntimeError, match="its line is not known"), detect_anomaly():
        y.backward(create_graph=True)


def test_it_is_off_outside_and_without_check_nan():
    plain = Node.__dict__["sequence"]
    x = minigrad.tensor([-1.0], requires_grad=True)
    with detect_anomaly(check_nan=False):
        assert minigrad.is_anomaly_enabled()
        minigrad.sqrt(x).backward()
    assert Node.__dict__["sequence"] is plain
    minigrad.sqrt(x).backward()
    assert x.grad.isnan().all()


def test_set_detect_anomaly_works_at_once_and_as_a_context():
    set_detect_anomaly(True)
    assert minigrad.is_anomaly_enabled()
    with set_detect_anomaly(False):
        assert not minigrad.is_anomaly_enabled()
    assert minigrad.is_anomaly_enabled()
    set_detect_anomaly(False)
    assert not minigrad.is_anomaly_enabled()


def test_the_graph_still_works_after_the_mode_ends():
    with detect_anomaly():
        x = minigrad.tensor([2.0], requires_grad=True)
        y = x * x
    y.backward()
    assert x.grad.tolist() == [4.0]
