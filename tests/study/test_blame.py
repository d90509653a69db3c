"""The first operation that makes a nan or an inf is named, and what it was made of; what was meant is not."""

from __future__ import annotations

import threading
import warnings
from math import inf, nan

import numpy as np
import pytest

import minigrad
from minigrad import nn, study
from minigrad.autograd import Function, detect_anomaly, observe
from minigrad.autograd.tape import Node, mode
from minigrad.nn import functional as F


def T(*values, grad=False):
    return minigrad.tensor(list(values), dtype=minigrad.float32, requires_grad=grad)


P = T(0.9, 0.2, 0.0, 0.3, grad=True)
A, B = minigrad.full((2, 3), 1e20), minigrad.full((3, 2), 1e20)
BIG = minigrad.full((2, 3), 2e38)
HALF = minigrad.zeros(3, 2)
HALF[:, 1] = 1e20
HIDDEN = T(-inf, -inf).reshape(1, 2)
ZERO = T(4.0, 0.0, grad=True)

# What runs; the operation, the kind, the element, how many are bad, the operands there, words of the help.
FORWARD = [
    ("log of 0", lambda: P.log(), "log", "-inf", (2,), 1, {"P[2]": 0}, "log_softmax"),
    ("log of a negative", lambda: (T(1, -1)).log(), "log", "nan", (1,), 1, {"input[1]": -1}, "negative"),
    ("log1p of -1", lambda: minigrad.log1p(T(-1)), "log1p", "-inf", (0,), 1, {"input[0]": -1}, ""),
    ("root", lambda: T(1, -4).sqrt(), "sqrt", "nan", (1,), 1, {"input[1]": -4}, "clamp(min=0)"),
    ("broadcast", lambda: T(1, 2) / T(1, 0).reshape(2, 1), "div", "inf", (1, 0), 2, {"input[0]": 1}, "count"),
    ("0 / 0", lambda: T(0) / T(0), "div", "nan", (0,), 1, {"input[0]": 0, "other[0]": 0}, "0 / 0"),
    ("a number", lambda: 1 / T(2, 0), "div", "inf", (1,), 1, {"input": 1, "other[1]": 0}, "divides by 0"),
    ("exp", lambda: T(1, 89).exp(), "exp", "inf", (1,), 1, {"input[1]": 89}, "88.72"),
    ("negative power", lambda: T(0) ** -1, "pow", "inf", (0,), 1, {"input[0]": 0}, "negative power"),
    (
        "product row",
        lambda: A @ HALF,
        "matmul",
        "inf",
        (0, 1),
        2,
        {"A[0, :]": 1e20, "HALF[:, 1]": 1e20},
        "beyond",
    ),
    ("linear", lambda: F.linear(A, B.T), "linear", "inf", (0, 0), 4, {"A[0, :]": 1e20}, "beyond float32"),
    (
        "row sum",
        lambda: minigrad.full((2, 3), 2e38).sum(1),
        "sum",
        "inf",
        (0,),
        2,
        {"input[0, :]": 2e38},
        "beyond",
    ),
    ("mean of nothing", lambda: minigrad.zeros(0).mean(), "mean", "nan", (), 1, {}, "no elements"),
    (
        "all is masked",
        lambda: HIDDEN.softmax(1),
        "softmax",
        "nan",
        (0, 0),
        2,
        {"HIDDEN[0, :]": -inf},
        "hides",
    ),
    ("inf - inf", lambda: HIDDEN - HIDDEN, "sub", "nan", (0, 0), 2, {"HIDDEN[0, 0]": -inf}, "inf - inf"),
    ("in place", lambda: T(1, 2).div_(0), "div", "inf", (0,), 2, {"input[0]": 1}, "divides by 0"),
    (
        "narrowed",
        lambda: minigrad.tensor([1e300], dtype=minigrad.float64).float(),
        "cast",
        "inf",
        (0,),
        1,
        {},
        "fit",
    ),
    ("through NumPy", lambda: np.log(P.detach()), "log", "-inf", (2,), 1, {"input[2]": 0}, "log of 0"),
]


