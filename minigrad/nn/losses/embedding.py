"""Losses of distances and similarities, with targets ±1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.kernels import losses as kernels
from minigrad.nn.losses.base import Loss, as_target, loss, reduce_loss, reduced_name
from minigrad.ops.elementwise import clamp, sqrt, where


def _check_hinge_embedding(
    input: Any, target: Any, margin: float, average: Any, reduce: Any, reduction: str
) -> Sequence[Any]:
    return input, as_target(input, target), margin, average, reduce, reduction


@loss(
    forward=kernels.hinge_embedding,
    check=_check_hinge_embedding,
    grad_name=reduced_name("AddBackward0"),
)
def hinge_embedding_loss(
    input: Any,
    target: Any,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """x where y = 1, max(0, margin - x) where y = -1.

    Wants: distances x of pairs, and targets 1 (similar) or -1 (dissimilar), not 0 and 1.

    Args:
        input: distances, any shape.
        target: 1 or -1, the shape of `input`; any other value counts both parts, as torch's.
        margin: how far apart dissimilar pairs should be, in units of the distance.
        reduction: "mean" divides by the number of elements; "sum"; "none".

    Gradient: 1 where y = 1, -1 where y = -1 and x <= margin, else 0.

    Use it to learn an embedding from pairs. It is not the hinge loss of support vector machines; taking it
    for that is the common mistake.

    Raises:
        ValueError: an unknown reduction.

    Source: R. Hadsell et al., "Dimensionality Reduction by Learning an Invariant Mapping", CVPR 2006.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.functional
        >>> F.hinge_embedding_loss(minigrad.tensor([0.3, 0.3]), minigrad.tensor([1, -1]), reduction="none")
        tensor([0.3000, 0.7000])
    """
    near = where(target != -1, input, 0.0)
    apart = where(target != 1, clamp(margin - input, min=0), 0.0)
    return reduce_loss(near + apart, reduction)


class HingeEmbeddingLoss(Loss, fn=hinge_embedding_loss):
    """x where y = 1, max(0, margin - x) where y = -1; the mean by default. Wants distances and targets ±1.
    See `minigrad.nn.functional.hinge_embedding_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.HingeEmbeddingLoss()
        >>> criterion(minigrad.tensor([0.3, 0.3]), minigrad.tensor([1, -1]))
        tensor(0.5000)
    """


_EPSILON = 1e-12  # added to each squared norm, as torch does


def _check_cosine_embedding(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float,
    average: Any,
    reduce: Any,
    reduction: str,
) -> Sequence[Any]:
    target = as_target(input1, target)
    a, b, y = input1._array.shape, input2._array.shape, target._array.shape
    if len(y) > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if len(y) == 1 and (len(a) != 2 or len(b) != 2):
        raise RuntimeError(
            f"1D target tensor expects 2D input tensors, but found inputs with sizes {list(a)} and {list(b)}."
        )
    if not y and (len(a) != 1 or len(b) != 1):
        raise RuntimeError(
            f"0D target tensor expects 1D input tensors, but found inputs with sizes {list(a)} and {list(b)}."
        )
    try:
        np.broadcast_shapes(a, b)
    except ValueError:
        (input1.detach() * input2.detach()).sum()  # raises, naming the sizes
    return input1, input2, target, margin, average, reduce, reduction


@loss(
    forward=kernels.cosine_embedding,
    check=_check_cosine_embedding,
    wrt=("input1", "input2"),
    backward=lambda g, gradient: _scale_rows(g, gradient),
    grad_name=reduced_name("AddBackward0"),
)
def cosine_embedding_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """1 - cos(a, b) where y = 1, max(0, cos(a, b) - margin) where y = -1.

    Wants: pairs of vectors, and targets 1 (similar) or -1 (dissimilar), not 0 and 1.

    Args:
        input1, input2: vectors a and b, (D) or (N, D).
        target: 1 or -1, () or (N); any other value counts nothing, as torch's.
        margin: the cosine that dissimilar pairs may keep, in [-1, 1], usually 0 to 0.5.
        reduction: "mean" divides by N; "sum"; "none".

    Gradient: ∓ (b / |b| - cos a / |a|) / |a| to a, and likewise to b; the length of a vector has none.

    Use it to learn directions from pairs, whatever the lengths. The common mistake is 0 and 1 as targets:
    pairs with 0 count nothing.

    Raises:
        RuntimeError: the shapes do not fit.
        ValueError: an unknown reduction.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.functional
        >>> a, b = minigrad.tensor([[1.0, 0.0]]), minigrad.tensor([[1.0, 1.0]])
        >>> F.cosine_embedding_loss(a, b, minigrad.tensor([1]))
        tensor(0.2929)
    """
    product = (input1 * input2).sum(-1)
    squares = ((input1 * input1).sum(-1) + _EPSILON) * ((input2 * input2).sum(-1) + _EPSILON)
    cosine = product / sqrt(squares)
    similar = where(target == 1, 1 - cosine, 0.0)
    dissimilar = where(target == -1, clamp(cosine - margin, min=0), 0.0)
    return reduce_loss(similar + dissimilar, reduction)


def _scale_rows(g: Any, gradient: Any) -> Any:
    """The saved gradient times the cotangent of each row."""
    if g.ndim == 0 and g == 1:
        return gradient
    return (g[:, None] if g.ndim else g) * gradient


class CosineEmbeddingLoss(Loss, fn=cosine_embedding_loss):
    """1 - cos(a, b) where y = 1, max(0, cos(a, b) - margin) where y = -1; the mean by default. Wants pairs
    of vectors and targets ±1. See `minigrad.nn.functional.cosine_embedding_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.CosineEmbeddingLoss(margin=0.5)
        >>> a, b = minigrad.tensor([[1.0, 0.0]]), minigrad.tensor([[1.0, 1.0]])
        >>> criterion(a, b, minigrad.tensor([-1]))
        tensor(0.2071)
    """
