"""How each loss is put on one axis: what moves, what stays, and which targets there are a curve for.

A loss is a function of many numbers. A row of the table says which one of them is the x axis: the residual of
a regression, the probability or the logit of a yes-or-no, the logit of the right class among three, the angle
between two embeddings. The call itself is the loss's own, so that the value and the gradient are what a
training would see.
"""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from minigrad import nn
from minigrad.autograd.tape import no_grad
from minigrad.creation import tensor, zeros
from minigrad.nn import extra
from minigrad.nn.losses.base import LossFunction
from minigrad.nn.module import Module
from minigrad.ops.elementwise import log
from minigrad.ops.joining import cat, stack
from minigrad.ops.softmax import log_softmax
from minigrad.tensor import Tensor

Call = Callable[[Any, Tensor, Any], Tensor]


@dataclass(frozen=True)
class Axis:
    """One way to put losses on an axis.

    `call` has the loss (a module or a function), the number on the axis as a tensor of shape (), and the
    target, and gives the loss. `targets` are those that there is a curve for, each with its name ("" for
    the only one); a `span` is where it is shown.
    """

    label: str
    call: Call
    span: tuple[float, float]
    targets: tuple[tuple[str, Any], ...] = (("", None),)
    symbol: str = "x"  # of the number on the axis, in "∂loss/∂x"


# --------------------------------------------------------------------------------- elementwise losses
def _row(*values: Any) -> Tensor:
    """A float64 tensor of shape (1, C), or (1,) for one value, through which gradients flow."""
    parts = [v if isinstance(v, Tensor) else tensor(float(v), dtype="float64") for v in values]
    return stack(parts).reshape(1, -1) if len(parts) > 1 else parts[0].reshape(1)


def _elementwise(loss: Any, x: Tensor, target: Any) -> Tensor:
    return loss(_row(x), _row(target))


def _residual(loss: Any, x: Tensor, target: Any) -> Tensor:
    return loss(_row(x + target), _row(target))


def _gaussian(loss: Any, x: Tensor, variance: Any) -> Tensor:
    return loss(_row(x), _row(0.0), _row(variance))


def _ranking(loss: Any, x: Tensor, target: Any) -> Tensor:
    return loss(_row(x), _row(0.0), _row(target))


def _gaussian_kl(loss: Any, x: Tensor, log_variance: Any) -> Tensor:
    return loss(_row(x), _row(log_variance))


def _two_chances(loss: Any, p: Tensor, target: Any) -> Tensor:
    """A divergence of (p, 1 - p), given as logarithms, from the probabilities (target, 1 - target)."""
    q = [target, 1 - target]
    if getattr(loss, "log_target", False):
        q = [math.log(value) for value in q]
    return loss(_row(log(p), log(1 - p)), _row(*q)).sum()


# ------------------------------------------------------------------------------------- class scores
def _others(loss: Any) -> int:
    """How many classes there are beside the right one: two, unless a weight for each class tells."""
    for name in ("weight", "alpha"):
        weight = loss.keywords.get(name) if isinstance(loss, functools.partial) else getattr(loss, name, None)
        if isinstance(weight, Tensor) and weight.ndim == 1:
            return len(weight) - 1
    return 2


def _class_score(loss: Any, x: Tensor, target: Any) -> Tensor:
    return loss(_row(x, *[0.0] * _others(loss)), tensor([int(target)]))


def _nll(loss: Any, x: Tensor, target: Any) -> Tensor:
    count = _others(loss)
    return loss(_row(x, *[log((1 - x.exp()) / count)] * count), tensor([int(target)]))


def _several_labels(loss: Any, x: Tensor, target: Any) -> Tensor:
    return loss(_row(x, 0.0, 0.0), tensor([target]))


def _one_label(loss: Any, x: Tensor, target: Any) -> Tensor:
    return loss(_row(x).reshape(1, 1), tensor([[float(target)]]))


def _along_class(weight_of: Callable[[Any], Tensor]) -> Call:
    """The loss of features that lie x far along the weight vector of the first class."""

    def call(loss: Any, x: Tensor, target: Any) -> Tensor:
        direction = weight_of(loss).detach()[0].double()
        features = (x * direction / direction.norm()).reshape(1, -1)
        result = loss(features.to(weight_of(loss).dtype), tensor([int(target)]))
        return getattr(result, "loss", result)

    return call


