"""CollapseMonitor in games that are won, lost and broken on purpose."""

import random

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

import kerasgan
from kerasgan.callbacks import CollapseMonitor
from kerasgan.callbacks.collapse_monitor import NAMES
from kerasgan.images import to_float, to_uint8

SHAPE = (8, 8, 1)
LATENTS = 4
COUNT = 48


@pytest.fixture(scope="module")
def real():
    """48 dark images in uint8 that differ as much as those of `make`."""
    latents = np.random.default_rng(0).normal(size=(COUNT, LATENTS))
    return to_uint8(pixels(latents, kernel(2), -0.5).reshape(-1, *SHAPE))


def kernel(seed):
    return np.random.default_rng(seed).normal(size=(LATENTS, 64)) * 0.3


def pixels(latents, weights, bias):
    return np.tanh(latents @ weights + bias)


def play(real, monitor, *, gan=None, epochs=1, d_rate=0.0, g_rate=0.0, loss="non_saturating", others=(), **arguments):
    """Train a few steps, at rates of 0 unless told otherwise, and return the history."""
    gan = gan or make()
    gan.compile(keras.optimizers.Adam(d_rate), keras.optimizers.Adam(g_rate), loss=loss, run_eagerly=True)
    settings = {"batch_size": 16, "verbose": 0} | arguments
    return gan.fit(to_float(real), epochs=epochs, callbacks=[*others, monitor], **settings).history


def make(scale=1.0, bias=0.0, weight=1.0, logit=0.0, **arguments):
    """Return a GAN: `pixels` of a kernel times scale make an image, weight times their mean plus logit judges one."""
    generator = keras.Sequential(
        [keras.Input((LATENTS,)), keras.layers.Dense(64, activation="tanh", name="pixels"), keras.layers.Reshape(SHAPE)]
    )
    generator.get_layer("pixels").set_weights([kernel(1) * scale, np.full(64, bias)])
    discriminator = keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(1, name="logit")])
    discriminator.get_layer("logit").set_weights([np.full((64, 1), weight / 64), np.array([logit])])
    return kerasgan.GAN(generator, discriminator, seed=0, **arguments)


def at_epoch(number, action):
    """Return a callback that acts when an epoch, counted from 1, begins."""
    return keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: action() if epoch + 1 == number else None)


def rescale(gan, factor):
    layer = gan.generator.get_layer("pixels")
    weights, bias = layer.get_weights()
    layer.set_weights([weights * factor, bias])


def set_weight(network, name, value):
    weight = network.get_layer(name).kernel
    weight.assign(np.full(weight.shape, value))


def lines(capsys):
    return [line for line in capsys.readouterr().out.splitlines() if line.startswith("Epoch")]


def test_the_numbers_are_what_they_are_said_to_be(real):
    gan = make(scale=0.7, bias=-0.5, logit=0.45)
    monitor = CollapseMonitor(real, seed=3, verbose=0)
    history = play(real, monitor, gan=gan)
    fake = gan.generator(gan.sample_latents(COUNT, 3)).numpy().reshape(COUNT, -1)
    originals = to_float(real).reshape(COUNT, -1)

    def distances(images):
        return np.linalg.norm(images[:, None] - images[None], axis=-1)

    def to_other(images):
        return (distances(images) + np.diag(np.full(COUNT, np.inf))).min(axis=1)

    diversity = np.sqrt((distances(fake) ** 2).mean() / (distances(originals) ** 2).mean())
    closest = np.quantile(to_other(originals), 0.01)
    expected = {
        "real_accuracy": (originals.mean(axis=1) + 0.45 > 0).mean(),
        "fake_accuracy": (fake.mean(axis=1) + 0.45 <= 0).mean(),
        "diversity": diversity,
        "duplicates": (to_other(fake) <= closest).mean(),
    }
    assert {name: history[name] for name in NAMES} == {
        name: [pytest.approx(value, rel=1e-5)] for name, value in expected.items()
    }
    assert 0.0 < expected["fake_accuracy"] < 1.0
    assert 0.0 < expected["duplicates"] < 1.0


def test_the_discriminator_wins(real, capsys):
    # Bright samples against dark images: the discriminator learns that at once, the generator never moves.
    monitor = CollapseMonitor(real)
    history = play(real, monitor, gan=make(bias=0.5), epochs=4, d_rate=0.05)
    assert history["real_accuracy"][-1] == history["fake_accuracy"][-1] == 1.0
    assert monitor.state == "the discriminator wins"
    (line,) = lines(capsys)
    assert "the discriminator wins: it tells 100% of real and 100% of generated images" in line


def test_the_generator_wins(real, capsys):
    # The discriminator believes bright images and never learns.
    monitor = CollapseMonitor(real, least_diversity=0.0, most_duplicates=1.0)
    history = play(real, monitor, gan=make(bias=-0.5), epochs=6, g_rate=0.2)
    assert history["fake_accuracy"][0] > 0.2 > history["fake_accuracy"][-1] == 0.0
    assert monitor.state == "the generator wins"
    (line,) = lines(capsys)
    assert "the generator wins" in line
    assert "taken for real, and 0% of the real ones" in line


