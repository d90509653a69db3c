"""Convolutions as sums of shifted images, without patches in memory.

An image between its zeros, row after row, is a vector (a plane).  An element of the weight, a tap, adds that
vector, shifted and scaled, to a result whose rows are as long; what lies between its rows is left out at the
end.  So there is one long loop for a kernel of any size.  Taps come in threes, neighbours of a row: one pass
adds nine of them to two results, twice as many products as loads.  The gradient of the images is such a
convolution of the cotangent's planes, that of a tap the product of a plane with a shifted image.
"""

# The types of a kernel's arguments are inferred when it is compiled.
# mypy: allow-untyped-defs, no-check-untyped-defs

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import reduction
from .jit import flat, is_compiled_type, kernel, prange

Array = NDArray[Any]
Pair = tuple[int, int]
Pads = tuple[Pair, Pair]

# Multiplications from which two threads are faster, and elements copied.
_THRESHOLD, _COPIED = 1_000_000, 200_000
# So long a piece of two results stays in the first cache.  Lengths are multiples of what a loop's vectors
# take at once: no loop has a remainder.
_PIECE, _VECTORS = 2048, 32
# With so many results threads share these alone, and a piece of the cotangent is read once.
_MANY = 16
_SUM = {"contract", "reassoc", "nsz"}


@kernel
def _fill(out, at, count, value):
    at = max(at, 0)
    for j in range(count):
        out[at + j] = value


@kernel
def _copy(x, start, out, at, count):
    start, at = max(start, 0), max(at, 0)
    for j in range(count):
        out[at + j] = x[start + j]


@kernel(fastmath={"contract"})
def _add(x, first, second, third, weights, of_one, of_other, out, one, other, count):
    """Add nine taps to two results."""
    first, second, third = max(first, 0), max(second, 0), max(third, 0)
    one, other, a, b = max(one, 0), max(other, 0), max(of_one, 0), max(of_other, 0)
    a0, a1, a2, a3, a4 = weights[a], weights[a + 1], weights[a + 2], weights[a + 3], weights[a + 4]
    a5, a6, a7, a8 = weights[a + 5], weights[a + 6], weights[a + 7], weights[a + 8]
    b0, b1, b2, b3, b4 = weights[b], weights[b + 1], weights[b + 2], weights[b + 3], weights[b + 4]
    b5, b6, b7, b8 = weights[b + 5], weights[b + 6], weights[b + 7], weights[b + 8]
    for j in range(count):
        x0, x1, x2 = x[first + j], x[first + j + 1], x[first + j + 2]
        x3, x4, x5 = x[second + j], x[second + j + 1], x[second + j + 2]
        x6, x7, x8 = x[third + j], x[third + j + 1], x[third + j + 2]
        out[one + j] += (
            (a0 * x0 + a1 * x1 + a2 * x2) + (a3 * x3 + a4 * x4 + a5 * x5) + (a6 * x6 + a7 * x7 + a8 * x8)
        )
        out[other + j] += (
            (b0 * x0 + b1 * x1 + b2 * x2) + (b3 * x3 + b4 * x4 + b5 * x5) + (b6 * x6 + b7 * x7 + b8 * x8)
        )


