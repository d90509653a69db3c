"""Whether a loss call is right: kernel against definition, central differences and torch."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.autograd.engine import grad
from minigrad.autograd.tape import Variable, enable_grad, no_grad
from minigrad.ops.softmax import log_softmax
from minigrad.study.trace import Group
from minigrad.study.words import say

# How far two ways to compute a gradient may be apart, relative to its largest element.
_TOLERANCE = {"float32": 2e-5, "float64": 1e-9, "float16": 2e-2}
_NUMERIC_TOLERANCE = 1e-5
_MOST_ELEMENTS = 12  # of each operand, that are checked by differences

# Losses whose gradient is stated for what comes before the input: torch's ctc_loss takes for granted that its
# log-probabilities come from a log_softmax, and so does ours.
_THROUGH: dict[str, Callable[[Any], Any]] = {"ctc_loss": lambda x: log_softmax(x, -1)}


@dataclass
class Check:
    """One comparison: how far apart, and where; `passed` is None where it could not be made."""

    name: str
    error: float = float("nan")  # the largest difference, relative to the largest element
    where: str = ""
    passed: bool | None = None
    note: str = ""

    def __str__(self) -> str:
        if self.passed is None:
            return f"{self.name}: {self.note}"
        sign = "✓" if self.passed else "✗"
        at = f" at {self.where}" if self.where and not (self.passed and self.error == 0) else ""
        return f"{self.name} {self.error:.1e}{at} {sign}" + (f" ({self.note})" if self.note else "")


def checks_of(group: Group, torch: bool = True, lang: str = "en") -> list[Check]:
    """The checks of a loss call.

    Args:
        group: the call, as a trace has it.
        torch: whether to compare with torch too, if it is installed. Its first import takes about a second.
        lang: "en" or "zh".

    Example:
        >>> from minigrad.study.checks import checks_of
        >>> import minigrad
        >>> from minigrad.study.trace import trace_of
        >>> x = minigrad.tensor([0.5, -1.0], requires_grad=True)
        >>> loss = minigrad.nn.BCEWithLogitsLoss()(x, minigrad.tensor([1.0, 1.0]))
        >>> group = next(iter(trace_of(loss).groups.values()))
        >>> [check.passed for check in checks_of(group, torch=False)]
        [True, True]
    """
    names = _names_of(group)
    found = [_kernel_check(group, names, lang), _numeric_check(group, names, lang)]
    return [*found, _torch_check(group, names, lang)] if torch else found


def _names_of(group: Group) -> list[str]:
    return list(group.op._places)


def _compare(name: str, pairs: Sequence[tuple[str, ndarray, ndarray]], tolerance: float) -> Check:
    """Hold the first array of each pair against the second."""
    worst = Check(name, 0.0, "", True)
    for label, a, b in pairs:
        a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
        if a.shape != b.shape:
            return Check(name, float("inf"), f"{label}: shapes {list(a.shape)} and {list(b.shape)}", False)
        if not a.size:
            continue
        with np.errstate(all="ignore"):
            apart = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b))
        apart = np.where(np.isnan(apart), np.inf, apart)
        finite = np.abs(b[np.isfinite(b)])
        scale = max(finite.max(initial=0.0), np.finfo(np.float32).tiny)
        place = np.unravel_index(int(apart.argmax()), apart.shape)
        error = float(apart[place] / scale)
        if error > worst.error or not worst.where:
            index = f"[{', '.join(str(int(i)) for i in place)}]" if place else ""
            worst = Check(name, error, f"{label}{index}", error <= tolerance)
    return worst


def _tolerance(group: Group) -> float:
    arrays = [value._array for value in group.values if isinstance(value, Variable)]
    kinds = [array.dtype.name for array in arrays if array.dtype.kind == "f"]
    return max((_TOLERANCE.get(kind, 2e-2) for kind in kinds), default=2e-5)


# ----------------------------------------------------------------------------------------- the kernel
def _kernel_check(group: Group, names: Sequence[str], lang: str) -> Check:
    name = say(lang, "kernel = definition")
    if group.kernel_gradients is None:
        return Check(name, note=say(lang, "no kernel for this call: the definition itself ran"))
    with no_grad():
        value = group.op.definition(*group.values)._array
    pairs = [] if group.value is None else [(say(lang, "the value"), group.value, value)]
    for place, gradient in group.kernel_gradients.items():
        defined = group.gradients.get(place)
        if defined is not None:
            pairs.append((names[place], gradient, defined))
    return _compare(name, pairs, _tolerance(group))


# --------------------------------------------------------------------------------- central differences
def _numeric_check(group: Group, names: Sequence[str], lang: str) -> Check:
    """The definition's gradients in float64 against differences of its values, element by element."""
    name = say(lang, "definition = central differences")
    values, cotangent = [_in_double(value) for value in group.values], group.cotangent
    places = list(group.gradients)
    if cotangent is None or not places:
        return Check(name, note=say(lang, "no gradient reaches the loss"))
    weight = values[places[0]]._result._wrap(np.asarray(cotangent, np.float64))
    leaves = [values[place].requires_grad_() for place in places]

    through = _THROUGH.get(group.op.__name__)

    def total() -> Any:
        given = values if through is None else [through(values[0]), *values[1:]]
        return (group.op.definition(*given) * weight).sum()

    with enable_grad():
        exact = grad(total(), leaves, allow_unused=True)
    pairs, kinks = [], 0
    for place, leaf, slope in zip(places, leaves, exact, strict=True):
        if slope is None:
            continue
        chosen = _chosen(slope._array)
        with no_grad():
            measured = [_difference(total, leaf._array, index) for index in chosen]
        kept = [(i, m) for i, m in zip(chosen, measured, strict=True) if m is not None]
        kinks += len(chosen) - len(kept)
        scale = np.abs(slope._array).max(initial=0.0)
        a, b = slope._array.copy(), slope._array.copy()
        for index, m in kept:
            b[index] = m
        if scale or any(abs(m) > 1e-7 for _, m in kept):
            pairs.append((names[place], b, a if scale else np.ones_like(a)))
    check = _compare(name, pairs, _NUMERIC_TOLERANCE)
    if kinks:
        check.note = say(lang, "{n} elements at a kink left out", n=kinks)
    return check


