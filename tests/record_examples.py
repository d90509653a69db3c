"""Record what the examples print under torch: python tests/record_examples.py"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
DATA = Path(__file__).parent / "data" / "examples"


@functools.cache
def output_of(example: Path, backend: str) -> str:
    """What an example prints under a library."""
    done = subprocess.run(
        [sys.executable, str(example), "--backend", backend],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    return done.stdout


def main() -> None:
    """Write one text for each example."""
    DATA.mkdir(exist_ok=True)
    for example in sorted((ROOT / "examples").glob("*.py")):
        (DATA / f"{example.stem}.txt").write_text(output_of(example, "torch"))
        print(example.name)


if __name__ == "__main__":
    main()
