"""Losses of one class among many: accuracy, infinities, what is ignored, target forms, further gradients."""

from __future__ import annotations

import math
import re
import warnings
from typing import Any

import numpy as np
import pytest

import minigrad
from minigrad import nn
from minigrad.autograd import grad, gradcheck, gradgradcheck
from minigrad.autograd.fused import FusedNode
from minigrad.nn import extra
from minigrad.nn import functional as F
from minigrad.nn.losses import classification

INF, NAN = math.inf, math.nan
EXTRA = (extra.softmax_focal_loss, extra.poly_loss, extra.generalized_cross_entropy)


def value_and_gradient(function: Any, x: Any, *rest: Any, dtype: Any = None, **options: Any) -> tuple:
    """The kernel's value and gradient, which must be the definition's."""
    leaf = minigrad.tensor(x, requires_grad=True, dtype=dtype)
    loss = function(leaf, *rest, **options)
    assert isinstance(loss.grad_fn, FusedNode)
    (slope,) = grad(loss.sum(), leaf, retain_graph=True)
    arguments = function.check(*function._bind((leaf, *rest), options))
    by_definition = function.definition(*arguments)
    (expected,) = grad(by_definition.sum(), leaf)
    np.testing.assert_allclose(
        loss.detach().numpy(), by_definition.detach().numpy(), rtol=1e-6, atol=1e-12, equal_nan=True
    )
    np.testing.assert_allclose(slope.numpy(), expected.numpy(), rtol=1e-5, atol=1e-12, equal_nan=True)
    return loss.detach().numpy(), slope.numpy()


# ------------------------------------------------------------------------------------------- accuracy
def exact(x: np.ndarray, q: np.ndarray, w: np.ndarray | None = None) -> tuple[np.ndarray, ...]:
    """-Σ w q log softmax(x) and its gradient in extended precision, without cancellation in log(1 + tiny)
    and 1 - p; and the sizes of what the gradient is the difference of."""
    x, mass = x.astype(np.longdouble), q.astype(np.longdouble) * (1 if w is None else w)
    k = x.argmax(1)[:, None]
    below = np.take_along_axis(x, k, 1) - x
    e = np.exp(-below)
    np.put_along_axis(e, k, 0, 1)
    rest = e.sum(1, keepdims=True)
    total = mass.sum(1, keepdims=True)
    loss = (mass * below).sum(1) + (total * np.log1p(rest))[:, 0]
    np.put_along_axis(e, k, 1, 1)
    p = e / (1 + rest)
    slope = total * p - mass
    beside = mass.copy()
    np.put_along_axis(beside, k, 0, 1)
    at_top = beside.sum(1, keepdims=True) - total * rest / (1 + rest)
    np.put_along_axis(slope, k, at_top, 1)
    return loss, slope, total * p + mass


def worst(found: np.ndarray, expected: np.ndarray, scale: np.ndarray | None = None) -> float:
    """The largest error relative to `scale`, by default the value itself, above float32's denormals."""
    scale = np.abs(expected) if scale is None else scale
    normal = scale > 1e-30
    assert normal.mean() > 0.1
    return float(np.max(np.abs(found - expected)[normal] / scale[normal]))


@pytest.mark.parametrize("spread", [3, 30])
@pytest.mark.parametrize("shape", [(4096, 10), (400, 1000), (2000, 2)])
def test_hard_targets_are_exact_to_1e_6(shape, spread) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(0, spread, shape).astype(np.float32)
    y = rng.integers(0, shape[1], shape[0])
    y[::2] = x[::2].argmax(1)  # confident and right
    w = rng.uniform(0.2, 2, shape[1]).astype(np.float32)
    one_hot = np.eye(shape[1])[y]
    for weight in (None, w):
        loss, slope, _ = exact(
            x, one_hot, None if weight is None else weight[y][:, None].astype(np.longdouble)
        )
        tensor = None if weight is None else minigrad.tensor(weight)
        for layout in (x, x[..., None], np.repeat(x[..., None], 20, 2)):
            leaf = minigrad.tensor(layout, requires_grad=True)
            labels = np.broadcast_to(
                y.reshape(-1, *[1] * (layout.ndim - 2)), layout.shape[:1] + layout.shape[2:]
            )
            found = F.cross_entropy(leaf, labels, tensor, reduction="none")
            (gradient,) = grad(found.sum(), leaf)
            assert isinstance(found.grad_fn, FusedNode)
            first = (slice(None),) * 2 + (0,) * (layout.ndim - 2)
            assert worst(found.detach().numpy().reshape(len(x), -1)[:, 0], loss) < 1e-6
            assert worst(gradient.numpy()[first], slope) < 1e-6


