"""Elementwise losses beyond the table: kinks and infinities, digits, targets and weights of any kind."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad
from minigrad import nn
from minigrad.autograd import grad, gradcheck, gradgradcheck
from minigrad.autograd.fused import FusedNode
from minigrad.kernels import jit
from minigrad.kernels import losses as kernels
from minigrad.nn import functional as F

INF, NAN = math.inf, math.nan
LOGITS = F.binary_cross_entropy_with_logits
FLOOR = float(np.float32(1e-12))  # torch's floor of p (1 - p), a float32 in either dtype

FLOATS = [minigrad.float32, minigrad.float64]

pytestmark = pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")


def _by_definition(function: Any, *args: Any, **options: Any) -> minigrad.Tensor:
    """The loss as its definition computes it, without the kernel."""
    return function.definition(*function.check(*function._bind(args, options)))


# ------------------------------------------------------------------------------------- kinks and infinities
# function, options, inputs, loss, gradient of each input that is listed
EXTREMES: list[tuple[Any, dict, tuple, float, tuple]] = [
    (F.l1_loss, {}, (1.0, 1.0), 0.0, (0.0,)),
    (F.l1_loss, {}, (INF, 1.0), INF, (1.0,)),
    (F.huber_loss, {}, (3.0, 2.0), 0.5, (1.0,)),  # both halves have this slope
    (F.huber_loss, {"delta": 2.0}, (0.0, 5.0), 8.0, (-2.0,)),
    (F.huber_loss, {"delta": INF}, (4.0, 1.0), 4.5, (3.0,)),  # half the squared error
    (F.huber_loss, {}, (-INF, 0.0), INF, (-1.0,)),
    (F.huber_loss, {}, (NAN, 0.0), NAN, (NAN,)),
    (F.huber_loss, {"delta": 1e-30}, (2.0, 1.0), 1e-30, (1e-30,)),
    (F.smooth_l1_loss, {"beta": 0.5}, (1.0, 1.5), 0.25, (-1.0,)),
    (F.smooth_l1_loss, {"beta": INF}, (3.0, 1.0), 0.0, (0.0,)),
    (F.smooth_l1_loss, {"beta": 0.0}, (1.0, 1.0), 0.0, (0.0,)),
    (F.smooth_l1_loss, {"beta": 0.0}, (3.0, 1.0), 2.0, (1.0,)),
    (F.smooth_l1_loss, {}, (INF, 0.0), INF, (1.0,)),
    (F.smooth_l1_loss, {}, (NAN, 0.0), NAN, (NAN,)),
    (F.binary_cross_entropy, {}, (0.0, 1.0), 100.0, (-1 / FLOOR,)),
    (F.binary_cross_entropy, {}, (1.0, 0.0), 100.0, (1 / FLOOR,)),
    (F.binary_cross_entropy, {}, (0.0, 0.5), 50.0, (-0.5 / FLOOR,)),
    (F.binary_cross_entropy, {}, (1e-13, 0.0), 1e-13, (0.1,)),  # below the floor, not at an end
    (F.binary_cross_entropy, {}, (1.0, 1.0), 0.0, (0.0,)),
    (F.binary_cross_entropy, {}, (1e-10, 0.0), 1e-10, (1.0,)),  # log(1 - p) would be 0 in float32
    (LOGITS, {}, (0.0, 0.25), math.log(2), (0.25,)),
    (LOGITS, {}, (INF, 1.0), 0.0, (0.0,)),
    (LOGITS, {}, (INF, 0.0), INF, (1.0,)),
    (LOGITS, {}, (-INF, 0.0), 0.0, (0.0,)),
    (LOGITS, {}, (-INF, 1.0), INF, (-1.0,)),
    (LOGITS, {}, (-INF, 0.5), INF, (-0.5,)),
    (LOGITS, {}, (NAN, 1.0), NAN, (NAN,)),
    (LOGITS, {}, (1e9, 1.0), 0.0, (0.0,)),
    (LOGITS, {}, (-1e9, 1.0), 1e9, (-1.0,)),
    (LOGITS, {}, (30.0, 1.0), math.log1p(math.exp(-30)), (-math.exp(-30) / (1 + math.exp(-30)),)),
    (LOGITS, {}, (-30.0, 0.0), math.log1p(math.exp(-30)), (math.exp(-30) / (1 + math.exp(-30)),)),
    (LOGITS, {"pos_weight": 3.0}, (INF, 1.0), 0.0, (0.0,)),
    (LOGITS, {"pos_weight": 3.0}, (-1e4, 1.0), 3e4, (-3.0,)),
    (LOGITS, {"pos_weight": 3.0, "weight": 0.5}, (-1e4, 1.0), 1.5e4, (-1.5,)),
    (F.kl_div, {}, (-INF, 0.0), 0.0, (0.0,)),
    (F.kl_div, {}, (-INF, 0.5), INF, (-0.5,)),
    (F.kl_div, {}, (-1.0, -0.5), NAN, (0.5,)),  # no probability
    (F.kl_div, {"log_target": True}, (-INF, -INF), 0.0, (0.0,)),
    (F.kl_div, {"log_target": True}, (-1.0, -INF), 0.0, (0.0,)),
    (F.kl_div, {"log_target": True}, (-INF, 0.0), INF, (-1.0,)),
    (F.poisson_nll_loss, {}, (-INF, 0.0), 0.0, (0.0,)),
    (F.poisson_nll_loss, {}, (-INF, 2.0), INF, (-2.0,)),
    (F.poisson_nll_loss, {}, (0.0, 0.0), 1.0, (1.0,)),
    (F.poisson_nll_loss, {"full": True}, (0.0, 1.0), 1.0, (0.0,)),  # nothing is added up to y = 1
    (F.poisson_nll_loss, {"log_input": False}, (0.0, 0.0), 0.0, (1.0,)),
    (F.poisson_nll_loss, {"log_input": False, "eps": 0.0}, (0.0, 0.0), 0.0, (1.0,)),
    (F.poisson_nll_loss, {"log_input": False}, (0.0, 1.0), 8 * math.log(10), (1 - 1e8,)),
    (F.poisson_nll_loss, {"log_input": False}, (-1.0, 2.0), NAN, (3.0,)),
    (F.gaussian_nll_loss, {}, (1.0, 0.0, 0.0), 0.5 * (math.log(1e-6) + 1e6), (1e6, None, 0.5 * (1e6 - 1e12))),
    (F.gaussian_nll_loss, {"eps": 0.5}, (1.0, 0.0, 0.25), 0.5 * (math.log(0.5) + 2), (2.0, None, -1.0)),
    (F.gaussian_nll_loss, {"eps": 0.5}, (1.0, 0.0, 0.5), 0.5 * (math.log(0.5) + 2), (2.0, None, -1.0)),
    (F.gaussian_nll_loss, {}, (1.0, 0.0, INF), INF, (0.0, None, 0.0)),
    (F.gaussian_nll_loss, {}, (1.0, 0.0, NAN), NAN, (NAN, None, NAN)),
    (F.gaussian_nll_loss, {"full": True}, (0.0, 0.0, 1.0), 0.5 * math.log(2 * math.pi), (0.0, None, 0.5)),
]  # fmt: skip


@pytest.mark.parametrize("dtype", FLOATS, ids=["float32", "float64"])
@pytest.mark.parametrize("way", ["kernel", "definition"])
@pytest.mark.parametrize(
    ("function", "options", "inputs", "loss", "gradients"),
    EXTREMES,
    ids=[f"{f.__name__}-{i}-{o}" for f, o, i, *_ in EXTREMES],
)
def test_kinks_and_infinities(function, options, inputs, loss, gradients, way, dtype) -> None:
    places = [i for i, g in enumerate(gradients) if g is not None]
    leaves = [minigrad.tensor([v], dtype=dtype, requires_grad=i in places) for i, v in enumerate(inputs)]
    given = {k: minigrad.tensor(v, dtype=dtype) if "weight" in k else v for k, v in options.items()}
    run = function if way == "kernel" else lambda *a, **o: _by_definition(function, *a, **o)
    found = run(*leaves, **given, reduction="none")
    assert isinstance(found.grad_fn, FusedNode) == (way == "kernel")
    np.testing.assert_allclose(found.item(), loss, rtol=3e-7)
    for place, slope in zip(places, grad(found.sum(), [leaves[i] for i in places]), strict=True):
        np.testing.assert_allclose(slope.item(), gradients[place], rtol=3e-7)


def test_stirlings_term_starts_above_one() -> None:
    """It is not 0 there, so that the loss jumps by it, as torch's does."""
    below, above = (
        F.poisson_nll_loss(minigrad.tensor(0.0), minigrad.tensor(y), full=True).item() for y in (1.0, 1.0001)
    )
    assert above - below == pytest.approx(-1 + 0.5 * math.log(2 * math.pi), abs=2e-4)


