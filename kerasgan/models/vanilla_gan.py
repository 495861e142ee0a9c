"""The original GAN: two multilayer perceptrons playing the minimax game."""

import keras

from kerasgan.core.gan import GAN
from kerasgan.core.packing import packed_shape
from kerasgan.networks.mlp import mlp_discriminator, mlp_generator


@keras.saving.register_keras_serializable("kerasgan")
class VanillaGAN(GAN):
    """The GAN of 2014 on small images.

    Both losses of the paper: `compile(loss="minimax")` is the zero-sum game of equation 1, the default
    `"non_saturating"` is the one section 3 advises. Adam replaces the paper's momentum SGD, and LeakyReLU its
    maxout; dropout in the discriminator is the paper's.

    Goodfellow et al. 2014 (https://arxiv.org/abs/1406.2661).

    Args:
        image_shape: (height, width, channels).
        latent_dim: length of a latent vector.
        hidden: widths of the generator's hidden layers; the discriminator has them reversed.
        dropout: share of the discriminator's hidden units dropped in training.
        d_steps, ema_decay, pack: see `kerasgan.GAN`.
        seed: fixes the initial weights and every random draw in training.
        dtype: dtype policy or its name, such as "mixed_bfloat16".
    """

    def __init__(
        self, image_shape=(28, 28, 1), latent_dim=64, hidden=(256, 512), dropout=0.3, *,
        d_steps=1, ema_decay=0.999, pack=1, seed=None, name=None, dtype=None,
    ):  # fmt: skip
        image_shape, hidden = tuple(image_shape), tuple(hidden)
        d_seed = None if seed is None else seed + 1
        super().__init__(
            mlp_generator(image_shape, latent_dim, hidden, dtype, seed),
            mlp_discriminator(packed_shape(image_shape, pack), hidden[::-1], dropout, dtype, d_seed),
            d_steps=d_steps,
            ema_decay=ema_decay,
            pack=pack,
            seed=seed,
            name=name,
            dtype=dtype,
        )
        self.hidden = hidden
        self.dropout = dropout

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return self.game_config() | {
            "image_shape": list(self.image_shape),
            "pack": self.pack,
            "latent_dim": self.latent_dim,
            "hidden": list(self.hidden),
            "dropout": self.dropout,
        }
