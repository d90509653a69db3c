"""Adaptive softmax: many classes in clusters by how often they occur."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.creation import as_tensor, zeros
from minigrad.nn.container import ModuleList, Sequential
from minigrad.nn.linear import Linear
from minigrad.nn.losses.classification import cross_entropy
from minigrad.nn.module import Module
from minigrad.ops.joining import cat
from minigrad.ops.reduction import argmax
from minigrad.ops.softmax import log_softmax
from minigrad.tensor import Tensor


class _ASMoutput(NamedTuple):
    """What the loss gives: each sample's log-probability of its target, and minus their mean."""

    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """Softmax over many classes, in clusters: log p(y) = log p(cluster of y) + log p(y | cluster).

    The most frequent classes, below `cutoffs[0]`, are in the head, together with one entry for each further
    cluster of rarer classes; cluster i has the classes from `cutoffs[i]` to the next cutoff, and its features
    are projected to in_features / div_value^(i + 1) first. So most samples only need the small head.

    Wants: features, and class indices that are sorted by frequency, 0 the most frequent.

    Args:
        in_features: the number of features.
        n_classes: the number of classes.
        cutoffs: where clusters begin, increasing, between 1 and n_classes - 1.
        div_value: by how much the features of each further cluster are fewer.
        head_bias: whether the head has a bias.

    Shapes: input (N, in_features) and target (N), or (in_features) and (). Gives a named tuple of `output`,
    each sample's log-probability of its target, (N) or (), and `loss`, minus their mean.

    Gradient: that of cross entropy in the head, and in the cluster of the target; a cluster that no target is
    in gets none.

    Use it where classes are many and follow Zipf's law, as words. The common mistake is class indices
    that are not sorted by frequency: it is then slow, and weak for the classes in the tail.

    Raises:
        ValueError: cutoffs that are not increasing or out of range.
        RuntimeError: a target is out of range, or shapes do not fit.

    Source: E. Grave et al., "Efficient softmax approximation for GPUs", ICML 2017.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> _ = minigrad.manual_seed(0)
        >>> criterion = nn.AdaptiveLogSoftmaxWithLoss(8, 20, [5, 10], div_value=2.0)
        >>> output, loss = criterion(minigrad.ones(2, 8), minigrad.tensor([1, 12]))
        >>> output
        tensor([-2.7681, -3.7904], grad_fn=<AddBackward0>)
        >>> criterion.predict(minigrad.ones(2, 8))
        tensor([2, 2])
    """

    head: Linear
    tail: ModuleList

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        cutoffs = list(cutoffs)
        _check_cutoffs(cutoffs, n_classes)
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = self.cutoffs[0]
        self.n_clusters = len(cutoffs)
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, bias=head_bias, device=device, dtype=dtype)
        self.tail = ModuleList()
        for i, (first, end) in enumerate(itertools.pairwise(self.cutoffs)):
            width = int(in_features // div_value ** (i + 1))
            self.tail.append(
                Sequential(
                    Linear(in_features, width, bias=False, device=device, dtype=dtype),
                    Linear(width, end - first, bias=False, device=device, dtype=dtype),
                )
            )

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        for layer in self.modules():
            if isinstance(layer, Linear):
                layer.reset_parameters()

    def forward(self, input_: Tensor, target_: Any) -> _ASMoutput:
        """Each sample's log-probability of its target, and minus their mean."""
        target = target_ if isinstance(target_, Tensor) else as_tensor(target_)
        _check_shapes(input_, target)
        single = target.ndim == 0
        input = input_.unsqueeze(0) if single else input_
        clusters = self._clusters(target._array.reshape(-1))
        output = self._in_clusters(input, target.reshape(-1), clusters)
        # In the head a class of the shortlist stands for itself, a cluster for all of its classes.
        entries = np.where(clusters == 0, target._array.reshape(-1), self.shortlist_size + clusters - 1)
        output = output + -cross_entropy(self.head(input), entries.astype(np.int64), reduction="none")
        return _ASMoutput(output.squeeze(0) if single else output, (-output).mean())

    def _clusters(self, target: np.ndarray) -> np.ndarray:
        """The cluster of each target, 0 for the shortlist."""
        if target.dtype.kind not in "iu":
            raise RuntimeError(
                f"expected class indices of an integer type as target, but got {target.dtype}\n"
                "Use target.long()."
            )
        if ((target < 0) | (target >= self.n_classes)).any():
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range "
                f"[{target.min()}, {target.max()}] were found. \n"
                "They are class indices, sorted by frequency."
            )
        return np.searchsorted(self.cutoffs, target, side="right")

    def _in_clusters(self, input: Tensor, target: Tensor, clusters: np.ndarray) -> Any:
        """log p(y | cluster of y), 0 in the shortlist."""
        (shortlist,) = np.nonzero(clusters == 0)
        places, parts = [shortlist], [zeros(len(shortlist), dtype=input.dtype)]
        for i, projection in enumerate(self.tail):
            (rows,) = np.nonzero(clusters == i + 1)
            if len(rows):
                chosen = as_tensor(rows)
                relative = target[chosen] - self.cutoffs[i]
                places.append(rows)
                parts.append(-cross_entropy(projection(input[chosen]), relative, reduction="none"))
        return cat(parts)[as_tensor(np.argsort(np.concatenate(places)))]

    def log_prob(self, input: Tensor) -> Tensor:
        """The log-probabilities of all classes, (N, in_features) to (N, n_classes).

        Example:
            >>> import minigrad
            >>> criterion = minigrad.nn.AdaptiveLogSoftmaxWithLoss(4, 6, cutoffs=[3])
            >>> criterion.log_prob(minigrad.ones(2, 4)).exp().sum(1).detach()
            tensor([1., 1.])
        """
        head = log_softmax(self.head(input), 1)
        end = self.shortlist_size
        parts = [head[:, :end]]
        for i, projection in enumerate(self.tail):
            parts.append(log_softmax(projection(input), 1) + head[:, end + i : end + i + 1])
        return cat(parts, 1)

    def predict(self, input: Tensor) -> Tensor:
        """The most probable class of each sample, (N, in_features) to (N).

        The tail is only computed for samples whose most probable entry of the head is a cluster.

        Example:
            >>> import minigrad
            >>> _ = minigrad.manual_seed(0)
            >>> criterion = minigrad.nn.AdaptiveLogSoftmaxWithLoss(4, 6, cutoffs=[3])
            >>> criterion.predict(minigrad.ones(2, 4))
            tensor([1, 1])
        """
        output = argmax(self.head(input), 1)
        in_tail = output >= self.shortlist_size
        if in_tail.any():
            output[in_tail] = argmax(self.log_prob(input[in_tail]), 1)
        return output


