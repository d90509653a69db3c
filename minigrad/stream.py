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
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import dtypes
from .kernels import twister
from .kernels.jit import Kernel, is_compiled_type
from .kernels.shuffle import exchange

Array = np.ndarray[Any, Any]
Shape = int | Sequence[int]

DEFAULT_SEED = 67280421310721
_WORD_RANGE = 1 << 28  # integers from a wider range are made of two words
_BLOCK = 16  # normals that are transformed together
_PART = 1 << 15  # numbers that are transformed at a time
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
        drawn = _by_parts(lambda part: _fused_multiply_add(part, end - start, start), unit)
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
            if count < _BLOCK:
                singles = _fused_multiply_add(self._single_normals(count), std, mean)
                return singles.astype(kind).reshape(shape)
            scale, shift = kind.type(std), kind.type(mean)
            blocks = self._block_normals(count, kind)
            return _by_parts(lambda part: _fused_multiply_add(part, scale, shift), blocks).reshape(shape)

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
        ragged = count % _BLOCK
        _by_parts(_box_muller, normals[: count - ragged])
        if ragged:
            normals[-_BLOCK:] = _box_muller(self._unit(_BLOCK, kind))
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


def _by_parts(function: Callable[[Array], Array], values: Array) -> Array:
    """What `function` makes of each part of a long vector, in its place: what it needs stays in cache."""
    for start in range(0, values.size, _PART):
        part = values[start : start + _PART]
        part[...] = function(part)
    return values


