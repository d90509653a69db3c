"""Graphs: what is drawn and how, folding, layout, heat maps, escaping, and what is refused."""

import itertools
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import minigrad
from minigrad import nn, study
from minigrad.study.drawing import Card, brief, card_svg, columns_of, shortened, size_of, span_of
from minigrad.study.heatmap import heatmap, kind_of
from minigrad.study.layout import Item, layout
from minigrad.study.trace import Group, Number, Step, Trace, trace_of

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def trace():
    minigrad.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    x, y = minigrad.randn(6, 4), minigrad.randint(0, 3, (6,))
    return trace_of(nn.CrossEntropyLoss()(model(x), y), None)


def small_trace(name="x", value=(1.0, 2.0), gradient=(3.0, 4.0), **group):
    """input, an operation in a group, and the result."""
    first = Step(0, "input", "", name, (), {}, (2,), "float64", np.array(value), np.array(gradient))
    made = Step(
        1, "operation", "mul", "v1", (0, 0), {}, (2,), "float64", None, np.ones(2), ("g1",), formula=name
    )
    last = Step(
        2, "operation", "sum", "loss", (1, Number(2)), {}, (), "float64", np.array(5.0), np.array(1.0)
    )
    return Trace([first, made, last], 2, {"g1": Group("g1", **{"label": "inner", "kind": "fused", **group})})


def elements(graph):
    return ET.fromstring(graph.to_svg())


def by_class(root, name):
    return [e for e in root.iter() if name in e.get("class", "").split()]


# ------------------------------------------------------------------------------------- what is drawn
def test_every_step_and_edge_has_its_element(trace):
    root = elements(study.graph(trace, fold=False))
    ids = {element.get("id") for element in root.iter()}
    assert {f"step-{step.index}" for step in trace.steps} <= ids
    wanted = {f"edge-{o}-{step.index}" for step in trace.steps for o in step.operands if isinstance(o, int)}
    assert wanted == {i for i in ids if i and i.startswith("edge-")}


def test_ids_occur_once(trace):
    ids = [e.get("id") for e in elements(study.graph(trace)).iter() if e.get("id")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("parameter", {"0.weight", "0.bias", "2.weight", "2.bias"}),
        ("constant", {"weights"}),
        ("loss", {"cast"}),
    ],
)
def test_kinds_look_different(trace, kind, names):
    cards = [
        e
        for e in by_class(elements(study.graph(trace, fold=False)), kind)
        if e.get("id", "").startswith("step")
    ]
    titles = {by_class(card, "title")[0].text for card in cards}
    assert {title.removeprefix("model.") for title in titles} == names


def test_gradients_flow_where_both_ends_have_one(trace):
    graph = study.graph(trace, fold=False)
    flowing = {e.get("id") for e in by_class(elements(graph), "flow")}
    assert "edge-5-6" in flowing  # linear to relu
    target = next(step for step in trace.steps if step.name == "y" or step.dtype == "int64")
    assert not any(name.startswith(f"edge-{target.index}-") for name in flowing)


def test_missing_values_and_gradients_are_words():
    trace = small_trace()
    assert by_class(elements(study.graph(trace)), "nothing")[0].text == "not kept"
    trace.steps[0].gradient = None
    assert "no gradient" in study.graph(trace).to_svg()
    for step in trace.steps:
        step.gradient = None
    text = study.graph(trace).to_svg()
    assert "not computed" in text
    assert "no gradient" not in text


def test_zero_gradient_is_not_a_missing_one():
    text = study.graph(small_trace(gradient=(0.0, 0.0))).to_svg()
    assert "all 0" in text
    assert "no gradient" not in text


def test_names_and_formulas_of_the_caller_are_shown():
    points = minigrad.tensor([1.0, 2.0], requires_grad=True)
    text = study.graph((points * points).sum()).to_svg()
    assert "v1 = points · points" in text


def test_functions_and_explanations_are_drawn_too():
    x = minigrad.tensor([1.0, 2.0], requires_grad=True)
    assert len(study.graph(lambda v: v.exp().sum(), x).cards) == 3
    assert len(study.graph(study.explain((x * x).sum())).cards) == 3


