"""The benchmarks: numbers that carry derivatives, every loss's accuracy, what the tables say."""

import numpy as np
import pytest

mpmath = pytest.importorskip("mpmath", reason="the references need mpmath")
accuracy = pytest.importorskip("benchmarks.accuracy", reason="tests run in the repository's folder")

from benchmarks import exact, report  # noqa: E402
from benchmarks.catalogue import CATALOGUE  # noqa: E402
from benchmarks.harness import Cell, Ratio, _agree  # noqa: E402
from benchmarks.references import REFERENCES  # noqa: E402


# ---------------------------------------------------------------------------------------- exact numbers
@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: x + y * 3 - 2,
        lambda x, y: 2 - x * y / 3,
        lambda x, y: x / y + 1 / x,
        lambda x, y: x**3 * y**-2 + y**0.5,
        lambda x, y: np.exp(x) * np.log(y) + np.log1p(y),
        lambda x, y: np.sqrt(x * y) + np.cosh(x) - abs(-y),
    ],
)
def test_exact_derivatives_are_those_of_differences(function):
    """The slopes agree with mpmath's numeric differentiation to 30 digits."""
    x, y = (exact.variables(name, np.array([value]))[0] for name, value in (("x", 0.7), ("y", 1.9)))
    found = function(x, y)

    def value(a, b):
        return function(exact.Exact(a), exact.Exact(b)).value

    assert found.value == value(x.value, y.value)
    for name, place in (("x", (1, 0)), ("y", (0, 1))):
        expected = mpmath.diff(value, (x.value, y.value), place)
        assert abs(found.slopes[name, 0] - expected) < mpmath.mpf(10) ** -30


def test_relative_errors():
    """Relative above the floor, absolute below it, infinities only beyond float32."""
    tiny = mpmath.mpf(1e-38)
    found = np.array([1.0, 1.5, 0.0, 1e-30, np.inf, np.inf, np.nan], np.float32)
    truths = [1, 1, tiny, 0, mpmath.mpf(10) ** 40, 1, 1]
    errors = exact.relative_errors(found, map(mpmath.mpf, truths))
    assert errors[:3] == [0.0, 0.5, 0.0]
    assert errors[3] > 1e6
    assert errors[4:] == [0.0, np.inf, np.inf]


# ------------------------------------------------------------------------------------------- the losses
def test_every_loss_has_a_reference():
    """Also none is left over."""
    assert {loss.function for loss in CATALOGUE.values()} == set(REFERENCES)


@pytest.mark.parametrize("name", [name for name in CATALOGUE if name not in accuracy.SPEED_ONLY])
def test_accuracy(name):
    """Loss and gradient are within 1e-6 of the reference, or within the exception's bound."""
    row = accuracy.measure(name, ["minigrad"], shape=(12, 10))
    assert accuracy.failures({name: row}) == []


def test_failures_name_loss_scale_and_part():
    """An error above the bound, nan, and a missing loss are each told."""
    rows = {
        "mse_loss": {"3": {"minigrad": {"loss": 2e-6, "gradient": float("nan")}}},
        "l1_loss": {"3": {"minigrad": None}},
    }
    assert accuracy.failures(rows) == [
        "mse_loss, sd 3, loss: 2.0e-06 above 1e-06",
        "mse_loss, sd 3, gradient: nan above 1e-06",
        "l1_loss: minigrad lacks it",
    ]


# --------------------------------------------------------------------------------------------- the speed
def test_sides_that_disagree_are_found():
    """Numbers are compared within their group."""
    _agree("same", [[1.0], [1e-11, 2e-6]], [[1.0], [0.0, 2e-6]])
    with pytest.raises(AssertionError, match="differs"):
        _agree("differs", [[1.0], [1e-9, 2e-6]], [[1.0], [1e-9, 2.1e-6]])


def test_summary():
    """Means, worst cells and how often minigrad is the fastest."""
    cells = [
        Cell(
            "a", {"minigrad": 1, "torch": 4, "jax": 2}, {"torch": Ratio(4, 3, 5), "jax": Ratio(2, 1, 3)}, 0.1
        ),
        Cell("b", {"minigrad": 2, "torch": 2}, {"torch": Ratio(1, 1, 1)}, 0.2),
        Cell("c", {"minigrad": 2, "jax": 1}, {"jax": Ratio(0.5, 0.4, 0.6)}, 0.0),
    ]
    text = report.summary(cells)
    assert "torch eager: 2.00 times as fast (geometric mean of 2 cells); worst 1.00 (b); slower in 0" in text
    assert "jax.jit: 1.00 times as fast (geometric mean of 2 cells); worst 0.50 (c); slower in 1" in text
    assert (
        "the fastest peer of each cell: 1.00 times as fast (geometric mean of 3 cells); worst 0.50 (c)"
        in text
    )
    assert "fastest in 2 of 3 cells" in text
    assert "| b | 2.0 µs |  | 2.0 µs **1.0** (1.0 to 1.0) |  |" in report.table(cells)
