"""Losses between distributions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.kernels import losses as kernels
from minigrad.nn.losses.base import (
    REDUCTIONS,
    Loss,
    as_target,
    loss,
    reduce_loss,
    reduced_name,
    warn_user,
)
from minigrad.ops.elementwise import exp, where, xlogy


def _check_kl_div(
    input: Any, target: Any, average: Any, reduce: Any, reduction: str, log_target: bool
) -> Sequence[Any]:
    if reduction == "mean":
        warn_user(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math definition."
            "'mean' will be changed to behave the same as 'batchmean' in the next major release.",
        )
    target = as_target(input, target)
    if input._array.dtype.kind != "f":
        raise RuntimeError("kl_div: Integral inputs not supported.")
    return input, target, average, reduce, reduction, log_target


@loss(
    forward=kernels.kl_div,
    check=_check_kl_div,
    grad_name=lambda values: _kl_div_name(values),
    reductions=(*REDUCTIONS, "batchmean"),
)
def kl_div(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Any:
    """Kullback-Leibler divergence of the model from the target, t (log t - x) elementwise.

    Wants: log-probabilities x (after log_softmax), and probabilities t (log-probabilities with `log_target`).

    Args:
        input: log-probabilities, any shape.
        target: probabilities, the shape of `input`; or log-probabilities if `log_target`.
        reduction: "batchmean" divides by the first dimension and is the divergence; "mean" divides by the
            number of elements and is not, with a warning; "sum"; "none".
        log_target: whether the target is given as logarithms.

    Gradient: -t, over the divisor. Where t is 0 the term is 0, whatever x is.

    Use it to match a distribution: distillation, variational models. The common mistake is to give it
    probabilities as input: the loss is then wrong, often negative, and no error says so.

    Raises:
        RuntimeError: the input is not floating point.
        ValueError: an unknown reduction.

    Source: S. Kullback and R. Leibler, "On Information and Sufficiency", 1951.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.functional
        >>> x = minigrad.log(minigrad.tensor([[0.5, 0.5]]))
        >>> F.kl_div(x, minigrad.tensor([[0.75, 0.25]]), reduction="batchmean")
        tensor(0.1308)
    """
    if log_target:
        target, log_of_target = exp(target), target
        empty = target == 0
        losses = target * where(empty, 0.0, log_of_target - input)
    else:
        losses = xlogy(target, target) - target * where(target == 0, 0.0, input)
    if reduction == "batchmean":
        return losses.sum() / input.shape[0] if input.ndim else losses.sum()
    return reduce_loss(losses, reduction)


def _kl_div_name(values: Sequence[Any]) -> str:
    return reduced_name("MulBackward0" if values and values[-1] else "SubBackward0")(values)


class KLDivLoss(Loss, fn=kl_div):
    """Kullback-Leibler divergence t (log t - x); use `reduction="batchmean"`. Wants log-probabilities as
    input and probabilities as target. See `minigrad.nn.functional.kl_div`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.KLDivLoss(reduction="batchmean")
        >>> criterion(minigrad.log(minigrad.tensor([[0.5, 0.5]])), minigrad.tensor([[0.75, 0.25]]))
        tensor(0.1308)
    """
