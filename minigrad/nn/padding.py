"""Padding: what is added around the last dimensions, as a function and as modules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.autograd.fused import fused
from minigrad.autograd.op import Primitive, primitive
from minigrad.nn.module import Module
from minigrad.ops.indexing import getitem
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


def _source(mode: str, before: int, after: int, n: int) -> ndarray:
    """The elements, of n, that a padded dimension is made of."""
    places = np.arange(-before, n + after)
    if mode == "reflect":
        return (n - 1) - np.abs((n - 1) - np.abs(places))
    if mode == "replicate":
        return np.clip(places, 0, n - 1)
    first, last = max(-before, 0), n - max(-after, 0)  # what is taken away does not come back
    return first + (places - first) % max(last - first, 1)


_NAMES = {
    "reflect": "ReflectionPad{}DBackward0",
    "replicate": "ReplicationPad{}DBackward0",
    "circular": "torch::autograd::CopySlices",
}


@fused(grad_name=lambda values: _NAMES[values[2]].format(len(values[1])))
def _surrounded(input: Tensor, pairs: Sequence[tuple[int, int]], mode: str) -> Tensor:
    """The last dimensions, each with what `mode` puts before and after it: elements of the input."""
    found = []
    for place, (before, after) in enumerate(pairs):
        source = _source(mode, before, after, input.shape[place - len(pairs)])
        found.append(source.reshape(-1, *(1,) * (len(pairs) - 1 - place)))
    result: Tensor = getitem(input, (..., *found))
    return result


def _check_sources(sizes: Sequence[int], pad: Sequence[int], ndim: int, mode: str) -> None:
    """What cannot be padded by elements of the input."""
    if mode not in _NAMES:
        raise NotImplementedError(
            f"Unrecognised padding mode {mode}\nGive 'constant', 'reflect', 'replicate' or 'circular'."
        )
    count = len(pad) // 2
    if count not in (1, 2) or ndim not in (count + 1, count + 2):
        raise NotImplementedError(
            f"Padding size {len(pad)} is not supported for {ndim}D input tensor.\n"
            "Give 2 numbers for a 2D or 3D input, or 4 for a 3D or 4D input."
        )
    for place in range(count):
        before, after = pad[2 * place], pad[2 * place + 1]
        n, widest = sizes[-1 - place], max(before, after)
        if mode == "reflect" and widest >= n:
            raise RuntimeError(
                f"Argument #{4 + 2 * place}: Padding size should be less than the corresponding input "
                f"dimension, but got: padding ({before}, {after}) at dimension {ndim - 1 - place} of input "
                f"{list(sizes)}"
            )
        if mode == "circular" and widest > n:
            raise RuntimeError("Padding value causes wrapping around more than once.")
        if mode == "circular" and n + min(before, 0) + min(after, 0) < 0:
            raise RuntimeError("Negative padding value is resulting in an empty dimension")
        if n + before + after < 1 or n < 1:
            raise RuntimeError(
                f"input (size: {n}) is too small for padding ({before}, {after}) at dimension "
                f"{ndim - 1 - place}"
            )


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """The last dimensions with something before and after them: (left, right, top, bottom, ...).

    Args:
        input: what is padded.
        pad: how much, in pairs, that of the last dimension first; numbers below 0 take elements away.
        mode: "constant" adds `value`, to any dimensions; to one or two, "reflect" mirrors the elements but
            the outermost, "replicate" repeats the outermost, "circular" goes on from the other end.
        value: the constant, 0 by default.

    Raises:
        RuntimeError: `pad` has an odd length, names more dimensions than there are, takes away more than
            there is, or reaches farther than the mode has elements for; a `value` without "constant".
        NotImplementedError: another `mode`, or dimensions that it does not pad.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.functional
        >>> F.pad(minigrad.ones(1, 2), (1, 2), value=9.0)
        tensor([[9., 1., 1., 9., 9.]])
        >>> F.pad(minigrad.tensor([[1.0, 2.0, 3.0]]), (2, 1), mode="reflect")
        tensor([[3., 2., 1., 2., 3., 2.]])
    """
    if len(pad) % 2:
        raise RuntimeError(f"Padding length must be divisible by 2\nGot {len(pad)} numbers.")
    if len(pad) > 2 * input.ndim:
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got padding "
            f"length {len(pad)} and input of dimension {input.ndim}"
        )
    pairs = [(int(pad[i]), int(pad[i + 1])) for i in range(0, len(pad), 2)][::-1]
    if mode != "constant":
        if value not in (None, 0):
            raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
        _check_sources(input.shape, pad, input.ndim, mode)
        surrounded: Tensor = _surrounded(input, tuple(pairs), mode)
        return surrounded
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


class _Pad(Module):
    """What the layers have in common that add elements of the input."""

    _ndim, _mode = 1, "reflect"

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = _sides(padding, self._ndim)

    def forward(self, input: Tensor) -> Tensor:
        return pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ReflectionPad1d(_Pad):
    """The elements mirrored around the last dimension, see `functional.pad`.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> nn.ReflectionPad1d(1)(minigrad.arange(3.0).reshape(1, 3))
        tensor([[1., 0., 1., 2., 1.]])
    """

    _ndim, _mode = 1, "reflect"


class ReflectionPad2d(_Pad):
    """The elements mirrored around the last two dimensions, see `functional.pad`.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> nn.ReflectionPad2d(1)(minigrad.arange(4.0).reshape(1, 2, 2))
        tensor([[[3., 2., 3., 2.],
                 [1., 0., 1., 0.],
                 [3., 2., 3., 2.],
                 [1., 0., 1., 0.]]])
    """

    _ndim, _mode = 2, "reflect"


class ReplicationPad1d(_Pad):
    """The outermost elements repeated around the last dimension, see `functional.pad`.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> nn.ReplicationPad1d(1)(minigrad.arange(3.0).reshape(1, 3))
        tensor([[0., 0., 1., 2., 2.]])
    """

    _ndim, _mode = 1, "replicate"


class ReplicationPad2d(_Pad):
    """The outermost elements repeated around the last two dimensions, see `functional.pad`.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> nn.ReplicationPad2d(1)(minigrad.arange(4.0).reshape(1, 2, 2))
        tensor([[[0., 0., 1., 1.],
                 [0., 0., 1., 1.],
                 [2., 2., 3., 3.],
                 [2., 2., 3., 3.]]])
    """

    _ndim, _mode = 2, "replicate"


class CircularPad1d(_Pad):
    """The elements from the other end around the last dimension, see `functional.pad`.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> nn.CircularPad1d(1)(minigrad.arange(3.0).reshape(1, 3))
        tensor([[2., 0., 1., 2., 0.]])
    """

    _ndim, _mode = 1, "circular"


class CircularPad2d(_Pad):
    """The elements from the other end around the last two dimensions, see `functional.pad`.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> nn.CircularPad2d(1)(minigrad.arange(4.0).reshape(1, 2, 2))
        tensor([[[3., 2., 3., 2.],
                 [1., 0., 1., 0.],
                 [3., 2., 3., 2.],
                 [1., 0., 1., 0.]]])
    """

    _ndim, _mode = 2, "circular"
