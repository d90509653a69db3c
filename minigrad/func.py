"""Derivatives of functions as functions, and modules as functions of their parameters: torch.func.

The tensors to differentiate by may stand in tuples, lists and dicts, and results come in the same form.
What is found can be differentiated again where the inputs, or what the function itself uses, can be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from minigrad.autograd import engine
from minigrad.autograd.tape import Leaf, Node, current_node, enable_grad
from minigrad.creation import ones_like, zeros, zeros_like
from minigrad.missing import attribute_of as _attribute_of
from minigrad.nn.module import Module
from minigrad.ops.joining import stack
from minigrad.tensor import Tensor

__all__ = ["functional_call", "grad", "grad_and_value", "hessian", "jacrev", "vjp"]
Argnums = int | tuple[int, ...]


# ---------------------------------------------------------------------------------------------- the parts
def _leaves(tree: Any) -> list[Tensor]:
    """The tensors in nested tuples, lists and dicts."""
    if isinstance(tree, Tensor):
        return [tree]
    if isinstance(tree, dict):
        tree = list(tree.values())
    return [leaf for part in tree for leaf in _leaves(part)] if isinstance(tree, (tuple, list)) else []


def _rebuilt(tree: Any, found: Iterator[Any]) -> Any:
    """The same nest with other things in place of its tensors."""
    if isinstance(tree, Tensor):
        return next(found)
    if isinstance(tree, dict):
        return {name: _rebuilt(part, found) for name, part in tree.items()}
    if isinstance(tree, (tuple, list)):
        parts = [_rebuilt(part, found) for part in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    return tree


def _fresh(tree: Any) -> Any:
    """New tensors to differentiate by; the old ones count as constants."""
    for x in _leaves(tree):
        if not x.is_floating_point():
            raise RuntimeError("only Tensors of floating point dtype can require gradients")
    new = (x.view(x.shape) if x.requires_grad else x.detach().requires_grad_() for x in _leaves(tree))
    return _rebuilt(tree, new)


def _settled(tree: Any, own: Sequence[Tensor]) -> Any:
    """Results cut off from the graph, but where they depend on more than these inputs of ours."""
    leaves = {current_node(x) for x in own}
    return _rebuilt(
        tree, (y if _reaches_others(current_node(y), leaves) else y.detach() for y in _leaves(tree))
    )


def _reaches_others(node: Node | None, own: set[Node | None]) -> bool:
    seen, waiting = {node}, [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Leaf) and node not in own:
            return True
        for edge in () if node is None else node.edges:
            if edge not in seen:
                seen.add(edge)
                waiting.append(edge)
    return False


def _replaced(args: tuple[Any, ...], argnums: Argnums) -> tuple[list[Any], Any, list[Tensor]]:
    """The arguments with fresh tensors, those of `argnums`, and their tensors."""
    places = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for place in places:
        if not -len(args) <= place < len(args):
            raise RuntimeError(f"Got argnum={place}, but only {len(args)} positional inputs")
    given = list(args)
    for place in places:
        given[place] = _fresh(args[place])
    wanted = given[argnums] if isinstance(argnums, int) else tuple(given[place] for place in places)
    return given, wanted, _leaves(wanted)


def _gradients(y: Tensor, xs: Sequence[Tensor], g: Tensor) -> list[Tensor]:
    """The gradients of one output; zeros where it does not depend on an input."""
    if not y.requires_grad:
        return [zeros_like(x) for x in xs]
    return list(engine.grad(y, xs, g, create_graph=True, allow_unused=True, materialize_grads=True))


def _with_aux(name: str, found: Any, has_aux: bool) -> tuple[Any, Any]:
    if not has_aux:
        return found, None
    if not isinstance(found, tuple) or len(found) != 2:
        raise RuntimeError(
            f"{name}: output of function f should be a tuple: (output, aux) if has_aux is True"
        )
    return found


# ---------------------------------------------------------------------------------------------- gradients
def grad_and_value(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that gives the gradient of `func`, and its value.

    Args:
        func: a function that gives a 0-d tensor, or with `has_aux` such a tensor and anything else.
        argnums: by which positional argument to differentiate, or a tuple of several.
        has_aux: give (gradient, (value, what else it gave)).

    Raises:
        RuntimeError: the function gives no 0-d tensor, or an argument is missing or not floating.

    Example:
        >>> import minigrad
        >>> minigrad.func.grad_and_value(lambda x: (x ** 3).sum())(minigrad.tensor([1.0, 2.0]))
        (tensor([ 3., 12.]), tensor(9.))
    """

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with enable_grad():
            given, wanted, xs = _replaced(args, argnums)
            y, aux = _with_aux("grad_and_value(f)(*args)", func(*given, **kwargs), has_aux)
            if not isinstance(y, Tensor):
                raise RuntimeError(
                    f"grad_and_value(f)(*args): Expected f(*args) to return a Tensor, got {type(y)}"
                )
            if y.ndim:
                raise RuntimeError(
                    "grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, got tensor with "
                    f"{y.ndim} dims. Maybe you wanted to use the vjp or jacrev APIs instead?"
                )
            found = _rebuilt(wanted, iter(_gradients(y, xs, ones_like(y))))
            found, y, aux = (_settled(tree, xs) for tree in (found, y, aux))
        return (found, (y, aux)) if has_aux else (found, y)

    return wrapper


