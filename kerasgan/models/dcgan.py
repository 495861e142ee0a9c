"""DCGAN: the convolutional GAN that the later families are measured against."""

import keras
import numpy as np

from kerasgan.core.gan import GAN
from kerasgan.core.packing import packed_shape
from kerasgan.networks.dcgan import dcgan_discriminator, dcgan_generator


@keras.saving.register_keras_serializable("kerasgan")
class DCGAN(GAN):
    """Deep convolutional GAN for images of 16 to 128 pixels a side and any number of channels.

    The perceptrons of the original GAN do not scale to pictures. Here both players see and draw in patches:
    convolutions with strides, and batch norm that keeps the game going.

    Radford et al. 2015 (https://arxiv.org/abs/1511.06434): the networks of section 3, the optimizers and initial
    weights of section 4.

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
        gan = kerasgan.DCGAN(image_shape=(64, 64, 3))
        gan.compile()
        gan.fit(kerasgan.data.load("photos/", image_size=64), epochs=50)
    """

    def __init__(
        self, image_shape=(28, 28, 1), latent_dim=64, base_filters=64, *,
        d_steps=1, ema_decay=0.999, pack=1, seed=None, name=None, dtype=None,
    ):  # fmt: skip
        image_shape = tuple(image_shape)
        d_seed = None if seed is None else seed + 1
        super().__init__(
            dcgan_generator(image_shape, latent_dim, base_filters, dtype, seed),
            dcgan_discriminator(packed_shape(image_shape, pack), base_filters, dtype, d_seed),
            d_steps=d_steps,
            ema_decay=ema_decay,
            pack=pack,
            seed=seed,
            name=name,
            dtype=dtype,
        )
        self.base_filters = base_filters

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return self.game_config() | {
            "image_shape": list(self.image_shape),
            "pack": self.pack,
            "latent_dim": self.latent_dim,
            "base_filters": self.base_filters,
        }

    def features(self, images, batch_size: int = 128) -> np.ndarray:
        """Return the discriminator's features of images, for a linear classifier.

        Every convolution's activations, max-pooled to a grid of 4x4 (section 5.1 of the paper), flattened and joined.

        Args:
            images: float array (n, height, width, channels) in [-1, 1].
            batch_size: images processed at a time.

        Returns:
            float32 array (n, features).

        Example:
            classifier = sklearn.svm.LinearSVC().fit(gan.features(images), labels)
        """
        self.check_images(images)
        activations = [layer.output for layer in self.discriminator.layers if isinstance(layer, keras.layers.LeakyReLU)]
        pooled = [keras.layers.Flatten()(keras.layers.AdaptiveMaxPooling2D(4)(each)) for each in activations]
        joined = keras.layers.Concatenate(dtype="float32")(pooled) if len(pooled) > 1 else pooled[0]
        extractor = keras.Model(self.discriminator.input, joined)
        return extractor.predict(images, batch_size=batch_size, verbose=0)
