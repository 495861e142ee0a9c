"""GenerativeMetrics inside real trainings: what it logs, who can use it, and that it changes nothing."""

import math
import random

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

import kerasgan
from kerasgan.callbacks import GenerativeMetrics
from kerasgan.callbacks.generative_metrics import METRICS
from kerasgan.metrics.evaluation import evaluate

N = 40
PROJECTION = np.random.default_rng(1).normal(size=(256, 8))


@pytest.fixture(scope="module")
def real():
    """120 images of 16x16x1 in uint8, each of one random level and some noise."""
    rng = np.random.default_rng(0)
    levels = rng.uniform(40, 215, (120, 1, 1, 1)) + rng.normal(0, 20, (120, 16, 16, 1))
    return levels.clip(0, 255).astype("uint8")


def pixels(images):
    return images.reshape(len(images), -1) / 255.0 @ PROJECTION


def classified(images):
    scores = pixels(images)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return scores, weights / weights.sum(axis=1, keepdims=True)


def measure(real, **arguments):
    # An array is halved where it is said to be the training split.
    return GenerativeMetrics(real, **({"n": N, "extractor": pixels, "split": "train", "cached": False} | arguments))


def fit(model, images, callbacks, epochs=1, **arguments):
    return model.fit(images, batch_size=16, epochs=epochs, verbose=0, callbacks=callbacks, **arguments).history


def still(gan):
    """Compile so that no weight moves."""
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0), run_eagerly=True)
    return gan


def scalars(folder):
    """Return {tag: {step: value}} and the descriptions of all event files in a folder."""
    found, descriptions = {}, {}
    for path in folder.glob("events.*"):
        for event in LegacyEventFileLoader(str(path)).Load():
            for value in event.summary.value:
                found.setdefault(value.tag, {})[event.step] = float(tf.make_ndarray(value.tensor))
                # TensorBoard keeps the description that came first.
                descriptions.setdefault(value.tag, value.metadata.summary_description)
    return found, descriptions


def test_every_metric_is_logged_with_the_numbers_of_evaluate(make_gan, images, real):
    gan = make_gan()
    gan.compile()
    callback = measure(real, metrics=METRICS, extractor=classified)
    history = fit(gan, images, [callback], epochs=2)
    assert {f"val_{name}" for name in METRICS} <= set(history)
    settings = {"n": N, "split": "train", "extractor": classified, "cached": False}
    results = evaluate(gan, real, metrics=("fid", "kid", "inception_score", "prdc"), **settings)
    evaluated = {result.name.removesuffix(f"_classified_{N}"): result for result in results}
    for name in METRICS:
        assert history[f"val_{name}"][-1] == pytest.approx(evaluated[name].value, rel=1e-4, abs=1e-6), name
        assert callback.floors[name] == pytest.approx(evaluated[name].floor, rel=1e-4, abs=1e-6), name
    assert history["val_fid"][-1] > 5 * callback.floors["fid"], "two epochs make no image look real"


def test_measured_after_the_first_every_third_and_the_last_epoch(make_gan, images, real):
    seen = []

    def counting(batch):
        seen.append(len(batch))
        return pixels(batch)

    gan = make_gan()
    gan.compile()
    callback = measure(real, every=3, metrics="fid", extractor=counting)
    values = fit(gan, images, [callback], epochs=5)["val_fid"]
    assert values[0] == values[1] != values[2] == values[3] != values[4]
    assert sum(seen) == 2 * N + 3 * N, "the real images once, then the generated ones three times"
    values = fit(gan, images, [callback], epochs=8, initial_epoch=6)["val_fid"]
    assert values[0] != values[1], "another fit measures its own first epoch, though it is the seventh"


def test_a_checkpoint_keeps_the_best_epoch(make_gan, images, real, tmp_path):
    gan = make_gan(ema_decay=None)
    gan.compile()
    path = tmp_path / "best.weights.h5"
    best = keras.callbacks.ModelCheckpoint(
        path, monitor="val_kid", mode="max", save_best_only=True, save_weights_only=True
    )
    values = fit(gan, images, [measure(real), best], epochs=4)["val_kid"]
    assert best.best == max(values)
    assert len(set(values)) == 4
    gan.load_weights(path)
    assert fit(still(gan), images, [measure(real)])["val_kid"] == pytest.approx([max(values)], rel=1e-4)


