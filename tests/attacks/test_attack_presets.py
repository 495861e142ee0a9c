"""Presets that are damaged, odd or hostile: one clear line each, at once, and nothing built."""

import json
import os
import shutil
import zipfile

import h5py
import keras
import numpy as np
import pytest
from attack_tools import TINY, config, refused

import kerasgan
from kerasgan import presets
from kerasgan.runs import loading
from kerasgan.support import files


def read(folder):
    return json.loads((folder / "metadata.json").read_text())


def metadata(**changes):
    """Change keys of metadata.json; None removes one."""

    def damage(folder):
        content = read(folder) | changes
        (folder / "metadata.json").write_text(json.dumps({k: v for k, v in content.items() if v is not None}))

    return damage


def raw(content):
    return lambda folder: (folder / "metadata.json").write_bytes(content)


def listed(**changes):
    """Change entries of the sha256 list; None removes one."""

    def damage(folder):
        hashes = read(folder)["sha256"] | changes
        metadata(sha256={name: value for name, value in hashes.items() if value is not None})(folder)

    return damage


def linked_out(name):
    def damage(folder):
        shutil.move(folder / name, folder.parent / "outside")
        (folder / name).symlink_to(folder.parent / "outside")

    return damage


def replaced(name, make):
    def damage(folder):
        os.remove(folder / name)
        make(folder / name)

    return damage


REQUIRED = ("name", "model", "parameters", "sha256")
WEIGHTS = ("generator.weights.h5", "discriminator.weights.h5")
METADATA = [
    *[(raw(text), "Cannot read") for text in (b"", b"{", b"[]", b"3", b'"x"', b"null", b"NaN", b"\xff\xfe{}", b"\0")],
    (raw(b"[" * 100_000 + b"]" * 100_000), "nested too deeply"),
    (raw(b'{"a":' * 500 + b"1" + b"}" * 500), "nested more than 100 deep"),
    (raw(b" " * (2**24 + 1)), "at most 16,777,216 are read"),
    *[(metadata(format_version=v), "format.version") for v in (-5, 0, 2, 99, 10**30, 1.0, True, "1", [1], {})],
    *[(metadata(**{key: v}), f"needs {key}") for key in REQUIRED for v in (None, 1.5, [], False, 7)],
    *[(metadata(results=v), "needs results|results that are no objects") for v in ({}, "x", 1, [1], [[]], ["x"])],
    *[(metadata(training=v), "needs training") for v in ("x", [], 1)],
    *[(metadata(parameters={"generator": v}), "parameters with 'generator'") for v in ("many", None, 1.5, True, [])],
    (metadata(sha256={}), "lists no sha256 of"),
    *[(listed(**{name: None}), f"lists no sha256 of '{name}'") for name in ("config.json", "golden.npz", *WEIGHTS)],
    *[(listed(**{"config.json": v}), "sha256 with 'config.json'") for v in (7, [], {}, True)],
    *[
        (listed(**{name: "0" * 64}), "not the name of a file in it")
        for name in ("../../etc/hostname", "/etc/hostname", "..", ".", "", "a/b", "a\\b", "C:x", "x\0y", "tiny/")
    ],
    (listed(missing="0" * 64), "missing is missing|file missing"),
    *[(listed(**{"config.json": v}), "config.json.*is damaged") for v in ("0" * 64, "", "x")],
    (metadata(parameters={"other": 1}), "lists no sha256 of 'other.weights.h5'"),
    (metadata(parameters={"../x": 1}), "lists no sha256 of"),
    *[(linked_out(name), "symbolic link out") for name in ("metadata.json", "config.json", "golden.npz", *WEIGHTS)],
    *[
        (replaced(name, os.mkfifo), "is missing|not a preset")
        for name in ("config.json", "golden.npz", "metadata.json")
    ],
    *[(replaced(name, os.mkdir), "is missing|not a preset") for name in ("config.json", *WEIGHTS)],
]


@pytest.mark.parametrize(("damage", "message"), METADATA)
def test_a_preset_that_lies_about_its_files(folder, damage, message):
    damage(folder)
    before = sorted(folder.parent.rglob("*"))
    refused(message, presets.from_preset, folder)
    assert sorted(folder.parent.rglob("*")) == before


