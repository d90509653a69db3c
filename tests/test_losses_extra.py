"""The losses torch lacks: kinks, extremes, empties, kinds of targets, and what they are special cases of."""

from __future__ import annotations

import math

import numpy as np
import pytest

import minigrad
from minigrad.autograd import grad, gradcheck, gradgradcheck
from minigrad.nn import extra
from minigrad.nn import functional as F

INF, NAN = math.inf, math.nan
SMOOTH = extra.smooth_binary_cross_entropy_with_logits


def value_and_gradient(function, x, y, by_definition=False, **options):
    """The sum of the losses and the gradients, by the kernel or by the definition."""
    leaf = minigrad.tensor(x, requires_grad=True)
    loss = function(leaf, minigrad.tensor(y), **options).sum()
    (gradient,) = grad(loss, [leaf], create_graph=by_definition)
    return loss.item(), gradient.detach().numpy()


# --------------------------------------------------------------------------------- kinks and extremes
PLAIN_FOCAL = {"alpha": None}
NO_LOSS = (0.0, 0.0)


@pytest.mark.parametrize("by_definition", [False, True], ids=["kernel", "definition"])
@pytest.mark.parametrize(
    ("function", "options", "x", "y", "expected"),
    [
        (extra.hinge_loss, {}, 1.0, 1.0, NO_LOSS),  # at the kink no gradient
        (extra.hinge_loss, {}, -1e9, 1.0, (1e9, -1.0)),
        (extra.hinge_loss, {}, INF, -1.0, (INF, 1.0)),
        (extra.hinge_loss, {}, INF, 1.0, NO_LOSS),
        (extra.squared_hinge_loss, {}, 1.0, 1.0, NO_LOSS),
        (extra.squared_hinge_loss, {}, -1e9, 1.0, (1e18, -2e9)),
        (extra.sigmoid_focal_loss, PLAIN_FOCAL, 1e9, 1.0, NO_LOSS),
        (extra.sigmoid_focal_loss, PLAIN_FOCAL, 1e9, 0.0, (1e9, 1.0)),
        (extra.sigmoid_focal_loss, PLAIN_FOCAL, -1e9, 1.0, (1e9, -1.0)),
        (extra.sigmoid_focal_loss, PLAIN_FOCAL, -1e9, 0.5, (1.25e8, -0.125)),
        (extra.sigmoid_focal_loss, PLAIN_FOCAL, INF, 1.0, NO_LOSS),
        (extra.sigmoid_focal_loss, PLAIN_FOCAL, 20.0, 1.0, (math.exp(-60), -3 * math.exp(-60))),
        (extra.sigmoid_focal_loss, {"alpha": None, "gamma": 0.5}, 1e9, 1.0, NO_LOSS),
        (extra.sigmoid_focal_loss, {"alpha": None, "gamma": 0.5}, -INF, 0.0, NO_LOSS),
        (
            extra.sigmoid_focal_loss,
            {"alpha": None, "gamma": 0.5},
            20.0,
            1.0,
            (math.exp(-30), -1.5 * math.exp(-30)),
        ),
        (extra.sigmoid_focal_loss, {"alpha": None, "gamma": 0}, 1e9, 1.0, NO_LOSS),
        (extra.sigmoid_focal_loss, {"alpha": None, "gamma": 0}, 1e9, 0.0, (1e9, 1.0)),
        (SMOOTH, {}, 1e9, 1.0, NO_LOSS),
        (SMOOTH, {}, INF, 1.0, NO_LOSS),
        (SMOOTH, {}, -INF, 0.0, NO_LOSS),
        (SMOOTH, {"label_smoothing": 0.2}, 1e9, 1.0, (1e8, 0.1)),
        (SMOOTH, {"label_smoothing": 0.2}, -1e9, 1.0, (9e8, -0.9)),
        (SMOOTH, {"reduction": "sum"}, NAN, -100.0, NO_LOSS),  # what is ignored may be anything
        (SMOOTH, {"reduction": "sum"}, INF, -100.0, NO_LOSS),
        (extra.log_cosh_loss, {}, 0.0, 0.0, NO_LOSS),
        (extra.log_cosh_loss, {}, 1e9, 0.0, (1e9, 1.0)),
        (extra.log_cosh_loss, {}, -1e9, 0.0, (1e9, -1.0)),
        (extra.log_cosh_loss, {}, INF, 0.0, (INF, 1.0)),
        (extra.log_cosh_loss, {}, 1e-6, 0.0, (5e-13, 1e-6)),
        (extra.quantile_loss, {"quantile": 0.9}, 1.0, 1.0, NO_LOSS),
        (extra.quantile_loss, {"quantile": 0.9}, 0.0, 1.0, (0.9, -0.9)),
        (extra.quantile_loss, {"quantile": 0.9}, 1.0, 0.0, (0.1, 0.1)),
        (extra.quantile_loss, {"quantile": 0.999}, 1.0, 0.0, (0.001, 0.001)),
        (extra.mape_loss, {}, 2.0, 2.0, NO_LOSS),
        (extra.mape_loss, {}, 1.0, 0.0, (1e7, 1e7)),
        (extra.mape_loss, {"eps": 0.5}, 1.0, 0.25, (1.5, 2.0)),
        (extra.msle_loss, {}, 3.0, 3.0, NO_LOSS),
        (extra.msle_loss, {}, 0.0, 1e9, (math.log1p(1e9) ** 2, -2 * math.log1p(1e9))),
        (extra.msle_loss, {}, 1.5, 1.0, (math.log(1.25) ** 2, 2 * math.log(1.25) / 2.5)),
        (extra.jensen_shannon_loss, {}, -INF, 0.0, NO_LOSS),
        (extra.jensen_shannon_loss, {}, 0.0, 0.0, (math.log(2) / 2, math.log(2) / 2)),
        (extra.jensen_shannon_loss, {}, -INF, 1.0, (math.log(2) / 2, 0.0)),
        (extra.jensen_shannon_loss, {"log_target": True}, -INF, -INF, NO_LOSS),
        (extra.jensen_shannon_loss, {"log_target": True}, -1.0, -1.0, NO_LOSS),
        (extra.jensen_shannon_loss, {"log_target": True}, -1e9, -1e4, NO_LOSS),
        (extra.multi_class_hinge_loss, {}, [2.0, 1.0], 0, (0.0, [0.0, 0.0])),
        (extra.multi_class_hinge_loss, {}, [0.0, 1.0, 1.0], 0, (2.0, [-1.0, 1.0, 0.0])),  # the first rival
        (extra.multi_class_hinge_loss, {}, [1e9, 0.0], 1, (1e9, [1.0, -1.0])),
        (extra.multi_class_hinge_loss, {}, [0.0, -INF, 0.5], 0, (1.5, [-1.0, 0.0, 1.0])),
        (extra.multi_class_hinge_loss, {}, [[3.0]], [0], (0.0, [[0.0]])),  # without rivals
        (extra.sparsemax_loss, {}, [1.0, 0.0], 0, (0.0, [0.0, 0.0])),
        (extra.sparsemax_loss, {}, [1e9, 0.0], 1, (1e9, [1.0, -1.0])),
        (extra.sparsemax_loss, {}, [0.0, -INF, 0.0], 0, (0.25, [-0.5, 0.0, 0.5])),
        (extra.fenchel_young_loss, {"regularizer": "softmax"}, [1e9, 0.0], 1, (1e9, [1.0, -1.0])),
        (extra.fenchel_young_loss, {"regularizer": "softmax"}, [0.0, -INF], [1.0, 0.0], (0.0, [0.0, 0.0])),
    ],
)
def test_kinks_and_extremes(function, options, x, y, expected, by_definition) -> None:
    value, gradient = value_and_gradient(function, x, y, by_definition, **options)
    assert value == pytest.approx(expected[0], rel=3e-6)
    assert gradient == pytest.approx(np.array(expected[1]), rel=3e-6)


