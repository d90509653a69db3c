"""Data types, sizes and the promotion rules, as torch has them.

Arrays carry NumPy dtypes; what a user sees is one of the `dtype` objects below. Promotion follows
torch, not NumPy: Python scalars are weak, 0-d tensors do not promote within their own kind
(bool < integer < float), and an integer meets a float at the float's width (int64 + float32 = float32).
"""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np


class dtype:
    """A data type of a tensor. Its text is torch's, so that scripts print the same.

    Example:
        >>> import minigrad
        >>> minigrad.float64
        torch.float64
        >>> minigrad.float64.itemsize, minigrad.int8.is_floating_point
        (8, False)
    """

    __slots__ = ("is_floating_point", "itemsize", "name", "numpy", "scalar_type", "tensor_type")

    is_complex = False

    def __init__(self, name: str, tensor_type: str, scalar_type: str) -> None:
        self.name = name
        self.numpy = np.dtype(name)
        self.itemsize = self.numpy.itemsize
        self.is_floating_point = self.numpy.kind == "f"
        self.tensor_type = tensor_type  # torch.FloatTensor and friends, for Tensor.type()
        self.scalar_type = scalar_type  # the name torch uses in its error messages

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name


float32 = float = dtype("float32", "FloatTensor", "Float")
float64 = double = dtype("float64", "DoubleTensor", "Double")
int64 = long = dtype("int64", "LongTensor", "Long")
int32 = int = dtype("int32", "IntTensor", "Int")
int16 = short = dtype("int16", "ShortTensor", "Short")
int8 = dtype("int8", "CharTensor", "Char")
uint8 = dtype("uint8", "ByteTensor", "Byte")
bool = dtype("bool", "BoolTensor", "Bool")

ALL = (float32, float64, int64, int32, int16, int8, uint8, bool)
_BY_NUMPY = {d.numpy: d for d in ALL}
_KIND_RANK = {"b": 0, "i": 1, "u": 1, "f": 2}

_default = float32


def of(array: Any) -> dtype:
    """The `dtype` of an ndarray; TypeError where minigrad has none (complex, strings, objects ...)."""
    return from_numpy(array.dtype)


def from_numpy(numpy_dtype: np.dtype) -> dtype:
    """The `dtype` that goes with a NumPy dtype."""
    found = _BY_NUMPY.get(numpy_dtype)
    if found is None:
        raise TypeError(
            f"can't convert np.ndarray of type {numpy_dtype}. The only supported types are: "
            + ", ".join(d.name for d in ALL)
            + ". Convert first, e.g. array.astype('float32')."
        )
    return found


def to_numpy(kind: Any) -> np.dtype:
    """The NumPy dtype for a `dtype`, a Python type (`float`, `int`, `bool`) or a NumPy dtype."""
    if isinstance(kind, dtype):
        return kind.numpy
    if kind is builtins.float:
        return _default.numpy
    if kind is builtins.int:
        return int64.numpy
    if kind is builtins.bool:
        return bool.numpy
    return from_numpy(np.dtype(kind)).numpy


def get_default_dtype() -> dtype:
    """The dtype of new floating-point tensors, float32 unless set.

    Example:
        >>> import minigrad
        >>> minigrad.get_default_dtype()
        torch.float32
    """
    return _default


def set_default_dtype(d: dtype) -> None:
    """Make `d` (float32 or float64) the dtype of new floating-point tensors.

    Raises:
        TypeError: if `d` is not a floating-point dtype.

    Example:
        >>> import minigrad
        >>> minigrad.set_default_dtype(minigrad.float64)
        >>> minigrad.tensor([1.5]).dtype
        torch.float64
        >>> minigrad.set_default_dtype(minigrad.float32)
    """
    global _default
    if not (isinstance(d, dtype) and d.is_floating_point):
        raise TypeError(
            f"only floating-point types are supported as the default type, but got {d}. "
            "Use float32 or float64."
        )
    _default = d


def default_float() -> np.dtype:
    """The default floating-point type as a NumPy dtype."""
    return _default.numpy


def promote_types(a: np.dtype, b: np.dtype) -> np.dtype:
    """The smallest dtype both fit in, by torch's table (a float beats any integer at its own width)."""
    if (a.kind == "f") != (b.kind == "f"):
        return a if a.kind == "f" else b
    return np.promote_types(a, b)


def _combine(higher: np.dtype | None, lower: np.dtype | None) -> np.dtype | None:
    """The dtype of operands of two ranks: the lower rank counts only where it is of a higher kind."""
    if higher is None or lower is None:
        return higher or lower
    if _KIND_RANK[lower.kind] > _KIND_RANK[higher.kind]:
        return promote_types(higher, lower)
    return higher


