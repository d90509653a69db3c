"""What `watch` has to say of a nan or an inf: where it was made, of what, and what usually helps."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.autograd.site import UNKNOWN, Site

_SHOWN = 8  # elements of a slice that are written out
_WIDTH = 79


@dataclass(frozen=True)
class Operand:
    """What an operation was given at the place in question."""

    name: str  # the user's, or the operation's, or the definition's
    index: str  # "[2, :]", empty for all of it
    values: ndarray


@dataclass
class Finding:
    """One operation, or one gradient rule, that made a nan or an inf."""

    kind: str  # "nan", "inf" or "-inf"
    phase: str  # "forward", "backward", or "given": a nan that was there before
    op: str
    index: tuple[int, ...]  # of the first bad element in the result, or in the gradient
    shape: tuple[int, ...]
    count: int  # of the elements that are bad
    operands: list[Operand]
    site: Site = UNKNOWN
    segment: str = ""  # the expression in the line
    rule: str = ""  # the gradient rule
    target: str = ""  # what the gradient is of
    help: str = ""
    sample: int | None = None  # of a loss
    inner: Finding | None = None  # the step of the operation's definition that made it
    notes: list[str] = field(default_factory=list)

    @property
    def innermost(self) -> Finding:
        """The step that made it, in the definition of the definition if need be."""
        return self if self.inner is None else self.inner.innermost

    def __str__(self) -> str:
        what, where = self._headline()  # apart, as a traceback puts the exception's name before the first
        lines = [f"{what},", *_wrapped(f"{where}."), *self._place(), *self._rule(), *_table(self.operands)]
        inner = self.inner
        while inner is not None:
            lines += _wrapped(f"In its definition {', '.join(inner._headline())}:")
            lines += [*inner._rule(), *_table(inner.operands)]
            inner = inner.inner
        words = [*self.notes, *filter(None, [self.innermost.help or self.help])]
        return "\n".join([*lines, *(part for text in words for part in _wrapped(text))])

    def _headline(self) -> tuple[str, str]:
        """What happened, and in which element."""
        total = math.prod(self.shape)
        at = f"at element {list(self.index)} of " if self.index else "as "
        shape = f"shape {list(self.shape)}" if self.shape else "a number"
        shape += f", {self.count} of {total} {self.kind}" if total > 1 else ""
        if self.phase == "given":
            return f"{self.target} was nan before {self.op} read it", f"{at}{self.target} ({shape})"
        if self.phase == "backward":
            cotangent = "a cotangent without nan" if self.kind == "nan" else "a finite cotangent"
            what = f"{self.op}, in backward, gave {self.kind} for {cotangent}"
            return what, f"{at}the gradient of {self.target} ({shape})"
        operands = "operands without nan" if self.kind == "nan" else "finite operands"
        sample = "" if self.sample is None else f", by sample {self.sample}"
        return f"{self.op} gave {self.kind} for {operands}", f"{at}its result ({shape}){sample}"

    def _place(self) -> list[str]:
        if not self.site.line:
            return ["    (a line that is not known: it ran before watch() was entered)"]
        text = self.site.text
        lines = [f"    {self.site.file}:{self.site.line}", *([f"        {text}"] if text else [])]
        at = text.find(self.segment) if self.segment else -1
        if at >= 0 and self.segment != text:
            lines.append(" " * (8 + at) + "^" * len(self.segment))
        return lines

    def _rule(self) -> list[str]:
        return [f"    rule: {self.rule}"] if self.rule else []


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _table(operands: Sequence[Operand]) -> list[str]:
    labels = [operand.name + operand.index for operand in operands]
    width = max(map(len, labels), default=0)
    lines = [
        f"    {label:<{width}}  {values_text(operand.values)}"
        for label, operand in zip(labels, operands, strict=True)
    ]
    return list(dict.fromkeys(lines))  # of x * x the operand counts once


def values_text(values: ndarray) -> str:
    """A number, a few numbers, or what many are like.

    Example:
        >>> import numpy as np
        >>> from minigrad.study.findings import values_text
        >>> values_text(np.array([0.5, 1.0])), values_text(np.zeros((10, 10)))
        ('[0.5, 1]', 'shape [10, 10], from 0 to 0')
    """
    if values.ndim == 0:
        return _number(values.item())
    if values.size <= _SHOWN and values.ndim == 1:
        return "[" + ", ".join(_number(value) for value in values.tolist()) + "]"
    text = f"shape {list(values.shape)}"
    if not values.size:
        return text + ", empty"
    if values.dtype.kind == "f":
        bad = ~np.isfinite(values)
        finite = values[~bad]
        counts = [(f"{int(c)} nan" if n else f"{int(c)} inf") for n, c in _counts(values) if c]
        span = [f"from {_number(finite.min())} to {_number(finite.max())}"] if finite.size else []
        return ", ".join([text, *span, *counts])
    return f"{text}, from {_number(values.min())} to {_number(values.max())}"


def _counts(values: ndarray) -> list[tuple[bool, Any]]:
    return [(True, np.isnan(values).sum()), (False, np.isinf(values).sum())]


def _number(value: Any) -> str:
    return str(value) if isinstance(value, (bool, int, np.bool_)) else f"{float(value):g}"


# ------------------------------------------------------------------------------------- what usually helps
_FROM_LOGITS = (
    "Better, start from the logits: log_softmax, CrossEntropyLoss and BCEWithLogitsLoss never take log of 0."
)
_EXPLODES = (
    "The values explode. Lower the learning rate, clip gradients (nn.utils.clip_grad_norm_) or normalise."
)


def forward_help(op: str, values: Sequence[ndarray], kind: str, dtype: Any) -> str:
    """What usually helps against what an operation made of these operands at one place."""
    known = _FORWARD.get(op)
    first = values[0] if values else np.zeros(0)
    if known is not None:
        said = known(first, values[1] if len(values) > 1 else first, kind)
        if said:
            return str(said)
    if not first.size and kind == "nan":
        return f"{op} of no elements is 0/0. Check that the batch or the mask is not empty."
    infinite = [value for value in values if value.dtype.kind == "f" and np.isinf(value).any()]
    if infinite:
        return "An infinite operand turned into nan: inf - inf, 0 * inf and inf / inf are nan."
    if kind != "nan" and dtype.kind == "f":
        return f"The result is beyond {dtype.name}, which ends at {np.finfo(dtype).max:.2g}. {_EXPLODES}"
    return ""


def _of_log(x: ndarray, _: ndarray, kind: str) -> str:
    if (x < 0).any():
        return "log of a negative number is nan. Check what gives it, or clamp it: x.clamp(min=1e-12).log()."
    return f"log of 0 is -inf. Keep the argument above 0: x.clamp(min=1e-12).log(). {_FROM_LOGITS}"


def _of_xlogy(x: ndarray, y: ndarray, kind: str) -> str:
    return _of_log(y, y, kind)


def _of_exp(x: ndarray, _: ndarray, kind: str) -> str:
    limit = math.log(float(np.finfo(x.dtype).max)) if x.dtype.kind == "f" else 88.7
    return (
        f"exp overflows {x.dtype.name} above {limit:.4g}. Subtract the largest value first, or use the "
        "stable form: softmax, log_softmax, logsumexp, softplus, BCEWithLogitsLoss."
    )


def _of_root(x: ndarray, _: ndarray, kind: str) -> str:
    if kind == "nan":
        return (
            "The square root of a negative number is nan; rounding can turn a 0 negative. Use "
            "x.clamp(min=0).sqrt()."
        )
    return "1 / sqrt(0) is inf. Add a small number under the root: (x + 1e-12).rsqrt()."


def _of_div(a: ndarray, b: ndarray, kind: str) -> str:
    if not (b == 0).any():
        return ""
    if kind == "nan":
        return (
            "0 / 0 is nan. Keep the divisor off 0, b.clamp(min=1e-12), or skip what is empty: a mean over "
            "nothing, such as a batch whose targets are all ignored, has no value."
        )
    return (
        "This divides by 0. Keep the divisor off 0, a / b.clamp(min=1e-12) or a / (b + 1e-12); for the mean "
        "over a mask count.clamp(min=1)."
    )


def _of_pow(x: ndarray, exponent: ndarray, kind: str) -> str:
    if (x < 0).any() and kind == "nan":
        return "A negative number to a fractional power is nan. Use x.abs().pow(p) or x.clamp(min=0).pow(p)."
    if (x == 0).any():
        return "0 to a negative power is inf. Keep the base off 0: x.clamp(min=1e-12)."
    return ""


def _of_softmax(x: ndarray, _: ndarray, kind: str) -> str:
    if x.size and np.isneginf(x).all():
        return (
            "All of the slice is -inf: a mask that hides everything leaves nothing to share out. Leave one "
            "place open in each row at least, or mask with a large negative number such as -1e9."
        )
    return "softmax of an inf is nan: inf - inf. Look for what made the inf." if np.isinf(x).any() else ""


def _of_arc(x: ndarray, _: ndarray, kind: str) -> str:
    return "It is defined on [-1, 1]; rounding can step out. Use x.clamp(-1 + 1e-7, 1 - 1e-7)."


def _of_ctc(x: ndarray, _: ndarray, kind: str) -> str:
    return (
        "No alignment leads to some target: it is longer, repeats counted twice, than its input. Leave such "
        "samples out, or type zero_infinity=True."
        if kind == "inf"
        else ""
    )


def _of_cast(x: ndarray, _: ndarray, kind: str) -> str:
    return "The number does not fit the narrower dtype. Scale it down first, or stay with the wider one."


_FORWARD: dict[str, Any] = {
    **dict.fromkeys(("log", "log2", "log10", "log1p"), _of_log),
    **dict.fromkeys(("xlogy", "xlog1py"), _of_xlogy),
    **dict.fromkeys(("exp", "exp2", "expm1", "sinh", "cosh"), _of_exp),
    **dict.fromkeys(("sqrt", "rsqrt"), _of_root),
    **dict.fromkeys(("div", "remainder", "fmod", "floor_divide", "div_floor", "div_trunc"), _of_div),
    **dict.fromkeys(("softmax", "log_softmax", "logsumexp"), _of_softmax),
    **dict.fromkeys(("acos", "asin", "atanh", "erfinv"), _of_arc),
    "reciprocal": lambda x, _, kind: _of_div(x, x, kind),
    "pow": _of_pow,
    "cast": _of_cast,
    "ctc_loss": _of_ctc,
}

_BACKWARD = {
    "sqrt": "The slope of sqrt at 0 is infinite. Add a small number under the root: (x + 1e-12).sqrt().",
    "norm": "The slope of a norm at 0 is not defined. Add a small number: (x.square().sum() + 1e-12).sqrt().",
    "pow": "The slope p · x^(p-1) is infinite at 0 for p < 1. Keep the base off 0: (x + 1e-12).pow(p).",
    "log": "The slope 1/x of log at 0 is infinite. Keep the argument above 0: x.clamp(min=1e-12).log(). "
    + _FROM_LOGITS,
    "div": "The slopes of a / b are 1/b and -a/b². Keep the divisor off 0: b.clamp(min=1e-12).",
    "reciprocal": "The slope of 1/x is -1/x². Keep x off 0: x.clamp(min=1e-12).",
    "rsqrt": "The slope of rsqrt at 0 is infinite. Add a small number under the root: (x + 1e-12).rsqrt().",
    "acos": "The slope at -1 and 1 is infinite. Use x.clamp(-1 + 1e-7, 1 - 1e-7).",
    "std": "The slope of std is not defined where all values are equal. Add a small number to the variance: "
    "(x.var() + 1e-12).sqrt().",
}
_BACKWARD["asin"] = _BACKWARD["acos"]
_BACKWARD["log2"] = _BACKWARD["log10"] = _BACKWARD["log"]


def backward_help(op: str, kind: str) -> str:
    """What usually helps against a gradient rule that made this."""
    return _BACKWARD.get(op, _EXPLODES if kind != "nan" else "")


GIVEN = (
    "No watched operation made it. If it is data, look at how it was read (isnan(), nan_to_num()); if it "
    "is a parameter, an update made it: lower the learning rate or clip gradients, and keep backward "
    "inside watch() too."
)
