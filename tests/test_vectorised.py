"""The machine code of the hot loops: packed instructions, and no call of libm's functions of one number."""

import math
import platform
import re

import numba
import numpy as np
import pytest

from minigrad.kernels import batchnorm, extremes, losses, norm, reduction, rows, sigmoid, softmax
from minigrad.kernels.jit import Kernel, _build, kernel

pytestmark = pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64"), reason="reads x86 assembly"
)

RNG = np.random.default_rng(5)
X, G, P = (RNG.uniform(0.1, 0.9, (6, 40)).astype(np.float32) for _ in range(3))
ROW, W = X[:, 0].copy(), X[0].copy()
LABELS = np.arange(6) % 40
NORM = norm.LayerNorm(X, W, W, (40,), 1e-5)
PLAIN = norm.LayerNorm(X, None, None, (40,), 1e-5)
RMS = norm.RMSNorm(X, W, None, (40,), 1e-5)
BATCH = batchnorm.BatchNorm(X, *batchnorm.moments(X), W, 1e-5, True)
IMAGES = X.reshape(2, 3, 40)
BATCHES = batchnorm.BatchNorm(IMAGES, *batchnorm.moments(IMAGES), None, 1e-5, True)


def loss(name, *arguments, **options):
    return lambda: getattr(losses, name)(*arguments, reduction="mean", grad=True, **options)


CALLS = {
    "softmax": lambda: softmax.softmax(X, 1),
    "softmax gradient": lambda: softmax.softmax_vjp(G, X, 1),
    "log_softmax": lambda: softmax.log_softmax(X, 1),
    "log_softmax gradient": lambda: softmax.log_softmax_vjp(G, X, 1),
    "logsumexp": lambda: softmax.logsumexp(X, (1,)),
    "logsumexp gradient": lambda: softmax.logsumexp_vjp(ROW, X, ROW, (1,)),
    "sigmoid": lambda: sigmoid.sigmoid(X),
    "sigmoid gradient": lambda: sigmoid.sigmoid_vjp(G, X),
    "log_sigmoid": lambda: sigmoid.log_sigmoid(X),
    "log_sigmoid gradient": lambda: sigmoid.log_sigmoid_vjp(G, X),
    "silu": lambda: sigmoid.silu(X),
    "silu gradient": lambda: sigmoid.silu_vjp(G, X),
    "tanh": lambda: sigmoid.tanh(X),
    "tanh gradient": lambda: sigmoid.tanh_vjp(G, X),
    "gelu": lambda: sigmoid.gelu(X),
    "gelu gradient": lambda: sigmoid.gelu_vjp(G, X),
    "gelu tanh": lambda: sigmoid.gelu(X, "tanh"),
    "gelu tanh gradient": lambda: sigmoid.gelu_vjp(G, X, "tanh"),
    "relu": lambda: sigmoid.relu(X),
    "layer_norm": NORM.value,
    "layer_norm plain gradient": lambda: PLAIN.input_gradient(G),
    "layer_norm gradients": lambda: NORM.gradients(G),
    "group_norm": norm.LayerNorm(X, W[:20], W[:20], (20,), 1e-5, 12, 2).value,
    "rms_norm": RMS.value,
    "rms_norm gradients": lambda: RMS.gradients(G),
    "batch statistics": lambda: batchnorm.moments(X),
    "batch statistics of images": lambda: batchnorm.moments(IMAGES),
    "batch_norm": lambda: BATCH.value(W),
    "batch_norm gradients": lambda: BATCH.gradients(G),
    "batch_norm of images": lambda: BATCHES.value(None),
    "batch_norm gradients of images": lambda: BATCHES.gradients(IMAGES),
    "rows added": lambda: rows.add_rows(X, LABELS, 40),
    "sum": lambda: reduction.sum(X),
    "var": lambda: reduction.var(X),
    "var gradient": lambda: reduction.centred(X, np.ones(6), ROW, 1),
    "max": lambda: extremes.extreme_of_all(X),
    "max of rows": lambda: extremes.extreme_of_rows(X),
    "mse": loss("squared_error", X, P),
    "binary_cross_entropy": loss("binary_cross_entropy", X, P),
    "binary_cross_entropy_with_logits": loss("binary_cross_entropy_with_logits", X, P),
    "kl_div": loss("kl_div", X, P),
    "cross_entropy": loss("cross_entropy_indices", X, LABELS),
}

PACKED = re.compile(
    r"^\s+v?(?:f?n?m?(?:add|sub)\w*|mul|div|max|min|cmp\w*)p[sd]\b|^\s+v?pmaxs[dq]\b", re.MULTILINE
)
LIBM = re.compile(r"\b(?:exp|exp2|expm1|log|log1p|log2|pow|tanh|erf|erfc|sin|cos)f?(?:@PLT)?\b")


def assembly_of_all(call, monkeypatch):
    """The assembly of every kernel that the call runs, compiled anew: kept code cannot be read."""
    ran = {}
    run, dispatcher = Kernel.run, Kernel.dispatcher

    def recorded(self, size, *args):
        ran[self] = args
        return run(self, size, *args)

    def prepared(self, twin="serial"):
        def launch(*args):
            ran[self] = args
            return found(*args)

        found = dispatcher(self, twin)
        return launch if twin == "serial" else found

    with monkeypatch.context() as patched:
        patched.setattr(Kernel, "run", recorded)
        patched.setattr(Kernel, "dispatcher", prepared)
        call()
    texts = {}
    for kern, args in ran.items():
        dispatcher = _build(kern, "serial")
        dispatcher._cache.prepare()
        dispatcher._cache = numba.core.caching.NullCache()
        dispatcher.compile(tuple(map(numba.typeof, args)))
        (texts[repr(kern)],) = dispatcher.inspect_asm().values()
    return texts


@pytest.mark.parametrize("name", CALLS)
def test_hot_loops_are_packed_and_call_nothing(name, monkeypatch):
    texts = assembly_of_all(CALLS[name], monkeypatch)
    assert texts
    for kern, text in texts.items():
        assert len(PACKED.findall(text)) >= 4, f"{kern} runs one number at a time"
        assert LIBM.findall(text) == [], kern


@kernel
def scalar_exp(x):
    for i in range(x.size):
        x[i] = math.exp(x[i])


def test_a_call_of_libm_is_seen(monkeypatch):
    (text,) = assembly_of_all(lambda: scalar_exp.run(3, X.ravel().copy()), monkeypatch).values()
    assert set(LIBM.findall(text)) == {"expf"}


@kernel
def one_by_one(x):
    for i in range(1, x.size):
        x[i] = x[i] + 0.5 * x[i - 1]


def test_a_loop_that_is_not_packed_is_seen(monkeypatch):
    (text,) = assembly_of_all(lambda: one_by_one.run(3, X.ravel().copy()), monkeypatch).values()
    assert len(PACKED.findall(text)) < 4