def _check_cutoffs(cutoffs: list[int], n_classes: int) -> None:
    if not cutoffs:
        raise ValueError(
            "cutoffs should be a sequence of length larger than 0\n"
            "Name where the first cluster begins, such as cutoffs=[100]."
        )
    increasing = all(a < b for a, b in itertools.pairwise([0, *cutoffs, n_classes]))
    if not increasing or any(int(c) != c for c in cutoffs):
        raise ValueError(
            "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where "
            f"each value is between 1 and n_classes-1\nGot {cutoffs} for {n_classes} classes."
        )


def _check_shapes(input: Any, target: Tensor) -> None:
    if not isinstance(input, Tensor):
        raise TypeError(f"argument 'input' must be Tensor, not {type(input).__name__}")
    if target.ndim > 1:
        raise RuntimeError(
            "0D or 1D target tensor expected, multi-target not supported\n"
            f"The target has shape {list(target.shape)}; it holds one class index per sample."
        )
    if target.ndim == 1 and (input.ndim == 0 or input.shape[0] != target.shape[0]):
        raise RuntimeError(
            "Input and target should have the same size in the batch dimension.\n"
            f"The input has shape {list(input.shape)}, the target {list(target.shape)}."
        )
    if input.ndim != target.ndim + 1:
        raise RuntimeError(
            f"{target.ndim}D target tensor expects {target.ndim + 1}D input tensors, but found inputs with "
            f"size {input.shape!r}\nA batch is (N, in_features) with a target (N)."
        )
