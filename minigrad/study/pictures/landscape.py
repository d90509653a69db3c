"""The loss around the weights: along filter-normalised random directions, or along a training's own.

As in H. Li et al., "Visualizing the Loss Landscape of Neural Nets", NeurIPS 2018: a random direction is
scaled filter by filter to the norm of the filter's weights, so that pictures of different networks can be
compared although rescaling their layers changes nothing; what has one dimension (biases, the scales and
shifts of normalisations) does not move. With a training's path the directions are its two principal
components, in which all parameters take part.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.autograd.tape import no_grad
from minigrad.creation import tensor
from minigrad.nn.module import Module
from minigrad.study.pictures.curves import limit_of
from minigrad.study.pictures.style import (
    FileName,
    as_array,
    checked_file,
    finish,
    page,
    pale_blues,
    parameters_of,
    picture,
    require_module,
)
from minigrad.train.loop import snapshot
from minigrad.train.pictures import COLOURS, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = np.ndarray[Any, Any]
Weights = dict[str, Array]

_MARGIN = 0.2  # around a path, relative to its extent


@dataclass(frozen=True)
class Slice:
    """Losses on a grid of steps along one or two directions from a centre.

    `losses` has a row for each step along the second direction. `path` are the coordinates of recorded
    weights (K, dims), the last of them the centre; `kept` is the share of the path's variance in them.
    """

    steps: tuple[Array, ...]
    losses: Array
    path: Array | None = None
    path_losses: Array | None = None
    kept: tuple[float, ...] = ()


# ----------------------------------------------------------------------------------------- directions
def filter_normalised(weights: Weights, rng: np.random.Generator) -> Weights:
    """A random direction in which each filter is as long as the filter's weights, and 1-d parameters stay.

    A filter is what makes one output: a row of a matrix, the kernel of one output channel.
    """
    direction = {}
    for name, value in weights.items():
        if value.ndim < 2:
            direction[name] = np.zeros_like(value)
            continue
        drawn = np.asarray(rng.standard_normal(value.shape))
        axes = tuple(range(1, value.ndim))
        length = np.sqrt((drawn**2).sum(axis=axes, keepdims=True))
        direction[name] = drawn / length * np.sqrt((value**2).sum(axis=axes, keepdims=True))
    return direction


def principal_directions(
    path: Sequence[Weights], dims: int
) -> tuple[list[Weights], Array, tuple[float, ...]]:
    """The path's principal directions (of length 1), its coordinates along them, and the variance they keep.

    The components are those of the differences to the last weights, from which the coordinates count.
    """
    final = _flat(path[-1])
    moves = np.stack([_flat(weights) - final for weights in path])
    _, lengths, rows = np.linalg.svd(moves, full_matrices=False)
    rows, lengths = rows[:dims], lengths[:dims]
    moving = lengths > 1e-12 * lengths[0]
    while moving.sum() < dims:  # a straight path leaves the second direction free
        rows = np.concatenate((rows[moving], _orthogonal_to(rows[0])))
        lengths, moving = np.array([lengths[0], 0.0]), np.array([True] * dims)
    signs = np.where((moves[0] @ rows.T) * np.array([1.0, -1.0])[:dims] > 0, -1.0, 1.0)
    rows = rows * signs[:, None]  # the path starts at the upper left
    kept = tuple(float(x) for x in lengths**2 / (moves**2).sum())
    return [_shaped(row, path[-1]) for row in rows], moves @ rows.T, kept


def _orthogonal_to(row: Array) -> Array:
    drawn = np.random.default_rng(0).standard_normal(len(row))
    drawn = drawn - row * (row @ drawn)
    return (drawn / np.linalg.norm(drawn))[None]


def _flat(weights: Weights) -> Array:
    return np.concatenate([value.ravel() for value in weights.values()])


def _shaped(row: Array, like: Weights) -> Weights:
    ends = np.cumsum([value.size for value in like.values()])[:-1]
    parts = np.split(row, ends)
    return {name: part.reshape(like[name].shape) for (name, part) in zip(like, parts, strict=True)}


# -------------------------------------------------------------------------------------------- the grid
@contextmanager
def _restored(model: Module) -> Iterator[None]:
    """Whatever happens to parameters and buffers, they are as before in the end."""
    saved = snapshot(model)
    try:
        with no_grad():
            yield
    finally:
        with no_grad():
            for name, value in model.state_dict().items():
                value.copy_(saved[name])


def _load(model: Module, weights: Weights, buffers: Mapping[str, Any]) -> None:
    for name, parameter in model.named_parameters():
        parameter.copy_(tensor(weights[name], dtype=parameter.dtype))
    for name, buffer in model.named_buffers():
        buffer.copy_(buffers[name])


def _loss_at(
    model: Module, closure: Callable[[], Any], weights: Weights, buffers: Mapping[str, Any]
) -> float:
    _load(model, weights, buffers)
    value = as_array(closure())
    if value.size != 1:
        raise ValueError(
            f"loss_closure returned {value.size} numbers, of shape {list(value.shape)}; expected the loss, "
            "one number"
        )
    return float(value.reshape(()))


def slice_of(
    model: Module,
    closure: Callable[[], Any],
    trajectory: Sequence[Mapping[str, Any]] | None,
    dims: int,
    span: float,
    points: int,
    seed: int,
) -> Slice:
    """The losses around the model's weights, or around the last weights of a trajectory."""
    # Buffers are put back before every evaluation: a closure in training mode moves running statistics.
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    with _restored(model):
        if trajectory is None:
            centre = {name: as_array(p).astype(np.float64) for name, p in model.named_parameters()}
            rng = np.random.default_rng(seed)
            directions = [filter_normalised(centre, rng) for _ in range(dims)]
            steps = (np.linspace(-span, span, points),) * dims
            return Slice(steps, _grid(model, closure, centre, directions, steps, buffers))
        path = [_recorded(model, weights, k) for k, weights in enumerate(trajectory)]
        if len({_flat(weights).tobytes() for weights in path}) == 1:
            raise ValueError(
                "the recorded weights are all the same\nstate_dict() gives the live weights; record copies: "
                "{name: value.clone() for name, value in model.state_dict().items()}."
            )
        buffers |= {name: value for name, value in trajectory[-1].items() if name in buffers}
        directions, coordinates, kept = principal_directions(path, dims)
        steps = _around(coordinates, points)
        losses = _grid(model, closure, path[-1], directions, steps, buffers)
        along = np.array([_loss_at(model, closure, weights, buffers) for weights in path])
        return Slice(steps, losses, coordinates, along, kept)


