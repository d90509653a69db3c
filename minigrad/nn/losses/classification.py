"""Losses of one class among many: negative log-likelihood and cross entropy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.autograd.fused import scale_classes
from minigrad.autograd.op import cast
from minigrad.creation import as_tensor
from minigrad.kernels import losses as kernels
from minigrad.nn.losses.base import Loss, loss, reduce_loss, warn_user
from minigrad.ops.elementwise import where
from minigrad.ops.softmax import log_softmax
from minigrad.tensor import Tensor


# ---------------------------------------------------------------------------------- one class of many
def _class_dim(input: Tensor) -> int:
    return 0 if input.ndim == 1 else 1


def _check_class_weight(input: Tensor, weight: Any, prefix: str = "") -> None:
    if weight is None:
        return
    if not isinstance(weight, Tensor):
        raise TypeError(f"argument 'weight' must be Tensor, not {type(weight).__name__}")
    classes = input._array.shape[_class_dim(input)]
    if weight._array.shape != (classes,):
        raise RuntimeError(
            f"{prefix}weight tensor should be defined either for all {classes} classes or no classes but got "
            f"weight tensor of shape: {list(weight._array.shape)}"
        )
    if weight._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"expected scalar type {dtypes.of(input._array).scalar_type} but found "
            f"{dtypes.of(weight._array).scalar_type}\nUse weight.to(input.dtype)."
        )


def _check_class_shapes(input: Tensor, target: Tensor) -> None:
    """torch's rules for (N, C, d...) against (N, d...), in torch's order."""
    x, y = input._array.shape, target._array.shape
    if not x:
        raise ValueError(f"Expected 1 or more dimensions (got {len(x)})")
    if len(x) > 1 and x[0] != (y[0] if y else None):
        raise ValueError(
            f"Expected input batch_size ({x[0]}) to match target batch_size ({y[0] if y else 'none'})."
        )
    if len(x) <= 2:
        if len(y) > 1:
            hint = (
                "\nThe target holds one class index per sample. Try target.squeeze(1)."
                if y[1:] == (1,)
                else "\nThe target holds one class index per sample, or probabilities in input's shape "
                f"{list(x)}."
            )
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported" + hint)
        if len(x) == 1 and y not in ((), (1,)):
            raise RuntimeError(f"size mismatch (got input: {list(x)}, target: {list(y)})")
    elif len(x) == 4 and len(y) != 3:
        raise RuntimeError(
            "only batches of spatial targets supported (3D tensors) but got targets of dimension: "
            f"{len(y)}\nTry target.squeeze(1)."
        )
    elif y[1:] != x[2:]:
        if len(x) == 4:
            raise RuntimeError(f"size mismatch (got input: {list(x)} , target: {list(y)}")
        raise RuntimeError(
            f"Expected target size {[x[0], *x[2:]]}, got {list(y)}\n"
            "Classes are dimension 1: input (N, C, d...), target (N, d...). Transpose logits (N, T, C) with "
            "input.transpose(1, 2)."
        )


def _class_indices(input: Tensor, target: Any) -> Tensor:
    """The target as class indices of dtype int64."""
    if not isinstance(target, Tensor):
        target = as_tensor(target)
    _check_class_shapes(input, target)
    kind = target._array.dtype
    if kind.kind == "f":
        raise RuntimeError(
            f"expected target dtype to be Long or Byte, but got {dtypes.of(target._array).scalar_type}\n"
            "Class indices are integers: use target.long(). Class probabilities need input's shape "
            f"{list(input._array.shape)}."
        )
    if kind != np.int64:
        target = cast(target, dtype=np.dtype(np.int64), source=kind)
    if target._array.ndim == input._array.ndim == 1:  # one sample (C,) against (1,)
        target = target.reshape(())
    return target


def _pick_class(log_probabilities: Any, target: Any, weight: Any, ignore_index: int) -> tuple[Any, Any]:
    """Each sample's -w[y] log p[y], and its weight, both 0 where the target is ignored."""
    dim = _class_dim(log_probabilities)
    ignored = target == ignore_index
    safe = target.masked_fill(ignored, 0)
    picked = log_probabilities.gather(dim, safe.unsqueeze(dim)).squeeze(dim)
    weights = where(ignored, 0.0, 1.0 if weight is None else weight[safe])
    return where(ignored, 0.0, -picked * weights), weights


def _check_nll(
    input: Any, target: Any, weight: Any, average: Any, ignore_index: int, reduce: Any, reduction: str
) -> Sequence[Any]:
    if not isinstance(input, Tensor):
        raise TypeError(f"argument 'input' must be Tensor, not {type(input).__name__}")
    target = _class_indices(input, target)
    if input._array.dtype.kind != "f":
        raise NotImplementedError(
            f'"nll_loss_out_frame" not implemented for {dtypes.of(input._array).scalar_type!r}\n'
            "The input must be log-probabilities in floating point."
        )
    _check_class_weight(input, weight)
    return input, target, weight, average, ignore_index, reduce, reduction


