"""Layers, activations, initialisers and containers: torch's numbers, texts and conventions."""

import hashlib
import json
import math
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

import minigrad
from minigrad import nn


def namespace(library):
    return pytest.importorskip(library, reason="the comparison with torch needs torch")


libraries = pytest.mark.parametrize("library", ["minigrad", "torch"])


def outcome(script, t):
    """What a script returns as text, or the class and first line of its exception."""
    try:
        return repr(script(t))
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"


def digest(*tensors):
    """A short hash of the bits of some tensors."""
    bits = b"".join(tensor.detach().numpy().tobytes() for tensor in tensors)
    return hashlib.sha256(bits).hexdigest()[:16]


# ------------------------------------------------------------------------------- initial parameters
INIT = {
    "uniform_": lambda t, x: t.nn.init.uniform_(x, -2.0, 3.0),
    "normal_": lambda t, x: t.nn.init.normal_(x, 1.0, 0.3),
    "constant_": lambda t, x: t.nn.init.constant_(x, 0.25),
    "ones_": lambda t, x: t.nn.init.ones_(x),
    "zeros_": lambda t, x: t.nn.init.zeros_(x),
    "eye_": lambda t, x: t.nn.init.eye_(x),
    "xavier_uniform_": lambda t, x: t.nn.init.xavier_uniform_(x, gain=5 / 3),
    "xavier_normal_": lambda t, x: t.nn.init.xavier_normal_(x),
    "kaiming_uniform_": lambda t, x: t.nn.init.kaiming_uniform_(x, a=0.3),
    "kaiming_normal_": lambda t, x: t.nn.init.kaiming_normal_(x, mode="fan_out", nonlinearity="relu"),
    "trunc_normal_": lambda t, x: t.nn.init.trunc_normal_(x, 0.0, 1.5),
    "trunc_normal_ of a tail": lambda t, x: t.nn.init.trunc_normal_(x, 0.0, 1.0, 1.5, 2.5),
}


def initialised(t, name):
    t.manual_seed(7)
    return [INIT[name](t, t.full(shape, 9.0)) for shape in ((3, 4), (30, 7))]


def linears(t):
    t.manual_seed(3)
    layers = [t.nn.Linear(*sizes) for sizes in ((2, 3), (16, 16), (100, 10), (1, 1))]
    layers.append(t.nn.Linear(5, 4, bias=False, dtype=t.float64))
    return [parameter for layer in layers for parameter in layer.parameters()]


# torch 2.13's bits, from a CPU with AVX2
DIGESTS = {
    "uniform_": "b57c8ad1f994e193",
    "normal_": "2b4631dedaf93074",
    "constant_": "2aad87f23d575e50",
    "ones_": "c32662bcb13009e3",
    "zeros_": "f0402756b4ecd3e4",
    "eye_": "0de42117e6d4982b",
    "xavier_uniform_": "f56b9ac67fabb501",
    "xavier_normal_": "e81229a906e9d348",
    "kaiming_uniform_": "f06af0f13a1b3661",
    "kaiming_normal_": "ec60c77958eaa840",
    "trunc_normal_": "111ef0752ce0146f",
    "trunc_normal_ of a tail": "b372445b1648bfc9",
    "Linear": "e70d7e5e4345bc69",
}


@pytest.mark.parametrize("name", INIT)
def test_initialisers(name):
    tensors = initialised(minigrad, name)
    assert digest(*tensors) == DIGESTS[name]
    assert [list(tensor.shape) for tensor in tensors] == [[3, 4], [30, 7]]


