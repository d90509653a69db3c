"""Elementwise losses and their gradients in one sweep over the arrays.

Each loss is stated once, as a scalar function that gives the loss and its slope; one sweep serves
them all.  Losses are summed in blocks of a fixed length, the blocks in float64, so a result does
not depend on the number of threads.

The public functions return ``(value, gradient)``, the gradient with respect to ``input`` for a
cotangent of one (None unless ``grad``), or NotImplemented where the sweep does not apply: dtypes
that are not all float32 or all float64, or shapes that differ.  They do not check values.
"""

import math
from typing import Any

import numpy as np
from numpy import ndarray

from .jit import ByDtype, Kernel, flat, is_compiled_type, kernel, prange
from .losses_float64 import exp_in_float64, log_in_float64
from .losses_launch import EMPTY, Launch, outputs, runner
from .math import exp, log, log1p

# Elements swept at a time: six streams of them stay within the first-level cache, and a sum of so
# few keeps its digits in float32.
BLOCK = 1024
# Elements that a thread takes at a time.
CHUNK = 8 * BLOCK
# From this many elements on two threads win over the cost of waking them, about 60 us: in general, and
# where an element takes an exponential or a logarithm.
PARALLEL_FROM = 300_000
COSTLY_FROM = 100_000

Result = tuple[ndarray, ndarray | None] | Any

_ONES = {dtype: np.ones(BLOCK, dtype) for dtype in EMPTY}


# ---------------------------------------------------------------------------------------- the sweep
@kernel(fastmath={"contract", "reassoc", "nsz"})
def total_of(values):
    """The sum in float64.  A kernel of its own, so that `reassoc` reaches nothing but this sum."""
    total = 0.0
    for i in range(values.size):
        total += values[i]
    return total


@kernel(fastmath={"contract", "reassoc", "nsz"})
def block_total_of(values):
    """The sum of a block in its own type.

    A loop of its own: in one that also writes, whether it is done in vectors, and so the order of the
    sum, would depend on how far apart the arrays are in memory.
    """
    total = values.dtype.type(0)
    for i in range(values.size):
        total += values[i]
    return total


_COSTLY = ("exp", "exp_in_float64", "log", "log_in_float64", "log1p")

_element: Any = None  # a loss's scalar function: `_sweep_with` binds it


@kernel
def _block(x, y, w, p, option, scale, losses, slopes):
    real = x.dtype.type
    option, scale = real(option), real(scale)
    for i in range(x.size):
        loss, slope = _element(x[i], y[i], w[i], p[i], option)
        losses[i] = loss
        slopes[i] = slope * scale