def _angle_to_class(loss: Any, x: Tensor, target: Any) -> Tensor:
    """The loss of an embedding at an angle of x radians to the vector of its class."""
    if not isinstance(loss, Module):  # a function of the cosines
        return loss(_row(x.cos(), 0.0, 0.0), tensor([int(target)]))
    vectors: Tensor = _own_weight(loss).detach().double()
    if vectors.shape[1] < 2:
        raise ValueError(f"{type(loss).__name__} has one feature only, so there is no angle to draw over")
    own = vectors[0] / vectors[0].norm()
    aside = zeros(len(own), dtype="float64")
    aside[int(own.abs().argmin())] = 1.0
    aside = aside - (aside * own).sum() * own
    embedding = x.cos() * own + x.sin() * aside / aside.norm()
    return loss(embedding.reshape(1, -1), tensor([int(target)]))


# --------------------------------------------------------------------------------------- embeddings
def _at_angle(x: Tensor) -> Tensor:
    return stack([x.cos(), x.sin(), 0 * x]).reshape(1, 3)


_EAST, _UP = ((1.0, 0.0, 0.0),), ((0.0, 0.0, 1.0),)


def _fixed(rows: Any) -> Tensor:
    return tensor(rows, dtype="float64")


def _pair_at_distance(loss: Any, x: Tensor, target: Any) -> Tensor:
    return loss(_row(x, 0.0), _row(0.0, 0.0), _row(target))


def _pair_at_angle(loss: Any, x: Tensor, target: Any) -> Tensor:
    return loss(_at_angle(x), _fixed(_EAST), _row(target))


def _triplet(loss: Any, x: Tensor, target: Any) -> Tensor:
    """Anchor at 0, positive at distance x, negative at distance 1 the other way."""
    return loss(_row(0.0, 0.0), _row(x, 0.0), _row(-1.0, 0.0))


def _two_views(loss: Any, x: Tensor, target: Any) -> Tensor:
    """Two samples, two views of each: the first sample's views are x radians apart."""
    return loss(cat([_at_angle(x), _fixed(_UP)]), _fixed((*_EAST, *_UP)))


def _labelled(loss: Any, x: Tensor, target: Any) -> Tensor:
    """Four embeddings, two of each label: one turns away from its own."""
    embeddings = cat([_at_angle(x), _fixed((*_EAST, *_UP, *_UP))])
    return loss(embeddings, tensor([0, 0, 1, 1]))


# ------------------------------------------------------------------------------- images and sequences
_MASK = (1.0, 1.0, 0.0, 0.0)


def _mask(loss: Any, x: Tensor, target: Any) -> Tensor:
    """Four pixels, half of them object, all x sure of what is right."""
    if getattr(loss, "mode", "binary") == "multiclass":
        return _class_map(loss, x, target)
    logits = _row(*[x if value else -x for value in _MASK])
    scores = logits if getattr(loss, "from_logits", True) else logits.sigmoid()
    return loss(scores, _row(*_MASK))


def _class_map(loss: Any, x: Tensor, target: Any) -> Tensor:
    """Three pixels of three classes, each with the logit x at its own class."""
    scores = stack([_row(*[x if k == pixel else 0 * x for pixel in range(3)])[0] for k in range(3)])
    scores = scores.reshape(1, 3, 3)
    if not getattr(loss, "from_logits", True):
        scores = log_softmax(scores, 1).exp()
    return loss(scores, tensor([[0, 1, 2]]))


def _spelling(loss: Any, x: Tensor, target: Any) -> Tensor:
    """Three steps that may say blank, a or b, for the word "a": at each step a has the logit x."""
    step = _row(0.0, x, 0.0)
    log_probabilities = log_softmax(cat([step, step, step]).reshape(3, 1, 3), -1)
    return loss(log_probabilities, tensor([[1]]), tensor([3]), tensor([1]))


# -------------------------------------------------------------------------------------------- axes
_YES_NO = (("target 1", 1.0), ("target 0", 0.0))
_SIGNS = (("target +1", 1.0), ("target −1", -1.0))
_RIGHT = (("", 0),)

