"""Memory for time: what a function records is forgotten, and recorded again when backward needs it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from numpy import ndarray

from minigrad.autograd.fused import Relay
from minigrad.autograd.tape import (
    FREED,
    Cotangents,
    Node,
    Pick,
    Variable,
    current_node,
    enable_grad,
    mode,
    next_sequence,
    no_grad,
    set_grad_enabled,
    walk,
)
from minigrad.random import get_rng_state, set_rng_state

_UNSAID = (
    "torch.utils.checkpoint: the use_reentrant parameter should be passed explicitly. Starting in PyTorch "
    "2.9, calling checkpoint without use_reentrant will raise an exception. use_reentrant=False is "
    "recommended, but if you need to preserve the current default behavior, you can pass use_reentrant=True."
    " Refer to docs for more details on the differences between the two variants."
)


class Recomputed(Node):
    """A call whose inner graph is made anew in backward. Its edges are all nodes from outside the call that
    the inner graph leads to: those of arguments, and of what the function itself uses, such as parameters."""

    __slots__ = ("call", "label")

    def __init__(self, edges: list[Node], call: Callable[[], Any], label: str) -> None:
        super().__init__(edges)
        self.call: Callable[[], Any] | None = call
        self.label = label

    def vjp(self, g: Any, keep: bool) -> Sequence[Any]:
        if self.call is None:
            raise RuntimeError(FREED + f" (The freed node is {self.name()}.)")
        cotangents = g if isinstance(g, Cotangents) else [g]
        recorded = any(isinstance(c, Variable) for c in cotangents)
        numbers = [next_sequence() for _ in self.edges]  # of the stubs, which come before what is recorded
        start = next_sequence()
        outputs = _recorded(self.call())
        roots: dict[Node, Any] = {}
        for y, cotangent in zip(outputs, cotangents, strict=True):
            if cotangent is not None:
                node: Any = current_node(y)
                roots[node] = roots[node] + cotangent if node in roots else cotangent
        stubs = _cut(roots, start)
        for edge, number in zip(self.edges, numbers, strict=True):
            if edge in stubs:
                stubs[edge].sequence = number
        roots = {stubs.get(node, node): cotangent for node, cotangent in roots.items()}
        with set_grad_enabled(recorded):
            found = walk(
                roots, targets=set(stubs.values()), retain_graph=recorded, wrap=outputs[0]._result._wrap
            )
        gradients = [found.get(stubs[edge]) if edge in stubs else None for edge in self.edges]
        # Views of arrays: others may hold them.
        return [each[...] if isinstance(each, ndarray) else each for each in gradients]

    def release(self) -> None:
        self.call = None

    def name(self) -> str:
        return self.label


def _recorded(found: Any) -> list[Any]:
    """The outputs that have a gradient."""
    outputs = found if isinstance(found, tuple) else (found,)
    return [y for y in outputs if isinstance(y, Variable) and current_node(y) is not None]


def _cut(roots: Iterable[Node], start: int) -> dict[Node | None, Relay]:
    """Put a stub before each node recorded before `start` that these lead to; the stubs, by such nodes."""
    stubs: dict[Node | None, Relay] = {}
    seen, waiting = set(roots), list(roots)

    def stub(node: Node | None) -> Node | None:
        if node is None or node.sequence > start:
            return node
        if node not in stubs:
            stubs[node] = Relay(node)
        return stubs[node]

    while waiting:
        node = waiting.pop()
        if stub(node) is not node:
            continue
        inner = {edge for edge in node.edges if edge is not None and edge.sequence > start} - seen
        node.edges = [stub(edge) for edge in node.edges]
        waiting += inner
        seen |= inner
    return stubs


def _repeatable(function: Callable[..., Any], args: Any, kwargs: Any, preserve: bool) -> Callable[[], Any]:
    """The call, recorded, with the random numbers that are drawn now."""
    state = get_rng_state() if preserve else None

    def call() -> Any:
        now = get_rng_state()
        if state is not None:
            set_rng_state(state)
        try:
            with enable_grad():
                return function(*args, **kwargs)
        finally:
            if state is not None:
                set_rng_state(now)

    return call


def _forgetting(function: Callable[..., Any], args: Any, kwargs: Any, preserve: bool, label: str) -> Any:
    """Run the function, and put one node in place of what it records."""
    call = _repeatable(function, args, kwargs, preserve)
    start = next_sequence()
    found = function(*args, **kwargs)
    outputs = _recorded(found) if mode.enabled else []
    if not outputs:
        return found
    nodes = [current_node(y) for y in outputs]
    label = label or next(node.name() for node in nodes if node is not None)
    outside = [edge for edge in _cut([node for node in nodes if node is not None], start) if edge is not None]
    node = Recomputed(outside, call, label)
    forgotten = {}
    for place, y in enumerate(outputs):
        own = node if len(outputs) == 1 else Pick(node, place, len(outputs))
        forgotten[id(y)] = y._result._wrap(y._array, own)
        forgotten[id(y)]._counter = y._counter
    parts = [forgotten.get(id(y), y) for y in (found if isinstance(found, tuple) else (found,))]
    return tuple(parts) if isinstance(found, tuple) else parts[0]


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """Run `function` without keeping what backward needs; it runs once more when backward comes by.

    Args:
        function: what to run; it must do the same both times.
        args: its arguments.
        use_reentrant: what torch does differently: with True nothing is recorded unless an argument
            requires a gradient, and keyword arguments are an error.
        preserve_rng_state: draw the same random numbers again.
        kwargs: keyword arguments of the function.

    Raises:
        ValueError: keyword arguments, with `use_reentrant=True`.

    Example:
        >>> import minigrad
        >>> from minigrad.utils.checkpoint import checkpoint
        >>> x = minigrad.tensor([1.0, 2.0], requires_grad=True)
        >>> checkpoint(lambda a: a * a, x, use_reentrant=True).sum().backward()
        >>> x.grad
        tensor([2., 4.])
    """
    if use_reentrant is None:
        warnings.warn(_UNSAID, stacklevel=2)
        use_reentrant = True
    if kwargs and use_reentrant:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    if not use_reentrant:
        return _forgetting(function, args, kwargs, preserve_rng_state, "")
    if any(isinstance(a, Variable) and current_node(a) is not None for a in args):
        return _forgetting(function, args, kwargs, preserve_rng_state, "CheckpointFunctionBackward")
    warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2)
    with no_grad():
        return function(*args)


def checkpoint_sequential(
    functions: Any,
    segments: int,
    input: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
) -> Any:
    """Run a Sequential, or a list of functions, in `segments` parts, each but the last a `checkpoint`.

    Example:
        >>> import minigrad
        >>> from minigrad.utils.checkpoint import checkpoint_sequential
        >>> x = minigrad.ones(2, requires_grad=True)
        >>> checkpoint_sequential([minigrad.neg, minigrad.square], 2, x, use_reentrant=True)
        tensor([1., 1.], grad_fn=<PowBackward0>)
    """
    if use_reentrant is None:
        warnings.warn(_UNSAID, stacklevel=2)
        use_reentrant = True
    parts = list(functions.children()) if hasattr(functions, "children") else list(functions)
    size = len(parts) // segments

    def run(first: int, last: int) -> Callable[[Any], Any]:
        def segment(x: Any) -> Any:
            for part in parts[first:last]:
                x = part(x)
            return x

        return segment

    options = {"use_reentrant": use_reentrant, "preserve_rng_state": preserve_rng_state}
    for start in range(0, size * (segments - 1), size):
        input = checkpoint(run(start, start + size), input, **options)
    return run(size * (segments - 1), len(parts))(input)
