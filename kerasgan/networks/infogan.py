"""The networks of InfoGAN: Chen et al. 2016, table 1 of the appendix (https://arxiv.org/abs/1606.03657), for any width.

The generator draws a quarter of the image's side and doubles it twice. The discriminator's last hidden layer serves two
heads: whether an image is real, and which code it was made of. Images are in [-1, 1] here, and come out of a tanh
instead of a sigmoid.
"""

import keras
from keras import layers

from kerasgan.layers import ClassChannels, Conv2D, Conv2DTranspose
from kerasgan.networks.dcgan import batch_norm
from kerasgan.networks.initializers import normal

KERNEL_SIZE = 4
SLOPE = 0.1


def infogan_generator(
    image_shape: tuple, latent_dim: int, categories: int, codes: int, base_filters: int, dtype=None,
    seed: int | None = None,
) -> keras.Model:  # fmt: skip
    """Return a generator: noise (batch, latent_dim), int32 categories (batch,) and codes (batch, codes) to images.

    Its inputs are named latents, labels and codes. Images are float32 (batch, *image_shape) in [-1, 1].
    """
    check_image_shape(image_shape)
    height, width, channels = image_shape
    start = (height // 4, width // 4, 2 * base_filters)
    initializers = normal(seed)

    def dense(x, units):
        x = layers.Dense(units, use_bias=False, kernel_initializer=next(initializers), dtype=dtype)(x)
        return layers.ReLU(dtype=dtype)(batch_norm(x, dtype))

    latents = keras.Input((latent_dim,), name="latents")
    labels = keras.Input((), dtype="int32", name="labels")
    values = keras.Input((codes,), name="codes")
    x = layers.Concatenate(dtype=dtype)([latents, values])
    x = dense(ClassChannels(categories, dtype=dtype)([x, labels]), 16 * base_filters)
    x = layers.Reshape(start, dtype=dtype)(dense(x, start[0] * start[1] * start[2]))
    x = Conv2DTranspose(
        base_filters, KERNEL_SIZE, 2, "same", use_bias=False, kernel_initializer=next(initializers), dtype=dtype
    )(x)
    x = layers.ReLU(dtype=dtype)(batch_norm(x, dtype))
    x = Conv2DTranspose(channels, KERNEL_SIZE, 2, "same", kernel_initializer=next(initializers), dtype="float32")(x)
    images = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model([latents, labels, values], images, name="generator")


def infogan_discriminator(
    image_shape: tuple, categories: int, codes: int, base_filters: int, dtype=None, seed: int | None = None
) -> keras.Model:
    """Return a discriminator: images (batch, *image_shape) to a dict of float32.

    `logits` (batch, 1) tell whether they are real, `categories` (batch, categories) are the logits of the category that
    they were made of, and `codes` (batch, codes) the expected values of its codes, on no scale but their own.
    """
    check_image_shape(image_shape)
    initializers = normal(seed)

    def rectified(x):
        return layers.LeakyReLU(SLOPE, dtype=dtype)(x)

    def dense(x, units):
        x = layers.Dense(units, use_bias=False, kernel_initializer=next(initializers), dtype=dtype)(x)
        return rectified(batch_norm(x, dtype))

    def head(x, units, name):
        return layers.Dense(units, kernel_initializer=next(initializers), dtype="float32", name=name)(x)

    images = keras.Input(image_shape, name="images")
    x = rectified(
        Conv2D(base_filters, KERNEL_SIZE, 2, "same", kernel_initializer=next(initializers), dtype=dtype)(images)
    )
    x = Conv2D(
        2 * base_filters, KERNEL_SIZE, 2, "same", use_bias=False, kernel_initializer=next(initializers), dtype=dtype
    )(x)
    shared = dense(layers.Flatten(dtype=dtype)(rectified(batch_norm(x, dtype))), 16 * base_filters)
    recognised = dense(shared, 2 * base_filters)
    outputs = {
        "logits": head(shared, 1, "logits"),
        "categories": head(recognised, categories, "categories"),
        "codes": head(recognised, codes, "codes"),
    }
    return keras.Model(images, outputs, name="discriminator")


def check_image_shape(image_shape: tuple) -> None:
    """Raise a ValueError unless the shape is (height, width, channels) with sides that halve twice."""
    if len(image_shape) != 3 or any(side < 8 or side % 4 for side in image_shape[:2]):
        raise ValueError(
            f"InfoGAN makes images whose sides are multiples of 4, from 8 on; received image_shape={image_shape}, "
            "which should be (height, width, channels)."
        )
