"""Kernels against NumPy in float64: values, layouts, edge cases, and the same bits in parallel.

Bounds are in units of the type's epsilon: `ulps` for a single function (measured, in brackets where
it stands, and rounded up), `sums` for what is added up.
"""

import itertools
import math
from collections.abc import Iterator

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad.kernels import extremes, fill, reduction, sigmoid, softmax, sums
from minigrad.kernels import math as scalar
from minigrad.kernels.jit import Kernel, kernel, set_num_threads
from minigrad.kernels.math import exp_and_rest, exp_nonpositive

FLOATS = [np.float32, np.float64]
INF, NAN = np.inf, np.nan
RNG = np.random.default_rng(20240601)
START = RNG.bit_generator.state


@pytest.fixture(autouse=True)
def draws_of_its_own():
    """Every test draws the same numbers, whichever tests ran before it."""
    RNG.bit_generator.state = START


def normal(shape, dtype, scale=3.0):
    return np.asarray(RNG.normal(0, scale, shape)).astype(dtype)


def eps(dtype):
    return float(np.finfo(dtype).eps)


def assert_close(got, expected, dtype, ulps, scale=None):
    """`got` has the type and shape, and is within `ulps` epsilons of `expected`.

    The epsilons are relative to the expected value, or to `scale` where a difference of larger
    numbers is rounded.
    """
    assert isinstance(got, np.ndarray)
    assert got.dtype == dtype
    assert got.shape == np.shape(expected)
    with np.errstate(over="ignore"):
        target = np.asarray(expected).astype(dtype)
    same = (got == target) | (np.isnan(got) & np.isnan(target))
    wide = np.asarray(expected, np.float64)
    size = np.abs(wide) if scale is None else np.maximum(np.abs(wide), scale)
    with np.errstate(invalid="ignore", over="ignore"):
        bound = ulps * eps(dtype) * size + float(np.finfo(dtype).tiny)
        near = np.abs(got.astype(np.float64) - wide) <= bound
    wrong = ~(same | near)
    assert not wrong.any(), f"{wrong.sum()} of {got.size}: {got[wrong][:3]}, not {target[wrong][:3]}"


def layouts(x: np.ndarray) -> Iterator[np.ndarray]:
    """`x` in other layouts: strided, reversed, Fortran order, read-only, misaligned."""
    if x.ndim:
        doubled = np.repeat(x, 2, axis=-1)
        yield doubled[..., ::2]
        yield np.ascontiguousarray(x[::-1])[::-1]
    yield np.asfortranarray(x)
    frozen = x.copy()
    frozen.flags.writeable = False
    yield frozen
    raw = np.zeros(x.nbytes + 1, np.uint8)
    moved = raw[1:].view(x.dtype).reshape(x.shape)
    moved[...] = x
    yield moved


def check_layouts(function, *arrays):
    """Any layout gives the same bits, and no argument is changed."""
    expected = function(*arrays)
    for variants in zip(*(layouts(a) for a in arrays), strict=True):
        before = [v.copy() for v in variants]
        got = function(*variants)
        assert got.tobytes() == expected.tobytes()
        assert not any(np.shares_memory(got, v) for v in variants)
        for variant, kept in zip(variants, before, strict=True):
            assert variant.tobytes() == kept.tobytes()


def sigma(x):
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


# Scalar functions.


@kernel
def point(x):
    return x


@kernel
def apply_point(x, y):
    for i in range(x.size):
        y[i] = point(x[i])


SCALARS = {  # the reference, and the largest error measured in units in the last place, rounded up
    "exp": (np.exp, 1.5),
    "expm1": (np.expm1, 2.0),
    "log": (np.log, 1.0),
    "log1p": (np.log1p, 1.0),
    "sigmoid": (sigma, 3.0),
    "tanh": (np.tanh, 3.0),
}
LOOPS = {
    name: apply_point.specialise(f"apply_{name}", point=getattr(scalar, name))
    for name in [*SCALARS, "normal_cdf"]
}


def run_scalar(name, x):
    y = np.empty_like(x)
    LOOPS[name](x, y)
    return y