@pytest.mark.parametrize("name", INIT)
def test_initialisers_are_torchs(name):
    torch = namespace("torch")
    for ours, theirs in zip(initialised(minigrad, name), initialised(torch, name), strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


MORE_INIT = {
    "orthogonal_": lambda t: t.nn.init.orthogonal_(t.empty(3, 5)),
    "orthogonal_ tall": lambda t: t.nn.init.orthogonal_(t.empty(6, 2, 2), gain=2.0),
    "sparse_": lambda t: t.nn.init.sparse_(t.empty(5, 4), 0.3),
    "dirac_": lambda t: t.nn.init.dirac_(t.empty(4, 2, 3, 3), 2),
    "dirac_ 1d": lambda t: t.nn.init.dirac_(t.empty(2, 3, 4)),
    "orthogonal_ of a vector": lambda t: t.nn.init.orthogonal_(t.empty(3)),
    "sparse_ of a vector": lambda t: t.nn.init.sparse_(t.empty(3), 0.5),
    "dirac_ of a matrix": lambda t: t.nn.init.dirac_(t.empty(3, 3)),
    "dirac_ of odd groups": lambda t: t.nn.init.dirac_(t.empty(3, 3, 3), 2),
}


@pytest.mark.parametrize("name", MORE_INIT)
def test_more_initialisers_are_torchs_but_for_rounding(name, torch):
    found = []
    for t in (minigrad, torch):
        t.manual_seed(7)
        try:
            found.append(MORE_INIT[name](t).numpy())
        except ValueError as error:
            found.append(str(error))
    if isinstance(found[1], str):
        assert found[0] == found[1]
    else:
        np.testing.assert_allclose(found[0], found[1], rtol=1e-5, atol=1e-6)


def test_orthogonal_rows_are():
    minigrad.manual_seed(0)
    w = minigrad.nn.init.orthogonal_(minigrad.empty(3, 7), gain=0.5).numpy()
    np.testing.assert_allclose(w @ w.T, 0.25 * np.eye(3), atol=1e-6)


@libraries
def test_the_parameters_a_linear_layer_starts_with(library):
    assert digest(*linears(namespace(library))) == DIGESTS["Linear"]


def test_initialisers_fill_in_place_and_take_a_generator():
    parameter = nn.Parameter(minigrad.zeros(2, 2))
    version = parameter._version
    assert nn.init.normal_(parameter) is parameter
    assert parameter.is_leaf
    assert parameter.requires_grad
    assert parameter._version == version + 1
    state = minigrad.get_rng_state().tolist()
    draws = [
        nn.init.uniform_(minigrad.zeros(3), generator=minigrad.Generator().manual_seed(5)) for _ in range(2)
    ]
    assert draws[0].tolist() == draws[1].tolist()
    assert minigrad.get_rng_state().tolist() == state


@libraries
def test_gains(library):
    gain = namespace(library).nn.init.calculate_gain
    assert gain("linear") == gain("conv_transpose3d") == gain("sigmoid") == 1
    assert gain("tanh") == 5 / 3
    assert gain("relu") == math.sqrt(2)
    assert gain("selu") == 0.75
    assert gain("leaky_relu") == math.sqrt(2 / (1 + 0.01**2))
    assert gain("leaky_relu", 2) == math.sqrt(2 / 5)


@libraries
def test_empty_layers_warn(library):
    t = namespace(library)
    with pytest.warns(UserWarning, match="Initializing zero-element tensors is a no-op"):
        layer = t.nn.Linear(0, 2)
    assert layer.bias.tolist() == [0.0, 0.0]
    assert layer(t.ones(3, 0)).tolist() == [[0.0, 0.0]] * 3


@libraries
def test_truncated_normals_far_from_the_mean_warn(library):
    t = namespace(library)
    with pytest.warns(UserWarning, match="mean is more than 2 std from"):
        drawn = t.nn.init.trunc_normal_(t.zeros(50), 0.0, 0.5, 1.5, 2.0)
    assert 1.5 <= drawn.min().item() <= drawn.max().item() <= 2.0


# -------------------------------------------------------------------------------------- activations
POINTS = [-30.0, -6.0, -1.0, -1e-3, 0.0, 1e-3, 0.5, 1.0, 3.0, 6.0, 30.0]

ACTIVATIONS = {
    "ReLU()": lambda n: n.ReLU(),
    "ReLU(inplace=True)": lambda n: n.ReLU(True),
    "LeakyReLU(negative_slope=0.01)": lambda n: n.LeakyReLU(),
    "LeakyReLU(negative_slope=0.2, inplace=True)": lambda n: n.LeakyReLU(0.2, True),
    "ELU(alpha=1.0)": lambda n: n.ELU(),
    "ELU(alpha=2, inplace=True)": lambda n: n.ELU(2, True),
    "GELU(approximate='none')": lambda n: n.GELU(),
    "GELU(approximate='tanh')": lambda n: n.GELU("tanh"),
    "SiLU()": lambda n: n.SiLU(),
    "SiLU(inplace=True)": lambda n: n.SiLU(inplace=True),
    "Sigmoid()": lambda n: n.Sigmoid(),
    "LogSigmoid()": lambda n: n.LogSigmoid(),
    "Tanh()": lambda n: n.Tanh(),
    "Softplus(beta=1.0, threshold=20.0)": lambda n: n.Softplus(),
    "Softplus(beta=2, threshold=5)": lambda n: n.Softplus(2, 5),
    "Softmax(dim=0)": lambda n: n.Softmax(0),
    "LogSoftmax(dim=-1)": lambda n: n.LogSoftmax(dim=-1),
    "Softmin(dim=0)": lambda n: n.Softmin(dim=0),
    "ReLU6()": lambda n: n.ReLU6(),
    "ReLU6(inplace=True)": lambda n: n.ReLU6(True),
    "Hardtanh(min_val=-1.0, max_val=1.0)": lambda n: n.Hardtanh(),
    "Hardtanh(min_val=-6.0, max_val=0.5, inplace=True)": lambda n: n.Hardtanh(-6.0, 0.5, True),
    "Softsign()": lambda n: n.Softsign(),
    "Tanhshrink()": lambda n: n.Tanhshrink(),
    "Mish()": lambda n: n.Mish(),
    "Mish(inplace=True)": lambda n: n.Mish(inplace=True),
    "Hardshrink(0.5)": lambda n: n.Hardshrink(),
    "Softshrink(0.25)": lambda n: n.Softshrink(0.25),
    "Hardsigmoid()": lambda n: n.Hardsigmoid(inplace=True),
    "Hardswish()": lambda n: n.Hardswish(True),
    "SELU()": lambda n: n.SELU(),
    "SELU(inplace=True)": lambda n: n.SELU(True),
    "CELU(alpha=1.0)": lambda n: n.CELU(),
    "CELU(alpha=0.5, inplace=True)": lambda n: n.CELU(0.5, True),
    "Threshold(threshold=0.1, value=20)": lambda n: n.Threshold(0.1, 20),
    "Threshold(threshold=0.1, value=20, inplace=True)": lambda n: n.Threshold(0.1, 20, True),
    "RReLU(lower=0.125, upper=0.3333333333333333)": lambda n: n.RReLU().eval(),
    "RReLU(lower=0.2, upper=0.4, inplace=True)": lambda n: n.RReLU(0.2, 0.4, True).eval(),
    "Dropout(p=0.5, inplace=False)": lambda n: n.Dropout().eval(),
    "Identity()": lambda n: n.Identity(1, 2, a=3),
    "Flatten(start_dim=0, end_dim=-1)": lambda n: n.Flatten(0),
}


def value_and_gradient(t, name, dtype):
    """The activation of POINTS, and the gradient for the cotangents 1, 1/2, 1/3, ..."""
    x = t.tensor(POINTS, dtype=getattr(t, dtype), requires_grad=True)
    y = ACTIVATIONS[name](t.nn)(x + 0)
    y.backward(t.tensor([1 / (i + 1) for i in range(len(POINTS))], dtype=x.dtype))
    return y.detach().numpy(), x.grad.numpy()


# torch 2.13's values and gradients in float64
RECORDED = json.loads(Path(__file__).with_name("data").joinpath("activations.json").read_text())


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name):
    value, gradient = value_and_gradient(minigrad, name, "float64")
    np.testing.assert_allclose(value, RECORDED[name][0], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(gradient, RECORDED[name][1], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_torchs(name, dtype):
    torch = namespace("torch")
    assert repr(ACTIVATIONS[name](nn)) == repr(ACTIVATIONS[name](torch.nn)) == name
    tolerance = {"rtol": 2e-6, "atol": 2e-7} if dtype == "float32" else {"rtol": 1e-12, "atol": 1e-15}
    for ours, theirs in zip(
        value_and_gradient(minigrad, name, dtype),
        value_and_gradient(torch, name, dtype),
        strict=True,
    ):
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, **tolerance)


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if "Soft" not in name[:4]])
def test_second_derivatives_of_activations(name):
    layer = ACTIVATIONS[name](nn)
    x = minigrad.tensor([-2.3, -0.4, 0.7, 2.1], dtype=minigrad.float64, requires_grad=True)
    assert minigrad.autograd.gradgradcheck(lambda x: layer(x * 1.0), (x,))


