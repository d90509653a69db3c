"""Every row of the table of operations against torch, numeric derivatives, and itself elsewhere."""

import importlib
import pkgutil
import types
import warnings
from functools import cache

import numpy as np
import pytest
from ops_harness import (
    Found,
    close,
    differences,
    differentiate,
    evaluate,
    fingerprint,
    load,
    outputs_of,
    recorded,
    tensors,
)
from ops_table import ROWS

import minigrad
import minigrad.ops
from minigrad.autograd import op as statements
from minigrad.autograd.function import FunctionNode
from minigrad.autograd.gradcheck import GradcheckError
from minigrad.autograd.op import Primitive, PrimitiveNode, _filled, primitive
from minigrad.autograd.tape import Pick
from minigrad.methods import Methods

DTYPES = ("float32", "float64")
FAMILIES = [
    statements,
    *(
        importlib.import_module(f"minigrad.ops.{info.name}")
        for info in pkgutil.iter_modules(minigrad.ops.__path__)
    ),
]

every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


@cache
def recordings():
    return load()


@cache
def outcome(row, dtype):
    """What the row gives in minigrad, worked out once for the tests that compare with it."""
    return evaluate(minigrad, row, row.arrays(dtype))


def running(row):
    """Whether the call gives a result; where it raises, its error is tested against torch's."""
    return outcome(row, "float64").error is None


def finite(row):
    """Whether a difference quotient exists; infinities and nan are held against torch alone."""
    found = outcome(row, "float64")
    return all(np.isfinite(a).all() for a in (*found.outputs, *found.grads) if a is not None)


RUNNING = [row for row in ROWS if running(row)]
DIFFERENTIABLE = [row for row in RUNNING if any(g is not None for g in outcome(row, "float64").grads)]
SMOOTH = [row for row in DIFFERENTIABLE if row.numeric and not row.kink and finite(row)]
running_rows = pytest.mark.parametrize("row", RUNNING, ids=lambda row: row.name)
differentiable_rows = pytest.mark.parametrize("row", DIFFERENTIABLE, ids=lambda row: row.name)
smooth_rows = pytest.mark.parametrize("row", SMOOTH, ids=lambda row: row.name)


# ---------------------------------------------------------------------------------------- against torch
@every_row
def test_values_gradients_types_and_names_are_those_recorded_from_torch(row):
    for dtype in DTYPES:
        inputs, expected = recordings()[f"{row.name} | {dtype}"]
        assert inputs == fingerprint(row.arrays(dtype)), "the row changed: run tests/record_ops.py"
        assert differences(row, outcome(row, dtype), expected) == []


@every_row
def test_live_torch_agrees(row, torch):
    for dtype in DTYPES:
        with warnings.catch_warnings():  # torch's notes on degrees of freedom and on uint8 masks
            warnings.simplefilter("ignore")
            expected = evaluate(torch, row, row.arrays(dtype))
        assert differences(row, outcome(row, dtype), expected) == []


def test_the_recording_has_no_stale_rows():
    names = {f"{row.name} | {dtype}" for row in ROWS for dtype in DTYPES}
    assert names == set(recordings())


# --------------------------------------------------------------------------- against numeric derivatives
def function_of(row):
    """The row as a function of its tensors that returns its differentiable outputs, for gradcheck."""

    def function(*inputs):
        outputs = outputs_of(row.call(minigrad, *inputs))
        return tuple(o for o in outputs if o.dtype == minigrad.float64)

    return function


@smooth_rows
def test_gradcheck(row):
    inputs = tensors(minigrad, row.arrays())
    assert minigrad.autograd.gradcheck(function_of(row), inputs)


@smooth_rows
def test_gradgradcheck(row):
    arrays = row.arrays()
    if sum(a.size for a in arrays) > 100:
        arrays = [a[..., :7] if a.ndim and a.shape[-1] > 50 else a for a in arrays]
    inputs = tensors(minigrad, arrays)
    assert minigrad.autograd.gradgradcheck(function_of(row), inputs)


# -------------------------------------------------------------------------- the same in other circumstances
def transposed(array):
    """The same values with the memory of the transpose."""
    return np.array(array.T, order="C").T


def sliced(array):
    """The same values at every second place of a larger array of junk."""
    if array.ndim == 0:
        return np.full(3, array)[1:2].reshape(())
    wide = np.full([2 * n + 1 for n in array.shape], 77, array.dtype)
    part = wide[tuple(slice(1, None, 2) for _ in array.shape)]
    part[...] = array
    return part


def read_only(array):
    """The same values, which nobody may change."""
    copy = array.copy()
    copy.flags.writeable = False
    return copy


