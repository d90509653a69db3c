"""Losses of yes or no that torch lacks: focal, and cross entropy with smoothed and ignored targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.kernels import losses as kernels
from minigrad.nn.extra.targets import mean_of_kept, unit_interval
from minigrad.nn.losses.base import Loss, loss, reduce_loss, times
from minigrad.nn.losses.binary import _check_pos_weight, _check_weight
from minigrad.ops.activation import logsigmoid, sigmoid
from minigrad.ops.elementwise import exp, log, where


def _log_likelihood(logit: Any, positive: Any, negative: Any) -> Any:
    """positive log p + negative log(1 - p), with p = sigmoid(logit)."""
    return times(positive, logsigmoid(logit)) + times(negative, logsigmoid(-logit))


# ----------------------------------------------------------------------------------------------- focal
def _validate_focal(alpha: float | None, gamma: float) -> None:
    if alpha is not None and not alpha <= 1:
        raise ValueError(f"alpha must be between 0 and 1, or None for no weighting, got {alpha}")
    if not gamma >= 0:
        raise ValueError(f"gamma must be >= 0, got {gamma}")


def _check_focal(input: Any, target: Any, alpha: float | None, gamma: float, reduction: str) -> Sequence[Any]:
    target = unit_interval("sigmoid_focal_loss", input, target)
    return input, target, None if alpha is not None and alpha < 0 else alpha, gamma, reduction


@loss(forward=kernels.sigmoid_focal, check=_check_focal, validate=_validate_focal)
def sigmoid_focal_loss(
    input: Any, target: Any, alpha: float | None = 0.25, gamma: float = 2.0, reduction: str = "mean"
) -> Any:
    """α_t (1 - p_t)^γ (-(y log p + (1 - y) log(1 - p))) with p = σ(x).

    p_t = y p + (1 - y) (1 - p) is the chance given to the target, α_t = α y + (1 - α) (1 - y).

    Wants: logits x, any real number (no sigmoid before it), and targets y in [0, 1].

    Args:
        input: logits, any shape.
        target: targets in [0, 1], the shape of `input`; integers and bools are converted.
        alpha: α, the weight of the positives, in [0, 1]; 1 - α is that of the negatives. None, or any
            negative number as in torchvision, weighs both with 1.
        gamma: γ >= 0, how much less a sample counts that is already right; 0 gives binary cross entropy.
        reduction: "mean" divides by the number of elements; "sum"; "none". torchvision's default is
            "none", and detectors often divide the sum by the number of positives instead.

    Gradient: α_t (1 - p_t)^γ (σ(x) - y - γ (2 y - 1) σ(x) σ(-x) / (1 - p_t) · cross entropy); finite, with
    all its digits at any logit.

    Use it where easy negatives outnumber all else. Common mistakes: a sigmoid before it, and to take α for
    the share of positives: it is their weight, and with γ = 2 best small.

    Raises:
        ValueError: a target is outside [0, 1], the shapes differ, or an option is outside its domain.
        NotImplementedError: the logits are integers.

    Source: T.-Y. Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017.

    Example:
        >>> import minigrad
        >>> x, y = minigrad.tensor([2.0, -1.0, 0.0]), minigrad.tensor([1.0, 1.0, 0.0])
        >>> minigrad.nn.extra.sigmoid_focal_loss(x, y, reduction="none")
        tensor([0.0005, 0.1755, 0.1300])
    """
    losses = -_log_likelihood(input, target, 1 - target)
    if gamma:
        wrong = (1 - target) * sigmoid(input) + target * sigmoid(-input)  # 1 - p_t, with all its digits
        none = wrong == 0
        losses = where(none, 0.0, exp(gamma * log(where(none, 1.0, wrong)))) * losses
    if alpha is not None:
        losses = (alpha * target + (1 - alpha) * (1 - target)) * losses
    return reduce_loss(losses, reduction)


class SigmoidFocalLoss(Loss, fn=sigmoid_focal_loss):
    """Binary cross entropy times α_t (1 - p_t)^γ; the mean by default. Wants logits (no sigmoid before it)
    and targets in [0, 1]. See `minigrad.nn.extra.sigmoid_focal_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.extra.SigmoidFocalLoss(alpha=None)
        >>> criterion(minigrad.tensor([2.0, -1.0, 0.0]), minigrad.tensor([1.0, 1.0, 0.0]))
        tensor(0.2923)
    """


# -------------------------------------------------------------- cross entropy, smoothed and ignoring
def _validate_smoothing(label_smoothing: float) -> None:
    if not 0.0 <= label_smoothing <= 1.0:
        raise ValueError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")


def _check_smooth(
    input: Any,
    target: Any,
    weight: Any,
    pos_weight: Any,
    label_smoothing: float,
    ignore_index: float | None,
    reduction: str,
) -> Sequence[Any]:
    target = unit_interval("smooth_binary_cross_entropy_with_logits", input, target, ignore_index)
    _check_weight(input, weight)
    if pos_weight is not None:
        _check_pos_weight(input, pos_weight)
    return input, target, weight, pos_weight, label_smoothing, ignore_index, reduction


@loss(
    forward=kernels.smooth_binary_cross_entropy_with_logits,
    check=_check_smooth,
    validate=_validate_smoothing,
)
def smooth_binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    pos_weight: Any = None,
    label_smoothing: float = 0.0,
    ignore_index: float | None = -100,
    reduction: str = "mean",
) -> Any:
    """Binary cross entropy from logits, -(w₊ t log σ(x) + (1 - t) log σ(-x)), with t = (1 - ε) y + ε / 2.

    Wants: logits x, any real number (no sigmoid before it), and targets y in [0, 1] or `ignore_index`.

    Args:
        input: logits, any shape.
        target: targets, the shape of `input`; integers and bools are converted.
        weight: a factor for each element, of a shape that broadcasts to `input`'s.
        pos_weight: w₊, a factor for the positive part of each class, broadcast over the last dimension.
        label_smoothing: ε in [0, 1]: how far targets move to 1/2; 0 and 1 become ε / 2 and 1 - ε / 2.
        ignore_index: elements with this target count nothing; None ignores none.
        reduction: "mean" divides by the number of elements that are not ignored, also with weights;
            "sum"; "none".

    Gradient: (1 - t) σ(x) - w₊ t σ(-x), 0 where ignored. With all elements ignored the mean is nan and its
    gradient zero.

    Use it for labels that are sometimes wrong or missing. Common mistakes: a sigmoid before it, and to
    expect a loss of 0 with smoothing: it is smallest, and positive, at the logit of t.

    Raises:
        ValueError: a target is neither in [0, 1] nor `ignore_index`, the shapes differ, or an option is
            outside its domain.
        RuntimeError: a weight does not broadcast to the input.
        NotImplementedError: the logits are integers.

    Source: label smoothing from C. Szegedy et al., "Rethinking the Inception Architecture", CVPR 2016.

    Example:
        >>> import minigrad
        >>> x, y = minigrad.tensor([2.0, -1.0, 5.0]), minigrad.tensor([1, 0, -100])
        >>> loss = minigrad.nn.extra.smooth_binary_cross_entropy_with_logits
        >>> loss(x, y, label_smoothing=0.1, reduction="none")
        tensor([0.2269, 0.3633, 0.0000])
    """
    kept = target != (float("nan") if ignore_index is None else ignore_index)
    x, y = where(kept, input, 0.0), where(kept, target, 0.0)
    positive = (1 - label_smoothing) * y + label_smoothing / 2
    negative = (1 - label_smoothing) * (1 - y) + label_smoothing / 2
    losses = -_log_likelihood(x, positive if pos_weight is None else pos_weight * positive, negative)
    losses = where(kept, losses if weight is None else losses * weight, 0.0)
    return mean_of_kept(losses, kept) if reduction == "mean" else reduce_loss(losses, reduction)


class SmoothBCEWithLogitsLoss(Loss, fn=smooth_binary_cross_entropy_with_logits):
    """Binary cross entropy from logits with smoothed and ignored targets; the mean over those that count by
    default. Wants logits (no sigmoid before it) and targets in [0, 1] or `ignore_index`.
    See `minigrad.nn.extra.smooth_binary_cross_entropy_with_logits`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.extra.SmoothBCEWithLogitsLoss(label_smoothing=0.1)
        >>> criterion(minigrad.tensor([2.0, -1.0, 5.0]), minigrad.tensor([1, 0, -100]))
        tensor(0.2951)
    """
