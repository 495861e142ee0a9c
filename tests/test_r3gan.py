"""R3GAN: networks that start as linear maps of a known size, and one course for all that changes in training."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasgan
from kerasgan.layers import SpreadOverBasis, SumOverBasis
from kerasgan.networks.r3gan import GAIN, Parts, r3gan_discriminator, r3gan_generator

SHAPE = (16, 16, 1)


def test_the_ends_of_the_networks_are_each_others_transpose():
    vectors, images = np.ones((2, 3), "float32"), np.random.default_rng(0).normal(size=(2, 4, 5, 3)).astype("float32")
    spread, total = SpreadOverBasis(4, 5, seed=1), SumOverBasis()
    spread.build(vectors.shape)
    total.build(images.shape)
    total.basis.assign(spread.basis)
    assert spread.compute_output_shape(vectors.shape) == images.shape
    assert total.compute_output_shape(images.shape) == vectors.shape
    np.testing.assert_allclose(np.sum(spread(vectors) * images), np.sum(vectors * total(images)), rtol=1e-5)


@pytest.mark.parametrize(
    ("shape", "widths"), [((28, 28, 1), (6, 4)), ((64, 64, 3), (8, 8, 6, 4)), ((32, 48, 3), (4,))], ids=str
)
@pytest.mark.parametrize(("num_classes", "ends"), [(None, "dense"), (3, "dense"), (3, "basis")])
def test_sizes(shape, widths, num_classes, ends):
    generator = r3gan_generator(shape, 5, widths, seed=0, num_classes=num_classes, ends=ends)
    discriminator = r3gan_discriminator(shape, widths, seed=0, num_classes=num_classes, ends=ends)
    latents, labels = tf.random.normal((2, 5)), tf.constant([0, 2])
    images = np.asarray(generator(latents if num_classes is None else [latents, labels]))
    assert (images.shape, images.dtype) == ((2, *shape), np.float32)
    assert np.abs(images).max() <= 1.0
    logits = discriminator(images if num_classes is None else [tf.constant(images), labels])
    assert (logits.shape, logits.dtype) == ((2, 1), "float32")


def test_branches_are_silent_at_first_and_keep_the_size_of_what_they_get():
    parts = Parts("float32", seed=0, depth=1)
    inputs = keras.Input((16, 16, 64))
    block = keras.Model(inputs, parts.block(inputs))
    x = tf.random.stateless_normal((4, 16, 16, 64), (0, 1))
    np.testing.assert_array_equal(block(x), x)
    # The 3x3 convolution's rectified output, away from the border.
    inner = keras.Model(
        inputs, [layer for layer in block.layers if isinstance(layer, keras.layers.LeakyReLU)][-1].output
    )
    size = np.mean(np.square(inner(x)[:, 2:-2, 2:-2]))
    np.testing.assert_allclose(size, 1.0, rtol=0.15)


def test_weights_are_scaled_down_by_the_depth():
    deviations = []
    for depth in (1, 16):
        inputs = keras.Input((8, 8, 64))
        block = keras.Model(inputs, Parts("float32", seed=0, depth=depth).block(inputs))
        deviations.append(block.get_weights()[0].std())
    np.testing.assert_allclose(deviations[0], GAIN / 8, rtol=0.05)
    np.testing.assert_allclose(deviations[0] / deviations[1], 2.0, rtol=1e-5)


def test_what_cannot_be_halved_is_refused():
    with pytest.raises(
        ValueError, match=r"3 stages halve an image as many times.*multiples of 8; received .*\(28, 28, 1\)"
    ):
        kerasgan.R3GAN((28, 28, 1), widths=(8, 8, 8))
    with pytest.raises(ValueError, match=r"positive number of channels for each stage; received widths=\[8, 0\]"):
        kerasgan.R3GAN(SHAPE, widths=(8, 0))
    with pytest.raises(ValueError, match="ends must be one of dense, basis; received 'convolution'"):
        kerasgan.R3GAN(SHAPE, widths=(4, 2), ends="convolution")
    for blocks in ((1, 0), (1, 1, 1), 1.5, None):
        with pytest.raises(ValueError, match=re.escape(f"and of the discriminator; received {blocks}")):
            kerasgan.R3GAN(SHAPE, widths=(4, 2), blocks=blocks)


def test_the_generator_may_have_other_blocks_than_the_discriminator():
    model = kerasgan.R3GAN(SHAPE, latent_dim=2, widths=(4, 2), blocks=(2, 1))
    counts = [
        sum(isinstance(layer, keras.layers.Add) for layer in net.layers)
        for net in (model.generator, model.discriminator)
    ]
    assert counts == [4, 2]
    assert kerasgan.R3GAN.from_config(model.get_config()).blocks == [2, 1]


def test_a_generator_that_paints_all_black_can_learn_to_stop():
    generator = r3gan_generator(SHAPE, 2, (4, 2))
    bias = generator.weights[-1]
    bias.assign([-50.0])
    with tf.GradientTape(persistent=True) as tape:
        images = generator(tf.zeros((2, 2)))
        brighter, darker = -tf.reduce_mean(images), tf.reduce_mean(images)
    assert images.numpy().max() < -0.999
    assert tape.gradient(brighter, bias).numpy() < 0
    assert tape.gradient(darker, bias).numpy() == 0


def test_without_a_tanh_images_are_cut_in_inference_only():
    model = kerasgan.R3GAN(SHAPE, latent_dim=2, widths=(4, 2), squashed=False)
    model.generator.weights[-1].assign([5.0])
    latents = np.zeros((2, 2), "float32")
    assert model.generator(latents, training=True).numpy().min() == 5.0
    assert model.generator(latents).numpy().max() == 1.0
    assert kerasgan.R3GAN.from_config(model.get_config()).squashed is False


def course_at(settings: dict, images: int) -> list[float]:
    model = kerasgan.R3GAN(SHAPE, latent_dim=2, widths=(4, 2))
    model.compile(**settings)
    model.clock.images.assign(images)
    r1, r2 = (regularizer.weight(0) for regularizer in model.regularizers)
    rates = [optimizer.learning_rate for optimizer in (model.d_optimizer, model.g_optimizer)]
    betas = [optimizer.beta_2(0) for optimizer in (model.d_optimizer, model.g_optimizer)]
    return [float(each) for each in (r1, r2, *rates, *betas, model.ema_half_life(0))]


def test_everything_follows_one_course_over_the_images():
    settings = kerasgan.R3GAN.course(1000, gamma=2.0, learning_rate=0.1)
    for images, expected in (
        (0, [2.0, 2.0, 0.1, 0.1, 0.9, 0.9, 0.0]),
        (100, [1.1, 1.1, 0.0978, 0.0978, 0.945, 0.945, 25.0]),
        (500, [0.2, 0.2, 0.055, 0.055, 0.99, 0.99, 50.0]),
        (1000, [0.2, 0.2, 0.01, 0.01, 0.99, 0.99, 50.0]),
    ):
        np.testing.assert_allclose(course_at(settings, images), expected, rtol=1e-3, atol=1e-6)


def test_a_discriminator_is_held_by_both_penalties():
    model = kerasgan.R3GAN(SHAPE, latent_dim=2, widths=(4, 2), seed=0)
    model.compile()
    # With one logit for all images, whatever it is, a pair is a toss of a coin.
    model.discriminator.set_weights([np.zeros_like(each) for each in model.discriminator.get_weights()])
    history = model.fit(np.zeros((8, *SHAPE), "float32"), batch_size=8, verbose=0).history
    assert {"d_loss", "g_loss", "r1", "r2"} <= set(history)
    np.testing.assert_allclose(history["d_loss"][0], np.log(2), rtol=1e-5)


def test_labels_choose_the_image_and_are_judged():
    model = kerasgan.R3GAN(SHAPE, latent_dim=2, widths=(4, 2), num_classes=2, seed=0)
    latents = tf.ones((2, 2))
    first, second = model.generator([latents, tf.constant([0, 1])])
    assert np.abs(first - second).max() > 1e-3
    logits = model.discriminate(tf.ones((2, *SHAPE)), tf.constant([0, 1]))
    assert np.abs(logits[0] - logits[1]) > 1e-4


def test_a_policy_is_kept_by_all_layers():
    model = kerasgan.R3GAN(SHAPE, latent_dim=2, widths=(4, 2), dtype=keras.DTypePolicy("mixed_bfloat16"))
    again = kerasgan.R3GAN.from_config(model.get_config())
    assert [layer.dtype_policy.name for layer in again.ema_generator.layers] == [
        layer.dtype_policy.name for layer in model.generator.layers
    ]


def test_callbacks_can_set_the_learning_rates_of_the_default():
    model = kerasgan.R3GAN(SHAPE, latent_dim=2, widths=(4, 2))
    model.compile()
    model.optimizer.learning_rate = 0.5
    assert float(model.d_optimizer.learning_rate) == float(model.g_optimizer.learning_rate) == 0.5
