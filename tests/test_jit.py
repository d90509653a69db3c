"""The kernel machinery: lazy, kept on disk and never stale, safe with threads and after a fork.

Most tests run a copy of the kernel package in processes of its own, to have a cache of its own.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from minigrad.kernels import jit, sigmoid
from minigrad.kernels.cache import SOURCES, source_stamp
from minigrad.kernels.jit import kernel, prange

# Runs one function at 1 and tells what its dispatcher did.  relu is quick to compile.
PROBE = """
import json, sys
import numpy as np
from copied import sigmoid
assert "numba" not in sys.modules
y = sigmoid.relu(np.ones(2, np.float32))
stats = sigmoid._relu.dispatcher().stats
print(json.dumps({
    "y": y.tolist(),
    "hits": sum(stats.cache_hits.values()),
    "misses": sum(stats.cache_misses.values()),
    "path": stats.cache_path,
}))
"""


@pytest.fixture
def package(tmp_path):
    """A copy of the kernel package, named `copied`, without anything compiled."""
    shutil.copytree(SOURCES, tmp_path / "copied", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "copied"


def start(package: Path, code: str, **environment: str) -> subprocess.Popen:
    inherited = {k: v for k, v in os.environ.items() if k != "MINIGRAD_CACHE_DIR"}
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**inherited, "PYTHONPATH": str(package.parent), **environment},
    )


def run(package: Path, code: str = PROBE, **environment: str):
    process = start(package, code, **environment)
    out, error = process.communicate(timeout=120)
    assert process.returncode == 0, error
    return json.loads(out) if out else None


def kept_files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*.nbc")}


def test_compiled_once_and_then_loaded(package):
    first = run(package)
    assert (first["y"], first["hits"], first["misses"]) == ([1, 1], 0, 1)
    assert first["path"] == str(package / "__pycache__")
    files = kept_files(package)
    assert any(name.startswith("sigmoid._relu-") for name in files)
    second = run(package)
    assert (second["y"], second["hits"], second["misses"]) == ([1, 1], 1, 0)
    assert kept_files(package) == files

    for path in package.rglob("*.nbc"):  # damaged
        path.write_bytes(path.read_bytes()[:-100])
    third = run(package)
    assert (third["y"], third["hits"], third["misses"]) == ([1, 1], 0, 1)
    assert kept_files(package).keys() == files.keys()


# A kernel that makes arrays, and then a function of the user's own that makes some too.
AFTERWARDS = """
import json, sys
import numpy as np
from copied import sums
x, y = np.ones((2, 3), np.float32), np.zeros(2, np.float32)
sums.sum_rows(x.ravel(), y, 3, 1.0)
compiling = "numba.np.arrayobj" in sys.modules
import numba
made = numba.njit(lambda n: np.empty(n).size)(5)
try:
    numba.njit(lambda n: np.empty(n))(-5)
except ValueError as error:
    said = str(error)
