"""Scaled dot-product attention."""

from typing import Any

from ops_table.base import Maker, integers, mask, real, row


def attention(name: str, *makers: Maker, **options: Any) -> None:
    """Of queries, keys, values and, where given, a mask."""

    def call(m: Any, *tensors: Any) -> Any:
        return m.nn.functional.scaled_dot_product_attention(*tensors, **options)

    row(f"attention {name}", call, *makers, uses=["scaled_dot_product_attention"])


attention("of matrices", real(3, 4), real(5, 4), real(5, 2))
attention("of batches", real(2, 3, 4), real(2, 5, 4), real(2, 5, 2))
attention("of heads", real(2, 2, 3, 4), real(2, 2, 5, 4), real(2, 2, 5, 4))
attention("causal", real(1, 2, 3, 4), real(1, 2, 3, 4), real(1, 2, 3, 4), is_causal=True)
attention("scaled", real(2, 3, 4), real(2, 5, 4), real(2, 5, 2), scale=0.3)
attention("masked", real(2, 3, 4), real(2, 5, 4), real(2, 5, 2), mask(3, 5))
attention("masked heads", real(1, 2, 3, 4), real(1, 2, 5, 4), real(1, 2, 5, 4), mask(3, 5))
attention("added", real(2, 3, 4), real(2, 5, 4), real(2, 5, 2), real(3, 5))
attention("integer mask", real(3, 4), real(5, 4), real(5, 2), integers(0, 2, 3, 5))
attention("two masks", real(3, 4), real(5, 4), real(5, 2), mask(3, 5), is_causal=True)
attention("of vectors", real(4), real(5, 4), real(5, 2))
attention("other kinds", integers(0, 3, 3, 4), real(5, 4), real(5, 2))
