"""Filling a tensor in place with random numbers of torch's stream."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.autograd.tape import Variable
from minigrad.ops.inplace import assign
from minigrad.stream import Generator, default_generator


def source_of(generator: Generator | None) -> Generator:
    """The generator to draw from: the given one, or the one `manual_seed` restarts."""
    return default_generator if generator is None else generator


def uniform_(self: Any, a: float = 0.0, b: float = 1.0, *, generator: Generator | None = None) -> Any:
    """Fill with uniform values in [a, b)."""
    source = source_of(generator)
    return assign(self, source.uniform(self._array.shape, a, b, self._array.dtype))


def normal_(self: Any, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None) -> Any:
    """Fill with normal values."""
    source = source_of(generator)
    return assign(self, source.normal(self._array.shape, mean, std, self._array.dtype))


def bernoulli_(self: Any, p: Any = 0.5, *, generator: Generator | None = None) -> Any:
    """Fill with 1 with probability `p`, else 0."""
    source = source_of(generator)
    if isinstance(p, Variable):
        return assign(self, source.bernoulli(np.broadcast_to(p._array, self._array.shape)))
    return assign(self, source.bernoulli_p(self._array.shape, p, np.float32))


def random_(self: Any, low: int = 0, high: int | None = None, *, generator: Generator | None = None) -> Any:
    """Fill with integers in [low, high)."""
    low, high = (0, low) if high is None else (low, high)
    return assign(self, source_of(generator).randint(low, high, self._array.shape))


def exponential_(self: Any, lambd: float = 1.0, *, generator: Generator | None = None) -> Any:
    """Fill with values of the exponential distribution of rate `lambd`."""
    source = source_of(generator)
    return assign(self, source.exponential(self._array.shape, lambd, self._array.dtype))
