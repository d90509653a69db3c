"""Where a model of two features decides for which class, and where each sample's loss grows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.autograd.engine import grad
from minigrad.autograd.tape import enable_grad, no_grad
from minigrad.creation import tensor
from minigrad.nn.module import Module
from minigrad.ops.softmax import softmax
from minigrad.study.pictures.setups import fed_with
from minigrad.study.pictures.style import (
    FileName,
    as_array,
    checked_file,
    finish,
    label_of,
    marker,
    page,
    picture,
    require_module,
)
from minigrad.tensor import Tensor
from minigrad.train.pictures import COLOURS, INK, MARKERS, class_background, frame_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = np.ndarray[Any, Any]

_ARROW = 0.11  # the longest arrow, in widths of the picture
_MOST_ROWS = 4096  # of the grid that the model is asked for at once


def input_gradients(model: Module, x: Array, y: Array, loss: Any, dtype: Any) -> tuple[Array, Array]:
    """Each sample's loss, and its gradient with respect to the sample's input, one sample at a time."""
    losses, slopes = np.empty(len(x)), np.empty(x.shape)
    for i in range(len(x)):
        with enable_grad():
            leaf = tensor(x[i : i + 1], dtype=dtype, requires_grad=True)
            output = model(leaf)
            value = loss(output, _target_for(output, y[i : i + 1])).sum()
            (slope,) = grad(value, [leaf], allow_unused=True)
        losses[i] = float(value)
        slopes[i] = 0.0 if slope is None else slope.numpy()[0]
    return losses, slopes


def _target_for(output: Tensor, y: Array) -> Tensor:
    """The target of one sample as its loss wants it: an index for scores of classes, else like the output."""
    if output.ndim == 2 and output.shape[1] > 1 and y.ndim == 1:
        return tensor(y.astype(np.int64))
    return tensor(y.reshape(tuple(output.shape)), dtype=output.dtype)


def class_shares(model: Module, points: Array, kind: str, dtype: Any) -> Array:
    """The model's probabilities (N, K) at points of the plane; for signed scores their sigmoid."""
    parts = []
    with no_grad():
        for start in range(0, len(points), _MOST_ROWS):
            output = model(tensor(points[start : start + _MOST_ROWS], dtype=dtype))
            if output.ndim == 2 and output.shape[1] > 1:
                share = output.exp() if kind == "log-probabilities" else softmax(output, 1)
                parts.append(share.numpy())
                continue
            chance = output if kind == "probabilities" else output.sigmoid()
            p = chance.numpy().reshape(-1)
            parts.append(np.stack((1 - p, p), axis=1))
    return np.concatenate(parts).astype(np.float64)


def _classes_of(y: Array, kind: str) -> Array:
    labels = y.reshape(len(y), -1)[:, 0] if y.ndim > 1 and y.shape[1] == 1 else y
    if labels.ndim > 1:
        return labels.argmax(axis=1)
    return (labels > 0).astype(np.int64) if kind == "signed scores" else np.rint(labels).astype(np.int64)


def _checked(model: Any, x: Any, y: Any, loss: Any) -> tuple[Array, Array]:
    require_module("plot_boundary", model)
    if not callable(loss) or isinstance(loss, type):
        raise TypeError(f"plot_boundary() expects a loss such as nn.BCEWithLogitsLoss(), got {loss!r}")
    points, labels = as_array(x), as_array(y)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ValueError(
            f"x has shape {list(points.shape)}; expected (N, 2): a boundary is drawn in the plane of two "
            "features"
        )
    if len(labels.shape) == 0 or len(labels) != len(points):
        raise ValueError(f"x has {len(points)} samples, y has shape {list(labels.shape)}; expected one each")
    if not np.isfinite(points).all():
        raise ValueError("x has elements that are nan or inf")
    return points, labels


