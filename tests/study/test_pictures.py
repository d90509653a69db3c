"""Pictures: they show what losses, gradients and trainings are; bad input; the missing extra."""

from __future__ import annotations

import functools
import itertools
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="pictures need matplotlib (extra plot)")

import minigrad
from minigrad import nn, optim
from minigrad.autograd.engine import grad
from minigrad.nn import extra
from minigrad.study import pictures
from minigrad.study.pictures import boundary, curves, flow, histograms, history, landscape, simplex, style
from minigrad.study.pictures.setups import AXES, FAMILIES, OTHER_NAMES, SETUPS, axis_of, fed_with
from minigrad.train.loop import Epoch, Run, Score

HUBER, L1 = nn.HuberLoss(delta=0.5), nn.L1Loss()


def texts_of(figure):
    (legend,) = figure.legends
    return [text.get_text() for text in legend.get_texts()]


def line_of(axes, label):
    return next(line for line in axes.lines if line.get_label() == label)


# --------------------------------------------------------------------------------------------- curves
CURVES = [
    (nn.HuberLoss(delta=0.5), "HuberLoss(delta=0.5)", lambda r: np.clip(r, -0.5, 0.5)),
    (nn.MSELoss(), "MSELoss()", lambda r: 2 * r),
    (nn.BCEWithLogitsLoss(), "BCEWithLogitsLoss(), target 0", lambda x: 1 / (1 + np.exp(-x))),
    (nn.BCEWithLogitsLoss(), "BCEWithLogitsLoss(), target 1", lambda x: 1 / (1 + np.exp(-x)) - 1),
    (nn.BCELoss(), "BCELoss(), target 1", lambda p: -1 / p),
    (extra.SquaredHingeLoss(), "SquaredHingeLoss()", lambda m: -2 * np.maximum(0, 1 - m)),
    (nn.CrossEntropyLoss(), "CrossEntropyLoss()", lambda x: np.exp(x) / (np.exp(x) + 2) - 1),
    (nn.functional.mse_loss, "mse_loss", lambda r: 2 * r),
    (nn.NLLLoss(), "NLLLoss()", lambda x: -np.ones_like(x)),
]


@pytest.mark.parametrize(("loss", "label", "slope"), CURVES, ids=[label for _, label, _ in CURVES])
def test_the_curves_are_the_loss_and_its_gradient(loss, label, slope):
    left, right = pictures.plot_loss(loss, points=41).axes
    x, gradient = (np.asarray(v) for v in line_of(right, label).get_data())
    np.testing.assert_allclose(gradient, slope(x), atol=1e-12)
    x, value = (np.asarray(v) for v in line_of(left, label).get_data())
    slopes = (value[2:] - value[:-2]) / (x[2:] - x[:-2])
    middle = np.abs(np.diff(gradient, 2)) < 0.02  # where the curve is nearly straight
    assert middle.any()
    np.testing.assert_allclose(slopes[middle], gradient[1:-1][middle], atol=0.05)


@pytest.mark.parametrize("kind", [nn.MSELoss, nn.CrossEntropyLoss, nn.BCELoss, extra.JensenShannonLoss])
def test_a_reduction_does_not_change_the_curve_of_a_sample(kind):
    losses = [kind(reduction=r) for r in ("mean", "sum", "none")]
    axes = pictures.plot_loss(*losses, points=9, labels=["mean", "sum", "none"]).axes[0]
    lines = [line for line in axes.lines if line.get_label().startswith(("mean", "sum", "none"))]
    values = np.array([line.get_ydata() for line in lines]).reshape(3, -1)
    assert np.ptp(values[0]) > 0
    np.testing.assert_array_equal(values[0], values[1])
    np.testing.assert_array_equal(values[0], values[2])
    assert losses[0].reduction == "mean"  # a copy was drawn


WEIGHTED = [
    nn.CrossEntropyLoss(weight=minigrad.tensor([2.0, 1.0, 1.0, 1.0])),
    nn.NLLLoss(weight=minigrad.tensor([2.0, 1.0])),
    functools.partial(nn.functional.cross_entropy, weight=minigrad.tensor([2.0, 1.0, 1.0, 1.0])),
    extra.SoftmaxFocalLoss(alpha=minigrad.tensor([2.0, 1.0]), gamma=0.0),
]


