"""Recurrent layers over a whole sequence, as one operation each.

A sequence is packed, see `kernels.recurrent`: rows (total, features), with `sizes[t]` rows at step t. The
result has the states of all steps, then the last states: (total + N, hidden), or with a cell (total + 2 N,
hidden), N being `sizes[0]`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.autograd.fused import fused
from minigrad.autograd.op import Primitive, primitive
from minigrad.kernels import recurrent as kernels
from minigrad.kernels.jit import flat, is_compiled_type
from minigrad.ops.activation import relu, sigmoid, tanh
from minigrad.ops.joining import cat, chunk, narrow
from minigrad.ops.linear import linear


def _part(x: ndarray, *, start: int, shape: tuple[int, ...], label: str) -> ndarray:
    rows = math.prod(shape[:-1])
    return x[start : start + rows].reshape(shape)


def _place(u: ndarray, *, start: int, rows: int, label: str) -> ndarray:
    flat = u.reshape(-1, u.shape[-1])
    found = np.zeros((rows, flat.shape[1]), u.dtype)
    found[start : start + len(flat)] = flat
    return found


# Rows of a result in another shape. It is none of the views that share changes with their base: nobody sees
# the base, and its parts do not overlap.
part: Primitive = primitive(_part, operands=("x",), grad_name=lambda node: node.options["label"]).vjp(
    lambda g, x_shape, start, label: _placed(g, start=start, rows=x_shape[0], label=label)
)
_placed: Primitive = primitive(_place, operands=("u",), grad_name=lambda node: node.options["label"]).vjp(
    lambda g, u_shape, start, label: part(g, start=start, shape=u_shape, label=label)
)

_PARAMETERS = ("input", "weight_ih", "weight_hh", "bias_ih", "bias_hh", "h")


def _over_time(
    step: Callable[..., tuple[Any, ...]],
    input: Any,
    weight_hh: Any,
    states: Sequence[Any],
    sizes: Sequence[int],
    reverse: bool,
) -> Any:
    """The states of all steps, then the last ones; `step` takes the input's rows and the states'."""
    batch, units = sizes[0], weight_hh.shape[1]
    zeros = weight_hh._result._wrap(np.zeros((batch, units), weight_hh._array.dtype))
    states = [zeros if state is None else state for state in states]
    firsts = list(accumulate(sizes[:-1], initial=0))
    out: list[Any] = [None] * len(sizes)
    for t in range(len(sizes))[:: -1 if reverse else 1]:
        rows = sizes[t]
        current = [narrow(state, 0, 0, rows) for state in states]
        new = step(narrow(input, 0, firsts[t], rows), *current)
        out[t] = new[0]
        rest = [narrow(state, 0, rows, batch - rows) for state in states]
        states = list(new) if rows == batch else [cat(pair) for pair in zip(new, rest, strict=True)]
    return cat([*out, *states])


def _run(
    make: Any, arrays: Sequence[Any], states: Any, sizes: Any, reverse: Any, grad: Any, wanted: Any
) -> Any:
    """The kernels' pass over a sequence, unless there is none of these arrays."""
    x = arrays[0]
    given = [array for array in (*arrays, *states) if array is not None]
    if not is_compiled_type(x.dtype) or not x.size or any(a.dtype != x.dtype for a in given):
        return NotImplemented
    x = flat(x).reshape(x.shape)
    run = make(x, *arrays[1:], states, sizes, reverse)
    return run.result, (lambda g, keep: run.gradients(g, wanted)) if grad else None


def _kernel(make: Any) -> Callable[..., Any]:
    def run(
        input: ndarray,
        weight_ih: ndarray,
        weight_hh: ndarray,
        bias_ih: ndarray | None,
        bias_hh: ndarray | None,
        h: ndarray | None,
        sizes: tuple[int, ...],
        reverse: bool,
        *,
        grad: bool,
        wanted: tuple[bool, ...],
    ) -> Any:
        parameters = input, weight_ih, weight_hh, bias_ih, bias_hh
        return _run(make, parameters, (h,), sizes, reverse, grad, wanted)

    return run


def _lstm_kernel(
    input: ndarray,
    weight_ih: ndarray,
    weight_hh: ndarray,
    bias_ih: ndarray | None,
    bias_hh: ndarray | None,
    h: ndarray | None,
    c: ndarray | None,
    sizes: tuple[int, ...],
    reverse: bool,
    *,
    grad: bool,
    wanted: tuple[bool, ...],
) -> Any:
    parameters = input, weight_ih, weight_hh, bias_ih, bias_hh
    return _run(kernels.LSTM, parameters, (h, c), sizes, reverse, grad, wanted)


@fused(forward=_kernel(kernels.Tanh), wrt=_PARAMETERS, grad_name="StackBackward0")
def rnn_tanh(
    input: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_ih: Any,
    bias_hh: Any,
    h: Any,
    sizes: tuple[int, ...],
    reverse: bool,
) -> Any:
    """h' = tanh(W x + b + V h + c) at each step."""

    def step(x: Any, h: Any) -> tuple[Any, ...]:
        return (tanh(linear(x, weight_ih, bias_ih) + linear(h, weight_hh, bias_hh)),)

    return _over_time(step, input, weight_hh, (h,), sizes, reverse)


@fused(forward=_kernel(kernels.Relu), wrt=_PARAMETERS, grad_name="StackBackward0")
def rnn_relu(
    input: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_ih: Any,
    bias_hh: Any,
    h: Any,
    sizes: tuple[int, ...],
    reverse: bool,
) -> Any:
    """h' = relu(W x + b + V h + c) at each step."""

    def step(x: Any, h: Any) -> tuple[Any, ...]:
        return (relu(linear(x, weight_ih, bias_ih) + linear(h, weight_hh, bias_hh)),)

    return _over_time(step, input, weight_hh, (h,), sizes, reverse)


@fused(forward=_lstm_kernel, wrt=(*_PARAMETERS, "c"), grad_name="StackBackward0")
def lstm(
    input: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_ih: Any,
    bias_hh: Any,
    h: Any,
    c: Any,
    sizes: tuple[int, ...],
    reverse: bool,
) -> Any:
    """c' = f c + i g and h' = o tanh(c') with the gates i, f, g, o.

    They are sigmoids, g a tanh, of the parts of W x + b + V h + c.
    """

    def step(x: Any, h: Any, c: Any) -> tuple[Any, ...]:
        i, f, g, o = chunk(linear(x, weight_ih, bias_ih) + linear(h, weight_hh, bias_hh), 4, 1)
        c = sigmoid(f) * c + sigmoid(i) * tanh(g)
        return sigmoid(o) * tanh(c), c

    return _over_time(step, input, weight_hh, (h, c), sizes, reverse)


@fused(forward=_kernel(kernels.GRU), wrt=_PARAMETERS, grad_name="StackBackward0")
def gru(
    input: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_ih: Any,
    bias_hh: Any,
    h: Any,
    sizes: tuple[int, ...],
    reverse: bool,
) -> Any:
    """h' = (1 - z) n + z h with the gates r, z, n.

    They are the sigmoids of the parts of W x + b + V h + c, and n = tanh(W x + b + r (V h + c)).
    """

    def step(x: Any, h: Any) -> tuple[Any, ...]:
        r, z, n = chunk(linear(x, weight_ih, bias_ih), 3, 1)
        hr, hz, hn = chunk(linear(h, weight_hh, bias_hh), 3, 1)
        z = sigmoid(z + hz)
        n = tanh(n + sigmoid(r + hr) * hn)
        return ((1 - z) * n + z * h,)

    return _over_time(step, input, weight_hh, (h,), sizes, reverse)
