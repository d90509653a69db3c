"""Rules that look at a training: what backward reaches, what the optimiser holds, how far a step goes."""

from __future__ import annotations

import ast
import linecache
import textwrap
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import nn
from minigrad.autograd.fused import FusedNode
from minigrad.autograd.observe import Call, observing
from minigrad.autograd.op import PrimitiveNode
from minigrad.autograd.tape import Node, current_node, no_grad
from minigrad.study.linting.finding import rule
from minigrad.study.linting.origins import all_below, leaves_below
from minigrad.study.numbers import short
from minigrad.utils.data import DataLoader

_DEAD = 0.75  # of a layer's units: at first, half may be off for all samples
_SMALL_BATCH = 8  # samples from which on a unit that is never active counts as dead
_ENOUGH = 3  # looks after which a parameter that never had a gradient is no branch that is taken sometimes
_FAR, _NEAR = 1.0, 1e-7  # updates relative to weights that are too large, too small
_EXPLODED, _VANISHED = 1e3, 1e-6


@dataclass
class Memory:
    """What is remembered of one look at a training until the next."""

    used: set[int] = field(
        default_factory=set
    )  # parameters whose gradient a step has used, and nobody zeroed
    piled: set[int] = field(default_factory=set)  # of those the ones a backward has added to
    held: set[int] = field(default_factory=set)  # the parameters of all optimisers that made a step
    moved: set[int] = field(default_factory=set)  # the parameters that had a gradient at some look
    steps: int = 0  # that were looked at
    missing: set[int] = field(default_factory=set)  # those reached that no optimiser held, at the last look
    dead: bool = False  # at the last look half of a layer's units were
    reached: list[Any] = field(default_factory=list)  # the leaves of the last backward
    zero: set[int] = field(default_factory=set)  # the parameters whose gradient was zero
    far: bool = False  # the last step was too large
    near: bool = False  # or too small


@dataclass
class BackwardSeen:
    """A backward, as rules look at it; made before it runs."""

    loss: Any
    memory: Memory
    frame: Any
    leaves: list[Any] = field(default_factory=list)
    dead: list[tuple[int, int, int]] = field(default_factory=list)  # of each ReLU: dead units, units, samples

    @staticmethod
    def of(loss: Any, memory: Memory, frame: Any) -> BackwardSeen:
        """From the loss whose backward is about to run."""
        root = current_node(loss)
        leaves = leaves_below(root)
        full = {id(x) for x in leaves if x._grad is not None and x._grad._array.any()}
        empty = {id(x) for x in leaves} - full
        memory.piled = (memory.piled | (memory.used & full)) - empty
        memory.used -= empty
        return BackwardSeen(loss, memory, frame, leaves, _dead_units(root))

    def names(self) -> dict[int, str]:
        """What the modules of the calling code call their parameters."""
        found: dict[int, str] = {}
        for name, module in self.modules():
            for inner, parameter in module.named_parameters():
                found.setdefault(id(parameter), f"{name}.{inner}")
        return found

    def modules(self) -> list[tuple[str, nn.Module]]:
        """The modules that the calling code's variables hold."""
        if self.frame is None:
            return []
        named = {**self.frame.f_globals, **self.frame.f_locals}
        for first in self.frame.f_code.co_varnames[: min(1, self.frame.f_code.co_argcount)]:  # self, mostly
            owner = named.get(first)
            if not isinstance(owner, nn.Module):
                named |= {f"{first}.{name}": value for name, value in getattr(owner, "__dict__", {}).items()}
        return [(name, value) for name, value in named.items() if isinstance(value, nn.Module)]


@dataclass
class StepSeen:
    """A step of an optimiser; `before` holds the weights it had."""

    optimizer: Any
    memory: Memory
    before: dict[int, ndarray]
    names: dict[int, str]

    @property
    def parameters(self) -> list[Any]:
        """All that the optimiser holds."""
        return [p for group in self.optimizer.param_groups for p in group["params"]]

    def called(self, parameters: list[Any]) -> str:
        """The names of parameters, the first three of many."""
        order = {key: place for place, key in enumerate(self.names)}
        parameters = sorted(parameters, key=lambda p: order.get(id(p), len(order)))
        names = [self.names.get(id(p), f"a parameter of shape {list(p.shape)}") for p in parameters[:3]]
        return ", ".join(names) + (f" and {len(parameters) - 3} more" if len(parameters) > 3 else "")


