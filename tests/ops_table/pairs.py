"""Further pointwise functions of several operands: blends, divisions that round, bits, tests."""

from typing import Any

import numpy as np

from ops_table.base import fractions, given, integers, mask, positive, reach, real, row, spread

SHAPES = [((2, 3), (2, 3)), ((2, 1), (3,)), ((), (2, 3)), ((2, 3), ()), ((), ()), ((0, 3), (1, 3))]


def pair(name: str, first: Any = real, second: Any = real, **flags: Any) -> None:
    """A function of two operands, of equal shapes and of others, of other dtypes, and of misfits."""

    def call(m: Any, a: Any, b: Any) -> Any:
        return reach(m, name)(a, b)

    uses = name.split(".")[-1:]
    for left, right in SHAPES:
        row(f"{name} {list(left)} {list(right)}", call, first(*left), second(*right), uses=uses, **flags)
    row(f"{name} of misfits", call, first(2, 3), second(2), uses=uses, **flags)
    ints = given([[7, -7, 4]], "int64"), given([[3], [2]], "int64")
    row(f"{name} of int64", call, *ints, uses=uses, **flags)
    row(f"{name} of int and float", call, ints[0], second(2, 1), uses=uses, **flags)
    row(f"{name} of uint8", call, given([25, 3], "uint8"), given([10, 2], "uint8"), uses=uses, **flags)
    row(f"{name} of bool", call, given([True, False]), given([True, True]), uses=uses, **flags)


for _name, _first, _second in [
    ("atan2", real, real),
    ("arctan2", real, positive),
    ("hypot", real, real),
    ("logaddexp", real, real),
    ("logaddexp2", real, real),
    ("fmax", real, fractions),
    ("fmin", real, fractions),
    ("clamp_min", real, fractions),
    ("clamp_max", real, fractions),
    ("fmod", lambda *s: spread(-4.4, 4.4, *s), lambda *s: spread(5, 7, *s)),
    ("copysign", real, real),
    ("ldexp", real, real),
    ("float_power", positive, real),
    ("subtract", real, real),
    ("rsub", real, real),
    ("divide", real, positive),
    ("special.xlog1py", real, positive),
    ("special.xlogy", real, positive),
]:
    pair(_name, _first, _second)
pair("nextafter", numeric=False)
pair("heaviside", grad=False)
pair("isin", grad=False)
for _name in ("not_equal", "greater", "greater_equal", "less", "less_equal"):
    pair(_name, fractions, fractions)
for _name in ("gcd", "lcm", "bitwise_left_shift", "bitwise_right_shift"):
    for _left, _right in SHAPES:
        row(
            f"{_name} {list(_left)} {list(_right)}",
            lambda m, a, b, name=_name: getattr(m, name)(a, b),
            integers(-20, 20, *_left),
            integers(0, 9, *_right),
            uses=[_name],
        )
    for _label, _values in {"uint8": [1, 200], "int8": [1, 100], "int32": [-5, 6]}.items():
        row(
            f"{_name} of {_label}",
            lambda m, a, name=_name: getattr(m, name)(a, a % 7),
            given(_values, _label),
            uses=[_name],
        )
    row(f"{_name} of float", lambda m, a, name=_name: getattr(m, name)(a, a), real(2), uses=[_name])
    row(f"{_name} of bool", lambda m, a, name=_name: getattr(m, name)(a, a), mask(2), uses=[_name])

# ------------------------------------------------------------------------------------ several operands
for _name in ("addcmul", "addcdiv"):
    for _shapes in [((2, 3), (2, 3), (2, 3)), ((3,), (2, 1), ()), ((), (), ()), ((0, 2), (1, 2), (2,))]:
        row(
            f"{_name} {list(map(list, _shapes))}",
            lambda m, x, a, b, name=_name: (getattr(m, name)(x, a, b), getattr(x, name)(a, b, value=-0.7)),
            real(*_shapes[0]),
            real(*_shapes[1]),
            positive(*_shapes[2]),
            uses=[_name],
        )
    row(
        f"{_name} of ints",
        lambda m, x, name=_name: getattr(m, name)(x, x, x, value=2.5),
        given([1, 2], "int64"),
        uses=[_name],
    )
    row(
        f"{_name} of int and float",
        lambda m, x, a, name=_name: getattr(m, name)(x, a, a, value=2),
        real(2),
        given([1, 2], "int64"),
        uses=[_name],
    )
    row(f"{_name} of bool", lambda m, x, name=_name: getattr(m, name)(x, x, x), mask(2), uses=[_name])
    row(f"{_name} of number", lambda m, x, name=_name: getattr(m, name)(x, 2, x), real(2), uses=[_name])
    row(
        f"{_name} of misfits",
        lambda m, x, a, name=_name: getattr(m, name)(x, a, x),
        real(2),
        real(3),
        uses=[_name],
    )

