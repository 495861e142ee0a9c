import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.core.ema import average_towards, calibrate_batch_norm, clone_network, decay_of_half_life, warmed_up
from kerasgan.layers import BatchNormalization


def network():
    inputs = keras.Input((3,), name="latents")
    x = keras.layers.Dense(5)(inputs)
    return keras.Model(inputs, keras.layers.Dropout(0.5)(BatchNormalization()(x)))


def randomize(model, seed):
    rng = np.random.default_rng(seed)
    model.set_weights([rng.uniform(0.5, 2.0, weight.shape) for weight in model.get_weights()])
    return model


def test_a_clone_has_the_same_weights_of_its_own():
    live = randomize(network(), 0)
    clone = clone_network(live)
    for a, b in zip(clone.get_weights(), live.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not clone.trainable_variables
    randomize(live, 1)
    assert not np.array_equal(clone.get_weights()[0], live.get_weights()[0])


@pytest.mark.parametrize(
    ("step", "decay", "kept"),
    [(1, 0.999, 2 / 11), (90, 0.999, 91 / 100), (10**6, 0.999, 0.999), (90, 0.5, 0.5), (1, 0.0, 0.0)],
)
def test_decay_is_warmed_up(step, decay, kept):
    average, live = randomize(network(), 0), randomize(network(), 1)
    before = average.get_weights()
    average_towards(average, live, warmed_up(decay, tf.constant(step)))
    for slow, old, fast in zip(average.get_weights(), before, live.get_weights(), strict=True):
        np.testing.assert_allclose(slow, kept * old + (1 - kept) * fast, rtol=1e-5)


@pytest.mark.parametrize(("half_life", "kept"), [(64.0, 0.5), (128.0, 0.5**0.5), (0.0, 0.0)])
def test_after_a_half_life_in_images_half_is_forgotten(half_life, kept):
    np.testing.assert_allclose(decay_of_half_life(tf.constant(half_life), tf.constant(64)), kept, rtol=1e-6)


def test_seeds_are_not_averaged():
    average, live = clone_network(network()), network()
    live(np.ones((2, 3), "float32"), training=True)
    seeds = [variable.numpy() for variable in average.variables if not tf.as_dtype(variable.dtype).is_floating]
    average_towards(average, live, tf.constant(0.0))
    after = [variable.numpy() for variable in average.variables if not tf.as_dtype(variable.dtype).is_floating]
    assert len(seeds) == 1
    np.testing.assert_array_equal(after, seeds)


def test_calibrated_statistics_are_those_of_the_inputs():
    norm = BatchNormalization(momentum=0.7)
    inputs = keras.Input((3,))
    model = keras.Model(inputs, norm(inputs))
    model.trainable = False
    batches = np.random.default_rng(0).normal([1.0, -2.0, 5.0], [1.0, 2.0, 0.1], (4, 50, 3)).astype("float32")
    calibrate_batch_norm(model, ((batch,) for batch in batches))
    np.testing.assert_allclose(norm.moving_mean, batches.mean(axis=(0, 1)), rtol=1e-5)
    np.testing.assert_allclose(norm.moving_variance, batches.var(axis=1).mean(axis=0), rtol=1e-5)
    assert norm.momentum == 0.7
    assert not norm.trainable


def test_calibration_leaves_momentum_alone_after_an_error():
    model = clone_network(network())
    with pytest.raises(ValueError, match="shape"):
        calibrate_batch_norm(model, [(np.ones((2, 7), "float32"),)])
    norm = next(layer for layer in model.layers if isinstance(layer, BatchNormalization))
    assert norm.momentum == 0.99
    assert not norm.trainable


def test_fit_leaves_the_statistics_of_fresh_latents(make_dcgan, images):
    """Images must look alike whether a batch brings its own statistics or the average's are used."""
    gan = make_dcgan()
    gan.compile(keras.optimizers.Adam(2e-3), keras.optimizers.Adam(2e-3))
    gan.fit(images, batch_size=8, epochs=2, verbose=0)
    latents = gan.sample_latents(512, seed=77)
    norms = [layer for layer in gan.ema_generator.layers if isinstance(layer, BatchNormalization)]
    assert norms
    feeds = keras.Model(gan.ema_generator.inputs, [norm.input for norm in norms])(latents, training=False)
    for norm, values in zip(norms, feeds, strict=True):
        mean, variance = (np.asarray(part) for part in tf.nn.moments(values, range(len(values.shape) - 1)))
        spread = np.sqrt(variance)
        np.testing.assert_allclose(norm.moving_mean / spread, mean / spread, atol=0.15)
        np.testing.assert_allclose(norm.moving_variance, variance, rtol=0.25)


def test_calibration_repeats_itself_and_draws_nothing(make_dcgan, images):
    gan = make_dcgan()
    gan.compile()
    gan.fit(images, batch_size=16, verbose=0)
    before, seeds = gan.ema_generator.get_weights(), gan.seed_generator.state.numpy()
    gan.calibrate()
    for a, b in zip(gan.ema_generator.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(gan.seed_generator.state, seeds)


def test_the_average_lags_behind_and_generates(make_gan, images):
    gan = make_gan()
    gan.compile()
    start = gan.generator.get_weights()[0]
    gan.fit(images[:16], batch_size=8, verbose=0)
    slow, live = gan.ema_generator.get_weights()[0], gan.generator.get_weights()[0]
    assert not np.array_equal(slow, live)
    assert np.linalg.norm(slow - live) < np.linalg.norm(start - live)
    latents = gan.sample_latents(3, seed=1)
    np.testing.assert_array_equal(gan(latents), gan.ema_generator(latents))


def test_without_an_average_the_live_generator_generates(make_gan, images):
    gan = make_gan(ema_decay=None)
    gan.compile()
    gan.fit(images[:16], batch_size=8, verbose=0)
    assert gan.ema_generator is None
    latents = gan.sample_latents(3, seed=1)
    np.testing.assert_array_equal(gan(latents), gan.generator(latents))
    gan.calibrate()
