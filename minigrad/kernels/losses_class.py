"""Losses over classes: cross entropy and its relatives with their gradients.

Rows of many classes side by side in memory are swept one sample at a time.  All else, few classes
or classes with further dimensions behind them, goes through tiles of (classes, samples).

The public functions return ``(value, gradient)`` or NotImplemented as those of `losses_pointwise`
do; ``input`` is (classes,), (samples, classes) or (samples, classes, d1, ...).
"""

import functools
import math
from typing import Any

import numpy as np
from numpy import ndarray

from .jit import Kernel, flat, kernel, prange
from .losses_launch import EMPTY, FLOAT64, Launch, outputs, runner
from .losses_pointwise import Result, total_of
from .losses_softmax import (
    SAMPLES,
    SINGLE,
    cross_entropy_shape,
    focal_shape,
    hard_row,
    poly_shape,
    power_shape,
    row_block,
    soft_row,
)
from .losses_strips import STRIP, hard_strip, soft_strip

# From this many elements on two threads win over the cost of launching them.
PARALLEL_FROM = 40_000
# Strips at least this long are computed where they lie; shorter ones are copied to rows.
LONG = 16
# From this many classes on, a row of its own is faster than a column of a strip.
WIDE = 64

_INDEX = np.dtype(np.int64)


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


_block: Any = None  # the kernel of a block of samples: bound below


