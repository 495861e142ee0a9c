"""Multilayer perceptrons for points: numbers with no picture to them, such as those of a toy distribution."""

from collections.abc import Sequence

import keras
from keras import layers

from kerasgan.layers import SNDense
from kerasgan.networks.initializers import glorot


def point_generator(
    size: int, latent_dim: int, hidden: Sequence[int], scale: float = 1.0, dtype=None, seed: int | None = None
) -> keras.Model:
    """Return a generator: latents (batch, latent_dim) to float32 points (batch, size) of any value.

    ReLU, not LeakyReLU: where a unit is off the output is flat, and separate modes need flat places with steep ways
    between them.

    Args:
        size: length of a point.
        latent_dim: length of a latent vector.
        hidden: width of each hidden layer.
        scale: what the last layer's output is multiplied by: about the standard deviation of the points.
        dtype: of the hidden layers.
        seed: of the initial weights.
    """
    latents = keras.Input((latent_dim,), name="latents")
    points = _rescaled(_perceptron(latents, (*hidden, size), dtype, seed), scale)
    return keras.Model(latents, points, name="generator")


def point_discriminator(
    size: int, hidden: Sequence[int], scale: float = 1.0, dtype=None, seed: int | None = None, spectral: bool = False
) -> keras.Model:
    """Return a discriminator: points (batch, size), or packs of them, to float32 logits (batch, 1).

    Args:
        size: length of a point, times the number of them in a pack.
        hidden: width of each hidden layer.
        scale: what the points are divided by: about their standard deviation.
        dtype: of the hidden layers.
        seed: of the initial weights.
        spectral: whether every layer is divided by its spectral norm.
    """
    points = keras.Input((size,), name="points")
    logits = _perceptron(
        _rescaled(points, 1.0 / scale), (*hidden, 1), dtype, seed, SNDense if spectral else layers.Dense
    )
    return keras.Model(points, logits, name="discriminator")


def _perceptron(x, widths: Sequence[int], dtype, seed: int | None, dense=layers.Dense):
    initializers = glorot(seed)
    for width in widths[:-1]:
        x = dense(width, activation="relu", kernel_initializer=next(initializers), dtype=dtype)(x)
    return dense(widths[-1], kernel_initializer=next(initializers), dtype="float32")(x)


def _rescaled(x, scale: float):
    return x if scale == 1.0 else layers.Rescaling(scale, dtype="float32")(x)
