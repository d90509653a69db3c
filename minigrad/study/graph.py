"""`graph`: the tape as a picture, with names, formulas, values and gradients."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from minigrad.autograd.site import user_frame
from minigrad.autograd.tape import Variable
from minigrad.study import drawing
from minigrad.study.drawing import Card, brief, shape_text
from minigrad.study.explain import Explanation
from minigrad.study.layout import Item, Layout, layout
from minigrad.study.trace import Group, Step, Trace, names_in, trace_call, trace_of

LIMIT = 200  # the most nodes that stay readable
Fold = bool | int | str | Iterable[str] | None


class Graph:
    """A picture of a trace. Notebooks show it; `save` writes it; `to_svg` and `to_dot` give its text.

    Attributes:
        trace: the steps (`minigrad.study.trace.Trace`).
        folded: the keys of the groups that are drawn as one node.
        cards: the nodes drawn, by their ids.
        edges: for each edge, by the ids of its ends, whether a gradient flows back along it.
        notes: what the picture leaves out.
    """

    def __init__(self, trace: Trace, fold: Fold = None, limit: int = LIMIT) -> None:
        self.trace = trace
        self.notes: list[str] = list(trace.notes)
        self.folded = _folded(trace, fold)
        self._fill()
        if fold is None and len(self.cards) > limit:
            self._fold_all(limit)
        if len(self.cards) > limit:
            self._cut(limit)
        self._layout: Layout | None = None

    # ------------------------------------------------------------------------------ what is to be seen
    def _fill(self) -> None:
        """The nodes and edges that are left with these groups folded."""
        trace = self.trace
        self._at = {step.index: _shown_in(step, self.folded) for step in trace.steps}
        self.cards: dict[str, Card] = {}
        for step in trace.steps:
            key = self._at[step.index]
            card = _step_card(trace, step) if key is None else None
            if card is None and key is not None and f"group-{key}" not in self.cards:
                card = _group_card(trace, trace.groups[key], self._of(key))
            if card is not None:
                self.cards[card.id] = card
        self.edges: dict[tuple[str, str], bool] = {}
        for step in trace.steps:
            sending = {place for place, *_ in step.rules} if step.rules else None
            for place, operand in enumerate(step.operands):
                if not isinstance(operand, int):
                    continue
                ends = self._id(operand), self._id(step.index)
                given = trace.steps[operand].gradient is not None and step.gradient is not None
                if ends[0] != ends[1]:
                    flows = given and (sending is None or place in sending)
                    self.edges[ends] = self.edges.get(ends, False) or flows

    def _of(self, key: str) -> list[Step]:
        return [step for step in self.trace.steps if key in step.group]

    def _id(self, index: int) -> str:
        key = self._at[index]
        return f"step-{index}" if key is None else f"group-{key}"

    def _fold_all(self, limit: int) -> None:
        count = len(self.cards)
        self.folded = _folded(self.trace, True)
        self._fill()
        if len(self.cards) < count:
            self.notes.append(
                f"{count} nodes are too many to read: groups are folded; type graph(loss, fold=False, "
                f"limit={count}) to see all."
            )

    def _cut(self, limit: int) -> None:
        """Leave only the nodes that are nearest to the result."""
        before: dict[str, list[str]] = {}
        for start, end in self.edges:
            before.setdefault(end, []).append(start)
        kept = dict.fromkeys([self._id(self.trace.result)])
        waiting = deque(kept)
        while waiting and len(kept) < limit:
            for start in before.get(waiting.popleft(), ()):
                if start not in kept and len(kept) < limit:
                    kept[start] = None
                    waiting.append(start)
        count = len(self.cards)
        self.notes.append(
            f"The {len(kept)} nodes nearest to the result are shown, of {count}; type graph(loss, "
            f"limit={count}) to see all."
        )
        self.cards = {key: card for key, card in self.cards.items() if key in kept}
        self.edges = {ends: flows for ends, flows in self.edges.items() if set(ends) <= set(kept)}

    # ------------------------------------------------------------------------------------ the picture
    @property
    def layout(self) -> Layout:
        """Where everything stands."""
        if self._layout is None:
            self._layout = layout(self._items(), list(self.edges))
        return self._layout

    def _items(self) -> list[Item]:
        """The nodes, within the open groups that hold them."""
        roots: list[Item] = []
        frames: dict[str, Item] = {}
        for card in self.cards.values():
            path = self._path(card)
            home = roots
            for key in path:
                if key not in frames:
                    label = drawing.columns_of(self.trace.groups[key].label) * 7.2 + 32
                    frames[key] = Item(f"frame-{key}", min(label, 240.0), 0, card.index, [])
                    home.append(frames[key])
                home = frames[key].children  # type: ignore[assignment]
            given = card.kind in ("input", "parameter", "constant")
            home.append(Item(card.id, *drawing.size_of(card), card.index, given=given))
        for frame in reversed(
            frames.values()
        ):  # inner ones first: it is as early as the first operation in it
            frame.order = min((i.order for i in frame.children or () if not i.given), default=frame.order)
        return roots

    def _path(self, card: Card) -> tuple[str, ...]:
        """The keys of the open groups around a node."""
        if card.key is None:
            return self.trace.steps[card.index].group
        path: list[str] = []
        parent = self.trace.groups[card.key].parent
        while parent is not None:
            path.append(parent)
            parent = self.trace.groups[parent].parent
        return tuple(path[::-1])

    def to_svg(self) -> str:
        """The picture as SVG, for light and dark screens."""
        found = self.layout
        frames: list[tuple[float, str, str]] = []
        for key, group in self.trace.groups.items():
            box = found.boxes.get(f"frame-{key}")
            if box is not None:
                kind = group.kind if group.kind in ("fused", "module") else "function"
                place = box.x, box.y, box.w, box.h
                label = drawing.label_svg(group.label, kind, place)
                frames.append((-box.w * box.h, drawing.frame_svg(key, kind, place), label))
        frames.sort()  # large ones lie below
        edges = [
            drawing.edge_svg(self.cards[a].index, self.cards[b].index, found.paths[a, b], flows)
            for (a, b), flows in sorted(self.edges.items(), key=lambda edge: edge[1])
        ]
        nodes = []
        for key, card in self.cards.items():
            box = found.boxes[key]
            nodes.append(f'<g transform="translate({box.x:.5g} {box.y:.5g})">{drawing.card_svg(card)}</g>')
        title = f"graph of {len(self.cards)} nodes"
        body = "".join((*(f for _, f, _ in frames), *edges, *(label for *_, label in frames), *nodes))
        return drawing.document(body, found.width, found.height, title, self.notes)

    def to_dot(self) -> str:
        """The graph in graphviz's language, with groups as clusters."""
        lines = ["digraph minigrad {", '  graph [rankdir=TB, fontname="sans-serif", compound=true]']
        lines += ['  node [shape=box, style="rounded,filled", fillcolor="#ffffff", fontname="sans-serif"]']
        lines += [f"  // {_one_line(note)}" for note in self.notes]
        self._dot_items(self._items(), lines, "  ")
        for (start, end), flows in self.edges.items():
            look = 'color="#a8326b"' if flows else 'style=dashed, color="#9a958b"'
            lines.append(f"  {_quoted(start)} -> {_quoted(end)} [{look}]")
        return "\n".join([*lines, "}"]) + "\n"

    def _dot_items(self, items: Sequence[Item], lines: list[str], indent: str) -> None:
        for item in items:
            if item.children is None:
                card = self.cards[item.id]
                look = _DOT_LOOKS["loss" if card.result else card.kind]
                lines.append(f"{indent}{_quoted(item.id)} [label={_quoted(_dot_label(card))}, {look}]")
                continue
            key = item.id.removeprefix("frame-")
            lines.append(f"{indent}subgraph {_quoted('cluster-' + key)} {{")
            lines.append(f"{indent}  label={_quoted(self.trace.groups[key].label)}")
            lines.append(f'{indent}  style=rounded; color="#8b6fb0"')
            self._dot_items(item.children, lines, indent + "  ")
            lines.append(f"{indent}}}")

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture: as SVG to a name that ends in .svg, for graphviz to one in .dot or .gv.

        Raises:
            ValueError: another ending.
        """
        path = Path(path)
        forms = {".svg": self.to_svg, ".dot": self.to_dot, ".gv": self.to_dot}
        if path.suffix.lower() not in forms:
            raise ValueError(
                f"graphs are saved as .svg, .dot or .gv, but the name is {path.name!r}; type "
                f"save({path.stem + '.svg'!r}), which browsers and Inkscape open and convert"
            )
        path.write_text(forms[path.suffix.lower()](), "utf-8")
        return path

    def _repr_svg_(self) -> str:
        return self.to_svg()

    def _repr_html_(self) -> str:
        return f'<div style="overflow:auto;max-height:85vh">{self.to_svg()}</div>'

    def __repr__(self) -> str:
        return f"Graph({len(self.cards)} nodes, {len(self.edges)} edges, {len(self.folded)} groups folded)"


def graph(loss: Any, *args: Any, fold: Fold = None, limit: int = LIMIT) -> Graph:
    """Draw what a loss was made of: every step with its formula, its value and its gradient as heat maps.

    Edges along which a gradient flows back are solid, others dashed. Losses and other fused operations are
    opened into their definitions; they and modules are frames, which can be folded into one node.

    Args:
        loss: a tensor with a graph, or what `explain` or `trace_of` made of one; or a function, which is
            called with `args`, and of which no value is missing.
        fold: what to fold: True all groups, False none, a number those that lie so deep (1: all but the
            outermost), names such as "cross_entropy" these. By default the functions inside of definitions,
            and all groups where there are more than `limit` nodes.
        limit: the most nodes to draw; of more, those nearest to the result are.

    Raises:
        TypeError: `loss` is none of these.
        RuntimeError: the tensor has no graph.
        ValueError: no group has this name, or the limit is below 1.

    Example:
        >>> import minigrad
        >>> from minigrad import study
        >>> logits = minigrad.tensor([[2.0, 1.0, 0.0], [0.0, 0.0, 1.0]], requires_grad=True)
        >>> loss = minigrad.nn.CrossEntropyLoss()(logits, minigrad.tensor([0, 2]))
        >>> study.graph(loss, fold="cross_entropy")
        Graph(3 nodes, 2 edges, 1 groups folded)
        >>> study.graph(loss, fold=True).to_dot().splitlines()[-3:-1]
        ['  "step-0" -> "group-cross_entropy1" [color="#a8326b"]', '  "step-1" -> "group-cross_entropy1" \
[style=dashed, color="#9a958b"]']
    """
    if limit < 1:
        raise ValueError(f"limit is the most nodes to draw, at least 1, but got {limit}; type limit={LIMIT}")
    if isinstance(loss, Explanation):
        loss = loss.trace
    if isinstance(loss, Variable):
        if args:
            raise TypeError(
                "a tensor is drawn by itself; arguments go with a function: graph(function, *args)"
            )
        loss = trace_of(loss, names_in(user_frame()))
    elif callable(loss):
        loss = trace_call(loss, *args)[1]
    if not isinstance(loss, Trace):
        raise TypeError(
            f"graph expects a tensor with a graph, such as a loss, or a function and its arguments, but got "
            f"{type(loss).__name__}; type graph(loss) or graph(function, *arguments)"
        )
    return Graph(loss, fold, limit)


def node_svg(trace: Trace, step: Step) -> str:
    """The card of one step, as a group of SVG whose left upper corner is at 0, 0.

    The colours come with `minigrad.study.drawing.STYLE`, for elements inside of one of class "minigrad".

    Example:
        >>> import minigrad
        >>> from minigrad.study.graph import node_svg
        >>> from minigrad.study.trace import trace_of
        >>> x = minigrad.tensor([1.0, 2.0], requires_grad=True)
        >>> trace = trace_of((x * x).sum())
        >>> node_svg(trace, trace.steps[0])[:31]
        '<g id="step-0" class="step inpu'
    """
    return drawing.card_svg(_step_card(trace, step))


# ------------------------------------------------------------------------------------------ folding
def _depth(trace: Trace, group: Group) -> int:
    depth = 0
    while group.parent is not None:
        group, depth = trace.groups[group.parent], depth + 1
    return depth


def _folded(trace: Trace, fold: Fold) -> frozenset[str]:
    """The keys of the groups to fold."""
    groups = trace.groups
    if fold is None:
        return frozenset(key for key, group in groups.items() if group.kind == "function")
    if isinstance(fold, bool):
        return frozenset(groups if fold else ())
    if isinstance(fold, int):
        return frozenset(key for key, group in groups.items() if _depth(trace, group) >= fold)
    names = [fold] if isinstance(fold, str) else list(fold)
    found = {name: [k for k, g in groups.items() if name in (k, g.label)] for name in names}
    for name, keys in found.items():
        if not keys:
            known = ", ".join(repr(label) for label in dict.fromkeys(g.label for g in groups.values()))
            raise ValueError(
                f"no group is called {name!r}; expected " + (known or "none: there are no groups")
            )
    return frozenset(key for keys in found.values() for key in keys)


def _shown_in(step: Step, folded: frozenset[str]) -> str | None:
    """The folded group that stands for a step: the outermost."""
    return next((key for key in step.group if key in folded), None)


# -------------------------------------------------------------------------------------------- cards
def _kind(trace: Trace, step: Step) -> str:
    if step.kind != "input":
        return "opaque" if step.kind == "opaque" else "operation"
    kinds = {trace.groups[key].kind for key in step.group}
    if step.gradient is not None and ("module" in kinds or "." in step.name):
        return "parameter"
    inside = "fused" in kinds or "function" in kinds
    return "constant" if inside and step.gradient is None else "input"


def _no_gradient(trace: Trace) -> str:
    return "not computed" if trace.steps[trace.result].gradient is None else "no gradient"


def _step_card(trace: Trace, step: Step) -> Card:
    kind = _kind(trace, step)
    if kind in ("operation", "opaque"):
        title, subtitle = step.op, f"{step.name} = {step.formula}" if step.formula else step.name
    else:
        title, subtitle = step.name, f"{kind}, {step.dtype}"
    about = [f"{step.name} = {step.formula}" if step.formula else step.name]
    about += [f"{kind}, {step.dtype} {shape_text(step.shape) or 'scalar'}"]
    about += [f"gradient to operand {place}: {text}" for place, text, _ in step.rules]
    about += [step.note] if step.note else []
    about += [str(step.site)] if step.site.line else []
    return Card(
        step.index, kind, title, subtitle, step.shape, step.value, step.gradient,
        "not kept", _no_gradient(trace), "\n".join(about),
        colours=drawing.colours_of(step.value, step.op, step.name), result=step.index == trace.result,
    )  # fmt: skip


def _group_card(trace: Trace, group: Group, steps: Sequence[Step]) -> Card:
    outputs = trace.outputs(group.key) or [steps[-1].index]
    flowing = [index for index in outputs if trace.steps[index].gradient is not None]
    index = group.result if group.result in (flowing or outputs) else (flowing or outputs)[-1]
    result = trace.steps[index]
    value = result.value
    parameters = sum(_kind(trace, step) == "parameter" for step in steps)
    about = [f"{group.label}: {group.words}" if group.words else group.label]
    about += [f"{len(steps)} steps, {parameters} of them parameters" if parameters else f"{len(steps)} steps"]
    operations = [step.op for step in steps if step.kind != "input"]
    words = operations[0] if len(operations) == 1 else f"{len(operations)} steps"
    return Card(
        index, "folded", group.label, f"{result.name} · {words}", result.shape,
        value, result.gradient, "not kept", _no_gradient(trace), "\n".join(about), group.key,
        drawing.colours_of(value, result.op, result.name), any(step.index == trace.result for step in steps),
    )  # fmt: skip


# ---------------------------------------------------------------------------------------------- dot
_DOT_LOOKS = {
    "input": 'fillcolor="#f1efeb"',
    "parameter": 'fillcolor="#d9efec", color="#1f6f6b"',
    "constant": 'fillcolor="#f1efeb", style="rounded,filled,dashed"',
    "operation": "style=filled",
    "opaque": 'style="filled,dotted"',
    "folded": "style=filled, peripheries=2",
    "loss": 'style=filled, fillcolor="#f9e1ec", color="#a8326b", penwidth=2',
}


def _one_line(text: str) -> str:
    return " ".join(drawing.plain(text).split())


def _quoted(text: str) -> str:
    """A string of graphviz: only quotes and backslashes have a meaning in it."""
    return '"' + drawing.plain(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _dot_label(card: Card) -> str:
    lines = [f"{card.title} {shape_text(card.shape)}".strip(), card.subtitle]
    for name, array, missing in (
        ("value", card.value, card.no_value),
        ("gradient", card.gradient, card.no_gradient),
    ):
        if array is None:
            lines.append(missing)
        elif array.size:
            span = brief(array.item()) if array.size == 1 else drawing.span_of(array)[0]
            lines.append(f"{name} {span}")
    return "\n".join(lines)
