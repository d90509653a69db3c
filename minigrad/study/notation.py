"""Operations and their cotangent rules, written as text and as LaTeX.

The rules are read from the source that runs: `exp = primitive(np.exp).vjp(lambda g, y: g * y)` is shown as
"ḡ · y". Of a formula nothing is kept here but how its signs are drawn.
"""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np


class Notation(NamedTuple):
    """A formula in both forms."""

    text: str
    latex: str


# How operations are drawn, {0} and {1} being operands; others are drawn as calls.
_SIGNS: dict[str, tuple[str, str]] = {
    "add": ("{0} + {1}", "{0} + {1}"),
    "sub": ("{0} − {1}", "{0} - {1}"),
    "mul": ("{0} · {1}", r"{0} \cdot {1}"),
    "div": ("{0} / {1}", r"\frac{{{0}}}{{{1}}}"),
    "pow": ("{0} ^ {1}", "{0}^{{{1}}}"),
    "neg": ("−{0}", "-{0}"),
    "abs": ("|{0}|", r"\left|{0}\right|"),
    "exp": ("exp({0})", "e^{{{0}}}"),
    "log": ("log({0})", r"\log {0}"),
    "log1p": ("log(1 + {0})", r"\log(1 + {0})"),
    "expm1": ("exp({0}) − 1", "e^{{{0}}} - 1"),
    "sqrt": ("√({0})", r"\sqrt{{{0}}}"),
    "square": ("{0} ^ 2", "{0}^{{2}}"),
    "reciprocal": ("1 / {0}", r"\frac{{1}}{{{0}}}"),
    "sigmoid": ("σ({0})", r"\sigma({0})"),
    "log_sigmoid": ("log σ({0})", r"\log\sigma({0})"),
    "relu": ("max({0}, 0)", r"\max({0}, 0)"),
    "matmul": ("{0} @ {1}", "{0}\\,{1}"),
    "linear": ("{0} {1}ᵀ + {2}", "{0}\\,{1}^\\top + {2}"),
    "product": ("{0} {1}ᵀ", "{0}\\,{1}^\\top"),
    "equal": ("{0} == {1}", "{0} = {1}"),
    "not_equal": ("{0} != {1}", r"{0} \neq {1}"),
    "greater": ("{0} > {1}", "{0} > {1}"),
    "greater_equal": ("{0} ≥ {1}", r"{0} \geq {1}"),
    "less": ("{0} < {1}", "{0} < {1}"),
    "less_equal": ("{0} ≤ {1}", r"{0} \leq {1}"),
    "maximum": ("max({0}, {1})", r"\max({0}, {1})"),
    "minimum": ("min({0}, {1})", r"\min({0}, {1})"),
    "cast": ("{0}", "{0}"),
}
_SAME = {"eq": "equal", "ne": "not_equal", "gt": "greater", "ge": "greater_equal", "lt": "less"}
_SAME |= {
    "le": "less_equal",
    "absolute": "abs",
    "subtract": "sub",
    "multiply": "mul",
    "logsigmoid": "log_sigmoid",
}