@pytest.mark.parametrize("name", SCALARS)
def test_scalar_functions_over_all_of_float32(name):
    # Every 1009th of the 2**32 bit patterns: both signs, denormals, infinities and nans.
    x = np.arange(0, 2**32, 1009, dtype=np.uint64).astype(np.uint32).view(np.float32)
    with np.errstate(all="ignore"):
        wide = SCALARS[name][0](x.astype(np.float64))
        expected = wide.astype(np.float32)
        spacing = np.spacing(np.maximum(np.abs(expected), np.finfo(np.float32).tiny))
        got = run_scalar(name, x)
        error = np.abs(got.astype(np.float64) - wide) / spacing
    exact = (got == expected) | (np.isnan(got) & np.isnan(expected))
    flushed = (got == 0) & (np.abs(expected) < np.finfo(np.float32).tiny)
    assert np.all(exact | flushed | (error <= SCALARS[name][1]))


@pytest.mark.parametrize("name", SCALARS)
def test_scalar_functions_in_float64(name):
    reference, bound = SCALARS[name]
    x = np.concatenate(
        [
            RNG.uniform(-720, 715, 200_000),
            RNG.uniform(-2, 2, 200_000),
            10 ** RNG.uniform(-300, 300, 200_000) * RNG.choice([-1, 1], 200_000),
            [0, 1, -1, INF, -INF, NAN, 1e9, -1e9, 709.7, 709.8, 5e-324, 1e308],
        ]
    )
    # An extended type where there is one; NumPy's float64 is off by half a unit itself.
    wide = np.longdouble if np.finfo(np.longdouble).nmant > 60 else np.float64
    with np.errstate(all="ignore"):
        expected = reference(x.astype(wide))
        rounded = expected.astype(np.float64)
        spacing = np.spacing(np.maximum(np.abs(rounded), np.finfo(np.float64).tiny))
        got = run_scalar(name, x)
        error = np.abs(got - expected) / spacing
    exact = (got == rounded) | (np.isnan(got) & np.isnan(rounded))
    flushed = (got == 0) & (np.abs(rounded) < np.finfo(np.float64).tiny)
    assert np.all(exact | flushed | (error <= bound + 0.5))


@kernel
def apply_exp_and_rest(x, y, z):
    for i in range(x.size):
        y[i], z[i] = exp_and_rest(x[i])


@kernel
def apply_exp_nonpositive(x, y, z):
    for i in range(x.size):
        y[i] = exp_nonpositive(x[i])


@pytest.mark.parametrize("dtype", FLOATS)
def test_exp_of_numbers_that_are_not_positive(dtype):
    low = -90 if dtype is np.float32 else -710
    x = np.concatenate([RNG.uniform(low, 0, 200_000), -(10 ** RNG.uniform(-30, 0, 100_000)), [0, -INF, NAN]])
    x = x.astype(dtype)
    wide = np.longdouble if np.finfo(np.longdouble).nmant > 60 else np.float64
    expected, rest = np.exp(x.astype(wide)), -np.expm1(x.astype(wide))
    tiny = np.finfo(dtype).tiny
    for loop in (apply_exp_and_rest, apply_exp_nonpositive):
        y, z = np.empty_like(x), rest.astype(dtype)
        loop(x, y, z)
        for got, exact in ((y, expected), (z, rest)):
            target = exact.astype(dtype)
            same = (got == target) | (np.isnan(got) & np.isnan(target)) | ((got == 0) & (exact < tiny))
            with np.errstate(invalid="ignore"):
                error = np.abs(got.astype(wide) - exact) / np.spacing(np.maximum(target, tiny))
            assert np.all(same | (error <= 2))  # measured: 1.5


@pytest.mark.parametrize("dtype", FLOATS)
def test_exp_at_its_ends(dtype):
    x = np.array([INF, -INF, NAN, 0, -0.0, 1e9, -1e9, 89, -104, 710, -746], dtype)
    with np.errstate(over="ignore"):
        expected = np.exp(x.astype(np.float64)).astype(dtype)
    np.testing.assert_array_equal(run_scalar("exp", x)[:-2], expected[:-2])
    np.testing.assert_array_equal(run_scalar("exp", x)[-2:], [INF, 0])


@pytest.mark.parametrize("dtype", FLOATS)
def test_normal_cdf_has_relative_accuracy_in_its_tail(dtype):
    x = np.linspace(-8, 8, 4001).astype(dtype)
    expected = np.array([math.erfc(-v / math.sqrt(2)) / 2 for v in x.astype(np.float64)])
    # exp(-x*x/2) magnifies the rounding of x*x/2 by itself, here and in the reference.
    assert_close(run_scalar("normal_cdf", x), expected, dtype, 4 + 2 * x.astype(np.float64) ** 2)
    assert_close(run_scalar("normal_cdf", np.abs(x)), np.maximum(expected, 1 - expected), dtype, 3)


