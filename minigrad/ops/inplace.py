"""In-place operations: `x[i] = v`, `x += y`, `x.mul_(y)`. Views write through, and gradients follow.

What is recorded is the same operation out of place; the variable then takes over the new node. A write
into a view is a write into a region of its base (`write_region`), and the base's other views renew
their nodes when they are next used (`current_node`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import dtypes
from minigrad.autograd.op import Primitive, cast, primitive
from minigrad.autograd.tape import Leaf, Variable, current_node, mode
from minigrad.ops.indexing import basic_first, normalize_index, read_index, write_region

_WHOLE, _ALL = (Ellipsis,), slice(None)


def _check_leaf(target: Variable, region: bool = False) -> None:
    """Raise if a leaf with a gradient would change: the target, a `region` of it, or what it is a view of."""
    if not mode.enabled:
        return
    leaf = isinstance(current_node(target), Leaf)
    if (leaf and region) or (target._view is not None and isinstance(target._view.base._node, Leaf)):
        raise RuntimeError(
            "a view of a leaf Variable that requires grad is being used in an in-place operation.\n"
            "Update parameters inside `with no_grad():`, or work on a copy: x.clone()."
        )
    if leaf:
        raise RuntimeError(
            "a leaf Variable that requires grad is being used in an in-place operation.\n"
            "Its value before the change could no longer be differentiated by. Update parameters inside "
            "`with no_grad():`, or work on a copy: x.clone()."
        )


def _store(target: Variable, value: Any, index: tuple[Any, ...]) -> None:
    """Write into the memory of `target`, and onto the tape if the value or the target is on it."""
    array = value._array if isinstance(value, Variable) else value
    if not target._array.flags.writeable:
        raise RuntimeError(_read_only(target._array))
    recorded = mode.enabled and (
        current_node(target) is not None or (isinstance(value, Variable) and current_node(value) is not None)
    )
    if recorded:
        view = target._view
        base = target if view is None else view.base
        if view is None and index is _WHOLE and array.shape == target._array.shape:
            base._node = current_node(value)
        else:
            steps = () if view is None else view.steps
            base._node = write_region(base, value, steps=steps, index=index)._node
    target._array[index] = array
    target._counter[0] += 1


def _read_only(array: ndarray) -> str:
    if 0 in array.strides:
        return (
            "unsupported operation: more than one element of the written-to tensor refers to a single "
            "memory location. Please clone() the tensor before performing the operation."
        )
    return (
        "the tensor shares the memory of a read-only ndarray, which cannot be written to. Copy it first: "
        "from_numpy(array.copy()), or x.clone()."
    )


def _castable(source: np.dtype, target: np.dtype) -> bool:
    order = "biuf"
    return order.index(target.kind) >= order.index(source.kind) or (
        source.kind in "iu" and target.kind in "iu"
    )


def update(target: Any, op: Callable[..., Any], *operands: Any, **options: Any) -> Any:
    """`target = op(target, *operands)` in place; returns the target.

    Raises:
        RuntimeError: the target is a leaf that requires a gradient, or the result does not fit into its
            shape or its kind of dtype.
    """
    _check_leaf(target)
    source = target
    if mode.enabled and current_node(target) is not None:
        # What the rule saves of the target must survive the change: hand the operation a copy.
        source = target._result._wrap(target._array.copy(), target._node)
    value = op(source, *operands, **options)
    shape, kind = target._array.shape, target._array.dtype
    if value._array.shape != shape:
        raise RuntimeError(
            f"output with shape {list(shape)} doesn't match the broadcast shape {list(value._array.shape)}"
        )
    if value._array.dtype != kind:
        if not _castable(value._array.dtype, kind):
            raise RuntimeError(
                f"result type {dtypes.of(value._array).scalar_type} can't be cast to the desired output "
                f"type {dtypes.from_numpy(kind).scalar_type}"
            )
        value = cast(value, dtype=kind, source=value._array.dtype)
    _store(target, value, _WHOLE)
    return target


def twin(op: Callable[..., Any]) -> Callable[..., Any]:
    """The in-place method that goes with an operation: `mul_` for `mul`."""

    def method(self: Any, *operands: Any, **options: Any) -> Any:
        return update(self, op, *operands, **options)

    name = (
        getattr(op, "__name__", "operation")
        .removesuffix("_scaled")
        .removesuffix("_rounded")
        .removesuffix("_of")
    )
    method.__name__ = f"{name}_"
    method.__doc__ = f"`{name}` in place."
    return method


def twins(*ops: Callable[..., Any]) -> list[Callable[..., Any]]:
    """The in-place methods of several operations."""
    return [twin(op) for op in ops]


def assign(target: Any, value: Any, label: str = "torch::autograd::CopyBackwards") -> Any:
    """Fill the whole of `target` with `value`, a tensor that broadcasts to it or a number."""
    _check_leaf(target)
    _store(target, _overwritten(target, _fitted(target, value), label=label), _WHOLE)
    return target


def fill(target: Any, value: Any) -> Any:
    """Fill `target` with a number, or with that of a 0-d tensor."""
    return assign(target, value, "FillBackward0")


def _overwrite(x: ndarray, value: ndarray, *, label: str) -> ndarray:
    return np.array(np.broadcast_to(value, x.shape), order="C")


_overwritten: Primitive = primitive(_overwrite, grad_name=lambda node: node.options["label"]).vjp(
    lambda g: g * 0, lambda g: g
)


def setitem(target: Any, index: Any, value: Any) -> None:
    """`target[index] = value`.

    Raises:
        IndexError: as reading there would.
        RuntimeError: the value does not broadcast to the region, or the target is a leaf that requires
            a gradient.
    """
    normal, rest = basic_first(normalize_index(index, target._array.shape))
    selects = any(item not in (_ALL, Ellipsis) for item in normal if not isinstance(item, ndarray))
    _check_leaf(target, region=rest is not None or selects)
    if rest is not None:
        target, normal = read_index(target, index=normal), rest
    value = _fitted(target, value)
    region = target._array[normal].shape
    given = value._array.shape if isinstance(value, Variable) else np.shape(value)
    try:
        fits = np.broadcast_shapes(given, region) == region
    except ValueError:
        fits = False
    if not fits and int(np.prod(given)) != int(np.prod(region)):
        raise RuntimeError(_misfit(normal, given, region))
    if not fits:  # torch drops leading dimensions of size 1 of the value
        value = value.reshape(region)
    _store(target, value, normal)


def _misfit(index: tuple[Any, ...], given: tuple[int, ...], region: tuple[int, ...]) -> str:
    if any(isinstance(item, ndarray) for item in index):
        return (
            f"shape mismatch: value tensor of shape {list(given)} cannot be broadcast to indexing result of "
            f"shape {list(region)}"
        )
    for back in range(1, min(len(given), len(region)) + 1):
        if given[-back] not in (1, region[-back]):
            return (
                f"The expanded size of the tensor ({region[-back]}) must match the existing size "
                f"({given[-back]}) at non-singleton dimension {len(region) - back}.  Target sizes: "
                f"{list(region)}.  Tensor sizes: {list(given)}"
            )
    return f"The value of shape {list(given)} has more dimensions than the region of shape {list(region)}."


def _fitted(target: Any, value: Any) -> Any:
    """The value in the target's dtype."""
    kind = target._array.dtype
    if isinstance(value, Variable):
        if value._array.dtype != kind:
            return cast(value, dtype=kind, source=value._array.dtype)
        return value
    if isinstance(value, (bool, int, float, np.generic, ndarray)):
        return np.asarray(value).astype(kind)
    raise TypeError(
        f"can't assign a {type(value).__name__} to a torch.{dtypes.from_numpy(kind).tensor_type}. "
        "Use a number or a tensor, e.g. minigrad.tensor(...)."
    )
