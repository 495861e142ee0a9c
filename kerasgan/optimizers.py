"""The optimizer that models are compiled with where none is given."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("kerasgan")
class Adam(keras.optimizers.Adam):
    """`keras.optimizers.Adam`, same arguments and numbers, whose update is one pass over a variable instead of ten.

    With batches of one image and ten million weights, Keras's own update is a quarter of a train step on a CPU: each of
    its operations reads and writes all of them. TensorFlow has a kernel that does everything at once, which other
    variables than dense ones of float32, and `amsgrad`, do not go through.

    Kingma and Ba 2014, algorithm 1 (https://arxiv.org/abs/1412.6980).
    """

    def update_step(self, gradient, variable, learning_rate):
        """Update a variable and its moments."""
        if self.amsgrad or isinstance(gradient, tf.IndexedSlices) or variable.dtype != tf.float32:
            super().update_step(gradient, variable, learning_rate)
            return
        number = self._get_variable_index(variable)
        beta_1, beta_2 = (tf.cast(beta, tf.float32) for beta in (self.beta_1, self.beta_2))
        steps = tf.cast(self.iterations + 1, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=_handle(variable),
            m=_handle(self._momentums[number]),
            v=_handle(self._velocities[number]),
            beta1_power=tf.pow(beta_1, steps),
            beta2_power=tf.pow(beta_2, steps),
            lr=tf.cast(learning_rate, tf.float32),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.constant(self.epsilon),
            grad=tf.cast(gradient, tf.float32),
        )


def _handle(variable):
    """Return the resource of a variable of Keras or TensorFlow; of a mirrored one, that of the device at work."""
    return (variable.value if isinstance(variable, keras.Variable) else variable).handle
