"""What people rely on in the losses of embeddings: known relations, degenerate batches, kinks, training."""

from __future__ import annotations

import math

import numpy as np
import pytest

import minigrad
from minigrad import nn
from minigrad.autograd import grad, gradcheck, gradgradcheck
from minigrad.nn import extra
from minigrad.nn import functional as F
from minigrad.nn.extra.similarity import cosines, normalized

RNG = np.random.default_rng(7)
LABELED = (extra.sup_con_loss, extra.circle_loss, extra.multi_similarity_loss)


def leaf(values, dtype=np.float64):
    return minigrad.tensor(np.asarray(values, dtype), requires_grad=True)


def embeddings(*shape):
    return leaf(RNG.standard_normal(shape))


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


# --------------------------------------------------------------------------------------- known relations
def test_info_nce_is_cross_entropy_of_scaled_cosines() -> None:
    q, k = embeddings(5, 3), embeddings(5, 3)
    logits = minigrad.tensor(unit(q.detach().numpy()) @ unit(k.detach().numpy()).T / 0.2)
    expected = F.cross_entropy(logits, np.arange(5), reduction="none")
    found = extra.info_nce_loss(q, k, temperature=0.2, reduction="none")
    np.testing.assert_allclose(found.detach().numpy(), expected.numpy(), rtol=1e-12)


def test_shared_negatives_are_the_same_negatives_for_each() -> None:
    q, k, negatives = embeddings(3, 4), embeddings(3, 4), embeddings(5, 4)
    shared = extra.info_nce_loss(q, k, negatives, reduction="none")
    own = extra.info_nce_loss(q, k, negatives.expand(3, 5, 4), reduction="none")
    np.testing.assert_allclose(shared.detach().numpy(), own.detach().numpy(), rtol=1e-12)
    others = extra.info_nce_loss(q[:1], k[:1], k[1:], reduction="none")  # the batch's own negatives, by hand
    batch = extra.info_nce_loss(q, k, reduction="none")
    assert others.item() == pytest.approx(batch[0].item(), rel=1e-12)


def test_nt_xent_is_symmetric() -> None:
    a, b = embeddings(4, 3), embeddings(4, 3)
    first, second = (extra.nt_xent_loss(*views, reduction="none") for views in ((a, b), (b, a)))
    np.testing.assert_allclose(first.detach().numpy(), np.roll(second.detach().numpy(), 4), rtol=1e-12)
    ga, gb = grad(first.mean(), [a, b])
    hb, ha = grad(second.mean(), [b, a])
    np.testing.assert_allclose(ga.numpy(), ha.numpy(), rtol=1e-10)
    np.testing.assert_allclose(gb.numpy(), hb.numpy(), rtol=1e-10)


def test_sup_con_of_two_views_each_is_nt_xent() -> None:
    a, b = embeddings(4, 3), embeddings(4, 3)
    expected = extra.nt_xent_loss(a, b, temperature=0.3, reduction="none")
    labels = [0, 1, 2, 3, 0, 1, 2, 3]
    found = extra.sup_con_loss(minigrad.cat([a, b]), labels, temperature=0.3, reduction="none")
    np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=1e-12)


@pytest.mark.parametrize("function", [extra.arc_face_loss, extra.cos_face_loss])
def test_without_margin_they_are_the_normalised_softmax(function) -> None:
    cosine, y = leaf(RNG.uniform(-1, 1, (5, 4))), RNG.integers(0, 4, 5)
    found = function(cosine, y, margin=0.0, scale=10.0)
    expected = F.cross_entropy(10 * cosine, y)
    assert found.item() == pytest.approx(expected.item(), rel=1e-12)
    np.testing.assert_allclose(
        grad(found, cosine)[0].numpy(), grad(expected, cosine)[0].numpy(), rtol=1e-10, atol=1e-14
    )


