"""The examples in docstrings run, and every public name has one.

doctest's own finder skips instances, so primitives and fused operations would go unseen: the public
namespaces are walked by hand.
"""

import doctest
import importlib
import inspect
import pkgutil
import types

import pytest

import minigrad
from minigrad.autograd.fused import Fused
from minigrad.autograd.op import Primitive

CALLABLES = (types.FunctionType, Primitive, Fused, type)

PUBLIC_NAMESPACES = (
    "minigrad",
    "minigrad.autograd",
    "minigrad.nn.functional",
    "minigrad.nn.losses",
    "minigrad.nn.extra",
    "minigrad.special",
)

# Public names whose docstring needs no example, and why.
WITHOUT_EXAMPLE = {
    "minigrad.get_num_threads": "its result depends on the machine",
    "minigrad.set_num_threads": "its effect is on time alone",
    "minigrad.load": "shown with save",
    "minigrad.autograd.GradcheckError": "an exception that gradcheck raises",
    "minigrad.autograd.Variable": "the engine's side of Tensor",
    "minigrad.nn.losses.Loss": "the base of the loss modules, which have examples",
}
# Modules that run when imported, or need an extra.
NOT_IMPORTED = ("minigrad.__main__",)


def modules():
    """All modules of the package."""
    names = [info.name for info in pkgutil.walk_packages(minigrad.__path__, "minigrad.")]
    return [minigrad, *(importlib.import_module(name) for name in names if name not in NOT_IMPORTED)]


def defined_in(module):
    """(qualified name, object) of what a module defines: functions, classes and their members, operations."""
    for name, value in vars(module).items():
        home = getattr(value, "__module__", module.__name__)
        if isinstance(value, Primitive) and not hasattr(module, "__path__"):
            home = module.__name__  # packages only pass them on
        if not isinstance(value, CALLABLES) or home != module.__name__:
            continue
        yield f"{module.__name__}.{name}", value
        if isinstance(value, type):
            for member, inner in vars(value).items():
                inner = getattr(inner, "__func__", inner)
                if isinstance(inner, (types.FunctionType, property)):
                    yield f"{module.__name__}.{name}.{member}", inner


def docstrings():
    """(name, docstring) of every module, and of everything defined in it, once each."""
    seen = set()
    for module in modules():
        yield module.__name__, module.__doc__
        for name, value in defined_in(module):
            if id(value) not in seen:
                seen.add(id(value))
                yield name, value.__doc__


EXAMPLES = [(name, doc) for name, doc in docstrings() if doc and ">>>" in doc]


@pytest.mark.parametrize(("name", "doc"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_example(name, doc, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    test = doctest.DocTestParser().get_doctest(inspect.cleandoc(doc), {}, name, name, 0)
    report = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    outcome = runner.run(test, out=report.append)
    assert outcome.attempted > 0
    assert outcome.failed == 0, "".join(report)


def public():
    """(dotted name, object) of the functions, classes and operations in the public namespaces."""
    for namespace in PUBLIC_NAMESPACES:
        module = importlib.import_module(namespace)
        for name, value in vars(module).items():
            if not name.startswith("_") and isinstance(value, CALLABLES):
                yield f"{namespace}.{name}", value


PUBLIC = list(public())


@pytest.mark.parametrize(("name", "value"), PUBLIC, ids=[name for name, _ in PUBLIC])
def test_a_public_name_has_a_docstring_with_an_example(name, value):
    doc = inspect.getdoc(value)
    assert doc, f"{name} has no docstring"
    twin = name.endswith("_") and name[:-1] in dict(PUBLIC)  # in place: shown by the name without _
    assert ">>>" in doc or twin or name in WITHOUT_EXAMPLE, f"the docstring of {name} has no example"


def test_every_module_says_what_it_is_for():
    silent = [m.__name__ for m in modules() if not (m.__doc__ or "").strip()]
    assert silent == []


def test_the_exceptions_are_still_needed():
    names = {name for name, value in PUBLIC if ">>>" not in (inspect.getdoc(value) or "")}
    assert {name for name in WITHOUT_EXAMPLE if name in dict(PUBLIC)} <= names


def test_the_walk_sees_primitives_fused_operations_and_methods():
    names = {name for name, _ in EXAMPLES}
    assert any(name.endswith(".exp") for name in names)
    assert any("losses" in name for name in names)
    assert "minigrad.tensor.Tensor" in names
    assert len(EXAMPLES) > 200


def test_a_wrong_example_fails(tmp_path, monkeypatch):
    with pytest.raises(AssertionError, match="Expected"):
        test_example("wrong", ">>> 1 + 1\n3\n", tmp_path, monkeypatch)
