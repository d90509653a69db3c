"""Losses of sequences: connectionist temporal classification."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import dtypes
from minigrad.autograd.fused import scale_classes
from minigrad.creation import arange, as_tensor, full
from minigrad.kernels import losses as kernels
from minigrad.kernels.losses_ctc import LOWEST
from minigrad.nn.losses.base import Loss, loss, reduce_loss
from minigrad.ops.elementwise import exp, where
from minigrad.ops.joining import cat, stack
from minigrad.ops.softmax import logsumexp
from minigrad.tensor import Tensor

# Stands for log(0): with an infinity the derivatives would be differences of infinities, nan.
_LOG_ZERO = -1e30
_WHILE = "(while checking arguments for ctc_loss_allocate_outputs)"


# --------------------------------------------------------------------------------------- the arguments
def _check_types(log_probs: Any, *others: Any) -> None:
    blank = others[-1]
    if not isinstance(log_probs, Tensor) or isinstance(blank, bool) or not isinstance(blank, int):
        given = ", ".join(type(value).__name__ for value in (log_probs, *others))
        raise TypeError(
            f"ctc_loss() received an invalid combination of arguments - got ({given}, int, bool), but "
            "expected one of:\n(Tensor log_probs, targets, input_lengths, target_lengths, int blank=0, "
            "str reduction='mean', bool zero_infinity=False)\nlog_probs must be a tensor, and blank an int."
        )
    if log_probs._array.dtype.kind != "f":
        raise NotImplementedError(
            f'"ctc_loss_cpu" not implemented for {dtypes.of(log_probs._array).scalar_type!r}\n'
            "The log-probabilities must be floating point; are log_probs and targets swapped?"
        )


def _as_array(values: Any) -> ndarray:
    return values._array if isinstance(values, Tensor) else as_tensor(values)._array


def _as_lengths(name: str, lengths: Any) -> ndarray:
    """The lengths as a vector of int64."""
    array = _as_array(lengths)
    if array.dtype.kind not in "iu" and array.size:
        raise RuntimeError(f"{name} must be integral\nThey are {array.dtype}; use {name}.long().")
    return array.reshape(-1).astype(np.int64)


def _check_log_probs(log_probs: Tensor, blank: int) -> tuple[int, int, int]:
    """(T, N, C), where N is 1 for one sample."""
    shape = log_probs._array.shape
    if len(shape) != 3:
        shape = log_probs.detach().unsqueeze(1)._array.shape
    if 0 in shape:
        raise RuntimeError(f"log_probs tensor must not be empty\nlog_probs (T, N, C) is {list(shape)}.")
    if len(shape) != 3:
        raise RuntimeError(
            f"Expected 3-dimensional tensor, but got {len(shape)}-dimensional tensor for argument #1 "
            f"'log_probs' {_WHILE}\nlog_probs is (T, N, C), or (T, C) for one sample."
        )
    if not 0 <= blank < shape[2]:
        raise RuntimeError(
            f"blank must be in label range\nblank is {blank}, but it must be from 0 to {shape[2] - 1} for "
            f"{shape[2]} classes."
        )
    return shape


def _check_count(name: str, lengths: ndarray, shape: tuple[int, int, int]) -> None:
    if lengths.size == shape[1]:
        return
    hint = "Give one length for each sample."
    if lengths.size == shape[0]:
        hint = "Are the log-probabilities (N, T, C)? Use log_probs.transpose(0, 1)."
    raise RuntimeError(
        f"{name} must be of size batch_size\nThere are {lengths.size}, but log_probs (T, N, C) is "
        f"{list(shape)}. {hint}"
    )


def _check_range(name: str, lengths: ndarray, most: float, hint: str = "") -> None:
    for place in np.flatnonzero((lengths < 0) | (lengths > most))[:1]:
        value = int(lengths[place])
        bound = "at least 0" if value < 0 else f"at most {most}"
        raise RuntimeError(
            f"Expected {name} to have value {bound}, but got value {value} {_WHILE}\n"
            f"{name}[{place}] is {value}. {hint}"
        )


def _check_size(targets: ndarray, lengths: ndarray) -> None:
    """RuntimeError where there are fewer targets than the lengths say, or too many."""
    if targets.ndim == 2 and targets.shape[0] == lengths.size:
        if lengths.max() <= targets.shape[1]:
            return
        need, dim = f"at least {lengths.max()}", 1
    else:
        need, dim = f"{lengths.sum() if targets.ndim == 1 else lengths.size}", 0
        if targets.ndim == 1 and targets.size == lengths.sum():
            return
    raise RuntimeError(
        f"Expected tensor to have size {need} at dimension {dim}, but got size {targets.shape[dim]} for "
        f"argument #2 'targets' {_WHILE}\ntargets are {list(targets.shape)}, target_lengths "
        f"{lengths.tolist()}. Give targets (N, S), padded, or (sum of target_lengths)."
    )


def _check_labels(labels: ndarray, used: ndarray, padded: bool, blank: int, classes: int) -> None:
    """IndexError for a label that is no class, ValueError for the blank and for what is no integer."""
    wrong = ~((labels >= 0) & (labels < classes)) | (labels == blank)
    if labels.dtype.kind == "f":
        wrong |= labels != np.trunc(labels)
    if not wrong.any():
        return
    first = int(wrong.argmax())
    value = labels[first].item()
    place = np.argwhere(used)[first].tolist() if padded else [first]
    if value == blank:
        raise ValueError(
            f"Target {value} is the blank.\ntargets{place} is {value}, which stands for no label. Number the "
            "labels beside it, or let blank be another class, e.g. blank=C - 1. Padding is fine beyond "
            "target_lengths only."
        )
    if 0 <= value < classes:
        raise ValueError(f"Target {value} is not an integer.\ntargets{place} is {value}; labels are classes.")
    raise IndexError(
        f"Target {value} is out of bounds.\ntargets{place} is {value}, but a label must be from 0 to "
        f"{classes - 1} for {classes} classes, and not the blank ({blank})."
    )


def _padded(targets: ndarray, lengths: ndarray, blank: int, classes: int) -> ndarray:
    """The targets that count, checked, as (N, S) of int64 with blanks behind them."""
    used = np.arange(lengths.max()) < lengths[:, None]
    labels = targets if targets.ndim == 1 else targets[:, : used.shape[1]][used]
    _check_labels(labels, used, targets.ndim == 2, blank, classes)
    padded = np.full(used.shape, blank, np.int64)
    padded[used] = labels
    return padded


def _check_ctc(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int,
    reduction: str,
    zero_infinity: bool,
    exact: bool,
) -> Sequence[Any]:
    """torch's checks in torch's order, then those of the labels that torch lacks."""
    _check_types(log_probs, targets, input_lengths, target_lengths, blank)
    frames = _as_lengths("input_lengths", input_lengths)
    lengths = _as_lengths("target_lengths", target_lengths)
    labels = _as_array(targets)
    if log_probs._array.size and not 1 <= labels.ndim <= 2:
        raise RuntimeError(
            f"Expected 1 to 2 dimensions, but got {labels.ndim}-dimensional tensor for argument #2 'targets' "
            f"{_WHILE}\nGive targets (N, S), padded, or (sum of target_lengths)."
        )
    shape = _check_log_probs(log_probs, blank)
    _check_count("input_lengths", frames, shape)
    _check_count("target_lengths", lengths, shape)
    _check_range("target_lengths", lengths, math.inf)
    _check_size(labels, lengths)
    _check_range("input_lengths", frames, shape[0], f"log_probs (T, N, C) is {list(shape)}.")
    labels = _padded(labels, lengths, blank, shape[2])
    tensors = [as_tensor(array) for array in (labels, frames, lengths)]
    return log_probs, *tensors, blank, reduction, bool(zero_infinity), bool(exact)


def _ctc_name(values: Sequence[Any]) -> str:
    if values[5] != "none":
        return "SumBackward0" if values[5] == "sum" else "MeanBackward0"
    if values[0].ndim != 3:
        return "SqueezeBackward1"
    return "WhereBackward0" if values[6] else "CtcLossBackward0"


# -------------------------------------------------------------------------------------- the definition
def _with_blanks(targets: Any, blank: int) -> Any:
    """(N, 2S + 1): the labels of each row with a blank before, between and behind them."""
    blanks = full(targets.shape, blank, dtype=targets.dtype)
    pairs = stack([blanks, targets], 2).flatten(1)
    return cat([pairs, full((len(targets), 1), blank, dtype=targets.dtype)], 1)


def _delayed(x: Any, by: int, filling: float) -> Any:
    """Each row moved on by some places."""
    return cat([full((len(x), by), filling, dtype=x.dtype), x], 1)[:, : x.shape[1]]


def _log_likelihood(log_probs: Any, states: Any, blank: int, input_lengths: Any, target_lengths: Any) -> Any:
    """log p(targets) of each sample: the sum over all alignments, by the recursion over the frames."""
    frames = len(log_probs)
    emitted = log_probs.gather(2, states.expand(frames, *states.shape))
    # A label may follow the label before it at once, with no blank between, if it is another.
    label_before = _delayed(states, 2, blank)
    may_skip = (states != blank) & (label_before != blank) & (states != label_before)
    # alpha[n, s]: the log-probability of all the ways to state s. It begins in the first blank.
    alpha = full(states.shape, _LOG_ZERO, dtype=log_probs.dtype)
    alpha[:, 0] = 0.0
    for t in range(frames):
        step = _delayed(alpha, 1, _LOG_ZERO)
        skip = where(may_skip, _delayed(alpha, 2, _LOG_ZERO), _LOG_ZERO)
        reached = emitted[t] + logsumexp(stack([alpha, step, skip]), 0)
        alpha = where((t < input_lengths).unsqueeze(1), reached, alpha)
    # It ends in the last blank, or in the label before that.
    rows, last = arange(len(alpha)), 2 * target_lengths
    ends = stack([alpha, _delayed(alpha, 1, _LOG_ZERO)])
    return logsumexp(ends[:, rows, last], 0)


def _folded(log_probs: Any, counted: Any) -> Any:
    """Zeros (N) whose derivative is exp(log_probs) in the frames and samples that are counted."""
    p = exp(log_probs)
    # Where p overflows p - p would be nan.
    return where(counted & (p < math.inf), p - p.detach(), 0.0).sum((0, 2))


@loss(
    forward=kernels.ctc,
    check=_check_ctc,
    wrt=("log_probs",),
    backward=scale_classes,
    grad_name=_ctc_name,
)
def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
    *,
    exact: bool = False,
) -> Any:
    """Connectionist temporal classification: -log p(targets), p summed over all alignments to the frames.

    An alignment names one class for each frame; it spells the targets once repeats are merged and then
    blanks removed: with "-" for the blank, "aa-ab" and "-a-ab" spell "aab", and "aaab" spells "ab".

    Wants: log-probabilities (after log_softmax over the classes), neither logits nor probabilities.

    Args:
        log_probs: (T, N, C), or (T, C) for one sample: frames first.
        targets: classes other than the blank, (N, S), padded with anything, or (sum of target_lengths),
            one sample behind the other, or (S) for one sample; of any type that holds integers.
        input_lengths: how many of the T frames each sample has, N integers; a tensor, a sequence, or one
            integer where N is 1.
        target_lengths: how many labels each sample has, likewise; 0 is fine.
        blank: the class that stands for no label.
        reduction: "mean" divides each loss by the number of its labels (by 1 where it has none), and takes
            the mean of that over the samples; "sum"; "none" gives (N), or () for one sample.
        zero_infinity: let samples without an alignment count 0.
        exact: give the derivative to `log_probs` itself.

    Gradient: softmax minus posterior, exp(log_probs) - P(class in the frame | targets), as torch's. That is
    what reaches the logits through log_softmax; through it `exact=True`, whose gradient is the derivative
    -P(class in the frame | targets), leads to the same. A sample without an alignment (too few frames for
    its labels, one more needed for each repeat) has an infinite loss and the gradient 0, where torch's is
    nan: one such sample shows, but does not end the training.

    Use it to learn sequences shorter than their inputs without knowing where in time each label is: speech,
    handwriting. Common mistakes: probabilities or logits for log-probabilities (the loss may be negative);
    (N, T, C) for (T, N, C); the blank among the targets; lengths before the network's strides.

    Raises:
        IndexError: a label is out of range (torch reads other memory).
        RuntimeError: shapes, sizes or lengths do not fit, or there is nothing at all.
        TypeError: `log_probs` is no tensor, or `blank` no int.
        ValueError: a label is the blank or no integer, or an unknown reduction.
        NotImplementedError: the log-probabilities are integers.

    Source: A. Graves et al., "Connectionist Temporal Classification: Labelling Unsegmented Sequence Data
    with Recurrent Neural Networks", ICML 2006.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.functional
        >>> log_probs = minigrad.log(minigrad.tensor([[0.5, 0.3, 0.2], [0.1, 0.6, 0.3]]))
        >>> F.ctc_loss(log_probs, minigrad.tensor([1]), 2, 1)  # "-1", "1-" and "11": 0.30 + 0.03 + 0.18
        tensor(0.6733)
    """
    single = log_probs.ndim == 2
    # In float64, since T numbers are added up; and with finite numbers, since they are subtracted.
    x = (log_probs.unsqueeze(1) if single else log_probs).double()
    x = where(x < LOWEST, _LOG_ZERO, x)
    states = _with_blanks(targets, blank)
    log_likelihood = _log_likelihood(x, states, blank, input_lengths, target_lengths)
    impossible = log_likelihood < _LOG_ZERO / 2
    losses = where(impossible, 0.0 if zero_infinity else math.inf, -log_likelihood)
    if not exact:
        counted = (arange(len(x)).unsqueeze(1) < input_lengths) & ~impossible
        losses = losses + _folded(x, counted.unsqueeze(2))
    if reduction == "mean":
        losses = losses / target_lengths.clamp(min=1)
    losses = losses.to(log_probs.dtype)
    return reduce_loss(losses.squeeze(0) if single else losses, reduction)


class CTCLoss(Loss, fn=ctc_loss):
    """Connectionist temporal classification, -log p(targets) over all alignments; by default the mean over
    the samples of each loss divided by the number of its labels. Wants log-probabilities (T, N, C).
    See `minigrad.nn.functional.ctc_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.CTCLoss()
        >>> log_probs = minigrad.log_softmax(minigrad.zeros(4, 1, 3), 2)
        >>> criterion(log_probs, minigrad.tensor([[1, 2]]), [4], [2])
        tensor(0.8432)
    """
