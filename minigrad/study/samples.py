"""The table of a loss call, sample by sample, and what its mean divides by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.autograd.tape import Variable, no_grad
from minigrad.ops.activation import sigmoid
from minigrad.ops.softmax import softmax
from minigrad.study.trace import Group, Number, Step, Trace
from minigrad.study.words import loss_words, say

MOST_ROWS = 2000
_MOST_CLASSES = 6  # as many are shown one by one

# What a loss calls its input (the first word of "Wants:"), and the heading of its column.
_READINGS = {
    "logits": "logit",
    "log-probabilities": "log p",
    "probabilities": "p",
    "scores": "score",
    "predictions": "prediction",
    "cosines": "cosine",
    "distances": "distance",
    "expectations": "expectation",
}


@dataclass
class Table:
    """Rows under headings; a cell is a number, a text, or a list of numbers. None: there is none."""

    columns: list[str] = field(default_factory=list)
    rows: list[list[Any]] = field(default_factory=list)
    total: int = 0  # the number of samples, of which `rows` may hold the first alone
    note: str = ""


class _Call:
    """A call of a loss, with its arguments by name."""

    def __init__(self, group: Group) -> None:
        op = group.op
        self.op = op
        self.names = list(op._places)
        self.given = dict(zip(self.names, group.values, strict=True))
        self.arrays = {k: v._array for k, v in self.given.items() if isinstance(v, Variable)}
        self.input = self.arrays.get(self.names[0])
        self.gradients = {self.names[at]: array for at, array in group.gradients.items()}
        self.gradient = self.gradients.get(self.names[0])
        self.wants = loss_words(op).wants
        self.reading = self.wants.split(" ")[0].rstrip(",")
        self.target = self.arrays.get("target", self.arrays.get("targets"))

    def losses(self) -> ndarray | None:
        """The losses one by one, if the loss has them."""
        if "none" not in self.op.reductions:
            return None
        values = [self.given[n] if n != "reduction" else "none" for n in self.names]
        with no_grad():
            found: ndarray = self.op.definition(*values)._array
        return found


def sample_table(group: Group, lang: str = "en") -> Table:
    """The samples of a loss call: prediction, probability, target, weight, loss, gradient.

    Example:
        >>> from minigrad.study.samples import sample_table
        >>> import minigrad
        >>> from minigrad.study.trace import trace_of
        >>> x = minigrad.tensor([0.5, -1.0], requires_grad=True)
        >>> loss = minigrad.nn.BCEWithLogitsLoss()(x, minigrad.tensor([1.0, 1.0]))
        >>> table = sample_table(next(iter(trace_of(loss).groups.values())))
        >>> table.columns
        ['sample', 'logit', 'σ(logit)', 'target', 'loss', 'gradient']
        >>> [round(float(cell), 4) for cell in table.rows[1]]
        [1.0, -1.0, 0.2689, 1.0, 1.3133, -0.3655]
    """
    call = _Call(group)
    losses, x = call.losses(), call.input
    if losses is None or x is None or (losses.ndim == 0 and x.ndim > 0):
        return Table(
            note=say(lang, "This loss has no value for each sample: its parts depend on each other.")
        )
    if losses.shape == x.shape:
        return _by_element(call, losses, lang)
    if _class_dim(call, losses) is not None:
        return _by_class(call, losses, lang)
    return _by_row(call, losses, lang)


def _class_dim(call: _Call, losses: ndarray) -> int | None:
    """The dimension of the classes, if each loss is that of one class among many."""
    x, y = call.input, call.target
    assert x is not None
    dim = 0 if x.ndim == 1 else 1
    if y is None or call.reading not in ("logits", "log-probabilities", "scores", "cosines"):
        return None
    if x.shape[:dim] + x.shape[dim + 1 :] != losses.shape:
        return None
    return dim if y.shape in (losses.shape, x.shape) else None


def _labels(shape: tuple[int, ...]) -> list[Any]:
    """The samples' indices, as many as are shown."""
    if len(shape) <= 1:
        return list(range(min(int(np.prod(shape)), MOST_ROWS)))
    indices = (np.unravel_index(i, shape) for i in range(min(int(np.prod(shape)), MOST_ROWS)))
    return [", ".join(str(int(i)) for i in index) for index in indices]


