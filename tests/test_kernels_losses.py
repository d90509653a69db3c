"""The loss kernels against plain float64 references, numeric differences and torch."""

import itertools

import numpy as np
import pytest

from minigrad.kernels import jit, losses

FLOATS = (np.float32, np.float64)
REDUCTIONS = ("none", "mean", "sum")
TOLERANCE = {np.float32: 2e-6, np.float64: 1e-12}


# ------------------------------------------------------------------- references, float64 throughout
def log_of(x):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(x)


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def squared_error(x, y):
    return (x - y) ** 2, 2 * (x - y)


def absolute_error(x, y):
    return np.abs(x - y), np.sign(x - y)


def smooth_l1(x, y, beta):
    d = x - y
    if beta == 0:
        return absolute_error(x, y)
    near = np.abs(d) < beta
    return (
        np.where(near, d * d / (2 * beta), np.abs(d) - beta / 2),
        np.where(near, d / beta, np.sign(d)),
    )


def binary_cross_entropy(x, y, weight=None):
    w = 1.0 if weight is None else weight
    loss = -(y * np.maximum(log_of(x), -100) + (1 - y) * np.maximum(log_of(1 - x), -100))
    return w * loss, w * (x - y) / np.maximum((1 - x) * x, 1e-12)


def binary_cross_entropy_with_logits(x, y, weight=None, pos_weight=None):
    w, p = (1.0 if a is None else a for a in (weight, pos_weight))
    loss = (1 - y) * softplus(x) + p * y * softplus(-x)
    return w * loss, w * ((1 - y) / (1 + np.exp(-x)) - p * y / (1 + np.exp(x)))


def kl_div(x, y, log_target):
    if log_target:
        return np.exp(y) * (y - x), -np.exp(y)
    return y * (np.log(np.where(y == 0, 1, y)) - x), -y


def hinge_embedding(x, y, margin):
    hinge = np.maximum(0, margin - x)
    loss = np.where(y == 1, x, np.where(y == -1, hinge, x + hinge))
    slope = np.where(margin - x >= 0, -1.0, 0.0)
    return loss, np.where(y == 1, 1.0, np.where(y == -1, slope, 1 + slope))


def uniform(low, high):
    return lambda rng, shape: rng.uniform(low, high, shape)


def signs(rng, shape):
    return rng.choice([-1.0, 1.0, 0.0], shape)


def sparse(rng, shape):
    return rng.uniform(0, 1, shape) * rng.integers(0, 2, shape)


# name: (reference, input, target, options)
POINTWISE = {
    "squared_error": (squared_error, uniform(-3, 3), uniform(-3, 3), [()]),
    "absolute_error": (absolute_error, uniform(-3, 3), uniform(-3, 3), [()]),
    "smooth_l1": (smooth_l1, uniform(-3, 3), uniform(-3, 3), [(1.0,), (0.3,), (0.0,)]),
    "binary_cross_entropy": (binary_cross_entropy, uniform(0.01, 0.99), uniform(0, 1), [()]),
    "binary_cross_entropy_with_logits": (
        binary_cross_entropy_with_logits,
        uniform(-9, 9),
        uniform(0, 1),
        [()],
    ),
    "kl_div": (kl_div, uniform(-5, 0), sparse, [(False,)]),
    "kl_div log_target": (kl_div, uniform(-5, 0), uniform(-5, 0), [(True,)]),
    "hinge_embedding": (hinge_embedding, uniform(-2, 3), signs, [(1.0,), (0.2,)]),
}


def reduced(loss, slope, reduction, divisor):
    if reduction == "none":
        return loss, slope
    divisor = 1 if reduction == "sum" else divisor
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sum(loss) / np.float64(divisor), slope / np.float64(divisor)


def check(found, expected, dtype, scale=1.0):
    """`found` is (value, gradient) of `dtype`, near to `expected`."""
    for got, wanted in zip(found, expected, strict=True):
        assert type(got) is np.ndarray
        assert got.dtype == dtype
        assert got.shape == np.shape(wanted)
        tolerance = TOLERANCE[dtype] * scale
        np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance)


def layouts(array):
    """`array` in every layout a caller may have."""
    yield array
    doubled = np.repeat(array, 2, axis=0)
    yield doubled[::2]
    yield np.asfortranarray(array)
    frozen = array.copy()
    frozen.flags.writeable = False
    yield frozen
    shifted = np.frombuffer(b"\0" + array.tobytes(), np.uint8)[1:].view(array.dtype)
    yield shifted.reshape(array.shape)


@pytest.fixture
def rng():
    return np.random.default_rng(5)


# ----------------------------------------------------------------------------------- elementwise
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", POINTWISE)
def test_elementwise_losses_are_the_reference(name, dtype, rng):
    reference, make_input, make_target, options = POINTWISE[name]
    kernel = getattr(losses, name.split()[0])
    for shape, option, reduction in itertools.product(
        [(), (5,), (0,), (4, 0), (7, 3), (2, 3, 4), (2500,)], options, REDUCTIONS
    ):
        x = np.asarray(make_input(rng, shape), dtype)
        y = np.asarray(make_target(rng, shape), dtype)
        kept = x.copy(), y.copy()
        found = kernel(x, y, *option, reduction=reduction, grad=True)
        loss, slope = reference(x.astype(float), y.astype(float), *option)
        check(found, reduced(loss, slope, reduction, x.size), dtype, scale=4)
        value, gradient = kernel(x, y, *option, reduction=reduction, grad=False)
        assert gradient is None
        np.testing.assert_array_equal(value, found[0])
        np.testing.assert_array_equal(kept, (x, y))