@pytest.mark.parametrize("loss", WEIGHTED, ids=lambda loss: style.label_of(loss).partition("(")[0])
def test_class_weights_count_and_tell_the_number_of_classes(loss):
    axes = pictures.plot_loss(loss, points=9).axes[0]
    x, y = line_of(axes, style.label_of(loss)).get_data()
    weights = [w for w in (getattr(loss, "weight", None), getattr(loss, "alpha", None)) if w is not None]
    others = len(weights[0]) - 1 if weights else 3
    expected = -2 * x if isinstance(loss, nn.NLLLoss) else -2 * (x - np.log(np.exp(x) + others))
    np.testing.assert_allclose(y, expected, rtol=1e-6)


KINKS = [
    (L1, [(0.0, -1.0, 1.0, 0.0)]),
    (HUBER, []),
    (extra.QuantileLoss(quantile=0.8), [(0.0, -0.8, 0.2, None)]),
    (extra.HingeLoss(), [(1.0, -1.0, 0.0, 0.0)]),
    (nn.MSELoss(), []),
]


@pytest.mark.parametrize(("loss", "expected"), KINKS, ids=lambda v: type(v).__name__)
@pytest.mark.parametrize("points", [40, 41])
def test_kinks_are_found_between_points_too(loss, expected, points):
    axis = axis_of(loss)
    found = curves.curve_of(axis, loss, axis.targets[0][1], "", (-3, 3), points).kinks
    assert len(found) == len(expected)
    for kink, (x, before, after, at) in zip(found, expected, strict=True):
        np.testing.assert_allclose((kink.x, kink.before, kink.after), (x, before, after), atol=1e-9)
        assert at is None or kink.at == at


def test_a_jump_is_a_gap_in_the_gradient_and_is_explained():
    figure = pictures.plot_loss(L1, points=41)
    x, slopes = line_of(figure.axes[1], "L1Loss()").get_data()
    assert np.isnan(slopes).sum() == 1
    assert x[np.flatnonzero(np.isnan(slopes))[0]] == 0
    assert set(np.asarray(slopes)[~np.isnan(slopes)]) == {-1.0, 1.0}
    assert {"sides of a jump", "gradient at the jump"} < set(texts_of(figure))
    assert len(texts_of(pictures.plot_loss(HUBER, points=9))) == 1


def test_curves_of_one_loss_share_a_colour_and_differ_in_dashes():
    axes = pictures.plot_loss(nn.BCEWithLogitsLoss(), extra.SigmoidFocalLoss(), points=5).axes[0]
    lines = [line for line in axes.lines if not line.get_label().startswith("_")]
    assert [line.get_color() for line in lines] == [style.LINES[k][0] for k in (0, 0, 1, 1)]
    assert lines[0].get_linestyle() != lines[1].get_linestyle()


@pytest.mark.parametrize(
    ("axis", "target", "losses", "xlabel"),
    [
        ("margin", None, [extra.HingeLoss(), nn.BCEWithLogitsLoss()], "margin"),
        ("logit", 0.3, [nn.BCEWithLogitsLoss()], "logit"),
        (None, 2.0, [HUBER], "residual"),
        (None, None, [lambda input, target: (input - target) ** 4], "residual"),
        (None, None, [functools.partial(nn.functional.huber_loss, delta=2.0)], "residual"),
    ],
)
def test_axes_and_targets_can_be_chosen(axis, target, losses, xlabel):
    figure = pictures.plot_loss(*losses, axis=axis, target=target, points=5)
    assert xlabel in figure.axes[0].get_xlabel()
    if target is not None:
        assert f"target {target}" in texts_of(figure)[0]
        lines = [line for line in figure.axes[0].lines if "target" in line.get_label()]
        assert len(lines) == 1


LABELS = [
    (nn.HuberLoss(), "HuberLoss()"),
    (nn.CrossEntropyLoss(label_smoothing=0.1, reduction="sum"), "CrossEntropyLoss(label_smoothing=0.1)"),
    (nn.BCEWithLogitsLoss(pos_weight=minigrad.tensor([2.0])), "BCEWithLogitsLoss(pos_weight=[2.0])"),
    (functools.partial(nn.functional.huber_loss, delta=2.0), "huber_loss(delta=2.0)"),
    (nn.TripletMarginWithDistanceLoss(), "TripletMarginWithDistanceLoss()"),
    (nn.functional.mse_loss, "mse_loss"),
]


@pytest.mark.parametrize(("loss", "label"), LABELS, ids=[label for _, label in LABELS])
def test_labels_say_the_options(loss, label):
    assert style.label_of(loss) == label


# -------------------------------------------------------------------------------------------- gallery
def test_every_loss_has_a_row_of_its_own():
    classes = {
        name
        for namespace in (nn, extra)
        for name, value in vars(namespace).items()
        if isinstance(value, type)
        and issubclass(value, nn.Module)
        and "Loss" in name
        and value is not nn.losses.Loss
    }
    assert len(classes) > 45
    assert classes == set(SETUPS) | set(OTHER_NAMES)
    for name in SETUPS:
        assert type(SETUPS[name].make()).__name__ == name