def test_focal_loss_of_an_infinitely_wrong_logit() -> None:
    value, gradient = value_and_gradient(extra.sigmoid_focal_loss, [-INF], [1.0], alpha=None)
    assert (value, gradient.tolist()) == (INF, [-1.0])


@pytest.mark.parametrize(
    "function", [extra.sigmoid_focal_loss, SMOOTH, extra.log_cosh_loss, extra.hinge_loss]
)
def test_second_derivatives_are_finite_at_any_logit(function) -> None:
    options = (
        [{}] if function is not extra.sigmoid_focal_loss else [{"gamma": g} for g in (0, 0.5, 1.5, 2, 3)]
    )
    x = minigrad.tensor([s * v for v in (0.0, 1.0, 30.0, 60.0, 90.0, 1e4, 1e9) for s in (-1, 1)])
    x.requires_grad_()
    for chosen in options:
        for y in (1.0, -1.0) if function is extra.hinge_loss else (0.0, 1.0, 0.3):
            loss = function(x, minigrad.full_like(x, y), reduction="sum", **chosen)
            (first,) = grad(loss, [x], create_graph=True)
            (second,) = grad((first * first).sum() + first.sum(), [x])
            assert np.isfinite(first.detach().numpy()).all()
            assert np.isfinite(second.numpy()).all()


