"""TrackedMean: what values are on average, and values drawn nearer to it."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("kerasgan")
class TrackedMean(keras.layers.Layer):
    """Hands values on, and keeps a moving mean of them, which is part of the model's state.

    The mean moves in training only, if the layer is trainable and not run in `keras.StatelessScope`.

    Args:
        decay: share of the mean that a batch leaves.

    Raises:
        ValueError: decay is not in [0, 1).
    """

    def __init__(self, decay: float = 0.995, **settings):
        super().__init__(**settings)
        if not 0.0 <= decay < 1.0:
            raise ValueError(f"TrackedMean needs decay in [0, 1); received {decay}.")
        self.decay = decay

    def build(self, input_shape):
        """Make the mean: 0 at first."""
        # In float32: steps of half a percent are beyond half precision.
        self.mean = self.add_weight(
            shape=input_shape[1:], initializer="zeros", trainable=False, autocast=False, dtype="float32", name="mean"
        )

    def call(self, inputs, training=False, share=1.0):
        """Return values (batch, ...), or, with a share, what lies so far on the way from the mean to them."""
        mean = tf.convert_to_tensor(self.mean)
        if training and self.trainable:
            present = tf.reduce_mean(tf.cast(tf.stop_gradient(inputs), tf.float32), axis=0)
            self.mean.assign(mean + (1.0 - self.decay) * (present - mean))
        if share == 1.0:
            return inputs
        mean = tf.cast(mean, inputs.dtype)
        return mean + share * (inputs - mean)

    def compute_output_shape(self, input_shape):
        """Return the shape of the values."""
        return input_shape

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return super().get_config() | {"decay": self.decay}
