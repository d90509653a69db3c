"""The margin losses: kinks and extremes, targets, messages; where torch differs."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

import minigrad
from minigrad import nn
from minigrad.autograd import grad
from minigrad.autograd.fused import FusedNode
from minigrad.kernels import jit
from minigrad.kernels import losses as kernels
from minigrad.nn import functional as F

INF, NAN = math.inf, math.nan


def run(function, *arrays, wrt=(0,), dtype=minigrad.float64, kernel=True, **options):
    """The value and the gradients, by the kernel and by the definition, which must agree."""
    found = []
    for by_kernel in (True, False):
        tensors = [minigrad.tensor(a) for a in arrays]
        tensors = [t.to(dtype) if t.is_floating_point() else t for t in tensors]
        for place in wrt:
            tensors[place].requires_grad_()
        if by_kernel:
            loss = function(*tensors, **options)
            assert isinstance(loss.grad_fn, FusedNode) == kernel
        else:
            loss = function.definition(*function.check(*function._bind(tensors, options)))
        leaves = [tensors[i] for i in wrt]
        found.append([loss.tolist(), *(g.tolist() for g in grad(loss.sum(), leaves))])
    for mine, defined in zip(*found, strict=True):
        np.testing.assert_allclose(mine, defined, rtol=1e-12)
    return found[0]


# ------------------------------------------------------------------------------------- kinks, extremes
ROW = [[1.0, 0.0, -1.0]]  # a gap of 0 to the second class, of -1 to the third


@pytest.mark.parametrize(
    ("function", "arrays", "options", "expected"),
    [
        # The gradient passes through a gap of exactly zero where torch clamps ...
        (F.hinge_embedding_loss, ([1.0], [-1.0]), {}, (0.0, [-1.0])),
        (F.hinge_embedding_loss, ([0.25], [0.5]), {}, (1.0, [0.0])),  # any other y counts both parts
        (F.margin_ranking_loss, ([2.0], [2.0], [1.0]), {"wrt": (0, 1)}, (0.0, [-1.0], [1.0])),
        (F.margin_ranking_loss, ([2.0], [1.0], [1.0]), {"margin": 1.0}, (0.0, [-1.0])),
        (F.margin_ranking_loss, ([2.0], [1.0], [1.0]), {"margin": 0.5}, (0.0, [0.0])),
        (F.margin_ranking_loss, ([2.0], [1.0], [0.0]), {"margin": 0.5}, (0.5, [0.0])),
        (
            F.triplet_margin_loss,
            ([[0.0]], [[1.0]], [[2.0]]),
            {"eps": 0.0, "wrt": (0, 1, 2)},
            (0.0, [[0.0]], [[1.0]], [[-1.0]]),
        ),
        # ... and stops where it does not.
        (F.multi_margin_loss, (ROW, [0]), {}, (0.0, [[0.0, 0.0, 0.0]])),
        (F.multi_margin_loss, (ROW, [0]), {"p": 2}, (0.0, [[0.0, 0.0, 0.0]])),
        (F.multi_margin_loss, (ROW, [1]), {"p": 2, "reduction": "sum"}, (4 / 3, [[4 / 3, -4 / 3, 0.0]])),
        (F.multi_margin_loss, (ROW, [0]), {"margin": -1.0}, (0.0, [[0.0, 0.0, 0.0]])),
        (F.multilabel_margin_loss, (ROW, [[0, -1, -1]]), {}, (0.0, [[0.0, 0.0, 0.0]])),
        # Labels after the first -1 count nothing, those listed twice count twice, and without any all is 0.
        (F.multilabel_margin_loss, ([[0.0, 0.0]], [[0, -1]]), {}, (0.5, [[-0.5, 0.5]])),
        (F.multilabel_margin_loss, ([[0.0, 0.0]], [[0, 0]]), {}, (1.0, [[-1.0, 1.0]])),
        (F.multilabel_margin_loss, ([[0.0, 0.0]], [[-1, 0]]), {}, (0.0, [[0.0, 0.0]])),
        (F.multilabel_margin_loss, ([[0.0, 0.0]], [[1, 0]]), {}, (0.0, [[0.0, 0.0]])),
        # One class is always right, also as a scalar.
        (F.multi_margin_loss, ([[3.0]], [0]), {}, (0.0, [[0.0]])),
        (F.multi_margin_loss, (3.0, 0), {}, (0.0, 0.0)),
        (F.multilabel_margin_loss, (3.0, 0), {}, (0.0, 0.0)),
        # A tie of the two distances shares the gradient.
        (
            F.triplet_margin_loss,
            ([[0.0]], [[1.0]], [[0.5]]),
            {"eps": 0.0, "swap": True, "margin": 3.0, "wrt": (0, 1, 2)},
            (3.5, [[-0.5]], [[0.5]], [[0.0]]),
        ),
        # Distances of 0 have gradient 0, unless eps moves them away.
        (F.triplet_margin_loss, ([[1.0]],) * 3, {"eps": 0.0, "wrt": (1, 2)}, (1.0, [[0.0]], [[0.0]])),
        (F.triplet_margin_loss, ([[1.0]],) * 3, {"wrt": (1, 2)}, (1.0, [[-1.0]], [[1.0]])),
        (F.cosine_embedding_loss, ([[0.0, 0.0]], [[3.0, 4.0]], [-1.0]), {}, (0.0, [[6e5, 8e5]])),
        (F.cosine_embedding_loss, ([[1.0, 0.0]], [[3.0, 4.0]], [0.5]), {}, (0.0, [[0.0, 0.0]])),
    ],
)  # fmt: skip
def test_kinks_and_conventions(function, arrays, options, expected) -> None:
    found = run(function, *arrays, **options)
    for got, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("dtype", [minigrad.float32, minigrad.float64])
@pytest.mark.parametrize(
    ("x", "y", "loss", "slope"),
    [
        (1e9, -1.0, 1e9, 1.0),
        (1e9, 1.0, 0.0, 0.0),
        (-1e9, 1.0, 1e9, -1.0),
        (200.0, -1.0, 200.0, 1.0),
        (40.0, 1.0, math.exp(-40), -math.exp(-40)),
        (-40.0, -1.0, math.exp(-40), math.exp(-40)),
        (INF, 1.0, 0.0, 0.0),
        (INF, -1.0, INF, 1.0),
        (-INF, 1.0, INF, -1.0),
        (3.0, 0.0, math.log(2), 0.0),
    ],
)
def test_soft_margin_at_any_score(x, y, loss, slope, dtype) -> None:
    leaf = minigrad.tensor([x], dtype=dtype, requires_grad=True)
    value = F.soft_margin_loss(leaf, minigrad.tensor([y], dtype=dtype))
    (plain,) = grad(value, leaf, retain_graph=True)
    (recorded,) = grad(value, leaf, create_graph=True)
    assert value.item() == pytest.approx(loss, rel=1e-6)
    assert plain.item() == pytest.approx(slope, rel=1e-6)
    assert recorded.item() == pytest.approx(slope, rel=1e-6)


def test_infinite_logits_of_several_labels() -> None:
    found = run(
        F.multilabel_soft_margin_loss, [[INF, -INF], [INF, 0.0]], [[1.0, 0.0], [0.0, 1.0]], reduction="none"
    )
    assert found[0] == [0.0, INF]
    assert found[1] == [[0.0, 0.0], [0.5, -0.25]]


def test_nan_counts_nothing_between_classes_and_shows_elsewhere() -> None:
    """As in torch: a comparison with nan is false."""
    rows = [[NAN, 0.0, 1.0], [0.0, NAN, 1.0], [INF, 0.0, 1.0], [-INF, 0.0, -INF]]
    losses, slopes = run(F.multi_margin_loss, rows, [0, 0, 0, 0], reduction="none")
    assert losses == [0.0, pytest.approx(2 / 3), 0.0, INF]
    assert slopes[0] == [0.0, 0.0, 0.0]
    assert run(F.multilabel_margin_loss, [[0.0, NAN, 0.0]], [[0, -1, -1]])[0] == pytest.approx(1 / 3)
    x, y = minigrad.tensor([[NAN, 1.0]]), minigrad.ones(1)
    for loss in (
        F.soft_margin_loss(x[0], x[0]),
        F.margin_ranking_loss(x, x, x),
        F.hinge_embedding_loss(x[0], minigrad.tensor([-1.0, 1.0])),
        F.multilabel_soft_margin_loss(x, x),
        F.triplet_margin_loss(x, x, x),
        F.cosine_embedding_loss(x, x, y),
    ):
        assert math.isnan(loss.item())


# --------------------------------------------------------------------------------------------- empties
NOTHING, NO_LABELS = np.zeros((0, 3)), np.zeros((0, 3), np.int64)
EMPTY = [
    (F.hinge_embedding_loss, (NOTHING, NOTHING), (0, 3)),
    (F.soft_margin_loss, (NOTHING, NOTHING), (0, 3)),
    (F.margin_ranking_loss, (NOTHING, NOTHING, NOTHING), (0, 3)),
    (F.multi_margin_loss, (NOTHING, NO_LABELS[:, 0]), (0,)),
    (F.multilabel_margin_loss, (NOTHING, NO_LABELS), (0,)),
    (F.multilabel_soft_margin_loss, (NOTHING, NOTHING), (0,)),
    (F.triplet_margin_loss, (NOTHING, NOTHING, NOTHING), (0,)),
    (F.triplet_margin_with_distance_loss, (NOTHING, NOTHING, NOTHING), (0,)),
    (F.cosine_embedding_loss, (NOTHING, NOTHING, NOTHING[:, 0]), (0,)),
]


@pytest.mark.parametrize(("function", "arrays", "shape"), EMPTY, ids=[f.__name__ for f, *_ in EMPTY])
def test_empty_batch(function, arrays, shape) -> None:
    """torch gives what was in memory for the losses between classes; here as everywhere nan, 0, nothing."""
    assert math.isnan(run(function, *arrays)[0])
    assert run(function, *arrays, reduction="sum") == [0.0, []]
    tensors = [minigrad.tensor(a) for a in arrays]
    assert function(*tensors, reduction="none").shape == shape
    assert (
        function.definition(*function.check(*function._bind(tensors, {"reduction": "none"}))).shape == shape
    )


def test_no_class_and_no_dimension() -> None:
    x = minigrad.zeros(3, 0, requires_grad=True)
    losses = F.multilabel_soft_margin_loss(x, minigrad.zeros(3, 0), reduction="none")
    np.testing.assert_equal(losses.tolist(), [NAN] * 3)
    assert F.triplet_margin_loss(x, x, x, reduction="none").tolist() == [1.0] * 3
    assert F.cosine_embedding_loss(x, x, minigrad.ones(3), reduction="none").tolist() == [1.0] * 3


# ---------------------------------------------------------------------------- targets, dtypes, layouts
def test_signs_of_any_type() -> None:
    x = minigrad.tensor([0.5, -2.0, 3.0])
    for function in (F.soft_margin_loss, F.hinge_embedding_loss):
        expected = function(x, minigrad.tensor([1.0, -1.0, 1.0])).item()
        for target in (
            [1, -1, 1],
            np.array([1, -1, 1], np.int8),
            minigrad.tensor([1, -1, 1]),
            minigrad.tensor([1.0, -1.0, 1.0], dtype=minigrad.float64),
        ):
            loss = function(x, target)
            assert loss.item() == expected
            assert loss.dtype is minigrad.float32  # that of the input, as in torch
        assert function(x, minigrad.tensor([True, True, True])) == function(x, minigrad.ones(3))
    assert F.margin_ranking_loss(x, x + 1, [1, -1, 1]).item() == pytest.approx(2 / 3)
    assert F.cosine_embedding_loss(x[None], -x[None], [1]).item() == pytest.approx(2.0)


@pytest.mark.parametrize(
    "kind", [minigrad.int64, minigrad.int32, minigrad.int16, minigrad.int8, minigrad.uint8]
)
def test_class_indices_of_any_integer_type(kind) -> None:
    x = minigrad.tensor([[0.1, 0.2, 0.4], [1.0, 0.0, 0.5]])
    assert F.multi_margin_loss(x, minigrad.tensor([2, 0], dtype=kind)) == F.multi_margin_loss(x, [2, 0])
    labels = [[2, 0, 1], [1, 1, 0]]
    found = F.multilabel_margin_loss(x, minigrad.tensor(labels, dtype=kind))
    assert found == F.multilabel_margin_loss(x, np.array(labels))


def test_float_dtypes_promote() -> None:
    x, double = minigrad.ones(2, 3), minigrad.zeros(2, 3, dtype=minigrad.float64)
    assert F.margin_ranking_loss(x, double, x).dtype is minigrad.float64
    assert F.triplet_margin_loss(x, double, x).dtype is minigrad.float64
    assert F.multilabel_soft_margin_loss(x, double).dtype is minigrad.float64
    assert F.multilabel_soft_margin_loss(x, x, weight=double[0]).dtype is minigrad.float64
    assert F.cosine_embedding_loss(x, double, minigrad.ones(2)).dtype is minigrad.float64
    assert F.cosine_embedding_loss(x, x, minigrad.ones(2).double()).dtype is minigrad.float32
    assert F.cosine_similarity(x, double).dtype is minigrad.float64


@pytest.mark.parametrize(
    "function", [F.hinge_embedding_loss, F.soft_margin_loss, F.multilabel_soft_margin_loss]
)
def test_broadcasting_targets_warn(function) -> None:
    with pytest.warns(UserWarning, match=r"target size \(torch.Size\(\[3\]\)\)"):
        loss = function(minigrad.zeros(4, 3), minigrad.ones(3), reduction="none")
    assert loss.shape == ((4,) if function is F.multilabel_soft_margin_loss else (4, 3))


def test_results_do_not_depend_on_threads(monkeypatch) -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(700, 300)).astype(np.float32)
    y, labels = rng.integers(0, 300, 700), np.full((700, 300), -1)
    labels[:, :2] = rng.integers(0, 300, (700, 2))
    calls = [
        lambda: kernels.soft_margin(x, np.sign(x), reduction="mean", grad=True),
        lambda: kernels.margin_ranking(x, x[::-1].copy(), np.sign(x), 0.1, reduction="mean", grad=True),
        lambda: kernels.multi_margin(x, y, 2, reduction="mean", grad=True),
        lambda: kernels.multilabel_margin(x, labels, reduction="mean", grad=True),
        lambda: kernels.triplet_margin(x, x[::-1].copy(), x * 2, 5.0, reduction="mean", grad=True),
    ]
    many = [call() for call in calls]
    monkeypatch.setattr(jit, "_threads", 1)
    for (value, gradient), call in zip(many, calls, strict=True):
        assert value != 0
        again = call()
        assert again[0] == value
        np.testing.assert_array_equal(again[1], gradient)


def test_kernels_decline_what_they_do_not_do() -> None:
    single, double = np.zeros((3, 4), np.float32), np.zeros((3, 4))
    whole, labels = np.zeros((3, 4), np.int64), np.zeros(3, np.int64)
    options = {"reduction": "none", "grad": True}
    for found in (
        kernels.soft_margin(single, double, **options),
        kernels.soft_margin(whole, whole, **options),
        kernels.margin_ranking(single, single[0], single, **options),
        kernels.margin_ranking(single, double, single, **options),
        kernels.margin_ranking(single, single, single[0], **options),
        kernels.multi_margin(whole, labels, **options),
        kernels.multi_margin(single, labels.astype(np.int32), **options),
        kernels.multi_margin(single, labels, weight=double[0], **options),
        kernels.multi_margin(single[:, :0], labels, **options),
        kernels.multilabel_margin(single, whole.astype(np.int32), **options),
        kernels.multilabel_soft_margin(single, single, double[0], **options),
        kernels.multilabel_soft_margin(single[0, 0], single[0, 0], **options),
        kernels.triplet_margin(single, single, double, **options),
        kernels.triplet_margin(single, single[0], single, **options),
        kernels.triplet_margin(single, single, single, p=INF, **options),
        kernels.triplet_margin(single, single, single, p=0, **options),
        kernels.triplet_margin(single[0, 0], single[0, 0], single[0, 0], **options),
    ):
        assert found is NotImplemented
    assert kernels.multi_margin(single, labels, reduction="sum", grad=False)[1] is None
    assert kernels.margin_ranking(single, single, single, reduction="sum", grad=False)[1] is None
    assert kernels.triplet_margin(single, single, single, reduction="sum", grad=False)[1] is None


def test_first_outside_finds_the_first() -> None:
    labels = np.array([[0, 3, 2], [5, -1, 7]])
    assert kernels.first_outside(labels, 0, 6) == 4
    assert kernels.first_outside(labels[:, ::2], -1, 5) == 2
    assert kernels.first_outside(labels, -1, 8) == -1
    assert kernels.first_outside(labels[:0], 0, 1) == -1


# ------------------------------------------------------------------------------------------- messages
ZEROS = minigrad.zeros(2, 3)
MESSAGES = [
    (F.multi_margin_loss, (minigrad.zeros(3, 5), [0, 7, 1]), r"target\[1\] is 7.*0 to 4.*no ignore"),
    (F.multi_margin_loss, (minigrad.zeros(5), 9), r"target is 9"),
    (F.multi_margin_loss, (ZEROS, minigrad.ones(2)), r"target\.long\(\)"),
    (F.multilabel_margin_loss, (ZEROS, [[0, -1, 2], [0, -1, 3]]), r"target\[1, 2\] is 3.*-1 to 2"),
    (F.margin_ranking_loss, (ZEROS, ZEROS[0], ZEROS[0]), r"squeeze\(1\)"),
    (F.margin_ranking_loss, (ZEROS, ZEROS, ZEROS > 0), r"2 \* target"),
    (F.soft_margin_loss, (ZEROS[:, :1], ZEROS), r"target\.reshape\(input\.shape\)"),
    (F.cosine_embedding_loss, (ZEROS, ZEROS, ZEROS[:, :1]), r"squeeze\(1\)"),
    (F.triplet_margin_loss, (ZEROS, ZEROS, ZEROS[0]), r"\[2, 3\] and \[3\]"),
    (nn.MultiMarginLoss, (3,), "p=3"),
    (nn.TripletMarginLoss, (0,), "farther"),
]


@pytest.mark.parametrize(("call", "args", "text"), MESSAGES, ids=[text for *_, text in MESSAGES])
def test_errors_say_where_and_what_to_do(call, args, text) -> None:
    with pytest.raises((RuntimeError, ValueError), match=rf"(?s)\n.*{text}"):
        call(*args)


# --------------------------------------------------------------------------------------- higher orders
def test_second_order_where_torch_has_none(torch) -> None:
    x = torch.zeros(1, 3, requires_grad=True)
    loss = torch.nn.functional.multi_margin_loss(x, torch.tensor([0]), p=2)
    (slope,) = torch.autograd.grad(loss, x, create_graph=True)
    with pytest.raises(RuntimeError, match="is not implemented"):
        torch.autograd.grad(slope.sum(), x)
    ours = minigrad.zeros(1, 3, requires_grad=True)
    (slope,) = grad(F.multi_margin_loss(ours, [0], p=2), ours, create_graph=True)
    (curvature,) = grad(slope[0, 0], ours)
    np.testing.assert_allclose(curvature.numpy(), [[4 / 3, -2 / 3, -2 / 3]], rtol=1e-6)


def test_gradients_to_targets_and_weights() -> None:
    x, y = minigrad.tensor([1.0, -1.0]), minigrad.tensor([1.0, 1.0], requires_grad=True)
    F.soft_margin_loss(x, y, reduction="sum").backward()  # torch: not differentiable
    np.testing.assert_allclose(y.grad.numpy(), [-1 / (1 + math.e), math.e / (1 + math.e)], rtol=1e-6)
    weight = minigrad.ones(3, requires_grad=True)
    rows = minigrad.tensor([[0.0, 0.5, 0.0], [0.0, 0.0, 0.0]])
    F.multi_margin_loss(rows, [0, 1], weight=weight, reduction="sum").backward()
    np.testing.assert_allclose(weight.grad.numpy(), [2.5 / 3, 2 / 3, 0.0], rtol=1e-6)


# -------------------------------------------------------------------------------- triplets, any distance
def test_triplets_of_order_zero_have_no_gradient() -> None:
    a = minigrad.tensor([[0.0, 1.0]], requires_grad=True)
    loss = F.triplet_margin_loss(a, a.detach(), a.detach() + 1, p=0, eps=0.0, margin=5.0)
    loss.backward()
    assert loss.item() == 3.0
    assert a.grad.tolist() == [[0.0, 0.0]]


def test_triplets_of_a_module_that_learns() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(minigrad.tensor(2.0))

        def forward(self, x1, x2):
            return self.scale * F.pairwise_distance(x1, x2)

    criterion = nn.TripletMarginWithDistanceLoss(distance_function=Scaled())
    assert list(criterion.state_dict()) == ["distance_function.scale"]
    rng = np.random.default_rng(0)
    a, p, n = (minigrad.tensor(rng.normal(size=(5, 2))) for _ in range(3))
    loss = criterion(a, p, n)
    loss.backward()
    slope = criterion.distance_function.scale.grad.item()
    assert slope != 0
    assert loss.item() == pytest.approx(F.triplet_margin_loss(2 * a, 2 * p, 2 * n, eps=2e-6).item())


def test_a_plain_distance_takes_the_kernel_and_its_hooks_are_heard() -> None:
    rng = np.random.default_rng(0)
    a, p, n = (minigrad.tensor(rng.normal(size=(5, 2)), requires_grad=True) for _ in range(3))
    for distance, order in ((None, 2.0), (F.pairwise_distance, 2.0), (nn.PairwiseDistance(p=1), 1.0)):
        loss = nn.TripletMarginWithDistanceLoss(distance_function=distance)(a, p, n)
        assert isinstance(loss.grad_fn, FusedNode)
        assert minigrad.equal(loss, F.triplet_margin_loss(a, p, n, p=order))
    calls = []
    distance = nn.PairwiseDistance()
    distance.register_forward_hook(lambda module, args, output: calls.append(module))
    hooked = F.triplet_margin_with_distance_loss(a, p, n, distance_function=distance)
    assert len(calls) == 2
    assert hooked.item() == pytest.approx(F.triplet_margin_loss(a, p, n).item())
    kept = nn.TripletMarginWithDistanceLoss(
        distance_function=nn.PairwiseDistance(keepdim=True), reduction="none"
    )
    assert kept(a, p, n).shape == (5, 1)


def test_texts_of_the_modules() -> None:
    """As torch's: a distance is a part of the loss."""
    expected = "TripletMarginWithDistanceLoss(\n  (distance_function): PairwiseDistance()\n)"
    assert repr(nn.TripletMarginWithDistanceLoss()) == expected


