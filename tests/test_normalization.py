"""Batch, group and root-mean-square normalisation: modules, statistics, large shapes, errors."""

import numpy as np
import pytest

import minigrad
from minigrad import nn
from minigrad.kernels import batchnorm as kernels
from minigrad.kernels import norm as row_kernels

RNG = np.random.default_rng(0)


def namespace(library):
    return pytest.importorskip(library, reason="the comparison with torch needs torch")


libraries = pytest.mark.parametrize("library", ["minigrad", "torch"])

TEXTS = {
    "BatchNorm1d(4, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)": (
        lambda n: n.BatchNorm1d(4),
        ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"],
    ),
    "BatchNorm2d(3, eps=0.001, momentum=None, affine=False, bias=False, track_running_stats=True)": (
        lambda n: n.BatchNorm2d(3, 1e-3, None, False),
        ["running_mean", "running_var", "num_batches_tracked"],
    ),
    "BatchNorm1d(2, eps=1e-05, momentum=0.3, affine=True, bias=False, track_running_stats=False)": (
        lambda n: n.BatchNorm1d(2, momentum=0.3, track_running_stats=False, bias=False),
        ["weight"],
    ),
    "GroupNorm(2, 4, eps=1e-05, affine=True, bias=True)": (
        lambda n: n.GroupNorm(2, 4),
        ["weight", "bias"],
    ),
    "GroupNorm(1, 3, eps=0.1, affine=False, bias=False)": (lambda n: n.GroupNorm(1, 3, 0.1, False), []),
    "RMSNorm((4,), eps=None, elementwise_affine=True)": (lambda n: n.RMSNorm(4), ["weight"]),
    "RMSNorm((2, 3), eps=0.1, elementwise_affine=False)": (lambda n: n.RMSNorm([2, 3], 0.1, False), []),
}


@libraries
@pytest.mark.parametrize("text", TEXTS)
def test_texts_and_keys(library, text):
    make, keys = TEXTS[text]
    layer = make(namespace(library).nn)
    assert repr(layer) == text
    assert list(layer.state_dict()) == keys
    for name, parameter in layer.named_parameters():
        assert set(parameter.detach().numpy().ravel()) == {1.0 if name == "weight" else 0.0}


