"""Reading and writing at places: index_select, take, scatter, index_add and their kin."""

from typing import Any

from ops_table.base import RENAMED, given, integers, mask, real, row

RENAMED["scatter reduce*"] = "torch records that it cannot differentiate this"
PLACES = given([[0, 1, 2, 0], [1, 1, 0, 2]], "int64")
TWO = given([0, 2], "int64")


def raises(name: str, call: Any, *makers: Any) -> None:
    """A call that torch refuses."""
    row(f"{name} refused", call, *makers)


# ------------------------------------------------------------------------------------------------ reading
row(
    "index_select",
    lambda m, x, i: (m.index_select(x, 0, i), x.index_select(-1, i), x.index_select(0, i[0])),
    real(3, 4),
    TWO,
)
row("index_select often", lambda m, x, i: x.index_select(1, i), real(2, 3), integers(0, 3, 7))
row("index_select empty", lambda m, x, i: x.index_select(0, i), real(2, 3), given([], "int64"))
row("index_select 0-d", lambda m, x, i: x.index_select(0, i), real(), given([0], "int64"))
row("index_select ints", lambda m, x, i: x.index_select(0, i), integers(0, 9, 3), given([2, 1], "int32"))
raises("index_select outside", lambda m, x, i: x.index_select(0, i + 5), real(3, 4), TWO)
raises("index_select negative", lambda m, x, i: x.index_select(0, -i), real(3, 4), TWO)
raises("index_select matrix", lambda m, x, i: x.index_select(0, i), real(3, 4), PLACES)
raises("index_select float", lambda m, x, i: x.index_select(0, i), real(3, 4), real(3))
row("masked_select", lambda m, x, c: (m.masked_select(x, c), x.masked_select(c[0])), real(3, 4), mask(3, 4))
row("masked_select broadcast", lambda m, x, c: x.masked_select(c), real(3, 1), mask(4))
row("masked_select 0-d", lambda m, x: (x.masked_select(x > 9), x.masked_select(x < 9)), real())
row("masked_select ints", lambda m, x: x.masked_select(x > 3), integers(0, 9, 6))
raises("masked_select ints", lambda m, x, i: x.masked_select(i), real(3, 4), TWO)
raises("masked_select misfit", lambda m, x, c: x.masked_select(c), real(3, 4), mask(2))
row("take", lambda m, x, i: (m.take(x, i), x.take(i[0]), x.take(-i[1] - 1)), real(3, 4), PLACES)
row("take 0-d", lambda m, x: x.take(m.tensor(0)), real())
raises("take outside", lambda m, x, i: x.take(i + 40), real(3, 4), given([0], "int64"))
raises("take float", lambda m, x, i: x.take(i), real(3, 4), real(2))
row(
    "take_along_dim",
    lambda m, x, i: (m.take_along_dim(x, i, 0), x.take_along_dim(i), x.take_along_dim(i, dim=0)),
    real(3, 4),
    PLACES,
)
row(
    "take_along_dim broadcast",
    lambda m, x, i: (x.take_along_dim(i, 0), x[:1].take_along_dim(i, 1)),
    real(3, 4),
    given([[0], [1]], "int64"),
)
raises("take_along_dim ranks", lambda m, x, i: x.take_along_dim(i, 0), real(3, 4), TWO)
raises("take_along_dim float", lambda m, x, i: x.take_along_dim(i, 0), real(3, 4), real(1, 4))
row(
    "nonzero",
    lambda m, x: (m.nonzero(x), x.nonzero(), m.nonzero(x, as_tuple=True)),
    given([[0.0, 1], [2, 0]]),
)
row("nonzero 0-d", lambda m, x: (m.nonzero(x), m.argwhere(x), m.nonzero(x, as_tuple=True)), real())
row("argwhere", lambda m, x: (m.argwhere(x), x.argwhere()), given([0, 1, 2, 0], "int64"))
row("nonzero empty", lambda m, x: x.nonzero(as_tuple=True), real(0, 2))
row("nonzero mask", lambda m, c: c.nonzero(), mask(5))