@pytest.mark.parametrize("name", SETUPS)
def test_a_rows_gradient_is_the_slope_of_its_curve(name):
    loss, axis = SETUPS[name].make(), SETUPS[name].axis
    if name == "CircleLoss":
        loss.detach_weights = False  # else its gradient is not the derivative, on purpose
    low, high = axis.span
    moved = 0
    for (_, target), share in itertools.product(axis.targets, (0.23, 0.61, 0.87)):
        x, step = low + share * (high - low), 1e-4 * (high - low)
        slope = curves.point_of(axis, loss, target, x)[1]
        ends = [curves.point_of(axis, loss, target, at)[0] for at in (x - step, x + step)]
        np.testing.assert_allclose((ends[1] - ends[0]) / (2 * step), slope, rtol=1e-3, atol=2e-3)
        moved += slope != 0
    assert moved


def test_the_gallery_has_a_panel_for_each_loss_and_leaves_the_random_stream_alone():
    minigrad.manual_seed(5)
    expected = minigrad.rand(1).item()
    minigrad.manual_seed(5)
    figure = pictures.gallery(points=5)
    assert minigrad.rand(1).item() == expected
    assert [axes.get_title(loc="left") for axes in figure.axes] == list(SETUPS)
    assert sum(map(len, FAMILIES.values())) == len(SETUPS)
    assert all(len(axes.lines) >= 2 and axes.get_xlabel() for axes in figure.axes)


def test_what_losses_are_given():
    assert fed_with(nn.NLLLoss()) == fed_with(nn.KLDivLoss()) == "log-probabilities"
    assert fed_with(nn.BCELoss()) == "probabilities"
    assert fed_with(extra.HingeLoss()) == "signed scores"
    assert fed_with(nn.CrossEntropyLoss()) == fed_with(len) == "scores"


# -------------------------------------------------------------------------------------------- simplex
SIMPLEX = [
    (nn.CrossEntropyLoss(), 1, lambda p: -np.log(p[1])),
    (nn.NLLLoss(), 2, lambda p: -np.log(p[2])),
    (nn.KLDivLoss(reduction="sum"), [0.5, 0.3, 0.2], lambda p: (Q * np.log(Q / p)).sum()),
    (nn.KLDivLoss(reduction="sum"), 0, lambda p: -np.log(p[0])),
    (nn.CrossEntropyLoss(), [0.5, 0.3, 0.2], lambda p: -(Q * np.log(p)).sum()),
    (lambda z, y: nn.functional.multi_margin_loss(z, y), 0, None),
]
Q = np.array([0.5, 0.3, 0.2])


@pytest.mark.parametrize(("loss", "target", "value"), SIMPLEX)
def test_arrows_on_the_simplex_point_downhill(loss, target, value):
    wanted = simplex._checked_target(loss, target)
    fell = 0
    for p in simplex.points_inside(6, 0.03):
        here, speed = simplex.descent_at(loss, wanted, p)
        assert value is None or abs(here - value(p)) < 1e-9
        np.testing.assert_allclose(speed.sum(), 0, atol=1e-12)  # it stays on the simplex
        there, _ = simplex.descent_at(loss, wanted, p + 1e-4 * speed)
        assert there <= here + 1e-9
        fell += there < here
    assert fell > 10


def test_cross_entropys_arrows_are_the_softmax_jacobian_times_onehot_minus_p():
    p = np.array([0.2, 0.5, 0.3])
    _, speed = simplex.descent_at(nn.CrossEntropyLoss(), minigrad.tensor([2]), p)
    expected = (np.diag(p) - np.outer(p, p)) @ (np.eye(3)[2] - p)
    np.testing.assert_allclose(speed, expected, rtol=1e-9)


def test_the_simplex_is_drawn_with_its_target():
    figure = pictures.plot_simplex(target=1, names=("cat", "dog", "owl"), side=10)
    axes = figure.axes[0]
    assert axes.get_title(loc="left") == "CrossEntropyLoss(), target: dog"
    assert {"cat", "dog", "owl"} == {text.get_text() for text in axes.texts}
    (star,) = (line for line in axes.lines if line.get_marker() == "*")
    np.testing.assert_allclose(np.ravel(star.get_data()), simplex.CORNERS[1])


# ----------------------------------------------------------------------------------------------- flow
def small_model():
    minigrad.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 3))


