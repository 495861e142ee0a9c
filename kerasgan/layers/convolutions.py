"""Convolutions that halve or double an image, with a faster kernel gradient in bfloat16 on some CPUs.

On CPUs that have bfloat16 instructions but no matrix units (AVX512-BF16 without AMX), the kernel gradient of a strided
convolution is slower than the same sums written as four matrix products: the whole DCGAN step took a tenth longer with
it (AMD EPYC, two cores, batch 64 and 128). Every other processor, precision and shape goes the way of the Keras layer.
"""

import functools

import keras
import tensorflow as tf

from kerasgan.distribution import bfloat16_flags


@keras.saving.register_keras_serializable("kerasgan")
class Conv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D`: same arguments, variables and results to rounding."""

    def convolution_op(self, inputs, kernel):
        """Convolve (batch, height, width, channels)."""
        if self.groups != 1 or not _uses_matrix_products(self, inputs):
            return super().convolution_op(inputs, kernel)
        return _halve(inputs, tf.convert_to_tensor(kernel))


@keras.saving.register_keras_serializable("kerasgan")
class Conv2DTranspose(keras.layers.Conv2DTranspose):
    """`keras.layers.Conv2DTranspose`: same arguments, variables and results to rounding."""

    def call(self, inputs):
        """Convolve (batch, height, width, channels)."""
        plain = not self.use_bias and self.activation is keras.activations.linear
        if not plain or not _uses_matrix_products(self, inputs):
            return super().call(inputs)
        return _double(inputs, tf.convert_to_tensor(self.kernel))


def halve(inputs, kernel):
    """Convolve (batch, height, width, channels) with a kernel (4, 4, channels, filters), stride 2, padding "same"."""
    return (_halve if _gains_by(inputs, kernel) else _plainly_halved)(inputs, kernel)


def double(inputs, kernel):
    """The transpose of `halve`, with a kernel (4, 4, filters, channels): to (batch, 2 height, 2 width, filters)."""
    return (_double if _gains_by(inputs, kernel) else _plainly_doubled)(inputs, kernel)


def _uses_matrix_products(layer, inputs) -> bool:
    """Return whether the layer is of the kind, and runs on the kind of CPU, that gains."""
    return (
        layer.kernel_size == (4, 4)
        and layer.strides == (2, 2)
        and layer.dilation_rate == (1, 1)
        and layer.padding == "same"
        and layer.data_format == "channels_last"
        and _gains_by(inputs, layer.kernel)
    )


def _gains_by(inputs, kernel) -> bool:
    return (
        tf.as_dtype(inputs.dtype) == tf.bfloat16
        and min(kernel.shape[2:]) > 1
        and all(side is not None and side % 2 == 0 for side in inputs.shape[1:3])
        and _gains()
    )


@functools.cache
def _gains() -> bool:
    flags = bfloat16_flags()
    return "avx512_bf16" in flags and "amx_bf16" not in flags and not tf.config.list_physical_devices("GPU")


@tf.custom_gradient
def _halve(inputs, kernel):
    def gradient(upstream):
        for_inputs = tf.raw_ops.Conv2DBackpropInput(
            input_sizes=tf.shape(inputs), filter=kernel, out_backprop=upstream, strides=(1, 2, 2, 1), padding="SAME"
        )
        return for_inputs, _kernel_gradient(inputs, upstream)

    return _plainly_halved(inputs, kernel), gradient


@tf.custom_gradient
def _double(inputs, kernel):
    def gradient(upstream):
        return _plainly_halved(upstream, kernel), _kernel_gradient(upstream, inputs)

    return _plainly_doubled(inputs, kernel), gradient


def _plainly_halved(inputs, kernel):
    return tf.nn.conv2d(inputs, kernel, 2, "SAME")


def _plainly_doubled(inputs, kernel):
    batch, height, width, filters = tf.shape(inputs)[0], 2 * inputs.shape[1], 2 * inputs.shape[2], kernel.shape[2]
    outputs = tf.nn.conv2d_transpose(inputs, kernel, (batch, height, width, filters), 2, "SAME")
    return tf.ensure_shape(outputs, (None, height, width, filters))


def _kernel_gradient(large, small):
    """Return the gradient (4, 4, channels of large, channels of small) of the kernel between two sizes.

    With each 2x2 block of the large image moved into channels, the 4x4 kernel is a 2x2 one of stride 1, and each of
    its four taps is a matrix product over all positions.
    """
    (height, width), channels, filters = small.shape[1:3], large.shape[-1], small.shape[-1]
    blocks = tf.nn.space_to_depth(tf.pad(large, ((0, 0), (1, 1), (1, 1), (0, 0))), 2)
    small = tf.reshape(small, (-1, filters))
    taps = [
        tf.matmul(tf.reshape(blocks[:, i : i + height, j : j + width], (-1, 4 * channels)), small, transpose_a=True)
        for i in (0, 1)
        for j in (0, 1)
    ]
    # (tap row, tap column, row in block, column in block, ...) to (kernel row, kernel column, ...).
    kernel = tf.reshape(tf.stack(taps), (2, 2, 2, 2, channels, filters))
    return tf.reshape(tf.transpose(kernel, (0, 2, 1, 3, 4, 5)), (4, 4, channels, filters))
