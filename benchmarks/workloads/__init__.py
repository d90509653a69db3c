"""What is timed.

A builder makes a workload of one library from its arguments: a function that runs it once and one that runs
it and returns some of its numbers in groups, which must be the same on every library.
"""

from collections.abc import Callable

from benchmarks.workloads import losses, training
from benchmarks.workloads.built import Built as Built

BUILDERS: dict[str, Callable[..., Built]] = {
    "training": training.training_step,
    "losses": losses.loss_call,
}