for _shapes in [((2, 3), (2, 3)), ((3,), (2, 1)), ((), ()), ((0, 2), (1, 2))]:
    row(
        f"lerp {list(map(list, _shapes))}",
        lambda m, a, b: (m.lerp(a, b, 0.3), a.lerp(b, 0.8), m.lerp(a, b, -2)),
        real(*_shapes[0]),
        real(*_shapes[1]),
    )
    row(
        f"lerp tensor {list(map(list, _shapes))}",
        lambda m, a, b, w: m.lerp(a, b, w),
        real(*_shapes[0]),
        real(*_shapes[1]),
        spread(-1, 2, *_shapes[1], away=0.5),
    )
row("lerp of ints", lambda m, a: m.lerp(a, a, 0.5), integers(0, 5, 3))
row("lerp of ints, tensor", lambda m, a: m.lerp(a, a, a), integers(0, 5, 3))
row("lerp of two dtypes", lambda m, a, b: m.lerp(a.float(), b, 0.5), real(3), integers(0, 5, 3))
row("lerp weight of another dtype", lambda m, a: m.lerp(a.float(), a.float(), a.double()), real(3))
row("lerp of misfits", lambda m, a, b: m.lerp(a, b, 0.5), real(3), real(2))

# ----------------------------------------------------------------------------------- options and numbers
for _mode in ("trunc", "floor"):
    for _left, _right in SHAPES:
        row(
            f"div {_mode} {list(_left)} {list(_right)}",
            lambda m, a, b, mode=_mode: m.div(a, b, rounding_mode=mode),
            spread(-4.4, 4.4, *_left),
            spread(5, 7, *_right),
        )
    row(
        f"div {_mode} numbers",
        lambda m, x, mode=_mode: (x.div(2, rounding_mode=mode), m.divide(x, -2.5, rounding_mode=mode)),
        given([-7.7, 7.7, 6.1]),
    )
    row(
        f"div {_mode} of ints",
        lambda m, x, mode=_mode: (x.div(3, rounding_mode=mode), x.div(m.tensor([-2]), rounding_mode=mode)),
        given([-7, 7, 6], "int64"),
    )
    row(f"div {_mode} by 0", lambda m, x, mode=_mode: m.div(x, 0, rounding_mode=mode), integers(1, 5, 3))
    row(
        f"div {_mode} by 0.0",
        lambda m, x, mode=_mode: m.div(x, 0.0, rounding_mode=mode),
        given([1.0, -1.0, 0.0]),
        kink=True,
    )
