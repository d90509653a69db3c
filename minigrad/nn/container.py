"""Containers: modules and parameters in sequences and dictionaries."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from itertools import groupby
from typing import Any, Self, cast

from minigrad.nn.activations import ReLU, Sigmoid, Tanh
from minigrad.nn.linear import Linear
from minigrad.nn.module import Module, block, indented
from minigrad.nn.parameter import Parameter
from minigrad.ops.perceptron import RELU, SIGMOID, TANH, Activation, perceptron
from minigrad.tensor import Tensor


class _Sequence(Module):
    """What Sequential and ModuleList share: a list of modules named by their places."""

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(cast(Iterable[Module], self._modules.values()))

    def _key(self, index: int) -> str:
        place = operator.index(index)
        if not -len(self) <= place < len(self):
            raise IndexError(f"index {place} is out of range")
        return list(self._modules)[place]

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._key(index), module)

    def __delitem__(self, index: int | slice) -> None:
        kept = list(self)
        del kept[index if isinstance(index, slice) else list(self._modules).index(self._key(index))]
        self._renumber(kept)

    def _renumber(self, modules: Iterable[Module]) -> None:
        for name in list(self._modules):
            delattr(self, name)
        for place, module in enumerate(modules):
            self.add_module(str(place), module)

    def append(self, module: Module) -> Self:
        """Add a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add modules at the end."""
        if not isinstance(modules, Iterable):
            raise TypeError(
                f"{self._get_name()}.extend should be called with an iterable, but got "
                f"{type(modules).__name__}"
            )
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Put a module before the one at `index`; those behind it are renumbered.

        Raises:
            IndexError: `index` is out of range.
        """
        if not -len(self) <= index <= len(self):
            raise IndexError(f"Index out of range: {index}")
        modules = list(self)
        modules.insert(index, module)
        self._renumber(modules)
        return self

    def pop(self, key: int | slice) -> Any:
        """Take the module at a place out and return it."""
        found = self[key]  # type: ignore[index]
        del self[key]
        return found


_ACTIVATIONS: dict[type, Activation] = {ReLU: RELU, Tanh: TANH, Sigmoid: SIGMOID}


def _joins(module: Any, layers: list[Any]) -> bool:
    """Whether a module can be computed together with these: it is a layer or what follows one, nobody looks
    at what it is given and gives (hooks), and nobody computes it in another way.
    """
    if module._has_hooks or "forward" in module.__dict__:
        return False
    if type(module) is Linear:
        return module.bias is not None
    return bool(layers) and type(module) in _ACTIVATIONS and type(layers[-1]) is Linear


def _through(layers: list[Any], input: Any) -> Any:
    """What Linear layers with activations between them make of an input."""
    if len(layers) == 1:
        return layers[0](input)
    activations: list[Activation | None] = []
    parameters: list[Any] = []
    for module in layers:
        if type(module) is Linear:
            parameters += (module.weight, module.bias)
            activations.append(None)
        else:
            activations[-1] = _ACTIVATIONS[type(module)]
    return perceptron(tuple(activations))(input, *parameters)


class Sequential(_Sequence):
    """Modules one after the other: each gets the result of the one before.

    Given the modules, which are named '0', '1', ..., or an OrderedDict of names and modules.

    Example:
        >>> from minigrad import nn
        >>> model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1))
        >>> model
        Sequential(
          (0): Linear(in_features=2, out_features=16, bias=True)
          (1): ReLU()
          (2): Linear(in_features=16, out_features=1, bias=True)
        )
        >>> model[0].out_features, len(model[1:])
        (16, 2)
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            self.extend(args)

    def forward(self, input: Any) -> Any:
        layers: list[Any] = []  # to be computed as one operation
        for module in self._modules.values():
            if _joins(module, layers):
                layers.append(module)
                continue
            if layers:
                input, layers = _through(layers, input), []
            input = module(input)  # type: ignore[misc]
        return _through(layers, input) if layers else input

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(OrderedDict(list(self._modules.items())[index]))
        return self._modules[self._key(index)]

    def __add__(self, other: Sequential) -> Sequential:
        self._check_sequential(other)
        return Sequential(*self, *other)

    def __iadd__(self, other: Sequential) -> Self:
        self._check_sequential(other)
        return self.extend(other)

    def _check_sequential(self, other: Any) -> None:
        if not isinstance(other, Sequential):
            raise ValueError(
                f"add operator supports only objects of Sequential class, but {type(other)} is given."
            )


class ModuleList(_Sequence):
    """A list of modules, which are found by `parameters()` and so on as a plain list's are not.

    Example:
        >>> from minigrad import nn
        >>> nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])
        ModuleList(
          (0-2): 3 x Linear(in_features=4, out_features=4, bias=True)
        )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return self._modules[self._key(index)]

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    def __iadd__(self, modules: Iterable[Module]) -> Self:
        return self.extend(modules)

    def __repr__(self) -> str:
        """Runs of modules of the same text are shown once."""
        lines = []
        for text, run in groupby(enumerate(map(repr, self)), key=lambda pair: pair[1]):
            places = [place for place, _ in run]
            if len(places) == 1:
                lines.append(indented(f"({places[0]}): {text}"))
            else:
                lines.append(indented(f"({places[0]}-{places[-1]}): {len(places)} x {text}"))
        return f"{self._get_name()}({block(lines)})"


