"""Random tensors, drawn from torch's CPU stream: the same seed gives the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.creation import _finish, _like, _sizes
from minigrad.ops.fill import source_of
from minigrad.stream import Generator as Generator
from minigrad.stream import default_generator as default_generator
from minigrad.tensor import Tensor


def manual_seed(seed: int) -> Generator:
    """Restart the random stream; returns the generator.

    Example:
        >>> import minigrad
        >>> _ = minigrad.manual_seed(0)
        >>> minigrad.rand(2)
        tensor([0.4963, 0.7682])
    """
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Restart the random stream from a seed of the operating system; returns it.

    Example:
        >>> import minigrad
        >>> minigrad.seed() == minigrad.initial_seed()
        True
    """
    return default_generator.seed()


def initial_seed() -> int:
    """The seed the random stream was last started from.

    Example:
        >>> import minigrad
        >>> _ = minigrad.manual_seed(7)
        >>> minigrad.initial_seed()
        7
    """
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The state of the random stream, for `set_rng_state`.

    Example:
        >>> import minigrad
        >>> state = minigrad.get_rng_state()
        >>> first = minigrad.rand(3)
        >>> minigrad.set_rng_state(state)
        >>> minigrad.equal(minigrad.rand(3), first)
        True
    """
    return Tensor._wrap(default_generator.get_state())


def set_rng_state(new_state: Tensor) -> None:
    """Continue the random stream from a state that `get_rng_state` gave.

    Example:
        >>> import minigrad
        >>> minigrad.set_rng_state(minigrad.get_rng_state())
    """
    default_generator.set_state(new_state._array)


def rand(
    *sizes: Any,
    size: Any = None,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform values in [0, 1).

    Example:
        >>> import minigrad
        >>> _ = minigrad.manual_seed(0)
        >>> minigrad.rand(1, 3)
        tensor([[0.4963, 0.7682, 0.0885]])
    """
    array = source_of(generator).rand(_sizes(sizes, size), _kind(dtype))
    return _finish(array, requires_grad, device)


