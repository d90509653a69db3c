"""Losses of real-valued predictions: squared, absolute, and smooth in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any

from minigrad.kernels import losses as kernels
from minigrad.nn.losses.base import (
    Loss,
    as_target,
    check_floating,
    loss,
    reduce_loss,
    reduced_name,
    warn_of_broadcast,
)
from minigrad.ops.elementwise import where
from minigrad.tensor import Tensor


def require_number(function: str, name: str, place: int, value: Any) -> None:
    """torch's TypeError where an option that is a number is none."""
    if type(value) is float or isinstance(value, Real):
        return
    if not isinstance(value, Tensor) or value.numel() != 1:
        raise TypeError(
            f"{function}(): argument {name!r} (position {place}) must be float, not {type(value).__name__}"
        )


def _operands(name: str, input: Any, target: Any, weight: Any = None) -> tuple[Any, Any]:
    """Target and weight in normal form; raises where they do not fit the input."""
    target = as_target(input, target)
    if name:
        check_floating(name, input, target)
    warn_of_broadcast(input, target)
    if weight is not None:
        weight = as_target(input, weight)
        if weight.shape != input.shape:
            raise ValueError(
                "Weights and input must have the same size.\n"
                f"Got weight {weight.shape!r} for input {input.shape!r}; try weight.expand_as(input)."
            )
    return target, weight


def _checked(name: str) -> Callable[..., Sequence[Any]]:
    """The check of a loss with weights and the deprecated arguments."""

    def check(
        input: Any, target: Any, average: Any, reduce: Any, reduction: str, weight: Any
    ) -> Sequence[Any]:
        target, weight = _operands(name, input, target, weight)
        return input, target, average, reduce, reduction, weight

    return check


def _weighted_name(name: str, mean: str = "DivBackward0") -> Callable[[Sequence[Any]], str]:
    """torch composes the losses with weights: they are named by the last thing the reduction does."""
    composed = reduced_name("MulBackward0", mean)
    return lambda values: composed(values) if values[-1] is not None else name


# -------------------------------------------------------------------------------------- squared error
@loss(
    forward=kernels.squared_error,
    check=_checked("mse"),
    by_signature=True,
    grad_name=_weighted_name("MseLossBackward0"),
)
def mse_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Any:
    """Squared error, (x - y)².

    Wants: predictions of any range, and targets of the same shape.

    Args:
        input: predictions x, any shape.
        target: targets y, the shape of `input`; another shape broadcasts, with a warning.
        reduction: "mean" divides by the number of elements, by Σ weight with weights; "sum"; "none".
        weight: a factor for each element, the shape of `input`.

    Gradient: 2 (x - y), over the number of elements for "mean".

    Use it for regression with noise of constant size; large errors weigh by their square, so a few
    outliers can rule. A common mistake: predictions (N, 1) against targets (N,), which broadcast to (N, N).

    Raises:
        RuntimeError: the shapes do not broadcast.
        ValueError: an unknown reduction, or weights of another shape.

    Source: the maximum likelihood of a normal distribution of fixed variance.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.functional
        >>> F.mse_loss(minigrad.tensor([1.0, 2.0]), minigrad.tensor([1.0, 4.0]))
        tensor(2.)
    """
    difference = input - target
    return reduce_loss(difference * difference, reduction, weight)


class MSELoss(Loss, fn=mse_loss, omit=("weight",)):
    """Squared error (x - y)², the mean over all elements by default. Wants predictions and targets of
    one shape. See `minigrad.nn.functional.mse_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.MSELoss()
        >>> criterion(minigrad.tensor([1.0, 2.0]), minigrad.tensor([1.0, 4.0]))
        tensor(2.)
    """


# ------------------------------------------------------------------------------------- absolute error
@loss(
    forward=kernels.absolute_error,
    by_signature=True,
    check=_checked(""),  # of integers the sum exists, and the mean says so itself
    grad_name=lambda values: _weighted_name(reduced_name("AbsBackward0")(values))(values),
)
def l1_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Any:
    """Absolute error, |x - y|.

    Wants: predictions of any range, and targets of the same shape.

    Args:
        input: predictions x, any shape.
        target: targets y, the shape of `input`; another shape broadcasts, with a warning.
        reduction: "mean" divides by the number of elements, by Σ weight with weights; "sum"; "none".
        weight: a factor for each element, the shape of `input`.

    Gradient: sign(x - y), 0 where x = y (a kink).

    Use it for regression with outliers: it fits the median. A common mistake is to expect it to
    settle: its gradient does not shrink near the target.

    Raises:
        RuntimeError: the shapes do not broadcast.
        ValueError: an unknown reduction, or weights of another shape.

    Source: the maximum likelihood of a Laplace distribution.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.functional
        >>> F.l1_loss(minigrad.tensor([1.0, 2.0]), minigrad.tensor([1.0, 4.0]))
        tensor(1.)
    """
    return reduce_loss(abs(input - target), reduction, weight)


class L1Loss(Loss, fn=l1_loss, omit=("weight",)):
    """Absolute error |x - y|, the mean over all elements by default. Wants predictions and targets of
    one shape. See `minigrad.nn.functional.l1_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.L1Loss()
        >>> criterion(minigrad.tensor([1.0, 2.0]), minigrad.tensor([1.0, 4.0]))
        tensor(1.)
    """


# ------------------------------------------------------------------------------ smooth absolute error
def _validate_smooth_l1(beta: float) -> None:
    require_number("smooth_l1_loss", "beta", 4, beta)
    if not beta >= 0:
        raise RuntimeError(
            "smooth_l1_loss does not support negative values for beta.\n"
            f"Got beta={beta}; use 0 (the absolute error) or more."
        )


