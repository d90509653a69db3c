"""Module: registration, state, loading, hooks and text, against what torch does and says."""

import copy
import gc
import pickle
import weakref
from collections import OrderedDict

import numpy as np
import pytest

import minigrad
from minigrad import nn


def outcome(script, t):
    """What a script returns as text, or the class and first line of its exception."""
    try:
        return repr(script(t))
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"


def model(t):
    inner = t.nn.Sequential(t.nn.Linear(2, 1), t.nn.Linear(1, 1, bias=False))
    return t.nn.Sequential(t.nn.Linear(2, 2), inner)


def with_attributes(t):
    module = t.nn.Linear(2, 2)
    module.register_buffer("mean", t.zeros(2))
    module.act = t.nn.Tanh()
    return module


def assigned(name, make):
    def script(t):
        module = with_attributes(t)
        setattr(module, name, make(t))
        return [*module.state_dict(), *(child for child, _ in module.named_children())]

    return script


def loaded(change, **options):
    def script(t):
        target = model(t)
        state = dict(target.state_dict())
        change(t, state)
        return target.load_state_dict(state, **options)

    return script


def shared_names(t):
    layer = t.nn.Linear(1, 1)
    both = t.nn.Sequential(layer, t.nn.ReLU(), layer)
    return (
        [name for name, _ in both.named_parameters()],
        [name for name, _ in both.named_parameters(remove_duplicate=False)],
        [name for name, _ in both.named_modules()],
        [name for name, _ in both.named_children()],
        list(both.state_dict()),
        [name for name, _ in both.named_parameters(prefix="net", recurse=False)],
    )


def buffer_names(t):
    module = t.nn.Sequential(t.nn.Identity())
    module[0].register_buffer("kept", t.ones(1))
    module[0].register_buffer("left_out", t.ones(1), persistent=False)
    module[0].register_buffer("absent", None)
    module[0].left_out = t.zeros(1)
    return [name for name, _ in module.named_buffers()], list(module.state_dict(prefix="p."))


def zeros(t):
    return t.zeros(2)


