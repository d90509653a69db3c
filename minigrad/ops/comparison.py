"""Comparisons and logic: elementwise truth, without gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import dtypes
from minigrad.autograd.op import Primitive, primitive
from minigrad.autograd.tape import Variable


def _comparison(function: np.ufunc, name: str, symbol: str) -> Any:
    truth = [bool(function(1, other)) for other in (0, 1, 2)]
    return primitive(
        function,
        name=name,
        doc=f"""a {symbol} b elementwise, as a bool tensor, with broadcasting.

    Example:
        >>> import minigrad
        >>> (minigrad.tensor([1, 1, 1]) {symbol} minigrad.tensor([0, 1, 2])).tolist()
        {truth}
    """,
    )


eq = _comparison(np.equal, "eq", "==")
ne = _comparison(np.not_equal, "ne", "!=")
lt = _comparison(np.less, "lt", "<")
le = _comparison(np.less_equal, "le", "<=")
gt = _comparison(np.greater, "gt", ">")
ge = _comparison(np.greater_equal, "ge", ">=")

logical_and: Primitive = primitive(
    np.logical_and,
    doc="""Whether both are nonzero, with broadcasting.

    Example:
        >>> import minigrad
        >>> minigrad.logical_and(minigrad.tensor([0, 2]), minigrad.tensor([3, 3]))
        tensor([False,  True])
    """,
)
logical_or: Primitive = primitive(
    np.logical_or,
    doc="""Whether either is nonzero, with broadcasting.

    Example:
        >>> import minigrad
        >>> minigrad.logical_or(minigrad.tensor([0, 2]), minigrad.tensor([3, 3]))
        tensor([True, True])
    """,
)
logical_xor: Primitive = primitive(
    np.logical_xor,
    doc="""Whether exactly one is nonzero, with broadcasting.

    Example:
        >>> import minigrad
        >>> minigrad.logical_xor(minigrad.tensor([0, 2]), minigrad.tensor([3, 3]))
        tensor([ True, False])
    """,
)
logical_not: Primitive = primitive(
    np.logical_not,
    doc="""Whether x is zero.

    Example:
        >>> import minigrad
        >>> minigrad.logical_not(minigrad.tensor([0, 2]))
        tensor([ True, False])
    """,
)
isnan: Primitive = primitive(
    np.isnan,
    doc="""Where x is nan.

    Example:
        >>> import minigrad
        >>> minigrad.isnan(minigrad.tensor([1.0, float("nan"), float("inf")]))
        tensor([False,  True, False])
    """,
)
isinf: Primitive = primitive(
    np.isinf,
    doc="""Where x is inf or -inf.

    Example:
        >>> import minigrad
        >>> minigrad.isinf(minigrad.tensor([1.0, float("nan"), float("inf")]))
        tensor([False, False,  True])
    """,
)
isfinite: Primitive = primitive(
    np.isfinite,
    doc="""Where x is neither nan nor infinite.

    Example:
        >>> import minigrad
        >>> minigrad.isfinite(minigrad.tensor([1.0, float("nan"), float("inf")]))
        tensor([ True, False, False])
    """,
)


def _isposinf(x: ndarray) -> ndarray:
    return np.equal(x, np.inf)


def _isneginf(x: ndarray) -> ndarray:
    return np.equal(x, -np.inf)


def _isreal(x: ndarray) -> ndarray:
    return np.ones(x.shape, bool)


isposinf: Primitive = primitive(
    _isposinf,
    doc="""Where x is inf.

    Example:
        >>> import minigrad
        >>> minigrad.isposinf(minigrad.tensor([1.0, float("inf"), -float("inf")]))
        tensor([False,  True, False])
    """,
)
isneginf: Primitive = primitive(
    _isneginf,
    doc="""Where x is -inf.

    Example:
        >>> import minigrad
        >>> minigrad.isneginf(minigrad.tensor([1.0, float("inf"), -float("inf")]))
        tensor([False, False,  True])
    """,
)
isreal: Primitive = primitive(
    _isreal,
    doc="""True everywhere: no tensor is complex.

    Example:
        >>> import minigrad
        >>> minigrad.isreal(minigrad.tensor([1.0, 2.0]))
        tensor([True, True])
    """,
)
signbit: Primitive = primitive(
    np.signbit,
    doc="""Where x has a minus sign, -0.0 among them.

    Example:
        >>> import minigrad
        >>> minigrad.signbit(minigrad.tensor([1.0, -0.0, -2.0]))
        tensor([False,  True,  True])
    """,
)


def _isin(elements: ndarray, test_elements: ndarray, *, assume_unique: bool, invert: bool) -> ndarray:
    return np.asarray(np.isin(elements, test_elements, assume_unique=assume_unique, invert=invert))


_is_in: Primitive = primitive(_isin)


def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Any:
    """Which elements are among the test elements, or with `invert` which are not.

    `assume_unique`: both are known to hold no element twice.

    Raises:
        RuntimeError: a tensor is bool.

    Example:
        >>> import minigrad
        >>> minigrad.isin(minigrad.tensor([1, 2, 3]), minigrad.tensor([3, 1]))
        tensor([ True, False,  True])
    """
    for given in (elements, test_elements):
        if isinstance(given, Variable) and given._array.dtype == bool:
            raise RuntimeError("Unsupported input type encountered for isin(): Bool")
    return _is_in(elements, test_elements, assume_unique=assume_unique, invert=invert)


def isclose(input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Any:
    """Where |input - other| <= atol + rtol |other|.

    Example:
        >>> import minigrad
        >>> minigrad.isclose(minigrad.tensor([1.0, 2.0]), minigrad.tensor([1.0, 2.1]))
        tensor([ True, False])
    """
    _same_kind("isclose", input, other)
    return _isclose(input, other, rtol=rtol, atol=atol, equal_nan=equal_nan)


def _within(a: ndarray, b: ndarray, *, rtol: float, atol: float, equal_nan: bool) -> ndarray:
    return np.asarray(np.isclose(a, b, rtol, atol, equal_nan))


_isclose: Primitive = primitive(_within, name="isclose")


def allclose(
    input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> bool:
    """Whether all elements are close, as `isclose` has it.

    Raises:
        RuntimeError: the dtypes differ.

    Example:
        >>> import minigrad
        >>> minigrad.allclose(minigrad.tensor([1.0]), minigrad.tensor([1.0 + 1e-7]))
        True
    """
    return bool(isclose(input, other, rtol, atol, equal_nan)._array.all())


def _same_kind(name: str, input: Any, other: Any) -> None:
    a, b = input._array, other._array
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"{dtypes.of(a).scalar_type} did not match {dtypes.of(b).scalar_type}\n"
            f"{name}() compares tensors of one dtype; convert one, e.g. other.to(input.dtype)."
        )


def equal(input: Any, other: Any) -> bool:
    """Whether two tensors have the same shape and the same elements.

    Example:
        >>> import minigrad
        >>> minigrad.equal(minigrad.tensor([1, 2]), minigrad.tensor([1, 2]))
        True
    """
    return bool(np.array_equal(input._array, other._array))
