"""Group normalisation, as function and module."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from numpy import ndarray

from minigrad import dtypes
from minigrad.autograd.fused import fused
from minigrad.kernels import norm as kernels
from minigrad.nn.module import Module
from minigrad.nn.normalization import register_affine, reset_affine, run_kernel, standardised
from minigrad.nn.parameter import Parameter
from minigrad.tensor import Tensor


def check_batch(shape: Sequence[int]) -> None:
    """Raise where each channel, of the second dimension, has a single value."""
    if shape[0] * math.prod(shape[2:]) == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {shape}\n"
            "A single value normalises to 0; use larger batches (DataLoader(drop_last=True)), or eval()."
        )


def _check(
    input: Tensor, num_groups: int, weight: Tensor | None, bias: Tensor | None, eps: float
) -> tuple[Any, ...]:
    shape = input._array.shape
    if len(shape) < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {len(shape)}")
    channels = shape[1]
    if num_groups == 0:
        raise ZeroDivisionError("integer division or modulo by zero\nnum_groups is 0; it must be positive.")
    if num_groups < 0:
        raise RuntimeError(f"Expected num groups to be greater than 0, got {num_groups}")
    check_batch([shape[0] * channels // num_groups, num_groups, *shape[2:]])
    if channels % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of shape "
            f"{list(shape)} and num_groups={num_groups}"
        )
    for name, values in (("weight", weight), ("bias", bias)):
        if values is not None and values._array.shape != (channels,):
            raise RuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input, but got "
                f"{name} of shape {list(values.shape)} and input of shape {list(shape)}"
            )
    if input._array.dtype.kind != "f":
        raise NotImplementedError(
            f'"GroupNormKernelImpl" not implemented for {dtypes.of(input._array).scalar_type!r}\n'
            "Only floating point numbers can be normalised; use .float() first."
        )
    for values in (weight, bias):
        if values is not None and values._array.dtype != input._array.dtype:
            raise RuntimeError(
                "mixed dtype (CPU): expect parameter to have scalar type of Float\n"
                f"group_norm() needs parameters of the input's dtype, {input.dtype}; convert with .to()."
            )
    return input, num_groups, weight, bias, eps


def _kernel(
    input: ndarray,
    num_groups: int,
    weight: ndarray | None,
    bias: ndarray | None,
    eps: float,
    *,
    grad: bool,
    wanted: tuple[bool, ...],
) -> Any:
    if not input.size:
        return NotImplemented
    rows, channels = input.shape[0] * num_groups, (input.shape[1],)
    norm = kernels.LayerNorm(input, weight, bias, channels, eps, rows, num_groups)
    return run_kernel(norm, grad, wanted)


@fused(forward=_kernel, wrt=("input", "weight", "bias"), check=_check, grad_name="NativeGroupNormBackward0")
def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(variance + eps) · weight + bias, over each group of channels of each sample.

    Shapes: input (N, C, *), C a multiple of `num_groups`; `weight` and `bias` (C,). Mean and variance (with
    correction 0) are over the C / num_groups channels of a group and all that follows.

    Raises:
        RuntimeError: shapes or dtypes do not fit.
        ValueError: there is one value for each channel.
        NotImplementedError: `input` is not floating point.

    Source: Y. Wu, K. He, "Group normalization", arXiv:1803.08494 (2018).

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.group_norm(minigrad.tensor([[1.0, 3.0, 5.0, 9.0]]), 2)
        tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """
    shape = input.shape
    size = math.prod(shape[1:]) // num_groups
    y = standardised(input.reshape(shape[0], num_groups, size), (2,), eps).reshape(shape)
    each = (-1, *(1,) * (len(shape) - 2))
    if weight is not None:
        y = y * weight.reshape(each)
    return y if bias is None else y + bias.reshape(each)


class GroupNorm(Module):
    """Normalises each group of channels of each sample: mean 0, variance 1, then · weight + bias.

    Shapes: input (N, num_channels, *), result the same; `weight` and `bias` (num_channels,), or None. They
    start as ones and zeros. One group is layer normalisation, as many as channels instance normalisation.

    Raises:
        ValueError: `num_channels` is not a multiple of `num_groups`.
        RuntimeError: the input's shape or dtype does not fit.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> layer = nn.GroupNorm(2, 4)
        >>> layer
        GroupNorm(2, 4, eps=1e-05, affine=True, bias=True)
        >>> layer(minigrad.tensor([[1.0, 3.0, 5.0, 9.0]])).detach()
        tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        dtypes.check_device(device)
        if num_channels % num_groups != 0:
            raise ValueError(f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})")
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        register_affine(self, (num_channels,), dtype, weight=affine, bias=affine and bias)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start again from ones and zeros."""
        reset_affine(self.weight, self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )
