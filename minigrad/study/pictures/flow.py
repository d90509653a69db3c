"""How the gradient gets through a model: its size at every parameter after a backward."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.nn.module import Module
from minigrad.study.pictures.style import (
    FileName,
    as_array,
    checked_file,
    compact,
    finish,
    marker,
    note,
    page,
    parameters_of,
    picture,
    require_module,
)
from minigrad.train.pictures import COLOURS, INK, PALE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_STATES = {
    "none": ("x", "#D55E00", "no gradient (None)"),
    "zero": ("o", "#E69F00", "gradient is exactly 0"),
    "not finite": ("*", "#CC79A7", "nan or inf in the gradient"),
}


@dataclass(frozen=True)
class Flow:
    """A parameter's norm, its gradient's, and what is wrong with the latter ("" if nothing)."""

    name: str
    weight: float
    gradient: float
    state: str = ""

    @property
    def ratio(self) -> float:
        """Gradient norm over weight norm."""
        return self.gradient / self.weight if self.weight else float("nan")


def flow_of(model: Module) -> list[Flow]:
    """The gradient norms of all parameters, in the model's order."""
    flows = []
    for name, parameter in parameters_of(model).items():
        weight = float(np.linalg.norm(as_array(parameter).astype(np.float64)))
        if parameter.grad is None:
            flows.append(Flow(name, weight, float("nan"), "none"))
            continue
        norm = float(np.linalg.norm(as_array(parameter.grad).astype(np.float64)))
        state = "not finite" if not np.isfinite(norm) else "zero" if norm == 0 else ""
        flows.append(Flow(name, weight, norm, state))
    return flows


@picture
def plot_gradient_flow(model: Module, *, title: str = "", path: FileName | None = None) -> Figure:
    """The gradient's norm, and its ratio to the weight's norm, at every parameter after a backward.

    Norms that fall from the last layer to the first by orders of magnitude vanish, those that rise
    explode. The ratio times the learning rate is the relative step of plain gradient descent: about
    1e-3 is usual. A parameter whose gradient is None, 0 or not finite is marked.

    Args:
        model: the model, after `loss.backward()`.
        title: the headline.
        path: a .png, .svg or .pdf file to write.

    Raises:
        TypeError: no model was given.
        ValueError: the model has no parameters.
        RuntimeError: no parameter has a gradient.
        ImportError: matplotlib is missing.

    Example:
        >>> import minigrad
        >>> from minigrad.study.pictures import plot_gradient_flow
        >>> _ = minigrad.manual_seed(0)
        >>> model = minigrad.nn.Linear(2, 1)
        >>> model(minigrad.ones(4, 2)).sum().backward()
        >>> figure = plot_gradient_flow(model)
        >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
        ['weight', 'bias']
    """
    file = checked_file(path)
    require_module("plot_gradient_flow", model)
    flows = flow_of(model)
    if all(flow.state == "none" for flow in flows):
        raise RuntimeError(
            "no parameter of the model has a gradient\nCall loss.backward() first, and plot before "
            "optimizer.zero_grad()."
        )
    figure = page(9.6, 1.9 + 0.27 * len(flows), title or f"Gradient flow through {type(model).__name__}")
    left, right = figure.subplots(1, 2, sharey=True)
    _bars(left, flows, [flow.gradient for flow in flows], COLOURS[0])
    _bars(right, flows, [flow.ratio for flow in flows], COLOURS[2])
    left.set_title("gradient norm  ‖∂loss/∂w‖", loc="left")
    right.set_title("relative to the weights  ‖∂loss/∂w‖ / ‖w‖", loc="left")
    left.set_yticks(range(len(flows)), [flow.name for flow in flows])
    left.set_ylim(len(flows) - 0.4, -0.6)
    _mark_states(figure, (left, right), flows)
    return finish(figure, file)


def _bars(axes: Axes, flows: list[Flow], values: list[float], colour: str) -> None:
    """Bars on a logarithmic axis, each with its number at its end."""
    good = [v for v in values if np.isfinite(v) and v > 0]
    low, high = (min(good), max(good)) if good else (0.1, 1.0)
    start, end = 10.0 ** np.floor(np.log10(low) - 0.6), high * (high / low) ** 0.12 * 4
    axes.set_xscale("log")
    axes.set_xlim(start, end)
    axes.grid(True, axis="x")
    axes.tick_params(axis="y", length=0)
    for place, (flow, value) in enumerate(zip(flows, values, strict=True)):
        weak = flow.name.rpartition(".")[2].startswith("bias")
        if np.isfinite(value) and value > 0:
            alpha = 0.55 if weak else 1.0
            axes.barh(place, value - start, left=start, height=0.62, color=colour, alpha=alpha)
            axes.annotate(
                compact(value), (value, place), (4, 0), textcoords="offset points", va="center", fontsize=8
            )


def _mark_states(figure: Figure, both: tuple[Axes, Axes], flows: list[Flow]) -> None:
    seen = [state for state in _STATES if any(flow.state == state for flow in flows)]
    handles: list[Any] = []
    for state in seen:
        shape, colour, text = _STATES[state]
        style: dict[str, Any] = {
            "color": colour,
            "markersize": 8,
            "markeredgewidth": 2 if shape == "x" else 0.8,
        }
        if shape != "x":
            style["markeredgecolor"] = INK
        places = [i for i, flow in enumerate(flows) if flow.state == state]
        for axes in both:
            transform = axes.get_yaxis_transform()
            axes.plot([0.02] * len(places), places, shape, transform=transform, clip_on=False, **style)
            for place in places:
                axes.axhspan(place - 0.45, place + 0.45, color=PALE, alpha=0.13, linewidth=0)
        handles.append(marker(text, shape, **style))
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    else:
        note(figure, "logarithmic axes; biases are paler; the first layer is at the top")
