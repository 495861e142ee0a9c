"""Layers with an equalised learning rate: weights start with deviation 1, and are scaled to their fan-in where used.

Adam moves every weight by about as much, whatever its size, so weights of small layers would learn faster than those of
large ones. With all of one size, all learn alike. Karras et al. 2018, section 4.1 (https://arxiv.org/abs/1710.10196).
"""

import math

import keras
import tensorflow as tf

from kerasgan.layers.filtering import half_sides, halved_convolution

SLOPE = 0.2
# Of a leaky ReLU, so that it keeps the size of what goes through.
GAIN = math.sqrt(2.0)


def leaky_relu(values: tf.Tensor) -> tf.Tensor:
    """Return a leaky ReLU. It keeps every factor: where a gain belongs behind it, scale kernel and bias instead."""
    return tf.nn.leaky_relu(values, SLOPE)


def standard_normal(seed: int | None) -> keras.initializers.Initializer:
    """Return the initializer of all weights that are scaled where used."""
    return keras.initializers.RandomNormal(stddev=1.0, seed=seed)


class _Equalized(keras.layers.Layer):
    """Base: rectified outputs, or plain ones, times a gain.

    Args:
        rectified: whether a leaky ReLU follows.
        gain: what outputs are multiplied by; None for root 2 where they are rectified, and 1 where not.
        seed: fixes the initial weights.
    """

    def __init__(self, rectified: bool = True, gain: float | None = None, seed: int | None = None, **settings):
        super().__init__(**settings)
        self.rectified, self.seed = rectified, seed
        self.gain = (GAIN if rectified else 1.0) if gain is None else gain

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return super().get_config() | {"rectified": self.rectified, "gain": self.gain, "seed": self.seed}


@keras.saving.register_keras_serializable("kerasgan")
class EqualizedDense(_Equalized):
    """A dense layer with an equalised learning rate.

    Args:
        units: number of outputs.
        rate: factor of the learning rate: weights are as many times smaller where used, and larger where kept.
        bias: what the biases start from.
        **settings: of the base: rectified, gain, seed.

    Raises:
        ValueError: rate is not positive.
    """

    def __init__(self, units: int, rate: float = 1.0, bias: float = 0.0, **settings):
        super().__init__(**settings)
        if not rate > 0.0:
            raise ValueError(f"EqualizedDense needs rate > 0; received {rate}.")
        self.units, self.rate, self.initial_bias = units, rate, bias

    def build(self, input_shape):
        """Make kernel and bias."""
        initializer = keras.initializers.RandomNormal(stddev=1.0 / self.rate, seed=self.seed)
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer=initializer, name="kernel")
        start = keras.initializers.Constant(self.initial_bias / self.rate)
        self.bias = self.add_weight(shape=(self.units,), initializer=start, name="bias")

    def call(self, inputs):
        """Multiply (batch, features) by the scaled kernel."""
        scale = self.gain * self.rate
        kernel = tf.convert_to_tensor(self.kernel) * (scale / math.sqrt(self.kernel.shape[0]))
        outputs = tf.nn.bias_add(tf.matmul(inputs, kernel), tf.convert_to_tensor(self.bias) * scale)
        return leaky_relu(outputs) if self.rectified else outputs

    def compute_output_shape(self, input_shape):
        """Return the shape with `units` features."""
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return super().get_config() | {"units": self.units, "rate": self.rate, "bias": self.initial_bias}


@keras.saving.register_keras_serializable("kerasgan")
class EqualizedConv2D(_Equalized):
    """A convolution, padded to the same size, with an equalised learning rate.

    Args:
        filters: number of output channels.
        kernel_size: side of the kernel.
        halve: filter the image and take every second pixel, see `kerasgan.layers.filtering`.
        **settings: of the base: rectified, gain, seed.
    """

    def __init__(self, filters: int, kernel_size: int = 3, halve: bool = False, **settings):
        super().__init__(**settings)
        self.filters, self.kernel_size, self.halve = filters, kernel_size, halve

    def build(self, input_shape):
        """Make kernel and bias."""
        shape = (self.kernel_size, self.kernel_size, input_shape[-1], self.filters)
        self.kernel = self.add_weight(shape=shape, initializer=standard_normal(self.seed), name="kernel")
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    def call(self, inputs):
        """Convolve (batch, height, width, channels)."""
        kernel = tf.convert_to_tensor(self.kernel) * (self.gain / math.sqrt(math.prod(self.kernel.shape[:-1])))
        convolved = halved_convolution(inputs, kernel) if self.halve else tf.nn.conv2d(inputs, kernel, 1, "SAME")
        outputs = tf.nn.bias_add(convolved, tf.convert_to_tensor(self.bias) * self.gain)
        return leaky_relu(outputs) if self.rectified else outputs

    def compute_output_shape(self, input_shape):
        """Return the shape with `filters` channels, and half the sides where it halves."""
        sides = half_sides(input_shape) if self.halve else input_shape[1:3]
        return (input_shape[0], *sides, self.filters)

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return super().get_config() | {
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "halve": self.halve,
        }
