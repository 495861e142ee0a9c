"""ClippedInInference: a range that what is shown keeps, and what is trained does not have to."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("kerasgan")
class ClippedInInference(keras.layers.Layer):
    """Values cut at -1 and 1 in inference. In training they go through as they are, and so does every slope.

    For generators that end without a tanh: the discriminator teaches them the range.
    """

    def call(self, inputs, training=False):
        """Return the values, clipped unless in training."""
        return inputs if training else tf.clip_by_value(inputs, -1.0, 1.0)

    def compute_output_shape(self, input_shape):
        """Return the shape of the values."""
        return input_shape
