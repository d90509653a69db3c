"""`compare`: one call in minigrad, torch, jax and autograd; values, gradients, differences and speed."""

from __future__ import annotations

import shutil
import statistics
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.autograd.tape import Variable
from minigrad.creation import as_tensor
from minigrad.nn.losses.base import LossFunction
from minigrad.study import document
from minigrad.study.calls import Arguments, Outcome, Step
from minigrad.study.carry import NoCounterpart
from minigrad.study.document import Block, Grid, Heading, Paragraph
from minigrad.study.numbers import short
from minigrad.study.peers import PEERS, Minigrad
from minigrad.study.places import index_text
from minigrad.study.trace import _named_arguments

_UNITS = 256  # in the last place, that values may be apart, relative to the largest
_ROUNDS, _TURN = 7, 0.008  # of timing; seconds of each library in a round
_WORDS = ("library", "of")  # columns
_STYLE = (
    ".mg-compare .mg :is(th,td){white-space:nowrap}"
    ".mg-compare .mg :is(th,td):nth-child(-n+2){text-align:left}"
)


@dataclass(frozen=True)
class Difference:
    """How far an array is from minigrad's."""

    relative: float  # the largest difference, relative to minigrad's largest element
    absolute: float
    index: tuple[int, ...]  # where it is largest
    ours: float
    theirs: float
    agrees: bool
    note: str = ""  # another shape or dtype


@dataclass
class Row:
    """What one library made of the call."""

    library: str
    version: str = ""
    value: ndarray | None = None
    gradients: dict[str, ndarray] = field(default_factory=dict)
    difference: Difference | None = None  # of the value, to minigrad's
    gradient_differences: dict[str, Difference] = field(default_factory=dict)
    error: str = ""  # what it raised, or why it was not run
    warnings: list[str] = field(default_factory=list)  # their first lines
    status: str = "ran"  # or "error", "no counterpart", "not installed"
    seconds: float | None = None  # forward and backward
    ratio: float | None = None  # to minigrad's time
    remark: str = ""  # on how it was timed

    @property
    def agrees(self) -> bool | None:
        """Whether value and gradients are minigrad's; None where they could not be compared."""
        if self.difference is None:
            return None
        return self.difference.agrees and all(d.agrees for d in self.gradient_differences.values())


