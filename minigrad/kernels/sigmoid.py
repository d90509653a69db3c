"""Sigmoid and its relatives with their cotangent rules, each in one pass over the array.

The functions take arrays of any type and layout and return a new array.  float32 and float64 run
compiled; other types are computed in float64 and come back in their own type (integers in float32).
"""

# The types of a kernel's arguments are inferred when it is compiled.
# mypy: allow-untyped-defs, no-check-untyped-defs

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .jit import Kernel, flat, is_compiled_type, kernel, prange
from .math import exp_nonpositive as exp
from .math import log1p, normal_cdf
from .math import sigmoid as sigmoid_
from .math import tanh as tanh_

Array = NDArray[Any]

# Elements that take about 0.2 ms: to wake the threads takes 0.06 ms (measured).
_THRESHOLD = 500_000
_FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)


@kernel
def point(x):
    """Stands for the function of the element in the loops below."""
    return x


@kernel(parallel=True, threshold=_THRESHOLD)
def _map(x, y):
    for i in prange(x.size):
        y[i] = point(x[i])


@kernel(parallel=True, threshold=_THRESHOLD)
def _map_pair(g, x, y):
    for i in prange(x.size):
        y[i] = point(g[i], x[i]) if g[i] != 0 else 0  # also where the slope is nan


@kernel(parallel=True, threshold=_THRESHOLD)
def _map_scaled(x, y, beta, threshold):
    for i in prange(x.size):
        y[i] = point(x[i], beta, threshold)


@kernel(parallel=True, threshold=_THRESHOLD)
def _map_pair_scaled(g, x, y, beta, threshold):
    for i in prange(x.size):
        y[i] = point(g[i], x[i], beta, threshold) if g[i] != 0 else 0


def _run(loop: Kernel, x: Array) -> Array:
    """Run ``loop`` over an array and a new one: `_run_any` for the usual types, without its lists."""
    dtype = x.dtype
    if dtype is not _FLOAT32 and dtype is not _FLOAT64:
        return _run_any(loop, x)
    y = np.empty(x.shape, dtype)
    loop.run(x.size, flat(x), y.ravel())
    return y


def _run_pair(loop: Kernel, g: Array, x: Array) -> Array:
    """As `_run` with a cotangent of x's type."""
    dtype = x.dtype
    if g.dtype is not dtype or (dtype is not _FLOAT32 and dtype is not _FLOAT64):
        return _run_any(loop, g, x)
    y = np.empty(x.shape, dtype)
    loop.run(x.size, flat(g), flat(x), y.ravel())
    return y


def _run_any(loop: Kernel, *arrays: Array, options: tuple[float, ...] = ()) -> Array:
    """Run ``loop`` over arrays of one shape, the last of which gives the type of the result."""
    x = arrays[-1]
    dtype = x.dtype
    if not is_compiled_type(dtype):
        result = _run_any(loop, *(a.astype(np.float64) for a in arrays), options=options)
        return result.astype(dtype if dtype.kind == "f" else np.float32)
    y = np.empty(x.shape, dtype)
    vectors = [flat(x), y.reshape(-1)]
    if len(arrays) == 2:
        g = arrays[0]
        vectors.insert(0, flat(g if g.dtype is dtype else g.astype(dtype)))
    if options:
        loop.run(x.size, *vectors, *map(dtype.type, options))
    else:
        loop.run(x.size, *vectors)
    return y


@kernel
def _sigmoid_vjp_point(g, y):
    return g * (y * (type(y)(1) - y))


@kernel
def _log_sigmoid_point(x):
    zero = type(x)(0)
    return (x if x < zero else zero) - log1p(exp(-abs(x)))


@kernel
def _log_sigmoid_vjp_point(g, x):
    return g * sigmoid_(-x)


@kernel
def _softplus_point(x, beta, threshold):
    z = x * beta
    zero = type(x)(0)
    y = ((z if z > zero else zero) + log1p(exp(-abs(z)))) / beta
    return x if z > threshold else y


@kernel
def _softplus_vjp_point(g, x, beta, threshold):
    z = x * beta
    return g if z > threshold else g * sigmoid_(z)


@kernel
def _silu_point(x):
    return x * sigmoid_(x)


@kernel
def _silu_vjp_point(g, x):
    e = exp(-abs(x))
    larger = type(x)(1) / (type(x)(1) + e)
    smaller = e * larger
    s = larger if x > type(x)(0) else smaller
    return g * (s + x * (larger * smaller))


@kernel
def _tanh_vjp_point(g, y):
    return g * (type(y)(1) - y * y)


@kernel
def _gelu_point(x):
    return x * normal_cdf(x)


@kernel
def _gelu_vjp_point(g, x):
    real = type(x)
    density = real(1 / math.sqrt(2 * math.pi)) * exp(real(-0.5) * x * x)
    return g * (normal_cdf(x) + x * density)


# (1 + tanh(u)) / 2 is sigmoid(2u), without the loss of digits where the tanh is near -1 or 1.  For
# the same reason its slope, here and in silu's rule, is the larger times the smaller of s and 1 - s.


