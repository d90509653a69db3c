"""HIPS autograd: NumPy code, differentiated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd
import numpy as np
from autograd import numpy as anp

from benchmarks.built import Built, Missing
from benchmarks.catalogue import Arrays, Loss
from benchmarks.libraries.optimizers import UPDATES
from benchmarks.network import Network, Trainer

Array = Any


# --------------------------------------------------------------------------------------- primitives
def logsumexp(x: Array) -> Array:
    """Of rows, as a column."""
    most = anp.max(x, -1, keepdims=True)
    return most + anp.log(anp.sum(anp.exp(x - most), -1, keepdims=True))


def log_softmax(x: Array) -> Array:
    return x - logsumexp(x)


def softmax(x: Array) -> Array:
    powers = anp.exp(x - anp.max(x, -1, keepdims=True))
    return powers / anp.sum(powers, -1, keepdims=True)


def softplus(x: Array) -> Array:
    return anp.maximum(x, 0) + anp.log1p(anp.exp(-anp.abs(x)))


def gelu(x: Array) -> Array:
    try:
        from autograd.scipy.special import erf
    except ImportError:
        raise Missing("erf: pip install scipy") from None
    return x * (0.5 * (1 + erf(x * np.float32(0.5**0.5))))


def layer_norm(x: Array) -> Array:
    centred = x - anp.mean(x, -1, keepdims=True)
    return centred / anp.sqrt(anp.mean(centred**2, -1, keepdims=True) + 1e-5)


PRIMITIVES: dict[str, Callable[[Array], Array]] = {
    "softmax": softmax,
    "log_softmax": log_softmax,
    "logsumexp": lambda x: logsumexp(x)[:, 0],
    "sigmoid": lambda x: 1 / (1 + anp.exp(-x)),
    "tanh": anp.tanh,
    "gelu": gelu,
    "relu": lambda x: anp.maximum(x, 0),
    "layer_norm": layer_norm,
    "sum": anp.sum,
    "mean": anp.mean,
    "max": anp.max,
    "var": lambda x: anp.var(x, ddof=1),
    "sum of rows": lambda x: anp.sum(x, -1),
    "mean of rows": lambda x: anp.mean(x, -1),
    "max of rows": lambda x: anp.max(x, -1),
    "var of rows": lambda x: anp.var(x, -1, ddof=1),
}


# ------------------------------------------------------------------------------------------- losses
def huber(input: Array, target: Array, delta: float = 1.0) -> Array:
    gap = input - target
    distance = anp.abs(gap)
    return anp.mean(anp.where(distance > delta, delta * (distance - 0.5 * delta), 0.5 * gap**2))


def cross_entropy(input: Array, target: Array) -> Array:
    rows = np.arange(len(input))
    return -anp.mean(log_softmax(input)[rows, target])


def bce_with_logits(input: Array, target: Array) -> Array:
    return anp.mean(softplus(input) - input * target)


LOSSES: dict[str, Callable[..., Array]] = {
    "l1_loss": lambda input, target: anp.mean(anp.abs(input - target)),
    "mse_loss": lambda input, target: anp.mean((input - target) ** 2),
    "smooth_l1_loss": huber,
    "huber_loss": huber,
    "binary_cross_entropy": lambda input, target: (
        -anp.mean(target * anp.log(input) + (1 - target) * anp.log1p(-input))
    ),
    "binary_cross_entropy_with_logits": bce_with_logits,
    "poisson_nll_loss": lambda input, target: anp.mean(anp.exp(input) - target * input),
    "soft_margin_loss": lambda input, target: anp.mean(softplus(-target * input)),
    "cross_entropy": cross_entropy,
    "nll_loss": lambda input, target: -anp.mean(input[np.arange(len(input)), target]),
}


class Library:
    """Functions of arrays; nothing is compiled."""

    def set_threads(self, threads: int) -> None:
        """The environment says it."""

    def loss(self, loss: Loss, arrays: Arrays) -> Built:
        formula = LOSSES.get(loss.function)
        plain = set(arrays) == {"input", "target"} and not set(loss.options) - {"delta"}
        if formula is None or not plain or (loss.function == "cross_entropy" and not _flat(arrays)):
            raise Missing(loss.function)
        step = autograd.value_and_grad(lambda x: formula(x, arrays["target"], **loss.options))
        x = arrays["input"]
        return Built(lambda: step(x), lambda: step(x))

    def primitive(self, name: str, x: Array, cotangent: Array) -> Built:
        function = PRIMITIVES[name]
        if cotangent is None:
            return Built(lambda: function(x), lambda: [function(x)])

        def run() -> Any:
            back, value = autograd.make_vjp(function)(x)
            return value, back(cotangent)

        return Built(run, lambda: run())

    def layer(self, name: str, arrays: Arrays, cotangent: Array) -> Built:
        raise Missing("layers")

    def optimizer(self, name: str, parameters: list[Array], gradients: list[Array]) -> Built:
        raise Missing("optimisers that keep a state between calls")

    def trainer(self, network: Network) -> Trainer:
        """With the optimiser's update written in NumPy."""
        values = [array.copy() for layer in network.layers for array in (layer[0].T, layer[1])]
        update = UPDATES[network.optimizer](values, **network.settings)
        criterion = bce_with_logits if network.binary else cross_entropy

        def loss_of(values: Any, x: Array, target: Array) -> Array:
            pairs = list(zip(values[::2], values[1::2], strict=True))
            for weight, bias in pairs[:-1]:
                x = anp.maximum(anp.dot(x, weight) + bias, 0)
            logits = anp.dot(x, pairs[-1][0]) + pairs[-1][1]
            return criterion(logits[:, 0] if network.binary else logits, target)

        differentiated = autograd.value_and_grad(loss_of)

        def step(x: Array, target: Array) -> float:
            loss, gradients = differentiated(values, x, target)
            update(gradients)
            return loss

        return Trainer(lambda array: array, step)


def _flat(arrays: Arrays) -> bool:
    """Rows of logits against class indices."""
    return arrays["input"].ndim == 2 and arrays["target"].dtype.kind == "i"
