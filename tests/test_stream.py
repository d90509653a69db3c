"""Random streams against torch's: recorded ones (record_stream.py), and live where torch is."""

import copy
import hashlib
import json
import pickle
import runpy
import threading
from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad import box_muller, stream
from minigrad.stream import Generator

RECORDED = json.loads(Path(__file__).with_name("data").joinpath("stream.json").read_text())


def draw(generator, name, *arguments):
    if name == "bernoulli":
        p, dtype = arguments
        p = np.linspace(0, 1, p) if isinstance(p, int) else np.array(p)
        return generator.bernoulli(p.astype(dtype))
    if name == "randint":
        low, high, shape, dtype = arguments
        return generator.randint(low, high, shape, np.dtype(dtype))
    return np.asarray(getattr(generator, name)(*arguments))


def same_bits(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def is_libm_bound(call):
    """Whether the last bit depends on the C library's log, sin and cos."""
    return call[0] in ("randn", "normal") and call[-1] == "float64"


@pytest.mark.parametrize("case", RECORDED["cases"], ids=lambda case: str(case["seed"]))
def test_the_recorded_streams_bit_for_bit(case):
    generator = Generator().manual_seed(case["seed"])
    assert generator.initial_seed() == case["initial_seed"]
    for number, expected in enumerate(case["results"]):
        got, where = draw(generator, *expected["draw"]), (number, expected["draw"])
        assert (got.dtype.name, list(got.shape)) == (expected["dtype"], expected["shape"]), where
        if "sha256" in expected:
            assert hashlib.sha256(got.tobytes()).hexdigest() == expected["sha256"], where
            continue
        values = np.array(expected["values"], got.dtype).reshape(got.shape)
        if is_libm_bound(expected["draw"]):
            np.testing.assert_allclose(got, values, rtol=1e-14)
        else:
            assert same_bits(got, values), where


def test_every_draw_is_recorded():
    recorded = Counter(r["draw"][0] for case in RECORDED["cases"] for r in case["results"])
    drawing = {"rand", "randn", "normal", "uniform", "randint", "randperm", "random63"}
    assert set(recorded) == drawing | {"bernoulli", "bernoulli_p", "exponential"}
    assert min(recorded.values()) >= 7


@pytest.mark.parametrize("case", RECORDED["errors"], ids=lambda case: str(case["draw"]))
def test_bad_arguments_raise_as_recorded(case):
    generator = Generator()
    before = generator.get_state()
    with pytest.raises(RuntimeError) as caught:
        draw(generator, *case["draw"])
    assert type(caught.value).__name__ == case["error"]
    said = str(caught.value).replace("torch.int32", "int").replace("torch.", "")
    assert case["words"] in said
    assert np.array_equal(generator.get_state(), before), "a refused draw consumed numbers"


class TestSeeds:
    def test_seeds_act_modulo_2_to_the_32(self):
        a, b = Generator().manual_seed(5), Generator().manual_seed(5 + 2**32)
        assert same_bits(a.rand(4), b.rand(4))
        assert (a.initial_seed(), b.initial_seed()) == (5, 5 + 2**32)

    def test_a_negative_seed_counts_from_above(self):
        assert Generator().manual_seed(-1).initial_seed() == 2**64 - 1

    def test_a_fresh_generator_has_the_default_seed(self):
        assert Generator().initial_seed() == stream.DEFAULT_SEED
        assert same_bits(Generator().rand(3), Generator().manual_seed(stream.DEFAULT_SEED).rand(3))

    def test_numpy_integers_are_seeds(self):
        assert Generator().manual_seed(np.int64(3)).initial_seed() == 3

    def test_seed_draws_a_new_seed(self):
        generator = Generator()
        first, second = generator.seed(), generator.seed()
        assert first != second == generator.initial_seed()

    @pytest.mark.parametrize("seed", [1.5, "a", None, True])
    def test_only_integers_are_seeds(self, seed):
        with pytest.raises(RuntimeError, match="manual_seed expected a long, but got"):
            Generator().manual_seed(seed)

    @pytest.mark.parametrize("seed", [-(2**63) - 1, 2**64])
    def test_a_seed_has_64_bits(self, seed):
        with pytest.raises(ValueError, match="Overflow when unpacking long long: seed"):
            Generator().manual_seed(seed)

    def test_seeding_forgets_half_a_pair_of_normals(self):
        generator = Generator().manual_seed(0)
        first = generator.randn(1)
        assert same_bits(generator.manual_seed(0).randn(1), first)
        assert not same_bits(generator.randn(1), first)

    def test_only_the_cpu_has_a_generator(self):
        assert Generator("cpu").device == "cpu"
        with pytest.raises(RuntimeError, match="got 'cuda'"):
            Generator("cuda")


class TestState:
    def test_a_restored_stream_continues(self):
        generator = Generator().manual_seed(-3)
        generator.randn(3)  # leaves half a pair
        generator.rand(1000)
        state = generator.get_state()
        assert state.dtype == np.uint8
        expected = [generator.randn(2), generator.rand(2000), generator.randn(3)]
        other = Generator().set_state(state)
        assert other.initial_seed() == 2**64 - 3
        got = [other.randn(2), other.rand(2000), other.randn(3)]
        assert all(map(same_bits, got, expected))

    @pytest.mark.parametrize("clone", [copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g))])
    def test_a_copy_continues_on_its_own(self, clone):
        generator = Generator().manual_seed(1)
        generator.randn(1)
        other = clone(generator)
        assert same_bits(other.randn(3), generator.randn(3))
        other.rand(1)
        assert not same_bits(other.rand(3), generator.rand(3))

    def test_bad_states_are_refused(self):
        generator = Generator()
        with pytest.raises(TypeError, match=r"expected a torch\.ByteTensor, but got int"):
            generator.set_state(3)
        with pytest.raises(TypeError, match=r"must be a torch\.ByteTensor"):
            generator.set_state(np.zeros(5056))
        with pytest.raises(RuntimeError, match=r"of size 5056 but found .* to be 5"):
            generator.set_state(np.zeros(5, np.uint8))
        with pytest.raises(RuntimeError, match="Invalid mt19937 state"):
            generator.set_state(np.zeros(5056, np.uint8))


