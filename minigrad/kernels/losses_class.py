"""Losses over classes (cross entropy, negative log-likelihood) and their gradients in one pass.

Two layouts.  Rows of many classes side by side in memory are swept one sample at a time.  All else,
few classes or classes with further dimensions behind them, is gathered into tiles of (classes,
samples), whose columns are computed side by side.

The numerics are chosen for small losses and gradients: the sum of the *other* classes' exponentials
is kept apart from the target's own, so that log1p and a quotient replace log(1 + tiny) and
softmax - 1, both of which lose every digit of a confident sample.

The public functions return ``(value, gradient)`` or NotImplemented as those of `losses_pointwise`
do; ``input`` is (classes,), (samples, classes) or (samples, classes, d1, ...).
"""

import math
from typing import Any

import numpy as np
from numpy import ndarray

from .jit import Kernel, flat, kernel, prange
from .losses_pointwise import EMPTY, FLOAT32, FLOAT64, Result, total_of
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

# Samples in a tile, and rows handled by one thread at a time.
SAMPLES = 64
# From this many classes on, a row of its own is faster than a column of a tile.
WIDE = 48
# From this many elements on two threads win over the cost of launching them.
PARALLEL_FROM = 8192

# What `math` has for float64 and in `_SINGLE` for float32, and two constants more.
_LOWEST_BITS, _LOWEST_EXPONENT = np.int64(-(2**63)), np.float64(-708.39)
_SINGLE_TOO = {
    **_SINGLE,
    "_LOWEST_BITS": np.int32(-(2**31)),
    "_LOWEST_EXPONENT": np.float32(-87.33),
}


# ------------------------------------------------------------------------------------------- pieces
@kernel
def _exp_below(x, top):
    """exp(x - top) for x <= top, within 1.1 ulp although x - top is rounded.

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
    """The sum: in the array's own type for up to 512 elements, above that in float64."""
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
def _gather(x, first, inner, tile):
    """tile[c, j] = class c of sample first + j of x, which is (samples / inner, classes, inner)."""
    classes, width = tile.shape
    if inner == 1:
        for j in range(width):
            row = x[(first + j) * classes : (first + j + 1) * classes]
            for c in range(classes):
                tile[c, j] = row[c]
        return
    j = 0
    while j < width:
        outer, place = divmod(first + j, inner)
        run = min(width - j, inner - place)
        for c in range(classes):
            start = (outer * classes + c) * inner + place
            tile[c, j : j + run] = x[start : start + run]
        j += run


@kernel
def _scatter(tile, first, inner, x):
    """The inverse of `_gather`."""
    classes, width = tile.shape
    if inner == 1:
        for j in range(width):
            row = x[(first + j) * classes : (first + j + 1) * classes]
            for c in range(classes):
                row[c] = tile[c, j]
        return
    j = 0
    while j < width:
        outer, place = divmod(first + j, inner)
        run = min(width - j, inner - place)
        for c in range(classes):
            start = (outer * classes + c) * inner + place
            x[start : start + run] = tile[c, j : j + run]
        j += run


@kernel
def _largest_of_columns(tile):
    top = tile[0].copy()
    for c in range(1, tile.shape[0]):
        row = tile[c]
        for j in range(row.size):
            top[j] = row[j] if row[j] > top[j] else top[j]
    return top


@kernel
def _survey(target, weight, ignore_index, samples):
    """The place of the first target that is no class (or -1), and the summed weights of the others."""
    classes = weight.size
    total = 0.0
    for i in range(target.size):
        label = target[i]
        if label != ignore_index:
            if label < 0 or label >= classes:
                return i, 0.0
            total += weight[label]
    return -1, total


# ------------------------------------------------------- one sample: (target, i) is its own target
@kernel
def _hard_row(row, target, i, weight, ignore_index, smoothing, divisor, slopes, spare):
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
    return w * (np.float64(top - row[label]) + log1p(others + (own - 1.0)))


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
    loss = _sum_of_gaps(mass, top, row) + total * log1p(rest)
    scale = _FLOAT(1.0 / divisor)
    for c in range(row.size):
        # At the top total * softmax - mass, with 1 - softmax not computed from softmax.
        at_top = _FLOAT((total - mass[c]) - missing)
        slope = at_top if slopes[c] == _ONE else slopes[c] * share - mass[c]
        slopes[c] = slope * scale
    return loss


