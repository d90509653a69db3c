"""Relatives of cross entropy that torch lacks: functions of the probability of the right class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.autograd.fused import scale_classes
from minigrad.kernels import losses as kernels
from minigrad.nn.losses.base import Loss, loss, times
from minigrad.nn.losses.classification import (
    check_class_weight,
    check_logits,
    class_indices,
    hint_if_all_ignored,
    keep_counted,
    log_probabilities_of,
    pick_class,
    reduce_weighted,
)
from minigrad.ops.elementwise import expm1


def _check(input: Any, target: Any, weight: Any, name: str = "weight") -> Any:
    target = class_indices(input, target)
    check_logits(input)
    check_class_weight(input, weight, name=name)
    return target


def _hint(input: Any, target: Any, a: Any, b: Any, ignore_index: int, reduction: str) -> None:
    hint_if_all_ignored(target, ignore_index, reduction)


def _surprise(input: Any, target: Any, weight: Any, ignore_index: int) -> tuple[Any, Any]:
    """Each sample's -log p of its class, in float64, and its weight, 0 where it is ignored."""
    logits = keep_counted(input, target, ignore_index).double()
    return pick_class(log_probabilities_of(logits), target, weight, ignore_index)


def _complement(surprise: Any) -> Any:
    """1 - p from -log p. Beyond 1000 it is 1, and flat: its slope would be 0 times infinity."""
    return -expm1(-surprise.masked_fill(surprise > 1000, 1000.0))


# ----------------------------------------------------------------------------------------------- focal
def _validate_focal(gamma: float) -> None:
    if not gamma >= 0:
        raise ValueError(
            f"gamma must be non-negative, but got {gamma}\n2.0 is common; 0.0 gives cross entropy."
        )


def _check_focal(
    input: Any, target: Any, alpha: Any, gamma: float, ignore_index: int, reduction: str
) -> Sequence[Any]:
    target = _check(input, target, alpha, "alpha")
    return input, target, alpha, gamma, ignore_index, reduction


