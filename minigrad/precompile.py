"""Compile ahead of time what is otherwise compiled when it is first used: `minigrad warmup`.

Every loss, activation, reduction and optimiser is called once on small tensors, forward and backward; then
the parallel twins of the kernels that ran are compiled for the same types. What the cache on disk holds is
loaded, not compiled again, and processes that compile at the same time do not disturb each other.
"""

from __future__ import annotations

import argparse
import functools
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from minigrad import dtypes
from minigrad.autograd.tape import enable_grad
from minigrad.creation import arange, full
from minigrad.kernels.cache import cache_folders
from minigrad.kernels.jit import compile_parallel_twins
from minigrad.nn import GRU, LSTM, RNN, AdaptiveLogSoftmaxWithLoss, Linear, ReLU, Sequential, extra
from minigrad.nn import functional as F
from minigrad.ops.activation import relu
from minigrad.ops.moments import var
from minigrad.ops.reduction import amax, amin, max, mean, min, sum
from minigrad.ops.softmax import logsumexp
from minigrad.ops.sorting import kthvalue, sort, topk
from minigrad.ops.special import digamma, erf, erfc, erfinv, i0, lgamma
from minigrad.optim import SGD, Adam, AdamW
from minigrad.random import get_rng_state, rand, randperm, set_rng_state
from minigrad.stream import COMPILED_FROM
from minigrad.tensor import Tensor

Run = Callable[[dtypes.dtype], Any]  # gives a tensor, or several
Job = tuple[str, Run]

ROWS, FEW, MANY = 40, 10, 100  # samples; classes that are computed as columns, and side by side


# ------------------------------------------------------------------------------------------- inputs
def _numbers(*shape: int) -> Run:
    """Numbers from 1/4 to 5/4, with a gradient."""
    count = math.prod(shape)
    return lambda dtype: (arange(count, dtype=dtype).reshape(shape) / count + 0.25).requires_grad_()


def _constant(value: float, *shape: int) -> Run:
    return lambda dtype: full(shape, value, dtype=dtype)


def _indices(value: int, *shape: int) -> Run:
    return lambda dtype: full(shape, value)


def _labels(classes: int) -> Run:
    return lambda dtype: arange(ROWS) % classes


def _softmax(of: Run, log: bool = False) -> Run:
    return lambda dtype: (F.log_softmax if log else F.softmax)(of(dtype), -1)


def _detached(of: Run) -> Run:
    return lambda dtype: of(dtype).detach()


def _call(function: Callable[..., Any], *inputs: Run, **options: Any) -> Run:
    return lambda dtype: function(*(make(dtype) for make in inputs), **options)


# ------------------------------------------------------------------------------------------- the jobs
_SAMPLES, _WIDE, _SCORES = _numbers(ROWS, FEW), _numbers(ROWS, MANY), _numbers(ROWS)
_TARGETS, _SIGNS = _detached(_SAMPLES), _constant(1, ROWS)


def _primitives() -> Iterator[Job]:
    function: Any
    for function in (relu, F.sigmoid, F.tanh, F.logsigmoid, F.softplus, F.silu, F.gelu):
        yield function.__name__, _call(function, _WIDE)
    yield "gelu, tanh", _call(F.gelu, _WIDE, approximate="tanh")
    for function in (erf, erfc, erfinv, lgamma, digamma, i0):
        yield function.__name__, _call(function, _WIDE)
    for function in (F.softmax, F.log_softmax, logsumexp):
        for dim in (0, 1):
            yield f"{function.__name__}, dim={dim}", _call(function, _WIDE, dim=dim)
    vector = _numbers(MANY)
    yield "layer_norm", lambda dtype: F.layer_norm(_WIDE(dtype), (MANY,), vector(dtype), vector(dtype))
    yield "layer_norm, plain", _call(F.layer_norm, _WIDE, normalized_shape=(MANY,))
    yield "rms_norm", lambda dtype: F.rms_norm(_WIDE(dtype), (MANY,), vector(dtype))
    yield "rms_norm, plain", _call(F.rms_norm, _WIDE, normalized_shape=(MANY,))
    for shape in ((ROWS, MANY), (FEW, FEW, FEW)):
        statistics = {"running_mean": None, "running_var": None, "training": True}
        yield f"batch_norm, {len(shape)} dims", _call(F.batch_norm, _numbers(*shape), **statistics)
    image, taps = _numbers(1, 1, FEW, FEW), _numbers(2, 1, 3, 3)
    yield "conv2d", lambda dtype: F.conv2d(image(dtype), taps(dtype))
    yield "embedding", lambda dtype: F.embedding(_labels(FEW)(dtype), _SAMPLES(dtype))
    for function in (amax, amin):
        yield function.__name__, _call(function, _WIDE)
    yield "max, dim=1", lambda dtype: max(_WIDE(dtype), 1).values
    yield "min, dim=1", lambda dtype: min(_WIDE(dtype), 1).values
    yield "max", _call(max, _WIDE)
    yield "sort, ties", lambda dtype: sort(_WIDE(dtype) * 0).values
    yield "topk, ties", lambda dtype: topk(_WIDE(dtype) * 0, 2).values
    yield "kthvalue, ties", lambda dtype: kthvalue(_WIDE(dtype) * 0, 2).values
    for function in (sum, mean, var):
        yield function.__name__, _call(function, _WIDE)
        for dim in (0, 1):
            yield f"{function.__name__}, dim={dim}", _call(function, _WIDE, dim=dim)


