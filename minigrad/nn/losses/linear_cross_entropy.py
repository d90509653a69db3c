"""Cross entropy of a linear layer's logits, without ever holding them all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.autograd.fused import name_of
from minigrad.creation import as_tensor
from minigrad.dtypes import dtype as DType
from minigrad.kernels import losses as kernels
from minigrad.nn.linear import Linear
from minigrad.nn.losses.base import Loss, loss
from minigrad.nn.losses.classification import cross_entropy
from minigrad.nn.module import Module
from minigrad.ops.linear import linear
from minigrad.tensor import Tensor


@dataclass(slots=True, frozen=True)
class LinearCrossEntropyOptions:
    """How many tokens `linear_cross_entropy` takes at a time.

    Without options it chooses a block of tokens and classes whose logits take 40 MB.

    Args:
        allow_retain_graph: no effect: a graph that is retained can always be walked again.
        batch_chunk_size: tokens in a block; blocks of classes are cut so that it still fits 40 MB.
        chunking_method: "auto" is this loss's own choice; "aspect_ratio" takes as many tokens that their
            logits need about the memory of `input`, "aspect_ratio:N" an N-th of them; None as "auto".
        acc_policy: no effect: sums over classes always accumulate in float64.
        acc_dtype: None or the dtype of the input.

    Raises:
        ValueError: an unknown method or policy, or a size below 1.

    Example:
        >>> from minigrad import nn
        >>> nn.LinearCrossEntropyOptions(batch_chunk_size=64).batch_chunk_size
        64
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: DType | None = None

    def __post_init__(self) -> None:
        if self.acc_policy not in ("auto", "accurate", "balanced", "compact"):
            raise ValueError(
                f"invalid acc_policy: {self.acc_policy!r}\n"
                "Use 'auto', 'accurate', 'balanced' or 'compact' (here they all mean the same)."
            )
        if self.chunking_method not in (None, "auto") and not self._divisor():
            raise ValueError(
                f"invalid chunking_method: {self.chunking_method!r}\n"
                "Use 'auto', 'aspect_ratio', 'aspect_ratio:2' or another positive integer, or None."
            )
        size = self.batch_chunk_size
        if size is not None and not (isinstance(size, int) and size > 0):
            raise ValueError(
                f"batch_chunk_size must be positive int or None, got {size!r}\n"
                "It is the number of tokens taken at a time."
            )
        if self.acc_dtype not in (None, dtypes.float32, dtypes.float64):
            raise ValueError(
                "acc_dtype must be one of {None, torch.float16, torch.bfloat16, torch.float32, "
                f"torch.float64}}, got {self.acc_dtype!r}. Pass acc_dtype=None to let the op pick "
                "automatically.\nOf these minigrad has float32 and float64."
            )

    def _divisor(self) -> int:
        """N of the method "aspect_ratio:N"; 0 for a method of another name."""
        name, colon, factor = str(self.chunking_method).partition(":")
        factor = factor if colon else "1"
        return int(factor) if name == "aspect_ratio" and factor.isdigit() else 0

    def tokens(self, total: int, in_features: int, num_classes: int) -> int | None:
        """How many tokens to take at a time; None where that is left to the loss.

        Raises:
            ValueError: `batch_chunk_size` and `chunking_method` are both given, and differ.
        """
        if self.chunking_method in (None, "auto"):
            return self.batch_chunk_size
        times = max(1, -(-num_classes // max(1, in_features)))
        size = 1 << max(0, -(-total // times) - 1).bit_length()  # the next power of two
        size = max(1, min(size // self._divisor(), total))
        if self.batch_chunk_size not in (None, size):
            raise ValueError(
                f"batch_chunk_size (={self.batch_chunk_size}) and chunking_method "
                f"('{self.chunking_method}') give different chunk sizes ({self.batch_chunk_size} vs {size}); "
                "pass only one."
            )
        return size


# -------------------------------------------------------------------------------------------- the checks
def _check_shapes(input: Tensor, linear_weight: Tensor, linear_bias: Any) -> None:
    x, w = input._array.shape, linear_weight._array.shape
    if not 1 <= len(x) <= 2:
        raise RuntimeError(
            f"expected input with dimensionality 1 or 2, got {len(x)}\n"
            f"The input has shape {list(x)}; it holds features, (in_features) or (N, in_features). Flatten "
            "further dimensions with input.flatten(0, -2) and target.flatten()."
        )
    if len(w) < 2:
        raise RuntimeError(
            f"expected linear_weight with dimensionality at least 2, got {len(w)}\n"
            "The weight is that of a Linear, (num_classes, in_features)."
        )
    if x[-1] != w[-1]:
        raise RuntimeError(
            "expected equal input and linear_weight last dimensions (in_features), "
            f"got {x[-1]} and {w[-1]}, respectively\n"
            f"The input has shape {list(x)}, the weight {list(w)}; a weight (in_features, num_classes) needs "
            "a transpose, .T."
        )
    if linear_bias is not None and linear_bias._array.shape != w[:-1]:
        raise RuntimeError(
            f"expected linear_bias shape {w[:-1]}, got {linear_bias._array.shape}\n"
            "There is one bias for each row of the weight."
        )
    if len(w) > 2 and len(x) == 1:
        raise RuntimeError(
            f"K-dimensional loss defined by linear_weight shape {w} requires batched input, (N, {x[0]}), got "
            f"unbatched input with shape {x}\nUse input.unsqueeze(0) and target.unsqueeze(0)."
        )


def _of_logits(input: Tensor, linear_weight: Tensor, target: Any, **options: Any) -> list[Any]:
    """The arguments of the cross entropy that this is, with logits that take no memory."""
    shape = input._array.shape[:-1] + linear_weight._array.shape[:-1]
    logits = input._result._wrap(np.broadcast_to(np.zeros((), input._array.dtype), shape))
    return cross_entropy._bind((logits, target), options)


def _check(
    input: Any,
    linear_weight: Any,
    target: Any,
    linear_bias: Any,
    weight: Any,
    reduction: str,
    ignore_index: int | None,
    label_smoothing: float,
    options: LinearCrossEntropyOptions | None,
) -> Sequence[Any]:
    named = {"input": input, "linear_weight": linear_weight}
    if linear_bias is not None:
        named["linear_bias"] = linear_bias
    for name, given in named.items():
        if not isinstance(given, Tensor):
            raise TypeError(
                f"linear_cross_entropy(): argument '{name}' must be Tensor, not {type(given).__name__}"
            )
    _check_shapes(input, linear_weight, linear_bias)
    if options is not None:
        _check_options(options, input)
    settings = {"weight": weight, "reduction": reduction, "label_smoothing": label_smoothing}
    if ignore_index is not None:
        settings["ignore_index"] = ignore_index
    if not isinstance(target, Tensor):
        target = as_tensor(target)
    arguments = _of_logits(input, linear_weight, target, **settings)
    if ignore_index is not None and target._array.shape == arguments[0]._array.shape:
        raise RuntimeError(
            "ignore_index cannot be specified when target contains probabilities\n"
            "Leave ignore_index out; a sample with zero probabilities counts nothing."
        )
    assert cross_entropy.check is not None
    target = cross_entropy.check(*arguments)[1]
    ignore_index = -100 if ignore_index is None else ignore_index
    return (
        input,
        linear_weight,
        target,
        linear_bias,
        weight,
        reduction,
        ignore_index,
        label_smoothing,
        options,
    )


def _check_options(options: Any, input: Tensor) -> None:
    if not isinstance(options, LinearCrossEntropyOptions):
        raise TypeError(f"options must be LinearCrossEntropyOptions or None, not {type(options).__name__}")
    dtype = dtypes.of(input._array)
    if options.acc_dtype not in (None, dtype):
        raise RuntimeError(
            "linear_cross_entropy supports float32 acc_dtype with float16/bfloat16 inputs, but got "
            f"{options.acc_dtype} acc_dtype and {dtype} inputs.\n"
            "Leave acc_dtype out: sums over classes accumulate in float64 as it is."
        )


def _name(values: Sequence[Any]) -> str:
    input, weight, target, _, _, reduction, ignore_index, smoothing, options = values
    if options is not None and not smoothing and target._array.dtype.kind == "i" and weight.ndim == 2:
        if input.ndim == 1:
            return "SqueezeBackward1"
        kind = "_no_reduction" if reduction == "none" else ""
        return f"GeneratedBackwardFor_torch_nn__linear_cross_entropy_batch_chunked{kind}_defaultBackward"
    settings = {"reduction": reduction, "ignore_index": ignore_index, "label_smoothing": smoothing}
    return name_of(cross_entropy.grad_name, _of_logits(input, weight, target, **settings))


# ------------------------------------------------------------------------------------------ the function
def _kernel(
    input: Any,
    linear_weight: Any,
    target: Any,
    linear_bias: Any,
    weight: Any,
    ignore_index: int,
    label_smoothing: float,
    *,
    reduction: str,
    options: LinearCrossEntropyOptions | None,
    grad: bool,
    wanted: Sequence[bool],
) -> Any:
    tokens = None
    if options is not None:
        total = input.size // max(1, input.shape[-1])
        tokens = options.tokens(total, input.shape[-1], linear_weight.shape[0])
    return kernels.linear_cross_entropy(
        input,
        linear_weight,
        target,
        linear_bias,
        weight,
        ignore_index,
        label_smoothing,
        reduction=reduction,
        wanted=wanted,
        tokens=tokens,
    )


@loss(
    forward=_kernel,
    check=_check,
    wrt=("input", "linear_weight", "linear_bias"),
    grad_name=_name,
)
def linear_cross_entropy(
    input: Any,
    linear_weight: Any,
    target: Any,
    *,
    linear_bias: Any = None,
    weight: Any = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: LinearCrossEntropyOptions | None = None,
) -> Any:
    """Cross entropy of the logits x Wᵀ + b: -w[y] log softmax(x Wᵀ + b)[y].

    The logits of all samples and classes never exist together: a block of samples is taken at a time, so
    that the memory is that of the gradients and 50 MB. Second derivatives (`create_graph=True`), and
    gradients for `weight` or probabilities as target, are computed through all logits.

    Wants: features x (what comes before the last linear layer), and class indices or probabilities.

    Args:
        input: features, (in_features) or (N, in_features).
        linear_weight: (C, in_features), or (C, d₁, ..., in_features) for logits (N, C, d₁, ...).
        target: class indices in [0, C), () or (N) or (N, d₁, ...), of any integer type; or probabilities
            in the shape of the logits.
        linear_bias: (C), or (C, d₁, ...).
        weight: a factor for each class, (C).
        reduction: "mean" divides by Σ w[y] over the samples that are not ignored, and for probabilities
            by the number of samples whatever the weights; "sum"; "none".
        ignore_index: samples with this index count nothing; None is -100, and the only choice where the
            target is probabilities.
        label_smoothing: ε in [0, 1]; the target becomes (1 - ε) of itself and ε / C of every class.
        options: `LinearCrossEntropyOptions`, to choose the size of a block.

    Gradient: that of `cross_entropy` through the linear layer. It is computed along with the loss, except
    for "none", where backward computes the logits once more.

    Use it in place of a last linear layer and `cross_entropy` where there are many classes, as words. The
    common mistake is to apply the linear layer first: `input` is what goes into it.

    Raises:
        IndexError: a class index is out of range.
        RuntimeError, ValueError: shapes, dtypes or options do not fit.

    Source: "Cut Your Losses in Large-Vocabulary Language Models", E. Wijmans et al., ICLR 2025; the sum over
    blocks of classes from M. Milakov and N. Gimelshein, "Online normalizer calculation for softmax", 2018.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.functional
        >>> x, w = minigrad.tensor([[1.0, 2.0]]), minigrad.tensor([[2.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
        >>> F.linear_cross_entropy(x, w, minigrad.tensor([0]))
        tensor(0.4076)
    """
    matrix = linear_weight.reshape(-1, linear_weight.shape[-1])
    logits = linear(input, matrix, None if linear_bias is None else linear_bias.reshape(-1))
    return cross_entropy(
        logits.reshape(*input.shape[:-1], *linear_weight.shape[:-1]),
        target,
        weight=weight,
        reduction=reduction,
        ignore_index=ignore_index,
        label_smoothing=label_smoothing,
    )


class LinearCrossEntropyLoss(Loss):
    """A linear layer without its logits, and cross entropy: the (weighted) mean by default. Wants features
    and class indices or probabilities. See `minigrad.nn.functional.linear_cross_entropy`.

    Shapes: input (in_features) or (N, in_features), target as `cross_entropy`'s for logits (N, num_classes,
    *out_features). `linear` holds the parameters, with one output for each class and place.

    Raises:
        RuntimeError: `weight` or `label_smoothing` does not fit.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> _ = minigrad.manual_seed(0)
        >>> criterion = nn.LinearCrossEntropyLoss(2, 3)
        >>> criterion(minigrad.ones(1, 2), minigrad.tensor([0]))
        tensor(0.6215, grad_fn=<NllLossBackward0>)
    """

    fn: Any = staticmethod(linear_cross_entropy)
    weight: Tensor | None

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        out_features: Sequence[int] = (),
        bias: bool = False,
        device: Any = None,
        dtype: Any = None,
        reduction: str = "mean",
        weight: Any = None,
        ignore_index: int | None = None,
        label_smoothing: float = 0.0,
        options: LinearCrossEntropyOptions | None = None,
    ) -> None:
        Module.__init__(self)
        self.register_buffer("weight", weight)
        if weight is not None and weight.shape != (num_classes,):
            raise RuntimeError(
                f"expected weight shape to be {(num_classes,)}, got {tuple(weight.shape)}\n"
                "The weight holds one factor for each class."
            )
        if not 0.0 <= label_smoothing <= 1.0:
            raise RuntimeError(
                f"expected label_smoothing to be in range [0, 1], got {label_smoothing}\n"
                "It is the share of the target that is spread over all classes, such as 0.1."
            )
        self.fn.check_options({"reduction": reduction})
        self.num_classes = num_classes
        self.out_features = out_features
        self.reduction = reduction
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing
        outputs = math.prod(out_features, start=num_classes)
        self.linear = Linear(in_features, outputs, bias=bias, device=device, dtype=dtype)
        self.options = options

    def forward(self, input: Any, target: Any) -> Any:
        """The loss of the given features."""
        weight, bias = self.linear.weight, self.linear.bias
        if self.out_features:  # else a view would only cost the gradient a copy
            rows = (self.num_classes, *self.out_features)
            weight = weight.reshape(*rows, self.linear.in_features)
            bias = None if bias is None else bias.reshape(rows)
        return linear_cross_entropy(
            input,
            weight,
            target,
            linear_bias=bias,
            weight=self.weight,
            reduction=self.reduction,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            options=self.options,
        )

    def extra_repr(self) -> str:
        return (
            f"in_features={self.linear.in_features}, num_classes={self.num_classes}, "
            f"out_features={self.out_features}, bias={self.linear.bias is not None}, "
            f"reduction={self.reduction}, ignore_index={self.ignore_index}, "
            f"label_smoothing={self.label_smoothing}, options={self.options}"
        )
