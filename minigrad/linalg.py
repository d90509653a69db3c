"""Linear algebra under torch's names for it: torch.linalg."""

from minigrad.missing import attribute_of as _attribute_of
from minigrad.ops.linalg import matmul
from minigrad.ops.products import linalg_cross as cross
from minigrad.ops.products import multi_dot

__all__ = ["cross", "matmul", "multi_dot"]
__getattr__ = _attribute_of(__name__, globals())