def _check_smooth_l1(
    input: Any, target: Any, average: Any, reduce: Any, reduction: str, beta: float
) -> Sequence[Any]:
    target, _ = _operands("smooth_l1", input, target)
    return input, target, average, reduce, reduction, float(beta)


def _smooth_l1_name(values: Sequence[Any]) -> str:
    beta_is_zero = values[-1] == 0
    return reduced_name("AbsBackward0")(values) if beta_is_zero else "SmoothL1LossBackward0"


@loss(
    forward=kernels.smooth_l1,
    check=_check_smooth_l1,
    by_signature=True,
    validate=_validate_smooth_l1,
    grad_name=_smooth_l1_name,
)
def smooth_l1_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Any:
    """Squared error near the target, absolute error away from it.

    With d = |x - y|: d² / (2 beta) where d < beta, else d - beta / 2.

    Wants: predictions of any range, and targets of the same shape.

    Args:
        input: predictions x, any shape.
        target: targets y, the shape of `input`; another shape broadcasts, with a warning.
        reduction: "mean" divides by the number of elements; "sum"; "none".
        beta: where the two halves meet, >= 0, in units of the target; 0 gives the absolute error.

    Gradient: (x - y) / beta where d < beta, else sign(x - y).

    Use it for regression with outliers that should still settle smoothly. It is the Huber loss divided by
    its delta; taking the two for the same is the common mistake, they agree only at beta = delta = 1.

    Raises:
        RuntimeError: `beta` is negative, or the shapes do not broadcast.
        ValueError: an unknown reduction.

    Source: R. Girshick, "Fast R-CNN", ICCV 2015.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.functional
        >>> F.smooth_l1_loss(minigrad.tensor([1.0, 2.0]), minigrad.tensor([1.5, 4.0]), reduction="none")
        tensor([0.1250, 1.5000])
    """
    distance = abs(input - target)
    if beta == 0:
        return reduce_loss(distance, reduction)
    far = distance > beta
    near = where(far, 0.0, distance)  # infinite differences have no square to differentiate
    return reduce_loss(where(far, distance - 0.5 * beta, 0.5 * near * near / beta), reduction)


class SmoothL1Loss(Loss, fn=smooth_l1_loss):
    """d² / (2 beta) where d = |x - y| < beta, else d - beta / 2; the mean by default. Wants predictions
    and targets of one shape. See `minigrad.nn.functional.smooth_l1_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.SmoothL1Loss(reduction="none", beta=0.5)
        >>> criterion(minigrad.tensor([1.0, 2.0]), minigrad.tensor([1.5, 4.0]))
        tensor([0.2500, 1.7500])
    """


# -------------------------------------------------------------------------------------------- Huber loss
def _validate_huber(delta: float) -> None:
    require_number("huber_loss", "delta", 4, delta)
    if not delta > 0:
        raise RuntimeError(
            "huber_loss does not support non-positive values for delta.\n"
            f"Got delta={delta}; use a positive number, or l1_loss for the absolute error."
        )


def _check_huber(input: Any, target: Any, reduction: str, delta: float, weight: Any) -> Sequence[Any]:
    target, weight = _operands("huber", input, target, weight)
    return input, target, reduction, float(delta), weight


@loss(
    forward=kernels.huber,
    check=_check_huber,
    by_signature=True,
    validate=_validate_huber,
    grad_name=_weighted_name("HuberLossBackward0", "MeanBackward0"),
)
def huber_loss(
    input: Any,
    target: Any,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Any = None,
) -> Any:
    """Squared near the target, absolute beyond: d² / 2 where d = |x - y| <= delta, else delta d - delta² / 2.

    Wants: predictions of any range, and targets of the same shape.

    Args:
        input: predictions x, any shape.
        target: targets y, the shape of `input`; another shape broadcasts, with a warning.
        reduction: "mean" divides by the number of elements, also with weights (`mse_loss` and `l1_loss`
            divide by their sum); "sum"; "none".
        delta: where the two halves meet, > 0, in units of the target.
        weight: a factor for each element, the shape of `input`.

    Gradient: x - y where d <= delta, else delta sign(x - y).

    Use it for regression with outliers: no error pulls harder than delta. It is `smooth_l1_loss` times
    delta; taking the two for the same is the common mistake, they agree only at delta = beta = 1.

    Raises:
        RuntimeError: `delta` is not positive, or the shapes do not broadcast.
        TypeError: `delta` is no number.
        ValueError: an unknown reduction, or weights of another shape.

    Source: P. J. Huber, "Robust Estimation of a Location Parameter", 1964.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.functional
        >>> x, y = minigrad.tensor([1.0, 2.0]), minigrad.tensor([1.5, 4.0])
        >>> F.huber_loss(x, y, reduction="none", delta=0.5)
        tensor([0.1250, 0.8750])
    """
    distance = abs(input - target)
    far = distance > delta
    near = where(far, 0.0, distance)  # infinite differences have no square to differentiate
    losses = where(far, delta * (distance - 0.5 * delta), 0.5 * near * near)
    return reduce_loss(losses if weight is None else losses * weight, reduction)


class HuberLoss(Loss, fn=huber_loss, omit=("weight",)):
    """d² / 2 where d = |x - y| <= delta, else delta (d - delta / 2); the mean by default. Wants
    predictions and targets of one shape. See `minigrad.nn.functional.huber_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.HuberLoss(reduction="none", delta=0.5)
        >>> criterion(minigrad.tensor([1.0, 2.0]), minigrad.tensor([1.5, 4.0]))
        tensor([0.1250, 0.8750])
    """
