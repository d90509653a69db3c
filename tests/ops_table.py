"""The table of operations that drives test_ops.py and record_ops.py: one row, one call, its inputs.

A row's callable takes the module (minigrad, or torch when values are recorded or compared live) and the
tensors, so both run the same line. Inputs are stated as makers, drawn from a stream that the row's name
seeds; floating inputs are made in float64 and cast to the dtype under test. Smooth rows keep away from
kinks; rows at a kink say so (`kink=True`) and are held against torch's convention alone.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

Maker = Callable[[np.random.RandomState], np.ndarray]


# ------------------------------------------------------------------------------------------ input makers
def spread(low: float, high: float, *shape: int, away: float | None = 0.0) -> Maker:
    """Values in [low, high], all at a distance from each other, and from `away`."""

    def make(rng: np.random.RandomState) -> np.ndarray:
        n = int(np.prod(shape))
        places = (np.arange(n) + 0.5 + rng.uniform(-0.2, 0.2, n)) / max(n, 1)
        values = low + (high - low) * rng.permutation(places)
        if away is not None:
            near = np.abs(values - away) < 0.05
            values = np.where(near, away + np.where(values < away, -0.05, 0.05) + (values - away), values)
        return values.reshape(shape)

    return make


def real(*shape: int) -> Maker:
    """Numbers of either sign."""
    return spread(-2, 2, *shape)


def positive(*shape: int) -> Maker:
    """Numbers above zero."""
    return spread(0.3, 3, *shape)


def unit(*shape: int) -> Maker:
    """Numbers inside (0, 1)."""
    return spread(0.05, 0.95, *shape)


def fractions(*shape: int) -> Maker:
    """Numbers of either sign, away from every half."""

    def make(rng: np.random.RandomState) -> np.ndarray:
        values = rng.randint(-3, 3, shape) + rng.choice([0.2, 0.3, 0.7, 0.8], shape)
        return np.asarray(values)

    return make


def given(values: Any, dtype: str | None = None) -> Maker:
    """These very values; floats are cast to the dtype under test."""
    return lambda rng: np.array(values, dtype)


def integers(low: int, high: int, *shape: int) -> Maker:
    """int64 numbers in [low, high)."""
    return lambda rng: rng.randint(low, high, shape).astype(np.int64)


def mask(*shape: int) -> Maker:
    """Bools, of either kind where there are several."""

    def make(rng: np.random.RandomState) -> np.ndarray:
        n = int(np.prod(shape))
        return rng.permutation(np.arange(n) % 2 == 0).reshape(shape)

    return make


# ------------------------------------------------------------------------------------------------- rows
@dataclass(frozen=True)
class Row:
    """One call of one operation."""

    name: str
    call: Callable[..., Any]
    makers: tuple[Maker, ...]
    uses: frozenset[str]  # the public names the call reaches
    kink: bool = False  # compared with torch's convention; no numeric derivative exists
    numeric: bool = True  # whether gradcheck applies
    digits: float = 1.0  # how many times float32 rounding is allowed, for long sums
    grad: bool = True  # whether the inputs require gradients
    dense: bool = False  # whether the call needs dense memory, as view does

    @property
    def beyond(self) -> str | None:
        """Why minigrad answers where torch raises, None where it does not."""
        return _looked_up(self.name, BEYOND)

    @property
    def renamed(self) -> str | None:
        """Why the node's name is not torch's, None where it is."""
        return _looked_up(self.name, RENAMED)

    def arrays(self, dtype: str = "float64") -> list[np.ndarray]:
        """The inputs, floating ones in `dtype`."""
        rng = np.random.RandomState(zlib.crc32(self.name.encode()))
        made = [maker(rng) for maker in self.makers]
        return [a.astype(dtype) if a.dtype.kind == "f" else a for a in made]

    def cotangent(self, place: int, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """Random numbers of either sign and away from zero, so that no part of a rule goes unseen."""
        rng = np.random.RandomState(zlib.crc32(f"{self.name} cotangent {place}".encode()))
        return np.asarray(rng.uniform(0.5, 1.5, shape) * rng.choice([-1.0, 1.0], shape)).astype(dtype)


# Where torch raises and minigrad answers, and why.
BEYOND = {
    "* of bool": "NumPy's answer is as good as that for the numbers 0 and 1",
    "arg* bool*": "the first True, or the first False, is well defined",
    "views into a constant": "a view of a constant follows its base onto the tape",
    "write unbound": "views that came with others may be written to: gradients follow",
}
# Where grad_fn prints another name, and why.
RENAMED = {
    "clamp tensor*": "made of where, so that bounds have gradients too",
    "*0-d*{'dim'*": "the only dimension of a 0-d tensor is none: all are reduced",
    "sum positional": "sum(()) is the sum over all",
    "sum_to_size": "one operation here, a sum and a view in torch",
}


def _looked_up(name: str, reasons: dict[str, str]) -> str | None:
    return next((reason for pattern, reason in reasons.items() if fnmatchcase(name, pattern)), None)


ROWS: list[Row] = []


def row(name: str, call: Callable[..., Any], *makers: Maker, **flags: Any) -> None:
    """Add a row; what the call names is what the row covers."""
    uses = frozenset(flags.pop("uses", ())) | frozenset(_names(call.__code__))
    assert all(name != other.name for other in ROWS), f"two rows are called {name!r}"
    ROWS.append(Row(name, call, makers, uses, **flags))


def _names(code: Any) -> set[str]:
    found = set(code.co_names)
    for constant in code.co_consts:
        if hasattr(constant, "co_names"):
            found |= _names(constant)
    return found


def reach(m: Any, path: str) -> Any:
    """`m.nn.functional.relu` from its dotted name."""
    for part in path.split("."):
        m = getattr(m, part)
    return m


# ------------------------------------------------------------------------- elementwise: of one operand
def unary(name: str, maker: Callable[..., Maker], *, whole: bool = True, **flags: Any) -> None:
    """A function in the shapes that elementwise functions meet; `whole`: integers are welcome too."""
    uses = name.split(".")[-1:]

    def call(m: Any, x: Any) -> Any:
        return reach(m, name)(x)

    for shape in ((2, 3), (), (1,), (0, 3), (3, 1, 2)):
        row(f"{name} {list(shape)}", call, maker(*shape), uses=uses, **flags)
    row(f"{name} 40", call, maker(40), uses=uses, **flags)  # longer than a vector register
    if whole:
        row(f"{name} of int64", call, given([[0, 1, 3], [2, 5, 4]], "int64"), uses=uses)
        row(f"{name} of uint8", call, given([0, 1, 200], "uint8"), uses=uses)
        row(f"{name} of bool", call, given([True, False], "bool"), uses=uses)


for _name, _maker in {
    "exp": real,
    "expm1": real,
    "log": positive,
    "log2": positive,
    "log10": positive,
    "log1p": positive,
    "sqrt": positive,
    "rsqrt": positive,
    "sin": real,
    "cos": real,
    "reciprocal": positive,
    "square": real,
    "sigmoid": real,
    "tanh": real,
    "relu": real,
    "abs": real,
    "sign": real,
    "neg": real,
    "negative": real,
    "floor": fractions,
    "ceil": fractions,
    "trunc": fractions,
    "round": fractions,
    "isnan": real,
    "isinf": real,
    "isfinite": real,
    "logical_not": real,
    "clone": real,
}.items():
    unary(_name, _maker)
row("bitwise_not", lambda m, x: m.bitwise_not(x), integers(-9, 9, 2, 3))
row("invert", lambda m, x: ~x, mask(3), uses=["__invert__"])
row("bitwise_not of uint8", lambda m, x: m.bitwise_not(x), given([0, 7, 255], "uint8"))
row("bitwise_not of float", lambda m, x: m.bitwise_not(x), real(3))
for _name in ("relu", "silu", "gelu", "logsigmoid", "softplus", "leaky_relu", "elu", "sigmoid", "tanh"):
    unary(f"nn.functional.{_name}", real, whole=False)

row("round decimals", lambda m, x: m.round(x, decimals=2), given([1.2345, -0.5678]))
row("negative reciprocal", lambda m, x: m.reciprocal(x), spread(-2, -0.5, 4))
row("pos", lambda m, x: +x * 1, real(3), uses=["__pos__"])
row("minus", lambda m, x: -x, real(3), uses=["__neg__"])
row("absolute", lambda m, x: abs(x), real(3), uses=["__abs__"])
row(
    "methods of one operand",
    lambda m, x: (
        x.exp()
        .log()
        .sqrt()
        .square()
        .log1p()
        .expm1()
        .reciprocal()
        .neg()
        .abs()
        .sin()
        .cos()
        .tanh()
        .sigmoid()
        .relu()
        .rsqrt()
        .log2()
        .log10()
    ),
    unit(4),
)
row("clone method", lambda m, x: x.clone(), real(2, 2))
row("leaky_relu slope", lambda m, x: m.nn.functional.leaky_relu(x, 0.2), real(5))
row("elu alpha", lambda m, x: m.nn.functional.elu(x, alpha=1.7), real(5))
row("gelu tanh", lambda m, x: m.nn.functional.gelu(x, approximate="tanh"), real(2, 5))
row("softplus beta", lambda m, x: m.nn.functional.softplus(x, beta=2.5), real(5))
row("softplus threshold", lambda m, x: m.nn.functional.softplus(x, 1.0, 1.5), spread(-3, 3, 8, away=1.5))
row("softplus far", lambda m, x: m.nn.functional.softplus(x), given([-800.0, 19.5, 25.0, 800.0]))

# far from zero: stable forms, and torch's saturation
for _name in (
    "sigmoid",
    "tanh",
    "nn.functional.logsigmoid",
    "nn.functional.silu",
    "nn.functional.gelu",
    "nn.functional.elu",
    "relu",
    "expm1",
    "exp",
):
    row(
        f"{_name} far",
        lambda m, x, name=_name: reach(m, name)(x),
        given([-1e9, -800.0, -90.0, -30.0, 30.0, 50.0, 80.0]),
        kink=True,
    )

# kinks: relu'(0) = 0, abs'(0) = 0, sqrt'(0) = inf, leaky_relu'(0) = its slope ...
for _name in (
    "relu",
    "abs",
    "sign",
    "sqrt",
    "log",
    "rsqrt",
    "reciprocal",
    "nn.functional.leaky_relu",
    "nn.functional.elu",
    "nn.functional.silu",
    "nn.functional.gelu",
    "floor",
    "log1p",
):
    row(f"{_name} kink", lambda m, x, name=_name: reach(m, name)(x), given([0.0, -0.0, 1.0]), kink=True)
row("elu kink alpha", lambda m, x: m.nn.functional.elu(x, 2.0), given([0.0, 1.0]), kink=True)
for _name in (
    "relu",
    "abs",
    "sign",
    "sigmoid",
    "tanh",
    "exp",
    "sqrt",
    "log",
    "floor",
    "isnan",
    "isinf",
    "isfinite",
    "nn.functional.silu",
    "nn.functional.logsigmoid",
    "nn.functional.softplus",
    "nn.functional.leaky_relu",
):
    row(
        f"{_name} of nan and inf",
        lambda m, x, name=_name: reach(m, name)(x),
        given([np.nan, np.inf, -np.inf, 1.0]),
        kink=True,
    )
row("round halves", lambda m, x: m.round(x), given([-1.5, -0.5, 0.5, 1.5, 2.5]), kink=True)

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

# ------------------------------------------------------------------------------------ choices and bounds
row("where", lambda m, c, a, b: m.where(c, a, b), mask(2, 3), real(2, 3), real(2, 3))
row("where broadcast", lambda m, c, a, b: m.where(c, a, b), mask(2, 1), real(3), real(1, 1))
row(
    "where numbers",
    lambda m, c, a: (m.where(c, a, 0.5), m.where(c, 1, a), m.where(c, 1, 2), m.where(c, 1.0, 0.0)),
    mask(4),
    real(4),
)
row("where mixed", lambda m, c, a, b: m.where(c, a, b), mask(3), real(3), integers(0, 5, 3))
row("where empty", lambda m, c, a, b: m.where(c, a, b), mask(0, 2), real(1, 2), real(2))
row("where 0-d", lambda m, c, a, b: m.where(c, a, b), given(True), real(), real(2))
row("where comparison", lambda m, x: m.where(x > 0, x * 2, x * 3), real(5))
row("masked_fill", lambda m, x, c: m.masked_fill(x, c, -1.5), real(2, 3), mask(2, 3))
row("masked_fill broadcast", lambda m, x, c: x.masked_fill(c, float("-inf")), real(2, 3), mask(3))
row("masked_fill tensor", lambda m, x, c: x.masked_fill(c, m.tensor(7.0)), real(2, 3), mask(2, 1))
row("masked_fill wider", lambda m, x, c: x.masked_fill(c, 2.0), real(3), mask(2, 3))
row("masked_fill int", lambda m, x, c: x.masked_fill(c, 9), integers(0, 5, 3), mask(3))
row("clamp", lambda m, x: m.clamp(x, -0.7, 0.9), spread(-2, 2, 2, 4, away=0.9))
row("clip", lambda m, x: m.clip(x, min=-0.7), spread(-2, 2, 5, away=-0.7))
row("clamp max", lambda m, x: x.clamp(max=0.9), spread(-2, 2, 5, away=0.9))
row("clamp positional max", lambda m, x: x.clamp(None, 0.9), spread(-2, 2, 5, away=0.9))
row("clamp edges", lambda m, x: m.clamp(x, 0, 1), given([0.0, 1.0, 0.5, 2.0, -1.0]), kink=True)
row("clamp crossed", lambda m, x: m.clamp(x, 1, 0), given([-1.0, 0.5, 2.0]), kink=True)
row("clamp nan", lambda m, x: m.clamp(x, 0, 1), given([np.nan, np.inf]), kink=True)
row(
    "clamp tensors",
    lambda m, x, a, b: m.clamp(x, a, b),
    real(2, 3),
    spread(-1.9, -1.1, 3),
    spread(1.1, 1.9, 2, 1),
)
row(
    "clamp tensor min",
    lambda m, x, a: x.clamp(min=a),
    real(5),
    spread(-0.52, 0.5, 5, away=None),
    numeric=False,
)
row("clamp tensor edges", lambda m, x, a: x.clamp(min=a), given([1.0, 2.0]), given([1.0, 1.5]), kink=True)
row("clamp int", lambda m, x: (m.clamp(x, 1, 3), m.clamp(x, 0.5, 2.5)), integers(0, 6, 5))
row("clamp nothing", lambda m, x: m.clamp(x), real(2))
row("clamp empty", lambda m, x: m.clamp(x, 0, 1), real(0, 2))

# ------------------------------------------------------------------------------------------- reductions
ALONG: dict[str, Callable[..., Any]] = {
    "sum": lambda m, x, **o: m.sum(x, **o),
    "mean": lambda m, x, **o: m.mean(x, **o),
    "var": lambda m, x, **o: m.var(x, **o),
    "std": lambda m, x, **o: m.std(x, **o),
    "amax": lambda m, x, **o: m.amax(x, **o),
    "amin": lambda m, x, **o: m.amin(x, **o),
    "any": lambda m, x, **o: m.any(x > 0, **o),
    "all": lambda m, x, **o: m.all(x > 0, **o),
    "norm": lambda m, x, **o: m.norm(x, **o),
    "prod": lambda m, x, **o: m.prod(x, **o),
    "max": lambda m, x, **o: m.max(x, **o),
    "min": lambda m, x, **o: m.min(x, **o),
    "argmax": lambda m, x, **o: m.argmax(x, **o),
    "argmin": lambda m, x, **o: m.argmin(x, **o),
    "logsumexp": lambda m, x, **o: m.logsumexp(x, **o),
    "softmax": lambda m, x, **o: m.softmax(x, **o),
    "log_softmax": lambda m, x, **o: m.log_softmax(x, **o),
}
SEVERAL = ("sum", "mean", "var", "std", "amax", "amin", "any", "all", "norm", "logsumexp")
KEEPING = (*SEVERAL, "prod", "max", "min", "argmax", "argmin")
WHOLE = tuple(name for name in KEEPING if name != "logsumexp")


def along(name: str, maker: Maker, label: str, **options: Any) -> None:
    """A reduction of `maker`'s array under these options."""
    function = ALONG[name]

    def call(m: Any, x: Any) -> Any:
        return function(m, x, **options)

    row(f"{name} {label} {options or ''}".strip(), call, maker, uses=[name, *_names(function.__code__)])


