"""Moving, repeating, joining and cutting; diagonals and triangles."""

from typing import Any

from ops_table.base import given, integers, mask, positive, real, row


def raises(name: str, call: Any, *makers: Any) -> None:
    """A call that torch refuses."""
    row(f"{name} refused", call, *makers)


# -------------------------------------------------------------------------------------------- dimensions
row("movedim", lambda m, x: (m.movedim(x, 0, -1), x.movedim((0, 1), (2, 0)), x.movedim(1, 1)), real(2, 3, 4))
row("moveaxis", lambda m, x: (m.moveaxis(x, 0, 1), x.moveaxis((0, 2), (1, 0))), real(2, 3, 2))
row("movedim 0-d", lambda m, x: x.movedim(0, 0), real())
raises("movedim lengths", lambda m, x: x.movedim((0, 1), (0,)), real(2, 3))
raises("movedim repeated source", lambda m, x: x.movedim((0, 0), (0, 1)), real(2, 3))
raises("movedim repeated destination", lambda m, x: x.movedim((0, 1), (0, 0)), real(2, 3))
raises("movedim outside", lambda m, x: x.movedim(5, 0), real(2, 3))
row("swapaxes", lambda m, x: (m.swapaxes(x, 0, 1), x.swapaxes(-1, 0), m.swapdims(x, 0, 1)), real(2, 3, 2))
row("swapdims", lambda m, x: x.swapdims(0, -1), real(2, 3))
row("H", lambda m, x: x.H, real(2, 3))
row("unflatten", lambda m, x: (m.unflatten(x, 1, (2, 2)), x.unflatten(-1, (-1, 2))), real(3, 4), dense=True)
raises("unflatten misfit", lambda m, x: x.unflatten(1, (3, 2)), real(3, 4))
raises("unflatten nothing", lambda m, x: x.unflatten(1, ()), real(3, 4))
raises("unflatten indivisible", lambda m, x: x.unflatten(1, (-1, 3)), real(3, 4))
row("ravel", lambda m, x: (m.ravel(x), x.ravel()), real(2, 3))
row("ravel transposed", lambda m, x: x.t().ravel(), real(2, 3))
row("ravel 0-d", lambda m, x: x.ravel(), real())
row("ravel ints", lambda m, x: x.ravel(), integers(0, 5, 2, 0))
row("atleast of matrix", lambda m, x: (m.atleast_3d(x), m.atleast_2d(x) * 1, m.atleast_1d(x) * 1), real(2, 3))
row("atleast of vector", lambda m, x: (m.atleast_2d(x), m.atleast_3d(x)), real(2))
row("atleast of 0-d", lambda m, x: (m.atleast_1d(x), m.atleast_2d(x), m.atleast_3d(x)), real())
row("atleast several", lambda m, x, y: (m.atleast_2d(x, y), m.atleast_2d([x, y])), real(2), real())
row("broadcast_to", lambda m, x: (m.broadcast_to(x, (2, 3)), x.broadcast_to((4, 1, 3))), real(3))
raises("broadcast_to misfit", lambda m, x: x.broadcast_to((2, 4)), real(2, 3))

# -------------------------------------------------------------------------------------- rolled and flipped
row(
    "roll",
    lambda m, x: (m.roll(x, 1), x.roll(-2, 1), x.roll((1, 2), (0, 1)), x.roll(shifts=5, dims=0)),
    real(3, 4),
)
row("roll 0-d", lambda m, x: x.roll(1), real())
row("roll empty", lambda m, x: x.roll(1, 1), real(2, 0))
row("roll ints", lambda m, x: x.roll(1), integers(0, 9, 5))
raises("roll misfit", lambda m, x: x.roll((1, 2), 0), real(3, 4))
raises("roll without dims", lambda m, x: x.roll((1, 2)), real(3, 4))
raises("roll nothing", lambda m, x: m.roll(x, (), ()), real(3, 4))
row(
    "flip",
    lambda m, x: (m.flip(x, (0,)), m.flip(x, [0, 1]), x.flip(0), x.flip(-1, 0), x.flip(())),
    real(2, 3),
)
row("flip bool", lambda m, x: x.flip(0), mask(3))
row("flip empty", lambda m, x: x.flip(0), real(0, 2))
row("flip 0-d", lambda m, x: x.flip(()), real())
raises("flip twice", lambda m, x: x.flip(0, 0), real(2, 3))
row("fliplr", lambda m, x: (m.fliplr(x), x.fliplr(), m.flipud(x), x.flipud()), real(2, 3))
raises("fliplr vector", lambda m, x: x.fliplr(), real(3))
raises("flipud 0-d", lambda m, x: x.flipud(), real())
row("rot90", lambda m, x: (m.rot90(x), x.rot90(2), x.rot90(3), x.rot90(0), x.rot90(-1, (1, 0))), real(2, 3))
row("rot90 cube", lambda m, x: m.rot90(x, 1, [1, 2]), real(2, 3, 2))
raises("rot90 vector", lambda m, x: x.rot90(), real(3))
raises("rot90 same", lambda m, x: x.rot90(1, (0, 0)), real(3, 2))
raises("rot90 three", lambda m, x: x.rot90(1, (0, 1, 2)), real(3, 2))

