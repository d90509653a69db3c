"""Bilinear, a layer of two inputs, and Unflatten."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minigrad import dtypes
from minigrad.creation import empty
from minigrad.nn import init
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.tensor import Tensor


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """y_k = sum_ij x1_i W_kij x2_j + b_k.

    Shapes: input1 (..., I), input2 (..., J), weight (K, I, J), bias (K), result (..., K).

    Raises:
        RuntimeError: the inputs' batches differ, or a last size is not the weight's.

    Example:
        >>> import minigrad
        >>> x, y = minigrad.tensor([[1.0, 2.0]]), minigrad.tensor([[3.0, 4.0]])
        >>> minigrad.nn.functional.bilinear(x, y, minigrad.eye(2).unsqueeze(0))
        tensor([[11.]])
    """
    if input1.ndim != input2.ndim:
        raise RuntimeError(f"bilinear(): input dimensions do not match: got {input1.ndim} and {input2.ndim}")
    for axis, (a, b) in enumerate(zip(input1.shape[:-1], input2.shape[:-1], strict=True)):
        if a != b:
            raise RuntimeError(
                f"bilinear(): input batch dimensions do not match at dim {axis}: got {a} and {b}"
            )
    for place, given in ((1, input1), (2, input2)):
        if given.shape[-1] != weight.shape[place]:
            raise RuntimeError(
                f"bilinear(): input{place} size does not match weight size: got {given.shape[-1]} but "
                f"expected {weight.shape[place]}"
            )
    if bias is not None and bias.shape[0] != weight.shape[0]:
        raise RuntimeError(
            f"bilinear(): bias size does not match weight size: got {bias.shape[0]} but expected "
            f"{weight.shape[0]}"
        )
    outputs, first, second = weight.shape
    x1, x2 = input1.reshape(-1, first), input2.reshape(-1, second)
    half = (x1 @ weight.permute(1, 0, 2).reshape(first, -1)).reshape(-1, outputs, second)
    y: Tensor = (half * x2.unsqueeze(1)).sum(-1).view(*input1.shape[:-1], outputs)
    return y if bias is None else y + bias


class Bilinear(Module):
    """y = x1ᵀ W x2 + b, see `functional.bilinear`.

    Raises:
        ValueError: `in1_features` is not positive.

    Example:
        >>> from minigrad import nn
        >>> nn.Bilinear(2, 3, 4)
        Bilinear(in1_features=2, in2_features=3, out_features=4, bias=True)
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        dtypes.check_device(device)
        if in1_features <= 0:
            raise ValueError(f"in1_features must be > 0, but got (in1_features={in1_features})")
        self.in1_features, self.in2_features, self.out_features = in1_features, in2_features, out_features
        self.weight = Parameter(empty(out_features, in1_features, in2_features, dtype=dtype))
        self.register_parameter("bias", Parameter(empty(out_features, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        bound = 1 / math.sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )


class Unflatten(Module):
    """Give dimension `dim` the shape `unflattened_size`; one -1 in it is worked out.

    Raises:
        RuntimeError: the sizes do not multiply to that of the dimension.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> nn.Unflatten(1, (2, 3))(minigrad.zeros(4, 6)).shape
        torch.Size([4, 2, 3])
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        if not isinstance(dim, int):
            raise TypeError("unflatten: dim must be an int; named dimensions are not supported")
        if not isinstance(unflattened_size, (tuple, list)):
            raise TypeError(
                "unflattened_size must be tuple of ints, but found type " + type(unflattened_size).__name__
            )
        self.dim, self.unflattened_size = dim, unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        sizes, dim = list(self.unflattened_size), self.dim % max(input.ndim, 1)
        known = math.prod(size for size in sizes if size != -1)
        if -1 in sizes and known:
            sizes[sizes.index(-1)] = input.shape[dim] // known
        if math.prod(sizes) != input.shape[dim]:
            raise RuntimeError(
                f"unflatten: Provided sizes {list(self.unflattened_size)} don't multiply up to the size of "
                f"dim {self.dim} ({input.shape[dim]}) in the input tensor"
            )
        return input.reshape(*input.shape[:dim], *sizes, *input.shape[dim + 1 :])

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
