"""Calls of modules that have hooks, and the taps that show a module's gradients to its hooks."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from minigrad.autograd.function import Function
from minigrad.autograd.tape import is_grad_enabled
from minigrad.tensor import Tensor


def call_with_hooks(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`module.forward(*args, **kwargs)` with its pre-hooks before and its hooks after."""
    for pre_hook in tuple(module._forward_pre_hooks.values()):
        changed = pre_hook(module, args)
        if changed is not None:
            args = changed if isinstance(changed, tuple) else (changed,)
    taps = GradientTaps(module) if module._backward_hooks else None
    if taps is not None:
        args = taps.on_inputs(args)
    result = module.forward(*args, **kwargs)
    for hook in tuple(module._forward_hooks.values()):
        changed = hook(module, args, result)
        if changed is not None:
            result = changed
    return result if taps is None else taps.on_result(result)


class BackwardHookFunction(Function):
    """The identity of several tensors at once, which shows their gradients to a callback."""

    @staticmethod
    def forward(ctx: Any, on_gradients: Callable[..., Any], *tensors: Tensor) -> Any:
        ctx.on_gradients = on_gradients
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(*[t for t in tensors if not t.requires_grad])
        return tensors

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        return (None, *ctx.on_gradients(gradients))


class GradientTaps:
    """Taps on the inputs and results of one call of a module.

    In backward the results' gradients come by first and are kept; once the inputs' gradients are
    there too, the user's hooks see both.
    """

    def __init__(self, module: Any) -> None:
        self.module = module
        self.hooks = tuple(module._backward_hooks.values())
        self.grad_output: tuple[Any, ...] | None = None
        self.inputs_are_tapped = False
        self.input_count = 0

    def on_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, tapped if one of them requires a gradient."""
        self.input_count = len(args)
        tapped = self._tap(args, self._inputs_arrived)
        self.inputs_are_tapped = tapped is not args
        return tapped

    def on_result(self, result: Any) -> Any:
        """The result, a tensor or a tuple, tapped."""
        results = result if isinstance(result, tuple) else (result,)
        tapped = self._tap(results, self._results_arrived)
        return tapped if isinstance(result, tuple) else tapped[0]

    def _tap(
        self, values: tuple[Any, ...], arrived: Callable[[tuple[Any, ...]], tuple[Any, ...]]
    ) -> tuple[Any, ...]:
        places = [i for i, value in enumerate(values) if isinstance(value, Tensor)]
        if not is_grad_enabled() or not any(values[i].requires_grad for i in places):
            return values

        def on_gradients(gradients: Sequence[Any]) -> list[Any]:
            spread: list[Any] = [None] * len(values)
            for place, gradient in zip(places, gradients, strict=True):
                spread[place] = gradient
            returned = arrived(tuple(spread))
            return [returned[place] for place in places]

        tapped = list(values)
        results = BackwardHookFunction.apply(on_gradients, *[values[i] for i in places])
        for place, variable in zip(places, results, strict=True):
            tapped[place] = variable
        return tuple(tapped)

    def _results_arrived(self, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
        if self.inputs_are_tapped:
            self.grad_output = gradients
            return gradients
        warnings.warn(
            "Full backward hook is firing when gradients are computed with respect to module "
            "outputs since no inputs require gradients.",
            UserWarning,
            stacklevel=2,
        )
        for hook in self.hooks:
            returned = hook(self.module, (None,) * self.input_count, gradients)
            if returned is not None and any(gradient is not None for gradient in returned):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always "
                    "return None or None for all gradients."
                )
        return gradients

    def _inputs_arrived(self, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
        if self.grad_output is None:  # reached past the module's result, as in a second backward
            return gradients
        for hook in self.hooks:
            returned = hook(self.module, gradients, self.grad_output)
            if returned is None:
                continue
            if isinstance(returned, Tensor):
                returned = (returned,)
            if len(returned) != len(gradients):
                raise RuntimeError(
                    "Backward hook returned an invalid number of grad_input, got "
                    f"{len(returned)}, but expected {len(gradients)}"
                )
            gradients = tuple(returned)
        self.grad_output = None
        return gradients
