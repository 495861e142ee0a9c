"""What the GAN class does beyond the model contract, which tests/contract/ runs over every family."""

import random

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import losses, regularizers
from kerasgan.core.gan import GAN
from kerasgan.kinds.inputs import spherical_path


@keras.saving.register_keras_serializable("kerasgan_tests")
class Counting(keras.layers.Layer):
    """Passes its input on and counts the calls by the layer's name."""

    calls: dict = {}  # noqa: RUF012

    def call(self, inputs):
        Counting.calls[self.name] = Counting.calls.get(self.name, 0) + 1
        return inputs


def own_networks(seed=0):
    """A user's two networks, which count their passes."""
    glorot = keras.initializers.GlorotUniform
    latents = keras.Input((3,))
    x = Counting(name="generator_passes")(latents)
    x = keras.layers.Dense(64, activation="tanh", kernel_initializer=glorot(seed))(x)
    generator = keras.Model(latents, keras.layers.Reshape((8, 8, 1))(x))
    images = keras.Input((8, 8, 1))
    x = Counting(name="discriminator_passes")(keras.layers.Flatten()(images))
    return generator, keras.Model(images, keras.layers.Dense(1, kernel_initializer=glorot(seed + 1))(x))


@pytest.fixture
def small_images(images):
    return images[:, :8, :8]


# A user's own networks


@pytest.mark.parametrize(("d_steps", "generator", "discriminator"), [(1, 1, 3), (3, 3, 7)])
def test_no_pass_is_wasted(small_images, d_steps, generator, discriminator):
    gan = GAN(*own_networks(), d_steps=d_steps, seed=0)
    gan.compile()
    Counting.calls = {}
    gan.train_step(tf.constant(small_images))
    assert Counting.calls == {"generator_passes": generator, "discriminator_passes": discriminator}


def test_own_networks_train_save_and_load(small_images, tmp_path):
    gan = GAN(*own_networks(), seed=0)
    assert (gan.image_shape, gan.latent_dim, gan.num_classes) == ((8, 8, 1), 3, None)
    gan.compile(regularizers=["r1"])
    assert set(gan.fit(small_images, verbose=0).history) == {"loss", "d_loss", "g_loss", "r1"}
    gan.save(tmp_path / "own.keras")
    loaded = keras.models.load_model(tmp_path / "own.keras")
    np.testing.assert_array_equal(loaded.generate(3, seed=1), gan.generate(3, seed=1))
    runs = [each.fit(small_images, shuffle=False, verbose=0).history for each in (gan, loaded)]
    assert runs[0] == runs[1]


# Training


def slopes(function, images) -> np.ndarray:
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = function(images)
    return np.sum(np.square(tape.gradient(logits, images)), axis=(1, 2, 3))


def test_every_discriminator_step_has_fresh_latents(make_gan, images):
    gan = make_gan(d_steps=3)
    gan.compile()
    seen = []
    update = gan.update_discriminator

    def watched(batch, *arguments):
        seen.append(batch.latents.numpy())
        return update(batch, *arguments)

    gan.update_discriminator = watched
    gan.train_step(tf.constant(images))
    gan.train_step(tf.constant(images))
    assert len(seen) == 6
    assert len({latents.tobytes() for latents in seen}) == 6
    assert int(gan.d_optimizer.iterations) == 6
    assert int(gan.g_optimizer.iterations) == 2