@kernel
def _pick_block(
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
    """The summed negative log-likelihoods of some samples.

    `slopes` comes filled with zeros, unless each sample has a row of its own: filled here, by all threads.
    """
    total = 0.0
    first, last = block * SAMPLES, min(samples, (block + 1) * SAMPLES)
    if slopes.size and inner == 1:
        slopes[first * weight.size : last * weight.size] = 0
    for i in range(first, last):
        loss = 0.0
        if target[i] != ignore_index:
            place = (i // inner * weight.size + target[i]) * inner + i % inner
            w = np.float64(weight[target[i]])
            loss = -w * x[place] if w != 0 else 0.0
            if slopes.size:
                slopes[place] = -w / divisor
        if losses.size:
            losses[i] = loss
        total += loss
    return total


@kernel(parallel=True, threshold=PARALLEL_FROM)
def _sweep(
    x,
    target,
    weight,
    ignore_index,
    smoothing,
    option,
    softcap,
    inner,
    samples,
    divided,
    losses,
    slopes,
    totals,
    total,
):
    """Fill `losses` and `slopes` where they are wanted (not empty), and the sum of each block in `totals`,
    and their sum or mean `total`.  Gives the place of the first target that is no class, or -1.
    """
    bad, mass = _survey(target, weight, ignore_index, samples)
    divisor = mass if divided else 1.0
    if bad < 0:
        for i in prange(totals.size):
            # The index of a parallel loop is unsigned: the block would be compiled once more for that.
            totals[i] = _block(
                x,
                target,
                weight,
                ignore_index,
                smoothing,
                option,
                softcap,
                inner,
                samples,
                np.int64(i),
                divisor,
                losses,
                slopes,
            )
        total[()] = total_of(totals) / divisor
    return bad


_SHAPES = {
    "cross_entropy": cross_entropy_shape,
    "focal": focal_shape,
    "poly": poly_shape,
    "power": power_shape,
}


@functools.cache
def _loop(kind: str, rows: bool, capped: bool, smoothed: bool, dtype: Any) -> Kernel:
    """The sweep of a loss (a key of `_SHAPES`, "soft" or "picks") over rows or strips of this dtype."""
    name = f"_{kind}_{'rows' if rows else 'strips'}" + "_capped" * capped + "_smoothed" * smoothed
    if kind == "picks":
        block = _pick_block
    elif rows:
        parts = {"_shape": _SHAPES.get(kind), "_SMOOTHED": smoothed}
        row = soft_row if kind == "soft" else hard_row.specialise(f"{name}_row", **parts)
        block = row_block.specialise(f"{name}_block", _row=row, _CAPPED=capped)
    elif kind == "soft":
        block = soft_strip.specialise(f"{name}_block", _CAPPED=capped)
    else:
        parts = {"_shape": _SHAPES[kind], "_SMOOTHED": smoothed, "_CAPPED": capped}
        block = hard_strip.specialise(f"{name}_block", **parts)
    survey = _survey_soft if kind == "soft" else _survey
    sweep = _sweep.specialise(f"{name}64", _block=block, _survey=survey)
    return sweep if dtype == FLOAT64 else sweep.specialise(f"{name}32", **SINGLE)


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
    kind: str,
    x: ndarray,
    target: ndarray,
    weight: ndarray | None,
    reduction: str,
    grad: bool | None,
    ignore_index: int = -100,
    smoothing: float = 0.0,
    option: float = 0.0,
    softcap: float | None = None,
) -> Result:
    """Run a loss; for `grad=None`, and without weights, a function `(grad, x, target)` that runs it on
    further arrays of the same dtypes and shapes.
    """
    dtype, shape = x.dtype, x.shape
    if dtype not in EMPTY or not shape:
        return NotImplemented
    classes = shape[0] if len(shape) == 1 else shape[1]
    outer = () if len(shape) == 1 else (shape[0], *shape[2:])
    soft = kind == "soft"
    w = _class_weights(weight, dtype, classes)
    if w is None or not classes or target.dtype != (dtype if soft else _INDEX):
        return NotImplemented
    if target.shape != (shape if soft else outer):
        return NotImplemented
    if grad is None and weight is not None:
        return NotImplemented
    # Of one Python type each: a kernel is compiled once more for another.
    options = int(ignore_index), float(smoothing), float(option), float(softcap or 0.0)
    launch = _launch(kind, dtype, shape, w, options, softcap is not None, reduction)
    return launch if grad is None else launch(grad, x, target)


def _launch(
    kind: str,
    dtype: np.dtype,
    shape: tuple[int, ...],
    weight: ndarray,
    options: tuple[int, float, float, float],
    capped: bool,
    reduction: str,
) -> Launch:
    """A function that runs the loop of a loss on inputs of this dtype and shape, and their targets."""
    classes, outer = weight.size, (() if len(shape) == 1 else (shape[0], *shape[2:]))
    samples, inner = math.prod(outer), math.prod(outer[1:])
    picks, soft = kind == "picks", kind == "soft"
    if turned := 1 < inner < LONG and not picks:
        inner = 1
    rows = picks or (inner == 1 and classes >= WIDE)
    length = samples if inner == 1 else inner
    blocks = -(-samples // SAMPLES) if rows else samples // max(length, 1) * -(-length // STRIP)
    loop = _loop(kind, rows, capped, options[1] > 0 and not soft, dtype)
    run, empty = runner(loop, samples * classes), np.empty
    constants = weight, *options, inner, samples, reduction == "mean"
    swept = (shape[0], *shape[2:], classes) if turned else shape
    new = np.zeros if picks and inner > 1 else empty
    make = outputs(dtype, swept, outer if reduction == "none" else None, new=new)

    def launch(grad: bool, x: ndarray, target: ndarray) -> Result:
        labels = target
        if turned:
            x = np.moveaxis(x, 1, -1)
            labels = np.moveaxis(target, 1, -1) if soft else target
        value, gradient, (losses, slopes, total) = make(grad)
        bad = run(flat(x), flat(labels), *constants, losses, slopes, empty(blocks), total)
        if bad >= 0:
            raise_out_of_bounds(target, classes, options[0])
        if turned and gradient is not None:
            gradient = np.ascontiguousarray(np.moveaxis(gradient, -1, 1))
        return value, gradient

    return launch


def raise_out_of_bounds(target: ndarray, classes: int, ignore_index: int | None) -> None:
    """IndexError for class indices outside 0 to classes - 1, with their places."""
    outside = (target < 0) | (target >= classes)
    bad = np.argwhere(outside if ignore_index is None else outside & (target != ignore_index)).tolist()
    if not bad:
        return
    named = [f"target{place or ''} is {target[tuple(place)]}" for place in bad[:5]]
    more = f" and {len(bad) - 5} more are out of bounds" if len(bad) > 5 else ""
    ignored = "" if ignore_index is None else f", or ignore_index ({ignore_index})"
    raise IndexError(
        f"Target {target[tuple(bad[0])]} is out of bounds.\n"
        f"{', '.join(named)}{more}, but a target must be from 0 to {classes - 1} for {classes} classes"
        f"{ignored}."
    )


def cross_entropy_indices(
    input: ndarray,
    target: ndarray,
    weight: ndarray | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    z_loss: float = 0.0,
    softcap: float | None = None,
    *,
    reduction: str,
    grad: bool,
) -> Result:
    """-w[t] log softmax(x)[t] for int64 classes t; the mean is over the weights w[t] that count.

    With label smoothing e: (1 - e) times that plus e/C times the sum of -w[c] log softmax(x)[c].
    `z_loss` adds w[t] z logsumexp(x)**2; `softcap` s first makes the logits s tanh(x / s).
    Raises IndexError for a target that is neither a class nor `ignore_index`.
    """
    options = ignore_index, label_smoothing, z_loss, softcap
    return _run("cross_entropy", input, target, weight, reduction, grad, *options)


def cross_entropy_probabilities(
    input: ndarray,
    target: ndarray,
    weight: ndarray | None = None,
    label_smoothing: float = 0.0,
    z_loss: float = 0.0,
    softcap: float | None = None,
    *,
    reduction: str,
    grad: bool,
) -> Result:
    """-sum of w[c] t[c] log softmax(x)[c] for probabilities t, smoothed to (1 - e) t + e/C.

    The mean is over the samples, whatever the weights.  A class of probability 0 costs nothing,
    even if its logit is -inf.  `z_loss` and `softcap` as above, the former without a weight.
    """
    return _run("soft", input, target, weight, reduction, grad, -1, label_smoothing, z_loss, softcap)


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
    return _run("picks", input, target, weight, reduction, grad, ignore_index)


def softmax_focal(
    input: ndarray,
    target: ndarray,
    alpha: ndarray | None = None,
    gamma: float = 2.0,
    ignore_index: int = -100,
    *,
    reduction: str,
    grad: bool,
) -> Result:
    """-alpha[t] (1 - p)**gamma log p for p = softmax(x)[t]; the mean is over the alpha[t] that count."""
    return _run("focal", input, target, alpha, reduction, grad, ignore_index, 0.0, gamma)


def poly(
    input: ndarray,
    target: ndarray,
    epsilon: float = 1.0,
    weight: ndarray | None = None,
    ignore_index: int = -100,
    *,
    reduction: str,
    grad: bool,
) -> Result:
    """w[t] (epsilon (1 - p) - log p) for p = softmax(x)[t]; the mean is over the w[t] that count."""
    return _run("poly", input, target, weight, reduction, grad, ignore_index, 0.0, epsilon)


def generalized_cross_entropy(
    input: ndarray,
    target: ndarray,
    q: float = 0.7,
    weight: ndarray | None = None,
    ignore_index: int = -100,
    *,
    reduction: str,
    grad: bool,
) -> Result:
    """w[t] (1 - p**q) / q for p = softmax(x)[t]; the mean is over the w[t] that count."""
    return _run("power", input, target, weight, reduction, grad, ignore_index, 0.0, q)