AXES = {
    "residual": Axis("residual: prediction − target", _residual, (-3, 3), (("", 0.0),), "r"),
    "relative": Axis("prediction, where the target is 2", _elementwise, (0.02, 6), (("", 2.0),)),
    "probability": Axis("predicted probability p", _elementwise, (0.02, 0.98), _YES_NO, "p"),
    "logit": Axis("logit x", _elementwise, (-6, 6), _YES_NO),
    "margin": Axis("margin: target · score", _elementwise, (-3, 3), (("", 1.0),), "m"),
    "class": Axis("logit of the right class, others 0", _class_score, (-5, 8), _RIGHT),
}


@dataclass(frozen=True)
class Setup:
    """A loss of the table: how to make one for the gallery, and its axis."""

    make: Callable[[], Any]
    axis: Axis


def _identity(module: Any, weight: Callable[[Any], Any]) -> Any:
    """A module whose weights are set, so that its picture is the same every time."""
    with no_grad():
        matrix = weight(module)
        matrix.zero_()
        for i in range(min(matrix.shape)):
            matrix[i, i] = 1.0
    return module


def _linear_weight(module: Any) -> Any:
    return module.linear.weight


def _head_weight(module: Any) -> Any:
    return module.head.weight


def _own_weight(module: Any) -> Any:
    return module.weight


def _adaptive() -> Any:
    module = _identity(nn.AdaptiveLogSoftmaxWithLoss(3, 4, [2], div_value=1.0), _head_weight)
    with no_grad():
        for parameter in module.tail.parameters():
            parameter.zero_()
    return module


_ANGLE = "angle to the positive (radians)"
_TURN = functools.partial(Axis, span=(0.0, math.pi), symbol="θ")
_MASKS = Axis("logit of what is right, at every pixel", _mask, (-5, 5))
_CHANCES = Axis("probability, where the target's is 0.25", _two_chances, (0.02, 0.98), (("", 0.25),), "p")
_FEATURE = "feature along the class's weights"

