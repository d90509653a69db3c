"""The optimisers' updates in NumPy, in place."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy import ndarray

Update = Callable[[Sequence[ndarray]], None]  # of the gradients


def sgd(parameters: Sequence[ndarray], lr: float, momentum: float) -> Update:
    velocities = [np.zeros_like(parameter) for parameter in parameters]

    def update(gradients: Sequence[ndarray]) -> None:
        for parameter, velocity, gradient in zip(parameters, velocities, gradients, strict=True):
            velocity *= momentum
            velocity += gradient
            parameter -= lr * velocity

    return update


def adam(parameters: Sequence[ndarray], lr: float, weight_decay: float = 0.0) -> Update:
    """With a weight decay AdamW."""
    means = [np.zeros_like(parameter) for parameter in parameters]
    squares = [np.zeros_like(parameter) for parameter in parameters]
    spaces = [np.empty_like(parameter) for parameter in parameters]
    count = 0

    def update(gradients: Sequence[ndarray]) -> None:
        nonlocal count
        count += 1
        size, root = lr / (1 - 0.9**count), (1 - 0.999**count) ** 0.5
        rows = zip(parameters, gradients, means, squares, spaces, strict=True)
        for parameter, gradient, mean, square, space in rows:
            if weight_decay:
                parameter *= 1 - lr * weight_decay
            mean *= 0.9
            mean += np.multiply(gradient, 0.1, out=space)
            square *= 0.999
            np.multiply(gradient, gradient, out=space)
            space *= 0.001
            square += space
            np.sqrt(square, out=space)
            space /= root
            space += 1e-8
            np.divide(mean, space, out=space)
            space *= size
            parameter -= space

    return update


UPDATES: dict[str, Callable[..., Update]] = {"SGD": sgd, "Adam": adam, "AdamW": adam}