# ------------------------------------------------------------------------------------------- folding
@pytest.mark.parametrize(
    ("fold", "folded"),
    [
        (False, set()),
        (True, None),
        (0, None),
        ("cross_entropy", {"cross_entropy1"}),
        (("cross_entropy", "model.0"), {"cross_entropy1", "model.0"}),
        (1, "inner"),
        (None, "functions"),
    ],
)
def test_fold(fold, folded):
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    loss = nn.CrossEntropyLoss()(model(minigrad.ones(6, 4)), minigrad.zeros(6).long())
    graph = study.graph(loss, fold=fold)
    groups = graph.trace.groups
    expected = {
        None: set(groups),
        "inner": {key for key, group in groups.items() if group.parent is not None},
        "functions": {key for key, group in groups.items() if group.kind == "function"},
    }
    assert graph.folded == (folded if isinstance(folded, set) else expected[folded])
    shown = {e.get("data-group") for e in by_class(elements(graph), "folded")}
    outermost = {k for k in graph.folded if groups[k].parent not in graph.folded}
    assert shown == outermost


def test_folded_group_shows_the_result_that_has_a_gradient(trace):
    card = next(c for c in study.graph(trace).cards.values() if c.title == "pick_class")
    assert card.gradient is not None


def test_open_groups_hold_their_nodes(trace):
    graph = study.graph(trace, fold=False)
    boxes = graph.layout.boxes
    for step in trace.steps:
        inner = boxes[f"step-{step.index}"]
        for key in step.group:
            outer = boxes[f"frame-{key}"]
            assert outer.x <= inner.x
            assert inner.x + inner.w <= outer.x + outer.w + 0.01
            assert outer.y <= inner.y
            assert inner.y + inner.h <= outer.y + outer.h + 0.01


def test_too_many_nodes_fold_first():
    graph = study.graph(small_trace_of(30), limit=20)
    assert graph.folded
    assert len(graph.cards) == 4
    assert "31 nodes are too many" in graph.notes[0]


def small_trace_of(count):
    """A chain in two groups."""
    steps = [Step(0, "input", "", "x", (), {}, (), "float64", np.array(1.0), np.array(1.0))]
    for i in range(1, count):
        key = ("g1",) if i < count // 2 else ("g2",)
        steps.append(
            Step(i, "operation", "exp", f"v{i}", (i - 1,), {}, (), "float64", None, np.array(1.0), key)
        )
    steps.append(Step(count, "operation", "log", "end", (count - 1,), {}, (), "float64", None, np.array(1.0)))
    return Trace(steps, count, {k: Group(k, k, "module") for k in ("g1", "g2")})


def test_what_still_is_too_much_is_cut_and_said():
    graph = study.graph(small_trace_of(30), fold=False, limit=5)
    assert set(graph.cards) == {f"step-{i}" for i in range(26, 31)}
    assert "The 5 nodes nearest to the result are shown, of 31" in graph.notes[0]
    assert graph.notes[0] in {e.text for e in by_class(elements(graph), "note")}


