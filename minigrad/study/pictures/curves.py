"""Loss and gradient as curves over one number: the residual, the probability, the logit, the margin."""

from __future__ import annotations

import builtins
import dataclasses
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.autograd.engine import grad
from minigrad.autograd.tape import enable_grad
from minigrad.creation import tensor
from minigrad.nn.losses.base import LossFunction
from minigrad.study.pictures.setups import AXES, Axis, axis_of, of_one_sample
from minigrad.study.pictures.style import (
    LINES,
    FileName,
    checked_file,
    finish,
    label_of,
    marker,
    page,
    picture,
    zero_line,
)
from minigrad.train.pictures import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_CURVES = len(LINES)
_HALVINGS = 24  # of an interval in which the gradient jumps


@dataclass(frozen=True)
class Kink:
    """Where the gradient jumps: from what, to what, and what backward gives at the place itself."""

    x: float
    before: float
    after: float
    at: float


@dataclass(frozen=True)
class Curve:
    """A loss over the axis, its gradient by the tape, and its kinks."""

    label: str
    x: np.ndarray
    loss: np.ndarray
    gradient: np.ndarray
    kinks: tuple[Kink, ...]


def point_of(axis: Axis, loss: Any, target: Any, x: float) -> tuple[float, float]:
    """The loss at x and its gradient with respect to x, both as a training would get them."""
    with enable_grad():
        leaf = tensor(float(x), dtype="float64", requires_grad=True)
        value = axis.call(loss, leaf, target)
        if not value.requires_grad:
            return float(value.sum()), 0.0
        (slope,) = grad(value.sum(), [leaf], allow_unused=True)
    return float(value.sum()), 0.0 if slope is None else float(slope)


def curve_of(axis: Axis, loss: Any, target: Any, label: str, span: Sequence[float], points: int) -> Curve:
    """The curve of one loss with one target."""
    x = np.linspace(span[0], span[1], points)
    values, slopes = np.array([point_of(axis, loss, target, at) for at in x]).T

    def slope(at: float) -> float:
        return point_of(axis, loss, target, at)[1]

    return Curve(label, x, values, slopes, tuple(_kinks(x, slopes, slope)))


def _kinks(x: np.ndarray, slopes: np.ndarray, slope: Any) -> Iterator[Kink]:
    """The jumps of the gradient, each found by halving the interval in which it is."""
    steps = np.abs(np.diff(slopes))
    finite = steps[np.isfinite(steps)]
    if not finite.size or finite.max() == 0:
        return
    least = max(0.02 * np.ptp(slopes[np.isfinite(slopes)]), 4 * float(np.median(finite)), 1e-9)
    last = -math.inf
    for i in np.flatnonzero(steps > least):
        low, high, below, above = x[i], x[i + 1], slopes[i], slopes[i + 1]
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            between = slope(middle)
            if abs(between - below) >= abs(above - between):
                high, above = middle, between
            else:
                low, below = middle, between
        if abs(above - below) > 0.5 * steps[i] and high - last > 1e-3 * (x[-1] - x[0]):
            place, near = round((low + high) / 2, 5), 1e-5 * (x[-1] - x[0])
            yield Kink(place, slope(place - near), slope(place + near), slope(place))
            last = place


def curves_of(
    axis: Axis, losses: Sequence[Any], labels: Sequence[str], span: Sequence[float], points: int
) -> list[Curve]:
    """The curves of all losses, one for each target of the axis."""
    return [
        curve_of(
            axis, of_one_sample(loss), target, ", ".join(part for part in (label, name) if part), span, points
        )
        for loss, label in zip(losses, labels, strict=True)
        for name, target in axis.targets
    ]


# ------------------------------------------------------------------------------------------ arguments
def _axis_for(losses: Sequence[Any], axis: str | None) -> Axis:
    if axis is not None:
        if axis not in AXES:
            raise ValueError(f"axis={axis!r} is none of the axes\nUse one of {', '.join(map(repr, AXES))}.")
        return AXES[axis]
    found = {label_of(loss): axis_of(loss) or AXES["residual"] for loss in losses}
    first = next(iter(found.values()))
    for name, other in found.items():
        if other.call is not first.call or other.label != first.label:
            raise ValueError(
                f"the losses are drawn over different axes: {next(iter(found))} over {first.label!r}, "
                f"{name} over {other.label!r}\nDraw them apart, or give the axis: axis= one of "
                f"{', '.join(map(repr, AXES))}."
            )
    return first


