"""Elementwise losses that torch lacks, swept as those of `losses_pointwise` are.

As there the public functions return ``(value, gradient)`` or NotImplemented, and check no values; what
the losses want to know of a target before (`are_signs` ...) is counted here, in one pass.
"""

from collections.abc import Callable

import numpy as np
from numpy import ndarray

from .jit import Kernel, flat, is_compiled_type, kernel, prange
from .losses_pointwise import BLOCK, PARALLEL_FROM, Result, _run, _sweep_with
from .math import exp, expm1, log, log1p


# ------------------------------------------------------------------------------- what targets hold
@kernel
def _is_sign(y, option):
    return abs(y) == type(y)(1)


@kernel
def _is_unit_or(y, option):
    real = type(y)
    return (y >= real(0) and y <= real(1)) or y == option


@kernel
def _is_above_minus_one(y, option):
    return not y <= type(y)(-1)  # nan may pass


_holds: Kernel | None = None  # one of these: bound below


@kernel
def _count_block(y, option):
    option = y.dtype.type(option)
    count = np.int32(0)
    for i in range(y.size):
        count += np.int32(1) if _holds(y[i], option) else np.int32(0)
    return count


@kernel(parallel=True, threshold=PARALLEL_FROM)
def _count(y, option):
    blocks = (y.size + BLOCK - 1) // BLOCK
    counts = np.empty(blocks, np.int64)
    for block in prange(blocks):
        start = block * BLOCK
        counts[block] = _count_block(y[start : min(start + BLOCK, y.size)], option)
    return counts.sum()


_SIGNS = _count.specialise("_count_signs", _holds=_is_sign)
_UNIT = _count.specialise("_count_unit", _holds=_is_unit_or)
_ABOVE_MINUS_ONE = _count.specialise("_count_above_minus_one", _holds=_is_above_minus_one)


def _counted(counter: Kernel, array: ndarray, option: float = np.nan) -> int:
    array = array if is_compiled_type(array.dtype) else array.astype(np.float64)
    return int(counter.run(array.size, flat(array), float(option)))


def are_signs(target: ndarray) -> bool:
    """Whether all elements are 1 or -1."""
    return _counted(_SIGNS, target) == target.size


def are_unit(target: ndarray, ignore_index: float | None = None) -> bool:
    """Whether all elements are in [0, 1], or `ignore_index`."""
    return _counted(_UNIT, target, np.nan if ignore_index is None else ignore_index) == target.size


def are_above_minus_one(array: ndarray) -> bool:
    """Whether no element is -1 or less."""
    return _counted(_ABOVE_MINUS_ONE, array) == array.size


# ------------------------------------------------------------------------------------------ margins
@kernel
def _hinge(x, y, w, p, option):
    zero = type(x)(0)
    gap = type(x)(1) - y * x
    right = gap <= zero
    return zero if right else gap, zero if right else -y


@kernel
def _squared_hinge(x, y, w, p, option):
    zero = type(x)(0)
    gap = type(x)(1) - y * x
    gap = zero if gap <= zero else gap
    return gap * gap, -(y * (gap + gap))


# ------------------------------------------------------------------------------- binary, from logits
@kernel
def _cross_entropy_of_logit(x, negative, positive):
    """negative softplus(x) + positive softplus(-x), its slope, and exp(-|x|)."""
    real = type(x)
    zero = real(0)
    e = exp(-abs(x))
    # Zero times an infinite logit is zero: an infinitely confident right answer costs nothing.
    up = zero if negative == zero or x < zero else negative * x
    down = zero if positive == zero or x > zero else positive * -x
    large = real(1) / (real(1) + e)
    small = e * large
    slope = negative * large - positive * small if x > zero else negative * small - positive * large
    return (up + down) + (negative + positive) * log1p(e), slope, e


@kernel
def _smooth_binary_cross_entropy(x, y, w, p, smoothing):
    real = type(x)
    zero, one, half = real(0), real(1), real(0.5) * smoothing
    keep = one - smoothing
    # Of 1 - y on its own: one minus the smoothed target would lose digits.
    negative, positive = keep * (one - y) + half, p * (keep * y + half)
    loss, slope, _ = _cross_entropy_of_logit(x, negative, positive)
    ignored = y < zero or y > one
    return zero if ignored else w * loss, zero if ignored else w * slope


