"""The tape: what is recorded, how it is walked backward, and when recording is on.

An operation on variables of which one requires a gradient leaves a `Node`. A node points to the nodes of
its operands (`edges`), never to a variable, so the graph holds no cycle and dies by reference count. A
leaf is a node too: its `Leaf` adds what arrives into the variable's `.grad`. So "requires a gradient"
and "has a node" are the same thing, for leaves as for results.

A plain backward hands plain ndarrays from node to node and makes no variable; `create_graph=True` hands
variables, so what the rules do is recorded like any other operation and can be differentiated again.
"""

from __future__ import annotations

import contextvars
import functools
import inspect
import itertools
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush
from operator import attrgetter
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.kernels.fill import dense

FREED = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they "
    "have already been freed). Saved intermediate values of the graph are freed when you call "
    ".backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the "
    "graph a second time or if you need to access saved tensors after calling backward."
)


# ---------------------------------------------------------------------------------------- grad modes
class _Mode(threading.local):
    """What a thread records, and the context its array operations run in.

    NumPy warns of a division by zero or an overflow where torch is silent. `np.errstate` costs more than
    a small operation itself; running the operation in a context made once, in which the warnings are
    off, costs a tenth of that.
    """

    def __init__(self) -> None:
        self.enabled = True
        self.inference = False
        self.safe = True  # a zero cotangent gives a zero gradient: `set_nan_policy`
        self.anomaly: Callable | None = None  # what makes the check of a walk: `detect_anomaly`
        context = contextvars.copy_context()
        context.run(np.seterr, all="ignore")
        self.quietly = context.run


mode = _Mode()


class set_grad_enabled:
    """Turn the recording of gradients on or off: at once, as a context manager or as a decorator.

    Example:
        >>> import minigrad
        >>> x = minigrad.ones(2, requires_grad=True)
        >>> with minigrad.set_grad_enabled(False):
        ...     y = x * 2
        >>> y.requires_grad
        False
    """

    def __init__(self, mode: bool) -> None:
        self._wanted = bool(mode)
        self._before = _swap_enabled(self._wanted)

    def __enter__(self) -> None:
        _swap_enabled(self._wanted)

    def __exit__(self, *_: object) -> None:
        _swap_enabled(self._before)

    def __call__(self, function: Callable) -> Callable:
        _swap_enabled(self._before)
        return _inside(lambda: set_grad_enabled(self._wanted), function)


