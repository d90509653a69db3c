"""User-defined operations, and the versions that guard what backward needs."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.autograd import grad


def leaf(*values, dtype=None):
    return mg.tensor(list(values), dtype=dtype, requires_grad=True)


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
    with pytest.raises(
        RuntimeError, match=r"modified by an inplace operation.*version 1; expected version 0"
    ):
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
    with pytest.raises(
        RuntimeError,
        match=r"function OddBackward returned an incorrect number of gradients \(expected 1, got 2\)",
    ):
        returning(mg.ones(2), mg.ones(2)).apply(x).sum().backward()
    with pytest.raises(
        RuntimeError,
        match=r"an invalid gradient at index 0 - got \[3\] but expected shape compatible with \[2\]",
    ):
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
    with pytest.raises(
        RuntimeError, match=r"modified by an inplace operation.*version 1; expected version 0"
    ):
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

    with pytest.raises(NotImplementedError, match=r"You must implement .*backward"):
        OneWay.apply(leaf(1.0)).backward()