@running_rows
def test_the_layout_of_the_inputs_does_not_matter_and_they_stay_unmodified(row):
    expected = outcome(row, "float32")
    before = row.arrays("float32")
    for layout in (read_only,) if row.dense else (transposed, sliced, read_only):
        arrays = [layout(a) for a in before]
        inputs = tensors(minigrad, arrays, row.grad)
        outputs = outputs_of(row.call(minigrad, *inputs))
        grads = differentiate(minigrad, row, outputs, inputs)
        found = Found(
            [o.detach().numpy() for o in outputs],
            [None if g is None else g.numpy() for g in grads],
            expected.names,
        )
        assert differences(row, found, expected) == [], layout.__name__
        for array, original in zip(arrays, before, strict=True):
            np.testing.assert_array_equal(array, original)


@differentiable_rows
def test_backward_again_and_backward_recorded_give_the_same(row):
    inputs = tensors(minigrad, row.arrays())
    outputs = outputs_of(row.call(minigrad, *inputs))
    first = outcome(row, "float64").grads
    second = differentiate(minigrad, row, outputs, inputs, retain_graph=True)
    for g in second:
        if g is not None:
            g.numpy()[...] = 1e6  # whoever gets a gradient may change it
    third = differentiate(minigrad, row, outputs, inputs, retain_graph=True)
    graph = differentiate(minigrad, row, outputs, inputs, create_graph=True)
    for a, b, c in zip(first, third, graph, strict=True):
        if a is None:
            assert b is None
            assert c is None
            continue
        np.testing.assert_array_equal(b.numpy(), a)
        assert b.dtype == c.dtype
        assert close(c.detach().numpy(), a, row.digits).all()


@running_rows
def test_no_graph_without_gradients_wanted(row):
    with minigrad.no_grad():
        outputs = outputs_of(row.call(minigrad, *tensors(minigrad, row.arrays())))
        given = tensors(minigrad, row.arrays(), grad=False)
    plain = outputs_of(row.call(minigrad, *given))
    for a, b, c in zip(outputs, plain, outcome(row, "float64").outputs, strict=True):
        assert b.grad_fn is None
        assert a.grad_fn is None
        np.testing.assert_array_equal(a.detach().numpy(), c)
        np.testing.assert_array_equal(b.numpy(), c)


# ------------------------------------------------------------------------------------- nothing is left out
def statements_made():
    """All Primitive objects of the package, by name."""
    found = {}
    for module in FAMILIES:
        for name, value in vars(module).items():
            if isinstance(value, Primitive):
                found[id(value)] = f"{module.__name__}.{name}"
    return found


def nodes_below(outputs):
    """All nodes of the graphs of some tensors."""
    stack = [o.grad_fn for o in outputs if o.grad_fn is not None]
    seen = set()
    while stack:
        node = stack.pop()
        if node is not None and node not in seen:
            seen.add(node)
            stack.extend(node.edges)
    return seen


def test_every_differentiable_primitive_is_reached_by_a_row():
    unreached = {
        key: name
        for key, name in statements_made().items()
        for module in [name.rpartition(".")]
        if vars(__import__(module[0], fromlist=["_"]))[module[2]].rules
    }
    del unreached[id(_filled)]  # only where a derivative is not finite: test_nan_policy
    total = len(unreached)
    for row in DIFFERENTIABLE:
        inputs = tensors(minigrad, row.arrays())
        outputs = outputs_of(row.call(minigrad, *inputs))
        targets = [o for _, o in recorded(outputs)]
        cotangents = [minigrad.ones_like(o).requires_grad_() for o in targets]
        wanted = [t for t in inputs if t.requires_grad]
        grads = minigrad.autograd.grad(targets, wanted, cotangents, create_graph=True, materialize_grads=True)
        for node in nodes_below([*outputs, *grads]):
            if isinstance(node, PrimitiveNode):
                unreached.pop(id(node.op), None)
    assert not unreached, f"primitives without a row: {sorted(unreached.values())}"
    assert total > 70


def test_every_public_operation_is_named_by_a_row():
    used = set().union(*(row.uses for row in ROWS))
    public = {
        name
        for name, value in vars(minigrad).items()
        if isinstance(value, (types.FunctionType, Primitive))
        and any(value in vars(module).values() for module in FAMILIES)
    }
    assert sorted(public - used) == []
    assert len(public) > 90


NOT_OPERATIONS = {
    *("backward", "retain_grad", "register_hook", "register_post_accumulate_grad_hook"),
    *("requires_grad_", "detach_", "numpy", "item", "tolist", "size", "dim", "numel", "nelement"),
    *("element_size", "stride", "is_contiguous", "data_ptr", "is_floating_point", "cpu"),
    *("ndimension", "is_same_size", "get_device", "is_complex", "cuda"),
    *("uniform_", "normal_", "bernoulli_", "random_", "exponential_"),
}


