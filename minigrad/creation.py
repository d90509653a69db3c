"""Making tensors: from data, of constants, of ranges."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import dtypes
from minigrad.autograd.tape import Variable
from minigrad.ops.counting import evenly_spaced
from minigrad.ops.making import array_from, finished, legacy_array, sizes_of
from minigrad.tensor import Tensor


def _finish(array: ndarray, requires_grad: bool, device: Any = None) -> Tensor:
    made: Tensor = finished(Tensor, array, device, requires_grad)
    return made


def tensor(
    data: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A tensor with a copy of `data`: numbers, nested sequences, an ndarray.

    Floats become the default float (float32), ints int64, bools bool; an ndarray keeps its dtype.

    Raises:
        ValueError: the nested sequences differ in length.
        TypeError: the data are no numbers.

    Example:
        >>> import minigrad
        >>> minigrad.tensor([[1, 2], [3, 4]])
        tensor([[1, 2],
                [3, 4]])
    """
    if isinstance(data, Variable):
        warnings.warn(
            "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
            "sourceTensor.detach().clone().requires_grad_(True), rather than torch.tensor(sourceTensor).",
            UserWarning,
            stacklevel=2,
        )
        data = data._array
    return _finish(array_from(data, dtype), requires_grad, device)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """`data` as a tensor, without a copy where it is a tensor or an ndarray of the wanted dtype.

    Example:
        >>> import minigrad
        >>> minigrad.as_tensor([1.0, 2.0])
        tensor([1., 2.])
    """
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    if isinstance(data, ndarray):
        made = from_numpy(data)
        return made if dtype is None else made.to(dtype)
    return _finish(array_from(data, dtype), False, device)


def from_numpy(ndarray: ndarray) -> Tensor:
    """A tensor that shares the array's memory.

    Raises:
        TypeError: not an ndarray, or of a dtype minigrad has not.

    Example:
        >>> import minigrad, numpy
        >>> array = numpy.zeros(2)
        >>> t = minigrad.from_numpy(array)
        >>> array[0] = 5
        >>> t
        tensor([5., 0.], dtype=torch.float64)
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    dtypes.of(ndarray)
    return Tensor._wrap(np.asarray(ndarray))


def _dtype_or_default(dtype: Any) -> np.dtype:
    return dtypes.default_float() if dtype is None else dtypes.to_numpy(dtype)


def _sizes(sizes: tuple[Any, ...], size: Any) -> tuple[int, ...]:
    return sizes_of(sizes if size is None else (size,))


def zeros(
    *sizes: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Zeros of the given sizes.

    Example:
        >>> import minigrad
        >>> minigrad.zeros(2, 3)
        tensor([[0., 0., 0.],
                [0., 0., 0.]])
    """
    return _finish(np.zeros(_sizes(sizes, size), _dtype_or_default(dtype)), requires_grad, device)


