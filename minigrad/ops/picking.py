"""Elements picked along a dimension by their places: what sorting, medians and running extremes return."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.autograd.op import Primitive, primitive
from minigrad.autograd.tape import Node, current_node, mode
from minigrad.ops.indexing import put_along
from minigrad.ops.shape import reshape_to


def _picked(x: ndarray, index: ndarray, *, axis: int, name: str, drop: bool = False) -> ndarray:
    if x.ndim == 0:
        return x.copy()
    found = np.take_along_axis(x, index, axis)
    return found.squeeze(axis) if drop else found


def _put_each(x: ndarray, index: ndarray, *, axis: int, shape: tuple[int, ...]) -> ndarray:
    """Zeros of `shape` with x at `index` along `axis`, where no place occurs twice."""
    if not shape:
        return x.copy()
    whole = np.zeros(shape, x.dtype)
    np.put_along_axis(whole, index, x, axis)
    return whole


def _name(node: Any) -> str:
    return str(node.options["name"])


_put_apart: Primitive = primitive(_put_each, grad_name="ScatterAddBackward0").vjp(
    lambda g, index, axis: pick_apart(g, index, axis=axis, name="GatherBackward0"), None
)
pick_apart: Primitive = primitive(_picked, name="pick_apart", grad_name=_name).vjp(
    lambda g, x_shape, index, axis: _put_apart(
        reshape_to(g, shape=index.shape), index, axis=axis, shape=x_shape
    ),
    None,
)
pick_any: Primitive = primitive(_picked, name="pick_any", grad_name=_name).vjp(
    lambda g, x_shape, index, axis: put_along(g, index, axis=axis, shape=x_shape) if x_shape else g, None
)


def pick(
    input: Any, places: ndarray, axis: int, name: str, *, repeated: bool = False, drop: bool = False
) -> tuple[Any, Any]:
    """The elements at some places along an axis, and the places, both as variables.

    `repeated`: the same place may occur twice. `drop`: there is one place, and the axis goes.
    """
    index = input._result._wrap(places)
    if repeated:
        return pick_any(input, index, axis=axis, name=name), index
    values = pick_apart(input, index, axis=axis, name=name, drop=drop)
    return values, input._result._wrap(places.squeeze(axis)) if drop and places.ndim else index


class Underivable(Node):
    """A node of an operation that has no derivative: backward through it raises."""

    __slots__ = ("error", "label")

    def __init__(self, edge: Node, error: Exception, label: str) -> None:
        super().__init__((edge,))
        self.error = error
        self.label = label

    def vjp(self, g: Any, keep: bool) -> Any:
        raise self.error

    def name(self) -> str:
        return self.label


def without_derivative(result: Any, input: Any, error: Exception, label: str) -> Any:
    """`result`, which was computed from `input`; backward through it raises `error`."""
    node = current_node(input)
    if node is not None and mode.enabled:
        result._node = Underivable(node, error, label)
    return result
