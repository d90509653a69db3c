"""Linear layers with activations between them, as one operation: one node, and no tensor in between.

A small layer takes longer to be recorded than to be computed. Where nobody can look at what one layer hands
to the next, a whole perceptron is recorded at once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from numpy import ndarray

from minigrad.autograd.fused import FusedNode
from minigrad.autograd.observe import observable
from minigrad.autograd.tape import Node, Variable, current_node, enable_grad, mode
from minigrad.kernels import sigmoid as kernels
from minigrad.kernels.linear import column_sums, relu_columns
from minigrad.ops import activation as ops
from minigrad.ops.linear import fits, layer, linear, product


@dataclass(frozen=True, eq=False)
class Activation:
    """What follows a layer: the operation, on arrays, and its way back from a cotangent and the result."""

    operation: Callable[[Any], Any]
    forward: Callable[[ndarray], ndarray] | None  # None: done by the layer itself
    backward: Callable[[ndarray, ndarray], ndarray]
    grad_name: str


RELU = Activation(ops.relu, None, kernels.relu_vjp, "ReluBackward0")
TANH = Activation(ops.tanh, kernels.tanh, kernels.tanh_vjp, "TanhBackward0")
SIGMOID = Activation(ops.sigmoid, kernels.sigmoid, kernels.sigmoid_vjp, "SigmoidBackward0")


@observable
class Perceptron:
    """Layers, each followed by one of these activations or by none: the operation of a `FusedNode`."""

    zero_for_zero = False

    def __init__(self, activations: tuple[Activation | None, ...]) -> None:
        self.activations = activations
        self.wrt = tuple(range(1 + 2 * len(activations)))  # the input, then weight and bias of each layer
        self.grad_name = activations[-1].grad_name if activations[-1] else "AddmmBackward0"

    def definition(self, input: Any, *parameters: Any) -> Any:
        """The layers one after the other."""
        for place, activation in enumerate(self.activations):
            input = linear(input, parameters[2 * place], parameters[2 * place + 1])
            if activation is not None:
                input = activation.operation(input)
        return input

    def __call__(self, input: Any, *parameters: Any) -> Any:
        """The result, recorded as one node if all are matrices that fit, else layer by layer."""
        weights, biases = parameters[::2], parameters[1::2]
        if not isinstance(input, Variable) or not _fit(input._array, weights, biases):
            return self.definition(input, *parameters)
        values = (input, *parameters)
        edges = [v._node if v._view is None else current_node(v) for v in values]
        recorded = mode.enabled and any(edges)
        arrays = mode.quietly(self._forward, input._array, weights, biases, recorded)
        result = input._result._wrap(arrays[-1])
        if recorded:
            saved = [input, *weights]
            if self.activations[-1] is not None:
                saved.append(_same_version(result))
            versions = [variable._counter[0] for variable in saved]
            gradients = functools.partial(self._gradients, [w._array for w in weights], arrays, edges)
            result._node = _PerceptronNode(self, edges, values, saved, versions, gradients)
        return result

    def _forward(
        self, x: ndarray, weights: Sequence[Any], biases: Sequence[Any], keep: bool
    ) -> list[ndarray]:
        """What the last layer gives; with `keep`, behind the input and what the others give."""
        arrays = [x]
        for weight, bias, activation in zip(weights, biases, self.activations, strict=True):
            x = layer(x, weight._array, bias._array, activation is RELU)
            if activation is not None and activation.forward is not None:
                x = activation.forward(x)
            arrays.append(x)
            if not keep:
                del arrays[0]
        return arrays

    def _gradients(
        self,
        weights: Sequence[ndarray],
        arrays: Sequence[ndarray],
        edges: Sequence[Node | None],
        g: ndarray,
        keep: bool,
    ) -> list[ndarray | None]:
        """The cotangents of the input and the parameters."""
        found: list[ndarray | None] = [None] * len(edges)
        lowest = next(place for place, edge in enumerate(edges) if edge is not None)
        for place in range(len(weights) - 1, -1, -1):
            weight_at = 1 + 2 * place
            activation = self.activations[place]
            if activation is RELU:
                g, found[weight_at + 1] = relu_columns(g, arrays[place + 1])
            else:
                if activation is not None:
                    g = activation.backward(g, arrays[place + 1])
                if edges[weight_at + 1] is not None:
                    found[weight_at + 1] = column_sums(g)
            if edges[weight_at] is not None:
                found[weight_at] = product(g.T, arrays[place])
            if lowest >= weight_at:
                break
            g = product(g, weights[place])
        else:
            found[0] = g
        return found


perceptron = functools.cache(Perceptron)


def _fit(x: ndarray, weights: Sequence[Any], biases: Sequence[Any]) -> bool:
    """Whether the layers go together, so that each can take the path of matrices that fit."""
    if x.ndim != 2 or not x.size:
        return False
    inputs, dtype = x.shape[1], x.dtype
    for weight, bias in zip(weights, biases, strict=True):
        if not fits(weight, bias, inputs, dtype):
            return False
        inputs = len(bias._array)
    return True


class _PerceptronNode(FusedNode):
    """A recorded perceptron, which shows the nodes of its layers to those who ask."""

    __slots__ = ()

    @property
    def next_functions(self) -> tuple:
        if self.values is None:
            return super().next_functions
        values = [
            value._result._wrap(value._array, edge)
            for value, edge in zip(self.values, self.edges, strict=True)
        ]
        with enable_grad():
            return self.op.definition(*values)._node.next_functions


def _same_version(result: Variable) -> Variable:
    """A tensor that is changed when `result` is, and does not hold its node."""
    same = result._result._wrap(result._array)
    same._counter = result._counter
    return same
