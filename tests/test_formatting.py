"""The text of tensors against torch's: recorded (record_formatting.py), and live where torch is."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from minigrad import dtypes, formatting
from minigrad.formatting import format_tensor, get_printoptions, printoptions, set_printoptions

HERE = Path(__file__)
RECORDED = json.loads(HERE.with_name("data").joinpath("formatting.json").read_text())["cases"]
INTEGERS = ("int8", "int16", "int32", "int64", "uint8")


def build(spec):
    values = spec["values"]
    if isinstance(values, dict):
        size = int(np.prod(spec["shape"]))
        values = values["start"] + values["step"] * np.arange(size)
    with np.errstate(over="ignore"):
        cast = np.array(values).astype("int64") if spec["dtype"] in INTEGERS else np.array(values)
        return cast.astype(spec["dtype"]).reshape(spec["shape"])


def shown(array, grad=None):
    name = None if grad == "leaf" else grad
    return format_tensor(array, grad_fn=name, requires_grad=grad is not None)


@pytest.fixture(autouse=True)
def default_options():
    yield
    set_printoptions(profile="default")


def test_the_recorded_texts():
    wrong = []
    for case in RECORDED:
        with printoptions(**case.get("options", {})):
            text = shown(build(case), case.get("grad"))
        if text != case["text"]:
            wrong.append((case, text))
    assert not wrong, f"{len(wrong)} of {len(RECORDED)} texts differ, e.g. {wrong[0]}"
    assert len(RECORDED) > 300


def test_arrays_in_any_layout_print_alike():
    array = np.arange(2400, dtype=np.float32).reshape(40, 60)
    text = format_tensor(array)
    assert "..." in text
    assert format_tensor(np.asfortranarray(array)) == text
    assert format_tensor(np.repeat(array, 2, axis=1)[:, ::2]) == text
    array.flags.writeable = False
    assert format_tensor(array) == text


def test_the_dtype_is_shown_unless_it_is_the_default():
    array = np.array([1.5])
    assert format_tensor(array) == "tensor([1.5000], dtype=torch.float64)"
    dtypes.set_default_dtype(dtypes.float64)
    try:
        assert format_tensor(array) == "tensor([1.5000])"
        single = format_tensor(array.astype(np.float32))
    finally:
        dtypes.set_default_dtype(dtypes.float32)
    assert single == "tensor([1.5000], dtype=torch.float32)"
    assert format_tensor(array, dtype_name="mine") == "tensor([1.5000], dtype=mine)"


def test_lines_align_under_the_prefix_and_the_indent():
    array = np.eye(2, dtype=np.float32)
    assert format_tensor(array, prefix="Scaled(") == "Scaled([[1., 0.],\n        [0., 1.]])"
    assert format_tensor(array, indent=2) == "tensor([[1., 0.],\n          [0., 1.]])"


DEFAULTS = {
    "precision": 4,
    "threshold": 1000,
    "edgeitems": 3,
    "linewidth": 80,
    "sci_mode": None,
}


class TestPrintOptions:
    def test_options_stay_until_changed_but_sci_mode_returns_to_automatic(self):
        assert get_printoptions() == DEFAULTS
        set_printoptions(precision=2, sci_mode=True)
        set_printoptions(linewidth=100)
        assert get_printoptions() == {**DEFAULTS, "precision": 2, "linewidth": 100}
        set_printoptions(profile="default")
        assert get_printoptions() == DEFAULTS

    def test_a_block_puts_the_options_back(self):
        set_printoptions(precision=3, sci_mode=False)
        before = get_printoptions()
        with printoptions(precision=1, profile="short"):
            assert get_printoptions() == {**DEFAULTS, "precision": 1, "edgeitems": 2}
        assert get_printoptions() == before

    def test_an_error_in_a_block_puts_the_options_back(self):
        def fail():
            with printoptions(precision=1):
                raise KeyError

        with pytest.raises(KeyError):
            fail()
        assert get_printoptions() == DEFAULTS

    def test_an_unknown_profile_is_refused(self):
        with pytest.raises(ValueError, match=r"expected profile to be one of .*, but got 'long'"):
            set_printoptions(profile="long")
        assert get_printoptions() == DEFAULTS


SPECIAL = [0.0, -0.0, 0.5, 1.0, 2.5, 1e-4, 5e-5, 0.99995, 1e3, 1001.0, 1e8, 2e8, np.nan, np.inf]


def elements(dtype):
    if dtype == "bool":
        return None
    if dtype in INTEGERS:
        info = np.iinfo(dtype)
        return st.integers(-9, 9).map(lambda n: n % (info.max + 1)) | arrays.from_dtype(np.dtype(dtype))
    width = 32 if dtype == "float32" else 64
    whole = st.integers(-(10**9), 10**9).map(lambda n: float(np.float32(n)))
    near = st.floats(-20, 20, width=width)
    specials = st.sampled_from(SPECIAL).map(lambda x: float(np.dtype(dtype).type(x)))
    return st.one_of(near, near, specials, whole, st.floats(width=width))


ARRAYS = st.sampled_from(["float32", "float64", "bool", *INTEGERS]).flatmap(
    lambda dtype: arrays.arrays(
        dtype,
        arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6),
        elements=elements(dtype),
    )
)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "precision": st.integers(0, 10),
        "threshold": st.sampled_from([0, 5, 30, float("inf")]),
        "edgeitems": st.integers(0, 4),
        "linewidth": st.integers(1, 140),
        "profile": st.sampled_from(["default", "short", "full"]),
        "sci_mode": st.sampled_from([None, True, False]),
    },
)


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="torch is not installed: no live comparison")


def test_live_texts(torch):
    @settings(max_examples=400, deadline=None)
    @given(array=ARRAYS, options=st.just({}) | OPTIONS, grad=st.booleans())
    def compare(array, options, grad):
        tensor = torch.from_numpy(array.copy())
        grad = grad and tensor.is_floating_point()
        tensor.requires_grad_(grad)
        with torch._tensor_str.printoptions(**options), printoptions(**options):
            assert formatting.get_printoptions() == torch._tensor_str.get_printoptions()
            assert shown(array, "leaf" if grad else None) == repr(tensor)
            if grad:
                assert shown(array, "CloneBackward0") == repr(tensor.clone())

    compare()


def test_recorded_texts_are_torchs(torch):
    record = runpy.run_path(str(HERE.with_name("record_formatting.py")))
    texts = [{**spec, "text": record["text"](spec)} for spec in record["specs"]()]
    assert json.dumps(texts) == json.dumps(RECORDED)
