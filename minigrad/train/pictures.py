"""Pictures of a training: learning curves, decision boundary, confusion matrix.

Each function returns a matplotlib figure; `png` renders it. Nothing here opens a window or depends
on the user's matplotlib settings. The colours are Okabe and Ito's, which stay apart for
colour-blind readers, and classes differ by marker too.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.train.loop import Epoch
from minigrad.train.tasks import Data

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = np.ndarray[Any, Any]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "^", "s", "D", "v", "P")
INK, PALE = "#222222", "#888888"
STYLE = {
    "figure.dpi": 150,
    "savefig.dpi": 150,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.edgecolor": PALE,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.7,
    "legend.frameon": False,
}


@contextmanager
def our_style() -> Iterator[None]:
    """What is drawn here is drawn in our style, whatever the user's settings are."""
    import matplotlib

    settings: Any = dict(matplotlib.rcParamsDefault) | STYLE
    settings.pop("backend")  # rc_context would not restore it
    with matplotlib.rc_context(settings):
        yield


def png(draw: Callable[[], Figure]) -> bytes:
    """Draw a figure in our style and render it as PNG."""
    with our_style():
        buffer = io.BytesIO()
        draw().savefig(buffer, format="png", bbox_inches="tight", pad_inches=0.15)
        return buffer.getvalue()


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches, which belongs to no window."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


# ---------------------------------------------------------------------------- learning curves
def learning_curves(title: str, loss_name: str, history: Sequence[Epoch]) -> Figure:
    """Loss (logarithmic) and accuracy over the epochs, on training and held-out data."""
    figure = new_figure(9.0, 3.8)
    figure.suptitle(title, fontsize=12)
    left, right = figure.subplots(1, 2)
    epochs = [epoch.number for epoch in history]
    for axes in (left, right):
        axes.set_xlabel("epoch (passes over the training data)")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(True)

    left.set_title("loss", loc="left")
    left.set_ylabel(f"{loss_name}\n(mean over samples, nats)")
    losses = [e.train.loss for e in history], [e.held_out.loss for e in history]
    two_curves(left, epochs, *losses)
    if min(map(min, losses)) > 0:
        left.set_yscale("log")
        plain_decades(left)

    right.set_title("accuracy", loc="left")
    right.set_ylabel("samples classified correctly (%)")
    train = [100 * e.train.accuracy for e in history]
    two_curves(right, epochs, train, [100 * e.held_out.accuracy for e in history])
    lowest = right.get_ylim()[0]
    right.set_ylim(lowest, 100 + 0.04 * max(1.0, 100 - lowest))
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def two_curves(axes: Axes, epochs: Sequence[float], training: list[float], held_out: list[float]) -> None:
    """What was measured on training and on held-out data, epoch by epoch."""
    style: dict[str, Any] = {"linewidth": 1.8, "markersize": 5}
    if len(epochs) <= 15:
        style["marker"] = "o"
    name = "training (mean during the epoch)"
    axes.plot(epochs, training, "-", color=COLOURS[0], label=name, **style)
    name = "held out (at the end of the epoch)"
    axes.plot(epochs, held_out, "--", color=COLOURS[1], label=name, **style)
    axes.margins(x=0.02)


