"""The benchmark suite: every workload on every library at a small size, and what is written of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("benchmarks.harness", reason="tests run in the repository's folder")

from benchmarks import __main__ as command
from benchmarks import document, harness, libraries, machine, memory, picture, readme, report, tasks
from benchmarks.built import Missing, after, digest
from benchmarks.harness import Cell, Pace, Ratio, Side
from benchmarks.network import SETTINGS, Network, batch
from benchmarks.workloads import TIMED, build, layers, primitives
from benchmarks.workloads.listed import sized

REPOSITORY = Path(command.__file__).parents[1]
# torch.compile takes seconds for each; what differs from torch is one function
COMPILED = (
    "losses: mse_loss 64",
    "primitives: softmax 64×64, forward + backward",
    "training: 2-16-16-1, batch 64, Adam",
)
PEERS, _ = libraries.installed([peer for peer in libraries.PEERS if peer != "compile"])
SHAPES = {
    "linear_cross_entropy": [16, 8, 10],
    "AdaptiveLogSoftmaxWithLoss": [16, 8, 10],
    "ctc_loss": [10, 4, 5],
}


def tiny(part, arguments):
    """The arguments with sizes of a few elements."""
    name, rest = arguments[0], arguments[1:]
    if part == "training":
        return [[min(size, 8) for size in name], 8, rest[1]]
    if part == "optimizers":
        return [name, [3, 4, 5] if len(rest[0]) > 1 else [50]]
    if part == "losses":
        return [name, SHAPES.get(name, [6] if len(rest[0]) == 1 else [6, 7, 2, 2][: len(rest[0])])]
    if part == "primitives":
        return [name, [6, 7], rest[1]]
    if name in ("Conv2d", "Embedding", "LSTM", "GRU"):
        return [name, [4, 10, 6, 5][: len(rest[0])]]
    return [name, [4, 5, 6] if name.startswith("Linear") else [64, 64]]


def workloads():
    """Part and tiny arguments, each once, by name."""
    found = {}
    for part, timed in TIMED.items():
        for name, arguments in timed.listed(True):
            found.setdefault((part, json.dumps(tiny(part, arguments))), name)
    return {f"{part}: {name}": (part, json.loads(text)) for (part, text), name in found.items()}


WORKLOADS = workloads()


@pytest.fixture(scope="module")
def loaded():
    """The libraries that are here, by name; tinygrad's compiler may not be."""
    return {name: libraries.load(name) for name in ("minigrad", *PEERS) if name != "tinygrad"}


# ---------------------------------------------------------------------------------------- workloads
@pytest.mark.parametrize(("part", "arguments"), WORKLOADS.values(), ids=WORKLOADS)
def test_libraries_agree(part, arguments, loaded):
    """All that have the workload compute the same, minigrad among them unless it lacks it."""
    numbers = {}
    for name, library in loaded.items():
        try:
            built = build(part, library, arguments)
            built.run()
            numbers[name] = digest(build(part, library, arguments).arrays())
        except Missing:
            continue
        assert built.bytes + built.flops > 0
    if not numbers:
        pytest.skip("no library that is installed has it")
    first, *others = numbers
    assert np.isfinite(np.concatenate(numbers[first])).all()
    assert any(value != 0 for group in numbers[first] for value in group)
    for name in others:
        harness._agree(f"{first} and {name}", numbers[first], numbers[name])


def test_names_are_unique():
    """A row of the table is found by its name."""
    names = [(part, listed.name) for part in TIMED for listed in TIMED[part].listed(True)]
    assert len(names) == len(set(names))


def test_only_layers_may_be_missing(loaded):
    """What minigrad lacks stands in a list that shrinks."""
    for part in ("losses", "optimizers", "training"):
        for _, arguments in TIMED[part].listed(True):
            assert build(part, loaded["minigrad"], tiny(part, arguments))
    for name in primitives.NAMES:
        assert build("primitives", loaded["minigrad"], [name, [3, 4], True])


def test_wrong_dropout_is_found():
    """Kept elements must be doubled, and their gradients."""
    rng = np.random.default_rng(0)
    x, cotangent = rng.standard_normal((2, 40, 40)).astype(np.float32)
    kept = rng.random((40, 40)) < 0.5
    assert layers.dropped(x, cotangent, 2 * x * kept, 2 * cotangent * kept)
    assert not layers.dropped(x, cotangent, x * kept, 2 * cotangent * kept)
    assert not layers.dropped(x, cotangent, 2 * x * kept, 2 * cotangent)
    assert not layers.dropped(x, cotangent, 2 * x, 2 * cotangent)


