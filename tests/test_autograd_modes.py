"""Where gradients are recorded (context managers, decorators, generators, threads), and hooks on them."""

import threading

import numpy as np
import pytest

import minigrad as mg
from minigrad.autograd import grad


def leaf(*values, dtype=None):
    return mg.tensor(list(values), dtype=dtype, requires_grad=True)


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
            return "caught"

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
    with pytest.raises(
        RuntimeError, match="cannot register a hook on a tensor that doesn't require gradient"
    ):
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
