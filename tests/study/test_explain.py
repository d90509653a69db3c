"""Every loss explains itself: its steps, its gradients, its samples, its divisor, and checks that pass."""

from __future__ import annotations

import collections
import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

import minigrad
from minigrad import nn, study
from minigrad.autograd import grad
from minigrad.nn import functional as F
from minigrad.nn.losses.base import LossFunction
from minigrad.study import checks, samples
from minigrad.study.trace import trace_call, trace_of

sys.path.insert(0, str(Path(__file__).parents[1]))
import losses_table as table

TORCH = importlib.util.find_spec("torch") is not None
pytestmark = pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")


def _rows() -> list:
    """The first four rows of every loss, and every third of the others."""
    seen: collections.Counter = collections.Counter()
    kept = []
    for family in table.ROWS.values():
        for row in family:
            seen[row.function] += 1
            if seen[row.function] <= 4 or seen[row.function] % 3 == 0:
                kept.append(row)
    return kept


ROWS = _rows()
FIRST = list({row.function: row for row in reversed(ROWS)}.values())


def _loss(row, dtype=np.float64):
    leaves = table.leaves_of(minigrad, row, dtype)
    return leaves, table.loss_of(minigrad, row, leaves, dtype)


@pytest.mark.parametrize("row", ROWS, ids=map(str, ROWS))
def test_the_trace_of_a_loss_ends_in_its_value_and_its_gradients(row) -> None:
    leaves, loss = _loss(row)
    trace = trace_of(loss)
    np.testing.assert_allclose(trace.steps[trace.result].value, loss.detach().numpy(), rtol=1e-12, atol=1e-15)
    assert not [step.name for step in trace.steps if step.value is None]
    assert not [step.op for step in trace.steps if step.kind == "opaque"]
    wanted = [leaves[place] for place in row.wrt]
    for gradient in grad(loss.sum(), wanted):
        found = [s.gradient for s in trace.steps if s.kind == "input" and s.gradient is not None]
        fit = [g for g in found if g.shape == gradient.shape]
        assert any(np.allclose(g, gradient.numpy(), rtol=1e-9, atol=1e-12) for g in fit)


@pytest.mark.parametrize("row", ROWS, ids=map(str, ROWS))
def test_every_step_has_a_formula_and_every_gradient_a_rule(row) -> None:
    trace = trace_of(_loss(row)[1])
    users = trace.users()
    for step in trace.steps:
        assert all(operand < step.index for operand in step.operands if isinstance(operand, int))
        assert bool(step.formula) == (step.kind == "operation")
        assert bool(step.latex) == (step.kind == "operation")
        if step.gradient is not None and step.index != trace.result:
            assert any(trace.steps[user].gradient is not None for user in users[step.index])


@pytest.mark.parametrize("row", FIRST, ids=[row.function for row in FIRST])
def test_every_loss_explains_itself_and_its_checks_pass(row) -> None:
    explanation = study.explain(_loss(row)[1], torch=TORCH)
    names = [check.name.split()[0] for check in explanation.checks]
    assert names == ["kernel", "definition", *(["torch"] if TORCH else [])]
    assert explanation.checks[1].passed
    assert explanation.passed
    made = [check for check in explanation.checks if check.passed is None]
    allowed = ("no kernel for this call", "it has no such loss", "it has no option")
    assert all(check.note.startswith(allowed) for check in made)
    assert explanation.gradient_formula
    assert explanation.divisor
    assert explanation.table.rows or explanation.table.note
    text = explanation.to_text(80)
    assert explanation.gradient_formula[:20] in text
    assert explanation.divisor[:20] in text


def test_every_loss_is_among_those_explained() -> None:
    spaces = (F, nn.extra)
    functions = {v.__name__ for space in spaces for v in vars(space).values() if isinstance(v, LossFunction)}
    assert functions == {row.function for row in FIRST}


@pytest.mark.parametrize("row", FIRST, ids=[row.function for row in FIRST])
def test_the_losses_of_the_table_are_those_without_reduction(row) -> None:
    explanation = study.explain(_loss(row)[1], torch=False)
    found = explanation.table
    if not found.rows:
        pytest.skip("the samples of this loss depend on each other")
    place = found.columns.index("loss")
    leaves = table.leaves_of(minigrad, row)
    options = {**table.options_of(minigrad, row, np.float64), "reduction": "none"}
    function = table.function_of(F, nn.extra, row)
    losses = function(*table.inputs_of(F, row, leaves), **options)
    assert found.total == losses.numel()
    expected = losses.detach().numpy().reshape(-1)
    np.testing.assert_allclose([r[place] for r in found.rows], expected, rtol=1e-12)


