"""How an operation is stated: its implementation and its derivative, once, in one place.

    exp = primitive(np.exp).vjp(lambda g, y: g * y)
    mul = primitive(np.multiply).vjp(lambda g, b: g * b, lambda g, a: g * a)

A primitive has one cotangent rule per operand. The *names* of a rule's parameters say what it wants:

    g            the cotangent of the result
    y            the result
    x / a, b     an operand, by its name in the implementation (ufuncs: x, or a and b, or a, b and c)
    x_shape      the shape of an operand
    dim, ...     an option, by its name

and only what some rule names is kept alive until backward. Rules are written over arrays or variables
alike: a plain backward hands them ndarrays, `create_graph=True` hands them variables. They may not
change their arguments in place. Undoing a broadcast is not their business: `PrimitiveNode.vjp` does it.

Operands are variables, ndarrays or Python scalars; options are keyword-only and never variables.
Called without a variable a primitive works on plain arrays and returns one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from operator import itemgetter
from types import MethodType
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy import ndarray

from minigrad import dtypes
from minigrad.autograd.tape import FREED, Node, Variable, View, current_node, mode, next_sequence
from minigrad.kernels import reduction
from minigrad.kernels.linear import column_sums

Rule = Callable[..., Any]
Promote = Literal["common", "float"] | None

UFUNCS: dict[np.ufunc, Primitive] = {}  # what `np.exp(tensor)` means: filled by `primitive`
_UFUNC_OPERANDS = {1: ("x",), 2: ("a", "b"), 3: ("a", "b", "c")}
# What callers name the operands that rules name shortly.
_PUBLIC_NAMES = {"x": "input", "a": "input", "b": "other"}
_FLOATS = frozenset((np.dtype(np.float32), np.dtype(np.float64)))
_BOOL = np.dtype(bool)
_CONSTANT = [0]  # the version of an operand that is no variable: never counted up


class NotAnOperand(TypeError):
    """An operand is neither tensor, array nor number; operators answer `NotImplemented` to it."""


class Saves(NamedTuple):
    """What a recorded call keeps, and its way back; the same for all calls that track the same operands."""

    kept: tuple[int, ...]  # the places of operands that some rule names
    dropped: tuple[int, ...]
    output: bool  # whether some rule names the result
    options: bool  # or an option
    # place, rule, what it names, whether it scales each element of the cotangent by a derivative
    rules: tuple[tuple[int, Rule, Callable[[list], tuple], bool], ...]


class Primitive:
    """An operation with an implementation on arrays and, if it is differentiable, a rule per operand."""

    def __init__(
        self,
        forward: Callable[..., ndarray],
        name: str,
        promote: Promote,
        view: bool,
        grad_name: str | Callable[[PrimitiveNode], str] | None,
        doc: str | None,
        operands: tuple[str, ...] | None,
        elementwise: bool,
    ) -> None:
        self.forward = forward
        self.elementwise = elementwise
        self.promote = promote
        self.view = view
        self.__name__ = self.__qualname__ = name
        self.__doc__ = doc or forward.__doc__
        self.grad_name = grad_name or "".join(w.capitalize() for w in name.split("_")) + "Backward0"
        self.operands, self.options, self.variadic = _signature(forward, operands)
        self.arity = 0 if self.variadic else len(self.operands)
        self.rules: tuple[Any, ...] = ()  # functions, or None where an operand has no gradient
        self.picks: tuple[Callable[[list], tuple], ...] = ()  # what each rule names, from the pool
        self.needs: tuple[frozenset[str], ...] = ()  # the operands, or the result, that each rule names
        self.saves: dict[int, Saves] = {}  # what a call keeps, by the operands with a gradient, as bits

    def __repr__(self) -> str:
        return f"<primitive {self.__name__}>"

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def vjp(self, *rules: Rule | None) -> Primitive:
        """State the cotangent rules, one per operand; None where an operand has no gradient.

        A variadic primitive has one rule for all its operands, which may also name `i`, the operand's
        place, and `shapes`, all the shapes.
        """
        pool = ["g", "y", *self.operands, *(f"{o}_shape" for o in self.operands), *self.options]
        if self.variadic:
            pool = ["g", "i", "shapes", *self.options]
        elif len(rules) != len(self.operands):
            raise TypeError(f"{self.__name__} has operands {self.operands}, got {len(rules)} rules")
        picks: list[Callable[[list], tuple]] = []
        for rule in rules:
            names = _names(rule)
            unknown = [name for name in names if name not in pool]
            if unknown:
                raise TypeError(f"a rule of {self.__name__} names {unknown}; it may name {pool}")
            picks.append(_picker([pool.index(name) for name in names]))
        self.rules, self.picks = rules, tuple(picks)
        self.needs = tuple(frozenset(_names(rule)) for rule in rules)
        return self

    def saves_for(self, tracked: int) -> Saves:
        """What the rules of the operands with a gradient (bits of `tracked`) name; kept in `saves`."""
        places = range(len(self.operands))
        used = [i for i in places if tracked >> i & 1 and self.rules[i] is not None]
        named = frozenset[str]().union(*(self.needs[i] for i in used))
        found = self.saves[tracked] = Saves(
            kept=tuple(i for i in places if self.operands[i] in named),
            dropped=tuple(i for i in places if self.operands[i] not in named),
            output="y" in named,
            options=not named.isdisjoint(self.options),
            rules=tuple((i, self.rules[i], self.picks[i], self._scales(i)) for i in used),
        )
        return found

    def _scales(self, place: int) -> bool:
        """Whether the rule multiplies each element of the cotangent by something that may be infinite."""
        return self.elementwise and not self.needs[place].isdisjoint(("y", *self.operands))

    def option_values(self, given: dict[str, Any]) -> list[Any]:
        """The options in the order of the rules' pool."""
        return [given.get(name, default) for name, default in self.options.items()]

    def __call__(self, *operands: Any, **options: Any) -> Any:
        if len(operands) < self.arity:
            return self(*operands, *self._named(len(operands), options), **options)
        if len(operands) == 1:
            (x,) = operands
            if type(x) is ndarray:  # what rules call in a plain backward
                return self.forward(x, **options)
            if isinstance(x, Variable) and (self.promote is None or x._array.dtype in _FLOATS):
                return self._unary(x, options)
        for operand in operands:
            if isinstance(operand, Variable):
                prototype = operand
                break
        else:
            if operands and type(operands[0]) is ndarray:
                return self.forward(*operands, **options)
            return self._on_arrays(operands, options)
        tracked, bit = 0, 1  # the operands with a gradient, as bits
        fits = True  # whether NumPy would promote the operands as torch does
        has_float = False  # among Python scalars
        kind = None
        arrays: list[Any] = []
        shapes: list[Any] = []
        edges: list[Node | None] = []
        for operand in operands:
            node = None
            shape: Any = None  # of a number; names of nodes tell it from a 0-d tensor
            if isinstance(operand, Variable):
                node = operand._node if operand._view is None else current_node(operand)
                if node is not None:
                    tracked |= bit
                operand = operand._array
            bit <<= 1
            if type(operand) is ndarray:
                shape = operand.shape
                if operand.dtype is not kind:
                    if kind is not None:
                        fits = False
                    kind = operand.dtype
            elif type(operand) is float:
                has_float = True
            elif type(operand) is not int:
                fits = False
            arrays.append(operand)
            shapes.append(shape)
            edges.append(node)
        if self.promote is not None and not (
            fits and (kind in _FLOATS or (self.promote == "common" and kind is not _BOOL and not has_float))
        ):
            converted = common_operands(self, operands, self.promote == "float")
            if any(new is not old for new, old in zip(converted, operands, strict=True)):
                return self(*converted, **options)
        try:
            y = mode.quietly(self.forward, *arrays, **options)
        except (TypeError, ValueError) as error:
            raise _translated(self, arrays, error) from None
        if type(y) is not ndarray:
            y = np.asarray(y)
        result = prototype._result._wrap(y)
        if tracked and mode.enabled and self.rules and y.dtype.kind == "f":
            result._node = PrimitiveNode(self, tracked, edges, shapes, options, operands, arrays, result)
        if self.view:
            _link_view(result, prototype, self, options)
        return result

    def _named(self, given: int, options: dict[str, Any]) -> list[Any]:
        """The operands from place `given` on, taken out of what was passed by name."""
        found = []
        for place in range(given, self.arity):
            own, public = self.operands[place], _PUBLIC_NAMES.get(self.operands[place], "")
            if own not in options and public not in options:
                raise TypeError(
                    f'{self.__name__}() missing 1 required positional arguments: "{public or own}"'
                )
            found.append(options.pop(public if public in options else own))
        return found

    def _unary(self, x: Variable, options: dict[str, Any]) -> Any:
        """A call on one tensor that needs no conversion, without the loops over operands."""
        array = x._array
        node = x._node if x._view is None else current_node(x)
        try:
            y = mode.quietly(self.forward, array, **options)
        except (TypeError, ValueError) as error:
            raise _translated(self, (array,), error) from None
        if type(y) is not ndarray:
            y = np.asarray(y)
        result = x._result._wrap(y)
        if node is not None and mode.enabled and self.rules and y.dtype.kind == "f":
            result._node = PrimitiveNode(self, 1, [node], [array.shape], options, (x,), [array], result)
        if self.view:
            _link_view(result, x, self, options)
        return result

    def _on_arrays(self, operands: Sequence[Any], options: dict[str, Any]) -> Any:
        """The implementation itself, on arrays and scalars; NumPy promotes."""
        for operand in operands:
            if isinstance(operand, (ndarray, np.generic)):
                return self.forward(*operands, **options)
        names = " and ".join(type(operand).__name__ for operand in operands) or "nothing"
        raise TypeError(
            f"{self.__name__}(): argument 'input' (position 1) must be Tensor, not {names}\n"
            "Make a tensor first: minigrad.tensor(...)."
        )


