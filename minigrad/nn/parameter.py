"""Parameter: a tensor that a module owns and an optimiser updates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad import dtypes
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


class UninitializedParameter(Parameter):
    """A parameter without sizes until `materialize` gives it some.

    Example:
        >>> from minigrad import nn
        >>> parameter = nn.UninitializedParameter()
        >>> parameter
        <UninitializedParameter>
        >>> parameter.materialize((2,))
        >>> parameter.shape
        torch.Size([2])
    """

    __slots__ = ()

    def __new__(
        cls, requires_grad: bool = True, device: Any = None, dtype: Any = None
    ) -> UninitializedParameter:
        kind = dtypes.default_float() if dtype is None else dtypes.to_numpy(dtype)
        made: UninitializedParameter = finished(cls, np.zeros(0, kind), device, requires_grad)
        return made

    def materialize(self, shape: Sequence[int], device: Any = None, dtype: Any = None) -> None:
        """Become a parameter of these sizes, whose values are not set."""
        dtypes.check_device(device)
        kind = self._array.dtype if dtype is None else dtypes.to_numpy(dtype)
        self._array = np.zeros(shape, kind)
        self.__class__ = Parameter  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "<UninitializedParameter>"
