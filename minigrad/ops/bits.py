"""Integers as bits and by their divisors, without gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.autograd.op import Primitive, primitive

bitwise_and: Primitive = primitive(
    np.bitwise_and,
    doc="""Bitwise and of integers or bools, with broadcasting.

    Example:
        >>> import minigrad
        >>> minigrad.tensor([5, 6]) & 3
        tensor([1, 2])
    """,
)
bitwise_or: Primitive = primitive(
    np.bitwise_or,
    doc="""Bitwise or of integers or bools, with broadcasting.

    Example:
        >>> import minigrad
        >>> minigrad.tensor([5, 6]) | 3
        tensor([7, 7])
    """,
)
bitwise_xor: Primitive = primitive(
    np.bitwise_xor,
    doc="""Bitwise exclusive or of integers or bools, with broadcasting.

    Example:
        >>> import minigrad
        >>> minigrad.tensor([5, 6]) ^ 3
        tensor([6, 5])
    """,
)
bitwise_not: Primitive = primitive(
    np.invert,
    name="bitwise_not",
    doc="""Bitwise complement; logical not of bools.

    Example:
        >>> import minigrad
        >>> ~minigrad.tensor([True, False])
        tensor([False,  True])
    """,
)


def _integers(*operands: Any) -> tuple[Any, ...]:
    """The operands of an implementation that has none for floats and bools."""
    if np.result_type(*operands).kind not in "iu":
        raise TypeError("not supported for the input types")
    return operands


def _lshift(a: ndarray, b: ndarray) -> ndarray:
    return np.left_shift(*_integers(a, b))


def _rshift(a: ndarray, b: ndarray) -> ndarray:
    return np.right_shift(*_integers(a, b))


def _gcd(a: ndarray, b: ndarray) -> ndarray:
    return np.gcd(*_integers(a, b))


def _lcm(a: ndarray, b: ndarray) -> ndarray:
    return np.lcm(*_integers(a, b))


bitwise_left_shift: Primitive = primitive(
    _lshift,
    ufunc=np.left_shift,
    promote="common",
    doc="""a * 2**b by moving bits, with broadcasting; those moved out are lost.

    Raises:
        NotImplementedError: an operand is of floats or bools.

    Example:
        >>> import minigrad
        >>> minigrad.tensor([1, 3]) << 2
        tensor([ 4, 12])
    """,
)
bitwise_right_shift: Primitive = primitive(
    _rshift,
    ufunc=np.right_shift,
    promote="common",
    doc="""floor(a / 2**b) by moving bits, with broadcasting.

    Raises:
        NotImplementedError: an operand is of floats or bools.

    Example:
        >>> import minigrad
        >>> minigrad.tensor([8, -3]) >> 1
        tensor([ 4, -2])
    """,
)
gcd: Primitive = primitive(
    _gcd,
    ufunc=np.gcd,
    promote="common",
    doc="""The greatest common divisor, with broadcasting.

    Raises:
        NotImplementedError: an operand is of floats or bools.

    Example:
        >>> import minigrad
        >>> minigrad.gcd(minigrad.tensor([12, 7]), minigrad.tensor([18, 5]))
        tensor([6, 1])
    """,
)
lcm: Primitive = primitive(
    _lcm,
    ufunc=np.lcm,
    promote="common",
    doc="""The least common multiple, with broadcasting.

    Raises:
        NotImplementedError: an operand is of floats or bools.

    Example:
        >>> import minigrad
        >>> minigrad.lcm(minigrad.tensor([4, 7]), minigrad.tensor([6, 5]))
        tensor([12, 35])
    """,
)
