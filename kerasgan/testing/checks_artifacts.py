"""Checks of the contract on what a model is shipped as: presets and exported files."""

import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from kerasgan import export, presets
from kerasgan.testing.case import Case
from kerasgan.testing.tools import assert_close, assert_same, compiled, expect_error, snapshot, with_examples


def preset_roundtrip(case: Case) -> None:
    """A saved preset loads as the same model; a wrong class, an unknown name or a damaged file is refused."""
    model = with_examples(compiled(case), case)
    model.train_step(case.batch())
    given = case.given(3)
    expected = model.generate(3, seed=1, **given)
    with tempfile.TemporaryDirectory() as parent:
        folder = presets.save_preset(model, Path(parent) / "preset", title="a test")
        loaded = presets.from_preset(folder, type(model))
        assert type(loaded) is type(model)
        assert model.makes.error(loaded.generate(3, seed=1, **given), expected) <= 1e-6, "the outputs changed"
        for name, network in model.networks.items():
            assert_close(snapshot(loaded.networks[name].weights), snapshot(network.weights), name, 0.0)
        assert_same(list(loaded.examples.values()), list(model.examples.values()), "the examples")
        for name, direction in model.directions().items():
            made = loaded.directions()[name].generate(2, seed=1)
            assert direction.makes.error(made, direction.generate(2, seed=1)) <= 1e-6, f"{name} changed"
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
    """SavedModel and TFLite make what Keras makes, to 1e-5 and 1e-4, at batch sizes 1 and 4.

    TFLite is converted for each batch size, which takes long: of a case that is not `thorough`, for the last only.
    """
    model = case.make(seed=0)
    if model.kinds_of_examples():
        with expect_error("an export without examples", "examples"):
            export.tflite(model, "none.tflite")
    with_examples(model, case)
    with tempfile.TemporaryDirectory() as folder:
        for name, direction in model.directions().items():
            sizes = (1, 4) if direction is model else (1,)
            _compare_exports(direction, Path(folder) / name, sizes, sizes if case.thorough else sizes[-1:])
        for quantization in {"float32", "int8"} - set(model.makes.quantizations):
            with expect_error(f"{quantization} {model.makes.name}", model.makes.name, quantization):
                export.tflite(model, Path(folder) / "refused.tflite", quantization)


def _compare_exports(direction, path: Path, sizes: tuple, tflite_sizes: tuple) -> None:
    kind = direction.makes
    inputs = direction.sampler_inputs(4, seed=2)
    given = {name: np.asarray(part) for name, part in zip(direction.takes, inputs, strict=True)}
    expected = direction.generate(4, seed=2)
    export.saved_model(direction, path)
    loaded = tf.saved_model.load(str(path))  # Kept alive: its signatures do not keep the variables.
    signature = loaded.signatures["serving_default"]
    _assert_names(signature.structured_input_signature[1], given)
    for size in sizes:
        part = {name: array[:size] for name, array in given.items()}
        made = signature(**{name: tf.constant(array) for name, array in part.items()})
        _assert_made(kind, made, expected[:size], 1e-5, f"SavedModel, batch {size}")
        if size not in tflite_sizes:
            continue
        file = path.with_name(f"{path.name}_{size}.tflite")
        export.tflite(direction, file, batch_size=size)
        run = _tflite_runner(file)
        _assert_names(run.get_input_details(), given)
        _assert_made(kind, run(**part), expected[:size], 1e-4, f"TFLite, batch {size}")


def _tflite_runner(path: Path):
    from ai_edge_litert.interpreter import Interpreter

    return Interpreter(model_path=str(path)).get_signature_runner()


def _assert_names(signature, given: dict) -> None:
    assert set(signature) == set(given), f"the exported signature takes {list(signature)}, not {list(given)}"


def _assert_made(kind, made: dict, expected: np.ndarray, tolerance: float, what: str) -> None:
    assert list(made) == [kind.name], f"{what}: the outputs are {list(made)}"
    array = np.asarray(made[kind.name])
    assert (array.shape, array.dtype) == (expected.shape, expected.dtype), f"{what}: {array.dtype} {array.shape}"
    error = kind.error(array, expected)
    assert error <= (tolerance if kind.dtype == "float32" else kind.golden_tolerance), f"{what}: error {error:.2g}"
