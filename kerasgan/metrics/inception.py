"""The Inception network of 2015-12-05, which FID and the Inception Score are measured with, as a Keras model.

Szegedy et al. 2015 (https://arxiv.org/abs/1512.00567) describe the network; FID (Heusel et al. 2017,
https://arxiv.org/abs/1706.08500) means this trained copy of it. Layers are named as in its original graph, with _ for
/, and batch norms are folded into the convolutions.

Images are resized to 299x299 as TensorFlow 1 did: bilinear, target pixel i read at i * size / 299, with no half-pixel
offset and no smoothing. Other kernels shift FID.
"""

from collections import Counter
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from kerasgan.metrics import weights as weight_files
from kerasgan.metrics.extractors import Extractor

SIZE = 299
# The stage that each extractor takes its features from.
TAPS = {"inception_64": "pool", "inception_192": "pool_1", "inception_768": "mixed_7", "inception": "mixed_10"}
# Branches of each stage, joined along the channels: HEIGHTxWIDTH:FILTERS convolutions and 3x3 pools in turn. /S is a
# stride without padding; all else keeps the size. What follows | reads what precedes it side by side.
STAGES = {
    "pool": ("3x3:32/2 3x3:32/1 3x3:64 max/2",),
    "pool_1": ("1x1:80 3x3:192/1 max/2",),
    "mixed": ("1x1:64", "1x1:48 5x5:64", "1x1:64 3x3:96 3x3:96", "average 1x1:32"),
    "mixed_1": ("1x1:64", "1x1:48 5x5:64", "1x1:64 3x3:96 3x3:96", "average 1x1:64"),
    "mixed_2": ("1x1:64", "1x1:48 5x5:64", "1x1:64 3x3:96 3x3:96", "average 1x1:64"),
    "mixed_3": ("3x3:384/2", "1x1:64 3x3:96 3x3:96/2", "max/2"),
    "mixed_4": ("1x1:192", "1x1:128 1x7:128 7x1:192", "1x1:128 7x1:128 1x7:128 7x1:128 1x7:192", "average 1x1:192"),
    "mixed_5": ("1x1:192", "1x1:160 1x7:160 7x1:192", "1x1:160 7x1:160 1x7:160 7x1:160 1x7:192", "average 1x1:192"),
    "mixed_6": ("1x1:192", "1x1:160 1x7:160 7x1:192", "1x1:160 7x1:160 1x7:160 7x1:160 1x7:192", "average 1x1:192"),
    "mixed_7": ("1x1:192", "1x1:192 1x7:192 7x1:192", "1x1:192 7x1:192 1x7:192 7x1:192 1x7:192", "average 1x1:192"),
    "mixed_8": ("1x1:192 3x3:320/2", "1x1:192 1x7:192 7x1:192 3x3:192/2", "max/2"),
    "mixed_9": ("1x1:320", "1x1:384 | 1x3:384 3x1:384", "1x1:448 3x3:384 | 1x3:384 3x1:384", "average 1x1:192"),
    # A maximum where the paper has an average: an oddity of the trained copy, so FID has it too.
    "mixed_10": ("1x1:320", "1x1:384 | 1x3:384 3x1:384", "1x1:448 3x3:384 | 1x3:384 3x1:384", "max 1x1:192"),
}
CLASSES = 1008


def load(name: str) -> Extractor:
    """Return an extractor of `TAPS`: the mean of one stage over the image, and for "inception" the probabilities too.

    Args:
        name: a key of `TAPS`.

    Raises:
        ValueError: the weights are not there and cannot be fetched, or lack a layer.
    """
    weights = weight_files.load()
    network = build(name, weights.arrays)
    return Extractor(
        name,
        compiled(lambda images: network((legacy_resize(images) - 128.0) / 128.0, training=False)),
        resize=f"legacy bilinear (TensorFlow 1) to {SIZE}x{SIZE}",
        sha256=weights.sha256,
        dimensions=network.get_layer("features").output.shape[-1],
        rgb=True,
        batch_size=32,
    )


def legacy_resize(images: tf.Tensor) -> tf.Tensor:
    """Return uint8 images (n, height, width, c) as float32 (n, 299, 299, c) in 0..255, resized as TensorFlow 1 did."""
    return tf.raw_ops.ResizeBilinear(images=images, size=(SIZE, SIZE), align_corners=False, half_pixel_centers=False)


