"""Products with names of their own, and Einstein summation."""

from ops_table.base import RENAMED, given, integers, positive, real, row

# --------------------------------------------------------------------------------------------- einsum
EQUATIONS = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk", (2, 3), (3, 4)),
    ("ij,jk->ki", (2, 3), (3, 4)),
    (" i j , j k ", (2, 3), (3, 4)),
    ("ii", (3, 3)),
    ("ii->i", (3, 3)),
    ("iij->j", (3, 3, 2)),
    ("iij->ji", (3, 3, 2)),
    ("ij->ji", (2, 3)),
    ("ba", (2, 3)),
    ("ij->", (2, 3)),
    ("ij->i", (2, 3)),
    ("...", (2, 3)),
    ("...i->i", (2, 3)),
    ("...i->i...", (2, 4, 3)),
    ("ij->i...", (2, 3)),
    ("bij,bjk->bik", (2, 3, 4), (2, 4, 5)),
    ("...ij,...jk->...ik", (2, 3, 4), (4, 5)),
    ("...ij,...jk", (2, 1, 3, 4), (5, 4, 2)),
    ("i,j->ij", (3,), (4,)),
    ("i,i", (3,), (3,)),
    ("i,i->i", (3,), (3,)),
    ("ij,ij->", (2, 3), (2, 3)),
    ("ij,k->k", (2, 3), (4,)),
    ("ij,kj->ikj", (2, 3), (4, 3)),
    ("i,ij->j", (2,), (2, 3)),
    ("ij,jk->ik", (2, 3), (1, 4)),
    ("ii,ij->j", (2, 2), (2, 3)),
    ("bn,anm,bm->ba", (2, 3), (5, 3, 4), (2, 4)),
    ("a,b,c->abc", (2,), (3,), (2,)),
    ("ij,jk,kl", (2, 3), (3, 2), (2, 4)),
    (",", (), ()),
    (",i->i", (), (3,)),
    ("ij,jk->ik", (0, 3), (3, 4)),
    ("ij,jk->ik", (2, 0), (0, 4)),
]
for _equation, *_shapes in EQUATIONS:
    row(
        f"einsum {_equation} {_shapes}",
        lambda m, *xs, e=_equation: m.einsum(e, *xs),
        *(real(*shape) for shape in _shapes),
    )
RENAMED["einsum ij,jk->ik [[](2, 3), (1, 4)[]]"] = "a size of 1 is repeated, not summed first"
RENAMED["einsum ij,k->k*"] = "what only one operand has is summed first"
for _equation, *_shapes in [
    ("ij,jk", (2, 3)),
    ("ij", (2, 3), (3, 4)),
    ("ijk", (2, 3)),
    ("ijk...", (2, 3)),
    ("ij,jk", (2, 3), (4, 5)),
    ("ij->k", (2, 3)),
    ("ij->ii", (2, 3)),
    ("i1", (2, 3)),
    ("ij->i->j", (2, 3)),
    ("i..", (2, 3)),
    ("ii", (2, 3)),
    ("i...j...", (2, 3)),
    ("ij-i", (2, 3)),
    ("ij->i2", (2, 3)),
]:
    row(
        f"einsum misfit {_equation} {_shapes}",
        lambda m, *xs, e=_equation: m.einsum(e, *xs),
        *(real(*shape) for shape in _shapes),
    )
row("einsum nothing", lambda m: m.einsum("i"))
row("einsum ints", lambda m, a, b: m.einsum("ij,jk", a, b), integers(-4, 5, 2, 3), integers(-4, 5, 3, 2))
row("einsum dtypes", lambda m, a, b: m.einsum("ij,jk", a, b), real(2, 3), integers(-4, 5, 3, 2))
row("einsum promoted", lambda m, a, b: m.einsum("ij,j->ij", a, b), real(2, 3), integers(-4, 5, 3))
row("einsum list", lambda m, a, b: m.einsum("ij,jk", [a, b]), real(2, 3), real(3, 2))
row("einsum lists", lambda m, a, b: m.einsum(a, [0, 1], b, [1, 2], [2, 0]), real(2, 3), real(3, 2))
row("einsum lists ...", lambda m, a, b: m.einsum(a, [..., 1], b, [1, 30]), real(2, 3), real(3, 2))
row("einsum lists misfit", lambda m, a: m.einsum(a, [0, 52]), real(2, 3))
row("einsum same", lambda m, x: m.einsum("ij,kj->ik", x, x), real(2, 3))

