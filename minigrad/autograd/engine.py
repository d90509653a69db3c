"""`backward` and `grad`: the two ways to start a walk, and the errors of those who start it wrongly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.autograd.tape import ONES, Node, Variable, current_node, mode, set_grad_enabled, walk
from minigrad.dtypes import Size


def _as_sequence(value: Any) -> Sequence[Any]:
    return (value,) if isinstance(value, Variable) or value is None else tuple(value)


def _roots(outputs: Sequence[Variable], cotangents: Sequence[Any], recorded: bool) -> dict[Node, Any]:
    """The nodes to start from, with their cotangents: arrays, or variables for a recorded walk."""
    if len(cotangents) != len(outputs):
        raise RuntimeError(
            f"got {len(outputs)} tensors and {len(cotangents)} gradients. Give one gradient, or None, "
            "for each tensor."
        )
    roots: dict[Node, Any] = {}
    for place, (output, cotangent) in enumerate(zip(outputs, cotangents, strict=True)):
        node = current_node(output)
        if node is None:
            raise RuntimeError(
                f"element {place} of tensors does not require grad and does not have a grad_fn\n"
                "The chain of gradients was cut before it: no operand required a gradient, or it was made "
                "under no_grad(), by detach(), .data, item(), numpy(), an integer cast, argmax or a "
                "comparison. Give a leaf requires_grad=True, or keep those out of the path to the loss."
            )
        g = _cotangent(output, cotangent, place)
        value = g if recorded else g._array
        roots[node] = roots[node] + value if node in roots else value
    return roots


def _plain_cotangent(output: Variable, given: Any) -> ndarray | None:
    """The cotangent of a loss, or a given one that fits as it is; None if it needs a second look."""
    array = output._array
    if given is None:
        return None if array.ndim else ONES.get(array.dtype)
    if (
        isinstance(given, Variable)
        and given._array.shape == array.shape
        and given._array.dtype is array.dtype
    ):
        return given._array
    return None


def _cotangent(output: Variable, given: Any, place: int) -> Variable:
    array = output._array
    if given is None:
        if array.size != 1:
            raise RuntimeError(
                "grad can be implicitly created only for scalar outputs\n"
                f"The tensor has shape {Size(array.shape)!r}. Reduce it first (loss.mean() or loss.sum()), "
                "or pass gradient=, a tensor of that shape."
            )
        ones = np.ones(array.shape, array.dtype) if array.ndim else ONES[array.dtype]
        return output._result._wrap(ones)
    if not isinstance(given, Variable):
        raise TypeError(
            f"gradients can be either Tensors or None, but got {type(given).__name__}. "
            "Use minigrad.tensor(...)."
        )
    if given._array.shape != array.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{place}] has a shape of {Size(given._array.shape)!r} and "
            f"output[{place}] has a shape of {Size(array.shape)!r}."
        )
    if given._array.dtype != array.dtype:
        return given._result._wrap(given._array.astype(array.dtype), given._node)
    return given


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Carry gradients from `tensors` back to the leaves and add them to their `.grad`.

    Args:
        tensors: one tensor or several; each must be part of a graph.
        grad_tensors: the cotangent of each, of its shape; None means 1 and is for one-element tensors.
        retain_graph: keep the graph for another backward; by default what `create_graph` says.
        create_graph: record the walk itself, so that the gradients can be differentiated.
        inputs: accumulate only into these leaves.

    Raises:
        RuntimeError: a tensor has no graph, or the graph was freed, or a saved tensor was changed in
            place, or a cotangent is missing or of the wrong shape.

    Example:
        >>> import minigrad
        >>> x = minigrad.tensor([1.0, 2.0], requires_grad=True)
        >>> minigrad.autograd.backward((x * x).sum())
        >>> x.grad
        tensor([2., 4.])
    """
    keep = create_graph if retain_graph is None else retain_graph
    if inputs is None and not create_graph and isinstance(tensors, Variable):
        node, g = current_node(tensors), _plain_cotangent(tensors, grad_tensors)
        if node is not None and g is not None:  # without the sequences of the general call
            _run({node: g}, None, bool(keep), False, tensors._result._wrap)
            return
    outputs = _as_sequence(tensors)
    cotangents = [None] * len(outputs) if grad_tensors is None else _as_sequence(grad_tensors)
    roots = _roots(outputs, cotangents, create_graph)
    wrap = outputs[0]._result._wrap
    if inputs is None:
        _run(roots, None, keep, create_graph, wrap)
        return
    for leaf, g in zip(
        _as_sequence(inputs),
        grad(outputs, inputs, cotangents, retain_graph, create_graph, allow_unused=True),
        strict=True,
    ):
        node = current_node(leaf)
        if g is not None and (node is None or node.retained is None):  # else the walk has filled it
            leaf._grad = g if leaf._grad is None else leaf._grad + g


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """The gradients of `outputs` with respect to `inputs`, as a tuple; no `.grad` is touched.

    Args:
        outputs: one tensor or several, each part of a graph.
        inputs: the tensors to differentiate by, leaves or not.
        grad_outputs: the cotangent of each output; None means 1, for one-element outputs.
        retain_graph: keep the graph for another walk; by default what `create_graph` says.
        create_graph: record the walk, for higher derivatives.
        allow_unused: give None, not an error, for an input the outputs do not depend on.
        materialize_grads: give zeros instead of None for such an input.

    Raises:
        ValueError: `materialize_grads` with `allow_unused=False`.
        RuntimeError: as `backward`; or an input is not part of the graph.

    Example:
        >>> import minigrad
        >>> x = minigrad.tensor(3.0, requires_grad=True)
        >>> (first,) = minigrad.autograd.grad(x ** 3, x, create_graph=True)
        >>> (second,) = minigrad.autograd.grad(first, x)
        >>> first.item(), second.item()
        (27.0, 18.0)
    """
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: "
            "allow_unused=False."
        )
    outputs, inputs = _as_sequence(outputs), _as_sequence(inputs)
    if not inputs:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    cotangents = [None] * len(outputs) if grad_outputs is None else _as_sequence(grad_outputs)
    keep = create_graph if retain_graph is None else retain_graph
    nodes = [current_node(i) for i in inputs]
    for place, node in enumerate(nodes):
        if node is None:
            raise RuntimeError(
                "One of the differentiated Tensors does not require grad\n"
                f"It is input {place}, of shape {Size(inputs[place]._array.shape)!r}. Call "
                "requires_grad_() on it before it is used."
            )
    roots = _roots(outputs, cotangents, create_graph)
    wrap = outputs[0]._result._wrap
    found = _run(roots, {n for n in nodes if n is not None}, keep, create_graph, wrap)
    results = []
    for place, (variable, node) in enumerate(zip(inputs, nodes, strict=True)):
        g = None if node is None else found.get(node)
        if g is None:
            if not allow_unused and not materialize_grads:
                raise RuntimeError(
                    f"The differentiated Tensor at index {place} appears to not have been used in the graph. "
                    "Set allow_unused=True if this is the desired behavior.\n"
                    f"It has shape {Size(variable._array.shape)!r}."
                )
            g = wrap(np.zeros_like(variable._array)) if materialize_grads else None
        elif not isinstance(g, Variable):
            g = wrap(np.array(g, order="C"))
        results.append(g)
    return tuple(results)


def _run(
    roots: dict[Node, Any], targets: set[Node] | None, keep: bool, create_graph: bool, wrap: Any
) -> dict[Node, Any]:
    if create_graph:
        with set_grad_enabled(True):
            return walk(roots, targets=targets, retain_graph=keep, wrap=wrap)
    before, mode.enabled = mode.enabled, False
    try:
        return walk(roots, targets=targets, retain_graph=keep, wrap=wrap)
    finally:
        mode.enabled = before
