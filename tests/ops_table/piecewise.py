"""Activations made of pieces."""

import numpy as np

from ops_table.base import RENAMED, given, integers, mask, real, row, spread, unary

for _name in ("hardsigmoid", "hardswish", "softshrink", "hardtanh", "relu6", "selu", "celu", "mish"):
    _maker = lambda *shape: spread(-0.4, 0.4, *shape)  # noqa: E731  (away from the kinks)
    unary(f"nn.functional.{_name}", _maker, whole=False)
unary("hardshrink", lambda *shape: spread(0.6, 3, *shape), whole=False)
unary("celu", real, whole=False)
unary("selu", real, whole=False)

# every piece, and its edges
EDGES = [-7.0, -3.0, -1.0, -0.5, 0.0, 0.25, 0.5, 1.0, 3.0, 6.0, 7.0]
for _name in ("hardsigmoid", "hardswish", "softshrink", "hardshrink", "hardtanh", "relu6", "selu", "celu"):

    def _call(m, x, name=_name):
        return getattr(m.nn.functional, name)(x)

    row(f"{_name} edges", _call, given(EDGES), kink=True)
    row(f"{_name} of nan", _call, given([np.nan, np.inf, -np.inf, 1.0]), kink=True)
    row(f"{_name} of int64", _call, integers(-9, 9, 3))
    row(f"{_name} of bool", _call, mask(3))
row("hardtanh wide", lambda m, x: m.nn.functional.hardtanh(x, -2.0, 0.5), given(EDGES), kink=True)
row("hardtanh empty range", lambda m, x: m.nn.functional.hardtanh(x, 2.0, 0.5), real(3))
row("hardshrink lambd", lambda m, x: x.hardshrink(1.5), given(EDGES), kink=True)
row("softshrink lambd", lambda m, x: m.nn.functional.softshrink(x, 1.5), given(EDGES), kink=True)
row("softshrink negative", lambda m, x: m.nn.functional.softshrink(x, -1.5), real(3))
row("celu alpha", lambda m, x: m.nn.functional.celu(x, 0.375), real(4, 5))
row("celu negative alpha", lambda m, x: m.celu(x, -0.75), real(4, 5))
row("celu zero alpha", lambda m, x: m.celu(x, 0.0), real(4))
row("threshold function", lambda m, x: m.nn.functional.threshold(x, 0.0, -2.0), real(3, 4))

# prelu
_PRELU = lambda m, x, w: m.prelu(x, w)  # noqa: E731
row("prelu", _PRELU, real(3, 4), given([0.3]))
row("prelu channels", _PRELU, real(2, 3, 4), given([0.3, -0.2, 0.7]))
row("prelu table", _PRELU, real(2, 3), given([0.3, -0.2, 0.7]))
row("prelu vector", _PRELU, real(5), given([0.3]))
row("prelu 0-d", _PRELU, given(-0.7), given([0.3]))
row("prelu 0-d weight", lambda m, x, w: x.prelu(w), real(2, 3), given(0.3))
row("prelu nothing", _PRELU, real(0, 3), given([0.3, -0.2, 0.7]))
row("prelu at zero", _PRELU, given([0.0, -0.0, 1.0]), given([0.3]), kink=True)
row("prelu misfit", _PRELU, real(2, 3), real(2))
row("prelu misfit of a vector", _PRELU, real(3), real(3))
row("prelu misfit 0-d", _PRELU, given(-0.7), real(2))
row("prelu wide weight", _PRELU, real(2, 3), real(1, 3))
row("prelu function", lambda m, x, w: m.nn.functional.prelu(x, w), real(2, 3), given([0.3]))

# rrelu (without training; the draws are in test_activations.py), glu
row("rrelu", lambda m, x: m.rrelu(x), real(3, 4))
row("rrelu bounds", lambda m, x: m.nn.functional.rrelu(x, 0.2, 0.6), given([-1.0, 0.0, 2.0]), kink=True)
row("rrelu crossed", lambda m, x: m.rrelu(x, 0.5, 0.2), real(3))
row("glu", lambda m, x: m.nn.functional.glu(x), real(3, 4))
row("glu first", lambda m, x: m.nn.functional.glu(x, 0), real(4, 3))
row("glu nothing", lambda m, x: m.nn.functional.glu(x, 1), real(0, 4))
row("glu odd", lambda m, x: m.nn.functional.glu(x), real(4, 3))
row("glu 0-d", lambda m, x: m.nn.functional.glu(x), real())
row("glu dim", lambda m, x: m.nn.functional.glu(x, 3), real(4, 3))
row("glu of int64", lambda m, x: m.nn.functional.glu(x), integers(0, 4, 2, 4))

# nn.functional's twins in place
RENAMED["in place *"] = "the node is that of the operation out of place"
row("in place relu_", lambda m, x: m.nn.functional.relu_(x + 0), real(2, 3))
row("in place elu_", lambda m, x: m.nn.functional.elu_(x + 0, 0.5), real(2, 3))
row("in place selu_", lambda m, x: m.nn.functional.selu_(x + 0), real(2, 3))
row("in place celu_", lambda m, x: m.nn.functional.celu_(x + 0, 0.5), real(2, 3))
row("in place leaky_relu_", lambda m, x: m.nn.functional.leaky_relu_(x + 0, 0.3), real(2, 3))
row("in place hardtanh_", lambda m, x: m.nn.functional.hardtanh_(x + 0, -0.33, 0.41), real(2, 3))
row("in place threshold_", lambda m, x: m.nn.functional.threshold_(x + 0, 0.0, 3.0), real(2, 3))
row("in place rrelu_", lambda m, x: m.nn.functional.rrelu_(x + 0), real(2, 3))