# ------------------------------------------------------------------------------------------------ scatter
ONCE = given([[0, 1, 2, 0], [1, 2, 0, 2]], "int64")  # no place twice
row(
    "scatter",
    lambda m, x, i, y: m.scatter(x, 0, i, y),
    real(3, 4),
    ONCE,
    real(2, 4),
)
row(
    "scatter dim 1",
    lambda m, x, i, y: x.scatter(-1, i, y),
    real(2, 3),
    given([[2], [0]], "int64"),
    real(2, 1),
)
row("scatter value", lambda m, x, i: (x.scatter(0, i, 2.5), x.scatter(0, i, value=1)), real(3, 4), PLACES)
row("scatter ints", lambda m, x, i: x.scatter(0, i, 1), integers(0, 9, 3, 4), PLACES)
row("scatter one-hot", lambda m, i: m.zeros(4, 3).scatter_(1, i.unsqueeze(1), 1.0), integers(0, 3, 4))
row("scatter 0-d", lambda m, x, y: x.scatter(0, m.tensor(0), y), real(), real())
row(
    "scatter empty",
    lambda m, x, y: x.scatter(0, m.zeros(0, 4, dtype=m.int64), y.detach()),
    real(3, 4),
    real(2, 4),
)
row("scatter reduce add", lambda m, x, i: x.detach().scatter(0, i, 2.0, reduce="add"), real(3, 4), PLACES)
row(
    "scatter reduce multiply",
    lambda m, x, i, y: x.detach().scatter(0, i, y.detach(), reduce="multiply"),
    real(3, 4),
    PLACES,
    real(2, 4),
)
row(
    "scatter_",
    lambda m, x, i, y: ((x * 1).scatter_(0, i, y), (x * 1).scatter_(0, i, 2.0)),
    real(3, 4),
    ONCE,
    real(2, 4),
)
raises("scatter outside", lambda m, x, i: x.scatter(0, i + 7, 1.0), real(3, 4), TWO)
raises("scatter far", lambda m, x, i: x.scatter(0, i * 0 + 7, 1.0), real(3, 4), PLACES)
raises("scatter ranks", lambda m, x, i: x.scatter(0, i, 1.0), real(3, 4), TWO)
raises("scatter source", lambda m, x, i: x.scatter(0, i, x[:1]), real(3, 4), PLACES)
raises("scatter dtype", lambda m, x, i: x.scatter(0, i, x[:2].long()), real(3, 4), PLACES)
raises("scatter reduce", lambda m, x, i: x.scatter(0, i, x[:2], reduce="foo"), real(3, 4), PLACES)
row(
    "scatter_add",
    lambda m, x, i, y: m.scatter_add(x, 0, i, y),
    real(3, 4),
    PLACES,
    real(2, 4),
)
row("scatter_add vector", lambda m, x, i, y: x.scatter_add(0, i, y), real(3), integers(0, 3, 8), real(8))
row("scatter_add ints", lambda m, x, i: x.scatter_add(0, i, x), integers(0, 9, 3), integers(0, 3, 3))
row("scatter_add_", lambda m, x, i, y: (x * 1).scatter_add_(0, i, y), real(3, 4), PLACES, real(2, 4))
raises("scatter_add number", lambda m, x, i: x.scatter_add(0, i, 1.0), real(3, 4), PLACES)
raises("scatter_add source", lambda m, x, i: x.scatter_add(0, i, x[:1]), real(3, 4), PLACES)