def _table(columns: dict[str, Any], shape: tuple[int, ...], lang: str) -> Table:
    """A table of columns, each with an entry per sample; those that are None are left out."""
    labels = _labels(shape)
    used = {say(lang, name): column for name, column in columns.items() if column is not None}
    rows = [[label, *(_cell(column[i]) for column in used.values())] for i, label in enumerate(labels)]
    return Table([say(lang, "sample"), *used], rows, int(np.prod(shape)))


def _cell(value: Any) -> Any:
    if isinstance(value, ndarray):
        return value.tolist()
    return value.item() if isinstance(value, np.generic) else value


def _flat(array: ndarray | None, shape: tuple[int, ...]) -> ndarray | None:
    return None if array is None else np.broadcast_to(array, shape).reshape(-1)


def _by_element(call: _Call, losses: ndarray, lang: str) -> Table:
    """Every element of the input is a sample of its own."""
    x, shape = call.input, losses.shape
    assert x is not None
    name = _READINGS.get(call.reading, call.names[0])
    columns: dict[str, Any] = {name: _flat(x, shape)}
    if call.reading == "logits":
        columns["σ(logit)"] = _flat(sigmoid(x), shape)
    elif call.reading == "log-probabilities":
        columns["p"] = _flat(np.exp(x), shape)
    for other in call.names[1:]:
        array = call.arrays.get(other)
        if array is not None and _broadcasts(array, shape):
            columns[other] = _flat(array, shape)
    columns["loss"] = losses.reshape(-1)
    for of, gradient in call.gradients.items():
        if gradient.shape == shape:
            columns["gradient" if len(call.gradients) == 1 else f"gradient of {of}"] = gradient.reshape(-1)
    return _table(columns, shape, lang)


