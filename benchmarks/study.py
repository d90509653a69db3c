"""What studying a loss costs: explaining it, writing its page, training under lint."""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import minigrad
from minigrad import nn, optim, study
from minigrad.nn import functional as F

ROUNDS = 15
STEPS = 400  # of a training, in a round


def _median(run: Callable[[], Any], rounds: int = ROUNDS) -> float:
    """The median time of a call after a first one, in seconds."""
    run()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def explaining() -> dict[str, float]:
    """Seconds to explain a cross entropy of (1024, 10) logits, and to write the explanation as text."""
    minigrad.manual_seed(0)
    logits = minigrad.randn(1024, 10, requires_grad=True)
    loss = F.cross_entropy(logits, minigrad.randint(0, 10, (1024,)))
    found = {"explain, (1024, 10) logits": _median(lambda: study.explain(loss, torch=False))}
    if find_spec("torch"):
        found["explain, checked against torch too"] = _median(lambda: study.explain(loss))
    explanation = study.explain(loss, torch=False)
    assert explanation.passed, "the explanation's checks fail"
    return found | {"its text": _median(lambda: explanation.to_text(100))}


def reporting() -> tuple[float, int]:
    """Seconds to write the page of a three-layer perceptron with its loss, and the page's bytes."""
    minigrad.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 10))
    features, target = minigrad.randn(128, 64), minigrad.randint(0, 10, (128,))
    loss = F.cross_entropy(model(features), target)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "report.html")
        seconds = _median(lambda: study.report(loss, path), 5)
        return seconds, path.stat().st_size


def _training(layers: tuple[int, ...], batch: int) -> Callable[[int], float]:
    """Steps of training a perceptron; gives the seconds that so many of them take."""
    minigrad.manual_seed(0)
    parts: list[Any] = []
    for inputs, outputs in itertools.pairwise(layers):
        parts += [nn.Linear(inputs, outputs), nn.ReLU()]
    model = nn.Sequential(*parts[:-1])
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    features = minigrad.randn(batch, layers[0])
    target = (features[:, :1] > 0).float()
    loss_of = nn.BCEWithLogitsLoss()

    def run(steps: int) -> float:
        start = time.perf_counter()
        for _ in range(steps):
            optimizer.zero_grad()
            loss = loss_of(model(features), target)
            loss.backward()
            optimizer.step()
        return time.perf_counter() - start

    return run


def linting(layers: tuple[int, ...], batch: int) -> tuple[float, float]:
    """Microseconds a training step takes, and how many times as long under lint, after its first looks."""
    run = _training(layers, batch)
    run(STEPS)
    plain, ratios = [], []
    for _ in range(ROUNDS):
        without = run(STEPS)
        with warnings.catch_warnings(), study.lint():
            warnings.simplefilter("ignore")
            run(STEPS // 4)  # the first steps are looked at closely
            under = run(STEPS)
        plain.append(without / STEPS)
        ratios.append(under / without)
    return 1e6 * statistics.median(plain), statistics.median(ratios)


def measure() -> dict[str, Any]:
    """All of it."""
    seconds, size = reporting()
    return {
        "explain": explaining(),
        "report": {"seconds": seconds, "bytes": size},
        "lint": {
            "-".join(map(str, layers)) + f", batch {batch}": linting(layers, batch)
            for layers, batch in (((2, 16, 16, 1), 64), ((64, 128, 1), 128))
        },
    }


def table(found: dict[str, Any]) -> str:
    """The measurements as Markdown."""
    lines = ["| study | |", "|---|---:|"]
    lines += [f"| {name} | {1e3 * seconds:.1f} ms |" for name, seconds in found["explain"].items()]
    report = found["report"]
    lines.append(f"| report of a perceptron of 3 layers | {1e3 * report['seconds']:.0f} ms |")
    lines.append(f"| its page | {report['bytes'] / 1e3:.0f} kB |")
    for name, (step, ratio) in found["lint"].items():
        lines.append(f"| training step {name}: {step:.0f} µs, under lint | {100 * (ratio - 1):+.1f} % |")
    return "\n".join(lines)
