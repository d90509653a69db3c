"""CTC: its meaning, the two gradients, what torch lets pass, extremes, accuracy against exact numbers."""

from __future__ import annotations

import decimal
import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from losses_table.sequence import enumerated, sequences

import minigrad
from minigrad.autograd import grad
from minigrad.autograd.fused import FusedNode
from minigrad.nn import functional as F


def _log_softmax(x: np.ndarray) -> np.ndarray:
    shifted = x - x.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def _ctc(log_probs, *args, cotangent=None, **options) -> tuple[np.ndarray, np.ndarray]:
    """The loss and the gradient."""
    leaf = minigrad.tensor(log_probs, requires_grad=True)
    loss = F.ctc_loss(leaf, *args, **options)
    loss.backward(minigrad.ones_like(loss) if cotangent is None else cotangent)
    return loss.detach().numpy(), leaf.grad.numpy()


def _by_definition(log_probs, *args, **options) -> tuple[np.ndarray, np.ndarray]:
    leaf = minigrad.tensor(log_probs, requires_grad=True)
    loss = F.ctc_loss.definition(*F.ctc_loss.check(*F.ctc_loss._bind((leaf, *args), options)))
    (gradient,) = grad(loss, [leaf], minigrad.ones_like(loss))
    return loss.detach().numpy(), gradient.numpy()


def _arguments(seed: int = 0, frames: tuple[int, ...] = (4, 5, 3)) -> list[np.ndarray]:
    return list(sequences(frames=frames)(np.random.default_rng(seed)))


# ------------------------------------------------------------------------------------------ the meaning
@given(st.data())
def test_loss_is_the_sum_over_all_alignments(data) -> None:
    frames, samples, classes = (data.draw(st.integers(1, n)) for n in (4, 3, 4))
    blank = data.draw(st.integers(0, classes - 1))
    labels = [c for c in range(classes) if c != blank]
    longest = data.draw(st.integers(0, 3)) if labels else 0
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    x = rng.standard_normal((frames, samples, classes)) * 2
    targets = rng.choice(labels, (samples, longest)) if longest else np.zeros((samples, 0), int)
    lengths = rng.integers(0, longest + 1, samples)
    rows = rng.integers(0, frames + 1, samples)
    reduction = data.draw(st.sampled_from(["mean", "sum", "none"]))
    options = {"blank": blank, "reduction": reduction, "zero_infinity": data.draw(st.booleans())}
    expected = enumerated(x, targets, rows, lengths, **options)
    found, gradient = _ctc(x, targets, rows, lengths, exact=True, **options)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)
    value, slopes = _by_definition(x, targets, rows, lengths, exact=True, **options)
    np.testing.assert_allclose(value, expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-10, atol=1e-12)


def test_posteriors_of_a_frame_sum_to_one() -> None:
    logits, *rest = _arguments()
    _, gradient = _ctc(logits, *rest, reduction="none", exact=True)
    sums = -gradient.sum(-1)
    np.testing.assert_allclose(sums, np.arange(5)[:, None] < np.array([4, 5, 3]), rtol=1e-12, atol=0)


@pytest.mark.parametrize("targets", [[[1, 2], [3, 3]], [1, 2, 3, 3]], ids=["padded", "concatenated"])
@pytest.mark.parametrize("kind", [np.int64, np.int32, np.int16, np.uint8, np.float32, np.float64, list])
@pytest.mark.parametrize("lengths", [list, tuple, np.array, minigrad.tensor])
def test_forms_of_targets_and_lengths(targets, kind, lengths) -> None:
    x = _log_softmax(np.random.default_rng(0).standard_normal((5, 2, 4)))
    expected = F.ctc_loss(minigrad.tensor(x), minigrad.tensor([[1, 2], [3, 3]]), (5, 4), (2, 2))
    given_ = targets if kind is list else minigrad.tensor(np.array(targets, kind))
    found = F.ctc_loss(minigrad.tensor(x), given_, lengths([5, 4]), lengths([2, 2]))
    assert found == expected


