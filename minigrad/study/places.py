"""Which elements of the operands lead to an element of the result: by broadcasting, along a dimension, or by
rows and columns of a product."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from minigrad.autograd.op import Primitive
from minigrad.autograd.tape import Variable

Index = tuple[Any, ...]  # of an element, or of a slice
# Operations that are no ufuncs and yet work element by element.
_POINTWISE = frozenset(
    (
        *("addcdiv", "addcmul", "cast", "clamp", "clamp_max", "clamp_min", "filled", "gelu", "leaky_relu"),
        *("lerp", "logsigmoid", "relu", "rsub", "sigmoid", "silu", "softplus", "tanh", "where"),
        *("masked_fill", "masked_fill_with", "sloped"),
    )
)
_PRODUCTS = {"matmul": -2, "linear": -1, "product": -1}  # the dimension of the second operand that is kept


class Lead(NamedTuple):
    """A part of an operand that an element of the result is made of."""

    operand: int  # its place
    part: Index | None  # None where it is not known which part
    values: ndarray


def arrays_in(operands: Sequence[Any]) -> list[tuple[int, ndarray]]:
    """The operands that are numbers or hold them, as arrays, with their places; of lists of tensors each."""
    found = []
    for place, operand in enumerate(operands):
        for item in operand if isinstance(operand, (list, tuple)) else (operand,):
            array = item._array if isinstance(item, Variable) else item
            if isinstance(array, (ndarray, np.generic, float, int)) and not isinstance(array, bool):
                found.append((place, np.asarray(array)))
    return found


class Paths:
    """How the elements of one call's operands lead to those of a result of this shape."""

    def __init__(
        self, op: Any, operands: Sequence[Any], options: Mapping[str, Any], shape: tuple[int, ...]
    ) -> None:
        self.arrays = arrays_in(operands)
        self.shape = shape
        self.axes: tuple[int, ...] = ()
        self.kind = self._kind(op, options)

    def _kind(self, op: Any, options: Mapping[str, Any]) -> str:
        """ "pointwise", "along" dimensions, "product", or "whole" where it is not known."""
        if not isinstance(op, Primitive) or not self.arrays:
            return "whole"
        name, ndims = op.__name__, [array.ndim for _, array in self.arrays]
        if op.elementwise or name in _POINTWISE:
            return "pointwise"
        if name in _PRODUCTS and len(ndims) > 1 and min(ndims[:2]) > 1:
            self.kept = _PRODUCTS[name]
            return "product"
        if len(ndims) == 1 and ("axes" in options or "axis" in options):
            axes = options.get("axes", options.get("axis"))
            every = range(ndims[0])
            axes = every if axes is None else axes if isinstance(axes, tuple) else (axes,)
            self.axes = tuple(sorted(axis % max(ndims[0], 1) for axis in axes))
            along = self.arrays[0][1].shape
            kept = tuple(n for axis, n in enumerate(along) if axis not in self.axes)
            ones = tuple(1 if axis in self.axes else n for axis, n in enumerate(along))
            if self.shape in (along, kept, ones):
                return "along"
        return "whole"

    def reach(self, test: Callable[[ndarray], ndarray]) -> ndarray:
        """For each element of the result, or for all, whether some element that leads to it passes a test."""
        reached: Any = np.zeros((), bool)
        for order, (_, array) in enumerate(self.arrays):
            if array.dtype.kind == "f":
                reached = reached | self._spread(order, test(array))
        return np.asarray(reached)

    def _spread(self, order: int, passed: Any) -> Any:
        """What an operand's mask is for the result, by broadcasting."""
        if self.kind == "whole":
            return passed.any()
        if self.kind == "along" and passed.ndim:
            return passed.any(axis=self.axes, keepdims=passed.ndim == len(self.shape))
        if self.kind == "product" and order == 0:
            return passed.any(axis=-1, keepdims=True)
        if self.kind == "product" and order == 1:
            return passed.any(axis=-2, keepdims=True) if self.kept == -2 else passed.any(axis=-1)
        return passed

    def leads(self, index: tuple[int, ...]) -> list[Lead]:
        """The parts of the operands that lead to an element of the result."""
        return [
            Lead(place, *self._part(order, array, index)) for order, (place, array) in enumerate(self.arrays)
        ]

    def _part(self, order: int, array: ndarray, index: tuple[int, ...]) -> tuple[Index | None, ndarray]:
        if not array.ndim:
            return (), array
        at: Index | None = None
        if self.kind == "pointwise" or (self.kind == "product" and order == 2):
            at = broadcast_index(array.shape, index)
        elif self.kind == "along":
            at = self._line(array, index)
        elif self.kind == "product":
            row = broadcast_index(array.shape[:-2], index[:-2])
            inner = (index[-2], slice(None)) if order == 0 else (index[-1], slice(None))
            at = (*row, *inner) if order == 0 or self.kept == -1 else (*row, slice(None), index[-1])
        elif index and array.shape[0] == self.shape[0]:
            at = (index[0], *[slice(None)] * (array.ndim - 1))
        return at, array if at is None else array[at]

    def _line(self, array: ndarray, index: tuple[int, ...]) -> Index:
        """What of the operand of a reduction, or of a softmax, an element is made of."""
        if len(index) == array.ndim:
            return tuple(slice(None) if axis in self.axes else i for axis, i in enumerate(index))
        left = iter(index)
        return tuple(slice(None) if axis in self.axes else next(left) for axis in range(array.ndim))


def broadcast_index(shape: tuple[int, ...], index: tuple[int, ...]) -> tuple[int, ...]:
    """The index in an array of this shape of what broadcasting puts at `index`.

    Example:
        >>> from minigrad.study.places import broadcast_index
        >>> broadcast_index((1, 3), (5, 2, 1))
        (0, 1)
    """
    own = index[len(index) - len(shape) :]
    return tuple(0 if length == 1 else i for length, i in zip(shape, own, strict=True))


def index_text(index: Index) -> str:
    """An index as it is typed.

    Example:
        >>> from minigrad.study.places import index_text
        >>> index_text((3, slice(None))), index_text(())
        ('[3, :]', '')
    """
    inside = ", ".join(":" if isinstance(i, slice) else str(int(i)) for i in index)
    return f"[{inside}]" if inside else ""