# --------------------------------------------------------------------------------- where torch differs
def test_where_torch_differs(torch) -> None:
    """Each line is a difference on purpose; it fails when torch has changed."""
    theirs = torch.nn.functional
    x, y = [200.0], [-1.0]
    assert theirs.soft_margin_loss(torch.tensor(x), torch.tensor(y)).item() == INF
    assert F.soft_margin_loss(minigrad.tensor(x), minigrad.tensor(y)).item() == 200.0
    x, y = [[INF]], [[1.0]]
    assert math.isnan(theirs.multilabel_soft_margin_loss(torch.tensor(x), torch.tensor(y)).item())
    assert F.multilabel_soft_margin_loss(minigrad.tensor(x), minigrad.tensor(y)).item() == 0.0
    with pytest.raises(RuntimeError, match="expected scalar type Long but found Int"):
        theirs.multi_margin_loss(torch.zeros(1, 3), torch.zeros(1, dtype=torch.int32))
    with pytest.raises(RuntimeError, match="bool tensor is not supported"):
        theirs.multilabel_soft_margin_loss(torch.zeros(1, 3), torch.zeros(1, 3).bool())
    assert F.multilabel_soft_margin_loss(minigrad.zeros(1, 3), minigrad.zeros(1, 3).bool()).item() > 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        theirs.hinge_embedding_loss(torch.zeros(3, 1), torch.ones(3))  # broadcasts, and says nothing
    torch.nn.CosineEmbeddingLoss(reduction="foo")  # refused at the first call only
    a = torch.full((1, 4), 3.0)
    b = a * (1 + 1e-4 * torch.arange(4))
    one = torch.ones(1)
    exact = 1 - (a.double() * b.double()).sum() / (a.double().norm() * b.double().norm())
    assert abs(theirs.cosine_embedding_loss(a, b, one).item() / exact.item() - 1) > 0.1
    ours = F.cosine_embedding_loss(*(minigrad.from_numpy(t.numpy()) for t in (a, b, one))).item()
    assert ours == pytest.approx(exact.item(), rel=1e-6)