# -------------------------------------------------------------------------------------------- layout
def random_graph(count, seed):
    rng = np.random.default_rng(seed)
    edges = {(f"n{i - 1}", f"n{i}") for i in range(1, count)}
    edges |= {
        (f"n{min(a, b)}", f"n{max(a, b)}")
        for a, b in rng.integers(0, count, (count // 2, 2)).tolist()
        if a != b
    }
    sizes = rng.integers(40, 200, (count, 2))
    return [Item(f"n{i}", float(w), float(h), i) for i, (w, h) in enumerate(sizes)], sorted(edges)


@pytest.mark.parametrize(("count", "seed"), [(2, 0), (10, 1), (40, 2), (200, 3)])
def test_layout_without_overlaps_and_downward(count, seed):
    items, edges = random_graph(count, seed)
    found = layout(items, edges)
    for a, b in itertools.combinations(found.boxes.values(), 2):
        apart = a.x + a.w <= b.x or b.x + b.w <= a.x or a.y + a.h <= b.y or b.y + b.h <= a.y
        assert apart
    for start, end in edges:
        assert found.boxes[start].y + found.boxes[start].h < found.boxes[end].y
        heights = [y for _, y in found.paths[start, end]]
        assert heights == sorted(heights)
    assert layout(*random_graph(count, seed)) == found


@pytest.mark.parametrize(("count", "seed"), [(10, 1), (40, 2), (80, 4)])
def test_edges_go_around_nodes(count, seed):
    items, edges = random_graph(count, seed)
    found = layout(items, edges)
    for (start, end), points in found.paths.items():
        for key, box in found.boxes.items():
            if key in (start, end):
                continue
            for (x0, y0), (x1, y1) in itertools.pairwise(points):
                if x0 == x1:  # beside nodes edges run straight down
                    inside = box.x < x0 < box.x + box.w and y0 < box.y + box.h and box.y < y1
                    assert not inside


def test_chains_run_straight():
    """Also where what they start from and end in stands elsewhere."""
    items = [Item(f"n{i}", 50.0 + 10 * (i % 3), 20.0, i) for i in range(16)]
    left, right = [f"n{i}" for i in (0, *range(1, 8), 15)], [f"n{i}" for i in (0, *range(8, 15), 15)]
    found = layout(items, [*itertools.pairwise(left), *itertools.pairwise(right)])
    for chain in (left[1:-1], right[1:-1]):
        middles = [found.boxes[key].x + found.boxes[key].w / 2 for key in chain]
        assert np.ptp(middles) < 1e-6


# ----------------------------------------------------------------------------------------- heat maps
def test_heat_map_marks_what_is_not_finite():
    made = heatmap(np.array([[1.0, np.nan], [np.inf, -2.0]]))
    assert (made.low, made.high, made.nonfinite) == (-2.0, 1.0, 2)
    bad = re.search(r'class="bad" d="([^"]*)"', made.svg)
    assert bad is not None
    assert bad[1].count("M") == 2


@pytest.mark.parametrize(
    ("shape", "cells", "block"),
    [
        ((3, 4), 12, (1, 1)),
        ((5,), 5, (1, 1)),
        ((40, 16), 128, (5, 1)),
        ((7, 1), 7, (1, 1)),
        ((2, 3, 4), 24, (1, 1)),
    ],
)
def test_heat_map_cells(shape, cells, block):
    made = heatmap(np.arange(np.prod(shape), dtype=float).reshape(shape))
    assert made.svg.count("M") == cells
    assert made.block == block


def test_blocks_are_means_and_signs_diverge():
    array = np.concatenate([np.full((8, 16), 2.0), np.full((8, 16), -1.0)])
    made = heatmap(array)
    assert {m: d.count("M") for m, d in re.findall(r'class="(\w+)" d="([^"]*)"', made.svg)} == {
        "p8": 64,
        "n5": 64,
    }


def test_large_vector_has_no_cells_past_its_end():
    assert heatmap(np.ones(17)).svg.count("M") == 17


@pytest.mark.parametrize(
    ("array", "op", "kind", "largest"),
    [
        (np.array([0.2, 1.0]), "softmax", "probability", "q8"),
        (np.array([0.2, 1.8]), "softmax", "signed", "p8"),
        (np.array([0.2, 0.8]), "exp", "signed", "p8"),
        (np.array([1, 2]), "", "count", "c8"),
        (np.array([True, False]), "", "count", "c8"),
    ],
)
def test_kinds_of_colours(array, op, kind, largest):
    assert kind_of(array, op) == kind
    assert f'class="{largest}"' in heatmap(array, kind=kind).svg


@pytest.mark.parametrize("array", [np.zeros((0, 3)), np.zeros(0)])
def test_empty_array(array):
    assert heatmap(array).svg == ""
    trace = small_trace()
    trace.steps[0].value = trace.steps[0].gradient = array
    assert "empty" in study.graph(trace).to_svg()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-1.5, "−1.5"),
        (1e-9, "1e−9"),
        (123456.0, "1.2e5"),
        (float("-inf"), "−∞"),
        (float("nan"), "nan"),
    ],
)
def test_brief_numbers(value, text):
    assert brief(value, 2) == text


