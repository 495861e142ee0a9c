"""Reflection padding: an image goes on behind its border as in a mirror, without the dark frame that zeros leave."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("kerasgan")
class ReflectionPadding2D(keras.layers.Layer):
    """Adds so many places on every side, mirrored at the outermost ones, which are not repeated.

    Args:
        padding: places added on each side; images have to be larger.

    Raises:
        ValueError: padding is not a positive whole number, or images are not larger.
    """

    def __init__(self, padding: int = 1, **settings):
        super().__init__(**settings)
        if isinstance(padding, bool) or not isinstance(padding, int) or padding < 1:
            raise ValueError(f"ReflectionPadding2D needs a whole number padding >= 1; received {padding!r}.")
        self.padding = padding

    def build(self, input_shape):
        """Check that there is enough to mirror."""
        if min(input_shape[1:3]) <= self.padding:
            raise ValueError(
                f"Reflecting {self.padding} places takes images of at least {self.padding + 1} a side; received "
                f"{input_shape[1]}x{input_shape[2]}."
            )

    def call(self, inputs):
        """Pad (batch, height, width, channels)."""
        sides = (self.padding, self.padding)
        return tf.pad(inputs, ((0, 0), sides, sides, (0, 0)), "REFLECT")

    def compute_output_shape(self, input_shape):
        """Return the padded shape."""
        batch, height, width, channels = input_shape
        return batch, height + 2 * self.padding, width + 2 * self.padding, channels

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return super().get_config() | {"padding": self.padding}