@pytest.mark.parametrize("spread", [3, 30])
@pytest.mark.parametrize("shape", [(4096, 10), (400, 1000)])
@pytest.mark.parametrize("smoothing", [0.0, 1e-3, 0.1])
def test_spread_targets_are_exact_to_1e_6(shape, spread, smoothing) -> None:
    """Where p meets the target's probability the gradient is a small difference: relative to its terms."""
    rng = np.random.default_rng(1)
    x = rng.normal(0, spread, shape).astype(np.float32)
    y = np.where(np.arange(shape[0]) % 2, x.argmax(1), rng.integers(0, shape[1], shape[0]))
    soft = rng.dirichlet(np.full(shape[1], 0.2), shape[0]).astype(np.float32)
    for target, q in ((y, np.eye(shape[1])[y]), (soft, soft)):
        q = (1 - np.longdouble(smoothing)) * q + np.longdouble(smoothing) / shape[1]
        loss, slope, terms = exact(x, q)
        leaf = minigrad.tensor(x, requires_grad=True)
        found = F.cross_entropy(leaf, target, reduction="none", label_smoothing=smoothing)
        (gradient,) = grad(found.sum(), leaf)
        assert worst(found.detach().numpy(), loss) < 1e-6
        assert worst(gradient.numpy(), slope, terms) < 1e-6
        top = np.arange(shape[0]), x.argmax(1)
        if target is y and smoothing:  # nearly certain, and held back by the smoothing alone
            right = tuple(place[y == x.argmax(1)] for place in top)
            assert worst(gradient.numpy()[right], slope[right], np.abs(slope[right]) + smoothing) < 1e-6


@pytest.mark.parametrize("spread", [3, 30])
@pytest.mark.parametrize("soft", [False, True])
def test_the_definition_is_exact_to_1e_6_in_float32(spread, soft) -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(0, spread, (2000, 10)).astype(np.float32)
    y = np.where(np.arange(2000) % 2, x.argmax(1), rng.integers(0, 10, 2000))
    one_hot = np.eye(10, dtype=np.float32)[y]
    loss, slope, terms = exact(x, one_hot)
    leaf = minigrad.tensor(x, requires_grad=True)
    if soft:  # a gradient of the target: no kernel has it
        found = F.cross_entropy(leaf, minigrad.tensor(one_hot, requires_grad=True), reduction="none")
    else:
        weight = minigrad.ones(10, requires_grad=True)
        found = F.cross_entropy(leaf, y, weight, reduction="none")
    (gradient,) = grad(found.sum(), leaf)
    assert not isinstance(found.grad_fn, FusedNode)
    assert found.dtype is minigrad.float32
    assert worst(found.detach().numpy(), loss) < 1e-6
    assert worst(gradient.numpy(), slope) < 1e-6
    assert terms.min() >= 0


@pytest.mark.parametrize("spread", [3, 30])
def test_log_softmax_and_nll_keep_the_digits_of_the_nearly_certain(spread) -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(0, spread, (2000, 10)).astype(np.float32)
    y = x.argmax(1)
    loss, slope, _ = exact(x, np.eye(10)[y])
    for layout in (x, x[..., None]):
        leaf = minigrad.tensor(layout, requires_grad=True)
        found = F.nll_loss(minigrad.log_softmax(leaf, 1), y.reshape(-1, *layout.shape[2:]), reduction="none")
        (gradient,) = grad(found.sum(), leaf)
        own = np.arange(2000), y
        # The rounding of x - max itself, by which exp magnifies it, remains.
        assert worst(found.detach().numpy().ravel(), loss) < (1e-6 if spread == 3 else 8e-6)
        assert worst(gradient.numpy().reshape(x.shape)[own], slope[own]) < (1e-6 if spread == 3 else 8e-6)


