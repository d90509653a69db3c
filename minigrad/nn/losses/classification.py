"""Losses of one class among many: negative log-likelihood and cross entropy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.autograd.fused import scale_classes
from minigrad.autograd.op import Primitive, cast, primitive
from minigrad.creation import as_tensor, ones_like
from minigrad.kernels import losses as kernels
from minigrad.nn.losses.base import Loss, loss, reduce_loss, times, warn_user
from minigrad.ops.activation import tanh
from minigrad.ops.softmax import log_softmax, logsumexp
from minigrad.tensor import Tensor

_INDEX = np.dtype(np.int64)
_hinted = False  # whether the mean over no sample at all has been explained


# ---------------------------------------------------------------------------------- one class of many
def class_dim(input: Tensor) -> int:
    """The dimension of the classes: 1, or 0 for a single sample."""
    return 0 if input.ndim == 1 else 1


def check_class_weight(input: Tensor, weight: Any, prefix: str = "", name: str = "weight") -> None:
    """TypeError or RuntimeError unless `weight` is None or a tensor with a number for each class."""
    if weight is None:
        return
    if not isinstance(weight, Tensor):
        raise TypeError(f"argument {name!r} must be Tensor, not {type(weight).__name__}")
    classes = input._array.shape[class_dim(input)]
    if weight._array.shape != (classes,):
        raise RuntimeError(
            f"{prefix}weight tensor should be defined either for all {classes} classes or no classes but got "
            f"weight tensor of shape: {list(weight._array.shape)}\n"
            f"{name} needs shape [{classes}], a number for each class."
        )
    if not prefix and weight._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"expected scalar type {dtypes.of(input._array).scalar_type} but found "
            f"{dtypes.of(weight._array).scalar_type}\nUse {name}.to(input.dtype)."
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
            raise ValueError(
                f"For 1D input, 1D target must have size 1, but got target size: {y[0]}\n"
                f"An input of shape {list(x)} is one sample of {x[0]} classes; a batch is (N, C): try "
                "input.unsqueeze(0) or input.unsqueeze(1)."
            )
    elif len(x) == 4 and len(y) != 3:
        raise RuntimeError(
            "only batches of spatial targets supported (3D tensors) but got targets of dimension: "
            f"{len(y)}\nTry target.squeeze(1)."
        )
    elif y[1:] != x[2:]:
        if len(x) == 4:
            raise RuntimeError(
                f"size mismatch (got input: {list(x)} , target: {list(y)}\n"
                f"For input (N, C, H, W) the target is (N, H, W), here {[x[0], *x[2:]]}."
            )
        raise RuntimeError(
            f"Expected target size {[x[0], *x[2:]]}, got {list(y)}\n"
            "Classes are dimension 1: input (N, C, d...), target (N, d...). Transpose logits (N, T, C) with "
            "input.transpose(1, 2)."
        )


def class_indices(input: Any, target: Any) -> Tensor:
    """The target as class indices of dtype int64.

    Raises:
        TypeError: the input is no tensor.
        RuntimeError, ValueError: the target's dtype or shape is none of class indices for this input.
    """
    if not isinstance(input, Tensor):
        raise TypeError(f"argument 'input' must be Tensor, not {type(input).__name__}")
    if not isinstance(target, Tensor):
        target = as_tensor(target)
    _check_class_shapes(input, target)
    kind = target._array.dtype
    # False and True say which of two classes; of more they hardly are indices.
    if kind.kind == "f" or (kind.kind == "b" and input._array.shape[class_dim(input)] != 2):
        raise RuntimeError(
            f"expected target dtype to be Long or Byte, but got {dtypes.of(target._array).scalar_type}\n"
            "Class indices are integers: use target.long(). Class probabilities need input's shape "
            f"{list(input._array.shape)}."
        )
    if kind != _INDEX:
        target = cast(target, dtype=_INDEX, source=kind)
    labels = target._array
    if labels.ndim == input._array.ndim == 1:  # one sample (C,) against (1,)
        target = target.reshape(())
    return target


def hint_if_all_ignored(target: Tensor, ignore_index: int | None, reduction: str) -> None:
    """Warn, once, of a mean over no sample at all."""
    global _hinted
    labels = target._array
    if reduction != "mean" or not labels.size or labels.item(0) != ignore_index or labels.dtype.kind == "f":
        return
    if not _hinted and (labels == ignore_index).all():
        _hinted = True
        warn_user(
            f"every target is ignore_index ({ignore_index}): the mean over no sample is 0 / 0 = nan, and its "
            "gradient is zero. Skip such batches, or use reduction='sum' and divide by max(count, 1). (This "
            "is said once.)"
        )


def check_logits(input: Tensor) -> None:
    """NotImplementedError unless the input is floating point."""
    if input._array.dtype.kind != "f":
        raise NotImplementedError(
            '"log_softmax_lastdim_kernel_impl" not implemented for '
            f"{dtypes.of(input._array).scalar_type!r}\n"
            "The input must be logits in floating point; are input and target swapped?"
        )


def keep_counted(input: Any, target: Any, ignore_index: int) -> Any:
    """The input with zeros for the samples that are ignored: nothing of them counts, not even a nan."""
    ignored = target == ignore_index
    return input.masked_fill(ignored.unsqueeze(class_dim(input)), 0.0) if ignored.any() else input


def pick_class(log_probabilities: Any, target: Any, weight: Any, ignore_index: int) -> tuple[Any, Any]:
    """Each sample's -log p[y], and its weight w[y], 0 where the target is ignored."""
    dim = class_dim(log_probabilities)
    kernels.raise_out_of_bounds(target._array, log_probabilities.shape[dim], ignore_index)
    ignored = target == ignore_index
    safe = target.masked_fill(ignored, 0)
    picked = log_probabilities.gather(dim, safe.unsqueeze(dim)).squeeze(dim)
    weights = ones_like(picked) if weight is None else weight[safe]
    return -picked, weights.masked_fill(ignored, 0.0)