def test_one_sample_takes_integers_and_a_row_for_targets() -> None:
    x = minigrad.tensor(_log_softmax(np.random.default_rng(0).standard_normal((5, 4))))
    expected = F.ctc_loss(x.unsqueeze(1), [[1, 2]], [5], [2], reduction="none")
    for targets, frames, lengths in (
        ([1, 2], 5, 2),
        ([[1, 2]], (5,), (2,)),
        ([1, 2], minigrad.tensor(5), [2]),
    ):
        found = F.ctc_loss(x, targets, frames, lengths, reduction="none")
        assert found.shape == ()
        assert found == expected[0]


def test_bool_targets_are_labels() -> None:
    x = minigrad.zeros(4, 1, 2).log_softmax(-1)
    assert F.ctc_loss(x, minigrad.tensor([[True]]), [4], [1]) == F.ctc_loss(x, [[1]], [4], [1])


def test_padding_is_not_looked_at() -> None:
    x = minigrad.tensor(_log_softmax(np.random.default_rng(0).standard_normal((5, 2, 4))))
    expected = F.ctc_loss(x, [[1, 2], [3, 1]], [5, 5], [2, 1])
    for padding in (0, -1, 99, -100):
        assert F.ctc_loss(x, [[1, 2, padding], [3, padding, padding]], [5, 5], [2, 1]) == expected
    assert F.ctc_loss(x, minigrad.tensor([[1.0, 2.0], [3.0, math.nan]]), [5, 5], [2, 1]) == expected


def test_targets_changed_after_the_call_change_nothing() -> None:
    x = minigrad.tensor(_log_softmax(np.random.default_rng(0).standard_normal((5, 1, 4))), requires_grad=True)
    targets = minigrad.tensor([[1, 2]])
    (expected,) = grad(F.ctc_loss(x, targets, [5], [2]), [x], create_graph=True)
    loss = F.ctc_loss(x, targets, [5], [2])
    targets.zero_()
    (found,) = grad(loss, [x], create_graph=True)
    assert minigrad.equal(found, expected)


def test_frames_first_or_permuted_is_the_same() -> None:
    x = _log_softmax(np.random.default_rng(0).standard_normal((2, 5, 4)))
    leaf = minigrad.tensor(x, requires_grad=True)
    loss = F.ctc_loss(leaf.transpose(0, 1), [[1, 2], [3, 3]], (5, 4), (2, 2))
    loss.backward()
    value, gradient = _ctc(x.transpose(1, 0, 2).copy(), [[1, 2], [3, 3]], (5, 4), (2, 2))
    assert loss.item() == value
    np.testing.assert_array_equal(leaf.grad.numpy(), gradient.transpose(1, 0, 2))


