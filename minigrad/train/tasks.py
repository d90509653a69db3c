"""What can be learned: five data sets, each with the settings that learn it in a few seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

HELD_OUT_SHARE = 0.25


@dataclass(frozen=True)
class Source:
    """Samples as they come: features (N, D) in their own units, and class numbers (N,)."""

    features: Array
    labels: Array
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...]


@dataclass(frozen=True)
class Data:
    """A data set, split into a training part and a part that is held out to judge the model.

    Features are standardised: x ← (x − mean) / std, with mean and std of the training part alone,
    so that nothing of the held-out part reaches the model.
    """

    train_features: Array
    train_labels: Array
    held_out_features: Array
    held_out_labels: Array
    mean: Array
    std: Array
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...]

    def standardise(self, features: Array) -> Array:
        """Features (N, D) given in their own units, as the model takes them: float32."""
        return standardise(features, self.mean, self.std)

    def restore(self, standardised: Array) -> Array:
        """The inverse of `standardise`, in float64."""
        return standardised.astype(np.float64) * self.std + self.mean


@dataclass(frozen=True)
class Task:
    """A data set and the settings with which a multi-layer perceptron learns it.

    The split into training and held-out part is drawn with `split_seed`: it belongs to the task, while
    the seed of a run decides over initial weights and shuffling. `lr` and `weight_decay` belong to
    `optimizer`; another optimiser has defaults of its own.
    """

    name: str
    summary: str
    source: Callable[[], Source]
    classes: int
    hidden: tuple[int, ...]
    activation: str
    epochs: int
    batch_size: int
    lr: float
    weight_decay: float
    optimizer: str = "adamw"
    split_seed: int = 0

    @property
    def binary(self) -> bool:
        """Whether there are two classes."""
        return self.classes == 2

    def load(self) -> Data:
        """The data, split and standardised. Needs scikit-learn."""
        return split(self.source(), self.split_seed)


def split(source: Source, seed: int) -> Data:
    """A stratified split: each class gives the same share of its samples to either part."""
    from sklearn.model_selection import train_test_split

    parts = train_test_split(
        source.features,
        source.labels,
        test_size=HELD_OUT_SHARE,
        stratify=source.labels,
        random_state=seed,
    )
    train, held_out, train_labels, held_out_labels = parts
    mean, std = train.mean(axis=0), train.std(axis=0)
    std[std == 0.0] = 1.0  # a feature that never varies (a corner pixel) stays 0
    return Data(
        train_features=standardise(train, mean, std),
        train_labels=train_labels.astype(np.int64),
        held_out_features=standardise(held_out, mean, std),
        held_out_labels=held_out_labels.astype(np.int64),
        mean=mean,
        std=std,
        class_names=source.class_names,
        feature_names=source.feature_names,
    )


def standardise(features: Array, mean: Array, std: Array) -> Array:
    """(x − mean) / std, computed in float64 and rounded to float32."""
    return ((features - mean) / std).astype(np.float32)


# -------------------------------------------------------------------------------- the data sets
def moons() -> Source:
    """Two interleaved half circles of 500 points each, Gaussian noise of 0.1."""
    from sklearn.datasets import make_moons

    features, labels = make_moons(1000, noise=0.1, random_state=0)
    return Source(features, labels, ("upper moon", "lower moon"), ("x₁", "x₂"))


def spirals(arms: int = 3, points: int = 300, turns: float = 1.25, noise: float = 0.02) -> Source:
    """Spiral arms: class k = 0, 1, ... at angle 2π (k / arms + turns · r), r from 0.1 to 1."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(arms), points)
    radius = np.tile(np.linspace(0.1, 1.0, points), arms)
    angle = 2 * np.pi * (labels / arms + turns * radius)
    features = np.stack((radius * np.cos(angle), radius * np.sin(angle)), axis=1)
    features += rng.normal(0.0, noise, features.shape)
    names = tuple(f"arm {k + 1}" for k in range(arms))
    return Source(features, labels, names, ("x₁", "x₂"))


def iris() -> Source:
    """Fisher's irises: three species from four measures of a flower, 150 samples."""
    from sklearn.datasets import load_iris

    return _bundled(load_iris())


def breast_cancer() -> Source:
    """Wisconsin breast cancer: benign or malignant from 30 measures of cell nuclei, 569 samples."""
    from sklearn.datasets import load_breast_cancer

    return _bundled(load_breast_cancer())


def digits() -> Source:
    """Handwritten digits: ten classes from 8 x 8 grey pixels, 1797 samples."""
    from sklearn.datasets import load_digits

    return _bundled(load_digits())


def _bundled(bunch: Any) -> Source:
    """A data set that scikit-learn ships."""
    return Source(
        bunch.data,
        bunch.target,
        tuple(str(name) for name in bunch.target_names),
        tuple(str(name) for name in bunch.feature_names),
    )


TASKS = {
    task.name: task
    for task in (
        Task(
            "moons",
            "two interleaved half moons in the plane",
            moons,
            classes=2,
            hidden=(32, 32),
            activation="tanh",
            epochs=40,
            batch_size=32,
            lr=0.005,
            weight_decay=0.01,
        ),
        Task(
            "spirals",
            "three spiral arms in the plane",
            spirals,
            classes=3,
            hidden=(64, 64),
            activation="tanh",
            epochs=60,
            batch_size=32,
            lr=0.005,
            weight_decay=0.01,
        ),
        Task(
            "iris",
            "species of iris from four measures of the flower",
            iris,
            classes=3,
            hidden=(16,),
            activation="tanh",
            epochs=60,
            batch_size=16,
            lr=0.01,
            weight_decay=0.1,
        ),
        Task(
            "breast-cancer",
            "malignant or benign tumours from 30 measures",
            breast_cancer,
            classes=2,
            hidden=(16,),
            activation="tanh",
            epochs=30,
            batch_size=32,
            lr=0.002,
            weight_decay=1.0,
            # Seven splits tried gave 97.0 to 99.3 %, 97.7 % on average: this one is near that, and
            # gives the same for every seed of the run.
            split_seed=3,
        ),
        Task(
            "digits",
            "handwritten digits, 8 x 8 pixels",
            digits,
            classes=10,
            hidden=(256,),
            activation="relu",
            epochs=30,
            batch_size=64,
            lr=0.003,
            weight_decay=0.1,
        ),
    )
}