# Sigmoid and relatives: value(x), slope(x) in float64, and the argument the cotangent rule takes.


def phi(x):
    return np.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def big_phi(x):
    return np.vectorize(lambda v: math.erfc(-v / math.sqrt(2)) / 2, otypes=[float])(x)


def gelu_tanh(x):  # (1 + tanh(u)) / 2 = sigmoid(2u)
    return x * sigma(2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))


def gelu_tanh_slope(x):
    u = 2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    u_slope = 2 * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x**2)
    return sigma(u) + x * sigma(u) * sigma(-u) * u_slope


POINTWISE = {
    "sigmoid": (sigma, lambda x: sigma(x) * sigma(-x), "y", ()),
    "log_sigmoid": (lambda x: -np.logaddexp(0, -x), lambda x: sigma(-x), "x", ()),
    "softplus": (
        lambda x: np.where(x > 20, x, np.logaddexp(0, x)),
        lambda x: np.where(x > 20, 1, sigma(x)),
        "x",
        (),
    ),
    "softplus beta": (
        lambda x: np.where(2.5 * x > 4, x, np.logaddexp(0, 2.5 * x) / 2.5),
        lambda x: np.where(2.5 * x > 4, 1, sigma(2.5 * x)),
        "x",
        (2.5, 4.0),
    ),
    "silu": (lambda x: x * sigma(x), lambda x: sigma(x) * (1 + x * sigma(-x)), "x", ()),
    "tanh": (np.tanh, lambda x: 1 / np.cosh(x) ** 2, "y", ()),
    "gelu none": (lambda x: x * big_phi(x), lambda x: big_phi(x) + x * phi(x), "x", ("none",)),
    "gelu tanh": (gelu_tanh, gelu_tanh_slope, "x", ("tanh",)),
    "relu": (lambda x: np.maximum(x, 0), lambda x: np.where(x > 0, 1, 0), "y", ()),
}


def pointwise(name):
    value, slope, argument, options = POINTWISE[name]
    base = name.split()[0]
    function, rule = getattr(sigmoid, base), getattr(sigmoid, f"{base}_vjp")
    return value, slope, argument, options, function, rule


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [(), (1,), (7,), (3, 5, 2), (0,), (2, 0, 3), (40, 101)])
@pytest.mark.parametrize("name", POINTWISE)
def test_pointwise_values_and_cotangents(name, shape, dtype):
    value, slope, argument, options, function, rule = pointwise(name)
    x, g = normal(shape, dtype), normal(shape, dtype)
    wide = x.astype(np.float64)
    y = function(x, *options)
    # Relative to 1 where the textbook form adds something of size 1, as these references do.
    assert_close(y, value(wide), dtype, 4, scale=1)
    expected = g.astype(np.float64) * slope(wide)
    assert_close(rule(g, y if argument == "y" else x, *options), expected, dtype, 6, scale=np.abs(g))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", POINTWISE)
def test_pointwise_layouts(name, dtype):
    *_, argument, options, function, rule = pointwise(name)
    x, g = normal((4, 37), dtype), normal((4, 37), dtype)
    check_layouts(lambda a: function(a, *options), x)
    y = function(x, *options) if argument == "y" else x
    check_layouts(lambda a, b: rule(a, b, *options), g, y)
    row = np.broadcast_to(g[:1], x.shape)
    assert rule(row, y, *options).tobytes() == rule(row.copy(), y, *options).tobytes()


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (sigmoid.sigmoid, [1, 0, 1, 0, NAN, 0.5]),
        (sigmoid.log_sigmoid, [0, -1e9, 0, -INF, NAN, -math.log(2)]),
        (sigmoid.softplus, [1e9, 0, INF, 0, NAN, math.log(2)]),
        (sigmoid.silu, [1e9, 0, INF, NAN, NAN, 0]),  # -inf * 0, as in torch
        (sigmoid.tanh, [1, -1, 1, -1, NAN, 0]),
        (sigmoid.gelu, [1e9, 0, INF, NAN, NAN, 0]),
        (sigmoid.relu, [1e9, 0, INF, 0, NAN, 0]),
    ],
)
def test_pointwise_extremes(function, expected, dtype):
    x = np.array([1e9, -1e9, INF, -INF, NAN, 0], dtype)
    assert_close(function(x), np.array(expected), dtype, 1)