def common_operands(op: Primitive, operands: Sequence[Any], to_float: bool = False) -> list[Any]:
    """The operands in torch's common dtype: casts are recorded, Python scalars become 0-d arrays."""
    weak = any(isinstance(operand, Variable) for operand in operands)
    cleaned = [_scalar_or_array(op, operand, weak) for operand in operands]
    target = dtypes.result_type(*cleaned)
    if to_float and target.kind != "f":
        target = dtypes.default_float()
    converted = []
    for operand, array in zip(operands, cleaned, strict=True):
        if not isinstance(array, ndarray):
            operand = np.asarray(array, target)
        elif array.dtype != target:
            if isinstance(operand, Variable):
                operand = cast(operand, dtype=target, source=array.dtype)
            else:
                operand = array.astype(target)
        converted.append(operand)
    return converted


def _signature(
    forward: Callable, named: tuple[str, ...] | None
) -> tuple[tuple[str, ...], dict[str, Any], bool]:
    """The operands' names, the options with their defaults, and whether it is variadic."""
    if isinstance(forward, np.ufunc):
        return named or _UFUNC_OPERANDS[forward.nin], {}, False
    parameters = inspect.signature(forward).parameters.values()
    if named is not None:
        return named, {p.name: p.default for p in list(parameters)[len(named) :]}, False
    operands = tuple(p.name for p in parameters if p.kind == p.POSITIONAL_OR_KEYWORD)
    options = {p.name: p.default for p in parameters if p.kind == p.KEYWORD_ONLY}
    return operands, options, any(p.kind == p.VAR_POSITIONAL for p in parameters)


