"""How the steps of a trace are collected, from calls that were watched and from what the tape keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.autograd.fused import DefinedNode, FusedNode, Relay
from minigrad.autograd.observe import Call
from minigrad.autograd.op import Primitive, PrimitiveNode
from minigrad.autograd.site import UNKNOWN, Site
from minigrad.autograd.tape import FREED, Leaf, Node, Variable, current_node, mode, walk
from minigrad.study import notation
from minigrad.study.replay import Replay, identity, leading_to
from minigrad.study.steps import Group, Number, Step, Trace

_edges = attrgetter("edges")


def _operands_of(node: Node) -> Sequence[Node | None]:
    """The nodes of an operation's operands; what ran inside a fused operation is not among them."""
    if isinstance(node, DefinedNode) and node.values is not None:
        return [current_node(value) for value in node.values if isinstance(value, Variable)]
    return node.edges


def _below(root: Node, edges: Callable[[Node], Sequence[Node | None]]) -> list[Node]:
    """All nodes below one, operands before results."""
    seen, order = {root}, [root]
    for node in order:  # which grows on the way
        for edge in edges(node):
            if edge is not None and edge not in seen:
                seen.add(edge)
                order.append(edge)
    return sorted(order, key=lambda node: node.sequence)


class Builder:
    """Collects the steps of a trace."""

    def __init__(self, names: Mapping[Any, str]) -> None:
        self.steps: list[Step] = []
        self.groups: dict[str, Group] = {}
        self.notes: list[str] = []
        self.names = dict(names)
        self.where: dict[Any, int] = {}  # the steps of tensors, by their identities
        self.cotangents: dict[Node, Any] = {}
        self.alive: list[Any] = []  # what `where` knows by its address
        self.freed = False  # a backward has freed the graph
        self.taken: dict[str, int] = {}
        self.counts: dict[str, int] = {}  # of groups, by label

    # ------------------------------------------------------------------------------------- gradients
    def follow(self, root: Node, cotangent: ndarray) -> None:
        """Find the gradients of all nodes below one, which has this one itself."""
        try:
            found = walk({root: cotangent}, targets=set(_below(root, _edges)), retain_graph=True, wrap=_same)
        except RuntimeError as error:
            if FREED[:40] not in str(error):
                raise
            self.freed = True
            self.notes.append(FREED_NOTE)
            return
        self.cotangents.update(found)

    def _gradient_of(self, node: Node | None) -> ndarray | None:
        found = None if node is None else self.cotangents.get(node)
        if isinstance(found, np.generic):  # what NumPy makes of 0-d arrays
            return np.asarray(found)
        return found if isinstance(found, ndarray) else None

    # ----------------------------------------------------------------------------------------- steps
    def _append(self, step: Step, *keys: Any) -> int:
        self.steps.append(step)
        for key in keys:
            if key is not None:
                self.where[key] = step.index
        return step.index

    def _name(self, key: Any, fallback: str = "") -> str:
        """What a tensor is called; a name that is taken gets a number."""
        index = len(self.steps)
        name = self.names.get(key, fallback) or f"v{index}"
        count = self.taken[name] = self.taken.get(name, 0) + 1
        return name if count == 1 else f"{name}{str(count).translate(_SUBSCRIPTS)}"

    def given(self, value: Any, group: tuple[str, ...] = (), name: str = "", note: str = "") -> int:
        """The step of something that was not computed on the way: a tensor, an array, or a leaf's node."""
        node = (
            current_node(value) if isinstance(value, Variable) else value if isinstance(value, Leaf) else None
        )
        key = node if node is not None else id(value)
        if isinstance(value, Leaf):
            value = value.variable
        array = value._array if isinstance(value, Variable) else value
        self.alive.append(value)
        known = isinstance(array, ndarray)
        gradient = self._gradient_of(node)
        if self.freed and isinstance(value, Variable) and value._grad is not None:
            gradient, note = value._grad._array, "the gradient is .grad, as backward left it"
        step = Step(
            len(self.steps),
            "input",
            "",
            self._name(key, name),
            (),
            {},
            array.shape if known else (),
            array.dtype.name if known else "",
            _kept(array) if known else None,
            gradient,
            group,
            note=note,
        )
        return self._append(step, key)

    def operand(self, value: Any, group: tuple[str, ...], name: str = "") -> int | Number | None:
        """The place of an operand: a step, a number, or nothing that counts."""
        if isinstance(value, Variable):
            for key in (current_node(value), id(value)):
                if key is not None and key in self.where:
                    return self.where[key]
            return self.given(value, group, name)
        if isinstance(value, ndarray):
            return Number(value.item()) if value.size == 1 else self.given(value, group, name)
        if isinstance(value, (bool, int, float, np.generic)):
            return Number(value)
        return None

    def add_calls(self, calls: Sequence[Call], group: tuple[str, ...] = ()) -> None:
        """The steps of operations that were watched as they ran."""
        for call in calls:
            self._add_call(call, group)

    def _add_call(self, call: Call, group: tuple[str, ...]) -> None:
        op, result = call.op, call.result
        results = [r for r in (result if isinstance(result, tuple) else (result,)) if isinstance(r, Variable)]
        self.alive += results
        if hasattr(op, "definition"):
            values = [*call.operands, *call.options.values()]
            check = getattr(op, "check", None)
            normal = list(check(*values)) if check is not None else values
            for before, after in zip(values, normal, strict=True):
                if before is not after and isinstance(before, Variable) and isinstance(after, Variable):
                    place = self.operand(before, group)
                    self.where[id(after)] = place  # type: ignore[assignment]
                    self.alive.append(after)
            place = self.open(op, normal, current_node(result), result._array, group, call.site)
            self._know(results[0], place)
            return
        found = [self.operand(operand, group) for operand in _flattened(call.operands)]
        places = [place for place in found if place is not None]
        if (
            len(results) == 1
            and places
            and (same := self._unchanged(op, places, call, results[0])) is not None
        ):
            self._know(results[0], same)
            return
        opaque = not isinstance(op, Primitive)
        for r in results:
            step = self._operation(
                op, places, call.options, r._array, current_node(r), group, call.site, identity(r)
            )
            step.kind = "opaque" if opaque else "operation"
            self._know(r, step.index)

    def _unchanged(self, op: Any, places: Sequence[Any], call: Call, result: Variable) -> int | None:
        """The step of an operand that an operation hands on as it is, such as x · 1 or x + 0."""
        first = next((operand for operand in call.operands if isinstance(operand, Variable)), None)
        step = next((place for place in places if isinstance(place, int)), None)
        if first is None or step is None or result._array.shape != first._array.shape:
            return None
        if len(places) == 1 and result._array is first._array:
            return step
        other = [place.value for place in places if isinstance(place, Number)]
        neutral = {"mul": 1, "div": 1, "add": 0, "sub": 0}.get(op.__name__)
        plain = isinstance(places[0], int) or op.__name__ in ("mul", "add")
        same = len(places) == 2 and other == [neutral] and plain and result._array.dtype == first._array.dtype
        return step if same else None

    def _know(self, result: Variable, place: int) -> None:
        self.where[id(result)] = place
        node = current_node(result)
        if node is not None:
            self.where[node] = place

    def _operation(
        self,
        op: Any,
        places: Sequence[Any],
        options: Mapping[str, Any],
        array: ndarray | None,
        node: Node | None,
        group: tuple[str, ...],
        site: Site,
        key: Any,
        shape: tuple[int, ...] = (),
    ) -> Step:
        name = op.__name__.strip("_")
        words = [self._word(place) for place in places]
        drawn = notation.call(name, words, options)
        gradient = self._gradient_of(node)
        step = Step(
            len(self.steps),
            "operation",
            name,
            self._name(key),
            tuple(places),
            dict(options),
            array.shape if array is not None else gradient.shape if gradient is not None else shape,
            array.dtype.name if array is not None else gradient.dtype.name if gradient is not None else "",
            None if array is None else _kept(array),
            gradient,
            group,
            site,
            drawn.text,
            drawn.latex,
        )
        if array is None:
            step.note = "the tape did not keep this value, as no derivative needs it"
        while isinstance(node, Relay):  # which gave the result another name
            node = node.edges[0]
        if isinstance(node, PrimitiveNode):
            step.rules = self._rules(node, places, words, step.name)
        self.steps.append(step)
        return step

    def _word(self, place: Any) -> str:
        if isinstance(place, Number):
            return "?" if place.value != place.value else notation.number(place.value)
        return self.steps[place].name

    def _rules(
        self, node: PrimitiveNode, places: Sequence[Any], words: Sequence[str], name: str
    ) -> list[tuple[int, str, str]]:
        op, found = node.op, []
        for at, edge in enumerate(node.edges):
            if edge is None or at >= len(words):
                continue
            function = op.rules[0 if op.variadic else at]
            called = {"g": "ḡ", "y": name, **dict(zip(op.operands, words, strict=False))}
            if op.variadic:
                called["i"] = str(at)
            drawn = notation.rule(
                function, called, dict(zip(op.options, op.option_values(node.options), strict=True))
            )
            broadcast = ""
            if node.shapes[at] is not None and isinstance(places[at], int):
                shape, own = self._result_shape(node), node.shapes[at]
                if own != shape and (op.elementwise or drawn.text == "ḡ"):
                    broadcast = "Σ "
            found.append((at, broadcast + drawn.text, (r"\sum " if broadcast else "") + drawn.latex))
        return found

    def _result_shape(self, node: Node) -> tuple[int, ...] | None:
        gradient = self._gradient_of(node)
        return None if gradient is None else gradient.shape

    # ---------------------------------------------------------------------------- fused operations
    def open(
        self,
        op: Any,
        values: Sequence[Any],
        node: Node | None,
        value: ndarray | None,
        group: tuple[str, ...],
        site: Site,
    ) -> int:
        """Replay the definition of a fused operation; the step that gives its value."""
        label = getattr(op, "__name__", type(op).__name__.lower()).strip("_")
        made = self._new_group(label, "fused", group)
        made.op, made.values, made.value = op, tuple(values), value
        made.cotangent = g = self._gradient_of(node)
        if isinstance(node, FusedNode) and g is not None:
            found = zip(op.wrt, node.vjp(g, True), strict=True)
            made.kernel_gradients = {at: gradient for at, gradient in found if gradient is not None}
        inner = (*group, made.key)
        stands = list(values)
        parameters = _parameters_of(op, len(values))
        for at, value in enumerate(values):
            if not isinstance(value, Variable):
                continue
            place = self.operand(value, group, parameters[at])
            edge = current_node(value)
            stand = value._result._wrap(value._array, None if edge is None else Relay(edge))
            stands[at] = stand
            self.alive.append(stand)
            self._know(stand, place)  # type: ignore[arg-type]
        replay = Replay(op.definition)
        y = replay.run(op.definition, stands)
        self.alive += [*replay.alive, replay, y]
        for key, name in replay.names.items():
            self.names.setdefault(key, name)
        root = current_node(y)
        if root is not None and g is not None:
            self.follow(root, g)
            for at, stand in enumerate(stands):
                gradient = self._gradient_of(current_node(stand)) if isinstance(stand, Variable) else None
                if gradient is not None:
                    made.gradients[at] = gradient
        self._add_replayed(replay, y, inner, site)
        place = self.operand(y, inner)
        self._rename(place, node)
        made.result = place  # type: ignore[assignment]
        if node is not None:
            self.where[node] = place  # type: ignore[assignment]
        return place  # type: ignore[return-value]

    def _rename(self, place: Any, node: Node | None) -> None:
        """Call a definition's result what the caller's variable calls the operation's."""
        step = self.steps[place]
        if node in self.names and step.name == f"v{step.index}":
            step.name = self.names[node]

    def _add_replayed(self, replay: Replay, y: Variable, group: tuple[str, ...], site: Site) -> None:
        """The steps of a definition; what ran in a function inside it is a group of its own."""
        paths = {id(call): path for call, path in zip(replay.calls, replay.paths, strict=True)}
        keys: dict[int, str] = {}
        for call in leading_to(replay.calls, y):
            inner = group
            for frame in paths[id(call)]:
                key = keys.get(id(frame))
                if key is None:
                    made = self._new_group(frame.f_code.co_name.strip("_"), "function", inner)
                    words = frame.f_code.co_consts[0]
                    made.words = words.split("\n")[0] if isinstance(words, str) else ""
                    key = keys[id(frame)] = made.key
                inner = (*inner, key)
            self._add_call(call._replace(site=site), inner)

    def _new_group(self, label: str, kind: str, outer: tuple[str, ...]) -> Group:
        self.counts[label] = count = self.counts.get(label, 0) + 1
        made = Group(f"{label}{count}", label, kind, outer[-1] if outer else None)
        self.groups[made.key] = made
        return made

    # ------------------------------------------------------------------------------------- the tape
    def add_graph(self, root: Node, result: Variable) -> None:
        """The steps of a graph, with the values that can be had."""
        nodes = _below(root, _operands_of)
        known = _kept_values(nodes)
        known[root] = result._array
        for node in nodes:
            if node in self.where:
                continue
            if isinstance(node, Leaf):
                self.given(node, note="" if node.variable is not None else "the tensor is gone")
            elif isinstance(node, (FusedNode, DefinedNode)) and node.values is not None:
                self.open(node.op, node.values, node, known.get(node), (), UNKNOWN)
            elif isinstance(node, PrimitiveNode):
                self._add_node(node, known)
            elif isinstance(node, Relay) and node.edges[0] in self.where:
                self.where[node] = self.where[node.edges[0]]
            else:
                self._add_opaque(node, known)

    def _add_node(self, node: PrimitiveNode, known: dict[Node, ndarray]) -> None:
        arrays = list(node.arrays or [None] * len(node.edges))
        arrays += [None] * (len(node.edges) - len(arrays))
        places: list[Any] = []
        for at, edge in enumerate(node.edges):
            if edge is not None:
                places.append(self.where[edge])
                value = self.steps[self.where[edge]].value
                arrays[at] = value if arrays[at] is None else arrays[at]
            elif arrays[at] is not None:
                places.append(self.operand(arrays[at], ()))
            elif node.shapes[at] is None:
                places.append(Number(float("nan")))
            else:
                places.append(self._missing(node.shapes[at]))
        value = known.get(node)
        if value is None and all(array is not None for array in arrays):
            value = np.asarray(mode.quietly(node.op.forward, *arrays, **node.options))
        step = self._operation(node.op, places, node.options, value, node, (), UNKNOWN, node)
        self.where[node] = step.index

    def _missing(self, shape: tuple[int, ...]) -> int:
        note = "a constant that the tape did not keep, as no derivative needs it"
        step = Step(len(self.steps), "input", "", self._name(None, "constant"), (), {}, shape, "", note=note)
        return self._append(step)

    def _add_opaque(self, node: Node, known: dict[Node, ndarray]) -> None:
        places = [self.where[edge] for edge in node.edges if edge is not None]
        name = node.name().rpartition("::")[2]
        words = [self._word(place) for place in places]
        gradient = self._gradient_of(node)
        value = known.get(node)
        step = Step(
            len(self.steps),
            "opaque",
            name,
            self._name(node),
            tuple(places),
            {},
            value.shape if value is not None else gradient.shape if gradient is not None else (),
            value.dtype.name if value is not None else "",
            value,
            gradient,
            formula=notation.call(name, words, {}).text,
            latex=notation.call(name, words, {}).latex,
            note="freed" if self.freed else "no definition to look into: shown as one step",
        )
        self._append(step, node)

    # ------------------------------------------------------------------------------------ the result
    def finish(self, result: Variable) -> Trace:
        """The trace, with modules as groups."""
        place = self.operand(result, ())
        assert isinstance(place, int)
        self._group_modules()
        self._settle_groups()
        return Trace(self.steps, place, self.groups, self.notes)

    def _settle_groups(self) -> None:
        """Dissolve functions of one step; say which step gives the value of each group."""
        sizes: dict[str, int] = {}
        for step in self.steps:
            for key in step.group:
                sizes[key] = sizes.get(key, 0) + (step.kind != "input")
        gone = {k for k, g in self.groups.items() if g.kind == "function" and sizes.get(k, 0) < 2}
        parents = {key: self.groups.pop(key).parent for key in gone}
        for group in self.groups.values():
            while group.parent in parents:
                group.parent = parents[group.parent]
        for step in self.steps:
            step.group = tuple(key for key in step.group if key not in gone)
            if step.kind != "input":
                for key in step.group:
                    if self.groups[key].kind == "function":
                        self.groups[key].result = step.index

    def _group_modules(self) -> None:
        """Operations on parameters belong to the module that the parameters' names begin with."""
        for step in self.steps:
            owners = {
                name.rpartition(".")[0]
                for operand in step.operands
                if isinstance(operand, int) and "." in (name := self.steps[operand].name)
            }
            if step.kind != "operation" or len(owners) != 1:
                continue
            key = owners.pop()
            parent = step.group[-1] if step.group else None
            group = self.groups.setdefault(key, Group(key, key, "module", parent))
            if group.parent == parent:
                step.group, group.result = (*step.group, key), step.index
        for step in self.steps:
            if step.kind == "input" and "." in step.name:
                owner = self.groups.get(step.name.rpartition(".")[0])
                if owner is not None and owner.result is not None:
                    step.group = self.steps[owner.result].group


