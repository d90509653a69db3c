"""minigrad, torch, and torch.compile: the same code."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from benchmarks import calls
from benchmarks.built import Built, Missing, after
from benchmarks.catalogue import Arrays, Loss
from benchmarks.network import SETTINGS, Network, Trainer

# name: what it is called by of the module and of its nn.functional
PRIMITIVES: dict[str, Callable[[Any, Any], Callable[[Any], Any]]] = {
    "softmax": lambda torch, F: lambda x: torch.softmax(x, -1),
    "log_softmax": lambda torch, F: lambda x: torch.log_softmax(x, -1),
    "logsumexp": lambda torch, F: lambda x: torch.logsumexp(x, -1),
    "sigmoid": lambda torch, F: torch.sigmoid,
    "tanh": lambda torch, F: torch.tanh,
    "gelu": lambda torch, F: F.gelu,
    "relu": lambda torch, F: torch.relu,
    "layer_norm": lambda torch, F: F.layer_norm,
    "sum": lambda torch, F: torch.sum,
    "mean": lambda torch, F: torch.mean,
    "max": lambda torch, F: torch.max,
    "var": lambda torch, F: torch.var,
    "sum of rows": lambda torch, F: lambda x: torch.sum(x, -1),
    "mean of rows": lambda torch, F: lambda x: torch.mean(x, -1),
    "max of rows": lambda torch, F: lambda x: torch.max(x, -1)[0],
    "var of rows": lambda torch, F: lambda x: torch.var(x, -1),
}

# name: the module for arrays whose shapes are given
LAYERS: dict[str, Callable[[Any, dict[str, tuple[int, ...]]], Any]] = {
    "Linear": lambda nn, of: nn.Linear(*of["weight"][::-1]),
    "Linear + ReLU": lambda nn, of: nn.Sequential(nn.Linear(*of["weight"][::-1]), nn.ReLU()),
    "Linear + GELU": lambda nn, of: nn.Sequential(nn.Linear(*of["weight"][::-1]), nn.GELU()),
    "Dropout": lambda nn, of: nn.Dropout(0.5),
    "LayerNorm": lambda nn, of: nn.LayerNorm(of["weight"][0]),
    "BatchNorm1d": lambda nn, of: nn.BatchNorm1d(of["weight"][0]),
    "Embedding": lambda nn, of: nn.Embedding(*of["weight"]),
    "Conv2d": lambda nn, of: nn.Conv2d(of["weight"][1], of["weight"][0], of["weight"][2], padding=1),
    "LSTM": lambda nn, of: nn.LSTM(of["input"][2], of["weight_hh_l0"][1]),
    "GRU": lambda nn, of: nn.GRU(of["input"][2], of["weight_hh_l0"][1]),
}
RECURRENT = ("LSTM", "GRU")  # they give the last state too


class Library:
    """A module in torch's shape, compiled or not."""

    def __init__(self, module: str, compiled: bool = False) -> None:
        self.name = module
        self.torch = importlib.import_module(module)
        self.nn = importlib.import_module(f"{module}.nn")
        self.optim = importlib.import_module(f"{module}.optim")
        self.compiled = compiled

    def set_threads(self, threads: int) -> None:
        self.torch.set_num_threads(threads)

    def fast(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function or module itself, or compiled for the shapes it is called with first."""
        if not self.compiled:
            return function
        self.torch._dynamo.reset()  # the last workload's shapes would make this one's dynamic
        return self.torch.compile(function, dynamic=False)

    # -------------------------------------------------------------------------------------- functions
    def loss(self, loss: Loss, arrays: Arrays) -> Built:
        """Forward and backward to the leaves."""
        call, leaves = calls.prepare(self.name, loss, arrays, self.fast)
        return self._differentiated(call, list(leaves.values()), None)

    def primitive(self, name: str, x: ndarray, cotangent: ndarray | None) -> Built:
        try:
            function = PRIMITIVES[name](self.torch, self.nn.functional)
        except AttributeError as error:
            raise Missing(str(error)) from None
        if name == "layer_norm":
            shape, plain = x.shape[-1:], function
            function = lambda x: plain(x, shape)  # noqa: E731
        function = self.fast(function)
        tensor = self.torch.from_numpy(x)
        if cotangent is None:
            return Built(lambda: function(tensor), lambda: [function(tensor).numpy()])
        tensor.requires_grad_()
        return self._differentiated(lambda: function(tensor), [tensor], self.torch.from_numpy(cotangent))

    def layer(self, name: str, arrays: Arrays, cotangent: ndarray) -> Built:
        try:
            module = LAYERS[name](self.nn, {name: array.shape for name, array in arrays.items()})
        except AttributeError as error:
            raise Missing(str(error)) from None
        x = self.torch.from_numpy(arrays["input"])
        leaves = [x.requires_grad_()] if arrays["input"].dtype == np.float32 else []
        parameters = dict(module.named_parameters())
        with self.torch.no_grad():
            for path, parameter in parameters.items():
                parameter.copy_(self.torch.from_numpy(arrays[path.split(".")[-1]]))
        module = self.fast(module)
        leaves += parameters.values()
        call = (lambda: module(x)[0]) if name in RECURRENT else (lambda: module(x))
        return self._differentiated(call, leaves, self.torch.from_numpy(cotangent))

    def _differentiated(self, call: Callable[[], Any], leaves: Sequence[Any], cotangent: Any) -> Built:
        """What `call` computes, and the gradients of the leaves."""

        def run() -> Any:
            for leaf in leaves:
                leaf.grad = None
            value = call()
            value.backward(cotangent)
            return value

        return Built(run, lambda: [run().detach().numpy(), *(leaf.grad.numpy() for leaf in leaves)])

    # --------------------------------------------------------------------------------------- training
    def optimizer(self, name: str, parameters: list[ndarray], gradients: list[ndarray]) -> Built:
        tensors = [self.nn.Parameter(self.torch.from_numpy(array.copy())) for array in parameters]
        for tensor, gradient in zip(tensors, gradients, strict=True):
            tensor.grad = self.torch.from_numpy(gradient)
        step = self.fast(self._optimizer(name, tensors).step)
        return Built(step, after(step, lambda: [t.detach().numpy() for t in tensors]))

    def _optimizer(self, name: str, parameters: Sequence[Any]) -> Any:
        """With fused=True where torch has it, for the steps of an optimiser alone."""
        make = getattr(self.optim, name)
        fused = self.name == "torch" and not self.compiled and "fused" in inspect.signature(make).parameters
        return make(parameters, **SETTINGS[name], **({"fused": True} if fused else {}))

    def trainer(self, network: Network) -> Trainer:
        torch, nn = self.torch, self.nn
        layers: list[Any] = []
        for weight, bias in network.layers:
            linear = nn.Linear(*weight.shape[::-1])
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(weight))
                linear.bias.copy_(torch.from_numpy(bias))
            layers += [linear, nn.ReLU()]
        model = nn.Sequential(*layers[:-1])
        optimizer = getattr(self.optim, network.optimizer)(model.parameters(), **network.settings)
        criterion = nn.BCEWithLogitsLoss() if network.binary else nn.CrossEntropyLoss()
        binary = network.binary

        def forward(x: Any, target: Any) -> Any:
            output = model(x)
            return criterion(output.squeeze(1) if binary else output, target)

        forward = self.fast(forward)

        def step(x: Any, target: Any) -> Any:
            optimizer.zero_grad()
            loss = forward(x, target)
            loss.backward()
            optimizer.step()
            return loss

        return Trainer(torch.from_numpy, step, value=lambda loss: loss.item())
