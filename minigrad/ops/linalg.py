"""Matrix products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import dtypes
from minigrad.autograd.op import NotAnOperand, Primitive, PrimitiveNode, primitive
from minigrad.autograd.tape import Variable, current_node, mode
from minigrad.kernels.jit import is_compiled_type, note_product
from minigrad.kernels.linear import add_bias, column_sums
from minigrad.ops.dims import ndim_of
from minigrad.ops.shape import reshape_to, squeeze_axes, swap_last


def _column(x: Any) -> Any:
    """A vector, or each vector of a stack, as a matrix of one column."""
    return reshape_to(x, shape=(*x.shape, 1))


def _left_rule(g: Any, a_shape: tuple[int, ...], b: Any) -> Any:
    """g bᵀ, in the ranks that matmul allows."""
    if len(b.shape) == 1:
        return reshape_to(g, shape=(*g.shape, 1)) * b
    if len(a_shape) == 1:
        return squeeze_axes(matmul_arrays(b, _column(g)), axes=(len(b.shape) - 1,))
    return matmul_arrays(g, swap_last(b))


def _right_rule(g: Any, a: Any, b_shape: tuple[int, ...]) -> Any:
    """aᵀ g, in the ranks that matmul allows."""
    if len(a.shape) == 1 and len(b_shape) == 1:
        return reshape_to(g, shape=(*g.shape, 1)) * a
    if len(a.shape) == 1:
        return _column(a) * reshape_to(g, shape=(*g.shape[:-1], 1, g.shape[-1]))
    if len(b_shape) == 1:
        return squeeze_axes(matmul_arrays(swap_last(a), _column(g)), axes=(len(a.shape) - 1,))
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
        raise RuntimeError(_mismatch(a, b))
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


def _mismatch(a: ndarray, b: ndarray) -> str:
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
    return matmul(input, tensor)


# ------------------------------------------------------------------------------------------------ linear
def _linear(x: ndarray, weight: ndarray, bias: ndarray) -> ndarray:
    y = _product(x, weight)
    if bias.dtype is not weight.dtype or bias.shape != weight.shape[:1]:
        _check_bias(weight, bias)
    return add_bias(y, bias)


def _product(x: ndarray, weight: ndarray) -> ndarray:
    try:
        if x.dtype is weight.dtype:
            product = np.matmul(x, weight.T)
            note_product(product.size * x.shape[-1])
            return product
    except ValueError:  # NumPy's words for sizes that do not fit
        pass
    _check_linear(x, weight)
    return np.matmul(x, weight.T)


def _linear_weight_rule(g: Any, x: Any) -> Any:
    """gᵀ x, over all leading dimensions of the batch."""
    if len(g.shape) == 1:
        return _column(g) * x
    if len(g.shape) > 2:
        g = reshape_to(g, shape=(-1, g.shape[-1]))
        x = reshape_to(x, shape=(-1, x.shape[-1]))
    return g.T @ x


def _linear_name(node: Any) -> str:
    return {1: "ViewBackward0", 2: "AddmmBackward0"}.get(len(node.shapes[0]), "ViewBackward0")


_affine: Primitive = primitive(_linear, grad_name=_linear_name).vjp(
    lambda g, weight: g @ weight, _linear_weight_rule, lambda g: g
)


def _product_name(node: Any) -> str:
    """torch folds a batch of a rank other than 2 into a matrix, and names what unfolds it."""
    return {1: "SqueezeBackward4", 2: "MmBackward0"}.get(len(node.shapes[0]), "UnsafeViewBackward0")


_homogeneous: Primitive = primitive(_product, grad_name=_product_name).vjp(
    lambda g, weight: g @ weight, _linear_weight_rule
)


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """x Wᵀ + b.

    Shapes: input (..., in_features), weight (out_features, in_features), bias (out_features), result
    (..., out_features).

    Raises:
        RuntimeError: the sizes or the dtypes do not fit.

    Example:
        >>> import minigrad
        >>> F = minigrad.nn.functional
        >>> F.linear(minigrad.ones(1, 2), minigrad.tensor([[1.0, 2.0]]), minigrad.tensor([0.5]))
        tensor([[3.5000]])
    """
    if bias is None:
        return _homogeneous(input, weight)
    if isinstance(input, Variable) and isinstance(weight, Variable) and isinstance(bias, Variable):
        x, w, b = input._array, weight._array, bias._array
        matrices = x.ndim == w.ndim == 2 and x.shape[1] == w.shape[1] and b.shape == w.shape[:1]
        alike = x.dtype is w.dtype is b.dtype and is_compiled_type(x.dtype)
        if matrices and alike and x.size and w.size:
            return _linear_of_matrices(input, weight, bias)
    return _affine(input, weight, bias)


class _LinearNode(PrimitiveNode):
    """A recorded `_affine` of matrices. A plain backward computes the products straight from the arrays (16
    by 16, batch 64: 4.1 us, by the rules one by one 6.4). A recorded one is the rules' business.
    """

    __slots__ = ()

    def _apply_rules(self, g: Any, arrays: Sequence[Any], output: Any) -> Sequence[Any]:
        if isinstance(g, Variable):
            return super()._apply_rules(g, arrays, output)
        x, w, _ = arrays
        to_input, to_weight, to_bias = self.edges
        found: list[ndarray | None] = [None, None, None]
        if to_input is not None:
            found[0] = g.dot(w)
            note_product(g.size * w.shape[1])
        if to_weight is not None:
            found[1] = g.T.dot(x)
            note_product(g.size * x.shape[1])
        if to_bias is not None:
            found[2] = column_sums(g)
        return found


def _linear_of_matrices(input: Variable, weight: Variable, bias: Variable) -> Any:
    """`_affine` of operands that fit, all of them tensors, without its checks and loops (5.3 us, not 6.2)."""
    operands = input, weight, bias
    arrays: list[Any] = [input._array, weight._array, bias._array]
    result = input._result._wrap(mode.quietly(_affine_of_matrices, *arrays))
    edges = [v._node if v._view is None else current_node(v) for v in operands]
    if mode.enabled:
        tracked = (edges[0] is not None) + 2 * (edges[1] is not None) + 4 * (edges[2] is not None)
        if tracked:
            shapes = [array.shape for array in arrays]
            result._node = _LinearNode(_affine, tracked, edges, shapes, {}, operands, arrays, result)
    return result


def _affine_of_matrices(x: ndarray, w: ndarray, b: ndarray) -> ndarray:
    y = x.dot(w.T)
    note_product(y.size * x.shape[1])
    return add_bias(y, b)


def _check_linear(x: ndarray, w: ndarray) -> None:
    if x.dtype != w.dtype:
        raise RuntimeError(
            f"mat1 and mat2 must have the same dtype, but got {dtypes.of(x).scalar_type} and "
            f"{dtypes.of(w).scalar_type}\nConvert the input with .float() (or the module with .double())."
        )
    if x.ndim == 0 or w.ndim != 2:
        raise RuntimeError(
            f"linear(): expected an input of at least 1 dimension and a weight matrix, but got {x.ndim}D "
            f"and {w.ndim}D."
        )
    if x.shape[-1] != w.shape[1]:
        raise RuntimeError(_mismatch(x, w.T))


def _check_bias(w: ndarray, b: ndarray) -> None:
    if b.dtype != w.dtype:
        raise RuntimeError(
            f"self and mat2 must have the same dtype, but got {dtypes.of(b).scalar_type} and "
            f"{dtypes.of(w).scalar_type}"
        )
    if b.shape != (w.shape[0],) and b.shape not in ((), (1,)):
        raise RuntimeError(
            f"The expanded size of the tensor ({w.shape[0]}) must match the existing size ({b.size}) at "
            f"non-singleton dimension 0: the bias needs {w.shape[0]} elements."
        )
