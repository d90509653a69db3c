"""Losses over classes for one sample or one tile of samples: loss and gradient in one pass.

Two layouts.  A row has the classes of one sample side by side.  A tile has samples side by side:
it is (classes, samples) in memory, and its columns are computed together.

The numerics are chosen for small losses and gradients: the sum of the *other* classes' exponentials
is kept apart from the target's own, so that log1p and a quotient replace log(1 + tiny) and
softmax - 1, both of which lose every digit of a confident sample.
"""

from typing import Any

import numpy as np

from .jit import kernel
from .losses_pointwise import total_of
from .math import (
    _EXP_TERMS,
    _FLOAT,
    _INT,
    _ONE,
    _SINGLE,
    _ZERO,
    _polynomial,
    _power_of_two,
    _split,
    log1p,
)

# What `math` has for float64 and in `_SINGLE` for float32, and two constants more.
_LOWEST_BITS, _LOWEST_EXPONENT = np.int64(-(2**63)), np.float64(-708.39)
SINGLE = {
    **_SINGLE,
    "_LOWEST_BITS": np.int32(-(2**31)),
    "_LOWEST_EXPONENT": np.float32(-87.33),
}


@kernel
def _exp_below(x, top):
    """exp(x - top) for x <= top, within 1.2 ulp although x - top is rounded.

    It is 0 where it is below the smallest normal number.
    """
    difference = x - top
    # What rounding took from the difference (Knuth's two-sum).
    back = x - difference
    lost = (x - (difference + back)) + (back - top)
    n, r = _split(difference)
    r = r + lost
    e = ((r * r) * _polynomial(_EXP_TERMS, r) + r + _ONE) * _power_of_two(n)
    return _ZERO if difference < _LOWEST_EXPONENT else e


@kernel
def _largest(row):
    """The largest element, searched among integers, since that vectorises.

    The bits of a float, with those of the negative ones reversed, are ordered as the floats are.
    """
    bits = row.view(_INT)
    top = _LOWEST_BITS
    for i in range(bits.size):
        key = bits[i] if bits[i] >= 0 else _INT(_LOWEST_BITS - bits[i])
        top = key if key > top else top
    return _INT(top if top >= 0 else _LOWEST_BITS - top).view(_FLOAT)


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
def _exp_row(row, top, out):
    for i in range(row.size):
        out[i] = _exp_below(row[i], top)


@kernel
def _scale_row(row, factor):
    factor = _FLOAT(factor)
    for i in range(row.size):
        row[i] *= factor


@kernel
def _segment(first, left, classes, inner):
    """How many samples from `first` on lie evenly spaced in memory, where, and how far apart."""
    if inner == 1:
        return left, first * classes, classes
    outer, place = first // inner, first % inner
    return min(left, inner - place), outer * classes * inner + place, 1


@kernel
def _gather(x, first, inner, classes, tile):
    """tile[c, j] = class c of sample first + j of x, which is (samples / inner, classes, inner).

    Tiles are flat, and their rows are slices: two dimensions take twice as long to compile.
    """
    width = tile.size // classes
    j = 0
    while j < width:
        run, start, step = _segment(first + j, width - j, classes, inner)
        for c in range(classes):
            row = tile[c * width + j : c * width + j + run]
            for i in range(run):
                # Unsigned, as the test for a negative index keeps the loop from vectorising.
                row[i] = x[np.uintp(start + i * step)]
            start += inner
        j += run


@kernel
def _scatter(tile, first, inner, classes, x):
    """The inverse of `_gather`."""
    width = tile.size // classes
    j = 0
    while j < width:
        run, start, step = _segment(first + j, width - j, classes, inner)
        for c in range(classes):
            row = tile[c * width + j : c * width + j + run]
            for i in range(run):
                x[np.uintp(start + i * step)] = row[i]
            start += inner
        j += run


@kernel
def _largest_of_columns(tile, top):
    width = top.size
    for j in range(width):
        top[j] = tile[j]
    for start in range(width, tile.size, width):
        row = tile[start : start + width]
        for j in range(width):
            top[j] = row[j] if row[j] > top[j] else top[j]