@pytest.mark.parametrize("spread", [3, 30])
@pytest.mark.parametrize("classes", [10, 100])
def test_functions_of_p_are_exact_to_1e_6(spread, classes) -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(0, spread, (2000, classes)).astype(np.float32)
    y = np.where(np.arange(2000) % 2, x.argmax(1), rng.integers(0, classes, 2000))
    nll, slope, _ = exact(x, np.eye(classes)[y])
    missing = -np.expm1(-nll)
    p = np.exp(-nll)
    for function, options, loss, by_nll in (
        (EXTRA[0], {"gamma": 2.0}, missing**2 * nll, missing**2 * (1 + 2 * p * nll / missing)),
        (EXTRA[0], {"gamma": 0.5}, missing**0.5 * nll, missing**0.5 * (1 + 0.5 * p * nll / missing)),
        (EXTRA[1], {"epsilon": -1.0}, nll - missing, missing),
        (EXTRA[1], {"epsilon": 2.0}, nll + 2 * missing, 1 + 2 * p),
        (EXTRA[2], {"q": 0.7}, -np.expm1(-0.7 * nll) / 0.7, p ** np.longdouble(0.7)),
        (EXTRA[2], {"q": 1e-6}, -np.expm1(-1e-6 * nll) / 1e-6, p ** np.longdouble(1e-6)),
    ):
        leaf = minigrad.tensor(x, requires_grad=True)
        found = function(leaf, y, reduction="none", **options)
        (gradient,) = grad(found.sum(), leaf)
        difference = options.get("epsilon") == -1.0  # nll - (1 - p) is small for large p: relative to nll
        assert worst(found.detach().numpy(), loss, nll if difference else None) < 1e-6
        assert worst(gradient.numpy(), by_nll[:, None] * slope) < 2e-6


# ------------------------------------------------------------------------------------------ infinities
WIDTHS = pytest.mark.parametrize("classes", [4, 80])
DTYPES = pytest.mark.parametrize("dtype", [minigrad.float32, minigrad.float64])


def logits(classes: int, *first: float) -> list[list[float]]:
    """One sample that starts so, its further classes impossible."""
    return [[*first, *[-INF] * (classes - len(first))]]


@WIDTHS
@DTYPES
@pytest.mark.parametrize(
    ("first", "target", "value", "slope"),
    [
        ((INF, 0.0, 1.0), 0, 0.0, [0, 0, 0]),  # the limit of a large logit; torch: nan
        ((INF, 0.0, 1.0), 1, INF, [1, -1, 0]),
        ((0.0, -INF, 0.0), 1, INF, [0.5, -1, 0.5]),
        ((0.0, -INF, 0.0), 0, math.log(2), [-0.5, 0, 0.5]),
        ((INF, INF, 1.0), 0, math.log(2), [-0.5, 0.5, 0]),  # both as large
        ((-INF, -INF, -INF), 0, NAN, None),
        ((INF, NAN, 0.0), 0, NAN, None),
    ],
)
def test_infinite_logits(classes, dtype, first, target, value, slope) -> None:
    x = logits(classes, *first)
    found, gradient = value_and_gradient(F.cross_entropy, x, [target], reduction="none", dtype=dtype)
    np.testing.assert_allclose(found, [value], rtol=1e-6)
    one_hot = minigrad.tensor(np.eye(classes)[[target]], dtype=dtype)
    soft, soft_gradient = value_and_gradient(F.cross_entropy, x, one_hot, reduction="none", dtype=dtype)
    np.testing.assert_allclose(soft, [value], rtol=1e-6)
    if slope is not None:
        np.testing.assert_allclose(gradient[0, :3], slope, rtol=1e-6)
        np.testing.assert_allclose(soft_gradient[0, :3], slope, rtol=1e-6)
        assert not gradient[0, 3:].any()


