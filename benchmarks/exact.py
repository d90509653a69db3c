"""Numbers of a hundred digits that carry their derivatives, for references nobody has to derive by hand.

Arrays of them are NumPy object arrays, so that a reference formula is plain NumPy: `np.exp(x).sum(1)`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from mpmath import mp, mpf

mp.dps = 100

FLOOR = 8 * mpf(float(np.finfo(np.float32).tiny))
HUGE = mpf(float(np.finfo(np.float32).max))

Slopes = Mapping[tuple[str, int], Any]


class Exact:
    """A value and its derivative with respect to every variable it depends on (forward mode)."""

    __slots__ = ("slopes", "value")

    def __init__(self, value: Any, slopes: Slopes | None = None) -> None:
        self.value = mpf(value)
        self.slopes = slopes or {}

    def _chain(self, value: Any, slope: Any) -> Exact:
        return Exact(value, {name: slope * s for name, s in self.slopes.items()})

    # --------------------------------------------------------------------------------- arithmetic
    def __add__(self, other: Any) -> Exact:
        if not isinstance(other, Exact):
            return Exact(self.value + other, self.slopes)
        slopes = dict(self.slopes)
        for name, slope in other.slopes.items():
            slopes[name] = slopes[name] + slope if name in slopes else slope
        return Exact(self.value + other.value, slopes)

    def __neg__(self) -> Exact:
        return self._chain(-self.value, -1)

    def __sub__(self, other: Any) -> Exact:
        return self + -other

    def __rsub__(self, other: Any) -> Exact:
        return -self + other

    def __mul__(self, other: Any) -> Exact:
        if not isinstance(other, Exact):
            return self._chain(self.value * other, other)
        value = self.value * other.value
        return self._chain(value, other.value) + other._chain(0, self.value)

    def __truediv__(self, other: Any) -> Exact:
        return self * (other**-1 if isinstance(other, Exact) else 1 / mpf(other))

    def __rtruediv__(self, other: Any) -> Exact:
        return self**-1 * other

    def __pow__(self, power: Any) -> Exact:
        """A real power; at 0 the slope of a power above one is 0."""
        if power == 0:
            return Exact(1)
        slope = mpf(0) if self.value == 0 and power > 1 else power * self.value ** (power - 1)
        return self._chain(self.value**power, slope)

    def __abs__(self) -> Exact:
        return self._chain(abs(self.value), mp.sign(self.value))

    __radd__, __rmul__ = __add__, __mul__

    # --------------------------------------------------------------------------------- comparisons
    def __lt__(self, other: Any) -> bool:
        return self.value < (other.value if isinstance(other, Exact) else other)

    def __le__(self, other: Any) -> bool:
        return self.value <= (other.value if isinstance(other, Exact) else other)

    def __gt__(self, other: Any) -> bool:
        return not self <= other

    def __ge__(self, other: Any) -> bool:
        return not self < other

    # ------------------------------------------------- what np.exp and the like call on object arrays
    def exp(self) -> Exact:
        """e to the power of this."""
        value = mp.exp(self.value)
        return self._chain(value, value)

    def log(self) -> Exact:
        """The natural logarithm."""
        return self._chain(mp.log(self.value), 1 / self.value)

    def log1p(self) -> Exact:
        """The logarithm of one plus this."""
        return self._chain(mp.log1p(self.value), 1 / (1 + self.value))

    def cosh(self) -> Exact:
        """The hyperbolic cosine."""
        return self._chain(mp.cosh(self.value), mp.sinh(self.value))

    def sqrt(self) -> Exact:
        """The square root; its slope at 0 is taken as 0."""
        value = mp.sqrt(self.value)
        return self._chain(value, 1 / (2 * value) if value else mpf(0))


def variables(name: str, array: np.ndarray) -> np.ndarray:
    """The elements of `array`, exactly, as variables to differentiate by."""
    exact = np.empty(array.size, object)
    exact[:] = [Exact(float(v), {(name, i): mpf(1)}) for i, v in enumerate(array.flat)]
    return exact.reshape(array.shape)


def constants(array: np.ndarray) -> np.ndarray:
    """The elements of `array`, exactly."""
    exact = np.empty(array.size, object)
    exact[:] = [Exact(float(v)) for v in array.flat]
    return exact.reshape(array.shape)


def gradient(losses: Iterable[Exact], name: str, size: int) -> list[Any]:
    """The derivative of the sum of the losses by each element of a variable."""
    total = [mpf(0)] * size
    for loss in losses:
        for (variable, place), slope in loss.slopes.items():
            if variable == name:
                total[place] += slope
    return total


def relative_errors(found: np.ndarray, exact: Iterable[Any]) -> list[float]:
    """|found - exact| / |exact| per element.

    Below FLOOR an error up to FLOOR counts as none. It is eight times the smallest normal float32, since a
    factor (a probability that a weight multiplies) may be too small for float32 where the product is not.
    Beyond the largest float32 an infinity of its sign is right.
    """
    errors = []
    for value, truth in zip(map(float, found.flat), exact, strict=True):
        if not np.isfinite(value):
            right = abs(truth) > HUGE and np.sign(value) == mp.sign(truth)
            errors.append(0.0 if right else np.inf)
            continue
        error = abs(mpf(value) - truth)
        hidden = abs(truth) < FLOOR and error <= FLOOR
        errors.append(0.0 if hidden else float(error / max(abs(truth), FLOOR)))
    return errors
