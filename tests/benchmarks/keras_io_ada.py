"""The published keras.io example with adaptive augmentation, as a recipe of `keras_io.py`.

"Data-efficient GANs with Adaptive Discriminator Augmentation" (https://keras.io/examples/generative/gan_ada): batch
128, 400 epochs of 6,000 birds for its best images; a DCGAN of 128 filters throughout, batch norm in both players,
dropout before the last layer, the average of the generator's weights to sample from. The discriminator's accuracy on
real images is held at 0.8 by the probability with which images are mirrored, moved, turned and enlarged.

Otherwise than there, for 32x32 pixels in place of 64x64, there is one halving and one doubling less (3, not 4), so that
images begin at 4x4 as there; and images of 28x28 are given a border of 2 pixels for the discriminator, and the
generator's are cut by it, as the site's WGAN-GP example does.
"""

from typing import ClassVar

import keras
import tensorflow as tf
from keras import layers
from keras_io_models import Adversarial, apply_gradients, cross_entropy

LATENTS, WIDTH, DEPTH = 64, 128, 3
DROPOUT, AVERAGE = 0.4, 0.99
MOST_MOVED, MOST_TURNED, MOST_ENLARGED = 0.125, 0.125, 0.25
ACCURACY, INTEGRATION_STEPS = 0.8, 1000


class PublishedADA(Adversarial):
    """The example's game. Its logits are high for real images."""

    batch_size = 128
    adam: ClassVar[dict] = {"learning_rate": 2e-4, "beta_1": 0.5}

    def __init__(self, seed: int, dtype: str):
        generator = ada_generator(self.image_shape, dtype)
        discriminator = ada_discriminator(self.image_shape, dtype)
        super().__init__(generator, discriminator, seed, f"keras_io_{self.kind}", LATENTS)
        # What samples is the average; what `Adversarial` made the optimizer for is trained.
        self.generator, self.sampler = generator, keras.models.clone_model(generator)
        self.augmenter = augmenter(self.image_shape, seed)
        self.probability = self.add_weight(shape=(), initializer="zeros", trainable=False, name="probability")

    @property
    def kind(self) -> str:
        return "ada" if self.image_shape[2] == 1 else "ada_faces"

    def train_step(self, real):
        count = tf.shape(real)[0]
        real = self.augmented(real)
        with tf.GradientTape(persistent=True) as tape:
            fake = self.augmented(self.generator(self.latents(count), training=True))
            # Batch norm sees real and generated images apart.
            real_logits, fake_logits = (self.discriminator(each, training=True) for each in (real, fake))
            g_loss = cross_entropy(tf.ones((count, 1)), fake_logits)
            targets = tf.concat([tf.ones((count, 1)), tf.zeros((count, 1))], axis=0)
            d_loss = cross_entropy(targets, tf.concat([real_logits, fake_logits], axis=0))
        # Both of the same state, before either moves.
        apply_gradients(tape, g_loss, self.generator, self.g_optimizer)
        apply_gradients(tape, d_loss, self.discriminator, self.d_optimizer)
        self.adapt(real_logits)
        for slow, fast in zip(self.sampler.weights, self.generator.weights, strict=True):
            slow.assign(AVERAGE * slow + (1 - AVERAGE) * fast)
        self.d_loss.update_state(d_loss)
        self.g_loss.update_state(g_loss)
        return self.get_metrics_result()

    def augmented(self, images):
        """Return some of the images changed, each with the present probability."""
        coins = keras.random.uniform((tf.shape(images)[0], 1, 1, 1), seed=self.random)
        return tf.where(coins < self.probability, self.augmenter(images, training=True), images)

    def adapt(self, real_logits):
        """Raise the probability where real images are recognised too often, lower it where too seldom."""
        accuracy = tf.reduce_mean(0.5 * (1.0 + tf.sign(real_logits)))
        changed = self.probability + (accuracy - ACCURACY) / INTEGRATION_STEPS
        self.probability.assign(tf.clip_by_value(changed, 0.0, 1.0))


class PublishedADAFaces(PublishedADA):
    """The same for images in colour."""

    image_shape = (32, 32, 3)


ADA_RECIPES = {"ada": PublishedADA, "ada_faces": PublishedADAFaces}


def border(image_shape) -> int:
    """Return how many pixels images lack to 32 on each side."""
    return (32 - image_shape[0]) // 2


def ada_generator(image_shape, dtype: str) -> keras.Model:
    """Return the example's generator: batch norm without scales, a transposed convolution at every doubling."""
    network = keras.Sequential([keras.Input((LATENTS,))], name="generator")
    for level in range(DEPTH):
        if level == 0:
            network.add(layers.Dense(4 * 4 * WIDTH, use_bias=False, dtype=dtype))
        else:
            network.add(layers.Conv2DTranspose(WIDTH, 4, strides=2, padding="same", use_bias=False, dtype=dtype))
        network.add(layers.BatchNormalization(scale=False, dtype=dtype))
        network.add(layers.ReLU(dtype=dtype))
        if level == 0:
            network.add(layers.Reshape((4, 4, WIDTH), dtype=dtype))
    network.add(layers.Conv2DTranspose(image_shape[2], 4, strides=2, padding="same", dtype=dtype))
    network.add(layers.Activation("sigmoid", dtype="float32"))
    network.add(layers.Cropping2D(border(image_shape), dtype="float32"))
    return network


def ada_discriminator(image_shape, dtype: str) -> keras.Model:
    """Return the example's discriminator: batch norm after every convolution, the first one's too."""
    network = keras.Sequential([keras.Input(image_shape)], name="discriminator")
    network.add(layers.ZeroPadding2D(border(image_shape), dtype=dtype))
    for _ in range(DEPTH):
        network.add(layers.Conv2D(WIDTH, 4, strides=2, padding="same", use_bias=False, dtype=dtype))
        network.add(layers.BatchNormalization(scale=False, dtype=dtype))
        network.add(layers.LeakyReLU(0.2, dtype=dtype))
    network.add(layers.Flatten(dtype=dtype))
    network.add(layers.Dropout(DROPOUT, dtype=dtype))
    network.add(layers.Dense(1, dtype="float32"))
    return network


def augmenter(image_shape, seed: int) -> keras.Model:
    """Return the example's augmentation, of Keras's own layers."""
    enlarged = (-MOST_ENLARGED, 0.0)
    return keras.Sequential(
        [
            keras.Input(image_shape),
            layers.RandomFlip("horizontal", seed=seed),
            layers.RandomTranslation(MOST_MOVED, MOST_MOVED, interpolation="nearest", seed=seed + 1),
            layers.RandomRotation(MOST_TURNED, seed=seed + 2),
            layers.RandomZoom(enlarged, enlarged, seed=seed + 3),
        ],
        name="augmenter",
    )
