"""Padding: what is added around the last dimensions, as a function and as modules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.autograd.op import Primitive, primitive
from minigrad.nn.module import Module
from minigrad.tensor import Tensor

Widths = tuple[tuple[int, int], ...]  # before and after, for each dimension; below 0 takes away


def _inner(widths: Widths, shape: Sequence[int]) -> tuple[slice, ...]:
    """Where the padded array holds what was there before."""
    return tuple(slice(max(a, 0), n - max(b, 0)) for (a, b), n in zip(widths, shape, strict=True))


def _padded(x: ndarray, *, widths: Widths, value: float) -> ndarray:
    y = np.full([n + a + b for n, (a, b) in zip(x.shape, widths, strict=True)], value, x.dtype)
    back = tuple((-a, -b) for a, b in widths)
    y[_inner(widths, y.shape)] = x[_inner(back, x.shape)]
    return y


_constant: Primitive = primitive(_padded, name="constant_pad_nd").vjp(
    lambda g, widths: _constant(g, widths=tuple((-a, -b) for a, b in widths), value=0)
)


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """`value` around the last dimensions: (left, right, top, bottom, ...), the last dimension first.

    Numbers below 0 take elements away. Only `mode="constant"` is supported.

    Raises:
        RuntimeError: `pad` has an odd length, or names more dimensions than there are, or takes away
            more than there is.
        NotImplementedError: another `mode`.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.pad(minigrad.ones(1, 2), (1, 2), value=9.0)
        tensor([[9., 1., 1., 9., 9.]])
    """
    if len(pad) % 2:
        raise RuntimeError(f"Padding length must be divisible by 2\nGot {len(pad)} numbers.")
    if len(pad) > 2 * input.ndim:
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got padding "
            f"length {len(pad)} and input of dimension {input.ndim}"
        )
    if mode != "constant":
        raise NotImplementedError(f"Unrecognised padding mode {mode}\nOnly mode='constant' is supported.")
    pairs = [(int(pad[i]), int(pad[i + 1])) for i in range(0, len(pad), 2)][::-1]
    widths = (*((0, 0),) * (input.ndim - len(pairs)), *pairs)
    if any(n + a + min(b, 0) < 0 or n + b < 0 for n, (a, b) in zip(input.shape, widths, strict=True)):
        raise RuntimeError("narrow(): length must be non-negative.")
    y: Tensor = _constant(input, widths=widths, value=0.0 if value is None else value)
    return y


def _sides(padding: Any, ndim: int) -> tuple[int, ...]:
    return tuple(padding) if isinstance(padding, (tuple, list)) else (padding,) * (2 * ndim)


class _ConstantPad(Module):
    """What the layers have in common that add a constant."""

    _ndim = 1

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__()
        self.padding, self.value = _sides(padding, self._ndim), value

    def forward(self, input: Tensor) -> Tensor:
        return pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """`value` around the last dimension, see `functional.pad`."""


class ConstantPad2d(_ConstantPad):
    """`value` around the last two dimensions, see `functional.pad`."""

    _ndim = 2


class ZeroPad1d(ConstantPad1d):
    """Zeros around the last dimension."""

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad2d(ConstantPad2d):
    """Zeros around the last two dimensions."""

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"
