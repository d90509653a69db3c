"""Worked examples of tutorials on torch's losses, run with one changed import, to their printed digits.

Each comes as a function, as a module and, where the tutorial does so, by hand from primitives.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

import minigrad as torch
from minigrad import nn
from minigrad.nn import functional as F
from minigrad.utils.data import DataLoader, TensorDataset


def printed(tensor: torch.Tensor, digits: int = 4) -> list:
    """The numbers as `print` shows them."""
    return [round(float(v), digits) for v in tensor.detach().numpy().ravel()]


def one_hot(target: torch.Tensor, classes: int) -> torch.Tensor:
    return F.one_hot(target, classes).float()


# ------------------------------------------------------------------------------------ regression, binary
def test_mse() -> None:
    torch.manual_seed(0)
    y_true = torch.randint(0, 10, size=[10, 1]).float()
    y_pred = torch.randint(0, 10, size=[10, 1]).float()
    assert repr(y_true).startswith("tensor([[4.],\n        [9.],\n")
    assert y_true.squeeze(1).tolist() == [4, 9, 3, 0, 3, 9, 7, 3, 7, 3]
    assert y_pred.squeeze(1).tolist() == [1, 6, 6, 9, 8, 6, 6, 8, 4, 3]
    by_hand = ((y_true - y_pred) ** 2).mean()
    for loss in (F.mse_loss(y_pred, y_true), nn.MSELoss()(y_pred, y_true), by_hand):
        assert f"loss: {loss.item():.2f}" == "loss: 17.70"
        assert "loss: %.2f" % loss.item() == "loss: 17.70"  # noqa: UP031


BCE_CASES = [
    ([10, 1], [0.1604, -0.6065, -0.7831, 1.0622], [0.5400, 0.3529, 0.3137, 0.7431], "0.87"),
    ([10, 2], [0.5988, -1.5551, -0.3414, 1.8530], [0.6454, 0.1744, 0.4155, 0.8645], "0.81"),
]


@pytest.mark.parametrize(("size", "logits", "probabilities", "expected"), BCE_CASES)
def test_bce_of_one_and_of_several_labels(size, logits, probabilities, expected) -> None:
    torch.manual_seed(0)
    y_true = torch.randint(0, 2, size=size).float()
    x = torch.randn(*size)
    y_pred = torch.sigmoid(x)
    if size == [10, 1]:
        assert y_true.squeeze(1).tolist() == [0, 1, 1, 0, 1, 1, 1, 1, 1, 1]
        assert printed(y_pred)[4:] == [0.4350, 0.7440, 0.6025, 0.6984, 0.3044, 0.3111]
    else:
        assert printed(y_pred)[4:6] == [0.4462, 0.3224]
    assert printed(x)[:4] == logits
    assert printed(y_pred)[:4] == probabilities
    by_hand = -(y_true * torch.log(y_pred) + (1 - y_true) * torch.log(1 - y_pred)).mean()
    for loss in (
        F.binary_cross_entropy(y_pred, y_true),
        nn.BCELoss()(y_pred, y_true),
        F.binary_cross_entropy_with_logits(x, y_true),
        nn.BCEWithLogitsLoss()(x, y_true),
        by_hand,
    ):
        assert f"{loss.item():.2f}" == expected


def test_bce_of_sigmoid_is_bce_with_logits() -> None:
    torch.manual_seed(1)
    x, target = torch.randn(3), torch.tensor([0.0, 1.0, 1.0])
    a = nn.BCELoss()(nn.Sigmoid()(x), target)
    b = nn.BCEWithLogitsLoss()(x, target)
    assert a.shape == b.shape == ()
    assert torch.allclose(a, b)


def test_bce_by_hand() -> None:
    x = torch.autograd.Variable(
        torch.tensor([[1.9072, 1.1079, 1.4906], [-0.6584, -0.0512, 0.7608], [-0.0614, 0.6583, 0.1095]]),
        requires_grad=True,
    )
    target = torch.FloatTensor([[0, 1, 1], [1, 1, 1], [0, 0, 0]])
    probabilities = nn.Sigmoid()(x)
    shown = [0.8707, 0.7517, 0.8162, 0.3411, 0.4872, 0.6815, 0.4847, 0.6589, 0.5273]
    assert printed(probabilities) == shown
    loss = nn.BCELoss()(probabilities, target)
    assert repr(loss) == "tensor(0.8000, grad_fn=<BinaryCrossEntropyBackward0>)"
    assert repr(probabilities).endswith("grad_fn=<SigmoidBackward0>)")
    rows = zip(target.data.tolist(), [shown[i : i + 3] for i in (0, 3, 6)], strict=True)
    by_hand = (
        -sum(
            sum(t * math.log(p) + (1 - t) * math.log(1 - p) for t, p in zip(ts, ps, strict=True)) / 3
            for ts, ps in rows
        )
        / 3
    )
    assert by_hand == pytest.approx(0.8000147727101611, abs=1e-15)
    elements = -(
        target.data * np.log(probabilities.data) + (1 - target.data) * np.log(1 - probabilities.data)
    )
    assert isinstance(elements, torch.Tensor)
    assert elements.mean().item() == pytest.approx(loss.item(), rel=1e-6)


# --------------------------------------------------------------------------------------- many classes
def test_cross_entropy_of_class_indices() -> None:
    torch.manual_seed(0)
    y_true = torch.randint(0, 4, size=[10])
    y_pred = torch.randn(10, 4)
    assert y_true.tolist() == [0, 3, 1, 0, 3, 3, 3, 3, 1, 3]
    assert printed(y_pred[0]) == [0.4913, -0.2041, -0.0885, 0.5239]
    in_two = nn.NLLLoss()(nn.LogSoftmax(dim=1)(y_pred), y_true)
    by_hand = -(one_hot(y_true, 4) * torch.log_softmax(y_pred, dim=1)).sum(1).mean()
    losses = [F.cross_entropy(y_pred, y_true), nn.CrossEntropyLoss()(y_pred, y_true), in_two, by_hand]
    assert [f"{loss.item():.2f}" for loss in losses] == ["1.45"] * 4
    assert all(torch.allclose(loss, losses[0]) for loss in losses)


def test_cross_entropy_of_two_labels_a_sample() -> None:
    torch.manual_seed(0)
    target = torch.randint(0, 4, size=[5, 2])
    logits = torch.randn(5, 4, 2)
    in_two = F.nll_loss(F.log_softmax(logits, dim=1), target)
    losses = [F.cross_entropy(logits, target), nn.CrossEntropyLoss()(logits, target), in_two]
    assert [f"{loss.item():.2f}" for loss in losses] == ["2.14"] * 3
    assert torch.allclose(losses[0], in_two)


def test_cross_entropy_without_reduction() -> None:
    logits = torch.tensor([[0.9, 0.2, 0.8], [0.5, 0.2, 0.4], [0.4, 0.2, 0.9]])
    loss = nn.CrossEntropyLoss(reduction="none")(logits, torch.tensor([0, 1, 2]))
    assert repr(loss) == "tensor([0.8761, 1.2729, 0.7434])"


LOGITS = [[10.0, 2, 1, -2, -3], [-1.0, -6, 0, -3, -5], [-5.0, 4, 8, 2, 1]]
TARGET = [1, 3, 2]


def test_cross_entropy_step_by_step() -> None:
    x, target = torch.Tensor(LOGITS), torch.LongTensor(TARGET)
    log_softmax, softmax = F.log_softmax(x, dim=1), F.softmax(x, dim=1)
    by_hand = x - torch.log(torch.exp(x).sum(dim=1)).unsqueeze(1)
    np.testing.assert_allclose(
        log_softmax[0].numpy(), [-4.6717e-04, -8.0005, -9.0005, -12.0005, -13.0005], rtol=1e-4
    )
    np.testing.assert_allclose(
        softmax[1].numpy(), [0.25782, 0.0017372, 0.70083, 0.034892, 0.0047221], rtol=2e-5
    )
    np.testing.assert_allclose(by_hand.numpy(), log_softmax.numpy(), atol=2e-6)
    each = F.cross_entropy(x, target, reduction="none")
    np.testing.assert_allclose(each.numpy(), [8.0005, 3.3555, 0.021476], rtol=2e-5)
    picked = torch.tensor([-log_softmax[i][t].item() for i, t in enumerate(TARGET)])
    for loss in (
        F.cross_entropy(x, target),
        nn.CrossEntropyLoss()(x, target),
        nn.NLLLoss()(log_softmax, target),
        F.nll_loss(by_hand, target),
        picked.mean(),
    ):
        assert f"{loss.item():.4f}" == "3.7925"


def test_nll_of_an_image_of_equal_channels() -> None:
    rows = [[0, 0, 1, 1, 0], [0, 1, 1, 1, 2], [0, 1, 2, 2, 2], [1, 1, 2, 2, 3], [0, 3, 2, 3, 3]]
    target = torch.LongTensor([rows])
    channel = torch.randn(1, 1, 5, 5)
    image = torch.cat([channel] * 4, dim=1)
    with pytest.warns(UserWarning, match="Implicit dimension choice for log_softmax"):
        log_probabilities = F.log_softmax(image)
    with pytest.warns(FutureWarning, match="NLLLoss2d"):
        criterion = nn.NLLLoss2d()
    assert f"{criterion(log_probabilities, target).item():.4f}" == "1.3863"
    assert f"{F.nll_loss(log_probabilities, target).item():.4f}" == "1.3863"
    assert f"{F.cross_entropy(image, target).item():.4f}" == "1.3863"


def test_nll_of_an_image() -> None:
    channels = [[[2, 4], [1, 2]], [[5, 3], [3, 0]], [[5, 3], [5, 2]], [[4, 2], [3, 2]]]
    image, target = torch.FloatTensor([channels]), torch.LongTensor([[[0, 2], [2, 3]]])
    log_probabilities = F.log_softmax(image, dim=1)
    assert printed(log_probabilities[0, 0]) == [-3.8828, -0.6265, -4.2539, -1.1427]
    shown = printed(log_probabilities[0])
    by_hand = -sum(shown[4 * c + p] for p, c in enumerate([0, 2, 2, 3])) / 4
    assert by_hand == pytest.approx(1.726475, abs=1e-9)
    for loss in (nn.NLLLoss()(log_probabilities, target), F.cross_entropy(image, target)):
        assert f"{loss.item():.4f}" == "1.7265"


def test_bce_with_one_hot_targets() -> None:
    probabilities = torch.sigmoid(torch.tensor(LOGITS))
    target = one_hot(torch.tensor([0, 1, 4]), 5)
    loss = nn.BCELoss()(probabilities, target)
    assert loss.item() == pytest.approx(1.6763579845428467, rel=1e-6)  # torch 2.13's
    by_logits = nn.BCEWithLogitsLoss()(torch.tensor(LOGITS), target)
    assert by_logits.item() == pytest.approx(loss.item(), rel=1e-4)


# ---------------------------------------------------------------------------------- the ten loss modules
def test_every_loss_of_the_tutorials_trains() -> None:
    """Each loss module on the input it wants: its gradient step lowers it."""
    torch.manual_seed(0)
    x, y = torch.randn(6, 4), torch.randn(6, 4)
    classes, signs = torch.randint(0, 4, (6,)), torch.tensor([1.0, -1.0, 1.0, -1.0, 1.0, -1.0])
    probabilities = F.softmax(y, dim=1)
    cases = [
        (nn.MSELoss(), lambda t: (t, y)),
        (nn.L1Loss(), lambda t: (t, y)),
        (nn.SmoothL1Loss(), lambda t: (t, y)),
        (nn.BCELoss(), lambda t: (torch.sigmoid(t), probabilities)),
        (nn.BCEWithLogitsLoss(), lambda t: (t, probabilities)),
        (nn.CrossEntropyLoss(), lambda t: (t, classes)),
        (nn.NLLLoss(), lambda t: (nn.LogSoftmax(dim=1)(t), classes)),
        (nn.KLDivLoss(reduction="batchmean"), lambda t: (F.log_softmax(t, dim=1), probabilities)),
        (nn.HingeEmbeddingLoss(), lambda t: (t.abs().sum(1), signs)),
        (nn.CosineEmbeddingLoss(margin=0.5), lambda t: (t, y, signs)),
    ]
    for criterion, arguments in cases:
        leaf = x.clone().requires_grad_()
        before = criterion(*arguments(leaf))
        before.backward()
        with torch.no_grad():
            leaf -= 0.01 * leaf.grad
        after = criterion(*arguments(leaf))
        assert after.item() < before.item(), criterion
        assert "Wants" in type(criterion).__doc__  # the docstring says which input it wants


def test_legacy_spellings() -> None:
    with pytest.warns(UserWarning, match="Implicit dimension choice for softmax"):
        implicit = F.softmax(torch.Tensor([1.0, 2.0]))
    assert torch.equal(implicit, F.softmax(torch.Tensor([1.0, 2.0]), dim=0))
    assert torch.equal(F.sigmoid(torch.zeros(1)), torch.sigmoid(torch.zeros(1)))
    assert torch.FloatTensor([1, 2]).dtype is torch.float32
    assert torch.LongTensor([1, 2]).dtype is torch.int64
    variable = torch.autograd.Variable(torch.tensor([1.0]), requires_grad=True)
    assert isinstance(variable, torch.Tensor)
    assert variable.requires_grad
    assert not variable.data.requires_grad


# ------------------------------------------------------------------------------------- training loops
def _blobs(count: int, classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    labels = torch.randint(0, classes, (count,), generator=generator)
    centres = torch.tensor([[2.0, 0.0], [-2.0, 1.0], [0.0, -3.0]])[:classes]
    return centres[labels] + 0.5 * torch.randn(count, 2, generator=generator), labels


def _train(outputs: int, classes: int, epochs: int = 12) -> tuple[list[float], list[float]]:
    torch.manual_seed(0)
    x, labels = _blobs(96, classes)
    loader = DataLoader(TensorDataset(x, labels), batch_size=16, shuffle=True)
    model = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, outputs))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    criterion = nn.BCEWithLogitsLoss() if outputs == 1 else nn.CrossEntropyLoss()
    losses, accuracies = [], []
    for _ in range(epochs):
        total, correct = 0.0, 0
        for batch, target in loader:
            optimizer.zero_grad()
            if outputs == 1:
                logits = model(batch).squeeze(1)
                loss = criterion(logits, target.float())
                predicted = torch.round(torch.sigmoid(logits))
            else:
                logits = model(batch)
                loss = criterion(logits, target.long())
                predicted = logits.argmax(dim=1)
            loss.backward()
            optimizer.step()
            total += loss.item()
            correct += torch.sum(predicted == target).item()
        losses.append(total / len(loader))
        accuracies.append(correct / len(x))
    return losses, accuracies


@pytest.mark.parametrize(("outputs", "classes"), [(1, 2), (2, 2), (3, 3)])
def test_training_loops_learn(outputs, classes) -> None:
    losses, accuracies = _train(outputs, classes)
    assert losses[-1] < 0.2 * losses[0]
    assert accuracies[-1] == 1.0


def test_binary_task_both_ways_reaches_the_same_accuracy() -> None:
    assert _train(1, 2)[1][-1] == _train(2, 2)[1][-1]
