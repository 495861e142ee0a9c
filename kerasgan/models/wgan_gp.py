"""WGAN-GP: a critic that estimates a distance, kept honest by a penalty on its slope."""

import keras

from kerasgan.core.gan import GAN
from kerasgan.core.packing import packed_shape
from kerasgan.networks.dcgan import dcgan_discriminator, dcgan_generator
from kerasgan.optimizers import Adam


@keras.saving.register_keras_serializable("kerasgan")
class WGANGP(GAN):
    """Wasserstein GAN with gradient penalty, on DCGAN's networks, for images of 16 to 128 pixels a side.

    DCGAN's discriminator stops teaching once it wins, and weight clipping, the first way to bound a Wasserstein
    critic, makes it too simple. Here the critic's slope is pulled to 1 instead: it can be trained as far as one likes,
    and `-d_loss` without the penalty estimates how far apart real and generated images are. The critic has no batch
    norm, which would mix the slopes of the images of a batch.

    Gulrajani et al. 2017, algorithm 1 and its default values (https://arxiv.org/abs/1704.00028). An image serves both
    players' updates here; the reference draws fresh ones for the generator.

    Args:
        image_shape: (height, width, channels), sides in 16..128.
        latent_dim: length of a latent vector.
        base_filters: filters of the layers next to the image; doubling at every halving, at most eight-fold.
        d_steps, ema_decay, pack: see `kerasgan.GAN`.
        seed: fixes the initial weights and every random draw in training.
        dtype: dtype policy or its name, such as "mixed_bfloat16".

    Raises:
        ValueError: image_shape is out of range.

    Example:
        gan = kerasgan.WGANGP(image_shape=(64, 64, 3))
        gan.compile()
        gan.fit(kerasgan.data.load("photos/", image_size=64), epochs=50)
    """

    def __init__(
        self, image_shape=(28, 28, 1), latent_dim=128, base_filters=64, *,
        d_steps=5, ema_decay=0.999, pack=1, seed=None, name=None, dtype=None,
    ):  # fmt: skip
        image_shape = tuple(image_shape)
        critic_seed = None if seed is None else seed + 1
        super().__init__(
            dcgan_generator(image_shape, latent_dim, base_filters, dtype, seed),
            dcgan_discriminator(packed_shape(image_shape, pack), base_filters, dtype, critic_seed, normalized=False),
            d_steps=d_steps,
            ema_decay=ema_decay,
            pack=pack,
            seed=seed,
            name=name,
            dtype=dtype,
        )
        self.base_filters = base_filters

    def compile_defaults(self) -> dict:
        """Return the paper's settings."""
        return {
            "d_optimizer": Adam(1e-4, beta_1=0.0, beta_2=0.9),
            "g_optimizer": Adam(1e-4, beta_1=0.0, beta_2=0.9),
            "loss": "wasserstein",
            "regularizers": ("gradient_penalty",),
        }

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return self.game_config() | {
            "image_shape": list(self.image_shape),
            "pack": self.pack,
            "latent_dim": self.latent_dim,
            "base_filters": self.base_filters,
        }
