"""Parameter: a tensor that a module owns and an optimiser updates."""

from __future__ import annotations

from typing import Any

from minigrad.ops.making import finished
from minigrad.tensor import Tensor


class Parameter(Tensor):
    """A tensor that becomes a parameter of the module it is assigned to.

    It shares the memory of `data`. Results of operations on it are plain tensors.

    Args:
        data: a tensor of any shape; without it the parameter is empty.
        requires_grad: whether gradients are recorded for it, also when it is made under `no_grad`.

    Raises:
        TypeError: `data` is not a tensor.
        RuntimeError: a gradient is required of integers or bools.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> nn.Parameter(minigrad.tensor([1.0, 2.0]))
        Parameter containing:
        tensor([1., 2.], requires_grad=True)
    """

    __slots__ = ()

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Parameter:
        if data is None:
            data = Tensor()
        if not isinstance(data, Tensor):
            raise TypeError(
                f"Parameter(): argument 'data' must be Tensor, not {type(data).__name__}. "
                "Use minigrad.tensor(...)."
            )
        made: Parameter = finished(cls, data._array, None, requires_grad)
        made._counter = data._counter
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        """A copy of the values, without the gradient."""
        found = memo.get(id(self))
        if found is None:
            copy = type(self)._wrap(self._array.copy())
            found = memo[id(self)] = copy.requires_grad_(self.requires_grad)
        return found

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()
