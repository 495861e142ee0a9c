"""RunningMean: what weights have been on average, and how far they are from it."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("kerasgan")
class RunningMean(keras.layers.Layer):
    """The mean of all values that some variables have had.

    Args:
        variables: the variables, for their shapes.
    """

    def __init__(self, variables, **settings):
        super().__init__(**{"dtype": "float32"} | settings)
        # All replicas hold the same weights, and so the same means.
        own = {"trainable": False, "initializer": "zeros", "aggregation": "only_first_replica"}
        self.count = self.add_weight(shape=(), dtype="int32", name="count", **own)
        self.means = [self.add_weight(shape=each.shape, name=f"mean_{n}", **own) for n, each in enumerate(variables)]
        self.built = True

    def call(self, variables, training=False):
        """Return the squared distance of variables from the mean of what they have been: a float32 scalar.

        In training, their present values count in the mean from now on. Before the first, the distance is 0.
        """
        count = tf.convert_to_tensor(self.count)
        distances = []
        for variable, mean in zip(variables, self.means, strict=True):
            value = tf.cast(tf.convert_to_tensor(variable), tf.float32)
            present = tf.stop_gradient(value)
            past = tf.where(count > 0, tf.convert_to_tensor(mean), present)
            distances.append(tf.reduce_sum(tf.square(value - past)))
            if training:
                mean.assign(past + (present - past) / tf.cast(count + 1, tf.float32))
        if training:
            self.count.assign(count + 1)
        return tf.add_n(distances)
