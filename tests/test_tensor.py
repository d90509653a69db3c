"""Making tensors, taking them apart, operators, NumPy, copies; shapes and dtypes by property."""

import copy
import operator
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import minigrad as mg

DTYPES = ("float32", "float64", "int64", "int32", "int16", "int8", "uint8", "bool")
every_dtype = pytest.mark.parametrize("name", DTYPES)


# ------------------------------------------------------------------------------------------------- making
@pytest.mark.parametrize(
    ("data", "dtype", "shape"),
    [
        (1, "int64", ()),
        (1.5, "float32", ()),
        (True, "bool", ()),
        ([1, 2], "int64", (2,)),
        ([1, 2.5], "float32", (2,)),
        ([[True], [False]], "bool", (2, 1)),
        ([True, 2], "int64", (2,)),
        ([], "float32", (0,)),
        ([[], []], "float32", (2, 0)),
        ((1, (2)), "int64", (2,)),
        (np.float64(1), "float64", ()),
        (np.ones(2, np.int16), "int16", (2,)),
        ([np.ones(2), np.ones(2)], "float32", (2, 2)),
    ],
)
def test_tensor_of_data(data, dtype, shape, torch):
    made = mg.tensor(data)
    assert (str(made.dtype), tuple(made.shape)) == (f"torch.{dtype}", shape)
    if not (isinstance(data, list) and data and isinstance(data[0], np.ndarray)):  # slow in torch, it warns
        theirs = torch.tensor(data)
        assert (str(theirs.dtype), tuple(theirs.shape)) == (f"torch.{dtype}", shape)
        assert theirs.tolist() == made.tolist()


def test_tensor_copies_and_from_numpy_and_as_tensor_share():
    array = np.zeros(3)
    copied, shared, same = mg.tensor(array), mg.from_numpy(array), mg.as_tensor(array)
    array[0] = 5
    assert (copied[0].item(), shared[0].item(), same[0].item()) == (0.0, 5.0, 5.0)
    shared[1] = 7
    assert array[1] == 7
    assert mg.as_tensor(shared) is shared


def test_tensor_of_a_tensor_warns_and_cuts_off():
    x = mg.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match="To copy construct from a tensor"):
        y = mg.tensor(x)
    assert not y.requires_grad
    assert mg.tensor([x[0], x[1]]).tolist() == [1.0, 1.0]


def test_bad_data():
    with pytest.raises(ValueError, match=r"expected sequence of length 2 at dim 1 \(got 1\)"):
        mg.tensor([[1, 2], [3]])
    with pytest.raises(ValueError, match=r"expected sequence of length 1 at dim 2 \(got 3\)"):
        mg.tensor([[[1], [2]], [[3], [4, 5, 6]]])
    with pytest.raises(TypeError, match="new\\(\\): invalid data type 'str'"):
        mg.tensor("abc")
    with pytest.raises(RuntimeError, match="Could not infer dtype of"):
        mg.tensor(object())
    with pytest.raises(TypeError, match=r"can't convert np\.ndarray of type complex128"):
        mg.from_numpy(np.zeros(2, complex))


@every_dtype
def test_creation_functions_in_every_dtype(name, torch):
    dtype, theirs = getattr(mg, name), getattr(torch, name)
    like = mg.zeros(2, 3, dtype=dtype)
    cases = {
        "zeros": lambda m, d: m.zeros(2, 3, dtype=d),
        "ones": lambda m, d: m.ones((2, 3), dtype=d),
        "full": lambda m, d: m.full((2, 3), 1, dtype=d),
        "eye": lambda m, d: m.eye(3, 2, dtype=d),
        "arange": lambda m, d: m.arange(0, 2, dtype=d if name != "bool" else m.int8),
        "tensor": lambda m, d: m.tensor([[1, 0]], dtype=d),
        "ones_like": lambda m, d: m.ones_like(m.zeros(2, dtype=d)),
        "full_like": lambda m, d: m.full_like(m.zeros(2, dtype=d), 1),
        "zeros_like": lambda m, d: m.zeros_like(m.ones(2), dtype=d),
    }
    for call in cases.values():
        a, b = call(mg, dtype), call(torch, theirs)
        assert repr(a) == repr(b)
    assert mg.empty_like(like).dtype is dtype
    assert mg.empty(2, 0, dtype=dtype).shape == (2, 0)


