"""Softmax over the cosines to class centres, with a margin for the right class: ArcFace, CosFace."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import dtypes
from minigrad.creation import empty
from minigrad.nn import init
from minigrad.nn.extra.checks import (
    check_between,
    check_class_indices,
    check_floating_tensor,
    check_number,
)
from minigrad.nn.extra.similarity import cosines, in_float64
from minigrad.nn.losses.base import LossFunction, loss
from minigrad.nn.losses.classification import cross_entropy
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.ops.elementwise import sqrt, where


def _check_cosines(name: str, input: Any, target: Any) -> tuple[Any, Any]:
    """Cosines (N, C) and class indices (N)."""
    shape = check_floating_tensor(name, "input", input)._array.shape
    if len(shape) != 2:
        raise ValueError(
            f"Expected input of shape (N, C), got {list(shape)}\nOne cosine for each sample and class."
        )
    hint = "The input holds cosines: the products of normalised embeddings and class vectors."
    check_between("input", input, -1, 1, hint, slack=1e-3)
    return input, check_class_indices(target, shape[:1], shape[1])


def _right_class(input: Any, target: Any) -> tuple[Any, ndarray]:
    """The cosine to the right class (N, 1), and where it stands in the input (N, C)."""
    places = target.unsqueeze(1)
    return input.gather(1, places), places._array == np.arange(input.shape[1])


# ------------------------------------------------------------------------------------------- CosFace
def _validate_cos_face(margin: float, scale: float) -> None:
    check_number("margin", margin, least=0)
    check_number("scale", scale, above=0)


def _check_cos_face(input: Any, target: Any, reduction: str, margin: float, scale: float) -> Sequence[Any]:
    return *_check_cosines("cos_face_loss", input, target), reduction, margin, scale


@loss(check=_check_cos_face, validate=_validate_cos_face)
@in_float64
def cos_face_loss(
    input: Any, target: Any, reduction: str = "mean", margin: float = 0.35, scale: float = 64.0
) -> Any:
    """Cross entropy of scale · cos θ, where the right class counts as scale · (cos θ - margin).

    Wants: cosines of embeddings to class vectors, and class indices. `CosFaceLoss` makes the cosines.

    Args:
        input: cosines, (N, C).
        target: class indices in [0, C), (N), of any integer type.
        reduction: "mean" divides by N; "sum"; "none".
        margin: by how much the right cosine should exceed the others, >= 0; 0 is the normalised softmax.
        scale: what the cosines are multiplied by, > 0.

    Gradient: scale times that of cross entropy.

    Use it to learn an embedding from classes that are many and known. The common mistake is to give it
    logits: cosines are within [-1, 1].

    Raises:
        IndexError: a class index is out of range.
        RuntimeError: an input is no cosine.
        ValueError: shapes or options do not fit.

    Source: H. Wang et al., "CosFace: Large Margin Cosine Loss for Deep Face Recognition", CVPR 2018.

    Example:
        >>> import minigrad
        >>> from minigrad.nn import extra
        >>> extra.cos_face_loss(minigrad.tensor([[0.8, 0.6]]), minigrad.tensor([0]), scale=10.0)
        tensor(1.7014)
    """
    cosine, right = _right_class(input, target)
    return cross_entropy(scale * where(right, cosine - margin, input), target, reduction=reduction)


# ------------------------------------------------------------------------------------------- ArcFace
def _validate_arc_face(margin: float, scale: float) -> None:
    if not 0 <= margin < math.pi:
        raise ValueError(f"margin must be an angle in radians, 0 or more and less than π. Got: {margin}")
    check_number("scale", scale, above=0)


def _check_arc_face(input: Any, target: Any, *options: Any) -> Sequence[Any]:
    return *_check_cosines("arc_face_loss", input, target), *options


@loss(check=_check_arc_face, validate=_validate_arc_face)
@in_float64
def arc_face_loss(
    input: Any,
    target: Any,
    reduction: str = "mean",
    margin: float = 0.5,
    scale: float = 64.0,
    easy_margin: bool = False,
) -> Any:
    """Cross entropy of scale · cos θ, where the right class counts as scale · cos(θ + margin).

    Wants: cosines of embeddings to class vectors, and class indices. `ArcFaceLoss` makes the cosines.

    Args:
        input: cosines, (N, C).
        target: class indices in [0, C), (N), of any integer type.
        reduction: "mean" divides by N; "sum"; "none".
        margin: the angle in radians, in [0, π); 0 is the normalised softmax.
        scale: what the cosines are multiplied by, > 0.
        easy_margin: the margin is for samples within 90° of their class only.

    Where θ + margin exceeds π, cos(θ + margin) would rise again: there cos θ - margin · sin(margin) stands
    for it, as in the authors' code. The loss jumps at that angle, as it does at 90° with `easy_margin`.

    Gradient: scale times that of cross entropy, times sin(θ + margin) / sin θ for the right class, which is
    infinite at θ = 0; at a cosine of exactly 1 it is taken without the infinite part.

    Use it to learn an embedding from classes that are many and known. Common mistakes: logits for cosines, a
    margin in degrees.

    Raises:
        IndexError: a class index is out of range.
        RuntimeError: an input is no cosine.
        ValueError: shapes or options do not fit.

    Source: J. Deng et al., "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", CVPR 2019.

    Example:
        >>> import minigrad
        >>> from minigrad.nn import extra
        >>> extra.arc_face_loss(minigrad.tensor([[0.8, 0.6]]), minigrad.tensor([0]), scale=10.0)
        tensor(2.0011)
    """
    cosine, right = _right_class(input, target)
    square = (1 - cosine) * (1 + cosine)
    flat = square <= 0
    sine = where(flat, 0.0, sqrt(where(flat, 1.0, square)))
    turned = cosine * math.cos(margin) - sine * math.sin(margin)
    if easy_margin:
        turned = where(cosine > 0, turned, cosine)
    else:
        beyond = cosine <= -math.cos(margin)
        turned = where(beyond, cosine - margin * math.sin(margin), turned)
    return cross_entropy(scale * where(right, turned, input), target, reduction=reduction)


# --------------------------------------------------------------------------------------- their modules
class _MarginSoftmax(Module):
    """A vector for each class, and a loss of the cosines of embeddings to them."""

    fn: LossFunction
    weight: Parameter
    reduction: str

    def __init__(self, in_features: int, num_classes: int, device: Any, dtype: Any, **options: Any) -> None:
        super().__init__()
        dtypes.check_device(device)
        check_number("in_features", in_features, least=1)
        check_number("num_classes", num_classes, least=1)
        self.fn.check_options(options)
        self.in_features = in_features
        self.num_classes = num_classes
        self._option_names = tuple(options)
        for name, value in options.items():
            setattr(self, name, value)
        self.weight = Parameter(empty(num_classes, in_features, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the class vectors anew."""
        init.xavier_uniform_(self.weight)

    def _options(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self._option_names}

    def cosines(self, input: Any) -> Any:
        """The cosines (N, num_classes) of embeddings (N, in_features) to the class vectors, in float64."""
        shape = check_floating_tensor(type(self).__name__, "input", input)._array.shape
        if len(shape) != 2 or shape[1] != self.in_features:
            raise ValueError(
                f"Expected input of shape (N, {self.in_features}), got {list(shape)}\n"
                f"The module was made with in_features={self.in_features}."
            )
        return cosines(input.double(), self.weight.double())

    def forward(self, input: Any, target: Any) -> Any:
        """The loss of embeddings (N, in_features) with class indices (N)."""
        return self.fn(self.cosines(input), target, **self._options()).to(input.dtype)

    def extra_repr(self) -> str:
        options = "".join(f", {name}={value!r}" for name, value in self._options().items())
        return f"in_features={self.in_features}, num_classes={self.num_classes}{options}"


