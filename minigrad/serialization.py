"""save and load: tensors, and nested containers of tensors and plain values, in one file.

The file is NumPy's `.npz`: one `.npy` member per array, which `numpy.load` reads too, and beside
them `minigrad.json`, which says how the object is put together. Nothing is pickled, so loading a
file runs none of its content.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from minigrad import dtypes
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.tensor import Tensor

if TYPE_CHECKING:
    import zipfile

_INDEX = "minigrad.json"
_VERSION = 1
_DATE = (1980, 1, 1, 0, 0, 0)  # of all members, so that equal objects make equal files


# ------------------------------------------------------------------------------------------- saving
def save(obj: Any, f: Any) -> None:
    """Write tensors, arrays, numbers, strings, None, or dicts, lists and tuples of them to a file.

    Tensors keep their dtype and `requires_grad`; those that share an array do so again when loaded.
    A file is replaced as a whole or not at all.

    Args:
        obj: usually a `state_dict()`, or a dict with several of them.
        f: a path, or a file opened for writing bytes.

    Raises:
        TypeError: a part of `obj` cannot be saved; the message says which, and what to do.
        RuntimeError: the folder does not exist.

    Example:
        >>> import io, minigrad
        >>> from minigrad import serialization
        >>> file = io.BytesIO()
        >>> serialization.save({"epoch": 3, "weight": minigrad.ones(2)}, file)
        >>> _ = file.seek(0)
        >>> serialization.load(file)
        {'epoch': 3, 'weight': tensor([1., 1.])}
    """
    encoder = _Encoder()
    index = {"version": _VERSION, "object": encoder.encode(obj, ())}
    if hasattr(f, "write"):
        _write(f, index, encoder.arrays)
        return
    path = Path(os.path.realpath(os.fspath(f)))
    if not path.parent.is_dir():
        raise RuntimeError(f"Parent directory {path.parent} does not exist.\nMake it first.")
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "xb") as file:
            _write(file, index, encoder.arrays)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        raise


def _write(file: IO[bytes], index: dict[str, Any], arrays: dict[str, ndarray]) -> None:
    import zipfile  # it imports every compression module, so not before a file is written or read

    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy", _DATE)
            with archive.open(member, "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, array, allow_pickle=False)
        archive.writestr(zipfile.ZipInfo(_INDEX, _DATE), json.dumps(index))


class _Encoder:
    """Turns an object into what JSON can say, and names its arrays for the archive."""

    def __init__(self) -> None:
        self.arrays: dict[str, ndarray] = {}
        self._names: dict[int, str] = {}  # by the array's identity
        self._containers: set[int] = set()

    def encode(self, value: Any, path: tuple[Any, ...]) -> Any:
        if value is None or isinstance(value, (bool, str)):
            return value
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, (int, float)):
            return int(value) if isinstance(value, int) else float(value)
        if isinstance(value, Tensor):
            kind = "parameter" if isinstance(value, Parameter) else "tensor"
            return {kind: self._name(value._array, path), "requires_grad": value.requires_grad}
        if isinstance(value, ndarray):
            if value.dtype.kind not in "biufc":
                raise self._refused(f"an array of dtype {value.dtype}", path, "Save numbers only.")
            return {"array": self._name(value, path)}
        if isinstance(value, dtypes.dtype):
            return {"dtype": value.name}
        if isinstance(value, (list, tuple, Mapping)):
            return self._container(value, path)
        if isinstance(value, Module):
            raise self._refused(
                f"a module ({type(value).__name__})",
                path,
                "Save its state_dict(), and load that into a module made by the same code.",
            )
        raise self._refused(
            f"a {type(value).__name__}",
            path,
            "Convert it to tensors, arrays, numbers, strings, or dicts, lists and tuples of them.",
        )

    def _container(self, value: Any, path: tuple[Any, ...]) -> Any:
        if id(value) in self._containers:
            raise self._refused("a container that holds itself", path, "Take that reference out.")
        self._containers.add(id(value))
        encoded: Any
        if isinstance(value, Mapping):
            for key in value:
                if key is not None and not isinstance(key, (bool, int, float, str)):
                    raise self._refused(
                        f"a dict with a key of type {type(key).__name__}",
                        path,
                        "Keys must be strings or numbers.",
                    )
            kind = "ordered" if isinstance(value, OrderedDict) else "dict"
            pairs = [[self.encode(k, path), self.encode(v, (*path, k))] for k, v in value.items()]
            encoded = {kind: pairs}
        else:
            encoded = [self.encode(item, (*path, place)) for place, item in enumerate(value)]
            if isinstance(value, tuple):
                encoded = {"size" if isinstance(value, dtypes.Size) else "tuple": encoded}
        self._containers.discard(id(value))
        return encoded

    def _name(self, array: ndarray, path: tuple[Any, ...]) -> str:
        """A name for the array in the archive: its path in the object, as far as that is free."""
        found = self._names.get(id(array))
        if found is None:
            found = ".".join(map(str, path)) or "tensor"
            if found in self.arrays or not found.isprintable() or "/" in found or len(found) > 200:
                found = f"tensor#{len(self.arrays)}"
            self._names[id(array)] = found
            self.arrays[found] = np.asarray(array, order="C")
        return found

    @staticmethod
    def _refused(what: str, path: tuple[Any, ...], advice: str) -> TypeError:
        place = "the object" + "".join(f"[{key!r}]" for key in path)
        return TypeError(f"cannot save {what}: {place}\n{advice}")


# ------------------------------------------------------------------------------------------ loading
def load(f: Any, map_location: Any = None, *, weights_only: bool = True) -> Any:
    """Read what `save` wrote.

    Args:
        f: a path, or a file opened for reading bytes.
        map_location: None or "cpu"; minigrad computes on the CPU only.
        weights_only: accepted for torch's sake; a file holds nothing but data.

    Raises:
        FileNotFoundError: there is no such file.
        RuntimeError: it was not written by `minigrad.save`, or is damaged.
    """
    import zipfile

    if map_location is not None:
        try:
            dtypes.check_device(map_location)
        except AssertionError as error:
            raise RuntimeError(str(error).partition("\n")[2]) from None
    name = "the file" if hasattr(f, "read") else repr(os.fspath(f))
    try:
        with zipfile.ZipFile(f) as archive:
            if _INDEX not in archive.namelist():
                raise RuntimeError(
                    f"{name} was not written by minigrad.save: it has no {_INDEX}\n"
                    "It is a zip archive; if another program wrote arrays into it, use numpy.load."
                )
            index = json.loads(archive.read(_INDEX))
            if index["version"] > _VERSION:
                raise RuntimeError(
                    f"{name} is of version {index['version']}, but this minigrad reads version "
                    f"{_VERSION}\nInstall a newer minigrad."
                )
            return _Decoder(archive).decode(index["object"])
    except zipfile.BadZipFile as error:
        raise RuntimeError(
            f"{name} was not written by minigrad.save, or is damaged: {error}\n"
            "Files of torch.save must be converted in torch, e.g. to a dict of NumPy arrays."
        ) from None
    except (ValueError, LookupError, TypeError, AttributeError, EOFError, RecursionError) as error:
        raise RuntimeError(f"{name} is damaged: {type(error).__name__}: {error}") from error


class _Decoder:
    """Puts an object together from its index and the arrays in the archive."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._arrays: dict[str, ndarray] = {}

    def decode(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.decode(item) for item in value]
        if not isinstance(value, dict):
            return value
        kind = next(iter(value), None)
        content: Any = value.get(kind)
        if kind in ("tensor", "parameter"):
            return self._tensor(kind, content, value["requires_grad"])
        if kind == "array":
            return self._array(content)
        if kind == "dtype":
            return {d.name: d for d in dtypes.ALL}[content]
        if kind in ("tuple", "size"):
            return (tuple if kind == "tuple" else dtypes.Size)(map(self.decode, content))
        if kind in ("dict", "ordered"):
            pairs = ((key, self.decode(item)) for key, item in content)
            return dict(pairs) if kind == "dict" else OrderedDict(pairs)
        raise ValueError(f"unknown kind {kind!r}")

    def _tensor(self, kind: str, name: str, requires_grad: bool) -> Tensor:
        array = self._array(name)
        dtypes.of(array)
        made = (Parameter if kind == "parameter" else Tensor)._wrap(array)
        return made.requires_grad_() if requires_grad else made

    def _array(self, name: str) -> ndarray:
        if name not in self._arrays:
            with self._archive.open(f"{name}.npy") as stream:
                self._arrays[name] = np.lib.format.read_array(stream, allow_pickle=False)
        return self._arrays[name]
