"""Layer normalisation: rows with mean 0 and variance 1, and the gradients of input, weight and bias.

An array is flat and seen as (rows, n).  Means and variances are float64; a row's passes after the first
find it in cache.
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
def _unchanged(y, weight, bias, j):
    return y


@kernel
def _weighted(g, weight, j):
    return g * weight[j]


@kernel
def _unweighted(g, weight, j):
    return g


@kernel(parallel=True, threshold=_THRESHOLD)
def _normalise(x, weight, bias, eps, y, means, scales, n):
    for row in prange(means.size):
        start = max(row * n, 0)
        mean, squares = moments(x, start, start + n)
        means[row], scales[row] = mean, 1 / math.sqrt(squares / n + eps)
        high, low = _split(mean, x[0])
        scale = type(x[0])(scales[row])
        for j in range(n):
            y[start + j] = _affine(((x[start + j] - high) - low) * scale, weight, bias, j)


@kernel(fastmath=_SUM)
def _sums(g, x, weight, mean, start, n):
    """The sums of a row of the weighted cotangent, and of that times x - mean."""
    start, total, along = max(start, 0), np.float64(0), np.float64(0)
    for j in range(n):
        own = np.float64(_weighted(g[start + j], weight, j))
        total += own
        along += own * (np.float64(x[start + j]) - mean)
    return total, along


@kernel
def _row_is_zero(g, start, n):
    zero = True
    for j in range(n):
        zero = zero and g[start + j] == 0
    return zero


@kernel
def _row_gradient(g, x, weight, mean, scale, start, n, out):
    """scale (g w - mean(g w) - y mean(g w y)), y being the normalised row."""
    start = max(start, 0)
    total, along = _sums(g, x, weight, mean, start, n)
    if not np.isfinite(along) and _row_is_zero(g, start, n):  # whatever the row is
        for j in range(n):
            out[start + j] = 0
        return
    high, low = _split(mean, x[0])
    slope = type(x[0])(-along / n * scale * scale * scale)
    shift, factor = type(x[0])(-total / n * scale), type(x[0])(scale)
    for j in range(n):
        centred = (x[start + j] - high) - low
        out[start + j] = _weighted(g[start + j], weight, j) * factor + (centred * slope + shift)


@kernel(parallel=True, threshold=_THRESHOLD)
def _input_gradient(g, x, weight, means, scales, out, n):
    for row in prange(means.size):
        _row_gradient(g, x, weight, means[row], scales[row], row * n, n, out)


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
def _gradients(g, x, weight, means, scales, out, on_weight, on_bias, n, rows):
    """Of the input, weight and bias; the last two as parts of ``rows`` rows each."""
    parts = on_weight.size // n
    for k in prange(parts):
        at = max(k * n, 0)
        for j in range(n):
            on_weight[at + j] = 0
            on_bias[at + j] = 0
        for row in range(k * rows, min((k + 1) * rows, means.size)):
            _row_gradient(g, x, weight, means[row], scales[row], row * n, n, out)
            _add_row(g, x, means[row], scales[row], row * n, n, on_weight, on_bias, at)


_normalise_plain = _normalise.specialise("_normalise_plain", _affine=_unchanged)
_input_gradient_plain = _input_gradient.specialise("_input_gradient_plain", _weighted=_unweighted)


class LayerNorm:
    """One call's saved numbers: the rows, their means and scales, and what their gradients are made of."""

    def __init__(
        self, x: Array, weight: Array | None, bias: Array | None, sizes: tuple[int, ...], eps: float
    ):
        self.shape, self.sizes, self.n = x.shape, sizes, math.prod(sizes)
        n = self.n
        self.x = flat(x)
        self.plain = weight is None and bias is None
        self.weight = self.bias = self.x  # not looked at
        if not self.plain:
            self.weight = np.ones(n, x.dtype) if weight is None else flat(weight)
            self.bias = np.zeros(n, x.dtype) if bias is None else flat(bias)
        self.eps = eps
        self.means, self.scales = np.empty(x.size // n), np.empty(x.size // n)

    def value(self) -> Array:
        """(x - mean) / sqrt(variance + eps) * weight + bias."""
        y = np.empty(self.shape, self.x.dtype)
        loop = _normalise_plain if self.plain else _normalise
        loop.run(
            self.x.size,
            *(self.x, self.weight, self.bias, self.eps, y.ravel(), self.means, self.scales, self.n),
        )
        return y

    def input_gradient(self, g: Array) -> Array:
        """The cotangent of the input alone."""
        out = np.empty(self.shape, self.x.dtype)
        loop = _input_gradient_plain if self.plain else _input_gradient
        loop.run(
            self.x.size,
            *(flat(g), self.x, self.weight, self.means, self.scales, out.ravel(), self.n),
        )
        return out

    def gradients(self, g: Array) -> tuple[Array, ...]:
        """The cotangents of input, weight and bias."""
        out, rows = np.empty(self.shape, self.x.dtype), max(_ROWS, -(-self.means.size // _PARTS))
        parts = -(-self.means.size // rows)
        on_weight, on_bias = np.empty((parts, self.n)), np.empty((parts, self.n))
        _gradients.run(
            self.x.size,
            *(flat(g), self.x, self.weight, self.means, self.scales, out.ravel()),
            *(on_weight.ravel(), on_bias.ravel(), self.n, rows),
        )
        of_parts = (parts.sum(0).astype(out.dtype).reshape(self.sizes) for parts in (on_weight, on_bias))
        return (out, *of_parts)