# ----------------------------------------------------------------------------------------------- repeated
row("repeat", lambda m, x: (x.repeat(2, 1), x.repeat(2, 2, 3), x.repeat((1, 0)), x.repeat(1, 1)), real(2, 3))
row("repeat 0-d", lambda m, x: (x.repeat(3), x.repeat(2, 2)), real())
row("repeat ints", lambda m, x: x.repeat(2), integers(0, 9, 3))
raises("repeat few", lambda m, x: x.repeat(2), real(2, 3))
raises("repeat negative", lambda m, x: x.repeat(2, -1), real(2, 3))
row("tile", lambda m, x: (m.tile(x, (2,)), x.tile(2, 1, 2), x.tile((2, 2)), x.tile(())), real(2, 3))
row(
    "repeat_interleave",
    lambda m, x: (m.repeat_interleave(x, 2), x.repeat_interleave(2, dim=1), x.repeat_interleave(3, -2)),
    real(2, 3),
)
row(
    "repeat_interleave tensor",
    lambda m, x, n: (x.repeat_interleave(n, dim=0), m.repeat_interleave(x, n[:1], 1)),
    real(3, 2),
    given([2, 0, 1], "int64"),
)
row("repeat_interleave flat", lambda m, x, n: x.repeat_interleave(n), real(3), given([2, 0, 1], "int64"))
row("repeat_interleave places", lambda m, n: m.repeat_interleave(n), given([2, 0, 1], "int64"))
row("repeat_interleave none", lambda m, x: x.repeat_interleave(0, dim=0), real(3, 2))
raises("repeat_interleave misfit", lambda m, x: x.repeat_interleave(m.tensor([1, 2]), 0), real(3, 2))
raises("repeat_interleave negative", lambda m, x: x.repeat_interleave(-1), real(3, 2))
raises("repeat_interleave minus", lambda m, x: x.repeat_interleave(m.tensor([-1, 2, 1]), 0), real(3, 2))
raises("repeat_interleave matrix", lambda m, x: x.repeat_interleave(m.tensor([[1, 2, 1]]), 0), real(3, 2))
row("unfold", lambda m, x: (x.unfold(1, 2, 1), x.unfold(0, 3, 2), x.unfold(-1, 1, 3)), real(3, 5))
row("unfold 0-d", lambda m, x: x.unfold(0, 1, 1), real())
row("unfold ints", lambda m, x: x.unfold(0, 2, 2), integers(0, 9, 5))
row("unfold cube", lambda m, x: x.unfold(1, 2, 2), real(2, 4, 3))
raises("unfold too large", lambda m, x: x.unfold(1, 5, 1), real(3, 4))
raises("unfold negative", lambda m, x: x.unfold(1, -1, 1), real(3, 4))
raises("unfold step", lambda m, x: x.unfold(1, 1, 0), real(3, 4))
row("meshgrid", lambda m, x, y: m.meshgrid(x, y, indexing="ij"), real(3), real(2))
row("meshgrid xy", lambda m, x, y: m.meshgrid([x, y, x], indexing="xy"), real(3), real(2))
row("meshgrid 0-d", lambda m, x, y: m.meshgrid(x, y, indexing="ij"), real(3), real())
row("meshgrid empty", lambda m, x, y: m.meshgrid(x, y, indexing="ij"), real(3), real(0))
row("meshgrid one", lambda m, x: m.meshgrid(x, indexing="xy"), integers(0, 5, 3))
raises("meshgrid nothing", lambda m, x: m.meshgrid(), real(3))
raises("meshgrid name", lambda m, x: m.meshgrid(x, x, indexing="foo"), real(3))
raises("meshgrid dtypes", lambda m, x, i: m.meshgrid(x, i, indexing="ij"), real(3), integers(0, 4, 2))
row("cartesian_prod", lambda m, x, y: (m.cartesian_prod(x, y), m.cartesian_prod(x) * 1), real(3), real(2))
raises("cartesian_prod matrix", lambda m, x: m.cartesian_prod(x), real(3, 2))
row(
    "combinations",
    lambda m, x: (m.combinations(x), m.combinations(x, 3, True), m.combinations(x, r=1)),
    real(3),
)
row("combinations of few", lambda m, x: (m.combinations(x, 3), m.combinations(x, 0)), real(2))
raises("combinations matrix", lambda m, x: m.combinations(x), real(3, 2))
raises("combinations negative", lambda m, x: m.combinations(x, -1), real(3))
row("vander", lambda m, x: (m.vander(x), m.vander(x, 2), m.vander(x, N=5)), positive(3), grad=False)
row("vander increasing", lambda m, x: m.vander(x, increasing=True), positive(3), grad=False)
row("vander ints", lambda m, x: (m.vander(x), m.vander(x, 1), m.vander(x, 0)), given([1, 2, 3], "int64"))
raises("vander 0-d", lambda m, x: m.vander(x), real())

