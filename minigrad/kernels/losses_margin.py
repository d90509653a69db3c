"""The losses that ask for a margin, and their gradients in one pass.

The elementwise ones are scalar functions for the sweep of `losses_pointwise`; those over classes go
row by row.  Gaps to a margin are taken in float64: a loss just inside the margin keeps its digits.

The public functions return ``(value, gradient)`` or NotImplemented as those of `losses_pointwise`
do, with a tuple of gradients where there are several.  Class indices must have been checked.
"""

import math
from typing import Any

import numpy as np
from numpy import ndarray

from .jit import Kernel, flat, kernel, prange
from .losses_launch import EMPTY, Launch, outputs, runner
from .losses_pairs import run_pair, sweep_of_pairs
from .losses_pointwise import Result, _run, _sweep_with, binary_cross_entropy_with_logits, scale_of, total_of
from .math import exp, log1p
from .reduction import sum as sum_over

# Rows handled by one thread at a time, and the elements from which on two threads win.
ROWS = 16
PARALLEL_FROM = 100_000


# ------------------------------------------------------------------------------------- elementwise
# Scalar functions as those of `losses_pointwise`: (x, y, w, p, option) to (loss, slope).


@kernel
def _soft_margin(x, y, w, p, option):
    # log(1 + exp(-yx)) = max(-yx, 0) + log1p(exp(-|yx|)), which neither overflows nor cancels.
    real = type(x)
    zero, one = real(0), real(1)
    score = y * x
    e = exp(-abs(score))
    loss = (zero if score > zero else -score) + log1p(e)
    return loss, -y * ((e if score > zero else one) / (one + e))


@kernel
def _margin_ranking(x1, x2, y, margin, shift):
    real = type(x1)
    gap = np.float64(margin) - np.float64(y) * (np.float64(x1) - np.float64(x2))
    # The gradient passes where the gap is exactly zero, as through clamp_min.
    slope = y if gap >= 0 else real(0)
    return real(0.0 if gap < 0 else gap), real(0) - slope, slope


_SOFT_MARGIN = _sweep_with(_soft_margin)
_MARGIN_RANKING = sweep_of_pairs(_margin_ranking)


def soft_margin(input: ndarray, target: ndarray, *, reduction: str, grad: bool) -> Result:
    """log(1 + exp(-y x)), at any x."""
    return _run(_SOFT_MARGIN, input, target, reduction, grad)


def margin_ranking(
    input1: ndarray, input2: ndarray, target: ndarray, margin: float = 0.0, *, reduction: str, grad: bool
) -> Result:
    """max(0, margin - y (x1 - x2)), with the gradients to x1 and x2."""
    dtype, shape = input1.dtype, input1.shape
    if dtype not in EMPTY or any(x.shape != shape or x.dtype != dtype for x in (input2, target)):
        return NotImplemented
    return run_pair(_MARGIN_RANKING, (input1, input2, target), (float(margin), 0.0), reduction, grad)


def multilabel_soft_margin(
    input: ndarray, target: ndarray, weight: ndarray | None = None, *, reduction: str, grad: bool
) -> Result:
    """The binary cross entropy of logits, its mean over the last dimension: the classes."""
    classes = input.shape[-1] if input.ndim else 0
    if not classes:
        return NotImplemented
    whole = reduction == "mean"  # a mean over samples and classes at once
    found: Any = binary_cross_entropy_with_logits(
        input, target, weight, reduction="mean" if whole else reduction, grad=grad if whole else bool(grad)
    )
    if found is NotImplemented or whole:
        return found
    value, gradient = found
    if reduction == "none":
        value = sum_over(value, -1)
    value /= classes
    if grad:
        gradient /= classes
    return value, gradient


# -------------------------------------------------------------------------------- rows of classes
@kernel
def _first_outside(labels, low, high):
    outside = 0
    for i in range(labels.size):
        outside += (labels[i] < low) | (labels[i] >= high)
    if outside == 0:
        return -1
    for i in range(labels.size):
        if labels[i] < low or labels[i] >= high:
            return i
    return -1


def first_outside(labels: ndarray, low: int, high: int) -> int:
    """The place of the first of the int64 labels that is not in [low, high), or -1."""
    return _first_outside(flat(labels), low, high)


_row: Any = None  # a loss's kernel of one row, and what it makes of a gap: bound below
_power: Any = None
_steepness: Any = None


@kernel
def _rows(x, target, weight, margin, scale, losses, slopes, first, last):
    """The summed losses of some samples."""
    classes = weight.size
    unwanted, spare = np.empty(classes, x.dtype), np.empty(classes, x.dtype)
    total = 0.0
    for i in range(first, last):
        own = slopes[i * classes : (i + 1) * classes] if slopes.size else unwanted
        loss = _row(x[i * classes : (i + 1) * classes], target, i, weight, margin, scale, own, spare)
        if losses.size:
            losses[i] = loss
        total += loss
    return total


