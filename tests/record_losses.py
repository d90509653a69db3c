"""Record torch's values and gradients for the rows of the losses table.

    python tests/record_losses.py [family ...]

With no family all are recorded.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import torch
from losses_table import ROWS, Row, cotangent_of, leaves_of, loss_of

DATA = Path(__file__).parent / "data" / "losses"


def recorded(row: Row) -> np.ndarray:
    """torch's value and gradients for a random cotangent, one after the other."""
    leaves = leaves_of(torch, row)
    loss = loss_of(torch, row, leaves)
    cotangent = torch.tensor(cotangent_of(tuple(loss.shape)))
    gradients = torch.autograd.grad(loss, [leaves[i] for i in row.wrt], cotangent)
    return np.concatenate([part.numpy().ravel() for part in (loss.detach(), *gradients)])


def main() -> None:
    """Write a file for each family: an array for each row of it that torch has."""
    warnings.simplefilter("ignore")
    for family in sys.argv[1:] or ROWS:
        file = DATA / f"{family}.npz"
        stored = {str(row): recorded(row) for row in ROWS[family] if row.reference is None}
        if not stored:  # torch has none of them
            continue
        np.savez_compressed(file, **stored)
        print(f"{family}: {len(stored)} rows, {file.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    main()
