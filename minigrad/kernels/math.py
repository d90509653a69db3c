"""Scalar functions that vectorise, for use inside kernels: exp, log, sigmoid, tanh ...

``math.exp`` in a compiled loop is a library call an element; these are polynomials without a
branch, so that LLVM computes 4 to 16 elements at once.  Every function is right for infinities, nan
and both zeros' neighbourhoods; the errors in units in the last place are measured in the tests.

One source serves both types: a function reads its constants from globals, which hold the float64
values; its float32 twin is the same source with ``_SINGLE``'s (:meth:`Kernel.specialise`).  Floats
are typed constants throughout, since in Numba a literal would turn float32 into float64.
"""

# The types of a kernel's arguments are inferred when it is compiled.
# mypy: allow-untyped-defs, no-check-untyped-defs

import numpy as np

from .jit import ByDtype, Kernel, kernel

_FLOAT, _INT = np.float64, np.int64
_ZERO, _HALF, _ONE, _TWO = np.float64(0), np.float64(0.5), np.float64(1), np.float64(2)
_INFINITY, _NAN = np.float64(np.inf), np.float64(np.nan)
_LOG2E = np.float64(1.4426950408889634)
# log(2) in two parts; the product of the first and an exponent is exact.
_LN2_HIGH, _LN2_LOW = np.float64(0.6931471803691238), np.float64(1.9082149292705877e-10)
# Adding 1.5 * 2**52 rounds to an integer, which then stands in the low bits.
_MAGIC = np.float64(1.5 * 2.0**52)
_MAGIC_BITS, _BIAS, _MANTISSA_BITS = np.int64(0x4338000000000000), np.int64(1023), np.int64(52)
_MANTISSA_MASK, _SIGN_BIT, _ORDER_SHIFT = np.int64(2**52 - 1), np.int64(-(2**63)), np.int64(63)
# The bits of sqrt(1/2): a mantissa is taken in [sqrt(1/2), sqrt(2)), where its log is near 0.
_SQRT_HALF_BITS, _ONE_BITS = np.int64(0x3FE6A09E00000000), np.int64(0x3FF0000000000000)
_SMALLEST_NORMAL, _SCALE_UP, _SCALE_UP_LOG2 = (
    np.float64(2.0**-1022),
    np.float64(2.0**54),
    np.float64(54),
)
# Beyond these exp is 0 and infinity, and expm1 is -1.
_EXP_LOWEST, _EXP_HIGHEST, _EXPM1_LOWEST = np.float64(-746), np.float64(710), np.float64(-40)
# The logarithm of the smallest normal number.
_EXP_NORMAL = np.float64(-708.3964185322641)
# (exp(r) - 1 - r) / r**2 on |r| <= log(2)/2, minimax, highest power first.
_EXP_TERMS = (
    np.float64(2.5100424157005067e-08),
    np.float64(2.7620138719732994e-07),
    np.float64(2.7557268378684192e-06),
    np.float64(2.480152119021773e-05),
    np.float64(0.00019841269863105968),
    np.float64(0.0013888888917281794),
    np.float64(0.008333333333330051),
    np.float64(0.04166666666662399),
    np.float64(0.16666666666666669),
    np.float64(0.5),
)
# (log(1+f) - 2s) / s with s = f/(2+f), as a polynomial in s**2: FreeBSD's e_log.c.
_LOG_TERMS = (
    np.float64(1.479819860511658591e-01),
    np.float64(1.531383769920937332e-01),
    np.float64(1.818357216161805012e-01),
    np.float64(2.222219843214978396e-01),
    np.float64(2.857142874366239149e-01),
    np.float64(3.999999999940941908e-01),
    np.float64(6.666666666666735130e-01),
)

# Phi(-a) exp(a**2 / 2) / t with t = scale / (scale + a), a polynomial in t - 1/2; minimax fits.
_TAIL_SCALE = np.float64(5)
_TAIL_EVEN_TERMS = (
    np.float64(0.001600213046866358),
    np.float64(-0.003495705622204945),
    np.float64(0.005694279812876152),
    np.float64(-0.009077787669780733),
    np.float64(0.013665651597125779),
    np.float64(-0.012160177391075474),
    np.float64(-0.0408509119944291),
    np.float64(0.26617685500889415),
    np.float64(0.5280651717456022),
    np.float64(0.3962444927759793),
    np.float64(0.15383860995001258),
)
_TAIL_ODD_TERMS = (
    np.float64(-0.0009332069573188149),
    np.float64(0.0011134067460527228),
    np.float64(-0.0011471006199409738),
    np.float64(0.002211817195781903),
    np.float64(-0.006522769803726975),
    np.float64(0.020382864656396344),
    np.float64(-0.05579766402005525),
    np.float64(0.0766304452888185),
    np.float64(0.4423592877214708),
    np.float64(0.5016530506740754),
    np.float64(0.2661530011560227),
)

