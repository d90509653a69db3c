"""Special functions, element by element: the error function, the gamma function's and Bessel's families.

The functions take arrays of any type and layout and return a new array. All are computed in float64, whose
rounding they reach, and come back in the type of the argument (integers in float32).
"""

# The types of a kernel's arguments are inferred when it is compiled.
# mypy: allow-untyped-defs, no-check-untyped-defs

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .jit import Kernel, flat, kernel, prange

Array = NDArray[Any]

# Elements that take about 0.3 ms, five times what it takes to wake the threads.
_THRESHOLD = 20_000


@kernel
def point(x):
    """Stands for the function of the element in the loops below."""
    return x


@kernel(parallel=True, threshold=_THRESHOLD)
def _map(x, y):
    for i in prange(x.size):
        y[i] = point(x[i])


@kernel(parallel=True, threshold=_THRESHOLD)
def _map_order(x, y, n):
    for i in prange(x.size):
        y[i] = point(x[i], n)


def _run(loop: Kernel, x: Array, *order: int) -> Array:
    """Run ``loop`` over the array as float64."""
    y = np.empty(x.shape)
    loop.run(x.size, flat(x.astype(np.float64, copy=False)), y.reshape(-1), *order)
    return y.astype(x.dtype if x.dtype.kind == "f" else np.float32, copy=False)


@kernel
def _erf_point(x):
    return math.erf(x)


@kernel
def _erfc_point(x):
    return math.erfc(x)


@kernel
def _erfinv_point(y):
    """A rational function, exact to three digits or four, and steps of Newton's method."""
    rest = 1 - abs(y)  # exact where it is small
    if not rest > 0:
        return math.copysign(np.inf, y) if rest == 0 else np.nan
    if rest >= 0.3:
        z = y * y
        top = ((-0.140543331 * z + 0.914624893) * z - 1.645349621) * z + 0.886226899
        bottom = (((0.012229801 * z - 0.329097515) * z + 1.442710462) * z - 2.118377725) * z + 1
        x = abs(y) * top / bottom
    else:
        z = math.sqrt(-math.log(rest / 2))
        x = (((1.641345311 * z + 3.429567803) * z - 1.624906493) * z - 1.970840454) / (
            (1.637067800 * z + 3.543889200) * z + 1
        )
    for _ in range(3):
        error = math.erf(x) - abs(y) if rest >= 0.3 else rest - math.erfc(x)
        x -= error / (2 / math.sqrt(math.pi) * math.exp(-x * x))
    return math.copysign(x, y)


@kernel
def _lgamma_point(x):
    if x <= 0 and x == math.floor(x):
        return np.inf
    return math.lgamma(x)


@kernel
def _digamma_point(x):
    """The asymptotic series from 10 on, the recurrence below, the reflection for negative numbers."""
    if x == 0:
        return math.copysign(np.inf, -x)
    y = 0.0
    if x < 0:
        if x == math.floor(x):
            return np.nan
        y = -math.pi / math.tan(math.pi * (x - math.trunc(x)))
        x = 1 - x
    while x < 10:
        y -= 1 / x
        x += 1
    z = 1 / (x * x)
    series = 1 / 12 - z * (
        1 / 120 - z * (1 / 252 - z * (1 / 240 - z * (1 / 132 - z * (691 / 32760 - z * (1 / 12)))))
    )
    return y + math.log(x) - 0.5 / x - z * series


@kernel
def _zeta(s, x):
    """Hurwitz's zeta function, the sum of (x + k)^-s: its first terms, then the Euler-Maclaurin formula."""
    total = 0.0
    while x < 15:
        total += x**-s
        x += 1
    power = x**-s
    total += power * x / (s - 1) + power / 2
    # B_2k / (2k)! times s (s + 1) ... (s + 2k - 2) x^(-s - 2k + 1)
    term = power * s / x
    for k, bernoulli in enumerate(_BERNOULLI):
        total += term * bernoulli
        term *= (s + 2 * k + 1) * (s + 2 * k + 2) / (x * x)
    return total


_BERNOULLI = (  # B_2k / (2k)!
    1 / 12,
    -1 / 720,
    1 / 30240,
    -1 / 1209600,
    1 / 47900160,
    -691 / 1307674368000,
    1 / 74724249600,
)


@kernel
def _polygamma_point(x, n):
    if x <= 0 and x == math.floor(x):
        return np.inf if n % 2 else -np.inf
    if x < -1e6 or x == np.inf:  # too many terms to add up; the limit
        return np.nan if x < 0 else 0.0
    factorial = 1.0
    for k in range(2, n + 1):
        factorial *= k
    if n == 1 and x < 0:  # by reflection
        return (math.pi / math.sin(math.pi * x)) ** 2 - _zeta(2.0, 1 - x)
    return (factorial if n % 2 else -factorial) * _zeta(n + 1.0, x)


@kernel
def _bessel_point(x, n):
    """The series in x^2/4, whose terms are positive; from 30 on that in 1/x, whose error is exp(-2x)."""
    a = abs(x)
    term = total = 1.0
    if a < 30:
        z = a * a / 4
        for k in range(1, 100):
            term *= z / (k * (k + n))
            total += term
        return total * x / 2 if n == 1 else total
    for k in range(1, 30):
        term *= ((2 * k - 1) ** 2 - 4 * n * n) / (8 * k * a)
        total += term
    half = math.exp(a / 2)  # the exponential itself may be too large
    y = half * (total / math.sqrt(2 * math.pi * a)) * half
    return math.copysign(y, x) if n == 1 else y


_erf = _map.specialise("_erf", point=_erf_point)
_erfc = _map.specialise("_erfc", point=_erfc_point)
_erfinv = _map.specialise("_erfinv", point=_erfinv_point)
_lgamma = _map.specialise("_lgamma", point=_lgamma_point)
_digamma = _map.specialise("_digamma", point=_digamma_point)
_polygamma = _map_order.specialise("_polygamma", point=_polygamma_point)
_bessel = _map_order.specialise("_bessel", point=_bessel_point)


def erf(x: Array) -> Array:
    """2/sqrt(pi) times the integral of exp(-t**2) from 0 to x."""
    return _run(_erf, x)


def erfc(x: Array) -> Array:
    """1 - erf(x), accurate where that is near 0."""
    return _run(_erfc, x)


def erfinv(x: Array) -> Array:
    """The number whose erf is x."""
    return _run(_erfinv, x)


def lgamma(x: Array) -> Array:
    """log |Gamma(x)|."""
    return _run(_lgamma, x)


def digamma(x: Array) -> Array:
    """The derivative of lgamma."""
    return _run(_digamma, x)


def polygamma(x: Array, n: int) -> Array:
    """The n-th derivative of digamma."""
    return _run(_polygamma, x, n) if n else digamma(x)


def i0(x: Array) -> Array:
    """The modified Bessel function of the first kind, of order 0."""
    return _run(_bessel, x, 0)


def i1(x: Array) -> Array:
    """The modified Bessel function of the first kind, of order 1."""
    return _run(_bessel, x, 1)
