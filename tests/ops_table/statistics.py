"""Statistics made of the reductions, norms, quantiles and counting."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ops_table.base import given, integers, mask, positive, real, row, unit

INF = float("inf")

# ----------------------------------------------------------------------- along one, several or all dims
ALONG: dict[str, Callable[..., Any]] = {
    "var_mean": lambda m, x, **o: m.var_mean(x, **o),
    "std_mean": lambda m, x, **o: m.std_mean(x, **o),
    "aminmax": lambda m, x, **o: m.aminmax(x, **o),
    "nansum": lambda m, x, **o: m.nansum(x, **o),
    "nanmean": lambda m, x, **o: m.nanmean(x, **o),
    "count_nonzero": lambda m, x, **o: m.count_nonzero(x, **o),
    "quantile": lambda m, x, **o: m.quantile(x, 0.3, **o),
    "nanquantile": lambda m, x, **o: m.nanquantile(x, 0.3, **o),
}
for _name, _function in ALONG.items():

    def along(
        label: str, maker: Any, *, function: Any = _function, name: str = _name, **options: Any
    ) -> None:
        """The function of `maker`'s array under these options."""
        kink = options.pop("kink", False)

        def call(m: Any, x: Any) -> Any:
            return function(m, x, **options)

        row(f"{name} {label} {options or ''}".strip(), call, maker, uses=[name], kink=kink)

    _single = _name in ("aminmax", "quantile", "nanquantile")
    for _dim in (0, -1, 2):
        along("matrix", real(3, 4), dim=_dim)
    along("cube", real(2, 3, 2), dim=1)
    along("whole", real(3, 4))
    along("axis", real(3, 4), axis=1)
    along("0-d", real())
    along("0-d", real(), dim=0)
    along("empty", real(0, 3))
    along("empty", real(0, 3), dim=1)
    along("empty", real(0, 3), dim=0)
    along("of int64", given([[1, 3, 2], [0, 5, 3]], "int64"), dim=1)
    along("of bool", given([True, False, True], "bool"), dim=0)
    along("of nan", given([[1.0, np.nan, 3.0], [2.0, 4.0, 5.0], [np.nan] * 3]), dim=1, kink=True)
    along("of ties", given([1.0, 1.0, 3.0, 3.0]), dim=0, kink=True)
    if _name != "count_nonzero":
        along("kept", real(3, 4), dim=1, keepdim=True)
    if not _single:
        along("several", real(2, 3, 2), dim=(0, 2))
        along("repeated", real(2, 3), dim=(0, 0))

for _name in ("var_mean", "std_mean"):
    row(
        f"{_name} forms",
        lambda m, x, n=_name: (
            *getattr(m, n)(x, False),
            *getattr(m, n)(x, 1, False),
            *getattr(m, n)(x, 0, True, True),
            *getattr(m, n)(x, dim=0, correction=2, keepdim=True),
        ),
        *(real(4, 5),),
        uses=[_name],
    )
row("aminmax methods", lambda m, x: (x.aminmax(), x.aminmax(dim=0, keepdim=True).max), real(3, 4))
row("aminmax whole kept", lambda m, x: m.aminmax(x, keepdim=True), real(3, 4))
row("aminmax 0-d kept", lambda m, x: m.aminmax(x, dim=0, keepdim=True), real())
row("nansum methods", lambda m, x: (x.nansum(), x.nansum(1, True), x.nansum((0, 1))), real(3, 4))
row("nanmean methods", lambda m, x: (x.nanmean(), x.nanmean(1, True), x.nanmean((0, 1))), real(3, 4))
row("nansum dtype", lambda m, x: (m.nansum(x, dtype=m.float64), x.nansum(0, dtype=m.float32)), real(3, 4))
row("nanmean dtype", lambda m, x: m.nanmean(x, dtype=m.float64), real(3, 4))
row("nansum of int64 as floats", lambda m, x: m.nansum(x, dtype=m.float32), integers(0, 9, 3))
row("count_nonzero method", lambda m, x: (x.count_nonzero(), x.count_nonzero((0, 1))), given([[0.0, 1.0]]))

