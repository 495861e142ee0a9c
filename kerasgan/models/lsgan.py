"""LSGAN: a discriminator that measures how far off an image is, not only whether it passes."""

import keras

from kerasgan.models.dcgan import DCGAN


@keras.saving.register_keras_serializable("kerasgan")
class LSGAN(DCGAN):
    """Least squares GAN, on DCGAN's networks, for images of 16 to 128 pixels a side.

    A cross-entropy teaches the generator nothing about images that already fool the discriminator, however odd they
    look. Here logits are pulled to fixed targets by squared distance: an image far on the right side of the border is
    pulled back to it too. The discriminator's output is linear, as the loss needs it.

    Mao et al. 2017 (https://arxiv.org/abs/1611.04076): the losses of equation 9, with DCGAN's networks and optimizers;
    the paper's own networks are made for images of 112 pixels. The targets of its equation 8 are
    `compile(loss=kerasgan.losses.LeastSquares(a=-1.0, b=1.0, c=0.0))`.

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

    def compile_defaults(self) -> dict:
        """Return the paper's settings."""
        return super().compile_defaults() | {"loss": "least_squares"}