def build(name: str, weights: dict[str, np.ndarray]) -> keras.Model:
    """Return the network up to one tap, as a keras.Model of images (n, 299, 299, 3) in about [-1, 1].

    Its output is the features (n, d), and for "inception" a tuple of these and the probabilities (n, 1008): the softmax
    of the logits without their bias, as in the first implementation of the Inception Score (Salimans et al. 2016,
    https://arxiv.org/abs/1606.03498).

    Args:
        name: a key of `TAPS`.
        weights: `LAYER/kernel` (height, width, in, out) and `LAYER/bias` (out,); `softmax/kernel` (2048, 1008).

    Raises:
        ValueError: weights of a layer are missing or of another shape.
    """
    builder = _Builder(weights)
    images = x = keras.Input((SIZE, SIZE, 3), dtype="float32")
    usable = []
    try:
        for stage, branches in STAGES.items():
            x = builder.stage(x, stage, branches)
            if stage == TAPS[name]:
                break
            usable += [tap for tap in TAPS if TAPS[tap] == stage]
        features = keras.layers.GlobalAveragePooling2D(dtype="float32", name="features")(x)
        outputs = (features, builder.softmax(features)) if name == "inception" else features
    except KeyError as error:
        raise ValueError(
            f"The weights lack {error}, which {name!r} needs. With this file these work: {', '.join(usable) or 'none'}."
        ) from error
    return keras.Model(images, outputs)


class _Builder:
    """Adds layers with their weights to a functional model, and numbers their names as the original graph does."""

    def __init__(self, weights: dict[str, np.ndarray]):
        self.weights = weights
        self.names = Counter()

    def stage(self, x, name: str, branches: tuple[str, ...]):
        if len(branches) == 1:
            return self.chain(x, "", branches[0])
        outputs = [output for branch in branches for output in self.branch(x, name, branch)]
        return keras.layers.Concatenate(axis=-1, dtype="float32", name=name)(outputs)

    def branch(self, x, stage: str, steps: str) -> list:
        chain, _, fan = steps.partition(" | ")
        prefix = self.unique(f"{stage}_tower") if len(steps.split()) > 1 else stage
        x = self.chain(x, f"{prefix}_", chain)
        return [self.chain(x, f"{prefix}_mixed_", step) for step in fan.split()] or [x]

    def chain(self, x, prefix: str, steps: str):
        for step in steps.split():
            kind, _, stride = step.partition("/")
            add = self.convolution if ":" in kind else self.pool
            x = add(x, prefix, kind, strides=int(stride or 1), padding="valid" if stride else "same")
        return x

    def convolution(self, x, prefix: str, kind: str, **options):
        size, filters = kind.split(":")
        size = tuple(int(side) for side in size.split("x"))
        options |= self.common(f"{prefix}conv")
        return self.weighted(keras.layers.Conv2D(int(filters), size, activation="relu", **options), x)

    def pool(self, x, prefix: str, kind: str, **options):
        # With padding "same" the average leaves the padding out of its count, as the original does.
        layer = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}[kind]
        name = self.unique(f"{prefix}pool")
        return layer(3, dtype="float32", name=name, **options)(x)

    def softmax(self, x):
        return self.weighted(keras.layers.Dense(CLASSES, "softmax", use_bias=False, **self.common("softmax")), x)

    def common(self, name: str) -> dict:
        # Drawing random kernels only to replace them would take seconds.
        return {"name": self.unique(name), "kernel_initializer": "zeros", "dtype": "float32"}

    def weighted(self, layer, x):
        output = layer(x)
        arrays = [self.weights[f"{layer.name}/{variable.name}"] for variable in layer.weights]
        for variable, array in zip(layer.weights, arrays, strict=True):
            if array.shape != tuple(variable.shape):
                raise ValueError(
                    f"The weights {layer.name}/{variable.name} have shape {array.shape}; expected {variable.shape}."
                )
        layer.set_weights(arrays)
        return output

    def unique(self, name: str) -> str:
        number = self.names[name]
        self.names[name] += 1
        return f"{name}_{number}" if number else name


def compiled(run: Callable) -> Callable:
    """Return a function of uint8 images (n, height, width, 3) as a graph that serves every size."""
    return tf.function(run, input_signature=[tf.TensorSpec((None, None, None, 3), tf.uint8)])