@WIDTHS
@DTYPES
def test_masked_classes_with_smoothing_and_weights(classes, dtype) -> None:
    x = logits(classes, 0.0, -INF, 0.0)
    smooth, gradient = value_and_gradient(
        F.cross_entropy, x, [0], label_smoothing=0.1, reduction="none", dtype=dtype
    )
    assert smooth == INF  # as in torch: smoothing gives the impossible class a probability
    np.testing.assert_allclose(gradient[0, 1], -0.1 / classes, rtol=1e-6)
    assert np.isfinite(gradient).all()
    weight = minigrad.tensor([1.0, 0.0, 1.0, *[0.0] * (classes - 3)], dtype=dtype)
    smooth, gradient = value_and_gradient(
        F.cross_entropy, x, [0], weight, label_smoothing=0.1, reduction="none", dtype=dtype
    )
    # A class of weight 0 costs nothing, however impossible it is.
    np.testing.assert_allclose(smooth, (0.9 + 0.2 / classes) * math.log(2), rtol=1e-6)
    assert np.isfinite(gradient).all()
    masked = minigrad.tensor([1.0, 0.0, 0.0, *[1.0] * (classes - 3)], dtype=dtype)
    none, gradient = value_and_gradient(F.cross_entropy, x, [1], masked, reduction="sum", dtype=dtype)
    assert none == 0  # weight 0 times an infinite loss
    assert not gradient.any()


@DTYPES
def test_nll_of_impossible_classes(dtype) -> None:
    x = [[-0.5, -INF, -1.0]]
    assert value_and_gradient(F.nll_loss, x, [0], dtype=dtype)[0] == 0.5
    value, gradient = value_and_gradient(F.nll_loss, x, [1], dtype=dtype)
    assert value == INF
    assert gradient.tolist() == [[0, -1, 0]]
    weight = minigrad.tensor([1.0, 0.0, 1.0], dtype=dtype)
    value, gradient = value_and_gradient(F.nll_loss, x, [1], weight, reduction="sum", dtype=dtype)
    assert value == 0
    assert not gradient.any()


@WIDTHS
@DTYPES
@pytest.mark.parametrize("size", [1e4, 1e9, INF])
@pytest.mark.parametrize("target", [0, 1])
def test_gradients_of_relatives_are_finite_at_any_logit(classes, dtype, size, target) -> None:
    x = logits(classes, size, 0.0, -size)
    for function, options in (
        (EXTRA[0], {"gamma": 2.0}),
        (EXTRA[0], {"gamma": 0.0}),
        (EXTRA[0], {"gamma": 0.3}),
        (EXTRA[1], {}),
        (EXTRA[2], {}),
    ):
        value, gradient = value_and_gradient(function, x, [target], reduction="none", dtype=dtype, **options)
        assert np.isfinite(gradient).all()
        assert not np.isnan(value).any()
        if target == 0:
            assert value == 0
            assert not gradient.any()
        elif function is EXTRA[2]:
            np.testing.assert_allclose(value, 1 / 0.7, rtol=1e-6)
        else:
            assert value == pytest.approx(size, rel=2e-4)  # poly: 1 more
            assert gradient[0, :2].tolist() == [1, -1]


def test_relatives_reach_cross_entropy_and_the_absolute_error() -> None:
    x, y = minigrad.randn(6, 5).double(), [0, 4, 2, 2, 1, -100]
    expected = F.cross_entropy(x, y).item()
    assert extra.softmax_focal_loss(x, y, gamma=0.0).item() == pytest.approx(expected, rel=1e-12)
    assert extra.poly_loss(x, y, epsilon=0.0).item() == pytest.approx(expected, rel=1e-12)
    assert extra.generalized_cross_entropy(x, y, q=1e-12).item() == pytest.approx(expected, rel=1e-9)
    p = minigrad.softmax(x, 1)[minigrad.arange(5), minigrad.tensor(y[:5])]
    assert extra.generalized_cross_entropy(x, y, q=1.0).item() == pytest.approx(
        (1 - p).mean().item(), rel=1e-12
    )


# --------------------------------------------------------------------------------- what does not count
@pytest.fixture
def unhinted(monkeypatch):
    """As in a new process: the hint has not been given."""
    monkeypatch.setattr(classification, "_hinted", False)