def steps(t, dtype, **options):
    """Outputs, statistics and gradients of a layer in three steps of training and one of evaluation."""
    kind = getattr(t, dtype)
    layer = t.nn.BatchNorm1d(3, dtype=kind, **options)
    rng = np.random.default_rng(1)
    seen = []
    for shape in ((6, 3), (4, 3, 5), (9, 3), (2, 3)):
        if len(seen) == 6:
            layer.eval()
        x = t.tensor(rng.normal(2, 3, shape), dtype=kind, requires_grad=True)
        y = layer(x)
        (y * t.tensor(rng.normal(0, 1, shape), dtype=kind)).sum().backward()
        seen += [y.detach().numpy(), x.grad.numpy()]
    seen += [value.numpy() for value in layer.state_dict().values()]
    return [*seen, *(parameter.grad.numpy() for parameter in layer.parameters())]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"momentum": None},
        {"momentum": 0.5, "eps": 0.1},
        {"track_running_stats": False},
        {"affine": False},
    ],
    ids=str,
)
def test_training_and_evaluation_are_torchs(torch, options, dtype):
    own, theirs = (steps(t, dtype, **options) for t in (minigrad, torch))
    tolerance = 3e-6 if dtype == "float32" else 1e-13
    for a, b in zip(own, theirs, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def test_running_statistics_follow_the_batches():
    layer = nn.BatchNorm1d(1, momentum=0.5)
    for values in ([1.0, 3.0], [5.0, 9.0]):
        layer(minigrad.tensor(values)[:, None])
    assert layer.running_mean.tolist() == [0.25 * 2 + 0.5 * 7]
    assert layer.running_var.tolist() == [0.25 * 1 + 0.25 * 2 + 0.5 * 8]  # it began as 1; n - 1 divides
    assert layer.num_batches_tracked.item() == 2
    layer.eval()
    layer(minigrad.ones(3, 1))
    assert layer.num_batches_tracked.item() == 2
    average = nn.BatchNorm1d(1, momentum=None)
    for values in ([1.0, 3.0], [5.0, 9.0]):
        average(minigrad.tensor(values)[:, None])
    assert average.running_mean.tolist() == [4.5]
    assert average.running_var.tolist() == [5.0]
    average.reset_running_stats()
    assert average.running_mean.tolist() == [0.0]
    assert average.running_var.tolist() == [1.0]
    assert average.num_batches_tracked.item() == 0


def test_a_state_dict_moves_the_statistics():
    layer = nn.BatchNorm2d(2)
    layer(minigrad.rand(3, 2, 4, 4))
    other = nn.BatchNorm2d(2)
    assert str(other.load_state_dict(layer.state_dict())) == "<All keys matched successfully>"
    x = minigrad.rand(2, 2, 3, 3)
    assert other.eval()(x).tolist() == layer.eval()(x).tolist()
    assert other.num_batches_tracked.dtype is minigrad.int64
    assert layer.double().running_mean.dtype is minigrad.float64
    assert layer.num_batches_tracked.dtype is minigrad.int64


ERRORS = {
    "BatchNorm1d of a vector": (
        lambda t: t.nn.BatchNorm1d(3)(t.zeros(3)),
        "ValueError: expected 2D or 3D input (got 1D input)",
    ),
    "BatchNorm1d of images": (
        lambda t: t.nn.BatchNorm1d(3)(t.zeros(2, 3, 4, 4)),
        "ValueError: expected 2D or 3D input (got 4D input)",
    ),
    "BatchNorm2d of sequences": (
        lambda t: t.nn.BatchNorm2d(3)(t.zeros(2, 3, 4)),
        "ValueError: expected 4D input (got 3D input)",
    ),
    "BatchNorm1d of other features": (
        lambda t: t.nn.BatchNorm1d(3)(t.zeros(2, 4)),
        "RuntimeError: running_mean should contain 4 elements not 3",
    ),
    "BatchNorm1d of one sample": (
        lambda t: t.nn.BatchNorm1d(3)(t.zeros(1, 3)),
        "ValueError: Expected more than 1 value per channel when training, got input size torch.Size([1, 3])",
    ),
    "GroupNorm of indivisible channels": (
        lambda t: t.nn.GroupNorm(3, 4),
        "ValueError: num_channels (4) must be divisible by num_groups (3)",
    ),
    "RMSNorm of another size": (
        lambda t: t.nn.RMSNorm(3)(t.zeros(2, 4)),
        "RuntimeError: Given normalized_shape=[3], expected input with shape [*3], but got input of "
        "size[2, 4]",
    ),
}


@libraries
@pytest.mark.parametrize("name", ERRORS)
def test_errors(library, name):
    script, expected = ERRORS[name]
    with pytest.raises((ValueError, RuntimeError)) as caught:
        script(namespace(library))
    assert f"{caught.type.__name__}: {str(caught.value).splitlines()[0]}" == expected


@pytest.mark.parametrize("layer", [nn.BatchNorm1d(2), nn.GroupNorm(1, 2), nn.RMSNorm(2)], ids=repr)
def test_inputs_of_another_dtype_are_refused(layer):
    with pytest.raises(RuntimeError, match=r"Double|Float"):
        layer(minigrad.zeros(4, 2, dtype=minigrad.float64))


def batch(x, weight, bias):
    """Batch norm by NumPy in float64."""
    axes = (0, *range(2, x.ndim))
    x = x.astype(float)
    y = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-5)
    each = (-1, *(1,) * (x.ndim - 2))
    return y * weight.reshape(each) + bias.reshape(each)