FAMILIES: dict[str, dict[str, Setup]] = {
    "regression": {
        "MSELoss": Setup(nn.MSELoss, AXES["residual"]),
        "L1Loss": Setup(nn.L1Loss, AXES["residual"]),
        "SmoothL1Loss": Setup(nn.SmoothL1Loss, AXES["residual"]),
        "HuberLoss": Setup(nn.HuberLoss, AXES["residual"]),
        "LogCoshLoss": Setup(extra.LogCoshLoss, AXES["residual"]),
        "QuantileLoss": Setup(lambda: extra.QuantileLoss(quantile=0.8), AXES["residual"]),
        "MSLELoss": Setup(extra.MSLELoss, AXES["relative"]),
        "MAPELoss": Setup(extra.MAPELoss, AXES["relative"]),
        "GaussianNLLLoss": Setup(
            nn.GaussianNLLLoss,
            Axis("residual", _gaussian, (-3, 3), (("variance 1", 1.0), ("variance 0.25", 0.25)), "r"),
        ),
        "PoissonNLLLoss": Setup(
            nn.PoissonNLLLoss,
            Axis("log of the rate", _elementwise, (-2, 3), (("count 3", 3.0), ("count 0", 0.0))),
        ),
    },
    "yes or no": {
        "BCELoss": Setup(nn.BCELoss, AXES["probability"]),
        "BCEWithLogitsLoss": Setup(nn.BCEWithLogitsLoss, AXES["logit"]),
        "SmoothBCEWithLogitsLoss": Setup(
            lambda: extra.SmoothBCEWithLogitsLoss(label_smoothing=0.2), AXES["logit"]
        ),
        "SigmoidFocalLoss": Setup(extra.SigmoidFocalLoss, AXES["logit"]),
        "MultiLabelSoftMarginLoss": Setup(
            nn.MultiLabelSoftMarginLoss, Axis("logit of a label", _one_label, (-6, 6), _YES_NO)
        ),
    },
    "scores of ±1": {
        "SoftMarginLoss": Setup(nn.SoftMarginLoss, AXES["margin"]),
        "HingeLoss": Setup(extra.HingeLoss, AXES["margin"]),
        "SquaredHingeLoss": Setup(extra.SquaredHingeLoss, AXES["margin"]),
        "HingeEmbeddingLoss": Setup(nn.HingeEmbeddingLoss, Axis("distance x", _elementwise, (0, 3), _SIGNS)),
        "MarginRankingLoss": Setup(
            nn.MarginRankingLoss, Axis("first score − second score", _ranking, (-3, 3), _SIGNS)
        ),
    },
    "one class of several": {
        "CrossEntropyLoss": Setup(nn.CrossEntropyLoss, AXES["class"]),
        "NLLLoss": Setup(nn.NLLLoss, Axis("log-probability of the right class", _nll, (-5, -0.01), _RIGHT)),
        "SoftmaxFocalLoss": Setup(extra.SoftmaxFocalLoss, AXES["class"]),
        "PolyLoss": Setup(extra.PolyLoss, AXES["class"]),
        "GeneralizedCrossEntropyLoss": Setup(extra.GeneralizedCrossEntropyLoss, AXES["class"]),
        "SparsemaxLoss": Setup(extra.SparsemaxLoss, AXES["class"]),
        "FenchelYoungLoss": Setup(extra.FenchelYoungLoss, AXES["class"]),
        "MultiMarginLoss": Setup(nn.MultiMarginLoss, AXES["class"]),
        "MultiClassHingeLoss": Setup(extra.MultiClassHingeLoss, AXES["class"]),
        "MultiLabelMarginLoss": Setup(
            nn.MultiLabelMarginLoss,
            Axis("score of the one right label, others 0", _several_labels, (-5, 8), (("", (0, -1, -1)),)),
        ),
        "LinearCrossEntropyLoss": Setup(
            lambda: _identity(nn.LinearCrossEntropyLoss(3, 3), _linear_weight),
            Axis(_FEATURE, _along_class(_linear_weight), (-5, 8), _RIGHT),
        ),
        "AdaptiveLogSoftmaxWithLoss": Setup(
            _adaptive, Axis(_FEATURE, _along_class(_head_weight), (-5, 8), _RIGHT)
        ),
        "ArcFaceLoss": Setup(
            lambda: _identity(extra.ArcFaceLoss(3, 3, scale=8.0), _own_weight),
            _TURN("angle to its class (radians)", _angle_to_class, targets=_RIGHT),
        ),
        "CosFaceLoss": Setup(
            lambda: _identity(extra.CosFaceLoss(3, 3, scale=8.0), _own_weight),
            _TURN("angle to its class (radians)", _angle_to_class, targets=_RIGHT),
        ),
    },
    "distributions": {
        "KLDivLoss": Setup(
            lambda: nn.KLDivLoss(reduction="batchmean"),
            _CHANCES,
        ),
        "JensenShannonLoss": Setup(
            lambda: extra.JensenShannonLoss(reduction="batchmean"),
            _CHANCES,
        ),
        "GaussianKLLoss": Setup(
            extra.GaussianKLLoss,
            Axis(
                "mean", _gaussian_kl, (-3, 3), (("variance 1", 0.0), ("variance 0.25", math.log(0.25))), "μ"
            ),
        ),
    },
    "embeddings": {
        "CosineEmbeddingLoss": Setup(
            nn.CosineEmbeddingLoss, _TURN("angle of the pair (radians)", _pair_at_angle, targets=_SIGNS)
        ),
        "ContrastiveLoss": Setup(
            extra.ContrastiveLoss,
            Axis(
                "distance of the pair",
                _pair_at_distance,
                (0.02, 2),
                (("alike", 1.0), ("different", 0.0)),
                "d",
            ),
        ),
        "TripletMarginLoss": Setup(
            nn.TripletMarginLoss,
            Axis("distance to the positive, negative at 1", _triplet, (0.02, 3), symbol="d"),
        ),
        "TripletMarginWithDistanceLoss": Setup(
            nn.TripletMarginWithDistanceLoss,
            Axis("distance to the positive, negative at 1", _triplet, (0.02, 3), symbol="d"),
        ),
        "InfoNCELoss": Setup(extra.InfoNCELoss, _TURN(_ANGLE, _two_views)),
        "NTXentLoss": Setup(extra.NTXentLoss, _TURN(_ANGLE, _two_views)),
        "SupConLoss": Setup(extra.SupConLoss, _TURN(_ANGLE, _labelled)),
        "CircleLoss": Setup(lambda: extra.CircleLoss(gamma=8.0), _TURN(_ANGLE, _labelled)),
        "MultiSimilarityLoss": Setup(extra.MultiSimilarityLoss, _TURN(_ANGLE, _labelled)),
    },
    "images and sequences": {
        "DiceLoss": Setup(extra.DiceLoss, _MASKS),
        "JaccardLoss": Setup(extra.JaccardLoss, _MASKS),
        "TverskyLoss": Setup(lambda: extra.TverskyLoss(gamma=0.75), _MASKS),
        "LovaszHingeLoss": Setup(extra.LovaszHingeLoss, _MASKS),
        "LovaszSoftmaxLoss": Setup(
            extra.LovaszSoftmaxLoss, Axis("logit of what is right, at every pixel", _class_map, (-5, 8))
        ),
        "CTCLoss": Setup(
            nn.CTCLoss, Axis('logit of "a" at every step, for the word "a"', _spelling, (-5, 8))
        ),
    },
}
SETUPS = {name: setup for family in FAMILIES.values() for name, setup in family.items()}

