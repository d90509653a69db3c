"""One training from data to files: what `minigrad train` does once its options are checked."""

from __future__ import annotations

import argparse
import io
import itertools
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from minigrad import __version__, random, serialization
from minigrad.autograd.tape import no_grad
from minigrad.creation import from_numpy
from minigrad.train import console, files, models, pictures
from minigrad.train.loop import Run, fit
from minigrad.train.tasks import Task
from minigrad.utils.data import TensorDataset

Array = np.ndarray[Any, Any]

SMALL_PRODUCT = 4_000_000  # multiplications; one thread needs about 0.1 ms for them


class Session:
    """One training: data, model and all that goes with it."""

    def __init__(self, task: Task, options: argparse.Namespace) -> None:
        self.task, self.options = task, options
        self.data = data = task.load()
        self.head = models.HEADS[options.head]()
        random.manual_seed(options.seed)
        outputs = self.head.outputs(len(data.class_names))
        self.sizes = (data.mean.size, *options.hidden, outputs)
        self.model = models.perceptron(self.sizes[0], options.hidden, outputs, options.activation)
        self.optimizer = models.make_optimizer(
            options.optimizer, self.model.parameters(), options.lr, options.weight_decay
        )

    @property
    def loss_name(self) -> str:
        return type(self.head.loss).__name__

    def heading(self) -> str:
        """What is trained, on what, and how."""
        data, options = self.data, self.options
        return (
            f"{self.task.name}: {len(data.train_labels)} training and {len(data.held_out_labels)} "
            f"held-out samples, {data.mean.size} features, {len(data.class_names)} classes\n"
            f"model {'-'.join(map(str, self.sizes))} ({options.activation}), {self.loss_name}\n"
            f"{options.optimizer}, learning rate {options.lr:g}, weight decay "
            f"{options.weight_decay:g}, batches of {options.batch_size}, seed {options.seed}\n"
        )

    def train(self) -> Run:
        """Fit the model, with progress on the terminal."""
        data, options = self.data, self.options
        train = self._samples(data.train_features, data.train_labels)
        held_out = self._samples(data.held_out_features, data.held_out_labels)
        batches = -(-len(train) // options.batch_size)
        with console.Progress(options.epochs, batches) as progress, self._one_thread_if_small():
            return fit(
                self.model,
                self.head,
                self.optimizer,
                train,
                held_out,
                epochs=options.epochs,
                batch_size=options.batch_size,
                on_batch=progress.batch,
                on_epoch=progress.epoch,
            )

    def _one_thread_if_small(self) -> AbstractContextManager[Any]:
        """Small products on one thread: sharing them out costs little on an idle machine, but on a busy
        one the threads wait for each other, ten times as long as the product takes.
        """
        from threadpoolctl import threadpool_limits  # comes with scikit-learn

        largest = max(a * b for a, b in itertools.pairwise(self.sizes))
        if self.options.batch_size * largest > SMALL_PRODUCT:
            return nullcontext()
        limits: AbstractContextManager[Any] = threadpool_limits(1, user_api="blas")
        return limits

    def _samples(self, features: Any, labels: Any) -> TensorDataset:
        return TensorDataset(from_numpy(features), self.head.targets(labels))

    @no_grad()
    def probabilities(self, features: Any) -> Any:
        """The class probabilities (N, K) of standardised features (N, D)."""
        return self.head.probabilities(self.model.eval()(from_numpy(features)))

    # ------------------------------------------------------------------------------- results
    def held_out_guesses(self) -> Array:
        """The class the model is for, for each held-out sample."""
        guesses: Array = self.probabilities(self.data.held_out_features).argmax(axis=1)
        return guesses

    def verdict(self) -> str:
        """The held-out accuracy in words."""
        labels = self.data.held_out_labels
        right = int((self.held_out_guesses() == labels).sum())
        return f"{100 * right / len(labels):.1f} % ({right} of {len(labels)})"

    def write(self, result: Run) -> list[str]:
        """Write weights, history and pictures of the last full epoch; returns the files' names."""
        assert result.weights is not None
        self.model.load_state_dict(result.weights)
        folder: Path = self.options.out
        weights = io.BytesIO()
        serialization.save(result.weights, weights)
        if self.data.mean.size == 2:
            picture, draw = "decision_boundary.png", self._boundary
        else:
            picture, draw = "confusion_matrix.png", self._confusion
        contents: dict[str, Callable[[], bytes]] = {  # the weights first, should there be another Ctrl-C
            "weights.npz": weights.getvalue,
            "history.csv": lambda: files.history_csv(result.history),
            "run.json": lambda: files.record_json(self.record(result)),
            "learning_curves.png": lambda: self._curves(result),
            picture: draw,
        }
        for name, content in contents.items():
            files.write_whole(folder / name, content())
        return list(contents)

    def record(self, result: Run) -> dict[str, Any]:
        """What it takes to use the weights, to repeat the run, and to judge it."""
        options, data = self.options, self.data
        names = ("seed", "epochs", "batch_size", "lr", "optimizer", "weight_decay", "activation")
        return {
            "task": self.task.name,
            "ended": result.ended,
            "minigrad": __version__,
            "options": {name: getattr(options, name) for name in names}
            | {"hidden": list(options.hidden), "head": self.head.name},
            "model": {"sizes": list(self.sizes), "loss": self.loss_name},
            "classes": list(data.class_names),
            "features": list(data.feature_names),
            "standardise": {"mean": data.mean.tolist(), "std": data.std.tolist()},
            "samples": {"train": len(data.train_labels), "held_out": len(data.held_out_labels)},
            "history": [files.history_row(epoch) for epoch in result.history],
        }

    def _title(self, what: str) -> str:
        return f"{self.task.name}: {what}held-out accuracy {self.verdict()}"

    def _curves(self, result: Run) -> bytes:
        names = {"sigmoid": "binary cross-entropy", "softmax": "cross-entropy"}
        title, loss = self._title(""), names[self.head.name]
        return pictures.png(lambda: pictures.learning_curves(title, loss, result.history))

    def _boundary(self) -> bytes:
        title = self._title("")
        return pictures.png(lambda: pictures.decision_boundary(title, self.data, self.probabilities))

    def _confusion(self) -> bytes:
        data, title, guessed = self.data, self._title(""), self.held_out_guesses()
        return pictures.png(
            lambda: pictures.confusion_matrix(title, data.held_out_labels, guessed, data.class_names)
        )
