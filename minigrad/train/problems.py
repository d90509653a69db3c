"""What can be wrong with a command, said in one line; and the optional packages it needs."""

from __future__ import annotations

import importlib


class Problem(Exception):
    """Something the user can put right: what was given, what was expected, what to do."""


EXTRAS = {
    "data": ("sklearn", "scikit-learn"),
    "plot": ("matplotlib",) * 2,
    "progress": ("tqdm",) * 2,
}


def require_extras() -> None:
    """Import the packages that training needs beside the core's own, before any work is done.

    Raises:
        Problem: some cannot be imported; it gives the command that installs them all.
    """
    missing = {}
    for extra, (module, package) in EXTRAS.items():
        try:
            importlib.import_module(module)
        except ImportError:
            missing[extra] = package
    if missing:
        packages = " and ".join(missing.values())
        verb = "is" if len(missing) == 1 else "are"
        raise Problem(
            f"training needs {packages}, which {verb} not installed; "
            f"type: pip install 'minigrad[{','.join(missing)}]'"
        )
