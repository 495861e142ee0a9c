import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import regularizers

RNG = np.random.default_rng(0)
SHAPE = (5, 4, 3, 2)
REAL, FAKE = (tf.constant(RNG.normal(size=SHAPE), "float32") for _ in range(2))
WEIGHTS = tf.constant(RNG.normal(size=SHAPE[1:]), "float32")


def linear(images):
    """Logits whose gradient is WEIGHTS, for every image."""
    return tf.reduce_sum(images * tf.cast(WEIGHTS, images.dtype), axis=(1, 2, 3))[:, None] + 3.0


def quadratic(images):
    """Logits whose gradient at an image is the image."""
    return 0.5 * tf.reduce_sum(tf.square(images), axis=(1, 2, 3))[:, None]


@pytest.mark.parametrize("name", regularizers.REGULARIZERS)
def test_linear_discriminator(name):
    penalty = regularizers.REGULARIZERS[name](weight=2.5)(linear, REAL, FAKE)
    np.testing.assert_allclose(penalty, 0.5 * 2.5 * np.sum(WEIGHTS.numpy() ** 2), rtol=1e-5)
    assert penalty.shape == ()
    assert penalty.dtype == tf.float32


@pytest.mark.parametrize(("name", "images"), [("r1", REAL), ("r2", FAKE)])
def test_r1_looks_at_real_images_and_r2_at_generated_ones(name, images):
    penalty = regularizers.get(name)(quadratic, REAL, FAKE)
    expected = 0.5 * np.mean(np.sum(images.numpy() ** 2, axis=(1, 2, 3)))
    np.testing.assert_allclose(penalty, expected, rtol=1e-5)


def test_the_penalty_can_be_trained_on():
    scale = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        penalty = regularizers.R1(1.0)(lambda images: scale * linear(images), REAL, FAKE)
    # The penalty is scale^2 |w|^2 / 2, so its slope is scale |w|^2.
    np.testing.assert_allclose(tape.gradient(penalty, scale), 2.0 * np.sum(WEIGHTS.numpy() ** 2), rtol=1e-5)


def test_tiny_half_precision_gradients_are_squared_in_float32():
    # 1e-4 squared is below the smallest float16.
    half = tf.cast(REAL, "float16")
    penalty = regularizers.R1(1.0)(lambda images: tf.reduce_sum(images, axis=(1, 2, 3))[:, None] * 1e-4, half, half)
    assert penalty.dtype == tf.float32
    np.testing.assert_allclose(penalty, 0.5 * 24 * 1e-8, rtol=0.02)


def test_under_mixed_bfloat16_the_penalty_is_close_to_float32s(make_dcgan, images):
    values = []
    for dtype in ("float32", "mixed_bfloat16"):
        gan = make_dcgan(dtype=dtype)
        penalty = regularizers.R1(1.0)(
            lambda x, gan=gan: gan.discriminate(x, training=False), tf.constant(images), None
        )
        assert penalty.dtype == tf.float32
        values.append(float(penalty))
    assert values[0] > 0
    assert values[1] == pytest.approx(values[0], rel=0.05)


@pytest.mark.parametrize("cls", regularizers.REGULARIZERS.values())
def test_serialisation_and_errors(cls):
    regularizer = cls(weight=0.25)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(regularizer)))
    assert regularizers.get(config) == regularizer
    with pytest.raises(ValueError, match="weight >= 0; received -1"):
        cls(weight=-1)


@pytest.mark.parametrize(("bad", "message"), [("r3", "Unknown regularizer 'r3'"), (3, "received 3")])
def test_what_is_no_regularizer_is_refused(bad, message):
    with pytest.raises(ValueError, match=message):
        regularizers.get(bad)
