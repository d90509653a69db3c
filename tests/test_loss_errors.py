"""What the losses say of unfit arguments: torch's exception class and its first line, then what to do."""

from __future__ import annotations

import pytest
from losses_table import ERRORS

import minigrad
from minigrad.nn import functional as F


@pytest.mark.parametrize(
    ("function", "args", "options", "error", "text"),
    ERRORS,
    ids=[f"{i}-{getattr(e[0], '__name__', '')}" for i, e in enumerate(ERRORS)],
)
def test_errors_are_torchs_class_and_first_line(function, args, options, error, text) -> None:
    with pytest.raises(error) as caught:
        function(*args, **options)
    assert type(caught.value) is error
    assert str(caught.value).splitlines()[0] == text


def test_out_of_range_targets_are_named_with_their_place() -> None:
    with pytest.raises(IndexError, match=r"Target 7 is out of bounds(.|\n)*1"):
        F.cross_entropy(minigrad.zeros(3, 5), minigrad.tensor([0, 7, 1]))
    with pytest.raises(RuntimeError, match=r"1 of 3 are not; the first is 1.5 at \[2\]"):
        F.binary_cross_entropy(minigrad.tensor([0.1, 0.2, 1.5]), minigrad.zeros(3))
