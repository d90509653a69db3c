"""tinygrad, with TinyJit.

It generates C for clang or, where that is not installed, LLVM's language: the library it loads must be of
version 17 or newer, and LLVM_PATH tells where it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from tinygrad import Device, Tensor, TinyJit
from tinygrad.nn import optim

from benchmarks.built import Built, Missing, after
from benchmarks.catalogue import Arrays, Loss
from benchmarks.network import SETTINGS, Network, Trainer

CAPTURES = 3  # calls after which TinyJit replays what it recorded

PRIMITIVES: dict[str, Callable[[Tensor], Tensor]] = {
    "softmax": lambda x: x.softmax(-1),
    "log_softmax": lambda x: x.log_softmax(-1),
    "logsumexp": lambda x: x.logsumexp(-1),
    "sigmoid": Tensor.sigmoid,
    "tanh": Tensor.tanh,
    "gelu": lambda x: x * (0.5 * (1 + (x * 0.5**0.5).erf())),
    "relu": Tensor.relu,
    "layer_norm": lambda x: x.layernorm(eps=1e-5),
    "sum": Tensor.sum,
    "mean": Tensor.mean,
    "max": Tensor.max,
    "var": Tensor.var,
    "sum of rows": lambda x: x.sum(-1),
    "mean of rows": lambda x: x.mean(-1),
    "max of rows": lambda x: x.max(-1),
    "var of rows": lambda x: x.var(-1),
}


def huber(input: Tensor, target: Tensor, delta: float = 1.0) -> Tensor:
    gap = input - target
    distance = gap.abs()
    return (distance > delta).where(delta * (distance - 0.5 * delta), 0.5 * gap.square()).mean()


LOSSES: dict[str, Callable[..., Tensor]] = {
    "l1_loss": lambda input, target: (input - target).abs().mean(),
    "mse_loss": lambda input, target: (input - target).square().mean(),
    "smooth_l1_loss": huber,
    "huber_loss": huber,
    "binary_cross_entropy": lambda input, target: input.binary_crossentropy(target),
    "binary_cross_entropy_with_logits": lambda input, target: input.binary_crossentropy_logits(target),
    "poisson_nll_loss": lambda input, target: (input.exp() - target * input).mean(),
    "soft_margin_loss": lambda input, target: (-target * input).softplus().mean(),
    "cross_entropy": lambda input, target: input.sparse_categorical_crossentropy(target),
}

OPTIMIZERS: dict[str, Callable[..., Any]] = {"SGD": optim.SGD, "Adam": optim.Adam, "AdamW": optim.AdamW}


class Library:
    """Every workload as one captured graph."""

    def set_threads(self, threads: int) -> None:
        """The environment says it."""

    def loss(self, loss: Loss, arrays: Arrays) -> Built:
        formula = LOSSES.get(loss.function)
        plain = set(arrays) == {"input", "target"} and not set(loss.options) - {"delta"}
        classes = loss.function == "cross_entropy"
        if formula is None or not plain or (classes and arrays["target"].shape != arrays["input"].shape[:1]):
            raise Missing(loss.function)

        def step(x: Tensor, target: Tensor) -> Any:
            value = formula(x, target, **loss.options)
            return value, *value.gradient(x)

        return _built(step, [arrays["input"], arrays["target"]])

    def primitive(self, name: str, x: np.ndarray, cotangent: np.ndarray | None) -> Built:
        function = PRIMITIVES[name]
        if cotangent is None:
            return _built(lambda x: (function(x),), [x])

        def step(x: Tensor, cotangent: Tensor) -> Any:
            value = function(x)
            return value, *value.gradient(x, gradient=cotangent)

        return _built(step, [x, cotangent])

    def layer(self, name: str, arrays: Arrays, cotangent: np.ndarray) -> Built:
        raise Missing("layers are left to torch and jax")

    def optimizer(self, name: str, parameters: list[np.ndarray], gradients: list[np.ndarray]) -> Built:
        values = [_tensor(p) for p in parameters]
        for value, gradient in zip(values, gradients, strict=True):
            value.grad = _tensor(gradient)
        updater = OPTIMIZERS[name](values, **SETTINGS[name])

        def step() -> None:
            updater.step()

        run = _training(TinyJit(step))
        return Built(run, after(run, lambda: [value.numpy() for value in values]))

    def trainer(self, network: Network) -> Trainer:
        layers = [tuple(_tensor(array) for array in layer) for layer in network.layers]
        updater = OPTIMIZERS[network.optimizer]([p for layer in layers for p in layer], **network.settings)

        def step(x: Tensor, target: Tensor) -> Tensor:
            updater.zero_grad()
            for weight, bias in layers[:-1]:
                x = x.linear(weight.T, bias).relu()
            logits = x.linear(layers[-1][0].T, layers[-1][1])
            if network.binary:
                loss = logits.squeeze(1).binary_crossentropy_logits(target)
            else:
                loss = logits.sparse_categorical_crossentropy(target)
            return loss.backward().realize(*updater.schedule_step())

        return Trainer(_tensor, _training(TinyJit(step)), wait=_wait, value=lambda loss: loss.item())


def _tensor(array: np.ndarray) -> Tensor:
    array = array.astype(np.int32) if array.dtype == np.int64 else array
    return Tensor(array).clone().realize()  # a scalar has no buffer of its own otherwise


def _wait(_: Any = None) -> None:
    Device[Device.DEFAULT].synchronize()


def _training(step: Callable[..., Any]) -> Callable[..., Any]:
    """In the mode in which optimisers may step."""

    def run(*arguments: Any) -> Any:
        with Tensor.train():
            return step(*arguments)

    return run


def _built(step: Callable[..., tuple[Tensor, ...]], arrays: list[np.ndarray]) -> Built:
    """A step of tensors, captured once and replayed."""
    tensors = [_tensor(array) for array in arrays]

    @TinyJit
    def captured(*tensors: Tensor) -> list[Tensor]:
        return [found.realize() for found in step(*tensors)]

    def run() -> list[Tensor]:
        found = captured(*tensors)
        _wait()
        return found

    for _ in range(CAPTURES):
        run()
    return Built(run, lambda: [found.numpy() for found in run()])