def test_gradient_flow_shows_norms_and_marks_what_is_wrong():
    model = small_model()
    model(minigrad.ones(3, 2)).sum().backward()
    model[0].weight.grad = None
    model[0].bias.grad.zero_()
    model[2].bias.grad[1] = float("nan")
    found = {f.name: f for f in flow.flow_of(model)}
    states = {name: f.state for name, f in found.items()}
    assert states == {"0.weight": "none", "0.bias": "zero", "2.weight": "", "2.bias": "not finite"}
    expected = np.linalg.norm(model[2].weight.grad.numpy())
    np.testing.assert_allclose(found["2.weight"].gradient, expected, rtol=1e-6)
    weight = np.linalg.norm(model[2].weight.detach().numpy())
    np.testing.assert_allclose(found["2.weight"].ratio, expected / weight, rtol=1e-6)

    figure = pictures.plot_gradient_flow(model)
    left, right = figure.axes
    for axes, value in ((left, expected), (right, expected / weight)):
        (bar,) = axes.patches[:1]
        np.testing.assert_allclose(bar.get_x() + bar.get_width(), value, rtol=1e-6)
        assert axes.get_xscale() == "log"
    assert [label.get_text() for label in left.get_yticklabels()] == list(found)
    assert texts_of(figure) == ["no gradient (None)", "gradient is exactly 0", "nan or inf in the gradient"]


# ------------------------------------------------------------------------------------ history
EPOCHS = tuple(Epoch(k, Score(1 / k, 1 - 0.5 / k), Score(1.2 / k, 1 - 0.6 / k)) for k in range(1, 31))
AS_DICT = {
    "loss": [1 / k for k in range(1, 31)],
    "val_loss": [1.2 / k for k in range(1, 31)],
    "accuracy": [1 - 0.5 / k for k in range(1, 31)],
    "val_accuracy": [1 - 0.6 / k for k in range(1, 31)],
}


@pytest.mark.parametrize(
    "given", [Run(EPOCHS), EPOCHS, list(EPOCHS), AS_DICT], ids=["run", "tuple", "list", "dict"]
)
def test_a_history_is_drawn_whatever_form_it_has(given):
    figure = pictures.plot_history(given)
    loss, accuracy = figure.axes
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["loss", "accuracy"]
    assert (loss.get_yscale(), accuracy.get_yscale()) == ("log", "linear")
    for axes, name in ((loss, "loss"), (accuracy, "accuracy")):
        for label, key in (("training", name), ("held out", f"val_{name}")):
            x, y = line_of(axes, label).get_data()
            np.testing.assert_array_equal(x, range(1, 31))
            np.testing.assert_allclose(y, AS_DICT[key])
    assert texts_of(figure) == ["training", "held out", "best held-out epoch"]


def test_the_best_epoch_is_ringed():
    table = {
        "loss": [3.0, 2.0, 1.0],
        "val_loss": [3.0, 1.5, 2.0],
        "acc": [1, 2, 3],
        "test_acc": [0.1, 0.2, 0.7],
    }
    loss, accuracy = pictures.plot_history(table | {"epoch": [10, 20, 30]}).axes
    assert [list(np.ravel(a.lines[-1].get_data())) for a in (loss, accuracy)] == [[20, 1.5], [30, 0.7]]


def test_one_measure_alone_is_drawn():
    figure = pictures.plot_history({"loss": [0.5, 0.0, 0.1]})
    (axes,) = figure.axes
    assert axes.get_yscale() == "linear"
    assert texts_of(figure) == ["training"]
    assert set(history.pairs_of({"train_loss": [1.0], "valid_loss": [2.0]})) == {"loss"}


# ----------------------------------------------------------------------------------------- histograms
def trained(steps=6, **options):
    model = small_model()
    recorder = pictures.Recorder(model, **options)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    x, y = minigrad.randn(8, 2), minigrad.randint(0, 3, (8,))
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        recorder.record()
        optimizer.step()
    return model, recorder, lambda: nn.functional.cross_entropy(model(x), y)


def test_a_recorder_counts_weights_and_gradients():
    model, recorder, _ = trained(bins=16)
    assert recorder.steps == list(range(6))
    assert list(recorder.weights) == [name for name, _ in model.named_parameters()]
    for found in (*recorder.weights["0.weight"], *recorder.gradients["0.weight"]):
        assert found.counts.sum() == 8
        assert len(found.counts) == 16
        np.testing.assert_allclose(found.shares(np.linspace(-9, 9, 50)).sum(), 1)
    assert recorder.trajectory == []
    assert trained(every=3)[1].steps == [0, 3]


