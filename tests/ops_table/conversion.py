"""Conversions."""

from ops_table.base import given, integers, real, row, spread

# ------------------------------------------------------------------------------------------- conversions
row(
    "casts",
    lambda m, x: (x.float(), x.double(), x.long(), x.int(), x.short(), x.char(), x.byte(), x.bool()),
    spread(1, 9, 4),
)
row("casts of ints", lambda m, x: (x.float(), x.double(), x.int(), x.bool(), x.byte()), integers(0, 9, 4))
row(
    "to",
    lambda m, x: (
        x.to(m.float64),
        x.to("cpu"),
        x.to(dtype=m.float32),
        x.to("cpu", m.float64),
        x.to(m.zeros(1, dtype=m.float64)),
    ),
    real(3),
)
row("type", lambda m, x: (x.type(m.float64), x.type("torch.DoubleTensor"), x.type_as(m.zeros(1))), real(3))
row(
    "cast and back",
    lambda m, x: x.double() * x.double().float() + x.float(),
    given([0.5, 1.25, -2.0]),
    numeric=False,
)
row("detach", lambda m, x: x.detach() * x, real(3), numeric=False)
row(
    "new",
    lambda m, x: (
        x.new_zeros(2) + x.new_ones(2) * x.new_full((2,), 3) + x.new_tensor([1, 2]) * x + 0 * x.new_empty(2)
    ),
    real(2),
)