def reduced(reduce: str) -> None:
    """scatter_reduce by one of its reductions."""

    def call(m: Any, x: Any, i: Any, y: Any) -> Any:
        return (
            m.scatter_reduce(x, 0, i, y, reduce),
            x.scatter_reduce(0, i, y, reduce, include_self=False),
        )

    row(f"scatter_reduce {reduce}", call, real(3, 4), PLACES, real(2, 4), numeric=reduce != "foo")
    row(f"scatter_reduce {reduce} vector", call, real(4), integers(0, 3, 9), real(9))
    if reduce != "mean":
        row(f"scatter_reduce {reduce} ints", call, integers(1, 5, 3), integers(0, 3, 4), integers(1, 5, 4))
    row(
        f"scatter_reduce_ {reduce}",
        lambda m, x, i, y: (x * 1).scatter_reduce_(0, i, y, reduce),
        real(3, 4),
        PLACES,
        real(2, 4),
        uses=["scatter_reduce_"],
    )


for name in ("sum", "prod", "mean", "amax", "amin"):
    reduced(name)
row(
    "scatter_reduce ties",
    lambda m, x, i, y: (x.scatter_reduce(0, i, y, "amax"), x.scatter_reduce(0, i, y, "amin")),
    given([1.0, 2.0]),
    given([0, 0, 1, 1], "int64"),
    given([1.0, 1.0, 2.0, 2.0]),
    kink=True,
)
row(
    "scatter_reduce prod zeros",
    lambda m, x, i, y: x.scatter_reduce(0, i, y, "prod"),
    given([1.5, 2.0, 3.0]),
    given([0, 0, 1, 1, 2], "int64"),
    given([0.0, 3.0, 0.0, 0.0, 2.0]),
    kink=True,
)
raises("scatter_reduce name", lambda m, x, i: x.scatter_reduce(0, i, x[:2], "foo"), real(3, 4), PLACES)

# --------------------------------------------------------------------------------------------- index_... ops
row(
    "index_add",
    lambda m, x, i, y: (m.index_add(x, 0, i, y), x.index_add(0, i, y, alpha=2)),
    real(3, 4),
    TWO,
    real(2, 4),
)
row(
    "index_add often",
    lambda m, x, i, y: x.index_add(1, i, y),
    real(2, 3),
    given([0, 0, 2, 0], "int64"),
    real(2, 4),
)
row("index_add ints", lambda m, x, i: x.index_add(0, i, x[:2], alpha=3), integers(0, 9, 3), TWO)
row("index_add_", lambda m, x, i, y: (x * 1).index_add_(0, i, y, alpha=-1), real(3, 4), TWO, real(2, 4))
raises("index_add count", lambda m, x, i: x.index_add(0, i, x), real(3, 4), TWO)
raises("index_add shape", lambda m, x, i: x.index_add(0, i, x[:2, :1]), real(3, 4), TWO)
raises("index_add outside", lambda m, x, i: x.index_add(0, i + 5, x[:2]), real(3, 4), TWO)
raises("index_add dtype", lambda m, x, i: x.index_add(0, i, x[:2].long()), real(3, 4), TWO)
raises("index_add matrix", lambda m, x, i: x.index_add(0, i, x[:2]), real(3, 4), PLACES)
row(
    "index_copy",
    lambda m, x, i, y: (m.index_copy(x, 0, i, y), x.index_copy(1, i, y.t()[:3])),
    real(3, 4),
    TWO,
    real(2, 4),
)
row("index_copy 0-d", lambda m, x, y: x.index_copy(0, m.tensor([0]), y), real(), real())
row("index_copy_", lambda m, x, i, y: (x * 1).index_copy_(0, i, y), real(3, 4), TWO, real(2, 4))
raises("index_copy count", lambda m, x, i: x.index_copy(0, i, x), real(3, 4), TWO)
raises("index_copy shape", lambda m, x, i: x.index_copy(0, i, x[:2, :1]), real(3, 4), TWO)
raises("index_copy outside", lambda m, x, i: x.index_copy(0, i + 5, x[:2]), real(3, 4), TWO)
raises("index_copy scalar", lambda m, x, i, y: x.index_copy(0, i, y), real(3, 4), TWO, real())
row("index_fill", lambda m, x, i: (m.index_fill(x, 0, i, 1.0), x.index_fill(1, -i, 2)), real(3, 4), TWO)
row("index_fill tensor", lambda m, x, i, y: x.index_fill(1, i, y), real(3, 4), TWO, real())
row("index_fill ints", lambda m, x, i: x.index_fill(0, i, 7), integers(0, 5, 3), TWO)
row("index_fill_", lambda m, x, i: (x * 1).index_fill_(0, i, 3.0), real(3, 4), TWO)
raises("index_fill outside", lambda m, x, i: x.index_fill(0, i + 5, 1.0), real(3, 4), TWO)
raises("index_fill float", lambda m, x, i: x.index_fill(0, i, 1.0), real(3, 4), real(2))
raises("index_fill vector", lambda m, x, i, y: x.index_fill(0, i, y), real(3, 4), TWO, real(2))
raises("index_fill matrix", lambda m, x, i: x.index_fill(0, i, 1.0), real(3, 4), PLACES)
row(
    "index_put",
    lambda m, x, i, y: (m.index_put(x, (i,), y), x.index_put((i, i), y[0])),
    real(3, 4),
    TWO,
    real(2, 1),
)
row(
    "index_put accumulate",
    lambda m, x, i, y: x.index_put((i,), y, accumulate=True),
    real(3),
    given([0, 0, 2], "int64"),
    real(3),
)
row("index_put mask", lambda m, x, c, y: x.index_put((c,), y), real(3, 4), mask(3, 4), real())
row(
    "index_put_",
    lambda m, x, i, y: ((x * 1).index_put_((i,), y), (x * 1).index_put_((i,), y, True)),
    real(3),
    TWO,
    real(),
)
raises("index_put outside", lambda m, x, i, y: x.index_put((i + 5,), y), real(3, 4), TWO, real())
raises("index_put misfit", lambda m, x, i, y: x.index_put((i,), y), real(3, 4), TWO, real(3))
raises("index_put dtype", lambda m, x, i: x.index_put((i,), m.tensor(1)), real(3, 4), TWO)
raises("index_put no tuple", lambda m, x, i, y: x.index_put(i, y), real(3, 4), TWO, real())

