"""Hinge losses: no cost beyond a margin, as in support vector machines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minigrad.kernels import losses as kernels
from minigrad.nn.extra.targets import class_indices, is_class, mean_of_kept, signs
from minigrad.nn.losses.base import Loss, loss, reduce_loss
from minigrad.nn.losses.classification import class_dim
from minigrad.ops.activation import relu
from minigrad.ops.elementwise import where


# ---------------------------------------------------------------------------------------- two classes
def _check_hinge(input: Any, target: Any, reduction: str) -> Sequence[Any]:
    return input, signs("hinge_loss", input, target), reduction


@loss(forward=kernels.hinge, check=_check_hinge)
def hinge_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """max(0, 1 - y x), the loss of a support vector machine.

    Wants: scores x of any range (no sigmoid before it), and targets 1 or -1, not 1 and 0.

    Args:
        input: scores, any shape.
        target: 1 or -1, the shape of `input`; of any numeric type, or bool, where False means -1.
        reduction: "mean" divides by the number of elements; "sum"; "none".

    Gradient: -y where y x < 1, else 0, also at the kink y x = 1.

    Use it for a decision without a probability: samples beyond the margin cost nothing. The common
    mistake is 0 and 1 as targets: `2 * y - 1` makes them signs. `hinge_embedding_loss`, of distances, is
    another loss.

    Raises:
        ValueError: a target is neither 1 nor -1, the shapes differ, or an unknown reduction.
        NotImplementedError: the scores are integers.

    Source: C. Cortes and V. Vapnik, "Support-Vector Networks", 1995.

    Example:
        >>> import minigrad
        >>> x, y = minigrad.tensor([2.0, 0.5, 0.5]), minigrad.tensor([1, 1, -1])
        >>> minigrad.nn.extra.hinge_loss(x, y, reduction="none")
        tensor([0.0000, 0.5000, 1.5000])
    """
    return reduce_loss(relu(1 - target * input), reduction)


class HingeLoss(Loss, fn=hinge_loss):
    """max(0, 1 - y x); the mean by default. Wants scores and targets ±1.
    See `minigrad.nn.extra.hinge_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.extra.HingeLoss()
        >>> criterion(minigrad.tensor([2.0, 0.5, 0.5]), minigrad.tensor([1, 1, -1]))
        tensor(0.6667)
    """


def _check_squared_hinge(input: Any, target: Any, reduction: str) -> Sequence[Any]:
    return input, signs("squared_hinge_loss", input, target), reduction


@loss(forward=kernels.squared_hinge, check=_check_squared_hinge)
def squared_hinge_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """max(0, 1 - y x)².

    Wants: scores x of any range (no sigmoid before it), and targets 1 or -1, not 1 and 0.

    Args:
        input: scores, any shape.
        target: 1 or -1, the shape of `input`; of any numeric type, or bool, where False means -1.
        reduction: "mean" divides by the number of elements; "sum"; "none".

    Gradient: -2 y max(0, 1 - y x), continuous; the second derivative is 2 y² inside the margin, 0 from it on.

    Use it as `hinge_loss` where a smooth gradient helps; outliers weigh more. The common mistake is 0 and
    1 as targets.

    Raises:
        ValueError: a target is neither 1 nor -1, the shapes differ, or an unknown reduction.
        NotImplementedError: the scores are integers.

    Source: the L2-loss support vector machine; Y. Tang, "Deep Learning using Linear SVMs", 2013.

    Example:
        >>> import minigrad
        >>> x, y = minigrad.tensor([2.0, 0.5, 0.5]), minigrad.tensor([1, 1, -1])
        >>> minigrad.nn.extra.squared_hinge_loss(x, y, reduction="none")
        tensor([0.0000, 0.2500, 2.2500])
    """
    gap = relu(1 - target * input)
    return reduce_loss(gap * gap, reduction)


class SquaredHingeLoss(Loss, fn=squared_hinge_loss):
    """max(0, 1 - y x)²; the mean by default. Wants scores and targets ±1.
    See `minigrad.nn.extra.squared_hinge_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.extra.SquaredHingeLoss(reduction="sum")
        >>> criterion(minigrad.tensor([2.0, 0.5, 0.5]), minigrad.tensor([1, 1, -1]))
        tensor(2.5000)
    """


# --------------------------------------------------------------------------------------- many classes
def _validate_margin(margin: float) -> None:
    if not margin >= 0:
        raise ValueError(f"margin must be >= 0, got {margin}")


def _check_multi_class_hinge(
    input: Any, target: Any, margin: float, ignore_index: int, reduction: str
) -> Sequence[Any]:
    target = class_indices("multi_class_hinge_loss", input, target, ignore_index)
    return input, target, margin, ignore_index, reduction


@loss(check=_check_multi_class_hinge, validate=_validate_margin)
def multi_class_hinge_loss(
    input: Any, target: Any, margin: float = 1.0, ignore_index: int = -100, reduction: str = "mean"
) -> Any:
    """max(0, margin + max of the other scores - x[y]), the multi-class support vector machine.

    Wants: scores x of any range (no softmax before it), and class indices y.

    Args:
        input: scores, (C), (N, C) or (N, C, d₁, ...); the classes are dimension 1.
        target: class indices in [0, C), (), (N) or (N, d₁, ...), of any integer type.
        margin: how far the right score should be above the best of the others, >= 0.
        ignore_index: samples with this target count nothing.
        reduction: "mean" divides by the number of samples that are not ignored; "sum"; "none".

    Gradient: -1 at the right class and 1 at the best of the others (the first, if several tie) where
    the margin is not kept, else 0, also at the kink. With all samples ignored the mean is nan and its
    gradient zero.

    Use it to choose one class without probabilities. Only the strongest rival counts;
    `multi_margin_loss` sums over all of them and divides by C, taking one for the other is the common
    mistake.

    Raises:
        IndexError: a class index is out of range.
        ValueError, RuntimeError: shapes, dtypes or options do not fit.
        NotImplementedError: the scores are integers.

    Source: K. Crammer and Y. Singer, "On the Algorithmic Implementation of Multiclass Kernel-based Vector
    Machines", JMLR 2001.

    Example:
        >>> import minigrad
        >>> x = minigrad.tensor([[2.0, 0.5, 0.0], [0.0, 1.0, 0.5]])
        >>> minigrad.nn.extra.multi_class_hinge_loss(x, minigrad.tensor([0, 2]), reduction="none")
        tensor([0.0000, 1.5000])
    """
    dim = class_dim(input)
    ignored = target == ignore_index
    right = target.masked_fill(ignored, 0)
    best_other = where(is_class(right, input), -math.inf, input).max(dim).values
    own = input.gather(dim, right.unsqueeze(dim)).squeeze(dim)
    losses = where(ignored, 0.0, relu(margin + (best_other - own)))
    return mean_of_kept(losses, ~ignored) if reduction == "mean" else reduce_loss(losses, reduction)


class MultiClassHingeLoss(Loss, fn=multi_class_hinge_loss):
    """max(0, margin + max of the other scores - x[y]); the mean by default. Wants scores and class indices.
    See `minigrad.nn.extra.multi_class_hinge_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.extra.MultiClassHingeLoss(margin=2.0)
        >>> criterion(minigrad.tensor([[2.0, 0.5, 0.0]]), minigrad.tensor([0]))
        tensor(0.5000)
    """