@kernel
def _power(q, exponent):
    """q**exponent in float64: exponent * log(q) has too few digits in float32."""
    wide = exp(np.float64(exponent) * log(np.float64(q)))
    return type(q)(wide if exponent > 0 else 1.0)


@kernel
def _squared(q, exponent):
    return q * q


@kernel
def _focal(x, y, w, p, gamma):
    # w weighs the positives, p the negatives.
    real = type(x)
    zero, one = real(0), real(1)
    negative = one - y
    loss, slope, e = _cross_entropy_of_logit(x, negative, y)
    # The chance of the wrong answer is q = large (near + far e).
    large = one / (one + e)
    near = negative if x > zero else y
    far = y if x > zero else negative
    share = near + far * e
    factor = _power(large * share, gamma)
    # d log q / dx, which exp(-x) / exp(-x) would make nan of where both are 0.
    steepness = (negative - y) * large * (one if near == zero else e / share)
    bend = zero if steepness == zero else gamma * steepness * loss
    factor *= w * y + p * negative
    return factor * loss, factor * (slope + bend)


# ---------------------------------------------------------------------------------------- regression
@kernel
def _log_cosh(x, y, w, p, option):
    real = type(x)
    one = real(1)
    difference = x - y
    size = abs(difference)
    # cosh(d) = 1 + (1 - exp(-d))**2 exp(d) / 2, all digits where d is small; for larger d
    # exp(d) (1 + exp(-2d)) / 2 cannot overflow.
    m = expm1(-size)
    e = one + m
    near = size < one
    rest = log1p(real(0.5) * m * m / e if near else e * e)
    m2 = m * (m + real(2))  # exp(-2d) - 1
    tanh = -m2 / (m2 + real(2))
    return (real(0) if near else size - real(0.6931471805599453)) + rest, tanh if difference > 0 else -tanh


@kernel
def _quantile(x, y, w, p, option):
    # w is the quantile, p one minus it.
    difference = y - x
    slope = -w if difference > 0 else (p if difference < 0 else type(x)(0))
    return -slope * difference, slope


@kernel
def _percentage_error(x, y, w, p, eps):
    real = type(x)
    difference, size = x - y, abs(y)
    size = eps if size < eps else size
    slope = real(1) if difference > 0 else (real(-1) if difference < 0 else real(0))
    return abs(difference) / size, slope / size


@kernel
def _squared_log_error(x, y, w, p, option):
    # log(1 + x) - log(1 + y) from the difference, which keeps all digits where x is close to y.
    real = type(x)
    one = real(1)
    above = x > y
    low, gap = one + (y if above else x), x - y if above else y - x
    size = log1p(gap / low)
    double = (size + size) / (one + x)
    return size * size, double if above else -double


# -------------------------------------------------------------------------------------- distributions
@kernel
def _mixture_divergence(log_q, log_p, p, p_share, q_share):
    """p_share p log(p/m) + q_share q log(q/m) with m = p_share p + q_share q; the slope to log q."""
    zero = np.float64(0)
    q = exp(log_q)
    gap = log_p - log_q
    below = gap < zero
    rest = log1p((p_share if below else q_share) * expm1(-abs(gap)))
    # log(p/m) and log(q/m); those of an empty class are infinite and count nothing.
    p_part = zero if p == zero else p_share * p * ((gap if below else zero) - rest)
    q_part = zero if q == zero else q_share * q * ((zero if below else -gap) - rest)
    return p_part + q_part, q_part


# In float64 throughout: the two parts cancel where the distributions are close. w and p are the shares.
@kernel
def _jensen_shannon(x, y, w, p, option):
    real, target = type(x), np.float64(y)
    loss, slope = _mixture_divergence(np.float64(x), log(target), target, np.float64(w), np.float64(p))
    return real(loss), real(slope)


@kernel
def _jensen_shannon_log_target(x, y, w, p, option):
    real, target = type(x), np.float64(y)
    loss, slope = _mixture_divergence(np.float64(x), target, exp(target), np.float64(w), np.float64(p))
    return real(loss), real(slope)


