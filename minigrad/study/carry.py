"""A call carried over to another library: the same code, with the library's names in place of minigrad's.

The code of a function is left as it is; what changes are the globals, the closure and the defaults it looks
its names up in, as if the file had begun with another import.
"""

from __future__ import annotations

import builtins
import functools
import importlib
import inspect
import types
from collections.abc import Callable, Iterator, Mapping
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from minigrad import nn
from minigrad.autograd.fused import Fused
from minigrad.autograd.op import Primitive
from minigrad.autograd.tape import Variable
from minigrad.nn.losses.base import Loss

_PLAIN = (int, float, complex, str, bytes, bool, type(None), slice)
# Where public names are looked up, in this order: those that torch has under the same path.
_PUBLIC = ("minigrad", "minigrad.nn.functional", "minigrad.nn", "minigrad.linalg", "minigrad.special")


class NoCounterpart(Exception):
    """The other library has nothing that does the same; the text says what is missing."""


@functools.cache
def _paths() -> dict[int, str]:
    """The public paths of minigrad's functions, classes and constants, by address."""
    found: dict[int, str] = {}
    for path in _PUBLIC:
        for name, value in vars(importlib.import_module(path)).items():
            if not name.startswith("_") and not isinstance(value, (*_PLAIN, ModuleType)):
                found.setdefault(id(value), f"{path}.{name}")
    return found


def path_of(value: Any) -> str:
    """The public path of something of minigrad's, such as "minigrad.nn.MSELoss"; empty for others.

    Example:
        >>> import minigrad
        >>> from minigrad.study.carry import path_of
        >>> path_of(minigrad.nn.HuberLoss), path_of(len)
        ('minigrad.nn.HuberLoss', '')
    """
    if isinstance(value, ModuleType):
        return value.__name__ if _is_ours(value.__name__) else ""
    known = _paths().get(id(value))
    if known is not None:
        return known
    if isinstance(value, (Fused, Primitive)):
        return f"minigrad.nn.functional.{value.__name__.strip('_')}"  # type: ignore[union-attr]
    home = getattr(value, "__module__", None) or ""
    if _is_ours(home) and isinstance(value, (type, FunctionType)):
        return f"{home}.{value.__qualname__}"
    return ""


def _is_ours(name: str) -> bool:
    return name == "minigrad" or name.startswith("minigrad.")


