"""Losses: forward, and backward to their leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks.built import Built
from benchmarks.catalogue import CATALOGUE, Arrays, Loss
from benchmarks.libraries import Library
from benchmarks.workloads.listed import Listed, sized

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


def listed(big: bool = False) -> list[Listed]:
    """Every loss in its sizes."""
    groups = [POINTWISE, CLASSES, VECTORS, EXTRA] + ([BIG] if big else [])
    return [
        Listed(f"{name} {sized(shape)}", [name, shape])
        for group in groups
        for name, shapes in group.items()
        for shape in shapes
    ]


# ----------------------------------------------------------------------------------------- how it is built
def build(library: Library, name: str, shape: Sequence[int]) -> Built:
    """Forward and backward of a loss to its leaves, in float32."""
    loss = CATALOGUE[name]
    arrays = loss.inputs(np.random.default_rng(0), shape, 1.0)
    return replace(library.loss(loss, arrays), bytes=least_bytes(loss, arrays), flops=flops(name, shape))


def least_bytes(loss: Loss, arrays: Arrays) -> int:
    """Every input read once, every gradient written once; of log-probabilities only the targets' are read."""
    read = sum(array.nbytes for array in arrays.values())
    if loss.function == "nll_loss":
        read = 2 * arrays["target"].nbytes
    return read + sum(arrays[name].nbytes for name in loss.wrt)


def flops(name: str, shape: Sequence[int]) -> int:
    """Of the products that make logits, and of the two that each has in the backward pass."""
    if name == "linear_cross_entropy":
        samples, size, classes = shape
        return 6 * samples * size * classes
    if name == "AdaptiveLogSoftmaxWithLoss":
        samples, size, classes = shape
        frequent, inner = classes // 5, size // 4
        return 6 * samples * (size * (frequent + 1) + inner * size)  # the cluster's rows depend on the data
    return 0
