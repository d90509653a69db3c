"""Record what torch gives for the cases of test_layers.py; run by hand where torch is installed.

Writes data/activations.json and prints the digests that stand in test_layers.py.
"""

import json
from pathlib import Path

import test_layers as cases
import torch


def main() -> None:
    values = {
        name: [array.tolist() for array in cases.value_and_gradient(torch, name, "float64")]
        for name in cases.ACTIVATIONS
    }
    text = json.dumps(values, separators=(",", ":")).replace('],"', '],\n"')
    path = Path(__file__).with_name("data") / "activations.json"
    path.write_text(text + "\n")
    digests = {name: cases.digest(*cases.initialised(torch, name)) for name in cases.INIT}
    print("DIGESTS =", digests | {"Linear": cases.digest(*cases.linears(torch))})
    print("TEXTS =", {s.__name__: cases.digest_text(s(torch)) for s in cases.STEPS})


if __name__ == "__main__":
    main()