def ones(
    *sizes: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Ones of the given sizes.

    Example:
        >>> import minigrad
        >>> minigrad.ones(3)
        tensor([1., 1., 1.])
    """
    return _finish(np.ones(_sizes(sizes, size), _dtype_or_default(dtype)), requires_grad, device)


def empty(
    *sizes: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A tensor whose values are not set; here they are zeros.

    Example:
        >>> import minigrad
        >>> minigrad.empty(2, 3).shape
        torch.Size([2, 3])
    """
    return zeros(*sizes, size=size, dtype=dtype, device=device, requires_grad=requires_grad)


def full(
    size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """`fill_value` everywhere, in its own dtype unless another is given.

    Example:
        >>> import minigrad
        >>> minigrad.full((2,), 7)
        tensor([7, 7])
    """
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    kind = dtypes.scalar_dtype(value) if dtype is None else dtypes.to_numpy(dtype)
    return _finish(np.full(_sizes((), size), value, kind), requires_grad, device)


def _like(input: Tensor, dtype: Any) -> tuple[tuple[int, ...], np.dtype]:
    kind = input._array.dtype if dtype is None else dtypes.to_numpy(dtype)
    return input._array.shape, kind


def zeros_like(
    input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Zeros in the shape and dtype of `input`.

    Example:
        >>> import minigrad
        >>> minigrad.zeros_like(minigrad.tensor([1, 2]))
        tensor([0, 0])
    """
    return _finish(np.zeros(*_like(input, dtype)), requires_grad, device)


def ones_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones in the shape and dtype of `input`.

    Example:
        >>> import minigrad
        >>> minigrad.ones_like(minigrad.tensor([1.0, 2.0]))
        tensor([1., 1.])
    """
    return _finish(np.ones(*_like(input, dtype)), requires_grad, device)


def empty_like(
    input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A tensor in the shape and dtype of `input` whose values are not set; here they are zeros.

    Example:
        >>> import minigrad
        >>> minigrad.empty_like(minigrad.ones(2, 3)).shape
        torch.Size([2, 3])
    """
    return zeros_like(input, dtype=dtype, device=device, requires_grad=requires_grad)


def full_like(
    input: Tensor, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """`fill_value` in the shape and dtype of `input`.

    Example:
        >>> import minigrad
        >>> minigrad.full_like(minigrad.ones(2), 3)
        tensor([3., 3.])
    """
    shape, kind = _like(input, dtype)
    return _finish(np.full(shape, fill_value, kind), requires_grad, device)


def arange(
    start: Any,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """start, start + step, ... up to but not including `end`; int64 where all three are ints.

    Raises:
        RuntimeError: `step` is 0 or leads away from `end`.

    Example:
        >>> import minigrad
        >>> minigrad.arange(1, 2.5, 0.5)
        tensor([1.0000, 1.5000, 2.0000])
    """
    if end is None:
        start, end = 0, start
    start, end, step = (v.item() if isinstance(v, Tensor) else v for v in (start, end, step))
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) / step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    ints = all(isinstance(v, int) for v in (start, end, step))
    kind = (
        (dtypes.int64.numpy if ints else dtypes.default_float()) if dtype is None else dtypes.to_numpy(dtype)
    )
    count = math.ceil((end - start) / step)
    return _finish((start + np.arange(count) * step).astype(kind), requires_grad, device)


def linspace(
    start: Any, end: Any, steps: int, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """`steps` evenly spaced values from `start` to `end`, both included.

    Example:
        >>> import minigrad
        >>> minigrad.linspace(0, 1, 5)
        tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    kind = _dtype_or_default(dtype)
    if kind.kind != "f":
        return _finish(np.linspace(start, end, steps).astype(kind), requires_grad, device)
    return _finish(evenly_spaced(start, end, steps, kind), requires_grad, device)


def eye(
    n: int, m: int | None = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """The identity matrix.

    Example:
        >>> import minigrad
        >>> minigrad.eye(2)
        tensor([[1., 0.],
                [0., 1.]])
    """
    return _finish(np.eye(n, m, dtype=_dtype_or_default(dtype)), requires_grad, device)


def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`base` to the power of `steps` evenly spaced values from `start` to `end`, both included.

    Example:
        >>> import minigrad
        >>> minigrad.logspace(0, 2, 3)
        tensor([  1.,  10., 100.])
    """
    kind = _dtype_or_default(dtype)
    exponents = linspace(start, end, steps, dtype=dtypes.float64)._array
    return _finish((base**exponents).astype(kind), requires_grad, device)


def _triangle(places: Any, row: int, col: int, dtype: Any, device: Any) -> Tensor:
    for name, n in (("row", row), ("col", col)):
        if n < 0:
            raise RuntimeError(f"{name} must be non-negative, got{n}")
    kind = dtypes.int64.numpy if dtype is None else dtypes.to_numpy(dtype)
    return _finish(np.array(places, kind).reshape(2, -1), False, device)


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """The places of the lower triangle of a (row, col) matrix: their rows, and their columns.

    Example:
        >>> import minigrad
        >>> minigrad.tril_indices(2, 2)
        tensor([[0, 1, 1],
                [0, 0, 1]])
    """
    return _triangle(np.tril_indices(max(row, 0), offset, max(col, 0)), row, col, dtype, device)


def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """The places of the upper triangle of a (row, col) matrix: their rows, and their columns.

    Example:
        >>> import minigrad
        >>> minigrad.triu_indices(2, 2)
        tensor([[0, 0, 1],
                [0, 1, 1]])
    """
    return _triangle(np.triu_indices(max(row, 0), offset, max(col, 0)), row, col, dtype, device)


def scalar_tensor(s: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A 0-d tensor of a number, of the default float unless another dtype is given.

    Example:
        >>> import minigrad
        >>> minigrad.scalar_tensor(2)
        tensor(2.)
    """
    return _finish(np.array(s, _dtype_or_default(dtype)), requires_grad, device)


def numel(input: Tensor) -> int:
    """The number of elements.

    Example:
        >>> import minigrad
        >>> minigrad.numel(minigrad.zeros(2, 3))
        6
    """
    return input.numel()


def is_floating_point(input: Tensor) -> bool:
    """Whether the dtype is float32 or float64.

    Example:
        >>> import minigrad
        >>> minigrad.is_floating_point(minigrad.tensor([1]))
        False
    """
    return input.is_floating_point()


def promote_types(type1: dtypes.dtype, type2: dtypes.dtype) -> dtypes.dtype:
    """The smallest dtype that both fit in.

    Example:
        >>> import minigrad
        >>> minigrad.promote_types(minigrad.int64, minigrad.float32)
        torch.float32
    """
    return dtypes.from_numpy(dtypes.promote_types(type1.numpy, type2.numpy))


def result_type(tensor1: Any, tensor2: Any) -> dtypes.dtype:
    """The dtype of an operation on two tensors or numbers.

    Example:
        >>> import minigrad
        >>> minigrad.result_type(minigrad.tensor([1]), 1.5)
        torch.float32
    """
    operands = (x._array if isinstance(x, Variable) else x for x in (tensor1, tensor2))
    return dtypes.from_numpy(dtypes.result_type(*operands))


def is_nonzero(input: Tensor) -> bool:
    """Whether the only element of `input` is not zero.

    Raises:
        RuntimeError: there is none, or more than one.

    Example:
        >>> import minigrad
        >>> minigrad.is_nonzero(minigrad.tensor([0.5]))
        True
    """
    return bool(input)


def is_tensor(obj: Any) -> bool:
    """Whether `obj` is a tensor.

    Example:
        >>> import minigrad
        >>> minigrad.is_tensor(minigrad.ones(1)), minigrad.is_tensor(1)
        (True, False)
    """
    return isinstance(obj, Tensor)


def _legacy(kind: dtypes.dtype) -> Any:
    def constructor(*data: Any) -> Tensor:
        return Tensor._wrap(legacy_array(data, kind.numpy))

    constructor.__name__ = constructor.__qualname__ = kind.tensor_type
    constructor.__doc__ = f"""torch's legacy constructor of {kind.name} tensors, from values or sizes.

    Example:
        >>> import minigrad
        >>> minigrad.{kind.tensor_type}([1, 0]).dtype
        {kind!r}
    """
    return constructor


FloatTensor = _legacy(dtypes.float32)
DoubleTensor = _legacy(dtypes.float64)
LongTensor = _legacy(dtypes.int64)
IntTensor = _legacy(dtypes.int32)
ShortTensor = _legacy(dtypes.int16)
CharTensor = _legacy(dtypes.int8)
ByteTensor = _legacy(dtypes.uint8)
BoolTensor = _legacy(dtypes.bool)
