"""Where the nodes of a graph stand: in layers, operands above results, with few crossings.

The classical steps (layers, order by barycentres, places by least squares) on graphs of groups: an open group
is laid out by itself and is then one large node of what holds it; edges enter and leave it through ports on
its border. That is what graphviz and igraph do not do without a binary, or with a licence unlike ours; the
page of `report`, which lays out anew at every fold, does the same in the browser.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

Point = tuple[float, float]
Edge = tuple[str, str]

GAP_X, GAP_Y, LANE, PAD, HEAD = 18.0, 34.0, 12.0, 16.0, 30.0
_ROUNDS = 12  # of ordering
_PATIENCE = 3  # rounds of ordering without fewer crossings
_SETTLING = 29  # rounds of placing; in the last seven both neighbours count
_MANY, _FEWER = 2000, 13  # of more nodes and lanes there are fewer rounds


@dataclass
class Item:
    """What is to be placed: a node, or with children an open group."""

    id: str
    w: float
    h: float
    order: int  # when it was made
    children: list[Item] | None = None
    given: bool = False  # it was not computed: it stands aside


@dataclass
class Box:
    """A place: left, top, width and height."""

    x: float
    y: float
    w: float
    h: float
    open: bool = False


@dataclass
class Layout:
    """The size of the whole, the places of nodes and groups, the points that edges pass."""

    width: float
    height: float
    boxes: dict[str, Box]
    paths: dict[Edge, list[Point]]


def layout(items: Sequence[Item], edges: Sequence[Edge]) -> Layout:
    """Place items and the edges between those that are no groups.

    Example:
        >>> from minigrad.study.layout import Item, layout
        >>> found = layout([Item("x", 60, 20, 0), Item("y", 60, 20, 1)], [("x", "y")])
        >>> found.boxes["x"].y < found.boxes["y"].y
        True
    """
    home: dict[str, list[str]] = {}

    def note(children: Sequence[Item], path: list[str]) -> None:
        for item in children:
            home[item.id] = path
            note(item.children or (), [*path, item.id])

    note(items, [])
    return _level(items, [_Line((a, b), a, b) for a, b in edges], home, 0)


@dataclass
class _Line:
    """An edge as a level sees it; an end that is None is outside."""

    key: Edge
    a: str | None
    b: str | None
    start: str = ""  # the nodes of the level it joins
    end: str = ""
    back: bool = False
    path: list[str] = field(default_factory=list)


@dataclass
class _Node:
    id: str
    w: float
    h: float
    order: float
    given: bool = False
    laid: Layout | None = None
    kind: str = ""  # "port" or "lane"
    layer: int = 0
    x: float = 0.0  # of its middle
    y: float = 0.0
    top: float = 0.0  # of its layer
    end: float = 0.0

    def offset(self, line: _Line, top: bool) -> float:
        """How far from the middle an edge ends: at the port of an open group."""
        points = self.laid.paths.get(line.key) if self.laid else None
        if not points or not self.laid:
            return 0.0
        x = points[0 if top else -1][0]
        return PAD + (self.w - 2 * PAD - self.laid.width) / 2 + x - self.w / 2

    def origin(self) -> Point:
        """Where the inside of an open group begins."""
        assert self.laid is not None
        return self.x - self.w / 2 + PAD + (self.w - 2 * PAD - self.laid.width) / 2, self.y + HEAD

    def moved(self, points: Sequence[Point]) -> list[Point]:
        dx, dy = self.origin()
        return [(x + dx, y + dy) for x, y in points]


def _level(items: Sequence[Item], lines: Sequence[_Line], home: dict[str, list[str]], depth: int) -> Layout:
    """One level: the groups in it first, each by itself."""

    def own(end: str | None) -> str:
        return "" if end is None else (home[end][depth] if len(home[end]) > depth else end)

    inside: dict[str, list[_Line]] = {item.id: [] for item in items}
    level: list[_Line] = []
    for line in lines:
        start, end = own(line.a), own(line.b)
        if start and start == end:
            inside[start].append(line)
        else:
            level.append(_Line(line.key, line.a, line.b, start, end))
    nodes = {i.id: _Node(i.id, i.w, i.h, i.order, i.given) for i in items}
    for item in items:
        if item.children is None:
            continue
        through = list(inside[item.id])
        through += [_Line(line.key, line.a, None) for line in level if line.start == item.id]
        through += [_Line(line.key, None, line.b) for line in level if line.end == item.id]
        laid = _level(item.children, through, home, depth + 1)
        node = nodes[item.id]
        node.laid = laid
        node.w, node.h = max(laid.width + 2 * PAD, item.w), laid.height + HEAD + PAD
    return _place(nodes, level)


def _place(nodes: dict[str, _Node], lines: list[_Line]) -> Layout:
    for line in lines:
        if not line.start:  # from outside; all uses of a value enter together
            line.start = f"in:{line.key[0]}"
            nodes.setdefault(line.start, _Node(line.start, LANE, 0, -1, kind="port"))
        if not line.end:
            line.end = f"out:{line.key[0]}"
            nodes[line.end] = _Node(line.end, LANE, 0, 1e9, kind="port")
    _set_layers(nodes, lines)
    for line in lines:
        _set_path(line, nodes)
    rows = _ordered(nodes, lines)
    _spread(rows, nodes, lines)
    return _measured(rows, nodes, lines)


def _set_layers(nodes: dict[str, _Node], lines: Sequence[_Line]) -> None:
    """Each below all its operands; what is only given just above its first use."""
    after: dict[str, list[str]] = {key: [] for key in nodes}
    waiting = dict.fromkeys(nodes, 0)
    for line in lines:
        start, end = nodes[line.start], nodes[line.end]
        line.back = start is end or (start.order > end.order and end.kind != "port")
        if not line.back and end.id not in after[start.id]:
            after[start.id].append(end.id)
            waiting[end.id] += 1
    fed = {line.end for line in lines if not line.back}
    ready, done = deque(key for key, count in waiting.items() if not count), []
    while ready:
        key = ready.popleft()
        done.append(key)
        for following in after[key]:
            nodes[following].layer = max(nodes[following].layer, nodes[key].layer + 1)
            waiting[following] -= 1
            if not waiting[following]:
                ready.append(following)
    for key in reversed(done):
        if not nodes[key].kind and key not in fed and after[key]:
            nodes[key].layer = min(nodes[u].layer for u in after[key]) - 1
    last = max((node.layer for node in nodes.values()), default=0)
    for node in nodes.values():
        if node.kind == "port":
            node.layer = -1 if node.order < 0 else last + 1
    lowest = min((node.layer for node in nodes.values()), default=0)
    for node in nodes.values():
        node.layer -= lowest


def _set_path(line: _Line, nodes: dict[str, _Node]) -> None:
    """The nodes an edge passes: its ends, and lanes in the layers between, shared by all uses of a value."""
    first, last = nodes[line.start].layer, nodes[line.end].layer
    line.path = [line.start]
    for n in range(first + 1, last) if not line.back else ():
        key = f"lane:{line.start}:{line.key[0]}:{n}"
        nodes.setdefault(key, _Node(key, LANE, 0, nodes[line.start].order, kind="lane", layer=n))
        line.path.append(key)
    line.path.append(line.end)


# ------------------------------------------------------------------------------------------------ order
def _ordered(nodes: dict[str, _Node], lines: Sequence[_Line]) -> list[list[str]]:
    """The nodes of each layer from left to right, with few crossings."""
    rows: list[list[str]] = [[] for _ in range(max((n.layer for n in nodes.values()), default=-1) + 1)]
    for node in sorted(nodes.values(), key=lambda node: node.order):
        rows[node.layer].append(node.id)
    # Without repetitions, but in an order that is the same in every run.
    up: dict[str, dict[tuple[str, float], None]] = {key: {} for key in nodes}
    down: dict[str, dict[tuple[str, float], None]] = {key: {} for key in nodes}
    for line in lines:
        for a, b in itertools.pairwise(line.path) if not line.back else ():
            up[b][a, nodes[a].offset(line, False) / nodes[a].w] = None
            down[a][b, nodes[b].offset(line, True) / nodes[b].w] = None
    at = {key: place for row in rows for place, key in enumerate(row)}
    best, least, found = [list(row) for row in rows], _crossings(rows, down, at), 0
    for turn in range(_ROUNDS):
        if not least or turn > found + _PATIENCE:
            break
        near = down if turn % 2 else up
        for row in rows[:: -1 if turn % 2 else 1]:
            want = {}
            for place, key in enumerate(row):
                places = [at[other] + aside for other, aside in near[key]]
                want[key] = sum(places) / len(places) if places else float(place)
            row.sort(key=lambda key: (want[key], at[key]))
            at.update((key, place) for place, key in enumerate(row))
        count = _crossings(rows, down, at)
        if count < least:
            best, least, found = [list(row) for row in rows], count, turn
    return best


def _crossings(
    rows: Sequence[Sequence[str]], down: dict[str, dict[tuple[str, float], None]], at: dict[str, int]
) -> int:
    count = 0
    for row in rows:
        ends: list[float] = []  # in ascending order
        for key in row:
            below = [at[other] + aside for other, aside in down[key]]
            count += sum(len(ends) - bisect.bisect_right(ends, end) for end in below)
            for end in below:
                bisect.insort(ends, end)
    return count


# ----------------------------------------------------------------------------------------------- places
def _spread(rows: Sequence[list[str]], nodes: dict[str, _Node], lines: Sequence[_Line]) -> None:
    """The middles of nodes: near those they are joined to, in order, never closer than the gap."""
    links: dict[str, tuple[list, list]] = {key: ([], []) for key in nodes}  # above, below
    for line in lines:
        for one, other in itertools.pairwise(line.path) if not line.back else ():
            a, b = nodes[one], nodes[other]
            if a.kind == b.kind == "lane" and links[b.id][0]:
                continue  # joined by another use
            shift = a.offset(line, False) - b.offset(line, True)
            # Long edges are straight and bend where they end; what is given stands aside.
            weight = 0.05 if a.given else (3.0, 0.6, 12.0)[bool(a.kind) + bool(b.kind)]
            links[b.id][0].append((a.id, shift, weight))
            links[a.id][1].append((b.id, -shift, weight))
    x: dict[str, float] = {}
    for row in rows:
        x.update(zip(row, _distances([nodes[key] for key in row]), strict=True))
    distances = [_distances([nodes[key] for key in row]) for row in rows]
    near = {key: (above, below, above + below) for key, (above, below) in links.items()}
    straight: dict[str, list[tuple[str, float, float]]] = {}
    for key, (above, _) in links.items():
        computed = [link for link in above if link[2] > 0.1]
        if len(computed) == 1 and len(links[computed[0][0]][1]) == 1:
            straight[key] = [(*computed[0][:2], 24.0)]
    rounds = _SETTLING if len(nodes) <= _MANY else _FEWER
    for turn in range(rounds + 3):  # at last chains are pulled straight, from above
        last = turn >= rounds
        side = 2 if turn >= rounds - 7 else turn % 2
        order = range(len(rows))
        for place in order if last else order[:: -1 if turn % 2 else 1]:
            wants = []
            for key in rows[place]:
                total = weight = 0.0
                for other, shift, w in straight.get(key) or near[key][2] if last else near[key][side]:
                    total += w * (x[other] + shift)
                    weight += w
                wants.append((total / weight, weight) if weight else (x[key], 0.1))
            x.update(zip(rows[place], _settled(wants, distances[place]), strict=True))
    for key, middle in x.items():
        nodes[key].x = middle


def _distances(row: Sequence[_Node]) -> list[float]:
    """How far from the first of a row the others stand at least."""
    found = [0.0] if row else []
    for left, right in itertools.pairwise(row):
        gap = 4.0 if left.w < 30 and right.w < 30 else GAP_X
        found.append(found[-1] + (left.w + right.w) / 2 + gap)
    return found


def _settled(wants: Sequence[tuple[float, float]], distances: Sequence[float]) -> list[float]:
    """The places closest to those wanted that keep order and distances (pool adjacent violators)."""
    pools: list[tuple[float, float, int]] = []  # place, weight, count
    for (want, weight), distance in zip(wants, distances, strict=True):
        place, count = want - distance, 1
        while pools and pools[-1][0] > place:
            before, heavy, several = pools.pop()
            place = (before * heavy + place * weight) / (heavy + weight)
            weight, count = weight + heavy, count + several
        pools.append((place, weight, count))
    places = [place for place, _, count in pools for _ in range(count)]
    return [place + distance for place, distance in zip(places, distances, strict=True)]


def _measured(rows: Sequence[list[str]], nodes: dict[str, _Node], lines: Sequence[_Line]) -> Layout:
    """Boxes and paths in the level's own coordinates."""
    left = min((node.x - node.w / 2 for node in nodes.values()), default=0.0)
    right = max((node.x + node.w / 2 for node in nodes.values()), default=0.0)
    y = 0.0
    for place, row in enumerate(rows):
        height = max((nodes[key].h for key in row), default=0.0)
        for key in row:
            node = nodes[key]
            node.x -= left
            node.top, node.end = y, y + height
            node.y = y if node.kind or node.laid else y + height - node.h
        last = place + 1 == len(rows)
        border = not height or (not last and all(not nodes[key].h for key in rows[place + 1]))
        y += height + (0.0 if last else GAP_Y * 0.35 if border else GAP_Y)
    boxes: dict[str, Box] = {}
    paths: dict[Edge, list[Point]] = {}
    for node in nodes.values():
        if not node.kind:
            boxes[node.id] = Box(node.x - node.w / 2, node.y, node.w, node.h, node.laid is not None)
        if node.laid:
            dx, dy = node.origin()
            for key, box in node.laid.boxes.items():
                boxes[key] = Box(box.x + dx, box.y + dy, box.w, box.h, box.open)
            for edge, points in node.laid.paths.items():
                paths[edge] = node.moved(points)
    for line in lines:
        paths[line.key] = _points(line, nodes)
    return Layout(right - left, y, boxes, paths)


def _points(line: _Line, nodes: dict[str, _Node]) -> list[Point]:
    """The points an edge passes on this level, and in the open groups at its ends."""
    a, b = nodes[line.path[0]], nodes[line.path[-1]]
    start, end = a.x + a.offset(line, False), b.x + b.offset(line, True)
    points = a.moved(a.laid.paths.get(line.key, ())) if a.laid else []
    points += [(start, a.y + a.h)]
    if not line.back:
        points += [(start, a.end)]
    for key in line.path[1:-1]:
        points += [(nodes[key].x, nodes[key].top), (nodes[key].x, nodes[key].end)]
    if not line.back:
        points += [(end, b.top)]
    points += [(end, b.y)]
    points += b.moved(b.laid.paths.get(line.key, ())) if b.laid else []
    kept = points[:1]
    kept += [p for before, p in itertools.pairwise(points) if math.dist(before, p) > 0.5]
    return kept
