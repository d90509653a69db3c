"""Rounding, and the division that rounds, with its remainders."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.autograd.op import Primitive, PrimitiveNode, primitive


def _flat(function: Any, name: str, doc: str, **options: Any) -> Any:
    """A step function: its derivative is 0 wherever it has one."""
    return primitive(function, name=name, doc=doc, **options).vjp(lambda g: g * 0)


floor = _flat(
    np.floor,
    "floor",
    """The largest integer not above x.

    Example:
        >>> import minigrad
        >>> minigrad.floor(minigrad.tensor([-1.5, 1.5]))
        tensor([-2.,  1.])
    """,
)
ceil = _flat(
    np.ceil,
    "ceil",
    """The smallest integer not below x.

    Example:
        >>> import minigrad
        >>> minigrad.ceil(minigrad.tensor([-1.5, 1.5]))
        tensor([-1.,  2.])
    """,
)
trunc = _flat(
    np.trunc,
    "trunc",
    """x without its fraction.

    Example:
        >>> import minigrad
        >>> minigrad.trunc(minigrad.tensor([-1.5, 1.5]))
        tensor([-1.,  1.])
    """,
)


def _round(x: ndarray, *, decimals: int) -> ndarray:
    return x.copy() if x.dtype == bool else np.round(x, decimals)


def _round_name(node: PrimitiveNode) -> str:
    return "RoundBackward1" if node.options["decimals"] else "RoundBackward0"


_round_to = _flat(_round, "round", "Round to `decimals` digits.", grad_name=_round_name)


def round(input: Any, *, decimals: int = 0) -> Any:
    """The nearest integer, halves to even; or rounded to `decimals` digits after the point.

    Example:
        >>> import minigrad
        >>> minigrad.round(minigrad.tensor([0.5, 1.5, 2.4]))
        tensor([0., 2., 2.])
    """
    return _round_to(input, decimals=decimals)


floor_divide: Primitive = primitive(
    np.floor_divide,
    doc="""floor(a / b), with broadcasting; no gradient.

    Example:
        >>> import minigrad
        >>> minigrad.tensor([7, -7]) // 2
        tensor([ 3, -4])
    """,
)


def _remainder_name(node: PrimitiveNode) -> str:
    return "RemainderBackward0" if node.shapes[1] is None else "RemainderBackward1"


remainder: Primitive = primitive(
    np.remainder,
    grad_name=_remainder_name,
    doc="""a - b * floor(a / b), Python's modulus, of the sign of b.

    Example:
        >>> import minigrad
        >>> minigrad.tensor([7, -7]) % 3
        tensor([1, 2])
    """,
).vjp(lambda g: g, lambda g, a, b: -g * floor(a / b))
