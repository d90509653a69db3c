"""A text of headings, formulas, arrays and tables, and its forms: for a terminal, Markdown, LaTeX, HTML."""

from __future__ import annotations

import html
import textwrap
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.study import numbers
from minigrad.study.notation import latex_text
from minigrad.study.numbers import short


@dataclass(frozen=True)
class Heading:
    """The title of the text (level 1), of a part (2), or of some steps (3)."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """A paragraph, with what it is about before it."""

    text: str
    label: str = ""


@dataclass(frozen=True)
class Formula:
    """A numbered step: a formula, what stands beside it, and the numbers below."""

    number: str
    text: str
    latex: str
    aside: str = ""  # shape and kind
    array: ndarray | None = None
    note: str = ""
    depth: int = 0


@dataclass(frozen=True)
class Grid:
    """A table of `numbers.short` cells."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    left_out: str = ""  # what is said of rows that are not shown


@dataclass(frozen=True)
class Code:
    """Source code."""

    text: str


Block = Heading | Paragraph | Formula | Grid | Code


def width_of(text: str) -> int:
    """How many columns of a terminal a text takes: Chinese characters take two, accents none."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)


def _padded(text: str, width: int, right: bool) -> str:
    space = " " * max(0, width - width_of(text))
    return space + text if right else text + space


# --------------------------------------------------------------------------------------------- terminal
def to_text(blocks: Sequence[Block], width: int) -> str:
    """The text for a terminal of that many columns."""
    lines: list[str] = []
    for block in blocks:
        lines += _TEXT[type(block)](block, max(40, width))
    return "\n".join(lines).strip("\n")


def _wrapped(text: str, width: int, first: str, rest: str) -> list[str]:
    """Lines of at most that width; Chinese text has no spaces to break at, so it breaks anywhere."""
    if width_of(text) == len(text):
        return textwrap.wrap(text, width, initial_indent=first, subsequent_indent=rest) or [first.rstrip()]
    lines, line = [], first
    for piece in _pieces(text):
        if width_of(line) + width_of(piece.rstrip()) > width and line.strip():
            lines.append(line.rstrip())
            line = rest + piece.lstrip()
        else:
            line += piece
    return [*lines, line.rstrip()]


def _pieces(text: str) -> list[str]:
    """Where a line may break: after a space, and around Chinese characters."""
    pieces: list[str] = []
    for c in text:
        wide = unicodedata.east_asian_width(c) in "WF"
        opening = not pieces or wide or pieces[-1].endswith(" ")
        opening = opening or unicodedata.east_asian_width(pieces[-1][-1]) in "WF"
        if opening and not (pieces and c in "，。；：、）」》？！"):
            pieces.append(c)
        else:
            pieces[-1] += c
    return pieces


def _heading_text(block: Heading, width: int) -> list[str]:
    if block.level == 1:
        return [block.text, "=" * min(width_of(block.text), width)]
    if block.level == 3:
        return [f"  · {block.text}"]
    return ["", block.text, "-" * min(width_of(block.text), width)]


def _paragraph_text(block: Paragraph, width: int) -> list[str]:
    first = f"{block.label}  " if block.label else ""
    return _wrapped(block.text, width, _padded(first, 11, False) if first else "", " " * 11 if first else "")


def _formula_text(block: Formula, width: int) -> list[str]:
    indent = "  " * block.depth
    head = f"{indent}{block.number:>3}  {block.text}"
    aside = block.aside
    if aside and width_of(head) + width_of(aside) + 2 <= width:
        lines = [head + " " * (width - width_of(head) - width_of(aside)) + aside]
    else:
        lines = _wrapped(block.text, width, f"{indent}{block.number:>3}  ", indent + " " * 7)
        lines += [indent + " " * 7 + aside] if aside else []
    inside = indent + " " * 7
    if block.array is not None:
        lines += [inside + line for line in numbers.lines(block.array, width - len(inside))]
    if block.note:
        lines += _wrapped(f"({block.note})", width, inside, inside)
    return lines


def _grid_text(block: Grid, width: int) -> list[str]:
    cells = [[short(cell) for cell in row] for row in block.rows]
    sizes = [
        max(width_of(name), *(width_of(row[i]) for row in cells), 0) if cells else width_of(name)
        for i, name in enumerate(block.columns)
    ]
    while sum(sizes) + 2 * (len(sizes) - 1) > width and max(sizes) > 5:  # the widest columns give way
        widest = sizes.index(max(sizes))
        sizes[widest] -= 1

    def line(row: Sequence[str]) -> str:
        parts = [_padded(_cut(cell, size), size, True) for cell, size in zip(row, sizes, strict=True)]
        return "  ".join(parts).rstrip()

    lines = [line(block.columns), "  ".join("-" * size for size in sizes)]
    lines += [line(row) for row in cells]
    return [*lines, block.left_out] if block.left_out else lines


def _cut(text: str, size: int) -> str:
    if width_of(text) <= size:
        return text
    while width_of(text) > size - 1:
        text = text[:-1]
    return text + "…"


def _code_text(block: Code, width: int) -> list[str]:
    return ["    " + line for line in block.text.split("\n")]


_TEXT: dict[type, Callable[[Any, int], list[str]]] = {
    Heading: _heading_text,
    Paragraph: _paragraph_text,
    Formula: _formula_text,
    Grid: _grid_text,
    Code: _code_text,
}


# --------------------------------------------------------------------------------------------- Markdown
def to_markdown(blocks: Sequence[Block]) -> str:
    """The text as Markdown, with tables as GitHub has them."""
    parts = []
    for block in blocks:
        if isinstance(block, Heading):
            parts.append("#" * (block.level + 1) + f" {block.text}")
        elif isinstance(block, Paragraph):
            parts.append(f"**{block.label}** {block.text}" if block.label else block.text)
        elif isinstance(block, Formula):
            parts.append(_formula_markdown(block))
        elif isinstance(block, Grid):
            rows = [
                block.columns,
                ["---:"] * len(block.columns),
                *([short(c) for c in r] for r in block.rows),
            ]
            table = "\n".join("| " + " | ".join(c.replace("|", "\\|") for c in row) + " |" for row in rows)
            parts.append(table + (f"\n\n{block.left_out}" if block.left_out else ""))
        else:
            parts.append(f"```python\n{block.text}\n```")
    return "\n\n".join(parts) + "\n"


def _formula_markdown(block: Formula) -> str:
    text = f"{block.number}. `{block.text}`" + (f" ({block.aside})" if block.aside else "")
    if block.array is not None:
        text += "\n\n   ```text\n   " + "\n   ".join(numbers.lines(block.array, 90)) + "\n   ```"
    return text + (f"\n\n   *{block.note}*" if block.note else "")


# ------------------------------------------------------------------------------------------------ LaTeX
def to_latex(blocks: Sequence[Block]) -> str:
    """The text as LaTeX, for a document with amsmath and amssymb (and ctex, if it is Chinese)."""
    parts = []
    for block in blocks:
        if isinstance(block, Heading):
            parts.append(
                ("\\section*{" if block.level == 1 else "\\subsection*{") + latex_text(block.text) + "}"
            )
        elif isinstance(block, Paragraph):
            label = f"\\textbf{{{latex_text(block.label)}}}\\quad " if block.label else ""
            parts.append(label + latex_text(block.text))
        elif isinstance(block, Formula):
            parts.append(_formula_latex(block))
        elif isinstance(block, Grid):
            parts.append(_grid_latex(block))
        else:
            parts.append("\\begin{verbatim}\n" + block.text + "\n\\end{verbatim}")
    return "\n\n".join(parts) + "\n"


def _formula_latex(block: Formula) -> str:
    text = rf"\[ {block.latex}"
    if block.array is not None and 0 < block.array.size <= numbers.WHOLE and block.array.ndim <= 2:
        rows = np.atleast_2d(block.array)
        body = r" \\ ".join(" & ".join(_latex_number(v) for v in row) for row in rows.tolist())
        text += rf" = \begin{{bmatrix}} {body} \end{{bmatrix}}" if block.array.ndim else f" = {body}"
    text += rf" \tag{{{block.number}}} \]" if block.number.strip() else r" \]"
    return text + (f"\n\\emph{{{latex_text(block.note)}}}" if block.note else "")


def _latex_number(value: Any) -> str:
    text = short(value)
    if isinstance(value, bool):
        return rf"\text{{{text}}}"
    mantissa, e, exponent = text.partition("e")
    drawn = {"inf": r"\infty", "-inf": r"-\infty", "nan": r"\text{nan}"}.get(text)
    return drawn or (rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if e else text)


def _grid_latex(block: Grid) -> str:
    head = " & ".join(latex_text(c) for c in block.columns) + r" \\ \hline"
    body = "\n".join(" & ".join(latex_text(short(c)) for c in row) + r" \\" for row in block.rows)
    table = f"\\begin{{tabular}}{{{'r' * len(block.columns)}}}\n{head}\n{body}\n\\end{{tabular}}"
    return table + (f"\n\n{latex_text(block.left_out)}" if block.left_out else "")


# ------------------------------------------------------------------------------------------------- HTML
STYLE = """
.mg{font:14px/1.5 system-ui,sans-serif;max-width:72rem;color:inherit}
.mg h2{font-size:1.3em;margin:.2em 0}.mg h3{font-size:1.05em;margin:1.1em 0 .3em}
.mg h4{font-size:.95em;font-weight:600;opacity:.7;margin:.6em 0 .1em}
.mg table{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:.2em 0 .6em}
.mg td,.mg th{padding:.1em .55em;text-align:right;border:0}
.mg th{border-bottom:1px solid #8888;font-weight:600}
.mg .step{margin:.35em 0}.mg .no{display:inline-block;min-width:2.2em;opacity:.6}
.mg code{font-family:ui-monospace,monospace;background:none;color:inherit}
.mg .aside,.mg .note{opacity:.65;font-size:.9em}.mg .label{font-weight:600;margin-right:.6em}
.mg .array{margin-left:2.2em}.mg .array td{color:#111;border-radius:2px}
.mg pre{overflow-x:auto;margin-left:2.2em}.mg .scroll{overflow-x:auto}
"""


def to_html(blocks: Sequence[Block]) -> str:
    """The text as a fragment of HTML, which brings its style and needs nothing else."""
    parts = [f'<div class="mg"><style>{STYLE}</style>']
    for block in blocks:
        if isinstance(block, Heading):
            parts.append(f"<h{block.level + 1}>{html.escape(block.text)}</h{block.level + 1}>")
        elif isinstance(block, Paragraph):
            label = f'<span class="label">{html.escape(block.label)}</span>' if block.label else ""
            parts.append(f"<p>{label}{html.escape(block.text)}</p>")
        elif isinstance(block, Formula):
            parts.append(_formula_html(block))
        elif isinstance(block, Grid):
            parts.append(_grid_html(block))
        else:
            parts.append(f"<pre><code>{html.escape(block.text)}</code></pre>")
    return "\n".join([*parts, "</div>"])


def _formula_html(block: Formula) -> str:
    aside = f' <span class="aside">{html.escape(block.aside)}</span>' if block.aside else ""
    text = f'<span class="no">{html.escape(block.number)}</span><code>{html.escape(block.text)}</code>{aside}'
    array = "" if block.array is None else array_html(block.array)
    note = f'<div class="note array">{html.escape(block.note)}</div>' if block.note else ""
    return f'<div class="step" style="margin-left:{1.5 * block.depth}em">{text}{array}{note}</div>'


def array_html(array: ndarray) -> str:
    """An array as a table whose cells are coloured: blue below zero, orange above."""
    if array.size > 20 * numbers.WHOLE or not array.size:
        return f'<div class="array note">{html.escape(numbers.summary(array))}</div>'
    rows = array.reshape(-1, array.shape[-1]) if array.ndim else array.reshape(1, 1)
    values = rows.astype(np.float64)
    scale = np.abs(values[np.isfinite(values)]).max(initial=0.0) or 1.0
    body = "".join("<tr>" + "".join(_cell_html(v, scale) for v in row) + "</tr>" for row in rows.tolist())
    return f'<div class="array scroll"><table>{body}</table></div>'


def _cell_html(value: Any, scale: float) -> str:
    number = float(value)
    share = min(abs(number) / scale, 1.0) if np.isfinite(number) else 1.0
    hue = "230,159,0" if number > 0 else "86,180,233"
    if not np.isfinite(number):
        hue = "214,39,40"
    # White below the tint, so that dark themes do not darken it.
    tint = f"background:linear-gradient(rgba({hue},{0.12 + 0.6 * share:.2f}) 0 0),#fff"
    return f'<td style="{tint if number else "background:#f4f4f4"}">{html.escape(short(value))}</td>'


def _grid_html(block: Grid) -> str:
    head = "".join(f"<th>{html.escape(c)}</th>" for c in block.columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(short(c))}</td>" for c in row) + "</tr>" for row in block.rows
    )
    left_out = f'<p class="note">{html.escape(block.left_out)}</p>' if block.left_out else ""
    return f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>{left_out}'
