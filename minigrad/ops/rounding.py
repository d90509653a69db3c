"""Rounding, and the division that rounds, with its remainders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.autograd.op import Primitive, PrimitiveNode, primitive
from minigrad.ops.elementwise import div, floats_only


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


def _frac(x: ndarray) -> ndarray:
    (x,) = floats_only(x)
    return x - np.trunc(x)


frac: Primitive = primitive(
    _frac,
    doc="""The fraction of x, with its sign: x - trunc(x).

    Raises:
        NotImplementedError: x is of integers.

    Example:
        >>> import minigrad
        >>> minigrad.frac(minigrad.tensor([-1.5, 1.2500]))
        tensor([-0.5000,  0.2500])
    """,
).vjp(lambda g: g)


# -------------------------------------------------------------------------------- division that rounds
def _divisible(a: Any, b: Any) -> None:
    if np.result_type(a, b).kind in "iu" and not np.all(b):
        raise RuntimeError("ZeroDivisionError")


def _floor_divide(a: ndarray, b: ndarray) -> ndarray:
    _divisible(a, b)
    return np.floor_divide(a, b)


def _divide_to_zero(a: ndarray, b: ndarray) -> ndarray:
    kind = np.result_type(a, b).kind
    if kind == "f":
        return np.trunc(np.true_divide(a, b))
    if kind == "b":
        raise TypeError("not supported for the input types")
    _divisible(a, b)
    return np.floor_divide(a - np.fmod(a, b), b)


floor_divide: Primitive = primitive(
    _floor_divide,
    ufunc=np.floor_divide,
    promote="common",
    doc="""floor(a / b), with broadcasting; no gradient.

    Raises:
        RuntimeError: an integer is divided by 0.

    Example:
        >>> import minigrad
        >>> minigrad.tensor([7, -7]) // 2
        tensor([ 3, -4])
    """,
)
_rounded = {
    "floor": primitive(
        _floor_divide, name="div_floor", promote="common", grad_name="DivBackward2", elementwise=True
    ).vjp(lambda g: g * 0, lambda g: g * 0),
    "trunc": primitive(
        _divide_to_zero, name="div_trunc", promote="common", grad_name="DivBackward2", elementwise=True
    ).vjp(lambda g: g * 0, lambda g: g * 0),
}


def div_rounded(input: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    """input / other, with broadcasting; rounded towards 0 ("trunc") or down ("floor"), if asked for.

    Rounded quotients of integers are integers, others are floats.

    Raises:
        RuntimeError: no such rounding mode, or an integer is divided by 0 and rounded.

    Example:
        >>> import minigrad
        >>> minigrad.div(minigrad.tensor([7, -7]), 2, rounding_mode="trunc")
        tensor([ 3, -3])
    """
    if rounding_mode is None:
        return div(input, other)
    if rounding_mode not in _rounded:
        raise RuntimeError(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"
        )
    return _rounded[rounding_mode](input, other)


def _named_by_divisor(stem: str) -> Callable[[PrimitiveNode], str]:
    """The names torch has for a divisor that is a number, and a tensor."""
    return lambda node: f"{stem}Backward0" if node.shapes[1] is None else f"{stem}Backward1"


def _remainder(a: ndarray, b: ndarray) -> ndarray:
    _divisible(a, b)
    return np.remainder(a, b)


remainder: Primitive = primitive(
    _remainder,
    ufunc=np.remainder,
    promote="common",
    grad_name=_named_by_divisor("Remainder"),
    doc="""a - b * floor(a / b), Python's modulus, of the sign of b.

    Raises:
        RuntimeError: an integer is divided by 0.

    Example:
        >>> import minigrad
        >>> minigrad.tensor([7, -7]) % 3
        tensor([1, 2])
    """,
).vjp(lambda g: g, lambda g, a, b: -g * floor(a / b))


def _fmod(a: ndarray, b: ndarray) -> ndarray:
    if np.result_type(a, b).kind == "b":
        raise TypeError("not supported for the input types")
    _divisible(a, b)
    return np.fmod(a, b)


fmod: Primitive = primitive(
    _fmod,
    ufunc=np.fmod,
    promote="common",
    grad_name=_named_by_divisor("Fmod"),
    doc="""a - b * trunc(a / b), C's modulus, of the sign of a.

    Raises:
        RuntimeError: an integer is divided by 0.

    Example:
        >>> import minigrad
        >>> minigrad.fmod(minigrad.tensor([7, -7]), 3)
        tensor([ 1, -1])
    """,
).vjp(lambda g: g, lambda g, a, b: -g * trunc(a / b))
