"""Losses: forward, and backward to their leaves."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.calls import Missing, prepare
from benchmarks.catalogue import CATALOGUE, Arrays, Loss
from benchmarks.workloads.built import Built

SAMPLED = 50  # gradient elements that the libraries are compared by, beside the sum of all their sizes

# ------------------------------------------------------------------------------------------- what is timed
SMALL, MIDDLE, LARGE, HUGE = [64], [4096], [262_144], [10_000_000]
TABLES = {64: [8, 8], 4096: [64, 64], 262_144: [4096, 64], 10_000_000: [10_000, 1000]}
POINTWISE: dict[str, tuple[list[int], ...]] = {
    "l1_loss": (SMALL, MIDDLE, LARGE),
    "mse_loss": (SMALL, MIDDLE, LARGE, HUGE),
    "smooth_l1_loss": (SMALL, MIDDLE, LARGE, HUGE),
    "huber_loss": (SMALL, MIDDLE, LARGE),
    "binary_cross_entropy": (SMALL, MIDDLE, LARGE),
    "binary_cross_entropy_with_logits": (SMALL, MIDDLE, LARGE, HUGE),
    "poisson_nll_loss": (SMALL, MIDDLE, LARGE, HUGE),
    "gaussian_nll_loss": (SMALL, MIDDLE, LARGE),
    "hinge_embedding_loss": (SMALL, MIDDLE, LARGE),
    "margin_ranking_loss": (SMALL, MIDDLE, LARGE),
    "soft_margin_loss": (SMALL, MIDDLE, LARGE, HUGE),
    "kl_div": ([8, 8], [64, 64], [4096, 64], [10_000, 1000]),
}
CLASSES: dict[str, tuple[list[int], ...]] = {
    "cross_entropy": ([32, 10], [128, 10], [1024, 10], [1024, 1000], [4096, 1000], [1024, 32_000]),
    "cross_entropy, images": ([8, 21, 64, 64],),
    "cross_entropy, label_smoothing": ([1024, 1000],),
    "cross_entropy, soft targets": ([1024, 1000],),
    "cross_entropy, weight": ([1024, 1000],),
    "nll_loss": ([128, 10], [1024, 1000]),
    "multi_margin_loss": ([32, 10], [1024, 1000]),
    "multilabel_margin_loss": ([32, 10], [1024, 1000]),
    "multilabel_soft_margin_loss": ([32, 10], [1024, 1000]),
    "linear_cross_entropy": ([512, 128, 4000],),
    "AdaptiveLogSoftmaxWithLoss": ([512, 128, 4000],),
}
VECTORS: dict[str, tuple[list[int], ...]] = {
    "cosine_embedding_loss": ([64, 128], [4096, 128]),
    "triplet_margin_loss": ([64, 128], [4096, 128]),
    "triplet_margin_with_distance_loss": ([4096, 128],),
    "ctc_loss": ([50, 16, 20], [150, 16, 30]),
}
EXTRA: dict[str, tuple[list[int], ...]] = {
    "softmax_focal_loss": ([1024, 1000],),
    "sigmoid_focal_loss": (LARGE,),
    "log_cosh_loss": (LARGE,),
    "squared_hinge_loss": (LARGE,),
    "gaussian_kl_loss": (LARGE,),
}
BIG: dict[str, tuple[list[int], ...]] = {"linear_cross_entropy": ([4096, 512, 32_000],)}


def cells(big: bool = False) -> list[tuple[str, str, list[Any]]]:
    """Name, builder and arguments of each workload."""
    groups = [POINTWISE, CLASSES, VECTORS, EXTRA] + ([BIG] if big else [])
    return [
        (f"{name} {'×'.join(f'{size:,}' for size in shape)}", "losses", [name, shape])
        for group in groups
        for name, shapes in group.items()
        for shape in shapes
    ]


# ----------------------------------------------------------------------------------------- how it is built
def loss_call(backend: str, name: str, shape: Sequence[int]) -> Built:
    """Forward and backward of a loss to its leaves, in float32."""
    loss = CATALOGUE[name]
    arrays = loss.inputs(np.random.default_rng(0), shape, 1.0)
    return (_jax if backend == "jax" else _torch)(backend, loss, arrays)


def _torch(backend: str, loss: Loss, arrays: Arrays) -> Built:
    call, leaves = prepare(backend, loss, arrays)
    tensors = list(leaves.values())

    def run() -> Any:
        for tensor in tensors:
            tensor.grad = None
        value = call()
        value.backward()
        return value

    return run, lambda: _numbers(run().item(), [tensor.grad.numpy() for tensor in tensors])


def _jax(_: str, loss: Loss, arrays: Arrays) -> Built:
    import jax

    formula = importlib.import_module("benchmarks.workloads.jax_losses").FORMULAS.get(loss.function)
    if formula is None:
        raise Missing(loss.function)
    names = [*loss.wrt, *(name for name in arrays if name not in loss.wrt)]
    values = [jax.numpy.asarray(arrays[name]) for name in names]

    def value(*given: Any) -> Any:
        return formula(**dict(zip(names, given, strict=True)), **loss.options)

    step = jax.jit(jax.value_and_grad(value, argnums=tuple(range(len(loss.wrt)))))
    run: Callable[[], Any] = lambda: jax.block_until_ready(step(*values))  # noqa: E731

    def numbers() -> list[list[float]]:
        found, gradients = run()
        return _numbers(float(found), [np.asarray(gradient) for gradient in gradients])

    return run, numbers


def _numbers(value: float, gradients: list[np.ndarray]) -> list[list[float]]:
    numbers = [[value]]
    for gradient in gradients:
        sampled = gradient.ravel()[:: max(1, gradient.size // SAMPLED)]
        numbers += [[float(abs(gradient).sum(dtype=np.float64))], sampled.tolist()]
    return numbers
