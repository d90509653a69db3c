"""A graph of steps as SVG: cards with heat maps, frames around groups, edges."""

from __future__ import annotations

import itertools
import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy import ndarray

from minigrad.study.heatmap import heatmap, kind_of
from minigrad.study.heatmap import style as heatmap_style
from minigrad.study.layout import Point

MARGIN = 14.0
_NARROW, _WIDE, _LETTER = 196.0, 330.0, 6.7
_HEIGHT = 106.0
# Not allowed in XML, not even as references.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass
class Card:
    """What is written and drawn on a node."""

    index: int  # of its step; of a folded group the result's
    kind: str  # "input", "parameter", "constant", "operation", "opaque" or "folded"
    title: str
    subtitle: str
    shape: tuple[int, ...]
    value: ndarray | None
    gradient: ndarray | None
    no_value: str
    no_gradient: str
    about: str  # all of it in words, shown by the pointer
    key: str | None = None  # of the folded group
    colours: str = "signed"  # of the value
    result: bool = False  # the loss

    @property
    def id(self) -> str:
        """The element's id."""
        return f"step-{self.index}" if self.key is None else f"group-{self.key}"


# ------------------------------------------------------------------------------------------- text
def clean(text: str) -> str:
    """Text for XML: without what it cannot hold, and escaped."""
    return escape(plain(text))


def plain(text: str) -> str:
    """Text without control characters."""
    return _CONTROL.sub("\ufffd", text)


def columns_of(text: str) -> int:
    """How many columns a text takes: letters of Chinese and the like take two."""
    return sum(
        2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text
    )


def shortened(text: str, columns: float) -> str:
    """The text, cut where it is wider than so many columns.

    Example:
        >>> from minigrad.study.drawing import shortened
        >>> shortened("log_probabilities", 9)
        'log_prob…'
    """
    if columns_of(text) <= columns:
        return text
    kept = ""
    for letter in text:
        if columns_of(kept + letter) > columns - 1:
            break
        kept += letter
    return kept + "…"


def brief(value: float, digits: int = 4) -> str:
    """A number in few letters.

    Example:
        >>> from minigrad.study.drawing import brief
        >>> brief(-0.00123, 2), brief(2 / 3), brief(1e9, 2), brief(1234.5, 2), brief(float("inf"))
        ('−0.0012', '0.6667', '1e9', '1234', '∞')
    """
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    plainly = 1e-3 <= abs(value) < 1e5
    whole = plainly and abs(value) >= 10**digits
    text = f"{value:.0f}" if whole else f"{value:.{digits}g}" if plainly else f"{value:.{digits - 1}e}"
    mantissa, _, power = text.partition("e")
    if power:
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        text = f"{mantissa}e{int(power)}"
    return text.replace("-", "−")


def shape_text(shape: Sequence[int]) -> str:
    """A shape as it is printed; nothing for a number."""
    return f"[{', '.join(map(str, shape))}]" if shape else ""


# ------------------------------------------------------------------------------------------- cards
def size_of(card: Card) -> tuple[float, float]:
    """How large a card is: as wide as its text, within limits."""
    wanted = max(
        columns_of(card.title) * 7.9 + columns_of(shape_text(card.shape)) * _LETTER + 40,
        columns_of(card.subtitle) * _LETTER + 24,
        *(columns_of(span_of(array)[0]) * 12.2 + 34 for array in (card.value, card.gradient)),
    )
    return min(max(wanted, _NARROW), _WIDE), _HEIGHT


def card_svg(card: Card) -> str:
    """A card as a group whose left upper corner is at 0, 0."""
    width, height = size_of(card)
    shape = shape_text(card.shape)
    room = (width - 34 - columns_of(shape) * _LETTER) / 7.9
    half = (width - 30) / 2
    radius = {"input": 18, "constant": 18, "parameter": 18}.get(card.kind, 7)
    parts = [f"<title>{clean(card.about)}</title>"]
    if card.kind == "folded":
        parts.append(
            f'<rect class="behind" x="5" y="5" width="{width:g}" height="{height:g}" rx="{radius}"/>'
        )
    parts.append(f'<rect class="card" width="{width:g}" height="{height:g}" rx="{radius}"/>')
    parts.append(f'<text class="title" x="13" y="20">{clean(shortened(card.title, room))}</text>')
    parts.append(f'<text class="shape" x="{width - 12:g}" y="20" text-anchor="end">{clean(shape)}</text>')
    subtitle = shortened(card.subtitle, (width - 24) / _LETTER)
    parts.append(f'<text class="name" x="13" y="35">{clean(subtitle)}</text>')
    parts.append(_half(card.value, "value", 12, half, card.colours, card.no_value))
    parts.append(_half(card.gradient, "gradient", 18 + half, half, "signed", card.no_gradient))
    name = f"{card.kind} loss" if card.result else card.kind
    extra = "" if card.key is None else f' data-group="{clean(card.key)}"'
    return f'<g id="{clean(card.id)}" class="step {name}"{extra}>{"".join(parts)}</g>'