# ------------------------------------------------------------------------------------- joined and cut
row("hstack", lambda m, a, b: m.hstack([a, b]), real(2, 3), real(2, 1))
row("hstack vectors", lambda m, a, b, c: m.hstack((a, b, c)), real(2), real(3), real())
row("vstack", lambda m, a, b: (m.vstack([a, b]), m.row_stack([a, b])), real(3), real(2, 3))
row("dstack", lambda m, a, b: m.dstack([a, b]), real(3), real(1, 3, 2))
row("column_stack", lambda m, a, b: m.column_stack([a, b]), real(3), real(3, 2))
row("column_stack 0-d", lambda m, a, b: m.column_stack([a, b]), real(), real())
row("concatenate", lambda m, a, b: m.concatenate([a, b], 1), real(2, 1), real(2, 2))
raises("hstack nothing", lambda m, x: m.hstack([]), real(3))
raises("hstack ranks", lambda m, x, y: m.hstack([x, y]), real(3, 4), real(3))
row("select", lambda m, x: (m.select(x, 0, 1), x.select(1, -1), x.select(dim=-1, index=0)), real(2, 3))
raises("select outside", lambda m, x: x.select(0, 3), real(3, 4))
raises("select 0-d", lambda m, x: x.select(0, 0), real())
row(
    "tensor_split",
    lambda m, x: (
        m.tensor_split(x, 2),
        x.tensor_split((1, 3)),
        x.tensor_split(3, dim=1),
        x.tensor_split([2, 9, 1]),
    ),
    real(5, 3),
)
row(
    "tensor_split tensor",
    lambda m, x, i: (x.tensor_split(i), x.tensor_split(i[0])),
    real(4),
    given([2, 3], "int64"),
)
raises("tensor_split none", lambda m, x: x.tensor_split(0), real(3, 4))
raises("tensor_split 0-d", lambda m, x: x.tensor_split(1), real())
row("hsplit", lambda m, x: (m.hsplit(x, 2), x.hsplit([1, 3])), real(2, 4))
row("hsplit vector", lambda m, x: x.hsplit(2), real(4))
row("vsplit", lambda m, x: (m.vsplit(x, 2), x.vsplit((1,))), real(4, 2))
row("dsplit", lambda m, x: (m.dsplit(x, 2), x.dsplit([1])), real(2, 1, 4))
raises("hsplit indivisible", lambda m, x: x.hsplit(3), real(3, 4))
raises("hsplit 0-d", lambda m, x: x.hsplit(3), real())
raises("vsplit vector", lambda m, x: x.vsplit(3), real(3))
raises("dsplit matrix", lambda m, x: x.dsplit(3), real(3, 3))
raises("split 0-d", lambda m, x: x.split(1), real())
raises("chunk 0-d", lambda m, x: x.chunk(1), real())
row("narrow negative", lambda m, x: (m.narrow(x, 0, -2, 1), x.narrow(1, 3, 0)), real(3, 3))
row("narrow tensor", lambda m, x: x.narrow(0, m.tensor(1), 2), real(3, 3))
raises("narrow outside", lambda m, x: x.narrow(0, 4, 0), real(3, 3))
raises("narrow too long", lambda m, x: x.narrow(0, 2, 2), real(3, 3))
raises("narrow minus", lambda m, x: x.narrow(0, 1, -1), real(3, 3))
raises("narrow 0-d", lambda m, x: x.narrow(0, 0, 1), real())

