"""Records what torch makes of every row of ops_table.py in data/ops.npz: python tests/record_ops.py.

The archive holds one vector of all numbers (float64 holds every one of them exactly) and a JSON index:
for each row and dtype the fingerprint of its inputs, and of outputs and gradients dtype and shape, or the
exception. Also the result dtypes that test_promotion.py asks for, in data/promotion.json.
"""

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from ops_harness import evaluate, fingerprint
from ops_table import ROWS
from test_promotion import DATA as PROMOTION
from test_promotion import table

DATA = Path(__file__).with_name("data") / "ops.npz"


def main() -> None:
    """Run every row under torch and write the archive."""
    import torch

    numbers: list[np.ndarray] = []
    index: dict[str, Any] = {}

    def packed(array: np.ndarray | None) -> Any:
        if array is None:
            return None
        numbers.append(np.asarray(array, np.float64).ravel())
        return [str(array.dtype), list(array.shape)]

    warnings.simplefilter("ignore")
    for row in ROWS:
        for dtype in ("float32", "float64"):
            found = evaluate(torch, row, row.arrays(dtype))
            entry: dict[str, Any] = {"inputs": fingerprint(row.arrays(dtype))}
            if found.error is not None:
                entry["raises"] = [found.error, found.message]
            else:
                entry["outputs"] = [packed(a) for a in found.outputs]
                entry["grads"] = [packed(a) for a in found.grads]
                entry["names"] = found.names
            index[f"{row.name} | {dtype}"] = entry
    text = np.frombuffer(json.dumps(index, separators=(",", ":")).encode(), np.uint8)
    np.savez_compressed(DATA, numbers=np.concatenate(numbers), index=text)
    PROMOTION.write_text(json.dumps(table(torch), indent=0))
    print(f"{len(ROWS)} rows, {DATA.stat().st_size / 1024:.0f} KB in {DATA}")


if __name__ == "__main__":
    main()