def _check_losses(losses: Sequence[Any]) -> None:
    if not losses:
        raise TypeError("plot_loss() expects at least one loss, such as plot_loss(nn.HuberLoss())")
    for loss in losses:
        if isinstance(loss, type):
            raise TypeError(
                f"plot_loss() expects losses, got the class {loss.__name__}\nType {loss.__name__}()."
            )
        if not callable(loss):
            raise TypeError(
                f"plot_loss() expects losses (modules or functions), got {type(loss).__name__}\n"
                "For a loss value use study.explain."
            )
        if isinstance(loss, LossFunction) and axis_of(loss) is None:
            raise ValueError(
                f"{label_of(loss)} has no curve of its own, since it wants weights too\n"
                "Draw the module that has them, such as nn.LinearCrossEntropyLoss(3, 3)."
            )


def _checked_span(span: Sequence[float] | None, axis: Axis) -> tuple[float, float]:
    if span is None:
        return axis.span
    low, high = (float(end) for end in span) if len(span) == 2 else (math.nan, math.nan)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"range={span!r} is no range\nGive two numbers, the lower one first: range=(-3, 3).")
    if axis.symbol == "p" and not 0 <= low < high <= 1:
        raise ValueError(f"range={span!r} leaves [0, 1], where probabilities are")
    return low, high


def _check_labels(labels: Sequence[str] | None, losses: Sequence[Any]) -> list[str]:
    if labels is None:
        return [label_of(loss) for loss in losses]
    if len(labels) != len(losses):
        raise ValueError(f"expected a label for each of {len(losses)} losses, got {len(labels)}: {labels!r}")
    return list(labels)


# ------------------------------------------------------------------------------------------- picture
@picture
def plot_loss(
    *losses: Any,
    target: Any = None,
    range: Sequence[float] | None = None,
    axis: str | None = None,
    labels: Sequence[str] | None = None,
    points: int = 401,
    title: str = "",
    path: FileName | None = None,
) -> Figure:
    """The loss of one sample, and its gradient, as curves over the number that the loss is about.

    That is the residual for regressions, the probability for BCELoss, the logit for losses of logits, the
    margin target · score for hinges, the logit of the right class (the others 0) for classifications. The
    gradient is that of backward. Where it jumps, rings show both sides and a dot what backward gives there.

    Args:
        losses: modules such as `nn.HuberLoss(delta=0.5)`, or functions (input, target) -> loss.
        target: the target of the curves; by default each that the axis has, such as 0 and 1 for logits.
        range: the ends of the x axis.
        axis: "residual", "relative", "probability", "logit", "margin" or "class": over which number, where
            it is not the losses' own; a function of your own is drawn over the residual by default.
        labels: what the losses are called; their class and options by default.
        points: how many points a curve has.
        title: the headline.
        path: a .png, .svg or .pdf file to write.

    Raises:
        TypeError: no loss was given, or something that is none.
        ValueError: losses over different axes, an empty range, more losses than can be told apart.
        ImportError: matplotlib is missing.

    Example:
        >>> from minigrad import nn
        >>> from minigrad.study.pictures import plot_loss
        >>> figure = plot_loss(nn.HuberLoss(delta=0.5), nn.SmoothL1Loss(), points=9)
        >>> [line.get_label() for line in figure.axes[0].lines if "Loss" in line.get_label()]
        ['HuberLoss(delta=0.5)', 'SmoothL1Loss()']
    """
    file = checked_file(path)
    _check_losses(losses)
    place = _axis_for(losses, axis)
    if target is not None:
        place = dataclasses.replace(place, targets=((f"target {target}", target),))
    span = _checked_span(range, place)
    names = _check_labels(labels, losses)
    if len(losses) > _MOST_CURVES:
        raise ValueError(
            f"{len(losses)} losses are more than the {_MOST_CURVES} that can be told apart\n"
            "Draw them in several pictures, or all losses by gallery()."
        )
    if points < 3:
        raise ValueError(f"points={points} are too few for a curve; expected at least 3")
    return finish(_draw(place, curves_of(place, losses, names, span, points), title), file)