def _elementwise() -> Iterator[Job]:
    function: Any
    for function in (
        *(F.l1_loss, F.mse_loss, F.smooth_l1_loss, F.huber_loss, F.poisson_nll_loss),
        *(extra.log_cosh_loss, extra.quantile_loss, extra.mape_loss, extra.msle_loss, extra.gaussian_kl_loss),
        *(F.binary_cross_entropy_with_logits, F.multilabel_soft_margin_loss),
        *(extra.sigmoid_focal_loss, extra.smooth_binary_cross_entropy_with_logits),
    ):
        yield function.__name__, _call(function, _SAMPLES, _constant(0.5, ROWS, FEW))
    for function in (F.soft_margin_loss, F.hinge_embedding_loss, extra.hinge_loss, extra.squared_hinge_loss):
        yield function.__name__, _call(function, _SAMPLES, _constant(1, ROWS, FEW))
    yield "poisson_nll_loss, log_input=False", _call(F.poisson_nll_loss, _SAMPLES, _TARGETS, log_input=False)
    yield "binary_cross_entropy", _call(F.binary_cross_entropy, _softmax(_SAMPLES), _softmax(_TARGETS))
    yield "gaussian_nll_loss", _call(F.gaussian_nll_loss, _SAMPLES, _TARGETS, _SAMPLES)
    batchmean = functools.partial(F.kl_div, reduction="batchmean")
    for name, function in (("kl_div", batchmean), ("jensen_shannon_loss", extra.jensen_shannon_loss)):
        for log in (False, True):
            inputs = _softmax(_SAMPLES, log=True), _softmax(_TARGETS, log)
            yield f"{name}, log_target={log}", _call(function, *inputs, log_target=log)


def _of_classes() -> Iterator[Job]:
    function: Any
    for samples, classes in ((_SAMPLES, FEW), (_WIDE, MANY)):
        labels = _labels(classes)
        for function in (
            *(F.cross_entropy, extra.softmax_focal_loss, extra.poly_loss, extra.generalized_cross_entropy),
            *(F.nll_loss, F.multi_margin_loss, extra.multi_class_hinge_loss),
        ):
            yield f"{function.__name__}, {classes} classes", _call(function, samples, labels)
        name = f"cross_entropy, {classes} classes"
        yield f"{name}, label_smoothing", _call(F.cross_entropy, samples, labels, label_smoothing=0.1)
        yield f"{name}, soft targets", _call(F.cross_entropy, samples, _softmax(_detached(samples)))
    yield "multilabel_margin_loss", _call(F.multilabel_margin_loss, _SAMPLES, _indices(-1, ROWS, FEW))
    layer = _numbers(MANY, FEW)
    yield "linear_cross_entropy", _call(F.linear_cross_entropy, _SAMPLES, layer, _labels(MANY))
    yield (
        "AdaptiveLogSoftmaxWithLoss",
        lambda dtype: (
            AdaptiveLogSoftmaxWithLoss(FEW, MANY, [20], dtype=dtype)(
                _SAMPLES(dtype), _labels(MANY)(dtype)
            ).loss
        ),
    )


def _of_vectors() -> Iterator[Job]:
    triplet: Any
    yield "cosine_embedding_loss", _call(F.cosine_embedding_loss, _SAMPLES, _SAMPLES, _SIGNS)
    yield "margin_ranking_loss", _call(F.margin_ranking_loss, _SCORES, _SCORES, _SIGNS)
    for triplet in (F.triplet_margin_loss, F.triplet_margin_with_distance_loss):
        yield triplet.__name__, _call(triplet, _SAMPLES, _SAMPLES, _SAMPLES)
    yield "contrastive_loss", _call(extra.contrastive_loss, _SAMPLES, _SAMPLES, _SIGNS)
    yield "info_nce_loss", _call(extra.info_nce_loss, _SAMPLES, _SAMPLES)
    yield "nt_xent_loss", _call(extra.nt_xent_loss, _SAMPLES, _SAMPLES)
    frames, samples, labels = FEW, 2, 3
    yield (
        "ctc_loss",
        _call(
            F.ctc_loss,
            _softmax(_numbers(frames, samples, 5), log=True),
            _indices(1, samples, labels),
            _indices(frames, samples),
            _indices(labels, samples),
        ),
    )


