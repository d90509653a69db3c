"""`gradcheck` and `gradgradcheck`: analytic against numeric derivatives, in float64.

For a random cotangent v the scalar <v, f(x)> is differentiated both ways. The cotangent is random since
one of ones hides mistakes: the gradient of sum(softmax(x)) is zero whatever the rule says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.autograd.engine import grad
from minigrad.autograd.tape import Leaf, Variable, current_node, enable_grad


class GradcheckError(RuntimeError):
    """Analytic and numeric derivative differ; the message names the input, the element and both numbers."""


def _outputs(fn: Callable[..., Any], inputs: Sequence[Any]) -> list[Any]:
    returned = fn(*inputs)
    returned = returned if isinstance(returned, (tuple, list)) else (returned,)
    return [r for r in returned if isinstance(r, Variable) and r._array.dtype.kind == "f"]


def _projection(outputs: Sequence[Any], cotangents: Sequence[np.ndarray]) -> float:
    return float(sum(np.sum(o._array * v) for o, v in zip(outputs, cotangents, strict=True)))


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-7,
    rtol: float = 1e-5,
    raise_exception: bool = True,
    seed: int = 0,
) -> bool:
    """Whether the gradient of `func` is the numeric one, for every input that requires a gradient.

    Compares each element of the gradient of <v, func(*inputs)>, v random, with the central difference
    (F(x + eps) - F(x - eps)) / (2 eps); they agree if |analytic - numeric| <= atol + rtol |numeric|. The
    default tolerances are tighter than torch's, so that a rule that is wrong by 0.1 % fails.

    Raises:
        GradcheckError: they differ (False is returned instead with `raise_exception=False`).
        ValueError: no input requires a gradient, or one is not float64.

    Example:
        >>> import minigrad
        >>> x = minigrad.tensor([0.5, -1.5], dtype=minigrad.float64, requires_grad=True)
        >>> minigrad.autograd.gradcheck(minigrad.tanh, x)
        True
    """
    inputs = (inputs,) if isinstance(inputs, Variable) else tuple(inputs)
    wanted = [i for i, x in enumerate(inputs) if isinstance(x, Variable) and current_node(x) is not None]
    if not wanted:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of the them have "
            "requires_grad=True."
        )
    for i in wanted:
        if inputs[i]._array.dtype != np.float64:
            raise ValueError(
                f"gradcheck needs float64 inputs: input {i} is {inputs[i]._array.dtype}, and a difference "
                "of float32 numbers has two digits. Use .double()."
            )
    # Private copies: the differences are taken by changing them in place.
    inputs = tuple(_leaf(x, i in wanted) if isinstance(x, Variable) else x for i, x in enumerate(inputs))
    with enable_grad():
        outputs = _outputs(func, inputs)
    recorded = [k for k, output in enumerate(outputs) if current_node(output) is not None]
    if not recorded:
        raise ValueError("gradcheck: no output of the function requires a gradient.")
    rng = np.random.default_rng(seed)
    cotangents = [_random_cotangent(rng, output._array.shape) for output in outputs]
    analytic = grad(
        [outputs[k] for k in recorded],
        [inputs[i] for i in wanted],
        [outputs[k]._result._wrap(cotangents[k]) for k in recorded],
        allow_unused=True,
    )
    try:
        for i, gradient in zip(wanted, analytic, strict=True):
            array = np.zeros_like(inputs[i]._array) if gradient is None else gradient._array
            _compare(func, inputs, i, array, cotangents, eps, atol, rtol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _random_cotangent(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers of either sign and away from zero, so that no part of the derivative goes unseen."""
    return np.asarray(rng.uniform(0.5, 1.5, shape) * rng.choice([-1.0, 1.0], shape))


def _leaf(variable: Variable, requires_grad: bool) -> Any:
    copy = variable._result._wrap(np.array(variable._array, order="C"))
    if requires_grad:
        copy._node = Leaf(copy)
    return copy


def _compare(
    func: Callable[..., Any],
    inputs: Sequence[Any],
    place: int,
    analytic: np.ndarray,
    cotangents: Sequence[np.ndarray],
    eps: float,
    atol: float,
    rtol: float,
) -> None:
    array = inputs[place]._array
    for element in np.ndindex(array.shape):
        original = array[element]
        values = []
        with enable_grad():  # the function may take gradients itself
            for moved in (original + eps, original - eps):
                array[element] = moved
                values.append(_projection(_outputs(func, inputs), cotangents))
        array[element] = original
        numeric = (values[0] - values[1]) / (2 * eps)
        found = float(analytic[element])
        if not abs(found - numeric) <= atol + rtol * abs(numeric):
            raise GradcheckError(
                f"Jacobian mismatch for input {place} at element {list(element)}: analytic {found:.10g}, "
                f"numerical {numeric:.10g}, difference {abs(found - numeric):.3g} "
                f"(allowed {atol + rtol * abs(numeric):.3g})"
            )


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-6,
    rtol: float = 1e-4,
    raise_exception: bool = True,
    seed: int = 0,
) -> bool:
    """`gradcheck` of the gradient of `func`: whether its second derivatives are right.

    The function checked is (inputs, cotangents) -> gradients, recorded with `create_graph=True`.

    Example:
        >>> import minigrad
        >>> x = minigrad.tensor([0.5, -1.5], dtype=minigrad.float64, requires_grad=True)
        >>> minigrad.autograd.gradgradcheck(minigrad.tanh, x)
        True
    """
    inputs = (inputs,) if isinstance(inputs, Variable) else tuple(inputs)
    wanted = [i for i, x in enumerate(inputs) if isinstance(x, Variable) and current_node(x) is not None]
    with enable_grad():
        outputs = [o for o in _outputs(func, inputs) if current_node(o) is not None]
    if grad_outputs is None:
        rng = np.random.default_rng(seed + 1)
        arrays = [_random_cotangent(rng, o._array.shape) for o in outputs]
        grad_outputs = [_leaf(o._result._wrap(a), True) for o, a in zip(outputs, arrays, strict=True)]
    elif isinstance(grad_outputs, Variable):
        grad_outputs = [grad_outputs]

    def gradients(*arguments: Any) -> tuple[Any, ...]:
        values, cotangents = arguments[: len(inputs)], arguments[len(inputs) :]
        with enable_grad():
            found = [o for o in _outputs(func, values) if current_node(o) is not None]
            targets = [values[i] for i in wanted]
            return grad(found, targets, cotangents, create_graph=True, materialize_grads=True)

    return gradcheck(
        gradients,
        (*inputs, *grad_outputs),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        seed=seed,
    )
