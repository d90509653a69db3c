"""Records torch's random streams in data/stream.json: python tests/record_stream.py (needs torch).

A case is a seed and a list of draws from it; a draw is the name of a `Generator` method with its
arguments. Short results are kept as numbers, long ones as a digest of their bytes.
"""

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

DATA = Path(__file__).with_name("data") / "stream.json"
KEPT = 24  # elements of a result that is kept as numbers

F32, F64 = "float32", "float64"
SMALL = [
    ["rand", [5], F32],
    ["rand", [2, 3], F64],
    ["randn", [3], F32],
    ["randn", [], F32],
    ["randn", [4], F64],
    ["randn", [16], F32],
    ["randn", [17], F32],
    ["randn", [2, 9], F64],
    ["randn", [0], F32],
    ["randn", [15], F32],
    ["normal", [7], 2.5, 0.3, F32],
    ["normal", [20], -1.5, 3.7, F32],
    ["normal", [7], 2.5, 0.3, F64],
    ["normal", [20], -1.5, 3.7, F64],
    ["normal", [20], 0.0, 0.0, F32],
    ["uniform", [8], -0.3, 0.7, F32],
    ["uniform", [8], 5.0, 5.0, F32],
    ["uniform", [8], 1.0, 1 + 2**-22, F32],
    ["uniform", [8], 1.0, 1 + 2**-51, F64],
    ["uniform", [8], -0.3, 0.7, F64],
    ["randint", 0, 10, [6], "int64"],
    ["randint", -7, 100, [2, 3], "int32"],
    ["randint", 0, 256, [6], "uint8"],
    ["randint", -128, 128, [6], "int8"],
    ["randint", 0, 2, [6], "bool"],
    ["randint", 0, 9, [6], "float32"],
    ["randint", 0, 2**28 - 1, [4], "int64"],
    ["randint", 0, 2**28, [4], "int64"],
    ["randint", -5, 2**40, [4], "int64"],
    ["randint", -(2**63), 2**63 - 1, [4], "int64"],
    ["randperm", 0],
    ["randperm", 1],
    ["randperm", 2],
    ["randperm", 20],
    ["bernoulli", 12, F32],
    ["bernoulli", 12, F64],
    ["bernoulli_p", [12], 0.3, F32],
    ["bernoulli_p", [12], 0.7, "bool"],
    ["bernoulli_p", [3], 0.0, F32],
    ["bernoulli_p", [3], 1.0, "int64"],
    ["exponential", [5], 1.0, F32],
    ["exponential", [2, 3], 2.5, F64],
    ["random63"],
    ["rand", [2], F32],
]
LARGE = [
    ["rand", [1000, 20], F32],
    ["rand", [5000], F64],
    ["randn", [1 << 20], F32],
    ["randn", [100, 101], F32],
    ["normal", [300_001], 0.1, 1.7, F32],
    ["uniform", [300_000], -0.1, 0.1, F32],
    ["uniform", [300_000], -0.1, 0.3, F32],
    ["uniform", [100_000], -0.1, 0.3, F64],
    ["randint", 0, 1000, [10_000], "int64"],
    ["randint", -1000, 2**33, [10_000], "int64"],
    ["randperm", 1000],
    ["randperm", 100_000],
    ["bernoulli", 10_000, F32],
    ["bernoulli", 10_000, F64],
    ["bernoulli_p", [10_000], 0.5, F32],
    ["exponential", [10_000], 1.0, F32],
    ["exponential", [30_000], 0.3, F64],
    ["rand", [3], F32],
]
CASES = (
    [(seed, SMALL) for seed in (0, 1, 42, 2**32 + 1, -1)]
    + [(seed, SMALL[::-1]) for seed in (7, 2**63)]
    + [(seed, LARGE) for seed in (0, 1234, 2**64 - 3)]
)