def _dead_units(root: Node | None) -> list[tuple[int, int, int]]:
    """Of each ReLU below: the units that are zero for all samples, all units, the samples."""
    outputs: list[ndarray] = []

    def note(call: Call) -> None:
        if getattr(call.op, "__name__", "") == "relu":
            outputs.append(call.result._array)

    for node in all_below(root):
        if isinstance(node, PrimitiveNode) and node.op.__name__ == "relu" and node.output is not None:
            outputs.append(node.output)
        elif isinstance(node, FusedNode) and hasattr(node.op, "activations") and node.values is not None:
            with no_grad(), observing(note):
                node.op.definition(*[v.detach() for v in node.values])
    found = []
    for y in outputs:
        if y.ndim >= 2:
            flat = np.moveaxis(y, 1, -1).reshape(-1, y.shape[1])
            found.append((int((flat == 0).all(0).sum()), y.shape[1], len(flat)))
    return found


# ------------------------------------------------------------------------------------------- backward
@rule("MG013", "the mean of batch means", "backward")
def mean_of_means(seen: BackwardSeen) -> str | None:
    """Summing `loss.item()` over batches and dividing by their number weighs every batch alike, also the
    last, smaller one: its samples count more. With 1,000 samples in batches of 64 each of the last 40
    counts 1.6 times.

        total += loss.item()
        ...
        print(total / len(loader))

    Use total += loss.item() * len(x), and print(total / len(dataset)).
    """
    if seen.frame is None:
        return None
    named = {**seen.frame.f_globals, **seen.frame.f_locals}
    for name, loader in named.items():
        if not isinstance(loader, DataLoader):
            continue
        size, samples = loader.batch_size, _length(loader.dataset)
        if not size or samples is None or loader.drop_last or samples % size == 0 or samples < size:
            continue
        if _divides_by_batches(seen.frame, name):
            last = samples % size
            return (
                f"the sum of loss.item() over {name} is divided by len({name}): the last batch holds {last} "
                f"samples, the others {size}, so each of those {last} counts {short(size / last)} times. Use "
                "total += loss.item() * len(x), and divide by the number of samples."
            )
    return None


def _length(dataset: Any) -> int | None:
    try:
        return len(dataset)
    except TypeError:
        return None


def _divides_by_batches(frame: Any, loader: str) -> bool:
    """Whether the source around a frame sums x.item() into a name and divides that by len(loader)."""
    lines = linecache.getlines(frame.f_code.co_filename)
    if frame.f_code.co_name != "<module>":
        lines = lines[frame.f_code.co_firstlineno - 1 :]
    try:
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except SyntaxError:
        return False
    body = tree.body[:1] if frame.f_code.co_name != "<module>" else tree.body
    summed, divided = set(), set()
    for node in (node for part in body for node in ast.walk(part)):
        if (
            isinstance(node, ast.AugAssign)
            and isinstance(node.op, ast.Add)
            and isinstance(node.target, ast.Name)
        ) and ast.unparse(node.value).endswith(".item()"):
            summed.add(node.target.id)
        if (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.Div)
            and isinstance(node.left, ast.Name)
            and ast.unparse(node.right) == f"len({loader})"
        ):
            divided.add(node.left.id)
    return bool(summed & divided)


@rule("MG016", "dead ReLUs", "backward")
def dead_relu(seen: BackwardSeen) -> str | None:
    """A unit whose input to the ReLU is negative for every sample gives 0, has the slope 0 and gets no
    gradient: it is out of the training for good, unless other layers bring it back. A learning rate that
    is too large, or a bias far below zero, does that.

    Found where three quarters of a layer's units are zero for all samples of a batch (of 8 or more), twice.
    Use a smaller learning rate, `nn.LeakyReLU` or `nn.GELU`, or a normalisation before the ReLU.
    """
    before, seen.memory.dead = seen.memory.dead, False
    for dead, units, samples in seen.dead:
        if samples >= _SMALL_BATCH and dead >= max(4, _DEAD * units):
            seen.memory.dead = True
            return (
                None
                if not before
                else (
                    f"{dead} of {units} units of a ReLU are zero for all {samples} samples: their "
                    "gradient is zero, "
                    "and so is that of the weights before them. Use a smaller learning rate, LeakyReLU "
                    "or GELU, or "
                    "a normalisation layer."
                )
            )
    return None


