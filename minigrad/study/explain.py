"""`explain`: a loss, forward and backward, step by step, with its samples, its divisor and its checks."""

from __future__ import annotations

import inspect
import shutil
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from minigrad.autograd.site import user_frame
from minigrad.autograd.tape import Variable
from minigrad.nn.losses.base import LossFunction
from minigrad.study import document
from minigrad.study.checks import Check, checks_of
from minigrad.study.document import Block, Formula, Grid, Heading, Paragraph
from minigrad.study.notation import latex_text
from minigrad.study.numbers import short
from minigrad.study.samples import Table, divisor, sample_table
from minigrad.study.trace import Group, Step, Trace, names_in, trace_call, trace_of
from minigrad.study.words import LossWords, check_language, loss_words, say

_SHOWN_ROWS = 8


@dataclass
class LossCall:
    """What is to be said of one call of a loss."""

    group: Group
    words: LossWords
    table: Table
    divisor: str
    checks: list[Check]
    source: str

    @property
    def name(self) -> str:
        """The loss function's name."""
        return self.group.label


class Explanation:
    """A loss explained. Print it; or take its parts, or another form of it.

    Attributes:
        trace: the steps (`minigrad.study.trace.Trace`).
        losses: the loss calls among them, each with its `table`, `divisor`, `checks`, `words`, `source`.
    """

    def __init__(self, trace: Trace, losses: list[LossCall], lang: str, depth: int | None) -> None:
        self.trace = trace
        self.losses = losses
        self.lang = lang
        self.depth = depth
        self._outputs = {key: set(trace.outputs(key)) for key in trace.groups}

    # ---------------------------------------------------------------- the parts of the first loss call
    @property
    def table(self) -> Table:
        """The per-sample table of the (last) loss call; empty if there is none."""
        return self.losses[-1].table if self.losses else Table()

    @property
    def divisor(self) -> str:
        """What the reduction divides by, in words."""
        return self.losses[-1].divisor if self.losses else ""

    @property
    def gradient_formula(self) -> str:
        """The gradient of the loss, simplified; empty where none is known."""
        return self.losses[-1].words.gradient if self.losses else ""

    @property
    def checks(self) -> list[Check]:
        """The checks of all loss calls."""
        return [check for loss in self.losses for check in loss.checks]

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return all(check.passed is not False for check in self.checks)

    # --------------------------------------------------------------------------------------- the forms
    def to_text(self, width: int | None = None) -> str:
        """For a terminal, by default as wide as this one."""
        return document.to_text(
            self._blocks(), width or min(shutil.get_terminal_size((100, 24)).columns, 120)
        )

    def to_markdown(self) -> str:
        """As Markdown."""
        return document.to_markdown(self._blocks())

    def to_latex(self) -> str:
        """As LaTeX, for a document with amsmath and amssymb (and ctex, in Chinese)."""
        return document.to_latex(self._blocks())

    def to_html(self) -> str:
        """As a fragment of HTML that needs nothing else."""
        return document.to_html(self._blocks())

    def _repr_html_(self) -> str:
        return self.to_html()

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return self.to_text()

    # --------------------------------------------------------------------------------------- the parts
    def _say(self, sentence: str, **values: Any) -> str:
        return say(self.lang, sentence, **values)

    def _blocks(self) -> list[Block]:
        blocks: list[Block] = [Heading(self._title(), 1)]
        for loss in self.losses:
            blocks += self._about(loss)
        blocks += [Heading(self._say("Forward")), *self._forward()]
        blocks += [
            Heading(self._say("Backward")),
            Paragraph(self._say("ḡ is the gradient that arrives: that of the step's own value.")),
            *self._backward(),
        ]
        for loss in self.losses:
            blocks += self._of_samples(loss)
        blocks += [Paragraph(note, self._say("note")) for note in self._notes()]
        return blocks

    def _title(self) -> str:
        result = self.trace.steps[self.trace.result]
        whole = [loss.name for loss in self.losses if loss.group.result == result.index]
        name = whole[0] if whole else result.name
        if result.value is None or result.value.size != 1:
            return f"{name} {list(result.shape)}"
        return f"{name} = {short(result.value.item())}"

    def _about(self, loss: LossCall) -> list[Block]:
        words = loss.words
        parts = (("formula", words.summary), ("wants", words.wants), ("gradient", words.gradient))
        blocks: list[Block] = [Paragraph(text, self._say(label)) for label, text in parts if text]
        return [Heading(loss.name), *blocks] if len(self.losses) > 1 else blocks

    def _folded(self, step: Step) -> str | None:
        """The group that is shown in the place of a step: a function deeper than is asked for."""
        if self.depth is None:
            return None
        functions = [k for k in step.group if self.trace.groups[k].kind == "function"]
        return functions[self.depth] if len(functions) > self.depth else None

    def _forward(self) -> list[Block]:
        blocks: list[Block] = []
        inside, said = "", set[str]()
        for step in self.trace.steps:
            folded = self._folded(step)
            if folded is not None and step.index not in self._outputs[folded]:
                continue
            if inside != (inside := self._opened(step)) and inside:
                blocks.append(Heading(self._say("{name}, by its definition:", name=inside), 3))
            if folded is None:
                blocks.append(self._step(step, step.formula, step.latex))
            else:
                call = f"{self.trace.groups[folded].label}({', '.join(self._given_to(folded))})"
                words = self._say(self.trace.groups[folded].words)
                note = "" if words in said else words
                said.add(words)
                blocks.append(self._step(step, call, rf"\text{{{latex_text(call)}}}", note))
        return blocks

    def _given_to(self, key: str) -> list[str]:
        """The names of what comes into a group from outside."""
        steps = self.trace.steps
        inside = {step.index for step in steps if key in step.group}
        used = [o for i in sorted(inside) for o in steps[i].operands if isinstance(o, int)]
        return [steps[o].name for o in dict.fromkeys(used) if o not in inside]

    def _step(self, step: Step, formula: str, latex: str, note: str = "") -> Formula:
        name = self._latex_name(step)
        given = step.kind == "input"
        aside = f"{list(step.shape)} {step.dtype}".strip()
        return Formula(
            str(step.index),
            f"{step.name}  {self._say('given')}" if given else f"{step.name} = {formula}",
            name if given else f"{name} = {latex}",
            aside,
            step.value,
            self._say(step.note) if step.note else note,
            self._depth(step),
        )

    def _depth(self, step: Step) -> int:
        return int(step.kind != "input" and bool(self._opened(step)))

    def _opened(self, step: Step) -> str:
        """What the innermost fused operation that holds a step is called; empty if there is none."""
        keys = [key for key in step.group if self.trace.groups[key].kind == "fused"]
        return self.trace.groups[keys[-1]].label if keys and step.kind != "input" else ""

    def _latex_name(self, step: Step) -> str:
        from_letter = step.name[0] == "v" and step.name[1:].isdigit()
        return f"v_{{{step.name[1:]}}}" if from_letter else rf"\mathrm{{{latex_text(step.name)}}}"

    def _backward(self) -> list[Block]:
        """The gradients in the order in which backward finds them: results before operands."""
        users = self.trace.users()
        blocks: list[Block] = []
        for step in reversed(self.trace.steps):
            folded = self._folded(step)
            if step.gradient is None or (folded is not None and step.index not in self._outputs[folded]):
                continue
            text, latex = self._rule_for(step, users[step.index])
            blocks.append(
                Formula(
                    str(step.index),
                    f"d/d {step.name} = {text}",
                    rf"\frac{{\partial}}{{\partial {self._latex_name(step)}}} = {latex}",
                    str(list(step.shape)),
                    step.gradient,
                    depth=self._depth(step),
                )
            )
        return blocks

    def _rule_for(self, step: Step, users: Sequence[int]) -> tuple[str, str]:
        """How a step's gradient comes about: a term for each use of its value."""
        if step.index == self.trace.result:
            return "1", "1"
        texts, drawn = [], []
        for user in (self.trace.steps[u] for u in users):
            if user.gradient is None:
                continue
            folded = self._folded(user)
            outside = folded is not None and folded not in step.group
            terms = [
                (t, x) for place, t, x in user.rules if user.operands[place : place + 1] == (step.index,)
            ]
            if outside or not user.rules:
                label = self.trace.groups[folded].label if folded is not None and outside else user.op
                terms = [(f"{label}'(ḡ)", rf"\mathrm{{{latex_text(label)}}}'(\bar g)")]
            source = user.index
            if folded is not None and outside:  # shown by the last of its results that has a gradient
                source = max(i for i in self._outputs[folded] if self.trace.steps[i].gradient is not None)
            texts += [f"{text}  [{self._say('from step {n}', n=source)}]" for text, _ in terms]
            drawn += [latex for _, latex in terms]
        return "  +  ".join(dict.fromkeys(texts)) or "?", " + ".join(drawn) or "?"

    def _of_samples(self, loss: LossCall) -> list[Block]:
        table = loss.table
        blocks: list[Block] = [
            Heading(self._say("Per sample") + (f": {loss.name}" if len(self.losses) > 1 else ""))
        ]
        if table.rows:
            rows, left_out = table.rows[:_SHOWN_ROWS], ""
            if table.total > len(rows):
                left_out = self._say("… {n} more samples", n=f"{table.total - len(rows):,}")
            blocks.append(Grid(table.columns, rows, left_out))
        elif table.note:
            blocks.append(Paragraph(table.note))
        if loss.divisor:
            blocks.append(Paragraph(loss.divisor, self._say("divisor")))
        if loss.checks:
            blocks.append(Paragraph(" · ".join(map(str, loss.checks)), self._say("check")))
        return blocks

    def _notes(self) -> list[str]:
        notes = [self._say(note) for note in self.trace.notes]
        if not notes and any(step.value is None for step in self.trace.steps):
            notes.append(
                self._say(
                    "The tape keeps only what some derivative needs. Call explain(function, *arguments) to "
                    "see the other values too."
                )
            )
        return notes


