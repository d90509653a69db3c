"""Losses of yes or no, one or several to a sample: cross entropy of probabilities and of logits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.kernels import losses as kernels
from minigrad.nn.losses.base import Loss, as_target, check_same_shape, loss, reduce_loss
from minigrad.ops.activation import logsigmoid
from minigrad.ops.elementwise import clamp, log, where
from minigrad.tensor import Tensor


# ----------------------------------------------------------------- binary cross entropy, probabilities
def _check_unit_interval(name: str, tensor: Tensor) -> None:
    array = tensor._array
    if array.size and not (array.min() >= 0 and array.max() <= 1):  # also where nan
        bad = ~((array >= 0) & (array <= 1))
        place = [int(i) for i in np.argwhere(bad)[0]]
        hint = " Logits belong into BCEWithLogitsLoss; or apply sigmoid first." if name == "input" else ""
        raise RuntimeError(
            f"all elements of {name} should be between 0 and 1\n"
            f"{int(bad.sum())} of {array.size} are not; the first is {array[tuple(place)]:g} at {place}."
            f"{hint}"
        )


def _check_weight(input: Tensor, weight: Any) -> None:
    if weight is None:
        return
    if not isinstance(weight, Tensor):
        raise TypeError(f"argument 'weight' must be Tensor, not {type(weight).__name__}")
    shape, wanted = weight._array.shape, input._array.shape
    try:
        fits = np.broadcast_shapes(shape, wanted) == wanted
    except ValueError:
        size = next(a for a, b in zip(shape[::-1], wanted[::-1], strict=False) if a not in (1, b))
        raise RuntimeError(
            f"Attempting to broadcast a dimension of length {size} at -1! Mismatching argument at index 1 "
            f"had {weight.shape!r}; but expected shape should be broadcastable to {list(wanted)}"
        ) from None
    if not fits:
        raise RuntimeError(
            f"output with shape {list(wanted)} doesn't match the broadcast shape "
            f"{list(np.broadcast_shapes(shape, wanted))}\nThe weight may not be larger than the input."
        )


def _check_bce(
    input: Any, target: Any, weight: Any, average: Any, reduce: Any, reduction: str
) -> Sequence[Any]:
    target = as_target(input, target)
    if input._array.dtype.kind != "f":
        raise NotImplementedError(
            f'"binary_cross_entropy" not implemented for {dtypes.of(input._array).scalar_type!r}\n'
            "The input must be probabilities in floating point; use .float()."
        )
    check_same_shape(
        input,
        target,
        "Using a target size ({target}) that is different to the input size ({input}) is deprecated. "
        "Please ensure they have the same size.",
    )
    if target._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"Found dtype {dtypes.of(target._array).scalar_type} but expected "
            f"{dtypes.of(input._array).scalar_type}\nUse target.to(input.dtype)."
        )
    _check_unit_interval("input", input)
    _check_unit_interval("target", target)
    _check_weight(input, weight)
    return input, target, weight, average, reduce, reduction


@loss(forward=kernels.binary_cross_entropy, check=_check_bce)
def binary_cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """Cross entropy of probabilities, -(y log p + (1 - y) log(1 - p)).

    Wants: probabilities p (after a sigmoid), not logits, and targets y in [0, 1].

    Args:
        input: probabilities in [0, 1], any shape.
        target: targets in [0, 1], the shape of `input`; integers and bools are converted.
        weight: a factor for each element, of a shape that broadcasts to `input`'s.
        reduction: "mean" divides by the number of elements, also with weights; "sum"; "none".

    Gradient: (p - y) / max(p (1 - p), 1e-12). Each logarithm is clamped at -100, so a loss is at most 100.

    Use it where the model already ends in a sigmoid. Otherwise `binary_cross_entropy_with_logits` is
    better: through a saturated sigmoid this loss has no gradient, the common mistake with it.

    Raises:
        ValueError: the shapes differ, or an unknown reduction.
        RuntimeError: an element of `input` or `target` is outside [0, 1], or a weight does not broadcast.

    Source: the maximum likelihood of a Bernoulli distribution.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.functional
        >>> F.binary_cross_entropy(minigrad.tensor([0.9, 0.2]), minigrad.tensor([1.0, 0.0]))
        tensor(0.1643)
    """
    p = input.detach()
    clamped = -(target * clamp(log(p), min=-100.0) + (1 - target) * clamp(log(1 - p), min=-100.0))
    # Where p (1 - p) is below its floor the value is clamped and the slope is (p - y) / 1e-12.
    distance = input - target.detach()
    slope = (distance * distance - (distance * distance).detach()) / 2e-12
    saturated = p * (1 - p) < 1e-12
    inner = where(saturated, 0.5, input)
    exact = -(target * log(inner) + (1 - target) * log(1 - inner))
    losses = where(saturated, clamped + slope, exact)
    return reduce_loss(losses if weight is None else losses * weight, reduction)


class BCELoss(Loss, fn=binary_cross_entropy):
    """Cross entropy of probabilities, -(y log p + (1 - y) log(1 - p)); the mean by default. Wants
    probabilities (after a sigmoid) and targets in [0, 1]. See `minigrad.nn.functional.binary_cross_entropy`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.BCELoss()
        >>> criterion(minigrad.tensor([0.9, 0.2]), minigrad.tensor([1.0, 0.0]))
        tensor(0.1643)
    """


# ----------------------------------------------------------------------- binary cross entropy, logits
def _check_bce_with_logits(
    input: Any,
    target: Any,
    weight: Any,
    average: Any,
    reduce: Any,
    reduction: str,
    pos_weight: Any,
) -> Sequence[Any]:
    target = as_target(input, target)
    check_same_shape(input, target, "Target size ({target}) must be the same as input size ({input})")
    _check_weight(input, weight)
    if pos_weight is not None:
        _check_pos_weight(input, pos_weight)
    return input, target, weight, average, reduce, reduction, pos_weight


def _check_pos_weight(input: Tensor, pos_weight: Any) -> None:
    if not isinstance(pos_weight, Tensor):
        raise TypeError(f"argument 'pos_weight' must be Tensor, not {type(pos_weight).__name__}")
    size, wanted = pos_weight._array.shape[-1:], input._array.shape[-1:]
    if size not in ((), (1,), wanted):
        raise RuntimeError(
            f"The size of tensor a ({wanted[0] if wanted else 1}) must match the size of tensor b "
            f"({size[0]}) at non-singleton dimension {max(input.ndim - 1, 0)}\n"
            "pos_weight has one factor per class, the last dimension of the input."
        )
    _check_weight(input, pos_weight)


@loss(forward=kernels.binary_cross_entropy_with_logits, check=_check_bce_with_logits)
def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    """Sigmoid and cross entropy in one: (1 - y) x + (1 + (w₊ - 1) y) log(1 + exp(-x)).

    Wants: logits x, any real number (no sigmoid before it), and targets y in [0, 1].

    Args:
        input: logits, any shape.
        target: targets, the shape of `input`; integers and bools are converted.
        weight: a factor for each element, of a shape that broadcasts to `input`'s.
        pos_weight: w₊, a factor for the positive part of each class, broadcast over the last dimension;
            negatives / positives balances the classes.
        reduction: "mean" divides by the number of elements, also with weights; "sum"; "none".

    Gradient: (1 - y) σ(x) - w₊ y σ(-x), which is σ(x) - y without w₊; never zero for a wrong logit.

    Use it for binary and multi-label classification. Common mistakes: a sigmoid before it, and logits
    (N, 1) against targets (N,).

    Raises:
        ValueError: the shapes differ, or an unknown reduction.
        RuntimeError: a weight does not broadcast to the input.

    Source: the maximum likelihood of a Bernoulli distribution with log-odds x.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.functional
        >>> F.binary_cross_entropy_with_logits(minigrad.tensor([2.0, -1.0]), minigrad.tensor([1.0, 0.0]))
        tensor(0.2201)
    """
    factor = 1 if pos_weight is None else 1 + (pos_weight - 1) * target
    losses = (1 - target) * input - factor * logsigmoid(input)
    return reduce_loss(losses if weight is None else losses * weight, reduction)


class BCEWithLogitsLoss(Loss, fn=binary_cross_entropy_with_logits):
    """Sigmoid and cross entropy in one; the mean by default. Wants logits (no sigmoid before it) and targets
    in [0, 1]. See `minigrad.nn.functional.binary_cross_entropy_with_logits`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.BCEWithLogitsLoss()
        >>> criterion(minigrad.tensor([2.0, -1.0]), minigrad.tensor([1.0, 0.0]))
        tensor(0.2201)
    """
