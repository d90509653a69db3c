"""The base of all optimisers: parameter groups, per-parameter state, saving and loading."""

from __future__ import annotations

import copy
import itertools
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from minigrad.autograd.tape import enable_grad
from minigrad.kernels.optim import fill_with_zeros
from minigrad.tensor import Tensor

Group = dict[str, Any]


class _Required:
    """The default of an option that has none."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()


class Optimizer:
    """Updates the parameters it was given from their gradients, group by group.

    A subclass states how one group is updated, in `_update(group)`, or overrides `step`.

    Args:
        params: tensors, pairs (name, tensor) as `named_parameters()` gives them, or dicts, one for
            each parameter group: "params" and the options in which it differs from the defaults.
        defaults: the options of groups that do not state them.

    Attributes:
        param_groups: the groups as dicts. An option changed here counts from the next step on:
            `optimizer.param_groups[0]["lr"] = 0.01`.
        state: for each parameter what the method remembers of it.

    Raises:
        TypeError: `params` is a tensor or a set, or holds something that is no tensor.
        ValueError: `params` is empty, a tensor is not a leaf, a parameter is in two groups, or only
            some have names.

    Example:
        >>> import minigrad
        >>> from minigrad import optim
        >>> w, b = minigrad.ones(2, requires_grad=True), minigrad.zeros(1, requires_grad=True)
        >>> optimizer = optim.SGD([{"params": [w]}, {"params": [b], "lr": 0.5}], lr=0.1)
        >>> [group["lr"] for group in optimizer.param_groups]
        [0.1, 0.5]
    """

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, "
                f"but got {_typename(params)}\nPut it into a list: [param]."
            )
        self.defaults = defaults
        self.state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[Group] = []
        groups: list[Any] = list(params)
        if not groups:
            raise ValueError(
                "optimizer got an empty parameter list\n"
                "Has the model any parameters, and was an iterator over them used up before?"
            )
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for number, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {number}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([*lines, ")"])

    def __getstate__(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in ("defaults", "state", "param_groups")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for group in self.param_groups:
            for name, default in self.defaults.items():
                group.setdefault(name, default)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update the parameters that have a gradient; the others are left alone.

        `closure`, if given, computes the loss and its gradients first; its loss is returned.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            self._update(group)
        return loss

    def _update(self, group: Group) -> None:
        """One step for the parameters of one group."""
        raise NotImplementedError(f"{type(self).__name__} must define step()")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or with `set_to_none=False` fill them with zeros.

        A parameter without a gradient is skipped by `step`; one with a zero gradient is not, and
        may still move by its momentum or weight decay.
        """
        if set_to_none:
            for group in self.param_groups:
                for param in group["params"]:
                    param._grad = None
            return
        grads = [p._grad for group in self.param_groups for p in group["params"] if p._grad is not None]
        for grad in grads:
            grad._node = None
            grad._counter[0] += 1
        fill_with_zeros([grad._array for grad in grads])

    # ------------------------------------------------------------------------------------ groups
    def add_param_group(self, param_group: Group) -> None:
        """Optimise further parameters, with options of their own.

        Raises:
            TypeError, ValueError: as the constructor.

        Example:
            >>> import minigrad
            >>> from minigrad import optim
            >>> w, b = minigrad.ones(2, requires_grad=True), minigrad.ones(1, requires_grad=True)
            >>> optimizer = optim.Adam([w])
            >>> optimizer.add_param_group({"params": b, "lr": 0.1})
            >>> len(optimizer.param_groups)
            2
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        names, params = _names_and_params(param_group["params"])
        param_group["params"] = params
        if names:
            param_group["param_names"] = names
        for param in params:
            self._check(param)
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(
                    "parameter group didn't specify a value of required optimization parameter " + name
                )
            param_group.setdefault(name, default)
        if len(params) != len(set(params)):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this "
                "will cause an error; see github.com/pytorch/pytorch/issues/40967 for more "
                "information",
                UserWarning,
                stacklevel=3,
            )
        self._check_against_groups(param_group)
        self.param_groups.append(param_group)

    def _check(self, param: Any) -> None:
        if not isinstance(param, Tensor):
            raise TypeError(
                "optimizer can only optimize Tensors, but one of the params is " + _typename(param)
            )
        if not (param.is_leaf or param.retains_grad):
            raise ValueError(
                "can't optimize a non-leaf Tensor\n"
                f"It is the result of {param.grad_fn}. Give the tensor it was computed from, or "
                "make a leaf of it: x.detach().clone().requires_grad_()."
            )

    def _check_against_groups(self, new: Group) -> None:
        named = "param_names" in new
        for group in self.param_groups:
            if named != ("param_names" in group):
                raise ValueError(
                    "all optimizer param groups should be with/without names. cannot add param "
                    f"group {'with' if named else 'without'} names to the optimizer"
                )
            if not set(group["params"]).isdisjoint(new["params"]):
                raise ValueError("some parameters appear in more than one parameter group")

    # -------------------------------------------------------------------------- saving and loading
    def state_dict(self) -> dict[str, Any]:
        """The state and the options, with numbers in place of the parameters.

        "state" maps a parameter's number to its state, "param_groups" lists the groups with the
        numbers of their parameters. The tensors in it are the optimiser's own: the next step
        changes them (`copy.deepcopy` keeps a snapshot).

        Example:
            >>> import minigrad
            >>> from minigrad import optim
            >>> w = minigrad.ones(2, requires_grad=True)
            >>> optimizer = optim.SGD([w], lr=0.1, momentum=0.9)
            >>> (w * 3).sum().backward()
            >>> optimizer.step()
            >>> optimizer.state_dict()["state"]
            {0: {'momentum_buffer': tensor([3., 3.])}}
        """
        numbers: dict[Any, int] = {}
        groups = []
        start = 0  # torch numbers by place: a parameter listed twice keeps its first number
        for group in self.param_groups:
            for place, param in enumerate(group["params"], start):
                numbers.setdefault(param, place)
            start += len(group["params"])
            packed = {key: value for key, value in group.items() if key != "params"}
            groups.append({**packed, "params": [numbers[param] for param in group["params"]]})
        state = {numbers.get(key, key): value for key, value in self.state.items()}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from what `state_dict()` gave; parameters are matched by their order.

        The state is copied, in the parameter's dtype, so that two optimisers never share it.

        Raises:
            ValueError: the numbers of groups, or of parameters in a group, differ.
        """
        saved = copy.deepcopy(state_dict["param_groups"])
        if len(saved) != len(self.param_groups):
            raise ValueError(
                "loaded state dict has a different number of parameter groups\n"
                f"It has {len(saved)}, the optimizer {len(self.param_groups)}."
            )
        pairs = list(zip(self.param_groups, saved, strict=True))
        for number, (group, loaded) in enumerate(pairs):
            if len(group["params"]) != len(loaded["params"]):
                raise ValueError(
                    "loaded state dict contains a parameter group that doesn't match the size of "
                    f"optimizer's group\nGroup {number} has {len(loaded['params'])} parameters in "
                    f"the state dict and {len(group['params'])} in the optimizer."
                )
        params = dict(
            itertools.chain.from_iterable(
                zip(loaded["params"], group["params"], strict=True) for group, loaded in pairs
            )
        )
        state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        for key, value in state_dict["state"].items():
            if key in params:
                state[params[key]] = _cast(params[key], value)
            else:
                state[key] = value
        for group, loaded in pairs:
            loaded["params"] = group["params"]
            if "param_names" in group:
                loaded.setdefault("param_names", group["param_names"])
        self.__setstate__({"state": state, "param_groups": saved})