_SINGLE = {
    "_FLOAT": np.float32,
    "_INT": np.int32,
    "_ZERO": np.float32(0),
    "_HALF": np.float32(0.5),
    "_ONE": np.float32(1),
    "_TWO": np.float32(2),
    "_INFINITY": np.float32(np.inf),
    "_NAN": np.float32(np.nan),
    "_LOG2E": np.float32(1.4426950408889634),
    "_LN2_HIGH": np.float32(0.693359375),
    "_LN2_LOW": np.float32(-0.00021219444170128554),
    "_MAGIC": np.float32(1.5 * 2.0**23),
    "_MAGIC_BITS": np.int32(0x4B400000),
    "_BIAS": np.int32(127),
    "_MANTISSA_BITS": np.int32(23),
    "_MANTISSA_MASK": np.int32(2**23 - 1),
    "_SIGN_BIT": np.int32(-(2**31)),
    "_ORDER_SHIFT": np.int32(31),
    "_SQRT_HALF_BITS": np.int32(0x3F3504F3),
    "_ONE_BITS": np.int32(0x3F800000),
    "_SMALLEST_NORMAL": np.float32(2.0**-126),
    "_SCALE_UP": np.float32(2.0**25),
    "_SCALE_UP_LOG2": np.float32(25),
    "_EXP_LOWEST": np.float32(-105),
    "_EXP_HIGHEST": np.float32(89),
    "_EXPM1_LOWEST": np.float32(-20),
    "_EXP_NORMAL": np.float32(-87.33654475055310),
    "_EXP_TERMS": (
        np.float32(0.0013926213466332444),
        np.float32(0.008363202971575855),
        np.float32(0.04166655443768594),
        np.float32(0.16666576845993977),
        np.float32(0.5),
    ),
    "_LOG_TERMS": (
        np.float32(0.24279078841),
        np.float32(0.28498786688),
        np.float32(0.40000972152),
        np.float32(0.66666662693),
    ),
    "_TAIL_SCALE": np.float32(3.5),
    "_TAIL_EVEN_TERMS": (
        np.float32(0.03202455596558694),
        np.float32(-0.05832138262814137),
        np.float32(0.07959055071092197),
        np.float32(0.3604853304708001),
        np.float32(0.2126903085496979),
    ),
    "_TAIL_ODD_TERMS": (
        np.float32(-0.017764172134247202),
        np.float32(0.018301374187442584),
        np.float32(-0.059365983341462085),
        np.float32(0.2652636456986284),
        np.float32(0.3231781458907377),
    ),
}


def _both_types(name: str, function: Kernel) -> ByDtype:
    """``function``, which reads float64 constants, and its float32 twin."""
    return ByDtype(function.specialise(f"{name}32", **_SINGLE), function)


@kernel
def _polynomial(terms, x):
    """Horner's rule, highest power first."""
    y = terms[0]
    for term in terms[1:]:
        y = y * x + term
    return y


@kernel
def _power_of_two(n):
    """2**n for an integer n from -1022 to 1023 (-126 to 127 in float32)."""
    return _INT((n + _BIAS) << _MANTISSA_BITS).view(_FLOAT)


@kernel
def _split(x):
    """n and r such that exp(x) = 2**n exp(r), |r| <= log(2)/2.

    No conversion between floats and integers, which not every processor does in vectors.
    """
    shifted = x * _LOG2E + _MAGIC
    n = shifted - _MAGIC
    return _INT(_FLOAT(shifted).view(_INT) - _MAGIC_BITS), (x - n * _LN2_HIGH) - n * _LN2_LOW


@kernel
def _exp(x):
    """e**x."""
    x = _EXP_LOWEST if x < _EXP_LOWEST else x
    x = _EXP_HIGHEST if x > _EXP_HIGHEST else x
    n, r = _split(x)
    # Two factors, since 2**n alone may be beyond the range where the result is not.
    half = _INT(n >> 1)
    y = (r * r) * _polynomial(_EXP_TERMS, r) + r + _ONE
    return y * _power_of_two(half) * _power_of_two(_INT(n - half))


@kernel
def _exp_nonpositive(x):
    """e**x for x <= 0, and 0 where that is no normal number; at half the cost of `_exp`."""
    n, r = _split(x if x > _EXP_NORMAL else _EXP_NORMAL)
    y = ((r * r) * _polynomial(_EXP_TERMS, r) + r + _ONE) * _power_of_two(n)
    y = y if x >= _EXP_NORMAL else _ZERO
    return y if x == x else x


@kernel
def _exp_and_rest(x):
    """e**x and 1 - e**x for x <= 0, both accurate relatively."""
    n, r = _split(x if x > _EXP_NORMAL else _EXP_NORMAL)
    less_one, scale = (r * r) * _polynomial(_EXP_TERMS, r) + r, _power_of_two(n)
    y = scale * less_one + scale
    y = y if x >= _EXP_NORMAL else _ZERO
    rest = (_ONE - scale) - scale * less_one
    return (y if x == x else x), (rest if x == x else x)


