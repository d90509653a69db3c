"""The triplet margin loss and its three gradients in one pass over the rows.

A distance is the p-norm of a - b + eps, taken in float64.  The norms of order 1 and 2 have sweeps
of their own; the sweep of any other finite order p > 0 computes powers.
"""

import math
from typing import Any

import numpy as np
from numpy import ndarray

from .jit import kernel, prange
from .losses_launch import EMPTY, prepare
from .losses_pointwise import scale_of, total_of
from .math import exp, log

# Rows handled by one thread at a time, and the elements from which on two threads win.
ROWS = 16
PARALLEL_FROM = 100_000

# What a norm makes of a component, of their sum, and its slope by a component: bound below.
_power: Any = None
_root: Any = None
_slope: Any = None


@kernel
def _difference(a, b, eps):
    return (np.float64(a) - np.float64(b)) + eps


@kernel(fastmath={"contract", "reassoc", "nsz"})
def _power_sum(a, b, eps, p):
    total = 0.0
    for i in range(a.size):
        total += _power(_difference(a[i], b[i], eps), p)
    return total


@kernel
def _distance(a, b, eps, p):
    return _root(_power_sum(a, b, eps, p), p)


@kernel
def _inverse(distance):
    """1 / distance, and 0 for 0: the norm has slope 0 there."""
    return 1.0 / distance if distance != 0 else 0.0


@kernel
def _fill(a, b, c, eps, p, near, far, unit, on_a, on_b, on_c):
    """The gradients of unit (|a - b| - |a - c|), given the distances."""
    over_near, over_far = _inverse(near), _inverse(far)
    for i in range(a.size):
        to_near = unit * _slope(_difference(a[i], b[i], eps), over_near, p)
        to_far = unit * _slope(_difference(a[i], c[i], eps), over_far, p)
        on_a[i] = to_near - to_far
        on_b[i] = 0.0 - to_near
        on_c[i] = to_far


@kernel
def _fill_swapped(a, b, c, eps, p, near, far, swapped, unit, share, on_a, on_b, on_c):
    """The gradients of unit (|a - b| - share |a - c| - (1 - share) |b - c|), given the distances."""
    over_near, over_far, over_swapped = _inverse(near), _inverse(far), _inverse(swapped)
    on_far, on_swapped = unit * share, unit * (1.0 - share)
    for i in range(a.size):
        to_near = unit * _slope(_difference(a[i], b[i], eps), over_near, p)
        to_far = on_far * _slope(_difference(a[i], c[i], eps), over_far, p)
        to_swapped = on_swapped * _slope(_difference(b[i], c[i], eps), over_swapped, p)
        on_a[i] = to_near - to_far
        on_b[i] = 0.0 - to_near - to_swapped
        on_c[i] = to_far + to_swapped


@kernel(parallel=True, threshold=PARALLEL_FROM)
def _sweep(x1, x2, x3, samples, margin, p, eps, swap, scale, losses, slopes1, slopes2, slopes3, total):
    """Fill `losses` and the slopes where they are wanted (not empty), and the scaled `total`."""
    width = x1.size // max(samples, 1)
    totals = np.empty((samples + ROWS - 1) // ROWS)
    for block in prange(totals.size):
        part = 0.0
        for row in range(block * ROWS, min(samples, (block + 1) * ROWS)):
            start, stop = row * width, (row + 1) * width
            a, b, c = x1[start:stop], x2[start:stop], x3[start:stop]
            near, far = _distance(a, b, eps, p), _distance(a, c, eps, p)
            smaller, swapped, share = far, 0.0, 1.0
            if swap:
                swapped = _distance(b, c, eps, p)
                # A tie shares the gradient, as a minimum does.
                share = 0.5 if swapped == far else (0.0 if swapped < far else 1.0)
                smaller = swapped if swapped < far else far
            gap = margin + near - smaller
            loss = 0.0 if gap < 0 else gap
            if slopes1.size:
                # The gradient passes where the gap is exactly zero, as through clamp_min.
                unit = scale if gap >= 0 else 0.0
                on_a, on_b, on_c = slopes1[start:stop], slopes2[start:stop], slopes3[start:stop]
                if share == 1.0:
                    _fill(a, b, c, eps, p, near, far, unit, on_a, on_b, on_c)
                else:
                    _fill_swapped(a, b, c, eps, p, near, far, swapped, unit, share, on_a, on_b, on_c)
            if losses.size:
                losses[row] = loss
            part += loss
        totals[block] = part
    total[()] = total_of(totals) * scale


# --------------------------------------------------------------------------------------- the norms
@kernel
def _absolute(u, p):
    return abs(u)


@kernel
def _as_it_is(total, p):
    return total


@kernel
def _sign(u, over, p):
    return 1.0 if u > 0 else (-1.0 if u < 0 else 0.0)


@kernel
def _square(u, p):
    return u * u


@kernel
def _square_root(total, p):
    return math.sqrt(total)


@kernel
def _ratio(u, over, p):
    return u * over


@kernel
def _any_power(u, p):
    return exp(p * log(abs(u)))


@kernel
def _any_root(total, p):
    return total ** (1.0 / p)


@kernel
def _any_slope(u, over, p):
    """sign(u) (|u| / norm)**(p - 1), and 0 where u or the norm is 0."""
    share = abs(u) * over
    slope = exp((p - 1.0) * log(share))
    slope = -slope if u < 0 else slope
    return 0.0 if share == 0 else slope


_SWEEPS = {
    1.0: _sweep.specialise("triplet_1", _power=_absolute, _root=_as_it_is, _slope=_sign),
    2.0: _sweep.specialise("triplet_2", _power=_square, _root=_square_root, _slope=_ratio),
}
_ANY_ORDER = _sweep.specialise("triplet_p", _power=_any_power, _root=_any_root, _slope=_any_slope)


def triplet_margin(
    anchor: ndarray,
    positive: ndarray,
    negative: ndarray,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    *,
    reduction: str,
    grad: bool,
) -> tuple[ndarray, tuple[ndarray, ndarray, ndarray] | None] | Any:
    """max(0, margin + d(a, b) - d(a, c)), d(a, b) the p-norm of a - b + eps over the last dimension.

    With `swap` the smaller of d(a, c) and d(b, c) takes the place of d(a, c).  Gives the value and the
    gradients with respect to all three; NotImplemented for p that is not positive and finite.
    """
    dtype, shape = anchor.dtype, anchor.shape
    if (
        dtype not in EMPTY
        or not shape
        or any(other.dtype != dtype or other.shape != shape for other in (positive, negative))
        or not 0 < p < math.inf
    ):
        return NotImplemented
    samples = math.prod(shape[:-1])
    # Of one Python type each: a kernel is compiled once more for another.
    constants = (
        samples,
        float(margin),
        float(p),
        float(eps),
        bool(swap),
        scale_of(reduction, shape[:-1], samples),
    )
    each = shape[:-1] if reduction == "none" else None
    launch = prepare(_SWEEPS.get(float(p), _ANY_ORDER), dtype, shape, each, constants, gradients=3)
    return launch if grad is None else launch(grad, anchor, positive, negative)
