"""Linear, Identity and Flatten."""

from __future__ import annotations

import math
from typing import Any

from minigrad import dtypes
from minigrad.creation import empty
from minigrad.nn import init
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter, UninitializedParameter
from minigrad.ops.linear import linear
from minigrad.ops.shape import flatten
from minigrad.tensor import Tensor


class Linear(Module):
    """y = x Wᵀ + b.

    Shapes: input (..., in_features), result (..., out_features), `weight` (out_features,
    in_features), `bias` (out_features) or None. Both start uniform within ± 1 / sqrt(in_features).

    Raises:
        RuntimeError: the input's last size or its dtype does not fit.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> _ = minigrad.manual_seed(0)
        >>> layer = nn.Linear(2, 3)
        >>> layer
        Linear(in_features=2, out_features=3, bias=True)
        >>> layer(minigrad.ones(1, 2))
        tensor([[ 0.3600, -0.5417, -0.1455]], grad_fn=<AddmmBackward0>)
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        dtypes.check_device(device)
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(empty(out_features, in_features, dtype=dtype))
        if bias:
            self.bias = Parameter(empty(out_features, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        return linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"
        )


class LazyLinear(Linear):
    """A `Linear` that takes the number of its inputs from the first; until then it has no sizes.

    Shapes: input (..., anything), result (..., out_features).

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> layer = nn.LazyLinear(3)
        >>> layer
        LazyLinear(in_features=0, out_features=3, bias=True)
        >>> _ = layer(minigrad.ones(1, 2))
        >>> layer
        Linear(in_features=2, out_features=3, bias=True)
    """

    weight: UninitializedParameter
    bias: UninitializedParameter | None

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__(0, 0, False, device, dtype)
        self.out_features = out_features
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self) -> None:
        """Draw weight and bias anew, if they have sizes."""
        if self.in_features:
            super().reset_parameters()

    def forward(self, input: Tensor) -> Tensor:
        self.in_features = input.shape[-1]
        self.weight.materialize((self.out_features, self.in_features))
        if self.bias is not None:
            self.bias.materialize((self.out_features,))
        self.reset_parameters()
        self.__class__ = Linear  # type: ignore[assignment]
        return linear(input, self.weight, self.bias)


class Identity(Module):
    """Returns its input; takes any arguments, so that it can stand for any layer.

    Example:
        >>> from minigrad import nn
        >>> nn.Identity(54, unused=True)
        Identity()
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return input


class Flatten(Module):
    """Joins the dimensions from `start_dim` to `end_dim` into one; by default all but the batch.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> nn.Flatten()(minigrad.zeros(8, 3, 4)).shape
        torch.Size([8, 12])
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        return flatten(input, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"
