"""LearnedConstant: what a network begins from where it is told all else on the way."""

import keras
import tensorflow as tf

from kerasgan.layers.equalized import standard_normal


@keras.saving.register_keras_serializable("kerasgan")
class LearnedConstant(keras.layers.Layer):
    """The same learned array for every example; of its input it takes the number of examples only.

    Args:
        shape: of the array.
        seed: fixes the initial values, which are standard normal.
    """

    def __init__(self, shape: tuple, seed: int | None = None, **settings):
        super().__init__(**settings)
        self.constant_shape, self.seed = tuple(shape), seed

    def build(self, input_shape):
        """Draw the array."""
        self.constant = self.add_weight(
            shape=self.constant_shape, initializer=standard_normal(self.seed), name="constant"
        )

    def call(self, inputs):
        """Return (batch, *shape) for inputs (batch, ...)."""
        constant = tf.convert_to_tensor(self.constant)
        return tf.tile(constant[None], [tf.shape(inputs)[0], *[1] * len(self.constant_shape)])

    def compute_output_shape(self, input_shape):
        """Return the shape of so many arrays."""
        return (input_shape[0], *self.constant_shape)

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return super().get_config() | {"shape": list(self.constant_shape), "seed": self.seed}
