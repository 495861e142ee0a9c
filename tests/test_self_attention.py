"""Self-attention against a few lines of NumPy."""

import numpy as np
import pytest

import kerasgan
from kerasgan.layers import SelfAttention
from kerasgan.layers.self_attention import attention

IMAGES = np.random.default_rng(0).normal(size=(2, 4, 6, 16)).astype("float32")


def by_hand(layer, images) -> np.ndarray:
    """One image after another, one place after another."""
    theta, phi, g, o = (np.asarray(each.normalized(False))[0, 0] for each in (layer.theta, layer.phi, layer.g, layer.o))
    _, height, width, channels = images.shape
    made = np.empty_like(images)
    for image, result in zip(images, made, strict=True):
        pooled = image.reshape(height // 2, 2, width // 2, 2, channels)
        keys, values = ((pooled @ kernel).max(axis=(1, 3)).reshape(-1, kernel.shape[1]) for kernel in (phi, g))
        for row in range(height):
            for column in range(width):
                scores = keys @ (image[row, column] @ theta)
                weights = np.exp(scores - scores.max())
                seen = (weights / weights.sum()) @ values
                result[row, column] = image[row, column] + float(layer.gamma.numpy()) * (seen @ o)
    return made


def test_equals_what_is_computed_by_hand_place_by_place():
    """Catches a product element by element, a softmax over the queries, and places in the wrong order."""
    layer = SelfAttention(seed=0)
    layer.build(IMAGES.shape)
    layer.gamma.assign(0.7)
    for conv in (layer.theta, layer.phi):  # So that the weights differ from place to place.
        conv.u.assign(0.1 * conv.u)
        conv.kernel.assign(3.0 * conv.kernel)
    assert [conv.filters for conv in (layer.theta, layer.phi, layer.g, layer.o)] == [2, 2, 8, 16]
    np.testing.assert_allclose(layer(IMAGES), by_hand(layer, IMAGES), rtol=1e-4, atol=1e-5)


def test_a_new_layer_changes_nothing_but_learns():
    layer = SelfAttention()
    np.testing.assert_array_equal(layer(IMAGES, training=True), IMAGES)
    assert layer.compute_output_shape(IMAGES.shape) == IMAGES.shape
    assert len(layer.trainable_weights) == 5
    assert len(layer.non_trainable_weights) == 4


def test_every_place_shares_out_one_whole_look():
    queries, keys = (
        np.random.default_rng(seed).normal(size=(2, n, 3)).astype("float32") for seed, n in ((0, 5), (1, 4))
    )
    weights = np.asarray(attention(queries, keys))
    assert weights.shape == (2, 5, 4)
    np.testing.assert_allclose(weights.sum(axis=-1), np.ones((2, 5)), rtol=1e-6)
    assert weights.std() > 0.1


def test_an_image_too_small_is_refused():
    with pytest.raises(ValueError, match="at least 2x2 places; received 1x4"):
        SelfAttention().build((None, 1, 4, 8))


def test_gamma_is_reported_and_not_minimised(images):
    gan = kerasgan.SAGAN((16, 16, 1), 4, 4, 8, seed=0)
    gan.compile()
    first = gan.train_step(images)
    # The discriminator has had its update.
    assert (float(first["g_gamma"]), abs(float(first["d_gamma"]))) == (0.0, pytest.approx(4e-4, rel=1e-3))
    later = gan.train_step(images)
    assert float(later["loss"]) == pytest.approx(float(later["d_loss"]) + float(later["g_loss"]), rel=1e-5)
