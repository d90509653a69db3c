"""Recurrent layers and packed sequences: torch's numbers, and the kernels' against the definition's."""

import numpy as np
import pytest

import minigrad
from minigrad import nn
from minigrad.autograd import gradcheck, gradgradcheck
from minigrad.nn.utils import rnn
from minigrad.ops import recurrent as ops

libraries = pytest.mark.parametrize("library", ["minigrad", "torch"])


def namespace(library):
    return pytest.importorskip(library, reason="the comparison with torch needs torch")


def outcome(script, t):
    """What a script returns as text, or the class and first line of its exception."""
    try:
        return repr(script(t))
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"


def arrays_of(values):
    """The arrays of tensors in nested tuples."""
    if isinstance(values, tuple):
        return [array for value in values for array in arrays_of(value)]
    return [] if values is None else [values.detach().numpy()]


LAYERS = {
    "RNN(3, 4)": lambda n, **o: n.RNN(3, 4, **o),
    "RNN(3, 4, bias=False)": lambda n, **o: n.RNN(3, 4, 1, "relu", False, **o),
    "RNN(3, 4, num_layers=2, batch_first=True)": lambda n, **o: n.RNN(
        3, 4, 2, nonlinearity="relu", batch_first=True, **o
    ),
    "LSTM(3, 4)": lambda n, **o: n.LSTM(3, 4, **o),
    "LSTM(3, 4, num_layers=3, bias=False)": lambda n, **o: n.LSTM(3, 4, 3, False, **o),
    "LSTM(3, 4, num_layers=2, dropout=0.5, bidirectional=True)": lambda n, **o: n.LSTM(
        3, 4, 2, dropout=0.5, bidirectional=True, **o
    ),
    "LSTM(3, 4, batch_first=True, bidirectional=True)": lambda n, **o: n.LSTM(
        3, 4, batch_first=True, bidirectional=True, **o
    ),
    "GRU(3, 4)": lambda n, **o: n.GRU(3, 4, **o),
    "GRU(3, 4, bias=False, bidirectional=True)": lambda n, **o: n.GRU(
        3, 4, bias=False, bidirectional=True, **o
    ),
    "GRU(3, 4, num_layers=2, batch_first=True, dropout=0.25)": lambda n, **o: n.GRU(
        3, 4, 2, batch_first=True, dropout=0.25, **o
    ),
}
INPUTS = ["batch", "single", "states", "packed", "packed states"]


def states_of(t, layer, shape, dtype):
    kinds = 2 if layer.mode == "LSTM" else 1
    made = tuple(t.randn(*shape, dtype=dtype).requires_grad_() for _ in range(kinds))
    return made if kinds == 2 else made[0]


