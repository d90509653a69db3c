"""What the losses of this package ask of their input and target, and what they say where it is not so."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.creation import arange, as_tensor
from minigrad.kernels import losses_extra as kernels
from minigrad.kernels.losses import raise_out_of_bounds
from minigrad.nn.losses.base import as_target, check_floating, check_same_shape
from minigrad.nn.losses.classification import class_dim
from minigrad.nn.losses.classification import class_indices as as_class_indices
from minigrad.ops.elementwise import where
from minigrad.tensor import Tensor


def floating_pair(name: str, input: Any, target: Any) -> Tensor:
    """The target as a tensor; the input must be floating point."""
    target = as_target(input, target)
    check_floating(name, input, input)
    return target


def paired(name: str, input: Any, target: Any) -> Tensor:
    """`floating_pair` where the shapes must be the same."""
    target = floating_pair(name, input, target)
    check_same_shape(input, target, "Target size ({target}) must be the same as input size ({input})")
    return target


def signs(name: str, input: Any, target: Any) -> Tensor:
    """The target as 1 and -1; bools mean those.

    Raises:
        ValueError: the target holds anything else, or has another shape.
    """
    if not isinstance(target, Tensor):
        target = as_tensor(target)
    if target._array.dtype == bool:
        target = where(target, 1, -1)
    target = paired(name, input, target)
    if not kernels.are_signs(target._array):
        _raise_unfit(
            "target",
            target,
            "1 or -1",
            np.abs(target._array) != 1,
            "Targets 0 and 1 become these by 2 * y - 1.",
        )
    return target


def unit_interval(name: str, input: Any, target: Any, ignore_index: float | None = None) -> Tensor:
    """The target in [0, 1], or `ignore_index`.

    Raises:
        ValueError: the target is elsewhere, or has another shape.
    """
    target = paired(name, input, target)
    if not kernels.are_unit(target._array, ignore_index):
        array = target._array
        bad = ~((array >= 0) & (array <= 1) | (array == ignore_index))
        hint = "Targets 1 and -1 become these by (y + 1) / 2."
        if ignore_index is not None:
            hint += f" ignore_index is {ignore_index:g}."
        _raise_unfit("target", target, "between 0 and 1", bad, hint)
    return target


def above_minus_one(name: str, tensor: Tensor) -> None:
    """ValueError where an element is -1 or less."""
    if not kernels.are_above_minus_one(tensor._array):
        hint = "The logarithm of 1 + x needs x > -1; clamp or transform it first."
        _raise_unfit(name, tensor, "greater than -1", tensor._array <= -1, hint)


def _raise_unfit(name: str, tensor: Tensor, wanted: str, bad: ndarray, hint: str) -> None:
    place = tuple(int(i) for i in np.argwhere(bad)[0])
    raise ValueError(
        f"all elements of {name} should be {wanted}\n"
        f"{int(bad.sum())} of {bad.size} are not; the first is {tensor._array[place]:g} at {list(place)}. "
        f"{hint}"
    )


def is_class(indices: Any, input: Any) -> Any:
    """In the shape of `input`, whether an element is that of its sample's class."""
    dim = class_dim(input)
    classes = arange(input.shape[dim]).reshape(-1, *(1,) * (input.ndim - dim - 1))
    return indices.unsqueeze(dim) == classes


def class_indices(name: str, input: Any, target: Any, ignore_index: int | None = None) -> Tensor:
    """The target as class indices of dtype int64, all of them classes or `ignore_index`.

    Raises:
        IndexError: one is neither.
        RuntimeError, ValueError: the shapes or dtypes do not fit, as in `cross_entropy`.
    """
    if not isinstance(input, Tensor):
        raise TypeError(f"argument 'input' must be Tensor, not {type(input).__name__}")
    check_floating(name, input, input)
    target = as_class_indices(input, target)
    raise_out_of_bounds(target._array, input.shape[class_dim(input)], ignore_index)
    return target


def mean_of_kept(losses: Any, kept: Any) -> Any:
    """The mean of the losses that count; nan with a zero gradient where none does."""
    count = int(kept.sum())
    return losses.sum() / count if count else losses.sum() * 0 + math.nan