def test_least_bytes_and_operations():
    """Of a loss, a primitive, a layer, a training step: by hand."""
    library = libraries.load("minigrad")
    assert build("losses", library, ["mse_loss", [10]]).bytes == 3 * 40
    assert build("primitives", library, ["logsumexp", [3, 5], False]).bytes == 4 * (15 + 3)
    assert build("primitives", library, ["sigmoid", [3, 5], True]).bytes == 4 * 4 * 15
    assert build("layers", library, ["Linear", [2, 3, 5]]).flops == 3 * 2 * 2 * 3 * 5
    assert build("optimizers", library, ["Adam", [10]]).bytes == 7 * 40
    assert build("training", library, [[3, 5, 2], 4, "SGD"]).flops == 4 * (2 * 2 * 15 + 3 * 2 * 10)


@pytest.mark.parametrize("optimizer", SETTINGS)
def test_training_lowers_the_loss(optimizer):
    """The written-out NumPy steps are real ones."""
    network = Network.make([3, 8, 2], optimizer, lr=0.05)
    trainer = libraries.load("numpy").trainer(network)
    x, target = batch(network, 16)
    losses = [trainer.step(x, target) for _ in range(200)]
    assert losses[-1] < 0.5 * losses[0]


def test_after_counts_steps():
    """Parameters are compared once some steps are done."""
    steps = []
    assert len(after(lambda: steps.append(1), lambda: steps)()) == 5


def test_moons():
    """Two balanced halves; a short training already lowers the loss."""
    points, upper = tasks.moons()
    assert points.shape == (tasks.POINTS, 2)
    assert 0.4 < upper.mean() < 0.6
    assert tasks.train("minigrad", 1, steps=300) < 0.5


# ---------------------------------------------------------------------------------------- processes
def test_sides_are_compared(monkeypatch):
    """A worker answers; a peer that fails, differs or lacks a workload is told, minigrad's failure raises."""
    pace = Pace(2, 1000, 0.0)
    monkeypatch.setattr(harness, "SETTLE", 0.01)
    monkeypatch.setattr(harness, "environment", lambda threads: {"JAX_PLATFORMS": "no such thing"})
    sides, failed = harness.working([Side("minigrad", 1), Side("numpy", 1), Side("jax", 1)])
    assert list(failed) == ["jax"]
    assert failed["jax"]  # whether it is here or not
    cell = harness.compare("step", sides, "training", [[2, 4, 1], 8, "Adam"], pace)
    assert set(cell.microseconds) == {"minigrad", "numpy"}
    assert cell.ratios["numpy"].min <= cell.ratios["numpy"].median <= cell.ratios["numpy"].max
    assert cell.flops == 8 * (4 * 8 + 6 * 4)
    lacking = harness.compare("lacking", sides, "losses", ["ctc_loss", [10, 4, 5]], pace)
    assert set(lacking.microseconds) == {"minigrad"}
    assert not lacking.failed
    with pytest.raises(RuntimeError, match="bad: KeyError"):
        harness.compare("bad", sides, "losses", ["no such loss", [3]], pace)
    answers = {"numbers": [[1.0]], "bytes": 1, "flops": 0}
    monkeypatch.setattr(sides[1], "prepare", lambda *_: answers)
    assert "numpy" in harness.compare("differs", sides, "losses", ["mse_loss", [3]], pace).wrong
    monkeypatch.setattr(sides[1], "prepare", lambda *_: {"failed": "no compiler"})
    assert harness.compare("fails", sides, "losses", ["mse_loss", [3]], pace).failed == {
        "numpy": "no compiler"
    }
    monkeypatch.setattr(sides[0], "prepare", lambda *_: {"missing": True})
    assert harness.compare("missing", sides, "losses", ["mse_loss", [3]], pace) is None
    for side in sides:
        side.close()