@kernel
def _gelu_tanh_point(x):
    real = type(x)
    u = real(2 * math.sqrt(2 / math.pi)) * (x + real(0.044715) * x * x * x)
    return x * sigmoid_(u)


@kernel
def _gelu_tanh_vjp_point(g, x):
    real = type(x)
    scale = real(2 * math.sqrt(2 / math.pi))
    u = scale * (x + real(0.044715) * x * x * x)
    e = exp(-abs(u))
    larger = real(1) / (real(1) + e)
    smaller = e * larger
    s = larger if u > real(0) else smaller
    u_slope = scale * (real(1) + real(3 * 0.044715) * x * x)
    return g * (s + x * (larger * smaller) * u_slope)


@kernel
def relu_point(x):
    zero = type(x)(0)
    return zero if x <= zero else x


@kernel
def relu_vjp_point(g, y):
    return type(g)(0) if y <= type(y)(0) else g


_sigmoid = _map.specialise("_sigmoid", point=sigmoid_)
_sigmoid_vjp = _map_pair.specialise("_sigmoid_vjp", point=_sigmoid_vjp_point)
_log_sigmoid = _map.specialise("_log_sigmoid", point=_log_sigmoid_point)
_log_sigmoid_vjp = _map_pair.specialise("_log_sigmoid_vjp", point=_log_sigmoid_vjp_point)
_softplus = _map_scaled.specialise("_softplus", point=_softplus_point)
_softplus_vjp = _map_pair_scaled.specialise("_softplus_vjp", point=_softplus_vjp_point)
_silu = _map.specialise("_silu", point=_silu_point)
_silu_vjp = _map_pair.specialise("_silu_vjp", point=_silu_vjp_point)
_tanh = _map.specialise("_tanh", point=tanh_)
_tanh_vjp = _map_pair.specialise("_tanh_vjp", point=_tanh_vjp_point)
_gelu = {
    "none": _map.specialise("_gelu", point=_gelu_point),
    "tanh": _map.specialise("_gelu_tanh", point=_gelu_tanh_point),
}
_gelu_vjp = {
    "none": _map_pair.specialise("_gelu_vjp", point=_gelu_vjp_point),
    "tanh": _map_pair.specialise("_gelu_tanh_vjp", point=_gelu_tanh_vjp_point),
}
_relu = _map.specialise("_relu", point=relu_point)
_relu_vjp = _map_pair.specialise("_relu_vjp", point=relu_vjp_point)


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x))."""
    return _run(_sigmoid, x)


def sigmoid_vjp(g: Array, y: Array) -> Array:
    """g y (1 - y), y being the sigmoid."""
    return _run_pair(_sigmoid_vjp, g, y)


def log_sigmoid(x: Array) -> Array:
    """log(sigmoid(x)) = min(x, 0) - log(1 + exp(-|x|))."""
    return _run(_log_sigmoid, x)


def log_sigmoid_vjp(g: Array, x: Array) -> Array:
    """g sigmoid(-x)."""
    return _run_pair(_log_sigmoid_vjp, g, x)


def softplus(x: Array, beta: float = 1.0, threshold: float = 20.0) -> Array:
    """log(1 + exp(beta x)) / beta, and x itself where beta x > threshold."""
    return _run_any(_softplus, x, options=(beta, threshold))


def softplus_vjp(g: Array, x: Array, beta: float = 1.0, threshold: float = 20.0) -> Array:
    """g sigmoid(beta x), and g itself where beta x > threshold."""
    return _run_any(_softplus_vjp, g, x, options=(beta, threshold))


def silu(x: Array) -> Array:
    """x sigmoid(x)."""
    return _run(_silu, x)


def silu_vjp(g: Array, x: Array) -> Array:
    """g s (1 + x (1 - s)) with s = sigmoid(x)."""
    return _run_pair(_silu_vjp, g, x)


def tanh(x: Array) -> Array:
    """The hyperbolic tangent."""
    return _run(_tanh, x)


def tanh_vjp(g: Array, y: Array) -> Array:
    """g (1 - y**2), y being the tanh."""
    return _run_pair(_tanh_vjp, g, y)


def gelu(x: Array, approximate: Literal["none", "tanh"] = "none") -> Array:
    """x Phi(x), Phi being the normal distribution function, or its approximation by a tanh."""
    return _run(_gelu[approximate], x)


def gelu_vjp(g: Array, x: Array, approximate: Literal["none", "tanh"] = "none") -> Array:
    """g (Phi(x) + x phi(x)), or the slope of the approximation."""
    return _run_pair(_gelu_vjp[approximate], g, x)


def relu(x: Array) -> Array:
    """max(x, 0); nan stays nan."""
    if x.dtype.kind in "biu":
        return np.asarray(np.maximum(x, x.dtype.type(0)))
    return _run(_relu, x)


def relu_vjp(g: Array, y: Array) -> Array:
    """g where y > 0, and 0 at the kink; y being the relu or its argument."""
    return _run_pair(_relu_vjp, g, y)
