"""Logarithms to other bases, and what is made of logarithms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.autograd.op import Primitive, PrimitiveNode, primitive
from minigrad.ops.activation import sigmoid
from minigrad.ops.elementwise import _dtype_of, floats_only, log, log1p, where

exp2: Primitive = primitive(
    np.exp2,
    promote="float",
    doc="""2 ** x.

    Example:
        >>> import minigrad
        >>> minigrad.exp2(minigrad.tensor([0.0, 3.0]))
        tensor([1., 8.])
    """,
).vjp(lambda g, y: g * y * 0.6931471805599453)

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


def _array(operand: Any, g: Any) -> Any:
    """An operand of a rule, which may be a number, as an array of the dtype of g."""
    return np.asarray(operand, _dtype_of(g)) if isinstance(operand, (int, float)) else operand


def _xlogy(x: ndarray, other: ndarray) -> ndarray:
    zero = (x == 0) & ~np.isnan(other)
    y = np.where(zero, 0, x * np.log(np.where(zero, 1, other)))
    return y.astype(np.result_type(x, other), copy=False)


def _named_by_number(stem: str) -> Callable[[PrimitiveNode], str]:
    """The names torch has for two tensors, for a number before a tensor, and after one."""

    def name(node: PrimitiveNode) -> str:
        if node.shapes[0] is None:
            return f"{stem}Backward1"
        return f"{stem}Backward2" if node.shapes[1] is None else f"{stem}Backward0"

    return name


xlogy: Primitive = primitive(
    _xlogy,
    promote="float",
    elementwise=True,
    grad_name=_named_by_number("Xlogy"),
    doc="""x * log(other), and 0 where x is 0 whatever `other` is (but nan).

    Example:
        >>> import minigrad
        >>> minigrad.xlogy(minigrad.tensor([0.0, 2.0]), minigrad.tensor([0.0, 1.0]))
        tensor([0., 0.])
    """,
).vjp(
    lambda g, x, other: g * where((x == 0) & (other <= 0), 0.0, log(_array(other, g))),
    lambda g, x, other: g * x / other,
)


def _xlog1py(x: ndarray, other: ndarray) -> ndarray:
    zero = (x == 0) & ~np.isnan(other)
    y = np.where(zero, 0, x * np.log1p(np.where(zero, 0, other)))
    return y.astype(np.result_type(x, other), copy=False)


xlog1py: Primitive = primitive(
    _xlog1py,
    promote="float",
    elementwise=True,
    grad_name=_named_by_number("SpecialXlog1Py"),
    doc="""x * log(1 + other), and 0 where x is 0 whatever `other` is (but nan).

    Example:
        >>> import minigrad
        >>> minigrad.special.xlog1py(minigrad.tensor([0.0, 2.0]), minigrad.tensor([-1.0, 0.0]))
        tensor([0., 0.])
    """,
).vjp(
    lambda g, x, other: g * where((x == 0) & (other <= -1), 0.0, log1p(_array(other, g))),
    lambda g, x, other: g * x / (other + 1),
)


def _entr(x: ndarray) -> ndarray:
    inside = x > 0
    y = -x * np.log(np.where(inside, x, 1))
    return np.where(inside | np.isnan(x), y, np.where(x == 0, 0, -np.inf)).astype(x.dtype, copy=False)


entr: Primitive = primitive(
    _entr,
    promote="float",
    elementwise=True,
    grad_name="SpecialEntrBackward0",
    doc="""-x * log(x), what a probability adds to the entropy: 0 at 0, and -inf below.

    Example:
        >>> import minigrad
        >>> minigrad.special.entr(minigrad.tensor([0.0, 0.5, -1.0]))
        tensor([0.0000, 0.3466,   -inf])
    """,
).vjp(lambda g, x: -g * (log(x) + 1))


def _logit(x: ndarray, *, eps: float | None = None) -> ndarray:
    z = x if eps is None or eps < 0 else np.clip(x, eps, 1 - eps)
    return np.log(z / (1 - z))


def _logit_rule(g: Any, x: Any, eps: float | None) -> Any:
    """g / (x (1 - x)); 0 where x was moved to within eps, nan outside of [0, 1]."""
    if eps is None or eps < 0:
        return where((x < 0) | (x > 1), np.nan, g / (x * (1 - x)))
    outside = (x < eps) | (x > 1 - eps)
    inner = where(outside, 0.5, x)
    return where(outside, 0.0, g / (inner * (1 - inner)))


_logit_of: Primitive = primitive(_logit, promote="float", elementwise=True).vjp(_logit_rule)


def logit(input: Any, eps: float | None = None) -> Any:
    """log(x / (1 - x)), the inverse of the sigmoid; `eps` first limits x to [eps, 1 - eps].

    Example:
        >>> import minigrad
        >>> minigrad.logit(minigrad.tensor([0.5, 0.9, 1.0]), eps=1e-6)
        tensor([ 0.0000,  2.1972, 13.8023])
    """
    return _logit_of(input, eps=eps)


def _logaddexp(a: ndarray, b: ndarray) -> ndarray:
    return np.logaddexp(*floats_only(a, b))


logaddexp: Primitive = primitive(
    _logaddexp,
    ufunc=np.logaddexp,
    promote="common",
    doc="""log(e**a + e**b), which does not overflow.

    Raises:
        NotImplementedError: both are of integers.

    Example:
        >>> import minigrad
        >>> minigrad.logaddexp(minigrad.tensor([0.0, 5.0]), minigrad.tensor([0.0, 5.0]))
        tensor([0.6931, 5.6931])
    """,
).vjp(lambda g, a, b: g * sigmoid(a - b), lambda g, a, b: g * sigmoid(b - a))


def _logaddexp2(a: ndarray, b: ndarray) -> ndarray:
    return np.logaddexp2(*floats_only(a, b))


logaddexp2: Primitive = primitive(
    _logaddexp2,
    ufunc=np.logaddexp2,
    promote="common",
    doc="""log2(2**a + 2**b), which does not overflow.

    Raises:
        NotImplementedError: both are of integers.

    Example:
        >>> import minigrad
        >>> minigrad.logaddexp2(minigrad.tensor([0.0, 5.0]), minigrad.tensor([0.0, 5.0]))
        tensor([1., 6.])
    """,
).vjp(
    lambda g, a, b: g * sigmoid((a - b) * 0.6931471805599453),
    lambda g, a, b: g * sigmoid((b - a) * 0.6931471805599453),
)
