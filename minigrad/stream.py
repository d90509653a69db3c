"""Random numbers: torch's CPU streams, bit for bit, as NumPy arrays.

A `Generator` is a Mersenne Twister (MT19937) and what torch makes of its 32-bit words. The same
seed gives the same numbers, in the same order, as torch on an x86-64 CPU with AVX2:

* a float32 uniform is the low 24 bits of a word, a float64 uniform the low 53 bits of two words;
* a normal is a Box-Muller pair: one at a time below 16 elements, blocks of 16 (8 radii, 8 angles)
  from 16 on, in float32 with the Cephes polynomials for log, sin and cos;
* an affine map (`uniform`, `normal`) rounds once, as the fused multiply-add instruction does.

On Intel's CPUs torch leaves `bernoulli_(p)`, and with it dropout, to a library with a stream of its
own; here as on other CPUs it follows the Mersenne Twister.
"""

from __future__ import annotations

import math
import operator
import secrets
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import dtypes
from .box_muller import BLOCK, box_muller, by_parts, each, fused_multiply_add
from .kernels import twister
from .kernels.jit import Kernel, is_compiled_type
from .kernels.shuffle import exchange

Array = np.ndarray[Any, Any]
Shape = int | Sequence[int]

DEFAULT_SEED = 67280421310721
_WORD_RANGE = 1 << 28  # integers from a wider range are made of two words
COMPILED_FROM = 20_000  # numbers, or elements of a permutation: below, compiling costs more than it saves

# The layout of torch's generator state, so that either library can continue the other's stream.
_STATE = np.dtype(
    [
        ("seed", "u8"),
        ("left", "i4"),
        ("seeded", "i4"),
        ("next", "u8"),
        ("words", "u8", 624),
        ("normal_x", "f8"),
        ("normal", "f8"),
        ("normal_rho", "f8"),
        ("has_normal", "i4"),
        ("unused", "i4", 3),
    ]
)


