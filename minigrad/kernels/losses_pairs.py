"""Elementwise losses with a slope for each of two operands, in one sweep over the arrays.

As in `losses_pointwise`, a loss is a scalar function, here of input x, target y and a second operand
v, with two options: it gives the loss, its slope by x and its slope by v.
"""

from typing import Any

import numpy as np
from numpy import ndarray

from .jit import Kernel, kernel, prange
from .losses_float64 import log_in_float64
from .losses_launch import EMPTY, prepare
from .losses_pointwise import (
    BLOCK,
    CHUNK,
    COSTLY_FROM,
    LOG_2_PI,
    PARALLEL_FROM,
    block_total_of,
    scale_of,
    spread,
    total_of,
)
from .math import expm1

_element: Any = None  # a loss's scalar function: `sweep_of_pairs` binds it


@kernel
def _block(x, y, v, option, shift, scale, losses, slopes, others):
    real = x.dtype.type
    option, shift, scale = real(option), real(shift), real(scale)
    for i in range(x.size):
        loss, slope, other = _element(x[i], y[i], v[i], option, shift)
        losses[i] = loss
        slopes[i] = slope * scale
        others[i] = other * scale


@kernel(parallel=True, threshold=PARALLEL_FROM)
def _sweep(x, y, v, option, shift, scale, losses, slopes, others, total):
    """Fill `losses`, `slopes` and `others` where they are wanted (not empty), and the scaled `total`.

    `v` has as many elements as `x`, or is a block of one number.
    """
    n = x.size
    totals = np.empty((n + CHUNK - 1) // CHUNK)
    for chunk in prange(totals.size):
        last = min((chunk + 1) * CHUNK, n)
        unwanted = np.empty((3, min(BLOCK, n)), x.dtype)
        chunk_total = 0.0
        for start in range(chunk * CHUNK, last, BLOCK):
            stop = min(start + BLOCK, last)
            length = stop - start
            own_losses = losses[start:stop] if losses.size else unwanted[0, :length]
            own_slopes = slopes[start:stop] if slopes.size else unwanted[1, :length]
            own_others = others[start:stop] if others.size else unwanted[2, :length]
            own_v = v[start:stop] if v.size == n else v[:length]
            own_x, own_y = x[start:stop], y[start:stop]
            _block(own_x, own_y, own_v, option, shift, scale, own_losses, own_slopes, own_others)
            chunk_total += block_total_of(own_losses)
        totals[chunk] = chunk_total
    total[()] = total_of(totals) * scale


def sweep_of_pairs(element: Kernel) -> Kernel:
    """The sweep of the loss whose scalar function is `element`."""
    name = element.__wrapped__.__name__
    block = _block.specialise(f"{name}_block", _element=element)
    sweep = _sweep.specialise(f"{name}_sweep", _block=block)
    sweep.threshold = COSTLY_FROM if element.uses(("log_in_float64", "expm1")) else PARALLEL_FROM
    return sweep


@kernel
def _gaussian(x, y, v, eps, shift):
    # In float64, as the gradient of the variance cancels where it is the squared error.
    variance = eps if v < eps else v
    inverse = 1.0 / np.float64(variance)
    difference = np.float64(x) - np.float64(y)
    slope = difference * inverse
    loss = 0.5 * (log_in_float64(variance) + difference * slope) + np.float64(shift)
    # The gradient passes straight through the clamp of the variance.
    return loss, slope, 0.5 * inverse * (1.0 - difference * slope)


@kernel
def _divergence(x, y, v, option, shift):
    # x is the mean, y log(variance). In float64: exp(y) - 1 - y is of the size of y**2.
    mean, half = np.float64(x), np.float64(0.5)
    variance = expm1(np.float64(y))
    return half * ((variance - np.float64(y)) + mean * mean), x, half * variance


_GAUSSIAN = sweep_of_pairs(_gaussian)
_DIVERGENCE = sweep_of_pairs(_divergence)


def run_pair(
    sweep: Kernel, arrays: tuple[ndarray, ...], constants: tuple, reduction: str, grad: bool | None
) -> Any:
    """Run a sweep over the first two arrays, which have one dtype and shape, with what else it takes.

    For `grad=None` a function of `grad` and the arrays, which runs it on further ones of the kind.
    """
    dtype, shape = arrays[0].dtype, arrays[0].shape
    scale = scale_of(reduction, shape, arrays[0].size)
    each = shape if reduction == "none" else None
    launch = prepare(sweep, dtype, shape, each, (*constants, scale), gradients=2)
    return launch if grad is None else launch(grad, *arrays)


def gaussian_nll(
    input: ndarray,
    target: ndarray,
    var: ndarray,
    full: bool = False,
    eps: float = 1e-6,
    *,
    reduction: str,
    grad: bool,
) -> tuple[ndarray, tuple[ndarray, ndarray] | None] | Any:
    """(log v + (x - y)**2 / v) / 2 with v = max(var, eps), which broadcasts to `input`.

    The gradients are those with respect to `input` and `var`.
    """
    dtype, shape = input.dtype, input.shape
    if dtype not in EMPTY or target.shape != shape or target.dtype != dtype:
        return NotImplemented
    shared = var.shape != shape
    v = spread(var, input) if shared else var
    if v is None or v.dtype != dtype:
        return NotImplemented
    # The gradient of a shared variance is a sum, which would have to follow the cotangent.
    if shared and (grad is None or (grad and reduction == "none")):
        return NotImplemented
    constants = float(eps), 0.5 * LOG_2_PI if full else 0.0
    found = run_pair(_GAUSSIAN, (input, target, v), constants, reduction, grad)
    if shared and grad:
        value, gradients = found
        return value, (gradients[0], _summed_to(gradients[1], var.shape))
    return found


def _summed_to(gradient: ndarray, shape: tuple[int, ...]) -> ndarray:
    """The gradient of what was broadcast from `shape`."""
    wide = (1,) * (gradient.ndim - len(shape)) + shape
    axes = tuple(i for i, size in enumerate(wide) if size != gradient.shape[i])
    return np.asarray(gradient.sum(axes, keepdims=True)).reshape(shape)


def normal_divergence(
    mean: ndarray,
    logvar: ndarray,
    prior_mean: ndarray | None = None,
    prior_logvar: ndarray | None = None,
    *,
    reduction: str,
    grad: bool,
) -> tuple[ndarray, tuple[ndarray, ndarray] | None] | Any:
    """(exp(d) - 1 - d + z**2) / 2, d = logvar - prior_logvar, z = (mean - prior_mean) exp(-prior_logvar/2).

    There is a gradient for the mean and one for logvar.
    """
    dtype = mean.dtype
    if dtype not in EMPTY:
        return NotImplemented
    if any(other is not None and other.dtype != dtype for other in (logvar, prior_mean, prior_logvar)):
        return NotImplemented
    if grad is None and (prior_mean is not None or prior_logvar is not None):
        return NotImplemented
    distance, excess, precision = mean if prior_mean is None else mean - prior_mean, logvar, None
    if prior_logvar is not None:
        with np.errstate(over="ignore"):
            precision = np.exp(prior_logvar * dtype.type(-0.5))
        distance, excess = distance * precision, logvar - prior_logvar
    if excess.shape != distance.shape:
        return NotImplemented
    constants = spread(None, mean), 0.0, 0.0
    found = run_pair(_DIVERGENCE, (distance, excess), constants, reduction, grad)
    if precision is None or not grad:
        return found
    value, gradients = found
    return value, (gradients[0] * precision, gradients[1])
