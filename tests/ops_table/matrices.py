"""Square matrices, norms, and distances between rows."""

import numpy as np

from ops_table.base import given, integers, real, row, spread


def regular(*shape):
    """Square matrices far from singular ones."""

    def make(rng):
        return rng.uniform(-1, 1, shape) + 2 * np.eye(shape[-1])

    return make


def definite(m, x):
    """A symmetric positive-definite matrix."""
    return x @ x.transpose(-2, -1)


SQUARES = ((3, 3), (1, 1), (2, 3, 3), (0, 2, 2))
for _shape in SQUARES:
    row(f"inv {list(_shape)}", lambda m, x: m.linalg.inv(x), regular(*_shape), digits=4)
    row(f"det {list(_shape)}", lambda m, x: (m.linalg.det(x), m.det(x), x.det()), regular(*_shape), digits=8)
    row(f"slogdet {list(_shape)}", lambda m, x: m.linalg.slogdet(x), regular(*_shape), digits=4)
    row(f"logdet {list(_shape)}", lambda m, x: (m.logdet(x), x.logdet()), regular(*_shape), digits=4)
    row(
        f"cholesky {list(_shape)}",
        lambda m, x: m.linalg.cholesky(definite(m, x)),
        regular(*_shape),
        digits=4,
    )
row("inverse", lambda m, x: (m.inverse(x), x.inverse()), regular(2, 2), digits=4)
row("slogdet method", lambda m, x: (m.slogdet(x), x.slogdet()), regular(2, 2), digits=4)
row("logdet negative", lambda m: m.logdet(m.tensor([[1.0, 0.0], [0.0, -1.0]])))
row("cholesky upper", lambda m, x: m.linalg.cholesky(definite(m, x), upper=True), regular(3, 3), digits=4)
row("inv singular", lambda m, x: m.linalg.inv(x), given([[1.0, 1.0], [1.0, 1.0]]))
row(
    "inv singular stack",
    lambda m, x: m.linalg.inv(x),
    given([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]]),
)
row("cholesky indefinite", lambda m, x: m.linalg.cholesky(x), given([[1.0, 0.0], [0.0, -1.0]]))
row("cholesky indefinite stack", lambda m, x: m.linalg.cholesky(x), given([[[1.0]], [[-1.0]]]))
SOLVES = [
    ((3, 3), (3, 2)),
    ((3, 3), (3,)),
    ((2, 3, 3), (2, 3)),
    ((2, 3, 3), (3, 2)),
    ((2, 3, 3), (2, 3, 2)),
    ((3, 3), (2, 3, 2)),
]
for _left, _right in SOLVES:
    row(
        f"solve {list(_left)} {list(_right)}",
        lambda m, a, b: m.linalg.solve(a, b),
        regular(*_left),
        real(*_right),
        digits=4,
    )
row("solve right", lambda m, a, b: m.linalg.solve(a, b, left=False), regular(3, 3), real(2, 3), digits=4)
row("solve misfit", lambda m, a, b: m.linalg.solve(a, b), regular(3, 3), real(2, 3))
row("solve singular", lambda m, a, b: m.linalg.solve(a, b), given([[1.0, 1.0], [1.0, 1.0]]), real(2))
row("pinv", lambda m, x: m.linalg.pinv(x), real(3, 2), digits=8)
row("pinv wide", lambda m, x: (m.pinverse(x), x.pinverse()), real(2, 3), digits=8)
for _n in (0, 1, 2, 3, 5, -1, -2):
    row(
        f"matrix_power {_n}",
        lambda m, x, n=_n: (m.matrix_power(x, n), x.matrix_power(n), m.linalg.matrix_power(x, n)),
        regular(2, 2),
        digits=8,
    )
row("matrix_power ints", lambda m, x: m.matrix_power(x, 3), integers(-2, 3, 2, 2))
row("matrix_power of a float", lambda m, x: m.linalg.matrix_power(x, 2.0), regular(2, 2))
row("matrix_rank", lambda m, x: m.linalg.matrix_rank(x), real(3, 2))
row("matrix_rank stack", lambda m: m.linalg.matrix_rank(m.ones(2, 3, 3)))
row("matrix_rank vector", lambda m, x: m.linalg.matrix_rank(x), real(3))
for _name in ("inv", "det", "slogdet", "cholesky"):
    for _case, _maker in (("rectangle", real(2, 3)), ("vector", real(2)), ("ints", integers(0, 3, 2, 2))):
        row(
            f"{_name} of a {_case}",
            lambda m, x, name=_name: getattr(m.linalg, name)(x),
            _maker,
        )

