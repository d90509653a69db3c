"""What all tests share: the hypothesis profile, seeds, default settings restored, live torch."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import minigrad

settings.register_profile(
    "minigrad", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("minigrad")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def from_a_known_state():
    """Every test starts from the same seed and leaves the global settings as they were."""
    minigrad.manual_seed(0)
    yield
    assert minigrad.is_grad_enabled(), "the test left gradients off"
    minigrad.set_default_dtype(minigrad.float32)


@pytest.fixture(scope="session")
def torch():
    """Real torch, to compare with live; without it such tests are skipped (values are recorded too)."""
    return pytest.importorskip("torch", reason="live comparison needs the torch extra")
