"""save and load: what goes round, what is refused, and that files are whole or absent."""

import io
import json
import math
import os
import threading
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

import minigrad
from minigrad import nn
from minigrad.serialization import load, save

DTYPES = ["float32", "float64", "int64", "int32", "int16", "int8", "uint8", "bool"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.npz"


def round_trip(obj, path):
    save(obj, path)
    return load(path)


def same_bits(a, b):
    a, b = a.detach().numpy(), b.detach().numpy()
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def test_a_state_dict_goes_round_and_numpy_reads_it(path):
    net = nn.Sequential(OrderedDict(first=nn.Linear(3, 2), second=nn.Linear(2, 1)))
    state = net.state_dict()
    found = round_trip(state, path)
    assert type(found) is OrderedDict
    assert list(found) == list(state)
    assert all(same_bits(found[key], state[key]) for key in state)
    assert not any(tensor.requires_grad for tensor in found.values())
    twin = nn.Sequential(OrderedDict(first=nn.Linear(3, 2), second=nn.Linear(2, 1)))
    twin.load_state_dict(found)
    x = minigrad.rand(4, 3)
    assert twin(x).tolist() == net(x).tolist()
    with np.load(path, allow_pickle=False) as arrays:
        weight = arrays["first.weight"]
    assert weight.tolist() == net.first.weight.tolist()


@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), (2, 3)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_tensors_keep_dtype_shape_and_bits(dtype, shape, path):
    tensor = minigrad.randint(0, 2, shape).to(getattr(minigrad, dtype))
    found = round_trip(tensor, path)
    assert type(found) is minigrad.Tensor
    assert same_bits(found, tensor)
    assert found.dtype is tensor.dtype


def test_special_values_strided_tensors_and_parameters(path):
    base = minigrad.arange(6.0).reshape(2, 3)
    special = minigrad.tensor([math.nan, math.inf, -math.inf, -0.0])
    parameter = nn.Parameter(base[:, ::2])
    leaf = minigrad.ones(1, requires_grad=True)
    found = round_trip([base.T, special, parameter, nn.Parameter(special, False), leaf], path)
    assert found[0].tolist() == [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]
    assert found[0].is_contiguous()
    assert same_bits(found[1], special)
    assert [type(item) for item in found[2:4]] == [nn.Parameter, nn.Parameter]
    assert [item.requires_grad for item in found] == [False, False, True, False, True]
    found[2].sum().backward()
    assert found[2].grad.tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_nested_containers_of_anything_plain(path):
    checkpoint = {
        "model": nn.Linear(1, 1).state_dict(),
        "optimizer": {
            "state": {0: {"step": minigrad.tensor(3.0), "exp_avg": minigrad.zeros(2)}, 1: {}},
            "param_groups": [{"lr": 1e-3, "betas": (0.9, 0.999), "foreach": None, "params": [0, 1]}],
        },
        "epoch": 3,
        "best": -math.inf,
        "big": 2**80,
        "tiny": 5e-324,
        "name": "Grüße, 世界\n\x00\ud800",
        "flags": [True, False, None, [], (), {}],
        (None): {True: 1, 2.5: 2, "": 3},
        "dtype": minigrad.float64,
        "shape": minigrad.zeros(2, 3).shape,
        "array": np.arange(3, dtype=np.uint16),
        "scalars": [np.float32(0.5), np.int8(3), np.bool_(True)],
    }
    found = round_trip(checkpoint, path)
    for part in ("epoch", "best", "big", "tiny", "name", "flags", None, "shape", "scalars"):
        assert repr(found[part]) == repr(round_trip(checkpoint[part], path))
    assert found["epoch"] == 3
    assert type(found["epoch"]) is int
    assert found["best"] == -math.inf
    assert found["big"] == 2**80
    assert found["tiny"] == 5e-324
    assert found["name"] == checkpoint["name"]
    assert found["flags"] == [True, False, None, [], (), {}]
    assert found[None] == {True: 1, 2.5: 2, "": 3}
    assert [type(key) for key in found[None]] == [bool, float, str]
    assert found["dtype"] is minigrad.float64
    assert repr(found["shape"]) == "torch.Size([2, 3])"
    assert found["array"].dtype == np.uint16
    assert found["array"].tolist() == [0, 1, 2]
    assert found["scalars"] == [0.5, 3, True]
    optimizer = found["optimizer"]
    assert list(optimizer["state"]) == [0, 1]
    assert optimizer["state"][0]["step"].item() == 3.0
    assert optimizer["param_groups"] == checkpoint["optimizer"]["param_groups"]
    assert type(found["model"]) is OrderedDict
    assert type(found) is dict


