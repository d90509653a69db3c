"""The cosine embedding loss and its two gradients in one pass over the rows.

Products are summed in float64, and 1 - cos of nearly parallel vectors is computed from the difference of
their directions, so it keeps its digits down to angles of 1e-7 and is never negative.
"""

import math
from typing import Any

import numpy as np
from numpy import ndarray

from .jit import kernel, prange
from .losses_launch import EMPTY, prepare
from .losses_pointwise import scale_of, total_of

# Rows handled by one thread at a time.
ROWS = 16
PARALLEL_FROM = 100_000
# torch adds this to each squared norm, a float32 even where the norms are float64.
EPSILON = float(np.float32(1e-12))


@kernel(fastmath={"contract", "reassoc", "nsz"})
def _dot(a, b):
    total = 0.0
    for i in range(a.size):
        total += np.float64(a[i]) * np.float64(b[i])
    return total


@kernel(fastmath={"contract", "reassoc", "nsz"})
def _square_of_difference(a, on_a, b, on_b):
    total = 0.0
    for i in range(a.size):
        difference = on_a * np.float64(a[i]) - on_b * np.float64(b[i])
        total += difference * difference
    return total


@kernel
def _one_minus_cosine(cosine, a, square_a, b, square_b):
    """1 - cos = (|a/|a| - b/|b||^2 + e/|a|^2 + e/|b|^2) / 2, where e is in the squares: all terms positive.

    It takes another pass, which only nearly parallel vectors need: for them 1 - cos cancels.
    """
    if not cosine > 0.99:
        return 1.0 - cosine
    over_a, over_b = 1.0 / math.sqrt(square_a), 1.0 / math.sqrt(square_b)
    return 0.5 * (_square_of_difference(a, over_a, b, over_b) + EPSILON * (1.0 / square_a + 1.0 / square_b))


@kernel
def _combine(out, a, on_a, b, on_b):
    for i in range(out.size):
        out[i] = on_a * np.float64(a[i]) + on_b * np.float64(b[i])


@kernel(parallel=True, threshold=PARALLEL_FROM)
def _sweep(x1, x2, y, margin, scale, losses, slopes1, slopes2, total):
    n, width = y.size, x1.size // max(y.size, 1)
    totals = np.empty((n + ROWS - 1) // ROWS)
    for block in prange(totals.size):
        part = 0.0
        for row in range(block * ROWS, min(n, (block + 1) * ROWS)):
            start, stop = row * width, (row + 1) * width
            a, b = x1[start:stop], x2[start:stop]
            square_a, square_b = _dot(a, a) + EPSILON, _dot(b, b) + EPSILON
            norm = math.sqrt(square_a * square_b)
            cosine = _dot(a, b) / norm
            loss, slope = 0.0, 0.0
            if y[row] == 1:
                loss, slope = _one_minus_cosine(cosine, a, square_a, b, square_b), -scale
            elif y[row] == -1:
                excess = cosine - margin
                loss = 0.0 if excess < 0 else excess
                # The gradient passes where the excess is exactly zero, as through clamp_min.
                slope = scale if excess >= 0 else 0.0
            if slopes1.size:
                _combine(slopes1[start:stop], a, -slope * cosine / square_a, b, slope / norm)
                _combine(slopes2[start:stop], b, -slope * cosine / square_b, a, slope / norm)
            if losses.size:
                losses[row] = loss
            part += loss
        totals[block] = part
    total[()] = total_of(totals) * scale


def cosine_embedding(
    input1: ndarray,
    input2: ndarray,
    target: ndarray,
    margin: float = 0.0,
    *,
    reduction: str,
    grad: bool,
) -> tuple[ndarray, tuple[ndarray, ndarray] | None] | Any:
    """1 - cos where the target is 1, max(0, cos - margin) where it is -1, and 0 for any other.

    For inputs (samples, width) and targets (samples,), or one sample without that dimension.
    Gives the value and the gradients with respect to both inputs.
    """
    dtype, shape = input1.dtype, input1.shape
    if (
        dtype not in EMPTY
        or not 1 <= len(shape) <= 2
        or any(other.dtype != dtype for other in (input2, target))
        or input2.shape != shape
        or target.shape != shape[:-1]
    ):
        return NotImplemented
    constants = float(margin), scale_of(reduction, target.shape, target.size)
    each = target.shape if reduction == "none" else None
    launch = prepare(_sweep, dtype, shape, each, constants, gradients=2)
    return launch if grad is None else launch(grad, input1, input2, target)
