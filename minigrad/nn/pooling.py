"""The largest element, or the mean, of windows of images and of sequences."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.nn.conv import expanded
from minigrad.nn.module import Module
from minigrad.ops import pooling as ops
from minigrad.tensor import Tensor

Pair = tuple[int, int]


# ------------------------------------------------------------------------------------- of images
def _prepared(
    input: Tensor, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> tuple[Tensor, Pair, Pair, Pair, Pair, Pair]:
    """The images as a batch, each option as a pair, and the result's height and width."""
    if input.ndim not in (3, 4):
        raise RuntimeError(
            f"non-empty 3D or 4D (batch mode) tensor expected for input\nGot shape {list(input.shape)}."
        )
    kernel, pads, gaps = expanded(kernel_size, 2), expanded(padding, 2), expanded(dilation, 2)
    steps = kernel if stride is None or stride == [] else expanded(stride, 2)
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
        _size(size, pad, gap * (length - 1) + 1, step, ceil_mode)
        for size, pad, gap, length, step in zip(images.shape[2:], pads, gaps, kernel, steps, strict=True)
    ]
    if min(sizes) < 1:
        channels, height, width = images.shape[1:]
        raise RuntimeError(
            f"Given input size: ({channels}x{height}x{width}). Calculated output size: "
            f"({channels}x{sizes[0]}x{sizes[1]}). Output size is too small"
        )
    first, second = zip(kernel, steps, pads, gaps, sizes, strict=True)
    pairs = list(zip(first, second, strict=True))
    return images, pairs[0], pairs[1], pairs[2], pairs[3], pairs[4]