@pytest.mark.parametrize("dtype", FLOATS)
def test_cotangents_at_extremes(dtype):
    x = np.array([1e9, -1e9, INF, -INF, NAN, 0], dtype)
    g = np.full(6, 2, dtype)
    assert_close(sigmoid.log_sigmoid_vjp(g, x), np.array([0, 2, 0, 2, NAN, 1]), dtype, 1)
    assert_close(sigmoid.softplus_vjp(g, x), np.array([2, 0, 2, 0, NAN, 1]), dtype, 1)
    assert_close(sigmoid.silu_vjp(g, x)[[0, 1, 4, 5]], np.array([2, 0, NAN, 1]), dtype, 1)
    # relu: 0 at the kink, and the cotangent passes where the value is nan.
    assert_close(sigmoid.relu_vjp(g, x), np.array([2, 0, 2, 0, 2, 0]), dtype, 0)


def test_tanh_keeps_the_sign_of_zero():
    y = sigmoid.tanh(np.array([0.0, -0.0], np.float32))
    assert list(np.signbit(y)) == [False, True]


@pytest.mark.parametrize("dtype", [np.float16, ">f4", np.int64, np.bool_])
def test_other_types_take_the_wide_road(dtype):
    x = np.array([[0, 1], [1, 0]]).astype(dtype)
    expected = np.float32 if x.dtype.kind in "bi" else x.dtype
    for y, reference in [
        (sigmoid.sigmoid(x), sigma(x.astype(float))),
        (softmax.softmax(x, 1), softmax_reference(x.astype(float), 1)),
        (softmax.logsumexp(x, 0), np.log(np.exp(x.astype(float)).sum(0))),
    ]:
        assert_close(y, reference, expected, 1)
    if x.dtype.kind == "f":
        assert_close(reduction.mean(x, 1), np.array([0.5, 0.5]), x.dtype, 0)
        assert_close(reduction.var(x), np.array(1 / 3), x.dtype, 1)


# Softmax and relatives.

SHAPES = [(), (1,), (9,), (3, 4), (2, 3, 4), (2, 300, 3), (3, 2, 600), (1, 5, 1), (5, 0), (2, 0, 3)]


SHAPES_AND_AXES = [
    (shape, axis) for shape in SHAPES for axis in range(-max(1, len(shape)), max(1, len(shape)))
]


def softmax_reference(x, axis):
    if not x.size:
        return x
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def add_up(x, axis):
    return x.sum(axis, keepdims=True) if x.ndim else x


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("shape", "axis"), SHAPES_AND_AXES)
def test_softmax_family(shape, axis, dtype):
    x, g = normal(shape, dtype), normal(shape, dtype)
    wide, cotangent = x.astype(np.float64), g.astype(np.float64)
    y = softmax_reference(wide, axis)
    # exp(x - max) magnifies the rounding of the difference by itself.
    magnified = 4 - np.log(y)
    assert_close(softmax.softmax(x, axis), y, dtype, magnified)
    assert_close(softmax.log_softmax(x, axis), np.log(y), dtype, 2, scale=8)
    # Here a scale is the sum of the sizes of all that is added.
    y = y.astype(dtype).astype(np.float64)
    slopes = y * (cotangent - add_up(cotangent * y, axis))
    sizes = y * (np.abs(cotangent) + add_up(np.abs(cotangent * y), axis))
    assert_close(softmax.softmax_vjp(g, y.astype(dtype), axis), slopes, dtype, 4, scale=sizes)
    logs = np.log(y).astype(dtype)
    y = np.exp(logs.astype(np.float64))
    slopes = cotangent - y * add_up(cotangent, axis)
    sizes = np.abs(cotangent) + y * add_up(np.abs(cotangent), axis)
    assert_close(softmax.log_softmax_vjp(g, logs, axis), slopes, dtype, 4, scale=sizes)
    for keepdims in (False, True):
        total = (
            np.log(np.exp(wide).sum(axis if shape else None, keepdims=keepdims))
            if (x.size)
            else np.full(wide.sum(axis, keepdims=keepdims).shape, -INF)
        )
        assert_close(softmax.logsumexp(x, axis, keepdims), total, dtype, 2, scale=8)