# ------------------------------------------------------------------------------------------------ norms
row(
    "norm of order 0",
    lambda m, x: (m.norm(x, 0), m.norm(x, 0, 1, True)),
    given([[0.0, 2.0], [0.0, 0.0]]),
    grad=False,
)
row("norm of order 0 empty", lambda m, x: m.norm(x, 0), real(0, 3), grad=False)
for _p in (0.5, 1, 1.5, 2, 3, INF, -INF, -1, "fro"):
    row(f"norm of order {_p}", lambda m, x, p=_p: (m.norm(x, p), x.norm(p, dim=1)), real(3, 4))
    row(f"norm of order {_p} kept", lambda m, x, p=_p: m.norm(x, p, dim=0, keepdim=True), real(3, 4))
    row(f"norm of order {_p} empty", lambda m, x, p=_p: m.norm(x, p), real(0, 3))
    row(
        f"norm of order {_p} with zeros",
        lambda m, x, p=_p: m.norm(x, p, 1),
        given([[0.0, 2.0], [0.0, 0.0]]),
        kink=True,
    )
    row(f"norm of order {_p} 0-d", lambda m, x, p=_p: m.norm(x, p), real())
row("norm of ties", lambda m, x: (m.norm(x, INF), m.norm(x, -INF)), given([1.0, -1.0, 1.0]), kink=True)
row(
    "norm of several",
    lambda m, x: (x.norm(1, (0, 2)), x.norm(2, [0, 1]), x.norm(INF, dim=(0, 1))),
    real(2, 3, 2),
)
row("norm of empty rows", lambda m, x: (m.norm(x, INF, 1), m.norm(x, -INF, 1)), real(0, 3))
row("norm of empty columns", lambda m, x: m.norm(x, INF, 0), real(0, 3))
row("norm dtype", lambda m, x: m.norm(x, dtype=m.float64), real(3, 4))
row("norm of int64", lambda m, x: m.norm(x), integers(0, 5, 3))

row(
    "dist of order 0", lambda m, x, y: m.dist(x, y, 0), real(3), real(2, 3), grad=False
)  # torch's backward fails
for _p in (1, 2, 3, INF):
    row(f"dist of order {_p}", lambda m, x, y, p=_p: (m.dist(x, y, p), x.dist(y, p)), real(3), real(2, 3))
row("dist plain", lambda m, x, y: m.dist(x, y), real(3), real(3))
row("dist of equals", lambda m, x: m.dist(x, x), real(3), kink=True)
row("dist 0-d", lambda m, x, y: m.dist(x, y), real(), real())
row("dist empty", lambda m, x, y: m.dist(x, y), real(0, 3), real(0, 3))
row("dist misfit", lambda m, x, y: m.dist(x, y), real(3), real(4))
row("dist of int64", lambda m, x, y: m.dist(x, y), integers(0, 5, 3), integers(0, 5, 3))
row("dist mixed", lambda m, x, y: m.dist(x, y), integers(0, 5, 3), real(3))

for _p in (1, 2, 3, INF):
    row(f"renorm of order {_p}", lambda m, x, p=_p: (m.renorm(x, p, 0, 1.5), x.renorm(p, 1, 2.5)), real(3, 4))
row("renorm cube", lambda m, x: m.renorm(x, 2, -2, 2.0), real(2, 3, 2))
row("renorm to zero", lambda m, x: m.renorm(x, 2, 0, 0), real(2, 3))
row("renorm of zeros", lambda m, x: m.renorm(x, 2, 0, 1.0), given([[0.0, 0.0], [3.0, 4.0]]), kink=True)
row("renorm vector", lambda m, x: m.renorm(x, 2, 0, 1), real(3))
row("renorm outside", lambda m, x: m.renorm(x, 2, 4, 1), real(2, 3))
row("renorm order", lambda m, x: m.renorm(x, -1, 0, 1), real(2, 3))
row("renorm negative", lambda m, x: m.renorm(x, 2, 0, -1), real(2, 3))
row("renorm of int64", lambda m, x: m.renorm(x, 2, 0, 1), integers(0, 5, 2, 3))

