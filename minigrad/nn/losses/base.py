"""What all losses share: reductions, the legacy arguments, the checks of shapes, the module form.

A loss is one function and one line:

    @loss(forward=_kernel, check=_check)
    def huber_loss(input, target, reduction="mean", delta=1.0):
        '''docstring'''
        ...the textbook definition...

    class HuberLoss(Loss, fn=huber_loss):
        '''docstring'''
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import dtypes
from minigrad.autograd.fused import Fused, fused, scale
from minigrad.autograd.op import cast
from minigrad.creation import as_tensor
from minigrad.dtypes import Size
from minigrad.nn.module import Module
from minigrad.ops.elementwise import add as _broadcasting
from minigrad.tensor import Tensor

REDUCTIONS = ("mean", "sum", "none")


# ------------------------------------------------------------------------------------------ reductions
def reduce_loss(losses: Any, reduction: str, weight: Any = None) -> Any:
    """The mean, the sum, or the losses themselves; with weights the mean divides by their sum."""
    if weight is not None:
        losses = losses * weight
    if reduction == "none":
        return losses
    if reduction == "sum":
        return losses.sum()
    return losses.mean() if weight is None else losses.sum() / weight.sum()


def resolve_reduction(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """The reduction that the arguments mean, torch's deprecated `size_average` and `reduce` included.

    Raises:
        ValueError: `reduction` is not one of "none", "mean", "sum".
    """
    if size_average is not None or reduce is not None:
        size_average = True if size_average is None else size_average
        reduce = True if reduce is None else reduce
        reduction = "none" if not reduce else "mean" if size_average else "sum"
        warnings.warn(
            f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
            UserWarning,
            stacklevel=4,
        )
    elif reduction == "elementwise_mean":
        warnings.warn(
            "reduction='elementwise_mean' is deprecated. Please use reduction='mean' instead.",
            UserWarning,
            stacklevel=4,
        )
        reduction = "mean"
    return reduction


def check_reduction(reduction: str, allowed: Sequence[str] = REDUCTIONS) -> None:
    """ValueError unless `reduction` is allowed."""
    if reduction not in allowed:
        raise ValueError(
            f"{reduction} is not a valid value for reduction\nUse one of {', '.join(map(repr, allowed))}."
        )


# ---------------------------------------------------------------------------------------- the decorator
def loss(
    *,
    forward: Callable[..., Any],
    check: Callable[..., Sequence[Any]],
    wrt: Sequence[str] = ("input",),
    backward: Callable[[ndarray, ndarray], ndarray] = scale,
    grad_name: str | Callable[[Sequence[Any]], str] | None = None,
    reductions: Sequence[str] = REDUCTIONS,
) -> Callable[[Callable[..., Any]], Fused]:
    """`fused` for a loss: settles the reduction, then lets `check` have all the arguments."""

    def attach(definition: Callable[..., Any]) -> Fused:
        names = list(inspect.signature(definition).parameters)
        place = names.index("reduction")
        legacy = names.index("size_average"), names.index("reduce")

        def prepare(*values: Any) -> Sequence[Any]:
            average, reduce, reduction = values[legacy[0]], values[legacy[1]], values[place]
            if average is not None or reduce is not None or reduction not in reductions:
                settled = list(values)
                settled[place] = resolve_reduction(average, reduce, reduction)
                settled[legacy[0]] = settled[legacy[1]] = None
                check_reduction(settled[place], reductions)
                values = tuple(settled)
            return check(*values)

        return fused(forward=forward, backward=backward, wrt=wrt, check=prepare, grad_name=grad_name)(
            definition
        )

    return attach


def reduced_name(none: str, mean: str = "MeanBackward0") -> Callable[[Sequence[Any]], str]:
    """`grad_fn` names of losses that torch composes: by the last thing the reduction does."""
    by_reduction = {"none": none, "sum": "SumBackward0", "mean": mean, "batchmean": "DivBackward0"}
    return lambda values: next(
        (by_reduction[v] for v in values if isinstance(v, str) and v in by_reduction), mean
    )


# ------------------------------------------------------------------------------------------- the checks
def as_target(input: Any, target: Any) -> Tensor:
    """The target as a tensor: sequences and arrays are converted, integers and bools take input's dtype.

    Raises:
        TypeError: `input` is no tensor, or `target` is nothing a tensor can be made of.
    """
    if not isinstance(input, Tensor):
        raise TypeError(f"argument 'input' must be Tensor, not {type(input).__name__}")
    if not isinstance(target, Tensor):
        target = as_tensor(target, dtype=input.dtype)
    kind = input._array.dtype
    if target._array.dtype is not kind and target._array.dtype.kind != "f" and kind.kind == "f":
        return cast(target, dtype=kind, source=target._array.dtype)
    return target


def check_floating(name: str, input: Tensor, target: Tensor) -> None:
    """NotImplementedError where neither is floating point."""
    if input._array.dtype.kind != "f" and target._array.dtype.kind != "f":
        raise NotImplementedError(
            f'"{name}_cpu" not implemented for {dtypes.of(input._array).scalar_type!r}\n'
            "The loss needs floating-point predictions; use .float()."
        )


def warn_of_broadcast(input: Tensor, target: Tensor) -> None:
    """torch's warning where the shapes differ, its error where they do not broadcast."""
    a, b = input._array.shape, target._array.shape
    if a == b:
        return
    try:
        result: Any = list(np.broadcast_shapes(a, b))
    except ValueError:
        result = None
    warnings.warn(
        f"Using a target size ({Size(b)!r}) that is different to the input size ({Size(a)!r}). This will "
        "likely lead to incorrect results due to broadcasting. Please ensure they have the same size."
        + ("" if result is None else f"\nThe losses have shape {result}. {_squeeze_hint(a, b)}"),
        UserWarning,
        stacklevel=5,
    )
    if result is None:
        _broadcasting(input.detach(), target.detach())  # raises, naming the sizes


