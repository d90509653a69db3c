"""What a training shows on the terminal: a progress bar and a table of its epochs."""

from __future__ import annotations

import sys
from typing import Any, Self

from minigrad.train.loop import Epoch, Score

HEADER = "epoch   train loss   train accuracy   held-out accuracy"
ROWS = 20
BAR = "{desc} {percentage:3.0f}% |{bar}| {elapsed}<{remaining}{postfix}"


class Progress:
    """A progress bar on a terminal (standard error), and a table of epochs on standard output.

    Long trainings show about 20 of their epochs: the first, every 5th (10th, 20th ...), the last.
    """

    def __init__(self, epochs: int, batches: int) -> None:
        from tqdm import tqdm

        self.epochs = epochs
        self.every = stride(epochs)
        self.number = 1
        self.shown = 0
        self.last: Epoch | None = None
        self.bar: Any = tqdm(
            total=epochs * batches,
            disable=None,
            leave=False,
            dynamic_ncols=True,
            bar_format=BAR,
            desc=self._title(),
        )

    def __enter__(self) -> Self:
        self._print(HEADER)
        return self

    def __exit__(self, *exception: object) -> None:
        self.bar.close()
        if self.last is not None and self.last.number != self.shown:
            self._print(row(self.last))

    def batch(self, score: Score) -> None:
        """One more step is done; the score is that of the epoch so far."""
        if not self.bar.disable:
            text = f"loss {score.loss:.4f}, accuracy {100 * score.accuracy:.1f} %"
            self.bar.set_postfix_str(text, refresh=False)
            self.bar.update()

    def epoch(self, epoch: Epoch) -> None:
        """One more epoch is done."""
        self.last = epoch
        self.number = min(epoch.number + 1, self.epochs)
        self.bar.set_description_str(self._title(), refresh=False)
        if epoch.number == 1 or epoch.number % self.every == 0:
            self._print(row(epoch))
            self.shown = epoch.number

    def _title(self) -> str:
        return f"epoch {self.number}/{self.epochs}"

    def _print(self, line: str) -> None:
        if self.bar.disable:
            print(line, flush=True)
        else:
            self.bar.write(line, file=sys.stdout)


def row(epoch: Epoch) -> str:
    """One line of the table."""
    return (
        f"{epoch.number:5d}   {epoch.train.loss:10.4f}   {100 * epoch.train.accuracy:12.1f} %"
        f"   {100 * epoch.held_out.accuracy:15.1f} %"
    )


def stride(epochs: int) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50 ... that shows at most about 20 of the epochs."""
    power = 1
    while True:
        for digit in (1, 2, 5):
            if epochs <= ROWS * digit * power:
                return digit * power
        power *= 10