# ------------------------------------------------------------------------------------------- covariance
row("cov", lambda m, x: (m.cov(x), x.cov(), m.cov(x, correction=0)), real(3, 5))
row("cov vector", lambda m, x: m.cov(x), real(5))
row("cov 0-d", lambda m, x: m.cov(x, correction=0), real())
row("cov empty", lambda m, x: m.cov(x), real(0, 3))
row("cov of int64", lambda m, x: m.cov(x), given([[0, 1, 2], [5, 3, 4]], "int64"))
row("cov of bool", lambda m, x: m.cov(x), mask(2, 3))
row("cov cube", lambda m, x: m.cov(x), real(2, 2, 2))
row("cov fweights", lambda m, x, w: m.cov(x, fweights=w), real(2, 4), integers(1, 4, 4))
row("cov aweights", lambda m, x, w: m.cov(x, aweights=w), real(2, 4), positive(4))
row("cov aweights uncorrected", lambda m, x, w: m.cov(x, correction=0, aweights=w), real(2, 4), positive(4))
row(
    "cov both weights",
    lambda m, x, f, a: m.cov(x, fweights=f, aweights=a),
    *(real(2, 4), integers(1, 4, 4), positive(4)),
)
row("cov fweights float", lambda m, x, w: m.cov(x, fweights=w), real(2, 4), positive(4))
row("cov fweights too few", lambda m, x, w: m.cov(x, fweights=w), real(2, 4), integers(1, 4, 3))
row("cov fweights negative", lambda m, x, w: m.cov(x, fweights=w), real(2, 4), integers(-3, -1, 4))
row("cov aweights int64", lambda m, x, w: m.cov(x, aweights=w), real(2, 4), integers(1, 4, 4))
row("cov weights matrix", lambda m, x, w: m.cov(x, aweights=w), real(2, 4), positive(2, 4))
row("corrcoef", lambda m, x: m.corrcoef(x), real(3, 5), kink=True)
row("corrcoef method", lambda m, x: x.corrcoef(), given([[0.0, 1.0, 3.0], [4.0, 1.0, 0.5]]), kink=True)
row("corrcoef vector", lambda m, x: m.corrcoef(x), real(5))
row("corrcoef of int64", lambda m, x: m.corrcoef(x), given([[0, 1, 2], [5, 3, 4]], "int64"))
row("corrcoef cube", lambda m, x: m.corrcoef(x), real(2, 2, 2))

# -------------------------------------------------------------------------------------------- quantiles
for _name in ("quantile", "nanquantile"):

    def quantiles(label: str, *makers: Any, name: str = _name, kink: bool = False, **options: Any) -> None:
        """Quantiles of the first operand at the second."""
        row(
            f"{name} {label}",
            lambda m, x, q: getattr(m, name)(x, q, **options),
            *makers,
            uses=[name],
            kink=kink,
        )

    quantiles("several q", real(3, 5), unit(3))
    quantiles("several q along", real(3, 5), unit(2), dim=1)
    quantiles("several q kept", real(3, 5), unit(2), dim=0, keepdim=True)
    quantiles("several q whole kept", real(3, 5), unit(2), keepdim=True)
    quantiles("0-d q", real(5), unit())
    quantiles("of 0-d", real(), unit(2))
    quantiles("no q", real(5), real(0))
    quantiles("matrix q", real(5), unit(2, 2))
    quantiles("q outside", real(5), given([0.5, 2.0]))
    quantiles("q of another dtype", real(5), given([1], "int64"))
    quantiles("at elements", real(5), given([0.0, 0.25, 0.5, 1.0]), kink=True)
    quantiles("with nan", given([[1.0, np.nan, 3.0, 2.0], [4.0, 2.0, 1.0, 0.0]]), unit(2), kink=True, dim=1)
    for _way in ("linear", "lower", "higher", "midpoint", "nearest"):
        quantiles(_way, real(3, 5), unit(3), dim=1, interpolation=_way)
    quantiles("unknown", real(5), unit(2), interpolation="cubic")
    row(
        f"{_name} methods",
        lambda m, x, n=_name: (getattr(x, n)(0.2), getattr(x, n)(1, 0)),
        real(3, 4),
        uses=[_name],
    )
    row(f"{_name} too large", lambda m, x, n=_name: getattr(m, n)(x, 1.5), real(3), uses=[_name])