# ------------------------------------------------------------------------------------------------ norms
INF = float("inf")
for _ord in (0, 1, 2, 3, 0.5, -1, -2, INF, -INF):
    row(
        f"vector_norm {_ord}",
        lambda m, x, o=_ord: (m.linalg.vector_norm(x, o), m.linalg.vector_norm(x, o, dim=1, keepdim=True)),
        real(2, 3),
        digits=4,
        grad=_ord != 0,
    )
for _ord in ("fro", 1, -1, INF, -INF):
    row(
        f"matrix_norm {_ord}",
        lambda m, x, o=_ord: (m.linalg.matrix_norm(x, o), m.linalg.matrix_norm(x, o, keepdim=True)),
        real(2, 3, 4),
    )
    row(f"linalg.norm {_ord}", lambda m, x, o=_ord: m.linalg.norm(x, o), real(2, 3))
    row(f"matrix_norm dims {_ord}", lambda m, x, o=_ord: m.linalg.matrix_norm(x, o, (2, 0)), real(2, 3, 4))
row("linalg.norm", lambda m, x: m.linalg.norm(x), real(2, 2, 2))
row("linalg.norm vector", lambda m, x: m.linalg.norm(x, 3), real(3))
row("linalg.norm dim", lambda m, x: m.linalg.norm(x, 2, dim=1), real(2, 3, 2))
row("linalg.norm dims", lambda m, x: m.linalg.norm(x, dim=(0, 1)), real(2, 3, 2))
row("linalg.norm 0-d", lambda m, x: m.linalg.norm(x), real())
row("linalg.norm ints", lambda m, x: m.linalg.norm(x), integers(0, 4, 3))
row("linalg.norm order", lambda m, x: m.linalg.norm(x, 3), real(2, 3))
row("linalg.norm rank", lambda m, x: m.linalg.norm(x, 2), real(2, 3, 2))
row("linalg.norm fro vector", lambda m, x: m.linalg.norm(x, "fro"), real(3))
row("vector_norm dtype", lambda m, x: m.linalg.vector_norm(x, dtype=m.float64), real(3))
row("vector_norm empty", lambda m, x: m.linalg.vector_norm(x), real(0))
row("vector_norm empty inf", lambda m, x: m.linalg.vector_norm(x, INF), real(0))
row("vector_norm zero", lambda m, x: m.linalg.vector_norm(x), given([0.0, 0.0]), kink=True)

# -------------------------------------------------------------------------------------------- distances
for _p in (0, 1, 2, 3, 1.5, INF):
    row(
        f"cdist {_p}",
        lambda m, a, b, p=_p: m.cdist(a, b, p=p),
        spread(-2, 2, 3, 2),
        spread(-3, 3, 4, 2),
        digits=4,
        numeric=_p != 0,
    )
for _p in (1.0, 2.0, 3.0, INF):
    row(
        f"cdist same {_p}",
        lambda m, a, b, p=_p: m.cdist(a, b, p),
        given([[1.0, 2.0], [0.5, 0.0]]),
        given([[1.0, 2.0], [0.0, 0.0]]),
        digits=4,
        kink=True,
    )
row("cdist stack", lambda m, a, b: m.cdist(a, b), real(5, 3, 2), real(4, 2), digits=4)
row("cdist empty", lambda m, a, b: m.cdist(a, b), real(0, 2), real(4, 2))
row("cdist misfit", lambda m, a, b: m.cdist(a, b), real(3, 2), real(4, 3))
row("cdist vector", lambda m, a, b: m.cdist(a, b), real(3), real(4, 3))
row("cdist ints", lambda m, a, b: m.cdist(a, b), integers(0, 3, 3, 2), integers(0, 3, 4, 2))
row("cdist negative", lambda m, a, b: m.cdist(a, b, p=-1), real(3, 2), real(4, 2))
row("cdist mode", lambda m, a, b: m.cdist(a, b, compute_mode="x"), real(3, 2), real(4, 2))
