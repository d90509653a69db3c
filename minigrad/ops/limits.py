"""Bounds, and the larger and the smaller of two where nan does not count."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.autograd.op import Primitive, PrimitiveNode, primitive
from minigrad.ops.comparison import isfinite, isnan, logical_not
from minigrad.ops.elementwise import as_float


def _bound_name(stem: str) -> Any:
    """The names torch has for a bound that is a number, and a tensor."""

    def name(node: PrimitiveNode) -> str:
        return f"{stem}Backward0" if node.shapes[1] is None else f"{stem}Backward1"

    return name


def _clamp_min(input: ndarray, min: ndarray) -> ndarray:
    return np.maximum(input, min)


def _clamp_max(input: ndarray, max: ndarray) -> ndarray:
    return np.minimum(input, max)


clamp_min: Primitive = primitive(
    _clamp_min,
    promote="common",
    grad_name=_bound_name("ClampMin"),
    doc="""`input`, or `min` where that is larger; a tie passes the gradient to `input`.

    Example:
        >>> import minigrad
        >>> minigrad.clamp_min(minigrad.tensor([-1.0, 2.0]), 0)
        tensor([0., 2.])
    """,
).vjp(
    lambda g, input, min: g * as_float(input >= min, like=g),
    lambda g, input, min: g * as_float(input < min, like=g),
)
clamp_max: Primitive = primitive(
    _clamp_max,
    promote="common",
    grad_name=_bound_name("ClampMax"),
    doc="""`input`, or `max` where that is smaller; a tie passes the gradient to `input`.

    Example:
        >>> import minigrad
        >>> minigrad.clamp_max(minigrad.tensor([-1.0, 2.0]), 0)
        tensor([-1.,  0.])
    """,
).vjp(
    lambda g, input, max: g * as_float(input <= max, like=g),
    lambda g, input, max: g * as_float(input > max, like=g),
)

fmax: Primitive = primitive(
    np.fmax,
    doc="""The larger of a and b, and the other where one is nan. A tie passes the gradient to a.

    Example:
        >>> import minigrad
        >>> minigrad.fmax(minigrad.tensor([1.0, float("nan")]), minigrad.tensor([3.0, 2.0]))
        tensor([3., 2.])
    """,
).vjp(
    lambda g, a, b: g * as_float((a >= b) | isnan(b), like=g),
    lambda g, a, b: g * as_float(logical_not((a >= b) | isnan(b)), like=g),
)
fmin: Primitive = primitive(
    np.fmin,
    doc="""The smaller of a and b, and the other where one is nan. A tie passes the gradient to a.

    Example:
        >>> import minigrad
        >>> minigrad.fmin(minigrad.tensor([1.0, float("nan")]), minigrad.tensor([3.0, 2.0]))
        tensor([1., 2.])
    """,
).vjp(
    lambda g, a, b: g * as_float((a <= b) | isnan(b), like=g),
    lambda g, a, b: g * as_float(logical_not((a <= b) | isnan(b)), like=g),
)


def _nan_to_num(x: ndarray, *, nan: Any, posinf: Any, neginf: Any) -> ndarray:
    if x.dtype.kind != "f":
        return x.copy()
    return np.nan_to_num(x, nan=0.0 if nan is None else nan, posinf=posinf, neginf=neginf)


_finite: Primitive = primitive(_nan_to_num).vjp(lambda g, x: g * as_float(isfinite(x), like=g))


def nan_to_num(
    input: Any, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Any:
    """`input` with numbers for nan (0), inf (the largest number there is) and -inf (the smallest).

    Example:
        >>> import minigrad
        >>> minigrad.nan_to_num(minigrad.tensor([1.0, float("nan"), float("inf")]), posinf=9)
        tensor([1., 0., 9.])
    """
    return _finite(input, nan=nan, posinf=posinf, neginf=neginf)


def _threshold(x: ndarray, *, threshold: Any, value: Any) -> ndarray:
    if x.dtype == bool:
        raise TypeError("not supported for the input types")
    if x.dtype.kind != "f":
        threshold, value = int(threshold), int(value)
    return np.where(x <= threshold, x.dtype.type(value), x)


_above: Primitive = primitive(_threshold).vjp(
    lambda g, x, threshold: g * as_float(logical_not(x <= threshold), like=g)
)


def threshold(input: Any, threshold: float, value: float) -> Any:
    """`input` where it is above the threshold, elsewhere `value`.

    Raises:
        NotImplementedError: the input is bool.

    Example:
        >>> import minigrad
        >>> minigrad.threshold(minigrad.tensor([0.5, 2.0]), 1, -7)
        tensor([-7.,  2.])
    """
    return _above(input, threshold=threshold, value=value)
