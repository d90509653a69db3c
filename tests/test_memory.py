"""Freed memory stays in the process: arrays of the next step find their pages mapped."""

import os
import resource
import subprocess
import sys

import pytest

import minigrad
from minigrad.kernels.memory import _glibc, keep_freed_memory, release_freed_memory

pytestmark = pytest.mark.skipif(_glibc() is None, reason="the C library is not glibc")

# Two arrays of 2 MB are made, written and freed again and again.
SCRIPT = """
import resource
import numpy as np
import minigrad
def step():
    a, b = np.empty(500_000, np.float32), np.empty(500_000, np.float32)
    a.fill(1.0)
    b.fill(1.0)
for _ in range(5):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
# An array of 80 MB, larger than glibc would ever keep by itself, is made, written and freed again.
LARGE = """
import resource
import numpy as np
import minigrad
for _ in range(3):
    np.empty(10_000_000).fill(1.0)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    np.empty(10_000_000).fill(1.0)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
# Twenty arrays of 10 MB are freed, with others between them that stay: the MiB that a collection gives back.
GAPS = """
import gc, resource
import numpy as np
import minigrad
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() >> 20
pairs = [(np.ones(1_250_000), np.ones(200_000)) for _ in range(20)]
stay = [small for _, small in pairs]
del pairs
before = resident()
gc.collect()
print(before - resident())
"""


def _print_of(script: str, **variables: str) -> int:
    """What a script prints in a process with these environment variables."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MALLOC_")} | variables
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def _faults(**variables: str) -> int:
    """Page faults of fifty steps."""
    return _print_of(SCRIPT, **variables)


def test_pages_stay_mapped_unless_the_user_wants_otherwise() -> None:
    assert _faults() < 500  # of the 50,000 that fresh pages would take
    assert _faults(MINIGRAD_KEEP_MEMORY="0") > 5_000
    assert _faults(MALLOC_TOP_PAD_="0") > 5_000


def test_pages_of_large_arrays_stay_mapped_too() -> None:
    assert _print_of(LARGE) < 20  # not one an array, however large the pages are
    assert _print_of(LARGE, MINIGRAD_KEEP_MEMORY="0") >= 20
    assert _print_of(LARGE, MINIGRAD_KEEP_MEMORY="50") >= 20  # more than is to be kept


def test_gaps_between_arrays_are_given_back_beyond_the_limit() -> None:
    assert _print_of(GAPS, MINIGRAD_KEEP_MEMORY="100") > 150
    assert _print_of(GAPS, MINIGRAD_KEEP_MEMORY="400") < 10


def test_what_is_kept_can_be_released(monkeypatch) -> None:
    for name in [n for n in os.environ if n.startswith("MALLOC_")]:
        monkeypatch.delenv(name)
    assert keep_freed_memory()
    block = bytearray(b"x") * (20 << 20)
    del block
    kept = _resident()
    assert release_freed_memory()
    assert _resident() < kept - (15 << 20)
    block = bytearray(b"x") * (20 << 20)
    del block
    kept = _resident()
    minigrad.empty_cache()
    assert _resident() < kept - (15 << 20)


def _resident() -> int:
    """Bytes of this process in memory."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()
