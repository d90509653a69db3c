"""Choices and bounds."""

import numpy as np

from ops_table.base import given, integers, mask, real, row, spread

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
