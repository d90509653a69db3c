"""Contrastive losses: similar embeddings together, others apart, from pairs, views or labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.nn.extra.checks import check_between, check_floating_tensor, check_number
from minigrad.nn.extra.similarity import (
    check_embedding_pair,
    check_labeled,
    cosines,
    in_float64,
    label_pairs,
    normalized,
    reduce_counted,
)
from minigrad.nn.losses.base import Loss, as_target, loss, reduce_loss
from minigrad.nn.losses.classification import cross_entropy
from minigrad.ops.elementwise import clamp, where
from minigrad.ops.joining import cat
from minigrad.ops.reduction import norm
from minigrad.tensor import Tensor


def _validate_temperature(temperature: float) -> None:
    check_number("temperature", temperature, above=0)


# ------------------------------------------------------------------------------------ labelled pairs
def _validate_margin(margin: float) -> None:
    check_number("margin", margin, above=0)


def _check_contrastive(input1: Any, input2: Any, target: Any, reduction: str, margin: float) -> Sequence[Any]:
    a, b = (
        check_floating_tensor("contrastive_loss", name, x)
        for name, x in (("input1", input1), ("input2", input2))
    )
    target = as_target(a, target)
    shape = a._array.shape
    if b._array.shape != shape or len(shape) not in (1, 2):
        raise ValueError(
            f"Expected input1 and input2 of one shape (N, D) or (D), got {list(shape)} and "
            f"{list(b._array.shape)}\nRow i of one is compared with row i of the other."
        )
    if target._array.shape != shape[:-1]:
        raise ValueError(
            f"Expected target size {list(shape[:-1])}, got {list(target._array.shape)}\n"
            "The target holds 1 or 0 for each pair."
        )
    check_between("target", target, 0, 1, "Similar pairs are 1 and dissimilar ones 0, not -1.")
    return a, b, target, reduction, margin


@loss(check=_check_contrastive, validate=_validate_margin)
@in_float64
def contrastive_loss(
    input1: Any, input2: Any, target: Any, reduction: str = "mean", margin: float = 1.0
) -> Any:
    """½ (y d² + (1 - y) max(0, margin - d)²), d = |a - b| being the distance of a pair.

    Wants: pairs of embeddings, and targets 1 (similar) or 0 (dissimilar), not ±1.

    Args:
        input1, input2: embeddings a and b, (N, D), or (D) for one pair.
        target: 1 or 0, (N) or (); what lies between counts as both, in these shares.
        reduction: "mean" divides by N; "sum"; "none".
        margin: the distance from which dissimilar pairs count nothing, > 0.

    Gradient: (a - b) for similar pairs, -(margin - d) (a - b) / d for dissimilar ones within the margin; 0
    for two embeddings in one place, which nothing tells where to part.

    Use it to learn an embedding from pairs. The common mistake is the paper's own convention, where 0 means
    similar.

    Raises:
        RuntimeError: a target is outside [0, 1].
        ValueError: shapes or options do not fit.

    Source: R. Hadsell et al., "Dimensionality Reduction by Learning an Invariant Mapping", CVPR 2006.

    Example:
        >>> import minigrad
        >>> from minigrad.nn import extra
        >>> a, b = minigrad.zeros(2, 2), minigrad.tensor([[0.3, 0.4], [0.3, 0.4]])
        >>> extra.contrastive_loss(a, b, minigrad.tensor([1, 0]), reduction="none")
        tensor([0.1250, 0.1250])
    """
    difference = input1 - input2
    missing = clamp(margin - norm(difference, 2, -1), min=0)
    near = (difference * difference).sum(-1)
    return reduce_loss(0.5 * (target * near + (1 - target) * missing * missing), reduction)


class ContrastiveLoss(Loss, fn=contrastive_loss):
    """½ (y d² + (1 - y) max(0, margin - d)²), d the distance of a pair; the mean by default. Wants pairs of
    embeddings and targets 1 (similar) or 0. See `minigrad.nn.extra.contrastive_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.extra.ContrastiveLoss(margin=2.0)
        >>> criterion(minigrad.zeros(1, 2), minigrad.tensor([[0.3, 0.4]]), minigrad.tensor([0]))
        tensor(1.1250)
    """


# --------------------------------------------------------------------------------- one key among many
def _check_info_nce(
    query: Any, positive_key: Any, negative_keys: Any, reduction: str, temperature: float
) -> Sequence[Any]:
    names = ("query", "positive_key")
    query, positive_key = check_embedding_pair("info_nce_loss", names, query, positive_key)
    if negative_keys is not None:
        n, d = query._array.shape
        shape = check_floating_tensor("info_nce_loss", "negative_keys", negative_keys)._array.shape
        if len(shape) not in (2, 3) or shape[-1] != d or (len(shape) == 3 and shape[0] != n):
            raise ValueError(
                f"Expected negative_keys of shape (M, {d}) or ({n}, M, {d}), got {list(shape)}\n"
                f"They are compared with queries of shape {[n, d]}."
            )
    return query, positive_key, negative_keys, reduction, temperature


@loss(check=_check_info_nce, validate=_validate_temperature)
@in_float64
def info_nce_loss(
    query: Any,
    positive_key: Any,
    negative_keys: Any = None,
    reduction: str = "mean",
    temperature: float = 0.1,
) -> Any:
    """Cross entropy of finding a query's own key among others, by cosines over the temperature.

    With s = cos / temperature: -log(exp(s₊) / (exp(s₊) + Σ exp(s₋))).

    Wants: embeddings of any length; only their directions count.

    Args:
        query: (N, D).
        positive_key: (N, D), row i belonging to query i.
        negative_keys: (M, D) for all queries, or (N, M, D), M for each; without them a query's negatives
            are the positive keys of the other queries.
        reduction: "mean" divides by N; "sum"; "none".
        temperature: what cosines are divided by, > 0; a lower one looks at the hardest negatives only.

    Gradient: that of cross entropy, to queries and keys, at a right angle to each; 0 for a vector of zeros.

    Use it to match two encoders, or two views of one. Common mistakes: a batch so small that it has no hard
    negatives, duplicates in the batch, which then are each other's negatives. It looks one way only: for
    CLIP's loss take the mean of this and of the one with query and key exchanged.

    Raises:
        ValueError: shapes or options do not fit.

    Source: A. van den Oord et al., "Representation Learning with Contrastive Predictive Coding", 2018.

    Example:
        >>> import minigrad
        >>> from minigrad.nn import extra
        >>> query = minigrad.tensor([[1.0, 0.0], [0.0, 2.0]])
        >>> key = minigrad.tensor([[1.0, 0.0], [1.0, 0.0]])
        >>> extra.info_nce_loss(query, key, temperature=1.0, reduction="none")
        tensor([0.6931, 0.6931])
    """
    if negative_keys is None:
        logits = cosines(query, positive_key)
        own = np.arange(query.shape[0])
    else:
        query = normalized(query).unsqueeze(1)
        positive = (query * normalized(positive_key).unsqueeze(1)).sum(-1)
        negative = (query @ normalized(negative_keys).transpose(-2, -1)).squeeze(1)
        logits = cat([positive, negative], 1)
        own = np.zeros(query.shape[0], np.int64)
    return cross_entropy(logits / temperature, own, reduction=reduction)


class InfoNCELoss(Loss, fn=info_nce_loss, omit=("negative_keys",)):
    """Cross entropy of finding a query's own key among others; the mean by default. Wants queries, their
    keys, and negative keys unless those of the other queries are meant. See
    `minigrad.nn.extra.info_nce_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.extra.InfoNCELoss(temperature=1.0)
        >>> query, key = minigrad.tensor([[1.0, 0.0]]), minigrad.tensor([[0.0, 1.0]])
        >>> criterion(query, key, negative_keys=key)
        tensor(0.6931)
    """

    reduction: str
    temperature: float

    def forward(self, query: Any, positive_key: Any, negative_keys: Any = None) -> Any:
        """The loss of the given embeddings, with this module's options."""
        return self.fn(query, positive_key, negative_keys, self.reduction, self.temperature)