@kernel(parallel=True, threshold=PARALLEL_FROM)
def _sweep(x, y, w, p, option, scale, losses, slopes, total):
    """Fill `losses` and `slopes` where they are wanted (not empty), and the scaled `total`.

    `w` and `p` have as many elements as `x`, or are a block of ones.
    """
    n = x.size
    totals = np.empty((n + CHUNK - 1) // CHUNK)
    for chunk in prange(totals.size):
        last = min((chunk + 1) * CHUNK, n)
        unwanted = np.empty((2, min(BLOCK, n)), x.dtype)
        chunk_total = 0.0
        for start in range(chunk * CHUNK, last, BLOCK):
            stop = min(start + BLOCK, last)
            length = stop - start
            own_losses = losses[start:stop] if losses.size else unwanted[0, :length]
            own_slopes = slopes[start:stop] if slopes.size else unwanted[1, :length]
            own_w = w[start:stop] if w.size == n else w[:length]
            own_p = p[start:stop] if p.size == n else p[:length]
            own_x, own_y = x[start:stop], y[start:stop]
            _block(own_x, own_y, own_w, own_p, option, scale, own_losses, own_slopes)
            chunk_total += block_total_of(own_losses)
        totals[chunk] = chunk_total
    total[()] = total_of(totals) * scale


def _sweep_with(element: Kernel) -> Kernel:
    """The sweep of the loss whose scalar function is `element`."""
    name = element.__wrapped__.__name__
    block = _block.specialise(f"{name}_block", _element=element)
    sweep = _sweep.specialise(f"{name}_sweep", _block=block)
    sweep.threshold = COSTLY_FROM if element.uses(_COSTLY) else PARALLEL_FROM
    return sweep


def spread(weight: ndarray | None, x: ndarray) -> ndarray | None:
    """`weight` flat and as long as `x`, or a block of one number; None if it does not fit."""
    if weight is None:
        return _ONES[x.dtype]
    if weight.dtype != x.dtype:
        return None
    if weight.shape == x.shape:
        return flat(weight)
    if weight.size == 1 and weight.ndim <= x.ndim:
        return np.full(BLOCK, weight.item(), x.dtype)
    try:
        return np.broadcast_to(weight, x.shape).flatten()
    except ValueError:
        return None


def scale_of(reduction: str, shape: tuple[int, ...], size: int) -> float:
    """What `reduction` multiplies the sum by."""
    if reduction == "mean":
        return 1.0 / size if size else math.nan
    if reduction == "batchmean" and shape:
        return 1.0 / shape[0] if shape[0] else math.nan
    return 1.0


def _run(
    sweep: Kernel,
    x: ndarray,
    y: ndarray,
    reduction: str,
    grad: bool | None,
    option: float = 0.0,
    weight: ndarray | None = None,
    pos_weight: ndarray | None = None,
    over_weight: bool = False,
) -> Result:
    """Run a sweep; with `over_weight` the mean divides by the sum of the weights.

    For `grad=None`, and without weights, a function `(grad, x, y)` that runs it on further arrays of the same
    dtype and shape.
    """
    dtype, shape, size = x.dtype, x.shape, x.size
    if dtype not in _ONES or y.shape != shape or (y.dtype is not dtype and y.dtype != dtype):
        return NotImplemented
    w = p = _ONES[dtype]
    if weight is not None or pos_weight is not None:
        spread_w, spread_p = spread(weight, x), spread(pos_weight, x)
        if spread_w is None or spread_p is None or grad is None:
            return NotImplemented
        w, p = spread_w, spread_p
    scale = scale_of(reduction, shape, size)
    if over_weight and reduction == "mean" and weight is not None:
        divisor = total_of(flat(weight))
        scale = 1.0 / divisor if divisor else math.inf
    launch = _launch(sweep, dtype, shape, float(option), scale, w, p, reduction == "none")
    return launch if grad is None else launch(grad, x, y)


def _launch(
    sweep: Kernel,
    dtype: np.dtype,
    shape: tuple[int, ...],
    option: float,
    scale: float,
    w: ndarray,
    p: ndarray,
    each: bool,
) -> Launch:
    """A function `(grad, x, y)` that runs a sweep; with `each` it keeps all losses."""
    make = outputs(dtype, shape, shape if each else None)
    run = runner(sweep, math.prod(shape))

    def launch(grad: bool, x: ndarray, y: ndarray) -> Result:
        value, gradient, (losses, slopes, total) = make(grad)
        run(flat(x), flat(y), w, p, option, scale, losses, slopes, total)
        return value, gradient

    return launch


# --------------------------------------------------------------------------------------- the losses
# Scalar functions of input x, target y, weight w, positive weight p and an option: (loss, slope).
# `real(1)` is a one of x's type: a literal would turn float32 into float64.


@kernel
def _squared_error(x, y, w, p, option):
    difference = x - y
    slope = w * difference
    return slope * difference, slope + slope


@kernel
def _absolute_error(x, y, w, p, option):
    real = type(x)
    difference = x - y
    slope = real(1) if difference > 0 else (real(-1) if difference < 0 else real(0))
    return w * abs(difference), w * slope


@kernel
def _clipped(difference, limit):
    """`difference`, at most `limit` in size."""
    below = limit if difference > limit else difference
    return -limit if below < -limit else below


@kernel
def _huber(x, y, w, p, delta):
    difference = x - y
    near = _clipped(difference, delta)
    return w * (abs(near) * (abs(difference) - type(x)(0.5) * abs(near))), w * near


@kernel
def _smooth_l1(x, y, w, p, beta):
    difference = x - y
    near = _clipped(difference, beta)
    slope = near / beta
    return abs(slope) * (abs(difference) - type(x)(0.5) * abs(near)), slope


# torch's floor of p (1 - p), a float32 in either dtype.
_SPREAD_FLOOR = float(np.float32(1e-12))


@kernel
def _binary_cross_entropy(x, y, w, p, option):
    real = type(x)
    lowest, floor = real(-100), real(_SPREAD_FLOOR)
    log_x, log_not_x = log(x), log1p(-x)
    log_x = lowest if log_x < lowest else log_x
    log_not_x = lowest if log_not_x < lowest else log_not_x
    variance = (real(1) - x) * x
    variance = floor if variance < floor else variance
    return w * ((y - real(1)) * log_not_x - y * log_x), w * ((x - y) / variance)


# (atanh(s) / s - 1) / s**2 on s**2 <= 1/9, minimax in s**2, highest power first.
_ATANH_TERMS = (
    np.float64(0.0808202280597176611),
    np.float64(0.0440036924307233694),
    np.float64(0.0600053640479535627),
    np.float64(0.0665707210482746808),
    np.float64(0.0769278503247931155),
    np.float64(0.0909089471806642908),
    np.float64(0.111111113587139315),
    np.float64(0.142857142835543786),
    np.float64(0.200000000000072913),
    np.float64(0.333333333333333293),
)
_ATANH_TERMS_SINGLE = (
    np.float32(0.116121646120116744),
    np.float32(0.108532879004401863),
    np.float32(0.142961789971514189),
    np.float32(0.199998531659648587),
    np.float32(0.333333336602637062),
)


@kernel
def _of_two_classes(e):
    """log(1 + e), 1 / (1 + e) and e / (1 + e) of an e in [0, 1], with one division.

    log(1 + e) is 2 atanh(s) with s = e / (2 + e).
    """
    real = type(e)
    one, two = real(1), real(2)
    inverse = one / ((one + e) * (two + e))
    large = (two + e) * inverse
    s_twice = e * ((one + e) * (inverse + inverse))
    square = real(0.25) * (s_twice * s_twice)
    tail = _ATANH_TERMS[0]
    for term in _ATANH_TERMS[1:]:
        tail = tail * square + term
    return s_twice * (one + square * tail), large, e * large


of_two_classes = ByDtype(
    _of_two_classes.specialise("_of_two_classes32", _ATANH_TERMS=_ATANH_TERMS_SINGLE), _of_two_classes
)


@kernel
def _binary_cross_entropy_with_logits(x, y, w, p, option):
    real = type(x)
    zero = real(0)
    size, positive = abs(x), x > zero
    # Of the two classes the logit speaks for one, whose probability is `large`, against the other.
    log_term, large, small = of_two_classes(exp(-size))
    against = real(1) - y if positive else p * y
    favoured = p * y if positive else real(1) - y
    # Zero times an infinite logit is zero: an infinitely confident right answer costs nothing.
    linear = zero if against == zero else against * size
    # Never sigmoid(x) - y, which loses all digits of a confident positive.
    slope = against * large - favoured * small
    return w * (linear + (against + favoured) * log_term), w * (slope if positive else -slope)


@kernel
def _kl_div(x, y, w, p, option):
    # In float64, as log(y) - x cancels where the distributions agree.
    q = np.float64(y)
    return 0.0 if q == 0.0 else q * (log_in_float64(y) - np.float64(x)), -y


@kernel
def _kl_div_log_target(x, y, w, p, option):
    zero = type(x)(0)
    probability = exp(y)
    return zero if probability == zero else probability * (y - x), -probability


@kernel
def _poisson_log_rate(x, y, w, p, option):
    # In float64, as the terms cancel where the rate is near the count.
    log_rate, count = np.float64(x), np.float64(y)
    rate = exp_in_float64(x)
    return rate - (0.0 if count == 0.0 else count * log_rate), rate - count


@kernel
def _poisson_rate(x, y, w, p, eps):
    # What was not counted has no logarithm to pay for, even of a rate of zero.
    count = np.float64(y)
    rate = np.float64(x) + np.float64(eps)
    loss = np.float64(x) - (0.0 if count == 0.0 else count * log(rate))
    return loss, 1.0 - (0.0 if count == 0.0 else count / rate)


LOG_2_PI = math.log(2 * math.pi)
_plain: Any = None  # a loss to which a term is added


@kernel
def _with_stirling(x, y, w, p, option):
    """A loss with log(y!), by Stirling's formula where y > 1."""
    loss, slope = _plain(x, y, w, p, option)
    count = np.float64(y)
    log_count = log(count)
    term = count * log_count - count + 0.5 * (log_count + LOG_2_PI)
    return loss + (term if count > 1.0 else 0.0), slope


@kernel
def _hinge_embedding(x, y, w, p, margin):
    real = type(x)
    zero, one = real(0), real(1)
    gap = margin - x
    hinge = zero if gap < zero else gap
    # The gradient passes where the gap is exactly zero, as through clamp_min.
    hinge_slope = -one if gap >= zero else zero
    loss = (zero if y == one else hinge) + (zero if y == -one else x)
    return loss, (zero if y == one else hinge_slope) + (zero if y == -one else one)


_SQUARED_ERROR = _sweep_with(_squared_error)
_ABSOLUTE_ERROR = _sweep_with(_absolute_error)
_HUBER = _sweep_with(_huber)
_SMOOTH_L1 = _sweep_with(_smooth_l1)
_BCE = _sweep_with(_binary_cross_entropy)
_BCE_WITH_LOGITS = _sweep_with(_binary_cross_entropy_with_logits)
_KL_DIV = _sweep_with(_kl_div)
_KL_DIV_LOG_TARGET = _sweep_with(_kl_div_log_target)
_HINGE_EMBEDDING = _sweep_with(_hinge_embedding)
# By (log_input, full).
_POISSON = {
    (True, False): _sweep_with(_poisson_log_rate),
    (False, False): _sweep_with(_poisson_rate),
    (True, True): _sweep_with(_with_stirling.specialise("_poisson_log_rate_full", _plain=_poisson_log_rate)),
    (False, True): _sweep_with(_with_stirling.specialise("_poisson_rate_full", _plain=_poisson_rate)),
}


def squared_error(
    input: ndarray, target: ndarray, weight: ndarray | None = None, *, reduction: str, grad: bool
) -> Result:
    """w (x - y)**2; the mean divides by the sum of the weights."""
    return _run(_SQUARED_ERROR, input, target, reduction, grad, 0.0, weight, over_weight=True)


def absolute_error(
    input: ndarray, target: ndarray, weight: ndarray | None = None, *, reduction: str, grad: bool
) -> Result:
    """w |x - y|, with slope 0 at 0; the mean divides by the sum of the weights."""
    return _run(_ABSOLUTE_ERROR, input, target, reduction, grad, 0.0, weight, over_weight=True)


def huber(
    input: ndarray,
    target: ndarray,
    delta: float = 1.0,
    weight: ndarray | None = None,
    *,
    reduction: str,
    grad: bool,
) -> Result:
    """w d**2 / 2 where d = |x - y| <= delta, else w delta (d - delta/2)."""
    return _run(_HUBER, input, target, reduction, grad, delta, weight)


def smooth_l1(input: ndarray, target: ndarray, beta: float, *, reduction: str, grad: bool) -> Result:
    """d**2 / (2 beta) where d = |x - y| < beta, else d - beta/2."""
    sweep = _SMOOTH_L1 if beta else _ABSOLUTE_ERROR
    return _run(sweep, input, target, reduction, grad, beta)


def binary_cross_entropy(
    input: ndarray,
    target: ndarray,
    weight: ndarray | None = None,
    *,
    reduction: str,
    grad: bool,
) -> Result:
    """-w (y log x + (1 - y) log(1 - x)), each logarithm at least -100."""
    return _run(_BCE, input, target, reduction, grad, 0.0, weight)


def binary_cross_entropy_with_logits(
    input: ndarray,
    target: ndarray,
    weight: ndarray | None = None,
    pos_weight: ndarray | None = None,
    *,
    reduction: str,
    grad: bool,
) -> Result:
    """w ((1 - y) softplus(x) + p y softplus(-x)); the weights broadcast to `input`."""
    return _run(_BCE_WITH_LOGITS, input, target, reduction, grad, 0.0, weight, pos_weight)


def kl_div(
    input: ndarray, target: ndarray, log_target: bool = False, *, reduction: str, grad: bool
) -> Result:
    """y (log y - x), where x (and y if `log_target`) are log-probabilities; 0 where y is 0."""
    sweep = _KL_DIV_LOG_TARGET if log_target else _KL_DIV
    return _run(sweep, input, target, reduction, grad)


def poisson_nll(
    input: ndarray,
    target: ndarray,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    *,
    reduction: str,
    grad: bool,
) -> Result:
    """exp(x) - y x, or x - y log(x + eps) unless `log_input`; with log(y!) if `full`."""
    return _run(_POISSON[bool(log_input), bool(full)], input, target, reduction, grad, eps)


def hinge_embedding(
    input: ndarray, target: ndarray, margin: float = 1.0, *, reduction: str, grad: bool
) -> Result:
    """x where y is 1, max(0, margin - x) where it is -1, and for any other y the sum of both."""
    return _run(_HINGE_EMBEDDING, input, target, reduction, grad, margin)


# --------------------------------------------------------------------------------------- the domain
@kernel(fastmath={"contract", "reassoc", "nsz"})
def _count_outside(values, low, high):
    real = values.dtype.type
    low, high, count = real(low), real(high), real(0)
    for i in range(values.size):
        count += real(0) if low <= values[i] and values[i] <= high else real(1)
    return count


@kernel(parallel=True, threshold=PARALLEL_FROM)
def _outside(values, low, high):
    counts = np.empty((values.size + CHUNK - 1) // CHUNK)
    for chunk in prange(counts.size):
        counts[chunk] = _count_outside(values[chunk * CHUNK : (chunk + 1) * CHUNK], low, high)
    return total_of(counts)


def all_within(values: ndarray, low: float, high: float) -> bool:
    """Whether all `values` are in [low, high]; False where one is nan."""
    if not is_compiled_type(values.dtype):
        return bool(np.all((values >= low) & (values <= high)))
    return not _outside.run(values.size, flat(values), low, high)
