"""Products with names of their own: batches of matrices, outer products, sums with products."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.autograd.fused import Relay
from minigrad.ops.dims import ndim_of, normalize_dim
from minigrad.ops.einsum import tensordot
from minigrad.ops.elementwise import mul, where
from minigrad.ops.indexing import read_index
from minigrad.ops.linalg import column, matmul, mismatch
from minigrad.ops.reduction import sum_of
from minigrad.ops.shape import clone, expand, reshape_to, squeeze_axes


def named(grad_name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator of an operation made of others: its result is recorded under a name of its own."""

    def decorate(definition: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(definition)
        def operation(*args: Any, **kwargs: Any) -> Any:
            y = definition(*args, **kwargs)
            if y._node is not None:
                y._node = Relay(y._node, grad_name)
            return y

        return operation

    return decorate


# ------------------------------------------------------------------------------------------- two operands
@named("BmmBackward0")
def bmm(input: Any, mat2: Any) -> Any:
    """The products of the matrices of two stacks, (B, n, m) and (B, m, p).

    Raises:
        RuntimeError: an operand is not three-dimensional, or the sizes do not fit.

    Example:
        >>> import minigrad
        >>> minigrad.bmm(minigrad.ones(1, 2, 3), minigrad.ones(1, 3, 2))
        tensor([[[3., 3.],
                 [3., 3.]]])
    """
    _check_batches(input, mat2)
    return matmul(input, mat2)


def _check_batches(a: Any, b: Any) -> None:
    for name, operand in (("batch1", a), ("batch2", b)):
        if ndim_of(operand) != 3:
            raise RuntimeError(f"{name} must be a 3D tensor")
    batch, _, inner = a._array.shape
    if b._array.shape[:2] != (batch, inner):
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{batch}, {inner}] but got: "
            f"{list(b._array.shape[:2])}."
        )


def mv(input: Any, vec: Any) -> Any:
    """The product of a matrix and a vector.

    Raises:
        RuntimeError: the operands are not a matrix and a vector, or do not fit.

    Example:
        >>> import minigrad
        >>> minigrad.mv(minigrad.ones(2, 3), minigrad.ones(3))
        tensor([3., 3.])
    """
    _check_vector(input, vec, ndim_of(vec))
    return matmul(input, vec)


def _check_vector(mat: Any, vec: Any, ndim: int) -> None:
    if ndim_of(mat) != 2 or ndim_of(vec) != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got {ndim}, {ndim_of(mat)}, {ndim_of(vec)}")


def outer(input: Any, vec2: Any) -> Any:
    """The products of each element of one vector with each of another.

    Raises:
        RuntimeError: an operand is not a vector.

    Example:
        >>> import minigrad
        >>> minigrad.outer(minigrad.tensor([1.0, 2.0]), minigrad.tensor([3.0, 4.0]))
        tensor([[3., 4.],
                [6., 8.]])
    """
    for name, operand in (("self", input), ("vec2", vec2)):
        if ndim_of(operand) != 1:
            raise RuntimeError(f"outer: Expected 1-D argument {name}, but got {ndim_of(operand)}-D")
    return mul(_columned(input), vec2)


def _columned(vector: Any) -> Any:
    return reshape_to(vector, shape=(vector._array.size, 1))


def inner(input: Any, other: Any) -> Any:
    """The product summed over the last dimension of both; with a 0-d operand the product.

    Raises:
        RuntimeError: the last sizes differ.

    Example:
        >>> import minigrad
        >>> minigrad.inner(minigrad.ones(2, 3), minigrad.ones(4, 3)).shape
        torch.Size([2, 4])
    """
    a, b = input._array, other._array
    if not a.ndim or not b.ndim:
        return mul(input, other)
    if a.shape[-1] != b.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(a.shape)} and {list(b.shape)}"
        )
    return tensordot(input, other, ([-1], [-1]))


@named("VdotBackward0")
def vdot(input: Any, other: Any) -> Any:
    """The inner product of two vectors.

    Raises:
        RuntimeError: an operand is not a vector, or sizes or dtypes differ.

    Example:
        >>> import minigrad
        >>> minigrad.vdot(minigrad.tensor([1.0, 2.0]), minigrad.tensor([3.0, 4.0]))
        tensor(11.)
    """
    if ndim_of(input) != 1 or ndim_of(other) != 1:
        raise RuntimeError(f"1D tensors expected, but got {ndim_of(input)}D and {ndim_of(other)}D tensors")
    kinds = [dtypes.of(x._array).scalar_type for x in (input, other)]
    if kinds[0] != kinds[1]:
        raise RuntimeError(
            f"dot : expected both vectors to have same dtype, but found {kinds[0]} and {kinds[1]}"
        )
    return matmul(input, other)