def seal(folder):
    """Bring the sha256 list up to date, as whoever makes a hostile preset does."""
    metadata(sha256={name: files.sha256(folder / name) for name in read(folder)["sha256"]})(folder)


def nested(depth):
    inner = []
    for _ in range(depth):
        inner = [inner]
    return inner


TOO_LARGE = "asks for more weights than its files hold"
CONFIGS = [
    *[
        (lambda _, v=v: v, "Cannot read|JSON object|is damaged")
        for v in ([], 3, "x", None, {}, {"config": {}}, {"class_name": "DCGAN"})
    ],
    *[(lambda c, v=v: c | {"config": v}, "names no class") for v in ([], 3, "x", None)],
    *[(lambda c, v=v: c | {"class_name": v}, "names no class") for v in ([], 3, None)],
    *[(lambda c, v=v: c | {"registered_name": v}, "not a model of kerasgan") for v in (None, 3, [], "", "Dense", {})],
    *[(lambda c, v=v: c | {"registered_name": v}, "not known here") for v in ("own>DCGAN", "kerasgan>Nothing", "a>b")],
    *[(lambda c, v=v: c | {"registered_name": v}, "not a model") for v in ("kerasgan>Hinge", "kerasgan>R1")],
    (lambda c: keras.saving.serialize_keras_object(keras.layers.Dense(10**9)), "holds a Dense"),
    (lambda c: c | {"registered_name": None, "module": "os", "class_name": "system"}, "holds a system"),
    *[(config(base_filters=v), TOO_LARGE) for v in (10**4, 10**7, 10**9, 10**15)],
    *[(config(latent_dim=v), TOO_LARGE) for v in (10**6, 10**8, 10**12)],
    *[
        (config(**{key: v}), "cannot be loaded")
        for key in ("base_filters", "latent_dim")
        for v in (0, -1, 2.5, "x", None, [], {}, True, nested(50))
    ],
    *[
        (config(image_shape=v), "cannot be loaded")
        for v in ([], [16], [16, 16], [10**6, 10**6, 1], ["a", "b", "c"], 16, None, [16, 16, 10**9])
    ],
    *[(config(image_shape=v), "cannot be loaded") for v in ([32, 32, 1], [16, 16, 3])],
    *[(config(base_filters=v), "cannot be loaded") for v in (5, 8)],
    *[(config(ema_decay=v), "cannot be loaded") for v in (2, -1, "x", [])],
    *[(config(d_steps=v), "cannot be loaded") for v in (0, -1, "x", [])],
    *[(config(seed=v), "cannot be loaded") for v in ("x", [], {})],
    (config(unknown=1), "cannot be loaded"),
    *[(config(dtype_=v), "cannot be loaded") for v in (1,)],
    (lambda _: nested(100_000), "nested too deeply|nested more than"),
    (config(image_shape=nested(90)), "nested more than|cannot be loaded"),
]


@pytest.mark.parametrize(("change", "message"), CONFIGS)
def test_a_config_that_is_not_of_its_weights(folder, change, message):
    path = folder / "config.json"
    content = change(json.loads(path.read_text()))
    # The writer of the standard library is as deep as its reader.
    deep = isinstance(content, list) and content
    path.write_text("[" * 100_000 + "]" * 100_000 if deep else json.dumps(content))
    seal(folder)
    refused(message, presets.from_preset, folder)


@pytest.mark.parametrize("hidden", [[10**9], [10**5, 10**5], [3] * 3000, [], [0], [-1], "x", [None]])
def test_a_config_of_many_or_wide_layers(tmp_path, hidden):
    folder = kerasgan.save_preset(kerasgan.VanillaGAN((8, 8, 1), latent_dim=2, hidden=(4,), seed=0), tmp_path / "gan")
    path = folder / "config.json"
    path.write_text(json.dumps(config(hidden=hidden)(json.loads(path.read_text()))))
    seal(folder)
    refused("cannot be loaded", presets.from_preset, folder)


def h5(change):
    """Change a file of weights."""

    def damage(path):
        with h5py.File(path, "r+") as store:
            change(store)

    return damage


def first(store):
    found = []
    store.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
    return found[0]


def put(make):
    def change(store):
        name = first(store)
        del store[name]
        make(store, name)

    return h5(change)


def external(store, name):
    store.create_dataset(name, (64,), "float32", external=[("/etc/hostname", 0, 256)])