print(json.dumps([y.tolist(), compiling, made, said]))
"""


def test_kept_kernels_are_loaded_without_what_compiling_takes(package):
    expected = [[3, 3], True, 5, "negative dimensions not allowed"]
    assert run(package, AFTERWARDS) == expected
    expected[1] = False
    assert run(package, AFTERWARDS) == expected


def test_an_edited_helper_leaves_nothing_stale(package):
    probe = PROBE.replace("relu", "tanh")
    assert run(package, probe)["y"] == pytest.approx([np.tanh(1)] * 2)
    files = kept_files(package)
    helper = package / "math.py"
    source = helper.read_text()
    edited = source.replace("t / (t + _TWO)", "t / (t + _ONE)")
    assert edited != source
    helper.write_text(edited)
    result = run(package, probe)
    t = np.expm1(2)
    assert result["y"] == pytest.approx([t / (t + 1)] * 2)
    assert result["misses"] == 1
    # The new code takes the place of the old: nothing piles up.
    assert kept_files(package).keys() == files.keys()


def test_the_stamp_depends_on_every_byte_and_name(tmp_path):
    a, b = tmp_path / "a.py", tmp_path / "b.py"
    a.write_text("x = 1")
    b.write_text("y = 2")
    stamp = source_stamp(a, b)
    assert stamp == source_stamp(b, a)
    b.write_text("y = 3")
    assert source_stamp(a, b) != stamp
    b.write_text("y = 2")
    assert source_stamp(a, b) == stamp
    assert source_stamp(a, b.rename(tmp_path / "c.py")) != stamp


def block(folder: Path) -> None:
    """Make a folder impossible: also for a superuser, whom no permission stops."""
    folder.write_text("not a folder")


def test_where_compiled_code_is_kept(package, tmp_path):
    """A chosen folder, the package (above), the user's cache, temporary files, or memory alone."""
    chosen, home, temporary = tmp_path / "chosen", tmp_path / "home", tmp_path / "tmp"
    assert run(package, MINIGRAD_CACHE_DIR=str(chosen))["path"].startswith(str(chosen))
    assert not kept_files(package)

    block(package / "__pycache__")
    places = {"XDG_CACHE_HOME": str(home), "TMPDIR": str(temporary)}
    temporary.mkdir()
    assert run(package, **places)["path"].startswith(str(home / "minigrad"))
    assert run(package, **places)["hits"] == 1

    shutil.rmtree(home)
    block(home)
    assert run(package, **places)["path"].startswith(str(temporary))
    if hasattr(os, "getuid"):  # what others can write is not trusted
        for folder in temporary.iterdir():
            folder.chmod(0o777)
        assert run(package, **places)["hits"] == 0

    names = [folder.name for folder in temporary.iterdir()]
    shutil.rmtree(temporary)
    temporary.mkdir()
    for name in names:
        block(temporary / name)
    result = run(package, **places)
    assert (result["y"], result["path"]) == ([1, 1], None)


def test_processes_that_compile_at_once(package):
    processes = [start(package, PROBE) for _ in range(2)]
    for process in processes:
        out, error = process.communicate(timeout=120)
        assert process.returncode == 0, error
        assert json.loads(out)["y"] == [1, 1]
    assert run(package)["hits"] == 1
    assert not list((package / "__pycache__").glob("*.nbc.*"))  # no file half written


# The strictest threading layer: it aborts the process if two threads launch at once.
TWO_THREADS = """
import threading
import numpy as np
from copied import sigmoid
x = np.linspace(-5, 5, 1_000_000, dtype=np.float32)
expected = sigmoid.sigmoid(x).tobytes()
wrong = []
def work():
    for _ in range(60):
        if sigmoid.sigmoid(x).tobytes() != expected:
            wrong.append(1)
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not wrong
import numba
assert numba.threading_layer() == "workqueue"
"""


def test_threads_that_launch_at_once(package):
    run(package, TWO_THREADS, NUMBA_THREADING_LAYER="workqueue", NUMBA_NUM_THREADS="2")


