"""Layers that let a discriminator see the other images of a batch: where all look alike, it can tell."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("kerasgan")
class MinibatchStandardDeviation(keras.layers.Layer):
    """One more channel: how much the images of a group differ, a single number for the group.

    Karras et al. 2018, section 3 (https://arxiv.org/abs/1710.10196), with the groups of StyleGAN2. What is left of a
    batch that does not divide is shared out among the groups, and one that is smaller than a group is a group: a short
    last batch needs no care. Where several devices share a batch, groups are of one device.

    Args:
        group_size: the fewest images in a group, if there are as many.

    Raises:
        ValueError: group_size is not a positive whole number.
    """

    def __init__(self, group_size: int = 4, **settings):
        super().__init__(**settings)
        if isinstance(group_size, bool) or not isinstance(group_size, int) or group_size < 1:
            raise ValueError(f"MinibatchStandardDeviation needs a whole number group_size >= 1; got {group_size!r}.")
        self.group_size = group_size

    def call(self, inputs):
        """Return inputs (batch, ..., channels) with a channel more."""
        # In float32: squares and their means are beyond half precision.
        values = tf.cast(inputs, tf.float32)
        size = tf.shape(values)[0]
        groups = tf.maximum(size // self.group_size, 1)
        # The images of a group lie `groups` apart.
        group = tf.range(size) % groups
        members = tf.one_hot(group, groups, axis=0)
        members /= tf.reduce_sum(members, axis=1, keepdims=True)
        flat = tf.reshape(values, (size, -1))
        centered = flat - tf.gather(members @ flat, group)
        deviation = tf.sqrt(members @ tf.square(centered) + 1e-8)
        own = tf.gather(tf.reduce_mean(deviation, axis=1), group)
        shape = tf.concat([tf.shape(values)[:-1], [1]], 0)
        channel = tf.broadcast_to(tf.reshape(own, (-1, *[1] * (len(values.shape) - 1))), shape)
        return tf.concat([inputs, tf.cast(channel, inputs.dtype)], axis=-1)

    def compute_output_shape(self, input_shape):
        """Return the shape with a channel more."""
        return (*input_shape[:-1], input_shape[-1] + 1)

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return super().get_config() | {"group_size": self.group_size}


@keras.saving.register_keras_serializable("kerasgan")
class MinibatchDiscrimination(keras.layers.Layer):
    """More features of an image: in how many learned ways the others of the batch are close to it.

    Salimans et al. 2016, section 3.2 (https://arxiv.org/abs/1606.03498). An image is not compared with itself, which
    would add 1 everywhere. The sums grow with the batch: real and generated images come in batches of one size. Where
    several devices share a batch, images of one device are compared.

    Args:
        features: features that are added, B in the paper.
        dimensions: dimensions in which each compares images, C in the paper.
        kernel_initializer: of the tensor T.
    """

    def __init__(self, features: int = 100, dimensions: int = 5, kernel_initializer="glorot_uniform", **settings):
        super().__init__(**settings)
        self.features, self.dimensions = features, dimensions
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape):
        """Make the tensor T."""
        shape = (input_shape[-1], self.features * self.dimensions)
        self.kernel = self.add_weight(shape=shape, initializer=self.kernel_initializer, name="kernel")

    def call(self, inputs):
        """Return features (batch, d) with `features` more of them."""
        size = tf.shape(inputs)[0]
        seen = tf.matmul(inputs, tf.convert_to_tensor(self.kernel))
        # In float32: distances, and sums of up to a batch.
        seen = tf.reshape(tf.cast(seen, tf.float32), (size, self.features, self.dimensions))
        distances = tf.reduce_sum(tf.abs(seen[:, None] - seen[None]), axis=3)
        others = 1.0 - tf.eye(size)
        close = tf.reduce_sum(others[:, :, None] * tf.exp(-distances), axis=1)
        return tf.concat([inputs, tf.cast(close, inputs.dtype)], axis=1)

    def compute_output_shape(self, input_shape):
        """Return the shape with the added features."""
        return (*input_shape[:-1], input_shape[-1] + self.features)

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        initializer = keras.initializers.serialize(self.kernel_initializer)
        own = {"features": self.features, "dimensions": self.dimensions, "kernel_initializer": initializer}
        return super().get_config() | own
