"""`minigrad train`: what it learns, what it shows and writes, and what it says when something is wrong."""

from __future__ import annotations

import csv
import io
import json
import math
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the data come with scikit-learn (extra data)")
pytest.importorskip("matplotlib", reason="training draws pictures (extra plot)")
pytest.importorskip("tqdm", reason="training shows a progress bar (extra progress)")

from train_harness import Trainer, session_for

import minigrad
from minigrad import from_numpy, nn, serialization
from minigrad.__main__ import main
from minigrad.train import console, models, pictures
from minigrad.train.loop import Epoch, Mean, Score, evaluate
from minigrad.train.tasks import TASKS
from minigrad.utils.data import TensorDataset

BARS = {"breast-cancer": 0.97, "digits": 0.97, "iris": 0.95, "moons": 0.99, "spirals": 0.99}
PLANE = {"moons", "spirals"}


@pytest.fixture
def train(tmp_path, capsys):
    return Trainer(tmp_path / "out", capsys)


# ------------------------------------------------------------------------------------ what it learns
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("task", BARS)
def test_reaches_its_bar_whatever_the_seed(task, seed):
    run = session_for(task, "--seed", str(seed)).train()
    assert run.ended == "finished"
    assert len(run.history) == TASKS[task].epochs
    assert run.history[-1].held_out.accuracy >= BARS[task]


@pytest.mark.parametrize("task", ["moons", "breast-cancer"])
def test_softmax_head_learns_the_binary_tasks_too(task):
    session = session_for(task, "--head", "softmax")
    assert session.sizes[-1] == 2
    assert type(session.head.loss) is nn.CrossEntropyLoss
    assert session.train().history[-1].held_out.accuracy >= BARS[task]


@pytest.mark.parametrize("optimizer", models.OPTIMIZERS)
def test_every_optimizer_learns_with_its_own_defaults(optimizer):
    run = session_for("moons", "--optimizer", optimizer).train()
    assert run.history[-1].held_out.accuracy >= 0.98


@pytest.mark.parametrize("activation", models.ACTIVATIONS)
def test_every_activation_learns(activation):
    run = session_for("iris", "--activation", activation, "--epochs", "20", "--lr", "0.03").train()
    assert run.history[-1].held_out.accuracy >= 0.9


def test_without_hidden_layers_the_model_is_linear():
    session = session_for("moons", "--hidden", "none")
    assert [type(layer) for layer in session.model] == [nn.Linear]
    assert 0.8 < session.train().history[-1].held_out.accuracy < 0.95


