"""Embedding: the table's start, looking up, gradients, padding, lengths, frequencies, errors."""

import numpy as np
import pytest
from test_layers import digest

import minigrad
from minigrad import nn
from minigrad.kernels import rows as kernels


def namespace(library):
    return pytest.importorskip(library, reason="the comparison with torch needs torch")


libraries = pytest.mark.parametrize("library", ["minigrad", "torch"])


def tables(t):
    """Tables of several sizes as they start."""
    t.manual_seed(11)
    layers = [t.nn.Embedding(*sizes) for sizes in ((3, 2), (40, 7), (1, 1))]
    layers.append(t.nn.Embedding(5, 4, padding_idx=-2, dtype=t.float64))
    return [layer.weight for layer in layers]


# torch 2.13's bits
DIGEST = "7a3325e1c29269b5"


@libraries
def test_the_table_a_layer_starts_with(library):
    assert digest(*tables(namespace(library))) == DIGEST


@libraries
def test_texts_keys_and_padding(library):
    n = namespace(library).nn
    assert repr(n.Embedding(10, 3)) == "Embedding(10, 3)"
    layer = n.Embedding(4, 2, -1, 1.5, 1.0, True)
    assert repr(layer) == (
        "Embedding(4, 2, padding_idx=3, max_norm=1.5, norm_type=1.0, scale_grad_by_freq=True)"
    )
    assert list(layer.state_dict()) == ["weight"]
    assert layer.weight[3].tolist() == [0.0, 0.0]
    assert 0.0 not in layer.weight[:3].detach().numpy()


@libraries
def test_a_given_table_is_shared_and_frozen(library):
    t = namespace(library)
    table = t.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    layer = t.nn.Embedding.from_pretrained(table, padding_idx=1)
    assert not layer.weight.requires_grad
    assert layer.padding_idx == 1
    table[2, 0] = 9.0
    assert layer(t.tensor([[2, 1]])).tolist() == [[[9.0, 6.0], [3.0, 4.0]]]
    assert t.nn.Embedding.from_pretrained(table, freeze=False).weight.requires_grad


@libraries
def test_rows_that_are_too_long_are_shortened_in_place(library):
    t = namespace(library)
    table = t.tensor([[3.0, 4.0], [0.3, 0.4], [6.0, 8.0]])
    found = t.nn.functional.embedding(t.tensor([0, 1, 0]), table, max_norm=1.0)
    np.testing.assert_allclose(found.numpy(), [[0.6, 0.8], [0.3, 0.4], [0.6, 0.8]], rtol=1e-6)
    np.testing.assert_allclose(table.numpy(), [[0.6, 0.8], [0.3, 0.4], [6, 8]], rtol=1e-6)
    layer = t.nn.Embedding(3, 2, max_norm=2.0, norm_type=1.0)
    layer(t.tensor([0, 2])).sum().backward()
    assert layer.weight.grad.tolist() == [[1.0, 1.0], [0.0, 0.0], [1.0, 1.0]]
    assert (layer.weight.abs().sum(1)[[0, 2]] <= 2.0 + 1e-6).all()


@libraries
def test_padding_and_frequencies_in_the_gradient(library):
    t = namespace(library)
    index = t.tensor([[0, 1, 1], [2, 1, 0]])
    layer = t.nn.Embedding(4, 1, padding_idx=2, scale_grad_by_freq=True)
    (layer(index).squeeze(2) * t.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])).sum().backward()
    np.testing.assert_allclose(layer.weight.grad.numpy()[:, 0], [3.5, 10 / 3, 0, 0], rtol=1e-6)


ERRORS = {
    "padding outside": (
        lambda t: t.nn.Embedding(3, 2, padding_idx=3),
        "AssertionError: Padding_idx must be within num_embeddings",
    ),
    "padding before the start": (
        lambda t: t.nn.functional.embedding(t.tensor([0]), t.zeros(3, 2), -4),
        "AssertionError: Padding_idx must be within num_embeddings",
    ),
    "another shape": (
        lambda t: t.nn.Embedding(3, 2, _weight=t.zeros(2, 3)),
        "AssertionError: Shape of weight does not match num_embeddings and embedding_dim",
    ),
    "a vector": (
        lambda t: t.nn.Embedding.from_pretrained(t.zeros(3)),
        "AssertionError: Embeddings parameter is expected to be 2-dimensional",
    ),
    "bags of rows with offsets": (
        lambda t: t.nn.EmbeddingBag(3, 2)(t.tensor([[1]]), t.tensor([0])),
        "ValueError: if input is 2D, then offsets has to be None, as input is treated is a mini-batch of "
        "fixed length sequences.",
    ),
    "weights for a mean": (
        lambda t: t.nn.EmbeddingBag(3, 2)(t.tensor([[1]]), None, t.ones(1, 1)),
        "NotImplementedError: embedding_bag: per_sample_weights was not None. per_sample_weights is only "
        "supported for mode='sum' (got mode='mean').",
    ),
    "outside": (
        lambda t: t.nn.Embedding(3, 2)(t.tensor([3])),
        "IndexError: index out of range in self",
    ),
}


