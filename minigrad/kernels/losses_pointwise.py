"""Elementwise losses and their gradients in one sweep over the arrays.

Each loss is stated once, as a scalar function that gives the loss and its slope; one sweep serves
them all.  Losses are summed in float64 within blocks of a fixed length, so a result does not depend
on the number of threads.

The public functions return ``(value, gradient)``, the gradient with respect to ``input`` for a
cotangent of one (None unless ``grad``), or NotImplemented where the sweep does not apply: dtypes
that are not all float32 or all float64, or shapes that differ.  They do not check values.
"""

from typing import Any

import numpy as np
from numpy import ndarray

from .jit import Kernel, flat, kernel, prange
from .math import exp, log, log1p

# Elements swept by one thread at a time: six streams of them stay within the first-level cache.
BLOCK = 1024
# From this many elements on two threads win over the cost of launching them.
PARALLEL_FROM = 100_000

Result = tuple[ndarray, ndarray | None] | Any

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
EMPTY = {dtype: np.empty(0, dtype) for dtype in (FLOAT32, FLOAT64)}
_ONES = {dtype: np.ones(BLOCK, dtype) for dtype in (FLOAT32, FLOAT64)}


# ---------------------------------------------------------------------------------------- the sweep
@kernel(fastmath={"contract", "reassoc", "nsz"})
def total_of(values):
    """The sum in float64.  A kernel of its own, so that `reassoc` reaches nothing but this sum."""
    total = 0.0
    for i in range(values.size):
        total += values[i]
    return total


_element: Any = None  # a loss's scalar function: `_sweep_with` binds it


@kernel
def _block(x, y, w, p, option, scale, losses, slopes):
    option = x.dtype.type(option)
    scale = x.dtype.type(scale)
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
    blocks = (n + BLOCK - 1) // BLOCK
    totals = np.empty(blocks)
    for block in prange(blocks):
        start = block * BLOCK
        stop = min(start + BLOCK, n)
        length = stop - start
        own_losses = losses[start:stop] if losses.size else np.empty(length, x.dtype)
        own_slopes = slopes[start:stop] if slopes.size else np.empty(length, x.dtype)
        own_w = w[start:stop] if w.size == n else w[:length]
        own_p = p[start:stop] if p.size == n else p[:length]
        own_x, own_y = x[start:stop], y[start:stop]
        _block(own_x, own_y, own_w, own_p, option, scale, own_losses, own_slopes)
        totals[block] = total_of(own_losses)
    total[()] = total_of(totals) * scale


def _sweep_with(element: Kernel) -> Kernel:
    """The sweep of the loss whose scalar function is `element`."""
    name = element.__wrapped__.__name__
    block = _block.specialise(f"{name}_block", _element=element)
    return _sweep.specialise(f"{name}_sweep", _block=block)


def _spread(weight: ndarray | None, x: ndarray) -> ndarray | None:
    """`weight` flat and as long as `x`, or a block of ones; None if it does not fit."""
    if weight is None:
        return _ONES[x.dtype]
    if weight.dtype != x.dtype:
        return None
    if weight.shape == x.shape:
        return flat(weight)
    try:
        return np.broadcast_to(weight, x.shape).flatten()
    except ValueError:
        return None


def _run(
    sweep: Kernel,
    x: ndarray,
    y: ndarray,
    reduction: str,
    grad: bool,
    option: float = 0.0,
    weight: ndarray | None = None,
    pos_weight: ndarray | None = None,
) -> Result:
    dtype, shape, size = x.dtype, x.shape, x.size
    empty = EMPTY.get(dtype)
    if empty is None or y.shape != shape or (y.dtype is not dtype and y.dtype != dtype):
        return NotImplemented
    w = p = _ONES[dtype]
    if weight is not None or pos_weight is not None:
        spread_w, spread_p = _spread(weight, x), _spread(pos_weight, x)
        if spread_w is None or spread_p is None:
            return NotImplemented
        w, p = spread_w, spread_p
    value = total = np.empty((), dtype)
    losses = slopes = empty
    gradient = None
    if grad:
        gradient = np.empty(shape, dtype)
        slopes = gradient.ravel()
    scale = 1.0
    if reduction == "mean":
        scale = 1.0 / size if size else np.nan
    elif reduction == "none":
        value = np.empty(shape, dtype)
        losses = value.ravel()
    elif reduction == "batchmean" and shape:
        scale = 1.0 / shape[0] if shape[0] else np.nan
    sweep.run(size, flat(x), flat(y), w, p, float(option), scale, losses, slopes, total)
    return value, gradient


