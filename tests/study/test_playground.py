"""The playground: every choice trains, a setup gives the same run again, the server refuses others."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minigrad
from minigrad import study
from minigrad.nn import functional as F
from minigrad.study.playground import points
from minigrad.study.playground.choices import DATA, LOSSES, fitting
from minigrad.study.playground.server import Playground, page
from minigrad.study.playground.trainer import ACTIVATIONS, OPTIMIZERS, BadSetup, Setup, Trainer
from minigrad.train.problems import Problem

ROOT = Path(__file__).resolve().parents[2]
PAIRS = [(data, loss) for data in ("moons", "spirals3", "waves") for loss in fitting(DATA[data])]


@pytest.mark.parametrize(("data", "loss"), PAIRS)
def test_every_loss_is_lowered(data, loss) -> None:
    trainer = Trainer(Setup(data=data, loss=loss, samples=100))
    before = trainer.losses()[0]
    for _ in range(120):
        trainer.step()
    assert trainer.losses()[0] < 0.95 * before


def test_every_loss_fits_some_data() -> None:
    assert {loss for data in DATA.values() for loss in fitting(data)} == set(LOSSES)


@pytest.mark.parametrize("data", DATA)
def test_points_lie_where_the_map_shows_them(data) -> None:
    x, y = points(data, samples=60, noise=0.0)
    assert x.shape == (60, 2)
    assert x.abs().max() < 1.15
    if DATA[data].classes:
        assert sorted(set(y.tolist())) == list(range(DATA[data].classes))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimiser_and_activation(optimizer, activation) -> None:
    trainer = Trainer(Setup(optimizer=optimizer, activation=activation, hidden=(6,), samples=60))
    before = trainer.losses()[0]
    for _ in range(60):
        trainer.step()
    assert trainer.losses()[0] < before


def test_a_setup_gives_the_same_run_again() -> None:
    states = []
    for _ in range(2):
        trainer = Trainer(Setup(seed=5))
        for _ in range(20):
            trainer.step()
        states.append(trainer.state())
    assert states[0] == states[1]


def test_the_state_is_that_of_the_training() -> None:
    trainer = Trainer(Setup(data="blobs3", loss="CrossEntropyLoss", samples=40, hidden=(5, 4)))
    for _ in range(10):
        trainer.step()
    state = trainer.state()
    x = minigrad.tensor(trainer.points, requires_grad=True)
    output = trainer.model(x)
    loss = F.cross_entropy(output, minigrad.tensor(trainer.targets), reduction="sum")
    (slopes,) = minigrad.autograd.grad(loss, [x])
    np.testing.assert_allclose(state["slopes"], slopes.numpy(), atol=1e-5)
    np.testing.assert_allclose(state["outputs"], output.detach().numpy(), atol=1e-4)
    assert state["loss"] == pytest.approx(loss.item() / 40, rel=1e-4)
    assert [len(layer) for layer in state["units"]] == [2, 5, 4, 3]
    assert [np.shape(layer["weight"]) for layer in state["layers"]] == [(5, 2), (4, 5), (3, 4)]
    assert len(state["map"]) == 56 * 56
    json.dumps(state, allow_nan=False)


def test_looking_does_not_disturb_the_training() -> None:
    quiet, watched = Trainer(Setup()), Trainer(Setup())
    for _ in range(10):
        quiet.step()
        watched.step()
        watched.state()
    assert quiet.state() == watched.state()


def test_a_training_that_diverges_says_so_and_stops() -> None:
    trainer = Trainer(Setup(data="hill", loss="MSELoss", optimizer="SGD", lr=100.0, activation="relu"))
    for _ in range(200):
        trainer.step()
    state = trainer.state()
    assert state["diverged"]
    assert state["steps"] < 200
    json.dumps(state, allow_nan=False)


@pytest.mark.parametrize("loss", ["BCEWithLogitsLoss", "BCELoss", "HingeLoss", "CrossEntropyLoss", "NLLLoss"])
def test_the_code_runs_and_learns(loss) -> None:
    trainer = Trainer(Setup(loss=loss, hidden=(4,), optimizer="SGD with momentum", weight_decay=0.001))
    scope: dict = {"print": lambda *_: None}
    exec(trainer.code(), scope)
    assert scope["loss"].item() < 0.7 * trainer.losses()[0]
    assert str(scope["model"]) == str(trainer.model)


BAD = [
    ({"data": "sun"}, "data must be one of moons"),
    ({"loss": "MSELoss"}, "does not fit the data 'moons'"),
    ({"lr": 0}, "lr must be a number from 1e-06 to 100, but got 0"),
    ({"lr": "fast"}, "but got 'fast'"),
    ({"samples": 1e9}, "samples must be a whole number"),
    ({"hidden": [1, 2, 3, 4, 5]}, "at most 4 hidden layers, but got 5"),
    ({"hidden": [0]}, "a width of hidden must be a whole number from 1 to 16"),
    ({"hidden": 3}, "hidden must be a list"),
    ({"option": 0.2}, "BCEWithLogitsLoss has no option here"),
    ({"colour": "red"}, "unknown setting 'colour'"),
    ({"noise": float("nan")}, "noise must be a number"),
]


@pytest.mark.parametrize(("given", "words"), BAD)
def test_bad_setups(given, words) -> None:
    with pytest.raises(BadSetup, match=words.replace("(", r"\(")):
        Setup.of(given)


# ---------------------------------------------------------------------------------------------- server
@pytest.fixture
def running():
    playground = Playground(port=0)
    yield playground
    playground.close()


def _ask(running, method, path, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer, text


def test_the_page_is_one_piece_and_needs_no_network(running) -> None:
    answer, text = _ask(running, "GET", "/")
    assert answer.status == 200
    assert text == page()
    assert "/*" not in text.split("<style>")[1][:40]
    assert "CHOICES = {" in text
    assert not [part for part in ('src="', "http://", "https://", "@import") if part in text]


def test_buttons(running) -> None:
    def post(path, body=None):
        answer, text = _ask(running, "POST", path, body or {})
        assert answer.status == 200, text
        return json.loads(text)

    assert post("/setup", {"data": "xor", "samples": 60})["setup"]["data"] == "xor"
    assert post("/step", {"count": 7})["steps"] == 7
    assert post("/run", {"on": True})["playing"]
    assert not post("/run", {"on": False})["playing"]
    assert post("/reset")["steps"] == 0
    assert json.loads(_ask(running, "GET", "/state")[1])["setup"]["data"] == "xor"


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status", "words"),
    [
        ("POST", "/setup", {"data": "sun"}, {}, 400, "data must be one of"),
        ("POST", "/step", {"count": -1}, {}, 400, "count must be a whole number from 1 to 1000"),
        ("POST", "/setup", [1], {}, 400, "a JSON object"),
        ("POST", "/fly", {}, {}, 404, "there is no /fly"),
        ("GET", "/../etc", None, {}, 404, "there is no"),
        ("GET", "/state", None, {"Host": "evil.example"}, 403, "the playground's own page"),
        ("POST", "/reset", {}, {"Origin": "http://evil.example"}, 403, "the playground's own page"),
        ("POST", "/setup", {"data": "x" * 20_000}, {}, 400, "at most 10000 bytes"),
    ],
)
def test_requests_that_are_refused(running, method, path, body, headers, status, words) -> None:
    answer, text = _ask(running, method, path, body, **headers)
    assert answer.status == status
    assert words in json.loads(text)["error"]


def test_a_port_that_is_taken(running) -> None:
    with pytest.raises(Problem, match=f"port {running.port} is taken; type --port 0"):
        Playground(port=running.port)


def test_the_command_prints_the_address_and_ends_with_ctrl_c() -> None:
    import signal

    command = [sys.executable, "-m", "minigrad", "playground", "--port", "0", "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("The playground is at http://127.0.0.1:")
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in output + errors


def test_study_has_it() -> None:
    assert callable(study.playground)
