"""The tape: depth, memory, accumulation, ownership, `grad` and its options, higher orders."""

import gc
import weakref

import numpy as np
import pytest

import minigrad as mg
from minigrad.autograd import grad
from minigrad.autograd.tape import Leaf, Node


def leaf(*values, dtype=None):
    return mg.tensor(list(values), dtype=dtype, requires_grad=True)


@pytest.fixture
def no_gc():
    """Nothing is freed but by reference count."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def live_nodes():
    return sum(issubclass(type(thing), Node) for thing in gc.get_objects())


# ---------------------------------------------------------------------------------------- depth and memory
@pytest.mark.parametrize("create_graph", [False, True])
def test_a_chain_of_100_000_operations_backpropagates_and_is_destroyed(create_graph):
    x = mg.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(50_000):
        y = y * 1.00001 + 0.5
    if create_graph:
        (g,) = grad(y, x, create_graph=True)
        assert g.item() == pytest.approx(1.00001**50_000, rel=1e-2)
        del g
    else:
        y.backward()
        assert x.grad.item() == pytest.approx(1.00001**50_000, rel=1e-2)
    del y


def test_a_deep_chain_that_is_never_walked_is_destroyed():
    x = mg.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = -y
    last = weakref.ref(y.grad_fn)
    del y
    assert last() is None
    assert x.grad is None


def test_a_deep_chain_of_views_and_in_place_changes():
    x = mg.ones(4, requires_grad=True)
    y = x.clone()
    for _ in range(2_000):
        y[1:3] *= 0.999
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [1, 0.999**2000, 0.999**2000, 1], rtol=1e-4)


def test_the_graph_of_2_000_training_steps_is_freed_without_gc(no_gc):
    alive = live_nodes()
    w, b = mg.randn(3, 2, requires_grad=True), mg.zeros(2, requires_grad=True)
    x, target = mg.randn(8, 3), mg.randn(8, 2)
    before = None
    roots = []
    for step in range(2_000):
        loss = ((mg.tanh(x @ w + b) - target) ** 2).mean()
        loss.backward()
        if step in (0, 1000, 1998):
            roots.append(weakref.ref(loss.grad_fn))
        with mg.no_grad():
            w -= 0.1 * w.grad
            b -= 0.1 * b.grad
        w.grad = b.grad = None
        if step == 10:
            del loss
            before = len(gc.get_objects())
    assert live_nodes() - alive <= 20
    del loss
    assert [root() for root in roots] == [None] * 3
    assert live_nodes() - alive == 2
    assert len(gc.get_objects()) - before < 50


def test_graphs_with_every_kind_of_node_are_freed_without_gc(no_gc):
    class Double(mg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x * 2
            ctx.save_for_backward(x, y)
            return y, y + 1

        @staticmethod
        def backward(ctx, g, h):
            return 2 * g + 2 * h

    x = leaf(1.0, -2.0)
    a, b = Double.apply(x)
    c = mg.nn.functional.mse_loss(a * b, mg.zeros(2))
    d = x.clone()
    d[0] = a[1]
    view = d.view(2, 1)
    view *= 2
    total = c + mg.cat([d, view.squeeze(1)]).sum() + mg.max(b, 0).values
    total.retain_grad()
    handle = a.register_hook(lambda g: g * 1)
    (g,) = grad(total, x, create_graph=True)
    probes = [weakref.ref(t) for t in (a, b, c, d, view, total, g)]
    probes += [weakref.ref(t.grad_fn) for t in (a, b, c, d, view, total, g)]
    assert all(probe() is not None for probe in probes)
    del a, b, c, d, view, total, g, handle
    assert [probe() for probe in probes] == [None] * len(probes)


def test_backward_frees_what_was_saved_and_retain_graph_keeps_it():
    x = leaf(1.0, 2.0)
    y = x.exp()
    saved = weakref.ref(y)
    z = (y * y).sum()
    del y
    z.backward(retain_graph=True)
    z.backward()
    np.testing.assert_allclose(x.grad.numpy(), 4 * np.exp([2.0, 4.0]), rtol=1e-6)
    assert saved() is None
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        z.backward()


def test_a_leaf_that_is_gone_needs_no_gradient():
    x, y = leaf(1.0), leaf(2.0)
    z = x * y
    del x
    z.backward()
    assert y.grad.item() == 1.0


# -------------------------------------------------------------------------- shapes of graphs, accumulation
def test_a_diamond_adds_both_ways():
    x = leaf(2.0)
    a, b = x * 3, x * x
    (a * b + a).backward()
    assert x.grad.item() == 3 * 3 * 4 + 3


def test_a_ladder_of_diamonds_takes_linear_time():
    x = mg.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(60):
        y = y + y  # 2**60 paths
    y.backward()
    assert x.grad.item() == 2.0**60


def test_an_operand_used_twice_and_a_result_used_many_times():
    x = leaf(3.0)
    y = x * x
    (y + y * y + mg.stack([y, y]).sum()).backward()
    assert x.grad.item() == (1 + 2 * 9 + 2) * 6


def test_gradients_accumulate_over_backwards_until_they_are_reset():
    x = leaf(1.0, 2.0)
    for _ in range(3):
        (x * x).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [6.0, 12.0])
    x.grad = None
    (x * 5).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [5.0, 5.0])


def test_accumulation_keeps_the_same_gradient_tensor():
    x = leaf(1.0)
    (x * 2).backward()
    g = x.grad
    (x * 3).backward()
    assert x.grad is g
    assert g.item() == 5.0


@pytest.mark.parametrize(
    "combine",
    [
        lambda a, b: a + b,
        lambda a, b: mg.stack([a, b]),
        lambda a, b: (a + b).reshape(3, 1),
        lambda a, b: a.view(3) + b.expand(3),
        lambda a, b: mg.cat([a + b]),
        lambda a, b: a + b + a + b,
    ],
)
def test_two_leaves_never_share_a_gradient_array(combine):
    a, b = mg.ones(3, requires_grad=True), mg.ones(3, requires_grad=True)
    out = combine(a, b)
    cotangent = mg.full(out.shape, 2.0)
    out.backward(cotangent)
    assert not np.shares_memory(a.grad.numpy(), b.grad.numpy())
    assert not np.shares_memory(a.grad.numpy(), cotangent.numpy())
    kept = b.grad.numpy().copy()
    a.grad *= 0
    a.grad += 7
    np.testing.assert_array_equal(b.grad.numpy(), kept)
    np.testing.assert_array_equal(cotangent.numpy(), 2.0)


def test_a_changed_gradient_does_not_change_the_second_backward():
    x = leaf(1.0, 2.0)
    target = mg.zeros(2)
    for loss in (x.sum(), (x * x).sum(), mg.nn.functional.mse_loss(x, target), x.clone().sum() * 1):
        x.grad = None
        loss.backward(retain_graph=True)
        first = x.grad.numpy().copy()
        x.grad.zero_()
        x.grad.add_(1e6)
        x.grad = None
        loss.backward()
        np.testing.assert_array_equal(x.grad.numpy(), first)


def test_the_gradients_of_grad_are_their_callers_own():
    x = leaf(1.0, 2.0)
    y = x + 0
    cotangent = mg.ones(2)
    (g,) = grad(y, x, cotangent, retain_graph=True)
    g += 5
    np.testing.assert_array_equal(cotangent.numpy(), 1.0)
    (again,) = grad(y, x, cotangent)
    np.testing.assert_array_equal(again.numpy(), 1.0)


def test_gradients_are_writable_and_contiguous():
    x = mg.ones(2, 3, requires_grad=True)
    x.t().expand(4, 3, 2).sum().backward()
    assert x.grad.is_contiguous()
    x.grad += 1
    np.testing.assert_array_equal(x.grad.numpy(), 5.0)
    y = mg.ones(3, requires_grad=True)
    y.sum().backward()
    y.grad[0] = 9
    np.testing.assert_array_equal(y.grad.numpy(), [9, 1, 1])


def test_the_gradient_of_a_0d_leaf_used_twice_is_writable():
    x = mg.tensor(0.5, requires_grad=True)
    (x * 3 + x * 2).backward()
    x.grad.add_(1)
    assert x.grad.item() == 6.0


def test_several_outputs_at_once():
    x = leaf(2.0)
    mg.autograd.backward([x * 3, x * x], [mg.tensor([1.0]), mg.tensor([10.0])])
    assert x.grad.item() == 3 + 40
    y = x * 2
    (g,) = grad([y, y], x, [mg.tensor([1.0]), mg.tensor([2.0])])
    assert g.item() == 6


def test_an_output_that_is_also_on_the_way_to_another():
    x = leaf(2.0)
    y = x * x
    z = y * 3
    (g,) = grad([z, y], [x])
    assert g.item() == (3 + 1) * 4


def test_backward_on_a_leaf_itself():
    x = mg.tensor(2.0, requires_grad=True)
    x.backward()
    assert x.grad.item() == 1.0


def test_backward_with_a_gradient_of_another_dtype_is_cast():
    x = leaf(1.0, 2.0)
    (x * 2).backward(mg.tensor([1.0, 10.0], dtype=mg.float64))
    assert x.grad.dtype == mg.float32
    np.testing.assert_array_equal(x.grad.numpy(), [2.0, 20.0])


def test_backward_into_chosen_inputs_only():
    x, y = leaf(2.0), leaf(3.0)
    (x * y).backward(inputs=[x])
    assert x.grad.item() == 3.0
    assert y.grad is None
    (x * y).backward(inputs=x)
    assert x.grad.item() == 6.0


def test_backward_with_inputs_that_are_not_leaves_fills_their_grad():
    x = leaf(2.0)
    y = x * x
    y.retain_grad()
    (y * 3).backward(inputs=[y])
    assert y.grad.item() == 3.0
    assert x.grad is None


def test_leaves_of_mixed_precision():
    x = mg.ones(2, dtype=mg.float64, requires_grad=True)
    w = mg.ones(2, requires_grad=True)
    (x * w).sum().backward()
    assert (x.grad.dtype, w.grad.dtype) == (mg.float64, mg.float32)


def test_integer_results_have_no_gradient():
    x = leaf(1.5, 2.5)
    for y in (x.long(), x > 2, x.argmax(), x.bool(), x.round().int(), x.max(0).indices):
        assert not y.requires_grad
        assert y.grad_fn is None


# ------------------------------------------------------------------------------------------- autograd.grad
def test_grad_touches_no_grad_attribute():
    x, y = leaf(2.0), leaf(3.0)
    gx, gy = grad(x * y, [x, y])
    assert (gx.item(), gy.item()) == (3.0, 2.0)
    assert x.grad is None
    assert y.grad is None
    assert not gx.requires_grad


def test_grad_by_a_result():
    x = leaf(2.0)
    y = x * x
    z = y * y
    gy, gx = grad(z, [y, x])
    assert (gy.item(), gx.item()) == (8.0, 32.0)


def test_grad_by_a_result_does_not_need_what_lies_below():
    x = leaf(2.0)
    y = x.exp()
    z = y * 3
    with mg.no_grad():
        x.add_(1)  # harmless: the walk stops at y
    assert grad(z, y)[0].item() == 3.0


def test_unused_inputs():
    x, y = leaf(2.0), leaf(3.0, 4.0)
    with pytest.raises(
        RuntimeError, match=r"at index 1 appears to not have been used in the graph\. Set allow_unused"
    ):
        grad(x * 2, [x, y])
    g, missing = grad(x * 2, [x, y], allow_unused=True)
    assert g.item() == 2.0
    assert missing is None
    g, zeros = grad(x * 2, [x, y], materialize_grads=True)
    np.testing.assert_array_equal(zeros.numpy(), [0.0, 0.0])


def test_materialize_grads_contradicts_allow_unused_false():
    x = leaf(2.0)
    with pytest.raises(ValueError, match="Expected allow_unused to be True or not passed"):
        grad(x * 2, x, allow_unused=False, materialize_grads=True)


def test_an_input_without_gradient_is_an_error():
    x = leaf(2.0)
    with pytest.raises(RuntimeError, match="One of the differentiated Tensors does not require grad"):
        grad(x * 2, [mg.ones(1)])


def test_grad_outputs_of_any_form():
    x = leaf(1.0, 2.0)
    y = x * x
    for given in (mg.tensor([1.0, 10.0]), [mg.tensor([1.0, 10.0])], (mg.tensor([1.0, 10.0]),)):
        (g,) = grad(y, x, given, retain_graph=True)
        np.testing.assert_array_equal(g.numpy(), [2.0, 40.0])
    (g,) = grad([y.sum(), y], x, [None, mg.ones(2)])
    np.testing.assert_array_equal(g.numpy(), [4.0, 8.0])


def test_the_gradient_by_a_cotangent():
    x, v = leaf(1.0, 2.0), leaf(1.0, 1.0)
    (g,) = grad(x * x, x, v, create_graph=True)
    (gv,) = grad(g.sum(), v)
    np.testing.assert_array_equal(gv.numpy(), [2.0, 4.0])


# ------------------------------------------------------------------------------------------ higher orders
def test_derivatives_of_sin_to_the_sixth_order():
    x = mg.tensor(0.7, dtype=mg.float64, requires_grad=True)
    y, expected = x.sin(), [np.cos, lambda t: -np.sin(t), lambda t: -np.cos(t), np.sin] * 2
    for derivative in expected[:6]:
        (y,) = grad(y, x, create_graph=True)
        assert y.item() == pytest.approx(derivative(0.7), rel=1e-12)


def test_backward_with_create_graph_then_backward_again():
    x = leaf(3.0)
    (x**3).backward(create_graph=True)
    g = x.grad
    assert g.requires_grad
    x.grad = None
    g.backward()
    assert x.grad.item() == 18.0


def test_triple_backward():
    x = mg.tensor(2.0, dtype=mg.float64, requires_grad=True)
    (a,) = grad(x**4, x, create_graph=True)
    (b,) = grad(a, x, create_graph=True)
    (c,) = grad(b, x, create_graph=True)
    c.backward()
    assert (a.item(), b.item(), c.item(), x.grad.item()) == (32.0, 48.0, 48.0, 24.0)


def test_a_gradient_penalty():
    x = leaf(1.0, 2.0, dtype=mg.float64)
    w = leaf(0.5, -0.3, dtype=mg.float64)

    def penalty(w):
        (g,) = grad(mg.tanh(x * w).sum(), x, create_graph=True)
        return (g * g).sum()

    assert mg.autograd.gradcheck(penalty, w)


def test_a_hessian_vector_product():
    x = mg.from_numpy(np.array([1.0, 2.0, 3.0])).requires_grad_()
    v = mg.from_numpy(np.array([0.5, -1.0, 2.0]))
    (g,) = grad((x * x * x).sum() + x.prod(), x, create_graph=True)
    (hv,) = grad(g, x, v)
    a, b, c = 1.0, 2.0, 3.0
    hessian = np.array([[6 * a, c, b], [c, 6 * b, a], [b, a, 6 * c]])
    np.testing.assert_allclose(hv.numpy(), hessian @ v.numpy(), rtol=1e-12)


def test_a_recorded_walk_in_no_grad_is_recorded():
    x = leaf(3.0)
    y = x * x
    with mg.no_grad():
        (g,) = grad(y, x, create_graph=True)
        assert not mg.is_grad_enabled()
    assert g.requires_grad


# -------------------------------------------------------------------------------- the graph one can look at
def test_grad_fn_and_next_functions():
    x = leaf(2.0)
    y = (x * 3).exp()
    assert repr(y.grad_fn).startswith("<ExpBackward0")
    ((mul, _),) = y.grad_fn.next_functions
    assert mul.name() == "MulBackward0"
    (accumulate, nothing) = mul.next_functions
    assert accumulate[0].name() == "torch::autograd::AccumulateGrad"
    assert isinstance(accumulate[0], Leaf)
    assert accumulate[0].variable is x
    assert nothing == (None, 0)
    assert x.grad_fn is None
    assert x.is_leaf
    assert not y.is_leaf


def test_requires_grad_can_be_switched_on_leaves_only():
    x = mg.ones(2)
    x.requires_grad = True
    assert x.requires_grad
    assert not x.requires_grad_(False).requires_grad
    y = leaf(1.0) * 2
    y.requires_grad_(True)
    with pytest.raises(RuntimeError, match="you can only change requires_grad flags of leaf variables"):
        y.requires_grad_(False)


def test_detach():
    x = leaf(1.0, 2.0)
    y = x * x
    d = y.detach()
    assert not d.requires_grad
    assert np.shares_memory(d.numpy(), y.data.numpy())
    z = (d * x).sum()
    z.backward()
    np.testing.assert_array_equal(x.grad.numpy(), [1.0, 4.0])
    y.detach_()
    assert y.is_leaf
    assert not y.requires_grad
