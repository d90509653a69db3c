"""minigrad's names on libraries whose arrays are NumPy's: jax, with optax for losses, and HIPS autograd.

A function is in these tables where the library has one that does the same, by whatever name; what is in none
is said to have no counterpart.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Sequence
from typing import Any

from minigrad.study.carry import NoCounterpart

Function = Callable[..., Any]

_SAME = (
    *("exp", "log", "log2", "log10", "log1p", "expm1", "sqrt", "abs", "sign", "square", "sin", "cos", "tan"),
    *("sinh", "cosh", "tanh", "floor", "ceil", "maximum", "minimum", "where", "matmul", "outer", "einsum"),
    *("isnan", "isinf", "isfinite", "logaddexp", "reciprocal"),
)
_RENAMED = {
    "absolute": "abs",
    "acos": "arccos",
    "asin": "arcsin",
    "atan": "arctan",
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "div": "divide",
    "pow": "power",
    "mm": "matmul",
    "neg": "negative",
}
_REDUCTIONS = {"sum": "sum", "mean": "mean", "amax": "max", "amin": "min", "prod": "prod"}


def _reduction(reduce: Function) -> Function:
    def call(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
        return reduce(x, axis=dim, keepdims=keepdim)

    return call


def _whole(name: str, reduce: Function) -> Function:
    def call(x: Any, *dim: Any) -> Any:
        if dim:
            raise NoCounterpart(f"{name}(dim) gives values and indices")
        return reduce(x)

    return call


def _spread(correction: int, reduce: Function) -> Function:
    def call(x: Any, dim: Any = None, *, correction: int = correction, keepdim: bool = False) -> Any:
        return reduce(x, axis=dim, ddof=correction, keepdims=keepdim)

    return call


def functions_on(np: Any) -> dict[str, Function]:
    """minigrad's functions, by those of a module that is like NumPy."""
    found: dict[str, Function] = {name: getattr(np, name) for name in _SAME if hasattr(np, name)}
    found |= {name: getattr(np, theirs) for name, theirs in _RENAMED.items() if hasattr(np, theirs)}
    found |= {name: _reduction(getattr(np, theirs)) for name, theirs in _REDUCTIONS.items()}
    found["max"], found["min"] = _whole("max", np.max), _whole("min", np.min)
    found["var"], found["std"] = _spread(1, np.var), _spread(1, np.std)
    found["reshape"] = lambda x, *shape: np.reshape(x, _flat(shape))
    found["view"] = found["reshape"]
    found["flatten"] = lambda x: np.reshape(x, (-1,))
    found["squeeze"] = lambda x, dim=None: np.squeeze(x, axis=dim)
    found["unsqueeze"] = lambda x, dim: np.expand_dims(x, dim)
    found["transpose"] = lambda x, dim0, dim1: np.swapaxes(x, dim0, dim1)
    found["permute"] = lambda x, *dims: np.transpose(x, _flat(dims))
    found["t"] = np.transpose
    found["cat"] = lambda tensors, dim=0: np.concatenate(tensors, axis=dim)
    found["stack"] = lambda tensors, dim=0: np.stack(tensors, axis=dim)
    found["cumsum"] = lambda x, dim: np.cumsum(x, axis=dim)
    found["clamp"] = lambda x, min=None, max=None: np.clip(x, min, max)
    found["linear"] = lambda x, weight, bias=None: x @ weight.T + (0 if bias is None else bias)
    return found


def _flat(shape: Sequence[Any]) -> Any:
    return shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else tuple(shape)


# ------------------------------------------------------------------------------------------------- jax
def functions_of_jax(jax: Any) -> dict[str, Function]:
    """minigrad's functions by jax.numpy's, jax.nn's and jax.scipy's."""
    special = jax.scipy.special
    found = functions_on(jax.numpy)
    found["softmax"] = lambda x, dim: jax.nn.softmax(x, axis=dim)
    found["log_softmax"] = lambda x, dim: jax.nn.log_softmax(x, axis=dim)
    found |= {name: getattr(jax.nn, name) for name in ("relu", "sigmoid", "silu", "softplus", "elu", "relu6")}
    found |= {"logsigmoid": jax.nn.log_sigmoid, "selu": jax.nn.selu, "hardsigmoid": jax.nn.hard_sigmoid}
    found["gelu"] = lambda x, approximate="none": jax.nn.gelu(x, approximate=approximate == "tanh")
    found["leaky_relu"] = lambda x, negative_slope=0.01: jax.nn.leaky_relu(x, negative_slope)
    found["logsumexp"] = lambda x, dim, keepdim=False: special.logsumexp(x, axis=dim, keepdims=keepdim)
    found |= {"erf": special.erf, "erfc": special.erfc, "lgamma": special.gammaln, "xlogy": special.xlogy}
    found["detach"] = jax.lax.stop_gradient
    return found