def test_ranges(torch):
    for arguments in [(5,), (1, 6), (1, 6, 2), (5, 0, -2), (0.5, 3), (0, 1, 0.25), (0,), (2.0,), (0, 1, 0.1)]:
        assert repr(mg.arange(*arguments)) == repr(torch.arange(*arguments))
    for arguments in [(0, 1, 5), (0, 1, 1), (-3, 3, 4), (0, 1, 0), (5, 2, 7), (0, 1, 11)]:
        ours, theirs = mg.linspace(*arguments), torch.linspace(*arguments)
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_legacy_constructors(torch):
    assert mg.Tensor([1, 2]).dtype is mg.float32
    assert mg.Tensor(2, 3).shape == (2, 3)
    for name in ("FloatTensor", "DoubleTensor", "LongTensor", "IntTensor", "ShortTensor", "ByteTensor"):
        assert repr(getattr(mg, name)([1, 2])) == repr(getattr(torch, name)([1, 2]))
    assert mg.BoolTensor([True]).type() == "torch.BoolTensor"
    assert mg.CharTensor([1]).dtype is mg.int8


def test_requires_grad_and_device_arguments():
    assert mg.zeros(2, requires_grad=True).requires_grad
    assert mg.ones(2, device="cpu").device == mg.device("cpu")
    with pytest.raises(AssertionError, match="CUDA"):
        mg.ones(2, device="cuda")


# ------------------------------------------------------------------------------------------ taking apart
def test_item_tolist_and_conversions():
    assert mg.tensor([[3]]).item() == 3
    assert isinstance(mg.tensor(True).item(), bool)
    assert isinstance(mg.tensor(1).item(), int)
    assert isinstance(mg.tensor(1.0).item(), float)
    assert mg.tensor([[1, 2]]).tolist() == [[1, 2]]
    assert mg.tensor(2.5).tolist() == 2.5
    assert (float(mg.tensor(2)), int(mg.tensor(2.9)), bool(mg.tensor([0.0]))) == (2.0, 2, False)
    assert list(range(5))[mg.tensor(3)] == 3
    assert complex(float(mg.tensor(1.5))) == 1.5


def test_shapes_sizes_and_strides():
    x = mg.zeros(2, 3, 4)
    assert repr(x.shape) == repr(x.size()) == "torch.Size([2, 3, 4])"
    assert (x.size(-1), x.dim(), x.ndim, x.numel(), x.nelement(), len(x)) == (4, 3, 3, 24, 24, 2)
    assert x.stride() == (12, 4, 1)
    assert x.is_contiguous()
    assert not x.transpose(0, 2).is_contiguous()
    assert x.transpose(0, 2).contiguous().is_contiguous()
    assert x.contiguous() is x
    assert x.shape.numel() == 24
    assert x.shape[1:] == mg.Size([3, 4])
    assert x.element_size() == 4
    assert x.data_ptr() == x[0].data_ptr() != x[1].data_ptr()
    with pytest.raises(IndexError, match="Dimension out of range"):
        x.size(3)


def test_len_iter_contains_hash_and_format():
    x = mg.tensor([1.0, 2.0, 3.0])
    assert [t.item() for t in x] == [1.0, 2.0, 3.0]
    assert 2.0 in x
    assert 5.0 not in x
    assert mg.tensor(3) in x
    assert len({x, x, mg.tensor([1.0])}) == 2
    assert f"{mg.tensor(1.23456):.2f}" == "1.23"
    assert "%.2f" % mg.tensor(1.23456).item() == "1.23"  # noqa: UP031
    assert f"{x}" == "tensor([1., 2., 3.])"
    assert f"{mg.tensor(7):>4d}" == "   7"
    a, b = mg.tensor([1, 2])
    assert (a.item(), b.item()) == (1, 2)


def test_equality_is_elementwise_and_foreign_operands_are_asked():
    x = mg.tensor([1, 2])
    assert (x == mg.tensor([1, 3])).tolist() == [True, False]
    assert (x != 1).tolist() == [False, True]
    assert (x == "a") is False
    assert (x is None) is False
    assert (x == None) is False  # noqa: E711

    class Foreign:
        def __radd__(self, other):
            return "radd"

        def __rmatmul__(self, other):
            return "rmatmul"

        def __gt__(self, other):
            return "gt"

    assert x + Foreign() == "radd"
    assert x @ Foreign() == "rmatmul"
    assert (x < Foreign()) == "gt"


# ---------------------------------------------------------------------------------------------- operators
BINARY = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.floordiv,
    operator.mod,
    operator.pow,
]


