"""Bounded: a range that values keep, and a slope that leads back into it."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("kerasgan")
class Bounded(keras.layers.Layer):
    """Values cut at -limit and limit. What is beyond learns to come back, and never to go further.

    In front of a tanh, whose slope is nearly nothing where an image is black or white: with a plain one, Adam, to which
    the size of a gradient is nothing, walks on and on into it, and does not come back. So a gradient goes through where
    a value is inside, or where a step against it leads inwards. (The bounds of tensorflow-compression pass gradients by
    the same rule, "identity_if_towards".)

    Args:
        limit: the largest size of a value.

    Raises:
        ValueError: limit is not above 0.
    """

    def __init__(self, limit: float, **kwargs):
        super().__init__(**kwargs)
        if not limit > 0:
            raise ValueError(f"limit must be above 0; received {limit}.")
        self.limit = limit

    def call(self, inputs):
        """Return the values, cut."""

        @tf.custom_gradient
        def cut(values):
            def back(gradient):
                further = ((values > self.limit) & (gradient < 0.0)) | ((values < -self.limit) & (gradient > 0.0))
                return tf.where(further, tf.zeros_like(gradient), gradient)

            return tf.clip_by_value(values, -self.limit, self.limit), back

        return cut(inputs)

    def compute_output_shape(self, input_shape):
        """Return the shape of the values."""
        return input_shape

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return super().get_config() | {"limit": self.limit}
