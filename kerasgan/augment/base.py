"""What every augmentation is, and the random numbers of one."""

from typing import ClassVar

import keras
import tensorflow as tf


class Augmentation(keras.layers.Layer):
    """Base class: write `call`, and register the class with `keras.saving`, for an augmentation of your own."""

    # Names of what `adapt` and `report` return.
    observations: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *, name=None, dtype="float32", **settings):
        super().__init__(name=name, dtype=dtype, **settings)

    def call(self, images, seed):
        """Return images (batch, height, width, channels) changed by draws of a seed of two integers."""
        raise NotImplementedError

    def adapt(self, real_logits: tf.Tensor) -> dict[str, tf.Tensor]:
        """Learn from the logits of real images in an update of the discriminator; return `report()`."""
        return self.report()

    def report(self) -> dict[str, tf.Tensor]:
        """Return name -> scalar to show among the metrics."""
        return {}


class Draws:
    """Random numbers, one for each image of a batch and each call: float32 or int32 of shape (batch, 1, 1, 1).

    Args:
        images: the batch.
        seed: two integers.
    """

    def __init__(self, images: tf.Tensor, seed: tf.Tensor):
        self._shape, self._seed, self._calls = (tf.shape(images)[0], 1, 1, 1), seed, 0

    def _next(self) -> tf.Tensor:
        self._calls += 1
        return tf.random.experimental.stateless_fold_in(self._seed, self._calls)

    def uniform(self, low: float, high: float) -> tf.Tensor:
        """Return numbers in [low, high)."""
        return tf.random.stateless_uniform(self._shape, self._next(), low, high)

    def normal(self, deviation: float) -> tf.Tensor:
        """Return normal numbers around 0."""
        return tf.random.stateless_normal(self._shape, self._next(), stddev=deviation)

    def integer(self, low: int, high: int) -> tf.Tensor:
        """Return whole numbers from low to high - 1."""
        return tf.random.stateless_uniform(self._shape, self._next(), low, high, tf.int32)

    def coin(self, probability) -> tf.Tensor:
        """Return True with this probability."""
        return tf.random.stateless_uniform(self._shape, self._next()) < probability

    def often(self, probability, value: tf.Tensor, otherwise: int) -> tf.Tensor:
        """Return the value where a coin of this probability says so, and otherwise what does nothing."""
        return tf.where(self.coin(probability), value, tf.cast(otherwise, value.dtype))


def choose(chosen: tf.Tensor, changed: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
    """Return of each image the changed one where it is chosen, bool (batch, 1, 1, 1).

    By whole images: `tf.where` with a condition that is broadcast takes ten times as long on a CPU.
    """
    return tf.compat.v1.where(tf.reshape(chosen, [-1]), changed, images)


def read_rows(images: tf.Tensor, source: tf.Tensor) -> tf.Tensor:
    """Return images of which row i is row source[i], int32 (batch, rows)."""
    return tf.ensure_shape(tf.gather(images, source, axis=1, batch_dims=1), [None, source.shape[1], *images.shape[2:]])


def turned(images: tf.Tensor) -> tf.Tensor:
    """Return the images with rows and columns exchanged. To read rows is fast, to read columns is not."""
    return tf.transpose(images, (0, 2, 1, 3))
