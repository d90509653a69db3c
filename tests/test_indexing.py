"""Indexing, read and written, against torch by random indices; errors; gradients of repeated places."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import minigrad as mg

SHAPES = st.lists(st.integers(0, 4), min_size=0, max_size=4).map(tuple)


def slices(size):
    ends = st.one_of(st.none(), st.integers(-size - 2, size + 2))
    return st.builds(slice, ends, ends, st.one_of(st.none(), st.integers(1, 3)))


def places(size, shape):
    """An int64 array of valid places, negative ones too."""
    n = int(np.prod(shape))
    return st.lists(st.integers(-size, size - 1), min_size=n, max_size=n).map(
        lambda values: np.array(values, np.int64).reshape(shape)
    )


@st.composite
def shapes_and_indices(draw, advanced=True):
    """A shape and an index into it: integers, slices, None, Ellipsis, lists, int64 and bool arrays."""
    shape = draw(SHAPES)
    common = draw(st.sampled_from([(2,), (3,), (1,), (2, 2), (0,)]))
    index, place, ellipsis = [], 0, False
    while place < len(shape):
        size = shape[place]
        kinds = ["slice", "none"]
        kinds += ["int"] if size else []
        kinds += ["ellipsis"] if not ellipsis else []
        if advanced:
            kinds += ["array", "list"] if size else []
            kinds += ["mask"]
        kind = draw(st.sampled_from(kinds))
        if kind == "slice":
            index.append(draw(slices(size)))
        elif kind == "none":
            index.append(None)
            continue
        elif kind == "int":
            index.append(draw(st.integers(-size, size - 1)))
        elif kind == "ellipsis":
            ellipsis = True
            index.append(Ellipsis)
            place += draw(st.integers(0, len(shape) - place)) - 1
        elif kind == "array":
            index.append(draw(places(size, common)))
        elif kind == "list":
            index.append(draw(places(size, common[:1])).tolist())
        else:
            n = common[0] if size >= common[0] else 1
            chosen = np.zeros(size, bool)
            chosen[:n] = True
            index.append(chosen)
        place += 1
        if draw(st.integers(0, 4)) == 0 and not ellipsis:
            break
    return shape, tuple(index)


def with_tensors(m, index):
    """The index with its arrays as tensors of the module."""
    return tuple(m.from_numpy(i) if isinstance(i, np.ndarray) else i for i in index)


def attempt(call):
    """(result, None), or (None, the error's class)."""
    try:
        return call(), None
    except (IndexError, RuntimeError, ValueError) as error:
        return None, type(error)


def filled(m, shape):
    return m.from_numpy(np.linspace(-1, 1, int(np.prod(shape))).reshape(shape)).requires_grad_()


def read(m, shape, index):
    x = filled(m, shape)
    y = x[with_tensors(m, index)]
    weight = m.from_numpy(np.linspace(1, 2, y.numel()).reshape(tuple(y.shape)))
    y.backward(weight)
    return y.detach().numpy(), x.grad.numpy()


def written(m, shape, index, with_scalar):
    x = filled(m, shape)
    y, index = x * 1, with_tensors(m, index)
    region = tuple(y[index].shape)
    v = m.from_numpy(
        np.asarray(3.0) if with_scalar else np.linspace(5, 6, int(np.prod(region))).reshape(region)
    )
    v.requires_grad_()
    y[index] = v
    (y * m.from_numpy(np.linspace(1, 2, y.numel()).reshape(shape))).sum().backward()
    return y.detach().numpy(), x.grad.numpy(), v.grad.numpy()


@settings(max_examples=400)
@given(shapes_and_indices())
def test_reading_is_torchs(torch, case):
    (ours, error), (theirs, expected) = (attempt(lambda m=m: read(m, *case)) for m in (mg, torch))
    assert error == expected
    if theirs is not None:
        for a, b in zip(ours, theirs, strict=True):
            assert a.shape == b.shape
            np.testing.assert_allclose(a, b, rtol=1e-13)


@settings(max_examples=300)
@given(shapes_and_indices(advanced=False), st.booleans())
def test_writing_to_basic_indices_is_torchs(torch, case, with_scalar):
    ours, theirs = (attempt(lambda m=m: written(m, *case, with_scalar)) for m in (mg, torch))
    assert ours[1] == theirs[1]
    if theirs[0] is not None:
        for a, b in zip(ours[0], theirs[0], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)


@settings(max_examples=150)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=3).map(tuple), st.data())
def test_writing_to_distinct_advanced_places_is_torchs(torch, shape, data):
    size = shape[0]
    order = data.draw(st.permutations(range(size)))
    chosen = np.array(order[: data.draw(st.integers(0, size))], np.int64)
    if data.draw(st.booleans()):
        mask = np.zeros(size, bool)
        mask[chosen] = True
        chosen = mask
    for with_scalar in (False, True):
        ours, theirs = (written(m, shape, (chosen,), with_scalar) for m in (mg, torch))
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)


