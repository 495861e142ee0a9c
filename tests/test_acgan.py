"""AC-GAN: who learns classes from what, and what becomes of the weights of the two cross-entropies."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasgan
from kerasgan.core.judged import Batch, Update
from kerasgan.testing.toy_data import toy_labelled_images

CLASSES = 3
IMAGES, LABELS = toy_labelled_images(24)


def acgan(**settings):
    model = kerasgan.ACGAN((16, 16, 1), 4, 4, CLASSES, seed=0, **settings)
    model.compile(run_eagerly=True)
    return model


def judged(gan, fake, network="discriminator"):
    batch = Batch(tf.constant(IMAGES), tf.constant(fake), None, {"labels": tf.constant(LABELS)}, tf.constant([3, 4]))
    return gan.judged(batch, Update(getattr(gan, network), gan.d_optimizer, training=False, frozen=True))


def cross_entropy(gan, images):
    """In float64, of the labels."""
    logits = np.array(gan.discriminator(images)["classes"], "float64")
    return np.mean(np.log(np.exp(logits).sum(1)) - logits[np.arange(len(logits)), LABELS])


def test_the_classifier_learns_from_real_images_only():
    """On generated ones too, as in the paper, it learns to call bad pictures by the label they were ordered with."""
    gan = acgan()
    first, second = (gan.generate(24, seed=seed) for seed in (1, 2))
    losses = [gan.discriminator_terms(judged(gan, fake))["d_class_loss"] for fake in (first, second)]
    assert losses[0] == losses[1]
    np.testing.assert_allclose(losses[0], cross_entropy(gan, IMAGES), rtol=1e-5)

    paper = acgan(d_fake_class_weight=0.5)
    paper.discriminator.set_weights(gan.discriminator.get_weights())
    both = cross_entropy(gan, IMAGES) + 0.5 * cross_entropy(gan, first)
    np.testing.assert_allclose(paper.discriminator_terms(judged(paper, first))["d_class_loss"], both, rtol=1e-5)


def test_there_is_no_class_for_generated_images():
    """Real or not is the business of `logits`, which the cross-entropies do not move, nor does the game the classes."""
    gan = acgan()
    outputs = gan.discriminator(IMAGES)
    assert outputs["classes"].shape == (24, CLASSES)
    assert outputs["logits"].shape == (24, 1)
    logit_head = gan.discriminator.get_layer(gan.discriminator.output["logits"]._keras_history.operation.name)
    class_head = gan.discriminator.get_layer("classes")
    assert logit_head is not class_head
    with tf.GradientTape(persistent=True) as tape:
        terms = gan.discriminator_terms(judged(gan, gan.generate(24, seed=1)))
    assert tape.gradient(terms["d_class_loss"], logit_head.kernel.value) is None
    assert tape.gradient(terms["d_loss"], class_head.kernel.value) is None


def test_the_weights_are_those_of_the_terms():
    gan = acgan(d_class_weight=0.5, g_class_weight=0.25)
    fake = gan.generate(24, seed=1)
    d_loss = gan.discriminator_terms(judged(gan, fake))["d_class_loss"]
    g_loss = gan.generator_terms(judged(gan, fake, "generator"))["g_class_loss"]
    np.testing.assert_allclose(d_loss, 0.5 * cross_entropy(gan, IMAGES), rtol=1e-5)
    np.testing.assert_allclose(g_loss, 0.25 * cross_entropy(gan, fake), rtol=1e-5)


@pytest.mark.parametrize("name", ["d_class_weight", "d_fake_class_weight", "g_class_weight"])
def test_weights_are_not_negative(name):
    with pytest.raises(ValueError, match=f"{name} must be at least 0; received -0.5"):
        acgan(**{name: -0.5})


def test_one_class_is_none():
    with pytest.raises(ValueError, match="num_classes must be at least 2; received 1"):
        kerasgan.ACGAN(num_classes=1)


def test_accuracy_is_watched_and_not_minimised_and_the_classes_are_learned(tmp_path):
    gan = kerasgan.ACGAN((16, 16, 1), 4, 4, CLASSES, seed=0)
    gan.compile(d_optimizer=keras.optimizers.Adam(2e-3, beta_1=0.5))
    data = tf.data.Dataset.from_tensor_slices(toy_labelled_images(96)).batch(24).repeat()
    history = gan.fit(data, epochs=3, steps_per_epoch=20, verbose=0).history
    assert history["accuracy"][-1] > 0.95
    sums = [history[name][-1] for name in ("d_loss", "d_class_loss", "g_loss", "g_class_loss")]
    assert history["loss"][-1] == pytest.approx(sum(sums), rel=1e-4)

    np.testing.assert_array_equal(gan.classify(IMAGES), LABELS)
    shares = gan.classify(IMAGES, probabilities=True)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, rtol=1e-5)
    np.testing.assert_array_equal(shares.argmax(axis=1), LABELS)
    with pytest.raises(ValueError, match=r"built for images of shape \(16, 16, 1\); received"):
        gan.classify(IMAGES[:, :8])

    kerasgan.save_preset(gan, tmp_path / "acgan")
    np.testing.assert_array_equal(kerasgan.from_preset(tmp_path / "acgan").classify(IMAGES), LABELS)
