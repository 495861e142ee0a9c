"""Weight normalisation: the direction of a unit's weights and its scale are learned apart."""

import keras
import tensorflow as tf

# A unit that varies less than this over the first batch is not stretched.
LEAST_VARIANCE = 1e-6


@keras.saving.register_keras_serializable("kerasgan")
class WeightNormalization(keras.layers.Wrapper):
    """A dense layer or convolution whose units have weights of length one, a scale and a bias of their own.

    Unlike batch norm it mixes no images of a batch, so that noise or an odd batch does not reach the statistics.
    The first batch seen in training initialises it: each unit's output is brought to mean 0 and variance 1 over that
    batch, once; what was subtracted and divided by is kept, saved, and not trained. In `frozen_state()` and in
    inference nothing is initialised. Under a `tf.distribute` strategy each replica initialises on its own part of the
    first batch, and `kerasgan.GAN` gives all of them the mean.

    Salimans and Kingma 2016, equations 2 and 5 to 6 (https://arxiv.org/abs/1602.07868).

    Args:
        layer: `keras.layers.Dense` or a convolution with neither bias nor activation, channels last.
        data_dependent: initialise on the first batch; else with the length of one only.
        train_scale: whether the scale is learned, as in the paper. The semi-supervised GAN leaves it as initialised
            in all layers but the last.

    Raises:
        ValueError: the layer has a bias or an activation, which would come before the scale.
    """

    def __init__(self, layer, data_dependent: bool = True, train_scale: bool = True, **settings):
        if getattr(layer, "use_bias", True) or getattr(layer, "activation", None) is not keras.activations.linear:
            raise ValueError(
                f"WeightNormalization has a bias of its own and ends before any activation; received {layer.name!r}. "
                "Build that layer with use_bias=False and without an activation, and put the activation behind."
            )
        super().__init__(layer, **{"dtype": layer.dtype_policy} | settings)
        self.data_dependent, self.train_scale = data_dependent, train_scale

    def build(self, input_shape):
        """Make scale and bias of each unit, and what the first batch is to set."""
        super().build(input_shape)
        units = (self.layer.kernel.shape[self._unit_axis],)
        ones, zeros = (
            {"shape": units, "initializer": name, "dtype": "float32", "autocast": False} for name in ("ones", "zeros")
        )
        self.scale = self.add_weight(name="scale", trainable=self.train_scale, **ones)
        self.bias = self.add_weight(name="bias", **zeros)
        if self.data_dependent:
            self.center = self.add_weight(name="center", trainable=False, **zeros)
            self.deviation = self.add_weight(name="deviation", trainable=False, **ones)
            self.initialized = self.add_weight(name="initialized", trainable=False, **zeros | {"shape": ()})

    def call(self, inputs, training=None):
        """Return the layer's outputs (batch, ..., units), normalised."""
        outputs = self.layer(inputs)
        # A unit is linear: dividing its output by the length of its weights is cheaper than dividing the weights.
        squares = tf.square(tf.cast(self.layer.kernel, "float32"))
        others = [axis for axis in range(len(squares.shape)) if axis != self._unit_axis % len(squares.shape)]
        length = tf.sqrt(tf.reduce_sum(squares, others) + 1e-12)
        factor, bias = self.scale / length, tf.convert_to_tensor(self.bias)
        if self.data_dependent:
            center, deviation = self._first_batch(outputs, length) if training else (self.center, self.deviation)
            factor, bias = factor / deviation, bias - center / deviation
        return outputs * tf.cast(factor, outputs.dtype) + tf.cast(bias, outputs.dtype)

    def _first_batch(self, outputs, length) -> tuple:
        """Return mean and deviation of each unit over the first batch, which may be this one."""
        of_unit_weights = tf.stop_gradient(tf.cast(outputs, "float32") / length)
        mean, variance = tf.nn.moments(of_unit_weights, list(range(len(outputs.shape) - 1)))
        deviation = tf.where(variance > LEAST_VARIANCE, tf.sqrt(variance), 1.0)
        first = self.initialized < 0.5
        center = tf.where(first, mean, self.center)
        deviation = tf.where(first, deviation, self.deviation)
        for variable, value in ((self.center, center), (self.deviation, deviation), (self.initialized, 1.0)):
            variable.assign(value)
        return center, deviation

    @property
    def _unit_axis(self) -> int:
        transposed = isinstance(self.layer, keras.layers.Conv1DTranspose | keras.layers.Conv2DTranspose)
        return -2 if transposed else -1

    def compute_output_shape(self, input_shape):
        """Return the layer's."""
        return self.layer.compute_output_shape(input_shape)

    def get_config(self) -> dict:
        """Return the constructor arguments, the layer serialised."""
        return super().get_config() | {"data_dependent": self.data_dependent, "train_scale": self.train_scale}
