"""The losses that torch lacks, composed of torch's operations, unreduced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

LOG2 = 0.6931471805599453


def _own(log_probabilities: Tensor, target: Tensor) -> Tensor:
    return log_probabilities.gather(1, target[:, None]).squeeze(1)


def sigmoid_focal_loss(input: Tensor, target: Tensor, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    """As torchvision's."""
    p = torch.sigmoid(input)
    entropy = F.binary_cross_entropy_with_logits(input, target, reduction="none")
    own = p * target + (1 - p) * (1 - target)
    return (alpha * target + (1 - alpha) * (1 - target)) * (1 - own) ** gamma * entropy


def smooth_binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, label_smoothing: float = 0.0
) -> Tensor:
    """Of targets drawn towards 1/2."""
    target = target * (1 - label_smoothing) + label_smoothing / 2
    return F.binary_cross_entropy_with_logits(input, target, reduction="none")


def softmax_focal_loss(input: Tensor, target: Tensor, gamma: float = 2.0) -> Tensor:
    """(1 - p)^gamma times the cross entropy."""
    own = _own(F.log_softmax(input, 1), target)
    return -((1 - own.exp()) ** gamma) * own


def poly_loss(input: Tensor, target: Tensor, epsilon: float = 1.0) -> Tensor:
    """Cross entropy and epsilon times 1 - p."""
    own = _own(F.log_softmax(input, 1), target)
    return -own + epsilon * (1 - own.exp())


def generalized_cross_entropy(input: Tensor, target: Tensor, q: float = 0.7) -> Tensor:
    """(1 - p^q) / q."""
    own = _own(F.softmax(input, 1), target)
    return (1 - own**q) / q


def sparsemax_loss(input: Tensor, target: Tensor) -> Tensor:
    """By the support of sparsemax, as optax does."""
    ordered = input.sort(1, descending=True).values
    count = torch.arange(1, input.shape[1] + 1)
    excess = ordered.cumsum(1) - 1
    size = (1 + count * ordered > excess + 1).sum(1, keepdim=True)
    threshold = excess.gather(1, size - 1) / size
    inside = torch.where(input > threshold, input**2 - threshold**2, 0.0)
    return 0.5 * (inside.sum(1) + 1) - _own(input, target)


def hinge_loss(input: Tensor, target: Tensor) -> Tensor:
    """max(0, 1 - xy)."""
    return (1 - input * target).clamp_min(0)


def squared_hinge_loss(input: Tensor, target: Tensor) -> Tensor:
    """max(0, 1 - xy)²."""
    return (1 - input * target).clamp_min(0) ** 2


def multi_class_hinge_loss(input: Tensor, target: Tensor) -> Tensor:
    """max(0, 1 + the largest other score - the target's)."""
    own = target[:, None]
    others = input.scatter(1, own, float("-inf")).amax(1)
    return (1 + others - input.gather(1, own).squeeze(1)).clamp_min(0)


def log_cosh_loss(input: Tensor, target: Tensor) -> Tensor:
    """The logarithm of the error's hyperbolic cosine."""
    error = input - target
    return error + F.softplus(-2 * error) - LOG2


def quantile_loss(input: Tensor, target: Tensor, quantile: float = 0.5) -> Tensor:
    """The pinball loss."""
    error = target - input
    return torch.maximum(quantile * error, (quantile - 1) * error)


def mape_loss(input: Tensor, target: Tensor) -> Tensor:
    """The error relative to the target."""
    return ((input - target) / target).abs()


def msle_loss(input: Tensor, target: Tensor) -> Tensor:
    """The squared difference of log(1 + x)."""
    return (torch.log1p(input) - torch.log1p(target)) ** 2


def jensen_shannon_loss(input: Tensor, target: Tensor, log_target: bool) -> Tensor:
    """Half the divergences of both distributions from their mean, both given as log-probabilities."""
    assert log_target
    middle = torch.logaddexp(input, target) - LOG2
    return (input.exp() * (input - middle) + target.exp() * (target - middle)) / 2


def gaussian_kl_loss(mean: Tensor, logvar: Tensor) -> Tensor:
    """The divergence of a Gaussian from the standard one."""
    return -0.5 * (1 + logvar - mean**2 - logvar.exp())


def contrastive_loss(input1: Tensor, input2: Tensor, target: Tensor, margin: float = 1.0) -> Tensor:
    """Half the squared distance, or half the square of what it lacks to the margin."""
    distance = (input1 - input2).norm(dim=1)
    return (target * distance**2 + (1 - target) * (margin - distance).clamp_min(0) ** 2) / 2


FORMULAS: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        sigmoid_focal_loss,
        smooth_binary_cross_entropy_with_logits,
        softmax_focal_loss,
        poly_loss,
        generalized_cross_entropy,
        sparsemax_loss,
        hinge_loss,
        squared_hinge_loss,
        multi_class_hinge_loss,
        log_cosh_loss,
        quantile_loss,
        mape_loss,
        msle_loss,
        jensen_shannon_loss,
        gaussian_kl_loss,
        contrastive_loss,
    )
}