def test_one_step_is_the_gradient_of_the_papers_objectives(small_images):
    """A step computed by hand, network by network, with plain gradient descent."""
    gan, by_hand = GAN(*own_networks(), seed=0), GAN(*own_networks(), seed=0)
    gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1))
    real, latents = tf.constant(small_images), by_hand.sample_latents(len(small_images), by_hand.next_seed())
    generator, discriminator = by_hand.generator, by_hand.discriminator
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)

    def descend(network, objective):
        with tf.GradientTape() as tape:
            value = objective()
        for variable, gradient in zip(
            network.trainable_variables, tape.gradient(value, network.trainable_variables), strict=True
        ):
            variable.assign_sub(0.1 * gradient)
        return float(value)

    def d_objective():
        on_real, on_fake = discriminator(real), discriminator(generator(latents))
        return cross_entropy(tf.ones_like(on_real), on_real) + cross_entropy(tf.zeros_like(on_fake), on_fake)

    def g_objective():
        on_fake = discriminator(generator(latents))
        return cross_entropy(tf.ones_like(on_fake), on_fake)

    expected = {"d_loss": descend(discriminator, d_objective), "g_loss": descend(generator, g_objective)}
    logs = gan.train_step(real)
    for name, value in expected.items():
        np.testing.assert_allclose(logs[name], value, rtol=1e-5)
    for network in ("generator", "discriminator"):
        pairs = zip(getattr(gan, network).get_weights(), getattr(by_hand, network).get_weights(), strict=True)
        for a, b in pairs:
            np.testing.assert_allclose(a, b, atol=1e-6)


def test_minimax_and_non_saturating_differ_in_the_generator_only(make_gan, images):
    gradients = {}
    for loss in ("minimax", "non_saturating"):
        gan = make_gan(dropout=0.0)
        gan.compile(keras.optimizers.SGD(1.0), keras.optimizers.SGD(1.0), loss=loss)
        before = {name: network.get_weights() for name, network in (("g", gan.generator), ("d", gan.discriminator))}
        logs = gan.train_step(tf.constant(images))
        after = {name: network.get_weights() for name, network in (("g", gan.generator), ("d", gan.discriminator))}
        gradients[loss] = {name: [b - a for a, b in zip(after[name], before[name], strict=True)] for name in before}
        assert (logs["g_loss"] < 0) == (loss == "minimax")
    minimax, non_saturating = gradients["minimax"], gradients["non_saturating"]
    for a, b in zip(minimax["d"], non_saturating["d"], strict=True):
        np.testing.assert_array_equal(a, b)
    a, b = (np.concatenate([part.ravel() for part in each["g"]]) for each in (minimax, non_saturating))
    assert not np.allclose(a, b)
    assert np.dot(a, b) > 0  # Both fool the discriminator: the same direction, not the same length.


def test_regularizers_are_terms_of_the_discriminator(make_gan, images):
    still = make_gan(dropout=0.0)
    still.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0), regularizers=["r1", regularizers.R2(5.0)])
    logs = still.train_step(tf.constant(images))
    assert set(logs) == {"loss", "d_loss", "g_loss", "r1", "r2"}
    np.testing.assert_allclose(logs["loss"], sum(logs[name] for name in set(logs) - {"loss"}), rtol=1e-5)
    real = tf.constant(images)
    expected = 0.5 * np.mean(slopes(lambda x: still.discriminate(x), real))
    np.testing.assert_allclose(logs["r1"], expected, rtol=1e-4)

    def d_kernel(weight):
        gan = make_gan(dropout=0.0)
        gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1), regularizers=[regularizers.R1(weight)])
        gan.train_step(real)
        return gan.discriminator.get_weights()[0]

    assert not np.array_equal(d_kernel(0.0), d_kernel(10.0))


def test_paper_defaults_and_what_replaces_them(make_dcgan):
    gan = make_dcgan()
    gan.compile()
    for optimizer in (gan.d_optimizer, gan.g_optimizer):
        assert isinstance(optimizer, keras.optimizers.Adam)
        assert (float(optimizer.learning_rate), optimizer.beta_1) == (pytest.approx(2e-4), 0.5)
    assert gan.loss == losses.NonSaturating()
    gan.compile("sgd", keras.optimizers.RMSprop(), loss=losses.NonSaturating(0.1))
    assert isinstance(gan.d_optimizer, keras.optimizers.SGD)
    assert isinstance(gan.g_optimizer, keras.optimizers.RMSprop)
    assert gan.loss.label_smoothing == 0.1
    gan.compile("adam", "adam")
    assert gan.d_optimizer is not gan.g_optimizer


