"""Weights and gradients over time: a recorder that counts them as a training goes, and their picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.nn.module import Module
from minigrad.study.pictures.style import (
    FileName,
    as_array,
    checked_file,
    choose,
    finish,
    note,
    page,
    parameters_of,
    picture,
    require_module,
)
from minigrad.train.loop import snapshot
from minigrad.train.pictures import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = np.ndarray[Any, Any]

_ROWS = 60  # of a heat map
_WIDE = 15  # from here on, relative to the usual size, small values could not be seen on a linear axis
_MOST = 12  # parameters in one picture


@dataclass(frozen=True)
class Histogram:
    """How many of a tensor's finite elements are in each bin, and how many elements are not finite."""

    counts: Array
    edges: Array
    not_finite: int = 0

    def shares(self, edges: Array) -> Array:
        """The share of the elements in other bins, those of one bin counted as spread evenly in it."""
        total = self.counts.sum()
        if total == 0:
            return np.zeros(len(edges) - 1)
        below = np.concatenate(([0.0], np.cumsum(self.counts))) / total
        return np.diff(np.interp(edges, self.edges, below))


def histogram_of(values: Array, bins: int) -> Histogram:
    """The histogram of an array, over its own range."""
    flat = values.astype(np.float64).ravel()
    finite = flat[np.isfinite(flat)]
    if finite.size and np.ptp(finite) == 0:  # numpy would widen the range to 1
        width = max(abs(finite[0]) * 1e-3, 1e-12)
        edges = np.linspace(finite[0] - width, finite[0] + width, bins + 1)
        return Histogram(np.histogram(finite, edges)[0], edges, flat.size - finite.size)
    counts, edges = np.histogram(finite, bins)
    return Histogram(counts, edges, flat.size - finite.size)


class Recorder:
    """Collects histograms of a model's weights and gradients, step by step.

    Call `record()` after `loss.backward()` and before `optimizer.step()`. A parameter without a gradient
    has None at that step.

    Args:
        model: the model in training.
        bins: how many bins a histogram has.
        every: of how many calls one is recorded.
        keep_weights: whether to keep copies of all weights too, as `trajectory` (for `plot_landscape`).

    Raises:
        TypeError: no model was given.
        ValueError: the model has no parameters, or `bins` or `every` is below 1.

    Example:
        >>> import minigrad
        >>> from minigrad.study.pictures import Recorder
        >>> _ = minigrad.manual_seed(0)
        >>> model = minigrad.nn.Linear(3, 1)
        >>> recorder = Recorder(model)
        >>> for step in range(4):
        ...     model(minigrad.ones(2, 3)).sum().backward()
        ...     recorder.record()
        >>> recorder.steps
        [0, 1, 2, 3]
        >>> int(recorder.gradients["weight"][0].counts.sum())
        3
    """

    def __init__(self, model: Module, bins: int = 64, every: int = 1, keep_weights: bool = False) -> None:
        require_module("Recorder", model)
        for name, value in (("bins", bins), ("every", every)):
            if value < 1:
                raise ValueError(f"{name}={value} is too small; expected at least 1")
        self.model, self.bins, self.every, self.keep_weights = model, bins, every, keep_weights
        names = list(parameters_of(model))
        self.steps: list[int] = []
        self.weights: dict[str, list[Histogram]] = {name: [] for name in names}
        self.gradients: dict[str, list[Histogram | None]] = {name: [] for name in names}
        self.trajectory: list[dict[str, Any]] = []
        self._calls = 0

    def record(self) -> None:
        """Count the weights and gradients as they are now."""
        call, self._calls = self._calls, self._calls + 1
        if call % self.every:
            return
        self.steps.append(call)
        for name, parameter in self.model.named_parameters():
            if name not in self.weights:
                raise RuntimeError(
                    f"the model has a parameter {name!r} that it had not before: make a new Recorder"
                )
            self.weights[name].append(histogram_of(as_array(parameter), self.bins))
            slope = parameter.grad
            self.gradients[name].append(None if slope is None else histogram_of(as_array(slope), self.bins))
        if self.keep_weights:
            self.trajectory.append(snapshot(self.model))


