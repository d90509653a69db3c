"""Layer, group and root-mean-square normalisation, and the gradients of input, weight and bias.

An array is flat and seen as (rows, n).  Means and variances are float64; a row's passes after the first
find it in cache.  Weight and bias have an element for each place in a row, or in `groups` rows that follow
each other.
"""

# The types of a kernel's arguments are inferred when it is compiled.
# mypy: allow-untyped-defs, no-check-untyped-defs

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .jit import flat, kernel, prange
from .sums import moments

Array = NDArray[Any]

# Elements that take about 0.1 ms.
_THRESHOLD = 300_000
# The gradients of weight and bias are added in this many parts at most, each of this many rows at least:
# the same for any number of threads, and together smaller than the input.
_PARTS, _ROWS = 32, 16

# Sums may be reordered, so that they vectorise.
_SUM = {"contract", "reassoc", "nsz"}


@kernel
def _split(mean, x):
    """A mean as two numbers of x's type, so that x - mean keeps its digits where the mean is large."""
    high = type(x)(mean)
    return high, type(x)(mean - np.float64(high))


@kernel
def _affine(y, weight, bias, j):
    return y * weight[j] + bias[j]


@kernel
def _scaled(y, weight, bias, j):
    return y * weight[j]


@kernel
def _unchanged(y, weight, bias, j):
    return y


@kernel
def _weighted(g, weight, j):
    return g * weight[j]


@kernel
def _unweighted(g, weight, j):
    return g


@kernel(parallel=True, threshold=_THRESHOLD)
def _normalise(x, weight, bias, eps, y, means, scales, n, groups):
    for row in prange(means.size):
        start, at = max(row * n, 0), max(row % groups * n, 0)
        mean, squares = moments(x, start, start + n)
        means[row], scales[row] = mean, 1 / math.sqrt(squares / n + eps)
        high, low = _split(mean, x[0])
        scale = type(x[0])(scales[row])
        for j in range(n):
            y[start + j] = _affine(((x[start + j] - high) - low) * scale, weight, bias, at + j)


@kernel(fastmath=_SUM)
def _sums(g, x, weight, mean, start, at, n):
    """The sums of a row of the weighted cotangent, and of that times x - mean."""
    start, at, total, along = max(start, 0), max(at, 0), np.float64(0), np.float64(0)
    for j in range(n):
        own = np.float64(_weighted(g[start + j], weight, at + j))
        total += own
        along += own * (np.float64(x[start + j]) - mean)
    return total, along


@kernel(fastmath=_SUM)
def _sum_along(g, x, weight, mean, start, at, n):
    """`_sums` where no mean is subtracted: the first has no part in the gradient."""
    start, at, along = max(start, 0), max(at, 0), np.float64(0)
    for j in range(n):
        along += np.float64(_weighted(g[start + j], weight, at + j)) * np.float64(x[start + j])
    return np.float64(0), along


@kernel(fastmath=_SUM)
def _squares(x, start, stop):
    """`moments` about 0."""
    start, total = max(start, 0), np.float64(0)
    for k in range(stop - start):
        total += np.float64(x[start + k]) * np.float64(x[start + k])
    return np.float64(0), total


@kernel
def _row_is_zero(g, start, n):
    zero = True
    for j in range(n):
        zero = zero and g[start + j] == 0
    return zero


@kernel
def _row_gradient(g, x, weight, mean, scale, start, at, n, out):
    """scale (g w - mean(g w) - y mean(g w y)), y being the normalised row."""
    start, at = max(start, 0), max(at, 0)
    total, along = _sums(g, x, weight, mean, start, at, n)
    if not np.isfinite(along) and _row_is_zero(g, start, n):  # whatever the row is
        for j in range(n):
            out[start + j] = 0
        return
    high, low = _split(mean, x[0])
    slope = type(x[0])(-along / n * scale * scale * scale)
    shift, factor = type(x[0])(-total / n * scale), type(x[0])(scale)
    for j in range(n):
        centred = (x[start + j] - high) - low
        out[start + j] = _weighted(g[start + j], weight, at + j) * factor + (centred * slope + shift)


@kernel(parallel=True, threshold=_THRESHOLD)
def _input_gradient(g, x, weight, means, scales, out, n, groups):
    for row in prange(means.size):
        _row_gradient(g, x, weight, means[row], scales[row], row * n, row % groups * n, n, out)


@kernel
def _add_row(g, x, mean, scale, start, n, on_weight, on_bias, at):
    """Add a row's share of the gradients of weight and bias."""
    start, at = max(start, 0), max(at, 0)
    for j in range(n):
        own = np.float64(g[start + j])
        y = (np.float64(x[start + j]) - mean) * scale
        on_bias[at + j] += own
        on_weight[at + j] += own * y if own != 0 else own