# What must be refused: a draw, and words that both messages hold.
ERRORS = [
    (
        ["randint", 5, 5, [2], "int64"],
        "random_ expects 'from' to be less than 'to', but got from=5",
    ),
    (["randint", 6, -5, [2], "int64"], "but got from=6 >= to=-5"),
    (["randint", 0, 300, [2], "uint8"], "to - 1 is out of bounds for "),
    (["randint", -1, 3, [2], "uint8"], "from is out of bounds for "),
    (["randint", 0, 3, [2], "bool"], "to - 1 is out of bounds for bool"),
    (["randint", 0, 2**31 + 1, [2], "int32"], "to - 1 is out of bounds for int"),
    (["randint", 0, 5, [-3], "int64"], "Trying to create tensor with negative dimension -3: [-3]"),
    (["rand", [2, -3], F32], "Trying to create tensor with negative dimension -3: [2, -3]"),
    (["randn", [-1], F32], "Trying to create tensor with negative dimension -1: [-1]"),
    (["randperm", -1], "Trying to create tensor with negative dimension -1: [-1]"),
    (["rand", [2], "int64"], "\"check_uniform_bounds\" not implemented for 'Long'"),
    (["randn", [2], "bool"], "\"normal_kernel_cpu\" not implemented for 'Bool'"),
    (["normal", [3], 0.0, -1.0, F32], "normal expects std >= 0.0, but found std -1"),
    (["normal", [3], 0.0, float("nan"), F32], "normal expects std >= 0.0, but found std nan"),
    (
        ["uniform", [3], 2.0, 1.0, F32],
        "uniform_ expects to return a [from, to) range, but found from=2 > to=1",
    ),
    (["uniform", [3], float("nan"), 1.0, F32], "from is out of bounds for float"),
    (["uniform", [3], 0.0, 1e39, F32], "to is out of bounds for float"),
    (["uniform", [3], 0.0, float("inf"), F64], "to is out of bounds for double"),
    (
        ["uniform", [3], -3e38, 3e38, F32],
        "to-from <= std::numeric_limits<Float>::max(), but found to=3e+38 and from=-3e+38 which",
    ),
    (["exponential", [3], -1.0, F32], "exponential_ expects lambda > 0.0, but found lambda=-1"),
    (["exponential", [3], 0.0, F64], "exponential_ expects lambda > 0.0, but found lambda=0"),
    (["bernoulli_p", [3], 1.5, F32], "bernoulli_ expects p to be in [0, 1], but got p=1.5"),
    (["bernoulli_p", [3], -0.1, F32], "bernoulli_ expects p to be in [0, 1], but got p=-0.1"),
    (["bernoulli_p", [3], float("nan"), F32], "but got p=nan"),
    (["bernoulli", [0.5, 1.5], F32], "Expected p_in >= 0 && p_in <= 1 to be true, but got false."),
    (["bernoulli", [float("nan")], F64], "Expected p_in >= 0 && p_in <= 1 to be true"),
    (["bernoulli", [0, 1], "int64"], "\"bernoulli_tensor_cpu_p_\" not implemented for 'Long'"),
]


def draw(generator, name, *arguments):
    """What torch returns for the draw, as an array."""
    *given, dtype = arguments or [None]
    dtype = getattr(torch, dtype) if isinstance(dtype, str) else None
    options = {"generator": generator}
    if name == "random63":
        return torch.empty((), dtype=torch.int64).random_(**options).numpy()
    if name == "randperm":
        return torch.randperm(arguments[0], **options).numpy()
    if name == "bernoulli":
        p = given[0]
        p = np.linspace(0, 1, p) if isinstance(p, int) else np.array(p)
        return torch.bernoulli(torch.from_numpy(p).to(dtype), **options).numpy()
    if name in ("rand", "randn", "randint"):
        return getattr(torch, name)(*given, dtype=dtype, **options).numpy()
    shape, *parameters = given
    methods = {
        "uniform": "uniform_",
        "normal": "normal_",
        "bernoulli_p": "bernoulli_",
        "exponential": "exponential_",
    }
    return getattr(torch.empty(shape, dtype=dtype), methods[name])(*parameters, **options).numpy()


def summary(array):
    if array.size <= KEPT:
        return {"shape": array.shape, "dtype": array.dtype.name, "values": array.ravel().tolist()}
    digest = hashlib.sha256(array.tobytes()).hexdigest()
    return {"shape": array.shape, "dtype": array.dtype.name, "sha256": digest}


def record_errors():
    for call, words in ERRORS:
        with pytest.raises(RuntimeError, match=re.escape(words)) as caught:
            draw(torch.Generator(), *call)
        yield {"draw": call, "error": caught.type.__name__, "words": words}


def record_case(seed, draws):
    generator = torch.Generator().manual_seed(seed)
    results = [{"draw": call, **summary(draw(generator, *call))} for call in draws]
    return {"seed": seed, "initial_seed": generator.initial_seed(), "results": results}


def lines(entries):
    return ",\n".join(json.dumps(entry) for entry in entries)


if __name__ == "__main__":
    np.seterr(all="raise")
    cases = [record_case(seed, draws) for seed, draws in CASES]
    DATA.write_text(
        f'{{"torch": "{torch.__version__}",\n"cases": [\n{lines(cases)}\n],\n'
        f'"errors": [\n{lines(record_errors())}\n]}}\n'
    )
