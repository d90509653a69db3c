"""What `dim` arguments mean: torch's checks, as NumPy axes."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

from minigrad.autograd.tape import Variable


def normalize_dim(dim: Any, ndim: int) -> int:
    """A dimension counted from the front; IndexError out of range (0-d tensors accept 0 and -1)."""
    if type(dim) is int and -ndim <= dim < ndim:
        return dim % ndim
    try:
        place = operator.index(dim)
    except TypeError:
        raise TypeError(f"argument 'dim' must be int, not {type(dim).__name__}") from None
    span = max(ndim, 1)
    if not -span <= place < span:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-span}, {span - 1}], but got {place})"
        )
    return place % span


def normalize_dims(dim: Any, ndim: int) -> tuple[int, ...] | None:
    """Several dimensions as sorted axes; None, and an empty tuple, mean all of them."""
    if dim is None:
        return None
    if type(dim) is int and -ndim <= dim < ndim:  # the usual case, at a third of the time of what follows
        return (dim % ndim,)
    if not isinstance(dim, (tuple, list)):
        dims: Sequence[int] = (normalize_dim(dim, ndim),)
    else:
        dims = [normalize_dim(d, ndim) for d in dim]
    for d in dims:
        if list(dims).count(d) > 1:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
    if not dims or ndim == 0:
        return None
    return tuple(sorted(dims))


def axes_of(x: Any, dim: Any) -> tuple[int, ...] | None:
    """`normalize_dims` for the dimensions of a variable or an array; at once where all are meant."""
    return None if dim is None else normalize_dims(dim, ndim_of(x))


_NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim"}


def numpy_names(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let `axis` and `keepdims` stand for `dim` and `keepdim`, as torch does: np.sum(tensor) works."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if not kwargs:
            return function(*args)
        if kwargs.get("out", 0) is None:  # which np.sum(tensor) passes along
            del kwargs["out"]
        return function(*args, **{_NUMPY_NAMES.get(name, name): value for name, value in kwargs.items()})

    return wrapper


def on_tensor(function: Callable[..., Any]) -> Callable[..., Any]:
    """`numpy_names`, and torch's error where the first argument is no tensor."""
    named = numpy_names(function)
    name, first = function.__name__, function.__code__.co_varnames[0]

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if args and not isinstance(args[0], Variable):
            raise TypeError(
                f"{name}(): argument '{first}' (position 1) must be Tensor, not {type(args[0]).__name__}"
            )
        return named(*args, **kwargs)

    return wrapper


def ndim_of(x: Any) -> int:
    """The number of dimensions of a variable or an array."""
    return x._array.ndim if isinstance(x, Variable) else x.ndim


def sizes_from(args: Sequence[Any]) -> tuple[int, ...]:
    """The sizes given as separate ints, `f(2, 3)`, or as one sequence, `f((2, 3))`."""
    if len(args) == 1 and isinstance(args[0], (tuple, list)):
        args = args[0]
    return tuple(operator.index(a) for a in args)