def test_the_hessian_has_no_hole_at_zero() -> None:
    """An absolute value in a definition would lose the second derivative where its argument is 0."""
    zero = minigrad.zeros(1, dtype=minigrad.float64, requires_grad=True)

    def curvature(loss: minigrad.Tensor) -> float:
        (first,) = grad(loss, [zero], create_graph=True)
        return grad(first, [zero])[0].item()

    half, one = minigrad.full((1,), 0.5).double(), minigrad.ones(1).double()
    assert curvature(extra.log_cosh_loss(zero, zero.detach())) == 1
    assert curvature(extra.msle_loss(zero, zero.detach())) == 2
    assert curvature(SMOOTH(zero, half)) == pytest.approx(0.25)
    assert curvature(extra.sigmoid_focal_loss(zero, one, alpha=None, gamma=1.0)) == pytest.approx(
        0.125 + (0.25)
    )
    # log q = log p = 0: beta (1 - beta) p
    assert curvature(extra.jensen_shannon_loss(zero, one, beta=0.2)) == pytest.approx(0.16)


# ------------------------------------------------------------------------------------------- accuracy
def _hard(rng, sd):
    return rng.standard_normal(4000) * sd, rng.integers(0, 2, 4000).astype(float)


def _signs(rng, sd):
    return rng.standard_normal(4000) * sd, rng.choice([-1.0, 1.0], 4000)


def _pair(rng, sd):
    return rng.standard_normal(4000) * sd, rng.standard_normal(4000) * sd


def _close(rng, sd):
    x = np.abs(rng.standard_normal(4000) * sd)
    return x, x * (1 + 1e-3 * rng.standard_normal(4000))


def _log_probabilities(rng, sd):
    logits = rng.standard_normal((2, 400, 10)) * sd
    return tuple((a - np.log(np.exp(a).sum(-1, keepdims=True))).ravel() for a in logits)


