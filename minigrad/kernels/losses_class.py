"""Losses over classes: cross entropy and negative log-likelihood with their gradients.

Rows of many classes side by side in memory are swept one sample at a time.  All else, few classes
or classes with further dimensions behind them, is gathered into tiles of (classes, samples).

The public functions return ``(value, gradient)`` or NotImplemented as those of `losses_pointwise`
do; ``input`` is (classes,), (samples, classes) or (samples, classes, d1, ...).
"""

import math
from typing import Any

import numpy as np
from numpy import ndarray

from .jit import Kernel, flat, kernel, prange
from .losses_pointwise import EMPTY, FLOAT32, FLOAT64, Result, total_of
from .losses_softmax import (
    SINGLE,
    fill_smoothed,
    fill_soft,
    hard_row,
    hard_tile,
    mass_tile,
    smoothed_row,
    soft_row,
)

# Samples in a tile, and rows handled by one thread at a time.
SAMPLES = 64
# From this many classes on, a row of its own is faster than a column of a tile.
WIDE = 64
# From this many elements on two threads win over the cost of launching them.
PARALLEL_FROM = 40_000


Loops = dict[Any, Kernel]  # a sweep for each dtype


@kernel
def _survey(target, weight, ignore_index, samples):
    """The place of the first target that is no class (or -1); the sum of the targets' weights."""
    classes = weight.size
    total = 0.0
    for i in range(target.size):
        label = target[i]
        if label != ignore_index:
            if label < 0 or label >= classes:
                return i, 0.0
            total += weight[label]
    return -1, total


@kernel
def _survey_soft(target, weight, ignore_index, samples):
    return -1, float(samples)


_row: Any = None  # the kernels of a row and of a block of samples: bound below
_block: Any = None


@kernel
def _rows(x, target, weight, ignore_index, smoothing, inner, divisor, losses, slopes, first, last):
    """The summed losses of some samples whose classes lie side by side."""
    classes = weight.size
    spare, unwanted = np.empty(classes, x.dtype), np.empty(classes, x.dtype)
    total = 0.0
    for i in range(first, last):
        row = x[i * classes : (i + 1) * classes]
        own = slopes[i * classes : (i + 1) * classes] if slopes.size else unwanted
        loss = _row(row, target, i, weight, ignore_index, smoothing, divisor, own, spare)
        if losses.size:
            losses[i] = loss
        total += loss
    return total


@kernel
def _picks(x, target, weight, ignore_index, smoothing, inner, divisor, losses, slopes, first, last):
    """The summed negative log-likelihoods of some samples; `slopes` comes filled with zeros."""
    total = 0.0
    for i in range(first, last):
        loss = 0.0
        if target[i] != ignore_index:
            place = (i // inner * weight.size + target[i]) * inner + i % inner
            w = np.float64(weight[target[i]])
            loss = -w * x[place]
            if slopes.size:
                slopes[place] = -w / divisor
        if losses.size:
            losses[i] = loss
        total += loss
    return total


@kernel(parallel=True, threshold=PARALLEL_FROM)
def _sweep(x, target, weight, ignore_index, smoothing, inner, samples, divided, losses, slopes, total):
    """Fill `losses` and `slopes` where they are wanted (not empty), and the sum or mean `total`.

    Gives the place of the first target that is no class, or -1.
    """
    bad, mass = _survey(target, weight, ignore_index, samples)
    if bad >= 0:
        return bad
    divisor = mass if divided else 1.0
    totals = np.empty((samples + SAMPLES - 1) // SAMPLES)
    for i in prange(totals.size):
        first, last = i * SAMPLES, min(samples, (i + 1) * SAMPLES)
        totals[i] = _block(
            x, target, weight, ignore_index, smoothing, inner, divisor, losses, slopes, first, last
        )
    total[()] = total_of(totals) / divisor
    return -1


def _by_dtype(block: Kernel, name: str, survey: Kernel = _survey, **parts: Kernel) -> Loops:
    block = block.specialise(f"_{name}_block", **parts)
    double = _sweep.specialise(f"_{name}64", _block=block, _survey=survey)
    return {FLOAT64: double, FLOAT32: double.specialise(f"_{name}32", **SINGLE)}


_HARD_ROWS = _by_dtype(_rows, "hard_rows", _row=hard_row)
_HARD_TILES = _by_dtype(hard_tile, "hard_tiles")
_SMOOTHED_ROWS = _by_dtype(_rows, "smoothed_rows", _row=smoothed_row)
_SMOOTHED_TILES = _by_dtype(mass_tile, "smoothed_tiles", _fill=fill_smoothed)
_SOFT_ROWS = _by_dtype(_rows, "soft_rows", _survey_soft, _row=soft_row)
_SOFT_TILES = _by_dtype(mass_tile, "soft_tiles", _survey_soft, _fill=fill_soft)
_PICKS = _by_dtype(_picks, "picks")

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
    if w is None or not classes or target.shape != (shape if soft else outer):
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
    arrays = flat(x), flat(target), w
    # Of one Python type each: a kernel is compiled once more for another.
    options = int(ignore_index), float(smoothing), inner, samples, reduction == "mean"
    bad = loop.run(x.size, *arrays, *options, losses, slopes, total)
    if bad >= 0:
        _raise_out_of_bounds(target, bad, classes, ignore_index)
    return value, gradient


def _raise_out_of_bounds(target: ndarray, bad: int, classes: int, ignore_index: int) -> None:
    label = int(target.reshape(-1)[bad])
    place = [int(i) for i in np.unravel_index(bad, target.shape)]
    name = f"target{place}" if place else "target"
    valid = f"from 0 to {classes - 1} for {classes} classes"
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

    With label smoothing e: (1 - e) times that plus e/C times the sum of -w[c] log softmax(x)[c].
    Raises IndexError for a target that is neither a class nor `ignore_index`.
    """
    if target.dtype != np.int64:
        return NotImplemented
    rows, tiles = (_SMOOTHED_ROWS, _SMOOTHED_TILES) if label_smoothing > 0 else (_HARD_ROWS, _HARD_TILES)
    return _run(rows, tiles, input, target, weight, ignore_index, label_smoothing, reduction, grad)


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

    The mean is over the samples, whatever the weights.  A class of probability 0 costs nothing,
    even if its logit is -inf.
    """
    if target.dtype != input.dtype:
        return NotImplemented
    return _run(_SOFT_ROWS, _SOFT_TILES, input, target, weight, -1, label_smoothing, reduction, grad)


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
