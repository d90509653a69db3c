"""The table of operations that drives test_ops.py and record_ops.py: one row, one call, its inputs.

A row's callable takes the module (minigrad, or torch when values are recorded or compared live) and the
tensors, so both run the same line. Inputs are stated as makers, drawn from a stream that the row's name
seeds; floating inputs are made in float64 and cast to the dtype under test. Smooth rows keep away from
kinks; rows at a kink say so (`kink=True`) and are held against torch's convention alone.

Each module here but `base` is a family of rows, recorded in an archive of its own.
"""

import importlib
import pkgutil

from ops_table.base import ROWS as ROWS
from ops_table.base import Row as Row


def _family(name: str) -> list[Row]:
    """The rows that a module adds."""
    before = len(ROWS)
    importlib.import_module(f"ops_table.{name}")
    return ROWS[before:]


FAMILIES = {info.name: _family(info.name) for info in pkgutil.iter_modules(__path__) if info.name != "base"}
