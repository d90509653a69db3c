"""Arithmetic of several operands: products and quotients added, blends, powers, signs and neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import dtypes
from minigrad.autograd.op import Primitive, PrimitiveNode, cast, primitive
from minigrad.autograd.tape import Variable
from minigrad.ops.elementwise import floats_only, pow, sign
from minigrad.ops.logarithms import exp2


def _reversed(other: ndarray, input: ndarray, *, alpha: Any = 1) -> ndarray:
    return np.subtract(other, input if alpha == 1 else input * alpha)


def _rsub_name(node: PrimitiveNode) -> str:
    return "RsubBackward1" if node.shapes[0] is None else "RsubBackward0"


_rsub: Primitive = primitive(_reversed, name="rsub", promote="common", grad_name=_rsub_name).vjp(
    lambda g: g, lambda g, alpha: -g * alpha
)


def rsub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """other - alpha * input, with broadcasting.

    Raises:
        RuntimeError: both are bool.

    Example:
        >>> import minigrad
        >>> minigrad.rsub(minigrad.tensor([1.0, 2.0]), 10)
        tensor([9., 8.])
    """
    return _rsub(other, input, alpha=alpha)


def _addcmul(input: ndarray, tensor1: ndarray, tensor2: ndarray, *, value: Any) -> ndarray:
    return input + (tensor1 if value == 1 else tensor1 * value) * tensor2


_add_product: Primitive = primitive(_addcmul, promote="common").vjp(
    lambda g: g,
    lambda g, tensor2, value: g * value * tensor2,
    lambda g, tensor1, value: g * value * tensor1,
)


def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """input + value * tensor1 * tensor2, with broadcasting.

    Raises:
        TypeError: an operand is no tensor.
        NotImplementedError: all are bool.

    Example:
        >>> import minigrad
        >>> x = minigrad.tensor([1.0, 2.0])
        >>> minigrad.addcmul(x, x, x, value=10)
        tensor([11., 42.])
    """
    _tensors("addcmul", input=input, tensor1=tensor1, tensor2=tensor2)
    kind = dtypes.result_type(input._array, tensor1._array, tensor2._array).kind
    if kind == "b":
        raise NotImplementedError("\"addcmul_cpu_out\" not implemented for 'Bool'")
    return _add_product(input, tensor1, tensor2, value=value if kind == "f" else int(value))


def _addcdiv(input: ndarray, tensor1: ndarray, tensor2: ndarray, *, value: Any) -> ndarray:
    return input + (tensor1 if value == 1 else tensor1 * value) / tensor2


_add_quotient: Primitive = primitive(_addcdiv, promote="common").vjp(
    lambda g: g,
    lambda g, tensor2, value: g * value / tensor2,
    lambda g, tensor1, tensor2, value: -g * value * tensor1 / (tensor2 * tensor2),
)


def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """input + value * tensor1 / tensor2, with broadcasting.

    Raises:
        TypeError: an operand is no tensor.
        RuntimeError: both tensor1 and tensor2 are of integers.

    Example:
        >>> import minigrad
        >>> x = minigrad.tensor([1.0, 2.0])
        >>> minigrad.addcdiv(x, x, x + x, value=10)
        tensor([6., 7.])
    """
    _tensors("addcdiv", input=input, tensor1=tensor1, tensor2=tensor2)
    if tensor1._array.dtype.kind != "f" and tensor2._array.dtype.kind != "f":
        raise RuntimeError(_INTEGER_ADDCDIV)
    return _add_quotient(input, tensor1, tensor2, value=value)


_INTEGER_ADDCDIV = (
    "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will perform a "
    "true division of tensor1 and tensor2. The historic addcdiv behavior can be implemented as "
    "(input + value * torch.trunc(tensor1 / tensor2)).to(input.dtype) for integer inputs and as "
    "(input + value * tensor1 / tensor2) for float inputs. The future addcdiv behavior is just the latter "
    "implementation: (input + value * tensor1 / tensor2), for all dtypes."
)


def _tensors(name: str, **operands: Any) -> None:
    for place, (operand, given) in enumerate(operands.items(), 1):
        if not isinstance(given, Variable):
            raise TypeError(
                f"{name}(): argument '{operand}' (position {place}) must be Tensor, "
                f"not {type(given).__name__}"
            )


def _blend(input: ndarray, end: ndarray, weight: Any) -> ndarray:
    way = end - input
    return np.where(np.abs(weight) < 0.5, input + weight * way, end - way * (1 - weight))


def _blend_name(node: PrimitiveNode) -> str:
    return "LerpBackward0" if node.shapes[2] is None else "LerpBackward1"


_lerp: Primitive = primitive(_blend, name="lerp", promote="common", grad_name=_blend_name).vjp(
    lambda g, weight: g * (1 - weight),
    lambda g, weight: g * weight,
    lambda g, input, end: g * (end - input),
)


def lerp(input: Any, end: Any, weight: Any) -> Any:
    """input + weight * (end - input), with broadcasting; the weight is a number or a tensor.

    Raises:
        RuntimeError: the dtypes differ.
        NotImplementedError: the tensors are not of floats.

    Example:
        >>> import minigrad
        >>> minigrad.lerp(minigrad.tensor([0.0, 10.0]), minigrad.tensor([1.0, 20.0]), 0.25)
        tensor([ 0.2500, 12.5000])
    """
    _tensors("lerp", input=input, end=end)
    kind = dtypes.of(input._array)
    for name, given in (("end", end), ("weight", weight)):
        if isinstance(given, Variable) and given._array.dtype != input._array.dtype:
            raise RuntimeError(
                f"expected dtype {_TYPE_NAMES[kind.scalar_type]} for `{name}` but got dtype "
                f"{_TYPE_NAMES[dtypes.of(given._array).scalar_type]}"
            )
    if input._array.dtype.kind != "f":
        operand = "tensor" if isinstance(weight, Variable) else "scalar"
        raise NotImplementedError(f'"lerp_kernel_{operand}" not implemented for {kind.scalar_type!r}')
    return _lerp(input, end, weight)


# C's names, in which torch speaks of dtypes here.
_TYPE_NAMES = {
    **{name: name.lower() for name in ("Float", "Double", "Int", "Bool")},
    "Long": "long int",
    "Short": "short int",
    "Char": "signed char",
    "Byte": "unsigned char",
}


def _ldexp(x: ndarray, other: ndarray) -> ndarray:
    return x * np.exp2(other)


ldexp: Primitive = primitive(
    _ldexp,
    promote="float",
    elementwise=True,
    doc="""x * 2**other, with broadcasting.

    Example:
        >>> import minigrad
        >>> minigrad.ldexp(minigrad.tensor([1.5, 1.5]), minigrad.tensor([1, 4]))
        tensor([ 3., 24.])
    """,
).vjp(lambda g, other: g * exp2(other), lambda g, y: g * y * 0.6931471805599453)


def float_power(input: Any, exponent: Any) -> Any:
    """input ** exponent in float64, with broadcasting.

    Example:
        >>> import minigrad
        >>> minigrad.float_power(minigrad.tensor([2, 3]), -1)
        tensor([0.5000, 0.3333], dtype=torch.float64)
    """
    return pow(_doubled(input), _doubled(exponent))


def float_power_of(self: Any, exponent: Any) -> Any:
    """`float_power` for its in-place twin.

    Raises:
        RuntimeError: the tensor is not float64.
    """
    if self._array.dtype != np.float64:
        raise RuntimeError(
            f"the base given to float_power_ has dtype {dtypes.of(self._array).scalar_type} but the "
            "operation's result requires dtype Double"
        )
    return float_power(self, exponent)


def _doubled(operand: Any) -> Any:
    if isinstance(operand, Variable) and operand._array.dtype != np.float64:
        return cast(operand, dtype=np.dtype(np.float64), source=operand._array.dtype)
    return operand if isinstance(operand, Variable) else float(operand)


def _copysign_name(node: PrimitiveNode) -> str:
    return "CopysignBackward1" if node.shapes[1] is None else "CopysignBackward0"


copysign: Primitive = primitive(
    np.copysign,
    promote="float",
    grad_name=_copysign_name,
    doc="""|a| with the sign of b, with broadcasting; its derivative at a = 0 is 0.

    Example:
        >>> import minigrad
        >>> minigrad.copysign(minigrad.tensor([1.0, -2.0]), minigrad.tensor([-1.0, 3.0]))
        tensor([-1.,  2.])
    """,
).vjp(lambda g, y, a: g * (sign(y) * sign(a)), lambda g: g * 0)


def _nextafter(a: ndarray, b: ndarray) -> ndarray:
    return np.nextafter(*floats_only(a, b))


nextafter: Primitive = primitive(
    _nextafter,
    ufunc=np.nextafter,
    promote="common",
    doc="""The neighbour of a, among the numbers of its dtype, in the direction of b.

    Raises:
        NotImplementedError: both are of integers.

    Example:
        >>> import minigrad
        >>> minigrad.nextafter(minigrad.tensor([1.0]), minigrad.tensor([2.0])) - 1
        tensor([1.1921e-07])
    """,
).vjp(lambda g: g, lambda g: g * 0)


def _heaviside(a: ndarray, b: ndarray) -> ndarray:
    return np.where(a == 0, b, (a > 0).astype(b.dtype))


_step: Primitive = primitive(_heaviside, ufunc=np.heaviside, operands=("a", "b"))


def heaviside(input: Any, values: Any) -> Any:
    """0 for negative numbers, 1 for positive ones, and at 0 what `values` has; no gradient.

    Raises:
        RuntimeError: the dtypes differ.

    Example:
        >>> import minigrad
        >>> minigrad.heaviside(minigrad.tensor([-1.0, 0.0, 2.0]), minigrad.tensor([0.5]))
        tensor([0.0000, 0.5000, 1.0000])
    """
    _tensors("heaviside", input=input, values=values)
    if input._array.dtype != values._array.dtype:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")
    return _step(input, values)
