"""Multilayer perceptrons for small images: the networks of the original GAN, in today's dress."""

from collections.abc import Sequence

import keras
from keras import layers

from kerasgan.networks.initializers import glorot


def mlp_generator(
    image_shape: tuple, latent_dim: int, hidden: Sequence[int], dtype=None, seed: int | None = None
) -> keras.Model:
    """Return a generator: latents (batch, latent_dim) to float32 images (batch, *image_shape) in [-1, 1]."""
    initializers = glorot(seed)
    latents = x = keras.Input((latent_dim,), name="latents")
    for width in hidden:
        x = layers.Dense(width, kernel_initializer=next(initializers), dtype=dtype)(x)
        x = layers.LeakyReLU(0.2, dtype=dtype)(x)
    x = layers.Dense(pixels(image_shape), kernel_initializer=next(initializers), dtype="float32")(x)
    x = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(latents, layers.Reshape(image_shape, dtype="float32")(x), name="generator")


def mlp_discriminator(
    image_shape: tuple,
    hidden: Sequence[int],
    dropout: float = 0.0,
    dtype=None,
    seed: int | None = None,
) -> keras.Model:
    """Return a discriminator: images (batch, *image_shape) to float32 logits (batch, 1)."""
    initializers = glorot(seed)
    images = keras.Input(image_shape, name="images")
    x = layers.Flatten(dtype=dtype)(images)
    for number, width in enumerate(hidden):
        x = layers.Dense(width, kernel_initializer=next(initializers), dtype=dtype)(x)
        x = layers.LeakyReLU(0.2, dtype=dtype)(x)
        if dropout:
            dropout_seed = None if seed is None else seed + number
            x = layers.Dropout(dropout, seed=dropout_seed, dtype=dtype)(x)
    logits = layers.Dense(1, kernel_initializer=next(initializers), dtype="float32")(x)
    return keras.Model(images, logits, name="discriminator")


def pixels(image_shape: tuple) -> int:
    """Return the number of values in an image."""
    height, width, channels = image_shape
    return height * width * channels
