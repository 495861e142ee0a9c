"""The two ends of R3GAN's networks: a vector becomes a small image, and a small image a vector, channel by channel."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("kerasgan")
class SpreadOverBasis(keras.layers.Layer):
    """Each channel of a vector scales a small image that the layer learns: (batch, c) to (batch, height, width, c).

    A dense layer to as many numbers has height x width times the weights. Huang et al. 2025, appendix D
    (https://arxiv.org/abs/2501.05441), "learned basis" of the generator.

    Args:
        height: of the small images.
        width: of the small images.
        seed: of their initial, standard normal values.
    """

    def __init__(self, height: int, width: int, seed: int | None = None, **settings):
        super().__init__(**settings)
        self.height, self.width, self.seed = height, width, seed

    def build(self, input_shape):
        """Make one image a channel."""
        shape = (self.height, self.width, input_shape[-1])
        self.basis = self.add_weight(shape=shape, initializer=keras.initializers.RandomNormal(1.0, seed=self.seed))

    def call(self, inputs):
        """Return the scaled images."""
        return inputs[:, None, None] * tf.convert_to_tensor(self.basis)

    def compute_output_shape(self, input_shape):
        """Return the shape of the images."""
        return (input_shape[0], self.height, self.width, input_shape[-1])

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return super().get_config() | {"height": self.height, "width": self.width, "seed": self.seed}


@keras.saving.register_keras_serializable("kerasgan")
class SumOverBasis(keras.layers.Layer):
    """The weighted sum over each channel, with weights that the layer learns: (batch, height, width, c) to (batch, c).

    The transpose of `SpreadOverBasis`: a depthwise convolution as large as the image.

    Args:
        initializer: of the weights (height, width, c).
    """

    def __init__(self, initializer="glorot_uniform", **settings):
        super().__init__(**settings)
        self.initializer = keras.initializers.get(initializer)

    def build(self, input_shape):
        """Make the weights."""
        self.basis = self.add_weight(shape=input_shape[1:], initializer=self.initializer)

    def call(self, inputs):
        """Return the sums."""
        return tf.reduce_sum(inputs * tf.convert_to_tensor(self.basis), axis=(1, 2))

    def compute_output_shape(self, input_shape):
        """Return one number a channel."""
        return (input_shape[0], input_shape[-1])

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return super().get_config() | {"initializer": keras.initializers.serialize(self.initializer)}