@pytest.mark.parametrize("axes", [None, (0, 1), (1, 2), (0, 2), (2, 0), (-1, -3), (0, 1, 2), ()])
@pytest.mark.parametrize("dtype", FLOATS)
def test_logsumexp_over_several_axes(axes, dtype):
    x = normal((3, 4, 5), dtype)
    expected = np.log(np.exp(x.astype(np.float64)).sum(axes, keepdims=True))
    assert_close(softmax.logsumexp(x, axes, True), expected, dtype, 2, scale=8)
    assert softmax.logsumexp(x, axes).shape == x.sum(axes).shape


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("axis", [0, 1])
def test_softmax_layouts(axis, dtype):
    x, g = normal((6, 35), dtype), normal((6, 35), dtype)
    y = softmax.softmax(x, axis)
    check_layouts(lambda a: softmax.softmax(a, axis), x)
    check_layouts(lambda a: softmax.log_softmax(a, axis), x)
    check_layouts(lambda a: softmax.logsumexp(a, axis), x)
    check_layouts(lambda a, b: softmax.softmax_vjp(a, b, axis), g, y)
    check_layouts(lambda a, b: softmax.log_softmax_vjp(a, b, axis), g, np.log(y))


EXTREME_ROWS = [  # x, softmax, log_softmax, logsumexp; as torch has them
    ([1e9, 0, -1e9], [1, 0, 0], [0, -1e9, -2e9], 1e9),
    ([-1e9, -1e9, -1e9], [1 / 3] * 3, [-math.log(3)] * 3, math.log(3) - 1e9),
    ([-INF, 0, 0], [0, 0.5, 0.5], [-INF, -math.log(2), -math.log(2)], math.log(2)),
    ([-INF, -INF, -INF], [NAN] * 3, [NAN] * 3, -INF),
    ([INF, 0, -INF], [NAN, NAN, NAN], [NAN, NAN, NAN], INF),
    ([NAN, 0, 1], [NAN] * 3, [NAN] * 3, NAN),
    ([0, 1, -NAN], [NAN] * 3, [NAN] * 3, NAN),
]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("x", "y", "logs", "total"), EXTREME_ROWS)
def test_softmax_extremes(x, y, logs, total, dtype):
    # By rows, by columns, and in a row long enough for the vector loops.
    x = np.array(x, dtype)
    for got, expected in [
        (softmax.softmax(x, 0), y),
        (softmax.log_softmax(x, 0), logs),
        (softmax.softmax(np.stack([x, x], 1), 0)[:, 1], y),
        (softmax.log_softmax(np.stack([x, x], 1), 0)[:, 1], logs),
        (softmax.logsumexp(x, 0), total),
        (softmax.logsumexp(np.stack([x, x], 1), 0)[1:], [total]),
    ]:
        if np.isinf(x[0]) and x[0] > 0:  # with +inf, every entry is nan or 0: torch has nan
            got = np.where(got == 0, NAN, got).astype(dtype) if np.ndim(expected) else got
        assert_close(got, np.array(expected), dtype, 2)
    long = np.concatenate([np.full(500, -INF, dtype), x])
    assert_close(softmax.logsumexp(long, 0), np.array(total), dtype, 2)


def test_log_softmax_keeps_the_digits_of_a_sure_prediction():
    x = np.array([20.0, 0.0], np.float32)
    assert_close(softmax.log_softmax(x, 0)[:1], np.array([-math.log1p(math.exp(-20))]), np.float32, 2)


# Reductions.

AXES = [None, 0, 1, 2, -1, (0, 1), (1, 2), (0, 2), (-1, 0), (0, 1, 2), ()]


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 600, 3), (1, 2, 20_000), (20_000, 2, 1), (2, 0, 3)])
def test_reductions(shape, axes, keepdims):
    for dtype in FLOATS:
        x = normal(shape, dtype) + dtype(5)
        wide = x.astype(np.longdouble)
        n = x.size // max(1, wide.sum(axes).size) if x.size else 0
        total = wide.sum(axes, keepdims=keepdims)
        # In float64 up to 256 rows are added one by one: half an epsilon each, at random.
        ulps = 2 if dtype == np.float32 else 16
        assert_close(reduction.sum(x, axes, keepdims), total, dtype, ulps, scale=np.sqrt(n))
        if not x.size:
            continue
        mean = wide.mean(axes, keepdims=keepdims)
        assert_close(reduction.mean(x, axes, keepdims), mean, dtype, ulps, scale=1)
        if n > 1:
            var = wide.var(axes, ddof=1, keepdims=keepdims)
            assert_close(reduction.var(x, axes, 1, keepdims), var, dtype, ulps)
            var = wide.var(axes, keepdims=keepdims)
            assert_close(reduction.var(x, axes, 0, keepdims), var, dtype, ulps)
        assert_close(reduction.max(x, axes, keepdims), wide.max(axes, keepdims=keepdims), dtype, 0)
        assert_close(reduction.min(x, axes, keepdims), wide.min(axes, keepdims=keepdims), dtype, 0)
        small = x[:, :9, :9] / dtype(5)
        product = small.astype(np.float64).prod(axes, keepdims=keepdims)
        assert_close(reduction.prod(small, axes, keepdims), product, dtype, small.size)


