"""nn.utils against numbers worked out by hand, and against torch where it is installed."""

import math

import numpy as np
import pytest

import minigrad
from minigrad import nn

SHAPES = ((3, 4), (5,), (2, 2, 2))


def _parameters(library, scale=1.0):
    """Tensors with gradients, and one without."""
    rng = np.random.default_rng(0)
    found = []
    for shape in SHAPES:
        parameter = library.zeros(*shape, requires_grad=True)
        parameter.grad = library.from_numpy((scale * rng.standard_normal(shape)).astype(np.float32))
        found.append(parameter)
    return [*found, library.zeros(2, requires_grad=True)]


def _joined(parameters):
    return np.concatenate([p.grad.numpy().ravel() for p in parameters if p.grad is not None])


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.mark.parametrize("norm_type", [1, 2.0, 3, math.inf])
@pytest.mark.parametrize("max_norm", [0.5, 100])
def test_gradients_are_scaled_to_the_norm(norm_type, max_norm):
    parameters = _parameters(minigrad)
    before = _joined(parameters).astype(np.float64)
    expected = np.linalg.norm(before, norm_type)
    total = nn.utils.clip_grad_norm_(parameters, max_norm, norm_type)
    assert total.item() == pytest.approx(expected, rel=1e-6)
    factor = min(1.0, max_norm / (expected + 1e-6))
    np.testing.assert_allclose(_joined(parameters), before * factor, rtol=2e-6)
    assert parameters[-1].grad is None


@pytest.mark.parametrize("norm_type", [1, 2.0, math.inf])
@pytest.mark.parametrize("scale", [0.01, 10.0])
def test_clipping_is_torchs(torch, norm_type, scale):
    ours, theirs = _parameters(minigrad, scale), _parameters(torch, scale)
    found = nn.utils.clip_grad_norm_(iter(ours), 1.0, norm_type)
    wanted = torch.nn.utils.clip_grad_norm_(iter(theirs), 1.0, norm_type)
    np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=1e-6)
    np.testing.assert_allclose(_joined(ours), _joined(theirs), rtol=1e-6)
    nn.utils.clip_grad_value_(ours, 0.1)
    torch.nn.utils.clip_grad_value_(theirs, 0.1)
    np.testing.assert_allclose(_joined(ours), _joined(theirs), rtol=1e-6)
    found, wanted = nn.utils.parameters_to_vector(ours), torch.nn.utils.parameters_to_vector(theirs)
    assert tuple(found.shape) == tuple(wanted.shape)


def test_no_gradient_and_a_single_tensor():
    alone = minigrad.zeros(2, requires_grad=True)
    assert nn.utils.clip_grad_norm_(alone, 1.0).item() == 0
    alone.grad = minigrad.tensor([3.0, 4.0])
    assert nn.utils.clip_grad_norm_(alone, 5.0).item() == 5
    np.testing.assert_allclose(alone.grad.numpy(), [3, 4], rtol=1e-6)


def test_a_norm_that_is_not_finite_is_refused_and_nothing_scaled():
    w = minigrad.zeros(2, requires_grad=True)
    w.grad = minigrad.tensor([math.inf, 1.0])
    with pytest.raises(RuntimeError, match=r"total norm of order 2\.0 for gradients .* is non-finite"):
        nn.utils.clip_grad_norm_(w, 1.0, error_if_nonfinite=True)
    assert w.grad.tolist() == [math.inf, 1.0]
    assert nn.utils.clip_grad_norm_(w, 1.0).item() == math.inf


def test_a_vector_there_and_back():
    model = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1))
    vector = nn.utils.parameters_to_vector(model.parameters())
    vector.sum().backward()
    assert all((p.grad == 1).all() for p in model.parameters())
    nn.utils.vector_to_parameters(vector.detach() * 2, model.parameters())
    again = nn.utils.parameters_to_vector(model.parameters())
    np.testing.assert_array_equal(again.detach().numpy(), 2 * vector.detach().numpy())
    with pytest.raises(TypeError, match=r"expected torch\.Tensor, but got: list"):
        nn.utils.vector_to_parameters([1.0], model.parameters())
    with pytest.raises(RuntimeError, match="invalid for input of size 3"):
        nn.utils.vector_to_parameters(minigrad.zeros(3), model.parameters())
    np.testing.assert_array_equal(
        nn.utils.parameters_to_vector(model.parameters()).detach().numpy(), again.detach().numpy()
    )


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("side", ["right", "left"])
def test_padding_is_torchs(torch, batch_first, side):
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal((length, 3)).astype(np.float32) for length in (2, 4, 1)]
    options = {"batch_first": batch_first, "padding_value": -1.0, "padding_side": side}
    found = nn.utils.rnn.pad_sequence([minigrad.from_numpy(a) for a in arrays], **options)
    wanted = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(a) for a in arrays], **options)
    np.testing.assert_array_equal(found.numpy(), wanted.numpy())


def test_padding_and_its_undoing():
    sequences = [minigrad.ones(length, 2, requires_grad=True) for length in (3, 1)]
    padded = nn.utils.rnn.pad_sequence(sequences)
    assert padded.shape == (3, 2, 2)
    padded.sum().backward()
    assert all((s.grad == 1).all() for s in sequences)
    again = nn.utils.rnn.unpad_sequence(padded, minigrad.tensor([3, 1]))
    assert [tuple(s.shape) for s in again] == [(3, 2), (1, 2)]
    with pytest.raises(RuntimeError, match="empty list"):
        nn.utils.rnn.pad_sequence([])
    with pytest.raises(RuntimeError, match="padding_side should be one of"):
        nn.utils.rnn.pad_sequence(sequences, padding_side="top")
