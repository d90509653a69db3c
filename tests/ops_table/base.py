"""What a row of the table is made of: makers of inputs, the row, and functions that add rows."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

Maker = Callable[[np.random.RandomState], np.ndarray]


# ------------------------------------------------------------------------------------------ input makers
def spread(low: float, high: float, *shape: int, away: float | None = 0.0) -> Maker:
    """Values in [low, high], all at a distance from each other, and from `away`."""

    def make(rng: np.random.RandomState) -> np.ndarray:
        n = int(np.prod(shape))
        places = (np.arange(n) + 0.5 + rng.uniform(-0.2, 0.2, n)) / max(n, 1)
        values = low + (high - low) * rng.permutation(places)
        if away is not None:
            near = np.abs(values - away) < 0.05
            values = np.where(near, away + np.where(values < away, -0.05, 0.05) + (values - away), values)
        return values.reshape(shape)

    return make


def real(*shape: int) -> Maker:
    """Numbers of either sign."""
    return spread(-2, 2, *shape)


def positive(*shape: int) -> Maker:
    """Numbers above zero."""
    return spread(0.3, 3, *shape)


def unit(*shape: int) -> Maker:
    """Numbers inside (0, 1)."""
    return spread(0.05, 0.95, *shape)


def fractions(*shape: int) -> Maker:
    """Numbers of either sign, away from every half."""

    def make(rng: np.random.RandomState) -> np.ndarray:
        values = rng.randint(-3, 3, shape) + rng.choice([0.2, 0.3, 0.7, 0.8], shape)
        return np.asarray(values)

    return make


def given(values: Any, dtype: str | None = None) -> Maker:
    """These very values; floats are cast to the dtype under test."""
    return lambda rng: np.array(values, dtype)


def integers(low: int, high: int, *shape: int) -> Maker:
    """int64 numbers in [low, high)."""
    return lambda rng: rng.randint(low, high, shape).astype(np.int64)


def mask(*shape: int) -> Maker:
    """Bools, of either kind where there are several."""

    def make(rng: np.random.RandomState) -> np.ndarray:
        n = int(np.prod(shape))
        return rng.permutation(np.arange(n) % 2 == 0).reshape(shape)

    return make


# ------------------------------------------------------------------------------------------------- rows
@dataclass(frozen=True)
class Row:
    """One call of one operation."""

    name: str
    call: Callable[..., Any]
    makers: tuple[Maker, ...]
    uses: frozenset[str]  # the public names the call reaches
    kink: bool = False  # compared with torch's convention; no numeric derivative exists
    numeric: bool = True  # whether gradcheck applies
    digits: float = 1.0  # how many times float32 rounding is allowed, for long sums
    grad: bool = True  # whether the inputs require gradients
    dense: bool = False  # whether the call needs dense memory, as view does

    @property
    def beyond(self) -> str | None:
        """Why minigrad answers where torch raises, None where it does not."""
        return _looked_up(self.name, BEYOND)

    @property
    def renamed(self) -> str | None:
        """Why the node's name is not torch's, None where it is."""
        return _looked_up(self.name, RENAMED)

    def arrays(self, dtype: str = "float64") -> list[np.ndarray]:
        """The inputs, floating ones in `dtype`."""
        rng = np.random.RandomState(zlib.crc32(self.name.encode()))
        made = [maker(rng) for maker in self.makers]
        return [a.astype(dtype) if a.dtype.kind == "f" else a for a in made]

    def cotangent(self, place: int, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """Random numbers of either sign and away from zero, so that no part of a rule goes unseen."""
        rng = np.random.RandomState(zlib.crc32(f"{self.name} cotangent {place}".encode()))
        return np.asarray(rng.uniform(0.5, 1.5, shape) * rng.choice([-1.0, 1.0], shape)).astype(dtype)


# Where torch raises and minigrad answers, and why.
BEYOND = {
    "* of bool": "NumPy's answer is as good as that for the numbers 0 and 1",
    "arg* bool*": "the first True, or the first False, is well defined",
    "views into a constant": "a view of a constant follows its base onto the tape",
    "write unbound": "views that came with others may be written to: gradients follow",
}
# Where grad_fn prints another name, and why.
RENAMED = {
    "clamp tensor*": "made of where, so that bounds have gradients too",
    "*0-d*{'dim'*": "the only dimension of a 0-d tensor is none: all are reduced",
    "sum positional": "sum(()) is the sum over all",
    "sum_to_size": "one operation here, a sum and a view in torch",
}


def _looked_up(name: str, reasons: dict[str, str]) -> str | None:
    return next((reason for pattern, reason in reasons.items() if fnmatchcase(name, pattern)), None)


ROWS: list[Row] = []


def row(name: str, call: Callable[..., Any], *makers: Maker, **flags: Any) -> None:
    """Add a row; what the call names is what the row covers."""
    uses = frozenset(flags.pop("uses", ())) | frozenset(_names(call.__code__))
    assert all(name != other.name for other in ROWS), f"two rows are called {name!r}"
    ROWS.append(Row(name, call, makers, uses, **flags))


def _names(code: Any) -> set[str]:
    found = set(code.co_names)
    for constant in code.co_consts:
        if hasattr(constant, "co_names"):
            found |= _names(constant)
    return found


def reach(m: Any, path: str) -> Any:
    """`m.nn.functional.relu` from its dotted name."""
    for part in path.split("."):
        m = getattr(m, part)
    return m


# ------------------------------------------------------------------------- elementwise: of one operand
def unary(name: str, maker: Callable[..., Maker], *, whole: bool = True, **flags: Any) -> None:
    """A function in the shapes that elementwise functions meet; `whole`: integers are welcome too."""
    uses = name.split(".")[-1:]

    def call(m: Any, x: Any) -> Any:
        return reach(m, name)(x)

    for shape in ((2, 3), (), (1,), (0, 3), (3, 1, 2)):
        row(f"{name} {list(shape)}", call, maker(*shape), uses=uses, **flags)
    row(f"{name} 40", call, maker(40), uses=uses, **flags)  # longer than a vector register
    if whole:
        row(f"{name} of int64", call, given([[0, 1, 3], [2, 5, 4]], "int64"), uses=uses)
        row(f"{name} of uint8", call, given([0, 1, 200], "uint8"), uses=uses)
        row(f"{name} of bool", call, given([True, False], "bool"), uses=uses)