class TestDraws:
    def test_the_default_generator_is_a_generator(self):
        assert isinstance(stream.default_generator, Generator)

    def test_bounds_and_moments(self):
        generator = Generator().manual_seed(0)
        unit, normal = generator.rand(100_000), generator.normal(100_000, 3.0, 2.0)
        assert 0 <= unit.min() < 1e-4
        assert 1 - 1e-4 < unit.max() < 1
        assert abs(unit.mean() - 0.5) < 0.005
        assert abs(normal.mean() - 3) < 0.02
        assert abs(normal.std() - 2) < 0.02

    def test_a_small_and_a_large_permutation_agree(self, monkeypatch):
        compiled = Generator().manual_seed(3).randperm(stream.COMPILED_FROM)
        assert sorted(compiled) == list(range(stream.COMPILED_FROM))
        monkeypatch.setattr(stream, "COMPILED_FROM", 10**9)
        assert same_bits(Generator().manual_seed(3).randperm(compiled.size), compiled)

    @pytest.mark.parametrize("before", [0, 1, 623, 624])
    @pytest.mark.parametrize(
        "draw",
        [
            lambda g: g.rand(20_001),
            lambda g: g.rand(20_001, np.float64),
            lambda g: g.randn(20_001),
            lambda g: g.randint(-5, 2**20, 20_001),
            lambda g: g.randint(-(2**63), 2**63 - 1, 20_001),
            lambda g: g.bernoulli(np.full(20_001, 0.3)),
            lambda g: g.bernoulli_p((20_001,), 0.3),
            lambda g: g.bernoulli_p((20_001,), 1 / 3, np.float64, 1.5),
            lambda g: g.bernoulli_p((20_001,), 1.0),
            lambda g: g.bernoulli_p((20_001,), 0.0),
        ],
    )
    def test_many_numbers_are_those_of_a_loop(self, draw, before, monkeypatch):
        """Compiled loops draw many; the words, and where the stream goes on, are the same."""
        found = []
        for threshold in (stream.COMPILED_FROM, 10**9):
            monkeypatch.setattr(stream, "COMPILED_FROM", threshold)
            generator = Generator().manual_seed(3)
            generator.rand(before)
            found.append((draw(generator), generator.rand(3), generator.get_state()))
        for compiled, looped in zip(*found, strict=True):
            assert same_bits(compiled, looped)

    def test_extreme_parameters_neither_warn_nor_fail(self):
        generator = Generator()
        for count in (3, 20):
            assert np.isinf(generator.normal(count, 0.0, float("inf"))).all()
            assert generator.normal(count, 1e39, 0.0).tolist() == [float("inf")] * count
        assert set(generator.uniform(1000, 1.0, 1 + 2**-22).tolist()) == {1.0, 1 + 2**-23}
        wide = generator.uniform(1000, -1e308, 7e307, np.float64)
        assert wide.min() < -9e307
        assert wide.max() > 6e307

    def test_a_scalar_probability_array_gives_a_scalar_array(self):
        drawn = Generator().bernoulli(np.array(1.0, np.float32))
        assert isinstance(drawn, np.ndarray)
        assert drawn.shape == ()
        assert drawn == 1

    def test_a_float_is_no_bound(self):
        with pytest.raises(TypeError, match="integer"):
            Generator().randint(0.5, 3, (2,))

    def test_threads_share_a_stream_without_loss(self):
        generator, drawn = Generator().manual_seed(0), []

        def work():
            drawn.extend(generator.random63() for _ in range(500))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        alone = Generator().manual_seed(0)
        assert sorted(drawn) == sorted(alone.random63() for _ in range(2000))


