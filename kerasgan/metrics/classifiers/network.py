"""The small residual network of the classifiers: a residual block a resolution, averaged features."""

import keras
from keras import layers

from kerasgan.layers import BatchNormalization


def classifier(image_shape: tuple, num_classes: int, filters=(24, 48, 96), dtype=None) -> keras.Model:
    """Return a network from float images in [-1, 1] to (features, logits), both float32.

    Args:
        image_shape: (height, width, channels).
        num_classes: number of logits.
        filters: of each resolution, halved from one to the next; the last is the number of features.
        dtype: dtype policy or its name; "mixed_bfloat16" to train faster.
    """
    first, *others = filters
    images = keras.Input(image_shape, name="images")
    x = _convolution(images, first, 1, dtype)
    for count in others:
        x = _convolution(x, count, 2, dtype)
        x = layers.Add(dtype=dtype)([x, _convolution(_convolution(x, count, 1, dtype), count, 1, dtype)])
    features = layers.GlobalAveragePooling2D(name="features", dtype="float32")(x)
    logits = layers.Dense(num_classes, name="logits", dtype="float32")(features)
    return keras.Model(images, [features, logits], name="classifier")


def _convolution(x, filters: int, strides: int, dtype):
    x = layers.Conv2D(filters, 3, strides, "same", use_bias=False, kernel_initializer="he_normal", dtype=dtype)(x)
    return layers.ReLU(dtype=dtype)(BatchNormalization(momentum=0.9, epsilon=1e-5, dtype=dtype)(x))
