"""What the tests of `minigrad train` share: a training set up, and the command run in a fresh folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from minigrad.__main__ import main, make_parser
from minigrad.train import cli
from minigrad.train.session import Session


def session_for(*arguments: str) -> Session:
    """A training as the command line sets it up."""
    options = make_parser().parse_args(["train", *arguments])
    return Session(cli.complete(options), options)


class Trainer:
    """Runs `minigrad train` into a folder: gives exit code, standard output and standard error."""

    def __init__(self, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.out, self.capsys = out, capsys

    def __call__(self, *arguments: str, out: Path | None = None) -> tuple[int, str, str]:
        code = main(["train", *arguments, "--out", str(out or self.out)])
        return code, *self.capsys.readouterr()