class TestFusedMultiplyAdd:
    """`_fused_multiply_add` rounds `a * b + c` once, as exact arithmetic shows."""

    @staticmethod
    def exact(a, b, c, dtype):
        total = Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c))
        if dtype == np.float64:
            return float(total)
        near = np.float32(float(total))
        around = (np.nextafter(near, np.float32(d)) for d in (-np.inf, np.inf))
        options = sorted((near, *around), key=lambda x: abs(Fraction(float(x)) - total))
        tie = abs(Fraction(float(options[0])) - total) == abs(Fraction(float(options[1])) - total)
        return options[1] if tie and options[0].view(np.int32) & 1 else options[0]

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_rounds_once(self, dtype):
        rng = np.random.default_rng(0)
        a = rng.random(300).astype(dtype)
        for b, c in ((1.7, -0.85), (0.1, 3.0), (1e-3, -7.0), (2.0, -1.0), (3.3, 1e-12)):
            b, c = dtype(b), dtype(c)
            got = box_muller.fused_multiply_add(a, b, c)
            assert got.dtype == dtype
            assert got.tolist() == [self.exact(x, b, c, dtype) for x in a]

    def test_rounds_once_where_rounding_twice_errs(self):
        # 1 + 2**-24 + 2**-60 lies above the midpoint of two float32, but rounds to it in float64.
        a, b = np.array([2**-30], np.float32), np.float32(2**-30)
        midpoint = np.float64(1 + 2**-24)
        assert np.float32(a[0].astype(np.float64) * b + midpoint) == 1
        assert box_muller.fused_multiply_add(a, b, midpoint)[0] == np.float32(1 + 2**-23)


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="torch is not installed: no live comparison")


@pytest.fixture(scope="module")
def torch_draw(torch):
    return runpy.run_path(str(Path(__file__).with_name("record_stream.py")))["draw"]


def intel():
    cpu = Path("/proc/cpuinfo")
    return cpu.exists() and "GenuineIntel" in cpu.read_text()


SHAPES = st.lists(st.integers(0, 9), max_size=3)
FLOATS = st.sampled_from(["float32", "float64"])
WIDTHS = st.integers(1, 63).map(lambda bits: 2**bits - 1) | st.integers(1, 2**40)
REALS = st.floats(-1e3, 1e3, width=32)
DRAWS = st.one_of(
    st.tuples(st.sampled_from(["rand", "randn"]), SHAPES, FLOATS),
    st.tuples(st.just("normal"), SHAPES, REALS, st.floats(0, 1e3, width=32), FLOATS),
    st.tuples(
        st.just("uniform"),
        SHAPES,
        st.floats(-1e3, 0, width=32),
        st.floats(0, 1e3, width=32),
        FLOATS,
    ),
    st.tuples(st.just("randint"), st.just(-3), WIDTHS.map(lambda w: w - 3), SHAPES, st.just("int64")),
    st.tuples(st.just("randperm"), st.integers(0, 300)),
    st.tuples(st.just("bernoulli"), st.integers(1, 40), FLOATS),
    st.just(("random63",)),
    *([] if intel() else [st.tuples(st.just("bernoulli_p"), SHAPES, st.floats(0, 1), FLOATS)]),
)


class TestLive:
    """The same draws by the installed torch, but for `bernoulli_` on Intel's CPUs."""

    def test_programs_of_draws(self, torch, torch_draw):
        @settings(max_examples=200, deadline=None)
        @given(seed=st.integers(-(2**63), 2**64 - 1), draws=st.lists(DRAWS, max_size=6))
        def compare(seed, draws):
            ours, theirs = Generator().manual_seed(seed), torch.Generator().manual_seed(seed)
            assert ours.initial_seed() == theirs.initial_seed()
            for call in draws:
                assert same_bits(draw(ours, *call), torch_draw(theirs, *call)), call

        compare()

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_long_streams(self, torch, torch_draw, dtype):
        size = [500_001] if dtype == "float32" else [50_001]
        for seed in (3, 4):
            ours, theirs = Generator().manual_seed(seed), torch.Generator().manual_seed(seed)
            for call in (
                ["randn", size, dtype],
                ["normal", size, 0.3, 1.7, dtype],
                ["uniform", size, -0.2, 0.3, dtype],
            ):
                differing = draw(ours, *call) != torch_draw(theirs, *call)
                assert differing.sum() == 0, call

    def test_either_library_continues_the_others_state(self, torch):
        theirs = torch.Generator().manual_seed(5)
        torch.randn(3, generator=theirs)
        ours = Generator().set_state(theirs.get_state().numpy())
        assert ours.initial_seed() == 5
        assert same_bits(ours.randn(5), torch.randn(5, generator=theirs).numpy())
        ours.rand(700)
        theirs.set_state(torch.from_numpy(ours.get_state()))
        assert same_bits(ours.randn(50), torch.randn(50, generator=theirs).numpy())
