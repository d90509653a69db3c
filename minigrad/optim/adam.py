"""Adam and AdamW: steps scaled by running moments of the gradient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.kernels.optim import adam_step
from minigrad.optim.optimizer import Group, Optimizer, check_options, zeros_like
from minigrad.tensor import Tensor


class Adam(Optimizer):
    r"""Adam: the step is the running mean of the gradient over the root of that of its square.

    With the gradient g of the loss by the parameter θ (−g with `maximize`), in step t = 1, 2, ...::

        g ← g + weight_decay · θ                    or, decoupled:  θ ← θ − lr · weight_decay · θ
        m ← β₁ m + (1 − β₁) g                       exp_avg
        v ← β₂ v + (1 − β₂) g²                      exp_avg_sq
        v̂ ← v / (1 − β₂ᵗ)                           with amsgrad, of the largest v so far
        θ ← θ − lr · m / (1 − β₁ᵗ) / (√v̂ + eps)

    Args:
        params: tensors, named tensors or parameter groups, see `Optimizer`.
        lr: learning rate, a number or a one-element tensor.
        betas: β₁ and β₂, both in [0, 1).
        eps: keeps the divisor from zero.
        weight_decay: factor of an L2 penalty, or of the decay if decoupled.
        amsgrad: divide by the largest second moment so far.
        maximize: ascend instead of descending.
        decoupled_weight_decay: decay the parameters themselves, not by the gradient (AdamW).
        foreach, capturable, fused: ignored: a step is one compiled loop over all parameters anyway.
        differentiable: must be False.

    Raises:
        ValueError: lr, eps or weight_decay is negative, a beta is outside [0, 1); and as
            `Optimizer`.

    Source: D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015;
    S. J. Reddi, S. Kale, S. Kumar, "On the convergence of Adam and beyond", ICLR 2018 (amsgrad).

    Example:
        >>> import minigrad
        >>> from minigrad import optim
        >>> w = minigrad.tensor([1.0, 2.0], requires_grad=True)
        >>> optimizer = optim.Adam([w], lr=0.1)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w
        tensor([0.9000, 1.9000], requires_grad=True)
        >>> sorted(optimizer.state[w])
        ['exp_avg', 'exp_avg_sq', 'step']
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        check_options(lr, foreach=foreach, differentiable=differentiable, fused=fused)
        if not lr >= 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if not eps >= 0.0:
            raise ValueError(f"Invalid epsilon value: {eps}")
        betas = _checked(betas)
        if not weight_decay >= 0.0:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for entry in self.state.values():
            if "step" in entry and not isinstance(entry["step"], Tensor):
                entry["step"] = _count(entry["step"])

    def _update(self, group: Group) -> None:
        amsgrad, states = group["amsgrad"], self.state
        beta1, beta2 = group["betas"]
        arrays: list[ndarray] = []
        for param in group["params"]:
            grad = param._grad
            if grad is None:
                continue
            param._counter[0] += 1
            state = states[param]
            if not state:
                _start(state, param, amsgrad)
            arrays += (
                param._array,
                grad._array,
                state["step"]._array,
                state["exp_avg"]._array,
                state["exp_avg_sq"]._array,
            )
            if amsgrad:
                arrays.append(state["max_exp_avg_sq"]._array)
        adam_step(
            arrays,
            lr=float(group["lr"]),
            beta1=beta1,
            beta2=beta2,
            eps=group["eps"],
            weight_decay=group["weight_decay"],
            maximize=group["maximize"],
            decoupled=group["decoupled_weight_decay"],
            amsgrad=amsgrad,
        )


class AdamW(Adam):
    r"""Adam with decoupled weight decay: θ ← θ − lr · weight_decay · θ before every step.

    The arguments are those of `Adam`, but `weight_decay` is 0.01 unless given, and it never enters
    the running moments.

    Raises:
        ValueError: as `Adam`.

    Source: I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR 2019.

    Example:
        >>> import minigrad
        >>> from minigrad import optim
        >>> w = minigrad.tensor([1.0, 2.0], requires_grad=True)
        >>> optimizer = optim.AdamW([w], lr=0.1, weight_decay=0.5)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w
        tensor([0.8500, 1.8000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True


def _checked(betas: tuple[Any, Any]) -> tuple[float, float]:
    """Both betas as floats; they must be floats or one-element tensors, in [0, 1)."""
    for index, beta in enumerate(betas):
        if isinstance(beta, Tensor) and beta.numel() != 1:
            raise ValueError(f"Tensor betas[{index}] must be 1-element")
        if not 0.0 <= beta < 1.0:
            raise ValueError(f"Invalid beta parameter at index {index}: {beta}")
    first, second = betas
    if not any(isinstance(first, kind) and isinstance(second, kind) for kind in (float, Tensor)):
        raise ValueError("betas must be either both floats or both Tensors")
    return float(first), float(second)


def _start(state: dict[str, Any], param: Tensor, amsgrad: bool) -> None:
    state["step"] = _count(0)
    state["exp_avg"] = zeros_like(param)
    state["exp_avg_sq"] = zeros_like(param)
    if amsgrad:
        state["max_exp_avg_sq"] = zeros_like(param)


def _count(step: float) -> Tensor:
    """A step count as torch keeps it: a float32 scalar."""
    return Tensor._wrap(np.array(step, np.float32))
