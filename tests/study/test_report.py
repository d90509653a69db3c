"""The page as a file: what is in it, its size, that it needs nothing else, that names cannot break it."""

import itertools
import json
import os
import re
import xml.dom.minidom

import numpy as np
import pytest

import minigrad
from minigrad import nn
from minigrad.nn import functional as F
from minigrad.study import explain
from minigrad.study.report import report
from minigrad.study.report.build import build_page, folded
from minigrad.study.report.data import table_data, trace_data, written
from minigrad.study.report.flows import flows
from minigrad.study.report.mathml import mathml
from minigrad.study.report.tensors import number, pack
from minigrad.study.report.words import WORDS, words_for
from minigrad.study.trace import Group, Number, Step, Trace, trace_of


def data_of(page):
    """The data inside a page."""
    return json.loads(re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.S)[1])


def mlp_loss(sizes=(2, 4, 4, 3), batch=4):
    layers = []
    for a, b in itertools.pairwise(sizes):
        layers += [nn.Linear(a, b), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    x = minigrad.randn(batch, sizes[0])
    target = minigrad.arange(batch) % sizes[-1]
    return F.cross_entropy(model(x), target)


def hand_made(name="x", note=""):
    """x · x + x, with names of one's choice."""
    x, y = np.array([1.0, -2.0]), np.array([2.0, 2.0])
    steps = [
        Step(0, "input", "", name, (), {}, (2,), "float64", x, 2 * x + 1),
        Step(
            1,
            "operation",
            "mul",
            "v1",
            (0, 0),
            {},
            (2,),
            "float64",
            x * x,
            np.ones(2),
            ("g",),
            formula=f"{name} · {name}",
            rules=[(0, "ḡ · x", ""), (1, "ḡ · x", "")],
        ),
        Step(
            2,
            "operation",
            "add",
            "v2",
            (1, 0),
            {},
            (2,),
            "float64",
            y,
            np.ones(2),
            rules=[(0, "ḡ", ""), (1, "ḡ", "")],
            note=note,
        ),
        Step(3, "operation", "mul", "v3", (2, Number(float("nan"))), {"p": object()}, (2,), "float64"),
    ]
    return Trace(steps, 2, {"g": Group("g", name, "fused", None, 1)}, [note] if note else [])


# ------------------------------------------------------------------------------------------- arrays
def test_numbers_survive_json_and_keep_seven_digits():
    values = [0.1, -1 / 3, 2.0, 1e-30, 123456789.0, float("nan"), float("inf"), -float("inf"), True, 3]
    packed = json.loads(json.dumps([number(x) for x in values], allow_nan=False))
    assert packed == [0.1, -0.3333333, 2, 1e-30, 123456800, "nan", "inf", "-inf", 1, 3]


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 3, 4), (0,), (3, 0), (1, 1, 1, 5)])
def test_small_arrays_are_whole(shape):
    array = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    packed = pack(array)
    assert packed["shape"] == list(shape)
    np.testing.assert_allclose(np.reshape(packed["all"], shape), array, rtol=1e-6)


@pytest.mark.parametrize("shape", [(1000,), (100, 30), (7, 100, 3), (2, 5000), (300, 1)])
def test_large_arrays_are_summarised(shape):
    array = np.random.default_rng(0).normal(size=shape) + 3
    packed = pack(array, 10)
    assert "all" not in packed
    assert [packed["min"], packed["mean"], packed["max"]] == pytest.approx(
        [array.min(), array.mean(), array.max()], rel=1e-6
    )
    rows = array.reshape(-1, shape[-1])
    first = packed["first"]
    np.testing.assert_allclose(first, rows[: len(first), : len(first[0])], rtol=1e-6)
    blocks = packed["blocks"]
    assert max(blocks["rows"], blocks["columns"]) <= 10
    assert len(blocks["mean"]) == blocks["rows"] * blocks["columns"]
    if len(shape) > 1:
        height, width = blocks["of"]
        assert blocks["mean"][0] == pytest.approx(rows[:height, :width].mean(), rel=1e-2)
        assert blocks["mean"][-1] == pytest.approx(
            rows[(blocks["rows"] - 1) * height :, (blocks["columns"] - 1) * width :].mean(), rel=1e-2
        )