def test_keys_that_would_clash_or_are_no_file_names(path):
    tensors = {
        "a.b": minigrad.tensor(1.0),
        "a": {"b": minigrad.tensor(2.0)},
        "file": minigrad.tensor(3.0),
        "../up": minigrad.tensor(4.0),
        "": minigrad.tensor(5.0),
        "nul\x00": minigrad.tensor(6.0),
        "minigrad.json": minigrad.tensor(7.0),
        "\ud800": minigrad.tensor(8.0),
        "x" * 70_000: minigrad.tensor(9.0),
        "minigrad": {"json": minigrad.tensor(10.0)},
    }
    found = round_trip(tensors, path)
    assert list(found) == list(tensors)
    values = [
        item["b" if key == "a" else "json"] if isinstance(item, dict) else item for key, item in found.items()
    ]
    assert [value.item() for value in values] == [float(i) for i in range(1, 11)]


def test_shared_memory_stays_shared(path):
    layer = nn.Linear(2, 2)
    tied = nn.Sequential(layer, layer).state_dict()
    found = round_trip(tied, path)
    assert np.shares_memory(found["0.weight"].numpy(), found["1.weight"].numpy())
    assert not np.shares_memory(found["0.weight"].numpy(), found["0.bias"].numpy())
    with zipfile.ZipFile(path) as archive:
        assert len(archive.namelist()) == 3


def test_files_that_are_open_and_equal_files_of_equal_objects():
    files = [io.BytesIO() for _ in range(2)]
    for file in files:
        save({"x": minigrad.ones(2)}, file)
    assert files[0].getvalue() == files[1].getvalue()
    files[0].seek(0)
    assert load(files[0], map_location="cpu", weights_only=True)["x"].tolist() == [1.0, 1.0]


# --------------------------------------------------------------------------------------- refusals
def looped():
    items = [1]
    items.append(items)
    return items


@pytest.mark.parametrize(
    ("obj", "message"),
    [
        (nn.Linear(1, 1), r"a module \(Linear\): the object\n.*state_dict\(\)"),
        ({"a": [{1, 2}]}, r"a set: the object\['a'\]\[0\]\nConvert"),
        ({"best": {"f": len}}, r"a builtin_function_or_method: the object\['best'\]\['f'\]"),
        ({"a": 1j}, r"a complex: the object\['a'\]"),
        ({(1, 2): 3}, r"a dict with a key of type tuple: the object\nKeys must be"),
        ({"a": np.array([None])}, r"an array of dtype object: the object\['a'\]"),
        ({"a": looped()}, r"a container that holds itself: the object\['a'\]\[1\]"),
        ({"a": b"bytes"}, r"a bytes: the object\['a'\]"),
    ],
)
def test_what_cannot_be_saved_says_where_and_leaves_no_file(obj, message, path):
    with pytest.raises(TypeError, match=f"(?s)cannot save {message}"):
        save(obj, path)
    assert list(path.parent.iterdir()) == []


def test_a_container_may_stand_in_two_places(path):
    shared = [1, 2]
    assert round_trip({"a": shared, "b": (shared, shared)}, path) == {
        "a": [1, 2],
        "b": ([1, 2],) * 2,
    }


