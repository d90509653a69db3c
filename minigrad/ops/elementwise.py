"""Elementwise operations: arithmetic, powers, extremes and choices.

Their relatives are in `logarithms`, `trigonometry`, `rounding` and `special`.

Each is stated once: its NumPy function, its docstring, its cotangent rules. Kinks follow torch: abs'(0) = 0,
clamp passes the gradient at its bounds, a tie of maximum or minimum shares it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import dtypes
from minigrad.autograd.op import Primitive, PrimitiveNode, cast, common_operands, primitive
from minigrad.autograd.tape import Variable
from minigrad.ops.comparison import logical_not


def floats_only(*operands: Any) -> tuple[Any, ...]:
    """The operands of an implementation that has none for integers."""
    if np.result_type(*operands).kind != "f":
        raise TypeError("not supported for the input types")
    return operands


# ------------------------------------------------------------------------------------------ arithmetic
add: Primitive = primitive(
    np.add,
    doc="""a + b, with broadcasting.

    Example:
        >>> import minigrad
        >>> minigrad.tensor([1.0, 2.0]) + minigrad.tensor([[10.0], [20.0]])
        tensor([[11., 12.],
                [21., 22.]])
    """,
).vjp(lambda g: g, lambda g: g)


def _first_is_number(yes: str, no: str) -> Callable[[PrimitiveNode], str]:
    """The names torch has for an operation on a number and a tensor, and on two tensors."""
    return lambda node: yes if node.shapes[0] is None else no


sub: Primitive = primitive(
    np.subtract,
    name="sub",
    grad_name=_first_is_number("RsubBackward1", "SubBackward0"),
    doc="""a - b, with broadcasting.

    Raises:
        RuntimeError: both are bool.

    Example:
        >>> import minigrad
        >>> minigrad.tensor([1.0, 2.0]) - 1
        tensor([0., 1.])
    """,
).vjp(lambda g: g, lambda g: -g)


def add_scaled(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """input + alpha * other, with broadcasting.

    Example:
        >>> import minigrad
        >>> minigrad.add(minigrad.tensor([1.0, 2.0]), 10, alpha=2)
        tensor([21., 22.])
    """
    return add(input, other if alpha == 1 else other * alpha)


def sub_scaled(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """input - alpha * other, with broadcasting.

    Example:
        >>> import minigrad
        >>> minigrad.sub(minigrad.tensor([1.0, 2.0]), 10, alpha=2)
        tensor([-19., -18.])
    """
    return sub(input, other if alpha == 1 else other * alpha)


mul: Primitive = primitive(
    np.multiply,
    name="mul",
    doc="""a * b, with broadcasting.

    Example:
        >>> import minigrad
        >>> minigrad.tensor([1.0, 2.0]) * minigrad.tensor([3, 4])
        tensor([3., 8.])
    """,
).vjp(lambda g, b: g * b, lambda g, a: g * a)

div: Primitive = primitive(
    np.true_divide,
    name="div",
    promote="float",
    grad_name=_first_is_number("MulBackward0", "DivBackward0"),
    doc="""a / b, with broadcasting; integers are divided as floats. Division by zero gives inf or nan.

    Example:
        >>> import minigrad
        >>> minigrad.tensor([1, 2, 0]) / 0
        tensor([inf, inf, nan])
    """,
).vjp(lambda g, b: g / b, lambda g, y, b: -g * y / b)

neg: Primitive = primitive(
    np.negative,
    name="neg",
    doc="""-x.

    Example:
        >>> import minigrad
        >>> -minigrad.tensor([1.0, -2.0])
        tensor([-1.,  2.])
    """,
).vjp(lambda g: -g)


def _pow_exponent_rule(g: Any, y: Any, input: Any, exponent: Any) -> Any:
    """g y log(input); 0 at input = 0, where the power is flat for an exponent >= 0."""
    if isinstance(input, (int, float)):
        input = np.asarray(input, _dtype_of(g))
    flat = (input == 0) & (exponent >= 0)
    return where(flat, 0.0, g * y * log(where(flat, 1.0, input)))


def _pow_base_rule(g: Any, input: Any, exponent: Any) -> Any:
    """g exponent input**(exponent - 1); 0 where the exponent is 0, also at 0."""
    if isinstance(exponent, (int, float)):
        return g * (exponent * pow(input, exponent - 1)) if exponent != 0 else g * 0
    return where(exponent == 0, 0.0, g * (exponent * pow(input, exponent - 1)))


def _pow(a: ndarray, b: ndarray) -> ndarray:
    if type(b) in (int, float):  # the powers that losses and norms use, at the speed of a product
        if b == 2:
            return a * a
        if b == 0.5:
            return np.sqrt(a)
    return np.power(a, b)


def _pow_name(node: PrimitiveNode) -> str:
    if node.shapes[1] is None:
        return "PowBackward0"
    return "PowBackward2" if node.shapes[0] is None else "PowBackward1"


pow: Primitive = primitive(
    _pow,
    ufunc=np.power,
    operands=("input", "exponent"),
    promote="common",
    grad_name=_pow_name,
    doc="""a ** b, with broadcasting.

    Raises:
        RuntimeError: an integer tensor to a negative integer power.

    Example:
        >>> import minigrad
        >>> minigrad.tensor([1.0, 2.0, 3.0]) ** 2
        tensor([1., 4., 9.])
    """,
).vjp(_pow_base_rule, _pow_exponent_rule)

# --------------------------------------------------------------------- exponentials, logarithms, roots
exp: Primitive = primitive(
    np.exp,
    promote="float",
    doc="""e ** x.

    Example:
        >>> import minigrad
        >>> minigrad.exp(minigrad.tensor([0.0, 1.0]))
        tensor([1.0000, 2.7183])
    """,
).vjp(lambda g, y: g * y)

expm1: Primitive = primitive(
    np.expm1,
    promote="float",
    doc="""e ** x - 1, accurate near 0.

    Example:
        >>> import minigrad
        >>> minigrad.expm1(minigrad.tensor([0.0, 1e-4]))
        tensor([0.0000, 0.0001])
    """,
).vjp(lambda g, y: g * (y + 1))

log: Primitive = primitive(
    np.log,
    promote="float",
    doc="""The natural logarithm; -inf at 0, nan below.

    Example:
        >>> import minigrad
        >>> minigrad.log(minigrad.tensor([1.0, 0.0, -1.0]))
        tensor([0., -inf, nan])
    """,
).vjp(lambda g, x: g / x)

log1p: Primitive = primitive(
    np.log1p,
    promote="float",
    grad_name="Log1PBackward0",
    doc="""log(1 + x), accurate near 0.

    Example:
        >>> import minigrad
        >>> minigrad.log1p(minigrad.tensor([0.0, 1.0]))
        tensor([0.0000, 0.6931])
    """,
).vjp(lambda g, x: g / (x + 1))

sqrt: Primitive = primitive(
    np.sqrt,
    promote="float",
    doc="""The square root; nan below 0, and an infinite derivative at 0.

    Example:
        >>> import minigrad
        >>> minigrad.sqrt(minigrad.tensor([4.0, 2.0]))
        tensor([2.0000, 1.4142])
    """,
).vjp(lambda g, y: g / (2 * y))


def _rsqrt(x: ndarray) -> ndarray:
    return 1 / np.sqrt(x)


rsqrt: Primitive = primitive(
    _rsqrt,
    promote="float",
    elementwise=True,
    doc="""1 / sqrt(x).

    Example:
        >>> import minigrad
        >>> minigrad.rsqrt(minigrad.tensor([4.0]))
        tensor([0.5000])
    """,
).vjp(lambda g, y: -0.5 * g * y * y * y)

reciprocal: Primitive = primitive(
    np.reciprocal,
    promote="float",
    doc="""1 / x.

    Example:
        >>> import minigrad
        >>> minigrad.reciprocal(minigrad.tensor([4.0]))
        tensor([0.2500])
    """,
).vjp(lambda g, y: -g * y * y)


def _square(x: ndarray) -> ndarray:
    return np.square(x, dtype=np.int64) if x.dtype == bool else np.square(x)


square: Primitive = primitive(
    _square,
    ufunc=np.square,
    grad_name="PowBackward0",
    doc="""x ** 2.

    Example:
        >>> import minigrad
        >>> minigrad.square(minigrad.tensor([-3.0]))
        tensor([9.])
    """,
).vjp(lambda g, x: g * (2 * x))

# --------------------------------------------------------------------------------- kinks, extremes, choice
abs: Primitive = primitive(
    np.absolute,
    name="abs",
    doc="""The absolute value; its derivative at 0 is 0.

    Example:
        >>> import minigrad
        >>> minigrad.abs(minigrad.tensor([-1.5, 2.0]))
        tensor([1.5000, 2.0000])
    """,
).vjp(lambda g, x: g * sign(x))


def _sign(x: ndarray) -> ndarray:
    if x.dtype == bool:
        return x.copy()
    return np.subtract(x > 0, x < 0, dtype=x.dtype)


sign: Primitive = primitive(
    _sign,
    ufunc=np.sign,
    doc="""-1, 0 or 1, and 0 for nan; its derivative is 0.

    Example:
        >>> import minigrad
        >>> minigrad.sign(minigrad.tensor([-1.5, 0.0, 2.0]))
        tensor([-1.,  0.,  1.])
    """,
).vjp(lambda g: g * 0)

sgn: Primitive = primitive(
    _sign,
    name="sgn",
    doc="""`sign` under the name that it has for complex numbers.

    Example:
        >>> import minigrad
        >>> minigrad.sgn(minigrad.tensor([-1.5, 0.0, 2.0]))
        tensor([-1.,  0.,  1.])
    """,
).vjp(lambda g: g * 0)


def positive(input: Any) -> Any:
    """+x, the tensor itself.

    Raises:
        RuntimeError: the tensor is bool.

    Example:
        >>> import minigrad
        >>> minigrad.positive(minigrad.tensor([1.0, -2.0]))
        tensor([ 1., -2.])
    """
    if input._array.dtype == bool:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


maximum: Primitive = primitive(
    np.maximum,
    doc="""The larger of a and b; nan where either is. A tie shares the gradient.

    Example:
        >>> import minigrad
        >>> minigrad.maximum(minigrad.tensor([1.0, 5.0]), minigrad.tensor([3.0, 2.0]))
        tensor([3., 5.])
    """,
).vjp(
    lambda g, a, b: g * _preference(a < b, a == b, g),
    lambda g, a, b: g * _preference(b < a, a == b, g),
)

minimum: Primitive = primitive(
    np.minimum,
    doc="""The smaller of a and b; nan where either is. A tie shares the gradient.

    Example:
        >>> import minigrad
        >>> minigrad.minimum(minigrad.tensor([1.0, 5.0]), minigrad.tensor([3.0, 2.0]))
        tensor([1., 2.])
    """,
).vjp(
    lambda g, a, b: g * _preference(a > b, a == b, g),
    lambda g, a, b: g * _preference(b > a, a == b, g),
)


def _preference(loses: Any, ties: Any, g: Any) -> Any:
    """0 where an operand loses, 1/2 where it ties, else 1 (also for nan), in the dtype of g."""
    return where(ties, 0.5, as_float(logical_not(loses), like=g))


def _dtype_of(like: Any) -> np.dtype:
    return (like._array if isinstance(like, Variable) else like).dtype


def as_float(mask: Any, *, like: Any) -> Any:
    """A bool mask as numbers of the dtype of `like`, both arrays or variables."""
    return cast(mask, dtype=_dtype_of(like), source=np.dtype(bool))


def _where(condition: ndarray, a: ndarray, b: ndarray) -> ndarray:
    return np.where(condition, a, b)


_select: Primitive = primitive(_where).vjp(
    None,
    lambda g, condition: _select(condition, g, g * 0),
    lambda g, condition: _select(condition, g * 0, g),
)


def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """`input` where `condition` holds, else `other`; the branch not taken gets a zero gradient.

    Of a condition alone: the indices of its nonzero elements, a tensor for each dimension.

    Raises:
        RuntimeError: `condition` is not bool.
        TypeError: one of `input` and `other` is missing.

    Example:
        >>> import minigrad
        >>> x = minigrad.tensor([1.0, -2.0])
        >>> minigrad.where(x > 0, x, 0.0)
        tensor([1., 0.])
    """
    mask = condition._array if isinstance(condition, Variable) else condition
    if input is None or other is None:
        if input is not other:
            raise TypeError("where() expects both input and other, or neither")
        return tuple(condition._result._wrap(places) for places in np.nonzero(np.atleast_1d(mask)))
    if np.asarray(mask).dtype != bool:
        raise RuntimeError(
            f"expected condition to be a boolean tensor, but got a tensor with dtype "
            f"{dtypes.of(np.asarray(mask)).scalar_type}. Write a comparison, e.g. condition != 0."
        )
    return _select(condition, *common_operands(_select, (input, other)))


def _clamp(x: ndarray, *, low: Any, high: Any) -> ndarray:
    if low is None:
        return np.minimum(x, high)
    return np.maximum(x, low) if high is None else np.minimum(np.maximum(x, low), high)


_clamp_scalar: Primitive = primitive(_clamp, name="clamp", grad_name="ClampBackward1").vjp(
    lambda g, x, low, high: g * as_float(_inside(x, low, high), like=g)
)


def _inside(x: Any, low: Any, high: Any) -> Any:
    """Where clamping changes nothing, its bounds included."""
    if low is None:
        return x <= high
    return x >= low if high is None else (x >= low) & (x <= high)


def clamp(input: Any, min: Any = None, max: Any = None) -> Any:
    """`input` limited to [min, max]; either bound, a number or a tensor, may be missing.

    Raises:
        RuntimeError: both bounds are missing.

    Example:
        >>> import minigrad
        >>> minigrad.clamp(minigrad.tensor([-1.0, 0.5, 3.0]), 0, 1)
        tensor([0.0000, 0.5000, 1.0000])
    """
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if isinstance(min, Variable) or isinstance(max, Variable):
        if min is not None:
            input = where(input < min, min, input)
        return input if max is None else where(input > max, max, input)
    array = input._array if isinstance(input, Variable) else input
    target = dtypes.result_type(array, *(b for b in (min, max) if b is not None))
    if target != array.dtype:
        input = cast(input, dtype=target, source=array.dtype)
    return _clamp_scalar(input, low=min, high=max)
