"""`watch`: the first operation that makes a nan or an inf, found as it runs."""

from __future__ import annotations

import functools
import linecache
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.autograd.anomaly import array_of, is_finite, looking, site_of
from minigrad.autograd.fused import FusedNode, Relay
from minigrad.autograd.observe import Call, apart, observing
from minigrad.autograd.op import PrimitiveNode
from minigrad.autograd.site import user_frame
from minigrad.autograd.tape import Leaf, Node, Variable, _inside, current_node, mode, walk
from minigrad.nn.losses.base import warn_user
from minigrad.study import notation
from minigrad.study.findings import GIVEN, Finding, Operand, backward_help, forward_help
from minigrad.study.places import Paths, broadcast_index, index_text
from minigrad.study.replay import Replay, identity, names_in

# What hands a nan on without reckoning with it: a nan that was given may yet be filtered out.
_HANDS_ON = ("where", "masked_fill", "masked_fill_with", "cast", "clone", "nan_to_num", "overwrite", "filled")
_ACTIONS = ("raise", "warn", "record")
_PUBLIC = {"x": "input", "a": "input", "b": "other"}


class NonFiniteError(RuntimeError, FloatingPointError):
    """An operation made a nan or an inf; `finding` has what the message says."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


class NonFiniteWarning(RuntimeWarning):
    """An operation made a nan or an inf, under `watch(action="warn")`."""


# What tracebacks call them, which is where they are imported from.
NonFiniteError.__module__ = NonFiniteWarning.__module__ = "minigrad.study"


class watch:
    """A context, or a decorator, in which the first operation that makes a nan or an inf is named.

    Nothing is run twice: the operation is found as it runs, forward or backward, and with it the element, the
    operands there, the line of code, how many elements are bad, and what usually helps. A loss, or another
    fused operation, is opened by its definition, which names the inner step and the sample. An inf that was
    put in on purpose (a mask of -inf) and what is handed on from operands is not reported, save for a nan
    that was there before the first operation read it.

    Each result is read once more, and outside nothing is. Replays of compiled steps are not watched.

    Args:
        nan: look for nan.
        inf: look for inf.
        action: "raise" a `NonFiniteError`, "warn" with a `NonFiniteWarning`, or "record"; the last two go on,
            and report each line once. `findings` has what was found.

    Raises:
        ValueError: `action` is none of these, or there is nothing to look for.
        NonFiniteError: (inside) an operation made a nan or an inf. It is a RuntimeError and a
            FloatingPointError.

    Example:
        >>> import minigrad
        >>> from minigrad import study
        >>> with study.watch(action="record") as seen:
        ...     p = minigrad.tensor([0.5, 0.0, 1.0])
        ...     loss = -p.log().mean()
        >>> found = seen.findings[0]
        >>> found.op, found.kind, found.index, found.operands[0].name, found.operands[0].values.item()
        ('log', '-inf', (1,), 'p', 0.0)
    """

    def __new__(cls, function: Any = None, **options: Any) -> Any:
        self = object.__new__(cls)
        if callable(function):  # used as a bare decorator: @watch
            self.__init__()  # type: ignore[misc]
            return self(function)
        if function is not None:
            raise TypeError(
                f"watch() takes its options by name, but got {function!r}: watch(nan=True, inf=False)"
            )
        return self

    def __init__(self, *, nan: bool = True, inf: bool = True, action: str = "raise") -> None:
        if action not in _ACTIONS:
            raise ValueError(f"action must be one of {', '.join(map(repr, _ACTIONS))}, but got {action!r}")
        if not (nan or inf):
            raise ValueError("with nan=False and inf=False there is nothing to look for; give one of them")
        self.nan, self.inf, self.action = nan, inf, action
        self.findings: list[Finding] = []
        self._known: set[tuple] = set()
        self._open: list[tuple[observing, Any]] = []

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        again = functools.partial(watch, nan=self.nan, inf=self.inf, action=self.action)
        return _inside(again, function)

    def __enter__(self) -> watch:
        seeing = observing(self._see)
        seeing.__enter__()
        self._open.append((seeing, looking(True, lambda: self._see_backward)))
        return self

    def __exit__(self, *_: object) -> None:
        seeing, before = self._open.pop()
        looking(*before)
        seeing.__exit__()

    def __repr__(self) -> str:
        return f"<watch, {len(self.findings)} findings>"

    # --------------------------------------------------------------------------------------- forward
    def _see(self, call: Call) -> None:
        for result in call.result if isinstance(call.result, tuple) else (call.result,):
            if not isinstance(result, Variable) or _plainly_finite(result._array):
                continue
            if _in_a_walk():  # of create_graph=True, whose rules are looked at one by one
                return
            found = made_by(call, result._array, self.nan, self.inf)
            if found is not None:
                kind, made = found
                self._report(_forward_finding(call, result._array, kind, made, _names_here()))
            elif self.nan and not self._saw_nan() and (given := _given(call, result._array)) is not None:
                self._report(given)

    def _saw_nan(self) -> bool:
        return any(finding.kind == "nan" for finding in self.findings)

    # -------------------------------------------------------------------------------------- backward
    def _see_backward(self, node: Node, g: Any, gradients: Sequence[Any]) -> None:
        found = made_backward(node, g, gradients, self.nan, self.inf)
        if found is not None:
            self._report(_backward_finding(node, g, *found, _names_here(), self.nan, self.inf))

    # ---------------------------------------------------------------------------------------- report
    def _report(self, finding: Finding) -> None:
        key = (finding.phase, finding.op, finding.kind, finding.site)
        if key in self._known:
            return
        self._known.add(key)
        self.findings.append(finding)
        if self.action == "raise":
            raise NonFiniteError(finding)
        if self.action == "warn":
            warn_user(str(finding), NonFiniteWarning)


def _in_a_walk() -> bool:
    """Whether a gradient rule runs what is being observed, and not the user."""
    frame: Any = sys._getframe(1)
    outer = user_frame()
    while frame is not outer and frame.f_code is not walk.__code__:
        frame = frame.f_back
    return frame is not outer


def _plainly_finite(array: ndarray) -> bool:
    return array.dtype.kind != "f" or is_finite(array)


def made_by(call: Call, array: ndarray, nan: bool, inf: bool) -> tuple[str, ndarray] | None:
    """The kind of what a call made, and a mask of the elements; None if it made nothing of that."""
    paths = Paths(call.op, _operands_of(call), call.options, array.shape)
    if nan:
        made = np.isnan(array)
        made = made & ~paths.reach(np.isnan) if made.any() else made
        if made.any():
            return "nan", made
    if inf and not _asks_for_infinity(call.options):
        made = np.isinf(array)
        made = made & ~paths.reach(_not_finite) if made.any() else made
        if made.any():
            return ("inf" if array[made][0] > 0 else "-inf"), made
    return None


def _operands_of(call: Call) -> list[Any]:
    """The operands, and what else a fused operation was given: of tensors that are options, too."""
    if not hasattr(call.op, "definition"):
        return list(call.operands)
    return [*call.operands, *(value for value in call.options.values())]


def _not_finite(array: ndarray) -> ndarray:
    return ~np.isfinite(array)


def _asks_for_infinity(options: Mapping[str, Any]) -> bool:
    return any(isinstance(value, (float, np.floating)) and np.isinf(value) for value in options.values())


def _first(made: ndarray) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(int(made.argmax()), made.shape))


# ------------------------------------------------------------------------------------------- the names
def _names_here() -> dict[Any, str]:
    """What the variables of the functions that led here call tensors; the innermost has the first word."""
    found: dict[Any, str] = {}
    frame = user_frame()
    while frame is not None:
        for key, name in names_in(frame).items():
            found.setdefault(key, name)
        frame = frame.f_back
    return found


def _name_of(value: Any, names: Mapping[Any, str], fallback: str) -> str:
    if not isinstance(value, Variable):
        return fallback
    node = current_node(value)
    for key in (node, id(value)):
        if key is not None and key in names:
            return names[key]
    made = getattr(getattr(node, "op", None), "__name__", "").strip("_")
    return f"{made}(…)" if made else fallback


def _op_name(op: Any) -> str:
    name = (getattr(op, "__name__", "") or type(op).__name__.lower()).strip("_")
    return "linear" if name == "product" else name  # without a bias


def _parameter_names(op: Any, count: int) -> list[str]:
    if hasattr(op, "definition"):
        own = list(getattr(op, "_places", ()))
    else:
        own = [_PUBLIC.get(name, name) for name in getattr(op, "operands", ())]
    return [*own, *(f"operand {i}" for i in range(len(own), count))]


def _segment() -> str:
    """The expression that is being evaluated in the user's line, where Python knows it."""
    frame = user_frame()
    if frame is None:
        return ""
    positions = list(frame.f_code.co_positions())[frame.f_lasti // 2]
    first, last, start, end = positions
    if first != last or start is None or end is None:
        return ""
    line = linecache.getline(frame.f_code.co_filename, first or 0).encode()
    return line[start:end].decode(errors="ignore")


# ------------------------------------------------------------------------------------------- findings
def _forward_finding(
    call: Call, array: ndarray, kind: str, made: ndarray, names: Mapping[Any, str], inside: bool = False
) -> Finding:
    index = _first(made)
    values = _operands_of(call)
    paths = Paths(call.op, values, call.options, array.shape)
    labels = _parameter_names(call.op, len(values))
    leads = [lead for lead in paths.leads(index) if not hasattr(call.op, "definition") or lead.values.ndim]
    operands = [
        Operand(
            _name_of(values[lead.operand], names, labels[lead.operand]),
            index_text(lead.part or ()),
            lead.values,
        )
        for lead in leads
    ]
    finding = Finding(
        kind, "forward", _op_name(call.op), index, array.shape, int(made.sum()), operands, call.site
    )
    finding.help = forward_help(finding.op, [lead.values for lead in leads], kind, array.dtype)
    if not inside:
        finding.segment = _segment()
    if hasattr(call.op, "definition"):
        _open(finding, call, values, array)
    return finding


def _given(call: Call, array: ndarray) -> Finding | None:
    """A nan that an operation was given, and reckoned with."""
    values, opened = _operands_of(call), hasattr(call.op, "definition")
    if not opened and Paths(call.op, values, call.options, array.shape).kind == "whole":
        return None
    if _op_name(call.op) in _HANDS_ON or not np.isnan(array).any():
        return None
    for label, value in zip(_parameter_names(call.op, len(values)), values, strict=False):
        held = value._array if isinstance(value, Variable) else value
        if isinstance(held, ndarray) and held.dtype.kind == "f" and (bad := np.isnan(held)).any():
            index, count = _first(bad), int(bad.sum())
            finding = Finding("nan", "given", _op_name(call.op), index, held.shape, count, [], call.site)
            finding.segment, finding.help = _segment(), GIVEN
            finding.target = _name_of(value, _names_here(), label)
            return finding
    return None


# ----------------------------------------------------------------------- opening a fused operation
def _open(finding: Finding, call: Call, values: Sequence[Any], array: ndarray) -> None:
    """Find the step of the definition that made it, and the sample of a loss."""
    normal, replay, result = _replayed(call.op, values)
    finding.inner = _culprit(replay, result, finding.kind, normal, call.op)
    _show_rows(finding, values)
    if finding.inner is None and is_finite(result._array):
        finding.notes.append("Its definition, replayed, gives finite numbers: the kernel is less careful.")


def _replayed(op: Any, values: Sequence[Any], stands: Sequence[Any] | None = None) -> tuple[Any, Replay, Any]:
    """Run the definition on the arguments, in normal form, and watch it; `stands` take their place."""
    check = getattr(op, "check", None)
    with apart(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        normal = list(values)
        if stands is not None:
            normal = list(stands)
        elif check is not None:
            normal = list(check(*values))
        replay = Replay(op.definition)
        result = replay.run(op.definition, normal)
    return normal, replay, result


def _culprit(replay: Replay, result: Any, kind: str, normal: Sequence[Any], op: Any) -> Finding | None:
    """The step of a replay that made what the result has: from there back through what handed it on."""
    nan = kind == "nan"
    by_result = {id(r): call for call in replay.calls for r in _results(call)}
    parameters = _parameter_names(op, len(normal))
    names = {identity(v): n for n, v in zip(parameters, normal, strict=False) if isinstance(v, Variable)}
    names |= replay.names
    current: Any = result
    while (call := by_result.pop(id(current), None)) is not None:
        array = current._array
        made = made_by(call, array, nan, not nan) or made_by(call, array, True, True)
        if made is not None:
            return _forward_finding(call, array, *made, names, inside=True)
        bad = [v for v in _operands_of(call) if isinstance(v, Variable) and not _plainly_finite(v._array)]
        current = next((v for v in bad if nan == bool(np.isnan(v._array).any())), bad[0] if bad else None)
    return None


def _results(call: Call) -> Iterable[Variable]:
    results = call.result if isinstance(call.result, tuple) else (call.result,)
    return [result for result in results if isinstance(result, Variable)]


def _show_rows(finding: Finding, values: Sequence[Any]) -> None:
    """Where a step of a loss tells the sample, show that sample's rows of the arguments."""
    inner = finding.inner
    step = None if inner is None else inner.innermost
    first = next((v._array for v in values if isinstance(v, Variable) and v._array.ndim), None)
    if step is None or first is None or not step.index or step.shape[0] != first.shape[0]:
        return
    finding.sample = row = step.index[0]
    finding.operands = [
        Operand(operand.name, f"[{row}]", operand.values[row])
        if not operand.index and operand.values.ndim and operand.values.shape[0] == first.shape[0]
        else operand
        for operand in finding.operands
    ]


# ------------------------------------------------------------------------------------------- backward
def made_backward(
    node: Node, g: Any, gradients: Sequence[Any], nan: bool, inf: bool
) -> tuple[str, int, ndarray] | None:
    """The kind of what a rule made of its cotangent, for which operand, and a mask of the elements."""
    for place, gradient in enumerate(gradients):
        array = array_of(gradient)
        if array is None or _plainly_finite(array):
            continue
        given = [h for h in map(array_of, g if isinstance(g, list) else [g]) if h is not None]
        tests = (
            ("nan", nan, np.isnan, np.isnan, [*given, *_saved_by(node)]),
            ("inf", inf, np.isinf, _not_finite, given),
        )
        for kind, wanted, test, carried, before in tests:
            if not wanted or not (made := test(array)).any():
                continue
            for held in before:
                same = _is_pointwise(node) and held.shape == array.shape
                made = made & ~carried(held) if same else made & (not carried(held).any())
            if made.any():
                return ("-inf" if kind == "inf" and array[made][0] < 0 else kind), place, made
    return None


def _saved_by(node: Node) -> list[ndarray]:
    """The floating-point arrays that a node's rule reckons with beside the cotangent."""
    saved: list[Any] = []
    if isinstance(node, PrimitiveNode):
        saved = [*(node.arrays or ()), node.output]
    elif isinstance(node, FusedNode):
        saved = [value._array for value in node.values or () if isinstance(value, Variable)]
    return [held for held in saved if isinstance(held, ndarray) and held.dtype.kind == "f"]


def _is_pointwise(node: Node) -> bool:
    return isinstance(node, PrimitiveNode) and node.op.elementwise


def _backward_finding(
    node: Node, g: Any, kind: str, place: int, made: ndarray, names: Mapping[Any, str], nan: bool, inf: bool
) -> Finding:
    index = _first(made)
    site = site_of(node)
    finding = Finding(kind, "backward", node.name(), index, made.shape, int(made.sum()), [], site)
    if isinstance(node, PrimitiveNode):
        _describe_primitive(finding, node, g, place, names)
    elif isinstance(node, FusedNode) and node.values is not None:
        values = node.values
        labels = _parameter_names(node.op, len(values))
        own = [_name_of(value, names, label) for value, label in zip(values, labels, strict=True)]
        finding.target = own[node.op.wrt[place]]
        tensors = [(n, v._array) for n, v in zip(own, values, strict=True) if isinstance(v, Variable)]
        rows = made.shape[:1] if index else ()
        finding.operands = [
            Operand(n, f"[{index[0]}]", a[index[0]]) if rows and a.shape[:1] == rows else Operand(n, "", a)
            for n, a in tensors
        ]
        finding.inner = _inner_backward(node, g, nan, inf)
        finding.help = backward_help(_op_name(node.op), kind)
    else:
        finding.target = f"its operand {place}"
    return finding


def _describe_primitive(
    finding: Finding, node: PrimitiveNode, g: Any, place: int, names: Mapping[Any, str]
) -> None:
    """The rule, and what it was given at the element: cotangent, operands, result."""
    op = node.op
    labels = _parameter_names(op, len(node.edges))
    called = [_called(edge, names, label) for edge, label in zip(node.edges, labels, strict=True)]
    finding.target = called[place]
    finding.help = backward_help(op.__name__, finding.kind)
    rule = op.rules[0 if op.variadic else place]
    symbols = {"g": "ḡ", "y": "result", **dict(zip(op.operands, called, strict=False))}
    options = dict(zip(op.options, op.option_values(node.options), strict=True))
    finding.rule = f"d/d {called[place]} = {notation.rule(rule, symbols, options).text}, ḡ the cotangent"
    held = [
        ("cotangent", array_of(g)),
        *zip(called, node.arrays or (), strict=False),
        ("result", node.output),
    ]
    result_shape = np.shape(held[0][1])
    same = _is_pointwise(node) and result_shape == finding.shape
    for name, value in held:
        if value is None:
            continue
        array = np.asarray(value)
        if same and array.ndim and np.broadcast_shapes(array.shape, result_shape) == result_shape:
            at = broadcast_index(array.shape, finding.index)
            finding.operands.append(Operand(name, index_text(at), array[at]))
        else:
            finding.operands.append(Operand(name, "", array))


def _called(edge: Node | None, names: Mapping[Any, str], label: str) -> str:
    if edge in names:
        return names[edge]
    made = getattr(getattr(edge, "op", None), "__name__", "").strip("_")
    return f"{made}(…)" if made and not isinstance(edge, Leaf) else label


def _inner_backward(node: FusedNode, g: Any, nan: bool, inf: bool) -> Finding | None:
    """The first rule inside a definition that makes it: the definition replayed and walked."""
    assert node.values is not None
    stands = list(node.values)
    labels = _parameter_names(node.op, len(stands))
    names: dict[Any, str] = {}
    for place, edge in zip(node.op.wrt, node.edges, strict=True):
        if edge is not None:
            stand = Relay(edge)
            stands[place] = stands[place]._result._wrap(stands[place]._array, stand)
            names[stand] = labels[place]
    _, replay, result = _replayed(node.op, node.values, stands)
    names |= replay.names
    found: list[Finding] = []

    def look(inner: Node, cotangent: Any, gradients: Sequence[Any]) -> None:
        made = made_backward(inner, cotangent, gradients, nan, inf)
        if made is not None and not found:
            found.append(_backward_finding(inner, cotangent, *made, names, nan, inf))

    if result._node is None:
        return None
    before, enabled = mode.anomaly, mode.enabled
    mode.anomaly, mode.enabled = (lambda: look), False
    try:
        walk({result._node: array_of(g)}, targets=set(_relays(names)), retain_graph=True, wrap=lambda a: a)
    finally:
        mode.anomaly, mode.enabled = before, enabled
    return found[0] if found else None


def _relays(names: Mapping[Any, str]) -> Iterable[Node]:
    return [key for key in names if isinstance(key, Relay)]