class Generator:
    """A stream of random numbers on the CPU, the one torch draws from the same seed.

    All draws return arrays; two threads may draw from one generator.

    Args:
        device: only "cpu" exists.

    Raises:
        RuntimeError: for another device.

    Source: M. Matsumoto and T. Nishimura, "Mersenne Twister", ACM TOMACS 8 (1998).

    Example:
        >>> from minigrad.stream import Generator
        >>> Generator().manual_seed(0).randint(0, 10, (5,))
        array([4, 9, 3, 0, 3])
    """

    device = "cpu"

    def __init__(self, device: Any = "cpu") -> None:
        if str(device) != "cpu":
            raise RuntimeError(
                f"Expected a generator on the device 'cpu', but got {str(device)!r}: "
                "minigrad computes on the CPU only"
            )
        self._lock = threading.Lock()
        self._twister = np.random.MT19937()
        self.manual_seed(DEFAULT_SEED)

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream of `seed` (-2**63 <= seed < 2**64, taken modulo 2**32); returns self.

        Raises:
            RuntimeError: if `seed` is not an integer.
            ValueError: if it is outside the range.
        """
        if isinstance(seed, bool) or not hasattr(seed, "__index__"):
            raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}")
        seed = operator.index(seed)
        if not -(2**63) <= seed < 2**64:
            raise ValueError(f"Overflow when unpacking long long: seed {seed} is outside [-2**63, 2**64)")
        with self._lock:
            np.random.RandomState(self._twister).seed(seed % 2**32)
            self._seed = seed % 2**64
            self._spare: float | None = None  # the second of a pair of normals, not yet handed out
        return self

    def seed(self) -> int:
        """Start a stream from the system's entropy; returns the seed."""
        self.manual_seed(secrets.randbits(53))
        return self._seed

    def initial_seed(self) -> int:
        """The seed of this stream (a negative seed as seed + 2**64)."""
        return self._seed

    def get_state(self) -> Array:
        """A snapshot of the stream as 5056 bytes (uint8), laid out as torch's."""
        state = np.zeros((), _STATE)
        with self._lock:
            twister: Any = self._twister.state["state"]
            state["seed"], state["seeded"] = self._seed, 1
            state["words"], state["next"] = twister["key"], twister["pos"]
            state["left"] = 625 - twister["pos"]
            if self._spare is not None:
                state["normal"], state["has_normal"] = self._spare, 1
        return np.frombuffer(state.tobytes(), np.uint8).copy()

    def set_state(self, state: Array) -> Generator:
        """Continue from a snapshot that `get_state` took; returns self.

        Raises:
            TypeError: if `state` is not an array of uint8.
            RuntimeError: if it has another size or is not a generator's state.
        """
        if not isinstance(state, np.ndarray):
            raise TypeError(f"expected a torch.ByteTensor, but got {type(state).__name__}")
        if state.dtype != np.uint8:
            raise TypeError(f"RNG state must be a torch.ByteTensor, but its dtype is torch.{state.dtype}")
        if state.size != _STATE.itemsize:
            raise RuntimeError(
                f"Expected a CPUGeneratorImplState of size {_STATE.itemsize} but found the input "
                f"RNG state size to be {state.size}"
            )
        fields = np.frombuffer(state.tobytes(), _STATE)[0]
        if not (fields["seeded"] and 0 < fields["left"] <= 624 and fields["next"] <= 624):
            raise RuntimeError("Invalid mt19937 state: these bytes are not from get_state()")
        words, position = fields["words"].astype(np.uint32), 625 - int(fields["left"])
        with self._lock:
            self._twister.state = {
                "bit_generator": "MT19937",
                "state": {"key": words, "pos": position},
            }
            self._seed = int(fields["seed"])
            self._spare = float(fields["normal"]) if fields["has_normal"] else None
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Generator, (), self.get_state()

    def __setstate__(self, state: Array) -> None:
        self.set_state(state)

    def rand(self, shape: Shape, dtype: Any = None) -> Array:
        """Uniform numbers in [0, 1), of the default floating-point dtype unless given."""
        shape, kind = _sizes(shape), _floating(dtype, "check_uniform_bounds")
        with self._lock:
            return self._unit(math.prod(shape), kind).reshape(shape)

    def uniform(self, shape: Shape, low: float = 0.0, high: float = 1.0, dtype: Any = None) -> Array:
        """Uniform numbers in [low, high): `low + (high - low) * rand`, rounded once.

        Raises:
            RuntimeError: if low > high, or if either or their difference exceeds the dtype.
        """
        shape, kind = _sizes(shape), _floating(dtype, "check_uniform_bounds")
        _check_uniform_bounds(float(low), float(high), kind)
        with self._lock:
            unit = self._unit(math.prod(shape), kind)
        start, end = kind.type(low), kind.type(high)
        drawn = by_parts(lambda part: fused_multiply_add(part, end - start, start), unit)
        drawn[drawn >= end] = start  # what rounding took out of the range starts again
        return drawn.reshape(shape)

    def randn(self, shape: Shape, dtype: Any = None) -> Array:
        """Normal numbers of mean 0 and standard deviation 1."""
        return self.normal(shape, 0.0, 1.0, dtype)

    def normal(self, shape: Shape, mean: float = 0.0, std: float = 1.0, dtype: Any = None) -> Array:
        """Normal numbers: `mean + std * randn`, rounded once.

        Raises:
            RuntimeError: if std is negative or nan.
        """
        shape, kind = _sizes(shape), _floating(dtype, "normal_kernel_cpu")
        if not std >= 0:
            raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
        count = math.prod(shape)
        with self._lock, np.errstate(over="ignore", invalid="ignore"):
            if count < BLOCK:
                singles = fused_multiply_add(self._single_normals(count), std, mean)
                return singles.astype(kind).reshape(shape)
            scale, shift = kind.type(std), kind.type(mean)
            blocks = self._block_normals(count, kind)
            return by_parts(lambda part: fused_multiply_add(part, scale, shift), blocks).reshape(shape)

    def randint(self, low: int, high: int, shape: Shape, dtype: Any = np.int64) -> Array:
        """Integers in [low, high): a word, or two from a range of 2**28 on, modulo the range.

        Raises:
            RuntimeError: if low >= high, or if the numbers do not fit the dtype.
        """
        low, high = operator.index(low), operator.index(high)
        shape, kind = _sizes(shape), dtypes.to_numpy(dtype)
        _check_integer_bounds(low, high, kind)
        width, count = high - low, math.prod(shape)
        with self._lock:
            words = self._words(count) if width < _WORD_RANGE else self._double_words(count)
        # unsigned arithmetic is modulo 2**64: adding low % 2**64 adds low
        drawn = (words % np.uint64(width) + np.uint64(low % 2**64)).view(np.int64)
        return drawn.astype(kind, copy=False).reshape(shape)

    def randperm(self, n: int) -> Array:
        """The integers 0, 1, ..., n - 1 in random order, as int64.

        Source: R. Durstenfeld, "Algorithm 235: Random permutation", CACM 7 (1964).
        """
        (n,) = _sizes(n)
        with self._lock:
            words = self._words(max(n - 1, 0))
        partners = (words % np.arange(n, 1, -1, dtype=np.uint64)).view(np.int64)
        partners += np.arange(partners.size)
        if n >= COMPILED_FROM:
            order = np.arange(n)
            exchange(order, partners)
            return order
        items = list(range(n))
        exchange.__wrapped__(items, partners.tolist())
        return np.array(items, np.int64)

    def bernoulli(self, p: Array) -> Array:
        """One where a uniform number is below `p`, else zero: an array like `p` (floating-point).

        Raises:
            RuntimeError: if a probability is not in [0, 1].
        """
        kind = _floating(p.dtype, "bernoulli_tensor_cpu_p_")
        if not ((p >= 0) & (p <= 1)).all():
            bad = p[~((p >= 0) & (p <= 1))][0]
            raise RuntimeError(
                "Expected p_in >= 0 && p_in <= 1 to be true, but got false. "
                f"Every probability must be in [0, 1], but one is {bad:g}"
            )
        with self._lock:
            unit = self._unit(p.size, kind)
        return (unit < p.ravel()).astype(kind).reshape(p.shape)

    def bernoulli_p(self, shape: Shape, p: float, dtype: Any = None, one: float = 1.0) -> Array:
        """`one` with probability `p`, else zero, of any dtype: the draw of `Tensor.bernoulli_(p)`.

        Dropout draws its mask this way. Two words an element, unlike `bernoulli`.

        Raises:
            RuntimeError: if p is not in [0, 1].
        """
        shape = _sizes(shape)
        kind = dtypes.default_float() if dtype is None else dtypes.to_numpy(dtype)
        if not 0 <= p <= 1:
            raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p:g}")
        count = math.prod(shape)
        if count >= COMPILED_FROM and is_compiled_type(kind):
            drawn = np.empty(count, kind)
            with self._lock:
                self._compiled(twister.bernoulli, np.uint64(math.ceil(p * 2**53)), kind.type(one), drawn)
            return drawn.reshape(shape)
        with self._lock:
            unit = self._unit(count, np.dtype(np.float64))
        return np.where(unit < p, kind.type(one), kind.type(0)).reshape(shape)

    def exponential(self, shape: Shape, lambd: float = 1.0, dtype: Any = None) -> Array:
        """Values of the exponential distribution of rate `lambd`: -log(1 - u) / lambd.

        Raises:
            RuntimeError: if `lambd` is not positive.
        """
        shape = _sizes(shape)
        kind = _floating(dtype, "exponential_")
        if not lambd > 0:
            raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd:g}")
        with self._lock:
            unit = self._unit(math.prod(shape), np.dtype(np.float64))
        return (-1 / lambd * each(math.log1p, -unit)).astype(kind).reshape(shape)

    def multinomial(self, weights: Array, count: int, replacement: bool) -> Array:
        """The places of `count` draws from each row (rows, places) of weights, which need not sum to one.

        With replacement a uniform number is looked up in the sums up to each place, without it the draws are
        the largest quotients of a weight and an exponential number.
        """
        if not replacement or count == 1:
            quotients = weights / self.exponential(weights.shape, 1.0, weights.dtype)
            return np.argsort(-quotients, axis=1, kind="stable")[:, :count]
        sums = np.cumsum(weights, axis=1, dtype=weights.dtype)
        sums /= sums[:, -1:]
        with self._lock:
            unit = self._unit(len(sums) * count, np.dtype(np.float64)).reshape(-1, count)
        found = [np.searchsorted(row, draws) for row, draws in zip(sums, unit, strict=True)]
        return np.array(found, np.int64).reshape(-1, count)

    def random63(self) -> int:
        """An integer in [0, 2**63): the draw that seeds a sampler or a DataLoader's workers."""
        with self._lock:
            return int(self._double_words(1)[0]) & (2**63 - 1)

    def _words(self, count: int) -> Array:
        """32-bit words, in unsigned integers of 32 or 64 bits."""
        if count < COMPILED_FROM:
            return self._twister.random_raw(count)
        words = np.empty(count, np.uint32)
        self._compiled(twister.fill, words)
        return words

    def _compiled(self, draw: Kernel, *args: Any) -> None:
        """Let a kernel draw from the twister's state, and go on from where it stops."""
        state: Any = self._twister.state
        inner = state["state"]
        inner["pos"] = draw(inner["key"], inner["pos"], *args)
        self._twister.state = state

    def _double_words(self, count: int) -> Array:
        words = self._words(2 * count)
        return (words[::2] << np.uint64(32)) | words[1::2]

    def _unit(self, count: int, kind: np.dtype) -> Array:
        """Uniform numbers in [0, 1)."""
        single = kind == np.float32
        words = self._words(count) if single else self._double_words(count)
        words &= 0xFFFFFF if single else 2**53 - 1
        unit = words.astype(kind)
        unit *= kind.type(2**-24 if single else 2**-53)
        return unit

    def _single_normals(self, count: int) -> Array:
        """Fewer than 16 normals in float64; the unused half of the last pair waits for the next."""
        normals = [] if self._spare is None else [self._spare]
        pairs = (count - len(normals) + 1) // 2
        uniforms = self._unit(2 * pairs, np.dtype(np.float64)).tolist()
        for angle, radius in zip(uniforms[::2], uniforms[1::2], strict=True):
            length, theta = math.sqrt(-2.0 * math.log1p(-radius)), 2.0 * math.pi * angle
            normals += [length * math.cos(theta), length * math.sin(theta)]
        self._spare = normals.pop() if len(normals) > count else None
        return np.array(normals, np.float64)

    def _block_normals(self, count: int, kind: np.dtype) -> Array:
        """16 normals or more; a ragged end is drawn anew as a whole block over the last 16."""
        normals = self._unit(count, kind)
        ragged = count % BLOCK
        by_parts(box_muller, normals[: count - ragged])
        if ragged:
            normals[-BLOCK:] = box_muller(self._unit(BLOCK, kind))
        return normals


