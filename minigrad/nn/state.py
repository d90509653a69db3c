"""Loading a state dict into a module, and saying what does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from minigrad.autograd.tape import no_grad
from minigrad.nn.parameter import Parameter
from minigrad.ops.inplace import assign as copy_into
from minigrad.tensor import Tensor


class _Keys(NamedTuple):
    missing_keys: list[str]
    unexpected_keys: list[str]


class _IncompatibleKeys(_Keys):
    """What `load_state_dict` returns: the keys that did not match."""

    __slots__ = ()

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"

    __str__ = __repr__


class Loading:
    """One run of `load_state_dict`: loads what fits and collects what does not."""

    def __init__(self, assign: bool) -> None:
        self.assign = assign
        self.missing: list[str] = []
        self.unexpected: list[str] = []
        self.errors: list[str] = []

    def load(self, module: Any, given: Mapping[str, Any], prefix: str = "") -> None:
        """Load the values of `given`, whose keys all start with `prefix`, into `module`."""
        state = dict(module._state())
        for name, tensor in state.items():
            key = prefix + name
            if key in given:
                self._load_tensor(module, name, key, tensor, given[key])
            else:
                self.missing.append(key)
        for key in given:
            name, dot, _ = key[len(prefix) :].partition(".")
            if name not in (module._modules if dot else state):
                self.unexpected.append(key)
        for name, child in module._modules.items():
            if child is not None:
                path = f"{prefix}{name}."
                below = {key: value for key, value in given.items() if key.startswith(path)}
                self.load(child, below, path)

    def _load_tensor(self, module: Any, name: str, key: str, tensor: Tensor, given: Any) -> None:
        if not isinstance(given, Tensor):
            self.errors.append(
                f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like '
                f"object from checkpoint but received {type(given)}"
            )
            return
        if tensor.shape == () and given.shape == (1,):
            given = given.detach().reshape(())
        if tensor.shape != given.shape:
            self.errors.append(
                f"size mismatch for {key}: copying a param with shape {given.shape} from "
                f"checkpoint, the shape in current model is {tensor.shape}."
            )
        elif not self.assign:
            with no_grad():
                copy_into(tensor, given)
        elif isinstance(tensor, Parameter):
            if not isinstance(given, Parameter):
                given = Parameter(given, requires_grad=False)
            setattr(module, name, given.requires_grad_(tensor.requires_grad))
        else:
            setattr(module, name, given)

    def finish(self, module_name: str, strict: bool) -> _IncompatibleKeys:
        """The keys that did not match; RuntimeError where they, or the values, do not fit."""
        errors = list(self.errors)
        if strict:
            for kind, keys in (("Unexpected", self.unexpected), ("Missing", self.missing)):
                if keys:
                    names = ", ".join(f'"{key}"' for key in keys)
                    errors.insert(0, f"{kind} key(s) in state_dict: {names}. ")
        if errors:
            raise RuntimeError(f"Error(s) in loading state_dict for {module_name}:\n\t" + "\n\t".join(errors))
        return _IncompatibleKeys(self.missing, self.unexpected)