class ArcFaceLoss(_MarginSoftmax):
    """Cross entropy of scale · cos θ to class vectors of its own, the right class at cos(θ + margin).

    Wants embeddings, (N, in_features), of any length, and class indices (N). `weight` (num_classes,
    in_features), the class vectors, is a parameter: give `criterion.parameters()` to the optimiser too,
    forgetting which is the common mistake. `cosines(input)` tells which class an embedding is next to.
    See `minigrad.nn.extra.arc_face_loss`.

    Raises:
        ValueError: options or shapes do not fit.

    Example:
        >>> import minigrad
        >>> _ = minigrad.manual_seed(0)
        >>> criterion = minigrad.nn.extra.ArcFaceLoss(in_features=2, num_classes=3, scale=16.0)
        >>> criterion
        ArcFaceLoss(in_features=2, num_classes=3, margin=0.5, scale=16.0, easy_margin=False, reduction='mean')
        >>> loss = criterion(minigrad.tensor([[1.0, 0.0]]), minigrad.tensor([1]))
        >>> loss.backward()
        >>> criterion.weight.grad.shape
        torch.Size([3, 2])
    """

    fn = arc_face_loss

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        margin: float = 0.5,
        scale: float = 64.0,
        easy_margin: bool = False,
        reduction: str = "mean",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        options = {"margin": margin, "scale": scale, "easy_margin": easy_margin, "reduction": reduction}
        super().__init__(in_features, num_classes, device, dtype, **options)


class CosFaceLoss(_MarginSoftmax):
    """Cross entropy of scale · cos θ to class vectors of its own, the right class at cos θ - margin.

    Wants embeddings, (N, in_features), of any length, and class indices (N). `weight` (num_classes,
    in_features), the class vectors, is a parameter: give `criterion.parameters()` to the optimiser too,
    forgetting which is the common mistake. `cosines(input)` tells which class an embedding is next to.
    See `minigrad.nn.extra.cos_face_loss`.

    Raises:
        ValueError: options or shapes do not fit.

    Example:
        >>> import minigrad
        >>> _ = minigrad.manual_seed(0)
        >>> criterion = minigrad.nn.extra.CosFaceLoss(in_features=2, num_classes=3)
        >>> criterion
        CosFaceLoss(in_features=2, num_classes=3, margin=0.35, scale=64.0, reduction='mean')
        >>> criterion.cosines(minigrad.tensor([[1.0, 0.0]])).shape
        torch.Size([1, 3])
    """

    fn = cos_face_loss

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        margin: float = 0.35,
        scale: float = 64.0,
        reduction: str = "mean",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        options = {"margin": margin, "scale": scale, "reduction": reduction}
        super().__init__(in_features, num_classes, device, dtype, **options)
