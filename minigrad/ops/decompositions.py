"""Square matrices: inverses, systems of equations, determinants, Cholesky's factor. Leading dimensions are
those of a stack."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from minigrad import dtypes
from minigrad.autograd.op import Primitive, broadcast_to, primitive
from minigrad.ops.elementwise import where
from minigrad.ops.inplace import assign
from minigrad.ops.linalg import column, matmul, matmul_arrays
from minigrad.ops.products import named
from minigrad.ops.reduction import sum_of
from minigrad.ops.shape import clone, reshape_to, squeeze_axes, swap_last


class _LinAlgError(RuntimeError):
    """A matrix is singular, or not positive-definite, where it must not be."""


LinAlgError = _LinAlgError


def check_matrices(name: str, x: Any) -> None:
    """Of two or more dimensions, and floating."""
    array = x._array
    if array.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor A must have at least 2 dimensions.")
    if array.dtype.kind != "f":
        raise RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got "
            f"{dtypes.of(array).scalar_type}\nConvert first, e.g. with .float()."
        )


def _check_square(name: str, x: Any, floating: bool = True) -> None:
    if floating or x._array.ndim < 2:
        check_matrices(name, x)
    rows, columns = x._array.shape[-2:]
    if rows != columns:
        raise RuntimeError(
            f"{name}: A must be batches of square matrices, but they are {rows} by {columns} matrices"
        )


def _first_failing(array: ndarray, fails: Any) -> tuple[str, int]:
    """Where in a stack it fails, in torch's words, and what `fails` says of that matrix."""
    stack = array.reshape(-1, *array.shape[-2:])
    place, found = next((i, found) for i, found in enumerate(map(fails, stack)) if found)
    return (f"(Batch element {place}): " if array.ndim > 2 else ""), found


def _zero_pivot(matrix: ndarray) -> int:
    """The number, from 1, of the first pivot that is zero in the elimination; 0 if none is."""
    rest = matrix.copy()
    for place in range(len(rest)):
        best = place + int(np.abs(rest[place:, place]).argmax())
        rest[[place, best]] = rest[[best, place]]
        if rest[place, place] == 0:
            return place + 1
        rest[place + 1 :] -= np.outer(rest[place + 1 :, place] / rest[place, place], rest[place])
    return 0


# ------------------------------------------------------------------------------- inverses and equations
def _invert(x: ndarray) -> ndarray:
    try:
        return np.linalg.inv(x)
    except np.linalg.LinAlgError:
        where_, pivot = _first_failing(x, lambda each: _zero_pivot(each) or len(each) * _singular(each))
        raise _LinAlgError(
            f"linalg.inv: {where_}The diagonal element {pivot} is zero, the inversion could not be completed "
            "because the input matrix is singular."
        ) from None


def _singular(matrix: ndarray) -> bool:
    try:
        np.linalg.inv(matrix)
    except np.linalg.LinAlgError:
        return True
    return False


inverse_of: Primitive = primitive(
    _invert, name="inv", grad_name="LinalgInvExBackward0", doc="A⁻¹, without `inv`'s checks."
).vjp(lambda g, y: -matmul_arrays(matmul_arrays(swap_last(y), g), swap_last(y)))


def inv(A: Any) -> Any:
    """The inverse of a square matrix.

    Raises:
        RuntimeError: the matrix is not square, or it is singular (LinAlgError).

    Example:
        >>> import minigrad
        >>> minigrad.linalg.inv(minigrad.tensor([[2.0, 0.0], [0.0, 4.0]]))
        tensor([[0.5000, 0.0000],
                [0.0000, 0.2500]])
    """
    _check_square("linalg.inv", A)
    return inverse_of(A)


def inverse(input: Any) -> Any:
    """`linalg.inv`.

    Example:
        >>> import minigrad
        >>> minigrad.inverse(minigrad.tensor([[4.0]]))
        tensor([[0.2500]])
    """
    return inv(input)


def _solution(a: ndarray, b: ndarray) -> ndarray:
    try:
        return np.linalg.solve(a, b)
    except np.linalg.LinAlgError:
        raise _LinAlgError(
            "torch.linalg.solve: The solver failed because the input matrix is singular."
        ) from None


_solve: Primitive = primitive(
    _solution, name="solve", grad_name="LinalgSolveExBackward0", doc="A⁻¹B, of matrices."
).vjp(
    lambda g, y, a: -matmul_arrays(_solve(swap_last(a), g), swap_last(y)),
    lambda g, a: _solve(swap_last(a), g),
)


