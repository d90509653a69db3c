"""Rows and errors of the losses between and of distributions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import minigrad
from losses_table.base import REDUCTIONS, SHAPES, Row, grid, log_probabilities
from minigrad import nn
from minigrad.nn import functional as F


def rows() -> Iterator[Row]:
    """The calls that are compared."""
    for options in grid(reduction=(*REDUCTIONS, "batchmean"), log_target=(False, True)):
        log_target = dict(options)["log_target"]
        pair = log_probabilities((5, 4), log_target)
        yield Row("kl_div", "KLDivLoss", pair, "matrix", options)
        yield Row("kl_div", "KLDivLoss", pair, "target", options, wrt=(0, 1), kernel=False)
        if not log_target:
            yield Row("kl_div", "KLDivLoss", log_probabilities((5, 4), zero=True), "zero", options)
    poisson, gaussian = ("poisson_nll_loss", "PoissonNLLLoss"), ("gaussian_nll_loss", "GaussianNLLLoss")
    for label, shape in SHAPES:
        for options in grid(reduction=REDUCTIONS, log_input=(True, False), full=(False, True)):
            log_input = dict(options)["log_input"]
            yield Row(*poisson, _counts(shape, log_input), label, options)
        for options in grid(reduction=REDUCTIONS, full=(False, True)):
            yield Row(*gaussian, _moments(shape, shape), label, options, wrt=(0, 2))
    for options in grid(reduction=REDUCTIONS, log_input=(True, False), full=(False, True)):
        pair = _counts((5, 4), dict(options)["log_input"], whole=False)
        yield Row(*poisson, pair, "target", options, wrt=(0, 1), kernel=False)
    for options in grid(reduction=REDUCTIONS):
        slack = (*options, ("log_input", False), ("eps", 0.1))
        yield Row(*poisson, _counts((5, 4), False), "eps", slack)
        reduced = options[0][1] != "none"
        for label, var in (("rows", (5,)), ("rows-one", (5, 1)), ("columns-one", (1, 4))):
            yield Row(*gaussian, _moments((5, 4), var), label, options, wrt=(0, 2), kernel=reduced)
        all_three = {"wrt": (0, 1, 2), "kernel": False}
        yield Row(*gaussian, _moments((5, 4), (5, 4)), "target", options, **all_three)
        least = (*options, ("eps", 0.01))  # below all variances
        yield Row(*gaussian, _moments((5, 4), (5, 4)), "eps", least, wrt=(0, 2))


def _counts(shape: tuple[int, ...], log_input: bool, whole: bool = True) -> Callable[..., tuple]:
    """Rates or their logarithms, and counts, or the like of them off the kink of Stirling's term at 1."""

    def make(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        x = rng.standard_normal(shape) if log_input else rng.uniform(0.2, 3, shape)
        y = rng.poisson(2.0, shape) if whole else rng.choice([0.4, 0.8, 1.3, 2.5], shape)
        return x, np.asarray(y, float)

    return make


def _moments(shape: tuple[int, ...], var: tuple[int, ...]) -> Callable[..., tuple]:
    return lambda rng: (*rng.standard_normal((2, *shape)), rng.uniform(0.2, 2, var))


_Y = minigrad.tensor([0, 1, 2])
_X, _VAR = minigrad.zeros(5, 4), minigrad.ones(5, 4)
_SIZE = "var is of incorrect size"
# function, arguments, options, exception, its first line
ERRORS: list[tuple[Any, tuple, dict, type[Exception], str]] = [
    (F.kl_div, (_Y, _Y), {"reduction": "sum"}, RuntimeError, "kl_div: Integral inputs not supported."),
    (F.kl_div, (_X, _X), {"reduction": "foo"}, ValueError, "foo is not a valid value for reduction"),
    (F.poisson_nll_loss, (_X, _X), {"reduction": "foo"}, ValueError, "foo is not a valid value for reduction"),
    (F.poisson_nll_loss, (_X, _X), {"reduction": "batchmean"}, ValueError, "batchmean is not a valid value for reduction"),
    (F.poisson_nll_loss, (_X, _X), {"eps": None}, TypeError, "poisson_nll_loss(): argument 'eps' (position 5) must be float, not NoneType"),
    (F.poisson_nll_loss, (1.0, _X), {}, TypeError, "argument 'input' must be Tensor, not float"),
    (nn.PoissonNLLLoss, (), {"eps": -1.0}, ValueError, "poisson_nll_loss does not support negative values for eps."),
    (nn.PoissonNLLLoss, (), {"reduction": "foo"}, ValueError, "foo is not a valid value for reduction"),
    (F.gaussian_nll_loss, (_X, _X, -_VAR), {}, ValueError, "var has negative entry/entries"),
    (F.gaussian_nll_loss, (_X, _X, -1.0), {}, ValueError, "var has negative entry/entries"),
    (F.gaussian_nll_loss, (_X, _X, minigrad.tensor(1.0)), {}, ValueError, _SIZE),
    (F.gaussian_nll_loss, (_X, _X, minigrad.ones(4)), {}, ValueError, _SIZE),
    (F.gaussian_nll_loss, (_X, _X, minigrad.ones(1, 1)), {}, ValueError, _SIZE),
    (F.gaussian_nll_loss, (_X, _X, minigrad.ones(1)), {}, ValueError, _SIZE),
    (F.gaussian_nll_loss, (_X, _X, minigrad.ones(5, 4, 1)), {}, ValueError, _SIZE),
    (F.gaussian_nll_loss, (_X, _X, _VAR), {"reduction": "foo"}, ValueError, "foo is not valid"),
    (F.gaussian_nll_loss, (_X, _X, _VAR), {"eps": -1.0}, ValueError, "gaussian_nll_loss does not support negative values for eps."),
    (nn.GaussianNLLLoss, (True,), {}, TypeError, "GaussianNLLLoss.__init__() takes 1 positional argument but 2 were given"),
    (nn.GaussianNLLLoss, (), {"reduction": "foo"}, ValueError, "foo is not valid"),
    (nn.GaussianNLLLoss, (), {"eps": "a"}, TypeError, "gaussian_nll_loss(): argument 'eps' (position 5) must be float, not str"),
]  # fmt: skip