def _nll_name(values: Sequence[Any]) -> str:
    if not values or values[0].ndim <= 2:
        return "NllLossBackward0"
    # torch brings other ranks than images to the rank of images, and their losses back.
    return "ViewBackward0" if values[0].ndim != 4 and values[6] == "none" else "NllLoss2DBackward0"


@loss(forward=kernels.nll, check=_check_nll, backward=scale_classes, grad_name=_nll_name)
def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """Negative log-likelihood, -w[y] x[y], the log-probability of the right class.

    Wants: log-probabilities x (after log_softmax), neither logits nor probabilities, and class indices.

    Args:
        input: log-probabilities, (C), (N, C) or (N, C, d₁, ...); the classes are dimension 1.
        target: class indices in [0, C), (), (N) or (N, d₁, ...), of any integer type.
        weight: a factor for each class, (C).
        ignore_index: samples with this target count nothing: it ignores samples, not a class.
        reduction: "mean" divides by Σ w[y] over the samples that are not ignored; "sum"; "none".

    Gradient: -w[y] at the right class, 0 elsewhere.

    Use it after `log_softmax`; `cross_entropy` does both at once. The common mistake is to give it
    probabilities: the loss is then negative, and no error says so.

    Raises:
        IndexError: a class index is out of range.
        RuntimeError, ValueError: shapes or dtypes do not fit, or an unknown reduction.

    Source: the maximum likelihood of a categorical distribution.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.functional
        >>> x = minigrad.log(minigrad.tensor([[0.7, 0.2, 0.1]]))
        >>> F.nll_loss(x, minigrad.tensor([1]))
        tensor(1.6094)
    """
    losses, weights = _pick_class(input, target, weight, ignore_index)
    return _reduce_weighted(losses, weights, reduction)


def _reduce_weighted(losses: Any, weights: Any, reduction: str) -> Any:
    """The reduction whose mean divides by the weights of the samples that count."""
    return losses.sum() / weights.sum() if reduction == "mean" else reduce_loss(losses, reduction)


class NLLLoss(Loss, fn=nll_loss):
    """Negative log-likelihood -w[y] x[y]; the weighted mean by default. Wants log-probabilities (after
    LogSoftmax) and class indices. See `minigrad.nn.functional.nll_loss`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.NLLLoss()
        >>> criterion(minigrad.log(minigrad.tensor([[0.7, 0.2, 0.1]])), minigrad.tensor([1]))
        tensor(1.6094)
    """