def _names(rule: Any) -> tuple[str, ...]:
    """The names of a rule's parameters, from its code: `inspect.signature` takes a tenth of the import."""
    return rule.__code__.co_varnames[: rule.__code__.co_argcount] if rule else ()


def _picker(places: list[int]) -> Callable[[list], tuple]:
    if len(places) < 2:
        return lambda pool: tuple([pool[place] for place in places])
    return itemgetter(*places)


def _scalar_or_array(op: Primitive, operand: Any, weak: bool) -> Any:
    """The array or Python scalar behind an operand. NumPy scalars are weak beside a variable; where
    there is none they are what NumPy made of a 0-d array, and count as one."""
    if isinstance(operand, Variable):
        return operand._array
    if isinstance(operand, np.generic):
        return operand.item() if weak else np.asarray(operand)
    if isinstance(operand, (ndarray, bool, int, float)):
        return operand
    raise NotAnOperand(
        f"{op.__name__}(): argument must be Tensor or number, not {type(operand).__name__}. "
        "Convert it first, e.g. minigrad.tensor(...)."
    )


def _translated(op: Primitive, arrays: Sequence[Any], error: Exception) -> Exception:
    """torch's error for what NumPy says of unfit shapes and types."""
    shapes = [a.shape for a in arrays if isinstance(a, ndarray)]
    text = str(error)
    if "could not be broadcast" in text and len(shapes) > 1:
        for back in range(1, max(map(len, shapes)) + 1):
            sizes = [s[-back] for s in shapes if len(s) >= back]
            wide = [n for n in sizes if n != 1]
            if len(set(wide)) > 1:
                place = max(map(len, shapes)) - back
                return RuntimeError(
                    f"The size of tensor a ({wide[0]}) must match the size of tensor b "
                    f"({next(n for n in wide if n != wide[0])}) at non-singleton dimension {place}\n"
                    f"{op.__name__} was given shapes {' and '.join(map(str, map(list, shapes)))}. Sizes "
                    "must be equal, or 1, counted from the last dimension; unsqueeze() or reshape() one."
                )
    if "boolean subtract" in text:
        return RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
            "`logical_xor()` operator instead."
        )
    if "boolean negative" in text:
        return RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert "
            "a mask, use the `~` or `logical_not()` operator instead."
        )
    if "negative integer powers" in text:
        return RuntimeError(text + "\nConvert the base to a float first, e.g. x.float() ** -1.")
    if "not supported for the input types" in text:
        kinds = dict.fromkeys(dtypes.of(a).scalar_type for a in arrays if isinstance(a, ndarray))
        return NotImplementedError(
            f'"{op.__name__}_cpu" not implemented for {" and ".join(repr(k) for k in kinds)}'
        )
    return error