# ---------------------------------------------------------------------------------------- masks and slices
row(
    "masked_scatter",
    lambda m, x, c, y: (m.masked_scatter(x, c, y), x.masked_scatter(c[0], y)),
    real(3, 4),
    mask(3, 4),
    real(3, 4),
)
row("masked_scatter_", lambda m, x, c, y: (x * 1).masked_scatter_(c, y), real(3, 4), mask(3, 4), real(6))
raises("masked_scatter few", lambda m, x, c, y: x.masked_scatter(c, y), real(3, 4), mask(3, 4), real(2))
raises("masked_scatter misfit", lambda m, x, c, y: x.masked_scatter(c, y), real(3, 4), mask(2), real(12))
raises("masked_scatter dtype", lambda m, x, c: x.masked_scatter(c, x.long()), real(3, 4), mask(3, 4))
row(
    "masked_fill 0-d",
    lambda m, x, c, y: ((x * 1).masked_fill_(c, y), m.masked_fill(x, c, y)),
    real(3, 4),
    mask(4),
    real(),
)
row(
    "select_scatter",
    lambda m, x, y: (m.select_scatter(x, y, 0, 1), x.select_scatter(y[:3], -1, -1)),
    real(3, 4),
    real(4),
)
row(
    "slice_scatter",
    lambda m, x, y: (m.slice_scatter(x, y, 0, 1), x.slice_scatter(x[:, 2:] * y[0, 0], 1, 0, 4, 2)),
    real(2, 4),
    real(1, 4),
)
raises("select_scatter misfit", lambda m, x, y: x.select_scatter(y, 0, 1), real(3, 4), real(3))
raises("slice_scatter misfit", lambda m, x, y: x.slice_scatter(y, 0, 1, 2), real(3, 4), real(3))
