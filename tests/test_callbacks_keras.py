"""Keras's own callbacks and ways of feeding data work with the models as with any other."""

import csv

import keras
import numpy as np
import pytest
import tensorflow as tf


@pytest.fixture(params=["gan", "vae"])
def model(request, make_gan, make_vae):
    """A compiled model of each kind; `first_term` is the name of one of its terms."""
    made = make_gan() if request.param == "gan" else make_vae(architecture="mlp", hidden=(16,))
    made.compile()
    made.first_term = made.terms[0]
    return made


def fit(model, data, epochs=2, **settings):
    return model.fit(data, batch_size=16, epochs=epochs, verbose=0, **settings).history


def rate(model):
    return float(model.optimizer.learning_rate)


def test_model_checkpoint(model, images, tmp_path):
    checkpoint = keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras")
    fit(model, images, callbacks=[checkpoint])
    saved = keras.models.load_model(tmp_path / "2.keras")
    np.testing.assert_array_equal(saved.generate(2, seed=1), model.generate(2, seed=1))
    first = keras.models.load_model(tmp_path / "1.keras")
    assert not np.array_equal(first.generate(2, seed=1), model.generate(2, seed=1))


def test_model_checkpoint_keeps_the_best_weights(model, images, tmp_path):
    path = tmp_path / "best.weights.h5"
    best = keras.callbacks.ModelCheckpoint(
        path, monitor=f"val_{model.first_term}", mode="min", save_best_only=True, save_weights_only=True
    )
    history = fit(model, images, epochs=3, validation_data=(images, None), callbacks=[best])
    assert best.best == pytest.approx(min(history[f"val_{model.first_term}"]))
    model.load_weights(path)


def test_backup_and_restore(model, images, tmp_path):
    """Interrupted in its third epoch, the training goes on with it."""

    def stop(epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt

    straight = type(model).from_config(model.get_config())
    straight.compile()
    fit(straight, images, epochs=4, shuffle=False)
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    with pytest.raises(KeyboardInterrupt):
        fit(
            model,
            images,
            epochs=4,
            shuffle=False,
            callbacks=[backup, keras.callbacks.LambdaCallback(on_epoch_begin=stop)],
        )
    resumed = type(model).from_config(model.get_config())
    resumed.compile()
    history = fit(
        resumed, images, epochs=4, shuffle=False, callbacks=[keras.callbacks.BackupAndRestore(tmp_path / "backup")]
    )
    assert len(history[model.first_term]) == 2
    np.testing.assert_array_equal(resumed.generate(2, seed=1), straight.generate(2, seed=1))


def test_early_stopping_on_a_metric(model, images):
    start = model.generate(2, seed=1)
    stopping = keras.callbacks.EarlyStopping(
        f"val_{model.first_term}", min_delta=1e6, patience=2, mode="min", restore_best_weights=True
    )
    history = fit(model, images, epochs=9, validation_data=(images, None), callbacks=[stopping])
    # An improvement this large never comes: the first epoch counts as the best, and two more are waited for.
    assert len(history[model.first_term]) == 3
    assert stopping.best_epoch == 0
    assert not np.array_equal(model.generate(2, seed=1), start)


def test_tensorboard(model, images, tmp_path):
    board = keras.callbacks.TensorBoard(tmp_path, histogram_freq=1, write_graph=True)
    fit(model, images, validation_data=(images, None), callbacks=[board])
    tags = {}
    for split in ("train", "validation"):
        (path,) = (tmp_path / split).glob("events.*")
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                tags.setdefault((split, value.tag), []).append(event.step)
    for name in model.terms:
        assert tags["train", f"epoch_{name}"] == [0, 1]
        assert tags["validation", f"epoch_{name}"] == [0, 1]


def test_csv_logger(model, images, tmp_path):
    path = tmp_path / "log.csv"
    history = fit(model, images, callbacks=[keras.callbacks.CSVLogger(path)])
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert {"epoch", *model.terms} <= set(rows[0])
    for name in model.terms:
        np.testing.assert_allclose([float(row[name]) for row in rows], history[name])


def test_terminate_on_nan(model, images):
    network = next(iter(model.networks.values()))
    network.set_weights([np.full_like(weight, np.nan) for weight in network.get_weights()])
    live = getattr(model, "generator", network)
    live.set_weights([np.full_like(weight, np.nan) for weight in live.get_weights()])
    history = fit(model, images, epochs=5, callbacks=[keras.callbacks.TerminateOnNaN()])
    assert len(history[model.first_term]) == 1


def test_learning_rate_scheduler(model, images):
    start = rate(model)
    d_start = float(model.d_optimizer.learning_rate) if hasattr(model, "d_optimizer") else None
    scheduler = keras.callbacks.LearningRateScheduler(lambda epoch, now: now * 0.5)
    history = fit(model, images, callbacks=[scheduler])
    assert rate(model) == pytest.approx(start / 4, rel=1e-5)
    np.testing.assert_allclose(history["learning_rate"], [start / 2, start / 4], rtol=1e-5)
    if d_start is not None:
        assert float(model.d_optimizer.learning_rate) == pytest.approx(d_start / 4, rel=1e-5)


def test_reduce_learning_rate_on_plateau(model, images):
    start = rate(model)
    plateau = keras.callbacks.ReduceLROnPlateau(model.first_term, factor=0.1, patience=1, min_delta=1e6, mode="min")
    fit(model, images, epochs=2, callbacks=[plateau])
    assert rate(model) == pytest.approx(0.1 * start, rel=1e-5)


def test_the_ratio_of_two_learning_rates_is_kept(make_gan):
    gan = make_gan()
    gan.compile(keras.optimizers.SGD(0.4), keras.optimizers.SGD(0.1))
    gan.optimizer.learning_rate = 0.05
    assert float(gan.d_optimizer.learning_rate) == pytest.approx(0.2)
    assert float(gan.g_optimizer.learning_rate) == pytest.approx(0.05)


def test_learning_rate_schedules(make_gan, images, tmp_path):
    def decay():
        return keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=1, decay_rate=0.5))

    gan = make_gan()
    gan.compile(decay(), decay())
    fit(gan, images, epochs=1)
    assert rate(gan) == pytest.approx(0.1 * 0.5**2)
    gan.save(tmp_path / "gan.keras")
    assert rate(keras.models.load_model(tmp_path / "gan.keras")) == pytest.approx(0.1 * 0.5**2)