def _link_view(result: Variable, source: Variable, op: Primitive, options: dict) -> None:
    """Where a result shares memory with its source, share the version and remember how it was made."""
    root, array = result._array.base, source._array
    if result._array is not array and (root is None or (root is not array and root is not array.base)):
        return
    result._counter = source._counter
    step = (op, options)
    if source._view is None:
        result._view = View(source, (step,))
    else:
        result._view = View(source._view.base, (*source._view.steps, step))


def total_of(array: ndarray) -> Any:
    """A sum over an array, made in one pass: nan if it holds a nan, and not finite if it holds an inf."""
    return np.vdot(array, array) if array.size < 8192 else reduction.sum(array, None)


def has_nan(x: Any) -> bool:
    """Whether an array, or a variable's, holds a nan: by one sum, which a nan makes nan."""
    total = total_of(x._array if isinstance(x, Variable) else x)
    return bool(total != total)


class PrimitiveNode(Node):
    """A recorded call of a primitive."""

    __slots__ = ("arrays", "counters", "keeps", "op", "options", "output", "shapes", "versions")

    arrays: Any  # what was saved of the operands, None in other places; None when freed

    def __init__(
        self,
        op: Primitive,
        tracked: int,
        edges: list[Node | None],
        shapes: list[Any],
        options: dict[str, Any],
        operands: Sequence[Any],
        arrays: list[Any],
        result: Variable,
    ) -> None:
        """Keep what the rules of the operands with a gradient name, and the versions it has now."""
        self.edges = edges
        self.sequence = next_sequence()
        self.hooks = self.retained = self.output = None
        self.op = op
        self.options = options
        self.shapes = shapes
        self.keeps = keeps = op.saves.get(tracked) or op.saves_for(tracked)
        counters: list[list[int]] = []
        versions: list[int] = []
        self.counters, self.versions = counters, versions
        for place in keeps.kept:
            operand = operands[place]
            counter = operand._counter if isinstance(operand, Variable) else _CONSTANT
            counters.append(counter)
            versions.append(counter[0])
        for place in keeps.dropped:
            arrays[place] = None
        self.arrays = () if op.variadic else arrays
        if keeps.output:
            self.output = result._array
            counters.append(result._counter)
            versions.append(result._counter[0])

    def vjp(self, g: Any, keep: bool) -> Sequence[Any]:
        arrays = self.arrays
        if arrays is None:
            raise RuntimeError(FREED + f" (The freed node is {self.name()}.)")
        for counter, version in zip(self.counters, self.versions, strict=True):
            if counter[0] != version:
                self._raise_modified()
        if isinstance(g, Variable):
            return self._apply_rules(g, *self._variables(g))
        return mode.quietly(self._apply_rules, g, arrays, self.output)

    def _apply_rules(self, g: Any, arrays: Sequence[Any], output: Any) -> Sequence[Any]:
        """The cotangents, from that of the result and what was saved, all arrays or all variables."""
        op = self.op
        if op.variadic:
            return self._vjp_each(g)
        shapes, keeps = self.shapes, self.keeps
        pool = [g, output, *arrays, *shapes]
        if keeps.options:
            pool += op.option_values(self.options)
        gradients: list[Any] = [None] * len(shapes)
        for place, rule, pick, scales in keeps.rules:
            gradient = rule(*pick(pool))
            if scales and mode.safe and has_nan(gradient):
                gradient = self._without_spurious_nan(gradient, pool, rule, pick)
            shape = shapes[place]
            if gradient.shape != shape:
                undo = _sum_to if type(gradient) is ndarray else sum_to
                gradient = undo(gradient, shape=shape)
            gradients[place] = gradient
        return gradients

    def _without_spurious_nan(self, gradient: Any, pool: list[Any], rule: Rule, pick: Any) -> Any:
        """The gradient with zeros for the nan that an infinite or nan derivative makes of a zero cotangent.

        For a recorded walk the rule is applied again with harmless operands in those places: else the nan
        would come back with the next derivative.
        """
        if not isinstance(gradient, Variable):
            return np.where(np.isnan(gradient) & (pool[0] == 0), 0, gradient)
        spurious = np.isnan(gradient._array) & (pool[0]._array == 0)
        if not spurious.any():
            return gradient
        count = len(self.op.operands)
        operands = [
            _filled(operand, mask=spurious, value=0.5) if isinstance(operand, Variable) else operand
            for operand in pool[2 : 2 + count]
        ]
        output = pool[1]
        if output is not None:
            output = _filled(output, mask=spurious, value=0.5)
        gradient = rule(*pick([pool[0], output, *operands, *pool[2 + count :]]))
        return _filled(gradient, mask=spurious, value=0)

    def _vjp_each(self, g: Any) -> Sequence[Any]:
        """The cotangents of the operands of a variadic primitive, which share a rule."""
        (rule,), (pick,) = self.op.rules, self.op.picks
        options = self.op.option_values(self.options)
        return [
            None if edge is None else rule(*pick([g, place, self.shapes, *options]))
            for place, edge in enumerate(self.edges)
        ]

    def _variables(self, g: Variable) -> tuple[list[Any], Any]:
        """What was saved, as variables with their places in the graph, for a recorded walk."""
        arrays = list(self.arrays)
        for place, counter in zip(self.keeps.kept, self.counters, strict=False):
            if type(arrays[place]) is ndarray:
                arrays[place] = g._result._wrap(arrays[place], self.edges[place])
                arrays[place]._counter = counter
        output = None
        if self.output is not None:
            output = g._result._wrap(self.output, self)
            output._counter = self.counters[-1]
        return arrays, output

    def _raise_modified(self) -> None:
        place = next(
            i for i, (c, v) in enumerate(zip(self.counters, self.versions, strict=True)) if c[0] != v
        )
        is_output = place == len(self.keeps.kept)
        array: Any = self.output if is_output else self.arrays[self.keeps.kept[place]]
        role = "which is output 0 of" if is_output else "which was saved by"
        raise RuntimeError(
            "one of the variables needed for gradient computation has been modified by an inplace "
            f"operation: [torch.{dtypes.of(array).tensor_type} {list(array.shape)}], {role} {self.name()}, "
            f"is at version {self.counters[place][0]}; expected version {self.versions[place]} instead. "
            "Hint: write the in-place operation out of place (x = x + 1 instead of x += 1), or clone() the "
            "tensor first."
        )

    def release(self) -> None:
        if self.keeps.kept or self.keeps.output:
            self.arrays = self.output = None

    def name(self) -> str:
        name = self.op.grad_name
        return name if isinstance(name, str) else name(self)