for _name in ALONG:
    if _name in WHOLE:
        along(_name, real(2, 3), "whole")
        along(_name, real(), "0-d")
        along(_name, real(0, 3), "empty")
        along(_name, real(1, 1), "one")
    for _dim in (0, 1, -1):
        along(_name, real(2, 3), "matrix", dim=_dim)
    along(_name, real(3, 2, 4), "cube", dim=1)
    along(_name, real(2, 300), "long", dim=1)
    along(_name, real(2, 3), "outside", dim=2)
    for _dim in (0, -1):
        along(_name, real(), "0-d", dim=_dim)
    along(_name, real(0, 3), "empty rows", dim=1)
    along(_name, real(0, 3), "empty columns", dim=0)
    along(_name, given([[1, 2, 0], [4, 5, 3]], "int64"), "int64", dim=1)
    along(_name, given([[True, False]], "bool"), "bool", dim=1)
    along(_name, given([[np.nan, 1.0], [np.inf, -np.inf], [-np.inf, -np.inf]]), "nan and inf", dim=1)
    if _name in KEEPING:
        along(_name, real(2, 3), "kept", dim=0, keepdim=True)
        along(_name, real(2, 3, 2), "kept", dim=-1, keepdim=True)
        along(_name, real(), "0-d kept", dim=0, keepdim=True)
    if _name in SEVERAL:
        along(_name, real(2, 3, 4), "several", dim=(0, 2))
        along(_name, real(2, 3, 4), "several", dim=(-1, 0), keepdim=True)
        along(_name, real(2, 3), "repeated", dim=(0, 0))

