"""Kernels compiled on first use: serial and parallel twins, kept on disk.

``@kernel`` turns a loop over arrays into a :class:`Kernel`.  Nothing is compiled, and Numba is not
even imported, before the first call::

    @kernel(parallel=True, threshold=100_000)
    def _scale(x, y, factor):
        for i in prange(x.size):
            y[i] = factor * x[i]

    _scale(x, y, 2.0)              # the serial twin
    _scale.run(x.size, x, y, 2.0)  # the parallel twin if there are 100,000 elements or more

A kernel may call other kernels, and pairs of them (:class:`ByDtype`), under the global names of its
own module (``from ...math import exp``, not ``math.exp``).
"""

import functools
import importlib
import importlib.util
import os
import threading
import time
from collections.abc import Callable, Collection, Iterator
from types import CodeType, FunctionType
from typing import Any, Literal, overload

import numpy as np

from .cache import DiskCache

# In a kernel this name is `numba.prange`: parallel in the parallel twin, `range` in the serial one.
prange = range
_COMPILED = (np.dtype(np.float32), np.dtype(np.float64))

Twin = Literal["serial", "parallel", "inline"]

# After a product of matrices BLAS's threads keep their cores busy for a while, waiting for the next one. A
# parallel kernel then takes several times as long as a serial one, unless it is long itself (measured on two
# cores: cross entropy of 0.5 million logits 0.6 ms alone, 2.5 ms after a product, serial 1.2 ms).
_SPIN_SECONDS = 0.06
_LONG = 4_000_000
# From this many multiplications on BLAS uses its threads.
_THREADED_PRODUCT = 1_000_000
_spinning_until = 0.0

_building = threading.RLock()
_launching = threading.Lock()
_threads: int | None = None
_forked = False
_with_twins: list["Kernel"] = []  # those with a parallel twin, of which the serial one is made


def _after_fork() -> None:
    """GNU OpenMP dies if a forked child uses it, and locks may be held by threads that are gone."""
    global _building, _launching, _forked
    _building, _launching, _forked = threading.RLock(), threading.Lock(), True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@functools.cache
def _available_threads() -> int:
    limit = os.environ.get("NUMBA_NUM_THREADS", "")
    if limit.isdecimal() and int(limit) > 0:
        return int(limit)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def get_num_threads() -> int:
    """The number of threads that parallel kernels may use."""
    return _threads or _available_threads()


