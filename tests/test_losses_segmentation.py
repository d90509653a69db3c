"""What people rely on in the overlap losses: perfect and absent regions, known relations, kinks, extremes."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from losses_table.extra_segmentation import lovasz

import minigrad
from minigrad.nn import extra

OVERLAP = (extra.dice_loss, extra.jaccard_loss, extra.tversky_loss)
BINARY = (*OVERLAP, extra.lovasz_hinge_loss)
RNG = np.random.default_rng(3)


def leaf(values, dtype=np.float64):
    return minigrad.tensor(np.asarray(values, dtype), requires_grad=True)


def value_and_gradient(function, x, target, **options):
    x = leaf(x)
    loss = function(x, target, **options)
    loss.backward()
    return loss.item(), x.grad.numpy()


def one_hot(labels, classes):
    return np.moveaxis(np.eye(classes)[np.asarray(labels)], -1, 1)


# ------------------------------------------------------------------------------- perfect, wrong, absent
@pytest.mark.parametrize("smooth", [0.0, 1.0])
@pytest.mark.parametrize("function", OVERLAP)
def test_a_perfect_prediction_has_loss_and_gradient_zero(function, smooth) -> None:
    mask = RNG.integers(0, 2, (2, 5, 5))
    loss, gradient = value_and_gradient(function, 1e4 * (2 * mask - 1), mask, smooth=smooth)
    assert loss == 0
    assert np.all(gradient == 0)
    loss, gradient = value_and_gradient(
        function, 1e9 * one_hot(mask, 2), mask, mode="multiclass", smooth=smooth
    )
    assert loss == 0
    assert np.all(gradient == 0)


@pytest.mark.parametrize("function", OVERLAP)
def test_nothing_right_costs_one(function) -> None:
    mask = RNG.integers(0, 2, (3, 9))
    loss, gradient = value_and_gradient(function, 40.0 * (1 - 2 * mask), mask, smooth=0.0)
    assert loss == 1
    assert np.all(np.isfinite(gradient))


@pytest.mark.parametrize("function", OVERLAP)
def test_an_absent_region(function) -> None:
    """Without smooth: 0 if nothing is predicted, else 1 with no gradient; with it, a gradient."""
    nothing = np.zeros((1, 4))
    loss, gradient = value_and_gradient(function, nothing, nothing, smooth=0.0, from_logits=False)
    assert loss == 0
    assert np.all(gradient == 0)
    loss, gradient = value_and_gradient(function, nothing + 0.3, nothing, smooth=0.0, from_logits=False)
    assert loss == 1
    assert np.all(gradient == 0)
    loss, gradient = value_and_gradient(function, nothing + 0.3, nothing, smooth=1.0, from_logits=False)
    assert 0 < loss < 1
    assert np.all(gradient > 0)


@pytest.mark.parametrize("gamma", [0.5, 0.75, 2.0])
def test_a_focal_exponent_has_gradient_zero_at_zero(gamma) -> None:
    mask = np.array([[1.0, 0.0, 1.0]])
    loss, gradient = value_and_gradient(extra.tversky_loss, mask, mask, gamma=gamma, from_logits=False)
    assert loss == 0
    assert np.all(gradient == 0)


# --------------------------------------------------------------------------------------- known relations
def test_how_the_three_are_related() -> None:
    x, mask = RNG.standard_normal((4, 7)), RNG.integers(0, 2, (4, 7))
    options = {"reduction": "none", "smooth": 0.0}
    d, j = (f(leaf(x), mask, **options).detach().numpy() for f in OVERLAP[:2])
    np.testing.assert_allclose(j, 2 * d / (1 + d), rtol=1e-12)
    same = extra.tversky_loss(leaf(x), mask, **options).detach().numpy()
    np.testing.assert_allclose(same, d, rtol=1e-12)
    same = extra.tversky_loss(leaf(x), mask, alpha=1.0, beta=1.0, smooth=1.0).item()
    assert same == pytest.approx(extra.jaccard_loss(leaf(x), mask, smooth=1.0).item(), rel=1e-12)


def test_more_beta_pushes_towards_finding_more() -> None:
    x, mask = RNG.standard_normal((2, 6)), RNG.integers(0, 2, (2, 6))
    _, careful = value_and_gradient(extra.tversky_loss, x, mask, alpha=0.9, beta=0.1)
    _, eager = value_and_gradient(extra.tversky_loss, x, mask, alpha=0.1, beta=0.9)
    assert eager.sum() < careful.sum()


@pytest.mark.parametrize("function", OVERLAP)
def test_class_indices_one_hot_rows_and_softmax_agree(function) -> None:
    x, labels = RNG.standard_normal((2, 3, 2, 4)), RNG.integers(0, 3, (2, 2, 4))
    options = {"mode": "multiclass", "reduction": "none"}
    expected = function(leaf(x), labels, **options).detach().numpy()
    assert expected.shape == (2, 3)
    rows = function(leaf(x), one_hot(labels, 3), **options).detach().numpy()
    np.testing.assert_array_equal(rows, expected)
    p = minigrad.softmax(leaf(x), 1)
    of_probabilities = function(p, labels, from_logits=False, **options).detach().numpy()
    np.testing.assert_allclose(of_probabilities, expected, rtol=1e-12)
    short = function(leaf(x), minigrad.tensor(labels).int(), **options).detach().numpy()
    np.testing.assert_array_equal(short, expected)


@pytest.mark.parametrize("function", OVERLAP)
def test_labels_are_binary_masks_of_their_own(function) -> None:
    x, masks = RNG.standard_normal((2, 3, 5)), RNG.integers(0, 2, (2, 3, 5))
    found = function(leaf(x), masks, mode="multilabel", reduction="none").detach().numpy()
    for c in range(3):
        expected = function(leaf(x[:, c]), masks[:, c], reduction="none").detach().numpy()
        np.testing.assert_allclose(found[:, c], expected, rtol=1e-12)


@pytest.mark.parametrize("function", BINARY)
def test_a_batch_of_one_is_its_image(function) -> None:
    x, mask = RNG.standard_normal((1, 3, 4)), RNG.integers(0, 2, (1, 3, 4))
    image = function(leaf(x), mask, reduction="none")
    batch = function(leaf(x), mask, reduction="none", per_image=False)
    assert image.shape == (1,)
    assert batch.shape == ()
    assert image.item() == pytest.approx(batch.item(), rel=1e-12)


def test_shapes_without_reduction() -> None:
    x, labels = leaf(RNG.standard_normal((2, 3, 4, 5))), RNG.integers(0, 3, (2, 4, 5))
    options = {"mode": "multiclass", "reduction": "none"}
    assert extra.dice_loss(x, labels, **options).shape == (2, 3)
    assert extra.dice_loss(x, labels, per_image=False, **options).shape == (3,)
    assert extra.lovasz_softmax_loss(x, labels, reduction="none").shape == (2,)
    assert extra.lovasz_softmax_loss(x, labels, reduction="none", per_image=False).shape == ()


@pytest.mark.parametrize("function", BINARY)
@pytest.mark.parametrize("per_image", [True, False])
def test_the_order_of_pixels_does_not_matter(function, per_image) -> None:
    x, mask = RNG.standard_normal((3, 8)), RNG.integers(0, 2, (3, 8))
    order = RNG.permutation(8)
    loss, gradient = value_and_gradient(function, x, mask, per_image=per_image)
    again, permuted = value_and_gradient(function, x[:, order], mask[:, order], per_image=per_image)
    assert again == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(permuted, gradient[:, order], rtol=1e-10)


@pytest.mark.parametrize("function", BINARY)
@pytest.mark.parametrize("per_image", [True, False])
def test_ignored_pixels_are_as_if_left_out(function, per_image) -> None:
    x, mask = RNG.standard_normal((2, 6)), RNG.integers(0, 2, (2, 6))
    mask[:, 4:] = 255
    loss, gradient = value_and_gradient(function, x, mask, ignore_index=255, per_image=per_image)
    expected, kept = value_and_gradient(function, x[:, :4], mask[:, :4], per_image=per_image)
    assert loss == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(gradient[:, :4], kept, rtol=1e-10)
    assert np.all(gradient[:, 4:] == 0)


def test_an_image_of_ignored_pixels_counts_nothing() -> None:
    x, void = RNG.standard_normal((1, 3, 4)), np.full((1, 4), 255)
    for classes in ("present", "all"):
        options = {"classes": classes, "ignore_index": 255}
        loss, gradient = value_and_gradient(extra.lovasz_softmax_loss, x, void, **options)
        assert loss == 0
        assert np.all(gradient == 0)
    loss, gradient = value_and_gradient(extra.lovasz_hinge_loss, x[:, 0], void, ignore_index=255)
    assert loss == 0
    assert np.all(gradient == 0)


# ---------------------------------------------------------------------------------------------- Lovász
@pytest.mark.parametrize("mask", list(itertools.product((0, 1), repeat=4)))
def test_lovasz_of_decisions_is_the_jaccard_loss(mask) -> None:
    """At every vertex, where each error is 0 or 1, the extension is 1 - intersection / union."""
    truth = {i for i in range(4) if mask[i]}
    for decisions in itertools.product((0, 1), repeat=4):
        predicted = {i for i in range(4) if decisions[i]}
        union = truth | predicted
        expected = 1 - len(truth & predicted) / len(union) if union else 0.0
        errors = np.array(mask) != np.array(decisions)
        logits = np.where(errors, 0.0, 1.0) * (2 * np.array(mask) - 1)  # hinge errors 1 and 0
        loss = extra.lovasz_hinge_loss(leaf([logits]), [mask]).item()
        assert loss == pytest.approx(expected, abs=1e-15)
        both = np.stack([1 - np.array(decisions), np.array(decisions)])[None]
        options = {"from_logits": False, "classes": "all", "reduction": "none"}
        pair = extra.lovasz_softmax_loss(leaf(both), np.array([mask]), **options).item()
        other = {0, 1, 2, 3} - truth, {0, 1, 2, 3} - predicted
        joined = other[0] | other[1]
        background = 1 - len(other[0] & other[1]) / len(joined) if joined else 0.0
        assert pair == pytest.approx((expected + background) / 2, abs=1e-15)


def test_lovasz_is_convex_and_homogeneous_in_the_errors() -> None:
    mask = {1, 3}
    a, b = RNG.uniform(0, 2, 5), RNG.uniform(0, 2, 5)
    middle = lovasz(list((a + b) / 2), mask)
    assert middle <= (lovasz(list(a), mask) + lovasz(list(b), mask)) / 2 + 1e-15
    x = RNG.uniform(0, 0.5, (1, 5))
    truth = np.isin(np.arange(5), list(mask)).astype(float)[None]
    errors = np.abs(truth - x)
    options = {"from_logits": False, "classes": "present"}
    loss = extra.lovasz_softmax_loss(leaf(np.stack([0 * x, x], 1)), truth.astype(int), **options).item()
    background = lovasz([1.0 if t == 0 else 0.0 for t in truth[0]], {0, 2, 4})
    assert loss == pytest.approx((lovasz(list(errors[0]), mask) + background) / 2)


def test_equal_errors_are_taken_in_order() -> None:
    loss, gradient = value_and_gradient(extra.lovasz_hinge_loss, [[0.0, 0.0, 0.0]], [[1, 0, 0]])
    assert loss == 1.0
    assert gradient.tolist() == [[-1.0, 0.0, 0.0]]


def test_the_hinge_is_flat_where_it_is_zero() -> None:
    loss, gradient = value_and_gradient(extra.lovasz_hinge_loss, [[1.0, -1.0]], [[1, 0]])
    assert loss == 0
    assert gradient.tolist() == [[0.0, 0.0]]


def test_lovasz_keeps_its_digits_in_a_large_image() -> None:
    """Differences of cumulated float32 losses would leave one digit of a step of 1e-6."""
    pixels = 200_000
    errors = np.linspace(0.1, 1.9, pixels)[None]  # far enough apart to keep their order in float32
    mask = (np.arange(pixels) % 3 == 0).astype(int)[None]
    x = ((1 - errors) * (2 * mask - 1)).astype(np.float32)
    _, expected = value_and_gradient(extra.lovasz_hinge_loss, x, mask)
    assert np.count_nonzero(expected) > 0.99 * pixels
    single = leaf(x, np.float32)
    extra.lovasz_hinge_loss(single, mask).backward()
    np.testing.assert_allclose(single.grad.numpy(), expected, rtol=1e-6)


# ------------------------------------------------------------------------------------ digits and extremes
def exact_dice(x, mask) -> float:
    tp = sum(1 / (1 + math.exp(-a)) for a, t in zip(x, mask, strict=True) if t)
    wrong = sum(1 / (1 + math.exp(a if t else -a)) for a, t in zip(x, mask, strict=True))
    return wrong / (2 * tp + wrong)


def test_confident_pixels_keep_their_digits() -> None:
    """In float32 1 - p would be 0 at a logit of 20, and p (1 - p) the gradient of nothing."""
    x, mask = np.array([[20.0, -20.0, 25.0]]), np.array([[1, 0, 1]])
    single = leaf(x, np.float32)
    loss = extra.dice_loss(single, mask, smooth=0.0)
    assert loss.item() == pytest.approx(exact_dice(x[0], mask[0]), rel=1e-6)
    loss.backward()
    _, expected = value_and_gradient(extra.dice_loss, x, mask, smooth=0.0)
    assert np.all(expected != 0)
    np.testing.assert_allclose(single.grad.numpy(), expected, rtol=1e-6)
    pair = np.stack([-x, x], 1) / 2
    double = leaf(pair, np.float32)
    extra.dice_loss(double, mask, mode="multiclass", smooth=0.0).backward()
    _, expected = value_and_gradient(extra.dice_loss, pair, mask, mode="multiclass", smooth=0.0)
    assert np.all(expected != 0)
    np.testing.assert_allclose(double.grad.numpy(), expected, rtol=2e-6)


@pytest.mark.parametrize("function", BINARY)
@pytest.mark.parametrize("logit", [0.0, 1e4, -1e4, 1e9])
def test_extreme_logits_are_finite(function, logit) -> None:
    loss, gradient = value_and_gradient(function, [[logit, -logit, 0.5]], [[1, 0, 1]])
    assert math.isfinite(loss)
    assert np.all(np.isfinite(gradient))


@pytest.mark.parametrize("function", OVERLAP)
def test_infinite_logits_are_certain(function) -> None:
    x = [[math.inf, -math.inf, math.inf, -math.inf]]
    loss, gradient = value_and_gradient(function, x, [[1, 0, 0, 1]], smooth=0.0)
    assert loss == pytest.approx(2 / 3 if function is extra.jaccard_loss else 1 / 2)
    assert np.all(gradient == 0)


def test_a_logit_of_zero_has_a_gradient() -> None:
    """Where the two stable forms of the sigmoid meet."""
    _, gradient = value_and_gradient(extra.dice_loss, [[0.0, 0.0]], [[1, 0]], smooth=0.0)
    np.testing.assert_allclose(gradient, [[-0.1875, 0.0625]])


@pytest.mark.parametrize("function", BINARY)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_empty_batches(function, reduction) -> None:
    x = leaf(np.zeros((0, 4)))
    loss = function(x, np.zeros((0, 4)), reduction=reduction)
    assert loss.shape == ((0,) if reduction == "none" else ())
    if reduction != "none":
        assert math.isnan(loss.item()) if reduction == "mean" else loss.item() == 0
        loss.backward()
        assert x.grad.shape == (0, 4)


@pytest.mark.parametrize("function", BINARY)
def test_images_without_pixels(function) -> None:
    loss = function(leaf(np.zeros((2, 0))), np.zeros((2, 0)), reduction="none")
    assert loss.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("function", BINARY)
def test_targets_of_other_types(function) -> None:
    x, mask = leaf(RNG.standard_normal((2, 3))), [[1, 0, 1], [0, 0, 1]]
    expected = function(x, minigrad.tensor(mask, dtype=minigrad.float64)).item()
    array = np.array(mask)
    for target in (mask, array, array.astype(bool), array.astype(np.uint8), minigrad.tensor(array > 0)):
        assert function(x, target).item() == expected


def test_errors_say_what_to_type() -> None:
    x = minigrad.zeros(2, 3, 4)
    with pytest.raises(ValueError, match="mode='multiclass'"):
        extra.dice_loss(x, np.zeros((2, 4), int))
    with pytest.raises(ValueError, match=r"target.unsqueeze\(1\)"):
        extra.dice_loss(x[:, :1], np.zeros((2, 4)))
    with pytest.raises(RuntimeError, match="from_logits=True"):
        extra.dice_loss(x - 1, x, from_logits=False)
    with pytest.raises(RuntimeError, match=r"1 of 4 are not; the first is 255 at \[0, 1\].*ignore_index"):
        extra.dice_loss(minigrad.zeros(1, 4), [[0, 255, 1, 0]])
    with pytest.raises(ValueError, match=r"target.argmax\(1\)"):
        extra.lovasz_softmax_loss(x, x)
    with pytest.raises(IndexError, match=r"target\[1, 2\] is 5, .* from 0 to 2 .* ignore_index \(255\)"):
        extra.lovasz_softmax_loss(x, [[0, 0, 0, 0], [0, 0, 5, 0]], ignore_index=255)


def test_options_are_checked_when_a_module_is_made() -> None:
    with pytest.raises(ValueError, match="binarry is not a valid value for mode"):
        extra.DiceLoss(mode="binarry")
    with pytest.raises(ValueError, match="gamma must be greater than 0"):
        extra.TverskyLoss(gamma=-1.0)
    with pytest.raises(ValueError, match="some is not a valid value for classes"):
        extra.LovaszSoftmaxLoss(classes="some")
