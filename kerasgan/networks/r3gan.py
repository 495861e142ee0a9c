"""R3GAN's networks: residual stages without any normalisation, for images of 16 to 128 pixels.

Huang et al. 2025, section 3 and appendix D (https://arxiv.org/abs/2501.05441). What keeps them stable is where they
start: every residual branch is silent at first, and its other weights are scaled down by the depth (Zhang et al. 2019,
https://arxiv.org/abs/1901.09321).

The 3x3 convolutions of the paper have groups of 16 channels on twice the width. TensorFlow has no gradient for grouped
convolutions on CPUs, and through XLA they take 40 to 70 times as long as dense ones of as many weights; depthwise ones
take half as long again (table in CONTRIBUTING). So these are dense, on the width itself. And the largest stage works at
half the image's size: at full size, where all that it could add is the finest detail, it costs as much as each stage
below. A strided convolution leads there, and its transpose back.

A vector becomes the smallest image, and the smallest image a vector, through dense layers where there are few channels:
the paper's learned basis, one small image a channel, has a fiftieth of the weights, and thousands of channels make up
for it.
"""

import math
from collections.abc import Sequence

import keras
from keras import layers

from kerasgan.layers import (
    Bounded,
    ClippedInInference,
    Conv2D,
    Conv2DTranspose,
    FilteredDoubling,
    Projection,
    SpreadOverBasis,
    SumOverBasis,
)
from kerasgan.networks.dcgan import check_sides
from kerasgan.networks.initializers import seeds

SLOPE = 0.2
# Of weights before a leaky ReLU, which keeps the size of what goes through.
GAIN = math.sqrt(2.0 / (1.0 + SLOPE**2))
EMBEDDING_DIM = 32
ENDS = ("dense", "basis")
# Of the convolutions between the image and the largest stage: a multiple of their stride, against checkerboards.
END_KERNEL_SIZE = 4
# What a tanh makes -1 of, in 8 bits.
BLACK = 4.0


def r3gan_generator(
    image_shape: tuple, latent_dim: int, widths: Sequence[int], dtype=None, seed: int | None = None,
    num_classes: int | None = None, blocks: int = 1, ends: str = "dense", squashed: bool = True,
) -> keras.Model:  # fmt: skip
    """Return a generator: latents (batch, latent_dim) to float32 images (batch, *image_shape) in [-1, 1].

    Args:
        image_shape: (height, width, channels).
        latent_dim: length of a latent vector.
        widths: channels of the stages, from the smallest to the largest, which has half the image's size; each doubles
            the one before.
        dtype: dtype policy or its name.
        seed: fixes the initial weights.
        num_classes: with it, it takes int32 labels (batch,) too, and every class has a vector beside the latents.
        blocks: residual blocks of a stage.
        ends: how the latents become the smallest image, "dense" or "basis".
        squashed: end in a tanh. Without, images are cut at -1 and 1 in inference only, as in the paper.
    """
    start = smallest_image(image_shape, widths)
    check_ends(ends)
    parts = Parts(dtype, seed, blocks * len(widths))
    latents = x = keras.Input((latent_dim,), name="latents")
    labels = None if num_classes is None else keras.Input((), dtype="int32", name="labels")
    if labels is not None:
        x = layers.Concatenate(dtype=dtype)([x, parts.embedding(labels, num_classes)])
    if ends == "dense":
        x = layers.Reshape((*start, widths[0]), dtype=dtype)(parts.dense(x, math.prod(start) * widths[0]))
    else:
        x = SpreadOverBasis(*start, seed=next(parts.seeds), dtype=dtype)(parts.dense(x, widths[0]))
    for number, width in enumerate(widths):
        if number:
            # A product for every pixel is cheaper before the image is doubled.
            x = parts.one_by_one(x, width) if x.shape[-1] != width else x
            x = FilteredDoubling(dtype=dtype)(x)
        for _ in range(blocks):
            x = parts.block(x)
    x = Conv2DTranspose(
        image_shape[-1], END_KERNEL_SIZE, 2, "same", kernel_initializer=parts.initializer(1.0), dtype="float32"
    )(x)
    # The paper ends without. Then what is black has to be met exactly, by a sum: on clothes, after 40,000 images, twice
    # the distance, and a recall of 0.36 where it is 0.53 with a tanh (search on the card of r3gan_fashion_mnist).
    if squashed:
        images = layers.Activation("tanh", dtype="float32")(Bounded(BLACK, dtype="float32")(x))
    else:
        images = ClippedInInference(dtype="float32")(x)
    return keras.Model(latents if labels is None else [latents, labels], images, name="generator")


