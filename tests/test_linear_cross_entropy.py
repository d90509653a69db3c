"""linear_cross_entropy in blocks of tokens and classes: values, gradients, numerics, memory.

The table holds every option against torch, and `test_adaptive.py` LinearCrossEntropyLoss and its parameters.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minigrad
from minigrad import nn
from minigrad.autograd import grad, gradcheck, gradgradcheck
from minigrad.autograd.fused import FusedNode
from minigrad.kernels import jit, losses_linear
from minigrad.nn import functional as F

TOKENS, CLASSES, FEATURES = 11, 23, 5
# The room for logits (classes go in blocks of 24 / tokens) and the tokens in a block.
ROOMS = {
    "whole": (40_000_000, None),
    "tokens": (40_000_000, 3),
    "classes": (24 * 8, None),
    "both": (24 * 8, 3),
}
TARGETS = {
    "indices": {"weight": True, "ignore_index": 2},
    "smoothed": {"weight": True, "ignore_index": 2, "label_smoothing": 0.1},
    "soft": {"weight": True},
    "soft-smoothed": {"label_smoothing": 0.2},
}


@pytest.fixture
def room(monkeypatch):
    """Give the kernels little room, so that there are several blocks in each direction."""

    def give(name: str) -> nn.LinearCrossEntropyOptions:
        size, tokens = ROOMS[name]
        monkeypatch.setattr(losses_linear, "LOGITS_ROOM", size)
        monkeypatch.setattr(losses_linear, "PRODUCT_ROOM", 15 * 8)
        return nn.LinearCrossEntropyOptions(batch_chunk_size=tokens)

    return give


def _problem(kind="indices", dims=()):
    """Leaves (input, weight, bias), the target and the options."""
    rng = np.random.default_rng(7)
    shapes = (TOKENS, FEATURES), (CLASSES, *dims, FEATURES), (CLASSES, *dims)
    leaves = [minigrad.tensor(rng.standard_normal(s), requires_grad=True) for s in shapes]
    options = dict(TARGETS[kind])
    if options.get("weight"):
        options["weight"] = minigrad.tensor(rng.uniform(0.5, 2, CLASSES))
    if kind.startswith("soft"):
        target = minigrad.tensor(rng.uniform(0, 0.2, (TOKENS, CLASSES, *dims)))
    else:
        target = minigrad.tensor(rng.integers(0, CLASSES, (TOKENS, *dims)))
    return leaves, target, options


def _unfused(leaves, target, **options):
    """The pair of functions that this is one of."""
    x, w, b = leaves
    logits = F.linear(x, w.reshape(-1, w.shape[-1]), b.reshape(-1)).reshape(len(x), *w.shape[:-1])
    return F.cross_entropy(logits, target, **options)


def _fused(leaves, target, **options):
    return F.linear_cross_entropy(leaves[0], leaves[1], target, linear_bias=leaves[2], **options)


def _cotangent(loss):
    return minigrad.tensor(np.random.default_rng(3).uniform(-1, 1, loss.shape))


@pytest.mark.parametrize("name", ROOMS)
@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_blocks_give_the_unfused_loss_and_gradients(name, kind, reduction, room) -> None:
    leaves, target, options = _problem(kind)
    expected = _unfused(leaves, target, reduction=reduction, **options)
    loss = _fused(leaves, target, reduction=reduction, options=room(name), **options)
    assert isinstance(loss.grad_fn, FusedNode)
    np.testing.assert_allclose(loss.detach().numpy(), expected.detach().numpy(), rtol=1e-13)
    g = _cotangent(loss)
    for found, want in zip(grad(loss, leaves, g), grad(expected, leaves, g), strict=True):
        np.testing.assert_allclose(found.numpy(), want.numpy(), rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("kind", ["indices", "soft"])
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_places_without_room_for_all_logits(kind, reduction, room) -> None:
    leaves, target, options = _problem(kind, dims=(2, 3))
    expected = _unfused(leaves, target, reduction=reduction, **options)
    loss = _fused(leaves, target, reduction=reduction, options=room("both"), **options)
    assert isinstance(loss.grad_fn, FusedNode)
    np.testing.assert_allclose(loss.detach().numpy(), expected.detach().numpy(), rtol=1e-13)
    g = _cotangent(loss)
    for found, want in zip(grad(loss, leaves, g), grad(expected, leaves, g), strict=True):
        np.testing.assert_allclose(found.numpy(), want.numpy(), rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("wanted", [(0,), (1,), (2,), (0, 2), (1, 2)])
def test_gradients_of_some_operands(wanted, reduction, room) -> None:
    leaves, target, options = _problem()
    some = [leaf if i in wanted else leaf.detach() for i, leaf in enumerate(leaves)]
    expected = _unfused(leaves, target, reduction=reduction, **options)
    loss = _fused(some, target, reduction=reduction, options=room("both"), **options)
    g = _cotangent(loss)
    chosen = [leaves[i] for i in wanted]
    for found, want in zip(grad(loss, chosen, g), grad(expected, chosen, g), strict=True):
        np.testing.assert_allclose(found.numpy(), want.numpy(), rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("kind", ["indices", "soft-smoothed"])
def test_numeric_derivatives_to_second_order(kind, reduction, room) -> None:
    leaves, target, options = _problem(kind)
    chunks = room("both")

    def function(*leaves):
        return _fused(leaves, target, reduction=reduction, options=chunks, **options)

    assert gradcheck(function, leaves)
    assert gradgradcheck(function, leaves)


def test_backward_again_and_scaled(room) -> None:
    """A gradient that was handed out is not changed by what comes later, nor by its receiver."""
    leaves, target, options = _problem()
    chunks = room("both")
    loss = _fused(leaves, target, options=chunks, **options)
    loss.backward(retain_graph=True)
    first = [leaf.grad.clone() for leaf in leaves]
    for leaf in leaves:
        leaf.grad.zero_()
        leaf.grad = None
    (loss * 3).backward(retain_graph=True)
    for leaf, g in zip(leaves, first, strict=True):
        np.testing.assert_allclose(leaf.grad.numpy(), 3 * g.numpy(), rtol=1e-14)
        leaf.grad = None
    loss.backward()
    for leaf, g in zip(leaves, first, strict=True):
        np.testing.assert_array_equal(leaf.grad.numpy(), g.numpy())
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        loss.backward()


def test_accumulates_into_what_is_there() -> None:
    leaves, target, options = _problem()
    for _ in range(2):
        (_fused(leaves, target, **options) * 0.5).backward()
    expected = grad(_fused(leaves, target, **options), leaves)
    for leaf, g in zip(leaves, expected, strict=True):
        np.testing.assert_allclose(leaf.grad.numpy(), g.numpy(), rtol=1e-14)


def test_shared_operands() -> None:
    """A weight that is also the input gets both gradients."""
    w = minigrad.tensor(np.random.default_rng(0).standard_normal((6, 6)), requires_grad=True)
    target = minigrad.arange(6)
    (found,) = grad(F.linear_cross_entropy(w, w, target), w)
    (expected,) = grad(F.cross_entropy(F.linear(w, w), target), w)
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-12)


@pytest.mark.parametrize("name", ROOMS)
def test_confident_tokens_keep_their_digits(name, room) -> None:
    """log(S) - x would give 0 for losses of exp(-20), and softmax - 1 a zero gradient."""
    w = minigrad.tensor(np.arange(CLASSES, dtype=np.float32)[:, None] * 20, requires_grad=True)
    x = minigrad.ones(TOKENS, 1)
    for label in (CLASSES - 1, 4):
        target = minigrad.full((TOKENS,), label)
        w.grad = None
        loss = F.linear_cross_entropy(x, w, target, options=room(name))
        loss.backward()
        logits = np.arange(CLASSES) * 20.0
        others = np.exp(logits - logits.max())
        expected = logits.max() - logits[label] + np.log1p(others[:-1].sum())
        assert loss.item() == pytest.approx(expected, rel=1e-6)
        slopes = others / others.sum()
        slopes[label] = -(np.delete(others, label).sum() / others.sum())
        np.testing.assert_allclose(w.grad.numpy()[:, 0], slopes, rtol=1e-6, atol=1e-37)


@pytest.mark.parametrize("name", ROOMS)
@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_float32_is_as_accurate_as_the_products(name, scale, room) -> None:
    """Features and weights of few bits have exact logits (deviation 5 or 20): the rest must keep to 1e-6."""
    rng = np.random.default_rng(1)
    x = np.round(rng.standard_normal((TOKENS, FEATURES)) * 8) / 8 * scale
    w = np.round(rng.standard_normal((CLASSES, FEATURES)) * 16) / 8
    target = minigrad.tensor(rng.integers(0, CLASSES, TOKENS))
    found = []
    for dtype in (minigrad.float32, minigrad.float64):
        leaves = [minigrad.tensor(a, dtype=dtype, requires_grad=True) for a in (x, w)]
        loss = F.linear_cross_entropy(*leaves, target, reduction="none", options=room(name))
        found.append([loss.detach().numpy(), *(g.numpy() for g in grad(loss.sum(), leaves))])
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-6)
    for a, b in zip(found[0][1:], found[1][1:], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6 * np.abs(b).max())


@pytest.mark.parametrize("name", ROOMS)
def test_classes_that_are_ruled_out(name, room) -> None:
    """A bias of -inf takes a class out, even all classes of a block, as in cross entropy."""
    leaves, _, _ = _problem()
    bias = np.zeros(CLASSES)
    bias[4:20] = -np.inf
    leaves[2] = minigrad.tensor(bias)
    target = minigrad.tensor([0, 1, 2, 3, 20, 21, 22, 0, 1, 2, 3])
    loss = _fused(leaves, target, options=room(name))
    expected = _unfused(leaves, target)
    assert np.isfinite(loss.item())
    assert loss.item() == pytest.approx(expected.item(), rel=1e-13)
    wanted = grad(expected, leaves[:2])
    for found, want in zip(grad(loss, leaves[:2]), wanted, strict=True):
        np.testing.assert_allclose(found.numpy(), want.numpy(), rtol=1e-11, atol=1e-14)
    for label in (5, 22):
        hit = _fused(leaves, minigrad.full((TOKENS,), label), options=room(name), reduction="none")
        assert (hit.detach().numpy() == np.inf).all() == (label == 5)


@pytest.mark.filterwarnings("ignore:every target is ignore_index:UserWarning")
def test_all_ignored_is_nan_with_zero_gradient(room) -> None:
    leaves, _, _ = _problem()
    target = minigrad.full((TOKENS,), -100)
    loss = _fused(leaves, target, options=room("both"))
    loss.backward()
    assert np.isnan(loss.item())
    assert all(not leaf.grad.numpy().any() for leaf in leaves)
    assert _fused(leaves, target, reduction="sum").item() == 0


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_a_zero_cotangent_gives_a_zero_gradient(reduction, room) -> None:
    leaves, target, _ = _problem()
    with minigrad.no_grad():
        leaves[2][0] = np.nan
    loss = _fused(leaves, target, reduction=reduction, options=room("both"))
    assert np.isnan(loss.detach().numpy()).all()
    (loss * 0).sum().backward()
    assert all(not leaf.grad.numpy().any() for leaf in leaves)


def test_an_ignored_token_may_be_anything(room) -> None:
    leaves, target, _ = _problem()
    target[3] = -100
    with minigrad.no_grad():
        leaves[0][3] = np.nan
    loss = _fused(leaves, target, reduction="none", options=room("both")).detach().numpy()
    assert loss[3] == 0
    assert np.isfinite(loss).all()


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_an_empty_batch(reduction) -> None:
    x, w = minigrad.zeros(0, 3, requires_grad=True), minigrad.ones(4, 3, requires_grad=True)
    loss = F.linear_cross_entropy(x, w, minigrad.zeros(0).long(), reduction=reduction)
    assert loss.shape == ((0,) if reduction == "none" else ())
    if reduction != "none":
        assert np.isnan(loss.item()) if reduction == "mean" else loss.item() == 0
    loss.sum().backward()
    assert w.grad.shape == (4, 3)
    assert not w.grad.numpy().any()


def test_targets_of_other_types() -> None:
    leaves, target, _ = _problem()
    expected = _fused(leaves, target).item()
    for given in (target.tolist(), target.numpy(), target.int(), target.to(minigrad.uint8)):
        assert _fused(leaves, given).item() == expected


def test_any_strides(room) -> None:
    leaves, target, options = _problem()
    expected = _fused(leaves, target, options=room("both"), **options).item()
    x, w, b = (leaf.detach().numpy() for leaf in leaves)
    wide = np.repeat(w, 2, axis=1)
    for weight in (np.asfortranarray(w), wide[:, ::2], w[::-1].copy()[::-1]):
        bias = minigrad.from_numpy(np.repeat(b, 2)[::2])
        found = F.linear_cross_entropy(
            minigrad.from_numpy(np.asfortranarray(x)),
            minigrad.from_numpy(weight) if weight.strides[0] > 0 else minigrad.tensor(weight),
            target,
            linear_bias=bias,
            **options,
        )
        assert found.item() == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("kind", TARGETS)
def test_threads_change_nothing(kind, monkeypatch) -> None:
    monkeypatch.setattr(losses_linear, "LOGITS_ROOM", 4 * 60_000)
    rng = np.random.default_rng(0)
    x = minigrad.tensor(rng.standard_normal((100, 8)).astype(np.float32), requires_grad=True)
    w = minigrad.tensor(rng.standard_normal((1500, 8)).astype(np.float32), requires_grad=True)
    soft = kind.startswith("soft")
    target = minigrad.tensor(
        rng.random((100, 1500)).astype(np.float32) if soft else rng.integers(0, 1500, 100)
    )
    smoothing = TARGETS[kind].get("label_smoothing", 0.0)
    before, found = jit.get_num_threads(), []
    try:
        for threads in (1, 2):
            jit.set_num_threads(threads)
            loss = F.linear_cross_entropy(x, w, target, label_smoothing=smoothing)
            found.append([loss.detach().numpy(), *(g.numpy() for g in grad(loss, [x, w]))])
    finally:
        jit.set_num_threads(before)
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, None),
        ({"batch_chunk_size": 7}, 7),
        ({"chunking_method": None, "batch_chunk_size": 9}, 9),
        ({"chunking_method": "aspect_ratio"}, 128),
        ({"chunking_method": "aspect_ratio:4"}, 32),
        ({"chunking_method": "aspect_ratio:1000"}, 1),
    ],
)
def test_options_choose_the_block(options, expected) -> None:
    made = nn.LinearCrossEntropyOptions(**options)
    assert made.tokens(4096, 512, 32000) == expected


def test_options_print_as_torchs(torch) -> None:
    ours, theirs = nn.LinearCrossEntropyOptions(True, 3), torch.nn.LinearCrossEntropyOptions(True, 3)
    assert repr(ours) == repr(theirs)
    assert ours == nn.LinearCrossEntropyOptions(True, 3)
    assert hash(ours) == hash(nn.LinearCrossEntropyOptions(True, 3))
    for total, features, classes in ((4096, 512, 32000), (10, 3, 4), (100, 64, 8)):
        for method in ("aspect_ratio", "aspect_ratio:2"):
            adjusted = torch.nn.LinearCrossEntropyOptions(chunking_method=method)._adjust(
                total, features, classes, torch.float32
            )
            found = nn.LinearCrossEntropyOptions(chunking_method=method).tokens(total, features, classes)
            assert found == adjusted.batch_chunk_size


def test_gradients_of_class_weights_and_probabilities() -> None:
    leaves, target, _ = _problem("soft")
    weight = minigrad.tensor(np.linspace(0.5, 2, CLASSES), requires_grad=True)
    target.requires_grad_()
    found = grad(_fused(leaves, target, weight=weight), [*leaves, target, weight])
    expected = grad(_unfused(leaves, target, weight=weight), [*leaves, target, weight])
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12, atol=1e-15)


# ------------------------------------------------------------------------------------------------ memory
_MEASURE = """
import sys, tracemalloc
import numpy as np
import minigrad
from minigrad.nn import functional as F