# --------------------------------------------------------------------------------------------- counting
FLAGS = {"return_inverse": True, "return_counts": True}
for _name in ("unique", "unique_consecutive"):

    def distinct(label: str, maker: Any, name: str = _name, **options: Any) -> None:
        """The distinct elements of `maker`'s array."""
        row(
            f"{name} {label}",
            lambda m, x: (getattr(m, name)(x, **options), getattr(m, name)(x, **FLAGS, **options)),
            maker,
            uses=[name],
            grad=False,
        )

    distinct("vector", given([3, 1, 1, 3, 3], "int64"))
    distinct("matrix", integers(0, 3, 3, 4))
    distinct("of floats", given([2.5, 2.5, -1.0, np.inf, -np.inf]))
    distinct("of nan", given([3.0, np.nan, np.nan, 1.0]))
    distinct("of bool", given([True, False, True], "bool"))
    distinct("of uint8", given([200, 7, 7], "uint8"))
    distinct("0-d", real())
    distinct("empty", real(0, 3))
    distinct("rows", given([[3, 1], [3, 1], [0, 2], [3, 1]], "int64"), dim=0)
    distinct("columns", given([[3, 3, 1], [0, 0, 1], [2, 2, 2]], "int64"), dim=-1)
    distinct("slices", integers(0, 2, 2, 5, 2), dim=1)
    row(f"{_name} outside", lambda m, x, n=_name: getattr(m, n)(x, dim=2), real(2, 3), uses=[_name])
row("unique unsorted", lambda m, x: x.unique(sorted=False), given([3, 1, 3], "int64"))
row("unique parts", lambda m, x: (x.unique(True, True), m.unique(x, return_counts=True)), integers(0, 3, 6))
row("unique_consecutive method", lambda m, x: x.unique_consecutive(return_counts=True), integers(0, 2, 6))
row("unique 0-d rows", lambda m, x: m.unique(x, dim=0), real(), grad=False)
row("unique empty rows", lambda m, x: m.unique(x, dim=0), real(0, 3), grad=False)
row("unique empty columns", lambda m, x: m.unique(x, dim=1), real(0, 3), grad=False)

row(
    "bincount",
    lambda m, x: (m.bincount(x), x.bincount(minlength=9), m.bincount(x, minlength=2)),
    integers(0, 5, 7),
)
row(
    "bincount weights",
    lambda m, x, w: (m.bincount(x, w), x.bincount(w, 7)),
    integers(0, 5, 9),
    real(9),
    grad=False,
)
row("bincount weights int64", lambda m, x, w: m.bincount(x, weights=w), integers(0, 5, 3), integers(0, 5, 3))
row("bincount of uint8", lambda m, x: m.bincount(x), given([1, 0, 3], "uint8"))
row("bincount of floats", lambda m, x: m.bincount(x), real(3))
row("bincount of bool", lambda m, x: m.bincount(x), mask(3))
row("bincount negative", lambda m, x: m.bincount(x), given([1, -1], "int64"))
row("bincount matrix", lambda m, x: m.bincount(x), integers(0, 5, 2, 2))
row("bincount 0-d", lambda m, x: m.bincount(x), integers(0, 5))
row("bincount empty", lambda m, x: (m.bincount(x), m.bincount(x, minlength=3)), integers(0, 5, 0))
row("bincount too few weights", lambda m, x, w: m.bincount(x, w), integers(0, 5, 3), real(2))
row("bincount minlength", lambda m, x: m.bincount(x, minlength=-1), integers(0, 5, 3))

row("histc", lambda m, x: (m.histc(x), m.histc(x, 4), x.histc(bins=5, min=-1, max=1)), real(40), grad=False)
row(
    "histc edges", lambda m, x: m.histc(x, 3, 0, 3), given([0.0, 1.0, 1.0, 2.0, 3.0, 4.0, np.nan]), grad=False
)
row("histc of equals", lambda m, x: (m.histc(x, 3), m.histc(x, 4, 1, 1)), given([1.0, 1.0]), grad=False)
row("histc matrix", lambda m, x: m.histc(x, 3), real(3, 4), grad=False)
row("histc 0-d", lambda m, x: m.histc(x, 2), real(), grad=False)
row("histc empty", lambda m, x: (m.histc(x, 3), m.histc(x, 3, 0, 1)), real(0, 3), grad=False)
row("histc of int64", lambda m, x: m.histc(x, 3), integers(0, 5, 4))
row("histc no bins", lambda m, x: m.histc(x, 0), real(4))
row("histc turned", lambda m, x: m.histc(x, 3, 2, 1), real(4))
row("histc infinite", lambda m, x: m.histc(x, 3), given([np.inf, 1.0]))

