"""Attention against torch: parameters, results, weights, masks and gradients."""

import numpy as np
import pytest
from test_layers import digest, libraries, namespace, outcome

import minigrad
from minigrad import nn

CASES = {
    "plain": {},
    "several heads' weights": {"average_attn_weights": False},
    "no weights": {"need_weights": False},
    "causal": {"attn_mask": lambda t: t.tensor(np.triu(np.ones((4, 5), bool), 1))},
    "causal without weights": {
        "attn_mask": lambda t: t.tensor(np.triu(np.ones((4, 5), bool), 1)),
        "need_weights": False,
    },
    "added": {"attn_mask": lambda t: t.tensor(np.linspace(-1, 1, 6 * 20).reshape(6, 4, 5))},
    "padding": {"key_padding_mask": lambda t: t.tensor([[False] * 5, [False] * 3 + [True] * 2, [False] * 5])},
    "padding without weights": {
        "key_padding_mask": lambda t: t.tensor([[False] * 5, [False] * 3 + [True] * 2, [False] * 5]),
        "need_weights": False,
    },
}
LAYERS = {
    "same sizes": {},
    "batch first": {"batch_first": True},
    "other sizes": {"kdim": 3, "vdim": 7},
    "no bias": {"bias": False},
    "bias_kv and zero": {"add_bias_kv": True, "add_zero_attn": True},
    "dropout": {"dropout": 0.4},
}


def run(t, layer, case, dtype="float64"):
    """Result, weights and all gradients; the parameters the layer starts with."""
    t.manual_seed(4)
    attention = t.nn.MultiheadAttention(6, 2, **LAYERS[layer])
    start = [p.detach().numpy().copy() for p in attention.parameters()]
    attention = attention.to(getattr(t, dtype))
    rng = np.random.RandomState(2)
    sizes = [(4, 3, 6), (5, 3, attention.kdim), (5, 3, attention.vdim)]
    arrays = [rng.randn(*size).astype(dtype) for size in sizes]
    if attention.batch_first:
        arrays = [np.ascontiguousarray(a.transpose(1, 0, 2)) for a in arrays]
    inputs = [t.tensor(a, requires_grad=True) for a in arrays]
    options = {key: value(t) if callable(value) else value for key, value in CASES[case].items()}
    result, weights = attention(*inputs, **options)
    total = (result * t.tensor(rng.randn(*result.shape).astype(dtype))).sum()
    total.backward()
    found = [result, *([] if weights is None else [weights])]
    gradients = [x.grad for x in (*inputs, *attention.parameters())]
    return start, [x.detach().numpy() for x in (*found, *gradients)], [x.grad_fn.name() for x in found]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("layer", LAYERS)
def test_attention_is_torchs(layer, case, torch):
    (start, found, names), (theirs, expected, their_names) = (run(t, layer, case) for t in (minigrad, torch))
    for ours, other in zip(start, theirs, strict=True):
        np.testing.assert_array_equal(ours, other)
    for ours, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, other, rtol=1e-10, atol=1e-12)
    assert names == their_names


def test_the_parameters_attention_starts_with():
    minigrad.manual_seed(4)
    assert digest(*nn.MultiheadAttention(6, 2).parameters()) == "45b7020609afd84d"


def script_text(t):
    return repr(t.nn.MultiheadAttention(4, 2)), list(t.nn.MultiheadAttention(4, 2, kdim=3).state_dict())


def one_sequence(t):
    t.manual_seed(0)
    x = t.ones(3, 4)
    return [round(v, 4) for y in t.nn.MultiheadAttention(4, 2)(x, x, x) for v in y.flatten().tolist()]


def self_attention(t):
    t.manual_seed(0)
    x = t.randn(3, 2, 4)
    return [round(v, 4) for y in t.nn.MultiheadAttention(4, 2)(x, x, x) for v in y.flatten().tolist()]


def attend(t, *shapes, **options):
    return t.nn.functional.scaled_dot_product_attention(*(t.ones(*shape) for shape in shapes), **options)


OUTCOMES = {
    "text": script_text,
    "one sequence": one_sequence,
    "self": self_attention,
    "heads": lambda t: t.nn.MultiheadAttention(4, 3),
    "no heads": lambda t: t.nn.MultiheadAttention(4, 0),
    "dims": lambda t: t.nn.MultiheadAttention(4, 2)(t.ones(4), t.ones(4), t.ones(4)),
    "mixed dims": lambda t: t.nn.MultiheadAttention(4, 2)(t.ones(2, 3, 4), t.ones(3, 4), t.ones(3, 4)),
    "hint": lambda t: t.nn.MultiheadAttention(4, 2)(*[t.ones(3, 4)] * 3, is_causal=True),
    "mask": lambda t: t.nn.MultiheadAttention(4, 2)(*[t.ones(3, 4)] * 3, attn_mask=t.ones(2, 3)),
    "mask kind": lambda t: t.nn.MultiheadAttention(4, 2)(*[t.ones(3, 4)] * 3, attn_mask=t.ones(3, 3).long()),
    "both masks": lambda t: attend(t, *[(2, 3)] * 3, attn_mask=t.ones(2, 2) > 0, is_causal=True),
    "rate": lambda t: attend(t, *[(2, 3)] * 3, dropout_p=2.0),
    "one dim": lambda t: attend(t, (3,), (2, 3), (2, 3)),
    "mask of integers": lambda t: attend(t, *[(2, 3)] * 3, attn_mask=t.ones(2, 2).long()),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_outcomes_are_torchs(name, torch):
    assert outcome(OUTCOMES[name], minigrad) == outcome(OUTCOMES[name], torch)


@libraries
def test_a_query_that_may_look_nowhere_gets_zeros_and_no_gradient(library):
    t = namespace(library)
    x = t.ones(1, 1, 2, 3, requires_grad=True)
    mask = t.tensor([[True, False], [False, False]])
    y = t.nn.functional.scaled_dot_product_attention(x, x, x, mask)
    y.sum().backward()
    assert y.tolist() == [[[[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]]]
    assert x.grad.tolist() == [[[[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]]]


def test_dropped_weights_are_those_torch_drops(torch):
    results = []
    for t in (minigrad, torch):
        t.manual_seed(1)
        x = t.randn(1, 2, 3, 4)
        results.append(t.nn.functional.scaled_dot_product_attention(x, x, x, dropout_p=0.5).numpy())
    np.testing.assert_allclose(*results, rtol=1e-5, atol=1e-6)
