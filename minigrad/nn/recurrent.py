"""Recurrent layers over sequences: RNN, LSTM and GRU."""

from __future__ import annotations

import math
import numbers
import warnings
from typing import Any

from minigrad import dtypes
from minigrad.creation import empty
from minigrad.nn import init
from minigrad.nn.dropout import dropout as drop
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.nn.utils.rnn import PackedSequence
from minigrad.ops import recurrent as ops
from minigrad.ops.joining import cat, stack
from minigrad.tensor import Tensor

_OPERATIONS = {"RNN_TANH": ops.rnn_tanh, "RNN_RELU": ops.rnn_relu, "LSTM": ops.lstm, "GRU": ops.gru}
_GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}


class RNNBase(Module):
    """What RNN, LSTM and GRU share; `mode` says which it is."""

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        dtypes.check_device(device)
        _check_dropout(dropout, num_layers)
        _check_sizes(input_size, hidden_size, num_layers, bias, batch_first, proj_size)
        if mode not in _OPERATIONS:
            raise ValueError("Unrecognized RNN mode: " + mode)
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._all_weights: list[list[str]] = []
        rows, directions = _GATES[mode] * hidden_size, 1 + bool(bidirectional)
        for layer in range(num_layers):
            columns = input_size if layer == 0 else hidden_size * directions
            shapes: list[tuple[str, tuple[int, ...]]]
            shapes = [("weight_ih", (rows, columns)), ("weight_hh", (rows, hidden_size))]
            if bias:
                shapes += [("bias_ih", (rows,)), ("bias_hh", (rows,))]
            for suffix in ("", "_reverse")[:directions]:
                self._all_weights.append([f"{name}_l{layer}{suffix}" for name, _ in shapes])
                for name, (_, shape) in zip(self._all_weights[-1], shapes, strict=True):
                    self.register_parameter(name, Parameter(empty(*shape, dtype=dtype)))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights and biases anew, uniform within ± 1 / sqrt(hidden_size)."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def flatten_parameters(self) -> None:
        """Nothing: there is no other place where the parameters would be faster."""

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def forward(self, input: Any, hx: Any = None) -> Any:
        """The states of the last layer at all steps, and the last states of all layers."""
        if isinstance(input, PackedSequence):
            return self._of_packed(input, hx)
        if input.ndim not in (2, 3):
            kind = "tensor " if self.mode.startswith("RNN") else ""
            name = self.mode.partition("_")[0]
            raise ValueError(f"{name}: Expected input to be 2D or 3D, got {input.ndim}D {kind}instead")
        states, batch_dim = self._listed(hx), 0 if self.batch_first else 1
        single = input.ndim == 2
        self._check_dims(states, input.ndim)
        if single:
            input, states = input.unsqueeze(batch_dim), [state.unsqueeze(1) for state in states]
        steps, batch = input.shape[1 - batch_dim], input.shape[batch_dim]
        self._check(input, states, 3, batch)
        if not steps:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
        rows = (input.transpose(0, 1) if self.batch_first else input).reshape(steps * batch, self.input_size)
        out, last = self._layers(rows, (batch,) * steps, states, (steps, batch))
        if self.batch_first:
            out = out.transpose(0, 1)
        if single:
            out, last = out.squeeze(batch_dim), [state.squeeze(1) for state in last]
        return out, self._joined(last)

    def _of_packed(self, packed: PackedSequence, hx: Any) -> tuple[PackedSequence, Any]:
        data, batch_sizes, order, back = packed
        sizes = tuple(batch_sizes.tolist())
        states = self._listed(hx)
        if order is not None:
            states = [state[:, order] for state in states]
        self._check(data, states, 2, sizes[0])
        out, last = self._layers(data, sizes, states, None)
        if back is not None:
            last = [state[:, back] for state in last]
        return PackedSequence(out, batch_sizes, order, back), self._joined(last)

    def _listed(self, hx: Any) -> list[Tensor]:
        """The states that were given: none, one, or with a cell two."""
        if hx is None:
            return []
        return [hx[0], hx[1]] if self.mode == "LSTM" else [hx]

    def _joined(self, last: list[Tensor]) -> Any:
        return tuple(last) if self.mode == "LSTM" else last[0]

    def _layers(
        self, rows: Tensor, sizes: tuple[int, ...], states: list[Tensor], batched: tuple[int, int] | None
    ) -> tuple[Tensor, list[Tensor]]:
        """The last layer's states, (T, N, *) if `batched` says so, and the last ones of all layers."""
        directions, found = 1 + bool(self.bidirectional), []
        shape = (*(batched or (len(rows),)), self.hidden_size)
        for place in range(0, len(self._all_weights), directions):
            outs = []
            for k in range(directions):
                out, last = self._pass(place + k, rows, sizes, states, shape)
                outs.append(out)
                found.append(last)
            out = outs[0] if directions == 1 else cat(outs, -1)
            if place + directions < len(self._all_weights):
                if self.dropout and self.training:
                    out = drop(out, self.dropout)
                rows = out.reshape(len(rows), directions * self.hidden_size)
        lasts = [stack(kind) if len(kind) > 1 else kind[0] for kind in zip(*found, strict=True)]
        return out, lasts

    def _pass(
        self, place: int, rows: Tensor, sizes: tuple[int, ...], states: list[Tensor], shape: tuple[int, ...]
    ) -> tuple[Tensor, list[Tensor]]:
        """One direction of one layer: its states at all steps, and the last."""
        weights = [getattr(self, name) for name in self._all_weights[place]]
        kinds = 2 if self.mode == "LSTM" else 1
        first = [state[place] for state in states] or [None] * kinds
        biases = [] if self.bias else [None, None]
        backwards = bool(self.bidirectional and place % 2)
        result = _OPERATIONS[self.mode](rows, *weights, *biases, *first, sizes, backwards)
        label = "StackBackward0" if len(shape) == 3 else "CatBackward0"
        if self.mode == "LSTM" and len(shape) == 3 and rows.numel() and result.dtype is dtypes.float32:
            label = "MkldnnRnnLayerBackward0"
        total, batch = len(rows), sizes[0]
        single = () if len(self._all_weights) > 1 else (1,)  # else they are stacked
        size = (*single, batch, self.hidden_size)
        last = [
            ops.part(result, start=total + k * batch, shape=size, label="StackBackward0")
            for k in range(kinds)
        ]
        return ops.part(result, start=0, shape=shape, label=label), last

    # ---------------------------------------------------------------------------------------- what fits
    def _check_dims(self, states: list[Tensor], dims: int) -> None:
        if all(state.ndim == dims for state in states):
            return
        batched = "batched 3-D" if dims == 3 else "unbatched 2-D"
        if self.mode == "LSTM":
            got = ", ".join(f"{state.ndim}-D" for state in states)
            raise RuntimeError(
                f"For {batched} input, hx and cx should also be {dims}-D but got ({got}) tensors"
            )
        raise RuntimeError(
            f"For {batched} input, hx should also be {dims}-D but got {states[0].ndim}-D tensor"
        )

    def _check(self, input: Tensor, states: list[Tensor], dims: int, batch: int) -> None:
        weight = getattr(self, self._all_weights[0][0])
        if input.dtype != weight.dtype:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({weight.dtype}). "
                f"Convert input: input.to({weight.dtype}), or convert model: model.to({input.dtype})"
            )
        if input.ndim != dims:
            raise RuntimeError(f"input must have {dims} dimensions, got {input.ndim}")
        if input.shape[-1] != self.input_size:
            raise RuntimeError(
                "input.size(-1) must be equal to input_size. "
                f"Expected {self.input_size}, got {input.shape[-1]}"
            )
        expected = (len(self._all_weights), batch, self.hidden_size)
        for place, state in enumerate(states):
            if tuple(state.shape) != expected:
                which = f"hidden[{place}]" if self.mode == "LSTM" else "hidden"
                raise RuntimeError(f"Expected {which} size {expected}, got {list(state.shape)}")

    def extra_repr(self) -> str:
        defaults = {
            "num_layers": 1,
            "bias": True,
            "batch_first": False,
            "dropout": 0,
            "bidirectional": False,
        }
        options = [
            f", {name}={getattr(self, name)}"
            for name, default in defaults.items()
            if getattr(self, name) != default
        ]
        return f"{self.input_size}, {self.hidden_size}" + "".join(options)


