"""The type of a workload that is ready to run."""

from collections.abc import Callable
from typing import Any

Built = tuple[Callable[[], Any], Callable[[], list[list[float]]]]
