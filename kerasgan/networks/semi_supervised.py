"""The networks of the semi-supervised GAN: multilayer perceptrons with weight normalisation.

Salimans et al. 2016 (https://arxiv.org/abs/1606.03498), section 5.1, and the code published with it: noise of standard
deviation 0.3 on images in [0, 1] and 0.5 after every hidden layer of the classifier, softplus and batch norm in the
generator. Images are in [-1, 1] here; the classifier halves and shifts them first, and the generator's sigmoid, brought
to [-1, 1], is tanh(x / 2).
"""

from collections.abc import Sequence

import keras
from keras import layers

from kerasgan.layers import BatchNormalization, WeightNormalization
from kerasgan.networks.initializers import glorot, normal
from kerasgan.networks.mlp import pixels

INPUT_NOISE, HIDDEN_NOISE = 0.3, 0.5


def semi_supervised_generator(
    image_shape: tuple, latent_dim: int, hidden: Sequence[int], dtype=None, seed: int | None = None
) -> keras.Model:
    """Return a generator: latents (batch, latent_dim) in [0, 1) to float32 images (batch, *image_shape) in [-1, 1]."""
    initializers = glorot(seed)
    latents = x = keras.Input((latent_dim,), name="latents")
    for width in hidden:
        x = layers.Dense(width, use_bias=False, kernel_initializer=next(initializers), dtype=dtype)(x)
        x = BatchNormalization(momentum=0.9, epsilon=1e-6, scale=False, dtype=dtype)(x)
        x = layers.Activation("softplus", dtype=dtype)(x)
    last = layers.Dense(pixels(image_shape), use_bias=False, kernel_initializer=next(initializers), dtype="float32")
    x = WeightNormalization(last, data_dependent=False)(x)
    x = layers.Activation("tanh", dtype="float32")(layers.Rescaling(0.5, dtype="float32")(x))
    return keras.Model(latents, layers.Reshape(image_shape, dtype="float32")(x), name="generator")


def semi_supervised_discriminator(
    image_shape: tuple, hidden: Sequence[int], num_classes: int, dtype=None, seed: int | None = None
) -> keras.Model:
    """Return a classifier that is a discriminator too: images (batch, *image_shape) in [-1, 1] to a dict of float32.

    `classes` are the logits (batch, num_classes) of the real classes. The class of generated images has the logit 0,
    which costs nothing: K + 1 logits are one too many. `logits` (batch, 1) is the logarithm of the sum of their
    exponentials, by which an image is real rather than generated. `features` (batch, hidden[-1]) is the last hidden
    layer.
    """
    initializers = normal(seed, 0.1)
    images = keras.Input(image_shape, name="images")
    x = layers.Rescaling(0.5, 0.5, dtype=dtype)(layers.Flatten(dtype=dtype)(images))
    for number, width in enumerate(hidden):
        x = _noise(HIDDEN_NOISE if number else INPUT_NOISE, seed, number, dtype)(x)
        dense = layers.Dense(width, use_bias=False, kernel_initializer=next(initializers), dtype=dtype)
        x = features = layers.ReLU(dtype=dtype)(WeightNormalization(dense, train_scale=False)(x))
    x = _noise(HIDDEN_NOISE, seed, len(hidden), dtype)(x)
    last = layers.Dense(num_classes, use_bias=False, kernel_initializer=next(initializers), dtype="float32")
    classes = WeightNormalization(last)(x)
    outputs = {
        "logits": LogSumExp(dtype="float32")(classes),
        "classes": classes,
        "features": layers.Activation("linear", dtype="float32")(features),
    }
    return keras.Model(images, outputs, name="discriminator")


@keras.saving.register_keras_serializable("kerasgan")
class LogSumExp(layers.Layer):
    """The logarithm of the sum of exponentials: logits (batch, n) to (batch, 1)."""

    def call(self, inputs):
        """Return it, computed so that nothing overflows."""
        return keras.ops.logsumexp(inputs, axis=-1, keepdims=True)

    def compute_output_shape(self, input_shape):
        """Return one number an example."""
        return (*input_shape[:-1], 1)


def _noise(deviation: float, seed: int | None, number: int, dtype):
    return layers.GaussianNoise(deviation, seed=None if seed is None else seed + number, dtype=dtype)