# ---------------------------------------------------------------------------------- diagonals, triangles
row("diag", lambda m, x: (m.diag(x), x.diag(1), x.diag(-1), x.diag(diagonal=7)), real(3, 4))
row("diag vector", lambda m, x: (m.diag(x), x.diag(1), x.diag(-2)), real(3))
row("diag ints", lambda m, x: (x.diag(), x[0].diag()), integers(0, 9, 2, 2))
raises("diag cube", lambda m, x: x.diag(), real(2, 2, 2))
raises("diag 0-d", lambda m, x: x.diag(), real())
row("diagonal", lambda m, x: (m.diagonal(x), x.diagonal(1), x.diagonal(-1, 1, 0), x.diagonal(9)), real(3, 4))
row("diagonal cube", lambda m, x: (x.diagonal(0, 0, 2), x.diagonal(offset=1, dim1=-1, dim2=1)), real(2, 3, 4))
raises("diagonal vector", lambda m, x: x.diagonal(), real(3))
raises("diagonal same", lambda m, x: x.diagonal(0, 0, 0), real(3, 3))
row("diagonal write", lambda m, x: _diagonal_written(x * 1), real(3, 3))
row("diag_embed", lambda m, x: (m.diag_embed(x), x.diag_embed(1), x.diag_embed(-1, 0, 2)), real(2, 3))
row("diag_embed swapped", lambda m, x: x.diag_embed(1, -1, 0), real(2, 3))
raises("diag_embed same", lambda m, x: x.diag_embed(0, 0, 0), real(3))
row("diagflat", lambda m, x: (m.diagflat(x), x.diagflat(1)), real(2, 2))
row("diagflat 0-d", lambda m, x: x.diagflat(), real())
row("trace", lambda m, x: (m.trace(x), x.trace()), real(3, 4))
row("trace ints", lambda m, x: x.trace(), given([[1, 2], [3, 4]], "uint8"))
row("trace empty", lambda m, x: x.trace(), real(0, 3))
raises("trace vector", lambda m, x: x.trace(), real(3))
row("tril", lambda m, x: (m.tril(x), x.tril(1), x.tril(diagonal=-1), x.tril(9)), real(3, 4))
row("triu", lambda m, x: (m.triu(x), x.triu(1), x.triu(diagonal=-1), x.triu(-9)), real(2, 3, 3))
row("tril bool", lambda m, x: (x.tril(), x.triu()), mask(3, 3))
row("tril empty", lambda m, x: (x.tril(), x.triu()), real(0, 3))
raises("tril vector", lambda m, x: x.tril(), real(3))
raises("triu vector", lambda m, x: x.triu(), real(3))
row("tril_", lambda m, x: ((x * 1).tril_(), (x * 1).triu_(1)), real(3, 3))
row("block_diag", lambda m, a, b, c: m.block_diag(a, b, c), real(2, 3), real(2), real())
row("block_diag dtypes", lambda m, a, b: m.block_diag(a, b), real(2, 1), integers(0, 9, 2, 2))
raises("block_diag cube", lambda m, x: m.block_diag(x), real(2, 2, 2))
row("fill_diagonal_", lambda m, x: (x * 1).fill_diagonal_(5.0), real(3, 4))
row(
    "fill_diagonal_ tall",
    lambda m, x: ((x * 1).fill_diagonal_(5.0), (x * 1).fill_diagonal_(5, wrap=True)),
    real(7, 2),
)
row("fill_diagonal_ cube", lambda m, x: (x * 1).fill_diagonal_(1.5), real(2, 2, 2))
raises("fill_diagonal_ vector", lambda m, x: x.detach().fill_diagonal_(1), real(3))
raises("fill_diagonal_ box", lambda m, x: x.detach().fill_diagonal_(1), real(2, 2, 3))
row(
    "diagonal_scatter",
    lambda m, x, y: (m.diagonal_scatter(x, y), x.diagonal_scatter(y[:2], -1), x.diagonal_scatter(y, 1)),
    real(3, 4),
    real(3),
)
raises("diagonal_scatter misfit", lambda m, x, y: x.diagonal_scatter(y), real(3, 4), real(2))


def _diagonal_written(y: Any) -> Any:
    y.diagonal().mul_(3)
    return y
