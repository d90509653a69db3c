"""What can be computed with a tensor, as methods and operators: names only, the operations are in `ops`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.autograd.op import NotAnOperand, sum_to
from minigrad.autograd.tape import Variable
from minigrad.ops import (
    activation,
    comparison,
    decompositions,
    elementwise,
    fill,
    indexing,
    inplace,
    linalg,
    moments,
    products,
    reduction,
    softmax,
)
from minigrad.ops import shape as shapes


def _operator(op: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    """The method of a binary operator; what is no operand may have a reflected operator of its own."""

    def method(self: Any, other: Any) -> Any:
        try:
            return op(self, other)
        except NotAnOperand:
            return NotImplemented

    return method


def _reflected(op: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    """The method of the reflected operator."""

    def method(self: Any, other: Any) -> Any:
        try:
            return op(other, self)
        except NotAnOperand:
            return NotImplemented

    return method


def _comparable(other: Any) -> bool:
    return isinstance(other, (Variable, ndarray, np.generic, bool, int, float))


class Methods(Variable):
    """The operations of a tensor, one line each."""

    __slots__ = ()

    def __getitem__(self, index: Any) -> Any:
        return indexing.getitem(self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        inplace.setitem(self, index, value)

    # ---------------------------------------------------------------------------------- operators
    __add__ = _operator(elementwise.add)
    __radd__ = __add__
    __sub__ = _operator(elementwise.sub)
    __rsub__ = _reflected(elementwise.sub)
    __mul__ = _operator(elementwise.mul)
    __rmul__ = __mul__
    __truediv__ = _operator(elementwise.div)
    __rtruediv__ = _reflected(elementwise.div)
    __floordiv__ = _operator(elementwise.floor_divide)
    __rfloordiv__ = _reflected(elementwise.floor_divide)
    __mod__ = _operator(elementwise.remainder)
    __rmod__ = _reflected(elementwise.remainder)
    __pow__ = _operator(elementwise.pow)
    __rpow__ = _reflected(elementwise.pow)
    __matmul__ = _operator(linalg.matmul)
    __rmatmul__ = _reflected(linalg.matmul)

    def __neg__(self) -> Any:
        return elementwise.neg(self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return elementwise.abs(self)

    def __invert__(self) -> Any:
        return comparison.bitwise_not(self)

    __and__ = _operator(comparison.bitwise_and)
    __rand__ = __and__
    __or__ = _operator(comparison.bitwise_or)
    __ror__ = __or__
    __xor__ = _operator(comparison.bitwise_xor)
    __rxor__ = __xor__

    def __eq__(self, other: Any) -> Any:
        return comparison.eq(self, other) if _comparable(other) else NotImplemented

    def __ne__(self, other: Any) -> Any:
        return comparison.ne(self, other) if _comparable(other) else NotImplemented

    __lt__ = _operator(comparison.lt)
    __le__ = _operator(comparison.le)
    __gt__ = _operator(comparison.gt)
    __ge__ = _operator(comparison.ge)

    def __iadd__(self, other: Any) -> Any:
        return inplace.update(self, elementwise.add, other)

    def __isub__(self, other: Any) -> Any:
        return inplace.update(self, elementwise.sub, other)

    def __imul__(self, other: Any) -> Any:
        return inplace.update(self, elementwise.mul, other)

    def __itruediv__(self, other: Any) -> Any:
        return inplace.update(self, elementwise.div, other)

    def __ifloordiv__(self, other: Any) -> Any:
        return inplace.update(self, elementwise.floor_divide, other)

    def __imod__(self, other: Any) -> Any:
        return inplace.update(self, elementwise.remainder, other)

    def __ipow__(self, other: Any) -> Any:
        return inplace.update(self, elementwise.pow, other)

    def __iand__(self, other: Any) -> Any:
        return inplace.update(self, comparison.bitwise_and, other)

    def __ior__(self, other: Any) -> Any:
        return inplace.update(self, comparison.bitwise_or, other)

    def __ixor__(self, other: Any) -> Any:
        return inplace.update(self, comparison.bitwise_xor, other)

    # ------------------------------------------------------------------- operations, by their family
    add = elementwise.add_scaled
    sub = elementwise.sub_scaled
    mul = multiply = elementwise.mul
    div = divide = true_divide = elementwise.div
    floor_divide = elementwise.floor_divide
    remainder = elementwise.remainder
    neg = negative = elementwise.neg
    pow = elementwise.pow
    exp, expm1 = elementwise.exp, elementwise.expm1
    log, log2, log10, log1p = elementwise.log, elementwise.log2, elementwise.log10, elementwise.log1p
    sqrt, rsqrt, square = elementwise.sqrt, elementwise.rsqrt, elementwise.square
    reciprocal, xlogy = elementwise.reciprocal, elementwise.xlogy
    sin, cos = elementwise.sin, elementwise.cos
    abs, sign = elementwise.abs, elementwise.sign
    maximum, minimum = elementwise.maximum, elementwise.minimum
    clamp = clip = elementwise.clamp
    floor, ceil, trunc, round = (
        elementwise.floor,
        elementwise.ceil,
        elementwise.trunc,
        elementwise.round,
    )
    eq, ne, lt, le = comparison.eq, comparison.ne, comparison.lt, comparison.le
    gt, ge = comparison.gt, comparison.ge
    logical_and, logical_or = comparison.logical_and, comparison.logical_or
    logical_xor, logical_not = comparison.logical_xor, comparison.logical_not
    isnan, isinf, isfinite = comparison.isnan, comparison.isinf, comparison.isfinite
    allclose, equal, isclose = comparison.allclose, comparison.equal, comparison.isclose

    sigmoid, tanh, relu = activation.sigmoid, activation.tanh, activation.relu
    softmax, log_softmax, logsumexp = softmax.softmax, softmax.log_softmax, softmax.logsumexp

    sum, mean, prod = reduction.sum, reduction.mean, reduction.prod
    max, min, amax, amin = reduction.max, reduction.min, reduction.amax, reduction.amin
    argmax, argmin = reduction.argmax, reduction.argmin
    var, std, norm = moments.var, moments.std, reduction.norm
    any, all = reduction.any, reduction.all

    reshape, view, flatten = shapes.reshape, shapes.view, shapes.flatten
    permute, transpose, t = shapes.permute, shapes.transpose, shapes.t
    squeeze, unsqueeze, expand = shapes.squeeze, shapes.unsqueeze, shapes.expand
    split, chunk, unbind, narrow = shapes.split, shapes.chunk, shapes.unbind, shapes.narrow
    clone = shapes.clone

    gather, masked_fill = indexing.gather, indexing.masked_fill
    matmul, mm, dot = linalg.matmul, linalg.mm, linalg.dot
    bmm, mv, outer, ger = products.bmm, products.mv, products.outer, products.outer
    inner, vdot, kron, cross = products.inner, products.vdot, products.kron, products.cross
    addmm, addmv, addr = products.addmm, products.addmv, products.addr
    addbmm, baddbmm = products.addbmm, products.baddbmm
    det, slogdet, logdet = decompositions.det, decompositions.slogdet, decompositions.logdet
    inverse, pinverse = decompositions.inverse, decompositions.pinv
    matrix_power = decompositions.matrix_power

    # ----------------------------------------------------------------------------- in-place twins
    add_, sub_ = inplace.twin(elementwise.add_scaled), inplace.twin(elementwise.sub_scaled)
    mul_, div_, pow_ = (inplace.twin(op) for op in (elementwise.mul, elementwise.div, elementwise.pow))
    neg_, abs_, exp_, log_, sqrt_ = (
        inplace.twin(op)
        for op in (
            elementwise.neg,
            elementwise.abs,
            elementwise.exp,
            elementwise.log,
            elementwise.sqrt,
        )
    )
    clamp_, round_ = inplace.twin(elementwise.clamp), inplace.twin(elementwise.round)
    sigmoid_, tanh_, relu_ = (
        inplace.twin(op) for op in (activation.sigmoid, activation.tanh, activation.relu)
    )
    masked_fill_ = inplace.twin(indexing.masked_fill)
    addmm_, addmv_, addr_, addbmm_, baddbmm_ = (
        inplace.twin(op)
        for op in (products.addmm, products.addmv, products.addr, products.addbmm, products.baddbmm)
    )
    copy_, fill_ = inplace.assign, inplace.fill
    uniform_, normal_, bernoulli_, random_ = fill.uniform_, fill.normal_, fill.bernoulli_, fill.random_

    def zero_(self) -> Any:
        """Fill with zeros."""
        return inplace.assign(self, 0, "ZeroBackward0")

    def view_as(self, other: Any) -> Any:
        """`view` in the shape of `other`."""
        return shapes.view(self, other._array.shape)

    def reshape_as(self, other: Any) -> Any:
        """`reshape` to the shape of `other`."""
        return shapes.reshape(self, other._array.shape)

    def expand_as(self, other: Any) -> Any:
        """`expand` to the shape of `other`."""
        return shapes.expand(self, other._array.shape)

    def sum_to_size(self, *size: Any) -> Any:
        """Sum out the dimensions that broadcasting from `size` to this shape would repeat."""
        return sum_to(self, shape=shapes.sizes_from(size))