def test_histograms_count_what_is_not_finite_and_what_is_constant():
    found = histograms.histogram_of(np.array([1.0, np.nan, 3.0, np.inf]), 4)
    assert (found.counts.sum(), found.not_finite) == (2, 2)
    constant = histograms.histogram_of(np.zeros(5), 4)
    assert constant.counts.sum() == 5
    assert np.ptp(constant.edges) < 1e-9
    assert histograms.histogram_of(np.array([np.nan]), 4).shares(np.linspace(0, 1, 3)).sum() == 0


def test_shares_follow_the_elements():
    values = np.random.default_rng(0).standard_normal(4000)
    edges = np.linspace(-3, 3, 13)
    expected = np.histogram(values, edges)[0] / 4000
    np.testing.assert_allclose(histograms.histogram_of(values, 200).shares(edges), expected, atol=0.01)


def test_heat_maps_show_each_step_and_say_what_is_missing():
    _, recorder, _ = trained()
    recorder.gradients["2.bias"][1] = None
    figure = pictures.plot_histograms(recorder)
    maps = [axes for axes in figure.axes if axes.collections and axes.get_title(loc="left")]
    assert len(maps) == 8
    meshes = [np.asarray(axes.collections[0].get_array()) for axes in maps]
    assert all(mesh.shape[1] == 6 for mesh in meshes)
    np.testing.assert_allclose(meshes[0].max(axis=0), 1)
    assert meshes[-1][:, 1].max() == 0
    assert maps[-1].get_title(loc="right") == "no gradient in 1 of 6 steps"


def test_a_spike_does_not_hide_the_small_gradients():
    model = nn.Linear(4, 4)
    recorder = pictures.Recorder(model)
    for step in range(9):
        model.weight.grad = minigrad.randn(4, 4) * (100.0 if step == 5 else 0.01)
        recorder.record()
    weights, gradients = pictures.plot_histograms(recorder, parameters=["weight"]).axes[:2]
    assert (weights.get_yscale(), gradients.get_yscale()) == ("linear", "asinh")
    filled = (np.asarray(gradients.collections[0].get_array()) > 0).sum(axis=0)
    assert filled.min() > 3  # on a linear scale the small ones would share a bin or two
    ticks = gradients.get_yticks()
    assert 0 in ticks
    assert (np.abs(ticks[ticks != 0]) > 0.01).all()


# ------------------------------------------------------------------------------------------ landscape
def test_random_directions_are_filter_normalised_and_leave_biases():
    weights = {"conv": np.random.default_rng(1).standard_normal((3, 2, 5, 5)), "bias": np.ones(3)}
    direction = landscape.filter_normalised(weights, np.random.default_rng(0))
    for k in range(3):
        lengths = [np.linalg.norm(w["conv"][k]) for w in (direction, weights)]
        np.testing.assert_allclose(*lengths)
    assert not direction["bias"].any()


def test_the_centre_of_a_slice_is_the_loss_and_the_model_is_left_as_it_was():
    model, _, closure = trained()
    model.append(nn.BatchNorm1d(3))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    here = closure().item()
    for name, value in before.items():  # the closure itself moves running statistics
        model.state_dict()[name].copy_(value)
    state = minigrad.random.get_rng_state()
    found = landscape.slice_of(model, closure, None, 2, 1.0, 5, 0)
    np.testing.assert_allclose(found.losses[2, 2], here, rtol=1e-6)
    assert np.ptp(found.losses) > 0
    assert (minigrad.random.get_rng_state() == state).all()
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[name].numpy())


def test_running_statistics_do_not_drift_from_point_to_point():
    norm = nn.BatchNorm1d(2)
    x = minigrad.tensor([[1.0, 2.0], [3.0, 8.0]])

    def closure():
        norm(x)
        return norm.running_mean.sum()

    found = landscape.slice_of(norm, closure, None, 1, 1.0, 5, 0)
    np.testing.assert_allclose(found.losses, 0.1 * (2 + 5), rtol=1e-6)
    assert not norm.running_mean.any()