def result_type(*operands: Any) -> np.dtype:
    """torch's result dtype of an operation on ndarrays and Python scalars, as a NumPy dtype."""
    dimensioned: np.dtype | None = None
    zero_dim: np.dtype | None = None
    weak: np.dtype | None = None
    for operand in operands:
        if isinstance(operand, np.ndarray):
            if operand.ndim:
                dimensioned = promote_types(dimensioned or operand.dtype, operand.dtype)
            else:
                zero_dim = promote_types(zero_dim or operand.dtype, operand.dtype)
        else:
            scalar = scalar_dtype(operand)
            weak = promote_types(weak or scalar, scalar)
    found = _combine(dimensioned, _combine(zero_dim, weak))
    assert found is not None, "result_type needs an operand"
    return found


def scalar_dtype(value: Any) -> np.dtype:
    """The dtype a Python scalar takes on its own: bool, int64 or the default float."""
    if isinstance(value, builtins.bool):
        return bool.numpy
    if isinstance(value, builtins.int):
        return int64.numpy
    return _default.numpy


class Size(tuple):
    """The shape of a tensor: a tuple of ints that prints as torch's.

    Example:
        >>> import minigrad
        >>> minigrad.zeros(2, 3).shape
        torch.Size([2, 3])
        >>> minigrad.zeros(2, 3).shape.numel()
        6
    """

    __slots__ = ()

    def numel(self) -> Any:
        """The number of elements, the product of the sizes."""
        return math.prod(self)

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(map(str, self))}])"

    __str__ = __repr__

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return Size(found) if isinstance(index, slice) else found

    def __add__(self, other: Any) -> Size:
        return Size(tuple(self) + tuple(other))


class device:
    """Where tensors live: always the CPU.

    Raises:
        AssertionError: CUDA is asked for, as torch without it does.
        RuntimeError: another device is asked for.

    Example:
        >>> import minigrad
        >>> minigrad.device("cpu")
        device(type='cpu')
    """

    __slots__ = ("index", "type")

    def __init__(self, type: Any = "cpu", index: Any = None) -> None:
        name = str(type)
        if name.split(":")[0] == "cuda":
            raise AssertionError(
                "Torch not compiled with CUDA enabled\n"
                "minigrad computes on the CPU only. Use 'cpu', or leave the device out."
            )
        if name.split(":")[0] != "cpu":
            raise RuntimeError(
                f"minigrad computes on the CPU only, but device {name!r} was asked for. Use 'cpu', or leave "
                "the device out."
            )
        self.type, self.index = "cpu", index

    def __repr__(self) -> str:
        return "device(type='cpu')"

    def __str__(self) -> str:
        return "cpu"

    def __eq__(self, other: object) -> Any:
        return isinstance(other, device) or NotImplemented

    def __hash__(self) -> Any:
        return hash(self.type)


CPU = device()


def check_device(given: Any) -> None:
    """Accept None and the CPU; an error for anything else."""
    if given is not None:
        device(given)


class finfo:
    """Limits of a floating-point dtype: `eps`, `max`, `min`, `tiny`, `bits`.

    Example:
        >>> import minigrad
        >>> minigrad.finfo(minigrad.float32).eps
        1.1920928955078125e-07
    """

    def __init__(self, kind: dtype | None = None) -> None:
        info = np.finfo((kind or _default).numpy)
        self.bits = info.bits
        self.eps = info.eps.item()
        self.max, self.min = info.max.item(), info.min.item()
        self.tiny = self.smallest_normal = info.tiny.item()
        self.dtype = str(info.dtype)


class iinfo:
    """Limits of an integer dtype: `max`, `min`, `bits`.

    Raises:
        TypeError: the dtype is none of integers.

    Example:
        >>> import minigrad
        >>> minigrad.iinfo(minigrad.int8)
        iinfo(min=-128, max=127, dtype=int8)
    """

    def __init__(self, type: dtype) -> None:
        if not isinstance(type, dtype):
            name = type.__class__.__name__
            raise TypeError(f"iinfo(): argument 'type' (position 1) must be torch.dtype, not {name}")
        if type.numpy.kind == "f":
            raise TypeError(
                "torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'"
            )
        if type.numpy.kind not in "iu":
            raise TypeError(f"{type!r} is not supported by torch.iinfo")
        info = np.iinfo(type.numpy)
        self.bits, self.min, self.max, self.dtype = info.bits, info.min, info.max, str(info.dtype)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"
