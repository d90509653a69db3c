"""The training behind the playground: a setup, its model, single steps, and what the page shows of them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy import ndarray

import minigrad
from minigrad import nn, optim
from minigrad.study.playground.choices import DATA, LOSSES, LossChoice, fitting

ACTIVATIONS = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "gelu": nn.GELU,
    "leaky_relu": nn.LeakyReLU,
}
OPTIMIZERS: dict[str, Callable[..., Any]] = {
    "Adam": optim.Adam,
    "AdamW": optim.AdamW,
    "SGD": optim.SGD,
    "SGD with momentum": lambda parameters, **options: optim.SGD(parameters, momentum=0.9, **options),
}
GRID = 56  # points along each side of the map
UNIT_GRID = 14  # and of the maps of single units
_SPAN = 1.15  # the map shows [-_SPAN, _SPAN] in both directions
_MOST_HISTORY = 400


class BadSetup(ValueError):
    """A setup that cannot be trained: what was given, what was expected."""


@dataclass(frozen=True)
class Setup:
    """What the user has chosen."""

    data: str = "moons"
    samples: int = 200
    noise: float = 0.08
    seed: int = 0
    hidden: tuple[int, ...] = (8, 8)
    activation: str = "tanh"
    loss: str = "BCEWithLogitsLoss"
    option: float | None = None
    optimizer: str = "Adam"
    lr: float = 0.03
    weight_decay: float = 0.0
    batch_size: int = 32

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Setup:
        """A setup from what the page sent.

        Raises:
            BadSetup: something is unknown or out of range.
        """
        unknown = set(given) - {f.name for f in fields(cls)}
        if unknown:
            raise BadSetup(f"unknown setting {sorted(unknown)[0]!r}")
        try:
            setup = cls(**{**given, "hidden": tuple(given.get("hidden", cls.hidden))})
        except TypeError as error:
            raise BadSetup(f"hidden must be a list of widths: {error}") from None
        setup.check()
        return setup

    def check(self) -> None:
        """Raise `BadSetup` unless everything is in range."""
        for name, choices in (("data", DATA), ("activation", ACTIVATIONS), ("optimizer", OPTIMIZERS)):
            value = getattr(self, name)
            if value not in choices:
                raise BadSetup(f"{name} must be one of {', '.join(choices)}, but got {value!r}")
        if self.loss not in fitting(DATA[self.data]):
            names = ", ".join(fitting(DATA[self.data]))
            raise BadSetup(f"{self.loss!r} does not fit the data {self.data!r}; use one of {names}")
        _in_range("samples", self.samples, int, 20, 1000)
        _in_range("seed", self.seed, int, 0, 2**31)
        _in_range("batch_size", self.batch_size, int, 1, 1000)
        _in_range("noise", self.noise, float, 0, 1)
        _in_range("lr", self.lr, float, 1e-6, 100)
        _in_range("weight_decay", self.weight_decay, float, 0, 10)
        if len(self.hidden) > 4:
            raise BadSetup(f"at most 4 hidden layers, but got {len(self.hidden)}")
        for width in self.hidden:
            _in_range("a width of hidden", width, int, 1, 16)
        option = LOSSES[self.loss].option
        if self.option is not None:
            if option is None:
                raise BadSetup(f"{self.loss} has no option here")
            _in_range(option.name, self.option, float, option.least, option.most)

    @property
    def choice(self) -> LossChoice:
        """The loss."""
        return LOSSES[self.loss]

    @property
    def outputs(self) -> int:
        """How many numbers the model gives for a point."""
        return DATA[self.data].classes if self.choice.task == "classes" else 1

    @property
    def option_value(self) -> float | None:
        """The value of the loss's option."""
        option = self.choice.option
        return None if option is None else option.start if self.option is None else self.option


def _in_range(name: str, value: Any, kind: type, least: float, most: float) -> None:
    fits = isinstance(value, (int, float) if kind is float else int) and not isinstance(value, bool)
    if not fits or not math.isfinite(value) or not least <= value <= most:
        what = "a whole number" if kind is int else "a number"
        raise BadSetup(f"{name} must be {what} from {least:g} to {most:g}, but got {value!r}")