@libraries
@pytest.mark.parametrize(
    "make", [lambda n: n.ReLU(True), lambda n: n.ELU(2.0, True), lambda n: n.Dropout(1.0, True)]
)
def test_inplace_overwrites_the_input(library, make):
    t = namespace(library)
    layer = make(t.nn)
    x = t.tensor([-1.0, 2.0])
    assert layer(x) is x
    assert x.tolist() == make(t.nn)(t.tensor([-1.0, 2.0])).tolist() != [-1.0, 2.0]
    leaf = t.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        layer(leaf)


OUTCOMES = {
    "edges in disorder": (
        lambda t: t.nn.Hardtanh(1, 0),
        "AssertionError: max_val (0) must be greater than min_val (1)",
    ),
    "edges in disorder, function": (
        lambda t: t.nn.functional.hardtanh(t.zeros(1), 1, 0),
        "ValueError: min_val cannot be greater than max_val",
    ),
    "unknown approximation": (
        lambda t: t.nn.GELU("fast")(t.zeros(1)),
        "RuntimeError: approximate argument must be either none or tanh.",
    ),
    "p of 1.5": (
        lambda t: t.nn.Dropout(1.5),
        "ValueError: dropout probability has to be between 0 and 1, but got 1.5",
    ),
    "p of -0.1, function": (
        lambda t: t.nn.functional.dropout(t.ones(2), -0.1),
        "ValueError: dropout probability has to be between 0 and 1, but got -0.1",
    ),
    "identity of a vector": (
        lambda t: t.nn.init.eye_(t.zeros(2)),
        "ValueError: Only tensors with 2 dimensions are supported",
    ),
    "fan of a vector": (
        lambda t: t.nn.init.xavier_normal_(t.zeros(2)),
        "ValueError: Fan in and fan out can not be computed for tensor with fewer than 2 dimensions",
    ),
    "unknown fan": (
        lambda t: t.nn.init.kaiming_normal_(t.zeros(2, 2), mode="both"),
        "ValueError: Mode both not supported, please use one of ['fan_in', 'fan_out']",
    ),
    "unknown gain": (
        lambda t: t.nn.init.calculate_gain("step"),
        "ValueError: Unsupported nonlinearity step",
    ),
    "slope that is a bool": (
        lambda t: t.nn.init.calculate_gain("leaky_relu", True),
        "ValueError: negative_slope True not a valid number",
    ),
    "wrong number of features": (
        lambda t: t.nn.Linear(3, 1)(t.ones(2, 4)),
        "RuntimeError: mat1 and mat2 shapes cannot be multiplied (2x4 and 3x1)",
    ),
    "sequence of a number": (
        lambda t: t.nn.Sequential(3),
        "TypeError: int is not a Module subclass",
    ),
    "sequence past its end": (
        lambda t: t.nn.Sequential(t.nn.ReLU())[1],
        "IndexError: index 1 is out of range",
    ),
    "sequence plus a number": (
        lambda t: t.nn.Sequential() + 3,
        "ValueError: add operator supports only objects of Sequential class, but <class 'int'> is given.",
    ),
    "insertion past the end": (
        lambda t: t.nn.Sequential().insert(2, t.nn.ReLU()),
        "IndexError: Index out of range: 2",
    ),
    "list of a number": (
        lambda t: t.nn.ModuleList(3),
        "TypeError: ModuleList.extend should be called with an iterable, but got int",
    ),
    "list before its start": (
        lambda t: t.nn.ModuleList([t.nn.ReLU()])[-2],
        "IndexError: index -2 is out of range",
    ),
    "dict of a number": (
        lambda t: t.nn.ModuleDict(3),
        "TypeError: ModuleDict.update should be called with an iterable of key/value pairs, but got int",
    ),
    "dict with a method's name": (
        lambda t: t.nn.ModuleDict({"keys": t.nn.ReLU()}),
        "KeyError: \"attribute 'keys' already exists\"",
    ),
    "missing key": (lambda t: t.nn.ModuleDict()["a"], "KeyError: 'a'"),
    "parameters from a tensor": (
        lambda t: t.nn.ParameterList(t.zeros(2)),
        "TypeError: ParameterList.extend should be called with an iterable, but got Tensor",
    ),
    "parameter dict": (
        lambda t: t.nn.ParameterDict({"a": t.zeros(2, 1), "b": 3}),
        "ParameterDict(\n    (a): Parameter containing: [torch.FloatTensor of size 2x1]\n"
        "    (b): Object of type: int\n)",
    ),
}