def _check_nll(
    input: Any, target: Any, weight: Any, average: Any, ignore_index: int, reduce: Any, reduction: str
) -> Sequence[Any]:
    target = class_indices(input, target)
    if input._array.dtype.kind != "f":
        raise NotImplementedError(
            f'"nll_loss_out_frame" not implemented for {dtypes.of(input._array).scalar_type!r}\n'
            "The input must be log-probabilities in floating point."
        )
    check_class_weight(input, weight)
    return input, target, weight, average, ignore_index, reduce, reduction


def _hint(
    input: Tensor,
    target: Tensor,
    weight: Any,
    average: Any,
    ignore_index: int,
    reduce: Any,
    reduction: str,
    *_: Any,
) -> None:
    hint_if_all_ignored(target, ignore_index, reduction)


def _nll_name(values: Sequence[Any]) -> str:
    if values[0].ndim <= 2:
        return "NllLossBackward0"
    # torch brings other ranks than images to the rank of images, and their losses back.
    return "ViewBackward0" if values[0].ndim != 4 and values[6] == "none" else "NllLoss2DBackward0"


@loss(
    forward=kernels.nll,
    check=_check_nll,
    check_values=_hint,
    by_signature=True,
    backward=scale_classes,
    grad_name=_nll_name,
)
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
    input = keep_counted(input, target, ignore_index)
    losses, weights = pick_class(input, target, weight, ignore_index)
    return reduce_weighted(times(weights, losses), weights, reduction)


def reduce_weighted(losses: Any, weights: Any, reduction: str) -> Any:
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
    z_loss: float,
    softcap: float | None,
) -> Sequence[Any]:
    if not isinstance(input, Tensor):
        raise TypeError(
            f"cross_entropy_loss(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}"
        )
    if not isinstance(target, Tensor):
        target = as_tensor(target)
    check_logits(input)
    if target._array.shape == input._array.shape:
        target = _class_probabilities(input, target, ignore_index)
        check_class_weight(input, weight, "cross_entropy: ")
    else:
        target = class_indices(input, target)
        check_class_weight(input, weight)
    return input, target, weight, average, ignore_index, reduce, reduction, label_smoothing, z_loss, softcap


def _validate_cross_entropy(label_smoothing: float, z_loss: float, softcap: float | None) -> None:
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(
            f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}\n"
            "It is the share of the target that is spread over all classes; 0.1 is common."
        )
    if not z_loss >= 0:
        raise ValueError(f"z_loss must be non-negative, but got {z_loss}\n1e-4 is common; 0.0 turns it off.")
    if softcap is not None and not softcap > 0:
        raise ValueError(f"softcap must be positive, but got {softcap}\n30.0 is common; None turns it off.")


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
    z_loss: float,
    softcap: float | None,
    *,
    reduction: str,
    grad: bool,
) -> Any:
    options = label_smoothing, z_loss, softcap
    if target.dtype.kind == "f":
        return kernels.cross_entropy_probabilities(
            input, target, weight, *options, reduction=reduction, grad=grad
        )
    return kernels.cross_entropy_indices(
        input, target, weight, ignore_index, *options, reduction=reduction, grad=grad
    )


def _cross_entropy_name(values: Sequence[Any]) -> str:
    input, target, *_, reduction, smoothing, _, _ = values
    if target._array.dtype.kind == "f":
        return "DivBackward1" if reduction == "mean" else "NegBackward0"
    return "AddBackward0" if smoothing else _nll_name((input, None, None, None, None, None, reduction))