def _half(array: ndarray | None, name: str, left: float, width: float, colours: str, missing: str) -> str:
    """The heat map of the value or the gradient, or the words why there is none."""
    middle = left + width / 2

    def text(kind: str, y: float, words: str) -> str:
        return f'<text class="{kind}" x="{middle:g}" y="{y:g}" text-anchor="middle">{clean(words)}</text>'

    if array is None:
        return f'<g class="{name}">{text("nothing", 71, missing)}</g>'
    if array.size == 1:
        item = array.item()
        words = str(item) if isinstance(item, bool) else brief(item)
        return f'<g class="{name}">{text("label", 51, name)}{text("figure", 76, words)}</g>'
    if array.size == 0:
        return f'<g class="{name}">{text("label", 51, name)}{text("nothing", 76, "empty")}</g>'
    made = heatmap(array, left, 56, width, 33, kind=colours)
    span, bad = span_of(array)
    below = text("span bad-label" if bad else "span", 101, span)
    return f'<g class="{name}">{text("label", 51, name)}{made.svg}{below}</g>'


def span_of(array: ndarray | None) -> tuple[str, bool]:
    """From where to where an array goes, in words; or else, and true, how much of it is not finite.

    Example:
        >>> import numpy as np
        >>> from minigrad.study.drawing import span_of
        >>> span_of(np.array([0.5, -2.0])), span_of(np.zeros(3)), span_of(np.array([np.nan, 1.0]))
        (('−2 … 0.5', False), ('all 0', False), ('1 nan or inf', True))
    """
    if array is None or array.size < 2:
        return "", False
    nonfinite = array.size - int(np.isfinite(array).sum())
    if nonfinite:
        return f"{nonfinite:,} nan or inf", True
    low, high = float(array.min()), float(array.max())
    return (f"all {brief(low, 3)}" if low == high else f"{brief(low, 2)} … {brief(high, 2)}"), False


# ------------------------------------------------------------------------------------- edges, frames
def spline(points: Sequence[Point]) -> str:
    """A path through points: straight where it runs down, curved where it moves aside.

    Example:
        >>> from minigrad.study.drawing import spline
        >>> spline([(0, 0), (0, 10), (20, 30)])
        'M0 0L0 10C0 20 20 20 20 30'
    """
    path = "M{:.5g} {:.5g}".format(*points[0])
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if abs(x0 - x1) < 0.5:
            path += f"L{x1:.5g} {y1:.5g}"
        else:
            middle = (y0 + y1) / 2
            path += f"C{x0:.5g} {middle:.5g} {x1:.5g} {middle:.5g} {x1:.5g} {y1:.5g}"
    return path


def edge_svg(start: int, end: int, points: Sequence[Point], flows: bool) -> str:
    """An edge between steps; those that a gradient flows back along look different."""
    name, arrow = ("edge flow", "minigrad-flow") if flows else ("edge constant", "minigrad-constant")
    return f'<path id="edge-{start}-{end}" class="{name}" d="{spline(points)}" marker-end="url(#{arrow})"/>'


def frame_svg(key: str, kind: str, box: tuple[float, float, float, float]) -> str:
    """The box around the steps of an open group."""
    x, y, width, height = box
    return (
        f'<g id="{clean("group-" + key)}" class="frame {kind}" data-group="{clean(key)}">'
        f'<rect x="{x:.5g}" y="{y:.5g}" width="{width:.5g}" height="{height:.5g}" rx="12"/></g>'
    )


def label_svg(label: str, kind: str, box: tuple[float, float, float, float]) -> str:
    """What a frame is called; it lies above the edges."""
    x, y, width, _ = box
    words = clean(shortened(label, (width - 24) / 7.2))
    return f'<text class="tab {kind}" x="{x + 14:.5g}" y="{y + 20:.5g}">{words}</text>'


# ------------------------------------------------------------------------------------------- style
_SANS = (
    'system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","PingFang SC","Microsoft YaHei",'
    '"Noto Sans CJK SC","DejaVu Sans",sans-serif'
)
_MONO = 'ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Noto Sans Mono CJK SC",monospace'

_SHAPES = f"""\
.minigrad text{{font:12px {_SANS}}}\
.minigrad .title{{font-weight:650;font-size:13px}}\
.minigrad .shape,.minigrad .name,.minigrad .span{{font-family:{_MONO};font-size:11px}}\
.minigrad .label,.minigrad .nothing{{font-size:10px}}.minigrad .span{{font-size:10px}}\
.minigrad .figure{{font-family:{_MONO};font-size:14px;font-weight:600}}\
.minigrad .tab{{font-weight:600;paint-order:stroke;stroke-width:5;stroke-linejoin:round}}\
.minigrad .edge{{fill:none;stroke-width:1.5}}\
.minigrad .constant.edge{{stroke-dasharray:4 4;stroke-width:1.2}}\
.minigrad .card,.minigrad .behind{{stroke-width:1.2}}.minigrad .constant .card{{stroke-dasharray:5 3}}\
.minigrad .opaque .card{{stroke-dasharray:1.5 2.5}}.minigrad .loss .card{{stroke-width:2.6}}\
.minigrad .parameter .card{{stroke-width:1.8}}\
.minigrad .note{{font-size:13px;font-weight:600}}"""

