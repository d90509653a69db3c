"""Ranges, triangles and the dtype functions: the values torch gives."""

import pytest

import minigrad as mg


def test_logspace_counts_in_powers():
    assert mg.logspace(0, 3, 4, base=2).tolist() == [1, 2, 4, 8]
    assert mg.logspace(0, 3, 4, dtype=mg.int64).tolist() == [1, 10, 100, 1000]
    with pytest.raises(RuntimeError, match="number of steps must be non-negative"):
        mg.logspace(0, 1, -1)


def test_places_of_triangles():
    assert mg.tril_indices(3, 2, 1).tolist() == [[0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 0, 1]]
    places = mg.triu_indices(2, 3, offset=-1, dtype=mg.int32)
    assert places.dtype == mg.int32
    assert places.tolist() == [[0, 0, 0, 1, 1, 1], [0, 1, 2, 0, 1, 2]]
    with pytest.raises(RuntimeError, match="row must be non-negative, got-3"):
        mg.tril_indices(-3, 2)


def test_dtypes_of_results():
    assert mg.result_type(mg.tensor(1.0), mg.tensor([1])) == mg.float32
    assert mg.result_type(mg.tensor([1]), 2) == mg.int64
    assert mg.promote_types(mg.uint8, mg.int8) == mg.int16
    assert mg.promote_types(mg.int64, mg.float32) == mg.float32
    assert mg.is_floating_point(mg.ones(1))
    assert mg.numel(mg.ones(2, 0)) == 0
    assert mg.scalar_tensor(2).dtype == mg.float32


def test_a_copy_is_made_where_it_is_asked_for():
    x = mg.ones(2, requires_grad=True)
    assert x.to(mg.float32) is x
    y = x.to(mg.float32, copy=True)
    assert y.grad_fn.name() == "ToCopyBackward0"
    y.sum().backward()
    assert x.grad.tolist() == [1, 1]
    plain = mg.ones(2)
    plain.to("cpu", copy=True)[0] = 5
    assert plain.tolist() == [1, 1]


def test_meshgrid_warns_where_indexing_is_left_open():
    with pytest.warns(UserWarning, match="required to pass the indexing argument"):
        mg.meshgrid(mg.arange(2), mg.arange(3))


NEW = [
    lambda m, x: x.new_zeros(2, 3),
    lambda m, x: x.new_zeros((2,), dtype=m.int64),
    lambda m, x: x.new_ones(3, requires_grad=x.is_floating_point()),
    lambda m, x: x.new_full((2, 2), 7),
    lambda m, x: x.new_full((2,), 2.5, dtype=m.float64),
    lambda m, x: x.new_tensor([[1, 2], [3, 4]]),
    lambda m, x: x.new_tensor(3.0),
    lambda m, x: x.new_empty((2, 0)),
    lambda m, x: (x.itemsize, x.nbytes, x.ndimension(), x.is_same_size(x), x.get_device(), x.is_complex()),
    lambda m, x: x.new_zeros(-1),
    lambda m, x: x.cuda(),
]


@pytest.mark.parametrize("made", NEW)
@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_tensors_like_another_print_as_torchs(made, dtype, torch):
    def printed(m):
        try:
            return repr(made(m, m.ones(2, 1, dtype=getattr(m, dtype))))
        except Exception as error:
            return type(error).__name__, str(error).split("\n")[0]

    assert printed(mg) == printed(torch)
