"""Reductions, and softmax."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ops_table.base import Maker, _names, fractions, given, integers, real, row

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
