"""Recurrent layers, with their parameters as inputs."""

import importlib
from typing import Any

from ops_table.base import Maker, real, row


def recurrent(kind: str, gates: int, states: int, **options: Any) -> None:
    """A layer of 2 inputs and 3 units over a sequence of 4 steps of 2 samples."""

    def call(m: Any, x: Any, *tensors: Any) -> Any:
        layer = getattr(m.nn, kind)(2, 3, **options)
        names = [name for name, _ in layer.named_parameters()]
        functional_call = importlib.import_module(f"{m.__name__}.func").functional_call
        parameters = dict(zip(names, tensors[states:], strict=True))
        given = tensors[0] if states == 1 else tensors[:states]
        return functional_call(layer, parameters, (x, given))

    shapes = ((3 * gates, 2), (3 * gates, 3), (3 * gates,), (3 * gates,))
    makers: list[Maker] = [real(4, 2, 2), *[real(1, 2, 3)] * states, *(real(*shape) for shape in shapes)]
    row(" ".join([kind, *map(str, options.values())]), call, *makers, digits=4.0)


recurrent("RNN", 1, 1)
recurrent("RNN", 1, 1, nonlinearity="relu")
recurrent("GRU", 3, 1)
recurrent("LSTM", 4, 2)
