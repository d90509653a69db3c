"""What is trained: a multi-layer perceptron, its output and loss, its optimiser."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import numpy as np

from minigrad import nn, optim
from minigrad.creation import from_numpy
from minigrad.ops.activation import sigmoid
from minigrad.ops.softmax import softmax
from minigrad.tensor import Tensor

Array = np.ndarray[Any, Any]

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky-relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "softplus": nn.Softplus,
}

OPTIMIZERS = ("sgd", "adam", "adamw")
MOMENTUM = 0.9  # of sgd
DEFAULT_LR = {"sgd": 0.05, "adam": 0.005, "adamw": 0.005}
DEFAULT_WEIGHT_DECAY = {"sgd": 0.0, "adam": 0.0, "adamw": 0.01}


class Head(Protocol):
    """How the numbers that come out of the network are read: as classes, and as a loss."""

    name: str
    loss: nn.Module

    def outputs(self, classes: int) -> int:
        """How many numbers the network must give for each sample."""

    def targets(self, labels: Array) -> Tensor:
        """Class numbers (N,) in the form that `loss` takes."""

    def decide(self, logits: Tensor) -> Tensor:
        """The class the network is for, in the form of `targets`."""

    def probabilities(self, logits: Tensor) -> Array:
        """The probability of each class, (N, classes)."""


class SigmoidHead:
    """One logit z a sample: the log odds of class 1, so that P(class 1) = 1 / (1 + exp(-z))."""

    name = "sigmoid"

    def __init__(self) -> None:
        self.loss: nn.Module = nn.BCEWithLogitsLoss()

    def outputs(self, classes: int) -> int:
        return 1

    def targets(self, labels: Array) -> Tensor:
        return from_numpy(labels.astype(np.float32)[:, np.newaxis])

    def decide(self, logits: Tensor) -> Tensor:
        return (logits > 0).float()

    def probabilities(self, logits: Tensor) -> Array:
        second = sigmoid(logits.detach()).numpy()
        return np.concatenate((1 - second, second), axis=1)


class SoftmaxHead:
    """One logit a class: P(class k) = exp(z_k) / sum_j exp(z_j)."""

    name = "softmax"

    def __init__(self) -> None:
        self.loss: nn.Module = nn.CrossEntropyLoss()

    def outputs(self, classes: int) -> int:
        return classes

    def targets(self, labels: Array) -> Tensor:
        return from_numpy(labels.astype(np.int64))

    def decide(self, logits: Tensor) -> Tensor:
        return logits.argmax(dim=1)

    def probabilities(self, logits: Tensor) -> Array:
        return softmax(logits.detach(), dim=1).numpy()


HEADS: dict[str, Callable[[], Head]] = {"sigmoid": SigmoidHead, "softmax": SoftmaxHead}


def perceptron(inputs: int, hidden: Sequence[int], outputs: int, activation: str) -> nn.Sequential:
    """Linear layers with an activation between them; none after the last, whose outputs are logits.

    Example:
        >>> from minigrad.train.models import perceptron
        >>> perceptron(2, [16], 1, "tanh")
        Sequential(
          (0): Linear(in_features=2, out_features=16, bias=True)
          (1): Tanh()
          (2): Linear(in_features=16, out_features=1, bias=True)
        )
    """
    layers: list[nn.Module] = []
    width = inputs
    for size in hidden:
        layers += [nn.Linear(width, size), ACTIVATIONS[activation]()]
        width = size
    return nn.Sequential(*layers, nn.Linear(width, outputs))


def make_optimizer(name: str, params: Iterable[Tensor], lr: float, weight_decay: float) -> optim.Optimizer:
    """The optimiser of that name: sgd (with momentum 0.9), adam or adamw."""
    if name == "sgd":
        return optim.SGD(params, lr=lr, momentum=MOMENTUM, weight_decay=weight_decay)
    method = {"adam": optim.Adam, "adamw": optim.AdamW}[name]
    return method(params, lr=lr, weight_decay=weight_decay)
