"""Arrays from data, and tensors like another one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import dtypes
from minigrad.autograd.tape import Variable
from minigrad.dtypes import Size
from minigrad.ops.dims import sizes_from


def array_from(data: Any, dtype: Any) -> ndarray:
    """A new array of nested sequences, numbers or tensors, in torch's choice of dtype."""
    wanted = None if dtype is None else dtypes.to_numpy(dtype)
    if isinstance(data, (ndarray, np.generic)):
        array = np.array(data, order="C")
        return array.astype(wanted) if wanted is not None else array.astype(dtypes.of(array).numpy)
    try:
        array = np.array(_plain(data))
    except ValueError:
        raise ValueError(_ragged(data, _first_lengths(data), 0)) from None
    if array.dtype.kind in "US":
        raise TypeError(f"new(): invalid data type {type(data).__name__!r}\nExpected numbers or bools.")
    if array.dtype.kind not in "biuf":
        raise RuntimeError(
            f"Could not infer dtype of {_leaf_type(data)}\n"
            "Expected numbers, bools, or nested sequences of them."
        )
    if wanted is None:
        if array.dtype.kind == "f" or array.size == 0:
            wanted = dtypes.default_float()
        else:
            wanted = dtypes.bool.numpy if array.dtype.kind == "b" else dtypes.int64.numpy
    return array.astype(wanted)


def _first_lengths(data: Any) -> list[int]:
    """The lengths of the first sequence at each level."""
    lengths = []
    while isinstance(data, (list, tuple)):
        lengths.append(len(data))
        data = data[0] if data else None
    return lengths


def _ragged(data: Any, lengths: list[int], level: int) -> str:
    """torch's words for the first sequence whose length differs from the first one's at its level."""
    found = len(data) if isinstance(data, (list, tuple)) else 0
    if level < len(lengths) and found != lengths[level]:
        return f"expected sequence of length {lengths[level]} at dim {level} (got {found})"
    items = data if isinstance(data, (list, tuple)) else ()
    texts = (_ragged(item, lengths, level + 1) for item in items)
    return next((text for text in texts if text), "" if level else "the nested sequences differ in length")


def _leaf_type(data: Any) -> str:
    """The name of the type of the first item that is no sequence."""
    while isinstance(data, (list, tuple)) and data:
        data = data[0]
    return type(data).__name__


def _plain(data: Any) -> Any:
    """Nested sequences with the tensors and arrays among them as plain numbers."""
    if isinstance(data, Variable):
        return data._array.tolist()
    if isinstance(data, (list, tuple)):
        return [_plain(item) for item in data]
    if isinstance(data, (ndarray, np.generic)):
        return data.tolist()
    return data


def legacy_array(data: tuple[Any, ...], kind: np.dtype) -> ndarray:
    """What torch's legacy constructors make: `Tensor([1, 2])` converts values, `Tensor(2, 3)` takes sizes."""
    if not data:
        return np.empty(0, kind)
    if _are_sizes(data):
        return np.zeros(data, kind)
    (values,) = data
    if isinstance(values, Size):
        return np.zeros(values, kind)
    return np.array(values._array if isinstance(values, Variable) else values, kind)


def _are_sizes(values: tuple[Any, ...]) -> bool:
    """Whether all are ints: then they are sizes, not values."""
    return all(isinstance(v, int) and not isinstance(v, bool) for v in values)


def sizes_of(sizes: tuple[Any, ...]) -> tuple[int, ...]:
    """The sizes of a new tensor.

    Raises:
        RuntimeError: one is negative.
    """
    found = sizes_from(sizes)
    if any(n < 0 for n in found):
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(found)}: {list(found)}")
    return found


def finished(kind: Any, array: ndarray, device: Any, requires_grad: bool) -> Any:
    """An array as a tensor of this class."""
    dtypes.check_device(device)
    if requires_grad and array.dtype.kind != "f":
        raise RuntimeError(
            "Only Tensors of floating point and complex dtype can require gradients\n"
            f"This one is {dtypes.from_numpy(array.dtype)}. Give dtype=float32, or convert it with .float()."
        )
    made = kind._wrap(array)
    return made.requires_grad_() if requires_grad else made


def _filled(
    self: Any, sizes: tuple[Any, ...], value: Any, dtype: Any, device: Any, requires_grad: bool
) -> Any:
    kind = self._array.dtype if dtype is None else dtypes.to_numpy(dtype)
    return finished(self._result, np.full(sizes_of(sizes), value, kind), device, requires_grad)


def new_zeros(
    self: Any, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """Zeros of these sizes, in this tensor's dtype."""
    return _filled(self, size, 0, dtype, device, requires_grad)


def new_ones(
    self: Any, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """Ones of these sizes, in this tensor's dtype."""
    return _filled(self, size, 1, dtype, device, requires_grad)


def new_empty(
    self: Any, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """A tensor of these sizes whose values are not set; here they are zeros."""
    return _filled(self, size, 0, dtype, device, requires_grad)


def new_full(
    self: Any,
    size: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """`fill_value` everywhere, in this tensor's dtype."""
    value = fill_value._array.item() if isinstance(fill_value, Variable) else fill_value
    return _filled(self, (size,), value, dtype, device, requires_grad)


def new_tensor(
    self: Any, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """A copy of `data`, in this tensor's dtype."""
    kind = self.dtype if dtype is None else dtype
    return finished(self._result, array_from(data, kind), device, requires_grad)
