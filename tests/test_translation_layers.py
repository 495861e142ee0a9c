"""The layers that translators are made of, against a few lines of NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from kerasgan.layers import GivenDropout, InstanceNormalization, ReflectionPadding2D

IMAGES = np.random.default_rng(0).normal(1.0, 3.0, size=(3, 6, 4, 5)).astype("float32")


def normalized_by_hand(images):
    """One channel of one image after another."""
    made = np.empty_like(images)
    for image, result in zip(images, made, strict=True):
        for channel in range(image.shape[-1]):
            values = image[..., channel].astype("float64")
            result[..., channel] = (values - values.mean()) / np.sqrt(values.var() + 1e-5)
    return made


@pytest.mark.parametrize("training", [False, True])
def test_instance_norm_is_of_each_channel_of_each_image(training):
    """Catches statistics over the batch, or over channels."""
    layer = InstanceNormalization(affine=False)
    np.testing.assert_allclose(layer(IMAGES, training=training), normalized_by_hand(IMAGES), rtol=1e-4, atol=1e-4)
    assert not layer.variables


@pytest.mark.parametrize("training", [False, True])
def test_instance_norm_scales_and_shifts_by_channel(training):
    layer = InstanceNormalization()
    layer.build(IMAGES.shape)
    gamma, beta = np.arange(1.0, 6.0, dtype="float32"), np.arange(5.0, dtype="float32")
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)
    expected = normalized_by_hand(IMAGES) * gamma + beta
    np.testing.assert_allclose(layer(IMAGES, training=training), expected, rtol=1e-4, atol=1e-3)


def test_both_ways_of_instance_norm_have_the_same_slopes():
    layer = InstanceNormalization()
    layer.build(IMAGES.shape)
    layer.gamma.assign(np.linspace(0.5, 2.0, 5))
    upstream = np.random.default_rng(1).normal(size=IMAGES.shape).astype("float32")

    def slopes(training):
        images = tf.constant(IMAGES)
        with tf.GradientTape() as tape:
            tape.watch(images)
            value = tf.reduce_sum(layer(images, training=training) * upstream)
        return tape.gradient(value, [images, *(each.value for each in layer.trainable_variables)])

    for fused, plain in zip(slopes(True), slopes(False), strict=True):
        np.testing.assert_allclose(fused, plain, rtol=1e-3, atol=1e-4)


def test_instance_norm_in_half_precision_is_near():
    layer = InstanceNormalization(dtype="mixed_bfloat16")
    for training in (False, True):
        made = layer(tf.cast(IMAGES, tf.bfloat16), training=training)
        assert made.dtype == tf.bfloat16
        np.testing.assert_allclose(tf.cast(made, tf.float32), normalized_by_hand(IMAGES), atol=0.05)


def test_instance_norm_of_single_places_is_refused():
    with pytest.raises(ValueError, match="1x1 places gives 0"):
        InstanceNormalization()(np.zeros((2, 1, 1, 3), "float32"))


def test_reflection_is_that_of_numpy():
    padded = ReflectionPadding2D(3)(IMAGES)
    np.testing.assert_array_equal(padded, np.pad(IMAGES, ((0, 0), (3, 3), (3, 3), (0, 0)), mode="reflect"))
    assert ReflectionPadding2D(3).compute_output_shape((None, 6, 4, 5)) == (None, 12, 10, 5)


@pytest.mark.parametrize(("padding", "message"), [(0, "received 0"), (1.5, "received 1.5"), (4, "at least 5 a side")])
def test_reflections_that_there_are_not(padding, message):
    with pytest.raises(ValueError, match=message):
        ReflectionPadding2D(padding)(IMAGES)


def test_given_dropout_drops_what_its_own_numbers_say():
    values = np.ones((2, 2, 3), "float32")
    numbers = np.random.default_rng(0).uniform(size=(2, 9)).astype("float32")
    made = np.asarray(GivenDropout(0.25, first=2)([values, numbers]))
    kept = numbers[:, 2:8].reshape(2, 2, 3) >= 0.25
    np.testing.assert_allclose(made, np.where(kept, 4 / 3, 0.0), rtol=1e-6)
    assert 0 < kept.sum() < kept.size


def test_given_dropout_compares_in_float32():
    """In bfloat16, 0.4999 is 0.5."""
    layer = GivenDropout(0.5, dtype="mixed_bfloat16")
    made = layer([np.ones((1, 2), "float32"), np.array([[0.4999, 0.5]], "float32")])
    np.testing.assert_array_equal(tf.cast(made, tf.float32), [[0.0, 2.0]])


@pytest.mark.parametrize("arguments", [{"rate": 1.0}, {"rate": -0.1}, {"rate": 0.5, "first": -1}])
def test_given_dropouts_that_there_are_not(arguments):
    with pytest.raises(ValueError, match="received"):
        GivenDropout(**arguments)
