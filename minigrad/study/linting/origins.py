"""Where on the tape a tensor comes from: the operations behind views, indexing, concatenation and copies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from minigrad.autograd.fused import Relay
from minigrad.autograd.op import PrimitiveNode
from minigrad.autograd.tape import Leaf, Node, Variable, current_node

# Operations whose result holds the operand's own numbers, in another place, shape or type.
_PASSING = frozenset(
    [
        "reshape",
        "squeeze",
        "unsqueeze",
        "permute",
        "read_at",
        "read",
        "select",
        "slice",
        "take",
        "cat",
        "stack",
        "clone",
        "cast",
        "broadcast_to",
        "gather",
        "flip",
        "roll",
        "rot90",
        "repeat",
        "pick_any",
        "pick_apart",
        "part",
        "overwrite",
    ]
)
_MOST = 10_000  # nodes that are looked at


def name_of(node: Node) -> str:
    """The operation a node records: "softmax", "sigmoid", "linear"; of layers in one the last."""
    op = getattr(node, "op", None)
    activations = getattr(op, "activations", None)
    if activations is not None:
        last = activations[-1]
        return "linear" if last is None else last.operation.__name__
    return str(getattr(op, "__name__", "")).strip("_")


def sources(variable: Any) -> dict[str, Node]:
    """The operations that made the numbers of a tensor, by name.

    Example:
        >>> import minigrad
        >>> from minigrad.study.linting.origins import sources
        >>> x = minigrad.zeros(2, 3, requires_grad=True)
        >>> list(sources(x.softmax(1).reshape(6)[1:]))
        ['softmax']
    """
    node = current_node(variable) if isinstance(variable, Variable) else None
    found: dict[str, Node] = {}
    waiting = [node] if node is not None else []
    seen: set[Node] = set()
    while waiting and len(seen) < _MOST:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        name = name_of(node)
        if isinstance(node, PrimitiveNode) and name == "exp" and "log_softmax" in _behind(node):
            found["softmax"] = node
        elif isinstance(node, Relay) or (isinstance(node, PrimitiveNode) and name in _PASSING):
            waiting += [edge for edge in node.edges if edge is not None]
        elif name:
            found[name] = node
    return found


def _behind(node: Node) -> set[str]:
    return {name_of(edge) for edge in node.edges if edge is not None}


def leaves_below(root: Node | None) -> list[Any]:
    """The leaves that a backward from a node reaches."""
    return [node.variable for node in all_below(root) if isinstance(node, Leaf) and node.variable is not None]


def all_below(root: Node | None) -> Iterator[Node]:
    """All nodes below one, itself included."""
    seen: set[Node] = {root} if root is not None else set()
    waiting = list(seen)
    while waiting:
        node = waiting.pop()
        yield node
        for edge in node.edges:
            if edge is not None and edge not in seen:
                seen.add(edge)
                waiting.append(edge)