class ModuleDict(Module):
    """A dictionary of modules, which are found by `parameters()` and so on.

    Example:
        >>> from minigrad import nn
        >>> nn.ModuleDict({"relu": nn.ReLU(), "tanh": nn.Tanh()})
        ModuleDict(
          (relu): ReLU()
          (tanh): Tanh()
        )
    """

    def __init__(self, modules: Any = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        if key not in self._modules:
            raise KeyError(key)
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Take out all modules."""
        for key in list(self):
            del self[key]

    def pop(self, key: str) -> Any:
        """Take a module out and return it."""
        found = self[key]
        del self[key]
        return found

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._modules.keys()

    def items(self) -> ItemsView[str, Any]:
        """The names with their modules."""
        return self._modules.items()

    def values(self) -> ValuesView[Any]:
        """The modules."""
        return self._modules.values()

    def update(self, modules: Any) -> None:
        """Add the modules of a mapping, or of pairs (name, module)."""
        if not isinstance(modules, Iterable):
            raise TypeError(
                "ModuleDict.update should be called with an iterable of key/value pairs, but got "
                f"{type(modules).__name__}"
            )
        pairs = modules.items() if isinstance(modules, (Mapping, ModuleDict)) else modules
        for key, module in pairs:
            self[key] = module


def _as_parameter(value: Any) -> Any:
    """Tensors become parameters; what else a user keeps in these containers stays as it is."""
    return Parameter(value) if type(value) is Tensor else value


def _described(name: Any, value: Any, kind: str) -> str:
    """A line of a container's text, which names a tensor's `kind`: its "dtype" or its "type"."""
    if not isinstance(value, Tensor):
        return f"  ({name}): Object of type: {type(value).__name__}"
    sizes = "x".join(map(str, value.shape))
    word = "Parameter" if isinstance(value, Parameter) else "Tensor"
    dtype = value.dtype if kind == "dtype" else value.type()
    return f"  ({name}): {word} containing: [{dtype} of size {sizes}]"


class ParameterList(Module):
    """A list of parameters, which `parameters()` finds; tensors put in become parameters.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> nn.ParameterList([minigrad.zeros(2, 3)])
        ParameterList(  (0): Parameter containing: [torch.float32 of size 2x3])
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return (self[place] for place in range(self._size))

    def _key(self, index: int) -> str:
        place = operator.index(index)
        if not -self._size <= place < self._size:
            raise IndexError(f"index {place} is out of range")
        return str(place % self._size)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return getattr(self, self._key(index))

    def __setitem__(self, index: int, value: Any) -> None:
        setattr(self, self._key(index), _as_parameter(value))

    def append(self, value: Any) -> Self:
        """Add a value at the end."""
        self._size += 1
        self[-1] = value
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add values at the end."""
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            raise TypeError(
                f"ParameterList.extend should be called with an iterable, but got {type(values).__name__}"
            )
        for value in list(values):
            self.append(value)
        return self

    def __iadd__(self, values: Iterable[Any]) -> Self:
        return self.extend(values)

    def extra_repr(self) -> str:
        return "\n".join(_described(place, value, "dtype") for place, value in enumerate(self))


class ParameterDict(Module):
    """A dictionary of parameters, which `parameters()` finds; tensors put in become parameters.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> weights = nn.ParameterDict({"left": minigrad.zeros(2)})
        >>> weights["left"]
        Parameter containing:
        tensor([0., 0.], requires_grad=True)
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key: str) -> Any:
        if key not in self._keys:
            raise KeyError(key)
        return getattr(self, key)

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):
            raise TypeError(
                "Index given to ParameterDict cannot be used as a key as it is not a string "
                f"(type is '{type(key).__name__}'). Use strings as keys."
            )
        if key not in self._keys and hasattr(self, key):
            raise KeyError(f"attribute '{key}' already exists")
        setattr(self, key, _as_parameter(value))
        self._keys[key] = None

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._keys.keys()

    def items(self) -> Iterator[tuple[str, Any]]:
        """The names with their values."""
        return ((key, self[key]) for key in self._keys)

    def values(self) -> Iterator[Any]:
        """The values."""
        return (self[key] for key in self._keys)

    def pop(self, key: str) -> Any:
        """Take a value out and return it."""
        found = self[key]
        del self[key]
        return found

    def update(self, parameters: Any) -> None:
        """Add the values of a mapping, or of pairs (name, value)."""
        if not isinstance(parameters, Iterable):
            raise TypeError(
                "ParametersDict.update should be called with an iterable of key/value pairs, but "
                f"got {type(parameters).__name__}"
            )
        pairs = parameters
        if isinstance(parameters, (Mapping, ParameterDict)):
            pairs = parameters.items()
        for key, value in pairs:
            self[key] = value

    def extra_repr(self) -> str:
        return "\n".join(_described(key, value, "type") for key, value in self.items())
