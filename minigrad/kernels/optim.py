"""Optimiser steps in place: one launch of one kernel for all parameters of a group.

The arithmetic is torch's, operation by operation: scalars are computed in double precision and then
rounded to the parameter's type; a product is rounded before it is added exactly where torch rounds
it (`_times`), and fused with the addition elsewhere (the flag ``contract``).  So parameters stay
equal to torch's to the last bits over many steps.
"""

import numpy as np
from numpy import ndarray

from .addresses import BLOCK, SIZE, block_count, plan, plan_row, row_of, vector
from .jit import Kernel, is_compiled_type, kernel, prange

# From this many elements on two threads win over the cost of launching them.
PARALLEL_FROM = 100_000
_LIKE = {dtype: np.empty(0, dtype) for dtype in (np.dtype(np.float32), np.dtype(np.float64))}


@kernel
def _slice(table, row, place, block, like):
    """The part of an array that lies in a block of the plan."""
    start = (block - table[row, -1]) * BLOCK
    address = table[row, place] + start * like.itemsize
    return vector(address, min(BLOCK, table[row, SIZE] - start), like)


@kernel(fastmath=set())
def _times(a, b):
    """A product that is rounded, whatever is added to it."""
    return a * b


@kernel
def _penalised(gradient, param, decay, sign):
    """The gradient to descend: the loss's (or minus it) and the L2 penalty's, decay * param."""
    gradient = _times(sign, gradient)
    return gradient + decay * param if decay != 0 else gradient


# The slices are kernels of their own because they vectorise better than a parallel loop.
@kernel
def _sgd_slice(param, grad, rate, decay, sign):
    real = param.dtype.type
    rate, decay, sign = real(rate), real(decay), real(sign)
    for i in range(param.size):
        param[i] += rate * _penalised(grad[i], param[i], decay, sign)


@kernel(parallel=True, threshold=PARALLEL_FROM)
def _sgd(table, like, rate, decay, sign):
    for block in prange(block_count(table)):
        row = row_of(table, block)
        param, grad = _slice(table, row, 0, block, like), _slice(table, row, 1, block, like)
        _sgd_slice(param, grad, rate, decay, sign)


@kernel
def _momentum_slice(param, grad, buffer, rate, decay, sign, momentum, intake, nesterov, first):
    real = param.dtype.type
    rate, decay, sign = real(rate), real(decay), real(sign)
    momentum, intake = real(momentum), real(intake)
    for i in range(param.size):
        g = _penalised(grad[i], param[i], decay, sign)
        # A first buffer is only written: it need not be filled before.
        b = g if first else _times(momentum, buffer[i]) + intake * g
        buffer[i] = b
        param[i] += rate * (g + momentum * b if nesterov else b)


@kernel(parallel=True, threshold=PARALLEL_FROM)
def _sgd_momentum(table, like, rate, decay, sign, momentum, intake, nesterov, first):
    for block in prange(block_count(table)):
        row = row_of(table, block)
        param, grad = _slice(table, row, 0, block, like), _slice(table, row, 1, block, like)
        buffer = _slice(table, row, 2, block, like)
        _momentum_slice(param, grad, buffer, rate, decay, sign, momentum, intake, nesterov, first)


@kernel
def _peak(peaks, i, v):
    """What stands under the root: v itself, or with AMSGrad the largest v so far."""
    return v


@kernel
def _peak_amsgrad(peaks, i, v):
    # The sum is nan where either is, as torch's maximum is.
    peaks[i] = v if v > peaks[i] else (peaks[i] if peaks[i] >= v else peaks[i] + v)
    return peaks[i]


@kernel
def _adam_slice(
    param, grad, exp_avg, exp_avg_sq, peaks, rate, decay, sign, shrink, w1, beta2, w2, root2, eps
):
    real = param.dtype.type
    rate, decay, sign, shrink = real(rate), real(decay), real(sign), real(shrink)
    w1, beta2, w2, root2, eps = real(w1), real(beta2), real(w2), real(root2), real(eps)
    for i in range(param.size):
        g = _penalised(grad[i], param[i], decay, sign)
        m = exp_avg[i]
        # torch's lerp works from the nearer end.
        near = w1 < real(0.5)
        m = (m if near else g) + (w1 if near else w1 - real(1)) * (g - m)
        v = _times(beta2, exp_avg_sq[i]) + _times(w2, g) * g
        exp_avg[i], exp_avg_sq[i] = m, v
        denominator = np.sqrt(_peak(peaks, i, v)) / root2 + eps
        param[i] = _times(shrink, param[i]) + _times(rate, m) / denominator


@kernel(fastmath=set())
def _grow_older(table, rate, beta1, beta2):
    """Count a step for each row; its learning rate and the root's divisor, free of the bias towards zero."""
    rates, roots = np.empty(table.shape[0]), np.empty(table.shape[0])
    known = 0.0
    corrected, root = rate, 1.0
    for row in range(table.shape[0]):
        count = vector(table[row, STEP], 1, _LIKE_COUNT)
        count[0] += np.float32(1)
        if count[0] != known:  # the parameters of a group have mostly one age
            known = float(count[0])
            corrected, root = rate / (1 - beta1**known), np.sqrt(1 - beta2**known)
        rates[row], roots[row] = corrected, root
    return rates, roots


@kernel(parallel=True, threshold=PARALLEL_FROM)
def _adam(table, like, rate, decay, sign, shrink, beta1, beta2, eps):
    rates, roots = _grow_older(table, rate, beta1, beta2)
    for block in prange(block_count(table)):
        row = row_of(table, block)
        param, grad = _slice(table, row, 0, block, like), _slice(table, row, 1, block, like)
        m, v = _slice(table, row, 3, block, like), _slice(table, row, 4, block, like)
        peaks = _slice(table, row, PEAKS, block, like)
        _adam_slice(
            param,
            grad,
            m,
            v,
            peaks,
            rates[row],
            decay,
            sign,
            shrink,
            1 - beta1,
            beta2,
            1 - beta2,
            roots[row],
            eps,
        )


