"""Fused operations: a public function whose body is its definition, and kernels that compute it faster.

    @fused(forward=kernels.huber, wrt=("input",))
    def huber_loss(input, target, reduction="mean", delta=1.0):
        ...the textbook definition, made of primitives...

- Normally the kernel runs: one pass computes the value and, where wanted, the gradient; backward only
  scales it.
- With `create_graph=True` the walk replays the definition on the saved inputs and differentiates that,
  to any order.
- Where the kernel declines (it returns `NotImplemented`), or a gradient is wanted for an operand that
  `wrt` does not name, the definition runs by itself.

So no formula is written twice, and tests can hold one against the other.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from operator import attrgetter, itemgetter
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.autograd.op import has_nan
from minigrad.autograd.tape import (
    FREED,
    ONES,
    Node,
    Variable,
    current_node,
    enable_grad,
    mode,
    next_sequence,
    walk,
)

_MISSING = inspect.Parameter.empty


def scale(g: ndarray, gradient: ndarray) -> ndarray:
    """The saved gradient times the cotangent; the saved gradient itself where that is one."""
    if g.ndim == 0 and g == 1:
        return gradient
    return g * gradient


def scale_classes(g: ndarray, gradient: ndarray) -> ndarray:
    """`scale` for losses that reduce the class dimension 1 (0 for a single sample)."""
    if 0 < g.ndim < gradient.ndim:
        g = g.reshape(g.shape[0], 1, *g.shape[1:])
    return scale(g, gradient)


# A call with given options, of inputs of given dtypes and shapes; None where it is no such call after all.
Planned = Callable[..., Any]
# A kernel with everything but whether gradients are wanted, and the arrays, bound.
Launch = Callable[..., Any]
# For the same options, and of options: batches have any number of sizes, schedules any number of values.
_MOST_PLANS = 256


class Fused:
    """A definition with the kernels that compute it. Made by `fused`; call it like the function."""

    def __init__(
        self,
        definition: Callable[..., Any],
        forward: Callable[..., Any] | None = None,
        backward: Callable[[ndarray, ndarray], ndarray] = scale,
        wrt: Sequence[str] = ("input",),
        check: Callable[..., Sequence[Any]] | None = None,
        grad_name: str | Callable[[Sequence[Any]], str] | None = None,
        check_values: Callable[..., None] | None = None,
        by_signature: bool = False,
    ) -> None:
        functools.update_wrapper(self, definition)
        self.definition = _by_position(definition)
        self.forward = forward or _no_kernel
        self.backward = backward
        self.zero_for_zero = True  # a zero cotangent gives a zero gradient, whatever the slope
        self.check = check
        self.check_values = check_values
        self.grad_name = grad_name or (
            "".join(word.capitalize() for word in definition.__name__.split("_")) + "Backward0"
        )
        parameters = inspect.signature(definition).parameters
        self._places = {name: place for place, name in enumerate(parameters)}
        self._defaults = [p.default for p in parameters.values()]
        self._required = sum(default is _MISSING for default in self._defaults)
        self._positional = sum(p.kind is not p.KEYWORD_ONLY for p in parameters.values())
        self.wrt = tuple(self._places[name] for name in wrt if forward is not None)
        wanted = inspect.signature(self.forward).parameters.values()
        plain = [self._places[p.name] for p in wanted if p.kind is not p.KEYWORD_ONLY]
        self._operands = itemgetter(*plain) if plain else _no_operands
        options = [p.name for p in wanted if p.kind is p.KEYWORD_ONLY]
        self._asks = "wanted" in options
        self._options = [(name, self._places[name]) for name in options if name not in ("grad", "wanted")]
        count = self._required
        simple = plain[:count] == list(range(count)) and not self._asks
        self._by_signature = by_signature and forward is not None and simple
        self._inputs = tuple(self._places)[:count]
        self._rest = plain[count:]
        # By the number of positional arguments and the names of the others.
        self._orders: dict[tuple, Callable[[tuple], tuple]] = {}
        self._plain = tuple(self._defaults[count:])
        self._plain_plans: dict[tuple, Planned] = {}
        self._plans = {self._plain: self._plain_plans}  # by options, then by dtypes and shapes

    def _bind(self, args: Sequence[Any], kwargs: dict[str, Any]) -> list[Any]:
        """All arguments in the definition's order."""
        return list(self._arranged(args, kwargs))

    def _arranged(self, args: Sequence[Any], kwargs: dict[str, Any]) -> tuple:
        """`_bind`, as a tuple."""
        order = self._orders.get((len(args), *kwargs)) or self._order(args, kwargs)
        return order((*args, *kwargs.values(), *self._defaults))

    def _order(self, args: Sequence[Any], kwargs: dict[str, Any]) -> Callable[[tuple], tuple]:
        """What brings arguments given like these, and then the defaults, into the definition's order.

        It is kept, as the names of keywords say which it is. `inspect` words the error where they do not fit.
        """
        given, count = len(args), len(args) + len(kwargs)
        order = [place if place < given else count + place for place in range(len(self._defaults))]
        fits = given <= self._positional
        for found, name in enumerate(kwargs, start=given):
            place = self._places.get(name, -1)
            fits = fits and place >= given
            order[place] = found
        if not fits or any(found >= count for found in order[: self._required]):
            try:
                inspect.signature(self.definition).bind(*args, **kwargs)
            except TypeError as error:
                raise TypeError(f"{self.definition.__name__}() {error}") from None
        if len(self._orders) >= _MOST_PLANS:
            self._orders.clear()
        arrange = self._orders[given, *kwargs] = itemgetter(*order) if len(order) > 1 else _first
        return arrange

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs and not args and tuple(kwargs) == self._inputs:  # takes a third of the time to arrange them
            args, kwargs = tuple(kwargs.values()), {}
        if not kwargs and len(args) == self._required:
            return self._call(args, self._plain, self._plain_plans)
        values = self._arranged(args, kwargs)
        return self.apply(values[: self._required], values[self._required :])

    def apply(self, inputs: tuple, options: tuple) -> Any:
        """Call with a value for every parameter: those without a default, then the others, in order."""
        try:
            plans = self._plans.get(options)
        except TypeError:  # an option that cannot be looked up
            plans = None
        return self._call(inputs, options, plans)

    def _call(self, inputs: tuple, options: tuple, plans: dict[tuple, Planned] | None) -> Any:
        """As planned, if there was a call like this one; else in full."""
        if plans:
            planned = plans.get(_signature(inputs))
            y = None if planned is None else planned(*inputs)
            if y is not None:
                return y
        return self._in_full([*inputs, *options])

    def _plan(self, values: Sequence[Any], given: Sequence[Any], arrays: Sequence[Any]) -> None:
        """Remember how calls like this one go, unless the arguments had to be brought into normal form."""
        options = tuple(values[self._required :])
        if any(isinstance(option, Variable) for option in options):
            return
        signature = _signature(values[: self._required])
        if not signature or any(new is not old for new, old in zip(values, given, strict=True)):
            return
        try:
            plans = self._plans.get(options)
        except TypeError:  # an option that cannot be looked up
            return
        if plans is None:
            if len(self._plans) >= _MOST_PLANS:
                self._plans.clear()
                self._plans[self._plain] = self._plain_plans
            plans = self._plans[options] = {}
        elif len(plans) >= _MOST_PLANS:
            plans.clear()
        keywords = {name: values[place] for name, place in self._options}
        launch = self.forward(*self._operands(arrays), grad=None, **keywords)
        if not callable(launch):
            launch = _launch_of(self.forward, tuple(values[place] for place in self._rest), keywords)
        planned = _planned_pair if self._required == 2 and self.wrt == (0,) else _planned_call
        plans[signature] = planned(self, launch, options, name_of(self.grad_name, values))

    def _in_full(self, given: Sequence[Any]) -> Any:
        """Check all arguments, then run the kernel or the definition."""
        values = given
        if self.check is not None:
            values = self.check(*values)
        if self.check_values is not None:
            self.check_values(*values)
        arrays = list(values)
        variables: list[Variable] = []
        tracked = False
        for place, value in enumerate(values):
            if isinstance(value, Variable):
                node = value._node if value._view is None else current_node(value)
                if node is not None and mode.enabled:
                    if place not in self.wrt:
                        return self._by_definition(values)
                    tracked = True
                variables.append(value)
                arrays[place] = value._array
        options = {name: arrays[place] for name, place in self._options}
        if self._asks:
            options["wanted"] = tuple(tracked and _node_of(values[place]) is not None for place in self.wrt)
        found = self.forward(*self._operands(arrays), grad=tracked, **options)
        if found is NotImplemented or not variables:
            return self._by_definition(values)
        if self._by_signature:
            self._plan(values, given, arrays)
        y, gradients = found
        if not tracked:
            return variables[0]._result._wrap(y)
        if type(gradients) is not tuple and not callable(gradients):
            gradients = (gradients,)
        edges = [_node_of(values[place]) for place in self.wrt]
        versions = tuple([variable._counter[0] for variable in variables])
        node = FusedNode(self, edges, values, variables, versions, gradients)
        return variables[0]._result._wrap(y, node)

    def _by_definition(self, values: Sequence[Any]) -> Any:
        """What the definition computes, under the name the operation has."""
        y = self.definition(*values)
        if y._node is not None:
            y._node = DefinedNode(y._node, name_of(self.grad_name, values), self, values)
        return y

    def __repr__(self) -> str:
        return f"<fused {self.__name__}>"  # type: ignore[attr-defined]


