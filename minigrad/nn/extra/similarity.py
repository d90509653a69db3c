"""What losses of embeddings are made of: directions, their cosines, sums of exponentials over some pairs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import dtypes
from minigrad.creation import as_tensor
from minigrad.nn.extra.checks import check_floating_tensor
from minigrad.nn.losses.base import reduce_loss
from minigrad.ops.activation import logsigmoid
from minigrad.ops.elementwise import where
from minigrad.ops.reduction import norm
from minigrad.ops.softmax import logsumexp
from minigrad.tensor import Tensor


# ------------------------------------------------------------------------------------------ definitions
def in_float64(definition: Callable[..., Any]) -> Callable[..., Any]:
    """The definition, computed in float64 and rounded once, to the dtype of its first argument.

    These losses multiply differences of cosines by up to 256 before the exponential, which in float32 would
    leave five digits.
    """

    @functools.wraps(definition)
    def widened(first: Any, *rest: Any) -> Any:
        values = [
            value.double() if isinstance(value, Tensor) and value._array.dtype.kind == "f" else value
            for value in (first, *rest)
        ]
        return definition(*values).to(first.dtype)

    return widened


def normalized(x: Any) -> Any:
    """x / |x| along the last dimension; a vector of zeros has no direction and stays, with gradient 0."""
    length = norm(x, 2, -1, True)
    zero = length == 0
    return where(zero, 0.0, x / where(zero, 1.0, length))


def cosines(a: Any, b: Any) -> Any:
    """The cosine of every row of a (N, D) with every row of b (M, D): (N, M)."""
    return normalized(a) @ normalized(b).t()


def log_sum_exp_over(x: Any, pairs: ndarray) -> Any:
    """log Σ exp(x) of each row, over the columns where `pairs` holds; any number for a row without one.

    Such rows are for the caller to mask: their true value, -inf, would have a gradient of nan.
    """
    none = ~pairs.any(1, keepdims=True)
    return logsumexp(where(pairs | none, x, -np.inf), 1)


def log_one_plus_exp(x: Any) -> Any:
    """log(1 + exp(x)), stable at any x."""
    return -logsigmoid(-x)


def reduce_counted(losses: Any, counts: ndarray, reduction: str) -> Any:
    """`reduce_loss` whose mean is over the rows that count, and 0 if there are none."""
    losses = where(counts, losses, 0.0)
    return losses.sum() / max(int(counts.sum()), 1) if reduction == "mean" else reduce_loss(losses, reduction)


# ----------------------------------------------------------------------------------------------- labels
def label_pairs(labels: Tensor) -> tuple[ndarray, ndarray]:
    """Which pairs of samples (N, N) share a label, a sample with itself left out, and which do not."""
    array = labels._array
    same = array[:, None] == array[None, :]
    different = ~same
    np.fill_diagonal(same, False)
    return same, different


def check_labeled(loss: str, features: Any, labels: Any) -> tuple[Tensor, Tensor]:
    """Embeddings (N, D), and labels (N) of any integer type or bool.

    Raises:
        TypeError, NotImplementedError: the embeddings are no floating-point tensor.
        RuntimeError: the labels are floating point.
        ValueError: the shapes do not fit.
    """
    features = check_floating_tensor(loss, "input", features)
    labels = labels if isinstance(labels, Tensor) else as_tensor(labels)
    shape = features._array.shape
    if len(shape) != 2:
        raise ValueError(
            f"Expected input of shape (N, D), got {list(shape)}\n"
            "One embedding for each sample; try input.flatten(1)."
        )
    if labels._array.shape != shape[:1]:
        raise ValueError(
            f"Expected target size {list(shape[:1])}, got {list(labels._array.shape)}\n"
            "The target holds one label for each embedding."
        )
    if labels._array.dtype.kind == "f" and labels._array.size:
        raise RuntimeError(
            f"expected target dtype to be Long or Byte, but got {dtypes.of(labels._array).scalar_type}\n"
            "Labels are integers, compared for equality; use target.long()."
        )
    return features, labels


def check_embedding_pair(loss: str, names: tuple[str, str], a: Any, b: Any) -> tuple[Tensor, Tensor]:
    """Two tensors of embeddings in one shape, (N, D).

    Raises:
        TypeError, NotImplementedError: one is no floating-point tensor.
        ValueError: the shapes differ or are not (N, D).
    """
    a, b = (check_floating_tensor(loss, name, x) for name, x in zip(names, (a, b), strict=True))
    if a._array.shape != b._array.shape or a._array.ndim != 2:
        raise ValueError(
            f"Expected {names[0]} and {names[1]} of one shape (N, D), got {list(a._array.shape)} and "
            f"{list(b._array.shape)}\nRow i of one belongs to row i of the other."
        )
    return a, b
