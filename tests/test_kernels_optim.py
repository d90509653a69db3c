"""The fused optimiser steps against step-by-step NumPy in the parameter's type, and against torch."""

import itertools

import numpy as np
import pytest

from minigrad.kernels import addresses, jit, optim

FLOATS = (np.float32, np.float64)
STEPS = 100


def fused(product, addend):
    """product + addend of two factors as a processor with fused multiply-add rounds it: once."""
    a, b = (np.asarray(factor, np.longdouble) for factor in product)
    return (a * b + addend.astype(np.longdouble)).astype(addend.dtype)


class Sgd:
    """torch/optim/sgd.py, one array operation after the other."""

    def __init__(self, param, **options):
        self.param, self.options, self.buffer = param.copy(), options, None

    def step(self, grad):
        real, o = self.param.dtype.type, self.options
        g = -grad if o["maximize"] else grad
        if o["weight_decay"]:
            g = fused((self.param, real(o["weight_decay"])), g)
        if o["momentum"]:
            if self.buffer is None:
                self.buffer = g.copy()
            else:
                decayed = self.buffer * real(o["momentum"])
                self.buffer = fused((g, real(1 - o["dampening"])), decayed)
            g = fused((self.buffer, real(o["momentum"])), g) if o["nesterov"] else self.buffer
        self.param = fused((g, real(-o["lr"])), self.param)


class Adam:
    """torch/optim/adam.py, one array operation after the other."""

    def __init__(self, param, **options):
        self.param, self.options = param.copy(), options
        self.m, self.v, self.peak = (np.zeros_like(param) for _ in range(3))
        self.t = 0

    def step(self, grad):
        self.t += 1
        real, o = self.param.dtype.type, self.options
        g = -grad if o["maximize"] else grad
        if o["weight_decay"] and o["decoupled"]:
            self.param = self.param * real(1 - o["lr"] * o["weight_decay"])
        elif o["weight_decay"]:
            g = fused((self.param, real(o["weight_decay"])), g)
        w = real(1 - o["beta1"])
        if w < 0.5:
            self.m = fused((g - self.m, w), self.m)
        else:
            self.m = fused((g - self.m, w - real(1)), g)
        decayed = self.v * real(o["beta2"])
        self.v = fused((g * real(1 - o["beta2"]), g), decayed)
        self.peak = np.maximum(self.peak, self.v)
        under_root = self.peak if o["amsgrad"] else self.v
        root = real((1 - o["beta2"] ** self.t) ** 0.5)
        denominator = np.sqrt(under_root) / root + real(o["eps"])
        rate = real(-o["lr"] / (1 - o["beta1"] ** self.t))
        self.param = self.param + rate * self.m / denominator


def grid(**choices):
    for values in itertools.product(*choices.values()):
        yield dict(zip(choices, values, strict=True))


SGD_OPTIONS = [
    options
    for options in grid(
        lr=[0.05],
        momentum=[0.0, 0.9],
        dampening=[0.0, 0.3],
        weight_decay=[0.0, 0.01],
        nesterov=[False, True],
        maximize=[False, True],
    )
    if not options["nesterov"] or (options["momentum"] and not options["dampening"])
]
ADAM_OPTIONS = list(
    grid(
        lr=[0.01],
        beta1=[0.9, 0.4],
        beta2=[0.99],
        eps=[1e-8, 1e-3],
        weight_decay=[0.0, 0.02],
        amsgrad=[False, True],
        maximize=[False, True],
        decoupled=[False, True],
    )
)


def name_of(options):
    return "-".join(f"{key}={value}" for key, value in options.items())


def close(found, expected, ulps):
    """Equal up to `ulps` units in the last place of a value of the size of the largest."""
    scale = np.spacing(np.max(np.abs(expected)))
    np.testing.assert_allclose(found, expected, rtol=0, atol=ulps * scale)


def sgd_step(param, grad, *buffer, **options):
    optim.sgd_step([param, grad, *buffer], **options)


def adam_step(param, grad, *state, step, **options):
    count = np.array(step - 1, np.float32)
    optim.adam_step([param, grad, count, *state], **options)
    assert count == step


def run_sgd(param, gradients, options):
    buffer = np.full_like(param, np.nan) if options["momentum"] else None
    for i, grad in enumerate(gradients):
        state = [] if buffer is None else [buffer]
        sgd_step(param, grad, *state, first=i == 0, **options)
    return buffer


