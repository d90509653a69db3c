"""Recurrent layers over whole sequences, and back through time.

A sequence is packed: the rows of its first step, then those of the second, and so on, with `sizes[t]` rows
at step t, which never grow.  The inputs of all steps are projected in one product; a step is then one product
with the state and one kernel.  On the way back the weights' gradients are one product over all steps.

In the kernels arrays are flat, and a loop has few of them: LLVM vectorises none that needs more than 8
checks of whether memory overlaps.
"""

# The types of a kernel's arguments are inferred when it is compiled.
# mypy: allow-untyped-defs, no-check-untyped-defs

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .jit import flat, kernel, note_product
from .linear import add_bias, column_sums
from .math import sigmoid, tanh
from .sigmoid import relu_point

Array = NDArray[Any]


# ---------------------------------------------------------------------------------- parts of the steps
@kernel
def _sigmoid_of_sum(x, at, other, start, n):
    at, start = max(at, 0), max(start, 0)
    for j in range(n):
        x[at + j] = sigmoid(x[at + j] + other[start + j])


@kernel
def _tanh_of_sum(x, at, other, start, n):
    at, start = max(at, 0), max(start, 0)
    for j in range(n):
        x[at + j] = tanh(x[at + j] + other[start + j])


@kernel
def _relu_of_sum(x, at, other, start, n):
    at, start = max(at, 0), max(start, 0)
    for j in range(n):
        x[at + j] = relu_point(x[at + j] + other[start + j])


@kernel
def _copy(x, at, other, start, n):
    at, start = max(at, 0), max(start, 0)
    for j in range(n):
        x[at + j] = other[start + j]


@kernel
def _add(x, at, other, start, n):
    at, start = max(at, 0), max(start, 0)
    for j in range(n):
        x[at + j] += other[start + j]


@kernel
def _to_sigmoid(slopes, gates, at, g, start, factor, place, n):
    """The cotangent of a sigmoid's argument, whose result has the cotangent g · factor."""
    at, start, place = max(at, 0), max(start, 0), max(place, 0)
    for j in range(n):
        y = gates[at + j]
        slopes[at + j] = g[start + j] * factor[place + j] * (y * (type(y)(1) - y))


# ---------------------------------------------------------------------------------------------- LSTM
# Gates: input, forget, cell, output.
@kernel
def _lstm_step(gates, products, first, rows, n, h, c, out, before, cells, tanhs):
    for i in range(rows):
        row = first + i
        at, own, state = max(row * 4 * n, 0), max(row * n, 0), max(i * n, 0)
        _sigmoid_of_sum(gates, at, products, i * 4 * n, 2 * n)
        _tanh_of_sum(gates, at + 2 * n, products, (i * 4 + 2) * n, n)
        _sigmoid_of_sum(gates, at + 3 * n, products, (i * 4 + 3) * n, n)
        _copy(before, own, h, state, n)
        _copy(cells, own, c, state, n)
        for j in range(n):
            c[state + j] = gates[at + n + j] * c[state + j] + gates[at + j] * gates[at + 2 * n + j]
        for j in range(n):
            tanhs[own + j] = tanh(c[state + j])
        for j in range(n):
            h[state + j] = gates[at + 3 * n + j] * tanhs[own + j]
        _copy(out, own, h, state, n)


@kernel
def _lstm_back(gates, first, rows, n, g, to_h, to_c, cells, tanhs, slopes):
    one = type(g[0])(1)
    for i in range(rows):
        row = first + i
        at, own, state = max(row * 4 * n, 0), max(row * n, 0), max(i * n, 0)
        _add(to_h, state, g, own, n)
        _to_sigmoid(slopes, gates, at + 3 * n, to_h, state, tanhs, own, n)
        for j in range(n):
            y = tanhs[own + j]
            to_c[state + j] += to_h[state + j] * gates[at + 3 * n + j] * (one - y * y)
        _to_sigmoid(slopes, gates, at, to_c, state, gates, at + 2 * n, n)
        _to_sigmoid(slopes, gates, at + n, to_c, state, cells, own, n)
        for j in range(n):
            y = gates[at + 2 * n + j]
            slopes[at + 2 * n + j] = to_c[state + j] * gates[at + j] * (one - y * y)
        for j in range(n):
            to_c[state + j] *= gates[at + n + j]