@loss(
    forward=kernels.softmax_focal,
    check=_check_focal,
    check_values=_hint,
    by_signature=True,
    validate=_validate_focal,
    backward=scale_classes,
)
def softmax_focal_loss(
    input: Any,
    target: Any,
    alpha: Any = None,
    gamma: float = 2.0,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Any:
    """Focal loss of one class among many, -α[y] (1 - p)^γ log p, where p = softmax(x)[y].

    Wants: logits x (no softmax before it) and class indices.

    Args:
        input: logits, (C), (N, C) or (N, C, d₁, ...); the classes are dimension 1.
        target: class indices in [0, C), (), (N) or (N, d₁, ...), of any integer type.
        alpha: a factor for each class, (C).
        gamma: γ ≥ 0, how strongly samples that are right already are held back; 0 gives cross entropy.
        ignore_index: samples with this target count nothing.
        reduction: "mean" divides by Σ α[y] over the samples that are not ignored (their number without
            `alpha`), as `cross_entropy` does; "sum"; "none".

    Gradient: α[y] (1 - p)^γ (1 - γ p log p / (1 - p)) (softmax(x) - onehot(y)), over the divisor; finite
    everywhere, and 0 where p = 1.

    Use it where easy samples are so many that they drown the hard ones. The common mistake is to compare
    its size with cross entropy's: it is smaller by (1 - p)^γ, and may want a larger learning rate.

    Raises:
        IndexError: a class index is out of range.
        ValueError: gamma is negative, shapes do not fit, or an unknown reduction.
        RuntimeError: shapes or dtypes do not fit.

    Source: T.-Y. Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.extra
        >>> logits = minigrad.tensor([[2.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
        >>> F.softmax_focal_loss(logits, minigrad.tensor([0, 2]), reduction="none")
        tensor([0.0457, 0.4883])
    """
    surprise, weights = _surprise(input, target, alpha, ignore_index)
    # At p = 1 both factors vanish; a small power of 0 has no slope to go with it.
    certain = surprise == 0
    uncertain = surprise.masked_fill(certain, 1.0)
    losses = (_complement(uncertain) ** gamma * uncertain).masked_fill(certain, 0.0)
    return reduce_weighted(times(weights, losses), weights, reduction).to(input.dtype)


class SoftmaxFocalLoss(Loss, fn=softmax_focal_loss):
    """Focal loss -α[y] (1 - p)^γ log p of one class among many; the (weighted) mean by default. Wants logits
    and class indices. See `minigrad.nn.extra.softmax_focal_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.extra.SoftmaxFocalLoss(gamma=1.0)
        >>> criterion(minigrad.tensor([[2.0, 1.0, 0.0]]), minigrad.tensor([0]))
        tensor(0.1364)
    """

    _buffer_names = ("alpha",)


# ------------------------------------------------------------------------------------------------ poly
def _validate_poly(epsilon: float) -> None:
    if not epsilon >= -1:
        raise ValueError(
            f"epsilon must be at least -1, but got {epsilon}\n"
            "Below, the loss would grow with the probability of the right class. 1.0 is common."
        )


def _check_weighted(
    input: Any, target: Any, option: float, weight: Any, ignore_index: int, reduction: str
) -> Sequence[Any]:
    target = _check(input, target, weight)
    return input, target, option, weight, ignore_index, reduction


@loss(
    forward=kernels.poly,
    check=_check_weighted,
    check_values=_hint,
    by_signature=True,
    validate=_validate_poly,
    backward=scale_classes,
)
def poly_loss(
    input: Any,
    target: Any,
    epsilon: float = 1.0,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Any:
    """Poly-1 loss, cross entropy with its first term raised: w[y] (-log p + ε (1 - p)), p = softmax(x)[y].

    Wants: logits x (no softmax before it) and class indices.

    Args:
        input: logits, (C), (N, C) or (N, C, d₁, ...); the classes are dimension 1.
        target: class indices in [0, C), (), (N) or (N, d₁, ...), of any integer type.
        epsilon: ε ≥ -1; 0 gives cross entropy.
        weight: a factor for each class, (C).
        ignore_index: samples with this target count nothing.
        reduction: "mean" divides by Σ w[y] over the samples that are not ignored (their number without
            `weight`), as `cross_entropy` does; "sum"; "none".

    Gradient: w[y] (1 + ε p) (softmax(x) - onehot(y)), over the divisor.

    Use it as cross entropy, with one number more to tune: ε > 0 keeps pulling at samples that are nearly
    right, ε < 0 lets go of them earlier. The common mistake is a softmax before it.

    Raises:
        IndexError: a class index is out of range.
        ValueError: epsilon is below -1, shapes do not fit, or an unknown reduction.
        RuntimeError: shapes or dtypes do not fit.

    Source: Z. Leng et al., "PolyLoss", ICLR 2022: -log p = Σ (1 - p)^j / j.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.extra
        >>> logits = minigrad.tensor([[2.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
        >>> F.poly_loss(logits, minigrad.tensor([0, 2]), reduction="none")
        tensor([0.7424, 1.7653])
    """
    surprise, weights = _surprise(input, target, weight, ignore_index)
    losses = surprise + epsilon * _complement(surprise)
    return reduce_weighted(times(weights, losses), weights, reduction).to(input.dtype)


class PolyLoss(Loss, fn=poly_loss):
    """Cross entropy plus ε (1 - p); the (weighted) mean by default. Wants logits and class indices.
    See `minigrad.nn.extra.poly_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.extra.PolyLoss(epsilon=2.0)
        >>> criterion(minigrad.tensor([[2.0, 1.0, 0.0]]), minigrad.tensor([0]))
        tensor(1.0771)
    """


# --------------------------------------------------------------------------- generalised cross entropy
def _validate_power(q: float) -> None:
    if not 0 < q <= 1:
        raise ValueError(
            f"q must be in (0, 1], but got {q}\n"
            "0.7 is common. Towards 0 the loss is cross entropy, at 1 it is 1 - p."
        )


@loss(
    forward=kernels.generalized_cross_entropy,
    check=_check_weighted,
    check_values=_hint,
    by_signature=True,
    validate=_validate_power,
    backward=scale_classes,
)
def generalized_cross_entropy(
    input: Any,
    target: Any,
    q: float = 0.7,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Any:
    """Generalised cross entropy, w[y] (1 - p^q) / q, where p = softmax(x)[y].

    Wants: logits x (no softmax before it) and class indices.

    Args:
        input: logits, (C), (N, C) or (N, C, d₁, ...); the classes are dimension 1.
        target: class indices in [0, C), (), (N) or (N, d₁, ...), of any integer type.
        q: in (0, 1]. Towards 0 the loss is cross entropy; at 1 it is 1 - p, half the absolute error.
        weight: a factor for each class, (C).
        ignore_index: samples with this target count nothing.
        reduction: "mean" divides by Σ w[y] over the samples that are not ignored (their number without
            `weight`), as `cross_entropy` does; "sum"; "none".

    Gradient: w[y] p^q (softmax(x) - onehot(y)), over the divisor: a sample thought impossible pulls at
    nothing, where cross entropy would pull most.

    Use it where labels are wrong now and then. The common mistake is a large q from the start: p^q is
    small before anything is learnt, and training hardly sets off.

    Raises:
        IndexError: a class index is out of range.
        ValueError: q is not in (0, 1], shapes do not fit, or an unknown reduction.
        RuntimeError: shapes or dtypes do not fit.

    Source: Z. Zhang and M. Sabuncu, "Generalized Cross Entropy Loss for Training Deep Neural Networks with
    Noisy Labels", NeurIPS 2018.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.extra
        >>> logits = minigrad.tensor([[2.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
        >>> F.generalized_cross_entropy(logits, minigrad.tensor([0, 2]), reduction="none")
        tensor([0.3546, 0.7665])
    """
    surprise, weights = _surprise(input, target, weight, ignore_index)
    losses = -expm1(-q * surprise) / q
    return reduce_weighted(times(weights, losses), weights, reduction).to(input.dtype)


class GeneralizedCrossEntropyLoss(Loss, fn=generalized_cross_entropy):
    """(1 - p^q) / q, which forgives wrong labels; the (weighted) mean by default. Wants logits and class
    indices. See `minigrad.nn.extra.generalized_cross_entropy`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.extra.GeneralizedCrossEntropyLoss(q=0.5)
        >>> criterion(minigrad.tensor([[2.0, 1.0, 0.0]]), minigrad.tensor([0]))
        tensor(0.3688)
    """