for _name in WHOLE:
    along(_name, given([[1, 2, 0], [4, 5, 3]], "int64"), "whole int64")
    along(_name, given([1, 2, 250], "uint8"), "whole uint8")
    along(_name, given([True, False, True], "bool"), "whole bool")
for _name in ("any", "all"):
    row(
        f"{_name} of numbers",
        lambda m, x, name=_name: (getattr(m, name)(x), getattr(x, name)(dim=0)),
        given([[0.0, 1.0], [0.0, np.nan]]),
        uses=[_name],
    )
    row(f"{_name} of uint8", lambda m, x, name=_name: getattr(m, name)(x), given([0, 2], "uint8"))
for _name in ("sum", "mean", "prod"):
    row(f"{_name} dtype", lambda m, x, name=_name: getattr(m, name)(x, dtype=m.float64), real(2, 3))
    row(
        f"{_name} dim dtype",
        lambda m, x, name=_name: getattr(m, name)(x, 1, dtype=m.float32),
        integers(1, 5, 2, 3),
    )
for _name in ("var", "std"):
    row(
        f"{_name} unbiased",
        lambda m, x, name=_name: (getattr(m, name)(x, False), getattr(m, name)(x, 0, False)),
        real(3, 4),
    )
    row(
        f"{_name} correction",
        lambda m, x, name=_name: getattr(m, name)(x, dim=0, correction=0.5, keepdim=True),
        real(3, 4),
    )
    row(f"{_name} method", lambda m, x, name=_name: getattr(x, name)(1, unbiased=True), real(3, 4))
