"""Patches of images, and what is made of them: convolution.

A convolution is a product of the weight with the patches it is laid on (`unfold`); the gradient of the
patches is added back to where they come from (`fold`). Each is the other's adjoint: all derivatives follow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.autograd.fused import fused
from minigrad.autograd.op import Primitive, has_nan, primitive
from minigrad.kernels.convolution import Convolution
from minigrad.ops.shape import reshape_to

Pair = tuple[int, int]
Pads = tuple[Pair, Pair]  # before and after, of rows and of columns


def _places(sizes: Sequence[int], kernel: Pair, stride: Pair, pads: Pads, dilation: Pair) -> Pair:
    """How many places a kernel has along each dimension of a padded image."""
    found = [
        (size + sum(pad) - step * (length - 1) - 1) // jump + 1
        for size, length, jump, pad, step in zip(sizes, kernel, stride, pads, dilation, strict=True)
    ]
    return found[0], found[1]


def _unfold(
    x: ndarray, *, kernel: Pair, stride: Pair, pads: Pads, dilation: Pair, value: float = 0.0
) -> ndarray:
    count, channels = x.shape[:2]
    rows, columns = _places(x.shape[2:], kernel, stride, pads, dilation)
    padded = np.pad(x, ((0, 0), (0, 0), *pads), constant_values=value) if any(map(any, pads)) else x
    images, planes, down, right = padded.strides
    patches = np.lib.stride_tricks.as_strided(
        padded,
        (count, channels, *kernel, rows, columns),
        (images, planes, down * dilation[0], right * dilation[1], down * stride[0], right * stride[1]),
        writeable=False,
    )
    return patches.reshape(count, channels * math.prod(kernel), rows * columns)


def _fold(
    x: ndarray, *, shape: tuple[int, ...], kernel: Pair, stride: Pair, pads: Pads, dilation: Pair
) -> ndarray:
    count, channels, height, width = shape
    (top, bottom), (left, right) = pads
    rows, columns = _places((height, width), kernel, stride, pads, dilation)
    patches = x.reshape(count, channels, *kernel, rows, columns)
    padded = np.zeros((count, channels, height + top + bottom, width + left + right), x.dtype)
    for i, j in np.ndindex(kernel):
        first, start = i * dilation[0], j * dilation[1]
        last, stop = first + stride[0] * rows, start + stride[1] * columns
        padded[:, :, first : last : stride[0], start : stop : stride[1]] += patches[:, :, i, j]
    return padded[:, :, top : top + height, left : left + width]


unfold: Primitive = primitive(_unfold, name="unfold", grad_name="Im2ColBackward0").vjp(
    lambda g, x_shape, kernel, stride, pads, dilation: fold(
        g, shape=x_shape, kernel=kernel, stride=stride, pads=pads, dilation=dilation
    )
)
fold: Primitive = primitive(_fold, name="fold", grad_name="Col2ImBackward0").vjp(
    lambda g, kernel, stride, pads, dilation: unfold(
        g, kernel=kernel, stride=stride, pads=pads, dilation=dilation
    )
)


def _convolution(
    input: ndarray,
    weight: ndarray,
    bias: ndarray | None,
    stride: Pair,
    pads: Pads,
    dilation: Pair,
    groups: int,
    *,
    grad: bool,
    wanted: tuple[bool, ...],
) -> Any:
    """The kernels; where they make nan of infinities and the zeros they fill up with, patches decide."""
    x, w = (a[:, :, None] if a.ndim == 3 else a for a in (input, weight))
    if not Convolution.is_for(x, w, stride, pads, dilation, groups):
        return NotImplemented
    kernel = Convolution(x, w, pads, dilation[0])
    y = kernel.value(bias)
    if has_nan(y):
        return NotImplemented

    def gradients(g: ndarray, keep: bool) -> list[ndarray | None]:
        g = g if input.ndim == 4 else g[:, :, None]
        found = kernel.gradients(g, *wanted)
        if any(a is not None and has_nan(a) for a in found):
            found = _by_patches(g, x, w, pads, dilation, found)
        shapes = input.shape, weight.shape, weight.shape[:1]
        return [a if a is None else a.reshape(shape) for a, shape in zip(found, shapes, strict=True)]

    return y if input.ndim == 4 else y[:, :, 0], gradients if grad else None


def _by_patches(
    g: ndarray, x: ndarray, weight: ndarray, pads: Pads, dilation: Pair, found: list[ndarray | None]
) -> list[ndarray | None]:
    """The gradients of the definition, for those that were found otherwise."""
    places: dict[str, Any] = {
        "kernel": weight.shape[2:],
        "stride": (1, 1),
        "pads": pads,
        "dilation": dilation,
    }
    rows, image, of_weight = g.reshape(*g.shape[:2], -1), *found[:2]
    matrix = weight.reshape(len(weight), -1)
    if image is not None:
        image = _fold(matrix.T @ rows, shape=x.shape, **places)
    if of_weight is not None:
        of_weight = (rows @ _unfold(x, **places).swapaxes(1, 2)).sum(0).reshape(weight.shape)
    return [image, of_weight, found[2]]


@fused(forward=_convolution, wrt=("input", "weight", "bias"), grad_name="ConvolutionBackward0")
def convolve(
    input: Any, weight: Any, bias: Any, stride: Pair, pads: Pads, dilation: Pair, groups: int
) -> Any:
    """The cross-correlation of images (N, C, H, W) with a weight (O, C / groups, h, w), as (N, O, H', W').

    Sequences (N, C, W) with a weight (O, C / groups, w) are images of one row.
    """
    count, outputs, sequences = input.shape[0], weight.shape[0], len(input.shape) == 3
    if sequences:
        input = reshape_to(input, shape=(*input.shape[:2], 1, input.shape[2]))
        weight = reshape_to(weight, shape=(*weight.shape[:2], 1, weight.shape[2]))
    kernel = (weight.shape[2], weight.shape[3])
    rows, columns = _places(input.shape[2:], kernel, stride, pads, dilation)
    patches = unfold(input, kernel=kernel, stride=stride, pads=pads, dilation=dilation)
    if groups == 1:
        y = reshape_to(weight, shape=(outputs, -1)) @ patches
    else:
        own = reshape_to(patches, shape=(count, groups, -1, rows * columns))
        y = reshape_to(weight, shape=(groups, outputs // groups, -1)) @ own
    y = reshape_to(y, shape=(count, outputs, columns) if sequences else (count, outputs, rows, columns))
    return y if bias is None else y + reshape_to(bias, shape=(outputs, *(1,) * (1 if sequences else 2)))