def primitive(
    forward: Callable[..., ndarray],
    *,
    name: str | None = None,
    promote: Promote | Literal["auto"] = "auto",
    view: bool = False,
    grad_name: str | Callable[[PrimitiveNode], str] | None = None,
    doc: str | None = None,
    operands: tuple[str, ...] | None = None,
    ufunc: np.ufunc | None = None,
    elementwise: bool | None = None,
) -> Primitive:
    """State an operation. Chain `.vjp(rule, ...)` to make it differentiable.

    Args:
        forward: the implementation on arrays, a NumPy ufunc or a function whose positional parameters
            are the operands and whose keyword-only parameters are the options.
        name: the operation's name, by default the implementation's.
        promote: "common" brings the operands to torch's common dtype, "float" also takes integers to
            the default float; None leaves them. By default "common" for a ufunc of several operands,
            else None.
        view: the result may share memory with the operand.
        grad_name: what `grad_fn` prints, by default the name in camel case and "Backward0".
        doc: the docstring.
        operands: names for the first parameters of `forward`, where its own will not do; what follows
            them are options.
        ufunc: the NumPy ufunc this is, by default `forward` if that is one: what `np.exp(tensor)` calls.
        elementwise: each element of the result depends on one of each operand, so a zero cotangent means a
            zero gradient there, whatever the derivative; by default whether it is a NumPy ufunc.
    """
    ufunc = forward if isinstance(forward, np.ufunc) else ufunc
    if promote == "auto":
        promote = "common" if isinstance(forward, np.ufunc) and forward.nin > 1 else None
    own_name = name or forward.__name__.strip("_")
    if elementwise is None:
        elementwise = ufunc is not None and ufunc.signature is None
    op = Primitive(forward, own_name, promote, view, grad_name, doc, operands, elementwise)
    if ufunc is not None:
        UFUNCS[ufunc] = op
    return op


