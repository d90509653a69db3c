"""Batch normalisation, as function and modules."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import dtypes
from minigrad.autograd.fused import fused
from minigrad.creation import ones, tensor, zeros
from minigrad.kernels import batchnorm as kernels
from minigrad.nn.groupnorm import check_batch
from minigrad.nn.module import Module
from minigrad.nn.normalization import register_affine, reset_affine, standardised
from minigrad.nn.parameter import Parameter
from minigrad.ops.inplace import assign
from minigrad.tensor import Tensor


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(variance + eps) · weight + bias, for each channel over the batch.

    Shapes: input (N, C, *); all others (C,).

    In training mean and variance (with correction 0) are those of `input`, and running statistics that are
    given become (1 - momentum) · running + momentum · new, the new variance with correction 1. Otherwise the
    running statistics are used.

    Raises:
        ValueError: there is one value for each channel in training, or `eps` is not positive.
        RuntimeError: shapes or dtypes do not fit, or no running statistics are given outside training.
        NotImplementedError: `input` is not floating point.

    Source: S. Ioffe, C. Szegedy, "Batch normalization", ICML 2015.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.functional
        >>> F.batch_norm(minigrad.tensor([[1.0, 10.0], [3.0, 30.0]]), None, None, training=True)
        tensor([[-1.0000, -1.0000],
                [ 1.0000,  1.0000]])
    """
    _check(input, running_mean, running_var, weight, bias, training, eps)
    x = input._array
    if not x.size:
        y = input.clone() if weight is None else input * weight[0]
        return y if bias is None else y + bias[0]
    if training:
        mean, var = kernels.moments(x)
        count = x.size // x.shape[1]
        _update(running_mean, mean, momentum)
        _update(running_var, var * (count / max(count - 1, 1)), momentum)
    else:
        assert running_mean is not None
        assert running_var is not None
        mean, var = (running._array.astype(np.float64) for running in (running_mean, running_var))
    return _normalised(input, mean, var, weight, bias, eps, training)


def _update(running: Tensor | None, new: ndarray, momentum: float) -> None:
    if running is not None:
        array = running._array
        array[...] = np.multiply(array, 1 - momentum, dtype=np.float64) + momentum * new
        running._counter[0] += 1


def _kernel(
    input: ndarray,
    mean: ndarray,
    var: ndarray,
    weight: ndarray | None,
    bias: ndarray | None,
    eps: float,
    of_batch: bool,
    *,
    grad: bool,
) -> Any:
    norm = kernels.BatchNorm(input, mean, var, weight, eps, of_batch)
    return norm.value(bias), (lambda g, keep: norm.gradients(g)) if grad else None


@fused(forward=_kernel, wrt=("input", "weight", "bias"), grad_name="NativeBatchNormBackward0")
def _normalised(
    input: Tensor,
    mean: ndarray,
    var: ndarray,
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
    of_batch: bool,
) -> Tensor:
    """The input normalised; the statistics of a batch, given to the kernel, are differentiated here."""
    rest = (1,) * (input.ndim - 2)
    if of_batch:
        y = standardised(input, (0, *range(2, input.ndim)), eps)
    else:
        center, variance = (a.astype(input._array.dtype).reshape(-1, *rest) for a in (mean, var))
        y = (input - center) * (1 / np.sqrt(variance + eps))
    if weight is not None:
        y = y * weight.reshape(-1, *rest)
    return y if bias is None else y + bias.reshape(-1, *rest)