@kernel
def _piece(length):
    """How much of a loop of `length` is done at once: pieces are about equal."""
    pieces = -(-length // _PIECE)
    return -(-length // (pieces * _VECTORS)) * _VECTORS


@kernel(parallel=True, threshold=_THRESHOLD)
def _add_taps(x, planes, shifts, weights, bias, out, length):
    """Results of `length` (images, bias.size, length) of `planes` elements of `x` for each image."""
    pairs, size = bias.size // 2, _piece(length)
    pieces = -(-length // size)
    for k in prange(out.size // (2 * length) * pieces):
        image, piece, pair = k // (pairs * pieces), k // pairs % pieces, k % pairs
        first = piece * size
        count = min(size, length - first)
        one = (image * bias.size + 2 * pair) * length + first
        start, row = image * planes + first, 3 * shifts.size
        _fill(out, one, count, bias[2 * pair])
        _fill(out, one + length, count, bias[2 * pair + 1])
        for t in range(0, shifts.size, 3):
            _add(
                x, start + shifts[t], start + shifts[t + 1], start + shifts[t + 2],
                weights, 2 * pair * row + 3 * t, (2 * pair + 1) * row + 3 * t,
                out, one, one + length, count,
            )  # fmt: skip


@kernel(fastmath=_SUM)
def _dot(x, first, second, third, g, one, other, count, out, of_one, of_other):
    """Add to nine taps of two results what a piece of an image gives."""
    first, second, third = max(first, 0), max(second, 0), max(third, 0)
    one, other, a, b = max(one, 0), max(other, 0), max(of_one, 0), max(of_other, 0)
    zero = x.dtype.type(0)
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = a8 = zero
    b0 = b1 = b2 = b3 = b4 = b5 = b6 = b7 = b8 = zero
    for j in range(count):
        x0, x1, x2 = x[first + j], x[first + j + 1], x[first + j + 2]
        x3, x4, x5 = x[second + j], x[second + j + 1], x[second + j + 2]
        x6, x7, x8 = x[third + j], x[third + j + 1], x[third + j + 2]
        v, w = g[one + j], g[other + j]
        a0, a1, a2, a3, a4 = a0 + v * x0, a1 + v * x1, a2 + v * x2, a3 + v * x3, a4 + v * x4
        a5, a6, a7, a8 = a5 + v * x5, a6 + v * x6, a7 + v * x7, a8 + v * x8
        b0, b1, b2, b3, b4 = b0 + w * x0, b1 + w * x1, b2 + w * x2, b3 + w * x3, b4 + w * x4
        b5, b6, b7, b8 = b5 + w * x5, b6 + w * x6, b7 + w * x7, b8 + w * x8
    for i, value in enumerate((a0, a1, a2, a3, a4, a5, a6, a7, a8)):
        out[a + i] += value
    for i, value in enumerate((b0, b1, b2, b3, b4, b5, b6, b7, b8)):
        out[b + i] += value


@kernel(parallel=True, threshold=_THRESHOLD)
def _taps_of(x, planes, shifts, g, size, lead, length, images, out):
    """The gradients (results, 3 taps a shift), float64, of planes `g` of `size` that begin at `lead`."""
    row, piece = 3 * shifts.size, _piece(length)
    results, pieces = out.size // row, -(-length // piece)
    shares = 1 if results >= _MANY else shifts.size // 3
    for k in prange(results // 2 * shares):
        pair, share = k // shares, k % shares
        begin, end = share * shifts.size // shares, (share + 1) * shifts.size // shares
        _fill(out, 2 * pair * row + 3 * begin, 3 * (end - begin), 0)
        _fill(out, (2 * pair + 1) * row + 3 * begin, 3 * (end - begin), 0)
        for part in range(images * pieces):
            image, first = part // pieces, part % pieces * piece
            start, at = image * planes + first, (image * results + 2 * pair) * size + lead + first
            for t in range(begin, end, 3):
                one, other = 2 * pair * row + 3 * t, (2 * pair + 1) * row + 3 * t
                _dot(
                    x, start + shifts[t], start + shifts[t + 1], start + shifts[t + 2],
                    g, at, at + size, min(piece, length - first), out, one, other,
                )  # fmt: skip


@kernel(parallel=True, threshold=_COPIED)
def _copy_planes(x, size, start, step, of, out, to_size, at, to_step, to, count, rows, columns):
    """Copy `rows` of `columns` of `count` planes of each image: `x` has `of` of them, `out` has `to`.

    A plane has `size` elements, its first row begins at `start`, the next after `step`. What remains of a
    plane of `out` becomes zero, and so do the planes that `x` lacks.
    """
    for k in prange(out.size // to_size):
        image, plane = k // to, k % to
        source, target = (image * of + plane) * size + start, k * to_size
        if rows * columns < to_size or plane >= count:
            _fill(out, target, to_size, 0)
        if plane < count:
            for row in range(rows):
                _copy(x, source + row * step, out, target + at + row * to_step, columns)


def _rounded(size: int, multiple: int) -> int:
    return -(-size // multiple) * multiple


class _Geometry:
    """Where everything lies: of images with their channels, and a kernel that makes them outputs."""

    def __init__(self, image: Pair, kernel: Pair, pads: Pads, gap: int, channels: int, outputs: int):
        (self.height, self.width), (tall, wide) = image, kernel
        (top, bottom), (left, right) = pads
        self.step = self.width + left + right  # from one row to the next
        self.rows = self.height + top + bottom - gap * (tall - 1)
        self.columns = self.step - wide + 1
        self.threes = _rounded(wide, 3) // 3  # for a row of the kernel
        self.start = top * self.step + left
        self.length = _rounded((self.rows - 1) * self.step + self.columns, _VECTORS)
        last = gap * (tall - 1) * self.step + 3 * (self.threes - 1)  # the largest shift of three taps
        end = self.start + (self.height - 1) * self.step + self.width
        self.size = _rounded(max(last + 3 + self.length, end), 16)
        self.shifts = self._shifts(channels, self.size, tall, gap * self.step, 3)
        # The cotangent's planes, and the gradient's: from the last tap to the first
        self.lead = last + 2
        self.length_back = _rounded(end, _VECTORS)
        self.size_back = _rounded(self.lead + max(self.length, self.length_back) + 2, 16)
        back = self.lead - 2 - self._shifts(1, 0, tall, gap * self.step, 3)[: tall * self.threes]
        self.shifts_back = self._padded(back + self.size_back * np.arange(outputs)[:, None])

    def _shifts(self, channels: int, size: int, tall: int, down: int, right: int) -> Array:
        of_channel = np.arange(tall)[:, None] * down + np.arange(self.threes) * right
        return self._padded(of_channel.ravel() + size * np.arange(channels)[:, None])

    @staticmethod
    def _padded(shifts: Array) -> Array:
        return np.append(shifts.ravel(), np.zeros(-shifts.size % 3, np.int64))


_geometry = functools.lru_cache(maxsize=64)(_Geometry)


def _in_threes(weight: Array, threes: int, order: slice = slice(None)) -> Array:
    """A weight (results, channels, rows, columns) with zeros for the taps and the result that are too few."""
    results, channels, tall, wide = weight.shape
    taps = np.zeros((results + results % 2, channels, tall, threes * 3), weight.dtype)
    taps[:results, ..., :wide] = weight
    taps = taps.reshape(len(taps), -1, 3)[..., order].reshape(len(taps), -1)
    return np.pad(taps, ((0, 0), (0, -taps.shape[1] % 9))) if taps.shape[1] % 9 else taps


class Convolution:
    """The cross-correlation of images (N, C, H, W) with a weight (O, C, h, w), in steps of one."""

    def __init__(self, x: Array, weight: Array, pads: Pads, gap: int) -> None:
        self.x, self.weight = x, weight
        outputs, channels, tall, wide = weight.shape
        self.images, self.kernel = x.shape[0], (tall, wide)
        self.places = _geometry(x.shape[2:], self.kernel, pads, gap, channels, outputs)

    @staticmethod
    def is_for(x: Array, weight: Array, stride: Pair, pads: Pads, dilation: Pair, groups: int) -> bool:
        """Whether it computes this: where rows are short and kernels wide, most would be computed in vain."""
        wide, width = weight.shape[3], x.shape[3] + sum(pads[1])
        return (
            stride == (1, 1) and groups == 1 and dilation[1] == 1 and wide > 1 and 2 * (wide - 1) <= width
            and x.size > 0 and weight.size > 0 and x.dtype == weight.dtype and is_compiled_type(x.dtype)
        )  # fmt: skip

    def value(self, bias: Array | None) -> Array:
        """The result (N, O, rows, columns)."""
        p, (outputs, channels) = self.places, self.weight.shape[:2]
        biases = np.zeros(outputs + outputs % 2, self.x.dtype)
        if bias is not None:
            biases[:outputs] = bias
        weights = _in_threes(self.weight, p.threes)
        out = np.empty((self.images, biases.size, p.length), self.x.dtype)
        places = self._planes(), p.size * channels, p.shifts
        self._run(_add_taps, weights, *places, weights.ravel(), biases, out.reshape(-1), p.length)
        return self._cut(out, 0, (self.images, outputs, p.rows, p.columns))

    def gradients(self, g: Array, of_image: bool, of_weight: bool, of_bias: bool) -> list[Array | None]:
        """The gradients of images, weight and bias; None for those not wanted."""
        p, outputs = self.places, len(self.weight)
        planes = self._spread(g, p.lead, p.size_back, outputs + outputs % 2)
        return [
            self._of_image(planes) if of_image else None,
            self._of_weight(planes) if of_weight else None,
            reduction.sum(g.reshape(self.images, outputs, -1), (0, 2)) if of_bias else None,
        ]

    def _of_image(self, planes: Array) -> Array:
        p, channels = self.places, self.x.shape[1]
        weights = _in_threes(self.weight.swapaxes(0, 1), p.threes, slice(None, None, -1))
        out = np.empty((self.images, len(weights), p.length_back), planes.dtype)
        places = planes.reshape(-1), planes[0].size, p.shifts_back
        nothing = np.zeros(len(weights), planes.dtype)
        self._run(_add_taps, weights, *places, weights.ravel(), nothing, out.reshape(-1), p.length_back)
        return self._cut(out, p.start, (self.images, channels, p.height, p.width))

    def _of_weight(self, planes: Array) -> Array:
        p, (outputs, channels, tall, wide) = self.places, self.weight.shape
        taps = np.empty((planes.shape[1], 3 * p.shifts.size))
        places = self._planes(), p.size * channels, p.shifts
        back = planes.reshape(-1), p.size_back, p.lead
        self._run(_taps_of, taps, *places, *back, p.length, self.images, taps.reshape(-1))
        found = taps[:outputs, : channels * tall * p.threes * 3].reshape(outputs, channels, tall, -1)
        return found[..., :wide].astype(self.weight.dtype)

    def _planes(self) -> Array:
        """The images, each between its zeros and as long as the last shift reaches."""
        return self._spread(self.x, self.places.start, self.places.size, self.x.shape[1]).reshape(-1)

    def _spread(self, x: Array, at: int, size: int, count: int) -> Array:
        """The planes of images, from `at` on in `size` elements, with planes of zeros up to a `count`."""
        images, channels, rows, columns = x.shape
        planes = np.empty((images, count, size), x.dtype)
        source = flat(x), rows * columns, 0, columns, channels
        target = planes.reshape(-1), size, at, self.places.step, count
        _copy_planes.run(planes.size, *source, *target, channels, rows, columns)
        return planes

    def _cut(self, planes: Array, start: int, shape: tuple[int, ...]) -> Array:
        """What lies in planes, from `start` on, as images of a shape."""
        images = np.empty(shape, planes.dtype)
        _, channels, rows, columns = shape
        source = planes.reshape(-1), planes.shape[2], start, self.places.step, planes.shape[1]
        target = images.reshape(-1), rows * columns, 0, columns, channels
        _copy_planes.run(images.size, *source, *target, channels, rows, columns)
        return images

    def _run(self, kernel: Any, weights: Array, *arguments: Any) -> None:
        kernel.run(self.images * self.places.length * weights.size, *arguments)