def run_adam(param, gradients, options, make=np.zeros_like):
    m, v, peak = make(param), make(param), make(param)
    for i, grad in enumerate(gradients):
        state = (m, v, peak) if options["amsgrad"] else (m, v)
        adam_step(param, grad, *state, step=i + 1, **options)
    return m, v, peak


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def problem(rng, dtype, shape=(7, 29), steps=STEPS):
    return rng.normal(size=shape).astype(dtype), list(rng.normal(size=(steps, *shape)).astype(dtype))


# --------------------------------------------------------------------------- against the reference
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("options", SGD_OPTIONS, ids=name_of)
def test_sgd(options, dtype, rng):
    param, gradients = problem(rng, dtype)
    kept = np.array(gradients)
    reference = Sgd(param, **options)
    buffer = run_sgd(param, gradients, options)
    for grad in gradients:
        reference.step(grad)
    close(param, reference.param, ulps=2)
    if options["momentum"]:
        close(buffer, reference.buffer, ulps=2)
    np.testing.assert_array_equal(gradients, kept)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("options", ADAM_OPTIONS, ids=name_of)
def test_adam(options, dtype, rng):
    param, gradients = problem(rng, dtype)
    kept = np.array(gradients)
    reference = Adam(param, **options)
    m, v, peak = run_adam(param, gradients, options)
    for grad in gradients:
        reference.step(grad)
    close(param, reference.param, ulps=2)
    close(m, reference.m, ulps=2)
    close(v, reference.v, ulps=2)
    if options["amsgrad"]:
        close(peak, reference.peak, ulps=2)
    else:
        assert not peak.any()
    np.testing.assert_array_equal(gradients, kept)


# What torch 2.13.0 makes of the float32 parameters 1, -2, 0.5 in 5 steps with gradients sin(3 i + j),
# i = 0, 1, ... the step and j the element. `test_recorded_values_are_torchs` computes them anew.
RECORDED = [
    ("SGD", {"lr": 0.1}, [1.02627504, -2.06178021, 0.406965166]),
    (
        "SGD",
        {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1, "nesterov": True},
        [0.868475318, -1.90193248, 0.145994633],
    ),
    (
        "SGD",
        {"lr": 0.1, "momentum": 0.9, "dampening": 0.5, "maximize": True},
        [0.998727441, -1.72719347, 0.796068668],
    ),
    ("Adam", {"lr": 0.1}, [0.946973503, -2.15121651, 0.361371547]),
    (
        "Adam",
        {"lr": 0.1, "weight_decay": 0.1, "amsgrad": True, "betas": (0.8, 0.9)},
        [0.73862493, -2.0279448, 0.353542894],
    ),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.1}, [0.899863541, -2.04859686, 0.341169298]),
]
RECORDED_START = np.array([1, -2, 0.5], np.float32)
RECORDED_GRADIENTS = list(np.sin(3 * np.arange(5)[:, None] + np.arange(3)).astype(np.float32))


@pytest.mark.parametrize(("name", "given", "expected"), RECORDED)
def test_recorded_values(name, given, expected):
    param, options = RECORDED_START.copy(), dict(given)
    if name == "SGD":
        run_sgd(param, RECORDED_GRADIENTS, {"momentum": 0.0, **options})
    else:
        beta1, beta2 = options.pop("betas", (0.9, 0.999))
        options |= {"beta1": beta1, "beta2": beta2, "decoupled": name == "AdamW"}
        run_adam(param, RECORDED_GRADIENTS, {"amsgrad": False, **options})
    close(param, np.array(expected, np.float32), ulps=2)


# ------------------------------------------------------------------------------ layouts and threads
def as_strided(array):
    return np.repeat(array, 2, axis=-1)[..., ::2]


def as_fortran(array):
    return np.asfortranarray(array)


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


@pytest.mark.parametrize("layout", [as_strided, as_fortran])
def test_any_layout_is_updated_in_place(layout, rng):
    for dtype in FLOATS:
        param, gradients = problem(rng, dtype, steps=3)
        for options, run in ((SGD_OPTIONS[-1], run_sgd), (ADAM_OPTIONS[-1], run_adam)):
            plain, other = param.copy(), layout(param)
            assert not other.flags.c_contiguous
            wanted = run(plain, gradients, options)
            if run is run_sgd:
                buffer = layout(np.zeros_like(param))
                for i, grad in enumerate(gradients):
                    sgd_step(other, layout(grad), buffer, first=i == 0, **options)
                found = buffer
            else:
                found = run(other, [layout(g) for g in gradients], options, lambda p: layout(p * 0))
            np.testing.assert_array_equal(other, plain)
            np.testing.assert_array_equal(found, wanted)


