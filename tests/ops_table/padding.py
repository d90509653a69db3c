"""Padding."""

from ops_table.base import given, integers, real, row

_PAD = lambda *args: lambda m, x: m.nn.functional.pad(x, *args)  # noqa: E731

row("pad one dim", _PAD((1, 2)), real(2, 3))
row("pad two dims", _PAD((1, 2, 0, 1), "constant", 2.5), real(2, 3, 4))
row("pad away", _PAD((-1, 2, 1, -1)), real(3, 4))
row("pad away all", _PAD((-4, 0)), real(3, 4))
row("pad away and fill", _PAD((-5, 3)), real(3, 4))
row("pad away too much", _PAD((-3, -2)), real(3, 4))
row("pad nothing", _PAD((1, 1)), real(2, 0))
row("pad with infinity", _PAD((1, 1), "constant", float("inf")), real(3))
row("pad of int64", _PAD((1, 1), "constant", 2), integers(0, 5, 3))
row("pad of bool", _PAD((1, 1)), given([True, False], "bool"))
row("pad odd", _PAD((1, 1, 1)), real(2, 3))
row("pad of too few", _PAD((1, 1, 1, 1)), real(3))
row("pad mode", _PAD((1, 1), "mirror"), real(2, 3))
row("ConstantPad1d", lambda m, x: m.nn.ConstantPad1d(2, 3.5)(x), real(2, 3))
row("ConstantPad2d", lambda m, x: m.nn.ConstantPad2d((1, 0, 2, 1), 3.5)(x), real(1, 2, 3))
row("ZeroPad1d", lambda m, x: m.nn.ZeroPad1d((2, 1))(x), real(2, 3))
row("ZeroPad2d", lambda m, x: m.nn.ZeroPad2d(1)(x), real(1, 2, 3))


def sourced(mode: str) -> None:
    """A mode that pads with elements of the input."""
    for padding, shape in (
        ((2, 1), (2, 3, 4)),
        ((0, 2), (2, 3)),
        ((1, 2, 1, 0), (2, 2, 3)),
        ((1, 2, 1, 1), (2, 1, 2, 3)),
        ((-1, 1), (2, 3)),
        ((0, 0), (2, 3)),
        ((5, 1), (1, 3)),
        ((1, 1, 1), (2, 3)),
        ((1, 1), (3,)),
        ((1, 1), (2, 2, 2, 2)),
    ):
        row(f"pad {mode} {padding} of {shape}", _PAD(padding, mode), real(*shape))
    row(f"pad {mode} with a value", _PAD((1, 1), mode, 2.0), real(2, 3))
    row(f"pad {mode} of int64", _PAD((1, 1), mode), integers(0, 9, 2, 3))


for _mode in ("reflect", "replicate", "circular"):
    sourced(_mode)
for _name in ("ReflectionPad", "ReplicationPad", "CircularPad"):
    row(f"{_name}1d", lambda m, x, name=_name: getattr(m.nn, f"{name}1d")(2)(x), real(2, 3))
    row(f"{_name}2d", lambda m, x, name=_name: getattr(m.nn, f"{name}2d")((1, 1, 0, 1))(x), real(1, 2, 3))