def _in_double(value: Any) -> Any:
    """A tensor of floating point in float64, on its own."""
    if not isinstance(value, Variable):
        return value
    array = value._array
    return value._result._wrap(array.astype(np.float64) if array.dtype.kind == "f" else array)


def _chosen(slope: ndarray) -> list[tuple[int, ...]]:
    """The elements to check: those with the largest gradients, and some between."""
    size = slope.size
    if size <= _MOST_ELEMENTS:
        flat = np.arange(size)
    else:
        half = _MOST_ELEMENTS // 2
        largest = np.argpartition(-np.abs(slope.reshape(-1)), half)[:half]
        flat = np.unique(np.concatenate([largest, np.linspace(0, size - 1, half).astype(int)]))
    return [tuple(int(i) for i in np.unravel_index(place, slope.shape)) for place in flat]


def _difference(total: Callable[[], Any], array: ndarray, index: tuple[int, ...]) -> float | None:
    """The slope of `total` by an element, by differences of fourth order; None at a kink."""
    start = array[index]
    if not np.isfinite(start):
        return None
    h = 2e-4 * max(1.0, abs(float(start)))

    def at(step: float) -> float:
        array[index] = start + step
        return float(total()._array)

    try:
        far, near = at(2 * h) - at(-2 * h), (up := at(h)) - (down := at(-h))
        middle = at(0.0)
    finally:
        array[index] = start
    slope = (8 * near - far) / (12 * h)
    if not np.isfinite(slope):
        return None
    # Where the slopes to both sides differ by more than a smooth curve's would, there is a kink.
    scale = abs(slope) + 1e-3
    bent = abs(far / (4 * h) - near / (2 * h)) > 1e-5 * scale
    sides = abs((up - middle) - (middle - down)) / h
    return None if bent and sides > 1e-2 * scale else slope


# ------------------------------------------------------------------------------------------------ torch
def _torch_check(group: Group, names: Sequence[str], lang: str) -> Check:
    name = "torch"
    try:
        torch = importlib.import_module("torch")
    except ImportError:
        return Check(name, note=say(lang, "not installed"))
    name = f"torch {torch.__version__.partition('+')[0]}"
    function = getattr(torch.nn.functional, group.op.__name__, None)
    if function is None:
        return Check(name, note=say(lang, "it has no such loss"))
    known = inspect.signature(function).parameters
    defaults = dict(zip(names, group.op._defaults, strict=True))
    arguments, leaves = {}, {}
    for place, (key, value) in enumerate(zip(names, group.values, strict=True)):
        if key not in known:
            if value is not None and value != defaults[key]:
                return Check(name, note=say(lang, "it has no option {option}", option=key))
            continue
        if isinstance(value, Variable):
            value = torch.tensor(value._array)
            if place in group.gradients:
                leaves[place] = value.requires_grad_()
        arguments[key] = value
    try:
        result = function(**arguments)
        if not result.requires_grad:
            return Check(name, note=say(lang, "it gives no gradient here"))
        result.backward(torch.tensor(group.cotangent, dtype=result.dtype))
    except (RuntimeError, ValueError, TypeError, IndexError, NotImplementedError) as error:
        return Check(name, note=say(lang, "it refuses this call: {error}", error=str(error).split("\n")[0]))
    pairs = [] if group.value is None else [(say(lang, "the value"), group.value, result.detach().numpy())]
    own = group.kernel_gradients or group.gradients
    for place, leaf in leaves.items():
        pairs.append((names[place], own[place], leaf.grad.numpy()))
    return _compare(name, pairs, max(_tolerance(group), 2e-5))
