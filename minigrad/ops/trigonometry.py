"""Trigonometric and hyperbolic functions, their inverses, angles."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.autograd.op import Primitive, primitive
from minigrad.ops.elementwise import floats_only, rsqrt, where

sin: Primitive = primitive(
    np.sin,
    promote="float",
    doc="""The sine of x in radians.

    Example:
        >>> import minigrad
        >>> minigrad.sin(minigrad.tensor([0.0, 1.0]))
        tensor([0.0000, 0.8415])
    """,
).vjp(lambda g, x: g * cos(x))

cos: Primitive = primitive(
    np.cos,
    promote="float",
    doc="""The cosine of x in radians.

    Example:
        >>> import minigrad
        >>> minigrad.cos(minigrad.tensor([0.0, 1.0]))
        tensor([1.0000, 0.5403])
    """,
).vjp(lambda g, x: -g * sin(x))

tan: Primitive = primitive(
    np.tan,
    promote="float",
    doc="""The tangent of x in radians.

    Example:
        >>> import minigrad
        >>> minigrad.tan(minigrad.tensor([0.0, 1.0]))
        tensor([0.0000, 1.5574])
    """,
).vjp(lambda g, y: g * (1 + y * y))

asin: Primitive = primitive(
    np.arcsin,
    name="asin",
    promote="float",
    doc="""The angle in radians, from -pi/2 to pi/2, whose sine is x; nan outside [-1, 1].

    Example:
        >>> import minigrad
        >>> minigrad.asin(minigrad.tensor([0.0, 1.0]))
        tensor([0.0000, 1.5708])
    """,
).vjp(lambda g, x: g * rsqrt(1 - x * x))

acos: Primitive = primitive(
    np.arccos,
    name="acos",
    promote="float",
    doc="""The angle in radians, from 0 to pi, whose cosine is x; nan outside [-1, 1].

    Example:
        >>> import minigrad
        >>> minigrad.acos(minigrad.tensor([0.0, 1.0]))
        tensor([1.5708, 0.0000])
    """,
).vjp(lambda g, x: -g * rsqrt(1 - x * x))

atan: Primitive = primitive(
    np.arctan,
    name="atan",
    promote="float",
    doc="""The angle in radians, from -pi/2 to pi/2, whose tangent is x.

    Example:
        >>> import minigrad
        >>> minigrad.atan(minigrad.tensor([0.0, 1.0]))
        tensor([0.0000, 0.7854])
    """,
).vjp(lambda g, x: g / (x * x + 1))

atan2: Primitive = primitive(
    np.arctan2,
    name="atan2",
    promote="float",
    doc="""The angle in radians, from -pi to pi, of the point with ordinate a and abscissa b.

    Its derivatives at the origin are 0.

    Example:
        >>> import minigrad
        >>> minigrad.atan2(minigrad.tensor([1.0, 1.0]), minigrad.tensor([1.0, -1.0]))
        tensor([0.7854, 2.3562])
    """,
).vjp(lambda g, a, b: g * (b / _radius(a, b)), lambda g, a, b: -g * (a / _radius(a, b)))


def _radius(a: Any, b: Any) -> Any:
    """The square of the distance from the origin; there 1."""
    square = a * a + b * b
    return where(square == 0, 1.0, square)


def _hypot(a: ndarray, b: ndarray) -> ndarray:
    return np.hypot(*floats_only(a, b))


hypot: Primitive = primitive(
    _hypot,
    ufunc=np.hypot,
    promote="common",
    doc="""sqrt(a**2 + b**2), which does not overflow.

    Raises:
        NotImplementedError: both are of integers.

    Example:
        >>> import minigrad
        >>> minigrad.hypot(minigrad.tensor([3.0]), minigrad.tensor([4.0]))
        tensor([5.])
    """,
).vjp(lambda g, y, a: g * (a / y), lambda g, y, b: g * (b / y))

sinh: Primitive = primitive(
    np.sinh,
    promote="float",
    doc="""The hyperbolic sine, (e**x - e**-x) / 2.

    Example:
        >>> import minigrad
        >>> minigrad.sinh(minigrad.tensor([0.0, 1.0]))
        tensor([0.0000, 1.1752])
    """,
).vjp(lambda g, x: g * cosh(x))

cosh: Primitive = primitive(
    np.cosh,
    promote="float",
    doc="""The hyperbolic cosine, (e**x + e**-x) / 2.

    Example:
        >>> import minigrad
        >>> minigrad.cosh(minigrad.tensor([0.0, 1.0]))
        tensor([1.0000, 1.5431])
    """,
).vjp(lambda g, x: g * sinh(x))

asinh: Primitive = primitive(
    np.arcsinh,
    name="asinh",
    promote="float",
    doc="""The inverse of the hyperbolic sine.

    Example:
        >>> import minigrad
        >>> minigrad.asinh(minigrad.tensor([0.0, 1.0]))
        tensor([0.0000, 0.8814])
    """,
).vjp(lambda g, x: g * rsqrt(x * x + 1))

acosh: Primitive = primitive(
    np.arccosh,
    name="acosh",
    promote="float",
    doc="""The inverse of the hyperbolic cosine; nan below 1.

    Example:
        >>> import minigrad
        >>> minigrad.acosh(minigrad.tensor([1.0, 2.0]))
        tensor([0.0000, 1.3170])
    """,
).vjp(lambda g, x: g * rsqrt(x * x - 1))

atanh: Primitive = primitive(
    np.arctanh,
    name="atanh",
    promote="float",
    doc="""The inverse of the hyperbolic tangent; nan outside [-1, 1].

    Example:
        >>> import minigrad
        >>> minigrad.atanh(minigrad.tensor([0.0, 0.5]))
        tensor([0.0000, 0.5493])
    """,
).vjp(lambda g, x: g / (1 - x * x))


def _sinc_slope(x: Any) -> Any:
    zero = x == 0
    u = where(zero, 1.0, x) * np.pi
    return where(zero, 0.0, (u * cos(u) - sin(u)) / (u * u) * np.pi)


sinc: Primitive = primitive(
    np.sinc,
    promote="float",
    operands=("x",),
    elementwise=True,
    doc="""sin(pi x) / (pi x), and 1 at 0.

    Example:
        >>> import minigrad
        >>> minigrad.sinc(minigrad.tensor([0.0, 0.5]))
        tensor([1.0000, 0.6366])
    """,
).vjp(lambda g, x: g * _sinc_slope(x))

deg2rad: Primitive = primitive(
    np.deg2rad,
    promote="float",
    grad_name="Deg2RadBackward0",
    doc="""Degrees as radians: x pi / 180.

    Example:
        >>> import minigrad
        >>> minigrad.deg2rad(minigrad.tensor([90.0, 180.0]))
        tensor([1.5708, 3.1416])
    """,
).vjp(lambda g: g * (np.pi / 180))

rad2deg: Primitive = primitive(
    np.rad2deg,
    promote="float",
    grad_name="Rad2DegBackward0",
    doc="""Radians as degrees: 180 x / pi.

    Example:
        >>> import minigrad
        >>> minigrad.rad2deg(minigrad.tensor([1.0, 3.0]))
        tensor([ 57.2958, 171.8873])
    """,
).vjp(lambda g: g * (180 / np.pi))
