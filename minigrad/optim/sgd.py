"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from numpy import ndarray

from minigrad.kernels.optim import sgd_step
from minigrad.optim.optimizer import Group, Optimizer, check_options, zeros_like


class SGD(Optimizer):
    r"""Stochastic gradient descent, optionally with momentum.

    With the gradient g of the loss by the parameter θ (−g with `maximize`), in step t = 1, 2, ...::

        g ← g + weight_decay · θ
        b ← g                                       if t = 1
            momentum · b + (1 − dampening) · g      otherwise
        θ ← θ − lr · g                              without momentum
            θ − lr · b                              with momentum
            θ − lr · (g + momentum · b)             with nesterov

    Args:
        params: tensors, named tensors or parameter groups, see `Optimizer`.
        lr: learning rate, a number or a one-element tensor.
        momentum: share of the previous update that is kept.
        dampening: share of the gradient that the momentum leaves out; not in the first step.
        weight_decay: factor of an L2 penalty on the parameters.
        nesterov: use the gradient at the point the momentum leads to.
        maximize: ascend instead of descending.
        foreach, fused: ignored: a step is one compiled loop over all parameters anyway.
        differentiable: must be False.

    Raises:
        ValueError: lr, momentum or weight_decay is negative; nesterov without momentum or with
            dampening; and as `Optimizer`.

    Source: I. Sutskever, J. Martens, G. Dahl, G. Hinton, "On the importance of initialization and
    momentum in deep learning", ICML 2013; here the learning rate multiplies the buffer, not what
    goes into it.

    Example:
        >>> import minigrad
        >>> from minigrad import optim
        >>> w = minigrad.tensor([1.0, 2.0], requires_grad=True)
        >>> optimizer = optim.SGD([w], lr=0.1, momentum=0.9)
        >>> for _ in range(2):
        ...     optimizer.zero_grad()
        ...     (w * w).sum().backward()
        ...     optimizer.step()
        >>> w
        tensor([0.4600, 0.9200], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_options(lr, foreach=foreach, differentiable=differentiable, fused=fused)
        if lr < 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if momentum < 0.0:
            raise ValueError(f"Invalid momentum value: {momentum}")
        if weight_decay < 0.0:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def _update(self, group: Group) -> None:
        momentum, states = group["momentum"], self.state
        arrays: list[ndarray] = []
        fresh: list[ndarray] = []  # of the parameters whose first step with momentum this is
        for param in group["params"]:
            grad = param._grad
            if grad is None:
                continue
            param._counter[0] += 1
            if not momentum:
                arrays += (param._array, grad._array)
                continue
            state = states[param]
            buffer = state.get("momentum_buffer")
            if buffer is None:
                buffer = state["momentum_buffer"] = zeros_like(param)
                fresh += (param._array, grad._array, buffer._array)
            else:
                arrays += (param._array, grad._array, buffer._array)
        options = (
            float(group["lr"]),
            momentum,
            group["dampening"],
            group["weight_decay"],
            group["nesterov"],
            group["maximize"],
        )
        if fresh:
            sgd_step(fresh, *options, first=True)
        if arrays:
            sgd_step(arrays, *options)
