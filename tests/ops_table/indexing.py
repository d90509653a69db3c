"""Indexing."""

import numpy as np

from ops_table.base import given, integers, mask, real, row

# --------------------------------------------------------------------------------------------- indexing
row("index integer", lambda m, x: (x[0], x[-1], x[1, 2], x[0][1]), real(2, 3))
row(
    "index slices",
    lambda m, x: (x[1:], x[:, ::2], x[:2, 1:3], x[..., 0], x[:, None], x[None], x[1:1]),
    real(3, 4),
)
row("index whole", lambda m, x: (x[:], x[...], x[()]), real(3, 4))
row("index negative", lambda m, x: (x[-2:], x[:-1, -1], x[-1:, ..., -2]), real(3, 4))
row("index list", lambda m, x: (x[[0, 2, 0]], x[:, [1, 1]], x[[0, 1], [1, 2]]), real(3, 4))
row("index tensor", lambda m, x, i: (x[i], x[:, i], x[i, i]), real(3, 3), integers(-3, 3, 4))
row(
    "index tensors apart",
    lambda m, x, i: (x[i, :, i], x[:, i, i], x[i, None, i]),
    real(3, 3, 3),
    integers(0, 3, 2),
)
row("index matrix", lambda m, x, i: x[i], real(3, 2), integers(0, 3, 2, 2))
row(
    "index mask",
    lambda m, x, c: (x[c], x[:, c[0]]),
    real(2, 3),
    given([[True, False, True], [False, False, True]]),
)
row("index mask rows", lambda m, x, c: x[c], real(3, 2), given([True, False, True]))
row("index mask none", lambda m, x, c: x[c], real(3, 2), given([False, False, False]))
row("index comparison", lambda m, x: x[x > 0] * 2, real(6))
row(
    "index mixed",
    lambda m, x, i: (x[0, i], x[i, 1:], x[..., i, 0], x[i, None]),
    real(3, 4),
    integers(0, 3, 2),
)
row("index 0-d tensor", lambda m, x: x[m.tensor(1)], real(3, 2))
row("index 0-d", lambda m, x: (x[()], x[...], x[None]), real())
row("index bool", lambda m, x: (x[True], x[False]), real(2, 2))
row("index empty list", lambda m, x: x[[]], real(3, 2))
row("index uint8", lambda m, x, c: x[c.bool()], real(3), given([1, 0, 1], "uint8"))
row("index outside", lambda m, x: x[5], real(3, 2))
row("index tensor outside", lambda m, x, i: x[i], real(3, 2), given([0, 7], "int64"))
row("index too many", lambda m, x: x[0, 0, 0], real(3, 2))
row("index mask misfit", lambda m, x, c: x[c], real(3, 2), mask(2))
row("index float", lambda m, x: x[1.0], real(3, 2))
row("index float tensor", lambda m, x, i: x[i], real(3, 2), real(2))
row("index step", lambda m, x: x[::-1], real(3, 2))
row("index 0-d too far", lambda m, x: x[0], real())
row("gather", lambda m, x, i: m.gather(x, 1, i), real(2, 3), integers(0, 3, 2, 4))
row("gather dim 0", lambda m, x, i: x.gather(0, i), real(3, 2), integers(0, 3, 4, 1))
row("gather negative dim", lambda m, x, i: x.gather(-1, i), real(2, 2, 3), integers(0, 3, 2, 1, 2))
row("gather 0-d", lambda m, x, i: x.gather(0, i), real(), given(0, "int64"))
row("gather vector", lambda m, x, i: x.gather(0, i), real(4), integers(0, 4, 6))
row("gather empty", lambda m, x, i: x.gather(0, i), real(3, 2), given(np.zeros((0, 2)), "int64"))
row("gather outside", lambda m, x, i: x.gather(0, i), real(3), given([3], "int64"))
row("gather ranks", lambda m, x, i: x.gather(0, i), real(3, 2), given([1], "int64"))
row("gather float index", lambda m, x, i: x.gather(0, i), real(3), real(2))
row("one_hot", lambda m, i: m.nn.functional.one_hot(i), integers(0, 4, 2, 3))
row("one_hot classes", lambda m, i: m.nn.functional.one_hot(i, num_classes=6), integers(0, 4, 5))
row("one_hot too few", lambda m, i: m.nn.functional.one_hot(i, 2), given([0, 3], "int64"))
row("one_hot negative", lambda m, i: m.nn.functional.one_hot(i), given([0, -1], "int64"))
row("one_hot float", lambda m, i: m.nn.functional.one_hot(i), real(2))
row("one_hot empty", lambda m, i: m.nn.functional.one_hot(i, 3), given([], "int64"))
