"""All losses at a glance: one small picture each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from minigrad.random import get_rng_state, set_rng_state
from minigrad.study.pictures.curves import Curve, curves_of, draw_curve, limit_to_the_bulk
from minigrad.study.pictures.setups import FAMILIES, Setup
from minigrad.study.pictures.style import (
    FileName,
    checked_file,
    finish,
    label_of,
    picture,
    zero_line,
)
from minigrad.train.pictures import COLOURS, PALE, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 5
_LOSS, _GRADIENT = COLOURS[0], COLOURS[1]
_DASHES = ("-", (0, (3.5, 1.5)))  # of the first and the second target


@picture
def gallery(*, points: int = 121, path: FileName | None = None) -> Figure:
    """Every loss of `minigrad.nn` and `minigrad.nn.extra`: the loss of one sample and its gradient.

    Each is drawn over the number that it is about, which stands below; a second target is dashed.

    Args:
        points: how many points a curve has.
        path: a .png, .svg or .pdf file to write.

    Raises:
        ImportError: matplotlib is missing.

    Example:
        >>> from minigrad.study.pictures import gallery
        >>> figure = gallery(points=5)
        >>> [axes.get_title(loc="left") for axes in figure.axes][:3]
        ['MSELoss', 'L1Loss', 'SmoothL1Loss']
    """
    file = checked_file(path)
    rows = {family: math.ceil(len(setups) / _COLUMNS) for family, setups in FAMILIES.items()}
    figure = new_figure(2.35 * _COLUMNS, 1.95 * sum(rows.values()) + 0.3 * len(rows) + 0.5)
    heights = [0.35, *(1.95 * count + 0.3 for count in rows.values())]
    state = get_rng_state()  # modules with weights draw them
    parts: Any = figure.subfigures(len(heights), 1, height_ratios=heights)
    head, *parts = parts
    _legend(head)
    for part, (family, setups) in zip(parts, FAMILIES.items(), strict=True):
        part.suptitle(family, x=0.008, ha="left", fontsize=11, fontweight="bold")
        grid = part.subplots(rows[family], _COLUMNS, squeeze=False).ravel()
        for axes, setup in zip(grid, setups.values(), strict=False):
            _panel(axes, setup, points)
        for axes in grid[len(setups) :]:
            axes.remove()
    set_rng_state(state)
    return finish(figure, file)


def _panel(axes: Axes, setup: Setup, points: int) -> None:
    loss, axis = setup.make(), setup.axis
    curves = curves_of(axis, [loss], [""], axis.span, points)
    for curve, dashes in zip(curves, _DASHES, strict=False):
        style: dict[str, Any] = {"linewidth": 1.4, "linestyle": dashes}
        _draw(axes, curve, style)
    limit_to_the_bulk(axes, [values for curve in curves for values in (curve.loss, curve.gradient)])
    zero_line(axes)
    axes.set_xlim(*axis.span)
    name, _, options = label_of(loss).rstrip(")").partition("(")
    axes.set_title(name, loc="left", fontsize=8.5 if len(name) < 25 else 7.2)
    text = axis.label
    if len(curves) > 1:
        text += "\n" + "  ".join(f"{sign} {c.label}" for sign, c in zip("—╌", curves, strict=False))
    if options:
        text += f"\n{options}"
    axes.set_xlabel(text, fontsize=6.8, labelpad=1.5, color="#555555")
    axes.tick_params(labelsize=6.5, length=2, pad=1.5, color=PALE)
    axes.locator_params(nbins=5)


def _draw(axes: Axes, curve: Curve, style: dict[str, Any]) -> None:
    axes.plot(curve.x, curve.loss, color=_LOSS, **style)
    draw_curve(None, axes, curve, marks=3.2, color=_GRADIENT, **style)


def _legend(head: Any) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=_LOSS, linewidth=2, label="loss of one sample"),
        Line2D([], [], color=_GRADIENT, linewidth=2, label="gradient along the axis"),
        Line2D([], [], color=PALE, linestyle=_DASHES[1], linewidth=1.6, label="second target"),
    ]
    head.legend(handles=handles, loc="center left", ncols=3, fontsize=9, bbox_to_anchor=(0.0, 0.5))