def _inside(entered: Callable[[], Any], function: Callable) -> Callable:
    """`function` run in the context that `entered` makes; a generator's body is inside, its caller not."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with entered():
            return function(*args, **kwargs)

    @functools.wraps(function)
    def generator(*args: Any, **kwargs: Any) -> Any:
        running = function(*args, **kwargs)
        resume, given = running.send, None
        while True:
            try:
                with entered():
                    item = resume(given)
            except StopIteration as stop:
                return stop.value
            try:
                resume, given = running.send, (yield item)
            except GeneratorExit:
                with entered():
                    running.close()
                raise
            except BaseException as error:
                resume, given = running.throw, error

    return generator if inspect.isgeneratorfunction(function) else wrapper


def _swap_enabled(enabled: bool) -> bool:
    before, mode.enabled = mode.enabled, enabled
    return before


class set_nan_policy:
    """What a zero cotangent gives where a derivative is infinite or nan: at once, or as a context manager.

    With "safe", the default, it gives a zero gradient: what does not count does not turn into nan. With
    "torch" it gives 0 times inf, which is nan, as it does in torch. The policy is the thread's.

    Raises:
        ValueError: the policy is neither "safe" nor "torch".

    Example:
        >>> import minigrad
        >>> from minigrad.autograd import set_nan_policy
        >>> def gradient():
        ...     x = minigrad.tensor([0.0, 2.0], requires_grad=True)
        ...     minigrad.where(x > 0, minigrad.log(x), 0.0).sum().backward()
        ...     return x.grad
        >>> gradient()
        tensor([0.0000, 0.5000])
        >>> with set_nan_policy("torch"):
        ...     gradient()
        tensor([   nan, 0.5000])
    """

    def __init__(self, policy: str) -> None:
        if policy not in ("safe", "torch"):
            raise ValueError(f"set_nan_policy expects 'safe' or 'torch', but got {policy!r}")
        self._before = mode.safe
        mode.safe = policy == "safe"

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        mode.safe = self._before


class _GradMode:
    """Base of `no_grad`, `enable_grad` and `inference_mode`: a context manager and a decorator."""

    enabled: bool
    inference: bool | None = None

    def __new__(cls, function: Any = None, *args: Any) -> Any:
        self = object.__new__(cls)
        if callable(function):  # used as a bare decorator: @no_grad
            self.__init__()  # type: ignore[misc]
            return self(function)
        return self

    def __init__(self) -> None:
        self._before: list[tuple[bool, bool]] = []

    def __enter__(self) -> None:
        self._before.append((mode.enabled, mode.inference))
        mode.enabled = self.enabled
        if self.inference is not None:
            mode.inference = self.inference

    def __exit__(self, *_: object) -> None:
        mode.enabled, mode.inference = self._before.pop()

    def __call__(self, function: Callable) -> Callable:
        return _inside(self._again, function)

    def _again(self) -> _GradMode:
        """The same mode with a memory of its own: calls in several threads must not mix."""
        again = object.__new__(type(self))
        again.enabled, again.inference, again._before = self.enabled, self.inference, []
        return again


class no_grad(_GradMode):
    """Record nothing inside: for evaluation and for updating parameters by hand.

    Example:
        >>> import minigrad
        >>> w = minigrad.ones(2, requires_grad=True)
        >>> with minigrad.no_grad():
        ...     w -= 0.1
        >>> w
        tensor([0.9000, 0.9000], requires_grad=True)
    """

    enabled = False


class enable_grad(_GradMode):
    """Record inside, also within a `no_grad` block.

    Example:
        >>> import minigrad
        >>> x = minigrad.ones(2, requires_grad=True)
        >>> with minigrad.no_grad(), minigrad.enable_grad():
        ...     y = x * 2
        >>> y.requires_grad
        True
    """

    enabled = True


class inference_mode(_GradMode):
    """`no_grad` under the name torch gives to code that will never need gradients.

    Example:
        >>> import minigrad
        >>> with minigrad.inference_mode():
        ...     minigrad.is_inference_mode_enabled()
        True
    """

    def __init__(self, mode: bool = True) -> None:
        super().__init__()
        self.enabled, self.inference = not mode, mode


def is_grad_enabled() -> bool:
    """Whether operations are being recorded in this thread.

    Example:
        >>> import minigrad
        >>> minigrad.is_grad_enabled()
        True
    """
    return mode.enabled


def is_inference_mode_enabled() -> bool:
    """Whether this thread is inside `inference_mode()`.

    Example:
        >>> import minigrad
        >>> minigrad.is_inference_mode_enabled()
        False
    """
    return mode.inference


# ------------------------------------------------------------------------------------ nodes, variables
class Variable:
    """What the engine knows of a tensor: an array, a node, a gradient, and a version count.

    `_counter` is a list of one number, the version, shared by all views of the same memory; an in-place
    operation adds one. `_view` says of what this is a view, None where it owns its memory.
    """

    __slots__ = ("__weakref__", "_array", "_counter", "_grad", "_node", "_view")

    _array: ndarray
    _node: Node | None
    _grad: Any
    _counter: list[int]
    _view: View | None
    _result: type[Variable]  # the type that results of operations on this type have

    def __new__(cls, data: Any, requires_grad: bool = False) -> Any:
        """torch's old way to ask for gradients: a new leaf over the memory of the tensor `data`."""
        self = data._result._wrap(data._array)
        self._counter = data._counter
        if requires_grad:
            self._node = Leaf(self)
        return self

    @classmethod
    def _wrap(cls, array: ndarray, node: Node | None = None) -> Any:
        """A variable around `array`, without a copy and without asking."""
        self = _new(cls)
        self._array = array
        self._node = node
        self._grad = None
        self._counter = [0]
        self._view = None
        return self


_new = object.__new__


class View:
    """Of which variable, and by which steps, a view was made, so that its node can be renewed."""

    __slots__ = ("base", "base_node", "steps")

    def __init__(self, base: Variable, steps: tuple) -> None:
        self.base = base
        self.steps = steps  # ((operation, options), ...), from the base on
        self.base_node = base._node

    def replay(self, base: Any) -> Any:
        """The same view of another base, an array or a variable."""
        for operation, options in self.steps:
            base = operation(base, **options)
        return base