@dataclass
class Comparison:
    """One call in several libraries. Print it; or take its rows, or another form of it.

    Attributes:
        rows: what each library made of it, minigrad first.
    """

    title: str
    rows: list[Row]
    wanted: list[str]
    timed: list[str]

    def __getitem__(self, library: str) -> Row:
        for row in self.rows:
            if row.library == library:
                return row
        raise KeyError(f"{library!r} was not asked for; there are {', '.join(r.library for r in self.rows)}")

    @property
    def agrees(self) -> bool:
        """Whether no library that ran gives other values or gradients."""
        return all(row.agrees is not False for row in self.rows)

    # --------------------------------------------------------------------------------------- the forms
    def to_text(self, width: int | None = None) -> str:
        """For a terminal, by default as wide as this one."""
        width = width or min(shutil.get_terminal_size((100, 24)).columns, 120)
        table, notes = self._blocks(full=width >= 100)[:2], self._notes()
        return "\n\n".join(document.to_text(part, width) for part in (table, notes) if part)

    def to_markdown(self) -> str:
        """As Markdown."""
        return document.to_markdown(self._blocks())

    def to_html(self) -> str:
        """As a fragment of HTML that needs nothing else."""
        return f'<div class="mg-compare"><style>{_STYLE}</style>{document.to_html(self._blocks())}</div>'

    def _repr_html_(self) -> str:
        return self.to_html()

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return self.to_text()

    # --------------------------------------------------------------------------------------- the parts
    def _blocks(self, full: bool = True) -> list[Block]:
        """The title, the table and the notes; in a narrow table only the relative differences."""
        lines = [line for row in self.rows for line in self._lines(row)]
        timed = any(row.seconds for row in self.rows)
        shown = [
            name
            for name in ("library", "of", "value", "relative", "absolute", "at", "time", "ratio")
            if (timed or name not in ("time", "ratio")) and (full or name != "absolute")
        ]
        # Numbers end at the right; words begin at the left.
        sizes = {name: max(len(line.get(name, "")) for line in [*lines, {name: name}]) for name in _WORDS}
        rows = [[line.get(name, "").ljust(sizes.get(name, 0)) for name in shown] for line in lines]
        columns = [name.ljust(sizes.get(name, 0)) for name in shown]
        return [Heading(self._title(), 1), Grid(columns, rows), *self._notes()]

    def _title(self) -> str:
        names = [f"{row.library} {row.version}".strip() for row in self.rows]
        return f"{self.title}: {names[0]}" + (f" against {', '.join(names[1:])}" if names[1:] else "")

    def _lines(self, row: Row) -> list[dict[str, str]]:
        """The cells of a library's lines: the value, then each gradient."""
        if row.value is None:
            return [{"library": row.library, "of": row.status}]
        first = {"library": row.library, "of": "value", "value": _shown(row.value), **_cells(row.difference)}
        if row.seconds is not None:
            first["time"] = _time(row.seconds)
            first["ratio"] = "" if row.ratio is None else f"{row.ratio:.2f}"
        lines = [first]
        for name in self.wanted:
            if name in row.gradients:
                cells = _cells(row.gradient_differences.get(name))
                lines.append({"of": f"d {name}", "value": _shown(row.gradients[name]), **cells})
        return lines

    def _notes(self) -> list[Block]:
        blocks: list[Block] = []
        for row in self.rows:
            if row.error:
                blocks.append(Paragraph(row.error, row.library))
            blocks += [Paragraph(f"warns: {text}", row.library) for text in row.warnings]
            found = {"value": row.difference, **{f"d {n}": d for n, d in row.gradient_differences.items()}}
            for name, apart in found.items():
                if apart is not None and not apart.agrees:
                    blocks.append(Paragraph(_apart(name, apart), row.library))
        if any(row.value is not None and row.value.ndim for row in self.rows) and self.wanted:
            blocks.append(Paragraph("of the sum of the values times fixed normal numbers", "d"))
        if any(row.seconds for row in self.rows):
            blocks.append(Paragraph(self._about_time(), "time"))
        if len(self.rows) > 1 and all(row.status == "not installed" for row in self.rows[1:]):
            installs = [PEERS[row.library].install.removeprefix("pip install ") for row in self.rows[1:]]
            blocks.append(Paragraph(f"No library to compare with. Type: pip install {' '.join(installs)}"))
        return blocks

    def _about_time(self) -> str:
        what = f"forward and backward, by {' and '.join(self.timed)}" if self.timed else "forward"
        remarks = "".join(f"; {row.library} {row.remark}" for row in self.rows if row.remark)
        ratio = " The ratio is to minigrad's time." if any(row.ratio for row in self.rows[1:]) else ""
        return f"{what}; medians of {_ROUNDS} interleaved rounds{remarks}.{ratio}"


def _shown(array: ndarray) -> str:
    return short(array.item()) if array.size == 1 and not array.ndim else str(list(array.shape))


def _cells(apart: Difference | None) -> dict[str, str]:
    if apart is None:
        return {}
    if apart.note:
        return {"relative": "✗"}
    sign = "✓" if apart.agrees else "✗"
    found = {"relative": f"{_size(apart.relative)} {sign}", "absolute": _size(apart.absolute)}
    return {**found, "at": index_text(apart.index) if apart.absolute else ""}


def _size(apart: float) -> str:
    return f"{apart:.1e}" if apart else "0"


def _apart(name: str, apart: Difference) -> str:
    if apart.note:
        return f"{name}: {apart.note}"
    return f"{name}{index_text(apart.index)} is {apart.theirs:.7g}, in minigrad {apart.ours:.7g}"


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.0f} ns"