def _squeeze_hint(a: tuple[int, ...], b: tuple[int, ...]) -> str:
    """What to type where the shapes differ by a dimension of size one."""
    for longer, shorter, name, other in ((a, b, "input", "target"), (b, a, "target", "input")):
        for place, size in enumerate(longer):
            if size == 1 and longer[:place] + longer[place + 1 :] == shorter:
                return f"Try {name}.squeeze({place}) or {other}.unsqueeze({place})."
    return "Reshape one to the shape of the other."


def check_same_shape(input: Tensor, target: Tensor, text: str) -> None:
    """ValueError with `text`, a format of the two shapes, where they differ."""
    a, b = input._array.shape, target._array.shape
    if a != b:
        raise ValueError(text.format(target=repr(Size(b)), input=repr(Size(a))) + "\n" + _squeeze_hint(a, b))


# -------------------------------------------------------------------------------------- the module form
class Loss(Module):
    """Base of the loss modules: a loss function with its options bound.

    A subclass names its function, `class MSELoss(Loss, fn=mse_loss)`. Its constructor takes the options of
    the function, in the function's order; those that are tensors become buffers.
    """

    fn: Any
    size_average = reduce = None
    _options: Callable[[Any], tuple[Any, ...]]
    _buffer_names = ("weight", "pos_weight")

    def __init_subclass__(cls, *, fn: Fused, omit: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        parameters = inspect.signature(fn.definition).parameters.values()
        options = [p for p in parameters if p.default is not p.empty]
        cls.fn = staticmethod(fn)
        cls.__signature__ = inspect.Signature([p for p in options if p.name not in omit])  # type: ignore[attr-defined]
        for name in omit:
            setattr(cls, name, None)
        cls._options = staticmethod(attrgetter(*(p.name for p in options)))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        try:
            bound = inspect.signature(type(self)).bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}.__init__() {error}") from None
        bound.apply_defaults()
        values = bound.arguments
        average, reduce = values.pop("size_average", None), values.pop("reduce", None)
        values["reduction"] = resolve_reduction(average, reduce, values["reduction"])
        for name, value in values.items():
            if name in self._buffer_names:
                self.register_buffer(name, value)
            else:
                setattr(self, name, value)

    def forward(self, *tensors: Any) -> Any:
        """The loss of the given tensors, with this module's options."""
        return self.fn(*tensors, *self._options(self))