@named("UnsafeViewBackward0")
def kron(input: Any, other: Any) -> Any:
    """Kronecker's product: each element of `input` replaced by its product with the whole of `other`.

    Example:
        >>> import minigrad
        >>> minigrad.kron(minigrad.eye(2), minigrad.tensor([[1.0, 2.0]]))
        tensor([[1., 2., 0., 0.],
                [0., 0., 1., 2.]])
    """
    ndim = max(ndim_of(input), ndim_of(other))
    a, b = (reshape_to(x, shape=(1,) * (ndim - ndim_of(x)) + x._array.shape) for x in (input, other))
    sizes = list(zip(a._array.shape, b._array.shape, strict=True))
    wide = reshape_to(a, shape=tuple(n for m, _ in sizes for n in (m, 1)))
    high = reshape_to(b, shape=tuple(n for _, m in sizes for n in (1, m)))
    return reshape_to(mul(wide, high), shape=tuple(m * n for m, n in sizes))


def cross(input: Any, other: Any, dim: int | None = None) -> Any:
    """The cross product of vectors of three along `dim`, by default the first dimension of size 3.

    Raises:
        RuntimeError: `dim` has not three elements, or the ranks differ.

    Example:
        >>> import minigrad
        >>> minigrad.cross(minigrad.tensor([1.0, 0.0, 0.0]), minigrad.tensor([0.0, 1.0, 0.0]))
        tensor([0., 0., 1.])
    """
    if dim is None:
        if 3 not in input._array.shape:
            raise RuntimeError("no dimension of size 3 in input")
        dim = input._array.shape.index(3)
    return linalg_cross(input, other, dim=dim)


@named("LinalgCrossBackward0")
def linalg_cross(input: Any, other: Any, *, dim: int = -1) -> Any:
    """The cross product of vectors of three along `dim`; other dimensions broadcast."""
    a, b = input._array.shape, other._array.shape
    if len(a) != len(b):
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    axis = normalize_dim(dim, len(a))
    if a[axis] != 3 or b[axis] != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {a[axis]} and {b[axis]}"
        )

    def turned(x: Any, places: list[int]) -> Any:
        return read_index(x, index=(slice(None),) * axis + (np.array(places),))

    one, two = [1, 2, 0], [2, 0, 1]
    return turned(input, one) * turned(other, two) - turned(input, two) * turned(other, one)


# ------------------------------------------------------------------------------------ a sum and a product
def _plus(input: Any, product: Any, beta: Any, alpha: Any) -> Any:
    """beta input + alpha product; an `input` times 0 does not count, even where it is nan."""
    if product._array.dtype.kind != "f" and any(isinstance(scalar, float) for scalar in (beta, alpha)):
        raise RuntimeError(
            "For integral input tensors, arguments alpha and beta must not be floating point numbers."
        )
    if beta == 0:
        input = where(np.zeros((), bool), input, 0)
    elif beta != 1:
        input = input * beta
    return input + (product if alpha == 1 else product * alpha)


def _same_dtypes(input: Any, mat2: Any) -> None:
    kinds = [dtypes.of(x._array).scalar_type for x in (input, mat2)]
    if kinds[0] != kinds[1]:
        raise RuntimeError(f"self and mat2 must have the same dtype, but got {kinds[0]} and {kinds[1]}")