@pytest.mark.parametrize("op", BINARY, ids=lambda op: op.__name__)
@pytest.mark.parametrize("scalar", [2, 0.5, np.float32(1.5), np.int64(3)], ids=repr)
def test_reflected_operators_agree_with_tensors(op, scalar):
    x = mg.tensor([1.0, 2.0, 4.0])
    number = mg.tensor([float(scalar)])
    np.testing.assert_array_equal(op(x, scalar).numpy(), op(x, number).numpy())
    np.testing.assert_array_equal(op(scalar, x).numpy(), op(number, x).numpy())
    assert isinstance(op(scalar, x), mg.Tensor)


@pytest.mark.parametrize("name", ["iadd", "isub", "imul", "itruediv", "ifloordiv", "imod", "ipow"])
def test_augmented_assignment_is_in_place(name):
    x = mg.tensor([3.0, 5.0])
    memory, expected = x.numpy(), getattr(operator, name[1:])(np.array([3.0, 5.0]), 2.0)
    y = getattr(operator, name)(x, 2)
    assert y is x
    np.testing.assert_array_equal(memory, expected)


def test_augmented_logic_is_in_place():
    m = mg.tensor([True, False])
    n = m
    m &= mg.tensor([True, True])
    m |= mg.tensor([False, True])
    m ^= True
    assert n is m
    assert m.tolist() == [False, False]


# -------------------------------------------------------------------------------------------------- NumPy
def test_numpy_shares_memory():
    x = mg.zeros(3)
    for array in (x.numpy(), np.asarray(x), np.array(x, copy=False)):
        assert np.shares_memory(array, x.numpy())
    assert not np.shares_memory(np.array(x), x.numpy())
    assert np.asarray(x, dtype=np.float64).dtype == np.float64
    x.numpy()[0] = 4
    assert x[0].item() == 4.0
    with pytest.raises(ValueError, match="copy"):
        np.asarray(x, dtype=np.float64, copy=False)


def test_numpy_functions_on_tensors_and_their_data():
    x = mg.tensor([1.0, 4.0], requires_grad=True)
    y = np.sqrt(x)
    assert isinstance(y, mg.Tensor)
    assert y.requires_grad
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [0.5, 0.25])
    assert isinstance(np.log(x.data), mg.Tensor)
    assert np.log(x.data).tolist() == mg.log(x).tolist()
    assert isinstance(np.arctan(x.detach()), mg.Tensor)
    for ufunc in (np.exp, np.tanh, np.square, np.sign, np.absolute, np.negative, np.floor, np.log1p):
        assert ufunc(x).requires_grad, ufunc
    assert np.power(x, 2).tolist() == [1.0, 16.0]


@pytest.mark.parametrize("op", [*BINARY, operator.lt, operator.ge, operator.eq], ids=lambda op: op.__name__)
def test_an_array_and_a_tensor_make_a_tensor_in_either_order(op):
    array, x = np.array([1.0, 2.0, 3.0], np.float32), mg.tensor([2.0, 2.0, 2.0])
    for result, expected in ((op(array, x), op(array, x.numpy())), (op(x, array), op(x.numpy(), array))):
        assert isinstance(result, mg.Tensor)
        np.testing.assert_array_equal(result.numpy(), expected)


def test_an_array_meeting_a_tensor_keeps_the_graph():
    x = mg.tensor([2.0, 3.0], requires_grad=True)
    y = np.array([10.0, 100.0], np.float32) * x + np.ones(2, np.float32)
    y.sum().backward()
    assert x.grad.tolist() == [10.0, 100.0]
    (np.eye(2, dtype=np.float32) @ x).sum().backward()
    assert x.grad.tolist() == [11.0, 101.0]


def test_out_reduce_and_other_ufunc_methods():
    x, out = mg.tensor([1.0, 2.0]), np.zeros(2, np.float32)
    returned = np.add(x, 1, out=out)
    assert returned is out
    assert out.tolist() == [2.0, 3.0]
    assert np.add.reduce(x) == 3.0
    array = np.ones(2, np.float32)
    array += x
    assert array.tolist() == [2.0, 3.0]
    assert isinstance(array, np.ndarray)
    with pytest.raises(RuntimeError, match="requires grad"):
        np.add.reduce(mg.ones(2, requires_grad=True))


def test_arrays_made_of_tensors():
    assert np.array([mg.tensor(1.0), mg.tensor(2.0)]).tolist() == [1.0, 2.0]
    assert np.stack([mg.ones(2), mg.zeros(2)]).shape == (2, 2)
    assert np.concatenate([mg.ones(1), np.zeros(1)]).tolist() == [1.0, 0.0]


