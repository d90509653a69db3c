"""Variance and standard deviation over one, several or all dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.autograd.fused import fused
from minigrad.kernels import reduction as kernels
from minigrad.ops.dims import axes_of, numpy_names
from minigrad.ops.elementwise import sqrt, where
from minigrad.ops.reduction import Axes, count, mean_of, sum_of


def _degrees(shape: tuple[int, ...], axes: Axes, correction: float) -> float:
    degrees = count(shape, axes) - correction
    return degrees if degrees > 0 else 0


def var_kernel(input: Any, axes: Axes, correction: float, keepdims: bool, *, grad: bool) -> Any:
    y, means = kernels.var_and_means(input, axes, correction, keepdims)
    if not grad:
        return y, None
    degrees = _degrees(input.shape, axes, correction)
    slope = input.dtype.type(2 / degrees if degrees else np.inf)
    return y, lambda g, keep: (kernels.centred(input, means, g * slope, axes),)


@fused(forward=var_kernel, grad_name="VarBackward0")
def var_of(input: Any, axes: Axes, correction: float, keepdims: bool) -> Any:
    centred = input - mean_of(input, axes, keepdims=True)
    total = sum_of(centred * centred, axes, keepdims)
    return total / _degrees(input.shape, axes, correction)


def std_kernel(input: Any, axes: Axes, correction: float, keepdims: bool, *, grad: bool) -> Any:
    variance, means = kernels.var_and_means(input, axes, correction, keepdims)
    y = np.sqrt(variance, variance)
    if not grad:
        return y, None
    degrees = _degrees(input.shape, axes, correction)
    slope = input.dtype.type(1 / degrees if degrees else np.inf)

    def gradients(g: Any, keep: bool) -> Any:
        scales = np.divide(g * slope, y, out=np.zeros_like(y), where=y != 0)
        return (kernels.centred(input, means, scales, axes),)

    return y, gradients


@fused(forward=std_kernel, grad_name="StdBackward0")
def std_of(input: Any, axes: Axes, correction: float, keepdims: bool) -> Any:
    variance = var_of(input, axes, correction, keepdims)
    flat = variance == 0
    return where(flat, 0.0, sqrt(where(flat, 1.0, variance)))


def _correction(unbiased: Any, correction: float | None) -> float:
    if correction is not None:
        return correction
    return 0 if unbiased is False else 1


@numpy_names
def var(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Any:
    """sum((x - mean)**2) / (n - correction) over `dim`; correction 1 by default, 0 if `unbiased` is False.

    Example:
        >>> import minigrad
        >>> minigrad.var(minigrad.tensor([1.0, 2.0, 3.0, 4.0]))
        tensor(1.6667)
    """
    return moment("var", var_of, input, dim, unbiased, keepdim, correction)


@numpy_names
def std(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Any:
    """The square root of `var`; its gradient is 0 where the deviation is 0.

    Example:
        >>> import minigrad
        >>> minigrad.std(minigrad.tensor([1.0, 2.0, 3.0, 4.0]))
        tensor(1.2910)
    """
    return moment("std", std_of, input, dim, unbiased, keepdim, correction)


def moment(
    name: str, op: Any, input: Any, dim: Any, unbiased: Any, keepdim: bool, correction: float | None
) -> Any:
    """An operation on (input, axes, correction, keepdims) under the arguments that torch takes."""
    if isinstance(dim, bool):  # var(x, False): the first positional argument is `unbiased`
        dim, unbiased = None, dim
    if input._array.dtype.kind != "f":
        raise RuntimeError(
            f"{'std and var' if name in ('std', 'var') else name} only support floating point and complex "
            "dtypes\n"
            f"Got {dtypes.of(input._array)}; use x.float().{name}()."
        )
    axes = axes_of(input, dim)
    return op.apply((input, axes, _correction(unbiased, correction), keepdim), ())
