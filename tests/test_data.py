"""Data sets, samplers and the loader against torch's: recorded orders, and live ones."""

import collections
import inspect
import itertools
import json
import random

import numpy as np
import pytest
import record_optim_data as recorded

import minigrad as mg
from minigrad.utils import data

RESULTS = json.loads(recorded.DATA.read_text())
IDS = ["-".join(map(str, case.values())) for case in recorded.LOADERS]
Point = collections.namedtuple("Point", "x y")


@pytest.fixture
def torch():
    pytest.importorskip("torch.utils.data", reason="compares with torch live")
    return pytest.importorskip("torch")


def same(a, b):
    """Whether two nests of containers, tensors of either library and plain values agree."""
    if hasattr(a, "dtype") and hasattr(b, "dtype"):
        return str(a.dtype) == str(b.dtype) and a.tolist() == b.tolist()
    if isinstance(a, dict):
        return type(a) is type(b) and list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        together = itertools.zip_longest(a, b)
        return type(a) is type(b) and all(same(x, y) for x, y in together)
    return type(a) is type(b) and a == b


# ------------------------------------------------------------------------------ the order
@pytest.mark.parametrize("case", recorded.LOADERS, ids=IDS)
def test_the_recorded_order_and_use_of_the_stream(case):
    assert recorded.orders(mg, data, **case) == RESULTS[recorded.key(case)]


def test_orders_drawn_at_random_are_those_of_torch(torch):
    choose = random.Random(0)
    kinds = sorted({case["kind"] for case in recorded.LOADERS})
    for _ in range(150):
        case = {
            "seed": choose.randrange(2**31),
            "size": choose.randrange(4, 60),
            "kind": choose.choice(kinds),
            "batch": choose.randrange(1, 40),
            "drop_last": choose.random() < 0.5,
            "own": choose.random() < 0.5,
        }
        if case["kind"] == "single":
            case["drop_last"] = False
        expected = recorded.orders(torch, torch.utils.data, **case)
        assert recorded.orders(mg, data, **case) == expected, case


def test_samplers_that_draw_when_started_draw_as_in_torch(torch):
    def run(library, loaders):
        class Eager(loaders.Sampler):
            def __iter__(self):
                return iter(library.randperm(7).tolist())

            def __len__(self):
                return 7

        library.manual_seed(3)
        seen = []
        for options in ({"batch_size": None, "sampler": Eager()}, {"sampler": Eager()}):
            loader = loaders.DataLoader(list(range(7)), **options)
            first = iter(loader)
            seen.append(library.randint(0, 100, (1,)).tolist())
            seen += [int(x) for x in first] + library.randint(0, 100, (1,)).tolist()
        return seen

    assert run(mg, data) == run(torch, torch.utils.data)


def test_persistent_workers_draw_one_seed_in_all():
    numbers = list(range(4))

    def draws(**options):
        mg.manual_seed(0)
        loader = data.DataLoader(numbers, **options)
        for _ in range(3):
            list(loader)
        return mg.randint(0, 1000, (3,)).tolist()

    mg.manual_seed(0)
    words = mg.randint(0, 1000, (9,)).tolist()
    assert draws() == words[6:9]  # a seed is two words
    assert draws(num_workers=2, persistent_workers=True) == words[2:5]


def test_workers_change_nothing():
    mg.manual_seed(0)
    alone = [x.tolist() for x in data.DataLoader(range(9), 2, shuffle=True)]
    mg.manual_seed(0)
    loader = data.DataLoader(range(9), 2, shuffle=True, num_workers=2, pin_memory=True)
    assert [x.tolist() for x in loader] == alone
    assert data.get_worker_info() is None


# ------------------------------------------------------------------------------ the batches
def batches_of(dataset, **options):
    mg.manual_seed(5)
    return list(data.DataLoader(dataset, **options))


class OneByOne(data.Dataset):
    """Hides what it holds, so that the loader has to take samples one by one."""

    def __init__(self, dataset):
        self.dataset = dataset

    def __getitem__(self, index):
        return self.dataset[index]

    def __len__(self):
        return len(self.dataset)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("subset", [None, [3, 1, 1, 6, -1], mg.tensor([5, 0, 2])])
