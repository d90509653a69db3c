"""Further pointwise functions of one operand: trigonometry, the error and gamma functions, bounds."""

import numpy as np

from ops_table.base import RENAMED, fractions, given, integers, mask, positive, real, row, spread, unary, unit


def beyond_one(*shape):
    """Numbers above 1."""
    return spread(1.2, 4, *shape)


def large(*shape):
    """Numbers for which torch's own trigamma, a short series, is exact."""
    return spread(40, 60, *shape)


for _name, _maker in {
    "exp2": real,
    "tan": lambda *s: spread(-1.3, 1.3, *s),
    "asin": lambda *s: spread(-0.9, 0.9, *s),
    "arcsin": lambda *s: spread(-0.9, 0.9, *s),
    "acos": lambda *s: spread(-0.9, 0.9, *s),
    "arccos": lambda *s: spread(-0.9, 0.9, *s),
    "atan": real,
    "arctan": real,
    "sinh": real,
    "cosh": real,
    "asinh": real,
    "arcsinh": real,
    "acosh": beyond_one,
    "arccosh": beyond_one,
    "atanh": lambda *s: spread(-0.9, 0.9, *s),
    "arctanh": lambda *s: spread(-0.9, 0.9, *s),
    "sinc": lambda *s: spread(0.2, 2, *s),
    "deg2rad": real,
    "rad2deg": real,
    "erf": real,
    "erfc": real,
    "erfinv": lambda *s: spread(-0.9, 0.9, *s),
    "lgamma": positive,
    "digamma": large,
    "logit": lambda *s: spread(0.1, 0.9, *s),
    "i0": real,
    "special.i1": real,
    "special.entr": positive,
    "frac": fractions,
    "fix": fractions,
    "absolute": real,
    "positive": real,
    "signbit": real,
    "isposinf": real,
    "isneginf": real,
    "isreal": real,
    "nan_to_num": real,
}.items():
    unary(_name, _maker)

unary("sgn", real, grad=False)  # torch's gradient is a tensor without memory
row("sgn times itself", lambda m, x: (m.sgn(x) * x, x.sgn() * x), real(4))
row("sgn edges", lambda m, x: m.sgn(x) * x, given([0.0, -0.0, 1.0, -1.0]), kink=True)
row("logit edges", lambda m, x: m.logit(x), given([0.0, 1.0, -1.0, 2.0, np.nan]), kink=True)

for _name in (
    *("tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh", "exp2", "erf", "erfc"),
    *("lgamma", "special.entr", "signbit", "isposinf", "isneginf", "nan_to_num"),
    *("positive", "deg2rad", "i0"),
):
    unary_edges = [0.0, -0.0, 1.0, -1.0, np.nan, np.inf, -np.inf]

    def _call(m, x, name=_name):
        for part in name.split("."):
            m = getattr(m, part)
        return m(x)

    row(f"{_name} edges", _call, given(unary_edges), kink=True)
row("erfinv edges", lambda m, x: m.erfinv(x), given([0.0, 1.0, -1.0, 1.5, np.nan, 0.999]), kink=True)
row("digamma edges", lambda m, x: m.digamma(x), given([0.0, -0.0, -1.0, np.nan, np.inf]), grad=False)
row("digamma small", lambda m, x: m.digamma(x), given([-10.5, -0.5, 0.1, 1.0, 2.5, 9.9]), grad=False)
row("lgamma negative", lambda m, x: m.lgamma(x), given([-0.5, -2.5, -7.25]), kink=True, grad=False)
row("sinc zero", lambda m, x: m.sinc(x), given([0.0, 0.5]), kink=True)
row("i1 edges", lambda m, x: m.special.i1(x), given([0.0, -20.0, 35.0]), kink=True)
row("i0 far", lambda m, x: m.i0(x), given([-29.0, 31.0, 80.0]), kink=True)
row("erfc far", lambda m, x: m.erfc(x), given([3.0, 5.0, -5.0]), kink=True)
row("polygamma", lambda m, x: (m.polygamma(2, x), m.polygamma(3, x), x.polygamma(2)), positive(2, 3))
row("polygamma of order 0 and 1", lambda m, x: (m.polygamma(0, x), m.polygamma(1, x)), large(5))
row("polygamma negative", lambda m, x: m.polygamma(2, x), given([-0.5, -1.5, 0.0]), kink=True)
row("polygamma of int", lambda m, x: m.polygamma(2, x), integers(1, 5, 4))
row("polygamma of negative order", lambda m, x: m.polygamma(-1, x), positive(2))
row("logit eps", lambda m, x: m.logit(x, eps=0.2), spread(0.0, 1, 2, 4, away=0.2))
row("logit eps edges", lambda m, x: x.logit(0.25), given([-1.0, 0.25, 0.5, 0.75, 2.0]), kink=True)
row("logit negative eps", lambda m, x: m.logit(x, -1), unit(3))
row(
    "nan_to_num numbers",
    lambda m, x: (m.nan_to_num(x, 1.5, 2.0, -3.0), x.nan_to_num(posinf=7), x.nan_to_num()),
    given([np.nan, np.inf, -np.inf, 0.5]),
    kink=True,
)
row("threshold", lambda m, x: m.threshold(x, 0.5, 9), spread(-2, 2, 2, 4, away=0.5))
row("threshold edges", lambda m, x: m.threshold(x, 1, 5), given([1.0, 2.0, 0.0, np.nan]), kink=True)
row("threshold of int", lambda m, x: m.threshold(x, 1.5, 9.5), integers(0, 4, 5))
row("threshold of bool", lambda m, x: m.threshold(x, 1, 9), mask(3))
row("threshold empty", lambda m, x: m.threshold(x, 1, 9), real(0, 2))

