"""Read the tensors of a PyTorch state dict with NumPy alone: no PyTorch, and no code of the file is run.

Such a file is a pickle, and kerasgan unpickles nothing of its own, because a pickle may call any function. This reader
is safe all the same: its unpickler knows only the names in `_Unpickler.find_class`, a dictionary and stand-ins that
record which bytes a tensor is made of, and refuses every other name before anything is called. Files that kerasgan
downloads are compared with a pinned SHA-256 besides.
"""

import io
import math
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import NamedTuple

import numpy as np

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_STORAGES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


def read(path: "str | Path") -> dict[str, np.ndarray]:
    """Return the tensors of a state dict by name, float32 or int64.

    Both formats of `torch.save` are read: the zip file of PyTorch 1.6 and later, and the sequence of pickles before.

    Args:
        path: the file, usually .pth or .pt.

    Raises:
        ValueError: the file is damaged, is no state dict of float32 and int64 tensors, or names a function or type that
            such a state dict does not need.
    """
    try:
        with open(path, "rb") as file:
            zipped = file.read(4) == b"PK\x03\x04"
            file.seek(0)
            state, storages = _read_zip(file) if zipped else _read_legacy(file)
        if not isinstance(state, dict) or not all(isinstance(tensor, _Tensor) for tensor in state.values()):
            raise ValueError("it holds something else than named tensors")
        return {str(name): tensor.array(storages[tensor.storage.key]) for name, tensor in state.items()}
    except FileNotFoundError as error:
        raise ValueError(f"There is no file {path}.") from error
    # A damaged pickle may raise any of many errors.
    except Exception as error:
        raise ValueError(f"{path} cannot be read as a PyTorch state dict: {error or type(error).__name__}.") from error


class _Storage(NamedTuple):
    """A flat run of numbers, known before its bytes are read."""

    dtype: np.dtype
    key: str
    count: int

    def array(self, data: bytes) -> np.ndarray:
        if len(data) != self.count * self.dtype.itemsize:
            raise ValueError(f"storage {self.key} has {len(data)} bytes; expected {self.count * self.dtype.itemsize}")
        return np.frombuffer(data, self.dtype)


class _Tensor(NamedTuple):
    """A view of a storage."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self, numbers: np.ndarray) -> np.ndarray:
        last = self.offset + sum((size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True))
        size = math.prod(self.shape)
        # Strides of 0 could make a few numbers fill the memory.
        if min((self.offset, *self.shape, *self.strides)) < 0 or size > len(numbers) or (size and last >= len(numbers)):
            raise ValueError("a tensor reaches beyond its storage")
        strides = [stride * numbers.itemsize for stride in self.strides]
        return np.lib.stride_tricks.as_strided(numbers[self.offset :], self.shape, strides, writeable=False).copy()


class _Unpickler(pickle.Unpickler):
    def __init__(self, file):
        super().__init__(file, encoding="utf-8")
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str):
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *unused: _Tensor(storage, offset, shape, strides)
        if module == "torch" and name in _STORAGES:
            # The name and no dtype: a pickle may set the state of whatever it gets hold of.
            return name
        raise ValueError(f"it asks for {module}.{name}, which a state dict of float32 or int64 tensors does not need")

    def persistent_load(self, identity) -> _Storage:
        _, kind, key, _, count, *_ = identity
        return self.storages.setdefault(key, _Storage(_STORAGES[kind], key, count))


def _read_zip(file) -> tuple[dict, dict[str, np.ndarray]]:
    with zipfile.ZipFile(file) as archive:
        pickled = next((name for name in archive.namelist() if name.endswith("/data.pkl")), None)
        if pickled is None:
            raise ValueError("it is a zip file without data.pkl")
        folder = pickled.removesuffix("data.pkl")
        if f"{folder}byteorder" in archive.namelist() and archive.read(f"{folder}byteorder") != b"little":
            raise ValueError("its numbers are not little-endian")
        unpickler = _Unpickler(io.BytesIO(archive.read(pickled)))
        state = unpickler.load()
        storages = {
            key: storage.array(archive.read(f"{folder}data/{key}")) for key, storage in unpickler.storages.items()
        }
    return state, storages


def _read_legacy(file) -> tuple[dict, dict[str, np.ndarray]]:
    # magic number, protocol, system, state dict, keys; then for each key the number of numbers and the numbers.
    if _Unpickler(file).load() != _MAGIC or _Unpickler(file).load() != _PROTOCOL:
        raise ValueError("it does not begin as one")
    if not _Unpickler(file).load().get("little_endian", True):
        raise ValueError("its numbers are not little-endian")
    unpickler = _Unpickler(file)
    state = unpickler.load()
    storages = {}
    for key in _Unpickler(file).load():
        storage = unpickler.storages[key]
        if int.from_bytes(file.read(8), "little") != storage.count:
            raise ValueError(f"storage {key} is damaged")
        storages[key] = storage.array(file.read(storage.count * storage.dtype.itemsize))
    return state, storages