@named("AddmmBackward0")
def addmm(input: Any, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta input + alpha mat1 mat2, of matrices.

    Raises:
        RuntimeError: an operand is no matrix, the sizes do not fit, or the dtypes differ.

    Example:
        >>> import minigrad
        >>> minigrad.addmm(minigrad.ones(2), minigrad.eye(2), minigrad.eye(2), alpha=2)
        tensor([[3., 1.],
                [1., 3.]])
    """
    for name, operand in (("mat1", mat1), ("mat2", mat2)):
        if ndim_of(operand) != 2:
            raise RuntimeError(f"{name} must be a matrix, got {ndim_of(operand)}-D tensor")
    rows, columns = mat1._array.shape[0], mat2._array.shape[1]
    if mat1._array.shape[1] != mat2._array.shape[0]:
        raise RuntimeError(mismatch(mat1._array, mat2._array))
    input = expand(input, rows, columns)
    _same_dtypes(input, mat2)
    return _plus(input, matmul(mat1, mat2), beta, alpha)


@named("AddmvBackward0")
def addmv(input: Any, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta input + alpha mat vec, of a matrix and a vector.

    Raises:
        RuntimeError: the ranks or the sizes do not fit.

    Example:
        >>> import minigrad
        >>> minigrad.addmv(minigrad.ones(2), minigrad.eye(2), minigrad.tensor([1.0, 2.0]))
        tensor([2., 3.])
    """
    _check_vector(mat, vec, ndim_of(input))
    rows, columns = mat._array.shape
    if vec._array.size != columns or input._array.size not in (1, rows):
        raise RuntimeError(
            f"size mismatch, got input ({input._array.size}), mat ({rows}x{columns}), vec ({vec._array.size})"
        )
    return _plus(input, matmul(mat, vec), beta, alpha)


@named("AddbmmBackward0")
def addbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta input + alpha times the sum of the products of the matrices of two stacks.

    Raises:
        RuntimeError: the sizes do not fit.

    Example:
        >>> import minigrad
        >>> minigrad.addbmm(minigrad.zeros(1), minigrad.ones(5, 1, 2), minigrad.ones(5, 2, 1))
        tensor([[10.]])
    """
    a, b = batch1._array.shape, batch2._array.shape
    if len(a) == len(b) == 3 and a[0] != b[0]:
        raise RuntimeError(f"batch1 and batch2 must have same number of batches, got {a[0]} and {b[0]}")
    if len(a) == len(b) == 3 and a[2] != b[1]:
        raise RuntimeError(f"Incompatible matrix sizes for bmm ({a[1]}x{a[2]} and {b[1]}x{b[2]})")
    _check_batches(batch1, batch2)
    product = sum_of(matmul(batch1, batch2), (0,), False)
    return _plus(expand(input, a[1], b[2]), product, beta, alpha)


@named("BaddbmmBackward0")
def baddbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta input + alpha times the products of the matrices of two stacks.

    Raises:
        RuntimeError: the sizes do not fit.

    Example:
        >>> import minigrad
        >>> minigrad.baddbmm(minigrad.ones(1), minigrad.ones(2, 1, 3), minigrad.ones(2, 3, 1))
        tensor([[[4.]],
        <BLANKLINE>
                [[4.]]])
    """
    _check_batches(batch1, batch2)
    batch, rows, _ = batch1._array.shape
    return _plus(expand(input, batch, rows, batch2._array.shape[2]), matmul(batch1, batch2), beta, alpha)


@named("AddrBackward0")
def addr(input: Any, vec1: Any, vec2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta input + alpha times the outer product of two vectors.

    Raises:
        RuntimeError: an operand is not a vector, or the sizes do not fit.

    Example:
        >>> import minigrad
        >>> minigrad.addr(minigrad.zeros(2, 2), minigrad.tensor([1.0, 2.0]), minigrad.ones(2))
        tensor([[1., 1.],
                [2., 2.]])
    """
    for name, operand in (("vec1", vec1), ("vec2", vec2)):
        if ndim_of(operand) != 1:
            raise RuntimeError(f"addr: Expected 1-D argument {name}, but got {ndim_of(operand)}-D")
    input = expand(input, vec1._array.size, vec2._array.size)
    return _plus(input, mul(_columned(vec1), vec2), beta, alpha)


# ------------------------------------------------------------------------------------------ several factors
def chain_matmul(*matrices: Any) -> Any:
    """The product of several matrices, in the order that takes the fewest multiplications.

    Example:
        >>> import minigrad
        >>> minigrad.chain_matmul(minigrad.ones(2, 3), minigrad.ones(3, 4), minigrad.ones(4, 1))
        tensor([[12.],
                [12.]])
    """
    for matrix in matrices:
        if ndim_of(matrix) != 2:
            raise RuntimeError(f"Tensor dimension is {ndim_of(matrix)}, expected 2 instead.")
    return clone(matrices[0]) if len(matrices) == 1 else multi_dot(matrices)


@named("ViewBackward0")
def multi_dot(tensors: Sequence[Any]) -> Any:
    """The product of several matrices, the first and the last of which may be vectors.

    The order is that which takes the fewest multiplications.

    Raises:
        RuntimeError: fewer than two are given, or sizes do not fit.

    Example:
        >>> import minigrad
        >>> minigrad.linalg.multi_dot([minigrad.ones(3), minigrad.ones(3, 4), minigrad.ones(4)])
        tensor(12.)
    """
    if len(tensors) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(tensors)}")
    first, last = ndim_of(tensors[0]) == 1, ndim_of(tensors[-1]) == 1
    factors = list(tensors)
    if first:
        factors[0] = reshape_to(tensors[0], shape=(1, tensors[0]._array.size))
    if last:
        factors[-1] = column(tensors[-1])
    for place, factor in enumerate(factors):
        if ndim_of(factor) != 2:
            raise RuntimeError(f"multi_dot(): tensor {place} must be 2D but got {ndim_of(factor)}D")
    for place in range(1, len(factors)):
        if factors[place - 1]._array.shape[1] != factors[place]._array.shape[0]:
            shapes = [list(tensors[i]._array.shape) for i in (place - 1, place)]
            raise RuntimeError(
                f"multi_dot(): tensors {place - 1} and {place} with shapes {shapes[0]} and {shapes[1]} "
                "cannot be multiplied"
            )
    product = _cheapest(factors)
    axes = (0,) * first + (1,) * last
    return squeeze_axes(product, axes=axes) if axes else product


def _cheapest(factors: list[Any]) -> Any:
    """The product of matrices that fit, by the order of fewest multiplications."""
    sizes = [factor._array.shape[0] for factor in factors] + [factors[-1]._array.shape[1]]
    cost: dict[tuple[int, int], tuple[int, int]] = {(i, i + 1): (0, i) for i in range(len(factors))}
    for span in range(2, len(factors) + 1):
        for i in range(len(factors) - span + 1):
            j = i + span
            cost[i, j] = min(
                (cost[i, k][0] + cost[k, j][0] + sizes[i] * sizes[k] * sizes[j], k) for k in range(i + 1, j)
            )

    def product(i: int, j: int) -> Any:
        if j == i + 1:
            return factors[i]
        k = cost[i, j][1]
        return matmul(product(i, k), product(k, j))

    return product(0, len(factors))