def test_a_path_ends_at_the_final_weights_and_lies_on_the_slice():
    model, recorder, closure = trained(steps=12, keep_weights=True)
    path = recorder.trajectory
    found = landscape.slice_of(model, closure, path, 2, 1.0, 7, 0)
    np.testing.assert_array_equal(found.path[-1], [0, 0])
    assert found.path[0, 0] < 0 <= found.path[0, 1]
    assert sum(found.kept) > 0.99  # a short path is nearly flat
    final = np.concatenate([v.numpy().ravel() for v in path[-1].values()])
    first = np.concatenate([v.numpy().ravel() for v in path[0].values()])
    np.testing.assert_allclose(np.linalg.norm(found.path[0]), np.linalg.norm(first - final), rtol=1e-3)
    for steps, coordinates in zip(found.steps, found.path.T, strict=True):
        assert steps[0] < coordinates.min() <= coordinates.max() < steps[-1]
    model.load_state_dict(path[-1])
    np.testing.assert_allclose(found.path_losses[-1], closure().item(), rtol=1e-6)
    model.load_state_dict(path[0])
    np.testing.assert_allclose(found.path_losses[0], closure().item(), rtol=1e-6)


def test_a_straight_path_gets_a_second_direction():
    path = [{"w": np.array([[a, 2 * a]])} for a in (0.0, 1.0, 3.0)]
    directions, coordinates, kept = landscape.principal_directions(path, 2)
    np.testing.assert_allclose(kept, [1, 0], atol=1e-12)
    np.testing.assert_allclose(coordinates[:, 1], 0, atol=1e-12)
    np.testing.assert_allclose((directions[0]["w"] * directions[1]["w"]).sum(), 0, atol=1e-12)


@pytest.mark.parametrize("dims", [1, 2])
@pytest.mark.parametrize("along", [False, True])
def test_landscapes_are_drawn(dims, along):
    model, recorder, closure = trained(keep_weights=True)
    trajectory = recorder.trajectory if along else None
    figure = pictures.plot_landscape(model, closure, trajectory, dims=dims, points=5)
    axes = figure.axes[0]
    assert ("principal" if along else "random") in axes.get_xlabel()
    if dims == 2:
        (star,) = (line for line in axes.lines if line.get_marker() == "*")
        assert np.ravel(star.get_data()).tolist() == [0, 0]
    else:
        assert axes.get_ylabel() == "loss"
    if along:
        x, _ = line_of(axes, "training").get_data()
        assert len(x) == 6
        assert x[-1] == 0


# ------------------------------------------------------------------------------------------- boundary
def plane(kind):
    """A model, samples, targets and their loss."""
    minigrad.manual_seed(1)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((12, 2)).astype(np.float32)
    right = (x[:, 0] > 0).astype(np.float32)
    if kind == "logits":
        return nn.Linear(2, 1), x, right[:, None], nn.BCEWithLogitsLoss()
    if kind == "probabilities":
        return nn.Sequential(nn.Linear(2, 1), nn.Sigmoid()), x, right, nn.BCELoss(reduction="sum")
    if kind == "signs":
        return nn.Linear(2, 1), x, 2 * right - 1, extra.HingeLoss()
    model = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 3))
    return model, x, rng.integers(0, 3, 12), nn.CrossEntropyLoss()


@pytest.mark.parametrize("kind", ["logits", "probabilities", "signs", "classes"])
def test_arrows_at_samples_are_their_own_gradients(kind):
    model, x, y, loss = plane(kind)
    figure = pictures.plot_boundary(model, x, y, loss, resolution=20)
    assert model.training  # left in the mode it was in
    model.eval()
    losses, slopes = boundary.input_gradients(model, x, y, loss, minigrad.float32)
    together = minigrad.tensor(x, requires_grad=True)
    output = model(together)
    each = type(loss)(reduction="none")
    targets = minigrad.tensor(y) if kind == "classes" else minigrad.tensor(y.reshape(12, 1))
    (expected,) = grad(each(output, targets).sum(), [together])
    np.testing.assert_allclose(slopes, expected.numpy(), atol=1e-6)
    uphill, _ = boundary.input_gradients(
        model, (x + 1e-2 * slopes).astype(np.float32), y, loss, minigrad.float32
    )
    assert (uphill >= losses - 1e-7).all()
    assert (uphill > losses).any()
    (arrows,) = (c for c in figure.axes[0].collections if type(c).__name__ == "Quiver")
    ratio = np.hypot(arrows.U, arrows.V) / np.hypot(*slopes.T).max()
    np.testing.assert_allclose(
        ratio / ratio.max(), np.hypot(*slopes.T) / np.hypot(*slopes.T).max(), rtol=1e-4
    )


