"""Rows, references and errors of the losses of overlapping regions: Dice, Jaccard, Tversky, Lovász."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import minigrad
from losses_table.base import REDUCTIONS, Row, classes, grid
from minigrad.nn import extra


# ------------------------------------------------------------------------- references: loops over pixels
def _probabilities(x: np.ndarray, mode: str, from_logits: bool) -> np.ndarray:
    if not from_logits:
        return x
    if mode == "multiclass":
        return np.exp(x) / np.exp(x).sum(1, keepdims=True)
    return 1 / (1 + np.exp(-x))


def _regions(
    x: np.ndarray, t: np.ndarray, mode: str, from_logits: bool, ignore_index: int | None, per_image: bool
) -> Iterator[list[list[tuple[float, float]]]]:
    """For each image, for each class: the pixels that count, as (probability, target)."""
    n = len(x)
    p = _probabilities(x, mode, from_logits).reshape((n, 1, -1) if mode == "binary" else (n, x.shape[1], -1))
    indices = t.ndim < x.ndim
    t = t.reshape(n, -1) if indices else t.reshape(p.shape)
    for images in [[i] for i in range(n)] if per_image else [range(n)]:
        regions = []
        for c in range(p.shape[1]):
            pixels = []
            for i in images:
                for j in range(p.shape[2]):
                    label = t[i, j] if indices else t[i, c, j]
                    if ignore_index is None or label != ignore_index:
                        pixels.append((p[i, c, j], float(label == c) if indices else label))
            regions.append(pixels)
        yield regions


def _reduced(losses: Any, reduction: str) -> np.ndarray:
    losses = np.asarray(losses)
    return losses if reduction == "none" else getattr(losses, reduction)()


def _overlap(formula: Callable[..., float]) -> Callable[..., np.ndarray]:
    """The reference of a loss of the three counts."""

    def reference(
        x: np.ndarray,
        t: np.ndarray,
        reduction: str = "mean",
        mode: str = "binary",
        from_logits: bool = True,
        ignore_index: int | None = None,
        per_image: bool = True,
        smooth: float = 1.0,
        **options: float,
    ) -> np.ndarray:
        losses = []
        for regions in _regions(x, t, mode, from_logits, ignore_index, per_image):
            losses.append([])
            for pixels in regions:
                tp = sum(p * y for p, y in pixels)
                fp = sum(p * (1 - y) for p, y in pixels)
                fn = sum((1 - p) * y for p, y in pixels)
                losses[-1].append(formula(tp, fp, fn, smooth, **options))
        found = np.array(losses)
        found = found[:, 0] if mode == "binary" else found
        return _reduced(found if per_image else found[0], reduction)

    return reference


dice = _overlap(lambda tp, fp, fn, s: 1 - (2 * tp + s) / (2 * tp + fp + fn + s))
jaccard = _overlap(lambda tp, fp, fn, s: 1 - (tp + s) / (tp + fp + fn + s))
tversky = _overlap(
    lambda tp, fp, fn, s, alpha=0.5, beta=0.5, gamma=1.0: (
        (1 - (tp + s) / (tp + alpha * fp + beta * fn + s)) ** gamma
    )
)


def lovasz(errors: list[float], region: set[int]) -> float:
    """The Lovász extension by its definition: what each pixel adds to the loss of a set of wrong ones."""

    def jaccard_loss(wrong: set[int]) -> float:
        union = region | wrong
        return len(wrong) / len(union) if union else 0.0

    total, wrong = 0.0, set[int]()
    for pixel in sorted(range(len(errors)), key=lambda i: -errors[i]):
        total += errors[pixel] * (jaccard_loss(wrong | {pixel}) - jaccard_loss(wrong))
        wrong |= {pixel}
    return total


def lovasz_hinge(
    x: np.ndarray,
    t: np.ndarray,
    reduction: str = "mean",
    ignore_index: int | None = None,
    per_image: bool = True,
) -> np.ndarray:
    losses = []
    for (pixels,) in _regions(x, t, "binary", False, ignore_index, per_image):
        errors = [max(0.0, 1 - p * (2 * y - 1)) for p, y in pixels]
        losses.append(lovasz(errors, {i for i, (_, y) in enumerate(pixels) if y}))
    return _reduced(losses if per_image else losses[0], reduction)


def lovasz_softmax(
    x: np.ndarray,
    t: np.ndarray,
    reduction: str = "mean",
    classes: str = "present",
    from_logits: bool = True,
    ignore_index: int | None = None,
    per_image: bool = True,
) -> np.ndarray:
    losses = []
    for regions in _regions(x, t, "multiclass", from_logits, ignore_index, per_image):
        found = []
        for pixels in regions:
            region = {i for i, (_, y) in enumerate(pixels) if y}
            if region or classes == "all":
                found.append(lovasz([abs(p - y) for p, y in pixels], region))
        losses.append(np.mean(found) if found else 0.0)
    return _reduced(losses if per_image else losses[0], reduction)


# ------------------------------------------------------------------------------------------------ rows
def _masks(shape: tuple[int, ...], soft: bool = False, ignore: bool = False, probabilities: bool = False):
    def make(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        x = rng.uniform(0.05, 0.95, shape) if probabilities else rng.standard_normal(shape) * 2
        t = rng.uniform(0.1, 0.9, shape) if soft else rng.integers(0, 2, shape).astype(float)
        if ignore:
            t.flat[[1, -1]] = 255
        return x, t

    return make


def _classes(
    shape: tuple[int, ...], ignore: bool = False, probabilities: bool = False, count: int | None = None
):
    def make(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        x = rng.uniform(0.05, 0.95, shape) if probabilities else rng.standard_normal(shape) * 2
        t = rng.integers(0, count or shape[1], (shape[0], *shape[2:]))
        if ignore:
            t.flat[[1, -1]] = 255
        return x, t

    return make


def _soft_classes(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    t = np.exp(rng.standard_normal((2, 3, 4)))
    return rng.standard_normal((2, 3, 4)), t / t.sum(1, keepdims=True)


def _overlap_rows() -> Iterator[Row]:
    binary = _masks((2, 3, 2))
    several = (("mode", "multilabel"),)
    one_of = (("mode", "multiclass"),)
    flat = (("per_image", False),)
    ignoring = (("ignore_index", 255),)
    probable = (("from_logits", False),)
    for options in grid(reduction=REDUCTIONS):
        yield Row("dice_loss", "DiceLoss", binary, "binary", options, kernel=False, reference=dice)
        yield Row(
            "dice_loss",
            "DiceLoss",
            _masks((2, 2, 3)),
            "labels",
            (*options, *several),
            kernel=False,
            reference=dice,
        )
        yield Row(
            "dice_loss",
            "DiceLoss",
            _classes((2, 3, 4)),
            "classes",
            (*options, *one_of),
            kernel=False,
            reference=dice,
        )
        yield Row("jaccard_loss", "JaccardLoss", binary, "binary", options, kernel=False, reference=jaccard)
        yield Row("tversky_loss", "TverskyLoss", binary, "binary", options, kernel=False, reference=tversky)
    none = (("reduction", "none"),)
    for function, module, reference in (
        ("dice_loss", "DiceLoss", dice),
        ("jaccard_loss", "JaccardLoss", jaccard),
        ("tversky_loss", "TverskyLoss", tversky),
    ):

        def row(inputs: Any, label: str, *options: Any, wrt: tuple[int, ...] = (0,)) -> Row:
            together = tuple(option for group in options for option in group)
            return Row(function, module, inputs, label, together, wrt, False, reference)  # noqa: B023

        yield row(_masks((5,)), "flat", none, flat)
        yield row(_masks((2, 4), soft=True), "soft", (("smooth", 0.0),), none, wrt=(0, 1))
        yield row(_masks((2, 5), ignore=True, probabilities=True), "probabilities", probable, ignoring)
        yield row(_masks((2, 2, 3), ignore=True), "ignored labels", several, ignoring, flat, none)
        yield row(_classes((2, 3, 2, 2), ignore=True), "image", one_of, ignoring, none)
        yield row(_classes((4, 3), probabilities=True), "vectors", one_of, probable, flat, none)
        yield row(_soft_classes, "soft classes", one_of, none, wrt=(0, 1))
    for options in ((("alpha", 0.3), ("beta", 0.7)), (("alpha", 0.0), ("gamma", 2.0)), (("gamma", 0.75),)):
        yield Row(
            "tversky_loss", "TverskyLoss", binary, "focal", (*none, *options), kernel=False, reference=tversky
        )


def rows() -> Iterator[Row]:
    """The calls that are compared."""
    yield from _overlap_rows()
    for options in grid(reduction=REDUCTIONS):
        hinge = {"options": options, "kernel": False, "reference": lovasz_hinge}
        softmax = {"options": options, "kernel": False, "reference": lovasz_softmax}
        yield Row("lovasz_hinge_loss", "LovaszHingeLoss", _masks((2, 3, 3)), "image", **hinge)
        yield Row("lovasz_softmax_loss", "LovaszSoftmaxLoss", _classes((2, 3, 5), count=2), "rows", **softmax)
    for options in (
        (("per_image", False),),
        (("ignore_index", 255), ("reduction", "none")),
        (("ignore_index", 255), ("per_image", False)),
    ):
        hinge = {"options": options, "kernel": False, "reference": lovasz_hinge}
        softmax = {"options": options, "kernel": False, "reference": lovasz_softmax}
        ignore = options[0][0] == "ignore_index"
        yield Row("lovasz_hinge_loss", "LovaszHingeLoss", _masks((3, 4), ignore=ignore), "mask", **hinge)
        yield Row("lovasz_softmax_loss", "LovaszSoftmaxLoss", _classes((2, 3, 5), ignore), "mask", **softmax)
    for options in grid(reduction=("none",), classes=("all",), per_image=(True, False)):
        inputs = _classes((2, 4, 5), ignore=True, count=2)
        options = (*options, ("ignore_index", 255))
        softmax = {"options": options, "kernel": False, "reference": lovasz_softmax}
        yield Row("lovasz_softmax_loss", "LovaszSoftmaxLoss", inputs, "absent", **softmax)
    probable = {"options": (("from_logits", False),), "kernel": False, "reference": lovasz_softmax}
    inputs = _classes((2, 3, 2, 2), probabilities=True)
    yield Row("lovasz_softmax_loss", "LovaszSoftmaxLoss", inputs, "probabilities", **probable)
    vector = {"options": (("per_image", False),), "kernel": False, "reference": lovasz_softmax}
    yield Row("lovasz_softmax_loss", "LovaszSoftmaxLoss", classes((6, 3), (6,)), "vectors", **vector)


_X, _Y = minigrad.zeros(2, 3, 4), minigrad.zeros(2, 4).long()
_MASK = minigrad.zeros(2, 3)
_MULTI = {"mode": "multiclass"}
# function, arguments, options, exception, its first line
ERRORS: list[tuple[Any, tuple, dict, type[Exception], str]] = [
    (extra.dice_loss, ([0.0], _MASK), {}, TypeError, "argument 'input' must be Tensor, not list"),
    (extra.dice_loss, (_Y, _Y), {}, NotImplementedError, "\"dice_loss\" not implemented for 'Long'"),
    (extra.dice_loss, (_MASK, _MASK), {"mode": "both"}, ValueError, "both is not a valid value for mode"),
    (extra.dice_loss, (_MASK, _MASK), {"smooth": -1.0}, ValueError, "smooth must be 0 or more. Got: -1.0"),
    (extra.dice_loss, (_MASK, _MASK), {"reduction": "batchmean"}, ValueError, "batchmean is not a valid value for reduction"),
    (extra.dice_loss, (_X, _Y), {}, ValueError, "Expected target size [2, 3, 4], got [2, 4]"),
    (extra.dice_loss, (_X[:, :1], _Y), {}, ValueError, "Expected target size [2, 1, 4], got [2, 4]"),
    (extra.dice_loss, (_X, _Y.unsqueeze(2)[:, :3]), _MULTI, ValueError, "Expected target size [2, 3, 4], got [2, 3, 1]"),
    (extra.dice_loss, (_X, _Y[:1]), _MULTI, ValueError, "Expected target size [2, 4], got [1, 4]"),
    (extra.dice_loss, (_X, _Y.float()), _MULTI, RuntimeError, "expected target dtype to be Long or Byte, but got Float"),
    (extra.dice_loss, (_X, _Y + 3), _MULTI, IndexError, "Target 3 is out of bounds."),
    (extra.dice_loss, (_X, _Y - 1), {**_MULTI, "ignore_index": 255}, IndexError, "Target -1 is out of bounds."),
    (extra.dice_loss, (_X, _X), {**_MULTI, "ignore_index": 255}, ValueError, "ignore_index needs class indices as target, not probabilities in input's shape"),
    (extra.dice_loss, (_MASK[0], _MASK[0]), {"mode": "multilabel"}, ValueError, "Expected input of shape (N, C, ...) for mode='multilabel', got [3]"),
    (extra.dice_loss, (minigrad.tensor(0.0), minigrad.tensor(0.0)), {}, ValueError, "Expected input of shape (N, ...) for mode='binary', got []"),
    (extra.dice_loss, (_MASK, _MASK + 255), {}, RuntimeError, "all elements of target should be between 0 and 1"),
    (extra.dice_loss, (_MASK, _MASK - 1), {"ignore_index": 255}, RuntimeError, "all elements of target should be between 0 and 1"),
    (extra.dice_loss, (_MASK + 2, _MASK), {"from_logits": False}, RuntimeError, "all elements of input should be between 0 and 1"),
    (extra.jaccard_loss, (_Y, _Y), {}, NotImplementedError, "\"jaccard_loss\" not implemented for 'Long'"),
    (extra.tversky_loss, (_MASK, _MASK), {"alpha": -0.1}, ValueError, "alpha must be 0 or more. Got: -0.1"),
    (extra.tversky_loss, (_MASK, _MASK), {"beta": float("nan")}, ValueError, "beta must be 0 or more. Got: nan"),
    (extra.tversky_loss, (_MASK, _MASK), {"gamma": 0.0}, ValueError, "gamma must be greater than 0. Got: 0.0"),
    (extra.lovasz_hinge_loss, (_MASK, _MASK[:1]), {}, ValueError, "Expected target size [2, 3], got [1, 3]"),
    (extra.lovasz_hinge_loss, (_MASK, _MASK + 0.5), {}, RuntimeError, "all elements of target should be 0 or 1"),
    (extra.lovasz_hinge_loss, (_MASK, _MASK - 1), {}, RuntimeError, "all elements of target should be between 0 and 1"),
    (extra.lovasz_softmax_loss, (_X, _Y), {"classes": "some"}, ValueError, "some is not a valid value for classes"),
    (extra.lovasz_softmax_loss, (_X, _X), {}, ValueError, "Expected class indices as target, got the shape [2, 3, 4] of the input"),
    (extra.lovasz_softmax_loss, (_X, _Y + 7), {}, IndexError, "Target 7 is out of bounds."),
    (extra.lovasz_softmax_loss, (_X - 1, _Y), {"from_logits": False}, RuntimeError, "all elements of input should be between 0 and 1"),
]  # fmt: skip
