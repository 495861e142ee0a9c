"""The U-Net of pix2pix: an encoder down to about a single place, a decoder back up, and shortcuts between equal sizes.

Isola et al. 2017, appendix 6.1.1 (https://arxiv.org/abs/1611.07004). Where its code has batch norm, on batches of one
image, there is instance norm, which is the same and does not change with the batch; none at the innermost place, of
which it would leave nothing, and none next to the images.
"""

import math

import keras
from keras import layers

from kerasgan.layers import Conv2D, Conv2DTranspose, GivenDropout, InstanceNormalization
from kerasgan.networks.dcgan import KERNEL_SIZE, filters_at
from kerasgan.networks.initializers import normal

SMALLEST, LARGEST = 16, 512
# Of the decoder, from the innermost on, that drop values.
NOISY_LEVELS = 3


def unet_generator(
    source_shape: tuple, channels: int, base_filters: int, dropout: float = 0.5, dtype=None, seed: int | None = None
) -> keras.Model:
    """Return a generator: images (batch, *source_shape) to float32 ones (batch, height, width, channels) in [-1, 1].

    Args:
        source_shape: (height, width, channels), sides in 16..512 that can be halved at least three times.
        channels: of the images that it makes.
        base_filters: filters of the layers next to the image; doubling at every halving, at most eight-fold.
        dropout: share of values that the innermost decoder layers drop. With 0 the source is the only input; else the
            second one, `latents`, are the uniform numbers (batch, n) that decide.
        dtype: dtype policy or its name.
        seed: fixes the initial weights.
    """
    depth = count_halvings(source_shape)
    initializers = normal(seed)

    def down(x, level):
        normalize = 0 < level < depth - 1
        x = layers.LeakyReLU(0.2, dtype=dtype)(x) if level else x
        x = Conv2D(
            filters_at(base_filters, level), KERNEL_SIZE, 2, "same",
            use_bias=not normalize, kernel_initializer=next(initializers), dtype=dtype,
        )(x)  # fmt: skip
        return InstanceNormalization(dtype=dtype)(x) if normalize else x

    def up(x, level):
        x = Conv2DTranspose(
            filters_at(base_filters, level - 1), KERNEL_SIZE, 2, "same",
            use_bias=False, kernel_initializer=next(initializers), dtype=dtype,
        )(layers.ReLU(dtype=dtype)(x))  # fmt: skip
        return InstanceNormalization(dtype=dtype)(x)

    source = x = keras.Input(source_shape, name="source")
    encoded = []
    for level in range(depth):
        x = down(x, level)
        encoded.append(x)
    latents, used = None, 0
    if dropout:
        latents = keras.Input((count_latents(source_shape, base_filters),), name="latents")
    for level in reversed(range(1, depth)):
        x = up(x, level)
        if dropout and level >= depth - NOISY_LEVELS:
            x = GivenDropout(dropout, used, dtype=dtype)([x, latents])
            used += math.prod(x.shape[1:])
        x = layers.Concatenate(dtype=dtype)([x, encoded[level - 1]])
    x = Conv2DTranspose(channels, KERNEL_SIZE, 2, "same", kernel_initializer=next(initializers), dtype="float32")(
        layers.ReLU(dtype=dtype)(x)
    )
    images = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model([source, latents] if dropout else source, images, name="generator")


def count_halvings(image_shape: tuple) -> int:
    """Return how often both sides can be halved: the depth of the network.

    Raises:
        ValueError: sides are out of range, or cannot be halved three times.
    """
    sides = tuple(image_shape[:2])
    halvings = min((side & -side).bit_length() - 1 for side in sides)
    if len(image_shape) != 3 or not all(SMALLEST <= side <= LARGEST for side in sides) or halvings < 3:
        raise ValueError(
            f"The U-Net takes images of {SMALLEST} to {LARGEST} pixels a side, multiples of 8, and the more often they "
            f"can be halved the more of them it sees at once; received image_shape={tuple(image_shape)}. Resize them, "
            "to 64, 128 or 256 pixels for example."
        )
    return halvings


def count_latents(image_shape: tuple, base_filters: int) -> int:
    """Return how many uniform numbers decide what is dropped."""
    depth = count_halvings(image_shape)
    height, width = image_shape[:2]
    levels = range(max(1, depth - NOISY_LEVELS), depth)
    return sum((height >> level) * (width >> level) * filters_at(base_filters, level - 1) for level in levels)
