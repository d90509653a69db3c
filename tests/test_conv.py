"""Convolution and pooling: against sums written out, numeric derivatives, and torch where it is installed."""

import importlib

import numpy as np
import pytest

import minigrad
from minigrad import nn
from minigrad.kernels.convolution import Convolution
from minigrad.nn import functional as F
from minigrad.nn.conv import _pads
from minigrad.ops.conv import convolve

# Channels, groups, image, kernel, stride, padding, dilation.
CASES = [
    (2, 1, (5, 6), (3, 2), 1, 0, 1),
    (2, 1, (5, 6), (3, 3), (2, 1), (1, 0), 1),
    (4, 2, (6, 5), (2, 3), 1, 1, (1, 2)),
    (3, 3, (4, 4), (1, 1), 2, 0, 1),
    (2, 1, (5, 4), (2, 3), 1, "same", (2, 1)),
    (2, 1, (3, 3), (3, 3), 1, "valid", 1),
]


def _operands(channels, groups, image, kernel, dtype=np.float64, library=minigrad):
    rng = np.random.default_rng(0)
    shapes = (2, channels, *image), (2 * groups, channels // groups, *kernel), (2 * groups,)
    arrays = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
    return [library.from_numpy(array).requires_grad_() for array in arrays]


def _written_out(x, w, b, stride, padding, dilation, groups):
    """Every element as a sum over its patch."""
    pair = lambda value: value if isinstance(value, tuple) else (value, value)  # noqa: E731
    stride, dilation = pair(stride), pair(dilation)
    kernel = w.shape[2:]
    if padding == "same":
        totals = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        pads = [(t // 2, t - t // 2) for t in totals]
    else:
        pads = [(p, p) for p in pair(0 if padding == "valid" else padding)]
    x = np.pad(x, ((0, 0), (0, 0), *pads))
    sizes = [(x.shape[2 + i] - dilation[i] * (kernel[i] - 1) - 1) // stride[i] + 1 for i in range(2)]
    y = np.zeros((len(x), len(w), *sizes))
    own, share = w.shape[1], len(w) // groups
    for n, o, i, j in np.ndindex(y.shape):
        first = o // share * own
        rows = [i * stride[0] + k * dilation[0] for k in range(kernel[0])]
        columns = [j * stride[1] + k * dilation[1] for k in range(kernel[1])]
        y[n, o, i, j] = (x[n, first : first + own][:, rows][:, :, columns] * w[o]).sum() + b[o]
    return y


@pytest.mark.parametrize("case", CASES)
def test_a_convolution_is_a_sum_over_patches(case):
    channels, groups, image, kernel, *options = case
    operands = _operands(channels, groups, image, kernel)
    wanted = _written_out(*(o.detach().numpy() for o in operands), *options, groups)
    y = F.conv2d(*operands, *options, groups)
    np.testing.assert_allclose(y.detach().numpy(), wanted, rtol=1e-12, atol=1e-12)
    assert y.grad_fn.name() == "ConvolutionBackward0"


@pytest.mark.parametrize("case", CASES)
def test_its_derivatives_are_the_numeric_ones_to_second_order(case):
    channels, groups, image, kernel, *options = case
    operands = _operands(channels, groups, image, kernel)
    function = lambda x, w, b: F.conv2d(x, w, b, *options, groups)  # noqa: E731
    assert minigrad.autograd.gradcheck(function, operands)
    assert minigrad.autograd.gradgradcheck(function, operands)


@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients_are_torchs(case):
    torch = pytest.importorskip("torch")
    channels, groups, image, kernel, *options = case
    found = []
    for library in (minigrad, torch):
        operands = _operands(channels, groups, image, kernel, np.float32, library)
        y = library.nn.functional.conv2d(*operands, *options, groups=groups)
        (y * y).sum().backward()
        found.append([y.detach().numpy(), *(operand.grad.numpy() for operand in operands)])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-5)


def test_sequences_and_a_single_image():
    rng = np.random.default_rng(0)
    x, w = (minigrad.from_numpy(rng.standard_normal(shape)) for shape in ((2, 3, 9), (4, 3, 3)))
    y = F.conv1d(x, w, stride=2, padding=1, dilation=2)
    images = F.conv2d(x.unsqueeze(2), w.unsqueeze(2), stride=(1, 2), padding=(0, 1), dilation=(1, 2))
    np.testing.assert_array_equal(y.numpy(), images.squeeze(2).numpy())
    np.testing.assert_array_equal(F.conv1d(x[0], w).numpy(), F.conv1d(x, w)[0].numpy())
    image = minigrad.ones(3, 4, 4)
    assert F.max_pool2d(image, 2).shape == F.avg_pool2d(image, 2).shape == (3, 2, 2)


@pytest.mark.parametrize("options", [(2,), (3, 2, 1), ((2, 3), (1, 2), (1, 0))])
@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
def test_pooling_is_torchs(name, options):
    torch = pytest.importorskip("torch")
    found = []
    for library in (minigrad, torch):
        array = np.random.default_rng(0).standard_normal((2, 3, 7, 6)).astype(np.float32)
        x = library.from_numpy(array).requires_grad_()
        y = getattr(library.nn.functional, name)(x, *options)
        (y * y).sum().backward()
        found.append((y.detach().numpy(), x.grad.numpy()))
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("function", [F.max_pool2d, F.avg_pool2d])
def test_derivatives_of_pooling(function):
    x = minigrad.from_numpy(
        np.random.default_rng(0).permutation(48).reshape(1, 2, 4, 6) / 7.0
    ).requires_grad_()
    assert minigrad.autograd.gradcheck(lambda x: function(x, 2, 1, 1), [x])
    ties = minigrad.zeros(1, 1, 2, 2, requires_grad=True)
    F.max_pool2d(ties, 2).sum().backward()
    assert ties.grad.tolist() == [[[[1, 0], [0, 0]]]]


LAYERS = """
nn.Conv2d(3, 4, 3, padding=1, bias=False)
nn.Conv2d(4, 4, (3, 5), stride=2, dilation=2, groups=2)
nn.Conv1d(2, 3, 5, padding="same")
nn.MaxPool2d(2)
nn.AvgPool2d(3, stride=2, padding=1)
nn.Conv2d(3, 4, 3, groups=2)
nn.Conv2d(4, 3, 3, groups=2)
nn.Conv2d(4, 4, 3, groups=0)
nn.Conv2d(4, 4, 3, padding="same", stride=2)
F.conv2d(torch.ones(1, 2, 5, 5), torch.ones(4, 3, 3, 3))
F.conv2d(torch.ones(5), torch.ones(4, 3, 3, 3))
F.conv2d(torch.ones(1, 3, 2, 2), torch.ones(4, 3, 3, 3))
F.conv2d(torch.ones(1, 3, 5, 5), torch.ones(4, 3, 3, 3), torch.ones(3))
F.conv2d(torch.ones(1, 3, 5, 5), torch.ones(4, 3, 3, 3).double())
F.conv2d(torch.ones(1, 3, 5, 5), torch.ones(4, 3, 3, 3), stride=0)
F.conv2d(torch.ones(1, 3, 5, 5), torch.ones(4, 3, 3, 3), padding=-1)
F.conv1d(torch.ones(1, 2, 5), torch.ones(4, 3, 3))
F.conv1d(torch.ones(5), torch.ones(4, 3, 3))
nn.MaxPool1d(2)
nn.MaxPool1d(2, 3, 1, 2, True, True)
nn.AvgPool1d(2)
nn.AvgPool1d((2,), 1, 1)
nn.AvgPool2d(2, divisor_override=3)
nn.AdaptiveAvgPool1d(2)
nn.AdaptiveAvgPool2d((None, 2))
nn.AdaptiveMaxPool1d(3, True)
nn.AdaptiveMaxPool2d(2)
nn.MaxPool1d(3, 2, 1, 1, True, True)(torch.arange(7.0).reshape(1, 7))
nn.AvgPool1d(3, 2, 1, True, False)(torch.arange(7.0).reshape(1, 7))
nn.AvgPool2d(2, 3, 1, True, False, 5)(torch.arange(25.0).reshape(1, 5, 5))
nn.AdaptiveAvgPool1d(3)(torch.arange(7.0).reshape(1, 7))
nn.AdaptiveAvgPool2d((None, 2))(torch.arange(12.0).reshape(1, 3, 4))
nn.AdaptiveMaxPool1d(3, True)(torch.arange(7.0).reshape(1, 7))
nn.AdaptiveMaxPool2d(2)(torch.arange(12.0).reshape(1, 3, 4))
F.max_pool2d(torch.ones(1, 1, 2, 2), 3)
F.max_pool2d(torch.ones(1, 1, 5, 5), 2, padding=2)
(torch.manual_seed(0), nn.Conv2d(2, 3, (2, 3)))[1].weight
(torch.manual_seed(0), nn.Conv1d(2, 3, 2))[1].bias
"""


def _said(library, call):
    torch = importlib.import_module(library)
    try:
        return repr(eval(call, {"torch": torch, "nn": torch.nn, "F": torch.nn.functional}))
    except Exception as error:
        return f"{type(error).__name__}: {error}".partition("\n")[0]


@pytest.mark.parametrize("call", LAYERS.strip().splitlines())
def test_the_text_is_torchs(call):
    pytest.importorskip("torch")
    assert _said("minigrad", call) == _said("torch", call)


def test_a_network_of_images_learns():
    minigrad.manual_seed(0)
    x = minigrad.randn(64, 1, 6, 6)
    y = (x[:, 0, :3].mean((1, 2)) > x[:, 0, 3:].mean((1, 2))).long()
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16, 2))
    optimizer = minigrad.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(60):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.3
    assert list(model.state_dict()) == ["0.weight", "0.bias", "4.weight", "4.bias"]


# Channels, outputs, image, kernel, padding, dilation of rows: odd and even numbers of results and of taps,
# kernels that fill threes and that do not, results in one piece and in several, few results and many.
FITTING = [
    (3, 5, (6, 7), (3, 3), 1, 1),
    (1, 18, (9, 11), (5, 5), 2, 1),
    (2, 3, (8, 9), (2, 2), 0, 1),
    (2, 2, (7, 9), (1, 4), (0, 3), 1),
    (2, 3, (9, 8), (4, 2), 1, 2),
    (1, 1, (60, 70), (3, 3), 1, 1),
    (4, 17, (5, 15), (3, 7), "same", 1),
]


def _gradients(y, operands, cotangent):
    return [g.numpy() for g in minigrad.autograd.grad(y, operands, minigrad.from_numpy(cotangent))]


@pytest.mark.parametrize("case", FITTING)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_kernels_compute_the_definition(case, dtype):
    channels, outputs, image, kernel, padding, gap = case
    rng = np.random.default_rng(1)
    shapes = (2, channels, *image), (outputs, channels, *kernel), (outputs,)
    operands = [minigrad.from_numpy(rng.standard_normal(s).astype(dtype)).requires_grad_() for s in shapes]
    y = F.conv2d(*operands, padding=padding, dilation=(gap, 1))
    assert type(y.grad_fn).__name__ == "FusedNode"
    cotangent = rng.standard_normal(y.shape).astype(dtype)
    found = _gradients(y, operands, cotangent)
    pads = tuple(_pads(padding, kernel, (1, 1), (gap, 1)))
    wanted = convolve.definition(*operands, (1, 1), pads, (gap, 1), 1)
    eps = 100 * np.finfo(dtype).eps
    np.testing.assert_allclose(y.detach().numpy(), wanted.detach().numpy(), rtol=eps, atol=eps)
    for a, b in zip(found, _gradients(wanted, operands, cotangent), strict=True):
        np.testing.assert_allclose(a, b, rtol=eps, atol=eps * np.abs(b).max())


def test_infinities_stay_where_they_belong():
    """Kernels fill up with zeros; of these and an infinity no nan may come."""
    x, w = np.ones((1, 2, 6, 8), np.float32), np.ones((2, 2, 2, 2), np.float32)
    x[0, 0, 2, 3] = np.inf
    operands = [minigrad.from_numpy(a).requires_grad_() for a in (x, w)]
    y = F.conv2d(*operands)
    wanted = np.full((1, 2, 5, 7), 8.0)
    wanted[:, :, 1:3, 2:4] = np.inf
    np.testing.assert_array_equal(y.detach().numpy(), wanted)
    y = F.conv2d(minigrad.ones(1, 2, 6, 8).requires_grad_(), operands[1])
    g = np.ones((1, 2, 5, 7), np.float32)
    g[0, 0, 2, 3] = np.inf
    of_weight = _gradients(y, operands[1:], g)[0]
    np.testing.assert_array_equal(of_weight, np.stack([np.full((2, 2, 2), np.inf), np.full((2, 2, 2), 35.0)]))
    image = minigrad.ones(1, 2, 6, 8).requires_grad_()
    image = _gradients(F.conv2d(image, operands[1]), [image], g)[0]
    assert np.isinf(image[0, :, 2:4, 3:5]).all()
    assert np.isfinite(image).sum() == image.size - 8
    assert not np.isnan(image).any()


def test_what_the_kernels_do_not_compute():
    x, w = np.ones((1, 2, 6, 8), np.float32), np.ones((2, 2, 3, 3), np.float32)
    plain = (1, 1), ((0, 0), (0, 0)), (1, 1), 1
    assert Convolution.is_for(x, w, *plain)
    for options in (((2, 1), *plain[1:]), (*plain[:2], (1, 2), 1), (*plain[:3], 2)):
        assert not Convolution.is_for(x, w, *options)
    assert not Convolution.is_for(x, w[..., :1], *plain)
    assert not Convolution.is_for(x[..., :3], w, *plain)
    assert not Convolution.is_for(x[:0], w, *plain)
    assert not Convolution.is_for(x.astype(int), w.astype(int), *plain)


def test_what_lay_in_memory_before_does_not_matter(monkeypatch):
    """Kernels read a little past what they need: nothing there may be nan, or the kernels give up."""
    rng = np.random.default_rng(2)
    x, w, g = (rng.standard_normal(s) for s in ((2, 3, 6, 9), (3, 3, 2, 4), (2, 3, 5, 6)))
    monkeypatch.setattr(np, "empty", lambda shape, dtype=float: np.full(shape, np.nan, dtype))
    kernel = Convolution(x, w, ((0, 0), (0, 0)), 1)
    assert np.isfinite(kernel.value(None)).all()
    assert all(np.isfinite(a).all() for a in kernel.gradients(g, True, True, True))


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
@pytest.mark.parametrize("padding", [1, (2, 0), "same"])
def test_padding_modes_are_torchs(mode, padding, torch):
    found = []
    for library in (minigrad, torch):
        library.manual_seed(0)
        layer = library.nn.Conv2d(2, 3, (3, 2), padding=padding, padding_mode=mode)
        found.append((repr(layer), layer(library.randn(2, 2, 5, 6)).detach().numpy()))
    assert found[0][0] == found[1][0]
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-5, atol=1e-6)


def test_an_unknown_padding_mode():
    with pytest.raises(ValueError, match="padding_mode must be one of"):
        nn.Conv1d(1, 1, 3, padding_mode="mirror")
