"""What explanations say, in English and in Chinese; and what a loss says of itself in its docstring.

English sentences are the keys: `say("zh", "mean divides by {n}", n=3)` looks the sentence up in `chinese` and
fills it in. What has no translation stays English, so nothing is ever left out.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from typing import Any

from minigrad.study.chinese import CHINESE

LANGUAGES = ("en", "zh")


def check_language(lang: str) -> None:
    """Raise unless explanations are written in this language.

    Raises:
        ValueError: they are not.
    """
    if lang not in LANGUAGES:
        raise ValueError(f"lang must be one of {', '.join(map(repr, LANGUAGES))}, but got {lang!r}")


def say(lang: str, sentence: str, **values: Any) -> str:
    """A sentence in a language, with values in the places of its braces.

    Example:
        >>> from minigrad.study.words import say
        >>> say("en", "sum of {n} losses", n=3)
        'sum of 3 losses'
    """
    words = CHINESE.get(sentence, sentence) if lang == "zh" else sentence
    return words.format(**values) if values else words


@dataclass(frozen=True)
class LossWords:
    """What the docstring of a loss says of it, a sentence or two each; empty where it says nothing."""

    summary: str  # the formula
    wants: str  # what input and target must be
    gradient: str
    use: str
    source: str


def loss_words(function: Any, lang: str = "en") -> LossWords:
    """The words of a loss function, from its docstring.

    Example:
        >>> from minigrad.study.words import loss_words
        >>> from minigrad.nn import functional as F
        >>> loss_words(F.mse_loss).gradient
        '2 (x - y), over the number of elements for "mean".'
    """
    text = inspect.getdoc(getattr(function, "definition", function)) or ""
    found = {name: _paragraph(text, name) for name in ("Wants", "Gradient", "Use", "Source")}
    summary = " ".join(text.split("\n\n")[0].split())
    return LossWords(*(say(lang, words) for words in (summary, *found.values())))


def _paragraph(text: str, name: str) -> str:
    """The paragraph that begins with a word, without "Word:"."""
    found = re.search(rf"^{name}\b:? (.*?)(?:\n\s*\n|\Z)", text, re.DOTALL | re.MULTILINE)
    if found is None:
        return ""
    words = " ".join(found[1].split())
    return f"{name} {words}" if name == "Use" else words
