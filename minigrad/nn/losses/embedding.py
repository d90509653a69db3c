"""Losses of vectors: of their angle, of their distances."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.kernels import losses as kernels
from minigrad.nn.distance import PairwiseDistance, pairwise_distance
from minigrad.nn.losses.base import Loss, loss, reduce_loss, reduced_name
from minigrad.nn.losses.margin import as_signs, check_tensor, scale_rows
from minigrad.ops.elementwise import clamp, minimum, sqrt, where

# ----------------------------------------------------------------------------------- cosine embedding
_EPSILON = float(np.float32(1e-12))  # torch adds it to each squared norm, of whatever dtype


def _check_cosine_embedding(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float,
    average: Any,
    reduce: Any,
    reduction: str,
) -> Sequence[Any]:
    check_tensor("input1", input1)
    check_tensor("input2", input2)
    target = as_signs(input1, target)
    a, b, y = input1._array.shape, input2._array.shape, target._array.shape
    if len(y) > 1:
        raise RuntimeError(
            "0D or 1D target tensor expected, multi-target not supported\n"
            f"Got {list(y)}; the target holds one sign a pair, (N). Try target.squeeze(1)."
        )
    if len(y) == 1 and (len(a) != 2 or len(b) != 2):
        raise RuntimeError(
            "1D target tensor expects 2D input tensors, but found inputs with sizes "
            f"{list(a)} and {list(b)}.\n"
            "Give inputs (N, D); for one pair of vectors (D) the target is 0D, e.g. target.squeeze()."
        )
    if not y and (len(a) != 1 or len(b) != 1):
        raise RuntimeError(
            "0D target tensor expects 1D input tensors, but found inputs with sizes "
            f"{list(a)} and {list(b)}.\n"
            "Give a target for each pair, (N), e.g. target.expand(len(input1))."
        )
    try:
        np.broadcast_shapes(a, b)
    except ValueError:
        input1.detach() * input2.detach()  # raises, naming the sizes
    return input1, input2, target, margin, average, reduce, reduction


@loss(
    forward=kernels.cosine_embedding,
    check=_check_cosine_embedding,
    by_signature=True,
    wrt=("input1", "input2"),
    backward=scale_rows,
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
        target: 1 or -1, () or (N), of any dtype; any other value counts nothing, as torch's.
        margin: the cosine that dissimilar pairs may keep, in [-1, 1], usually 0 to 0.5.
        reduction: "mean" divides by N; "sum"; "none".

    Gradient: ∓ (b / |b| - cos a / |a|) / |a| to a, and likewise to b; the length of a vector has none.
    1e-12 is added to each squared length, as torch does: vectors shorter than 1e-5 count as if they were
    less alike, and a vector of zeros has loss 1 and a large gradient.

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


# ------------------------------------------------------------------------------------ triplet margin
def _validate_margin(margin: float) -> None:
    if margin <= 0:
        raise ValueError(
            f"margin must be greater than 0, got {margin}\nIt is how much farther the negative should be."
        )


def _refuse_margin(module: Loss, margin: float) -> None:
    """What the constructors say of a margin outside its domain."""
    if margin <= 0:
        raise ValueError(
            f"{type(module).__name__}: expected margin to be greater than 0, got {margin} instead\n"
            "It is how much farther the negative should be than the positive."
        )


def _check_triplet(anchor: Any, positive: Any, negative: Any) -> None:
    for name, value in (("anchor", anchor), ("positive", positive), ("negative", negative)):
        check_tensor(name, value)
    a, p, n = anchor.ndim, positive.ndim, negative.ndim
    if not a == p == n:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, "
            f"but got: anchor {a}D, positive {p}D, and negative {n}D inputs\n"
            f"Their shapes are {list(anchor.shape)}, {list(positive.shape)} and {list(negative.shape)}; "
            "unsqueeze(0) adds a dimension."
        )


def _check_triplet_margin(anchor: Any, positive: Any, negative: Any, *options: Any) -> Sequence[Any]:
    _check_triplet(anchor, positive, negative)
    return anchor, positive, negative, *options


def _triplet(
    distance: Callable[[Any, Any], Any],
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float,
    swap: bool,
    reduction: str,
) -> Any:
    """The triplet margin loss of any distance."""
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return reduce_loss(clamp(margin + near - far, min=0), reduction)


@loss(
    forward=kernels.triplet_margin,
    check=_check_triplet_margin,
    by_signature=True,
    validate=_validate_margin,
    wrt=("anchor", "positive", "negative"),
    backward=scale_rows,
    grad_name=reduced_name("ClampMinBackward0"),
)
def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """max(0, margin + d(a, p) - d(a, n)), where d is the p-norm of the difference plus eps.

    Wants: vectors a, of the same kind (p) and of another (n); usually all of length 1.

    Args:
        anchor, positive, negative: vectors, (D), (N, D) or (..., D), with as many dimensions; they broadcast.
        margin: how much farther the negative should be than the positive, > 0, in units of the distance.
        p: the order of the norm, see `pairwise_distance`.
        eps: added to each component of a difference, so that a distance of 0 has a gradient.
        swap: take the smaller of d(a, n) and d(p, n), where the positive is nearer to the negative.
        reduction: "mean" divides by the number of triplets; "sum"; "none".

    Gradient: that of d(a, p) minus that of d(a, n) where the loss is >= 0 before the maximum, else 0; a tie
    of `swap` shares it.

    Use it to learn an embedding from comparisons. The common mistake is to draw negatives at random: most
    soon cost nothing, so take hard ones, and watch how many of the losses are 0.

    Raises:
        RuntimeError: the numbers of dimensions differ, or the shapes do not broadcast.
        ValueError: a margin that is not positive, or an unknown reduction.

    Source: F. Schroff et al., "FaceNet", CVPR 2015, with the distance not squared; `swap` from V. Balntas et
    al., "Learning Local Feature Descriptors with Triplets and Shallow Convolutional Neural Networks",
    BMVC 2016.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.functional
        >>> a, p, n = minigrad.tensor([[[0.0, 0.0]], [[0.0, 1.0]], [[1.5, 0.0]]])
        >>> F.triplet_margin_loss(a, p, n)
        tensor(0.5000)
    """

    def distance(x1: Any, x2: Any) -> Any:
        return pairwise_distance(x1, x2, p, eps)

    return _triplet(distance, anchor, positive, negative, margin, swap, reduction)


class TripletMarginLoss(Loss, fn=triplet_margin_loss):
    """max(0, margin + d(a, p) - d(a, n)); the mean by default. Wants vectors: anchors, ones of the same kind,
    ones of another. See `minigrad.nn.functional.triplet_margin_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.TripletMarginLoss(margin=2.0)
        >>> a, p, n = minigrad.tensor([[[0.0, 0.0]], [[0.0, 1.0]], [[1.5, 0.0]]])
        >>> criterion(a, p, n)
        tensor(1.5000)
    """

    def _check_options(self, options: Mapping[str, Any]) -> None:
        _refuse_margin(self, options["margin"])
        super()._check_options(options)


# ------------------------------------------------------------------------- triplets, any distance
def _validate_distance(distance_function: Any, margin: float) -> None:
    _validate_margin(margin)
    if distance_function is not None and not callable(distance_function):
        raise TypeError(
            f"{type(distance_function).__name__!r} object is not callable\n"
            "distance_function is a function of two tensors, e.g. lambda a, b: 1 - F.cosine_similarity(a, b)."
        )


def _with_distance_kernel(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Any,
    margin: float,
    swap: bool,
    reduction: str,
    grad: bool,
) -> Any:
    """The kernel of `triplet_margin_loss`, where the distance is plain `pairwise_distance`."""
    order = (2.0, 1e-6)
    if distance_function is not None and distance_function is not pairwise_distance:
        if type(distance_function) is not PairwiseDistance or distance_function._has_hooks:
            return NotImplemented
        if distance_function.keepdim:
            return NotImplemented
        order = (distance_function.norm, distance_function.eps)
    return kernels.triplet_margin(
        anchor, positive, negative, margin, *order, swap, reduction=reduction, grad=grad
    )


@loss(
    forward=_with_distance_kernel,
    check=_check_triplet_margin,
    validate=_validate_distance,
    wrt=("anchor", "positive", "negative"),
    backward=scale_rows,
    grad_name=reduced_name("ClampMinBackward0"),
)
def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """max(0, margin + d(a, p) - d(a, n)), where d is any distance.

    Wants: inputs that the distance takes; anchors, ones of the same kind (p) and of another (n).

    Args:
        anchor, positive, negative: with as many dimensions.
        distance_function: a function of two tensors, made of operations that can be differentiated, or a
            module; by default `pairwise_distance`.
        margin: how much farther the negative should be than the positive, > 0, in units of the distance.
        swap: take the smaller of d(a, n) and d(p, n).
        reduction: "mean" divides by the number of distances; "sum"; "none".

    Gradient: that of d(a, p) minus that of d(a, n) where the loss is >= 0 before the maximum, else 0.

    Use it for other distances than a norm: of angles, or one that is learned. The common mistake is to give
    it a similarity, which grows the other way: use 1 - similarity.

    Raises:
        RuntimeError: the numbers of dimensions differ.
        TypeError: `distance_function` cannot be called.
        ValueError: a margin that is not positive, or an unknown reduction.

    Source: as `triplet_margin_loss`.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.functional
        >>> a, p, n = minigrad.tensor([[[0.0, 0.0]], [[0.0, 1.0]], [[1.5, 0.0]]])
        >>> def largest(x1, x2):
        ...     return (x1 - x2).abs().amax(-1)
        >>> F.triplet_margin_with_distance_loss(a, p, n, distance_function=largest)
        tensor(0.5000)
    """
    distance = pairwise_distance if distance_function is None else distance_function
    return _triplet(distance, anchor, positive, negative, margin, swap, reduction)


class TripletMarginWithDistanceLoss(Loss, fn=triplet_margin_with_distance_loss, keyword_only=True):
    """max(0, margin + d(a, p) - d(a, n)) of any distance; the mean by default. Wants what the distance takes:
    anchors, ones of the same kind, ones of another.
    See `minigrad.nn.functional.triplet_margin_with_distance_loss`.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> nn.TripletMarginWithDistanceLoss(distance_function=nn.PairwiseDistance(p=1))
        TripletMarginWithDistanceLoss(
          (distance_function): PairwiseDistance()
        )
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if kwargs.get("distance_function") is None:
            self.distance_function = PairwiseDistance()

    def _check_options(self, options: Mapping[str, Any]) -> None:
        _refuse_margin(self, options["margin"])
        super()._check_options(options)
