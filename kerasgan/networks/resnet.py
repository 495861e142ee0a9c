"""The residual networks of spectrally normalised GANs, for images of 16 to 128 pixels.

Miyato et al. 2018, tables 3 and 4 (https://arxiv.org/abs/1802.05957). A block adds what its branch makes to what came
in *before* its first ReLU, as in the authors' code; the in-place ReLU of many copies rectifies the shortcut as well.

Resizing and convolution are one operation (`ResizingConv2D`), and shortcuts convolve where the image is small: the same
functions at half the cost.
"""

import math
from collections.abc import Sequence

import keras
from keras import layers

from kerasgan.layers import (
    GlobalSumPooling2D,
    Projection,
    ResizingConv2D,
    SelfAttention,
    SNConv2D,
    SNDense,
    SNProjection,
    SNResizingConv2D,
)
from kerasgan.networks.dcgan import batch_norm, check_sides, class_batch_norm, crop_to
from kerasgan.networks.initializers import seeds

# Of convolutions next to a ReLU; other weights have 1.
GAIN = math.sqrt(2.0)


def resnet_generator(
    image_shape: tuple, latent_dim: int, filters: int | Sequence[int], dtype=None, seed: int | None = None,
    num_classes: int | None = None, *, normalized: bool = False, attention: int | None = None,
) -> keras.Model:  # fmt: skip
    """Return a generator: latents (batch, latent_dim) to float32 images (batch, *image_shape) in [-1, 1].

    Args:
        image_shape: (height, width, channels).
        latent_dim: length of a latent vector.
        filters: of all blocks, or of each. A block doubles the image: 3 make 32 pixels out of 4, 4 make 64.
        dtype: dtype policy or its name.
        seed: fixes the initial weights.
        num_classes: with it, it takes int32 labels (batch,) too, and the blocks' batch norms scale and shift by class.
        normalized: whether its weights are spectrally normalised.
        attention: how many halvings from the image there is self-attention; None for none.
    """
    doublings = count_halvings(image_shape) + 1
    _check_attention(attention, doublings - 1, image_shape)
    filters = _each(filters, doublings, "generator", image_shape)
    height, width, channels = image_shape
    start = (math.ceil(height / 2**doublings), math.ceil(width / 2**doublings))
    parts = Parts(dtype, seed, normalized)
    latents = keras.Input((latent_dim,), name="latents")
    labels = None if num_classes is None else keras.Input((), dtype="int32", name="labels")

    def rectified(x):
        return parts.relu(batch_norm(x, dtype) if labels is None else class_batch_norm(x, labels, num_classes, dtype))

    x = parts.dense(latents, start[0] * start[1] * filters[0])
    x = layers.Reshape((*start, filters[0]), dtype=dtype)(x)
    for number, size in enumerate(filters):
        branch = parts.conv(rectified(x), size, resize="double")
        branch = parts.conv(rectified(branch), size)
        shortcut = layers.UpSampling2D(dtype=dtype)(parts.shortcut(x, size))
        x = layers.Add(dtype=dtype)([branch, shortcut])
        if attention == doublings - 1 - number:
            x = parts.attention(x)
    x = parts.relu(batch_norm(x, dtype))
    x = layers.Activation("tanh", dtype="float32")(parts.conv(x, channels, gain=1.0, dtype="float32"))
    images = crop_to(x, height, width)
    return keras.Model(latents if labels is None else [latents, labels], images, name="generator")


def resnet_discriminator(
    image_shape: tuple, filters: int | Sequence[int], dtype=None, seed: int | None = None,
    num_classes: int | None = None, *, normalized: bool = True, attention: int | None = None,
) -> keras.Model:  # fmt: skip
    """Return a discriminator: images (batch, *image_shape) to float32 logits (batch, 1), of features summed over them.

    Args:
        image_shape: (height, width, channels).
        filters: of all blocks, or of each: 2 that halve an image of 32 pixels, 3 of 64, and 2 that do not.
        dtype: dtype policy or its name.
        seed: fixes the initial weights.
        num_classes: with it, it takes int32 labels (batch,) too, and adds the projection of the features on each
            label's vector.
        normalized: whether its weights are spectrally normalised.
        attention: how many halvings from the image there is self-attention; None for none.
    """
    halvings = count_halvings(image_shape)
    _check_attention(attention, halvings, image_shape)
    filters = _each(filters, halvings + 2, "discriminator", image_shape)
    parts = Parts(dtype, seed, normalized)
    images = x = keras.Input(image_shape, name="images")
    for number, size in enumerate(filters):
        resize = "halve" if number < halvings else None
        # Images are not rectified.
        branch = parts.conv(x, size) if number == 0 else parts.conv(parts.relu(x), x.shape[-1])
        branch = parts.conv(parts.relu(branch), size, resize=resize)
        shortcut = layers.AveragePooling2D(2, dtype=dtype)(x) if resize else x
        if resize or x.shape[-1] != size:
            shortcut = parts.shortcut(shortcut, size)
        x = layers.Add(dtype=dtype)([branch, shortcut])
        if attention == number + 1:
            x = parts.attention(x)
    features = GlobalSumPooling2D(dtype="float32")(parts.relu(x))
    logits = parts.dense(features, 1, use_bias=False, dtype="float32")
    if num_classes is None:
        return keras.Model(images, logits, name="discriminator")
    labels = keras.Input((), dtype="int32", name="labels")
    fit = parts.projection(features, labels, num_classes)
    logits = layers.Add(dtype="float32")([logits, fit])
    return keras.Model([images, labels], logits, name="discriminator")