def test_gradient_with_respect_to_a_target_is_finite_at_the_ends() -> None:
    """log(1 - p) - log(p) has infinities at probabilities of 0 and 1; the clamped logarithms have none."""
    p, y = minigrad.tensor([0.0, 1.0]), minigrad.tensor([1.0, 0.5], requires_grad=True)
    F.binary_cross_entropy(p, y, reduction="sum").backward()
    assert y.grad.tolist() == [100.0, -100.0]
    x, t = minigrad.tensor([-1.0, -2.0]), minigrad.tensor([0.0, 1.0], requires_grad=True)
    F.kl_div(x, t, reduction="sum").backward()
    assert t.grad.tolist() == [0.0, 3.0]  # log t + 1 - x where t is not 0


@pytest.mark.parametrize("function", [F.poisson_nll_loss, LOGITS])
def test_a_target_of_zero_still_has_a_gradient(function) -> None:
    x, y = minigrad.tensor([0.5, -2.0]), minigrad.zeros(2, requires_grad=True)
    function(x, y, reduction="sum").backward()
    np.testing.assert_allclose(y.grad.numpy(), [-0.5, 2.0], rtol=1e-6)


# --------------------------------------------------------------------------------------------- digits
def _softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _sigmoid(x):
    return np.exp(-_softplus(-x))


