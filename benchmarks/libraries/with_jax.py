"""jax.jit, with optax's losses and optimisers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import optax
from jax import numpy as jnp

from benchmarks.built import Built, Missing, after
from benchmarks.catalogue import Arrays, Loss
from benchmarks.libraries.jax_losses import FORMULAS
from benchmarks.network import SETTINGS, Network, Trainer

Array = Any


def layer_norm(x: Array) -> Array:
    """Over the last axis."""
    centred = x - jnp.mean(x, -1, keepdims=True)
    return centred * jax.lax.rsqrt(jnp.mean(centred**2, -1, keepdims=True) + 1e-5)


PRIMITIVES: dict[str, Callable[[Array], Array]] = {
    "softmax": jax.nn.softmax,
    "log_softmax": jax.nn.log_softmax,
    "logsumexp": lambda x: jax.nn.logsumexp(x, -1),
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "gelu": lambda x: jax.nn.gelu(x, approximate=False),
    "relu": jax.nn.relu,
    "layer_norm": layer_norm,
    "sum": jnp.sum,
    "mean": jnp.mean,
    "max": jnp.max,
    "var": lambda x: jnp.var(x, ddof=1),
    "sum of rows": lambda x: jnp.sum(x, -1),
    "mean of rows": lambda x: jnp.mean(x, -1),
    "max of rows": lambda x: jnp.max(x, -1),
    "var of rows": lambda x: jnp.var(x, -1, ddof=1),
}


# ------------------------------------------------------------------------------------------- layers
def linear(input: Array, weight: Array, bias: Array) -> Array:
    return input @ weight.T + bias


def dropout(input: Array, key: Array) -> Array:
    return jnp.where(jax.random.bernoulli(key, 0.5, input.shape), 2 * input, 0)


def batch_norm(input: Array, weight: Array, bias: Array, mean: Array, var: Array) -> Any:
    """The output, and the running statistics for the next step."""
    now, spread = jnp.mean(input, 0), jnp.var(input, 0)
    output = (input - now) * jax.lax.rsqrt(spread + 1e-5) * weight + bias
    size = len(input)
    return output, (0.9 * mean + 0.1 * now, 0.9 * var + 0.1 * spread * (size / (size - 1)))


def conv2d(input: Array, weight: Array, bias: Array) -> Array:
    return jax.lax.conv(input, weight, (1, 1), "SAME") + bias[:, None, None]


LAYERS: dict[str, Callable[..., Any]] = {
    "Linear": linear,
    "Linear + ReLU": lambda **arrays: jax.nn.relu(linear(**arrays)),
    "Linear + GELU": lambda **arrays: jax.nn.gelu(linear(**arrays), approximate=False),
    "LayerNorm": lambda input, weight, bias: layer_norm(input) * weight + bias,
    "Embedding": lambda input, weight: weight[input],
    "Conv2d": conv2d,
}

OPTIMIZERS: dict[str, Callable[..., Any]] = {
    "SGD": lambda lr, momentum: optax.sgd(lr, momentum),
    "Adam": lambda lr: optax.adam(lr),
    "AdamW": lambda lr, weight_decay: optax.adamw(lr, weight_decay=weight_decay),
}


class Library:
    """Every workload as one compiled function."""

    def set_threads(self, threads: int) -> None:
        """The environment says it."""

    def loss(self, loss: Loss, arrays: Arrays) -> Built:
        formula = FORMULAS.get(loss.function)
        if formula is None:
            raise Missing(loss.function)
        names = [*loss.wrt, *(name for name in arrays if name not in loss.wrt)]
        values = [jnp.asarray(arrays[name]) for name in names]

        def value(*given: Any) -> Any:
            return formula(**dict(zip(names, given, strict=True)), **loss.options)

        step = jax.jit(jax.value_and_grad(value, argnums=tuple(range(len(loss.wrt)))))
        return _built(lambda: step(*values))

    def primitive(self, name: str, x: np.ndarray, cotangent: np.ndarray | None) -> Built:
        array = jnp.asarray(x)
        if cotangent is None:
            function = jax.jit(PRIMITIVES[name])
            return _built(lambda: function(array))
        step, given = _differentiated(PRIMITIVES[name]), jnp.asarray(cotangent)
        return _built(lambda: step((array,), given))

    def layer(self, name: str, arrays: Arrays, cotangent: np.ndarray) -> Built:
        if name == "Dropout":
            return self._dropout(arrays, cotangent)
        if name == "BatchNorm1d":
            return self._batch_norm(arrays, cotangent)
        if name not in LAYERS:
            raise Missing(name)
        function, given = LAYERS[name], jnp.asarray(cotangent)
        values = {name: jnp.asarray(array) for name, array in arrays.items()}
        fixed = {name: array for name, array in values.items() if array.dtype != jnp.float32}
        names = [name for name in values if name not in fixed]
        leaves = tuple(values[name] for name in names)

        def step(leaves: Any, fixed: Any, given: Any) -> Any:
            call = lambda *leaves: function(**dict(zip(names, leaves, strict=True)), **fixed)  # noqa: E731
            output, back = jax.vjp(call, *leaves)
            return output, back(given)

        compiled = jax.jit(step)
        return _built(lambda: compiled(leaves, fixed, given))

    @staticmethod
    def _dropout(arrays: Arrays, cotangent: np.ndarray) -> Built:
        x, given, key = jnp.asarray(arrays["input"]), jnp.asarray(cotangent), jax.random.key(0)

        @jax.jit
        def step(x: Array, key: Array, given: Array) -> Any:
            key, own = jax.random.split(key)
            output, back = jax.vjp(lambda x: dropout(x, own), x)
            return output, back(given), key

        def run() -> Any:
            nonlocal key
            output, gradients, key = step(x, key, given)
            return jax.block_until_ready((output, gradients))

        return Built(run, lambda: jax.tree.leaves(run()))

    @staticmethod
    def _batch_norm(arrays: Arrays, cotangent: np.ndarray) -> Built:
        leaves = tuple(jnp.asarray(arrays[name]) for name in ("input", "weight", "bias"))
        state, given = (jnp.zeros_like(leaves[1]), jnp.ones_like(leaves[1])), jnp.asarray(cotangent)

        @jax.jit
        def step(leaves: Any, state: Any, given: Array) -> Any:
            output, back, new = jax.vjp(lambda *leaves: batch_norm(*leaves, *state), *leaves, has_aux=True)
            return output, back(given), new

        def run() -> Any:
            nonlocal state
            output, gradients, state = step(leaves, state, given)
            return jax.block_until_ready((output, gradients))

        return Built(run, lambda: jax.tree.leaves(run()))

    def optimizer(self, name: str, parameters: list[np.ndarray], gradients: list[np.ndarray]) -> Built:
        updater = OPTIMIZERS[name](**SETTINGS[name])
        values, given = [jnp.array(p) for p in parameters], [jnp.asarray(g) for g in gradients]
        state = (values, updater.init(values))

        def update(state: Any, gradients: Any) -> Any:
            values, inner = state
            updates, inner = updater.update(gradients, inner, values)
            return optax.apply_updates(values, updates), inner

        step = jax.jit(update, donate_argnums=0)

        def run() -> Any:
            nonlocal state
            state = jax.block_until_ready(step(state, given))

        return Built(run, after(run, lambda: state[0]))

    def trainer(self, network: Network) -> Trainer:
        updater = OPTIMIZERS[network.optimizer](**network.settings)
        values = [(jnp.array(weight), jnp.array(bias)) for weight, bias in network.layers]
        state = (values, updater.init(values))

        def loss_of(values: Any, x: Array, target: Array) -> Array:
            for weight, bias in values[:-1]:
                x = jax.nn.relu(linear(x, weight, bias))
            logits = linear(x, *values[-1])
            if network.binary:
                return jnp.mean(optax.sigmoid_binary_cross_entropy(logits[:, 0], target))
            return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(logits, target))

        def update(state: Any, x: Array, target: Array) -> Any:
            values, inner = state
            loss, gradients = jax.value_and_grad(loss_of)(values, x, target)
            updates, inner = updater.update(gradients, inner, values)
            return loss, (optax.apply_updates(values, updates), inner)

        compiled = jax.jit(update, donate_argnums=0)

        def step(x: Array, target: Array) -> Array:
            nonlocal state
            loss, state = compiled(state, x, target)
            return loss

        return Trainer(jnp.asarray, step, wait=lambda loss: jax.block_until_ready((loss, state)))


def _differentiated(function: Callable[..., Any]) -> Callable[..., Any]:
    """A compiled function of leaves and cotangent: the value and the gradients."""

    @jax.jit
    def step(leaves: tuple[Array, ...], cotangent: Array) -> Any:
        value, back = jax.vjp(function, *leaves)
        return value, back(cotangent)

    return step


def _built(run: Callable[[], Any]) -> Built:
    def waiting() -> Any:
        return jax.block_until_ready(run())

    return Built(waiting, lambda: jax.tree.leaves(waiting()))