def resident(what):
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(what))

def run(tokens, classes):
    rng = np.random.default_rng(0)
    shapes = (tokens, 512), (classes, 512), (classes,)
    leaves = [minigrad.from_numpy(rng.standard_normal(s, np.float32) / 20).requires_grad_() for s in shapes]
    target = minigrad.from_numpy(rng.integers(0, classes, tokens))
    open("/proc/self/clear_refs", "w").write("5")
    tracemalloc.start()
    before = resident("VmRSS:")
    loss = F.linear_cross_entropy(leaves[0], leaves[1], target, linear_bias=leaves[2], reduction=sys.argv[1])
    (loss.mean() * 0.5).backward()
    grown, traced = resident("VmHWM:") - before, tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    outputs = sum(leaf.grad.numpy().nbytes for leaf in leaves) / 2**20
    return grown, traced, outputs

run(64, 40000)  # compile the kernels
print(*run(4096, 32000))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_extra_memory_stays_under_64_mb(reduction) -> None:
    """4,096 tokens, 512 features, 32,000 classes: their logits would take 500 MB, twice."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, reduction],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent.parent,
        check=True,
    )
    grown, traced, outputs = map(float, done.stdout.split())
    assert outputs == pytest.approx(70.6, abs=0.1)  # what the gradients take, MiB
    assert traced - outputs < 64e6 / 2**20
    assert grown - outputs < 64e6 / 2**20
