"""The command `minigrad lint`: the pages of the rules, and scripts run under lint."""

from __future__ import annotations

import argparse
import runpy
import sys
import warnings
from pathlib import Path
from typing import Any

from minigrad.study.linting.finding import RULES, LintWarning, page
from minigrad.study.linting.session import lint
from minigrad.train.problems import Problem


def add_parser(commands: Any) -> None:
    """Add `lint` to the subcommands of `minigrad`."""
    parser = commands.add_parser(
        "lint",
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        help="find mistakes in how a script uses losses and optimisers",
        description="Without arguments: list the rules. With a code: print the rule's page. With a script: "
        "run it\nunder lint; the exit code is 1 if something was found.",
        epilog="examples:\n  minigrad lint MG001\n  minigrad lint train.py --epochs 2",
    )
    parser.add_argument("what", nargs="?", metavar="CODE | SCRIPT", help="a rule, or a Python file")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="of the script")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the rules, a rule's page, or run a script under lint.

    Raises:
        Problem: it is neither a rule nor a file.
    """
    what = options.what
    if what is None:
        print("\n".join(f"{rule.code}  {rule.title}" for rule in RULES.values()))
        return 0
    if what.upper() in RULES:
        print(page(what), end="")
        return 0
    if not Path(what).is_file():
        raise Problem(f"{what!r} is neither a rule (MG001 ...) nor a file; type minigrad lint for the rules")
    return _run_script(what, options.arguments)


def _run_script(path: str, arguments: list[str]) -> int:
    before = sys.argv, list(sys.path)
    sys.argv, sys.path[0] = [path, *arguments], str(Path(path).resolve().parent)
    try:
        with warnings.catch_warnings(), lint() as report:
            warnings.simplefilter("ignore", LintWarning)
            runpy.run_path(path, run_name="__main__")
    finally:
        sys.argv, sys.path[:] = before
    for finding in report.findings:
        print(f"{finding.site.file}:{finding.site.line}: {finding}", file=sys.stderr)
    count = len(report.findings)
    print(f"{count} finding{'' if count == 1 else 's'}", file=sys.stderr)
    return int(bool(count))
