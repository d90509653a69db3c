"""Losses of yes or no, one or several to a sample: cross entropy of probabilities and of logits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.kernels import losses as kernels
from minigrad.nn.losses.base import Loss, as_target, check_same_shape, loss, reduce_loss, times
from minigrad.ops.activation import logsigmoid
from minigrad.ops.elementwise import clamp, log, log1p, where
from minigrad.tensor import Tensor


# ----------------------------------------------------------------- binary cross entropy, probabilities
def _check_unit_interval(name: str, tensor: Tensor) -> None:
    array = tensor._array
    if kernels.all_within(array, 0.0, 1.0):
        return
    bad = ~((array >= 0) & (array <= 1))
    place = [int(i) for i in np.argwhere(bad)[0]]
    hint = (
        "Logits belong into binary_cross_entropy_with_logits; or apply sigmoid first."
        if name == "input"
        else "Of the classes -1 and 1 make (target + 1) / 2."
    )
    raise RuntimeError(
        f"all elements of {name} should be between 0 and 1\n"
        f"{int(bad.sum())} of {array.size} are not; the first is {array[tuple(place)]:g} at {place}. {hint}"
    )


def _check_broadcast(name: str, weight: Any, input: Tensor, mismatch: str) -> None:
    """Raise where a weight is no tensor, or does not broadcast to the input.

    `mismatch` words the error where {size} of the weight does not fit {own} of the input: it is dimension
    -{back} of `shape`, {dimension} of `wanted`.
    """
    if not isinstance(weight, Tensor):
        raise TypeError(f"argument {name!r} must be Tensor, not {type(weight).__name__}")
    shape, wanted = weight._array.shape, input._array.shape
    if shape == wanted:
        return
    for back, (size, own) in enumerate(zip(shape[::-1], wanted[::-1], strict=False), start=1):
        if size != own and 1 not in (size, own):
            dimension = max(len(shape), len(wanted)) - back
            raise RuntimeError(
                mismatch.format(
                    size=size,
                    own=own,
                    back=back,
                    dimension=dimension,
                    shape=weight.shape,
                    wanted=list(wanted),
                )
                + f"\nThe {name} {list(shape)} has a factor for each element of the input {list(wanted)}, "
                "or for each class, its last dimension."
            )
    broadcast = np.broadcast_shapes(shape, wanted)
    if broadcast != wanted:
        raise RuntimeError(
            f"output with shape {list(wanted)} doesn't match the broadcast shape {list(broadcast)}\n"
            f"The {name} may not be larger than the input."
        )


_LENGTHS = (
    "Attempting to broadcast a dimension of length {size} at -{back}! Mismatching argument at index 1 had "
    "{shape!r}; but expected shape should be broadcastable to {wanted}"
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
    if weight is not None:
        _check_broadcast("weight", weight, input, _LENGTHS)
    return input, target, weight, average, reduce, reduction


def _check_probabilities(input: Tensor, target: Tensor, *_: Any) -> None:
    _check_unit_interval("input", input)
    _check_unit_interval("target", target)


# torch's floor of p (1 - p), a float32 in either dtype, and the floor of the logarithms.
_VARIANCE_FLOOR = float(np.float32(1e-12))
_LOG_FLOOR = -100.0


@loss(
    forward=kernels.binary_cross_entropy,
    check=_check_bce,
    check_values=_check_probabilities,
    by_signature=True,
)
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
    saturated = p * (1 - p) < _VARIANCE_FLOOR
    inner = where(saturated, 0.5, input)
    exact = -(target * log(inner) + (1 - target) * log1p(-inner))
    # There the value is that of the clamped logarithms, and the slope (p - y) over the floor.
    log_p, log_not_p = clamp(log(p), min=_LOG_FLOOR), clamp(log1p(-p), min=_LOG_FLOOR)
    value = -(target * log_p + (1 - target) * log_not_p)
    square = (input - target.detach()) ** 2 / (2 * _VARIANCE_FLOOR)
    losses = where(saturated, value + (square - square.detach()), exact)
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
_SIZES = (
    "The size of tensor a ({}) must match the size of tensor b ({}) at non-singleton dimension {{dimension}}"
)


def _check_weight(input: Tensor, weight: Any) -> None:
    if weight is not None:
        _check_broadcast("weight", weight, input, _SIZES.format("{own}", "{size}"))


def _check_pos_weight(input: Tensor, pos_weight: Any) -> None:
    if pos_weight is not None:
        _check_broadcast("pos_weight", pos_weight, input, _SIZES.format("{size}", "{own}"))


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
    if input._array.dtype.kind != "f":
        raise NotImplementedError(
            f'"log_sigmoid_cpu" not implemented for {dtypes.of(input._array).scalar_type!r}\n'
            "The input must be logits in floating point; are input and target swapped?"
        )
    _check_weight(input, weight)
    _check_pos_weight(input, pos_weight)
    return input, target, weight, average, reduce, reduction, pos_weight


@loss(forward=kernels.binary_cross_entropy_with_logits, check=_check_bce_with_logits, by_signature=True)
def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    """Sigmoid and cross entropy in one: -(w₊ y log σ(x) + (1 - y) log σ(-x)).

    Wants: logits x, any real number (no sigmoid before it), and targets y in [0, 1].

    Args:
        input: logits, any shape.
        target: targets, the shape of `input`; integers and bools are converted.
        weight: a factor for each element, of a shape that broadcasts to `input`'s.
        pos_weight: w₊, a factor for the positive part of each class, broadcast over the last dimension;
            negatives / positives balances the classes.
        reduction: "mean" divides by the number of elements, also with weights; "sum"; "none".

    Gradient: (1 - y) σ(x) - w₊ y σ(-x), which is σ(x) - y without w₊; never zero for a wrong logit. An
    infinite logit costs nothing where it is right, and has a gradient where it is wrong.

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
    positive = target if pos_weight is None else pos_weight * target
    losses = -(times(positive, logsigmoid(input)) + times(1 - target, logsigmoid(-input)))
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
