"""Compiled kernels on disk, in the first folder of a list that can be written.

Numba's own cache looks at one source file and trusts an index that two processes may write at once.
This one keeps one file a signature, and knows the sources of all kernels.
"""

import functools
import hashlib
import importlib
import io
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any

SOURCES = Path(__file__).parent


def source_stamp(*paths: Path) -> bytes:
    """A digest of source files."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        content = path.read_bytes()
        digest.update(f"{path.name}:{len(content)}:".encode() + content)
    return digest.digest()


# All of them, so that an edit in any makes every kept kernel stale.  Taken when the kernels are
# imported, or code of before an edit could be kept as that of after it.
_STAMP = source_stamp(*SOURCES.glob("*.py"))


def cache_folders() -> list[Path]:
    """Where compiled kernels are looked for and kept: in the first folder that can be written.

    ``$MINIGRAD_CACHE_DIR`` if it is set, else the package's own ``__pycache__``; then the user's cache
    folder, and a folder of the user's own among the temporary files.
    """
    package = hashlib.sha256(str(SOURCES).encode()).hexdigest()[:12]
    chosen = os.environ.get("MINIGRAD_CACHE_DIR")
    folders = [Path(chosen, package) if chosen else SOURCES / "__pycache__"]
    user = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if os.path.isabs(user):
        folders.append(Path(user, "minigrad", package))
    if temporary := _temporary_folder():
        owner = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
        folders.append(Path(temporary, f"minigrad-{owner}", package))
    return folders


@functools.cache
def _temporary_folder() -> str | None:
    import tempfile  # it imports every compression module, an eighth of `import minigrad`

    try:
        return tempfile.gettempdir()
    except OSError:
        return None


class DiskCache:
    """Keeps the compiled code of one dispatcher on disk (the interface of Numba's own cache).

    One file a signature, named after all that the code depends on but the sources; its first 32
    bytes are a digest of the sources and the code, so a stale or damaged file is just not found.
    Files are replaced in one piece: processes that compile at the same time cannot harm each other.
    """

    cache_path: str | None = None

    def __init__(self, numba: Any, function: FunctionType, prepare: Callable[[], None]):
        self.numba = numba
        self.prepare = prepare
        self.name = f"{function.__module__.rpartition('.')[2]}.{function.__qualname__}"
        source = Path(function.__code__.co_filename)
        if source.parent == SOURCES:
            self.stamp: bytes | None = _STAMP
        elif source.exists():
            self.stamp = _STAMP + source_stamp(source)
        else:  # typed at a prompt
            self.stamp = None

    def load_overload(self, signature: Any, context: Any) -> Any:
        """The kept code; None if there is none, then with all that is needed to compile it."""
        found = self.load(signature, context)
        if found is None:
            self.prepare()
            context.refresh()
        return found

    def load(self, signature: Any, context: Any) -> Any:
        """The kept code, without what only compiling takes: 0.1 s of the time to a process's first kernel."""
        if self.stamp is None:
            return None
        self.numba.core.runtime.rtsys.initialize(context)
        name = self.file_name(signature, context.codegen())
        for folder in cache_folders():
            try:
                content = _read_own(folder / name)
            except OSError:
                continue
            digest, code = content[:32], content[32:]
            if digest == self.digest(code):
                self.cache_path = str(folder)
                result = self.numba.core.compiler.CompileResult
                return result._rebuild(context, *_Unpickler(io.BytesIO(code)).load())
        return None

    def save_overload(self, signature: Any, result: Any) -> None:
        if self.stamp is None or result.library.has_dynamic_globals:
            return
        name = self.file_name(signature, result.codegen)
        code = self.numba.core.serialize.dumps(result._reduce())
        content = self.digest(code) + code
        for folder in cache_folders():
            try:
                folder.mkdir(parents=True, exist_ok=True)
                _replace(folder / name, content)
            except OSError:
                continue
            self.cache_path = str(folder)
            return

    def digest(self, code: bytes) -> bytes:
        return hashlib.sha256((self.stamp or b"") + code).digest()

    def flush(self) -> None:
        """Files are replaced when they are stale; there is nothing to forget before."""

    def file_name(self, signature: Any, codegen: Any) -> str:
        key = (self.numba.__version__, sys.version, signature, codegen.magic_tuple())
        return f"{self.name}-{hashlib.sha256(repr(key).encode()).hexdigest()[:16]}.nbc"


class _Unpickler(pickle.Unpickler):
    """Does not import the modules of the functions that Numba inlined: nothing looks at their globals."""

    def find_class(self, module: str, name: str) -> Any:
        return _environment if name == "_rebuild_env" else super().find_class(module, name)


def _environment(module: str, constants: list[Any], name: str) -> Any:
    """What compiled code keeps of a function, as Numba makes it, but for an import that takes 30 ms."""
    numba: Any = importlib.import_module("numba.core.environment")
    found = numba.lookup_environment(name)
    if found is None:
        found = numba.Environment({"__name__": module})
        found.consts[:] = constants
        found.env_name = name
        numba.Environment._memo[name] = found
    return found


def _read_own(path: Path) -> bytes:
    """Read a file, but only from this user's folder if it lies among the temporary files."""
    temporary = _temporary_folder()
    if temporary and path.is_relative_to(temporary) and hasattr(os, "getuid"):
        for part in (path, path.parent, path.parent.parent):
            info = part.stat()
            if info.st_uid != os.getuid() or info.st_mode & 0o002:
                raise PermissionError(f"{part} may be written by another user")
    return path.read_bytes()


def _replace(path: Path, content: bytes) -> None:
    scratch = path.with_name(f"{path.name}.{os.urandom(16).hex()}")
    try:
        scratch.write_bytes(content)
        os.replace(scratch, path)
    except OSError:
        scratch.unlink(missing_ok=True)
        raise
