"""Learning curves of any training: what `minigrad.train.loop.fit` returns, or a dict of lists."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.study.pictures.style import FileName, checked_file, finish, marker, page, picture
from minigrad.train.loop import Epoch, Run, Score
from minigrad.train.pictures import INK, plain_decades, two_curves

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HELD_OUT = ("val_", "valid_", "validation_", "test_", "held_out_")
_EPOCHS = ("epoch", "epochs")


def table_of(history: Any) -> dict[str, list[float]]:
    """A history as a dict of lists, one number an epoch; held-out measures are called "val_...".

    Raises:
        TypeError: it is neither a Run, nor epochs, nor a dict of lists.
        ValueError: it is empty, or its lists differ in length.
    """
    epochs = history.history if isinstance(history, Run) else history
    if isinstance(epochs, Mapping):
        table = {str(name): _numbers(str(name), values) for name, values in epochs.items()}
    elif isinstance(epochs, Sequence) and all(isinstance(epoch, Epoch) for epoch in epochs):
        table = {"epoch": [float(epoch.number) for epoch in epochs]}
        for field in dataclasses.fields(Score):
            table[field.name] = [getattr(epoch.train, field.name) for epoch in epochs]
            table[f"val_{field.name}"] = [getattr(epoch.held_out, field.name) for epoch in epochs]
    else:
        raise TypeError(
            "plot_history() expects the Run or the epochs of a fit, or a dict of lists such as "
            f"{{'loss': [0.9, 0.5], 'val_loss': [1.0, 0.7]}}, got {type(history).__name__}"
        )
    lengths = {name: len(values) for name, values in table.items()}
    if not lengths or max(lengths.values()) == 0 or set(table) <= set(_EPOCHS):
        raise ValueError("the history is empty: not one epoch was completed")
    if len(set(lengths.values())) > 1:
        raise ValueError(
            f"the lists of the history differ in length: {lengths}\nEach has one number an epoch."
        )
    return table


def _numbers(name: str, values: Any) -> list[float]:
    try:
        return [float(value) for value in values]
    except (TypeError, ValueError):
        raise TypeError(
            f"history[{name!r}] is no list of numbers, one an epoch: {type(values).__name__}"
        ) from None


def pairs_of(table: Mapping[str, list[float]]) -> dict[str, tuple[list[float] | None, list[float] | None]]:
    """Of each measure what it was in training and on held-out data, either may be missing."""
    pairs: dict[str, tuple[list[float] | None, list[float] | None]] = {}
    for name, values in table.items():
        if name in _EPOCHS:
            continue
        measure, held_out = name.removeprefix("train_"), False
        for prefix in _HELD_OUT:
            if name.startswith(prefix):
                measure, held_out = name.removeprefix(prefix), True
                break
        first, second = pairs.get(measure, (None, None))
        pairs[measure] = (first, values) if held_out else (values, second)
    return pairs


@picture
def plot_history(history: Any, *, title: str = "", path: FileName | None = None) -> Figure:
    """Learning curves: each measure over the epochs, in training and on held-out data.

    Losses that span more than a decade are drawn on a logarithmic axis. A ring marks the best held-out
    epoch of each measure.

    Args:
        history: the `Run` that `minigrad.train.loop.fit` returns, its epochs, or a dict of lists with one
            number an epoch. "loss" and "val_loss" (or "test_loss") are a pair; "epoch" numbers the epochs.
        title: the headline.
        path: a .png, .svg or .pdf file to write.

    Raises:
        TypeError: something else was given.
        ValueError: no epoch, or lists of different lengths.
        ImportError: matplotlib is missing.

    Example:
        >>> from minigrad.study.pictures import plot_history
        >>> figure = plot_history({"loss": [0.9, 0.5], "val_loss": [1.0, 0.7], "lr": [0.1, 0.1]})
        >>> [axes.get_title(loc="left") for axes in figure.axes]
        ['loss', 'lr']
    """
    file = checked_file(path)
    table = table_of(history)
    pairs = pairs_of(table)
    length = len(next(iter(table.values())))
    epochs = next((table[name] for name in _EPOCHS if name in table), [float(i + 1) for i in range(length)])
    columns = min(len(pairs), 3)
    rows = math.ceil(len(pairs) / columns)
    figure = page(max(4.6 * columns, 5.6), 3.1 * rows + 0.7 + 0.3 * bool(title), title)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (measure, pair) in zip(grid, pairs.items(), strict=False):
        _panel(axes, measure, epochs, *pair)
    for axes in grid[len(pairs) :]:
        axes.remove()
    _legend(figure, grid[: len(pairs)])
    return finish(figure, file)


def _panel(
    axes: Any, measure: str, epochs: list[float], train: list[float] | None, held_out: list[float] | None
) -> None:
    axes.set_title(measure.replace("_", " "), loc="left")
    axes.set_xlabel("epoch")
    axes.grid(True)
    missing = [math.nan] * len(epochs)
    two_curves(axes, epochs, train or missing, held_out or missing)
    for line, name, values in zip(list(axes.lines), ("training", "held out"), (train, held_out), strict=True):
        line.set_label(name)
        if values is None:
            line.remove()
    numbers = np.array([value for part in (train, held_out) if part for value in part])
    falling = "loss" in measure or "error" in measure
    positive = numbers[np.isfinite(numbers)].min(initial=math.inf) > 0
    if falling and positive and np.nanmax(numbers) > 10 * np.nanmin(numbers):
        axes.set_yscale("log")
        plain_decades(axes)
    if held_out is not None and np.isfinite(held_out).any():
        best = np.nanargmin(held_out) if falling else np.nanargmax(held_out)
        ring = {"markerfacecolor": "none", "markeredgecolor": INK, "markeredgewidth": 1.5}
        axes.plot(epochs[best], held_out[best], "o", markersize=11, **ring)
        axes.set_title(f"best held out: {held_out[best]:.4g}", loc="right", fontsize=8.5, color="#555555")
    if len(epochs) > 1:
        axes.xaxis.get_major_locator().set_params(integer=True)


def _legend(figure: Figure, panels: Any) -> None:
    handles: dict[str, Any] = {}
    for axes in panels:
        handles |= {line.get_label(): line for line in axes.lines if not line.get_label().startswith("_")}
    entries = list(handles.values())
    if any("held out" in label for label in handles):
        ring: dict[str, Any] = {"markerfacecolor": "none", "markeredgecolor": INK, "markersize": 9}
        entries.append(marker("best held-out epoch", **ring))
    figure.legend(handles=entries, loc="outside lower center", ncols=3 if len(panels) > 1 else 1)
