"""Elementwise losses with a slope for each of two operands, in one sweep over the arrays.

As in `losses_pointwise`, a loss is a scalar function, here of input x, target y and a second operand
v, with two options: it gives the loss, its slope by x and its slope by v.
"""

from typing import Any

import numpy as np
from numpy import ndarray

from .jit import Kernel, flat, kernel, prange
from .losses_pointwise import (
    BLOCK,
    CHUNK,
    COSTLY_FROM,
    EMPTY,
    LOG_2_PI,
    block_total_of,
    scale_of,
    spread,
    total_of,
)
from .math import expm1, log

_element: Any = None  # a loss's scalar function: `_sweep_with` binds it


@kernel
def _block(x, y, v, option, shift, scale, losses, slopes, others):
    real = x.dtype.type
    option, shift, scale = real(option), real(shift), real(scale)
    for i in range(x.size):
        loss, slope, other = _element(x[i], y[i], v[i], option, shift)
        losses[i] = loss
        slopes[i] = slope * scale
        others[i] = other * scale


@kernel(parallel=True, threshold=COSTLY_FROM)
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


def _sweep_with(element: Kernel) -> Kernel:
    """The sweep of the loss whose scalar function is `element`."""
    name = element.__wrapped__.__name__
    block = _block.specialise(f"{name}_block", _element=element)
    return _sweep.specialise(f"{name}_sweep", _block=block)


@kernel
def _gaussian(x, y, v, eps, shift):
    # In float64, as the gradient of the variance cancels where it is the squared error.
    variance = np.float64(eps if v < eps else v)
    inverse = 1.0 / variance
    difference = np.float64(x) - np.float64(y)
    slope = difference * inverse
    loss = 0.5 * (log(variance) + difference * slope) + np.float64(shift)
    # The gradient passes straight through the clamp of the variance.
    return loss, slope, 0.5 * inverse * (1.0 - difference * slope)


@kernel
def _divergence(x, y, v, option, shift):
    # x is the mean, y log(variance). In float64: exp(y) - 1 - y is of the size of y**2.
    mean, half = np.float64(x), np.float64(0.5)
    variance = expm1(np.float64(y))
    return half * ((variance - np.float64(y)) + mean * mean), x, half * variance


_GAUSSIAN = _sweep_with(_gaussian)
_DIVERGENCE = _sweep_with(_divergence)


def _run(
    sweep: Kernel,
    x: ndarray,
    y: ndarray,
    v: ndarray,
    option: float,
    shift: float,
    reduction: str,
    grad: bool,
) -> tuple[ndarray, tuple[ndarray, ndarray] | None]:
    """Run a sweep: `v` is flat, and as long as the others or a block of one number."""
    dtype, shape, size = x.dtype, x.shape, x.size
    value = total = np.empty((), dtype)
    losses = slopes = others = EMPTY[dtype]
    gradients = None
    if grad:
        gradients = np.empty(shape, dtype), np.empty(shape, dtype)
        slopes, others = (gradient.ravel() for gradient in gradients)
    if reduction == "none":
        value = np.empty(shape, dtype)
        losses = value.ravel()
    scale = scale_of(reduction, shape, size)
    sweep.run(size, flat(x), flat(y), v, option, shift, scale, losses, slopes, others, total)
    return value, gradients


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
    v = spread(var, input)
    if v is None or (shared and grad and reduction == "none"):  # the sum would have to follow the cotangent
        return NotImplemented
    shift = 0.5 * LOG_2_PI if full else 0.0
    value, gradients = _run(_GAUSSIAN, input, target, v, float(eps), shift, reduction, grad)
    if gradients is not None and shared:
        gradients = gradients[0], _summed_to(gradients[1], var.shape)
    return value, gradients


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
    if any(other is not None and other.dtype != dtype for other in (logvar, prior_mean, prior_logvar)):
        return NotImplemented
    distance, excess, precision = mean if prior_mean is None else mean - prior_mean, logvar, None
    if prior_logvar is not None:
        with np.errstate(over="ignore"):
            precision = np.exp(prior_logvar * dtype.type(-0.5))
        distance, excess = distance * precision, logvar - prior_logvar
    unused = spread(None, mean) if dtype in EMPTY else None
    if unused is None or excess.shape != distance.shape:
        return NotImplemented
    value, gradients = _run(_DIVERGENCE, distance, excess, unused, 0.0, 0.0, reduction, grad)
    if gradients is not None and precision is not None:
        gradients = gradients[0] * precision, gradients[1]
    return value, gradients
