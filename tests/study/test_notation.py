"""Rules are drawn from their source, for every primitive there is; texts fit terminals, Chinese ones too."""

from __future__ import annotations

import inspect
import sys

import numpy as np
import pytest

import minigrad
from minigrad.autograd.op import Primitive, primitive
from minigrad.study import document, notation, numbers
from minigrad.study.document import Formula, Grid, Heading, Paragraph


def _primitives() -> list[Primitive]:
    found = {}
    for name, module in list(sys.modules.items()):
        if name.startswith("minigrad"):
            found |= {id(v): v for v in vars(module).values() if isinstance(v, Primitive)}
    return sorted(found.values(), key=lambda op: op.__name__)


PRIMITIVES = [op for op in _primitives() if op.rules]


@pytest.mark.parametrize("op", PRIMITIVES, ids=[op.__name__ for op in PRIMITIVES])
def test_every_rule_is_drawn(op) -> None:
    options = {k: 1 if v is inspect.Parameter.empty else v for k, v in op.options.items()}
    for place, rule in enumerate(op.rules):
        if rule is None:
            continue
        names = {"g": "ḡ", "y": "y", "i": "0", **{name: f"x{i}" for i, name in enumerate(op.operands)}}
        drawn = notation.rule(rule, names, options)
        assert "lambda" not in drawn.text
        assert "_rule" not in drawn.text
        assert "\n" not in drawn.text
        # What has no cotangent in it is the second derivative of something linear.
        assert "ḡ" in drawn.text or place == 0
        assert drawn.latex.count("{") == drawn.latex.count("}")


RULES = [
    (lambda g, y: g * y, "ḡ · y", r"\bar g \cdot y"),
    (lambda g, x, y: -g * x / (y - 1), "(−ḡ) · x / (y − 1)", r"\frac{\left(-\bar g\right) \cdot x}{y - 1}"),
    (lambda g, x: g @ x.T, "ḡ @ xᵀ", r"\bar g\,x^\top"),
    (lambda g, x: g * (x > 0), "ḡ · (x > 0)", r"\bar g \cdot \left(x > 0\right)"),
    (lambda g, y: g / (2 * y**0.5), "ḡ / (2 · y^0.5)", r"\frac{\bar g}{2 \cdot y^{0.5}}"),
]


@pytest.mark.parametrize(("rule", "text", "latex"), RULES)
def test_rules_in_both_forms(rule, text, latex) -> None:
    drawn = notation.rule(rule, {"g": "ḡ", "x": "x", "y": "y"}, {})
    assert drawn == (text, latex)


def test_two_rules_on_a_line_are_told_apart() -> None:
    op = primitive(np.subtract, name="less").vjp(lambda g: g, lambda g: -g)
    assert [notation.rule(rule, {"g": "ḡ"}, {}).text for rule in op.rules] == ["ḡ", "−ḡ"]


CALLS = [
    ("add", ["x", "1"], {}, "x + 1"),
    ("mul", ["-2", "x"], {}, "(-2) · x"),
    ("pow", ["x", "2"], {}, "x ^ 2"),
    ("softmax", ["x"], {"axis": 1}, "softmax(x, dim=1)"),
    ("sum", ["x"], {"axes": (0, 1), "keepdims": True}, "sum(x, dim=(0, 1), keepdims=True)"),
    ("mean", ["x"], {"axes": None, "keepdims": False}, "mean(x)"),
    ("cast", ["x"], {"dtype": np.dtype("f8"), "source": np.dtype("f4")}, "to(x, dtype=float64)"),
    ("linear", ["x", "w", "b"], {}, "x wᵀ + b"),
]


@pytest.mark.parametrize(("op", "operands", "options", "text"), CALLS)
def test_calls(op, operands, options, text) -> None:
    assert notation.call(op, operands, options).text == text


# ------------------------------------------------------------------------------------------- numbers
def test_numbers_are_short() -> None:
    given = [0.0, 1.0, -2.5, 123.456, 1e-7, 1e9, float("nan"), float("inf"), True, 3, None, [0.5, 2]]
    words = "0|1.0000|-2.5000|123.46|1e-07|1e+09|nan|inf|True|3||[0.5000 2]"
    assert "|".join(map(numbers.short, given)) == words


def test_large_arrays_are_summarised() -> None:
    array = np.arange(200.0).reshape(2, 100)
    array[0, 0] = np.nan
    lines = numbers.lines(array, 60)
    assert len(lines) <= 4
    assert "200 numbers from 1.0000 to 199.00, mean 100.00, 1 nan or inf" in " ".join(lines)


# --------------------------------------------------------------------------------------------- forms
BLOCKS = [
    Heading("损失 = 0.5", 1),
    Paragraph("均值除以样本数，被忽略的样本不计入，因此分母是参与计算的样本的权重之和。" * 3, "除数"),
    Formula("1", "y = x · x", "y = x \\cdot x", "[2]", np.array([1.0, 4.0]), "备注"),
    Grid(["样本", "损失"], [[0, 0.5], [1, 1e-9]], "还有 3 个样本"),
]


@pytest.mark.parametrize("width", [40, 61, 100])
def test_chinese_text_keeps_to_its_width(width) -> None:
    lines = document.to_text(BLOCKS, width).splitlines()
    assert max(map(document.width_of, lines)) <= width
    assert not [line for line in lines if line.strip()[:1] in tuple("，。、")]
    assert "".join("".join(lines).split()).count("权重之和") == 3


def test_the_other_forms_hold_all_blocks() -> None:
    assert "| 0 | 0.5000 |" in document.to_markdown(BLOCKS)
    assert r"\begin{bmatrix} 1.0000 & 4.0000 \end{bmatrix}" in document.to_latex(BLOCKS)
    assert "<td>1e-09</td>" in document.to_html(BLOCKS)


def test_latex_escapes_what_is_special() -> None:
    assert notation.latex_text("50 % of x_1 & σ") == r"50 \% of x\_1 \& $\sigma$"


def test_html_marks_what_is_not_finite() -> None:
    page = document.array_html(np.array([1.0, np.nan]))
    assert "214,39,40" in page
    assert minigrad.tensor([1.0]).isfinite().all()
