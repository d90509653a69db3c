"""Connectionist temporal classification: the recursions over the frames, forward and backward.

Probabilities of long sequences are far below the smallest float64, so each is kept as m 2**e, an m in
[1, 2) and an integer e of its own.  So the recursions need no logarithm: they add and multiply.

The states of a frame are two rows, of blanks and of labels.  Label i, from 1 on, stands between the
blanks i - 1 and i; the places before the first and behind the last label hold zeros.
"""

# The types of a kernel's arguments are inferred when it is compiled.
# mypy: allow-untyped-defs, no-check-untyped-defs

import math

import numpy as np
from numpy import ndarray

from .jit import flat, kernel, prange
from .losses_launch import EMPTY
from .losses_pointwise import Result, total_of
from .math import exp, split

# From this many states times frames on two threads win over the cost of launching them.
PARALLEL_FROM = 3_000
# A log-probability below this one is taken for log(0).
LOWEST = -1e11
# The exponent of zero: its sums with others do not overflow, and 2**22 frames do not reach it.
_ZERO = np.int64(-(2**61))
_IMPOSSIBLE = np.int64(-(2**60))
_LOG_ZERO = -1e30
# Losses below are computed by logarithms, which keep the digits of what is lacking to one.
_SMALL = 1e-3

_BIAS, _MANTISSA_BITS = np.int64(1023), np.int64(52)
_MANTISSA, _EXPONENT, _ONE = np.int64(2**52 - 1), np.int64(0x7FF << 52), np.int64(1023 << 52)


# ------------------------------------------------------------------------------- numbers m 2**e
@kernel
def _scaled(m, e):
    """m 2**e for e < 1024; 0 where 2**e is below 2**-1022."""
    e = e if e > -_BIAS else -_BIAS
    return m * np.int64((e + _BIAS) << _MANTISSA_BITS).view(np.float64)


@kernel
def _add(m, e, n, f):
    """m 2**e + n 2**f; its m is not brought to [1, 2)."""
    d = e - f
    return (m + _scaled(n, -d) if d > 0 else n + _scaled(m, d)), (e if d > 0 else f)


@kernel
def _normal(x, e):
    """The m and e of x 2**e, for a normal and positive x."""
    bits = np.float64(x).view(np.int64)
    e = e + (((bits & _EXPONENT) >> _MANTISSA_BITS) - _BIAS)
    return np.int64((bits & _MANTISSA) | _ONE).view(np.float64), (e if e > _ZERO else _ZERO)


# --------------------------------------------------------------------------------- the recursions
@kernel
def _jumps(symbols, jump):
    """Fill the exponents of 1 where a label may follow the label before it at once, else of 0."""
    for i in range(jump.size):
        jump[i] = 0 if 1 < i < symbols.size and symbols[i] != symbols[i - 1] else _ZERO


@kernel
def _emissions(x, n, symbols, p, q):
    """Fill the probabilities of the blank and the labels, frame by frame, and a zero behind them.

    Gives 0, but nan where one of them is nan or infinity.
    """
    place, poison = 0, 0.0
    for t in range(x.shape[0]):
        for i in range(symbols.size):
            value = np.float64(x[t, n, symbols[i]])
            p[place] = value
            poison += 0.0 if value < LOWEST else value - value
            place += 1
        p[place] = -np.inf
        place += 1
    for i in range(p.size):
        impossible = p[i] < LOWEST
        exponent, r = split(0.0 if impossible else p[i])
        p[i] = exp(r)
        q[i] = _ZERO if impossible else exponent
    return poison


@kernel
def _start(m, e, place):
    """Nothing but one blank: the first before all frames, the last behind them."""
    for i in range(m.shape[1]):
        m[0, i] = m[1, i] = 1.0
        e[0, i] = e[1, i] = _ZERO
    e[0, place] = 0


