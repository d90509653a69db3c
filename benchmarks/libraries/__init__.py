"""The libraries that are compared, and where each is told how many threads it may use."""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Protocol

from benchmarks.built import Built
from benchmarks.catalogue import Arrays, Loss
from benchmarks.network import Network, Trainer

OURS = "minigrad"


class Library(Protocol):
    """How workloads are written for a library; each method raises Missing for what the library lacks."""

    def set_threads(self, threads: int) -> None:
        """Use that many, beside what the environment says."""

    def loss(self, loss: Loss, arrays: Arrays) -> Built:
        """A loss and its gradients."""

    def primitive(self, name: str, x: Any, cotangent: Any) -> Built:
        """A function of a tensor, with the gradient for a cotangent unless that is None."""

    def layer(self, name: str, arrays: Arrays, cotangent: Any) -> Built:
        """A layer in training, and the gradients of its input and parameters."""

    def optimizer(self, name: str, parameters: list[Any], gradients: list[Any]) -> Built:
        """One step of an optimiser; the gradients stay the same."""

    def trainer(self, network: Network) -> Trainer:
        """A network with its loss and its optimiser."""


@dataclass(frozen=True)
class Peer:
    """A library as the tables call it, and where it stands."""

    title: str
    packages: tuple[str, ...]
    module: str
    arguments: tuple[Any, ...] = ()
    compiler: str = ""  # what it needs beside its packages


LLVM = "clang, or LLVM 17 or newer where the environment's LLVM_PATH says"
LIBRARIES = {
    "minigrad": Peer("minigrad", ("minigrad",), "with_torch", ("minigrad",)),
    "torch": Peer("torch eager", ("torch",), "with_torch", ("torch",)),
    "compile": Peer("torch.compile", ("torch",), "with_torch", ("torch", True), "a C++ compiler"),
    "jax": Peer("jax.jit", ("jax", "optax"), "with_jax"),
    "tinygrad": Peer("tinygrad", ("tinygrad",), "with_tinygrad", (), LLVM),
    "autograd": Peer("autograd", ("autograd",), "with_autograd"),
    "numpy": Peer("NumPy by hand", ("numpy",), "by_hand"),
}
PEERS = tuple(name for name in LIBRARIES if name != OURS)


def load(name: str) -> Library:
    """The library, imported."""
    peer = LIBRARIES[name]
    return importlib.import_module(f"benchmarks.libraries.{peer.module}").Library(*peer.arguments)


def installed(peers: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Those of the peers whose packages are here, and what to install for the others."""
    lacking = {peer: [p for p in LIBRARIES[peer].packages if not find_spec(p)] for peer in peers}
    here = [peer for peer in peers if not lacking[peer]]
    return here, {peer: f"pip install {' '.join(lacking[peer])}" for peer in peers if lacking[peer]}


def environment(threads: int) -> dict[str, str]:
    """In which every library uses that many threads, and the CPU."""
    count, eigen = str(threads), str(threads > 1).lower()
    return {
        "OPENBLAS_NUM_THREADS": count,
        "NPROC": count,
        "XLA_FLAGS": f"--xla_cpu_multi_thread_eigen={eigen} intra_op_parallelism_threads={count}",
        "JAX_PLATFORMS": "cpu",
        "TORCHINDUCTOR_COMPILE_THREADS": "1",  # no pool of processes that outlives the compiling
        "CPU_COUNT": count,  # tinygrad's threads, and its compiler
        "DEV": os.environ.get("DEV") or ("CPU" if shutil.which("clang") else "CPU:LLVM"),
    }
