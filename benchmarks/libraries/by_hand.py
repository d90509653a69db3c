"""NumPy, with every derivative written by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from benchmarks.built import Built, Missing, after
from benchmarks.catalogue import Arrays, Loss
from benchmarks.libraries import hand_losses, hand_primitives
from benchmarks.libraries.optimizers import UPDATES
from benchmarks.network import SETTINGS, Network, Trainer


class Library:
    """Value and gradients in one function."""

    def set_threads(self, threads: int) -> None:
        """The environment says it."""

    def loss(self, loss: Loss, arrays: Arrays) -> Built:
        formula = hand_losses.LOSSES.get(loss.function)
        known = set(arrays) | set(loss.options) <= {
            "input",
            "target",
            "input1",
            "input2",
            "delta",
            "reduction",
        }
        if formula is None or not known or not hand_losses.fits(loss, arrays):
            raise Missing(loss.function)

        def run() -> Any:
            return formula(**arrays, **loss.options)

        return Built(run, lambda: run())

    def primitive(self, name: str, x: ndarray, cotangent: ndarray | None) -> Built:
        forward, both = hand_primitives.PRIMITIVES[name]
        if cotangent is None:
            return Built(lambda: forward(x), lambda: [forward(x)])
        return Built(lambda: both(x, cotangent), lambda: both(x, cotangent))

    def layer(self, name: str, arrays: Arrays, cotangent: ndarray) -> Built:
        if name not in ("Linear", "Linear + ReLU"):
            raise Missing(name)
        x, weight, bias = (arrays[key] for key in ("input", "weight", "bias"))

        def run() -> tuple[ndarray, ...]:
            output, given = x @ weight.T, cotangent
            output += bias
            if name == "Linear + ReLU":
                np.maximum(output, 0, out=output)
                given = given * (output > 0)
            return output, given @ weight, given.T @ x, given.sum(0)

        return Built(run, lambda: run())

    def optimizer(self, name: str, parameters: list[ndarray], gradients: list[ndarray]) -> Built:
        values = [parameter.copy() for parameter in parameters]
        update = UPDATES[name](values, **SETTINGS[name])
        run: Callable[[], Any] = lambda: update(gradients)  # noqa: E731
        return Built(run, after(run, lambda: values))

    def trainer(self, network: Network) -> Trainer:
        """All parameters in one array, all gradients in another, so that the optimiser has one to step."""
        shapes = [array.shape for layer in network.layers for array in (layer[0].T, layer[1])]
        flat = np.concatenate([array.ravel() for layer in network.layers for array in (layer[0].T, layer[1])])
        flat_gradient = np.empty_like(flat)
        values, gradients = _views(flat, shapes), _views(flat_gradient, shapes)
        weights, biases = values[::2], values[1::2]
        update = UPDATES[network.optimizer]([flat], **network.settings)
        criterion = _binary if network.binary else hand_losses.cross_entropy

        def step(x: ndarray, target: ndarray) -> float:
            inputs = [x]
            for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
                x = x @ weight
                x += bias
                if layer < len(weights) - 1:
                    np.maximum(x, 0, out=x)
                    inputs.append(x)
            loss, given = criterion(x, target)
            for layer in reversed(range(len(weights))):
                np.matmul(inputs[layer].T, given, out=gradients[2 * layer])
                given.sum(0, out=gradients[2 * layer + 1])
                if layer:
                    given = given @ weights[layer].T
                    given *= inputs[layer] > 0
            update([flat_gradient])
            return loss

        return Trainer(lambda array: array, step)


def _binary(logits: ndarray, target: ndarray) -> tuple[float, ndarray]:
    loss, gradient = hand_losses.binary_cross_entropy_with_logits(logits[:, 0], target)
    return loss, gradient[:, None]


def _views(flat: ndarray, shapes: list[tuple[int, ...]]) -> list[ndarray]:
    ends = np.cumsum([np.prod(shape) for shape in shapes])[:-1]
    return [part.reshape(shape) for part, shape in zip(np.split(flat, ends), shapes, strict=True)]
