"""What goes wrong raises torch's exception with torch's first line, and says what to do."""

import re

import numpy as np
import pytest

import minigrad

SECOND_BACKWARD = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have "
    "already been freed). Saved intermediate values of the graph are freed when you call .backward() or "
    "autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or "
    "if you need to access saved tensors after calling backward."
)


def leaf(m, *values):
    return m.tensor(list(values), requires_grad=True)


def second_backward(m):
    y = (leaf(m, 1.0) ** 2).sum()
    y.backward()
    y.backward()


def change_a_leaf(m):
    x = leaf(m, 1.0)
    x += 1


def change_a_saved_result(m):
    y = leaf(m, 1.0, 2.0, 3.0).exp()
    y.add_(1)
    y.sum().backward()


def optimize(m, **options):
    m.optim.SGD([leaf(m, 1.0)], **options)


# name: what to do, the exception, torch's first line (a prefix where ours goes on in another way)
CASES = {
    "backward without a graph": (
        lambda m: m.ones(1).backward(),
        RuntimeError,
        "element 0 of tensors does not require grad and does not have a grad_fn",
    ),
    "backward of a detached loss": (
        lambda m: (leaf(m, 1.0) * 2).detach().backward(),
        RuntimeError,
        "element 0 of tensors does not require grad and does not have a grad_fn",
    ),
    "backward of several elements": (
        lambda m: (leaf(m, 1.0, 2.0) * 2).backward(),
        RuntimeError,
        "grad can be implicitly created only for scalar outputs",
    ),
    "a second backward": (second_backward, RuntimeError, SECOND_BACKWARD),
    "a leaf changed in place": (
        change_a_leaf,
        RuntimeError,
        "a leaf Variable that requires grad is being used in an in-place operation.",
    ),
    "a saved result changed in place": (
        change_a_saved_result,
        RuntimeError,
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        "[torch.FloatTensor [3]], which is output 0 of Exp",
    ),
    "numpy of a tensor that requires grad": (
        lambda m: leaf(m, 1.0).numpy(),
        RuntimeError,
        "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.",
    ),
    "np.asarray of a tensor that requires grad": (
        lambda m: np.asarray(leaf(m, 1.0)),
        RuntimeError,
        "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.",
    ),
    "gradients of integers": (
        lambda m: m.tensor([1], requires_grad=True),
        RuntimeError,
        "Only Tensors of floating point and complex dtype can require gradients",
    ),
    "a cotangent of another shape": (
        lambda m: (leaf(m, 1.0, 2.0, 3.0) * 2).backward(m.ones(2)),
        RuntimeError,
        "Mismatch in shape: grad_output[0] has a shape of torch.Size([2]) and output[0] has a shape of "
        "torch.Size([3]).",
    ),
    "matmul of unfit matrices": (
        lambda m: m.ones(4, 5) @ m.ones(3, 2),
        RuntimeError,
        "mat1 and mat2 shapes cannot be multiplied (4x5 and 3x2)",
    ),
    "linear of another dtype": (
        lambda m: m.nn.Linear(3, 2)(m.ones(1, 3, dtype=m.float64)),
        RuntimeError,
        "mat1 and mat2 must have the same dtype, but got Double and Float",
    ),
    "linear of another size": (
        lambda m: m.nn.Linear(3, 2)(m.ones(4, 5)),
        RuntimeError,
        "mat1 and mat2 shapes cannot be multiplied (4x5 and 3x2)",
    ),
    "shapes that do not broadcast": (
        lambda m: m.ones(3) + m.ones(4),
        RuntimeError,
        "The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 0",
    ),
    "item of several elements": (
        lambda m: m.ones(3).item(),
        RuntimeError,
        "a Tensor with 3 elements cannot be converted to Scalar",
    ),
    "float of several elements": (
        lambda m: float(m.ones(3)),
        ValueError,
        "only one element tensors can be converted to Python scalars",
    ),
    "the truth of several elements": (
        lambda m: bool(m.ones(2) > 0),
        RuntimeError,
        "Boolean value of Tensor with more than one value is ambiguous",
    ),
    "the truth of nothing": (
        lambda m: bool(m.ones(0)),
        RuntimeError,
        "Boolean value of Tensor with no values is ambiguous",
    ),
    "len of a 0-d tensor": (lambda m: len(m.tensor(1.0)), TypeError, "len() of a 0-d tensor"),
    "iterating a 0-d tensor": (lambda m: list(m.tensor(1.0)), TypeError, "iteration over a 0-d tensor"),
    "subtracting masks": (
        lambda m: m.tensor([True]) - m.tensor([True]),
        RuntimeError,
        "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
        "`logical_xor()` operator instead.",
    ),
    "negating a mask": (
        lambda m: -m.tensor([True]),
        RuntimeError,
        "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, "
        "use the `~` or `logical_not()` operator instead.",
    ),
    "the mean of integers": (
        lambda m: m.tensor([1, 2]).mean(),
        RuntimeError,
        "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. "
        "Got: Long",
    ),
    "softmax of integers": (
        lambda m: m.softmax(m.tensor([1, 2]), 0),
        NotImplementedError,
        "\"softmax_lastdim_kernel_impl\" not implemented for 'Long'",
    ),
    "a dimension that is not there": (
        lambda m: m.ones(2, 3).sum(2),
        IndexError,
        "Dimension out of range (expected to be in range of [-2, 1], but got 2)",
    ),
    "a reshape that does not fit": (
        lambda m: m.ones(2, 3).reshape(4),
        RuntimeError,
        "shape '[4]' is invalid for input of size 6",
    ),
    "a class index out of range": (
        lambda m: m.nn.functional.cross_entropy(m.ones(1, 5), m.tensor([5])),
        IndexError,
        "Target 5 is out of bounds.",
    ),
    "a probability outside [0, 1]": (
        lambda m: m.nn.functional.binary_cross_entropy(m.tensor([1.2]), m.tensor([1.0])),
        RuntimeError,
        "all elements of input should be between 0 and 1",
    ),
    "an unused input": (
        lambda m: m.autograd.grad(leaf(m, 1.0) * 2, leaf(m, 1.0)),
        RuntimeError,
        "The differentiated Tensor at index 0 appears to not have been used in the graph. Set "
        "allow_unused=True if this is the desired behavior.",
    ),
    "an input without gradient": (
        lambda m: m.autograd.grad(leaf(m, 1.0) * 2, m.ones(1)),
        RuntimeError,
        "One of the differentiated Tensors does not require grad",
    ),
    "a grad that is no tensor": (
        lambda m: setattr(leaf(m, 1.0), "grad", 5),
        TypeError,
        "assigned grad expected to be a Tensor or None but got grad of type",
    ),
    "switching off the gradient of a result": (
        lambda m: (leaf(m, 1.0) * 2).requires_grad_(False),
        RuntimeError,
        "you can only change requires_grad flags of leaf variables.",
    ),
    "copying a result deeply": (
        lambda m: __import__("copy").deepcopy(leaf(m, 1.0) * 2),
        RuntimeError,
        "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the "
        "moment.",
    ),
    "an in-place result of another shape": (
        lambda m: m.ones(3).add_(m.ones(2, 3)),
        RuntimeError,
        "output with shape [3] doesn't match the broadcast shape [2, 3]",
    ),
    "an in-place result of another kind": (
        lambda m: m.tensor([1]).add_(0.5),
        RuntimeError,
        "result type Float can't be cast to the desired output type Long",
    ),
    "where without a mask": (
        lambda m: m.where(m.ones(2), m.ones(2), m.ones(2)),
        RuntimeError,
        "expected condition to be a boolean tensor, but got a tensor with dtype Float",
    ),
    "a negative size": (
        lambda m: m.ones(-1),
        RuntimeError,
        "Trying to create tensor with negative dimension -1: [-1]",
    ),
    "an empty range backwards": (
        lambda m: m.arange(3, 1),
        RuntimeError,
        "upper bound and lower bound inconsistent with step sign",
    ),
    "a range with step 0": (lambda m: m.arange(0, 3, 0), RuntimeError, "step must be nonzero"),
    "from_numpy of a list": (lambda m: m.from_numpy([1]), TypeError, "expected np.ndarray (got list)"),
    "an integer to a negative power": (
        lambda m: m.tensor([2]) ** -1,
        RuntimeError,
        "Integers to negative integer powers are not allowed.",
    ),
    "random numbers of a negative size": (
        lambda m: m.rand(2, -1),
        RuntimeError,
        "Trying to create tensor with negative dimension -1: [2, -1]",
    ),
    "randint from above to below": (
        lambda m: m.randint(3, 3, (2,)),
        RuntimeError,
        "random_ expects 'from' to be less than 'to'",
    ),
    "normal with a negative deviation": (
        lambda m: m.normal(0.0, -1.0, (2,)),
        RuntimeError,
        "normal expects std >= 0.0, but found std -1",
    ),
    "bernoulli of what is no probability": (
        lambda m: m.bernoulli(m.tensor([1.5])),
        RuntimeError,
        "Expected p_in >= 0 && p_in <= 1 to be true, but got false.",
    ),
    "an optimiser without parameters": (
        lambda m: m.optim.SGD([], lr=0.1),
        ValueError,
        "optimizer got an empty parameter list",
    ),
    "a negative learning rate": (
        lambda m: optimize(m, lr=-0.1),
        ValueError,
        "Invalid learning rate: -0.1",
    ),
    "optimising a result": (
        lambda m: m.optim.SGD([leaf(m, 1.0) * 2], lr=0.1),
        ValueError,
        "can't optimize a non-leaf Tensor",
    ),
    "optimising a bare tensor": (
        lambda m: m.optim.SGD(leaf(m, 1.0), lr=0.1),
        TypeError,
        "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
        "torch.FloatTensor",
    ),
    "a 0-d index too far": (
        lambda m: m.tensor(1.0)[0],
        IndexError,
        "invalid index of a 0-dim tensor.",
    ),
    "an operand that is no number": (
        lambda m: m.ones(2) + "a",
        TypeError,
        "unsupported operand type(s) for +: 'Tensor' and 'str'",
    ),
    "comparing with nothing": (
        lambda m: m.ones(2) < None,
        TypeError,
        "'<' not supported between instances of 'Tensor' and 'NoneType'",
    ),
    "an index that is a float": (
        lambda m: range(3)[m.tensor(1.0)],
        TypeError,
        "only integer tensors of a single element can be converted to an index",
    ),
}
every_case = pytest.mark.parametrize("name", CASES)


