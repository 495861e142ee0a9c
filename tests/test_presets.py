import json
import shutil
import subprocess
import sys

import h5py
import keras
import numpy as np
import pytest

import kerasgan
from kerasgan import presets
from kerasgan.presets import files as preset_files

TINY = {"image_shape": (16, 16, 1), "latent_dim": 4, "base_filters": 4, "seed": 3}


@pytest.fixture(scope="module")
def model():
    gan = kerasgan.DCGAN(**TINY)
    gan.compile()
    gan.fit(np.random.default_rng(0).uniform(-1, 1, (16, 16, 16, 1)).astype("float32"), epochs=1, verbose=0)
    return gan


@pytest.fixture
def folder(model, tmp_path):
    return kerasgan.save_preset(model, tmp_path / "tiny", description="for tests")


def test_round_trip_gives_the_same_images_and_trains_on(model, folder):
    loaded = kerasgan.from_preset(folder)
    np.testing.assert_array_equal(loaded.generate(5, seed=1), model.generate(5, seed=1))
    for name, network in model.networks.items():
        for saved, restored in zip(network.get_weights(), loaded.networks[name].get_weights(), strict=True):
            np.testing.assert_array_equal(saved, restored)
    # Training goes on from the generator that samples.
    np.testing.assert_array_equal(loaded.generator.get_weights()[0], model.ema_generator.get_weights()[0])
    loaded.compile()
    loaded.fit(np.zeros((4, 16, 16, 1), "float32"), verbose=0)


def test_a_preset_of_a_mixed_precision_run_is_float32_unless_asked(tmp_path):
    gan = kerasgan.DCGAN(**TINY, dtype="mixed_bfloat16")
    folder = kerasgan.save_preset(gan, tmp_path / "mixed")
    assert kerasgan.from_preset(folder).dtype_policy.name == "float32"
    assert kerasgan.from_preset(folder, dtype="mixed_bfloat16").generator.layers[1].compute_dtype == "bfloat16"


def kept_dtypes(path):
    """Name -> dtype of the arrays that a file of weights holds."""
    found = {}
    with h5py.File(path, "r") as file:
        file.visititems(lambda name, item: found.update({name: item.dtype}) if isinstance(item, h5py.Dataset) else None)
    return found


def test_half_the_space_keeps_three_digits(model, folder, tmp_path):
    half = kerasgan.save_preset(model, tmp_path / "half", half=True)
    for name in model.networks:
        # Of so small a network most of a file is names.
        assert set(kept_dtypes(half / f"{name}.weights.h5").values()) == {np.dtype("float16")}
        assert kept_dtypes(folder / f"{name}.weights.h5").keys() == kept_dtypes(half / f"{name}.weights.h5").keys()
    loaded = kerasgan.from_preset(half)
    assert presets.verify(half).max_error < 1e-5, "golden images are of the weights before"
    assert {each.dtype for each in loaded.generator.get_weights()} == {np.dtype("float32")}
    np.testing.assert_allclose(loaded.generate(5, seed=1), model.generate(5, seed=1), atol=0.01)
    loaded.discriminator.trainable_variables[0].assign(loaded.discriminator.trainable_variables[0] * 0 + 1e5)
    with pytest.raises(ValueError, match=r"reach 1e\+05, more than float16 holds"):
        kerasgan.save_preset(loaded, tmp_path / "large", half=True)


def test_vae_round_trip(tmp_path):
    vae = kerasgan.VAE((16, 16, 1), latent_dim=3, base_filters=4, likelihood="gaussian", seed=1)
    loaded = kerasgan.from_preset(kerasgan.save_preset(vae, tmp_path / "vae"))
    images = vae.generate(3, seed=0)
    np.testing.assert_array_equal(loaded.generate(3, seed=0), images)
    np.testing.assert_array_equal(loaded.encode(images), vae.encode(images))


