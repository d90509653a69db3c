"""Statistics made of the reductions: pairs of moments, extremes, sums without nan, covariance, distances."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.autograd.fused import fused
from minigrad.ops import moments, return_types
from minigrad.ops.comparison import isnan, logical_not
from minigrad.ops.dims import axes_of, ndim_of, normalize_dim, on_tensor
from minigrad.ops.elementwise import clamp, sqrt, sub, where
from minigrad.ops.indexing import getitem
from minigrad.ops.linalg import matmul
from minigrad.ops.reduction import amax, amin, as_dtype, mean_of, norm, sum, sum_of
from minigrad.ops.shape import reshape_to, squeeze, swap_last, unsqueeze

_var_of_pair = fused(forward=moments.var_kernel, grad_name="VarMeanBackward0")(moments.var_of.definition)
_std_of_pair = fused(forward=moments.std_kernel, grad_name="StdMeanBackward0")(moments.std_of.definition)
_mean_beside_var = fused(grad_name="VarMeanBackward0")(mean_of)
_mean_beside_std = fused(grad_name="StdMeanBackward0")(mean_of)


@on_tensor
def var_mean(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Any, Any]:
    """The pair of `var` and `mean` over `dim`.

    Raises:
        RuntimeError: `input` is not floating point.

    Example:
        >>> import minigrad
        >>> minigrad.var_mean(minigrad.tensor([1.0, 2.0, 3.0, 4.0]))
        (tensor(1.6667), tensor(2.5000))
    """
    spread = moments.moment("var_mean", _var_of_pair, input, dim, unbiased, keepdim, correction)
    return spread, _mean_beside_var(input, axes_of(input, _dims(dim)), keepdim)


@on_tensor
def std_mean(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Any, Any]:
    """The pair of `std` and `mean` over `dim`.

    Raises:
        RuntimeError: `input` is not floating point.

    Example:
        >>> import minigrad
        >>> minigrad.std_mean(minigrad.tensor([1.0, 2.0, 3.0, 4.0]))
        (tensor(1.2910), tensor(2.5000))
    """
    spread = moments.moment("std_mean", _std_of_pair, input, dim, unbiased, keepdim, correction)
    return spread, _mean_beside_std(input, axes_of(input, _dims(dim)), keepdim)


def _dims(dim: Any) -> Any:
    return None if isinstance(dim, bool) else dim  # var_mean(x, False): that is `unbiased`


@fused(grad_name="AminmaxBackward0")
def _smallest(input: Any, dim: Any, keepdim: bool) -> Any:
    return amin(input, dim, keepdim)


@fused(grad_name="AminmaxBackward0")
def _largest(input: Any, dim: Any, keepdim: bool) -> Any:
    return amax(input, dim, keepdim)


@on_tensor
def aminmax(input: Any, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """The smallest and the largest element over `dim`: the pair (min, max). Ties share the gradient.

    Raises:
        RuntimeError: there is nothing to reduce.

    Example:
        >>> import minigrad
        >>> minigrad.aminmax(minigrad.tensor([1.0, 3.0, 2.0]))
        torch.return_types.aminmax(
        min=tensor(1.),
        max=tensor(3.))
    """
    shape = input._array.shape
    if dim is None and not input._array.size:
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
        )
    axis = () if dim is None else normalize_dim(dim, len(shape))
    if dim is not None and shape and shape[axis] == 0:
        raise IndexError(f"aminmax: Expected reduction dim {axis} to have non-zero size.")
    keepdim = keepdim and bool(shape)
    return return_types.aminmax(_smallest(input, axis, keepdim), _largest(input, axis, keepdim))


@fused(grad_name="NansumBackward0")
def _nansum(input: Any, axes: Any, keepdims: bool) -> Any:
    return sum_of(where(isnan(input), 0.0, input), axes, keepdims)


@on_tensor
def nansum(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The sum over `dim`, nan counted as zero.

    Example:
        >>> import minigrad
        >>> minigrad.nansum(minigrad.tensor([1.0, float("nan"), 2.0]))
        tensor(3.)
    """
    input = as_dtype(input, dtype)
    if input._array.dtype.kind != "f":
        return sum(input, dim, keepdim, dtype=dtype)
    return _nansum(input, axes_of(input, dim), keepdim)