@every_case
def test_the_exception_and_its_first_line(name):
    call, kind, text = CASES[name]
    with pytest.raises(kind, match=re.escape(text)) as caught:
        call(minigrad)
    assert type(caught.value) is kind
    assert str(caught.value).startswith(text)


@every_case
def test_live_torch_says_the_same(name, torch):
    call, kind, text = CASES[name]
    with pytest.raises(kind) as caught:
        call(torch)
    assert text in str(caught.value).split("\n")[0]
    assert type(caught.value) is kind


@every_case
def test_an_error_leaves_nothing_behind(name):
    call, kind, _ = CASES[name]
    for _ in range(2):
        with pytest.raises(kind):
            call(minigrad)
    assert minigrad.is_grad_enabled()
    x = minigrad.tensor(2.0, requires_grad=True)
    (x * x).backward()
    assert x.grad.item() == 4.0


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("backward without a graph", "requires_grad=True"),
        ("backward of several elements", "loss.mean()"),
        ("a leaf changed in place", "no_grad()"),
        ("a saved result changed in place", "clone()"),
        ("gradients of integers", ".float()"),
        ("matmul of unfit matrices", "transpose"),
        ("linear of another dtype", ".float()"),
        ("shapes that do not broadcast", "unsqueeze()"),
        ("item of several elements", ".tolist()"),
        ("the truth of several elements", ".any()"),
        ("the mean of integers", ".float()"),
        ("a reshape that does not fit", "[2, 3]"),
        ("a second backward", "PowBackward0"),
        ("an integer to a negative power", ".float()"),
    ],
)
def test_an_error_says_what_to_do(name, hint):
    call, kind, _ = CASES[name]
    with pytest.raises(kind, match=re.escape(hint)):
        call(minigrad)


@pytest.mark.parametrize(
    ("where", "name", "nearest"),
    [
        (minigrad, "softmx", "softmax"),
        (minigrad.nn, "Relu", "ReLU"),
        (minigrad.nn.functional, "crossentropy", "cross_entropy"),
        (minigrad.optim, "adam_w", "AdamW"),
        (minigrad.ones(2), "reshap", "reshape"),
    ],
)
def test_a_missing_name_is_an_attribute_error_that_names_the_nearest(where, name, nearest):
    with pytest.raises(AttributeError, match=f"the nearest name is '{nearest}'") as caught:
        getattr(where, name)
    assert caught.value.name == name
    with pytest.raises(AttributeError) as caught:
        getattr(where, "q" * 8)
    assert "nearest" not in str(caught.value)
