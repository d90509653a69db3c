"""Records what torch makes of the table of operations: python tests/record_ops.py [family ...].

Each family of rows, a module of ops_table, has an archive in data/ops; those named, or all, are recorded
anew. An archive holds one vector of all numbers (float64 holds every one of them exactly) and a JSON index:
for each row and dtype the fingerprint of its inputs, and of outputs and gradients dtype and shape, or the
exception. Also the result dtypes that test_promotion.py asks for, in data/promotion.json.
"""

import argparse
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from ops_harness import DATA, evaluate, fingerprint
from ops_table import FAMILIES, Row
from test_promotion import DATA as PROMOTION
from test_promotion import table


def record(torch: Any, rows: list[Row], path: Path) -> None:
    """Run rows under torch and write their archive."""
    numbers: list[np.ndarray] = []
    index: dict[str, Any] = {}

    def packed(array: np.ndarray | None) -> Any:
        if array is None:
            return None
        numbers.append(np.asarray(array, np.float64).ravel())
        return [str(array.dtype), list(array.shape)]

    for row in rows:
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
    np.savez_compressed(path, numbers=np.concatenate(numbers), index=text)
    print(f"{len(rows)} rows, {path.stat().st_size / 1024:.0f} KB in {path.name}")


def main() -> None:
    """Record the families that the command line names."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("families", nargs="*", choices=[*FAMILIES, []], default=[])
    families = parser.parse_args().families or FAMILIES
    warnings.simplefilter("ignore")
    DATA.mkdir(exist_ok=True)
    for family in families:
        record(torch, FAMILIES[family], DATA / f"{family}.npz")
    PROMOTION.write_text(json.dumps(table(torch), indent=0))


if __name__ == "__main__":
    main()