def grad(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that gives the gradient of `func`; the arguments are those of `grad_and_value`.

    With `has_aux` it gives (gradient, what else `func` gave).

    Example:
        >>> import minigrad
        >>> from minigrad.func import grad
        >>> grad(grad(lambda x: x ** 3))(minigrad.tensor(2.0))
        tensor(12.)
    """
    both = grad_and_value(func, argnums, has_aux)

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        found, value = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return wrapper


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of `func`, and a function that takes a cotangent of it to those of the primals.

    Raises:
        RuntimeError: the cotangents are not as many, or not of the shapes, of the outputs.

    Example:
        >>> import minigrad
        >>> value, pullback = minigrad.func.vjp(lambda x: x * x, minigrad.tensor([1.0, 2.0]))
        >>> pullback(minigrad.tensor([1.0, 10.0]))
        (tensor([ 2., 40.]),)
    """
    with enable_grad():
        fresh = _fresh(primals)
        xs = _leaves(fresh)
        y, aux = _with_aux("vjp(f, *primals)", func(*fresh), has_aux)

    def pullback(cotangents: Any) -> Any:
        outputs, gs = _leaves(y), _leaves(cotangents)
        if len(outputs) != len(gs):
            raise RuntimeError(
                f"Expected pytree structure of cotangents to be the same as pytree structure of outputs to "
                f"the function: {len(outputs)} tensors, but got {len(gs)}"
            )
        with enable_grad():
            total = [zeros_like(x) for x in xs]
            for output, g in zip(outputs, gs, strict=True):
                total = [a + b for a, b in zip(total, _gradients(output, xs, g), strict=True)]
            return _settled(_rebuilt(fresh, iter(total)), xs)

    found = _settled(y, xs)
    return (found, pullback, _settled(aux, xs)) if has_aux else (found, pullback)


def jacrev(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that gives the Jacobian of `func`: of the shape of the output followed by the input's.

    The arguments are those of `grad_and_value`, but `func` may give tensors of any shape.

    Example:
        >>> import minigrad
        >>> minigrad.func.jacrev(lambda x: x * x)(minigrad.tensor([1.0, 2.0]))
        tensor([[2., 0.],
                [0., 4.]])
    """

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with enable_grad():
            given, wanted, xs = _replaced(args, argnums)
            ys, aux = _with_aux("jacrev(f)(*args)", func(*given, **kwargs), has_aux)
            parts = (_rebuilt(wanted, iter(_jacobians(y, xs))) for y in _leaves(ys))
            found = _settled(_rebuilt(ys, parts), xs)
        return (found, _settled(aux, xs)) if has_aux else found

    return wrapper


def _jacobians(y: Tensor, xs: Sequence[Tensor]) -> list[Tensor]:
    rows = [_gradients(element, xs, ones_like(element)) for element in y.reshape(-1)]
    return [
        stack([row[place] for row in rows]).view((*y.shape, *x.shape))
        if rows
        else zeros((*y.shape, *x.shape), dtype=x.dtype)
        for place, x in enumerate(xs)
    ]


def hessian(func: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """A function that gives the second derivatives of `func`: the Jacobian of its Jacobian.

    Example:
        >>> import minigrad
        >>> minigrad.func.hessian(lambda x: (x ** 3).sum())(minigrad.tensor([1.0, 2.0]))
        tensor([[ 6.,  0.],
                [ 0., 12.]])
    """
    return jacrev(jacrev(func, argnums), argnums)


# ------------------------------------------------------------------------------------------------ modules
def functional_call(
    module: Module,
    parameter_and_buffer_dicts: dict[str, Tensor] | Sequence[dict[str, Tensor]],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call a module with these tensors in place of its parameters and buffers, which stay as they are.

    Args:
        module: what to call.
        parameter_and_buffer_dicts: the tensors by their dotted names, or several such dicts.
        args: the argument, or a tuple of several.
        kwargs: keyword arguments.
        tie_weights: a parameter that has several names is replaced under all of them.
        strict: raise where a name is missing or unknown.

    Raises:
        RuntimeError: names are missing or unknown, and `strict` is set.

    Example:
        >>> import minigrad
        >>> layer = minigrad.nn.Linear(2, 1)
        >>> tensors = {"weight": minigrad.ones(1, 2), "bias": minigrad.zeros(1)}
        >>> minigrad.func.functional_call(layer, tensors, minigrad.tensor([1.0, 2.0]))
        tensor([3.])
    """
    dicts = parameter_and_buffer_dicts
    given = dict(dicts) if isinstance(dicts, dict) else {k: v for part in dicts for k, v in part.items()}
    places = _places(module)
    if strict:
        _check_names(module, given, places)
    tied = {id(places[name][2]): tensor for name, tensor in given.items() if name in places}
    swapped = []
    try:
        for path, (owner, table, old) in places.items():
            new = given.get(path, tied.get(id(old)) if tie_weights else None)
            if new is not None:
                name = path.rpartition(".")[2]
                owner._put(getattr(owner, table), name, new)
                swapped.append((owner, table, name, old))
        values = () if args is None else args if isinstance(args, tuple) else (args,)
        return module(*values, **(kwargs or {}))
    finally:
        for owner, table, name, old in swapped:
            owner._put(getattr(owner, table), name, old)


def _places(module: Module) -> dict[str, tuple[Module, str, Tensor]]:
    """By dotted name, where each parameter and buffer is kept, and what it is."""
    return {
        f"{path}.{name}" if path else name: (owner, table, tensor)
        for path, owner in module.named_modules(remove_duplicate=False)
        for table in ("_parameters", "_buffers")
        for name, tensor in getattr(owner, table).items()
        if tensor is not None
    }


def _check_names(module: Module, given: dict[str, Tensor], places: dict[str, Any]) -> None:
    lines = []
    for what, names in (("Unexpected", given.keys() - places), ("Missing", places.keys() - given)):
        if names:
            lines.append(f"\n\t{what} key(s): {', '.join(map(repr, sorted(names)))}.")
    if lines:
        raise RuntimeError(f"Error(s) in reparametrizing for {type(module).__name__}:{''.join(lines)}")


__getattr__ = _attribute_of(__name__, globals())
