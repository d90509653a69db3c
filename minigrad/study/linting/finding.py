"""What lint reports, and the table of its rules."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from minigrad.autograd.site import Site


class LintWarning(UserWarning):
    """A mistake that lint found, at the line of the user's code that makes it."""


class LintError(ValueError):
    """A mistake that lint found, with `strict=True`."""


@dataclass(frozen=True)
class Finding:
    """A mistake: its code, what it is, why it matters and what to type, and where."""

    code: str
    message: str
    site: Site

    def __str__(self) -> str:
        return f"{self.code} {self.message}"


@dataclass(frozen=True)
class Rule:
    """A rule: what it looks at ("loss", "backward", "step" or "module"), and the function that looks."""

    code: str
    title: str
    when: str
    look: Callable[[Any], str | None]

    @property
    def page(self) -> str:
        """The rule's page: what it finds, why that matters, an example, what to type instead."""
        text = inspect.getdoc(self.look) or ""
        return f"{self.code}  {self.title}\n\n{text}\n"


RULES: dict[str, Rule] = {}


def rule(code: str, title: str, when: str) -> Callable[[Callable], Callable]:
    """State a rule: the function gives a message where it finds something, else None; its docstring is its
    page."""

    def register(look: Callable[[Any], str | None]) -> Callable:
        RULES[code] = Rule(code, title, when, look)
        return look

    return register


def rules_for(when: str) -> Iterator[Rule]:
    """The rules that look at a kind of event."""
    return (found for found in RULES.values() if found.when == when)


def page(code: str) -> str:
    """The page of a rule.

    Raises:
        KeyError: there is no such rule.

    Example:
        >>> from minigrad import study
        >>> print(study.lint.page("MG010").splitlines()[0])
        MG010  logits of a single class
    """
    if code.upper() not in RULES:
        raise KeyError(f"no rule {code!r}; the rules are {', '.join(RULES)}")
    return RULES[code.upper()].page