def test_the_boundary_is_where_the_decision_changes_and_the_misclassified_are_counted():
    model, x, y, loss = plane("signs")
    with minigrad.no_grad():
        model.weight.copy_(minigrad.tensor([[1.0, 0.0]]))
        model.bias.fill_(-0.25)
    figure = pictures.plot_boundary(model, x, y, loss, resolution=50)
    wrong = int(((x[:, 0] > 0.25) != (y > 0)).sum())
    assert f"misclassified ({wrong})" in texts_of(figure)
    assert {"class −1", "class +1"} < set(texts_of(figure))
    contours = [c for c in figure.axes[0].collections if type(c).__name__ == "QuadContourSet"]
    points = np.concatenate([path.vertices for c in contours for path in c.get_paths()])
    np.testing.assert_allclose(points[:, 0], 0.25, atol=1e-3)


def test_probabilities_are_the_models():
    model, x, _, _ = plane("classes")
    model.eval()
    share = boundary.class_shares(model, x, "scores", minigrad.float32)
    np.testing.assert_allclose(
        share, nn.functional.softmax(model(minigrad.tensor(x)), 1).numpy(force=True), rtol=1e-6
    )
    shifted = nn.Sequential(model, nn.LogSoftmax(1))
    np.testing.assert_allclose(
        boundary.class_shares(shifted, x, "log-probabilities", minigrad.float32), share, rtol=1e-5
    )


# --------------------------------------------------------------------------------------------- errors
LINEAR = nn.Linear(2, 1)
POINTS, TARGETS, BCE = np.zeros((4, 2)), np.zeros(4), nn.BCEWithLogitsLoss()
SAME = [{name: value.detach() for name, value in LINEAR.state_dict().items()}] * 3
ERRORS = [
    (lambda: pictures.plot_loss(), TypeError, "at least one loss"),
    (lambda: pictures.plot_loss(nn.HuberLoss), TypeError, r"Type HuberLoss\(\)"),
    (lambda: pictures.plot_loss(minigrad.tensor(1.0)), TypeError, "study.explain"),
    (lambda: pictures.plot_loss(L1, BCE), ValueError, "axis="),
    (lambda: pictures.plot_loss(nn.functional.linear_cross_entropy), ValueError, "LinearCrossEntropyLoss"),
    (lambda: pictures.plot_loss(L1, axis="angle"), ValueError, "'residual'"),
    (lambda: pictures.plot_loss(L1, range=(3, -3)), ValueError, "lower one first"),
    (lambda: pictures.plot_loss(nn.BCELoss(), range=(-1, 1)), ValueError, r"\[0, 1\]"),
    (lambda: pictures.plot_loss(*[L1] * 8), ValueError, r"gallery\(\)"),
    (lambda: pictures.plot_loss(L1, labels=["a", "b"]), ValueError, "each of 1 losses"),
    (lambda: pictures.plot_loss(L1, points=2), ValueError, "at least 3"),
    (lambda: pictures.plot_loss(L1, path="loss.jpeg"), ValueError, r"loss\.png"),
    (lambda: pictures.gallery(path="gallery"), ValueError, r"gallery\.png"),
    (lambda: pictures.plot_simplex(target=3), IndexError, "0, 1 or 2"),
    (lambda: pictures.plot_simplex(target=[0.5, 0.6, 0.1]), ValueError, "sum is 1"),
    (lambda: pictures.plot_simplex(target="cat"), TypeError, "got str"),
    (lambda: pictures.plot_simplex(nn.CrossEntropyLoss), TypeError, r"nn\.CrossEntropyLoss\(\)"),
    (lambda: pictures.plot_simplex(names=("a", "b")), ValueError, "3 names"),
    (lambda: pictures.plot_simplex(side=2), ValueError, "too coarse"),
    (lambda: pictures.plot_gradient_flow(L1(LINEAR.weight, LINEAR.weight)), TypeError, "got Tensor"),
    (lambda: pictures.plot_gradient_flow(nn.ReLU()), ValueError, "no parameters"),
    (lambda: pictures.plot_gradient_flow(nn.Linear(2, 1)), RuntimeError, r"loss\.backward\(\) first"),
    (lambda: pictures.plot_history([0.5, 0.4]), TypeError, "dict of lists"),
    (lambda: pictures.plot_history({"loss": 0.5}), TypeError, "no list of numbers"),
    (lambda: pictures.plot_history(Run()), ValueError, "empty"),
    (lambda: pictures.plot_history({}), ValueError, "empty"),
    (lambda: pictures.plot_history({"loss": [1, 2], "val_loss": [1]}), ValueError, "differ in length"),
    (lambda: pictures.Recorder(None), TypeError, "NoneType"),
    (lambda: pictures.Recorder(LINEAR, bins=0), ValueError, "at least 1"),
    (lambda: pictures.plot_histograms(LINEAR), TypeError, "got Linear"),
    (lambda: pictures.plot_histograms(pictures.Recorder(LINEAR)), ValueError, r"recorder\.record\(\)"),
    (lambda: pictures.plot_histograms(trained(2)[1], parameters=["w"]), ValueError, "'w'"),
    (lambda: pictures.plot_landscape(LINEAR, L1(POINTS_T, POINTS_T)), TypeError, "lambda"),
    (lambda: pictures.plot_landscape(LINEAR, lambda: POINTS_T), ValueError, "8 numbers"),
    (lambda: pictures.plot_landscape(LINEAR, list, SAME), ValueError, "clone"),
    (lambda: pictures.plot_landscape(LINEAR, list, SAME[:1]), ValueError, "at least 2"),
    (lambda: pictures.plot_landscape(LINEAR, list, "path.png"), TypeError, "path="),
    (lambda: pictures.plot_landscape(LINEAR, list, [1, 2]), TypeError, r"trajectory\[0\] is int"),
    (lambda: pictures.plot_landscape(LINEAR, list, [{}, {}]), ValueError, "'weight'"),
    (lambda: pictures.plot_landscape(LINEAR, list, dims=3), ValueError, "dims=3"),
    (lambda: pictures.plot_landscape(LINEAR, list, span=0), ValueError, "above 0"),
    (lambda: pictures.plot_landscape(LINEAR, lambda: np.nan), ValueError, "nowhere finite"),
    (lambda: pictures.plot_boundary(LINEAR, np.zeros((4, 3)), TARGETS, BCE), ValueError, r"\(N, 2\)"),
    (lambda: pictures.plot_boundary(LINEAR, POINTS, TARGETS[:3], BCE), ValueError, "one each"),
    (lambda: pictures.plot_boundary(LINEAR, POINTS * np.nan, TARGETS, BCE), ValueError, "nan"),
    (lambda: pictures.plot_boundary(BCE.forward, POINTS, TARGETS, BCE), TypeError, "a model"),
    (lambda: pictures.plot_boundary(LINEAR, POINTS, TARGETS, nn.BCELoss), TypeError, "a loss"),
]
POINTS_T = minigrad.zeros(4, 2)