def plain_decades(axes: Axes) -> None:
    """0.1 rather than 10⁻¹ on a logarithmic axis, with labels at 1, 2 and 5."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=20))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_formatter(NullFormatter())


# -------------------------------------------------------------------------- decision boundary
def decision_boundary(
    title: str, data: Data, probabilities: Callable[[Array], Array], resolution: int = 400
) -> Figure:
    """Where in the plane the model decides for which class, with all samples.

    Args:
        title: the headline.
        data: a data set of two features.
        probabilities: gives the class probabilities (N, K) of standardised features (N, 2).
        resolution: points along each side of the grid on which the model is asked.
    """
    train, held_out = data.restore(data.train_features), data.restore(data.held_out_features)
    low, high = frame_of(np.concatenate((train, held_out)))
    width, height = high - low
    figure = new_figure(7.0, 6.3 * height / width + 1.3)
    axes = figure.subplots()
    axes.set_title(title, loc="left")
    xs, ys = (np.linspace(low[i], high[i], resolution) for i in (0, 1))
    grid = np.stack(np.meshgrid(xs, ys), axis=-1)
    # Ten rows at a time: parallel kernels, which are used for nothing else here, take longer to compile.
    blocks = [grid[row : row + 10].reshape(-1, 2) for row in range(0, resolution, 10)]
    share = np.concatenate([probabilities(data.standardise(block)) for block in blocks])
    class_background(axes, xs, ys, share.reshape(resolution, resolution, -1))

    _classes(axes, train, data.train_labels, s=9, alpha=0.45, linewidths=0)
    _classes(axes, held_out, data.held_out_labels, s=36, edgecolors=INK, linewidths=0.8)
    guessed = probabilities(data.held_out_features).argmax(axis=1)
    x, y = held_out[guessed != data.held_out_labels].T
    axes.scatter(x, y, s=190, facecolors="none", edgecolors=INK, linewidths=1.8)
    axes.set_xlabel(data.feature_names[0])
    axes.set_ylabel(data.feature_names[1])
    axes.set_aspect("equal")
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    _point_legend(figure, data.class_names, len(x))
    return figure


def _classes(axes: Axes, points: Array, labels: Array, **style: Any) -> None:
    for k in range(labels.max() + 1):
        x, y = points[labels == k].T
        axes.scatter(x, y, marker=MARKERS[k], color=COLOURS[k], **style)


def _point_legend(figure: Figure, names: Sequence[str], wrong: int) -> None:
    """The classes in one row; below them what sizes, ring and line mean."""
    from matplotlib.lines import Line2D

    def point(label: str, size: float, **style: Any) -> Line2D:
        return Line2D([], [], linestyle="none", label=label, markersize=size, **style)

    ring = {"marker": "o", "markerfacecolor": "none", "markeredgecolor": INK}
    classes = [
        point(name, 7, marker=MARKERS[k], color=COLOURS[k], markeredgecolor=INK)
        for k, name in enumerate(names)
    ]
    kinds = [
        point("training", 3.5, marker="o", color=PALE),
        point("held out", 6.5, **ring),
        point(f"misclassified ({wrong} held out)", 12, markeredgewidth=1.8, **ring),
        Line2D([], [], color=INK, linewidth=1.3, label="decision boundary"),
    ]
    while len(classes) < len(kinds):
        classes.append(point("", 0))
    columns = [entry for pair in zip(classes, kinds, strict=True) for entry in pair]
    figure.legend(handles=columns, ncols=len(kinds), loc="outside lower center", columnspacing=1.4)


def frame_of(points: Array) -> tuple[Array, Array]:
    """The lower left and the upper right corner of a frame around points in the plane."""
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.08 * (high - low).max()
    return low - margin, high + margin


def class_background(axes: Axes, xs: Array, ys: Array, share: Array) -> None:
    """Each class's colour, as strong as its probability, and a line where the decision changes."""
    from matplotlib.colors import to_rgb

    colours = np.array([to_rgb(COLOURS[k]) for k in range(share.shape[-1])])
    tint = 1.0 - 0.32 * (1.0 - share @ colours)
    extent = (xs[0], xs[-1], ys[0], ys[-1])
    axes.imshow(tint, origin="lower", extent=extent, interpolation="bilinear", aspect="auto")
    for k in range(share.shape[-1]):
        lead = share[..., k] - np.delete(share, k, axis=-1).max(axis=-1)
        if lead.min() < 0 < lead.max():
            axes.contour(xs, ys, lead, levels=[0.0], colors=INK, linewidths=1.3)


# --------------------------------------------------------------------------- confusion matrix
def confusion_matrix(title: str, labels: Array, guessed: Array, names: Sequence[str]) -> Figure:
    """How many samples of each true class (rows) the model took for which class (columns)."""
    counts = np.zeros((len(names), len(names)), np.int64)
    np.add.at(counts, (labels, guessed), 1)
    share = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)

    crowded = len(names) > 4
    figure = new_figure(6.8, 6.0) if crowded else new_figure(5.8, 4.8)
    axes = figure.subplots()
    axes.set_title(title, loc="left")
    image = axes.imshow(share, cmap="Blues", vmin=0, vmax=100)
    bar = figure.colorbar(image, ax=axes, fraction=0.046, pad=0.03)
    bar.set_label("share of the true class (%)")
    bar.outline.set_visible(False)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            colour = "white" if share[row, column] > 55 else INK
            text = str(count) if crowded else f"{count}\n{share[row, column]:.1f} %"
            axes.text(column, row, text, ha="center", va="center", color=colour)
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    axes.spines[:].set_visible(False)
    axes.set_xticks(np.arange(1, len(names)) - 0.5, minor=True)
    axes.set_yticks(np.arange(1, len(names)) - 0.5, minor=True)
    axes.grid(which="minor", color="#cccccc", linewidth=0.8)
    axes.tick_params(which="both", length=0)
    return figure