def losses_of_optax(jax: Any, optax: Any) -> dict[str, Function]:
    """minigrad's losses by optax', which gives the losses of the samples; the options it lacks it refuses."""
    np = jax.numpy

    def reduced(losses: Any, reduction: str) -> Any:
        return {"mean": np.mean, "sum": np.sum, "none": lambda x: x}[reduction](losses)

    def pointwise(call: Function) -> Function:
        return lambda input, target, reduction="mean": reduced(call(input, target), reduction)

    def cross_entropy(
        input: Any,
        target: Any,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
        ignore_index: int = -100,
    ) -> Any:
        input = np.moveaxis(input, 1, -1) if input.ndim > 1 else input
        if target.dtype.kind in "iu":
            if label_smoothing == 0:
                losses = optax.softmax_cross_entropy_with_integer_labels(input, target)
                counts = target != ignore_index
                losses = np.where(counts, losses, 0)
                return np.sum(losses) / np.sum(counts) if reduction == "mean" else reduced(losses, reduction)
            target = jax.nn.one_hot(target, input.shape[-1], dtype=input.dtype)
        elif target.ndim > 1:
            target = np.moveaxis(target, 1, -1)
        return reduced(
            optax.softmax_cross_entropy(input, optax.smooth_labels(target, label_smoothing)), reduction
        )

    def kl_div(input: Any, target: Any, reduction: str = "mean", log_target: bool = False) -> Any:
        if reduction not in ("sum", "batchmean"):
            raise NoCounterpart(
                "optax.kl_divergence sums over the classes: use reduction='sum' or 'batchmean'"
            )
        call = optax.losses.kl_divergence_with_log_targets if log_target else optax.kl_divergence
        total = np.sum(call(input, target))
        return total / input.shape[0] if reduction == "batchmean" else total

    return {
        "mse_loss": pointwise(optax.squared_error),
        "huber_loss": lambda input, target, reduction="mean", delta=1.0: reduced(
            optax.huber_loss(input, target, delta=delta), reduction
        ),
        "smooth_l1_loss": lambda input, target, reduction="mean", beta=1.0: reduced(
            optax.huber_loss(input, target, delta=beta) / beta, reduction
        ),
        "binary_cross_entropy_with_logits": pointwise(optax.sigmoid_binary_cross_entropy),
        "cross_entropy": cross_entropy,
        "kl_div": kl_div,
    }


# --------------------------------------------------------------------------------------- HIPS autograd
def functions_of_autograd(np: Any, special: Any) -> dict[str, Function]:
    """minigrad's functions by autograd.numpy's and, with SciPy, autograd.scipy.special's."""
    found = functions_on(np)
    if special is not None:
        found["logsumexp"] = lambda x, dim, keepdim=False: special.logsumexp(x, axis=dim, keepdims=keepdim)
        found |= {
            "sigmoid": special.expit,
            "erf": special.erf,
            "erfc": special.erfc,
            "lgamma": special.gammaln,
        }
    return found


# ------------------------------------------------------------------------------- arrays with our methods
class Wrapped:
    """An array of another library with minigrad's methods and operators, as far as there are counterparts."""

    __array_priority__ = 1e6

    def __init__(self, array: Any, functions: dict[str, Function]) -> None:
        self.array = array
        self.functions = functions

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the dimensions."""
        return tuple(self.array.shape)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.array.shape)

    @property
    def dtype(self) -> Any:
        """The library's dtype."""
        return self.array.dtype

    @property
    def T(self) -> Wrapped:
        """The transpose."""
        return Wrapped(self.array.T, self.functions)

    def size(self, dim: int | None = None) -> Any:
        """The sizes of the dimensions, or of one."""
        return self.shape if dim is None else self.shape[dim]

    def numel(self) -> int:
        """The number of elements."""
        return int(self.array.size)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> Wrapped:
        return Wrapped(self.array[unwrapped(index)], self.functions)

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **options: counterpart(name, self.functions)(self, *args, **options)

    def __hash__(self) -> int:
        return id(self)


def _operator(call: Function, swapped: bool = False) -> Function:
    def apply(self: Wrapped, *others: Any) -> Wrapped:
        operands = [self.array, *map(unwrapped, others)]
        return Wrapped(call(*(operands[::-1] if swapped else operands)), self.functions)

    return apply


for _name in ("add", "sub", "mul", "truediv", "pow", "matmul", "mod", "floordiv"):
    setattr(Wrapped, f"__{_name}__", _operator(getattr(operator, _name)))
    setattr(Wrapped, f"__r{_name}__", _operator(getattr(operator, _name), swapped=True))
for _name in ("neg", "abs", "invert", "and_", "or_", "lt", "le", "gt", "ge", "eq", "ne"):
    setattr(Wrapped, f"__{_name.strip('_')}__", _operator(getattr(operator, _name)))


def counterpart(name: str, functions: dict[str, Function]) -> Function:
    """A function on wrapped arrays, or raise NoCounterpart."""
    call = functions.get(name)
    if call is None:
        raise NoCounterpart(name)

    def apply(*args: Any, **options: Any) -> Any:
        given, named = unwrapped(args), {k: unwrapped(v) for k, v in options.items()}
        try:
            result = call(*given, **named)
        except TypeError:
            _check_options(name, call, given, named)
            raise
        return Wrapped(result, functions) if hasattr(result, "shape") else result

    return apply


def _check_options(name: str, call: Function, given: Any, named: dict[str, Any]) -> None:
    """Raise NoCounterpart where the other library's function does not take arguments like these."""
    try:
        inspect.signature(call).bind(*given, **named)
    except TypeError as error:
        raise NoCounterpart(f"{name} with these options: {error}") from None
    except ValueError:  # a function that has no signature
        return


def unwrapped(value: Any) -> Any:
    """The library's own arrays in the place of wrapped ones."""
    if isinstance(value, Wrapped):
        return value.array
    return type(value)(map(unwrapped, value)) if type(value) in (list, tuple) else value