class NLLLoss2d(NLLLoss, fn=nll_loss):
    """torch's old name of `NLLLoss` for images, (N, C, H, W) against (N, H, W); warns when made.

    Example:
        >>> import minigrad, warnings
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     criterion = minigrad.nn.NLLLoss2d()
        >>> criterion(minigrad.zeros(1, 2, 3, 3), minigrad.zeros(1, 3, 3).long())
        tensor(0.)
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warn_user(
            "`NLLLoss2d` has been deprecated. Please use `NLLLoss` instead as a drop-in replacement and see "
            "https://pytorch.org/docs/main/nn.html#torch.nn.NLLLoss for more details.",
            FutureWarning,
        )
        super().__init__(*args, **kwargs)


# ------------------------------------------------------------------------------------- cross entropy
def _check_cross_entropy(
    input: Any,
    target: Any,
    weight: Any,
    average: Any,
    ignore_index: int,
    reduce: Any,
    reduction: str,
    label_smoothing: float,
) -> Sequence[Any]:
    if not isinstance(input, Tensor):
        raise TypeError(
            f"cross_entropy_loss(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}"
        )
    if not isinstance(target, Tensor):
        target = as_tensor(target)
    if input._array.dtype.kind != "f":
        raise NotImplementedError(
            '"log_softmax_lastdim_kernel_impl" not implemented for '
            f"{dtypes.of(input._array).scalar_type!r}\n"
            "The input must be logits in floating point; are input and target swapped?"
        )
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    if target._array.shape == input._array.shape:
        target = _class_probabilities(input, target, ignore_index)
        _check_class_weight(input, weight, "cross_entropy: ")
    else:
        target = _class_indices(input, target)
        _check_class_weight(input, weight)
    return input, target, weight, average, ignore_index, reduce, reduction, label_smoothing


def _class_probabilities(input: Tensor, target: Tensor, ignore_index: int) -> Tensor:
    kind = target._array.dtype
    if kind.kind != "f":
        raise RuntimeError(
            "Expected floating point type for target with class probabilities, got "
            f"{dtypes.of(target._array).scalar_type}\n"
            f"A target of input's shape {list(input._array.shape)} holds probabilities; one-hot rows need "
            ".float(). Class indices have shape "
            f"{list(input._array.shape[:1] + input._array.shape[2:]) if input.ndim > 1 else []}."
        )
    if ignore_index >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    return target


def _cross_entropy_kernel(
    input: Any,
    target: Any,
    weight: Any,
    ignore_index: int,
    label_smoothing: float,
    *,
    reduction: str,
    grad: bool,
) -> Any:
    if target.dtype.kind == "f":
        return kernels.cross_entropy_probabilities(
            input, target, weight, label_smoothing, reduction=reduction, grad=grad
        )
    return kernels.cross_entropy_indices(
        input, target, weight, ignore_index, label_smoothing, reduction=reduction, grad=grad
    )


def _cross_entropy_name(values: Sequence[Any]) -> str:
    if not values:
        return "NllLossBackward0"
    input, target, *_, reduction, smoothing = values
    if target._array.dtype.kind == "f":
        return "DivBackward1" if reduction == "mean" else "NegBackward0"
    return "AddBackward0" if smoothing else _nll_name((input, None, None, None, None, None, reduction))


@loss(
    forward=_cross_entropy_kernel,
    check=_check_cross_entropy,
    backward=scale_classes,
    grad_name=_cross_entropy_name,
)
def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """Softmax and negative log-likelihood in one: -w[y] log softmax(x)[y].

    With probabilities q instead of indices: -Σ w[c] q[c] log softmax(x)[c].

    Wants: logits x (no softmax before it), and class indices or probabilities.

    Args:
        input: logits, (C), (N, C) or (N, C, d₁, ...); the classes are dimension 1.
        target: class indices in [0, C), (), (N) or (N, d₁, ...), of any integer type; or probabilities
            in the shape of `input`.
        weight: a factor for each class, (C).
        ignore_index: samples with this index count nothing: it ignores samples, not a class.
        reduction: "mean" divides by Σ w[y] over the samples that are not ignored, and for probabilities
            by the number of samples whatever the weights; "sum"; "none".
        label_smoothing: ε in [0, 1]; the target becomes (1 - ε) of itself and ε / C of every class.

    Gradient: softmax(x) - onehot(y), times the weight, over the divisor. With all samples ignored the
    mean is nan and its gradient zero.

    Use it to choose one class of many. Common mistakes: a softmax before it (the loss then cannot fall
    below log(1 + (C - 1) / e)), one-hot integers as target, logits (N, T, C) that need a transpose.

    Raises:
        IndexError: a class index is out of range.
        RuntimeError, ValueError: shapes, dtypes or options do not fit.
        NotImplementedError: the logits are integers.

    Source: the maximum likelihood of a categorical distribution with log-odds x; label smoothing from
    C. Szegedy et al., "Rethinking the Inception Architecture", CVPR 2016.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.functional
        >>> logits = minigrad.tensor([[2.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
        >>> F.cross_entropy(logits, minigrad.tensor([0, 2]), reduction="none")
        tensor([0.4076, 1.0986])
    """
    dim = _class_dim(input)
    classes = input.shape[dim]
    log_probabilities = log_softmax(input, dim)
    if target.is_floating_point():
        q = target * (1 - label_smoothing) + label_smoothing / max(classes, 1)
        losses = _expected_loss(log_probabilities, q, weight, dim)
        samples = input.numel() / classes if classes else 0.0
        return losses.sum() / samples if reduction == "mean" else reduce_loss(losses, reduction)
    losses, weights = _pick_class(log_probabilities, target, weight, ignore_index)
    if label_smoothing:
        everywhere = _expected_loss(log_probabilities, 1.0, weight, dim)
        smooth = where(target == ignore_index, 0.0, everywhere)
        losses = (1 - label_smoothing) * losses + label_smoothing / classes * smooth
    return _reduce_weighted(losses, weights, reduction)


def _expected_loss(log_probabilities: Any, q: Any, weight: Any, dim: int) -> Any:
    """-Σ w[c] q[c] log p[c] over the classes, where 0 times -inf is 0."""
    nothing = q == 0
    if isinstance(q, Tensor):
        log_probabilities = where(nothing, 0.0, log_probabilities)
    terms = log_probabilities * q
    if weight is not None:
        terms = terms * weight.reshape(-1, *(1,) * (log_probabilities.ndim - dim - 1))
    return -terms.sum(dim)


class CrossEntropyLoss(Loss, fn=cross_entropy):
    """Softmax and negative log-likelihood in one; the (weighted) mean by default. Wants logits (no softmax
    before it) and class indices or probabilities. See `minigrad.nn.functional.cross_entropy`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.CrossEntropyLoss()
        >>> criterion(minigrad.tensor([[2.0, 1.0, 0.0]]), minigrad.tensor([0]))
        tensor(0.4076)
    """
