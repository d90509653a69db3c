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
    bits,
    combination,
    comparison,
    counting,
    cumulative,
    decompositions,
    elementwise,
    fill,
    indexing,
    inplace,
    joining,
    limits,
    linalg,
    logarithms,
    making,
    moments,
    piecewise,
    products,
    quantiles,
    rearranging,
    reduction,
    rounding,
    scattering,
    selecting,
    softmax,
    sorting,
    special,
    statistics,
    trigonometry,
    writing,
)
from minigrad.ops import diagonal as diagonals
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
    __floordiv__ = _operator(rounding.floor_divide)
    __rfloordiv__ = _reflected(rounding.floor_divide)
    __mod__ = _operator(rounding.remainder)
    __rmod__ = _reflected(rounding.remainder)
    __pow__ = _operator(elementwise.pow)
    __rpow__ = _reflected(elementwise.pow)
    __matmul__ = _operator(linalg.matmul)
    __rmatmul__ = _reflected(linalg.matmul)

    def __neg__(self) -> Any:
        return elementwise.neg(self)

    def __pos__(self) -> Any:
        return elementwise.positive(self)

    def __abs__(self) -> Any:
        return elementwise.abs(self)

    def __invert__(self) -> Any:
        return bits.bitwise_not(self)

    __and__ = _operator(bits.bitwise_and)
    __rand__ = __and__
    __or__ = _operator(bits.bitwise_or)
    __ror__ = __or__
    __xor__ = _operator(bits.bitwise_xor)
    __rxor__ = __xor__
    __lshift__ = _operator(bits.bitwise_left_shift)
    __rlshift__ = _reflected(bits.bitwise_left_shift)
    __rshift__ = _operator(bits.bitwise_right_shift)
    __rrshift__ = _reflected(bits.bitwise_right_shift)

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
        return inplace.update(self, rounding.floor_divide, other)

    def __imod__(self, other: Any) -> Any:
        return inplace.update(self, rounding.remainder, other)

    def __ipow__(self, other: Any) -> Any:
        return inplace.update(self, elementwise.pow, other)

    def __iand__(self, other: Any) -> Any:
        return inplace.update(self, bits.bitwise_and, other)

    def __ior__(self, other: Any) -> Any:
        return inplace.update(self, bits.bitwise_or, other)

    def __ixor__(self, other: Any) -> Any:
        return inplace.update(self, bits.bitwise_xor, other)

    def __ilshift__(self, other: Any) -> Any:
        return inplace.update(self, bits.bitwise_left_shift, other)

    def __irshift__(self, other: Any) -> Any:
        return inplace.update(self, bits.bitwise_right_shift, other)

    # ------------------------------------------------------------------- operations, by their family
    add = elementwise.add_scaled
    sub = subtract = elementwise.sub_scaled
    mul = multiply = elementwise.mul
    div = divide = rounding.div_rounded
    true_divide = elementwise.div
    floor_divide = rounding.floor_divide
    remainder, fmod = rounding.remainder, rounding.fmod
    addcmul, addcdiv, lerp = combination.addcmul, combination.addcdiv, combination.lerp
    ldexp, float_power = combination.ldexp, combination.float_power
    copysign, nextafter = combination.copysign, combination.nextafter
    heaviside = combination.heaviside
    neg = negative = elementwise.neg
    pow = elementwise.pow
    exp, expm1, exp2 = elementwise.exp, elementwise.expm1, logarithms.exp2
    log, log2, log10, log1p = elementwise.log, logarithms.log2, logarithms.log10, elementwise.log1p
    sqrt, rsqrt, square = elementwise.sqrt, elementwise.rsqrt, elementwise.square
    reciprocal, xlogy = elementwise.reciprocal, logarithms.xlogy
    logit, logaddexp, logaddexp2 = logarithms.logit, logarithms.logaddexp, logarithms.logaddexp2
    sin, cos, tan = trigonometry.sin, trigonometry.cos, trigonometry.tan
    asin, acos, atan, atan2 = trigonometry.asin, trigonometry.acos, trigonometry.atan, trigonometry.atan2
    arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2
    sinh, cosh, hypot = trigonometry.sinh, trigonometry.cosh, trigonometry.hypot
    asinh, acosh, atanh = trigonometry.asinh, trigonometry.acosh, trigonometry.atanh
    arcsinh, arccosh, arctanh = asinh, acosh, atanh
    sinc, deg2rad, rad2deg = trigonometry.sinc, trigonometry.deg2rad, trigonometry.rad2deg
    erf, erfc, erfinv, i0 = special.erf, special.erfc, special.erfinv, special.i0
    lgamma, digamma, polygamma = special.lgamma, special.digamma, special.polygamma_of
    abs = absolute = elementwise.abs
    sign, sgn, positive = elementwise.sign, elementwise.sgn, elementwise.positive
    maximum, minimum = elementwise.maximum, elementwise.minimum
    clamp = clip = elementwise.clamp
    clamp_min, clamp_max = limits.clamp_min, limits.clamp_max
    fmax, fmin, nan_to_num = limits.fmax, limits.fmin, limits.nan_to_num
    floor, ceil, round, frac = rounding.floor, rounding.ceil, rounding.round, rounding.frac
    trunc = fix = rounding.trunc
    eq, lt, le, gt, ge = comparison.eq, comparison.lt, comparison.le, comparison.gt, comparison.ge
    ne = not_equal = comparison.ne
    less, less_equal, greater, greater_equal = lt, le, gt, ge
    bitwise_and, bitwise_or, bitwise_xor = bits.bitwise_and, bits.bitwise_or, bits.bitwise_xor
    bitwise_not, gcd, lcm = bits.bitwise_not, bits.gcd, bits.lcm
    bitwise_left_shift, bitwise_right_shift = bits.bitwise_left_shift, bits.bitwise_right_shift
    logical_and, logical_or = comparison.logical_and, comparison.logical_or
    logical_xor, logical_not = comparison.logical_xor, comparison.logical_not
    isnan, isinf, isfinite = comparison.isnan, comparison.isinf, comparison.isfinite
    isposinf, isneginf, isreal = comparison.isposinf, comparison.isneginf, comparison.isreal
    signbit = comparison.signbit
    allclose, equal, isclose = comparison.allclose, comparison.equal, comparison.isclose

    sigmoid, tanh, relu = activation.sigmoid, activation.tanh, activation.relu
    hardshrink, prelu = piecewise.hardshrink, piecewise.prelu
    softmax, log_softmax, logsumexp = softmax.softmax, softmax.log_softmax, softmax.logsumexp

    sum, mean, prod = reduction.sum, reduction.mean, reduction.prod
    max, min, amax, amin = reduction.max, reduction.min, reduction.amax, reduction.amin
    argmax, argmin = reduction.argmax, reduction.argmin
    var, std, norm = moments.var, moments.std, reduction.norm
    any, all = reduction.any, reduction.all

    cumsum, cumprod, logcumsumexp = cumulative.cumsum, cumulative.cumprod, cumulative.logcumsumexp
    cummax, cummin, diff = cumulative.cummax, cumulative.cummin, cumulative.diff
    sort, argsort, msort, topk = sorting.sort, sorting.argsort, sorting.msort, sorting.topk
    kthvalue, median, nanmedian = sorting.kthvalue, sorting.median, sorting.nanmedian
    mode, quantile, nanquantile = sorting.mode, quantiles.quantile, quantiles.nanquantile
    count_nonzero, unique = counting.count_nonzero, counting.unique
    unique_consecutive, bincount = counting.unique_consecutive, counting.bincount
    histc, histogram = counting.histc, counting.histogram
    aminmax, nansum, nanmean = statistics.aminmax, statistics.nansum, statistics.nanmean
    cov, corrcoef = statistics.cov, statistics.corrcoef
    dist, renorm = statistics.dist, statistics.renorm

    reshape, view, flatten = shapes.reshape, shapes.view, shapes.flatten
    permute, transpose, t = shapes.permute, shapes.transpose, shapes.t
    squeeze, unsqueeze, expand = shapes.squeeze, shapes.unsqueeze, shapes.expand
    split, chunk, unbind, narrow = joining.split, joining.chunk, joining.unbind, joining.narrow
    clone = shapes.clone
    ravel, unflatten, broadcast_to = shapes.ravel, shapes.unflatten, shapes.expand_to
    movedim = moveaxis = shapes.movedim
    swapaxes, swapdims = shapes.swapaxes, shapes.swapdims
    select, tensor_split = joining.select, joining.tensor_split
    hsplit, vsplit, dsplit = joining.hsplit, joining.vsplit, joining.dsplit
    flip, fliplr, flipud = rearranging.flip, rearranging.fliplr, rearranging.flipud
    roll, rot90, unfold = rearranging.roll, rearranging.rot90, rearranging.unfold
    repeat, tile, repeat_interleave = rearranging.repeat, rearranging.tile, rearranging.repeat_interleave
    diag, diagonal, diag_embed = diagonals.diag, diagonals.diagonal, diagonals.diag_embed
    diagflat, tril, triu = diagonals.diagflat, diagonals.tril, diagonals.triu

    gather, masked_fill = indexing.gather, indexing.masked_fill
    index_select, masked_select = selecting.index_select, selecting.masked_select
    take, take_along_dim = selecting.take, selecting.take_along_dim
    nonzero, argwhere = selecting.nonzero, selecting.argwhere
    scatter, scatter_add = scattering.scatter, scattering.scatter_add
    masked_scatter = writing.masked_scatter
    index_add, index_copy = writing.index_add, writing.index_copy
    index_fill, index_put = writing.index_fill, writing.index_put
    select_scatter, slice_scatter = writing.select_scatter, writing.slice_scatter
    diagonal_scatter = diagonals.diagonal_scatter
    matmul, mm, dot = linalg.matmul, linalg.mm, linalg.dot
    bmm, mv, outer, ger = products.bmm, products.mv, products.outer, products.outer
    inner, vdot, kron, cross = products.inner, products.vdot, products.kron, products.cross
    addmm, addmv, addr = products.addmm, products.addmv, products.addr
    addbmm, baddbmm = products.addbmm, products.baddbmm
    det, slogdet, logdet = decompositions.det, decompositions.slogdet, decompositions.logdet
    inverse, pinverse = decompositions.inverse, decompositions.pinv
    matrix_power = decompositions.matrix_power

    # ----------------------------------------------------------------------------- in-place twins
    cumsum_, cumprod_ = inplace.twins(cumsum, cumprod)
    add_, sub_, mul_, div_, neg_, abs_ = inplace.twins(add, sub, mul, div, neg, abs)
    true_divide_ = inplace.twin(true_divide)
    pow_, exp_, exp2_, log_, sqrt_, expm1_, log1p_ = inplace.twins(pow, exp, exp2, log, sqrt, expm1, log1p)
    rsqrt_, square_, reciprocal_, sign_, sgn_ = inplace.twins(rsqrt, square, reciprocal, sign, sgn)
    log2_, log10_, xlogy_, logit_ = inplace.twins(log2, log10, xlogy, logit)
    addcmul_, addcdiv_, lerp_, ldexp_ = inplace.twins(addcmul, addcdiv, lerp, ldexp)
    copysign_, nextafter_, heaviside_ = inplace.twins(copysign, nextafter, heaviside)
    floor_divide_, remainder_, fmod_, frac_ = inplace.twins(floor_divide, remainder, fmod, frac)
    floor_, ceil_, round_, trunc_ = inplace.twins(floor, ceil, round, trunc)
    sin_, cos_, tan_, sinh_, cosh_ = inplace.twins(sin, cos, tan, sinh, cosh)
    asin_, acos_, atan_, atan2_ = inplace.twins(asin, acos, atan, atan2)
    asinh_, acosh_, atanh_, hypot_ = inplace.twins(asinh, acosh, atanh, hypot)
    sinc_, deg2rad_, rad2deg_ = inplace.twins(sinc, deg2rad, rad2deg)
    erf_, erfc_, erfinv_, i0_ = inplace.twins(erf, erfc, erfinv, i0)
    lgamma_, digamma_, polygamma_ = inplace.twins(lgamma, digamma, polygamma)
    clamp_, clamp_min_, clamp_max_, nan_to_num_ = inplace.twins(clamp, clamp_min, clamp_max, nan_to_num)
    eq_, ne_, lt_, le_, gt_, ge_ = inplace.twins(eq, ne, lt, le, gt, ge)
    logical_and_, logical_or_ = inplace.twins(logical_and, logical_or)
    logical_xor_, logical_not_ = inplace.twins(logical_xor, logical_not)
    bitwise_and_, bitwise_or_ = inplace.twins(bitwise_and, bitwise_or)
    bitwise_xor_, bitwise_not_ = inplace.twins(bitwise_xor, bitwise_not)
    bitwise_left_shift_, bitwise_right_shift_ = inplace.twins(bitwise_left_shift, bitwise_right_shift)
    gcd_, lcm_ = inplace.twins(gcd, lcm)
    float_power_ = inplace.twin(combination.float_power_of)
    subtract_, multiply_, divide_, negative_, absolute_ = sub_, mul_, div_, neg_, abs_
    fix_, clip_, not_equal_ = trunc_, clamp_, ne_
    less_, less_equal_, greater_, greater_equal_ = lt_, le_, gt_, ge_
    arcsin_, arccos_, arctan_, arctan2_ = asin_, acos_, atan_, atan2_
    arcsinh_, arccosh_, arctanh_ = asinh_, acosh_, atanh_
    sigmoid_, tanh_, relu_ = inplace.twins(sigmoid, tanh, relu)
    masked_fill_ = inplace.twin(indexing.masked_fill)
    addmm_, addmv_, addr_, addbmm_, baddbmm_ = inplace.twins(addmm, addmv, addr, addbmm, baddbmm)
    masked_scatter_, scatter_, scatter_add_ = inplace.twins(masked_scatter, scatter, scatter_add)
    scatter_reduce_ = inplace.twin(scattering.scatter_reduce)
    index_add_, index_copy_, index_fill_ = inplace.twins(index_add, index_copy, index_fill)
    index_put_, tril_, triu_ = inplace.twins(index_put, tril, triu)
    fill_diagonal_ = diagonals.fill_diagonal_
    copy_, fill_ = inplace.assign, inplace.fill
    uniform_, normal_, bernoulli_, random_ = fill.uniform_, fill.normal_, fill.bernoulli_, fill.random_
    exponential_ = fill.exponential_

    def zero_(self) -> Any:
        """Fill with zeros."""
        return inplace.assign(self, 0, "ZeroBackward0")

    def where(self, condition: Any, other: Any) -> Any:
        """`where(condition, self, other)`."""
        return elementwise.where(condition, self, other)

    def trace(self) -> Any:
        """The sum of the diagonal of a matrix."""
        return diagonals.trace(self)

    def scatter_reduce(
        self, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True
    ) -> Any:
        """`minigrad.scatter_reduce` of this tensor."""
        return scattering.scatter_reduce(self, dim, index, src, reduce, include_self=include_self)

    new_zeros, new_ones, new_empty = making.new_zeros, making.new_ones, making.new_empty
    new_full, new_tensor = making.new_full, making.new_tensor

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