def explain(
    loss: Any,
    *args: Any,
    lang: str = "en",
    depth: int | None = 0,
    torch: bool = True,
    **kwargs: Any,
) -> Explanation:
    """Explain a loss: the steps of its definition, forward and backward, with formulas and numbers.

    Fused operations are opened into their definitions. For each call of a loss there is a table of the
    samples, what the mean divides by, the simplified gradient, and a check: the kernel against the
    definition, the definition against central differences, and both against torch where that is installed.

    Args:
        loss: a tensor, before its backward; or a function (or module) to be called with `args` and `kwargs`,
            then no value is missing. Tensors of floating point among the arguments get gradients.
        lang: "en" or "zh".
        depth: how deep functions that a definition calls are opened: 0 shows each as one step, None all.
        torch: whether to check against torch too. Its first import takes about a second.

    Raises:
        TypeError: `loss` is neither a tensor nor callable, or the function gives no tensor.
        RuntimeError: the tensor has no graph. Where a backward has freed it, the explanation says so, and
            shows what is left.
        ValueError: an unknown language.

    Example:
        >>> import minigrad
        >>> from minigrad import study
        >>> logits = minigrad.tensor([[2.0, 1.0, 0.0], [0.0, 0.0, 1.0]], requires_grad=True)
        >>> loss = minigrad.nn.CrossEntropyLoss()(logits, minigrad.tensor([0, 2]))
        >>> explanation = study.explain(loss, torch=False)
        >>> explanation.divisor
        'mean divides by the number of samples that count = 2 of 2'
        >>> explanation.gradient_formula[:36]
        'softmax(x) - onehot(y), times the we'
        >>> print(explanation.to_text(60).splitlines()[0])
        cross_entropy = 0.4795
    """
    check_language(lang)
    if isinstance(loss, Variable):
        if args or kwargs:
            raise TypeError(
                "explain(loss) takes no arguments beside a tensor; give a function to call with them"
            )
        trace = trace_of(loss, names_in(user_frame()))
    elif callable(loss):
        trace = trace_call(loss, *args, **kwargs)[1]
    else:
        raise TypeError(
            f"explain expects a loss tensor, or a function and its arguments, but got {type(loss).__name__}. "
            "A number (from .item()) has no graph: pass the tensor itself."
        )
    losses = [
        LossCall(
            group,
            loss_words(group.op, lang),
            sample_table(group, lang),
            divisor(trace, group, lang),
            checks_of(group, torch, lang),
            source_of(group.op),
        )
        for group in _loss_calls(trace)
    ]
    return Explanation(trace, losses, lang, depth)


def _loss_calls(trace: Trace) -> list[Group]:
    """The loss calls of a trace, without those that a loss's own definition makes."""
    calls = {key: group for key, group in trace.groups.items() if isinstance(group.op, LossFunction)}

    def inside(key: str | None) -> bool:
        return key is not None and (key in calls or inside(trace.groups[key].parent))

    return [group for group in calls.values() if not inside(group.parent)]


def source_of(op: Any) -> str:
    """The body of a definition, without its docstring; empty where it cannot be read."""
    definition = inspect.unwrap(op.definition)
    try:
        text = textwrap.dedent(inspect.getsource(definition))
    except (OSError, TypeError):
        return ""
    words = definition.__doc__
    _, found, body = text.partition('"""' + words + '"""') if words else ("", "", "")
    return textwrap.dedent(body.strip("\n")) if found else ""