@pytest.mark.slow
@pytest.mark.parametrize("peer", ["compile", "tinygrad"])
def test_peers_that_compile(peer):
    """In a process of their own they agree with minigrad, or say why they cannot be used."""
    if not libraries.installed([peer])[0]:
        pytest.skip(f"{peer} is not installed")
    if peer == "compile" and "MINIGRAD_TEST_COMPILE" not in os.environ:
        pytest.skip("torch.compile takes minutes to compile these: set MINIGRAD_TEST_COMPILE=1")
    sides, failed = harness.working([Side("minigrad", 2), Side(peer, 2)])
    if peer in failed:
        assert failed[peer].strip()
        sides[0].close()
        return
    for name, (part, arguments) in WORKLOADS.items():
        if peer == "tinygrad" or name in COMPILED:
            answers = [side.prepare(part, arguments) for side in sides]
            assert not any("failed" in answer for answer in answers), (name, answers)
            if all("numbers" in answer for answer in answers):
                harness._agree(f"{name} on {peer}", *(answer["numbers"] for answer in answers))
    for side in sides:
        side.close()


def test_installed(monkeypatch):
    """What is not here comes with what to install."""
    monkeypatch.setattr(libraries, "find_spec", lambda package: None if package == "optax" else object())
    here, left_out = libraries.installed(["torch", "jax"])
    assert here == ["torch"]
    assert left_out == {"jax": "pip install optax"}


def test_environment_gives_all_the_same_threads(monkeypatch):
    """And leaves tinygrad's device to who chose it."""
    monkeypatch.setenv("DEV", "CPU:LVP")
    found = libraries.environment(3)
    assert found["DEV"] == "CPU:LVP"
    assert {found[name] for name in ("OPENBLAS_NUM_THREADS", "NPROC", "CPU_COUNT")} == {"3"}


# ------------------------------------------------------------------------------------------- limits
LIMITS = {"copy": [[1000, 1e9], [1_000_000, 2e9]], "products": 1e10}


def test_limit():
    """The slower of moving and multiplying; copies of sizes between and beyond those measured."""
    assert machine.limit(LIMITS, 1000, 0) == pytest.approx(1.0)
    assert machine.limit(LIMITS, 100, 0) == pytest.approx(0.1)
    assert machine.limit(LIMITS, 10_000_000, 0) == pytest.approx(5000.0)
    assert machine.limit(LIMITS, 1000, 1_000_000) == pytest.approx(100.0)
    assert 1e6 * 31_623 / 2e9 < machine.limit(LIMITS, 31_623, 0) < 1e6 * 31_623 / 1e9


def test_machine_is_measured():
    """Rates are positive, and the table names them."""
    found = {"copy": machine._copies(1, [2**14]), "products": machine._products(1, 32)}
    assert found["copy"][0][0] == 2**14
    assert found["copy"][0][1] > 0
    assert found["products"] > 0
    assert "GFLOP/s" in machine.table(found)


# ---------------------------------------------------------------------------------------- documents
def stored():
    """Measurements as a run writes them."""
    cells = [
        Cell(
            "mse_loss 64",
            {"minigrad": 10.0, "torch": 25.0, "numpy": 5.0},
            {"torch": Ratio(2.5, 2.0, 3.0), "numpy": Ratio(0.5, 0.4, 0.6)},
            0.02,
            bytes=1000,
        ),
        Cell("mse_loss 10,000,000", {"minigrad": 2e6, "torch": 4e6}, {"torch": Ratio(2.0, 1.0, 4.0)}, 0.0),
    ]
    cells[1].failed["compile"] = "no compiler\nfound"
    rest = command.setting(2) | {"left out": {"jax": "pip install optax"}, "limits": LIMITS}
    parts = {"losses": {"cells": [command.asdict(cell) for cell in cells], "missing": ["conv2d"]}}
    return json.loads(json.dumps(rest | {"parts": parts}))


def test_document():
    """Times, ratios, shares of the limit, what was left out and what failed."""
    text = document.document(stored())
    row = "| mse_loss 64 | 10 µs | 10% | 25 µs **2.5** (2.0 to 3.0) |  | 5.0 µs **0.50** (0.40 to 0.60) |"
    assert row in text
    assert "| mse_loss 10,000,000 | 2.00 s |  | 4.00 s **2.0** (1.0 to 4.0) | failed |  |" in text
    assert "jax.jit is left out: pip install optax." in text
    assert "minigrad lacks conv2d." in text
    assert "torch.compile failed: no compiler found" in text
    assert "Against the fastest peer of each cell: 1.00 times as fast" in text
    assert "fastest in 1 of 2 cells (50%)" in text
    assert "## Primitives" not in text