def _broadcasts(array: ndarray, shape: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(array.shape, shape) == shape
    except ValueError:
        return False


def _by_class(call: _Call, losses: ndarray, lang: str) -> Table:
    """Every sample has a row of classes."""
    dim, shape = _class_dim(call, losses), losses.shape
    x, y, g = call.input, call.target, call.gradient
    assert x is not None
    assert y is not None
    assert dim is not None
    classes, hard = x.shape[dim], y.shape == shape

    def rows(array: ndarray) -> ndarray:
        return np.moveaxis(array, dim, -1).reshape(-1, classes)

    name, few = _READINGS[call.reading], classes <= _MOST_CLASSES
    flat = y.reshape(-1) if hard else None
    picks = None if flat is None else (np.arange(flat.size), np.clip(flat, 0, classes - 1))
    columns: dict[str, Any] = {}
    if few or picks is None:
        columns[name + "s" * (name != "log p")] = rows(x)
    else:
        columns[f"{name}[target]"] = rows(x)[picks]
    probabilities = _probabilities(call, dim)
    if probabilities is not None:
        p = rows(probabilities)
        columns["p" if picks is None else "p[target]"] = p if picks is None else p[picks]
    columns["target"] = flat if flat is not None else rows(y)
    weight, ignored = call.arrays.get("weight"), call.given.get("ignore_index")
    if weight is not None and picks is not None and weight.shape == (classes,):
        columns["weight"] = weight[picks[1]]
    if flat is not None and ignored is not None and (flat == ignored).any():
        columns["ignored"] = [say(lang, "yes") if i else "" for i in flat == ignored]
    columns["loss"] = losses.reshape(-1)
    if g is not None:
        slopes = rows(g)
        if few or picks is None:
            columns["gradient"] = slopes
        else:
            columns["gradient[target]"] = slopes[picks]
            columns["|gradient|"] = np.abs(slopes).sum(1)
    return _table(columns, shape, lang)


def _probabilities(call: _Call, dim: int) -> ndarray | None:
    x = call.input
    assert x is not None
    if call.reading == "log-probabilities":
        return np.exp(x)
    if call.reading != "logits" or call.given.get("softcap") is not None:
        return None
    found: ndarray = sigmoid(x) if "sigmoid" in call.wants else softmax(x, dim)
    return found


def _by_row(call: _Call, losses: ndarray, lang: str) -> Table:
    """Every sample is made of vectors: their gradients are shown by their lengths."""
    shape = losses.shape
    columns: dict[str, Any] = {}
    if call.target is not None and call.target.shape == shape:
        columns["target"] = call.target.reshape(-1)
    columns["loss"] = losses.reshape(-1)
    for name, gradient in call.gradients.items():
        if gradient.ndim > losses.ndim and gradient.shape[: losses.ndim] == shape:
            lengths = np.sqrt((gradient.astype(np.float64) ** 2).reshape(*shape, -1).sum(-1))
            columns[f"|gradient of {name}|"] = lengths.reshape(-1)
        elif gradient.shape == shape:
            columns[f"gradient of {name}"] = gradient.reshape(-1)
    return _table(columns, shape, lang)


# ---------------------------------------------------------------------------------------- the divisor
def divisor(trace: Trace, group: Group, lang: str = "en") -> str:
    """What the reduction of a loss call divides by, in words.

    Example:
        >>> from minigrad.study.samples import divisor
        >>> import minigrad
        >>> from minigrad.study.trace import trace_of
        >>> x = minigrad.zeros(4, 3, requires_grad=True)
        >>> target = minigrad.tensor([0, 2, -100, 1])
        >>> loss = minigrad.nn.CrossEntropyLoss(weight=minigrad.tensor([1.0, 2.0, 4.0]))(x, target)
        >>> trace = trace_of(loss)
        >>> divisor(trace, trace.groups["cross_entropy1"])
        'mean divides by the sum of weights = 7, over 3 of 4 samples'
    """
    call = _Call(group)
    reduction = call.given.get("reduction", "mean")
    if reduction == "none":
        return say(lang, "none: no reduction, and no divisor; each loss stays as it is")
    if reduction == "sum":
        return say(lang, "sum divides by nothing: the gradient grows with the number of samples")
    step = _dividing(trace, group)
    if step is None:
        return ""
    if step.op == "mean":
        size = int(np.prod(trace.steps[step.operands[0]].shape))
        return say(lang, "{reduction} divides by the number of losses = {n}", reduction=reduction, n=size)
    below = step.operands[1]
    if isinstance(below, Number):
        return say(lang, "{reduction} divides by {n}", reduction=reduction, n=f"{float(below.value):g}")
    return _by_weights(trace, trace.steps[below], reduction, lang)


def _dividing(trace: Trace, group: Group) -> Step | None:
    """The step of a group that divides, if its last ones do."""
    step = None if group.result is None else trace.steps[group.result]
    while step is not None and step.op not in ("div", "mean"):
        above = [o for o in step.operands if isinstance(o, int)]
        inside = len(above) == 1 and group.key in trace.steps[above[0]].group
        step = trace.steps[above[0]] if inside and step.shape == trace.steps[above[0]].shape else None
    return step


def _by_weights(trace: Trace, below: Step, reduction: str, lang: str) -> str:
    value = "?" if below.value is None or below.value.size != 1 else f"{below.value.item():g}"
    operand = below.operands[0] if below.op == "sum" and isinstance(below.operands[0], int) else None
    weights = None if operand is None else trace.steps[operand].value
    if weights is None:
        return say(lang, "{reduction} divides by {n}", reduction=reduction, n=value)
    count = int(np.count_nonzero(weights))
    sentence = "{reduction} divides by the sum of weights = {n}, over {count} of {total} samples"
    if ((weights == 0) | (weights == 1)).all():
        sentence = "{reduction} divides by the number of samples that count = {n} of {total}"
        return say(lang, sentence, reduction=reduction, n=value, total=weights.size)
    return say(lang, sentence, reduction=reduction, n=value, count=count, total=weights.size)
