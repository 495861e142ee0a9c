"""Dropout whose random numbers are an input, so that whoever has these can have the same outputs again."""

import math

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("kerasgan")
class GivenDropout(keras.layers.Layer):
    """Drops values where given uniform numbers are below the rate, in training and in inference alike.

    pix2pix takes its randomness from dropout that is never switched off. Drawn inside of a network, it could be neither
    repeated nor exported; as an input it is both, and a seed stands for it.

    Args:
        rate: share that is dropped, in [0, 1); the others grow by 1 / (1 - rate).
        first: the first of the given numbers that belongs to this layer; it takes as many as an example has values.

    Raises:
        ValueError: rate or first is out of range.
    """

    def __init__(self, rate: float, first: int = 0, **settings):
        # In half precision 0.4999 is 0.5: the numbers stay as they are given.
        super().__init__(**{"autocast": False} | settings)
        if not 0.0 <= rate < 1.0 or first < 0:
            raise ValueError(f"GivenDropout needs rate in [0, 1) and first >= 0; received {rate} and {first}.")
        self.rate, self.first = rate, first

    def call(self, inputs):
        """Drop some of (batch, ...) by uniform numbers in [0, 1) (batch, n): a list of the two."""
        values, numbers = inputs
        shape = values.shape[1:]
        own = tf.reshape(numbers[:, self.first : self.first + math.prod(shape)], (-1, *shape))
        kept = tf.cast(own >= self.rate, self.compute_dtype)
        return tf.cast(values, self.compute_dtype) * kept / (1.0 - self.rate)

    def compute_output_shape(self, input_shape):
        """Return the shape of the values."""
        return input_shape[0]

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return super().get_config() | {"rate": self.rate, "first": self.first}
