"""Record what torch's losses with parameters of their own compute.

python tests/record_linear_modules.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from linear_modules import CASES, results

if __name__ == "__main__":
    stored = {}
    for name in CASES:
        stored |= {f"{name}/{key}": value for key, value in results(torch, name).items()}
    file = Path(__file__).parent / "data" / "linear_modules.npz"
    np.savez_compressed(file, **stored)
    print(f"{len(stored)} arrays, {file.stat().st_size / 1024:.0f} KB")
