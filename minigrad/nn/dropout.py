"""Dropout of elements or of channels, as functions and as modules."""

from __future__ import annotations

import math
import warnings

from minigrad.nn.module import Module
from minigrad.ops.elementwise import add, mul
from minigrad.ops.inplace import update
from minigrad.stream import default_generator
from minigrad.tensor import Tensor


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero each element with probability `p` and divide the others by 1 - p.

    The expectation of the result is the input. Without `training` the input itself is returned. The
    mask is drawn as `bernoulli_(1 - p)` draws.

    Raises:
        ValueError: `p` is outside [0, 1].

    Source: N. Srivastava et al., "Dropout: a simple way to prevent neural networks from
    overfitting", JMLR 15 (2014).

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> nn.functional.dropout(minigrad.ones(3), p=1.0)
        tensor([0., 0., 0.])
    """
    _check(p)
    if not training or p == 0 or input._array.size == 0:
        return input
    mask = 0.0 if p == 1 else _mask(input, 1 - p)
    return update(input, mul, mask) if inplace else mul(input, mask)


def _mask(input: Tensor, keep: float) -> Tensor:
    """0 or 1 / keep for each element."""
    kind = input._array.dtype
    one = kind.type(1) / kind.type(keep)
    return Tensor._wrap(default_generator.bernoulli_p(input._array.shape, keep, kind, one))


def _check(p: float) -> None:
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


# The value of selu far below 0, negative: what alpha dropout puts in the place of what it drops.
_SELU_FLOOR = 1.7580993408473766


def _dropped(input: Tensor, p: float, training: bool, inplace: bool, channels: bool, alpha: bool) -> Tensor:
    """torch's `_dropout_impl`: of elements or `channels`, to zero or to `alpha` dropout's value."""
    _check(p)
    if not training or p == 0 or input._array.size == 0:
        return input
    if p == 1:
        return update(input, mul, 0.0) if inplace else mul(input, 0.0)
    if channels and input.ndim < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    kind, shape = input._array.dtype, input._array.shape
    if channels:
        shape = (*shape[:2], *(1,) * (len(shape) - 2))
    kept = default_generator.bernoulli_p(shape, 1 - p, kind, 1.0)
    if not alpha:
        mask = Tensor._wrap(kept / kind.type(1 - p))
        return update(input, mul, mask) if inplace else mul(input, mask)
    scale = 1 / math.sqrt((_SELU_FLOOR**2 * p + 1) * (1 - p))
    shift = Tensor._wrap((kept - 1) * (_SELU_FLOOR * scale) + _SELU_FLOOR * scale * p)
    noise = Tensor._wrap(kept * scale)
    if inplace:
        return update(update(input, mul, noise), add, shift)
    return add(mul(input, noise), shift)


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero each channel of sequences, (N, C, L) or (C, L), with probability `p`; divide the others by 1 - p.

    Raises:
        RuntimeError: the input has neither 2 nor 3 dimensions.
        ValueError: `p` is outside [0, 1].

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.dropout1d(minigrad.ones(1, 2, 3), training=False).shape
        torch.Size([1, 2, 3])
    """
    _check(p)
    if input.ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {input.ndim}D input. Note that dropout1d "
            "exists to provide channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, "
            "and an optional batch dimension (i.e. 2D or 3D inputs)."
        )
    batch = input if input.ndim == 3 else input.unsqueeze(0)
    result = _dropped(batch, p, training, inplace, channels=True, alpha=False)
    return result if input.ndim == 3 else result.squeeze(0)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero each channel of images (N, C, H, W) with probability `p`, and divide the others by 1 - p.

    Raises:
        ValueError: `p` is outside [0, 1].

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.dropout2d(minigrad.ones(1, 2, 3, 3), training=False).shape
        torch.Size([1, 2, 3, 3])
    """
    _check(p)
    if input.ndim not in (3, 4):
        warnings.warn(
            f"dropout2d: Received a {input.ndim}-D input to dropout2d, which is deprecated and will result "
            "in an error in a future release. To retain the behavior and silence this warning, please use "
            "dropout instead. Note that dropout2d exists to provide channel-wise dropout on inputs with 2 "
            "spatial dimensions, a channel dimension, and an optional batch dimension (i.e. 3D or 4D "
            "inputs).",
            stacklevel=2,
        )
    if input.ndim == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior "
            "is desired - input is interpreted as shape (N, C, L), where C is the channel dim. This behavior "
            "will change in a future release to interpret the input as one without a batch dimension, i.e. "
            "shape (C, H, W). To maintain the 1D channel-wise dropout behavior, please switch to using "
            "dropout1d instead.",
            stacklevel=2,
        )
    return _dropped(input, p, training, inplace, channels=True, alpha=False)


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Set elements to selu's lowest value with probability `p`, then scale: mean 0 and variance 1 stay.

    Raises:
        ValueError: `p` is outside [0, 1].

    Source: G. Klambauer et al., "Self-normalizing neural networks", NeurIPS 2017.

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.alpha_dropout(minigrad.ones(2), training=False)
        tensor([1., 1.])
    """
    return _dropped(input, p, training, inplace, channels=False, alpha=True)


def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """`alpha_dropout` of whole channels, dimension 1.

    Raises:
        RuntimeError: the input has less than 2 dimensions.
        ValueError: `p` is outside [0, 1].

    Example:
        >>> import minigrad
        >>> minigrad.nn.functional.feature_alpha_dropout(minigrad.ones(1, 2), training=False)
        tensor([[1., 1.]])
    """
    return _dropped(input, p, training, inplace, channels=True, alpha=True)


class Dropout(Module):
    """In training zeroes each element with probability `p` and divides the others by 1 - p.

    Raises:
        ValueError: `p` is outside [0, 1].

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> layer = nn.Dropout(p=0.2)
        >>> layer
        Dropout(p=0.2, inplace=False)
        >>> layer.eval()(minigrad.ones(2))
        tensor([1., 1.])
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        _check(p)
        self.p = p
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout1d(Dropout):
    """In training zeroes channels of sequences, see `functional.dropout1d`."""

    def forward(self, input: Tensor) -> Tensor:
        return dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(Dropout):
    """In training zeroes channels of images, see `functional.dropout2d`."""

    def forward(self, input: Tensor) -> Tensor:
        return dropout2d(input, self.p, self.training, self.inplace)


class AlphaDropout(Dropout):
    """In training drops elements and keeps mean and variance, see `functional.alpha_dropout`."""

    def forward(self, input: Tensor) -> Tensor:
        return alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(Dropout):
    """In training drops channels and keeps mean and variance, see `functional.feature_alpha_dropout`."""

    def forward(self, input: Tensor) -> Tensor:
        return feature_alpha_dropout(input, self.p, self.training)