def test_document_of_every_part():
    """Memory, start-up and accuracy have tables of their own."""
    pytest.importorskip("mpmath")
    results = stored()
    results["memory"] = {
        "linear": {"minigrad, linear_cross_entropy": 103.1},
        "training": {"2-16-16-1": {"minigrad": 1.5, "torch": 2.0}},
    }
    results["startup"] = {
        "import": {"minigrad": 0.4},
        "first use": {"softmax": 0.7},
        "from the cache": {"softmax": 0.01},
        tasks.NAME: {"empty cache": 6.0, "filled cache": 1.5},
    }
    errors = {"loss": 1e-7, "gradient": 2e-7}
    results["accuracy"] = {
        "mse_loss": {scale: {"minigrad": errors, "torch": errors} for scale in ("3", "30")}
    }
    text = document.document(results)
    assert "| minigrad, linear_cross_entropy | 103 | 33 |" in text
    assert "| 2-16-16-1 | 1.5 | 2.0 |" in text
    assert "| empty cache | 6.00 |" in text
    assert "| mse_loss | **1.0e-07** / 1.0e-07 |" in text


def test_growth_of_a_training_step():
    """A few steps in a process of their own need some memory, and less than a gigabyte."""
    assert 0 < memory.growth("minigrad", "0", 1) < 1000


def test_durations():
    """Each in the unit that suits it."""
    assert [report.duration(time) for time in (1.26, 12.6, 1234.5, 1_234_567)] == [
        "1.3 µs",
        "13 µs",
        "1,234 µs",
        "1.23 s",
    ]