@pytest.mark.parametrize("name", TASKS)
def test_data_are_split_and_standardised(name):
    task = TASKS[name]
    data = task.load()
    train, held_out = data.train_features, data.held_out_features
    assert train.dtype == held_out.dtype == np.float32
    assert len(held_out) == math.ceil(0.25 * (len(train) + len(held_out)))
    varying = train.std(axis=0) > 0
    np.testing.assert_allclose(train.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(train.std(axis=0)[varying], 1, rtol=1e-5)
    shares = np.bincount(data.train_labels) / len(train)
    np.testing.assert_allclose(np.bincount(data.held_out_labels) / len(held_out), shares, atol=0.03)
    assert len(data.class_names) == len(shares) == task.classes
    assert len(data.feature_names) == train.shape[1]
    np.testing.assert_allclose(data.standardise(data.restore(train)), train, atol=1e-5)
    if name != "iris":  # which has two flowers of the same measures
        assert not {*map(tuple, train.tolist())} & {*map(tuple, held_out.tolist())}


def test_means_count_samples_not_batches():
    mean = Mean()
    mean.add(minigrad.tensor(1.0), minigrad.tensor([True, True, True]))
    mean.add(minigrad.tensor(5.0), minigrad.tensor([False]))
    assert mean.score() == Score(loss=2.0, accuracy=0.75)


def test_a_ragged_last_batch_weighs_by_its_samples():
    session = session_for("iris", "--lr", "1e-12", "--batch-size", "50")
    session.options.epochs = 1
    samples = session._samples(session.data.train_features, session.data.train_labels)
    before = evaluate(session.model, session.head, samples)
    after = session.train().history[0].train
    assert after.loss == pytest.approx(before.loss, rel=1e-6)
    assert after.accuracy == before.accuracy


# ------------------------------------------------------------------------------ what it shows, writes
@pytest.mark.parametrize("task", BARS)
def test_writes_its_results(train, task):
    code, out, err = train(task, "--epochs", "3")
    assert (code, err) == (0, "")
    picture = "decision_boundary.png" if task in PLANE else "confusion_matrix.png"
    names = {"weights.npz", "history.csv", "run.json", "learning_curves.png", picture}
    assert {path.name for path in train.out.iterdir()} == names
    assert all(name in out for name in names)
    assert max(map(len, out.replace(str(train.out), "runs/x").splitlines())) < 80
    for name in ("learning_curves.png", picture):
        assert (train.out / name).read_bytes().startswith(b"\x89PNG")

    record = json.loads((train.out / "run.json").read_text())
    rows = list(csv.DictReader(io.StringIO((train.out / "history.csv").read_text())))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert [{k: float(v) for k, v in row.items()} for row in rows] == record["history"]
    assert record["ended"] == "finished"
    assert record["options"]["epochs"] == 3

    accuracy = accuracy_of_files(train.out, record)
    assert accuracy == record["history"][-1]["held_out_accuracy"]
    assert f"held-out accuracy: {100 * accuracy:.1f} % (" in out
    assert f"{100 * accuracy:.1f} %" in out.splitlines()[7]  # the last row of the table


def accuracy_of_files(folder, record) -> float:
    """What the written weights are worth, from the files alone and the task's raw data."""
    sizes = record["model"]["sizes"]
    model = models.perceptron(sizes[0], sizes[1:-1], sizes[-1], record["options"]["activation"])
    model.load_state_dict(serialization.load(folder / "weights.npz"))
    data = TASKS[record["task"]].load()
    raw = data.restore(data.held_out_features)
    mean, std = (np.array(record["standardise"][key]) for key in ("mean", "std"))
    logits = model(from_numpy(((raw - mean) / std).astype(np.float32))).detach().numpy()
    guessed = (logits[:, 0] > 0) if record["options"]["head"] == "sigmoid" else logits.argmax(1)
    return float((guessed == data.held_out_labels).mean())


def test_same_seed_same_files(train, tmp_path):
    for name, seed in (("a", "3"), ("b", "3"), ("c", "4")):
        assert train("iris", "--epochs", "3", "--seed", seed, out=tmp_path / name)[0] == 0
    for name in ("weights.npz", "history.csv", "run.json", "learning_curves.png"):
        first, again, other = ((tmp_path / folder / name).read_bytes() for folder in "abc")
        assert first == again != other


def test_results_replace_those_of_the_run_before(train):
    assert train("iris", "--epochs", "3")[0] == 0
    assert train("iris", "--epochs", "2")[0] == 0
    assert (train.out / "history.csv").read_text().count("\n") == 3
    assert not list(train.out.glob(".*"))


@pytest.mark.parametrize(("epochs", "step"), [(1, 1), (20, 1), (21, 2), (60, 5), (200, 10), (201, 20)])
def test_long_tables_are_thinned(epochs, step):
    assert console.stride(epochs) == step


def test_table_shows_first_and_last_epoch(train):
    _, out, _ = train("iris", "--epochs", "43")
    shown = [int(line.split()[0]) for line in out.splitlines() if line[:5].strip().isdigit()]
    assert shown == [1, 5, 10, 15, 20, 25, 30, 35, 40, 43]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_terminal_gets_a_bar_with_loss_and_accuracy(train, monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    code, out, _ = train("digits", "--epochs", "3")
    assert code == 0
    assert "epoch 1/3" in screen.getvalue()
    assert "%" in screen.getvalue()
    assert "epoch 1/3" not in out
    score = Score(loss=0.5, accuracy=0.875)
    with console.Progress(3, 10) as progress:
        progress.batch(score)
        assert "loss 0.5000, accuracy 87.5 %" in str(progress.bar)


def test_files_get_no_bar(train):
    _, out, err = train("iris", "--epochs", "2")
    assert err == ""
    assert "\r" not in out


def test_help_shows_examples_and_defaults(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as stop:
        main(["train", "--help"])
    out = capsys.readouterr().out
    assert stop.value.code == 0
    assert "minigrad train spirals --hidden" in out
    for task in TASKS.values():
        assert task.summary in out
    assert max(map(len, out.splitlines())) <= 80


# ------------------------------------------------------------------------------------------- pictures
HISTORY = tuple(Epoch(k, Score(1 / k, 1 - 0.5 / k), Score(1.2 / k, 1 - 0.6 / k)) for k in range(1, 31))


def test_learning_curves_name_what_they_show():
    figure = pictures.learning_curves("iris: 97 %", "cross-entropy", HISTORY)
    loss, accuracy = figure.axes
    assert figure.get_suptitle() == "iris: 97 %"
    assert "nats" in loss.get_ylabel()
    assert "%" in accuracy.get_ylabel()
    assert "epoch" in loss.get_xlabel()
    for axes in (loss, accuracy):
        assert [line.get_linestyle() for line in axes.lines] == ["-", "--"]
    np.testing.assert_allclose(loss.lines[1].get_ydata(), [1.2 / k for k in range(1, 31)])
    np.testing.assert_allclose(accuracy.lines[0].get_ydata()[-1], 100 - 50 / 30)


def test_a_loss_of_zero_is_drawn_on_a_linear_axis():
    perfect = (Epoch(1, Score(0.0, 1.0), Score(0.0, 1.0)),)
    figure = pictures.learning_curves("", "loss", perfect)
    assert figure.axes[0].get_yscale() == "linear"
    assert pictures.png(lambda: figure).startswith(b"\x89PNG")


def test_decision_boundary_rings_the_misclassified():
    data = TASKS["moons"].load()

    def upper_half(features):  # a model for the upper moon above the mean
        upper = (features[:, 1] > 0).astype(float)
        return np.stack((upper, 1 - upper), axis=1)

    figure = pictures.decision_boundary("moons", data, upper_half, resolution=50)
    (axes,) = figure.axes
    rings = axes.collections[-1].get_offsets()
    wrong = (upper_half(data.held_out_features).argmax(1) != data.held_out_labels).sum()
    assert 0 < len(rings) == wrong
    (legend,) = figure.legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert f"misclassified ({wrong} held out)" in texts
    assert {"upper moon", "lower moon", "training", "held out"} <= set(texts)
    assert axes.get_aspect() == 1


def test_confusion_matrix_counts():
    labels, guessed = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 1, 0])
    figure = pictures.confusion_matrix("", labels, guessed, ["a", "b", "c"])
    shares = np.asarray(figure.axes[0].images[0].get_array())
    np.testing.assert_allclose(shares, [[200 / 3, 100 / 3, 0], [0, 100, 0], [100, 0, 0]])
    texts = {text.get_text() for text in figure.axes[0].texts}
    assert texts == {"2\n66.7 %", "1\n33.3 %", "2\n100.0 %", "1\n100.0 %"}


def test_pictures_do_not_depend_on_the_users_settings(train, tmp_path):
    import matplotlib

    assert train("iris", "--epochs", "2", out=tmp_path / "plain")[0] == 0
    with matplotlib.rc_context({"figure.facecolor": "black", "font.size": 30.0}):
        assert train("iris", "--epochs", "2", out=tmp_path / "dark")[0] == 0
    for name in ("learning_curves.png", "confusion_matrix.png"):
        assert (tmp_path / "plain" / name).read_bytes() == (tmp_path / "dark" / name).read_bytes()


def test_import_takes_no_extra_and_no_numba():
    heavy = {"sklearn", "matplotlib", "tqdm", "torch", "numba"}
    code = f"import sys, minigrad; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_heads_agree_on_what_a_probability_is():
    logits = minigrad.tensor([[0.7], [-2.0]])
    two = minigrad.cat((minigrad.zeros(2, 1), logits), dim=1)
    one, both = models.SigmoidHead(), models.SoftmaxHead()
    np.testing.assert_allclose(one.probabilities(logits), both.probabilities(two), rtol=1e-6)
    assert one.decide(logits).squeeze(1).tolist() == both.decide(two).tolist() == [1, 0]
    labels = np.array([1, 0])
    assert one.loss(logits, one.targets(labels)).item() == pytest.approx(
        both.loss(two, both.targets(labels)).item(), rel=1e-6
    )
    assert TensorDataset(two, both.targets(labels))[1][1].item() == 0