@settings(max_examples=150)
@given(shapes_and_indices())
def test_reading_is_numpys_where_both_are_defined(case):
    shape, index = case
    arrays = any(isinstance(i, (np.ndarray, list)) for i in index)
    assume(not (arrays and any(isinstance(i, int) for i in index)))  # torch selects by integers first
    array = np.arange(float(np.prod(shape))).reshape(shape)
    result, error = attempt(lambda: mg.from_numpy(array)[with_tensors(mg, index)])
    if error is None:
        np.testing.assert_array_equal(result.numpy(), array[index])
    else:
        with pytest.raises(IndexError):
            array[index]


@settings(max_examples=100)
@given(shapes_and_indices())
def test_the_gradient_of_reading_counts_how_often_each_place_was_read(case):
    shape, index = case
    x = mg.zeros(shape, dtype=mg.float64, requires_grad=True)
    result, error = attempt(lambda: x[with_tensors(mg, index)])
    if error is None:
        result.sum().backward()
        count = np.zeros(shape)
        np.add.at(count, index, 1)
        np.testing.assert_array_equal(x.grad.numpy(), count)
    else:
        assert error is IndexError


# ------------------------------------------------------------------------------------------------ by hand
def test_basic_indices_are_views_and_advanced_ones_copies():
    x = mg.zeros(3, 4)
    for index in (0, (0, 1), slice(1, 2), (..., 0), None, (slice(None), None)):
        assert np.shares_memory(x[index].numpy(), x.numpy())
    for index in ([0], mg.tensor([0]), x > -1, (0, [1]), True):
        assert not np.shares_memory(x[index].numpy(), x.numpy())


def test_a_place_read_twice_gets_both_gradients():
    x = mg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    x[[0, 0, 2]].backward(mg.tensor([1.0, 10.0, 100.0]))
    assert x.grad.tolist() == [11.0, 0.0, 100.0]


def test_elements_are_tensors_that_convert():
    x = mg.arange(6).reshape(2, 3)
    assert x[1, 2].item() == 5
    assert int(x[1][0]) == 3
    assert [row.tolist() for row in x] == [[0, 1, 2], [3, 4, 5]]
    assert x[x[0, 1]].tolist() == [3, 4, 5]


def test_any_integer_type_is_an_index():
    x = mg.arange(5)
    for one in (1, np.int64(1), np.int32(1), mg.tensor(1), mg.tensor(1, dtype=mg.int8)):
        assert x[one].item() == 1
        assert x[one:].tolist() == [1, 2, 3, 4]
    for array in (np.array([1, 2]), [1, 2], range(1, 3), mg.tensor([1, 2], dtype=mg.int32)):
        assert x[array].tolist() == [1, 2]


def test_writing_numbers_arrays_and_tensors():
    x = mg.zeros(2, 3)
    x[0] = 1
    x[1, 1:] = np.array([2.0, 3.0])
    x[:, 0] = mg.tensor([7, 8])
    assert x.tolist() == [[7.0, 1.0, 1.0], [8.0, 2.0, 3.0]]
    x[x > 2] = 0
    assert x.tolist() == [[0.0, 1.0, 1.0], [0.0, 2.0, 0.0]]
    x[1] += 5
    assert x.tolist() == [[0.0, 1.0, 1.0], [5.0, 7.0, 5.0]]
    y = mg.zeros(2, dtype=mg.int64)
    y[0] = 2.9
    assert y.tolist() == [2, 0]


@pytest.mark.parametrize(
    ("index", "error", "message"),
    [
        (5, IndexError, "index 5 is out of bounds for dimension 0 with size 3"),
        ((0, -3), IndexError, "index -3 is out of bounds for dimension 1 with size 2"),
        ((0, 0, 0), IndexError, "too many indices for tensor of dimension 2"),
        (slice(None, None, -1), ValueError, "step must be greater than zero"),
        (
            1.0,
            IndexError,
            r"only integers, slices \(`:`\), ellipsis \(`...`\), None and long or byte Variables",
        ),
        ("a", IndexError, "only integers, slices"),
        ([0, 9], IndexError, "index 9 is out of bounds for dimension 0 with size 3"),
        (np.array([True, False]), IndexError, r"The shape of the mask \[2\] at index 0 does not match"),
        (np.array([0.5]), IndexError, "tensors used as indices must be long, int, byte or bool tensors"),
    ],
)
def test_bad_indices(index, error, message):
    x = mg.zeros(3, 2)
    with pytest.raises(error, match=message):
        x[index]
    with pytest.raises(error, match=message):
        x[index] = 1
    assert x.sum().item() == 0


def test_values_that_do_not_fit():
    x = mg.zeros(3, 2)
    with pytest.raises(
        RuntimeError, match=r"The expanded size of the tensor \(2\) must match the existing size \(3\)"
    ):
        x[0] = mg.zeros(3)
    with pytest.raises(
        RuntimeError, match=r"shape mismatch: value tensor of shape \[3\] cannot be broadcast"
    ):
        x[[0, 1]] = mg.zeros(3)
    with pytest.raises(TypeError, match="can't assign a str"):
        x[0] = "a"
    assert x._version == 0
