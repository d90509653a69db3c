"""Running sums, products and extremes, differences, the trapezoidal rule."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ops_table.base import RENAMED, given, integers, positive, real, row

RENAMED["diff of order 0"] = "a copy, which torch makes by an assignment"

RUNNING: dict[str, Callable[..., Any]] = {
    "cumsum": lambda m, x, **o: m.cumsum(x, **o),
    "cumprod": lambda m, x, **o: m.cumprod(x, **o),
    "logcumsumexp": lambda m, x, **o: m.logcumsumexp(x, **o),
    "cummax": lambda m, x, **o: m.cummax(x, **o),
    "cummin": lambda m, x, **o: m.cummin(x, **o),
}
for _name, _function in RUNNING.items():

    def along(
        label: str, maker: Any, dim: int, function: Any = _function, name: str = _name, **o: Any
    ) -> None:
        """The function along `dim`."""
        row(f"{name} {label} {dim}", lambda m, x: function(m, x, dim=dim), maker, uses=[name], **o)

    for _dim in (0, 1, -1, 2):
        along("matrix", real(3, 4), _dim)
    along("cube", real(2, 3, 2), 1)
    along("long", real(2, 60), 1)
    along("one", real(2, 1), 1)
    along("0-d", real(), 0)
    along("0-d", real(), -1)
    along("0-d outside", real(), 1)
    along("empty", real(0, 3), 0)
    along("empty", real(0, 3), 1)
    along("of int64", given([[1, 3, 2], [0, 3, 3]], "int64"), 1)
    along("of uint8", given([100, 200, 50], "uint8"), 0)
    along("of bool", given([True, False, True], "bool"), 0)
    along("nan", given([1.0, np.nan, 2.0, np.nan, 3.0]), 0, kink=True)
    along("infinite", given([-np.inf, -np.inf, 0.5, 1.0, np.inf, 1.0]), 0, kink=True)
    along("of equals", given([[1.0, 1.0, 0.5, 1.0, 0.5]]), 1, kink=_name in ("cummax", "cummin"))
    row(f"{_name} method", lambda m, x, name=_name: getattr(x, name)(1), real(2, 3), uses=[_name])
    row(f"{_name} axis", lambda m, x, f=_function: f(m, x, axis=-2), real(2, 3), uses=[_name])
for _name in ("cumsum", "cumprod"):
    row(f"{_name} dtype", lambda m, x, n=_name: getattr(m, n)(x, 0, dtype=m.float64), real(3), uses=[_name])
    row(
        f"{_name} of integers as floats",
        lambda m, x, n=_name: getattr(x, n)(0, dtype=m.float32),
        integers(1, 5, 3),
        uses=[_name],
    )
    row(f"{_name}_", lambda m, x, n=_name: getattr(x * 1, f"{n}_")(1), real(2, 3), uses=[f"{_name}_"])
    row(f"{_name} no dim", lambda m, x, n=_name: getattr(m, n)(x, dim=None), real(3), uses=[_name])
row("cumprod with a zero", lambda m, x: m.cumprod(x, 0), given([2.0, 0.0, 3.0, 1.5]))
row(
    "cumprod with zeros",
    lambda m, x: m.cumprod(x, 1),
    given([[2.0, 0.0, 3.0, 0.0, 1.5], [0.0, 0.0, 1.0, 2.0, 0.5], [1.0, 2.0, 4.0, 3.0, 0.0]]),
)
row(
    "cumprod with zeros in columns", lambda m, x: m.cumprod(x, 0), given([[2.0, 0.0], [0.0, 3.0], [1.5, 2.0]])
)
row("cumprod with zeros of a cube", lambda m, x: m.cumprod(x, 1), given([[[2.0], [0.0]], [[3.0], [1.0]]]))
row("logcumsumexp far", lambda m, x: m.logcumsumexp(x, 0), given([1000.0, 1000.0, -1000.0, 1001.0]))
row("logcumsumexp masked", lambda m, x: m.logcumsumexp(x, 0), given([0.0, -np.inf, 1.0]), kink=True)
row("cummax parts", lambda m, x: (m.cummax(x, 0).values, x.cummin(1)[1]), real(2, 3))

# ------------------------------------------------------------------------------------- differences
row("diff vector", lambda m, x: m.diff(x), real(5))
row("diff dims", lambda m, x: (m.diff(x, dim=0), x.diff(dim=-2), m.diff(x, 1, 1)), real(3, 4))
row("diff twice", lambda m, x: (m.diff(x, n=2), x.diff(n=3)), real(2, 5))
row("diff too often", lambda m, x: m.diff(x, n=5), real(3), grad=False)
row("diff of order 0", lambda m, x: m.diff(x, n=0), real(3))
row("diff negative", lambda m, x: m.diff(x, n=-1), real(3))
row("diff of int64", lambda m, x: m.diff(x), integers(0, 9, 2, 4))
row("diff of bool", lambda m, x: m.diff(x), given([True, False, False], "bool"))
row("diff 0-d", lambda m, x: m.diff(x), real())
row("diff empty", lambda m, x: (m.diff(x), m.diff(x, dim=0)), real(0, 3), grad=False)
row("diff outside", lambda m, x: m.diff(x, dim=2), real(2, 3))
row(
    "diff with ends",
    lambda m, x, a, b: (m.diff(x, prepend=a), m.diff(x, append=b), m.diff(x, prepend=a, append=b, n=2)),
    *(real(2, 3), real(2, 1), real(2, 2)),
)
row("diff ends of other rank", lambda m, x, a: m.diff(x, prepend=a), real(2, 3), real(2))
row("diff ends of other size", lambda m, x, a: m.diff(x, append=a), real(2, 3), real(3, 3))

# --------------------------------------------------------------------------------------- integrals
for _name in ("trapezoid", "cumulative_trapezoid"):

    def integral(label: str, *makers: Any, name: str = _name, **options: Any) -> None:
        """The integral of the operands."""
        row(f"{name} {label}", lambda m, *a: getattr(m, name)(*a, **options), *makers, uses=[name])

    integral("vector", real(5))
    integral("matrix", real(3, 4))
    integral("columns", real(3, 4), dim=0)
    integral("dx", real(3, 4), dx=0.5)
    integral("dx columns", real(3, 4), dx=3, dim=0)
    integral("points", real(3, 4), real(4))
    integral("points of columns", real(3, 4), real(3), dim=0)
    integral("points each", real(3, 4), real(3, 4))
    integral("points of int64", positive(3), given([0, 1, 3], "int64"))
    integral("too few points", real(3, 4), real(3))
    integral("of int64", integers(0, 9, 2, 4))
    integral("of bool", given([True, False], "bool"))
    integral("0-d", real())
    integral("one", real(1))
    integral("empty", real(0, 3))
    integral("empty columns", real(0, 3), dim=0)
    integral("outside", real(2, 3), dim=2)
row("trapz", lambda m, y, x: (m.trapz(y), m.trapz(y, x)), real(4), real(4))
row(
    "running in int32",
    lambda m, x: (
        x.cumsum(1, dtype=m.int32),
        m.cumprod(x, 0, dtype=m.int32),
        m.cumsum(x > 2, 0, dtype=m.uint8),
    ),
    integers(1, 5, 2, 3),
)
