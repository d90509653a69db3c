"""The command `minigrad train`: its options, and the order in which things happen."""

from __future__ import annotations

import argparse
import math
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from minigrad.train import files, models
from minigrad.train.problems import Problem, require_extras
from minigrad.train.session import Session
from minigrad.train.tasks import TASKS, Task

DIVERGED = 1
INTERRUPTED = 130  # what a shell reports for a command ended by Ctrl-C

EXAMPLES = """\
examples:
  minigrad train digits
  minigrad train spirals --hidden 32,32,32 --activation gelu --seed 7
  minigrad train moons --optimizer sgd --lr 0.1 --epochs 100
  minigrad train moons --hidden none            linear: a straight boundary
  minigrad train breast-cancer --head softmax   two logits, not one
"""


# ------------------------------------------------------------------------------------- options
def add_parser(commands: Any) -> None:
    """Add `train` to the subcommands of `minigrad`."""
    parser = commands.add_parser(
        "train",
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        help="train a small model on a real data set",
        description="Train a multi-layer perceptron. Shows its progress, and writes learning "
        "curves,\ndecision boundary or confusion matrix, weights and history into a folder.\n\n"
        "tasks:\n" + "\n".join(f"  {task.name:15}{task.summary}" for task in TASKS.values()),
        epilog=_defaults() + "\n" + EXAMPLES,
    )
    add = parser.add_argument
    add("task", metavar="TASK", choices=TASKS, help=", ".join(TASKS))
    add("--seed", type=_seed, default=0, help="of weights and shuffling (default 0)")
    add("--epochs", type=_count, help="passes over the training data")
    add("--batch-size", type=_count, metavar="N", help="samples in a step")
    add("--lr", type=_positive, help="learning rate (sgd: default 0.05, with momentum 0.9)")
    add("--optimizer", choices=models.OPTIMIZERS, help="default adamw")
    add(
        "--weight-decay",
        type=_not_negative,
        metavar="W",
        help="share of the weights that a step of size 1 takes away (sgd, adam: factor of an L2 penalty)",
    )
    add("--hidden", type=_widths, metavar="N,N,...", help="widths of the hidden layers, or none")
    add(
        "--activation",
        metavar="NAME",
        choices=models.ACTIVATIONS,
        help="between the layers: " + ", ".join(models.ACTIVATIONS),
    )
    add(
        "--head",
        choices=models.HEADS,
        help="sigmoid: one logit, BCEWithLogitsLoss (two classes only); softmax: one logit a "
        "class, CrossEntropyLoss",
    )
    add("--out", type=_folder, metavar="FOLDER", help="where results go (default runs/TASK)")
    parser.set_defaults(run=run)


def _defaults() -> str:
    lines = ["defaults:", f"  {'':15}epochs  batch     lr  decay  hidden  activation"]
    lines += [
        f"  {t.name:15}{t.epochs:6}{t.batch_size:7}{t.lr:7g}{t.weight_decay:7g}"
        f"{','.join(map(str, t.hidden)):>8}  {t.activation}"
        for t in TASKS.values()
    ]
    return "\n".join(lines) + "\n"


def _number(kind: type, expected: str, fits: Callable[[Any], bool]) -> Callable[[str], Any]:
    """A conversion for argparse whose error says what was given and what was expected."""

    def convert(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not fits(value):
            raise argparse.ArgumentTypeError(f"{text!r} given, expected {expected}")
        return value

    return convert


_count = _number(int, "a whole number, 1 or more", lambda n: n >= 1)
_seed = _number(int, "a whole number, 0 or more (below 2**64)", lambda n: 0 <= n < 2**64)
_positive = _number(float, "a finite number above 0", lambda x: 0 < x < math.inf)
_not_negative = _number(float, "a finite number, 0 or more", lambda x: 0 <= x < math.inf)


def _widths(text: str) -> tuple[int, ...]:
    if text == "none":
        return ()
    try:
        widths = tuple(int(part) for part in text.split(","))
    except ValueError:
        widths = (0,)
    if min(widths) < 1:
        raise argparse.ArgumentTypeError(
            f"{text!r} given, expected widths of 1 or more such as 64,64, or none"
        )
    return widths


def _folder(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("'' given, expected the name of a folder")
    return Path(text)


def complete(options: argparse.Namespace) -> Task:
    """Fill the options that were not given with the task's defaults.

    Raises:
        Problem: the head cannot tell the task's classes apart.
    """
    task: Task = TASKS[options.task]
    own = options.optimizer in (None, task.optimizer)
    options.optimizer = options.optimizer or task.optimizer
    if options.lr is None:
        options.lr = task.lr if own else models.DEFAULT_LR[options.optimizer]
    if options.weight_decay is None:
        decay = models.DEFAULT_WEIGHT_DECAY[options.optimizer]
        options.weight_decay = task.weight_decay if own else decay
    for name in ("epochs", "batch_size", "hidden", "activation"):
        if getattr(options, name) is None:
            setattr(options, name, getattr(task, name))
    if options.out is None:
        options.out = Path("runs", task.name)
    if options.head is None:
        options.head = "sigmoid" if task.binary else "softmax"
    elif options.head == "sigmoid" and not task.binary:
        raise Problem(f"--head sigmoid tells two classes apart, {task.name} has more; type --head softmax")
    return task


# ----------------------------------------------------------------------------------- the command
def run(options: argparse.Namespace) -> int:
    """Train as the options say and write the results; returns the exit code.

    Raises:
        Problem: an option, an optional package or the output folder is not as it must be.
    """
    started = time.perf_counter()
    task = complete(options)
    require_extras()
    files.prepare_folder(options.out)
    session = Session(task, options)
    print(session.heading(), flush=True)
    result = session.train()
    if result.ended != "finished":
        print(_why(result.ended, len(result.history), options), file=sys.stderr, flush=True)
    if result.history:
        names = session.write(result)
        print(f"\nheld-out accuracy: {session.verdict()}")
        print(f"wrote into {options.out}:")
        print(textwrap.fill(", ".join(names), 78, initial_indent="  ", subsequent_indent="  "))
        print(f"all in {time.perf_counter() - started:.1f} s", flush=True)
    return {"finished": 0, "diverged": DIVERGED, "interrupted": INTERRUPTED}[result.ended]


def _why(ended: str, done: int, options: argparse.Namespace) -> str:
    """What ended a training early, and what is kept of it."""
    kept = f"kept the weights of epoch {done}" if done else "nothing is written"
    if ended == "interrupted":
        return f"interrupted in epoch {done + 1} of {options.epochs}: {kept}"
    return (
        f"diverged: the loss of epoch {done + 1} is not a finite number; {kept}; "
        f"try a smaller learning rate, such as --lr {options.lr / 10:g}"
    )