def test_picture(tmp_path):
    """Files of the format asked for; nothing timed, nothing drawn."""
    for name, first in (("speed.png", b"\x89PNG"), ("speed.svg", b"<?xml")):
        picture.draw(stored(), tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(first)
    with pytest.raises(ValueError, match="no timed cell"):
        picture.draw(stored() | {"parts": {}}, tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()


def test_picture_packs_blocks():
    """Long parts are cut, short ones share a column, none is lost."""
    cells = [
        Cell(f"cell {n}", {"minigrad": 1.0, "numpy": 2.0}, {"numpy": Ratio(2, 1, 3)}, 0) for n in range(200)
    ]
    parts = {"losses": {"cells": [command.asdict(cell) for cell in cells]}}
    parts |= {
        "layers": {"cells": parts["losses"]["cells"][:5]},
        "tasks": {"cells": parts["losses"]["cells"][:1]},
    }
    columns = picture.columns_of(picture.blocks(stored() | {"parts": parts}))
    sizes = [[len(block) for _, block in column] for column in columns]
    assert sizes == [[67], [67], [66, 5], [1]]


# ------------------------------------------------------------------------------------------- README
def test_readme_is_rewritten(tmp_path):
    """Only what stands between the markers changes, and a second time nothing does."""
    path = tmp_path / "README.md"
    path.write_text(f"# before\n{readme.BEGIN}\nold\n{readme.END}\nafter\n", encoding="utf-8")
    measured = tmp_path / "measured.json"
    measured.write_text(json.dumps(stored()), encoding="utf-8")
    assert command.main(["readme", str(measured), "--readme", str(path)]) == 0
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# before\n{readme.BEGIN}\n| workload | minigrad | torch eager, times as long |")
    assert text.endswith(f"{readme.END}\nafter\n")
    assert "| mse_loss 64 | 10 µs | 25 µs **2.5** | 5.0 µs **0.50** |" in text
    assert "old" not in text
    assert command.main(["readme", str(measured), "--readme", str(path)]) == 0
    assert path.read_text(encoding="utf-8") == text


def test_readme_rows_exist():
    """Each of the short list is a workload of its part."""
    for part, (_, names) in readme.ROWS.items():
        known = {tasks.NAME} if part == "tasks" else {listed.name for listed in TIMED[part].listed(True)}
        assert set(names) <= known


def test_repository_readme_has_the_markers():
    """The command finds its place."""
    assert "| workload |" in readme.rewrite((REPOSITORY / "README.md").read_text(encoding="utf-8"), stored())


@pytest.mark.parametrize(
    "text", ["", readme.BEGIN, f"{readme.END} {readme.BEGIN}", 2 * f"{readme.BEGIN}{readme.END}"]
)
def test_readme_without_markers(text, tmp_path, capsys):
    """The file stays as it is."""
    path, measured = tmp_path / "README.md", tmp_path / "measured.json"
    path.write_text(text, encoding="utf-8")
    measured.write_text(json.dumps(stored()), encoding="utf-8")
    with pytest.raises(SystemExit, match="2"):
        command.main(["readme", str(measured), "--readme", str(path)])
    assert "expected <!-- speed table -->" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == text


# ------------------------------------------------------------------------------------- command line
def test_a_run_writes_everything(tmp_path, monkeypatch, capsys):
    """One workload against one peer; then another part into the same file."""
    monkeypatch.setattr(harness, "SETTLE", 0.01)
    monkeypatch.setattr(command, "QUICK", Pace(1, 1000, 0.0))
    monkeypatch.setattr(command.machine, "measure", lambda threads: LIMITS)
    measured, markdown, drawing = (tmp_path / name for name in ("found.json", "found.md", "found.png"))
    options = ["--quick", "--peers", "numpy", "--threads", "1", "--json", str(measured)]
    files = ["--markdown", str(markdown), "--picture", str(drawing)]
    assert command.main(["training", "--only", "4-32-3", *options, *files]) == 0
    assert "| 4-32-3, batch 32, SGD |" in capsys.readouterr().out
    assert command.main(["optimizers", "--only", "SGD with momentum, 10", *options, *files, "--update"]) == 0
    results = json.loads(measured.read_text(encoding="utf-8"))
    assert set(results["parts"]) == {"training", "optimizers"}
    text = markdown.read_text(encoding="utf-8")
    assert "| 4-32-3, batch 32, SGD |" in text
    assert "| SGD with momentum, 10 small parameters |" in text
    assert drawing.stat().st_size > 1000
    capsys.readouterr()
    assert command.main(["render", str(measured)]) == 0
    assert capsys.readouterr().out == text


def test_a_difference_is_an_error():
    """The status is 1 where a peer computes something else."""
    results = stored()
    assert command.status(results) == 0
    results["parts"]["losses"]["cells"][0]["wrong"] = {"torch": "0.1 is not 0.2"}
    assert command.status(results) == 1
    assert "torch eager differs: 0.1 is not 0.2" in document.document(results)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["speed"], "unknown part speed; choose from losses"),
        (["training", "--peers", "torch,pytorch"], "unknown peer 'pytorch'; choose from torch"),
        (["training", "--only", "no such"], "no workload of training has 'no such' in its name"),
        (["training", "--update"], "--update needs --json FILE"),
        (["render", "/no/such/file.json"], "is not what a run with --json wrote: FileNotFoundError"),
    ],
)
def test_errors(arguments, message, capsys):
    """Each says what was given and what to do."""
    with pytest.raises(SystemExit, match="2"):
        command.main(arguments)
    assert message in capsys.readouterr().err


def test_files_that_are_no_measurements(tmp_path, capsys):
    """Neither text nor other JSON."""
    for text in ("no JSON", "[1]", "{}"):
        (tmp_path / "file.json").write_text(text, encoding="utf-8")
        with pytest.raises(SystemExit, match="2"):
            command.main(["render", str(tmp_path / "file.json")])
        assert "is not what a run with --json wrote" in capsys.readouterr().err


def test_minigrad_bench(tmp_path):
    """The command of the package passes its options on, from any folder."""
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    run = [sys.executable, "-m", "minigrad", "bench", "--peers", "nothing"]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 2
    assert "unknown peer 'nothing'" in done.stderr


def test_minigrad_bench_without_the_suite(tmp_path, monkeypatch, capsys):
    """An installed package says where the suite is."""
    from minigrad import __main__ as package

    monkeypatch.setattr(package, "__file__", str(tmp_path / "minigrad" / "__main__.py"))
    assert package.main(["bench", "--quick"]) == 2
    assert "in a checkout of the repository type pip install -e '.[bench]'" in capsys.readouterr().err


def test_sized():
    """Shapes as the tables write them."""
    assert sized([4096, 1000]) == "4,096×1,000"