# ------------------------------------------------------------------------------------------ tensordot
row("tensordot", lambda m, a, b: m.tensordot(a, b), real(2, 3, 4), real(3, 4, 2))
row("tensordot 1", lambda m, a, b: m.tensordot(a, b, dims=1), real(2, 3), real(3, 4))
row("tensordot 0", lambda m, a, b: m.tensordot(a, b, 0), real(2), real(3))
row("tensordot all", lambda m, a, b: m.tensordot(a, b, 2), real(2, 3), real(2, 3))
row("tensordot pairs", lambda m, a, b: m.tensordot(a, b, ([0, 2], [1, 0])), real(2, 3, 4), real(4, 2))
row("tensordot misfit", lambda m, a, b: m.tensordot(a, b, 1), real(2, 3), real(2, 4))
row("tensordot lists misfit", lambda m, a, b: m.tensordot(a, b, ([0], [0, 1])), real(2, 3), real(2, 4))
row("tensordot negative", lambda m, a, b: m.tensordot(a, b, -1), real(2, 3), real(2, 4))
row("tensordot too many", lambda m, a, b: m.tensordot(a, b, 3), real(2, 3), real(2, 4))

# --------------------------------------------------------------------------------------- two operands
row("bmm", lambda m, a, b: (m.bmm(a, b), a.bmm(b)), real(2, 3, 4), real(2, 4, 2))
row("bmm empty", lambda m, a, b: m.bmm(a, b), real(0, 3, 4), real(0, 4, 2))
row("bmm ints", lambda m, a, b: m.bmm(a, b), integers(-4, 5, 2, 1, 3), integers(-4, 5, 2, 3, 1))
row("bmm misfit", lambda m, a, b: m.bmm(a, b), real(2, 3, 4), real(2, 3, 5))
row("bmm batches misfit", lambda m, a, b: m.bmm(a, b), real(2, 3, 4), real(1, 4, 5))
row("bmm matrix", lambda m, a, b: m.bmm(a, b), real(3, 4), real(3, 4, 5))
row("bmm other matrix", lambda m, a, b: m.bmm(a, b), real(3, 4, 5), real(3, 4))
row("mv", lambda m, a, b: (m.mv(a, b), a.mv(b)), real(2, 3), real(3))
row("mv misfit", lambda m, a, b: m.mv(a, b), real(2, 3), real(2))
row("mv vector", lambda m, a, b: m.mv(a, b), real(3), real(3))
row("outer", lambda m, a, b: (m.outer(a, b), a.outer(b), m.ger(a, b), a.ger(b)), real(2), real(3))
row("outer promoted", lambda m, a, b: m.outer(a, b), real(2), integers(0, 4, 3))
row("outer empty", lambda m, a, b: m.outer(a, b), real(0), real(3))
row("outer matrix", lambda m, a, b: m.outer(a, b), real(2, 1), real(3))
row("outer other matrix", lambda m, a, b: m.outer(a, b), real(2), real(3, 1))
for _left, _right in [
    ((3,), (3,)),
    ((2, 3), (4, 3)),
    ((2, 3), (3,)),
    ((5, 2, 3), (4, 3)),
    ((2, 3), ()),
    ((), ()),
]:
    row(
        f"inner {list(_left)} {list(_right)}",
        lambda m, a, b: (m.inner(a, b), a.inner(b)),
        real(*_left),
        real(*_right),
    )
row("inner misfit", lambda m, a, b: m.inner(a, b), real(2, 3), real(2, 4))
row("vdot", lambda m, a, b: (m.vdot(a, b), a.vdot(b)), real(3), real(3))
row("vdot misfit", lambda m, a, b: m.vdot(a, b), real(3), real(4))
row("vdot matrix", lambda m, a, b: m.vdot(a, b), real(3, 1), real(4))
row("vdot dtypes", lambda m, a, b: m.vdot(a, b), real(3), integers(0, 4, 3))
for _left, _right in [((2, 3), (3, 2)), ((2,), (2, 3)), ((), (2, 3)), ((2, 1, 2), (3,))]:
    row(
        f"kron {list(_left)} {list(_right)}",
        lambda m, a, b: (m.kron(a, b), a.kron(b)),
        real(*_left),
        real(*_right),
    )
row("kron ints", lambda m, a, b: m.kron(a, b), integers(-4, 5, 2, 2), integers(-4, 5, 1, 2))
row("cross", lambda m, a, b: (m.cross(a, b), a.cross(b)), real(2, 3), real(2, 3))
row("cross dim", lambda m, a, b: (m.cross(a, b, dim=0), a.cross(b, 0)), real(3, 2), real(3, 2))
row("cross broadcast", lambda m, a, b: m.cross(a, b, dim=-1), real(1, 3), real(2, 3))
row("cross rank", lambda m, a, b: m.cross(a, b, dim=-1), real(3), real(2, 3))
row("cross none", lambda m, a, b: m.cross(a, b), real(2, 4), real(2, 4))
row("cross misfit", lambda m, a, b: m.cross(a, b, dim=1), real(2, 4), real(2, 4))

