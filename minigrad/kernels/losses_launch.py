"""Launches of the kernels of losses: with everything bound but the arrays, and whether gradients are wanted.

All these kernels take inputs, constants, and then what they fill: the losses, the slopes of each input that
has any, and the sum or mean of the losses. What is not wanted is empty.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from .jit import Kernel, flat

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
EMPTY = {dtype: np.empty(0, dtype) for dtype in (FLOAT32, FLOAT64)}

Launch = Callable[..., Any]


def outputs(
    dtype: np.dtype,
    shape: tuple[int, ...],
    each: tuple[int, ...] | None,
    gradients: int = 1,
    new: Callable[..., ndarray] = np.empty,
) -> Callable[[bool], tuple[ndarray, Any, tuple]]:
    """A function of `grad` that makes the value, the gradients and what the kernel fills: flat views of them.

    `each` is the shape of the losses where they are the value. One gradient is given by itself, several as a
    tuple, all of this shape; None without `grad`.
    """
    nothing, empty = EMPTY[dtype], np.empty
    unwanted, shapes, dtypes = (nothing,) * gradients, (shape,) * gradients, (dtype,) * gradients

    def make(grad: bool) -> tuple[ndarray, Any, tuple]:
        value = total = empty((), dtype)
        losses = nothing
        if each is not None:
            value = empty(each, dtype)
            losses = value.ravel()
        if not grad:
            return value, None, (losses, *unwanted, total)
        if gradients == 1:
            gradient = new(shape, dtype)
            return value, gradient, (losses, gradient.ravel(), total)
        several = tuple(map(new, shapes, dtypes))
        return value, several, (losses, *map(ndarray.ravel, several), total)

    return make


def prepare(
    sweep: Kernel,
    dtype: np.dtype,
    shape: tuple[int, ...],
    each: tuple[int, ...] | None,
    constants: tuple,
    gradients: int = 1,
) -> Launch:
    """A function of `grad` and the arrays that runs a sweep over inputs of this dtype and shape."""
    make, run = outputs(dtype, shape, each, gradients), runner(sweep, math.prod(shape))

    def launch(grad: bool, *arrays: ndarray) -> tuple[ndarray, Any]:
        value, gradient, filled = make(grad)
        run(*map(flat, arrays), *constants, *filled)
        return value, gradient

    return launch


def runner(sweep: Kernel, size: int) -> Callable[..., Any]:
    """What runs a kernel on this many elements: its serial twin itself, where no more threads are wanted."""
    return sweep.dispatcher() if size < sweep.threshold else functools.partial(sweep.run, size)
