"""Losses of and between distributions: divergence, counts, and a mean with its variance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.kernels import losses as kernels
from minigrad.nn.losses.base import (
    REDUCTIONS,
    Loss,
    as_target,
    loss,
    reduce_loss,
    reduced_name,
    times,
    warn_of_broadcast,
    warn_user,
)
from minigrad.nn.losses.regression import require_number
from minigrad.ops.elementwise import exp, log, where
from minigrad.tensor import Tensor

# ----------------------------------------------------------------------------------------- divergence


def _check_kl_div(
    input: Any, target: Any, average: Any, reduce: Any, reduction: str, log_target: bool
) -> Sequence[Any]:
    target = as_target(input, target)
    if input._array.dtype.kind != "f":
        raise RuntimeError(
            "kl_div: Integral inputs not supported.\n"
            "The input must be log-probabilities in floating point, after log_softmax."
        )
    warn_of_broadcast(input, target)
    return input, target, average, reduce, reduction, log_target


def _warn_of_mean(
    input: Tensor, target: Tensor, average: None, reduce: None, reduction: str, log_target: bool
) -> None:
    if reduction == "mean":
        warn_user(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math definition."
            "'mean' will be changed to behave the same as 'batchmean' in the next major release.",
        )


@loss(
    forward=kernels.kl_div,
    check=_check_kl_div,
    check_values=_warn_of_mean,
    by_signature=True,
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
        target: probabilities, the shape of `input`; or log-probabilities if `log_target`. Another shape
            broadcasts, with a warning.
        reduction: "batchmean" divides by the first dimension and is the divergence; "mean" divides by the
            number of elements and is not, with a warning; "sum"; "none".
        log_target: whether the target is given as logarithms.

    Gradient: -t, over the divisor. Where t is 0 the term is 0, whatever x is, and so is the gradient with
    respect to t (elsewhere log t + 1 - x). A negative probability makes nan.

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
        probability, log_probability = exp(target), target
        empty = probability == 0
    else:
        empty = target == 0
        probability, log_probability = target, log(where(empty, 1.0, target))
    losses = probability * where(empty, 0.0, log_probability - input)
    if reduction == "batchmean":
        return losses.sum() / float(input.shape[0]) if input.ndim else losses.sum()
    return reduce_loss(losses, reduction)


def _kl_div_name(values: Sequence[Any]) -> str:
    return reduced_name("MulBackward0" if values[-1] else "SubBackward0")(values)


class KLDivLoss(Loss, fn=kl_div):
    """Kullback-Leibler divergence t (log t - x); use `reduction="batchmean"`. Wants log-probabilities as
    input and probabilities as target. See `minigrad.nn.functional.kl_div`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.KLDivLoss(reduction="batchmean")
        >>> criterion(minigrad.log(minigrad.tensor([[0.5, 0.5]])), minigrad.tensor([[0.75, 0.25]]))
        tensor(0.1308)
    """


# --------------------------------------------------------------------------------------------- counts
def _validate_eps(function: str, place: int, eps: Any) -> None:
    require_number(function, "eps", place, eps)
    if not eps >= 0:
        raise ValueError(f"{function} does not support negative values for eps.\nGot eps={eps}.")


def _validate_poisson(eps: float) -> None:
    _validate_eps("poisson_nll_loss", 5, eps)


def _check_poisson(
    input: Any,
    target: Any,
    log_input: bool,
    full: bool,
    average: Any,
    eps: float,
    reduce: Any,
    reduction: str,
) -> Sequence[Any]:
    target = as_target(input, target)
    warn_of_broadcast(input, target)
    return input, target, log_input, full, average, float(eps), reduce, reduction


def _poisson_name(values: Sequence[Any]) -> str:
    return reduced_name("AddBackward0" if values[3] else "SubBackward0")(values)


@loss(
    forward=kernels.poisson_nll,
    check=_check_poisson,
    by_signature=True,
    validate=_validate_poisson,
    grad_name=_poisson_name,
)
def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """Negative log-likelihood of counts y with the rate λ: λ - y log λ, where λ = exp(x).

    Wants: logarithms x of the rates (rates themselves without `log_input`), and counts.

    Args:
        input: x, any shape.
        target: counts y >= 0, the shape of `input`; integers are converted; another shape broadcasts, with
            a warning.
        log_input: whether `input` is log λ; if not it is λ, and the loss λ - y log(λ + eps).
        full: whether to add log(y!), by Stirling's formula y log y - y + log(2πy) / 2 where y > 1, else 0.
            It does not depend on the input.
        eps: keeps the logarithm of a rate of zero finite, >= 0; only without `log_input`.
        reduction: "mean" divides by the number of elements; "sum"; "none".

    Gradient: exp(x) - y; without `log_input` 1 - y / (λ + eps). Where y is 0 there is no logarithm to pay
    for, also at a rate of zero.

    Use it for numbers of events. The common mistake is a model that ends in a rate (an exp or softplus
    layer) with `log_input` left at True: exp is then applied twice.

    Raises:
        RuntimeError: the shapes do not broadcast.
        TypeError, ValueError: `eps` is no number, or negative.
        ValueError: an unknown reduction.

    Source: the maximum likelihood of a Poisson distribution.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.functional
        >>> F.poisson_nll_loss(minigrad.tensor([0.0, 1.0]), minigrad.tensor([1, 3]), reduction="none")
        tensor([ 1.0000, -0.2817])
    """
    if log_input:
        losses = exp(input) - times(target, input)
    else:
        rate = input + eps
        # What was not counted has no logarithm to pay for.
        losses = input - times(target, log(where((target == 0) & (rate <= 0), 1.0, rate)))
    if full:
        many = where(target > 1, target, 2.0)
        stirling = many * log(many) - many + 0.5 * log(2 * math.pi * many)
        losses = losses + where(target > 1, stirling, 0.0)
    return reduce_loss(losses, reduction)


class PoissonNLLLoss(Loss, fn=poisson_nll_loss):
    """Negative log-likelihood of counts, exp(x) - y x; the mean by default. Wants logarithms of rates
    (rates with `log_input=False`) and counts. See `minigrad.nn.functional.poisson_nll_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.PoissonNLLLoss()
        >>> criterion(minigrad.tensor([0.0, 1.0]), minigrad.tensor([1, 3]))
        tensor(0.3591)
    """


# ------------------------------------------------------------------------------- mean and its variance
def _validate_gaussian(eps: float) -> None:
    _validate_eps("gaussian_nll_loss", 5, eps)


def _check_gaussian(
    input: Any, target: Any, var: Any, full: bool, eps: float, reduction: str
) -> Sequence[Any]:
    target = as_target(input, target)
    warn_of_broadcast(input, target)
    return input, target, _variance(input, var), full, float(eps), reduction


def _variance(input: Tensor, var: Any) -> Tensor:
    """`var` as a tensor that broadcasts to the input; raises for a wrong size."""
    number = not isinstance(var, Tensor)
    var = as_target(input, var)
    shape, wanted = var._array.shape, input._array.shape
    if shape == wanted or (number and not shape):
        return var
    if shape == wanted[:-1]:
        return var.unsqueeze(-1)
    if len(shape) == len(wanted):
        differing = [size for size, own in zip(shape, wanted, strict=True) if size != own]
        if differing == [1]:
            return var
    raise ValueError(
        f"var is of incorrect size\nGot var {list(shape)} for input {list(wanted)}: it has the shape of the "
        f"input, or {list(wanted[:-1])} or {[*wanted[:-1], 1]} for one variance per row, or is a number."
    )


def _check_variances(input: Tensor, target: Tensor, var: Tensor, *_: Any) -> None:
    array = var._array
    if not kernels.all_within(array, 0.0, math.inf) and (array < 0).any():
        place = tuple(int(i) for i in np.argwhere(array < 0)[0])
        raise ValueError(
            f"var has negative entry/entries\n{int((array < 0).sum())} of {array.size} are negative; the "
            f"first is {array[place]:g} at {list(place)}. Let the model give s and use exp(s) or softplus(s)."
        )


def _gaussian_name(values: Sequence[Any]) -> str:
    return reduced_name("AddBackward0" if values[3] else "MulBackward0")(values)


@loss(
    forward=kernels.gaussian_nll,
    wrt=("input", "var"),
    check=_check_gaussian,
    check_values=_check_variances,
    by_signature=True,
    validate=_validate_gaussian,
    grad_name=_gaussian_name,
    invalid_reduction="{} is not valid",
)
def gaussian_nll_loss(
    input: Any,
    target: Any,
    var: Any,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Any:
    """Negative log-likelihood of a normal distribution, (log v + (x - y)² / v) / 2 with v = max(var, eps).

    Wants: expectations x, targets of the same shape, and variances (not standard deviations or logarithms).

    Args:
        input: expectations x, any shape.
        target: targets y, the shape of `input`; another shape broadcasts, with a warning.
        var: variances >= 0: the shape of `input`; without its last dimension, or with one dimension of size
            one, for a variance that several elements share; or a number.
        full: whether to add the constant log(2π) / 2.
        eps: the least variance, >= 0.
        reduction: "mean" divides by the number of elements; "sum"; "none".

    Gradient: (x - y) / v, and for the variance (v - (x - y)²) / (2 v²). It passes straight through the
    clamp: a variance below eps is still pushed, with the slope at eps.

    Use it to predict an uncertainty along with a value. Common mistakes: a standard deviation or a log
    variance given as `var`; a variance that nothing keeps positive.

    Raises:
        ValueError: `var` has negative entries or a shape that does not fit, or an unknown reduction.
        TypeError, ValueError: `eps` is no number, or negative.
        RuntimeError: input and target do not broadcast.

    Source: D. A. Nix and A. S. Weigend, "Estimating the Mean and Variance of the Target Probability
    Distribution", 1994.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.functional
        >>> x, y = minigrad.tensor([1.0, 2.0]), minigrad.tensor([1.5, 4.0])
        >>> F.gaussian_nll_loss(x, y, minigrad.tensor([1.0, 4.0]), reduction="none")
        tensor([0.1250, 1.1931])
    """
    # The clamp, whose gradient passes straight through.
    v = where(var < eps, var - var.detach() + eps, var)
    losses = 0.5 * (log(v) + (input - target) ** 2 / v)
    if full:
        losses = losses + 0.5 * math.log(2 * math.pi)
    return reduce_loss(losses, reduction)


class GaussianNLLLoss(Loss, fn=gaussian_nll_loss, keyword_only=True):
    """Negative log-likelihood of a normal distribution, (log v + (x - y)² / v) / 2; the mean by default.
    Wants expectations, targets and variances. See `minigrad.nn.functional.gaussian_nll_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.GaussianNLLLoss(reduction="none")
        >>> x, y, var = minigrad.tensor([1.0]), minigrad.tensor([1.5]), minigrad.tensor([1.0])
        >>> criterion(x, y, var)
        tensor([0.1250])
    """
