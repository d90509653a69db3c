"""Sorting, and what order decides: the largest few, the k-th, medians, the commonest."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ops_table.base import given, integers, real, row

EQUALS = [[2.0, 1.0, 2.0, 1.0, 3.0], [1.0, 1.0, 1.0, 1.0, 1.0]]
NAN = [np.nan, 1.0, np.nan, -np.inf, np.inf, 0.5]

ORDER: dict[str, Callable[..., Any]] = {
    "sort": lambda m, x, **o: m.sort(x, **o),
    "argsort": lambda m, x, **o: m.argsort(x, **o),
    "topk": lambda m, x, **o: m.topk(x, o.pop("k", 1), **o),
    "kthvalue": lambda m, x, **o: m.kthvalue(x, o.pop("k", 1), **o),
    "median": lambda m, x, **o: m.median(x, **o),
    "nanmedian": lambda m, x, **o: m.nanmedian(x, **o),
    "mode": lambda m, x, **o: m.mode(x, **o),
}
for _name, _function in ORDER.items():

    def ordered(
        label: str, maker: Any, *, function: Any = _function, name: str = _name, **options: Any
    ) -> None:
        """The function of `maker`'s array under these options."""
        kink = options.pop("kink", False)

        def call(m: Any, x: Any) -> Any:
            return function(m, x, **options)

        row(f"{name} {label} {options or ''}".strip(), call, maker, uses=[name], kink=kink)

    for _dim in (0, 1, -1, 2):
        ordered("matrix", real(3, 4), dim=_dim)
    ordered("cube", real(2, 3, 2), dim=1)
    ordered("long", real(2, 60), dim=1)
    ordered("axis", real(3, 4), axis=0)
    ordered("plain", real(3, 4))
    ordered("0-d", real())
    ordered("0-d", real(), dim=0)
    ordered("0-d outside", real(), dim=1)
    ordered("empty", real(0, 3))
    ordered("empty", real(0, 3), dim=1)
    ordered("empty", real(0, 3), dim=0)
    ordered("of int64", given([[1, 3, 2], [0, 5, 3]], "int64"), dim=1)
    ordered("of uint8", given([100, 200, 50], "uint8"), dim=0)
    ordered("of bool", given([True, False, True], "bool"), dim=0)
    ordered("of equals", given(EQUALS), dim=1, kink=True)
    ordered("of many equals", integers(0, 9, 3, 100), dim=1)
    ordered("of equals in columns", integers(0, 9, 40, 3), dim=0)
    if _name in ("sort", "argsort", "topk", "median", "nanmedian"):
        ordered("infinite", given([1.0, -np.inf, np.inf, 0.5]), dim=0, kink=True)
    if _name in ("kthvalue", "median", "nanmedian", "mode"):
        ordered("kept", real(3, 4), dim=1, keepdim=True)
        ordered("0-d kept", real(), dim=0, keepdim=True)
    if _name in ("sort", "argsort"):
        for _stable in (True, False):
            ordered("descending", real(3, 4), dim=0, descending=True, stable=_stable)
        ordered("descending equals", given(EQUALS), descending=True, kink=True)
        ordered("of nan", given(NAN), kink=True)
        ordered("descending nan", given(NAN), descending=True, kink=True)

row("sort methods", lambda m, x: (x.sort(), x.sort(0, True).values, x.sort(descending=True)[1]), real(3, 4))
row("argsort methods", lambda m, x: (x.argsort(), x.argsort(0, True), x.argsort(dim=0)), real(3, 4))
row("sort stable first", lambda m, x: m.sort(x, stable=True, dim=0), real(3, 4))
row("msort", lambda m, x: (m.msort(x), x.msort()), real(4, 3))
row("msort 0-d", lambda m, x: m.msort(x), real())
row("msort of bool", lambda m, x: m.msort(x), given([True, False], "bool"))

