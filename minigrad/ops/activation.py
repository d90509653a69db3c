"""Sigmoid and its relatives, each with a kernel for its value and one for its derivative.

The derivative kernels are primitives themselves, with rules, so that second derivatives follow.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.autograd.op import Primitive, primitive
from minigrad.kernels import sigmoid as kernels
from minigrad.ops.elementwise import as_float, exp, minimum, where

# In the rules of the derivative kernels: u is the cotangent they were given, s the saved value.

_sigmoid_backward: Primitive = primitive(kernels.sigmoid_vjp, operands=("u", "s"), elementwise=True).vjp(
    lambda g, s: g * s * (1 - s),
    lambda g, u, s: g * u * (1 - 2 * s),
)
sigmoid: Primitive = primitive(
    kernels.sigmoid,
    promote="float",
    doc="""1 / (1 + exp(-x)), the probability of a logit; stable at any x.

    Example:
        >>> import minigrad
        >>> minigrad.sigmoid(minigrad.tensor([-1.0, 0.0, 1.0]))
        tensor([0.2689, 0.5000, 0.7311])
    """,
).vjp(lambda g, y: _sigmoid_backward(g, y))

_tanh_backward: Primitive = primitive(kernels.tanh_vjp, operands=("u", "s"), elementwise=True).vjp(
    lambda g, s: g * (1 - s * s),
    lambda g, u, s: -2 * g * u * s,
)
tanh: Primitive = primitive(
    kernels.tanh,
    ufunc=np.tanh,
    elementwise=False,  # the rule's kernel sees to zero cotangents itself
    promote="float",
    doc="""The hyperbolic tangent, 2 sigmoid(2x) - 1.

    Example:
        >>> import minigrad
        >>> minigrad.tanh(minigrad.tensor([-1.0, 0.0, 1.0]))
        tensor([-0.7616,  0.0000,  0.7616])
    """,
).vjp(lambda g, y: _tanh_backward(g, y))

_relu_backward: Primitive = primitive(kernels.relu_vjp, operands=("u", "s"), name="threshold").vjp(
    lambda g, s: _relu_backward(g, s),
    lambda g: g * 0,
)
relu: Primitive = primitive(
    kernels.relu,
    doc="""max(x, 0); its derivative at 0 is 0.

    Example:
        >>> import minigrad
        >>> minigrad.relu(minigrad.tensor([-1.0, 0.0, 2.0]))
        tensor([0., 0., 2.])
    """,
).vjp(lambda g, y: _relu_backward(g, y))

_log_sigmoid_backward: Primitive = primitive(
    kernels.log_sigmoid_vjp, operands=("u", "v"), elementwise=True
).vjp(
    lambda g, v: _log_sigmoid_backward(g, v),
    lambda g, u, v: -g * u * sigmoid(v) * sigmoid(-v),
)
logsigmoid: Primitive = primitive(
    kernels.log_sigmoid,
    name="logsigmoid",
    promote="float",
    grad_name="LogSigmoidBackward0",
    doc="""log(sigmoid(x)) = -log(1 + exp(-x)); stable at any x.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.logsigmoid(minigrad.tensor([-100.0, 0.0]))
        tensor([-100.0000,   -0.6931])
    """,
).vjp(lambda g, x: _log_sigmoid_backward(g, x))

_softplus_backward: Primitive = primitive(kernels.softplus_vjp, operands=("u", "v"), elementwise=True).vjp(
    lambda g, v, beta, threshold: _softplus_backward(g, v, beta=beta, threshold=threshold),
    lambda g, u, v, beta, threshold: (
        g * u * beta * sigmoid(v * beta) * sigmoid(-v * beta) * as_float(v * beta <= threshold, like=g)
    ),
)
_softplus: Primitive = primitive(kernels.softplus, operands=("x",), promote="float").vjp(
    lambda g, x, beta, threshold: _softplus_backward(g, x, beta=beta, threshold=threshold)
)


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """log(1 + exp(beta x)) / beta, and x itself where beta x > threshold.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.softplus(minigrad.tensor([-1.0, 0.0, 100.0]))
        tensor([  0.3133,   0.6931, 100.0000])
    """
    return _softplus(input, beta=beta, threshold=threshold)


def _silu_slope(x: Any) -> Any:
    """d silu / dx = s (1 + x (1 - s))."""
    s = sigmoid(x)
    return s * (1 + x * (1 - s))


def _silu_curvature(x: Any) -> Any:
    """The second derivative of silu, s (1 - s) (2 + x (1 - 2 s))."""
    s = sigmoid(x)
    return s * (1 - s) * (2 + x * (1 - 2 * s))


_silu_backward: Primitive = primitive(kernels.silu_vjp, operands=("u", "v"), elementwise=True).vjp(
    lambda g, v: g * _silu_slope(v),
    lambda g, u, v: g * u * _silu_curvature(v),
)
silu: Primitive = primitive(
    kernels.silu,
    promote="float",
    doc="""x sigmoid(x), also called swish.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.silu(minigrad.tensor([-1.0, 0.0, 1.0]))
        tensor([-0.2689,  0.0000,  0.7311])
    """,
).vjp(lambda g, x: _silu_backward(g, x))

_INV_SQRT_2PI = 0.3989422804014327
_SQRT_2_OVER_PI = 0.7978845608028654


def _gelu_slope(x: Any, approximate: str) -> Any:
    """d gelu / dx, differentiable itself."""
    if approximate == "tanh":
        t = tanh(_SQRT_2_OVER_PI * (x + 0.044715 * x * x * x))
        inner = _SQRT_2_OVER_PI * (1 + 3 * 0.044715 * x * x)
        return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * inner
    return _normal_cdf(x) + x * (_INV_SQRT_2PI * exp(-0.5 * x * x))


_gelu_backward: Primitive = primitive(kernels.gelu_vjp, operands=("u", "v"), elementwise=True).vjp(
    lambda g, v, approximate: g * _gelu_slope(v, approximate),
    lambda g, u, v, approximate: g * u * _gelu_curvature(v, approximate),
)


def _gelu_curvature(x: Any, approximate: str) -> Any:
    """The second derivative of gelu."""
    if approximate == "tanh":
        c = 0.044715
        t = tanh(_SQRT_2_OVER_PI * (x + c * x * x * x))
        inner = _SQRT_2_OVER_PI * (1 + 3 * c * x * x)
        bend = _SQRT_2_OVER_PI * 6 * c * x
        return (1 - t * t) * (inner + 0.5 * x * bend - x * t * inner * inner)
    return _INV_SQRT_2PI * exp(-0.5 * x * x) * (2 - x * x)


_gelu: Primitive = primitive(kernels.gelu, operands=("x",), promote="float").vjp(
    lambda g, x, approximate: _gelu_backward(g, x, approximate=approximate)
)


def _normal_cdf(x: Any) -> Any:
    """The standard normal distribution function: gelu(x) / x, and 1/2 at 0."""
    zero = x == 0
    safe = where(zero, 1.0, x)
    return where(zero, 0.5, _gelu(safe, approximate="none") / safe)


def gelu(input: Any, approximate: str = "none") -> Any:
    """x Phi(x), Phi the normal distribution function; or its `approximate="tanh"` form.

    Raises:
        RuntimeError: `approximate` is neither "none" nor "tanh".

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.gelu(minigrad.tensor([-1.0, 0.0, 1.0]))
        tensor([-0.1587,  0.0000,  0.8413])
    """
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    return _gelu(input, approximate=approximate)


def leaky_relu(input: Any, negative_slope: float = 0.01) -> Any:
    """x where x > 0, else negative_slope x; its derivative at 0 is negative_slope.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.leaky_relu(minigrad.tensor([-1.0, 2.0]))
        tensor([-0.0100,  2.0000])
    """
    return _leaky_relu(input, slope=negative_slope)


def _leaky(x: ndarray, *, slope: float) -> ndarray:
    return np.where(x > 0, x, x * slope)


_leaky_relu: Primitive = primitive(_leaky, name="leaky_relu", promote="float").vjp(
    lambda g, x, slope: where(x > 0, g, g * slope)
)


def elu(input: Any, alpha: float = 1.0) -> Any:
    """x where x > 0, else alpha (exp(x) - 1).

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.elu(minigrad.tensor([-1.0, 2.0]))
        tensor([-0.6321,  2.0000])
    """
    return _elu_of(input, alpha=alpha)


def _elu(x: ndarray, *, alpha: float) -> ndarray:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


_elu_of: Primitive = primitive(_elu, name="elu", promote="float", elementwise=True).vjp(
    lambda g, x, alpha: where(x > 0, g, g * (alpha * exp(minimum(x, 0))))
)