@pytest.mark.parametrize("dtype", FLOATS)
def test_reductions_of_a_scalar_and_of_nothing(dtype):
    x = np.array(3, dtype)
    for axes in (None, 0, -1):
        for function in (reduction.sum, reduction.mean, reduction.max, reduction.prod):
            assert_close(function(x, axes), np.array(3.0), dtype, 0)
        assert np.array_equal(reduction.argmax(x, axes), 0)
    assert_close(reduction.var(x), np.array(NAN), dtype, 0)
    assert_close(reduction.var(x, correction=0), np.array(0.0), dtype, 0)
    empty = np.zeros((0, 3), dtype)
    assert_close(reduction.sum(empty), np.array(0.0), dtype, 0)
    assert_close(reduction.mean(empty), np.array(NAN), dtype, 0)
    assert_close(reduction.mean(empty, 0), np.full(3, NAN), dtype, 0)
    assert_close(reduction.sum(empty, 1), np.zeros(0), dtype, 0)
    with pytest.raises(ValueError, match="zero-size"):
        reduction.max(empty, 0)


@pytest.mark.parametrize("axis", [2, -3, (0, 2), (1, 1)])
def test_bad_axes(axis):
    with pytest.raises(ValueError, match="axis"):
        reduction.sum(np.zeros((2, 3), np.float32), axis)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("axes", [None, 0, 1])
def test_reduction_layouts(axes, dtype):
    x = normal((20, 31), dtype)
    for function in (reduction.mean, reduction.var, reduction.max, reduction.argmin):
        check_layouts(lambda a, f=function: f(a, axes), x)


@pytest.mark.parametrize("dtype", FLOATS)
def test_nan_wins(dtype):
    x = np.array([[1, 5, 5], [NAN, 2, NAN], [-INF, 3, INF]], dtype)
    assert_close(reduction.max(x, 1), np.array([5, NAN, INF]), dtype, 0)
    assert_close(reduction.min(x, 1), np.array([1, NAN, -INF]), dtype, 0)
    assert_close(reduction.max(x, 0), np.array([NAN, 5, NAN]), dtype, 0)
    assert reduction.argmax(x, 1).tolist() == [1, 0, 2]  # the first of equals, the first nan
    assert reduction.argmin(x, 1).tolist() == [0, 0, 0]
    assert reduction.argmax(x, 0, keepdims=True).tolist() == [[1, 0, 1]]
    assert reduction.argmax(x) == 3
    assert reduction.argmax(x).dtype == np.int64
    assert_close(reduction.sum(x, 1), np.array([11, NAN, NAN]), dtype, 0)


@pytest.mark.parametrize("dtype", [np.bool_, np.int8, np.uint8, np.int32, np.int64])
def test_integers_add_up_in_int64(dtype):
    x = np.ones((3, 100), dtype) * np.array(1 if dtype == np.bool_ else 100, dtype)
    for function, expected in [(reduction.sum, x.sum(1, dtype=np.int64)), (reduction.prod, None)]:
        got = function(x if expected is not None else x[:, :3], 1)
        assert got.dtype == np.int64
        wanted = expected if expected is not None else x[:, :3].astype(np.int64).prod(1)
        assert np.array_equal(got, wanted)
    assert_close(reduction.mean(x), np.array(float(x[0, 0])), np.float64, 1)
    assert reduction.any(x, 1).tolist() == [True] * 3
    assert reduction.all(x * (np.arange(100) > 0), 1).tolist() == [False] * 3


def test_a_long_mean_keeps_its_digits():
    x = np.full(2**24 + 3, 0.1, np.float32)
    assert_close(reduction.mean(x), np.array(float(np.float32(0.1))), np.float32, 1)
    assert_close(reduction.sum(x.reshape(-1, 1), 0), np.array([x.size * float(x[0])]), np.float32, 1)
    # A large offset costs the variance nothing: it is taken about the mean.
    x = (1e4 + np.resize([-1, 1], 10_000)).astype(np.float32)
    assert_close(reduction.var(x, correction=0), np.array(1.0), np.float32, 1)


