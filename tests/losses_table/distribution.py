"""Rows and errors of the losses between and of distributions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import minigrad
from losses_table.base import REDUCTIONS, Row, grid, log_probabilities
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


_Y = minigrad.tensor([0, 1, 2])
# function, arguments, options, exception, its first line
ERRORS: list[tuple[Any, tuple, dict, type[Exception], str]] = [
    (F.kl_div, (_Y, _Y), {"reduction": "sum"}, RuntimeError, "kl_div: Integral inputs not supported."),
]  # fmt: skip
