"""The page: data, words, style and script in one file that needs nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from minigrad.study.report.data import table_data, trace_data
from minigrad.study.report.tensors import number
from minigrad.study.report.words import words_for
from minigrad.study.trace import Step, Trace
from minigrad.study.words import say

_SCRIPTS = ("tensors.js", "layout.js", "model.js", "graph.js", "panel.js", "table.js", "page.js")
_MOST_OPEN = 60  # nodes; larger graphs start with their modules folded


@cache
def _asset(name: str) -> str:
    return (files("minigrad.study.report") / "assets" / name).read_text("utf-8")


def build_page(trace: Trace, explanation: Any = None, lang: str = "en") -> str:
    """The page of a trace as HTML.

    Args:
        trace: the steps.
        explanation: what `explain` says of the loss; without one the page shows the steps alone.
        lang: "en" or "zh".

    Example:
        >>> import minigrad
        >>> from minigrad.study.report.build import build_page
        >>> from minigrad.study.trace import trace_of
        >>> x = minigrad.tensor([1.0, 2.0], requires_grad=True)
        >>> page = build_page(trace_of((x * x).sum()))
        >>> page.startswith("<!doctype html>")
        True
    """
    words = words_for(lang)
    calls = list(explanation.losses) if explanation is not None else []
    data = trace_data(trace)
    for step in data["steps"]:
        step["note"] = say(lang, step["note"]) if step["note"] else ""
    for group in data["groups"].values():
        group["words"] = say(lang, group["words"]) if group["words"] else ""
    result = trace.steps[trace.result]
    name = calls[0].name if len(calls) == 1 else _title(result)
    data |= {"words": words, "folded": folded(trace), "tables": [_table(call) for call in calls]}
    parts = {
        "lang": {"en": "en", "zh": "zh-CN"}[lang],
        "title": escape(f"{name} · minigrad"),
        "heading": escape(name).replace("_", "_<wbr>"),  # where a phone may break it
        "style": _asset("page.css"),
        "site": _site(trace),
        "facts": _facts(result, calls, words),
        "samples": "".join(_samples(i, calls, words) for i in range(len(calls))),
        "definition": "".join(_definition(i, calls, words) for i in range(len(calls))),
        "notes": _notes(trace, words, lang),
        "data": _json(data),
        "script": "\n".join(_asset(name) for name in _SCRIPTS),
    }
    parts |= {f"t:{key}": escape(text) for key, text in words.items()}
    # One pass: what is filled in is not searched for places to fill.
    return re.sub(r"\{\{([^{}]+)\}\}", lambda found: parts[found[1]], _asset("page.html"))


def _json(data: Any) -> str:
    """JSON that may stand inside a script element: no `<` that could end it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def folded(trace: Trace) -> list[str]:
    """The groups that are folded at first: what a definition calls, and in large graphs the modules."""
    inner = {key for key, group in trace.groups.items() if group.kind == "function"}
    left = sum(not inner.intersection(step.group) for step in trace.steps)
    if left > _MOST_OPEN:
        inner |= {key for key, group in trace.groups.items() if group.kind == "module"}
    return sorted(inner)


def _title(result: Step) -> str:
    """What the user calls a result, or else the operation that made it."""
    return result.op if re.fullmatch(r"v\d+", result.name) else result.name or result.op


def _table(call: Any) -> dict[str, Any] | None:
    if not call.table.rows:
        return None
    data = table_data(call.table.columns, call.table.rows)
    return data | {"total": max(data["total"], call.table.total)}


def _site(trace: Trace) -> str:
    """The line of the user's code that made the result."""
    site = trace.steps[trace.result].site
    if not site.line:
        return ""
    file = site.file.replace("\\", "/").rpartition("/")[2]
    return f'<p class="site">{escape(file)}:{site.line}<code>{escape(site.text)}</code></p>'


def _notes(trace: Trace, words: dict[str, str], lang: str) -> str:
    """What the page cannot show, and why."""
    notes = [say(lang, str(note)) for note in trace.notes]
    if not notes and any(step.value is None for step in trace.steps):
        notes = [words["missing values"]]
    return "".join(f'<p class="notice">{escape(note)}</p>' for note in notes)


def _fact(heading: str, body: str, kind: str = "") -> str:
    return f'<article class="fact {kind}"><h2>{escape(heading)}</h2>{body}</article>' if body else ""


def _text(text: str) -> str:
    return f"<p>{_with_code(text)}</p>" if text else ""


def _with_code(text: str) -> str:
    """Text whose `code` is marked as in docstrings, as HTML."""
    parts = re.split(r"`+([^`]+)`+", text)
    return "".join(f"<code>{escape(p)}</code>" if i % 2 else escape(p) for i, p in enumerate(parts))


def _facts(result: Step, calls: Sequence[Any], words: dict[str, str]) -> str:
    """The cards above the graph."""
    facts = []
    if result.value is not None and result.value.size == 1:
        value = f"{number(result.value.item(), 6)}".replace("-", "−")
        heading = words["loss"] if calls else words["result value"]
        facts.append(_fact(heading, f'<p class="big">{escape(value)}</p>', "number"))
    for i, call in enumerate(calls):
        facts += [
            _fact(_headed(words["formula"], i, calls), _text(call.words.summary)),
            _fact(_headed(words["gradient formula"], i, calls), _text(call.words.gradient), "gradient"),
            _fact(_headed(words["divisor"], i, calls), _text(call.divisor)),
        ]
        lines = "".join(_check(check, words) for check in call.checks)
        facts.append(_fact(_headed(words["checks"], i, calls), lines and f"<ul>{lines}</ul>", "checks"))
    return "\n".join(facts)


def _headed(heading: str, i: int, calls: Sequence[Any]) -> str:
    """A heading, with the loss's name where there are several losses."""
    return heading if len(calls) == 1 else f"{heading}: {calls[i].name}"


def _check(check: Any, words: dict[str, str]) -> str:
    if check.passed is None:
        mark, kind, error = "–", "", check.note or words["not made"]
    else:
        mark, kind = ("✓", "ok") if check.passed else ("✗", "bad-mark")
        error = f"{check.error:.1e}".replace("-", "−")
        if check.where and check.error:
            error += f" @ {check.where}"
    return (
        f'<li><span class="{kind}">{mark}</span><span>{escape(check.name)}</span>'
        f'<span class="error">{escape(error)}</span></li>'
    )


def _samples(i: int, calls: Sequence[Any], words: dict[str, str]) -> str:
    table = calls[i].table
    if not table.rows:
        heading = f"<h2>{escape(_headed(words['no samples'], i, calls))}</h2>"
        note = f'<p class="note">{escape(table.note)}</p>'
        return f'<section class="card">{heading}{note}</section>' if table.note else ""
    return (
        f'<section class="card"><h2>{escape(_headed(words["samples"], i, calls))}</h2>'
        f'<p class="note">{escape(words["samples lead"])}</p>'
        f'<div id="table-{i}" class="table"></div></section>'
    )


def _definition(i: int, calls: Sequence[Any], words: dict[str, str]) -> str:
    if not calls[i].source:
        return ""
    return (
        f'<details class="card"><summary><h2>{escape(_headed(words["definition"], i, calls))}</h2></summary>'
        f"<pre><code>{escape(calls[i].source)}</code></pre></details>"
    )
