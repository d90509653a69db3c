"""Rules that look at the call of a loss: what it was given, and what it wants."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.autograd.observe import Call
from minigrad.autograd.site import Site
from minigrad.autograd.tape import Node, Variable, no_grad
from minigrad.study.linting.finding import rule
from minigrad.study.linting.origins import sources
from minigrad.study.numbers import short
from minigrad.study.words import loss_words

_BROADCASTING = frozenset(  # losses of elements that do not say so
    ["hinge_embedding_loss", "poisson_nll_loss", "gaussian_nll_loss", "kl_div"]
)
_MANY = 1_000_000  # elements above which values are looked at in a sample


@dataclass
class LossSeen:
    """A call of a loss, as rules look at it."""

    op: Any
    given: dict[str, Any]
    result: Any
    site: Site
    _cache: dict[str, Any] = field(default_factory=dict)

    @staticmethod
    def of(call: Call) -> LossSeen:
        """From what was observed."""
        names = list(call.op._places)
        return LossSeen(
            call.op, {**dict(zip(names, call.operands, strict=False)), **call.options}, call.result, call.site
        )

    @property
    def name(self) -> str:
        """The loss function's name."""
        return str(self.op.__name__)

    @cached_property
    def wants(self) -> str:
        """What the loss says of its inputs."""
        return loss_words(self.op).wants

    @cached_property
    def sources(self) -> dict[str, Node]:
        """What made the input."""
        return sources(next(iter(self.given.values()), None))

    @cached_property
    def input(self) -> ndarray | None:
        """The first argument's numbers."""
        return _array(next(iter(self.given.values()), None))

    @cached_property
    def target(self) -> ndarray | None:
        """The target's numbers."""
        return _array(self.given.get("target", self.given.get("targets")))

    def with_input(self, input: ndarray, target: ndarray | None = None) -> float:
        """The loss of other numbers, with the same options."""
        values = dict(self.given)
        first = next(iter(values))
        values[first] = values[first]._result._wrap(input)
        if target is not None:
            values["target"] = values[first]._result._wrap(target)
        with no_grad():
            return float(self.op(**values)._array)


def _array(value: Any) -> ndarray | None:
    return value._array if isinstance(value, Variable) else None