def _close(found: np.ndarray, exact: np.ndarray, size: Any = None) -> None:
    """Relative to the exact value, or to the size of what adds up to it, the error is at most 1e-6."""
    size = np.abs(exact) if size is None else size
    seen = size > 1e-35  # within float32's normal range
    assert seen.sum() > 0.3 * seen.size
    assert np.max(np.abs(found[seen] - exact[seen]) / size[seen]) < 1e-6


@pytest.mark.parametrize("way", ["kernel", "definition"])
@pytest.mark.parametrize("spread", [3, 30])
def test_confident_logits_keep_their_digits(spread, way) -> None:
    rng = np.random.default_rng(3)
    x, y = (
        (rng.standard_normal(4000) * spread).astype(np.float32),
        rng.integers(0, 2, 4000).astype(np.float32),
    )
    leaf, target = minigrad.tensor(x, requires_grad=True), minigrad.tensor(y, requires_grad=way != "kernel")
    losses = LOGITS(leaf, target, reduction="none")
    assert isinstance(losses.grad_fn, FusedNode) == (way == "kernel")
    (slope,) = grad(losses.sum(), leaf, create_graph=True)
    signed = np.where(y == 1, -x, x).astype(np.longdouble)
    _close(losses.detach().numpy(), _softplus(signed))
    _close(slope.detach().numpy(), np.where(y == 1, -1, 1) * _sigmoid(signed))
    (curvature,) = grad(slope.sum(), leaf)
    _close(curvature.numpy(), _sigmoid(signed) * _sigmoid(-signed))


