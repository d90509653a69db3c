"""Dropout, as function and module."""

from __future__ import annotations

from minigrad.nn.module import Module
from minigrad.ops.elementwise import mul
from minigrad.ops.inplace import update
from minigrad.stream import default_generator
from minigrad.tensor import Tensor


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero each element with probability `p` and divide the others by 1 - p.

    The expectation of the result is the input. Without `training` the input itself is returned. The
    mask is drawn as `bernoulli_(1 - p)` draws.

    Raises:
        ValueError: `p` is outside [0, 1].

    Source: N. Srivastava et al., "Dropout: a simple way to prevent neural networks from
    overfitting", JMLR 15 (2014).

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> nn.functional.dropout(minigrad.ones(3), p=1.0)
        tensor([0., 0., 0.])
    """
    _check(p)
    if not training or p == 0 or input._array.size == 0:
        return input
    mask = 0.0 if p == 1 else _mask(input, 1 - p)
    return update(input, mul, mask) if inplace else mul(input, mask)


def _mask(input: Tensor, keep: float) -> Tensor:
    """0 or 1 / keep for each element."""
    kind = input._array.dtype
    one = kind.type(1) / kind.type(keep)
    return Tensor._wrap(default_generator.bernoulli_p(input._array.shape, keep, kind, one))


def _check(p: float) -> None:
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


class Dropout(Module):
    """In training zeroes each element with probability `p` and divides the others by 1 - p.

    Raises:
        ValueError: `p` is outside [0, 1].

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> layer = nn.Dropout(p=0.2)
        >>> layer
        Dropout(p=0.2, inplace=False)
        >>> layer.eval()(minigrad.ones(2))
        tensor([1., 1.])
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        _check(p)
        self.p = p
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"
