"""Distances and similarities of vectors, as functions and as modules."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.autograd.fused import Relay
from minigrad.nn.module import Module
from minigrad.ops.elementwise import abs as absolute
from minigrad.ops.elementwise import clamp, pow, sign, where
from minigrad.ops.reduction import amin, norm
from minigrad.tensor import Tensor


def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """The p-norm of x1 - x2 + eps over the last dimension.

    Args:
        x1, x2: vectors, (..., D); their shapes broadcast.
        p: the order of the norm: any number, 0 (how many components differ) and ±inf included.
        eps: added to each component of the difference, as torch does; so d(x, x) is not 0, and d(a, b) is
            not quite d(b, a).
        keepdim: keep the last dimension, with size 1.

    Gradient: that of the norm, for p = 2 the direction (x1 - x2) / d; 0 where d is 0.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.functional
        >>> F.pairwise_distance(minigrad.tensor([[3.0, 0.0]]), minigrad.tensor([[0.0, 4.0]]))
        tensor([5.])
    """
    difference = x1 - x2 + eps
    distance = norm(difference, p, -1, keepdim) if p > 0 else _unusual_norm(difference, p, keepdim)
    if distance._node is not None:
        distance._node = Relay(distance._node, "NormBackward1")  # the name torch has for it
    return distance


def _unusual_norm(x: Any, p: float, keepdim: bool, dim: Any = -1) -> Any:
    """The "norm" of order 0, of a negative order, which is 0 where a component is, and of -inf."""
    if p == 0:
        return absolute(sign(x)).sum(dim, keepdim)
    if p == -math.inf:
        return amin(absolute(x), dim, keepdim)
    zero = x == 0
    size = pow(pow(absolute(where(zero, 1.0, x)), p).sum(dim, keepdim), 1 / p)
    return where(zero.any(dim, keepdim), 0.0, size)


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """x1 · x2 / (max(|x1|, eps) max(|x2|, eps)), the cosine of the angle, over `dim`.

    Args:
        x1, x2: vectors along `dim`; their shapes broadcast.
        dim: the dimension of the vectors' components.
        eps: the least length a vector counts with.

    Gradient: (x2 / |x2| - cos x1 / |x1|) / |x1| to x1, and likewise to x2. Where a length is below `eps`
    the gradient passes as if it were not, as torch's.

    Raises:
        RuntimeError: the inputs are integers, or the shapes do not broadcast.
        IndexError: there is no dimension `dim`.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.functional
        >>> F.cosine_similarity(minigrad.tensor([[1.0, 0.0]]), minigrad.tensor([[1.0, 1.0]]))
        tensor([0.7071])
    """
    common = dtypes.result_type(x1._array, x2._array)
    if common.kind != "f":
        raise RuntimeError(
            "expected common dtype to be floating point, yet common dtype is "
            f"{dtypes.from_numpy(common).scalar_type}\nConvert the inputs, e.g. with .float()."
        )
    try:
        shape = np.broadcast_shapes(x1.shape, x2.shape)
    except ValueError:
        return x1 * x2  # raises, naming the sizes
    return (_direction(x1.expand(shape), dim, eps) * _direction(x2.expand(shape), dim, eps)).sum(dim)


def _direction(x: Any, dim: int, eps: float) -> Any:
    """x over its length, which is at least eps."""
    length = norm(x, 2, dim, keepdim=True)
    return x / (length + (clamp(length, min=eps) - length).detach())


def normalize(input: Any, p: float = 2.0, dim: Any = 1, eps: float = 1e-12) -> Any:
    """x / max(|x|, eps): vectors along `dim`, one or several, brought to a p-norm of 1.

    Gradient: (g - y (y · g)) / |x| for p = 2; 1 / eps where the norm is below `eps`.

    Raises:
        RuntimeError: the input is not floating point.
        IndexError: there is no dimension `dim`.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.normalize(minigrad.tensor([[3.0, 4.0]]))
        tensor([[0.6000, 0.8000]])
    """
    length = norm(input, p, dim, keepdim=True) if p > 0 else _unusual_norm(input, p, True, dim)
    return input / clamp(length, min=eps)


class PairwiseDistance(Module):
    """The p-norm of x1 - x2 + eps over the last dimension. See `minigrad.nn.functional.pairwise_distance`.

    Example:
        >>> import minigrad
        >>> distance = minigrad.nn.PairwiseDistance(p=1)
        >>> distance(minigrad.tensor([[3.0, 0.0]]), minigrad.tensor([[0.0, 4.0]]))
        tensor([7.])
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """The distances of the vectors of `x1` and `x2`."""
        return pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


class CosineSimilarity(Module):
    """The cosine of the angle between vectors along `dim`. See `minigrad.nn.functional.cosine_similarity`.

    Example:
        >>> import minigrad
        >>> similarity = minigrad.nn.CosineSimilarity(dim=0)
        >>> similarity(minigrad.tensor([1.0, 0.0]), minigrad.tensor([1.0, 1.0]))
        tensor(0.7071)
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """The cosines of the vectors of `x1` and `x2`."""
        return cosine_similarity(x1, x2, self.dim, self.eps)