# -------------------------------------------------------------------------------------------- copies
def test_deepcopy():
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    (x * x).sum().backward()
    y = copy.deepcopy(x)
    assert y.requires_grad
    assert y.is_leaf
    assert y.grad.tolist() == [2.0, 4.0]
    assert not np.shares_memory(y.detach().numpy(), x.detach().numpy())
    first, second = copy.deepcopy([x, x])
    assert first is second
    assert copy.copy(x).tolist() == x.tolist()


@every_dtype
def test_pickle(name):
    x = mg.tensor([[1, 0]], dtype=getattr(mg, name))
    for protocol in (2, pickle.HIGHEST_PROTOCOL):
        y = pickle.loads(pickle.dumps(x, protocol))
        assert repr(y) == repr(x)
        assert type(y) is mg.Tensor
    assert pickle.loads(pickle.dumps(x.dtype)) is x.dtype


def test_pickle_keeps_requires_grad_and_refuses_results():
    x = mg.ones(2, requires_grad=True)
    assert pickle.loads(pickle.dumps(x)).requires_grad
    with pytest.raises(RuntimeError, match="detach"):
        pickle.dumps(x * 2)


def test_data_can_be_replaced():
    x = mg.ones(2, requires_grad=True)
    x.data = mg.zeros(3)
    assert x.shape == (3,)
    assert x.requires_grad
    assert not x.data.requires_grad
    x.data += 5
    assert x.tolist() == [5.0, 5.0, 5.0]


def test_to_and_type():
    x = mg.ones(2)
    assert x.to(mg.float32) is x
    assert x.float() is x
    assert x.to("cpu") is x
    assert x.to(device="cpu", dtype=mg.float64).dtype is mg.float64
    assert x.type() == "torch.FloatTensor"
    assert x.type_as(mg.tensor([1])).dtype is mg.int64
    with pytest.raises(ValueError, match="invalid type"):
        x.type("torch.StrangeTensor")
    with pytest.raises(AssertionError, match="CUDA"):
        x.to("cuda")


# ------------------------------------------------------------------------------------------- by property
SHAPES = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


def numbered(shape):
    return mg.from_numpy(np.arange(float(np.prod(shape))).reshape(shape))


@given(arrays.mutually_broadcastable_shapes(num_shapes=2, min_side=0, max_side=4, max_dims=4))
def test_broadcasting_is_numpys_and_its_gradient_sums(shapes):
    a, b = (numbered(shape).requires_grad_() for shape in shapes.input_shapes)
    y = a + b
    assert y.shape == shapes.result_shape == mg.broadcast_shapes(*shapes.input_shapes)
    y.sum().backward()
    for t in (a, b):
        assert t.grad.shape == t.shape
        assert t.numel() == 0 or (t.grad.numpy() == y.numel() // t.numel()).all()


@given(SHAPES, st.data())
def test_reshape_and_back(shape, data):
    x = numbered(shape).requires_grad_()
    sizes = data.draw(st.permutations(shape))
    y = x.reshape(sizes).reshape(shape)
    np.testing.assert_array_equal(y.detach().numpy(), x.detach().numpy())
    y.backward(mg.from_numpy(np.asarray(x.detach().numpy() + 1)))
    np.testing.assert_array_equal(x.grad.numpy(), x.detach().numpy() + 1)


@given(SHAPES, st.data())
def test_permute_and_back(shape, data):
    x = numbered(shape).requires_grad_()
    order = data.draw(st.permutations(range(len(shape))))
    back = np.argsort(np.array(order, int)).tolist()
    y = x.permute(order)
    assert y.shape == tuple(shape[i] for i in order)
    np.testing.assert_array_equal(y.permute(back).detach().numpy(), x.detach().numpy())
    y.backward(y.detach() * 2)
    np.testing.assert_array_equal(x.grad.numpy(), 2 * x.detach().numpy())


@given(SHAPES, st.data())
def test_unsqueeze_expand_and_sum_back(shape, data):
    x = numbered(shape).requires_grad_()
    place = data.draw(st.integers(-len(shape) - 1, len(shape)))
    times = data.draw(st.integers(1, 3))
    y = x.unsqueeze(place)
    place %= len(shape) + 1
    sizes = [*shape[:place], times, *shape[place:]]
    wide = y.expand(sizes)
    assert wide.shape == tuple(sizes)
    np.testing.assert_array_equal(wide.sum(place).detach().numpy(), times * x.detach().numpy())
    wide.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.full(shape, float(times)))


