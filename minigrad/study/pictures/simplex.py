"""A loss of three classes on the triangle of their probabilities, with the way that descent takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.autograd.engine import grad
from minigrad.autograd.tape import enable_grad
from minigrad.creation import tensor
from minigrad.nn.losses.classification import CrossEntropyLoss
from minigrad.ops.softmax import log_softmax, softmax
from minigrad.study.pictures.curves import limit_of
from minigrad.study.pictures.setups import fed_with, of_one_sample, wants_distributions
from minigrad.study.pictures.style import (
    FileName,
    as_array,
    checked_file,
    finish,
    label_of,
    note,
    page,
    pale_blues,
    picture,
)
from minigrad.tensor import Tensor
from minigrad.train.pictures import COLOURS, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = np.ndarray[Any, Any]

# Where the three corners of the triangle are in the plane.
CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(3) / 2]])
_ARROW = 0.055  # the longest arrow, in sides of the triangle


def points_inside(side: int, margin: float) -> Array:
    """Probabilities (M, 3) on a regular grid of the triangle, no class below `margin`."""
    i, j = np.meshgrid(np.arange(side + 1), np.arange(side + 1), indexing="ij")
    inside = i + j <= side
    grid = np.stack((i, j, side - i - j), axis=-1)[inside] / side
    return margin + (1 - 3 * margin) * grid


def descent_at(loss: Any, target: Tensor, probabilities: Array) -> tuple[float, Array]:
    """The loss at probabilities (3,), and how fast each moves when the logits follow the negative gradient.

    With z = log p, the logits move by -∂loss/∂z and the probabilities by the Jacobian of softmax times
    that; the Jacobian is symmetric, so that a backward through softmax multiplies with it.
    """
    with enable_grad():
        logits = tensor(np.log(probabilities)[None], requires_grad=True)
        chances = softmax(logits, 1)
        kind = fed_with(loss)
        given = log_softmax(logits, 1) if kind == "log-probabilities" else logits
        value = loss(given, target).sum()
        (slope,) = grad(value, [logits])
        (speed,) = grad(chances, [logits], grad_outputs=-slope)
    return float(value), speed.numpy()[0]


def _checked_target(loss: Any, target: Any) -> Tensor:
    if isinstance(target, Tensor) or np.ndim(target):
        shares = as_array(target).astype(np.float64)
        if shares.shape != (3,) or shares.min() < 0 or abs(shares.sum() - 1) > 1e-6:
            raise ValueError(
                f"target={shares.tolist()} is no distribution over 3 classes\n"
                "Give a class, target=0, or three probabilities whose sum is 1."
            )
        return tensor(shares[None])
    if isinstance(target, bool) or not isinstance(target, (int, np.integer)):
        raise TypeError(f"target is a class or three probabilities, got {type(target).__name__}")
    if not 0 <= target < 3:
        raise IndexError(f"Target {target} is out of bounds.\nThe simplex has 3 classes; expected 0, 1 or 2.")
    if wants_distributions(loss):
        return tensor(np.eye(3)[None, int(target)])
    return tensor([int(target)])


@picture
def plot_simplex(
    loss: Any = None,
    target: int | Sequence[float] = 0,
    *,
    names: Sequence[str] = ("class 0", "class 1", "class 2"),
    side: int = 90,
    path: FileName | None = None,
) -> Figure:
    """The loss over all probabilities of three classes, and where gradient descent moves them.

    A point of the triangle is a distribution, a corner certainty. The arrows are those of a small step
    of the logits against their gradient: for cross entropy the logits move by onehot - p, and p by
    (diag(p) - p pᵀ)(onehot - p), which is little near the corners, where softmax is saturated.

    Args:
        loss: a module or function of logits (1, 3) and a target, `nn.CrossEntropyLoss()` by default;
            NLLLoss, KLDivLoss and JensenShannonLoss are given log-probabilities.
        target: the right class, or three probabilities.
        names: what the classes are called.
        side: how many steps the grid has along a side.
        path: a .png, .svg or .pdf file to write.

    Raises:
        IndexError: no such class.
        TypeError, ValueError: the target is no class and no distribution, or there are not three names.
        ImportError: matplotlib is missing.

    Example:
        >>> from minigrad import nn
        >>> from minigrad.study.pictures import plot_simplex
        >>> figure = plot_simplex(nn.CrossEntropyLoss(label_smoothing=0.1), target=2, side=12)
        >>> figure.axes[0].get_title(loc="left")
        'CrossEntropyLoss(label_smoothing=0.1), target: class 2'
    """
    file = checked_file(path)
    loss = CrossEntropyLoss() if loss is None else loss
    if not callable(loss) or isinstance(loss, type):
        raise TypeError(f"plot_simplex() expects a loss such as nn.CrossEntropyLoss(), got {loss!r}")
    if len(names) != 3:
        raise ValueError(f"expected 3 names, got {len(names)}: {list(names)}")
    if side < 6:
        raise ValueError(f"side={side} is too coarse; expected at least 6")
    wanted = _checked_target(loss, target)
    shown, loss = label_of(loss), of_one_sample(loss)
    surface = points_inside(side, 0.004)
    values = np.array([descent_at(loss, wanted, p)[0] for p in surface])
    feet = points_inside(11, 0.035)
    speeds = np.array([descent_at(loss, wanted, p)[1] for p in feet])

    figure = page(6.6, 6.0)
    axes = figure.subplots()
    what = names[target] if isinstance(target, (int, np.integer)) else _shares(target)
    axes.set_title(f"{shown}, target: {what}", loc="left", pad=22)
    _contours(figure, axes, surface, values)
    _arrows(axes, feet, speeds)
    _triangle(axes, names)
    shares = np.eye(3)[int(target)] if isinstance(target, (int, np.integer)) else as_array(target)
    axes.plot(*(shares @ CORNERS), "*", color="#E69F00", markeredgecolor=INK, markersize=15, zorder=5)
    note(
        figure,
        "★ target     → how the probabilities move in a small step of the logits against their gradient",
    )
    return finish(figure, file)


def _shares(target: Any) -> str:
    return ", ".join(f"{value:g}" for value in as_array(target))


def _contours(figure: Figure, axes: Axes, surface: Array, values: Array) -> None:
    from matplotlib.ticker import MaxNLocator

    x, y = (surface @ CORNERS).T
    top = limit_of(values)
    levels: Any = MaxNLocator(12, steps=[1, 2, 2.5, 5, 10]).tick_values(values.min(), top)
    levels = levels[levels <= top + 1e-12] if values.max() > top else levels
    shades = axes.tricontourf(x, y, values, levels=levels, cmap=pale_blues(), extend="max")
    axes.tricontour(x, y, values, levels=levels, colors="#5b7fa6", linewidths=0.6)
    bar = figure.colorbar(shades, ax=axes, fraction=0.04, pad=0.02, shrink=0.8)
    bar.set_label("loss")
    bar.outline.set_visible(False)


def _arrows(axes: Any, feet: Array, speeds: Array) -> None:
    moves = speeds @ CORNERS
    longest = np.hypot(*moves.T).max()
    starts = feet @ CORNERS
    axes.scatter(*starts.T, s=5, color=INK, zorder=3)
    if longest > 0:
        moves = moves * (_ARROW / longest)
        axes.quiver(
            *starts.T, *moves.T, angles="xy", scale_units="xy", scale=1, color=INK, width=0.0045, zorder=3
        )


def _triangle(axes: Axes, names: Sequence[str]) -> None:
    axes.plot(*CORNERS[[0, 1, 2, 0]].T, color=INK, linewidth=1.2)
    places = (("center", "top", -0.025), ("center", "top", -0.025), ("center", "bottom", 0.02))
    for k, (across, up, shift) in enumerate(places):
        x, y = CORNERS[k]
        axes.text(x, y + shift, names[k], ha=across, va=up, color=COLOURS[k], fontweight="bold")
    axes.set_aspect("equal")
    axes.set_axis_off()
