"""`minigrad train` ended before its time, or given what it cannot use: what it says, what it leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the data come with scikit-learn (extra data)")
pytest.importorskip("matplotlib", reason="training draws pictures (extra plot)")
pytest.importorskip("tqdm", reason="training shows a progress bar (extra progress)")

from train_harness import Trainer, session_for

import minigrad
from minigrad import nn, serialization
from minigrad.__main__ import main
from minigrad.train import cli, console, files, models
from minigrad.train.loop import Epoch, fit, snapshot
from minigrad.train.problems import Problem


@pytest.fixture
def train(tmp_path, capsys):
    return Trainer(tmp_path / "out", capsys)


@pytest.fixture
def refused(capsys):
    """Runs a command that must fail with exit code 2: gives what it said on standard error."""

    def run(*arguments: str) -> str:
        try:
            code = main(["train", *arguments])
        except SystemExit as stop:  # argparse
            code = stop.code
        out, err = capsys.readouterr()
        assert code == 2
        assert out == ""
        assert "Traceback" not in err
        return err

    return run


def interrupt_in(monkeypatch, epoch: int) -> None:
    """Ctrl-C in the second batch of an epoch."""
    batches = 0
    genuine = console.Progress.batch

    def batch(self, score):
        nonlocal batches
        genuine(self, score)
        batches = batches + 1 if self.number == epoch else 0
        if batches == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(console.Progress, "batch", batch)


# ------------------------------------------------------------------------------- ended before its time
def test_interruption_keeps_the_last_full_epoch(train, monkeypatch, tmp_path):
    assert train("iris", "--epochs", "2", out=tmp_path / "two")[0] == 0
    interrupt_in(monkeypatch, epoch=3)
    code, out, err = train("iris", "--epochs", "9")
    assert code == 130
    assert err == "interrupted in epoch 3 of 9: kept the weights of epoch 2\n"
    assert "held-out accuracy: " in out
    for name in ("history.csv", "learning_curves.png", "confusion_matrix.png"):
        assert (train.out / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    kept, expected = (serialization.load(f / "weights.npz") for f in (train.out, tmp_path / "two"))
    assert list(kept) == list(expected)
    assert all(kept[name].equal(expected[name]) for name in kept)
    assert json.loads((train.out / "run.json").read_text())["ended"] == "interrupted"


def test_interruption_in_the_first_epoch_leaves_earlier_results_alone(train, monkeypatch):
    assert train("iris", "--epochs", "1")[0] == 0
    before = {path.name: path.read_bytes() for path in train.out.iterdir()}
    interrupt_in(monkeypatch, epoch=1)
    code, _, err = train("iris", "--epochs", "9")
    assert code == 130
    assert err == "interrupted in epoch 1 of 9: nothing is written\n"
    assert {path.name: path.read_bytes() for path in train.out.iterdir()} == before


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_ctrl_c(tmp_path):
    command = [sys.executable, "-m", "minigrad", "train", "iris", "--epochs", "100000", "--out", "out"]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # What a shell starts in the background ignores the signal, and so would what that starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while process.stdout.readline()[:5].strip() != "1":
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "kept the weights of epoch" in err
    assert "Traceback" not in err
    epochs = (tmp_path / "out" / "history.csv").read_text().count("\n") - 1
    assert f"kept the weights of epoch {epochs}\n" in err
    assert "held-out accuracy: " in out


def test_divergence_is_told_and_never_kept(train):
    code, _, err = train("iris", "--lr", "1e30")
    assert code == 1
    assert err.startswith("diverged: the loss of epoch 1 is not a finite number; nothing is written;")
    assert "--lr 1e+29" in err
    assert not list(train.out.iterdir())


def test_divergence_keeps_the_finite_epochs():
    session = session_for("iris", "--epochs", "5")
    samples = session._samples(session.data.train_features, session.data.train_labels)

    def spoil(epoch: Epoch) -> None:
        if epoch.number == 2:
            session.optimizer.param_groups[0]["lr"] = 1e30

    run = fit(
        session.model,
        session.head,
        session.optimizer,
        samples,
        samples,
        epochs=5,
        batch_size=16,
        on_epoch=spoil,
    )
    assert run.ended == "diverged"
    assert len(run.history) == 2
    assert all(np.isfinite(value.numpy()).all() for value in run.weights.values())


def test_snapshots_do_not_follow_the_model():
    model = nn.Sequential(nn.Linear(2, 1))
    kept = snapshot(model)
    with minigrad.no_grad():
        model[0].weight.add_(1.0)
    assert not kept["0.weight"].equal(model[0].weight)
    assert not kept["0.weight"].requires_grad


# -------------------------------------------------------------------------------------------- bad input
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sunspots"], "invalid choice: 'sunspots' (choose from "),
        (["iris", "--optimizer", "lion"], "invalid choice: 'lion' (choose from "),
        (["iris", "--activation", "step"], "invalid choice: 'step' (choose from "),
        (["iris", "--head", "tail"], "invalid choice: 'tail' (choose from "),
        (["iris", "--epochs", "0"], "--epochs: '0' given, expected a whole number, 1 or more"),
        (["iris", "--epochs", "2.5"], "--epochs: '2.5' given, expected a whole number"),
        (["iris", "--batch-size", "-1"], "--batch-size: '-1' given, expected a whole number"),
        (["iris", "--lr", "0"], "--lr: '0' given, expected a finite number above 0"),
        (["iris", "--lr", "nan"], "--lr: 'nan' given, expected a finite number above 0"),
        (["iris", "--lr", "inf"], "--lr: 'inf' given, expected a finite number above 0"),
        (["iris", "--weight-decay", "-1"], "'-1' given, expected a finite number, 0 or more"),
        (["iris", "--seed", "-1"], "--seed: '-1' given, expected a whole number, 0 or more"),
        (["iris", "--seed", str(2**64)], "(below 2**64)"),
        (["iris", "--hidden", "8,0"], "--hidden: '8,0' given, expected widths of 1 or more such as 64,64"),
        (["iris", "--hidden", "wide"], "--hidden: 'wide' given, expected widths"),
        (["iris", "--out", ""], "'' given, expected the name of a folder"),
        (["iris", "--epoch", "3"], "unrecognized arguments: --epoch 3"),
        (["iris", "--head", "sigmoid"], "iris has more; type --head softmax"),
        ([], "required: TASK"),
    ],
)
def test_bad_options(refused, arguments, said):
    assert said in refused(*arguments).splitlines()[-1]


@pytest.mark.parametrize("where", ["file", "file/below", "no\0name"])
def test_unwritable_folder_is_found_before_the_work(refused, tmp_path, monkeypatch, where):
    (tmp_path / "file").write_text("precious")
    monkeypatch.setattr(cli, "Session", None)  # would fail if it came to that
    err = refused("iris", "--out", str(tmp_path / where))
    assert err.count("\n") == 1
    assert err.startswith("minigrad train: error: ")
    assert repr(str(tmp_path / where)) in err
    assert "--out FOLDER" in err
    assert (tmp_path / "file").read_text() == "precious"


@pytest.mark.parametrize(
    ("missing", "packages", "command"),
    [
        (["sklearn"], "scikit-learn, which is", "pip install 'minigrad[data]'"),
        (["matplotlib"], "matplotlib, which is", "pip install 'minigrad[plot]'"),
        (["tqdm"], "tqdm, which is", "pip install 'minigrad[progress]'"),
        (
            ["sklearn", "tqdm"],
            "scikit-learn and tqdm, which are",
            "pip install 'minigrad[data,progress]'",
        ),
    ],
)
def test_missing_extras_are_found_before_the_work(refused, tmp_path, monkeypatch, missing, packages, command):
    for name in missing:
        monkeypatch.setitem(sys.modules, name, None)
    err = refused("iris", "--out", str(tmp_path / "out"))
    assert err == (f"minigrad train: error: training needs {packages} not installed; type: {command}\n")
    assert not (tmp_path / "out").exists()


def test_too_little_memory_is_said_in_one_line(refused, monkeypatch, tmp_path):
    def perceptron(*sizes):
        raise MemoryError

    monkeypatch.setattr(models, "perceptron", perceptron)
    err = refused("iris", "--hidden", "9999", "--out", str(tmp_path / "out"))
    assert err == "minigrad train: error: not enough memory; try smaller sizes\n"


def test_interruption_outside_the_training(capsys, monkeypatch, tmp_path):
    def load(self):
        raise KeyboardInterrupt

    monkeypatch.setattr("minigrad.train.tasks.Task.load", load)
    assert main(["train", "iris", "--out", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "minigrad train: interrupted\n"


def test_a_disk_that_fills_up_is_said_in_one_line(train, monkeypatch):
    def replace(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "replace", replace)
    code, _, err = train("iris", "--epochs", "1")
    assert code == 2
    assert err.startswith(f"minigrad train: error: cannot write {str(train.out / 'weights.npz')!r}")
    assert err.count("\n") == 1
    assert not list(train.out.iterdir())


def test_a_file_is_whole_or_as_before(tmp_path, monkeypatch):
    path = tmp_path / "history.csv"
    files.write_whole(path, b"before")

    def replace(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "replace", replace)
    with pytest.raises(Problem, match="No space left on device"):
        files.write_whole(path, b"after")
    assert path.read_bytes() == b"before"
    assert [p.name for p in tmp_path.iterdir()] == ["history.csv"]
