"""How the losses of the catalogue are called on minigrad and on torch."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from benchmarks.built import Missing
from benchmarks.catalogue import Arrays, Loss

Call = Callable[[], Any]


def prepare(
    backend: str, loss: Loss, arrays: Arrays, wrap: Callable[[Any], Any] = lambda f: f, **options: Any
) -> tuple[Call, dict[str, Any]]:
    """A function that computes the loss, and the leaves to differentiate it by.

    The arrays are shared, not copied; `wrap` may compile the loss; the options go before those of the
    catalogue.
    """
    torch = importlib.import_module(backend)
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    leaves = {name: tensors[name].requires_grad_() for name in loss.wrt}
    options = loss.options | options
    if loss.function == "AdaptiveLogSoftmaxWithLoss":
        return _adaptive(backend, tensors, leaves, wrap, **options), leaves
    function = wrap(_function(backend, loss))
    return lambda: function(**tensors, **options), leaves


def _function(backend: str, loss: Loss) -> Callable[..., Any]:
    if loss.extra and backend == "torch":
        return _composed(loss)
    home = importlib.import_module(f"{backend}.nn.{'extra' if loss.extra else 'functional'}")
    if not hasattr(home, loss.function):
        raise Missing(loss.function)
    return getattr(home, loss.function)


def _composed(loss: Loss) -> Callable[..., Any]:
    """torch's operations in the place of a loss that torch lacks."""
    formula = importlib.import_module("benchmarks.formulas").FORMULAS[loss.function]

    def reduced(reduction: str = "mean", **arguments: Any) -> Any:
        losses = formula(**arguments)
        return losses if reduction == "none" else losses.mean()

    return reduced


def _adaptive(
    backend: str,
    tensors: dict[str, Any],
    leaves: dict[str, Any],
    wrap: Callable[[Any], Any],
    reduction: str = "mean",
) -> Call:
    """The adaptive softmax with its layers set to those given, which become leaves of their own."""
    nn = importlib.import_module(f"{backend}.nn")
    if not hasattr(nn, "AdaptiveLogSoftmaxWithLoss"):
        raise Missing("AdaptiveLogSoftmaxWithLoss")
    head, down, up = (nn.Parameter(tensors[name].detach()) for name in ("head", "down", "up"))
    leaves |= {"head": head, "down": down, "up": up}
    frequent, size = len(head) - 1, head.shape[1]
    module = nn.AdaptiveLogSoftmaxWithLoss(size, frequent + len(up), [frequent])
    module.head.weight = head
    module.tail[0][0].weight = down
    module.tail[0][1].weight = up
    module = wrap(module)

    def call() -> Any:
        found = module(tensors["input"], tensors["target"])
        return -found.output if reduction == "none" else found.loss

    return call
