"""Losses of real-valued predictions that torch lacks: smooth, asymmetric, and relative ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minigrad.kernels import losses as kernels
from minigrad.nn.extra.targets import above_minus_one, floating_pair
from minigrad.nn.losses.base import Loss, loss, reduce_loss, warn_of_broadcast
from minigrad.ops.activation import relu, tanh
from minigrad.ops.elementwise import clamp, exp, log1p, where
from minigrad.tensor import Tensor


def _pair(name: str, input: Any, target: Any) -> Tensor:
    target = floating_pair(name, input, target)
    warn_of_broadcast(input, target)
    return target


# -------------------------------------------------------------------------------------------- log cosh
def _check_log_cosh(input: Any, target: Any, reduction: str) -> Sequence[Any]:
    return input, _pair("log_cosh_loss", input, target), reduction


@loss(forward=kernels.log_cosh, check=_check_log_cosh, by_signature=True)
def log_cosh_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """log cosh(x - y): d² / 2 for a small difference d, |d| - log 2 for a large one.

    Wants: predictions of any range, and targets of the same shape.

    Args:
        input: predictions x, any shape.
        target: targets y, the shape of `input`; another shape broadcasts, with a warning.
        reduction: "mean" divides by the number of elements; "sum"; "none".

    Gradient: tanh(x - y); no kink anywhere, and every derivative is continuous.

    Use it for regression with outliers where second derivatives matter: it is Huber's loss without the
    seam. The common mistake is to leave targets unscaled: the change from square to absolute error is
    at about 1 in the target's units, and there is no delta to move it.

    Raises:
        RuntimeError: the shapes do not broadcast.
        ValueError: an unknown reduction.
        NotImplementedError: the predictions are integers.

    Source: the maximum likelihood of a hyperbolic secant distribution.

    Example:
        >>> import minigrad
        >>> x, y = minigrad.tensor([1.0, 2.0]), minigrad.tensor([1.5, 12.0])
        >>> minigrad.nn.extra.log_cosh_loss(x, y, reduction="none")
        tensor([0.1201, 9.3069])
    """
    difference = input - target
    near = abs(difference) < 1
    # 1 - tanh² = 1 / cosh²; near 0 no digit is lost, and far from it nothing overflows.
    slope = tanh(where(near, difference, 0.0))
    far = abs(where(near, 1.0, difference))
    losses = where(near, -0.5 * log1p(-slope * slope), far + log1p(exp(-2 * far)) - math.log(2))
    return reduce_loss(losses, reduction)


class LogCoshLoss(Loss, fn=log_cosh_loss):
    """log cosh(x - y), the mean over all elements by default. Wants predictions and targets of one shape.
    See `minigrad.nn.extra.log_cosh_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.extra.LogCoshLoss()
        >>> criterion(minigrad.tensor([1.0, 2.0]), minigrad.tensor([1.1, 12.0]))
        tensor(4.6559)
    """


# -------------------------------------------------------------------------------------------- quantile
def _validate_quantile(quantile: float) -> None:
    if not 0 <= quantile <= 1:
        raise ValueError(f"quantile must be between 0 and 1, got {quantile}")


def _check_quantile(input: Any, target: Any, quantile: float, reduction: str) -> Sequence[Any]:
    return input, _pair("quantile_loss", input, target), quantile, reduction


@loss(forward=kernels.quantile_error, check=_check_quantile, validate=_validate_quantile)
def quantile_loss(input: Any, target: Any, quantile: float = 0.5, reduction: str = "mean") -> Any:
    """max(q d, (q - 1) d) with d = y - x, the pinball loss.

    Wants: predictions of any range, and targets of the same shape.

    Args:
        input: predictions x, any shape.
        target: targets y, the shape of `input`; another shape broadcasts, with a warning.
        quantile: q in [0, 1], the share of targets that should lie below the prediction.
        reduction: "mean" divides by the number of elements; "sum"; "none".

    Gradient: -q where x < y, 1 - q where x > y, 0 where x = y (a kink).

    Use it to predict a quantile, or two for an interval: q = 0.9 costs nine times as much below the
    target as above it. q = 0.5 is half the absolute error. The common mistake is the sign: d is target
    minus prediction.

    Raises:
        RuntimeError: the shapes do not broadcast.
        ValueError: `quantile` is outside [0, 1], or an unknown reduction.
        NotImplementedError: the predictions are integers.

    Source: R. Koenker and G. Bassett, "Regression Quantiles", 1978.

    Example:
        >>> import minigrad
        >>> x, y = minigrad.tensor([1.0, 3.0]), minigrad.tensor([2.0, 2.0])
        >>> minigrad.nn.extra.quantile_loss(x, y, quantile=0.9, reduction="none")
        tensor([0.9000, 0.1000])
    """
    difference = target - input
    return reduce_loss(quantile * relu(difference) + (1 - quantile) * relu(-difference), reduction)


class QuantileLoss(Loss, fn=quantile_loss):
    """max(q d, (q - 1) d) with d = y - x; the mean by default. Wants predictions and targets of one shape.
    See `minigrad.nn.extra.quantile_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.extra.QuantileLoss(quantile=0.9)
        >>> criterion(minigrad.tensor([1.0, 3.0]), minigrad.tensor([2.0, 2.0]))
        tensor(0.5000)
    """


# ------------------------------------------------------------------------------------- percentage error
def _validate_eps(eps: float) -> None:
    if not eps > 0:
        raise ValueError(f"eps must be > 0, got {eps}")


def _check_mape(input: Any, target: Any, eps: float, reduction: str) -> Sequence[Any]:
    return input, _pair("mape_loss", input, target), eps, reduction


@loss(forward=kernels.percentage_error, check=_check_mape, validate=_validate_eps)
def mape_loss(input: Any, target: Any, eps: float = 1e-7, reduction: str = "mean") -> Any:
    """Mean absolute percentage error, |x - y| / max(|y|, eps), as a fraction: 0.1 is 10 %.

    Wants: predictions of any range, and targets of the same shape, far from 0.

    Args:
        input: predictions x, any shape.
        target: targets y, the shape of `input`; another shape broadcasts, with a warning.
        eps: what a smaller |y| is replaced by in the divisor, > 0.
        reduction: "mean" divides by the number of elements; "sum"; "none".

    Gradient: sign(x - y) / max(|y|, eps), 0 where x = y (a kink).

    Use it where errors matter relative to the target. It is a fraction as scikit-learn's; Keras' is
    100 times as much. The common mistake is targets at or near 0, which outweigh all others.

    Raises:
        RuntimeError: the shapes do not broadcast.
        ValueError: `eps` is not positive, or an unknown reduction.
        NotImplementedError: the predictions are integers.

    Source: A. de Myttenaere et al., "Mean Absolute Percentage Error for regression models", 2016.

    Example:
        >>> import minigrad
        >>> x, y = minigrad.tensor([1.1, 8.0]), minigrad.tensor([1.0, 10.0])
        >>> minigrad.nn.extra.mape_loss(x, y, reduction="none")
        tensor([0.1000, 0.2000])
    """
    return reduce_loss(abs(input - target) / clamp(abs(target), min=eps), reduction)


class MAPELoss(Loss, fn=mape_loss):
    """|x - y| / max(|y|, eps), a fraction; the mean by default. Wants predictions and targets of one shape.
    See `minigrad.nn.extra.mape_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.extra.MAPELoss()
        >>> criterion(minigrad.tensor([1.1, 8.0]), minigrad.tensor([1.0, 10.0]))
        tensor(0.1500)
    """


# ------------------------------------------------------------------------------- squared logarithmic error
def _check_msle(input: Any, target: Any, reduction: str) -> Sequence[Any]:
    target = _pair("msle_loss", input, target)
    above_minus_one("input", input)
    above_minus_one("target", target)
    return input, target, reduction


@loss(forward=kernels.squared_log_error, check=_check_msle)
def msle_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """Mean squared logarithmic error, (log(1 + x) - log(1 + y))².

    Wants: predictions and targets greater than -1, usually counts or amounts from 0 on.

    Args:
        input: predictions x > -1, any shape.
        target: targets y > -1, the shape of `input`; another shape broadcasts, with a warning.
        reduction: "mean" divides by the number of elements; "sum"; "none".

    Gradient: 2 (log(1 + x) - log(1 + y)) / (1 + x).

    Use it for amounts over several orders of magnitude: it measures ratios, and a prediction too low
    costs more than one as much too high. The common mistake is a model that can predict -1 or less: end it
    in a softplus or an exponential.

    Raises:
        ValueError: a prediction or a target is -1 or less, or an unknown reduction.
        RuntimeError: the shapes do not broadcast.
        NotImplementedError: the predictions are integers.

    Source: the maximum likelihood of a log-normal distribution of 1 + y, of fixed variance.

    Example:
        >>> import minigrad
        >>> x, y = minigrad.tensor([0.0, 99.0]), minigrad.tensor([1.0, 49.0])
        >>> minigrad.nn.extra.msle_loss(x, y, reduction="none")
        tensor([0.4805, 0.4805])
    """
    # log(1 + x) - log(1 + y) up to its sign, without losing the digits of a small difference.
    above = input > target
    low, high = where(above, target, input), where(above, input, target)
    size = log1p((high - low) / (1 + low))
    return reduce_loss(size * size, reduction)


class MSLELoss(Loss, fn=msle_loss):
    """(log(1 + x) - log(1 + y))², the mean by default. Wants predictions and targets greater than -1.
    See `minigrad.nn.extra.msle_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.extra.MSLELoss()
        >>> criterion(minigrad.tensor([0.0, 99.0]), minigrad.tensor([1.0, 49.0]))
        tensor(0.4805)
    """
