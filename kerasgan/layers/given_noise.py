"""GivenNoise: noise for what is random in an image, as an input, so that whoever has it can have the image again."""

import math

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("kerasgan")
class GivenNoise(keras.layers.Layer):
    """Adds given numbers, one a pixel and the same for all channels, times a strength that is learned, from 0 on.

    Karras et al. 2020, figure 2 (https://arxiv.org/abs/1912.04958). Drawn inside of a network, noise could be neither
    repeated nor exported.

    Args:
        first: the first of the given numbers that belongs to this layer; it takes as many as an image has pixels.
        gain: what the numbers are multiplied by besides.

    Raises:
        ValueError: first is negative.
    """

    def __init__(self, first: int = 0, gain: float = 1.0, **settings):
        super().__init__(**settings)
        if first < 0:
            raise ValueError(f"GivenNoise needs first >= 0; received {first}.")
        self.first, self.gain = first, gain

    def build(self, input_shape):
        """Make the strength."""
        self.strength = self.add_weight(shape=(), initializer="zeros", name="strength")

    def call(self, inputs):
        """Add to images (batch, height, width, channels) some of the numbers (batch, n): a list of the two."""
        images, numbers = inputs
        sides = images.shape[1:3]
        own = tf.reshape(numbers[:, self.first : self.first + math.prod(sides)], (-1, *sides, 1))
        return images + own * (self.gain * tf.convert_to_tensor(self.strength))

    def compute_output_shape(self, input_shape):
        """Return the shape of the images."""
        return input_shape[0]

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return super().get_config() | {"first": self.first, "gain": self.gain}
