"""Layers that draw numbers, and layers of two inputs: what torch draws, and what it says."""

import warnings

import numpy as np
import pytest
from test_layers import outcome

import minigrad

DRAWS = {
    "rrelu": lambda t, x: t.nn.functional.rrelu(x, 0.1, 0.4, training=True),
    "RReLU": lambda t, x: t.nn.RReLU()(x),
    "gumbel_softmax": lambda t, x: t.nn.functional.gumbel_softmax(x, tau=0.7),
    "gumbel_softmax hard": lambda t, x: t.nn.functional.gumbel_softmax(x, hard=True, dim=1),
    "dropout1d": lambda t, x: t.nn.functional.dropout1d(x, 0.4),
    "dropout1d unbatched": lambda t, x: t.nn.functional.dropout1d(x[0], 0.4),
    "Dropout1d": lambda t, x: t.nn.Dropout1d(0.3)(x),
    "Dropout2d": lambda t, x: t.nn.Dropout2d(0.3)(x.unsqueeze(-1)),
    "Dropout2d of sequences": lambda t, x: t.nn.Dropout2d(0.3)(x),
    "Dropout2d of rows": lambda t, x: t.nn.Dropout2d(0.3)(x[0]),
    "AlphaDropout": lambda t, x: t.nn.AlphaDropout(0.3)(x),
    "AlphaDropout of all": lambda t, x: t.nn.AlphaDropout(1.0)(x),
    "AlphaDropout of nothing": lambda t, x: t.nn.AlphaDropout(0.0)(x),
    "alpha_dropout in place": lambda t, x: t.nn.functional.alpha_dropout(x + 0, 0.3, True, inplace=True),
    "FeatureAlphaDropout": lambda t, x: t.nn.FeatureAlphaDropout(0.3)(x),
    "in place": lambda t, x: t.nn.Dropout1d(0.3, inplace=True)(x + 0),
    "evaluated": lambda t, x: t.nn.Sequential(t.nn.Dropout1d(), t.nn.AlphaDropout()).eval()(x),
    "Bilinear": lambda t, x: t.nn.Bilinear(5, 5, 3)(x.float(), x.float()[[1, 0]] * 2),
    "Bilinear without bias": lambda t, x: t.nn.Bilinear(5, 5, 1, bias=False)(x.float()[0], x.float()[1]),
    "Unflatten": lambda t, x: t.nn.Unflatten(1, (2, -1))(x),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", DRAWS)
def test_draws_are_torchs(name, dtype, torch):
    torch.manual_seed(1)
    words = torch.rand(64, dtype=torch.float64) < 0.7
    torch.manual_seed(1)
    if not torch.equal(words, torch.empty(64).bernoulli_(0.7).bool()):
        pytest.skip("this torch draws bernoulli_ from another stream (MKL on Intel's CPUs)")
    found = []
    for t in (minigrad, torch):
        t.manual_seed(6)
        x = t.randn(2, 4, 5, dtype=getattr(t, dtype), requires_grad=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            y = DRAWS[name](t, x)
        (y * y).sum().backward()
        found.append((y.detach().numpy(), x.grad.numpy(), t.rand(1).numpy()))
        assert y is x or y.grad_fn is not None
    for ours, theirs in zip(*found, strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-6)


WORDS = """
t.nn.Dropout1d()
t.nn.Dropout2d(0.2, True)
t.nn.AlphaDropout(0.1)
t.nn.FeatureAlphaDropout(0.1, True)
t.nn.AlphaDropout(1.5)
t.nn.functional.dropout1d(t.ones(3))
t.nn.functional.dropout1d(t.ones(2, 3), p=2.0)
t.nn.functional.feature_alpha_dropout(t.ones(3), training=True)
t.nn.Bilinear(2, 3, 4)
t.nn.Bilinear(0, 3, 4)
t.nn.functional.bilinear(t.ones(3, 2), t.ones(2, 4), t.ones(5, 2, 4))
t.nn.functional.bilinear(t.ones(3, 2), t.ones(3, 3), t.ones(5, 2, 4))
t.nn.functional.bilinear(t.ones(3, 2), t.ones(3, 4), t.ones(5, 2, 4), t.ones(5))
t.nn.Unflatten(1, (2, 3))
t.nn.Unflatten(1, (2, 2))(t.ones(2, 3))
t.nn.Unflatten(-1, (2, 2))(t.ones(2, 4)).shape
"""


@pytest.mark.parametrize("words", WORDS.strip().splitlines())
def test_the_text_is_torchs(words, torch):
    assert outcome(lambda t: eval(words, {"t": t}), minigrad) == outcome(
        lambda t: eval(words, {"t": t}), torch
    )


def test_three_dimensions_warn_where_torch_warns(torch):
    for t in (minigrad, torch):
        with pytest.warns(UserWarning, match="dropout2d: Received a 3D input to dropout2d and assuming"):
            t.nn.Dropout2d()(t.ones(2, 3, 4))
        with pytest.warns(UserWarning, match="dropout2d: Received a 2-D input to dropout2d, which is"):
            t.nn.Dropout2d()(t.ones(2, 3))
