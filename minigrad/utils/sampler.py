"""Samplers: the orders in which samples are taken, torch's for the same seed."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, Generic, TypeVar

import numpy as np

from minigrad.creation import tensor
from minigrad.dtypes import float64
from minigrad.random import multinomial
from minigrad.stream import Generator, default_generator

Indices = np.ndarray[Any, Any]
T_co = TypeVar("T_co", covariant=True)


class Sampler(Generic[T_co]):
    """An order in which to take samples: define `__iter__`, giving indices or lists of them."""

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError


class RunSampler(Sampler[int]):
    """A sampler that gives its indices as arrays, in runs, each drawn when it is due."""

    def runs(self) -> Iterator[Indices]:
        raise NotImplementedError

    def __iter__(self) -> Iterator[int]:
        for run in self.runs():
            yield from run.tolist()


class SequentialSampler(RunSampler):
    """0, 1, 2, ... for each of the samples of `data_source`."""

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def runs(self) -> Iterator[Indices]:
        yield np.arange(len(self.data_source))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(RunSampler):
    """Indices in random order, or with `replacement` drawn independently of each other.

    Without a `generator` each pass takes one seed from the global stream and shuffles by a stream
    of its own. If `num_samples` is more than there are, another shuffle follows.

    Raises:
        TypeError: `replacement` is no bool.
        ValueError: `num_samples`, or the size of the data set in its place, is no positive integer.

    Example:
        >>> import minigrad
        >>> from minigrad.utils.data import RandomSampler
        >>> _ = minigrad.manual_seed(0)
        >>> sampler = RandomSampler(range(5))
        >>> list(sampler), list(sampler)
        ([1, 3, 4, 2, 0], [1, 4, 2, 3, 0])
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise ValueError(
                f"num_samples should be a positive integer value, but got num_samples={self.num_samples}"
            )

    @property
    def num_samples(self) -> int:
        """How many indices a pass gives."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def runs(self) -> Iterator[Indices]:
        size, count = len(self.data_source), self.num_samples
        own = self.generator is None
        source = self.generator or Generator().manual_seed(default_generator.random63())
        if self.replacement:
            for start in range(0, count, 32):  # drawn in runs of 32, as torch draws them
                yield source.randint(0, size, (min(32, count - start),))
            return
        for _ in range(count // size):
            yield source.randperm(size)
        rest = count % size
        if rest or not own:  # torch shuffles even for a rest of 0, and a shared stream moves on
            yield source.randperm(size)[:rest]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(RunSampler):
    """The given indices in random order, drawn from `generator` or the global stream."""

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def runs(self) -> Iterator[Indices]:
        order = (self.generator or default_generator).randperm(len(self.indices))
        yield np.asarray(self.indices)[order]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """`num_samples` indices, each as often as its weight says, by `minigrad.multinomial`.

    Raises:
        ValueError: `num_samples` is no positive integer, `replacement` no bool, or there are not weights in
            one dimension.

    Example:
        >>> import minigrad
        >>> from minigrad.utils.data import WeightedRandomSampler
        >>> _ = minigrad.manual_seed(0)
        >>> list(WeightedRandomSampler([0.1, 0.9, 0.4, 0.7, 3.0, 0.6], 5))
        [5, 4, 4, 5, 4]
    """

    def __init__(
        self,
        weights: Sequence[float],
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        if not isinstance(num_samples, int) or isinstance(num_samples, bool) or num_samples <= 0:
            raise ValueError(
                f"num_samples should be a positive integer value, but got num_samples={num_samples}"
            )
        if not isinstance(replacement, bool):
            raise ValueError(f"replacement should be a boolean value, but got replacement={replacement}")
        self.weights = tensor(weights, dtype=float64)
        if self.weights.ndim != 1:
            raise ValueError(
                f"weights should be a 1d sequence but given weights have shape {tuple(self.weights.shape)}"
            )
        self.num_samples, self.replacement, self.generator = num_samples, replacement, generator

    def __iter__(self) -> Iterator[int]:
        drawn = multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator)
        yield from drawn.tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Lists of `batch_size` indices from another sampler; the last may be shorter, or be dropped.

    Raises:
        ValueError: `batch_size` is no positive integer, or `drop_last` no bool.

    Example:
        >>> from minigrad.utils.data import BatchSampler
        >>> list(BatchSampler(range(5), batch_size=2, drop_last=False))
        [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[Any], batch_size: int, drop_last: bool) -> None:
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
            raise ValueError(
                f"batch_size should be a positive integer value, but got batch_size={batch_size}"
            )
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if self.drop_last and len(batch) < self.batch_size:
                return
            yield batch

    def arrays(self) -> Iterator[Indices]:
        """The batches of a `RunSampler` as arrays."""
        size = self.batch_size
        held = np.empty(0, np.int64)
        for run in self.sampler.runs():  # type: ignore[attr-defined]
            held = np.concatenate((held, run)) if held.size else run
            full = held.size - held.size % size
            for start in range(0, full, size):
                yield held[start : start + size]
            held = held[full:]
        if held.size and not self.drop_last:
            yield held

    def __len__(self) -> int:
        count = len(self.sampler)  # type: ignore[arg-type]
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)
