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
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import dtypes
from minigrad.autograd.fused import Fused, scale
from minigrad.autograd.op import cast
from minigrad.creation import as_tensor
from minigrad.dtypes import Size
from minigrad.nn.module import Module
from minigrad.ops.comparison import isinf
from minigrad.ops.elementwise import add as _broadcasting
from minigrad.ops.elementwise import where
from minigrad.tensor import Tensor

REDUCTIONS = ("mean", "sum", "none")


_PACKAGE = str(Path(dtypes.__file__).parent)


def warn_user(text: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line of the caller's code that led here."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, category, stacklevel=level)


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


def resolve_reduction(
    size_average: bool | None, reduce: bool | None, reduction: str, aliases: bool = True
) -> str:
    """The reduction that the arguments mean, torch's deprecated `size_average` and `reduce` included.

    Without `aliases` the deprecated name "elementwise_mean" is left as it is.
    """
    if size_average is not None or reduce is not None:
        size_average = True if size_average is None else size_average
        reduce = True if reduce is None else reduce
        reduction = "none" if not reduce else "mean" if size_average else "sum"
        warn_user(
            f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
        )
    elif reduction == "elementwise_mean" and aliases:
        warn_user(
            "reduction='elementwise_mean' is deprecated. Please use reduction='mean' instead.",
        )
        reduction = "mean"
    return reduction


def times(factor: Any, x: Any) -> Any:
    """factor * x, where 0 times an infinity is 0: what has no mass costs nothing."""
    return factor * where((factor == 0) & isinf(x), 0.0, x)


# ---------------------------------------------------------------------------------------- the decorator
class LossFunction(Fused):
    """A fused operation that settles its reduction and holds its options to their domains."""

    reductions: Sequence[str]
    invalid_reduction: str
    validate: Callable[..., None] | None

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Raise for a reduction that is none of this loss's, and for what `validate` rejects."""
        reduction = options["reduction"]
        if reduction not in self.reductions:
            raise ValueError(
                self.invalid_reduction.format(reduction)
                + f"\nUse one of {', '.join(map(repr, self.reductions))}."
            )
        if self.validate is not None:
            names = inspect.signature(self.validate).parameters
            self.validate(**{name: options[name] for name in names})


def loss(
    *,
    check: Callable[..., Sequence[Any]],
    forward: Callable[..., Any] | None = None,
    wrt: Sequence[str] = ("input",),
    backward: Callable[[ndarray, ndarray], ndarray] = scale,
    grad_name: str | Callable[[Sequence[Any]], str] | None = None,
    reductions: Sequence[str] = REDUCTIONS,
    invalid_reduction: str = "{} is not a valid value for reduction",
    validate: Callable[..., None] | None = None,
    check_values: Callable[..., None] | None = None,
    by_signature: bool = False,
) -> Callable[[Callable[..., Any]], LossFunction]:
    """`fused` for a loss: settles the reduction, then lets `check` have all the arguments.

    Args:
        check: takes all arguments, raises where they do not fit together, returns them in normal form.
        forward, wrt, backward, grad_name, check_values, by_signature: as those of `fused`; without `forward`
            there is no kernel.
        reductions: the reductions the loss has.
        invalid_reduction: the first line of the error for another, with {} for what was given.
        validate: raises where an option is outside its domain; its parameters are named after the options
            it looks at. It runs when a module is made, and before `check` at every call.
    """

    def attach(definition: Callable[..., Any]) -> LossFunction:
        names = list(inspect.signature(definition).parameters)
        place = names.index("reduction")
        legacy = [names.index(name) for name in ("size_average", "reduce") if name in names]
        looked_at = [names.index(name) for name in inspect.signature(validate).parameters] if validate else []

        def prepare(*values: Any) -> Sequence[Any]:
            if values[place] not in reductions or [i for i in legacy if values[i] is not None]:
                settled = list(values)
                average, reduce = [values[i] for i in legacy] or (None, None)
                settled[place] = resolve_reduction(average, reduce, values[place], bool(legacy))
                for i in legacy:
                    settled[i] = None
                made.check_options(dict(zip(names, settled, strict=True)))
                values = tuple(settled)
            elif validate is not None:
                validate(*[values[i] for i in looked_at])
            return check(*values)

        made = LossFunction(
            definition, forward, backward, wrt, prepare, grad_name, check_values, by_signature
        )
        made.reductions, made.invalid_reduction = reductions, invalid_reduction
        made.validate = validate
        return made

    return attach


def reduced_name(none: str, mean: str = "MeanBackward0") -> Callable[[Sequence[Any]], str]:
    """`grad_fn` names of losses that torch composes: by the last thing the reduction does."""
    by_reduction = {"none": none, "sum": "SumBackward0", "mean": mean, "batchmean": "DivBackward0"}

    def name(values: Sequence[Any]) -> str:
        for value in values:
            if type(value) is str and value in by_reduction:
                return by_reduction[value]
        return mean

    return name


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
    warn_user(
        f"Using a target size ({Size(b)!r}) that is different to the input size ({Size(a)!r}). This will "
        "likely lead to incorrect results due to broadcasting. Please ensure they have the same size."
        + ("" if result is None else f"\nThe losses have shape {result}. {_squeeze_hint(a, b)}")
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
def _values_of(names: Sequence[str]) -> Callable[[Any], tuple]:
    """A function that gives the attributes of these names as a tuple."""
    if len(names) < 2:
        return lambda module: tuple([getattr(module, name) for name in names])
    return attrgetter(*names)


class Loss(Module):
    """Base of the loss modules: a loss function with its options bound.

    A subclass names its function, `class MSELoss(Loss, fn=mse_loss)`. Its constructor takes the options of
    the function, in the function's order; those that are tensors become buffers.
    """

    fn: Any
    size_average = reduce = None
    _options: Callable[[Any], tuple]
    _inputs: inspect.Signature
    _buffer_names: tuple[str, ...] = ("weight", "pos_weight")

    def __init_subclass__(
        cls,
        *,
        fn: LossFunction | None = None,
        omit: Sequence[str] = (),
        keyword_only: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init_subclass__(**kwargs)
        if fn is None:
            return
        parameters = inspect.signature(fn.definition).parameters.values()
        options = [p for p in parameters if p.default is not p.empty]
        taken = [p for p in options if p.name not in omit]
        if keyword_only:
            taken = [p.replace(kind=p.KEYWORD_ONLY) for p in taken]
        cls.fn = staticmethod(fn)
        cls.__signature__ = inspect.Signature(taken)  # type: ignore[attr-defined]
        for name in omit:
            setattr(cls, name, None)
        names = [p.name for p in options]
        cls._options = staticmethod(_values_of(names))
        cls._inputs = inspect.Signature([p for p in parameters if p.default is p.empty])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        signature = inspect.signature(type(self))
        most = sum(p.kind is not p.KEYWORD_ONLY for p in signature.parameters.values())
        if len(args) > most:
            raise TypeError(
                f"{type(self).__name__}.__init__() takes {f'from 1 to {most + 1}' if most else 1} positional "
                f"argument{'s' if most else ''} but {len(args) + 1} were given\n"
                f"The options are {', '.join(signature.parameters)}; give them by name."
            )
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}.__init__() {error}") from None
        bound.apply_defaults()
        values = bound.arguments
        legacy = "size_average" in values
        average, reduce = values.pop("size_average", None), values.pop("reduce", None)
        values["reduction"] = resolve_reduction(average, reduce, values["reduction"], legacy)
        for name, value in values.items():
            if name in self._buffer_names:
                self.register_buffer(name, value)
            else:
                setattr(self, name, value)
        self._check_options(values)

    def _check_options(self, options: Mapping[str, Any]) -> None:
        """Raise for options outside their domains; a module may word what it finds in a way of its own."""
        self.fn.check_options(options)

    def forward(self, *tensors: Any, **named: Any) -> Any:
        """The loss of the given tensors, with this module's options."""
        if named or len(tensors) != len(self._inputs.parameters):
            try:
                tensors = self._inputs.bind(*tensors, **named).args
            except TypeError as error:
                raise TypeError(f"{type(self).__name__}.forward() {error}") from None
        return self.fn.apply(tensors, self._options(self))
