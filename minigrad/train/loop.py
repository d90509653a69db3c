"""The training loop: what every training of a network consists of, and nothing else.

The whole of it is five lines of `train_epoch`: forward, loss, zero_grad, backward, step. Around
them stand an epoch (each sample once, in random order) and `fit` (epoch after epoch, watching data
that the model does not learn from).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from minigrad import nn, optim
from minigrad.autograd.tape import no_grad
from minigrad.tensor import Tensor
from minigrad.train.models import Head
from minigrad.utils.data import DataLoader, TensorDataset


@dataclass(frozen=True)
class Score:
    """How well a model does on some samples: their mean loss, and the share it gets right."""

    loss: float
    accuracy: float


@dataclass(frozen=True)
class Epoch:
    """One line of the history.

    `train` is measured while the model learns, so it is the mean over the models of one epoch;
    `held_out` is measured at the epoch's end.
    """

    number: int
    train: Score
    held_out: Score


@dataclass(frozen=True)
class Run:
    """What a training has come to: its full epochs, and the weights at the end of the last one.

    `ended` says why it is over: "finished", "interrupted" (by Ctrl-C), or "diverged" (the loss is
    no longer a finite number).
    """

    history: tuple[Epoch, ...] = ()
    weights: dict[str, Tensor] | None = None
    ended: str = "finished"


class Mean:
    """The mean loss and the accuracy over batches, each batch counted by its number of samples."""

    def __init__(self) -> None:
        self.samples = self.right = 0
        self.total = 0.0

    def add(self, loss: Tensor, right: Tensor) -> None:
        """Count a batch: its mean loss, and for each sample whether the model got it right."""
        count = right.numel()
        self.samples += count
        self.total += loss.item() * count
        self.right += int(right.sum().item())

    def score(self) -> Score:
        """The mean so far."""
        return Score(self.total / self.samples, self.right / self.samples)


OnBatch = Callable[[Score], None]
OnEpoch = Callable[[Epoch], None]


def train_epoch(
    model: nn.Module,
    head: Head,
    optimizer: optim.Optimizer,
    batches: DataLoader[Any],
    on_batch: OnBatch,
) -> Score:
    """Learn from every sample once."""
    model.train()
    mean = Mean()
    for features, targets in batches:
        logits = model(features)  # forward: what the model says now
        loss = head.loss(logits, targets)  # how wrong that is, as one number
        optimizer.zero_grad()  # forget the gradients of the batch before
        loss.backward()  # d loss / d parameter, for every parameter
        optimizer.step()  # move each parameter a little against its gradient

        mean.add(loss, head.decide(logits.detach()) == targets)
        on_batch(mean.score())
    return mean.score()


@no_grad()
def evaluate(model: nn.Module, head: Head, samples: TensorDataset) -> Score:
    """Judge the model on samples, without learning: no graph is recorded, no parameter moves."""
    model.eval()
    features, targets = samples.tensors
    logits = model(features)
    mean = Mean()
    mean.add(head.loss(logits, targets), head.decide(logits) == targets)
    return mean.score()


def fit(
    model: nn.Module,
    head: Head,
    optimizer: optim.Optimizer,
    train: TensorDataset,
    held_out: TensorDataset,
    *,
    epochs: int,
    batch_size: int,
    on_batch: OnBatch = lambda score: None,
    on_epoch: OnEpoch = lambda epoch: None,
) -> Run:
    """Train for some epochs; Ctrl-C ends it early and keeps what the last full epoch came to.

    `on_batch` is told the score of the epoch so far after every step, `on_epoch` each full epoch.
    The model itself may be left in the middle of an epoch: its state of record is `Run.weights`.
    """
    batches: DataLoader[Any] = DataLoader(train, batch_size=batch_size, shuffle=True)
    run = Run()
    try:
        for number in range(1, epochs + 1):
            trained = train_epoch(model, head, optimizer, batches, on_batch)
            if not math.isfinite(trained.loss):
                return Run(run.history, run.weights, "diverged")
            epoch = Epoch(number, trained, evaluate(model, head, held_out))
            # One assignment, so that an interruption never separates the weights from their epoch.
            run = Run((*run.history, epoch), snapshot(model))
            on_epoch(epoch)
    except KeyboardInterrupt:
        return Run(run.history, run.weights, "interrupted")
    return run


def snapshot(model: nn.Module) -> dict[str, Tensor]:
    """The weights as they are now, copied: later steps do not change them."""
    return {name: value.clone() for name, value in model.state_dict().items()}