class Carrier:
    """Carries functions and modules over. A library's subclass says what its counterparts are."""

    def __init__(self) -> None:
        self._done: dict[int, Any] = {}
        self._alive: list[Any] = []  # what `_done` knows by its address

    # -------------------------------------------------------------------------- what a library says
    def named(self, path: str) -> Any:
        """The counterpart of something of minigrad's, or raise NoCounterpart."""
        raise NotImplementedError

    def tensor(self, value: Variable) -> Any:
        """The counterpart of a tensor."""
        raise NotImplementedError

    def module(self, value: nn.Module) -> Any:
        """The counterpart of a module of minigrad's own, such as a layer or a loss."""
        raise NotImplementedError

    def user_module(self, value: nn.Module) -> Any:
        """The counterpart of a module whose class is the user's."""
        raise NotImplementedError

    # ---------------------------------------------------------------------------------- carrying
    def carry(self, value: Any) -> Any:
        """The counterpart of a value; the value itself where it is nothing of minigrad's.

        Raises:
            NoCounterpart: the library has none.
        """
        if isinstance(value, _PLAIN):
            return value
        found = self._done.get(id(value))
        if found is None:
            found = self._carried(value)
            self._done[id(value)] = found
            self._alive.append(value)
        return found

    def _carried(self, value: Any) -> Any:
        if isinstance(value, Variable):
            return self.tensor(value)
        if isinstance(value, nn.Module):
            own = path_of(type(value))
            return self.module(value) if own else self.user_module(value)
        if path := path_of(value):
            return self.named(path)
        if isinstance(value, FunctionType):
            return self.function(value)
        if isinstance(value, MethodType):
            return MethodType(self.carry(value.__func__), self.carry(value.__self__))
        if isinstance(value, functools.partial):
            return functools.partial(
                self.carry(value.func), *map(self.carry, value.args), **self._values(value.keywords)
            )
        if isinstance(value, type) and issubclass(value, nn.Module):
            return self.user_class(value)
        if type(value) in (list, tuple):
            return type(value)(map(self.carry, value))
        return self._values(value) if type(value) is dict else value

    def _values(self, named: Mapping[Any, Any]) -> dict[Any, Any]:
        return {name: self.carry(value) for name, value in named.items()}

    def function(self, function: FunctionType, own_class: CellType | None = None) -> FunctionType:
        """The same code, with names looked up among the counterparts."""
        held: dict[str, Any] = {"__builtins__": self._builtins(), "__name__": function.__module__}
        names = set(_names_in(function.__code__))
        cells = tuple(CellType() for _ in function.__closure__ or ())
        made = FunctionType(function.__code__, held, function.__name__, None, cells or None)
        self._done[id(function)] = made  # it may call itself
        self._alive.append(function)
        for name in names & function.__globals__.keys():
            held[name] = self.carry(function.__globals__[name])
        free = function.__code__.co_freevars
        for name, mine, theirs in zip(free, cells, function.__closure__ or (), strict=True):
            if name == "__class__" and own_class is not None:
                continue
            mine.cell_contents = self.carry(theirs.cell_contents)
        if own_class is not None and "__class__" in free:
            cells = tuple(own_class if n == "__class__" else c for n, c in zip(free, cells, strict=True))
            made = FunctionType(function.__code__, held, function.__name__, None, cells)
        made.__defaults__ = tuple(map(self.carry, function.__defaults__ or ())) or None
        made.__kwdefaults__ = self._values(function.__kwdefaults__ or {}) or None
        return made

    def user_class(self, kind: type) -> type:
        """A user's class of modules, on the library's base."""
        bases = tuple(self.carry(base) for base in kind.__bases__)
        cell = CellType()
        body = {
            name: self._member(member, cell)
            for name, member in vars(kind).items()
            if name not in ("__dict__", "__weakref__")
        }
        cell.cell_contents = made = types.new_class(
            kind.__name__, bases, {}, lambda space: space.update(body)
        )
        return made

    def _member(self, member: Any, cell: CellType) -> Any:
        if isinstance(member, FunctionType):
            return self.function(member, cell)
        if isinstance(member, (staticmethod, classmethod)):
            return type(member)(self.function(member.__func__, cell))  # type: ignore[arg-type]
        if isinstance(member, property) and isinstance(member.fget, FunctionType):
            return property(self.function(member.fget, cell))
        return self.carry(member)

    def _builtins(self) -> dict[str, Any]:
        """The builtins, with an `import` that gives the counterparts of minigrad's modules."""

        def import_(
            name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
        ) -> Any:
            if level or not _is_ours(name):
                return builtins.__import__(name, globals, locals, fromlist, level)
            return self.named(name if fromlist else name.partition(".")[0])

        return {**vars(builtins), "__import__": import_}


def _names_in(code: CodeType) -> Iterator[str]:
    """The global names that a function and those inside it look up."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_in(constant)


# ------------------------------------------------------------------------------------ modules' options
def options_of(module: nn.Module) -> dict[str, Any]:
    """What a module of minigrad's was made with, as far as its attributes tell.

    Example:
        >>> from minigrad import nn
        >>> from minigrad.study.carry import options_of
        >>> options_of(nn.Linear(2, 3, bias=False))
        {'in_features': 2, 'out_features': 3, 'bias': False}
    """
    parameters = inspect.signature(type(module)).parameters.values()
    found = {}
    for parameter in parameters:
        name = parameter.name
        if name in ("device", "dtype", "size_average", "reduce") or not hasattr(module, name):
            continue
        value = getattr(module, name)
        if not isinstance(module, Loss) and parameter.default in (True, False):
            value = value is not None if isinstance(value, Variable) or value is None else value
        found[name] = value
    return found


def changed(options: Mapping[str, Any], function: Callable[..., Any]) -> dict[str, Any]:
    """Those of the options that are not the function's defaults."""
    parameters = inspect.signature(function).parameters
    return {
        name: value
        for name, value in options.items()
        if name not in parameters or not _equal(value, parameters[name].default)
    }


def _equal(value: Any, default: Any) -> bool:
    return value is default or (
        isinstance(value, _PLAIN) and type(value) is type(default) and value == default
    )