@libraries
@pytest.mark.parametrize("name", OUTCOMES)
def test_outcomes(library, name):
    script, expected = OUTCOMES[name]
    assert outcome(script, namespace(library)) == expected


# ----------------------------------------------------------------------------------- other layers
@libraries
def test_linear_layers_of_any_batch(library):
    t = namespace(library)
    layer = t.nn.Linear(3, 2)
    for shape in ((3,), (5, 3), (2, 4, 3), (0, 3)):
        x = t.rand(*shape)
        expected = x.numpy() @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
        np.testing.assert_allclose(layer(x).detach().numpy(), expected, rtol=1e-5, atol=1e-6)
    assert list(t.nn.Flatten()(t.zeros(2, 3, 4)).shape) == [2, 12]
    assert list(t.nn.Flatten(0, 1)(t.zeros(2, 3, 4)).shape) == [6, 4]


LAYER_NORMS = [  # arguments, options, the input's shape
    ((6,), {}, (4, 6)),
    (([2, 3],), {"eps": 0.01}, (4, 2, 3)),
    ((6,), {"bias": False}, (4, 5, 6)),
    (((6,),), {"elementwise_affine": False}, (6,)),
]


@libraries
@pytest.mark.parametrize("case", LAYER_NORMS, ids=str)
def test_layer_norm_normalises(case, library):
    t, (arguments, options, shape) = namespace(library), case
    layer = t.nn.LayerNorm(*arguments, **options)
    state = {name: value.numpy().tolist() for name, value in layer.state_dict().items()}
    sizes = layer.normalized_shape
    expected = {"weight": np.ones(sizes).tolist(), "bias": np.zeros(sizes).tolist()}
    if not options.get("elementwise_affine", True):
        expected = {}
    if not options.get("bias", True):
        del expected["bias"]
    assert state == expected
    x = t.tensor(np.random.default_rng(1).normal(3, 2, shape).astype("float32"))
    y = layer(x).detach().numpy().reshape(-1, int(np.prod(sizes))).astype(float)
    np.testing.assert_allclose(y.mean(1), 0, atol=1e-6)
    rows = x.numpy().reshape(y.shape).astype(float)
    np.testing.assert_allclose(y.var(1), rows.var(1) / (rows.var(1) + layer.eps), rtol=1e-5)