# The places of the step counts, and of the largest second moments (without AMSGrad the second moments).
STEP, PEAKS = 2, 4
_LIKE_COUNT = np.empty(0, np.float32)
_amsgrad = _adam.specialise("_amsgrad", _peak=_peak_amsgrad, PEAKS=5)


@kernel(parallel=True, threshold=PARALLEL_FROM)
def _zero(table, like):
    for block in prange(block_count(table)):
        array = _slice(table, row_of(table, block), 0, block, like)
        for i in range(array.size):
            array[i] = 0


def _step(kern: Kernel, arrays: list[ndarray], width: int, options: tuple, count: int = -1) -> None:
    """Run `kern` on rows of `width` arrays: a parameter, its gradient and its state."""
    if not arrays:
        return
    if len(arrays) % width:  # the kernels trust the table
        raise ValueError(
            f"the step takes {width} arrays for each parameter, but there are {len(arrays)} in all"
        )
    table, size = plan(arrays, width, count)
    if size < 0:
        for start in range(0, len(arrays), width):
            _step_copies(kern, arrays[start : start + width], options, count)
    elif size >= PARALLEL_FROM and len(set(map(id, arrays[::width]))) * width < len(arrays):
        kern(table, _LIKE[arrays[0].dtype], *options)  # a parameter listed twice is for one thread
    else:
        kern.run(size, table, _LIKE[arrays[0].dtype], *options)


def _step_copies(kern: Kernel, arrays: list[ndarray], options: tuple, count: int) -> None:
    """The step for one row; arrays of other dtypes or not contiguous are copied, and written back.

    Raises:
        TypeError, RuntimeError: the dtype is not compiled for, the shapes differ.
    """
    param = arrays[0]
    if not is_compiled_type(param.dtype):
        raise TypeError(f"optimisers step float32 and float64 parameters, not {param.dtype}")
    fitting = []
    for place, array in enumerate(arrays):
        if place != count and array.shape != param.shape:
            raise RuntimeError(
                f"The shape of the parameter, {param.shape}, must be that of its gradient and of the "
                f"optimiser's state, but one of them has {array.shape}. If the parameter has been "
                "replaced, make a new optimiser."
            )
        dtype = param.dtype if place != count else np.float32
        fitting.append(np.require(array, dtype, ("C", "A", "W")))
    kern.run(param.size, plan_row(fitting), _LIKE[param.dtype], *options)
    for place, (array, fit) in enumerate(zip(arrays, fitting, strict=True)):
        if fit is not array and place != 1:
            array[...] = fit


def sgd_step(
    arrays: list[ndarray],
    lr: float,
    momentum: float = 0.0,
    dampening: float = 0.0,
    weight_decay: float = 0.0,
    nesterov: bool = False,
    maximize: bool = False,
    first: bool = False,
) -> None:
    """One step of stochastic gradient descent, in place, on several parameters.

    `arrays` holds for each parameter itself, its gradient and, with `momentum`, its buffer.

    g = grad + weight_decay param; buffer = momentum buffer + (1 - dampening) g, or g in the `first`
    step; param -= lr buffer, with `nesterov` lr (g + momentum buffer), without momentum lr g.
    `maximize` reverses grad.  The arrays of a parameter are of one type, float32 or float64, and any layout.
    """
    # Floats all: a kernel is compiled once more for integers.
    options = -float(lr), float(weight_decay), -1.0 if maximize else 1.0
    if momentum:
        momenta = float(momentum), 1.0 - dampening, bool(nesterov), bool(first)
        _step(_sgd_momentum, arrays, 3, options + momenta)
    else:
        _step(_sgd, arrays, 2, options)


def adam_step(
    arrays: list[ndarray],
    *,
    lr: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    maximize: bool = False,
    decoupled: bool = False,
    amsgrad: bool = False,
) -> None:
    """One step of Adam or AdamW, in place, on several parameters.

    `arrays` holds for each parameter itself, its gradient, its count of steps (a float32 scalar, to which one
    is added), exp_avg, exp_avg_sq and, with `amsgrad`, max_exp_avg_sq.

    m = lerp(m, g, 1 - beta1); v = beta2 v + (1 - beta2) g**2; then
    param -= lr / (1 - beta1**step) m / (sqrt(v / (1 - beta2**step)) + eps), where AMSGrad takes the
    largest v so far.  AdamW first multiplies param by 1 - lr weight_decay, Adam adds weight_decay
    param to the gradient.  The arrays of a parameter are of one type, float32 or float64, and any layout.

    Source: Kingma and Ba 2015; Reddi et al. 2018 (AMSGrad); Loshchilov and Hutter 2019 (AdamW).
    """
    options = (
        -float(lr),
        0.0 if decoupled else float(weight_decay),
        -1.0 if maximize else 1.0,
        1.0 - lr * weight_decay if decoupled else 1.0,
        float(beta1),
        float(beta2),
        float(eps),
    )
    if amsgrad:
        _step(_amsgrad, arrays, 6, options, STEP)
    else:
        _step(_adam, arrays, 5, options, STEP)


def fill_with_zeros(arrays: list[ndarray]) -> None:
    """Set all elements of all arrays to zero."""
    if arrays:
        table, size = plan(arrays, 1)
        if size < 0:
            for array in arrays:
                array.fill(0)
        else:
            _zero.run(size, table, _LIKE[arrays[0].dtype])