def test_a_part_of_an_array_leaves_the_rest(rng):
    whole = rng.normal(size=(6, 4))
    before = whole.copy()
    sgd_step(whole[::2], np.ones((3, 4)), lr=0.5)
    np.testing.assert_array_equal(whole[::2], before[::2] - 0.5)
    np.testing.assert_array_equal(whole[1::2], before[1::2])


def test_gradients_may_be_read_only_and_of_another_type(rng):
    param, (grad,) = problem(rng, np.float32, steps=1)
    wanted, found, double = param.copy(), param.copy(), param.copy()
    sgd_step(wanted, grad, lr=0.1)
    sgd_step(found, read_only(grad), lr=0.1)
    sgd_step(double, grad.astype(np.float64), lr=0.1)
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(double, wanted)


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (1,)])
def test_small_shapes(shape):
    param, grad = np.ones(shape), np.full(shape, 2.0)
    sgd_step(param, grad, lr=0.25)
    np.testing.assert_array_equal(param, np.full(shape, 0.5))
    m, v = np.zeros(shape), np.zeros(shape)
    adam_step(param, grad, m, v, step=1, lr=0.25, eps=0.0)
    np.testing.assert_allclose(param, np.full(shape, 0.25))


@pytest.mark.parametrize("dtype", FLOATS)
def test_large_parameters_do_not_depend_on_threads(dtype, rng, monkeypatch):
    param, gradients = problem(rng, dtype, shape=(250_001,), steps=2)
    results = []
    for threads in (None, 1):
        monkeypatch.setattr(jit, "_threads", threads)
        for run, options in (
            (run_sgd, SGD_OPTIONS[0]),
            (run_sgd, SGD_OPTIONS[-1]),
            (run_adam, ADAM_OPTIONS[0]),
            (run_adam, ADAM_OPTIONS[-1]),
        ):
            p = param.copy()
            run(p, gradients, options)
            results.append(p)
    for many, single in zip(results[:4], results[4:], strict=True):
        np.testing.assert_array_equal(many, single)
        assert np.mean(many != param) > 0.9


def test_what_cannot_be_stepped():
    for dtype in (np.float16, np.int64, np.complex64):
        param = np.ones(3, dtype)
        with pytest.raises(TypeError, match="float32 and float64 parameters, not"):
            sgd_step(param, param, lr=0.1)
    param, other = np.ones(3), np.ones(4)
    for arrays in ((param, other, param.copy()), (param, param, other)):
        with pytest.raises(RuntimeError, match=r"The shape of the parameter, \(3,\), must be"):
            sgd_step(*arrays, lr=0.1, momentum=0.9)
    with pytest.raises(ValueError, match="3 arrays for each parameter, but there are 2 in all"):
        sgd_step(param, param.copy(), lr=0.1, momentum=0.9)
    for size in (0, 2, 4):
        with pytest.raises(RuntimeError, match=rf"one of them has \({size},\)"):
            adam_step(param, param, param.copy(), np.ones(size), step=1, lr=0.1)
    with pytest.raises(ValueError, match="read-only"):
        sgd_step(read_only(np.ones(3)), np.ones(3), lr=0.1)


# ------------------------------------------------------------------------- many parameters in a launch
def many(rng):
    """Parameters of all ranks, some larger than a block, and a gradient for each."""
    shapes = [(3, 4), (), (5,), (0,), (2, 3, 4), (9_001,), (64, 300), (1,)]
    params = [np.asarray(rng.normal(size=shape), np.float32) for shape in shapes]
    return params, [np.asarray(rng.normal(size=p.shape), np.float32) for p in params]


def adam_row(param, grad, age=0):
    return [param, grad, np.array(age, np.float32), np.zeros_like(param), np.zeros_like(param)]


