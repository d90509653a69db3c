"""class Module: what all layers, models and losses are."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

from minigrad import dtypes
from minigrad.autograd.hooks import RemovableHandle
from minigrad.autograd.tape import no_grad
from minigrad.nn.hooks import call_with_hooks
from minigrad.nn.parameter import Parameter
from minigrad.nn.state import Loading, _IncompatibleKeys
from minigrad.tensor import Tensor


class Module:
    """Base of all layers and models.

    A subclass makes its parts in `__init__`, after `super().__init__()`, and computes in `forward`.
    Parameters and modules assigned to attributes are found by `parameters()`, `modules()`,
    `state_dict()` and so on.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> class Scale(nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.factor = nn.Parameter(minigrad.tensor(2.0))
        ...     def forward(self, x):
        ...         return self.factor * x
        >>> scale = Scale()
        >>> scale(minigrad.tensor([1.0, 2.0]))
        tensor([2., 4.], grad_fn=<MulBackward0>)
        >>> list(scale.parameters())
        [Parameter containing:
        tensor(2., requires_grad=True)]
    """

    # Parameters, buffers and submodules are kept twice: in the tables below, and in the instance's
    # `__dict__`, so that reading one is a plain lookup. `_put` and `_drop` keep them in step.
    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _non_persistent_buffers_set: set[str]
    _forward_pre_hooks: dict[int, Callable[..., Any]]
    _forward_hooks: dict[int, Callable[..., Any]]
    _backward_hooks: dict[int, Callable[..., Any]]
    _has_hooks = False

    def __init__(self) -> None:
        set_plain = super().__setattr__
        set_plain("training", True)
        set_plain("_parameters", {})
        set_plain("_buffers", {})
        set_plain("_non_persistent_buffers_set", set())
        set_plain("_modules", {})
        set_plain("_forward_pre_hooks", {})
        set_plain("_forward_hooks", {})
        set_plain("_backward_hooks", {})

    def forward(self, *input: Any) -> Any:
        """Compute the result; every subclass defines it."""
        raise NotImplementedError(
            f'Module [{type(self).__name__}] is missing the required "forward" function'
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._has_hooks:
            return call_with_hooks(self, args, kwargs)
        return self.forward(*args, **kwargs)

    # ------------------------------------------------------------------------ registering the parts
    def _put(self, table: dict[str, Any], name: str, value: Any) -> None:
        table[name] = value
        self.__dict__[name] = value

    def _drop(self, name: str, *tables: dict[str, Any]) -> None:
        self.__dict__.pop(name, None)
        self._non_persistent_buffers_set.discard(name)
        for table in tables:
            table.pop(name, None)

    def _check_name(self, kind: str, name: Any, table: Mapping[str, Any]) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {typename(name)}")
        if "." in name:
            got = f", got: {name}" if kind == "module" else ""
            raise KeyError(f'{kind} name can\'t contain "."{got}')
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if name not in table and hasattr(self, name):
            raise KeyError(f"attribute '{name}' already exists")

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under a name; None holds the place of one the module goes without.

        Raises:
            KeyError: the name is empty, has a dot, or is taken.
            TypeError: `param` is not a Parameter.
        """
        if "_parameters" not in self.__dict__:
            raise AttributeError("cannot assign parameter before Module.__init__() call")
        self._check_name("parameter", name, self._parameters)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{typename(param)}' object to parameter '{name}' "
                "(torch.nn.Parameter or None required)"
            )
        self._put(self._parameters, name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is part of the module's state but not trained, under a name.

        It is converted and saved with the module, but left out of `state_dict` if not `persistent`.

        Raises:
            KeyError: the name is empty, has a dot, or is taken.
            TypeError: `tensor` is not a tensor.

        Example:
            >>> import minigrad
            >>> from minigrad import nn
            >>> module = nn.Module()
            >>> module.register_buffer("mean", minigrad.zeros(2))
            >>> module.state_dict()
            OrderedDict([('mean', tensor([0., 0.]))])
        """
        if "_buffers" not in self.__dict__:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        self._check_name("buffer", name, self._buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{typename(tensor)}' object to buffer '{name}' "
                "(torch Tensor or None required)\nUse minigrad.tensor(...)."
            )
        self._put(self._buffers, name, tensor)
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a submodule under a name.

        Raises:
            KeyError: the name is empty, has a dot, or is taken.
            TypeError: `module` is not a Module.
        """
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{typename(module)} is not a Module subclass")
        if "_modules" not in self.__dict__:
            raise AttributeError("cannot assign module before Module.__init__() call")
        self._check_name("module", name, self._modules)
        self._put(self._modules, name, module)

    register_module = add_module

    def __setattr__(self, name: str, value: Any) -> None:
        parameters = self.__dict__.get("_parameters")
        if parameters is None:
            for part, kind in ((Parameter, "parameters"), (Module, "module")):
                if isinstance(value, part):
                    raise AttributeError(
                        f"cannot assign {kind} before Module.__init__() call\n"
                        f"Call super().__init__() first in {type(self).__name__}.__init__()."
                    )
            super().__setattr__(name, value)
        elif isinstance(value, Parameter):
            self._drop(name, self._buffers, self._modules)
            self.register_parameter(name, value)
        elif isinstance(value, Module) and name not in parameters:
            self._drop(name, self._buffers)
            self._put(self._modules, name, value)
        else:
            for table, kind, expected in (
                (parameters, "parameter", "torch.nn.Parameter"),
                (self._modules, "child module", "torch.nn.Module"),
                (self._buffers, "buffer", "torch.nn.Buffer, torch.Tensor"),
            ):
                if name in table:
                    if value is not None and not (kind == "buffer" and isinstance(value, Tensor)):
                        raise _misfit(kind, name, expected, value)
                    self._put(table, name, value)
                    return
            super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        for table in (self._parameters, self._buffers, self._modules):
            if name in table:
                self._drop(name, table)
                return
        super().__delattr__(name)

    def __dir__(self) -> list[str]:
        return sorted(name for name in super().__dir__() if not name[:1].isdigit())

    # ---------------------------------------------------------------------------- finding the parts
    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all below it, each with its dotted name; a shared one once."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, _join(prefix, name), remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """This module and all below it."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly below this one, with their names."""
        seen: set[Module] = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The modules directly below this one."""
        for _, module in self.named_children():
            yield module

    def _named_tensors(
        self, table: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        for path, module in modules if recurse else ((prefix, self),):
            for name, tensor in getattr(module, table).items():
                if tensor is None or id(tensor) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(tensor))
                yield _join(path, name), tensor

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """The parameters with their dotted names; a shared one once, under its first name.

        Example:
            >>> from minigrad import nn
            >>> model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
            >>> [name for name, _ in model.named_parameters()]
            ['0.weight', '0.bias', '2.weight', '2.bias']
        """
        yield from self._named_tensors("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, for an optimiser; a shared one once."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers with their dotted names."""
        yield from self._named_tensors("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def get_submodule(self, target: str) -> Module:
        """The module with a dotted name; AttributeError if there is none."""
        module = self
        for name in target.split(".") if target else ():
            found = _attribute(module, name)
            if not isinstance(found, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
            module = found
        return module

    def get_parameter(self, target: str) -> Parameter:
        """The parameter with a dotted name; AttributeError if there is none."""
        path, _, name = target.rpartition(".")
        found = _attribute(self.get_submodule(path), name)
        if not isinstance(found, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return found

    def get_buffer(self, target: str) -> Tensor:
        """The buffer with a dotted name; AttributeError if there is none."""
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        found = _attribute(module, name)
        if name not in module._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return found

    # --------------------------------------------------------------------------- changing the state
    def train(self, mode: bool = True) -> Self:
        """Set this module and all below it to training (or, with False, to evaluation)."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """Set this module and all below it to evaluation: dropout passes everything on."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Start (or stop) recording gradients for all parameters."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or fill them with zeros."""
        for parameter in self.parameters():
            if set_to_none:
                parameter._grad = None
            elif parameter._grad is not None:
                parameter._grad = parameter._grad.detach()
                parameter._grad.zero_()

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` with every module below this one and then with this one, e.g. to initialise."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def _apply(self, fn: Callable[[Tensor], Tensor]) -> Self:
        """Replace the memory of all parameters, their gradients and all buffers by `fn` of it."""
        for module in self.children():
            module._apply(fn)
        with no_grad():
            for parameter in self._parameters.values():
                if parameter is not None:
                    parameter.data = fn(parameter.data)
                    if parameter._grad is not None:
                        parameter._grad = fn(parameter._grad)
            for name, buffer in self._buffers.items():
                if buffer is not None:
                    self._put(self._buffers, name, fn(buffer))
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Convert the floating-point parameters and buffers in place: `to(dtype)`, `to("cpu")`.

        Raises:
            TypeError: the dtype is not floating point.
            RuntimeError: the device is not the CPU.

        Example:
            >>> import minigrad
            >>> from minigrad import nn
            >>> nn.Linear(2, 1).to("cpu", minigrad.float64).weight.dtype
            torch.float64
        """
        kwargs.pop("non_blocking", None)
        wanted: dtypes.dtype | None = None
        for given in (*args, *kwargs.values()):
            if isinstance(given, (str, dtypes.device)):
                dtypes.check_device(given)
            elif isinstance(given, Tensor):
                wanted = given.dtype
            elif given is not None and not isinstance(given, bool):
                wanted = dtypes.from_numpy(dtypes.to_numpy(given))
        if wanted is None:
            return self
        if not wanted.is_floating_point:
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={wanted}"
            )
        return self._apply(lambda t: t.to(wanted) if t.is_floating_point() else t)

    def float(self) -> Self:
        """Convert the floating-point parameters and buffers to float32, in place."""
        return self.to(dtypes.float32)

    def double(self) -> Self:
        """Convert the floating-point parameters and buffers to float64, in place."""
        return self.to(dtypes.float64)

    def cuda(self, device: Any = None) -> Self:
        """AssertionError: minigrad computes on the CPU, as a torch without CUDA does."""
        dtypes.check_device("cuda")
        return self

    def cpu(self) -> Self:
        """The module itself."""
        return self

    # --------------------------------------------------------------------------- saving and loading
    def _state(self) -> Iterator[tuple[str, Tensor]]:
        """What of this module alone belongs into a state dict."""
        for name, parameter in self._parameters.items():
            if parameter is not None:
                yield name, parameter
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._non_persistent_buffers_set:
                yield name, buffer

    def state_dict(
        self, *, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> OrderedDict[str, Tensor]:
        """All parameters and persistent buffers by dotted name, as tensors that share their memory.

        Args:
            destination: a dict to add to.
            prefix: put before every name.
            keep_vars: give the parameters themselves, not detached tensors.

        Example:
            >>> from minigrad import nn
            >>> list(nn.Sequential(nn.Linear(1, 2)).state_dict())
            ['0.weight', '0.bias']
        """
        found = OrderedDict() if destination is None else destination
        for name, tensor in self._state():
            found[prefix + name] = tensor if keep_vars else tensor.detach()
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=found, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        return found

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> _IncompatibleKeys:
        """Copy the values of `state_dict` into the parameters and buffers of the same names.

        What fits is loaded even if an error is raised for the rest.

        Args:
            state_dict: what `state_dict()` of a module of this structure gave.
            strict: missing and unexpected names are an error; else they are only returned.
            assign: take the given tensors themselves, not their values.

        Raises:
            TypeError: `state_dict` is not a mapping.
            RuntimeError: names are missing or unexpected, or shapes differ.

        Example:
            >>> from minigrad import nn
            >>> nn.Linear(2, 1).load_state_dict(nn.Linear(2, 1).state_dict())
            <All keys matched successfully>
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        loading = Loading(assign)
        loading.load(self, state_dict)
        return loading.finish(self._get_name(), strict)

    # ---------------------------------------------------------------------------------------- hooks
    def _register_hook(
        self, hooks: dict[int, Callable[..., Any]], hook: Callable[..., Any]
    ) -> RemovableHandle:
        self._has_hooks = True
        return RemovableHandle(hooks, hook)

    def register_forward_pre_hook(self, hook: Callable[[Module, tuple], Any]) -> RemovableHandle:
        """Call `hook(module, args)` before every forward; what it returns replaces `args`."""
        return self._register_hook(self._forward_pre_hooks, hook)

    def register_forward_hook(self, hook: Callable[[Module, tuple, Any], Any]) -> RemovableHandle:
        """Call `hook(module, args, result)` after every forward; it may return another result.

        Example:
            >>> import minigrad
            >>> from minigrad import nn
            >>> layer = nn.ReLU()
            >>> with layer.register_forward_hook(lambda module, args, y: print(y.shape)):
            ...     _ = layer(minigrad.ones(2, 3))
            torch.Size([2, 3])
        """
        return self._register_hook(self._forward_hooks, hook)

    def register_full_backward_hook(self, hook: Callable[[Module, tuple, tuple], Any]) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` in every backward through this module.

        Both are tuples, with None for what has no gradient. What it returns replaces grad_input.
        """
        return self._register_hook(self._backward_hooks, hook)

    # ----------------------------------------------------------------------------------------- text
    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What stands between the brackets of the module's text, besides its submodules."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        if len(lines) == 1 and not self._modules:
            return f"{self._get_name()}({extra})"
        lines += [f"({name}): {indented(repr(module))}" for name, module in self._modules.items()]
        return f"{self._get_name()}({block(lines)})"


def _misfit(kind: str, name: str, expected: str, value: Any) -> TypeError:
    hint = ""
    if kind == "parameter" and isinstance(value, Tensor):
        hint = "\nWrap it in nn.Parameter, or `del` the attribute first."
    return TypeError(
        f"cannot assign '{typename(value)}' as {kind} '{name}' ({expected} or None expected){hint}"
    )


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def _attribute(module: Module, name: str) -> Any:
    if not hasattr(module, name):
        raise AttributeError(f"{type(module).__name__} has no attribute `{name}`")
    return getattr(module, name)


def indented(text: str) -> str:
    """The text with all lines but the first moved two columns to the right."""
    return text.replace("\n", "\n  ")


def block(lines: list[str]) -> str:
    """Lines of a module's text, each on a line of its own between its brackets."""
    return "\n  " + "\n  ".join(lines) + "\n" if lines else ""


def typename(value: Any) -> str:
    """How torch's messages call the type of a value."""
    if isinstance(value, Parameter):
        return "torch.nn.parameter.Parameter"
    if isinstance(value, Tensor):
        return value.type()
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