@pytest.mark.parametrize("sd", [3, 30])
@pytest.mark.parametrize(
    ("function", "options", "inputs"),
    [
        (extra.hinge_loss, {}, _signs),
        (extra.squared_hinge_loss, {}, _signs),
        (extra.sigmoid_focal_loss, {}, _hard),
        (extra.sigmoid_focal_loss, {"alpha": None, "gamma": 1.5}, _hard),
        (extra.sigmoid_focal_loss, {"alpha": None, "gamma": 0.0}, _hard),
        (SMOOTH, {}, _hard),
        (extra.log_cosh_loss, {}, _pair),
        (extra.log_cosh_loss, {}, _close),
        (extra.quantile_loss, {"quantile": 0.99}, _pair),
        (extra.mape_loss, {}, _pair),
        (extra.msle_loss, {}, _close),
        (extra.jensen_shannon_loss, {"beta": 0.25, "log_target": True}, _log_probabilities),
        (
            extra.gaussian_kl_loss,
            {},
            lambda rng, sd: (rng.standard_normal(4000), rng.standard_normal(4000) * min(sd, 20)),
        ),
    ],
)
def test_float32_keeps_its_digits(function, options, inputs, sd) -> None:
    """Each loss and gradient, however small, is within 1e-6 of that in float64."""
    arrays = [a.astype(np.float32) for a in inputs(np.random.default_rng(0), sd)]
    found, expected = (
        _each_loss_and_gradient(function, options, [a.astype(kind) for a in arrays])
        for kind in (np.float32, np.float64)
    )
    for single, double in zip(found, expected, strict=True):
        normal = np.abs(double) > 1e-37
        error = np.abs(single[normal] / double[normal] - 1)
        assert normal.any()
        assert error.max() < 1e-6


def _each_loss_and_gradient(function, options, arrays):
    x, y = (minigrad.tensor(a) for a in arrays)
    losses = function(x.requires_grad_(), y, reduction="none", **options)
    (gradient,) = grad(losses, [x], minigrad.ones_like(losses))
    return losses.detach().numpy().astype(np.float64), gradient.numpy().astype(np.float64)


def test_many_elements_are_summed_in_parallel_to_the_same_digits() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(300_001).astype(np.float32), rng.integers(0, 2, 300_001).astype(np.float32)
    y[::5] = -100
    value, gradient = value_and_gradient(SMOOTH, x, y)
    wide, expected = value_and_gradient(SMOOTH, x.astype(np.float64), y.astype(np.float64), True)
    assert value == pytest.approx(wide, rel=1e-6)
    np.testing.assert_allclose(gradient, expected, rtol=2e-6, atol=1e-15)
    y[300_000] = 1.5
    with pytest.raises(ValueError, match=r"1 of 300001 are not; the first is 1.5 at \[300000\]"):
        SMOOTH(minigrad.tensor(x), minigrad.tensor(y))


# ------------------------------------------------------------------------------------ empty and ignored
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(
    "function",
    [
        extra.hinge_loss,
        extra.squared_hinge_loss,
        extra.sigmoid_focal_loss,
        SMOOTH,
        extra.log_cosh_loss,
        extra.quantile_loss,
        extra.mape_loss,
        extra.msle_loss,
        extra.jensen_shannon_loss,
        extra.gaussian_kl_loss,
        extra.fenchel_young_loss,
        extra.sparsemax_loss,
        extra.multi_class_hinge_loss,
    ],
)
def test_empty_batch(function, reduction) -> None:
    x = minigrad.zeros((0, 3), requires_grad=True)
    classes = function is extra.multi_class_hinge_loss
    loss = function(x, minigrad.zeros(0).long() if classes else minigrad.zeros(0, 3), reduction=reduction)
    by_sample = (extra.multi_class_hinge_loss, extra.fenchel_young_loss, extra.sparsemax_loss)
    if reduction == "none":
        assert loss.shape == ((0,) if function in by_sample else (0, 3))
        return
    assert math.isnan(loss.item()) if reduction == "mean" else loss.item() == 0
    loss.backward()
    assert x.grad.shape == (0, 3)


@pytest.mark.parametrize("by_definition", [False, True])
@pytest.mark.parametrize(
    ("function", "x", "y"),
    [(SMOOTH, [0.3, NAN], [-100.0, -100.0]), (extra.multi_class_hinge_loss, [[0.3, 0.7]], [-100])],
)
def test_all_ignored_is_nan_with_a_zero_gradient(function, x, y, by_definition) -> None:
    value, gradient = value_and_gradient(function, x, y, by_definition)
    assert math.isnan(value)
    assert not gradient.any()
    value, gradient = value_and_gradient(function, x, y, by_definition, reduction="sum")
    assert value == 0
    assert not gradient.any()


