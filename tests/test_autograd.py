"""The tape: depth, memory, accumulation, ownership, modes, hooks, `grad` and its options, higher orders."""

import gc
import threading
import weakref

import numpy as np
import pytest

import minigrad as mg
from minigrad.autograd import grad
from minigrad.autograd.tape import Leaf, Node

pytestmark = pytest.mark.filterwarnings("error")


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
    return sum(isinstance(thing, Node) for thing in gc.get_objects())


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
    assert live_nodes() <= 20
    del loss
    assert [root() for root in roots] == [None] * 3
    assert live_nodes() == 2
    assert len(gc.get_objects()) - before < 50
    assert gc.collect() < 20


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


# ------------------------------------------------------------------------------------------- grad modes
def test_no_grad_as_context_manager_decorator_and_bare_decorator():
    x = leaf(1.0)
    with mg.no_grad():
        assert not (x * 2).requires_grad
        assert not mg.is_grad_enabled()
    assert (x * 2).requires_grad

    @mg.no_grad()
    def called():
        return x * 2

    @mg.no_grad
    def bare():
        return x * 2

    assert not called().requires_grad
    assert not bare().requires_grad
    assert called.__name__ == "called"
    assert mg.is_grad_enabled()


def test_modes_nest_and_are_restored_after_an_exception():
    x = leaf(1.0)
    with mg.no_grad():
        with mg.enable_grad():
            assert (x * 2).requires_grad
            with mg.set_grad_enabled(False):
                assert not (x * 2).requires_grad
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad
    with pytest.raises(KeyError), mg.no_grad():
        raise KeyError
    assert mg.is_grad_enabled()


def test_one_mode_object_may_be_entered_again():
    quiet = mg.no_grad()
    with quiet, mg.enable_grad(), quiet:
        assert not mg.is_grad_enabled()
    assert mg.is_grad_enabled()


def test_set_grad_enabled_acts_at_once_and_as_a_decorator():
    mg.set_grad_enabled(False)
    assert not mg.is_grad_enabled()
    mg.set_grad_enabled(True)
    assert mg.is_grad_enabled()

    @mg.set_grad_enabled(False)
    def quiet():
        return mg.is_grad_enabled()

    assert mg.is_grad_enabled()
    assert quiet() is False
    assert mg.is_grad_enabled()


def test_inference_mode():
    x = leaf(1.0)
    with mg.inference_mode():
        assert mg.is_inference_mode_enabled()
        assert not (x * 2).requires_grad
        with mg.inference_mode(False):
            assert not mg.is_inference_mode_enabled()
            assert (x * 2).requires_grad
    assert not mg.is_inference_mode_enabled()

    @mg.inference_mode()
    def evaluate():
        return x * 2

    assert not evaluate().requires_grad
    assert mg.is_grad_enabled()


def test_a_decorated_generator_runs_its_body_in_the_mode_and_its_caller_outside():
    @mg.no_grad()
    def items():
        for _ in range(3):
            yield mg.is_grad_enabled()

    inside = []
    for enabled in items():
        inside.append(enabled)
        assert mg.is_grad_enabled()
    assert inside == [False, False, False]


def test_a_decorated_generator_takes_what_is_sent_and_returns():
    @mg.enable_grad()
    def echo():
        got = yield 1
        try:
            yield (got, mg.is_grad_enabled())
        except ValueError:
            return "caught"  # noqa: B901

    with mg.no_grad():
        steps = echo()
        assert next(steps) == 1
        assert steps.send("hello") == ("hello", True)
        with pytest.raises(StopIteration) as stopped:
            steps.throw(ValueError)
        assert stopped.value.value == "caught"
        assert not mg.is_grad_enabled()


def test_the_mode_belongs_to_its_thread():
    seen = {}
    inside = threading.Event()
    done = threading.Event()

    def other():
        inside.wait(10)
        seen["other"] = mg.is_grad_enabled()
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    with mg.no_grad():
        inside.set()
        done.wait(10)
        seen["here"] = mg.is_grad_enabled()
    thread.join()
    assert seen == {"other": True, "here": False}