def test_what_is_not_finite_is_counted_and_does_not_spoil_the_summary():
    array = np.ones((50, 50))
    array[3, 3], array[4, 4], array[49] = np.nan, np.inf, np.nan
    packed = pack(array, 25)
    assert packed["nonfinite"] == 52
    assert (packed["min"], packed["max"]) == (1, 1)
    assert set(packed["blocks"]["mean"]) == {1}
    assert pack(np.full((40, 40), np.nan))["blocks"]["mean"][0] is None


# ------------------------------------------------------------------------------------------ formulas
FORMULAS = {
    r"\frac{a}{b_{1}}": "<mfrac><mi>a</mi><mrow><msub><mi>b</mi><mn>1</mn></msub></mrow></mfrac>",
    r"\bar g \cdot e^{x}": '<mover accent="true"><mi>g</mi><mo stretchy="false">¯</mo></mover><mo>·</mo>'
    "<msup><mi>e</mi><mi>x</mi></msup>",
    r"\mathrm{log\_p}": "<mtext>log_p</mtext>",
    r"\sum_i^N x": "<munderover><mo>∑</mo><mi>i</mi><mi>N</mi></munderover><mi>x</mi>",
    r"x\,\mathrm{W}^\top": '<mi>x</mi><mspace width="0.17em"></mspace><msup><mi mathvariant="normal">W</mi>'
    "<mo>⊤</mo></msup>",
    r"a < \text{b & c}": "<mi>a</mi><mo>&lt;</mo><mtext>b &amp; c</mtext>",
    r"-2.5": "<mo>−</mo><mn>2.5</mn>",
}


@pytest.mark.parametrize(("latex", "expected"), FORMULAS.items())
def test_latex_becomes_mathml(latex, expected):
    assert mathml(latex) == f"<math>{expected}</math>"


@pytest.mark.parametrize(
    "latex",
    [r"}{", r"\frac{a", r"\left( x", r"x^", r"_", r"\unknown{y}", r"\begin{cases} a & b \\ c", "",
     r"\text{a}}", r"\left. x \right|_{0}", r"\sqrt{\hat{x}^2}",
     r"\begin{cases} 1 & x > 0 \\ 0 & \text{else} \end{cases}"],
)  # fmt: skip
def test_mathml_is_well_formed_whatever_is_given(latex):
    assert xml.dom.minidom.parseString(mathml(latex)).documentElement.tagName == "math"


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("ḡ (1 − v10^2)", r"\bar g (1 - \mathrm{v10}^2)"),
        ("ḡᵀ x", r"\bar g ^\top x"),
        ("a_b · c", r"\mathrm{a\_b} \cdot c"),
    ],
)
def test_text_becomes_latex(text, latex):
    assert written(text) == latex


# ----------------------------------------------------------------------------- where gradients meet
def test_the_terms_of_a_sum_are_those_of_each_use():
    a = minigrad.tensor([[1.0, -2.0]], requires_grad=True)
    loss = (a * a + a.exp() * 3 + a.sum(1, keepdim=True)).sum()
    trace = trace_of(loss)
    place = next(step.index for step in trace.steps if step.name == "a")
    sent = flows(trace)
    terms = {key: sent[key] for key in sent if trace.steps[key[0]].operands[key[1]] == place}
    assert {trace.steps[user].op for user, _ in terms} == {"mul", "exp", "sum"}
    assert len(terms) == 4
    np.testing.assert_allclose(sum(terms.values()), trace.steps[place].gradient, rtol=1e-6)
    of_exp = next(term for (user, _), term in terms.items() if trace.steps[user].op == "exp")
    np.testing.assert_allclose(of_exp, 3 * np.exp([[1, -2]]), rtol=1e-6)


def test_terms_that_do_not_add_up_are_not_shown():
    trace = hand_made()
    assert len(flows(trace)) == 4  # three uses of x and one of v1
    trace.steps[0].gradient = np.array([9.0, 9.0])
    assert set(flows(trace)) == {(2, 0)}


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_every_edge_of_a_loss_has_its_gradient(reduction):
    x = minigrad.tensor([0.3, -2.0, 1.5], requires_grad=True)
    loss = F.binary_cross_entropy_with_logits(
        x, minigrad.tensor([1.0, 0.0, 1.0]), pos_weight=minigrad.tensor(3.0), reduction=reduction
    )
    trace = trace_of(loss)
    sent = flows(trace)
    for step in trace.steps:
        if step.gradient is not None and step.index != trace.result:
            uses = [key for key in sent if trace.steps[key[0]].operands[key[1]] == step.index]
            total = sum(np.asarray(sent[key], np.float64) for key in uses)
            np.testing.assert_allclose(total, step.gradient, rtol=1e-5, atol=1e-7)