def test_batches_taken_at_once_are_those_of_samples_stacked(shuffle, drop_last, subset):
    x = mg.from_numpy(np.arange(42, dtype=np.float32).reshape(7, 3, 2)).transpose(1, 2)
    y = mg.arange(7) % 2 == 0
    dataset = data.TensorDataset(x, y, mg.arange(7.0, dtype=mg.float64))
    if subset is not None:
        dataset = data.Subset(data.Subset(dataset, range(7)), subset)
    options = {"batch_size": 2, "shuffle": shuffle, "drop_last": drop_last}
    assert data.DataLoader(dataset, **options)._gatherer() is not None
    assert data.DataLoader(OneByOne(dataset), **options)._gatherer() is None
    fast, slow = batches_of(dataset, **options), batches_of(OneByOne(dataset), **options)
    assert len(fast) == len(data.DataLoader(dataset, **options)) > 0
    assert same(fast, slow)


def test_a_batch_is_a_copy():
    x = mg.arange(4.0)
    for dataset in (data.TensorDataset(x), OneByOne(data.TensorDataset(x))):
        for (batch,) in data.DataLoader(dataset, batch_size=2):
            batch += 1
    assert x.tolist() == [0.0, 1.0, 2.0, 3.0]


def test_gradients_flow_through_batches():
    x = mg.arange(5.0).requires_grad_()
    for (batch,) in data.DataLoader(data.TensorDataset(x), batch_size=2):
        (batch * batch).sum().backward()
    assert x.grad.tolist() == [0.0, 2.0, 4.0, 6.0, 8.0]


def test_subset_of_no_samples():
    assert list(data.DataLoader(data.Subset(data.TensorDataset(mg.ones(3)), []))) == []


def test_getitems_gives_a_whole_batch():
    class Whole(data.Dataset):
        def __len__(self):
            return 5

        def __getitems__(self, indices):
            return [index * 10 for index in indices]

    assert same(batches_of(Whole(), batch_size=3), [mg.tensor([0, 10, 20]), mg.tensor([30, 40])])


def test_a_collate_function_of_ones_own():
    loader = data.DataLoader(data.TensorDataset(mg.arange(3)), batch_size=2, collate_fn=len)
    assert list(loader) == [2, 1]
    loader.collate_fn = lambda samples: [x.item() for (x,) in samples]
    assert list(loader) == [[0, 1], [2]]


def test_batches_of_a_batch_sampler():
    dataset = data.TensorDataset(mg.arange(6) * 2)
    loader = data.DataLoader(dataset, batch_sampler=[[5, 0], [1]])
    assert same(list(loader), [[mg.tensor([10, 0])], [mg.tensor([2])]])
    assert len(loader) == 2
    assert loader.batch_size is None


def test_single_samples():
    assert list(data.DataLoader(["a", "b"], batch_size=None)) == ["a", "b"]
    (array,) = data.DataLoader([np.array([1.0])], batch_size=None)
    assert same(array, mg.tensor([1.0], dtype=mg.float64))


class Stream(data.IterableDataset):
    def __init__(self, size):
        self.size = size

    def __iter__(self):
        return iter(range(self.size))

    def __len__(self):
        return self.size


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"batch_size": 2}, [[0, 1], [2, 3], [4]]),
        ({"batch_size": 2, "drop_last": True}, [[0, 1], [2, 3]]),
        ({"batch_size": None}, [0, 1, 2, 3, 4]),
        ({"batch_size": 5}, [[0, 1, 2, 3, 4]]),
    ],
)
def test_streams(options, expected):
    loader = data.DataLoader(Stream(5), **options)
    for _ in range(2):
        assert [x if isinstance(x, int) else x.tolist() for x in loader] == expected
    assert len(loader) == len(expected)


def test_data_sets_put_together():
    both = OneByOne([1, 2]) + OneByOne([3]) + OneByOne([4, 5])
    assert [both[i] for i in range(-5, 5)] == [1, 2, 3, 4, 5] * 2
    with pytest.raises(ValueError, match="absolute value of index should not exceed"):
        both[-6]
    chained = Stream(2) + Stream(3)
    assert list(chained) == [0, 1, 0, 1, 2]
    assert len(chained) == 5
    assert data.Subset(data.TensorDataset(mg.arange(9)), [8, 4, 2])[[0, 2]][0].tolist() == [8, 2]


def test_splits():
    mg.manual_seed(0)
    parts = data.random_split(range(10), [3, 7], generator=None)
    assert sorted(itertools.chain(*parts)) == list(range(10))
    assert [len(part) for part in data.random_split(range(11), [0.5, 0.25, 0.25])] == [6, 3, 2]
    with pytest.warns(UserWarning, match="Length of split at index 1 is 0"):
        data.random_split(range(1), [0.5, 0.5])


