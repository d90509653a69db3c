"""Jacobians, Hessians and their products with vectors, of functions of tensors: torch.autograd.functional.

Every function takes `func` and its inputs, a tensor or a tuple of them, and gives results in the same form.
With `create_graph` the results can be differentiated again. With `strict` an output that does not depend on
an input is an error; else its derivative is zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minigrad.autograd.engine import grad
from minigrad.autograd.tape import enable_grad
from minigrad.creation import ones_like, zeros, zeros_like
from minigrad.ops.joining import stack
from minigrad.tensor import Tensor

Tensors = Any  # a tensor, or a tuple of them


def vjp(
    func: Callable[..., Tensors],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Tensors, Tensors]:
    """The value of `func`, and vᵀJ: the product of a vector with its Jacobian.

    Args:
        func: a function of tensors that gives a tensor or a tuple of them.
        inputs: what it is called with.
        v: the vector, of the shape of the output; may be left out for an output of one element.
        create_graph: make results that can be differentiated.
        strict: raise where an output does not depend on an input.

    Raises:
        TypeError: the inputs, outputs or v are no tensors.
        RuntimeError: v does not fit the output, or it is not `strict`ly differentiable.

    Example:
        >>> import minigrad
        >>> from minigrad.autograd.functional import vjp
        >>> vjp(lambda x: x * x, minigrad.tensor([1.0, 2.0]), minigrad.tensor([1.0, 10.0]))
        (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    with enable_grad():
        several, xs = _prepared(inputs, "vjp", create_graph)
        tuple_out, ys = _outputs(func(*xs), "vjp", strict)
        vs = _vector(v, ys, tuple_out, "vjp", "the user-provided function returns")
        found = _filled(_gradients(ys, xs, vs, create_graph), xs, strict)
    return _as_given(ys, tuple_out, create_graph), _as_given(found, several, create_graph)


def jvp(
    func: Callable[..., Tensors],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Tensors, Tensors]:
    """The value of `func`, and J v: the product of its Jacobian with a vector.

    Computed backward twice: the gradient of uᵀJ with respect to u, which it is linear in. The arguments and
    the errors are those of `vjp`, but v has the shape of the inputs.

    Example:
        >>> import minigrad
        >>> from minigrad.autograd.functional import jvp
        >>> jvp(lambda x: x * x, minigrad.tensor([1.0, 2.0]), minigrad.tensor([1.0, 10.0]))
        (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    with enable_grad():
        several, xs = _prepared(inputs, "jvp", create_graph)
        vs = _vector(v, xs, several, "jvp", "the input to the user-provided function is")
        tuple_out, ys = _outputs(func(*xs), "jvp", strict)
        us = [zeros_like(y).requires_grad_() for y in ys]
        products = _filled(_gradients(ys, xs, us, True), xs, strict)
        found = _filled(_gradients(products, us, vs, create_graph), us, False)
    return _as_given(ys, tuple_out, create_graph), _as_given(found, tuple_out, create_graph)


def jacobian(
    func: Callable[..., Tensors], inputs: Tensors, create_graph: bool = False, strict: bool = False
) -> Tensors:
    """The derivatives of each element of the output with respect to each element of the inputs.

    For one input and one output a tensor of the shape of the output followed by that of the input; for
    several of either a tuple of them, of both a tuple of tuples, the outputs first. The arguments and errors
    are those of `vjp`.

    Example:
        >>> import minigrad
        >>> from minigrad.autograd.functional import jacobian
        >>> jacobian(lambda x: x * x, minigrad.tensor([1.0, 2.0]))
        tensor([[2., 0.],
                [0., 4.]])
    """
    with enable_grad():
        several, xs = _prepared(inputs, "jacobian", create_graph)
        tuple_out, ys = _outputs(func(*xs), "jacobian", strict)
        rows = [_jacobian_of(y, xs, create_graph, strict, f"Output {place}") for place, y in enumerate(ys)]
    found = [_as_given(row, several, create_graph) for row in rows]
    return tuple(found) if tuple_out else found[0]


def hessian(
    func: Callable[..., Tensor], inputs: Tensors, create_graph: bool = False, strict: bool = False
) -> Tensors:
    """The second derivatives of a function that gives one element: the Jacobian of its gradient.

    For one input a tensor of twice its shape, for several a tuple of tuples. The arguments and errors are
    those of `vjp`; the output must have one element.

    Example:
        >>> import minigrad
        >>> from minigrad.autograd.functional import hessian
        >>> hessian(lambda x: (x ** 3).sum(), minigrad.tensor([1.0, 2.0]))
        tensor([[ 6.,  0.],
                [ 0., 12.]])
    """
    several, _ = _listed(inputs, "inputs", "hessian")

    def gradient(*xs: Tensor) -> tuple[Tensor, ...]:
        ys = [_single(func(*xs), "hessian", strict)]
        found = _filled(_gradients(ys, xs, [ones_like(ys[0])], True), xs, strict)
        if strict:
            _check_dependence(found)
        return tuple(found)

    found = jacobian(gradient, inputs, create_graph)
    return found if several else found[0]


def vhp(
    func: Callable[..., Tensor],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Tensor, Tensors]:
    """The value of `func`, of one element, and vᵀH: the product of a vector with its Hessian.

    The arguments and errors are those of `vjp`, but v has the shape of the inputs.

    Example:
        >>> import minigrad
        >>> from minigrad.autograd.functional import vhp
        >>> vhp(lambda x: (x ** 3).sum(), minigrad.tensor([1.0, 2.0]), minigrad.tensor([1.0, 1.0]))
        (tensor(9.), tensor([ 6., 12.]))
    """
    return _hessian_product(func, inputs, v, create_graph, strict, "vhp")


def hvp(
    func: Callable[..., Tensor],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Tensor, Tensors]:
    """The value of `func`, of one element, and H v: the product of its Hessian with a vector.

    The Hessian is symmetric, so this is what `vhp` gives. The arguments and errors are those of `vhp`.

    Example:
        >>> import minigrad
        >>> from minigrad.autograd.functional import hvp
        >>> hvp(lambda x: (x ** 3).sum(), minigrad.tensor([1.0, 2.0]), minigrad.tensor([1.0, 1.0]))
        (tensor(9.), tensor([ 6., 12.]))
    """
    return _hessian_product(func, inputs, v, create_graph, strict, "hvp")


def _hessian_product(
    func: Callable[..., Tensor],
    inputs: Tensors,
    v: Tensors | None,
    create_graph: bool,
    strict: bool,
    name: str,
) -> tuple[Tensor, Tensors]:
    with enable_grad():
        several, xs = _prepared(inputs, name, create_graph)
        vs = _vector(v, xs, several, name, "the input to the user-provided function is")
        y = _single(func(*xs), name, strict)
        slopes = _filled(_gradients([y], xs, [ones_like(y)], True), xs, strict)
        found = _filled(_gradients(slopes, xs, vs, create_graph), xs, strict)
    return _as_given([y], False, create_graph), _as_given(found, several, create_graph)


# ------------------------------------------------------------------------------------------------- the parts
def _listed(given: Any, what: str, name: str) -> tuple[bool, list[Tensor]]:
    """Whether several are given, and all of them."""
    several = isinstance(given, tuple)
    listed = list(given) if several else [given]
    for place, each in enumerate(listed):
        if not isinstance(each, Tensor):
            if several:
                raise TypeError(
                    f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but the value "
                    f"at index {place} has type {type(each)}."
                )
            raise TypeError(
                f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but the given "
                f"{what} has type {type(each)}."
            )
    return several, listed


def _prepared(inputs: Any, name: str, create_graph: bool) -> tuple[bool, list[Tensor]]:
    """New tensors to differentiate by, so that those which `func` itself uses count as constants."""
    several, listed = _listed(inputs, "inputs", name)
    return several, [
        x.view(x.shape) if create_graph and x.requires_grad else x.detach().requires_grad_() for x in listed
    ]


def _outputs(given: Any, name: str, strict: bool) -> tuple[bool, list[Tensor]]:
    several, listed = _listed(given, "outputs of the user-provided function", name)
    if strict:
        for place, y in enumerate(listed):
            if not y.requires_grad:
                raise RuntimeError(
                    f"Output {place} of the user-provided function does not require gradients. The outputs "
                    "must be computed in a differentiable manner from the input when running in strict mode."
                )
    return several, listed


def _single(given: Any, name: str, strict: bool) -> Tensor:
    """The output of a function that has a Hessian."""
    several, listed = _outputs(given, name, strict)
    if several:
        raise RuntimeError(f"The function given to {name} should return a single Tensor")
    if listed[0].numel() != 1:
        raise RuntimeError(
            f"The Tensor returned by the function given to {name} should contain a single element"
        )
    return listed[0]


def _vector(v: Any, like: list[Tensor], several: bool, name: str, where: str) -> list[Tensor]:
    """The tensors of v, which must have the shapes of those of `like`."""
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(
                f"The vector v can only be None if {where} a single Tensor with a single element."
            )
        return [ones_like(like[0])]
    _, vs = _listed(v, "v", name)
    if len(vs) != len(like):
        wanted = f"v is a tuple of invalid length: should be {len(like)} but got {len(vs)}."
        raise RuntimeError(wanted if several else "The given v should contain a single Tensor.")
    for place, (each, other) in enumerate(zip(vs, like, strict=True)):
        if each.shape != other.shape:
            entry = f"Entry {place} in " if several else ""
            raise RuntimeError(f"{entry}v has invalid size: should be {other.shape} but got {each.shape}.")
    return vs


def _gradients(
    ys: Sequence[Tensor], xs: Sequence[Tensor], vs: Sequence[Tensor], create_graph: bool
) -> Sequence[Tensor | None]:
    """Σ v ∂y/∂x for each x, of the outputs that have a graph; None where none depends on it."""
    pairs = [(y, v) for y, v in zip(ys, vs, strict=True) if y.requires_grad]
    if not pairs:
        return [None] * len(xs)
    outputs, cotangents = zip(*pairs, strict=True)
    return grad(outputs, xs, cotangents, retain_graph=True, create_graph=create_graph, allow_unused=True)


def _filled(
    found: Sequence[Tensor | None], xs: Sequence[Tensor], strict: bool, output: str = "The output"
) -> list[Tensor]:
    """Zeros in place of what is None."""
    if strict:
        for place, g in enumerate(found):
            if g is None:
                raise RuntimeError(
                    f"{output} of the user-provided function is independent of input {place}. This is not "
                    "allowed in strict mode."
                )
    return [zeros_like(x) if g is None else g for g, x in zip(found, xs, strict=True)]


def _check_dependence(slopes: Sequence[Tensor]) -> None:
    for place, slope in enumerate(slopes):
        if not slope.requires_grad:
            raise RuntimeError(
                "While computing the hessian, found that the jacobian of the user-provided function with "
                f"respect to input {place} is independent of the input. This is not allowed in strict mode. "
                "You should ensure that your function is twice differentiable and that the jacobian depends "
                "on the inputs (this would be violated by a linear function for example)."
            )


def _jacobian_of(
    y: Tensor, xs: Sequence[Tensor], create_graph: bool, strict: bool, output: str
) -> list[Tensor]:
    """∂y/∂x for each x: a row for each element of y."""
    rows: list[list[Tensor]] = [[] for _ in xs]
    for element in y.reshape(-1):
        slopes = _gradients([element], xs, [ones_like(element)], create_graph)
        found = _filled(slopes, xs, strict, output)
        for row, g in zip(rows, found, strict=True):
            row.append(g)
    return [
        stack(row).view((*y.shape, *x.shape)) if row else zeros((*y.shape, *x.shape), dtype=x.dtype)
        for row, x in zip(rows, xs, strict=True)
    ]


def _as_given(found: Sequence[Tensor], several: bool, create_graph: bool) -> Tensors:
    """A tuple if several were given, else the one; without a graph unless it is wanted."""
    results = tuple(found if create_graph else (each.detach() for each in found))
    return results if several else results[0]
