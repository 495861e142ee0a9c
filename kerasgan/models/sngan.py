"""SNGAN: spectral normalisation keeps the discriminator smooth at almost no cost, and lets it grow deep."""

import keras

from kerasgan.core.gan import GAN
from kerasgan.core.packing import packed_shape
from kerasgan.networks.resnet import filters_as_config, resnet_discriminator, resnet_generator
from kerasgan.optimizers import Adam


@keras.saving.register_keras_serializable("kerasgan")
class SNGAN(GAN):
    """Spectrally normalised GAN on residual networks, for images of 16 to 128 pixels a side, with classes or without.

    WGAN-GP bounds the critic's slope by a penalty, which is a second derivative in every update, and holds only where
    it is measured. Here every layer is divided by the most that it can stretch anything, which bounds the slope
    everywhere and costs two products of a matrix with a vector; so deep discriminators can be trained. The hinge loss
    stops pushing images that are told apart already. With `num_classes`, the generator scales and shifts by class, and
    the discriminator adds a projection: a classifier that is never trained as one.

    Miyato et al. 2018, appendix B.4 (https://arxiv.org/abs/1802.05957), with the settings of its authors' code;
    projection: Miyato and Koyama 2018, equation 6 (https://arxiv.org/abs/1802.05637). An image serves both players'
    updates here; the authors draw twice as many for the generator's. Their learning rate falls linearly to 0: put a
    `polynomial_decay` into `compile`. With `d_steps=1` and a discriminator that learns twice as fast as the generator
    (Heusel et al. 2017, https://arxiv.org/abs/1706.08500), a run costs a third.

    Args:
        image_shape: (height, width, channels), sides in 16..128 that can be halved until the shorter has about 8: 28,
            32, 48, 64, 96, 128, ...
        latent_dim: length of a latent vector.
        g_filters: filters of the generator's blocks: one number for all, or a list with one for each. It has 3 blocks
            for 28 or 32 pixels, 4 for 64.
        d_filters: the same of the discriminator, which has 4 blocks for 28 or 32 pixels, 5 for 64.
        num_classes: number of classes; None for an unconditional model.
        d_steps, ema_decay, pack: see `kerasgan.GAN`.
        seed: fixes the initial weights and every random draw in training.
        dtype: dtype policy or its name, such as "mixed_bfloat16".

    Raises:
        ValueError: image_shape is out of range, or cannot be halved as often as needed; a list of filters does not have
            as many numbers as there are blocks.

    Example:
        gan = kerasgan.SNGAN(g_filters=64, d_filters=64, num_classes=10, d_steps=1)
        gan.compile()
        gan.fit(kerasgan.data.load("cifar10", labels=True), epochs=50)
        frogs = gan.generate(16, labels=6)
    """

    def __init__(
        self, image_shape=(32, 32, 3), latent_dim=128, g_filters: int | list = 256, d_filters: int | list = 128,
        num_classes=None, *, d_steps=5, ema_decay=0.999, pack=1, seed=None, name=None, dtype=None,
    ):  # fmt: skip
        image_shape = tuple(image_shape)
        d_seed = None if seed is None else seed + 1
        super().__init__(
            resnet_generator(image_shape, latent_dim, g_filters, dtype, seed, num_classes),
            resnet_discriminator(packed_shape(image_shape, pack), d_filters, dtype, d_seed, num_classes),
            num_classes=num_classes,
            d_steps=d_steps,
            ema_decay=ema_decay,
            pack=pack,
            seed=seed,
            name=name,
            dtype=dtype,
        )
        self.g_filters = g_filters
        self.d_filters = d_filters

    def compile_defaults(self) -> dict:
        """Return the paper's settings."""
        return {
            "d_optimizer": Adam(2e-4, beta_1=0.0, beta_2=0.9),
            "g_optimizer": Adam(2e-4, beta_1=0.0, beta_2=0.9),
            "loss": "hinge",
            "regularizers": (),
        }

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return self.game_config() | {
            "image_shape": list(self.image_shape),
            "pack": self.pack,
            "latent_dim": self.latent_dim,
            "g_filters": filters_as_config(self.g_filters),
            "d_filters": filters_as_config(self.d_filters),
            "num_classes": self.num_classes,
        }