REDUCTIONS = ("sum", "mean", "prod", "amax", "amin", "var", "any", "all", "norm")


@settings(max_examples=200)
@given(
    arrays.array_shapes(min_dims=1, max_dims=4, min_side=2, max_side=4),
    st.sampled_from(REDUCTIONS),
    st.booleans(),
    st.data(),
)
def test_reductions_over_any_dimensions_are_numpys(shape, name, keepdim, data):
    several = name != "prod"
    dims = data.draw(
        st.lists(
            st.integers(0, len(shape) - 1), min_size=1, max_size=len(shape) if several else 1, unique=True
        )
    )
    x = mg.from_numpy(np.random.RandomState(len(shape)).uniform(0.5, 1.5, shape))
    function = {
        "amax": np.max,
        "amin": np.min,
        "var": lambda a, **o: np.var(a, ddof=1, **o),
        "norm": lambda a, **o: np.sqrt(np.sum(a * a, **o)),
    }.get(name) or getattr(np, name)
    signed = [d - len(shape) if data.draw(st.booleans()) else d for d in dims]
    found = getattr(mg, name)(x, dim=signed if several else signed[0], keepdim=keepdim)
    expected = function(x.numpy(), axis=tuple(dims), keepdims=keepdim)
    assert found.shape == np.shape(expected)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-13)


@given(arrays.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5), st.data())
def test_split_and_cat_are_inverse(shape, data):
    x = numbered(shape).requires_grad_()
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    step = data.draw(st.integers(1, 4))
    parts = x.split(step, dim)
    whole = mg.cat(parts, dim)
    np.testing.assert_array_equal(whole.detach().numpy(), x.detach().numpy())
    assert all(part.shape[dim] <= step for part in parts)
    whole.backward(x.detach() + 1)
    np.testing.assert_array_equal(x.grad.numpy(), x.detach().numpy() + 1)


@given(arrays.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4), st.data())
def test_unbind_and_stack_are_inverse(shape, data):
    x = numbered(shape)
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    np.testing.assert_array_equal(mg.stack(x.unbind(dim), dim).numpy(), x.numpy())


@settings(max_examples=150)
@given(arrays.mutually_broadcastable_shapes(signature="(i?,k),(k,j?)->(i?,j?)", max_side=3, max_dims=3))
def test_matmul_of_any_rank_is_numpys_and_its_gradients_are_einsums(shapes):
    rng = np.random.RandomState(1)
    a, b = (mg.from_numpy(rng.uniform(-1, 1, s)).requires_grad_() for s in shapes.input_shapes)
    y = a @ b
    assert y.shape == shapes.result_shape
    np.testing.assert_allclose(y.detach().numpy(), a.detach().numpy() @ b.detach().numpy(), rtol=1e-13)
    y.sum().backward()
    # The matrix product as a product and a sum, differentiated by other rules.
    c, d = (t.detach().requires_grad_() for t in (a, b))
    rows = c.unsqueeze(0) if c.ndim == 1 else c
    columns = d.unsqueeze(-1) if d.ndim == 1 else d
    (rows.unsqueeze(-1) * columns.unsqueeze(-3)).sum().backward()
    np.testing.assert_allclose(a.grad.numpy(), c.grad.numpy(), rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(b.grad.numpy(), d.grad.numpy(), rtol=1e-11, atol=1e-12)


@given(st.sampled_from(DTYPES), st.sampled_from(DTYPES), SHAPES)
def test_casts_are_numpys(source, target, shape):
    x = mg.ones(shape, dtype=getattr(mg, source))
    y = x.to(getattr(mg, target))
    assert y.dtype is getattr(mg, target)
    assert y.shape == shape
    np.testing.assert_array_equal(y.numpy(), x.numpy().astype(target))


def test_numpy_keywords_and_functions_reduce_a_tensor():
    x = mg.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert x.sum(axis=1).tolist() == [3.0, 7.0]
    assert x.mean(axis=0, keepdims=True).tolist() == [[2.0, 3.0]]
    assert x.argmax(axis=1).tolist() == [1, 1]
    for found, expected in ((np.sum(x), 10.0), (np.mean(x), 2.5), (np.max(x), 4.0), (np.min(x), 1.0)):
        assert isinstance(found, mg.Tensor)
        assert found.item() == expected
    assert np.sum(x, axis=0).tolist() == [4.0, 6.0]
    with pytest.raises(TypeError, match="axes"):
        x.sum(axes=1)