def r3gan_discriminator(
    image_shape: tuple, widths: Sequence[int], dtype=None, seed: int | None = None,
    num_classes: int | None = None, blocks: int = 1, ends: str = "dense",
) -> keras.Model:  # fmt: skip
    """Return a discriminator: images (batch, *image_shape) to float32 logits (batch, 1).

    Args:
        image_shape: (height, width, channels).
        widths: channels of the stages, from the smallest to the largest, as the generator's.
        dtype: dtype policy or its name.
        seed: fixes the initial weights.
        num_classes: with it, it takes int32 labels (batch,) too, and adds the projection of the features on each
            label's vector.
        blocks: residual blocks of a stage.
        ends: how the smallest image becomes features: "dense", with a leaky ReLU, or "basis", weighted sums of each
            channel.
    """
    smallest_image(image_shape, widths)
    check_ends(ends)
    parts = Parts(dtype, seed, blocks * len(widths))
    images = keras.Input(image_shape, name="images")
    x = Conv2D(
        widths[-1], END_KERNEL_SIZE, 2, "same", use_bias=False, kernel_initializer=parts.initializer(1.0), dtype=dtype
    )(images)
    for number, width in enumerate(reversed(widths)):
        if number:
            x = layers.AveragePooling2D(2, dtype=dtype)(x)
            x = parts.one_by_one(x, width) if x.shape[-1] != width else x
        for _ in range(blocks):
            x = parts.block(x)
    if ends == "dense":
        features = parts.dense(layers.Flatten(dtype=dtype)(x), widths[0], gain=GAIN)
        features = layers.LeakyReLU(SLOPE, dtype="float32")(features)
    else:
        features = SumOverBasis(parts.initializer(1.0, "fan_in"), dtype="float32")(x)
    logits = parts.dense(features, 1, dtype="float32")
    if num_classes is None:
        return keras.Model(images, logits, name="discriminator")
    labels = keras.Input((), dtype="int32", name="labels")
    fit = Projection(num_classes, parts.initializer(1.0, "fan_out"), dtype="float32")([features, labels])
    logits = layers.Add(dtype="float32")([logits, fit])
    return keras.Model([images, labels], logits, name="discriminator")


class Parts:
    """The layers that both networks are built of, with one dtype and one source of initial weights.

    Args:
        dtype: dtype policy or its name.
        seed: fixes the initial weights.
        depth: residual blocks of the network.
    """

    def __init__(self, dtype, seed: int | None, depth: int):
        self.dtype = dtype
        self.seeds = seeds(seed)
        # Fixup's for branches of three layers: L^(-1 / (2 * 3 - 2)).
        self.gain = GAIN * depth**-0.25

    def initializer(self, gain: float, mode: str = "fan_in") -> keras.initializers.Initializer:
        """Return a normal initializer that multiplies the size of what comes in."""
        return keras.initializers.VarianceScaling(gain**2, mode, "untruncated_normal", seed=next(self.seeds))

    def block(self, x):
        """Add a branch 1x1, 3x3, 1x1, which is 0 at first, to what comes in."""
        width = x.shape[-1]
        branch = x
        for kernel_size in (1, 3):
            initializer = self.initializer(self.gain)
            branch = layers.Conv2D(
                width, kernel_size, padding="same", kernel_initializer=initializer, dtype=self.dtype
            )(branch)
            branch = layers.LeakyReLU(SLOPE, dtype=self.dtype)(branch)
        branch = layers.Conv2D(width, 1, use_bias=False, kernel_initializer="zeros", dtype=self.dtype)(branch)
        return layers.Add(dtype=self.dtype)([x, branch])

    def one_by_one(self, x, width: int):
        """Convolve 1x1, between stages."""
        return layers.Conv2D(width, 1, use_bias=False, kernel_initializer=self.initializer(1.0), dtype=self.dtype)(x)

    def dense(self, x, units: int, dtype=None, gain: float = 1.0):
        """Multiply by a matrix."""
        initializer = self.initializer(gain)
        return layers.Dense(units, use_bias=False, kernel_initializer=initializer, dtype=dtype or self.dtype)(x)

    def embedding(self, labels, num_classes: int):
        """Return the vectors of labels, standard normal at first as latents are."""
        normal = keras.initializers.RandomNormal(1.0, seed=next(self.seeds))
        return layers.Embedding(num_classes, EMBEDDING_DIM, normal, dtype=self.dtype)(labels)


def check_ends(ends: str) -> None:
    """Refuse other words than "dense" and "basis"."""
    if ends not in ENDS:
        raise ValueError(f"R3GAN's ends must be one of {', '.join(ENDS)}; received {ends!r}.")


def smallest_image(image_shape: tuple, widths: Sequence[int]) -> tuple[int, int]:
    """Return (height, width) of the smallest of the stages' images.

    Raises:
        ValueError: the sides are out of range or cannot be halved so often, or a width is not a positive number.
    """
    check_sides(image_shape, "R3GAN")
    if not widths or min(widths) < 1:
        raise ValueError(f"R3GAN needs a positive number of channels for each stage; received widths={list(widths)}.")
    halvings = len(widths)
    if any(side % 2**halvings for side in image_shape[:2]):
        raise ValueError(
            f"{len(widths)} stages halve an image as many times, so its sides have to be multiples of "
            f"{2**halvings}; received image_shape={tuple(image_shape)}. Give fewer widths, or resize the images."
        )
    return image_shape[0] // 2**halvings, image_shape[1] // 2**halvings