# ------------------------------------------------------------------------------ collating
COLLATED = [
    lambda lib: [lib.tensor([1.0, 2.0]), lib.tensor([3.0, 4.0])],
    lambda lib: [lib.tensor(1), lib.tensor(2)],
    lambda lib: [lib.tensor([1.0]), lib.tensor([3])],
    lambda lib: [np.ones(2), np.zeros(2)],
    lambda lib: [np.array(3, np.int32)],
    lambda lib: [np.float64(1), np.float64(2)],
    lambda lib: [np.float32(1.5)],
    lambda lib: [np.uint8(3), np.uint8(4)],
    lambda lib: [np.bool_(True)],
    lambda lib: [True, False],
    lambda lib: [1, 2, 3],
    lambda lib: [1, True],
    lambda lib: [1, 2.5],
    lambda lib: [1.5, 2],
    lambda lib: ["a", "b"],
    lambda lib: [b"a"],
    lambda lib: [(1, 2.0, "a"), (3, 4.0, "b")],
    lambda lib: [[1, lib.tensor([2.0])], [3, lib.tensor([4.0])]],
    lambda lib: [range(2), range(2)],
    lambda lib: [Point(1, np.ones(1)), Point(2, np.zeros(1))],
    lambda lib: [{"x": 1, "y": {"z": 0.5}}, {"x": 2, "y": {"z": 1.5}}],
    lambda lib: [collections.OrderedDict(a=1), collections.OrderedDict(a=2)],
    lambda lib: [collections.UserDict(a=1)],
    lambda lib: [collections.UserList([1, 2])],
    lambda lib: [[], []],
]


def plain(value):
    """Containers that `same` does not know as ones it does."""
    if isinstance(value, collections.UserDict):
        return {"UserDict": value.data}
    if isinstance(value, collections.UserList):
        return {"UserList": value.data}
    return value


@pytest.mark.parametrize("samples", COLLATED)
def test_collating_as_torch_does(torch, samples):
    expected = plain(torch.utils.data.default_collate(samples(torch)))
    assert same(plain(data.default_collate(samples(mg))), expected)
    for sample in samples(mg):
        expected = plain(torch.utils.data.default_convert(sample))
        assert mg.is_tensor(sample) or str(plain(data.default_convert(sample))) == str(expected)


def test_collating():
    batch = [
        {"x": np.ones(2, np.float32), "y": (1, 2.0)},
        {"x": np.zeros(2, np.float32), "y": (3, 4.0)},
    ]
    expected = {
        "x": mg.tensor([[1.0, 1.0], [0.0, 0.0]]),
        "y": [mg.tensor([1, 3]), mg.tensor([2.0, 4.0], dtype=mg.float64)],
    }
    assert same(data.default_collate(batch), expected)
    assert same(data.default_convert(np.arange(2)), mg.arange(2))
    names = np.array(["a"])
    assert data.default_convert(names) is names