@pytest.mark.parametrize(("call", "error", "message"), ERRORS, ids=[m for _, _, m in ERRORS])
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_closure_that_fails_leaves_the_model_as_it_was():
    model, recorder, _ = trained(keep_weights=True)
    before = model[0].weight.detach().numpy().copy()
    with pytest.raises(ValueError, match="one number"):
        pictures.plot_landscape(model, lambda: model[0].weight, recorder.trajectory)
    np.testing.assert_array_equal(model[0].weight.detach().numpy(), before)


# ------------------------------------------------------------------------------------ files, the extra
@pytest.mark.parametrize(("suffix", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_pictures_are_written(suffix, start, tmp_path):
    file = tmp_path / f"loss.{suffix}"
    pictures.plot_loss(L1, points=5, path=file)
    assert file.read_bytes().startswith(start)


def test_pictures_do_not_depend_on_the_users_settings_nor_change_them(tmp_path):
    import matplotlib

    pictures.plot_loss(L1, points=5, path=tmp_path / "a.png")
    with matplotlib.rc_context({"font.size": 30.0, "lines.linewidth": 9.0, "figure.facecolor": "black"}):
        before = dict(matplotlib.rcParams)
        pictures.plot_loss(L1, points=5, path=tmp_path / "b.png")
        assert dict(matplotlib.rcParams) == before
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_matplotlib_is_imported_where_it_is_used_and_no_window_is_opened():
    code = (
        "import sys, minigrad\n"
        "assert not [m for m in sys.modules if m.startswith('minigrad.study')]\n"
        "from minigrad.study import pictures\n"
        "assert not {'matplotlib', 'sklearn'} & set(sys.modules)\n"
        "pictures.plot_loss(minigrad.nn.L1Loss(), points=3)\n"
        "assert 'matplotlib' in sys.modules and 'matplotlib.pyplot' not in sys.modules\n"
    )
    assert run(code).stderr == ""


def test_without_matplotlib_the_error_names_the_extra():
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "import minigrad\n"
        "from minigrad.study import pictures\n"
        "pictures.Recorder(minigrad.nn.Linear(1, 1)).record()\n"
        "pictures.plot_loss(minigrad.nn.L1Loss())\n"
    )
    last = run(code).stderr.splitlines()[-1]
    assert last.startswith("ImportError: pictures need matplotlib")
    assert "pip install 'minigrad[plot]'" in last


def test_the_axes_that_can_be_named_are_described():
    for name in AXES:
        assert f'"{name}"' in pictures.plot_loss.__doc__