def set_num_threads(n: int) -> None:
    """Let parallel kernels use ``n`` threads; with 1 only serial kernels run.

    More threads than the machine had for this process at the start are never used.
    """
    global _threads
    if isinstance(n, bool) or not isinstance(n, int):
        raise TypeError(f"set_num_threads expects an int, but got {type(n).__name__}")
    if n < 1:
        raise RuntimeError(f"set_num_threads expects a positive integer, but got {n}")
    _threads = n


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Nothing: results do not depend on the number of threads in any case.

    Example:
        >>> import minigrad
        >>> minigrad.use_deterministic_algorithms(True)
    """


def note_product(multiplications: int) -> None:
    """Tell that a product of matrices has just been computed."""
    global _spinning_until
    if multiplications >= _THREADED_PRODUCT:
        _spinning_until = time.perf_counter() + _SPIN_SECONDS


class Kernel:
    """A function that Numba compiles when it is first called.

    Calling it runs the serial twin, and so does the attribute ``serial``, 0.12 us sooner; :meth:`run` chooses
    the twin by the amount of work.
    """

    def __init__(self, function: FunctionType, threshold: float, options: dict[str, Any]):
        self.__wrapped__ = function
        self.threshold = threshold
        self.options = options
        self.serial: Callable[..., Any] = self._first_serial
        self._parallel: Callable[..., Any] = self._first_parallel
        self._twins: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"<kernel {self.__wrapped__.__module__}.{self.__wrapped__.__qualname__}>"

    def __call__(self, *args: Any) -> Any:
        return self.serial(*args)

    def run(self, size: int, *args: Any) -> Any:
        """Run on ``args``: in parallel from ``threshold`` elements of work (``size``) on."""
        if size < self.threshold or _threads == 1 or _forked:
            return self.serial(*args)
        if size < _LONG and time.perf_counter() < _spinning_until:
            return self.serial(*args)
        return self.run_parallel(*args)

    def run_parallel(self, *args: Any) -> Any:
        """Run the parallel twin, or the serial one if another thread is in a parallel kernel."""
        # Numba's workqueue layer aborts the process when two Python threads launch at once.
        if not _launching.acquire(blocking=False):
            return self.serial(*args)
        try:
            if _threads is not None:  # Numba keeps the number per Python thread
                _numba().set_num_threads(min(_threads, _available_threads()))
            return self._parallel(*args)
        finally:
            _launching.release()

    def dispatcher(self, twin: Twin = "serial") -> Any:
        """The Numba dispatcher of one twin, made now if need be (to inspect or to link)."""
        with _building:
            if twin not in self._twins:
                self._twins[twin] = _build(self, twin)
                if twin == "serial" and self.threshold < float("inf"):
                    _with_twins.append(self)
            return self._twins[twin]

    def _first_serial(self, *args: Any) -> Any:
        self.serial = self.dispatcher()
        return self.serial(*args)

    def _first_parallel(self, *args: Any) -> Any:
        _start_threads()
        self._parallel = self.dispatcher("parallel")
        return self._parallel(*args)

    def specialise(self, name: str, **replacements: Any) -> "Kernel":
        """The same source under another name, with some of its global names bound anew.

        The kernels it calls are specialised with it if they use those names.  ``name`` must be
        unique in the module: compiled code is kept under it.
        """
        function = self.__wrapped__
        scope = {**function.__globals__, **replacements}
        for key, helper in self._helpers():
            if key not in replacements and helper.uses(replacements):
                scope[key] = helper.specialise(f"{name}_{key.lstrip('_')}", **replacements)
        return Kernel(_copy(function, name, scope), self.threshold, self.options)

    def _helpers(self) -> Iterator[tuple[str, "Kernel"]]:
        for name in set(_global_names(self.__wrapped__.__code__)):
            value = self.__wrapped__.__globals__.get(name)
            if isinstance(value, Kernel):
                yield name, value

    def uses(self, names: Collection[str]) -> bool:
        """Whether it, or a kernel it calls, mentions one of these global names."""
        return any(name in names for name in _global_names(self.__wrapped__.__code__)) or any(
            helper.uses(names) for _, helper in self._helpers()
        )


def compile_parallel_twins() -> None:
    """Compile the parallel twins of all kernels for the types that their serial ones are compiled for."""
    _start_threads()
    for kern in _with_twins:
        for types in kern.dispatcher().signatures:
            kern.dispatcher("parallel").compile(types)


class ByDtype:
    """A scalar helper of one argument with a kernel of its own for float32 and for float64.

    Other kernels call it as they call a kernel; the argument's width decides: 32 bits or 64.
    """

    def __init__(self, float32: Kernel, float64: Kernel):
        self.float32, self.float64 = float32, float64

    @functools.cached_property
    def stub(self) -> Callable[[Any], Any]:
        """What stands for this helper in the compiled code: a name that Numba resolves by type."""
        numba = _numba()
        float32, float64 = self.float32.dispatcher("inline"), self.float64.dispatcher("inline")

        def stub(x: Any) -> Any:
            raise NotImplementedError("only compiled code calls this")

        @numba.extending.overload(stub, strict=False, jit_options={"forceinline": True})
        def choose(x: Any) -> Callable[[Any], Any]:
            return (lambda x: float32(x)) if x.bitwidth == 32 else (lambda x: float64(x))

        return stub


class Native:
    """What kernels can call and Numba's language lacks; `make` gives it, from `numba`, at its first use.

    Other kernels call it as they call a kernel.
    """

    def __init__(self, make: Callable[[Any], Any]):
        self.make = make

    @functools.cached_property
    def stub(self) -> Any:
        """What stands for it in the compiled code."""
        return self.make(_numba())


@overload
def kernel(function: Callable[..., Any], /) -> Kernel: ...
@overload
def kernel(
    *, parallel: bool = ..., threshold: float = ..., fastmath: Any = ...
) -> Callable[[Callable[..., Any]], Kernel]: ...
def kernel(
    function: Any = None,
    /,
    *,
    parallel: bool = False,
    threshold: float = 0,
    fastmath: Any = None,
) -> Any:
    """Make a :class:`Kernel`, bare (``@kernel``) or with options.

    ``parallel`` gives it a parallel twin, which :meth:`Kernel.run` takes from ``threshold``
    elements on.  ``fastmath`` is ``{"contract"}`` unless given: ``reassoc`` lets sums vectorise
    but breaks compensated sums and rounding tricks.
    """

    def wrap(function: FunctionType) -> Kernel:
        flags = {"contract"} if fastmath is None else fastmath
        return Kernel(function, threshold if parallel else float("inf"), {"fastmath": flags})

    return wrap if function is None else wrap(function)


@functools.cache
def _numba() -> Any:
    """Numba, imported when the first kernel runs: it takes 0.2 s, and many uses need none."""
    return importlib.import_module("numba")


@functools.cache
def _put_off_scipy() -> None:
    """Have Numba import SciPy when a product is compiled, not to see at once whether it is there: 0.3 s."""
    linalg: Any = importlib.import_module("numba.np.linalg")
    if not hasattr(linalg, "ensure_blas"):  # it is none of Numba's public names
        return
    ensure_blas, linalg.ensure_blas = linalg.ensure_blas, lambda: None
    try:
        importlib.import_module("numba.np.arraymath")
    finally:
        linalg.ensure_blas = ensure_blas


@functools.cache
def _start_threads() -> None:
    """Start Numba's threads, and have them soon wait for work asleep.

    By default GNU OpenMP's threads spin after a kernel for longer than a scheduler's time slice; a
    matrix product that follows then waits for a core (measured on two cores: 8 ms instead of 1).
    Some turns are left, in which the next kernel finds them awake: with 1,000 the BCE of 262,144 logits and
    its gradient take 160 to 250 us, with 3,000 140 to 160, and a product right after a softmax no longer.
    It reads its settings once, when it is loaded.
    """
    wanted = {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"}.isdisjoint(os.environ)
    if wanted:
        os.environ["GOMP_SPINCOUNT"] = "3000"
    _numba().get_num_threads()
    if wanted:
        del os.environ["GOMP_SPINCOUNT"]


def _build(kern: Kernel, twin: Twin) -> Any:
    """A Numba dispatcher for one twin of ``kern``, with its helpers bound to theirs."""
    function = kern.__wrapped__
    scope = {"__name__": function.__module__}

    def prepare() -> None:
        if importlib.util.find_spec("scipy"):
            _put_off_scipy()
        for name in _global_names(function.__code__):
            if name in function.__globals__:
                scope[name] = _bind(function.__globals__[name])

    # Twins need names of their own: compiled code is kept under the name.
    name = function.__qualname__ + ("" if twin == "serial" else f"_{twin}")
    # What is called is always inlined, or the caller's loop does not vectorise.  Wrappers that
    # nobody calls are left out: they take a third of the time to compile.
    wrap = _numba().njit(
        nogil=True,
        error_model="numpy",
        parallel=twin == "parallel",
        forceinline=twin == "inline",
        no_cpython_wrapper=twin == "inline",
        no_cfunc_wrapper=True,
        **kern.options,
    )
    dispatcher = wrap(_copy(function, name, scope))
    dispatcher._cache = DiskCache(_numba(), dispatcher.py_func, prepare)
    return dispatcher


def _bind(value: Any) -> Any:
    if isinstance(value, Kernel):
        return value.dispatcher("inline")
    if isinstance(value, (ByDtype, Native)):
        return value.stub
    return _numba().prange if value is prange else value


def _global_names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _global_names(constant)


def _copy(function: FunctionType, name: str, scope: dict[str, Any]) -> FunctionType:
    code = function.__code__.replace(co_name=name, co_qualname=name)
    copy = FunctionType(code, scope, name, function.__defaults__)
    copy.__qualname__, copy.__module__ = name, function.__module__
    copy.__doc__ = function.__doc__
    return copy


def is_compiled_type(dtype: Any) -> bool:
    """Whether kernels are compiled for ``dtype``: float32 and float64 in native byte order."""
    return dtype in _COMPILED


def flat(x: Any) -> Any:
    """``x`` as a contiguous vector that a kernel takes: a view if possible, else a copy.

    A read-only or misaligned array is copied too, as each is a type of its own to Numba and would
    be compiled for once more.
    """
    return x.ravel() if x.flags.carray else x.flatten()
