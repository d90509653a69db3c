"""The named results of operations: tuples that print as torch's, `max(dim)` for one.

Example:
    >>> import minigrad
    >>> minigrad.tensor([1.0, 3.0]).max(0)
    torch.return_types.max(
    values=tensor(3.),
    indices=tensor(1))
"""

from __future__ import annotations

from collections import namedtuple
from typing import Any


def _named(name: str, *fields: str) -> Any:
    """A result type of this name."""

    def text(self: Any) -> str:
        parts = ",\n".join(f"{field}={value!r}" for field, value in zip(fields, self, strict=True))
        return f"torch.return_types.{name}(\n{parts})"

    base = namedtuple(name, fields)  # type: ignore[misc]
    return type(name, (base,), {"__repr__": text, "__slots__": (), "__module__": __name__})


def _sorted_kind(name: str) -> Any:
    return _named(name, "values", "indices")


# Names of built-ins and of the operations; nothing is computed in this module.
max, min = _sorted_kind("max"), _sorted_kind("min")
cummax, cummin = _sorted_kind("cummax"), _sorted_kind("cummin")
sort, topk, kthvalue = _sorted_kind("sort"), _sorted_kind("topk"), _sorted_kind("kthvalue")
median, nanmedian, mode = _sorted_kind("median"), _sorted_kind("nanmedian"), _sorted_kind("mode")
aminmax = _named("aminmax", "min", "max")
histogram = _named("histogram", "hist", "bin_edges")
