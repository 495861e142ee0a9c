"""Resampling behind a low-pass filter, so that what is finer than the smaller image's pixels does not alias.

The filter is [1, 3, 3, 1] / 8 along each side, with zeros beyond the border. Karras et al. 2019, section 3
(https://arxiv.org/abs/1812.04948), after Zhang 2019 (https://arxiv.org/abs/1904.11486).
"""

import keras
import numpy as np
import tensorflow as tf

TAPS = np.array([1.0, 3.0, 3.0, 1.0], "float32") / 8.0


def blur(images: tf.Tensor, padding: int) -> tf.Tensor:
    """Filter images (batch, height, width, channels), padded by so many zeros a side, to `2 padding - 3` pixels more.

    Its gradient is the filter itself, as it is symmetric: that is faster than the one of a depthwise convolution.
    """

    @tf.custom_gradient
    def filtered(images):
        border = (padding, padding)
        padded = tf.pad(images, ((0, 0), border, border, (0, 0)))
        # One side after the other: half the products.
        rows = _depthwise(padded, TAPS[:, None], 1, "VALID")
        return _depthwise(rows, TAPS[None], 1, "VALID"), lambda upstream: blur(upstream, len(TAPS) - 1 - padding)

    return filtered(images)


def halve(images: tf.Tensor) -> tf.Tensor:
    """Filter images (batch, height, width, channels) of even sides, and take every second pixel."""

    @tf.custom_gradient
    def halved(images):
        return _depthwise(images, np.outer(TAPS, TAPS), 2, "SAME"), lambda upstream: 0.25 * double(upstream)

    return halved(images)


def double(images: tf.Tensor) -> tf.Tensor:
    """Put zeros between the pixels of images, and filter, which is linear interpolation.

    It is 4 times the transpose of `halve`, and each is the other's gradient.
    """

    @tf.custom_gradient
    def doubled(images):
        return _interpolated(_interpolated(images, 1), 2), lambda upstream: 4.0 * halve(upstream)

    return doubled(images)


def halved_convolution(images: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Filter, and convolve with a kernel (3, 3, channels, filters) at every second pixel."""
    return tf.nn.conv2d(blur(images, 2), kernel, 2, "VALID")


def doubled_convolution(images: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Put zeros between pixels, convolve with a kernel (3, 3, channels, filters), and filter."""
    (height, width), filters = images.shape[1:3], kernel.shape[3]
    # The transpose of a convolution has its kernel turned round, and its channels the other way about.
    kernel = 4.0 * tf.transpose(kernel[::-1, ::-1], (0, 1, 3, 2))
    shape = (tf.shape(images)[0], 2 * height + 1, 2 * width + 1, filters)
    convolved = tf.nn.conv2d_transpose(images, kernel, shape, 2, "VALID")
    return blur(tf.ensure_shape(convolved, (None, *shape[1:])), 1)


def half_sides(shape: tuple) -> tuple[int, int]:
    """Return half the height and width of images of a shape (batch, height, width, channels).

    Raises:
        ValueError: one of the two is odd.
    """
    height, width = shape[1:3]
    if height % 2 or width % 2:
        raise ValueError(f"Only even sides can be halved; received images of {height}x{width}.")
    return height // 2, width // 2


def _depthwise(images, taps, stride: int, padding: str):
    """Convolve every channel by itself with taps (height, width)."""
    kernel = tf.constant(np.tile(taps[:, :, None, None], (1, 1, images.shape[-1], 1)), images.dtype)
    return tf.nn.depthwise_conv2d(images, kernel, (1, stride, stride, 1), padding)


def _interpolated(images, axis: int):
    """Return images with twice the pixels along an axis: each has a near neighbour, which counts 3/4, and a far one."""
    shape = list(images.shape[1:])
    padded = tf.pad(images, [(1, 1) if each == axis else (0, 0) for each in range(4)])
    size = shape[axis - 1]
    before, after = (padded[:, :size], padded[:, 2:]) if axis == 1 else (padded[:, :, :size], padded[:, :, 2:])
    near = 0.75 * images
    pairs = tf.stack([near + 0.25 * before, near + 0.25 * after], axis + 1)
    shape[axis - 1] *= 2
    return tf.reshape(pairs, (-1, *shape))


@keras.saving.register_keras_serializable("kerasgan")
class FilteredDoubling(keras.layers.Layer):
    """Twice the sides: zeros between pixels, and the filter, which is linear interpolation."""

    def call(self, images):
        """Return (batch, 2 height, 2 width, channels)."""
        return double(images)

    def compute_output_shape(self, input_shape):
        """Return twice the sides."""
        batch, height, width, channels = input_shape
        return batch, 2 * height, 2 * width, channels

    def get_config(self) -> dict:
        """Return the constructor arguments; Keras's own finds no way to write a dtype policy."""
        return super().get_config()


@keras.saving.register_keras_serializable("kerasgan")
class FilteredHalving(keras.layers.Layer):
    """Half the sides: the filter, and every second pixel. Sides have to be even."""

    def call(self, images):
        """Return (batch, height / 2, width / 2, channels)."""
        return halve(images)

    def compute_output_shape(self, input_shape):
        """Return half the sides."""
        return (input_shape[0], *half_sides(input_shape), input_shape[3])

    def get_config(self) -> dict:
        """Return the constructor arguments; Keras's own finds no way to write a dtype policy."""
        return super().get_config()