def test_a_decorated_function_may_run_in_several_threads_at_once():
    barrier = threading.Barrier(2)
    left = []

    @mg.no_grad()
    def meet():
        barrier.wait(10)
        return mg.is_grad_enabled()

    def run(outside):
        with mg.set_grad_enabled(outside):
            for _ in range(50):
                assert meet() is False
                left.append(mg.is_grad_enabled() is outside)

    threads = [threading.Thread(target=run, args=(outside,)) for outside in (True, False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert left == [True] * 100


def test_two_threads_each_train_a_model():
    def train(seed, results):
        rng = np.random.RandomState(seed)
        w = mg.from_numpy(rng.randn(4, 3)).requires_grad_()
        x, y = mg.from_numpy(rng.randn(32, 4)), mg.from_numpy(rng.randn(32, 3))
        for step in range(150):
            loss = (mg.sigmoid(x @ w) - y).square().mean()
            loss.backward()
            with mg.no_grad():
                w -= 0.5 * w.grad
                w.grad.zero_()
            if step % 10 == seed % 10:
                with mg.enable_grad(), mg.set_grad_enabled(bool(seed % 2)):
                    assert (w * 1).requires_grad is bool(seed % 2)
        results[seed] = w.detach().numpy().copy()

    alone, together = {}, {}
    for seed in (1, 2):
        train(seed, alone)
    threads = [threading.Thread(target=train, args=(seed, together)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in (1, 2):
        np.testing.assert_array_equal(alone[seed], together[seed])


# ---------------------------------------------------------------------------------------------- hooks
def test_a_hook_sees_and_may_replace_the_gradient_of_a_leaf():
    x = leaf(1.0, 2.0)
    seen = []
    handle = x.register_hook(lambda g: seen.append(g.tolist()))
    (x * 3).sum().backward()
    assert seen == [[3.0, 3.0]]
    handle.remove()
    handle.remove()
    (x * 3).sum().backward()
    assert len(seen) == 1
    x.grad = None
    with x.register_hook(lambda g: g * 10):
        (x * 3).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [30.0, 30.0])


def test_a_hook_on_a_result_changes_what_goes_on_and_hooks_run_in_order():
    x = leaf(2.0)
    y = x * x
    y.register_hook(lambda g: g + 1)
    y.register_hook(lambda g: g * 2)
    (y * 3).backward()
    assert x.grad.item() == (3 + 1) * 2 * 4


def test_a_hook_sees_the_whole_gradient_once():
    x = leaf(2.0)
    y = x * 1
    seen = []
    y.register_hook(lambda g: seen.append(g.item()))
    (y * 3 + y * y).backward()
    assert seen == [3 + 4]
    assert x.grad.item() == 7


def test_a_hook_that_changes_its_gradient_in_place_harms_nobody():
    a, b = leaf(1.0), leaf(1.0)
    a.register_hook(lambda g: g.mul_(0) and None)
    (a + b).backward()
    assert b.grad.item() == 1.0


def test_hooks_run_in_grad_and_recorded_walks():
    x = leaf(3.0)
    y = x * x
    y.register_hook(lambda g: g * 2)
    (g,) = grad(y * y, x, create_graph=True)
    assert g.item() == 2 * 4 * 27
    (second,) = grad(g, x)  # d (4 y * 2 x) / dx, where the way through y is doubled again
    assert second.item() == 8 * 9 + 8 * 3 * 2 * 3 * 2


def test_hooks_need_a_gradient():
    with pytest.raises(RuntimeError, match="cannot register a hook on a tensor that doesn't require gradient"):
        mg.ones(1).register_hook(print)


def test_retain_grad():
    x = leaf(2.0)
    y = x * x
    assert not y.retains_grad
    y.retain_grad()
    assert y.retains_grad
    z = y * 3
    z.backward(retain_graph=True)
    assert y.grad.item() == 3.0
    z.backward()
    assert y.grad.item() == 6.0
    x.retain_grad()  # a leaf keeps its gradient anyway
    with pytest.raises(RuntimeError, match="can't retain_grad on Tensor that has requires_grad=False"):
        mg.ones(1).retain_grad()


def test_retained_gradients_come_after_the_hooks():
    x = leaf(2.0)
    y = x * x
    y.retain_grad()
    y.register_hook(lambda g: g * 5)
    (y * 3).backward()
    assert y.grad.item() == 15.0


def test_the_grad_of_a_result_warns_unless_it_is_retained():
    y = leaf(2.0) * 2
    with pytest.warns(UserWarning, match="The .grad attribute of a Tensor that is not a leaf"):
        assert y.grad is None
    y.retain_grad()
    assert y.grad is None


def test_post_accumulate_hooks():
    x = leaf(2.0)
    seen = []
    handle = x.register_post_accumulate_grad_hook(lambda t: seen.append((t is x, t.grad.item())))
    (x * 3).backward()
    (x * 3).backward()
    assert seen == [(True, 3.0), (True, 6.0)]
    handle.remove()
    (x * 3).backward()
    assert len(seen) == 2
    with pytest.raises(RuntimeError, match="cannot be registered on non-leaf"):
        (x * 2).register_post_accumulate_grad_hook(print)


def test_an_optimiser_in_a_post_accumulate_hook():
    x = leaf(2.0)

    def step(t):
        with mg.no_grad():
            t -= 0.1 * t.grad
        t.grad = None

    x.register_post_accumulate_grad_hook(step)
    (x * x).backward()
    assert x.item() == pytest.approx(2 - 0.4)
    assert x.grad is None


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
    with pytest.raises(RuntimeError, match="at index 1 appears to not have been used in the graph. Set allow_unused"):
        grad(x * 2, [x, y])
    g, missing = grad(x * 2, [x, y], allow_unused=True)
    assert g.item() == 2.0
    assert missing is None
    g, zeros = grad(x * 2, [x, y], materialize_grads=True)
    np.testing.assert_array_equal(zeros.numpy(), [0.0, 0.0])


def test_materialize_grads_contradicts_allow_unused_false():
    x = leaf(2.0)
    with pytest.raises(ValueError, match="Expected allow_unused to be True or not passed when materialize_grads=True"):
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


# ------------------------------------------------------------------------------------- version counters
def test_versions_count_in_place_changes():
    x = mg.ones(3)
    assert x._version == 0
    x += 1
    x[0] = 5
    x.zero_()
    assert x._version == 3


def test_a_saved_tensor_that_was_changed_names_the_operation_and_both_versions():
    x = leaf(1.0, 2.0, 3.0)
    y = x.exp()
    y += 1
    with pytest.raises(RuntimeError) as caught:
        y.sum().backward()
    message = str(caught.value)
    assert message.startswith(
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        "[torch.FloatTensor [3]], which is output 0 of Exp"
    )
    assert "is at version 1; expected version 0 instead" in message


def test_a_saved_operand_that_was_changed():
    x, w = leaf(1.0, 2.0), mg.ones(2, dtype=mg.float32)
    y = x * w
    w.mul_(3)
    w[0] = 1
    with pytest.raises(RuntimeError, match=r"MulBackward0.* is at version 2; expected version 0"):
        y.sum().backward()


def test_changing_what_was_not_saved_is_fine():
    x = leaf(1.0, 2.0)
    y = x + 1  # saves nothing
    y *= 2
    z = y.sum()
    y += 5
    z.backward()
    np.testing.assert_array_equal(x.grad.numpy(), [2.0, 2.0])


@pytest.mark.parametrize(
    "share",
    [lambda t: t.detach(), lambda t: t[0:1], lambda t: t.view(2, 1), lambda t: t.detach()[:1].view(1)],
)
def test_views_and_detach_share_the_counter(share):
    w = mg.ones(2)
    x = leaf(1.0, 2.0)
    y = (x * w).sum()
    share(w).add_(1)
    assert w._version == 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_data_does_not_share_the_counter():
    w = mg.ones(2)
    x = leaf(1.0, 2.0)
    y = (x * w).sum()
    w.data.add_(1)
    assert w._version == 0
    y.backward()
    np.testing.assert_array_equal(x.grad.numpy(), [2.0, 2.0])  # the documented danger of .data


def test_changes_through_the_leaf_under_no_grad_count_too():
    w = leaf(1.0, 2.0)
    y = (w * w).sum()
    with mg.no_grad():
        w -= 0.1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_a_loss_whose_arguments_were_changed():
    x, target = leaf(1.0, 2.0), mg.zeros(2)
    loss = mg.nn.functional.mse_loss(x, target)
    target += 1
    with pytest.raises(RuntimeError, match=r"modified by an inplace operation.*version 1; expected version 0"):
        loss.backward()


def test_a_recorded_walk_checks_versions_too():
    x = leaf(1.0, 2.0)
    (g,) = grad((x**3).sum(), x, create_graph=True)
    with mg.no_grad():
        x += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        grad(g.sum(), x)


# -------------------------------------------------------------------------------------------- Function
class Cube(mg.autograd.Function):
    """x ** 3 with a backward that can be differentiated."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 3 * x**2


def test_a_function_and_its_second_derivative():
    x = leaf(0.5, -2.0, dtype=mg.float64)
    y = Cube.apply(x)
    assert repr(y.grad_fn).startswith("<")
    assert y.grad_fn.name() == "CubeBackward"
    assert mg.autograd.gradcheck(Cube.apply, x)
    assert mg.autograd.gradgradcheck(Cube.apply, x)


def test_setup_context():
    class Scale(mg.autograd.Function):
        @staticmethod
        def forward(x, factor):
            return x * factor

        @staticmethod
        def setup_context(ctx, inputs, output):
            _, ctx.factor = inputs

        @staticmethod
        def backward(ctx, g):
            return g * ctx.factor, None

    x = leaf(1.0, 2.0)
    y = Scale.apply(x, 4)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [4.0, 4.0])


def test_several_outputs_none_gradients_and_needs_input_grad():
    needs = []

    class SumAndProduct(mg.autograd.Function):
        @staticmethod
        def forward(ctx, a, b, note):
            ctx.save_for_backward(a, b)
            ctx.note = note
            return a + b, a * b

        @staticmethod
        def backward(ctx, g, h):
            a, b = ctx.saved_tensors
            needs.append(ctx.needs_input_grad)
            assert ctx.note == "kept"
            return g + h * b, (g + h * a if ctx.needs_input_grad[1] else None), None

    a, b = leaf(2.0), leaf(5.0)
    s, p = SumAndProduct.apply(a, b, "kept")
    (s * 10 + p).backward()
    assert (a.grad.item(), b.grad.item()) == (15.0, 12.0)
    s, p = SumAndProduct.apply(a, mg.tensor([5.0]), "kept")
    p.backward()  # the other output gets zeros
    assert a.grad.item() == 20.0
    assert needs == [(True, True, False), (True, False, False)]
    s, p = SumAndProduct.apply(a, b, "kept")
    (gs,) = grad(s, a)
    assert gs.item() == 1.0


def test_outputs_without_cotangent_are_none_where_asked():
    seen = []

    class Pair(mg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return x * 1, x * 2

        @staticmethod
        def backward(ctx, g, h):
            seen.append((g, h))
            return h * 2

    x = leaf(1.0)
    Pair.apply(x)[1].backward()
    assert seen[0][0] is None
    assert x.grad.item() == 2.0


def test_outputs_marked_non_differentiable():
    class SortOf(mg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            order = x.argmax()
            shifted = x + 1
            ctx.mark_non_differentiable(shifted)
            return x * 2, order, shifted

        @staticmethod
        def backward(ctx, g, *others):
            return g * 2

    x = leaf(1.0, 3.0)
    y, order, shifted = SortOf.apply(x)
    assert y.requires_grad
    assert not order.requires_grad
    assert not shifted.requires_grad
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [2.0, 2.0])


def returning(*gradients):
    class Odd(mg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return gradients if len(gradients) != 1 else gradients[0]

    return Odd


def test_wrong_numbers_and_shapes_of_gradients():
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match=r"function OddBackward returned an incorrect number of gradients \(expected 1, got 2\)"):
        returning(mg.ones(2), mg.ones(2)).apply(x).sum().backward()
    with pytest.raises(RuntimeError, match=r"OddBackward returned an invalid gradient at index 0 - got \[3\] but expected shape compatible with \[2\]"):
        returning(mg.ones(3)).apply(x).sum().backward()
    with pytest.raises(TypeError, match="gradient 0"):
        returning(1.0).apply(x).sum().backward()
    returning(mg.ones(2), None, None).apply(x).sum().backward()  # Nones too many are forgiven
    returning(None).apply(x).sum().backward()
    returning(mg.ones(3, 2)).apply(x).sum().backward()  # summed to the shape, as torch does
    np.testing.assert_array_equal(x.grad.numpy(), [4.0, 4.0])


def test_a_function_that_returns_what_it_was_given_shares_no_gradient():
    class Same(mg.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            return a.view(2)

        @staticmethod
        def backward(ctx, g):
            return g, g

    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    Same.apply(a, b).sum().backward()
    assert not np.shares_memory(a.grad.numpy(), b.grad.numpy())


def test_a_function_returning_its_input_gives_a_new_tensor():
    class Identity(mg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 5

    x = leaf(1.0)
    y = Identity.apply(x)
    assert y is not x
    y.backward()
    assert x.grad.item() == 5.0
    assert x.is_leaf


def test_once_differentiable():
    class Square(mg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @mg.autograd.function.once_differentiable
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 2 * x * g

    x = leaf(3.0)
    (g,) = grad(Square.apply(x), x, create_graph=True)
    assert g.item() == 6.0
    assert not g.requires_grad
    v = leaf(1.0)
    (g,) = grad(Square.apply(x), x, v, create_graph=True)
    with pytest.raises(RuntimeError, match="trying to differentiate twice a function that was marked"):
        g.backward()


def test_saved_tensors_of_a_function_are_freed_and_versioned():
    x = leaf(1.0)
    y = Cube.apply(x)
    y.backward()
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        y.backward()
    z = Cube.apply(x)
    with mg.no_grad():
        x += 1
    with pytest.raises(RuntimeError, match=r"modified by an inplace operation.*version 1; expected version 0"):
        z.backward()


def test_a_function_under_no_grad_and_without_gradients():
    assert not Cube.apply(mg.ones(1)).requires_grad
    with mg.no_grad():
        assert not Cube.apply(leaf(1.0)).requires_grad


def test_abstract_functions_say_so():
    class Nothing(mg.autograd.Function):
        pass

    with pytest.raises(NotImplementedError, match="You must implement the forward function"):
        Nothing.apply(leaf(1.0))

    class OneWay(mg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

    with pytest.raises(NotImplementedError, match="You must implement .*backward"):
        OneWay.apply(leaf(1.0)).backward()


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