# Plain colours, no variables: converters to PNG know them.
_LIGHT = {
    "paper": "#fbfaf8", "ink": "#1b1e23", "soft": "#5a606a", "line": "#9a958b", "card": "#ffffff",
    "given": "#f1efeb", "parameter": "#d9efec", "forward": "#1f6f6b", "loss": "#f9e1ec",
    "backward": "#a8326b",
    "fused": "#f4eef9", "fusedline": "#8b6fb0", "module": "#eaf3f2", "moduleline": "#6a9c98",
    "function": "#f6f4f0", "functionline": "#b9b4aa",
}  # fmt: skip
_DARK = {
    "paper": "#14161a", "ink": "#eae8e3", "soft": "#aab0bb", "line": "#7b838f", "card": "#1c1f25",
    "given": "#262a31", "parameter": "#16393a", "forward": "#5fc9bf", "loss": "#431f33",
    "backward": "#f08fbb",
    "fused": "#1f1a28", "fusedline": "#7d68a0", "module": "#15211f", "moduleline": "#3f6e6a",
    "function": "#1a1c21", "functionline": "#4a505b",
}  # fmt: skip


def _colours(c: dict[str, str]) -> str:
    rules = f"""\
.minigrad .paper{{fill:{c["paper"]}}}.minigrad text{{fill:{c["ink"]}}}\
.minigrad .shape,.minigrad .name,.minigrad .label,.minigrad .nothing,.minigrad .span{{fill:{c["soft"]}}}\
.minigrad .span.bad-label,.minigrad .note{{fill:{c["backward"]}}}\
.minigrad .card{{fill:{c["card"]};stroke:{c["line"]}}}\
.minigrad .behind{{fill:{c["given"]};stroke:{c["line"]}}}\
.minigrad .input .card,.minigrad .constant .card{{fill:{c["given"]}}}\
.minigrad .parameter .card{{fill:{c["parameter"]};stroke:{c["forward"]}}}\
.minigrad .loss .card{{fill:{c["loss"]};stroke:{c["backward"]}}}\
.minigrad .edge{{stroke:{c["line"]}}}.minigrad .flow{{stroke:{c["backward"]}}}\
.minigrad .arrow{{fill:{c["line"]}}}.minigrad .arrow.flows{{fill:{c["backward"]}}}"""
    for kind in ("fused", "module", "function"):
        rules += f".minigrad .{kind} rect{{fill:{c[kind]};stroke:{c[kind + 'line']}}}"
        rules += f".minigrad .tab.{kind}{{stroke:{c[kind]}}}"
    return rules


STYLE = (
    _SHAPES + _colours(_LIGHT) + f"@media (prefers-color-scheme:dark){{{_colours(_DARK)}}}" + heatmap_style()
)


def document(body: str, width: float, height: float, title: str, notes: Sequence[str] = ()) -> str:
    """The whole picture; notes stand above it."""
    above = 22.0 * len(notes)
    longest = max((columns_of(note) * 7.3 for note in notes), default=0.0)
    total = max(width, longest) + 2 * MARGIN
    tall = height + above + 2 * MARGIN
    words = "".join(
        f'<text class="note" x="{MARGIN:g}" y="{MARGIN + 13 + 22 * i:g}">{clean(note)}</text>'
        for i, note in enumerate(notes)
    )
    arrows = "".join(
        f'<marker id="minigrad-{name}" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto" markerUnits="userSpaceOnUse">'
        f'<path class="arrow {kind}" d="M0 .5L8 4L0 7.5z"/></marker>'
        for name, kind in (("flow", "flows"), ("constant", ""))
    )
    left = MARGIN + (total - 2 * MARGIN - width) / 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="minigrad" width="{total:.0f}" height="{tall:.0f}" '
        f'viewBox="0 0 {total:.0f} {tall:.0f}" role="img" aria-label="{clean(title)}">'
        f"<style>{STYLE}</style><defs>{arrows}</defs>"
        f'<rect class="paper" width="100%" height="100%" rx="10"/>{words}'
        f'<g transform="translate({left:.5g} {MARGIN + above:.5g})">{body}</g></svg>\n'
    )


def colours_of(array: ndarray | None, op: str, name: str) -> str:
    """The colours of a value."""
    return "signed" if array is None else kind_of(array, op, name)