def test_contrastive_loss_is_half_the_square_of_hinge_embeddings() -> None:
    a, b, y = embeddings(6, 3), embeddings(6, 3), np.array([1, 0, 1, 0, 0, 1])
    d = minigrad.norm(a - b, dim=1)
    hinge = F.hinge_embedding_loss(d, minigrad.tensor(2.0 * y - 1).double(), margin=3.0, reduction="none")
    found = extra.contrastive_loss(a, b, y, margin=3.0, reduction="none")
    np.testing.assert_allclose(found.detach().numpy(), 0.5 * hinge.detach().numpy() ** 2, rtol=1e-12)


@pytest.mark.parametrize("function", LABELED)
def test_the_order_of_samples_does_not_matter(function) -> None:
    x, y = RNG.standard_normal((7, 3)), np.array([0, 1, 0, 2, 1, 0, 2])
    order = RNG.permutation(7)
    a, b = leaf(x), leaf(x[order])
    first, second = function(a, y), function(b, y[order])
    assert first.item() == pytest.approx(second.item(), rel=1e-12)
    np.testing.assert_allclose(grad(second, b)[0].numpy(), grad(first, a)[0].numpy()[order], atol=1e-10)
    renamed = function(leaf(x), np.array([5, -3, 900])[y])
    assert renamed.item() == first.item()


@pytest.mark.parametrize("function", LABELED)
def test_the_length_of_an_embedding_does_not_matter(function) -> None:
    x, y = RNG.standard_normal((6, 3)), [0, 1, 0, 1, 2, 2]
    a = leaf(x)
    loss = function(a, y)
    scaled = function(leaf(x * RNG.uniform(0.1, 10, (6, 1))), y)
    assert scaled.item() == pytest.approx(loss.item(), rel=1e-9)
    (g,) = grad(loss, a)
    np.testing.assert_allclose((g.numpy() * x).sum(1), 0, atol=1e-10)  # at a right angle to each


# ------------------------------------------------------------------------------------ degenerate batches
@pytest.mark.parametrize("function", LABELED)
@pytest.mark.parametrize("labels", [[0], [0, 1, 2]])
def test_without_positives_nothing_is_pulled(function, labels) -> None:
    """A batch of one, and one of strangers, whose negatives only multi-similarity counts by themselves."""
    x = embeddings(len(labels), 3)
    loss = function(x, labels)
    if function is extra.multi_similarity_loss and len(labels) > 1:
        assert loss.item() > 0
    else:
        assert loss.item() == 0
    (g,) = grad(loss, x)
    assert np.all(np.isfinite(g.numpy()))
    assert np.all(g.numpy() == 0) or function is extra.multi_similarity_loss
    assert function(x, labels, reduction="none").shape == (len(labels),)


@pytest.mark.parametrize("function", LABELED)
def test_of_one_class_only(function) -> None:
    x = embeddings(4, 3)
    loss = function(x, [1, 1, 1, 1])
    assert (loss.item() == 0) == (function is extra.circle_loss)  # which needs both kinds of pairs
    assert np.all(np.isfinite(grad(loss, x)[0].numpy()))


def test_samples_without_positives_do_not_count_in_the_mean() -> None:
    x = embeddings(5, 3)
    labels = [0, 0, 1, 2, 3]
    for function in (extra.sup_con_loss, extra.circle_loss):
        each = function(x, labels, reduction="none").detach().numpy()
        assert np.all(each[2:] == 0)
        assert np.all(each[:2] > 0)
        assert function(x, labels).item() == pytest.approx(each[:2].mean(), rel=1e-12)


def test_a_batch_of_one_pair() -> None:
    a, b = embeddings(1, 3), embeddings(1, 3)
    for loss in (extra.nt_xent_loss(a, b), extra.info_nce_loss(a, b)):
        assert loss.item() == 0
        assert all(np.all(g.numpy() == 0) for g in grad(loss, [a, b]))
    assert extra.info_nce_loss(a, b, minigrad.zeros(0, 3).double()).item() == 0


@pytest.mark.parametrize("function", LABELED)
@pytest.mark.parametrize("reduction", ["sum", "none"])
def test_empty_batches_of_labels(function, reduction) -> None:
    loss = function(leaf(np.zeros((0, 3))), [], reduction=reduction)
    assert loss.tolist() == ([] if reduction == "none" else 0.0)


