"""Instance norm: every channel of every image is normalised by itself, whatever else is in the batch."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("kerasgan")
class InstanceNormalization(keras.layers.Layer):
    """Brings each channel of each image to mean 0 and variance 1 over height and width, then scales and shifts it.

    The same in training and in inference. Batch norm on batches of one image, as in the code of pix2pix, is this, with
    `affine`; CycleGAN has it without. In training it goes through the fused kernel of batch norm, with an image's
    channels as channels of their own: a pass over the image where separate operations take several.

    Ulyanov et al. 2016, equation 4 (https://arxiv.org/abs/1607.08022).

    Args:
        affine: whether a scale and a shift are learned for every channel.
        epsilon: added to the variance.
        gamma_initializer: of the scales.

    Raises:
        ValueError: images have a single place each, of which nothing would be left.
    """

    # What 8 bits do not bear when it is exported: variances of channels lie further apart than 256 steps tell.
    float_operators = ("ADD", "MEAN", "MUL", "RSQRT", "SQUARED_DIFFERENCE", "SUB")

    def __init__(self, affine: bool = True, epsilon: float = 1e-5, gamma_initializer="ones", **settings):
        super().__init__(**settings)
        self.affine, self.epsilon = affine, epsilon
        self.gamma_initializer = keras.initializers.get(gamma_initializer)

    def build(self, input_shape):
        """Make the scales and shifts, which keep float32."""
        _, height, width, channels = input_shape
        if height == width == 1:
            raise ValueError(
                "InstanceNormalization of an image of 1x1 places gives 0 whatever it holds; leave it out there."
            )
        if self.affine:
            own = {"shape": (channels,), "dtype": "float32", "autocast": False}
            self.gamma = self.add_weight(name="gamma", initializer=self.gamma_initializer, **own)
            self.beta = self.add_weight(name="beta", initializer="zeros", **own)

    def call(self, inputs, training=None):
        """Normalize (batch, height, width, channels)."""
        channels = inputs.shape[-1]
        gamma = tf.convert_to_tensor(self.gamma) if self.affine else tf.ones(channels)
        beta = tf.convert_to_tensor(self.beta) if self.affine else tf.zeros(channels)
        return (self._fused if training else self._by_moments)(inputs, gamma, beta)

    def _fused(self, inputs, gamma, beta):
        _, height, width, channels = inputs.shape
        count = tf.shape(inputs)[0]
        # Images side by side in the channels of one.
        x = tf.reshape(tf.transpose(inputs, (1, 2, 0, 3)), (1, height, width, count * channels))
        repeated = (tf.tile(each, [count]) for each in (gamma, beta))
        x, *_ = tf.compat.v1.nn.fused_batch_norm(x, *repeated, epsilon=self.epsilon, is_training=True)
        x = tf.transpose(tf.reshape(x, (height, width, count, channels)), (2, 0, 1, 3))
        return tf.ensure_shape(x, inputs.shape)

    def _by_moments(self, inputs, gamma, beta):
        # What exporters know: the kernel of batch norm in training is not among it.
        x = tf.cast(inputs, tf.float32)
        mean = tf.reduce_mean(x, (1, 2), keepdims=True)
        variance = tf.reduce_mean(tf.math.squared_difference(x, mean), (1, 2), keepdims=True)
        return tf.cast((x - mean) * (gamma * tf.math.rsqrt(variance + self.epsilon)) + beta, inputs.dtype)

    def compute_output_shape(self, input_shape):
        """Return the shape of the inputs."""
        return input_shape

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        own = {"affine": self.affine, "epsilon": self.epsilon}
        return super().get_config() | own | {"gamma_initializer": keras.initializers.serialize(self.gamma_initializer)}