# ----------------------------------------------------------------------------------- two views of each
def _check_nt_xent(input1: Any, input2: Any, reduction: str, temperature: float) -> Sequence[Any]:
    return *check_embedding_pair("nt_xent_loss", ("input1", "input2"), input1, input2), reduction, temperature


@loss(check=_check_nt_xent, validate=_validate_temperature)
@in_float64
def nt_xent_loss(input1: Any, input2: Any, reduction: str = "mean", temperature: float = 0.5) -> Any:
    """Cross entropy of finding the other view of a sample among all 2 N - 1 other views.

    Wants: the embeddings of two views of every sample, of any length; only their directions count.

    Args:
        input1, input2: the views' embeddings, (N, D), row i of both being sample i.
        reduction: "mean" divides by 2 N; "sum"; "none" gives (2 N), input1's views and then input2's.
        temperature: what cosines are divided by, > 0.

    Gradient: that of cross entropy, at a right angle to each embedding; 0 for a vector of zeros.

    Use it to learn from augmentations without labels (SimCLR). It differs from `info_nce_loss` in that both
    views ask, and views of the same side are negatives too. One sample has no negatives: its loss is 0.

    Raises:
        ValueError: shapes or options do not fit.

    Source: T. Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations",
    ICML 2020.

    Example:
        >>> import minigrad
        >>> from minigrad.nn import extra
        >>> views = minigrad.tensor([[1.0, 0.0], [0.0, 1.0]])
        >>> extra.nt_xent_loss(views, views, temperature=1.0)
        tensor(0.5514)
    """
    n = input1.shape[0]
    views = cat([input1, input2])
    logits = where(np.eye(2 * n, dtype=bool), -np.inf, cosines(views, views) / temperature)
    other = np.roll(np.arange(2 * n), n)
    return cross_entropy(logits, other, reduction=reduction)


