"""Losses of overlap between predicted and true regions: Dice, Jaccard, Tversky."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.nn.extra.checks import (
    check_between,
    check_class_indices,
    check_floating_tensor,
    check_number,
)
from minigrad.nn.extra.similarity import in_float64
from minigrad.nn.losses.base import Loss, as_target, loss, reduce_loss
from minigrad.ops.activation import sigmoid
from minigrad.ops.elementwise import where
from minigrad.ops.softmax import softmax
from minigrad.tensor import Tensor

MODES = ("binary", "multiclass", "multilabel")
_LOGITS_HINT = "Logits need from_logits=True."


# ------------------------------------------------------------------------------------------- checks
def check_mode(mode: str) -> None:
    """ValueError for a mode that is none."""
    if mode not in MODES:
        raise ValueError(f"{mode} is not a valid value for mode\nUse one of {', '.join(map(repr, MODES))}.")


def check_regions(
    name: str, input: Any, target: Any, mode: str, from_logits: bool, ignore_index: int | None
) -> tuple[Tensor, Tensor]:
    """Predictions, and their targets in the same shape or, for "multiclass", as class indices.

    Raises:
        IndexError: a class index is out of range.
        RuntimeError: a probability or a target is outside [0, 1].
        ValueError: the shapes do not fit.
    """
    shape = check_floating_tensor(name, "input", input)._array.shape
    if len(shape) < (1 if mode == "binary" else 2):
        raise ValueError(
            f"Expected input of shape {'(N, ...)' if mode == 'binary' else '(N, C, ...)'} for mode={mode!r}, "
            f"got {list(shape)}"
        )
    if not from_logits:
        check_between("input", input, 0, 1, _LOGITS_HINT)
    if mode == "multiclass" and np.ndim(getattr(target, "_array", target)) < len(shape):
        return input, check_class_indices(target, (shape[0], *shape[2:]), shape[1], ignore_index)
    target = as_target(input, target)
    if target._array.shape != shape:
        raise ValueError(
            f"Expected target size {list(shape)}, got {list(target._array.shape)}\n"
            + _shape_hint(shape, target._array.shape, mode)
        )
    if ignore_index is None:
        check_between("target", target, 0, 1, "Pixels to leave out need ignore_index.")
    elif mode == "multiclass":
        raise ValueError("ignore_index needs class indices as target, not probabilities in input's shape")
    else:
        kept = where(target == ignore_index, 0.0, target.detach())
        check_between("target", kept, 0, 1, f"Pixels of {ignore_index} are left out.")
    return input, target


def _shape_hint(shape: tuple[int, ...], target: tuple[int, ...], mode: str) -> str:
    if target == (shape[0], *shape[2:]):
        if len(shape) > 1 and shape[1] == 1:
            return "Try target.unsqueeze(1)."
        return "Class indices need mode='multiclass'."
    return f"For mode={mode!r} the target has the shape of the input."


# ------------------------------------------------------------------------------------- probabilities
def probabilities(x: Any, mode: str, from_logits: bool) -> tuple[Any, Any]:
    """Probabilities p (N, C, P) and 1 - p, both to the last digit where they are small.

    What is close to 1 is computed, and so differentiated, as 1 minus the rest: neither a value nor a
    gradient is then the difference of two numbers close to each other.
    """
    if not from_logits:
        return x, 1 - x
    if mode == "multiclass":
        p = softmax(x, 1)
        likely = (p > 0.5).to(p.dtype)  # 1 for one class of a pixel at most
        small = p * (1 - likely)
        rest = small.sum(1, keepdim=True)
        return small + likely * (1 - rest), (1 - likely) - small + likely * rest
    likely = (x >= 0).to(x.dtype)
    side = 1 - 2 * likely
    small = sigmoid(side * x)
    return likely + side * small, (1 - likely) - side * small


def as_regions(
    input: Any, target: Any, mode: str, ignore_index: int | None, per_image: bool
) -> tuple[Any, Any, ndarray | None]:
    """Predictions and targets (images, classes, pixels), and which pixels count, None for all.

    Without `per_image` the pixels of the batch are those of one image; a binary mask is one class.
    """
    ignored = None if ignore_index is None else target._array == ignore_index
    if target.ndim < input.ndim:
        safe = target._array if ignored is None else np.where(ignored, 0, target._array)
        one_hot = np.expand_dims(safe, 1) == np.arange(input.shape[1]).reshape(-1, *(1,) * (input.ndim - 2))
        target = Tensor._wrap(one_hot.astype(input._array.dtype))
        ignored = None if ignored is None else np.broadcast_to(np.expand_dims(ignored, 1), input.shape)
    elif ignored is not None:
        target = where(ignored, 0.0, target)
    counts = None if ignored is None else ~_pixels(ignored, mode, per_image)
    return _pixels(input, mode, per_image), _pixels(target, mode, per_image), counts


def _pixels(x: Any, mode: str, per_image: bool) -> Any:
    """(N, C, P), or (1, C, N P) without `per_image`."""
    n, *rest = x.shape
    classes, pixels = (1, math.prod(rest)) if mode == "binary" else (rest[0], math.prod(rest[1:]))
    x = x.reshape((n, classes, pixels))
    if per_image:
        return x
    swapped = x.swapaxes(0, 1) if isinstance(x, ndarray) else x.transpose(0, 1)
    return swapped.reshape((1, classes, n * pixels))


def as_scores(losses: Any, mode: str, per_image: bool) -> Any:
    """Losses (images, classes) without the dimensions that the caller did not give."""
    if mode == "binary":
        losses = losses.squeeze(1)
    return losses if per_image else losses.squeeze(0)


# --------------------------------------------------------------------------------------- the overlap
def _confusion(
    input: Any,
    target: Any,
    mode: str,
    from_logits: bool,
    ignore_index: int | None,
    per_image: bool,
) -> tuple[Any, Any, Any]:
    """Soft counts of true positives, false positives and false negatives, for each image and class."""
    x, t, counts = as_regions(input, target, mode, ignore_index, per_image)
    p, q = probabilities(x, mode, from_logits)
    pixels = t * p, (1 - t) * p, t * q
    if counts is not None:
        pixels = tuple(where(counts, each, 0.0) for each in pixels)
    return tuple(as_scores(each.sum(2), mode, per_image) for each in pixels)


@in_float64
def _share(wrong: Any, right: Any) -> Any:
    """wrong / (right + wrong) = 1 - right / (right + wrong), and 0 where there is neither."""
    total = right + wrong
    nothing = total == 0
    return where(nothing, 0.0, wrong / where(nothing, 1.0, total))


def _validate(mode: str, smooth: float) -> None:
    check_mode(mode)
    check_number("smooth", smooth, least=0)


def _checked(name: str, options: int) -> Any:
    """The check of an overlap loss with so many options before `mode`."""

    def check(input: Any, target: Any, reduction: str, *values: Any) -> Sequence[Any]:
        mode, _, from_logits, ignore_index, _ = values[options:]
        input, target = check_regions(name, input, target, mode, from_logits, ignore_index)
        return input, target, reduction, *values

    return check


@loss(check=_checked("dice_loss", 0), validate=_validate)
def dice_loss(
    input: Any,
    target: Any,
    reduction: str = "mean",
    mode: str = "binary",
    smooth: float = 1.0,
    from_logits: bool = True,
    ignore_index: int | None = None,
    per_image: bool = True,
) -> Any:
    """1 - (2 TP + smooth) / (2 TP + FP + FN + smooth), the counts being sums over the pixels of p t,
    p (1 - t) and (1 - p) t.

    Wants: logits (or probabilities with `from_logits=False`), and masks of 0 and 1 or class indices.

    Args:
        input: "binary" (N, ...), "multilabel" and "multiclass" (N, C, ...).
        target: 0 or 1, or what lies between, in the shape of `input`; for "multiclass" also class indices
            (N, ...), of any integer type.
        reduction: there is a loss for each sample and class. "mean" is their mean, absent classes included;
            "sum"; "none" gives (N), or (N, C) with classes.
        mode: "binary" is one region, p being the sigmoid; "multilabel" C regions that may overlap, each p a
            sigmoid; "multiclass" C regions that may not, p being the softmax over dimension 1.
        smooth: added to both counts, >= 0, as in Keras; that of optax counts twice. With 0 a region that is
            absent costs 1 as soon as anything is predicted, with no gradient, and 0 otherwise.
        from_logits: whether `input` holds logits.
        ignore_index: pixels with this target count nothing, e.g. 255.
        per_image: False counts over the whole batch: "none" then gives () or (C).

    Gradient: all pixels of a region share it, a pixel's loss has none of its own; through the sigmoid or
    softmax it vanishes for pixels that are confidently wrong, so that Dice is often added to cross entropy.

    Use it for regions much smaller than the background. Common mistakes: probabilities with `from_logits`
    left on, a batch of flat (N) predictions, which are N images of one pixel: give per_image=False.

    Raises:
        IndexError: a class index is out of range.
        RuntimeError: a target (or a probability) is outside [0, 1].
        ValueError: shapes or options do not fit.

    Source: F. Milletari et al., "V-Net", 3DV 2016; L. Dice, Ecology 26, 1945.

    Example:
        >>> import minigrad
        >>> from minigrad.nn import extra
        >>> logits = minigrad.tensor([[20.0, 20.0, -20.0, -20.0]])
        >>> extra.dice_loss(logits, minigrad.tensor([[1, 0, 0, 0]]), smooth=0.0)
        tensor(0.3333)
    """
    tp, fp, fn = _confusion(input, target, mode, from_logits, ignore_index, per_image)
    return reduce_loss(_share(fp + fn, 2 * tp + smooth), reduction)


class DiceLoss(Loss, fn=dice_loss):
    """1 - (2 TP + smooth) / (2 TP + FP + FN + smooth) for each sample and class; the mean by default. Wants
    logits and masks, or class indices with mode="multiclass". See `minigrad.nn.extra.dice_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.extra.DiceLoss(mode="multiclass", smooth=0.0)
        >>> logits = minigrad.tensor([[[20.0, 20.0, -20.0], [-20.0, -20.0, 20.0]]])
        >>> criterion(logits, minigrad.tensor([[0, 1, 1]]))
        tensor(0.3333)
    """


@loss(check=_checked("jaccard_loss", 0), validate=_validate)
def jaccard_loss(
    input: Any,
    target: Any,
    reduction: str = "mean",
    mode: str = "binary",
    smooth: float = 1.0,
    from_logits: bool = True,
    ignore_index: int | None = None,
    per_image: bool = True,
) -> Any:
    """1 - (TP + smooth) / (TP + FP + FN + smooth): 1 minus the intersection over the union.

    Wants: logits (or probabilities with `from_logits=False`), and masks of 0 and 1 or class indices.

    Args:
        input, target, reduction, mode, from_logits, ignore_index, per_image: as those of `dice_loss`.
        smooth: added to intersection and union, >= 0.

    Gradient: as that of `dice_loss`, of which this is 2 D / (1 + D) where smooth is 0: both order
    predictions alike, this one counts the bad ones more.

    Use it where the intersection over the union is what is reported. The common mistake is to take the soft
    counts for those of decisions: `lovasz_hinge_loss` is about these.

    Raises:
        IndexError: a class index is out of range.
        RuntimeError: a target (or a probability) is outside [0, 1].
        ValueError: shapes or options do not fit.

    Source: M. Rahman and Y. Wang, "Optimizing Intersection-Over-Union in Deep Neural Networks for Image
    Segmentation", ISVC 2016.

    Example:
        >>> import minigrad
        >>> from minigrad.nn import extra
        >>> logits = minigrad.tensor([[20.0, 20.0, -20.0, -20.0]])
        >>> extra.jaccard_loss(logits, minigrad.tensor([[1, 0, 0, 0]]), smooth=0.0)
        tensor(0.5000)
    """
    tp, fp, fn = _confusion(input, target, mode, from_logits, ignore_index, per_image)
    return reduce_loss(_share(fp + fn, tp + smooth), reduction)


class JaccardLoss(Loss, fn=jaccard_loss):
    """1 - (TP + smooth) / (TP + FP + FN + smooth) for each sample and class; the mean by default. Wants
    logits and masks, or class indices with mode="multiclass". See `minigrad.nn.extra.jaccard_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.extra.JaccardLoss(smooth=0.0)
        >>> criterion(minigrad.tensor([[20.0, 20.0, -20.0, -20.0]]), minigrad.tensor([[1, 0, 0, 0]]))
        tensor(0.5000)
    """


def _validate_tversky(alpha: float, beta: float, gamma: float, mode: str, smooth: float) -> None:
    check_number("alpha", alpha, least=0)
    check_number("beta", beta, least=0)
    check_number("gamma", gamma, above=0)
    _validate(mode, smooth)


@loss(check=_checked("tversky_loss", 3), validate=_validate_tversky)
def tversky_loss(
    input: Any,
    target: Any,
    reduction: str = "mean",
    alpha: float = 0.5,
    beta: float = 0.5,
    gamma: float = 1.0,
    mode: str = "binary",
    smooth: float = 1.0,
    from_logits: bool = True,
    ignore_index: int | None = None,
    per_image: bool = True,
) -> Any:
    """(1 - (TP + smooth) / (TP + alpha FP + beta FN + smooth)) ** gamma.

    Wants: logits (or probabilities with `from_logits=False`), and masks of 0 and 1 or class indices.

    Args:
        input, target, reduction, mode, from_logits, ignore_index, per_image: as those of `dice_loss`.
        alpha: what a false positive counts, >= 0.
        beta: what a false negative counts, >= 0: more than alpha finds more and errs more.
        gamma: the exponent, > 0, of the focal Tversky loss, whose paper writes 1 / γ for it, with γ = 4/3.
        smooth: added to both counts, >= 0.

    Gradient: as that of `dice_loss`, times gamma L ** (gamma - 1) of the loss L without it, which is taken
    as 0 at L = 0.

    Use it where a miss and a false alarm do not cost the same. alpha = beta = 0.5 is Dice with twice the
    smooth, alpha = beta = 1 Jaccard. The common mistake is to exchange the two: beta is for what is missed.

    Raises:
        IndexError: a class index is out of range.
        RuntimeError: a target (or a probability) is outside [0, 1].
        ValueError: shapes or options do not fit.

    Source: S. Salehi et al., "Tversky Loss Function for Image Segmentation", 2017; N. Abraham and N. Khan,
    "A Novel Focal Tversky Loss Function", ISBI 2019.

    Example:
        >>> import minigrad
        >>> from minigrad.nn import extra
        >>> logits = minigrad.tensor([[20.0, 20.0, -20.0, -20.0]])
        >>> mask = minigrad.tensor([[1, 0, 0, 0]])
        >>> extra.tversky_loss(logits, mask, alpha=0.25, beta=0.75, smooth=0.0)
        tensor(0.2000)
    """
    tp, fp, fn = _confusion(input, target, mode, from_logits, ignore_index, per_image)
    losses = _share(alpha * fp + beta * fn, tp + smooth)
    if gamma != 1:
        perfect = losses == 0
        losses = where(perfect, 0.0, where(perfect, 1.0, losses) ** gamma)
    return reduce_loss(losses, reduction)


class TverskyLoss(Loss, fn=tversky_loss):
    """(1 - (TP + smooth) / (TP + alpha FP + beta FN + smooth)) ** gamma for each sample and class; the mean
    by default. Wants logits and masks, or class indices with mode="multiclass". See
    `minigrad.nn.extra.tversky_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.extra.TverskyLoss(alpha=1.0, beta=1.0, smooth=0.0)
        >>> criterion(minigrad.tensor([[20.0, 20.0, -20.0, -20.0]]), minigrad.tensor([[1, 0, 0, 0]]))
        tensor(0.5000)
    """
