"""Losses between distributions that torch lacks: Jensen-Shannon, Fenchel-Young, and normal ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.creation import as_tensor
from minigrad.kernels import losses as kernels
from minigrad.nn.extra.targets import class_indices, floating_pair, is_class
from minigrad.nn.losses.base import (
    REDUCTIONS,
    Loss,
    check_floating,
    loss,
    reduce_loss,
    times,
    warn_of_broadcast,
)
from minigrad.nn.losses.classification import class_dim, cross_entropy
from minigrad.ops.elementwise import clamp, exp, expm1, log, where
from minigrad.ops.logarithms import xlogy
from minigrad.ops.softmax import log_softmax
from minigrad.tensor import Tensor

_WITH_BATCHMEAN = (*REDUCTIONS, "batchmean")


def _reduce(losses: Any, reduction: str) -> Any:
    """`reduce_loss`, and "batchmean", which divides by the first dimension."""
    if reduction == "batchmean":
        return losses.sum() / losses.shape[0] if losses.ndim else losses.sum()
    return reduce_loss(losses, reduction)


# -------------------------------------------------------------------------------------- Jensen-Shannon
def _validate_beta(beta: float) -> None:
    if not 0 < beta < 1:
        raise ValueError(
            f"beta must be between 0 and 1, both excluded, got {beta}\n"
            "At either end the loss is 0 everywhere; kl_div is the divergence without a mixture."
        )


def _check_jensen_shannon(
    input: Any, target: Any, beta: float, log_target: bool, reduction: str
) -> Sequence[Any]:
    target = floating_pair("jensen_shannon_loss", input, target)
    warn_of_broadcast(input, target)
    return input, target, beta, log_target, reduction


_NO_CHANCE = -1e4  # the logarithm of 0: any number whose exponential is 0 will do


@loss(
    forward=kernels.jensen_shannon,
    check=_check_jensen_shannon,
    validate=_validate_beta,
    reductions=_WITH_BATCHMEAN,
)
def jensen_shannon_loss(
    input: Any, target: Any, beta: float = 0.5, log_target: bool = False, reduction: str = "mean"
) -> Any:
    """Jensen-Shannon divergence, β p log(p / m) + (1 - β) q log(q / m), m = β p + (1 - β) q, elementwise.

    Wants: log-probabilities log q (after log_softmax), and probabilities p (log-probabilities with
    `log_target`), as `kl_div`.

    Args:
        input: log-probabilities of the model, any shape.
        target: probabilities, the shape of `input`; or log-probabilities if `log_target`.
        beta: β in (0, 1), the target's share of the mixture; 0.5 is symmetric. As β falls to 0 the
            divergence over β becomes KL(p‖q), as it rises to 1 that over 1 - β becomes KL(q‖p).
        log_target: whether the target is given as logarithms.
        reduction: "batchmean" divides by the first dimension and is the divergence; "mean" divides by the
            number of elements; "sum"; "none".

    Gradient: (1 - β) q log(q / m). Where p or q is 0 its part is 0. The divergence is at most log 2 for
    β = 0.5, also where the distributions share nothing.

    Use it to match a distribution where `kl_div` is infinite or too strict. The common mistake is to
    give it probabilities as input: no error says so.

    Raises:
        ValueError: `beta` is outside (0, 1), or an unknown reduction.
        RuntimeError: the shapes do not broadcast.
        NotImplementedError: the input is not floating point.

    Source: J. Lin, "Divergence Measures Based on the Shannon Entropy", 1991.

    Example:
        >>> import minigrad
        >>> q = minigrad.log(minigrad.tensor([[0.5, 0.5]]))
        >>> minigrad.nn.extra.jensen_shannon_loss(q, minigrad.tensor([[1.0, 0.0]]), reduction="batchmean")
        tensor(0.2158)
    """
    p, q = exp(target) if log_target else target, exp(input)
    log_p = clamp(target if log_target else log(target), min=_NO_CHANCE)
    gap = log_p - clamp(input, min=_NO_CHANCE)
    # With r the smaller of the two probabilities over the larger, all that is left is the larger over m.
    below = gap < 0
    r = exp(where(below, gap, -gap))
    rest = log(where(below, 1 - beta + beta * r, beta + (1 - beta) * r))
    of_p, of_q = where(below, gap, 0.0) - rest, where(below, 0.0, -gap) - rest  # log(p / m), log(q / m)
    losses = beta * p * of_p + (1 - beta) * q * of_q
    return _reduce(losses, reduction)


class JensenShannonLoss(Loss, fn=jensen_shannon_loss):
    """Jensen-Shannon divergence; use `reduction="batchmean"`. Wants log-probabilities as input and
    probabilities as target. See `minigrad.nn.extra.jensen_shannon_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.extra.JensenShannonLoss(reduction="batchmean")
        >>> criterion(minigrad.log(minigrad.tensor([[0.5, 0.5]])), minigrad.tensor([[1.0, 0.0]]))
        tensor(0.2158)
    """


# ----------------------------------------------------------------------------------------- sparsemax
def sparsemax(input: Any, dim: int = -1) -> Any:
    """The point of the probability simplex nearest to x, max(0, x - τ) with τ such that it sums to 1.

    Like softmax it makes scores to probabilities, but low scores get exactly 0.

    Args:
        input: scores, any shape.
        dim: the dimension of the classes.

    Gradient: of the classes with a probability, the deviation of the cotangent from its mean; 0 of the
    others.

    Source: A. Martins and R. Astudillo, "From Softmax to Sparsemax", ICML 2016.

    Example:
        >>> import minigrad
        >>> minigrad.nn.extra.sparsemax(minigrad.tensor([2.0, 1.5, 0.0]))
        tensor([0.7500, 0.2500, 0.0000])
    """
    return _sparsemax_parts(input, dim)[0]


def _sparsemax_parts(input: Any, dim: int) -> tuple[Any, Any, Any]:
    """The probabilities, where they are not 0, and by how much the scores are below the threshold."""
    scores = input - input.detach().amax(dim, keepdim=True)
    chosen = _support(scores, dim)
    threshold = (where(chosen, scores, 0.0).sum(dim, keepdim=True) - 1) / chosen.sum(dim, keepdim=True)
    return where(chosen, clamp(scores - threshold, min=0), 0.0), chosen, threshold - scores


def _support(scores: Tensor, dim: int) -> Tensor:
    """Which scores have a probability: the k highest, for the largest k with 1 + k x_k > x_1 + ... + x_k."""
    array = scores._array
    falling = -np.sort(-array, axis=dim)
    count = np.expand_dims(np.arange(1, array.shape[dim] + 1), list(range(1, array.ndim)))
    count = np.moveaxis(count, 0, dim)
    high_enough = 1 + count * falling > np.cumsum(falling, axis=dim, dtype=np.float64)
    last = high_enough.sum(axis=dim, keepdims=True) - 1
    return Tensor._wrap(array >= np.take_along_axis(falling, last, dim))


# ---------------------------------------------------------------------------------------- Fenchel-Young
def _one_hot(target: Any, like: Any) -> Any:
    """The target as probabilities: itself, or 1 at the class indices."""
    if target.is_floating_point():
        return target
    return is_class(target, like).to(like.dtype)


def _softmax_young(input: Any, target: Any) -> Any:
    if not target.is_floating_point():
        return cross_entropy(input, target, reduction="none")
    dim = class_dim(input)
    return (xlogy(target, target) - times(target, log_softmax(input, dim))).sum(dim)


def _sparsemax_young(input: Any, target: Any) -> Any:
    # |y - p|² / 2, and y times the distance below the threshold where p = 0: the definition without its
    # differences of large numbers.
    dim, y = class_dim(input), _one_hot(target, input)
    p, chosen, below = _sparsemax_parts(input, dim)
    return (0.5 * (y - p) * (y - p) + times(y, where(chosen, 0.0, below))).sum(dim)


def _squared_young(input: Any, target: Any) -> Any:
    difference = input - _one_hot(target, input)
    return (0.5 * difference * difference).sum(class_dim(input))


_REGULARIZERS: dict[str, Callable[[Any, Any], Any]] = {
    "softmax": _softmax_young,
    "sparsemax": _sparsemax_young,
    "squared": _squared_young,
}


def _validate_regularizer(regularizer: str) -> None:
    if regularizer not in _REGULARIZERS:
        raise ValueError(
            f"{regularizer} is not a valid value for regularizer\n"
            f"Use one of {', '.join(map(repr, _REGULARIZERS))}."
        )


def _distributions(name: str, input: Any, target: Any, simplex: bool = True) -> Tensor:
    """The target as class indices, or in the shape of `input` and then points of the simplex."""
    if not isinstance(target, Tensor):
        target = as_tensor(target)
        target = target.to(input.dtype) if target.is_floating_point() else target
    if not target.is_floating_point() or target.shape != input.shape:
        return class_indices(name, input, target)
    check_floating(name, input, input)
    array, dim = target._array, class_dim(input)
    sums = array.sum(axis=dim)
    if simplex and array.size and ((array < 0).any() or (abs(sums - 1) > 1e-3).any()):
        worst = sums.flat[abs(sums - 1).argmax()]
        raise ValueError(
            "target probabilities should be >= 0 and sum to 1\n"
            f"The smallest is {array.min():g}, and the sum farthest from 1 is {worst:g}. Divide by the sum "
            f"over dimension {dim}."
        )
    return target


def _check_fenchel_young(input: Any, target: Any, regularizer: str, reduction: str) -> Sequence[Any]:
    target = _distributions("fenchel_young_loss", input, target, regularizer != "squared")
    return input, target, regularizer, reduction


@loss(check=_check_fenchel_young, validate=_validate_regularizer)
def fenchel_young_loss(
    input: Any, target: Any, regularizer: str = "sparsemax", reduction: str = "mean"
) -> Any:
    """Ω*(x) + Ω(y) - ⟨x, y⟩, the loss whose gradient is prediction minus target, for a regularizer Ω.

    The prediction is ŷ = argmax ⟨x, p⟩ - Ω(p), and Ω*(x) that maximum. The loss is 0 where ŷ = y, else more.

    Wants: scores x (no softmax before it), and class indices or probabilities y.

    Args:
        input: scores, (C), (N, C) or (N, C, d₁, ...); the classes are dimension 1.
        target: class indices in [0, C), (), (N) or (N, d₁, ...), of any integer type; or probabilities in
            the shape of `input` ("squared": any numbers).
        regularizer: Ω, by the prediction it gives: "softmax" is negative entropy, Σ p log p (the loss is
            cross entropy, or the divergence KL(y‖ŷ)); "sparsemax" is |p|² / 2 - 1 / 2 on the simplex;
            "squared" is |p|² / 2 without constraints (ŷ = x, half the squared error).
        reduction: "mean" divides by the number of samples; "sum"; "none".

    Gradient: ŷ - y, always.

    Use it to see what a loss and its prediction have to do with each other, or to train sparse
    probabilities. The common mistake is to predict by another function than the loss's own: with
    "sparsemax" by `sparsemax`, not by softmax.

    Raises:
        IndexError: a class index is out of range.
        ValueError: probabilities that are negative or do not sum to 1, or an unknown option.
        RuntimeError: shapes or dtypes do not fit.
        NotImplementedError: the scores are integers.

    Source: M. Blondel et al., "Learning with Fenchel-Young Losses", JMLR 2020.

    Example:
        >>> import minigrad
        >>> x = minigrad.tensor([[2.0, 1.5, 0.0]], requires_grad=True)
        >>> loss = minigrad.nn.extra.fenchel_young_loss(x, minigrad.tensor([0]))
        >>> loss.backward()
        >>> loss, x.grad
        (tensor(0.0625, grad_fn=<FenchelYoungLossBackward0>), tensor([[-0.2500,  0.2500,  0.0000]]))
    """
    return reduce_loss(_REGULARIZERS[regularizer](input, target), reduction)


class FenchelYoungLoss(Loss, fn=fenchel_young_loss):
    """Ω*(x) + Ω(y) - ⟨x, y⟩ for a regularizer Ω; the mean by default. Wants scores and class indices or
    probabilities. See `minigrad.nn.extra.fenchel_young_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.extra.FenchelYoungLoss(regularizer="softmax")
        >>> criterion(minigrad.tensor([[2.0, 1.0, 0.0]]), minigrad.tensor([0]))
        tensor(0.4076)
    """


def _check_sparsemax(input: Any, target: Any, reduction: str) -> Sequence[Any]:
    return input, _distributions("sparsemax_loss", input, target), reduction


@loss(check=_check_sparsemax)
def sparsemax_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """The loss of `sparsemax`: |y - x|² / 2 - |p - x|² / 2 with p = sparsemax(x).

    Wants: scores x (no softmax or sparsemax before it), and class indices or probabilities y.

    Args:
        input: scores, (C), (N, C) or (N, C, d₁, ...); the classes are dimension 1.
        target: class indices in [0, C), (), (N) or (N, d₁, ...), of any integer type; or probabilities in
            the shape of `input`.
        reduction: "mean" divides by the number of samples; "sum"; "none".

    Gradient: sparsemax(x) - y: exactly 0 once the right score leads by 1, so that, unlike cross entropy, it
    stops.

    Use it to train a model that predicts by `sparsemax`, where few classes are possible. The common
    mistake is to predict by softmax afterwards.

    Raises:
        IndexError: a class index is out of range.
        ValueError: probabilities that are negative or do not sum to 1, or an unknown reduction.
        RuntimeError: shapes or dtypes do not fit.
        NotImplementedError: the scores are integers.

    Source: A. Martins and R. Astudillo, "From Softmax to Sparsemax", ICML 2016.

    Example:
        >>> import minigrad
        >>> x = minigrad.tensor([[2.0, 1.5, 0.0], [3.0, 0.0, 0.0]])
        >>> minigrad.nn.extra.sparsemax_loss(x, minigrad.tensor([0, 0]), reduction="none")
        tensor([0.0625, 0.0000])
    """
    return reduce_loss(_sparsemax_young(input, target), reduction)


class SparsemaxLoss(Loss, fn=sparsemax_loss):
    """The loss of `sparsemax`; the mean by default. Wants scores and class indices or probabilities.
    See `minigrad.nn.extra.sparsemax_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.extra.SparsemaxLoss()
        >>> criterion(minigrad.tensor([[2.0, 1.5, 0.0], [3.0, 0.0, 0.0]]), minigrad.tensor([0, 0]))
        tensor(0.0312)
    """


# -------------------------------------------------------------------------------------- normal variables
def _check_gaussian_kl(
    mean: Any, logvar: Any, prior_mean: Any, prior_logvar: Any, reduction: str
) -> Sequence[Any]:
    given = {"mean": mean, "logvar": logvar, "prior_mean": prior_mean, "prior_logvar": prior_logvar}
    for name, value in given.items():
        if not isinstance(value, Tensor) and not (value is None and name.startswith("prior")):
            raise TypeError(f"argument {name!r} must be Tensor, not {type(value).__name__}")
        if value is None:
            continue
        if value._array.dtype.kind != "f":
            raise NotImplementedError(f"argument {name!r} must be floating point; use .float()")
        fits = value.shape == mean.shape if name == "logvar" else _broadcasts(value.shape, mean.shape)
        if not fits:
            raise ValueError(
                f"Expected {name} to have the shape of mean, {mean.shape!r}, but got {value.shape!r}\n"
                f"A prior may broadcast to it; {name}.expand_as(mean) makes other tensors fit."
            )
    return mean, logvar, prior_mean, prior_logvar, reduction


def _broadcasts(shape: Sequence[int], wanted: Sequence[int]) -> bool:
    tail = tuple(wanted)[len(wanted) - len(shape) :]
    return len(shape) <= len(wanted) and all(n in (1, m) for n, m in zip(shape, tail, strict=True))


@loss(
    forward=kernels.normal_divergence,
    check=_check_gaussian_kl,
    by_signature=True,
    wrt=("mean", "logvar"),
    reductions=_WITH_BATCHMEAN,
)
def gaussian_kl_loss(
    mean: Any, logvar: Any, prior_mean: Any = None, prior_logvar: Any = None, reduction: str = "mean"
) -> Any:
    """KL divergence of the normal distribution N(μ, exp(v)) from N(0, 1), (exp(v) - 1 - v + μ²) / 2.

    From a prior N(μ₀, exp(v₀)): (exp(d) - 1 - d + (μ - μ₀)² exp(-v₀)) / 2, with d = v - v₀.

    Wants: means μ and logarithms of variances v = log σ², both any real number.

    Args:
        mean: means, any shape.
        logvar: logarithms of variances, the shape of `mean`.
        prior_mean: means μ₀ of the prior, of a shape that broadcasts to `mean`'s; without it 0.
        prior_logvar: logarithms v₀ of the prior's variances, likewise; without it 0.
        reduction: "batchmean" divides by the first dimension: the divergence of a sample; "mean" divides by
            the number of elements; "sum"; "none".

    Gradient: μ to the mean, (exp(v) - 1) / 2 to the logarithm of the variance. It flows to a prior too.

    Use it for variational autoencoders. Common mistakes: the logarithm of σ for that of σ², and "mean"
    against a reconstruction error that is summed: the balance of the two terms is then off by the number
    of dimensions.

    Raises:
        ValueError: the shapes do not fit, or an unknown reduction.
        TypeError: an argument is no tensor.
        NotImplementedError: a tensor is not floating point.

    Source: D. Kingma and M. Welling, "Auto-Encoding Variational Bayes", ICLR 2014, appendix B.

    Example:
        >>> import minigrad
        >>> mean, logvar = minigrad.tensor([[1.0, 0.0]]), minigrad.tensor([[0.0, 1.0]])
        >>> minigrad.nn.extra.gaussian_kl_loss(mean, logvar, reduction="none")
        tensor([[0.5000, 0.3591]])
    """
    distance = mean if prior_mean is None else mean - prior_mean
    excess = logvar if prior_logvar is None else logvar - prior_logvar
    square = distance * distance if prior_logvar is None else distance * distance * exp(-prior_logvar)
    return _reduce(0.5 * ((expm1(excess) - excess) + square), reduction)


class GaussianKLLoss(Loss, fn=gaussian_kl_loss):
    """KL divergence of N(mean, exp(logvar)) from N(0, 1) or a prior; use `reduction="batchmean"`. Wants
    means and logarithms of variances. See `minigrad.nn.extra.gaussian_kl_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.extra.GaussianKLLoss(reduction="batchmean")
        >>> criterion(minigrad.tensor([[1.0, 0.0]]), minigrad.tensor([[0.0, 1.0]]))
        tensor(0.8591)
    """

    _buffer_names = ("prior_mean", "prior_logvar")