# ----------------------------------------------------------------------------------------------- GRU
# Gates: reset, update, new.
@kernel
def _gru_step(gates, products, first, rows, n, h, out, before, inner):
    one = type(out[0])(1)
    for i in range(rows):
        row = first + i
        at, own, state = max(row * 3 * n, 0), max(row * n, 0), max(i * n, 0)
        _sigmoid_of_sum(gates, at, products, i * 3 * n, 2 * n)
        _copy(inner, own, products, (i * 3 + 2) * n, n)
        for j in range(n):
            gates[at + 2 * n + j] = tanh(gates[at + 2 * n + j] + gates[at + j] * inner[own + j])
        _copy(before, own, h, state, n)
        for j in range(n):
            z = gates[at + n + j]
            h[state + j] = (one - z) * gates[at + 2 * n + j] + z * h[state + j]
        _copy(out, own, h, state, n)


@kernel
def _gru_back(gates, first, rows, n, g, to_h, before, inner, slopes, hidden):
    """`hidden`: the cotangents of the state's products, which for the new gate are not the input's."""
    one = type(g[0])(1)
    for i in range(rows):
        row = first + i
        at, own, state = max(row * 3 * n, 0), max(row * n, 0), max(i * n, 0)
        _add(to_h, state, g, own, n)
        for j in range(n):
            z = gates[at + n + j]
            apart = before[own + j] - gates[at + 2 * n + j]
            slopes[at + n + j] = to_h[state + j] * apart * (z * (one - z))
        for j in range(n):
            y = gates[at + 2 * n + j]
            slopes[at + 2 * n + j] = to_h[state + j] * (one - gates[at + n + j]) * (one - y * y)
        _to_sigmoid(slopes, gates, at, slopes, at + 2 * n, inner, own, n)
        _copy(hidden, at, slopes, at, 2 * n)
        for j in range(n):
            hidden[at + 2 * n + j] = slopes[at + 2 * n + j] * gates[at + j]
        for j in range(n):
            to_h[state + j] *= gates[at + n + j]


# ----------------------------------------------------------------------------------------------- RNN
@kernel
def _tanh_step(gates, products, first, rows, n, h, out, before):
    for i in range(rows):
        own, state = max((first + i) * n, 0), max(i * n, 0)
        _tanh_of_sum(gates, own, products, state, n)
        _copy(before, own, h, state, n)
        _copy(h, state, gates, own, n)
        _copy(out, own, gates, own, n)


_relu_step = _tanh_step.specialise("_relu_step", _tanh_of_sum=_relu_of_sum)


@kernel
def _tanh_back(gates, first, rows, n, g, to_h, slopes):
    one = type(g[0])(1)
    for i in range(rows):
        own, state = max((first + i) * n, 0), max(i * n, 0)
        _add(to_h, state, g, own, n)
        for j in range(n):
            y = gates[own + j]
            slopes[own + j] = to_h[state + j] * (one - y * y)


@kernel
def _relu_back(gates, first, rows, n, g, to_h, slopes):
    zero = type(g[0])(0)
    for i in range(rows):
        own, state = max((first + i) * n, 0), max(i * n, 0)
        _add(to_h, state, g, own, n)
        for j in range(n):
            slopes[own + j] = zero if gates[own + j] <= zero else to_h[state + j]