@pytest.mark.parametrize("function", [extra.nt_xent_loss, extra.info_nce_loss])
def test_empty_batches_of_pairs(function) -> None:
    x = leaf(np.zeros((0, 3)))
    assert function(x, x, reduction="sum").item() == 0
    assert math.isnan(function(x, x).item())


def degenerate():
    """Batches with a vector of zeros, with identical vectors, with opposite ones, with tiny and huge ones."""
    x = RNG.standard_normal((4, 3))
    zero, same, opposite, sizes = (
        x.copy(),
        x.copy(),
        x.copy(),
        x * np.array([1e-30, 1e30, 1e-12, 1e12])[:, None],
    )
    zero[0] = 0
    same[:] = same[0]
    opposite[2:] = -opposite[:2]
    return [zero, same, opposite, sizes]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("batch", range(4))
def test_degenerate_vectors_have_finite_gradients(batch, dtype) -> None:
    x = leaf(degenerate()[batch], dtype)
    losses = [function(x, [0, 0, 1, 1]) for function in LABELED]
    losses += [function(x[:2], x[2:]) for function in (extra.nt_xent_loss, extra.info_nce_loss)]
    criterion = extra.ArcFaceLoss(3, 2, dtype=x.dtype)
    losses.append(criterion(x, [0, 1, 0, 1]))
    nowhere = np.all(x.detach().numpy() == 0, axis=1)
    for loss in losses:
        assert math.isfinite(loss.item())
        (g,) = grad(loss, x, retain_graph=True)
        assert np.all(np.isfinite(g.numpy()))
        assert np.all(g.numpy()[nowhere] == 0)


def test_a_vector_of_zeros_has_no_direction() -> None:
    x = leaf([[0.0, 0.0], [3.0, 4.0]])
    y = normalized(x)
    np.testing.assert_allclose(y.detach().numpy(), [[0.0, 0.0], [0.6, 0.8]])
    (g,) = grad(y, x, minigrad.ones(2, 2).double(), create_graph=True)
    assert g[0].tolist() == [0.0, 0.0]
    assert np.all(np.isfinite(grad(g.sum(), x)[0].numpy()))
    assert cosines(x, x)[0].tolist() == [0.0, 0.0]


def test_the_kinks_of_the_contrastive_loss() -> None:
    a, b = leaf([[1.0, 2.0], [0.0, 0.0]]), leaf([[1.0, 2.0], [3.0, 4.0]])
    loss = extra.contrastive_loss(a, b, [0, 0], margin=5.0, reduction="none")
    assert loss.tolist() == [12.5, 0.0]
    assert grad(loss.sum(), a)[0].tolist() == [[0.0, 0.0], [0.0, 0.0]]


# --------------------------------------------------------------------------------------------- ArcFace
def test_arc_face_at_its_angles() -> None:
    """cos(θ + m) within π - m, then cos θ - m sin m; at θ = 0 and π the slope is finite."""
    m = 0.5
    for theta in (0.0, 0.4, math.pi - m - 1e-6, math.pi - m + 1e-6, math.pi):
        cosine = leaf([[math.cos(theta), 0.2]])
        loss = extra.arc_face_loss(cosine, [0], margin=m, scale=4.0)
        turned = math.cos(theta + m) if theta + m < math.pi else math.cos(theta) - m * math.sin(m)
        assert loss.item() == pytest.approx(math.log1p(math.exp(4 * (0.2 - turned))), rel=1e-9)
        assert np.all(np.isfinite(grad(loss, cosine)[0].numpy()))


def test_rounded_cosines_are_accepted_and_logits_are_not() -> None:
    loss = extra.arc_face_loss(minigrad.tensor([[1.0000001, -1.0000001]]), [0])
    assert math.isfinite(loss.item())
    with pytest.raises(RuntimeError, match=r"1 of 2 are not; the first is 3.5 at \[0, 0\].*normalised"):
        extra.arc_face_loss(minigrad.tensor([[3.5, -0.5]]), [0])


