"""What a value was made of: the steps from inputs to result, with formulas, numbers and gradients.

A trace is read off the tape. What the tape keeps are the operands that some rule names; the rest is computed
again where that can be done, and is missing else. A call that is run for its trace (`trace_call`) misses
nothing. Fused operations are opened: their definitions are replayed, and its steps take their place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad import nn
from minigrad.autograd.observe import Call, observing
from minigrad.autograd.site import user_frame
from minigrad.autograd.tape import Leaf, Variable, current_node, enable_grad
from minigrad.study.builder import Builder
from minigrad.study.replay import identity, leading_to, names_in
from minigrad.study.steps import Group as Group
from minigrad.study.steps import Number as Number
from minigrad.study.steps import Step as Step
from minigrad.study.steps import Trace as Trace


def trace_of(result: Any, names: Mapping[Any, str] | None = None) -> Trace:
    """The trace of a tensor, read off its graph.

    Args:
        result: a tensor with a graph. With more than one element the gradients are those of its sum. Of a
            graph that a backward has freed there is what is left, with a note.
        names: what to call tensors, as `names_in` gives them; by default what the caller's variables do.

    Raises:
        TypeError: `result` is no tensor.
        RuntimeError: it has no graph.

    Example:
        >>> from minigrad.study.trace import trace_of
        >>> import minigrad
        >>> x = minigrad.tensor([1.0, 2.0], requires_grad=True)
        >>> for step in trace_of((x * x).sum()).steps:
        ...     print(step.name, step.formula, step.value, step.gradient)
        x  [1. 2.] [2. 4.]
        v1 x · x [1. 4.] [1. 1.]
        v2 sum(v1) 5.0 1.0
    """
    if not isinstance(result, Variable):
        raise TypeError(
            f"expected a tensor with a graph, such as a loss, but got {type(result).__name__}; to trace a "
            "call give the function and its arguments"
        )
    node = current_node(result)
    if node is None or isinstance(node, Leaf):
        raise RuntimeError(
            "element 0 of tensors does not require grad and does not have a grad_fn\n"
            f"The tensor ({_brief(result)}) has no graph to read. Call this before .detach(), .item() or "
            "no_grad(), or give the function and its arguments instead of its result."
        )
    builder = Builder(names_in(user_frame()) if names is None else names)
    builder.follow(node, np.ones_like(result._array))
    builder.add_graph(node, result)
    return builder.finish(result)


def trace_call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> tuple[Any, Trace]:
    """Call a function and trace the call: the result, and the trace.

    Tensors of floating point among the arguments get gradients, on copies, unless they have one already.

    Raises:
        TypeError: the function does not give a tensor.

    Example:
        >>> from minigrad.study.trace import trace_call
        >>> import minigrad
        >>> result, trace = trace_call(lambda x: (x + 1).log(), minigrad.tensor(1.0))
        >>> [step.formula for step in trace.steps]
        ['', 'x + 1', 'log(v1)']
    """
    names = names_in(user_frame())
    given = _named_arguments(function, args, kwargs)
    tensors: dict[str, Any] = {}
    for name, value in given.items():
        if isinstance(value, Variable):
            if value._node is None and value._array.dtype.kind == "f":
                value = value._result._wrap(value._array)
                value.requires_grad_()
            given[name] = tensors[name] = value
    calls: list[Call] = []
    with enable_grad(), observing(calls.append):
        count = len(args)
        values = list(given.values())
        result = function(*values[:count], **dict(zip(kwargs, values[count:], strict=True)))
    if not isinstance(result, Variable):
        raise TypeError(
            f"expected a function that gives one tensor, such as a loss, but it gave {type(result).__name__}"
        )
    own = {identity(value): name for name, value in tensors.items()}
    builder = Builder({**names, **own})
    node = current_node(result)
    if node is not None and not isinstance(node, Leaf):
        builder.follow(node, np.ones_like(result._array))
    builder.add_calls(leading_to(calls, result))
    return result, builder.finish(result)


def _named_arguments(function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments by the names of the function's parameters, in the order given."""
    named: list[str] = []
    target = getattr(function, "definition", function)
    if isinstance(function, nn.Module):
        inputs = getattr(function, "_inputs", None)
        named = list(inputs.parameters) if inputs is not None else []
        target = type(function).forward
    code = getattr(target, "__code__", None)
    if not named and code is not None:
        named = list(code.co_varnames[: code.co_argcount])
        named = named[1:] if isinstance(function, nn.Module) else named
    named = [n for n in named if n not in kwargs][: len(args)]
    named += [f"input{i}" for i in range(len(named), len(args))]
    return {**dict(zip(named, args, strict=True)), **kwargs}


def _brief(variable: Variable) -> str:
    array = variable._array
    return f"{array.item():g}" if array.size == 1 else f"shape {list(array.shape)}"