row("var of equals", lambda m, x: m.var(x), given([2.0, 2.0, 2.0]), kink=True)
row("std of equals", lambda m, x: m.std(x), given([2.0, 2.0, 2.0]), kink=True)
row(
    "norm p",
    lambda m, x: (m.norm(x, 1), m.norm(x, p=float("inf"), dim=1), m.norm(x, 2, 0), x.norm()),
    real(2, 3),
)
row("norm zero", lambda m, x: (m.norm(x), m.norm(x, 1)), given([0.0, 0.0]), kink=True)
row("norm rows with zero", lambda m, x: m.norm(x, dim=1), given([[0.0, 0.0], [3.0, 4.0]]), kink=True)
row("prod with a zero", lambda m, x: m.prod(x), given([2.0, 0.0, 3.0]))
row("prod with zeros", lambda m, x: m.prod(x, 1), given([[2.0, 0.0, 3.0], [0.0, 0.0, 1.0], [1.0, 2.0, 4.0]]))
row("max ties", lambda m, x: (m.max(x), m.amax(x, 1)), given([[1.0, 3.0], [3.0, 3.0]]), kink=True)
row("min ties", lambda m, x: (m.min(x), m.amin(x, 1)), given([[1.0, 1.0], [1.0, 3.0]]), kink=True)
row("max dim ties", lambda m, x: m.max(x, 1), given([[1.0, 3.0, 3.0], [3.0, 3.0, 3.0]]), kink=True)
row("min dim ties", lambda m, x: m.min(x, 1), given([[1.0, 1.0, 3.0], [3.0, 3.0, 3.0]]), kink=True)
row("max parts", lambda m, x: (x.max(1).values, x.max(1)[1], x.min(0, keepdim=True).indices), real(3, 4))
row("max of two", lambda m, a, b: (m.max(a, b), a.min(b), m.max(a, other=b)), real(3), fractions(3))
row(
    "argmax nan",
    lambda m, x: (m.argmax(x), m.argmin(x), m.max(x), m.min(x), m.max(x, 0)),
    given([1.0, np.nan, 3.0, np.nan]),
    kink=True,
)
row("argmax methods", lambda m, x: (x.argmax(), x.argmin(1), x.argmax(0, True)), real(3, 4))
row(
    "reduction methods",
    lambda m, x: (
        x.sum(),
        x.sum(0),
        x.mean(1),
        x.prod(),
        x.amax((0, 1)),
        x.amin(1),
        x.any(),
        x.all(0),
        x.logsumexp(1),
    ),
    real(2, 3),
)
row("sum positional", lambda m, x: (x.sum(1, True), x.sum((0, 1)), x.sum([0, 1]), x.sum(())), real(2, 3))
row("sum_to_size", lambda m, x: x.sum_to_size(2, 1), real(3, 2, 4))

# softmax and its relatives
row(
    "softmax far",
    lambda m, x: (m.softmax(x, 1), m.log_softmax(x, 1), m.logsumexp(x, 1)),
    given([[1e9, 0.0, -1e9], [100.0, 101.0, 102.0], [-1e9, -1e9, -1e9]]),
    kink=True,
)
row(
    "softmax masked",
    lambda m, x: (m.softmax(x, 1), m.log_softmax(x, 1), m.logsumexp(x, 1)),
    given([[-np.inf, 0.0, 1.0], [2.0, -np.inf, 2.0]]),
    kink=True,
)
row("softmax dtype", lambda m, x: m.softmax(x, 1, dtype=m.float64), real(2, 3))
row("log_softmax dtype", lambda m, x: m.log_softmax(x, 0, dtype=m.float32), integers(0, 4, 2, 3))
row("softmax methods", lambda m, x: (x.softmax(0), x.log_softmax(dim=-1)), real(2, 3))
row("softmin", lambda m, x: m.nn.functional.softmin(x, dim=1), real(2, 3))
row(
    "softmax functional",
    lambda m, x: (m.nn.functional.softmax(x, dim=1), m.nn.functional.log_softmax(x, dim=0)),
    real(2, 3),
)
row("softmax of one", lambda m, x: (m.softmax(x, 1), m.log_softmax(x, 1)), real(3, 1))


# layer_norm
def layer_norm(name: str, sizes: tuple[int, ...], *makers: Maker, **options: Any) -> None:
    """Over the last dimensions, `sizes`; options come after the tensors."""

    def call(m: Any, x: Any, *affine: Any) -> Any:
        return m.nn.functional.layer_norm(x, sizes, *affine, **options)

    row(f"layer_norm {name}", call, *makers, uses=["layer_norm"])


layer_norm("plain", (5,), real(3, 5))
layer_norm("weight", (5,), real(3, 5), real(5))
layer_norm("weight and bias", (5,), real(3, 5), real(5), real(5))
layer_norm("two dims", (2, 3), real(4, 2, 3), real(2, 3), real(2, 3), eps=1e-3)
layer_norm("one row", (4,), real(4), real(4), real(4))
layer_norm("long rows", (40,), real(3, 40), real(40), real(40))  # longer than a vector register
layer_norm("nothing", (3,), real(0, 3), real(3), real(3))
layer_norm("other shape", (4,), real(3, 5))
layer_norm("no shape", (), real(3, 5))
layer_norm("weight's shape", (5,), real(3, 5), real(3))
layer_norm("of int64", (3,), integers(0, 4, 2, 3))
row(
    "layer_norm bias alone",
    lambda m, x, b: m.nn.functional.layer_norm(x, (4,), None, b, 0.1),
    real(2, 3, 4),
    real(4),
)
row(
    "layer_norm of equals",
    lambda m, x: m.nn.functional.layer_norm(x, (3,)),
    given([2.0, 2.0, 2.0]),
    kink=True,
)


# rms_norm, group_norm, batch_norm
def rms_norm(name: str, sizes: Any, *makers: Maker, **options: Any) -> None:
    """Over the last dimensions, `sizes`; options come after the tensors."""

    def call(m: Any, x: Any, *affine: Any) -> Any:
        return m.nn.functional.rms_norm(x, sizes, *affine, **options)

    row(f"rms_norm {name}", call, *makers, uses=["rms_norm"])


rms_norm("plain", (5,), real(3, 5))
rms_norm("weight", (5,), real(3, 5), real(5))
rms_norm("two dims", (2, 3), real(4, 2, 3), real(2, 3), eps=1e-3)
rms_norm("one row", (4,), real(4), real(4))
rms_norm("long rows", (40,), real(3, 40), real(40))
rms_norm("nothing", (3,), real(0, 3), real(3))
row(
    "rms_norm of zeros",
    lambda m, x, w: m.nn.functional.rms_norm(x, (3,), w),
    given([0.0, 0.0, 0.0]),
    real(3),
    kink=True,  # as steep as 1 / sqrt(eps)
)
rms_norm("other shape", (4,), real(3, 5))
rms_norm("of int64", (3,), integers(0, 4, 2, 3))
rms_norm("no shape", (), real(3, 5))
rms_norm("weight's shape", (5,), real(3, 5), real(3))


def group_norm(name: str, groups: int, *makers: Maker, **options: Any) -> None:
    """Of `groups` groups; options come after the tensors."""

    def call(m: Any, x: Any, *affine: Any) -> Any:
        return m.nn.functional.group_norm(x, groups, *affine, **options)

    row(f"group_norm {name}", call, *makers, uses=["group_norm"])


group_norm("plain", 2, real(3, 6))
group_norm("weight", 2, real(3, 6), real(6))
group_norm("weight and bias", 2, real(3, 4, 3), real(4), real(4), eps=1e-2)
group_norm("images", 2, real(2, 4, 2, 3), real(4), real(4))
group_norm("each channel", 3, real(2, 3, 4), real(3), real(3))
group_norm("one group", 1, real(2, 3, 2), real(3), real(3))
group_norm("nothing", 2, real(0, 4), real(4), real(4))
group_norm("indivisible", 2, real(2, 5))
group_norm("fewer than no groups", -1, real(2, 4))
group_norm("weight's shape", 2, real(2, 4), real(3))
group_norm("of a vector", 1, real(3))
group_norm("of one value", 2, real(1, 2))
group_norm("of int64", 2, integers(0, 4, 2, 4))


