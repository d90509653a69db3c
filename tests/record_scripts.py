"""Scripts in the style of tutorials: run with one changed import, and recorded under torch.

python tests/record_scripts.py [name ...] writes what the scripts named, or all, print under torch.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from pathlib import Path

SCRIPTS = sorted(Path(__file__).with_name("scripts").glob("*.py"))
DATA = Path(__file__).with_name("data") / "scripts"


def with_import_changed(source: str) -> str:
    """The source with `import torch` changed to `import minigrad as torch`, and nothing else."""
    source = re.sub(r"^import torch$", "import minigrad as torch", source, flags=re.MULTILINE)
    return re.sub(r"^(import|from) torch\.", r"\1 minigrad.", source, flags=re.MULTILINE)


def printed(path: Path, library: str) -> str:
    """What a script prints under torch or minigrad."""
    source = path.read_text()
    if library == "minigrad":
        source = with_import_changed(source)
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        exec(compile(source, str(path), "exec"), {"__name__": "__main__"})
    return text.getvalue()


def main() -> None:
    """Write one text for each script."""
    DATA.mkdir(exist_ok=True)
    for path in SCRIPTS:
        if not sys.argv[1:] or path.stem in sys.argv[1:]:
            (DATA / f"{path.stem}.txt").write_text(printed(path, "torch"))


if __name__ == "__main__":
    main()