def test_saving_replaces_a_preset_but_nothing_else(model, folder, tmp_path):
    kerasgan.save_preset(model, folder, description="again")
    assert presets.read_metadata(folder)["description"] == "again"
    other = tmp_path / "other"
    other.mkdir()
    (other / "precious.txt").write_text("keep")
    with pytest.raises(ValueError, match="is not a preset"):
        kerasgan.save_preset(model, other)
    assert (other / "precious.txt").read_text() == "keep"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "tiny"]


def test_metadata_hashes_every_file(folder):
    hashes = presets.read_metadata(folder)["sha256"]
    assert set(hashes) == {path.name for path in folder.iterdir()} - {preset_files.METADATA}


@pytest.mark.parametrize("name", ["generator.weights.h5", "config.json", "golden.npz"])
def test_damage_is_found_and_named(folder, name):
    path = folder / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=rf"{name}.*is damaged"):
        kerasgan.from_preset(folder)
    path.unlink()
    with pytest.raises(ValueError, match=rf"{name}.*is missing"):
        presets.verify(folder)


def test_verify_compares_images_with_the_golden_ones(folder):
    assert presets.verify(folder).max_error < 1e-5
    golden = dict(np.load(folder / "golden.npz"))
    golden["images"][0, 0, 0, 0] += 0.1
    np.savez(folder / "golden.npz", **golden)
    metadata = presets.read_metadata(folder)
    metadata.pop("sha256"), metadata.pop("format_version")
    presets.seal(folder, metadata)
    with pytest.raises(ValueError, match="golden images"):
        presets.verify(folder)


def test_a_newer_format_is_refused(folder):
    path = folder / preset_files.METADATA
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format_version": 99}))
    with pytest.raises(ValueError, match=r"format version 99.*Upgrade"):
        kerasgan.from_preset(folder)


def test_errors_name_what_was_asked_for(folder, tmp_path):
    with pytest.raises(ValueError, match="Did you mean 'dcgan_mnist'"):
        kerasgan.from_preset("dcgan_mnits")
    with pytest.raises(ValueError, match="is a DCGAN, not a VAE"):
        kerasgan.from_preset(folder, model_class=kerasgan.VAE)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="is not a preset"):
        kerasgan.from_preset(tmp_path / "empty")


def test_a_class_that_is_not_registered_is_explained(tmp_path):
    class Unregistered(kerasgan.DCGAN):
        pass

    folder = kerasgan.save_preset(kerasgan.DCGAN(**TINY), tmp_path / "own")
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config.update(class_name="Unregistered", module=None, registered_name="own>Unregistered")
    path.write_text(json.dumps(config))
    metadata = presets.read_metadata(folder)
    metadata.pop("sha256"), metadata.pop("format_version")
    presets.seal(folder, metadata)
    with pytest.raises(ValueError, match=r"own>Unregistered.*registers it first"):
        kerasgan.from_preset(folder)


def test_own_networks_round_trip(tmp_path):
    generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(16), keras.layers.Reshape((4, 4, 1))])
    discriminator = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(1)])
    gan = kerasgan.GAN(generator, discriminator, seed=0)
    loaded = kerasgan.from_preset(kerasgan.save_preset(gan, tmp_path / "own"))
    np.testing.assert_array_equal(loaded.generate(2, seed=0), gan.generate(2, seed=0))


@pytest.mark.parametrize("name", preset_files.list_presets())
def test_the_zoo_is_intact(name):
    assert presets.verify(name).max_error <= 1e-3


def test_presets_work_without_the_network_or_the_checkout(model, folder, tmp_path):
    """Load by path in a bare process whose working directory is elsewhere."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    moved = shutil.move(folder, elsewhere / "moved")
    code = f"import kerasgan; print(kerasgan.from_preset({str(moved)!r}).generate(1, seed=1).mean())"
    answer = subprocess.run([sys.executable, "-c", code], cwd=elsewhere, capture_output=True, text=True, check=True)
    assert float(answer.stdout) == pytest.approx(float(model.generate(1, seed=1).mean()), abs=1e-6)