@named("LinalgSolveExBackward0")
def solve(A: Any, B: Any, *, left: bool = True) -> Any:
    """The solution X of A X = B, or of X A = B with `left=False`; B is a matrix or a vector.

    Raises:
        RuntimeError: A is not square, sizes do not fit, or A is singular (LinAlgError).

    Example:
        >>> import minigrad
        >>> minigrad.linalg.solve(minigrad.tensor([[2.0, 0.0], [0.0, 4.0]]), minigrad.tensor([1.0, 1.0]))
        tensor([0.5000, 0.2500])
    """
    _check_square("linalg.solve", A)
    a, b = A._array.shape, B._array.shape
    vector = len(b) == 1 or (len(a) - 1 == len(b) and b == a[:-1])
    if vector:
        return squeeze_axes(_solve(A, column(B)), axes=(len(b),) if len(b) >= len(a) - 1 else (len(a) - 1,))
    if b[-2 if left else -1] != a[-1]:
        equation = "AX = B" if left else "XA = B"
        raise RuntimeError(
            f"linalg.solve: Incompatible shapes of A and B for the equation {equation} "
            f"({a[-2]}x{a[-1]} and {b[-2]}x{b[-1]})"
        )
    return _solve(A, B) if left else swap_last(_solve(swap_last(A), swap_last(B)))


def _pseudoinverse(x: ndarray, *, rcond: float | None) -> ndarray:
    limit = max(x.shape[-2:]) * np.finfo(x.dtype).eps if rcond is None else rcond
    return np.linalg.pinv(x, rcond=limit)


def _pinv_rule(g: Any, y: Any, x: Any) -> Any:
    """g through A⁺, by Golub and Pereyra's derivative for matrices of constant rank."""
    turned, across = swap_last(g), swap_last(y)
    inner = matmul_arrays(y, turned)
    outer = matmul_arrays(across, inner)
    return (
        matmul_arrays(matmul_arrays(turned - matmul_arrays(x, inner), y), across)
        - swap_last(matmul_arrays(inner, y))
        + outer
        - matmul_arrays(matmul_arrays(outer, y), x)
    )


_pinv: Primitive = primitive(_pseudoinverse, name="pinv", grad_name="LinalgPinvBackward0").vjp(_pinv_rule)


def pinv(A: Any, rcond: float | None = None) -> Any:
    """Moore and Penrose's inverse; singular values below `rcond` times the largest count as zero.

    Raises:
        RuntimeError: A is no matrix.

    Example:
        >>> import minigrad
        >>> minigrad.linalg.pinv(minigrad.tensor([[2.0], [0.0]]))
        tensor([[0.5000, 0.0000]])
    """
    check_matrices("linalg.pinv", A)
    return _pinv(A, rcond=rcond)


# -------------------------------------------------------------------------------------------- determinants
def _cofactors(x: ndarray) -> ndarray:
    """det(A) A⁻ᵀ from singular values, so that singular matrices have it too."""
    u, s, vh = np.linalg.svd(x)
    others = np.where(np.eye(s.shape[-1], dtype=bool), 1, s[..., None, :]).prod(-1)
    sign = np.linalg.det(u) * np.linalg.det(vh)
    return (u * (others * sign[..., None])[..., None, :]) @ vh


def _cofactor_rule(g: Any, x: Any) -> Any:
    """det(A) (⟨g, W⟩ W - W gᵀ W), with W = A⁻ᵀ."""
    w = swap_last(inverse_of(x))
    along = sum_of(g * w, (g.ndim - 2, g.ndim - 1), True) * w
    return _spread(_det(x)) * (along - matmul_arrays(matmul_arrays(w, swap_last(g)), w))


def _spread(g: Any) -> Any:
    """A number for each matrix, to be multiplied with the matrices."""
    return reshape_to(g, shape=(*g.shape, 1, 1))


_cofactor: Primitive = primitive(_cofactors, name="cofactor").vjp(_cofactor_rule)
_det: Primitive = primitive(
    lambda x: np.asarray(np.linalg.det(x)), name="det", grad_name="LinalgDetBackward0"
).vjp(lambda g, x: _spread(g) * _cofactor(x))
_sign: Primitive = primitive(
    lambda x: np.asarray(np.linalg.slogdet(x)[0]), name="sign", grad_name="LinalgSlogdetBackward0"
).vjp(lambda g, x_shape: broadcast_to(_spread(g * 0), shape=x_shape))
_logabsdet: Primitive = primitive(
    lambda x: np.asarray(np.linalg.slogdet(x)[1]), name="logabsdet", grad_name="LinalgSlogdetBackward0"
).vjp(lambda g, x: _spread(g) * swap_last(inverse_of(x)))


def det(A: Any) -> Any:
    """The determinant.

    Raises:
        RuntimeError: the matrix is not square.

    Example:
        >>> import minigrad
        >>> minigrad.linalg.det(minigrad.tensor([[2.0, 0.0], [0.0, 4.0]]))
        tensor(8.)
    """
    _check_square("linalg.det", A)
    return _det(A)


class SlogdetResult(NamedTuple):
    """The sign of a determinant, and the logarithm of its absolute value."""

    sign: Any
    logabsdet: Any

    def __repr__(self) -> str:
        return f"torch.return_types.linalg_slogdet(\nsign={self.sign!r},\nlogabsdet={self.logabsdet!r})"


def slogdet(A: Any) -> SlogdetResult:
    """The sign of the determinant, and the logarithm of its absolute value.

    Raises:
        RuntimeError: the matrix is not square.

    Example:
        >>> import minigrad
        >>> minigrad.linalg.slogdet(minigrad.eye(2) * -2)
        torch.return_types.linalg_slogdet(
        sign=tensor(1.),
        logabsdet=tensor(1.3863))
    """
    _check_square("linalg.slogdet", A)
    return SlogdetResult(_sign(A), _logabsdet(A))