def batch_norm(name: str, *makers: Maker, **options: Any) -> None:
    """In training, without running statistics unless the options have some (numbers)."""

    def call(m: Any, x: Any, *affine: Any) -> Any:
        given = {"running_mean": None, "running_var": None, "training": True, **options}
        for key in ("running_mean", "running_var"):
            if given[key] is not None:
                given[key] = m.tensor(given[key], dtype=x.dtype)
        weight, bias = (*affine, None, None)[:2]
        y = m.nn.functional.batch_norm(x, weight=weight, bias=bias, **given)
        return [y, *(v for v in (given["running_mean"], given["running_var"]) if v is not None)]

    numeric = "running_mean" not in options  # no gradient reaches the input through those
    row(f"batch_norm {name}", call, *makers, uses=["batch_norm"], numeric=numeric)


STATISTICS = {"running_mean": [0.5, -1.0, 2.0], "running_var": [1.0, 0.3, 4.0]}
batch_norm("plain", real(5, 3))
batch_norm("weight", real(5, 3), real(3))
batch_norm("weight and bias", real(5, 3), real(3), real(3), eps=1e-2)
batch_norm("sequences", real(3, 3, 4), real(3), real(3))
batch_norm("images", real(2, 3, 2, 3), real(3), real(3))
batch_norm("one image", real(1, 3, 2, 3), real(3), real(3))
batch_norm("running", real(5, 3), real(3), real(3), **STATISTICS)
batch_norm("running, momentum", real(3, 3, 4), momentum=0.3, **STATISTICS)
batch_norm("running alone", real(5, 3), real(3), real(3), training=False, **STATISTICS)
batch_norm("running alone, images", real(2, 3, 2, 3), real(3), real(3), training=False, **STATISTICS)
batch_norm("running alone, one sample", real(1, 3), training=False, **STATISTICS)
batch_norm("nothing", real(0, 3), real(3), real(3), **STATISTICS)
batch_norm("other channels", real(5, 4), **STATISTICS)
batch_norm("weight's shape", real(5, 3), real(2))
batch_norm("bias's shape", real(5, 3), real(3), real(1))
batch_norm("of a vector", real(3))
batch_norm("no statistics", real(5, 3), training=False)
batch_norm("of one value", real(1, 3))
batch_norm("of no eps", real(5, 3), eps=0.0)
batch_norm("of int64", integers(0, 4, 5, 3))
row(
    "batch_norm bias alone",
    lambda m, x, b: m.nn.functional.batch_norm(x, None, None, None, b, True),
    real(5, 3),
    real(3),
)
row(
    "batch_norm of equals",
    lambda m, x: m.nn.functional.batch_norm(x, None, None, training=True),
    given([[2.0, -1.0]] * 3),
    kink=True,
)


# normalize, embedding
def normalize(name: str, maker: Maker, kink: bool = False, **options: Any) -> None:
    row(f"normalize {name}", lambda m, x: m.nn.functional.normalize(x, **options), maker, kink=kink)


normalize("rows", real(3, 4))
normalize("columns", real(3, 4), dim=0)
normalize("p=1", real(3, 4), p=1)
normalize("p=3", real(3, 4), p=3.0, dim=-1)
normalize("p=inf", real(3, 4), p=float("inf"))
normalize("p=0", real(3, 4), kink=True, p=0)
normalize("two dims", real(2, 3, 2), dim=(0, 2))
normalize("short", given([[1e-3, -2e-3], [3.0, 4.0]]), eps=0.5)
normalize("of zeros", given([[0.0, 0.0]]), kink=True)
normalize("nothing", real(0, 3))
normalize("no such dim", real(3), dim=1)


def embedding(name: str, table: Maker, index: Maker, numeric: bool = True, **options: Any) -> None:
    """The rows of a table; where the gradient leaves rows out or scales them, none is checked numerically."""
    call = lambda m, w, i: m.nn.functional.embedding(i, w, **options)  # noqa: E731
    row(f"embedding {name}", call, table, index, numeric=numeric, uses=["embedding"])


embedding("rows", real(4, 3), integers(0, 4, 5))
embedding("matrix", real(4, 3), integers(0, 4, 2, 3))
embedding("one", real(4, 3), given(2))
embedding("int32", real(4, 3), given([3, 0, 3], "int32"))
embedding("wide", real(3, 70), given([[2, 0], [2, 2]]))
embedding("padding", real(4, 2), given([[1, 2], [1, 0]]), numeric=False, padding_idx=1)
embedding("padding from the end", real(4, 2), given([3, 1, 1, 3]), numeric=False, padding_idx=-1)
embedding("by frequency", real(4, 2), given([3, 1, 1, 3, 1]), numeric=False, scale_grad_by_freq=True)
embedding("nothing", real(4, 2), given(np.zeros((0, 3)), "int64"))
embedding("outside", real(4, 2), given([1, 4]))
embedding("negative", real(4, 2), given([1, -1]))
embedding("of floats", real(4, 2), real(2))
embedding("of bytes", real(4, 2), given([1], "uint8"))
embedding("of a vector", real(4), given([1]))


def embedding_bag(name: str, mode: str, table: Maker, index: Any, offsets: Any = None, **flags: Any) -> None:
    """Of bags that offsets cut from a vector of indices, or that are its rows; flags are options as well."""
    numeric = flags.pop("numeric", True)
    factors = [flags.pop("factors")] if "factors" in flags else []

    def call(m: Any, w: Any, *factors: Any) -> Any:
        starts = None if offsets is None else m.tensor(offsets)
        given = {"per_sample_weights": factors[0]} if factors else {}
        bag = m.nn.functional.embedding_bag
        return bag(m.tensor(index), w, starts, mode=mode, **given, **flags)

    row(f"embedding_bag {name}", call, table, *factors, uses=["embedding_bag"], numeric=numeric)


for mode in ("sum", "mean", "max"):
    embedding_bag(f"{mode}, rows", mode, real(5, 3), [[0, 4, 1], [2, 0, 3]])
    embedding_bag(f"{mode}, offsets", mode, real(5, 3), [0, 4, 1, 2, 1], [0, 2, 2])
    embedding_bag(
        f"{mode}, padding", mode, real(4, 2), [0, 3, 1, 3, 2], [0, 2, 4], padding_idx=3, numeric=False
    )
    embedding_bag(f"{mode}, last offset", mode, real(4, 2), [0, 3, 1], [0, 1, 3], include_last_offset=True)
embedding_bag("weights", "sum", real(5, 3), [[0, 4], [2, 0]], factors=real(2, 2))
embedding_bag("weights, offsets", "sum", real(5, 3), [0, 4, 1, 1], [0, 1], factors=real(4))
embedding_bag("late offset", "mean", real(5, 3), [0, 4, 1], [1, 2])
embedding_bag("far offset", "mean", real(5, 3), [0, 4, 1], [0, 4])
embedding_bag("no offsets", "mean", real(5, 3), [0, 4, 1])
embedding_bag("mode", "min", real(5, 3), [[0, 4]])
embedding_bag("max by frequency", "max", real(5, 3), [[0, 4]], scale_grad_by_freq=True)