# ------------------------------------------------------------------------------------------ the checks
def _call(loss):
    return next(g for g in trace_of(loss).groups.values() if isinstance(g.op, LossFunction))


def test_a_kernel_that_is_a_thousandth_wrong_is_found_out() -> None:
    x = minigrad.randn(4, 3, requires_grad=True)
    group = _call(F.cross_entropy(x, minigrad.tensor([0, 1, 2, 0])))
    group.kernel_gradients[0] = group.kernel_gradients[0].copy()
    group.kernel_gradients[0][2, 1] *= 1.001
    kernel, *_ = checks.checks_of(group, torch=False)
    assert kernel.passed is False
    assert kernel.where == "input[2, 1]"


def test_a_rule_that_is_a_thousandth_wrong_is_found_out(monkeypatch) -> None:
    from minigrad.ops.elementwise import mul

    x = minigrad.randn(4, requires_grad=True, dtype=minigrad.float64)
    group = _call(F.mse_loss(x, minigrad.zeros(4, dtype=minigrad.float64)))
    wrong = lambda g, b: g * b * 1.001  # noqa: E731
    before = mul.rules, mul.picks, mul.needs, dict(mul.saves)
    try:
        mul.saves.clear()
        mul.vjp(wrong, before[0][1])
        numeric = checks.checks_of(group, torch=False)[1]
    finally:
        mul.rules, mul.picks, mul.needs = before[:3]
        mul.saves.clear()
        mul.saves.update(before[3])
    assert numeric.passed is False


def test_a_kink_is_left_out_of_the_differences() -> None:
    x = minigrad.tensor([1.0001, 2.0, 5.0], requires_grad=True)
    check = study.explain(F.l1_loss(x, minigrad.tensor([1.0, 0.0, 0.0])), torch=False).checks[1]
    assert check.passed
    assert check.note == "1 elements at a kink left out"