@pytest.mark.parametrize("threads", [None, 1])
def test_many_parameters_step_as_one_by_one(threads, rng, monkeypatch):
    monkeypatch.setattr(jit, "_threads", threads)
    monkeypatch.setattr(optim._adam, "threshold", 20_000)
    params, grads = many(rng)
    ages = [age % 3 for age in range(len(params))]
    alone = [adam_row(p.copy(), g, age) for p, g, age in zip(params, grads, ages, strict=True)]
    for row in alone:
        optim.adam_step(row, lr=0.1, weight_decay=0.1)
    together = list(itertools.chain(*map(adam_row, params, grads, ages)))
    optim.adam_step(together, lr=0.1, weight_decay=0.1)
    for found, expected in zip(together, itertools.chain(*alone), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert np.mean(together[-5] != 0) == 1


def test_parameters_that_do_not_fit_one_launch_step_too(rng):
    params, grads = many(rng)
    params[0], params[4] = as_fortran(params[0]), as_strided(params[4])
    grads[2] = read_only(grads[2])
    params.append(np.ones(3))
    grads.append(np.ones(3))
    before = [p.copy() for p in params]
    optim.sgd_step(list(itertools.chain(*zip(params, grads, strict=True))), lr=0.5)
    for param, old, grad in zip(params, before, grads, strict=True):
        np.testing.assert_allclose(param, old - 0.5 * grad, rtol=1e-6)


def test_a_parameter_listed_twice_steps_twice(rng):
    param, (grad,) = problem(rng, np.float32, shape=(300_000,), steps=1)
    row = adam_row(param.copy(), grad)
    optim.adam_step(row + row, lr=0.1)
    expected = adam_row(param, grad)
    for _ in range(2):
        optim.adam_step(expected, lr=0.1)
    assert row[2] == 2
    np.testing.assert_array_equal(row[0], expected[0])


def test_without_knowing_the_layout_of_objects(rng, monkeypatch):
    params, grads = many(rng)
    wanted = [p.copy() for p in params]
    optim.sgd_step(list(itertools.chain(*zip(wanted, grads, strict=True))), lr=0.5)
    monkeypatch.setattr(addresses, "_layout_is_known", lambda: False)
    optim.sgd_step(list(itertools.chain(*zip(params, grads, strict=True))), lr=0.5)
    for found, expected in zip(params, wanted, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_layout_of_objects_is_known_here():
    assert addresses._layout_is_known()


def test_filling_with_zeros(rng):
    for dtype in FLOATS:
        arrays = [array.astype(dtype) for array in many(rng)[0]]
        optim.fill_with_zeros(arrays)
        assert not any(array.any() for array in arrays)
    whole = rng.normal(size=(4, 6)).astype(np.float32)
    kept = whole.copy()
    optim.fill_with_zeros([whole[:, ::2], np.ones(2, np.int64), kept[:1]])
    assert not whole[:, ::2].any()
    assert whole[:, 1::2].all()
    assert not kept[0].any()
    assert kept[1:].all()


def test_nan_gradients_stay_in_their_elements():
    param, grad = np.ones(4), np.array([1.0, np.nan, 1.0, 1.0])
    m, v, peak = np.zeros(4), np.zeros(4), np.zeros(4)
    for step in (1, 2):
        adam_step(param, grad, m, v, peak, step=step, lr=0.1, amsgrad=True)
        grad = np.ones(4)
    for array in (param, m, v, peak):
        np.testing.assert_array_equal(np.isnan(array), [False, True, False, False])


# --------------------------------------------------------------------------------------- live torch
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("options", SGD_OPTIONS, ids=name_of)
def test_sgd_is_torchs(torch, options, dtype, rng):
    param, gradients = problem(rng, dtype)
    theirs = torch.from_numpy(param.copy()).requires_grad_()
    optimizer = torch.optim.SGD([theirs], foreach=False, **options)
    for grad in gradients:
        theirs.grad = torch.from_numpy(grad.copy())
        optimizer.step()
    run_sgd(param, gradients, options)
    close(param, theirs.detach().numpy(), ulps=1)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("options", ADAM_OPTIONS, ids=name_of)
def test_adam_is_torchs(torch, options, dtype, rng):
    param, gradients = problem(rng, dtype)
    theirs = torch.from_numpy(param.copy()).requires_grad_()
    make = torch.optim.AdamW if options["decoupled"] else torch.optim.Adam
    given = {k: v for k, v in options.items() if k not in ("beta1", "beta2", "decoupled")}
    optimizer = make([theirs], betas=(options["beta1"], options["beta2"]), foreach=False, **given)
    for grad in gradients:
        theirs.grad = torch.from_numpy(grad.copy())
        optimizer.step()
    m, v, _ = run_adam(param, gradients, options)
    state = optimizer.state[theirs]
    close(param, theirs.detach().numpy(), ulps=2)
    close(m, state["exp_avg"].numpy(), ulps=2)
    close(v, state["exp_avg_sq"].numpy(), ulps=2)


@pytest.mark.parametrize(("name", "given", "expected"), RECORDED)
def test_recorded_values_are_torchs(torch, name, given, expected):
    param = torch.from_numpy(RECORDED_START.copy()).requires_grad_()
    optimizer = getattr(torch.optim, name)([param], foreach=False, **given)
    for grad in RECORDED_GRADIENTS:
        param.grad = torch.from_numpy(grad.copy())
        optimizer.step()
    close(param.detach().numpy(), np.array(expected, np.float32), ulps=1)