def _around(coordinates: Array, points: int) -> tuple[Array, ...]:
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    # A path that hardly bends still gets a frame that is not all width.
    extent = high - low
    room = np.maximum(_MARGIN * extent, 0.35 * extent.max() * (extent < 0.4 * extent.max()))
    return tuple(np.linspace(a, b, points) for a, b in zip(low - room, high + room, strict=True))


def _grid(
    model: Module,
    closure: Callable[[], Any],
    centre: Weights,
    directions: Sequence[Weights],
    steps: tuple[Array, ...],
    buffers: Mapping[str, Any],
) -> Array:
    losses = []
    for moves in itertools.product(*reversed(steps)):
        moved = {
            name: value + sum(a * d[name] for a, d in zip(reversed(moves), directions, strict=True))
            for name, value in centre.items()
        }
        losses.append(_loss_at(model, closure, moved, buffers))
    return np.array(losses).reshape([len(s) for s in reversed(steps)])


def _recorded(model: Module, weights: Any, place: int) -> Weights:
    if not isinstance(weights, Mapping):
        raise TypeError(
            f"trajectory[{place}] is {type(weights).__name__}; expected a dict of weights by name, a copy of "
            "model.state_dict()"
        )
    found: Weights = {}
    for name, parameter in model.named_parameters():
        if name not in weights:
            raise ValueError(f"trajectory[{place}] lacks the parameter {name!r} of the model")
        value = as_array(weights[name]).astype(np.float64)
        if value.shape != tuple(parameter.shape):
            raise ValueError(
                f"trajectory[{place}][{name!r}] has shape {list(value.shape)}; the model's is "
                f"{list(parameter.shape)}"
            )
        found[name] = value
    return found


# -------------------------------------------------------------------------------------------- picture
@picture
def plot_landscape(
    model: Module,
    loss_closure: Callable[[], Any],
    trajectory: Sequence[Mapping[str, Any]] | None = None,
    *,
    dims: int = 2,
    span: float = 1.0,
    points: int = 25,
    seed: int = 0,
    title: str = "",
    path: FileName | None = None,
) -> Figure:
    """The loss in a slice through the space of the weights, and the path that a training took.

    Without a trajectory: w + a d₁ + b d₂, with random directions whose filters are as long as the
    weights' (biases and normalisations stay), so that a = 1 is a change as large as the weights. With one:
    the plane of its two principal components through its last weights. The model is left as it was.

    Args:
        model: the model.
        loss_closure: takes nothing and gives the loss of the model as it is now, always on the same data;
            with dropout or batch norm call `model.eval()` first.
        trajectory: copies of the weights (`model.state_dict()`, cloned) in the order of the training, such
            as `Recorder(model, keep_weights=True).trajectory`.
        dims: 2 for contours, 1 for a curve.
        span: how far to go along random directions, 1 being the length of the weights.
        points: how many points along each direction.
        seed: of the random directions; the global generator is left alone.
        title: the headline.
        path: a .png, .svg or .pdf file to write (the training's path is `trajectory`).

    Raises:
        TypeError: the model, the closure or the trajectory is none.
        ValueError: an option is out of range, or the trajectory does not fit the model or never moves.
        ImportError: matplotlib is missing.

    Source: H. Li et al., "Visualizing the Loss Landscape of Neural Nets", NeurIPS 2018.

    Example:
        >>> import minigrad
        >>> from minigrad.study.pictures import plot_landscape
        >>> model = minigrad.nn.Linear(2, 1)
        >>> x, y = minigrad.ones(4, 2), minigrad.ones(4, 1)
        >>> figure = plot_landscape(model, lambda: ((model(x) - y) ** 2).mean(), points=5)
        >>> figure.axes[0].get_xlabel()
        'first random direction (1: as long as the weights)'
    """
    file = checked_file(path)
    _check_arguments(model, loss_closure, trajectory, dims, span, points)
    found = slice_of(model, loss_closure, trajectory, dims, span, points, seed)
    if not np.isfinite(found.losses).any():
        raise ValueError("the loss is nowhere finite in this slice\nTry a smaller span, such as span=0.1.")
    figure = page(6.9, 5.4) if dims == 2 else page(6.9, 4.2)
    axes = figure.subplots()
    axes.set_title(title or f"Loss of {type(model).__name__} around its weights", loc="left")
    if dims == 2:
        _contours(figure, axes, found)
    else:
        _curve(axes, found)
    _name_axes(axes, found, dims)
    if found.path is not None or dims == 2:
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return finish(figure, file)


