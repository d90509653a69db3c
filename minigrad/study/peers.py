"""How each library runs a call: what it gives, its gradients, and a step to be timed."""

from __future__ import annotations

import contextlib
import copy
import functools
import importlib
import inspect
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

import numpy as np
from numpy import ndarray

import minigrad
from minigrad import nn
from minigrad.autograd.tape import Variable, enable_grad
from minigrad.nn.losses.base import Loss
from minigrad.study.carry import Carrier, NoCounterpart, changed, options_of, path_of
from minigrad.study.counterparts import (
    Wrapped,
    counterpart,
    functions_of_autograd,
    functions_of_jax,
    losses_of_optax,
    unwrapped,
)


@dataclass
class Arguments:
    """A call's arguments: arrays are the same numbers for all; of the `wanted` ones gradients are taken."""

    values: dict[str, Any]  # by name; ndarrays, or what is passed on as it is
    by_name: frozenset[str]  # those that are passed by name
    wanted: list[str]
    timed: list[str]

    def passed(self, values: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """What a function is to be called with, of values in the place of these."""
        given = [value for name, value in values.items() if name not in self.by_name]
        return given, {name: value for name, value in values.items() if name in self.by_name}


@dataclass
class Outcome:
    """What a library gives."""

    value: ndarray
    gradients: dict[str, ndarray] = field(default_factory=dict)


Step = Callable[[], Any]
_NO_TENSOR = "expected a function that gives one tensor, but it gave {}"


def cotangent_for(value: ndarray) -> ndarray:
    """What is carried back: 1 for a number, else normal numbers, the same for all: of ones much cancels."""
    if not value.ndim:
        return np.ones((), value.dtype)
    return np.random.default_rng(0).standard_normal(value.shape).astype(value.dtype)


class _Copier(Carrier):
    """minigrad's names stay as they are, and modules are copied, so that a run leaves nothing in them."""

    def _carried(self, value: Any) -> Any:
        if isinstance(value, (Variable, type)) or path_of(value):
            return value
        return super()._carried(value)

    def named(self, path: str) -> Any:
        """The module that an `import` in a function names."""
        return importlib.import_module(path)

    def module(self, value: nn.Module) -> Any:
        """A copy."""
        return copy.deepcopy(value)

    user_module = module


class Minigrad:
    """minigrad itself."""

    name, install, remark = "minigrad", "", ""

    def __init__(self) -> None:
        self.version = getattr(minigrad, "__version__", "").partition("+")[0]

    def carried(self, function: Any) -> Any:
        """The function with copies of the modules it uses."""
        return _Copier().carry(function)

    def turn(self) -> Any:
        """A context for the time of a turn."""
        return contextlib.nullcontext()

    def run(self, function: Any, arguments: Arguments) -> Outcome:
        """The call's value and gradients."""
        with enable_grad():
            tensors = self._tensors(arguments, arguments.wanted)
            result = self._call(function, arguments, tensors)
            if result._node is not None:
                result.backward(minigrad.tensor(cotangent_for(result._array)))
        found = {n: tensors[n].grad._array for n in arguments.wanted if tensors[n].grad is not None}
        return Outcome(result._array, found)

    def step(self, function: Any, arguments: Arguments, outcome: Outcome) -> Step:
        """Forward and backward once."""
        tensors = self._tensors(arguments, arguments.timed)
        given, named = arguments.passed(tensors)
        leaves = [tensors[name] for name in arguments.timed]
        cotangent = minigrad.tensor(cotangent_for(outcome.value))

        def step() -> None:
            result = function(*given, **named)
            if result.requires_grad:
                result.backward(cotangent)
                for leaf in leaves:
                    leaf.grad = None

        return step

    def _tensors(self, arguments: Arguments, leaves: Sequence[str]) -> dict[str, Any]:
        return {
            name: minigrad.tensor(value, requires_grad=name in leaves)
            if isinstance(value, ndarray)
            else value
            for name, value in arguments.values.items()
        }

    def _call(self, function: Any, arguments: Arguments, tensors: Mapping[str, Any]) -> Any:
        given, named = arguments.passed(tensors)
        result = function(*given, **named)
        if not isinstance(result, Variable):
            raise TypeError(_NO_TENSOR.format(type(result).__name__))
        return result


# ----------------------------------------------------------------------------------------------- torch
_CONTAINERS = ("Sequential", "ModuleList", "ModuleDict")


class TorchCarrier(Carrier):
    """minigrad's names are torch's."""

    def __init__(self, torch: Any) -> None:
        super().__init__()
        self.torch = torch

    def named(self, path: str) -> Any:
        """torch's of the same name."""
        found = self.torch
        for name in path.split(".")[1:]:
            try:
                found = getattr(found, name)
            except AttributeError:
                raise NoCounterpart(path.replace("minigrad", "torch", 1)) from None
        return found

    def tensor(self, value: Variable) -> Any:
        """A tensor of the same numbers."""
        made = self.torch.tensor(value._array)
        return made.requires_grad_() if value.requires_grad else made  # type: ignore[attr-defined]

    def module(self, value: nn.Module) -> Any:
        """torch's class of the same name, made with the same options and given the same state."""
        kind = self.named(path_of(type(value)))
        if kind.__name__ in _CONTAINERS:
            made = kind()
            for name, child in value.named_children():
                made.add_module(name, self.carry(child))
        else:
            made = kind(**self._options(value, kind))
            state = {name: self.torch.tensor(v._array) for name, v in value.state_dict().items()}
            made.load_state_dict(state)
        return made.train(value.training)

    def _options(self, value: nn.Module, kind: type) -> dict[str, Any]:
        options = {name: self.carry(option) for name, option in options_of(value).items()}
        parameters = inspect.signature(kind).parameters
        if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            if not options.get("proj_size"):  # torch's GRU refuses to hear of it
                options.pop("proj_size", None)
            return options
        lacking = [name for name in changed(options, type(value)) if name not in parameters]
        if lacking:
            raise NoCounterpart(f"torch.nn.{kind.__name__} has no option {lacking[0]}")
        return {name: option for name, option in options.items() if name in parameters}

    def user_module(self, value: nn.Module) -> Any:
        """A module of the user's class, on torch's base, with the same state, children and attributes."""
        kind = self.carry(type(value))
        made = kind.__new__(kind)
        self.torch.nn.Module.__init__(made)
        for name, parameter in value._parameters.items():
            own = None if parameter is None else self.torch.nn.Parameter(self.torch.tensor(parameter._array))
            made.register_parameter(name, own)
        for name, buffer in value._buffers.items():
            made.register_buffer(name, self.carry(buffer))
        for name, child in value._modules.items():
            made.add_module(name, self.carry(child))
        registered = {**vars(nn.Module()), **value._parameters, **value._buffers, **value._modules}
        for name, attribute in vars(value).items():
            if name not in registered:
                setattr(made, name, self.carry(attribute))
        return made.train(value.training)


class Torch:
    """torch, eager."""

    name, install = "torch", "pip install torch"

    def __init__(self) -> None:
        self.torch = importlib.import_module("torch")
        self.threads = self.torch.get_num_threads()
        self.version = self.torch.__version__.partition("+")[0]

    def carried(self, function: Any) -> Any:
        """The function with torch's names."""
        return TorchCarrier(self.torch).carry(function)

    @property
    def remark(self) -> str:
        """On how many threads it was timed, if not on all that torch takes."""
        all_ = self.torch.get_num_threads()
        return "" if self.threads == all_ else f"on {self.threads} of {all_} threads, which is faster"

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """A context with as many threads as `step` found to be the fastest."""
        before = self.torch.get_num_threads()
        self.torch.set_num_threads(self.threads)
        try:
            yield
        finally:
            self.torch.set_num_threads(before)

    def adopted(self, function: Callable[..., Any]) -> Any:
        """A function of torch's tensors."""
        return function

    def run(self, function: Any, arguments: Arguments) -> Outcome:
        """The call's value and gradients."""
        tensors = self._tensors(arguments, arguments.wanted)
        given, named = arguments.passed(tensors)
        result = function(*given, **named)
        if not isinstance(result, self.torch.Tensor):
            raise TypeError(_NO_TENSOR.format(type(result).__name__))
        value = result.detach().numpy()
        if result.requires_grad:
            result.backward(self.torch.tensor(cotangent_for(value)))
        found = {n: tensors[n].grad.numpy() for n in arguments.wanted if tensors[n].grad is not None}
        return Outcome(value, found)

    def step(self, function: Any, arguments: Arguments, outcome: Outcome) -> Step:
        """Forward and backward once. Of a small call torch's threads may take all the time to meet, where
        other libraries' threads are about: then one is what it is given."""
        tensors = self._tensors(arguments, arguments.timed)
        given, named = arguments.passed(tensors)
        leaves = [tensors[name] for name in arguments.timed]
        cotangent = self.torch.tensor(cotangent_for(outcome.value))

        def step() -> None:
            result = function(*given, **named)
            if result.requires_grad:
                result.backward(cotangent)
                for leaf in leaves:
                    leaf.grad = None

        self.threads = min((self.threads, 1), key=lambda threads: self._median(step, threads))
        return step

    def _median(self, step: Step, threads: int) -> float:
        """The median time of some steps with this many threads."""
        self.threads, before = threads, self.threads
        times = []
        with self.turn():
            for _ in range(5):
                begin = time.perf_counter()
                step()
                times.append(time.perf_counter() - begin)
        self.threads = before
        return statistics.median(times)

    def _tensors(self, arguments: Arguments, leaves: Sequence[str]) -> dict[str, Any]:
        made = {}
        for name, value in arguments.values.items():
            if isinstance(value, ndarray):
                value = self.torch.tensor(value)
                value = value.requires_grad_() if name in leaves else value
            made[name] = value
        return made


# --------------------------------------------------------------------------------- arrays like NumPy's
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


PEERS: dict[str, Any] = {"torch": Torch, "jax": Jax, "autograd": Autograd}