def test_steps_per_epoch_and_steps_per_execution(model, images):
    model.compile(steps_per_execution=2)
    batches = []
    count = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: batches.append(batch))
    data = tf.data.Dataset.from_tensor_slices(images).batch(8).repeat()
    history = model.fit(data, steps_per_epoch=4, epochs=2, verbose=0, callbacks=[count]).history
    assert len(history[model.first_term]) == 2
    assert batches == [1, 3, 1, 3]
    optimizer = getattr(model, "g_optimizer", model.optimizer)
    assert int(optimizer.iterations) == 8


@pytest.mark.parametrize("kind", ["array", "pair", "dataset"])
def test_validation_data(model, images, kind):
    validation = {
        "array": images,
        "pair": (images, np.arange(32)),
        "dataset": tf.data.Dataset.from_tensor_slices(images).batch(8),
    }[kind]
    history = fit(model, images, validation_data=validation, validation_freq=2)
    assert [len(history[f"val_{name}"]) for name in model.terms] == [1] * len(model.terms)
    evaluated = model.evaluate(images, batch_size=8, verbose=0, return_dict=True)
    if kind == "dataset":
        for name in model.terms:
            assert evaluated[name] == pytest.approx(history[f"val_{name}"][0], rel=1e-4)


def test_validation_split(model, images):
    assert f"val_{model.first_term}" in fit(model, images, validation_split=0.25)


def test_own_callbacks_run_beside_the_users(make_dcgan, images):
    """A checkpoint in the user's list has the calibrated generator in it, and so has the model after `fit`."""
    gan = make_dcgan()
    gan.compile()
    seen = []
    look = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(gan.generate(2, seed=1)))
    fit(gan, images, epochs=1, callbacks=look)
    before = gan.generate(2, seed=1)
    gan.calibrate()
    np.testing.assert_array_equal(gan.generate(2, seed=1), before)
    np.testing.assert_array_equal(seen[0], before)


def test_a_callback_cannot_set_a_rate_that_follows_a_schedule(make_gan, images):
    gan = make_gan()
    gan.compile(d_optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-3, 10)))
    with pytest.raises(ValueError, match="learning rate of d_optimizer follows a CosineDecay"):
        gan.fit(images, callbacks=[keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate)], verbose=0)
