"""The perceptual distance: its definition, its slope, and what it thinks of small changes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import metrics
from kerasgan.metrics import efficientnet, perceptual, perceptual_distance


def pictures(n=3, size=32, channels=3, seed=0):
    """Smooth pictures with an edge each, float32 (n, size, size, channels) in [-1, 1]."""
    random = np.random.default_rng(seed)
    coarse = random.uniform(-1.0, 1.0, (n, 5, 5, channels)).astype("float32")
    images = tf.image.resize(coarse, (size, size), "bicubic").numpy()
    images[:, : size // 2, size // 3 : size // 2] *= -0.5
    return images.clip(-0.95, 0.95)


def test_it_is_the_mean_squared_distance_of_features_of_length_one():
    first, second = pictures(2, 128), pictures(2, 128, seed=1)
    whole = efficientnet.trained()
    network = keras.Model(whole.input, [whole.get_layer(name).output for name in perceptual.DEPTHS])
    expected = np.zeros(2)
    for pair in zip(*(network(((each + 1) * 127.5 - 127) / 128) for each in (first, second)), strict=True):
        one, other = (each / np.linalg.norm(each, axis=-1, keepdims=True) for each in map(np.asarray, pair))
        expected += np.square(one - other).sum(axis=-1).mean(axis=(1, 2)) / len(perceptual.DEPTHS)
    np.testing.assert_allclose(perceptual_distance(first, second), expected, rtol=1e-4)
    assert ((expected > 0.1) & (expected < 4)).all()


@pytest.mark.parametrize(("size", "channels"), [(16, 1), (28, 1), (64, 3), (128, 3)])
def test_any_size_grey_or_coloured(size, channels):
    images = pictures(3, size, channels)
    same = perceptual_distance(images, images.copy())
    np.testing.assert_allclose(same, np.zeros(3), atol=1e-6)
    apart = np.asarray(perceptual_distance(images, images[::-1]))
    assert apart.shape == (3,)
    assert apart[0] == pytest.approx(apart[2], rel=1e-5)
    assert apart[0] > 0.1
    one = np.asarray(perceptual_distance(images, images[:1]))
    np.testing.assert_allclose(one[2], apart[0], rtol=1e-5)


def test_grey_images_are_seen_as_such():
    grey = pictures(2, 16, 1)
    coloured = np.repeat(grey, 3, axis=-1)
    np.testing.assert_allclose(
        perceptual_distance(grey[:1], grey[1:]), perceptual_distance(coloured[:1], coloured[1:]), rtol=1e-5
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_slopes_are_those_of_finite_differences(channels):
    images, others = (tf.constant(pictures(2, 20, channels, seed)) for seed in (0, 1))

    @tf.function
    def slope(images):
        with tf.GradientTape() as tape:
            tape.watch(images)
            distances = perceptual_distance(images, others)
        return distances, tape.gradient(distances, images)

    _, slopes = slope(images)
    random = np.random.default_rng(0)
    for _ in range(2):
        # Along the slope mostly: across it there is nothing to measure but rounding.
        way = slopes / tf.norm(slopes) + 0.3 * random.normal(size=slopes.shape) / np.sqrt(slopes.shape.num_elements())
        step = 0.003
        ahead, behind = (slope(images + sign * step * way)[0] for sign in (1, -1))
        measured = (ahead - behind) / (2 * step)
        np.testing.assert_allclose(tf.reduce_sum(slopes * way, axis=(1, 2, 3)), measured, rtol=0.05)


def test_a_shift_is_less_than_a_blur_or_noise_of_equal_error():
    images = pictures(4, 32)
    images += 0.1 * np.sin(np.arange(32))[:, None]  # Something that a blur takes away.
    shift = np.pad(images, ((0, 0), (0, 0), (1, 0), (0, 0)), "edge")[:, :, :-1]
    error = np.sqrt(np.square(shift - images).mean())
    noise = np.random.default_rng(0).normal(size=images.shape)
    noisy = images + error * noise / np.sqrt(np.square(noise).mean())
    shifted, spoiled = (
        np.asarray(perceptual_distance(images, each.astype("float32"))) for each in (shift, noisy)
    )  # fmt: skip
    assert (3 * shifted < spoiled).all()


@pytest.mark.parametrize(
    "images", [np.zeros((2, 16, 16, 3), "uint8"), np.zeros((16, 16, 3), "float32"), np.zeros((2, 16, 16, 2), "float32")]
)
def test_what_it_cannot_compare(images):
    with pytest.raises(ValueError, match=r"Images must be floats .* received"):
        perceptual_distance(images, images)


def test_its_network_is_that_of_the_extractor():
    pixels = ((pictures(2, 40) + 1) * 127.5).astype("uint8")
    features = metrics.extractor("efficientnet_lite0")(pixels).features
    network = efficientnet.trained()
    assert network is efficientnet.trained()
    expected, _ = network(efficientnet.as_input(efficientnet.resize(pixels)), training=False)
    np.testing.assert_allclose(features, expected, atol=1e-4)
