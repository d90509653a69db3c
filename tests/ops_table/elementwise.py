"""Elementwise operations of one operand."""

import numpy as np

from ops_table.base import fractions, given, integers, mask, positive, reach, real, row, spread, unary, unit

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