@kernel
def _smoothed_row(row, target, i, weight, ignore_index, smoothing, divisor, slopes, mass):
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
def _soft_row(row, target, i, weight, ignore_index, smoothing, divisor, slopes, mass):
    keep, spread = _FLOAT(1.0 - smoothing), _FLOAT(smoothing / row.size)
    probabilities = target[i * row.size : (i + 1) * row.size]
    for c in range(row.size):
        mass[c] = weight[c] * (keep * probabilities[c] + spread)
    return _mass_row(row, mass, divisor, slopes)


# --------------------------------------------- a tile: the target of column j is that of first + j
@kernel
def _hard_tile(tile, target, first, inner, weight, ignore_index, smoothing, divisor, losses):
    """The losses of the columns of a tile, which becomes their gradient over `divisor`."""
    classes, width = tile.shape
    labels = target[first : first + width].copy()
    counts = labels != ignore_index
    own, others, w = np.empty(width, tile.dtype), np.zeros(width), np.empty(width)
    for j in range(width):
        labels[j] = labels[j] if counts[j] else 0
        own[j] = tile[labels[j], j]
        w[j] = weight[labels[j]]
    top = _largest_of_columns(tile)
    for c in range(classes):
        row = tile[c]
        for j in range(width):
            e = _exp_below(row[j], top[j])
            others[j] += np.float64(_ZERO if labels[j] == c else e)
            row[j] = e
    for j in range(width):
        e = np.float64(_exp_below(own[j], top[j]))
        loss = w[j] * (np.float64(top[j] - own[j]) + log1p(others[j] + (e - 1.0)))
        factor = w[j] / divisor / (others[j] + e)
        losses[j] = loss if counts[j] else 0.0
        own[j] = _FLOAT(0.0 - others[j] * factor) if counts[j] else _ZERO
        top[j] = _FLOAT(factor) if counts[j] else _ZERO
    for c in range(classes):
        row = tile[c]
        for j in range(width):
            row[j] = row[j] * top[j] if top[j] != _ZERO else _ZERO
    for j in range(width):
        tile[labels[j], j] = own[j]


@kernel
def _mass_tile(tile, mass, counts, divisor, losses):
    """As `_mass_row`, for the columns of a tile, which becomes their gradient over `divisor`."""
    classes, width = tile.shape
    others, ones, total, gap = np.zeros(width), np.zeros(width), np.zeros(width), np.zeros(width)
    top = _largest_of_columns(tile)
    for c in range(classes):
        row, q = tile[c], mass[c]
        for j in range(width):
            e = _exp_below(row[j], top[j])
            others[j] += np.float64(_ZERO if e == _ONE else e)
            ones[j] += np.float64(_ONE if e == _ONE else _ZERO)
            total[j] += np.float64(q[j])
            gap[j] += np.float64(q[j] * (top[j] - row[j]) if q[j] != _ZERO else _ZERO)
            row[j] = e
    for j in range(width):
        rest = others[j] + (ones[j] - 1.0)
        losses[j] = gap[j] + total[j] * log1p(rest) if counts[j] else 0.0
        others[j] = total[j] * (rest / (1.0 + rest))
        top[j] = _FLOAT(total[j] / (1.0 + rest))
    scale = _FLOAT(1.0 / divisor)
    for c in range(classes):
        row, q = tile[c], mass[c]
        for j in range(width):
            at_top = _FLOAT((total[j] - q[j]) - others[j])
            slope = at_top if row[j] == _ONE else row[j] * top[j] - q[j]
            row[j] = slope * scale if counts[j] else _ZERO


@kernel
def _smoothed_tile(tile, target, first, inner, weight, ignore_index, smoothing, divisor, losses):
    classes, width = tile.shape
    mass = np.empty((classes, width), tile.dtype)
    labels = target[first : first + width]
    counts = labels != ignore_index
    keep, spread = _FLOAT(1.0 - smoothing), _FLOAT(smoothing / classes)
    for c in range(classes):
        mass[c] = weight[c] * spread
    for j in range(width):
        if counts[j]:
            mass[labels[j], j] += weight[labels[j]] * keep
    _mass_tile(tile, mass, counts, divisor, losses)


@kernel
def _soft_tile(tile, target, first, inner, weight, ignore_index, smoothing, divisor, losses):
    classes, width = tile.shape
    mass = np.empty((classes, width), tile.dtype)
    _gather(target, first, inner, mass)
    keep, spread = _FLOAT(1.0 - smoothing), _FLOAT(smoothing / classes)
    for c in range(classes):
        row, w = mass[c], weight[c]
        for j in range(width):
            row[j] = w * (keep * row[j] + spread)
    _mass_tile(tile, mass, np.ones(width, np.bool_), divisor, losses)