row("topk several", lambda m, x: (m.topk(x, 3), x.topk(2, dim=0), x.topk(k=2, largest=False)), real(4, 5))
row("topk smallest first", lambda m, x: m.topk(x, 2, 1, False, True), real(4, 5))
row("topk of equals", lambda m, x: (m.topk(x, 9, 0), m.topk(x, 30, 1, False)), integers(0, 5, 70, 50))
row("topk of many", lambda m, x: (m.topk(x, 9, 0), m.topk(x, 2, 0, False), x.topk(3)), real(70, 20))
row(
    "topk of many nan",
    lambda m, x: (m.topk(x, 2), m.topk(x, 2, largest=False)),
    given([*range(20), np.nan, -np.inf]),
)
row("topk few of equals", lambda m, x: (m.topk(x, 4), m.topk(x, 3, largest=False)), integers(0, 99, 500))
row("topk unsorted", lambda m, x: (m.topk(x, 7, sorted=False), x.topk(3, 1, False, False)), real(3, 40))
row("topk of zeros", lambda m, x: m.topk(x, 5), given([0.0, -0.0, 1.0, 0.0, np.nan, np.nan, -1.0]), kink=True)
row("kthvalue of equals", lambda m, x: (m.kthvalue(x, 9, 0), m.kthvalue(x, 30, 1)), integers(0, 5, 70, 50))
row("mode of equals", lambda m, x: (m.mode(x, 0), m.mode(x, 1)), integers(0, 50, 70, 50))
row("topk all", lambda m, x: m.topk(x, 5), real(2, 5))
row("topk none", lambda m, x: m.topk(x, 0), real(2, 5))
row("topk too many", lambda m, x: m.topk(x, 6), real(2, 5))
row("topk negative", lambda m, x: m.topk(x, -1), real(2, 5))
row(
    "topk of nan",
    lambda m, x: (m.topk(x, 1), m.topk(x, 2, largest=False)),
    given([1.0, np.nan, 2.0]),
    kink=True,
)

row("kthvalue several", lambda m, x: (m.kthvalue(x, 2), x.kthvalue(3, 0), x.kthvalue(k=1)), real(4, 5))
row(
    "kthvalue of nan", lambda m, x: (m.kthvalue(x, 2), m.kthvalue(x, 3)), given([1.0, np.nan, 0.0]), kink=True
)
row("kthvalue 0", lambda m, x: m.kthvalue(x, 0), real(3))
row("kthvalue too large", lambda m, x: m.kthvalue(x, 4, 0), real(3))

for _name in ("median", "nanmedian"):
    row(f"{_name} of even", lambda m, x, n=_name: getattr(m, n)(x), real(6), uses=[_name])
    row(
        f"{_name} methods",
        lambda m, x, n=_name: (getattr(x, n)(), getattr(x, n)(0), getattr(x, n)(1, True)),
        *(real(4, 5),),
        uses=[_name],
    )
    for _label, _values in {
        "nan": [np.nan, 1.0, np.nan, 2.0, 0.0],
        "only nan": [np.nan, np.nan],
        "ties": [2.0, 1.0, 2.0, 3.0, 2.0],
    }.items():
        row(
            f"{_name} of {_label}",
            lambda m, x, n=_name: (getattr(m, n)(x), getattr(m, n)(x, 0)),
            given(_values),
            kink=True,
            uses=[_name],
        )
    row(f"{_name} of int64 whole", lambda m, x, n=_name: getattr(m, n)(x), integers(0, 5, 2, 3), uses=[_name])
    row(
        f"{_name} rows with nan",
        lambda m, x, n=_name: getattr(m, n)(x, dim=1),
        given([[1.0, np.nan, 3.0], [5.0, 4.0, 3.0], [np.nan, np.nan, np.nan]]),
        kink=True,
        uses=[_name],
    )
row("mode methods", lambda m, x: (x.mode(), x.mode(0), x.mode(dim=1, keepdim=True)), real(4, 5))
row("mode of int64 equals", lambda m, x: m.mode(x), given([[1, 2, 2, 1, 3], [4, 0, 0, 4, 4]], "int64"))

# ------------------------------------------------------------------------------------ what is no tensor
for _name in ("sort", "argsort", "msort", "median", "nanmedian", "mode"):
    row(f"{_name} of a list", lambda m, x, n=_name: getattr(m, n)([1.0]), real(), uses=[_name])
for _name in ("topk", "kthvalue"):
    row(f"{_name} of a list", lambda m, x, n=_name: getattr(m, n)([1.0], 1), real(), uses=[_name])
    row(f"{_name} float k", lambda m, x, n=_name: getattr(m, n)(x, 1.5), real(3), uses=[_name])
