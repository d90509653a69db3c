"""Elementwise operations of two operands."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ops_table.base import Maker, fractions, given, integers, mask, positive, reach, real, row, spread

# ---------------------------------------------------------------------- elementwise: of two operands
PAIRS = [
    ((2, 3), (2, 3)),
    ((2, 3), (3,)),
    ((2, 1), (1, 3)),
    ((), (2, 3)),
    ((2, 3), ()),
    ((), ()),
    ((0, 3), (1, 3)),
    ((1,), (0,)),
    ((4, 1, 2), (3, 1)),
]


def binary(
    name: str, first: Callable[..., Maker], second: Callable[..., Maker], *, whole: bool = True, **flags: Any
) -> None:
    """A function of two operands, in all manners of broadcasting."""

    def call(m: Any, a: Any, b: Any) -> Any:
        return reach(m, name)(a, b)

    for left, right in PAIRS:
        label = f"{name} {list(left)} {list(right)}"
        row(label, call, first(*left), second(*right), uses=[name], **flags)
    row(f"{name} of misfits", call, first(2, 3), second(2), uses=[name], **flags)
    if whole:
        row(
            f"{name} of int64",
            call,
            given([[7, -7, 4]], "int64"),
            given([[3], [2]], "int64"),
            uses=[name],
            **flags,
        )
        row(f"{name} of int and float", call, given([[7, 6, 4]], "int64"), second(2, 1), uses=[name], **flags)
        row(f"{name} of uint8", call, given([250, 3], "uint8"), given([10, 2], "uint8"), uses=[name], **flags)
        row(f"{name} of bool", call, given([True, False]), given([True, True]), uses=[name], **flags)


for _name, _first, _second in [
    ("add", real, real),
    ("sub", real, real),
    ("mul", real, real),
    ("multiply", real, real),
    ("div", real, positive),
    ("true_divide", real, positive),
    ("pow", positive, real),
    ("maximum", real, fractions),
    ("minimum", real, fractions),
    ("xlogy", real, positive),
    ("remainder", lambda *s: spread(-4.4, 4.4, *s), lambda *s: spread(5, 7, *s)),
    ("floor_divide", real, positive),
    ("eq", fractions, fractions),
    ("ne", fractions, fractions),
    ("lt", real, real),
    ("le", real, real),
    ("gt", real, real),
    ("ge", real, real),
    ("logical_and", real, real),
    ("logical_or", real, real),
    ("logical_xor", real, real),
    ("isclose", real, real),
]:
    binary(_name, _first, _second, whole=_name != "isclose", grad=_name != "floor_divide")
for _name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
    binary(_name, mask, mask)
    row(f"{_name} of float", lambda m, a, b, name=_name: reach(m, name)(a, b), real(2), real(2))

row("isclose equal_nan", lambda m, x: m.isclose(x, x, equal_nan=True), given([np.nan, np.inf, 1.0]))
row("isclose", lambda m, x, y: m.isclose(x, y, rtol=0.1, atol=0.01), given([1.0, 1.0]), given([1.05, 1.2]))
row(
    "allclose",
    lambda m, x: m.tensor([m.allclose(x, x), m.allclose(x, x + 1), m.allclose(x, x + 1, atol=2)]),
    real(3),
)
row("equal", lambda m, x: m.tensor([m.equal(x, x), m.equal(x, x + 1), m.equal(x, x[:2])]), real(3))

row("add alpha", lambda m, a, b: m.add(a, b, alpha=2.5), real(2, 3), real(3))
row("sub alpha", lambda m, a, b: a.sub(b, alpha=-3), real(2, 3), real(3))
row("plus number", lambda m, x: (x + 2, 2 + x, x + 0.5, x + True), real(3), uses=["__add__", "__radd__"])
row("minus number", lambda m, x: (x - 2, 2 - x, 0.5 - x), real(3), uses=["__sub__", "__rsub__"])
row("times number", lambda m, x: (x * 3, 0.5 * x), real(3), uses=["__mul__", "__rmul__"])
row("over number", lambda m, x: (x / 3, 3 / x), real(3), uses=["__truediv__", "__rtruediv__"])
row(
    "power number",
    lambda m, x: (x**2, x**3, x**0.5, x**-1, x**0, x**1, x**-0.5, x**2.0),
    positive(3),
    uses=["__pow__"],
)
row("number to a power", lambda m, x: (2**x, 0.5**x, 1**x), real(3), uses=["__rpow__"])
row("negative base", lambda m, x: (x**2, x**3, x**-2), spread(-2, -0.3, 4))
row(
    "floor number",
    lambda m, x: (x // 2, 7 // x),
    positive(3),
    uses=["__floordiv__", "__rfloordiv__"],
    grad=False,
)
row("modulus number", lambda m, x: x % 2, given([0.3, 1.1, 1.7]), uses=["__mod__"])
row("number modulus", lambda m, x: 7 % x, given([0.3, 1.1, 1.7]), uses=["__rmod__"], grad=False)
row("modulus of negatives", lambda m, x: (x % 3, x % -3), given([-7, 7, 6], "int64"))
row("floor of negatives", lambda m, x: (x // 3, x // -3), given([-7, 7, 6], "int64"))
row("remainder float negative", lambda m, x: (x % 3, x % -3), given([-7.5, 7.5, 6.5]))
row(
    "operators of masks",
    lambda m, a, b: (a & b, a | b, a ^ b, a & True, a | False),
    mask(4),
    mask(4),
    uses=["__and__", "__or__", "__xor__"],
)
row("operators of bits", lambda m, a: (a & 6, a | 1, a ^ 3, 6 & a), integers(0, 9, 4))
row(
    "comparison operators",
    lambda m, a, b: (a == b, a != b, a < b, a <= b, a > b, a >= b, a > 1, a < 1),
    fractions(4),
    fractions(4),
)
row(
    "methods of two operands",
    lambda m, a, b: a.add(b).sub(b).mul(b).div(b).pow(2).maximum(b).minimum(a + b),
    positive(2, 3),
    positive(3),
)
row(
    "method names",
    lambda m, a, b: (
        a.multiply(b),
        a.divide(b),
        a.true_divide(b),
        a.remainder(b + 3),
        a.detach().floor_divide(b.detach()),
        a.xlogy(b),
        a.eq(b),
        a.ne(b),
        a.lt(b),
        a.le(b),
        a.gt(b),
        a.ge(b),
        a.sign(),
        a.floor(),
        a.ceil(),
        a.trunc(),
        a.round(),
        a.isnan(),
        a.isinf(),
        a.isfinite(),
        a.logical_not(),
        a.logical_and(b),
        a.logical_or(b),
        a.logical_xor(b),
        a.negative(),
        a.isclose(b),
        a.clip(0.7, 1.9),
    ),
    spread(0.55, 2.4, 3, away=None),
    spread(0.6, 2.2, 3, away=None),
    numeric=False,
)
row("same operand twice", lambda m, x: x * x + x / (x + 1) + m.maximum(x, x), positive(3), numeric=False)

row(
    "maximum ties", lambda m, a, b: m.maximum(a, b), given([1.0, 2.0, 3.0]), given([1.0, 5.0, 3.0]), kink=True
)
row(
    "minimum ties", lambda m, a, b: m.minimum(a, b), given([1.0, 2.0, 3.0]), given([1.0, 5.0, 3.0]), kink=True
)
row("maximum of nan", lambda m, a, b: m.maximum(a, b), given([np.nan, 1.0]), given([0.0, np.nan]), kink=True)
row("minimum of nan", lambda m, a, b: m.minimum(a, b), given([np.nan, 1.0]), given([0.0, np.nan]), kink=True)
row(
    "xlogy of zero",
    lambda m, a, b: m.xlogy(a, b),
    given([0.0, 0.0, 0.0, 2.0]),
    given([0.0, 1.0, np.nan, 0.0]),
    kink=True,
)
row("xlogy number", lambda m, x: m.xlogy(2, x), positive(3))
row("div by zero", lambda m, a, b: a / b, given([1.0, -1.0, 0.0]), given([0.0, 0.0, 0.0]), kink=True)
row("pow at zero", lambda m, a, b: a**b, given([0.0, 0.0, 0.0, 2.0]), given([0.0, 2.0, 1.0, 0.0]), kink=True)
row("pow number at zero", lambda m, x: (x**2, x**0, x**1, x**3, x**0.5), given([0.0, 1.0]), kink=True)
row("pow of negative base", lambda m, a, b: a**b, given([-2.0, -2.0]), given([2.0, 3.0]), kink=True)
row("zero to a power", lambda m, x: 0**x, given([0.0, 1.0, 2.0]), kink=True)
row("integer power", lambda m, x: (x**2, x**0, 2**x), given([0, 3, 5], "int64"))
row("integer negative power", lambda m, x: x**-1, given([1, 3], "int64"))
