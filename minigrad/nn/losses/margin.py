"""Losses that ask for a margin, element by element: of a distance, of a score and its sign, of two scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.autograd.op import cast
from minigrad.creation import as_tensor
from minigrad.kernels import losses as kernels
from minigrad.nn.losses.base import Loss, as_target, loss, reduce_loss, reduced_name, warn_of_broadcast
from minigrad.ops.activation import logsigmoid
from minigrad.ops.elementwise import clamp, where
from minigrad.tensor import Tensor


def scale_rows(g: Any, gradient: Any) -> Any:
    """`scale` for losses that reduce the last dimension."""
    if g.ndim == 0 and g == 1:
        return gradient
    return g[..., None] * gradient


def check_tensor(name: str, value: Any) -> None:
    """TypeError where an argument is no tensor."""
    if not isinstance(value, Tensor):
        raise TypeError(f"argument '{name}' must be Tensor, not {type(value).__name__}")


def as_signs(input: Any, target: Any) -> Tensor:
    """The target of a loss that only compares it with 1 and -1, in input's dtype."""
    target = as_target(input, target)
    kind = input._array.dtype
    if target._array.dtype != kind and kind.kind == "f":
        target = cast(target, dtype=kind, source=target._array.dtype)
    return target


def warn_where_it_broadcasts(input: Tensor, target: Tensor) -> None:
    """Warn of shapes that broadcast; those that do not are for the loss to refuse."""
    try:
        np.broadcast_shapes(input._array.shape, target._array.shape)
    except ValueError:
        return
    warn_of_broadcast(input, target)


# ------------------------------------------------------------------------------------ hinge embedding
def _check_hinge_embedding(
    input: Any, target: Any, margin: float, average: Any, reduce: Any, reduction: str
) -> Sequence[Any]:
    target = as_signs(input, target)
    warn_where_it_broadcasts(input, target)
    return input, target, margin, average, reduce, reduction


@loss(
    forward=kernels.hinge_embedding,
    check=_check_hinge_embedding,
    by_signature=True,
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
        target: 1 or -1, the shape of `input`, of any dtype; any other value counts both parts, as torch's.
            Another shape broadcasts, with a warning.
        margin: how far apart dissimilar pairs should be, in units of the distance.
        reduction: "mean" divides by the number of elements; "sum"; "none".

    Gradient: 1 where y = 1, -1 where y = -1 and x <= margin, else 0.

    Use it to learn an embedding from pairs. It is not the hinge loss of support vector machines; taking it
    for that is the common mistake.

    Raises:
        RuntimeError: the shapes do not broadcast.
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


# ---------------------------------------------------------------------------------------- soft margin
def _check_soft_margin(input: Any, target: Any, average: Any, reduce: Any, reduction: str) -> Sequence[Any]:
    target = as_signs(input, target)
    kind = input._array.dtype
    if kind.kind != "f":
        raise RuntimeError(
            "result type Float can't be cast to the desired output type "
            f"{dtypes.of(input._array).scalar_type}\n"
            "The input must be scores in floating point; use .float()."
        )
    _warn_where_it_broadcasts_into(input, target)
    return input, target, average, reduce, reduction


def _warn_where_it_broadcasts_into(input: Tensor, target: Tensor) -> None:
    """As above, for a loss of the shape of its input."""
    a, b = input._array.shape, target._array.shape
    try:
        result = np.broadcast_shapes(a, b)
    except ValueError:
        return
    if result != a:
        raise RuntimeError(
            f"output with shape {list(a)} doesn't match the broadcast shape {list(result)}\n"
            f"The target, of shape {list(b)}, needs the shape of the input. Try target.reshape(input.shape)."
        )
    warn_of_broadcast(input, target)


@loss(forward=kernels.soft_margin, check=_check_soft_margin, by_signature=True)
def soft_margin_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """log(1 + exp(-y x)), the logistic loss of a score x and a sign y.

    Wants: scores x, any real number (no sigmoid before it), and targets 1 or -1, not 0 and 1.

    Args:
        input: scores, any shape.
        target: 1 or -1, the shape of `input`, of any dtype; any other value scales the score. Another
            shape broadcasts to that of `input`, with a warning.
        reduction: "mean" divides by the number of elements; "sum"; "none".

    Gradient: -y σ(-y x), accurate and finite at any score.

    Use it for binary classification with signs as targets. With targets y in {0, 1} the same loss is
    `binary_cross_entropy_with_logits`, at 2y - 1 here; giving it 0 and 1 is the common mistake: a target
    of 0 costs log 2, whatever the score.

    Raises:
        RuntimeError: the input is not floating point, or the target does not broadcast to its shape.
        ValueError: an unknown reduction.

    Source: the maximum likelihood of a sign with log-odds x.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.functional
        >>> F.soft_margin_loss(minigrad.tensor([2.0, -1.0]), minigrad.tensor([1, 1]), reduction="none")
        tensor([0.1269, 1.3133])
    """
    return reduce_loss(-logsigmoid(input * target), reduction)


class SoftMarginLoss(Loss, fn=soft_margin_loss):
    """log(1 + exp(-y x)); the mean by default. Wants scores and targets ±1.
    See `minigrad.nn.functional.soft_margin_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.SoftMarginLoss()
        >>> criterion(minigrad.tensor([2.0, -1.0]), minigrad.tensor([1, -1]))
        tensor(0.2201)
    """


# ------------------------------------------------------------------------------------- margin ranking
def _check_margin_ranking(
    input1: Any, input2: Any, target: Any, margin: float, average: Any, reduce: Any, reduction: str
) -> Sequence[Any]:
    check_tensor("input1", input1)
    check_tensor("input2", input2)
    if not isinstance(target, Tensor):
        target = as_tensor(target)
    a, b, y = input1.shape, input2.shape, target.shape
    if not len(a) == len(b) == len(y):
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {a!r}, input2: {b!r}, target: {y!r} \n"
            "Give all three one shape, e.g. with squeeze(1), or target.expand_as(input1)."
        )
    if target._array.dtype == bool:
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a "
            "mask, use the `~` or `logical_not()` operator instead.\n"
            "Targets are 1 or -1: use 2 * target.float() - 1."
        )
    return input1, input2, as_target(input1, target), margin, average, reduce, reduction