@pytest.mark.parametrize("case", FORWARD, ids=[case[0] for case in FORWARD])
def test_the_first_operation_is_named_with_its_operands(case):
    _, run, op, kind, index, count, operands, words = case
    with pytest.raises(study.NonFiniteError) as caught, study.watch():
        run()
    found = caught.value.finding
    assert (found.op, found.kind, found.index, found.count, found.phase) == (
        op,
        kind,
        index,
        count,
        "forward",
    )
    told = {operand.name + operand.index: operand.values for operand in found.operands}
    for name, value in operands.items():
        assert (told[name] == np.float32(value)).all()
    assert words in str(caught.value).replace("\n", " ")
    assert found.site.file == __file__


def test_the_line_the_expression_and_the_variables_are_named():
    target, p = T(1, 0), T(0, 1)
    with pytest.raises(RuntimeError) as caught, study.watch():
        loss = -(target * p.log()).mean()  # noqa: F841
    lines = str(caught.value).split("\n")
    assert lines[:2] == [
        "log gave -inf for finite operands,",
        "at element [0] of its result (shape [2], 1 of 2 -inf).",
    ]
    assert lines[2].strip() == f"{__file__}:{caught.value.finding.site.line}"
    assert lines[3].strip() == "loss = -(target * p.log()).mean()  # noqa: F841"
    assert lines[4].index("^") == lines[3].index("p.log()")
    assert lines[4].count("^") == len("p.log()")
    assert lines[5].split() == ["p[0]", "0"]
    assert isinstance(caught.value, FloatingPointError)


def test_parameters_are_called_by_their_modules_and_results_by_their_operations():
    model = nn.Linear(1, 1)
    with minigrad.no_grad():
        model.weight.fill_(1e30)
        model.bias.zero_()
    with pytest.raises(study.NonFiniteError, match=r"model\.weight\[0, :\] +\[1e\+30\]"), study.watch():
        model(minigrad.full((1, 1), 1e30))
    with pytest.raises(study.NonFiniteError, match=r"mul\(…\)\[0\] +0"), study.watch():
        (ZERO * 0).log()


QUIET = [
    ("a mask of -inf", lambda: T(1, 2).masked_fill(minigrad.tensor([True, False]), -inf).softmax(0)),
    ("a mask that is added", lambda: (T(1, 2) + T(-inf, 0)).logsumexp(0)),
    ("where", lambda: minigrad.where(T(1, 0) > 0, T(1, 2), -inf).exp()),
    ("handed on", lambda: (T(inf, 1) * 2).sum()),
    ("all of a row", lambda: HIDDEN.logsumexp(1)),
    ("padding", lambda: F.pad(T(1, 2), (1, 1), value=-inf)),
    ("large but finite", lambda: minigrad.full((9000,), 1e30) + 1),
    ("finite squares that overflow", lambda: minigrad.full((9,), 1e30) + 1),
    ("a nan that is filtered out", lambda: T(nan, 1)[~T(nan, 1).isnan()].sum()),
    ("a nan that is replaced", lambda: minigrad.where(T(nan, 1).isnan(), 0.0, T(nan, 1)).sum()),
    ("integers", lambda: minigrad.arange(3).sum()),
    ("logits without bound", lambda: nn.CrossEntropyLoss()(T(-inf, 1).reshape(1, 2), minigrad.tensor([1]))),
]


@pytest.mark.parametrize("case", QUIET, ids=[case[0] for case in QUIET])
def test_what_is_meant_or_handed_on_is_not_blamed(case):
    with study.watch(action="record") as seen:
        case[1]()
    assert seen.findings == []


