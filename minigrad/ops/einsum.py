"""Einstein summation: any sum of products along named dimensions. Its gradient is another one."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import dtypes
from minigrad.autograd.op import Primitive, broadcast_to, common_operands, primitive
from minigrad.autograd.tape import Variable
from minigrad.kernels import reduction
from minigrad.kernels.jit import note_product
from minigrad.ops.dims import normalize_dim

Labels = Sequence[Any]  # one for each dimension; the same label twice means the diagonal


# --------------------------------------------------------------------------------------- of one operand
def _diagonals(x: ndarray, source: Labels) -> tuple[ndarray, list]:
    """The view in which each label occurs once, and its labels."""
    labels = list(dict.fromkeys(source))
    numbers = [labels.index(label) for label in source]
    return np.einsum(x, numbers, list(range(len(labels)))), labels


def _one(x: ndarray, *, source: Labels, target: Labels) -> ndarray:
    x, labels = _diagonals(x, source)
    gone = tuple(place for place, label in enumerate(labels) if label not in target)
    if gone:
        x = np.asarray(reduction.sum(x, gone))
    left = [label for label in labels if label in target]
    return x.transpose([left.index(label) for label in target])


def _spread(g: ndarray, *, source: Labels, target: Labels, shape: tuple[int, ...]) -> ndarray:
    spread = np.zeros(shape, g.dtype)
    region, labels = _diagonals(spread, source)
    g = g.transpose([target.index(label) for label in labels if label in target])
    region[...] = np.expand_dims(g, [place for place, label in enumerate(labels) if label not in target])
    return spread


_spread_diagonals: Primitive = primitive(_spread, grad_name="PermuteBackward0").vjp(
    lambda g, source, target: _rearranged(g, source=source, target=target)
)
_rearranged: Primitive = primitive(
    _one,
    view=True,
    grad_name=lambda node: (
        "PermuteBackward0" if set(node.options["source"]) <= set(node.options["target"]) else "SumBackward1"
    ),
    doc="Diagonals, sums and a permutation of one operand.",
).vjp(
    lambda g, x_shape, source, target: _spread_diagonals(g, source=source, target=target, shape=x_shape),
)


# -------------------------------------------------------------------------------------- of two operands
def _arranged(x: ndarray, labels: Labels, order: Labels, sizes: dict[Any, int]) -> ndarray:
    x = x.transpose([labels.index(label) for label in order])
    return np.broadcast_to(x, [sizes[label] for label in order])


def _pair(a: ndarray, b: ndarray, *, left: Labels, right: Labels, out: Labels, label: str) -> ndarray:
    """The product, as one of matrices. Each label is in two of `left`, `right` and `out`, or in all."""
    sizes = dict(zip(left, a.shape, strict=True))
    sizes |= {name: n for name, n in zip(right, b.shape, strict=True) if sizes.get(name, 1) == 1}
    batch = [name for name in left if name in right and name in out]
    summed = [name for name in left if name in right and name not in out]
    rows = [name for name in left if name not in right]
    columns = [name for name in right if name not in left]
    shape = [sizes[name] for name in batch]
    count = prod(sizes[name] for name in summed)
    height, width = prod(sizes[name] for name in rows), prod(sizes[name] for name in columns)
    a = _arranged(a, left, [*batch, *rows, *summed], sizes).reshape(*shape, height, count)
    b = _arranged(b, right, [*batch, *summed, *columns], sizes).reshape(*shape, count, width)
    product = np.matmul(a, b) if summed else a * b
    note_product(product.size * count)
    found = [*batch, *rows, *columns]
    return product.reshape([sizes[name] for name in found]).transpose([found.index(name) for name in out])


def _slope(
    g: Any, other: Any, shape: tuple[int, ...], own: Labels, its: Labels, out: Labels, label: str
) -> Any:
    """The cotangent of an operand; along what is summed with a size of 1 of the other it is repeated."""
    found = product_of(g, other, left=out, right=its, out=own, label=label)
    sizes = tuple(n if m == 1 else m for m, n in zip(found.shape, shape, strict=True))
    return found if sizes == tuple(found.shape) else broadcast_to(found, shape=sizes)


product_of: Primitive = primitive(
    _pair,
    name="einsum",
    grad_name=lambda node: node.options["label"],
    doc="The einsum of two operands of one dtype, without the checks.",
).vjp(
    lambda g, b, a_shape, left, right, out, label: _slope(g, b, a_shape, left, right, out, label),
    lambda g, a, b_shape, left, right, out, label: _slope(g, a, b_shape, right, left, out, label),
)


def _product(a: Any, b: Any, left: Labels, right: Labels, out: Labels) -> Any:
    """The einsum of two operands: labels that only one of them has, and the result has not, are summed."""
    a, left = _without(a, left, {*right, *out})
    b, right = _without(b, right, {*left, *out})
    summed = any(name in right and name not in out for name in left)
    if a._array.dtype != b._array.dtype:
        if summed:
            kinds = [dtypes.of(x._array).scalar_type for x in (a, b)]
            raise RuntimeError(f"expected scalar type {kinds[0]} but found {kinds[1]}")
        a, b = common_operands(product_of, (a, b))
    label = "ViewBackward0" if summed else "MulBackward0"
    return product_of(a, b, left=left, right=right, out=out, label=label)


def _without(x: Any, labels: Labels, wanted: set) -> tuple[Any, Labels]:
    target = tuple(label for label in dict.fromkeys(labels) if label in wanted)
    return (x if target == tuple(labels) else _rearranged(x, source=labels, target=target)), target


# ------------------------------------------------------------------------------------------ the equation
def einsum(*args: Any) -> Any:
    """Sum of products in Einstein's notation: "ij,jk->ik" is a matrix product.

    Labels missing from the right side are summed over; without "->" the labels that occur once are the
    result's, in alphabetical order. "..." stands for dimensions that broadcast; a repeated label takes the
    diagonal. Also `einsum(x, [0, 1], y, [1, 2], [0, 2])`.

    Raises:
        RuntimeError: the equation is malformed, or does not fit the operands.
        ValueError: an operand is missing altogether.

    Example:
        >>> import minigrad
        >>> x = minigrad.tensor([[1.0, 2.0], [3.0, 4.0]])
        >>> minigrad.einsum("ij,kj->ik", x, x)
        tensor([[ 5., 11.],
                [11., 25.]])
        >>> minigrad.einsum("ii", x)
        tensor(5.)
    """
    if len(args) < 2:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one operand "
            "and its subscripts list"
        )
    equation, operands = _equation(args)
    labels, out = _parsed(equation, [x._array.shape for x in operands])
    x, held = operands[0], labels[0]
    if len(operands) == 1:
        return _rearranged(x, source=held, target=out)
    for place in range(1, len(operands)):
        later = {*out}.union(*labels[place + 1 :])
        here = dict.fromkeys((*held, *labels[place]))
        target = out if place == len(operands) - 1 else tuple(label for label in here if label in later)
        x, held = _product(x, operands[place], held, labels[place], target), target
    return x


def _equation(args: Sequence[Any]) -> tuple[str, Sequence[Any]]:
    """The equation as text, and the operands."""
    if isinstance(args[0], str):
        operands = args[1:]
        if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
            operands = operands[0]
        return args[0], operands
    text = ",".join(_letters(sublist) for sublist in args[1::2])
    if len(args) % 2:
        text = ",".join(_letters(sublist) for sublist in args[1:-1:2]) + "->" + _letters(args[-1])
    return text, args[0 : len(args) - len(args) % 2 : 2]


def _letters(sublist: Sequence[Any]) -> str:
    found = ""
    for item in sublist:
        if item is not Ellipsis and not 0 <= item < 52:
            raise ValueError(
                f"einsum(): subscript in subscript list is not within the valid range [0, 52)\nIt is {item}."
            )
        found += "..." if item is Ellipsis else chr(item + (65 if item < 26 else 71))
    return found


def _parsed(equation: str, shapes: Sequence[tuple[int, ...]]) -> tuple[list[tuple], tuple]:
    """The labels of each operand and of the result; those under an ellipsis are counted from the last."""
    inputs, arrow, output = equation.partition("->")
    terms, start = [], 0
    for place, text in enumerate(inputs.split(",")):
        terms.append(_term(text, start, f"operand {place}"))
        start += len(text) + 1
    if len(terms) != len(shapes):
        which = "fewer" if len(shapes) < len(terms) else "more"
        raise RuntimeError(f"einsum(): {which} operands were provided than specified in the equation")
    labels = [
        _expanded(term, len(shape), i) for i, (term, shape) in enumerate(zip(terms, shapes, strict=True))
    ]
    sizes = _check_sizes(labels, shapes)
    dotted = sorted((label for label in sizes if isinstance(label, int)), reverse=True)
    if arrow:
        term = _term(output, len(inputs) + 2, "the output")
        found = [label for item in term for label in (dotted if item == "..." else [item])]
        _check_output(found, sizes)
        return labels, tuple(found)
    every = [label for each in labels for label in each if isinstance(label, str)]
    return labels, (*dotted, *sorted(label for label in set(every) if every.count(label) == 1))


def _term(text: str, start: int, where: str) -> list[str]:
    """The subscripts of one operand: letters, and "..." where an ellipsis is."""
    found: list[str] = []
    place = 0
    while place < len(text):
        letter = text[place]
        if letter == ".":
            if "..." in found:
                raise RuntimeError(f"einsum(): found '.' for {where} for which an ellipsis was already found")
            if text[place : place + 3] != "...":
                raise RuntimeError(f"einsum(): found '.' for {where} that is not part of any ellipsis")
            found.append("...")
            place += 2
        elif letter.isascii() and letter.isalpha():
            found.append(letter)
        elif letter != " ":
            raise RuntimeError(
                f"einsum(): invalid subscript given at index {start + place} in the equation string, "
                "subscripts must be in [a-zA-Z]"
            )
        place += 1
    return found


def _expanded(term: list[str], ndim: int, place: int) -> tuple:
    """The labels with numbers, counted from the last, in place of the ellipsis."""
    count = len(term) - ("..." in term)
    if "..." not in term and count != ndim:
        raise RuntimeError(
            f"einsum(): the number of subscripts in the equation ({count}) does not match the number of "
            f"dimensions ({ndim}) for operand {place} and no ellipsis was given"
        )
    if count > ndim:
        raise RuntimeError(
            f"einsum(): the number of subscripts in the equation ({count}) is more than the number of "
            f"dimensions ({ndim}) for operand {place}"
        )
    dots = range(ndim - count - 1, -1, -1)
    return tuple(label for item in term for label in (dots if item == "..." else [item]))


def _check_sizes(labels: list[tuple], shapes: Sequence[tuple[int, ...]]) -> dict[Any, int]:
    """The size of each label; those of different operands must be equal, or 1."""
    sizes: dict[Any, int] = {}
    for place, (each, shape) in enumerate(zip(labels, shapes, strict=True)):
        own: dict[Any, int] = {}
        for label, n in zip(each, shape, strict=True):
            if own.setdefault(label, n) != n:
                raise RuntimeError(
                    f"einsum(): subscript {label} is repeated for operand {place} but the sizes don't match, "
                    f"{n} != {own[label]}"
                )
        for label, n in own.items():
            if sizes.get(label, 1) != 1 and n not in (1, sizes[label]):
                what = "a dimension covered by ellipsis" if isinstance(label, int) else f"subscript {label}"
                raise RuntimeError(
                    f"einsum(): {what} has size {n} for operand {place} which does not broadcast with "
                    f"previously seen size {sizes[label]}"
                )
            if sizes.get(label, 1) == 1:
                sizes[label] = n
    return sizes


def _check_output(found: Labels, sizes: dict[Any, int]) -> None:
    for label in found:
        if found.count(label) > 1:
            raise RuntimeError(f"einsum(): output subscript {label} appears more than once in the output")
        if label not in sizes:
            raise RuntimeError(
                f"einsum(): output subscript {label} does not appear in the equation for any input operand"
            )


# ------------------------------------------------------------------------------------------- contraction
def tensordot(a: Any, b: Any, dims: Any = 2) -> Any:
    """The product summed over the last `dims` dimensions of `a` and the first of `b`, or over pairs of them.

    Raises:
        RuntimeError: the dimensions to sum over are not as many, or not of the same sizes.

    Example:
        >>> import minigrad
        >>> minigrad.tensordot(minigrad.ones(2, 3), minigrad.ones(3, 4), dims=1).shape
        torch.Size([2, 4])
        >>> minigrad.tensordot(minigrad.ones(2, 3), minigrad.ones(4, 2), dims=([0], [1])).shape
        torch.Size([3, 4])
    """
    first, second = a._array.shape, b._array.shape
    if isinstance(dims, Variable):
        dims = dims._array.tolist()
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(len(first), len(second)):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        dims = range(-dims, 0), range(dims)
    pairs = [[d] if isinstance(d, int) else list(d) for d in dims]
    if len(pairs[0]) != len(pairs[1]):
        raise RuntimeError("both dimension lists should have same length")
    left: list[Any] = [("a", place) for place in range(len(first))]
    right: list[Any] = [("b", place) for place in range(len(second))]
    for i, j in zip(*pairs, strict=True):
        mine, other = normalize_dim(i, len(first)), normalize_dim(j, len(second))
        if first[mine] != second[other] and 1 not in (first[mine], second[other]):
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {first[mine]} in dim {i} and "
                f"second has size {second[other]} in dim {j}"
            )
        right[other] = left[mine]
    out = [name for name in left if name not in right] + [name for name in right if name not in left]
    return product_of(a, b, left=left, right=right, out=out, label="ViewBackward0")
