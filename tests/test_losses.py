"""Every loss: kernel = definition = torch = numeric difference, to second order, over the table's options."""

from __future__ import annotations

import inspect
import itertools
import math
import warnings
from pathlib import Path

import numpy as np
import pytest
from losses_table import (
    ROWS,
    Row,
    arrays_of,
    cotangent_of,
    function_of,
    inputs_of,
    leaves_of,
    loss_of,
    options_of,
)

import minigrad
from minigrad import nn
from minigrad.autograd import grad, gradcheck, gradgradcheck
from minigrad.autograd.fused import FusedNode
from minigrad.nn import functional as F
from minigrad.nn import losses
from minigrad.nn.losses.base import LossFunction

DATA = Path(__file__).parent / "data" / "losses"
RECORDED = {name: values for file in DATA.glob("*.npz") for name, values in np.load(file).items()}
ALL = [row for rows in ROWS.values() for row in rows]
TORCHS = [row for row in ALL if row.reference is None]
OURS = [row for row in ALL if row.reference is not None]
# Losses with parameters of their own, and where they are tested.
WITH_PARAMETERS = {
    "AdaptiveLogSoftmaxWithLoss": "test_adaptive.py",
    "ArcFaceLoss": "test_losses_metric.py",
    "CosFaceLoss": "test_losses_metric.py",
    "LinearCrossEntropyLoss": "test_linear_cross_entropy.py",
}

every_row = pytest.mark.parametrize("row", ALL, ids=map(str, ALL))
torchs_rows = pytest.mark.parametrize("row", TORCHS, ids=map(str, TORCHS))
pytestmark = pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")


def _recorded(row: Row) -> list[np.ndarray]:
    """torch's value and gradients, in the shapes of the row's."""
    flat = RECORDED[str(row)]
    shapes = [arrays_of(row)[place].shape for place in row.wrt]
    sizes = [math.prod(shape) for shape in shapes]
    value, *parts = np.split(flat, np.cumsum([flat.size - sum(sizes), *sizes])[:-1])
    return [value, *(p.reshape(s) for p, s in zip(parts, shapes, strict=True))]


def _run(row: Row, dtype: type = np.float64) -> tuple[list, minigrad.Tensor, list[np.ndarray]]:
    """The leaves, the loss, and the gradients for a random cotangent."""
    leaves = leaves_of(minigrad, row, dtype)
    loss = loss_of(minigrad, row, leaves, dtype)
    cotangent = minigrad.tensor(cotangent_of(loss.shape).astype(dtype))
    wanted = [leaves[i] for i in row.wrt]
    gradients = [g.numpy() for g in grad(loss, wanted, cotangent, retain_graph=True)]
    return leaves, loss, gradients


def test_the_recording_is_of_this_table() -> None:
    assert len({str(row) for row in ALL}) == len(ALL), "two rows have one name"
    assert set(RECORDED) == {str(row) for row in TORCHS}, "run tests/record_losses.py"