def _signature(inputs: Sequence[Any]) -> tuple:
    """The dtypes and shapes of tensors; empty, as that of no call, where one is none."""
    if len(inputs) == 2:  # as most losses have, without the loop
        first, second = inputs
        if not (isinstance(first, Variable) and isinstance(second, Variable)):
            return ()
        a, b = first._array, second._array
        return (a.dtype, a.shape, b.dtype, b.shape)
    found: list = []
    for value in inputs:
        if not isinstance(value, Variable):
            return ()
        array = value._array
        found += (array.dtype, array.shape)
    return tuple(found)


# What depends on no value is known beforehand of a planned call: that the arguments fit, how the kernel is
# launched, what the node is called. A loss of a few numbers, forward and backward, takes half the time.
def _planned_pair(op: Fused, launch: Launch, options: tuple, label: str) -> Planned:
    """Planned calls of an operation on two inputs that differentiates by the first."""
    check_values = op.check_values

    def call(first: Variable, second: Variable) -> Any:
        edge = first._node if first._view is None else current_node(first)
        other = second._node if second._view is None else current_node(second)
        tracked = mode.enabled and (edge is not None or other is not None)
        if tracked and other is not None:
            return None
        if check_values is not None:
            check_values(first, second, *options)
        found = launch(tracked, first._array, second._array)
        if found is NotImplemented:
            return None
        y, gradient = found
        if not tracked:
            return first._result._wrap(y)
        versions = (first._counter[0], second._counter[0])
        gradients = gradient if callable(gradient) else (gradient,)
        inputs = (first, second)
        node = FusedNode(op, (edge,), (first, second, *options), inputs, versions, gradients, label)
        return first._result._wrap(y, node)

    return call