@pytest.mark.parametrize("function", [F.cross_entropy, F.nll_loss, *EXTRA])
@pytest.mark.usefixtures("unhinted")
def test_a_mean_over_nothing_is_explained_once(function) -> None:
    x = minigrad.tensor([[0.3, NAN], [INF, -1.0]], requires_grad=True)
    with pytest.warns(UserWarning, match=r"every target is ignore_index \(-100\)") as caught:
        loss = function(x, [-100, -100])
    assert caught[0].filename == __file__
    assert math.isnan(loss.item())
    loss.backward(create_graph=True)
    assert x.grad.tolist() == [[0, 0], [0, 0]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert math.isnan(function(x, [-100, -100]).item())


@pytest.mark.usefixtures("unhinted")
def test_other_means_give_no_hint() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = minigrad.zeros(2, 3)
        F.cross_entropy(x, [-100, 1])
        assert F.cross_entropy(x, [-100, -100], reduction="sum").item() == 0
        assert math.isnan(F.cross_entropy(x[:0], minigrad.zeros(0).long()).item())


@WIDTHS
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_nothing_of_an_ignored_sample_counts(classes, smoothing) -> None:
    x = np.zeros((2, classes))
    x[1] = NAN
    value, gradient = value_and_gradient(F.cross_entropy, x, [0, -100], label_smoothing=smoothing, z_loss=0.1)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()
    assert not gradient[1].any()


def test_zero_weight_of_all_that_counts_is_nan_as_in_torch() -> None:
    x, weight = np.ones((2, 3)), minigrad.tensor([1.0, 0.0, 1.0]).double()
    value, gradient = value_and_gradient(F.cross_entropy, x, [1, 1], weight)
    assert np.isnan(value)
    assert np.isnan(gradient).all()
    assert F.cross_entropy(minigrad.tensor(x), [1, 1], weight, reduction="sum").item() == 0


# -------------------------------------------------------------------------------------- z-loss, soft cap
@WIDTHS
@pytest.mark.parametrize("softcap", [None, 2.0])
def test_z_loss_is_weighted_as_the_sample(classes, softcap) -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(0, 3, (4, classes))
    weight, y = rng.uniform(0.5, 2, classes), np.array([0, 3, -100, 1])
    capped = x if softcap is None else softcap * np.tanh(x / softcap)
    lse = np.log(np.exp(capped).sum(1))
    kept = [0, 1, 3]
    plain = F.cross_entropy(minigrad.tensor(capped), y, minigrad.tensor(weight)).item()
    options = {"z_loss": 0.3, "softcap": softcap}
    value, _ = value_and_gradient(F.cross_entropy, x, y, minigrad.tensor(weight), **options)
    expected = plain + 0.3 * np.average(lse[kept] ** 2, weights=weight[y[kept]])
    assert value == pytest.approx(expected, rel=1e-12)
    soft = minigrad.tensor(np.eye(classes)[:4])
    value, _ = value_and_gradient(F.cross_entropy, x, soft, minigrad.tensor(weight), **options)
    unweighted = F.cross_entropy(minigrad.tensor(capped), soft, minigrad.tensor(weight)).item()
    assert value == pytest.approx(unweighted + 0.3 * np.mean(lse**2), rel=1e-12)


@WIDTHS
@DTYPES
def test_soft_cap_at_large_logits(classes, dtype) -> None:
    x = [[1e9, 3.0, *[-1e9] * (classes - 2)]]
    value, gradient = value_and_gradient(F.cross_entropy, x, [1], softcap=5.0, dtype=dtype)
    capped = np.full(classes, -5.0)
    capped[:2] = 5, 5 * math.tanh(0.6)
    p = np.exp(capped) / np.exp(capped).sum()
    assert value == pytest.approx(-math.log(p[1]), rel=1e-6)
    np.testing.assert_allclose(gradient[0, 1], (p[1] - 1) / math.cosh(0.6) ** 2, rtol=1e-5)
    assert not gradient[0, 2:].any()


def test_modules_take_z_loss_and_softcap_by_name() -> None:
    criterion = nn.CrossEntropyLoss(z_loss=0.1, softcap=3.0)
    x, y = minigrad.randn(4, 3), [0, 1, 2, 0]
    assert criterion(x, y).item() == F.cross_entropy(x, y, z_loss=0.1, softcap=3.0).item()
    with pytest.raises(TypeError, match="positional"):
        nn.CrossEntropyLoss(None, None, -100, None, "mean", 0.0, 0.1)


# ------------------------------------------------------------------------------------- further gradients
def test_gradients_of_class_weights() -> None:
    """torch raises for hard labels: "not differentiable with respect to argument 'weight'"."""
    x = minigrad.randn(5, 3).double().requires_grad_()
    weight = minigrad.tensor([1.0, 0.0, 2.0], requires_grad=True, dtype=minigrad.float64)
    y = [0, 1, 2, 1, -100]
    for function in (F.cross_entropy, F.nll_loss, extra.poly_loss):
        name = {"weight": weight}
        loss = function(x, y, reduction="none", **name)
        (slope,) = grad(loss.sum(), weight)
        unweighted = function(x, y, reduction="none")
        expected = [unweighted[0], unweighted[1] + unweighted[3], unweighted[2]]
        np.testing.assert_allclose(slope.numpy(), [e.item() for e in expected], rtol=1e-12)
        assert gradcheck(lambda x, w, f=function: f(x, y, weight=w), (x, weight))
        assert gradgradcheck(lambda x, w, f=function: f(x, y, weight=w), (x, weight))
    assert gradcheck(lambda a: extra.softmax_focal_loss(x, y, a), (weight,))


def test_gradients_of_probabilities_reach_those_that_are_zero() -> None:
    x = minigrad.tensor([[1.0, 0.0, -INF, -1.0]], dtype=minigrad.float64)
    q = minigrad.tensor([[1.0, 0.0, 0.0, 0.0]], requires_grad=True, dtype=minigrad.float64)
    loss = F.cross_entropy(x, q)
    (slope,) = grad(loss, q)
    surprise = -minigrad.log_softmax(x, 1).numpy()
    surprise[0, 2] = 0  # 0 times an infinite logarithm does not count
    np.testing.assert_allclose(slope.numpy(), surprise, rtol=1e-12)
    assert np.isfinite(loss.item())


# ------------------------------------------------------------------------------------------- the targets
@pytest.mark.parametrize("function", [F.cross_entropy, F.nll_loss, *EXTRA])
def test_target_forms(function) -> None:
    x = minigrad.randn(4, 2)
    labels = [1, 0, 0, 1]
    expected = function(x, minigrad.tensor(labels)).item()
    for form in (labels, tuple(labels), np.array(labels), np.array(labels, np.int32), np.array(labels) == 1):
        assert function(x, form).item() == expected
    for kind in (minigrad.uint8, minigrad.int8, minigrad.int16, minigrad.int32, minigrad.bool):
        assert function(x, minigrad.tensor(labels, dtype=kind)).item() == expected
    with pytest.raises(RuntimeError, match="expected target dtype to be Long or Byte, but got Bool"):
        function(minigrad.randn(4, 3), np.array(labels) == 1)


def test_one_sample_forms() -> None:
    x = minigrad.tensor([0.3, 0.1, -0.2])
    expected = F.cross_entropy(x[None], [2]).item()
    assert F.cross_entropy(x, 2).item() == expected
    assert F.cross_entropy(x, [2]).item() == expected
    # (N,) logits with (N,) floats are one sample of N classes, as in torch.
    assert F.cross_entropy(x, minigrad.tensor([0.0, 0.0, 1.0])).item() == pytest.approx(expected)


def test_mixed_dtypes_of_probabilities() -> None:
    x, q = minigrad.randn(3, 4), minigrad.full((3, 4), 0.25, dtype=minigrad.float64)
    assert F.cross_entropy(x, q).dtype is minigrad.float64
    assert F.cross_entropy(x, q.float()).dtype is minigrad.float32
    assert F.cross_entropy(x, q.float()).item() == pytest.approx(F.cross_entropy(x, q).item(), rel=1e-6)


@pytest.mark.parametrize("weighted", [False, True])  # by the kernel and by the definition
@pytest.mark.parametrize("function", [F.cross_entropy, F.nll_loss, *EXTRA])
def test_targets_out_of_range_are_named_with_their_places(function, weighted) -> None:
    weight = minigrad.ones(5, requires_grad=True) if weighted else None
    options = {"alpha" if function is EXTRA[0] else "weight": weight}
    y = [[0, 7, 1], [-1, -100, 5]]
    with pytest.raises(IndexError) as caught:
        function(minigrad.zeros(2, 5, 3), y, **options)
    first, second = str(caught.value).splitlines()
    assert first == "Target 7 is out of bounds."
    assert second.startswith("target[0, 1] is 7, target[1, 0] is -1, target[1, 2] is 5, but")
    assert "from 0 to 4 for 5 classes, or ignore_index (-100)" in second
    with pytest.raises(IndexError, match=re.escape("target[4] is 9 and 3 more are out of bounds, but")):
        function(minigrad.zeros(8, 5), [9] * 8, **options)
