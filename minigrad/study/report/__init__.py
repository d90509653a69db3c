"""`report`: a loss and its backpropagation as one page that works offline."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from pathlib import Path
from typing import Any

from minigrad.autograd.tape import Variable
from minigrad.study.explain import Explanation, explain
from minigrad.study.report.build import build_page
from minigrad.study.words import check_language


def report(loss: Any, path: str | os.PathLike[str], *, lang: str = "en", torch: bool | None = None) -> Path:
    """Write a page on which one walks through a loss, forward and backward, one operation at a time.

    The page is one file of HTML that needs no server and no network. It shows the graph with the values and
    gradients as heat maps, each step's formula and cotangent rule with the actual numbers, the sums where
    several gradients meet, the table of the samples, what the mean divides by, and the checks. Tensors that
    are too large to show are summarised: extremes, first rows, means of blocks.

    Args:
        loss: a tensor whose graph was not freed yet, or what `explain` made of one. `explain(function, ...)`
            knows all values; of a tensor's graph those are missing that no derivative needs.
        path: where to write; what is there is replaced once the page is complete.
        lang: "en" or "zh".
        torch: whether the checks compare with torch too; by default where it has been imported already.

    Returns:
        The path of the page.

    Raises:
        TypeError: `loss` is neither a tensor nor an explanation.
        RuntimeError: the tensor has no graph, or a backward has freed it.
        ValueError: an unknown language.
        OSError: the page cannot be written.

    Example:
        >>> import tempfile, minigrad
        >>> from minigrad import study
        >>> logits = minigrad.tensor([[2.0, 1.0, 0.0], [0.0, 0.0, 1.0]], requires_grad=True)
        >>> loss = minigrad.nn.CrossEntropyLoss()(logits, minigrad.tensor([0, 2]))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     page = study.report(loss, folder + "/loss.html")
        ...     page.name, page.read_text("utf-8")[:15]
        ('loss.html', '<!doctype html>')
    """
    check_language(lang)
    if not isinstance(loss, Explanation):
        if callable(loss) and not isinstance(loss, Variable):
            raise TypeError(
                "report expects a loss tensor or an explanation, but got a function; "
                "type report(explain(function, *arguments), path)"
            )
        compare = "torch" in sys.modules if torch is None else torch
        loss = explain(loss, lang=lang, torch=compare)
    target = Path(os.path.realpath(os.fspath(path)))
    _replace(target, build_page(loss.trace, loss, loss.lang))
    return Path(path)


def _replace(path: Path, text: str) -> None:
    """Write the text beside the path first, so that a page is never half there."""
    if path.is_dir():
        raise IsADirectoryError(21, "Is a directory; give the name of a file, such as loss.html", str(path))
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        temporary.write_text(text, "utf-8")
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        raise