# ------------------------------------------------------------------------------------------ the page
def test_the_page_says_what_the_loss_is(tmp_path):
    logits = minigrad.tensor([[2.0, 1.0, 0.0], [0.0, 0.0, 1.0]], requires_grad=True)
    loss = F.cross_entropy(logits, minigrad.tensor([0, -100]))
    explanation = explain(loss, torch=False)
    path = report(loss, tmp_path / "loss.html", torch=False)
    page = path.read_text("utf-8")
    data = data_of(page)
    assert explanation.divisor in page
    assert [check.name for check in explanation.checks if check.name in page]
    assert data["tables"][0]["columns"] == explanation.table.columns
    assert len(data["tables"][0]["rows"]) == 2
    for step, shown in zip(explanation.trace.steps, data["steps"], strict=True):
        assert shown["text"] == step.formula
        np.testing.assert_allclose(np.reshape(shown["value"]["all"], step.shape), step.value, rtol=1e-6)
        assert (shown["gradient"] is None) == (step.gradient is None)
    assert data["result"] == explanation.trace.result


def test_what_an_explanation_knows_is_shown(tmp_path):
    explanation = explain(F.mse_loss, minigrad.tensor([1.0, 2.0]), minigrad.tensor([0.0, 4.0]), torch=False)
    data = data_of(report(explanation, tmp_path / "mse.html").read_text("utf-8"))
    assert all(step["value"] for step in data["steps"])
    assert data["steps"][data["result"]]["value"]["all"] == [2.5]


def test_a_result_that_is_no_loss_has_a_page_too(tmp_path):
    x = minigrad.tensor([1.0, 2.0], requires_grad=True)
    data = data_of(report((x * x).exp().sum(), tmp_path / "sum.html").read_text("utf-8"))
    assert data["tables"] == []
    assert [step["op"] for step in data["steps"]] == ["", "mul", "exp", "sum"]


def test_each_of_several_losses_is_shown(tmp_path):
    x = minigrad.tensor([0.5, 2.0], requires_grad=True)
    target = minigrad.tensor([0.0, 1.0])
    total = F.mse_loss(x, target) + F.binary_cross_entropy_with_logits(x, target)
    page = report(total, tmp_path / "two.html").read_text("utf-8")
    assert [table["total"] for table in data_of(page)["tables"]] == [2, 2]
    assert "Per sample: mse_loss" in page
    assert "Per sample: binary_cross_entropy_with_logits" in page
    assert "<h1>total</h1>" in page


def test_several_results_are_shown_as_their_sum(tmp_path):
    x = minigrad.tensor([1.0, 2.0], requires_grad=True)
    data = data_of(report(x * x, tmp_path / "two.html").read_text("utf-8"))
    assert data["steps"][data["result"]]["value"]["all"] == [1, 4]


def test_the_languages_have_the_same_words(tmp_path):
    assert all(all(both) for both in WORDS.values())
    for key, (english, chinese) in WORDS.items():
        assert set(re.findall(r"{\w+}", english)) == set(re.findall(r"{\w+}", chinese)), key
    loss = mlp_loss()
    page = report(loss, tmp_path / "zh.html", lang="zh").read_text("utf-8")
    assert '<html lang="zh-CN">' in page
    assert data_of(page)["words"] == words_for("zh")
    assert words_for("zh")["next"] in page
    with pytest.raises(ValueError, match="lang"):
        report(loss, tmp_path / "fr.html", lang="fr")
    assert not (tmp_path / "fr.html").exists()


def test_every_word_of_the_scripts_and_the_page_is_there():
    from importlib.resources import files

    folder = files("minigrad.study.report") / "assets"
    used = set()
    for file in folder.iterdir():
        text = file.read_text("utf-8")
        used |= set(re.findall(r'\bT\("([^"]+)"', text)) | set(re.findall(r"{{t:([^}]+)}}", text))
    assert used
    assert used <= set(WORDS)