@rule("MG023", "training in eval mode", "backward")
def eval_mode(seen: BackwardSeen) -> str | None:
    """In eval mode dropout does nothing, and batch normalisation uses its running statistics and never
    updates them. After `model.eval()` for a validation, `model.train()` is easily forgotten.

        model.eval()
        loss_of(model(x), y).backward()

    Call model.train() before training.
    """
    reached = {id(leaf) for leaf in seen.leaves}
    for name, module in seen.modules():
        if not any(id(parameter) in reached for parameter in module.parameters()):
            continue
        for inner, part in module.named_modules():
            kind = type(part).__name__
            if not part.training and ("Dropout" in kind or "BatchNorm" in kind):
                what = f"{name}.{inner}" if inner else name
                return (
                    f"{what} ({kind}) is in eval mode while its model learns: "
                    + ("nothing is dropped." if "Dropout" in kind else "its statistics are not updated.")
                    + f" Call {name}.train() before training."
                )
    return None


# ---------------------------------------------------------------------------------------------- steps
@rule("MG014", "parameters without a gradient", "step")
def no_gradient(seen: StepSeen) -> str | None:
    """A parameter whose `.grad` is None after backward is no part of the loss: a layer that is not called,
    one that was replaced after the optimiser was made, or a path that was cut by detach(), .data or
    no_grad().

    The optimiser skips it, silently. Leave it out of the optimiser, or set requires_grad_(False), if that
    is meant.
    """
    memory = seen.memory
    memory.steps += 1
    memory.moved |= {id(p) for p in seen.parameters if p._grad is not None}
    without = [p for p in seen.parameters if p.requires_grad and id(p) not in memory.moved]
    if memory.steps < _ENOUGH or not without or len(without) == len(seen.parameters):
        return None
    return (
        f"{seen.called(without)}: {len(without)} of {len(seen.parameters)} parameters got no "
        "gradient, so the "
        "optimiser never moves them. Is a layer not called, or its result detached?"
    )


@rule("MG015", "gradients that are always zero", "step")
def zero_gradient(seen: StepSeen) -> str | None:
    """A gradient of exact zeros, again and again, means that nothing the parameter does changes the loss:
    all ReLUs behind it are dead, a sigmoid is saturated, a target is constant, or the loss is one of a
    single class.
    """
    now = {id(p) for p in seen.parameters if p._grad is not None and not p._grad._array.any()}
    again = [p for p in seen.parameters if id(p) in now & seen.memory.zero]
    seen.memory.zero = now
    if not again:
        return None
    return (
        f"the gradient of {seen.called(again)} was exactly zero at every look: nothing it does "
        "changes the loss. "
        "Look for dead ReLUs, a saturated sigmoid or softmax, or a loss that is constant."
    )


def _norm(arrays: list[ndarray]) -> float:
    return float(np.sqrt(sum(float(np.vdot(a, a)) for a in arrays)))


@rule("MG017", "exploding gradients", "step")
def exploding(seen: StepSeen) -> str | None:
    """A gradient far longer than the weights themselves, or one that is not finite, throws the weights away
    in one step. Deep or recurrent networks without normalisation, sums instead of means, and unscaled
    inputs do that.

    Use nn.utils.clip_grad_norm_(model.parameters(), 1.0), a smaller learning rate, standardised inputs, or
    the mean.
    """
    held = [p for p in seen.parameters if p._grad is not None]
    norm = _norm([p._grad._array for p in held])
    weights = _norm([seen.before.get(id(p), p._array) for p in held])
    moved = _norm([p._array - seen.before[id(p)] for p in held if id(p) in seen.before])
    if np.isfinite(norm) and (norm <= _EXPLODED * max(1.0, weights) or moved <= weights):
        return None
    return (
        f"the gradient's norm is {short(norm)}, that of the weights {short(weights)}: a step goes "
        "anywhere. Clip "
        "it (nn.utils.clip_grad_norm_), standardise the inputs, or use the mean instead of the sum."
    )


