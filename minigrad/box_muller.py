"""Normals from uniforms as torch makes them, bit for bit: Box and Muller's transform in blocks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

BLOCK = 16  # normals that are transformed together
_PART = 1 << 15  # numbers that are transformed at a time


def by_parts(function: Callable[[Array], Array], values: Array) -> Array:
    """What `function` makes of each part of a long vector, in its place: what it needs stays in cache."""
    for start in range(0, values.size, _PART):
        part = values[start : start + _PART]
        part[...] = function(part)
    return values


def box_muller(uniforms: Array) -> Array:
    """Normals from uniforms in blocks of 16: 8 radii, 8 angles; 8 cosines, 8 sines."""
    blocks = uniforms.reshape(-1, 2, BLOCK // 2)
    radii, angles = blocks[:, 0].ravel(), blocks[:, 1].ravel()
    if uniforms.dtype == np.float32:
        logs = _log(np.float32(1) - radii)
        sines, cosines = _sincos(np.float32(2 * math.pi) * angles)
    else:  # the C library's functions: NumPy's differ in the last bit
        logs = each(math.log, 1 - radii)
        sines, cosines = (each(f, 2 * math.pi * angles) for f in (math.sin, math.cos))
    lengths = np.sqrt(uniforms.dtype.type(-2) * logs)
    pairs = [(lengths * f).reshape(-1, BLOCK // 2) for f in (cosines, sines)]
    return np.stack(pairs, axis=1).ravel()


def each(function: Callable[[float], float], values: Array) -> Array:
    return np.fromiter(map(function, values.tolist()), np.float64, values.size)


# Cephes' single-precision log, sin and cos (S. L. Moshier, 1992). A product and the sum after it
# are one fused multiply-add: the product of two float32 is exact in float64, so `_rounded` rounds
# once but for double rounding to float64 and float32, which none of the 2**24 arguments meets.
_SQRT_HALF = np.float32(0.707106781186547524)
_LOG = np.array(
    [
        7.0376836292e-2,
        -1.1514610310e-1,
        1.1676998740e-1,
        -1.2420140846e-1,
        1.4249322787e-1,
        -1.6668057665e-1,
        2.0000714765e-1,
        -2.4999993993e-1,
        3.3333331174e-1,
    ],
    np.float32,
)
_LN2 = np.array([-2.12194440e-4, 0.693359375], np.float32)  # low and high part
_QUARTER_PI = np.array([0.78515625, 2.4187564849853515625e-4, 3.77489497744594108e-8], np.float32)
_COS = np.array([2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2], np.float32)
_SIN = np.array([-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1], np.float32)


def _rounded(a: Any, b: Any, c: Any) -> Array:
    """`a * b + c` of float32 values, rounded once."""
    total: Array = np.multiply(a, b, dtype=np.float64) + c
    return total.astype(np.float32)


def _polynomial(coefficients: Array, x: Array) -> Any:
    value: Any = coefficients[0]
    for coefficient in coefficients[1:]:
        value = _rounded(value, x, np.float64(coefficient))
    return value


def _log(x: Array) -> Array:
    """The logarithm of float32 values in (0, 1]."""
    bits = x.view(np.int32)
    exponent = ((bits >> 23) - 126).astype(np.float32)
    mantissa = ((bits & 0x007FFFFF) | 0x3F000000).view(np.float32)  # in [1/2, 1)
    small = mantissa < _SQRT_HALF
    exponent -= small
    x = mantissa - np.float32(1) + np.where(small, mantissa, np.float32(0))
    square = x * x
    low, high = _LN2
    y = _rounded(_polynomial(_LOG, x) * x, square, exponent * low)
    y = _rounded(square, np.float32(-0.5), y)
    return _rounded(exponent, high, x + y)


def _sincos(theta: Array) -> tuple[Array, Array]:
    """The sine and cosine of float32 values in [0, 2 pi]."""
    octant = ((theta * np.float32(4 / math.pi)).astype(np.int32) + 1) & ~1
    x = theta
    for part in _QUARTER_PI:
        x = _rounded(octant.astype(np.float32), -part, x)
    square = x * x
    cosine = _polynomial(_COS, square) * square
    cosine = _rounded(cosine, square, -(square * np.float32(0.5))) + np.float32(1)
    sine = _rounded(_polynomial(_SIN, square) * square, x, x)
    swap = (octant & 2) != 0
    sines, cosines = np.where(swap, cosine, sine), np.where(swap, sine, cosine)
    return np.where(octant & 4, -sines, sines), np.where((octant + 2) & 4, -cosines, cosines)


def fused_multiply_add(a: Array, b: Any, c: Any) -> Array:
    """`a * b + c` rounded once, in the dtype of `a`; twice in float64 beyond 1e-270 ... 1e290.

    Source: S. Boldo and G. Melquiond, "Emulation of FMA and correctly rounded sums: proved
    algorithms using rounding to odd", IEEE Transactions on Computers 57 (2008).
    """
    a64, b64, c64 = a.astype(np.float64, copy=False), np.float64(b), np.float64(c)
    product = a64 * b64
    with np.errstate(over="ignore", invalid="ignore"):
        if c64 == 0:
            return (product + c64).astype(a.dtype)
        if a.dtype == np.float32:  # the product is exact
            return _sum_to_odd(product, c64).astype(np.float32)
        high, rest = _exact_sum(c64, _product_error(a64, b64, product))
        total, error = _exact_sum(product, high)
        fused = total + _sum_to_odd(rest, error)
        # The plain sum has the right infinities and signs of zero.
        return np.where(np.isfinite(fused) & (fused != 0), fused, product + c64)


def _exact_sum(a: Any, b: Any) -> tuple[Array, Array]:
    """The rounded sum and its rounding error (Knuth's TwoSum)."""
    total = a + b
    share = total - a
    return total, (a - (total - share)) + (b - share)


def _product_error(a: Array, b: Any, product: Array) -> Any:
    """What rounding took from the product (Dekker's TwoProduct with Veltkamp's split)."""
    (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
    return a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)


def _halves(a: Any) -> tuple[Any, Any]:
    scaled = a * 134217729.0  # 2**27 + 1
    high = scaled - (scaled - a)
    return high, a - high


def _sum_to_odd(a: Array, b: Any) -> Array:
    """The sum in float64, an inexact one rounded to the neighbour with an odd last bit.

    Rounding that once more, to fewer bits, gives what rounding the exact sum would.
    """
    total, error = _exact_sum(a, b)
    even = (error != 0) & np.isfinite(error) & (total.view(np.int64) & 1 == 0)
    if even.any():
        towards = np.where(error > 0, np.inf, -np.inf)
        total = np.where(even, np.nextafter(total, towards), total)
    return total