_array_of = attrgetter("_array")


def _planned_call(op: Fused, launch: Launch, options: tuple, label: str) -> Planned:
    """Planned calls of any other operation."""
    check_values, wrt, untracked = op.check_values, op.wrt, [None] * op._required
    edges_of = itemgetter(*wrt) if len(wrt) > 1 else itemgetter(slice(wrt[0], wrt[0] + 1))
    fixed = [place for place in range(op._required) if place not in wrt]

    def call(*inputs: Variable) -> Any:
        nodes = list(map(current_node, inputs))
        tracked = mode.enabled and nodes != untracked
        if tracked:
            for place in fixed:
                if nodes[place] is not None:
                    return None
        if check_values is not None:
            check_values(*inputs, *options)
        found = launch(tracked, *map(_array_of, inputs))
        if found is NotImplemented:  # as a kernel may that gives the value and not the gradients
            return None
        y, gradients = found
        if not tracked:
            return inputs[0]._result._wrap(y)
        if type(gradients) is not tuple and not callable(gradients):
            gradients = (gradients,)
        versions = [value._counter[0] for value in inputs]
        node = FusedNode(op, edges_of(nodes), inputs + options, inputs, versions, gradients, label)
        return inputs[0]._result._wrap(y, node)

    return call


def _launch_of(kernel: Callable[..., Any], rest: tuple, keywords: dict[str, Any]) -> Launch:
    """A launch of a kernel that prepares none itself."""
    return lambda grad, *arrays: kernel(*arrays, *rest, grad=grad, **keywords)