@loss(
    forward=kernels.margin_ranking,
    check=_check_margin_ranking,
    by_signature=True,
    wrt=("input1", "input2"),
    grad_name=reduced_name("ClampMinBackward0"),
)
def margin_ranking_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """max(0, margin - y (x₁ - x₂)).

    Wants: two scores x₁ and x₂, and targets 1 (the first should be higher) or -1 (the second), not 0 and 1.

    Args:
        input1, input2: scores, of one shape or of shapes that broadcast, with as many dimensions.
        target: 1 or -1, with as many dimensions as the inputs; any integer type, not bool.
        margin: how far apart the scores should be, in their units.
        reduction: "mean" divides by the number of losses; "sum"; "none".

    Gradient: -y to x₁ and y to x₂ where y (x₁ - x₂) <= margin, else 0; x₂ - x₁ to a target there.

    Use it to learn an order from pairs. With margin 0 equal scores cost nothing, so a model that gives all
    the same score has loss 0, the common mistake: take a positive margin.

    Raises:
        RuntimeError: the numbers of dimensions differ, the shapes do not broadcast, or the target is bool.
        ValueError: an unknown reduction.

    Source: R. Herbrich et al., "Support Vector Learning for Ordinal Regression", ICANN 1999.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.functional
        >>> a, b = minigrad.tensor([0.5, 2.0]), minigrad.tensor([1.0, 1.0])
        >>> F.margin_ranking_loss(a, b, minigrad.tensor([1, 1]), margin=0.5, reduction="none")
        tensor([1., 0.])
    """
    return reduce_loss(clamp(margin - target * (input1 - input2), min=0), reduction)


class MarginRankingLoss(Loss, fn=margin_ranking_loss):
    """max(0, margin - y (x₁ - x₂)); the mean by default. Wants two scores and targets ±1.
    See `minigrad.nn.functional.margin_ranking_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.MarginRankingLoss(margin=0.5)
        >>> criterion(minigrad.tensor([0.5, 2.0]), minigrad.tensor([1.0, 1.0]), minigrad.tensor([1, 1]))
        tensor(0.5000)
    """
