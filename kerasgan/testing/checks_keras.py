"""Checks of the contract on a plain Keras workflow: every public method of `keras.Model`, every built-in callback."""

import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from kerasgan.core.sampling import as_input
from kerasgan.testing.case import Case
from kerasgan.testing.tools import assert_same, compiled, count_different, snapshot, train


def keras_methods(case: Case) -> None:
    """What a Keras user calls on a compiled model works: summary, weights, single batches, clone."""
    model = compiled(case, run_eagerly=True)
    lines = []
    model.summary(print_fn=lambda line, **_: lines.append(line))
    assert "Total params" in "\n".join(lines), "summary prints no number of parameters"
    assert model.count_params() == sum(int(np.prod(weight.shape)) for weight in model.weights)
    assert keras.models.model_from_json(model.to_json()).get_config() == model.get_config()
    clone = keras.models.clone_model(model)
    assert type(clone) is type(model)

    batch = tf.nest.flatten(case.examples(6))
    x, y = (tuple(batch), None) if len(batch) > 2 else (*batch, None)[:2]
    for method in (model.train_on_batch, model.test_on_batch):
        logs = method(x, y, return_dict=True)
        assert np.isfinite(list(logs.values())).all(), f"{method.__name__} reports {logs}"
    inputs = as_input(model.sampler_inputs(3, seed=1, **case.given(3)))
    made = model.predict_on_batch(inputs)
    assert model.makes.error(made, model.generate(3, seed=1, **case.given(3))) <= 1e-5
    _check_weights(case, model)


def _check_weights(case: Case, model) -> None:
    other = compiled(case, seed=5)
    assert count_different(snapshot(other.weights), snapshot(model.weights)), "another seed gives the same weights"
    other.set_weights(model.get_weights())
    assert_same(snapshot(other.weights), snapshot(model.weights), "set_weights")
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "model.weights.h5")
        model.save_weights(path)
        other = compiled(case, seed=5)
        other.load_weights(path)
        assert_same(snapshot(other.weights), snapshot(model.weights), "load_weights")
        made = model.generate(3, seed=1, **case.given(3))
        assert np.array_equal(other.generate(3, seed=1, **case.given(3)), made), "load_weights makes something else"


def keras_export(case: Case) -> None:
    """What `keras.Model.export` writes makes what the model makes."""
    model = compiled(case, run_eagerly=True)
    inputs = as_input(model.sampler_inputs(3, seed=1, **case.given(3)))
    expected = model.predict_on_batch(inputs)
    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, verbose=False)
        artifact = tf.saved_model.load(folder)  # Kept alive: `serve` does not keep the variables.
        made = np.asarray(artifact.serve(inputs))
    assert model.makes.error(made, expected) <= 1e-5, "export makes something else"


def keras_callbacks(case: Case) -> None:
    """Built-in callbacks see a model like any other: checkpoints, logs, early stopping, learning rates."""
    model = compiled(case, run_eagerly=True)
    rate = float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        callbacks = [
            keras.callbacks.ModelCheckpoint(str(folder / "{epoch}.keras"), monitor="loss", save_best_only=True),
            keras.callbacks.CSVLogger(str(folder / "log.csv")),
            keras.callbacks.TensorBoard(str(folder / "logs"), write_graph=False),
            keras.callbacks.EarlyStopping(monitor="loss", patience=5, restore_best_weights=True),
            keras.callbacks.ReduceLROnPlateau(monitor="loss", patience=5),
            keras.callbacks.LearningRateScheduler(lambda epoch, now: 0.5 * now),
            keras.callbacks.TerminateOnNaN(),
        ]
        train(model, case, epochs=2, validation_data=case.dataset(6), callbacks=callbacks)
        assert (folder / "1.keras").is_file(), "ModelCheckpoint saved nothing"
        header = (folder / "log.csv").read_text().splitlines()[0].split(",")
    now = float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))
    assert np.isclose(now, rate / 4), f"the learning rate went from {rate} to {now}, not to a quarter"
    missing = {metric.name for metric in model.metrics} - set(header)
    assert not missing, f"CSVLogger has no column for {sorted(missing)}"