# ----------------------------------------------------------------------------------- whole arrays
_row: Any = None  # the loss of a row, of a tile, and the survey of the targets: bound below
_tile: Any = None


@kernel
def _survey_soft(target, weight, ignore_index, samples):
    return -1, float(samples)


@kernel(parallel=True, threshold=PARALLEL_FROM)
def _rows(
    x, target, weight, ignore_index, smoothing, inner, samples, divided, losses, slopes, total
):
    """Fill `losses` and `slopes` where they are wanted (not empty), and the sum or mean `total`.

    Gives the place of the first target that is no class, or -1.
    """
    bad, mass = _survey(target, weight, ignore_index, samples)
    if bad >= 0:
        return bad
    divisor = mass if divided else 1.0
    classes = weight.size
    totals = np.zeros((samples + SAMPLES - 1) // SAMPLES)
    for block in prange(totals.size):
        spare = np.empty(classes, x.dtype)
        unwanted = np.empty(classes, x.dtype)
        for i in range(block * SAMPLES, min(samples, (block + 1) * SAMPLES)):
            row = x[i * classes : (i + 1) * classes]
            own = slopes[i * classes : (i + 1) * classes] if slopes.size else unwanted
            loss = _row(row, target, i, weight, ignore_index, smoothing, divisor, own, spare)
            if losses.size:
                losses[i] = loss
            totals[block] += loss
    total[()] = total_of(totals) / divisor
    return -1


@kernel(parallel=True, threshold=PARALLEL_FROM)
def _tiles(
    x, target, weight, ignore_index, smoothing, inner, samples, divided, losses, slopes, total
):
    """As `_rows`, where `x` is (samples / inner, classes, inner)."""
    bad, mass = _survey(target, weight, ignore_index, samples)
    if bad >= 0:
        return bad
    divisor = mass if divided else 1.0
    totals = np.zeros((samples + SAMPLES - 1) // SAMPLES)
    for block in prange(totals.size):
        first = block * SAMPLES
        width = min(SAMPLES, samples - first)
        tile = np.empty((weight.size, width), x.dtype)
        own = np.empty(width)
        _gather(x, first, inner, tile)
        _tile(tile, target, first, inner, weight, ignore_index, smoothing, divisor, own)
        if losses.size:
            losses[first : first + width] = own
        if slopes.size:
            _scatter(tile, first, inner, slopes)
        totals[block] = total_of(own)
    total[()] = total_of(totals) / divisor
    return -1


@kernel(parallel=True, threshold=PARALLEL_FROM)
def _picks(
    x, target, weight, ignore_index, smoothing, inner, samples, divided, losses, slopes, total
):
    """Negative log-likelihood; `slopes` comes filled with zeros."""
    bad, mass = _survey(target, weight, ignore_index, samples)
    if bad >= 0:
        return bad
    divisor = mass if divided else 1.0
    totals = np.zeros((samples + SAMPLES - 1) // SAMPLES)
    for block in prange(totals.size):
        for i in range(block * SAMPLES, min(samples, (block + 1) * SAMPLES)):
            loss = 0.0
            if target[i] != ignore_index:
                place = (i // inner * weight.size + target[i]) * inner + i % inner
                w = np.float64(weight[target[i]])
                loss = -w * x[place]
                if slopes.size:
                    slopes[place] = -w / divisor
            if losses.size:
                losses[i] = loss
            totals[block] += loss
    total[()] = total_of(totals) / divisor
    return -1


def _by_dtype(loop: Kernel, name: str, **parts: Kernel) -> dict[Any, Kernel]:
    double = loop.specialise(f"_{name}64", **parts)
    return {FLOAT64: double, FLOAT32: double.specialise(f"_{name}32", **_SINGLE_TOO)}


_HARD_ROWS = _by_dtype(_rows, "hard_rows", _row=_hard_row)
_HARD_TILES = _by_dtype(_tiles, "hard_tiles", _tile=_hard_tile)
_SMOOTHED_ROWS = _by_dtype(_rows, "smoothed_rows", _row=_smoothed_row)
_SMOOTHED_TILES = _by_dtype(_tiles, "smoothed_tiles", _tile=_smoothed_tile)
_SOFT_ROWS = _by_dtype(_rows, "soft_rows", _row=_soft_row, _survey=_survey_soft)
_SOFT_TILES = _by_dtype(_tiles, "soft_tiles", _tile=_soft_tile, _survey=_survey_soft)
_PICKS = {FLOAT32: _picks, FLOAT64: _picks}

Loops = dict[Any, Kernel]
_ones: dict[Any, ndarray] = {}  # the weights of unweighted losses, by (dtype, classes)


def _class_weights(weight: ndarray | None, dtype: Any, classes: int) -> ndarray | None:
    """One weight a class; None if `weight` is none of this dtype and length."""
    if weight is None:
        ones = _ones.get((dtype, classes))
        if ones is None:
            ones = _ones[dtype, classes] = np.ones(classes, dtype)
        return ones
    return flat(weight) if weight.dtype == dtype and weight.shape == (classes,) else None


def _run(
    rows: Loops,
    tiles: Loops,
    x: ndarray,
    target: ndarray,
    weight: ndarray | None,
    ignore_index: int,
    smoothing: float,
    reduction: str,
    grad: bool,
) -> Result:
    dtype, shape = x.dtype, x.shape
    if dtype not in EMPTY or not shape:
        return NotImplemented
    classes = shape[0] if len(shape) == 1 else shape[1]
    outer = () if len(shape) == 1 else (shape[0], *shape[2:])
    soft = target.dtype == dtype
    w = _class_weights(weight, dtype, classes)
    if w is None or target.shape != (shape if soft else outer) or (soft and not classes):
        return NotImplemented
    value = total = np.empty((), dtype)
    losses = slopes = EMPTY[dtype]
    gradient = None
    if grad:
        gradient = np.zeros(shape, dtype) if tiles is _PICKS else np.empty(shape, dtype)
        slopes = gradient.ravel()
    if reduction == "none":
        value = np.empty(outer, dtype)
        losses = value.ravel()
    samples = math.prod(outer)
    inner = math.prod(outer[1:])
    loop = (rows if inner == 1 and classes >= WIDE else tiles)[dtype]
    targets, mean = flat(target), reduction == "mean"
    bad = loop.run(
        x.size, flat(x), targets, w, ignore_index, smoothing, inner, samples, mean, losses, slopes, total
    )
    if bad >= 0:
        _raise_out_of_bounds(target, bad, classes, ignore_index)
    return value, gradient


def _raise_out_of_bounds(target: ndarray, bad: int, classes: int, ignore_index: int) -> None:
    label = int(target.reshape(-1)[bad])
    place = [int(i) for i in np.unravel_index(bad, target.shape)]
    name = f"target{place}" if place else "target"
    valid = f"from 0 to {classes - 1} for {classes} classes" if classes else "absent: no classes"
    raise IndexError(
        f"Target {label} is out of bounds.\n"
        f"{name} is {label}, but a target must be {valid}, or ignore_index ({ignore_index})."
    )


def cross_entropy_indices(
    input: ndarray,
    target: ndarray,
    weight: ndarray | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    *,
    reduction: str,
    grad: bool,
) -> Result:
    """-w[t] log softmax(x)[t] for int64 classes t; the mean is over the weights w[t] that count.

    With label smoothing e it is (1 - e) times that and e/C times the sum of -w[c] log softmax(x)[c].
    Raises IndexError for a target that is neither a class nor `ignore_index`.
    """
    if target.dtype != np.int64:
        return NotImplemented
    rows, tiles = (
        (_SMOOTHED_ROWS, _SMOOTHED_TILES) if label_smoothing > 0 else (_HARD_ROWS, _HARD_TILES)
    )
    return _run(
        rows, tiles, input, target, weight, ignore_index, label_smoothing, reduction, grad
    )


def cross_entropy_probabilities(
    input: ndarray,
    target: ndarray,
    weight: ndarray | None = None,
    label_smoothing: float = 0.0,
    *,
    reduction: str,
    grad: bool,
) -> Result:
    """-sum of w[c] t[c] log softmax(x)[c] for probabilities t, smoothed to (1 - e) t + e/C.

    The mean is over the samples, whatever the weights.  A class of probability 0 costs nothing, even
    if its logit is -inf.
    """
    if target.dtype != input.dtype:
        return NotImplemented
    return _run(
        _SOFT_ROWS, _SOFT_TILES, input, target, weight, -1, label_smoothing, reduction, grad
    )


def nll(
    input: ndarray,
    target: ndarray,
    weight: ndarray | None = None,
    ignore_index: int = -100,
    *,
    reduction: str,
    grad: bool,
) -> Result:
    """-w[t] x[t] for log-probabilities x; all else as in `cross_entropy_indices`."""
    if target.dtype != np.int64:
        return NotImplemented
    return _run(_PICKS, _PICKS, input, target, weight, ignore_index, 0.0, reduction, grad)
