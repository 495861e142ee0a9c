"""AC-GAN: the discriminator also names the class, and the generator is paid for being recognised."""

from typing import ClassVar

import keras
import tensorflow as tf

from kerasgan.core.classifying import Classifying
from kerasgan.core.gan import GAN
from kerasgan.losses import mean
from kerasgan.networks.acgan import acgan_discriminator
from kerasgan.networks.dcgan import dcgan_generator


@keras.saving.register_keras_serializable("kerasgan")
class ACGAN(Classifying, GAN):
    """A GAN that draws the class it is told to, because its discriminator classifies; on DCGAN's networks.

    The discriminator of a conditional GAN is told the label of each image and judges whether both fit. Here it is told
    nothing and has to find the class itself, by a second head: training gives a classifier too, and the generator
    learns to draw what that recognises. What it pays for this is variety: nothing rewards an image that is typical of
    its class and like the others, nor one that lies between two classes, as real ones do.

    Odena et al. 2017 (https://arxiv.org/abs/1610.09585). The paper trains the classifier on generated images too
    (`d_fake_class_weight=1.0`), which teaches it to call a bad picture by the label it was ordered with. Here it learns
    from real ones only, as in the code of Gulrajani et al. 2017 (https://arxiv.org/abs/1704.00028). Their weight of 0.1
    for the generator belongs to a Wasserstein critic: beside the cross-entropy of this game it is so little that labels
    are hardly heeded.

    Args:
        image_shape: (height, width, channels), sides in 16..128.
        latent_dim: length of a latent vector.
        base_filters: filters of the layers next to the image; doubling at every halving, at most eight-fold.
        num_classes: number of classes.
        d_class_weight: of the cross-entropy of real images' classes in what the discriminator minimises.
        d_fake_class_weight: the same of generated images' classes, as they were ordered.
        g_class_weight: of the cross-entropy of generated images' classes in what the generator minimises.
        d_steps, ema_decay: see `kerasgan.GAN`.
        seed: fixes the initial weights and every random draw in training.
        dtype: dtype policy or its name, such as "mixed_bfloat16".

    Raises:
        ValueError: image_shape is out of range, a weight is negative, or there are fewer than two classes.

    Example:
        gan = kerasgan.ACGAN(num_classes=10)
        gan.compile()
        gan.fit(kerasgan.data.load("fashion_mnist", labels=True), epochs=20)
        coats = gan.generate(16, labels=4)
        classes = gan.classify(images)
    """

    terms: ClassVar[tuple[str, ...]] = ("d_loss", "g_loss", "d_class_loss", "g_class_loss")
    observations: ClassVar[tuple[str, ...]] = ("accuracy",)

    def __init__(
        self, image_shape=(28, 28, 1), latent_dim=64, base_filters=64, num_classes=10, *,
        d_class_weight=1.0, d_fake_class_weight=0.0, g_class_weight=1.0,
        d_steps=1, ema_decay=0.999, seed=None, name=None, dtype=None,
    ):  # fmt: skip
        if num_classes < 2:
            raise ValueError(f"num_classes must be at least 2; received {num_classes}.")
        weights = {
            "d_class_weight": d_class_weight,
            "d_fake_class_weight": d_fake_class_weight,
            "g_class_weight": g_class_weight,
        }
        for weight, value in weights.items():
            if not value >= 0.0:
                raise ValueError(f"{weight} must be at least 0; received {value}.")
        image_shape = tuple(image_shape)
        d_seed = None if seed is None else seed + 1
        super().__init__(
            dcgan_generator(image_shape, latent_dim, base_filters, dtype, seed, num_classes),
            acgan_discriminator(image_shape, base_filters, num_classes, dtype, d_seed),
            num_classes=num_classes,
            d_steps=d_steps,
            ema_decay=ema_decay,
            seed=seed,
            name=name,
            dtype=dtype,
        )
        self.base_filters = base_filters
        self.d_class_weight = d_class_weight
        self.d_fake_class_weight = d_fake_class_weight
        self.g_class_weight = g_class_weight

    def discriminator_terms(self, batch):
        """Return the loss of the game, the weighted cross-entropy of the classes, and the accuracy on real images."""
        found = batch.real_outputs["classes"]
        class_loss = self.d_class_weight * cross_entropy(batch.labels, found)
        if self.d_fake_class_weight:
            class_loss += self.d_fake_class_weight * cross_entropy(batch.labels, batch.fake_outputs["classes"])
        right = tf.equal(tf.argmax(found, 1, tf.int32), batch.labels)
        return super().discriminator_terms(batch) | {"d_class_loss": class_loss, "accuracy": mean(right)}

    def generator_terms(self, batch):
        """Return the loss of the game, and the weighted cross-entropy of the classes that were ordered."""
        ordered = cross_entropy(batch.labels, batch.fake_outputs["classes"])
        return super().generator_terms(batch) | {"g_class_loss": self.g_class_weight * ordered}

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return self.game_config() | {
            "image_shape": list(self.image_shape),
            "latent_dim": self.latent_dim,
            "base_filters": self.base_filters,
            "num_classes": self.num_classes,
            "d_class_weight": self.d_class_weight,
            "d_fake_class_weight": self.d_fake_class_weight,
            "g_class_weight": self.g_class_weight,
        }


def cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return the mean cross-entropy in nats of int32 labels (batch,) and the logits (batch, classes) of classes."""
    return mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
