"""What is written in place, and the views that see it."""

from collections.abc import Callable
from typing import Any

from ops_table.base import Maker, _names, fractions, given, integers, mask, positive, real, row, unit

# ------------------------------------------------------------------------------- in place, and views of
row("in-place operators", lambda m, x, y: _in_place_operators(x.clone(), y), positive(2, 3), positive(3))
row(
    "in-place twins",
    lambda m, x: (
        x.clone().add_(1).mul_(2).sub_(0.5).div_(3).neg_(),
        x.clone().pow_(2),
        x.clone().abs_(),
        x.clone().sqrt_(),
        x.clone().exp_(),
        x.clone().log_(),
        x.clone().sigmoid_(),
        x.clone().tanh_(),
        x.clone().relu_(),
        x.clone().clamp_(0, 3),
    ),
    unit(2, 3),
)
row("in-place alpha", lambda m, x, y: (x * 1).add_(y, alpha=2).sub_(y, alpha=0.5), real(2, 3), real(3))
row(
    "in-place fills",
    lambda m, x: (x.clone().zero_() + x, x.clone().fill_(2.5) * x, x.clone().copy_(x * 3)),
    real(3),
    numeric=True,
)
row("in-place masked_fill", lambda m, x, c: x.clone().masked_fill_(c, 0.5) * x, real(4), mask(4))
row("in-place round", lambda m, x: x.clone().round_() + x, fractions(4))
row("in-place widening", lambda m, x: x.clone().add_(m.ones(2, 3)), real(3))
row("in-place int by float", lambda m, x: x.clone().mul_(0.5), integers(1, 5, 3))
row("in-place int division", lambda m, x: x.clone().div_(2), integers(1, 5, 3))
row("in-place ints", lambda m, x: x.clone().add_(1).mul_(3), integers(1, 5, 3))


def _in_place_operators(x: Any, y: Any) -> Any:
    x += y
    x *= y
    x -= 0.5
    x /= y
    x **= 2
    return x


def writing(name: str, write: Callable[..., Any], *makers: Maker) -> None:
    """A row whose call writes into a copy of x and returns it."""

    def call(m: Any, x: Any, *rest: Any) -> Any:
        copy = x.clone()
        write(m, copy, *rest)
        return copy * 2

    row(f"write {name}", call, *makers, uses=["__setitem__", *_names(write.__code__)])


def _assign(x: Any, index: Any, value: Any) -> None:
    x[index] = value


writing("integer", lambda m, x, v: _assign(x, 0, v), real(2, 3), real(3))
writing("number", lambda m, x: _assign(x, (slice(None), 1), 0.5), real(2, 3))
writing("slice", lambda m, x, v: _assign(x, slice(1, None), v), real(3, 2), real(1, 2))
writing("element", lambda m, x, v: _assign(x, (1, 1), v), real(2, 3), real())
writing("whole", lambda m, x, v: _assign(x, Ellipsis, v), real(2, 3), real(3))
writing("list", lambda m, x, v: _assign(x, [0, 2], v), real(3, 2), real(2, 2))
writing("tensor", lambda m, x, v, i: _assign(x, i, v), real(3, 2), real(2), given([0, 2], "int64"))
writing(
    "mask", lambda m, x, v, c: _assign(x, c, v), real(2, 3), real(3), given([[1, 0, 1], [0, 0, 1]], "bool")
)
writing("mask number", lambda m, x, c: _assign(x, c, -1), real(2, 3), mask(2, 3))
writing("leading ones", lambda m, x, v: _assign(x, 0, v), real(2, 3), real(1, 3))
writing("misfit", lambda m, x, v: _assign(x, 0, v), real(2, 3), real(2))
writing("itself", lambda m, x: _assign(x, 0, x[1] * 2), real(2, 3))
writing("row view", lambda m, x: x[0].mul_(3), real(2, 3))
writing("column view", lambda m, x, v: x[:, 1].copy_(v), real(2, 3), real(2))
writing("view of view", lambda m, x: x[1:].t()[0].add_(1).mul_(2), real(3, 2))
writing("flat view", lambda m, x: x.view(-1)[::2].exp_(), real(2, 3))
writing("unbound", lambda m, x: x.split(1)[0].mul_(2), real(1, 3))


# ---------------------------------------- what gradients make of writes, seen through base and views alike
def _base_then_old_view(m: Any, x: Any) -> Any:
    base = x * 1
    view = base[0]
    base.mul_(3)
    return view * 2


def _view_then_base(m: Any, x: Any, v: Any) -> Any:
    base = x * 1
    base[1].copy_(v)
    return base * 2, base[1] * 5, base[0] * 7


def _old_views_of_views(m: Any, x: Any, v: Any) -> Any:
    base = x * 1
    rows, flat = base[1:], base.view(-1)
    corner = rows.t()[0]
    flat[3:6] *= 2
    rows[0, 1] = v
    corner += 4
    return corner * 2, rows * 3, flat * 5, base * 7


def _written_before_and_after_use(m: Any, x: Any) -> Any:
    base = x * 1
    before = base.sum()
    base[0] = 0
    between = base.sum()
    base[:, 0] *= 3
    return before, between, base.sum()


def _into_a_constant(m: Any, v: Any) -> Any:
    base = m.zeros(2, 3, dtype=v.dtype)
    view = base[1]
    base[0] = v
    view += v * 2
    return base * 3, view * 5


def _whole_replaced(m: Any, x: Any, v: Any) -> Any:
    base = x * 1
    view = base[0]
    base.copy_(v * 2)
    (v * 1).sum()
    return view * 3, base * 2


def _cycle(m: Any, x: Any) -> Any:
    base = x * 1
    base[0] = base[1] * 3 + base[2]
    base[1] = base[0] + base[2]
    return base


for _call, *_makers in [
    (_base_then_old_view, real(2, 3)),
    (_view_then_base, real(2, 3), real(3)),
    (_old_views_of_views, real(3, 2), real()),
    (_written_before_and_after_use, real(2, 3)),
    (_into_a_constant, real(3)),
    (_whole_replaced, real(2, 3), real(2, 3)),
    (_cycle, real(3, 2)),
]:
    row(f"views {_call.__name__.strip('_').replace('_', ' ')}", _call, *_makers, dense=True)
