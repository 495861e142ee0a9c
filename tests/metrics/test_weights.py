import io
import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import keras
import numpy as np
import pytest

from kerasgan.metrics import torch_file, weights
from kerasgan.support import cache, files

UNREACHABLE = "http://127.0.0.1:9/absent.pth"


class Global(tuple):
    """A name that the pickle looks up: (module, name)."""


class Pickler(pickle._Pickler):
    """Writes arrays as PyTorch writes tensors, without PyTorch."""

    dispatch = pickle._Pickler.dispatch.copy()

    def __init__(self, file, legacy):
        super().__init__(file, protocol=2)
        self.legacy = legacy
        self.storages = []

    def persistent_id(self, value):
        if not isinstance(value, memoryview):
            return None
        storage = value.obj
        if not any(storage is known for known in self.storages):
            self.storages.append(storage)
        key = next(str(i) for i, known in enumerate(self.storages) if known is storage)
        kind = {"f4": "FloatStorage", "i8": "LongStorage"}[storage.dtype.str[1:]]
        return ("storage", Global(("torch", kind)), key, "cpu", storage.size) + (None,) * self.legacy

    def save_global_name(self, name):
        self.write("c{}\n{}\n".format(*name).encode())

    def save_tensor(self, array):
        storage = array if array.base is None else array.base
        offset = (array.ctypes.data - storage.ctypes.data) // array.itemsize
        strides = tuple(stride // array.itemsize for stride in array.strides)
        self.save(Global(("torch._utils", "_rebuild_tensor_v2")))
        self.save((memoryview(storage), offset, array.shape, strides, False, OrderedDict()))
        self.write(pickle.REDUCE)

    dispatch[Global] = save_global_name
    dispatch[np.ndarray] = save_tensor


def pickled(value, legacy=True):
    file = io.BytesIO()
    pickler = Pickler(file, legacy)
    pickler.dump(value)
    return file.getvalue(), pickler.storages


def write_legacy(path, state):
    data, storages = pickled(state)
    system = {"protocol_version": 1001, "little_endian": True}
    head = [pickled(value)[0] for value in (0x1950A86A20F9469CFC6C, 1001, system)]
    keys = pickled([str(key) for key in range(len(storages))])[0]
    raw = [storage.size.to_bytes(8, "little") + storage.tobytes() for storage in storages]
    path.write_bytes(b"".join([*head, data, keys, *raw]))


def write_zip(path, state):
    data, storages = pickled(state, legacy=False)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", data)
        archive.writestr("archive/byteorder", "little")
        for key, storage in enumerate(storages):
            archive.writestr(f"archive/data/{key}", storage.tobytes())


both_formats = pytest.mark.parametrize("write", [write_legacy, write_zip])


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


@both_formats
def test_state_dicts_are_read_without_torch(write, tmp_path):
    kernel = numbers(2, 3, 4)
    state = OrderedDict(a=kernel, count=np.array(7), transposed=kernel.T, part=kernel[1:, ::2], empty=numbers(0, 3))
    state._metadata = OrderedDict(version=1)
    write(tmp_path / "state.pth", state)
    read = torch_file.read(tmp_path / "state.pth")
    assert list(read) == list(state)
    for name, expected in state.items():
        np.testing.assert_array_equal(read[name], expected, strict=True)


class Evil:
    """Calls a function when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@both_formats
def test_no_code_of_the_file_is_run(write, tmp_path):
    made = tmp_path / "made"
    # The pickle means what it should: an ordinary unpickler does call the function.
    pickle.loads(pickled(Evil(made))[0])
    made.rmdir()
    write(tmp_path / "state.pth", {"a": numbers(2), "b": Evil(made)})
    with pytest.raises(ValueError, match=r"asks for \w+\.mkdir"):
        torch_file.read(tmp_path / "state.pth")
    (tmp_path / "first.pth").write_bytes(pickled(Evil(made))[0])
    with pytest.raises(ValueError, match=r"asks for \w+\.mkdir"):
        torch_file.read(tmp_path / "first.pth")
    assert not made.exists()


@both_formats
def test_damaged_files(write, tmp_path):
    path = tmp_path / "state.pth"
    write(path, {"a": numbers(50), "b": numbers(40, 2)})
    data = path.read_bytes()
    for length in (0, 3, 40, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:length])
        with pytest.raises(ValueError, match="cannot be read as a PyTorch state dict"):
            torch_file.read(path)


def test_files_that_are_no_state_dict(tmp_path):
    path = tmp_path / "state.pth"
    write_legacy(path, [numbers(2)])
    with pytest.raises(ValueError, match="something else than named tensors"):
        torch_file.read(path)
    write_legacy(path, {"epoch": 3})
    with pytest.raises(ValueError, match="something else than named tensors"):
        torch_file.read(path)
    with pytest.raises(ValueError, match="no file"):
        torch_file.read(tmp_path / "absent.pth")


def test_tensors_stay_within_their_storage(tmp_path):
    path = tmp_path / "state.pth"
    write_legacy(path, {"a": numbers(6)})
    # The shape (6,) becomes (7,): one number more than there are.
    assert path.read_bytes().count(b"K\x06\x85") == 1
    path.write_bytes(path.read_bytes().replace(b"K\x06\x85", b"K\x07\x85"))
    with pytest.raises(ValueError, match="beyond its storage"):
        torch_file.read(path)


def tiny_state():
    """A state dict with the modules of the network, each a 1x3 convolution from 2 to 4 channels."""
    state = {"fc.weight": numbers(5, 4), "fc.bias": numbers(5)}
    for seed, module in enumerate(weights.MODULES.values()):
        state[f"{module}.conv.weight"] = numbers(4, 2, 1, 3, seed=seed)
        for offset, name in enumerate(("weight", "bias", "running_mean", "running_var"), 1):
            state[f"{module}.bn.{name}"] = abs(numbers(4, seed=1000 * offset + seed))
    return state


def test_batch_norms_are_folded_into_convolutions():
    state = tiny_state()
    arrays = weights.convert(state)
    module = "Mixed_7c.branch3x3dbl_3b"
    images = numbers(2, 1, 7, 2, seed=5)
    plain = keras.layers.Conv2D(4, (1, 3), use_bias=False)
    norm = keras.layers.BatchNormalization(epsilon=1e-3)
    norm(plain(images))
    plain.set_weights([state[f"{module}.conv.weight"].transpose(2, 3, 1, 0)])
    norm.set_weights([state[f"{module}.bn.{name}"] for name in ("weight", "bias", "running_mean", "running_var")])
    folded = keras.layers.Conv2D(4, (1, 3))
    folded.build(images.shape)
    folded.set_weights([arrays[f"mixed_10_tower_1_mixed_conv_1/{name}"] for name in ("kernel", "bias")])
    np.testing.assert_allclose(folded(images), norm(plain(images), training=False), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(arrays["softmax/kernel"], state["fc.weight"].T)


def test_the_state_dict_of_another_network_is_refused():
    state = tiny_state()
    del state["Mixed_6e.branch_pool.bn.running_var"]
    with pytest.raises(ValueError, match=r"has no 'Mixed_6e\.branch_pool\.bn\.running_var'"):
        weights.convert(state)


@pytest.fixture
def origin(tmp_path, monkeypatch):
    """A state dict to fetch, and an empty cache."""
    path = tmp_path / "origin" / "state.pth"
    path.parent.mkdir()
    write_legacy(path, tiny_state())
    monkeypatch.setattr(weights, "URL", path.as_uri())
    monkeypatch.setattr(weights, "SHA256", files.sha256(path))
    monkeypatch.delenv(weights.VARIABLE, raising=False)
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    return path


def test_weights_are_fetched_once_and_damage_is_repaired(origin, capsys):
    loaded = weights.load()
    assert loaded.path == cache.folder() / "weights" / "state.pth"
    assert loaded.sha256 == files.sha256(origin)
    assert loaded.arrays.keys() == weights.convert(tiny_state()).keys()
    loaded.path.write_bytes(origin.read_bytes()[:-1])
    assert weights.load().sha256 == files.sha256(origin)
    assert [path for path, _ in cache.entries()] == [loaded.path]
    capsys.readouterr()
    origin.unlink()
    weights.load()
    assert capsys.readouterr().out == ""


def test_a_file_with_another_hash_is_not_kept(origin):
    origin.write_bytes(origin.read_bytes() + b"more")
    with pytest.raises(ValueError, match=f"bytes came with sha256 {files.sha256(origin)}.*{weights.SHA256}"):
        weights.load()
    assert cache.entries() == []


def test_without_a_network_the_error_says_what_to_do(origin, monkeypatch):
    monkeypatch.setattr(weights, "URL", UNREACHABLE)
    with pytest.raises(ValueError, match=f"{UNREACHABLE} could not be fetched") as caught:
        weights.load()
    for part in (weights.SHA256, str(cache.folder() / "weights" / "absent.pth"), weights.VARIABLE):
        assert part in str(caught.value)
    assert cache.entries() == []


def test_the_variable_names_a_local_file(origin, tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "URL", UNREACHABLE)
    path = tmp_path / "partial.npz"
    np.savez(path, **{"conv/kernel": numbers(3, 3, 3, 2), "conv/bias": numbers(2), "graph_json": "[]"})
    monkeypatch.setenv(weights.VARIABLE, str(path))
    loaded = weights.load()
    assert loaded.sha256 == files.sha256(path)
    assert set(loaded.arrays) == {"conv/kernel", "conv/bias"}
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match=r"cannot be read as an \.npz file"):
        weights.load()
    monkeypatch.setenv(weights.VARIABLE, str(tmp_path / "absent.npz"))
    with pytest.raises(ValueError, match=r"names .*absent\.npz, which is no file"):
        weights.load()
    assert not Path(cache.folder()).exists()


def test_pickled_arrays_are_refused(tmp_path):
    path = tmp_path / "evil.npz"
    np.savez(path, **{"conv/kernel": np.array([Evil(tmp_path / "made")], dtype=object)})
    with pytest.raises(ValueError, match="cannot be read"):
        weights.read(path)
    assert not (tmp_path / "made").exists()
