"""The Lovász losses: the intersection over the union of decisions, made convex by sorting the errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.nn.extra.checks import check_floating_tensor
from minigrad.nn.extra.segmentation import as_regions, as_scores, check_regions, probabilities
from minigrad.nn.losses.base import Loss, loss, reduce_loss
from minigrad.ops.activation import relu
from minigrad.ops.elementwise import where
from minigrad.tensor import Tensor


def _lovasz_extension(errors: Any, mask: ndarray, counts: ndarray | None) -> Any:
    """Σ of the errors, each times what it adds to the Jaccard loss if the larger ones are wrong already.

    `mask` says which pixels are of the region; sums are over the last dimension. Given the order of the
    errors this is linear in them, so its weights are constants, and the order has no gradient.
    """
    keys = errors._array if counts is None else np.where(counts, errors._array, -np.inf)
    order = np.argsort(-keys, axis=-1, kind="stable")
    weights = np.empty(order.shape)
    np.put_along_axis(weights, order, _jaccard_steps(np.take_along_axis(mask, order, -1)), -1)
    if counts is not None:
        errors = where(counts, errors, 0.0)
    return (errors * Tensor._wrap(weights.astype(keys.dtype))).sum(-1)


def _jaccard_steps(mask: ndarray) -> ndarray:
    """By how much each next wrong pixel raises 1 - intersection / union, from none wrong.

    A pixel of the region leaves the intersection, and one outside joins the union; each step is written
    without the difference of two losses, which would leave no digits in a large image.
    """
    missed = np.cumsum(mask, -1)
    added = np.cumsum(~mask, -1)
    size = mask.sum(-1, keepdims=True)
    union = size + added
    inside = 1 / np.maximum(union, 1)
    outside = (size - missed) / np.maximum(union * (union - 1), 1)
    empty = (size == 0) & (np.arange(mask.shape[-1]) == 0)  # of no region the first wrong pixel costs all
    return np.where(mask, inside, np.where(empty, 1.0, outside))


def _check_binary(name: str, target: Tensor, ignore_index: int | None) -> None:
    array = target._array
    bad = (array != 0) & (array != 1)
    if ignore_index is not None:
        bad &= array != ignore_index
    if bad.any():
        place = [int(i) for i in np.argwhere(bad)[0]]
        raise RuntimeError(
            "all elements of target should be 0 or 1\n"
            f"{int(bad.sum())} of {array.size} are not; the first is {array[tuple(place)]:g} at {place}."
            f" {name} has no soft targets."
        )


# ---------------------------------------------------------------------------------------------- hinge
def _check_hinge(
    input: Any, target: Any, reduction: str, ignore_index: int | None, per_image: bool
) -> Sequence[Any]:
    input, target = check_regions("lovasz_hinge_loss", input, target, "binary", True, ignore_index)
    _check_binary("lovasz_hinge_loss", target, ignore_index)
    return input, target, reduction, ignore_index, per_image


@loss(check=_check_hinge)
def lovasz_hinge_loss(
    input: Any,
    target: Any,
    reduction: str = "mean",
    ignore_index: int | None = None,
    per_image: bool = True,
) -> Any:
    """The Lovász extension of the Jaccard loss, of the hinge errors max(0, 1 - x (2 y - 1)) of an image.

    It is 1 - intersection / union where every error is 0 or 1, and linear in between, as the errors are
    sorted: the largest counts what it costs alone, the next what it costs beyond that, and so on.

    Wants: logits x, whose sign is the decision, and masks of 0 and 1.

    Args:
        input: logits, (N, ...).
        target: 0 or 1, the shape of `input`.
        reduction: "mean" divides by the number of images; "sum"; "none" gives (N).
        ignore_index: pixels with this target count nothing, e.g. 255; an image of only them has loss 0.
        per_image: False takes the batch for one image: "none" then gives ().

    Gradient: -(2 y - 1) times the pixel's step of the Jaccard loss, 0 where the error is 0 (a kink, as are
    two equal errors; of equals the first counts as the larger).

    Use it where the intersection over the union is what is reported, after some epochs of cross entropy.
    The common mistake is to give it probabilities, which never decide against a pixel.

    Raises:
        RuntimeError: a target is neither 0 nor 1.
        ValueError: shapes or options do not fit.

    Source: M. Berman et al., "The Lovász-Softmax Loss", CVPR 2018; J. Yu and M. Blaschko, "Learning
    Submodular Losses with the Lovász Hinge", ICML 2015.

    Example:
        >>> import minigrad
        >>> from minigrad.nn import extra
        >>> logits = minigrad.tensor([[2.0, 0.0, -2.0, -2.0]])
        >>> extra.lovasz_hinge_loss(logits, minigrad.tensor([[1, 0, 0, 0]]))
        tensor(0.5000)
    """
    x, t, counts = as_regions(input, target, "binary", ignore_index, per_image)
    errors = relu(1 - x * (2 * t - 1))
    losses = _lovasz_extension(errors, t._array == 1, counts)
    return reduce_loss(as_scores(losses, "binary", per_image), reduction)


class LovaszHingeLoss(Loss, fn=lovasz_hinge_loss):
    """The Lovász extension of the Jaccard loss, of an image's hinge errors; the mean over images by default.
    Wants logits and masks of 0 and 1. See `minigrad.nn.extra.lovasz_hinge_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.extra.LovaszHingeLoss()
        >>> criterion(minigrad.tensor([[2.0, 0.0, -2.0, -2.0]]), minigrad.tensor([[1, 0, 0, 0]]))
        tensor(0.5000)
    """


# -------------------------------------------------------------------------------------------- softmax
_CLASSES = ("present", "all")


def _validate_softmax(classes: str) -> None:
    if classes not in _CLASSES:
        choices = ", ".join(map(repr, _CLASSES))
        raise ValueError(f"{classes} is not a valid value for classes\nUse one of {choices}.")


def _check_softmax(
    input: Any,
    target: Any,
    reduction: str,
    classes: str,
    from_logits: bool,
    ignore_index: int | None,
    per_image: bool,
) -> Sequence[Any]:
    name = "lovasz_softmax_loss"
    check_floating_tensor(name, "input", input)
    if np.shape(getattr(target, "_array", target)) == input.shape:
        raise ValueError(
            f"Expected class indices as target, got the shape {list(input.shape)} of the input\n"
            "The loss has no soft targets; of one-hot rows take target.argmax(1)."
        )
    input, target = check_regions(name, input, target, "multiclass", from_logits, ignore_index)
    return input, target, reduction, classes, from_logits, ignore_index, per_image


@loss(check=_check_softmax, validate=_validate_softmax)
def lovasz_softmax_loss(
    input: Any,
    target: Any,
    reduction: str = "mean",
    classes: str = "present",
    from_logits: bool = True,
    ignore_index: int | None = None,
    per_image: bool = True,
) -> Any:
    """The Lovász extension of the Jaccard loss, of the errors 1 - p of a class's pixels and p of the others,
    its mean over the classes.

    It is the mean of 1 - intersection / union where every p is 0 or 1, and linear in between.

    Wants: logits (or probabilities with `from_logits=False`), and class indices.

    Args:
        input: logits, (N, C, ...); the classes are dimension 1.
        target: class indices in [0, C), (N, ...), of any integer type.
        reduction: "mean" divides by the number of images; "sum"; "none" gives (N).
        classes: "present" takes the mean over the classes that an image has, "all" over all C: an absent one
            then costs its largest probability.
        from_logits: whether `input` holds logits.
        ignore_index: pixels with this target count nothing, e.g. 255; an image of only them has loss 0.
        per_image: False takes the batch for one image: "none" then gives (). The authors' code does so here.

    Gradient: through p, each pixel's step of the Jaccard loss over the number of classes. Two equal errors
    are a kink; of equals the first counts as the larger.

    Use it where the mean intersection over the union is what is reported, after some epochs of cross entropy
    or beside it. The common mistake is small crops with `per_image`, where most classes are absent.

    Raises:
        IndexError: a class index is out of range.
        RuntimeError: a probability is outside [0, 1].
        ValueError: shapes or options do not fit.

    Source: M. Berman et al., "The Lovász-Softmax Loss", CVPR 2018.

    Example:
        >>> import minigrad
        >>> from minigrad.nn import extra
        >>> logits = minigrad.tensor([[[20.0, 20.0, -20.0], [-20.0, -20.0, 20.0]]])
        >>> extra.lovasz_softmax_loss(logits, minigrad.tensor([[0, 1, 1]]))
        tensor(0.5000)
    """
    x, t, counts = as_regions(input, target, "multiclass", ignore_index, per_image)
    p, q = probabilities(x, "multiclass", from_logits)
    mask = t._array == 1 if counts is None else (t._array == 1) & counts
    losses = _lovasz_extension(t * q + (1 - t) * p, mask, counts)
    taken = np.ones(losses.shape, bool) if counts is None else counts.any(2)
    if classes == "present":
        taken = mask.any(2)
    losses = where(taken, losses, 0.0).sum(1) / Tensor._wrap(
        np.maximum(taken.sum(1), 1).astype(losses._array.dtype)
    )
    return reduce_loss(losses if per_image else losses.squeeze(0), reduction)


class LovaszSoftmaxLoss(Loss, fn=lovasz_softmax_loss):
    """The Lovász extension of the Jaccard loss, of the softmax's errors, its mean over the classes and, by
    default, over the images. Wants logits and class indices. See `minigrad.nn.extra.lovasz_softmax_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.extra.LovaszSoftmaxLoss()
        >>> logits = minigrad.tensor([[[20.0, 20.0, -20.0], [-20.0, -20.0, 20.0]]])
        >>> criterion(logits, minigrad.tensor([[0, 1, 1]]))
        tensor(0.5000)
    """