# ------------------------------------------------------------------------------ bad arguments
BAD = [
    (
        lambda lib, d: d.DataLoader([1], batch_size=0),
        ValueError,
        "batch_size should be a positive integer",
    ),
    (lambda lib, d: d.DataLoader([1], batch_size=2.5), ValueError, "but got batch_size=2.5"),
    (lambda lib, d: d.DataLoader([1], batch_size=True), ValueError, "but got batch_size=True"),
    (
        lambda lib, d: d.DataLoader([1], shuffle=True, sampler=[0]),
        ValueError,
        "mutually exclusive with shuffle",
    ),
    (
        lambda lib, d: d.DataLoader([1], num_workers=-1),
        ValueError,
        "num_workers option should be non-negative",
    ),
    (
        lambda lib, d: d.DataLoader([1], timeout=-1),
        ValueError,
        "timeout option should be non-negative",
    ),
    (
        lambda lib, d: d.DataLoader([1], prefetch_factor=2),
        ValueError,
        "prefetch_factor option could only be",
    ),
    (
        lambda lib, d: d.DataLoader([1], num_workers=1, prefetch_factor=-2),
        ValueError,
        "prefetch_factor option should be non-negative",
    ),
    (
        lambda lib, d: d.DataLoader([1], persistent_workers=True),
        ValueError,
        "needs num_workers > 0",
    ),
    (
        lambda lib, d: d.DataLoader([1], multiprocessing_context="fork"),
        ValueError,
        "but got num_workers=0",
    ),
    (lambda lib, d: d.DataLoader([], shuffle=True), ValueError, "but got num_samples=0"),
    (
        lambda lib, d: d.DataLoader([1], batch_size=None, drop_last=True),
        ValueError,
        "disables auto-batching",
    ),
    (
        lambda lib, d: d.DataLoader([1], 2, batch_sampler=[[0]]),
        ValueError,
        "batch_sampler option is mutually",
    ),
    (
        lambda lib, d: d.DataLoader([1], drop_last=1),
        ValueError,
        "drop_last should be a boolean value, but got",
    ),
    (lambda lib, d: list(d.DataLoader([1], sampler=[0, 7])), IndexError, "list index out of range"),
    (
        lambda lib, d: setattr(d.DataLoader([1]), "batch_size", 2),
        ValueError,
        "should not be set after DataLoader",
    ),
    (
        lambda lib, d: d.RandomSampler([1], replacement=1),
        TypeError,
        "replacement should be a boolean value",
    ),
    (lambda lib, d: d.RandomSampler([1], num_samples=0.5), ValueError, "but got num_samples=0.5"),
    (
        lambda lib, d: d.TensorDataset(lib.ones(2), lib.ones(3)),
        AssertionError,
        "Size mismatch between tensors",
    ),
    (
        lambda lib, d: d.TensorDataset(lib.ones(2))[5],
        IndexError,
        "index 5 is out of bounds for dimension 0",
    ),
    (lambda lib, d: d.TensorDataset(np.ones(2)), TypeError, ""),
    (
        lambda lib, d: d.ConcatDataset([]),
        AssertionError,
        "datasets should not be an empty iterable",
    ),
    (
        lambda lib, d: d.random_split(range(5), [2, 2]),
        ValueError,
        "Sum of input lengths does not equal the",
    ),
    (lambda lib, d: d.random_split(range(5), [1.5, -0.5]), ValueError, "is not between 0 and 1"),
    (
        lambda lib, d: d.Dataset()[0],
        NotImplementedError,
        "Subclasses of Dataset should implement __getitem__.",
    ),
    (lambda lib, d: len(d.Dataset()), TypeError, "object of type 'Dataset' has no len()"),
    (
        lambda lib, d: d.IterableDataset(),
        TypeError,
        "Can't instantiate abstract class IterableDataset",
    ),
    (
        lambda lib, d: d.default_collate([lib.ones(2), lib.ones(3)]),
        RuntimeError,
        "got [2] at entry 0 and [3]",
    ),
    (lambda lib, d: d.default_collate([[1], [1, 2]]), RuntimeError, "should be of equal size"),
    (lambda lib, d: d.default_collate([None]), TypeError, "found <class 'NoneType'>"),
    (lambda lib, d: d.default_collate([np.array(["a"])]), TypeError, "found <U1"),
]


def refusal(action, library, loaders):
    with pytest.raises(Exception) as raised:  # noqa: PT011 - the class is compared
        action(library, loaders)
    return raised.type, str(raised.value)


@pytest.mark.parametrize(("action", "kind", "message"), BAD)
def test_bad_arguments(action, kind, message):
    got, text = refusal(action, mg, data)
    assert got is kind
    assert message in text


@pytest.mark.parametrize(("action", "kind", "message"), BAD)
def test_bad_arguments_are_refused_as_torch_refuses_them(torch, action, kind, message):
    got, text = refusal(action, torch, torch.utils.data)
    assert got is kind
    assert message in text


def test_streams_take_no_order():
    for options in ({"shuffle": True}, {"sampler": [0]}, {"batch_sampler": [[0]]}):
        (name,) = options
        with pytest.raises(ValueError, match=f"IterableDataset: expected unspecified {name} option"):
            data.DataLoader(Stream(3), **options)
    with pytest.raises(AssertionError, match="ConcatDataset does not support IterableDataset"):
        data.ConcatDataset([Stream(3)])
    with pytest.raises(AssertionError, match="ChainDataset only supports IterableDataset"):
        list(data.ChainDataset([[1]]))


def test_signatures_are_those_of_torch(torch):
    names = ("DataLoader", "RandomSampler", "BatchSampler", "SubsetRandomSampler", "Subset")
    for name in names:
        ours = inspect.signature(getattr(data, name).__init__).parameters.values()
        theirs = inspect.signature(getattr(torch.utils.data, name).__init__).parameters.values()
        assert [(p.name, p.kind, p.default) for p in ours] == [(p.name, p.kind, p.default) for p in theirs]
