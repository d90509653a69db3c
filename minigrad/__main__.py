"""The command line: `python -m minigrad`, or `minigrad` once installed."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from minigrad import __version__, precompile
from minigrad.study.linting import cli as lint
from minigrad.study.playground import server
from minigrad.train import cli
from minigrad.train.cli import INTERRUPTED
from minigrad.train.problems import Problem


def make_parser() -> argparse.ArgumentParser:
    """The parser of all subcommands; each sets `run`, a function of the options."""
    parser = argparse.ArgumentParser(
        prog="minigrad",
        allow_abbrev=False,
        description="minigrad, a torch-shaped autograd framework on NumPy and Numba.",
        epilog="example: minigrad train digits",
    )
    parser.add_argument("--version", action="version", version=f"minigrad {__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", required=True)
    cli.add_parser(commands)
    precompile.add_parser(commands)
    lint.add_parser(commands)
    server.add_parser(commands)
    bench = commands.add_parser(
        "bench",
        add_help=False,  # the suite's own help is shown
        prefix_chars="\0",  # all options are the suite's
        help="measure speed against torch, jax and others (from a checkout of the repository)",
    )
    bench.add_argument("arguments", nargs="*")
    bench.set_defaults(run=run_benchmarks)
    return parser


def run_benchmarks(options: argparse.Namespace) -> int:
    """Run the suite that stands beside this package in the repository.

    Raises:
        Problem: this minigrad was installed without it.
    """
    checkout = Path(__file__).resolve().parents[1]
    if not (checkout / "benchmarks" / "harness.py").exists():
        raise Problem(
            f"the benchmarks are no part of the installed package ({checkout / 'minigrad'}); in a checkout "
            "of the repository type pip install -e '.[bench]' and then minigrad bench"
        )
    path = os.pathsep.join(filter(None, (str(checkout), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "benchmarks", *options.arguments]
    return subprocess.run(command, env={**os.environ, "PYTHONPATH": path}).returncode


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code: 0, 2 for what the user can put right, 130 for Ctrl-C.

    Raises:
        SystemExit: from argparse, after --help (0) or a usage error (2).
    """
    options = make_parser().parse_args(arguments)
    name = f"minigrad {options.command}"
    try:
        return int(options.run(options))
    except Problem as problem:
        print(f"{name}: error: {problem}", file=sys.stderr)
        return 2
    except MemoryError:
        print(f"{name}: error: not enough memory; try smaller sizes", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader, such as `head`, is gone: say no more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