@pytest.mark.parametrize("name", POINTWISE)
def test_elementwise_gradients_are_numeric_differences(name, rng):
    _, make_input, make_target, options = POINTWISE[name]
    kernel = getattr(losses, name.split()[0])
    for option in options:
        x, y = make_input(rng, (50,)), make_target(rng, (50,))
        _, gradient = kernel(x, y, *option, reduction="mean", grad=True)
        above, _ = kernel(x + 1e-6, y, *option, reduction="none", grad=False)
        below, _ = kernel(x - 1e-6, y, *option, reduction="none", grad=False)
        np.testing.assert_allclose(gradient, (above - below) / 2e-6 / 50, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", POINTWISE)
def test_elementwise_losses_take_any_layout(name, rng):
    _, make_input, make_target, options = POINTWISE[name]
    kernel = getattr(losses, name.split()[0])
    x = make_input(rng, (6, 5)).astype(np.float32)
    y = make_target(rng, (6, 5)).astype(np.float32)
    wanted = kernel(x, y, *options[0], reduction="none", grad=True)
    for a, b in zip(layouts(x), layouts(y), strict=True):
        for found, expected in zip(
            kernel(a, b, *options[0], reduction="none", grad=True), wanted, strict=True
        ):
            np.testing.assert_array_equal(found, expected)
            assert found.flags.carray
            assert not np.shares_memory(found, a)


@pytest.mark.parametrize("name", POINTWISE)
def test_elementwise_losses_do_not_depend_on_threads(name, rng, monkeypatch):
    _, make_input, make_target, options = POINTWISE[name]
    kernel = getattr(losses, name.split()[0])
    x = make_input(rng, (150_001,)).astype(np.float32)
    y = make_target(rng, (150_001,)).astype(np.float32)
    many = kernel(x, y, *options[0], reduction="mean", grad=True)
    monkeypatch.setattr(jit, "_threads", 1)
    one = kernel(x, y, *options[0], reduction="mean", grad=True)
    assert many[0] == one[0]
    np.testing.assert_array_equal(many[1], one[1])


@pytest.mark.parametrize("dtype", FLOATS)
def test_weights_of_binary_losses(dtype, rng):
    x, y = rng.normal(0, 3, (6, 4)).astype(dtype), rng.uniform(0, 1, (6, 4)).astype(dtype)
    p = rng.uniform(0.05, 0.95, (6, 4)).astype(dtype)
    shapes = [None, (6, 4), (4,), (6, 1), (1, 4), (1,), ()]
    for shape, pos_shape, reduction in itertools.product(shapes, shapes, REDUCTIONS):
        weight, pos_weight = (
            None if s is None else np.asarray(rng.uniform(0.5, 3, s), dtype) for s in (shape, pos_shape)
        )
        found = losses.binary_cross_entropy_with_logits(
            x, y, weight, pos_weight, reduction=reduction, grad=True
        )
        exact = [None if a is None else a.astype(float) for a in (x, y, weight, pos_weight)]
        loss, slope = binary_cross_entropy_with_logits(*exact)
        check(found, reduced(loss, slope, reduction, x.size), dtype, scale=8)
        found = losses.binary_cross_entropy(p, y, weight, reduction=reduction, grad=True)
        loss, slope = binary_cross_entropy(p.astype(float), exact[1], exact[2])
        check(found, reduced(loss, slope, reduction, x.size), dtype, scale=20)


@pytest.mark.parametrize("dtype", FLOATS)
def test_kl_div_batchmean(dtype, rng):
    x, y = rng.uniform(-5, 0, (6, 4)).astype(dtype), rng.uniform(0, 1, (6, 4)).astype(dtype)
    loss, slope = kl_div(x.astype(float), y.astype(float), False)
    found = losses.kl_div(x, y, False, reduction="batchmean", grad=True)
    check(found, (np.sum(loss) / 6, slope / 6), dtype)
    scalar = losses.kl_div(x[0, 0], y[0, 0], False, reduction="batchmean", grad=True)
    check(scalar, (loss[0, 0], slope[0, 0]), dtype)
    assert np.isnan(losses.kl_div(x[:0], y[:0], reduction="batchmean", grad=False)[0])


def test_kinks_and_clamps():
    def slopes(name, x, y, *options):
        x, y = np.array(x), np.array(y)
        return getattr(losses, name)(x, y, *options, reduction="none", grad=True)[1].tolist()

    assert slopes("absolute_error", [1.0, 2.0, 0.0], [1.0, 1.0, 1.0]) == [0, 1, -1]
    assert slopes("smooth_l1", [1.0, 1.0, 0.0], [0.0, 1.0, 1.0], 1.0) == [1, 0, -1]
    assert slopes("smooth_l1", [1.0], [1.0], 0.0) == [0]
    assert slopes("hinge_embedding", [1.0, 1.0, 2.0], [-1.0, 0.5, -1.0], 1.0) == [-1, 0, 0]
    x, y = np.array([0.0, 1.0, 1.0, 0.0]), np.array([1.0, 0.0, 1.0, 0.0])
    value, gradient = losses.binary_cross_entropy(x, y, reduction="none", grad=True)
    assert value.tolist() == [100, 100, 0, 0]
    floor = float(np.float32(1e-12))  # torch's, also in float64
    assert gradient.tolist() == [-1 / floor, 1 / floor, 0, 0]


@pytest.mark.parametrize("dtype", FLOATS)
def test_extreme_logits_of_binary_cross_entropy(dtype):
    x = np.array([1e9, -1e9, 1e9, -1e9, np.inf, -np.inf, np.inf, 40, -100], dtype)
    y = np.array([1, 0, 0, 1, 1, 0, 0, 1, 0], dtype)
    value, gradient = losses.binary_cross_entropy_with_logits(x, y, reduction="none", grad=True)
    tail = [np.exp(-40.0), np.exp(-100.0)]
    wanted = np.array([0, 0, 1e9, 1e9, 0, 0, np.inf, *tail])
    np.testing.assert_allclose(value, wanted, rtol=3e-7, atol=1e-45)
    wanted = np.array([0, 0, 1, -1, 0, 0, 1, -tail[0], tail[1]])
    np.testing.assert_allclose(gradient, wanted, rtol=3e-7, atol=1e-45)


@pytest.mark.parametrize("dtype", FLOATS)
def test_zero_probability_times_infinity_is_zero(dtype):
    x, y = np.array([-np.inf, -1.0, -np.inf], dtype), np.array([0, 0, 0.5], dtype)
    value, gradient = losses.kl_div(x, y, reduction="none", grad=True)
    assert value.tolist() == [0, 0, np.inf]
    assert gradient.tolist() == [0, 0, -0.5]
    y = np.array([-np.inf, -np.inf, 0], dtype)
    value, gradient = losses.kl_div(x, y, True, reduction="none", grad=True)
    assert value.tolist() == [0, 0, np.inf]
    assert gradient.tolist() == [0, 0, -1]


def test_large_means_keep_their_digits():
    x = np.full(3_000_001, 0.1, np.float32)
    value, _ = losses.squared_error(x, np.zeros_like(x), reduction="mean", grad=False)
    assert value == np.float32(np.float64(np.float32(0.1)) ** 2)


# ----------------------------------------------------------------------------- classes: references
def class_reference(x, mass, weight_of_sample, reduction):
    """Losses with `mass` (weight times target probability, like x) on classes, along axis 1."""
    top = x.max(1, keepdims=True)
    log_p = x - top - np.log(np.sum(np.exp(x - top), 1, keepdims=True))
    loss = -np.sum(mass * log_p, 1)
    slope = np.sum(mass, 1, keepdims=True) * np.exp(log_p) - mass
    return reduced(loss, slope, reduction, np.sum(weight_of_sample))


def hard_mass(shape, target, weight, ignore_index, smoothing):
    """The mass and the weight of every sample, for class indices."""
    classes = shape[1]
    counts = target != ignore_index
    safe = np.where(counts, target, 0)
    one_hot = np.moveaxis(np.eye(classes)[safe], -1, 1)
    w = np.ones(classes) if weight is None else weight.astype(float)
    column = w.reshape((1, classes) + (1,) * (len(shape) - 2))
    mass = one_hot * (1 - smoothing) + smoothing / classes
    return mass * column * np.expand_dims(counts, 1), w[safe] * counts


# Tiles and rows; one block and several; a column block that crosses samples; one class.
SHAPES = [(7, 3), (130, 10), (70, 65), (3, 4, 5), (9, 70, 3, 7), (150, 5, 1), (1, 4, 200), (4, 1)]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", SHAPES)
def test_class_indices(shape, dtype, rng):
    classes, outer = shape[1], (shape[0], *shape[2:])
    x = rng.normal(0, 3, shape).astype(dtype)
    target = rng.integers(0, classes, outer)
    target.flat[0] = -100
    for weighted, ignore_index, smoothing, reduction in itertools.product(
        (False, True), (-100, 1), (0.0, 0.1, 1.0), REDUCTIONS
    ):
        target.flat[0] = ignore_index
        weight = rng.uniform(0.2, 2, classes).astype(dtype) if weighted else None
        arguments = x, target, weight, ignore_index
        kept = x.copy(), target.copy()
        mass, weights = hard_mass(shape, target, weight, ignore_index, smoothing)
        expected = class_reference(x.astype(float), mass, weights, reduction)
        found = losses.cross_entropy_indices(*arguments, smoothing, reduction=reduction, grad=True)
        check(found, expected, dtype, scale=3)
        value, gradient = losses.cross_entropy_indices(*arguments, smoothing, reduction=reduction, grad=False)
        assert gradient is None
        np.testing.assert_array_equal(value, found[0])
        np.testing.assert_array_equal(kept[0], x)
        np.testing.assert_array_equal(kept[1], target)
        if smoothing == 0:
            mass, _ = hard_mass(shape, target, weight, ignore_index, 0.0)
            expected = reduced(-np.sum(mass * x, 1), -mass, reduction, np.sum(weights))
            found = losses.nll(*arguments, reduction=reduction, grad=True)
            check(found, expected, dtype, scale=3)
            value, gradient = losses.nll(*arguments, reduction=reduction, grad=False)
            assert gradient is None
            np.testing.assert_array_equal(value, found[0])


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", SHAPES)
def test_class_probabilities(shape, dtype, rng):
    classes, outer = shape[1], (shape[0], *shape[2:])
    x = rng.normal(0, 3, shape).astype(dtype)
    target = rng.uniform(0, 1, shape).astype(dtype)
    column = (1, classes) + (1,) * (len(shape) - 2)
    for weighted, smoothing, reduction in itertools.product((False, True), (0.0, 0.1, 1.0), REDUCTIONS):
        weight = rng.uniform(0.2, 2, classes).astype(dtype) if weighted else None
        mass = target.astype(float) * (1 - smoothing) + smoothing / classes
        mass = mass * (1.0 if weight is None else weight.astype(float).reshape(column))
        expected = class_reference(x.astype(float), mass, np.ones(outer), reduction)
        found = losses.cross_entropy_probabilities(
            x, target, weight, smoothing, reduction=reduction, grad=True
        )
        check(found, expected, dtype, scale=3 * np.sqrt(classes))
        value, gradient = losses.cross_entropy_probabilities(
            x, target, weight, smoothing, reduction=reduction, grad=False
        )
        assert gradient is None
        np.testing.assert_array_equal(value, found[0])


@pytest.mark.parametrize("dtype", FLOATS)
def test_one_sample_without_a_batch(dtype, rng):
    x, target = rng.normal(0, 3, 5).astype(dtype), np.array(3)
    weight = rng.uniform(0.2, 2, 5).astype(dtype)
    for reduction, smoothing in itertools.product(REDUCTIONS, (0.0, 0.2)):
        single = losses.cross_entropy_indices(
            x, target, weight, -100, smoothing, reduction=reduction, grad=True
        )
        batch = losses.cross_entropy_indices(
            x[None], target[None], weight, -100, smoothing, reduction=reduction, grad=True
        )
        assert single[0].shape == ()
        assert single[0] == batch[0]
        np.testing.assert_array_equal(single[1], batch[1][0])
    np.testing.assert_array_equal(losses.nll(x, target, reduction="mean", grad=True)[0], -x[3])
    soft = losses.cross_entropy_probabilities(x, weight, reduction="none", grad=True)
    assert soft[0].shape == ()
    assert soft[1].shape == (5,)


@pytest.mark.parametrize("shape", [(6, 5), (3, 70), (3, 5, 2)])
def test_class_gradients_are_numeric_differences(shape, rng):
    x = rng.normal(0, 2, shape)
    target = rng.integers(0, shape[1], (shape[0], *shape[2:]))
    target.flat[1] = -100
    weight, soft = rng.uniform(0.2, 2, shape[1]), rng.uniform(0, 1, shape)

    def hard(x, grad):
        return losses.cross_entropy_indices(x, target, weight, -100, reduction="mean", grad=grad)

    def smoothed(x, grad):
        return losses.cross_entropy_indices(x, target, weight, -100, 0.1, reduction="sum", grad=grad)

    def probable(x, grad):
        return losses.cross_entropy_probabilities(x, soft, weight, reduction="mean", grad=grad)

    for function in (hard, smoothed, probable):
        gradient = function(x, True)[1]
        numeric = np.empty(shape)
        for place in np.ndindex(shape):
            step = np.zeros(shape)
            step[place] = 1e-6
            numeric[place] = (function(x + step, False)[0] - function(x - step, False)[0]) / 2e-6
        np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("shape", [(6, 5), (6, 70), (3, 5, 4)])
def test_class_losses_take_any_layout(shape, rng):
    x = rng.normal(0, 2, shape).astype(np.float32)
    target = rng.integers(0, shape[1], (shape[0], *shape[2:]))
    weight = rng.uniform(0.2, 2, shape[1]).astype(np.float32)
    soft = rng.uniform(0, 1, shape).astype(np.float32)

    def results(x, target, weight, soft):
        options = {"reduction": "none", "grad": True}
        return (
            *losses.cross_entropy_indices(x, target, weight, **options),
            *losses.nll(x, target, weight, **options),
            *losses.cross_entropy_probabilities(x, soft, weight, **options),
        )

    wanted = results(x, target, weight, soft)
    for arrays in zip(*(layouts(a) for a in (x, target, weight, soft)), strict=True):
        for found, expected in zip(results(*arrays), wanted, strict=True):
            np.testing.assert_array_equal(found, expected)
            assert found.flags.carray


@pytest.mark.parametrize("shape", [(6000, 10), (300, 200), (20, 30, 100)])
def test_class_losses_do_not_depend_on_threads(shape, rng, monkeypatch):
    x = rng.normal(0, 3, shape).astype(np.float32)
    target = rng.integers(0, shape[1], (shape[0], *shape[2:]))
    soft = rng.uniform(0, 1, shape).astype(np.float32)

    def results():
        for smoothing in (0.0, 0.1):
            yield from losses.cross_entropy_indices(
                x, target, None, -100, smoothing, reduction="mean", grad=True
            )
        yield from losses.cross_entropy_probabilities(x, soft, reduction="mean", grad=True)
        yield from losses.nll(x, target, reduction="mean", grad=True)

    many = list(results())
    monkeypatch.setattr(jit, "_threads", 1)
    for a, b in zip(many, results(), strict=True):
        np.testing.assert_array_equal(a, b)


# ----------------------------------------------------------------------------------- classes: edges
def one(function, x, target, *options, reduction="none"):
    value, gradient = function(np.asarray(x), np.asarray(target), *options, reduction=reduction, grad=True)
    return value, gradient


@pytest.mark.parametrize("classes", [4, 80])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_all_ignored(classes, smoothing):
    x, target = np.ones((3, classes)), np.full(3, -100)
    x[1, 2] = np.nan
    mean, slope = one(losses.cross_entropy_indices, x, target, None, -100, smoothing, reduction="mean")
    assert np.isnan(mean)
    assert not slope.any()
    total, slope = one(losses.cross_entropy_indices, x, target, None, -100, smoothing, reduction="sum")
    assert total == 0
    assert not slope.any()
    each, _ = one(losses.cross_entropy_indices, x, target, None, -100, smoothing)
    assert each.tolist() == [0, 0, 0]
    mean, slope = one(losses.nll, x, target, reduction="mean")
    assert np.isnan(mean)
    assert not slope.any()


@pytest.mark.parametrize("classes", [4, 80])
def test_zero_weights_of_all_samples_give_nan(classes):
    weight = np.ones(classes)
    weight[1] = 0
    x, target = np.ones((3, classes)), np.full(3, 1)
    mean, slope = one(losses.cross_entropy_indices, x, target, weight, reduction="mean")
    assert np.isnan(mean)
    assert np.isnan(slope).all()


@pytest.mark.parametrize("classes", [4, 80])
def test_a_nan_stays_in_its_sample(classes):
    x, target = np.zeros((3, classes)), np.array([0, 1, 2])
    x[1, 3] = np.nan
    value, slope = one(losses.cross_entropy_indices, x, target)
    np.testing.assert_array_equal(np.isnan(value), [False, True, False])
    np.testing.assert_array_equal(np.isnan(slope).all(1), [False, True, False])
    np.testing.assert_array_equal(np.isnan(slope).any(1), [False, True, False])


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("classes", [4, 80])
def test_masked_and_huge_logits(classes, dtype):
    x = np.zeros((5, classes), dtype)
    x[:, 3:] = -np.inf
    x[1, 0] = x[2, 0] = 1e9
    x[3, :3] = -1e9
    x[4, :] = -np.inf
    target = np.array([1, 0, 1, 2, 0])
    value, slope = one(losses.cross_entropy_indices, x, target)
    np.testing.assert_allclose(value[:4], [np.log(3), 0, 1e9, np.log(3)], rtol=3e-7)
    assert np.isnan(value[4])
    assert not slope[:4, 3:].any()
    np.testing.assert_allclose(slope[0, :3], [1 / 3, -2 / 3, 1 / 3], rtol=3e-7)
    assert slope[1, :3].tolist() == [0, 0, 0]
    assert slope[2, :3].tolist() == [1, -1, 0]
    value, slope = one(losses.cross_entropy_indices, x[:1], np.array([3]))
    assert value[0] == np.inf
    np.testing.assert_allclose(slope[0, :4], [1 / 3, 1 / 3, 1 / 3, -1], rtol=3e-7)
    soft = np.zeros((4, classes), dtype)
    soft[np.arange(4), target[:4]] = 1
    value, slope = one(losses.cross_entropy_probabilities, x[:4], soft)
    np.testing.assert_allclose(value, [np.log(3), 0, 1e9, np.log(3)], rtol=3e-7)
    np.testing.assert_allclose(slope[0, :3], [1 / 3, -2 / 3, 1 / 3], rtol=3e-7)
    assert not slope[:, 3:].any()


def test_one_class_costs_nothing():
    x, target = np.array([[5.0], [-3.0]]), np.array([0, 0])
    value, slope = one(losses.cross_entropy_indices, x, target)
    assert value.tolist() == [0, 0]
    assert slope.tolist() == [[0], [0]]
    assert not np.signbit(slope).any()


@pytest.mark.parametrize("shape", [(0, 5), (0, 80), (2, 5, 0)])
def test_empty_batches(shape):
    x, outer = np.zeros(shape), (shape[0], *shape[2:])
    soft, target = np.zeros(shape), np.zeros(outer, np.int64)
    for function, y in (
        (losses.cross_entropy_indices, target),
        (losses.nll, target),
        (losses.cross_entropy_probabilities, soft),
    ):
        for reduction, wanted in (("mean", np.nan), ("sum", 0.0), ("none", np.zeros(outer))):
            value, slope = one(function, x, y, reduction=reduction)
            np.testing.assert_array_equal(value, wanted)
            assert slope.shape == shape


@pytest.mark.parametrize("function", [losses.cross_entropy_indices, losses.nll])
def test_class_out_of_range(function):
    x = np.zeros((2, 5, 3, 4))
    target = np.zeros((2, 3, 4), np.int64)
    target[1, 2, 0] = 5
    with pytest.raises(IndexError) as caught:
        function(x, target, reduction="mean", grad=True)
    first, second = str(caught.value).splitlines()
    assert first == "Target 5 is out of bounds."
    assert "target[1, 2, 0] is 5" in second
    assert "from 0 to 4" in second
    with pytest.raises(IndexError, match=r"Target -1 is out of bounds\.\ntarget is -1"):
        function(np.zeros(5), np.array(-1), reduction="mean", grad=False)
    function(x, target, None, 5, reduction="mean", grad=True)  # ignored


# ------------------------------------------------------------------------------ embedding distance
def cosine_reference(a, b, y, margin):
    dot = np.sum(a * b, -1)
    square_a, square_b = np.sum(a * a, -1) + 1e-12, np.sum(b * b, -1) + 1e-12
    norm = np.sqrt(square_a * square_b)
    cosine = dot / norm
    loss = np.where(y == 1, 1 - cosine, np.where(y == -1, np.maximum(0, cosine - margin), 0))
    slope = np.where(y == 1, -1.0, np.where((y == -1) & (cosine >= margin), 1.0, 0.0))
    on_a = slope[..., None] * (b / norm[..., None] - a * (cosine / square_a)[..., None])
    on_b = slope[..., None] * (a / norm[..., None] - b * (cosine / square_b)[..., None])
    return loss, on_a, on_b


@pytest.mark.parametrize("dtype", FLOATS)
def test_cosine_embedding(dtype, rng):
    for shape, margin, reduction in itertools.product(
        [(9, 6), (40, 3), (6,), (0, 4)], (0.0, 0.4), REDUCTIONS
    ):
        a, b = (rng.normal(size=shape).astype(dtype) for _ in range(2))
        y = signs(rng, shape[:-1])
        loss, on_a, on_b = cosine_reference(a.astype(float), b.astype(float), y, margin)
        y = np.asarray(y, dtype)
        value, gradients = losses.cosine_embedding(a, b, y, margin, reduction=reduction, grad=True)
        expected = reduced(loss, np.stack([on_a, on_b]), reduction, y.size)
        check((value, np.stack(gradients)), expected, dtype, scale=2)
        again, gradients = losses.cosine_embedding(a, b, y, margin, reduction=reduction, grad=False)
        assert gradients is None
        np.testing.assert_array_equal(again, value)


def test_cosine_embedding_in_any_layout_and_number_of_threads(rng, monkeypatch):
    a, b = (rng.normal(size=(300, 400)).astype(np.float32) for _ in range(2))
    y = rng.choice([-1, 1], 300).astype(np.float32)
    wanted = losses.cosine_embedding(a, b, y, reduction="mean", grad=True)
    monkeypatch.setattr(jit, "_threads", 1)
    for arrays in zip(*(layouts(array) for array in (a, b, y)), strict=True):
        value, gradients = losses.cosine_embedding(*arrays, reduction="mean", grad=True)
        assert value == wanted[0]
        np.testing.assert_array_equal(gradients, wanted[1])


def test_cosine_embedding_of_zero_vectors():
    zero, b = np.zeros((1, 2)), np.array([[3.0, 4.0]])
    value, (on_a, on_b) = losses.cosine_embedding(zero, b, np.ones(1), reduction="mean", grad=True)
    assert value == 1
    np.testing.assert_allclose(on_a, [[-0.6e6, -0.8e6]])
    assert not on_b.any()


# ---------------------------------------------------------------------------------------- accuracy
def exact_cross_entropy(x, target):
    """Loss per sample and gradient in extended precision, without any cancellation."""
    x = x.astype(np.longdouble)
    rows = np.arange(len(x))
    difference = x - x[rows, target][:, None]  # to the target: log p = -log1p(sum of the others)
    difference[rows, target] = -np.inf
    top = np.maximum(difference.max(1), 0)
    others = np.exp(difference - top[:, None])
    total = np.sum(others, 1)
    own = np.exp(-top)
    loss = np.where(top > 0, top + np.log(own + total), np.log1p(total))
    slope = others / (own + total)[:, None]
    slope[rows, target] = -total / (own + total)
    return loss, slope


def relative_error(found, exact, floor):
    """The largest relative error where all that adds up to a value is within float32's range."""
    large = np.abs(exact) > floor
    assert large.sum() > 0.1 * large.size
    return np.max(np.abs(found[large] / exact[large] - 1))


@pytest.mark.parametrize("spread", [3, 30])
@pytest.mark.parametrize("shape", [(4096, 10), (300, 1000), (2000, 2)])
def test_float32_cross_entropy_is_exact_to_1e_6(shape, spread, rng):
    x = rng.normal(0, spread, shape).astype(np.float32)
    target = rng.integers(0, shape[1], shape[0])
    target[::2] = x[::2].argmax(1)  # confident and right: where log(1 + tiny) would lose all
    own = np.arange(shape[0]), target
    one_hot = np.zeros(shape, np.float32)
    one_hot[own] = 1
    options = {"reduction": "none", "grad": True}
    loss, slope = exact_cross_entropy(x, target)
    for value, gradient in (
        losses.cross_entropy_indices(x, target, **options),
        losses.cross_entropy_probabilities(x, one_hot, **options),
        losses.cross_entropy_indices(x[..., None], target[:, None], **options),
    ):
        value, gradient = value.reshape(shape[0]), gradient.reshape(shape)
        assert relative_error(value, loss, 1e-30) < 1e-6
        assert relative_error(gradient, slope, 1e-30) < 1e-6
        assert relative_error(gradient[own], slope[own], 1e-30) < 1e-6


@pytest.mark.parametrize("spread", [3, 30])
def test_float32_binary_cross_entropy_with_logits_is_exact_to_1e_6(spread, rng):
    x = rng.normal(0, spread, 20000).astype(np.float32)
    y = rng.integers(0, 2, 20000).astype(np.float32)
    value, gradient = losses.binary_cross_entropy_with_logits(x, y, reduction="none", grad=True)
    signed = np.where(y == 1, -x, x).astype(np.longdouble)
    loss = np.maximum(signed, 0) + np.log1p(np.exp(-np.abs(signed)))
    slope = np.where(y == 1, -1, 1) / (1 + np.exp(-signed))
    assert relative_error(value, loss, 1e-30) < 1e-6
    assert relative_error(gradient, slope, 1e-30) < 1e-6


# ------------------------------------------------------------------------------ where none applies
def test_kernels_decline_what_they_do_not_do():
    single, double = np.zeros((3, 4), np.float32), np.zeros((3, 4))
    whole, labels = np.zeros((3, 4), np.int64), np.zeros(3, np.int64)
    options = {"reduction": "mean", "grad": True}
    for name in POINTWISE:
        kernel = getattr(losses, name.split()[0])
        extra = POINTWISE[name][3][0]
        for x, y in ((single, double), (double, double[0]), (whole, whole), (double, whole)):
            assert kernel(x, y, *extra, **options) is NotImplemented
        for dtype in (np.float16, ">f4"):
            x = single.astype(dtype)
            assert kernel(x, x, *extra, **options) is NotImplemented
    with_logits = losses.binary_cross_entropy_with_logits
    assert with_logits(single, single, double, **options) is NotImplemented
    assert with_logits(single, single, None, single[:, :3], **options) is NotImplemented
    assert losses.binary_cross_entropy(single[0], single[0], single, **options) is NotImplemented
    for function in (losses.cross_entropy_indices, losses.nll):
        for x, target, weight in (
            (whole, labels, None),
            (single, labels.astype(np.int32), None),
            (single, labels[:2], None),
            (single, labels, double[0]),
            (single, labels, single[0, :3]),
            (single[:, :0], labels, None),
            (single[0, 0], labels[0], None),
        ):
            assert function(x, target, weight, **options) is NotImplemented
    for x, target in ((single, double), (single, single[0]), (single[:, :0], single[:, :0])):
        assert losses.cross_entropy_probabilities(x, target, **options) is NotImplemented
    y = np.ones(3, np.float32)
    for a, b, target in (
        (single, double, y),
        (single, single[:1], y),
        (single, single, y[:2]),
        (single, single, labels),
        (y[0], y[0], y[0]),
        (whole, whole, labels),
    ):
        assert losses.cosine_embedding(a, b, target, **options) is NotImplemented


# -------------------------------------------------------------------------------------- live torch
def in_torch(torch, function, x, *arguments, **options):
    """Value and gradient in float64."""
    x = torch.from_numpy(np.array(x, np.float64)).requires_grad_()
    arguments = [
        torch.from_numpy(np.array(a, np.float64 if a.dtype.kind == "f" else a.dtype)) for a in arguments
    ]
    value = function(x, *arguments, **options)
    value.sum().backward()
    return value.detach().numpy(), x.grad.numpy()


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_elementwise_losses_are_torchs(torch, reduction, rng):
    functional = torch.nn.functional
    cases = {
        "squared_error": (functional.mse_loss, [{}]),
        "absolute_error": (functional.l1_loss, [{}]),
        "smooth_l1": (functional.smooth_l1_loss, [{"beta": b} for b in (1.0, 0.3, 0.0)]),
        "binary_cross_entropy": (functional.binary_cross_entropy, [{}]),
        "binary_cross_entropy_with_logits": (
            functional.binary_cross_entropy_with_logits,
            [{}],
        ),
        "kl_div": (functional.kl_div, [{"log_target": False}]),
        "kl_div log_target": (functional.kl_div, [{"log_target": True}]),
        "hinge_embedding": (functional.hinge_embedding_loss, [{"margin": m} for m in (1.0, 0.2)]),
    }
    assert cases.keys() == POINTWISE.keys()
    for name, (function, options) in cases.items():
        _, make_input, make_target, _ = POINTWISE[name]
        for option in options:
            x, y = make_input(rng, (20, 3)), make_target(rng, (20, 3))
            x[0], y[0] = np.round(x[0]), np.round(y[0])  # kinks and clamps
            kernel = getattr(losses, name.split()[0])
            found = kernel(x, y, **option, reduction=reduction, grad=True)
            expected = in_torch(torch, function, x, y, **option, reduction=reduction)
            check(found, expected, np.float64, scale=100)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_class_losses_are_torchs(torch, reduction, rng):
    functional = torch.nn.functional
    for shape, weighted, ignore_index, smoothing in itertools.product(
        [(9, 5), (4, 70), (3, 5, 2, 2)], (False, True), (-100, 2), (0.0, 0.2)
    ):
        x = rng.normal(0, 3, shape)
        target = rng.integers(0, shape[1], (shape[0], *shape[2:]))
        target.flat[1] = ignore_index
        weight = rng.uniform(0.2, 2, shape[1]) if weighted else None
        options = {
            "weight": None if weight is None else torch.from_numpy(weight),
            "reduction": reduction,
        }
        expected = in_torch(
            torch,
            functional.cross_entropy,
            x,
            target,
            ignore_index=ignore_index,
            label_smoothing=smoothing,
            **options,
        )
        found = losses.cross_entropy_indices(
            x, target, weight, ignore_index, smoothing, reduction=reduction, grad=True
        )
        check(found, expected, np.float64, scale=10)
        expected = in_torch(torch, functional.nll_loss, x, target, ignore_index=ignore_index, **options)
        found = losses.nll(x, target, weight, ignore_index, reduction=reduction, grad=True)
        check(found, expected, np.float64, scale=10)
        soft = rng.uniform(0, 1, shape)
        expected = in_torch(torch, functional.cross_entropy, x, soft, label_smoothing=smoothing, **options)
        found = losses.cross_entropy_probabilities(x, soft, weight, smoothing, reduction=reduction, grad=True)
        check(found, expected, np.float64, scale=10)


def test_cosine_embedding_is_torchs(torch, rng):
    for margin, reduction in itertools.product((0.0, 0.3), REDUCTIONS):
        a, b = rng.normal(size=(20, 3)), rng.normal(size=(20, 3))
        a[3], b[4] = 0, a[4]
        y = rng.choice([-1.0, 1.0], 20)
        tensors = [torch.from_numpy(array.copy()).requires_grad_() for array in (a, b)]
        loss = torch.nn.functional.cosine_embedding_loss(
            *tensors, torch.from_numpy(y), margin=margin, reduction=reduction
        )
        loss.sum().backward()
        value, gradients = losses.cosine_embedding(a, b, y, margin, reduction=reduction, grad=True)
        check((value,), (loss.detach().numpy(),), np.float64, scale=10)
        for found, tensor in zip(gradients, tensors, strict=True):
            np.testing.assert_allclose(found, tensor.grad.numpy(), rtol=1e-10, atol=1e-10)


# -------------------------------------------------------------------------- terms that cancel in float32
def test_divergence_of_distributions_that_agree_to_the_last_digit():
    q = np.random.default_rng(0).random(5000).astype(np.float32)
    x = np.log(q)  # rounded: what is left of log(q) - x are the digits that float32 lacks
    wanted = q * (np.log(q.astype(np.float64)) - x.astype(np.float64))
    found, _ = losses.kl_div(x, q, reduction="none", grad=False)
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-7 * abs(wanted).mean())