def test_early_stopping_reacts(make_gan, images, real):
    stopping = keras.callbacks.EarlyStopping(monitor="val_fid", mode="min", patience=1)
    history = fit(still(make_gan()), images, [measure(real), stopping], epochs=9)
    assert len(history["val_fid"]) == 2, "nothing gets better while no weight moves"


def test_training_is_left_alone(make_gan):
    """With the default extractor, a Keras network: building one draws from Python's random."""

    def train(callbacks):
        keras.utils.set_random_seed(5)
        gan = make_gan(image_shape=(28, 28, 1))
        gan.compile()
        history = fit(gan, np.zeros((32, 28, 28, 1), "float32"), callbacks, epochs=2)
        state = [gan.seed_generator.state.numpy(), np.array([random.random(), np.random.rand()])]
        return [*gan.get_weights(), *state], history

    plain, _ = train([])
    measured, history = train([GenerativeMetrics("mnist_mini", n=20, metrics="kid", cached=False)])
    assert np.isfinite(history["val_kid"]).all()
    assert all(map(np.array_equal, plain, measured))


def test_by_default_fid_is_left_out_where_there_are_too_few_images(make_gan, images, real, capsys):
    callback = measure(real, n=8)
    assert set(fit(still(make_gan()), images, [callback])) & {"val_fid", "val_kid"} == {"val_kid"}
    assert "leaves fid out: the 8 features of pixels need at least 9 images" in capsys.readouterr().out
    callback.n = 9
    assert {"val_fid", "val_kid"} <= set(fit(still(make_gan()), images, [callback]))


def test_pictures_of_any_kind_are_measured_by_the_network_that_comes_along(make_gan, images, real, capsys):
    history = fit(still(make_gan()), images, [GenerativeMetrics(real[:20], cached=False)])
    assert np.isfinite(history["val_kid"]).all()
    assert "1280 features of efficientnet_lite0" in capsys.readouterr().out


def test_tensorboard_shows_both_runs_in_one_chart(make_gan, images, real, tmp_path):
    gan = make_gan()
    gan.compile()
    callback = measure(real, every=2, log_dir=tmp_path)
    history = fit(gan, images, [callback, keras.callbacks.TensorBoard(tmp_path)], epochs=3)
    generated, descriptions = scalars(tmp_path / "generated")
    level, _ = scalars(tmp_path / "real")
    assert set(generated) == set(level) == {"metrics/fid", "metrics/kid"}
    for name in ("fid", "kid"):
        assert generated[f"metrics/{name}"] == pytest.approx(dict(enumerate(history[f"val_{name}"])), rel=1e-6)
        assert level[f"metrics/{name}"] == pytest.approx(dict.fromkeys(range(3), callback.floors[name]), rel=1e-6)
        assert f"{N} of array/train[0::2], by the 8 features of pixels" in descriptions[f"metrics/{name}"]
    recorded, _ = scalars(tmp_path / "validation")
    assert set(recorded) == {"epoch_fid", "epoch_kid"}