def _draw(axis: Axis, curves: list[Curve], title: str) -> Figure:
    figure = page(9.0, 4.1 + 0.22 * math.ceil(len(curves) / 3), title)
    left, right = figure.subplots(1, 2)
    left.set_title("loss", loc="left")
    right.set_title(f"gradient  ∂loss/∂{axis.symbol}", loc="left")
    for axes in (left, right):
        axes.set_xlabel(axis.label)
        axes.grid(True)
        zero_line(axes)
        axes.set_xlim(curves[0].x[0], curves[0].x[-1])
    for (colour, dashes), curve in zip(_styles(curves, len(axis.targets)), curves, strict=True):
        draw_curve(left, right, curve, color=colour, linestyle=dashes)
    for axes, values in ((left, [c.loss for c in curves]), (right, [c.gradient for c in curves])):
        limit_to_the_bulk(axes, values)
    _legend(figure, left, any(curve.kinks for curve in curves))
    return figure


def _styles(curves: Sequence[Curve], targets: int) -> list[tuple[str, Any]]:
    """A colour and dashes for each curve; those of one loss share the colour, no two of seven the dashes."""
    if targets == 1:
        return list(LINES[: len(curves)])
    return [(LINES[i // targets][0], LINES[i % len(LINES)][1]) for i in builtins.range(len(curves))]


def _legend(figure: Figure, axes: Axes, kinks: bool) -> None:
    handles, texts = axes.get_legend_handles_labels()
    if kinks:
        white = {"markerfacecolor": "white", "markeredgecolor": INK}
        handles += [marker("sides of a jump", **white), marker("gradient at the jump")]
    widest = max(map(len, texts))
    columns = min(len(handles), 1 if widest > 60 else 2 if widest > 36 else 3)
    columns = min(columns, 2) if len(handles) == 4 else columns  # two by two
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, handlelength=3.2)


def draw_curve(left: Axes | None, right: Axes, curve: Curve, marks: float = 5.0, **style: Any) -> None:
    """One loss: its curve at the left, its gradient, broken where it jumps, at the right."""
    style = {"linewidth": 2.0} | style
    if left is not None:
        left.plot(curve.x, curve.loss, label=curve.label, **style)
    x, slopes = _with_breaks(curve)
    right.plot(x, slopes, label=curve.label, **style)
    colour = style["color"]
    for kink in curve.kinks:
        if left is not None:
            value = float(np.interp(kink.x, curve.x, curve.loss))
            left.plot([kink.x], [value], "o", color=colour, markersize=0.8 * marks)
        ends = ([kink.x] * 2, [kink.before, kink.after])
        right.plot(*ends, color=colour, linewidth=0.9, linestyle=":", zorder=1.5)
        right.plot(*ends, "o", markerfacecolor="white", markeredgecolor=colour, markersize=marks, zorder=3)
        right.plot([kink.x], [kink.at], "o", color=colour, markersize=0.8 * marks, zorder=4)


def _with_breaks(curve: Curve) -> tuple[np.ndarray, np.ndarray]:
    """The gradient's points with both sides of every jump, and a gap between them."""
    x, slopes = curve.x, curve.gradient
    for kink in curve.kinks:
        keep = np.abs(x - kink.x) > 1e-4 * (curve.x[-1] - curve.x[0])
        x, slopes = x[keep], slopes[keep]
        i = int(np.searchsorted(x, kink.x))
        x = np.insert(x, i, [kink.x] * 3)
        slopes = np.insert(slopes, i, [kink.before, math.nan, kink.after])
    return x, slopes


def limit_of(values: np.ndarray) -> float:
    """The largest value, or where to cut off a pole."""
    finite = values[np.isfinite(values)]
    low, high = np.quantile(finite, [0.02, 0.98])
    return float(high if finite.max() - high > 0.3 * (high - low) else finite.max())


def limit_to_the_bulk(axes: Axes, curves: Sequence[np.ndarray]) -> None:
    """Cut off the last steep part of a pole, so that the rest of the curves can be seen."""
    values = np.concatenate(curves)
    values = values[np.isfinite(values)]
    low, high = np.quantile(values, [0.02, 0.98])
    spread = max(high - low, 1e-12)
    if values.max() - high > 1.5 * spread or low - values.min() > 1.5 * spread:
        axes.set_ylim(
            max(values.min(), low - 0.2 * spread) - 0.05 * spread,
            min(values.max(), high + 0.2 * spread) + 0.05 * spread,
        )
    elif values.max() - values.min() < 1e-9:
        axes.set_ylim(values.min() - 1, values.max() + 1)
    axes.tick_params(colors=INK)