def test_float32_blocks_of_a_sum_round_little_and_never_overflow():
    rng = np.random.default_rng(7)
    x = rng.normal(1, 3, 1_000_003).astype(np.float32)
    for values in (x, rng.uniform(0, 1, 300_007).astype(np.float32), np.full(4096, 1 / 3, np.float32)):
        exact = values.astype(np.float64).sum()
        assert_close(reduction.sum(values), np.array(exact), np.float32, 1)
    # 12 roundings, of half an epsilon each, of the sum of sizes: the bound that the kernel states.
    alternating = np.resize(np.array([1e6, -1e6, 1e-3], np.float32), 3 * 2000)
    exact = alternating.astype(np.float64).sum()
    sizes = np.abs(alternating.astype(np.float64)).sum()
    assert_close(reduction.sum(alternating), np.array(exact), np.float32, 6, scale=sizes)
    huge = np.full(1000, 3e38, np.float32)
    assert_close(reduction.mean(huge), np.array(float(huge[0])), np.float32, 1)
    assert_close(reduction.sum(np.concatenate([huge, -huge])), np.array(0.0), np.float32, 0)
    huge[5] = INF
    assert reduction.sum(huge) == INF


@st.composite
def arrays_and_axes(draw):
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=7))
    x = draw(hnp.arrays(np.float64, shape, elements=st.floats(-1e3, 1e3)))
    axes = draw(st.sets(st.integers(0, len(shape) - 1)) if shape else st.just(set()))
    return x, tuple(axes)


@settings(deadline=None, max_examples=150)
@given(arrays_and_axes(), st.booleans(), st.sampled_from(FLOATS))
def test_any_shape_and_axes(case, keepdims, dtype):
    x, axes = case
    x = x.astype(dtype)
    wide = x.astype(np.longdouble)
    scale = np.abs(wide).sum(axes, keepdims=keepdims)
    total = wide.sum(axes, keepdims=keepdims)
    ulps = 2 if dtype == np.float32 else 16
    assert_close(reduction.sum(x, axes, keepdims), total, dtype, ulps, scale=scale)
    if x.size:
        top = wide.max(axes, keepdims=True)
        logs = top + np.log(np.exp(wide - top).sum(axes, keepdims=True))
        logs = logs if keepdims else logs.reshape(total.shape)
        assert_close(softmax.logsumexp(x, axes, keepdims), logs, dtype, 4, scale=8)
    for axis in axes[:1]:
        y = softmax_reference(wide, axis)
        magnified = 4 - np.log(np.maximum(y, np.finfo(dtype).tiny))
        assert_close(softmax.softmax(x, axis), y, dtype, magnified)


# Parallel twins.


@pytest.mark.parametrize("dtype", [*FLOATS, np.int64])
@pytest.mark.parametrize(
    ("shape", "wide"),
    [((), (3, 4)), ((3,), (2, 3)), ((3, 1), (3, 6)), ((3, 5, 1, 1), (3, 5, 4, 7)), ((1, 4, 1), (3, 4, 5))],
)
def test_dense_copies_of_arrays_that_repeat(shape, wide, dtype, monkeypatch):
    monkeypatch.setattr(fill, "_THRESHOLD", 0)
    x = normal(shape, dtype)
    wide = np.broadcast_to(x, wide)
    for source in (wide, x):
        copy = fill.dense(source)
        np.testing.assert_array_equal(copy, source)
        assert copy.flags.c_contiguous
        assert copy.flags.writeable
        assert not np.shares_memory(copy, x)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("smallest", [False, True])