def test_collapse_and_recovery_are_said_once_each(real, capsys):
    gan = make()
    changes = [at_epoch(2, lambda: rescale(gan, 0.0)), at_epoch(4, lambda: gan.set_weights(start))]
    start = gan.get_weights()
    monitor = CollapseMonitor(real)
    history = play(real, monitor, gan=gan, epochs=5, others=changes)
    assert history["diversity"][1:3] == [0.0, 0.0]
    assert history["duplicates"][1:3] == [1.0, 1.0]
    assert min(history["diversity"][0], *history["diversity"][3:]) > 0.9
    lost, found = lines(capsys)
    assert lost.startswith(
        "Epoch 2: mode collapse: samples are 0.00 times as diverse as real images, 100% are near-dup"
    )
    assert found.startswith("Epoch 4: recovered")
    assert monitor.state == "in play"


def test_many_copies_are_collapse_however_diverse(real, capsys):
    # Saturated by a huge kernel of rank one, every pixel is -1 or 1: two images, far from each other.
    gan = make()
    layer = gan.generator.get_layer("pixels")
    layer.set_weights([np.outer(np.eye(LATENTS)[0], np.ones(64)) * 1e6, np.zeros(64)])
    history = play(real, CollapseMonitor(real), gan=gan)
    assert history["diversity"][0] > 1.0
    assert history["duplicates"] == [1.0]
    assert "mode collapse" in lines(capsys)[0]


@pytest.mark.parametrize("network", ["generator", "discriminator"])
def test_a_loss_that_is_not_finite_stops_at_once(real, capsys, network):
    gan = make()
    layer = {"generator": "pixels", "discriminator": "logit"}[network]
    history = play(
        real,
        CollapseMonitor(real, verbose=0),
        gan=gan,
        epochs=5,
        others=[at_epoch(2, lambda: set_weight(getattr(gan, network), layer, np.nan))],
    )
    assert len(history["loss"]) == 2
    assert all(np.isfinite(history[name][0]) and np.isnan(history[name][1]) for name in NAMES)
    assert lines(capsys) == [
        "Epoch 2, batch 1: d_loss, g_loss: NaN or infinite. Training stops. Go on from an earlier checkpoint, with a "
        "lower learning rate."
    ]


def test_weights_that_no_loss_shows_stop_the_training(real, capsys):
    gan = make()
    history = play(
        real,
        CollapseMonitor(real),
        gan=gan,
        epochs=5,
        others=[at_epoch(2, lambda: set_weight(gan.ema_generator, "pixels", np.inf))],
    )
    assert len(history["loss"]) == 2
    (line,) = lines(capsys)
    assert line.startswith("Epoch 2: weight pixels/kernel of the averaged generator: NaN or infinite. Training stops.")


def test_training_may_go_on_and_recover(real, capsys):
    gan = make(ema_decay=None)
    start = gan.get_weights()
    monitor = CollapseMonitor(real, every=10, stop_on_nan=False)
    changes = [
        at_epoch(2, lambda: set_weight(gan.discriminator, "logit", np.nan)),
        at_epoch(4, lambda: gan.set_weights(start)),
    ]
    # Adam keeps a NaN gradient for ever; a rate of 0 times NaN is NaN.
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0), run_eagerly=True)
    history = gan.fit(to_float(real), epochs=4, batch_size=COUNT, verbose=0, callbacks=[*changes, monitor]).history
    assert np.isnan(history["diversity"][1:3]).all()
    assert history["diversity"][3] == history["diversity"][0]
    lost, found = lines(capsys)
    assert lost == "Epoch 2, batch 1: d_loss, g_loss: NaN or infinite."
    assert found.startswith("Epoch 4: recovered")


def test_training_is_left_alone(make_dcgan, images):
    def train(callbacks):
        keras.utils.set_random_seed(5)
        gan = make_dcgan()
        gan.compile()
        gan.fit(images, batch_size=16, epochs=2, verbose=0, callbacks=callbacks)
        return [*gan.get_weights(), gan.seed_generator.state.numpy(), np.array([random.random(), np.random.rand()])]

    plain = train([])
    watched = train([CollapseMonitor(images, n=16, verbose=0)])
    assert all(map(np.array_equal, plain, watched))


# Its critic is fixed here.
@pytest.mark.filterwarnings("ignore:Nothing bounds the critic")
@pytest.mark.parametrize(
    ("loss", "accuracy"), [("hinge", 1.0), ("non_saturating", 1.0), ("least_squares", 0.0), ("wasserstein", None)]
)
def test_the_boundary_between_real_and_fake_is_that_of_the_loss(real, loss, accuracy):
    history = play(real, CollapseMonitor(real, verbose=0), gan=make(weight=0.0, logit=0.3), loss=loss)
    if accuracy is None:
        assert "diversity" in history
        assert "real_accuracy" not in history
        assert "fake_accuracy" not in history
    else:
        assert history["real_accuracy"] == [accuracy]
        assert history["fake_accuracy"] == [1.0 - accuracy]