# -------------------------------------------------------------------------------------------- targets
@pytest.mark.parametrize("function", [extra.hinge_loss, extra.squared_hinge_loss])
def test_signs_of_other_types(function) -> None:
    x = minigrad.tensor([0.5, -0.3, 2.0])
    expected = function(x, minigrad.tensor([1.0, -1.0, 1.0])).item()
    others = (
        [1, -1, 1],
        [True, False, True],
        np.array([1, -1, 1], np.int8),
        np.array([True, False, True]),
        minigrad.tensor([1, -1, 1]),
        minigrad.tensor([True, False, True]),
    )
    for target in others:
        assert function(x, target).item() == expected


@pytest.mark.parametrize("function", [extra.sigmoid_focal_loss, SMOOTH])
def test_zeros_and_ones_of_other_types(function) -> None:
    x = minigrad.tensor([0.5, -0.3])
    expected = function(x, minigrad.tensor([1.0, 0.0])).item()
    for target in ([1, 0], [True, False], np.array([1, 0], np.uint8), minigrad.tensor([True, False])):
        assert function(x, target).item() == expected


@pytest.mark.parametrize("function", [extra.multi_class_hinge_loss, extra.sparsemax_loss])
def test_classes_of_other_types(function) -> None:
    x = minigrad.tensor([[1.0, 2.0], [0.5, 0.1]])
    expected = function(x, minigrad.tensor([0, 1])).item()
    for target in ([0, 1], np.array([0, 1], np.uint8), minigrad.tensor([0, 1], dtype=minigrad.int16)):
        assert function(x, target).item() == expected


def test_probabilities_in_lists() -> None:
    x = minigrad.tensor([[1.0, 2.0], [0.5, 0.1]])
    lists = [[0.2, 0.8], [1.0, 0.0]]
    for function in (extra.sparsemax_loss, extra.fenchel_young_loss):
        assert function(x, lists).dtype is minigrad.float32
        assert function(x, np.array(lists)).item() == function(x, minigrad.tensor(lists)).item()
    assert extra.fenchel_young_loss(x, [[3.0, 0.0], [0.0, 0.0]], regularizer="squared").item() > 0


@pytest.mark.parametrize(
    "function",
    [
        extra.hinge_loss,
        extra.sigmoid_focal_loss,
        SMOOTH,
        extra.log_cosh_loss,
        extra.quantile_loss,
        extra.mape_loss,
        extra.msle_loss,
        extra.jensen_shannon_loss,
        extra.gaussian_kl_loss,
    ],
)
def test_mixed_float_dtypes_promote(function) -> None:
    x = minigrad.tensor([0.5, 0.25], requires_grad=True)
    wide = x.detach().double().requires_grad_()
    y = minigrad.ones(2, dtype=minigrad.float64)
    loss, expected = function(x, y), function(wide, y)
    assert loss.dtype is minigrad.float64
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    loss.backward()
    expected.backward()
    assert x.grad.dtype is minigrad.float32
    assert x.grad.tolist() == pytest.approx(wide.grad.tolist(), rel=1e-5)


@pytest.mark.parametrize(
    "function",
    [extra.log_cosh_loss, extra.quantile_loss, extra.mape_loss, extra.msle_loss, extra.jensen_shannon_loss],
)
def test_broadcast_warns_and_computes(function) -> None:
    with pytest.warns(UserWarning, match=r"target size \(torch.Size\(\[3\]\)\)"):
        loss = function(minigrad.zeros(2, 1), minigrad.ones(3), reduction="none")
    assert loss.shape == (2, 3)