# NLLLoss2d is NLLLoss under its old name, and warns of it when made.
OTHER_NAMES = {"NLLLoss2d": "NLLLoss"}


def _function_names() -> dict[str, str]:
    """The row of each loss that is given as a function: the function its module calls."""
    names: dict[str, str] = {}
    for namespace in (nn, extra):
        for name in SETUPS:
            function = getattr(getattr(namespace, name, None), "fn", None)
            if function is not None:
                names.setdefault(function.__name__, name)
    # Functions have what their modules keep as weights among their inputs.
    for name in ("linear_cross_entropy",):
        names.pop(name, None)
    return names


_BY_FUNCTION = _function_names()


def axis_of(loss: Any) -> Axis | None:
    """The axis a loss is shown over, None if it is none of ours (a function of the user's own)."""
    if isinstance(loss, functools.partial):
        return axis_of(loss.func)
    names = [kind.__name__ for kind in type(loss).__mro__] if isinstance(loss, Module) else []
    names = [OTHER_NAMES.get(name, name) for name in names]
    names.append(_BY_FUNCTION.get(getattr(loss, "__name__", ""), ""))
    return next((SETUPS[name].axis for name in names if name in SETUPS), None)


def of_one_sample(loss: Any) -> Any:
    """A copy of the loss that computes in float64 and does not divide by anything of the batch.

    The sum of one sample is its loss; a mean would divide by the sample's weight. Losses of pairs keep their
    mean over the samples.
    """
    axis = axis_of(loss)
    reduction = "mean" if axis is not None and axis.call in (_two_views, _labelled) else "sum"
    if isinstance(loss, Module):
        loss = copy.deepcopy(loss).double()
        if hasattr(loss, "reduction"):
            loss.reduction = reduction
        return loss
    if isinstance(loss, functools.partial):
        named = {name: _double(value) for name, value in loss.keywords.items()}
        if isinstance(loss.func, LossFunction):
            named["reduction"] = reduction
        return functools.partial(loss.func, *loss.args, **named)
    return functools.partial(loss, reduction=reduction) if isinstance(loss, LossFunction) else loss


def _double(value: Any) -> Any:
    return value.double() if isinstance(value, Tensor) and value.is_floating_point() else value


def fed_with(loss: Any) -> str:
    """What a loss is given: "log-probabilities", "probabilities", "signed scores" or "scores"."""
    axis = axis_of(loss)
    if axis is None:
        return "scores"
    if axis.call in (_nll, _two_chances):
        return "log-probabilities"
    if axis is AXES["probability"]:
        return "probabilities"
    return "signed scores" if axis is AXES["margin"] else "scores"


def wants_distributions(loss: Any) -> bool:
    """Whether the loss takes probabilities as its target, and no class index."""
    axis = axis_of(loss)
    return axis is not None and axis.call is _two_chances