@pytest.mark.parametrize("n", [1, 5, 128, 300, 20_000])
def test_extremes_and_their_places(n, smallest, dtype):
    x = normal((4, n), dtype)
    x[1, n // 2] = NAN
    x[2, [0, n // 3, n - 1]] = -INF if smallest else INF
    x[3] = 0
    x[3, ::2] = -0.0
    values, places = extremes.extreme_of_rows(x, smallest)
    np.testing.assert_array_equal(values, (np.min if smallest else np.max)(x, 1))
    np.testing.assert_array_equal(places, (np.argmin if smallest else np.argmax)(x, 1))
    for row in x:
        found = extremes.extreme_of_all(row, smallest)
        np.testing.assert_array_equal(found, (np.min if smallest else np.max)(row))
        shares = extremes.share_all(np.asarray(6, dtype), row, found)
        ties = np.isnan(row) if np.isnan(found) else row == found
        assert_close(shares, np.where(ties, 6 / ties.sum(), 0), dtype, 1)
    g = normal(4, dtype)
    expected = np.zeros_like(x)
    expected[np.arange(4), places] = g
    np.testing.assert_array_equal(extremes.put_rows(g, places, x.shape), expected)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    ("shape", "axes"), [((50_000,), None), ((3, 40_000), 1), ((300, 7, 5), (0, 2)), ((9, 4, 6), 1)]
)
def test_variances_far_from_zero_and_their_gradients(shape, axes, dtype):
    x = normal(shape, dtype) + dtype(1e4 if dtype is np.float32 else 3)
    wide = x.astype(np.longdouble)  # in float64 the expected variance is as inexact as ours
    y, means = reduction.var_and_means(x, axes)
    assert_close(y, wide.var(axes, ddof=1), dtype, 4)
    scales = normal(means.shape, dtype)
    kept = reduction.keeping_dims(shape, axes)
    exact = (wide - wide.mean(axes, keepdims=True)) * scales.astype(np.longdouble).reshape(kept)
    assert_close(reduction.centred(x, means, scales, axes), exact, dtype, 4, scale=np.abs(exact).max())
    assert not reduction.centred(x * dtype(INF), means * INF, scales * 0, axes).any()


def public_kernels() -> list[Kernel]:
    modules = [vars(module).values() for module in (sigmoid, softmax, sums)]
    found = [value for values in modules for value in values]
    found += [*sigmoid._gelu.values(), *sigmoid._gelu_vjp.values()]
    return [value for value in found if isinstance(value, Kernel) and value.threshold < INF]


@pytest.fixture
def twins(monkeypatch):
    """Run something serially, and again with every kernel parallel."""

    def run(function):
        results = []
        for threshold in (INF, 0):
            for kern in public_kernels():
                monkeypatch.setattr(kern, "threshold", threshold)
            results.append(function())
        return results

    return run


def same_bits(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", POINTWISE)
def test_pointwise_twins_agree(name, dtype, twins):
    *_, options, function, rule = pointwise(name)
    x, g = normal(10_007, dtype), normal(10_007, dtype)
    assert same_bits(*twins(lambda: function(x, *options)))
    assert same_bits(*twins(lambda: rule(g, x, *options)))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("shape", [(67, 301), (3, 5_003), (5_003, 3)])
def test_softmax_twins_agree(shape, axis, dtype, twins):
    x, g = normal(shape, dtype), normal(shape, dtype)
    for function in (softmax.softmax, softmax.log_softmax, softmax.logsumexp):
        assert same_bits(*twins(lambda f=function: f(x, axis)))
    for rule in (softmax.softmax_vjp, softmax.log_softmax_vjp):
        assert same_bits(*twins(lambda f=rule: f(g, x, axis)))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("axes", [None, 0, 1])
@pytest.mark.parametrize("shape", [(67, 301), (3, 50_003), (50_003, 3)])
def test_sum_twins_agree(shape, axes, dtype, twins):
    x = normal(shape, dtype)
    for function in (reduction.sum, reduction.mean, reduction.var):
        assert same_bits(*twins(lambda f=function: f(x, axes)))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("smallest", [False, True])
def test_extreme_twins_agree(smallest, dtype, monkeypatch):
    x = normal((3, 20_007), dtype)
    x[1, [9_000, 12_000]] = NAN
    results = []
    for threshold in (INF, 0):
        for kern in (extremes._extreme_rows, extremes._extreme_of_all):
            monkeypatch.setattr(kern, "threshold", threshold)
        results.append([*extremes.extreme_of_rows(x, smallest), extremes.extreme_of_all(x[2], smallest)])
    assert all(itertools.starmap(same_bits, zip(*results, strict=True)))
    assert results[0][1][1] == 9_000


def test_the_number_of_threads_changes_no_bit(monkeypatch):
    x = normal(300_001, np.float32)
    monkeypatch.setattr(sums.sum_rows, "threshold", 0)
    results = []
    for threads in (1, 2, 3):
        monkeypatch.setattr("minigrad.kernels.jit._threads", None)
        set_num_threads(threads)
        results.append(reduction.sum(x))
    assert same_bits(results[0], results[1])
    assert same_bits(results[0], results[2])