@picture
def plot_boundary(
    model: Module,
    x: Any,
    y: Any,
    loss: Any,
    *,
    names: tuple[str, str] = ("x₁", "x₂"),
    resolution: int = 160,
    title: str = "",
    path: FileName | None = None,
) -> Figure:
    """The decision boundary of a model, with an arrow at each sample: the gradient of its loss to its input.

    The arrow says in which direction the sample's own loss grows fastest, its length how fast: for most
    losses it points towards the boundary where the sample is right, and deeper into the wrong side where it
    is wrong. The model is asked in evaluation mode, and left in the mode it was in.

    Args:
        model: from (N, 2) to logits (N,), (N, 1) or (N, K) - or to what the loss wants.
        x: samples, (N, 2).
        y: their targets: classes, 0 and 1, or -1 and +1 for losses of signed scores.
        loss: the loss, of one sample at a time, so that it does not matter how it reduces.
        names: of the two features.
        resolution: points along each side of the grid on which the model is asked.
        title: the headline.
        path: a .png, .svg or .pdf file to write.

    Raises:
        TypeError: the model or the loss is none.
        ValueError: the samples are not of two features, the targets are not one each, or there are more
            classes than colours.
        ImportError: matplotlib is missing.

    Example:
        >>> import minigrad
        >>> from minigrad.study.pictures import plot_boundary
        >>> _ = minigrad.manual_seed(0)
        >>> model, x = minigrad.nn.Linear(2, 1), minigrad.randn(8, 2)
        >>> y = (x[:, 0] > 0).float()
        >>> figure = plot_boundary(model, x, y, minigrad.nn.BCEWithLogitsLoss(), resolution=20)
        >>> figure.axes[0].get_xlabel()
        'x₁'
    """
    file = checked_file(path)
    points, labels = _checked(model, x, y, loss)
    if resolution < 2:
        raise ValueError(f"resolution={resolution} is too small; expected at least 2")
    dtype = next((p.dtype for p in model.parameters()), tensor(0.0).dtype)
    kind = fed_with(loss)
    classes = _classes_of(labels, kind)
    low, high = frame_of(points)
    xs, ys = (np.linspace(low[i], high[i], resolution) for i in (0, 1))
    grid = np.stack(np.meshgrid(xs, ys), axis=-1)
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        share = class_shares(model, grid.reshape(-1, 2), kind, dtype)
        guessed = class_shares(model, points, kind, dtype).argmax(axis=1)
        _, slopes = input_gradients(model, points, labels, loss, dtype)
    finally:
        for module, mode in modes:
            module.training = mode
    count = max(share.shape[1], int(classes.max()) + 1)
    if count > len(COLOURS):
        raise ValueError(f"there are {count} classes; at most {len(COLOURS)} can be told apart")

    size = high - low
    figure = page(6.6, min(max(5.4 * size[1] / size[0], 3.0), 8.0) + 1.1)
    axes: Any = figure.subplots()
    axes.set_title(title or f"{type(model).__name__} with {label_of(loss)}", loc="left")
    class_background(axes, xs, ys, share.reshape(resolution, resolution, -1))
    for k in range(count):
        mine = points[classes == k]
        axes.scatter(
            *mine.T, s=24, marker=MARKERS[k], color=COLOURS[k], edgecolors=INK, linewidths=0.5, zorder=3
        )
    wrong = points[guessed != classes]
    axes.scatter(*wrong.T, s=120, facecolors="none", edgecolors=INK, linewidths=1.4, zorder=3)
    longest = np.hypot(*slopes.T).max()
    if longest > 0:
        arrows = slopes * (_ARROW * size[0] / longest)
        axes.quiver(
            *points.T, *arrows.T, angles="xy", scale_units="xy", scale=1, color=INK, width=0.0032, zorder=4
        )
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xlabel=names[0], ylabel=names[1])
    axes.set_aspect("equal")
    _legend(figure, kind, count, len(wrong), float(longest))
    return finish(figure, file)


def _legend(figure: Figure, kind: str, count: int, wrong: int, longest: float) -> None:
    titles = ("−1", "+1") if kind == "signed scores" else [str(k) for k in range(count)]
    handles = [
        marker(f"class {name}", MARKERS[k], color=COLOURS[k], markeredgecolor=INK, markersize=6)
        for k, name in enumerate(titles)
    ]
    ring: dict[str, Any] = {"markerfacecolor": "none", "markeredgecolor": INK, "markersize": 10}
    handles.append(marker(f"misclassified ({wrong})", **ring))
    handles.append(
        marker(f"where its loss grows, ∂loss/∂input (longest {longest:.2g})", "$\\rightarrow$", markersize=12)
    )
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 4), columnspacing=1.3)
