"""What the losses of this package ask of their arguments: tensors, class indices, numbers in a range."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.creation import as_tensor
from minigrad.kernels import losses as kernels
from minigrad.tensor import Tensor


def check_floating_tensor(loss: str, name: str, value: Any) -> Tensor:
    """`value`, if it is a floating-point tensor.

    Raises:
        TypeError: it is no tensor.
        NotImplementedError: it holds integers or bools.
    """
    if not isinstance(value, Tensor):
        raise TypeError(f"argument '{name}' must be Tensor, not {type(value).__name__}")
    if value._array.dtype.kind != "f":
        raise NotImplementedError(
            f'"{loss}" not implemented for {dtypes.of(value._array).scalar_type!r}\n'
            f"{name} must be floating point; use .float()."
        )
    return value


def check_class_indices(
    target: Any, shape: Sequence[int], classes: int, ignore_index: int | None = None
) -> Tensor:
    """The target as class indices of dtype int64 in `shape`.

    Raises:
        IndexError: an index is neither in [0, classes) nor `ignore_index`.
        RuntimeError: the target is floating point.
        ValueError: it has another shape.
    """
    target = target if isinstance(target, Tensor) else as_tensor(target)
    array = target._array
    if array.shape != tuple(shape):
        raise ValueError(
            f"Expected target size {list(shape)}, got {list(array.shape)}\n"
            "The target holds one class index for each prediction; the classes are dimension 1 of the input."
        )
    if array.dtype.kind == "f" and array.size:
        raise RuntimeError(
            f"expected target dtype to be Long or Byte, but got {dtypes.of(array).scalar_type}\n"
            "Class indices are integers; use target.long()."
        )
    kernels.raise_out_of_bounds(array, classes, ignore_index)
    return target.long()


def check_number(name: str, value: float, above: float | None = None, least: float | None = None) -> None:
    """ValueError unless `value` is greater than `above`, or no less than `least`."""
    if above is not None and not value > above:
        raise ValueError(f"{name} must be greater than {above}. Got: {value}")
    if least is not None and not value >= least:
        raise ValueError(f"{name} must be {least} or more. Got: {value}")


def check_between(name: str, tensor: Tensor, low: float, high: float, hint: str, slack: float = 0.0) -> None:
    """RuntimeError where an element, by more than `slack`, is outside [low, high], or nan."""
    array = tensor._array
    if array.size and not (array.min() >= low - slack and array.max() <= high + slack):  # also where nan
        bad = ~((array >= low - slack) & (array <= high + slack))
        place = [int(i) for i in np.argwhere(bad)[0]]
        raise RuntimeError(
            f"all elements of {name} should be between {low} and {high}\n"
            f"{int(bad.sum())} of {array.size} are not; the first is {array[tuple(place)]:g} at {place}."
            f" {hint}"
        )
