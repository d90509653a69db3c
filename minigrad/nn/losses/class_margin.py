"""Losses that ask for a margin between classes, and the soft margin of several labels at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.autograd.fused import scale_classes
from minigrad.autograd.op import cast
from minigrad.creation import arange, as_tensor
from minigrad.kernels import losses as kernels
from minigrad.nn.losses.base import Loss, as_target, loss, reduce_loss, reduced_name, times
from minigrad.nn.losses.margin import check_tensor, scale_rows, warn_where_it_broadcasts
from minigrad.ops.activation import logsigmoid
from minigrad.ops.elementwise import clamp, where
from minigrad.tensor import Tensor


# ------------------------------------------------------------------------------------------ the checks
def _check_rows(input: Tensor) -> None:
    shape = input._array.shape
    if len(shape) > 2 or shape[-1:] == (0,):
        raise RuntimeError(
            f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(shape)}\n"
            "The input holds scores (C) or (N, C). Bring the classes to the end and flatten the rest, e.g. "
            "input.movedim(1, -1).reshape(-1, C)."
        )


def _check_scores(name: str, input: Tensor) -> None:
    if input._array.dtype.kind != "f":
        raise NotImplementedError(
            f'"{name}" not implemented for {dtypes.of(input._array).scalar_type!r}\n'
            "The input must be scores in floating point; are input and target swapped?"
        )


def _as_indices(target: Tensor) -> Tensor:
    kind = target._array.dtype
    if kind.kind == "f":
        raise RuntimeError(
            f"expected scalar type Long but found {dtypes.of(target._array).scalar_type}\n"
            "Class indices are integers: use target.long()."
        )
    return target if kind == np.int64 else cast(target, dtype=np.dtype(np.int64), source=kind)


def _check_range(target: Tensor, low: int, classes: int, text: str, hint: str) -> None:
    """RuntimeError with `text` where an index is outside [low, classes)."""
    labels = target._array
    place = kernels.first_outside(labels, low, classes)
    if place < 0:
        return
    label = int(labels.flat[place])
    where_it_is = [int(i) for i in np.unravel_index(place, labels.shape)]
    name = f"target{where_it_is}" if where_it_is else "target"
    raise RuntimeError(
        f"{text}\n{name} is {label}, but there are {classes} classes: a target must be from {low} to "
        f"{classes - 1}{hint}."
    )


def _validate_multi_margin(p: int, weight: Any) -> None:
    if p not in (1, 2):
        raise ValueError(f"only p == 1 and p == 2 supported\nGot p={p!r}.")
    if isinstance(weight, Tensor) and weight.ndim != 1:
        raise ValueError(
            "weight must be one-dimensional\n"
            f"Got shape {list(weight.shape)}; there is one weight a class, (C)."
        )


def _check_multi_margin(
    input: Any,
    target: Any,
    p: int,
    margin: float,
    weight: Any,
    average: Any,
    reduce: Any,
    reduction: str,
) -> Sequence[Any]:
    check_tensor("input", input)
    target = target if isinstance(target, Tensor) else as_tensor(target)
    _check_rows(input)
    x, y = input._array.shape, target._array.shape
    if y != x[:-1] and not (len(x) < 2 and y == (1,)):
        raise RuntimeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples "
            f"(batch size). Expected target size [{x[0] if len(x) > 1 else 1}], but got {list(y)}. Input has "
            f"shape {list(x)}.\nThe target holds one class index per sample."
        )
    classes = x[-1] if x else 1
    if weight is not None:
        check_tensor("weight", weight)
        _check_class_weight(input, weight, classes)
    _check_scores("multi_margin_loss_cpu_kernel", input)
    return input, _as_indices(target), p, margin, weight, average, reduce, reduction


def _check_labels(input: Tensor, target: Tensor, *_: Any) -> None:
    classes = input._array.shape[-1] if input._array.ndim else 1
    _check_range(target, 0, classes, "target out of range", "; there is no ignore_index")


def _check_class_weight(input: Tensor, weight: Tensor, classes: int) -> None:
    if weight._array.shape != (classes,):
        raise RuntimeError(
            f"inconsistent weight size, expected {classes} but got {list(weight.shape)}\n"
            "There is one weight a class."
        )
    if weight._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"expected scalar type {dtypes.of(input._array).scalar_type} but found "
            f"{dtypes.of(weight._array).scalar_type}\nUse weight.to(input.dtype)."
        )


@loss(
    forward=kernels.multi_margin,
    check=_check_multi_margin,
    check_values=_check_labels,
    by_signature=True,
    validate=_validate_multi_margin,
    backward=scale_classes,
)
def multi_margin_loss(
    input: Any,
    target: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """w[y] / C · Σ_{j ≠ y} max(0, margin - x[y] + x[j])ᵖ, the hinge loss of one class among many.

    Wants: scores x (no softmax before it), and class indices.

    Args:
        input: scores, (C) or (N, C).
        target: class indices in [0, C), () or (N), of any integer type; there is no ignore_index.
        p: 1 or 2, the power of each gap.
        margin: how far the right class should be above every other, in units of the scores.
        weight: a factor for each class, (C).
        reduction: "mean" divides by N, also with weights; "sum"; "none". Each sample's loss is divided by C,
            the right class included.

    Gradient: p · gapᵖ⁻¹ · w[y] / C to every class whose gap is positive, minus their sum to the right one.
    At a gap of 0 there is none. A gap of nan counts nothing, as torch's.

    Use it for classification where only a wrong or narrow decision should cost. The common mistake is to
    read its scores as log-probabilities: a softmax of them is not calibrated.

    Raises:
        RuntimeError: shapes or dtypes do not fit, or a class index is out of range.
        ValueError: `p` is neither 1 nor 2, a weight of another rank than 1, or an unknown reduction.
        NotImplementedError: the scores are integers.

    Source: J. Weston and C. Watkins, "Support Vector Machines for Multi-Class Pattern Recognition",
    ESANN 1999.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.functional
        >>> F.multi_margin_loss(minigrad.tensor([[0.1, 0.2, 0.4, 0.8]]), minigrad.tensor([3]))
        tensor(0.3250)
    """
    classes = input.shape[-1] if input.ndim else 1
    scores, right = input.reshape(-1, classes), target.reshape(-1, 1)
    gaps = margin - scores.gather(1, right) + scores
    others = arange(classes) != right
    costs = where(others & (gaps > 0), gaps, 0.0)
    if p == 2:
        costs = costs * costs
    if weight is not None:
        costs = costs * weight[right]
    losses = costs.sum(1) / classes
    return reduce_loss(losses.reshape(target.shape), reduction)


class MultiMarginLoss(Loss, fn=multi_margin_loss):
    """w[y] / C · Σ_{j ≠ y} max(0, margin - x[y] + x[j])ᵖ; the mean over samples by default. Wants scores and
    class indices. See `minigrad.nn.functional.multi_margin_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.MultiMarginLoss(p=2)
        >>> criterion(minigrad.tensor([[0.1, 0.2, 0.4, 0.8]]), minigrad.tensor([3]))
        tensor(0.1525)
    """

    def _check_options(self, options: Mapping[str, Any]) -> None:
        weight = options["weight"]
        if weight is not None and weight.ndim != 1:
            raise ValueError(
                f"MultiMarginLoss: expected weight to be None or 1D tensor, got {weight.ndim}D instead\n"
                "There is one weight a class, (C)."
            )
        super()._check_options(options)


# -------------------------------------------------------------------------------- several labels, hinge
def _check_multilabel_margin(
    input: Any, target: Any, average: Any, reduce: Any, reduction: str
) -> Sequence[Any]:
    check_tensor("input", input)
    target = target if isinstance(target, Tensor) else as_tensor(target)
    _check_scores("multilabel_margin_loss_forward_out_frame", input)
    _check_rows(input)
    x, y = input._array.shape, target._array.shape
    if x != y:
        raise RuntimeError(
            f"inconsistent target size: {list(y)} for input of size: {list(x)}\n"
            "The target lists a sample's labels first, then -1 up to the shape of the input."
        )
    return input, _as_indices(target), average, reduce, reduction


def _check_label_lists(input: Tensor, target: Tensor, *_: Any) -> None:
    classes = input._array.shape[-1] if input._array.ndim else 1
    text = "argument #2 'target' is out of range"
    _check_range(target, -1, classes, text, ", and -1 ends a sample's labels; what follows it is checked too")


@loss(
    forward=kernels.multilabel_margin,
    check=_check_multilabel_margin,
    check_values=_check_label_lists,
    by_signature=True,
    backward=scale_classes,
)
def multilabel_margin_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """1 / C · Σ max(0, 1 - x[y] + x[j]) over a sample's labels y and the classes j that are none of them.

    Wants: scores x (no sigmoid before it), and lists of class indices, not zeros and ones.

    Args:
        input: scores, (C) or (N, C).
        target: each sample's labels in [0, C), then -1, in the shape of `input`, of any integer type. What
            follows the first -1 counts nothing, but must be in [-1, C) too. A label given twice counts twice.
        reduction: "mean" divides by N; "sum"; "none". Each sample's loss is divided by C.

    Gradient: for every positive gap 1 / C to the class j and -1 / C to the label y. At a gap of 0 there is
    none. A gap of nan counts nothing, as torch's.

    Use it where a sample has several labels and only their order before the others matters. The common
    mistake is a row of zeros and ones: it reads as the labels 0 and 1, and no error says so.

    Raises:
        RuntimeError: shapes or dtypes do not fit, or a class index is out of range.
        ValueError: an unknown reduction.
        NotImplementedError: the scores are integers.

    Source: A. Elisseeff and J. Weston, "A Kernel Method for Multi-Labelled Classification", NIPS 2001, which
    divides by the number of pairs instead.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.functional
        >>> x = minigrad.tensor([[0.1, 0.2, 0.4, 0.8]])
        >>> F.multilabel_margin_loss(x, minigrad.tensor([[3, 0, -1, 1]]))  # labels 3 and 0
        tensor(0.8500)
    """
    classes = input.shape[-1] if input.ndim else 1
    scores, labels = input.reshape(-1, classes), target.reshape(-1, classes)
    listed = _before_the_end(labels)
    most = int(listed.sum(1).numpy().max(initial=0))  # labels that a sample has
    listed, labels = listed[:, :most], clamp(labels[:, :most], min=0)
    own = ((labels.unsqueeze(2) == arange(classes)) & listed.unsqueeze(2)).any(1)
    gaps = 1 - scores.gather(1, labels).unsqueeze(2) + scores.unsqueeze(1)  # (N, label, class)
    counts = listed.unsqueeze(2) & ~own.unsqueeze(1) & (gaps > 0)
    losses = where(counts, gaps, 0.0).sum((1, 2)) / classes
    return reduce_loss(losses.reshape(input.shape[:-1]), reduction)


def _before_the_end(labels: Tensor) -> Tensor:
    """Which labels stand before the first -1 of their row."""
    return Tensor._wrap(np.logical_and.accumulate(labels._array >= 0, axis=1))


class MultiLabelMarginLoss(Loss, fn=multilabel_margin_loss):
    """1 / C · Σ max(0, 1 - x[y] + x[j]) over labels y and other classes j; the mean over samples by default.
    Wants scores, and lists of labels that end with -1. See `minigrad.nn.functional.multilabel_margin_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.MultiLabelMarginLoss()
        >>> criterion(minigrad.tensor([[0.1, 0.2, 0.4, 0.8]]), minigrad.tensor([[3, 0, -1, -1]]))
        tensor(0.8500)
    """


# ------------------------------------------------------------------------------- several labels, logistic
def _check_multilabel_soft_margin(
    input: Any, target: Any, weight: Any, average: Any, reduce: Any, reduction: str
) -> Sequence[Any]:
    target = as_target(input, target)
    if not input.ndim:
        raise IndexError(
            "Dimension specified as -1 but tensor has no dimensions\n"
            "The last dimension of the input holds the classes: (C) or (N, C)."
        )
    _check_scores("log_sigmoid_cpu", input)
    if weight is not None:
        check_tensor("weight", weight)
    warn_where_it_broadcasts(input, target)
    return input, target, weight, average, reduce, reduction


@loss(
    forward=kernels.multilabel_soft_margin,
    check=_check_multilabel_soft_margin,
    by_signature=True,
    backward=scale_rows,
    grad_name=reduced_name("DivBackward0"),
    invalid_reduction="{} is not valid",
)
def multilabel_soft_margin_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """-1 / C · Σ_c w[c] (y[c] log σ(x[c]) + (1 - y[c]) log σ(-x[c])).

    Wants: logits x, any real number (no sigmoid before it), and targets y in [0, 1], one for each class.

    Args:
        input: logits, (C) or (..., C).
        target: targets, the shape of `input`, of any dtype; another shape broadcasts, with a warning.
        weight: a factor for each class, (C), or of another shape that broadcasts to `input`'s.
        reduction: "mean" divides by the number of samples; "sum"; "none". Each sample's loss is the mean over
            its classes, also with weights.

    Gradient: w ((1 - y) σ(x) - y σ(-x)) / C, accurate at any logit.

    Use it where a sample has several labels at once. It is `binary_cross_entropy_with_logits`, averaged over
    the last dimension. The common mistake is -1 and 1 as targets: those are for `soft_margin_loss`.

    Raises:
        IndexError: the input has no dimension.
        NotImplementedError: the logits are integers.
        RuntimeError: the shapes do not broadcast.
        ValueError: an unknown reduction.

    Source: the maximum likelihood of independent Bernoulli variables with log-odds x.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.functional
        >>> F.multilabel_soft_margin_loss(minigrad.tensor([[2.0, -1.0]]), minigrad.tensor([[1, 0]]))
        tensor(0.2201)
    """
    losses = -(times(target, logsigmoid(input)) + times(1 - target, logsigmoid(-input)))
    if weight is not None:
        losses = losses * weight
    return reduce_loss(losses.sum(input.ndim - 1) / input.shape[-1], reduction)


class MultiLabelSoftMarginLoss(Loss, fn=multilabel_soft_margin_loss):
    """Binary cross entropy of logits, the mean over a sample's classes; the mean over samples by default.
    Wants logits (no sigmoid before it) and targets in [0, 1].
    See `minigrad.nn.functional.multilabel_soft_margin_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.MultiLabelSoftMarginLoss(reduction="none")
        >>> criterion(minigrad.tensor([[2.0, -1.0], [2.0, -1.0]]), minigrad.tensor([[1, 0], [0, 0]]))
        tensor([0.2201, 1.2201])
    """