# script and torch 2.13's outcome
OUTCOMES = {
    "parameter := tensor": (
        assigned("weight", zeros),
        "TypeError: cannot assign 'torch.FloatTensor' as parameter 'weight' "
        "(torch.nn.Parameter or None expected)",
    ),
    "parameter := list": (
        assigned("bias", lambda t: [1]),
        "TypeError: cannot assign 'list' as parameter 'bias' (torch.nn.Parameter or None expected)",
    ),
    "parameter := None": (assigned("weight", lambda t: None), "['bias', 'mean', 'act']"),
    "parameter := parameter": (
        assigned("weight", lambda t: t.nn.Parameter(t.zeros(2))),
        "['weight', 'bias', 'mean', 'act']",
    ),
    "buffer := tensor": (assigned("mean", zeros), "['weight', 'bias', 'mean', 'act']"),
    "buffer := None": (assigned("mean", lambda t: None), "['weight', 'bias', 'act']"),
    "buffer := number": (
        assigned("mean", lambda t: 3.0),
        "TypeError: cannot assign 'float' as buffer 'mean' (torch.nn.Buffer, torch.Tensor or None expected)",
    ),
    "buffer := parameter": (
        assigned("mean", lambda t: t.nn.Parameter(t.zeros(2))),
        "['weight', 'bias', 'mean', 'act']",
    ),
    "buffer := module": (
        assigned("mean", lambda t: t.nn.ReLU()),
        "['weight', 'bias', 'act', 'mean']",
    ),
    "module := number": (
        assigned("act", lambda t: 3.0),
        "TypeError: cannot assign 'float' as child module 'act' (torch.nn.Module or None expected)",
    ),
    "module := parameter": (
        assigned("act", lambda t: t.nn.Parameter(t.zeros(2))),
        "['weight', 'bias', 'act', 'mean']",
    ),
    "module := None": (assigned("act", lambda t: None), "['weight', 'bias', 'mean']"),
    "new := tensor": (assigned("new", zeros), "['weight', 'bias', 'mean', 'act']"),
    "new := parameter": (
        assigned("new", lambda t: t.nn.Parameter(t.zeros(2))),
        "['weight', 'bias', 'new', 'mean', 'act']",
    ),
    "option := module": (
        assigned("in_features", lambda t: t.nn.ReLU()),
        "['weight', 'bias', 'mean', 'act', 'in_features']",
    ),
    "buffer of a list": (
        lambda t: t.nn.Module().register_buffer("weight", [1]),
        "TypeError: cannot assign 'list' object to buffer 'weight' (torch Tensor or None required)",
    ),
    "buffer with a dot": (
        lambda t: t.nn.Module().register_buffer("a.b", None),
        "KeyError: 'buffer name can\\'t contain \".\"'",
    ),
    "buffer without a name": (
        lambda t: t.nn.Module().register_buffer("", None),
        "KeyError: 'buffer name can\\'t be empty string \"\"'",
    ),
    "buffer over a method": (
        lambda t: t.nn.Module().register_buffer("forward", None),
        "KeyError: \"attribute 'forward' already exists\"",
    ),
    "parameter of a tensor": (
        lambda t: t.nn.Module().register_parameter("w", t.zeros(2)),
        "TypeError: cannot assign 'torch.FloatTensor' object to parameter 'w' "
        "(torch.nn.Parameter or None required)",
    ),
    "parameter named 3": (
        lambda t: t.nn.Module().register_parameter(3, None),
        "TypeError: parameter name should be a string. Got int",
    ),
    "module with a dot": (
        lambda t: t.nn.Module().add_module("a.b", t.nn.ReLU()),
        "KeyError: 'module name can\\'t contain \".\", got: a.b'",
    ),
    "module of a number": (
        lambda t: t.nn.Module().register_module("a", 3),
        "TypeError: int is not a Module subclass",
    ),
    "missing attribute": (
        lambda t: t.nn.Linear(1, 1).nothing,
        "AttributeError: 'Linear' object has no attribute 'nothing'",
    ),
    "missing forward": (
        lambda t: t.nn.Module()(1),
        'NotImplementedError: Module [Module] is missing the required "forward" function',
    ),
    "train(1)": (
        lambda t: t.nn.Linear(1, 1).train(1),
        "ValueError: training mode is expected to be boolean",
    ),
    "to an integer dtype": (
        lambda t: t.nn.Linear(1, 1).to(t.int64),
        "TypeError: nn.Module.to only accepts floating point or complex dtypes, but got desired "
        "dtype=torch.int64",
    ),
    "submodule": (lambda t: model(t).get_submodule("1.0").in_features, "2"),
    "missing submodule": (
        lambda t: model(t).get_submodule("1.a"),
        "AttributeError: Sequential has no attribute `a`",
    ),
    "submodule that is a parameter": (
        lambda t: model(t).get_submodule("0.weight"),
        "AttributeError: `weight` is not an nn.Module",
    ),
    "parameter by name": (
        lambda t: model(t).get_parameter("1.0.weight").shape,
        "torch.Size([1, 2])",
    ),
    "parameter that is a number": (
        lambda t: model(t).get_parameter("0.in_features"),
        "AttributeError: `in_features` is not an nn.Parameter",
    ),
    "buffer that is a parameter": (
        lambda t: model(t).get_buffer("0.weight"),
        "AttributeError: `weight` is not a buffer",
    ),
    "integer parameter": (
        lambda t: t.nn.Parameter(t.tensor([1])),
        "RuntimeError: Only Tensors of floating point and complex dtype can require gradients",
    ),
    "frozen integer parameter": (
        lambda t: t.nn.Parameter(t.tensor([1]), requires_grad=False),
        "Parameter containing:\ntensor([1])",
    ),
    "empty parameter": (
        lambda t: t.nn.Parameter(),
        "Parameter containing:\ntensor([], requires_grad=True)",
    ),
    "result of a parameter": (
        lambda t: t.nn.Parameter(t.ones(2)) * 2,
        "tensor([2., 2.], grad_fn=<MulBackward0>)",
    ),
    "names of shared parts": (
        shared_names,
        "(['0.weight', '0.bias'], ['0.weight', '0.bias', '2.weight', '2.bias'], ['', '0', '1'], "
        "['0', '1'], ['0.weight', '0.bias', '2.weight', '2.bias'], [])",
    ),
    "names of buffers": (buffer_names, "(['0.kept', '0.left_out'], ['p.0.kept'])"),
    "load everything": (loaded(lambda t, state: None), "<All keys matched successfully>"),
    "load a list": (
        lambda t: model(t).load_state_dict([]),
        "TypeError: Expected state_dict to be dict-like, got <class 'list'>.",
    ),
    "load leniently": (
        loaded(lambda t, s: (s.pop("0.bias"), s.update(z=1)), strict=False),
        "_IncompatibleKeys(missing_keys=['0.bias'], unexpected_keys=['z'])",
    ),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_outcomes(name):
    script, expected = OUTCOMES[name]
    assert outcome(script, minigrad) == expected


@pytest.mark.parametrize("name", OUTCOMES)
def test_outcomes_are_torchs(name):
    torch = pytest.importorskip("torch", reason="the comparison with torch needs torch")
    script, expected = OUTCOMES[name]
    assert outcome(script, torch) == expected


def misfits(t, state):
    del state["1.0.bias"]
    state |= {"x": t.zeros(1), "1.y": t.zeros(1), "1.1.bias": t.zeros(1)}
    state |= {"0.bias": t.zeros(3), "0.weight": 3, "0.weight.foo": t.zeros(1)}


MISFITS = (
    "Error(s) in loading state_dict for Sequential:\n"
    '\tMissing key(s) in state_dict: "1.0.bias". \n'
    '\tUnexpected key(s) in state_dict: "x", "0.weight.foo", "1.y", "1.1.bias". \n'
    '\tWhile copying the parameter named "0.weight", expected torch.Tensor or Tensor-like object '
    "from checkpoint but received <class 'int'>\n"
    "\tsize mismatch for 0.bias: copying a param with shape torch.Size([3]) from checkpoint, the "
    "shape in current model is torch.Size([2])."
)


@pytest.mark.parametrize("library", ["minigrad", "torch"])
def test_a_loading_error_lists_all_that_is_wrong(library):
    t = pytest.importorskip(library, reason="the comparison with torch needs torch")
    with pytest.raises(RuntimeError) as caught:
        loaded(misfits)(t)
    assert str(caught.value) == MISFITS


def nested(t):
    n = t.nn
    return n.Sequential(
        n.Linear(2, 16),
        n.ReLU(inplace=True),
        n.ModuleList([n.Linear(2, 2), n.Linear(2, 2), n.Tanh()]),
        n.ModuleDict({"a": n.ReLU6(True)}),
        n.ParameterList([t.zeros(2, 1), 3]),
        n.Sequential(OrderedDict(flat=n.Flatten())),
        n.Sequential(),
    )


NESTED = """Sequential(
  (0): Linear(in_features=2, out_features=16, bias=True)
  (1): ReLU(inplace=True)
  (2): ModuleList(
    (0-1): 2 x Linear(in_features=2, out_features=2, bias=True)
    (2): Tanh()
  )
  (3): ModuleDict(
    (a): ReLU6(inplace=True)
  )
  (4): ParameterList(
      (0): Parameter containing: [torch.float32 of size 2x1]
      (1): Object of type: int
  )
  (5): Sequential(
    (flat): Flatten(start_dim=1, end_dim=-1)
  )
  (6): Sequential()
)"""


@pytest.mark.parametrize("library", ["minigrad", "torch"])
def test_the_text_of_nested_modules(library):
    t = pytest.importorskip(library, reason="the comparison with torch needs torch")
    assert repr(nested(t)) == NESTED


def test_two_lines_of_extra_text_stand_on_their_own():
    class Described(nn.Module):
        def extra_repr(self):
            return "first\nsecond"

    assert repr(Described()) == "Described(\n  first\n  second\n)"


# ------------------------------------------------------------------------- the two places of a part
def in_step(module):
    """Whether the tables and the attributes of a module and all below it agree."""
    return all(
        part.__dict__.get(name, part) is value
        for part in module.modules()
        for table in (part._parameters, part._buffers, part._modules)
        for name, value in table.items()
    )


def test_parts_are_plain_attributes_and_in_their_tables():
    module = with_attributes(minigrad)
    assert vars(module)["weight"] is module.weight is module._parameters["weight"]
    assert vars(module)["act"] is module.act is module._modules["act"]
    assert in_step(module.double())
    module.load_state_dict({k: v.float() for k, v in module.state_dict().items()}, assign=True)
    assert in_step(module)
    assert module.weight.dtype is module.mean.dtype is minigrad.float32
    del module.weight, module.act, module.mean
    assert list(module.state_dict()) == ["bias"]
    assert not hasattr(module, "weight")
    assert not hasattr(module, "act")
    with pytest.raises(AttributeError, match="weight"):
        del module.weight


def test_a_parameter_that_replaces_a_buffer_is_saved_even_if_the_buffer_was_not():
    module = nn.Module()
    module.register_buffer("x", minigrad.zeros(1), persistent=False)
    module.x = nn.Parameter(minigrad.zeros(1))
    assert list(module.state_dict()) == ["x"]
    assert list(module.buffers()) == []


def test_dir_lists_what_can_be_written_as_an_attribute():
    names = dir(nn.Sequential(nn.ReLU()))
    assert "training" in names
    assert "0" not in names


@pytest.mark.parametrize(
    ("make", "kind"),
    [(nn.ReLU, "module"), (lambda: nn.Parameter(minigrad.zeros(1)), "parameters")],
)
def test_parts_need_an_initialised_module(make, kind):
    class Forgetful(nn.Module):
        def __init__(self):
            self.part = make()

    with pytest.raises(AttributeError, match=rf"cannot assign {kind} before Module.__init__\(\)"):
        Forgetful()


# -------------------------------------------------------------------------------------- the state
def test_train_and_eval_reach_all_modules():
    net = model(minigrad)
    assert net.eval() is net
    assert [m.training for m in net.modules()] == [False] * 5
    net[1].train()
    assert [m.training for m in net.modules()] == [False, False, True, True, True]


def test_apply_visits_children_first():
    seen = []
    net = model(minigrad)
    assert net.apply(lambda m: seen.append(type(m).__name__)) is net
    assert seen == ["Linear", "Linear", "Linear", "Sequential", "Sequential"]


def test_freezing_and_forgetting_gradients():
    net = model(minigrad)
    net[0].requires_grad_(False)
    net(minigrad.ones(3, 2)).sum().backward()
    assert [p.grad is None for p in net.parameters()] == [True, True, False, False, False]
    net.zero_grad(set_to_none=False)
    assert [p.grad is None for p in net.parameters()] == [True, True, False, False, False]
    assert all(not p.grad.numpy().any() for p in net[1].parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_conversion_is_in_place_and_takes_gradients_along():
    layer = nn.Linear(2, 1)
    layer.register_buffer("count", minigrad.tensor([1]))
    weight = layer.weight
    layer(minigrad.ones(1, 2)).sum().backward()
    assert layer.to("cpu", minigrad.float64) is layer
    assert layer.weight is weight
    assert weight.dtype is weight.grad.dtype is minigrad.float64
    assert layer.count.dtype is minigrad.int64
    layer(minigrad.ones(1, 2, dtype=minigrad.float64)).sum().backward()
    assert weight.grad.tolist() == [[2.0, 2.0]]
    assert layer.float().bias.dtype is minigrad.float32
    with pytest.raises(AssertionError, match="CPU only"):
        layer.to("cuda")


def test_the_state_shares_memory_and_loading_copies():
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    state = first.state_dict()
    assert type(state) is OrderedDict
    assert not any(tensor.requires_grad for tensor in state.values())
    assert np.shares_memory(state["weight"].numpy(), first.weight.detach().numpy())
    weight = second.weight
    second.load_state_dict(state)
    assert second.weight is weight
    assert second.weight.tolist() == first.weight.tolist()
    assert not np.shares_memory(second.weight.detach().numpy(), state["weight"].numpy())
    assert first.state_dict(keep_vars=True)["weight"] is first.weight


def test_loading_by_assignment_takes_the_tensors_and_keeps_requires_grad():
    layer = nn.Linear(2, 2)
    layer.bias.requires_grad_(False)
    given = {"weight": minigrad.ones(2, 2, dtype=minigrad.float64), "bias": minigrad.zeros(2)}
    layer.load_state_dict(given, assign=True)
    assert layer.weight.dtype is minigrad.float64
    assert np.shares_memory(layer.weight.detach().numpy(), given["weight"].numpy())
    assert [p.requires_grad for p in layer.parameters()] == [True, False]
    assert type(layer.weight) is nn.Parameter


def test_loading_in_another_dtype_converts_and_a_single_number_fits_a_scalar():
    module = nn.Module()
    module.scale = nn.Parameter(minigrad.tensor(0.0))
    module.load_state_dict({"scale": minigrad.tensor([2.5], dtype=minigrad.float64)})
    assert module.scale.dtype is minigrad.float32
    assert module.scale.item() == 2.5


def test_what_fits_is_loaded_even_if_the_rest_is_an_error():
    layer = nn.Linear(2, 1)
    with pytest.raises(RuntimeError, match="Missing key"):
        layer.load_state_dict({"weight": minigrad.ones(1, 2)})
    assert layer.weight.tolist() == [[1.0, 1.0]]


# ------------------------------------------------------------------------------------------ copies
def test_a_parameter_shares_memory_and_its_copy_does_not():
    data = minigrad.ones(2)
    parameter = nn.Parameter(data)
    data[0] = 5.0
    assert parameter.tolist() == [5.0, 1.0]
    parameter.grad = minigrad.ones(2)
    clone = copy.deepcopy(parameter)
    assert type(clone) is nn.Parameter
    assert clone.requires_grad
    assert clone.grad is None
    assert not np.shares_memory(clone.detach().numpy(), data.numpy())
    with pytest.raises(TypeError, match="must be Tensor, not list"):
        nn.Parameter([1.0])


@pytest.mark.parametrize("through", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_of_a_module_are_whole_and_of_their_own(through):
    layer = nn.Linear(2, 2)
    net = nn.Sequential(layer, layer, with_attributes(minigrad)).eval()
    twin = through(net)
    assert repr(twin) == repr(net)
    assert in_step(twin)
    assert twin[0] is twin[1]
    assert not twin[2].training
    assert type(twin[0].weight) is nn.Parameter
    x = minigrad.ones(3, 2)
    assert twin(x).tolist() == net(x).tolist()
    twin(x).sum().backward()
    assert layer.weight.grad is None
    with minigrad.no_grad():
        twin[0].weight.zero_()
    assert layer.weight.detach().numpy().any()


def test_a_model_dies_by_reference_count():
    gc.disable()
    try:
        net = model(minigrad)
        handle = net.register_forward_hook(lambda *_: None)
        net(minigrad.ones(1, 2)).sum().backward()
        alive = weakref.ref(net)
        del net, handle
        assert alive() is None
    finally:
        gc.enable()


# ------------------------------------------------------------------------------------------- hooks
def test_forward_hooks_see_and_replace_arguments_and_results():
    layer, seen = nn.Identity(), []

    def before(module, args):
        seen.append(args)
        return args[0] + 1  # not a tuple: one argument

    handles = [
        layer.register_forward_pre_hook(before),
        layer.register_forward_pre_hook(lambda module, args: (args[0] * 10,)),
        layer.register_forward_hook(lambda module, args, y: y - args[0]),
        layer.register_forward_hook(lambda module, args, y: seen.append(y.item())),
    ]
    assert layer(minigrad.tensor(2.0)).item() == 0.0
    assert seen == [(minigrad.tensor(2.0),), 0.0]
    for handle in handles:
        handle.remove()
    handles[0].remove()
    assert layer(minigrad.tensor(2.0)).item() == 2.0
    with layer.register_forward_hook(lambda module, args, y: y + 1):
        assert layer(minigrad.tensor(2.0)).item() == 3.0
    assert layer(minigrad.tensor(2.0)).item() == 2.0


def backward_hooks(t):
    """All that full backward hooks see and do, as text."""
    seen = []

    class Pair(t.nn.Module):
        def forward(self, a, b, scale, label):
            return a * b * scale, a + b, label

    def watch(module, grad_input, grad_output):
        seen.append(f"{type(module).__name__} {grad_input}\n     {grad_output}")

    pair = Pair()
    pair.register_full_backward_hook(watch)
    pair.register_full_backward_hook(lambda m, gi, go: (gi[0] * 2, None, None, None))
    pair.register_full_backward_hook(watch)
    a = t.tensor([1.0, 2.0], requires_grad=True)
    b = t.tensor([3.0, 4.0], requires_grad=True)
    first, second, label = pair(a, b, 2.0, "both")
    seen.append((repr(first), label))
    (first.sum() + 5 * second.sum()).backward()
    seen.append((a.grad, b.grad))
    a.grad = None
    pair(a, b, 1.0, "second")[1].sum().backward()  # one result is not used
    seen.append(a.grad)
    with t.no_grad():
        seen.append(pair(a, b, 1.0, "none")[0])
    return "\n".join(map(str, seen))


BACKWARD_HOOKS = """\
('tensor([ 6., 16.], grad_fn=<BackwardHookFunctionBackward>)', 'both')
Pair (tensor([11., 13.]), tensor([7., 9.]), None, None)
     (tensor([1., 1.]), tensor([5., 5.]), None)
Pair (tensor([22., 26.]), None, None, None)
     (tensor([1., 1.]), tensor([5., 5.]), None)
(tensor([22., 26.]), None)
Pair (tensor([1., 1.]), tensor([1., 1.]), None, None)
     (None, tensor([1., 1.]), None)
Pair (tensor([2., 2.]), None, None, None)
     (None, tensor([1., 1.]), None)
tensor([2., 2.])
tensor([3., 8.])"""


@pytest.mark.parametrize("library", ["minigrad", "torch"])
def test_full_backward_hooks(library):
    t = pytest.importorskip(library, reason="the comparison with torch needs torch")
    assert backward_hooks(t) == BACKWARD_HOOKS


@pytest.mark.parametrize("library", ["minigrad", "torch"])
def test_a_backward_hook_where_no_input_requires_a_gradient(library):
    t = pytest.importorskip(library, reason="the comparison with torch needs torch")
    layer, seen = t.nn.Linear(2, 1), []
    layer.register_full_backward_hook(lambda module, *gradients: seen.append(gradients))
    with pytest.warns(UserWarning, match="Full backward hook is firing when"):
        layer(t.ones(1, 2)).sum().backward()
    assert str(seen) == "[((None,), (tensor([[1.]]),))]"
    assert layer.weight.grad.tolist() == [[1.0, 1.0]]


def test_backward_hooks_return_as_many_gradients_as_there_are_arguments():
    layer = nn.Linear(1, 1)
    layer.register_full_backward_hook(lambda module, grad_input, grad_output: (None, None))
    y = layer(minigrad.ones(1, 1, requires_grad=True))
    with pytest.raises(RuntimeError, match="invalid number of grad_input, got 2, but expected 1"):
        y.backward()
    plain = nn.Linear(1, 1)
    plain.register_full_backward_hook(lambda module, grad_input, grad_output: grad_output)
    y = plain(minigrad.ones(1, 1))
    with (
        pytest.warns(UserWarning, match="Full backward hook is firing"),
        pytest.raises(RuntimeError, match="should always return None"),
    ):
        y.backward()


def test_second_derivatives_pass_through_hooked_modules():
    layer = nn.Tanh()
    layer.register_full_backward_hook(lambda module, grad_input, grad_output: None)
    x = minigrad.tensor(0.5, requires_grad=True)
    (slope,) = minigrad.autograd.grad(layer(x), x, create_graph=True)
    (bend,) = minigrad.autograd.grad(slope, x)
    y = np.tanh(0.5)
    assert bend.item() == pytest.approx(-2 * y * (1 - y * y), rel=1e-6)