# -------------------------------------------------------------------------------------------- picture
@picture
def plot_histograms(
    recorder: Recorder,
    *,
    parameters: Sequence[str] | None = None,
    title: str = "",
    path: FileName | None = None,
) -> Figure:
    """How weights (left) and gradients (right) are distributed, over the recorded steps.

    Each column of a heat map is the histogram of one step, darker where more elements are; the line is
    the root of their mean square. The values span what all but 1 % of the elements need, on an asinh scale
    (linear near 0, logarithmic far from it) where that is far more than most steps need.

    Args:
        recorder: a `Recorder` with at least two recorded steps.
        parameters: names of the parameters to draw; by default the first twelve.
        title: the headline.
        path: a .png, .svg or .pdf file to write.

    Raises:
        TypeError: no recorder was given.
        ValueError: fewer than two steps were recorded, or there is no parameter of a name.
        ImportError: matplotlib is missing.

    Example:
        >>> import minigrad
        >>> from minigrad.study.pictures import Recorder, plot_histograms
        >>> model = minigrad.nn.Linear(3, 1)
        >>> recorder = Recorder(model)
        >>> for step in range(4):
        ...     model(minigrad.ones(2, 3)).sum().backward()
        ...     recorder.record()
        >>> figure = plot_histograms(recorder, parameters=["weight"])
        >>> [axes.get_title(loc="left") for axes in figure.axes[:2]]
        ['weight', 'gradient of weight']
    """
    file = checked_file(path)
    if not isinstance(recorder, Recorder):
        raise TypeError(f"plot_histograms() expects a Recorder, got {type(recorder).__name__}")
    if len(recorder.steps) < 2:
        raise ValueError(
            f"the recorder has {len(recorder.steps)} of at least 2 steps\n"
            "Call recorder.record() after each loss.backward()."
        )
    named = dict(recorder.weights)
    names = list(named)[:_MOST] if parameters is None else list(choose(named, parameters))
    if not names:
        raise ValueError("parameters=[] leaves nothing to draw")
    figure = page(9.6, 1.75 * len(names) + 0.9, title)
    grid = figure.subplots(len(names), 2, squeeze=False, sharex=True)
    image: Any = None
    for (left, right), name in zip(grid, names, strict=True):
        image = _heat_map(left, recorder.steps, recorder.weights[name], name)
        _heat_map(right, recorder.steps, recorder.gradients[name], f"gradient of {name}")
    for axes in grid[-1]:
        axes.set_xlabel("step")
    bar = figure.colorbar(image, ax=grid, fraction=0.02, pad=0.01, aspect=40, ticks=[0, 1])
    bar.ax.set_yticklabels(["none", "most"])
    bar.set_label("elements", labelpad=-14)
    bar.outline.set_visible(False)
    rest = len(named) - len(names)
    more = f"   ({rest} more parameters are not drawn)" if rest and parameters is None else ""
    note(figure, "orange: ± root mean square" + more)
    return finish(figure, file)


def span_of(histograms: Sequence[Histogram | None]) -> tuple[float, float]:
    """The values between which all but 1 % of the elements of all steps are."""
    ends = []
    for histogram in histograms:
        if histogram is not None and histogram.counts.sum():
            below = np.concatenate(([0.0], np.cumsum(histogram.counts))) / histogram.counts.sum()
            ends.append(np.interp((0.005, 0.995), below, histogram.edges))
    if not ends:
        return -1.0, 1.0
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    margin = max(0.06 * (high - low), 1e-12)
    return float(low - margin), float(high + margin)


def _heat_map(axes: Axes, steps: list[int], histograms: Sequence[Histogram | None], title: str) -> Any:
    low, high = span_of(histograms)
    width = _linear_width(histograms)
    wide = max(-low, high) > _WIDE * width > 0
    if wide:
        axes.set_yscale("asinh", linear_width=width)
        edges = width * np.sinh(np.linspace(np.arcsinh(low / width), np.arcsinh(high / width), _ROWS + 1))
        axes.set_yticks(_decades(width, low, high))
        axes.minorticks_off()
        title += "  (asinh scale)"
    else:
        edges = np.linspace(low, high, _ROWS + 1)
    empty = np.zeros(_ROWS)
    shares = np.array([empty if h is None else h.shares(edges) for h in histograms]).T
    tops = shares.max(axis=0, keepdims=True)
    shades = np.sqrt(np.divide(shares, tops, out=np.zeros_like(shares), where=tops > 0))
    step = steps[1] - steps[0]
    times = np.append(steps, steps[-1] + step) - step / 2
    image = axes.pcolormesh(times, edges, shades, cmap="Blues", vmin=0, vmax=1, rasterized=True)
    _root_mean_square(axes, steps, histograms)
    axes.set_title(title, loc="left", fontsize=9.5)
    axes.set_ylim(low, high)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", "−"))
    axes.tick_params(labelsize=8)
    if low < 0 < high:
        axes.axhline(0, color=INK, linewidth=0.5)
    _say_what_is_missing(axes, histograms)
    return image


def _decades(width: float, low: float, high: float) -> list[float]:
    """0 and the powers of ten that are far enough from it on an asinh scale."""
    first, last = np.ceil(np.log10(2 * width)), np.floor(np.log10(max(-low, high)))
    powers = [10.0**k for k in np.arange(first, last + 1)]
    return [v for v in (*(-p for p in reversed(powers)), 0.0, *powers) if low <= v <= high]


def _size(histogram: Histogram | None) -> float:
    """The root mean square of the elements."""
    if histogram is None or not histogram.counts.sum():
        return float("nan")
    centres = (histogram.edges[1:] + histogram.edges[:-1]) / 2
    return float(np.sqrt((histogram.counts * centres**2).sum() / histogram.counts.sum()))


def _linear_width(histograms: Sequence[Histogram | None]) -> float:
    """What is small among the values: the median over the steps of their root mean squares."""
    sizes = [size for size in map(_size, histograms) if np.isfinite(size)]
    return float(np.median(sizes)) if sizes else 0.0


def _root_mean_square(axes: Axes, steps: list[int], histograms: Sequence[Histogram | None]) -> None:
    sizes = np.array([_size(histogram) for histogram in histograms])
    for sign in (1, -1):
        axes.plot(steps, sign * sizes, color="#D55E00", linewidth=1.2)


def _say_what_is_missing(axes: Axes, histograms: Sequence[Histogram | None]) -> None:
    missing = sum(histogram is None for histogram in histograms)
    broken = sum(histogram is not None and histogram.not_finite > 0 for histogram in histograms)
    parts = [f"no gradient in {missing} of {len(histograms)} steps"] if missing else []
    parts += [f"nan or inf in {broken} of {len(histograms)} steps"] if broken else []
    if parts:
        axes.set_title("; ".join(parts), loc="right", fontsize=8, color="#B03A00")
