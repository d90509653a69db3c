"""Losses over classes for a block of rows, each the classes of one sample: loss and gradient in one pass.

The numerics are chosen for small losses and gradients.  One class is set apart, the target or the
most likely, so that log1p of the *others'* sum and a quotient replace log(1 + tiny) and softmax - 1,
both of which lose every digit of a confident sample.
"""

from typing import Any

import numpy as np

from .jit import kernel
from .math import (
    _EXP_TERMS,
    _FLOAT,
    _INT,
    _NAN,
    _ONE,
    _SINGLE,
    _ZERO,
    _log1p,
    _polynomial,
    _power_of_two,
    _split,
    exp,
    expm1,
    log,
    tanh,
)

# What `math` has for float64 and in `_SINGLE` for float32, and constants more.
_LOWEST_BITS, _LOWEST_EXPONENT = np.int64(-(2**63)), np.float64(-708.39)
_HIGHEST = np.finfo(np.float64).max
SINGLE = {
    **_SINGLE,
    "_LOWEST_BITS": np.int32(-(2**31)),
    "_LOWEST_EXPONENT": np.float32(-87.33),
    "_HIGHEST": np.finfo(np.float32).max,
}

# Samples in a block of rows.
SAMPLES = 64


# ---------------------------------------------------------------------------------- sums and exponentials
@kernel
def _exp_below(x, top):
    """exp(x - top) for x <= top, within 1.2 ulp although x - top is rounded.

    It is 0 where it is below the smallest normal number, and 1 for an infinity above `top`.
    """
    x = top if x > top else x
    difference = x - top
    # What rounding took from the difference (Knuth's two-sum).
    back = x - difference
    lost = (x - (difference + back)) + (back - top)
    n, r = _split(difference)
    r = r + lost
    e = ((r * r) * _polynomial(_EXP_TERMS, r) + r + _ONE) * _power_of_two(n)
    return _ZERO if difference < _LOWEST_EXPONENT else e


@kernel
def _limit(top):
    """What the logits are shifted by, their largest, so that infinite ones give what large ones tend to.

    Infinity becomes the largest number; -inf, where every class is impossible, becomes nan.
    """
    top = _HIGHEST if top > _HIGHEST else top
    return _NAN if top < -_HIGHEST else top


@kernel
def _largest(row):
    """The largest element, searched among integers, since that vectorises.

    The bits of a float, with those of the negative ones reversed, are ordered as the floats are.
    """
    top = _LOWEST_BITS
    for i in range(row.size):
        bits = _FLOAT(row[i]).view(_INT)
        key = bits if bits >= 0 else _INT(_LOWEST_BITS - bits)
        top = key if key > top else top
    return _INT(top if top >= 0 else _LOWEST_BITS - top).view(_FLOAT)


@kernel
def _place_of(row, top):
    """Where the largest element is; blocks are compared as a whole, since that vectorises."""
    for start in range(0, row.size, 128):
        block = row[start : start + 128]
        found = 0
        for i in range(block.size):
            found += block[i] >= top
        if found:
            for i in range(block.size):
                if block[i] >= top:
                    return start + i
    return 0


@kernel(fastmath={"contract", "reassoc", "nsz"})
def _chunk_sum(values):
    total = _ZERO
    for i in range(values.size):
        total += values[i]
    return total


@kernel
def _row_sum(values):
    """The sum, in float64 from parts of 512 elements that are summed in their own type."""
    total = 0.0
    for start in range(0, values.size, 512):
        total += _chunk_sum(values[start : start + 512])
    return total


@kernel
def _exp_row(row, top, e):
    for c in range(row.size):
        e[c] = _exp_below(row[c], top)


# ---------------------------------------------------------------------------------------- the soft cap
@kernel
def cap(x, softcap, out):
    """softcap * tanh(x / softcap)."""
    softcap = _FLOAT(softcap)
    for i in range(out.size):
        out[i] = softcap * tanh(x[i] / softcap)


@kernel
def cap_slopes(x, softcap, slopes):
    """Multiply by the slope of `cap`, 1 - tanh(x / softcap)**2 = 4 e / (1 + e)**2."""
    scale = _FLOAT(-2.0 / softcap)
    for i in range(slopes.size):
        e = exp(scale * abs(x[i]))
        half = (e + _ONE) * (e + _ONE)
        slopes[i] = slopes[i] * ((e + e + e + e) / half) if slopes[i] != _ZERO else _ZERO


# ------------------------------------------------- how a loss depends on a sample: bound as `_shape`
# From nll = -log p of the target, missing = 1 - p, lse = logsumexp, and what label smoothing keeps on
# the target: the loss and its derivatives by nll and by lse.
@kernel
def cross_entropy_shape(nll, missing, lse, keep, z_loss):
    lse = lse if z_loss != 0 else 0.0
    return keep * nll + z_loss * lse * lse, keep, 2.0 * z_loss * lse


@kernel
def focal_shape(nll, missing, lse, keep, gamma):
    """(1 - p)**gamma nll."""
    p = 1.0 - missing
    power = exp(gamma * log(missing)) if gamma != 0 else 1.0
    # Towards p = 1 the quotient tends to 1; where p is 0, so is p nll, also at an infinite nll.
    ratio = p * nll / missing if p > 0 and missing > 0 else 0.0
    return (power * nll if missing > 0 else 0.0), power * (gamma * ratio + 1.0), 0.0


@kernel
def poly_shape(nll, missing, lse, keep, epsilon):
    """nll + epsilon (1 - p)."""
    return nll + epsilon * missing, (1.0 + epsilon) - epsilon * missing, 0.0