def _check_dropout(dropout: Any, num_layers: int) -> None:
    if not isinstance(dropout, numbers.Number) or isinstance(dropout, bool) or not 0 <= dropout <= 1:  # type: ignore[operator]
        raise ValueError(
            "dropout should be a number in range [0, 1] representing the probability of an element being "
            "zeroed"
        )
    if dropout and num_layers == 1:
        warnings.warn(
            "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects "
            f"num_layers greater than 1, but got dropout={dropout} and num_layers={num_layers}",
            stacklevel=4,
        )


def _check_sizes(
    input_size: int, hidden_size: int, num_layers: int, bias: bool, batch_first: bool, proj_size: int
) -> None:
    given: dict[str, tuple[Any, type]] = {
        "bias": (bias, bool),
        "batch_first": (batch_first, bool),
        "input_size": (input_size, int),
        "hidden_size": (hidden_size, int),
    }
    for name, (value, kind) in given.items():
        if not isinstance(value, kind):
            raise TypeError(f"{name} should be of type {kind.__name__}, got: {type(value).__name__}")
    sizes = {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers}
    for name, size in sizes.items():
        if size <= 0:
            raise ValueError(f"{name} must be greater than zero")
    if proj_size < 0:
        raise ValueError("proj_size should be a positive integer or zero to disable projections")
    if proj_size >= hidden_size:
        raise ValueError("proj_size has to be smaller than hidden_size")
    if proj_size:
        raise NotImplementedError(
            f"proj_size={proj_size}: projections of the hidden state are not supported\n"
            "Leave it 0, and apply a Linear to the layer's output."
        )


