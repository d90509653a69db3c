"""Matrix products."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import dtypes
from minigrad.autograd.op import NotAnOperand, Primitive, primitive
from minigrad.autograd.tape import Variable
from minigrad.kernels.jit import note_product
from minigrad.ops.dims import ndim_of
from minigrad.ops.shape import reshape_to, squeeze_axes, swap_last


def column(x: Any) -> Any:
    """A vector, or each vector of a stack, as a matrix of one column."""
    return reshape_to(x, shape=(*x.shape, 1))


def _left_rule(g: Any, a_shape: tuple[int, ...], b: Any) -> Any:
    """g bᵀ, in the ranks that matmul allows."""
    if len(b.shape) == 1:
        return reshape_to(g, shape=(*g.shape, 1)) * b
    if len(a_shape) == 1:
        return squeeze_axes(matmul_arrays(b, column(g)), axes=(len(b.shape) - 1,))
    return matmul_arrays(g, swap_last(b))


def _right_rule(g: Any, a: Any, b_shape: tuple[int, ...]) -> Any:
    """aᵀ g, in the ranks that matmul allows."""
    if len(a.shape) == 1 and len(b_shape) == 1:
        return reshape_to(g, shape=(*g.shape, 1)) * a
    if len(a.shape) == 1:
        return column(a) * reshape_to(g, shape=(*g.shape[:-1], 1, g.shape[-1]))
    if len(b_shape) == 1:
        return squeeze_axes(matmul_arrays(swap_last(a), column(g)), axes=(len(a.shape) - 1,))
    return matmul_arrays(swap_last(a), g)


def _matmul_name(node: Any) -> str:
    ranks = len(node.shapes[0]), len(node.shapes[1])
    names = {(1, 1): "Dot", (2, 1): "Mv", (2, 2): "Mm", (2, 3): "Clone"}
    return "SqueezeBackward4" if ranks == (1, 2) else names.get(ranks, "UnsafeView") + "Backward0"


def _matmul(a: ndarray, b: ndarray) -> ndarray:
    product = np.matmul(a, b)
    note_product(product.size * a.shape[-1])
    return product


matmul_arrays: Primitive = primitive(
    _matmul,
    ufunc=np.matmul,
    promote=None,
    grad_name=_matmul_name,
    doc="The product itself, without `matmul`'s checks.",
).vjp(_left_rule, _right_rule)


def matmul(input: Any, other: Any) -> Any:
    """The product of vectors, matrices or stacks of matrices; leading dimensions broadcast.

    Raises:
        RuntimeError: the inner sizes or the dtypes differ, or an operand is 0-d.

    Example:
        >>> import minigrad
        >>> minigrad.tensor([[1.0, 2.0], [3.0, 4.0]]) @ minigrad.tensor([1.0, 1.0])
        tensor([3., 7.])
    """
    a, b = _array_of(input), _array_of(other)
    if a.dtype is not b.dtype and a.dtype != b.dtype:
        raise RuntimeError(
            f"expected m1 and m2 to have the same dtype, but got: {_c_name(a)} != {_c_name(b)}\n"
            "Convert one, e.g. with .float() or .to(other.dtype)."
        )
    if a.ndim == 0 or b.ndim == 0:
        raise RuntimeError(
            "both arguments to matmul need to be at least 1D, but they are "
            f"{a.ndim}D and {b.ndim}D\nUse * to multiply by a scalar."
        )
    if a.shape[-1] != b.shape[-2 if b.ndim > 1 else 0]:
        raise RuntimeError(mismatch(a, b))
    if a.ndim > 2 and b.ndim > 2 and a.shape[:-2] != b.shape[:-2]:
        _check_batches(a.shape[:-2], b.shape[:-2])
    return matmul_arrays(input, other)


def _check_batches(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    """The leading dimensions of two stacks of matrices must broadcast."""
    ndim = max(len(a), len(b))
    for back in range(1, min(len(a), len(b)) + 1):
        if a[-back] != b[-back] and 1 not in (a[-back], b[-back]):
            raise RuntimeError(
                f"The size of tensor a ({a[-back]}) must match the size of tensor b ({b[-back]}) at "
                f"non-singleton dimension {ndim - back}\n"
                f"The leading dimensions {list(a)} and {list(b)} of the stacks must be equal, or 1."
            )


def _array_of(operand: Any) -> ndarray:
    if isinstance(operand, Variable):
        return operand._array
    if isinstance(operand, ndarray):
        return operand
    raise NotAnOperand(f"matmul(): argument 'other' must be Tensor, not {type(operand).__name__}")


def _c_name(array: ndarray) -> str:
    name = dtypes.of(array).name
    names = {"float32": "float", "float64": "double", "int64": "long int", "int32": "int"}
    names |= {"int16": "short int", "int8": "signed char", "uint8": "unsigned char"}
    return names.get(name, name)


def mismatch(a: ndarray, b: ndarray) -> str:
    """torch's words for matrices or vectors whose inner sizes differ."""
    if a.ndim == b.ndim == 1:
        return (
            f"inconsistent tensor size, expected tensor [{a.size}] and src [{b.size}] to have the same "
            f"number of elements, but got {a.size} and {b.size} elements respectively"
        )
    if b.ndim == 1:
        return f"size mismatch, got input ({a.shape[-2]}), mat ({a.shape[-2]}x{a.shape[-1]}), vec ({b.size})"
    rows = int(np.prod(a.shape[:-1])) if b.ndim == 2 else a.shape[-2] if a.ndim > 1 else 1
    text = f"mat1 and mat2 shapes cannot be multiplied ({rows}x{a.shape[-1]} and {b.shape[-2]}x{b.shape[-1]})"
    return (
        f"{text}\nThe last size of {list(a.shape)} must equal the second to last of {list(b.shape)}; "
        "is a transpose (.T) or a reshape missing?"
    )


def mm(input: Any, mat2: Any) -> Any:
    """The product of two matrices.

    Example:
        >>> import minigrad
        >>> minigrad.mm(minigrad.eye(2), minigrad.ones(2, 1))
        tensor([[1.],
                [1.]])
    """
    for name, operand in (("self", input), ("mat2", mat2)):
        if ndim_of(operand) != 2:
            raise RuntimeError(f"{name} must be a matrix")
    return matmul(input, mat2)


def dot(input: Any, tensor: Any) -> Any:
    """The inner product of two vectors.

    Example:
        >>> import minigrad
        >>> minigrad.dot(minigrad.tensor([1.0, 2.0]), minigrad.tensor([3.0, 4.0]))
        tensor(11.)
    """
    if ndim_of(input) != 1 or ndim_of(tensor) != 1:
        raise RuntimeError(f"1D tensors expected, but got {ndim_of(input)}D and {ndim_of(tensor)}D tensors")
    kinds = [dtypes.of(x._array if isinstance(x, Variable) else x) for x in (input, tensor)]
    if kinds[0] != kinds[1]:
        names = " and ".join(kind.scalar_type for kind in kinds)
        raise RuntimeError(f"dot : expected both vectors to have same dtype, but found {names}")
    return matmul(input, tensor)