row(
    "methods of one operand, further",
    lambda m, x: (
        x.exp2().tan().atan().sinh().asinh().cosh().acosh(),
        x.atanh().arctan(),
        x.asin().arcsinh(),
        x.acos().arccosh(),
        (x * 0.5).arcsin().arctanh(),
        x.arccos(),
        x.sinc().deg2rad().rad2deg(),
        x.erf().erfinv(),
        x.erfc().lgamma(),
        x.i0(),
        x.frac(),
        x.fix(),
        x.sgn(),
        x.absolute(),
        x.positive(),
    ),
    spread(0.2, 0.5, 4),
    kink=True,
)
row("digamma method", lambda m, x: x.digamma(), large(3))
row(
    "tests of one operand",
    lambda m, x: (x.signbit(), x.isposinf(), x.isneginf(), x.isreal()),
    given([-1.0, 0.0, np.inf, -np.inf]),
)

_SPECIAL = ("expit", "erf", "erfc", "erfinv", "gammaln", "psi", "digamma", "log1p", "expm1", "exp2", "logit")
for _name in (*_SPECIAL, "sinc", "i0"):
    row(
        f"special.{_name}",
        lambda m, x, name=_name: getattr(m.special, name)(x),
        large(3) if _name in ("psi", "digamma") else spread(0.2, 0.8, 3, away=0.5),
    )
row("special.polygamma", lambda m, x: m.special.polygamma(2, x), positive(3))
row(
    "special softmax",
    lambda m, x: (m.special.softmax(x, 1), m.special.log_softmax(x, 1), m.special.logsumexp(x, 1)),
    real(2, 3),
)
row(
    "constants",
    lambda m, x: x * m.pi + m.e + m.where(m.tensor(False), m.inf, 0.0) + m.nan_to_num(m.tensor(m.nan)),
    real(2),
    kink=True,
)

# --------------------------------------------------------------------------------------------- in place
row(
    "in-place twins of one operand",
    lambda m, x: (
        x.clone().sin_(),
        x.clone().cos_(),
        x.clone().tan_(),
        x.clone().asin_(),
        x.clone().arcsin_(),
        x.clone().acos_(),
        x.clone().arccos_(),
        x.clone().atan_(),
        x.clone().arctan_(),
        x.clone().sinh_(),
        x.clone().cosh_(),
        x.clone().sinc_(),
        x.clone().deg2rad_(),
        x.clone().rad2deg_(),
    ),
    spread(0.2, 0.8, 4),
)
# torch has no gradient of these
row("asinh_", lambda m, x: (x.clone().asinh_(), x.clone().arcsinh_()), unit(3), grad=False)
row("acosh_", lambda m, x: ((x + 1).acosh_(), (x + 1).arccosh_()), unit(3), grad=False)
row("atanh_", lambda m, x: (x.clone().atanh_(), x.clone().arctanh_()), unit(3), grad=False)
row("polygamma_", lambda m, x: x.clone().polygamma_(2), positive(3))
RENAMED["polygamma_"] = "torch gives the in-place function a number of its own"
row(
    "in-place twins of one operand, further",
    lambda m, x: (
        x.clone().exp2_(),
        x.clone().expm1_(),
        x.clone().log1p_(),
        x.clone().log2_(),
        x.clone().log10_(),
        x.clone().rsqrt_(),
        x.clone().square_(),
        x.clone().reciprocal_(),
        x.clone().negative_(),
        x.clone().absolute_(),
        x.clone().erf_(),
        x.clone().erfc_(),
        x.clone().erfinv_(),
        x.clone().lgamma_(),
        (x + 40).digamma_(),
        x.clone().i0_(),
        x.clone().logit_(),
        x.clone().logit_(0.1),
    ),
    spread(0.2, 0.8, 4),
)
row(
    "in-place twins with steps",
    lambda m, x: (
        x.clone().floor_(),
        x.clone().ceil_(),
        x.clone().trunc_(),
        x.clone().fix_(),
        x.clone().frac_(),
        x.clone().sign_(),
        x.clone().sgn_(),
        x.clone().nan_to_num_(),
        x.clone().clip_(0.25, 0.65),
        x.clone().clamp_min_(0.5),
        x.clone().clamp_max_(0.5),
    ),
    given([0.2, 0.3, 0.7, 1.2]),
)
row("in-place float function of int", lambda m, x: x.clone().sin_(), integers(1, 5, 3))
row(
    "in-place functions of int",
    lambda m, x: (x.clone().square_(), x.clone().clamp_min_(3)),
    integers(1, 5, 3),
)
