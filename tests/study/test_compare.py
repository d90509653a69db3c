"""One call in several libraries, carried over with its options and state; where it cannot be, it is said."""

from __future__ import annotations

import functools
import importlib
import re
import warnings

import numpy as np
import pytest

import minigrad
from minigrad import nn, study
from minigrad.nn import functional as F
from minigrad.study import peers
from minigrad.study.compare import difference
from minigrad.study.document import width_of

minigrad.manual_seed(0)
LOGITS = minigrad.randn(6, 4, requires_grad=True)
LABELS = minigrad.tensor([0, 3, 1, 1, 2, 0])
P = np.array([0.2, 0.9, 0.5])
Y = np.array([0.0, 1.0, 1.0])
WEIGHT = minigrad.tensor([1.0, 2.0, 0.5, 1.0])
SCALE = 3.0
GRU = nn.GRU(4, 3)


def bce(p, y):
    return -(y * p.log() + (1 - y) * (1 - p).log()).mean()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(4, 5), nn.Linear(5, 3)
        self.shift = nn.Parameter(minigrad.ones(5))
        self.gain = 2.0

    def forward(self, x):
        return self.second(self._hidden(x))

    def _hidden(self, x):
        return minigrad.tanh(self.first(x) * self.gain + self.shift)


NET = Net()
LAYERS = nn.Sequential(
    nn.Linear(4, 3), nn.ReLU(), nn.Sequential(nn.Linear(3, 2, bias=False), nn.LogSoftmax(1))
)


def through_net(x, labels):
    return F.cross_entropy(NET(x), labels % 3, label_smoothing=0.1) * SCALE


def with_imports(x):
    import minigrad as torch
    from minigrad.nn import functional

    return (torch.exp(x) + functional.softplus(x)).sum(dim=1, keepdim=True)


def made_inside(x, labels):
    def criterion():
        return nn.CrossEntropyLoss(weight=WEIGHT, reduction="sum")

    return criterion()(x, labels)


def makes_a_net(x):
    minigrad.manual_seed(1)
    return Net()(x).square().mean()


# What is called, with what; the options; and the libraries that have counterparts.
CALLS = [
    (nn.CrossEntropyLoss(label_smoothing=0.1), (LOGITS, LABELS), {}, ("torch", "jax")),
    (nn.CrossEntropyLoss(weight=WEIGHT, ignore_index=1), (LOGITS, LABELS), {}, ("torch",)),
    (F.huber_loss, (P, Y), {"delta": 0.7, "reduction": "sum"}, ("torch", "jax")),
    (nn.SmoothL1Loss(beta=0.3), (P, Y), {}, ("torch", "jax")),
    (nn.BCEWithLogitsLoss(reduction="none"), (P, Y), {}, ("torch", "jax")),
    (F.kl_div, (np.log(P), P[::-1]), {"reduction": "sum"}, ("torch", "jax")),
    (minigrad.softmax, (LOGITS, 1), {}, ("torch", "jax")),
    (minigrad.softmax, (LOGITS,), {"dim": 0}, ("torch", "jax")),
    (minigrad.logsumexp, (LOGITS, 1), {"keepdim": True}, ("torch", "jax", "autograd")),
    (lambda x: x.tanh().sum(0), (LOGITS,), {}, ("torch", "jax", "autograd")),
    (bce, (P, Y), {}, ("torch", "jax", "autograd")),
    (functools.partial(F.huber_loss, delta=0.1), (P, Y), {}, ("torch", "jax")),
    (through_net, (LOGITS, LABELS), {}, ("torch", "jax")),
    (NET, (LOGITS,), {}, ("torch", "jax", "autograd")),
    (LAYERS, (LOGITS,), {}, ("torch", "jax")),
    (with_imports, (LOGITS,), {}, ("torch", "jax")),
    (made_inside, (LOGITS, LABELS), {}, ("torch",)),
    (makes_a_net, (LOGITS,), {}, ("torch",)),
    (nn.LayerNorm(4), (LOGITS,), {}, ("torch",)),
    (nn.BatchNorm1d(4), (LOGITS,), {}, ("torch",)),
    (lambda x: x.argmax(1), (LOGITS,), {}, ("torch",)),
    (nn.Flatten(), (LOGITS,), {}, ("torch",)),
    (lambda x: GRU(x.unsqueeze(0))[0], (LOGITS,), {}, ("torch",)),
]