@rule("MG018", "vanishing gradients", "step")
def vanishing(seen: StepSeen) -> str | None:
    """Where each layer hands on a small part of the gradient (sigmoids, small weights, many layers), the
    first layers hardly learn: their gradient is a millionth of the last layer's.

    Use ReLU or GELU, nn.init.kaiming_normal_, normalisation layers, or residual connections.
    """
    sizes = [
        float(np.abs(p._grad._array).mean()) for p in seen.parameters if p._grad is not None and p.ndim >= 2
    ]
    if len(sizes) < 3 or not sizes[-1] or not 0 < sizes[0] < _VANISHED * sizes[-1]:
        return None
    return (
        f"the mean gradient of the first layer is {short(sizes[0])}, of the last {short(sizes[-1])}: a "
        f"{short(sizes[-1] / sizes[0])}th. The first layers hardly learn. Use ReLU or GELU, another "
        "initialisation, normalisation layers, or residual connections."
    )


@rule("MG019", "gradients that are not zeroed", "step")
def not_zeroed(seen: StepSeen) -> str | None:
    """`backward` adds to `.grad`. Without `zero_grad` every step uses the sum of all gradients so far, as
    if the learning rate grew with the steps and nothing was ever forgotten.

        loss.backward()
        optimizer.step()                                # and again, without zero_grad

    Call optimizer.zero_grad() before backward. (Several backwards before one step are fine: that is how
    gradients are accumulated.)
    """
    piled = [p for p in seen.parameters if id(p) in seen.memory.piled]
    if not piled:
        return None
    return (
        f"the gradients of {len(piled)} tensors still hold what the step before has used already: "
        "backward adds, "
        "so every step goes by the sum of all gradients so far. Call optimizer.zero_grad() before backward()."
    )


@rule("MG020", "an optimiser without the model's parameters", "step")
def foreign_optimizer(seen: StepSeen) -> str | None:
    """The optimiser was made from other tensors than those the loss depends on: from another model, from
    copies (`.clone()`, `.data`), or from the model before its layers were replaced. Its steps change
    nothing.

        optimizer = optim.SGD(old_model.parameters(), lr=0.1)

    Make it anew, from the parameters of the model that is trained.
    """
    reached = {id(leaf) for leaf in seen.memory.reached}
    if not reached or any(id(p) in reached for p in seen.parameters):
        return None
    return (
        f"none of the optimiser's {len(seen.parameters)} parameters is among the {len(reached)} "
        "tensors that the "
        "last backward reached: its steps change nothing that the loss depends on. Make it from "
        "model.parameters() of the model that is trained."
    )


@rule("MG021", "parameters that no optimiser moves", "step")
def left_out(seen: StepSeen) -> str | None:
    """Parameters of the model get gradients, but are not in the optimiser: layers added after it was made,
    or a second model (an encoder, a loss with weights) whose parameters were not given to it. They stay
    as they are, and their gradients grow, as nobody zeroes them.

    Use optimizer.add_param_group({"params": [...]}), or make the optimiser after the model is complete.
    """
    held = seen.memory.held
    missing = [
        leaf for leaf in seen.memory.reached if isinstance(leaf, nn.Parameter) and id(leaf) not in held
    ]
    before, seen.memory.missing = seen.memory.missing, {id(leaf) for leaf in missing}
    if len(missing) == len(seen.memory.reached):
        return None
    missing = [leaf for leaf in missing if id(leaf) in before]  # another optimiser may make its step yet
    if not missing:
        return None
    return (
        f"{seen.called(missing)} got a gradient, but is not in the optimiser: it never moves. Use "
        'optimizer.add_param_group({"params": [...]}), or make the optimiser after the model is complete.'
    )


@rule("MG022", "a learning rate far off", "step")
def learning_rate(seen: StepSeen) -> str | None:
    """A step should change the weights by about a thousandth of their size. When it changes them by more
    than themselves, twice in a row, nothing learned stays; below a ten-millionth nothing moves, and
    float32 rounds the change away.

    Change lr by factors of 10 until the ratio is near 1e-3.
    """
    ratios = []
    for p in seen.parameters:
        before = seen.before.get(id(p)) if p.ndim >= 2 else None
        if before is not None and p._grad is not None and p._grad._array.any() and before.any():
            ratios.append(_norm([p._array - before]) / _norm([before]))
    if not ratios:
        return None
    ratio = float(np.median(ratios))
    far, near = ratio > _FAR, ratio < _NEAR
    again = (far and seen.memory.far) or (near and seen.memory.near)
    seen.memory.far, seen.memory.near = far, near
    if not again:
        return None
    lr = seen.optimizer.param_groups[0].get("lr")
    return f"a step changes the weights by {short(ratio)} of their size (lr={lr}): far too " + (
        "much, nothing learned stays. Try a hundredth of it." if far else "little to learn. Try a larger one."
    )
