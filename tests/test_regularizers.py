import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import regularizers, schedules
from kerasgan.core.judged import Batch, JudgedBatch, Update

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


def judged(discriminate, real=REAL, fake=FAKE, network=None, optimizer=None, step=0, training=True):
    """A batch judged by a function of images, in an update of a network."""
    network = network or keras.Sequential([keras.Input((1,))])
    optimizer = optimizer or keras.optimizers.SGD()
    optimizer.build(network.trainable_variables)
    optimizer.iterations.assign(step)
    judges = {"": lambda images, given, seed: discriminate(images)}
    return JudgedBatch(Batch(real, fake, seed=tf.constant([3, 4])), judges, Update(network, optimizer, training))


@pytest.mark.parametrize("name", ["r1", "r2"])
def test_linear_discriminator(name):
    penalty = regularizers.REGULARIZERS[name](weight=2.5)(judged(linear))
    np.testing.assert_allclose(penalty, 0.5 * 2.5 * np.sum(WEIGHTS.numpy() ** 2), rtol=1e-5)
    assert penalty.shape == ()
    assert penalty.dtype == tf.float32


@pytest.mark.parametrize(("name", "images"), [("r1", REAL), ("r2", FAKE)])
def test_r1_looks_at_real_images_and_r2_at_generated_ones(name, images):
    penalty = regularizers.get(name)(judged(quadratic))
    expected = 0.5 * np.mean(np.sum(images.numpy() ** 2, axis=(1, 2, 3)))
    np.testing.assert_allclose(penalty, expected, rtol=1e-5)


def test_the_gradient_penalty_wants_slopes_of_one():
    norm = float(np.linalg.norm(WEIGHTS))
    np.testing.assert_allclose(regularizers.GradientPenalty(2.0)(judged(linear)), 2.0 * (norm - 1.0) ** 2, rtol=1e-5)
    flat = judged(lambda images: 0.1 * linear(images) / norm)
    np.testing.assert_allclose(regularizers.GradientPenalty(1.0)(flat), 0.81, rtol=1e-4)
    assert float(regularizers.GradientPenalty(1.0, one_sided=True)(flat)) == 0.0


def test_the_gradient_penalty_looks_at_one_point_an_image_on_the_way_from_real_to_generated():
    seen = []

    def recording(images):
        seen.append(images.numpy())
        return quadratic(images)

    regularizers.GradientPenalty()(judged(recording))
    (points,) = seen
    ways = (points - REAL.numpy()) / (FAKE.numpy() - REAL.numpy())
    ways = ways.reshape(len(points), -1)
    np.testing.assert_allclose(ways, ways[:, :1].repeat(ways.shape[1], 1), atol=1e-3)
    assert len(set(ways[:, 0].round(4))) == len(points)
    assert 0 <= ways.min() <= ways.max() <= 1


def test_a_slope_of_zero_has_a_finite_gradient():
    scale = tf.Variable(0.0)
    with tf.GradientTape() as tape:
        penalty = regularizers.GradientPenalty()(judged(lambda images: scale * linear(images)))
    assert np.isfinite(tape.gradient(penalty, scale))


def test_the_penalty_can_be_trained_on():
    scale = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        penalty = regularizers.R1(1.0)(judged(lambda images: scale * linear(images)))
    # The penalty is scale^2 |w|^2 / 2, so its slope is scale |w|^2.
    np.testing.assert_allclose(tape.gradient(penalty, scale), 2.0 * np.sum(WEIGHTS.numpy() ** 2), rtol=1e-5)


def test_tiny_half_precision_gradients_are_squared_in_float32():
    # 1e-4 squared is below the smallest float16.
    half = tf.cast(REAL, "float16")
    penalty = regularizers.R1(1.0)(
        judged(lambda images: tf.reduce_sum(images, axis=(1, 2, 3))[:, None] * 1e-4, half, half)
    )
    assert penalty.dtype == tf.float32
    np.testing.assert_allclose(penalty, 0.5 * 24 * 1e-8, rtol=0.02)


def test_under_mixed_bfloat16_the_penalty_is_close_to_float32s(make_dcgan, images):
    values = []
    for dtype in ("float32", "mixed_bfloat16"):
        gan = make_dcgan(dtype=dtype)
        penalty = regularizers.R1(1.0)(judged(gan.discriminate, tf.constant(images)))
        assert penalty.dtype == tf.float32
        values.append(float(penalty))
    assert values[0] > 0
    assert values[1] == pytest.approx(values[0], rel=0.05)


# Laziness, schedules


@pytest.mark.parametrize("step", [0, 1, 2, 3])
def test_a_lazy_penalty_counts_as_often_as_it_is_left_out(step):
    network = keras.Sequential([keras.Input((4, 3, 2)), keras.layers.Flatten(), keras.layers.Dense(1)])
    gradients = {}
    for every in (1, 3):
        batch = judged(network, network=network, step=step)
        with tf.GradientTape() as tape:
            penalty = regularizers.R1(2.0, every=every)(batch)
        gradients[every] = float(penalty), tape.gradient(penalty, network.trainable_variables)[0]
    times = 3.0 if step % 3 == 0 else 0.0
    assert gradients[3][0] == pytest.approx(times * gradients[1][0], rel=1e-5)
    np.testing.assert_allclose(gradients[3][1], times * gradients[1][1], rtol=1e-5)


def test_in_evaluation_a_lazy_penalty_is_itself():
    lazy = regularizers.R1(2.0, every=3)(judged(linear, step=1, training=False))
    np.testing.assert_allclose(lazy, regularizers.R1(2.0)(judged(linear)), rtol=1e-6)


def test_the_weight_follows_a_schedule():
    lazy = regularizers.R1(schedules.Linear(4.0, 0.0, over=10))
    plain = float(regularizers.R1(1.0)(judged(linear)))
    for step, weight in ((0, 4.0), (5, 2.0), (20, 0.0)):
        np.testing.assert_allclose(lazy(judged(linear, step=step)), weight * plain, rtol=1e-5)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(lazy)))
    assert regularizers.get(config).weight.get_config() == lazy.weight.get_config()


@pytest.mark.parametrize("cls", regularizers.REGULARIZERS.values())
def test_serialisation_and_errors(cls):
    regularizer = cls(weight=0.25)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(regularizer)))
    assert regularizers.get(config) == regularizer
    with pytest.raises(ValueError, match="weight >= 0; received -1"):
        cls(weight=-1)
    with pytest.raises(ValueError, match="every >= 1; received 0"):
        cls(every=0)


@pytest.mark.parametrize(("bad", "message"), [("r3", "Unknown regularizer 'r3'"), (3, "received 3")])
def test_what_is_no_regularizer_is_refused(bad, message):
    with pytest.raises(ValueError, match=message):
        regularizers.get(bad)