def _installed(name):
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


@pytest.mark.parametrize("library", ["torch", "jax", "autograd"])
@pytest.mark.parametrize("call", CALLS, ids=[str(i) for i in range(len(CALLS))])
def test_calls_agree_where_there_is_a_counterpart_and_others_say_so(call, library):
    fn, inputs, options, libraries = call
    if not _installed(library):
        pytest.skip(f"{library} is not installed")
    found = study.compare(fn, *inputs, libraries=[library], speed=False, **options)
    row, ours = found[library], found["minigrad"]
    if library not in libraries:
        assert row.status == "no counterpart"
        assert "no counterpart for" in row.error
        assert row.agrees is None
        return
    assert row.error == ""
    assert row.agrees, str(found)
    assert row.value.shape == ours.value.shape
    assert row.gradients.keys() == ours.gradients.keys()
    assert all(np.abs(gradient).max() > 0 for gradient in row.gradients.values())


def test_the_inputs_with_gradients_are_those_that_ask_else_all_of_floating_point():
    asked = study.compare(F.mse_loss, LOGITS, LOGITS.detach() + 1, libraries=(), speed=False)
    assert list(asked["minigrad"].gradients) == ["input"]
    all_of_them = study.compare(F.mse_loss, P, Y, libraries=(), speed=False)
    assert list(all_of_them["minigrad"].gradients) == ["input", "target"]
    assert all_of_them.timed == ["input"]
    assert LOGITS.grad is None


def test_inputs_and_modules_are_left_as_they_are():
    norm = nn.BatchNorm1d(4)
    before, state = LOGITS.detach().clone(), [v.clone() for v in norm.state_dict().values()]
    for fn in (norm, lambda x: norm(x).square(), F.softplus):
        study.compare(fn, LOGITS, libraries=())
    assert minigrad.equal(LOGITS, before)
    assert all(minigrad.equal(a, b) for a, b in zip(norm.state_dict().values(), state, strict=True))
    assert norm.weight.grad is None
    assert LOGITS.grad is None


# ----------------------------------------------------------------------------------- what does not agree
def test_other_values_are_flagged_with_the_place():
    pytest.importorskip("torch")
    found = study.compare(
        lambda p: p * 2,
        P,
        libraries=["torch"],
        speed=False,
        counterparts={"torch": lambda p: p * 2 + (p > 0.8)},
    )
    row = found["torch"]
    assert row.agrees is False
    assert not found.agrees
    assert (row.difference.index, round(row.difference.absolute, 12)) == ((1,), 1.0)
    assert row.difference.relative == pytest.approx(1 / 1.8)
    assert row.gradient_differences["p"].agrees
    text = found.to_text(100)
    assert re.search(r"torch +value +\[3\] +5\.6e-01 ✗ +1\.0e\+00 +\[1\]", text)
    assert "value[1] is 2.8, in minigrad 1.8" in text


@pytest.mark.parametrize(
    ("theirs", "ours", "agrees", "index", "note"),
    [
        (np.array([1.0, 2.5]), np.array([1.0, 2.0]), False, (1,), ""),
        (np.array([1.0, 2.0 + 1e-15]), np.array([1.0, 2.0]), True, (1,), ""),
        (np.array([np.nan, np.inf]), np.array([np.nan, np.inf]), True, (0,), ""),
        (np.array([1.0, np.nan]), np.array([1.0, 2.0]), False, (1,), ""),
        (np.array([np.inf]), np.array([-np.inf]), False, (0,), ""),
        (np.ones((2, 1)), np.ones(2), False, (), "shape [2, 1], in minigrad [2]"),
        (np.ones(2, np.float32), np.ones(2), False, (), "dtype float32, in minigrad float64"),
        (np.array([1, 2]), np.array([1, 3]), False, (1,), ""),
        (np.zeros((0, 3)), np.zeros((0, 3)), True, (), ""),
    ],
)
def test_differences(theirs, ours, agrees, index, note):
    found = difference(theirs, ours)
    assert (found.agrees, found.index, found.note) == (agrees, index, note)
    assert difference(ours, ours).relative == 0


def test_the_tolerance_is_as_given():
    assert difference(np.array([1.01]), np.array([1.0]), 0.1).agrees
    assert not difference(np.array([1.01]), np.array([1.0]), 0.001).agrees


