"""Convolution and pooling."""

from typing import Any

from ops_table.base import Maker, given, integers, real, row


def conv(name: str, ndim: int, *makers: Maker, **options: Any) -> None:
    """A convolution of `ndim` dimensions, of input, weight and perhaps bias."""

    def call(m: Any, *tensors: Any) -> Any:
        return getattr(m.nn.functional, f"conv{ndim}d")(*tensors, **options)

    row(f"conv{ndim}d {name}", call, *makers, uses=[f"conv{ndim}d"], digits=4.0)


conv("plain", 1, real(2, 3, 7), real(4, 3, 3), real(4))
conv("no bias, strided", 1, real(2, 3, 8), real(4, 3, 3), stride=2, padding=1)
conv("unbatched", 1, real(3, 7), real(2, 3, 2), real(2), dilation=2)
conv("groups", 1, real(1, 4, 6), real(6, 2, 3), real(6), groups=2, padding="same")
conv("no images", 1, real(0, 3, 7), real(4, 3, 3), real(4))
conv("too long a weight", 1, real(1, 1, 3), real(1, 1, 4))
conv("plain", 2, real(2, 3, 5, 6), real(4, 3, 3, 2), real(4))
conv("padded", 2, real(2, 2, 4, 5), real(3, 2, 3, 3), real(3), padding=1)
conv("strided", 2, real(1, 2, 6, 7), real(3, 2, 3, 3), real(3), stride=(2, 3), padding=(1, 0))
conv("dilated", 2, real(1, 2, 6, 7), real(2, 2, 2, 3), real(2), dilation=(2, 1))
conv("groups", 2, real(2, 4, 4, 4), real(4, 1, 3, 3), real(4), groups=4, padding="same")
conv("pointwise", 2, real(2, 3, 4, 4), real(5, 3, 1, 1))
conv("unbatched", 2, real(2, 5, 5), real(3, 2, 2, 2), real(3))
conv("channels that do not fit", 2, real(1, 3, 5, 5), real(2, 2, 3, 3))
conv("of integers", 2, integers(0, 5, 1, 1, 4, 4), integers(0, 5, 2, 1, 2, 2))

row("max_pool2d", lambda m, x: m.nn.functional.max_pool2d(x, 2), real(2, 3, 4, 6))
row("max_pool2d padded", lambda m, x: m.nn.functional.max_pool2d(x, 3, 2, padding=1), real(2, 1, 5, 6))
row("max_pool2d dilated", lambda m, x: m.nn.functional.max_pool2d(x, 2, 1, dilation=2), real(1, 2, 5, 5))
row(
    "max_pool2d ties", lambda m, x: m.nn.functional.max_pool2d(x, 2), given([[[[1.0, 1], [1, 1]]]]), kink=True
)
row("avg_pool2d", lambda m, x: m.nn.functional.avg_pool2d(x, 2), real(2, 3, 4, 6))
row("avg_pool2d padded", lambda m, x: m.nn.functional.avg_pool2d(x, 3, 2, padding=1), real(2, 1, 5, 6))