def test_dcgan_features(make_dcgan, images):
    gan = make_dcgan()
    features = gan.features(images, batch_size=10)
    # Two convolutions of 4 and 8 filters, each pooled to 4x4.
    assert features.shape == (32, 16 * (4 + 8))
    assert features.dtype == np.float32
    first = keras.Model(gan.discriminator.input, gan.discriminator.layers[2].output)(images)
    pooled = np.asarray(first).reshape(32, 4, 2, 4, 2, 4).max(axis=(2, 4)).reshape(32, -1)
    np.testing.assert_allclose(features[:, : pooled.shape[1]], pooled, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="received a batch of shape"):
        gan.features(images[:, :8])


# Data


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_arrays_of_any_floating_type(make_gan, images, dtype):
    gan = make_gan()
    gan.compile()
    history = gan.fit(images[:8].astype(dtype), batch_size=4, verbose=0).history
    assert np.all(np.isfinite(list(history.values())))


def test_labels_are_ignored_where_there_is_no_use_for_them(make_gan, images):
    runs = []
    for labels in (None, np.arange(32)):
        gan = make_gan()
        gan.compile()
        runs.append(gan.fit(images, labels, batch_size=16, shuffle=False, verbose=0).history)
    assert runs[0] == runs[1]


def test_arrays_and_data_sets_train_alike(make_gan, images):
    runs = []
    for data, settings in (
        (images, {"batch_size": 8, "shuffle": False}),
        (tf.data.Dataset.from_tensor_slices(images).batch(8), {}),
        (tf.data.Dataset.from_tensor_slices((images, np.arange(32))).batch(8).repeat(), {"steps_per_epoch": 4}),
    ):
        gan = make_gan()
        gan.compile()
        runs.append(gan.fit(data, epochs=2, verbose=0, **settings).history)
    for run in runs[1:]:
        for name, values in run.items():
            np.testing.assert_allclose(values, runs[0][name], rtol=1e-5)


# Sampling


def test_generate_with_a_seed_leaves_all_other_random_numbers_alone(make_gan):
    gan = make_gan()
    keras.utils.set_random_seed(5)
    states = random.getstate(), np.random.get_state()[1].tolist(), gan.seed_generator.state.numpy().tolist()
    gan.generate(4, seed=1)
    assert states == (random.getstate(), np.random.get_state()[1].tolist(), gan.seed_generator.state.numpy().tolist())


def test_generate_without_a_seed_is_fresh_but_repeatable_for_keras(make_gan):
    gan = make_gan()
    assert not np.array_equal(gan.generate(2), gan.generate(2))
    keras.utils.set_random_seed(5)
    first = gan.generate(2)
    keras.utils.set_random_seed(5)
    np.testing.assert_array_equal(gan.generate(2), first)


def test_latents_are_standard_normal(make_gan):
    latents = np.asarray(make_gan().sample_latents(20_000, seed=3))
    assert latents.shape == (20_000, 4)
    np.testing.assert_allclose(latents.mean(axis=0), 0.0, atol=0.03)
    np.testing.assert_allclose(np.cov(latents.T), np.eye(4), atol=0.05)


@pytest.mark.parametrize("seed", [0, 2**31 - 1, 2**40 + 1, -1])
def test_any_integer_is_a_seed(make_gan, seed):
    gan = make_gan()
    np.testing.assert_array_equal(gan.generate(2, seed=seed), gan.generate(2, seed=seed))


@pytest.mark.parametrize("batch_size", [1, 3, 7, 100])
def test_generate_does_not_depend_on_the_batch_size(make_dcgan, batch_size):
    gan = make_dcgan()
    np.testing.assert_allclose(gan.generate(7, seed=1, batch_size=batch_size), gan.generate(7, seed=1), atol=1e-6)


