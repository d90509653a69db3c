"""Shapes: reshaping, permuting, repeating. Views share memory where torch's do."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import dtypes
from minigrad.autograd.op import Primitive, broadcast_to, primitive
from minigrad.dtypes import Size
from minigrad.ops.dims import ndim_of, normalize_dim, normalize_dims, sizes_from


# -------------------------------------------------------------------------------------------- reshaping
def _reshape(x: ndarray, *, shape: tuple[int, ...], label: str = "View") -> ndarray:
    return x.reshape(shape)


def _label_or(default: str) -> Callable[[Any], str]:
    return lambda node: f"{node.options.get('label', default)}Backward0"


reshape_to: Primitive = primitive(_reshape, view=True, grad_name=_label_or("View")).vjp(
    lambda g, x_shape: reshape_to(g, shape=x_shape)
)


def _resolve(sizes: tuple[int, ...], numel: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Sizes with -1 worked out, checked against the number of elements."""
    if any(n < -1 for n in sizes):
        raise RuntimeError(f"invalid shape dimension {min(sizes)}")
    unknown = [i for i, n in enumerate(sizes) if n == -1]
    if len(unknown) > 1:
        raise RuntimeError("only one dimension can be inferred")
    known = math.prod(n for n in sizes if n != -1)
    if unknown:
        if known == 0 and numel == 0:
            raise RuntimeError(
                f"cannot reshape tensor of 0 elements into shape {list(sizes)} because the unspecified "
                "dimension size -1 can be any value and is ambiguous"
            )
        if known == 0 or numel % known:
            raise RuntimeError(f"shape '{list(sizes)}' is invalid for input of size {numel}")
        return tuple(numel // known if n == -1 else n for n in sizes)
    if known != numel:
        raise RuntimeError(
            f"shape '{list(sizes)}' is invalid for input of size {numel}\n"
            f"The tensor has shape {list(shape)}; the sizes must multiply to {numel}, one may be -1."
        )
    return sizes


def reshape(input: Any, *shape: Any) -> Any:
    """The same elements in another shape, one size of which may be -1; a view where memory allows.

    Raises:
        RuntimeError: the sizes do not multiply to the number of elements.

    Example:
        >>> import minigrad
        >>> minigrad.arange(6).reshape(2, -1)
        tensor([[0, 1, 2],
                [3, 4, 5]])
    """
    array = input._array
    sizes = _resolve(sizes_from(shape), array.size, array.shape)
    label = "View" if _viewable(array, sizes) else "UnsafeView"
    return reshape_to(input, shape=sizes, label=label)


def _viewable(array: ndarray, sizes: tuple[int, ...]) -> bool:
    if array.flags.c_contiguous:
        return True
    try:
        np.reshape(array, sizes, copy=False)
    except ValueError:
        return False
    return True


def view(input: Any, *shape: Any) -> Any:
    """`reshape` that never copies.

    Raises:
        RuntimeError: the sizes do not fit, or the memory layout does not allow a view.

    Example:
        >>> import minigrad
        >>> x = minigrad.zeros(4)
        >>> x.view(2, 2)[0, 0] = 5
        >>> x
        tensor([5., 0., 0., 0.])
    """
    array = input._array
    if len(shape) == 1 and isinstance(shape[0], dtypes.dtype):
        raise NotImplementedError("view(dtype) is not supported. Use .to(dtype) to convert values.")
    sizes = _resolve(sizes_from(shape), array.size, array.shape)
    if not _viewable(array, sizes):
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension "
            "spans across two contiguous subspaces). Use .reshape(...) instead."
        )
    return reshape_to(input, shape=sizes)


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Merge the dimensions from `start_dim` to `end_dim` into one.

    Raises:
        RuntimeError: `start_dim` comes after `end_dim`.

    Example:
        >>> import minigrad
        >>> minigrad.zeros(2, 3, 4).flatten(1).shape
        torch.Size([2, 12])
    """
    shape = input._array.shape
    if not shape:
        return reshape(input, 1)
    first, last = normalize_dim(start_dim, len(shape)), normalize_dim(end_dim, len(shape))
    if first > last:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if first == last:
        return input
    merged = math.prod(shape[first : last + 1])
    return reshape(input, (*shape[:first], merged, *shape[last + 1 :]))


def _squeeze(x: ndarray, *, axes: tuple[int, ...] | None, label: int = 0) -> ndarray:
    return x.squeeze() if axes is None else x.squeeze(tuple([i for i in axes if x.shape[i] == 1]))


squeeze_axes: Primitive = primitive(
    _squeeze, view=True, grad_name=lambda node: f"SqueezeBackward{node.options.get('label', 0)}"
).vjp(lambda g, x_shape: reshape_to(g, shape=x_shape))


def squeeze(input: Any, dim: Any = None) -> Any:
    """Drop the dimensions of size 1, or those of `dim` that have size 1.

    Example:
        >>> import minigrad
        >>> minigrad.zeros(2, 1, 3, 1).squeeze(1).shape
        torch.Size([2, 3, 1])
    """
    if dim is None:
        return squeeze_axes(input, axes=None)
    axes = normalize_dims(dim, ndim_of(input)) or ()
    return squeeze_axes(input, axes=axes, label=2 if isinstance(dim, (tuple, list)) else 1)


def _unsqueeze(x: ndarray, *, axis: int) -> ndarray:
    return np.expand_dims(x, axis)


_insert_axis: Primitive = primitive(_unsqueeze, view=True, grad_name="UnsqueezeBackward0").vjp(
    lambda g, x_shape: reshape_to(g, shape=x_shape)
)


def unsqueeze(input: Any, dim: int) -> Any:
    """Insert a dimension of size 1 at `dim`.

    Example:
        >>> import minigrad
        >>> minigrad.zeros(2, 3).unsqueeze(1).shape
        torch.Size([2, 1, 3])
    """
    return _insert_axis(input, axis=normalize_dim(dim, ndim_of(input) + 1))


def ravel(input: Any) -> Any:
    """All elements in one dimension; a view where memory allows.

    Example:
        >>> import minigrad
        >>> minigrad.ravel(minigrad.eye(2))
        tensor([1., 0., 0., 1.])
    """
    flat = (input._array.size,)
    return view(input if _viewable(input._array, flat) else clone(input), flat)


def unflatten(input: Any, dim: int, sizes: Any) -> Any:
    """One dimension cut into several of the given sizes, one of which may be -1.

    Raises:
        RuntimeError: the sizes do not multiply to the dimension.

    Example:
        >>> import minigrad
        >>> minigrad.unflatten(minigrad.zeros(2, 6), 1, (3, -1)).shape
        torch.Size([2, 3, 2])
    """
    shape, parts = input._array.shape, sizes_from((sizes,))
    axis = normalize_dim(dim, len(shape))
    if not parts:
        raise RuntimeError("unflatten: sizes must be non-empty")
    known = math.prod(n for n in parts if n != -1)
    if parts.count(-1) > 1:
        raise RuntimeError("unflatten got an unexpected error:\nonly one dimension can be inferred")
    if -1 in parts and known and shape[axis] % known == 0:
        parts = tuple(shape[axis] // known if n == -1 else n for n in parts)
    if math.prod(parts) != shape[axis]:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(parts)} don't multiply up to the size of dim {axis} "
            f"({shape[axis]}) in the input tensor"
        )
    return view(input, (*shape[:axis], *parts, *shape[axis + 1 :]))


# ------------------------------------------------------------------------------------------- permuting
def _permute(x: ndarray, *, axes: tuple[int, ...], label: str = "Permute") -> ndarray:
    return x.transpose(axes)


def _inverse(axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


permute_to: Primitive = primitive(_permute, view=True, grad_name=_label_or("Permute")).vjp(
    lambda g, axes: permute_to(g, axes=_inverse(axes))
)


def permute(input: Any, *dims: Any) -> Any:
    """The dimensions in another order.

    Raises:
        RuntimeError: `dims` is not a permutation of the dimensions.

    Example:
        >>> import minigrad
        >>> minigrad.zeros(2, 3, 4).permute(2, 0, 1).shape
        torch.Size([4, 2, 3])
    """
    order = sizes_from(dims)
    ndim = ndim_of(input)
    if len(order) != ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of "
            f"the desired ordering of dimensions i.e. input.dim() = {ndim} is not equal to len(dims) = "
            f"{len(order)}"
        )
    axes = tuple(normalize_dim(d, ndim) for d in order)
    if len(set(axes)) != ndim:
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return permute_to(input, axes=axes)


def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """Swap two dimensions.

    Example:
        >>> import minigrad
        >>> minigrad.zeros(2, 3).transpose(0, 1).shape
        torch.Size([3, 2])
    """
    ndim = ndim_of(input)
    a, b = normalize_dim(dim0, ndim), normalize_dim(dim1, ndim)
    axes = list(range(ndim))
    if ndim:
        axes[a], axes[b] = b, a
    return permute_to(input, axes=tuple(axes), label="Transpose")


def t(input: Any) -> Any:
    """The transpose of a matrix; a vector as it is.

    Example:
        >>> import minigrad
        >>> minigrad.zeros(2, 3).t().shape
        torch.Size([3, 2])
    """
    ndim = ndim_of(input)
    if ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {ndim}D")
    return permute_to(input, axes=tuple(reversed(range(ndim))), label="T")


def _several(dims: Any) -> tuple[int, ...]:
    return tuple(dims) if isinstance(dims, (tuple, list)) else (dims,)


def movedim(input: Any, source: Any, destination: Any) -> Any:
    """The dimensions `source` moved to the places `destination`; the others keep their order.

    Raises:
        RuntimeError: the two differ in length, or name a dimension twice.

    Example:
        >>> import minigrad
        >>> minigrad.movedim(minigrad.zeros(2, 3, 4), 0, -1).shape
        torch.Size([3, 4, 2])
    """
    old, new, ndim = _several(source), _several(destination), ndim_of(input)
    if len(old) != len(new):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({list(old)} dims) should contain the same "
            f"number of dims as destination ({list(new)} dims)"
        )
    places = []
    for what, dims in (("source", old), ("destination", new)):
        axes = tuple(normalize_dim(d, ndim) for d in dims)
        if len(set(axes)) != len(axes):
            raise RuntimeError(f"movedim: repeated dim in `{what}` ({list(dims)})")
        places.append(axes)
    order = [i for i in range(ndim) if i not in places[0]]
    for place, axis in sorted(zip(places[1], places[0], strict=True)):
        order.insert(place, axis)
    return permute_to(input, axes=tuple(order[:ndim]), label="Permute" if ndim else "Alias")


def swapaxes(input: Any, axis0: int, axis1: int) -> Any:
    """`transpose`, by NumPy's name.

    Example:
        >>> import minigrad
        >>> minigrad.swapaxes(minigrad.zeros(2, 3), 0, 1).shape
        torch.Size([3, 2])
    """
    return transpose(input, axis0, axis1)


def swapdims(input: Any, dim0: int, dim1: int) -> Any:
    """`transpose`, by another name.

    Example:
        >>> import minigrad
        >>> minigrad.swapdims(minigrad.zeros(2, 3), 0, 1).shape
        torch.Size([3, 2])
    """
    return transpose(input, dim0, dim1)


def swap_last(x: Any) -> Any:
    """The last two dimensions swapped, of an array or a variable."""
    ndim = ndim_of(x)
    return permute_to(x, axes=(*range(ndim - 2), ndim - 1, ndim - 2), label="Transpose")


# ----------------------------------------------------------------------------------------- repeating
def expand(input: Any, *sizes: Any) -> Any:
    """Repeat along dimensions of size 1, or new leading ones, without copying; -1 keeps a size.

    Raises:
        RuntimeError: a dimension that is not 1 would change.

    Example:
        >>> import minigrad
        >>> minigrad.tensor([[1.0], [2.0]]).expand(2, 3)
        tensor([[1., 1., 1.],
                [2., 2., 2.]])
    """
    wanted, shape = sizes_from(sizes), input._array.shape
    extra = len(wanted) - len(shape)
    if extra < 0:
        raise RuntimeError(
            f"expand(torch.{dtypes.of(input._array).tensor_type}{{{list(shape)}}}, size={list(wanted)}): "
            f"the number of sizes provided ({len(wanted)}) must be greater or equal to the number of "
            f"dimensions in the tensor ({len(shape)})"
        )
    found = []
    for i, n in enumerate(wanted):
        old = shape[i - extra] if i >= extra else None
        if n == -1 and old is None:
            raise RuntimeError(
                f"The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension {i}"
            )
        if old not in (None, 1, n) and n != -1:
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) must match the existing size ({old}) at "
                f"non-singleton dimension {i}.  Target sizes: {list(wanted)}.  Tensor sizes: {list(shape)}"
            )
        found.append(old if n == -1 else n)
    return broadcast_to(input, shape=tuple(found))


def expand_to(input: Any, size: Any) -> Any:
    """`expand` to a size given as one sequence.

    Raises:
        RuntimeError: a dimension that is not 1 would change.

    Example:
        >>> import minigrad
        >>> minigrad.broadcast_to(minigrad.tensor([1, 2]), (2, 2))
        tensor([[1, 2],
                [1, 2]])
    """
    return expand(input, size)


def broadcast_tensors(*tensors: Any) -> tuple[Any, ...]:
    """All tensors expanded to their common shape.

    Example:
        >>> import minigrad
        >>> a, b = minigrad.broadcast_tensors(minigrad.zeros(3, 1), minigrad.zeros(2))
        >>> a.shape, b.shape
        (torch.Size([3, 2]), torch.Size([3, 2]))
    """
    shape = broadcast_shapes(*(t._array.shape for t in tensors))
    return tuple(broadcast_to(t, shape=tuple(shape)) for t in tensors)


def broadcast_shapes(*shapes: Sequence[int]) -> Size:
    """The shape that arrays of these shapes broadcast to.

    Raises:
        RuntimeError: they do not.

    Example:
        >>> import minigrad
        >>> minigrad.broadcast_shapes((3, 1), (2,))
        torch.Size([3, 2])
    """
    common = [1] * max((len(s) for s in shapes), default=0)
    for number, shape in enumerate(shapes):
        for i in range(-1, -1 - len(shape), -1):
            if shape[i] in (1, common[i]):
                continue
            if common[i] != 1:
                raise RuntimeError(
                    f"Attempting to broadcast a dimension of length {shape[i]} at {i}! Mismatching argument "
                    f"at index {number} had {tuple(shape)}; but expected shape should be broadcastable to "
                    f"{common}"
                )
            common[i] = shape[i]
    return Size(common)


def _clone(x: ndarray) -> ndarray:
    return np.array(x, order="C")


clone: Primitive = primitive(
    _clone,
    grad_name="CloneBackward0",
    doc="""A copy that gradients flow through.

    Example:
        >>> import minigrad
        >>> x = minigrad.ones(2)
        >>> y = x.clone()
        >>> y[0] = 5
        >>> x
        tensor([1., 1.])
    """,
).vjp(lambda g: g)