def test_layer_norms_print_as_torchs(torch):
    for arguments, options, _ in LAYER_NORMS:
        own, theirs = (t.nn.LayerNorm(*arguments, **options) for t in (minigrad, torch))
        assert repr(own) == repr(theirs)
        assert list(own.state_dict()) == list(theirs.state_dict())


@pytest.mark.parametrize(("shape", "dtype"), [((1000, 50), "float32"), ((70, 20_000), "float32")])
def test_layer_norm_of_many_rows_is_torchs(torch, shape, dtype):
    rng = np.random.default_rng(2)
    arrays = [rng.normal(3, 2, s).astype(dtype) for s in (shape, shape[1:], shape[1:], shape)]
    found = []
    for t, kind in ((minigrad, "float32"), (torch, "float64")):
        x, weight, bias, g = (t.tensor(a.astype(kind)) for a in arrays)
        leaves = [tensor.requires_grad_() for tensor in (x, weight, bias)]
        y = t.nn.functional.layer_norm(*(x, shape[1:], weight, bias))
        y.backward(g)
        found.append([y.detach().numpy(), *(leaf.grad.numpy() for leaf in leaves)])
    for own, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(own, theirs, rtol=1e-5, atol=2e-6 * np.abs(theirs).max())


def test_layer_norm_keeps_its_digits_beside_a_large_mean():
    x = np.random.default_rng(3).normal(0, 1, (4, 1000)) + 1e5
    exact = x.astype("float32").astype(float)
    exact = (exact - exact.mean(1, keepdims=True)) / np.sqrt(exact.var(1, keepdims=True) + 1e-5)
    y = minigrad.nn.functional.layer_norm(minigrad.tensor(x.astype("float32")), (1000,))
    np.testing.assert_allclose(y.numpy(), exact, rtol=1e-6, atol=1e-7)