def _sample(array: ndarray) -> ndarray:
    """The numbers, or some of them where they are very many."""
    return array if array.size <= _MANY else array.reshape(-1)[:: array.size // _MANY]


def _rows(x: ndarray) -> ndarray:
    """The rows of classes: dimension 1, the only one of a vector."""
    return x.reshape(1, -1) if x.ndim == 1 else np.moveaxis(x, 1, -1).reshape(-1, x.shape[1])


# ------------------------------------------------------------------------------------- what came before
@rule("MG001", "softmax before a loss that has its own", "loss")
def softmax_twice(seen: LossSeen) -> str | None:
    """`CrossEntropyLoss` and its relatives take logits: they contain the softmax. After another one the
    input is between 0 and 1, so the largest probability the loss can see is e / (e + C - 1), and the
    loss of C classes never falls below log(1 + (C - 1) / e): 0.5514 for 3 classes, 1.4612 for 10.
    Gradients shrink as well. A log-softmax before it changes no number, and costs a pass over the
    logits.

    It is found through views, indexing and concatenation, and where rows are probabilities.

        model = nn.Sequential(nn.Linear(20, 10), nn.Softmax(dim=1))
        nn.CrossEntropyLoss()(model(x), target)

    Take the softmax out of the model, and apply it where probabilities are shown:

        logits = model(x)
        loss = nn.CrossEntropyLoss()(logits, target)
        probabilities = logits.softmax(dim=1)
    """
    if "no softmax" not in seen.wants or seen.input is None or seen.input.ndim == 0:
        return None
    classes = seen.input.shape[1] if seen.input.ndim > 1 else seen.input.shape[0]
    if "log_softmax" in seen.sources:
        return (
            f"log_softmax before {seen.name}, which has one: it changes nothing and costs a pass. Give the "
            "logits themselves, or use nll_loss on log-probabilities."
        )
    if "softmax" not in seen.sources and not (not seen.sources and _probabilities(_rows(_sample_rows(seen)))):
        return None
    floor = math.log(1 + (classes - 1) / math.e)
    why = f"the loss of {classes} classes cannot fall below log(1 + (C - 1) / e) = {floor:.4f}"
    if seen.name != "cross_entropy":
        why = "what the loss takes for logits is between 0 and 1, so no class ever stands out"
    return (
        f"softmax before {seen.name}, which has its own: {why}, and the gradients shrink. Remove the softmax "
        "and give the logits."
    )


def _sums_to_one(of: Callable[[ndarray], ndarray], x: ndarray, tolerance: float) -> bool:
    """Whether some dimension is one of distributions: to a loss of elements any may be."""
    with np.errstate(all="ignore"):
        masses = of(x.astype(np.float64))
        return any(bool(np.isclose(masses.sum(axis), 1, atol=tolerance).all()) for axis in range(x.ndim))


def _sample_rows(seen: LossSeen) -> ndarray:
    assert seen.input is not None
    return seen.input if seen.input.ndim != 2 else seen.input[:10_000]


def _probabilities(rows: ndarray) -> bool:
    """Whether rows are probabilities, and more than one-hot ones."""
    if len(rows) < 2 or rows.shape[1] < 2 or rows.min() < 0 or rows.max() > 1:
        return False
    return bool(np.allclose(rows.sum(1), 1, atol=1e-3) and not np.isin(rows, (0, 1)).all())


@rule("MG002", "sigmoid before a loss that has its own", "loss")
def sigmoid_twice(seen: LossSeen) -> str | None:
    """`BCEWithLogitsLoss` and its relatives take logits: they contain the sigmoid. After another one every
    "logit" is between 0 and 1: the loss of a sample of class 1 never falls below 0.3133, that of class 0
    never below 0.6931, and no prediction is ever below one half.

        torch.sigmoid(model(x)) -> nn.BCEWithLogitsLoss()

    Remove the sigmoid, or use `BCELoss`, which takes probabilities (and has worse gradients).
    """
    if "no sigmoid" not in seen.wants or "sigmoid" not in seen.sources:
        return None
    why = "its input is never negative, so class 0 is never predicted"
    if seen.name == "binary_cross_entropy_with_logits":
        why = "a sample of class 1 costs at least 0.3133, one of class 0 at least 0.6931"
    return f"sigmoid before {seen.name}, which has its own: {why}. Remove the sigmoid and give the logits."


@rule("MG003", "a loss of log-probabilities that is given something else", "loss")
def not_log_probabilities(seen: LossSeen) -> str | None:
    """`NLLLoss`, `KLDivLoss` and `CTCLoss` take log-probabilities: rows whose exponentials sum to 1. No
    error tells them from probabilities or logits: given probabilities `NLLLoss` is merely negative, and
    falls to -1.

        nn.NLLLoss()(logits.softmax(1), target)

    Use `log_softmax`, or `CrossEntropyLoss` on the logits.
    """
    x = seen.input
    if not seen.wants.startswith("log-probabilities") or x is None or x.ndim == 0 or not x.size:
        return None
    rows = x.reshape(-1, x.shape[-1])[:10_000] if seen.name != "nll_loss" else _rows(x)[:10_000]
    if rows.shape[1] < 2:
        return None
    with np.errstate(all="ignore"):
        mass = np.exp(rows.astype(np.float64)).sum(1)
    off = ~np.isclose(mass, 1, atol=1e-2)
    if not off.any() or (seen.name == "kl_div" and _sums_to_one(np.exp, x, 1e-2)):
        return None
    first = int(np.flatnonzero(off)[0])
    looks = "logits"
    if "softmax" in seen.sources or _probabilities(rows):
        looks = "probabilities"
    return (
        f"{seen.name} takes log-probabilities, but exp of row {first} sums to {short(mass[first])}, not 1 "
        f"({int(off.sum())} of {len(rows)} rows): it looks like {looks}. Use log_softmax(logits, dim=1)"
        + (", or cross_entropy on the logits." if seen.name == "nll_loss" else ".")
    )


@rule("MG004", "logits into a loss of probabilities", "loss")
def logits_as_probabilities(seen: LossSeen) -> str | None:
    """`BCELoss` takes probabilities. What comes straight out of a linear layer is a logit: sooner or later it
    leaves [0, 1], which is an error then, and until then the loss means nothing.

        nn.BCELoss()(linear(x), target)

    Use `BCEWithLogitsLoss`, which takes the logits.
    """
    if not seen.wants.startswith("probabilities"):
        return None
    made = [name for name in ("linear", "product", "convolve") if name in seen.sources]
    if not made:
        return None
    return (
        f"{seen.name} takes probabilities, and gets what comes straight out of a layer ({made[0]}): logits, "
        "which leave [0, 1] sooner or later. Use binary_cross_entropy_with_logits."
    )


@rule("MG005", "a saturated sigmoid into a loss of probabilities", "loss")
def saturated_sigmoid(seen: LossSeen) -> str | None:
    """In float32 the sigmoid is exactly 1 from a logit of 17 on (and exactly 0 below -104). There its slope
    is exactly 0, so a wrong sample gets no gradient at all, just where it needs the largest.

        nn.BCELoss()(torch.sigmoid(logits), target)

    `BCEWithLogitsLoss` on the logits has the gradient σ(x) - y, which is never zero for a wrong sample.
    """
    x, y = seen.input, seen.target
    if not seen.wants.startswith("probabilities") or "sigmoid" not in seen.sources or x is None or y is None:
        return None
    if x.shape != y.shape:
        return None
    stuck = ((x == 0) & (y > 0.5)) | ((x == 1) & (y < 0.5))
    if not stuck.any():
        return None
    where = [int(i) for i in np.argwhere(stuck)[0]]
    return (
        f"{int(stuck.sum())} of {x.size} samples are wrong with a probability of exactly 0 or 1 (the "
        "first at "
        f"{where}): the sigmoid's slope there is 0, so their gradient is 0 and they are never learned. Use "
        "binary_cross_entropy_with_logits on the logits."
    )


# ------------------------------------------------------------------------------------------- targets
@rule("MG006", "targets of 0 and 1 where 1 and -1 are meant", "loss")
def zeros_for_minus_ones(seen: LossSeen) -> str | None:
    """Margin losses (`HingeEmbeddingLoss`, `SoftMarginLoss`, `MarginRankingLoss`, `CosineEmbeddingLoss`,
    hinge losses) take targets 1 and -1. A target of 0 makes the loss of a sample constant: it has no
    gradient.

        nn.SoftMarginLoss()(score, (label > 0).float())

    Use 2 * target - 1.
    """
    y = seen.target
    if y is None or not y.size or "-1" not in seen.wants or not np.isin(_sample(y), (0, 1)).all():
        return None
    zeros = int((y == 0).sum())
    if not zeros:
        return None
    return (
        f"{seen.name} takes targets 1 and -1, and got 0 and 1: {zeros} of {y.size} samples, those with 0, "
        "have no part in it. Use 2 * target - 1."
    )


@rule("MG007", "targets of -1 and 1 where 0 and 1 are meant", "loss")
def minus_ones_for_zeros(seen: LossSeen) -> str | None:
    """Losses of probabilities and of binary logits take targets in [0, 1]. With -1 the loss can be negative
    and has no lower bound: it pays to push the logit to minus infinity.

        nn.BCEWithLogitsLoss()(logit, sign)

    Use (target + 1) / 2.
    """
    y = seen.target
    if y is None or not y.size or "in [0, 1]" not in seen.wants or not np.isin(_sample(y), (-1, 1)).all():
        return None
    if not (y == -1).any() or seen.given.get("ignore_index") == -1:
        return None
    return (
        f"{seen.name} takes targets between 0 and 1, and got -1 and 1: the loss has no lower bound. Use "
        "(target + 1) / 2."
    )


@rule("MG008", "targets outside of [0, 1]", "loss")
def targets_outside(seen: LossSeen) -> str | None:
    """The targets of binary losses are probabilities. One outside of [0, 1] (class numbers 1 and 2, pixels
    up to 255) gives a loss without a lower bound, so training drives the logits to infinity.

        nn.BCEWithLogitsLoss()(logits, image)          # 0 to 255

    Use image / 255, or class numbers from 0 on.
    """
    y = seen.target
    if y is None or not y.size or "in [0, 1]" not in seen.wants or np.isin(_sample(y), (-1, 1)).all():
        return None
    ignored = seen.given.get("ignore_index")
    off = ((y < 0) | (y > 1)) & (True if ignored is None else y != ignored)
    if not off.any():
        return None
    where = [int(i) for i in np.argwhere(off)[0]]
    return (
        f"{seen.name} takes targets between 0 and 1: {int(off.sum())} of {y.size} are not, the first is "
        f"{short(y[tuple(where)])} at {where}. The loss then has no lower bound. Scale the targets, "
        "or number "
        "the classes from 0."
    )


@rule("MG009", "soft targets that do not sum to 1", "loss")
def soft_targets(seen: LossSeen) -> str | None:
    """`CrossEntropyLoss` with probabilities, and `KLDivLoss`, take targets whose rows sum to 1. Rows that
    sum to s weigh the sample by s, silently.

        nn.CrossEntropyLoss()(logits, counts.float())

    Use target / target.sum(dim=1, keepdim=True).
    """
    x, y = seen.input, seen.target
    if y is None or x is None or y.shape != x.shape or x.ndim == 0 or not y.size or y.dtype.kind != "f":
        return None
    if seen.name not in ("cross_entropy", "kl_div", "jensen_shannon_loss") or seen.given.get("log_target"):
        return None
    if seen.name == "kl_div" and _sums_to_one(np.asarray, y, 1e-3):
        return None
    sums = (_rows(y) if seen.name == "cross_entropy" else y.reshape(-1, y.shape[-1])).sum(1)
    off = ~np.isclose(sums, 1, atol=1e-3)
    if not off.any():
        return None
    first = int(np.flatnonzero(off)[0])
    return (
        f"the targets of {seen.name} are probabilities, but row {first} sums to {short(sums[first])} "
        f"({int(off.sum())} of {off.size} rows are off): such a sample weighs that much more or less. Use "
        "target / target.sum(dim=1, keepdim=True)."
    )


# -------------------------------------------------------------------------------------------- shapes
@rule("MG010", "logits of a single class", "loss")
def one_class(seen: LossSeen) -> str | None:
    """The softmax of one logit is 1, whatever it is: the cross entropy of one class is always 0 and has no
    gradient. A yes-or-no task has one logit and `BCEWithLogitsLoss`, or two and `CrossEntropyLoss`.

        nn.CrossEntropyLoss()(nn.Linear(20, 1)(x), target)

    Use nn.BCEWithLogitsLoss()(logit.squeeze(1), target.float()), or nn.Linear(20, 2).
    """
    x = seen.input
    if seen.name not in ("cross_entropy", "nll_loss", "softmax_focal_loss", "poly_loss") or x is None:
        return None
    if x.ndim < 2 or x.shape[1] != 1:
        return None
    return (
        f"{seen.name} of a single class (input {list(x.shape)}): the loss is always 0 and nothing is "
        "learned. "
        "Use binary_cross_entropy_with_logits on the one logit, or give the model two."
    )


@rule("MG011", "(N, 1) against (N,)", "loss")
def broadcast(seen: LossSeen) -> str | None:
    """Predictions (N, 1) and targets (N,) broadcast to (N, N): every prediction is compared with every
    target, and the best the model can do is to predict the mean.

        nn.MSELoss()(nn.Linear(3, 1)(x), y)            # y of shape (N,)

    Use prediction.squeeze(1), or y.unsqueeze(1).
    """
    x, y = seen.input, seen.target
    if x is None or y is None or x.shape == y.shape:
        return None
    if "same shape" not in seen.wants and not (seen.name in _BROADCASTING and x.size == y.size):
        return None
    try:
        shape = np.broadcast_shapes(x.shape, y.shape)
    except ValueError:
        return None
    shapes = f"input {list(x.shape)} and target {list(y.shape)}"
    text = f"{seen.name} of {shapes} compares all with all, {list(shape)}"
    if x.size == y.size and getattr(seen.result, "_array", np.empty(2)).size == 1:
        paired = seen.with_input(x.reshape(-1), y.reshape(-1))
        text += f", {short(seen.result._array.item())} in all; paired it is {short(paired)}"
    longer, other = ("input", "target") if x.ndim > y.ndim else ("target", "input")
    return f"{text}. Use {longer}.squeeze(1) or {other}.unsqueeze(1)."


@rule("MG012", "a reduction in the place of size_average", "module")
def positional_reduction(given: Any) -> str | None:
    """The first argument of torch's older losses is the deprecated `size_average`, not `reduction`: any
    text there counts as true, so `nn.MSELoss('sum')` is the mean.

        nn.MSELoss('sum')

    Use nn.MSELoss(reduction='sum').
    """
    name, reduction = given
    return (
        f"{name} takes {reduction!r} for size_average, a deprecated argument that comes before reduction, "
        f"and is the mean. Use reduction={reduction!r}."
    )
