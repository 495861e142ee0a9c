"""Encoders and decoders of the VAE: convolutional and MLP.

An encoder returns the mean and the log standard deviation of the posterior, a decoder the logits of the mean image:
its mean image is tanh(logits / 2), which for Bernoulli pixels is 2 * sigmoid(logits) - 1.
"""

import math
from collections.abc import Sequence

import keras
from keras import layers

from kerasgan.networks.dcgan import KERNEL_SIZE, check_sides, crop_to, filters_at
from kerasgan.networks.initializers import glorot
from kerasgan.networks.mlp import pixels


def conv_encoder(image_shape: tuple, latent_dim: int, base_filters: int, dtype=None, seed=None) -> keras.Model:
    """Return images (batch, *image_shape) to [mean, log_std], both float32 (batch, latent_dim)."""
    initializers = glorot(seed)
    images = x = keras.Input(image_shape, name="images")
    for level in range(_count_halvings(image_shape)):
        x = layers.Conv2D(
            filters_at(base_filters, level), KERNEL_SIZE, 2, "same", activation="relu",
            kernel_initializer=next(initializers), dtype=dtype,
        )(x)  # fmt: skip
    x = layers.Flatten(dtype=dtype)(x)
    x = layers.Dense(8 * base_filters, activation="relu", kernel_initializer=next(initializers), dtype=dtype)(x)
    return _posterior(images, x, latent_dim, initializers)


def mlp_encoder(image_shape: tuple, latent_dim: int, hidden: Sequence[int], dtype=None, seed=None) -> keras.Model:
    """Return images (batch, *image_shape) to [mean, log_std], both float32 (batch, latent_dim)."""
    initializers = glorot(seed)
    images = keras.Input(image_shape, name="images")
    x = layers.Flatten(dtype=dtype)(images)
    for width in hidden:
        x = layers.Dense(width, activation="relu", kernel_initializer=next(initializers), dtype=dtype)(x)
    return _posterior(images, x, latent_dim, initializers)


def conv_decoder(image_shape: tuple, latent_dim: int, base_filters: int, dtype=None, seed=None) -> keras.Model:
    """Return latents (batch, latent_dim) to float32 logits (batch, *image_shape)."""
    doublings = _count_halvings(image_shape)
    height, width, channels = image_shape
    start = (-(-height // 2**doublings), -(-width // 2**doublings))
    filters = filters_at(base_filters, doublings - 1)
    initializers = glorot(seed)
    latents = keras.Input((latent_dim,), name="latents")
    x = layers.Dense(8 * base_filters, activation="relu", kernel_initializer=next(initializers), dtype=dtype)(latents)
    x = layers.Dense(
        start[0] * start[1] * filters,
        activation="relu",
        kernel_initializer=next(initializers),
        dtype=dtype,
    )(x)
    x = layers.Reshape((*start, filters), dtype=dtype)(x)
    for level in reversed(range(doublings - 1)):
        x = layers.Conv2DTranspose(
            filters_at(base_filters, level), KERNEL_SIZE, 2, "same", activation="relu",
            kernel_initializer=next(initializers), dtype=dtype,
        )(x)  # fmt: skip
    x = layers.Conv2DTranspose(
        channels, KERNEL_SIZE, 2, "same", kernel_initializer=next(initializers), dtype="float32"
    )(x)
    return keras.Model(latents, crop_to(x, height, width), name="decoder")


def mlp_decoder(image_shape: tuple, latent_dim: int, hidden: Sequence[int], dtype=None, seed=None) -> keras.Model:
    """Return latents (batch, latent_dim) to float32 logits (batch, *image_shape)."""
    initializers = glorot(seed)
    latents = x = keras.Input((latent_dim,), name="latents")
    for width in hidden:
        x = layers.Dense(width, activation="relu", kernel_initializer=next(initializers), dtype=dtype)(x)
    x = layers.Dense(pixels(image_shape), kernel_initializer=next(initializers), dtype="float32")(x)
    return keras.Model(latents, layers.Reshape(image_shape, dtype="float32")(x), name="decoder")


def _count_halvings(image_shape: tuple) -> int:
    """Return how many times the image is halved: to 4-7 pixels, which the dense layers see as a whole."""
    check_sides(image_shape)
    return int(math.log2(min(image_shape[:2]) / 4))


def _posterior(images, features, latent_dim, initializers):
    mean = layers.Dense(latent_dim, kernel_initializer=next(initializers), dtype="float32", name="mean")(features)
    log_std = layers.Dense(latent_dim, kernel_initializer="zeros", dtype="float32", name="log_std")(features)
    return keras.Model(images, [mean, log_std], name="encoder")


@keras.saving.register_keras_serializable("kerasgan")
class LearnedLogScale(layers.Layer):
    """One trainable number, whatever the input: the log of a likelihood's scale."""

    def build(self, input_shape):
        """Make the number; exp(-1) is a broad first guess for images in [-1, 1]."""
        self.log_scale = self.add_weight(shape=(), initializer=keras.initializers.Constant(-1.0), name="log_scale")

    def call(self, inputs):
        """Return the number, a float32 scalar."""
        return keras.ops.convert_to_tensor(self.log_scale)

    def compute_output_shape(self, input_shape):
        """Return the shape of a scalar."""
        return ()


def with_scale(decoder: keras.Model) -> keras.Model:
    """Return a decoder that also returns the learned log scale of its likelihood."""
    log_scale = LearnedLogScale(dtype="float32", name="log_scale")(decoder.outputs[0])
    return keras.Model(decoder.input, [*decoder.outputs, log_scale], name="decoder")