def _first(values: tuple) -> tuple:
    return values[:1]


def _no_operands(arrays: Sequence[Any]) -> tuple[Any, ...]:
    return ()


def _by_position(definition: Callable[..., Any]) -> Callable[..., Any]:
    """The definition, callable with all arguments in order, keyword-only ones too."""
    parameters = inspect.signature(definition).parameters
    keywords = [name for name, p in parameters.items() if p.kind is p.KEYWORD_ONLY]
    if not keywords:
        return definition
    split = len(parameters) - len(keywords)

    @functools.wraps(definition)
    def call(*values: Any) -> Any:
        return definition(*values[:split], **dict(zip(keywords, values[split:], strict=True)))

    return call


def _node_of(operand: Any) -> Node | None:
    """The node of an operand; None for one that was left out."""
    return None if operand is None else operand._node


def _no_kernel(*, grad: bool | None) -> Any:
    """The kernel of an operation that has none: the definition runs."""
    return NotImplemented


class FusedNode(Node):
    """A recorded call of a fused operation: its arguments, and the gradients the kernel computed."""

    __slots__ = ("gradients", "label", "op", "values", "variables", "versions")

    def __init__(
        self,
        op: Any,  # Fused, or what else has a definition, `wrt` and the like
        edges: Sequence[Node | None],
        values: Sequence[Any],
        variables: Sequence[Variable],
        versions: Sequence[int],
        gradients: tuple[ndarray, ...] | Callable[[ndarray, bool], Sequence[ndarray | None]],
        label: str | None = None,
    ) -> None:
        self.edges = edges
        self.sequence = next_sequence()
        self.hooks = self.retained = None
        self.op = op
        self.label = label
        self.values: Sequence[Any] | None = values
        self.gradients = gradients
        self.variables = variables
        self.versions = versions

    def vjp(self, g: Any, keep: bool) -> Sequence[Any]:
        if self.values is None:
            raise RuntimeError(FREED + f" (The freed node is {self.name()}.)")
        for variable, version in zip(self.variables, self.versions, strict=True):
            if variable._counter[0] != version:
                self._raise_modified()
        if isinstance(g, Variable):
            return self._differentiate_definition(g)
        gradients = self.gradients
        if callable(gradients):
            made = mode.quietly(gradients, g, keep)
            if (
                mode.safe and self.op.zero_for_zero and not g.any()
            ):  # a zero cotangent gives a zero gradient, whatever the slope
                return [None if a is None else np.zeros_like(a) for a in made]
            return made
        if g is ONES.get(g.dtype) and not keep:
            return gradients
        found: list[ndarray | None] = []
        for edge, gradient in zip(self.edges, gradients, strict=True):
            if edge is None:
                found.append(None)
                continue
            scaled = mode.quietly(self.op.backward, g, gradient)
            if (g.ndim or not g) and mode.safe and has_nan(scaled):
                scaled = self._without_spurious_nan(scaled, g, gradient)
            found.append(scaled[...] if keep and scaled is gradient else scaled)
        return found

    def _raise_modified(self) -> None:
        for variable, version in zip(self.variables, self.versions, strict=True):
            if variable._counter[0] != version:
                raise RuntimeError(
                    "one of the variables needed for gradient computation has been modified by an "
                    f"inplace operation: an argument of shape {list(variable._array.shape)} of "
                    f"{self.name()} is at version {variable._counter[0]}; expected version {version} "
                    "instead. Hint: write the in-place operation out of place, or clone() first."
                )

    def _without_spurious_nan(self, scaled: ndarray, g: ndarray, gradient: ndarray) -> ndarray:
        """The gradient with zeros for the nan that an infinite slope makes of a zero cotangent."""
        without = self.op.backward(g, np.ones_like(gradient)) == 0
        return np.where(without & np.isnan(scaled), 0, scaled)

    def _differentiate_definition(self, g: Variable) -> Sequence[Any]:
        """The gradients as variables: replay the definition on stand-ins and walk what that records."""
        assert self.values is not None
        values = list(self.values)
        stands: list[Node] = []
        for place, edge in zip(self.op.wrt, self.edges, strict=True):
            stand = Relay(edge)
            stands.append(stand)
            if edge is not None:
                original = values[place]
                values[place] = original._result._wrap(original._array, stand)
                values[place]._counter = original._counter
        with enable_grad():
            y = self.op.definition(*values)
        found = walk({y._node: g}, targets=set(stands), retain_graph=True, wrap=g._result._wrap)
        return [found.get(stand) for stand in stands]

    def release(self) -> None:
        if self.label is None:
            self.label = self.name()  # which looks at the values
        self.values = None
        self.gradients = ()
        self.variables = ()

    def name(self) -> str:
        return self.label or name_of(self.op.grad_name, self.values or ())