@libraries
@pytest.mark.parametrize("name", ERRORS)
def test_errors(library, name):
    script, expected = ERRORS[name]
    with pytest.raises((AssertionError, IndexError, ValueError, NotImplementedError)) as caught:
        script(namespace(library))
    assert f"{caught.type.__name__}: {caught.value}".startswith(expected)


def test_sparse_gradients_are_refused():
    for call in (
        lambda: nn.Embedding(3, 2, sparse=True),
        lambda: nn.functional.embedding(minigrad.tensor([0]), minigrad.zeros(3, 2), sparse=True),
    ):
        with pytest.raises(NotImplementedError, match="no sparse tensors"):
            call()


@pytest.mark.parametrize(("entries", "width", "count"), [(900, 300, 1500), (7, 33, 20_000), (50_000, 9, 40)])
def test_rows_of_large_tables(entries, width, count):
    rng = np.random.default_rng(4)
    table, g = rng.normal(0, 1, (entries, width)).astype("float32"), rng.normal(0, 1, (count, width))
    index = rng.integers(0, entries, count)
    np.testing.assert_array_equal(kernels.take_rows(table, index), table[index])
    expected = np.zeros((entries, width))
    np.add.at(expected, index[index != 3], g[index != 3])
    np.testing.assert_allclose(kernels.add_rows(g, index, entries, 3), expected, rtol=1e-12, atol=1e-12)
    found = []
    for threads in (1, 2):
        before = minigrad.get_num_threads()
        minigrad.set_num_threads(threads)
        try:
            found.append(kernels.add_rows(g.astype("float32"), index, entries))
        finally:
            minigrad.set_num_threads(before)
    np.testing.assert_array_equal(*found)


def test_words_learn():
    minigrad.manual_seed(0)
    model = nn.Sequential(nn.Embedding(6, 4), nn.Flatten(), nn.Linear(8, 2))
    x = minigrad.tensor([[a, b] for a in range(6) for b in range(6)])
    y = x[:, 0] % 2
    optimizer = minigrad.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(150):
        optimizer.zero_grad()
        nn.CrossEntropyLoss()(model(x), y).backward()
        optimizer.step()
    assert (model(x).argmax(1) == y).all()


@libraries
def test_bags(library):
    t = namespace(library)
    table = t.tensor([[1.0, -1.0], [2.0, -2.0], [4.0, -4.0]])
    layer = t.nn.EmbeddingBag.from_pretrained(table, mode="max", padding_idx=2, freeze=False)
    assert repr(layer) == "EmbeddingBag(3, 2, mode='max', padding_idx=2)"
    assert layer.weight.requires_grad
    assert layer(t.tensor([[0, 1], [2, 1]])).tolist() == [[2.0, -1.0], [2.0, -2.0]]
    assert repr(t.nn.EmbeddingBag(4, 3)) == "EmbeddingBag(4, 3, mode='mean')"
    t.manual_seed(3)
    bag = t.nn.EmbeddingBag(4, 3, mode="sum")
    t.manual_seed(3)
    assert bag.weight.tolist() == t.nn.Embedding(4, 3).weight.tolist()
    assert list(bag.state_dict()) == ["weight"]
    found = bag(t.tensor([3, 1]), t.tensor([0, 2]))
    np.testing.assert_allclose(found[0].tolist(), (bag.weight[3] + bag.weight[1]).tolist(), rtol=1e-6)
    assert found[1].tolist() == [0.0, 0.0, 0.0]


def test_bags_divide_a_gradient_by_how_often_its_row_is_looked_up():
    layer = nn.EmbeddingBag(3, 1, mode="sum", scale_grad_by_freq=True)
    layer(minigrad.tensor([[0, 0], [1, 0]])).sum().backward()
    np.testing.assert_allclose(layer.weight.grad.numpy()[:, 0], [1, 1, 0], rtol=1e-6)


def test_offsets_that_decrease_are_refused():
    with pytest.raises(RuntimeError, match="must not decrease"):
        nn.EmbeddingBag(3, 2)(minigrad.tensor([0, 1, 2]), minigrad.tensor([0, 2, 1]))
