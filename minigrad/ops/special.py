"""Special functions: the error function, the families of the gamma function and of Bessel's."""

from __future__ import annotations

import math
from typing import Any

from minigrad.autograd.op import Primitive, primitive
from minigrad.kernels import special as kernels
from minigrad.ops.elementwise import exp, where

_SLOPE = 2 / math.sqrt(math.pi)  # of erf at 0

erf: Primitive = primitive(
    kernels.erf,
    promote="float",
    elementwise=True,
    doc="""The error function, 2/sqrt(pi) times the integral of exp(-t**2) from 0 to x.

    Example:
        >>> import minigrad
        >>> minigrad.erf(minigrad.tensor([0.0, 1.0]))
        tensor([0.0000, 0.8427])
    """,
).vjp(lambda g, x: g * (_SLOPE * exp(-x * x)))

erfc: Primitive = primitive(
    kernels.erfc,
    promote="float",
    elementwise=True,
    doc="""1 - erf(x), accurate where that is near 0.

    Example:
        >>> import minigrad
        >>> minigrad.erfc(minigrad.tensor([0.0, 1.0]))
        tensor([1.0000, 0.1573])
    """,
).vjp(lambda g, x: -g * (_SLOPE * exp(-x * x)))

erfinv: Primitive = primitive(
    kernels.erfinv,
    promote="float",
    elementwise=True,
    doc="""The number whose erf is x; nan outside [-1, 1].

    Example:
        >>> import minigrad
        >>> minigrad.erfinv(minigrad.tensor([0.0, 0.5]))
        tensor([0.0000, 0.4769])
    """,
).vjp(lambda g, y: g * (exp(y * y) / _SLOPE))

lgamma: Primitive = primitive(
    kernels.lgamma,
    promote="float",
    elementwise=True,
    doc="""log |Gamma(x)|; inf at 0 and the negative integers.

    Example:
        >>> import minigrad
        >>> minigrad.lgamma(minigrad.tensor([1.0, 5.0]))
        tensor([0.0000, 3.1781])
    """,
).vjp(lambda g, x: g * digamma(x))

digamma: Primitive = primitive(
    kernels.digamma,
    promote="float",
    elementwise=True,
    doc="""The derivative of log Gamma(x).

    Example:
        >>> import minigrad
        >>> minigrad.digamma(minigrad.tensor([1.0, 0.5]))
        tensor([-0.5772, -1.9635])
    """,
).vjp(lambda g, x: g * _polygamma(x, n=1))

_polygamma: Primitive = primitive(
    kernels.polygamma, name="polygamma", operands=("x",), promote="float", elementwise=True
).vjp(lambda g, x, n: g * _polygamma(x, n=n + 1))


def polygamma(n: int, input: Any) -> Any:
    """The n-th derivative of digamma.

    Raises:
        RuntimeError: n is negative.

    Example:
        >>> import minigrad
        >>> minigrad.polygamma(1, minigrad.tensor([1.0, 0.5]))
        tensor([1.6449, 4.9348])
    """
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    return _polygamma(input, n=n)


def polygamma_of(self: Any, n: int) -> Any:
    """`polygamma(n, self)`."""
    return polygamma(n, self)


def _i1_slope(x: Any, y: Any) -> Any:
    zero = x == 0
    return where(zero, 0.5, i0(x) - y / where(zero, 1.0, x))


i0: Primitive = primitive(
    kernels.i0,
    promote="float",
    elementwise=True,
    doc="""The modified Bessel function of the first kind, of order 0.

    Example:
        >>> import minigrad
        >>> minigrad.i0(minigrad.tensor([0.0, 1.0]))
        tensor([1.0000, 1.2661])
    """,
).vjp(lambda g, x: g * i1(x))

i1: Primitive = primitive(
    kernels.i1,
    promote="float",
    grad_name="SpecialI1Backward0",
    elementwise=True,
    doc="""The modified Bessel function of the first kind, of order 1.

    Example:
        >>> import minigrad
        >>> minigrad.special.i1(minigrad.tensor([0.0, 1.0]))
        tensor([0.0000, 0.5652])
    """,
).vjp(lambda g, x, y: g * _i1_slope(x, y))