@kernel
def _advance(m, e, here, there, p, q, t, jump):
    """From row `here` to row `there` of the states m 2**e, by frame t with the probabilities p 2**q."""
    for i in range(jump.size - 1):
        x, f = _add(m[here, 0, i], e[here, 0, i], m[here, 1, i], e[here, 1, i])
        m[there, 0, i], e[there, 0, i] = _normal(x * p[t, 0], f + q[t, 0])
        x, f = _add(m[here, 1, i + 1], e[here, 1, i + 1], m[here, 0, i], e[here, 0, i])
        x, f = _add(x, f, m[here, 1, i], e[here, 1, i] + jump[i + 1])
        m[there, 1, i + 1], e[there, 1, i + 1] = _normal(x * p[t, i + 1], f + q[t, i + 1])
    m[there, 1, 0], e[there, 1, 0] = 1.0, _ZERO


@kernel
def _retreat(after_m, after_e, m, e, p, q, t, jump, total, exponent, states):
    """Take frame t into `after`, which is all that follows, and fill the posterior of each state."""
    share = 1.0 / total
    for i in range(jump.size - 1):
        x, f = _add(after_m[0, i], after_e[0, i], after_m[1, i + 1], after_e[1, i + 1])
        y, g = _add(after_m[0, i], after_e[0, i], after_m[1, i], after_e[1, i])
        y, g = _add(y, g, after_m[1, i + 1], after_e[1, i + 1] + jump[i + 1])
        states[0, i] = share * _scaled(x * m[t + 1, 0, i], f + e[t + 1, 0, i] - exponent)
        states[1, i] = share * _scaled(y * m[t + 1, 1, i], g + e[t + 1, 1, i] - exponent)
        after_m[0, i], after_e[0, i] = _normal(x * p[t, 0], f + q[t, 0])
        after_m[1, i], after_e[1, i] = _normal(y * p[t, i], g + q[t, i])


@kernel
def _log_add(a, b):
    top, low = (a if a > b else b), (b if a > b else a)
    return top + math.log1p(math.exp(low - top))