def test_without_torch_the_check_says_so(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    x = minigrad.randn(3, requires_grad=True)
    check = study.explain(F.mse_loss(x, minigrad.zeros(3))).checks[-1]
    assert check.passed is None
    assert check.note == "not installed"


# ----------------------------------------------------------------------------------------- divisors
X = minigrad.tensor([[0.0, 1.0, 2.0], [1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [2.0, 0.0, 1.0]])
Y = minigrad.tensor([2, 0, -100, 1])
WEIGHT = minigrad.tensor([1.0, 4.0, 2.0])
DIVISORS = [
    (F.cross_entropy, (X, Y), {}, "mean divides by the number of samples that count = 3 of 4"),
    (F.cross_entropy, (X, Y), {"weight": WEIGHT}, "mean divides by the sum of weights = 7, over 3 of 4"),
    (F.cross_entropy, (X, X.softmax(1)), {}, "mean divides by 4"),
    (F.cross_entropy, (X, Y), {"reduction": "sum"}, "sum divides by nothing: the gradient grows with"),
    (F.cross_entropy, (X, Y), {"reduction": "none"}, "none: no reduction, and no divisor; each loss"),
    (F.mse_loss, (X, X * 0), {}, "mean divides by the number of losses = 12"),
    (F.mse_loss, (X, X * 0), {"weight": X}, "mean divides by the sum of weights = 8, over 7 of 12 samples"),
    (F.kl_div, (X.log_softmax(1), X.softmax(1)), {"reduction": "batchmean"}, "batchmean divides by 4"),
    (F.nll_loss, (X.log_softmax(1), Y), {}, "mean divides by the number of samples that count = 3 of 4"),
]


@pytest.mark.parametrize(("function", "inputs", "options", "words"), DIVISORS)
def test_the_divisor_is_spelled_out(function, inputs, options, words) -> None:
    explanation = study.explain(function, *inputs, torch=False, **options)
    assert explanation.divisor.startswith(words)


def test_the_table_of_a_weighted_cross_entropy() -> None:
    x = X.clone().requires_grad_()
    found = study.explain(F.cross_entropy(x, Y, weight=WEIGHT), torch=False).table
    heads = "sample logits p[target] target weight ignored loss gradient"
    assert found.columns == heads.split()
    third = dict(zip(found.columns, found.rows[2], strict=True))
    assert (third["ignored"], third["loss"], third["gradient"]) == ("yes", 0.0, [0.0, 0.0, 0.0])
    first = dict(zip(found.columns, found.rows[0], strict=True))
    p = np.exp(2) / (1 + np.e + np.exp(2))
    np.testing.assert_allclose([first["p[target]"], first["loss"]], [p, -2 * np.log(p)], rtol=1e-6)
    np.testing.assert_allclose(first["gradient"][2], 2 * (p - 1) / 7, rtol=1e-6)


# ---------------------------------------------------------------------------------------- the traces
def test_names_are_those_of_the_caller() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    features, labels = minigrad.randn(4, 2), minigrad.ones(4)
    logit = net(features).squeeze(1)
    cost = F.binary_cross_entropy_with_logits(logit, labels)
    trace = trace_of(cost)
    names = {step.name for step in trace.steps}
    assert {"features", "labels", "logit", "cost", "net.0.weight", "net.2.bias"} <= names
    assert {"perceptron1", "net.0", "net.2", "binary_cross_entropy_with_logits1"} <= set(trace.groups)


def test_a_trace_of_a_call_misses_nothing() -> None:
    a = minigrad.tensor([1.0, 2.0], requires_grad=True)
    b = minigrad.tensor([0.5, 0.5])
    read = trace_of(((a - b + 1) ** 2).mean())
    assert [step.name for step in read.steps if step.value is None] == ["constant", "v2"]
    result, called = trace_call(lambda x, y: ((x - y + 1) ** 2).mean(), a, b)
    assert not [step for step in called.steps if step.value is None]
    assert [step.formula for step in called.steps[2:]] == ["x − y", "v2 + 1", "v3 ^ 2", "mean(v4)"]
    assert result.item() == pytest.approx(4.25)


def test_arithmetic_that_does_nothing_is_left_out() -> None:
    _, trace = trace_call(lambda x: (x * 1 + 0).exp(), minigrad.tensor(2.0))
    assert [step.formula for step in trace.steps] == ["", "exp(x)"]


def test_rules_are_read_from_the_source() -> None:
    _, trace = trace_call(lambda x, y: ((x / y).exp() + x.tanh()).sum(), minigrad.rand(3), minigrad.rand(3))
    rules = {step.op: [text for _, text, _ in step.rules] for step in trace.steps if step.rules}
    assert rules["div"] == ["ḡ / y", "(−ḡ) · v2 / y"]
    assert rules["exp"] == ["ḡ · v3"]
    assert rules["tanh"] == ["ḡ (1 − v4^2)"]
    assert rules["sum"] == ["expand(ḡ)"]


def test_a_broadcast_operand_collects_a_sum() -> None:
    _, trace = trace_call(lambda x, b: (x + b).sum(), minigrad.rand(4, 3), minigrad.rand(3))
    step = next(step for step in trace.steps if step.op == "add")
    assert [text for _, text, _ in step.rules] == ["ḡ", "Σ ḡ"]
    np.testing.assert_array_equal(trace.steps[1].gradient, np.full(3, 4.0, np.float32))


def test_a_value_used_twice_adds_up_its_gradients() -> None:
    x = minigrad.tensor(3.0, requires_grad=True)
    text = study.explain(x * x + x.exp(), torch=False).to_text(100)
    line = next(line for line in text.splitlines() if "d/d x" in line)
    assert line.count("from step") == 2
    assert "  +  " in line


def test_functions_inside_a_definition_open_with_depth() -> None:
    x = minigrad.randn(3, requires_grad=True)
    loss = F.binary_cross_entropy_with_logits(x, minigrad.ones(3))
    closed = study.explain(loss, torch=False).to_text(100)
    opened = study.explain(loss, torch=False, depth=None).to_text(100)
    assert "times(" in closed
    assert "isinf(" not in closed
    assert "isinf(" in opened


# ------------------------------------------------------------------------------------------ bad input
def test_a_loss_without_a_graph() -> None:
    with pytest.raises(RuntimeError, match="does not require grad and does not have a grad_fn"):
        study.explain(F.mse_loss(minigrad.ones(2), minigrad.zeros(2)))


def test_a_freed_graph() -> None:
    x = minigrad.ones(2, requires_grad=True)
    loss = F.mse_loss(x, minigrad.zeros(2))
    loss.backward()
    explanation = study.explain(loss)
    text = explanation.to_text(200)
    assert "A backward has freed this graph" in text
    assert [step.op for step in explanation.trace.steps] == ["", "MseLossBackward0"]
    np.testing.assert_array_equal(explanation.trace.steps[0].gradient, x.grad.numpy())


def test_a_retained_graph_is_explained_after_backward() -> None:
    x = minigrad.ones(2, requires_grad=True)
    loss = F.mse_loss(x, minigrad.zeros(2))
    loss.backward(retain_graph=True)
    before = x.grad.clone()
    assert study.explain(loss, torch=False).passed
    assert minigrad.equal(x.grad, before)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (0.5, TypeError, r"A number \(from \.item\(\)\) has no graph"),
        ([1], TypeError, "expects a loss tensor, or a function"),
        (lambda: 3.0, TypeError, "gives one tensor"),
    ],
)
def test_what_is_no_loss(given, error, words) -> None:
    with pytest.raises(error, match=words):
        study.explain(given)