def _check(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    training: bool,
    eps: float,
) -> None:
    shape, kind = input._array.shape, input._array.dtype
    if len(shape) < 2:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-len(shape)}, {len(shape) - 1}], "
            f"but got 1)\nbatch_norm() needs an input of shape (N, C, *), got {list(shape)}."
        )
    if training:
        check_batch(input.shape)
        if eps <= 0:
            raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    elif eps < 0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
    named = {"running_mean": running_mean, "running_var": running_var, "weight": weight, "bias": bias}
    for name, values in named.items():
        if values is None:
            if name.startswith("running") and not training:
                raise RuntimeError(f"{name} must be defined in evaluation mode\nGive it, or training=True.")
        elif values._array.shape != (shape[1],):
            raise RuntimeError(f"{name} should contain {shape[1]} elements not {values.numel()}")
    if kind.kind != "f":
        raise NotImplementedError(
            f'"batch_norm" not implemented for {dtypes.of(input._array).scalar_type!r}\n'
            "Only floating point numbers can be normalised; use .float() first."
        )
    for name, values in named.items():
        if values is not None and values._array.dtype != kind:
            raise RuntimeError(
                "mixed dtype (CPU): all inputs must share same datatype.\n"
                f"{name} is {dtypes.of(values._array).scalar_type}, the input "
                f"{dtypes.of(input._array).scalar_type}; convert the module or the input with .to()."
            )


class _BatchNorm(Module):
    """What BatchNorm1d and BatchNorm2d share; they differ in the inputs they take."""

    dims: tuple[int, ...]  # how many dimensions an input may have
    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        dtypes.check_device(device)
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        register_affine(self, (num_features,), dtype, weight=affine, bias=affine and bias)
        track = track_running_stats
        self.register_buffer("running_mean", zeros(num_features, dtype=dtype) if track else None)
        self.register_buffer("running_var", ones(num_features, dtype=dtype) if track else None)
        self.register_buffer("num_batches_tracked", tensor(0) if track else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Start again from mean 0 and variance 1."""
        for running, value in ((self.running_mean, 0), (self.running_var, 1), (self.num_batches_tracked, 0)):
            if running is not None:
                assign(running, value)

    def reset_parameters(self) -> None:
        """Start again from ones and zeros, and from mean 0 and variance 1."""
        self.reset_running_stats()
        reset_affine(self.weight, self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """In training by the batch's statistics, which are tracked; else by the tracked ones, if any."""
        if input.ndim not in self.dims:
            allowed = " or ".join(f"{dim}D" for dim in self.dims)
            raise ValueError(f"expected {allowed} input (got {input.ndim}D input)")
        momentum = 0.0 if self.momentum is None else self.momentum
        tracks = self.training and self.track_running_stats
        if tracks and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:
                momentum = 1 / self.num_batches_tracked.item()
        mean, var = self.running_mean, self.running_var
        by_batch = self.training or (mean is None and var is None)
        if self.training and not tracks:
            mean = var = None
        return batch_norm(input, mean, var, self.weight, self.bias, by_batch, momentum, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """Normalises each feature over the batch: mean 0, variance 1, then · weight + bias.

    Shapes: input (N, C) or (N, C, L), result the same; `weight`, `bias`, `running_mean` and `running_var`
    (C,). In training the batch's mean and variance are used, and the running ones follow them:
    (1 - momentum) · running + momentum · new, or their average over all batches with `momentum` None. After
    `eval()` the running ones are used; without `track_running_stats` there are none.

    Raises:
        ValueError: the input has another number of dimensions, or one value for each feature in training.
        RuntimeError: the input has another number of features, or another dtype.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> layer = nn.BatchNorm1d(2)
        >>> layer
        BatchNorm1d(2, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)
        >>> layer(minigrad.tensor([[1.0, 10.0], [3.0, 30.0]])).detach()
        tensor([[-1.0000, -1.0000],
                [ 1.0000,  1.0000]])
        >>> layer.running_mean
        tensor([0.2000, 2.0000])
    """

    dims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Normalises each channel of images over the batch. See `BatchNorm1d`.

    Shapes: input (N, C, H, W), result the same; `weight`, `bias`, `running_mean` and `running_var` (C,).

    Raises:
        ValueError: the input has another number of dimensions, or one value for each channel in training.
        RuntimeError: the input has another number of channels, or another dtype.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> layer = nn.BatchNorm2d(1, affine=False)
        >>> layer(minigrad.tensor([[[[1.0, 3.0]]]]))
        tensor([[[[-1.0000,  1.0000]]]])
    """

    dims = (4,)