def current_node(variable: Variable) -> Node | None:
    """The node of a variable; of a view whose base was written to since, the renewed one."""
    view = variable._view
    if view is not None and view.base._node is not view.base_node:
        view.base_node = view.base._node
        if view.base_node is not None and not isinstance(view.base_node, Leaf):
            with enable_grad():
                variable._node = view.replay(view.base)._node
    return variable._node


next_sequence = itertools.count(1).__next__


def _constant_one(dtype: type) -> ndarray:
    one: ndarray = np.ones((), dtype)
    one.setflags(write=False)
    return one


# The cotangent of a scalar: no rule changes what it is given, so one array serves all walks, and a node
# that is handed it knows that there is nothing to scale.
ONES = {one.dtype: one for one in map(_constant_one, (np.float32, np.float64))}


class Node:
    """A recorded operation. `edges` are the nodes of its operands, None for those without a gradient.

    A node is made after its operands' nodes, so `sequence` orders the graph topologically.
    """

    __slots__ = ("__weakref__", "edges", "hooks", "retained", "sequence")

    edges: Sequence[Node | None]

    def __init__(self, edges: Sequence[Node | None]) -> None:
        self.edges = edges
        self.sequence = next_sequence()
        self.hooks: dict[int, Callable] | None = None
        self.retained: weakref.ref | None = None

    def vjp(self, g: Any, keep: bool) -> Sequence[Any]:
        """The cotangents of the operands, one per edge, for the cotangent `g` of the result.

        `g` is an ndarray, or a variable when the walk itself is recorded. What comes back is new memory,
        or `g` itself, or a view. With `keep` the node will be walked again.
        """
        raise NotImplementedError

    def release(self) -> None:
        """Let go of what was saved for backward."""

    def name(self) -> str:
        """The name torch prints, such as 'MulBackward0'."""
        raise NotImplementedError

    @property
    def next_functions(self) -> tuple:
        """The nodes this one hands its gradients to, as torch's pairs (node, output number)."""
        return tuple((_real(edge), getattr(edge, "index", 0)) for edge in self.edges)

    def __repr__(self) -> str:
        return f"<{self.name().rpartition('::')[2]}>"


def _real(node: Node | None) -> Node | None:
    return node.function if isinstance(node, Pick) else node


class Leaf(Node):
    """The node of a variable the user made: adds what arrives into the variable's `.grad`.

    It holds its variable weakly: a leaf nobody can reach needs no gradient, and so there is no cycle.
    """

    __slots__ = ("_reference", "post_hooks")

    def __init__(self, variable: Variable) -> None:
        super().__init__(())
        self.sequence = 0  # leaves come last in every walk
        self._reference = weakref.ref(variable)
        self.post_hooks: dict[int, Callable] | None = None

    @property
    def variable(self) -> Variable | None:
        """The variable this node accumulates into, None once it is gone."""
        return self._reference()

    def name(self) -> str:
        return "torch::autograd::AccumulateGrad"

    def accumulate(self, g: Any, owned: bool) -> None:
        """Add `g` to the gradient; an array that others may hold (`owned` false) is copied first."""
        variable = self._reference()
        if variable is None:
            return
        if isinstance(g, Variable):
            variable._grad = g if variable._grad is None else variable._grad + g
        elif variable._grad is None:
            array = g if owned else dense(g)
            variable._grad = variable._result._wrap(array)
        else:
            held = variable._grad
            mode.quietly(np.add, held._array, g, held._array)
            held._counter[0] += 1
        if self.post_hooks:
            for hook in tuple(self.post_hooks.values()):
                hook(variable)


class Pick(Node):
    """One of several results of a node: puts its cotangent in its place among the node's."""

    __slots__ = ("count", "function", "index")

    def __init__(self, function: Node, index: int, count: int) -> None:
        super().__init__((function,))
        self.function, self.index, self.count = function, index, count

    def vjp(self, g: Any, keep: bool) -> Sequence[Any]:
        cotangents: list[Any] = [None] * self.count
        cotangents[self.index] = g
        return (Cotangents(cotangents),)

    def name(self) -> str:
        return self.function.name()