def test_rows_without_a_cotangent_get_no_gradient_from_layer_norm_whatever_they_hold():
    x = minigrad.tensor([[1.0, float("inf"), 2.0], [1.0, 2.0, 4.0]], requires_grad=True)
    weight = minigrad.ones(3, requires_grad=True)
    y = minigrad.nn.functional.layer_norm(x, (3,), weight)
    y.backward(minigrad.tensor([[0.0, 0.0, 0.0], [1.0, 2.0, 0.0]]))
    assert x.grad[0].tolist() == [0.0, 0.0, 0.0]
    assert np.isfinite(weight.grad.numpy()).all()
    assert weight.grad.tolist() != [0.0, 0.0, 0.0]


def test_dropout_zeroes_and_rescales():
    minigrad.manual_seed(0)
    layer = nn.Dropout(0.25)
    x = minigrad.ones(10_000, requires_grad=True)
    y = layer(x)
    assert set(y.tolist()) == {0.0, float(np.float32(1) / np.float32(0.75))}
    assert abs((y == 0).float().mean().item() - 0.25) < 0.02
    assert y.grad_fn.name() == "MulBackward0"
    y.sum().backward()
    assert x.grad.tolist() == y.tolist()  # the mask
    assert layer(x).tolist() != y.tolist()
    assert layer.eval()(x) is x


def test_dropout_of_nothing_and_of_everything_draws_no_numbers():
    state = minigrad.get_rng_state().tolist()
    x = minigrad.ones(3)
    assert nn.Dropout(0.0)(x) is x
    assert nn.Dropout(1.0)(x).tolist() == [0.0, 0.0, 0.0]
    assert nn.functional.dropout(x, 0.5, training=False) is x
    assert minigrad.get_rng_state().tolist() == state


def test_dropout_draws_torchs_masks():
    torch = namespace("torch")
    torch.manual_seed(1)
    words = torch.rand(64, dtype=torch.float64) < 0.7
    torch.manual_seed(1)
    if not torch.equal(words, torch.empty(64).bernoulli_(0.7).bool()):
        pytest.skip("this torch draws bernoulli_ from another stream (MKL on Intel's CPUs)")
    for dtype in ("float32", "float64"):
        results = []
        for t in (minigrad, torch):
            t.manual_seed(1)
            x = t.rand(40, 3, dtype=getattr(t, dtype))
            results.append(t.nn.functional.dropout(x, 0.3).numpy())
        np.testing.assert_array_equal(*results)