@pytest.mark.parametrize(
    ("kind", "options", "function"),
    [
        (extra.ArcFaceLoss, {"margin": 0.3, "scale": 8.0, "easy_margin": True}, extra.arc_face_loss),
        (extra.ArcFaceLoss, {"reduction": "none"}, extra.arc_face_loss),
        (extra.CosFaceLoss, {"margin": 0.3, "scale": 8.0, "reduction": "sum"}, extra.cos_face_loss),
    ],
)
def test_the_modules_are_the_functions_of_their_cosines(kind, options, function) -> None:
    criterion = kind(3, 4, dtype=minigrad.float64, **options)
    assert set(criterion.state_dict()) == {"weight"}
    assert criterion.weight.shape == (4, 3)
    x, y = embeddings(5, 3), [0, 1, 2, 3, 0]
    cosine = minigrad.tensor(unit(x.detach().numpy()) @ unit(criterion.weight.detach().numpy()).T)
    np.testing.assert_allclose(
        criterion(x, y).detach().numpy(), function(cosine, y, **options).numpy(), rtol=1e-12
    )
    inputs = x, criterion.weight.detach().requires_grad_()

    def loss(x, weight):
        return function(cosines(x, weight), y, **options)

    assert gradcheck(loss, inputs)
    assert gradgradcheck(loss, inputs)
    single = kind(3, 4, **options)(minigrad.randn(5, 3), y)
    assert single.dtype is minigrad.float32


def test_arc_face_separates_classes_and_trains_its_vectors() -> None:
    minigrad.manual_seed(0)
    angles = np.repeat([0.0, 2.0, 4.0], 8) + RNG.uniform(-0.6, 0.6, 24)
    x = minigrad.tensor(np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32))
    y = np.repeat([0, 1, 2], 8)
    criterion = extra.ArcFaceLoss(2, 3, margin=0.2, scale=16.0)
    optimizer = minigrad.optim.SGD(criterion.parameters(), lr=0.1)
    first = criterion(x, y).item()
    for _ in range(60):
        optimizer.zero_grad()
        loss = criterion(x, y)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.2 * first
    assert criterion.cosines(x).argmax(1).tolist() == y.tolist()


# ---------------------------------------------------------------------------------------- circle and pairs
def test_the_circle_losss_gradient_is_the_papers() -> None:
    """With detached weights dL/dsₙ = Z softmax(n) γ αₙ and dL/dsₚ = -Z softmax(p) γ αₚ, Z = 1 - exp(-L)."""
    m, gamma = 0.25, 4.0
    angles = np.array([0.0, 0.5, 1.1, 1.3])
    x = leaf(np.stack([np.cos(angles), np.sin(angles)], 1))
    loss = extra.circle_loss(x, [0, 0, 0, 1], m=m, gamma=gamma, reduction="none")[0]
    sp, sn = np.cos(angles[1:3]), np.cos(angles[3:])
    ap, an = 1 + m - sp, sn + m
    ep, en = np.exp(-gamma * ap * (sp - 1 + m)), np.exp(gamma * an * (sn - m))
    assert loss.item() == pytest.approx(math.log1p(ep.sum() * en.sum()), rel=1e-12)
    z = -math.expm1(-loss.item())
    slopes = np.concatenate([-z * ep / ep.sum() * gamma * ap, z * en / en.sum() * gamma * an])
    (g,) = grad(loss, x)
    along = np.stack([-np.sin(angles), np.cos(angles)], 1)  # turning sample j by dφ changes its s by -sin dφ
    np.testing.assert_allclose((g.numpy() * along).sum(1)[1:], -np.sin(angles[1:]) * slopes, rtol=1e-10)


def test_detached_weights_keep_the_value() -> None:
    x, y = embeddings(5, 3), [0, 1, 0, 1, 1]
    constant, moving = (extra.circle_loss(x, y, gamma=5.0, detach_weights=d) for d in (True, False))
    assert constant.item() == moving.item()
    a, b = (grad(loss, x)[0].numpy() for loss in (constant, moving))
    assert np.abs(a - b).max() > 1e-3


