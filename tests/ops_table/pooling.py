"""Pooling: windows of images and sequences, their options, and windows that tile the input."""

from typing import Any

import numpy as np

from ops_table.base import Maker, given, integers, real, row


def pool(name: str, *sizes: Any, what: str = "", maker: Maker | None = None, **options: Any) -> None:
    """One function with its options; images of 5 × 7, or sequences of 7."""

    def call(m: Any, x: Any) -> Any:
        return getattr(m.nn.functional, name)(x, *sizes, **options)

    default = real(2, 3, 5, 7) if name.endswith("2d") else real(2, 3, 7)
    row(f"{name} of {sizes} {options} {what}".strip(), call, maker or default, uses=[name])


for _name in ("max_pool1d", "max_pool2d", "avg_pool1d", "avg_pool2d"):
    pool(_name, 2, 1)
    pool(_name, 3, ceil_mode=True)
    pool(_name, 3, 2, padding=1, ceil_mode=True)
    pool(_name, 2, 3, padding=1, ceil_mode=True)
    pool(_name, 9)
    pool(_name, 2, padding=2)
    pool(_name, 2, stride=0)
    if _name != "avg_pool2d":
        pool(_name, 2, what="of a vector", maker=real(4))
    pool(_name, 2, what="unbatched", maker=real(2, 4) if "1d" in _name else real(2, 4, 5))
    pool(_name, 2, what="infinite", maker=given([[[[1.0, -np.inf, np.inf, 2.0]] * 2]][0]), stride=2)
for _name in ("max_pool1d", "max_pool2d"):
    pool(_name, 2, return_indices=True)
    pool(_name, 3, 1, 1, return_indices=True)
    pool(_name, 2, 2, dilation=2, return_indices=True)
    pool(_name, 3, 2, padding=1, dilation=2, ceil_mode=True)
pool("max_pool2d", (2, 3), (1, 2), (1, 0), return_indices=True)
pool("max_pool2d", 2, maker=integers(-9, 9, 1, 4, 4), what="of integers", return_indices=True)
row(
    "max_pool2d of nan",
    lambda m, x: m.nn.functional.max_pool2d(x, 2, return_indices=True),
    given([[[1.0, np.nan], [2.0, 3.0]]]),
    kink=True,
)
row(
    "max_pool2d of minus infinity",
    lambda m, x: m.nn.functional.max_pool2d(x, 3, 2, 1, return_indices=True),
    given(np.full((1, 3, 3), -np.inf)),
    kink=True,
)
for _name in ("avg_pool1d", "avg_pool2d"):
    pool(_name, 3, 2, 1, count_include_pad=False)
    pool(_name, 3, 2, 1, True, False)
pool("avg_pool2d", 2, divisor_override=3)
pool("avg_pool2d", 3, 2, 1, divisor_override=-2, ceil_mode=True)
pool("avg_pool2d", 2, divisor_override=0)
pool("avg_pool2d", (2, 3), (1, 2), (1, 0))
pool("max_pool2d", 2, what="of nothing", maker=real(0, 2, 4, 4))
pool("avg_pool2d", 2, what="of nothing", maker=real(0, 2, 4, 4))

for _name in ("adaptive_avg_pool1d", "adaptive_max_pool1d", "adaptive_avg_pool2d", "adaptive_max_pool2d"):
    pool(_name, 1)
    pool(_name, 3)
    pool(_name, 7)
    pool(_name, 9)  # more windows than places
    pool(_name, 2, what="of a vector", maker=real(4))
    pool(_name, 2, what="unbatched", maker=real(2, 5) if "1d" in _name else real(2, 4, 5))
for _name in ("adaptive_avg_pool2d", "adaptive_max_pool2d"):
    pool(_name, (None, 3))
    pool(_name, (2, 1))
pool("adaptive_max_pool1d", 3, return_indices=True)
pool("adaptive_max_pool2d", (2, 3), return_indices=True)
pool("adaptive_avg_pool2d", 2, maker=integers(0, 9, 1, 4, 4), what="of integers")
