"""Data sets: collections of samples by index, and streams of samples."""

from __future__ import annotations

import bisect
import itertools
import math
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from minigrad.stream import Generator, default_generator
from minigrad.tensor import Tensor

T_co = TypeVar("T_co", covariant=True)


class Dataset(Generic[T_co]):
    """A collection of samples by index: define `__getitem__`, and `__len__` for most uses.

    A data set that also defines `__getitems__(indices)` is asked for a whole batch at once.

    Example:
        >>> from minigrad.utils.data import DataLoader, Dataset
        >>> class Squares(Dataset):
        ...     def __len__(self):
        ...         return 5
        ...     def __getitem__(self, index):
        ...         return index**2
        >>> list(DataLoader(Squares(), batch_size=3))
        [tensor([0, 1, 4]), tensor([ 9, 16])]
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError("Subclasses of Dataset should implement __getitem__.")

    def __add__(self, other: Dataset[Any]) -> ConcatDataset:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co], Iterable[T_co]):
    """A data set that is a stream of samples: define `__iter__`.

    Example:
        >>> from minigrad.utils.data import DataLoader, IterableDataset
        >>> class Countdown(IterableDataset):
        ...     def __iter__(self):
        ...         return iter([3, 2, 1])
        >>> list(DataLoader(Countdown(), batch_size=2))
        [tensor([3, 2]), tensor([1])]
    """

    def __add__(self, other: Dataset[Any]) -> Any:
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """The samples are the entries of tensors along their first dimension.

    Raises:
        AssertionError: the tensors differ in length.
        TypeError: an argument is no tensor.

    Example:
        >>> import minigrad
        >>> from minigrad.utils.data import TensorDataset
        >>> x, y = minigrad.tensor([[1.0, 2.0], [3.0, 4.0]]), minigrad.tensor([0, 1])
        >>> TensorDataset(x, y)[1]
        (tensor([3., 4.]), tensor(1))
    """

    def __init__(self, *tensors: Tensor) -> None:
        for number, entry in enumerate(tensors):
            if not isinstance(entry, Tensor):
                raise TypeError(
                    f"TensorDataset expected tensors, but argument {number} is a "
                    f"{type(entry).__name__}; convert it with tensor() or from_numpy()"
                )
        lengths = [entry.size(0) for entry in tensors]
        if len(set(lengths)) > 1:
            raise AssertionError(f"Size mismatch between tensors: their lengths are {lengths}")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(entry[index] for entry in self.tensors)

    def __len__(self) -> int:
        return self.tensors[0].size(0)


class ConcatDataset(Dataset[T_co]):
    """Several data sets, one after the other.

    Raises:
        AssertionError: there are none, or one is an `IterableDataset`.

    Example:
        >>> from minigrad.utils.data import ConcatDataset
        >>> both = ConcatDataset([[1, 2], [3, 4, 5]])
        >>> len(both), both[3], both[-1]
        (5, 4, 5)
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise AssertionError("ConcatDataset does not support IterableDataset")
        self.cumulative_sizes = list(itertools.accumulate(map(len, self.datasets)))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, idx: int) -> Any:
        if idx < 0:
            if -idx > len(self):
                raise ValueError("absolute value of index should not exceed dataset length")
            idx += len(self)
        number = bisect.bisect_right(self.cumulative_sizes, idx)
        start = self.cumulative_sizes[number - 1] if number else 0
        return self.datasets[number][idx - start]


class ChainDataset(IterableDataset[T_co]):
    """Several streams, one after the other.

    Raises:
        AssertionError: when iterated, if one is no `IterableDataset`.
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = datasets

    def _checked(self) -> Iterator[Any]:
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise AssertionError("ChainDataset only supports IterableDataset")
            yield dataset

    def __iter__(self) -> Iterator[Any]:
        return itertools.chain.from_iterable(self._checked())

    def __len__(self) -> int:
        return sum(map(len, self._checked()))


class Subset(Dataset[T_co]):
    """The samples of a data set at the given indices.

    Example:
        >>> from minigrad.utils.data import Subset
        >>> list(Subset("abcde", [4, 0]))
        ['e', 'a']
    """

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, idx: Any) -> Any:
        if isinstance(idx, list):
            return self.dataset[[self.indices[i] for i in idx]]
        return self.dataset[self.indices[idx]]

    def __len__(self) -> int:
        return len(self.indices)


def random_split(
    dataset: Any,
    lengths: Sequence[float],
    generator: Generator | None = default_generator,
) -> list[Subset]:
    """Deal the samples at random into subsets of the given lengths, or fractions that sum to 1.

    Of what rounding the fractions down leaves, the first subsets get one sample each.

    Raises:
        ValueError: the lengths do not sum to the size of the data set, or a fraction is outside
            [0, 1].

    Example:
        >>> import minigrad
        >>> from minigrad.utils.data import random_split
        >>> _ = minigrad.manual_seed(0)
        >>> train, test = random_split(range(10), [0.8, 0.2])
        >>> list(train), list(test)
        ([4, 1, 7, 5, 3, 9, 0, 8], [6, 2])
    """
    size = len(dataset)
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        lengths = _shares(lengths, size)
    if sum(lengths) != size:
        raise ValueError(
            "Sum of input lengths does not equal the length of the input dataset!\n"
            f"The lengths {list(lengths)} sum to {sum(lengths)}, the dataset has {size} samples."
        )
    indices = iter((generator or default_generator).randperm(size).tolist())
    return [Subset(dataset, list(itertools.islice(indices, int(n)))) for n in lengths]


def _shares(fractions: Sequence[float], size: int) -> list[int]:
    for number, fraction in enumerate(fractions):
        if not 0 <= fraction <= 1:
            raise ValueError(f"Fraction at index {number} is not between 0 and 1")
    shares = [math.floor(size * fraction) for fraction in fractions]
    for number in range(size - sum(shares)):
        shares[number % len(shares)] += 1
    for number, share in enumerate(shares):
        if share == 0:
            warnings.warn(
                f"Length of split at index {number} is 0. This might result in an empty dataset.",
                UserWarning,
                stacklevel=3,
            )
    return shares
