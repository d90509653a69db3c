"""A trace and its explanation as plain data, ready for JSON: all that the page shows."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from minigrad.study.report.flows import Flows, flows
from minigrad.study.report.mathml import mathml
from minigrad.study.report.tensors import number, pack
from minigrad.study.trace import Group, Number, Step, Trace

MOST_ROWS = 300  # of the table of samples
_CELLS = (
    (40, 24),
    (100, 16),
    (300, 10),
    (math.inf, 6),
)  # rows of a heat map of blocks, by the number of steps


def trace_data(trace: Trace) -> dict[str, Any]:
    """The steps, groups and notes of a trace."""
    cells = next(cells for most, cells in _CELLS if len(trace.steps) <= most)
    sent = flows(trace)
    return {
        "steps": [_step(trace, step, sent, cells) for step in trace.steps],
        "groups": {key: _group(group) for key, group in trace.groups.items()},
        "result": trace.result,
        "notes": [str(note) for note in trace.notes],
    }


def _step(trace: Trace, step: Step, sent: Flows, cells: int) -> dict[str, Any]:
    operands = [
        {"number": number(operand.value)} if isinstance(operand, Number) else operand
        for operand in step.operands
    ]
    rules = []
    uses = {place: (text, latex) for place, text, latex in step.rules}
    for place, operand in enumerate(step.operands):
        if not isinstance(operand, int):
            continue
        text, latex = uses.get(place, ("", ""))
        contribution = sent.get((step.index, place))
        if text or latex or contribution is not None:
            whole = contribution is not None and contribution is trace.steps[operand].gradient
            flow = "gradient" if whole else pack(contribution, cells)  # most flows are all of a gradient
            rules.append({"place": place, "text": text, "math": formula(text, latex), "flow": flow})
    return {
        "index": step.index,
        "kind": step.kind,
        "op": step.op,
        "name": step.name,
        "operands": operands,
        "options": {str(key): _option(value) for key, value in step.options.items()},
        "shape": list(step.shape),
        "dtype": step.dtype,
        "value": pack(step.value, cells),
        "gradient": pack(step.gradient, cells),
        "group": list(step.group),
        "site": _site(step),
        "text": step.formula,
        "math": formula(step.formula, step.latex),
        "rules": rules,
        "note": step.note,
    }


def formula(text: str, latex: str) -> str:
    """A formula as markup: MathML where there is LaTeX, else the text."""
    if latex:
        return mathml(written(text) if latex.startswith(r"\text{") and latex.endswith("}") else latex)
    return f"<code>{escape(text)}</code>" if text else ""


_SIGNS = {"ḡ": r"\bar g ", "ᵀ": r"^\top ", "−": "-", "·": r"\cdot ", "²": "^2 ", "@": r"\, ", "Σ": r"\sum "}


_WORD = re.compile(r"[A-Za-zα-ω_](?:[\w.]*[A-Za-z0-9₀-₉])?(?<!ᵀ)")


def written(text: str) -> str:
    r"""A formula in plain text as LaTeX.

    Example:
        >>> from minigrad.study.report.data import written
        >>> written("ḡ (1 − tanh_x^2)")
        '\\bar g (1 - \\mathrm{tanh\\_x}^2)'
    """
    words = _WORD.sub(lambda found: rf"\mathrm{{{found[0].replace('_', chr(92) + '_')}}}", text)
    words = re.sub(r"\\mathrm\{([A-Za-zα-ω])\}", r"\1", words)
    drawn = "".join(_SIGNS.get(sign, sign) for sign in words)
    return " ".join(drawn.split())


def _option(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _site(step: Step) -> list[Any] | None:
    if not step.site.line:
        return None
    return [Path(step.site.file).name, step.site.line, step.site.text]


def _group(group: Group) -> dict[str, Any]:
    words = {"label": group.label, "kind": group.kind, "words": group.words}
    return words | {"parent": group.parent, "result": group.result}


def table_data(columns: Iterable[Any], rows: Iterable[Iterable[Any]]) -> dict[str, Any]:
    """The table of samples, cut after `MOST_ROWS` rows."""
    all_rows = [list(row) for row in rows]
    return {
        "columns": [str(column) for column in columns],
        "rows": [[_cell(cell) for cell in row] for row in all_rows[:MOST_ROWS]],
        "total": len(all_rows),
    }


def _cell(cell: Any) -> Any:
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return cell
    if isinstance(cell, (list, tuple)):
        return [_cell(item) for item in cell]
    if isinstance(cell, Mapping):
        return {str(key): _cell(item) for key, item in cell.items()}
    try:
        return number(cell)
    except (TypeError, ValueError):
        if hasattr(cell, "tolist"):
            return _cell(cell.tolist())
        return str(cell)
