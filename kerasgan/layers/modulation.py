"""ModulatedConv2D: a convolution that each image's style tells how much of every channel to take."""

import math

import keras
import tensorflow as tf

from kerasgan.layers.equalized import EqualizedDense, standard_normal
from kerasgan.layers.filtering import doubled_convolution


@keras.saving.register_keras_serializable("kerasgan")
class ModulatedConv2D(keras.layers.Layer):
    """A convolution, padded to the same size, whose kernel is scaled by style, channel by channel, for every image.

    Demodulated, each kernel that results has length 1: what a style makes large in one layer is of the usual size for
    the next. Karras et al. 2020, equations 1 to 3 (https://arxiv.org/abs/1912.04958). A kernel for every image would
    need convolutions in groups, which CPUs are slow at. To scale the channels that go in, and those that come out, is
    the same.

    Args:
        filters: number of output channels.
        style: the number of the style that belongs to this layer.
        kernel_size: side of the kernel.
        demodulated: whether kernels are brought back to length 1.
        double: whether the image is doubled, see `kerasgan.layers.filtering`.
        gain: what outputs are multiplied by.
        seed: fixes the initial weights; it takes the next number as well.
    """

    def __init__(
        self, filters: int, style: int = 0, kernel_size: int = 3, demodulated: bool = True, double: bool = False,
        gain: float = 1.0, seed: int | None = None, **settings,
    ):  # fmt: skip
        super().__init__(**settings)
        self.filters, self.style, self.kernel_size = filters, style, kernel_size
        self.demodulated, self.double, self.gain, self.seed = demodulated, double, gain, seed

    def build(self, input_shape):
        """Make kernel and bias, and what makes scales of a style: at first, they are about 1."""
        (*_, channels), (_, _, style_dim) = input_shape
        next_seed = None if self.seed is None else self.seed + 1
        self.affine = EqualizedDense(channels, rectified=False, bias=1.0, seed=next_seed, dtype=self.dtype_policy)
        self.affine.build((None, style_dim))
        shape = (self.kernel_size, self.kernel_size, channels, self.filters)
        self.kernel = self.add_weight(shape=shape, initializer=standard_normal(self.seed), name="kernel")
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    def call(self, inputs):
        """Convolve images (batch, height, width, channels) by styles (batch, layers, style_dim)."""
        images, styles = inputs
        scales = self.affine(styles[:, self.style])
        kernel = tf.convert_to_tensor(self.kernel) * (1.0 / math.sqrt(math.prod(self.kernel.shape[:-1])))
        images *= scales[:, None, None]
        if self.demodulated:
            convolved = self._convolved(images, kernel)
            convolved *= tf.cast(self.gain / self._lengths(scales, kernel), convolved.dtype)[:, None, None]
        else:
            convolved = self._convolved(images, self.gain * kernel)
        return tf.nn.bias_add(convolved, self.gain * tf.convert_to_tensor(self.bias))

    def _convolved(self, images, kernel):
        return doubled_convolution(images, kernel) if self.double else tf.nn.conv2d(images, kernel, 1, "SAME")

    def _lengths(self, scales, kernel):
        """Return the lengths of the scaled kernels, in float32: (batch, filters)."""
        scales, kernel = tf.cast(scales, tf.float32), tf.cast(kernel, tf.float32)
        return tf.sqrt(tf.matmul(tf.square(scales), tf.reduce_sum(tf.square(kernel), (0, 1))) + 1e-8)

    def compute_output_shape(self, input_shape):
        """Return the shape with `filters` channels, and twice the sides where it doubles."""
        (batch, height, width, _), _ = input_shape
        sides = (2 * height, 2 * width) if self.double else (height, width)
        return (batch, *sides, self.filters)

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        names = ("filters", "style", "kernel_size", "demodulated", "double", "gain", "seed")
        return super().get_config() | {name: getattr(self, name) for name in names}