@pytest.mark.parametrize("way", ["kernel", "definition"])
@pytest.mark.parametrize("name", ["poisson", "poisson rate", "poisson full", "kl", "kl log", "gaussian"])
def test_float32_is_exact_to_1e_6_of_its_terms(name, way) -> None:
    rng = np.random.default_rng(4)
    n = 4000
    x = rng.standard_normal(n).astype(np.float32) * np.float32(3)
    y = rng.poisson(3, n).astype(np.float32)
    p, v = rng.uniform(1e-6, 1, (2, n)).astype(np.float32)
    xs, ys, ps, vs = (a.astype(np.longdouble) for a in (x, y, p, v))
    logs = np.log(np.where(ys > 0, ys, 1))
    stirling = np.where(ys > 1, ys * logs - ys + 0.5 * (np.log(2 * np.longdouble(np.pi)) + logs), 0)
    rate, eps = np.abs(xs) + 1, np.longdouble(1e-8)
    function, inputs, options, terms, slope = {
        "poisson": (F.poisson_nll_loss, (x, y), {}, (np.exp(xs), -ys * xs), (np.exp(xs), -ys)),
        "poisson full": (
            F.poisson_nll_loss,
            (x, y),
            {"full": True},
            (np.exp(xs), -ys * xs, stirling),
            (np.exp(xs), -ys),
        ),
        "poisson rate": (
            F.poisson_nll_loss,
            (np.abs(x) + np.float32(1), y),
            {"log_input": False},
            (rate, -ys * np.log(rate + eps)),
            (np.ones(n), -ys / (rate + eps)),
        ),
        "kl": (F.kl_div, (x, p), {}, (ps * np.log(ps), -ps * xs), (-ps,)),
        "kl log": (F.kl_div, (x, -p), {"log_target": True}, (-np.exp(-ps) * (ps + xs),), (-np.exp(-ps),)),
        "gaussian": (
            F.gaussian_nll_loss,
            (x, p, v),
            {"eps": 0.0},
            (0.5 * np.log(vs), 0.5 * (xs - ps) ** 2 / vs),
            ((xs - ps) / vs,),
        ),
    }[name]
    leaves = [minigrad.tensor(a) for a in inputs]
    leaves[0].requires_grad_()
    run = function if way == "kernel" else lambda *a, **o: _by_definition(function, *a, **o)
    losses = run(*leaves, reduction="none", **options)
    (gradient,) = grad(losses.sum(), leaves[0])
    _close(losses.detach().numpy(), sum(terms), sum(map(np.abs, terms)))
    _close(gradient.numpy(), sum(slope), sum(map(np.abs, slope)))


def test_a_float32_mean_of_many_keeps_its_digits() -> None:
    x = minigrad.full((1_000_003,), 0.1)
    for function, exact in ((F.l1_loss, 0.1), (F.huber_loss, 0.005), (F.mse_loss, 0.01)):
        assert function(x, minigrad.zeros_like(x)).item() == pytest.approx(exact, rel=3e-7)


@pytest.mark.parametrize("size", [7, 64, 1500])
def test_a_sum_does_not_depend_on_where_its_arrays_are(size) -> None:
    """Arrays close to each other in memory are swept one element at a time."""
    x = np.random.default_rng(0).standard_normal(size).astype(np.float32)
    found = set()
    for gap in (0, 1, 3, 16, 64, 5000):
        room = np.zeros(2 * size + gap, np.float32)
        a, b = room[:size], room[size + gap :]
        a[:] = x
        b[:] = -x
        found.add(kernels.huber(a, b, 1.0, reduction="sum", grad=True)[0].item())
        found.add(kernels.huber(a, b, 1.0, reduction="sum", grad=False)[0].item())
    assert len(found) == 1


