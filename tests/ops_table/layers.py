"""Normalisation and embedding."""

from typing import Any

import numpy as np

from ops_table.base import Maker, given, integers, real, row


def layer_norm(name: str, sizes: tuple[int, ...], *makers: Maker, **options: Any) -> None:
    """Over the last dimensions, `sizes`; options come after the tensors."""

    def call(m: Any, x: Any, *affine: Any) -> Any:
        return m.nn.functional.layer_norm(x, sizes, *affine, **options)

    row(f"layer_norm {name}", call, *makers, uses=["layer_norm"])


layer_norm("plain", (5,), real(3, 5))
layer_norm("weight", (5,), real(3, 5), real(5))
layer_norm("weight and bias", (5,), real(3, 5), real(5), real(5))
layer_norm("two dims", (2, 3), real(4, 2, 3), real(2, 3), real(2, 3), eps=1e-3)
layer_norm("one row", (4,), real(4), real(4), real(4))
layer_norm("long rows", (40,), real(3, 40), real(40), real(40))  # longer than a vector register
layer_norm("nothing", (3,), real(0, 3), real(3), real(3))
layer_norm("other shape", (4,), real(3, 5))
layer_norm("no shape", (), real(3, 5))
layer_norm("weight's shape", (5,), real(3, 5), real(3))
layer_norm("of int64", (3,), integers(0, 4, 2, 3))
row(
    "layer_norm bias alone",
    lambda m, x, b: m.nn.functional.layer_norm(x, (4,), None, b, 0.1),
    real(2, 3, 4),
    real(4),
)
row(
    "layer_norm of equals",
    lambda m, x: m.nn.functional.layer_norm(x, (3,)),
    given([2.0, 2.0, 2.0]),
    kink=True,
)


# rms_norm, group_norm, batch_norm
def rms_norm(name: str, sizes: Any, *makers: Maker, **options: Any) -> None:
    """Over the last dimensions, `sizes`; options come after the tensors."""

    def call(m: Any, x: Any, *affine: Any) -> Any:
        return m.nn.functional.rms_norm(x, sizes, *affine, **options)

    row(f"rms_norm {name}", call, *makers, uses=["rms_norm"])


rms_norm("plain", (5,), real(3, 5))
rms_norm("weight", (5,), real(3, 5), real(5))
rms_norm("two dims", (2, 3), real(4, 2, 3), real(2, 3), eps=1e-3)
rms_norm("one row", (4,), real(4), real(4))
rms_norm("long rows", (40,), real(3, 40), real(40))
rms_norm("nothing", (3,), real(0, 3), real(3))
row(
    "rms_norm of zeros",
    lambda m, x, w: m.nn.functional.rms_norm(x, (3,), w),
    given([0.0, 0.0, 0.0]),
    real(3),
    kink=True,  # as steep as 1 / sqrt(eps)
)
rms_norm("other shape", (4,), real(3, 5))
rms_norm("of int64", (3,), integers(0, 4, 2, 3))
rms_norm("no shape", (), real(3, 5))
rms_norm("weight's shape", (5,), real(3, 5), real(3))


def group_norm(name: str, groups: int, *makers: Maker, **options: Any) -> None:
    """Of `groups` groups; options come after the tensors."""

    def call(m: Any, x: Any, *affine: Any) -> Any:
        return m.nn.functional.group_norm(x, groups, *affine, **options)

    row(f"group_norm {name}", call, *makers, uses=["group_norm"])


group_norm("plain", 2, real(3, 6))
group_norm("weight", 2, real(3, 6), real(6))
group_norm("weight and bias", 2, real(3, 4, 3), real(4), real(4), eps=1e-2)
group_norm("images", 2, real(2, 4, 2, 3), real(4), real(4))
group_norm("each channel", 3, real(2, 3, 4), real(3), real(3))
group_norm("one group", 1, real(2, 3, 2), real(3), real(3))
group_norm("nothing", 2, real(0, 4), real(4), real(4))
group_norm("indivisible", 2, real(2, 5))
group_norm("fewer than no groups", -1, real(2, 4))
group_norm("weight's shape", 2, real(2, 4), real(3))
group_norm("of a vector", 1, real(3))
group_norm("of one value", 2, real(1, 2))
group_norm("of int64", 2, integers(0, 4, 2, 4))


def batch_norm(name: str, *makers: Maker, **options: Any) -> None:
    """In training, without running statistics unless the options have some (numbers)."""

    def call(m: Any, x: Any, *affine: Any) -> Any:
        given = {"running_mean": None, "running_var": None, "training": True, **options}
        for key in ("running_mean", "running_var"):
            if given[key] is not None:
                given[key] = m.tensor(given[key], dtype=x.dtype)
        weight, bias = (*affine, None, None)[:2]
        y = m.nn.functional.batch_norm(x, weight=weight, bias=bias, **given)
        return [y, *(v for v in (given["running_mean"], given["running_var"]) if v is not None)]

    numeric = "running_mean" not in options  # no gradient reaches the input through those
    row(f"batch_norm {name}", call, *makers, uses=["batch_norm"], numeric=numeric)


