"""Discriminators of patches: a convolutional network gives one logit for every place of the image that it looks at.

Isola et al. 2017, section 3.2.2 and appendix 6.1.2 (https://arxiv.org/abs/1611.07004): whether an image is real is
asked of patches, of 70x70 pixels with three halvings, and the loss is the mean over them. What is true of an image as a
whole is left to terms such as a distance from the target.
"""

import keras
from keras import layers

from kerasgan.layers import Conv2D, InstanceNormalization
from kerasgan.networks.dcgan import KERNEL_SIZE, filters_at
from kerasgan.networks.initializers import normal


def patch_discriminator(
    image_shape: tuple, base_filters: int, halvings: int = 3, dtype=None, seed: int | None = None, *,
    source_shape: tuple | None = None, affine: bool = True, name: str = "discriminator",
) -> keras.Model:  # fmt: skip
    """Return a discriminator: images (batch, *image_shape) to float32 logits (batch, rows, columns, 1).

    Args:
        image_shape: (height, width, channels), sides that can be halved so often.
        base_filters: filters of the first layer; doubling at every halving, at most eight-fold.
        halvings: convolutions of stride 2: with 1, 2, 3, 4 it looks at patches of 16, 34, 70, 142 pixels.
        dtype: dtype policy or its name.
        seed: fixes the initial weights.
        source_shape: of images that it is shown beside those it judges: the second of two inputs.
        affine: whether instance norms have scales and shifts.
        name: of the model.
    """
    initializers = normal(seed)
    images = x = keras.Input(image_shape, name="images")
    inputs = [images]
    if source_shape is not None:
        inputs.append(keras.Input(source_shape, name="source"))
        x = layers.Concatenate(dtype=dtype)(inputs)
    for level in range(halvings + 1):
        normalize = level > 0
        x = Conv2D(
            filters_at(base_filters, level), KERNEL_SIZE, 2 if level < halvings else 1, "same",
            use_bias=not normalize, kernel_initializer=next(initializers), dtype=dtype,
        )(x)  # fmt: skip
        x = InstanceNormalization(affine, dtype=dtype)(x) if normalize else x
        x = layers.LeakyReLU(0.2, dtype=dtype)(x)
    logits = Conv2D(1, KERNEL_SIZE, 1, "same", kernel_initializer=next(initializers), dtype="float32")(x)
    return keras.Model(inputs if source_shape is not None else images, logits, name=name)