def _large(count: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(8)
    return tuple(rng.uniform(0.1, 3, (count, 350_001)).astype(np.float32))


@pytest.mark.parametrize(
    ("function", "count", "options"),
    [
        (F.huber_loss, 2, {"delta": 0.7}),
        (F.mse_loss, 3, {}),
        (F.poisson_nll_loss, 2, {"full": True}),
        (F.poisson_nll_loss, 2, {"log_input": False, "full": True}),
        (F.gaussian_nll_loss, 3, {}),
    ],
)
def test_large_arrays_on_any_number_of_threads(function, count, options, monkeypatch) -> None:
    x, y, *rest = (minigrad.from_numpy(a) for a in _large(count))
    x.requires_grad_()
    if function is F.mse_loss:
        options, rest = {"weight": rest[0]}, []

    def run(way: Callable) -> tuple[float, np.ndarray]:
        loss = way(x, y, *rest, **options)
        return loss.item(), grad(loss, x)[0].numpy()

    value, gradient = run(function)
    expected, slope = run(lambda *a, **o: _by_definition(function, *a, **o))
    assert value == pytest.approx(expected, rel=1e-6)
    np.testing.assert_allclose(gradient, slope, rtol=1e-5, atol=1e-6 * np.abs(slope).max())
    monkeypatch.setattr(jit, "_threads", 1)
    alone, same = run(function)
    assert alone == value
    np.testing.assert_array_equal(same, gradient)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("size", [1, 5, 20_000, 400_000])
def test_the_domain_is_checked_everywhere(size, dtype) -> None:
    x = np.linspace(0, 1, size).astype(dtype)
    assert kernels.all_within(x, 0.0, 1.0)
    assert kernels.all_within(x[:0], 0.0, 1.0)
    for bad in (-1e-7, 1.002, NAN, INF):
        for place in (0, size // 2, size - 1):
            y = x.copy()
            y[place] = bad
            assert not kernels.all_within(y, 0.0, 1.0)


# -------------------------------------------------------------------------------- targets of any kind
PAIRS: list[tuple[Any, dict]] = [
    (F.mse_loss, {}),
    (F.l1_loss, {}),
    (F.smooth_l1_loss, {}),
    (F.huber_loss, {}),
    (F.binary_cross_entropy, {}),
    (LOGITS, {}),
    (F.kl_div, {"reduction": "batchmean"}),
    (F.poisson_nll_loss, {}),
    (F.poisson_nll_loss, {"full": True}),
    (F.gaussian_nll_loss, {"var": 0.5}),
]
every_pair = pytest.mark.parametrize(
    ("function", "options"), PAIRS, ids=[f"{f.__name__}-{o}" for f, o in PAIRS]
)


@every_pair
def test_integers_bools_lists_and_arrays_are_targets(function, options) -> None:
    x = minigrad.tensor([0.25, 0.5, 0.75], requires_grad=True)
    expected = function(x, minigrad.tensor([0.0, 1.0, 1.0]), **options)
    (slope,) = grad(expected, x)
    kinds = (minigrad.int64, minigrad.int32, minigrad.int16, minigrad.int8, minigrad.uint8, minigrad.bool)
    targets = [minigrad.tensor([0, 1, 1], dtype=kind) for kind in kinds]
    for target in (*targets, [0, 1, 1], [False, True, True], np.array([0, 1, 1]), np.array([0.0, 1.0, 1.0])):
        loss = function(x, target, **options)
        assert loss.dtype is minigrad.float32
        assert loss.item() == expected.item()
        assert grad(loss, x)[0].tolist() == slope.tolist()


@every_pair
def test_targets_of_float64_promote(function, options) -> None:
    if function is F.binary_cross_entropy:
        pytest.skip("asks for one dtype, as torch does")
    x = minigrad.tensor([0.25, 0.5], requires_grad=True)
    y = minigrad.tensor([0.125, 0.75], dtype=minigrad.float64)
    loss = function(x, y, **options)
    assert loss.dtype is minigrad.float64
    assert loss.item() == pytest.approx(function(x.double(), y, **options).item(), rel=1e-6)
    loss.backward()
    assert x.grad.dtype is minigrad.float32


def test_huber_loss_promotes_and_takes_integers() -> None:
    """torch's result has the input's dtype whatever the target's, and integers have no backward."""
    x = minigrad.tensor([0.1, 2.0], requires_grad=True)
    exact = minigrad.tensor([1 / 3, 0.0], dtype=minigrad.float64)
    assert F.huber_loss(x, exact).dtype is minigrad.float64
    F.huber_loss(x, minigrad.tensor([0, 1]), reduction="sum").backward()
    np.testing.assert_allclose(x.grad.numpy(), [0.1, 1.0], rtol=1e-6)
    assert F.huber_loss(minigrad.tensor([1, 5]), minigrad.tensor([0.5, 1.0]), reduction="sum").item() == 3.625


def test_l1_takes_bools() -> None:
    """torch cannot subtract a bool."""
    assert (
        F.l1_loss(minigrad.tensor([0.25, 0.5]), minigrad.tensor([True, False]), reduction="sum").item()
        == 1.25
    )


# ------------------------------------------------------------------------------------------ broadcasts
BROADCASTING = [pair for pair in PAIRS if pair[0] not in (F.binary_cross_entropy, LOGITS)]


@pytest.mark.parametrize(
    ("function", "options"), BROADCASTING, ids=[f"{f.__name__}-{o}" for f, o in BROADCASTING]
)
def test_broadcasts_warn_and_compute(function, options) -> None:
    """torch is silent in Poisson, Gaussian and KLDiv."""
    options = {**options, "reduction": "none"}
    x = minigrad.tensor([[0.25], [0.5], [0.75]], requires_grad=True)
    y = minigrad.tensor([0.5, 1.0])
    with pytest.warns(UserWarning, match=r"target size \(torch.Size\(\[2\]\)\) that is different") as caught:
        loss = function(x, y, **options)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert loss.shape == (3, 2)
    expected = function(x.expand(3, 2), y.expand(3, 2), **options)
    np.testing.assert_allclose(loss.detach().numpy(), expected.detach().numpy(), rtol=1e-6)
    with pytest.warns(UserWarning, match=r"Try input.squeeze\(1\) or target.unsqueeze\(1\)"):
        function(x, minigrad.ones(3), **options)
    with (
        pytest.warns(UserWarning, match="target size"),
        pytest.raises(
            RuntimeError, match=r"The size of tensor a \(3\) must match the size of tensor b \(2\)"
        ),
    ):
        function(x.squeeze(1), y, **options)


@pytest.mark.parametrize("function", [F.binary_cross_entropy, LOGITS])
def test_binary_losses_of_other_shapes_say_what_to_type(function) -> None:
    with pytest.raises(ValueError, match=r"Try input.squeeze\(1\) or target.unsqueeze\(1\)"):
        function(minigrad.rand(4, 1), minigrad.rand(4))


# ---------------------------------------------------------------------------------- weights, variances
def test_what_the_weighted_mean_divides_by() -> None:
    """By the sum of the weights, but in huber_loss and the binary losses by the number of elements."""
    x, y, weight = minigrad.ones(3), minigrad.zeros(3), minigrad.tensor([1.0, 2.0, 5.0])
    assert F.mse_loss(x, y, weight=weight).item() == 1.0
    assert F.l1_loss(x, y, weight=weight).item() == 1.0
    assert F.huber_loss(x, y, weight=weight).item() == pytest.approx(4 / 3)
    assert LOGITS(x, y, weight).item() == pytest.approx(8 / 3 * math.log1p(math.e))
    assert F.mse_loss(x, y, weight=[1, 2, 5]).item() == 1.0  # of any kind, as targets are
    assert math.isnan(F.mse_loss(x, y, weight=minigrad.zeros(3)).item())


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("function", [F.mse_loss, F.l1_loss, F.huber_loss, F.binary_cross_entropy, LOGITS])
def test_weights_have_gradients(function, reduction) -> None:
    """torch has none for the weights of the binary losses."""
    rng = np.random.default_rng(2)
    x, y, weight = (minigrad.tensor(a) for a in rng.uniform(0.1, 0.9, (3, 2, 3)))
    x.requires_grad_()
    for given in (weight, *([weight[0]] if function in (F.binary_cross_entropy, LOGITS) else [])):
        leaf = given.detach().requires_grad_()
        call = lambda x, w: function(x, y, weight=w, reduction=reduction)  # noqa: E731
        assert gradcheck(call, (x, leaf))
        assert gradgradcheck(call, (x, leaf))
    if function is LOGITS:
        factor = minigrad.tensor([0.5, 2.0, 3.0], dtype=minigrad.float64, requires_grad=True)
        assert gradcheck(lambda x, p: LOGITS(x, y, pos_weight=p, reduction=reduction), (x, factor))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_a_variance_is_a_number_or_a_tensor(reduction) -> None:
    """torch takes a float, and fails for an int."""
    x = minigrad.tensor([[1.0, 2.0], [0.5, -1.0]], requires_grad=True)
    y = minigrad.zeros(2, 2)
    expected = F.gaussian_nll_loss(x, y, minigrad.full((2, 2), 2.0), reduction=reduction)
    for var in (2.0, 2, np.float32(2), [2, 2], [[2.0, 2.0], [2.0, 2.0]], minigrad.tensor([2, 2])):
        found = F.gaussian_nll_loss(x, y, var, reduction=reduction)
        np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=1e-6)
    module = nn.GaussianNLLLoss(reduction=reduction)
    np.testing.assert_array_equal(module(x, y, var=2.0).detach().numpy(), found.detach().numpy())


def test_a_variance_without_dimensions_fits_a_vector() -> None:
    x, y = minigrad.tensor([1.0, 2.0], requires_grad=True), minigrad.zeros(2)
    for var in (minigrad.tensor(2.0, requires_grad=True), minigrad.tensor([2.0], requires_grad=True)):
        F.gaussian_nll_loss(x, y, var, reduction="sum").backward()
        np.testing.assert_allclose(var.grad.numpy(), np.full(var.shape, 0.5 - 5 / 8), rtol=1e-6)


def test_options_may_be_numbers_of_any_kind() -> None:
    x, y = minigrad.tensor([3.0]), minigrad.tensor([1.0])
    for delta in (1, True, np.float32(1), minigrad.tensor(1.0)):
        assert F.huber_loss(x, y, delta=delta).item() == 1.5
        assert F.smooth_l1_loss(x, y, beta=delta).item() == 1.5


@pytest.mark.parametrize(
    ("call", "hints"),
    [
        (lambda: F.huber_loss(minigrad.ones(2), minigrad.ones(2), delta=-1), ["delta=-1", "l1_loss"]),
        (
            lambda: F.mse_loss(minigrad.ones(2), minigrad.ones(2), weight=minigrad.ones(1)),
            ["weight.expand_as"],
        ),
        (
            lambda: F.binary_cross_entropy(minigrad.tensor([0.5, -3.0, 2.0]), minigrad.ones(3)),
            ["2 of 3", "-3 at [1]", "binary_cross_entropy_with_logits"],
        ),
        (
            lambda: F.binary_cross_entropy(minigrad.rand(2), minigrad.tensor([1.0, -1.0])),
            ["1 of 2", "-1 at [1]", "(target + 1) / 2"],
        ),
        (lambda: LOGITS(minigrad.zeros(5, 3), minigrad.zeros(5, 3), minigrad.ones(5)), ["[5]", "[5, 3]"]),
        (
            lambda: F.gaussian_nll_loss(minigrad.ones(2), minigrad.ones(2), minigrad.tensor([1.0, -2.0])),
            ["1 of 2", "-2 at [1]", "softplus"],
        ),
        (
            lambda: F.gaussian_nll_loss(minigrad.ones(4, 3), minigrad.ones(4, 3), minigrad.ones(3)),
            ["var [3]", "[4, 3]", "[4, 1]"],
        ),
        (lambda: F.poisson_nll_loss(minigrad.ones(2), minigrad.ones(2), eps=-0.5), ["eps=-0.5"]),
        (lambda: nn.GaussianNLLLoss(True), ["full, eps, reduction", "by name"]),
    ],
)
def test_errors_say_what_was_given_and_what_to_type(call, hints) -> None:
    with pytest.raises((RuntimeError, ValueError, TypeError)) as caught:
        call()
    _, _, rest = str(caught.value).partition("\n")
    assert all(hint in rest for hint in hints), rest


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@every_pair
def test_empty_batches(function, options, reduction) -> None:
    x = minigrad.zeros(0, 3, requires_grad=True)
    loss = function(x, minigrad.zeros(0, 3), **{**options, "reduction": reduction})
    loss.backward(minigrad.ones_like(loss))
    assert x.grad.shape == (0, 3)
    if reduction == "none":
        assert loss.shape == (0, 3)
    else:
        assert math.isnan(loss.item()) if reduction == "mean" else loss.item() == 0