# ------------------------------------------------------- one sample: (target, i) is its own target
@kernel
def hard_row(row, target, i, weight, ignore_index, smoothing, divisor, slopes, spare):
    """The loss of a sample of one class; `slopes` becomes its gradient over `divisor`."""
    label = target[i]
    if label == ignore_index:
        slopes[:] = 0
        return 0.0
    w = np.float64(weight[label])
    top = _largest(row)
    _exp_row(row, top, slopes)
    own = np.float64(slopes[label])
    slopes[label] = 0
    others = _row_sum(slopes)
    factor = w / divisor / (others + own)
    _scale_row(slopes, factor)
    slopes[label] = 0.0 - others * factor
    return w * (np.float64((top - row[label]) + log1p(_FLOAT(others + (own - 1.0)))))


# Three loops, since one with all four sums does not vectorise.
@kernel(fastmath={"contract", "reassoc", "nsz"})
def _sum_below_one(e):
    total = 0.0
    for i in range(e.size):
        total += _ZERO if e[i] == _ONE else e[i]
    return total


@kernel
def _count_ones(e):
    count = 0
    for i in range(e.size):
        count += e[i] == _ONE
    return count


@kernel(fastmath={"contract", "reassoc", "nsz"})
def _sum_of_gaps(mass, top, row):
    total = 0.0
    for i in range(row.size):
        # A class without mass costs nothing, however unlikely it is: 0 * inf is 0 here.
        gap = top - row[i] if mass[i] != _ZERO else _ZERO
        total += np.float64(mass[i] * gap)
    return total


@kernel
def _mass_row(row, mass, divisor, slopes):
    """The loss of a sample with `mass` (weight times probability) on every class."""
    top = _largest(row)
    _exp_row(row, top, slopes)
    total = total_of(mass)
    rest = _sum_below_one(slopes) + (_count_ones(slopes) - 1.0)
    share = _FLOAT(total / (1.0 + rest))
    missing = total * (rest / (1.0 + rest))
    loss = _sum_of_gaps(mass, top, row) + total * np.float64(log1p(_FLOAT(rest)))
    scale = _FLOAT(1.0 / divisor)
    for c in range(row.size):
        # At the top total * softmax - mass, with 1 - softmax not computed from softmax.
        at_top = _FLOAT((total - mass[c]) - missing)
        slope = at_top if slopes[c] == _ONE else slopes[c] * share - mass[c]
        slopes[c] = slope * scale
    return loss


@kernel
def smoothed_row(row, target, i, weight, ignore_index, smoothing, divisor, slopes, mass):
    label = target[i]
    if label == ignore_index:
        slopes[:] = 0
        return 0.0
    spread = _FLOAT(smoothing / row.size)
    for c in range(row.size):
        mass[c] = weight[c] * spread
    mass[label] += weight[label] * _FLOAT(1.0 - smoothing)
    return _mass_row(row, mass, divisor, slopes)


@kernel
def soft_row(row, target, i, weight, ignore_index, smoothing, divisor, slopes, mass):
    keep, spread = _FLOAT(1.0 - smoothing), _FLOAT(smoothing / row.size)
    probabilities = target[i * row.size : (i + 1) * row.size]
    for c in range(row.size):
        mass[c] = weight[c] * (keep * probabilities[c] + spread)
    return _mass_row(row, mass, divisor, slopes)


# ------------------------------------------------------- a tile: the samples from first to last - 1
@kernel
def hard_tile(x, target, weight, ignore_index, smoothing, inner, divisor, losses, slopes, first, last):
    """The summed losses of samples of one class each; `losses` and `slopes` are filled if not empty."""
    classes, width = weight.size, last - first
    labels = target[first:last]
    tile = np.empty(classes * width, x.dtype)
    top, own, part = np.empty(width, x.dtype), np.empty(width, x.dtype), np.empty(width, x.dtype)
    others, e, w = np.empty(width), np.empty(width), np.empty(width)
    _gather(x, first, inner, classes, tile)
    for j in range(width):
        # An ignored column is computed as if it were of class 0, then dropped.
        label = 0 if labels[j] == ignore_index else labels[j]
        own[j] = tile[label * width + j]
        w[j] = weight[label]
        others[j], part[j] = 0, 0
    _largest_of_columns(tile, top)
    for c in range(classes):
        row = tile[c * width : (c + 1) * width]
        for j in range(width):
            row[j] = _exp_below(row[j], top[j])
            part[j] += _ZERO if labels[j] == c else row[j]
        # Sixteen at a time in their own type, which is faster, then in float64.
        if c % 16 == 15 or c == classes - 1:
            for j in range(width):
                others[j] += np.float64(part[j])
                part[j] = 0
    for j in range(width):
        e[j] = tile[(0 if labels[j] == ignore_index else labels[j]) * width + j]
    for j in range(width):
        loss = w[j] * np.float64((top[j] - own[j]) + log1p(_FLOAT(others[j] + (e[j] - 1.0))))
        factor = w[j] / divisor / (others[j] + e[j])
        counts = labels[j] != ignore_index
        own[j] = _FLOAT(0.0 - others[j] * factor) if counts else _ZERO
        part[j] = _FLOAT(factor) if counts else _ZERO
        e[j] = loss if counts else 0.0
    if slopes.size:
        for c in range(classes):
            row = tile[c * width : (c + 1) * width]
            for j in range(width):
                row[j] = row[j] * part[j] if part[j] != _ZERO else _ZERO
        for j in range(width):
            if labels[j] != ignore_index:
                tile[labels[j] * width + j] = own[j]
        _scatter(tile, first, inner, classes, slopes)
    return _note(e, losses, first)