def _check_arguments(model: Any, closure: Any, trajectory: Any, dims: int, span: float, points: int) -> None:
    require_module("plot_landscape", model)
    parameters_of(model)
    if not callable(closure):
        raise TypeError(
            f"loss_closure is {type(closure).__name__}; expected a function without arguments that computes "
            "the loss anew, such as lambda: criterion(model(x), y)"
        )
    if trajectory is not None:
        if isinstance(trajectory, (str, Mapping)) or not isinstance(trajectory, Sequence):
            raise TypeError(
                f"trajectory is {type(trajectory).__name__}; expected a list of recorded weights\n"
                "A file to write is path=."
            )
        if len(trajectory) < 2:
            raise ValueError(f"the trajectory has {len(trajectory)} of at least 2 recorded weights")
    if dims not in (1, 2):
        raise ValueError(f"dims={dims} is none of 1 (a curve) and 2 (contours)")
    if not (math.isfinite(span) and span > 0):
        raise ValueError(f"span={span} is out of range; expected a number above 0")
    if points < 3:
        raise ValueError(f"points={points} are too few; expected at least 3")


def _name_axes(axes: Axes, found: Slice, dims: int) -> None:
    setters: Any = (axes.set_xlabel, axes.set_ylabel)
    for k, (name, label) in enumerate(zip(("first", "second"), setters, strict=True)):
        if k == dims:
            axes.set_ylabel("loss")
        elif found.path is None:
            label(f"{name} random direction (1: as long as the weights)")
        else:
            label(f"{name} principal direction ({100 * found.kept[k]:.3g} % of the path)")


def _contours(figure: Figure, axes: Axes, found: Slice) -> None:
    from matplotlib.ticker import LogLocator, MaxNLocator

    losses = np.where(np.isfinite(found.losses), found.losses, np.nan)
    finite = losses[np.isfinite(losses)]
    levels: Any
    low, high = finite.min(), finite.max()
    logarithmic = low > 0 and high / low > 8
    if logarithmic:
        levels = np.geomspace(low, high * (1 + 1e-9), 15)
        norm: Any = "log"
    else:
        high = limit_of(finite)
        levels = MaxNLocator(14).tick_values(low, high)
        norm = None
    shades = axes.contourf(
        *found.steps,
        losses,
        levels=levels,
        cmap=pale_blues(),
        norm=norm,
        extend="neither" if logarithmic else "max",
    )
    axes.contour(*found.steps, losses, levels=levels, colors="#5b7fa6", linewidths=0.6)
    bar: Any = figure.colorbar(shades, ax=axes, fraction=0.05, pad=0.02)
    if logarithmic:
        bar.locator = LogLocator(subs=(1.0, 2.0, 5.0))
        bar.formatter = lambda value, _: f"{value:g}"
        bar.minorticks_off()
        bar.update_ticks()
    bar.set_label("loss")
    bar.outline.set_visible(False)
    if found.path is not None:
        x, y = found.path.T
        marks: dict[str, Any] = {"marker": "o", "markersize": 3.2} if len(x) <= 60 else {}
        axes.plot(x, y, color=COLOURS[1], linewidth=1.6, label="training", **marks)
        axes.plot(x[:1], y[:1], "s", color="white", markeredgecolor=INK, markersize=8, label="first weights")
    last = "last weights" if found.path is not None else "the weights"
    axes.plot(
        [0], [0], "*", color="#E69F00", markeredgecolor=INK, markersize=15, label=last, linestyle="none"
    )


def _curve(axes: Axes, found: Slice) -> None:
    axes.grid(True)
    axes.plot(found.steps[0], found.losses, color=COLOURS[0], linewidth=2, label="loss in the slice")
    if found.path is not None and found.path_losses is not None:
        axes.plot(
            found.path[:, 0],
            found.path_losses,
            "o-",
            color=COLOURS[1],
            markersize=3.5,
            linewidth=1,
            label="training",
        )
    axes.axvline(0, color=INK, linewidth=0.8, linestyle=":")
