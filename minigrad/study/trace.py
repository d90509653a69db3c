"""What a value was made of: the steps from inputs to result, with formulas, numbers and gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy import ndarray

from minigrad.autograd.site import UNKNOWN, Site


@dataclass
class Step:
    """One step of a trace: something given, or an operation on earlier steps."""

    index: int  # its place in `Trace.steps`
    kind: str  # "input" (a tensor that was given), "operation", or "opaque" (one that cannot be looked into)
    op: str  # the operation's name, such as "log_softmax"; "" of an input
    name: str  # what the user or the operation calls it, such as "logits" or "model.0.weight"; else v7, say
    operands: tuple[Any, ...]  # the indices of earlier steps (int), or numbers as `Number`
    options: dict[str, Any]
    shape: tuple[int, ...]
    dtype: str  # NumPy's name
    value: ndarray | None = None  # None where the tape did not keep it
    gradient: ndarray | None = None  # d result / d value; None where there is none
    group: tuple[str, ...] = ()  # keys of the groups that hold it, outermost first
    site: Site = UNKNOWN
    formula: str = ""  # "log_softmax(logits, dim=1)"
    latex: str = ""
    # For each operand with a gradient: its place, and its cotangent rule as text and LaTeX, such as "ḡ · exp(x)".
    rules: list[tuple[int, str, str]] = field(default_factory=list)
    note: str = ""  # why a value or gradient is missing


@dataclass(frozen=True)
class Number:
    """An operand that is a plain number."""

    value: float


@dataclass
class Group:
    """Steps that belong together: a fused operation opened into its definition, or a module."""

    key: str
    label: str  # "cross_entropy", "model.0 Linear"
    kind: str  # "fused" or "module"
    parent: str | None = None
    result: int | None = None  # the step whose value is the group's


@dataclass
class Trace:
    """The steps in the order they ran; operands come before what is made of them."""

    steps: list[Step]
    result: int
    groups: dict[str, Group]
    notes: Sequence[str] = ()