# ----------------------------------------------------------------------------------------------- shapes
row("reshape", lambda m, x: m.reshape(x, (3, 2)), real(2, 3))
row(
    "reshape -1",
    lambda m, x: (x.reshape(-1), x.reshape(3, -1), x.reshape((1, 6)), x.reshape([2, 3])),
    real(2, 3),
)
row("reshape empty", lambda m, x: x.reshape(3, 0), real(0, 2))
row("reshape 0-d", lambda m, x: (x.reshape(1, 1), x.reshape(())), real())
row("reshape transposed", lambda m, x: x.t().reshape(6), real(2, 3))
row("reshape misfit", lambda m, x: x.reshape(4), real(2, 3))
row("reshape two unknowns", lambda m, x: x.reshape(-1, -1), real(2, 3))
row("reshape ambiguous", lambda m, x: x.reshape(0, -1), real(0, 3))
row("view", lambda m, x: (x.view(6), x.view(-1, 2), x.view((1, 2, 3))), real(2, 3), dense=True)
row("view transposed", lambda m, x: x.t().view(6), real(2, 3))
row("view_as", lambda m, x, y: (x.view_as(y), x.reshape_as(y)), real(2, 3), real(3, 2), dense=True)
row(
    "flatten",
    lambda m, x: (m.flatten(x), x.flatten(1), x.flatten(0, 1), x.flatten(-2, -1), x.flatten(1, 1)),
    real(2, 3, 2),
)
row("flatten 0-d", lambda m, x: m.flatten(x), real())
row("flatten backwards", lambda m, x: x.flatten(2, 1), real(2, 3, 2))
row("permute", lambda m, x: (m.permute(x, (2, 0, 1)), x.permute(0, -1, 1)), real(2, 3, 4))
row("permute misfit", lambda m, x: x.permute(0, 1), real(2, 3, 4))
row("permute repeated", lambda m, x: x.permute(0, 0, 1), real(2, 3, 4))
row("transpose", lambda m, x: (m.transpose(x, 0, 1), x.transpose(-1, 0)), real(2, 3, 4))
row("transpose outside", lambda m, x: x.transpose(0, 3), real(2, 3, 4))
row("t", lambda m, x: (m.t(x), x.t()), real(2, 3))
row("t vector", lambda m, x: x.t(), real(3))
row("t cube", lambda m, x: x.t(), real(2, 3, 4))
row("T", lambda m, x: x.T, real(2, 3))
row("mT", lambda m, x: x.mT, real(2, 3, 4))
row("squeeze", lambda m, x: m.squeeze(x), real(1, 3, 1))
row("squeeze dim", lambda m, x: (x.squeeze(0), x.squeeze(-1), x.squeeze(1)), real(1, 3, 1))
row("squeeze dims", lambda m, x: x.squeeze((0, 1)), real(1, 3, 1))
row("squeeze outside", lambda m, x: x.squeeze(3), real(1, 3, 1))
row("unsqueeze", lambda m, x: (m.unsqueeze(x, 0), x.unsqueeze(-1), x.unsqueeze(1)), real(2, 3))
row("unsqueeze outside", lambda m, x: x.unsqueeze(3), real(2, 3))
row("expand", lambda m, x: (x.expand(2, 3), x.expand(4, 2, 3), x.expand(-1, 3), x.expand((2, 1))), real(2, 1))
row("expand 0-d", lambda m, x: x.expand(2, 2), real())
row("expand_as", lambda m, x, y: x.expand_as(y), real(3), real(2, 3))
row("expand misfit", lambda m, x: x.expand(2, 4), real(2, 3))
row("expand fewer", lambda m, x: x.expand(3), real(2, 3))
row("expand -1 leading", lambda m, x: x.expand(-1, 2, 3), real(2, 3))
row("broadcast_tensors", lambda m, a, b: m.broadcast_tensors(a, b), real(2, 1), real(3))
row("broadcast_shapes", lambda m, x: x.expand(m.broadcast_shapes((2, 1), (3,), (1, 1))), real(3))
row("broadcast_shapes misfit", lambda m, x: m.broadcast_shapes((2,), (3,)), real(3))
row("cat", lambda m, a, b: m.cat([a, b]), real(2, 3), real(1, 3))
row("cat dim", lambda m, a, b: m.cat((a, b, a), dim=-1), real(2, 3), real(2, 1))
row("cat empty", lambda m, a, b: m.cat([a, b], 1), real(2, 0), real(2, 1))
row("cat legacy empty", lambda m, a, b: m.cat([a.detach(), b]), real(0), real(2, 3))
row("cat dtypes", lambda m, a, b: m.cat([a, b]), real(2), integers(0, 5, 3))
row("cat ints", lambda m, a, b: m.concat([a, b]), given([1, 2], "uint8"), integers(0, 5, 3))
row("cat one", lambda m, a: m.cat([a]), real(2, 3))
row("cat misfit", lambda m, a, b: m.cat([a, b]), real(2, 3), real(2, 2))
row("cat ranks", lambda m, a, b: m.cat([a, b]), real(2, 3), real(2))
row("cat 0-d", lambda m, a: m.cat([a, a]), real())
row("cat nothing", lambda m, a: m.cat([]), real())
row("concat", lambda m, a, b: m.concat([a, b], dim=1), real(2, 3), real(2, 1))
row(
    "stack",
    lambda m, a, b: (m.stack([a, b]), m.stack((a, b), dim=1), m.stack([a, b], -1)),
    real(2, 3),
    real(2, 3),
)
row("stack 0-d", lambda m, a, b: m.stack([a, b]), real(), real())
row("stack dtypes", lambda m, a, b: m.stack([a, b]), real(3), integers(0, 5, 3))
row("stack misfit", lambda m, a, b: m.stack([a, b]), real(2, 3), real(2))
row("stack nothing", lambda m, a: m.stack([]), real())
row("split", lambda m, x: m.split(x, 2), real(5, 2))
row("split dim", lambda m, x: (*x.split(2, dim=1), *x.split([1, 3], -1)), real(2, 4))
row("split sum", lambda m, x: [part.sum() * i for i, part in enumerate(x.split(2), 1)], real(5, 2))
row("split misfit", lambda m, x: x.split([1, 1]), real(5, 2))
row("chunk", lambda m, x: (*m.chunk(x, 2), *x.chunk(4), *x.chunk(9, 1)), real(5, 2))
row("chunk none", lambda m, x: x.chunk(0), real(5, 2))
row("unbind", lambda m, x: (*m.unbind(x), *x.unbind(1)), real(2, 3))
row("narrow", lambda m, x: (m.narrow(x, 0, 1, 2), x.narrow(1, 0, 1), x.narrow(-1, -1, 1)), real(3, 2))
row("narrow outside", lambda m, x: x.narrow(0, 2, 2), real(3, 2))
row("contiguous", lambda m, x: x.t().contiguous() * 1, real(2, 3))
row("iteration", lambda m, x: [part * i for i, part in enumerate(x)], real(3, 2), uses=["__iter__"])