LARGE = [(700, 300), (5, 130), (3000, 7), (16, 5, 60, 70), (4, 3, 2)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", LARGE, ids=str)
def test_batches_of_many_parts(shape, dtype):
    x, g = (RNG.normal(3, 2, shape).astype(dtype) for _ in range(2))
    weight, bias = (RNG.uniform(0.5, 2, shape[1]).astype(dtype) for _ in range(2))
    leaves = [minigrad.from_numpy(a).requires_grad_() for a in (x, weight, bias)]
    y = nn.functional.batch_norm(leaves[0], None, None, *leaves[1:], True)
    tolerance = 2e-6 if dtype == "float32" else 1e-12
    expected = batch(x, weight, bias)
    np.testing.assert_allclose(y.detach().numpy(), expected, rtol=tolerance, atol=tolerance * 4)
    found = minigrad.autograd.grad(y, leaves, minigrad.from_numpy(g))
    doubles = [minigrad.from_numpy(a.astype(float)).requires_grad_() for a in (x, weight, bias)]
    y = nn.functional.batch_norm(doubles[0], None, None, *doubles[1:], True)
    replayed = minigrad.autograd.grad(y, doubles, minigrad.from_numpy(g.astype(float)), create_graph=True)
    for own, definition in zip(found, replayed, strict=True):
        scale = np.abs(own.numpy()).max()
        np.testing.assert_allclose(own.numpy(), definition.detach().numpy(), rtol=1e-5, atol=2e-6 * scale)


@pytest.mark.parametrize("shape", [(700, 300), (16, 5, 60, 70)], ids=str)
def test_both_twins_of_the_batch_kernels_give_the_same_bits(shape):
    x, g = (RNG.normal(3, 2, shape).astype("float32") for _ in range(2))
    weight, found = RNG.normal(1, 1, shape[1]).astype("float32"), []
    for threads in (1, 2):
        before = minigrad.get_num_threads()
        minigrad.set_num_threads(threads)
        try:
            mean, var = kernels.moments(x)
            norm = kernels.BatchNorm(x, mean, var, weight, 1e-5, True)
            found.append([mean, var, norm.value(None), *norm.gradients(g)])
        finally:
            minigrad.set_num_threads(before)
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("shape", [(4000, 2), (40, 2, 100)], ids=str)
def test_channels_far_from_zero_and_led_by_an_outlier_keep_their_digits(shape):
    x = RNG.normal(0, 1, shape).astype("float32") + np.float32(1000)
    x[0] -= 990
    mean, var = kernels.moments(x)
    axes = (0, *range(2, x.ndim))
    np.testing.assert_allclose(mean, x.astype(float).mean(axes), rtol=1e-13)
    np.testing.assert_allclose(var, x.astype(float).var(axes), rtol=1e-11)


@pytest.mark.parametrize(
    ("shape", "groups"), [((40, 6, 10, 9), 3), ((300, 8), 2), ((90, 12, 400), 12), ((9, 4, 30_000), 1)]
)
def test_groups_of_many_rows(shape, groups):
    x, g = (RNG.normal(3, 2, shape).astype("float32") for _ in range(2))
    weight, bias = (RNG.uniform(0.5, 2, shape[1]).astype("float32") for _ in range(2))
    leaves = [minigrad.from_numpy(a).requires_grad_() for a in (x, weight, bias)]
    y = nn.functional.group_norm(leaves[0], groups, *leaves[1:])
    doubles = [minigrad.from_numpy(a.astype(float)).requires_grad_() for a in (x, weight, bias)]
    exact = nn.functional.group_norm.definition(doubles[0], groups, *doubles[1:], 1e-5)
    np.testing.assert_allclose(y.detach().numpy(), exact.detach().numpy(), rtol=2e-6, atol=4e-6)
    found = minigrad.autograd.grad(y, leaves, minigrad.from_numpy(g))
    wanted = minigrad.autograd.grad(exact, doubles, minigrad.from_numpy(g.astype(float)))
    for own, true in zip(found, wanted, strict=True):
        np.testing.assert_allclose(
            own.numpy(), true.numpy(), rtol=1e-5, atol=2e-6 * np.abs(true.numpy()).max()
        )


def test_rows_of_a_root_mean_square():
    x, weight = RNG.normal(3, 2, (700, 600)).astype("float32"), RNG.normal(1, 1, 600).astype("float32")
    y = row_kernels.RMSNorm(x, weight, None, (600,), 1e-6).value()
    exact = x.astype(float) / np.sqrt((x.astype(float) ** 2).mean(1, keepdims=True) + 1e-6) * weight
    np.testing.assert_allclose(y, exact, rtol=1e-6, atol=1e-7)


def test_normalize_of_whole_tensors_and_of_integers():
    F = nn.functional
    whole = F.normalize(minigrad.tensor([[3.0], [4.0]]), dim=(0, 1))
    np.testing.assert_allclose(whole.numpy(), [[0.6], [0.8]], rtol=1e-7)
    with pytest.raises(RuntimeError, match="floating point"):
        F.normalize(minigrad.ones(2, 2, dtype=minigrad.int64))