@kernel
def power_shape(nll, missing, lse, keep, q):
    """(1 - p**q) / q."""
    return -expm1(-q * nll) / q, exp(-q * nll), 0.0


_shape: Any = None


# ------------------------------------------------------------------------ one sample, its classes in a row
@kernel(fastmath={"contract", "reassoc", "nsz"})
def _weighted_gaps(row, peak, weight):
    """The sum of the weights, and that of the weights times how far the logits are below the top."""
    total = gaps = 0.0
    for c in range(row.size):
        gap = peak - row[c]
        # Without weight it counts nothing, however far below; between two infinities the gap is 0.
        gap = gap if weight[c] != _ZERO and gap > _ZERO else _ZERO
        total += np.float64(weight[c])
        gaps += np.float64(weight[c] * gap)
    return total, gaps


_SMOOTHED = False  # whether there is label smoothing: code of its own, as it takes long to compile


@kernel
def hard_row(row, peak, e, target, i, weight, ignore_index, smoothing, option, divisor, grad):
    """The loss of a sample of one class; its exponentials `e` become its gradient over `divisor`."""
    label = target[i]
    if label == ignore_index:
        e[:] = 0
        return 0.0
    w = np.float64(weight[label])
    own = np.float64(e[label])
    e[label] = 0
    others = _row_sum(e)
    whole = own + others
    excess = np.float64(_log1p(_FLOAT(others + (own - 1.0))))
    gap = np.float64(peak) - np.float64(row[label])
    nll = (gap if gap > 0 else 0.0) + excess
    loss, pull, spread = _shape(nll, others / whole, np.float64(peak) + excess, 1.0 - smoothing, option)
    loss, pull, spread = w * loss if w != 0 else 0.0, w * pull, w * spread
    uniform = smoothing / row.size
    if _SMOOTHED:
        total, gaps = _weighted_gaps(row, peak, weight)
        loss += uniform * (gaps + total * excess)
        spread += uniform * total
    if grad:
        factor = _FLOAT((pull + spread) / whole / divisor)
        if _SMOOTHED:
            lift = _FLOAT(uniform / divisor)
            for c in range(row.size):
                e[c] = e[c] * factor - lift * weight[c]
        else:
            for c in range(row.size):
                e[c] *= factor
        e[label] = ((own * spread - others * pull) / whole - uniform * w) / divisor
    return loss


@kernel
def _mass(weight, probability, keep, spread):
    """The weight of a class times its probability after label smoothing."""
    return weight * (keep * probability + spread)


@kernel(fastmath={"contract", "reassoc", "nsz"})
def _mass_gaps(row, peak, weight, probabilities, keep, spread):
    """As `_weighted_gaps`, of the mass on each class."""
    total = gaps = 0.0
    for c in range(row.size):
        q = _mass(weight[c], probabilities[c], keep, spread)
        gap = peak - row[c]
        gap = gap if q != _ZERO and gap > _ZERO else _ZERO
        total += np.float64(q)
        gaps += np.float64(q * gap)
    return total, gaps


@kernel
def soft_row(row, peak, e, target, i, weight, ignore_index, smoothing, z_loss, divisor, grad):
    """As `hard_row`, for a sample with a probability of every class."""
    keep, spread = _FLOAT(1.0 - smoothing), _FLOAT(smoothing / row.size)
    probabilities = target[i * row.size : (i + 1) * row.size]
    total, gaps = _mass_gaps(row, peak, weight, probabilities, keep, spread)
    k = _place_of(row, peak)
    e[k] = 0
    rest = _row_sum(e)
    excess = np.float64(_log1p(_FLOAT(rest)))
    z, _, slope_z = cross_entropy_shape(0.0, 0.0, np.float64(peak) + excess, 0.0, z_loss)
    if grad:
        scale = _FLOAT(1.0 / divisor)
        share = _FLOAT((total + slope_z) / (1.0 + rest) / divisor)
        at_top = total - np.float64(_mass(weight[k], probabilities[k], keep, spread))
        for c in range(row.size):
            e[c] = e[c] * share - scale * _mass(weight[c], probabilities[c], keep, spread)
        e[k] = (at_top + (slope_z - total * rest) / (1.0 + rest)) / divisor
    return gaps + total * excess + z


_row: Any = None
_CAPPED = False


@kernel
def row_block(
    x,
    target,
    weight,
    ignore_index,
    smoothing,
    option,
    softcap,
    inner,
    samples,
    block,
    divisor,
    losses,
    slopes,
):
    """The summed losses of a block of samples; `losses` and `slopes` are filled if not empty."""
    classes, grad = weight.size, slopes.size > 0
    spare = np.empty(0 if grad else classes, x.dtype)
    if _CAPPED:
        capped = np.empty(classes, x.dtype)
    total = 0.0
    for i in range(block * SAMPLES, min(samples, (block + 1) * SAMPLES)):
        row = x[i * classes : (i + 1) * classes]
        e = slopes[i * classes : (i + 1) * classes] if grad else spare
        if _CAPPED:
            cap(row, softcap, capped)
            row = capped
        peak = _largest(row)
        _exp_row(row, _limit(peak), e)
        loss = _row(row, peak, e, target, i, weight, ignore_index, smoothing, option, divisor, grad)
        if _CAPPED and grad:
            cap_slopes(x[i * classes : (i + 1) * classes], softcap, e)
        if losses.size:
            losses[i] = loss
        total += loss
    return total