def run(t, name, kind, dtype):
    """All that a layer computes for an input of that kind, and all gradients."""
    dtype = getattr(t, dtype)
    t.manual_seed(3)
    layer = LAYERS[name](t.nn, dtype=dtype)
    x = t.randn(*((5, 3) if kind == "single" else (2, 5, 3)), dtype=dtype).requires_grad_()
    batch = 2 if layer.batch_first or "packed" in kind else 5
    given, states = x, None
    if "packed" in kind:
        given = t.nn.utils.rnn.pack_padded_sequence(x, [3, 5], batch_first=True, enforce_sorted=False)
    if "states" in kind:
        rows = layer.num_layers * (1 + layer.bidirectional)
        states = states_of(t, layer, (rows, batch, 4), dtype)
    output, last = layer(given, states)
    if "packed" in kind:
        output, lengths = t.nn.utils.rnn.pad_packed_sequence(output, padding_value=0.5, total_length=6)
        assert lengths.tolist() == [3, 5]
    results = [output, *(last if isinstance(last, tuple) else [last])]
    loss = sum((y * t.arange(y.numel(), dtype=dtype).reshape(y.shape).cos()).sum() for y in results)
    inputs = [x, *layer.parameters()]
    if states is not None:
        inputs += states if isinstance(states, tuple) else [states]
    return [array for y in (*results, *t.autograd.grad(loss, inputs)) for array in arrays_of(y)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("name", LAYERS)
def test_layers_are_torchs(name, kind, dtype):
    torch = namespace("torch")
    tolerance = {"rtol": 2e-5, "atol": 4e-6} if dtype == "float32" else {"rtol": 1e-11, "atol": 1e-13}
    ours, theirs = run(minigrad, name, kind, dtype), run(torch, name, kind, dtype)
    for found, wanted in zip(ours, theirs, strict=True):
        assert found.dtype == wanted.dtype
        assert found.shape == wanted.shape
        np.testing.assert_allclose(found, wanted, **tolerance)


@libraries
@pytest.mark.parametrize("name", LAYERS)
def test_texts(name, library):
    assert repr(LAYERS[name](namespace(library).nn)) == name


@pytest.mark.parametrize("name", LAYERS)
def test_layers_start_as_torchs(name):
    torch = namespace("torch")
    states = []
    for t in (minigrad, torch):
        t.manual_seed(5)
        states.append({key: value.numpy() for key, value in LAYERS[name](t.nn).state_dict().items()})
    assert list(states[0]) == list(states[1])
    for found, wanted in zip(states[0].values(), states[1].values(), strict=True):
        np.testing.assert_array_equal(found, wanted)


# ------------------------------------------------------------------------------------------ derivatives
OPERATIONS = {"lstm": (ops.lstm, 4, 2), "gru": (ops.gru, 3, 1), "tanh": (ops.rnn_tanh, 1, 1)}
OPERATIONS["relu"] = (ops.rnn_relu, 1, 1)


def operands(gates, states, batch, biased, dtype="float64"):
    generator = np.random.default_rng(7)
    shapes = [(4, 3), (gates * 2, 3), (gates * 2, 2)] + [(gates * 2,)] * 2 + [(batch, 2)] * states
    made = [minigrad.tensor(generator.normal(size=shape), dtype=getattr(minigrad, dtype)) for shape in shapes]
    made = [tensor.requires_grad_() for tensor in made]
    return made if biased else [*made[:3], None, None, *made[5:]]


@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("sizes", [(2, 2), (2, 1, 1)])
@pytest.mark.parametrize("name", OPERATIONS)
def test_kernels_compute_the_definition(name, sizes, reverse, biased):
    operation, gates, states = OPERATIONS[name]
    values = operands(gates, states, sizes[0], biased)
    found, wanted = operation(*values, sizes, reverse), operation.definition(*values, sizes, reverse)
    np.testing.assert_allclose(found.detach().numpy(), wanted.detach().numpy(), rtol=1e-12, atol=1e-14)
    given = [value for value in values if value is not None]
    g = minigrad.arange(found.numel(), dtype=minigrad.float64).reshape(found.shape).sin()
    gradients = (minigrad.autograd.grad(y, given, g) for y in (found, wanted))
    for ours, theirs in zip(*gradients, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", OPERATIONS)
def test_first_and_second_derivatives(name):
    operation, gates, states = OPERATIONS[name]
    values = operands(gates, states, 2, True)

    def of(*values):
        return operation(*values, (2, 1, 1), False)

    assert gradcheck(of, values)
    assert gradgradcheck(of, values)


def test_backward_twice_gives_the_same():
    layer = nn.LSTM(3, 4)
    x = minigrad.rand(5, 2, 3)
    output, _ = layer(x)
    first = minigrad.autograd.grad(output.sum(), layer.parameters(), retain_graph=True)
    again = minigrad.autograd.grad(output.sum(), layer.parameters())
    for one, two in zip(first, again, strict=True):
        assert one.abs().sum() > 0
        np.testing.assert_array_equal(one.numpy(), two.numpy())


# ---------------------------------------------------------------------------------------------- cells
CELLS = {
    "RNNCell(3, 4)": lambda n, **o: n.RNNCell(3, 4, **o),
    "RNNCell(3, 4, bias=False, nonlinearity=relu)": lambda n, **o: n.RNNCell(3, 4, False, "relu", **o),
    "LSTMCell(3, 4)": lambda n, **o: n.LSTMCell(3, 4, **o),
    "GRUCell(3, 4, bias=False)": lambda n, **o: n.GRUCell(3, 4, False, **o),
    "GRUCell(3, 4)": lambda n, **o: n.GRUCell(3, 4, **o),
}


def run_cell(t, name, shape):
    t.manual_seed(4)
    cell = CELLS[name](t.nn, dtype=t.float64)
    assert repr(cell) == name
    x = t.randn(*shape, dtype=t.float64).requires_grad_()
    once = cell(x)
    twice = cell(x * 2, once)
    results = list(twice) if isinstance(twice, tuple) else [twice]
    grads = t.autograd.grad(sum((y * y).sum() for y in results), [x, *cell.parameters()])
    return [type(y.grad_fn).__name__ if t.__name__ == "torch" else y.grad_fn.name() for y in results], [
        array for y in (*results, *grads) for array in arrays_of(y)
    ]


@pytest.mark.parametrize("shape", [(3,), (1, 3), (5, 3)])
@pytest.mark.parametrize("name", CELLS)
def test_cells_are_torchs(name, shape):
    (names, ours), (torchs, theirs) = (run_cell(namespace(t), name, shape) for t in ("minigrad", "torch"))
    if len(shape) == 2:
        assert names == torchs
    for found, wanted in zip(ours, theirs, strict=True):
        assert found.shape == wanted.shape
        np.testing.assert_allclose(found, wanted, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_cells_step_as_layers_do(kind):
    layer, cell = getattr(nn, kind)(3, 4), getattr(nn, f"{kind}Cell")(3, 4)
    cell.load_state_dict({name[:-3]: value for name, value in layer.state_dict().items()})
    x, state = minigrad.randn(5, 2, 3), None
    output, _ = layer(x)
    for step, wanted in zip(x, output, strict=True):
        state = cell(step, state)
        h = state[0] if kind == "LSTM" else state
        np.testing.assert_allclose(h.detach().numpy(), wanted.detach().numpy(), rtol=1e-5, atol=1e-6)


# ---------------------------------------------------------------------------------------------- errors

OUTCOMES = {
    "input of a vector": (
        lambda t: t.nn.GRU(3, 4)(t.zeros(3)),
        "ValueError: GRU: Expected input to be 2D or 3D, got 1D instead",
    ),
    "wrong features": (
        lambda t: t.nn.LSTM(3, 4)(t.zeros(2, 2, 5)),
        "RuntimeError: input.size(-1) must be equal to input_size. Expected 3, got 5",
    ),
    "wrong dtype": (
        lambda t: t.nn.RNN(3, 4)(t.zeros(2, 2, 3, dtype=t.float64)),
        "ValueError: RNN input dtype (torch.float64) does not match weight dtype (torch.float32). "
        "Convert input: input.to(torch.float32), or convert model: model.to(torch.float64)",
    ),
    "wrong state": (
        lambda t: t.nn.RNN(3, 4)(t.zeros(2, 2, 3), t.zeros(1, 3, 4)),
        "RuntimeError: Expected hidden size (1, 2, 4), got [1, 3, 4]",
    ),
    "wrong cell": (
        lambda t: t.nn.LSTM(3, 4)(t.zeros(2, 2, 3), (t.zeros(1, 2, 4), t.zeros(1, 2, 5))),
        "RuntimeError: Expected hidden[1] size (1, 2, 4), got [1, 2, 5]",
    ),
    "state without a batch": (
        lambda t: t.nn.GRU(3, 4)(t.zeros(2, 2, 3), t.zeros(1, 4)),
        "RuntimeError: For batched 3-D input, hx should also be 3-D but got 2-D tensor",
    ),
    "states with a batch": (
        lambda t: t.nn.LSTM(3, 4)(t.zeros(2, 3), (t.zeros(1, 1, 4), t.zeros(1, 1, 4))),
        "RuntimeError: For unbatched 2-D input, hx and cx should also be 2-D but got (3-D, 3-D) tensors",
    ),
    "no step": (
        lambda t: t.nn.LSTM(3, 4)(t.zeros(0, 2, 3)),
        "RuntimeError: Expected sequence length to be larger than 0 in RNN",
    ),
    "dropout of 2": (
        lambda t: t.nn.GRU(3, 4, 2, dropout=2),
        "ValueError: dropout should be a number in range [0, 1] representing the probability of an element "
        "being zeroed",
    ),
    "no layer": (
        lambda t: t.nn.GRU(3, 4, 0),
        "ValueError: num_layers must be greater than zero",
    ),
    "bias of 3": (lambda t: t.nn.GRU(3, 4, 1, 3), "TypeError: bias should be of type bool, got: int"),
    "no hidden": (lambda t: t.nn.GRU(3, 0), "ValueError: hidden_size must be greater than zero"),
    "projected GRU": (
        lambda t: t.nn.GRU(3, 4, proj_size=2),
        "ValueError: proj_size argument is only supported for LSTM, not RNN or GRU",
    ),
    "unknown nonlinearity": (
        lambda t: t.nn.RNN(3, 4, nonlinearity="step"),
        "ValueError: Unknown nonlinearity 'step'. Select from 'tanh' or 'relu'.",
    ),
    "cell's features": (
        lambda t: t.nn.GRUCell(3, 4)(t.zeros(2, 5)),
        "RuntimeError: input has inconsistent input_size: got 5 expected 3",
    ),
    "cell's batch": (
        lambda t: t.nn.LSTMCell(3, 4)(t.zeros(2, 3), (t.zeros(2, 4), t.zeros(3, 4))),
        "RuntimeError: Input batch size 2 doesn't match hidden1 batch size 3",
    ),
    "cell's state": (
        lambda t: t.nn.RNNCell(3, 4)(t.zeros(2, 3), t.zeros(2, 5)),
        "RuntimeError: hidden0 has inconsistent hidden_size: got 5, expected 4",
    ),
    "cell of an image": (
        lambda t: t.nn.RNNCell(3, 4)(t.zeros(2, 3, 3)),
        "ValueError: RNNCell: Expected input to be 1D or 2D, got 3D instead",
    ),
    "cell's dtype": (
        lambda t: t.nn.GRUCell(3, 4)(t.zeros(2, 3, dtype=t.float64)),
        "RuntimeError: mat1 and mat2 must have the same dtype, but got Double and Float",
    ),
    "lengths in disorder": (
        lambda t: t.nn.utils.rnn.pack_padded_sequence(t.zeros(4, 2), [1, 2]),
        "RuntimeError: `lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You "
        "can pass `enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this "
        "requirement if you do not need ONNX exportability.",
    ),
    "too few lengths": (
        lambda t: t.nn.utils.rnn.pack_padded_sequence(t.zeros(4, 2), [1]),
        "RuntimeError: Expected `len(lengths)` to be equal to batch_size, but got 1 (batch_size=2)",
    ),
    "a length of 0": (
        lambda t: t.nn.utils.rnn.pack_padded_sequence(t.zeros(4, 2), [1, 0]),
        "RuntimeError: Length of all samples has to be greater than 0, but found an element in 'lengths' "
        "that is <= 0",
    ),
    "total_length": (
        lambda t: t.nn.utils.rnn.pad_packed_sequence(
            t.nn.utils.rnn.pack_sequence([t.zeros(3)]), total_length=2
        ),
        "ValueError: Expected total_length to be at least the length of the longest sequence in input, but "
        "got total_length=2 and max sequence length being 3",
    ),
    "packed": (
        lambda t: t.nn.utils.rnn.pack_sequence([t.tensor([1]), t.tensor([2, 3])], enforce_sorted=False),
        "PackedSequence(data=tensor([2, 1, 3]), batch_sizes=tensor([2, 1]), sorted_indices=tensor([1, 0]), "
        "unsorted_indices=tensor([1, 0]))",
    ),
    "unpacked": (
        lambda t: t.nn.utils.rnn.unpack_sequence(
            t.nn.utils.rnn.pack_sequence([t.tensor([1]), t.tensor([2, 3])], enforce_sorted=False)
        ),
        "[tensor([1]), tensor([2, 3])]",
    ),
}


@libraries
@pytest.mark.parametrize("name", OUTCOMES)
def test_outcomes(library, name):
    script, expected = OUTCOMES[name]
    assert outcome(script, namespace(library)) == expected


@libraries
def test_dropout_of_one_layer_warns(library):
    with pytest.warns(UserWarning, match="dropout option adds dropout after all but last recurrent layer"):
        namespace(library).nn.LSTM(3, 4, dropout=0.5)


def test_projections_are_refused():
    with pytest.raises(NotImplementedError, match="proj_size=2: projections of the hidden state"):
        nn.LSTM(3, 4, proj_size=2)


@libraries
def test_empty_batches(library):
    t = namespace(library)
    output, last = t.nn.GRU(3, 4)(t.zeros(2, 0, 3))
    assert (tuple(output.shape), tuple(last.shape)) == ((2, 0, 4), (1, 0, 4))


def test_packed_sequences_convert():
    packed = rnn.pack_sequence([minigrad.ones(2)])
    assert packed.double().data.dtype is minigrad.float64
    assert packed.to(minigrad.float64).float().data.dtype is minigrad.float32
    assert nn.GRU(3, 4).flatten_parameters() is None
    assert [[w.ndim for w in ws] for ws in nn.GRU(3, 4).all_weights] == [[2, 2, 1, 1]]


# -------------------------------------------------------------------------------------------- training
def losses(t):
    """Those of a classifier of the sign of a sequence's sum."""
    t.manual_seed(0)
    x = t.randn(32, 6, 2)
    wanted = (x.sum((1, 2)) > 0).float()
    layer, head = t.nn.LSTM(2, 8, batch_first=True), t.nn.Linear(8, 1)
    optimizer = t.optim.Adam([*layer.parameters(), *head.parameters()], lr=0.02)
    found = []
    for _ in range(30):
        optimizer.zero_grad()
        _, (h, _) = layer(x)
        loss = t.nn.functional.binary_cross_entropy_with_logits(head(h[-1]).squeeze(-1), wanted)
        loss.backward()
        optimizer.step()
        found.append(f"{loss.item():.4f}")
    return found


# torch 2.13's
FIRST_AND_LAST = ("0.7122", "0.1749")


@libraries
def test_training_prints_torchs_losses(library):
    found = losses(namespace(library))
    assert (found[0], found[-1]) == FIRST_AND_LAST