# --------------------------------------------------------------------------------------- the losses
# Scalar functions of input x, target y, weight w, positive weight p and an option: (loss, slope).
# `real(1)` is a one of x's type: a literal would turn float32 into float64.


@kernel
def _squared_error(x, y, w, p, option):
    difference = x - y
    return difference * difference, difference + difference


@kernel
def _absolute_error(x, y, w, p, option):
    real = type(x)
    difference = x - y
    slope = real(1) if difference > 0 else (real(-1) if difference < 0 else real(0))
    return abs(difference), slope


@kernel
def _smooth_l1(x, y, w, p, beta):
    real = type(x)
    difference = x - y
    size, ratio = abs(difference), difference / beta
    loss = real(0.5) * difference * ratio if size < beta else size - real(0.5) * beta
    outside = real(1) if difference > 0 else real(-1)
    return loss, outside if size >= beta else ratio


@kernel
def _binary_cross_entropy(x, y, w, p, option):
    real = type(x)
    floor = real(-100)
    log_x, log_not_x = log(x), log1p(-x)
    log_x = floor if log_x < floor else log_x
    log_not_x = floor if log_not_x < floor else log_not_x
    spread = (real(1) - x) * x
    spread = real(1e-12) if spread < real(1e-12) else spread
    return w * ((y - real(1)) * log_not_x - y * log_x), w * ((x - y) / spread)


@kernel
def _binary_cross_entropy_with_logits(x, y, w, p, option):
    # softplus(x) = max(x, 0) + log1p(exp(-|x|)) weighs the negatives, softplus(-x) the positives.
    real = type(x)
    zero = real(0)
    negative, positive = real(1) - y, p * y
    e = exp(-abs(x))
    up = x if x > zero else zero
    down = -x if x < zero else zero
    # Zero times an infinite logit is zero: an infinitely confident right answer costs nothing.
    up = zero if negative == zero else negative * up
    down = zero if positive == zero else positive * down
    loss = (up + down) + (negative + positive) * log1p(e)
    large = real(1) / (real(1) + e)
    small = e * large
    # Never sigmoid(x) - y, which loses all digits of a confident positive.
    slope = negative * large - positive * small if x > zero else negative * small - positive * large
    return w * loss, w * slope


@kernel
def _kl_div(x, y, w, p, option):
    zero = type(x)(0)
    return zero if y == zero else y * (log(y) - x), -y


@kernel
def _kl_div_log_target(x, y, w, p, option):
    zero = type(x)(0)
    probability = exp(y)
    return zero if probability == zero else probability * (y - x), -probability


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
_SMOOTH_L1 = _sweep_with(_smooth_l1)
_BCE = _sweep_with(_binary_cross_entropy)
_BCE_WITH_LOGITS = _sweep_with(_binary_cross_entropy_with_logits)
_KL_DIV = _sweep_with(_kl_div)
_KL_DIV_LOG_TARGET = _sweep_with(_kl_div_log_target)
_HINGE_EMBEDDING = _sweep_with(_hinge_embedding)


def squared_error(input: ndarray, target: ndarray, *, reduction: str, grad: bool) -> Result:
    """(x - y)**2."""
    return _run(_SQUARED_ERROR, input, target, reduction, grad)


def absolute_error(input: ndarray, target: ndarray, *, reduction: str, grad: bool) -> Result:
    """|x - y|, with slope 0 at 0."""
    return _run(_ABSOLUTE_ERROR, input, target, reduction, grad)


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


def hinge_embedding(
    input: ndarray, target: ndarray, margin: float = 1.0, *, reduction: str, grad: bool
) -> Result:
    """x where y is 1, max(0, margin - x) where it is -1, and for any other y the sum of both."""
    return _run(_HINGE_EMBEDDING, input, target, reduction, grad, margin)