def _names_and_params(params: Any) -> tuple[list[str], list[Any]]:
    if isinstance(params, Tensor):
        return [], [params]
    if isinstance(params, set):
        raise TypeError(
            "optimizer parameters need to be organized in ordered collections, but the ordering of "
            "tensors in sets will change between runs. Please use a list instead."
        )
    given = list(params)
    names = [entry[0] for entry in given if isinstance(entry, tuple)]
    if names and len(names) != len(given):
        raise ValueError("all optimizer params should be with/without names. Some param names are missing")
    return names, [entry[1] for entry in given] if names else given


def _cast(param: Tensor, value: Any, key: str | None = None) -> Any:
    """A copy of a parameter's state; tensors but the step count take the parameter's dtype."""
    if isinstance(value, Tensor):
        copied = value.detach().clone()
        return copied.to(param.dtype) if key != "step" and param.is_floating_point() else copied
    if isinstance(value, dict):
        return {name: _cast(param, entry, name) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_cast(param, entry) for entry in value)
    return value


def _typename(value: Any) -> str:
    if isinstance(value, Tensor):
        return value.type()
    kind = type(value)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return module + kind.__qualname__


def check_options(lr: Any, *, foreach: bool | None, differentiable: bool, fused: bool | None) -> None:
    """What the options that all methods have exclude.

    Raises:
        ValueError: `lr` is a tensor of several elements.
        RuntimeError: `fused` with `foreach` or `differentiable`.
        NotImplementedError: `differentiable`.
    """
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
    if differentiable:
        raise NotImplementedError(
            "differentiable=True, a step that is itself recorded, is not supported: write the "
            "update as an expression of the parameters and of grad(loss, params, create_graph=True)"
        )


def zeros_like(param: Tensor) -> Tensor:
    """A state tensor of the parameter's shape and dtype."""
    return Tensor._wrap(np.zeros(param._array.shape, param._array.dtype))
