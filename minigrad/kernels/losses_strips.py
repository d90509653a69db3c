"""Losses over classes for a strip: samples side by side in memory, its columns, computed together.

So they lie where dimensions follow the classes; samples of few classes are copied to a strip.  The numerics
are those of `losses_softmax`.
"""

from typing import Any

import numpy as np

from .jit import kernel
from .losses_pointwise import total_of
from .losses_softmax import _exp_below, _limit, _mass, cap, cap_slopes, cross_entropy_shape
from .math import _FLOAT, _INT, _ZERO, _log1p

# Columns in a strip.
STRIP = 128

# What specialises a strip: as in `losses_softmax`.
_shape: Any = None
_CAPPED = _SMOOTHED = False


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
def _class_of(label):
    """An ignored column has no class, and is computed with the weight and logit of the first."""
    return label if label > 0 else _INT(0)


@kernel
def _exp_columns(tile, peak, apart, own, others, top, part):
    """The exponentials of a tile: of the class set apart in each column, and the sum of the others.

    `top` and `part` are room to work in.
    """
    width = peak.size
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
        own[j] = tile[_class_of(apart[j]) * width + j]


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
def _add_gaps(tile, peak, weight, gaps):
    """Add to each column what `_weighted_gaps` gives; the sum of the weights."""
    width, total = peak.size, 0.0
    for c in range(weight.size):
        row, share = tile[c * width : (c + 1) * width], weight[c]
        total += np.float64(share)
        for j in range(width):
            below = peak[j] - row[j]
            gaps[j] += np.float64(share * below if share != _ZERO and below > _ZERO else _ZERO)
    return total


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
    tile, label, wide = np.empty(classes * width, x.dtype), np.empty(width, _INT), np.empty(4 * width)
    narrow = np.empty(4 * width, x.dtype)
    peak, own = narrow[:width], narrow[width : 2 * width]
    others, w = wide[:width], wide[width : 2 * width]
    column_losses, gap = wide[2 * width : 3 * width], wide[3 * width :]
    _load(x, first, inner, width, tile)
    if _CAPPED:
        cap(tile, softcap, tile)
    _peaks(tile, peak)
    for j in range(width):
        label[j] = -1 if target[first + j] == ignore_index else target[first + j]
        k = _class_of(label[j])
        w[j], column_losses[j] = weight[k], 0
        gap[j] = np.float64(peak[j]) - np.float64(tile[k * width + j])
    total, uniform = 0.0, smoothing / classes  # of the weights, over which smoothing spreads
    if _SMOOTHED:
        total = _add_gaps(tile, peak, weight, column_losses)
    _exp_columns(tile, peak, label, own, others, narrow[2 * width : 3 * width], narrow[3 * width :])
    for j in range(width):
        p = np.float64(own[j])
        whole = others[j] + p
        excess = np.float64(_log1p(_FLOAT(others[j] + (p - 1.0))))
        nll = (gap[j] if gap[j] > 0 else 0.0) + excess
        lse = np.float64(peak[j]) + excess
        loss, pull, spread = _shape(nll, others[j] / whole, lse, 1.0 - smoothing, option)
        loss, pull, spread = (w[j] * loss if w[j] != 0 else 0.0), w[j] * pull, w[j] * spread
        if _SMOOTHED:
            loss += uniform * (column_losses[j] + total * excess)
            spread += uniform * total
        peak[j] = _FLOAT((pull + spread) / whole / divisor)
        own[j] = _FLOAT(((p * spread - others[j] * pull) / whole - uniform * w[j]) / divisor)
        column_losses[j] = loss if label[j] >= 0 else 0.0
    if slopes.size:
        for c in range(classes):
            row = tile[c * width : (c + 1) * width]
            lift = _FLOAT(uniform / divisor) * weight[c] if _SMOOTHED else _ZERO
            for j in range(width):
                row[j] = row[j] * peak[j] - lift if label[j] >= 0 else _ZERO
        for j in range(width):
            if label[j] >= 0:
                tile[label[j] * width + j] = own[j]
    return _finish(tile, first, inner, x, softcap, slopes, column_losses, losses)


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
    narrow, wide, place = np.empty(4 * width, x.dtype), np.empty(4 * width), np.empty(width, _INT)
    peak, own = narrow[:width], narrow[width : 2 * width]
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
    _exp_columns(tile, peak, place, own, rest, narrow[2 * width : 3 * width], narrow[3 * width :])
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