def damaged(path, **members):
    """A copy of the file with members replaced, or taken out if None."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    contents.update({name.replace("_", "."): content for name, content in members.items()})
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            if content is not None:
                archive.writestr(name, content)


def index_of(obj, version=1):
    return json.dumps({"version": version, "object": obj}).encode()


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"minigrad_json": None}, "was not written by minigrad.save: it has no minigrad.json"),
        ({"minigrad_json": b"{"}, "is damaged"),
        ({"minigrad_json": b"\xff"}, "is damaged"),
        ({"minigrad_json": b"[]"}, "is damaged"),
        ({"minigrad_json": index_of({})}, "is damaged"),
        ({"minigrad_json": index_of({"code": "1 + 1"})}, "is damaged.*unknown kind 'code'"),
        ({"minigrad_json": index_of({"dtype": "float8"})}, "is damaged"),
        ({"minigrad_json": index_of({"array": 3})}, "is damaged"),
        ({"minigrad_json": index_of({"dict": [[[], 1]]})}, "is damaged"),
        ({"minigrad_json": index_of(1, version=99)}, "is of version 99, but this minigrad reads"),
        ({"x_npy": None}, "is damaged.*x.npy"),
        ({"x_npy": b"nonsense"}, "is damaged"),
        ({"x_npy": b""}, "is damaged"),
    ],
)
def test_damaged_files_are_refused(members, message, path):
    save({"x": minigrad.ones(2)}, path)
    damaged(path, **members)
    with pytest.raises(RuntimeError, match=message) as caught:
        load(path)
    assert repr(str(path)) in str(caught.value)


def test_pickled_arrays_are_not_unpickled(path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("code of the file was run",))

    save({"x": minigrad.ones(2)}, path)
    file = io.BytesIO()
    np.save(file, np.array([Trap()]), allow_pickle=True)
    damaged(path, x_npy=file.getvalue())
    with pytest.raises(RuntimeError, match="is damaged: ValueError: Object arrays cannot be loaded"):
        load(path)


def test_files_that_are_something_else(path):
    for content in (b"", b"hello", b"\x80\x04K\x01."):
        path.write_bytes(content)
        with pytest.raises(RuntimeError, match=r"was not written by minigrad.save, or is damaged"):
            load(path)
    save({"x": minigrad.ones(1000)}, path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(RuntimeError, match=r"was not written by minigrad.save, or is damaged"):
        load(path)
    with pytest.raises(FileNotFoundError):
        load(path.with_name("absent"))
    with pytest.raises(RuntimeError, match=r"Parent directory .*absent does not exist"):
        save(1, path.parent / "absent" / "model")
    with pytest.raises(RuntimeError, match="CPU only"):
        load(path, map_location="cuda")


# ------------------------------------------------------------------------------ whole or not at all
def test_a_failed_save_keeps_the_old_file_and_leaves_no_other(path, monkeypatch):
    save({"epoch": 1}, path)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", full)
    with pytest.raises(OSError, match="No space left"):
        save({"epoch": 2, "x": minigrad.ones(2)}, path)
    assert load(path) == {"epoch": 1}
    assert list(path.parent.iterdir()) == [path]


def test_an_interrupted_save_keeps_the_old_file(path, monkeypatch):
    save({"epoch": 1}, path)

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save({"epoch": 2}, path)
    monkeypatch.undo()
    assert load(path) == {"epoch": 1}
    assert list(path.parent.iterdir()) == [path]


def test_a_link_stays_a_link_and_paths_may_be_text(path, monkeypatch):
    path.write_text("old")
    link = path.with_name("link")
    link.symlink_to(path)
    save({"epoch": 1}, str(link))
    assert link.is_symlink()
    assert load(path) == {"epoch": 1}
    monkeypatch.chdir(path.parent)
    save({"epoch": 2}, "model.npz")
    assert load(Path("model.npz")) == {"epoch": 2}


def test_threads_that_save_to_one_path_leave_one_whole_file(path):
    states = [{"x": minigrad.full((1000,), float(i))} for i in range(8)]
    threads = [threading.Thread(target=save, args=(state, path)) for state in states]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = load(path)["x"]
    assert found.tolist() == [found[0].item()] * 1000
    assert list(path.parent.iterdir()) == [path]
