"""One step of a recurrent layer: RNNCell, LSTMCell and GRUCell."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from minigrad import dtypes
from minigrad.creation import empty
from minigrad.nn import init
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.ops import recurrent as ops
from minigrad.tensor import Tensor


class RNNCellBase(Module):
    """What the cells share."""

    weight_ih: Parameter
    weight_hh: Parameter
    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        dtypes.check_device(device)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        self.weight_ih = Parameter(empty(rows, input_size, dtype=dtype))
        self.weight_hh = Parameter(empty(rows, hidden_size, dtype=dtype))
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, Parameter(empty(rows, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weights and biases anew, uniform within ± 1 / sqrt(hidden_size)."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def _step(
        self, operation: Any, input: Tensor, states: list[Any], labels: tuple[str, ...]
    ) -> list[Tensor]:
        """The new states."""
        if input.ndim not in (1, 2):
            raise ValueError(f"{self._get_name()}: Expected input to be 1D or 2D, got {input.ndim}D instead")
        for place, state in enumerate(states):
            if state is not None and state.ndim not in (1, 2):
                which = f"hx[{place}]" if len(states) > 1 else "hidden"
                raise ValueError(
                    f"{self._get_name()}: Expected {which} to be 1D or 2D, got {state.ndim}D instead"
                )
        single = input.ndim == 1
        if single:
            input = input.unsqueeze(0)
            states = [None if state is None else state.unsqueeze(0) for state in states]
        self._check(input, states)
        batch = len(input)
        parameters = self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh
        result = operation(input, *parameters, *states, (batch,), False)
        shape = (batch, self.hidden_size)
        found = [
            ops.part(result, start=(k + 1) * batch, shape=shape, label=label)
            for k, label in enumerate(labels)
        ]
        return [state.squeeze(0) for state in found] if single else found

    def _check(self, input: Tensor, states: list[Any]) -> None:
        if input.shape[1] != self.input_size:
            raise RuntimeError(
                f"input has inconsistent input_size: got {input.shape[1]} expected {self.input_size}"
            )
        for place, state in enumerate(states):
            if state is None:
                continue
            if len(state) != len(input):
                raise RuntimeError(
                    f"Input batch size {len(input)} doesn't match hidden{place} batch size {len(state)}"
                )
            if state.shape[-1] != self.hidden_size:
                raise RuntimeError(
                    f"hidden{place} has inconsistent hidden_size: "
                    f"got {state.shape[-1]}, expected {self.hidden_size}"
                )

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias is True else f", bias={self.bias}")


class RNNCell(RNNCellBase):
    """h' = tanh(W x + b + V h + c), or relu with `nonlinearity="relu"`.

    Shapes: input (N, input_size), `hx` and result (N, hidden_size); without N for a single sample.
    Without `hx` h is zero.

    Raises:
        ValueError: the input or `hx` has more than two dimensions.
        RuntimeError: sizes do not fit, or the nonlinearity is unknown.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> cell = nn.RNNCell(3, 5)
        >>> cell
        RNNCell(3, 5)
        >>> cell(minigrad.ones(2, 3)).shape
        torch.Size([2, 5])
    """

    operations: ClassVar = {
        "tanh": (ops.rnn_tanh, ("TanhBackward0",)),
        "relu": (ops.rnn_relu, ("ReluBackward0",)),
    }

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        if self.nonlinearity not in self.operations:
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}\nTake tanh or relu.")
        operation, labels = self.operations[self.nonlinearity]
        return self._step(operation, input, [hx], labels)[0]

    def extra_repr(self) -> str:
        kind = "" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}"
        return super().extra_repr() + kind


class LSTMCell(RNNCellBase):
    """One step of long short-term memory, see `LSTM`: c' = f c + i g and h' = o tanh(c').

    Shapes: input (N, input_size), `hx` and result pairs of h and c, each (N, hidden_size); without N for
    a single sample. Without `hx` both are zero.

    Raises:
        ValueError: the input or a state has more than two dimensions.
        RuntimeError: sizes do not fit.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> cell = nn.LSTMCell(3, 5)
        >>> h, c = cell(minigrad.ones(2, 3))
        >>> h, c = cell(minigrad.ones(2, 3), (h, c))
        >>> h.shape, c.shape
        (torch.Size([2, 5]), torch.Size([2, 5]))
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        states = [None, None] if hx is None else [hx[0], hx[1]]
        h, c = self._step(ops.lstm, input, states, ("MulBackward0", "AddBackward0"))
        return h, c


class GRUCell(RNNCellBase):
    """One step of gated recurrent units, see `GRU`: h' = (1 - z) n + z h.

    Shapes: input (N, input_size), `hx` and result (N, hidden_size); without N for a single sample.
    Without `hx` h is zero.

    Raises:
        ValueError: the input or `hx` has more than two dimensions.
        RuntimeError: sizes do not fit.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> cell = nn.GRUCell(3, 5, bias=False)
        >>> cell
        GRUCell(3, 5, bias=False)
        >>> cell(minigrad.ones(2, 3)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self._step(ops.gru, input, [hx], ("AddBackward0",))[0]