# --------------------------------------------------------------------------------------- the two gradients
@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("kernel", [True, False])
def test_default_gradient_is_torchs_on_raw_log_probabilities(normalised, reduction, kernel, torch) -> None:
    x, *rest = _arguments()
    x = _log_softmax(x) if normalised else x
    leaf = torch.tensor(x, requires_grad=True)
    theirs = torch.nn.functional.ctc_loss(leaf, *map(torch.tensor, rest), reduction=reduction)
    theirs.backward(torch.ones_like(theirs))
    value, gradient = (_ctc if kernel else _by_definition)(x, *rest, reduction=reduction)
    np.testing.assert_allclose(value, theirs.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(gradient, leaf.grad.numpy(), rtol=1e-10, atol=1e-14)


def test_the_gradients_differ_by_the_probabilities() -> None:
    x, *rest = _arguments()
    _, folded = _ctc(x, *rest, reduction="sum")
    _, derivative = _ctc(x, *rest, reduction="sum", exact=True)
    counted = np.arange(5)[:, None, None] < np.array([4, 5, 3])[:, None]
    np.testing.assert_allclose(folded, np.where(counted, np.exp(x), 0) + derivative, rtol=1e-12, atol=1e-14)


def test_through_log_softmax_both_gradients_are_one() -> None:
    logits, *rest = _arguments()
    found = []
    for exact in (False, True):
        leaf = minigrad.tensor(logits, requires_grad=True)
        F.ctc_loss(F.log_softmax(leaf, -1), *rest, exact=exact).backward()
        found.append(leaf.grad.numpy())
    np.testing.assert_allclose(*found, rtol=1e-12, atol=1e-14)


def test_second_derivatives_of_both_agree_through_log_softmax() -> None:
    logits, *rest = _arguments()
    found = []
    for exact in (False, True):
        leaf = minigrad.tensor(logits, requires_grad=True)
        loss = F.ctc_loss(F.log_softmax(leaf, -1), *rest, exact=exact)
        (first,) = grad(loss, [leaf], create_graph=True)
        found.append(grad((first * first).sum(), [leaf])[0].numpy())
    assert np.abs(found[0]).max() > 1e-3
    np.testing.assert_allclose(*found, rtol=1e-9, atol=1e-12)


# ------------------------------------------------------------------------------- what torch lets pass
_LP = minigrad.zeros(6, 2, 5)


@pytest.mark.parametrize(
    ("targets", "lengths", "error", "first", "place"),
    [
        ([[1, 2], [3, 5]], (2, 2), IndexError, "Target 5 is out of bounds.", "targets[1, 1] is 5"),
        ([[1, -2], [3, 4]], (2, 2), IndexError, "Target -2 is out of bounds.", "targets[0, 1] is -2"),
        ([1, 2, 7], (1, 2), IndexError, "Target 7 is out of bounds.", "targets[2] is 7"),
        ([[1, 0], [3, 4]], (2, 2), ValueError, "Target 0 is the blank.", "targets[0, 1] is 0"),
        ([1, 2, 0], (1, 2), ValueError, "Target 0 is the blank.", "targets[2] is 0"),
        ([[1.0], [1.5]], (1, 1), ValueError, "Target 1.5 is not an integer.", "targets[1, 0] is 1.5"),
        ([[math.nan], [1.5]], (1, 1), IndexError, "Target nan is out of bounds.", "targets[0, 0] is nan"),
    ],
)  # fmt: skip
def test_labels_that_are_none_are_named_with_their_place(targets, lengths, error, first, place) -> None:
    with pytest.raises(error) as caught:
        F.ctc_loss(_LP, targets, (6, 6), lengths)
    assert str(caught.value).splitlines()[0] == first
    assert place in str(caught.value)


def test_errors_say_what_to_type() -> None:
    with pytest.raises(RuntimeError, match=r"log_probs.transpose\(0, 1\)"):
        F.ctc_loss(minigrad.zeros(2, 6, 5), [[1], [2]], (6, 6), (1, 1))
    with pytest.raises(RuntimeError, match=r"input_lengths\[1\] is 7"):
        F.ctc_loss(_LP, [[1], [2]], (6, 7), (1, 1))
    with pytest.raises(ValueError, match=r"blank=C - 1"):
        F.ctc_loss(_LP, [[0], [2]], (6, 6), (1, 1))


# ------------------------------------------------------------------------------------------ the extremes
@pytest.mark.parametrize("run", [_ctc, _by_definition])
@pytest.mark.parametrize("exact", [False, True])
def test_no_alignment_is_an_infinite_loss_without_gradient(run, exact) -> None:
    x, *rest = _arguments(frames=(4, 2, 3))  # the second sample's two equal labels need three frames
    possible, expected = run(x, *_arguments()[1:], reduction="none", exact=exact)
    value, gradient = run(x, *rest, reduction="none", exact=exact)
    assert value[1] == math.inf
    assert (gradient[:, 1] == 0).all()
    np.testing.assert_array_equal(value[[0, 2]], possible[[0, 2]])
    np.testing.assert_array_equal(gradient[:, [0, 2]], expected[:, [0, 2]])
    assert run(x, *rest, exact=exact)[0] == math.inf
    value, same = run(x, *rest, reduction="none", exact=exact, zero_infinity=True)
    assert value[1] == 0
    np.testing.assert_array_equal(same, gradient)


def test_no_alignment_under_create_graph() -> None:
    x, *rest = _arguments(frames=(4, 2, 3))
    leaf = minigrad.tensor(x, requires_grad=True)
    loss = F.ctc_loss(F.log_softmax(leaf, -1), *rest, reduction="sum")
    (first,) = grad(loss, [leaf], create_graph=True)
    (second,) = grad((first * first).sum(), [leaf])
    assert np.isfinite(second.numpy()).all()
    assert (second.numpy()[:, 1] == 0).all()
    assert np.abs(second.numpy()[:, 0]).max() > 1e-3


@pytest.mark.parametrize("run", [_ctc, _by_definition])
def test_classes_that_cannot_be_have_no_gradient_and_spoil_none(run) -> None:
    x, *rest = _arguments()
    x = _log_softmax(x)
    x[:, :, 3] = -math.inf  # a class no target holds: torch's gradient there is nan
    value, gradient = run(x, *rest, reduction="none")
    low = x.copy()
    low[:, :, 3] = -1e5
    expected = run(low, *rest, reduction="none")
    np.testing.assert_allclose(value, expected[0], rtol=1e-12)
    np.testing.assert_allclose(gradient, expected[1], rtol=1e-12, atol=0)
    assert (gradient[:, :, 3] == 0).all()
    x[:, :, 2] = -math.inf  # a label of the first two
    value, gradient = run(x, *rest, reduction="none")
    assert value.tolist()[:2] == [math.inf, math.inf]
    assert (gradient[:, :2] == 0).all()
    assert np.isfinite(value[2])


@pytest.mark.parametrize("run", [_ctc, _by_definition])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_nan_and_infinity_stay_in_their_sample(run, bad) -> None:
    x, *rest = _arguments()
    x[1, 0, 1] = bad
    value, gradient = run(x, *rest, reduction="none")
    if math.isnan(bad):
        assert math.isnan(value[0])
    assert not np.isfinite(value[0])
    assert np.isfinite(value[1:]).all()
    assert np.isfinite(gradient[:, 1:]).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e4, 1e9])
