import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import augmentations
from kerasgan.augmentations import AdaptiveAugment, DiffAugment

IMAGES = tf.constant(np.random.default_rng(0).uniform(-1, 1, (64, 16, 12, 3)), tf.float32)
SEED = tf.constant([1, 2])


@pytest.mark.parametrize("word", augmentations.STEPS)
def test_every_step_changes_images_by_the_seed_and_lets_gradients_through(word):
    augment = DiffAugment(word)
    with tf.GradientTape() as tape:
        tape.watch(IMAGES)
        changed = augment(IMAGES, SEED)
    assert changed.shape == IMAGES.shape
    assert (np.abs(changed - IMAGES).max(axis=(1, 2, 3)) > 0).mean() > 0.9
    assert np.abs(tape.gradient(changed, IMAGES)).max() > 0
    np.testing.assert_array_equal(augment(IMAGES, SEED), changed)
    assert not np.array_equal(augment(IMAGES, SEED + 1), changed)
    # Every image by a draw of its own.
    alike = tf.repeat(IMAGES[:1], 32, axis=0)
    assert len({image.tobytes() for image in augment(alike, SEED).numpy()}) > 10


def test_translation_moves_whole_images_by_at_most_an_eighth():
    marked = np.zeros((200, 16, 16, 1), "float32")
    marked[:, 8, 8] = 1.0
    rows, columns = np.nonzero(DiffAugment("translation")(tf.constant(marked), SEED).numpy()[..., 0])[1:]
    assert set(rows) == set(columns) == {6, 7, 8, 9, 10}


def test_cutout_takes_a_rectangle_of_at_most_half_the_sides():
    white = DiffAugment("cutout")(tf.ones((100, 16, 16, 1)), SEED).numpy()
    gone = (white == 0).sum(axis=(1, 2, 3))
    assert 0 < gone.min() < gone.max() <= 64


def test_what_is_certain_is_augmented_more():
    adaptive = AdaptiveAugment(target=0.5, images=640)
    np.testing.assert_array_equal(adaptive(IMAGES, SEED), IMAGES)
    for _ in range(3):
        adaptive.adapt(tf.ones((64, 1)))
    np.testing.assert_allclose(adaptive.report()["augment_probability"], 0.3, rtol=1e-5)
    changed = np.abs(adaptive(IMAGES, SEED) - IMAGES).max(axis=(1, 2, 3)) > 0
    assert 0.3 < changed.mean() < 0.95  # Three steps, each with 0.3.
    for _ in range(9):
        adaptive.adapt(tf.constant([[1.0], [-1.0]] * 32))
    assert float(adaptive.report()["augment_probability"]) == 0.0


def test_the_probability_is_saved_with_the_model(make_gan, images, tmp_path):
    gan = make_gan()
    gan.compile(augment=AdaptiveAugment(target=-0.9, images=100))
    history = gan.fit(images, batch_size=16, epochs=1, verbose=0).history
    probability = float(gan.augment.probability)
    assert history["augment_probability"][0] > 0.0
    # Observed, and no part of what is minimised.
    np.testing.assert_allclose(history["loss"], history["d_loss"][0] + history["g_loss"][0], rtol=1e-5)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    assert float(loaded.augment.probability) == probability > 0.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DiffAugment("color,rotation"), "Unknown step of an augmentation 'rotation'"),
        (lambda: AdaptiveAugment(target=1.5), "-1 < target < 1.*received 1.5"),
        (lambda: augmentations.get("ada"), "Unknown augmentation 'ada'"),
        (lambda: augmentations.get(keras.layers.Flatten()), "adapt"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_both_sides_of_both_players_are_augmented_and_nothing_in_evaluation(make_gan, images):
    @keras.saving.register_keras_serializable("kerasgan_tests")
    class Blank(augmentations.Augmentation):
        def call(self, images, seed):
            return 0.0 * images

    gan = make_gan(dropout=0.0)
    gan.compile(*(keras.optimizers.SGD(0.0) for _ in range(2)), augment=Blank())
    terms = gan.train_step(tf.constant(images))
    # The discriminator sees one blank image everywhere: its logit is 0 but for the bias, which is 0.
    np.testing.assert_allclose([terms["d_loss"], terms["g_loss"]], [2 * np.log(2), np.log(2)], rtol=1e-4)
    assert gan.evaluate(images, verbose=0, return_dict=True)["g_loss"] != pytest.approx(np.log(2), rel=1e-4)