def _box_muller(uniforms: Array) -> Array:
    """Normals from uniforms in blocks of 16: 8 radii, 8 angles; 8 cosines, 8 sines."""
    blocks = uniforms.reshape(-1, 2, _BLOCK // 2)
    radii, angles = blocks[:, 0].ravel(), blocks[:, 1].ravel()
    if uniforms.dtype == np.float32:
        logs = _log(np.float32(1) - radii)
        sines, cosines = _sincos(np.float32(2 * math.pi) * angles)
    else:  # the C library's functions: NumPy's differ in the last bit
        logs = _each(math.log, 1 - radii)
        sines, cosines = (_each(f, 2 * math.pi * angles) for f in (math.sin, math.cos))
    lengths = np.sqrt(uniforms.dtype.type(-2) * logs)
    pairs = [(lengths * f).reshape(-1, _BLOCK // 2) for f in (cosines, sines)]
    return np.stack(pairs, axis=1).ravel()


def _each(function: Callable[[float], float], values: Array) -> Array:
    return np.fromiter(map(function, values.tolist()), np.float64, values.size)


# Cephes' single-precision log, sin and cos (S. L. Moshier, 1992). A product and the sum after it
# are one fused multiply-add: the product of two float32 is exact in float64, so `_rounded` rounds
# once but for double rounding to float64 and float32, which none of the 2**24 arguments meets.
_SQRT_HALF = np.float32(0.707106781186547524)
_LOG = np.array(
    [
        7.0376836292e-2,
        -1.1514610310e-1,
        1.1676998740e-1,
        -1.2420140846e-1,
        1.4249322787e-1,
        -1.6668057665e-1,
        2.0000714765e-1,
        -2.4999993993e-1,
        3.3333331174e-1,
    ],
    np.float32,
)
_LN2 = np.array([-2.12194440e-4, 0.693359375], np.float32)  # low and high part
_QUARTER_PI = np.array([0.78515625, 2.4187564849853515625e-4, 3.77489497744594108e-8], np.float32)
_COS = np.array([2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2], np.float32)
_SIN = np.array([-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1], np.float32)


def _rounded(a: Any, b: Any, c: Any) -> Array:
    """`a * b + c` of float32 values, rounded once."""
    total: Array = np.multiply(a, b, dtype=np.float64) + c
    return total.astype(np.float32)


def _polynomial(coefficients: Array, x: Array) -> Any:
    value: Any = coefficients[0]
    for coefficient in coefficients[1:]:
        value = _rounded(value, x, np.float64(coefficient))
    return value


def _log(x: Array) -> Array:
    """The logarithm of float32 values in (0, 1]."""
    bits = x.view(np.int32)
    exponent = ((bits >> 23) - 126).astype(np.float32)
    mantissa = ((bits & 0x007FFFFF) | 0x3F000000).view(np.float32)  # in [1/2, 1)
    small = mantissa < _SQRT_HALF
    exponent -= small
    x = mantissa - np.float32(1) + np.where(small, mantissa, np.float32(0))
    square = x * x
    low, high = _LN2
    y = _rounded(_polynomial(_LOG, x) * x, square, exponent * low)
    y = _rounded(square, np.float32(-0.5), y)
    return _rounded(exponent, high, x + y)


def _sincos(theta: Array) -> tuple[Array, Array]:
    """The sine and cosine of float32 values in [0, 2 pi]."""
    octant = ((theta * np.float32(4 / math.pi)).astype(np.int32) + 1) & ~1
    x = theta
    for part in _QUARTER_PI:
        x = _rounded(octant.astype(np.float32), -part, x)
    square = x * x
    cosine = _polynomial(_COS, square) * square
    cosine = _rounded(cosine, square, -(square * np.float32(0.5))) + np.float32(1)
    sine = _rounded(_polynomial(_SIN, square) * square, x, x)
    swap = (octant & 2) != 0
    sines, cosines = np.where(swap, cosine, sine), np.where(swap, sine, cosine)
    return np.where(octant & 4, -sines, sines), np.where((octant + 2) & 4, -cosines, cosines)


def _fused_multiply_add(a: Array, b: Any, c: Any) -> Array:
    """`a * b + c` rounded once, in the dtype of `a`; twice in float64 beyond 1e-270 ... 1e290.

    Source: S. Boldo and G. Melquiond, "Emulation of FMA and correctly rounded sums: proved
    algorithms using rounding to odd", IEEE Transactions on Computers 57 (2008).
    """
    a64, b64, c64 = a.astype(np.float64, copy=False), np.float64(b), np.float64(c)
    product = a64 * b64
    with np.errstate(over="ignore", invalid="ignore"):
        if c64 == 0:
            return (product + c64).astype(a.dtype)
        if a.dtype == np.float32:  # the product is exact
            return _sum_to_odd(product, c64).astype(np.float32)
        high, rest = _exact_sum(c64, _product_error(a64, b64, product))
        total, error = _exact_sum(product, high)
        fused = total + _sum_to_odd(rest, error)
        # The plain sum has the right infinities and signs of zero.
        return np.where(np.isfinite(fused) & (fused != 0), fused, product + c64)


def _exact_sum(a: Any, b: Any) -> tuple[Array, Array]:
    """The rounded sum and its rounding error (Knuth's TwoSum)."""
    total = a + b
    share = total - a
    return total, (a - (total - share)) + (b - share)


def _product_error(a: Array, b: Any, product: Array) -> Any:
    """What rounding took from the product (Dekker's TwoProduct with Veltkamp's split)."""
    (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
    return a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)


def _halves(a: Any) -> tuple[Any, Any]:
    scaled = a * 134217729.0  # 2**27 + 1
    high = scaled - (scaled - a)
    return high, a - high


def _sum_to_odd(a: Array, b: Any) -> Array:
    """The sum in float64, an inexact one rounded to the neighbour with an odd last bit.

    Rounding that once more, to fewer bits, gives what rounding the exact sum would.
    """
    total, error = _exact_sum(a, b)
    even = (error != 0) & np.isfinite(error) & (total.view(np.int64) & 1 == 0)
    if even.any():
        towards = np.where(error > 0, np.inf, -np.inf)
        total = np.where(even, np.nextafter(total, towards), total)
    return total


default_generator = Generator()
default_generator.seed()
