"""Spectral normalisation as Miyato et al. 2018 define it, and none of what Keras's own layer does."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasgan
from kerasgan.core.judged import Batch, Update, frozen_state
from kerasgan.export import tflite
from kerasgan.export.tflite_writer import op_counts
from kerasgan.layers import SNConv2D, SNDense, SNProjection, SNResizingConv2D

LABELS = tf.constant([0, 2, 1, 1])
# Makes a layer -> what it takes.
CASES = {
    "conv": (lambda **s: SNConv2D(5, 3, padding="same", **s), tf.random.stateless_normal((4, 6, 6, 3), (0, 1))),
    "halve": (lambda **s: SNResizingConv2D(5, "halve", **s), tf.random.stateless_normal((4, 6, 6, 3), (0, 1))),
    "double": (lambda **s: SNResizingConv2D(5, "double", **s), tf.random.stateless_normal((4, 6, 6, 3), (0, 1))),
    "dense": (lambda **s: SNDense(5, **s), tf.random.stateless_normal((4, 7), (0, 1))),
    "projection": (lambda **s: SNProjection(3, **s), [tf.random.stateless_normal((4, 7), (0, 1)), LABELS]),
}
PLAIN = {"conv": keras.layers.Conv2D(5, 3, padding="same"), "dense": keras.layers.Dense(5)}


def built(name, **settings):
    """A layer whose weights are away from their initial values, and what it takes."""
    make, inputs = CASES[name]
    layer = make(**settings)
    layer(inputs)
    for number, weight in enumerate(layer.trainable_weights):
        weight.assign(tf.random.stateless_normal(weight.shape, (number, 3), stddev=2.0))
    return layer, inputs


def as_matrix(layer) -> np.ndarray:
    weight = np.asarray(layer.weights[0], "float64")
    return weight.reshape(-1, weight.shape[-1])


def iterated(matrix, u, times=1):
    """One power iteration after another: sigma, u and v of the last."""
    for _ in range(times):
        v = matrix @ u / np.linalg.norm(matrix @ u)
        u = matrix.T @ v / np.linalg.norm(matrix.T @ v)
    return v @ matrix @ u, u, v


@pytest.mark.parametrize("name", CASES)
def test_the_largest_singular_value_becomes_1_and_the_weight_stays(name):
    layer, inputs = built(name)
    before = as_matrix(layer)
    for _ in range(100):
        layer(inputs, training=True)
    normalized = np.asarray(layer.normalized(training=False))
    values = np.linalg.svd(normalized.reshape(before.shape), compute_uv=False)
    assert values[0] == pytest.approx(1.0, abs=1e-4)
    np.testing.assert_array_equal(as_matrix(layer), before)


@pytest.mark.parametrize("name", PLAIN)
def test_a_layer_is_the_plain_one_with_the_normalised_weight(name):
    layer, inputs = built(name, activation="relu")
    plain = type(PLAIN[name]).from_config(PLAIN[name].get_config() | {"activation": "relu"})
    plain.build(inputs.shape)
    plain.set_weights([layer.normalized(training=False), layer.bias])
    np.testing.assert_allclose(layer(inputs), plain(inputs), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_a_pass_in_training_makes_one_iteration_and_others_none(name):
    layer, inputs = built(name)
    matrix, start = as_matrix(layer), np.asarray(layer.u, "float64")
    sigma, u, _ = iterated(matrix, start)
    layer(inputs, training=False)
    with frozen_state():
        layer(inputs, training=True)
    with frozen_state():
        # What is frozen computes with the same sigma as a pass in training.
        np.testing.assert_allclose(np.reshape(layer.normalized(True), matrix.shape), matrix / sigma, rtol=1e-5)
    layer.trainable = False
    layer(inputs, training=True)
    np.testing.assert_array_equal(layer.u, start)
    layer.trainable = True
    layer(inputs, training=True)
    np.testing.assert_allclose(layer.u, u, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_the_gradient_goes_through_sigma_with_u_and_v_held(name):
    """Equation 12 of the paper: (G - lambda u v^T) / sigma."""
    layer, _ = built(name)
    matrix = as_matrix(layer)
    sigma, u, v = iterated(matrix, np.asarray(layer.u, "float64"))
    upstream = np.random.default_rng(0).normal(size=matrix.shape)
    with tf.GradientTape() as tape:
        normalized = tf.reshape(layer.normalized(training=True), matrix.shape)
        value = tf.reduce_sum(tf.constant(upstream, "float32") * normalized)
    found = np.reshape(tape.gradient(value, layer.weights[0].value), matrix.shape)
    stretch = np.sum(upstream * matrix) / sigma
    np.testing.assert_allclose(found, (upstream - stretch * np.outer(v, u)) / sigma, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_sigma_is_computed_in_float32(policy):
    half, inputs = built("conv", dtype=policy)
    exact, _ = built("conv")
    half.u.assign(exact.u)
    for layer in (half, exact):
        assert layer(inputs, training=True).dtype == layer.compute_dtype
        assert layer.u.dtype == "float32"
    np.testing.assert_array_equal(half.u, exact.u)
    normalized = half.normalized(training=False)
    assert normalized.dtype == half.compute_dtype
    np.testing.assert_array_equal(normalized, tf.cast(exact.normalized(training=False), half.compute_dtype))


def test_a_weight_of_zeros_gives_zeros():
    layer, inputs = built("dense")
    layer.kernel.assign(tf.zeros_like(layer.kernel))
    layer.bias.assign(tf.zeros_like(layer.bias))
    np.testing.assert_array_equal(layer(inputs, training=True), np.zeros((4, 5)))
    assert np.isfinite(layer.u).all()


# In a model


def vectors(network) -> list[np.ndarray]:
    return [np.asarray(each) for each in network.variables if each.name == "u"]


@pytest.fixture(scope="module")
def gan():
    gan = kerasgan.SNGAN((16, 16, 1), 4, 8, 8, num_classes=3, seed=0)
    gan.compile()
    return gan


def batch_of(gan, count=4):
    images = tf.random.stateless_uniform((count, 16, 16, 1), (0, 0), -1.0, 1.0)
    return gan.synthesize(images, {"labels": tf.range(count) % 3}, tf.constant([1, 2]))


def test_only_the_discriminators_update_moves_u_once_for_each_side(gan):
    before = vectors(gan.discriminator)
    assert len(before) == 9  # 7 convolutions, a dense layer, a projection
    batch = batch_of(gan)
    gan.generator_terms(gan.judged(batch, Update(gan.generator, gan.g_optimizer, frozen=True)))
    gan.test_step((batch.real, batch.given["labels"]))
    gan.discriminate(batch.real, batch.given["labels"])
    for old, new in zip(before, vectors(gan.discriminator), strict=True):
        np.testing.assert_array_equal(new, old)
    layer = next(each for each in gan.discriminator.layers if isinstance(each, SNConv2D))
    _, expected, _ = iterated(as_matrix(layer), np.asarray(layer.u, "float64"), times=2)
    gan.update_discriminator(batch)
    np.testing.assert_allclose(layer.u, expected, rtol=1e-3)
    assert not any(np.allclose(*pair) for pair in zip(before, vectors(gan.discriminator), strict=True))


@pytest.mark.parametrize("every", [1, 2])
def test_the_passes_of_penalties_do_not_move_u(every):
    found = []
    for penalties in ([], [kerasgan.regularizers.GradientPenalty(0.0, every), kerasgan.regularizers.R1(0.0, every)]):
        gan = kerasgan.SNGAN((16, 16, 1), 4, 4, 4, seed=0)
        gan.compile(regularizers=penalties)
        images = tf.random.stateless_uniform((4, 16, 16, 1), (0, 0), -1.0, 1.0)
        gan.update_discriminator(Batch(images, -images, seed=tf.constant([1, 2])))
        found.append(vectors(gan.discriminator))
    for plain, penalised in zip(*found, strict=True):
        np.testing.assert_allclose(penalised, plain, rtol=1e-5, atol=1e-6)


def test_u_is_saved_and_loaded(gan, tmp_path):
    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    for old, new in zip(vectors(gan), vectors(loaded), strict=True):
        np.testing.assert_array_equal(new, old)


def test_the_averaged_generators_u_follows_the_live_one_and_calibration_leaves_it(images):
    gan = kerasgan.SAGAN((16, 16, 1), 4, 4, 8, seed=0)
    gan.compile()
    start = vectors(gan.ema_generator)
    gan.train_step(images)
    followed = vectors(gan.ema_generator)
    assert len(followed) == 12
    assert all(not np.array_equal(old, new) for old, new in zip(start, followed, strict=True) if new.size > 1)
    gan.calibrate(batches=2, batch_size=4)
    for old, new in zip(followed, vectors(gan.ema_generator), strict=True):
        np.testing.assert_array_equal(new, old)


def test_an_exported_file_holds_normalised_weights_and_iterates_no_more(tmp_path):
    gan = kerasgan.SAGAN((16, 16, 1), 4, 4, 8, seed=0)
    tflite(gan, tmp_path / "sagan.tflite")
    operations = set(op_counts((tmp_path / "sagan.tflite").read_bytes()))
    assert "TRANSPOSE_CONV" in operations
    # The norms and the quotient that sigma is made of.
    assert not operations & {"L2_NORMALIZATION", "RSQRT", "SQRT", "SUM", "DIV", "MAXIMUM"}


def test_a_matrix_of_zeros_has_finite_gradients():
    layer, inputs = built("dense")
    layer.kernel.assign(tf.zeros_like(layer.kernel))
    with tf.GradientTape() as tape:
        made = tf.reduce_sum(layer(inputs, training=True))
    assert np.isfinite(tape.gradient(made, layer.kernel.value)).all()
