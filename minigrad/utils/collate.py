"""Collating: making one batch of a list of samples."""

from __future__ import annotations

import copy
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from minigrad.autograd.tape import current_node
from minigrad.creation import from_numpy, tensor
from minigrad.dtypes import float64
from minigrad.ops.joining import stack
from minigrad.tensor import Tensor

_BAD_BATCH = "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}"


def default_collate(batch: Any) -> Any:
    """One batch of a list of samples: tensors are stacked, containers collated entry by entry.

    Arrays become tensors, Python floats float64, ints int64; strings stay a list. A tuple becomes a
    list, other containers keep their type.

    Raises:
        RuntimeError: tensors of different shapes, or sequences of different lengths.
        TypeError: samples of another kind.

    Example:
        >>> from minigrad.utils.data import default_collate
        >>> default_collate([(1, {"name": "a"}), (2, {"name": "b"})])
        [tensor([1, 2]), {'name': ['a', 'b']}]
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return _stack(batch)
    if isinstance(first, np.ndarray):
        if first.dtype.kind not in "biuf":
            raise TypeError(_BAD_BATCH.format(first.dtype))
        return stack([from_numpy(array) for array in batch])
    if isinstance(first, (np.bool_, np.number)):
        return from_numpy(np.array(batch))
    if isinstance(first, float):
        return tensor(batch, dtype=float64)
    if isinstance(first, int):
        ints = set(map(type, batch)) == {int}
        return from_numpy(np.array(batch, np.int64)) if ints else tensor(batch)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        collated = {key: default_collate([sample[key] for sample in batch]) for key in first}
        return _mapping_like(first, collated)
    if isinstance(first, Sequence):
        if any(len(sample) != len(first) for sample in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        return _sequence_like(first, [default_collate(c) for c in zip(*batch, strict=True)])
    raise TypeError(_BAD_BATCH.format(type(first)))


def _stack(samples: Sequence[Tensor]) -> Tensor:
    """`stack`, in one copy where nothing is to be recorded or converted."""
    shape, dtype = samples[0]._array.shape, samples[0]._array.dtype
    for sample in samples:
        array = sample._array
        if array.shape != shape or array.dtype != dtype or current_node(sample) is not None:
            return stack(samples)
    return Tensor._wrap(np.array([sample._array for sample in samples]))


def default_convert(data: Any) -> Any:
    """One sample with the arrays in it as tensors; the rest is left as it is.

    Example:
        >>> import numpy
        >>> from minigrad.utils.data import default_convert
        >>> default_convert({"x": numpy.array([1, 2]), "name": "a"})
        {'x': tensor([1, 2]), 'name': 'a'}
    """
    if isinstance(data, (np.ndarray, np.bool_, np.number)):
        array = np.asarray(data)
        return from_numpy(array) if array.dtype.kind in "biuf" else data
    if isinstance(data, Mapping):
        return _mapping_like(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _sequence_like(data, [default_convert(entry) for entry in data])
    return data


def _mapping_like(sample: Any, entries: dict[Any, Any]) -> Any:
    try:
        if isinstance(sample, MutableMapping):
            clone = copy.copy(sample)  # keeps what a subclass adds, such as a default
            clone.update(entries)
            return clone
        return type(sample)(entries)
    except TypeError:
        return entries


def _sequence_like(sample: Any, entries: list[Any]) -> Any:
    if isinstance(sample, tuple):
        return type(sample)(*entries) if hasattr(sample, "_fields") else entries
    try:
        if isinstance(sample, MutableSequence):
            clone = copy.copy(sample)
            for place, entry in enumerate(entries):
                clone[place] = entry
            return clone
        return type(sample)(entries)
    except TypeError:
        return entries
