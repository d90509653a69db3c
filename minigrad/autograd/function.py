"""User-defined operations: `Function`, with a forward and a backward of the user's own."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.autograd.op import sum_to
from minigrad.autograd.tape import (
    FREED,
    Cotangents,
    Node,
    Pick,
    Variable,
    current_node,
    mode,
    no_grad,
    set_grad_enabled,
)


class FunctionCtx:
    """What `forward` leaves for `backward`: saved tensors, and any attribute the user sets."""

    def __init__(self) -> None:
        self.needs_input_grad: tuple[bool, ...] = ()
        self._to_save: tuple[Any, ...] = ()
        self._saved: list[Any] | None = None
        self._versions: list[int] = []
        self._node: Node | None = None
        self._materialize = True
        self._non_differentiable: tuple[Any, ...] = ()

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors (or None) for `backward`, which finds them in `ctx.saved_tensors`."""
        self._to_save = tensors

    def mark_non_differentiable(self, *outputs: Any) -> None:
        """Say that these results of `forward` have no gradient."""
        self._non_differentiable = outputs

    def mark_dirty(self, *inputs: Any) -> None:
        """Say that these inputs were changed in place."""
        for variable in inputs:
            variable._counter[0] += 1

    def set_materialize_grads(self, value: bool) -> None:
        """With False, `backward` gets None, not zeros, for a result without a cotangent."""
        self._materialize = value

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The tensors given to `save_for_backward`."""
        if self._saved is None:
            raise RuntimeError(FREED)
        for saved, version in zip(self._saved, self._versions, strict=True):
            if saved is not None and saved._counter[0] != version:
                raise RuntimeError(
                    "one of the variables needed for gradient computation has been modified by an inplace "
                    f"operation: a tensor of shape {list(saved._array.shape)} given to save_for_backward "
                    f"is at version {saved._counter[0]}; expected version {version} instead."
                )
        return tuple(self._saved)

    def _keep(self, results: Sequence[Any]) -> None:
        """Hold what was saved; a result is held without its node, or the graph would hold itself."""
        self._saved = []
        for variable in self._to_save:
            if isinstance(variable, Variable) and any(variable is r for r in results):
                alias = variable._result._wrap(variable._array)
                alias._counter = variable._counter
                variable = alias
            self._saved.append(variable)
        self._versions = [0 if s is None else s._counter[0] for s in self._saved]
        self._to_save = ()


class Function:
    """Base of user-defined differentiable operations.

    Subclass it with static methods `forward(ctx, *args)` and `backward(ctx, *grad_outputs)`, or
    `forward(*args)` with `setup_context(ctx, inputs, output)`, and call `YourFunction.apply(...)`.
    `backward` returns one gradient (or None) per argument of `forward`. With `create_graph=True` what
    it does is recorded, so higher derivatives follow.

    Raises:
        RuntimeError: `backward` returns the wrong number of gradients, or one of the wrong shape.

    Example:
        >>> import minigrad
        >>> class Square(minigrad.autograd.Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         ctx.save_for_backward(x)
        ...         return x * x
        ...     @staticmethod
        ...     def backward(ctx, g):
        ...         (x,) = ctx.saved_tensors
        ...         return 2 * x * g
        >>> x = minigrad.tensor([3.0], requires_grad=True)
        >>> y = Square.apply(x)
        >>> y
        tensor([9.], grad_fn=<SquareBackward>)
        >>> y.backward()
        >>> x.grad
        tensor([6.])
    """

    setup_context: Any = None

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the result; nothing is recorded inside."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """The gradient of each argument of `forward`, from those of its results."""
        raise NotImplementedError("You must implement the backward function for custom autograd.Function.")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run `forward` and record it."""
        edges = [current_node(a) if isinstance(a, Variable) else None for a in args]
        ctx = FunctionCtx()
        ctx.needs_input_grad = tuple(edge is not None for edge in edges)
        with no_grad():
            if cls.setup_context is not None:
                output = cls.forward(*args)
                cls.setup_context(ctx, args, output)
            else:
                output = cls.forward(ctx, *args)
        results: Sequence[Any] = output if isinstance(output, tuple) else (output,)
        ctx._keep(results)
        if mode.enabled and any(ctx.needs_input_grad):
            results = FunctionNode(cls, ctx, args, edges).attach(results)
        return tuple(results) if isinstance(output, tuple) else results[0]


class FunctionNode(Node):
    """A recorded call of a `Function`."""

    __slots__ = ("ctx", "function", "results", "shapes")

    def __init__(self, function: type[Function], ctx: Any, args: Sequence[Any], edges: list) -> None:
        super().__init__(edges)
        self.function = function
        self.ctx = ctx
        self.shapes = [a._array.shape if isinstance(a, Variable) else None for a in args]
        self.results: list[tuple] = []

    def attach(self, results: Sequence[Any]) -> list[Any]:
        """The results as part of the graph; new tensors, so that returning an argument is no trap."""
        attached = []
        for place, result in enumerate(results):
            fixed = any(result is n for n in self.ctx._non_differentiable)
            if isinstance(result, Variable) and result._array.dtype.kind == "f" and not fixed:
                node: Node = self if len(results) == 1 else Pick(self, place, len(results))
                counter = result._counter
                result = result._result._wrap(result._array, node)
                result._counter = counter
            attached.append(result)
            self.results.append(
                (result._result, result._array.shape, result._array.dtype)
                if isinstance(result, Variable)
                else (None, None, None)
            )
        return attached

    def vjp(self, g: Any, keep: bool) -> Sequence[Any]:
        cotangents = g if isinstance(g, Cotangents) else [g]
        recorded = any(isinstance(c, Variable) for c in cotangents)
        given = [self._given(c, *r) for c, r in zip(cotangents, self.results, strict=True)]
        with set_grad_enabled(recorded):
            returned = self.function.backward(self.ctx, *given)
        gradients = returned if isinstance(returned, tuple) else (returned,)
        expected = len(self.edges)
        if len(gradients) > expected and all(extra is None for extra in gradients[expected:]):
            gradients = gradients[:expected]
        if len(gradients) != expected:
            raise RuntimeError(
                f"function {self.name()} returned an incorrect number of gradients (expected {expected}, "
                f"got {len(gradients)}). Return one gradient, or None, for each argument of forward."
            )
        return [
            None if edge is None or gradient is None else self._fit(i, gradient, recorded)
            for i, (edge, gradient) in enumerate(zip(self.edges, gradients, strict=True))
        ]

    def _given(self, cotangent: Any, kind: Any, shape: Any, dtype: Any) -> Any:
        if cotangent is None and self.ctx._materialize and kind is not None:
            cotangent = np.zeros(shape, dtype)
        if cotangent is None or isinstance(cotangent, Variable):
            return cotangent
        return kind._wrap(np.asarray(cotangent))

    def _fit(self, place: int, gradient: Any, recorded: bool) -> Any:
        if not isinstance(gradient, Variable):
            raise TypeError(
                f"expected Variable or None (got {type(gradient).__name__}) from {self.name()} for "
                f"gradient {place}. Return a Tensor."
            )
        shape: Any = self.shapes[place]
        if gradient._array.shape != shape:
            try:
                fits = np.broadcast_shapes(gradient._array.shape, shape) == gradient._array.shape
            except ValueError:
                fits = False
            if not fits:
                raise RuntimeError(
                    f"Function {self.name()} returned an invalid gradient at index {place} - got "
                    f"{list(gradient._array.shape)} but expected shape compatible with {list(shape)}"
                )
            gradient = sum_to(gradient, shape=shape)
        return gradient if recorded else gradient._array[...]  # a view: others may hold the array

    def release(self) -> None:
        self.ctx._saved = None

    def name(self) -> str:
        return self.function.__name__ + "Backward"


def once_differentiable(backward: Any) -> Any:
    """Decorator of a `backward` that cannot itself be differentiated.

    It runs unrecorded. In a recorded walk whose cotangents require a gradient, differentiating what it
    returned raises RuntimeError.

    Example:
        >>> import minigrad
        >>> from minigrad.autograd.function import once_differentiable
        >>> class Square(minigrad.autograd.Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         ctx.save_for_backward(x)
        ...         return x * x
        ...     @staticmethod
        ...     @once_differentiable
        ...     def backward(ctx, g):
        ...         return 2 * ctx.saved_tensors[0] * g
        >>> x = minigrad.tensor(3.0, requires_grad=True)
        >>> Square.apply(x).backward()
        >>> x.grad
        tensor(6.)
    """

    @functools.wraps(backward)
    def wrapper(ctx: Any, *grad_outputs: Any) -> Any:
        with no_grad():
            returned = backward(ctx, *grad_outputs)
        edges = [current_node(g) for g in grad_outputs if isinstance(g, Variable)]
        if not mode.enabled or not any(edges):
            return returned
        marked = [
            g._result._wrap(g._array, Refusal(edges)) if isinstance(g, Variable) else g
            for g in (returned if isinstance(returned, tuple) else (returned,))
        ]
        return tuple(marked)

    return wrapper


class Refusal(Node):
    """The node of a gradient that cannot be differentiated: walking through it is an error."""

    __slots__ = ()

    def vjp(self, g: Any, keep: bool) -> Sequence[Any]:
        raise RuntimeError(
            "trying to differentiate twice a function that was marked with @once_differentiable"
        )

    def name(self) -> str:
        return "Error"
