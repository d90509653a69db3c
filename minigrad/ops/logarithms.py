"""Logarithms to other bases, and what is made of logarithms."""

from __future__ import annotations

import numpy as np
from numpy import ndarray

from minigrad.autograd.op import Primitive, PrimitiveNode, primitive
from minigrad.ops.elementwise import log, where

log2: Primitive = primitive(
    np.log2,
    promote="float",
    doc="""The logarithm to base 2.

    Example:
        >>> import minigrad
        >>> minigrad.log2(minigrad.tensor([8.0]))
        tensor([3.])
    """,
).vjp(lambda g, x: g / (x * 0.6931471805599453))


def _log10(x: ndarray) -> ndarray:
    if type(x) is ndarray and x.dtype == np.float32:  # NumPy's own is an ulp off at powers of ten
        return np.log10(x, dtype=np.float64).astype(np.float32)
    return np.log10(x)


log10: Primitive = primitive(
    _log10,
    ufunc=np.log10,
    promote="float",
    doc="""The logarithm to base 10.

    Example:
        >>> import minigrad
        >>> minigrad.log10(minigrad.tensor([1000.0]))
        tensor([3.])
    """,
).vjp(lambda g, x: g / (x * 2.302585092994046))


def _xlogy(x: ndarray, other: ndarray) -> ndarray:
    zero = (x == 0) & ~np.isnan(other)
    y = np.where(zero, 0, x * np.log(np.where(zero, 1, other)))
    return y.astype(np.result_type(x, other), copy=False)


def _xlogy_name(node: PrimitiveNode) -> str:
    if node.shapes[0] is None:
        return "XlogyBackward1"
    return "XlogyBackward2" if node.shapes[1] is None else "XlogyBackward0"


xlogy: Primitive = primitive(
    _xlogy,
    promote="float",
    elementwise=True,
    grad_name=_xlogy_name,
    doc="""x * log(other), and 0 where x is 0 whatever `other` is (but nan).

    Example:
        >>> import minigrad
        >>> minigrad.xlogy(minigrad.tensor([0.0, 2.0]), minigrad.tensor([0.0, 1.0]))
        tensor([0., 0.])
    """,
).vjp(
    lambda g, x, other: g * where((x == 0) & (other <= 0), 0.0, log(other)),
    lambda g, x, other: g * x / other,
)