def randn(
    *sizes: Any,
    size: Any = None,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Values of the standard normal distribution.

    Example:
        >>> import minigrad
        >>> _ = minigrad.manual_seed(0)
        >>> minigrad.randn(3)
        tensor([ 1.5410, -0.2934, -2.1788])
    """
    array = source_of(generator).randn(_sizes(sizes, size), _kind(dtype))
    return _finish(array, requires_grad, device)


def _kind(dtype: Any) -> np.dtype:
    return dtypes.default_float() if dtype is None else dtypes.to_numpy(dtype)


def randint(
    low: int,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Integers in [low, high), int64; `randint(high, size)` starts at 0.

    Raises:
        RuntimeError: `low` is not below `high`.

    Example:
        >>> import minigrad
        >>> _ = minigrad.manual_seed(0)
        >>> minigrad.randint(0, 10, (4,))
        tensor([4, 9, 3, 0])
    """
    if size is None and isinstance(high, (tuple, list)):
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if size is None:
        raise TypeError("randint() needs a size, e.g. randint(0, 10, (3,))")
    kind = np.dtype(np.int64) if dtype is None else dtypes.to_numpy(dtype)
    array = source_of(generator).randint(low, high, _sizes((), size), kind)
    return _finish(array, requires_grad, device)


def randperm(n: int, *, generator: Generator | None = None, dtype: Any = None, device: Any = None) -> Tensor:
    """The integers below `n` in random order.

    Example:
        >>> import minigrad
        >>> _ = minigrad.manual_seed(0)
        >>> minigrad.randperm(4)
        tensor([0, 1, 3, 2])
    """
    array = source_of(generator).randperm(n)
    return _finish(array if dtype is None else array.astype(dtypes.to_numpy(dtype)), False, device)


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """The places of `num_samples` draws from the weights of each row, which need not sum to one.

    Shapes: input (N, K) or (K,), result (N, num_samples) or (num_samples,), int64.

    Raises:
        RuntimeError: weights are negative, infinite or nan, those of a row are all zero, or without
            `replacement` there are fewer than `num_samples`.

    Example:
        >>> import minigrad
        >>> _ = minigrad.manual_seed(0)
        >>> minigrad.multinomial(minigrad.tensor([0.0, 10, 3, 0]), 4, replacement=True)
        tensor([2, 1, 1, 2])
    """
    weights = input._array
    if weights.ndim not in (1, 2):
        raise RuntimeError(f"prob_dist must be 1 or 2 dim, but got {weights.ndim} dimensions")
    if weights.dtype.kind != "f":
        raise RuntimeError(
            "multinomial only supports floating-point dtypes for input, got: "
            f"{dtypes.of(weights).scalar_type}"
        )
    if num_samples <= 0:
        raise RuntimeError("cannot sample n_sample <= 0 samples")
    if not replacement and num_samples > weights.shape[-1]:
        raise RuntimeError("cannot sample n_sample > prob_dist.size(-1) samples without replacement")
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if not (weights.sum(-1) > 0).all():
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    drawn = source_of(generator).multinomial(np.atleast_2d(weights), num_samples, replacement)
    return Tensor._wrap(drawn.reshape(*weights.shape[:-1], num_samples))


def bernoulli(input: Tensor, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability each element gives, else 0.

    Raises:
        RuntimeError: an element is outside [0, 1].

    Example:
        >>> import minigrad
        >>> _ = minigrad.manual_seed(0)
        >>> minigrad.bernoulli(minigrad.tensor([0.0, 0.5, 1.0]))
        tensor([0., 0., 1.])
    """
    return Tensor._wrap(source_of(generator).bernoulli(input._array))


def normal(
    mean: Any,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal values; mean and std are numbers with a `size`, or tensors.

    Raises:
        RuntimeError: `std` is negative.

    Example:
        >>> import minigrad
        >>> _ = minigrad.manual_seed(0)
        >>> minigrad.normal(10.0, 2.0, (2,))
        tensor([13.0820,  9.4131])
    """
    source = source_of(generator)
    if not isinstance(mean, Tensor) and not isinstance(std, Tensor):
        if size is None:
            raise TypeError("normal() needs a size when mean and std are numbers, e.g. size=(3,)")
        array = source.normal(_sizes((), size), mean, std, _kind(dtype))
        return _finish(array, requires_grad, device)
    means = mean._array if isinstance(mean, Tensor) else np.float32(mean)
    deviations = std._array if isinstance(std, Tensor) else np.float32(std)
    if (np.asarray(deviations) < 0).any():
        raise RuntimeError("normal expects all elements of std >= 0.0")
    kind = mean._array.dtype if isinstance(mean, Tensor) else std._array.dtype
    shape = np.broadcast_shapes(np.shape(means), np.shape(deviations))
    return Tensor._wrap((source.randn(shape, kind) * deviations + means).astype(kind))


def rand_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Uniform values in [0, 1) in the shape and dtype of `input`.

    Example:
        >>> import minigrad
        >>> _ = minigrad.manual_seed(0)
        >>> minigrad.rand_like(minigrad.ones(2))
        tensor([0.4963, 0.7682])
    """
    return _finish(default_generator.rand(*_like(input, dtype)), requires_grad, device)


def randn_like(
    input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Standard normal values in the shape and dtype of `input`.

    Example:
        >>> import minigrad
        >>> _ = minigrad.manual_seed(0)
        >>> minigrad.randn_like(minigrad.ones(2))
        tensor([ 1.5410, -0.2934])
    """
    return _finish(default_generator.randn(*_like(input, dtype)), requires_grad, device)


def randint_like(input: Tensor, low: int, high: int | None = None, *, dtype: Any = None) -> Tensor:
    """Integers in [low, high) in the shape and dtype of `input`.

    Example:
        >>> import minigrad
        >>> _ = minigrad.manual_seed(0)
        >>> minigrad.randint_like(minigrad.ones(4), 0, 10)
        tensor([4., 9., 3., 0.])
    """
    low, high = (0, low) if high is None else (low, high)
    shape, kind = _like(input, dtype)
    return _finish(default_generator.randint(low, high, shape).astype(kind), False)
