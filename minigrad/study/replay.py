"""Definitions run again under observation; what tensors are called; which calls a result depends on."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from minigrad import nn
from minigrad.autograd.observe import Call, observing
from minigrad.autograd.tape import Variable, current_node, enable_grad


# --------------------------------------------------------------------------------------------- names
def identity(variable: Variable) -> Any:
    """What tells a tensor from others: its node, or itself where it has none."""
    node = current_node(variable)
    return id(variable) if node is None else node


def _flat_names(named: Mapping[str, Any]) -> dict[Any, str]:
    """The names of tensors, and of the parameters of modules, by their identities."""
    found: dict[Any, str] = {}
    for name, value in named.items():
        if isinstance(value, Variable):
            found.setdefault(identity(value), name)
        elif isinstance(value, nn.Module):
            for inner, parameter in (*value.named_parameters(), *value.named_buffers()):
                found.setdefault(identity(parameter), f"{name}.{inner}")
    return found


def names_in(frame: Any) -> dict[Any, str]:
    """What the variables of a frame call tensors and parameters, the frame's globals included."""
    if frame is None:
        return {}
    named = {name: value for name, value in frame.f_locals.items() if not name.startswith("__")}
    for name, value in frame.f_globals.items():
        if not name.startswith("__") and isinstance(value, (Variable, nn.Module)):
            named.setdefault(name, value)
    return _flat_names(named)


_LAYERS = str(Path(nn.__file__).parent)
_OPENED = (_LAYERS, str(Path(nn.__file__).parents[1] / "ops"))  # whose functions are shown as groups


class Replay:
    """A definition as it runs: its operations, in which function inside it each ran, and what the variables
    of those functions called their values."""

    def __init__(self, definition: Callable[..., Any]) -> None:
        self.code = getattr(inspect.unwrap(definition), "__code__", None)
        self.calls: list[Call] = []
        self.paths: list[tuple[Any, ...]] = []  # of each call, the frames between the definition and it
        self.names: dict[Any, str] = {}
        self.alive: list[Any] = []

    def run(self, definition: Callable[..., Any], values: Sequence[Any]) -> Any:
        """What the definition gives."""
        before = sys.getprofile()
        with enable_grad(), observing(self._note):
            sys.setprofile(self._returned)
            try:
                return definition(*values)
            finally:
                sys.setprofile(before)

    def _note(self, call: Call) -> None:
        frames: list[Any] = []
        frame: Any = sys._getframe(1)
        while frame is not None and frame.f_code is not self.code:
            if frame.f_code.co_filename.startswith(_OPENED) and frame.f_code.co_name != "<lambda>":
                frames.append(frame)
            frame = frame.f_back
        self.calls.append(call)
        self.paths.append(tuple(reversed(frames)))

    def _returned(self, frame: Any, event: str, argument: Any) -> None:
        code = frame.f_code
        if event != "return" or not code.co_filename.startswith(_LAYERS):
            return
        inner = code is not self.code
        parameters = code.co_varnames[: code.co_argcount] if inner else ()
        for name, value in frame.f_locals.items():
            if isinstance(value, Variable) and name not in parameters:
                self.alive.append(value)
                self.names[identity(value)] = name  # the outer functions return last, and have the last word


def leading_to(calls: Sequence[Call], result: Variable) -> list[Call]:
    """Those of the calls that the result depends on."""
    wanted = {id(result), identity(result)}
    kept = []
    for call in reversed(calls):
        results = call.result if isinstance(call.result, tuple) else (call.result,)
        variables = [r for r in results if isinstance(r, Variable)]
        if any(id(r) in wanted or identity(r) in wanted for r in variables):
            kept.append(call)
            for operand in variables_in(call.operands):
                wanted |= {id(operand), identity(operand)}
            wanted |= {id(option) for option in call.options.values() if isinstance(option, Variable)}
    return kept[::-1]


def variables_in(values: Any) -> Iterator[Variable]:
    for value in values:
        if isinstance(value, Variable):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from variables_in(value)