@on_tensor
def nanmean(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The mean over `dim` of what is not nan.

    Raises:
        RuntimeError: `input` is not floating point.

    Example:
        >>> import minigrad
        >>> minigrad.nanmean(minigrad.tensor([1.0, float("nan"), 2.0]))
        tensor(1.5000)
    """
    if input._array.dtype.kind != "f":
        raise RuntimeError(
            "nanmean(): expected input to have floating point or complex dtype but got "
            f"{dtypes.of(input._array).scalar_type}"
        )
    number = sum_of(logical_not(isnan(input)), axes_of(input, dim), keepdim)
    return nansum(input, dim, keepdim, dtype=dtype) / number


# ------------------------------------------------------------------------------------------- covariance
def _check_observations(name: str, input: Any) -> None:
    if ndim_of(input) > 2:
        raise RuntimeError(
            f"{name}(): expected input to have two or fewer dimensions but got an input with "
            f"{ndim_of(input)} dimensions"
        )


def _check_weights(name: str, weights: Any, number: int, kinds: str, wanted: str) -> None:
    if weights is None:
        return
    array = weights._array
    if array.ndim > 1:
        raise RuntimeError(
            f"cov(): expected {name} to have one or fewer dimensions but got {name} with {array.ndim} "
            "dimensions"
        )
    if array.dtype.kind not in kinds:
        raise RuntimeError(
            f"cov(): expected {name} to have {wanted} dtype but got {name} with "
            f"{dtypes.of(array).scalar_type} dtype"
        )
    if array.size != number:
        raise RuntimeError(
            f"cov(): expected {name} to have the same numel as there are observations in the input but got "
            f"{array.size} != {number}"
        )
    if array.size and array.min() < 0:
        raise RuntimeError(f"cov(): {name} cannot be negative")


@on_tensor
def cov(input: Any, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Any:
    """The covariances of variables, the rows of `input`, over observations, its columns.

    sum_k w_k (x_ik - mean_i) (x_jk - mean_j) / (sum w - correction), where an observation occurs
    `fweights` times and counts as much as `aweights` says.

    Raises:
        RuntimeError: `input` has more than two dimensions or is bool, or weights do not fit.

    Example:
        >>> import minigrad
        >>> minigrad.cov(minigrad.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
        tensor([[ 1., -1.],
                [-1.,  1.]])
    """
    _check_observations("cov", input)
    if input._array.dtype == bool:
        raise RuntimeError("cov(): bool dtype is not supported for input")
    rows = input if ndim_of(input) == 2 else reshape_to(input, shape=(1, input._array.size))
    number = rows.shape[1]
    _check_weights("fweights", fweights, number, "iu", "integral")
    _check_weights("aweights", aweights, number, "f", "floating point")
    weights = fweights if aweights is None else aweights if fweights is None else fweights * aweights
    return squeeze(_covariances(rows, weights, aweights, number, correction))


def _covariances(rows: Any, weights: Any, aweights: Any, number: int, correction: int) -> Any:
    if weights is None:
        total: Any = number
        means = sum_of(rows, (1,), True) / (number or float("nan"))
    else:
        total = sum(weights)
        means = sum_of(rows * weights, (1,), True) / total
    if aweights is None or not correction:
        degrees = total - correction
    else:
        degrees = total - correction * sum(weights * aweights) / total
    centred = rows - means
    weighted = centred if weights is None else centred * weights
    degrees = max(degrees, 0) if weights is None else clamp(degrees, 0)
    return matmul(centred, swap_last(weighted)) / degrees


@on_tensor
def corrcoef(input: Any) -> Any:
    """The correlation coefficients of variables, the rows of `input`: cov_ij / (std_i std_j).

    Raises:
        RuntimeError: `input` has more than two dimensions.

    Example:
        >>> import minigrad
        >>> minigrad.corrcoef(minigrad.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
        tensor([[ 1., -1.],
                [-1.,  1.]])
    """
    _check_observations("corrcoef", input)
    found = cov(input)
    if not ndim_of(found):
        return found / found
    places = np.arange(found.shape[0])
    deviations = sqrt(getitem(found, (places, places)))
    return clamp(found / unsqueeze(deviations, 1) / deviations, -1, 1)


# ---------------------------------------------------------------------------------------------- distances
@fused(grad_name="DistBackward0")
def _dist(input: Any, other: Any, p: float) -> Any:
    return norm(sub(input, other), p)


@on_tensor
def dist(input: Any, other: Any, p: float = 2) -> Any:
    """The p-norm of the difference, with broadcasting: (sum |x - y|**p)**(1/p).

    Example:
        >>> import minigrad
        >>> minigrad.dist(minigrad.tensor([0.0, 3.0]), minigrad.tensor([4.0, 0.0]))
        tensor(5.)
    """
    if input._array.dtype.kind != "f" and other._array.dtype.kind != "f":
        raise RuntimeError(
            "norm(): input dtype should be either floating point or complex. Got "
            f"{dtypes.of(input._array).scalar_type} instead."
        )
    return _dist(input, other, p)


@fused(grad_name="RenormBackward0")
def _renorm(input: Any, p: float, axis: int, maxnorm: float) -> Any:
    others = tuple(i for i in range(len(input.shape)) if i != axis)
    norms = norm(input, p, others, True)
    return input * where(norms > maxnorm, maxnorm / (norms + 1e-7), 1.0)


@on_tensor
def renorm(input: Any, p: float, dim: int, maxnorm: float) -> Any:
    """The slices along `dim`, those whose p-norm exceeds `maxnorm` scaled down to it.

    Raises:
        RuntimeError: `input` has less than two dimensions, or `p` or `maxnorm` is out of range.

    Example:
        >>> import minigrad
        >>> minigrad.renorm(minigrad.tensor([[3.0, 4.0], [0.3, 0.4]]), 2, 0, 1.0)
        tensor([[0.6000, 0.8000],
                [0.3000, 0.4000]])
    """
    if p <= 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm:g}")
    if ndim_of(input) < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {ndim_of(input)} dimensions")
    return _renorm(input, p, normalize_dim(dim, ndim_of(input)), maxnorm)
