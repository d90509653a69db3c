"""What all pictures of the study share: the missing extra, our style, files, and how things are named."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

import numpy as np

from minigrad.nn.module import Module
from minigrad.tensor import Tensor
from minigrad.train.pictures import INK, new_figure, our_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

P = ParamSpec("P")
FileName = str | os.PathLike[str]
FILES = (".png", ".svg", ".pdf")

# Okabe and Ito's colours in an order that keeps neighbours apart in print too; the dashes say the same.
LINES: tuple[tuple[str, Any], ...] = (
    ("#0072B2", "-"),
    ("#D55E00", (0, (5, 2))),
    ("#009E73", (0, (1.2, 1.4))),
    ("#CC79A7", (0, (6, 1.5, 1.2, 1.5))),
    ("#E69F00", (0, (3, 1.2))),
    ("#56B4E9", (0, (8, 2, 1.2, 2, 1.2, 2))),
    ("#222222", (0, (2, 3))),
)
RED = "#D55E00"


def picture(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """A function that makes a figure in our style, and says what to install where matplotlib is missing."""

    @functools.wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
        require_matplotlib()
        with our_style():
            return draw(*args, **kwargs)

    return drawn


def require_matplotlib() -> None:
    """ImportError that names the extra, if matplotlib cannot be imported."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        raise ImportError(
            "pictures need matplotlib, which is not installed; type: pip install 'minigrad[plot]'"
        ) from None


def checked_file(path: FileName | None) -> Path | None:
    """Where to write the picture, if anywhere.

    Raises:
        ValueError: the name ends in no format that is written.
    """
    if path is None:
        return None
    file = Path(path)
    if file.suffix.lower() not in FILES:
        raise ValueError(
            f"path={str(path)!r} names no picture format\nEnd it in .png, .svg or .pdf, as in "
            f"path={str(file.with_suffix('.png'))!r}."
        )
    return file


def finish(figure: Figure, file: Path | None) -> Figure:
    """The figure, laid out while our style holds, and written if a file is given."""
    figure.draw_without_rendering()
    if file is not None:
        figure.savefig(file, bbox_inches="tight", pad_inches=0.12)
    return figure


def page(width: float, height: float, title: str = "") -> Figure:
    """An empty figure with a headline at the left."""
    figure = new_figure(width, height)
    layout: Any = figure.get_layout_engine()
    layout.set(w_pad=0.08, h_pad=0.06)
    if title:
        figure.suptitle(title, x=0.012, ha="left", fontsize=12, fontweight="bold")
    return figure


def note(figure: Figure, text: str) -> None:
    """A line below everything that says how to read the picture."""
    figure.supxlabel(text, x=0.012, ha="left", fontsize=8.5, color="#555555")


def marker(label: str, shape: str = "o", **style: Any) -> Any:
    """An entry of a legend that is a marker alone."""
    from matplotlib.lines import Line2D

    return Line2D([], [], linestyle="none", marker=shape, label=label, **({"color": INK} | style))


def pale_blues() -> Any:
    """Blues from nearly white to a middle tone, on which ink can still be read."""
    import matplotlib
    from matplotlib.colors import LinearSegmentedColormap

    shades = matplotlib.colormaps["Blues"](np.linspace(0.02, 0.62, 128))
    return LinearSegmentedColormap.from_list("pale blues", shades)


def zero_line(axes: Axes) -> None:
    """A thin line where the value is 0."""
    axes.axhline(0, color=INK, linewidth=0.7, zorder=1)


def compact(value: float) -> str:
    """A number in few characters: 0.25, 1200, 3.1e-05, with a true minus."""
    return (f"{value:.0f}" if 100 <= abs(value) < 1e5 else f"{value:.2g}").replace("-", "−")


# ------------------------------------------------------------------------------------------ names
def label_of(loss: Any) -> str:
    """What a loss is called: its class and the options that are not at their defaults."""
    if isinstance(loss, functools.partial):
        return f"{label_of(loss.func)}({_options(loss.keywords.items())})"
    if not isinstance(loss, Module):
        return getattr(loss, "__name__", type(loss).__name__)
    given = []
    for parameter in inspect.signature(type(loss)).parameters.values():
        value = getattr(loss, parameter.name, parameter.default)
        made = parameter.default is None and isinstance(value, Module)  # what None stands for
        unsaid = parameter.name in ("reduction", "device", "dtype")
        if made or unsaid or parameter.default is parameter.empty:
            continue
        if isinstance(value, Tensor) or value != parameter.default:
            given.append((parameter.name, value))
    return f"{type(loss).__name__}({_options(given)})"


def _options(items: Any) -> str:
    return ", ".join(f"{name}={_value(value)}" for name, value in items)


def _value(value: Any) -> str:
    if isinstance(value, Tensor):
        return str(np.round(value.detach().numpy(), 3).tolist())
    return getattr(value, "__name__", None) or repr(value)


def require_module(name: str, model: Any) -> None:
    """TypeError where a model is wanted and something else was given."""
    if not isinstance(model, Module):
        raise TypeError(f"{name}() expects a model (an nn.Module), got {type(model).__name__}")


def as_array(value: Any) -> np.ndarray:
    """The values of a tensor or of anything like an array."""
    return value.detach().numpy() if isinstance(value, Tensor) else np.asarray(value)


def parameters_of(model: Module, wanted: Sequence[str] | None = None) -> dict[str, Any]:
    """The model's parameters by name, or those of them that are wanted.

    Raises:
        ValueError: there are none, or a wanted name is none of the model's.
    """
    named = dict(model.named_parameters())
    if not named:
        raise ValueError(f"the model {type(model).__name__} has no parameters")
    return named if wanted is None else choose(named, wanted)


def choose(named: dict[str, Any], wanted: Sequence[str]) -> dict[str, Any]:
    """Those of the named things that are wanted, in that order; ValueError for another name."""
    unknown = [name for name in wanted if name not in named]
    if unknown:
        raise ValueError(f"no parameter is called {unknown[0]!r}\nThere are {', '.join(named)}.")
    return {name: named[name] for name in wanted}
