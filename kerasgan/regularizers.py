"""Regularizers of the discriminator: extra named terms of its loss.

A regularizer is a small serialisable object with a `name`, called as
`regularizer(discriminate, real, fake) -> scalar`, where `discriminate` maps images to logits. Input gradients
are taken to float32 before their norm: half-precision norms are several percent off.
"""

from collections.abc import Callable

import keras
import tensorflow as tf

from kerasgan.losses import mean
from kerasgan.support.configurable import Configurable, lookup


class Regularizer(Configurable):
    """Base class: subclass it and register it with `keras.saving` to write your own regularizer.

    Args:
        weight: what the penalty is multiplied by.
    """

    name = "regularizer"

    def __init__(self, weight: float):
        if weight < 0:
            raise ValueError(f"{type(self).__name__} needs weight >= 0; received {weight}.")
        self.weight = weight

    def __call__(self, discriminate: Callable, real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
        """Return the weighted penalty, a float32 scalar."""
        raise NotImplementedError


@keras.saving.register_keras_serializable("kerasgan")
class R1(Regularizer):
    """Half the weight times the squared gradient norm of the logits at real images.

    Mescheder et al. 2018, equation 9 (https://arxiv.org/abs/1801.04406).
    """

    name = "r1"

    def __init__(self, weight: float = 1.0):
        super().__init__(weight)

    def __call__(self, discriminate, real, fake):
        """Return weight / 2 * E[|grad D(x)|^2]."""
        return 0.5 * self.weight * mean(squared_gradient_norm(discriminate, real))


@keras.saving.register_keras_serializable("kerasgan")
class R2(Regularizer):
    """`R1` at generated images (the same paper, section 4.1)."""

    name = "r2"

    def __init__(self, weight: float = 1.0):
        super().__init__(weight)

    def __call__(self, discriminate, real, fake):
        """Return weight / 2 * E[|grad D(G(z))|^2]."""
        return 0.5 * self.weight * mean(squared_gradient_norm(discriminate, fake))


REGULARIZERS = {"r1": R1, "r2": R2}


def get(regularizer: "str | dict | Regularizer") -> Regularizer:
    """Return the regularizer for a name of `REGULARIZERS`, a serialised config, or the object itself.

    Raises:
        ValueError: the name is unknown, or the object cannot be called.
    """
    return lookup(regularizer, REGULARIZERS, "regularizer", methods=("__call__",))


def squared_gradient_norm(discriminate: Callable, images: tf.Tensor) -> tf.Tensor:
    """Return |grad D(x)|^2 for each image, float32 of shape (batch,)."""
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = discriminate(images)
    gradient = tf.cast(tape.gradient(logits, images), tf.float32)
    return tf.reduce_sum(tf.square(gradient), axis=range(1, len(images.shape)))