def name_of(name: str | Callable[[Sequence[Any]], str], values: Sequence[Any]) -> str:
    return name if isinstance(name, str) else name(values)


class Relay(Node):
    """Hands its cotangent on unchanged.

    It stands for an operand where only a part of the graph is walked, and gives a result the name of the
    operation where its definition ran.
    """

    __slots__ = ("label",)

    def __init__(self, edge: Node | None, label: str = "AliasBackward0") -> None:
        super().__init__((edge,))
        self.label = label

    def vjp(self, g: Any, keep: bool) -> Sequence[Any]:
        return (g,)

    def name(self) -> str:
        return self.label


class DefinedNode(Relay):
    """A recorded call of a fused operation whose definition ran: it knows the arguments until it is freed."""

    __slots__ = ("op", "values")

    def __init__(self, edge: Node, label: str, op: Fused, values: Sequence[Any]) -> None:
        super().__init__(edge, label)
        self.op = op
        self.values: Sequence[Any] | None = values

    def release(self) -> None:
        self.values = None


def fused(
    *,
    forward: Callable[..., Any] | None = None,
    backward: Callable[[ndarray, ndarray], ndarray] = scale,
    wrt: Sequence[str] = ("input",),
    check: Callable[..., Sequence[Any]] | None = None,
    grad_name: str | Callable[[Sequence[Any]], str] | None = None,
    check_values: Callable[..., None] | None = None,
    by_signature: bool = False,
) -> Callable[[Callable[..., Any]], Fused]:
    """Attach kernels to a definition.

    Args:
        forward: the kernel, a function on arrays whose parameters are named after the definition's, and a
            keyword `grad`. It returns `(value, gradient or tuple of gradients in the order of wrt)`, with
            the gradients for a cotangent of one (None without `grad`), or `NotImplemented`. Without a
            kernel the definition always runs. Where a product with saved gradients will not do, it
            returns a function of the cotangent, and of whether it will be called again, that gives the
            gradients. With a keyword `wanted` it is told which operands of `wrt` need one. With
            `by_signature` it is called with `grad=None` as well: then it may return a function of `grad` and
            the inputs' arrays, which does the same for further arrays of their dtypes and shapes.
        backward: makes of the cotangent and a saved gradient the operand's cotangent, by default their
            product.
        wrt: the operands the kernel has gradients for.
        check: takes all arguments, raises where they do not fit, and returns them in normal form.
        grad_name: what `grad_fn` prints, a text or a function of the arguments.
        check_values: takes all arguments in normal form at every call, and raises or warns.
        by_signature: `check` looks at types, shapes and options alone: what depends on the values of the
            inputs, and every warning, is the business of `check_values`. Then `check` is skipped where inputs
            and options are like those of an earlier call.
    """

    def attach(definition: Callable[..., Any]) -> Fused:
        return Fused(definition, forward, backward, wrt, check, grad_name, check_values, by_signature)

    return attach