WEIGHT_FILES = [
    (lambda path: path.write_bytes(b""), "damaged"),
    (lambda path: path.write_bytes(b"x" * 1000), "damaged"),
    (lambda path: path.write_bytes(path.read_bytes()[:-2000]), "damaged|cannot be loaded"),
    (lambda path: path.write_bytes(path.read_bytes()[:100]), "damaged"),
    (put(lambda store, name: None), "cannot be loaded"),
    (put(lambda store, name: store.create_dataset(name, (3,), "float32")), "cannot be loaded|claims"),
    (put(lambda store, name: store.create_dataset(name, (10**6, 10**6), "float32", chunks=(1, 10**6))), "claims"),
    (put(external), "other files"),
    (put(lambda store, name: store.__setitem__(name, h5py.ExternalLink("/etc/hostname", "/"))), "other files"),
    (put(lambda store, name: store.__setitem__(name, h5py.SoftLink("/nothing"))), "other files"),
    (put(lambda store, name: store.create_dataset(name, data="text")), "cannot be loaded"),
    (put(lambda store, name: store.create_group(name)), "cannot be loaded"),
]


@pytest.mark.parametrize(("damage", "message"), WEIGHT_FILES)
def test_weights_that_are_damaged_or_elsewhere(folder, damage, message):
    damage(folder / "generator.weights.h5")
    seal(folder)
    refused(message, presets.from_preset, folder)


@pytest.mark.parametrize("source", ["other/generator.weights.h5", "tiny/discriminator.weights.h5"])
def test_weights_of_another_model(folder, tmp_path, source):
    kerasgan.save_preset(kerasgan.DCGAN(**TINY | {"base_filters": 6}), tmp_path / "other")
    shutil.copy(tmp_path / source, folder / "generator.weights.h5")
    seal(folder)
    refused("cannot be loaded", presets.from_preset, folder)


def golden(**changes):
    def damage(path):
        arrays = {key: value for key, value in (dict(np.load(path)) | changes).items() if value is not None}
        np.savez(path, **arrays)

    return damage


def header(path):
    """An array that claims more than it has."""
    text = str({"descr": "<f4", "fortran_order": False, "shape": (10**6, 10**6)}).ljust(117) + "\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("latents.npy", b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode())


def bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("images.npy", "w") as file:
        for _ in range(300):
            file.write(bytes(2**20))


SHAPE = (4, 16, 16, 1)
GOLDEN = [
    *[(lambda path, v=v: path.write_bytes(v), "is damaged") for v in (b"", b"PK", b"x" * 100)],
    (lambda path: path.write_bytes(path.read_bytes()[:-50]), "is damaged"),
    (header, "claims the shape"),
    (bomb, "unpacks to more than"),
    (golden(images=np.array([object()])), "is damaged"),
    *[
        (golden(images=v), "does not fit its model")
        for v in (np.zeros((3, *SHAPE[1:])), np.zeros((4, 8, 8, 1)), np.zeros(()), None)
    ],
    *[(golden(latents=v), "does not fit its model") for v in (np.zeros((4, 5)), np.zeros((3, 4)), np.zeros(4), None)],
    (golden(labels=np.zeros(4, "int32")), "does not fit its model"),
    (golden(images=np.full(SHAPE, np.nan, "float32")), "does not give its golden images"),
    (golden(latents=np.full((4, 4), "x")), "is damaged"),
]


@pytest.mark.parametrize(("damage", "message"), GOLDEN)
def test_golden_arrays_that_are_not_the_models(folder, damage, message):
    damage(folder / "golden.npz")
    seal(folder)
    refused(message, presets.verify, folder)


def test_what_is_whole_loads(made, folder):
    images = kerasgan.from_preset(folder).generate(2, seed=0)
    np.testing.assert_array_equal(loading.load(made / "tiny.keras").generate(2, seed=0), images)
    assert presets.verify(folder).files == 4
    # A link within the folder is no way out of it, and neither is the folder's own.
    shutil.move(folder / "config.json", folder / "other.json")
    (folder / "config.json").symlink_to("other.json")
    (folder.parent / "link").symlink_to(folder)
    np.testing.assert_array_equal(kerasgan.from_preset(folder.parent / "link").generate(2, seed=0), images)
