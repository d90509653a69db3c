"""Properties of the elementwise losses over shapes, dtypes and layouts, checked against their definitions."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad
from minigrad.autograd import grad
from minigrad.nn import extra
from minigrad.nn import functional as F

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def _real(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.standard_normal(shape) * 3


def _unit(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(0.01, 0.99, shape)


def _positive(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(0.1, 5.0, shape)


def _sign(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.choice([-1.0, 1.0], shape)


# function, what its inputs are drawn from, options
ELEMENTWISE: dict[str, tuple[Callable, tuple[Draw, ...], dict]] = {
    "mse": (F.mse_loss, (_real, _real), {}),
    "l1": (F.l1_loss, (_real, _real), {}),
    "smooth l1": (F.smooth_l1_loss, (_real, _real), {"beta": 0.7}),
    "bce": (F.binary_cross_entropy, (_unit, _unit), {}),
    "bce with logits": (F.binary_cross_entropy_with_logits, (_real, _unit), {}),
    "kl": (F.kl_div, (_real, _unit), {}),
    "kl of logarithms": (F.kl_div, (_real, _real), {"log_target": True}),
    "huber": (F.huber_loss, (_real, _real), {"delta": 0.7}),
    "poisson": (F.poisson_nll_loss, (_real, _positive), {}),
    "poisson, full": (F.poisson_nll_loss, (_positive, _positive), {"log_input": False, "full": True}),
    "gaussian": (F.gaussian_nll_loss, (_real, _real, _positive), {}),
    "hinge embedding": (F.hinge_embedding_loss, (_real, _sign), {}),
    "soft margin": (F.soft_margin_loss, (_real, _sign), {}),
    "margin ranking": (F.margin_ranking_loss, (_real, _real, _sign), {"margin": 0.3}),
    "hinge": (extra.hinge_loss, (_real, _sign), {}),
    "squared hinge": (extra.squared_hinge_loss, (_real, _sign), {}),
    "focal": (extra.sigmoid_focal_loss, (_real, _unit), {}),
    "smoothed bce": (extra.smooth_binary_cross_entropy_with_logits, (_real, _unit), {"label_smoothing": 0.2}),
    "log cosh": (extra.log_cosh_loss, (_real, _real), {}),
    "quantile": (extra.quantile_loss, (_real, _real), {"quantile": 0.3}),
    "mape": (extra.mape_loss, (_real, _positive), {}),
    "msle": (extra.msle_loss, (_positive, _positive), {}),
    "gaussian kl": (extra.gaussian_kl_loss, (_real, _real), {}),
}

shapes = st.lists(st.integers(0, 5), max_size=4).map(tuple)
layouts = st.sampled_from(["contiguous", "transposed", "strided", "reversed"])
reductions = st.sampled_from(["sum", "none"])


def _laid_out(array: np.ndarray, layout: str) -> np.ndarray:
    """The same values in another memory layout."""
    if layout == "transposed":
        return array.T.copy().T
    if layout == "strided" and array.ndim:
        return np.repeat(array, 2, axis=0)[::2]
    if layout == "reversed" and array.ndim:
        return array[::-1].copy()[::-1]
    return array


@pytest.mark.parametrize("name", ELEMENTWISE)
@given(shape=shapes, layout=layouts, reduction=reductions, seed=st.integers(0, 99), double=st.booleans())
def test_kernel_is_the_definition(name, shape, layout, reduction, seed, double) -> None:
    function, draws, options = ELEMENTWISE[name]
    rng = np.random.default_rng(seed)
    dtype = np.float64 if double else np.float32
    arrays = [_laid_out(draw(rng, shape).astype(dtype), layout) for draw in draws]
    tensors = [minigrad.from_numpy(a) if a.flags.writeable else minigrad.tensor(a) for a in arrays]
    x = tensors[0].requires_grad_()
    found = function(x, *tensors[1:], reduction=reduction, **options)
    values = function.check(*function._bind([x, *tensors[1:]], {"reduction": reduction, **options}))
    expected = function.definition(*values)
    tolerance = {"rtol": 1e-10, "atol": 1e-12} if double else {"rtol": 1e-4, "atol": 1e-5}
    assert found.shape == expected.shape == (() if reduction == "sum" else shape)
    assert found.dtype is expected.dtype is x.dtype
    np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), **tolerance)
    cotangent = minigrad.from_numpy(np.asarray(rng.uniform(-1, 1, found.shape)).astype(dtype))
    (mine,) = grad(found, x, cotangent)
    (theirs,) = grad(expected, x, cotangent)
    assert mine.shape == shape
    np.testing.assert_allclose(mine.numpy(), theirs.numpy(), **tolerance)


@pytest.mark.parametrize("name", ELEMENTWISE)
@given(shape=shapes, seed=st.integers(0, 99))
def test_the_mean_is_the_sum_over_the_number_of_elements(name, shape, seed) -> None:
    function, draws, options = ELEMENTWISE[name]
    rng = np.random.default_rng(seed)
    tensors = [minigrad.from_numpy(np.asarray(draw(rng, shape))) for draw in draws]
    none, total, mean = (
        function(*tensors, reduction=reduction, **options).numpy() for reduction in ("none", "sum", "mean")
    )
    np.testing.assert_allclose(total, none.sum(), rtol=1e-12, atol=1e-12)
    if none.size:
        np.testing.assert_allclose(mean, none.mean(), rtol=1e-12, atol=1e-12)
    else:
        assert math.isnan(mean)


pytestmark = pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")
