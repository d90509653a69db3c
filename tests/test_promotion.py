"""Result dtypes: every pair of dtypes, dimensioned, 0-d or a Python scalar, as torch has them.

The table is recorded (record_ops.py) and, where torch is installed, compared live.
"""

import json
import operator
import re
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg

DATA = Path(__file__).with_name("data") / "promotion.json"
DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float32", "float64")
LETTERS = dict(zip(DTYPES, "bBcsilfd", strict=True))
SCALARS = (True, 1, 1.0)
OPERATIONS = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "floordiv": operator.floordiv,
    "mod": operator.mod,
    "pow": operator.pow,
    "and": operator.and_,
    "lt": operator.lt,
    "eq": operator.eq,
}


def tensors(m):
    """Ones of every dtype, first dimensioned, then 0-d."""
    return [m.ones(shape, dtype=getattr(m, name)) for shape in ((2,), ()) for name in DTYPES]


def letter(call, *operands):
    """The result's dtype as a letter, '!' where the operation is refused."""
    try:
        result = call(*operands)
    except (RuntimeError, TypeError, NotImplementedError):
        return "!"
    return LETTERS[str(result.dtype).removeprefix("torch.")]


def rows(m, call):
    """For each tensor: its results with all tensors, then with the scalars on the right and on the left."""
    return [
        "".join(letter(call, a, b) for b in (*tensors(m), *SCALARS))
        + "".join(letter(call, s, a) for s in SCALARS)
        for a in tensors(m)
    ]


def table(m):
    """Everything that is recorded."""
    found = {name: rows(m, call) for name, call in OPERATIONS.items()}
    pairs = {
        "maximum": m.maximum,
        "where": lambda a, b: m.where(m.ones(2) > 0, a, b),
        "xlogy": m.xlogy,
        "cat": lambda a, b: m.cat([a.reshape(-1), b.reshape(-1)]),
        "stack": lambda a, b: m.stack([a.reshape(-1)[:1], b.reshape(-1)[:1]]),
        "iadd": lambda a, b: operator.iadd(a.clone(), b),
        "imul": lambda a, b: operator.imul(a.clone(), b),
        "itruediv": lambda a, b: operator.itruediv(a.clone(), b),
    }
    for name, call in pairs.items():
        found[name] = ["".join(letter(call, a, b) for b in tensors(m)) for a in tensors(m)]
    return found


def excused(name, left, right, ours, theirs):
    """Where torch refuses and minigrad answers: a bool is the number 0 or 1, and NumPy's arithmetic of bools
    alone gives int8."""
    has_bool = "bool" in left or "bool" in right or "True" in right
    if name == "sub":
        return has_bool and theirs == "!"
    return name in ("floordiv", "mod", "pow") and "bool" in left and has_bool and ours == "c"


def disagreements(ours, theirs):
    """(operation, left, right, ours, theirs) wherever two tables differ."""
    names = [f"{name} {kind}" for kind in ("tensor", "0-d") for name in DTYPES]
    right = [*names, *(f"{s!r}" for s in SCALARS), *(f"reflected {s!r}" for s in SCALARS)]
    return [
        (name, names[i], right[j], a, b)
        for name in theirs
        for i, (x, y) in enumerate(zip(ours[name], theirs[name], strict=True))
        for j, (a, b) in enumerate(zip(x, y, strict=True))
        if a != b and not excused(name, names[i], right[j], a, b)
    ]


def test_every_pair_has_the_recorded_dtype():
    assert disagreements(table(mg), json.loads(DATA.read_text())) == []


def test_every_pair_has_the_dtype_of_live_torch(torch):
    assert table(torch) == json.loads(DATA.read_text())


def test_the_comparison_sees_a_wrong_dtype():
    theirs = json.loads(DATA.read_text())
    ours = {name: list(lines) for name, lines in theirs.items()}
    ours["add"][0] = "d" + ours["add"][0][1:]
    assert disagreements(ours, theirs) == [("add", "bool tensor", "bool tensor", "d", "b")]


def test_the_default_dtype_is_what_integers_become():
    x = mg.tensor([1, 2])
    assert (x / 2).dtype == mg.float32
    mg.set_default_dtype(mg.float64)
    assert (x / 2).dtype == mg.float64
    assert x.exp().dtype == mg.float64
    assert mg.tensor([1.5]).dtype == mg.float64
    assert (x * 0.5).dtype == mg.float64


def test_numpy_scalars_are_weak_as_python_scalars_are():
    x = mg.ones(2)
    for scalar in (np.float64(2), np.int64(2), np.float32(2), 2, 2.0, True):
        assert (x * scalar).dtype == mg.float32
        assert (scalar * x).dtype == mg.float32
    assert (mg.tensor([1]) * np.float64(0.5)).dtype == mg.float32


def test_a_zero_dim_tensor_does_not_widen_its_own_kind():
    assert (mg.ones(2) * mg.tensor(2.0, dtype=mg.float64)).dtype == mg.float32
    assert (mg.ones(2, dtype=mg.int8) + mg.tensor(1000)).dtype == mg.int8
    assert (mg.ones(2, dtype=mg.int8) + mg.tensor(1.0)).dtype == mg.float32


def test_gradients_come_back_in_the_dtype_of_their_tensor():
    x = mg.ones(2, requires_grad=True)
    y = mg.ones(2, dtype=mg.float64, requires_grad=True)
    z = mg.tensor(2.0, dtype=mg.float64, requires_grad=True)
    (x * y * z).sum().backward()
    assert [t.grad.dtype for t in (x, y, z)] == [mg.float32, mg.float64, mg.float64]


@pytest.mark.parametrize("name", DTYPES)
def test_casts_between_all_dtypes_follow_torch(name, torch):
    values = np.array([0.0, 1.0, 2.7, 100.9])
    for other in DTYPES:
        ours = mg.from_numpy(values).to(getattr(mg, name)).to(getattr(mg, other))
        theirs = torch.from_numpy(values).to(getattr(torch, name)).to(getattr(torch, other))
        assert str(ours.dtype) == str(theirs.dtype)
        assert ours.tolist() == theirs.tolist()


def test_limits_of_integers(torch):
    for name in ("uint8", "int8", "int16", "int32", "int64"):
        ours, theirs = (library.iinfo(getattr(library, name)) for library in (mg, torch))
        assert repr(ours) == repr(theirs)
        assert (ours.bits, ours.min, ours.max, ours.dtype) == (
            theirs.bits,
            theirs.min,
            theirs.max,
            theirs.dtype,
        )
    for bad in ("float32", "bool"):
        with pytest.raises(TypeError) as caught:
            torch.iinfo(getattr(torch, bad))
        with pytest.raises(TypeError, match=re.escape(str(caught.value))):
            mg.iinfo(getattr(mg, bad))
