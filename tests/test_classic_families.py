"""LSGAN, WGAN and the conditional GAN of 2014: what their reimplementations got wrong, beside the model contract."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasgan
from kerasgan.layers import ClassChannels

SMALL = {"image_shape": (16, 16, 1), "latent_dim": 4, "base_filters": 4}


def test_lsgan_squares_scores_and_not_probabilities(images):
    gan = kerasgan.LSGAN(**SMALL, seed=0)
    gan.compile()
    *_, last = gan.discriminator.layers
    assert last.activation is keras.activations.linear
    for weight in last.weights:
        weight.assign(100.0 * tf.ones_like(weight))
    scores = gan.discriminate(images[:4])
    assert np.abs(scores).max() > 1.0
    expected = 0.5 * np.mean((scores - 1.0) ** 2) + 0.5 * np.mean(scores**2)
    np.testing.assert_allclose(gan.loss.discriminator(scores, scores), expected, rtol=1e-5)


def test_the_generator_learns_from_a_clipped_critic(images):
    """Clipped before the update, as in the authors' program, the critic that the generator sees is out of bounds."""
    gan = kerasgan.WGAN(**SMALL, d_steps=2, seed=0)
    gan.compile(d_optimizer=keras.optimizers.RMSprop(0.1))
    seen = []

    def largest_weight(batch):
        seen.append(max(float(np.abs(each).max()) for each in gan.discriminator.trainable_variables))
        return terms(batch)

    terms, gan.generator_terms = gan.generator_terms, largest_weight
    gan.train_step(tf.constant(images))
    assert seen == [pytest.approx(0.01)]


def test_a_critic_scores_real_images_high(images):
    gan = kerasgan.WGAN(**SMALL, d_steps=1, seed=0)
    # The generator stands still.
    gan.compile(d_optimizer=keras.optimizers.RMSprop(1e-3), g_optimizer=keras.optimizers.SGD(0.0))
    real, fake = images, gan.generate(len(images), seed=0)
    gan.fit(images, epochs=30, batch_size=len(images), verbose=0)
    assert np.mean(gan.discriminate(real)) > np.mean(gan.discriminate(fake))


def test_wgan_is_compiled_as_in_the_paper():
    gan = kerasgan.WGAN(**SMALL)
    gan.compile()
    optimizers = (gan.d_optimizer, gan.g_optimizer)
    assert all(isinstance(each, keras.optimizers.RMSprop) for each in optimizers)
    assert [float(each.learning_rate) for each in optimizers] == pytest.approx([5e-5, 5e-5])
    assert (gan.d_steps, gan.d_constraint.limit) == (5, 0.01)


def test_class_channels_are_one_where_the_label_says():
    images = tf.reshape(tf.range(2 * 3 * 3 * 2, dtype="float32"), (2, 3, 3, 2))
    joined = ClassChannels(4)([images, tf.constant([1, 3])]).numpy()
    np.testing.assert_array_equal(joined[..., :2], images)
    expected = np.broadcast_to(np.eye(4)[[1, 3]][:, None, None], (2, 3, 3, 4))
    np.testing.assert_array_equal(joined[..., 2:], expected)
    points = ClassChannels(2)([tf.ones((1, 3)), tf.constant([0])])
    np.testing.assert_array_equal(points, [[1, 1, 1, 1, 0]])


@pytest.mark.parametrize("conditioning", ["projection", "concatenation"])
def test_every_label_is_heard_by_both_networks(conditioning, images):
    """Multiplied into the latents, labels whose vectors are short would not be."""
    gan = kerasgan.ConditionalGAN(**SMALL, num_classes=3, conditioning=conditioning, seed=0)
    gan.compile()
    gan.train_step((tf.constant(images), tf.range(len(images), dtype="int32") % 3))
    made = [gan.generator([tf.ones((1, 4)), tf.constant([label])]) for label in range(3)]
    judged = [gan.discriminate(tf.constant(images[:1]), labels=tf.constant([label])) for label in range(3)]
    for outputs in (made, judged):
        for first, second in ((0, 1), (0, 2), (1, 2)):
            assert not np.array_equal(outputs[first], outputs[second])


def test_generated_images_are_judged_beside_the_labels_they_were_made_of(images):
    gan = kerasgan.ConditionalGAN(**SMALL, num_classes=3, conditioning="concatenation", seed=0)
    gan.compile()
    labels = tf.constant([2, 0, 1, 1])
    batch = gan.synthesize(tf.constant(images[:4]), {"labels": labels}, tf.constant([1, 2]), training=False)
    np.testing.assert_array_equal(batch.fake, gan.generator([batch.latents, labels], training=False))
    np.testing.assert_array_equal(batch.given["labels"], labels)


def test_conditioning_is_one_of_two():
    with pytest.raises(
        ValueError, match=r"conditioning must be one of \('projection', 'concatenation'\); received 'x'"
    ):
        kerasgan.ConditionalGAN(**SMALL, conditioning="x")