# ---------------------------------------------------------------------------------------- for callers
class Recurrence:
    """One pass over a sequence: its result, and what the way back needs.

    The result has the states of all steps, then the last one of each sequence, in the rows of the first step.
    """

    forward, backward, gates_per_unit = _tanh_step, _tanh_back, 1

    def __init__(
        self,
        x: Array,
        w_ih: Array,
        w_hh: Array,
        b_ih: Array | None,
        b_hh: Array | None,
        states: Sequence[Array | None],
        sizes: Sequence[int],
        reverse: bool,
    ):
        self.x, self.w_ih, self.w_hh, self.sizes, self.reverse = x, w_ih, w_hh, sizes, reverse
        self.biased, self.units, self.rows = b_ih is not None, w_hh.shape[1], len(x)
        self.gates = self._projected(b_ih, b_hh)
        batch, kind = sizes[0], x.dtype
        self.result = np.empty((self.rows + len(states) * batch, self.units), kind)
        for part, state in zip(self._states(self.result), states, strict=True):
            part[...] = 0 if state is None else state
        self.before = np.empty((self.rows, self.units), kind)
        self.kept = self._kept()
        self._advance(b_hh)

    states = 1

    def _projected(self, b_ih: Array | None, b_hh: Array | None) -> Array:
        gates = _product(self.x, self.w_ih.T)
        return gates if b_ih is None else add_bias(gates, b_ih + b_hh)

    def _states(self, rows: Array) -> list[Array]:
        """The parts of the result, or of its cotangent, that are the last states."""
        batch = self.sizes[0]
        return [rows[self.rows + k * batch : self.rows + (k + 1) * batch] for k in range(self.states)]

    def _kept(self) -> tuple[Array, ...]:
        """What more a step writes down."""
        return ()

    def _steps(self, backwards: bool) -> Iterator[tuple[int, int]]:
        """The first row of each step, and the number of its rows."""
        firsts = np.cumsum((0, *self.sizes[:-1])).tolist()
        steps = list(zip(firsts, self.sizes, strict=True))
        return reversed(steps) if self.reverse is not backwards else iter(steps)

    def _multiply(self, h: Array, weight: Array, out: Array, bias: Array | None) -> None:
        np.dot(h, weight, out=out)

    def _advance(self, b_hh: Array | None) -> None:
        states = self._states(self.result)
        h, vectors = states[0], [state.ravel() for state in states]
        products = np.empty((len(h), len(self.w_hh)), h.dtype)
        gates, out, before = self.gates.ravel(), self.result.ravel(), self.before.ravel()
        flattened, weight = products.ravel(), self.w_hh.T
        kept = [array.ravel() for array in self.kept]
        for first, rows in self._steps(False):
            self._multiply(h[:rows], weight, products[:rows], b_hh)
            self.forward.serial(gates, flattened, first, rows, self.units, *vectors, out, before, *kept)

    def gradients(self, g: Array, wanted: Sequence[bool]) -> list[Array | None]:
        """The cotangents of input, both weights, both biases and the states, where wanted."""
        g = flat(g).reshape(g.shape)
        states = [np.array(state) for state in self._states(g)]
        slopes = np.empty_like(self.gates)
        hidden = self._retreat(g, states, slopes)
        to_bias = column_sums(slopes) if self.biased and (wanted[3] or wanted[4]) else None
        return [
            _product(slopes, self.w_ih) if wanted[0] else None,
            _product(slopes.T, self.x) if wanted[1] else None,
            _product(hidden.T, self.before) if wanted[2] else None,
            to_bias,
            self._to_hidden_bias(to_bias, hidden) if wanted[4] else None,
            *states,
        ]

    def _to_hidden_bias(self, to_bias: Array | None, hidden: Array) -> Array | None:
        return None if to_bias is None else to_bias.copy()

    def _retreat(self, g: Array, states: list[Array], slopes: Array) -> Array:
        """Write the cotangents of the gates; returns those of the state's products."""
        to_h, vectors, cotangents = states[0], [state.ravel() for state in states], g.ravel()
        gates, flattened = self.gates.ravel(), slopes.ravel()
        kept = [array.ravel() for array in self.kept]
        for first, rows in self._steps(True):
            self.backward.serial(gates, first, rows, self.units, cotangents, *vectors, *kept, flattened)
            np.dot(slopes[first : first + rows], self.w_hh, out=to_h[:rows])
        return slopes


class Tanh(Recurrence):
    """h' = tanh(W x + b + V h + c)."""


class Relu(Recurrence):
    """h' = relu(W x + b + V h + c)."""

    forward, backward = _relu_step, _relu_back


class LSTM(Recurrence):
    """Long short-term memory, with a cell for a second state."""

    forward, backward, states = _lstm_step, _lstm_back, 2

    def _kept(self) -> tuple[Array, ...]:
        return np.empty_like(self.before), np.empty_like(self.before)


class GRU(Recurrence):
    """Gated recurrent units."""

    forward, backward = _gru_step, _gru_back

    def _projected(self, b_ih: Array | None, b_hh: Array | None) -> Array:
        gates = _product(self.x, self.w_ih.T)
        return gates if b_ih is None else add_bias(gates, b_ih)

    def _kept(self) -> tuple[Array, ...]:
        return (np.empty_like(self.before),)

    def _multiply(self, h: Array, weight: Array, out: Array, bias: Array | None) -> None:
        np.dot(h, weight, out=out)
        if bias is not None:
            add_bias(out, bias)

    def _to_hidden_bias(self, to_bias: Array | None, hidden: Array) -> Array | None:
        return column_sums(hidden) if self.biased else None

    def _retreat(self, g: Array, states: list[Array], slopes: Array) -> Array:
        to_h, hidden = states[0], np.empty_like(slopes)
        product = np.empty_like(to_h)
        vectors = (to_h.ravel(), self.before.ravel(), self.kept[0].ravel(), slopes.ravel(), hidden.ravel())
        gates, cotangents = self.gates.ravel(), g.ravel()
        for first, rows in self._steps(True):
            self.backward.serial(gates, first, rows, self.units, cotangents, *vectors)
            to_h[:rows] += np.dot(hidden[first : first + rows], self.w_hh, out=product[:rows])
        return hidden


def _product(a: Array, b: Array) -> Array:
    found = np.dot(a, b)
    note_product(found.size * a.shape[1])
    return found
