"""Primitives in NumPy: the value, and the value with the gradient for a cotangent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from benchmarks.built import Missing

Both = tuple[Any, Any]


# ------------------------------------------------------------------------------- over the last axis
def softmax(x: ndarray) -> ndarray:
    y = x - x.max(-1, keepdims=True)
    np.exp(y, out=y)
    y /= y.sum(-1, keepdims=True)
    return y


def softmax_both(x: ndarray, g: ndarray) -> Both:
    y = softmax(x)
    gradient = g - np.einsum("ij,ij->i", y, g)[:, None]
    gradient *= y
    return y, gradient


def log_softmax(x: ndarray) -> ndarray:
    y = x - x.max(-1, keepdims=True)
    y -= np.log(np.exp(y).sum(-1, keepdims=True))
    return y


def log_softmax_both(x: ndarray, g: ndarray) -> Both:
    y = log_softmax(x)
    gradient = np.exp(y)
    gradient *= -g.sum(-1, keepdims=True)
    gradient += g
    return y, gradient


def logsumexp(x: ndarray) -> ndarray:
    most = x.max(-1, keepdims=True)
    y = x - most
    return np.log(np.exp(y, out=y).sum(-1)) + most[:, 0]


def logsumexp_both(x: ndarray, g: ndarray) -> Both:
    most = x.max(-1, keepdims=True)
    powers = x - most
    sums = np.exp(powers, out=powers).sum(-1, keepdims=True)
    powers *= g[:, None] / sums
    return (np.log(sums) + most)[:, 0], powers


def layer_norm(x: ndarray) -> ndarray:
    return _normalized(x)[0]


def layer_norm_both(x: ndarray, g: ndarray) -> Both:
    y, scale = _normalized(x)
    gradient = g - g.mean(-1, keepdims=True)
    gradient -= y * (np.einsum("ij,ij->i", y, g)[:, None] / x.shape[-1])
    gradient *= scale
    return y, gradient


def _normalized(x: ndarray) -> tuple[ndarray, ndarray]:
    y = x - x.mean(-1, keepdims=True)
    scale = 1 / np.sqrt(np.einsum("ij,ij->i", y, y)[:, None] / x.shape[-1] + np.float32(1e-5))
    y *= scale
    return y, scale


# ------------------------------------------------------------------------------- element by element
def sigmoid(x: ndarray) -> ndarray:
    y = np.negative(x)
    np.exp(y, out=y)
    y += 1
    return np.reciprocal(y, out=y)


def sigmoid_both(x: ndarray, g: ndarray) -> Both:
    y = sigmoid(x)
    gradient = 1 - y
    gradient *= y
    gradient *= g
    return y, gradient


def tanh_both(x: ndarray, g: ndarray) -> Both:
    y = np.tanh(x)
    gradient = y * y
    np.subtract(1, gradient, out=gradient)
    gradient *= g
    return y, gradient


def relu(x: ndarray) -> ndarray:
    return np.maximum(x, 0)


def relu_both(x: ndarray, g: ndarray) -> Both:
    return np.maximum(x, 0), g * (x > 0)


def gelu(x: ndarray) -> ndarray:
    y = _share_below(x)
    y *= x
    return y


def gelu_both(x: ndarray, g: ndarray) -> Both:
    share = _share_below(x)
    density = x * x
    density *= -0.5
    np.exp(density, out=density)
    density *= (2 * np.pi) ** -0.5
    density *= x
    density += share
    density *= g
    share *= x
    return share, density


def _share_below(x: ndarray) -> ndarray:
    """The normal distribution function."""
    try:
        from scipy.special import erf
    except ImportError:
        raise Missing("erf: pip install scipy") from None
    y = x * np.float32(0.5**0.5)
    erf(y, out=y)
    y += 1
    y *= 0.5
    return y


# --------------------------------------------------------------------------------------- reductions
def filled(x: ndarray, g: Any) -> ndarray:
    """An array like x of the cotangent, for each row its own."""
    gradient = np.empty_like(x)
    gradient[...] = g[:, None] if np.ndim(g) else g
    return gradient


def max_both(x: ndarray, g: ndarray) -> Both:
    place = x.argmax()
    gradient = np.zeros_like(x)
    gradient.ravel()[place] = g
    return x.ravel()[place], gradient


def max_of_rows_both(x: ndarray, g: ndarray) -> Both:
    rows, places = np.arange(len(x)), x.argmax(-1)
    gradient = np.zeros_like(x)
    gradient[rows, places] = g
    return x[rows, places], gradient


def var_both(x: ndarray, g: ndarray) -> Both:
    gap = x - x.mean()
    y = np.vdot(gap, gap) / (x.size - 1)
    gap *= g * np.float32(2 / (x.size - 1))
    return y, gap


def var_of_rows_both(x: ndarray, g: ndarray) -> Both:
    gap, count = x - x.mean(-1, keepdims=True), x.shape[-1] - 1
    y = np.einsum("ij,ij->i", gap, gap) / count
    gap *= g[:, None] * np.float32(2 / count)
    return y, gap


PRIMITIVES: dict[str, tuple[Callable[[ndarray], Any], Callable[[ndarray, ndarray], Both]]] = {
    "softmax": (softmax, softmax_both),
    "log_softmax": (log_softmax, log_softmax_both),
    "logsumexp": (logsumexp, logsumexp_both),
    "sigmoid": (sigmoid, sigmoid_both),
    "tanh": (np.tanh, tanh_both),
    "gelu": (gelu, gelu_both),
    "relu": (relu, relu_both),
    "layer_norm": (layer_norm, layer_norm_both),
    "sum": (np.sum, lambda x, g: (x.sum(), filled(x, g))),
    "mean": (np.mean, lambda x, g: (x.mean(), filled(x, g / np.float32(x.size)))),
    "max": (np.max, max_both),
    "var": (lambda x: x.var(ddof=1), var_both),
    "sum of rows": (lambda x: x.sum(-1), lambda x, g: (x.sum(-1), filled(x, g))),
    "mean of rows": (
        lambda x: x.mean(-1),
        lambda x, g: (x.mean(-1), filled(x, g / np.float32(x.shape[-1]))),
    ),
    "max of rows": (lambda x: x.max(-1), max_of_rows_both),
    "var of rows": (lambda x: x.var(-1, ddof=1), var_of_rows_both),
}
