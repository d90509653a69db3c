"""How libraries whose arrays are like NumPy's run a call: jax, with optax, and HIPS autograd."""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
from collections.abc import Callable, Sequence
from importlib import metadata
from typing import Any

import numpy as np
from numpy import ndarray

import minigrad
from minigrad import nn
from minigrad.autograd.tape import Variable
from minigrad.nn.losses.base import Loss
from minigrad.study.calls import Arguments, Outcome, Step, cotangent_for
from minigrad.study.carry import Carrier, NoCounterpart, changed, options_of
from minigrad.study.counterparts import (
    Wrapped,
    counterpart,
    functions_of_autograd,
    functions_of_jax,
    losses_of_optax,
    unwrapped,
)

# Modules that do what a function does: those without a state.
_FUNCTIONS = {
    **{name: name.lower() for name in ("ReLU", "ReLU6", "Sigmoid", "Tanh", "SiLU", "ELU", "SELU", "GELU")},
    **{name: name.lower() for name in ("Softmax", "Softplus", "Hardsigmoid")},
    "LogSoftmax": "log_softmax",
    "LeakyReLU": "leaky_relu",
    "LogSigmoid": "logsigmoid",
}


class _Names:
    """One of minigrad's modules: its names are looked up among the counterparts."""

    def __init__(self, carrier: ArrayCarrier, path: str) -> None:
        self._carrier, self._path = carrier, path

    def __getattr__(self, name: str) -> Any:
        return self._carrier.named(f"{self._path}.{name}")


class _StandIn:
    """A module of the user's: the same attributes, and its methods with the library's names."""

    def __init__(self, carrier: ArrayCarrier, module: nn.Module) -> None:
        self._carrier, self._module = carrier, module

    def __getattr__(self, name: str) -> Any:
        function = getattr(type(self._module), name, None)
        if inspect.isfunction(function):
            return self._carrier.function(function).__get__(self)
        return self._carrier.carry(getattr(self._module, name))

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self.forward(*args, **options)


class ArrayCarrier(Carrier):
    """minigrad's names are those of functions on arrays."""

    def __init__(self, functions: dict[str, Callable[..., Any]], array: Callable[[ndarray], Any]) -> None:
        super().__init__()
        self.functions, self.array = functions, array

    def named(self, path: str) -> Any:
        """A namespace, a function on arrays, or what makes a module."""
        value: Any = minigrad
        for name in path.split(".")[1:]:
            value = getattr(value, name)
        if inspect.ismodule(value):
            return _Names(self, path)
        if isinstance(value, type) and issubclass(value, nn.Module):
            return functools.partial(self._made, value)
        if isinstance(value, (int, float)):
            return value
        return counterpart(path.rpartition(".")[2], self.functions)

    def _made(self, kind: type, *args: Any, **options: Any) -> Any:
        if any(isinstance(option, Wrapped) for option in (*args, *options.values())):
            raise NoCounterpart(f"{kind.__name__}(...) with a tensor among its options")
        return self.module(kind(*args, **options))

    def tensor(self, value: Variable) -> Any:
        """A wrapped array of the same numbers."""
        return Wrapped(self.array(value._array), self.functions)

    def module(self, value: nn.Module) -> Any:
        """A function that does what the module does."""
        name, options = type(value).__name__, options_of(value)
        if isinstance(value, Loss):
            call = counterpart(value.fn.__name__, self.functions)
            options = {n: self.carry(v) for n, v in changed(options, type(value)).items()}
            return lambda *args: call(*args, **options)
        if name == "Sequential":
            return _chain([self.carry(child) for child in value.children()])
        if name == "Linear":
            weight, bias = (self.carry(value._parameters[n]) for n in ("weight", "bias"))
            return lambda x: counterpart("linear", self.functions)(x, weight, bias)
        if name == "Identity":
            return lambda x: x
        if name not in _FUNCTIONS:
            raise NoCounterpart(f"nn.{name}")
        call = counterpart(_FUNCTIONS[name], self.functions)
        options = {n: v for n, v in options.items() if n != "inplace"}
        options = {n: v for n, v in changed(options, type(value)).items() if v is not None}
        return lambda x: call(x, **options)

    def user_module(self, value: nn.Module) -> Any:
        """A stand-in for a module of the user's class."""
        return _StandIn(self, value)

    def user_class(self, kind: type) -> type:
        """A class would have to be made anew."""
        raise NoCounterpart(f"{kind.__name__}: make the module before the call, not in it")