def test_unfit_targets_are_named_with_their_place() -> None:
    with pytest.raises(ValueError, match=r"1 of 3 are not; the first is 0 at \[1\]. Targets 0 and 1 become"):
        extra.hinge_loss(minigrad.zeros(3), [1, 0, -1])
    with pytest.raises(
        ValueError, match=r"2 of 3 are not; the first is -1 at \[1\]. Targets 1 and -1 become"
    ):
        extra.sigmoid_focal_loss(minigrad.zeros(3), [1, -1, -1])
    with pytest.raises(ValueError, match=r"ignore_index is 255"):
        SMOOTH(minigrad.zeros(2), [1, -100], ignore_index=255)
    with pytest.raises(IndexError, match=r"target\[1\] is 7, but a target must be from 0 to 2"):
        extra.sparsemax_loss(minigrad.zeros(2, 3), [0, 7])
    with pytest.raises(IndexError, match=r"or ignore_index \(-100\)"):
        extra.multi_class_hinge_loss(minigrad.zeros(2, 3), [0, 7])
    with pytest.raises(ValueError, match=r"The smallest is 0, and the sum farthest from 1 is 2."):
        extra.sparsemax_loss(minigrad.zeros(2, 2), minigrad.tensor([[1.0, 1.0], [0.0, 1.0]]))


# ------------------------------------------------------------------------------------- special cases
def _agree(a, b, rel=1e-12) -> None:
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=rel, atol=1e-15)


def test_special_cases() -> None:
    rng = np.random.default_rng(0)
    x, z = (minigrad.tensor(a) for a in rng.standard_normal((2, 6, 5)))
    y, weight = (minigrad.tensor(a) for a in rng.uniform(0, 1, (2, 6, 5)))
    p, q = minigrad.softmax(z, 1), minigrad.log_softmax(x, 1)
    labels = minigrad.tensor(rng.integers(0, 5, 6))
    plain = F.binary_cross_entropy_with_logits(x, y, weight)
    _agree(SMOOTH(x, y, weight), plain)
    _agree(
        SMOOTH(x, y, weight, label_smoothing=1.0), F.binary_cross_entropy_with_logits(x, y * 0 + 0.5, weight)
    )
    _agree(extra.sigmoid_focal_loss(x, y, alpha=None, gamma=0.0), F.binary_cross_entropy_with_logits(x, y))
    _agree(extra.sigmoid_focal_loss(x, y, alpha=0.5) * 2, extra.sigmoid_focal_loss(x, y, alpha=-1))
    _agree(extra.quantile_loss(x, z), F.l1_loss(x, z) / 2)
    _agree(extra.fenchel_young_loss(x, labels, "softmax"), F.cross_entropy(x, labels))
    _agree(extra.fenchel_young_loss(x, p, "softmax"), F.kl_div(q, p, reduction="batchmean"))
    _agree(extra.fenchel_young_loss(x, z, "squared"), F.mse_loss(x, z) * 5 / 2)
    _agree(extra.fenchel_young_loss(x, labels), extra.sparsemax_loss(x, labels))
    one_hot = F.one_hot(labels, 5).double()
    _agree(extra.sparsemax_loss(x, one_hot), extra.sparsemax_loss(x, labels))
    swapped = extra.jensen_shannon_loss(minigrad.log(p), minigrad.exp(q), reduction="batchmean")
    _agree(extra.jensen_shannon_loss(q, p, reduction="batchmean"), swapped, 1e-10)
    near = extra.jensen_shannon_loss(q, p, beta=1e-6, reduction="batchmean") / 1e-6
    _agree(near, F.kl_div(q, p, reduction="batchmean"), 1e-4)
    two = minigrad.stack([x, minigrad.zeros_like(x)], dim=2).reshape(30, 2)
    signs = (y > 0.5).reshape(30)
    _agree(extra.multi_class_hinge_loss(two, (~signs).long()), extra.hinge_loss(x.reshape(30), signs))


def test_gaussian_divergence_of_the_prior_from_itself_is_zero() -> None:
    mean, logvar = minigrad.tensor([1.0, -3.0]), minigrad.tensor([0.5, -2.0])
    assert extra.gaussian_kl_loss(mean, logvar, mean, logvar, reduction="none").tolist() == [0.0, 0.0]
    assert extra.gaussian_kl_loss(minigrad.zeros(2), minigrad.zeros(2)).item() == 0
    tiny = extra.gaussian_kl_loss(minigrad.zeros(1), minigrad.full((1,), 1e-4))
    assert tiny.item() == pytest.approx(1e-8 / 4, rel=1e-4)


