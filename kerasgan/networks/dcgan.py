"""The convolutional networks of DCGAN, for any image size from 16 to 128 pixels.

Radford et al. 2015, section 3 (https://arxiv.org/abs/1511.06434): strides instead of pooling, batch norm in both
networks but not at the generator's output and the discriminator's input, ReLU in one and LeakyReLU in the other.
Kernels are 4 wide, a multiple of the stride, against checkerboards (Odena et al. 2016).
"""

import math

import keras
from keras import layers

from kerasgan.layers import (
    BatchNormalization,
    ClassAffine,
    ClassChannels,
    Conv2D,
    Conv2DTranspose,
    Projection,
    SNConv2D,
    SNDense,
    SNProjection,
)
from kerasgan.networks.initializers import normal

KERNEL_SIZE = 4
# How the networks hear of a label.
CONDITIONINGS = ("projection", "concatenation")
SMALLEST, LARGEST = 16, 128


def dcgan_generator(
    image_shape: tuple, latent_dim: int, base_filters: int, dtype=None, seed: int | None = None,
    num_classes: int | None = None, conditioning: str = "projection",
) -> keras.Model:  # fmt: skip
    """Return a generator: latents (batch, latent_dim) to float32 images (batch, *image_shape) in [-1, 1].

    With `num_classes`, it takes int32 labels (batch,) too: every batch norm scales and shifts by class, or, with the
    conditioning "concatenation", the label is a part of the latents.
    """
    check_conditioning(conditioning)
    doublings = count_doublings(image_shape)
    height, width, channels = image_shape
    start = (math.ceil(height / 2**doublings), math.ceil(width / 2**doublings))
    initializers = normal(seed)

    latents = keras.Input((latent_dim,), name="latents")
    labels = None if num_classes is None else keras.Input((), dtype="int32", name="labels")

    def rectified(x):
        by_class = labels is not None and conditioning == "projection"
        x = class_batch_norm(x, labels, num_classes, dtype) if by_class else batch_norm(x, dtype)
        return layers.ReLU(dtype=dtype)(x)

    x = latents
    if labels is not None and conditioning == "concatenation":
        x = ClassChannels(num_classes, dtype=dtype)([x, labels])
    filters = filters_at(base_filters, doublings - 1)
    x = layers.Dense(
        start[0] * start[1] * filters,
        use_bias=False,
        kernel_initializer=next(initializers),
        dtype=dtype,
    )(x)
    x = rectified(layers.Reshape((*start, filters), dtype=dtype)(x))
    for level in reversed(range(doublings - 1)):
        x = Conv2DTranspose(
            filters_at(base_filters, level), KERNEL_SIZE, 2, "same",
            use_bias=False, kernel_initializer=next(initializers), dtype=dtype,
        )(x)  # fmt: skip
        x = rectified(x)
    x = Conv2DTranspose(channels, KERNEL_SIZE, 2, "same", kernel_initializer=next(initializers), dtype="float32")(x)
    x = layers.Activation("tanh", dtype="float32")(x)
    # After the activation, which the exporter's 8-bit integers need to find next to the convolution.
    images = crop_to(x, height, width)
    return keras.Model(latents if labels is None else [latents, labels], images, name="generator")


def dcgan_discriminator(
    image_shape: tuple, base_filters: int, dtype=None, seed: int | None = None, *,
    num_classes: int | None = None, conditioning: str = "projection", normalized: bool = True, spectral: bool = False,
) -> keras.Model:  # fmt: skip
    """Return a discriminator: images (batch, *image_shape) to float32 logits (batch, 1).

    With `num_classes`, it takes int32 labels (batch,) too, and adds the projection of its features on each label's
    vector, or, with the conditioning "concatenation", sees the label as channels beside those of the image. Without
    `normalized` it has no batch norm, as gradient penalties need it. With `spectral`, every layer's weights are divided
    by their largest singular value (Miyato et al. 2018, https://arxiv.org/abs/1802.05957).
    """
    check_conditioning(conditioning)
    initializers = normal(seed)
    convolution, dense = (SNConv2D, SNDense) if spectral else (Conv2D, layers.Dense)
    images = x = keras.Input(image_shape, name="images")
    labels = None if num_classes is None else keras.Input((), dtype="int32", name="labels")
    if labels is not None and conditioning == "concatenation":
        x = ClassChannels(num_classes, dtype=dtype)([x, labels])
    for level in range(count_doublings(image_shape)):
        normalize = normalized and level > 0
        x = convolution(
            filters_at(base_filters, level), KERNEL_SIZE, 2, "same",
            use_bias=not normalize, kernel_initializer=next(initializers), dtype=dtype,
        )(x)  # fmt: skip
        x = layers.LeakyReLU(0.2, dtype=dtype)(batch_norm(x, dtype) if normalize else x)
    x = layers.Flatten(dtype=dtype)(x)
    logits = dense(1, kernel_initializer=next(initializers), dtype="float32")(x)
    if labels is None:
        return keras.Model(images, logits, name="discriminator")
    if conditioning == "projection":
        fit = (SNProjection if spectral else Projection)(num_classes, next(initializers), dtype="float32")([x, labels])
        logits = layers.Add(dtype="float32")([logits, fit])
    return keras.Model([images, labels], logits, name="discriminator")


def count_doublings(image_shape: tuple) -> int:
    """Return how many times the spatial size doubles from about 4 pixels, the paper's start, to the shorter side.

    One fewer, and the discriminator's last convolution sees windows of 10 pixels, which its dense layer only adds up.
    """
    check_sides(image_shape)
    return round(math.log2(min(image_shape[:2]) / 4))


def check_sides(image_shape: tuple, family: str = "DCGAN") -> None:
    """Raise a ValueError unless the shape is (height, width, channels) with sides in 16..128."""
    if len(image_shape) != 3 or not all(SMALLEST <= side <= LARGEST for side in image_shape[:2]):
        raise ValueError(
            f"{family} makes images of {SMALLEST} to {LARGEST} pixels a side; received image_shape={image_shape}, "
            "which should be (height, width, channels)."
        )


def check_conditioning(conditioning: str) -> None:
    """Raise a ValueError unless labels can be told to the networks in such a way."""
    if conditioning not in CONDITIONINGS:
        raise ValueError(f"conditioning must be one of {CONDITIONINGS}; received {conditioning!r}.")


def filters_at(base_filters: int, level: int) -> int:
    """Return the filters of a level: doubling away from the image, at most eight-fold."""
    return base_filters * 2 ** min(level, 3)


def batch_norm(x, dtype):
    """Normalize as DCGAN does."""
    return BatchNormalization(momentum=0.9, epsilon=1e-5, dtype=dtype)(x)


def class_batch_norm(x, labels, num_classes: int, dtype):
    """Normalize the same way, then scale and shift by class."""
    plain = BatchNormalization(momentum=0.9, epsilon=1e-5, scale=False, center=False, dtype=dtype)
    return ClassAffine(num_classes, dtype=dtype)([plain(x), labels])


def crop_to(x, height: int, width: int):
    """Cut the image's size out of the middle where doubling overshot it."""
    extra = (x.shape[1] - height, x.shape[2] - width)
    if extra == (0, 0):
        return x
    borders = tuple((size // 2, size - size // 2) for size in extra)
    return layers.Cropping2D(borders, dtype="float32")(x)