_HINGE = _sweep_with(_hinge)
_SQUARED_HINGE = _sweep_with(_squared_hinge)
_SMOOTH_BCE = _sweep_with(_smooth_binary_cross_entropy)
_FOCAL = _sweep_with(_focal)
_FOCAL_SQUARED = _sweep_with(_focal.specialise("_focal_squared", _power=_squared))
_LOG_COSH = _sweep_with(_log_cosh)
_QUANTILE = _sweep_with(_quantile)
_PERCENTAGE_ERROR = _sweep_with(_percentage_error)
_SQUARED_LOG_ERROR = _sweep_with(_squared_log_error)
_JENSEN_SHANNON = _sweep_with(_jensen_shannon)
_JENSEN_SHANNON_LOG_TARGET = _sweep_with(_jensen_shannon_log_target)

Loss = Callable[..., Result]


def _plain(sweep: Kernel, doc: str) -> Loss:
    """The public function of a loss without options."""

    def loss(input: ndarray, target: ndarray, *, reduction: str, grad: bool) -> Result:
        return _run(sweep, input, target, reduction, grad)

    loss.__doc__ = doc
    return loss


hinge = _plain(_HINGE, "max(0, 1 - y x), with slope 0 where y x = 1.")
squared_hinge = _plain(_SQUARED_HINGE, "max(0, 1 - y x)**2.")
log_cosh = _plain(_LOG_COSH, "log(cosh(x - y)).")
squared_log_error = _plain(_SQUARED_LOG_ERROR, "(log(1 + x) - log(1 + y))**2.")


def _shares(share: float, like: ndarray) -> tuple[ndarray, ndarray]:
    """A share and the rest, both rounded once: one minus a float32 loses the digits of a small rest."""
    return np.array(share, like.dtype), np.array(1 - share, like.dtype)


def quantile_error(input: ndarray, target: ndarray, quantile: float, *, reduction: str, grad: bool) -> Result:
    """max(q d, (q - 1) d) with d = y - x, and slope 0 where d = 0."""
    return _run(_QUANTILE, input, target, reduction, grad, 0.0, *_shares(quantile, input))


def percentage_error(input: ndarray, target: ndarray, eps: float, *, reduction: str, grad: bool) -> Result:
    """|x - y| / max(|y|, eps), with slope 0 where x = y."""
    return _run(_PERCENTAGE_ERROR, input, target, reduction, grad, eps)


def smooth_binary_cross_entropy_with_logits(
    input: ndarray,
    target: ndarray,
    weight: ndarray | None = None,
    pos_weight: ndarray | None = None,
    label_smoothing: float = 0.0,
    ignore_index: float | None = None,
    *,
    reduction: str,
    grad: bool,
) -> Result:
    """Binary cross entropy from logits of (1 - s) y + s/2; nothing where y is `ignore_index`.

    The mean divides by the number of elements that are not ignored.
    """
    if target.shape != input.shape or target.dtype != input.dtype:
        return NotImplemented
    if ignore_index is not None and 0 <= ignore_index <= 1:
        target = np.where(target == ignore_index, target.dtype.type(-1), target)
    found = _run(_SMOOTH_BCE, input, target, reduction, grad, label_smoothing, weight, pos_weight)
    if found is NotImplemented or reduction != "mean" or ignore_index is None or not target.size:
        return found
    kept = _counted(_UNIT, target)
    correction = target.dtype.type(target.size / kept if kept else np.nan)
    value, gradient = found
    value *= correction
    if gradient is not None and 0 < kept < target.size:
        gradient *= correction
    return value, gradient


def sigmoid_focal(
    input: ndarray,
    target: ndarray,
    alpha: float | None = None,
    gamma: float = 2.0,
    *,
    reduction: str,
    grad: bool,
) -> Result:
    """alpha_t (1 - p_t)**gamma times binary cross entropy from logits; no alpha_t without `alpha`."""
    sweep = _FOCAL_SQUARED if gamma == 2 else _FOCAL
    shares = (None, None) if alpha is None else _shares(alpha, input)
    return _run(sweep, input, target, reduction, grad, gamma, *shares)


def jensen_shannon(
    input: ndarray,
    target: ndarray,
    beta: float,
    log_target: bool = False,
    *,
    reduction: str,
    grad: bool,
) -> Result:
    """beta p log(p/m) + (1 - beta) q log(q/m), m = beta p + (1 - beta) q, for log q and p (or log p)."""
    sweep = _JENSEN_SHANNON_LOG_TARGET if log_target else _JENSEN_SHANNON
    return _run(sweep, input, target, reduction, grad, 0.0, *_shares(beta, input))