def test_gaussian_divergence_trains_a_prior() -> None:
    mean, logvar = minigrad.randn(4, 3).double(), minigrad.randn(4, 3).double()
    prior = [minigrad.randn(3).double().requires_grad_() for _ in range(2)]
    assert gradcheck(lambda *p: extra.gaussian_kl_loss(mean, logvar, *p), prior)


# ------------------------------------------------------------------------------------------ sparsemax
@pytest.mark.parametrize("dim", [0, 1, 2, -1])
@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
def test_sparsemax_is_the_nearest_point_of_the_simplex(dim, scale) -> None:
    x = np.random.default_rng(0).standard_normal((3, 4, 5)) * scale
    p = np.moveaxis(extra.sparsemax(minigrad.tensor(x), dim).numpy(), dim, -1)
    scores = np.moveaxis(x, dim, -1)
    np.testing.assert_allclose(p.sum(-1), 1, rtol=1e-12)
    assert (p >= 0).all()
    # Optimal: no score exceeds, and every class with a chance attains, the threshold x - p.
    threshold = np.where(p > 0, scores - p, -INF).max(-1, keepdims=True)
    np.testing.assert_allclose(np.where(p > 0, scores - p, threshold), np.broadcast_to(threshold, p.shape))
    assert (scores <= threshold + p + 1e-12).all()


def test_sparsemax_of_ties_masks_and_extremes() -> None:
    assert extra.sparsemax(minigrad.tensor([2.0, 2.0, 2.0, 0.0])).tolist() == pytest.approx([1 / 3] * 3 + [0])
    assert extra.sparsemax(minigrad.tensor([0.0, -INF, 0.0])).tolist() == [0.5, 0.0, 0.5]
    assert extra.sparsemax(minigrad.tensor([1e9, 0.0, -1e9])).tolist() == [1.0, 0.0, 0.0]
    assert extra.sparsemax(minigrad.tensor([[1.0, 0.0]])).tolist() == [[1.0, 0.0]]


def test_sparsemax_is_differentiable() -> None:
    x = minigrad.tensor(np.random.default_rng(1).standard_normal((4, 5)), requires_grad=True)
    assert gradcheck(extra.sparsemax, [x])
    assert gradgradcheck(lambda x: extra.sparsemax(x, 0) ** 3, [x])
    mask = minigrad.tensor([0.0, -INF, 0.4], requires_grad=True)
    (gradient,) = grad(extra.sparsemax(mask)[0], [mask])
    assert gradient.tolist() == [0.5, 0.0, -0.5]


@pytest.mark.parametrize(
    ("regularizer", "predict"),
    [
        ("softmax", lambda x: minigrad.softmax(x, 1)),
        ("sparsemax", lambda x: extra.sparsemax(x, 1)),
        ("squared", lambda x: x),
    ],
)
@pytest.mark.parametrize("create_graph", [False, True])
def test_the_gradient_of_fenchel_young_is_prediction_minus_target(regularizer, predict, create_graph) -> None:
    rng = np.random.default_rng(2)
    x = minigrad.tensor(rng.standard_normal((6, 4)) * 2, requires_grad=True)
    y = minigrad.tensor(rng.dirichlet(np.ones(4), 6))
    losses = extra.fenchel_young_loss(x, y, regularizer, reduction="none")
    cotangent = minigrad.tensor(rng.standard_normal(6))
    (gradient,) = grad(losses, [x], cotangent, create_graph=create_graph)
    _agree(gradient, cotangent.unsqueeze(1) * (predict(x) - y), 1e-9)
    own = extra.fenchel_young_loss(x, predict(x.detach()), regularizer, reduction="none")
    np.testing.assert_allclose(own.detach().numpy(), 0, atol=1e-14)
