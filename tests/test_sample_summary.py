"""SampleSummary, by its older name too, read back from the event files as TensorBoard reads them."""

import io
import random

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

import kerasgan
from kerasgan.callbacks import ImageSummary, sample_grid

SHAPE = (16, 16, 1)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).uniform(-1, 1, (32, *SHAPE)).astype("float32")


def small_gan(**arguments):
    gan = kerasgan.DCGAN(SHAPE, latent_dim=4, base_filters=4, seed=3, **arguments)
    gan.compile()
    return gan


class ConditionalGAN(kerasgan.GAN):
    """A minimal conditional GAN: the label is embedded and joined to latents and pixels."""

    def __init__(self, num_classes=3):
        layers = keras.layers
        latents, labels = keras.Input((4,), name="latents"), keras.Input((), dtype="int32", name="labels")
        joined = layers.Concatenate()([latents, layers.Embedding(num_classes, 4)(labels)])
        pixels = layers.Reshape(SHAPE)(layers.Dense(256, activation="tanh")(joined))
        pictures = keras.Input(SHAPE)
        judged = layers.Concatenate()([layers.Flatten()(pictures), layers.Embedding(num_classes, 4)(labels)])
        super().__init__(
            keras.Model([latents, labels], pixels),
            keras.Model([pictures, labels], layers.Dense(1)(judged)),
            num_classes=num_classes,
            seed=0,
        )


def read(folder):
    """Return {tag: {step: decoded picture}} of all event files in a folder."""
    found = {}
    for path in sorted(folder.glob("events.*")):
        for event in LegacyEventFileLoader(str(path)).Load():
            for value in event.summary.value:
                width, height, encoded = value.tensor.string_val[:3]
                picture = np.asarray(Image.open(io.BytesIO(encoded)))
                assert picture.shape[:2] == (int(height), int(width))
                assert event.step not in found.setdefault(value.tag, {}), "one picture a step"
                found[value.tag][event.step] = picture
    return found


def same(one, other):
    return np.array_equal(one, other)


def test_tags_steps_and_size_of_a_gan(tmp_path, images):
    gan = small_gan()
    gan.fit(images, batch_size=16, epochs=3, verbose=0, callbacks=[ImageSummary(tmp_path, num_images=10)])
    found = read(tmp_path)
    assert set(found) == {"samples/ema", "samples/live"}
    for series in found.values():
        assert list(series) == [-1, 0, 1, 2]
        assert series[0].shape == (3 * 18 + 2, 4 * 18 + 2), "a 4 by 3 grid of 16 pixels and borders of 2"
    # Before training the average is the live generator; then they part.
    assert same(found["samples/ema"][-1], found["samples/live"][-1])
    assert not same(found["samples/ema"][2], found["samples/live"][2])
    latents, *_ = gan.sampler_inputs(10, seed=0)
    assert same(found["samples/ema"][2], sample_grid(gan, latents)[..., 0])
    assert same(found["samples/live"][2], sample_grid(gan.generator, latents)[..., 0])


def test_the_same_latents_at_every_step_and_after_resume(tmp_path, images):
    def fit(gan, epochs, initial_epoch=0):
        summary = ImageSummary(tmp_path, num_images=4)
        gan.fit(
            images,
            batch_size=16,
            epochs=epochs,
            initial_epoch=initial_epoch,
            shuffle=False,
            verbose=0,
            callbacks=[summary],
        )

    gan = small_gan()
    gan.compile(d_optimizer=keras.optimizers.SGD(0.0), g_optimizer=keras.optimizers.SGD(0.0))
    # With a learning rate of 0 the live generator moves by its batch statistics only: none, at momentum 1.
    for layer in gan.generator.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 1.0
    fit(gan, 2)
    fit(gan, 4, initial_epoch=2)
    found = read(tmp_path)["samples/live"]
    assert sorted(found) == [-1, 0, 1, 2, 3]
    assert all(same(found[-1], found[step]) for step in range(4))


def test_training_is_left_alone(tmp_path, images):
    def fit(callbacks):
        keras.utils.set_random_seed(5)
        gan = small_gan()
        gan.fit(images, batch_size=16, epochs=2, verbose=0, callbacks=callbacks)
        return [*gan.get_weights(), gan.seed_generator.state.numpy(), np.array([random.random(), np.random.rand()])]

    plain = fit([])
    watched = fit([ImageSummary(tmp_path, num_images=4, interpolation=3)])
    assert all(map(same, plain, watched))


def test_steps_match_the_tensorboard_callback(tmp_path, images):
    callbacks = [keras.callbacks.TensorBoard(tmp_path), ImageSummary(tmp_path, num_images=4)]
    small_gan().fit(images, batch_size=16, epochs=2, verbose=0, callbacks=callbacks)
    scalars = {}
    for path in (tmp_path / "train").glob("events.*"):
        for event in LegacyEventFileLoader(str(path)).Load():
            for value in event.summary.value:
                scalars.setdefault(value.tag, []).append(event.step)
    assert scalars["epoch_d_loss"] == [0, 1]
    assert list(read(tmp_path)["samples/ema"]) == [-1, 0, 1]


