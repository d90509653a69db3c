"""The largest element, or the mean, of windows of images."""

from __future__ import annotations

from typing import Any

from minigrad.nn.conv import expanded
from minigrad.nn.module import Module
from minigrad.ops.conv import Pads, Pair, average_pool, max_pool
from minigrad.tensor import Tensor


def _prepared(
    input: Tensor, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> tuple[Tensor, Pair, Pair, Pads, Pair]:
    """The images as a batch, and each option as a pair."""
    if input.ndim not in (3, 4):
        raise RuntimeError(
            f"non-empty 3D or 4D (batch mode) tensor expected for input\nGot shape {list(input.shape)}."
        )
    if ceil_mode:
        raise NotImplementedError("ceil_mode=True is not supported: pad the input instead")
    kernel, pads, gaps = expanded(kernel_size, 2), expanded(padding, 2), expanded(dilation, 2)
    steps = kernel if stride is None else expanded(stride, 2)
    if any(step < 1 for step in steps):
        raise RuntimeError("stride should not be zero")
    for pad, size, gap in zip(pads, kernel, gaps, strict=True):
        if not 0 <= pad <= (gap * (size - 1) + 1) // 2:
            raise RuntimeError(
                f"pad should be at most half of effective kernel size, but got pad={pad}, kernel_size={size} "
                f"and dilation={gap}"
            )
    images = input.unsqueeze(0) if input.ndim == 3 else input
    sizes = [
        (size + 2 * pad - gap * (length - 1) - 1) // step + 1
        for size, pad, gap, length, step in zip(images.shape[2:], pads, gaps, kernel, steps, strict=True)
    ]
    if min(sizes) < 1:
        channels, height, width = images.shape[1:]
        raise RuntimeError(
            f"Given input size: ({channels}x{height}x{width}). Calculated output size: "
            f"({channels}x{sizes[0]}x{sizes[1]}). Output size is too small"
        )
    around: Pads = ((pads[0], pads[0]), (pads[1], pads[1]))
    return images, (kernel[0], kernel[1]), (steps[0], steps[1]), around, (gaps[0], gaps[1])


def max_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """The largest element of each window; the first of several gets the gradient.

    Shapes: input (N, C, H, W) or (C, H, W), result (N, C, H', W'). The stride is by default the window.

    Raises:
        RuntimeError: a window is larger than the padded input, or the padding than half the window.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.max_pool2d(minigrad.arange(16.0).reshape(1, 1, 4, 4), 2)
        tensor([[[[ 5.,  7.],
                  [13., 15.]]]])
    """
    images, kernel, steps, pads, gaps = _prepared(input, kernel_size, stride, padding, dilation, ceil_mode)
    y: Tensor = max_pool(images, kernel, steps, pads, gaps)
    return y.squeeze(0) if input.ndim == 3 else y


def avg_pool2d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False
) -> Tensor:
    """The mean of each window, the zeros of the padding included.

    Shapes: input (N, C, H, W) or (C, H, W), result (N, C, H', W'). The stride is by default the window.

    Raises:
        RuntimeError: a window is larger than the padded input, or the padding than half the window.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.avg_pool2d(minigrad.arange(16.0).reshape(1, 1, 4, 4), 2)
        tensor([[[[ 2.5000,  4.5000],
                  [10.5000, 12.5000]]]])
    """
    images, kernel, steps, pads, _ = _prepared(input, kernel_size, stride, padding, 1, ceil_mode)
    y: Tensor = average_pool(images, kernel, steps, pads)
    return y.squeeze(0) if input.ndim == 3 else y


class MaxPool2d(Module):
    """The largest element of each window, see `functional.max_pool2d`.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> nn.MaxPool2d(2)(minigrad.zeros(1, 3, 8, 8)).shape
        torch.Size([1, 3, 4, 4])
    """

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation, self.ceil_mode = padding, dilation, ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        return max_pool2d(input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class AvgPool2d(Module):
    """The mean of each window, see `functional.avg_pool2d`.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> nn.AvgPool2d(2)(minigrad.zeros(1, 3, 8, 8)).shape
        torch.Size([1, 3, 4, 4])
    """

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode = padding, ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        return avg_pool2d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"
