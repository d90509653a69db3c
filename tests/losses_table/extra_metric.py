"""Rows, references and errors of the losses of embeddings: contrastive, angular, of all pairs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import minigrad
from losses_table.base import REDUCTIONS, Row, grid, normal
from minigrad.nn import extra


# ---------------------------------------------------------------- references: loops over samples and pairs
def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.sqrt(a @ a) / np.sqrt(b @ b))


def _reduced(losses: list[float], reduction: str, count: int | None = None) -> np.ndarray:
    if reduction == "none":
        return np.array(losses)
    return np.asarray(
        sum(losses) / (len(losses) if count is None else count) if reduction == "mean" else sum(losses)
    )


def contrastive(a: Any, b: Any, y: Any, reduction: str = "mean", margin: float = 1.0) -> np.ndarray:
    losses = []
    for u, v, similar in zip(np.atleast_2d(a), np.atleast_2d(b), np.atleast_1d(y), strict=True):
        d = math.dist(u, v)
        losses.append(0.5 * (similar * d**2 + (1 - similar) * max(0.0, margin - d) ** 2))
    return np.asarray(losses[0]) if np.ndim(a) == 1 else _reduced(losses, reduction)


def info_nce(
    query: Any,
    positive: Any,
    negative: Any = None,
    reduction: str = "mean",
    temperature: float = 0.1,
    **named: Any,
) -> np.ndarray:
    negative = named.get("negative_keys", negative)
    losses = []
    for i, q in enumerate(query):
        if negative is None:
            others = [key for j, key in enumerate(positive) if j != i]
        else:
            others = negative if negative.ndim == 2 else negative[i]
        own = math.exp(_cosine(q, positive[i]) / temperature)
        rest = sum(math.exp(_cosine(q, key) / temperature) for key in others)
        losses.append(-math.log(own / (own + rest)))
    return _reduced(losses, reduction)


def nt_xent(a: Any, b: Any, reduction: str = "mean", temperature: float = 0.5) -> np.ndarray:
    views = [*a, *b]
    losses = []
    for i, u in enumerate(views):
        e = [math.exp(_cosine(u, v) / temperature) if j != i else 0.0 for j, v in enumerate(views)]
        losses.append(-math.log(e[(i + len(a)) % len(views)] / sum(e)))
    return _reduced(losses, reduction)


def sup_con(x: Any, y: Any, reduction: str = "mean", temperature: float = 0.1) -> np.ndarray:
    losses, count = [], 0
    for i in range(len(x)):
        positives = [p for p in range(len(x)) if p != i and y[p] == y[i]]
        total = sum(math.exp(_cosine(x[i], x[a]) / temperature) for a in range(len(x)) if a != i)
        terms = [-math.log(math.exp(_cosine(x[i], x[p]) / temperature) / total) for p in positives]
        losses.append(sum(terms) / len(terms) if terms else 0.0)
        count += bool(terms)
    return _reduced(losses, reduction, count)


def _margin_softmax(penalised: Callable[..., float], default_margin: float) -> Callable[..., np.ndarray]:
    def reference(
        cosines: Any,
        y: Any,
        reduction: str = "mean",
        margin: float = default_margin,
        scale: float = 64.0,
        **options: Any,
    ) -> np.ndarray:
        losses = []
        for row, label in zip(cosines, y, strict=True):
            logits = [
                scale * (penalised(math.acos(c), margin, **options) if k == label else c)
                for k, c in enumerate(row)
            ]
            top = max(logits)
            losses.append(top + math.log(sum(math.exp(z - top) for z in logits)) - logits[label])
        return _reduced(losses, reduction)

    return reference


def _turned(theta: float, margin: float, easy_margin: bool = False) -> float:
    if easy_margin:
        return math.cos(theta + margin) if theta < math.pi / 2 else math.cos(theta)
    if theta + margin >= math.pi:
        return math.cos(theta) - margin * math.sin(margin)
    return math.cos(theta + margin)


arc_face = _margin_softmax(_turned, 0.5)
cos_face = _margin_softmax(lambda theta, margin: math.cos(theta) - margin, 0.35)


def circle(
    x: Any, y: Any, reduction: str = "mean", m: float = 0.25, gamma: float = 80.0, detach_weights: bool = True
) -> np.ndarray:
    losses, count = [], 0
    for i in range(len(x)):
        close, away = [], []
        for j in range(len(x)):
            s = _cosine(x[i], x[j])
            if j != i and y[j] == y[i]:
                close.append(math.exp(-gamma * max(0.0, 1 + m - s) * (s - (1 - m))))
            elif y[j] != y[i]:
                away.append(math.exp(gamma * max(0.0, s + m) * (s - m)))
        losses.append(math.log1p(sum(close) * sum(away)))
        count += bool(close and away)
    return _reduced(losses, reduction, count)


def multi_similarity(
    x: Any,
    y: Any,
    reduction: str = "mean",
    alpha: float = 2.0,
    beta: float = 50.0,
    base: float = 0.5,
    epsilon: float | None = None,
) -> np.ndarray:
    losses = []
    for i in range(len(x)):
        close = [_cosine(x[i], x[j]) for j in range(len(x)) if j != i and y[j] == y[i]]
        away = [_cosine(x[i], x[j]) for j in range(len(x)) if y[j] != y[i]]
        if epsilon is not None:
            kept = [s for s in close if away and s - epsilon < max(away)]
            away = [s for s in away if close and s + epsilon > min(close)]
            close = kept
        pull = math.log1p(sum(math.exp(-alpha * (s - base)) for s in close)) / alpha
        push = math.log1p(sum(math.exp(beta * (s - base)) for s in away)) / beta
        losses.append(pull + push)
    return _reduced(losses, reduction)


# ------------------------------------------------------------------------------------------------ rows
def _pairs(*targets: float) -> Callable[..., tuple[np.ndarray, ...]]:
    shape = len(targets), 3
    return lambda rng: (rng.standard_normal(shape), rng.standard_normal(shape), np.array(targets))


def _pair(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    return rng.standard_normal(3), rng.standard_normal(3), np.array(0.2)


def _labeled(*labels: int) -> Callable[..., tuple[np.ndarray, ...]]:
    return lambda rng: (rng.standard_normal((len(labels), 3)), np.array(labels))


def _angles(*right: float) -> Callable[..., tuple[np.ndarray, ...]]:
    """Cosines of three classes, those of the right one given by their angles."""

    def make(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        cosines, y = rng.uniform(-0.6, 0.6, (len(right), 3)), rng.integers(0, 3, len(right))
        cosines[np.arange(len(right)), y] = np.cos(right)
        return cosines, y

    return make


_MODULES = {
    contrastive: "ContrastiveLoss",
    info_nce: "InfoNCELoss",
    nt_xent: "NTXentLoss",
    sup_con: "SupConLoss",
    circle: "CircleLoss",
    multi_similarity: "MultiSimilarityLoss",
}


def _row(reference: Any, inputs: Any, label: str, wrt: tuple[int, ...], *options: Any, **more: Any) -> Row:
    module = None if "negative_keys" in more else _MODULES.get(reference)
    name = {arc_face: "arc_face", cos_face: "cos_face"}.get(reference) or reference.__name__
    together = (*(pair for group in options for pair in group), *more.items())
    return Row(f"{name}_loss", module, inputs, label, together, wrt, False, reference)


def rows() -> Iterator[Row]:
    """The calls that are compared."""
    mixed, alone = _labeled(0, 1, 0, 1, 1), _labeled(2, 7, 2, 5)
    few, several = _angles(0.3, 1.2, 2.9), _angles(0.3, 1.2, 2.9, 1.8)
    views = normal((3, 2), (3, 2))
    one, both, three = (0,), (0, 1), (0, 1, 2)
    for options in grid(reduction=REDUCTIONS):
        yield _row(contrastive, _pairs(1, 0, 0), "rows", both, options, margin=3.0)
        yield _row(info_nce, views, "batch", both, options)
        yield _row(nt_xent, views, "views", both, options)
        yield _row(sup_con, mixed, "labels", one, options)
        yield _row(arc_face, few, "angles", one, options)
        yield _row(cos_face, few, "angles", one, options)
        yield _row(circle, mixed, "labels", one, options, detach_weights=False)
        yield _row(multi_similarity, mixed, "labels", one, options)
    none = (("reduction", "none"),)
    yield _row(contrastive, _pairs(0.1, 0.4, 0.9), "shares", three, none, margin=4.0)
    yield _row(contrastive, _pair, "pair", three, margin=4.0)
    for temperature in (0.5, 1.0):
        shared, own = normal((2, 3), (2, 3), (4, 3)), normal((2, 3), (2, 3), (2, 2, 3))
        yield _row(info_nce, shared, "shared", three, none, temperature=temperature)
        yield _row(info_nce, own, "own", three, none, temperature=temperature)
        yield _row(nt_xent, views, "temperature", both, none, temperature=temperature)
        yield _row(sup_con, alone, "alone", one, none, temperature=temperature)
    yield _row(info_nce, views, "named", both, negative_keys=np.linspace(-1, 1, 8).reshape(4, 2))
    yield _row(sup_con, alone, "alone", one)
    for arc_margin, cos_margin in ((0.0, 0.0), (1.0, 0.2)):
        yield _row(arc_face, several, "margin", one, none, margin=arc_margin, scale=4.0)
        yield _row(cos_face, several, "margin", one, none, margin=cos_margin, scale=4.0)
    yield _row(arc_face, several, "easy", one, none, easy_margin=True)
    yield _row(circle, alone, "alone", one, m=0.4, detach_weights=False)
    yield _row(circle, alone, "alone", one, gamma=2.0, detach_weights=False)
    for kind in ({"alpha": 1.0, "beta": 10.0}, {"base": 0.0, "beta": 5.0}, {"epsilon": 0.1, "beta": 5.0}):
        yield _row(multi_similarity, alone, "alone", one, **kind)
        yield _row(multi_similarity, mixed, "mixed", one, none, **kind)


_X, _Y = minigrad.ones(3, 5), minigrad.tensor([0, 1, 1])
_C = minigrad.zeros(3, 4)
# function, arguments, options, exception, its first line
ERRORS: list[tuple[Any, tuple, dict, type[Exception], str]] = [
    (extra.contrastive_loss, (_X, _X, [1, 0, -1]), {}, RuntimeError, "all elements of target should be between 0 and 1"),
    (extra.contrastive_loss, (_X, _X[:2], [1, 0, 1]), {}, ValueError, "Expected input1 and input2 of one shape (N, D) or (D), got [3, 5] and [2, 5]"),
    (extra.contrastive_loss, (_X, _X, [1, 0]), {}, ValueError, "Expected target size [3], got [2]"),
    (extra.contrastive_loss, (_X, _X, [1, 0, 1]), {"margin": 0.0}, ValueError, "margin must be greater than 0. Got: 0.0"),
    (extra.contrastive_loss, (_X, [1.0], [1, 0, 1]), {}, TypeError, "argument 'input2' must be Tensor, not list"),
    (extra.info_nce_loss, (_X, _X[:2]), {}, ValueError, "Expected query and positive_key of one shape (N, D), got [3, 5] and [2, 5]"),
    (extra.info_nce_loss, (_X, _X, _X[:, :2]), {}, ValueError, "Expected negative_keys of shape (M, 5) or (3, M, 5), got [3, 2]"),
    (extra.info_nce_loss, (_X, _X), {"temperature": 0}, ValueError, "temperature must be greater than 0. Got: 0"),
    (extra.nt_xent_loss, (_X[0], _X[0]), {}, ValueError, "Expected input1 and input2 of one shape (N, D), got [5] and [5]"),
    (extra.nt_xent_loss, (_Y, _Y), {}, NotImplementedError, "\"nt_xent_loss\" not implemented for 'Long'"),
    (extra.nt_xent_loss, (_X, _X), {"temperature": -1.0}, ValueError, "temperature must be greater than 0. Got: -1.0"),
    (extra.sup_con_loss, (_X.reshape(3, 5, 1), _Y), {}, ValueError, "Expected input of shape (N, D), got [3, 5, 1]"),
    (extra.sup_con_loss, (_X, _Y[:2]), {}, ValueError, "Expected target size [3], got [2]"),
    (extra.sup_con_loss, (_X, _Y.float()), {}, RuntimeError, "expected target dtype to be Long or Byte, but got Float"),
    (extra.sup_con_loss, (_X, _Y), {"reduction": "all"}, ValueError, "all is not a valid value for reduction"),
    (extra.arc_face_loss, (_C + 2, _Y), {}, RuntimeError, "all elements of input should be between -1 and 1"),
    (extra.arc_face_loss, (_C, _Y + 3), {}, IndexError, "Target 4 is out of bounds."),
    (extra.arc_face_loss, (_C, _Y[:2]), {}, ValueError, "Expected target size [3], got [2]"),
    (extra.arc_face_loss, (_C[0], _Y), {}, ValueError, "Expected input of shape (N, C), got [4]"),
    (extra.arc_face_loss, (_C, _Y), {"margin": 28.6}, ValueError, "margin must be an angle in radians, 0 or more and less than π. Got: 28.6"),
    (extra.arc_face_loss, (_C, _Y), {"scale": 0.0}, ValueError, "scale must be greater than 0. Got: 0.0"),
    (extra.cos_face_loss, (_C, _Y.float()), {}, RuntimeError, "expected target dtype to be Long or Byte, but got Float"),
    (extra.cos_face_loss, (_C, _Y), {"margin": -0.1}, ValueError, "margin must be 0 or more. Got: -0.1"),
    (extra.cos_face_loss, (_C, _Y), {"scale": -1.0}, ValueError, "scale must be greater than 0. Got: -1.0"),
    (extra.circle_loss, (_X, _Y), {"m": -0.1}, ValueError, "m must be 0 or more. Got: -0.1"),
    (extra.circle_loss, (_X, _Y), {"gamma": 0}, ValueError, "gamma must be greater than 0. Got: 0"),
    (extra.multi_similarity_loss, (_X, _Y), {"alpha": 0}, ValueError, "alpha must be greater than 0. Got: 0"),
    (extra.multi_similarity_loss, (_X, _Y), {"beta": 0}, ValueError, "beta must be greater than 0. Got: 0"),
    (extra.multi_similarity_loss, (_X, _Y), {"epsilon": -0.1}, ValueError, "epsilon must be 0 or more. Got: -0.1"),
    (extra.ArcFaceLoss, (0, 3), {}, ValueError, "in_features must be 1 or more. Got: 0"),
    (extra.ArcFaceLoss, (5, 3), {"margin": 4.0}, ValueError, "margin must be an angle in radians, 0 or more and less than π. Got: 4.0"),
    (extra.CosFaceLoss, (5, 3), {"reduction": "all"}, ValueError, "all is not a valid value for reduction"),
    (extra.CosFaceLoss(4, 3), (_X, _Y), {}, ValueError, "Expected input of shape (N, 4), got [3, 5]"),
]  # fmt: skip
