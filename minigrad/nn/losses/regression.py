"""Losses of real-valued predictions: squared, absolute, and smooth in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


def _check(name: str, input: Any, target: Any, weight: Any = None) -> Any:
    target = as_target(input, target)
    check_floating(name, input, target)
    warn_of_broadcast(input, target)
    if weight is not None and weight.shape != input.shape:
        raise ValueError(
            "Weights and input must have the same size.\n"
            f"Got weight {weight.shape!r} for input {input.shape!r}."
        )
    return target


def _weighted_name(name: str, values: Sequence[Any]) -> str:
    """torch composes the losses with weights: they are named by the last thing the reduction does."""
    weighted = bool(values) and values[-1] is not None
    return reduced_name("MulBackward0", "DivBackward0")(values) if weighted else name


# -------------------------------------------------------------------------------------- squared error
def _unweighted(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel of a loss whose weighted form is left to the definition."""

    def forward(input: Any, target: Any, weight: Any, *, reduction: str, grad: bool) -> Any:
        if weight is not None:
            return NotImplemented
        return kernel(input, target, reduction=reduction, grad=grad)

    return forward


def _checked(name: str) -> Callable[..., Sequence[Any]]:
    """The check of a loss with weights."""

    def check(
        input: Any, target: Any, average: Any, reduce: Any, reduction: str, weight: Any
    ) -> Sequence[Any]:
        return input, _check(name, input, target, weight), average, reduce, reduction, weight

    return check


@loss(
    forward=_unweighted(kernels.squared_error),
    check=_checked("mse"),
    grad_name=lambda values: _weighted_name("MseLossBackward0", values),
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
    forward=_unweighted(kernels.absolute_error),
    check=_checked("l1"),
    grad_name=lambda values: _weighted_name(reduced_name("AbsBackward0")(values), values),
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
def _check_smooth_l1(
    input: Any, target: Any, average: Any, reduce: Any, reduction: str, beta: float
) -> Sequence[Any]:
    if beta < 0:
        raise RuntimeError(
            f"smooth_l1_loss does not support negative values for beta.\nGot beta={beta}; use 0 or more."
        )
    return input, _check("smooth_l1", input, target), average, reduce, reduction, beta


@loss(forward=kernels.smooth_l1, check=_check_smooth_l1, grad_name=lambda values: _smooth_name(values))
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
    near = 0.5 * distance * distance / beta
    return reduce_loss(where(distance < beta, near, distance - 0.5 * beta), reduction)


def _smooth_name(values: Sequence[Any]) -> str:
    beta_is_zero = bool(values) and values[-1] == 0
    return reduced_name("AbsBackward0")(values) if beta_is_zero else "SmoothL1LossBackward0"


class SmoothL1Loss(Loss, fn=smooth_l1_loss):
    """d² / (2 beta) where d = |x - y| < beta, else d - beta / 2; the mean by default. Wants predictions
    and targets of one shape. See `minigrad.nn.functional.smooth_l1_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.SmoothL1Loss(reduction="none", beta=0.5)
        >>> criterion(minigrad.tensor([1.0, 2.0]), minigrad.tensor([1.5, 4.0]))
        tensor([0.2500, 1.7500])
    """