FREED_NOTE = (
    "A backward has freed this graph, and most values with it. Explain a loss before loss.backward(), or "
    "call loss.backward(retain_graph=True)."
)
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def _same(array: ndarray) -> ndarray:
    return array


def _kept(array: ndarray) -> ndarray:
    """A copy, unless that is costly: what is shown must not change with the tensor."""
    return array.copy() if array.size <= 1_000_000 else array


def _flattened(values: Sequence[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, (list, tuple)):
            yield from _flattened(value)
        else:
            yield value


def _parameters_of(op: Any, count: int) -> list[str]:
    places = getattr(op, "_places", None)
    names = list(places) if places is not None else []
    return (names + [""] * count)[:count]


def _kept_values(nodes: Sequence[Node]) -> dict[Node, ndarray]:
    """The results of nodes, as far as they or those that use them keep them."""
    found: dict[Node, ndarray] = {}
    for node in nodes:
        if isinstance(node, PrimitiveNode):
            if node.output is not None:
                found[node] = node.output
            for edge, array in zip(node.edges, node.arrays or (), strict=False):
                if edge is not None and isinstance(array, ndarray):
                    found.setdefault(edge, array)
        elif isinstance(node, FusedNode) and node.values is not None:
            for place, edge in zip(node.op.wrt, node.edges, strict=True):
                if edge is not None:
                    found.setdefault(edge, node.values[place]._array)
    return found
