"""Conditional GAN: the label says what to draw."""

import keras

from kerasgan.core.gan import GAN
from kerasgan.networks.dcgan import dcgan_discriminator, dcgan_generator


@keras.saving.register_keras_serializable("kerasgan")
class ConditionalGAN(GAN):
    """A GAN that draws the class it is told to, on DCGAN's networks, for images of 16 to 128 pixels a side.

    DCGAN draws whatever it likes. Here both players see a label: the generator scales and shifts every channel by
    class, and the discriminator asks how well the features of an image fit its label, by a projection, besides whether
    they are real. Labels are also the cheapest way to better images: the networks need not find the classes themselves.

    Mirza and Osindero 2014 (https://arxiv.org/abs/1411.1784), whose networks get the label as more latents and more
    channels: `conditioning="concatenation"`. Projection: Miyato and Koyama 2018, equation 6
    (https://arxiv.org/abs/1802.05637).

    Args:
        image_shape: (height, width, channels), sides in 16..128.
        latent_dim: length of a latent vector.
        base_filters: filters of the layers next to the image; doubling at every halving, at most eight-fold.
        num_classes: number of classes.
        conditioning: how the networks hear of the label, "projection" or "concatenation".
        d_steps, ema_decay: see `kerasgan.GAN`.
        seed: fixes the initial weights and every random draw in training.
        dtype: dtype policy or its name, such as "mixed_bfloat16".

    Raises:
        ValueError: image_shape is out of range, or the conditioning is unknown.

    Example:
        gan = kerasgan.ConditionalGAN(num_classes=10)
        gan.compile()
        gan.fit(kerasgan.data.load("fashion_mnist", labels=True), epochs=20)
        coats = gan.generate(16, labels=4)
    """

    def __init__(
        self, image_shape=(28, 28, 1), latent_dim=64, base_filters=64, num_classes=10, *,
        conditioning="projection", d_steps=1, ema_decay=0.999, seed=None, name=None, dtype=None,
    ):  # fmt: skip
        image_shape = tuple(image_shape)
        d_seed = None if seed is None else seed + 1
        super().__init__(
            dcgan_generator(image_shape, latent_dim, base_filters, dtype, seed, num_classes, conditioning),
            dcgan_discriminator(
                image_shape, base_filters, dtype, d_seed, num_classes=num_classes, conditioning=conditioning
            ),
            num_classes=num_classes,
            d_steps=d_steps,
            ema_decay=ema_decay,
            seed=seed,
            name=name,
            dtype=dtype,
        )
        self.base_filters = base_filters
        self.conditioning = conditioning

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return self.game_config() | {
            "image_shape": list(self.image_shape),
            "latent_dim": self.latent_dim,
            "base_filters": self.base_filters,
            "num_classes": self.num_classes,
            "conditioning": self.conditioning,
        }