# ------------------------------------------------------------------------------- a sum and a product
SUMS = [
    ("addmm", (2, 4), (2, 3), (3, 4)),
    ("addmm", (4,), (2, 3), (3, 4)),
    ("addmm", (), (2, 3), (3, 4)),
    ("addmm", (4,), (2, 0), (0, 4)),
    ("addmv", (2,), (2, 3), (3,)),
    ("addmv", (), (2, 3), (3,)),
    ("addr", (2, 3), (2,), (3,)),
    ("addr", (3,), (2,), (3,)),
    ("addbmm", (3, 5), (2, 3, 4), (2, 4, 5)),
    ("addbmm", (5,), (2, 3, 4), (2, 4, 5)),
    ("baddbmm", (2, 3, 5), (2, 3, 4), (2, 4, 5)),
    ("baddbmm", (5,), (2, 3, 4), (2, 4, 5)),
]
for _name, *_shapes in SUMS:
    row(
        f"{_name} {_shapes}",
        lambda m, x, a, b, name=_name: (getattr(m, name)(x, a, b), getattr(x, name)(a, b)),
        *(real(*shape) for shape in _shapes),
        uses=[_name],
    )
    row(
        f"{_name} scaled {_shapes}",
        lambda m, x, a, b, name=_name: getattr(m, name)(x, a, b, beta=0.5, alpha=-2),
        *(real(*shape) for shape in _shapes),
        uses=[_name],
    )
for _name, *_shapes in SUMS[::2]:
    row(
        f"{_name} ints {_shapes}",
        lambda m, x, a, b, name=_name: getattr(m, name)(x, a, b, beta=2, alpha=3),
        *(integers(-4, 5, *shape) for shape in _shapes),
        uses=[_name],
    )
for _name, *_shapes in [
    ("addmm", (4,), (2, 3), (4, 5)),
    ("addmm", (3,), (2, 3), (3, 4)),
    ("addmm", (3,), (2, 3, 4), (3, 4)),
    ("addmm", (3,), (2, 3), (3,)),
    ("addmm", (1, 2, 4), (2, 3), (3, 4)),
    ("addmv", (2,), (2, 3), (4,)),
    ("addmv", (3,), (2, 3), (3,)),
    ("addmv", (3,), (3,), (3,)),
    ("addbmm", (5,), (2, 3, 4), (3, 4, 5)),
    ("addbmm", (5,), (2, 3, 4), (2, 3, 5)),
    ("baddbmm", (5,), (2, 3, 4), (3, 4, 5)),
    ("baddbmm", (4,), (2, 3, 4), (2, 4, 5)),
    ("addr", (2, 3), (3,), (3,)),
    ("addr", (2, 3), (2, 1), (3,)),
]:
    row(
        f"{_name} misfit {_shapes}",
        lambda m, x, a, b, name=_name: getattr(m, name)(x, a, b),
        *(real(*shape) for shape in _shapes),
        uses=[_name],
    )
row("addmm dtypes", lambda m, x, a, b: m.addmm(x, a, b), integers(0, 3, 4), real(2, 3), real(3, 4))
row(
    "addmm nan",
    lambda m, x, a, b: m.addmm(x, a, b, beta=0),
    given([1.0, float("nan")]),
    real(3, 2),
    real(2, 2),
)
for _name, *_shapes in SUMS[::2]:
    if _shapes[0]:
        row(
            f"{_name}_ {_shapes}",
            lambda m, x, a, b, name=_name: getattr(x * 1, f"{name}_")(a, b, alpha=2),
            *(positive(*shape) for shape in _shapes),
            uses=[f"{_name}_"],
        )

# ------------------------------------------------------------------------------------ several factors
row("chain_matmul", lambda m, a, b, c: m.chain_matmul(a, b, c), real(2, 3), real(3, 4), real(4, 2))
row("chain_matmul 1", lambda m, a: m.chain_matmul(a), real(2, 3))
row("multi_dot 2", lambda m, a, b: m.linalg.multi_dot([a, b]), real(2, 3), real(3, 4))
RENAMED["multi_dot 2"] = "a product of two goes the way of the others"
row("multi_dot vectors", lambda m, a, b, c: m.linalg.multi_dot([a, b, c]), real(3), real(3, 4), real(4))
row(
    "multi_dot 4",
    lambda m, *xs: m.linalg.multi_dot(xs),
    real(2, 3),
    real(3, 4),
    real(4, 1),
    real(1, 2),
)
row("multi_dot misfit", lambda m, a, b: m.linalg.multi_dot([a, b]), real(3, 2), real(3, 2))
row("multi_dot nothing", lambda m, a: m.linalg.multi_dot([a]), real(3))
row("linalg.cross", lambda m, a, b: m.linalg.cross(a, b), real(2, 3), real(2, 3))
row("linalg.cross misfit", lambda m, a, b: m.linalg.cross(a, b), real(2, 4), real(2, 4))
