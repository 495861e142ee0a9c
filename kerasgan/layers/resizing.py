"""A convolution that doubles or halves the image as well, in one step instead of two, and a sum over the image."""

import keras
import tensorflow as tf

from kerasgan.layers.convolutions import double, halve

RESIZES = ("double", "halve")
# What the two convolutions in one are made for.
FIXED = {
    "kernel_size": 3,
    "strides": 1,
    "padding": "same",
    "dilation_rate": 1,
    "groups": 1,
    "data_format": "channels_last",
}


@keras.saving.register_keras_serializable("kerasgan")
class ResizingConv2D(keras.layers.Conv2D):
    """A 3x3 convolution, padded to the same size, behind a nearest doubling or before a 2x2 mean.

    Both pairs are one convolution of stride 2 with a 4x4 kernel, the 3x3 one blurred over 2x2 pixels: the same function
    of the same weights, to rounding, borders included, with 16 products where there were 36 (Karras et al. 2020,
    https://arxiv.org/abs/1912.04958, do likewise).

    Args:
        filters: number of output channels.
        resize: "double" the image first, or "halve" it afterwards. Sides to halve have to be even.
        **settings: of `keras.layers.Conv2D`, but for those in `FIXED`.

    Raises:
        ValueError: resize is another word; a setting is not the layer's to have; a side to halve is odd.
    """

    def __init__(self, filters: int, resize: str, **settings):
        if resize not in RESIZES:
            raise ValueError(f"resize must be one of {RESIZES}; received {resize!r}.")
        settings = FIXED | settings
        if any(settings[name] not in (value, (value, value)) for name, value in FIXED.items()):
            raise ValueError(f"ResizingConv2D has {FIXED}; received { ({name: settings[name] for name in FIXED}) }.")
        super().__init__(filters, **settings)
        self.resize = resize

    def convolution_op(self, inputs, kernel):
        """Convolve (batch, height, width, channels)."""
        kernel = tf.convert_to_tensor(kernel)
        if self.resize == "halve":
            return halve(inputs, 0.25 * _blurred(kernel))
        # The transpose of a convolution has its kernel turned round, and its channels the other way about.
        return double(inputs, tf.transpose(_blurred(kernel[::-1, ::-1]), (0, 1, 3, 2)))

    def compute_output_shape(self, input_shape):
        """Return twice or half the sides, and the filters."""
        batch, height, width, _ = input_shape
        if self.resize == "double":
            return batch, 2 * height, 2 * width, self.filters
        if height % 2 or width % 2:
            raise ValueError(f"Only even sides can be halved; received images of {height}x{width}.")
        return batch, height // 2, width // 2, self.filters

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        return super().get_config() | {"resize": self.resize}


def _blurred(kernel):
    """Return the sum (4, 4, ...) of a 3x3 kernel at the four places that it can have in there."""
    rows = tf.pad(kernel, ((0, 1), (0, 0), (0, 0), (0, 0))) + tf.pad(kernel, ((1, 0), (0, 0), (0, 0), (0, 0)))
    return tf.pad(rows, ((0, 0), (0, 1), (0, 0), (0, 0))) + tf.pad(rows, ((0, 0), (1, 0), (0, 0), (0, 0)))


@keras.saving.register_keras_serializable("kerasgan")
class GlobalSumPooling2D(keras.layers.GlobalAveragePooling2D):
    """The sum over height and width: (batch, height, width, channels) to (batch, channels)."""

    def call(self, inputs):
        """Return the sums."""
        return tf.reduce_sum(inputs, axis=(1, 2), keepdims=self.keepdims)