@torchs_rows
def test_value_and_gradient_are_torchs(row: Row) -> None:
    _, loss, gradients = _run(row)
    value, *expected = _recorded(row)
    np.testing.assert_allclose(loss.detach().numpy().ravel(), value, rtol=1e-9, atol=1e-12)
    for found, want in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(found, want, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("row", OURS, ids=map(str, OURS))
def test_value_is_the_references(row: Row) -> None:
    assert row.reference is not None
    expected = row.reference(*arrays_of(row), **dict(row.options))
    found = loss_of(minigrad, row, leaves_of(minigrad, row)).detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@every_row
def test_float32_agrees_and_keeps_its_dtype(row: Row) -> None:
    _, loss, gradients = _run(row, np.float32)
    _, in_float64, expected = _run(row)
    value = in_float64.detach().numpy().ravel()
    assert loss.dtype is minigrad.float32
    assert all(g.dtype == np.float32 for g in gradients)
    np.testing.assert_allclose(loss.detach().numpy().ravel(), value, rtol=2e-5, atol=2e-6)
    for found, want in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(found, want, rtol=2e-5, atol=2e-6)


@torchs_rows
def test_live_torch_agrees_in_float32(row: Row, torch) -> None:
    _, loss, gradients = _run(row, np.float32)
    leaves = leaves_of(torch, row, np.float32)
    theirs = loss_of(torch, row, leaves, np.float32)
    cotangent = torch.tensor(cotangent_of(tuple(theirs.shape)).astype(np.float32))
    expected = torch.autograd.grad(theirs, [leaves[i] for i in row.wrt], cotangent)
    np.testing.assert_allclose(loss.detach().numpy(), theirs.detach().numpy(), rtol=2e-5, atol=2e-6)
    for found, want in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(found, want.numpy(), rtol=2e-5, atol=2e-6)
    assert loss.grad_fn.name() == theirs.grad_fn.name()


@every_row
def test_kernel_is_the_definition(row: Row) -> None:
    leaves, loss, gradients = _run(row)
    assert isinstance(loss.grad_fn, FusedNode) == row.kernel
    function = function_of(F, nn.extra, row)
    inputs = inputs_of(F, row, leaves)
    arguments = function.check(*function._bind(inputs, options_of(minigrad, row)))
    by_definition = function.definition(*arguments)
    np.testing.assert_allclose(loss.detach().numpy(), by_definition.detach().numpy(), rtol=1e-12, atol=1e-14)
    cotangent = minigrad.tensor(cotangent_of(loss.shape))
    expected = grad(by_definition, [leaves[i] for i in row.wrt], cotangent)
    for found, want in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(found, want.numpy(), rtol=1e-11, atol=1e-13)


@every_row
def test_recorded_walk_gives_the_same_gradient(row: Row) -> None:
    leaves, loss, gradients = _run(row)
    cotangent = minigrad.tensor(cotangent_of(loss.shape))
    recorded = grad(loss, [leaves[i] for i in row.wrt], cotangent, create_graph=True)
    for found, want in zip(recorded, gradients, strict=True):
        np.testing.assert_allclose(found.detach().numpy(), want, rtol=1e-11, atol=1e-13)


@every_row
def test_derivatives_are_the_numeric_ones_to_second_order(row: Row) -> None:
    tensors = leaves_of(minigrad, row)

    def function(*leaves: minigrad.Tensor) -> minigrad.Tensor:
        return loss_of(minigrad, row, leaves)

    assert gradcheck(function, tensors)
    assert gradgradcheck(function, tensors)


@every_row
def test_strided_and_read_only_inputs(row: Row) -> None:
    _, loss, gradients = _run(row)
    leaves = []
    for place, array in enumerate(arrays_of(row)):
        wide = np.repeat(array[..., None], 2, axis=-1)
        wide.setflags(write=False)
        tensor = minigrad.from_numpy(wide[..., 0] if array.ndim else wide[:1].reshape(()))
        leaves.append(tensor.requires_grad_() if place in row.wrt else tensor)
    again = loss_of(minigrad, row, leaves)
    np.testing.assert_array_equal(again.detach().numpy(), loss.detach().numpy())
    cotangent = minigrad.tensor(cotangent_of(loss.shape))
    for found, want in zip(grad(again, [leaves[i] for i in row.wrt], cotangent), gradients, strict=True):
        np.testing.assert_array_equal(found.numpy(), want)


@every_row
def test_inputs_stay_and_backward_repeats(row: Row) -> None:
    leaves, loss, gradients = _run(row)
    cotangent = minigrad.tensor(cotangent_of(loss.shape))
    for leaf in (leaves[i] for i in row.wrt):
        leaf.grad = None
    loss.backward(cotangent, retain_graph=True)
    first = [leaves[i].grad.clone() for i in row.wrt]
    for i in row.wrt:
        leaves[i].grad.zero_()  # must not reach what the graph holds
    name = loss.grad_fn.name()
    loss.backward(cotangent)
    assert loss.grad_fn.name() == name  # also when the graph is freed
    for place, leaf in enumerate(leaves[i] for i in row.wrt):
        np.testing.assert_array_equal(leaf.grad.numpy(), first[place].numpy())
        np.testing.assert_array_equal(leaf.grad.numpy(), gradients[place])
    for leaf, array in zip(leaves, arrays_of(row), strict=True):
        np.testing.assert_array_equal(leaf.detach().numpy(), array)


MODULES = [row for row in ALL if row.module]


def module_of(row: Row) -> type[nn.Module]:
    """The row's module: torch's own in `nn`, those torch lacks in `nn.extra`."""
    return getattr(nn if hasattr(nn, row.module) else nn.extra, row.module)


@pytest.mark.parametrize("row", MODULES, ids=map(str, MODULES))
def test_module_form_is_the_function(row: Row) -> None:
    leaves = leaves_of(minigrad, row)
    loss = loss_of(minigrad, row, leaves)
    module = module_of(row)(**options_of(minigrad, row))
    np.testing.assert_array_equal(module(*inputs_of(F, row, leaves)).detach().numpy(), loss.detach().numpy())
    buffers = {k for k, v in row.options if isinstance(v, np.ndarray)}
    assert set(module.state_dict()) == buffers
    assert repr(module) == f"{row.module}()"


def test_every_loss_has_a_row() -> None:
    functions, modules = {}, set()
    for namespace in (losses, nn.extra):
        for name, value in vars(namespace).items():
            if isinstance(value, LossFunction):
                functions[name] = value
            elif inspect.isclass(value) and issubclass(value, nn.Module):
                modules.add(name)
    assert set(functions) == {row.function for row in ALL}
    assert modules - {"Loss", "NLLLoss2d"} == {row.module for row in MODULES} | set(WITH_PARAMETERS)
    for name, file in WITH_PARAMETERS.items():
        assert name in (Path(__file__).parent / file).read_text()


def test_every_option_is_varied_by_some_row() -> None:
    for name in {row.function for row in ALL}:
        rows = [row for row in ALL if row.function == name]
        parameters = inspect.signature(function_of(F, nn.extra, rows[0]).definition).parameters.values()
        options = {p.name for p in parameters if p.default is not p.empty}
        tried = {k for row in rows for k, _ in row.options}
        assert options - {"size_average", "reduce"} == tried, name


# ------------------------------------------------------------------------------------- kinks and extremes
def _gradient(function, x, *rest, **options) -> tuple[float, list]:
    leaf = minigrad.tensor(x, requires_grad=True)
    loss = function(leaf, *(minigrad.tensor(r) for r in rest), **options)
    loss.backward()
    return loss.item(), leaf.grad.tolist()


@pytest.mark.parametrize(
    ("function", "options", "x", "y", "expected"),
    [
        (F.l1_loss, {}, [1.0], [1.0], (0.0, [0.0])),
        (F.smooth_l1_loss, {}, [2.0], [1.0], (0.5, [1.0])),
        (F.smooth_l1_loss, {"beta": 0.0}, [1.0], [1.0], (0.0, [0.0])),
        (F.hinge_embedding_loss, {}, [1.0], [-1.0], (0.0, [-1.0])),  # equality passes the gradient
        (F.hinge_embedding_loss, {}, [0.25], [0.5], (1.0, [0.0])),  # any other y counts both parts
        (F.binary_cross_entropy, {}, [0.0], [1.0], (100.0, [-1e12])),
        (F.binary_cross_entropy, {}, [1.0], [1.0], (0.0, [0.0])),
        (F.binary_cross_entropy, {}, [1.0], [0.0], (100.0, [1e12])),
        (F.binary_cross_entropy_with_logits, {}, [1e9], [1.0], (0.0, [0.0])),
        (F.binary_cross_entropy_with_logits, {}, [1e9], [0.0], (1e9, [1.0])),
        (F.binary_cross_entropy_with_logits, {}, [-1e9], [1.0], (1e9, [-1.0])),
        (F.binary_cross_entropy_with_logits, {}, [40.0], [1.0], (math.exp(-40), [-math.exp(-40)])),
    ],
)
def test_kinks_and_extremes(function, options, x, y, expected) -> None:
    value, gradient = _gradient(function, x, y, **options)
    assert value == pytest.approx(expected[0], rel=1e-6)
    assert gradient == pytest.approx(expected[1], rel=1e-6)


def test_cross_entropy_of_huge_logits() -> None:
    value, gradient = _gradient(F.cross_entropy, [[1e9, 0.0, -1e9]], [1])
    assert value == 1e9
    assert gradient == [[1.0, -1.0, 0.0]]
    value, gradient = _gradient(F.cross_entropy, [[1e9, 0.0, -1e9]], [0])
    assert (value, gradient) == (0.0, [[0.0, 0.0, 0.0]])


def test_confident_samples_keep_their_digits() -> None:
    """log(S) - x would give 0 for a loss of exp(-20), and softmax - 1 a zero gradient."""
    value, gradient = _gradient(F.cross_entropy, [[20.0, 0.0]], [0])
    assert value == pytest.approx(math.log1p(math.exp(-20)), rel=1e-6)
    assert gradient[0][0] == pytest.approx(-math.exp(-20) / (1 + math.exp(-20)), rel=1e-6)


def test_masked_logits_of_minus_infinity() -> None:
    value, gradient = _gradient(F.cross_entropy, [[0.0, -math.inf, 0.0]], [0])
    assert value == pytest.approx(math.log(2))
    assert gradient == [[-0.5, 0.0, 0.5]]
    soft, _ = _gradient(F.cross_entropy, [[0.0, -math.inf, 0.0]], [[0.5, 0.0, 0.5]])
    assert soft == pytest.approx(math.log(2))  # 0 times -inf is 0


@pytest.mark.filterwarnings("ignore:every target is ignore_index:UserWarning")
def test_all_ignored_is_nan_with_zero_gradient() -> None:
    for function in (F.cross_entropy, F.nll_loss):
        value, gradient = _gradient(function, [[0.3, 0.7]], [-100])
        assert math.isnan(value)
        assert gradient == [[0.0, 0.0]]
        assert _gradient(function, [[0.3, 0.7]], [-100], reduction="sum") == (0.0, [[0.0, 0.0]])


def test_one_class_is_always_zero() -> None:
    assert _gradient(F.cross_entropy, [[3.0], [5.0]], [0, 0]) == (0.0, [[0.0], [0.0]])


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(
    ("function", "shape", "target"),
    [
        (F.mse_loss, (0, 3), (0, 3)),
        (F.l1_loss, (0,), (0,)),
        (F.smooth_l1_loss, (0,), (0,)),
        (F.binary_cross_entropy, (0,), (0,)),
        (F.binary_cross_entropy_with_logits, (0, 2), (0, 2)),
        (F.hinge_embedding_loss, (0,), (0,)),
        (F.cross_entropy, (0, 3), (0,)),
        (F.nll_loss, (0, 3), (0,)),
        (F.cross_entropy, (0, 3), (0, 3)),
    ],
)
def test_empty_batch(function, shape, target, reduction) -> None:
    x = minigrad.zeros(shape, requires_grad=True)
    integer = len(target) < len(shape)
    y = minigrad.zeros(target, dtype=minigrad.int64 if integer else minigrad.float32)
    loss = function(x, y, reduction=reduction)
    if reduction == "none":
        assert loss.shape == (target if function in (F.cross_entropy, F.nll_loss) else shape)[:1] + (
            shape[1:] if function not in (F.cross_entropy, F.nll_loss) else ()
        )
    else:
        assert math.isnan(loss.item()) if reduction == "mean" else loss.item() == 0
        loss.backward()
        assert x.grad.shape == shape


def test_targets_of_other_types() -> None:
    logits = minigrad.tensor([[1.0, 2.0], [0.5, 0.1]])
    expected = F.cross_entropy(logits, minigrad.tensor([1, 0])).item()
    for kind in (minigrad.int32, minigrad.int16, minigrad.int8, minigrad.uint8):
        assert F.cross_entropy(logits, minigrad.tensor([1, 0], dtype=kind)).item() == expected
    assert F.cross_entropy(logits, [1, 0]).item() == expected
    assert F.cross_entropy(logits, np.array([1, 0])).item() == expected
    binary = F.binary_cross_entropy_with_logits(logits[0], minigrad.tensor([1.0, 0.0])).item()
    for target in ([1, 0], np.array([True, False]), minigrad.tensor([1, 0])):
        assert F.binary_cross_entropy_with_logits(logits[0], target).item() == binary


def test_mixed_float_dtypes_promote() -> None:
    x = minigrad.tensor([1.0, 2.0], requires_grad=True)
    loss = F.mse_loss(x, minigrad.tensor([0.5, 1.0], dtype=minigrad.float64))
    assert loss.dtype is minigrad.float64
    loss.backward()
    assert x.grad.dtype is minigrad.float32
    assert x.grad.tolist() == [0.5, 1.0]


def test_broadcast_warns_and_computes() -> None:
    with pytest.warns(UserWarning, match=r"target size \(torch.Size\(\[3\]\)\)") as caught:
        loss = F.mse_loss(minigrad.zeros(3, 1), minigrad.ones(3), reduction="none")
    assert loss.shape == (3, 3)
    assert "input.squeeze(1)" in str(caught[0].message)


# The first row of each loss that takes torch's deprecated arguments.
FIRST = {row.function: row for row in reversed(MODULES)}
WITH_LEGACY = [
    row
    for row in FIRST.values()
    if "size_average" in inspect.signature(function_of(F, nn.extra, row).definition).parameters
]


@pytest.mark.parametrize(
    ("legacy", "reduction"),
    [
        ({"size_average": False}, "sum"),
        ({"size_average": True}, "mean"),
        ({"reduce": False}, "none"),
        ({"size_average": False, "reduce": True}, "sum"),
    ],
)
@pytest.mark.parametrize("row", WITH_LEGACY, ids=lambda row: row.function)
def test_legacy_arguments(row, legacy, reduction) -> None:
    tensors = [minigrad.tensor(a) for a in arrays_of(row)]
    function = getattr(F, row.function)
    with pytest.warns(UserWarning, match=f"please use reduction='{reduction}'"):
        found = function(*tensors, **legacy)
    assert minigrad.equal(found, function(*tensors, reduction=reduction))
    with pytest.warns(UserWarning, match=f"please use reduction='{reduction}'"):
        module = getattr(nn, row.module)(**legacy)
    assert module.reduction == reduction
    assert minigrad.equal(module(*tensors), found)


EVERY_MODULE = {row.module: module_of(row) for row in MODULES}


@pytest.mark.parametrize("cls", EVERY_MODULE.values(), ids=EVERY_MODULE)
def test_a_module_refuses_an_unknown_reduction_when_it_is_made(cls) -> None:
    with pytest.raises(ValueError, match=r"^foo is not .*valid") as caught:
        cls(reduction="foo")
    assert "Use one of" in str(caught.value)


@pytest.mark.parametrize("cls", EVERY_MODULE.values(), ids=EVERY_MODULE)
def test_a_module_is_particular_about_its_arguments(cls) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        cls(colour="red")
    module = cls()
    with pytest.raises(TypeError, match=f"{cls.__name__}.forward"):
        module()
    with pytest.raises(TypeError, match=f"{cls.__name__}.forward"):
        module(*[minigrad.zeros(2, 2)] * 9)


def test_inputs_by_name() -> None:
    x, y = minigrad.tensor([1.0, 2.0]), minigrad.tensor([1.0, 4.0])
    assert nn.MSELoss()(input=x, target=y) == nn.MSELoss()(x, target=y) == F.mse_loss(target=y, input=x)


def test_mse_of_the_string_sum_is_the_mean_as_in_torch() -> None:
    with pytest.warns(UserWarning, match="reduction='mean'"):
        assert nn.MSELoss("sum").reduction == "mean"


def test_nllloss2d_warns() -> None:
    with pytest.warns(FutureWarning, match="`NLLLoss2d` has been deprecated"):
        criterion = nn.NLLLoss2d()
    assert criterion(minigrad.zeros(1, 4, 2, 2), minigrad.zeros(1, 2, 2).long()).item() == 0.0


def test_kl_div_mean_warns() -> None:
    warnings.simplefilter("always")  # pytest restores the filters after each test
    with pytest.warns(UserWarning, match="'batchmean' divides only by"):
        F.kl_div(minigrad.zeros(2, 2), minigrad.ones(2, 2))


def test_bce_is_bce_with_logits_of_the_logit() -> None:
    x = minigrad.tensor(np.linspace(-4, 4, 9), requires_grad=True)
    y = minigrad.tensor((np.arange(9) % 2).astype(float))
    for weight, reduction in itertools.product((None, minigrad.rand(9).double()), ("mean", "none")):
        a = F.binary_cross_entropy(minigrad.sigmoid(x), y, weight, reduction=reduction)
        b = F.binary_cross_entropy_with_logits(x, y, weight, reduction=reduction)
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-12)
