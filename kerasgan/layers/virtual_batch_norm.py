"""Virtual batch norm: an image is normalised by a fixed batch, so that what is made of it depends on it alone.

Three layers belong together. The reference batch goes through the network in front of each batch, and is left behind at
the end:

    x = ReferenceBatch(32)(latents)
    x = VirtualBatchNormalization(32)(layers.Dense(128)(x))
    images = WithoutReference(32)(layers.Dense(784, "tanh")(x))

Salimans et al. 2016, section 3.5 (https://arxiv.org/abs/1606.03498): for the generator only, since every batch costs as
many examples more.
"""

import keras
import tensorflow as tf


class _OfReference(keras.layers.Layer):
    """Base: knows how many examples of each batch are the reference."""

    def __init__(self, reference_size: int, **settings):
        super().__init__(**settings)
        if isinstance(reference_size, bool) or not isinstance(reference_size, int) or reference_size < 2:
            raise ValueError(
                f"{type(self).__name__} needs a whole number reference_size >= 2, since the variance of one example "
                f"is 0; received {reference_size!r}."
            )
        self.reference_size = reference_size

    def compute_output_shape(self, input_shape):
        """Return the shape: only the number of examples is another."""
        return (None, *input_shape[1:])

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return super().get_config() | {"reference_size": self.reference_size}


@keras.saving.register_keras_serializable("kerasgan")
class ReferenceBatch(_OfReference):
    """Puts the reference batch in front of every batch; it is saved as a weight that no optimizer moves.

    Args:
        reference_size: examples in it, at least 2.
        initializer: of the batch; None for standard normal numbers, which is right for latents. For other inputs,
            assign some of the data to `reference`.
    """

    def __init__(self, reference_size: int, initializer=None, **settings):
        super().__init__(reference_size, **settings)
        self.initializer = keras.initializers.get(initializer or keras.initializers.RandomNormal(stddev=1.0))

    def build(self, input_shape):
        """Draw the reference batch."""
        self.reference = self.add_weight(
            shape=(self.reference_size, *input_shape[1:]),
            initializer=self.initializer,
            trainable=False,
            aggregation="only_first_replica",
            name="reference",
        )

    def call(self, inputs):
        """Return the reference and inputs (batch, ...): (reference_size + batch, ...)."""
        return tf.concat([tf.cast(tf.convert_to_tensor(self.reference), inputs.dtype), inputs], axis=0)

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return super().get_config() | {"initializer": keras.initializers.serialize(self.initializer)}


@keras.saving.register_keras_serializable("kerasgan")
class VirtualBatchNormalization(_OfReference):
    """Normalises each example by the reference batch and itself, in training and in inference alike.

    Mean and variance of a channel are over the reference examples and the one example, each counting alike; those of
    the reference are normalised by themselves alone.

    Args:
        reference_size: the first so many examples of a batch are the reference.
        epsilon: added to the variance.
    """

    def __init__(self, reference_size: int, epsilon: float = 1e-3, **settings):
        super().__init__(reference_size, **settings)
        self.epsilon = epsilon

    def build(self, input_shape):
        """Make a scale of 1 and a shift of 0 for every channel."""
        self.gamma = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=(input_shape[-1],), initializer="zeros", name="beta")

    def call(self, inputs):
        """Return examples (batch, ..., channels), normalised."""
        # In float32, and around the reference's mean: differences of squares lose digits.
        values = tf.cast(inputs, tf.float32)
        places = list(range(1, len(values.shape) - 1))
        values -= tf.reduce_mean(values[: self.reference_size], [0, *places], keepdims=True)
        first, second = (tf.reduce_mean(each, places, keepdims=True) for each in (values, tf.square(values)))
        own = self.reference_size + 1.0

        def joined(moment):
            reference = tf.reduce_mean(moment[: self.reference_size], axis=0, keepdims=True)
            others = (self.reference_size * reference + moment[self.reference_size :]) / own
            return tf.concat([tf.repeat(reference, self.reference_size, axis=0), others], axis=0)

        mean, square = joined(first), joined(second)
        variance = tf.maximum(square - tf.square(mean), 0.0)
        scale = tf.cast(tf.convert_to_tensor(self.gamma), tf.float32) * tf.math.rsqrt(variance + self.epsilon)
        outputs = (values - mean) * scale + tf.cast(tf.convert_to_tensor(self.beta), tf.float32)
        return tf.cast(outputs, inputs.dtype)

    def compute_output_shape(self, input_shape):
        """Return the shape of the inputs."""
        return input_shape

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return super().get_config() | {"epsilon": self.epsilon}


@keras.saving.register_keras_serializable("kerasgan")
class WithoutReference(_OfReference):
    """Leaves the reference batch behind, at the end of the network."""

    def call(self, inputs):
        """Return all but the first `reference_size` of inputs (reference_size + batch, ...)."""
        return inputs[self.reference_size :]