def test_shapes_that_differ_are_said():
    pytest.importorskip("torch")
    found = study.compare(
        lambda p: p.sum(),
        P,
        libraries=["torch"],
        speed=False,
        counterparts={"torch": lambda p: p.sum(0, True)},
    )
    assert found["torch"].agrees is False
    assert "value: shape [1], in minigrad []" in str(found)


# ------------------------------------------------------------------------------------ errors and absence
def test_an_error_of_one_library_is_its_row_and_the_others_run():
    pytest.importorskip("torch")

    def bad(p):
        raise ZeroDivisionError("no such thing")

    found = study.compare(lambda p: p.exp(), P, libraries=["torch"], speed=False, counterparts={"torch": bad})
    assert (found["torch"].status, found["torch"].error) == ("error", "ZeroDivisionError: no such thing")
    assert found["minigrad"].value is not None
    assert "ZeroDivisionError: no such thing" in found.to_text(80)
    both = study.compare(F.cross_entropy, LOGITS, LABELS[:2], libraries=["torch"], speed=True)
    assert [row.status for row in both.rows] == ["error", "error"]
    assert all("batch_size" in row.error for row in both.rows)


def test_warnings_of_a_library_are_shown_and_not_given():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = study.compare(F.mse_loss, np.ones((3, 1)), np.zeros(4), libraries=(), speed=False)
    assert found["minigrad"].warnings[0].startswith("Using a target size")
    assert "warns: Using a target size" in str(found)


@pytest.mark.parametrize("missing", [("torch",), ("torch", "jax", "autograd")])
def test_what_is_not_installed_is_said_with_what_to_type(monkeypatch, missing):
    plain = importlib.import_module

    def import_module(name, package=None):
        if name.partition(".")[0] in missing:
            raise ImportError(f"No module named {name!r}")
        return plain(name, package)

    monkeypatch.setattr(peers.importlib, "import_module", import_module)
    found = study.compare(bce, P, Y, libraries=missing, speed=True)
    assert [row.status for row in found.rows] == ["ran", *["not installed"] * len(missing)]
    assert found["torch"].error == "not installed: pip install torch"
    assert found["minigrad"].seconds > 0
    assert found["minigrad"].ratio == 1
    text = found.to_text(80)
    assert "No library to compare with. Type: pip install torch" in text
    assert re.search(r"minigrad +value +0\.3\d+", text)


def test_a_loss_that_torch_lacks_an_option_of():
    pytest.importorskip("torch")
    found = study.compare(nn.CrossEntropyLoss(z_loss=0.1), LOGITS, LABELS, libraries=["torch"], speed=False)
    assert found["torch"].error == "no counterpart for torch.nn.CrossEntropyLoss has no option z_loss"


@pytest.mark.parametrize(
    ("run", "error", "words"),
    [
        (lambda: study.compare(LOGITS.sum()), TypeError, "Give the call itself"),
        (lambda: study.compare(bce, P, Y, libraries=["keras"]), ValueError, "'torch', 'jax', 'autograd'"),
        (lambda: study.compare(bce, P, Y, libraries=(), speed=False)["jax"], KeyError, "not asked for"),
    ],
)
def test_bad_calls_are_refused(run, error, words):
    with pytest.raises(error, match=words):
        run()


# -------------------------------------------------------------------------------------------- the forms
@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_table_keeps_to_the_width(width):
    found = study.compare(nn.CrossEntropyLoss(), LOGITS, LABELS, libraries=["torch", "autograd"])
    lines = found.to_text(width).split("\n")
    assert max(map(width_of, lines)) <= max(width, width_of(lines[0]))
    table = found.to_text(120).split("\n")
    head = table[2].split()
    assert head == ["library", "of", "value", "relative", "absolute", "at", "time", "ratio"][: len(head)]


def test_speed_is_a_ratio_to_ours_and_the_forms_hold_the_same():
    pytest.importorskip("torch")
    found = study.compare(F.huber_loss, P, Y, libraries=["torch"])
    assert found["minigrad"].ratio == 1
    assert found["torch"].ratio > 0
    assert found["torch"].seconds > 0
    for text in (found.to_markdown(), found._repr_html_(), repr(found)):
        assert "torch" in text
        assert "d target" in text
        assert "forward and backward, by input" in text
    assert found.to_markdown().count("|") > 20
    assert "<table>" in found.to_html()
    assert "<script" not in found.to_html()