def logdet(input: Any) -> Any:
    """The logarithm of the determinant; nan where that is negative.

    Raises:
        RuntimeError: the matrix is not square.

    Example:
        >>> import minigrad
        >>> minigrad.logdet(minigrad.eye(2) * 2)
        tensor(1.3863)
    """
    _check_square("logdet", input)
    return where(_sign(input)._array == -1, float("nan"), _logabsdet(input))


# ---------------------------------------------------------------------------------------------- Cholesky
def _factor(x: ndarray) -> ndarray:
    try:
        return np.linalg.cholesky(x)
    except np.linalg.LinAlgError:
        where_, order = _first_failing(x, _indefinite_minor)
        raise _LinAlgError(
            f"linalg.cholesky: {where_}The factorization could not be completed because the input is not "
            f"positive-definite (the leading minor of order {order} is not positive-definite)."
        ) from None


def _indefinite_minor(matrix: ndarray) -> int:
    """The order of the first leading minor that has no factor; 0 if all have."""
    for order in range(1, len(matrix) + 1):
        try:
            np.linalg.cholesky(matrix[:order, :order])
        except np.linalg.LinAlgError:
            return order
    return 0


def _cholesky_rule(g: Any, y: Any) -> Any:
    """L⁻ᵀ Φ(Lᵀ g) L⁻¹, made symmetric; Φ takes the lower triangle, and half of the diagonal."""
    across = swap_last(y)
    half = np.tril(np.ones(y.shape[-2:])) - np.eye(y.shape[-1]) / 2
    inner = matmul_arrays(across, g) * half.astype(_dtype_of(y))
    found = _solve(across, swap_last(_solve(across, swap_last(inner))))
    return (found + swap_last(found)) * 0.5


def _dtype_of(x: Any) -> np.dtype:
    return x.dtype if isinstance(x, ndarray) else x._array.dtype


_cholesky: Primitive = primitive(_factor, name="cholesky", grad_name="LinalgCholeskyExBackward0").vjp(
    _cholesky_rule
)


@named("LinalgCholeskyExBackward0")
def cholesky(A: Any, *, upper: bool = False) -> Any:
    """The lower triangular L with L Lᵀ = A, or its transpose; only A's lower triangle is read.

    Raises:
        RuntimeError: A is not square, or not positive-definite (LinAlgError).

    Example:
        >>> import minigrad
        >>> minigrad.linalg.cholesky(minigrad.tensor([[4.0, 2.0], [2.0, 5.0]]))
        tensor([[2., 0.],
                [1., 2.]])
    """
    _check_square("linalg.cholesky", A)
    return swap_last(_cholesky(A)) if upper else _cholesky(A)


# --------------------------------------------------------------------------------------- powers and rank
def matrix_power(input: Any, n: int) -> Any:
    """The product of n copies of a square matrix, of its inverse for a negative n.

    Raises:
        RuntimeError: the matrix is not square, or singular where n is negative.

    Example:
        >>> import minigrad
        >>> minigrad.matrix_power(minigrad.tensor([[1.0, 1.0], [0.0, 1.0]]), 5)
        tensor([[1., 5.],
                [0., 1.]])
    """
    if not isinstance(n, int):
        raise TypeError(
            f"linalg_matrix_power(): argument 'n' (position 2) must be int, not {type(n).__name__}"
        )
    _check_square("linalg.matrix_power", input, floating=False)
    if n == 0:
        array = input._array
        return assign(clone(input), np.broadcast_to(np.eye(array.shape[-1]), array.shape))
    if n < 0:
        return matrix_power(inv(input), -n) if n < -1 else inv(input)
    if n == 1:
        return clone(input)
    result, square = None, input
    while n:
        if n & 1:
            result = square if result is None else matmul(result, square)
        n >>= 1
        square = matmul(square, square) if n else square
    return result


def matrix_rank(A: Any, *, rtol: float | None = None, atol: float | None = None) -> Any:
    """The number of singular values above max(atol, rtol times the largest of them).

    Raises:
        RuntimeError: A is no matrix.

    Example:
        >>> import minigrad
        >>> minigrad.linalg.matrix_rank(minigrad.ones(3, 3))
        tensor(1)
    """
    if A._array.ndim < 2:
        raise RuntimeError(
            "torch.linalg.matrix_rank: The input tensor input must have at least 2 dimensions."
        )
    check_matrices("linalg.matrix_rank", A)
    values = np.linalg.svd(A._array, compute_uv=False)
    if rtol is None:
        rtol = 0.0 if atol else max(A._array.shape[-2:]) * float(np.finfo(A._array.dtype).eps)
    largest = values.max(-1, keepdims=True, initial=0)
    above = values > np.maximum(0.0 if atol is None else atol, rtol * largest)
    return A._result._wrap(np.asarray(above.sum(-1), np.int64))