# What runs backward; the node, the kind, the element, the operands there, words.
BACKWARD = [
    (
        "root of 0",
        lambda: ZERO.sqrt().sum(),
        "SqrtBackward0",
        "inf",
        (1,),
        {"cotangent[1]": 1},
        "under the root",
    ),
    (
        "a number",
        lambda: (ZERO * 0).sum().sqrt(),
        "SqrtBackward0",
        "inf",
        (),
        {"result": 0},
        "ḡ / (2 · result)",
    ),
    ("power", lambda: (ZERO**0.5).sum(), "PowBackward0", "inf", (1,), {"ZERO[1]": 0}, "infinite at 0"),
]


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("case", BACKWARD, ids=[case[0] for case in BACKWARD])
def test_the_first_gradient_rule_is_named_with_the_forward_line(case, create_graph):
    _, run, op, kind, index, operands, words = case
    with pytest.raises(study.NonFiniteError) as caught, study.watch():
        minigrad.autograd.grad(run(), ZERO, create_graph=create_graph)
    found = caught.value.finding
    assert (found.op, found.kind, found.index, found.phase) == (op, kind, index, "backward")
    told = {operand.name + operand.index: operand.values for operand in found.operands}
    assert {name: told[name].item() for name in operands} == operands
    assert words in str(caught.value)
    assert "lambda: " in found.site.text
    assert "sum()" in found.site.text


def test_a_graph_recorded_before_has_no_line():
    loss = ZERO.sqrt().sum()
    with pytest.raises(study.NonFiniteError, match=r"ran before watch\(\)"), study.watch():
        loss.backward()


def test_a_cotangent_that_is_not_finite_is_not_the_rules_fault():
    x = T(1, 2, grad=True)
    y = x * 3
    with study.watch(action="record") as seen:
        y.backward(T(inf, nan))
    assert seen.findings == []


def test_a_nan_among_the_operands_is_not_the_rules_fault_either():
    x = T(1, nan, 0, grad=True)
    y = x.exp().square().sum()
    with study.watch(action="record") as seen:
        y.backward()
    assert seen.findings == []


# ------------------------------------------------------------------------------------ fused operations
def test_a_loss_is_opened_to_its_step_and_its_sample():
    pred, target = T(1, 1e25, 2, grad=True), T(0, 0, 0)
    with pytest.raises(study.NonFiniteError) as caught, study.watch():
        nn.MSELoss()(pred, target)
    found = caught.value.finding
    assert (found.op, found.kind, found.sample) == ("mse_loss", "inf", 1)
    assert (found.inner.op, found.inner.index, found.inner.count) == ("mul", (1,), 1)
    assert found.inner.operands[0].values == np.float32(1e25)
    assert [(o.name, o.index, o.values.item()) for o in found.operands] == [
        ("pred", "[1]", np.float32(1e25)),
        ("target", "[1]", 0.0),
    ]
    assert "by sample 1" in str(caught.value)
    assert "In its definition mul gave inf" in str(caught.value)


def test_a_mean_over_nothing_is_found_in_the_definition():
    with warnings.catch_warnings(), study.watch(action="record") as seen:
        warnings.simplefilter("ignore")
        nn.CrossEntropyLoss()(minigrad.zeros(2, 3), minigrad.tensor([-100, -100]))
    (found,) = seen.findings
    assert (found.op, found.kind, found.innermost.op, found.sample) == ("cross_entropy", "nan", "div", None)
    assert "all ignored" in str(found)


def test_a_fused_gradient_is_opened_by_walking_its_definition():
    logits = T(1, 1e38, grad=True)
    with pytest.raises(study.NonFiniteError) as caught, study.watch():
        F.mse_loss(logits, T(0, 0), reduction="none").backward(T(1, 0.5), retain_graph=True)
    assert caught.value.finding.phase == "forward"
    with study.watch(action="record") as seen:
        F.mse_loss(logits / 1e20, T(0, 0), reduction="none").backward(T(3e38, 3e38))
    found = seen.findings[0]
    assert (found.phase, found.op, found.kind, found.index) == ("backward", "MseLossBackward0", "inf", (1,))
    assert found.inner.op == "MulBackward0"
    assert "In its definition MulBackward0" in str(found)
    assert found.target == "div(…)"


