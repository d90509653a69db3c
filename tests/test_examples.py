"""The examples print under minigrad what they print under torch, epoch by epoch, to four digits."""

from __future__ import annotations

from pathlib import Path

import pytest
from record_examples import DATA, ROOT, output_of

pytest.importorskip("sklearn", reason="the examples' data come with scikit-learn (extra data)")

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
every_example = pytest.mark.parametrize("example", EXAMPLES, ids=[e.stem for e in EXAMPLES])


def test_there_is_an_example_for_every_task() -> None:
    names = {e.stem.replace("_", "-") for e in EXAMPLES}
    assert {"moons", "breast-cancer", "spirals", "iris", "digits", "text-classifier"} <= names


@every_example
def test_prints_what_torch_printed(example: Path) -> None:
    recorded = (DATA / f"{example.stem}.txt").read_text()
    assert recorded.count("\n") >= 10
    assert output_of(example, "minigrad") == recorded


@every_example
def test_prints_what_torch_prints_here(example: Path, torch) -> None:
    assert output_of(example, "torch") == output_of(example, "minigrad")


@every_example
def test_is_short_and_plain(example: Path) -> None:
    text = example.read_text()
    assert text.count("\n") <= 80
    assert "minigrad" not in text.split('choices=["minigrad", "torch"]')[1].replace(
        'default="minigrad"', "", 1
    )
