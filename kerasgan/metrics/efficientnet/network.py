"""EfficientNet-Lite0 as a Keras model: Tan and Le 2019 (https://arxiv.org/abs/1905.11946), in Google's "lite" form.

Lite means: no squeeze-and-excitation, ReLU6 for swish, and a stem and head that stay as they are in larger networks
(https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite). Batch norms are folded into the
convolutions.
"""

import keras
import numpy as np
from keras import layers

# Stages of inverted residual blocks: blocks, kernel, stride of the first block, expansion, channels.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STEM, HEAD, CLASSES = 32, 1280, 1000


def build(size: int, weights: dict[str, np.ndarray]) -> keras.Model:
    """Return the network, from images (n, size, size, 3) in about [-1, 1] to features (n, 1280) and logits (n, 1000).

    It computes in float32, whatever the global dtype policy.

    Args:
        size: pixels a side of the images.
        weights: `LAYER/kernel` and `LAYER/bias` by the names of the layers, the depthwise kernels (height, width,
            channels, 1).

    Raises:
        ValueError: weights of a layer are missing or of another shape.
    """
    images = keras.Input((size, size, 3), dtype="float32")
    x = _convolution(images, "stem", STEM, 3, strides=2)
    number = 0
    for blocks, kernel, stride, expansion, channels in STAGES:
        for block in range(blocks):
            number += 1
            x = _inverted_residual(x, f"block{number}", kernel, 1 if block else stride, expansion, channels)
    x = _convolution(x, "head", HEAD, 1)
    features = layers.GlobalAveragePooling2D(name="features", dtype="float32")(x)
    logits = layers.Dense(CLASSES, kernel_initializer="zeros", name="logits", dtype="float32")(features)
    network = keras.Model(images, [features, logits], name="efficientnet_lite0")
    _set_weights(network, weights)
    return network


def _inverted_residual(x, name: str, kernel: int, stride: int, expansion: int, channels: int):
    """Widen, filter each channel, narrow; and add the input where nothing changes its shape."""
    inputs, width = x, x.shape[-1]
    if expansion > 1:
        x = _convolution(x, f"{name}_expand", expansion * width, 1)
    x = layers.DepthwiseConv2D(
        kernel, stride, "same", activation="relu6", depthwise_initializer="zeros", name=f"{name}_dw", dtype="float32"
    )(x)
    x = _convolution(x, f"{name}_project", channels, 1, activation=None)
    same = stride == 1 and channels == width
    return layers.Add(name=f"{name}_add", dtype="float32")([inputs, x]) if same else x


def _convolution(x, name: str, channels: int, kernel: int, strides: int = 1, activation: str | None = "relu6"):
    # Zeros, because drawing random kernels only to replace them would take time.
    return layers.Conv2D(
        channels, kernel, strides, "same",
        activation=activation, kernel_initializer="zeros", name=name, dtype="float32",
    )(x)  # fmt: skip


def _set_weights(network: keras.Model, weights: dict[str, np.ndarray]) -> None:
    for layer in network.layers:
        if layer.weights:
            try:
                layer.set_weights([weights[f"{layer.name}/{part}"] for part in ("kernel", "bias")])
            except KeyError as error:
                raise ValueError(f"The weights of {network.name} lack {error}.") from error
