"""softmax, log_softmax and logsumexp along a dimension."""

from __future__ import annotations

import warnings
from typing import Any

from minigrad import dtypes
from minigrad.autograd.op import Primitive, cast, primitive
from minigrad.autograd.tape import Variable
from minigrad.kernels import softmax as kernels
from minigrad.ops.dims import axes_of, ndim_of, normalize_dim
from minigrad.ops.elementwise import exp
from minigrad.ops.reduction import restore_dims, sum_keeping, sum_of

# In the rules of the derivative kernels: u is the cotangent they were given, s the saved value.

_softmax_backward: Primitive = primitive(kernels.softmax_vjp, operands=("u", "s")).vjp(
    lambda g, s, axis: _softmax_backward(g, s, axis=axis),
    lambda g, u, s, axis: g * (u - sum_keeping(u * s, axis)) - u * sum_keeping(g * s, axis),
)
_softmax: Primitive = primitive(kernels.softmax, operands=("x",), promote="float").vjp(
    lambda g, y, axis: _softmax_backward(g, y, axis=axis)
)

_log_softmax_backward: Primitive = primitive(kernels.log_softmax_vjp, operands=("u", "s")).vjp(
    lambda g, s, axis: g - sum_keeping(g * exp(s), axis),
    lambda g, u, s, axis: -g * exp(s) * sum_keeping(u, axis),
)
_log_softmax: Primitive = primitive(kernels.log_softmax, operands=("x",), promote="float").vjp(
    lambda g, y, axis: _log_softmax_backward(g, y, axis=axis)
)


def _shares(v: Any, s: Any, axes: Any, keepdims: bool) -> Any:
    """exp(x - logsumexp(x)), the softmax."""
    return exp(v - restore_dims(s, v.shape, axes, keepdims))


_logsumexp_backward: Primitive = primitive(kernels.logsumexp_vjp, operands=("u", "v", "s")).vjp(
    lambda g, v, s, axes, keepdims: sum_of(g * _shares(v, s, axes, keepdims), axes, keepdims),
    lambda g, u, v, s, axes, keepdims: (
        g * restore_dims(u, v.shape, axes, keepdims) * _shares(v, s, axes, keepdims)
    ),
    lambda g, u, v, s, axes, keepdims: -u * sum_of(g * _shares(v, s, axes, keepdims), axes, keepdims),
)
_logsumexp: Primitive = primitive(kernels.logsumexp, operands=("x",), promote="float").vjp(
    lambda g, x, y, axes, keepdims: _logsumexp_backward(g, x, y, axes=axes, keepdims=keepdims)
)


def _implicit_dim(name: str, ndim: int) -> int:
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as "
        "an argument.",
        UserWarning,
        stacklevel=4,
    )
    return 0 if ndim in (0, 1, 3) else 1


def _prepare(name: str, input: Any, dim: int | None, dtype: Any) -> tuple[Any, int]:
    ndim = ndim_of(input)
    if dim is None:
        dim = _implicit_dim(name, ndim)
    array = input._array if isinstance(input, Variable) else input
    if dtype is not None:
        input = cast(input, dtype=dtypes.to_numpy(dtype), source=array.dtype)
    elif array.dtype.kind != "f":
        raise NotImplementedError(
            f'"{name}_lastdim_kernel_impl" not implemented for {dtypes.of(array).scalar_type!r}\n'
            "The logits must be floating point; are input and target swapped? Use .float() or dtype=."
        )
    return input, normalize_dim(dim, ndim)


def softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """exp(x_i) / sum_j exp(x_j) along `dim`: logits to probabilities, stable at any logit.

    Without `dim` it is chosen as torch once did (0 for 0, 1 or 3 dimensions, else 1), with a warning.

    Raises:
        IndexError: `dim` is out of range.
        NotImplementedError: `input` is not floating point.

    Example:
        >>> import minigrad
        >>> minigrad.softmax(minigrad.tensor([1.0, 2.0, 3.0]), dim=0)
        tensor([0.0900, 0.2447, 0.6652])
    """
    input, axis = _prepare("softmax", input, dim, dtype)
    return _softmax(input, axis=axis)


def log_softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """log(softmax(x)) = x - logsumexp(x) along `dim`: logits to log-probabilities.

    Raises:
        IndexError: `dim` is out of range.
        NotImplementedError: `input` is not floating point.

    Example:
        >>> import minigrad
        >>> minigrad.log_softmax(minigrad.tensor([1.0, 2.0, 3.0]), dim=0)
        tensor([-2.4076, -1.4076, -0.4076])
    """
    input, axis = _prepare("log_softmax", input, dim, dtype)
    return _log_softmax(input, axis=axis)


def softmin(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """softmax(-x) along `dim`.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.softmin(minigrad.tensor([1.0, 2.0, 3.0]), dim=0)
        tensor([0.6652, 0.2447, 0.0900])
    """
    input, axis = _prepare("softmin", input, dim, dtype)
    return _softmax(-input, axis=axis)


def logsumexp(input: Any, dim: Any, keepdim: bool = False) -> Any:
    """log(sum(exp(x))) over `dim`, one or several, without overflow.

    Example:
        >>> import minigrad
        >>> minigrad.logsumexp(minigrad.tensor([1000.0, 1000.0]), dim=0)
        tensor(1000.6932)
    """
    return _logsumexp(input, axes=axes_of(input, dim), keepdims=keepdim)
