"""SAGAN: attention lets a place in an image know what is far away from it."""

from typing import ClassVar

import keras
import tensorflow as tf

from kerasgan.core.gan import GAN
from kerasgan.core.packing import packed_shape
from kerasgan.layers import SelfAttention
from kerasgan.networks.resnet import filters_as_config, resnet_discriminator, resnet_generator
from kerasgan.optimizers import Adam


@keras.saving.register_keras_serializable("kerasgan")
class SAGAN(GAN):
    """Self-attention GAN: residual networks of 16 to 128 pixels a side, in which every place sees all others.

    Convolutions see a few pixels around, and only many of them tell one end of a dog from the other. Here one layer of
    each network adds to every place a mean over all places, weighed by how well they match. The generator is spectrally
    normalised too, and instead of five updates for each of the generator's, the discriminator takes one that is four
    times as large. `g_gamma` and `d_gamma` report how much of the attention the networks use: they begin at 0, and at
    32 pixels they hardly leave it, for a few convolutions see all of such an image.

    Zhang et al. 2019 (https://arxiv.org/abs/1805.08318): 128 pixels, 64 filters next to the image, more away from it,
    and attention at 32x32, which is `attention=2`. An image serves both players' updates here.

    Args:
        image_shape: (height, width, channels), sides in 16..128 that can be halved until the shorter has about 8: 28,
            32, 48, 64, 96, 128, ...
        latent_dim: length of a latent vector.
        g_filters: filters of the generator's blocks: one number for all, or a list with one for each. It has 3 blocks
            for 28 or 32 pixels, 4 for 64, 5 for 128.
        d_filters: the same of the discriminator, which has one block more.
        num_classes: number of classes; None for an unconditional model.
        attention: how many halvings from the image the attention is: with 1, at 16x16 places for 32 pixels.
        d_steps, ema_decay, pack: see `kerasgan.GAN`.
        seed: fixes the initial weights and every random draw in training.
        dtype: dtype policy or its name, such as "mixed_bfloat16".

    Raises:
        ValueError: image_shape is out of range, or cannot be halved as often as needed; a list of filters does not have
            as many numbers as there are blocks; the image is not halved so often that there is a place for attention.

    Example:
        gan = kerasgan.SAGAN(g_filters=64, d_filters=64, num_classes=10)
        gan.compile()
        gan.fit(kerasgan.data.load("cifar10", labels=True), epochs=50)
        frogs = gan.generate(16, labels=6)
    """

    observations: ClassVar[tuple[str, ...]] = ("g_gamma", "d_gamma")

    def __init__(
        self, image_shape=(32, 32, 3), latent_dim=128, g_filters: int | list = 256, d_filters: int | list = 128,
        num_classes=None, *, attention=1, d_steps=1, ema_decay=0.999, pack=1, seed=None, name=None, dtype=None,
    ):  # fmt: skip
        image_shape = tuple(image_shape)
        d_seed = None if seed is None else seed + 1
        super().__init__(
            resnet_generator(
                image_shape, latent_dim, g_filters, dtype, seed, num_classes, normalized=True, attention=attention
            ),
            resnet_discriminator(
                packed_shape(image_shape, pack), d_filters, dtype, d_seed, num_classes, attention=attention
            ),
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
        self.attention = attention

    def compile_defaults(self) -> dict:
        """Return the paper's settings."""
        return {
            "d_optimizer": Adam(4e-4, beta_1=0.0, beta_2=0.9),
            "g_optimizer": Adam(1e-4, beta_1=0.0, beta_2=0.9),
            "loss": "hinge",
            "regularizers": (),
        }

    def generator_terms(self, batch) -> dict:
        """Return the generator's loss, and how much of the attention both networks use."""
        gammas = {"g_gamma": _gamma(self.generator), "d_gamma": _gamma(self.discriminator)}
        return super().generator_terms(batch) | gammas

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return self.game_config() | {
            "image_shape": list(self.image_shape),
            "pack": self.pack,
            "latent_dim": self.latent_dim,
            "g_filters": filters_as_config(self.g_filters),
            "d_filters": filters_as_config(self.d_filters),
            "num_classes": self.num_classes,
            "attention": self.attention,
        }


def _gamma(network: keras.Model) -> tf.Tensor:
    (layer,) = (each for each in network.layers if isinstance(each, SelfAttention))
    return tf.cast(tf.convert_to_tensor(layer.gamma), tf.float32)
