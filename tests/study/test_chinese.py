"""Every sentence of an explanation has its Chinese, and none that is gone is kept."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import minigrad
from minigrad import nn, study
from minigrad.nn import functional as F
from minigrad.nn.losses.base import LossFunction
from minigrad.study.chinese import CHINESE
from minigrad.study.chinese.interface import INTERFACE
from minigrad.study.words import loss_words, say

STUDY = Path(study.__file__).parent
FUNCTIONS = {
    v.__name__: v for space in (F, nn.extra) for v in vars(space).values() if isinstance(v, LossFunction)
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_sentence_of_a_loss_has_its_chinese(name) -> None:
    words = loss_words(FUNCTIONS[name])
    for sentence in (words.summary, words.wants, words.gradient):
        assert not sentence or sentence in CHINESE


def test_no_translation_is_left_over() -> None:
    spoken = {
        sentence
        for function in FUNCTIONS.values()
        for words in [loss_words(function)]
        for sentence in (words.summary, words.wants, words.gradient)
    }
    sources = "".join(path.read_text("utf-8") for path in STUDY.rglob("*.py") if "chinese" not in path.parts)
    for folder in ("losses", "extra"):
        sources += "".join(p.read_text("utf-8") for p in (STUDY.parent / "nn" / folder).glob("*.py"))
    sources = re.sub(r'"\s*"', "", sources)  # literals that go on in the next line
    assert set(CHINESE) - set(INTERFACE) <= spoken
    # Headings of tables are put together: logits from logit, logit[target] and so on.
    made = re.compile(r"\w+s|\w+\[target\]|\|gradient\|")
    assert not [k for k in INTERFACE if k not in sources and not made.fullmatch(k)]


def _sentences() -> set[str]:
    """The sentences that the sources pass to `say`, as far as they are literals."""
    found = set()
    for path in STUDY.glob("*.py"):
        text = re.sub(r'"\s*\n\s*"', "", path.read_text("utf-8"))
        found |= set(re.findall(r'say\((?:lang, )?\s*"([^"]+)"', text))
    return found


def test_every_sentence_of_the_interface_has_its_chinese() -> None:
    assert len(_sentences()) > 20
    assert not _sentences() - set(CHINESE) - {"en", "zh", "sum of {n} losses"}


@pytest.mark.parametrize("sentence", CHINESE)
def test_braces_and_numbers_survive(sentence) -> None:
    chinese = CHINESE[sentence]

    def counted(pattern: str, text: str) -> list[str]:
        return sorted(re.findall(pattern, text))

    assert counted(r"\{\w*\}", chinese) == counted(r"\{\w*\}", sentence)
    assert set(counted(r"[σγαβελμθΩ∓½ᵀ]", chinese)) == set(counted(r"[σγαβελμθΩ∓½ᵀ]", sentence))
    formula = not re.search(r"[a-z]{3,} [a-z]{3,}", sentence)  # which says the same in any language
    assert re.search(r"[\u4e00-\u9fff]", chinese) or formula or sentence == chinese == "logits"


def test_an_explanation_in_chinese() -> None:
    x = minigrad.randn(3, 4, requires_grad=True)
    loss = F.cross_entropy(x, minigrad.tensor([0, 1, -100]))
    text = study.explain(loss, lang="zh", torch=False).to_text(80)
    for words in (
        "前向",
        "反向",
        "逐样本",
        "除以计入的样本数 = 2（共 3 个）",
        "内核 = 定义",
        "之前不要做 softmax",
    ):
        assert words in text
    english = [line for line in text.splitlines() if re.search(r"[a-z]{3,} (of|the|is|are|that) ", line)]
    assert not english


def test_say_falls_back_to_english() -> None:
    assert say("zh", "nothing has this {thing}", thing="word") == "nothing has this word"
    assert say("zh", "{reduction} divides by {n}", reduction="mean", n=3) == "mean 除以 3"