def number(value: Any) -> str:
    """A number as it is written in formulas."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    return f"{float(value):g}"


def latex_name(name: str) -> str:
    """A name as LaTeX: one letter as it is, longer ones upright."""
    if len(name) == 1:
        return name
    return r"\mathrm{" + re.sub(r"([_%$&#{}])", r"\\\1", name) + "}"


def call(op: str, operands: Sequence[str], options: Mapping[str, Any]) -> Notation:
    """An operation on operands with these names.

    Example:
        >>> from minigrad.study.notation import call
        >>> call("sub", ["x", "target"], {}).text
        'x − target'
        >>> call("log_softmax", ["logits"], {"axis": 1}).text
        'log_softmax(logits, dim=1)'
    """
    if op == "cast":
        options = {"dtype": np.dtype(options["dtype"]).name} if "dtype" in options else {}
        return call("to", operands, options)
    signs = _SIGNS.get(_SAME.get(op, op))
    shown = _shown_options(options)
    latex_operands = [_latex_operand(name) for name in operands]
    if signs is not None and not shown:
        try:
            guarded = [_guarded(name) for name in operands]
            return Notation(signs[0].format(*guarded), signs[1].format(*latex_operands))
        except IndexError:  # not as many operands as the sign has places for
            pass
    text = ", ".join([*operands, *(f"{k}={v}" for k, v in shown.items())])
    latex = ", ".join([*latex_operands, *(rf"\text{{{k}}}={_escaped(v)}" for k, v in shown.items())])
    return Notation(f"{op}({text})", rf"\operatorname{{{_escaped(op)}}}({latex})")


def _guarded(name: str) -> str:
    return f"({name})" if name.startswith(("-", "−")) else name


def _escaped(text: str) -> str:
    return re.sub(r"([_%$&#{}])", r"\\\1", text)


def _latex_operand(name: str) -> str:
    try:
        float(name)
    except ValueError:
        return latex_name(name)
    return f"({name})" if name.startswith("-") else name


def _shown_options(options: Mapping[str, Any]) -> dict[str, str]:
    """The options worth showing, under the names that callers know."""
    shown = {}
    for name, value in options.items():
        if value is None or value is False or name in ("source", "label"):
            continue
        if name in ("axis", "axes", "dim"):
            name = "dim"
            if isinstance(value, tuple) and len(value) == 1:
                value = value[0]
        if isinstance(value, np.ndarray):
            value = f"array{list(value.shape)}"
        elif isinstance(value, (float, np.floating)):
            value = number(value)
        elif callable(value):
            value = getattr(value, "__name__", "…")
        text = str(value)
        shown[name] = text if len(text) < 40 else text[:37] + "…"
    return shown


_LATEX = str.maketrans(
    {"\\": r"\textbackslash{}", "^": r"\^{}", "~": r"\~{}", **{c: "\\" + c for c in "&%$#_{}"}}
)
# What LaTeX's own fonts lack, as mathematics.
_LETTERS = {
    "σ": r"$\sigma$", "γ": r"$\gamma$", "α": r"$\alpha$", "β": r"$\beta$", "ε": r"$\varepsilon$",
    "λ": r"$\lambda$", "θ": r"$\theta$", "μ": r"$\mu$", "Σ": r"$\Sigma$", "∓": r"$\mp$", "−": "$-$",
    "≤": r"$\leq$", "≥": r"$\geq$", "∞": r"$\infty$", "·": r"$\cdot$", "²": "$^2$", "³": "$^3$",
    "ᵀ": r"$^\top$", "√": r"$\surd$", "ḡ": r"$\bar g$", "✓": r"$\checkmark$", "✗": r"$\times$",
    "…": r"\ldots{}", "₊": "$_+$", "₁": "$_1$", "₂": "$_2$", "ŷ": r"$\hat y$", "±": r"$\pm$", "π": r"$\pi$",
}  # fmt: skip


def latex_text(text: str) -> str:
    """Plain text with what is special to LaTeX escaped."""
    for sign in _LETTERS:
        text = text.replace(sign, f"\0{sign}\0")
    parts = text.split("\0")
    return "".join(_LETTERS.get(part, part.translate(_LATEX)) for part in parts)


# --------------------------------------------------------------------------------------- cotangent rules
def rule(function: Callable[..., Any], names: Mapping[str, str], options: Mapping[str, Any]) -> Notation:
    """A cotangent rule, with the operands' names in the place of its parameters.

    Args:
        function: the rule, as `Primitive.vjp` was given it.
        names: what to call each parameter: `g` the cotangent, `y` the result, the operands.
        options: the values of parameters that are options.
    """
    body = _body(function)
    if body is None:
        values = {name: number(v) for name, v in options.items() if type(v) in (int, float)}
        words = inspect.getdoc(function) or f"{function.__name__.strip('_')}(g)"
        line = re.sub(r"\bg(?=\b|_)", "ḡ", words.split("\n")[0].rstrip("."))
        return _stated(words, {**names, **values}) or Notation(line, rf"\text{{{latex_text(line)}}}")
    drawn = {name: Notation(text, _latex_bar(text)) for name, text in names.items()}
    drawer = _Drawer(drawn, options, function.__globals__)
    return drawer.draw(body)


def _latex_bar(name: str) -> str:
    return r"\bar g" if name == "ḡ" else _latex_operand(name)


@functools.cache
def _tree(file: str) -> ast.Module:
    return ast.parse("".join(linecache.getlines(file)))


@functools.cache
def _functions(file: str) -> dict[int, list[ast.Lambda | ast.FunctionDef]]:
    """The functions of a file by their first lines."""
    found: dict[int, list[ast.Lambda | ast.FunctionDef]] = {}
    for node in ast.walk(_tree(file)):
        if isinstance(node, (ast.Lambda, ast.FunctionDef)):
            found.setdefault(node.lineno, []).append(node)
    return found


def _body(function: Callable[..., Any]) -> ast.expr | None:
    """The expression that a function returns, if it consists of nothing else."""
    code = function.__code__
    last = max((p for p in code.co_positions() if p[0] and p[2] is not None), key=lambda p: (p[0], p[2]))
    for node in _functions(code.co_filename).get(code.co_firstlineno, ()):
        if [a.arg for a in node.args.args] != list(code.co_varnames[: code.co_argcount]):
            continue
        if isinstance(node, ast.FunctionDef):
            statements = [s for s in node.body if not _is_docstring(s)]
            only = statements[0] if len(statements) == 1 else None
            return only.value if isinstance(only, ast.Return) and ast.get_docstring(node) is None else None
        start, end = (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
        if start <= (last[0], last[2]) <= end:
            return node.body
    return None


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _stated(words: str, names: Mapping[str, str]) -> Notation | None:
    """A rule as a docstring states it in its first words, "g y (1 - y), y being ...", with these names."""
    words = words.split("\n")[0] + " "
    stated = re.match(r"(.+?)(, \w+ being|, or |, over |, and |, in |, by |, shared |; |\.\s| with )", words)
    if stated is None or not re.match(r"(y \()?(\wᵀ )?g\b|gᵀ", stated[1]):
        return None
    parts = re.split(r"(?<![A-Za-z])(" + "|".join(map(re.escape, names)) + r")(?![A-Za-z(])", stated[1])
    text = "".join(names.get(part, part.replace("**", "^").replace("-", "−")) for part in parts)
    text = text.replace("sigmoid(", "σ(")
    text = re.sub(r"\(([\d.]+) − 1\)", lambda found: number(float(found[1]) - 1), text)
    text = re.sub(r"\^1\b(?!\.)", "", text)
    return Notation(text, rf"\text{{{latex_text(text)}}}")


_BINARY: dict[type, tuple[str, str, int]] = {
    ast.Add: (" + ", " + ", 1),
    ast.Sub: (" − ", " - ", 1),
    ast.Mult: (" · ", r" \cdot ", 2),
    ast.Div: (" / ", "/", 2),
    ast.MatMult: (" @ ", r"\,", 2),
    ast.Pow: ("^", "^", 4),
    ast.BitAnd: (" and ", r" \wedge ", 0),
    ast.BitOr: (" or ", r" \vee ", 0),
}
_COMPARE: dict[type, tuple[str, str]] = {
    ast.Eq: ("==", "="),
    ast.NotEq: ("≠", r"\neq"),
    ast.Lt: ("<", "<"),
    ast.LtE: ("≤", r"\leq"),
    ast.Gt: (">", ">"),
    ast.GtE: ("≥", r"\geq"),
}
# Calls that only bring a cotangent back to its operand's shape, drawn as that.
_SHAPING = {
    "restore_dims": "expand",
    "broadcast_to": "expand",
    "sum_keeping": "sum",
    "sum_of": "sum",
    "reshape_to": "reshape",
    "permute_to": "permute",
    "cast": "to",
    "write_zeros": "scatter",
    "put_along": "scatter",
    "select_along": "select",
}
_ATOM = 9


class _Drawer:
    """Draws an expression; each part comes with how tightly it binds."""

    def __init__(
        self, names: Mapping[str, Notation], options: Mapping[str, Any], scope: Mapping[str, Any]
    ) -> None:
        self.names, self.options, self.scope = names, options, scope

    def draw(self, node: ast.expr) -> Notation:
        return self._draw(node)[0]

    def _draw(self, node: ast.expr) -> tuple[Notation, int]:
        method = getattr(self, "_" + type(node).__name__.lower(), None)
        if method is None:
            text = ast.unparse(node)
            return Notation(text, rf"\text{{{_escaped(text)}}}"), _ATOM
        found: tuple[Notation, int] = method(node)
        return found

    def _inside(self, node: ast.expr, least: int) -> Notation:
        drawn, binds = self._draw(node)
        if binds >= least:
            return drawn
        return Notation(f"({drawn.text})", rf"\left({drawn.latex}\right)")

    def _name(self, node: ast.Name) -> tuple[Notation, int]:
        if node.id in self.names:
            return self.names[node.id], _ATOM
        if node.id in self.options:
            text = _shown_options({"_": self.options[node.id]}).get("_", str(self.options[node.id]))
            return Notation(text, _escaped(text)), _ATOM
        if node.id.endswith("_shape"):
            return Notation("shape", r"\text{shape}"), _ATOM
        text = node.id.strip("_")
        return Notation(text, latex_name(text)), _ATOM

    def _constant(self, node: ast.Constant) -> tuple[Notation, int]:
        text = number(node.value) if isinstance(node.value, (int, float)) else repr(node.value)
        return Notation(text, _escaped(text)), _ATOM

    def _binop(self, node: ast.BinOp) -> tuple[Notation, int]:
        text, latex, binds = _BINARY.get(type(node.op), (" ? ", " ? ", 2))
        left, right = self._inside(node.left, binds), self._inside(node.right, binds + 1)
        if isinstance(node.op, ast.Div):
            a, b = self._draw(node.left)[0], self._draw(node.right)[0]
            return Notation(left.text + text + right.text, rf"\frac{{{a.latex}}}{{{b.latex}}}"), binds
        tail = f"{{{right.latex}}}" if isinstance(node.op, ast.Pow) else right.latex
        return Notation(left.text + text + right.text, left.latex + latex + tail), binds

    def _unaryop(self, node: ast.UnaryOp) -> tuple[Notation, int]:
        operand = self._inside(node.operand, 3)
        if isinstance(node.op, ast.USub):
            return Notation("−" + operand.text, "-" + operand.latex), 1
        return Notation("not " + operand.text, r"\neg " + operand.latex), 3

    def _compare(self, node: ast.Compare) -> tuple[Notation, int]:
        left, right = self._inside(node.left, 1), self._inside(node.comparators[0], 1)
        text, latex = _COMPARE.get(type(node.ops[0]), ("?", "?"))
        return Notation(f"{left.text} {text} {right.text}", f"{left.latex} {latex} {right.latex}"), 0

    def _boolop(self, node: ast.BoolOp) -> tuple[Notation, int]:
        return self._draw(node.values[0])  # `count or 1`: the second is for no element at all

    def _ifexp(self, node: ast.IfExp) -> tuple[Notation, int]:
        yes, test, no = (self._inside(part, 1) for part in (node.body, node.test, node.orelse))
        return Notation(
            f"{yes.text} if {test.text} else {no.text}",
            rf"{yes.latex} \text{{ if }} {test.latex} \text{{ else }} {no.latex}",
        ), 0

    def _attribute(self, node: ast.Attribute) -> tuple[Notation, int]:
        value = self._inside(node.value, _ATOM)
        if node.attr in ("T", "mT"):
            return Notation(value.text + "ᵀ", value.latex + r"^\top"), _ATOM
        return Notation(f"{value.text}.{node.attr}", rf"{value.latex}.\text{{{node.attr}}}"), _ATOM

    def _call(self, node: ast.Call) -> tuple[Notation, int]:
        if isinstance(node.func, ast.Attribute):
            name, arguments = node.func.attr, [node.func.value, *node.args]
        else:
            name, arguments = ast.unparse(node.func), list(node.args)
        if name in _SHAPING:
            return self._applied(_SHAPING[name], arguments[:1])
        if name == "as_float":  # of a condition: 1 where it holds
            return self._draw(arguments[0])
        if name == "_inside":
            x, low, high = (self._draw(argument)[0] for argument in arguments)
            text = (
                f"{low.text} ≤ " * (low.text != "None") + x.text + f" ≤ {high.text}" * (high.text != "None")
            )
            return Notation(f"[{text}]", rf"\left[{_escaped(text)}\right]"), _ATOM
        if name == "count":
            return Notation("n", "n"), _ATOM
        return self._derivative(name, arguments) or self._applied(name.strip("_"), arguments)

    def _applied(self, name: str, arguments: Sequence[ast.expr]) -> tuple[Notation, int]:
        shown = [a for a in arguments if not (isinstance(a, ast.Name) and a.id in self.options)]
        drawn = [self._draw(argument)[0] for argument in shown]
        signs = _SIGNS.get(_SAME.get(name, name))
        if signs is not None and "({0}" in signs[0]:
            return Notation(
                signs[0].format(*(d.text for d in drawn)), signs[1].format(*(d.latex for d in drawn))
            ), _ATOM
        text, latex = ", ".join(d.text for d in drawn), ", ".join(d.latex for d in drawn)
        return Notation(f"{name}({text})", rf"\operatorname{{{_escaped(name)}}}({latex})"), _ATOM

    def _derivative(self, name: str, arguments: Sequence[ast.expr]) -> tuple[Notation, int] | None:
        """A kernel for a derivative is drawn as its docstring states it: 'g y (1 - y), y being ...'."""
        op = self.scope.get(name)
        given = [self._draw(argument)[0].text for argument in arguments]
        words = inspect.getdoc(op) or ""
        letters = ["g", "y"] if re.search(r"\by\b", words[:60]) and len(given) == 2 else ["g", "x", "y"]
        stated = _stated(words, dict(zip(letters, given, strict=False)))
        return None if stated is None else (stated, 2)