@kernel
def _expm1(x):
    """e**x - 1, accurate near 0."""
    x = _EXPM1_LOWEST if x < _EXPM1_LOWEST else x
    x = _EXP_HIGHEST if x > _EXP_HIGHEST else x
    n, r = _split(x)
    half = _power_of_two(_INT(n - 1))
    y = (r * r) * _polynomial(_EXP_TERMS, r) + r
    return _TWO * (half * y + (half - _HALF))


@kernel
def _log_parts(u):
    """k and f such that u = 2**k (1 + f), sqrt(1/2) <= 1 + f < sqrt(2), u normal and positive."""
    bits = _INT(_FLOAT(u).view(_INT) + (_ONE_BITS - _SQRT_HALF_BITS))
    k = _INT((bits >> _MANTISSA_BITS) - _BIAS)
    f = _INT((bits & _MANTISSA_MASK) + _SQRT_HALF_BITS).view(_FLOAT) - _ONE
    return _INT(k + _MAGIC_BITS).view(_FLOAT) - _MAGIC, f


@kernel
def _log_sum(k, f, correction):
    """k log(2) + log(1 + f) + correction."""
    s = f / (_TWO + f)
    z = s * s
    half_square = _HALF * f * f
    tail = s * (half_square + z * _polynomial(_LOG_TERMS, z))
    return k * _LN2_HIGH - ((half_square - (tail + (k * _LN2_LOW + correction))) - f)


@kernel
def _log(x):
    """The natural logarithm; nan below 0."""
    tiny = x < _SMALLEST_NORMAL
    k, f = _log_parts(x * (_SCALE_UP if tiny else _ONE))
    y = _log_sum(k - (_SCALE_UP_LOG2 if tiny else _ZERO), f, _ZERO)
    y = y if x < _INFINITY else x  # infinity and nan
    y = y if x != _ZERO else -_INFINITY
    return _NAN if x < _ZERO else y


@kernel
def _log1p(x):
    """log(1 + x), accurate near 0; nan below -1."""
    u = _ONE + x
    # What the rounding of u lost; for large x seen from the other side.
    lost_of_x, lost_of_one = x - (u - _ONE), _ONE - (u - x)
    lost = (lost_of_x if x < _ONE else lost_of_one) / u
    k, f = _log_parts(u)
    near = k == _ZERO
    y = _log_sum(k, x if near else f, _ZERO if near else lost)
    y = y if x < _INFINITY else x
    y = y if x != -_ONE else -_INFINITY
    return _NAN if x < -_ONE else y


@kernel
def _sigmoid(x):
    """1 / (1 + e**-x)."""
    e = _exp_nonpositive(-abs(x))
    return (e if x < _ZERO else _ONE) / (_ONE + e)


@kernel
def _tanh(x):
    """(e**2x - 1) / (e**2x + 1)."""
    sign = _INT(_FLOAT(x).view(_INT) & _SIGN_BIT)
    size = abs(x)
    t = _expm1(-_EXPM1_LOWEST if size + size > -_EXPM1_LOWEST else size + size)
    return _INT(_FLOAT(t / (t + _TWO)).view(_INT) | sign).view(_FLOAT)


@kernel
def _normal_cdf(x):
    """The probability of a standard normal number below x, accurate relatively in the left tail."""
    t = _TAIL_SCALE / (_TAIL_SCALE + abs(x))
    u = t - _HALF
    # In two halves: LLVM does not unroll a longer loop, and would not vectorise what calls it.
    fit = _polynomial(_TAIL_EVEN_TERMS, u * u) + u * _polynomial(_TAIL_ODD_TERMS, u * u)
    tail = t * fit * _exp_nonpositive(-_HALF * x * x)
    upper = _ONE - tail
    return upper if x > _ZERO else tail


@kernel
def _order(x):
    """An integer such that those of two numbers compare as the numbers do.

    A maximum over integers vectorises, over floats it does not.  A nan with a clear sign bit is
    above infinity, one with a set sign bit below -infinity.
    """
    bits = _FLOAT(x).view(_INT)
    return _INT(bits ^ ((bits >> _ORDER_SHIFT) & ~_SIGN_BIT))


@kernel
def _from_order(n):
    """The number of an :func:`order`."""
    return _INT(n ^ ((n >> _ORDER_SHIFT) & ~_SIGN_BIT)).view(_FLOAT)


exp = _both_types("exp", _exp)
exp_nonpositive = _both_types("exp_nonpositive", _exp_nonpositive)
exp_and_rest = _both_types("exp_and_rest", _exp_and_rest)
expm1 = _both_types("expm1", _expm1)
log = _both_types("log", _log)
log1p = _both_types("log1p", _log1p)
sigmoid = _both_types("sigmoid", _sigmoid)
tanh = _both_types("tanh", _tanh)
normal_cdf = _both_types("normal_cdf", _normal_cdf)
order = _both_types("order", _order)
split = _both_types("split", _split)
from_order = _both_types("from_order", _from_order)
