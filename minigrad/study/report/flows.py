"""What each use of a value sends back to it: where several gradients meet, they are the terms of the sum."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict

import numpy as np
from numpy import ndarray

from minigrad.autograd.op import Primitive
from minigrad.autograd.tape import enable_grad
from minigrad.study.trace import Number, Step, Trace
from minigrad.tensor import Tensor

Flows = dict[tuple[int, int], ndarray]  # by the step that uses a value, and the operand's place


def flows(trace: Trace) -> Flows:
    """The gradient that flows back along each edge, as far as it can be told.

    A value that is used once gets its whole gradient from there. Where it is used several times the steps run
    again with their own rules, and what they give must add up to the gradient.
    """
    uses: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for step in trace.steps:
        if step.gradient is None:
            continue
        sending = {place for place, *_ in step.rules} if step.rules else None
        for place, operand in enumerate(step.operands):
            if isinstance(operand, int) and (sending is None or place in sending):
                uses[operand].append((step.index, place))
    found: Flows = {}
    for index, places in uses.items():
        gradient = trace.steps[index].gradient
        if gradient is None:
            continue
        if len(places) == 1:
            found[places[0]] = gradient
        else:
            found.update(_terms(trace, places, gradient))
    return found


def _terms(trace: Trace, places: list[tuple[int, int]], gradient: ndarray) -> Flows:
    """The terms of a sum of gradients; none at all if they do not add up."""
    terms: Flows = {}
    for user, times in Counter(user for user, _ in places).items():
        sent = _sent_back(trace, trace.steps[user])
        for _, place in [p for p in places if p[0] == user][:times]:
            if sent is None or sent[place] is None:
                return {}
            terms[user, place] = sent[place]
    total = np.sum([np.asarray(term, np.float64) for term in terms.values()], axis=0)
    if total.shape != gradient.shape or not np.allclose(
        total, gradient, rtol=1e-4, atol=1e-6 * _size(gradient), equal_nan=True
    ):
        return {}
    return terms


def _size(array: ndarray) -> float:
    finite = array[np.isfinite(array)]
    return float(np.abs(finite).max()) if finite.size else 0.0


def _sent_back(trace: Trace, step: Step) -> list[ndarray] | None:
    """What a step's own rules make of its gradient, by operand; None where it cannot run again."""
    arrays = [
        operand.value if isinstance(operand, Number) else trace.steps[operand].value
        for operand in step.operands
    ]
    if step.value is None or any(array is None for array in arrays):
        return None
    for op in _primitives(step.op):
        operands = [_leaf(array) if isinstance(array, ndarray) else array for array in arrays]
        try:
            with enable_grad():
                y = op(*operands, **step.options)
            if y._array.shape != step.shape or not np.allclose(y._array, step.value, equal_nan=True):
                continue
            return list(y._node.vjp(step.gradient, True))
        except (TypeError, ValueError, RuntimeError, AttributeError, IndexError):
            continue  # another operation of this name
    return None


def _leaf(array: ndarray) -> Tensor:
    made: Tensor = Tensor._wrap(array)
    return made.requires_grad_() if array.dtype.kind == "f" else made


def _primitives(name: str) -> list[Primitive]:
    """The operations of that name."""
    found: dict[int, Primitive] = {}
    for module_name, module in tuple(sys.modules.items()):
        if module_name.startswith("minigrad.ops.") or module_name == "minigrad.autograd.op":
            for value in vars(module).values():
                if isinstance(value, Primitive) and value.__name__ == name:
                    found[id(value)] = value
    return list(found.values())
