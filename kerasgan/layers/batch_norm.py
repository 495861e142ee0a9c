"""Layers that Keras does not have, or that it has in a slower form."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("kerasgan")
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` through TensorFlow's fused kernel while training on images.

    Same arguments, variables and results (to rounding). The Keras layer trains through six separate operations;
    the fused kernel takes one pass and keeps its statistics in float32 under mixed precision. Inputs that are not
    4-D with channels last, masked inputs, and inference use the Keras code.
    """

    def call(self, inputs, training=None, mask=None):
        """Normalize (batch, height, width, channels) over all axes but the last."""
        fusible = training and self.trainable and mask is None and len(inputs.shape) == 4
        if not fusible or self.axis not in (-1, 3) or self.renorm:
            return super().call(inputs, training=training, mask=mask)
        channels = inputs.shape[-1]
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs,
            tf.convert_to_tensor(self.gamma) if self.scale else tf.ones(channels),
            tf.convert_to_tensor(self.beta) if self.center else tf.zeros(channels),
            epsilon=self.epsilon,
            is_training=True,
        )
        # The kernel returns the sample variance; Keras tracks the population variance.
        count = tf.cast(tf.size(inputs) / channels, variance.dtype)
        variance *= (count - 1.0) / count
        self._track(self.moving_mean, mean)
        self._track(self.moving_variance, variance)
        return outputs

    def _track(self, moving, batch):
        moving.assign(moving * self.momentum + tf.cast(batch, moving.dtype) * (1.0 - self.momentum))
