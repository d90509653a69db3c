"""`minigrad warmup`: every job runs, both twins are kept on disk, and nothing else changes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import minigrad
from minigrad import precompile
from minigrad.__main__ import main

JOBS = list(precompile.jobs())
WARMUP = "import minigrad; print(minigrad.warmup(names=['relu'], double={double}))"


def start(folder: Path, double: bool = False) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", WARMUP.format(double=double)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "MINIGRAD_CACHE_DIR": str(folder)},
    )


def finish(process: subprocess.Popen) -> str:
    out, error = process.communicate(timeout=300)
    assert process.returncode == 0, error
    return out


def kept(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_both_twins_are_kept_also_when_two_processes_compile_at_once(tmp_path):
    both = [start(tmp_path), start(tmp_path)]
    assert [finish(process) for process in both] == ["1\n", "1\n"]
    files = kept(tmp_path)
    assert all(name.endswith(".nbc") for name in files)
    for name in ("_relu", "_relu_vjp"):
        for twin in ("", "_parallel"):
            assert sum(file.startswith(f"sigmoid.{name}{twin}-") for file in files) == 1

    assert finish(start(tmp_path)) == "1\n"
    assert kept(tmp_path) == files  # loaded, not compiled again
    assert finish(start(tmp_path, double=True)) == "2\n"
    assert sum(file.startswith("sigmoid._relu_parallel-") for file in kept(tmp_path)) == 2


@pytest.mark.parametrize(("name", "run"), JOBS, ids=[name for name, _ in JOBS])
def test_every_job_runs_in_both_types(name, run):
    for dtype in (minigrad.float32, minigrad.float64):
        result = run(dtype)
        if name not in ("rand", "randperm"):
            assert result.requires_grad
            assert result.dtype is dtype
            result.sum().backward()


def test_every_loss_with_a_kernel_has_a_job():
    modules = minigrad.nn.functional, minigrad.nn.extra
    functions = {name: function for module in modules for name, function in vars(module).items()}
    losses = {name for name, f in functions.items() if hasattr(f, "check_options") and f.wrt}
    assert "cross_entropy" in losses
    assert losses <= {name.split(",")[0] for name, _ in JOBS}


def test_random_numbers_and_modes_stay(monkeypatch):
    monkeypatch.setattr(precompile, "compile_parallel_twins", lambda: None)
    minigrad.manual_seed(3)
    wanted = minigrad.rand(3).tolist()
    minigrad.manual_seed(3)
    with minigrad.no_grad():
        assert minigrad.warmup(names=["AdamW", "randperm"]) == 2
        assert not minigrad.is_grad_enabled()
    assert minigrad.rand(3).tolist() == wanted


@pytest.mark.parametrize("bar", [True, False])
def test_the_command_says_what_it_did(capsys, monkeypatch, bar):
    shown = []

    def warmup(double, show):
        show(0, 2, "relu (float32)")
        show(1, 2, "relu (float64)")
        shown.append(double)
        return 2

    monkeypatch.setattr(precompile, "warmup", warmup)
    if not bar:
        monkeypatch.setitem(sys.modules, "tqdm", None)
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main(["warmup", "--double"]) == 0
    out, error = capsys.readouterr()
    assert shown == [True]
    assert out.startswith("2 jobs in ")
    assert str(precompile.cache_folders()[0]) in out
    assert bar or "2/2 relu (float64)" in error