row("div none", lambda m, x, y: m.div(x, y, rounding_mode=None), real(3), positive(3), grad=False)
row("div mode unknown", lambda m, x: m.div(x, 2, rounding_mode="up"), real(3))
row("div trunc of bool", lambda m, x: m.div(x, x, rounding_mode="trunc"), mask(3))
row("integers over 0", lambda m, x: x // 0, integers(1, 5, 3))
row("integers modulo 0", lambda m, x: x % 0, integers(1, 5, 3))
row("integers fmod 0", lambda m, x: m.fmod(x, 0), integers(1, 5, 3))
row("fmod numbers", lambda m, x: (m.fmod(x, 2), x.fmod(-1.5)), given([-7.1, 7.2, 0.6]))
row("fmod of negatives", lambda m, x: (m.fmod(x, 3), x.fmod(-3)), given([-7, 7, 6], "int64"))
row("subtract alpha", lambda m, a, b: (m.subtract(a, b, alpha=2), a.subtract(b)), real(2, 3), real(3))
row("rsub alpha", lambda m, a, b: (m.rsub(a, b, alpha=2.5), m.rsub(a, 2)), real(2, 3), real(3))
row("copysign number", lambda m, x: (m.copysign(x, -1), x.copysign(2.5)), real(4))
row(
    "copysign edges",
    lambda m, x, y: m.copysign(x, y),
    given([0.0, 2.0, -1.0]),
    given([-1.0, -0.0, 0.0]),
    kink=True,
)
row("clamp_min numbers", lambda m, x: (m.clamp_min(x, 0.3), x.clamp_min(1)), fractions(6))
row("clamp_max numbers", lambda m, x: (m.clamp_max(x, 0.25), x.clamp_max(1)), fractions(6))
row("clamp_min of int", lambda m, x: (m.clamp_min(x, 2), m.clamp_min(x, 2.5)), integers(0, 5, 4))
row("clamp_max of int", lambda m, x: (m.clamp_max(x, 2), m.clamp_max(x, 2.5)), integers(0, 5, 4))
for _name in ("fmax", "fmin", "clamp_min", "clamp_max"):
    row(
        f"{_name} edges",
        lambda m, a, b, name=_name: getattr(m, name)(a, b),
        given([0.0, np.nan, 1.0, np.nan]),
        given([0.0, 1.0, np.nan, np.nan]),
        kink=True,
    )
row("xlog1py numbers", lambda m, x: (m.special.xlog1py(x, 2), m.special.xlog1py(2.5, x)), positive(3))
row(
    "xlog1py edges",
    lambda m, a, b: m.special.xlog1py(a, b),
    given([0.0, 0.0, 0.0, 2.0]),
    given([-1.0, -2.0, np.nan, -1.0]),
    kink=True,
)
row("atan2 origin", lambda m, a, b: m.atan2(a, b), given([0.0, 1.0, 0.0]), given([0.0, 0.0, -1.0]), kink=True)
row("hypot origin", lambda m, a, b: m.hypot(a, b), given([0.0, 1.0]), given([0.0, 0.0]), kink=True)
for _name in ("logaddexp", "logaddexp2"):
    row(
        f"{_name} far",
        lambda m, a, b, name=_name: getattr(m, name)(a, b),
        given([np.inf, -np.inf, 0.0, 800.0, -800.0, np.nan]),
        given([np.inf, -np.inf, -np.inf, 0.0, 799.0, 0.0]),
        kink=True,
    )
row(
    "float_power numbers",
    lambda m, x: (m.float_power(x, 2), m.float_power(2, x), x.float_power(-0.5)),
    positive(3),
)
row("float_power of ints", lambda m, x: (m.float_power(x, 2), x.float_power(x)), integers(1, 4, 3))
row("ldexp of ints", lambda m, x, n: (m.ldexp(x, n), x.ldexp(n)), real(3), integers(0, 4, 3))
row(
    "heaviside of nan",
    lambda m, x, v: m.heaviside(x, v),
    given([-1.0, 0.0, -0.0, 2.0, np.nan]),
    given([0.5]),
    grad=False,
)
row("heaviside of number", lambda m, x: m.heaviside(x, 0.5), real(2))
row("shift operators", lambda m, x: (x << 2, x >> 1, 1 << x, 64 >> x), integers(0, 6, 5), uses=["__lshift__"])
row("shifts too far", lambda m, x: (x << 64, x >> 70, x << -1, -x >> 64), integers(1, 6, 3))
row("shift in place", lambda m, x: _shift(x.clone()), integers(1, 6, 3))
row("shift of float", lambda m, x: x << 1, real(2))


def _shift(x: Any) -> Any:
    x <<= 3
    x >>= 1
    return x


# ------------------------------------------------------------------------------------------------- tests
row(
    "isin options",
    lambda m, x: (
        m.isin(x, m.tensor([2, 5, 1])),
        m.isin(x, m.tensor([2, 5, 1]), invert=True),
        m.isin(x, m.tensor([2, 5]), assume_unique=True),
        m.isin(x, 2),
        m.isin(2, x),
        m.isin(x, m.tensor([2.0, 2.5])),
    ),
    given([[0, 1, 2], [3, 4, 5]], "int64"),
)
row("isin of nan", lambda m, x: m.isin(x, x), given([np.nan, 1.0]), grad=False)
row("where alone", lambda m, x: m.where(x), given([[1, 0, 2], [0, 0, 3]], "int64"))
row("where alone 0-d", lambda m, x: m.where(x > 0), positive())
row("where alone of floats", lambda m, x: m.where(x), given([[0.0, 0.5], [1.0, np.nan]]), grad=False)
row("where method", lambda m, c, a, b: (a.where(c, b), a.where(c, 0.5)), mask(2, 3), real(2, 3), real(3))

# -------------------------------------------------------------------------------------- operands by name
row(
    "operands by name",
    lambda m, x, y: (
        m.exp(input=x),
        m.mul(x, other=y),
        m.div(input=x, other=y),
        m.pow(x, exponent=2),
        x.pow(exponent=y),
        m.clamp_min(x, min=0.5),
        x.clamp_max(max=1.5),
        m.maximum(input=x, other=y),
        m.atan2(x, other=y),
        m.fmod(x, other=1.3),
        m.polygamma(n=2, input=x),
        m.lerp(input=x, end=y, weight=0.2),
        m.addcmul(x, tensor1=y, tensor2=y, value=2),
        m.isin(elements=x, test_elements=y),
        x.eq(other=1),
        x.where(condition=x > 1, other=y),
    ),
    given([0.6, 1.1, 1.7]),
    given([0.7, 0.9, 2.5]),
)
row("operand missing", lambda m, x: m.mul(x), real(2))
row("exponent missing", lambda m, x: x.atan2(), real(2))

# ------------------------------------------------------------------------------------ methods, in place
row(
    "further methods of two operands",
    lambda m, a, b: (
        a.atan2(b),
        a.arctan2(b),
        a.hypot(b),
        a.logaddexp(b),
        a.logaddexp2(b),
        a.fmax(b),
        a.fmin(b),
        a.clamp_min(b),
        a.clamp_max(b),
        a.fmod(b + 3),
        a.copysign(b),
        a.nextafter(b),
        a.not_equal(b),
        a.greater(b),
        a.greater_equal(b),
        a.less(b),
        a.less_equal(b),
        a.detach().heaviside(b.detach()),
    ),
    spread(0.55, 2.4, 3, away=None),
    spread(0.6, 2.2, 3, away=None),
    numeric=False,
)
row(
    "further methods of integers",
    lambda m, a, b: (
        a.gcd(b),
        a.lcm(b),
        a.bitwise_left_shift(b),
        a.bitwise_right_shift(b),
        a.bitwise_and(b),
        a.bitwise_or(b),
        a.bitwise_xor(b),
        a.bitwise_not(),
        a.clone().gcd_(b),
        a.clone().lcm_(b),
        a.clone().bitwise_left_shift_(b),
        a.clone().bitwise_right_shift_(b),
        a.clone().bitwise_and_(b),
        a.clone().bitwise_or_(b),
        a.clone().bitwise_xor_(b),
        a.clone().bitwise_not_(),
        a.clone().floor_divide_(b),
        a.clone().lt_(b),
        a.clone().logical_not_(),
    ),
    integers(1, 50, 4),
    integers(1, 6, 4),
)
row(
    "further in-place twins of two operands",
    lambda m, a, b: (
        a.clone().addcmul_(b, b, value=2),
        a.clone().addcdiv_(b, b + 1),
        a.clone().lerp_(b, 0.3),
        a.clone().lerp_(b, b),
        a.clone().atan2_(b),
        a.clone().arctan2_(b),
        a.clone().hypot_(b),
        a.clone().xlogy_(b),
        a.clone().fmod_(b + 3),
        a.clone().remainder_(b + 3),
        a.clone().copysign_(b),
        a.clone().nextafter_(b),
        a.clone().ldexp_(b),
        a.clone().subtract_(b, alpha=2),
        a.clone().multiply_(b),
        a.clone().divide_(b),
        a.clone().true_divide_(b),
        a.clone().div_(b, rounding_mode="floor"),
        a.clone().clamp_min_(b),
        a.clone().clamp_max_(b),
    ),
    spread(0.55, 2.4, 3, away=None),
    spread(0.6, 2.2, 3, away=None),
    numeric=False,
)
row(
    "in-place tests",
    lambda m, a, b: (
        a.clone().eq_(b),
        a.clone().ne_(b),
        a.clone().not_equal_(b),
        a.clone().lt_(b),
        a.clone().less_(b),
        a.clone().le_(b),
        a.clone().less_equal_(b),
        a.clone().gt_(b),
        a.clone().greater_(b),
        a.clone().ge_(1),
        a.clone().greater_equal_(b),
        a.clone().logical_and_(b),
        a.clone().logical_or_(b),
        a.clone().logical_xor_(b),
        a.clone().logical_not_(),
        a.clone().heaviside_(b),
        a.clone().floor_divide_(b),
    ),
    fractions(4),
    fractions(4),
    grad=False,
)
row("float_power_", lambda m, x: x.double().float_power_(2), positive(3))
row("float_power_ of float32", lambda m, x: (x.float() * 1).float_power_(2), positive(3))
row("in-place tests recorded", lambda m, x: (x * 1).floor_divide_(2).detach(), positive(3), grad=False)
