"""What libraries that are compared are given, and what they give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy import ndarray


@dataclass
class Arguments:
    """A call's arguments: arrays are the same numbers for all; of the `wanted` ones gradients are taken."""

    values: dict[str, Any]  # by name; ndarrays, or what is passed on as it is
    by_name: frozenset[str]  # those that are passed by name
    wanted: list[str]
    timed: list[str]

    def passed(self, values: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """What a function is to be called with, of values in the place of these."""
        given = [value for name, value in values.items() if name not in self.by_name]
        return given, {name: value for name, value in values.items() if name in self.by_name}


@dataclass
class Outcome:
    """What a library gives."""

    value: ndarray
    gradients: dict[str, ndarray] = field(default_factory=dict)


Step = Callable[[], Any]
NO_TENSOR = "expected a function that gives one tensor, but it gave {}"


def cotangent_for(value: ndarray) -> ndarray:
    """What is carried back: 1 for a number, else normal numbers, the same for all: of ones much cancels."""
    if not value.ndim:
        return np.ones((), value.dtype)
    return np.random.default_rng(0).standard_normal(value.shape).astype(value.dtype)
