"""Optimiser steps in place: one fused kernel per parameter and step.

The arithmetic is torch's, operation by operation: scalars are computed in double precision and then
rounded to the parameter's type; a product is rounded before it is added exactly where torch rounds
it (`_times`), and fused with the addition elsewhere (the flag ``contract``).  So parameters stay
equal to torch's to the last bits over many steps.
"""

import math
from typing import Any

import numpy as np
from numpy import ndarray

from .jit import Kernel, flat, is_compiled_type, kernel, prange

# From this many elements on two threads win over the cost of launching them.
SGD_PARALLEL_FROM, ADAM_PARALLEL_FROM = 200_000, 100_000
# Elements of a slice for one thread.
BLOCK = 4096


@kernel(fastmath=set())
def _times(a, b):
    """A product that is rounded, whatever is added to it."""
    return a * b


@kernel
def _penalised(gradient, param, decay, sign):
    """The gradient to descend: the loss's (or minus it) and the L2 penalty's, decay * param."""
    gradient = _times(sign, gradient)
    return gradient + decay * param if decay != 0 else gradient


@kernel(parallel=True, threshold=SGD_PARALLEL_FROM)
def _sgd(param, grad, rate, decay, sign):
    real = param.dtype.type
    rate, decay, sign = real(rate), real(decay), real(sign)
    for i in prange(param.size):
        param[i] += rate * _penalised(grad[i], param[i], decay, sign)


@kernel(parallel=True, threshold=SGD_PARALLEL_FROM)
def _sgd_momentum(param, grad, buffer, rate, decay, sign, momentum, intake, nesterov, first):
    real = param.dtype.type
    rate, decay, sign = real(rate), real(decay), real(sign)
    momentum, intake = real(momentum), real(intake)
    for i in prange(param.size):
        g = _penalised(grad[i], param[i], decay, sign)
        # A first buffer is only written: it need not be filled before.
        b = g if first else _times(momentum, buffer[i]) + intake * g
        buffer[i] = b
        param[i] += rate * (g + momentum * b if nesterov else b)


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


@kernel(parallel=True, threshold=ADAM_PARALLEL_FROM)
def _adam(param, grad, exp_avg, exp_avg_sq, peaks, rate, decay, sign, shrink, w1, beta2, w2, root2, eps):
    # The slices are a kernel of their own because it vectorises better than a parallel loop.
    for block in prange((param.size + BLOCK - 1) // BLOCK):
        i, j = block * BLOCK, min(param.size, (block + 1) * BLOCK)
        p, g, m, v, peak = param[i:j], grad[i:j], exp_avg[i:j], exp_avg_sq[i:j], peaks[i:j]
        _adam_slice(p, g, m, v, peak, rate, decay, sign, shrink, w1, beta2, w2, root2, eps)


_amsgrad = _adam.specialise("_amsgrad", _peak=_peak_amsgrad)


class Flats:
    """A parameter and its optimiser state as vectors, made once for all steps on the same arrays."""

    __slots__ = ("arrays", "copied", "identity", "no_peaks", "vectors")

    def __init__(self, *arrays: ndarray) -> None:
        param = arrays[0]
        if not is_compiled_type(param.dtype):
            raise TypeError(f"optimisers step float32 and float64 parameters, not {param.dtype}")
        for array in arrays:
            _check_shape(array, param)
        self.arrays = arrays
        self.identity = tuple(map(id, arrays))  # they stay alive here, so no other array has these
        self.vectors = [flat(array) for array in arrays]
        # A strided array has no flat view: the kernel works on a copy, which is written back.
        self.copied = any(vector.base is None for vector in self.vectors)
        self.no_peaks = np.empty(0, param.dtype)

    def step(self, kern: Kernel, grad: ndarray, *options: Any) -> None:
        """Run `kern` on the parameter, its gradient and its state."""
        param = self.arrays[0]
        if grad.shape != param.shape:
            _check_shape(grad, param)
        if grad.dtype is not param.dtype:
            grad = grad.astype(param.dtype)
        if self.copied:
            self.vectors = [flat(array) for array in self.arrays]
        first = self.vectors[0]
        kern.run(first.size, first, flat(grad), *self.vectors[1:], *options)
        if self.copied:
            for array, vector in zip(self.arrays, self.vectors, strict=True):
                if vector.base is None:
                    array[...] = vector.reshape(array.shape)


def _check_shape(array: ndarray, param: ndarray) -> None:
    if array.shape != param.shape:
        raise RuntimeError(
            f"The shape of the parameter, {param.shape}, must be that of its gradient and of the "
            f"optimiser's state, but one of them has {array.shape}. If the parameter has been "
            "replaced, make a new optimiser."
        )


def sgd_step(
    flats: Flats,
    grad: ndarray,
    *,
    lr: float,
    momentum: float = 0.0,
    dampening: float = 0.0,
    weight_decay: float = 0.0,
    nesterov: bool = False,
    maximize: bool = False,
    first: bool = False,
) -> None:
    """One step of stochastic gradient descent, in place, on a parameter (and its momentum buffer).

    g = grad + weight_decay param; buffer = momentum buffer + (1 - dampening) g, or g in the `first`
    step; param -= lr buffer, with `nesterov` lr (g + momentum buffer), without momentum lr g.
    `maximize` reverses grad.  All arrays are of one type, float32 or float64, and any layout.
    """
    # Floats all: a kernel is compiled once more for integers.
    options = -float(lr), float(weight_decay), -1.0 if maximize else 1.0
    if momentum:
        momenta = float(momentum), 1.0 - dampening, bool(nesterov), bool(first)
        flats.step(_sgd_momentum, grad, *options, *momenta)
    else:
        flats.step(_sgd, grad, *options)


def adam_options(
    step: float,
    *,
    lr: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    maximize: bool = False,
    decoupled: bool = False,
) -> tuple[float, ...]:
    """What `adam_step` needs in step number `step` (from 1), the same for all parameters of a group."""
    return (
        -lr / (1 - beta1**step),
        0.0 if decoupled else float(weight_decay),
        -1.0 if maximize else 1.0,
        1.0 - lr * weight_decay if decoupled else 1.0,
        1.0 - beta1,
        float(beta2),
        1.0 - beta2,
        math.sqrt(1 - beta2**step),
        float(eps),
    )


def adam_step(flats: Flats, grad: ndarray, options: tuple[float, ...], amsgrad: bool = False) -> None:
    """One step of Adam or AdamW, in place, on a parameter, exp_avg, exp_avg_sq (and max_exp_avg_sq).

    m = lerp(m, g, 1 - beta1); v = beta2 v + (1 - beta2) g**2; then
    param -= lr / (1 - beta1**step) m / (sqrt(v / (1 - beta2**step)) + eps), where AMSGrad takes the
    largest v so far.  AdamW first multiplies param by 1 - lr weight_decay, Adam adds weight_decay
    param to the gradient.  All arrays are of one type, float32 or float64, and any layout.

    Source: Kingma and Ba 2015; Reddi et al. 2018 (AMSGrad); Loshchilov and Hutter 2019 (AdamW).
    """
    if amsgrad:
        flats.step(_amsgrad, grad, *options)
    else:
        flats.step(_adam, grad, flats.no_peaks, *options)
