"""Feeding data: data sets, the samplers that order them, and the loader that makes batches.

The order in which samples come, and what an epoch takes from the random stream, are torch's.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

import numpy as np

from minigrad.stream import Generator, default_generator
from minigrad.tensor import Tensor
from minigrad.utils.collate import default_collate as default_collate
from minigrad.utils.collate import default_convert as default_convert
from minigrad.utils.dataset import ChainDataset as ChainDataset
from minigrad.utils.dataset import ConcatDataset as ConcatDataset
from minigrad.utils.dataset import Dataset as Dataset
from minigrad.utils.dataset import IterableDataset as IterableDataset
from minigrad.utils.dataset import Subset as Subset
from minigrad.utils.dataset import TensorDataset as TensorDataset
from minigrad.utils.dataset import random_split as random_split
from minigrad.utils.sampler import BatchSampler as BatchSampler
from minigrad.utils.sampler import Indices
from minigrad.utils.sampler import RandomSampler as RandomSampler
from minigrad.utils.sampler import Sampler as Sampler
from minigrad.utils.sampler import SequentialSampler as SequentialSampler
from minigrad.utils.sampler import SubsetRandomSampler as SubsetRandomSampler
from minigrad.utils.sampler import WeightedRandomSampler as WeightedRandomSampler

__all__ = [
    "BatchSampler",
    "ChainDataset",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "IterableDataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "WeightedRandomSampler",
    "default_collate",
    "default_convert",
    "get_worker_info",
    "random_split",
]

T_co = TypeVar("T_co", covariant=True)


def get_worker_info() -> None:
    """None: data are loaded in the process that asks for them, never in a worker."""


class DataLoader(Generic[T_co]):
    """Batches of a data set, in order or shuffled; iterating again is another epoch.

    Args:
        dataset: anything with `__getitem__` and `__len__`, or an `IterableDataset`.
        batch_size: samples in a batch; None gives single samples.
        shuffle: a new random order every epoch, torch's for the same seed.
        sampler: the order of the samples instead, any iterable of indices.
        batch_sampler: the batches instead, any iterable of lists of indices.
        collate_fn: makes a batch of a list of samples, `default_collate` if not given.
        drop_last: leave out a last batch that is not full.
        generator: the random stream to draw from instead of the global one.
        num_workers: accepted, but samples are always loaded in this process, in the same order.
        pin_memory, timeout, worker_init_fn, multiprocessing_context, prefetch_factor,
            pin_memory_device, in_order: accepted and of no effect.
        persistent_workers: of no effect but on the random stream, of which each epoch but the first
            takes one number less, as in torch.

    Raises:
        ValueError: arguments that exclude each other, or are out of range.

    Example:
        >>> import minigrad
        >>> from minigrad.utils.data import DataLoader, TensorDataset
        >>> _ = minigrad.manual_seed(0)
        >>> data = TensorDataset(minigrad.arange(5), minigrad.arange(5) ** 2)
        >>> for x, y in DataLoader(data, batch_size=2, shuffle=True):
        ...     print(x, y)
        tensor([1, 4]) tensor([ 1, 16])
        tensor([2, 3]) tensor([4, 9])
        tensor([0]) tensor([0])
    """

    _ready = False

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        if multiprocessing_context is not None and num_workers == 0:
            raise ValueError(
                "multiprocessing_context can only be used with multi-process loading "
                f"(num_workers > 0), but got num_workers={num_workers}"
            )
        self._streaming = isinstance(dataset, IterableDataset)
        if self._streaming:
            _check_stream(shuffle, sampler, batch_sampler)
        _check_sampling(batch_size, bool(shuffle), sampler, batch_sampler, drop_last)
        if sampler is None:
            sampler = self._default_sampler(dataset, bool(shuffle), generator)
        if batch_sampler is not None:
            batch_size, drop_last = None, False
        elif batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.dataset = dataset
        self.batch_size, self.drop_last = batch_size, drop_last
        self.sampler, self.batch_sampler = sampler, batch_sampler
        self.generator = generator
        convert = default_convert if batch_sampler is None else default_collate
        self.collate_fn: Callable[[Any], Any] = convert if collate_fn is None else collate_fn
        self.num_workers, self.persistent_workers = num_workers, persistent_workers
        self.pin_memory, self.pin_memory_device = pin_memory, pin_memory_device
        self.timeout, self.worker_init_fn, self.in_order = timeout, worker_init_fn, in_order
        self.multiprocessing_context = multiprocessing_context
        self.prefetch_factor = prefetch_factor
        self._started = False
        self._ready = True

    def __setattr__(self, name: str, value: Any) -> None:
        if self._ready and name in _FIXED:
            raise ValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(name, value)

    def _default_sampler(self, dataset: Any, shuffle: bool, generator: Generator | None) -> Any:
        if self._streaming:
            return itertools.repeat(None)
        if shuffle:
            return RandomSampler(dataset, generator=generator)
        return SequentialSampler(dataset)

    def __len__(self) -> int:
        if not self._streaming:
            return len(self.sampler if self.batch_sampler is None else self.batch_sampler)  # type: ignore[arg-type]
        count = len(self.dataset)
        if self.batch_size is None:
            return count
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        gather = None if self._streaming else self._gatherer()
        if gather is not None:
            indices = self.batch_sampler.arrays()  # type: ignore[union-attr]
        else:
            indices = iter(self.sampler if self.batch_sampler is None else self.batch_sampler)
        if not (self.persistent_workers and self._started):
            (self.generator or default_generator).random63()  # the seed torch draws for its workers
        self._started = True
        if self._streaming:
            return self._stream(iter(self.dataset))
        return map(gather or self._fetch, indices)

    def _gatherer(self) -> Callable[[Indices], list[Tensor]] | None:
        """Takes a batch by one fancy index a tensor; None where samples are taken one by one."""
        batches = self.batch_sampler
        if (
            self.collate_fn is default_collate
            and type(batches) is BatchSampler
            and type(batches.sampler) in (SequentialSampler, RandomSampler, SubsetRandomSampler)
        ):
            return _gatherer(self.dataset)
        return None

    def _fetch(self, indices: Any) -> Any:
        dataset = self.dataset
        if self.batch_sampler is None:
            return self.collate_fn(dataset[indices])
        if getattr(dataset, "__getitems__", None):
            return self.collate_fn(dataset.__getitems__(indices))
        return self.collate_fn([dataset[index] for index in indices])

    def _stream(self, samples: Iterator[Any]) -> Iterator[Any]:
        size = self.batch_size
        if size is None:
            yield from map(self.collate_fn, samples)
            return
        while batch := list(itertools.islice(samples, size)):
            if self.drop_last and len(batch) < size:
                return
            yield self.collate_fn(batch)


_FIXED = frozenset(("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"))


def _gatherer(dataset: Any) -> Callable[[Indices], list[Tensor]] | None:
    """Takes rows of a `TensorDataset`, or a `Subset` of one, as `default_collate` stacks them."""
    if type(dataset) is Subset:
        rows, inner = np.asarray(dataset.indices), _gatherer(dataset.dataset)
        if inner is None or rows.ndim != 1 or rows.dtype.kind != "i":
            return None
        return lambda batch: inner(rows[batch])
    if type(dataset) is not TensorDataset or any(t.requires_grad for t in dataset.tensors):
        return None  # stacking would be recorded
    arrays, wrap = [t._array for t in dataset.tensors], Tensor._wrap
    return lambda batch: [wrap(array.take(batch, 0)) for array in arrays]


def _check_workers(
    num_workers: int, timeout: float, prefetch_factor: int | None, persistent_workers: bool
) -> None:
    if num_workers < 0:
        raise ValueError(
            "num_workers option should be non-negative; use num_workers=0 to disable multiprocessing."
        )
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if num_workers == 0 and prefetch_factor is not None:
        raise ValueError(
            "prefetch_factor option could only be specified in multiprocessing."
            "let num_workers > 0 to enable multiprocessing, otherwise set prefetch_factor to None."
        )
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ValueError("prefetch_factor option should be non-negative")
    if persistent_workers and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")


def _check_stream(shuffle: Any, sampler: Any, batch_sampler: Any) -> None:
    given = {"shuffle": shuffle or None, "sampler": sampler, "batch_sampler": batch_sampler}
    for name, value in given.items():
        if value is not None:
            raise ValueError(
                f"DataLoader with IterableDataset: expected unspecified {name} option, but got {name}={value}"
            )


def _check_sampling(batch_size: Any, shuffle: bool, sampler: Any, batch_sampler: Any, drop_last: Any) -> None:
    if sampler is not None and shuffle:
        raise ValueError("sampler option is mutually exclusive with shuffle")
    others = batch_size != 1 or shuffle or sampler is not None or drop_last
    if batch_sampler is not None and others:
        raise ValueError(
            "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
        )
    if batch_sampler is None and batch_size is None and drop_last:
        raise ValueError(
            "batch_size=None option disables auto-batching and is mutually exclusive with drop_last"
        )