def difference(theirs: ndarray, ours: ndarray, tolerance: float | None = None) -> Difference:
    """How far an array is from ours. Of nan both must have the same places, and of infinities.

    Example:
        >>> import numpy as np
        >>> from minigrad.study.compare import difference
        >>> difference(np.array([1.0, 2.5]), np.array([1.0, 2.0])).relative
        0.25
    """
    if theirs.shape != ours.shape:
        note = f"shape {list(theirs.shape)}, in minigrad {list(ours.shape)}"
        return Difference(np.inf, np.inf, (), np.nan, np.nan, False, note)
    if theirs.dtype != ours.dtype:
        note = f"dtype {theirs.dtype.name}, in minigrad {ours.dtype.name}"
        return Difference(np.inf, np.inf, (), np.nan, np.nan, False, note)
    if not ours.size:
        return Difference(0.0, 0.0, (), np.nan, np.nan, True)
    a, b = theirs.astype(np.float64), ours.astype(np.float64)
    with np.errstate(all="ignore"):
        apart = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b))
    apart = np.where(np.isnan(apart), np.inf, apart)
    index = tuple(int(i) for i in np.unravel_index(int(apart.argmax()), apart.shape))
    largest = np.abs(b[np.isfinite(b)]).max(initial=0.0)
    absolute = float(apart[index])
    relative = absolute / max(float(largest), 1e-30) if absolute else 0.0
    eps = float(np.finfo(ours.dtype).eps) if ours.dtype.kind == "f" else 0.0
    agrees = relative <= (_UNITS * eps if tolerance is None else tolerance)
    return Difference(relative, absolute, index, float(b[index]), float(a[index]), agrees)


# ---------------------------------------------------------------------------------------- the comparison
def compare(
    fn: Callable[..., Any],
    *inputs: Any,
    libraries: Sequence[str] = tuple(PEERS),
    counterparts: Mapping[str, Callable[..., Any]] | None = None,
    speed: bool = True,
    tolerance: float | None = None,
    **options: Any,
) -> Comparison:
    """Run the same call in minigrad, torch, jax and autograd, as far as they are installed.

    For torch the code of `fn` is run with torch's names in the place of minigrad's, as if its file had
    another import; modules are rebuilt from their options and their state. For jax (with optax for the
    losses) and autograd the functions with a counterpart there are carried over, and methods of tensors
    likewise; where there is none the row says so. Gradients are those of 1 for a number, else of fixed
    normal numbers.

    Args:
        fn: a function or module of minigrad's, or a function or module of yours made of them.
        inputs: arrays, tensors or lists, the same numbers for all; what is none is passed on as it is. The
            gradients are of the tensors with `requires_grad`, else of all of floating point.
        libraries: which of "torch", "jax" and "autograd" to run.
        counterparts: functions to run in the place of what would be carried over, by library. They are called
            with the library's own arrays.
        speed: whether to time it: forward and backward, in turns, medians. Of a loss the gradient of the
            input is timed, not of the target.
        tolerance: how far apart values may be, relative to the largest; by default 256 units in the last
            place.
        options: passed to `fn` by name; arrays among them are inputs too.

    Raises:
        TypeError: `fn` is not callable.
        ValueError: a library that is not known.

    Example:
        >>> import minigrad
        >>> from minigrad import study
        >>> x, y = minigrad.tensor([0.5, 2.0], requires_grad=True), minigrad.tensor([0.0, 0.0])
        >>> found = study.compare(minigrad.nn.functional.huber_loss, x, y, libraries=(), speed=False)
        >>> found.rows[0].value.item(), found.rows[0].gradients["input"].tolist()
        (0.8125, [0.25, 0.5])
    """
    if not callable(fn):
        raise TypeError(
            f"compare expects a function or module and its inputs, but got {type(fn).__name__}. Give the "
            "call itself, compare(fn, x, y), not its result."
        )
    unknown = [name for name in libraries if name not in PEERS]
    if unknown:
        raise ValueError(f"unknown library {unknown[0]!r}; there are {', '.join(map(repr, PEERS))}")
    arguments = _arguments(fn, inputs, options)
    runs = [_run(Minigrad, fn, arguments, None)]
    runs += [_run(PEERS[name], fn, arguments, (counterparts or {}).get(name)) for name in libraries]
    rows = [run.row for run in runs]
    for row in rows[1:]:
        _compare(row, rows[0], tolerance)
    if speed:
        _time_all(runs, arguments)
    return Comparison(_name(fn), rows, arguments.wanted, arguments.timed)


def _name(fn: Any) -> str:
    return str(getattr(fn, "__name__", type(fn).__name__)).strip("_").replace("<lambda>", "lambda")