def _steps(make: Callable[..., Any], dtype: dtypes.dtype, **options: Any) -> Tensor:
    """Two steps, as the first with a momentum is not as the others; the gradient of a third."""
    model = Linear(FEW, FEW, dtype=dtype)
    optimizer = make(model.parameters(), **options)
    for _ in range(2):
        optimizer.zero_grad()
        model(_SAMPLES(dtype)).sum().backward()
        optimizer.step()
    return model(_SAMPLES(dtype))


def _perceptron(dtype: dtypes.dtype) -> Tensor:
    return Sequential(Linear(FEW, FEW, dtype=dtype), ReLU(), Linear(FEW, 1, dtype=dtype))(_SAMPLES(dtype))


def _recurrent(make: Callable[..., Any], dtype: dtypes.dtype, **options: Any) -> Tensor:
    return make(FEW, FEW, dtype=dtype, **options)(_numbers(2, FEW, FEW)(dtype))[0]


def _models() -> Iterator[Job]:
    yield "perceptron", _perceptron
    for make in (RNN, LSTM, GRU):
        yield make.__name__, functools.partial(_recurrent, make)
    yield "RNN, relu", functools.partial(_recurrent, RNN, nonlinearity="relu")
    yield "dropout", _call(F.dropout, _numbers(COMPILED_FROM))
    yield "rand", lambda dtype: rand(COMPILED_FROM, dtype=dtype)
    yield "randperm", lambda dtype: randperm(COMPILED_FROM)


def _optimizers() -> Iterator[Job]:
    yield "SGD", lambda dtype: _steps(SGD, dtype, lr=0.1)
    yield "SGD, momentum", lambda dtype: _steps(SGD, dtype, lr=0.1, momentum=0.9)
    yield "Adam", lambda dtype: _steps(Adam, dtype)
    yield "Adam, amsgrad", lambda dtype: _steps(Adam, dtype, amsgrad=True)
    yield "AdamW", lambda dtype: _steps(AdamW, dtype)


def jobs() -> Iterator[Job]:
    """What is run forward and backward: names, and functions of the dtype that give tensors."""
    for family in (_primitives, _elementwise, _of_classes, _of_vectors, _models, _optimizers):
        yield from family()


# ------------------------------------------------------------------------------------------ the command
def warmup(
    double: bool = False,
    names: Sequence[str] | None = None,
    show: Callable[[int, int, str], None] = lambda done, total, name: None,
) -> int:
    """Compile, or load from the cache, the kernels of all losses, layers, activations and optimisers.

    The random numbers that follow are those that would have followed without it.

    Args:
        double: for float64 too.
        names: only jobs of these names (`minigrad.precompile.jobs`).
        show: called before each job, with the number of those done, of all, and the job's name.

    Returns:
        The number of jobs.

    Example:
        >>> import minigrad
        >>> minigrad.warmup(names=["relu"])  # doctest: +SKIP
        1
    """
    wanted = [
        (f"{name} ({dtype.name})", run, dtype)
        for dtype in ([dtypes.float32, dtypes.float64] if double else [dtypes.float32])
        for name, run in jobs()
        if names is None or name in names
    ]
    state = get_rng_state()
    try:
        with enable_grad():
            for done, (name, run, dtype) in enumerate(wanted):
                show(done, len(wanted), name)
                result = run(dtype)
                if result.requires_grad:
                    result.sum().backward()
                compile_parallel_twins()
    finally:
        set_rng_state(state)
    return len(wanted)


def add_parser(commands: Any) -> None:
    """Add `warmup` to the subcommands of `minigrad`."""
    parser = commands.add_parser(
        "warmup",
        allow_abbrev=False,
        help="compile all kernels now, not when they are first used",
        description="Compile the kernels of all losses, layers, activations and optimisers, for one thread "
        "and for several, and keep them on disk. Without it each is compiled when it is first used.",
    )
    parser.add_argument("--double", action="store_true", help="for float64 too, which takes as long again")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Warm up as the options say, with a line of progress; returns the exit code."""
    started = time.perf_counter()
    with _Progress() as progress:
        count = warmup(options.double, show=progress.show)
    print(f"{count} jobs in {time.perf_counter() - started:.0f} s; the kernels are in {cache_folders()[0]}")
    return 0


class _Progress:
    """A progress bar on standard error if tqdm is installed, else a line that is written anew."""

    def __init__(self) -> None:
        try:
            from tqdm import tqdm
        except ImportError:
            self.bar: Any = None
        else:
            self.bar = tqdm(disable=None, leave=False, dynamic_ncols=True, unit="job")

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.bar is not None:
            self.bar.close()
        elif sys.stderr.isatty():
            print(file=sys.stderr)

    def show(self, done: int, total: int, name: str) -> None:
        """Tell what is being compiled."""
        if self.bar is not None:
            self.bar.total = total
            self.bar.set_description_str(name, refresh=False)
            self.bar.update(done - self.bar.n)
        elif sys.stderr.isatty():
            print(f"\r{done + 1}/{total} {name:60}", end="", file=sys.stderr, flush=True)