@loss(
    forward=_cross_entropy_kernel,
    check=_check_cross_entropy,
    check_values=_hint,
    by_signature=True,
    validate=_validate_cross_entropy,
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
    *,
    z_loss: float = 0.0,
    softcap: float | None = None,
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
        z_loss: λ ≥ 0; λ logsumexp(x)² is added to each loss, times w[y] for indices, which keeps the
            logits from drifting.
        softcap: s > 0; the logits become s tanh(x / s) first. Mask logits with -inf only without it.

    Gradient: softmax(x) - onehot(y), times the weight, over the divisor. With all samples ignored the
    mean is nan and its gradient zero; where all that count have weight 0 both are nan.

    Infinite logits give the limit where there is one: 0 times an infinite logarithm is 0, and a target
    at +inf costs nothing. With every class at -inf the loss is nan.

    Use it to choose one class of many. Common mistakes: a softmax before it (the loss then cannot fall
    below log(1 + (C - 1) / e)), one-hot integers as target, logits (N, T, C) that need a transpose.

    Raises:
        IndexError: a class index is out of range.
        RuntimeError, ValueError: shapes, dtypes or options do not fit.
        NotImplementedError: the logits are integers.

    Source: the maximum likelihood of a categorical distribution with log-odds x; label smoothing from
    C. Szegedy et al., "Rethinking the Inception Architecture", CVPR 2016; z-loss from A. Chowdhery et
    al., "PaLM", 2022; the soft cap from "Gemma 2", 2024.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.functional
        >>> logits = minigrad.tensor([[2.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
        >>> F.cross_entropy(logits, minigrad.tensor([0, 2]), reduction="none")
        tensor([0.4076, 1.0986])
    """
    dim = class_dim(input)
    classes = input.shape[dim]
    soft = target.is_floating_point()
    logits = input if soft else keep_counted(input, target, ignore_index)
    logits = logits.double()  # float32 has too few digits for the logarithm of a small probability
    if softcap is not None:
        logits = softcap * tanh(logits / softcap)
    log_probabilities = log_probabilities_of(logits)
    z = z_loss * logsumexp(logits, dim) ** 2 if z_loss else 0.0
    if soft:
        q = target * (1 - label_smoothing) + label_smoothing / max(classes, 1)
        losses = _expected_loss(log_probabilities, q, weight) + z
        samples = input.numel() / classes if classes else 0.0
        loss = losses.sum() / samples if reduction == "mean" else reduce_loss(losses, reduction)
        return loss.to(_common_dtype(input, target, weight))
    losses, weights = pick_class(log_probabilities, target, weight, ignore_index)
    losses = times(weights, (1 - label_smoothing) * losses + z)
    if label_smoothing:
        everywhere = _expected_loss(log_probabilities, ones_like(log_probabilities), weight)
        losses = losses + label_smoothing / classes * everywhere.masked_fill(target == ignore_index, 0.0)
    return reduce_weighted(losses, weights, reduction).to(input.dtype)


def _at_infinity(x: np.ndarray, *, axis: int) -> np.ndarray:
    """Where a logit is infinite, its share is all, as it is in the limit: 0 there and -inf elsewhere."""
    infinite = x == np.inf
    if not infinite.any():
        return x
    beside = np.where(infinite.any(axis, keepdims=True), np.minimum(x, -np.inf), x)
    return np.where(infinite, 0, beside)


_limit: Primitive = primitive(_at_infinity, operands=("x",)).vjp(lambda g: g)


def log_probabilities_of(logits: Any) -> Any:
    """log_softmax over the classes, with its limits at infinite logits."""
    dim = class_dim(logits)
    return log_softmax(_limit(logits, axis=dim), dim)


def _expected_loss(log_probabilities: Any, q: Any, weight: Any) -> Any:
    """-Σ w[c] q[c] log p[c] over the classes."""
    dim = class_dim(log_probabilities)
    column = (-1, *(1,) * (log_probabilities.ndim - dim - 1))
    mass = q if weight is None else q * weight.reshape(column)
    return -times(mass, log_probabilities).sum(dim)


def _common_dtype(*tensors: Any) -> Any:
    return dtypes.of(np.empty(0, np.result_type(*(t._array for t in tensors if t is not None))))


class CrossEntropyLoss(Loss, fn=cross_entropy):
    """Softmax and negative log-likelihood in one; the (weighted) mean by default. Wants logits (no softmax
    before it) and class indices or probabilities. See `minigrad.nn.functional.cross_entropy`.

    Example:
        >>> import minigrad
        >>> criterion = minigrad.nn.CrossEntropyLoss()
        >>> criterion(minigrad.tensor([[2.0, 1.0, 0.0]]), minigrad.tensor([0]))
        tensor(0.4076)
    """