def _arguments(fn: Any, inputs: Sequence[Any], options: Mapping[str, Any]) -> Arguments:
    named = _named_arguments(fn, inputs, options)
    values = {name: _as_array(value) for name, value in named.items()}
    floats = [n for n, v in values.items() if isinstance(v, ndarray) and v.dtype.kind == "f"]
    asked = [n for n in floats if isinstance(named[n], Variable) and named[n].requires_grad]
    wanted = asked or floats
    fused = getattr(fn, "fn", fn)
    timed = wanted
    if isinstance(fused, LossFunction):
        timed = [n for n in wanted if n in [list(fused._places)[i] for i in fused.wrt]] or wanted
    return Arguments(values, frozenset(options), wanted, timed)


def _as_array(value: Any) -> Any:
    """The numbers of a tensor of any library, an array or a list of numbers; else the value itself."""
    if isinstance(value, Variable):
        return value._array.copy()
    if isinstance(value, list):
        return as_tensor(value)._array
    if isinstance(value, (ndarray, np.generic)):
        return np.array(value)
    if hasattr(value, "detach") or hasattr(value, "__array__"):
        return np.array(value.detach() if hasattr(value, "detach") else value)
    return value


@dataclass
class _Ran:
    """A library's row, and what is needed to time it."""

    row: Row
    peer: Any = None
    function: Any = None
    outcome: Outcome | None = None


def _run(kind: Any, fn: Any, arguments: Arguments, own: Callable[..., Any] | None) -> _Ran:
    row = Row(kind.name)
    try:
        peer = kind()
    except ImportError:
        row.status, row.error = "not installed", f"not installed: {kind.install}"
        return _Ran(row)
    row.version = peer.version
    try:
        function = peer.carried(fn) if own is None else peer.adopted(own)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            outcome = peer.run(function, arguments)
        row.warnings = list(dict.fromkeys(str(w.message).splitlines()[0] for w in told))
    except NoCounterpart as error:
        row.status, row.error = "no counterpart", f"no counterpart for {error}"
        return _Ran(row, peer)
    except Exception as error:  # whatever a library raises is its answer
        row.status, row.error = "error", f"{type(error).__name__}: {str(error).strip()}"
        return _Ran(row, peer)
    row.value, row.gradients = outcome.value, outcome.gradients
    return _Ran(row, peer, function, outcome)


def _compare(row: Row, ours: Row, tolerance: float | None) -> None:
    if row.value is None or ours.value is None:
        return
    row.difference = difference(row.value, ours.value, tolerance)
    for name in dict.fromkeys((*ours.gradients, *row.gradients)):
        if name not in row.gradients or name not in ours.gradients:
            lacking = row.library if name not in row.gradients else "minigrad"
            note = f"{lacking} gives no gradient"
            apart = Difference(np.inf, np.inf, (), np.nan, np.nan, False, note)
        else:
            apart = difference(row.gradients[name], ours.gradients[name], tolerance)
        row.gradient_differences[name] = apart


# ------------------------------------------------------------------------------------------------ time
def _time_all(runs: Sequence[_Ran], arguments: Arguments) -> None:
    """Time all in turns: what slows the machine down slows all of a round."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _time_in_turns(runs, arguments)


def _time_in_turns(runs: Sequence[_Ran], arguments: Arguments) -> None:
    sides: list[tuple[_Ran, Step, int]] = []
    for run in runs:
        if run.outcome is None:
            continue
        try:
            step = run.peer.step(run.function, arguments, run.outcome)
            sides.append((run, step, _repeats(run.peer, step)))
        except Exception as error:  # such as what jax.jit cannot compile
            run.row.error = f"not timed: {type(error).__name__}: {str(error).strip().splitlines()[0]}"
    rounds = [[_turn(run.peer, step, count) for run, step, count in sides] for _ in range(_ROUNDS)]
    for place, (run, _, _) in enumerate(sides):
        run.row.remark = run.peer.remark
        run.row.seconds = statistics.median(times[place] for times in rounds)
        if sides[0][0].row.library == "minigrad":
            run.row.ratio = statistics.median(times[place] / times[0] for times in rounds)


def _repeats(peer: Any, step: Step) -> int:
    """How often a step is to be run in a turn; it is warm then."""
    once = min(_turn(peer, step, 1) for _ in range(3))
    return max(1, min(2000, int(_TURN / max(once, 1e-7))))


def _turn(peer: Any, step: Step, count: int) -> float:
    with peer.turn():
        step()  # whatever others left in the caches, and their threads to fall asleep
        begin = time.perf_counter()
        for _ in range(count):
            step()
        return (time.perf_counter() - begin) / count