def _chain(functions: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def call(x: Any) -> Any:
        for function in functions:
            x = function(x)
        return x

    return call


class _OnArrays:
    """What jax and autograd have in common: functions of arrays, differentiated from outside."""

    functions: dict[str, Callable[..., Any]]
    remark = ""

    def turn(self) -> Any:
        """A context for the time of a turn."""
        return contextlib.nullcontext()

    def array(self, value: ndarray) -> Any:
        """The library's array."""
        return value

    def carried(self, function: Any) -> Any:
        """The function with the library's names."""
        return ArrayCarrier(self.functions, self.array).carry(function)

    def adopted(self, function: Callable[..., Any]) -> Any:
        """A function of the library's arrays, as one of wrapped arrays."""

        def call(*args: Any, **options: Any) -> Any:
            return function(*unwrapped(args), **{name: unwrapped(value) for name, value in options.items()})

        return call

    def _of_leaves(self, function: Any, arguments: Arguments, leaves: Sequence[str]) -> Callable[..., Any]:
        """The call as a function of the arrays whose gradients are wanted."""
        fixed = {n: self._wrapped(v) for n, v in arguments.values.items() if n not in leaves}

        def call(arrays: Sequence[Any]) -> Any:
            free = {n: Wrapped(a, self.functions) for n, a in zip(leaves, arrays, strict=True)}
            given, named = arguments.passed({n: free.get(n, fixed.get(n)) for n in arguments.values})
            result = unwrapped(function(*given, **named))
            if not hasattr(result, "shape"):
                raise TypeError(
                    f"expected a function that gives one tensor, but it gave {type(result).__name__}"
                )
            return result

        return call

    def _wrapped(self, value: Any) -> Any:
        return Wrapped(self.array(value), self.functions) if isinstance(value, ndarray) else value


class Jax(_OnArrays):
    """jax, compiled by jax.jit where it is timed; with optax for the losses."""

    name, install, remark = "jax", "pip install jax optax", "compiled by jax.jit"

    def __init__(self) -> None:
        self.jax = jax = importlib.import_module("jax")
        self.version = jax.__version__
        self.functions = functions_of_jax(jax)
        with contextlib.suppress(ImportError):
            self.functions |= losses_of_optax(jax, importlib.import_module("optax"))

    def array(self, value: ndarray) -> Any:
        """jax's array."""
        return self.jax.numpy.asarray(value)

    def _precision(self) -> Any:
        """A context in which float64 stays float64."""
        place = self.jax if hasattr(self.jax, "enable_x64") else self.jax.experimental
        return place.enable_x64(True)

    def _both(self, function: Any, arguments: Arguments, leaves: Sequence[str]) -> Callable[..., Any]:
        call = self._of_leaves(function, arguments, leaves)

        def both(arrays: Any, cotangent: Any) -> Any:
            value, back = self.jax.vjp(call, arrays)
            return value, back(cotangent.astype(value.dtype))[0]

        return both

    def run(self, function: Any, arguments: Arguments) -> Outcome:
        """The call's value and gradients."""
        leaves = arguments.wanted
        with self._precision():
            arrays = [self.array(arguments.values[name]) for name in leaves]
            value = np.asarray(self._of_leaves(function, arguments, leaves)(arrays))
            if value.dtype.kind != "f" or not leaves:
                return Outcome(value)
            found = self._both(function, arguments, leaves)(arrays, cotangent_for(value))[1]
            return Outcome(value, {n: np.asarray(g) for n, g in zip(leaves, found, strict=True)})

    def step(self, function: Any, arguments: Arguments, outcome: Outcome) -> Step:
        """Forward and backward once, compiled."""
        leaves = arguments.timed
        with self._precision():
            arrays = [self.array(arguments.values[name]) for name in leaves]
            given = (arrays, self.array(cotangent_for(outcome.value)))
            if outcome.gradients:
                compiled = self.jax.jit(self._both(function, arguments, leaves))
            else:
                compiled = self.jax.jit(lambda a, _: self._of_leaves(function, arguments, leaves)(a))
            ready = compiled.lower(*given).compile()
        return lambda: self.jax.block_until_ready(ready(*given))


class Autograd(_OnArrays):
    """HIPS autograd."""

    name, install = "autograd", "pip install autograd"

    def __init__(self) -> None:
        self.autograd = importlib.import_module("autograd")
        special = None
        with contextlib.suppress(ImportError):
            special = importlib.import_module("autograd.scipy.special")
        self.version = ""
        with contextlib.suppress(metadata.PackageNotFoundError):
            self.version = metadata.version("autograd")
        self.functions = functions_of_autograd(importlib.import_module("autograd.numpy"), special)

    def run(self, function: Any, arguments: Arguments) -> Outcome:
        """The call's value and gradients."""
        leaves = arguments.wanted
        arrays = tuple(arguments.values[name] for name in leaves)
        call = self._of_leaves(function, arguments, leaves)
        value = np.asarray(call(arrays))
        if value.dtype.kind != "f" or not leaves:
            return Outcome(value)
        found = self.autograd.make_vjp(call)(arrays)[0](cotangent_for(value))
        return Outcome(value, {n: np.asarray(g) for n, g in zip(leaves, found, strict=True)})

    def step(self, function: Any, arguments: Arguments, outcome: Outcome) -> Step:
        """Forward and backward once."""
        arrays = tuple(arguments.values[name] for name in arguments.timed)
        call = self._of_leaves(function, arguments, arguments.timed)
        if not outcome.gradients:
            return lambda: call(arrays)
        cotangent = cotangent_for(outcome.value)
        return lambda: self.autograd.make_vjp(call)(arrays)[0](cotangent)
