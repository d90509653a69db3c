"""Views share memory and versions; writes through them are seen, and differentiated, everywhere.

Single cases are rows of ops_table; here random programs of views and writes run under torch too.
"""

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

import minigrad as mg

VIEWS = {
    "first row": lambda t: t[0],
    "last row": lambda t: t[-1:],
    "tail": lambda t: t[1:],
    "every second": lambda t: t[::2],
    "last column": lambda t: t[..., -1],
    "new axis": lambda t: t.unsqueeze(0),
    "transpose": lambda t: t.transpose(0, -1),
    "flat": lambda t: t.view(-1),
    "whole": lambda t: t[...],
    "halves": lambda t: t.narrow(0, 0, 1),
    "squeezed": lambda t: t.squeeze(0),
    "alias": lambda t: t.view_as(t),
}
WRITES = {
    "scale": lambda t, w: t.mul_(2),
    "add": lambda t, w: t.add_(w[0]),
    "augmented": lambda t, w: t.__isub__(w[1]),
    "negate": lambda t, w: t.neg_(),
    "copy": lambda t, w: t.copy_(w[2]),
    "fill": lambda t, w: t.fill_(0.5),
    "zero": lambda t, w: t.zero_(),
    "set first": lambda t, w: t.__setitem__(0, w[0] * 3),
    "set all": lambda t, w: t.__setitem__(Ellipsis, w[1]),
    "set from itself": lambda t, w: t.__setitem__(0, t[-1] * 2),
    "double itself": lambda t, w: t.add_(t),
}
STEPS = st.one_of(
    st.tuples(st.just("view"), st.sampled_from(sorted(VIEWS)), st.integers(0, 99)),
    st.tuples(st.just("write"), st.sampled_from(sorted(WRITES)), st.integers(0, 99)),
    st.tuples(st.just("use"), st.just(""), st.integers(0, 99)),
)


def run(m, program):
    """Values, gradients and flags that a program of (kind, name, place) steps leaves, or its error."""
    x = m.from_numpy(np.linspace(-1, 1, 12).reshape(3, 4)).requires_grad_()
    w = m.from_numpy(np.array([0.3, -0.7, 1.9])).requires_grad_()
    tensors, uses = [x * 1, m.zeros(2, 2, dtype=m.float64)], []
    applied = []
    for kind, name, place in program:
        t = tensors[place % len(tensors)]
        if kind == "use":
            uses.append(t * (len(uses) + 2.0))
            continue
        if not t.ndim and (kind == "write" and name.startswith("set f")):
            continue
        try:
            if kind == "view":
                tensors.append(VIEWS[name](t))
            else:
                WRITES[name](t, w)
        except (RuntimeError, IndexError) as error:
            applied.append((name, type(error).__name__))
            if kind == "write":
                return applied[-1]
    results = [*uses, *(t * (i + 1.5) for i, t in enumerate(tensors))]
    total = sum((r * r.detach()).sum() for r in results)
    grads = m.autograd.grad(total, [x, w], allow_unused=True) if total.requires_grad else (None, None)
    values = [r.detach().numpy() for r in results]
    flags = [r.requires_grad for r in results]
    versions = [t._version for t in tensors]
    return values, [None if g is None else g.numpy() for g in grads], flags, applied, versions


