"""WGAN: a critic whose loss says how far apart real and generated images are."""

import keras

from kerasgan.constraints import WeightClip
from kerasgan.models.dcgan import DCGAN


@keras.saving.register_keras_serializable("kerasgan")
class WGAN(DCGAN):
    """Wasserstein GAN with weight clipping, on DCGAN's networks, for images of 16 to 128 pixels a side.

    Where real and generated images do not overlap, a discriminator that wins has nothing left to teach, and its loss
    does not tell whether the images get better. Here a critic gives scores instead of probabilities, and its weights
    are kept small, so that scores cannot change abruptly: `-d_loss` estimates, up to a factor, the Wasserstein-1
    distance between the two. The clipping is crude, it makes the critic too simple; see `WGANGP`.

    Arjovsky et al. 2017, algorithm 1 and its default values (https://arxiv.org/abs/1701.07875). Weights are clipped
    after each update, and from the start, so that the generator never sees a critic out of bounds; each of the critic's
    updates sees fresh real images. The authors' program also gives the critic 100 updates in each of the generator's
    first 25, which are left out here.

    Args:
        image_shape: (height, width, channels), sides in 16..128.
        latent_dim: length of a latent vector.
        base_filters: filters of the layers next to the image; doubling at every halving, at most eight-fold.
        d_steps, ema_decay, pack: see `kerasgan.GAN`.
        seed: fixes the initial weights and every random draw in training.
        dtype: dtype policy or its name, such as "mixed_bfloat16".

    Raises:
        ValueError: image_shape is out of range.
    """

    def __init__(
        self, image_shape=(28, 28, 1), latent_dim=64, base_filters=64, *,
        d_steps=5, ema_decay=0.999, pack=1, seed=None, name=None, dtype=None,
    ):  # fmt: skip
        super().__init__(
            image_shape, latent_dim, base_filters,
            d_steps=d_steps, ema_decay=ema_decay, pack=pack, seed=seed, name=name, dtype=dtype,
        )  # fmt: skip

    def compile_defaults(self) -> dict:
        """Return the paper's settings."""
        return {
            "d_optimizer": keras.optimizers.RMSprop(5e-5),
            "g_optimizer": keras.optimizers.RMSprop(5e-5),
            "loss": "wasserstein",
            "d_constraint": WeightClip(0.01),
        }
