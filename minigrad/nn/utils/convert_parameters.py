"""Parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

from minigrad.ops.joining import cat
from minigrad.tensor import Tensor


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All elements of the parameters, one after the other; differentiable.

    Example:
        >>> from minigrad import nn
        >>> nn.utils.parameters_to_vector(nn.Linear(3, 2).parameters()).shape
        torch.Size([8])
    """
    return cat([parameter.reshape(-1) for parameter in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Make the elements of a vector, in order, the data of the parameters, which then share its memory.

    Raises:
        TypeError: `vec` is not a tensor.
        RuntimeError: it has fewer elements than the parameters.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> layer = nn.Linear(1, 2)
        >>> nn.utils.vector_to_parameters(minigrad.arange(4.0), layer.parameters())
        >>> layer.weight.tolist(), layer.bias.tolist()
        ([[0.0], [1.0]], [2.0, 3.0])
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {type(vec).__name__}")
    listed = list(parameters)
    wanted = sum(parameter.numel() for parameter in listed)
    if vec.numel() < wanted:  # nothing is changed halfway
        raise RuntimeError(
            f"shape '[{wanted}]' is invalid for input of size {vec.numel()}\n"
            "The vector needs an element for each of the parameters'."
        )
    start = 0
    for parameter in listed:
        stop = start + parameter.numel()
        parameter.data = vec[start:stop].view(parameter.shape).data
        start = stop
