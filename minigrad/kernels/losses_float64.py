"""Exponentials and logarithms of float32 numbers in float64, for losses whose terms cancel.

Six of their digits are left where two terms agree in all that a float32 number has: 50 bits are kept, and
float64's subnormal numbers are left out, which takes a fifth less time than the functions of `math`. Those
are what these names stand for where the numbers are float64.
"""

# The types of a kernel's arguments are inferred when it is compiled.
# mypy: allow-untyped-defs, no-check-untyped-defs

import numpy as np

from .jit import ByDtype, kernel
from .math import _log_parts, _polynomial, _power_of_two, _split, exp, log

_ONE, _TWO, _ZERO, _INFINITY = np.float64(1), np.float64(2), np.float64(0), np.float64(np.inf)
_NAN, _LN2 = np.float64(np.nan), np.float64(0.6931471805599453)
_LOWEST, _HIGHEST = np.float64(-708), np.float64(710)
# (exp(r) - 1 - r) / r**2 on |r| <= log(2)/2, minimax, highest power first.
_EXP_TERMS = (
    np.float64(2.761380686153829e-07),
    np.float64(2.762511557828763e-06),
    np.float64(2.4801536388690766e-05),
    np.float64(0.00019841208732536384),
    np.float64(0.0013888888905881542),
    np.float64(0.008333333353729397),
    np.float64(0.04166666666665136),
    np.float64(0.1666666666664829),
    np.float64(0.5),
)
# (atanh(s) / s - 1) / s**2 on s**2 <= 0.0295, minimax in s**2, highest power first.
_ATANH_TERMS = (
    np.float64(0.08310969235902256),
    np.float64(0.09070092886479063),
    np.float64(0.11111431231899532),
    np.float64(0.14285712068318135),
    np.float64(0.2000000000560591),
    np.float64(0.3333333333333104),
)


@kernel
def _exp_of_single(x):
    """e**x; infinity from e**710 on, and 3e-308 for what is less: as float32 numbers these are right."""
    x = np.float64(x)
    x = _LOWEST if x < _LOWEST else x
    n, r = _split(_HIGHEST if x > _HIGHEST else x)
    return ((r * r) * _polynomial(_EXP_TERMS, r) + r + _ONE) * _power_of_two(n)


@kernel
def _log_of_single(x):
    """The natural logarithm; nan below 0."""
    x = np.float64(x)
    k, f = _log_parts(x)
    s = f / (_TWO + f)
    twice, square = s + s, s * s
    y = k * _LN2 + (twice + twice * (square * _polynomial(_ATANH_TERMS, square)))
    y = y if x < _INFINITY else x
    y = y if x > _ZERO else -_INFINITY
    return y if x >= _ZERO else _NAN


exp_in_float64 = ByDtype(_exp_of_single, exp.float64)
log_in_float64 = ByDtype(_log_of_single, log.float64)