def test_rates_next_to_the_counts_keep_the_gradients_digits():
    y = np.arange(1, 5000, dtype=np.float32)
    x = np.log(y)
    wanted = np.exp(x.astype(np.float64)) - y
    _, gradient = losses.poisson_nll(x, y, reduction="sum", grad=True)
    np.testing.assert_allclose(gradient, wanted, rtol=1e-6, atol=1e-7 * abs(wanted).mean())


EXTREMES = np.array([0, 1e-45, 1e-38, 1, 88, 89, 1000, 3e38, np.inf, np.nan], np.float32)


def test_rates_at_the_ends_of_float32():
    x = np.concatenate([-EXTREMES, EXTREMES])
    with np.errstate(over="ignore", under="ignore"):
        wanted = np.exp(x)
        loss, gradient = losses.poisson_nll(x, np.zeros_like(x), reduction="none", grad=True)
        np.testing.assert_allclose(loss, wanted, rtol=1e-6)
        np.testing.assert_allclose(gradient, wanted, rtol=1e-6)


def test_logarithms_at_the_ends_of_float32():
    q = EXTREMES[1:]
    found, _ = losses.kl_div(np.zeros_like(q), q, reduction="none", grad=False)
    with np.errstate(over="ignore", under="ignore"):
        np.testing.assert_allclose(
            found, (np.float64(q) * np.log(np.float64(q))).astype(np.float32), rtol=1e-6
        )
    zeros = np.zeros_like(q)
    found, _ = losses.gaussian_nll(zeros, zeros, q, eps=0.0, reduction="none", grad=False)
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(found, 0.5 * np.log(np.float64(q)), rtol=1e-6)