def _size(extent: int, pad: int, reach: int, step: int, ceil_mode: bool) -> int:
    """How many windows fit; with `ceil_mode` the last may reach past the end, but must begin before it."""
    room = extent + 2 * pad - reach
    size = (-(-room // step) if ceil_mode else room // step) + 1
    return size - 1 if ceil_mode and (size - 1) * step >= extent + pad else size


def _unbatched(places: Tensor, input: Tensor) -> Tensor:
    return places.squeeze(0) if input.ndim == 3 else places


def max_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window; the first of several gets the gradient.

    Shapes: input (N, C, H, W) or (C, H, W), result (N, C, H', W'). The stride is by default the window.

    Args:
        input: the images.
        kernel_size, stride, padding, dilation: one number, or one each for rows and columns.
        ceil_mode: let the last windows reach past the edge.
        return_indices: return also where in its plane, H W numbers, each element was found.

    Raises:
        RuntimeError: a window is larger than the padded input, or the padding than half the window.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.max_pool2d(minigrad.arange(16.0).reshape(1, 1, 4, 4), 2)
        tensor([[[[ 5.,  7.],
                  [13., 15.]]]])
    """
    images, *options = _prepared(input, kernel_size, stride, padding, dilation, ceil_mode)
    places = _unbatched(Tensor._wrap(ops.max_places(images._array, *options)), input)
    y = ops.max_pool(input, places._array)
    return (y, places) if return_indices else y


def avg_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window.

    Shapes: input (N, C, H, W) or (C, H, W), result (N, C, H', W'). The stride is by default the window.

    Args:
        input: the images.
        kernel_size, stride, padding: one number, or one each for rows and columns.
        ceil_mode: let the last windows reach past the edge.
        count_include_pad: whether the zeros of the padding count.
        divisor_override: divide the sums by this instead of by the number of elements.

    Raises:
        RuntimeError: a window is larger than the padded input, or the padding than half the window.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.avg_pool2d(minigrad.arange(16.0).reshape(1, 1, 4, 4), 2)
        tensor([[[[ 2.5000,  4.5000],
                  [10.5000, 12.5000]]]])
    """
    if divisor_override == 0:
        raise RuntimeError("divisor must be not zero")
    images, kernel, steps, pads, _, sizes = _prepared(input, kernel_size, stride, padding, 1, ceil_mode)
    _check_floating("avg_pool2d", input)
    (rows, high), (columns, wide) = map(ops.window_bounds, images.shape[2:], kernel, steps, pads, sizes)
    counted = (high, wide) if count_include_pad else (rows, columns)
    divisors = ops.lengths(counted[0])[:, None] * ops.lengths(counted[1])
    if divisor_override is not None:
        divisors = np.full_like(divisors, divisor_override)
    y: Tensor = ops.average_pool(input, rows, columns, divisors)
    return y


def _check_floating(name: str, input: Tensor) -> None:
    if not input.is_floating_point():
        raise NotImplementedError(
            f'"{name}" not implemented for {dtypes.of(input._array).scalar_type!r}\nConvert it: x.float().'
        )


def _planes(name: str, input: Tensor, output_size: Any, colon: str = "") -> tuple[Tensor, Pair]:
    """The images as a batch, and the result's height and width."""
    if input.ndim not in (3, 4):
        raise RuntimeError(f"{name}(): Expected 3D or 4D tensor, but got{colon} {list(input.shape)}")
    images = input.unsqueeze(0) if input.ndim == 3 else input
    given = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,) * 2
    height, width = (
        extent if size is None else int(size) for size, extent in zip(given, images.shape[2:], strict=True)
    )
    return images, (height, width)


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """The means of output_size × output_size windows that tile the image.

    Shapes: input (N, C, H, W) or (C, H, W), result (N, C, *output_size), where None keeps a size.

    Raises:
        RuntimeError: the input has neither 3 nor 4 dimensions.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.adaptive_avg_pool2d(minigrad.arange(16.0).reshape(1, 4, 4), 2)
        tensor([[[ 2.5000,  4.5000],
                 [10.5000, 12.5000]]])
    """
    _, sizes = _planes("adaptive_avg_pool2d", input, output_size)
    _check_floating("adaptive_avg_pool2d", input)
    if sizes == (1, 1):
        return input.mean((-1, -2), keepdim=True)
    y: Tensor = ops.adaptive_average_pool(input, sizes)
    return y


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of output_size × output_size windows that tile the image.

    Shapes: input (N, C, H, W) or (C, H, W), result (N, C, *output_size), where None keeps a size.

    Raises:
        RuntimeError: the input has neither 3 nor 4 dimensions.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.adaptive_max_pool2d(minigrad.arange(16.0).reshape(1, 4, 4), 2)
        tensor([[[ 5.,  7.],
                 [13., 15.]]])
    """
    images, sizes = _planes("adaptive_max_pool2d", input, output_size, ":")
    places = _unbatched(Tensor._wrap(ops.adaptive_max_places(images._array, sizes)), input)
    y = ops.adaptive_max_pool(input, places._array)
    return (y, places) if return_indices else y


# ------------------------------------------------------------------------------------ of sequences
def _sequences(name: str, input: Tensor) -> Tensor:
    """Sequences as images of one row."""
    if input.ndim not in (2, 3):
        raise RuntimeError(
            f"Expected 2 to 3 dimensions, but got {input.ndim}-dimensional tensor for argument #1 'self' "
            f"(while checking arguments for {name})"
        )
    return input.unsqueeze(-2)


def _as_row(value: Any, other: int) -> Any:
    """An option for sequences, as one for images of one row."""
    return None if value is None or value == [] else (other, *expanded(value, 1))


def max_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of sequences; options as for `max_pool2d`.

    Shapes: input (N, C, L) or (C, L), result (N, C, L').

    Raises:
        RuntimeError: a window is larger than the padded input, or the padding than half the window.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.max_pool1d(minigrad.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
        tensor([[3., 2.]])
    """
    if input.ndim not in (2, 3):
        raise RuntimeError(
            "max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but "
            f"got:{list(input.shape)}"
        )
    (size,), (pad,), (gap,) = (expanded(value, 1) for value in (kernel_size, padding, dilation))
    step = size if stride is None or stride == [] else expanded(stride, 1)[0]
    if step < 1:
        raise RuntimeError(f"max_pool1d() stride must be greater than zero, but got {step}")
    if not 0 <= pad <= size // 2:
        raise RuntimeError(
            "max_pool1d() padding should be at most half of kernel size, but got "
            f"padding={pad} and kernel_size={size}"
        )
    count = _size(input.shape[-1], pad, gap * (size - 1) + 1, step, ceil_mode)
    if count < 1:
        raise RuntimeError(f"max_pool1d() Invalid computed output size: {count}")
    y, places = max_pool2d(
        input.unsqueeze(-2), (1, size), (1, step), (0, pad), (1, gap), ceil_mode, return_indices=True
    )
    y = y.squeeze(-2)
    return (y, places.squeeze(-2)) if return_indices else y


def avg_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window of sequences; options as for `avg_pool2d`.

    Shapes: input (N, C, L) or (C, L), result (N, C, L').

    Raises:
        RuntimeError: a window is larger than the padded input, or the padding than half the window.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.avg_pool1d(minigrad.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
        tensor([[2., 1.]])
    """
    rows = _sequences("avg_pool1d", input)
    window, steps, pads = _as_row(kernel_size, 1), _as_row(stride, 1), _as_row(padding, 0)
    return avg_pool2d(rows, window, steps, pads, ceil_mode, count_include_pad).squeeze(-2)


def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """The means of `output_size` windows that tile the sequence.

    Shapes: input (N, C, L) or (C, L), result (N, C, output_size).

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.adaptive_avg_pool1d(minigrad.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
        tensor([[2., 1.]])
    """
    rows = _sequences("adaptive_avg_pool1d", input)
    return adaptive_avg_pool2d(rows, (1, *expanded(output_size, 1))).squeeze(-2)


def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of `output_size` windows that tile the sequence.

    Shapes: input (N, C, L) or (C, L), result (N, C, output_size).

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.adaptive_max_pool1d(minigrad.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
        tensor([[3., 2.]])
    """
    rows = _sequences("adaptive_max_pool1d", input)
    y, places = adaptive_max_pool2d(rows, (1, *expanded(output_size, 1)), return_indices=True)
    y = y.squeeze(-2)
    return (y, places.squeeze(-2)) if return_indices else y


# --------------------------------------------------------------------------------------- as modules
class _MaxPool(Module):
    """What the layers have in common that take the largest elements."""

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation, self.ceil_mode = padding, dilation, ceil_mode
        self.return_indices = return_indices

    def _options(self) -> tuple[Any, ...]:
        window = (self.kernel_size, self.stride, self.padding, self.dilation)
        return (*window, self.ceil_mode, self.return_indices)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPool):
    """The largest element of each window of sequences, see `functional.max_pool1d`.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> nn.MaxPool1d(2)(minigrad.zeros(1, 3, 8)).shape
        torch.Size([1, 3, 4])
    """

    def forward(self, input: Tensor) -> Any:
        return max_pool1d(input, *self._options())


class MaxPool2d(_MaxPool):
    """The largest element of each window, see `functional.max_pool2d`.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> nn.MaxPool2d(2)(minigrad.zeros(1, 3, 8, 8)).shape
        torch.Size([1, 3, 4, 4])
    """

    def forward(self, input: Tensor) -> Any:
        return max_pool2d(input, *self._options())


class AvgPool1d(Module):
    """The mean of each window of sequences, see `functional.avg_pool1d`.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> nn.AvgPool1d(2)(minigrad.zeros(1, 3, 8)).shape
        torch.Size([1, 3, 4])
    """

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = expanded(kernel_size, 1)
        self.stride = self.kernel_size if stride is None else expanded(stride, 1)
        self.padding = expanded(padding, 1)
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        window = (self.kernel_size, self.stride, self.padding)
        return avg_pool1d(input, *window, self.ceil_mode, self.count_include_pad)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(Module):
    """The mean of each window, see `functional.avg_pool2d`.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> nn.AvgPool2d(2)(minigrad.zeros(1, 3, 8, 8)).shape
        torch.Size([1, 3, 4, 4])
    """

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode = padding, ceil_mode
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override

    def forward(self, input: Tensor) -> Tensor:
        window = (self.kernel_size, self.stride, self.padding)
        return avg_pool2d(input, *window, self.ceil_mode, self.count_include_pad, self.divisor_override)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _Adaptive(Module):
    """What the layers have in common whose windows tile the input."""

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_Adaptive):
    """The means of windows that tile the sequence, see `functional.adaptive_avg_pool1d`."""

    def forward(self, input: Tensor) -> Tensor:
        return adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(_Adaptive):
    """The means of windows that tile the image, see `functional.adaptive_avg_pool2d`."""

    def forward(self, input: Tensor) -> Tensor:
        return adaptive_avg_pool2d(input, self.output_size)


class _AdaptiveMax(_Adaptive):
    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices


class AdaptiveMaxPool1d(_AdaptiveMax):
    """The largest elements of windows that tile the sequence, see `functional.adaptive_max_pool1d`."""

    def forward(self, input: Tensor) -> Any:
        return adaptive_max_pool1d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(_AdaptiveMax):
    """The largest elements of windows that tile the image, see `functional.adaptive_max_pool2d`."""

    def forward(self, input: Tensor) -> Any:
        return adaptive_max_pool2d(input, self.output_size, self.return_indices)
