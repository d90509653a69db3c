"""Linear algebra under torch's names for it: torch.linalg."""

from minigrad.missing import attribute_of as _attribute_of
from minigrad.ops.decompositions import (
    LinAlgError,
    cholesky,
    det,
    inv,
    matrix_power,
    matrix_rank,
    pinv,
    slogdet,
    solve,
)
from minigrad.ops.linalg import matmul
from minigrad.ops.norms import matrix_norm, norm, vector_norm
from minigrad.ops.products import linalg_cross as cross
from minigrad.ops.products import multi_dot

__all__ = [
    "LinAlgError",
    "cholesky",
    "cross",
    "det",
    "inv",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "slogdet",
    "solve",
    "vector_norm",
]
__getattr__ = _attribute_of(__name__, globals())