def test_images_are_written_while_the_tensorboard_callback_mutes_summaries(tmp_path, images):
    callbacks = [keras.callbacks.TensorBoard(tmp_path, update_freq=1000), ImageSummary(tmp_path, num_images=4)]
    small_gan().fit(images, batch_size=16, verbose=0, callbacks=callbacks)
    assert list(read(tmp_path)["samples/ema"]) == [-1, 0]


def test_every_and_the_last_epoch(tmp_path, images):
    gan = small_gan()
    gan.fit(images, batch_size=32, epochs=5, verbose=0, callbacks=[ImageSummary(tmp_path, every=2, live=False)])
    found = read(tmp_path)
    assert list(found) == ["samples/ema"]
    assert list(found["samples/ema"]) == [-1, 1, 3, 4]


def test_interpolation_and_a_gan_without_an_average(tmp_path, images):
    gan = small_gan(ema_decay=None)
    gan.fit(images, batch_size=32, verbose=0, callbacks=[ImageSummary(tmp_path, interpolation=5)])
    found = read(tmp_path)
    assert set(found) == {"samples/live", "interpolation"}
    assert found["interpolation"][0].shape == (4 * 18 + 2, 5 * 18 + 2)


def test_mixed_precision_and_steps_per_execution(tmp_path, images):
    gan = small_gan(dtype="mixed_bfloat16")
    gan.compile(steps_per_execution=2)
    gan.fit(images, batch_size=8, verbose=0, callbacks=[ImageSummary(tmp_path)])
    assert list(read(tmp_path)["samples/ema"]) == [-1, 0]


def test_vae_reconstructions(tmp_path, images):
    vae = kerasgan.VAE(SHAPE, latent_dim=4, hidden=(8,), architecture="mlp", seed=0)
    vae.compile()
    originals = kerasgan.images.to_uint8(images[:8])
    vae.fit(images, batch_size=32, verbose=0, callbacks=[ImageSummary(tmp_path, num_images=9, images=originals)])
    found = read(tmp_path)
    assert set(found) == {"samples", "reconstructions"}
    picture = found["reconstructions"][0]
    assert picture.shape == (4 * 18 + 2, 4 * 18 + 2), "8 pairs, two a row"
    assert same(picture[2:18, 2:18], originals[0, :, :, 0]), "the original is on the left"
    expected = kerasgan.images.to_uint8(vae.reconstruct(images[:1]))[0, :, :, 0]
    assert np.abs(picture[2:18, 20:36].astype(int) - expected).max() <= 1


def test_conditional_model_has_a_column_per_class(tmp_path, images):
    gan = ConditionalGAN()
    gan.compile()
    labels = np.arange(32, dtype="int32") % 3
    gan.fit(images, labels, batch_size=16, verbose=0, callbacks=[ImageSummary(tmp_path, num_images=4)])
    picture = read(tmp_path)["samples/ema"][0]
    assert picture.shape == (2 * 18 + 2, 3 * 18 + 2), "three classes, filled up to two whole rows"
    latents, shown = gan.sampler_inputs(6, seed=0)
    assert list(shown) == [0, 1, 2, 0, 1, 2]
    assert same(picture, sample_grid(gan, latents, shown, columns=3)[..., 0])


def test_mirrored_strategy(tmp_path, images):
    devices = [device.name for device in tf.config.list_logical_devices("CPU")]
    with tf.distribute.MirroredStrategy(devices).scope():
        gan = small_gan()
    gan.fit(images, batch_size=16, verbose=0, callbacks=[ImageSummary(tmp_path, num_images=4)])
    assert list(read(tmp_path)["samples/live"]) == [-1, 0]


def test_a_diverged_generator_is_shown(tmp_path):
    gan = small_gan()
    gan.generator.layers[1].kernel.assign(np.full_like(gan.generator.layers[1].kernel, np.nan))
    summary = ImageSummary(tmp_path, num_images=1)
    summary.set_model(gan)
    summary.on_epoch_begin(0)
    summary.on_train_end()
    assert set(np.unique(read(tmp_path)["samples/live"][-1])) == {128}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"every": 0}, "every must be an integer of at least 1"),
        ({"every": 1.5}, r"received 1\.5"),
        ({"num_images": 0}, "num_images"),
        ({"seed": None}, "seed must be an integer"),
        ({"interpolation": 1}, "interpolation must be an integer of at least 2"),
        ({"interpolation": True}, "interpolation"),
        ({"images": np.zeros((16, 16, 1), "float32")}, r"received shape \(16, 16, 1\)"),
        ({"images": np.full((1, *SHAPE), 255.0)}, "from 255"),
    ],
)
def test_wrong_arguments(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        ImageSummary(tmp_path, **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": np.zeros((2, *SHAPE), "float32")}, "DCGAN has no `reconstruct`"),
        ({"labels": [0, 1]}, "unconditional"),
        ({"source": np.zeros((2, *SHAPE), "float32")}, r"takes no \['source'\]"),
    ],
)
def test_arguments_that_do_not_fit_the_model(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        ImageSummary(tmp_path, **arguments).set_model(small_gan())
    assert not any(tmp_path.iterdir())


def test_other_models_are_refused(tmp_path):
    with pytest.raises(ValueError, match="received Sequential"):
        ImageSummary(tmp_path).set_model(keras.Sequential())