def test_the_page_needs_nothing_else(tmp_path):
    page = report(mlp_loss(), tmp_path / "mlp.html").read_text("utf-8")
    addresses = set(re.findall(r"https?://[^\s\"'<)]+", page))
    assert addresses == {"http://www.w3.org/2000/svg", "http://www.w3.org/1998/Math/MathML"}
    assert not re.search(r"<(script|img|link|iframe)[^>]*\b(src|href)=\"(?!data:)", page)
    assert "@import" not in page
    assert "{{" not in re.sub(r"<script.*?</script>", "", page, flags=re.S)


def test_sizes_are_kept_small(tmp_path):
    path = report(mlp_loss((784, 512, 512, 10), 256), tmp_path / "big.html")
    assert path.stat().st_size < 600_000
    x = minigrad.randn(64, 64, requires_grad=True)
    y = x
    for _ in range(100):
        y = (y * 0.5).tanh()
    path = report(y.sum(), tmp_path / "long.html")
    assert path.stat().st_size < 1_000_000


def test_large_graphs_begin_with_modules_folded():
    trace = trace_of(mlp_loss())
    inner = {key for key, group in trace.groups.items() if group.kind == "function"}
    assert set(folded(trace)) == inner
    long = trace_of(mlp_loss((2,) * 30))
    assert {key for key, group in long.groups.items() if group.kind == "module"} <= set(folded(long))


EVIL = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "<img src=x onerror=alert(1)>",
    "{{data}}",
    "a\"b'c&d",
    "\u2028\u2029",
]


@pytest.mark.parametrize("name", EVIL)
def test_names_cannot_break_the_page(name):
    page = build_page(hand_made(name, note=name))
    assert data_of(page)["steps"][0]["name"] == name
    assert page.count("</script>") == 2
    assert page.count("<script") == 2
    assert "<img src=x" not in page
    assert page.count('id="stepper"') == 1


def test_a_table_is_cut_and_says_so():
    table = table_data(["sample", "p"], [[i, [0.5, float("nan")]] for i in range(1000)])
    assert len(table["rows"]) == 300
    assert table["total"] == 1000
    assert table["rows"][1] == [1, [0.5, "nan"]]


def test_missing_values_and_odd_options_are_no_obstacle():
    steps = trace_data(hand_made())["steps"]
    assert steps[3]["value"] is None
    assert steps[3]["operands"][1] == {"number": "nan"}
    assert "object" in steps[3]["options"]["p"]


# ------------------------------------------------------------------------------------------ bad input
def test_a_tensor_without_a_graph_is_refused(tmp_path):
    with pytest.raises(RuntimeError, match="does not require grad"):
        report(minigrad.tensor(1.0), tmp_path / "a.html")
    with pytest.raises(TypeError, match="item"):
        report(0.5, tmp_path / "a.html")
    with pytest.raises(TypeError, match=r"report\(explain\(function"):
        report(F.mse_loss, tmp_path / "a.html")
    assert not list(tmp_path.iterdir())


def test_a_freed_graph_is_shown_as_far_as_it_goes(tmp_path):
    loss = mlp_loss()
    loss.backward()
    page = report(loss, tmp_path / "a.html").read_text("utf-8")
    assert "before loss.backward()" in page
    data = data_of(page)
    assert data["steps"][data["result"]]["value"]["all"] == [pytest.approx(loss.item(), rel=1e-6)]


def test_a_path_that_cannot_be_written_is_an_oserror(tmp_path):
    loss = mlp_loss()
    with pytest.raises(FileNotFoundError):
        report(loss, tmp_path / "none" / "a.html")
    with pytest.raises(IsADirectoryError):
        report(loss, tmp_path)
    assert not list(tmp_path.iterdir())


def test_nothing_is_left_half_written(tmp_path, monkeypatch):
    loss = mlp_loss()
    path = tmp_path / "a.html"
    path.write_text("before")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        report(loss, path)
    assert path.read_text() == "before"
    assert [file.name for file in tmp_path.iterdir()] == ["a.html"]


def test_a_link_stays_a_link(tmp_path):
    target = tmp_path / "real.html"
    (tmp_path / "link.html").symlink_to(target)
    assert report(mlp_loss(), tmp_path / "link.html") == tmp_path / "link.html"
    assert (tmp_path / "link.html").is_symlink()
    assert target.read_text("utf-8").startswith("<!doctype html>")
