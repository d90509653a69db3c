"""Record torch's values and gradients for every row of the losses table: python tests/record_losses.py"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import torch
from losses_table import ROWS, call, cotangent_of

DATA = Path(__file__).parent / "data" / "losses.npz"


def main() -> None:
    """Write one flat array of values and gradients per row, in the table's order."""
    warnings.simplefilter("ignore")
    stored = {}
    for number, row in enumerate(ROWS):
        leaves, loss = call(torch, torch.nn.functional, row)
        cotangent = torch.tensor(cotangent_of(tuple(loss.shape)))
        gradients = torch.autograd.grad(loss, [leaves[i] for i in row.wrt], cotangent)
        parts = [loss.detach(), *gradients]
        stored[f"{number:04d}"] = np.concatenate([p.numpy().ravel() for p in parts])
    stored["rows"] = np.array([str(row) for row in ROWS])
    np.savez_compressed(DATA, **stored)
    print(f"{len(ROWS)} rows, {DATA.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    main()