# ------------------------------------------------------------- the operations the tape itself needs
def _sum_to(x: ndarray, *, shape: tuple[int, ...]) -> ndarray:
    extra = x.ndim - len(shape)
    if extra == 1 and x.shape[1:] == shape:  # a bias over its batch
        return column_sums(x) if x.ndim == 2 else reduction.sum(x, 0)
    axes = [i for i in range(x.ndim) if i < extra or (shape[i - extra] == 1 and x.shape[i] != 1)]
    return reduction.sum(x, tuple(axes)).reshape(shape) if axes else x.reshape(shape)


def _broadcast_to(x: ndarray, *, shape: tuple[int, ...]) -> ndarray:
    return np.broadcast_to(x, shape)


def _cast(x: ndarray, *, dtype: np.dtype, source: np.dtype) -> ndarray:
    return x.astype(dtype)


sum_to: Primitive = primitive(
    _sum_to, grad_name="SumBackward1", doc="Sum out the dimensions that broadcasting to x.shape added."
).vjp(lambda g, x_shape: broadcast_to(g, shape=x_shape))

broadcast_to: Primitive = primitive(
    _broadcast_to, view=True, grad_name="ExpandBackward0", doc="Repeat x along new or size-1 dimensions."
).vjp(lambda g, x_shape: sum_to(g, shape=x_shape))

cast: Primitive = primitive(
    _cast, grad_name="ToCopyBackward0", doc="x in another dtype; `source` is the dtype it has."
).vjp(lambda g, dtype, source: cast(g, dtype=source, source=dtype))


def _fill(x: ndarray, *, mask: ndarray, value: float) -> ndarray:
    return np.where(mask, x.dtype.type(value), x)


_filled: Primitive = primitive(_fill, name="filled", doc="x with `value` where the mask is true.").vjp(
    lambda g, mask: _filled(g, mask=mask, value=0)
)