class Cotangents(list):
    """The cotangents of a node with several results; adding two of them adds place by place."""

    def __add__(self, other: Any) -> Cotangents:
        return Cotangents(
            b if a is None else a if b is None else a + b for a, b in zip(self, other, strict=True)
        )


# -------------------------------------------------------------------------------------------- the walk
_by_sequence = attrgetter("sequence")


def _leading_to(targets: set[Node], roots: Iterable[Node]) -> set[Node]:
    """Those of the nodes below the roots whose cotangent a target needs."""
    order = list(roots)
    seen = set(order)
    for node in order:  # which grows on the way
        for edge in node.edges:
            if edge is not None and edge not in seen:
                seen.add(edge)
                order.append(edge)
    order.sort(key=_by_sequence)
    needed: set[Node] = set()
    for node in order:  # operands before results
        if node in targets or any(edge in needed for edge in node.edges):
            needed.add(node)
    return needed


def _run_hooks(node: Node, g: Any, wrap: Callable) -> Any:
    """Show the cotangent to the hooks of the result; what a hook returns takes its place."""
    recorded = isinstance(g, Variable)
    seen = g if recorded else wrap(np.array(g))
    for hook in tuple((node.hooks or {}).values()):
        replaced = hook(seen)
        seen = seen if replaced is None else replaced
    variable = node.retained() if node.retained is not None else None
    if variable is not None:
        held = variable._grad
        variable._grad = seen if held is None else held + seen
    return seen if recorded else seen._array


def _sum(a: Any, b: Any) -> Any:
    """a + b, of arrays without NumPy's warnings."""
    return mode.quietly(np.add, a, b) if type(a) is type(b) is ndarray else a + b


def walk(
    roots: dict[Node, Any],
    *,
    targets: set[Node] | None,
    retain_graph: bool,
    wrap: Callable,
) -> dict[Node, Any]:
    """Carry the cotangents of `roots` backward through the tape.

    Without `targets` the leaves accumulate into `.grad`. With them nothing accumulates: only nodes that
    lead to a target are walked, and the cotangents that reach the targets are returned.

    `roots` is used up. Of the nodes that have a cotangent the last recorded comes first: all that use its
    result were recorded after it and have been walked, so its cotangent is complete. Leaves wait for the end.
    """
    needed = None if targets is None else _leading_to(targets, roots)
    pending = roots
    shared: set[Node] = set(roots)  # nodes whose pending array others may hold
    found: dict[Node, Any] = {}
    leaves: list[Leaf] = []
    heap: list[tuple[int, Node]] = []
    check = None if mode.anomaly is None else mode.anomaly()
    for node in roots:
        if type(node) is Leaf:
            leaves.append(node)
        else:
            heappush(heap, (-node.sequence, node))
    while heap:
        node = heappop(heap)[1]
        g = pending.pop(node)
        if needed is not None and node not in needed:
            continue
        if node.hooks is not None or node.retained is not None:
            g = _run_hooks(node, g, wrap)
        if targets is not None and node in targets:
            found[node] = g
        gradients = node.vjp(g, retain_graph)
        if check is not None:
            check(node, g, gradients)
        if not retain_graph:
            node.release()
        for edge, gradient in zip(node.edges, gradients, strict=True):
            if edge is None or gradient is None:
                continue
            held = pending.get(edge)
            if held is None:
                pending[edge] = gradient
                if gradient is g or type(gradient) is not ndarray or gradient.base is not None:
                    shared.add(edge)
                if type(edge) is Leaf:
                    leaves.append(edge)
                else:
                    heappush(heap, (-edge.sequence, edge))
            elif edge in shared:
                pending[edge] = total = _sum(held, gradient)
                if type(total) is ndarray:  # of 0-d arrays NumPy makes a number, which nobody can write to
                    shared.discard(edge)
            else:
                mode.quietly(np.add, held, gradient, held)
    for leaf in leaves:
        g = pending[leaf]
        if leaf.hooks is not None or leaf.retained is not None:
            g = _run_hooks(leaf, g, wrap)
            shared.add(leaf)
        if targets is None:
            leaf.accumulate(g, leaf not in shared)
        elif leaf in targets:
            found[leaf] = g
    return found
