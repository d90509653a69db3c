"""Losses over classes for one block of samples: loss and gradient in one pass.

Two layouts.  A row has the classes of one sample side by side.  Where dimensions follow the classes
neighbours in memory are samples: they are the columns of a strip, and are computed together.

The numerics are chosen for small losses and gradients.  One class is set apart, the target or the
most likely, so that log1p of the *others'* sum and a quotient replace log(1 + tiny) and softmax - 1,
both of which lose every digit of a confident sample.
"""

from typing import Any

import numpy as np

from .jit import kernel
from .losses_pointwise import total_of
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

# Samples in a block of rows, and columns in a strip.
SAMPLES, STRIP = 64, 128


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
    if smoothing > 0:
        total, gaps = _weighted_gaps(row, peak, weight)
        loss += uniform * (gaps + total * excess)
        spread += uniform * total
    if grad:
        factor = _FLOAT((pull + spread) / whole / divisor)
        lift = _FLOAT(uniform / divisor)
        if smoothing > 0:
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


# ------------------------------------------------------------------------- a strip of samples as columns
@kernel
def _span(block, inner, samples):
    """The first sample of a strip, and how many there are."""
    length = samples if inner == 1 else inner
    strips = (length + STRIP - 1) // STRIP
    place = block % strips * STRIP
    return block // strips * length + place, min(STRIP, length - place)


@kernel
def _load(x, first, inner, width, tile):
    """tile[c, j] = class c of sample first + j of x, which is (samples / inner, classes, inner).

    Tiles are flat, and their rows are slices: two dimensions take twice as long to compile.
    """
    classes = tile.size // width
    start, step = first // inner * classes * inner + first % inner, classes if inner == 1 else 1
    for c in range(classes):
        row = tile[c * width : (c + 1) * width]
        for j in range(width):
            # Unsigned, as the test for a negative index keeps the loop from vectorising.
            row[j] = x[np.uintp(start + c * inner + j * step)]


@kernel
def _store(tile, first, inner, width, x):
    """The inverse of `_load`."""
    classes = tile.size // width
    start, step = first // inner * classes * inner + first % inner, classes if inner == 1 else 1
    for c in range(classes):
        row = tile[c * width : (c + 1) * width]
        for j in range(width):
            x[np.uintp(start + c * inner + j * step)] = row[j]


@kernel
def _peaks(tile, peak):
    """The largest of each column."""
    width = peak.size
    for j in range(width):
        peak[j] = tile[j]
    for start in range(width, tile.size, width):
        row = tile[start : start + width]
        for j in range(width):
            peak[j] = row[j] if row[j] > peak[j] else peak[j]


