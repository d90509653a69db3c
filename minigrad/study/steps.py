"""The data of a trace: steps, the groups they form, and the whole."""

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
    name: str  # what the user or the definition calls it, such as "logits" or "model.0.weight"; else v7, say
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
    # For each operand with a gradient: its place, and its cotangent rule as text and LaTeX, such as "ḡ · y".
    rules: list[tuple[int, str, str]] = field(default_factory=list)
    note: str = ""  # why a value or gradient is missing


@dataclass(frozen=True)
class Number:
    """An operand that is a plain number; nan where the tape did not keep it."""

    value: Any


@dataclass
class Group:
    """Steps that belong together: a fused operation opened into its definition, or a module."""

    key: str
    label: str  # "cross_entropy", "model.0"
    kind: str  # "fused", "function" (that a definition calls), or "module"
    parent: str | None = None
    result: int | None = None  # the step whose value is the group's
    words: str = ""  # what a function says of itself
    op: Any = None  # the fused operation
    values: Sequence[Any] = ()  # its arguments, in normal form
    value: ndarray | None = None  # what was computed, by the kernel if one ran
    cotangent: ndarray | None = None  # d result / d value
    # What it hands back to each argument with a gradient, by the argument's place: as the definition has it,
    # and as the kernel, if one ran.
    gradients: dict[int, ndarray] = field(default_factory=dict)
    kernel_gradients: dict[int, ndarray] | None = None


@dataclass
class Trace:
    """The steps in the order they ran; operands come before what is made of them."""

    steps: list[Step]
    result: int
    groups: dict[str, Group]
    notes: list[str] = field(default_factory=list)

    def outputs(self, key: str) -> list[int]:
        """The steps of a group whose values are used outside of it."""
        users = self.users()
        inside = [step.index for step in self.steps if key in step.group and step.kind != "input"]
        return [
            i for i in inside if i == self.result or any(key not in self.steps[u].group for u in users[i])
        ]

    def users(self) -> dict[int, list[int]]:
        """For each step the steps that use its value."""
        found: dict[int, list[int]] = {step.index: [] for step in self.steps}
        for step in self.steps:
            for operand in dict.fromkeys(o for o in step.operands if isinstance(o, int)):
                found[operand].append(step.index)
        return found