def test_huge_logits(dtype, scale) -> None:
    """The best alignment alone counts: each frame costs what its class lacks to the best one."""
    x = np.zeros((3, 1, 3), dtype)
    x[:, 0, 0] = scale
    x[1, 0, 2] = scale / 2
    value, gradient = _ctc(_log_softmax(x), [[2]], [3], [1], reduction="sum", exact=True)
    assert value == scale / 2
    assert gradient[:, 0].tolist() == [[-1, 0, 0], [0, 0, -1], [-1, 0, 0]]
    leaf = minigrad.tensor(x, requires_grad=True)
    F.ctc_loss(F.log_softmax(leaf, -1), [[2]], [3], [1], reduction="sum").backward()
    assert leaf.grad.numpy()[:, 0].tolist() == [[0, 0, 0], [1, 0, -1], [0, 0, 0]]


@pytest.mark.parametrize(
    ("frames", "length", "expected"),
    [(1, 0, 1), (1, 1, 1), (0, 0, 0), (0, 1, math.inf), (1, 2, math.inf)],
)
def test_shortest_sequences(frames, length, expected) -> None:
    x = minigrad.full((1, 1, 4), -1.0, requires_grad=True)
    loss = F.ctc_loss(x, [[1, 2]], [frames], [length], reduction="sum", exact=True)
    loss.backward()
    assert loss.item() == expected
    assert x.grad.sum().item() == (-1 if expected == 1 else 0)


def test_no_targets_at_all() -> None:
    x = minigrad.tensor(_log_softmax(np.random.default_rng(0).standard_normal((4, 2, 3))))
    for targets in (minigrad.zeros(2, 0).long(), minigrad.zeros(0).long(), []):
        loss = F.ctc_loss(x, targets, (4, 3), (0, 0), reduction="none")
        expected = [-x[:4, 0, 0].sum().item(), -x[:3, 1, 0].sum().item()]
        assert loss.tolist() == pytest.approx(expected, rel=1e-12)
        mean = F.ctc_loss(x, targets, (4, 3), (0, 0))  # divides by 1, not by 0
        assert mean.item() == pytest.approx(sum(expected) / 2, rel=1e-12)