class Trainer:
    """Trains the model of a setup, a step at a time.

    Example:
        >>> from minigrad.study.playground.trainer import Setup, Trainer
        >>> trainer = Trainer(Setup())
        >>> first = trainer.losses()[0]
        >>> for _ in range(200):
        ...     trainer.step()
        >>> trainer.losses()[0] < first / 2
        True
    """

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        data = DATA[setup.data]
        rng = np.random.default_rng(setup.seed)
        points, targets = data.make(2 * setup.samples, setup.noise, rng)
        order = rng.permutation(len(points))
        points, targets = points[order].astype(np.float32), targets[order]
        half = setup.samples
        self.points, self.targets = points[:half], targets[:half]
        self.held_points, self.held_targets = points[half:], targets[half:]
        self._rng = np.random.default_rng(setup.seed + 1)
        minigrad.manual_seed(setup.seed)
        self.model = self._model()
        self.loss = setup.choice.make(setup.option_value)
        options = {"lr": setup.lr, "weight_decay": setup.weight_decay}
        self.optimizer = OPTIMIZERS[setup.optimizer](self.model.parameters(), **options)
        self.steps = 0
        self.diverged = False
        self.history: list[tuple[int, float, float, float]] = []
        self._note()

    def _model(self) -> nn.Module:
        widths = (2, *self.setup.hidden)
        layers: list[nn.Module] = []
        for inputs, outputs in itertools.pairwise(widths):
            layers += [nn.Linear(inputs, outputs), ACTIVATIONS[self.setup.activation]()]
        return nn.Sequential(*layers, nn.Linear(widths[-1], self.setup.outputs))

    # ------------------------------------------------------------------------------------ training
    def step(self) -> None:
        """One step on a random batch."""
        if self.diverged:
            return
        size = min(self.setup.batch_size, len(self.points))
        chosen = self._rng.choice(len(self.points), size, replace=False)
        self.optimizer.zero_grad()
        loss = self._loss_of(self.model(minigrad.tensor(self.points[chosen])), self.targets[chosen])
        loss.backward()
        if not math.isfinite(loss.item()):
            self.diverged = True
            return
        self.optimizer.step()
        self.steps += 1
        every = 1 if self.steps < 100 else 5
        if self.steps % every == 0:
            self._note()

    def _loss_of(self, output: Any, targets: ndarray, loss: Any = None) -> Any:
        return (loss or self.loss)(self._ready(output), self._target(targets))

    def _ready(self, output: Any) -> Any:
        """The output as the loss wants it."""
        before = self.setup.choice.before
        output = output.squeeze(1) if self.setup.choice.task != "classes" else output
        if before == "sigmoid":
            return output.sigmoid()
        return output.log_softmax(1) if before == "log_softmax" else output

    def _target(self, targets: ndarray) -> Any:
        kind = self.setup.choice.target
        if kind == "index":
            return minigrad.tensor(targets.astype(np.int64))
        return minigrad.tensor((2 * targets - 1 if kind == "±1" else targets).astype(np.float32))

    def losses(self) -> tuple[float, float]:
        """The mean loss on the training points and on those held out."""
        with minigrad.no_grad():
            pairs = (self.points, self.targets), (self.held_points, self.held_targets)
            train, held = (self._loss_of(self.model(minigrad.tensor(x)), y).item() for x, y in pairs)
        return train, held

    def _note(self) -> None:
        train, held = self.losses()
        norm = math.sqrt(sum(float((g.astype(np.float64) ** 2).sum()) for g in self._gradients()))
        self.diverged = self.diverged or not math.isfinite(train)
        if math.isfinite(train) and math.isfinite(held):
            self.history.append((self.steps, train, held, norm))
        if len(self.history) > _MOST_HISTORY:  # the older half with fewer points
            self.history = self.history[: _MOST_HISTORY // 2 : 2] + self.history[_MOST_HISTORY // 2 :]

    def _gradients(self) -> list[ndarray]:
        return [p.grad.numpy() for p in self.model.parameters() if p.grad is not None]

    # ------------------------------------------------------------------------------ what is shown
    def state(self) -> dict[str, Any]:
        """All that the page draws, as JSON knows it."""
        train, held = self.losses()
        outputs, slopes = self._at_points()
        return {
            "setup": asdict(self.setup),
            "task": self.setup.choice.task,
            "steps": self.steps,
            "diverged": self.diverged,
            "loss": _number(train),
            "held_out": _number(held),
            "score": self._score(),
            "history": [[n, _number(a), _number(b), _number(c)] for n, a, b, c in self.history],
            "points": _list(self.points, 4),
            "held_points": _list(self.held_points, 4),
            "targets": _list(self.targets, 4),
            "held_targets": _list(self.held_targets, 4),
            "outputs": _list(outputs, 4),
            "slopes": _list(slopes, 5),
            "map": self._map(),
            "layers": self._layers(),
            "units": self._units(),
            "curve": self._curve(),
            "code": self.code(),
        }

    def _at_points(self) -> tuple[ndarray, ndarray]:
        """The outputs at the training points, and the gradient of each one's own loss by its place."""
        points = minigrad.tensor(self.points, requires_grad=True)
        before = [p.grad for p in self.model.parameters()]
        output = self.model(points)
        total = self._loss_of(output, self.targets, self.setup.choice.make(self.setup.option_value, "sum"))
        (slopes,) = minigrad.autograd.grad(total, [points])
        for p, gradient in zip(self.model.parameters(), before, strict=True):
            p.grad = gradient
        return output.detach().numpy(), slopes.numpy()

    def _score(self) -> float | None:
        """The share of held-out points that get the right class."""
        if self.setup.choice.task == "regression":
            return None
        with minigrad.no_grad():
            output = self.model(minigrad.tensor(self.held_points)).numpy()
        guess = output.argmax(1) if output.shape[1] > 1 else (output[:, 0] > 0).astype(np.int64)
        return float((guess == self.held_targets).mean())

    def _map(self) -> list[Any]:
        """What the model says on a grid: a probability of class 1, probabilities of classes, or a value."""
        line = np.linspace(-_SPAN, _SPAN, GRID, dtype=np.float32)
        grid = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
        with minigrad.no_grad():
            output = self.model(minigrad.tensor(grid))
            if self.setup.choice.task == "classes":
                return _list(output.softmax(1).numpy(), 3)
            if self.setup.choice.task == "binary":
                output = output.sigmoid()
        return _list(output.squeeze(1).numpy(), 3)

    def _layers(self) -> list[dict[str, Any]]:
        """Of each linear layer weights, bias, and their gradients."""
        found = []
        for layer in (part for part in self.model.modules() if isinstance(part, nn.Linear)):
            parts: dict[str, Any] = {"weight": layer.weight, "bias": layer.bias}
            shown: dict[str, Any] = {k: _list(p.detach().numpy(), 4) for k, p in parts.items()}
            for name, p in parts.items():
                shown[f"{name}_grad"] = None if p.grad is None else _list(p.grad.numpy(), 6)
            norm = (
                0.0
                if layer.weight.grad is None
                else float(np.linalg.norm(layer.weight.grad.numpy().astype(np.float64)))
            )
            found.append({**shown, "norm": _number(norm)})
        return found

    def _units(self) -> list[list[list[int]]]:
        """Of each layer, what each unit gives over the plane, from -100 to 100 of the layer's largest."""
        line = np.linspace(-_SPAN, _SPAN, UNIT_GRID, dtype=np.float32)
        x = minigrad.tensor(np.stack(np.meshgrid(line, line), -1).reshape(-1, 2))
        shown = [x]
        with minigrad.no_grad():
            parts = list(self.model.children())
            for place, part in enumerate(parts):
                x = part(x)
                if place % 2 or place == len(parts) - 1:
                    shown.append(x)
        found = []
        for array in (y.numpy() for y in shown):
            largest = np.abs(array[np.isfinite(array)]).max(initial=1e-9)
            scaled = np.nan_to_num(100 * array / largest, posinf=100, neginf=-100)
            found.append(np.round(scaled).astype(int).T.tolist())
        return found

    def _curve(self) -> dict[str, Any]:
        """The loss of one sample over its output, for each kind of target, and its slope."""
        choice, loss = self.setup.choice, self.setup.choice.make(self.setup.option_value, "none")
        z = (
            minigrad.linspace(-6.0, 6.0, 121)
            if choice.task != "regression"
            else minigrad.linspace(-3.0, 3.0, 121)
        )
        curves = {}
        for name, target in {"regression": {"error": 0}, "binary": {"0": 0, "1": 1}}.get(
            choice.task, {"right": 0}
        ).items():
            x = z.clone().unsqueeze(1).requires_grad_()
            output = x
            if choice.task == "classes":  # the right class's logit, the others at 0
                others = minigrad.zeros(len(z), self.setup.outputs - 1)
                output = minigrad.cat([x, others], dim=1)
            values = self._loss_of(output, np.full(len(z), target), loss)
            (slope,) = minigrad.autograd.grad(values.sum(), [x])
            curves[name] = {
                "loss": _list(values.detach().numpy(), 5),
                "slope": _list(slope.squeeze(1).numpy(), 5),
            }
        return {"z": _list(z.numpy(), 3), "targets": curves}

    def code(self) -> str:
        """A script that sets up and trains the same model."""
        s, choice = self.setup, self.setup.choice
        widths = (2, *s.hidden)
        kind = ACTIVATIONS[s.activation].__name__
        pairs = itertools.pairwise(widths)
        layers = [f"nn.Linear({a}, {b}), nn.{kind}()" for a, b in pairs] + [
            f"nn.Linear({widths[-1]}, {s.outputs})"
        ]
        option = "" if choice.option is None else f"{choice.option.name}={s.option_value:g}"
        output = "model(x)" if choice.task == "classes" else "model(x).squeeze(1)"
        output += {"sigmoid": ".sigmoid()", "log_softmax": ".log_softmax(1)"}.get(choice.before, "")
        target = {"index": "y", "±1": "2 * y - 1.0", "01": "y.float()"}.get(choice.target, "y")
        name = s.optimizer.split(" ")[0]
        momentum = ", momentum=0.9" if "momentum" in s.optimizer else ""
        decay = f", weight_decay={s.weight_decay:g}" if s.weight_decay else ""
        return "\n".join(
            [
                "import minigrad as torch",
                "from minigrad import nn",
                "from minigrad.study.playground import points",
                "",
                f'x, y = points("{s.data}", samples={s.samples}, noise={s.noise:g}, seed={s.seed})',
                f"torch.manual_seed({s.seed})",
                "model = nn.Sequential(",
                *(f"    {layer}," for layer in layers),
                ")",
                f"loss_of = {choice}({option})",
                f"optimizer = torch.optim.{name}(model.parameters(), lr={s.lr:g}{momentum}{decay})",
                "for step in range(500):",
                f"    chosen = torch.randperm({s.samples})[:{s.batch_size}]",
                "    optimizer.zero_grad()",
                f"    loss = loss_of({output.replace('(x)', '(x[chosen])')}, "
                f"{target.replace('y', 'y[chosen]', 1)})",
                "    loss.backward()",
                "    optimizer.step()",
                "print(loss)",
            ]
        )


def points(data: str, samples: int = 200, noise: float = 0.08, seed: int = 0) -> tuple[Any, Any]:
    """The training points of a data set of the playground, and their targets.

    Raises:
        BadSetup: there is no such data set.

    Example:
        >>> from minigrad.study.playground import points
        >>> x, y = points("spirals3", samples=60)
        >>> x.shape, y.max()
        (torch.Size([60, 2]), tensor(2))
    """
    if data not in DATA:
        raise BadSetup(f"data must be one of {', '.join(DATA)}, but got {data!r}")
    first = fitting(DATA[data])[0]
    trainer = Trainer(Setup(data=data, samples=samples, noise=noise, seed=seed, loss=first))
    regression = DATA[data].task == "regression"
    targets = trainer.targets.astype(np.float32 if regression else np.int64)
    return minigrad.tensor(trainer.points), minigrad.tensor(targets)


def _number(x: float) -> float | None:
    return float(f"{x:.6g}") if math.isfinite(x) else None


def _list(array: ndarray, digits: int) -> list[Any]:
    """An array for JSON; what is not finite becomes zero."""
    found: list[Any] = np.round(
        np.nan_to_num(array.astype(np.float64), posinf=0.0, neginf=0.0), digits
    ).tolist()
    return found