STATISTICS = {"running_mean": [0.5, -1.0, 2.0], "running_var": [1.0, 0.3, 4.0]}
batch_norm("plain", real(5, 3))
batch_norm("weight", real(5, 3), real(3))
batch_norm("weight and bias", real(5, 3), real(3), real(3), eps=1e-2)
batch_norm("sequences", real(3, 3, 4), real(3), real(3))
batch_norm("images", real(2, 3, 2, 3), real(3), real(3))
batch_norm("one image", real(1, 3, 2, 3), real(3), real(3))
batch_norm("running", real(5, 3), real(3), real(3), **STATISTICS)
batch_norm("running, momentum", real(3, 3, 4), momentum=0.3, **STATISTICS)
batch_norm("running alone", real(5, 3), real(3), real(3), training=False, **STATISTICS)
batch_norm("running alone, images", real(2, 3, 2, 3), real(3), real(3), training=False, **STATISTICS)
batch_norm("running alone, one sample", real(1, 3), training=False, **STATISTICS)
batch_norm("nothing", real(0, 3), real(3), real(3), **STATISTICS)
batch_norm("other channels", real(5, 4), **STATISTICS)
batch_norm("weight's shape", real(5, 3), real(2))
batch_norm("bias's shape", real(5, 3), real(3), real(1))
batch_norm("of a vector", real(3))
batch_norm("no statistics", real(5, 3), training=False)
batch_norm("of one value", real(1, 3))
batch_norm("of no eps", real(5, 3), eps=0.0)
batch_norm("of int64", integers(0, 4, 5, 3))
row(
    "batch_norm bias alone",
    lambda m, x, b: m.nn.functional.batch_norm(x, None, None, None, b, True),
    real(5, 3),
    real(3),
)
row(
    "batch_norm of equals",
    lambda m, x: m.nn.functional.batch_norm(x, None, None, training=True),
    given([[2.0, -1.0]] * 3),
    kink=True,
)


# normalize, embedding
def normalize(name: str, maker: Maker, kink: bool = False, **options: Any) -> None:
    row(f"normalize {name}", lambda m, x: m.nn.functional.normalize(x, **options), maker, kink=kink)


normalize("rows", real(3, 4))
normalize("columns", real(3, 4), dim=0)
normalize("p=1", real(3, 4), p=1)
normalize("p=3", real(3, 4), p=3.0, dim=-1)
normalize("p=inf", real(3, 4), p=float("inf"))
normalize("p=0", real(3, 4), kink=True, p=0)
normalize("two dims", real(2, 3, 2), dim=(0, 2))
normalize("short", given([[1e-3, -2e-3], [3.0, 4.0]]), eps=0.5)
normalize("of zeros", given([[0.0, 0.0]]), kink=True)
normalize("nothing", real(0, 3))
normalize("no such dim", real(3), dim=1)


def embedding(name: str, table: Maker, index: Maker, numeric: bool = True, **options: Any) -> None:
    """The rows of a table; where the gradient leaves rows out or scales them, none is checked numerically."""
    call = lambda m, w, i: m.nn.functional.embedding(i, w, **options)  # noqa: E731
    row(f"embedding {name}", call, table, index, numeric=numeric, uses=["embedding"])


embedding("rows", real(4, 3), integers(0, 4, 5))
embedding("matrix", real(4, 3), integers(0, 4, 2, 3))
embedding("one", real(4, 3), given(2))
embedding("int32", real(4, 3), given([3, 0, 3], "int32"))
embedding("wide", real(3, 70), given([[2, 0], [2, 2]]))
embedding("padding", real(4, 2), given([[1, 2], [1, 0]]), numeric=False, padding_idx=1)
embedding("padding from the end", real(4, 2), given([3, 1, 1, 3]), numeric=False, padding_idx=-1)
embedding("by frequency", real(4, 2), given([3, 1, 1, 3, 1]), numeric=False, scale_grad_by_freq=True)
embedding("nothing", real(4, 2), given(np.zeros((0, 3)), "int64"))
embedding("outside", real(4, 2), given([1, 4]))
embedding("negative", real(4, 2), given([1, -1]))
embedding("of floats", real(4, 2), real(2))
embedding("of bytes", real(4, 2), given([1], "uint8"))
embedding("of a vector", real(4), given([1]))


def embedding_bag(name: str, mode: str, table: Maker, index: Any, offsets: Any = None, **flags: Any) -> None:
    """Of bags that offsets cut from a vector of indices, or that are its rows; flags are options as well."""
    numeric = flags.pop("numeric", True)
    factors = [flags.pop("factors")] if "factors" in flags else []

    def call(m: Any, w: Any, *factors: Any) -> Any:
        starts = None if offsets is None else m.tensor(offsets)
        given = {"per_sample_weights": factors[0]} if factors else {}
        bag = m.nn.functional.embedding_bag
        return bag(m.tensor(index), w, starts, mode=mode, **given, **flags)

    row(f"embedding_bag {name}", call, table, *factors, uses=["embedding_bag"], numeric=numeric)


for mode in ("sum", "mean", "max"):
    embedding_bag(f"{mode}, rows", mode, real(5, 3), [[0, 4, 1], [2, 0, 3]])
    embedding_bag(f"{mode}, offsets", mode, real(5, 3), [0, 4, 1, 2, 1], [0, 2, 2])
    embedding_bag(
        f"{mode}, padding", mode, real(4, 2), [0, 3, 1, 3, 2], [0, 2, 4], padding_idx=3, numeric=False
    )
    embedding_bag(f"{mode}, last offset", mode, real(4, 2), [0, 3, 1], [0, 1, 3], include_last_offset=True)
embedding_bag("weights", "sum", real(5, 3), [[0, 4], [2, 0]], factors=real(2, 2))
embedding_bag("weights, offsets", "sum", real(5, 3), [0, 4, 1, 1], [0, 1], factors=real(4))
embedding_bag("late offset", "mean", real(5, 3), [0, 4, 1], [1, 2])
embedding_bag("far offset", "mean", real(5, 3), [0, 4, 1], [0, 4])
embedding_bag("no offsets", "mean", real(5, 3), [0, 4, 1])
embedding_bag("mode", "min", real(5, 3), [[0, 4]])
embedding_bag("max by frequency", "max", real(5, 3), [[0, 4]], scale_grad_by_freq=True)
