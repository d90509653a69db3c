"""Gradients kept from becoming too large."""

from __future__ import annotations

from collections.abc import Iterable

from minigrad.autograd.tape import no_grad
from minigrad.creation import tensor
from minigrad.ops.joining import stack
from minigrad.ops.reduction import norm
from minigrad.tensor import Tensor

Tensors = Tensor | Iterable[Tensor]


def _listed(tensors: Tensors) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _gradients(parameters: Tensors) -> list[Tensor]:
    return [p.grad for p in _listed(parameters) if p.grad is not None]


@no_grad()
def get_total_norm(
    tensors: Tensors, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: bool | None = None
) -> Tensor:
    """The norm of the tensors' norms, which is that of all their elements together.

    Args:
        tensors: one tensor or several.
        norm_type: p of the p-norm; infinity for the largest size.
        error_if_nonfinite: raise if the norm is infinite or nan.
        foreach: ignored.

    Raises:
        RuntimeError: the norm is not finite, and `error_if_nonfinite`.

    Example:
        >>> import minigrad
        >>> from minigrad.nn.utils import get_total_norm
        >>> get_total_norm([minigrad.tensor([3.0]), minigrad.tensor([0.0, 4.0])])
        tensor(5.)
    """
    norm_type = float(norm_type)
    norms = [norm(each, norm_type) for each in _listed(tensors)]
    if not norms:
        return tensor(0.0)
    total: Tensor = norm(stack(norms), norm_type)
    if error_if_nonfinite and not bool(total.isfinite()):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it "
            "cannot be clipped. To disable this error and scale the gradients by the non-finite norm anyway, "
            "set `error_if_nonfinite=False`"
        )
    return total


@no_grad()
def clip_grads_with_norm_(
    parameters: Tensors, max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scale gradients in place by max_norm / (total_norm + 1e-6), if that is less than 1.

    Example:
        >>> import minigrad
        >>> from minigrad.nn.utils import clip_grads_with_norm_
        >>> w = minigrad.zeros(2, requires_grad=True)
        >>> w.grad = minigrad.tensor([3.0, 4.0])
        >>> clip_grads_with_norm_(w, 1.0, minigrad.tensor(10.0))
        >>> w.grad
        tensor([0.3000, 0.4000])
    """
    factor = (float(max_norm) / (total_norm + 1e-6)).clamp(max=1.0)
    for gradient in _gradients(parameters):
        gradient.mul_(factor)


@no_grad()
def clip_grad_norm_(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale gradients in place so that their norm, all taken together, is at most `max_norm`.

    Gives the norm they had.

    Args:
        parameters: one tensor or several; those without a gradient are left out.
        max_norm: the largest norm allowed.
        norm_type: p of the p-norm; infinity for the largest size.
        error_if_nonfinite: raise, and scale nothing, if the norm is infinite or nan.
        foreach: ignored.

    Raises:
        RuntimeError: the norm is not finite, and `error_if_nonfinite`.

    Source: R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural networks",
    ICML 2013.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> w = minigrad.zeros(2, requires_grad=True)
        >>> (w * minigrad.tensor([3.0, 4.0])).sum().backward()
        >>> nn.utils.clip_grad_norm_([w], max_norm=1.0)
        tensor(5.)
        >>> w.grad
        tensor([0.6000, 0.8000])
    """
    listed = _listed(parameters)
    total = get_total_norm(_gradients(listed), norm_type, error_if_nonfinite)
    clip_grads_with_norm_(listed, max_norm, total)
    return total


@no_grad()
def clip_grad_value_(parameters: Tensors, clip_value: float, foreach: bool | None = None) -> None:
    """Bring each element of the gradients into [-clip_value, clip_value], in place.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> w = minigrad.zeros(2, requires_grad=True)
        >>> (w * minigrad.tensor([3.0, -0.5])).sum().backward()
        >>> nn.utils.clip_grad_value_(w, 1.0)
        >>> w.grad
        tensor([ 1.0000, -0.5000])
    """
    bound = float(clip_value)
    for gradient in _gradients(parameters):
        gradient.clamp_(min=-bound, max=bound)
