"""Products."""

from ops_table.base import integers, real, row

# -------------------------------------------------------------------------------------------- products
PRODUCTS = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3, 4)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 4)),
    ((2, 1, 2, 3), (5, 3, 4)),
    ((0, 3), (3, 4)),
    ((2, 0), (0, 4)),
    ((1, 1), (1, 1)),
    ((4, 2, 3), (1, 3, 2)),
]
for _left, _right in PRODUCTS:
    row(f"matmul {list(_left)} {list(_right)}", lambda m, a, b: m.matmul(a, b), real(*_left), real(*_right))
row("matmul operator", lambda m, a, b: (a @ b, b.matmul(a)), real(2, 3), real(3, 2), uses=["__matmul__"])
row("matmul square", lambda m, x: x @ x @ x.T, real(3, 3))
row("matmul ints", lambda m, a, b: a @ b, integers(-4, 5, 2, 3), integers(-4, 5, 3, 2))
row("matmul misfit", lambda m, a, b: a @ b, real(4, 5), real(3, 2))
row("matmul vector misfit", lambda m, a, b: a @ b, real(4), real(3))
row("matmul matrix vector misfit", lambda m, a, b: a @ b, real(4, 5), real(3))
row("matmul 0-d", lambda m, a, b: a @ b, real(), real(3))
row("matmul dtypes", lambda m, a, b: a @ b, real(2, 3), integers(0, 3, 3, 2))
row("matmul batch misfit", lambda m, a, b: a @ b, real(2, 2, 3), real(3, 3, 2))
row("mm", lambda m, a, b: (m.mm(a, b), a.mm(b)), real(2, 3), real(3, 4))
row("mm vector", lambda m, a, b: m.mm(a, b), real(2, 3), real(3))
row("dot", lambda m, a, b: (m.dot(a, b), a.dot(b)), real(4), real(4))
row("dot matrix", lambda m, a, b: m.dot(a, b), real(2, 2), real(2))
for _batch in ((), (4,), (2, 4), (0,)):
    row(
        f"linear {list(_batch)}",
        lambda m, x, w, b: m.nn.functional.linear(x, w, b),
        real(*_batch, 3),
        real(2, 3),
        real(2),
    )
    row(
        f"linear without bias {list(_batch)}",
        lambda m, x, w: m.nn.functional.linear(x, w),
        real(*_batch, 3),
        real(2, 3),
    )
row("linear misfit", lambda m, x, w, b: m.nn.functional.linear(x, w, b), real(4, 5), real(2, 3), real(2))
row(
    "linear wide",
    lambda m, x, w, b: m.nn.functional.linear(x, w, b),
    real(70, 50),
    real(40, 50),
    real(40),
    numeric=False,
    digits=4,
)