@kernel
def _log_forward(x, n, frames, symbols):
    """The log of the probability of the targets: slower, but as accurate where it is near 0."""
    last = 2 * symbols.size - 2
    states = np.empty(last + 2)  # the last place is what is before the first
    for s in range(states.size):
        states[s] = _LOG_ZERO
    states[0] = 0.0
    for t in range(frames):
        for s in range(last, -1, -1):
            label = symbols[(s + 1) // 2] if s % 2 else symbols[0]
            total = _log_add(states[s], states[s - 1])
            if s % 2 and s > 1 and label != symbols[s // 2]:
                total = _log_add(total, states[s - 2])
            states[s] = total + max(np.float64(x[t, n, label]), _LOG_ZERO)
    return states[0] if last == 0 else _log_add(states[last], states[last - 1])


# ------------------------------------------------------------------------------------ the gradient
@kernel
def _differences(row, counts, share, out):
    for c in range(row.size):
        out[c] = share * (exp(np.float64(row[c])) - counts[c])


@kernel
def _slopes(row, symbols, states, counts, share, exact, out):
    """Each class's probability (unless `exact`) less its posterior, times `share`.

    `counts` comes and goes filled with zeros.
    """
    blanks = total_of(states[0])
    counts[symbols[0]] = blanks
    likely = symbols[0] if blanks > 0.5 else -1
    for i in range(1, symbols.size):
        label = symbols[i]
        count = counts[label] + states[1, i]
        counts[label] = count
        likely = label if count > 0.5 else likely
    if exact:
        for c in range(row.size):
            out[c] = -share * counts[c]
    else:
        _differences(row, counts, share, out)
        if likely >= 0:
            # The difference of two numbers near one keeps few digits; what they lack to one keeps all.
            others = 0.0 if likely == symbols[0] else blanks
            for i in range(1, symbols.size):
                others += 0.0 if symbols[i] == likely else states[1, i]
            out[likely] = share * (math.expm1(np.float64(row[likely])) + others)
    for i in range(symbols.size):
        counts[symbols[i]] = 0.0


@kernel
def _sample(x, n, symbols, share, exact, slopes):
    """The loss of sample `n`, infinite if its targets are impossible, and its slopes if wanted.

    `x` and `slopes` are as long as the sample.
    """
    frames, last, width = x.shape[0], symbols.size - 1, symbols.size + 1
    jump, p, q = np.empty(width, np.int64), np.empty((frames, width)), np.empty((frames, width), np.int64)
    _jumps(symbols, jump)
    poison = _emissions(x, n, symbols, p.reshape(-1), q.reshape(-1))
    # The states before each frame and after the last; without gradient two rows in turns.
    rows = frames + 1 if slopes.size else 2
    m, e = np.empty((rows, 2, width)), np.empty((rows, 2, width), np.int64)
    _start(m[0], e[0], 0)
    for t in range(frames):
        _advance(m, e, t % rows, (t + 1) % rows, p, q, t, jump)
    end = frames % rows
    total, exponent = _add(m[end, 0, last], e[end, 0, last], m[end, 1, last], e[end, 1, last])
    total += poison
    loss = -(math.log(total) + exponent * math.log(2.0))
    if abs(loss) < _SMALL:
        loss = -_log_forward(x, n, frames, symbols)
    if exponent < _IMPOSSIBLE:
        _clear(slopes, n, 0)
        return np.inf
    if slopes.size:
        states, counts = np.empty((2, width - 1)), np.zeros(x.shape[2])
        after_m, after_e = np.empty((2, width)), np.empty((2, width), np.int64)
        _start(after_m, after_e, last)
        for t in range(frames - 1, -1, -1):
            _retreat(after_m, after_e, m, e, p, q, t, jump, total, exponent, states)
            _slopes(x[t, n], symbols, states, counts, share, exact, slopes[t, n])
    return loss


@kernel
def _clear(slopes, n, start):
    for t in range(start, slopes.shape[0]):
        for c in range(slopes.shape[2]):
            slopes[t, n, c] = 0.0


@kernel(parallel=True, threshold=PARALLEL_FROM)
def _sweep(x, targets, frames, lengths, blank, zero_infinity, exact, mean, losses, slopes, total):
    """Fill `losses`, and `slopes` where they are wanted (not empty), and their sum or mean `total`."""
    samples = x.shape[1]
    shares = np.empty(samples)
    for i in prange(samples):
        n = np.int64(i)  # or all would be compiled once more, for the unsigned index of a parallel loop
        symbols = np.empty(lengths[n] + 1, np.int64)
        symbols[0] = blank
        for k in range(lengths[n]):
            symbols[k + 1] = targets[n, k]
        share = 1.0 / (samples * max(lengths[n], 1)) if mean else 1.0
        own = slopes[: frames[n]]
        loss = _sample(x[: frames[n]], n, symbols, share, exact, own)
        _clear(slopes, n, frames[n])
        loss = 0.0 if zero_infinity and loss == np.inf else loss
        losses[n] = loss
        shares[n] = loss * share
    total[()] = total_of(shares)


_NO_SLOPES = {dtype: empty.reshape(0, 0, 0) for dtype, empty in EMPTY.items()}


def ctc(
    log_probs: ndarray,
    targets: ndarray,
    input_lengths: ndarray,
    target_lengths: ndarray,
    blank: int = 0,
    zero_infinity: bool = False,
    *,
    reduction: str,
    exact: bool,
    grad: bool,
) -> Result:
    """-log p(targets), over all alignments, for log-probabilities (frames, samples, classes).

    Or (frames, classes) for one sample.  The targets are int64 (samples, labels); those within
    `target_lengths` are classes other than the blank.  "mean" divides each loss by its number of labels.
    The gradient is that to logits whose log-softmax `log_probs` is; with `exact` that to `log_probs`.
    """
    dtype, shape = log_probs.dtype, log_probs.shape
    if dtype not in EMPTY:
        return NotImplemented
    frames, samples, classes = shape if len(shape) == 3 else (shape[0], 1, shape[1])
    x = flat(log_probs).reshape(frames, samples, classes)
    losses, total, slopes = np.empty(samples, dtype), np.empty((), dtype), _NO_SLOPES[dtype]
    gradient = None
    if grad:
        gradient = np.empty(shape, dtype)
        slopes = gradient.reshape(x.shape)
    options = int(blank), bool(zero_infinity), bool(exact), reduction == "mean"
    work = frames * samples * (2 * targets.shape[1] + 1)
    _sweep.run(work, x, targets, input_lengths, target_lengths, *options, losses, slopes, total)
    if reduction == "none":
        return losses.reshape(shape[1:-1]), gradient
    return total, gradient
