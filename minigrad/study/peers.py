"""How each library runs a call: what it gives, its gradients, and a step to be timed."""

from __future__ import annotations

import contextlib
import copy
import importlib
import inspect
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from numpy import ndarray

import minigrad
from minigrad import nn
from minigrad.autograd.tape import Variable, enable_grad
from minigrad.study.array_peers import Autograd, Jax
from minigrad.study.calls import NO_TENSOR, Arguments, Outcome, Step, cotangent_for
from minigrad.study.carry import Carrier, NoCounterpart, changed, options_of, path_of


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
            raise TypeError(NO_TENSOR.format(type(result).__name__))
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
            raise TypeError(NO_TENSOR.format(type(result).__name__))
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


PEERS: dict[str, Any] = {"torch": Torch, "jax": Jax, "autograd": Autograd}