# ---------------------------------------------------------------------------------- escaping, fitting
NASTY = [
    '<script>alert("x")</script>',
    "a & b",
    "quo\"te's",
    "名前",
    "back\\slash",
    "end\\",
    "bell\x07",
    "new\nline",
    "]]>",
]


@pytest.mark.parametrize("name", NASTY)
def test_names_are_escaped(name):
    trace = small_trace(name, label=name)
    root = elements(study.graph(trace))
    assert [e.tag for e in root.iter() if e.tag.endswith("script")] == []
    shown = " ".join(root.itertext())
    assert name.replace("\x07", "\ufffd")[:4] in shown
    dot = study.graph(trace).to_dot()
    assert re.sub(r'"(?:[^"\\]|\\.)*"', "", dot).count('"') == 0


@pytest.mark.parametrize("title", ["w" * 90, "名" * 60])
def test_long_names_are_cut_to_the_card(title):
    card = Card(0, "input", title, title, (3, 4), None, None, "not kept", "no gradient", title)
    width, _ = size_of(card)
    assert width <= 330
    texts = [
        e.text for e in ET.fromstring(card_svg(card)).iter("text") if e.get("class") in ("title", "name")
    ]
    assert len(texts) == 2
    for text in texts:
        assert text.endswith("…")
        assert columns_of(text) * 6.7 < width


def test_shortened_leaves_what_fits():
    assert shortened("abc", 3) == "abc"
    assert shortened("名前", 3) == "名…"


def test_spans_say_how_much_is_not_finite():
    assert span_of(np.array([1.0, np.inf, np.nan])) == ("2 nan or inf", True)
    assert span_of(None) == ("", False)


# ------------------------------------------------------------------------------------- files, refusals
def test_style_serves_dark_screens_and_converters(trace):
    text = study.graph(trace).to_svg()
    assert "prefers-color-scheme:dark" in text
    assert "var(" not in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize(("name", "begin"), [("a.svg", "<svg "), ("a.dot", "digraph "), ("a.GV", "digraph ")])
def test_save(trace, tmp_path, name, begin):
    path = study.graph(trace).save(tmp_path / name)
    assert path.read_text("utf-8").startswith(begin)


def test_save_says_what_it_can(trace, tmp_path):
    with pytest.raises(ValueError, match=r"\.svg, \.dot or \.gv, but the name is 'a\.bmp'.*save\('a\.svg'\)"):
        study.graph(trace).save(tmp_path / "a.bmp")
    assert list(tmp_path.iterdir()) == []


def test_notebooks(trace):
    graph = study.graph(trace)
    assert graph._repr_svg_() == graph.to_svg()
    assert graph.to_svg() in graph._repr_html_()


@pytest.mark.skipif(not shutil.which("dot"), reason="needs graphviz")
@pytest.mark.parametrize("fold", [None, False, True])
def test_graphviz_takes_the_dot_text(trace, fold):
    text = study.graph(trace, fold=fold).to_dot()
    made = subprocess.run(["dot", "-Tplain"], input=text, capture_output=True, text=True, timeout=60)
    assert made.returncode == 0
    assert made.stderr == ""


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda t: study.graph(3), TypeError, r"expects a tensor with a graph.*got int; type graph\(loss\)"),
        (lambda t: study.graph(minigrad.ones(2)), RuntimeError, "does not require grad"),
        (
            lambda t: study.graph(t, fold="nothing"),
            ValueError,
            "no group is called 'nothing'; expected .*'cross_ent",
        ),
        (lambda t: study.graph(t, limit=0), ValueError, "at least 1, but got 0"),
        (
            lambda t: study.graph(minigrad.ones(2, requires_grad=True).sum(), 3),
            TypeError,
            "arguments go with a function",
        ),
        (lambda t: heatmap(np.ones(2), kind="rainbow"), ValueError, "kind must be one of 'signed'"),
    ],
)
def test_bad_input(trace, call, error, message):
    with pytest.raises(error, match=message):
        call(trace)


def test_import_stays_light():
    code = "import sys, minigrad.study; print({'matplotlib', 'igraph', 'networkx'} & set(sys.modules))"
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert made.stdout.strip() == "set()"