def test_interpolation_is_spherical_and_ends_where_it_should(make_gan):
    gan = make_gan()
    start, end = (np.asarray(gan.sample_latents(1, seed=seed)[0]) for seed in (1, 2))
    path = gan.interpolate(start, end, steps=5)
    assert path.shape == (5, 16, 16, 1)
    np.testing.assert_allclose(path[[0, -1]], gan(np.stack([start, end])), atol=1e-5)
    a, b = np.array([3.0, 0.0]), np.array([0.0, 3.0])
    np.testing.assert_allclose(np.linalg.norm(spherical_path(a, b, 7), axis=1), 3.0, rtol=1e-6)
    np.testing.assert_allclose(spherical_path(a, a, 3), [a, a, a], atol=1e-6)
    with pytest.raises(ValueError, match="steps must be at least 2"):
        gan.interpolate(start, end, steps=1)


# Errors


@pytest.mark.parametrize("n", [0, -3, 1.5, True, "4"])
def test_generate_wants_a_positive_integer(make_gan, n):
    with pytest.raises(ValueError, match="positive integer; received"):
        make_gan().generate(n)


@pytest.mark.parametrize("kind", ["array", "dataset", "tensor"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x[:, :8], r"built for images of shape \(16, 16, 1\); received a batch of shape \(.*8, 16, 1\)"),
        (lambda x: x[..., 0], "received a batch of shape"),
        (lambda x: (127.5 * (x + 1)).astype("uint8"), "received uint8.*to_float"),
        (lambda x: 127.5 * (x + 1), r"finite and in \[-1, 1\]"),
        (lambda x: np.where(x > 0.9, np.nan, x), "finite"),
        (lambda x: np.where(x > 0.9, np.inf, x), "finite"),
    ],
    ids=["size", "rank", "bytes", "range", "nan", "inf"],
)
def test_wrong_images_are_refused(make_gan, images, kind, change, message):
    gan = make_gan()
    gan.compile()
    wrong = change(images)
    if kind == "dataset":
        wrong = tf.data.Dataset.from_tensor_slices(wrong).batch(16)
    elif kind == "tensor":
        wrong = tf.constant(wrong)
    before = gan.get_weights()
    with pytest.raises(ValueError, match=message):
        gan.fit(wrong, batch_size=None if kind == "dataset" else 16, verbose=0)
    for a, b in zip(gan.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_wrong_validation_images_are_refused(make_gan, images):
    gan = make_gan()
    gan.compile()
    with pytest.raises(ValueError, match="received a batch of shape"):
        gan.fit(images, validation_data=(images[:, :8], None), verbose=0)


def test_fit_before_compile(make_gan, images):
    with pytest.raises(ValueError, match="compile"):
        make_gan().fit(images, verbose=0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"d_steps": 0}, "d_steps must be a whole number, at least 1; received 0"),
        ({"ema_decay": 1.0}, r"ema_decay must be in \[0, 1\)"),
        ({"ema_decay": -0.1}, r"ema_decay must be in \[0, 1\)"),
    ],
    ids=str,
)
def test_constructor_errors(make_gan, settings, message):
    with pytest.raises(ValueError, match=message):
        make_gan(**settings)


def test_compile_errors(make_gan):
    gan = make_gan()
    one = keras.optimizers.Adam()
    with pytest.raises(ValueError, match="one object"):
        gan.compile(one, one)
    with pytest.raises(ValueError, match="Did you mean 'wasserstein'"):
        gan.compile(loss="waserstein")
    with pytest.raises(ValueError, match=r"different names.*\['r1', 'r1'\]"):
        gan.compile(regularizers=["r1", "r1"])


def test_a_term_that_was_not_announced_is_named(make_gan, images):
    gan = make_gan()
    gan.compile()
    gan.generator_terms = lambda batch, training=True: {"surprise": tf.reduce_mean(batch.fake)}
    with pytest.raises(ValueError, match=r"reports the terms \['surprise'\]"):
        gan.train_step(tf.constant(images))
