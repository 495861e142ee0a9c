""".keras files that are damaged, odd or hostile: one clear line each, at once, and nothing built."""

import json
import os
import shutil
import zipfile

import keras
import numpy as np
import pytest
from attack_tools import config, refused

from kerasgan.runs import loading


def packed(**changes):
    """Write the members of a .keras file again, some of them changed; None leaves one out."""

    def damage(path):
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        for name, change in changes.items():
            name = {"config": "config.json", "weights": "model.weights.h5", "metadata": "metadata.json"}[name]
            members[name] = change(members[name]) if change else None
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in members.items():
                if content is not None:
                    archive.writestr(name, content)

    return damage


def flipped(place):
    def damage(path):
        content = bytearray(path.read_bytes())
        content[int(place * len(content))] ^= 4
        path.write_bytes(content)

    return damage


def changed(change):
    return packed(config=lambda content: json.dumps(change(json.loads(content))).encode())


def bloated(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "{}")
        with archive.open("model.weights.h5", "w") as file:
            for _ in range(100):
                file.write(bytes(2**20))


LAMBDA = {
    "module": "keras.layers",
    "class_name": "Lambda",
    "config": {"name": "x", "function": {"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}},
    "registered_name": None,
}
KERAS_FILES = [
    *[(lambda path, v=v: path.write_bytes(v), "no .keras file") for v in (b"", b"x", b"PK\x03\x04", bytes(10_000))],
    (lambda path: path.write_bytes(path.read_bytes()[:-1000]), "no .keras file"),
    (lambda path: path.write_bytes(path.read_bytes()[1000:]), "no .keras file"),
    (packed(config=None), "no config.json inside"),
    (packed(weights=None), "no model.weights.h5 inside"),
    *[
        (packed(config=lambda _, v=v: v), "JSON|UTF-8|utf-8|names no class|nested")
        for v in (b"", b"[]", b"{", b"{}", b"3", b"\xff", b"[" * 10**5)
    ],
    (packed(config=lambda _: b" " * (2**24 + 1)), "has 16,777,217 bytes|unpacks to"),
    *[(packed(weights=lambda _, v=v: v), "damaged") for v in (b"", b"x" * 5000)],
    (packed(weights=lambda content: content[:-3000]), "damaged|cannot be loaded"),
    (bloated, "unpacks to"),
    *[(flipped(place), "damaged|no .keras file") for place in np.linspace(0.03, 0.95, 24)],
    *[
        (changed(config(**{key: v})), "cannot be loaded")
        for key in ("base_filters", "latent_dim")
        for v in (10**8, -1, "x", 9)
    ],
    (changed(lambda c: c | {"registered_name": "kerasgan>Nothing"}), "not known here"),
    (changed(lambda c: c | {"registered_name": None}), "not a model of kerasgan"),
    *[
        (changed(lambda c, v=v: c | {"compile_config": v}), "cannot be loaded")
        for v in (3, "x", {"d_optimizer": 3}, {"x": 1})
    ],
    (changed(lambda c: c | {"compile_config": c["compile_config"] | {"loss": LAMBDA}}), "cannot be loaded"),
]


@pytest.mark.parametrize(("damage", "message"), KERAS_FILES)
def test_a_keras_file_that_is_damaged_or_not_ours(made, tmp_path, damage, message):
    path = shutil.copy(made / "tiny.keras", tmp_path / "damaged.keras")
    damage(path)
    refused(message, loading.load, path)
    assert list(tmp_path.iterdir()) == [path]


def test_keras_files_that_are_no_files_or_of_others(tmp_path):
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "other.keras")
    refused("holds a Sequential, which is not a model of kerasgan", loading.load, tmp_path / "other.keras")
    os.mkfifo(tmp_path / "pipe.keras")
    refused("is a named pipe", loading.load, tmp_path / "pipe.keras")
    (tmp_path / "folder.keras").mkdir()
    refused("is a folder", loading.load, tmp_path / "folder.keras")
    refused("no file", loading.load, tmp_path / "nothing.keras")