def test_every_tensor_method_that_computes_is_named_by_a_row():
    used = set().union(*(row.uses for row in ROWS))
    attributes = vars(Methods) | vars(minigrad.Tensor)
    methods = {name for name, value in attributes.items() if not isinstance(value, property)}
    methods = {name for name in methods if not name.startswith("_")}
    assert sorted(methods - used - NOT_OPERATIONS) == []
    assert len(methods) > 100


# ------------------------------------------------------------------------------------- the checker itself
def wrong_by(factor):
    """exp with a rule that is off by this factor."""
    return primitive(np.exp, name="crooked").vjp(lambda g, y: g * y * factor)


def test_a_rule_that_is_a_thousandth_wrong_fails_and_the_message_says_where():
    x = minigrad.tensor([[0.5, -1.0], [2.0, 0.1]], dtype=minigrad.float64, requires_grad=True)
    y = minigrad.ones(2, 2, dtype=minigrad.float64)
    with pytest.raises(GradcheckError) as caught:
        minigrad.autograd.gradcheck(lambda y, x: y * wrong_by(1.001)(x), (y, x))
    message = str(caught.value)
    assert "input 1" in message
    assert "element [0, 0]" in message
    analytic, numeric = (float(message.split(word)[1].split(",")[0]) for word in ("analytic ", "numerical "))
    assert analytic == pytest.approx(1.001 * numeric, rel=1e-6)
    assert not minigrad.autograd.gradcheck(wrong_by(1.001), x, raise_exception=False)
    assert minigrad.autograd.gradcheck(wrong_by(1.0), x)


def test_one_wrong_element_fails():
    weights = np.ones((2, 3))
    weights[1, 2] = 0.999
    crooked = primitive(np.sin, name="crooked").vjp(lambda g, x: g * np.cos(x) * weights)
    x = minigrad.from_numpy(np.linspace(-1, 1, 6).reshape(2, 3)).requires_grad_()
    with pytest.raises(GradcheckError, match=r"input 0 at element \[1, 2\]"):
        minigrad.autograd.gradcheck(crooked, x)


def test_a_wrong_second_derivative_fails():
    slope = primitive(np.cos, name="slope").vjp(lambda g, x: g * np.sin(1.001 * x))
    crooked = primitive(np.sin, name="crooked").vjp(lambda g, x: g * slope(x))
    x = minigrad.tensor([0.5, 1.0], dtype=minigrad.float64, requires_grad=True)
    assert minigrad.autograd.gradcheck(crooked, x)
    assert not minigrad.autograd.gradgradcheck(
        lambda x: primitive(np.sin, name="c").vjp(lambda g, x: g * _crooked_cos(x))(x),
        x,
        raise_exception=False,
    )


_crooked_cos = primitive(np.cos, name="crooked_cos").vjp(
    lambda g, x: g * (-1.001 * minigrad.ops.trigonometry.sin(x))
)


def test_a_missing_term_that_a_cotangent_of_ones_hides_fails():
    softmax = minigrad.ops.softmax.kernels.softmax
    crooked = primitive(softmax, operands=("x",), name="crooked").vjp(lambda g, y: g * y * 0)
    x = minigrad.tensor([0.5, 1.0, -1.0], dtype=minigrad.float64, requires_grad=True)
    with pytest.raises(GradcheckError):
        minigrad.autograd.gradcheck(lambda x: crooked(x, axis=0), x)


def test_gradcheck_says_what_it_cannot_check():
    single = minigrad.ones(2, requires_grad=True)
    with pytest.raises(ValueError, match="float64"):
        minigrad.autograd.gradcheck(minigrad.exp, single)
    with pytest.raises(ValueError, match="at least one input tensor to require gradient"):
        minigrad.autograd.gradcheck(minigrad.exp, minigrad.ones(2, dtype=minigrad.float64))
    with pytest.raises(ValueError, match="no output"):
        minigrad.autograd.gradcheck(lambda x: x.detach(), single.double().detach().requires_grad_())


def test_the_comparison_with_torch_sees_small_errors():
    row = next(row for row in ROWS if row.name == "exp [2, 3]")
    good = outcome(row, "float64")
    bad = Found([a * (1 + 1e-11) for a in good.outputs], good.grads, good.names)
    (first, second) = differences(row, bad, good)
    assert first.startswith("output 0 at element [0, 0] is ")
    assert repr(good.outputs[0][0, 0]) in first
    assert second != first
    swapped = Found([a.astype("float32") for a in good.outputs], good.grads, ["ExpBackward1"])
    assert len(differences(row, swapped, good)) == 2


def test_the_walk_reaches_functions_and_picks():
    class Two(minigrad.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, g, h):
            return 2 * g + 3 * h

    a, b = Two.apply(minigrad.ones(2, requires_grad=True))
    kinds = {type(node) for node in nodes_below([a + b])}
    assert {Pick, FunctionNode} <= kinds