def test_what_ctc_cannot_align_is_explained():
    scores = minigrad.zeros(2, 1, 3).log_softmax(2)
    lengths = minigrad.tensor([2]), minigrad.tensor([3])
    with pytest.raises(study.NonFiniteError, match="zero_infinity=True"), study.watch():
        F.ctc_loss(scores, minigrad.tensor([[1, 2, 1]]), *lengths)


class Bad(Function):
    @staticmethod
    def forward(ctx, x):
        return x * nan

    @staticmethod
    def backward(ctx, g):
        return g


def test_functions_of_the_users_are_operations_too():
    with pytest.raises(study.NonFiniteError, match=r"[Bb]ad gave nan"), study.watch():
        Bad.apply(T(1, 2))


# --------------------------------------------------------------------------------------------- options
def test_nan_and_inf_are_looked_for_as_asked():
    with study.watch(nan=True, inf=False, action="record") as seen:
        (T(0).log() + T(-1).sqrt()).sum()
    assert [(f.op, f.kind) for f in seen.findings] == [("sqrt", "nan")]
    with study.watch(nan=False, action="record") as seen:
        (T(0).log() + T(-1).sqrt()).sum()
    assert [(f.op, f.kind) for f in seen.findings] == [("log", "-inf")]


def test_warnings_come_once_a_line_and_point_to_it():
    with study.watch(action="warn"), pytest.warns(study.NonFiniteWarning, match="log gave -inf") as told:
        [T(0).log() for _ in range(3)]
    assert len(told) == 1
    assert told[0].filename == __file__


def test_a_nan_that_was_given_is_told_apart():
    batch = minigrad.zeros(3, 2)
    batch[1, 0] = nan
    with study.watch(action="record") as seen:
        nn.Linear(2, 2)(batch).sum()
    (found,) = seen.findings
    assert (found.phase, found.target, found.index, found.op) == ("given", "batch", (1, 0), "linear")
    assert str(found).startswith(
        "batch was nan before linear read it,\nat element [1, 0] of batch (shape [3, 2]"
    )


def test_as_a_decorator_bare_or_with_options():
    @study.watch
    def bad():
        return T(0).log()

    @study.watch(inf=False)
    def good():
        return T(0).log()

    with pytest.raises(study.NonFiniteError):
        bad()
    assert good().item() == -inf
    assert bad.__name__ == "bad"


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"action": "stop"}, ValueError, "'raise', 'warn', 'record', but got 'stop'"),
        ({"nan": False, "inf": False}, ValueError, "nothing to look for"),
    ],
)
def test_bad_options_are_refused(options, error, words):
    with pytest.raises(error, match=words):
        study.watch(**options)
    with pytest.raises(TypeError, match="by name"):
        study.watch(True)


def test_nothing_is_left_behind_and_others_threads_are_not_watched():
    plain, entry = Node.__dict__["sequence"], vars(observe.Primitive)["__call__"]
    results = []
    with study.watch(), study.watch():
        other = threading.Thread(target=lambda: results.append(T(0).log().item()))
        other.start()
        other.join()
    with pytest.raises(study.NonFiniteError), study.watch():
        T(0).log()
    assert results == [-inf]
    assert Node.__dict__["sequence"] is plain
    assert mode.anomaly is None
    assert vars(observe.Primitive)["__call__"] is entry
    assert T(0).log().item() == -inf


def test_detect_anomaly_inside_leaves_the_watch_in_place():
    with study.watch(action="record") as seen:
        with detect_anomaly():
            pass
        ZERO.sqrt().sum().backward()
    assert [f.op for f in seen.findings] == ["SqrtBackward0"]


def test_results_and_gradients_are_those_of_an_unwatched_run():
    def run():
        minigrad.manual_seed(0)
        model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
        loss = nn.CrossEntropyLoss()(model(minigrad.randn(5, 3)), minigrad.tensor([0, 1, 0, 1, 1]))
        loss.backward()
        return [loss.item(), *(p.grad.tolist() for p in model.parameters())]

    with study.watch():
        watched = run()
    assert watched == run()
