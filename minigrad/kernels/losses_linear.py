"""Cross entropy of the logits x Wᵀ + b, a block of tokens and classes at a time.

All logits together never exist.  A block of tokens goes through two steps: every token's largest
logit and the sum of the other exponentials are found, then its slopes overwrite its logits and go
into the products that make the gradients.  Where a few tokens' logits of all classes fill the room
there is, the classes are cut into blocks too: the first step then joins what the blocks of classes
say, and the second computes the logits anew.

A token's state is `top`, its largest logit; `rest`, the sum of exp(x - top) over all classes but one
of the largest, kept apart from that one's exp(0) so that no digit of a confident token is lost;
`mass`, the weight of its target; and `gap`, the sum of the target's mass times (top - x).  Its loss
is gap + mass log1p(rest).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray

from . import reduction as reductions
from .jit import Kernel, flat, kernel, note_product, prange
from .losses_class import PARALLEL_FROM, _class_weights
from .losses_launch import EMPTY, FLOAT32, FLOAT64
from .losses_pointwise import total_of
from .losses_softmax import SINGLE, _exp_below, _exp_row, _largest
from .math import _FLOAT, _ONE, _ZERO

# The room for logits, and for the product that is added to the weight's gradient; bytes.
LOGITS_ROOM, PRODUCT_ROOM = 40_000_000, 8_000_000
# With fewer tokens at a time reading the weight takes longer than the products; rather compute the
# logits twice, for this many tokens.
FEW_TOKENS, MANY_TOKENS = 64, 512
# Tokens handled by one thread at a time, and logits of a token that stay in the first-level cache.
ROWS, PART = 8, 512

_MINUS_INFINITY = np.float64(-np.inf)

_sees: Any = None  # the kernels of a kind of target: bound below
_ignores: Any = None
_slope_row: Any = None
_fill: Any = None


# -------------------------------------------------------------------------------------- the two steps
@kernel
def _add(row, bias):
    for c in range(row.size):
        row[c] += bias[c]


# Two loops, since one with both sums does not vectorise.
@kernel(fastmath={"contract", "reassoc", "nsz"})
def _sum_below_one(e):
    total = 0.0
    for c in range(e.size):
        total += _ZERO if e[c] == _ONE else e[c]
    return total


@kernel
def _count_ones(e):
    count = 0
    for c in range(e.size):
        count += e[c] == _ONE
    return count


@kernel
def _rest_of(row, top, spare):
    """The sum of exp(x - top) over all but one of the largest."""
    below, ones = 0.0, 0
    for start in range(0, row.size, PART):
        part = row[start : start + PART]
        e = spare[: part.size]
        _exp_row(part, top, e)
        below += _sum_below_one(e)
        ones += _count_ones(e)
    return below + (ones - 1.0)


@kernel
def _join(i, top, rest, gap, mass, tops, rests, gaps, masses):
    """Add what a block of classes says to the state of token i."""
    if top == _MINUS_INFINITY:  # classes that are ruled out add nothing, unless the target is there
        gaps[i] += np.inf if mass != 0 else 0.0
    elif top <= tops[i]:
        drop = tops[i] - top
        rests[i] += (1.0 + rest) * math.exp(-drop)
        gaps[i] += gap + (mass * drop if mass != 0 else 0.0)
    else:
        rise = top - tops[i]
        rests[i] = rest + (1.0 + rests[i]) * math.exp(-rise)
        gaps[i] += gap + (masses[i] * rise if masses[i] != 0 else 0.0)
        tops[i] = top
    masses[i] += mass


@kernel(parallel=True, threshold=PARALLEL_FROM)
def _survey(x, bias, target, weight, ignore_index, smoothing, first, tops, rests, gaps, masses):
    """Add the bias to a block of logits, and what the block says to the tokens' states."""
    tokens = tops.size
    width = x.size // tokens
    for block in prange((tokens + ROWS - 1) // ROWS):
        spare = np.empty(PART, x.dtype)
        for i in range(block * ROWS, min(tokens, (block + 1) * ROWS)):
            row = x[i * width : (i + 1) * width]
            if bias.size:
                _add(row, bias)
            top = _largest(row)
            rest = _rest_of(row, top, spare) if top != _MINUS_INFINITY else -1.0
            gap, mass = _sees(row, top, target, i, weight, ignore_index, smoothing, first, spare)
            _join(i, np.float64(top), rest, gap, mass, tops, rests, gaps, masses)


@kernel(parallel=True, threshold=PARALLEL_FROM)
def _slope(x, bias, target, weight, ignore_index, smoothing, first, tops, rests, masses, scales):
    """Turn a block of logits into the slopes of the losses, times the tokens' scales.

    The bias is added first, unless it is empty.
    """
    tokens = tops.size
    width = x.size // tokens
    for block in prange((tokens + ROWS - 1) // ROWS):
        spare = np.empty(PART, x.dtype)
        for i in range(block * ROWS, min(tokens, (block + 1) * ROWS)):
            row = x[i * width : (i + 1) * width]
            if scales[i] == 0 or _ignores(target, i, ignore_index):
                row[:] = 0
            else:
                if bias.size:
                    _add(row, bias)
                state = _FLOAT(tops[i]), rests[i], masses[i], scales[i]
                _slope_row(row, target, i, weight, smoothing, first, state, spare)


# ------------------------------------------------------------------------------- targets of one class
@kernel
def _is_ignored(target, i, ignore_index):
    return target[i] == ignore_index


@kernel
def _sees_label(row, top, target, i, weight, ignore_index, smoothing, first, spare):
    """The gap and the mass of the target, if it is among these classes."""
    label = target[i] - first
    if target[i] == ignore_index or label < 0 or label >= row.size:
        return 0.0, 0.0
    w = np.float64(weight[target[i]])
    return w * (np.float64(top) - np.float64(row[label])), w


@kernel
def _scaled_exp_row(row, top, factor):
    for c in range(row.size):
        row[c] = _exp_below(row[c], top) * factor


@kernel
def _label_slope_row(row, target, i, weight, smoothing, first, state, spare):
    top, rest, mass, scale = state
    label = target[i] - first
    mine = label >= 0 and label < row.size
    own = row[label] if mine else top
    factor = mass / (1.0 + rest) * scale
    _scaled_exp_row(row, top, _FLOAT(factor))
    if mine:
        # softmax - 1 as minus the share of the others.
        e = _exp_below(own, top)
        row[label] = _FLOAT(-(rest if e == _ONE else (1.0 + rest) - np.float64(e)) * factor)


# ----------------------------------------------------------------------- targets that are spread out
@kernel
def _never_ignored(target, i, ignore_index):
    return False


@kernel
def _fill_smoothed(mass, target, i, weight, smoothing, first):
    """The mass (weight times probability) of the target on the classes from `first` on."""
    spread = _FLOAT(smoothing / weight.size)
    own = weight[first : first + mass.size]
    for c in range(mass.size):
        mass[c] = own[c] * spread
    label = target[i] - first
    if label >= 0 and label < mass.size:
        mass[label] += own[label] * _FLOAT(1.0 - smoothing)


@kernel
def _fill_soft(mass, target, i, weight, smoothing, first):
    keep, spread = _FLOAT(1.0 - smoothing), _FLOAT(smoothing / weight.size)
    own = weight[first : first + mass.size]
    start = i * weight.size + first
    probabilities = target[start : start + mass.size]
    for c in range(mass.size):
        mass[c] = own[c] * (keep * probabilities[c] + spread)


@kernel(fastmath={"contract", "reassoc", "nsz"})
def _sum_of_gaps(mass, top, row):
    total = 0.0
    for c in range(row.size):
        # A class without mass costs nothing, however unlikely it is: 0 * inf is 0 here.
        gap = top - row[c] if mass[c] != _ZERO else _ZERO
        total += np.float64(mass[c] * gap)
    return total


@kernel
def _sees_mass(row, top, target, i, weight, ignore_index, smoothing, first, spare):
    gap, total = 0.0, 0.0
    if _ignores(target, i, ignore_index):
        return gap, total
    for start in range(0, row.size, PART):
        part = row[start : start + PART]
        mass = spare[: part.size]
        _fill(mass, target, i, weight, smoothing, first + start)
        gap += _sum_of_gaps(mass, top, part)
        total += total_of(mass)
    return gap, total


@kernel
def _mass_slope_row(row, target, i, weight, smoothing, first, state, spare):
    top, rest, total, scale = state
    share, missing, factor = _FLOAT(total / (1.0 + rest)), total * (rest / (1.0 + rest)), _FLOAT(scale)
    for start in range(0, row.size, PART):
        part = row[start : start + PART]
        mass = spare[: part.size]
        _fill(mass, target, i, weight, smoothing, first + start)
        _scaled_exp_row(part, top, _ONE)
        for c in range(part.size):
            # At the top total * softmax - mass, with 1 - softmax not computed from softmax.
            at_top = _FLOAT((total - mass[c]) - missing)
            part[c] = (at_top if part[c] == _ONE else part[c] * share - mass[c]) * factor


Steps = dict[Any, tuple[Kernel, Kernel]]  # the two steps for each dtype


def _steps(name: str, sees: Kernel, slope_row: Kernel, **parts: Kernel) -> Steps:
    survey = _survey.specialise(f"_{name}_survey64", _sees=sees.specialise(f"_{name}_sees", **parts))
    parts["_slope_row"] = slope_row.specialise(f"_{name}_slope_row", **parts)
    slope = _slope.specialise(f"_{name}_slope64", **parts)
    single = (
        survey.specialise(f"_{name}_survey32", **SINGLE),
        slope.specialise(f"_{name}_slope32", **SINGLE),
    )
    return {FLOAT64: (survey, slope), FLOAT32: single}


_LABEL = _steps("label", _sees_label, _label_slope_row, _ignores=_is_ignored)
_SMOOTHED = _steps("smoothed", _sees_mass, _mass_slope_row, _ignores=_is_ignored, _fill=_fill_smoothed)
_SOFT = _steps("soft", _sees_mass, _mass_slope_row, _ignores=_never_ignored, _fill=_fill_soft)


# ------------------------------------------------------------------------------------------ the blocks
def _plan(tokens: int | None, total: int, classes: int, itemsize: int) -> tuple[int, int]:
    """How many tokens and how many classes a block has; `tokens` if that is given."""
    room = LOGITS_ROOM // itemsize
    if tokens is None:
        tokens = room // classes
        if tokens < min(FEW_TOKENS, total):
            tokens = MANY_TOKENS
        tokens = min(tokens, total)
        tokens = -(-total // -(-total // tokens))  # blocks of about one size
    tokens = min(tokens, total)
    return tokens, max(1, min(classes, room // tokens))


def _blocks(total: int, size: int) -> Iterator[slice]:
    return (slice(start, min(start + size, total)) for start in range(0, total, size))


def _accumulate(a: ndarray, b: ndarray, out: ndarray, first: bool, spare: ndarray) -> None:
    """out += a b, or out = a b if it is the first; NumPy's products cannot add to what is there.

    By blocks of rows, also since BLAS packs all rows of a tall matrix at once.
    """
    columns = b.shape[1]
    for rows in _blocks(len(a), max(1, spare.size // columns)):
        if first:
            np.matmul(a[rows], b, out=out[rows])
        else:
            product = spare[: (rows.stop - rows.start) * columns].reshape(-1, columns)
            np.matmul(a[rows], b, out=product)
            out[rows] += product


def _accumulate_flat(a: ndarray, b: ndarray, out: ndarray, first: bool, spare: ndarray) -> None:
    """`_accumulate` for matrices whose common dimension is by far the longest.

    BLAS's threads wait for each other every few hundred steps along it, and much less if the result is
    stored with its longer side first (measured on a busy machine: 0.12 s instead of 0.5 s).
    """
    rows, columns = out.shape
    if rows >= columns or out.size > spare.size:
        _accumulate(a, b, out, first, spare)
        return
    product = spare[: out.size].reshape(columns, rows)
    np.matmul(b.T, a.T, out=product)
    if first:
        out[...] = product.T
    else:
        out += product.T


Gradients = Sequence[ndarray | None]


@dataclass(frozen=True)
class _Problem:
    """The loss of tokens x, (tokens, features), and a weight and bias whose rows are classes."""

    x: ndarray
    weight: ndarray
    bias: ndarray | None
    target: ndarray  # (tokens,) or (tokens, classes)
    class_weight: ndarray
    ignore_index: int
    smoothing: float
    steps: Steps
    tokens: int | None  # in a block

    def sweep(self, losses: ndarray, scales: ndarray, gradients: Gradients, first: bool) -> None:
        """Fill `losses`, and the gradients that are not None with those of Σ scale loss.

        Unless `first`, the input's gradient is added to.
        """
        total, classes = len(self.x), len(self.weight)
        tokens, width = _plan(self.tokens, total, classes, self.x.itemsize)
        room = np.empty(tokens * width, self.x.dtype)
        columns = max(1, self.x.shape[1])
        spare = np.empty(max(columns, PRODUCT_ROOM // self.x.itemsize), self.x.dtype)
        with np.errstate(all="ignore"):
            for chosen in _blocks(total, tokens):
                self._sweep_tokens(chosen, width, room, spare, losses, scales[chosen], gradients, first)

    def _sweep_tokens(
        self,
        chosen: slice,
        width: int,
        room: ndarray,
        spare: ndarray,
        losses: ndarray,
        scales: ndarray,
        gradients: Gradients,
        first: bool,
    ) -> None:
        survey, slope = self.steps[self.x.dtype]
        x, target = self.x[chosen], flat(self.target[chosen])
        count, classes = len(x), len(self.weight)
        tops, rests = np.full(count, -np.inf), np.full(count, -1.0)
        gaps, masses = np.zeros(count), np.zeros(count)
        options = target, self.class_weight, self.ignore_index, self.smoothing
        for some in _blocks(classes, width):
            logits = self._logits(x, some, room)
            size, bias = logits.size, self._bias(some)
            survey.run(size, logits.ravel(), bias, *options, some.start, tops, rests, gaps, masses)
        # A token without mass has no loss, whatever its logits.
        losses[chosen] = np.where((masses == 0) & (gaps == 0), 0.0, gaps + masses * np.log1p(rests))
        on_x, on_weight, on_bias = gradients
        if on_x is None and on_weight is None and on_bias is None:
            return
        for some in _blocks(classes, width):
            again = width < classes
            logits = self._logits(x, some, room) if again else logits
            bias = self._bias(some) if again else EMPTY[self.x.dtype]
            slope.run(size, logits.ravel(), bias, *options, some.start, tops, rests, masses, scales)
            if on_x is not None:
                _accumulate_flat(logits, self.weight[some], on_x[chosen], first and not some.start, spare)
            if on_weight is not None:
                _accumulate(logits.T, x, on_weight[some], not chosen.start, spare)
            if on_bias is not None:
                on_bias[some] += reductions.sum(logits, 0)

    def _logits(self, x: ndarray, some: slice, room: ndarray) -> ndarray:
        """The products for some classes, without the bias."""
        width = some.stop - some.start
        logits = room[: len(x) * width].reshape(len(x), width)
        np.matmul(x, self.weight[some].T, out=logits)
        note_product(logits.size * x.shape[1])
        return logits

    def _bias(self, some: slice) -> ndarray:
        return EMPTY[self.x.dtype] if self.bias is None else self.bias[some]


@dataclass(frozen=True)
class _Places:
    """A problem for each place of a weight (classes, d1, ..., features); they share the input."""

    input: ndarray
    weight: ndarray
    problems: Sequence[_Problem]
    losses: ndarray  # (tokens, places)

    def sweep(self, scales: ndarray, wanted: Sequence[bool]) -> Gradients:
        """Fill `losses`; the wanted gradients of Σ scale loss, None for the others."""
        shapes = self.input.shape, self.weight.shape, self.weight.shape[:-1]
        dtype, features = self.input.dtype, self.input.shape[-1]
        made = [np.empty(s, dtype) if w else None for s, w in zip(shapes, wanted, strict=True)]
        on_input, on_weight, on_bias = made
        classes, places = len(self.weight), len(self.problems)
        sums = None if on_bias is None else np.zeros((classes, places))
        for k, problem in enumerate(self.problems):
            gradients = (
                None if on_input is None else on_input.reshape(-1, features),
                None if on_weight is None else on_weight.reshape(classes, places, features)[:, k],
                None if sums is None else sums[:, k],
            )
            problem.sweep(self.losses[:, k], scales[:, k], gradients, first=k == 0)
        if on_bias is not None and sums is not None:
            on_bias[...] = sums.reshape(on_bias.shape)
        return made


# -------------------------------------------------------------------------------------- the public one
def linear_cross_entropy(
    input: ndarray,
    linear_weight: ndarray,
    target: ndarray,
    linear_bias: ndarray | None = None,
    weight: ndarray | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    *,
    reduction: str,
    wanted: Sequence[bool],
    tokens: int | None = None,
) -> tuple[ndarray, Callable[[ndarray, bool], Gradients]] | Any:
    """Cross entropy of input linear_weightᵀ + linear_bias, for (tokens, features) or (features,).

    `linear_weight` is (classes, features) or (classes, d1, ..., features), and the target that of
    cross entropy for those logits.  `wanted` says which of the gradients of input, linear_weight and
    linear_bias to compute, `tokens` how many of them to take at a time.

    Gives the value, and a function of the cotangent that gives the gradients; that one is also told
    whether it will be called again.
    """
    dtype, soft = input.dtype, target.dtype.kind == "f"
    classes, *dims, features = linear_weight.shape
    places = math.prod(dims)
    floats = [input, linear_weight, linear_bias, weight, target if soft else None]
    if (
        dtype not in EMPTY
        or any(a is not None and a.dtype != dtype for a in floats)
        or not (input.size and linear_weight.size)
    ):
        return NotImplemented
    x = _blas(input).reshape(-1, features)
    total = len(x)
    # Where all logits take little room, one product for all places is faster.
    if dims and total * classes * places * input.itemsize <= LOGITS_ROOM:
        return NotImplemented
    class_weight: Any = _class_weights(weight, dtype, classes)
    counted = None if soft else target[target != ignore_index]
    if counted is not None and not all(0 <= label < classes for label in _ends(counted)):
        return NotImplemented  # cross entropy says which target is no class
    divisor = float(total * places)
    if counted is not None:
        divisor = float(class_weight[counted].sum(dtype=np.float64))
    targets = target.reshape((total, classes, places) if soft else (total, places))
    weights = _blas(linear_weight).reshape(classes, places, features)
    biases = None if linear_bias is None else linear_bias.reshape(classes, places)
    problems = [
        _Problem(
            x,
            weights[:, k],
            None if biases is None else flat(biases[:, k]),
            targets[..., k],
            class_weight,
            int(ignore_index),
            float(label_smoothing),
            _SOFT if soft else _SMOOTHED if label_smoothing > 0 else _LABEL,
            tokens,
        )
        for k in range(places)
    ]
    losses = np.empty((total, places))
    every = _Places(input, linear_weight, problems, losses)
    if reduction == "none":
        # A product with a saved gradient cannot give each token's cotangent to the weight: once more.
        every.sweep(np.ones(losses.shape), (False, False, False))
        value = losses.reshape(input.shape[:-1] + tuple(dims)).astype(dtype)
        return value, lambda g, keep: every.sweep(g.reshape(losses.shape).astype(np.float64), wanted)
    with np.errstate(all="ignore"):
        scale = np.float64(1) / divisor if reduction == "mean" else 1.0
        gradients = every.sweep(np.full(losses.shape, scale), wanted)
        value = np.asarray(total_of(losses.ravel()) * scale).astype(dtype)
    return value, lambda g, keep: [_scaled(g, a, keep) for a in gradients]


def _blas(a: ndarray) -> ndarray:
    """`a`, or a copy where BLAS does not take its strides."""
    return a if a.flags.forc and a.flags.aligned else np.ascontiguousarray(a)


def _ends(labels: ndarray) -> Sequence[Any]:
    return (labels.min(), labels.max()) if labels.size else ()


def _scaled(g: ndarray, gradient: ndarray | None, keep: bool) -> ndarray | None:
    """The gradient times the cotangent, in place unless it is needed again."""
    if gradient is None or (g == 1 and not keep):
        return gradient
    return np.multiply(gradient, g, out=None if keep else gradient)
