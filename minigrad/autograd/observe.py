"""Watching the operations as they run: what was called, with what, what came out, and by which line.

While nobody watches, operations do nothing for it: `observing` puts its own entry into the classes of
operations for as long as it is on. Only operations of the thread that watches are reported, each once:
what a fused operation or a `Function` does inside is its own business.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from minigrad.autograd.function import Function
from minigrad.autograd.fused import Fused
from minigrad.autograd.op import Primitive
from minigrad.autograd.site import Site, user_site
from minigrad.autograd.tape import Variable


class Call(NamedTuple):
    """An operation that ran on variables."""

    op: Any  # a Primitive, something with a `definition` (Fused and its like), or a class of Function
    operands: Sequence[Any]
    options: dict[str, Any]
    result: Any
    site: Site


Observer = Callable[[Call], None]


class _Watch(threading.local):
    def __init__(self) -> None:
        self.observers: list[Observer] = []
        self.inside = False  # an operation is running, or an observer is being told


_watch = _Watch()
_lock = threading.Lock()
_entries: dict[tuple[Any, str], Any] = {}  # the owners' own entries, while ours stand in their place
_count = 0


def _reported(plain: Callable[..., Any], read: Callable[..., tuple]) -> Callable[..., Any]:
    """An entry of a class of operations that tells the observers; `read` sorts its arguments."""

    def call(op: Any, *args: Any, **kwargs: Any) -> Any:
        watch = _watch
        if watch.inside or not watch.observers:
            return plain(op, *args, **kwargs)
        watch.inside = True
        try:
            result = plain(op, *args, **kwargs)
            if isinstance(result, (Variable, tuple)):
                operands, options = read(op, *args, **kwargs)
                told = Call(op, operands, options, result, user_site())
                for observer in tuple(watch.observers):
                    observer(told)
        finally:
            watch.inside = False
        return result

    return call


def _of_primitive(op: Primitive, *operands: Any, **options: Any) -> tuple:
    named = [options.pop(name) for name in op.operands[len(operands) :] if name in options]
    return (*operands, *named), options


def _of_fused(op: Fused, inputs: tuple, options: tuple, plans: Any) -> tuple:
    names = list(op._places)
    return inputs, dict(zip(names[len(inputs) :], options, strict=True))


def _of_operands(op: Any, *operands: Any) -> tuple:
    return operands, {}


class observing:
    """A context in which `observer` is told of every operation on variables.

    Example:
        >>> import minigrad
        >>> from minigrad.autograd.observe import observing
        >>> x = minigrad.tensor([1.0, 2.0])
        >>> with observing(lambda call: print(call.op.__name__, call.result)):
        ...     y = (x * 2).sum()
        mul tensor([2., 4.])
        sum tensor(6.)
    """

    def __init__(self, observer: Observer) -> None:
        self.observer = observer

    def __enter__(self) -> observing:
        global _count
        with _lock:
            if not _count:
                _install()
            _count += 1
        _watch.observers.append(self.observer)
        return self

    def __exit__(self, *_: object) -> None:
        global _count
        _watch.observers.remove(self.observer)
        with _lock:
            _count -= 1
            if not _count:
                _restore()


class apart:
    """A context for an observer that looks into an operation: what runs inside is not reported to those who
    watch already, and is to those who start watching inside."""

    def __enter__(self) -> None:
        self._before = _watch.observers, _watch.inside
        _watch.observers, _watch.inside = [], False

    def __exit__(self, *_: object) -> None:
        _watch.observers, _watch.inside = self._before


# What an operation is entered by: an owner, the name of its entry there, how the arguments are read.
_ENTRIES: list[tuple[Any, str, Callable[..., tuple]]] = [
    (Primitive, "__call__", _of_primitive),
    (Fused, "_call", _of_fused),
]
_shortcuts: list[tuple[Any, str, Any]] = []


def observable(kind: type) -> type:
    """Class decorator: calls of the instances are operations, of operands only."""
    _ENTRIES.append((kind, "__call__", _of_operands))
    return kind


def shortcut(owner: Any, name: str, op: Any) -> None:
    """The function `name` of the module `owner` does what `op` does, past its own entry."""
    _shortcuts.append((owner, name, op))


def _install() -> None:
    for kind, name, read in _ENTRIES:
        _entries[kind, name] = plain = vars(kind)[name]
        setattr(kind, name, _reported(plain, read))
    for module, name, op in _shortcuts:
        _entries[module, name] = plain = vars(module)[name]
        setattr(module, name, functools.partial(_reported(_without_op(plain), _of_operands), op))
    _entries[Function, "apply"] = plain = vars(Function)["apply"]
    setattr(Function, "apply", classmethod(_reported(plain.__func__, _of_operands)))  # noqa: B010


def _without_op(plain: Callable[..., Any]) -> Callable[..., Any]:
    return lambda op, *operands: plain(*operands)


def _restore() -> None:
    for (owner, name), plain in _entries.items():
        setattr(owner, name, plain)
    _entries.clear()
