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
        return _depthwise(images, padding), lambda upstream: blur(upstream, len(TAPS) - 1 - padding)

    return filtered(images)


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


def _depthwise(images, padding):
    channels = images.shape[-1]
    kernel = tf.constant(np.tile(np.outer(TAPS, TAPS)[:, :, None, None], (1, 1, channels, 1)), images.dtype)
    border = (padding, padding)
    return tf.nn.depthwise_conv2d(tf.pad(images, ((0, 0), border, border, (0, 0))), kernel, (1, 1, 1, 1), "VALID")


@keras.saving.register_keras_serializable("kerasgan")
class FilteredDoubling(keras.layers.Layer):
    """Twice the sides: zeros between pixels, and the filter, which is linear interpolation."""

    def call(self, images):
        """Return (batch, 2 height, 2 width, channels)."""
        return _doubled(_doubled(images, 1), 2)

    def compute_output_shape(self, input_shape):
        """Return twice the sides."""
        batch, height, width, channels = input_shape
        return batch, 2 * height, 2 * width, channels


@keras.saving.register_keras_serializable("kerasgan")
class FilteredHalving(keras.layers.Layer):
    """Half the sides: the filter, and every second pixel. Sides have to be even."""

    def call(self, images):
        """Return (batch, height / 2, width / 2, channels)."""
        return _halved(_halved(images, 1), 2)

    def compute_output_shape(self, input_shape):
        """Return half the sides."""
        batch, height, width, channels = input_shape
        return batch, height // 2, width // 2, channels


def _doubled(images, axis: int):
    """Return images with twice the pixels along an axis: each has a near neighbour, which counts 3/4, and a far one."""
    before, after = _neighbours(images, axis)
    near = 0.75 * images
    pairs = tf.stack([near + 0.25 * before, near + 0.25 * after], axis + 1)
    shape = list(images.shape[1:])
    shape[axis - 1] *= 2
    return tf.reshape(pairs, (-1, *shape))


def _halved(images, axis: int):
    shape = list(images.shape[1:])
    shape[axis - 1 : axis] = [shape[axis - 1] // 2, 2]
    first, second = tf.unstack(tf.reshape(images, (-1, *shape)), axis=axis + 1)
    before, _ = _neighbours(second, axis)
    _, after = _neighbours(first, axis)
    return 0.375 * (first + second) + 0.125 * (before + after)


def _neighbours(images, axis: int):
    """Return the images moved by a pixel along an axis, both ways, with zeros where nothing was."""
    size = images.shape[axis]
    padded = tf.pad(images, [(1, 1) if each == axis else (0, 0) for each in range(4)])
    return (padded[:, :size], padded[:, 2:]) if axis == 1 else (padded[:, :, :size], padded[:, :, 2:])
