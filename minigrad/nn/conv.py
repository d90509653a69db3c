"""Convolutions: as functions, and as layers."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from minigrad import dtypes
from minigrad.creation import empty
from minigrad.nn import init
from minigrad.nn.module import Module
from minigrad.nn.padding import pad
from minigrad.nn.parameter import Parameter
from minigrad.ops.conv import Pads, convolve
from minigrad.tensor import Tensor


def expanded(value: Any, ndim: int) -> tuple[int, ...]:
    """A number for each dimension, of one number or a sequence of them."""
    given = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    return tuple(int(each) for each in (given * ndim if len(given) == 1 else given))


def _pads(padding: Any, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]) -> list:
    """What is added before and after each dimension."""
    if padding == "valid":
        return [(0, 0)] * len(kernel)
    if padding == "same":
        if any(step != 1 for step in stride):
            raise RuntimeError("padding='same' is not supported for strided convolutions")
        totals = [step * (size - 1) for step, size in zip(dilation, kernel, strict=True)]
        return [(total // 2, total - total // 2) for total in totals]
    return [(size, size) for size in expanded(padding, len(kernel))]


def _check(x: Any, weight: Any, bias: Any, ndim: int, groups: int) -> None:
    shape, wanted = list(x.shape), list(weight.shape)
    if len(shape) not in (ndim + 1, ndim + 2):
        raise RuntimeError(
            f"Expected {ndim + 1}D (unbatched) or {ndim + 2}D (batched) input to conv{ndim}d, but got input "
            f"of size: {shape}"
        )
    if weight.dtype != x.dtype:
        names = [dtypes.of(each._array).scalar_type for each in (x, weight)]
        raise RuntimeError(f"expected scalar type {names[0]} but found {names[1]}")
    channels = shape[-ndim - 1]
    if channels != wanted[1] * groups:
        batched = shape if len(shape) == ndim + 2 else [1, *shape]
        raise RuntimeError(
            f"Given groups={groups}, weight of size {wanted}, expected input{batched} to have "
            f"{wanted[1] * groups} channels, but got {channels} channels instead"
        )
    if bias is not None and list(bias.shape) != wanted[:1]:
        raise RuntimeError(
            f"Given weight of size {wanted}, expected bias to be 1-dimensional with {wanted[0]} elements, "
            f"but got bias of size {list(bias.shape)} instead"
        )


def _check_sizes(sizes: list[int], kernel: tuple, stride: tuple, pads: list, dilation: tuple) -> None:
    if any(step < 1 for step in stride):
        raise RuntimeError("non-positive stride is not supported")
    if any(step < 1 for step in dilation):
        raise RuntimeError("dilation should be greater than zero")
    if any(size < 0 for pad in pads for size in pad):
        raise RuntimeError("negative padding is not supported")
    padded = [size + sum(pad) for size, pad in zip(sizes, pads, strict=True)]
    spans = [step * (size - 1) + 1 for step, size in zip(dilation, kernel, strict=True)]
    if any(span > size for span, size in zip(spans, padded, strict=True)):
        raise RuntimeError(
            f"Calculated padded input size per channel: ({' x '.join(map(str, padded))}). Kernel size: "
            f"({' x '.join(map(str, spans))}). Kernel size can't be greater than actual input size"
        )


def _convolution(
    x: Tensor, weight: Tensor, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int, ndim: int
) -> Tensor:
    """Both convolutions: one of sequences is that of images with one row."""
    _check(x, weight, bias, ndim, groups)
    single = x.ndim == ndim + 1
    x = x.unsqueeze(0) if single else x
    kernel = tuple(weight.shape[2:])
    steps, gaps = expanded(stride, ndim), expanded(dilation, ndim)
    pads = _pads(padding, kernel, steps, gaps)
    _check_sizes(list(x.shape[2:]), kernel, steps, pads, gaps)
    if ndim == 1:
        steps, gaps, pads = (1, *steps), (1, *gaps), [(0, 0), *pads]
    around: Pads = (pads[0], pads[1])
    y: Tensor = convolve(x, weight, bias, steps, around, gaps, groups)
    return y.squeeze(0) if single else y


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The cross-correlation of sequences: y[n, o, i] = Σ w[o, c, k] x[n, c, i stride + k dilation] + b[o].

    Shapes: input (N, C, L) or (C, L), weight (O, C / groups, K), bias (O), result (N, O, L').

    Raises:
        RuntimeError: shapes or dtypes do not fit, or the weight is longer than the padded input.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.functional
        >>> F.conv1d(minigrad.arange(4.0).reshape(1, 1, 4), minigrad.tensor([[[1.0, -1.0]]]))
        tensor([[[-1., -1., -1.]]])
    """
    return _convolution(input, weight, bias, stride, padding, dilation, groups, 1)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The cross-correlation of images with a weight, the sum of whose products with each patch is an element.

    Args:
        input, weight, bias: see the shapes.
        stride: how far the places of the weight are apart, in one number or two.
        padding: zeros around the image, in one number or two; or "same", which keeps the size, or "valid".
        dilation: how far the weight's elements are apart.
        groups: into how many the channels are divided, each with outputs of its own.

    Shapes: input (N, C, H, W) or (C, H, W), weight (O, C / groups, h, w), bias (O), result (N, O, H', W').

    Raises:
        RuntimeError: shapes or dtypes do not fit, or the weight is larger than the padded input.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.functional
        >>> F.conv2d(minigrad.ones(1, 1, 3, 3), minigrad.ones(1, 1, 2, 2))
        tensor([[[[4., 4.],
                  [4., 4.]]]])
    """
    return _convolution(input, weight, bias, stride, padding, dilation, groups, 2)


class _Conv(Module):
    """What both layers share."""

    ndim: ClassVar[int]
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        dtypes.check_device(device)
        if groups <= 0:
            raise ValueError("groups must be a positive integer")
        if in_channels % groups:
            raise ValueError("in_channels must be divisible by groups")
        if out_channels % groups:
            raise ValueError("out_channels must be divisible by groups")
        modes = ("zeros", "reflect", "replicate", "circular")
        if padding_mode not in modes:
            raise ValueError(
                f"padding_mode must be one of {set(modes)}, but got padding_mode='{padding_mode}'"
            )
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size = expanded(kernel_size, self.ndim)
        self.stride, self.dilation = expanded(stride, self.ndim), expanded(dilation, self.ndim)
        if isinstance(padding, str):
            if padding not in ("valid", "same"):
                raise ValueError(f"Invalid padding string {padding!r}, should be one of 'valid', 'same'")
            if padding == "same" and any(step != 1 for step in self.stride):
                raise ValueError("padding='same' is not supported for strided convolutions")
        self.padding = padding if isinstance(padding, str) else expanded(padding, self.ndim)
        self.groups, self.padding_mode = groups, padding_mode
        self.weight = Parameter(empty(out_channels, in_channels // groups, *self.kernel_size, dtype=dtype))
        if bias:
            self.bias = Parameter(empty(out_channels, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew, uniform within ± 1 / sqrt(elements of a patch)."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            inputs = self.weight[0].numel()
            if inputs:
                init.uniform_(self.bias, -1 / math.sqrt(inputs), 1 / math.sqrt(inputs))

    def forward(self, input: Tensor) -> Tensor:
        padding = self.padding
        if self.padding_mode != "zeros":
            around = _pads(padding, self.kernel_size, self.stride, self.dilation)
            input = pad(input, [size for both in reversed(around) for size in both], self.padding_mode)
            padding = "valid"
        options = self.stride, padding, self.dilation, self.groups
        return _convolution(input, self.weight, self.bias, *options, self.ndim)

    def extra_repr(self) -> str:
        parts = [f"{self.in_channels}, {self.out_channels}", f"kernel_size={self.kernel_size}"]
        parts.append(f"stride={self.stride}")
        plain = {"padding": (0,) * self.ndim, "dilation": (1,) * self.ndim, "groups": 1}
        parts += [f"{name}={getattr(self, name)}" for name in plain if getattr(self, name) != plain[name]]
        parts += [] if self.bias is not None else ["bias=False"]
        return ", ".join(
            parts if self.padding_mode == "zeros" else [*parts, f"padding_mode={self.padding_mode}"]
        )


class Conv1d(_Conv):
    """The cross-correlation of sequences with a learnt weight, see `functional.conv1d`.

    Shapes: input (N, in_channels, L), result (N, out_channels, L'), `weight` (out_channels,
    in_channels / groups, kernel_size), `bias` (out_channels) or None.

    Raises:
        ValueError: the channels are not divisible by the groups, or "same" with a stride.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> nn.Conv1d(2, 3, 5, padding=2)(minigrad.zeros(1, 2, 8)).shape
        torch.Size([1, 3, 8])
    """

    ndim = 1


class Conv2d(_Conv):
    """The cross-correlation of images with a learnt weight, see `functional.conv2d`.

    Shapes: input (N, in_channels, H, W), result (N, out_channels, H', W'), `weight` (out_channels,
    in_channels / groups, h, w), `bias` (out_channels) or None.

    Raises:
        ValueError: the channels are not divisible by the groups, or "same" with a stride.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> layer = nn.Conv2d(1, 4, 3, padding=1)
        >>> layer
        Conv2d(1, 4, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
        >>> layer(minigrad.zeros(2, 1, 8, 8)).shape
        torch.Size([2, 4, 8, 8])
    """

    ndim = 2