def test_mining_keeps_the_hard_pairs() -> None:
    """Sample 0 has positives at 0.95 and 0.2 and negatives at 0.5 and -0.5: the outer two are easy."""
    s = np.array([1.0, 0.95, 0.2, 0.5, -0.5])
    x = np.stack([s, np.sqrt(1 - s**2)], 1)
    labels = [0, 0, 0, 1, 1]
    found = extra.multi_similarity_loss(leaf(x), labels, epsilon=0.1, reduction="none")[0].item()
    pull = math.log1p(math.exp(-2 * (0.2 - 0.5))) / 2
    push = math.log1p(math.exp(50 * (0.5 - 0.5))) / 50
    assert found == pytest.approx(pull + push, rel=1e-9)


def test_extreme_scales_are_finite_and_keep_their_digits() -> None:
    x, y = leaf(RNG.standard_normal((6, 3)), np.float32), [0, 1, 0, 1, 2, 2]
    for loss in (
        extra.circle_loss(x, y, gamma=1e4),
        extra.multi_similarity_loss(x, y, alpha=1e4, beta=1e4),
        extra.sup_con_loss(x, y, temperature=1e-4),
        extra.nt_xent_loss(x[:3], x[3:], temperature=1e-4),
    ):
        assert math.isfinite(loss.item())
        assert np.all(np.isfinite(grad(loss, x, retain_graph=True)[0].numpy()))
    pair = leaf([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [-1.0, 0.0]], np.float32)
    loss = extra.nt_xent_loss(pair[::2], pair[1::2], temperature=0.1)
    assert loss.item() == pytest.approx(math.log1p(2 * math.exp(-20)), rel=1e-6)
    loss = extra.multi_similarity_loss(pair, [0, 0, 1, 1], reduction="none", alpha=50.0, beta=50.0)
    tiny = (math.log1p(math.exp(-25)) + math.log1p(2 * math.exp(-75))) / 50
    assert loss[0].item() == pytest.approx(tiny, rel=1e-6)


def test_labels_of_other_types() -> None:
    x = embeddings(4, 3)
    expected = extra.sup_con_loss(x, minigrad.tensor([0, 1, 0, 1])).item()
    for labels in ([0, 1, 0, 1], np.array([0, 1, 0, 1], np.uint8), np.array([False, True, False, True])):
        assert extra.sup_con_loss(x, labels).item() == expected


def test_embeddings_train_under_each_loss() -> None:
    """A few steps of gradient descent bring the classes together: similar pairs above dissimilar ones."""
    y = np.array([0, 0, 0, 1, 1, 1])
    for function in LABELED:
        x = leaf(np.random.default_rng(1).standard_normal((6, 4)))
        optimizer = minigrad.optim.Adam([x], lr=0.05)
        for _ in range(80):
            optimizer.zero_grad()
            function(x, y).backward()
            optimizer.step()
        s = cosines(x, x).detach().numpy()
        same = y[:, None] == y[None]
        assert s[same].min() > s[~same].max()


def test_errors_say_what_to_type() -> None:
    with pytest.raises(ValueError, match=r"input.flatten\(1\)"):
        extra.sup_con_loss(minigrad.zeros(2, 3, 4), [0, 1])
    with pytest.raises(RuntimeError, match=r"target.long\(\)"):
        extra.circle_loss(minigrad.zeros(2, 3), minigrad.zeros(2))
    with pytest.raises(RuntimeError, match="not -1"):
        extra.contrastive_loss(minigrad.zeros(2, 3), minigrad.zeros(2, 3), [1, -1])
    with pytest.raises(IndexError, match=r"target\[1\] is 4, but a target must be from 0 to 3"):
        extra.cos_face_loss(minigrad.zeros(2, 4), [0, 4])


def test_options_are_checked_when_a_module_is_made() -> None:
    with pytest.raises(ValueError, match="temperature must be greater than 0"):
        extra.NTXentLoss(temperature=0.0)
    with pytest.raises(ValueError, match="epsilon must be 0 or more"):
        extra.MultiSimilarityLoss(epsilon=-1.0)
    with pytest.raises(TypeError, match="negative_keys"):
        extra.InfoNCELoss(negative_keys=minigrad.zeros(1, 2))
    assert isinstance(extra.CosFaceLoss(2, 3), nn.Module)
