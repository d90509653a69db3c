"""Norms of vectors and matrices, and distances between rows."""

from __future__ import annotations

from math import inf
from typing import Any

from minigrad import dtypes
from minigrad.autograd.op import cast
from minigrad.ops.decompositions import check_matrices
from minigrad.ops.dims import axes_of, normalize_dim
from minigrad.ops.elementwise import abs, as_float, pow
from minigrad.ops.products import named
from minigrad.ops.reduction import amax, amin, sum_of
from minigrad.ops.reduction import norm as _positive_norm
from minigrad.ops.shape import reshape_to


def _checked(name: str, x: Any, dtype: Any) -> Any:
    if x._array.dtype.kind != "f":
        raise RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got "
            f"{dtypes.of(x._array).scalar_type}\nConvert first, e.g. with .float()."
        )
    kind = x._array.dtype if dtype is None else dtypes.to_numpy(dtype)
    return x if kind == x._array.dtype else cast(x, dtype=kind, source=x._array.dtype)


@named("LinalgVectorNormBackward0")
def vector_norm(x: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """(Σ |x|^ord)^(1/ord); the largest for inf, the smallest for -inf, the number of nonzeros for 0.

    Raises:
        RuntimeError: x is not floating, or it is empty and `ord` has no value for that.

    Example:
        >>> import minigrad
        >>> minigrad.linalg.vector_norm(minigrad.tensor([3.0, -4.0]))
        tensor(5.)
        >>> minigrad.linalg.vector_norm(minigrad.tensor([3.0, -4.0]), float("inf"))
        tensor(4.)
    """
    x = _checked("linalg.vector_norm", x, dtype)
    axes = axes_of(x, dim)
    if (ord < 0 or ord == inf) and not x._array.size:
        raise RuntimeError(
            f"linalg.vector_norm cannot compute the {float(ord):g} norm on an empty tensor because the "
            "operation does not have an identity"
        )
    if ord > 0:
        return _positive_norm(x, ord, dim, keepdim)
    if ord == -inf:
        return amin(abs(x), () if axes is None else axes, keepdim)
    if ord == 0:
        return sum_of(as_float(x._array != 0, like=x) + x * 0, axes, keepdim)
    return pow(sum_of(pow(abs(x), ord), axes, keepdim), 1 / ord)


def matrix_norm(
    A: Any, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None
) -> Any:
    """Frobenius's norm, or the largest (1, inf) or smallest (-1, -inf) sum of absolute values.

    The sums are those of columns for 1, and of rows for inf.

    Raises:
        RuntimeError: A is no matrix, or `ord` is none of these.

    Example:
        >>> import minigrad
        >>> minigrad.linalg.matrix_norm(minigrad.tensor([[1.0, 2.0], [2.0, 4.0]]))
        tensor(5.)
        >>> minigrad.linalg.matrix_norm(minigrad.tensor([[1.0, 2.0], [2.0, 4.0]]), 1)
        tensor(6.)
    """
    check_matrices("linalg.matrix_norm", A)
    A = _checked("linalg.matrix_norm", A, dtype)
    first, second = (normalize_dim(d, A._array.ndim) for d in dim)
    if ord == "fro":
        return vector_norm(A, 2, (first, second), keepdim)
    if isinstance(ord, str) or ord not in (1, -1, inf, -inf):
        raise RuntimeError(
            f"linalg.matrix_norm: Order {ord} not supported.\nThe orders are 'fro', 1, -1, inf and -inf."
        )
    summed, compared = (first, second) if ord in (1, -1) else (second, first)
    sums = vector_norm(A, 1, summed, keepdim)
    compared -= not keepdim and summed < compared
    return (amax if ord > 0 else amin)(sums, compared, keepdim)


def norm(A: Any, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """`matrix_norm` of two dimensions with an `ord`, else `vector_norm`, of order 2 by default.

    Raises:
        RuntimeError: as those; or A has more than two dimensions, and `ord` is given without `dim`.

    Example:
        >>> import minigrad
        >>> minigrad.linalg.norm(minigrad.tensor([[3.0, 4.0]]))
        tensor(5.)
    """
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    dims = (dim,) if isinstance(dim, int) else dim
    count = A._array.ndim if dims is None else len(dims)
    if dims is None and count > 2:
        raise RuntimeError(
            "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. "
            f"Got {A._array.ndim}D."
        )
    if isinstance(ord, str) or count == 2:
        return matrix_norm(A, ord, (-2, -1) if dims is None else dims, keepdim, dtype=dtype)
    return vector_norm(A, ord, dim, keepdim, dtype=dtype)


_MODES = ("use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist")


@named("CdistBackward0")
def cdist(x1: Any, x2: Any, p: float = 2.0, compute_mode: Any = _MODES[0]) -> Any:
    """The p-norms of the differences of each row of `x1` and each of `x2`; at 0 the gradient is 0.

    Raises:
        RuntimeError: an operand is no matrix, their rows differ in length, or p is negative.
        ValueError: there is no such `compute_mode`; they all give the same.

    Example:
        >>> import minigrad
        >>> minigrad.cdist(minigrad.tensor([[0.0, 0.0]]), minigrad.tensor([[3.0, 4.0], [0.0, 1.0]]))
        tensor([[5., 1.]])
    """
    if compute_mode is not None and compute_mode not in _MODES:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    shapes = [x1._array.shape, x2._array.shape]
    for name, x in (("X1", x1), ("X2", x2)):
        if x._array.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {x._array.ndim}D")
    if shapes[0][-1] != shapes[1][-1]:
        raise RuntimeError(
            f"X1 and X2 must have the same number of columns. X1: {shapes[0][-1]} X2: {shapes[1][-1]}"
        )
    for name, x in (("X1", x1), ("X2", x2)):
        if x._array.dtype.kind != "f":
            kind = dtypes.of(x._array).scalar_type
            raise RuntimeError(f"cdist only supports floating-point dtypes, {name} got: {kind}")
    if p < 0:
        raise RuntimeError("cdist only supports non-negative p values")
    rows = reshape_to(x1, shape=(*shapes[0][:-1], 1, shapes[0][-1]))
    others = reshape_to(x2, shape=(*shapes[1][:-2], 1, *shapes[1][-2:]))
    return vector_norm(rows - others, p, -1)
