"""`lint`: when it looks, and what becomes of what it finds.

Looking closely costs about a millisecond, more than many a training step, so it is done at steps 1, 2, 4,
8, 16, and then at powers of two at least `_PAUSE` apart. For those the operations are observed, from the
end of the backward before to the end of the step; at all others little is left but a counter in
`Tensor.backward`.
"""

from __future__ import annotations

import functools
import inspect
import threading
import time
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from minigrad.autograd.observe import Call, apart, observing
from minigrad.autograd.site import UNKNOWN, Site, user_frame
from minigrad.nn.losses.base import REDUCTIONS, Loss, LossFunction
from minigrad.optim.optimizer import Optimizer
from minigrad.study.linting import losses, training
from minigrad.study.linting.finding import RULES, Finding, LintError, LintWarning, page, rules_for
from minigrad.tensor import Tensor

_MOST_LOOKS = 3  # at the same line, of the same shapes, within one close look
_SURE = 16  # the step up to which no look is put off
_PAUSE = 0.1  # seconds
_PATIENCE = 16  # backwards after a close look, within which a step is waited for
_MOST_WEIGHTS = 1_000_000  # elements of which the change by a step is measured

_lock = threading.RLock()
_sessions: list[lint] = []
_watching: list[lint] = []  # those that look closely just now


