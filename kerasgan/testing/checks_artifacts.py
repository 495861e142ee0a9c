"""Checks of the contract on what a model is shipped as: presets and exported files."""

import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from kerasgan import export, presets
from kerasgan.testing.case import Case
from kerasgan.testing.tools import assert_close, compiled, expect_error, snapshot


def preset_roundtrip(case: Case) -> None:
    """A saved preset loads as the same model; a wrong class, an unknown name or a damaged file is refused."""
    model = compiled(case)
    model.train_step(case.batch())
    labels = case.labels(3)
    expected = model.generate(3, seed=1, labels=labels)
    with tempfile.TemporaryDirectory() as parent:
        folder = presets.save_preset(model, Path(parent) / "preset", title="a test")
        loaded = presets.from_preset(folder, type(model))
        assert type(loaded) is type(model)
        assert np.allclose(loaded.generate(3, seed=1, labels=labels), expected, atol=1e-6), "images changed"
        for name, network in model.networks.items():
            assert_close(snapshot(loaded.networks[name].weights), snapshot(network.weights), name, 0.0)
        assert presets.verify(folder).max_error <= 1e-5
        assert presets.read_metadata(folder)["title"] == "a test"
        loaded.compile()
        loaded.train_step(case.batch())

        class Other(keras.Model):
            pass

        with expect_error("a preset of another class", type(model).__name__, "Other"):
            presets.from_preset(folder, Other)
        with expect_error("an unknown preset", "unknown preset", "no_such_preset"):
            presets.from_preset("no_such_preset")
        weights = next(folder.glob("*.weights.h5"))
        weights.write_bytes(weights.read_bytes()[:-100])
        with expect_error("a damaged preset", weights.name, "damaged"):
            presets.from_preset(folder)


def export_parity(case: Case) -> None:
    """SavedModel and TFLite give the images that Keras gives, to 1e-5 and 1e-4, at batch sizes 1 and 4."""
    model = case.make(seed=0)
    labels = case.labels(4)
    inputs = [np.asarray(part) for part in model.sampler_inputs(4, seed=2, labels=labels)]
    expected = model.generate(4, seed=2, labels=labels)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "saved_model")
        export.saved_model(model, path)
        loaded = tf.saved_model.load(path)  # Kept alive: its signatures do not keep the variables.
        signature = loaded.signatures["serving_default"]
        names = _names(signature.structured_input_signature[1], len(inputs))
        for size in (1, 4):
            given = {name: tf.constant(part[:size]) for name, part in zip(names, inputs, strict=True)}
            images = next(iter(signature(**given).values()))
            _assert_images(images, expected[:size], 1e-5, f"SavedModel, batch {size}")
            path = str(Path(folder) / f"batch_{size}.tflite")
            export.tflite(model, path, batch_size=size)
            _assert_images(_run_tflite(path, inputs, size), expected[:size], 1e-4, f"TFLite, batch {size}")


def _run_tflite(path: str, inputs: list, size: int) -> np.ndarray:
    from ai_edge_litert.interpreter import Interpreter

    run = Interpreter(model_path=path).get_signature_runner()
    names = _names(run.get_input_details(), len(inputs))
    return next(iter(run(**{name: part[:size] for name, part in zip(names, inputs, strict=True)}).values()))


def _names(signature, count: int) -> list:
    """Return the signature's inputs in the sampler's order: "latents" before "labels", or the only one."""
    names = list(signature)
    assert len(names) == count, f"the exported signature takes {names}"
    assert count == 1 or set(names) == {"latents", "labels"}, f"the exported signature takes {names}"
    return sorted(names, key=lambda name: name == "labels")


def _assert_images(images, expected, tolerance: float, what: str) -> None:
    images = np.asarray(images)
    assert images.shape == expected.shape, f"{what}: shape {images.shape}, expected {expected.shape}"
    error = float(np.abs(images - expected).max())
    assert error <= tolerance, f"{what}: largest difference {error:.2g}, allowed {tolerance}"