@kernel(parallel=True, threshold=PARALLEL_FROM)
def _sweep(x, target, weight, margin, scale, losses, slopes, total):
    """Fill `losses` and `slopes` where they are wanted (not empty), and the scaled `total`."""
    margin = np.float64(x.dtype.type(margin))
    samples = x.size // weight.size
    totals = np.empty((samples + ROWS - 1) // ROWS)
    for block in prange(totals.size):
        first, last = block * ROWS, min(samples, (block + 1) * ROWS)
        totals[block] = _rows(x, target, weight, margin, scale, losses, slopes, first, last)
    total[()] = total_of(totals) * scale


# The gradient stops where a gap is exactly zero, and a gap of nan counts nothing, as in torch.
@kernel(fastmath={"contract", "reassoc", "nsz"})
def _hinges(row, label, shift, unit, slopes):
    """The sums over all classes but `label` with a gap shift + x > 0: of the losses, and of their slopes."""
    total, steep = 0.0, 0.0
    for j in range(row.size):
        gap = shift + np.float64(row[j])
        gap = gap if (gap > 0) & (j != label) else 0.0
        steepness = _steepness(gap)
        total += _power(gap)
        steep += steepness
        slopes[j] = steepness * unit
    return total, steep


@kernel
def _itself(gap):
    return gap


@kernel
def _is_positive(gap):
    return np.float64(gap > 0)


@kernel
def _squared(gap):
    return gap * gap


@kernel
def _twice(gap):
    return gap + gap


@kernel
def _multi_margin_row(row, target, i, weight, margin, scale, slopes, spare):
    label = target[i]
    w = np.float64(weight[label]) / row.size
    shift = margin - np.float64(row[label])
    total, steep = _hinges(row, label, shift, w * scale, slopes)
    slopes[label] = 0.0 - steep * (w * scale)
    return total * w


@kernel(fastmath={"contract", "reassoc", "nsz"})
def _count_hinges(row, shift, counts):
    """The sum of all gaps shift + x > 0 and their number; each is added to its place in `counts`."""
    total, number = 0.0, 0.0
    for j in range(row.size):
        gap = shift + np.float64(row[j])
        gap = gap if gap > 0 else 0.0
        one = _is_positive(gap)
        total += gap
        number += one
        counts[j] += one
    return total, number


@kernel
def _multilabel_margin_row(row, target, i, weight, margin, scale, slopes, others):
    classes = row.size
    labels = target[i * classes : (i + 1) * classes]
    listed = 0
    while listed < classes and labels[listed] >= 0:
        listed += 1
    for j in range(classes):
        slopes[j] = 0
        others[j] = row[j]
    for k in range(listed):
        others[labels[k]] = -np.inf  # no gap to the sample's own classes
    total = 0.0
    for k in range(listed):
        gaps, number = _count_hinges(others, margin - np.float64(row[labels[k]]), slopes)
        slopes[labels[k]] -= number
        total += gaps
    unit = scale / classes
    for j in range(classes):
        slopes[j] = slopes[j] * unit
    return total / classes


_gaps_row = _multi_margin_row.specialise("gaps_row", _power=_itself, _steepness=_is_positive)
_squares_row = _multi_margin_row.specialise("squares_row", _power=_squared, _steepness=_twice)
_MULTI_MARGIN = {
    1: _sweep.specialise("multi_margin", _row=_gaps_row),
    2: _sweep.specialise("multi_margin_squared", _row=_squares_row),
}
_MULTILABEL_MARGIN = _sweep.specialise("multilabel_margin", _row=_multilabel_margin_row)


def _over_classes(
    sweep: Kernel,
    x: ndarray,
    target: ndarray,
    weight: ndarray | None,
    margin: float,
    samples: tuple[int, ...],
    reduction: str,
    grad: bool | None,
) -> Result:
    """Run a sweep over (samples, classes); `samples` is the shape of the losses.

    For `grad=None`, and without weights, a function `(grad, x, target)` that runs it on further arrays of the
    same dtype and shapes.
    """
    dtype = x.dtype
    classes = x.shape[-1] if x.ndim else 1
    if dtype not in EMPTY or x.ndim > 2 or not classes or target.dtype != np.int64:
        return NotImplemented
    if weight is None:
        weight = np.ones(classes, dtype)
    elif grad is None or weight.dtype != dtype or weight.shape != (classes,):
        return NotImplemented
    launch = _launch(sweep, dtype, x.shape, samples, flat(weight), float(margin), reduction)
    return launch if grad is None else launch(grad, x, target)


def _launch(
    sweep: Kernel,
    dtype: np.dtype,
    shape: tuple[int, ...],
    samples: tuple[int, ...],
    weight: ndarray,
    margin: float,
    reduction: str,
) -> Launch:
    """A function that runs a sweep over (samples, classes) on inputs of this dtype and shape."""
    size = math.prod(shape)
    scale = scale_of(reduction, samples, size // weight.size)
    make, run = outputs(dtype, shape, samples if reduction == "none" else None), runner(sweep, size)

    def launch(grad: bool, x: ndarray, target: ndarray) -> Result:
        value, gradient, (losses, slopes, total) = make(grad)
        run(flat(x), flat(target), weight, margin, scale, losses, slopes, total)
        return value, gradient

    return launch


def multi_margin(
    input: ndarray,
    target: ndarray,
    p: int = 1,
    margin: float = 1.0,
    weight: ndarray | None = None,
    *,
    reduction: str,
    grad: bool,
) -> Result:
    """w[t] / C times the sum over the classes j but t of max(0, margin - x[t] + x[j])**p.

    For ``input`` (samples, classes) and ``target`` (samples,), or one sample without that dimension.
    """
    sweep = _MULTI_MARGIN[int(p)]
    return _over_classes(sweep, input, target, weight, margin, target.shape, reduction, grad)


def multilabel_margin(input: ndarray, target: ndarray, *, reduction: str, grad: bool) -> Result:
    """1 / C times the sum of max(0, 1 - x[t] + x[j]) over the labels t and the classes j that are none.

    The labels of a sample are those before its first -1; one that is listed twice counts twice.
    """
    samples = input.shape[:-1]
    return _over_classes(_MULTILABEL_MARGIN, input, target, None, 1.0, samples, reduction, grad)