class Parts:
    """The layers that residual networks are built of, with one dtype and one source of initial weights.

    Args:
        dtype: dtype policy or its name.
        seed: fixes the initial weights.
        normalized: whether weights are spectrally normalised.
    """

    def __init__(self, dtype=None, seed: int | None = None, normalized: bool = False):
        self.dtype, self.normalized = dtype, normalized
        self.seeds = seeds(seed)

    def initializer(self, gain: float) -> keras.initializers.Initializer:
        """Return Glorot's uniform initializer with a range so many times as wide."""
        return keras.initializers.VarianceScaling(gain**2, "fan_avg", "uniform", seed=next(self.seeds))

    def conv(self, x, filters: int, gain: float = GAIN, resize: str | None = None, **settings):
        """Convolve 3x3; with `resize`, double the image before or halve it after."""
        settings = {"kernel_initializer": self.initializer(gain), "dtype": self.dtype} | settings
        if resize:
            return (SNResizingConv2D if self.normalized else ResizingConv2D)(filters, resize, **settings)(x)
        settings = {"kernel_size": 3, "padding": "same"} | settings
        return (SNConv2D if self.normalized else layers.Conv2D)(filters, **settings)(x)

    def shortcut(self, x, filters: int, **settings):
        """Convolve 1x1."""
        return self.conv(x, filters, gain=1.0, kernel_size=1, **settings)

    def dense(self, x, units: int, **settings):
        """Multiply by a matrix."""
        settings = {"kernel_initializer": self.initializer(1.0), "dtype": self.dtype} | settings
        return (SNDense if self.normalized else layers.Dense)(units, **settings)(x)

    def projection(self, features, labels, num_classes: int):
        """Return how well features fit labels."""
        kind = SNProjection if self.normalized else Projection
        return kind(num_classes, self.initializer(1.0), dtype="float32")([features, labels])

    def attention(self, x):
        """Let every place look at all others."""
        return SelfAttention(next(self.seeds), dtype=self.dtype)(x)

    def relu(self, x):
        """Rectify."""
        return layers.ReLU(dtype=self.dtype)(x)


def count_halvings(image_shape: tuple) -> int:
    """Return how often an image is halved to about 8 pixels: twice from 28 or 32, three times from 64.

    Raises:
        ValueError: the sides are out of range, or cannot be halved so often.
    """
    check_sides(image_shape, "A residual GAN")
    halvings = round(math.log2(min(image_shape[:2]) / 8))
    if any(side % 2**halvings for side in image_shape[:2]):
        raise ValueError(
            f"An image of this size is halved {halvings} times, so its sides have to be multiples of {2**halvings}; "
            f"received image_shape={image_shape}. Pad or resize the images."
        )
    return halvings


def _check_attention(attention: int | None, halvings: int, image_shape: tuple) -> None:
    if attention is not None and not 1 <= attention <= halvings:
        raise ValueError(
            f"attention says how many halvings from the image it is: 1 to {halvings} for image_shape={image_shape}; "
            f"received {attention}."
        )


def _each(filters: int | Sequence[int], blocks: int, network: str, image_shape: tuple) -> list[int]:
    """Return the filters of each block."""
    filters = [filters] * blocks if isinstance(filters, int) else list(filters)
    if len(filters) != blocks or min(filters) < 1:
        raise ValueError(
            f"The {network} has {blocks} blocks for image_shape={image_shape} and needs one number of filters for all, "
            f"or {blocks} numbers; received {filters}."
        )
    return filters


def filters_as_config(filters: int | Sequence[int]) -> int | list[int]:
    """Return filters as a config holds them: Keras makes a list that is an attribute an object of its own."""
    return filters if isinstance(filters, int) else [int(each) for each in filters]