@settings(max_examples=250)
@given(st.lists(STEPS, min_size=2, max_size=12))
def test_random_programs_of_views_and_writes_do_what_torch_does(torch, program):
    ours, theirs = run(mg, program), run(torch, program)
    if len(theirs) == 2:  # a write torch refuses, such as a second one through a view of a constant
        reject()
    assert len(ours) == 5, ours
    for a, b in zip(ours[0], theirs[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
    for a, b in zip(ours[1], theirs[1], strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
    assert ours[2:] == theirs[2:]


# The same without torch: a write through views is the write at the places they show.
@settings(max_examples=100)
@given(st.lists(st.sampled_from(sorted(VIEWS)), max_size=4), st.sampled_from([0.0, 2.5]))
def test_a_write_through_a_chain_of_views_has_the_gradient_of_where(chain, value):
    x = mg.from_numpy(np.linspace(-1, 1, 12).reshape(3, 4)).requires_grad_()
    base, places = x * 1, np.arange(12).reshape(3, 4)
    view, seen = base, mg.from_numpy(places)
    for name in chain:
        try:
            view, seen = VIEWS[name](view), VIEWS[name](seen)
        except (RuntimeError, IndexError):
            break
    view.fill_(value)
    written = np.isin(places, seen.numpy())
    np.testing.assert_array_equal(base.detach().numpy(), np.where(written, value, x.detach().numpy()))
    (base * 3).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.where(written, 0.0, 3.0))


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_views_share_memory_base_and_version(name):
    base = mg.zeros(1, 4) if name == "squeezed" else mg.zeros(3, 4)
    view = VIEWS[name](base)
    assert np.shares_memory(base.numpy(), view.numpy())
    assert view._base is base
    view += 1
    assert base._version == view._version == 1
    assert base.sum().item() == view.sum().item() > 0


@pytest.mark.parametrize(
    "copy",
    [
        lambda t: t.clone(),
        lambda t: t[[0]],
        lambda t: t[t > -1],
        lambda t: t[mg.tensor([0])],
        lambda t: t * 1,
        lambda t: t.t().reshape(4),
        lambda t: mg.cat([t]),
        lambda t: t.double(),
    ],
)
def test_copies_share_nothing(copy):
    base = mg.zeros(2, 2)
    made = copy(base)
    made += 1
    assert made._base is None
    assert base._version == 0
    assert base.sum().item() == 0


def test_a_view_of_a_view_has_the_same_base():
    base = mg.zeros(3, 4)
    assert base[1:][0][2:]._base is base
    assert base._base is None


def test_a_view_of_what_was_written_requires_grad():
    base, v = mg.zeros(4), mg.tensor(2.0, requires_grad=True)
    view = base[1:]
    assert not view.requires_grad
    base[2] = v
    assert base.requires_grad
    assert view.requires_grad
    assert view.grad_fn is not None
    (view * mg.tensor([1.0, 10.0, 100.0])).sum().backward()
    assert v.grad.item() == 10.0


def test_in_place_operations_return_their_target_and_keep_its_identity():
    x = mg.ones(2)
    y = x
    x += 1
    assert x is y
    assert x.mul_(2) is y
    assert x.tolist() == [4.0, 4.0]


def test_copying_a_tensor_in_keeps_its_own_gradient_apart():
    a = mg.tensor([1.0, 2.0], requires_grad=True)
    v = a * 2
    x = mg.zeros(2)
    x.copy_(v)
    seen = []
    x.register_hook(lambda g: seen.append(g.tolist()))
    total = (x * 3).sum() + (v * 5).sum()
    (gx,) = mg.autograd.grad(total, x, retain_graph=True)
    assert gx.tolist() == [3.0, 3.0]
    total.backward()
    assert seen == [[3.0, 3.0]] * 2
    assert a.grad.tolist() == [16.0, 16.0]


def test_the_operand_an_in_place_rule_saves_survives_the_change():
    for write in ("pow_", "abs_", "log_", "clamp_", "sqrt_"):
        x = mg.tensor([0.5, 2.0], dtype=mg.float64, requires_grad=True)
        arguments = {"pow_": (3,), "clamp_": (0.0, 1.0)}.get(write, ())
        y = x * 1
        getattr(y, write)(*arguments)
        y.sum().backward()
        z = x.detach().requires_grad_()
        getattr(z, write[:-1])(*arguments).sum().backward()
        np.testing.assert_array_equal(x.grad.numpy(), z.grad.numpy())


def test_leaves_and_their_views_cannot_be_written_to():
    x = mg.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place"):
        x += 1
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place"):
        x[0] = 1
    with pytest.raises(
        RuntimeError, match="a view of a leaf Variable that requires grad is being used in an in-place"
    ):
        x[1:].zero_()
    assert x.tolist() == [1.0, 1.0, 1.0]
    assert x._version == 0
    with mg.no_grad():
        x[1:] = 5
    assert x.tolist() == [1.0, 5.0, 5.0]
    assert x.is_leaf


def test_expanded_memory_cannot_be_written_to():
    x = mg.zeros(1, 3)
    with pytest.raises(
        RuntimeError,
        match="more than one element of the written-to tensor refers to a single memory location",
    ):
        x.expand(2, 3).add_(1)
    assert x.tolist() == [[0.0, 0.0, 0.0]]


def test_reading_and_writing_overlapping_memory():
    x = mg.arange(6)
    x[1:] = x[:-1].clone()
    assert x.tolist() == [0, 0, 1, 2, 3, 4]
    y = mg.arange(6)
    y[1:] = y[:-1]
    assert y.tolist() == [0, 0, 1, 2, 3, 4]


def test_split_chunk_and_unbind_give_views():
    x = mg.arange(6).reshape(3, 2)
    for part in (*x.split(1), *x.chunk(2), *x.unbind(1)):
        assert np.shares_memory(part.numpy(), x.numpy())
    x.unbind()[0].zero_()
    assert x.tolist() == [[0, 0], [2, 3], [4, 5]]