def test_nothing_is_written_without_a_folder(make_gan, images, real, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fit(still(make_gan()), images, [measure(real)])
    assert not any(tmp_path.iterdir())


def test_a_diverged_generator_gives_nan_and_training_goes_on(make_gan, images, real, capsys):
    gan = make_gan()
    for weight in gan.ema_generator.weights:
        weight.assign(np.full(weight.shape, np.nan))
    history = fit(still(gan), images, [measure(real)], epochs=2)
    assert all(map(math.isnan, history["val_fid"] + history["val_kid"]))
    assert len(history["val_fid"]) == 2
    assert "Epoch 1: the generated images cannot be measured" in capsys.readouterr().out


def test_a_vae_is_measured_too(make_vae, images, real):
    vae = make_vae(architecture="mlp", hidden=(16,))
    vae.compile()
    assert np.isfinite(fit(vae, images, [measure(real, metrics="coverage")])["val_coverage"]).all()


def test_texts_are_measured_by_their_words(tmp_path):
    lines = ["a dog runs", "a cat sleeps", "two dogs run", "two cats sleep"]
    for split, count in (("train", 4), ("test", 3)):
        (tmp_path / f"{split}.txt").write_text("\n".join(lines[:count]), encoding="utf-8")
    small = {"windows": (1,), "filters": (2,), "units": 4, "embedding_dim": 4, "d_embedding_dim": 2}
    info = kerasgan.data.tokens.info(tmp_path)
    gan = kerasgan.SeqGAN(**info.arguments, **small, pretraining=(9, 0), d_steps=1, seed=0)
    gan.compile()
    callback = GenerativeMetrics(tmp_path, metrics="bleu", n=3, log_dir=tmp_path / "logs")
    data = kerasgan.data.tokens.load(tmp_path, batch_size=2)
    random.seed(7)
    history = gan.fit(data, epochs=2, verbose=0, callbacks=[callback]).history
    assert random.random() == random.Random(7).random()
    results = evaluate(gan, tmp_path, metrics="bleu", n=3)
    assert {name: value for name, (*_, value) in history.items() if "bleu" in name} == pytest.approx(
        {f"val_{result.protocol['metric']}": result.value for result in results}
    )
    level, descriptions = scalars(tmp_path / "logs" / "real")
    assert level["metrics/bleu_2"] == pytest.approx(dict.fromkeys(range(2), results[0].floor), rel=1e-6)
    assert str(tmp_path) in descriptions["metrics/bleu_2"]
    with pytest.raises(ValueError, match="Unknown metric of texts 'fid'"):
        gan.fit(data, epochs=3, verbose=0, callbacks=[GenerativeMetrics(tmp_path, metrics="fid")])


def test_metrics_of_texts_are_none_of_images(make_gan, real):
    with pytest.raises(ValueError, match="Unknown metric of images 'bleu'"):
        measure(real, metrics="bleu").set_model(make_gan())


def test_mirrored_strategy(images, real, make_gan, tmp_path):
    devices = [device.name for device in tf.config.list_logical_devices("CPU")]
    with tf.distribute.MirroredStrategy(devices).scope():
        gan = make_gan()
        gan.compile()
    history = fit(gan, images, [measure(real, log_dir=tmp_path)])
    assert scalars(tmp_path / "generated")[0]["metrics/fid"][0] == pytest.approx(history["val_fid"][0], rel=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"metrics": ("fid", "kit")}, "Unknown metric 'kit'. Did you mean 'kid'"),
        ({"metrics": ()}, "at least one of fid, kid"),
        ({"every": 0}, "every must be an integer of at least 1"),
        ({"n": 2.5}, r"n must be an integer of at least 2.*received 2\.5"),
        ({"seed": -1}, "seed must be an integer of at least 0"),
    ],
)
def test_wrong_arguments(real, arguments, message):
    with pytest.raises(ValueError, match=message):
        measure(real, **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"metrics": "fid", "n": 8}, "fid by the 8 features of 'pixels' needs at least 9 images on each side; .* n=8"),
        ({"metrics": "inception_score"}, "'pixels' gives none"),
        ({"metrics": "recall", "n": 4}, "more than k = 5"),
        ({"extractor": "incepton"}, "Did you mean 'inception'"),
        ({"split": "tset"}, "no split 'tset'"),
    ],
)
def test_what_cannot_be_measured_is_said_before_the_first_epoch(make_gan, images, real, arguments, message):
    started = []
    look = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: started.append(epoch))
    with pytest.raises(ValueError, match=message):
        fit(still(make_gan()), images, [measure(real, **arguments), look])
    assert not started


def test_models_that_generate_nothing_are_refused(real):
    with pytest.raises(ValueError, match="received Sequential"):
        measure(real).set_model(keras.Sequential())


def test_it_is_part_of_the_package():
    assert kerasgan.callbacks.GenerativeMetrics is GenerativeMetrics