# --------------------------------------------------------------------------------------- containers
def sequence_steps(t):
    """The text of a Sequential after each of many changes."""
    n = t.nn
    s = n.Sequential(n.ReLU(), n.Tanh(), n.Sigmoid())
    seen = [s[1:], s[-1], len(s), list(s[::-2])]
    s.append(n.Identity()).extend([n.ELU(), n.SiLU()])
    seen.append(str(s))
    s[0] = n.Flatten()
    s.insert(1, n.GELU())
    s.insert(-1, n.Mish())
    seen.append(str(s))
    del s[0]
    del s[2:4]
    seen.append((str(s), s.pop(-1), s.pop(slice(0, 2)), str(s)))
    named = n.Sequential(OrderedDict(first=n.ReLU(), second=n.Tanh()))
    seen += [named, named[:1], named.second, s + named]
    s += named
    seen += [s, list(s.state_dict()), s(t.tensor([-1.0, 1.0]))]
    return str(seen)


def list_steps(t):
    """The text of a ModuleList after each of many changes."""
    n = t.nn
    items = n.ModuleList([n.ReLU(), n.Tanh()])
    items.append(n.Tanh())
    items += [n.ReLU(), n.Sequential(n.ReLU())]
    seen = [str(items), items[1:3], items[-1], len(items), list(items)]
    items.insert(1, n.ELU())
    items[0] = n.GELU()
    seen.append(str(items))
    del items[1]
    del items[:2]
    seen += [
        str(items),
        items.pop(1),
        str(items),
        items + n.ModuleList([n.Mish()]),
        list(items.named_modules()),
    ]
    return str(seen)


def dict_steps(t):
    """The text of a ModuleDict after each of many changes."""
    n = t.nn
    items = n.ModuleDict([["a", n.ReLU()], ["b", n.Tanh()]])
    items.update({"b": n.ELU(), "c": n.SiLU()})
    items["d"] = n.Mish()
    seen = [str(items), list(items.keys()), list(items.values()), list(items), "a" in items]
    del items["a"]
    seen += [items.pop("b"), str(items), dict(items.items()), len(items)]
    items.clear()
    seen += [items, "c" in items, hasattr(items, "c")]
    return str(seen)


def parameter_steps(t):
    """The text of a ParameterList and a ParameterDict after some changes."""
    n = t.nn
    items = n.ParameterList([t.zeros(1), n.Parameter(t.ones(2))])
    items.append(t.ones(1))
    items[0] = t.full((1,), 2.0)
    items += [t.zeros(3)]
    seen = [items, items[0], items[-1], items[1:3], [name for name, _ in items.named_parameters()]]
    table = n.ParameterDict({"a": t.zeros(1)})
    table.update([["b", t.ones(1)], ["c", 3]])
    seen += [table, table["b"], "a" in table, list(table.keys()), list(table.values())]
    del table["a"]
    seen += [table.pop("c"), list(table.items()), [k for k, _ in table.named_parameters()]]
    return str(seen)


STEPS = [sequence_steps, list_steps, dict_steps, parameter_steps]
TEXTS = {
    "sequence_steps": "2785400267ff5438",
    "list_steps": "d268754e27e0abbb",
    "dict_steps": "acc2b589a6009a1b",
    "parameter_steps": "9371b9e6455116f1",
}


@libraries
@pytest.mark.parametrize("steps", STEPS, ids=lambda steps: steps.__name__)
def test_containers(library, steps):
    assert digest_text(steps(namespace(library))) == TEXTS[steps.__name__]


def digest_text(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def test_containers_keep_tables_and_attributes_in_step():
    items = nn.Sequential(nn.ReLU(), nn.Tanh(), nn.Sigmoid())
    tanh = items[1]
    del items[0]
    assert vars(items)["0"] is items[0] is tanh
    assert "2" not in vars(items)
    assert items(minigrad.tensor([0.0])).tolist() == [0.5]


def test_a_model_learns():
    minigrad.manual_seed(0)
    net = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
    x = minigrad.linspace(-1, 1, 32).reshape(-1, 1)
    losses = []
    for _ in range(200):
        loss = ((net(x) - x**2) ** 2).mean()
        losses.append(loss.item())
        net.zero_grad()
        loss.backward()
        with minigrad.no_grad():
            for parameter in net.parameters():
                parameter -= 0.1 * parameter.grad
    assert losses[-1] < 0.5 * losses[0]