# ------------------------------------------------------------------------------------------- conversions
row(
    "casts",
    lambda m, x: (x.float(), x.double(), x.long(), x.int(), x.short(), x.char(), x.byte(), x.bool()),
    spread(1, 9, 4),
)
row("casts of ints", lambda m, x: (x.float(), x.double(), x.int(), x.bool(), x.byte()), integers(0, 9, 4))
row(
    "to",
    lambda m, x: (
        x.to(m.float64),
        x.to("cpu"),
        x.to(dtype=m.float32),
        x.to("cpu", m.float64),
        x.to(m.zeros(1, dtype=m.float64)),
    ),
    real(3),
)
row("type", lambda m, x: (x.type(m.float64), x.type("torch.DoubleTensor"), x.type_as(m.zeros(1))), real(3))
row(
    "cast and back",
    lambda m, x: x.double() * x.double().float() + x.float(),
    given([0.5, 1.25, -2.0]),
    numeric=False,
)
row("detach", lambda m, x: x.detach() * x, real(3), numeric=False)

# --------------------------------------------------------------------------------------------- indexing
row("index integer", lambda m, x: (x[0], x[-1], x[1, 2], x[0][1]), real(2, 3))
row(
    "index slices",
    lambda m, x: (x[1:], x[:, ::2], x[:2, 1:3], x[..., 0], x[:, None], x[None], x[1:1]),
    real(3, 4),
)
row("index whole", lambda m, x: (x[:], x[...], x[()]), real(3, 4))
row("index negative", lambda m, x: (x[-2:], x[:-1, -1], x[-1:, ..., -2]), real(3, 4))
row("index list", lambda m, x: (x[[0, 2, 0]], x[:, [1, 1]], x[[0, 1], [1, 2]]), real(3, 4))
row("index tensor", lambda m, x, i: (x[i], x[:, i], x[i, i]), real(3, 3), integers(-3, 3, 4))
row(
    "index tensors apart",
    lambda m, x, i: (x[i, :, i], x[:, i, i], x[i, None, i]),
    real(3, 3, 3),
    integers(0, 3, 2),
)
row("index matrix", lambda m, x, i: x[i], real(3, 2), integers(0, 3, 2, 2))
row(
    "index mask",
    lambda m, x, c: (x[c], x[:, c[0]]),
    real(2, 3),
    given([[True, False, True], [False, False, True]]),
)
row("index mask rows", lambda m, x, c: x[c], real(3, 2), given([True, False, True]))
row("index mask none", lambda m, x, c: x[c], real(3, 2), given([False, False, False]))
row("index comparison", lambda m, x: x[x > 0] * 2, real(6))
row(
    "index mixed",
    lambda m, x, i: (x[0, i], x[i, 1:], x[..., i, 0], x[i, None]),
    real(3, 4),
    integers(0, 3, 2),
)
row("index 0-d tensor", lambda m, x: x[m.tensor(1)], real(3, 2))
row("index 0-d", lambda m, x: (x[()], x[...], x[None]), real())
row("index bool", lambda m, x: (x[True], x[False]), real(2, 2))
row("index empty list", lambda m, x: x[[]], real(3, 2))
row("index uint8", lambda m, x, c: x[c.bool()], real(3), given([1, 0, 1], "uint8"))
row("index outside", lambda m, x: x[5], real(3, 2))
row("index tensor outside", lambda m, x, i: x[i], real(3, 2), given([0, 7], "int64"))
row("index too many", lambda m, x: x[0, 0, 0], real(3, 2))
row("index mask misfit", lambda m, x, c: x[c], real(3, 2), mask(2))
row("index float", lambda m, x: x[1.0], real(3, 2))
row("index float tensor", lambda m, x, i: x[i], real(3, 2), real(2))
row("index step", lambda m, x: x[::-1], real(3, 2))
row("index 0-d too far", lambda m, x: x[0], real())
row("gather", lambda m, x, i: m.gather(x, 1, i), real(2, 3), integers(0, 3, 2, 4))
row("gather dim 0", lambda m, x, i: x.gather(0, i), real(3, 2), integers(0, 3, 4, 1))
row("gather negative dim", lambda m, x, i: x.gather(-1, i), real(2, 2, 3), integers(0, 3, 2, 1, 2))
row("gather 0-d", lambda m, x, i: x.gather(0, i), real(), given(0, "int64"))
row("gather vector", lambda m, x, i: x.gather(0, i), real(4), integers(0, 4, 6))
row("gather empty", lambda m, x, i: x.gather(0, i), real(3, 2), given(np.zeros((0, 2)), "int64"))
row("gather outside", lambda m, x, i: x.gather(0, i), real(3), given([3], "int64"))
row("gather ranks", lambda m, x, i: x.gather(0, i), real(3, 2), given([1], "int64"))
row("gather float index", lambda m, x, i: x.gather(0, i), real(3), real(2))
row("one_hot", lambda m, i: m.nn.functional.one_hot(i), integers(0, 4, 2, 3))
row("one_hot classes", lambda m, i: m.nn.functional.one_hot(i, num_classes=6), integers(0, 4, 5))
row("one_hot too few", lambda m, i: m.nn.functional.one_hot(i, 2), given([0, 3], "int64"))
row("one_hot negative", lambda m, i: m.nn.functional.one_hot(i), given([0, -1], "int64"))
row("one_hot float", lambda m, i: m.nn.functional.one_hot(i), real(2))
row("one_hot empty", lambda m, i: m.nn.functional.one_hot(i, 3), given([], "int64"))

# -------------------------------------------------------------------------------------------- products
PRODUCTS = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3, 4)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 4)),
    ((2, 1, 2, 3), (5, 3, 4)),
    ((0, 3), (3, 4)),
    ((2, 0), (0, 4)),
    ((1, 1), (1, 1)),
    ((4, 2, 3), (1, 3, 2)),
]
for _left, _right in PRODUCTS:
    row(f"matmul {list(_left)} {list(_right)}", lambda m, a, b: m.matmul(a, b), real(*_left), real(*_right))
row("matmul operator", lambda m, a, b: (a @ b, b.matmul(a)), real(2, 3), real(3, 2), uses=["__matmul__"])
row("matmul square", lambda m, x: x @ x @ x.T, real(3, 3))
row("matmul ints", lambda m, a, b: a @ b, integers(-4, 5, 2, 3), integers(-4, 5, 3, 2))
row("matmul misfit", lambda m, a, b: a @ b, real(4, 5), real(3, 2))
row("matmul vector misfit", lambda m, a, b: a @ b, real(4), real(3))
row("matmul matrix vector misfit", lambda m, a, b: a @ b, real(4, 5), real(3))
row("matmul 0-d", lambda m, a, b: a @ b, real(), real(3))
row("matmul dtypes", lambda m, a, b: a @ b, real(2, 3), integers(0, 3, 3, 2))
row("matmul batch misfit", lambda m, a, b: a @ b, real(2, 2, 3), real(3, 3, 2))
row("mm", lambda m, a, b: (m.mm(a, b), a.mm(b)), real(2, 3), real(3, 4))
row("mm vector", lambda m, a, b: m.mm(a, b), real(2, 3), real(3))
row("dot", lambda m, a, b: (m.dot(a, b), a.dot(b)), real(4), real(4))
row("dot matrix", lambda m, a, b: m.dot(a, b), real(2, 2), real(2))
for _batch in ((), (4,), (2, 4), (0,)):
    row(
        f"linear {list(_batch)}",
        lambda m, x, w, b: m.nn.functional.linear(x, w, b),
        real(*_batch, 3),
        real(2, 3),
        real(2),
    )
    row(
        f"linear without bias {list(_batch)}",
        lambda m, x, w: m.nn.functional.linear(x, w),
        real(*_batch, 3),
        real(2, 3),
    )