class lint:
    """Look for mistakes in how losses and optimisers are used: a context manager, a decorator, or for good.

    Each finding is an ordinary warning, `LintWarning`, at the line of your code, once; with `strict` it is
    an error. `python -m minigrad lint MG001` prints the page of a rule, `python -m minigrad lint script.py`
    runs a script under lint.

    Args:
        strict: raise `LintError` instead of warning.
        select: codes of the rules to apply; by default all.
        ignore: codes of the rules not to apply.

    Attributes:
        findings: what was found so far, a list of `Finding(code, message, site)`.

    Raises:
        ValueError: an unknown code.

    Example:
        >>> import minigrad, warnings
        >>> from minigrad import nn, study
        >>> x = minigrad.randn(4, 3, requires_grad=True)
        >>> with warnings.catch_warnings(), study.lint() as report:
        ...     warnings.simplefilter("ignore")
        ...     loss = nn.CrossEntropyLoss()(x.softmax(1), minigrad.tensor([0, 1, 2, 0]))
        >>> [finding.code for finding in report.findings]
        ['MG001']
    """

    def __init__(
        self, strict: bool = False, select: Iterable[str] | None = None, ignore: Iterable[str] = ()
    ) -> None:
        chosen = set(RULES) if select is None else set(_codes(select))
        self._codes = chosen - set(_codes(ignore))
        self.strict = strict
        self.findings: list[Finding] = []
        self._thread = threading.get_ident()
        self._seen: set[tuple[str, Site]] = set()
        self._memory = training.Memory()
        self._backwards = 0
        self._due = 1  # the number of the next backward that is looked at
        self._last = 0  # the number of the last one
        self._looks: dict[Any, int] = {}
        self._watch: observing | None = None
        self._looked = 0.0  # when the last close look ended
        self._names: dict[int, str] = {}

    # ------------------------------------------------------------------------------- on and off
    def __enter__(self) -> lint:
        self._thread = threading.get_ident()
        with _lock:
            _sessions.append(self)
            if len(_sessions) == 1:
                _install()
        self._open()
        return self

    def __exit__(self, *_: object) -> None:
        self._close()
        with _lock:
            _sessions.remove(self)
            if not _sessions:
                _restore()

    def __call__(self, function: Callable) -> Callable:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with lint(self.strict, self._codes):
                return function(*args, **kwargs)

        return wrapper

    @staticmethod
    def on(strict: bool = False, select: Iterable[str] | None = None, ignore: Iterable[str] = ()) -> lint:
        """Switch lint on until `lint.off()`; takes what `lint` takes, and returns the session."""
        return lint(strict, select, ignore).__enter__()

    @staticmethod
    def off() -> None:
        """Switch off all lint of this thread."""
        for session in [s for s in _sessions if s._thread == threading.get_ident()]:
            session.__exit__()

    @staticmethod
    def check(function: Callable, *args: Any, **kwargs: Any) -> list[Finding]:
        """Call a function under lint, without warnings, and return what was found.

        Example:
            >>> import minigrad
            >>> from minigrad import study
            >>> from minigrad.nn import functional as F
            >>> x, y = minigrad.zeros(3, 1), minigrad.ones(3)
            >>> [finding.code for finding in study.lint.check(F.mse_loss, x, y)]
            ['MG011']
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with lint() as report:
                function(*args, **kwargs)
        return report.findings

    page = staticmethod(page)

    def _open(self) -> None:
        """Look closely from now on."""
        if self._watch is None:
            self._looks.clear()
            memory = self._memory  # what happened between is not known
            memory.reached = []
            memory.used.clear()
            memory.piled.clear()
            self._watch = observing(self._on_call)
            self._watch.__enter__()
            _watching.append(self)

    def _close(self) -> None:
        if self._watch is not None:
            self._watch.__exit__()
            self._watch = None
            _watching.remove(self)
            self._looked = time.perf_counter()

    # ----------------------------------------------------------------------------------- events
    def _on_call(self, call: Call) -> None:
        if not isinstance(call.op, LossFunction):
            return
        key = (call.op, call.site, tuple(getattr(o, "shape", None) for o in call.operands))
        looks = self._looks[key] = self._looks.get(key, 0) + 1
        if looks <= _MOST_LOOKS:
            seen = losses.LossSeen.of(call)
            self._apply("loss", seen, call.site)
            if isinstance(seen.given.get("size_average"), str):
                self._apply("module", (f"F.{seen.name}", seen.given["size_average"]), call.site)

    def _before_backward(self, loss: Any) -> training.BackwardSeen | None:
        self._memory.reached = []
        if self._backwards < self._due - 1:
            if self._backwards > self._last + _PATIENCE:  # weights that are moved by hand
                self._close()
            return None
        if self._backwards < self._due:  # the one before
            if self._due > _SURE and time.perf_counter() - self._looked < _PAUSE:
                self._due *= 2
            else:
                self._open()
            return None
        return training.BackwardSeen.of(loss, self._memory, user_frame())

    def _after_backward(self, seen: training.BackwardSeen) -> None:
        self._memory.reached = seen.leaves
        self._names = seen.names()
        frame = seen.frame
        site = UNKNOWN if frame is None else Site(frame.f_code.co_filename, frame.f_lineno)
        self._apply("backward", seen, site)
        self._last, self._due = self._backwards, 2 * self._backwards

    def _before_step(self, optimizer: Any) -> training.StepSeen:
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        before: dict[int, Any] = {}
        total = 0
        for p in parameters:
            total += p._array.size
            if total <= _MOST_WEIGHTS:
                before[id(p)] = p._array.copy()
        return training.StepSeen(optimizer, self._memory, before, self._names)

    def _after_step(self, seen: training.StepSeen) -> None:
        memory, own = self._memory, {id(p) for p in seen.parameters}
        memory.held |= own
        frame = user_frame()
        site = UNKNOWN if frame is None else Site(frame.f_code.co_filename, frame.f_lineno)
        with np.errstate(all="ignore"):
            self._apply("step", seen, site)
        memory.used |= own
        memory.piled -= own
        if self._due > self._backwards + 1:  # the next close look is far
            self._close()

    def _on_module(self, kind: type, args: tuple) -> None:
        if not args or not isinstance(args[0], str) or args[0] not in REDUCTIONS:
            return
        if next(iter(inspect.signature(kind).parameters), None) == "size_average":
            frame = user_frame()
            site = UNKNOWN if frame is None else Site(frame.f_code.co_filename, frame.f_lineno)
            self._apply("module", (f"nn.{kind.__name__}", args[0]), site)

    # --------------------------------------------------------------------------------- findings
    def _apply(self, when: str, seen: Any, site: Site) -> None:
        with apart():
            found = [(r.code, r.look(seen)) for r in rules_for(when) if r.code in self._codes]
        for code, message in found:
            if message is not None and (code, site) not in self._seen:
                self._seen.add((code, site))
                self._report(Finding(code, message, site))

    def _report(self, finding: Finding) -> None:
        self.findings.append(finding)
        if self.strict:
            raise LintError(
                f"{finding}\n  {finding.site}\nType python -m minigrad lint {finding.code} for more."
            )
        site = finding.site
        warnings.warn_explicit(str(finding), LintWarning, site.file or "<unknown>", site.line or 1)


def _codes(given: Iterable[str]) -> list[str]:
    codes = [given] if isinstance(given, str) else list(given)
    unknown = [code for code in codes if code not in RULES]
    if unknown:
        raise ValueError(f"no rule {unknown[0]!r}; the rules are {', '.join(RULES)}")
    return codes


# -------------------------------------------------------------- the entries that lint watches while it is on
_plain: dict[tuple[type, str], Any] = {}  # stays: another thread may be inside an entry that is taken out


def _mine() -> list[lint]:
    thread = threading.get_ident()
    return [session for session in tuple(_sessions) if session._thread == thread]


def _backward(loss: Any, *args: Any, **kwargs: Any) -> None:
    looking: list[tuple[lint, training.BackwardSeen]] = []
    thread = threading.get_ident()
    for session in tuple(_sessions):
        if session._thread == thread:
            session._backwards += 1
            if session._backwards >= session._due - 1 or session._watch is not None:
                found = session._before_backward(loss)
                if found is not None:
                    looking.append((session, found))
    _plain[Tensor, "backward"](loss, *args, **kwargs)
    for session, found in looking:
        session._after_backward(found)


def _step(optimizer: Any, *args: Any, **kwargs: Any) -> Any:
    if not _watching:
        return _plain[Optimizer, "step"](optimizer, *args, **kwargs)
    looking = [(s, s._before_step(optimizer)) for s in _mine() if s._watch is not None]
    result = _plain[Optimizer, "step"](optimizer, *args, **kwargs)
    for session, found in looking:
        session._after_step(found)
    return result


def _zero_grad(optimizer: Any, *args: Any, **kwargs: Any) -> None:
    for session in tuple(_watching):
        if session._thread == threading.get_ident():
            own = {id(p) for group in optimizer.param_groups for p in group["params"]}
            session._memory.used -= own
            session._memory.piled -= own
    _plain[Optimizer, "zero_grad"](optimizer, *args, **kwargs)


def _init(module: Any, *args: Any, **kwargs: Any) -> None:
    for session in _mine():
        session._on_module(type(module), args)
    _plain[Loss, "__init__"](module, *args, **kwargs)


_ENTRIES: list[tuple[type, str, Callable]] = [
    (Tensor, "backward", _backward),
    (Optimizer, "step", _step),
    (Optimizer, "zero_grad", _zero_grad),
    (Loss, "__init__", _init),
]


def _install() -> None:
    for owner, name, entry in _ENTRIES:
        _plain[owner, name] = vars(owner)[name]
        setattr(owner, name, functools.wraps(vars(owner)[name])(entry))


def _restore() -> None:
    for owner, name, _ in _ENTRIES:
        setattr(owner, name, _plain[owner, name])