row(
    "histogram",
    lambda m, x: (m.histogram(x, 4), x.histogram(bins=3, range=(-1.0, 1.0)), m.histogram(x, 3, density=True)),
    real(30),
    grad=False,
)
row("histogram weight", lambda m, x, w: m.histogram(x, 4, weight=w), real(9), unit(9), grad=False)
row(
    "histogram edges",
    lambda m, x, e: (m.histogram(x, e), m.histogram(x, bins=e, density=True)),
    *(real(9), given([-1.0, 0.0, 0.3, 1.0])),
    grad=False,
)
row("histogram of equals", lambda m, x: m.histogram(x, 3), given([1.0, 1.0]), grad=False)
row("histogram on edges", lambda m, x: m.histogram(x, 4), given([0.0, 1.0, 2.0, 3.0, 4.0]), grad=False)
row("histogram matrix", lambda m, x: m.histogram(x, 3), real(3, 4), grad=False)
row(
    "histogram empty",
    lambda m, x: (m.histogram(x, 3), m.histogram(x, 3, range=(0.0, 2.0))),
    real(0, 3),
    grad=False,
)
row("histogram of int64", lambda m, x: m.histogram(x, 3), integers(0, 5, 4))
row("histogram no bins", lambda m, x: m.histogram(x, 0), real(4), grad=False)
row("histogram turned", lambda m, x: m.histogram(x, 3, range=(2.0, 1.0)), real(4), grad=False)
row("histogram of nan", lambda m, x: m.histogram(x, 3), given([np.nan, 1.0]), grad=False)
row("histogram edges matrix", lambda m, x, e: m.histogram(x, e), real(4), real(2, 2), grad=False)
row("histogram edges int64", lambda m, x, e: m.histogram(x, e), real(4), given([0, 1], "int64"), grad=False)
row("histogram weight misfit", lambda m, x, w: m.histogram(x, 3, weight=w), real(4), unit(3), grad=False)

EDGES = given([1.0, 3.0, 3.0, 5.0])
row(
    "searchsorted",
    lambda m, e, x: (
        m.searchsorted(e, x),
        m.searchsorted(e, x, right=True),
        m.searchsorted(e, x, side="right"),
    ),
    *(EDGES, given([[0.0, 1.0, 2.0], [3.0, 9.0, np.nan]])),
)
row(
    "searchsorted rows",
    lambda m, e, x: m.searchsorted(e, x, side="left"),
    *(given([[1, 3, 5], [2, 4, 6]], "int64"), given([[1, 3], [3, 9]], "int64")),
)
row(
    "searchsorted numbers", lambda m, e: (m.searchsorted(e, 3), m.searchsorted(e, 4.5, out_int32=True)), EDGES
)
row("searchsorted 0-d", lambda m, e, x: m.searchsorted(e, x), EDGES, real())
row("searchsorted empty", lambda m, e, x: (m.searchsorted(e, x), m.searchsorted(x, e)), EDGES, real(0))
row(
    "searchsorted sorter",
    lambda m, e, x, s: m.searchsorted(e, x, sorter=s),
    *(given([5.0, 1.0, 3.0]), given([4.0, 0.0]), given([1, 2, 0], "int64")),
)
row("searchsorted in 0-d", lambda m, e, x: m.searchsorted(e, x), real(), real(2))
row("searchsorted rows misfit", lambda m, e, x: m.searchsorted(e, x), positive(2, 3), real(2))
row("searchsorted number in rows", lambda m, e: m.searchsorted(e, 4), positive(2, 3))
row("searchsorted unknown side", lambda m, e: m.searchsorted(e, 4, side="up"), EDGES)
row("searchsorted opposites", lambda m, e: m.searchsorted(e, 4, side="left", right=True), EDGES)
row(
    "bucketize",
    lambda m, x, e: (m.bucketize(x, e), m.bucketize(x, e, right=True), m.bucketize(x, e, out_int32=True)),
    *(given([[0.0, 1.0], [3.0, 9.0]]), EDGES),
)
row("bucketize number", lambda m, e: m.bucketize(3, e), EDGES)
row(
    "bucketize integers", lambda m, x, e: m.bucketize(x, e), given([2, 0], "int64"), given([0, 2, 4], "int64")
)
row("bucketize matrix", lambda m, x, e: m.bucketize(x, e), real(2), real(2, 2))
row(
    "sums in int32",
    lambda m, x: (
        m.sum(x, dtype=m.int32),
        x.prod(1, dtype=m.int32),
        m.nansum(x, 0, dtype=m.uint8),
        x.sum(0, dtype=m.int8),
    ),
    integers(1, 5, 2, 3),
)
row("sums in the same dtype", lambda m, x: (m.sum(x, dtype=x.dtype), m.prod(x, dtype=x.dtype)), real(3))