@kernel
def _note(tile_losses, losses, first):
    """Keep the losses of a tile if they are wanted; their sum."""
    if losses.size:
        for j in range(tile_losses.size):
            losses[first + j] = tile_losses[j]
    return total_of(tile_losses)


_fill: Any = None  # fills a tile with the mass on each class: bound by those who use `mass_tile`


@kernel
def mass_tile(x, target, weight, ignore_index, smoothing, inner, divisor, losses, slopes, first, last):
    """As `hard_tile`, for samples with a mass (weight times probability) on every class."""
    classes, width = weight.size, last - first
    tile, mass = np.empty(classes * width, x.dtype), np.empty(classes * width, x.dtype)
    others, ones, total, gap = np.empty(width), np.empty(width), np.empty(width), np.empty(width)
    top = np.empty(width, x.dtype)
    _gather(x, first, inner, classes, tile)
    _fill(target, first, inner, weight, ignore_index, smoothing, mass)
    for j in range(width):
        others[j], ones[j], total[j], gap[j] = 0, 0, 0, 0
    _largest_of_columns(tile, top)
    for start in range(0, tile.size, width):
        row, q = tile[start : start + width], mass[start : start + width]
        for j in range(width):
            e = _exp_below(row[j], top[j])
            others[j] += np.float64(_ZERO if e == _ONE else e)
            ones[j] += np.float64(_ONE if e == _ONE else _ZERO)
            total[j] += np.float64(q[j])
            # A class without mass costs nothing, however unlikely it is: 0 * inf is 0 here.
            gap[j] += np.float64(q[j] * (top[j] - row[j]) if q[j] != _ZERO else _ZERO)
            row[j] = e
    for j in range(width):
        rest = others[j] + (ones[j] - 1.0)
        loss = gap[j] + total[j] * np.float64(log1p(_FLOAT(rest)))
        # Without any mass, as where the target is ignored, there is no loss.
        gap[j] = loss if total[j] != 0 else 0.0
        others[j] = total[j] * (rest / (1.0 + rest))
        top[j] = _FLOAT(total[j] / (1.0 + rest))
    if slopes.size:
        scale = _FLOAT(1.0 / divisor)
        for start in range(0, tile.size, width):
            row, q = tile[start : start + width], mass[start : start + width]
            for j in range(width):
                at_top = _FLOAT((total[j] - q[j]) - others[j])
                slope = at_top if row[j] == _ONE else row[j] * top[j] - q[j]
                row[j] = slope * scale if total[j] != 0 else _ZERO
        _scatter(tile, first, inner, classes, slopes)
    return _note(gap, losses, first)


@kernel
def fill_smoothed(target, first, inner, weight, ignore_index, smoothing, mass):
    classes, width = weight.size, mass.size // weight.size
    labels = target[first : first + width]
    keep, spread = _FLOAT(1.0 - smoothing), _FLOAT(smoothing / classes)
    for c in range(classes):
        row, w = mass[c * width : (c + 1) * width], weight[c]
        for j in range(width):
            share = spread + keep if labels[j] == c else spread
            row[j] = w * share if labels[j] != ignore_index else _ZERO


@kernel
def fill_soft(target, first, inner, weight, ignore_index, smoothing, mass):
    classes, width = weight.size, mass.size // weight.size
    _gather(target, first, inner, classes, mass)
    keep, spread = _FLOAT(1.0 - smoothing), _FLOAT(smoothing / classes)
    for c in range(classes):
        row, w = mass[c * width : (c + 1) * width], weight[c]
        for j in range(width):
            row[j] = w * (keep * row[j] + spread)