class NTXentLoss(Loss, fn=nt_xent_loss):
    """Cross entropy of finding the other view of a sample among all others; the mean by default. Wants the
    embeddings of two views of every sample. See `minigrad.nn.extra.nt_xent_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.extra.NTXentLoss(temperature=1.0)
        >>> views = minigrad.tensor([[1.0, 0.0], [0.0, 1.0]])
        >>> criterion(views, views)
        tensor(0.5514)
    """


# --------------------------------------------------------------------------------------------- labels
def _check_sup_con(input: Any, target: Any, reduction: str, temperature: float) -> Sequence[Any]:
    return *check_labeled("sup_con_loss", input, target), reduction, temperature


@loss(check=_check_sup_con, validate=_validate_temperature)
@in_float64
def sup_con_loss(input: Any, target: Any, reduction: str = "mean", temperature: float = 0.1) -> Any:
    """Cross entropy of finding the samples of one's own label among all others, each with an equal share.

    With s = cos / temperature, for sample i: the mean over the others p of its label of
    -log(exp(s_ip) / Σ_a exp(s_ia)), a running over all but i.

    Wants: embeddings of any length, only their directions count, and labels.

    Args:
        input: embeddings, (N, D); several views of a sample are several rows with its label.
        target: labels, (N), of any integer type; they are only compared for equality.
        reduction: "mean" divides by the number of samples that share their label with another; "sum"; "none".
        temperature: what cosines are divided by, > 0.

    Gradient: that of cross entropy, at a right angle to each embedding; 0 for a vector of zeros. Samples
    that are alone with their label count nothing; if all are, the mean is 0.

    Use it to learn an embedding from classes. The common mistake is a batch with hardly two samples of a
    class: draw several of each, or several views. The authors' code multiplies by temperature / 0.07.

    Raises:
        RuntimeError: the labels are floating point.
        ValueError: shapes or options do not fit.

    Source: P. Khosla et al., "Supervised Contrastive Learning", NeurIPS 2020, their L_out.

    Example:
        >>> import minigrad
        >>> from minigrad.nn import extra
        >>> x = minigrad.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        >>> extra.sup_con_loss(x, minigrad.tensor([0, 0, 1]), temperature=1.0, reduction="none")
        tensor([0.3133, 0.3133, 0.0000])
    """
    positive, _ = label_pairs(target)
    count = positive.sum(1, keepdims=True)
    shares = positive / np.maximum(count, 1)
    left_out = np.eye(len(count), dtype=bool) & (count > 0)  # a row of -inf alone would have a loss of nan
    logits = where(left_out, -np.inf, cosines(input, input) / temperature)
    losses = cross_entropy(logits, Tensor._wrap(shares), reduction="none")
    return reduce_counted(losses, count[:, 0] > 0, reduction)


class SupConLoss(Loss, fn=sup_con_loss):
    """Cross entropy of finding the samples of one's own label among all others; the mean by default. Wants
    embeddings and labels. See `minigrad.nn.extra.sup_con_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.extra.SupConLoss(temperature=1.0)
        >>> x = minigrad.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        >>> criterion(x, minigrad.tensor([0, 0, 1]))
        tensor(0.3133)
    """
