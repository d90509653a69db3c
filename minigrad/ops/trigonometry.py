"""The sine and its relatives."""

from __future__ import annotations

import numpy as np

from minigrad.autograd.op import Primitive, primitive

sin: Primitive = primitive(
    np.sin,
    promote="float",
    doc="""The sine of x in radians.

    Example:
        >>> import minigrad
        >>> minigrad.sin(minigrad.tensor([0.0, 1.0]))
        tensor([0.0000, 0.8415])
    """,
).vjp(lambda g, x: g * cos(x))

cos: Primitive = primitive(
    np.cos,
    promote="float",
    doc="""The cosine of x in radians.

    Example:
        >>> import minigrad
        >>> minigrad.cos(minigrad.tensor([0.0, 1.0]))
        tensor([1.0000, 0.5403])
    """,
).vjp(lambda g, x: -g * sin(x))