def _sizes(shape: Shape) -> tuple[int, ...]:
    given = shape if isinstance(shape, Sequence) else (shape,)
    sizes = tuple(operator.index(size) for size in given)
    for size in sizes:
        if size < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {size}: {list(sizes)}")
    return sizes


def _floating(dtype: Any, name: str) -> np.dtype:
    kind = dtypes.default_float() if dtype is None else dtypes.to_numpy(dtype)
    if kind.kind != "f":
        known = dtypes.from_numpy(kind)
        raise NotImplementedError(
            f"\"{name}\" not implemented for '{known.scalar_type}': "
            f"expected torch.float32 or torch.float64, but got {known}"
        )
    return kind


def _check_uniform_bounds(low: float, high: float, kind: np.dtype) -> None:
    name, largest = dtypes.from_numpy(kind).scalar_type, float(np.finfo(kind).max)
    for bound, value in (("from", low), ("to", high)):
        if not abs(value) <= largest:
            raise RuntimeError(f"{bound} is out of bounds for {name.lower()}: got {value:g}")
    if low > high:
        raise RuntimeError(
            f"uniform_ expects to return a [from, to) range, but found from={low:g} > to={high:g}"
        )
    if high - low > largest:
        raise RuntimeError(
            f"uniform_ expects to-from <= std::numeric_limits<{name}>::max(), but found "
            f"to={high:g} and from={low:g} which result in to-from to exceed the limit"
        )


def _check_integer_bounds(low: int, high: int, kind: np.dtype) -> None:
    if low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    first, last = _integer_range(kind)
    for bound, value in (("from", low), ("to - 1", high - 1)):
        if not first <= value <= last:
            raise RuntimeError(
                f"{bound} is out of bounds for {dtypes.from_numpy(kind)}: "
                f"got {value}, expected {first} to {last}"
            )


def _integer_range(kind: np.dtype) -> tuple[int, int]:
    if kind.kind == "b":
        return 0, 1
    info = np.iinfo(np.int64 if kind.kind == "f" else kind)
    return int(info.min), int(info.max)


default_generator = Generator()
default_generator.seed()