@kernel
def _exp_columns(tile, peak, apart, own, others):
    """The exponentials of a tile: of the class set apart in each column, and the sum of the others."""
    width = peak.size
    narrow = np.empty(2 * width, tile.dtype)
    top, part = narrow[:width], narrow[width:]
    for j in range(width):
        top[j] = _limit(peak[j])
        part[j], others[j] = 0, 0
    for c in range(tile.size // width):
        row = tile[c * width : (c + 1) * width]
        for j in range(width):
            row[j] = _exp_below(row[j], top[j])
            part[j] += _ZERO if apart[j] == _INT(c) else row[j]
        # Sixteen at a time in their own type, which is faster, then in float64.
        if c % 16 == 15 or c == tile.size // width - 1:
            for j in range(width):
                others[j] += np.float64(part[j])
                part[j] = 0
    for j in range(width):
        own[j] = tile[max(apart[j], 0) * width + j]


@kernel
def _finish(tile, first, inner, x, softcap, slopes, column_losses, losses):
    """Write a strip's losses and slopes where they are wanted; the sum of the losses."""
    width = column_losses.size
    if losses.size:
        for j in range(width):
            losses[first + j] = column_losses[j]
    if slopes.size:
        if _CAPPED:
            logits = np.empty(tile.size, x.dtype)
            _load(x, first, inner, width, logits)
            cap_slopes(logits, softcap, tile)
        _store(tile, first, inner, width, slopes)
    return total_of(column_losses)


@kernel
def hard_strip(
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
    """As `row_block` with `hard_row`, for samples side by side."""
    classes, (first, width) = weight.size, _span(block, inner, samples)
    tile, narrow = np.empty(classes * width, x.dtype), np.empty(2 * width, x.dtype)
    label, wide = np.empty(width, _INT), np.empty(4 * width)
    peak, own = narrow[:width], narrow[width:]
    others, w = wide[:width], wide[width : 2 * width]
    gaps, gap = wide[2 * width : 3 * width], wide[3 * width :]
    _load(x, first, inner, width, tile)
    if _CAPPED:
        cap(tile, softcap, tile)
    _peaks(tile, peak)
    for j in range(width):
        # An ignored column has no class, and is computed with the weight and logit of the first.
        label[j] = -1 if target[first + j] == ignore_index else target[first + j]
        k = max(label[j], 0)
        w[j], gaps[j] = weight[k], 0
        gap[j] = np.float64(peak[j]) - np.float64(tile[k * width + j])
    total = 0.0  # of the weights, over which smoothing spreads
    if smoothing > 0:
        for c in range(classes):
            row, share = tile[c * width : (c + 1) * width], weight[c]
            total += np.float64(share)
            for j in range(width):
                below = peak[j] - row[j]
                gaps[j] += np.float64(share * below if share != _ZERO and below > _ZERO else _ZERO)
    _exp_columns(tile, peak, label, own, others)
    uniform = smoothing / classes
    for j in range(width):
        p = np.float64(own[j])
        whole = others[j] + p
        excess = np.float64(_log1p(_FLOAT(others[j] + (p - 1.0))))
        nll = (gap[j] if gap[j] > 0 else 0.0) + excess
        lse = np.float64(peak[j]) + excess
        loss, pull, spread = _shape(nll, others[j] / whole, lse, 1.0 - smoothing, option)
        loss = (w[j] * loss if w[j] != 0 else 0.0) + uniform * (gaps[j] + total * excess)
        pull, spread = w[j] * pull, w[j] * spread + uniform * total
        peak[j] = _FLOAT((pull + spread) / whole / divisor)
        own[j] = _FLOAT(((p * spread - others[j] * pull) / whole - uniform * w[j]) / divisor)
        gaps[j] = loss if label[j] >= 0 else 0.0
    if slopes.size:
        for c in range(classes):
            row, lift = tile[c * width : (c + 1) * width], _FLOAT(uniform / divisor) * weight[c]
            for j in range(width):
                row[j] = row[j] * peak[j] - lift if label[j] >= 0 else _ZERO
        for j in range(width):
            if label[j] >= 0:
                tile[label[j] * width + j] = own[j]
    return _finish(tile, first, inner, x, softcap, slopes, gaps, losses)


@kernel
def soft_strip(
    x,
    target,
    weight,
    ignore_index,
    smoothing,
    z_loss,
    softcap,
    inner,
    samples,
    block,
    divisor,
    losses,
    slopes,
):
    """As `row_block` with `soft_row`, for samples side by side."""
    classes, (first, width) = weight.size, _span(block, inner, samples)
    tile, mass = np.empty(classes * width, x.dtype), np.empty(classes * width, x.dtype)
    narrow, wide, place = np.empty(2 * width, x.dtype), np.empty(4 * width), np.empty(width, _INT)
    peak, own = narrow[:width], narrow[width:]
    rest, total = wide[:width], wide[width : 2 * width]
    gaps, at_top = wide[2 * width : 3 * width], wide[3 * width :]
    _load(x, first, inner, width, tile)
    _load(target, first, inner, width, mass)
    if _CAPPED:
        cap(tile, softcap, tile)
    _peaks(tile, peak)
    for j in range(width):
        place[j], total[j], gaps[j], at_top[j] = 0, 0, 0, 0
    keep, spread, scale = _FLOAT(1.0 - smoothing), _FLOAT(smoothing / classes), _FLOAT(1.0 / divisor)
    for c in range(classes - 1, -1, -1):
        row = tile[c * width : (c + 1) * width]
        for j in range(width):
            place[j] = _INT(c) if row[j] == peak[j] else place[j]
    for c in range(classes):
        row, q, w = tile[c * width : (c + 1) * width], mass[c * width : (c + 1) * width], weight[c]
        for j in range(width):
            q[j] = _mass(w, q[j], keep, spread)
            below = peak[j] - row[j]
            total[j] += np.float64(q[j])
            at_top[j] += np.float64(_ZERO if place[j] == _INT(c) else q[j])
            gaps[j] += np.float64(q[j] * below if q[j] != _ZERO and below > _ZERO else _ZERO)
    _exp_columns(tile, peak, place, own, rest)
    for j in range(width):
        excess = np.float64(_log1p(_FLOAT(rest[j])))
        z, _, slope_z = cross_entropy_shape(0.0, 0.0, np.float64(peak[j]) + excess, 0.0, z_loss)
        gaps[j] += total[j] * excess + z
        own[j] = _FLOAT((at_top[j] + (slope_z - total[j] * rest[j]) / (1.0 + rest[j])) / divisor)
        peak[j] = _FLOAT((total[j] + slope_z) / (1.0 + rest[j]) / divisor)
    if slopes.size:
        for c in range(classes):
            row, q = tile[c * width : (c + 1) * width], mass[c * width : (c + 1) * width]
            for j in range(width):
                row[j] = row[j] * peak[j] - scale * q[j]
        for j in range(width):
            tile[place[j] * width + j] = own[j]
    return _finish(tile, first, inner, x, softcap, slopes, gaps, losses)