def test_a_conditional_discriminator_gets_the_labels(real):
    latents, labels, pictures = keras.Input((LATENTS,)), keras.Input((), dtype="int32"), keras.Input(SHAPE)
    pixels = keras.layers.Reshape(SHAPE)(keras.layers.Dense(64, activation="tanh")(latents))
    # The logit is that of the label: class 0 is taken for fake, class 1 for real.
    believed = keras.layers.Embedding(2, 1, name="believed")
    logits = believed(labels) + 0.0 * keras.layers.Dense(1)(keras.layers.Flatten()(pictures))
    gan = kerasgan.GAN(keras.Model([latents, labels], pixels), keras.Model([pictures, labels], logits), num_classes=2)
    believed.set_weights([np.array([[-1.0], [1.0]])])
    classes = (np.arange(COUNT) % 3 == 0).astype("int32")
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0), run_eagerly=True)
    monitor = CollapseMonitor((real, classes), verbose=0)
    history = gan.fit(to_float(real), classes, batch_size=16, verbose=0, callbacks=[monitor]).history
    assert history["real_accuracy"] == [pytest.approx(1 / 3)]
    assert history["fake_accuracy"] == [pytest.approx(2 / 3)]
    with pytest.raises(ValueError, match="no labels"):
        gan.fit(to_float(real), classes, verbose=0, callbacks=[CollapseMonitor(real)])


def test_tensorboard_gets_numbers_and_words(real, tmp_path):
    gan = make()
    play(
        real,
        CollapseMonitor(real, every=2, log_dir=tmp_path, verbose=0),
        gan=gan,
        epochs=3,
        others=[at_epoch(2, lambda: rescale(gan, 0.0))],
    )
    found = {}
    for path in (tmp_path / "game").glob("events.*"):
        for event in LegacyEventFileLoader(str(path)).Load():
            for value in event.summary.value:
                found.setdefault(value.tag, {})[event.step] = tf.make_ndarray(value.tensor).item()
    assert set(found) == {"game/state", *(f"game/{name}" for name in NAMES)}
    assert list(found["game/diversity"]) == [0, 1, 2]
    assert found["game/diversity"][0] > 0.9 > found["game/diversity"][1] == 0.0
    assert found["game/state"].keys() == {1}
    assert b"mode collapse" in found["game/state"][1]


def test_a_message_has_a_line_of_its_own_beside_a_progress_bar(real, capsys):
    play(real, CollapseMonitor(real), gan=make(scale=0.0), verbose=1)
    assert len([line for line in lines(capsys) if line.startswith("Epoch 1: mode collapse")]) == 1


def test_verbose_0_is_silent(real, capsys):
    monitor = CollapseMonitor(real, verbose=0)
    play(real, monitor, gan=make(scale=0.0))
    assert monitor.state == "mode collapse"
    assert capsys.readouterr().out == ""


def test_mirrored_strategy_and_mixed_precision(make_dcgan, images):
    devices = [device.name for device in tf.config.list_logical_devices("CPU")]
    with tf.distribute.MirroredStrategy(devices).scope():
        gan = make_dcgan(dtype="mixed_bfloat16")
        gan.compile()
    history = gan.fit(images, batch_size=16, verbose=0, callbacks=[CollapseMonitor(images, verbose=0)]).history
    assert all(np.isfinite(history[name]).all() for name in NAMES)


def test_images_of_a_data_set(make_gan):
    gan = make_gan(image_shape=(28, 28, 1))
    gan.compile(run_eagerly=True)
    monitor = CollapseMonitor("mnist_mini", n=32, verbose=0)
    history = gan.fit(np.zeros((16, 28, 28, 1), "float32"), batch_size=16, verbose=0, callbacks=[monitor]).history
    assert 0.0 < history["diversity"][0] < 0.6, "hardly trained, it draws nearly the same image always"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"every": 0}, "every must be an integer of at least 1"),
        ({"n": 1}, "n must be an integer of at least 2"),
        ({"winning": 98}, "winning must be from 0 to 1; received 98"),
        ({"most_duplicates": -0.1}, "most_duplicates must be from 0 to 1"),
    ],
)
def test_wrong_arguments(real, arguments, message):
    with pytest.raises(ValueError, match=message):
        CollapseMonitor(real, **arguments)


def test_equal_images_are_refused(real):
    with pytest.raises(ValueError, match="real images that differ; received 48"):
        play(real, CollapseMonitor(np.repeat(real[:1], COUNT, axis=0)))


def test_models_without_a_discriminator_are_refused(make_vae, real):
    with pytest.raises(ValueError, match="received VAE"):
        CollapseMonitor(real).set_model(make_vae(architecture="mlp", hidden=(4,)))