row("linear misfit", lambda m, x, w, b: m.nn.functional.linear(x, w, b), real(4, 5), real(2, 3), real(2))
row(
    "linear wide",
    lambda m, x, w, b: m.nn.functional.linear(x, w, b),
    real(70, 50),
    real(40, 50),
    real(40),
    numeric=False,
    digits=4,
)

# ------------------------------------------------------------------------------- in place, and views of
row("in-place operators", lambda m, x, y: _in_place_operators(x.clone(), y), positive(2, 3), positive(3))
row(
    "in-place twins",
    lambda m, x: (
        x.clone().add_(1).mul_(2).sub_(0.5).div_(3).neg_(),
        x.clone().pow_(2),
        x.clone().abs_(),
        x.clone().sqrt_(),
        x.clone().exp_(),
        x.clone().log_(),
        x.clone().sigmoid_(),
        x.clone().tanh_(),
        x.clone().relu_(),
        x.clone().clamp_(0, 3),
    ),
    unit(2, 3),
)
row("in-place alpha", lambda m, x, y: (x * 1).add_(y, alpha=2).sub_(y, alpha=0.5), real(2, 3), real(3))
row(
    "in-place fills",
    lambda m, x: (x.clone().zero_() + x, x.clone().fill_(2.5) * x, x.clone().copy_(x * 3)),
    real(3),
    numeric=True,
)
row("in-place masked_fill", lambda m, x, c: x.clone().masked_fill_(c, 0.5) * x, real(4), mask(4))
row("in-place round", lambda m, x: x.clone().round_() + x, fractions(4))
row("in-place widening", lambda m, x: x.clone().add_(m.ones(2, 3)), real(3))
row("in-place int by float", lambda m, x: x.clone().mul_(0.5), integers(1, 5, 3))
row("in-place int division", lambda m, x: x.clone().div_(2), integers(1, 5, 3))
row("in-place ints", lambda m, x: x.clone().add_(1).mul_(3), integers(1, 5, 3))


def _in_place_operators(x: Any, y: Any) -> Any:
    x += y
    x *= y
    x -= 0.5
    x /= y
    x **= 2
    return x


def writing(name: str, write: Callable[..., Any], *makers: Maker) -> None:
    """A row whose call writes into a copy of x and returns it."""

    def call(m: Any, x: Any, *rest: Any) -> Any:
        copy = x.clone()
        write(m, copy, *rest)
        return copy * 2

    row(f"write {name}", call, *makers, uses=["__setitem__", *_names(write.__code__)])


def _assign(x: Any, index: Any, value: Any) -> None:
    x[index] = value


writing("integer", lambda m, x, v: _assign(x, 0, v), real(2, 3), real(3))
writing("number", lambda m, x: _assign(x, (slice(None), 1), 0.5), real(2, 3))
writing("slice", lambda m, x, v: _assign(x, slice(1, None), v), real(3, 2), real(1, 2))
writing("element", lambda m, x, v: _assign(x, (1, 1), v), real(2, 3), real())
writing("whole", lambda m, x, v: _assign(x, Ellipsis, v), real(2, 3), real(3))
writing("list", lambda m, x, v: _assign(x, [0, 2], v), real(3, 2), real(2, 2))
writing("tensor", lambda m, x, v, i: _assign(x, i, v), real(3, 2), real(2), given([0, 2], "int64"))
writing(
    "mask", lambda m, x, v, c: _assign(x, c, v), real(2, 3), real(3), given([[1, 0, 1], [0, 0, 1]], "bool")
)
writing("mask number", lambda m, x, c: _assign(x, c, -1), real(2, 3), mask(2, 3))
writing("leading ones", lambda m, x, v: _assign(x, 0, v), real(2, 3), real(1, 3))
writing("misfit", lambda m, x, v: _assign(x, 0, v), real(2, 3), real(2))
writing("itself", lambda m, x: _assign(x, 0, x[1] * 2), real(2, 3))
writing("row view", lambda m, x: x[0].mul_(3), real(2, 3))
writing("column view", lambda m, x, v: x[:, 1].copy_(v), real(2, 3), real(2))
writing("view of view", lambda m, x: x[1:].t()[0].add_(1).mul_(2), real(3, 2))
writing("flat view", lambda m, x: x.view(-1)[::2].exp_(), real(2, 3))
writing("unbound", lambda m, x: x.split(1)[0].mul_(2), real(1, 3))


# ---------------------------------------- what gradients make of writes, seen through base and views alike
def _base_then_old_view(m: Any, x: Any) -> Any:
    base = x * 1
    view = base[0]
    base.mul_(3)
    return view * 2


def _view_then_base(m: Any, x: Any, v: Any) -> Any:
    base = x * 1
    base[1].copy_(v)
    return base * 2, base[1] * 5, base[0] * 7


def _old_views_of_views(m: Any, x: Any, v: Any) -> Any:
    base = x * 1
    rows, flat = base[1:], base.view(-1)
    corner = rows.t()[0]
    flat[3:6] *= 2
    rows[0, 1] = v
    corner += 4
    return corner * 2, rows * 3, flat * 5, base * 7


def _written_before_and_after_use(m: Any, x: Any) -> Any:
    base = x * 1
    before = base.sum()
    base[0] = 0
    between = base.sum()
    base[:, 0] *= 3
    return before, between, base.sum()


def _into_a_constant(m: Any, v: Any) -> Any:
    base = m.zeros(2, 3, dtype=v.dtype)
    view = base[1]
    base[0] = v
    view += v * 2
    return base * 3, view * 5


def _whole_replaced(m: Any, x: Any, v: Any) -> Any:
    base = x * 1
    view = base[0]
    base.copy_(v * 2)
    (v * 1).sum()
    return view * 3, base * 2


def _cycle(m: Any, x: Any) -> Any:
    base = x * 1
    base[0] = base[1] * 3 + base[2]
    base[1] = base[0] + base[2]
    return base


for _call, *_makers in [
    (_base_then_old_view, real(2, 3)),
    (_view_then_base, real(2, 3), real(3)),
    (_old_views_of_views, real(3, 2), real()),
    (_written_before_and_after_use, real(2, 3)),
    (_into_a_constant, real(3)),
    (_whole_replaced, real(2, 3), real(2, 3)),
    (_cycle, real(3, 2)),
]:
    row(f"views {_call.__name__.strip('_').replace('_', ' ')}", _call, *_makers, dense=True)