@kernel(parallel=True, threshold=_THRESHOLD)
def _gradients(g, x, weight, means, scales, out, on_weight, on_bias, n, groups, rows):
    """Of the input, weight and bias; the last two as parts of ``rows`` rows each."""
    width = n * groups
    for k in prange(on_weight.size // width):
        at = max(k * width, 0)
        for j in range(width):
            on_weight[at + j] = 0
            on_bias[at + j] = 0
        for row in range(k * rows, min((k + 1) * rows, means.size)):
            group = row % groups * n
            _row_gradient(g, x, weight, means[row], scales[row], row * n, group, n, out)
            _add_row(g, x, means[row], scales[row], row * n, n, on_weight, on_bias, at + group)


_LOOPS = _normalise, _input_gradient, _gradients
_PLAIN = (
    _normalise.specialise("_normalise_plain", _affine=_unchanged),
    _input_gradient.specialise("_input_gradient_plain", _weighted=_unweighted),
    _gradients,
)
_RMS = (
    _normalise.specialise("_rms", moments=_squares, _affine=_scaled),
    _input_gradient.specialise("_rms_input_gradient", _sums=_sum_along),
    _gradients.specialise("_rms_gradients", _sums=_sum_along),
)
_RMS_PLAIN = (
    _normalise.specialise("_rms_plain", moments=_squares, _affine=_unchanged),
    _RMS[1].specialise("_rms_input_gradient_plain", _weighted=_unweighted),
    _RMS[2],
)


class LayerNorm:
    """One call's saved numbers: the rows, their means and scales, and what their gradients are made of."""

    loops, plain_loops = _LOOPS, _PLAIN

    def __init__(
        self,
        x: Array,
        weight: Array | None,
        bias: Array | None,
        sizes: tuple[int, ...],
        eps: float,
        rows: int | None = None,
        groups: int = 1,
    ):
        """Of ``rows`` rows, by default as many as have the length of weight and bias, of shape ``sizes``."""
        count = math.prod(sizes)
        self.shape, self.sizes, self.groups = x.shape, sizes, groups
        self.n = count if rows is None else x.size // rows
        self.x = flat(x)
        self.weight = self.bias = self.x  # not looked at
        self.normalise, self.to_input, self.to_all = self.loops
        if weight is None and bias is None:
            self.normalise, self.to_input, self.to_all = self.plain_loops
        else:
            each = self.n * groups // count
            self.weight = np.ones(count, x.dtype) if weight is None else flat(weight)
            self.bias = np.zeros(count, x.dtype) if bias is None else flat(bias)
            if each > 1:
                self.weight, self.bias = np.repeat(self.weight, each), np.repeat(self.bias, each)
        self.eps = eps
        self.means, self.scales = np.empty(x.size // self.n), np.empty(x.size // self.n)

    def value(self) -> Array:
        """(x - mean) / sqrt(variance + eps) * weight + bias."""
        y = np.empty(self.shape, self.x.dtype)
        self.normalise.run(
            self.x.size,
            *(self.x, self.weight, self.bias, self.eps, y.ravel(), self.means, self.scales),
            *(self.n, self.groups),
        )
        return y

    def input_gradient(self, g: Array) -> Array:
        """The cotangent of the input alone."""
        out = np.empty(self.shape, self.x.dtype)
        self.to_input.run(
            self.x.size,
            *(flat(g), self.x, self.weight, self.means, self.scales, out.ravel(), self.n, self.groups),
        )
        return out

    def gradients(self, g: Array) -> tuple[Array, ...]:
        """The cotangents of input, weight and bias."""
        groups, width = self.groups, self.n * self.groups
        rows = groups * max(_ROWS, -(-self.means.size // (_PARTS * groups)))
        parts, out = -(-self.means.size // rows), np.empty(self.shape, self.x.dtype)
        on_weight, on_bias = np.empty((parts, width)), np.empty((parts, width))
        self.to_all.run(
            self.x.size,
            *(flat(g), self.x, self.weight, self.means, self.scales, out.ravel()),
            *(on_weight.ravel(), on_bias.ravel(), self.n, groups, rows),
        )
        return out, self._whole(on_weight), self._whole(on_bias)

    def _whole(self, parts: Array) -> Array:
        """The sum of the parts, and of the places that share an element."""
        total = parts.sum(0)
        count = math.prod(self.sizes)
        if count < total.size:
            total = total.reshape(count, -1).sum(1)
        return total.astype(self.x.dtype).reshape(self.sizes)


class RMSNorm(LayerNorm):
    """`LayerNorm` without means and bias: each row over the root of its mean square."""

    loops, plain_loops = _RMS, _RMS_PLAIN