def test_a_zero_cotangent_gives_a_zero_gradient() -> None:
    x, *rest = _arguments(frames=(4, 2, 3))
    _, gradient = _ctc(x, *rest, cotangent=minigrad.tensor([0.0, 0.0, 1.0]), reduction="none")
    assert (gradient[:, :2] == 0).all()
    assert (gradient[:3, 2] != 0).any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_gradient_wanted_and_many_threads_change_no_bit(dtype) -> None:
    rng = np.random.default_rng(0)
    x = _log_softmax(rng.standard_normal((40, 6, 7)) * 3).astype(dtype)
    targets, lengths = rng.integers(1, 7, (6, 20)), np.array([20, 9, 0, 8, 13, 1])
    frames = np.array([40, 40, 33, 7, 25, 5])
    before = minigrad.get_num_threads()
    found = []
    try:
        for threads in (1, 2):
            minigrad.set_num_threads(threads)
            found.append(_ctc(x, targets, frames, lengths, reduction="none"))
            alone = F.ctc_loss(minigrad.tensor(x), targets, frames, lengths, reduction="none").numpy()
            np.testing.assert_array_equal(alone, found[-1][0])
    finally:
        minigrad.set_num_threads(before)
    for first, second in zip(*found, strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_kernel_runs() -> None:
    leaf = minigrad.zeros(4, 1, 3, requires_grad=True)
    assert isinstance(F.ctc_loss(leaf, [[1]], [4], [1]).grad_fn, FusedNode)


# ------------------------------------------------------------------------------------------- the accuracy
def _exact(log_probs: np.ndarray, labels: list[int]) -> tuple[Decimal, np.ndarray]:
    """The loss and the posteriors (T, C) in decimal numbers of 60 digits, by the recursions without logs."""
    p = np.vectorize(lambda x: Decimal(float(x)).exp(), otypes=[object])(log_probs)
    states = np.zeros(2 * len(labels) + 1, int)
    states[1::2] = labels
    skip = np.array([s % 2 and s > 2 and states[s] != states[s - 2] for s in range(states.size)])

    def forward(p: np.ndarray, skip: np.ndarray, states: np.ndarray) -> np.ndarray:
        alpha, rows = np.array([Decimal(1)] + [Decimal(0)] * (states.size - 1)), []
        for row in p:
            before = np.concatenate([[Decimal(0)] * 2, alpha])
            alpha = row[states] * (alpha + before[1:-1] + np.where(skip, before[:-2], Decimal(0)))
            rows.append(alpha)
        return np.array(rows)

    alpha = forward(p, skip, states)
    turned = np.concatenate([[False, False], skip[:1:-1]])  # skips between the same two labels, backwards
    beta = forward(p[::-1], turned, states[::-1])[::-1, ::-1]
    total = sum(alpha[-1][-2:], Decimal(0))
    posterior = np.full(p.shape, Decimal(0))
    for t in range(len(p)):
        for s, label in enumerate(states):
            posterior[t, label] += alpha[t, s] * beta[t, s] / p[t, label] / total
    return -total.ln(), posterior


@pytest.mark.parametrize(("sd", "lift"), [(3, 0), (30, 0), (3, 25), (3, 40)])
def test_six_digits_in_float32(sd, lift) -> None:
    """Of random logits, and of confident ones, where the frames of an alignment are lifted."""
    rng = np.random.default_rng(5)
    frames, labels = 200, rng.integers(1, 30, 20).tolist()
    logits = rng.standard_normal((frames, 30)) * sd
    path = np.zeros(frames, int)
    path[5:200:10] = labels
    logits[np.arange(frames), path] += lift
    x = F.log_softmax(minigrad.tensor(logits.astype(np.float32)), -1).numpy()
    with decimal.localcontext(decimal.Context(prec=60, Emin=-(10**9), Emax=10**9)):
        loss, posterior = _exact(x, labels)
        value, gradient = _ctc(x, labels, frames, 20, reduction="sum", exact=True)
        assert abs(Decimal(float(value)) / loss - 1) < Decimal("1e-7")
        for found, exact in zip(gradient.ravel(), posterior.ravel(), strict=True):
            assert abs(Decimal(float(found)) + exact) <= exact * Decimal("1.2e-7") + Decimal("1e-37")
        _, gradient = _ctc(x, labels, frames, 20, reduction="sum")
        for found, exact, log_p in zip(gradient.ravel(), posterior.ravel(), x.ravel(), strict=True):
            expected = Decimal(float(log_p)).exp() - exact
            # Where both are equal to nine digits or more, the difference keeps fewer than six.
            slack = min(exact, 1 - exact) * Decimal("1e-14") + Decimal("1e-37")
            assert abs(Decimal(float(found)) - expected) <= abs(expected) * Decimal("1e-6") + slack
