"""The lessons in examples/study run, and print the numbers they are about."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

LESSONS = Path(__file__).resolve().parents[2] / "examples" / "study"
WORDS = {
    "bce_on_a_logit": ["-8.0   0.0003           8.0003   -0.9997", "mean divides by the number of losses = 7"],
    "softmax_twice": ["log(1 + 2 / e) = 0.5514", "softmax once  gradient of the logits [-0.91,", "MG001 softmax before"],
    "why_bce_with_logits": ["20  1.0000000000       100.0000            0       20.0000            1", "20.000\n"],
    "three_means": ["sum of weights = 14, over 6 of 6", "count = 4 of 6", "gradient of the whole: True"],
    "label_smoothing": ["= 3.8286, loss there 0.3897", "gap 9.2", "ε = 0.1: gap 3.8286"],
    "newton": ["the same by hand: True", "step 4     0.44526711"],
    "explain_in_chinese": ["除数", "softmax(x) - onehot(y)"],
}  # fmt: skip


def test_every_lesson_is_here() -> None:
    assert {path.stem for path in LESSONS.glob("*.py")} == set(WORDS)


@pytest.mark.parametrize("name", WORDS)
def test_a_lesson_prints_what_it_is_about(name, capsys) -> None:
    runpy.run_path(str(LESSONS / f"{name}.py"), run_name="__main__")
    printed = capsys.readouterr().out
    for words in WORDS[name]:
        assert words in printed
