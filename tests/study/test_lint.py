"""Each rule has a case that fires and a near miss that does not; whole trainings, right and wrong; the command."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import pytest

import minigrad
from minigrad import nn, optim, study
from minigrad.nn import functional as F
from minigrad.study.linting import RULES, LintError, LintWarning
from minigrad.study.linting import session as sessions
from minigrad.tensor import Tensor
from minigrad.utils.data import DataLoader, TensorDataset

ROOT = Path(__file__).resolve().parents[2]


def _x(*shape: int) -> Tensor:
    return minigrad.randn(*shape, requires_grad=True)


def _classes(count: int, classes: int = 3) -> Tensor:
    return minigrad.arange(count) % classes


def _signs(count: int) -> Tensor:
    return 2 * (minigrad.arange(count) % 2) - 1.0


def _halves(count: int) -> Tensor:
    return (minigrad.arange(count) % 2).float()


def _cat(x: Tensor) -> Tensor:
    return minigrad.cat([x[:2], x[2:]]).reshape(2, 2, 3)[:, :, :].reshape(4, 3)


EMBEDDED = nn.Linear(3, 1)
PERCEPTRON = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1), nn.Sigmoid())
# The code, what fires it, a near miss, words of the message.
LOSSES = [
    ("MG001", lambda: F.cross_entropy(_x(4, 3).softmax(1), _classes(4)), lambda: F.cross_entropy(_x(4, 3), _classes(4)), "0.5514"),
    ("MG001", lambda: F.cross_entropy(_x(4, 10).softmax(1), _classes(4)), lambda: F.nll_loss(_x(4, 10).log_softmax(1), _classes(4)), "1.4612"),
    ("MG001", lambda: F.cross_entropy(_cat(_x(4, 3).softmax(1)), _classes(4)), lambda: F.cross_entropy(_cat(_x(4, 3)), _classes(4)), "0.5514"),
    ("MG001", lambda: F.cross_entropy(minigrad.stack([_x(4, 3).softmax(1)[0]] * 4), _classes(4)), lambda: F.cross_entropy(_x(4, 3).softmax(1) * 5, _classes(4)), "0.5514"),
    ("MG001", lambda: F.cross_entropy(_x(4, 3).log_softmax(1), _classes(4)), lambda: F.cross_entropy(_x(4, 3).tanh(), _classes(4)), "changes nothing"),
    ("MG001", lambda: F.cross_entropy(_x(4, 3).log_softmax(1).exp(), _classes(4)), lambda: F.cross_entropy(_x(4, 3).exp(), _classes(4)), "0.5514"),
    ("MG001", lambda: F.cross_entropy(_x(4, 3).softmax(1).detach(), _classes(4)), lambda: F.cross_entropy(minigrad.eye(3), _classes(3)), "0.5514"),
    ("MG001", lambda: nn.extra.softmax_focal_loss(_x(4, 3).softmax(1), _classes(4)), lambda: nn.extra.softmax_focal_loss(_x(4, 3), _classes(4)), "no class ever stands out"),
    ("MG002", lambda: F.binary_cross_entropy_with_logits(_x(4).sigmoid(), _halves(4)), lambda: F.binary_cross_entropy(_x(4).sigmoid(), _halves(4)), "0.3133"),
    ("MG002", lambda: F.binary_cross_entropy_with_logits(PERCEPTRON(_x(4, 3)).squeeze(1), _halves(4)), lambda: F.binary_cross_entropy_with_logits(EMBEDDED(_x(4, 3)).squeeze(1), _halves(4)), "0.6931"),
    ("MG002", lambda: F.soft_margin_loss(_x(4).sigmoid(), _signs(4)), lambda: F.soft_margin_loss(_x(4).tanh(), _signs(4)), "class 0 is never predicted"),
    ("MG003", lambda: F.nll_loss(_x(4, 3).softmax(1), _classes(4)), lambda: F.nll_loss(_x(4, 3).log_softmax(1), _classes(4)), "looks like probabilities"),
    ("MG003", lambda: F.nll_loss(_x(4, 3) * 5, _classes(4)), lambda: F.nll_loss((_x(4, 3) * 5).log_softmax(1), _classes(4)), "looks like logits"),
    ("MG003", lambda: F.kl_div(_x(4, 3).softmax(1), _x(4, 3).softmax(1).detach(), reduction="batchmean"), lambda: F.kl_div(_x(4, 3).log_softmax(1), _x(4, 3).softmax(1).detach(), reduction="batchmean"), "log_softmax"),
    ("MG004", lambda: F.binary_cross_entropy(_unit_layer()(minigrad.full((4, 1), 0.5)), _halves(4)[:, None]), lambda: F.binary_cross_entropy(EMBEDDED(_x(4, 3)).sigmoid(), _halves(4)[:, None]), "straight out of a layer"),
    ("MG005", lambda: F.binary_cross_entropy((_x(4) * 0 + 30).sigmoid(), minigrad.zeros(4)), lambda: F.binary_cross_entropy((_x(4) * 0 + 30).sigmoid(), minigrad.ones(4)), "4 of 4 samples"),
    ("MG006", lambda: F.soft_margin_loss(_x(4), _halves(4)), lambda: F.soft_margin_loss(_x(4), _signs(4)), "2 of 4 samples"),
    ("MG006", lambda: F.hinge_embedding_loss(_x(4).abs(), _halves(4)), lambda: F.hinge_embedding_loss(_x(4).abs(), minigrad.ones(4)), "2 * target - 1"),
    ("MG006", lambda: F.margin_ranking_loss(_x(4), _x(4), _halves(4)), lambda: F.margin_ranking_loss(_x(4), _x(4), _signs(4)), "2 * target - 1"),
    ("MG007", lambda: F.binary_cross_entropy_with_logits(_x(4), _signs(4)), lambda: F.binary_cross_entropy_with_logits(_x(4), minigrad.ones(4)), "(target + 1) / 2"),
    ("MG008", lambda: F.binary_cross_entropy_with_logits(_x(4), minigrad.tensor([0.0, 1, 255, 3])), lambda: F.binary_cross_entropy_with_logits(_x(4), minigrad.tensor([0.0, 1, 0.5, 0.2])), "255"),
    ("MG009", lambda: F.cross_entropy(_x(4, 3), minigrad.ones(4, 3)), lambda: F.cross_entropy(_x(4, 3), minigrad.ones(4, 3) / 3), "row 0 sums to 3.0000"),
    ("MG009", lambda: F.kl_div(_x(4, 3).log_softmax(1), minigrad.ones(4, 3), reduction="sum"), lambda: F.kl_div(_x(4, 3).log_softmax(1), minigrad.zeros(4, 3).log_softmax(1), reduction="sum", log_target=True), "4 of 4 rows"),
    ("MG010", lambda: F.cross_entropy(_x(4, 1), minigrad.zeros(4).long()), lambda: F.cross_entropy(_x(4, 2), minigrad.zeros(4).long()), "always 0"),
    ("MG011", lambda: _quietly(F.mse_loss, _x(4, 1), minigrad.ones(4)), lambda: F.mse_loss(_x(4, 1), minigrad.ones(4, 1)), "[4, 4]"),
    ("MG011", lambda: _quietly(F.l1_loss, _x(4), minigrad.ones(4, 1)), lambda: F.l1_loss(_x(4), minigrad.ones(4)), "target.squeeze(1)"),
    ("MG012", lambda: _quietly(nn.MSELoss, "sum"), lambda: nn.MSELoss(reduction="sum"), "reduction='sum'"),
    ("MG003", lambda: F.kl_div(_x(2, 3, 5), _x(2, 3, 5).softmax(1).detach(), reduction="sum"), lambda: F.kl_div(_x(2, 3, 5).log_softmax(1), _x(2, 3, 5).softmax(1).detach(), reduction="sum"), "looks like logits"),
    ("MG011", lambda: F.hinge_embedding_loss(_x(4, 1), _signs(4)), lambda: F.hinge_embedding_loss(_x(4), _signs(4)), "[4, 4]"),
    ("MG011", lambda: F.poisson_nll_loss(_x(4, 1), _halves(4)), lambda: F.poisson_nll_loss(_x(4, 1), _halves(4)[:, None]), "paired it is"),
    ("MG012", lambda: _quietly(nn.SmoothL1Loss, "sum"), lambda: nn.HuberLoss("sum"), "is the mean"),
    ("MG012", lambda: _quietly(nn.L1Loss, "none"), lambda: nn.L1Loss(), "is the mean"),
    ("MG012", lambda: _quietly(F.mse_loss, _x(4), minigrad.ones(4), "sum"), lambda: F.mse_loss(_x(4), minigrad.ones(4), reduction="sum"), "F.mse_loss takes 'sum'"),
]  # fmt: skip


def _quietly(function, *args):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args)


def _unit_layer() -> nn.Module:
    layer = nn.Linear(1, 1)
    with minigrad.no_grad():
        layer.weight.fill_(1.0)
        layer.bias.fill_(0.0)
    return layer


@pytest.mark.parametrize(("code", "wrong", "right", "words"), LOSSES)
def test_a_rule_fires_and_its_near_miss_does_not(code, wrong, right, words) -> None:
    (finding,) = [f for f in study.lint.check(wrong) if f.code == code]
    assert words in finding.message
    assert finding.site.file == __file__
    assert not study.lint.check(right)


# ----------------------------------------------------------------------------------------- trainings
def _train(model, loss_of, x, y, *, optimizer=None, steps=6, zero=True, before=lambda: None) -> None:
    optimizer = optimizer or optim.SGD(model.parameters(), lr=0.05)
    for _ in range(steps):
        before()
        if zero:
            optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()


def _mlp(*last: nn.Module, outputs: int = 3) -> nn.Module:
    return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, outputs), *last)


def _two_parts() -> nn.Module:
    class Parts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.idle = nn.Linear(4, 3), nn.Linear(4, 3)

        def forward(self, x):
            return self.used(x)

    return Parts()


def _dead() -> nn.Module:
    model = _mlp()
    with minigrad.no_grad():
        model[0].bias.fill_(-100.0)
    return model


def _deep() -> nn.Module:
    layers = [part for _ in range(12) for part in (nn.Linear(4, 4), nn.Sigmoid())]
    return nn.Sequential(*layers, nn.Linear(4, 3))


def _dropping() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 3))


DATA = minigrad.tensor([[float((7 * i + 3 * j) % 11) - 5 for j in range(4)] for i in range(24)])
LABELS = minigrad.arange(24) % 3


def _case(make, **options):
    def run() -> None:
        model = make()
        made = {k: v(model) if k == "optimizer" else v for k, v in options.items()}
        _train(model, made.pop("loss", nn.CrossEntropyLoss()), DATA, made.pop("target", LABELS), **made)

    return run


def _adversaries() -> None:
    one, other = _mlp(outputs=4), _mlp(outputs=1)
    first, second = optim.SGD(one.parameters(), lr=0.05), optim.SGD(other.parameters(), lr=0.05)
    for _ in range(6):
        second.zero_grad()
        F.binary_cross_entropy_with_logits(other(one(DATA).detach()), minigrad.zeros(24, 1)).backward()
        second.step()
        first.zero_grad()
        F.binary_cross_entropy_with_logits(other(one(DATA)), minigrad.ones(24, 1)).backward()
        first.step()


def _one_after_another() -> None:
    for _ in range(3):
        _train(_mlp(), nn.CrossEntropyLoss(), DATA, LABELS, steps=5)


def _by_hand_and_then_not() -> None:
    weight = minigrad.zeros(4, 3, requires_grad=True)
    for _ in range(4):
        F.cross_entropy(DATA @ weight, LABELS).backward()
        with minigrad.no_grad():
            weight -= 0.01 * weight.grad
        weight.grad = None
    _one_after_another()


def _sum_with_a_small_rate() -> None:
    model = _mlp(outputs=1)
    loss = nn.MSELoss(reduction="sum")
    _train(
        model,
        loss,
        100 * DATA,
        100 * LABELS[:, None].float(),
        optimizer=optim.SGD(model.parameters(), lr=1e-9),
    )


def _eval() -> None:
    model = _dropping()
    model.eval()
    _train(model, nn.CrossEntropyLoss(), DATA, LABELS)


class _Trainer:
    def __init__(self) -> None:
        self.net = _dropping()
        self.optimizer = optim.SGD(self.net.parameters(), lr=0.05)

    def fit(self, training: bool) -> None:
        self.net.train(training)
        for _ in range(6):
            self.optimizer.zero_grad()
            nn.CrossEntropyLoss()(self.net(DATA), LABELS).backward()
            self.optimizer.step()


def _two_optimizers() -> None:
    one, other = nn.Linear(4, 8), nn.Linear(8, 3)
    optimizers = [optim.SGD(one.parameters(), lr=0.05), optim.Adam(other.parameters(), lr=0.01)]
    for _ in range(6):
        for optimizer in optimizers:
            optimizer.zero_grad()
        nn.CrossEntropyLoss()(other(one(DATA).relu()), LABELS).backward()
        for optimizer in optimizers:
            optimizer.step()


def _a_branch_taken_sometimes() -> None:
    model = _two_parts()
    optimizer = optim.SGD(model.parameters(), lr=0.05)
    for step in range(6):
        optimizer.zero_grad()
        logits = model(DATA) if step != 1 else model(DATA) + model.idle(DATA)
        nn.CrossEntropyLoss()(logits, LABELS).backward()
        optimizer.step()


def _accumulate() -> None:
    model = _mlp()
    optimizer = optim.SGD(model.parameters(), lr=0.05)
    for _ in range(4):
        optimizer.zero_grad()
        for part in (slice(0, 12), slice(12, 24)):
            (nn.CrossEntropyLoss()(model(DATA[part]), LABELS[part]) / 2).backward()
        optimizer.step()


def _means_of_means() -> None:
    model = _mlp()
    optimizer = optim.SGD(model.parameters(), lr=0.05)
    loader = DataLoader(TensorDataset(DATA, LABELS), batch_size=10)
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = nn.CrossEntropyLoss()(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item()
    assert total / len(loader) > 0


def _even_batches() -> None:
    model = _mlp()
    optimizer = optim.SGD(model.parameters(), lr=0.05)
    loader = DataLoader(TensorDataset(DATA, LABELS), batch_size=8)
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = nn.CrossEntropyLoss()(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item()
    assert total / len(loader) > 0


RIGHT = _case(_mlp)
TRAININGS = [
    ("MG001", _case(lambda: _mlp(nn.Softmax(dim=1))), RIGHT, "cannot fall below"),
    ("MG002", _case(lambda: _mlp(nn.Sigmoid(), outputs=1), loss=nn.BCEWithLogitsLoss(), target=(LABELS > 0).float()[:, None]), _case(lambda: _mlp(outputs=1), loss=nn.BCEWithLogitsLoss(), target=(LABELS > 0).float()[:, None]), "Remove the sigmoid"),
    ("MG013", _means_of_means, _even_batches, "the last batch holds 4 samples, the others 10"),
    ("MG014", _case(_two_parts), _case(_two_parts, optimizer=lambda m: optim.SGD(m.used.parameters(), lr=0.05)), "model.idle.weight"),
    ("MG015", _case(_dead), RIGHT, "model.0.weight"),
    ("MG016", _case(_dead), RIGHT, "16 of 16 units"),
    ("MG017", _case(_mlp, loss=lambda p, y: F.cross_entropy(p * 1e5, y)), _sum_with_a_small_rate, "Clip"),
    ("MG018", _case(_deep), _case(lambda: nn.Sequential(*[p for _ in range(3) for p in (nn.Linear(4, 4), nn.Tanh())])), "hardly learn"),
    ("MG019", _case(_mlp, zero=False), _accumulate, "4 tensors"),
    ("MG020", _case(_mlp, optimizer=lambda m: optim.SGD(_mlp().parameters(), lr=0.1)), _by_hand_and_then_not, "change nothing"),
    ("MG021", _case(_mlp, optimizer=lambda m: optim.SGD(m[0].parameters(), lr=0.1)), _adversaries, "model.2.weight, model.2.bias"),
    ("MG022", _case(_mlp, optimizer=lambda m: optim.SGD(m.parameters(), lr=1e4)), _case(_mlp, optimizer=lambda m: optim.Adam(m.parameters(), lr=0.01)), "far too much"),
    ("MG022", _case(_mlp, optimizer=lambda m: optim.SGD(m.parameters(), lr=1e-12)), RIGHT, "far too little"),
    ("MG021", _case(_mlp, optimizer=lambda m: optim.SGD(m[0].parameters(), lr=0.1)), _two_optimizers, "never moves"),
    ("MG014", _case(_two_parts), _a_branch_taken_sometimes, "2 of 4 parameters"),
    ("MG023", _eval, _case(_dropping), "model.train()"),
    ("MG023", lambda: _Trainer().fit(False), lambda: _Trainer().fit(True), "self.net.train()"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "wrong", "right", "words"), TRAININGS)
def test_a_training_rule_fires_and_its_near_miss_does_not(code, wrong, right, words) -> None:
    found = [f for f in study.lint.check(wrong) if f.code == code]
    assert len(found) == 1
    assert words in found[0].message
    assert found[0].site.file == __file__
    assert not study.lint.check(right)


def test_every_rule_has_a_case_and_a_page() -> None:
    assert set(RULES) == {case[0] for case in LOSSES + TRAININGS}
    for code in RULES:
        text = study.lint.page(code)
        assert text.startswith(f"{code}  ")
        assert len(text) > 250


# Two tutorials as they stand on the web: a softmax as the last layer before CrossEntropyLoss, and a regression
# whose target has one dimension less than the prediction.
def _softmax_tutorial() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc1, self.fc2 = nn.Linear(4, 16), nn.Linear(16, 3)

        def forward(self, x):
            return F.softmax(self.fc2(F.relu(self.fc1(x))), dim=1)

    net = Net()
    criterion, optimizer = nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=0.01)
    for _ in range(5):
        optimizer.zero_grad()
        loss = criterion(net(DATA), LABELS)
        loss.backward()
        optimizer.step()


def _regression_tutorial() -> None:
    net = nn.Linear(4, 1)
    criterion, optimizer = nn.MSELoss(), optim.SGD(net.parameters(), lr=0.001)
    for _ in range(5):
        loss = _quietly(criterion, net(DATA), LABELS.float())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@pytest.mark.parametrize(
    ("tutorial", "codes"), [(_softmax_tutorial, ["MG001"]), (_regression_tutorial, ["MG011"])]
)
def test_the_mistakes_of_tutorials(tutorial, codes) -> None:
    assert [f.code for f in study.lint.check(tutorial)] == codes


# ---------------------------------------------------------------------------------- warnings and switches
def _mistake():
    return F.cross_entropy(_x(4, 3).softmax(1), _classes(4))


def test_a_finding_is_a_warning_at_the_users_line() -> None:
    with pytest.warns(LintWarning, match="MG001 softmax before cross_entropy") as caught, study.lint():
        _mistake()
    assert (caught[0].filename, caught[0].lineno) == (__file__, _mistake.__code__.co_firstlineno + 1)


def test_a_finding_is_reported_once_for_each_line() -> None:
    def five() -> list:
        with study.lint() as report:
            for _ in range(5):
                _mistake()
        return report.findings

    with pytest.warns(LintWarning) as caught:
        findings = five()
    assert len(caught) == len(findings) == 1


def test_strict_raises() -> None:
    with (
        pytest.raises(LintError, match=r"(?s)MG001.*test_lint\.py.*python -m minigrad lint MG001"),
        study.lint(strict=True),
    ):
        _mistake()
    assert not sessions._sessions


def test_select_and_ignore() -> None:
    with study.lint(ignore=["MG001"]) as ignoring, contextlib.nullcontext():
        _mistake()
    with study.lint(select=["MG002"]) as selecting:
        _mistake()
    assert not ignoring.findings
    assert not selecting.findings
    with pytest.raises(ValueError, match="no rule 'MG999'; the rules are MG001"):
        study.lint(ignore=["MG999"])
    with pytest.raises(KeyError, match="no rule 'MG999'"):
        study.lint.page("MG999")


def test_as_a_decorator_and_for_good() -> None:
    with pytest.warns(LintWarning):
        study.lint()(_mistake)()
    report = study.lint.on()
    try:
        with pytest.warns(LintWarning):
            _mistake()
    finally:
        study.lint.off()
    assert [f.code for f in report.findings] == ["MG001"]
    _mistake()


def test_nothing_is_left_behind() -> None:
    before = {(owner, name): vars(owner)[name] for owner, name, _ in sessions._ENTRIES}
    study.lint.check(RIGHT)
    assert {key: vars(key[0])[key[1]] for key in before} == before


def test_another_thread_is_left_alone() -> None:
    with study.lint() as report:
        thread = threading.Thread(target=_mistake)
        thread.start()
        thread.join()
    assert not report.findings


def test_switching_off_leaves_calls_of_other_threads_alone() -> None:
    with study.lint():
        backward, step = Tensor.backward, optim.Optimizer.step  # as a thread that is about to call them has
    weight = minigrad.ones(2, requires_grad=True)
    backward((weight * weight).sum())
    step(optim.SGD([weight], lr=0.25))
    assert weight.tolist() == [0.5, 0.5]


def test_a_training_by_hand_is_not_watched_for_long() -> None:
    weight, watched = minigrad.zeros(4, 3, requires_grad=True), []
    with study.lint() as report:
        for _ in range(60):
            F.cross_entropy(DATA @ weight, LABELS).backward()
            watched.append(report._watch is not None)
            weight.grad = None
    assert watched[31]
    assert not any(watched[48:])


def test_close_looks_become_rare() -> None:
    model, x = _mlp(), DATA
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    watched = []
    with study.lint() as report:
        for _ in range(20):
            optimizer.zero_grad()
            loss = nn.CrossEntropyLoss()(model(x), LABELS)
            watched.append(report._watch is not None)
            loss.backward()
            optimizer.step()
    assert [i + 1 for i, on in enumerate(watched) if on] == [1, 2, 4, 8, 16]


def test_a_training_under_lint_is_the_same() -> None:
    def weights(under) -> Tensor:
        minigrad.manual_seed(3)
        model = _mlp()
        with under:
            _train(model, nn.CrossEntropyLoss(), DATA, LABELS)
        return model[0].weight.detach()

    assert minigrad.equal(weights(contextlib.nullcontext()), weights(study.lint()))


# ------------------------------------------------------------------------------------------ the command
def _command(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "minigrad", "lint", *arguments], capture_output=True, text=True, cwd=ROOT
    )


def test_the_command_lists_and_explains_rules() -> None:
    listed = _command()
    assert listed.stdout.count("\n") == len(RULES)
    assert _command("mg010").stdout.startswith("MG010  logits of a single class\n")
    wrong = _command("nothing.py")
    assert wrong.returncode == 2
    assert "neither a rule" in wrong.stderr


def test_the_command_runs_a_script(tmp_path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\nimport minigrad as torch\nfrom minigrad.nn import functional as F\n"
        "x = torch.zeros(2, 3, requires_grad=True)\n"
        "print(sys.argv[1], F.cross_entropy(x.softmax(1), torch.tensor([0, 1])).item() > 0)\n"
    )
    done = _command(str(script), "hello")
    assert done.stdout == "hello True\n"
    assert done.returncode == 1
    assert f"{script}:5: MG001 softmax before" in done.stderr
    assert done.stderr.endswith("1 finding\n")