def test_an_unknown_language() -> None:
    with pytest.raises(ValueError, match="lang must be one of 'en', 'zh', but got 'fr'"):
        study.explain(minigrad.ones(1, requires_grad=True).sum(), lang="fr")


def test_an_operation_without_a_definition_is_shown_as_one_step() -> None:
    class Double(minigrad.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = minigrad.ones(2, requires_grad=True)
    trace = trace_of(F.mse_loss(Double.apply(x), minigrad.zeros(2)))
    step = next(step for step in trace.steps if step.kind == "opaque")
    assert step.note == "no definition to look into: shown as one step"
    np.testing.assert_array_equal(step.value, [2.0, 2.0])
    np.testing.assert_array_equal(trace.steps[0].gradient, x.grad if x.grad is not None else [4.0, 4.0])


def test_explaining_changes_nothing() -> None:
    x = minigrad.randn(4, 3, requires_grad=True)
    target = minigrad.tensor([0, 1, 2, 0])
    loss = F.cross_entropy(x, target)
    before = x.detach().clone(), target.clone(), loss.item()
    study.explain(loss, torch=False)
    assert x.grad is None
    assert minigrad.equal(x.detach(), before[0])
    assert minigrad.equal(target, before[1])
    loss.backward()
    expected = (before[0].softmax(1) - F.one_hot(target, 3)) / 4
    np.testing.assert_allclose(x.grad.numpy(), expected.numpy(), atol=1e-6)


# -------------------------------------------------------------------------------------------- forms
def test_the_text_keeps_to_its_width() -> None:
    x = minigrad.randn(6, 12, requires_grad=True)
    explanation = study.explain(F.cross_entropy(x, minigrad.arange(6)), torch=False)
    for width in (60, 80, 120):
        assert max(map(len, explanation.to_text(width).splitlines())) <= width


def test_all_forms_hold_the_numbers() -> None:
    x = minigrad.tensor([0.25, -1.5], requires_grad=True)
    explanation = study.explain(F.mse_loss(x, minigrad.zeros(2)), torch=False)
    markdown, latex, page = explanation.to_markdown(), explanation.to_latex(), explanation._repr_html_()
    for form in (str(explanation), markdown, latex, page):
        assert "-1.5000" in form
        assert "1.1562" in form
    assert r"\begin{bmatrix} 0.2500 & -1.5000 \end{bmatrix}" in explanation.to_latex()
    assert "| sample | prediction |" in explanation.to_markdown()


def test_names_are_escaped_in_html() -> None:
    names = {"<b>&": minigrad.tensor([1.0], requires_grad=True)}
    result, _ = trace_call(lambda x: x.sum(), names["<b>&"])
    explanation = study.explain(lambda x: x.sum(), names["<b>&"], torch=False)
    explanation.trace.steps[0].name = "<b>&"
    assert "&lt;b&gt;&amp;" in explanation.to_html()
    assert "<b>&" not in explanation.to_html()
    assert result.item() == 1.0


def test_large_tensors_are_summarised() -> None:
    x = minigrad.zeros(1024, 10, requires_grad=True)
    text = study.explain(F.cross_entropy(x, minigrad.zeros(1024).long()), torch=False).to_text(100)
    assert "10,240 numbers from 0 to 0, mean 0" in text
    assert "… 1,016 more samples" in text
    assert len(text.splitlines()) < 120


def test_samples_table_is_empty_where_a_loss_has_no_samples() -> None:
    x = minigrad.randn(3, requires_grad=True)
    group = _call(F.mse_loss(x, minigrad.zeros(3), reduction="sum"))
    assert samples.sample_table(group).total == 3