FORK = """
import os
import numpy as np
from copied import sigmoid
x = np.zeros(1_000_000, np.float32)
assert sigmoid.sigmoid(x)[0] == 0.5
assert sigmoid._sigmoid._twins.keys() == {"parallel"}
child = os.fork()
if not child:
    ok = sigmoid.sigmoid(x)[0] == 0.5 and sigmoid.log_sigmoid(x)[0] < 0
    os._exit(0 if ok else 1)
assert os.waitpid(child, 0)[1] == 0
assert "GOMP_SPINCOUNT" not in os.environ
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_runs_serially(package):
    run(package, FORK, NUMBA_NUM_THREADS="2", PYTHONWARNINGS="ignore")


# Twins and specialisation.


@kernel
def step(x):
    return x + 1


@kernel
def twice(x):
    return step(step(x))


@kernel(parallel=True, threshold=100)
def fill(x, y):
    for i in prange(x.size):
        y[i] = twice(x[i])


@kernel
def step_of_ten(x):
    return x + 10


fill_by_ten = fill.specialise("fill_by_ten", step=step_of_ten)


@pytest.mark.parametrize(("kern", "added"), [(fill, 2), (fill_by_ten, 20)])
def test_specialised_kernels_and_their_twins(kern, added):
    x = np.arange(1000, dtype=np.float64)
    for call in (kern, lambda *a: kern.run(99, *a), lambda *a: kern.run(100, *a)):
        y = np.empty_like(x)
        call(x, y)
        assert np.array_equal(y, x + added)
    names = {kern.dispatcher(twin).py_func.__qualname__ for twin in ("serial", "parallel")}
    assert names == {kern.__wrapped__.__qualname__, kern.__wrapped__.__qualname__ + "_parallel"}


def test_the_twin_is_chosen_by_size(monkeypatch):
    ran = []
    monkeypatch.setattr(fill, "serial", lambda *a: ran.append("serial"))
    monkeypatch.setattr(fill, "_parallel", lambda *a: ran.append("parallel"))
    monkeypatch.setattr(jit, "_threads", 2)
    fill.run(99)
    fill.run(100)
    with jit._launching:  # another thread is in a parallel kernel
        fill.run(100)
    monkeypatch.setattr(jit, "_threads", 1)
    fill.run(100)
    assert ran == ["serial", "parallel", "serial", "serial"]


def test_number_of_threads(monkeypatch):
    monkeypatch.setattr(jit, "_threads", None)
    assert jit.get_num_threads() == jit._available_threads() >= 1
    jit.set_num_threads(3)
    assert jit.get_num_threads() == 3
    with pytest.raises(RuntimeError, match="positive integer, but got 0"):
        jit.set_num_threads(0)
    with pytest.raises(TypeError, match="expects an int, but got str"):
        jit.set_num_threads("2")
    assert jit.get_num_threads() == 3


def test_more_threads_than_there_are(monkeypatch):
    monkeypatch.setattr(jit, "_threads", 1000)
    x, y = np.arange(1000.0), np.empty(1000)
    fill.run(1000, x, y)
    assert np.array_equal(y, x + 2)


def test_first_calls_from_many_threads_build_one_dispatcher():
    kern = fill.specialise("fill_in_threads", step=step_of_ten)
    built = []
    threads = [threading.Thread(target=lambda: built.append(kern.dispatcher())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 8
    assert all(dispatcher is built[0] for dispatcher in built)


def test_a_kernel_typed_at_a_prompt_is_not_kept():
    scope = {"kernel": kernel, "__name__": "prompt"}
    exec(compile("@kernel\ndef add(x, y):\n    return x + y\n", "<stdin>", "exec"), scope)
    assert scope["add"](2, 3) == 5
    assert scope["add"].dispatcher().stats.cache_path is None


def test_hot_loops_call_no_library_function():
    """exp and log are inlined and vectorised: machine code without calls, but with vectors."""
    for name in ("_sigmoid", "_log_sigmoid", "_softplus", "_tanh"):
        loop = vars(sigmoid)[name].specialise(f"{name}_to_inspect")
        arrays = (np.zeros(8, np.float32), np.zeros(8, np.float32))
        options = (np.float32(1), np.float32(20)) if name == "_softplus" else ()
        dispatcher = loop.dispatcher()
        dispatcher._cache.prepare()
        dispatcher._cache = type(
            "NoCache", (), {"load_overload": lambda *a: None, "save_overload": lambda *a: None}
        )()
        dispatcher(*arrays, *options)
        (llvm,) = dispatcher.inspect_llvm().values()
        assert " x float>" in llvm, f"{name} is not vectorised"
        assert "@expf" not in llvm
        assert "@logf" not in llvm
        assert "@log1pf" not in llvm


def test_a_kernel_runs_serially_just_after_a_product_unless_it_is_long(monkeypatch):
    kern = kernel(parallel=True, threshold=10)(lambda x: None)
    ran = []
    monkeypatch.setattr(kern, "serial", lambda *args: ran.append("serial"))
    monkeypatch.setattr(kern, "_parallel", lambda *args: ran.append("parallel"))
    monkeypatch.setattr(jit, "_threads", 2)
    monkeypatch.setattr(jit, "_spinning_until", 0.0)
    monkeypatch.setattr(jit, "_numba", lambda: SimpleNamespace(set_num_threads=lambda n: None))
    kern.run(100)
    jit.note_product(1_000)  # too small for threads
    kern.run(100)
    jit.note_product(10_000_000)
    kern.run(100)
    kern.run(jit._LONG)
    kern.run(5)
    assert ran == ["parallel", "parallel", "serial", "parallel", "serial"]