def _no_projections(proj_size: Any) -> None:
    if proj_size is not None:
        raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")


class RNN(RNNBase):
    """h' = tanh(W x + b + V h + c) at each step of a sequence, or relu with `nonlinearity="relu"`.

    Shapes: input (T, N, input_size), or (N, T, *) with `batch_first`, or (T, input_size) without a batch, or
    a PackedSequence; `hx` (num_layers · D, N, hidden_size) with D = 2 if `bidirectional`, else 1; zeros if
    it is not given. The result is the last layer's states, (T, N, D · hidden_size), and the last states of
    all layers, shaped as `hx`. Weights and biases start uniform within ± 1 / sqrt(hidden_size).

    Between the layers is a dropout with probability `dropout`.

    Raises:
        ValueError: the input has another number of dimensions or dtype, or an option makes no sense.
        RuntimeError: the input's or the states' sizes do not fit.

    Source: J. L. Elman, "Finding structure in time", Cognitive Science 14 (1990).

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> layer = nn.RNN(3, 5, num_layers=2)
        >>> layer
        RNN(3, 5, num_layers=2)
        >>> output, last = layer(minigrad.ones(7, 4, 3))
        >>> output.shape, last.shape
        (torch.Size([7, 4, 5]), torch.Size([2, 4, 5]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        proj_size: Any = None,
    ) -> None:
        _no_projections(proj_size)
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        options = bias, batch_first, dropout, bidirectional
        super().__init__(
            f"RNN_{nonlinearity.upper()}",
            *(input_size, hidden_size, num_layers, *options),
            device=device,
            dtype=dtype,
        )
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """Long short-term memory: at each step c' = f c + i g and h' = o tanh(c').

    The gates i, f, g, o are the sigmoids, and g the tanh, of the four parts of W x + b + V h + c. Shapes as
    in `RNN`; `hx` and the last states are pairs of h and c.

    Raises:
        ValueError: the input has another number of dimensions or dtype, or an option makes no sense.
        RuntimeError: the input's or the states' sizes do not fit.
        NotImplementedError: `proj_size` is not 0.

    Source: S. Hochreiter, J. Schmidhuber, "Long short-term memory", Neural Computation 9 (1997).

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> layer = nn.LSTM(3, 5, bidirectional=True)
        >>> layer
        LSTM(3, 5, bidirectional=True)
        >>> output, (h, c) = layer(minigrad.ones(7, 4, 3))
        >>> output.shape, h.shape, c.shape
        (torch.Size([7, 4, 10]), torch.Size([2, 4, 5]), torch.Size([2, 4, 5]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        options = bias, batch_first, dropout, bidirectional, proj_size
        super().__init__("LSTM", input_size, hidden_size, num_layers, *options, device, dtype)


class GRU(RNNBase):
    """Gated recurrent units: h' = (1 - z) n + z h at each step.

    The gates r and z are the sigmoids of the parts of W x + b + V h + c, and n = tanh(W x + b + r (V h + c)).
    Shapes as in `RNN`.

    Raises:
        ValueError: the input has another number of dimensions or dtype, or an option makes no sense.
        RuntimeError: the input's or the states' sizes do not fit.

    Source: K. Cho et al., "Learning phrase representations using RNN encoder-decoder", EMNLP 2014.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> layer = nn.GRU(3, 5, batch_first=True)
        >>> layer
        GRU(3, 5, batch_first=True)
        >>> output, last = layer(minigrad.ones(4, 7, 3))
        >>> output.shape, last.shape
        (torch.Size([4, 7, 5]), torch.Size([1, 4, 5]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        proj_size: Any = None,
    ) -> None:
        _no_projections(proj_size)
        options = bias, batch_first, dropout, bidirectional
        super().__init__("GRU", input_size, hidden_size, num_layers, *options, device=device, dtype=dtype)
