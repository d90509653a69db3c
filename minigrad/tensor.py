"""class Tensor: an array that remembers how it was made; what can be computed with it is in `methods`."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import dtypes, formatting
from minigrad.autograd import engine
from minigrad.autograd.hooks import RemovableHandle
from minigrad.autograd.op import UFUNCS, cast
from minigrad.autograd.tape import Leaf, Node, current_node
from minigrad.dtypes import Size
from minigrad.methods import Methods
from minigrad.missing import nearest
from minigrad.ops import joining
from minigrad.ops import shape as shapes
from minigrad.ops.making import legacy_array

_DATA_ONLY = (
    "only Tensors of floating point dtype can require gradients\n"
    "This one is {}. Convert it first, e.g. x.float().requires_grad_()."
)


class Tensor(Methods):
    """A multi-dimensional array with a gradient.

    Made by `minigrad.tensor(data)`, by the creation functions, or by operations. `Tensor(data)` is torch's
    legacy constructor: float32 values from a sequence, or an uninitialised tensor of the given sizes.

    Example:
        >>> import minigrad
        >>> x = minigrad.tensor([1.0, 2.0, 3.0], requires_grad=True)
        >>> y = (x ** 2).sum()
        >>> y
        tensor(14., grad_fn=<SumBackward0>)
        >>> y.backward()
        >>> x.grad
        tensor([2., 4., 6.])
    """

    __slots__ = ()
    __array_priority__ = 1000

    def __new__(cls, *data: Any) -> Any:
        return cls._wrap(legacy_array(data, np.dtype(np.float32)))

    # ------------------------------------------------------------------------------- what it is
    @property
    def data(self) -> Tensor:
        """The same memory without a graph, and without version counting."""
        return self._result._wrap(self._array)

    @data.setter
    def data(self, value: Tensor) -> None:
        self._array = value._array

    @property
    def grad(self) -> Any:
        """What `backward()` accumulated for this leaf, None before."""
        node = self._node
        if self._grad is None and node is not None and not self.is_leaf and node.retained is None:
            warnings.warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad "
                "attribute won't be populated during autograd.backward(). If you indeed want the .grad "
                "field to be populated for a non-leaf Tensor, use .retain_grad() on the non-leaf "
                "Tensor. If you access the non-leaf Tensor by mistake, make sure you access the leaf "
                "Tensor instead. See github.com/pytorch/pytorch/pull/30531 for more informations.",
                UserWarning,
                stacklevel=2,
            )
        return self._grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None and not isinstance(value, Tensor):
            raise TypeError(
                f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}"
            )
        if value is not None and value._array.shape != self._array.shape:
            raise RuntimeError(
                f"assigned grad has data of a different size: got {list(value._array.shape)}, expected "
                f"{list(self._array.shape)}"
            )
        self._grad = value

    @property
    def grad_fn(self) -> Node | None:
        """The recorded operation that made this tensor, None for a leaf."""
        node = current_node(self)
        return None if isinstance(node, Leaf) else node

    @property
    def requires_grad(self) -> bool:
        """Whether gradients are recorded for this tensor."""
        return current_node(self) is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Start (or stop) recording gradients for this leaf."""
        if not requires_grad:
            if not self.is_leaf:
                raise RuntimeError(
                    "you can only change requires_grad flags of leaf variables. If you want to use a "
                    "computed variable in a subgraph that doesn't require differentiation use "
                    "var_no_grad = var.detach()."
                )
            self._node = None
        elif self._node is None:
            if self._array.dtype.kind != "f":
                raise RuntimeError(_DATA_ONLY.format(self.dtype))
            self._node = Leaf(self)
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether the user made this tensor (or it has no gradient to record)."""
        node = current_node(self)
        return node is None or isinstance(node, Leaf)

    @property
    def _version(self) -> int:
        return self._counter[0]

    @property
    def _base(self) -> Any:
        return None if self._view is None else self._view.base

    @property
    def shape(self) -> Size:
        """The sizes of the dimensions."""
        return Size(self._array.shape)

    @property
    def dtype(self) -> dtypes.dtype:
        """The data type of the elements."""
        return dtypes.from_numpy(self._array.dtype)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self._array.ndim

    @property
    def device(self) -> dtypes.device:
        """Always the CPU."""
        return dtypes.CPU

    @property
    def T(self) -> Tensor:
        """The tensor with its dimensions reversed."""
        return shapes.permute_to(self, axes=tuple(reversed(range(self.ndim))))

    @property
    def mT(self) -> Tensor:
        """The tensor with its last two dimensions swapped."""
        return shapes.swap_last(self)

    @property
    def H(self) -> Tensor:
        """The transpose of a matrix, as of real numbers."""
        if self.ndim not in (0, 2):
            raise RuntimeError(
                f"tensor.H is only supported on matrices (2-D tensors). Got {self.ndim}-D tensor."
            )
        return self if self.ndim == 0 else shapes.swap_last(self)

    @property
    def is_cuda(self) -> bool:
        """False: minigrad computes on the CPU."""
        return False

    def size(self, dim: int | None = None) -> Any:
        """All sizes, or that of one dimension."""
        return self.shape if dim is None else self.shape[shapes.normalize_dim(dim, self.ndim)]

    def dim(self) -> int:
        """The number of dimensions."""
        return self._array.ndim

    def numel(self) -> int:
        """The number of elements."""
        return self._array.size

    nelement, ndimension = numel, dim

    @property
    def itemsize(self) -> int:
        """The number of bytes of an element."""
        return self._array.itemsize

    @property
    def nbytes(self) -> int:
        """The number of bytes of all elements."""
        return self._array.nbytes

    def is_same_size(self, other: Tensor) -> bool:
        """Whether the sizes are those of `other`."""
        return self._array.shape == other._array.shape

    def get_device(self) -> int:
        """The number of the device, -1 for the CPU."""
        return -1

    def is_complex(self) -> bool:
        """False: minigrad has no complex numbers."""
        return False

    def element_size(self) -> int:
        """The number of bytes of an element."""
        return self._array.itemsize

    def stride(self) -> tuple[int, ...]:
        """The steps in memory along each dimension, in elements."""
        return tuple(s // self._array.itemsize for s in self._array.strides)

    def is_contiguous(self) -> bool:
        """Whether the elements lie in memory in row-major order."""
        return self._array.flags.c_contiguous

    def data_ptr(self) -> int:
        """The address of the first element."""
        return self._array.ctypes.data

    def is_floating_point(self) -> bool:
        """Whether the dtype is float32 or float64."""
        return self._array.dtype.kind == "f"

    # -------------------------------------------------------------------------------- getting it out
    def item(self) -> Any:
        """The only element as a Python number."""
        if self._array.size != 1:
            raise RuntimeError(
                f"a Tensor with {self._array.size} elements cannot be converted to Scalar\n"
                "Reduce it first (.sum(), .mean()), index one element, or use .tolist()."
            )
        return self._array.item()

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers; a number for a 0-d tensor."""
        return self._array.tolist()

    def numpy(self, *, force: bool = False) -> ndarray:
        """The elements as an ndarray that shares this tensor's memory."""
        if self.requires_grad and not force:
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
            )
        return self._array

    def detach(self) -> Tensor:
        """The same memory, cut off from the graph."""
        result = self._result._wrap(self._array)
        result._counter = self._counter
        return result

    def detach_(self) -> Tensor:
        """Cut this tensor off from the graph."""
        self._node = None
        return self

    def cuda(self, device: Any = None) -> Tensor:
        """AssertionError: minigrad computes on the CPU, as a torch without CUDA does."""
        raise AssertionError("Torch not compiled with CUDA enabled\nminigrad computes on the CPU alone.")

    def cpu(self) -> Tensor:
        """The tensor itself."""
        return self

    def contiguous(self) -> Tensor:
        """The tensor itself if it is contiguous, else a copy that is."""
        return self if self.is_contiguous() else shapes.clone(self)

    def type_as(self, other: Tensor) -> Tensor:
        """In the dtype of `other`."""
        return self.to(other.dtype)

    def to(self, *args: Any, **kwargs: Any) -> Tensor:
        """In another dtype: `to(dtype)`, `to("cpu")`, `to(device, dtype)`, `to(other)`."""
        kwargs.pop("non_blocking", None)
        if kwargs.pop("copy", False):
            found = self.to(*args, **kwargs)
            return cast(self, dtype=self._array.dtype, source=self._array.dtype) if found is self else found
        for given in (*args, *kwargs.values()):
            if isinstance(given, Tensor):
                given = given.dtype
            if isinstance(given, (str, dtypes.device)):
                dtypes.check_device(given)
            elif given is not None and not isinstance(given, bool):
                return _to_dtype(self, dtypes.to_numpy(given))
        return self

    def type(self, dtype: Any = None) -> Any:
        """The type's name, 'torch.FloatTensor'; or, given a dtype, the tensor in it."""
        if dtype is None:
            return f"torch.{self.dtype.tensor_type}"
        if isinstance(dtype, str):
            names = {d.tensor_type: d for d in dtypes.ALL}
            found = names.get(dtype.removeprefix("torch."))
            if found is None:
                raise ValueError(f"invalid type: {dtype!r}; expected one of {sorted(names)}")
            dtype = found
        return self.to(dtype)

    def float(self) -> Tensor:
        """As float32."""
        return _to_dtype(self, dtypes.float32.numpy)

    def double(self) -> Tensor:
        """As float64."""
        return _to_dtype(self, dtypes.float64.numpy)

    def long(self) -> Tensor:
        """As int64."""
        return _to_dtype(self, dtypes.int64.numpy)

    def int(self) -> Tensor:
        """As int32."""
        return _to_dtype(self, dtypes.int32.numpy)

    def short(self) -> Tensor:
        """As int16."""
        return _to_dtype(self, dtypes.int16.numpy)

    def char(self) -> Tensor:
        """As int8."""
        return _to_dtype(self, dtypes.int8.numpy)

    def byte(self) -> Tensor:
        """As uint8."""
        return _to_dtype(self, dtypes.uint8.numpy)

    def bool(self) -> Tensor:
        """As bool."""
        return _to_dtype(self, dtypes.bool.numpy)

    # --------------------------------------------------------------------------------- the gradient
    def backward(
        self,
        gradient: Any = None,
        retain_graph: Any = None,
        create_graph: Any = False,
        inputs: Any = None,
    ) -> None:
        """Add the gradients of this tensor to the `.grad` of the leaves it was made from.

        `gradient` is the cotangent, of this tensor's shape; a one-element tensor needs none. See
        `minigrad.autograd.backward`.
        """
        engine.backward(self, gradient, retain_graph, create_graph, inputs)

    def retain_grad(self) -> None:
        """Let `backward()` set `.grad` of this non-leaf too."""
        node = current_node(self)
        if node is None:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if not isinstance(node, Leaf):
            node.retained = weakref.ref(self)

    @property
    def retains_grad(self) -> Any:
        """Whether `retain_grad()` was called on this non-leaf."""
        node = current_node(self)
        return node is not None and node.retained is not None

    def register_hook(self, hook: Callable[[Tensor], Any]) -> RemovableHandle:
        """Call `hook` with this tensor's gradient in every backward; what it returns replaces it."""
        node = current_node(self)
        if node is None:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if node.hooks is None:
            node.hooks = {}
        return RemovableHandle(node.hooks, hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> RemovableHandle:
        """Call `hook` with this leaf each time its `.grad` has been added to."""
        node = self._node
        if not isinstance(node, Leaf):
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        if node.post_hooks is None:
            node.post_hooks = {}
        return RemovableHandle(node.post_hooks, hook)

    # -------------------------------------------------------------------------------- Python protocol
    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r}{nearest(name, dir(type(self)))}",
            name=name,
            obj=self,
        )

    def __repr__(self) -> str:
        name = None if self.grad_fn is None else self.grad_fn.name().rpartition("::")[2]
        return formatting.format_tensor(
            self._array, grad_fn=name, requires_grad=self.requires_grad and name is None
        )

    def __format__(self, spec: str) -> str:
        return format(self.item() if self.ndim == 0 and type(self) is Tensor else repr(self), spec)

    def __len__(self) -> Any:
        if self.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return len(self._array)

    def __iter__(self) -> Iterator[Tensor]:
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d tensor")
        return iter(joining.unbind(self))

    def __contains__(self, element: Any) -> Any:
        return bool((self == element)._array.any())

    def __bool__(self) -> Any:
        if self._array.size != 1:
            kind = "no values" if self._array.size == 0 else "more than one value"
            raise RuntimeError(
                f"Boolean value of Tensor with {kind} is ambiguous\nUse .any() or .all(), or compare .item()."
            )
        return bool(self._array.item())

    def _only(self) -> Any:
        if self._array.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        return self._array.item()

    def __float__(self) -> Any:
        return float(self._only())

    def __int__(self) -> Any:
        return int(self._only())

    def __index__(self) -> Any:
        if self._array.size != 1 or self._array.dtype.kind not in "iub":
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self._array.item())

    __hash__ = object.__hash__

    def __array__(self, dtype: Any = None, copy: Any = None) -> ndarray:
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            if copy is False:
                raise ValueError(f"{self.dtype} as {np.dtype(dtype)} needs a copy, and copy=False was given.")
            return array.astype(dtype)
        return array.copy() if copy else array

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        op = UFUNCS.get(ufunc)
        if method == "__call__" and op is not None and not kwargs:
            return op(*inputs)
        arrays = [x.numpy() if isinstance(x, Tensor) else x for x in inputs]
        result = getattr(ufunc, method)(*arrays, **kwargs)
        if method != "__call__" or "out" in kwargs or not isinstance(result, (ndarray, np.generic)):
            return result
        return self._result._wrap(np.asarray(result))

    def __deepcopy__(self, memo: dict) -> Tensor:
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol "
                "at the moment. Use .detach().clone() for a copy of the values."
            )
        if id(self) in memo:
            return memo[id(self)]
        copy = type(self)._wrap(self._array.copy())
        memo[id(self)] = copy
        if self._grad is not None:
            copy._grad = self._grad.detach().clone()
        return copy.requires_grad_(self.requires_grad) if self.requires_grad else copy

    def __reduce_ex__(self, protocol: Any) -> Any:
        if not self.is_leaf:
            raise RuntimeError("only leaf tensors can be pickled. Use .detach() first.")
        return (_rebuild, (type(self), self._array, self.requires_grad))


Tensor._result = Tensor


def _to_dtype(tensor: Tensor, kind: np.dtype) -> Tensor:
    if tensor._array.dtype == kind:
        return tensor
    return cast(tensor, dtype=kind, source=tensor._array.dtype)


def _rebuild(kind: type[Tensor], array: ndarray, requires_grad: bool) -> Tensor:
    tensor = kind._wrap(array)
    return tensor.requires_grad_() if requires_grad else tensor
